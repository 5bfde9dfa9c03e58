// SPDX-License-Identifier: GPL-2.0-only
/* A picture of what was recorded: time goes down, each CPU has a lane. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lab/timeline.h"
#include "base/parse.h"
#include "base/text.h"

#define TIME_WIDTH	9
#define LANE_MIN	16
#define SLOTS		4	/* runs at a time on one CPU: an interrupt in a softirq in a task */
#define ROWS_FIRST	40	/* of a long history only the beginning and the end are printed */
#define ROWS_LAST	20

struct lane {
	uint32_t cpu;
	const struct bhlab_event *running[SLOTS];
};

struct picture {
	const struct timeline *timeline;
	const struct history *history;
	struct row *rows;
	size_t nr, room;
	struct lane *lanes;
	size_t nr_lanes;
	int lane_width;
	bool narrow;		/* too many CPUs: one lane for all, which names them */
	uint64_t long_ns;	/* a gap is marked from there on; 0: none */
	bool marked;		/* there was one */
};

/* --- rows */

static void add_row(struct picture *p, struct row row)
{
	if (p->nr == p->room) {
		p->room = 2 * p->room + 64;
		p->rows = xrealloc(p->rows, p->room, sizeof(*p->rows));
	}
	p->rows[p->nr++] = row;
}

static void add_event(struct picture *p, const struct bhlab_event *e)
{
	bool activated = e->kind == BHLAB_EVENT_RUN || e->kind == BHLAB_EVENT_CANCELLED;

	if (activated && e->queue_cpu != BHLAB_CPU_NONE && e->queued_ns)
		add_row(p, (struct row){ e->queued_ns, ROW_QUEUED, e->queue_cpu, e, NULL, false });
	if (e->kind == BHLAB_EVENT_RUN) {
		add_row(p, (struct row){ e->started_ns, ROW_START, e->cpu, e, NULL, false });
		add_row(p, (struct row){ e->finished_ns, ROW_END, e->cpu, e, NULL, false });
	} else if (e->kind != BHLAB_EVENT_QUEUED) {
		add_row(p, (struct row){ e->started_ns, ROW_OTHER, e->cpu, e, NULL, false });
	}
}

static int by_time(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	return (int)x->kind - (int)y->kind;
}

/* A start that is followed by its own end takes one row. */
static void join_rows(struct picture *p)
{
	size_t to = 0;

	for (size_t i = 0; i < p->nr; i++) {
		p->rows[to] = p->rows[i];
		if (p->rows[i].kind == ROW_START && i + 1 < p->nr &&
		    p->rows[i + 1].kind == ROW_END && p->rows[i + 1].event == p->rows[i].event) {
			p->rows[to].whole = true;
			i++;
		}
		to++;
	}
	p->nr = to;
}

static void make_rows(struct picture *p)
{
	const struct history *history = p->history;

	for (size_t i = 0; i < history->records->nr; i++)
		add_event(p, &history->records->list[i]);
	for (size_t i = 0; history->executed && i < history->executed->nr; i++) {
		const struct executed *executed = history->executed->at[i];

		add_row(p, (struct row){ executed->at_ns, ROW_COMMAND, 0, NULL, executed, false });
	}
	if (p->nr)
		qsort(p->rows, p->nr, sizeof(*p->rows), by_time);
	join_rows(p);
}

/* --- gaps: lines are not to scale, so what is long must be said */

#define GAP_OF_ALL	10	/* a tenth of the whole */
#define GAP_OF_USUAL	10	/* times the median */

