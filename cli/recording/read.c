// SPDX-License-Identifier: GPL-2.0-only
/*
 * Recordings: reading them. The sums find what went wrong by chance; nothing is
 * believed that a file could say on purpose, either.
 */
#include <errno.h>
#include <inttypes.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/out.h"
#include "base/parse.h"
#include "recording/recording.h"
#include "base/words.h"

struct reading {
	struct recording *recording;
	FILE *file;
	uint64_t at;		/* where the chunk began */
	struct chunk chunk;
	char *bytes;		/* its; one more is 0 */
	struct error *error;
};

static int damaged(struct reading *r, const char *what)
{
	return fail(r->error, STATUS_USAGE, 0, "'%s' is damaged: the chunk at byte %" PRIu64 " %s",
		    r->recording->path, r->at, what);
}

static int unreadable(struct reading *r)
{
	return fail(r->error, STATUS_USAGE, errno, "cannot read '%s': %s", r->recording->path,
		    strerror(errno));
}

/* --- JSON, of the right types */

/* False if there is none, or not one from 0 to @max. */
static bool get_number(json_object *doc, const char *key, uint64_t max, uint64_t *number)
{
	json_object *value = json_get(doc, key, json_type_int);

	if (!value || json_object_get_int64(value) < 0)
		return false;
	*number = json_object_get_uint64(value);
	return *number <= max;
}

/* Of an item or a mechanism. */
static bool get_name(json_object *value, char name[BHLAB_NAME_LEN])
{
	struct error e;

	if (!json_object_is_type(value, json_type_string) ||
	    parse_name(json_object_get_string(value), &e))
		return false;
	snprintf(name, BHLAB_NAME_LEN, "%s", json_object_get_string(value));
	return true;
}

static json_object *parse_json(struct reading *r)
{
	json_tokener *tokener = json_tokener_new();
	json_object *doc;

	if (!tokener)
		return NULL;
	doc = json_tokener_parse_ex(tokener, r->bytes, (int)r->chunk.length + 1);
	json_tokener_free(tokener);
	if (json_object_is_type(doc, json_type_object))
		return doc;
	json_object_put(doc);
	return NULL;
}

/* --- chunks */

static int read_mechs(struct recording *recording, json_object *names)
{
	size_t nr = names ? json_object_array_length(names) : 0;

	if (!nr || nr > UINT8_MAX)
		return -1;
	recording->mechs = xrealloc(NULL, nr, sizeof(*recording->mechs));
	for (; recording->nr_mechs < nr; recording->nr_mechs++)
		if (!get_name(json_object_array_get_idx(names, recording->nr_mechs),
			      recording->mechs[recording->nr_mechs]))
			return -1;
	return 0;
}

static bool all_strings(json_object *array)
{
	for (size_t i = 0; array && i < json_object_array_length(array); i++)
		if (!json_object_is_type(json_object_array_get_idx(array, i), json_type_string))
			return false;
	return array;
}

