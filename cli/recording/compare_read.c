// SPDX-License-Identifier: GPL-2.0-only
/* compare: reading a recording, or a file of latency --json. */
#include <errno.h>
#include <inttypes.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recording/compare.h"
#include "latency/latency.h"
#include "base/out.h"
#include "base/parse.h"
#include "recording/report.h"

/* A file of all mechanisms on a hundred CPUs has a tenth of it. */
#define FILE_MAX	(64U << 20)
/* More than there can be, of mechanisms that anybody knows. */
#define MEASURES_MAX	256

static void set_text(char *buf, size_t size, json_object *value)
{
	snprintf(buf, size, "%s", value ? json_object_get_string(value) : "?");
	text_clean(buf);
}

/* The histogram is the side's from now on. */
static struct measure *add_measure(struct side *side, const char *mechanism, const char *metric,
				   struct hist *hist)
{
	struct measure *measure;

	side->list = xrealloc(side->list, side->nr + 1, sizeof(*side->list));
	measure = &side->list[side->nr++];
	*measure = (struct measure){ .metric = metric, .hist = hist };
	snprintf(measure->mechanism, sizeof(measure->mechanism), "%s", mechanism);
	return measure;
}

const struct measure *side_measure(const struct side *side, const char *mechanism,
				   const char *metric)
{
	for (size_t i = 0; i < side->nr; i++)
		if (!strcmp(side->list[i].mechanism, mechanism) &&
		    !strcmp(side->list[i].metric, metric))
			return &side->list[i];
	return NULL;
}

void side_free(struct side *side)
{
	for (size_t i = 0; i < side->nr; i++)
		hist_free(side->list[i].hist);
	free(side->list);
}

/* --- a recording */

static void add_group(struct side *side, const struct recording *recording,
		      const struct group *group)
{
	struct times times = group_times(group);
	char label[64];

	mech_label(recording, group->list[0], label, sizeof(label));
	if (!times.run_time->nr) {
		times_free(&times);
		return;
	}
	add_measure(side, label, metric_names[QUEUE_TO_START], times.queue_to_start);
	add_measure(side, label, metric_names[RUN_TIME], times.run_time);
}

static int read_recording(struct side *side, struct error *e)
{
	const struct bhlab_event **sorted;
	struct recording recording;
	struct group group;
	int err = recording_read(side->path, &recording, e);

	if (!err) {
		set_text(side->release, sizeof(side->release),
			 json_object_object_get(recording.head, "release"));
		side->realtime = json_flag(recording.head, "/realtime");
		sorted = groups_sort(&recording, BY_MECH);
		for (size_t i = 0; i < recording.records.nr; i += group.nr) {
			group = group_at(&recording, BY_MECH, sorted, i);
			add_group(side, &recording, &group);
		}
		free(sorted);
	}
	recording_free(&recording);
	return err;
}

/* --- a file of latency --json */

static const char *known_metric(const char *name)
{
	for (int metric = 0; metric < METRICS; metric++)
		if (!strcmp(name, metric_names[metric]))
			return metric_names[metric];
	return NULL;
}

/* All CPUs together. */
static struct hist *hist_of(struct side *side, json_object *thread)
{
	json_object *mechanism = json_get(thread, "mechanism", json_type_string);
	json_object *name = json_get(thread, "metric", json_type_string);
	const char *metric = name ? known_metric(json_object_get_string(name)) : NULL;
	const struct measure *measure;
	char label[64];

	if (!mechanism || !metric)
		return NULL;
	set_text(label, sizeof(label), mechanism);
	measure = side_measure(side, label, metric);
	if (measure)
		return measure->hist;
	return side->nr < MEASURES_MAX ? add_measure(side, label, metric, hist_new(1, 0))->hist :
					 NULL;
}

/* The keys are the lower ends of the buckets; the maximum is a field of its own. */
static bool read_thread(struct side *side, json_object *thread)
{
	json_object *buckets = json_get(thread, "histogram", json_type_object),
		    *max = json_get(thread, "max", json_type_int);
	json_object *cycles = json_get(thread, "cycles", json_type_int);
	struct hist *hist = hist_of(side, thread);
	uint64_t before, ns;
	struct error e;

	if (!hist || !buckets || !max || !cycles || json_object_get_int64(max) < 0)
		return false;
	before = hist->nr;
	json_object_object_foreach(buckets, key, count) {
		int64_t nr = json_object_is_type(count, json_type_int) ?
				     json_object_get_int64(count) :
				     -1;

		if (nr < 0 || nr > UINT32_MAX || parse_number(key, INT64_MAX, &ns, &e))
			return false;
		hist_add_many(hist, ns, (uint64_t)nr);
	}
	if (json_object_get_uint64(max) > hist->max)
		hist->max = json_object_get_uint64(max);
	return hist->nr - before == json_object_get_uint64(cycles);
}

static bool read_latencies(struct side *side, json_object *doc)
{
	json_object *sysinfo = json_get(doc, "sysinfo", json_type_object),
		    *threads = json_get(doc, "thread", json_type_object);
	json_object *realtime = sysinfo ? json_get(sysinfo, "realtime", json_type_int) : NULL;

	if (!realtime || !threads)
		return false;
	set_text(side->release, sizeof(side->release),
		 json_get(sysinfo, "release", json_type_string));
	side->realtime = json_object_get_int(realtime);
	json_object_object_foreach(threads, key, thread) {
		(void)key;
		if (!json_object_is_type(thread, json_type_object) || !read_thread(side, thread))
			return false;
	}
	return true;
}

static int parse_latencies(struct side *side, const char *text, size_t len, struct error *e)
{
	json_tokener *tokener = json_tokener_new();
	json_object *doc = tokener ? json_tokener_parse_ex(tokener, text, (int)len) : NULL;
	bool good = json_object_is_type(doc, json_type_object) && read_latencies(side, doc);

	json_tokener_free(tokener);
	json_object_put(doc);
	return good ? 0 :
		      usage(e,
			    "'%s' is neither a recording nor a file of 'bhctl latency --json', or "
			    "damaged",
			    side->path);
}

static int read_latency(struct side *side, FILE *file, struct error *e)
{
	char *text = NULL;
	size_t len = 0, room = 0, part;
	int err;

	do {
		room = 2 * room + 65536;
		text = xrealloc(text, room, 1);
		part = fread(text + len, 1, room - len, file);
		len += part;
	} while (part && len <= FILE_MAX);
	if (ferror(file))
		err = fail(e, STATUS_USAGE, errno, "cannot read '%s': %s", side->path,
			   strerror(errno));
	else if (len > FILE_MAX)
		err = usage(e, "'%s' is longer than a file of 'bhctl latency --json' can be",
			    side->path);
	else
		err = parse_latencies(side, text, len, e);
	free(text);
	return err;
}

/* --- which of them it is says its beginning */

int side_read(const char *path, struct side *side, struct error *e)
{
	FILE *file = fopen(path, "re");
	char start[sizeof(RECORDING_MAGIC) - 1] = "";
	int err;

	*side = (struct side){ .path = path };
	if (!file)
		return fail(e, STATUS_USAGE, errno, "cannot read '%s': %s", path, strerror(errno));
	side->kind = SIDE_LATENCY;
	if (fread(start, 1, sizeof(start), file) == sizeof(start) &&
	    !memcmp(start, RECORDING_MAGIC, sizeof(start)))
		side->kind = SIDE_RECORDING;
	rewind(file);
	err = side->kind == SIDE_LATENCY ? read_latency(side, file, e) : 0;
	fclose(file);
	return side->kind == SIDE_RECORDING ? read_recording(side, e) : err;
}
