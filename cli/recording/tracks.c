// SPDX-License-Identifier: GPL-2.0-only
/* Runs, as rows on which they follow or contain each other, but never overlap otherwise. */
#include <linux/bhlab.h>
#include <stdlib.h>

#include "recording/report.h"

/* So many runs at a time are in one context of one CPU only if a file says so on purpose. */
#define LAYERS_MAX 1024

static const char *const context_names[TRACK_CONTEXTS] = { "hardirq", "softirq", "task" };

/* What has begun and not ended in one layer, from the outside to the inside. */
struct layer {
	uint64_t *ends;
	size_t nr, room;
};

struct layers {
	struct layer *list;	/* of one context of one CPU */
	size_t nr;
};

static enum track_context context_of(const struct bhlab_event *event)
{
	return event->context & BHLAB_CTX_HARDIRQ ? TRACK_HARDIRQ :
	       event->context & BHLAB_CTX_SOFTIRQ ? TRACK_SOFTIRQ : TRACK_TASK;
}

/* True if it fits, and then it is in. */
static bool layer_put(struct layer *layer, const struct bhlab_event *event)
{
	while (layer->nr && layer->ends[layer->nr - 1] <= event->started_ns)
		layer->nr--;
	if (layer->nr && layer->ends[layer->nr - 1] < event->finished_ns)
		return false;
	if (layer->nr == layer->room) {
		layer->room = 2 * layer->room + 4;
		layer->ends = xrealloc(layer->ends, layer->room, sizeof(*layer->ends));
	}
	layer->ends[layer->nr++] = event->finished_ns;
	return true;
}

static void layers_grow(struct layers *layers)
{
	layers->list = xrealloc(layers->list, layers->nr + 1, sizeof(*layers->list));
	layers->list[layers->nr++] = (struct layer){ 0 };
}

static int layers_put(struct layers *layers, const struct bhlab_event *event, uint32_t *layer,
		      struct error *e)
{
	for (*layer = 0; *layer < layers->nr; (*layer)++)
		if (layer_put(&layers->list[*layer], event))
			return 0;
	if (*layer == LAYERS_MAX)
		return fail(e, STATUS_USAGE, 0, "more than %u runs overlap on CPU %u", LAYERS_MAX,
			    event->cpu);
	layers_grow(layers);
	layer_put(&layers->list[*layer], event);
	return 0;
}

static void layers_free(struct layers *layers)
{
	for (size_t i = 0; i < layers->nr; i++)
		free(layers->list[i].ends);
	free(layers->list);
	*layers = (struct layers){ 0 };
}

/* --- all of them */

/* Records next to each other that are of one context of one CPU. */
static int by_place(const void *a, const void *b)
{
	const struct bhlab_event *x = *(const void **)a, *y = *(const void **)b;

	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	if (context_of(x) != context_of(y))
		return context_of(x) < context_of(y) ? -1 : 1;
	return x < y ? -1 : x > y;
}

static bool same_place(const struct bhlab_event *x, const struct bhlab_event *y)
{
	return x->cpu == y->cpu && context_of(x) == context_of(y);
}

static void add_tracks(struct tracks *tracks, const struct bhlab_event *event, size_t nr)
{
	tracks->list = xrealloc(tracks->list, tracks->nr + nr, sizeof(*tracks->list));
	for (uint32_t layer = 0; layer < nr; layer++)
		tracks->list[tracks->nr++] = (struct track){ event->cpu, context_of(event), layer };
}

/*
 * Those at one place; what is no run stands on the first of its tracks. Returns how many
 * they were, 0 on failure.
 */
static size_t place(struct tracks *tracks, const struct bhlab_event *first,
		    const struct bhlab_event **sorted, size_t nr, struct error *e)
{
	struct layers layers = { 0 };
	uint32_t layer;
	size_t i;
	int err = 0;

	layers_grow(&layers);
	for (i = 0; !err && i < nr && same_place(sorted[i], sorted[0]); i++) {
		layer = 0;
		if (sorted[i]->kind == BHLAB_EVENT_RUN)
			err = layers_put(&layers, sorted[i], &layer, e);
		tracks->of[sorted[i] - first] = tracks->nr + layer;
	}
	add_tracks(tracks, sorted[0], layers.nr);
	layers_free(&layers);
	return err ? 0 : i;
}

int tracks_make(const struct recording *recording, struct tracks *tracks, struct error *e)
{
	const struct records *records = &recording->records;
	const struct bhlab_event **sorted = xrealloc(NULL, records->nr + 1, sizeof(*sorted));
	size_t done = 1;

	*tracks = (struct tracks){ .of = xrealloc(NULL, records->nr + 1, sizeof(*tracks->of)) };
	for (size_t i = 0; i < records->nr; i++)
		sorted[i] = &records->list[i];
	qsort(sorted, records->nr, sizeof(*sorted), by_place);
	for (size_t i = 0; done && i < records->nr; i += done)
		done = place(tracks, records->list, sorted + i, records->nr - i, e);
	free(sorted);
	return done ? 0 : -1;
}

void tracks_free(struct tracks *tracks)
{
	free(tracks->list);
	free(tracks->of);
}

void track_name(const struct track *track, char *buf, size_t size)
{
	if (track->layer)
		snprintf(buf, size, "%s (%u)", context_names[track->context], track->layer + 1);
	else
		snprintf(buf, size, "%s", context_names[track->context]);
}
