// SPDX-License-Identifier: GPL-2.0-only
/*
 * report: a trace as Chrome's and Perfetto's viewers read it. Each CPU is a
 * process there, with a thread for each context, and one on which activations
 * are queued; arrows lead from there to the runs.
 */
#include <inttypes.h>
#include <json.h>
#include <stdlib.h>
#include <string.h>

#include "lab/event_row.h"
#include "recording/report.h"
#include "base/words.h"

/* Above all numbers of processes: a thread with the number of one would be its main thread. */
#define TID_FIRST	10000
/* How long queueing is drawn, if there is so much room: it takes no time. */
#define QUEUE_NS	1000

enum mark { QUEUE_SLICE, FLOW_START, RUN_SLICE, FLOW_END, INSTANT };

struct entry {
	uint64_t ns;
	enum mark mark;
	uint32_t duration;	/* QUEUE_SLICE */
	const struct bhlab_event *event;
};

struct trace {
	FILE *file;
	const struct recording *recording;
	struct tracks tracks;
	struct entry *entries;
	size_t nr;
	const char *separator;	/* what the next event is to begin with */
};

/* --- entries, by time */

static void add(struct trace *t, uint64_t ns, enum mark mark, const struct bhlab_event *event)
{
	t->entries[t->nr++] = (struct entry){ .ns = ns, .mark = mark, .event = event };
}

/* An activation that is known to be queued somewhere. */
static bool was_queued(const struct bhlab_event *event)
{
	return event->kind == BHLAB_EVENT_RUN && event->queued_ns &&
	       event->queue_cpu != BHLAB_CPU_NONE;
}

static void add_event(struct trace *t, const struct bhlab_event *event)
{
	if (was_queued(event)) {
		add(t, event->queued_ns, QUEUE_SLICE, event);
		add(t, event->queued_ns, FLOW_START, event);
		add(t, event->started_ns, FLOW_END, event);
	}
	add(t, event->started_ns, event->kind == BHLAB_EVENT_RUN ? RUN_SLICE : INSTANT, event);
}

/* A run that contains another one comes before it. */
static int by_time(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	if (x->mark != y->mark)
		return (int)x->mark - (int)y->mark;
	return x->event < y->event ? -1 : x->event > y->event;
}

/*
 * From the last one back: queueing ends halfway to the next one on its CPU, so
 * that they do not cut each other, even where a viewer adds microseconds in
 * floating point. Those of one moment are equally long.
 */
static void set_durations(struct trace *t)
{
	struct {
		uint64_t ns;
		uint32_t duration;
	} *next = xrealloc(NULL, t->recording->cpus, sizeof(*next));

	for (uint32_t cpu = 0; cpu < t->recording->cpus; cpu++)
		next[cpu].ns = UINT64_MAX;
	for (size_t i = t->nr; i--;) {
		struct entry *entry = &t->entries[i];
		uint16_t cpu = entry->event->queue_cpu;

		if (entry->mark != QUEUE_SLICE)
			continue;
		if (entry->ns != next[cpu].ns) {
			uint64_t room = next[cpu].ns - entry->ns;

			next[cpu].ns = entry->ns;
			next[cpu].duration =
				room < 2 * QUEUE_NS ? (uint32_t)(room + 1) / 2 : QUEUE_NS;
		}
		entry->duration = next[cpu].duration;
	}
	free(next);
}

static void make_entries(struct trace *t)
{
	const struct records *records = &t->recording->records;

	t->entries = xrealloc(NULL, 4 * records->nr + 1, sizeof(*t->entries));
	for (size_t i = 0; i < records->nr; i++)
		add_event(t, &records->list[i]);
	qsort(t->entries, t->nr, sizeof(*t->entries), by_time);
	set_durations(t);
}

/* --- where they stand */

static uint32_t pid_of(uint32_t cpu)
{
	return cpu + 1;
}

static size_t track_tid(const struct trace *t, size_t track)
{
	return TID_FIRST + t->recording->cpus + track;
}

static size_t tid_of(const struct trace *t, const struct bhlab_event *event)
{
	return track_tid(t, t->tracks.of[event - t->recording->records.list]);
}

static size_t queue_tid(uint32_t cpu)
{
	return TID_FIRST + cpu;
}

/* --- events */

static json_object *event_new(const char *phase, const char *name, uint32_t pid, size_t tid)
{
	json_object *doc = json_object_new_object();

	json_add_text(doc, "ph", phase);
	json_add(doc, "name", json_text(name));
	json_add_number(doc, "pid", pid);
	json_add_number(doc, "tid", tid);
	return doc;
}

/* Microseconds, exactly. */
static void add_us(json_object *doc, const char *key, uint64_t ns)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64 ".%03" PRIu64, ns / 1000, ns % 1000);
	json_add(doc, key, json_object_new_double_s((double)ns / 1000, text));
}

static void put(struct trace *t, json_object *doc)
{
	fprintf(t->file, "%s%s", t->separator,
		json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN |
							    JSON_C_TO_STRING_NOSLASHESCAPE));
	t->separator = ",\n";
	json_object_put(doc);
}

