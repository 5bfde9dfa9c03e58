// SPDX-License-Identifier: GPL-2.0-only
/* A record as JSON, and as a row of a table. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bhctl.h"
#include "lab/event_row.h"
#include "base/parse.h"
#include "base/text.h"
#include "base/words.h"

/* --- a record as JSON */

static json_object *cpu_json(uint32_t cpu)
{
	return cpu == BHLAB_CPU_NONE ? NULL : json_object_new_uint64(cpu);
}

static void add_who(json_object *row, const struct bhlab_event *event, const char *item,
		    const char *mechanism)
{
	json_add_text(row, "kind", word_name(&kind_words, event->kind));
	json_add_text(row, "item", item);
	json_add_number(row, "id", event->item);
	json_add_text(row, "mechanism", mechanism);
	json_add_text(row, "stage", word_name(&stage_words, event->stage));
	json_add_number(row, "nth", event->nth);
	json_add_number(row, "lab", event->lab);
	json_add_number(row, "cookie", event->cookie);
	json_add(row, "data", json_text(event->data));
}

static void add_when(json_object *row, const struct bhlab_event *event)
{
	json_add_number(row, "queued_ns", event->queued_ns);
	json_add_number(row, "started_ns", event->started_ns);
	json_add_number(row, "finished_ns", event->finished_ns);
	json_add_number(row, "seq", event->seq);
}

static void add_where(json_object *row, const struct bhlab_event *event)
{
	json_add(row, "context", word_bits(&context_words, event->context));
	json_add(row, "queue_cpu", cpu_json(event->queue_cpu));
	json_add_number(row, "cpu", event->cpu);
	json_add_number(row, "ring_cpu", event->ring_cpu);
	json_add_number(row, "pid", event->pid);
	json_add(row, "comm", json_text(event->comm));
	json_add(row, "softirq_queued", word_bits(&softirq_words, event->softirq_queued));
	json_add(row, "softirq_started", word_bits(&softirq_words, event->softirq_started));
}

static void add_what(json_object *row, const struct bhlab_event *event)
{
	json_add_number(row, "value", event->value);
	json_add_number(row, "skipped", event->skipped);
	json_add(row, "reasons", word_bits(&skip_words, event->flags));
}

json_object *event_json(const struct bhlab_event *event, const char *item, const char *mechanism)
{
	json_object *row = json_object_new_object();

	add_who(row, event, item, mechanism);
	add_when(row, event);
	add_where(row, event);
	add_what(row, event);
	return row;
}

/* --- the cells of the table */

static void text_time(json_object *row, json_object *value, const void *arg, char *cell)
{
	const uint64_t *base = arg;
	int64_t ns = (int64_t)(json_object_get_uint64(value) - *base);
	uint64_t us = (uint64_t)(ns < 0 ? -ns : ns) / 1000;

	snprintf(cell, CELL_SIZE, "%s%" PRIu64 ".%06" PRIu64, ns < 0 ? "-" : "", us / 1000000,
		 us % 1000000);
}

static void text_kind(json_object *row, json_object *value, const void *arg, char *cell)
{
	const char *stage = json_string(row, "/stage");

	snprintf(cell, CELL_SIZE, "%s%s%s", json_object_get_string(value),
		 strcmp(stage, "main") ? "/" : "", strcmp(stage, "main") ? stage : "");
}

static bool in_context(json_object *row, const char *word)
{
	json_object *context = json_object_object_get(row, "context");

	for (size_t i = 0; i < json_object_array_length(context); i++)
		if (!strcmp(json_object_get_string(json_object_array_get_idx(context, i)), word))
			return true;
	return false;
}

static const char *main_context(json_object *row)
{
	return in_context(row, "hardirq") ? "hardirq" :
	       in_context(row, "softirq") ? "softirq" :
					    "task";
}

/* Hardirqs have interrupts off, softirqs bottom halves: only what differs is said. */
static void text_context(json_object *row, json_object *value, const void *arg, char *cell)
{
	const char *context = main_context(row);
	bool task = !strcmp(context, "task"), hardirq = !strcmp(context, "hardirq");

	snprintf(cell, CELL_SIZE, "%s%s%s%s%s", context,
		 in_context(row, "ksoftirqd") ? " (ksoftirqd)" : "",
		 in_context(row, "irqs-off") == hardirq ? "" : hardirq ? ", irqs on" : ", irqs off",
		 task && in_context(row, "bh-off") ? ", bh off" : "",
		 !task && in_context(row, "preemptible") ? ", preemptible" : "");
}

