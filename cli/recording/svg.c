// SPDX-License-Identifier: GPL-2.0-only
/*
 * report: a picture: how the waiting and run times of each item are distributed, and what ran
 * when and where.
 */
#include <inttypes.h>
#include <json.h>
#include <stdlib.h>
#include <string.h>

#include "base/out.h"
#include "base/parse.h"
#include "base/text.h"
#include "lab/page.h"
#include "lab/picture.h"
#include "lab/svg.h"
#include "recording/report.h"

/* Pixels. */
#define MARGIN		8
#define ROW		44	/* of an item */
#define BARS		26	/* how high its bars may be */
#define AXIS		24
#define GAP		70	/* between the two columns */
#define BELOW		40	/* below a part */
#define COLUMN		((SVG_PLOT - GAP) / 2)
#define TITLE_COLUMNS	104
#define TITLE_LINES	3
#define ROWS_MAX	40
/* Bars: so many for a factor of ten, and for all 64 bits. */
#define BINS		16
#define BIN_FACTOR	1.1547819846894583
#define BINS_MAX	320
/* Of more runs, only the busiest part is drawn one by one. */
#define RUNS_DRAWN	160

struct spread {
	struct times times;
	const struct bhlab_event *event;
	char label[64], class[72];
	size_t order;
};

struct svg {
	FILE *file;
	const struct recording *recording;
	struct spread *rows;
	size_t nr, shown;
	size_t low, high;	/* the ends of the axis, as factors of ten of a nanosecond */
	struct picture picture;
	struct history history;
	double top;		/* where the next part begins */
};

/* --- the rows */

