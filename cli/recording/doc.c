// SPDX-License-Identifier: GPL-2.0-only
/* report: what was recorded, as a document. */
#include <json.h>
#include <stdlib.h>
#include <string.h>

#include "base/out.h"
#include "recording/report.h"
#include "base/words.h"

/* --- groups */

/* Only the runs of an irq have two stages; what else happens to it is about its line. */
static bool of_thread(const struct bhlab_event *event)
{
	return event->stage == BHLAB_STAGE_THREAD;
}

struct order {
	const struct recording *recording;
	enum grouping grouping;
};

static uint64_t key_of(const struct order *order, const struct bhlab_event *event)
{
	uint64_t who = event->item;

	if (order->grouping == BY_MECH)
		who = 2U * event->mech + recording_on_bh(order->recording, event);
	return 2 * who + of_thread(event);
}

/* What has the same key stays in the order in which it was, by start. */
static int by_key(const void *a, const void *b, void *order)
{
	const struct bhlab_event *x = *(const void **)a, *y = *(const void **)b;
	uint64_t key = key_of(order, x), other = key_of(order, y);

	if (key != other)
		return key < other ? -1 : 1;
	return x < y ? -1 : x > y;
}

const struct bhlab_event **groups_sort(const struct recording *recording, enum grouping grouping)
{
	const struct records *records = &recording->records;
	const struct bhlab_event **sorted = xrealloc(NULL, records->nr + 1, sizeof(*sorted));
	struct order order = { recording, grouping };

	for (size_t i = 0; i < records->nr; i++)
		sorted[i] = &records->list[i];
	qsort_r(sorted, records->nr, sizeof(*sorted), by_key, &order);
	return sorted;
}

struct group group_at(const struct recording *recording, enum grouping grouping,
		      const struct bhlab_event **sorted, size_t from)
{
	struct group group = { .list = sorted + from };
	struct order order = { recording, grouping };

	while (from + group.nr < recording->records.nr &&
	       key_of(&order, group.list[group.nr]) == key_of(&order, group.list[0]))
		group.nr++;
	return group;
}

void mech_label(const struct recording *recording, const struct bhlab_event *event, char *buf,
		size_t size)
{
	snprintf(buf, size, "%s%s", recording_mech(recording, event),
		 of_thread(event) ? "/thread" : "");
}

/* --- times */

void times_free(struct times *times)
{
	hist_free(times->queue_to_start);
	hist_free(times->run_time);
}

struct times group_times(const struct group *group)
{
	struct times times = { hist_new(1, 0), hist_new(1, 0) };

	for (size_t i = 0; i < group->nr; i++) {
		const struct bhlab_event *event = group->list[i];

		if (event->kind != BHLAB_EVENT_RUN)
			continue;
		if (event->queued_ns)
			hist_add(times.queue_to_start, event->started_ns - event->queued_ns);
		hist_add(times.run_time, event->finished_ns - event->started_ns);
	}
	return times;
}

static json_object *times_json(const struct hist *hist)
{
	json_object *doc = json_object_new_object();

	json_add_number(doc, "count", hist->nr);
	hist_json(doc, hist, HIST_TO_P99);
	return doc;
}

/* --- rows */

struct counts {
	uint64_t placed, cross, skipped, dropped;
	uint64_t kinds[BHLAB_EVENT_DROPPED + 1];
};

static struct counts count(const struct group *group)
{
	struct counts c = { 0 };

	for (size_t i = 0; i < group->nr; i++) {
		const struct bhlab_event *event = group->list[i];

		c.kinds[event->kind]++;
		if (event->kind == BHLAB_EVENT_DROPPED)
			c.dropped += event->value;
		if (event->kind != BHLAB_EVENT_RUN)
			continue;
		c.skipped += event->skipped;
		c.placed += event->queue_cpu != BHLAB_CPU_NONE;
		c.cross += event->queue_cpu != BHLAB_CPU_NONE && event->queue_cpu != event->cpu;
	}
	return c;
}

static void add_counts(json_object *row, const struct counts *c)
{
	json_add_number(row, "runs", c->kinds[BHLAB_EVENT_RUN]);
	json_add_number(row, "coalesced", c->kinds[BHLAB_EVENT_COALESCED]);
	json_add_number(row, "cancelled", c->kinds[BHLAB_EVENT_CANCELLED]);
	json_add_number(row, "marks", c->kinds[BHLAB_EVENT_MARK]);
	json_add_number(row, "dropped", c->dropped);
	json_add_number(row, "skipped_steps", c->skipped);
	json_add_number(row, "cross_cpu", c->cross);
	json_add(row, "cross_cpu_share",
		 c->placed ? json_object_new_double((double)c->cross / (double)c->placed) : NULL);
}

