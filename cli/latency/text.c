// SPDX-License-Identifier: GPL-2.0-only
/* latency: the document as a table, or as a histogram. */
#include <inttypes.h>
#include <json.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "latency/latency.h"
#include "base/out.h"
#include "base/parse.h"

static const struct field fields[] = {
	{ .head = "MECHANISM", .path = "/mechanism" },
	{ .head = "CPU", .path = "/cpu", .right = true },
	{ .head = "METRIC", .path = "/metric" },
	{ .head = "COUNT", .path = "/count", .right = true },
	{ .head = "LOST", .path = "/lost", .right = true },
	{ .head = "MIN", .path = "/min_ns", .text = text_ns, .right = true },
	{ .head = "P50", .path = "/p50_ns", .text = text_ns, .right = true },
	{ .head = "P90", .path = "/p90_ns", .text = text_ns, .right = true },
	{ .head = "P99", .path = "/p99_ns", .text = text_ns, .right = true },
	{ .head = "P99.9", .path = "/p999_ns", .text = text_ns, .right = true },
	{ .head = "MAX", .path = "/max_ns", .text = text_ns, .right = true },
};

/* How the histogram is printed, which is as rtla timerlat hist does. */
struct print {
	json_object *columns;
	uint64_t unit;		/* ns of one */
};

/* "irq-000", "irq/thr-000" */
static int column_head(json_object *column, char *head, size_t size)
{
	bool thread = !strcmp(json_string(column, "/metric"), metric_names[TRIGGER_TO_THREAD]);
	int len = snprintf(head, size, "%s%s-%03d", json_string(column, "/mechanism"),
			   thread ? "/thr" : "", (int)json_number(column, "/cpu"));

	return len < 9 ? 9 : len;
}

static void print_heads(const struct print *p)
{
	char head[64];

	printf("%-6s", "Index");
	for (size_t i = 0; i < json_object_array_length(p->columns); i++) {
		int width =
			column_head(json_object_array_get_idx(p->columns, i), head, sizeof(head));

		printf("%*s ", width, head);
	}
	putchar('\n');
}

static void print_counts(const struct print *p, size_t bucket)
{
	char head[64];

	for (size_t i = 0; i < json_object_array_length(p->columns); i++) {
		json_object *column = json_object_array_get_idx(p->columns, i);
		json_object *counts = json_object_object_get(column, "counts");

		printf("%*" PRIu64 " ", column_head(column, head, sizeof(head)),
		       json_object_get_uint64(json_object_array_get_idx(counts, bucket)));
	}
	putchar('\n');
}

static bool is_empty(const struct print *p, size_t bucket)
{
	for (size_t i = 0; i < json_object_array_length(p->columns); i++) {
		json_object *counts =
			json_object_object_get(json_object_array_get_idx(p->columns, i), "counts");

		if (json_object_get_uint64(json_object_array_get_idx(counts, bucket)))
			return false;
	}
	return true;
}

/* In units of the histogram, or of counts (0), which are there even if nothing was measured. */
static void print_summary(const struct print *p, const char *name, const char *path, uint64_t unit)
{
	char head[64];

	printf("%-6s", name);
	for (size_t i = 0; i < json_object_array_length(p->columns); i++) {
		json_object *column = json_object_array_get_idx(p->columns, i);
		int width = column_head(column, head, sizeof(head));

		if (json_number(column, "/count") || !unit)
			printf("%*" PRIu64 " ", width,
			       json_number(column, path) / (unit ? unit : 1));
		else
			printf("%*c ", width, '-');
	}
	putchar('\n');
}

static void print_histogram(json_object *doc, json_object *histogram)
{
	uint64_t width = json_number(histogram, "/bucket_ns"),
		 took = json_number(doc, "/took_ns") / 1000000000;
	size_t entries = json_number(histogram, "/entries");
	struct print p = {
		.columns = json_object_object_get(histogram, "columns"),
		.unit = width % 1000 ? 1 : 1000,
	};

	printf("# bhlab latency histogram\n# Time unit is %s\n",
	       p.unit == 1 ? "nanoseconds (ns)" : "microseconds (us)");
	printf("# Duration: %3" PRIu64 " %02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 "\n", took / 86400,
	       took / 3600 % 24, took / 60 % 60, took % 60);
	print_heads(&p);
	for (size_t i = 0; i < entries; i++) {
		if (is_empty(&p, i))
			continue;
		printf("%-6" PRIu64, i * width / p.unit);
		print_counts(&p, i);
	}
	printf("%-6s", "over:");
	print_counts(&p, entries);
	print_summary(&p, "count:", "/count", 0);
	print_summary(&p, "min:", "/min_ns", p.unit);
	print_summary(&p, "avg:", "/avg_ns", p.unit);
	print_summary(&p, "max:", "/max_ns", p.unit);
}

static void print_conditions(json_object *doc)
{
	uint64_t accepted = 0, seen = 0, lost = 0;
	json_object *counters = json_object_object_get(doc, "counters");
	char interval[32], took[32];

	for (size_t i = 0; i < json_object_array_length(counters); i++) {
		json_object *row = json_object_array_get_idx(counters, i);

		accepted += json_number(row, "/accepted");
		seen += json_number(row, "/recorded");
		lost += json_number(row, "/lost");
	}
	period_exact(json_number(doc, "/interval_ns"), interval, sizeof(interval));
	period_round(json_number(doc, "/took_ns"), took, sizeof(took));
	printf("%" PRIu64 " rounds in %s, from %s, one activation every %s: %" PRIu64
	       " accepted = %" PRIu64 " recorded + %" PRIu64 " lost\n",
	       json_number(doc, "/rounds"), took, json_string(doc, "/from"), interval, accepted,
	       seen, lost);
}

void print_latency(const struct result *result)
{
	json_object *histogram = json_object_object_get(result->doc, "histogram");

	if (histogram && options.format == FORMAT_TEXT)
		print_histogram(result->doc, histogram);
	else
		out_table(fields, ARRAY_SIZE(fields),
			  json_object_object_get(result->doc, "latencies"), NULL);
	if (options.format == FORMAT_TEXT && !options.quiet)
		print_conditions(result->doc);
}
