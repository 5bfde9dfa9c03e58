// SPDX-License-Identifier: GPL-2.0-only
/* compare: recordings, or files of latency --json, side by side. */
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "recording/compare.h"
#include "base/out.h"

/* They are called A to Z. */
#define SIDES_MAX	26
/* Of fewer runs the 99th percentile is the maximum, and that is chance. */
#define P99_COUNT	100

static const char *const kinds[] = { "recording", "latency" };

struct sides {
	struct side list[SIDES_MAX];
	size_t nr;
};

/* What is compared of each measure. */
enum { P50, P99, MAX, VALUES };

static const struct {
	const char *key, *head;
} values[VALUES] = { { "p50_ns", "P50" }, { "p99_ns", "P99" }, { "max_ns", "MAX" } };

/* The largest ratio that is no matter of chance. */
struct worst {
	double ratio;
	const struct measure *measure;
	int value;
	size_t side;
};

/* --- the document */

static json_object *side_json(const struct side *side, size_t i)
{
	json_object *doc = json_object_new_object();
	char name[2] = { (char)('A' + i) };

	json_add_text(doc, "name", name);
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

static json_object *ratio_value(double ratio)
{
	char text[32];

	snprintf(text, sizeof(text), "%.4g", ratio);
	return ratio > 0 ? json_object_new_double_s(ratio, text) : NULL;
}

/* 0 if one of them is not known, or is divided by zero. */
static double ratio_of(json_object *a, json_object *b, const char *key)
{
	double below = (double)json_object_get_uint64(json_object_object_get(a, key));
	double above = (double)json_object_get_uint64(json_object_object_get(b, key));

	return below > 0 ? above / below : 0;
}

static json_object *ratios_json(json_object *a, json_object *b)
{
	json_object *doc;

	if (!a || !b)
		return NULL;
	doc = json_object_new_object();
	json_object_object_foreach(a, key, value) {
		(void)value;
		json_add(doc, key, ratio_value(ratio_of(a, b, key)));
	}
	return doc;
}

/* The largest divided by the smallest, of all that have it. */
static json_object *spread_json(json_object *list)
{
	json_object *doc = json_object_new_object();

	for (int value = 0; value < VALUES; value++) {
		uint64_t least = UINT64_MAX, most = 0;

		for (size_t i = 0; i < json_object_array_length(list); i++) {
			json_object *one = json_object_array_get_idx(list, i), *ns;

			ns = one ? json_object_object_get(one, values[value].key) : NULL;
			if (!ns)
				continue;
			least = json_object_get_uint64(ns) < least ? json_object_get_uint64(ns) :
								     least;
			most = json_object_get_uint64(ns) > most ? json_object_get_uint64(ns) :
								   most;
		}
		json_add(doc, values[value].key,
			 ratio_value(least && most ? (double)most / (double)least : 0));
	}
	return doc;
}

static void find_worst(struct worst *worst, const struct measure *measure, json_object *a,
		       json_object *b, size_t side)
{
	for (int value = P50; value <= P99; value++) {
		double ratio = ratio_of(a, b, values[value].key);

		if (value == P99 && (json_number(a, "/count") < P99_COUNT ||
				     json_number(b, "/count") < P99_COUNT))
			continue;
		if (ratio > worst->ratio)
			*worst = (struct worst){ ratio, measure, value, side };
	}
}

static json_object *row_json(const struct sides *sides, const struct measure *name,
			     struct worst *worst)
{
	json_object *row = json_object_new_object(), *list = json_object_new_array();
	json_object *ratios = json_object_new_array(), *first;

	for (size_t i = 0; i < sides->nr; i++)
		json_object_array_add(list, measure_json(side_measure(&sides->list[i],
								      name->mechanism,
								      name->metric)));
	first = json_object_array_get_idx(list, 0);
	for (size_t i = 0; i < sides->nr; i++) {
		json_object *one = json_object_array_get_idx(list, i);

		json_object_array_add(ratios, i ? ratios_json(first, one) : NULL);
		if (i && first && one)
			find_worst(worst, name, first, one, i);
	}
	json_add_text(row, "mechanism", name->mechanism);
	json_add_text(row, "metric", name->metric);
	json_add(row, "values", list);
	json_add(row, "ratios", ratios);
	json_add(row, "spread", spread_json(list));
	return row;
}

/* In the order of the first that has it. */
static json_object *rows_json(const struct sides *sides, struct worst *worst)
{
	json_object *rows = json_object_new_array();

	for (size_t i = 0; i < sides->nr; i++) {
		const struct side *side = &sides->list[i];

		for (size_t j = 0; j < side->nr; j++) {
			const struct measure *measure = &side->list[j];
			bool told = false;

			for (size_t before = 0; before < i; before++)
				told = told || side_measure(&sides->list[before],
							    measure->mechanism, measure->metric);
			if (!told)
				json_object_array_add(rows, row_json(sides, measure, worst));
		}
	}
	return rows;
}

static json_object *worst_json(const struct worst *worst)
{
	json_object *doc;
	char name[2] = { (char)('A' + worst->side) };

	if (!worst->measure)
		return NULL;
	doc = json_object_new_object();
	json_add_text(doc, "mechanism", worst->measure->mechanism);
	json_add_text(doc, "metric", worst->measure->metric);
	json_add_text(doc, "value", values[worst->value].head);
	json_add_text(doc, "name", name);
	json_add(doc, "ratio", ratio_value(worst->ratio));
	return doc;
}

static json_object *compare_doc(const struct sides *sides, struct worst *worst)
{
	json_object *doc = json_object_new_object(), *files = json_object_new_array();

	json_add_text(doc, "kind", kinds[sides->list[0].kind]);
	for (size_t i = 0; i < sides->nr; i++)
		json_object_array_add(files, side_json(&sides->list[i], i));
	json_add(doc, "files", files);
	json_add(doc, "rows", rows_json(sides, worst));
	json_add(doc, "worst", worst_json(worst));
	return doc;
}

/* --- as a table: each value of a measure is a row */

static void text_value(json_object *row, json_object *value, const void *arg, char *cell)
{
	if (value && json_flag(row, "/number"))
		snprintf(cell, CELL_SIZE, "%s", json_object_get_string(value));
	else if (value)
		text_ns(row, value, arg, cell);
}

static void text_ratio(json_object *row, json_object *value, const void *arg, char *cell)
{
	if (value)
		snprintf(cell, CELL_SIZE, "%.2f", json_object_get_double(value));
}

static json_object *table_row(json_object *row, const char *key, const char *head)
{
	json_object *out = json_object_new_object(), *ns = json_object_new_array();
	json_object *ratios = json_object_new_array();
	json_object *list = json_object_object_get(row, "values");
	json_object *others = json_object_object_get(row, "ratios");
	bool number = !strcmp(key, "count");

	json_add_text(out, "mechanism", json_string(row, "/mechanism"));
	json_add_text(out, "metric", json_string(row, "/metric"));
	json_add_text(out, "value", head);
	json_add_bool(out, "number", number);
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *one = json_object_array_get_idx(list, i);
		json_object *ratio = json_object_array_get_idx(others, i);

		json_object_array_add(ns, json_object_get(json_object_object_get(one, key)));
		json_object_array_add(ratios, number ? NULL : json_object_get(
						      json_object_object_get(ratio, key)));
	}
	json_add(out, "ns", ns);
	json_add(out, "ratio", ratios);
	json_add(out, "spread", number ? NULL : json_object_get(json_object_object_get(
					 json_object_object_get(row, "spread"), key)));
	return out;
}