static void add_times(json_object *row, const struct group *group)
{
	struct times times = group_times(group);

	json_add(row, "queue_to_start", times_json(times.queue_to_start));
	json_add(row, "run_time", times_json(times.run_time));
	times_free(&times);
}

/* By what the driver has counted; none is known of an item that was gone in the end. */
static json_object *lost_json(const struct recorded_item *item, bool thread, uint64_t runs)
{
	uint64_t all = item && item->counted ? thread ? item->thread_runs : item->runs : 0;

	if (!item || !item->counted || all < runs)
		return NULL;
	return json_object_new_uint64(all - runs);
}

static json_object *row_json(const struct recording *recording, enum grouping grouping,
			     const struct group *group)
{
	const struct bhlab_event *event = group->list[0];
	json_object *row = json_object_new_object();
	struct counts counts = count(group);
	char name[BHLAB_NAME_LEN];

	if (grouping == BY_ITEM) {
		json_add_text(row, "item", recording_name(recording, event->item, name));
		json_add_number(row, "id", event->item);
	}
	json_add_text(row, "mechanism", recording_mech(recording, event));
	json_add_text(row, "stage", of_thread(event) ? "thread" : "main");
	add_counts(row, &counts);
	if (grouping == BY_ITEM)
		json_add(row, "lost",
			 lost_json(recording_item(recording, event->item), of_thread(event),
				   counts.kinds[BHLAB_EVENT_RUN]));
	add_times(row, group);
	return row;
}

static json_object *rows_json(const struct recording *recording, enum grouping grouping)
{
	const struct bhlab_event **sorted = groups_sort(recording, grouping);
	json_object *rows = json_object_new_array();
	struct group group;

	for (size_t i = 0; i < recording->records.nr; i += group.nr) {
		group = group_at(recording, grouping, sorted, i);
		json_object_array_add(rows, row_json(recording, grouping, &group));
	}
	free(sorted);
	return rows;
}

/* --- for pictures and timelines */

static const char *item_name(const void *who, uint32_t id, char buf[BHLAB_NAME_LEN])
{
	return recording_name(who, id, buf);
}

static const char *item_mech(const void *who, const struct bhlab_event *event)
{
	return recording_mech(who, event);
}

struct history recording_history(const struct recording *recording)
{
	return (struct history){
		.records = &recording->records, .name = item_name, .mech = item_mech,
		.who = recording, .base_ns = recording->base_ns,
	};
}

/* --- the document */

/* A text of the file may do nothing to a terminal. */
static void add_head(json_object *doc, json_object *head, const char *key)
{
	json_add(doc, key, json_text(json_object_get_string(json_object_object_get(head, key))));
}

static json_object *command_json(json_object *words)
{
	json_object *clean = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(words); i++)
		json_object_array_add(clean, json_text(json_object_get_string(
						     json_object_array_get_idx(words, i))));
	return clean;
}

static json_object *lost_by_cpu(const struct recording *recording)
{
	json_object *all = json_object_new_array();

	for (uint32_t cpu = 0; cpu < recording->cpus; cpu++)
		json_object_array_add(all, json_object_new_uint64(recording->lost[cpu]));
	return all;
}

static uint64_t took_ns(const struct recording *recording)
{
	const struct records *records = &recording->records;
	uint64_t end = 0;

	for (size_t i = 0; i < records->nr; i++)
		end = records->list[i].finished_ns > end ? records->list[i].finished_ns : end;
	return records->nr ? end - records->list[0].started_ns : 0;
}

static void add_end(json_object *doc, const struct recording *recording)
{
	json_object *end = recording->end;

	json_add_bool(doc, "complete", end);
	json_add(doc, "status",
		 end ? json_object_get(json_object_object_get(end, "status")) : NULL);
	json_add(doc, "at_rest",
		 end ? json_object_get(json_object_object_get(end, "at_rest")) : NULL);
	json_add(doc, "interrupted",
		 end ? json_object_get(json_object_object_get(end, "interrupted")) : NULL);
}

json_object *report_doc(const struct recording *recording)
{
	json_object *doc = json_object_new_object(), *head = recording->head;

	json_add(doc, "file", json_text(recording->path));
	json_add(doc, "command", command_json(json_object_object_get(head, "command")));
	add_head(doc, head, "release");
	add_head(doc, head, "version");
	json_add_bool(doc, "realtime", json_flag(head, "/realtime"));
	json_add_number(doc, "cpus", recording->cpus);
	add_end(doc, recording);
	json_add_number(doc, "took_ns", took_ns(recording));
	json_add_number(doc, "records", recording->records.nr);
	json_add_number(doc, "lost", recording->all_lost);
	json_add(doc, "lost_by_cpu", lost_by_cpu(recording));
	json_add(doc, "items", rows_json(recording, BY_ITEM));
	json_add(doc, "mechanisms", rows_json(recording, BY_MECH));
	return doc;
}
