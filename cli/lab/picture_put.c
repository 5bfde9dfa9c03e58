// SPDX-License-Identifier: GPL-2.0-only
/*
 * Draws a picture: a row for each item, in which each run is drawn from the moment of its
 * queueing on, and a row for each context of each CPU.
 */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/text.h"
#include "lab/picture_parts.h"
#include "lab/svg.h"

#define OVERVIEW_BIN	3
#define RUN		15	/* how high a run is */
#define MIDDLE		25	/* of a run, below the top of its row */
#define SIGN		9	/* of a sign: above the runs */
#define TICKS		8

static const char *const contexts[] = { "hardirq", "softirq", "task" };

static double x_of(const struct picture *p, uint64_t ns)
{
	double at = (double)(int64_t)(ns - p->from_ns), range = (double)(p->to_ns - p->from_ns);

	return SVG_LEFT + at * SVG_PLOT / range;
}

/* --- axes */

static void put_axis(const struct picture *p, FILE *file, double top, double bottom)
{
	uint64_t step = svg_step(p->to_ns - p->from_ns, TICKS);
	uint64_t first = (p->from_ns - p->zero_ns) / step * step, last = p->to_ns - p->zero_ns;
	char text[32];

	fprintf(file, "<g class=\"axis\" data-top=\"%g\" data-bottom=\"%g\">\n", top, bottom);
	for (uint64_t nr = 0; nr <= (last - first) / step; nr++) {
		uint64_t at = first + nr * step;
		double x = x_of(p, p->zero_ns + at);

		if (p->zero_ns + at < p->from_ns)
			continue;
		svg_time(text, sizeof(text), at, step, last);
		fprintf(file, "<line class=\"grid\" x1=\"%.2f\" x2=\"%.2f\" y1=\"%g\" y2=\"%g\"/>"
			"<text class=\"mid dim\" x=\"%.2f\" y=\"%g\">%s</text>\n", x, x, top,
			bottom + 4, x, bottom + 16, text);
	}
	fputs("</g>\n", file);
}

/* --- what is told of each by the mouse */

static void put_moment(const struct picture *p, FILE *file, const char *what, uint64_t ns)
{
	fprintf(file, "%s%.4f ms", what, (double)(ns - p->zero_ns) / 1000000);
}

static void put_title(const struct picture *p, FILE *file, const struct picture_row *row,
		      const struct bhlab_event *e)
{
	const struct picture_sign *sign = picture_sign_of(e);
	char name[BHLAB_NAME_LEN], wait[32], ran[32];

	fputs("<title>", file);
	svg_text(file, "%s%s", p->history->name(p->history->who, e->item, name),
		 row->key & 1 ? ".thread" : "");
	if (e->kind == BHLAB_EVENT_RUN) {
		fprintf(file, " #%u", e->nth);
		svg_text(file, ": %s on CPU %u in %s%s%s", row->label, e->cpu,
			 contexts[picture_context(e)], *e->comm ? ", " : "", e->comm);
		putc('\n', file);
		if (e->queued_ns) {
			period_round(e->started_ns - e->queued_ns, wait, sizeof(wait));
			put_moment(p, file, "queued at ", e->queued_ns);
			if (e->queue_cpu != BHLAB_CPU_NONE)
				fprintf(file, " on CPU %u", e->queue_cpu);
			fprintf(file, ", waited %s\n", wait);
		}
		period_round(e->finished_ns - e->started_ns, ran, sizeof(ran));
		put_moment(p, file, "started at ", e->started_ns);
		fprintf(file, ", ran %s", ran);
		if (e->skipped)
			fprintf(file, "\n%u steps skipped", e->skipped);
	} else {
		fprintf(file, ": %s", sign->name);
		if (e->kind == BHLAB_EVENT_MARK || e->kind == BHLAB_EVENT_DROPPED)
			fprintf(file, " %" PRIu64, (uint64_t)e->value);
		put_moment(p, file, " at ", e->started_ns);
	}
	fputs("</title>", file);
}

/* --- runs */

/* What will be a thousand times as large needs more of them. */
static int digits(const struct picture *p)
{
	return p->page ? 6 : 2;
}

/* A rectangle from one moment to another; what is too thin to be seen is wider. */
static void put_span(const struct picture *p, FILE *file, const char *class, uint64_t from,
		     uint64_t to, double y, double height, double least)
{
	double x = x_of(p, from), width = x_of(p, to) - x;

	fprintf(file, "<rect class=\"%s\" x=\"%.*f\" y=\"%g\" width=\"%.*f\" height=\"%g\"", class,
		digits(p), x, y, digits(p), width < least ? least : width, height);
	/* The script needs to know what it is in truth. */
	if (p->page && width < least)
		fprintf(file, " data-w=\"%.*f\"", digits(p), width);
	fputs("/>", file);
}