static json_object *table_rows(json_object *doc)
{
	json_object *rows = json_object_object_get(doc, "rows"), *out = json_object_new_array();

	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		json_object *row = json_object_array_get_idx(rows, i);

		json_object_array_add(out, table_row(row, "count", "COUNT"));
		for (int value = 0; value < VALUES; value++)
			json_object_array_add(out, table_row(row, values[value].key,
							     values[value].head));
	}
	return out;
}

static void print_table(json_object *doc, size_t nr)
{
	struct field fields[4 + 2 * SIDES_MAX] = {
		{ .head = "MECHANISM", .path = "/mechanism" },
		{ .head = "METRIC", .path = "/metric" },
		{ .head = "VALUE", .path = "/value" },
	};
	char heads[2 * SIDES_MAX][8], paths[2 * SIDES_MAX][16];
	json_object *rows = table_rows(doc);
	size_t columns = 3;

	for (size_t i = 0; i < nr; i++) {
		snprintf(heads[2 * i], 8, "%c", (char)('A' + i));
		snprintf(paths[2 * i], 16, "/ns/%u", (unsigned int)i);
		fields[columns++] = (struct field){
			.head = heads[2 * i], .path = paths[2 * i], .text = text_value,
			.right = true,
		};
		if (!i)
			continue;
		snprintf(heads[2 * i + 1], 8, "%c/A", (char)('A' + i));
		snprintf(paths[2 * i + 1], 16, "/ratio/%u", (unsigned int)i);
		fields[columns++] = (struct field){
			.head = heads[2 * i + 1], .path = paths[2 * i + 1], .text = text_ratio,
			.right = true,
		};
	}
	/* Of two it is the ratio, or its inverse. */
	if (nr > 2)
		fields[columns++] = (struct field){
			.head = "SPREAD", .path = "/spread", .text = text_ratio, .right = true,
		};
	out_table(fields, columns, rows, NULL);
	json_object_put(rows);
}

