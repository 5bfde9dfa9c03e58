// SPDX-License-Identifier: GPL-2.0-only
/* events: the records of the ring, as a table, or one by one as they come. */
#include <errno.h>
#include <inttypes.h>
#include <json.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "lab.h"
#include "out.h"
#include "parse.h"
#include "ring.h"
#include "signals.h"
#include "words.h"

/* One "bhctl events" while it runs. */
struct show {
	struct lab *lab;
	struct ring ring;
	uint32_t item;		/* only this one; 0: all */
	uint32_t kind;		/* only this one; 0: all */
	uint64_t max;		/* stop after so many */
	uint64_t shown;
	uint64_t base;		/* TIME counts from here */
	bool absolute;
	bool follow;
	uint64_t idle_ns;
	json_object *rows;	/* of the table; NULL: each is printed as it comes */
};

/* --- a record as JSON */

static json_object *cpu_json(uint32_t cpu)
{
	return cpu == BHLAB_CPU_NONE ? NULL : json_object_new_uint64(cpu);
}

static void add_who(json_object *row, struct lab *lab, const struct bhlab_event *event)
{
	const struct bhlab_mech_info *mech = lab_mech(lab, event->mech);

	json_add_text(row, "kind", word_name(&kind_words, event->kind));
	json_add_text(row, "item", lab_name(lab, event->item));
	json_add_number(row, "id", event->item);
	json_add_text(row, "mechanism", mech ? mech->out_name : "?");
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

static json_object *event_json(struct lab *lab, const struct bhlab_event *event)
{
	json_object *row = json_object_new_object();

	add_who(row, lab, event);
	add_when(row, event);
	add_where(row, event);
	add_what(row, event);
	return row;
}

/* --- the cells of the table */

static void text_time(json_object *row, json_object *value, const void *arg, char *cell)
{
	const struct show *show = arg;
	int64_t ns = (int64_t)(json_object_get_uint64(value) - (show->absolute ? 0 : show->base));
	uint64_t us = (uint64_t)(ns < 0 ? -ns : ns) / 1000;

	(void)row;
	snprintf(cell, CELL_SIZE, "%s%" PRIu64 ".%06" PRIu64, ns < 0 ? "-" : "", us / 1000000, us % 1000000);
}

static void text_kind(json_object *row, json_object *value, const void *arg, char *cell)
{
	const char *stage = json_string(row, "/stage");

	(void)arg;
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
	return in_context(row, "hardirq") ? "hardirq" : in_context(row, "softirq") ? "softirq" : "task";
}

/* Hardirqs have interrupts off, softirqs bottom halves: only what differs is said. */
static void text_context(json_object *row, json_object *value, const void *arg, char *cell)
{
	const char *context = main_context(row);
	bool task = !strcmp(context, "task"), hardirq = !strcmp(context, "hardirq");

	(void)value;
	(void)arg;
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

	(void)arg;
	snprintf(cell, CELL_SIZE, "%s%s%s", queued, *queued ? out_arrow() : "", ran);
}

static void text_between(json_object *row, const char *from, const char *to, char *cell)
{
	if (!strcmp(json_string(row, "/kind"), "run"))
		period_round(json_number(row, to) - json_number(row, from), cell, CELL_SIZE);
}

static void text_latency(json_object *row, json_object *value, const void *arg, char *cell)
{
	(void)value;
	(void)arg;
	text_between(row, "/queued_ns", "/started_ns", cell);
}

static void text_run_time(json_object *row, json_object *value, const void *arg, char *cell)
{
	(void)value;
	(void)arg;
	text_between(row, "/started_ns", "/finished_ns", cell);
}

static void text_nth(json_object *row, json_object *value, const void *arg, char *cell)
{
	(void)row;
	(void)arg;
	if (json_object_get_uint64(value))
		snprintf(cell, CELL_SIZE, "%s", json_object_get_string(value));
}

static size_t note_value(json_object *row, char *cell)
{
	const char *kind = json_string(row, "/kind");
	uint64_t value = json_number(row, "/value");

	if (!strcmp(kind, "mark"))
		return snprintf(cell, CELL_SIZE, "value %" PRIu64, value);
	if (!strcmp(kind, "disabled") || !strcmp(kind, "enabled"))
		return snprintf(cell, CELL_SIZE, "depth %" PRIu64, value);
	if (!strcmp(kind, "dropped"))
		return snprintf(cell, CELL_SIZE, "%" PRIu64 " found no room", value);
	if (!strcmp(kind, "run") && value)
		return snprintf(cell, CELL_SIZE, "requeue %" PRIu64, value);
	return 0;
}

static void text_notes(json_object *row, json_object *value, const void *arg, char *cell)
{
	size_t len = note_value(row, cell);
	json_object *reasons = json_object_object_get(row, "reasons");
	uint64_t skipped = json_number(row, "/skipped");
	const char *data = json_string(row, "/data");

	(void)value;
	(void)arg;
	if (skipped)
		len += snprintf(cell + len, CELL_SIZE - len, "%s%" PRIu64 " skipped", len ? ", " : "", skipped);
	for (size_t i = 0; i < json_object_array_length(reasons); i++)
		len += snprintf(cell + len, CELL_SIZE - len, "%s%s", i || !skipped ? ", " : ": ",
				json_object_get_string(json_object_array_get_idx(reasons, i)));
	if (*data)
		snprintf(cell + len, CELL_SIZE - len, "%s\"%s\"", len ? ", " : "", data);
}

static const struct field fields[] = {
	{ .head = "TIME", .path = "/started_ns", .text = text_time, .width = 11, .right = true },
	{ .head = "EVENT", .path = "/kind", .text = text_kind, .width = 10 },
	{ .head = "ITEM", .path = "/item", .width = 10 },
	{ .head = "MECH", .path = "/mechanism", .width = 10 },
	{ .head = "CONTEXT", .path = "/context", .text = text_context, .width = 20, .color = color_context },
	{ .head = "CPU", .path = "/cpu", .text = text_cpu, .width = 4 },
	{ .head = "PID", .path = "/pid", .width = 5, .right = true },
	{ .head = "COMM", .path = "/comm", .width = 15 },
	{ .head = "LATENCY", .path = "/queued_ns", .text = text_latency, .width = 7, .right = true },
	{ .head = "RUNTIME", .path = "/finished_ns", .text = text_run_time, .width = 7, .right = true },
	{ .head = "NTH", .path = "/nth", .text = text_nth, .width = 4, .right = true },
	{ .head = "NOTES", .path = "/value", .text = text_notes },
};

/* --- what is shown, and when */

static void show_row(struct show *show, json_object *row)
{
	if (show->rows) {
		json_object_array_add(show->rows, row);
		return;
	}
	if (options.format == FORMAT_JSON)
		out_json(row);
	else
		out_stream_row(fields, ARRAY_SIZE(fields), row, show);
	json_object_put(row);
}

static void show_records(struct show *show, const struct records *records)
{
	for (size_t i = 0; i < records->nr && show->shown < show->max; i++) {
		const struct bhlab_event *event = &records->list[i];

		if ((show->item && event->item != show->item) || (show->kind && event->kind != show->kind))
			continue;
		if (!show->shown++)
			show->base = event->started_ns;
		show_row(show, event_json(show->lab, event));
	}
}

/* By read() nobody knows of which CPU they were. */
static void show_lost(struct show *show, uint32_t cpu, uint64_t count)
{
	json_object *row = json_object_new_object();
	bool by_cpu = show->ring.map;

	json_add_text(row, "kind", "lost");
	json_add(row, "cpu", by_cpu ? json_object_new_uint64(cpu) : NULL);
	json_add_number(row, "count", count);
	if (options.format == FORMAT_JSON) {
		out_json(row);
	} else {
		fflush(stdout);
		fprintf(stderr, "bhctl: events: %" PRIu64 " records%s%s were overwritten before they were read\n",
			count, by_cpu ? " of CPU " : "", by_cpu ? json_string(row, "/cpu") : "");
	}
	json_object_put(row);
}

/* What is there now; the losses come before what was not lost. */
static int show_new(struct show *show)
{
	struct records records = { 0 };
	int err = ring_drain(&show->ring, &records);

	for (uint32_t cpu = 0; cpu < show->ring.setup.out_cpus; cpu++) {
		uint64_t lost = ring_lost(&show->ring, cpu);

		if (lost)
			show_lost(show, cpu, lost);
	}
	show_records(show, &records);
	records_free(&records);
	fflush(stdout);
	return err;
}

/* 0 when it was asked to end: enough shown, idle for long enough, or SIGINT. */
static int follow(struct show *show)
{
	uint64_t before;
	int err;

	for (;;) {
		before = show->shown;
		err = show_new(show);
		if (err || show->shown == show->max || signals_caught())
			break;
		err = ring_wait(&show->ring, show->idle_ns);
		if (err == ETIMEDOUT && show->idle_ns < BHLAB_NS_MAX && show->shown == before)
			break;
		if (err && err != EINTR && err != ETIMEDOUT)
			break;
	}
	if (signals_caught())
		note("interrupted; %" PRIu64 " events were shown", show->shown);
	return err == EINTR ? 0 : err;
}

int check_events(const struct call *call, struct error *e)
{
	if (arg_given(call, "--idle-timeout") && !arg_given(call, "--follow"))
		return usage(e, "--idle-timeout is for --follow");
	return 0;
}

static int show_open(struct show *show, const struct call *call, struct lab *lab, struct error *e)
{
	int err = 0;

	*show = (struct show){
		.lab = lab,
		.kind = (uint32_t)arg_number(call, "--kind", 0),
		.max = arg_number(call, "--count", UINT64_MAX),
		.absolute = arg_given(call, "--absolute"),
		.follow = arg_given(call, "--follow"),
		.idle_ns = arg_number(call, "--idle-timeout", BHLAB_NS_MAX),
	};
	if (lab_mechs(lab, e))
		return -1;
	if (arg_given(call, "--item"))
		err = lab_object(lab, arg(call, "--item"), &show->item);
	if (err == ENOENT)
		return fail(e, STATUS_REFUSED, err, "there is no item %s in this lab", arg_typed(call, "--item"));
	if (!err)
		err = ring_open(&show->ring, lab, arg_given(call, "--read"));
	return err ? refused(e, call, err) : 0;
}

/* All there is, as one aligned table; JSON needs no aligning. */
static int snapshot(struct show *show)
{
	int err;

	if (options.format == FORMAT_TEXT)
		show->rows = json_object_new_array();
	err = show_new(show);
	if (show->rows)
		out_table(fields, ARRAY_SIZE(fields), show->rows, show);
	json_object_put(show->rows);
	return err;
}

int run_events(const struct call *call, struct lab *lab, struct result *result)
{
	struct show show;
	int err;

	if (show_open(&show, call, lab, &result->error))
		return -1;
	if (show.follow && options.format == FORMAT_TEXT)
		out_stream_head(fields, ARRAY_SIZE(fields));
	err = show.follow ? follow(&show) : snapshot(&show);
	ring_close(&show.ring);
	if (err == ETIMEDOUT && show.max == UINT64_MAX)
		return 0;
	if (err == ETIMEDOUT)
		return fail(&result->error, STATUS_TIMEOUT, err, "only %" PRIu64 " came in time", show.shown);
	return err ? refused(&result->error, call, err) : 0;
}
