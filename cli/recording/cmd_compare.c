// SPDX-License-Identifier: GPL-2.0-only
/* compare: two recordings, or two files of latency --json, side by side. */
#include <json.h>
#include <stdio.h>

#include "command/command.h"
#include "recording/compare.h"
#include "base/out.h"

static const char *const kinds[] = { "recording", "latency" };

/* --- the document */

static json_object *side_json(const struct side *side)
{
	json_object *doc = json_object_new_object();

	json_add(doc, "file", json_text(side->path));
	json_add_text(doc, "release", side->release);
	json_add_bool(doc, "realtime", side->realtime);
	return doc;
}

static json_object *measure_json(const struct measure *measure)
{
	json_object *doc;

	if (!measure || !measure->hist->nr)
		return NULL;
	doc = json_object_new_object();
	json_add_number(doc, "count", measure->hist->nr);
	hist_json_quantiles(doc, measure->hist, HIST_TO_P99);
	json_add_number(doc, "max_ns", measure->hist->max);
	return doc;
}

/* B/A, of each value; what is divided by zero is not known. */
static json_object *ratio_json(json_object *a, json_object *b)
{
	json_object *doc;
	char text[32];

	if (!a || !b)
		return NULL;
	doc = json_object_new_object();
	json_object_object_foreach(a, key, value) {
		double below = (double)json_object_get_uint64(value);
		double above = (double)json_object_get_uint64(json_object_object_get(b, key));
		double ratio = below > 0 ? above / below : 0;

		snprintf(text, sizeof(text), "%.4g", ratio);
		json_add(doc, key, below > 0 ? json_object_new_double_s(ratio, text) : NULL);
	}
	return doc;
}

static json_object *row_json(const struct measure *name, const struct side *a, const struct side *b)
{
	json_object *row = json_object_new_object();
	json_object *one = measure_json(side_measure(a, name->mechanism, name->metric));
	json_object *other = measure_json(side_measure(b, name->mechanism, name->metric));

	json_add_text(row, "mechanism", name->mechanism);
	json_add_text(row, "metric", name->metric);
	json_add(row, "a", one);
	json_add(row, "b", other);
	json_add(row, "ratio", ratio_json(one, other));
	return row;
}

/* What A has, in its order, and then what only B has. */
static json_object *rows_json(const struct side *a, const struct side *b)
{
	json_object *rows = json_object_new_array();

	for (size_t i = 0; i < a->nr; i++)
		json_object_array_add(rows, row_json(&a->list[i], a, b));
	for (size_t i = 0; i < b->nr; i++)
		if (!side_measure(a, b->list[i].mechanism, b->list[i].metric))
			json_object_array_add(rows, row_json(&b->list[i], a, b));
	return rows;
}

static json_object *compare_doc(const struct side *a, const struct side *b)
{
	json_object *doc = json_object_new_object();

	json_add_text(doc, "kind", kinds[a->kind]);
	json_add(doc, "a", side_json(a));
	json_add(doc, "b", side_json(b));
	json_add(doc, "rows", rows_json(a, b));
	return doc;
}

/* --- as a table */

static void text_ratio(json_object *row, json_object *value, const void *arg, char *cell)
{
	if (value)
		snprintf(cell, CELL_SIZE, "%.2f", json_object_get_double(value));
}

static const struct field fields[] = {
	{ .head = "MECHANISM", .path = "/mechanism" },
	{ .head = "METRIC", .path = "/metric" },
	{ .head = "COUNT A", .path = "/a/count", .right = true },
	{ .head = "B", .path = "/b/count", .right = true },
	{ .head = "P50 A", .path = "/a/p50_ns", .text = text_ns, .right = true },
	{ .head = "B", .path = "/b/p50_ns", .text = text_ns, .right = true },
	{ .head = "B/A", .path = "/ratio/p50_ns", .text = text_ratio, .right = true },
	{ .head = "P99 A", .path = "/a/p99_ns", .text = text_ns, .right = true },
	{ .head = "B", .path = "/b/p99_ns", .text = text_ns, .right = true },
	{ .head = "B/A", .path = "/ratio/p99_ns", .text = text_ratio, .right = true },
	{ .head = "MAX A", .path = "/a/max_ns", .text = text_ns, .right = true },
	{ .head = "B", .path = "/b/max_ns", .text = text_ns, .right = true },
	{ .head = "B/A", .path = "/ratio/max_ns", .text = text_ratio, .right = true },
};

static void print_side(const char *name, json_object *side)
{
	printf("%s  %s (%s%s)\n", name, json_string(side, "/file"), json_string(side, "/release"),
	       json_flag(side, "/realtime") ? ", PREEMPT_RT" : "");
}

static void print_compare(const struct result *result)
{
	if (options.format == FORMAT_TEXT) {
		print_side("A", json_object_object_get(result->doc, "a"));
		print_side("B", json_object_object_get(result->doc, "b"));
		putchar('\n');
	}
	out_table(fields, ARRAY_SIZE(fields), json_object_object_get(result->doc, "rows"), NULL);
}

/* --- from file to document */

static int compare(const struct side *a, const struct side *b, struct result *result)
{
	if (a->kind != b->kind)
		return usage(&result->error,
			     "'%s' is a recording and '%s' is not: they cannot be compared",
			     a->kind == SIDE_RECORDING ? a->path : b->path,
			     a->kind == SIDE_RECORDING ? b->path : a->path);
	result->doc = compare_doc(a, b);
	return 0;
}

static int run_compare(const struct call *call, struct lab *lab, struct result *result)
{
	struct side a = { 0 }, b = { 0 };
	int err;

	err = side_read(arg_typed(call, "A"), &a, &result->error) ||
	      side_read(arg_typed(call, "B"), &b, &result->error) || compare(&a, &b, result);
	side_free(&a);
	side_free(&b);
	return err ? -1 : 0;
}

const struct command command_compare = {
	.name = "compare",
	.summary = "compare two recordings",
	.args = ARGS(
		{ "A", &arg_file },
		{ "B", &arg_file }),
	.notes =
	"Both files are of 'bhctl record', or both of 'bhctl latency --json'. B/A is above 1\n"
	"where B took longer.\n",
	.lab = LAB_NONE,
	.run = run_compare,
	.print = print_compare,
};
