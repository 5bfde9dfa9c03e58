// SPDX-License-Identifier: GPL-2.0-only
/* events: the records of the ring, as a table, or one by one as they come. */
#include <errno.h>
#include <inttypes.h>
#include <json.h>
#include <stdio.h>

#include "command/command.h"
#include "lab/event_row.h"
#include "lab/lab.h"
#include "base/out.h"
#include "lab/ring.h"
#include "base/signals.h"
#include "base/words.h"

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

/* --- what is shown, and when */

/* All are of one lab. */
static const struct field *const fields = event_fields + 1;
#define nr_fields	(event_fields_nr - 1)

static const char *mech_name(const struct lab *lab, uint32_t number)
{
	const struct bhlab_mech_info *mech = lab_mech(lab, number);

	return mech ? mech->out_name : "?";
}

static void show_row(struct show *show, json_object *row)
{
	if (show->rows) {
		json_object_array_add(show->rows, row);
		return;
	}
	if (options.format == FORMAT_JSON)
		out_json(row);
	else
		out_stream_row(fields, nr_fields, row, &show->base);
	json_object_put(row);
}

static void show_records(struct show *show, const struct records *records)
{
	for (size_t i = 0; i < records->nr && show->shown < show->max; i++) {
		const struct bhlab_event *event = &records->list[i];

		if ((show->item && event->item != show->item) ||
		    (show->kind && event->kind != show->kind))
			continue;
		if (!show->shown++ && !show->absolute)
			show->base = event->started_ns;
		show_row(show, event_json(event, lab_name(show->lab, event->item),
					  mech_name(show->lab, event->mech)));
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
		fprintf(stderr,
			"bhctl: events: %" PRIu64
			" records%s%s were overwritten before they were read\n",
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
		err = ring_wait(&show->ring, 1, show->idle_ns);
		if (err == ETIMEDOUT && show->idle_ns < BHLAB_NS_MAX && show->shown == before)
			break;
		if (err && err != EINTR && err != ETIMEDOUT)
			break;
	}
	if (signals_caught())
		note("interrupted; %" PRIu64 " events were shown", show->shown);
	return err == EINTR ? 0 : err;
}

static int check_events(const struct call *call, struct error *e)
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
		return fail(e, STATUS_REFUSED, err, "there is no item %s in this lab",
			    arg_typed(call, "--item"));
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
		out_table(fields, nr_fields, show->rows, &show->base);
	json_object_put(show->rows);
	return err;
}

static int run_events(const struct call *call, struct lab *lab, struct result *result)
{
	struct show show;
	int err;

	if (show_open(&show, call, lab, &result->error))
		return -1;
	if (show.follow && options.format == FORMAT_TEXT)
		out_stream_head(fields, nr_fields);
	err = show.follow ? follow(&show) : snapshot(&show);
	ring_close(&show.ring);
	if (err == ETIMEDOUT && show.max == UINT64_MAX)
		return 0;
	if (err == ETIMEDOUT)
		return fail(&result->error, STATUS_TIMEOUT, err, "only %" PRIu64 " came in time",
			    show.shown);
	return err ? refused(&result->error, call, err) : 0;
}

const struct command command_events = {
	.name = "events",
	.summary = "show the recorded events",
	.args = ARGS(
		{ "--follow", &arg_flag,
		  "wait for more events, and print each as it comes", .letter = 'f' },
		{ "--count", &arg_u64, "stop after this many events", .letter = 'n' },
		{ "--item", &arg_item, "show events of this item only" },
		{ "--kind", .words = &kind_words, .help = "show events of this kind only" },
		{ "--idle-timeout", &arg_period, "with -f: stop when no event came for this long" },
		{ "--read", &arg_flag, "consume the events, by read()" },
		{ "--absolute", &arg_flag,
		  "print times of CLOCK_MONOTONIC, not since the first event" }),
	.notes = "Without --read the events stay in the ring, and can be shown again.\n",
	.lab = LAB_STATE,
	.check = check_events,
	.run = run_events,
};