static void print_verdict(json_object *doc)
{
	json_object *worst = json_object_object_get(doc, "worst"), *limit;

	limit = json_object_object_get(doc, "fail_above");
	if (worst)
		printf("\nThe largest ratio is %.2f: %s %s %s, %s/A", json_object_get_double(
		       json_object_object_get(worst, "ratio")), json_string(worst, "/mechanism"),
		       json_string(worst, "/metric"), json_string(worst, "/value"),
		       json_string(worst, "/name"));
	else
		fputs("\nThere is nothing in both to compare", stdout);
	if (limit && worst)
		printf("; %s %s", json_flag(doc, "/failed") ? "it is above" :
		       "none is above", json_object_get_string(limit));
	puts("");
}

static void print_compare(const struct result *result)
{
	json_object *files = json_object_object_get(result->doc, "files");
	size_t nr = json_object_array_length(files);

	for (size_t i = 0; i < nr && options.format == FORMAT_TEXT; i++) {
		json_object *side = json_object_array_get_idx(files, i);

		printf("%s  %s (%s%s)\n", json_string(side, "/name"), json_string(side, "/file"),
		       json_string(side, "/release"),
		       json_flag(side, "/realtime") ? ", PREEMPT_RT" : "");
	}
	if (options.format == FORMAT_TEXT)
		putchar('\n');
	print_table(result->doc, nr);
	if (options.format == FORMAT_TEXT)
		print_verdict(result->doc);
}

/* --- from files to the document */

static int check_kind(const struct side *a, const struct side *b, struct error *e)
{
	if (a->kind == b->kind)
		return 0;
	return usage(e, "'%s' is a recording and '%s' is not: they cannot be compared",
		     a->kind == SIDE_RECORDING ? a->path : b->path,
		     a->kind == SIDE_RECORDING ? b->path : a->path);
}

static int read_sides(const struct call *call, struct sides *sides, struct error *e)
{
	for (char **path = arg(call, "FILE")->rest; *path; path++) {
		struct side *side = &sides->list[sides->nr++];

		if (side_read(*path, side, e) || check_kind(&sides->list[0], side, e))
			return -1;
	}
	return 0;
}

static int judge(const struct call *call, const struct worst *worst, struct result *result)
{
	double limit = (double)arg_number(call, "--fail-above", 0) / 1000;
	bool given = arg_given(call, "--fail-above");
	/* If there is nothing to compare, nothing was shown to be well. */
	bool failed = given && (!worst->measure || worst->ratio > limit);

	json_add(result->doc, "fail_above", given ? ratio_value(limit) : NULL);
	json_add_bool(result->doc, "failed", failed);
	if (!failed)
		return 0;
	result->error.status = STATUS_FALSE;
	return -1;
}

static int run_compare(const struct call *call, struct lab *lab, struct result *result)
{
	struct sides *sides = xrealloc(NULL, 1, sizeof(*sides));
	struct worst worst = { 0 };
	int err;

	*sides = (struct sides){ 0 };
	err = read_sides(call, sides, &result->error);
	if (!err) {
		result->doc = compare_doc(sides, &worst);
		err = judge(call, &worst, result);
	}
	for (size_t i = 0; i < sides->nr; i++)
		side_free(&sides->list[i]);
	free(sides);
	return err;
}

static int check_compare(const struct call *call, struct error *e)
{
	size_t nr = 0;

	while (arg(call, "FILE")->rest[nr])
		nr++;
	if (nr < 2)
		return usage(e, "there is nothing to compare it with; give two files or more");
	return nr <= SIDES_MAX ? 0 : usage(e, "more than %d files", SIDES_MAX);
}

/* In thousandths. */
static int parse_ratio(const char *text, struct value *value, struct error *e)
{
	char *end;
	double ratio = strtod(text, &end);

	if (strspn(text, "0123456789.") != strlen(text) || !*text || *end || ratio <= 0 ||
	    ratio > 1e6)
		return usage(e, "'%s' is not a ratio; write 1.5, say", text);
	value->number = (uint64_t)(ratio * 1000 + 0.5);
	return 0;
}

static const struct arg_type arg_files = {
	.meta = "FILE",
	.parse = arg_parse_any,
	.compgen = 'f',
	.span = SPAN_WORDS,
};

static const struct arg_type arg_ratio = { .meta = "RATIO", .parse = parse_ratio };

const struct command command_compare = {
	.name = "compare",
	.summary = "compare recordings",
	.args = ARGS(
		{ "FILE", &arg_files },
		{ "--fail-above", &arg_ratio, "exit with 1 if a ratio is above this" }),
	.notes =
	"All files are of 'bhctl record', or all of 'bhctl latency --json'. The first one is A; a\n"
	"ratio such as B/A is above 1 where B took longer. SPREAD is the largest of a row divided\n"
	"by the smallest. The largest ratio is of P50 and P99; not of MAX, nor of P99 where there\n"
	"are fewer than 100 runs: these are matters of chance.\n",
	.lab = LAB_NONE,
	.check = check_compare,
	.run = run_compare,
	.print = print_compare,
};