static void put_name(struct trace *t, const char *what, uint32_t pid, size_t tid, const char *name,
		     size_t order)
{
	char kind[32];
	json_object *doc, *args = json_object_new_object();

	snprintf(kind, sizeof(kind), "%s_name", what);
	doc = event_new("M", kind, pid, tid);
	json_add_text(args, "name", name);
	json_add(doc, "args", args);
	put(t, doc);
	snprintf(kind, sizeof(kind), "%s_sort_index", what);
	doc = event_new("M", kind, pid, tid);
	args = json_object_new_object();
	json_add_number(args, "sort_index", order);
	json_add(doc, "args", args);
	put(t, doc);
}

/* The CPUs on which something happened, and those on which something was queued. */
static void put_cpus(struct trace *t)
{
	const struct records *records = &t->recording->records;
	bool (*used)[2] = xrealloc(NULL, t->recording->cpus, sizeof(*used));
	char name[32];

	memset(used, 0, t->recording->cpus * sizeof(*used));
	for (size_t i = 0; i < records->nr; i++) {
		used[records->list[i].cpu][0] = true;
		if (was_queued(&records->list[i]))
			used[records->list[i].queue_cpu][1] = true;
	}
	for (uint32_t cpu = 0; cpu < t->recording->cpus; cpu++) {
		snprintf(name, sizeof(name), "CPU %u", cpu);
		if (used[cpu][0] || used[cpu][1])
			put_name(t, "process", pid_of(cpu), pid_of(cpu), name, cpu);
		if (used[cpu][1])
			put_name(t, "thread", pid_of(cpu), queue_tid(cpu), "queueing", 0);
	}
	free(used);
}

static void put_tracks(struct trace *t)
{
	char name[32];

	for (size_t i = 0; i < t->tracks.nr; i++) {
		track_name(&t->tracks.list[i], name, sizeof(name));
		put_name(t, "thread", pid_of(t->tracks.list[i].cpu), track_tid(t, i), name, i + 1);
	}
}

static void event_name(const struct trace *t, const struct bhlab_event *event, char *buf,
		       size_t size)
{
	char own[BHLAB_NAME_LEN];
	const char *name = recording_name(t->recording, event->item, own);

	if (event->kind != BHLAB_EVENT_RUN)
		snprintf(buf, size, "%s %s", name, word_name(&kind_words, event->kind));
	else
		snprintf(buf, size, "%s%s", name,
			 event->stage == BHLAB_STAGE_THREAD ? "/thread" : "");
}

static json_object *args_of(const struct trace *t, const struct bhlab_event *event)
{
	char name[BHLAB_NAME_LEN];

	return event_json(event, recording_name(t->recording, event->item, name),
			  recording_mech(t->recording, event));
}

static void put_entry(struct trace *t, const struct entry *entry)
{
	static const char *const phases[] = { "X", "s", "X", "f", "i" };
	const struct bhlab_event *event = entry->event;
	bool queue = entry->mark == QUEUE_SLICE || entry->mark == FLOW_START;
	uint32_t cpu = queue ? event->queue_cpu : event->cpu;
	char name[64];
	json_object *doc;

	event_name(t, event, name, sizeof(name));
	doc = event_new(phases[entry->mark], name, pid_of(cpu),
			queue ? queue_tid(cpu) : tid_of(t, event));
	json_add_text(doc, "cat",
		      queue || entry->mark == FLOW_END ? "queue" :
							 recording_mech(t->recording, event));
	add_us(doc, "ts", entry->ns);
	if (entry->mark == QUEUE_SLICE)
		add_us(doc, "dur", entry->duration);
	if (entry->mark == RUN_SLICE)
		add_us(doc, "dur", event->finished_ns - event->started_ns);
	if (entry->mark == FLOW_START || entry->mark == FLOW_END)
		json_add_number(doc, "id", event - t->recording->records.list + 1);
	if (entry->mark == FLOW_END)
		json_add_text(doc, "bp", "e");
	if (entry->mark == INSTANT)
		json_add_text(doc, "s", "t");
	if (entry->mark == RUN_SLICE || entry->mark == INSTANT)
		json_add(doc, "args", args_of(t, event));
	put(t, doc);
}

/* --- the file */

static void put_other(struct trace *t)
{
	json_object *doc = json_object_new_object(), *head = t->recording->head;

	json_add_text(doc, "clock", "CLOCK_MONOTONIC");
	json_add(doc, "release", json_text(json_string(head, "/release")));
	json_add(doc, "version", json_text(json_string(head, "/version")));
	json_add_number(doc, "lost", t->recording->all_lost);
	fprintf(t->file, "\n],\"otherData\":%s}\n",
		json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN));
	json_object_put(doc);
}

int report_perfetto(const struct recording *recording, FILE *file, struct error *e)
{
	struct trace t = { .file = file, .recording = recording, .separator = "\n" };
	int err = tracks_make(recording, &t.tracks, e);

	if (!err) {
		make_entries(&t);
		fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", file);
		put_cpus(&t);
		put_tracks(&t);
		for (size_t i = 0; i < t.nr; i++)
			put_entry(&t, &t.entries[i]);
		put_other(&t);
	}
	free(t.entries);
	tracks_free(&t.tracks);
	return err;
}
