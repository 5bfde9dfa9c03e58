// SPDX-License-Identifier: GPL-2.0-only
/* What a picture shows: which rows, which part of the time, and where they stand. */
#include <stdlib.h>
#include <string.h>

#include "lab/palette.h"
#include "lab/picture_parts.h"
#include "lab/svg.h"

#define ROWS_MAX	40
#define LANES_MAX	64

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

int picture_context(const struct bhlab_event *e)
{
	return e->context & BHLAB_CTX_HARDIRQ ? HARDIRQ :
	       e->context & BHLAB_CTX_SOFTIRQ ? SOFTIRQ : TASK;
}

bool picture_shows(const struct picture *p, const struct bhlab_event *e)
{
	return begin_of(e) <= p->to_ns && e->finished_ns >= p->from_ns;
}

/* --- the rows */

static int by_key(const void *a, const void *b)
{
	const struct picture_row *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

struct picture_row *picture_row_of(const struct picture *p, const struct bhlab_event *e)
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
	struct picture_row *row = picture_row_of(p, e);

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

bool picture_counts(const struct picture *p, const struct bhlab_event *e)
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
		p->runs += picture_counts(p, &records->list[i]);
}

static void choose_part(const struct picture *p, size_t most, uint64_t *from_ns, uint64_t *to_ns)
{
	const struct records *records = p->history->records;
	const struct bhlab_event **runs = xrealloc(NULL, p->runs + 1, sizeof(*runs));
	uint64_t best = UINT64_MAX, margin;
	size_t nr = 0;

	for (size_t i = 0; i < records->nr; i++)
		if (picture_counts(p, &records->list[i]))
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

bool picture_is_part(const struct picture *p)
{
	return p->from_ns > p->base_ns || p->to_ns < p->end_ns;
}

bool picture_has_overview(const struct picture *p)
{
	return p->page || picture_is_part(p);
}

/* --- the lanes of the CPUs */

static int by_lane(const void *a, const void *b)
{
	const struct picture_lane *x = a, *y = b;

	return x->cpu != y->cpu ? (int)x->cpu - (int)y->cpu : x->context - y->context;
}

struct picture_lane *picture_lane_of(const struct picture *p, const struct bhlab_event *e)
{
	for (size_t i = 0; i < p->nr_lanes; i++)
		if (p->lanes[i].cpu == e->cpu && p->lanes[i].context == picture_context(e))
			return &p->lanes[i];
	return NULL;
}

static void add_lane(struct picture *p, const struct bhlab_event *e)
{
	if (picture_lane_of(p, e))
		return;
	p->lanes = xrealloc(p->lanes, p->nr_lanes + 1, sizeof(*p->lanes));
	p->lanes[p->nr_lanes++] = (struct picture_lane){ e->cpu, picture_context(e), 0 };
}

/* --- layout */

static void layout(struct picture *p)
{
	double y = picture_has_overview(p) ? HEAD + OVERVIEW + GAP : 0;

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
	p->height = picture_put_legend(p, NULL, y) + GAP;
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
		if (!picture_shows(p, e))
			continue;
		p->kinds[e->kind & 31] = true;
		if (e->kind != BHLAB_EVENT_RUN)
			continue;
		picture_row_of(p, e)->drawn++;
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