static void put_run(const struct picture *p, FILE *file, const struct picture_row *row,
		    const struct bhlab_event *e)
{
	double width = x_of(p, e->finished_ns) - x_of(p, e->started_ns), y = row->y + MIDDLE;
	char class[96];

	fputs("<g class=\"run\">", file);
	put_title(p, file, row, e);
	if (e->queued_ns) {
		snprintf(class, sizeof(class), "wait %s", row->class);
		put_span(p, file, class, e->queued_ns, e->started_ns, y - 2, 4, 0);
		put_span(p, file, row->class, e->queued_ns, e->queued_ns, y - 6, 12, 1.5);
	}
	put_span(p, file, row->class, e->started_ns, e->finished_ns, y - RUN / 2.0, RUN, 1);
	if (!p->page && width > 36)
		fprintf(file, "<text class=\"in\" x=\"%.2f\" y=\"%g\">CPU %u</text>",
			x_of(p, e->started_ns) + width / 2, y + 4, e->cpu);
	fputs("</g>\n", file);
}

static void put_sign(const struct picture *p, FILE *file, const struct picture_row *row,
		     const struct bhlab_event *e)
{
	const struct picture_sign *sign = picture_sign_of(e);

	if (!sign)
		return;
	fputs("<g class=\"run\">", file);
	put_title(p, file, row, e);
	fprintf(file, "<use href=\"#%s\" x=\"%.*f\" y=\"%g\"/></g>\n", sign->id, digits(p),
		x_of(p, e->started_ns), row->y + SIGN);
}

/* --- names */

static void put_row_name(const struct picture *p, FILE *file, const struct picture_row *row)
{
	char name[BHLAB_NAME_LEN], buf[128];
	struct text text = text_in(buf, sizeof(buf));
	static const char *const what[] = { "pending", "cancelled", "dropped" };
	size_t counts[] = { row->coalesced, row->cancelled, row->dropped };

	text_add(&text, "%s · %zu run%s", row->label, row->runs, row->runs == 1 ? "" : "s");
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		if (counts[i])
			text_add(&text, " · %zu %s", counts[i], what[i]);
	fprintf(file, "<rect class=\"%s\" x=\"8\" y=\"%g\" width=\"6\" height=\"%d\"/>",
		row->class, row->y + 5, ROW - 12);
	fprintf(file, "<text class=\"name\" x=\"20\" y=\"%g\">", row->y + 16);
	svg_text(file, "%s%s", p->history->name(p->history->who, row->first->item, name),
		 row->key & 1 ? ".thread" : "");
	fprintf(file, "</text><text class=\"dim\" x=\"20\" y=\"%g\">", row->y + 30);
	svg_escape(file, buf);
	fprintf(file, "</text><line class=\"row\" x1=\"8\" x2=\"%d\" y1=\"%g\" y2=\"%g\"/>\n",
		SVG_LEFT + SVG_PLOT, row->y + ROW - 1, row->y + ROW - 1);
}

static void put_lane_name(FILE *file, const struct picture_lane *lane)
{
	fprintf(file, "<text x=\"20\" y=\"%g\">CPU %u %s</text>"
		"<line class=\"row\" x1=\"8\" x2=\"%d\" y1=\"%g\" y2=\"%g\"/>\n", lane->y + 15,
		lane->cpu, contexts[lane->context], SVG_LEFT + SVG_PLOT, lane->y + LANE - 1,
		lane->y + LANE - 1);
}

/* --- the overview */

static void put_overview(const struct picture *p, FILE *file)
{
	enum { BINS = SVG_PLOT / OVERVIEW_BIN };
	const struct records *records = p->history->records;
	double all = (double)(p->end_ns - p->base_ns), scale = SVG_PLOT / all;
	size_t bins[BINS] = { 0 }, most = 1;
	char part[32], whole[32];

	for (size_t i = 0; i < records->nr; i++) {
		double at = (double)(records->list[i].started_ns - p->base_ns) * scale;
		size_t bin = (size_t)(at / OVERVIEW_BIN);

		if (picture_counts(p, &records->list[i]))
			bins[bin < BINS ? bin : BINS - 1]++;
	}
	for (size_t i = 0; i < BINS; i++)
		most = bins[i] > most ? bins[i] : most;
	period_round(p->to_ns - p->from_ns, part, sizeof(part));
	period_round(p->end_ns - p->base_ns, whole, sizeof(whole));
	fprintf(file, "<text class=\"head\" x=\"8\" y=\"14\">Overview: %zu run%s in %s", p->runs,
		p->runs == 1 ? "" : "s", whole);
	if (picture_is_part(p))
		fprintf(file, "; the busiest %s of it, with %zu runs, are below", part, p->drawn);
	fputs("</text>\n<g class=\"overview\">\n", file);
	for (size_t i = 0; i < BINS; i++) {
		double height = (OVERVIEW - 4) * (double)bins[i] / (double)most;

		if (bins[i])
			fprintf(file, "<rect class=\"bar\" x=\"%zu\" y=\"%.1f\" width=\"%d\" "
				"height=\"%.1f\"/>\n", SVG_LEFT + i * OVERVIEW_BIN,
				HEAD + OVERVIEW - height, OVERVIEW_BIN - 1, height);
	}
	fprintf(file, "<rect class=\"view\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"/>\n"
		"<text class=\"dim\" x=\"20\" y=\"%d\">runs, at most %zu a bar</text></g>\n",
		SVG_LEFT + (double)(p->from_ns - p->base_ns) * scale, HEAD,
		(double)(p->to_ns - p->from_ns) * scale, OVERVIEW + 2, HEAD + 28, most);
}

