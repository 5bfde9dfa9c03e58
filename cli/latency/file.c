// SPDX-License-Identifier: GPL-2.0-only
/*
 * latency: the file that rt-tests' cyclictest --json writes, for what reads those.
 * Two of its keys end in a colon there, "cmdline:" and "rt_test_version:", by a
 * slip; here they do not.
 */
#include <errno.h>
#include <inttypes.h>
#include <json.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "command/command.h"
#include "lab/lab.h"
#include "latency/latency.h"
#include "base/out.h"

#define FILE_FLAGS \
	(JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE)

static void add_time(json_object *doc, const char *key, time_t when)
{
	char text[64];
	struct tm tm;

	strftime(text, sizeof(text), "%a, %d %b %Y %T %z", localtime_r(&when, &tm));
	json_add_text(doc, key, text);
}

/* As it was typed: getopt has moved the words of argv about. */
static void add_cmdline(json_object *doc)
{
	FILE *file = fopen("/proc/self/cmdline", "re");
	char text[4096];
	size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

	for (size_t i = 0; i + 1 < len; i++)
		if (!text[i])
			text[i] = ' ';
	text[len] = '\0';
	if (file)
		fclose(file);
	json_add(doc, "cmdline", json_text(text));
}

static json_object *sysinfo_json(const struct latency *l)
{
	json_object *doc = json_object_new_object();
	struct utsname uts;

	uname(&uts);
	json_add_text(doc, "sysname", uts.sysname);
	json_add_text(doc, "nodename", uts.nodename);
	json_add_text(doc, "release", uts.release);
	json_add_text(doc, "version", uts.version);
	json_add_text(doc, "machine", uts.machine);
	json_add_number(doc, "realtime", !!(l->lab->info.out_features & BHLAB_FEATURE_RT));
	return doc;
}

static json_object *thread_json(const struct target *target, unsigned int cpu,
				const struct hist *hist, enum metric metric)
{
	json_object *doc = json_object_new_object(), *buckets = json_object_new_object();
	double average = hist->nr ? (double)hist->sum / (double)hist->nr : 0;
	char text[32];

	for (size_t i = 0; i < HIST_BUCKETS; i++) {
		if (!hist->buckets[i])
			continue;
		snprintf(text, sizeof(text), "%" PRIu64, hist_bottom(i));
		json_add_number(buckets, text, hist->buckets[i]);
	}
	snprintf(text, sizeof(text), "%.2f", average);
	json_add(doc, "histogram", buckets);
	json_add_number(doc, "cycles", hist->nr);
	json_add_number(doc, "min", hist->nr ? hist->min : 0);
	json_add_number(doc, "max", hist->max);
	json_add(doc, "avg", json_object_new_double_s(average, text));
	json_add_number(doc, "cpu", cpu);
	json_add_text(doc, "mechanism", target->name);
	json_add_text(doc, "metric", metric_names[metric]);
	return doc;
}

/* Latencies only: who looks for the largest max must not find a run time. */
static json_object *threads_json(const struct latency *l, unsigned int *nr)
{
	json_object *threads = json_object_new_object();
	char key[16];

	for (size_t i = 0; i < l->nr_targets; i++)
		for (size_t cpu = 0; cpu < l->nr_cpus; cpu++)
			for (int metric = 0; metric < METRICS; metric++) {
				const struct hist *hist = l->targets[i].series[cpu].hists[metric];

				if (!hist || metric == RUN_TIME)
					continue;
				snprintf(key, sizeof(key), "%u", (*nr)++);
				json_add(threads, key,
					 thread_json(&l->targets[i], l->cpus[cpu], hist, metric));
			}
	return threads;
}

int latency_write(const struct latency *l, int status)
{
	json_object *doc = json_object_new_object(), *threads;
	unsigned int nr = 0;
	bool failed;

	json_add_number(doc, "file_version", 1);
	add_cmdline(doc);
	json_add_text(doc, "rt_test_version", "bhctl " BHCTL_VERSION);
	add_time(doc, "start_time", l->start);
	add_time(doc, "end_time", l->end);
	json_add_number(doc, "return_code", (uint64_t)status);
	json_add(doc, "sysinfo", sysinfo_json(l));
	threads = threads_json(l, &nr);
	json_add_number(doc, "num_threads", nr);
	json_add_number(doc, "resolution_in_ns", 1);
	json_add(doc, "thread", threads);
	errno = 0;
	failed = fprintf(l->file, "%s\n", json_object_to_json_string_ext(doc, FILE_FLAGS)) < 0;
	failed = fflush(l->file) || failed;
	json_object_put(doc);
	return failed ? errno : 0;
}