static int by_size(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static uint64_t gap_after(const struct row *row)
{
	uint64_t end = row->whole ? row->event->finished_ns : row->ns;

	return row[1].ns > end ? row[1].ns - end : 0;
}

static void find_long(struct picture *p)
{
	size_t nr = p->nr > 1 ? p->nr - 1 : 0;
	uint64_t *gaps = xrealloc(NULL, nr + 1, sizeof(*gaps)), all, usual;

	for (size_t i = 0; i < nr; i++)
		gaps[i] = gap_after(&p->rows[i]);
	if (nr) {
		all = p->rows[nr].ns - p->rows[0].ns;
		qsort(gaps, nr, sizeof(*gaps), by_size);
		usual = gaps[nr / 2] * GAP_OF_USUAL;
		p->long_ns = usual > all / GAP_OF_ALL ? usual : all / GAP_OF_ALL;
	}
	free(gaps);
}

/* --- lanes */

static struct lane *lane_of(struct picture *p, uint32_t cpu)
{
	for (size_t i = 0; i < p->nr_lanes; i++)
		if (p->lanes[i].cpu == cpu || p->narrow)
			return &p->lanes[i];
	return NULL;
}

static int by_cpu(const void *a, const void *b)
{
	const struct lane *x = a, *y = b;

	return (int)x->cpu - (int)y->cpu;
}

static void make_lanes(struct picture *p)
{
	int room = p->timeline->width - (int)strlen(p->timeline->prefix) - TIME_WIDTH - 1;

	for (size_t i = 0; i < p->nr; i++) {
		if (p->rows[i].kind == ROW_COMMAND || lane_of(p, p->rows[i].cpu))
			continue;
		p->lanes = xrealloc(p->lanes, p->nr_lanes + 1, sizeof(*p->lanes));
		p->lanes[p->nr_lanes++] = (struct lane){ .cpu = p->rows[i].cpu };
	}
	if (p->nr_lanes)
		qsort(p->lanes, p->nr_lanes, sizeof(*p->lanes), by_cpu);
	p->narrow = p->nr_lanes > 1 && room / (int)p->nr_lanes < LANE_MIN;
	if (p->narrow)
		p->nr_lanes = 1;
	p->lane_width = p->nr_lanes ? room / (int)p->nr_lanes : room;
}

static void lane_start(struct lane *lane, const struct bhlab_event *event)
{
	for (size_t i = 0; i < SLOTS; i++) {
		if (lane->running[i])
			continue;
		lane->running[i] = event;
		return;
	}
}

static void lane_end(struct lane *lane, const struct bhlab_event *event)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (lane->running[i] == event)
			lane->running[i] = NULL;
}

/* --- signs of the context: a letter where it starts, a shade while it lasts */

static const struct sign {
	uint32_t context;
	char letter;
	const char *shade, *utf8, *color, *name;
} signs[] = {
	{ BHLAB_CTX_HARDIRQ, 'H', "#", "▓", "\033[31m", "hardirq" },
	{ BHLAB_CTX_KSOFTIRQD, 'K', ":", "▒", "\033[35m", "softirq in ksoftirqd" },
	{ BHLAB_CTX_SOFTIRQ, 'S', ":", "▒", "\033[33m", "softirq" },
	{ BHLAB_CTX_TASK, 'T', ".", "░", "\033[32m", "task" },
};

static const struct sign *sign_of(const struct bhlab_event *event)
{
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		if (event->context & signs[i].context)
			return &signs[i];
	return &signs[ARRAY_SIZE(signs) - 1];
}

/* --- a line, of which the columns are counted and not the bytes */

struct cells {
	char text[1024];
	size_t len;
	int columns;
};

static void put(struct cells *c, const char *text, int columns)
{
	size_t len = strlen(text);

	if (c->len + len >= sizeof(c->text))
		return;
	memcpy(c->text + c->len, text, len + 1);
	c->len += len;
	c->columns += columns;
}

/* ASCII, as much of it as there is room for. */
static void put_text(struct cells *c, const char *text, int room)
{
	char part[512];

	snprintf(part, sizeof(part), "%.*s", room < 0 ? 0 : room, text);
	put(c, part, (int)strlen(part));
}