/* --- all of it */

static void put_records(const struct picture *p, FILE *file)
{
	const struct records *records = p->history->records;

	for (size_t i = 0; i < records->nr; i++) {
		const struct bhlab_event *e = &records->list[i];
		const struct picture_row *row = picture_row_of(p, e);

		if (!row->shown || !picture_shows(p, e))
			continue;
		if (e->kind == BHLAB_EVENT_RUN)
			put_run(p, file, row, e);
		else
			put_sign(p, file, row, e);
	}
}

static void put_lanes(const struct picture *p, FILE *file)
{
	const struct records *records = p->history->records;

	for (size_t i = 0; i < records->nr; i++) {
		const struct bhlab_event *e = &records->list[i];
		const struct picture_lane *lane = picture_lane_of(p, e);
		const struct picture_row *row = picture_row_of(p, e);

		if (e->kind != BHLAB_EVENT_RUN || !picture_shows(p, e) || !lane ||
		    lane - p->lanes >= (ptrdiff_t)p->nr_lanes_shown)
			continue;
		fputs("<g class=\"run\">", file);
		put_title(p, file, row, e);
		put_span(p, file, row->class, e->started_ns, e->finished_ns, lane->y + 3, LANE - 7,
			 1);
		fputs("</g>\n", file);
	}
}

static void put_commands(const struct picture *p, FILE *file, double top, double bottom)
{
	for (size_t i = 0; p->history->executed && i < p->history->executed->nr; i++) {
		const struct executed *executed = p->history->executed->at[i];

		fputs("<g class=\"run command\"><title>", file);
		svg_text(file, "line %u: %s%s%s", executed->line, executed->text,
			 *executed->answer ? " -> " : "", executed->answer);
		put_moment(p, file, "\nat ", executed->at_ns);
		fputs("</title>", file);
		put_span(p, file, "bar", executed->at_ns, executed->at_ns, top - 9, 9, 3);
		put_span(p, file, "bar wait", executed->at_ns, executed->at_ns, top, bottom - top,
			 0.6);
		fputs("</g>\n", file);
	}
}

void picture_put(const struct picture *p, FILE *file)
{
	double top = (picture_has_overview(p) ? HEAD + OVERVIEW + GAP : 0) + HEAD;
	double middle = top + (double)p->nr_shown * ROW;
	double lanes = middle + AXIS + HEAD;
	double bottom = lanes + (double)p->nr_lanes_shown * LANE;
	const char *some = p->nr_shown < p->nr_rows ? ", those with most runs" : "";

	picture_put_signs(p, file);
	if (picture_has_overview(p))
		put_overview(p, file);
	fprintf(file, "<text class=\"head\" x=\"8\" y=\"%g\">Items", top - 8);
	if (*some)
		fprintf(file, ": %zu of %zu%s", p->nr_shown, p->nr_rows, some);
	fprintf(file, "</text>\n<text class=\"head\" x=\"8\" y=\"%g\">CPUs", lanes - 8);
	if (p->nr_lanes_shown < p->nr_lanes)
		fprintf(file, ": %zu of %zu rows", p->nr_lanes_shown, p->nr_lanes);
	fputs("</text>\n", file);
	for (size_t i = 0; i < p->nr_rows; i++)
		if (p->rows[i].shown)
			put_row_name(p, file, &p->rows[i]);
	for (size_t i = 0; i < p->nr_lanes_shown; i++)
		put_lane_name(file, &p->lanes[i]);
	fprintf(file, "<g class=\"time\" data-left=\"%d\" data-width=\"%d\" data-from=\"%" PRIu64
		"\" data-to=\"%" PRIu64 "\" data-first=\"%" PRIu64 "\" data-last=\"%" PRIu64
		"\">\n", SVG_LEFT, SVG_PLOT, p->from_ns - p->zero_ns,
		p->to_ns - p->zero_ns, p->view_from_ns - p->zero_ns,
		p->view_to_ns - p->zero_ns);
	put_axis(p, file, top, middle);
	put_axis(p, file, lanes, bottom);
	fputs("<g class=\"marks\" clip-path=\"url(#plot)\">\n", file);
	put_commands(p, file, top, bottom);
	put_records(p, file);
	put_lanes(p, file);
	fputs("</g>\n</g>\n", file);
	picture_put_legend(p, file, bottom + AXIS);
}