static const char *color_context(json_object *row)
{
	const char *context = main_context(row);

	return !strcmp(context, "hardirq") ? "\033[31m" :
	       !strcmp(context, "softirq") ? "\033[33m" : "\033[32m";
}

static void text_cpu(json_object *row, json_object *value, const void *arg, char *cell)
{
	const char *queued = json_string(row, "/queue_cpu"), *ran = json_object_get_string(value);

	snprintf(cell, CELL_SIZE, "%s%s%s", queued, *queued ? out_arrow() : "", ran);
}

static void text_between(json_object *row, const char *from, const char *to, char *cell)
{
	if (!strcmp(json_string(row, "/kind"), "run"))
		period_round(json_number(row, to) - json_number(row, from), cell, CELL_SIZE);
}

static void text_latency(json_object *row, json_object *value, const void *arg, char *cell)
{
	text_between(row, "/queued_ns", "/started_ns", cell);
}

static void text_run_time(json_object *row, json_object *value, const void *arg, char *cell)
{
	text_between(row, "/started_ns", "/finished_ns", cell);
}

static void text_nth(json_object *row, json_object *value, const void *arg, char *cell)
{
	if (json_object_get_uint64(value))
		snprintf(cell, CELL_SIZE, "%s", json_object_get_string(value));
}

static void note_value(json_object *row, struct text *text)
{
	const char *kind = json_string(row, "/kind");
	uint64_t value = json_number(row, "/value");

	if (!strcmp(kind, "mark"))
		text_add(text, "value %" PRIu64, value);
	else if (!strcmp(kind, "disabled") || !strcmp(kind, "enabled"))
		text_add(text, "depth %" PRIu64, value);
	else if (!strcmp(kind, "dropped"))
		text_add(text, "%" PRIu64 " found no room", value);
	else if (!strcmp(kind, "run") && value)
		text_add(text, "requeue %" PRIu64, value);
}

/* "2 skipped: target-gone, held" */
static void note_skipped(json_object *row, struct text *text)
{
	json_object *reasons = json_object_object_get(row, "reasons");
	uint64_t skipped = json_number(row, "/skipped");
	const char *separator = ", ";
	char number[32];

	if (skipped) {
		snprintf(number, sizeof(number), "%" PRIu64 " skipped", skipped);
		text_join(text, separator, number);
		separator = ": ";
	}
	for (size_t i = 0; i < json_object_array_length(reasons); i++) {
		text_join(text, separator,
			  json_object_get_string(json_object_array_get_idx(reasons, i)));
		separator = ", ";
	}
}

static void text_notes(json_object *row, json_object *value, const void *arg, char *cell)
{
	struct text text = text_in(cell, CELL_SIZE);
	const char *data = json_string(row, "/data");

	note_value(row, &text);
	note_skipped(row, &text);
	if (!*data)
		return;
	text_join(&text, ", ", "\"");
	text_add(&text, "%s\"", data);
}

const struct field event_fields[] = {
	{ .head = "LAB", .path = "/lab", .width = 3, .right = true },
	{ .head = "TIME", .path = "/started_ns", .text = text_time, .width = 11, .right = true },
	{ .head = "EVENT", .path = "/kind", .text = text_kind, .width = 10 },
	{ .head = "ITEM", .path = "/item", .width = 10 },
	{ .head = "MECH", .path = "/mechanism", .width = 10 },
	{ .head = "CONTEXT", .path = "/context", .text = text_context, .width = 20,
	  .color = color_context },
	{ .head = "CPU", .path = "/cpu", .text = text_cpu, .width = 4 },
	{ .head = "PID", .path = "/pid", .width = 5, .right = true },
	{ .head = "COMM", .path = "/comm", .width = 15 },
	{ .head = "LATENCY", .path = "/queued_ns", .text = text_latency, .width = 7,
	  .right = true },
	{ .head = "RUNTIME", .path = "/finished_ns", .text = text_run_time, .width = 7,
	  .right = true },
	{ .head = "NTH", .path = "/nth", .text = text_nth, .width = 4, .right = true },
	{ .head = "NOTES", .path = "/value", .text = text_notes },
};

const size_t event_fields_nr = ARRAY_SIZE(event_fields);