static void put_spaces(struct cells *c, int column)
{
	while (c->columns < column && c->len + 2 < sizeof(c->text))
		put(c, " ", 1);
}

static void put_sign(struct picture *p, struct cells *c, const struct bhlab_event *event,
		     bool starts)
{
	const struct sign *sign = sign_of(event);
	char letter[2] = { sign->letter };

	if (p->timeline->color)
		put(c, sign->color, 0);
	put(c, starts ? letter : p->timeline->utf8 ? sign->utf8 : sign->shade, 1);
	if (p->timeline->color)
		put(c, "\033[0m", 0);
}

/* --- printing */

static void print_cells(const struct picture *p, struct cells *c)
{
	while (c->len && c->text[c->len - 1] == ' ')
		c->text[--c->len] = '\0';
	fprintf(p->timeline->file, "%s%s\n", p->timeline->prefix, c->text);
}

static void put_time(const struct picture *p, struct cells *c, uint64_t ns)
{
	uint64_t base = p->history->base_ns ? p->history->base_ns : p->rows[0].ns;
	uint64_t us = ns > base ? (ns - base) / 1000 : 0;
	char text[40];

	snprintf(text, sizeof(text), "%*" PRIu64 ".%03" PRIu64 " ", TIME_WIDTH - 4, us / 1000,
		 us % 1000);
	put(c, text, TIME_WIDTH + 1);
}

static void print_command(struct picture *p, const struct row *row)
{
	const struct executed *executed = row->executed;
	struct cells c = { 0 };
	char text[800];
	int room = p->timeline->width - (int)strlen(p->timeline->prefix) - TIME_WIDTH - 1;

	put_time(p, &c, row->ns);
	snprintf(text, sizeof(text), "$ %s%s%s", executed->text, *executed->answer ? " -> " : "",
		 executed->answer);
	if (p->timeline->color)
		put(&c, "\033[1m", 0);
	put_text(&c, text, room);
	if (p->timeline->color)
		put(&c, "\033[0m", 0);
	print_cells(p, &c);
}

/* The bars of what runs in this lane, of which @starts starts; how many columns they take. */
static size_t put_bars(struct picture *p, struct cells *c, const struct lane *lane,
		       const struct bhlab_event *starts)
{
	size_t slots = 0;

	for (size_t i = 0; i < SLOTS; i++)
		slots = lane->running[i] ? i + 1 : slots;
	for (size_t i = 0; i < slots; i++) {
		if (lane->running[i])
			put_sign(p, c, lane->running[i], lane->running[i] == starts);
		else
			put(c, " ", 1);
	}
	return slots;
}

/* The bars, and for the lane of the row what happens. */
static void put_lane(struct picture *p, struct cells *c, const struct lane *lane,
		     const struct row *row, int end)
{
	char text[256], buf[300];
	struct text label = text_in(buf, sizeof(buf));
	bool here = p->narrow || lane->cpu == row->cpu;
	size_t slots = put_bars(p, c, lane, row->kind == ROW_START ? row->event : NULL);

	if (!here)
		return;
	put(c, slots ? " " : "  ", slots ? 1 : 2);
	row_text(p->history, row, text, sizeof(text));
	if (p->narrow)
		text_add(&label, "CPU %u: ", row->cpu);
	text_add(&label, "%s", text);
	put_text(c, buf, end - c->columns - 1);
}

static void print_event(struct picture *p, const struct row *row)
{
	struct cells c = { 0 };

	put_time(p, &c, row->ns);
	for (size_t i = 0; i < p->nr_lanes; i++) {
		int end = TIME_WIDTH + 1 + (int)(i + 1) * p->lane_width;

		put_spaces(&c, end - p->lane_width);
		put_lane(p, &c, &p->lanes[i], row, end);
	}
	print_cells(p, &c);
}

