// SPDX-License-Identifier: GPL-2.0-only
/* report: the document as tables, and the timeline. */
#include <inttypes.h>
#include <json.h>
#include <string.h>

#include "base/out.h"
#include "base/parse.h"
#include "lab/page.h"
#include "recording/report.h"

/* --- cells */

static void text_mech(json_object *row, json_object *value, const void *arg, char *cell)
{
	bool thread = !strcmp(json_string(row, "/stage"), "thread");

	snprintf(cell, CELL_SIZE, "%s%s", json_object_get_string(value), thread ? "/thread" : "");
}

static void text_share(json_object *row, json_object *value, const void *arg, char *cell)
{
	if (value)
		snprintf(cell, CELL_SIZE, "%.0f%%", 100 * json_object_get_double(value));
}

static void text_command(json_object *row, json_object *value, const void *arg, char *cell)
{
	json_join(value, " ", cell, CELL_SIZE);
}

static void text_kernel(json_object *row, json_object *value, const void *arg, char *cell)
{
	snprintf(cell, CELL_SIZE, "%.200s %.200s", json_object_get_string(value),
		 json_string(row, "/version"));
}

static void text_records(json_object *row, json_object *value, const void *arg, char *cell)
{
	snprintf(cell, CELL_SIZE, "%s, %" PRIu64 " more were overwritten before they were read",
		 json_object_get_string(value), json_number(row, "/lost"));
}

static void text_end(json_object *row, json_object *value, const void *arg, char *cell)
{
	if (!json_object_get_boolean(value))
		snprintf(cell, CELL_SIZE, "the recording was cut short");
	else
		snprintf(cell, CELL_SIZE, "exit status %s%s%s", json_string(row, "/status"),
			 json_flag(row, "/interrupted") ? ", interrupted" : "",
			 json_flag(row, "/at_rest") ? "" : ", some activations had not run");
}

/* --- what is printed of what */

static const struct field heads[] = {
	{ .head = "command", .path = "/command", .text = text_command },
	{ .head = "kernel", .path = "/release", .text = text_kernel },
	{ .head = "CPUs", .path = "/cpus" },
	{ .head = "took", .path = "/took_ns", .text = text_ns },
	{ .head = "records", .path = "/records", .text = text_records },
	{ .head = "end", .path = "/complete", .text = text_end },
};

/* Of mechanisms all but the first and the last: what was lost is known of items alone. */
static const struct field counts[] = {
	{ .head = "ITEM", .path = "/item" },
	{ .head = "MECHANISM", .path = "/mechanism", .text = text_mech },
	{ .head = "RUNS", .path = "/runs", .right = true },
	{ .head = "COALESCED", .path = "/coalesced", .right = true },
	{ .head = "CANCELLED", .path = "/cancelled", .right = true },
	{ .head = "MARKS", .path = "/marks", .right = true },
	{ .head = "DROPPED", .path = "/dropped", .right = true },
	{ .head = "SKIPPED", .path = "/skipped_steps", .right = true },
	{ .head = "OTHER CPU", .path = "/cross_cpu_share", .text = text_share, .right = true },
	{ .head = "LOST", .path = "/lost", .right = true },
};

static const struct field times[] = {
	{ .head = "ITEM", .path = "/item" },
	{ .head = "MECHANISM", .path = "/mechanism", .text = text_mech },
	{ .head = "METRIC", .path = "/metric" },
	{ .head = "COUNT", .path = "/count", .right = true },
	{ .head = "MIN", .path = "/min_ns", .text = text_ns, .right = true },
	{ .head = "P50", .path = "/p50_ns", .text = text_ns, .right = true },
	{ .head = "P90", .path = "/p90_ns", .text = text_ns, .right = true },
	{ .head = "P99", .path = "/p99_ns", .text = text_ns, .right = true },
	{ .head = "MAX", .path = "/max_ns", .text = text_ns, .right = true },
};

static void add_row(json_object *rows, json_object *group, const char *key, const char *metric)
{
	static const char *const who[] = { "item", "mechanism", "stage" };
	json_object *row = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(who); i++)
		json_add(row, who[i], json_object_get(json_object_object_get(group, who[i])));
	json_add_text(row, "metric", metric);
	json_object_object_foreach(json_object_object_get(group, key), name, value)
		json_add(row, name, json_object_get(value));
	json_object_array_add(rows, row);
}

/* Each metric of a group in a row of its own. */
static json_object *time_rows(json_object *groups)
{
	json_object *rows = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(groups); i++) {
		json_object *group = json_object_array_get_idx(groups, i);

		if (!json_number(group, "/runs"))
			continue;
		add_row(rows, group, "queue_to_start", "queue-to-start");
		add_row(rows, group, "run_time", "run-time");
	}
	return rows;
}

static void print_times(json_object *groups, size_t from)
{
	json_object *rows = time_rows(groups);

	out_table(times + from, ARRAY_SIZE(times) - from, rows, NULL);
	json_object_put(rows);
}

void report_page_tables(FILE *file, json_object *doc)
{
	json_object *items = json_object_object_get(doc, "items"), *rows = time_rows(items);

	page_table(file, counts, ARRAY_SIZE(counts), items);
	page_table(file, times, ARRAY_SIZE(times), rows);
	json_object_put(rows);
}

static void print_timeline(const struct recording *recording)
{
	struct history history = recording_history(recording);
	struct timeline timeline = {
		.file = stdout, .prefix = "", .width = out_width(), .color = options.color,
		.utf8 = out_utf8(),
	};

	timeline_print(&timeline, &history);
}

void report_text(const struct recording *recording, json_object *doc)
{
	json_object *items = json_object_object_get(doc, "items"),
		    *mechs = json_object_object_get(doc, "mechanisms");

	if (options.format == FORMAT_PARSABLE) {
		print_times(items, 0);
		return;
	}
	out_list(heads, ARRAY_SIZE(heads), doc);
	if (!recording->records.nr)
		return;
	putchar('\n');
	out_table(counts, ARRAY_SIZE(counts), items, NULL);
	putchar('\n');
	print_times(items, 0);
	puts("\nBy mechanism");
	out_table(counts + 1, ARRAY_SIZE(counts) - 2, mechs, NULL);
	putchar('\n');
	print_times(mechs, 1);
	putchar('\n');
	print_timeline(recording);
}
