// SPDX-License-Identifier: GPL-2.0-only
/*
 * A picture of what happened: a row for each item, in which each run is drawn from the moment
 * of its queueing on, and a row for each context of each CPU.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/text.h"
#include "base/words.h"
#include "lab/palette.h"
#include "lab/picture.h"
#include "lab/svg.h"

/* Pixels. */
#define HEAD		22	/* above rows: their title */
#define ROW		42	/* of an item */
#define LANE		22	/* of a context of a CPU */
#define AXIS		24	/* below rows */
#define GAP		18	/* between two groups of rows */
#define OVERVIEW	44
#define OVERVIEW_BIN	3
#define LEGEND_LINE	20
#define RUN		15	/* how high a run is */
#define MIDDLE		25	/* of a run, below the top of its row */
#define SIGN		9	/* of a sign: above the runs */
#define TICKS		8

#define ROWS_MAX	40
#define LANES_MAX	64

struct picture_row {
	uint64_t key;		/* item and stage */
	const struct bhlab_event *first;
	size_t runs, coalesced, cancelled, marks, dropped;
	size_t drawn;		/* runs in what is drawn */
	bool shown;
	double y;
	char label[64];		/* "irq/thread" */
	char class[72];
};

enum { HARDIRQ, SOFTIRQ, TASK };

static const char *const contexts[] = { "hardirq", "softirq", "task" };

struct picture_lane {
	uint32_t cpu;
	int context;
	double y;
};

/* --- what a record is about */

static bool activated(const struct bhlab_event *e)
{
	return (e->kind == BHLAB_EVENT_RUN || e->kind == BHLAB_EVENT_CANCELLED) && e->queued_ns;
}

static uint64_t begin_of(const struct bhlab_event *e)
{
	return activated(e) ? e->queued_ns : e->started_ns;
}

static uint64_t key_of(const struct bhlab_event *e)
{
	return 2ULL * e->item + (e->stage == BHLAB_STAGE_THREAD);
}

static int context_of(const struct bhlab_event *e)
{
	return e->context & BHLAB_CTX_HARDIRQ ? HARDIRQ :
	       e->context & BHLAB_CTX_SOFTIRQ ? SOFTIRQ : TASK;
}

static bool in_view(const struct picture *p, const struct bhlab_event *e)
{
	return begin_of(e) <= p->to_ns && e->finished_ns >= p->from_ns;
}

static double x_of(const struct picture *p, uint64_t ns)
{
	double at = (double)(int64_t)(ns - p->from_ns), range = (double)(p->to_ns - p->from_ns);

	return SVG_LEFT + at * SVG_PLOT / range;
}

/* --- the rows */