/* The time that passes, and what goes on meanwhile. */
static void print_gap(struct picture *p, uint64_t ns)
{
	struct cells c = { 0 };
	char period[32], text[40];

	period_round(ns, period, sizeof(period));
	snprintf(text, sizeof(text), "+%s", period);
	put_spaces(&c, TIME_WIDTH - (int)strlen(text));
	put_text(&c, text, TIME_WIDTH);
	for (size_t i = 0; i < p->nr_lanes; i++) {
		put_spaces(&c, TIME_WIDTH + 1 + (int)i * p->lane_width);
		put_bars(p, &c, &p->lanes[i], NULL);
	}
	print_cells(p, &c);
	p->marked = true;
}

static void print_row(struct picture *p, size_t i)
{
	uint64_t gap = i ? gap_after(&p->rows[i - 1]) : 0;
	const struct row *row = &p->rows[i];
	bool hidden =
		p->nr > ROWS_FIRST + ROWS_LAST + 1 && i >= ROWS_FIRST && i < p->nr - ROWS_LAST;
	struct lane *lane = row->kind == ROW_COMMAND ? NULL : lane_of(p, row->cpu);

	if (!hidden && gap && gap >= p->long_ns)
		print_gap(p, gap);
	if (row->kind == ROW_START)
		lane_start(lane, row->event);
	if (hidden && i == ROWS_FIRST)
		fprintf(p->timeline->file, "%s%*s %zu more\n", p->timeline->prefix, TIME_WIDTH,
			"...", p->nr - ROWS_FIRST - ROWS_LAST);
	else if (!hidden && row->kind == ROW_COMMAND)
		print_command(p, row);
	else if (!hidden)
		print_event(p, row);
	if (row->kind == ROW_END || row->whole)
		lane_end(lane, row->event);
}

static void print_heads(struct picture *p)
{
	struct cells c = { 0 };
	char text[32];

	snprintf(text, sizeof(text), "%*s", TIME_WIDTH, "ms");
	put_text(&c, text, TIME_WIDTH);
	for (size_t i = 0; i < p->nr_lanes; i++) {
		put_spaces(&c, TIME_WIDTH + 1 + (int)i * p->lane_width);
		snprintf(text, sizeof(text), "CPU %u", p->lanes[i].cpu);
		put_text(&c, p->narrow ? "all CPUs" : text, p->lane_width);
	}
	print_cells(p, &c);
}

static bool occurs(const struct picture *p, const struct sign *sign)
{
	for (size_t i = 0; i < p->nr; i++)
		if (p->rows[i].kind == ROW_START && sign_of(p->rows[i].event) == sign)
			return true;
	return false;
}

static void print_legend(struct picture *p)
{
	struct cells c = { 0 };

	put_spaces(&c, TIME_WIDTH + 1);
	for (size_t i = ARRAY_SIZE(signs); i--;) {
		struct bhlab_event event = { .context = signs[i].context };

		if (!occurs(p, &signs[i]))
			continue;
		put_sign(p, &c, &event, true);
		put_sign(p, &c, &event, false);
		put(&c, " ", 1);
		put_text(&c, signs[i].name, 40);
		put(&c, "   ", 3);
	}
	print_cells(p, &c);
}

static void print_scale(struct picture *p)
{
	struct cells c = { 0 };

	put_spaces(&c, TIME_WIDTH + 1);
	put_text(&c, "not to scale", 40);
	if (p->marked)
		put_text(&c, "; at a + so much time passes", 40);
	print_cells(p, &c);
}

void timeline_print(const struct timeline *timeline, const struct history *history)
{
	struct picture p = { .timeline = timeline, .history = history };

	make_rows(&p);
	make_lanes(&p);
	find_long(&p);
	if (p.nr) {
		print_heads(&p);
		for (size_t i = 0; i < p.nr; i++)
			print_row(&p, i);
		if (p.nr_lanes)
			print_legend(&p);
		print_scale(&p);
	}
	free(p.rows);
	free(p.lanes);
}