static int read_head(struct reading *r, json_object *doc)
{
	struct recording *recording = r->recording;
	uint64_t cpus;

	if (recording->head)
		return damaged(r, "is a second head");
	if (!all_strings(json_get(doc, "command", json_type_array)) ||
	    !json_get(doc, "release", json_type_string) ||
	    !json_get(doc, "version", json_type_string) ||
	    !json_get(doc, "realtime", json_type_boolean) ||
	    !get_number(doc, "cpus", RECORDING_CPUS_MAX, &cpus) || !cpus ||
	    read_mechs(recording, json_get(doc, "mechanisms", json_type_array)))
		return damaged(r, "lacks a field of a head");
	recording->cpus = (uint32_t)cpus;
	recording->lost = xrealloc(NULL, cpus, sizeof(*recording->lost));
	memset(recording->lost, 0, cpus * sizeof(*recording->lost));
	recording->head = json_object_get(doc);
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct recorded_item *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static int read_item(struct reading *r, json_object *doc)
{
	struct recording *recording = r->recording;
	struct recorded_item item = { 0 };
	uint64_t id, mech;

	if (!get_number(doc, "id", UINT32_MAX, &id) || !id ||
	    !get_number(doc, "mech", recording->nr_mechs, &mech) || !mech ||
	    !get_name(json_get(doc, "name", json_type_string), item.name))
		return damaged(r, "lacks a field of an item");
	item.id = (uint32_t)id;
	item.mech = (uint32_t)mech;
	item.counted = get_number(doc, "runs", INT64_MAX, &item.runs) &&
		       get_number(doc, "thread_runs", INT64_MAX, &item.thread_runs);
	if (recording->nr_items == recording->room_items) {
		recording->room_items = 2 * recording->room_items + 16;
		recording->items = xrealloc(recording->items, recording->room_items,
					    sizeof(*recording->items));
	}
	recording->items[recording->nr_items++] = item;
	return 0;
}

static int read_lost(struct reading *r, json_object *doc)
{
	struct recording *recording = r->recording;
	uint64_t cpu, count;

	if (!get_number(doc, "cpu", recording->cpus - 1, &cpu) ||
	    !get_number(doc, "count", UINT32_MAX, &count))
		return damaged(r, "lacks a field of lost records");
	recording->lost[cpu] += count;
	recording->all_lost += count;
	return 0;
}

static int read_end(struct reading *r, json_object *doc)
{
	if (!json_get(doc, "status", json_type_int) ||
	    !json_get(doc, "at_rest", json_type_boolean) ||
	    !json_get(doc, "interrupted", json_type_boolean))
		return damaged(r, "lacks a field of an end");
	r->recording->end = json_object_get(doc);
	return 0;
}

/*
 * What is wrong with a record, or NULL. After this check the fields can be used as
 * indexes, and times can be subtracted.
 */
static const char *bad_record(const struct recording *recording, const struct bhlab_event *event)
{
	if (event->kind < BHLAB_EVENT_RUN || event->kind > BHLAB_EVENT_DROPPED ||
	    event->stage > BHLAB_STAGE_THREAD || !event->mech ||
	    event->mech > recording->nr_mechs || !event->item)
		return "has a record of an unknown kind, mechanism, stage or item";
	if (event->cpu >= recording->cpus || event->ring_cpu >= recording->cpus ||
	    (event->queue_cpu >= recording->cpus && event->queue_cpu != BHLAB_CPU_NONE))
		return "has a record of a CPU that does not exist";
	if (event->started_ns > event->finished_ns ||
	    (event->queued_ns && event->queued_ns > event->started_ns) ||
	    event->finished_ns > INT64_MAX)
		return "has a record that ends before it starts";
	if (memchr(event->comm, 0, sizeof(event->comm)) &&
	    memchr(event->data, 0, sizeof(event->data)))
		return NULL;
	return "has a record with a text that is not terminated";
}

static int read_records(struct reading *r)
{
	struct recording *recording = r->recording;
	const char *bad;

	if (r->chunk.length % sizeof(struct bhlab_event))
		return damaged(r, "has a part of a record");
	for (size_t at = 0; at < r->chunk.length; at += sizeof(struct bhlab_event)) {
		struct bhlab_event *event = records_room(&recording->records, 1);

		memcpy(event, r->bytes + at, sizeof(*event));
		bad = bad_record(recording, event);
		if (bad)
			return damaged(r, bad);
		recording->records.nr++;
	}
	return 0;
}

static int read_text(struct reading *r)
{
	static int (*const readers[])(struct reading *r, json_object *doc) = {
		[CHUNK_HEAD] = read_head,
		[CHUNK_ITEM] = read_item,
		[CHUNK_LOST] = read_lost,
		[CHUNK_END] = read_end,
	};
	json_object *doc = parse_json(r);
	int err;

	if (!doc)
		return damaged(r, "is not JSON");
	err = readers[r->chunk.type](r, doc);
	json_object_put(doc);
	return err;
}

static int read_chunk(struct reading *r)
{
	if (recording_sum(r->bytes, r->chunk.length) != r->chunk.sum)
		return damaged(r, "has a wrong checksum");
	if (r->recording->end)
		return damaged(r, "comes after the end");
	if (!r->recording->head && r->chunk.type != CHUNK_HEAD)
		return damaged(r, "is not the head");
	return r->chunk.type == CHUNK_RECORDS ? read_records(r) : read_text(r);
}

static int check_chunk(struct reading *r)
{
	const struct chunk *chunk = &r->chunk;

	if (recording_sum(chunk, offsetof(struct chunk, head_sum)) != chunk->head_sum)
		return damaged(r, "has a wrong checksum");
	if (chunk->type < CHUNK_HEAD || chunk->type > CHUNK_END)
		return damaged(r, "is of an unknown type");
	return chunk->length > RECORDING_CHUNK_MAX ? damaged(r, "is too long") : 0;
}

/* 1: there was one; 0: the file ends, perhaps in the middle of one. */
static int next_chunk(struct reading *r)
{
	size_t length;

	if (fread(&r->chunk, 1, sizeof(r->chunk), r->file) < sizeof(r->chunk))
		return ferror(r->file) ? unreadable(r) : 0;
	if (check_chunk(r))
		return -1;
	length = r->chunk.length;
	r->bytes[length] = '\0';
	if (fread(r->bytes, 1, length, r->file) < length)
		return ferror(r->file) ? unreadable(r) : 0;
	if (read_chunk(r))
		return -1;
	r->at += sizeof(r->chunk) + length;
	return 1;
}

/* --- the file */

static int read_start(struct reading *r)
{
	const char *path = r->recording->path;
	struct recording_start start;
	size_t len = fread(&start, 1, sizeof(start), r->file);

	if (ferror(r->file))
		return unreadable(r);
	if (!len)
		return usage(r->error, "'%s' is empty", path);
	if (memcmp(start.magic, RECORDING_MAGIC,
		   len < sizeof(start.magic) ? len : sizeof(start.magic)))
		return usage(r->error, "'%s' is not a recording of 'bhctl record'", path);
	if (len < sizeof(start))
		return usage(r->error, "'%s' is truncated: it ends before its head", path);
	if (start.order != RECORDING_ORDER)
		return usage(r->error, "'%s' is damaged, or of a machine with another byte order",
			     path);
	if (start.version != RECORDING_VERSION)
		return usage(r->error,
			     "'%s' has version %u of the format; this bhctl reads version %u", path,
			     start.version, RECORDING_VERSION);
	r->at = sizeof(start);
	return 0;
}

/* An item was named when it was seen, and counted in the end: what came last is it. */
static void sort_items(struct recording *recording)
{
	size_t to = 0;

	if (recording->nr_items)
		qsort(recording->items, recording->nr_items, sizeof(*recording->items), by_id);
	for (size_t i = 0; i < recording->nr_items; i++) {
		if (to && recording->items[to - 1].id == recording->items[i].id)
			to--;
		recording->items[to++] = recording->items[i];
	}
	recording->nr_items = to;
}

/* An item is always on BH queues, or never; its context shows which. */
static void find_bh(struct recording *recording)
{
	for (size_t i = 0; i < recording->records.nr; i++) {
		const struct bhlab_event *event = &recording->records.list[i];
		struct recorded_item *item;

		if (event->kind != BHLAB_EVENT_RUN || !recording_on_bh(recording, event))
			continue;
		item = (struct recorded_item *)recording_item(recording, event->item);
		if (item)
			item->bh = true;
	}
}

uint64_t recording_begin(const struct bhlab_event *event)
{
	bool activated = event->kind == BHLAB_EVENT_RUN || event->kind == BHLAB_EVENT_CANCELLED;

	return activated && event->queued_ns ? event->queued_ns : event->started_ns;
}

static void find_base(struct recording *recording)
{
	recording->base_ns = recording->records.nr ? UINT64_MAX : 0;
	for (size_t i = 0; i < recording->records.nr; i++) {
		uint64_t begin = recording_begin(&recording->records.list[i]);

		recording->base_ns = begin < recording->base_ns ? begin : recording->base_ns;
	}
}

static int read_all(struct reading *r)
{
	int ret = read_start(r);

	if (ret)
		return -1;
	do {
		ret = next_chunk(r);
	} while (ret > 0);
	if (ret < 0)
		return -1;
	if (!r->recording->head)
		return usage(r->error, "'%s' is truncated: it ends before its head",
			     r->recording->path);
	sort_items(r->recording);
	records_sort(&r->recording->records, 0);
	find_bh(r->recording);
	find_base(r->recording);
	return 0;
}

int recording_read(const char *path, struct recording *recording, struct error *e)
{
	struct reading r = { .recording = recording, .error = e };
	int err;

	*recording = (struct recording){ .path = path };
	r.file = fopen(path, "re");
	if (!r.file)
		return unreadable(&r);
	r.bytes = xrealloc(NULL, RECORDING_CHUNK_MAX + 1, 1);
	err = read_all(&r);
	free(r.bytes);
	fclose(r.file);
	return err;
}

void recording_free(struct recording *recording)
{
	json_object_put(recording->head);
	json_object_put(recording->end);
	free(recording->mechs);
	free(recording->items);
	free(recording->lost);
	records_free(&recording->records);
}

const struct recorded_item *recording_item(const struct recording *recording, uint32_t id)
{
	struct recorded_item key = { .id = id };

	return recording->nr_items ?
		       bsearch(&key, recording->items, recording->nr_items, sizeof(key), by_id) :
		       NULL;
}

const char *recording_name(const struct recording *recording, uint32_t id, char buf[BHLAB_NAME_LEN])
{
	const struct recorded_item *item = recording_item(recording, id);

	if (item)
		return item->name;
	snprintf(buf, BHLAB_NAME_LEN, "#%u", id);
	return buf;
}

bool recording_on_bh(const struct recording *recording, const struct bhlab_event *event)
{
	const struct recorded_item *item;

	if (event->mech != BHLAB_MECH_WORK)
		return false;
	if (event->kind == BHLAB_EVENT_RUN)
		return event->context & BHLAB_CTX_SOFTIRQ;
	item = recording_item(recording, event->item);
	return item && item->bh;
}

const char *recording_mech(const struct recording *recording, const struct bhlab_event *event)
{
	return recording_on_bh(recording, event) ? "bh_work" : recording->mechs[event->mech - 1];
}