static int by_key(const void *a, const void *b)
{
	const struct picture_row *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

static struct picture_row *row_of(const struct picture *p, const struct bhlab_event *e)
{
	struct picture_row key = { .key = key_of(e) };

	return bsearch(&key, p->rows, p->nr_rows, sizeof(key), by_key);
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* One for each key, by key. */
static void find_rows(struct picture *p)
{
	const struct records *records = p->history->records;
	uint64_t *keys = xrealloc(NULL, records->nr + 1, sizeof(*keys));

	for (size_t i = 0; i < records->nr; i++)
		keys[i] = key_of(&records->list[i]);
	qsort(keys, records->nr, sizeof(*keys), by_number);
	for (size_t i = 0; i < records->nr; i++)
		if (!i || keys[i] != keys[i - 1])
			p->nr_rows++;
	p->rows = xrealloc(NULL, p->nr_rows + 1, sizeof(*p->rows));
	for (size_t i = 0, row = 0; i < records->nr; i++)
		if (!i || keys[i] != keys[i - 1])
			p->rows[row++] = (struct picture_row){ .key = keys[i] };
	free(keys);
}

static void count(const struct picture *p, const struct bhlab_event *e)
{
	struct picture_row *row = row_of(p, e);

	/* A run knows best where the item runs. */
	if (!row->first || (e->kind == BHLAB_EVENT_RUN && !row->runs))
		row->first = e;
	row->runs += e->kind == BHLAB_EVENT_RUN;
	row->coalesced += e->kind == BHLAB_EVENT_COALESCED;
	row->cancelled += e->kind == BHLAB_EVENT_CANCELLED;
	row->marks += e->kind == BHLAB_EVENT_MARK;
	row->dropped += e->kind == BHLAB_EVENT_DROPPED;
}

static void name_row(const struct picture *p, struct picture_row *row)
{
	const struct history *history = p->history;

	snprintf(row->label, sizeof(row->label), "%s%s", history->mech(history->who, row->first),
		 row->key & 1 ? "/thread" : "");
	svg_mech_class(row->class, sizeof(row->class), row->label);
}

static int by_drawn(const void *a, const void *b)
{
	const struct picture_row *x = *(struct picture_row **)a, *y = *(struct picture_row **)b;

	if (x->drawn != y->drawn)
		return x->drawn > y->drawn ? -1 : 1;
	return by_key(x, y);
}

/* Those with most runs in what is drawn, if there are too many. */
static void choose_rows(struct picture *p)
{
	struct picture_row **order = xrealloc(NULL, p->nr_rows + 1, sizeof(*order));

	for (size_t i = 0; i < p->nr_rows; i++)
		order[i] = &p->rows[i];
	qsort(order, p->nr_rows, sizeof(*order), by_drawn);
	p->nr_shown = p->nr_rows < ROWS_MAX ? p->nr_rows : ROWS_MAX;
	for (size_t i = 0; i < p->nr_shown; i++)
		order[i]->shown = true;
	free(order);
}

/* --- what is drawn: all of it, or the part in which most happens */

static bool starts_between(const struct picture *p, const struct bhlab_event *e)
{
	return e->kind == BHLAB_EVENT_RUN && e->started_ns >= p->base_ns &&
	       e->started_ns <= p->end_ns;
}

static void find_ends(struct picture *p)
{
	const struct records *records = p->history->records;

	p->base_ns = UINT64_MAX;
	for (size_t i = 0; i < records->nr; i++) {
		const struct bhlab_event *e = &records->list[i];

		p->base_ns = begin_of(e) < p->base_ns ? begin_of(e) : p->base_ns;
		p->end_ns = e->finished_ns > p->end_ns ? e->finished_ns : p->end_ns;
	}
	for (size_t i = 0; p->history->executed && i < p->history->executed->nr; i++) {
		const struct executed *executed = p->history->executed->at[i];

		p->base_ns = executed->at_ns < p->base_ns ? executed->at_ns : p->base_ns;
		p->end_ns = executed->at_ns > p->end_ns ? executed->at_ns : p->end_ns;
	}
	p->zero_ns = p->history->base_ns ? p->history->base_ns : p->base_ns;
	if (p->clip_to_ns) {
		p->base_ns = p->clip_from_ns > p->base_ns ? p->clip_from_ns : p->base_ns;
		p->end_ns = p->clip_to_ns < p->end_ns ? p->clip_to_ns : p->end_ns;
	}
	if (p->end_ns <= p->base_ns)
		p->end_ns = p->base_ns + 1;
	for (size_t i = 0; i < records->nr; i++)
		p->runs += starts_between(p, &records->list[i]);
}

static void choose_part(const struct picture *p, size_t most, uint64_t *from_ns, uint64_t *to_ns)
{
	const struct records *records = p->history->records;
	const struct bhlab_event **runs = xrealloc(NULL, p->runs + 1, sizeof(*runs));
	uint64_t best = UINT64_MAX, margin;
	size_t nr = 0;

	for (size_t i = 0; i < records->nr; i++)
		if (starts_between(p, &records->list[i]))
			runs[nr++] = &records->list[i];
	for (size_t i = 0; i + most <= nr; i++) {
		const struct bhlab_event *last = runs[i + most - 1];

		if (last->started_ns - runs[i]->started_ns >= best)
			continue;
		best = last->started_ns - runs[i]->started_ns;
		*from_ns = runs[i]->started_ns;
		*to_ns = last->started_ns;
	}
	margin = best / 50 + 1;
	*from_ns = *from_ns - p->base_ns > margin ? *from_ns - margin : p->base_ns;
	*to_ns = p->end_ns - *to_ns > margin ? *to_ns + margin : p->end_ns;
	free(runs);
}

static bool is_part(const struct picture *p)
{
	return p->from_ns > p->base_ns || p->to_ns < p->end_ns;
}

static bool has_overview(const struct picture *p)
{
	return p->page || is_part(p);
}

/* --- the lanes of the CPUs */

static int by_lane(const void *a, const void *b)
{
	const struct picture_lane *x = a, *y = b;

	return x->cpu != y->cpu ? (int)x->cpu - (int)y->cpu : x->context - y->context;
}

static struct picture_lane *lane_of(const struct picture *p, const struct bhlab_event *e)
{
	for (size_t i = 0; i < p->nr_lanes; i++)
		if (p->lanes[i].cpu == e->cpu && p->lanes[i].context == context_of(e))
			return &p->lanes[i];
	return NULL;
}

static void add_lane(struct picture *p, const struct bhlab_event *e)
{
	if (lane_of(p, e))
		return;
	p->lanes = xrealloc(p->lanes, p->nr_lanes + 1, sizeof(*p->lanes));
	p->lanes[p->nr_lanes++] = (struct picture_lane){ e->cpu, context_of(e), 0 };
}

/* --- layout */

static double layout_legend(const struct picture *p, FILE *file, double y);

static void layout(struct picture *p)
{
	double y = has_overview(p) ? HEAD + OVERVIEW + GAP : 0;

	y += HEAD;
	for (size_t i = 0; i < p->nr_rows; i++) {
		if (!p->rows[i].shown)
			continue;
		p->rows[i].y = y;
		y += ROW;
	}
	y += AXIS + HEAD;
	for (size_t i = 0; i < p->nr_lanes_shown; i++) {
		p->lanes[i].y = y;
		y += LANE;
	}
	y += AXIS;
	p->height = layout_legend(p, NULL, y) + GAP;
}

void picture_make(struct picture *p)
{
	const struct records *records = p->history->records;

	find_ends(p);
	p->from_ns = p->base_ns;
	p->to_ns = p->end_ns;
	if (p->runs > p->runs_max)
		choose_part(p, p->runs_max, &p->from_ns, &p->to_ns);
	p->view_from_ns = p->from_ns;
	p->view_to_ns = p->to_ns;
	if (p->view_runs && p->runs > p->view_runs)
		choose_part(p, p->view_runs, &p->view_from_ns, &p->view_to_ns);
	find_rows(p);
	for (size_t i = 0; i < records->nr; i++) {
		const struct bhlab_event *e = &records->list[i];

		count(p, e);
		if (!in_view(p, e))
			continue;
		p->kinds[e->kind & 31] = true;
		if (e->kind != BHLAB_EVENT_RUN)
			continue;
		row_of(p, e)->drawn++;
		p->drawn++;
		add_lane(p, e);
	}
	for (size_t i = 0; i < p->nr_rows; i++)
		name_row(p, &p->rows[i]);
	choose_rows(p);
	if (p->nr_lanes)
		qsort(p->lanes, p->nr_lanes, sizeof(*p->lanes), by_lane);
	p->nr_lanes_shown = p->nr_lanes < LANES_MAX ? p->nr_lanes : LANES_MAX;
	layout(p);
}

void picture_free(struct picture *p)
{
	free(p->rows);
	free(p->lanes);
}

/* --- colours */

void picture_colors(const struct picture *p, FILE *file, bool dark)
{
	for (size_t i = 0; i < p->nr_rows; i++) {
		bool told = false;

		for (size_t j = 0; j < i; j++)
			told = told || !strcmp(p->rows[j].label, p->rows[i].label);
		if (!told)
			fprintf(file, ".%s { fill: %s }\n", p->rows[i].class,
				dark ? mech_dark_color(p->rows[i].label) :
				       mech_color(p->rows[i].label));
		if (i > 4 * ROWS_MAX)
			break;
	}
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

/* --- signs: what happens in a moment */

static const struct sign {
	uint8_t kind;
	const char *name, *id, *shape;
} signs[] = {
	{ BHLAB_EVENT_MARK, "mark", "s-mark",
	  "<path class=\"sign full\" d=\"M0 -4.5 4.5 0 0 4.5 -4.5 0Z\"/>" },
	{ BHLAB_EVENT_COALESCED, "already pending", "s-coalesced",
	  "<circle class=\"sign\" r=\"3.5\"/>" },
	{ BHLAB_EVENT_CANCELLED, "cancelled", "s-cancelled",
	  "<path class=\"sign\" d=\"M-4 -4 4 4 M-4 4 4 -4\"/>" },
	{ BHLAB_EVENT_DROPPED, "dropped", "s-dropped",
	  "<path class=\"sign\" d=\"M-4.5 -3.5 4.5 -3.5 0 4.5Z\"/>" },
	{ BHLAB_EVENT_EXPIRED, "delay is over", "s-expired",
	  "<path class=\"sign\" d=\"M-3 -4.5 4.5 0 -3 4.5Z\"/>" },
};

static const struct sign *sign_of(const struct bhlab_event *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		if (signs[i].kind == e->kind)
			return &signs[i];
	return NULL;
}

static void put_signs(const struct picture *p, FILE *file)
{
	fputs("<defs>\n", file);
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		if (p->kinds[signs[i].kind & 31])
			fprintf(file, "<g id=\"%s\">%s</g>\n", signs[i].id, signs[i].shape);
	/* The same for all pictures of a page; with room for a sign at either end. */
	fprintf(file, "<clipPath id=\"plot\"><rect x=\"%d\" y=\"0\" width=\"%d\" "
		"height=\"100000\"/></clipPath>\n</defs>\n", SVG_LEFT - 5, SVG_PLOT + 10);
}

/* --- what is told of each by the mouse */

static void put_moment(const struct picture *p, FILE *file, const char *what, uint64_t ns)
{
	fprintf(file, "%s%.4f ms", what, (double)(ns - p->zero_ns) / 1000000);
}

static void put_title(const struct picture *p, FILE *file, const struct picture_row *row,
		      const struct bhlab_event *e)
{
	const struct sign *sign = sign_of(e);
	char name[BHLAB_NAME_LEN], wait[32], ran[32];

	fputs("<title>", file);
	svg_text(file, "%s%s", p->history->name(p->history->who, e->item, name),
		 row->key & 1 ? ".thread" : "");
	if (e->kind == BHLAB_EVENT_RUN) {
		fprintf(file, " #%u", e->nth);
		svg_text(file, ": %s on CPU %u in %s%s%s", row->label, e->cpu,
			 contexts[context_of(e)], *e->comm ? ", " : "", e->comm);
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
	const struct sign *sign = sign_of(e);

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

		if (starts_between(p, &records->list[i]))
			bins[bin < BINS ? bin : BINS - 1]++;
	}
	for (size_t i = 0; i < BINS; i++)
		most = bins[i] > most ? bins[i] : most;
	period_round(p->to_ns - p->from_ns, part, sizeof(part));
	period_round(p->end_ns - p->base_ns, whole, sizeof(whole));
	fprintf(file, "<text class=\"head\" x=\"8\" y=\"14\">Overview: %zu run%s in %s", p->runs,
		p->runs == 1 ? "" : "s", whole);
	if (is_part(p))
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

/* --- the legend: the sign before the word */

struct legend {
	FILE *file;		/* or NULL */
	double x, y;
};

/* Where the next one stands; it takes about @length characters. */
static void legend_next(struct legend *l, size_t length)
{
	double width = 34 + 7.2 * (double)length;

	if (l->x + width > SVG_WIDTH - SVG_RIGHT) {
		l->x = SVG_LEFT;
		l->y += LEGEND_LINE;
	}
	if (l->file)
		fprintf(l->file, "<g transform=\"translate(%g,%g)\">", l->x, l->y);
	l->x += width;
}

static void legend_word(struct legend *l, const char *word)
{
	if (!l->file)
		return;
	fputs("<text x=\"22\" y=\"4\">", l->file);
	svg_escape(l->file, word);
	fputs("</text></g>\n", l->file);
}

static void legend_shape(struct legend *l, const char *shape, const char *word)
{
	legend_next(l, strlen(word));
	if (l->file)
		fputs(shape, l->file);
	legend_word(l, word);
}

static void legend_mechs(const struct picture *p, struct legend *l)
{
	for (size_t i = 0; i < p->nr_rows; i++) {
		const struct picture_row *row = &p->rows[i];
		bool told = !row->shown;

		for (size_t j = 0; j < i; j++)
			told = told || (p->rows[j].shown && !strcmp(p->rows[j].label, row->label));
		if (told)
			continue;
		legend_next(l, strlen(row->label));
		if (l->file)
			fprintf(l->file, "<rect class=\"%s\" x=\"0\" y=\"-7\" width=\"16\" "
				"height=\"14\"/>", row->class);
		legend_word(l, row->label);
	}
}

static double layout_legend(const struct picture *p, FILE *file, double y)
{
	struct legend l = { .file = file, .x = SVG_LEFT, .y = y + GAP };
	char shape[64];

	legend_mechs(p, &l);
	legend_shape(&l, "<rect class=\"bar\" x=\"7\" y=\"-6\" width=\"1.5\" height=\"12\"/>",
		     "queued");
	legend_shape(&l, "<rect class=\"bar wait\" x=\"0\" y=\"-2\" width=\"16\" height=\"4\"/>",
		     "waits");
	legend_shape(&l, "<rect class=\"bar\" x=\"0\" y=\"-7\" width=\"16\" height=\"14\"/>",
		     "runs, never thinner than a line");
	if (p->history->executed)
		legend_shape(&l, "<rect class=\"bar\" x=\"6\" y=\"-5\" width=\"3\" height=\"9\"/>",
			     "command");
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
		if (!p->kinds[signs[i].kind & 31])
			continue;
		snprintf(shape, sizeof(shape), "<use href=\"#%s\" x=\"8\"/>", signs[i].id);
		legend_shape(&l, shape, signs[i].name);
	}
	return l.y + LEGEND_LINE / 2.0;
}

/* --- all of it */

static void put_records(const struct picture *p, FILE *file)
{
	const struct records *records = p->history->records;

	for (size_t i = 0; i < records->nr; i++) {
		const struct bhlab_event *e = &records->list[i];
		const struct picture_row *row = row_of(p, e);

		if (!row->shown || !in_view(p, e))
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
		const struct picture_lane *lane = lane_of(p, e);

		if (e->kind != BHLAB_EVENT_RUN || !in_view(p, e) || !lane ||
		    lane - p->lanes >= (ptrdiff_t)p->nr_lanes_shown)
			continue;
		fputs("<g class=\"run\">", file);
		put_title(p, file, row_of(p, e), e);
		put_span(p, file, row_of(p, e)->class, e->started_ns, e->finished_ns, lane->y + 3,
			 LANE - 7, 1);
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
	double top = (has_overview(p) ? HEAD + OVERVIEW + GAP : 0) + HEAD;
	double middle = top + (double)p->nr_shown * ROW;
	double lanes = middle + AXIS + HEAD;
	double bottom = lanes + (double)p->nr_lanes_shown * LANE;
	const char *some = p->nr_shown < p->nr_rows ? ", those with most runs" : "";

	put_signs(p, file);
	if (has_overview(p))
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
	layout_legend(p, file, bottom + AXIS);
}