static int by_runs(const void *a, const void *b)
{
	const struct spread *x = a, *y = b;
	uint64_t runs = x->times.run_time->nr, other = y->times.run_time->nr;

	if (runs != other)
		return runs > other ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static int by_order(const void *a, const void *b)
{
	const struct spread *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

static void add_row(struct svg *s, const struct group *group)
{
	struct spread *row;

	s->rows = xrealloc(s->rows, s->nr + 1, sizeof(*s->rows));
	row = &s->rows[s->nr];
	*row = (struct spread){ .times = group_times(group), .order = s->nr };
	if (!row->times.run_time->nr) {
		times_free(&row->times);
		return;
	}
	for (size_t i = 0; !row->event; i++)
		if (group->list[i]->kind == BHLAB_EVENT_RUN)
			row->event = group->list[i];
	mech_label(s->recording, row->event, row->label, sizeof(row->label));
	svg_mech_class(row->class, sizeof(row->class), row->label);
	s->nr++;
}

static void make_rows(struct svg *s)
{
	const struct bhlab_event **sorted = groups_sort(s->recording, BY_ITEM);
	struct group group;

	for (size_t i = 0; i < s->recording->records.nr; i += group.nr) {
		group = group_at(s->recording, BY_ITEM, sorted, i);
		add_row(s, &group);
	}
	free(sorted);
	s->shown = s->nr < ROWS_MAX ? s->nr : ROWS_MAX;
	if (!s->nr)
		return;
	qsort(s->rows, s->nr, sizeof(*s->rows), by_runs);
	qsort(s->rows, s->shown, sizeof(*s->rows), by_order);
}

/* --- the axis, by logarithms */

static size_t bin_of(uint64_t ns)
{
	size_t bin = 0;

	for (double end = BIN_FACTOR; end <= (double)ns; end *= BIN_FACTOR)
		bin++;
	return bin;
}

static void find_ends(struct svg *s, bool queue_to_start)
{
	s->low = BINS_MAX;
	s->high = 0;
	for (size_t i = 0; i < s->shown; i++) {
		const struct times *times = &s->rows[i].times;
		const struct hist *hist = queue_to_start ? times->queue_to_start : times->run_time;
		size_t low = bin_of(hist->min) / BINS, high = bin_of(hist->max) / BINS;

		if (!hist->nr)
			continue;
		s->low = low < s->low ? low : s->low;
		s->high = high >= s->high ? high + 1 : s->high;
	}
	/* Nothing is known of when they were queued. */
	if (!s->high) {
		s->low = 0;
		s->high = 1;
	}
}

static double bin_x(const struct svg *s, double left, double bin)
{
	return left + (bin / BINS - (double)s->low) * COLUMN / (double)(s->high - s->low);
}

/* Nothing takes no time; by logarithms a nanosecond has to do for it. */
static double x_of(const struct svg *s, double left, uint64_t ns)
{
	double bin = 0;
	double at = (double)(ns ? ns : 1);

	for (; at >= BIN_FACTOR; at /= BIN_FACTOR)
		bin++;
	/* Within a bin a straight line is near enough. */
	return bin_x(s, left, bin + (at - 1) / (BIN_FACTOR - 1));
}

static void put_axis(const struct svg *s, double left, double bottom)
{
	char text[32];
	uint64_t ns = 1;

	for (size_t i = 0; i <= s->high; i++, ns *= 10) {
		double x = bin_x(s, left, (double)i * BINS);

		if (i < s->low)
			continue;
		svg_decade(text, sizeof(text), ns);
		fprintf(s->file, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%g\" "
			"y2=\"%g\"/><text class=\"mid dim\" x=\"%.1f\" y=\"%g\">%s</text>\n", x, x,
			s->top, bottom + 4, x, bottom + 16, text);
	}
}

/* --- a row: bars, and below them a line from the smallest to the largest with three points */

static void put_bars(const struct svg *s, const struct hist *hist, const struct spread *row,
		     double left, double y)
{
	uint64_t bins[BINS_MAX] = { 0 }, most = 1;
	double height, width = bin_x(s, 0, 1) - bin_x(s, 0, 0);

	for (size_t i = 0; i < HIST_BUCKETS; i++)
		if (hist->buckets[i])
			bins[bin_of(hist_bottom(i))] += hist->buckets[i];
	for (size_t i = 0; i < BINS_MAX; i++)
		most = bins[i] > most ? bins[i] : most;
	for (size_t i = 0; i < BINS_MAX; i++) {
		height = BARS * (double)bins[i] / (double)most;
		if (bins[i])
			fprintf(s->file, "<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" "
				"height=\"%.2f\"><title>%" PRIu64 " of %" PRIu64 " runs</title>"
				"</rect>\n", row->class, bin_x(s, left, (double)i),
				y + BARS + 4 - height, width, height, bins[i], hist->nr);
	}
}

static void put_point(const struct svg *s, const char *shape, double x, double y, const char *what,
		      uint64_t ns)
{
	char text[32];

	period_round(ns, text, sizeof(text));
	fprintf(s->file, "<g transform=\"translate(%.2f,%g)\"><title>%s %s</title>%s</g>\n", x, y,
		what, text, shape);
}

#define MINIMUM	"<path class=\"line\" d=\"M0 -4V4\"/>"
#define MEDIAN	"<circle class=\"point\" r=\"3.5\"/>"
#define P99	"<path class=\"point\" d=\"M-4 3.5 4 3.5 0 -4.5Z\"/>"
#define MAXIMUM	"<path class=\"line\" d=\"M-3.5 -3.5 3.5 3.5M-3.5 3.5 3.5 -3.5\"/>"

static void put_points(const struct svg *s, const struct hist *hist, double left, double y)
{
	const struct {
		const char *name, *shape;
		uint64_t ns;
	} points[] = {
		{ "minimum", MINIMUM, hist->min },
		{ "median", MEDIAN, hist_quantile(hist, 500) },
		{ "99%:", P99, hist_quantile(hist, 990) },
		{ "maximum", MAXIMUM, hist->max },
	};

	y += BARS + 9;
	fprintf(s->file, "<path class=\"line\" d=\"M%.2f %gH%.2f\"/>\n",
		x_of(s, left, hist->min), y, x_of(s, left, hist->max));
	for (size_t i = 0; i < ARRAY_SIZE(points); i++)
		put_point(s, points[i].shape, x_of(s, left, points[i].ns), y, points[i].name,
			  points[i].ns);
}

static void put_hist(const struct svg *s, const struct hist *hist, const struct spread *row,
		     double left, double y)
{
	if (!hist->nr)
		return;
	put_bars(s, hist, row, left, y);
	put_points(s, hist, left, y);
}

static void put_row(const struct svg *s, const struct spread *row, double y)
{
	char name[BHLAB_NAME_LEN];

	fprintf(s->file, "<rect class=\"%s\" x=\"%d\" y=\"%g\" width=\"6\" height=\"%d\"/>"
		"<text class=\"name\" x=\"20\" y=\"%g\">", row->class, MARGIN, y + 5, ROW - 14,
		y + 18);
	svg_text(s->file, "%s%s", recording_name(s->recording, row->event->item, name),
		 row->event->stage == BHLAB_STAGE_THREAD ? ".thread" : "");
	fprintf(s->file, "</text><text class=\"dim\" x=\"20\" y=\"%g\">", y + 33);
	svg_text(s->file, "%s · %" PRIu64 " run%s", row->label, row->times.run_time->nr,
		 row->times.run_time->nr == 1 ? "" : "s");
	fprintf(s->file, "</text><line class=\"row\" x1=\"%d\" x2=\"%d\" y1=\"%g\" y2=\"%g\"/>\n",
		MARGIN, SVG_LEFT + SVG_PLOT, y + ROW - 1, y + ROW - 1);
}

static void put_column(struct svg *s, bool queue_to_start, double left, double bottom)
{
	find_ends(s, queue_to_start);
	put_axis(s, left, bottom);
	for (size_t i = 0; i < s->shown; i++) {
		const struct times *times = &s->rows[i].times;

		put_hist(s, queue_to_start ? times->queue_to_start : times->run_time, &s->rows[i],
			 left, s->top + (double)i * ROW);
	}
}

static void put_legend(const struct svg *s, double y)
{
	static const struct {
		const char *shape, *word;
	} signs[] = {
		{ MINIMUM, "minimum" }, { MEDIAN, "median" }, { P99, "99%" },
		{ MAXIMUM, "maximum" },
	};
	double x = SVG_LEFT;

	for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
		fprintf(s->file, "<g transform=\"translate(%g,%g)\">%s<text x=\"10\" y=\"4\">%s"
			"</text></g>\n", x + 6, y, signs[i].shape, signs[i].word);
		x += 34 + 7.2 * (double)strlen(signs[i].word);
	}
	fprintf(s->file, "<text class=\"dim\" x=\"%g\" y=\"%g\">the highest bar of each row is as "
		"high as the row</text>\n", x, y + 4);
}

static void put_distributions(struct svg *s)
{
	double bottom;

	fprintf(s->file, "<text class=\"head\" x=\"%d\" y=\"%g\">From queueing to start</text>\n"
		"<text class=\"head\" x=\"%d\" y=\"%g\">Run time</text>\n", SVG_LEFT, s->top + 14,
		SVG_LEFT + COLUMN + GAP, s->top + 14);
	if (s->shown < s->nr)
		fprintf(s->file, "<text class=\"dim\" x=\"%d\" y=\"%g\">%zu of %zu items</text>\n",
			MARGIN, s->top + 14, s->shown, s->nr);
	s->top += 22;
	bottom = s->top + (double)s->shown * ROW;
	for (size_t i = 0; i < s->shown; i++)
		put_row(s, &s->rows[i], s->top + (double)i * ROW);
	put_column(s, true, SVG_LEFT, bottom);
	put_column(s, false, SVG_LEFT + COLUMN + GAP, bottom);
	put_legend(s, bottom + AXIS + 10);
	s->top = bottom + AXIS + BELOW;
}

static double distributions_height(const struct svg *s)
{
	return 22 + (double)s->shown * ROW + AXIS + BELOW;
}

/* --- the head: what was recorded, and where */

static void kernel_text(const struct recording *recording, char *buf, size_t size)
{
	struct text text = text_in(buf, size);

	text_add(&text, "%.200s%s, %u CPUs, %zu records",
		 json_string(recording->head, "/release"),
		 json_flag(recording->head, "/realtime") ? " PREEMPT_RT" : "", recording->cpus,
		 recording->records.nr);
	if (recording->all_lost)
		text_add(&text, ", %" PRIu64 " more were lost", recording->all_lost);
}

static void command_text(const struct recording *recording, char *buf, size_t size)
{
	json_join(json_object_object_get(recording->head, "command"), " ", buf, size);
}

static double put_head(const struct svg *s, FILE *file)
{
	char command[2048], kernel[512];
	double y;

	command_text(s->recording, command, sizeof(command));
	kernel_text(s->recording, kernel, sizeof(kernel));
	y = svg_wrapped(file, "title", MARGIN, 26, 16, command, TITLE_COLUMNS, TITLE_LINES);
	y = svg_wrapped(file, "dim", MARGIN, y, 12, kernel, 2 * TITLE_COLUMNS, 1);
	return y + 12;
}

/* --- all of it */

static void put_svg(struct svg *s)
{
	double height = put_head(s, NULL) + distributions_height(s) + s->picture.height;

	fprintf(s->file, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" "
		"viewBox=\"0 0 %d %.0f\">\n<style>\n", SVG_WIDTH, height, SVG_WIDTH, height);
	svg_style(s->file);
	picture_colors(&s->picture, s->file, false);
	fputs("</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n", s->file);
	s->top = put_head(s, s->file);
	put_distributions(s);
	fprintf(s->file, "<g transform=\"translate(0,%g)\">\n", s->top);
	picture_put(&s->picture, s->file);
	fputs("</g>\n</svg>\n", s->file);
}

int check_svg(const struct recording *recording, struct error *e)
{
	size_t i = 0;

	while (i < recording->records.nr && recording->records.list[i].kind != BHLAB_EVENT_RUN)
		i++;
	if (i < recording->records.nr)
		return 0;
	return usage(e, "'%s' has no run to draw", recording->path);
}

static void put_page(struct svg *s)
{
	json_object *doc = report_doc(s->recording);
	char command[2048], kernel[512];

	command_text(s->recording, command, sizeof(command));
	kernel_text(s->recording, kernel, sizeof(kernel));
	page_begin(s->file, command);
	fputs("<h1>", s->file);
	svg_escape(s->file, command);
	fputs("</h1>\n<p class=\"dim\">", s->file);
	svg_escape(s->file, kernel);
	fputs("</p>\n<h2>Timeline</h2>\n", s->file);
	page_picture(s->file, &s->picture);
	fprintf(s->file, "<h2>Distributions</h2>\n<figure><svg viewBox=\"0 0 %d %.0f\" "
		"width=\"%d\">\n", SVG_WIDTH, distributions_height(s), SVG_WIDTH);
	put_distributions(s);
	fputs("</svg></figure>\n<h2>Items</h2>\n", s->file);
	report_page_tables(s->file, doc);
	page_end(s->file);
	json_object_put(doc);
}

static void draw(struct svg *s, void (*put)(struct svg *s))
{
	s->picture.clip_from_ns = s->recording->from_ns;
	s->picture.clip_to_ns = s->recording->to_ns;
	make_rows(s);
	picture_make(&s->picture);
	put(s);
	picture_free(&s->picture);
	for (size_t i = 0; i < s->nr; i++)
		times_free(&s->rows[i].times);
	free(s->rows);
}

int report_html(const struct recording *recording, FILE *file, struct error *e)
{
	struct svg s = {
		.recording = recording, .file = file, .history = recording_history(recording),
	};

	s.picture = page_picture_of(&s.history);
	draw(&s, put_page);
	return 0;
}

int report_svg(const struct recording *recording, FILE *file, struct error *e)
{
	struct svg s = {
		.recording = recording, .file = file, .history = recording_history(recording),
	};

	s.picture = (struct picture){ .history = &s.history, .runs_max = RUNS_DRAWN };
	draw(&s, put_svg);
	return 0;
}
