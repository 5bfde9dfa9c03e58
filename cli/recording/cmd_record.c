// SPDX-License-Identifier: GPL-2.0-only
/* record: a program inside a lab, and a file of all that happens there. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "command/command.h"
#include "base/spawn.h"
#include "lab/lab.h"
#include "base/out.h"
#include "recording/recording.h"
#include "base/signals.h"

#define SETTLE_NS	1000000000ULL
/* The ring is read when a sub-ring could be so full, and the child looked after so often. */
#define FULL_PART	4
#define LOOK_NS		20000000ULL
/* What is longer is not worth its place. */
#define COMMAND_MAX	65536

/* One "bhctl record" while it runs. */
struct record {
	const struct call *call;
	struct lab *lab;
	struct ring ring;
	const char *path;
	int fd;			/* -1: the file cannot be written any more */
	int err;		/* why */
	bool from_start;	/* nothing was recorded in this lab before */
	bool *named;		/* by id: the item is in the file, or was gone already */
	uint32_t nr_named;
	uint64_t written, lost;
	bool at_rest;
	int status;		/* the program's */
};

static int check_record(const struct call *call, struct error *e)
{
	if (!arg_given(call, "--output"))
		return usage(e, "-o FILE is missing");
	if (!strcmp(arg_typed(call, "--output"), "-"))
		return usage(e,
			     "--output: a recording is not text, and standard output is the "
			     "program's");
	return 0;
}

/* --- into the file: the first failure ends that, but not the program */

static void written(struct record *r, int err)
{
	if (!err || r->fd < 0)
		return;
	r->err = err;
	close(r->fd);
	r->fd = -1;
}

static void write_json(struct record *r, enum chunk_type type, json_object *doc)
{
	if (r->fd >= 0)
		written(r, recording_json(r->fd, type, doc));
	json_object_put(doc);
}

static json_object *command_json(char **argv)
{
	json_object *words = json_object_new_array();
	size_t len = 0;

	for (; *argv && len < COMMAND_MAX; argv++) {
		len += strlen(*argv);
		json_object_array_add(words, len < COMMAND_MAX ? json_text(*argv) :
								 json_object_new_string("..."));
	}
	return words;
}

static json_object *mechs_json(const struct lab *lab)
{
	json_object *names = json_object_new_array();

	for (uint32_t i = 0; i < lab->info.out_mechs; i++)
		json_object_array_add(names, json_object_new_string(lab->mechs[i].out_name));
	return names;
}

static json_object *head_json(const struct record *r)
{
	json_object *doc = json_object_new_object();
	time_t now = time(NULL);
	struct utsname uts;
	char when[32];

	uname(&uts);
	strftime(when, sizeof(when), "%FT%TZ", gmtime(&now));
	json_add_text(doc, "bhctl", BHCTL_VERSION);
	json_add_text(doc, "release", uts.release);
	json_add_text(doc, "version", uts.version);
	json_add_text(doc, "machine", uts.machine);
	json_add_bool(doc, "realtime", r->lab->info.out_features & BHLAB_FEATURE_RT);
	json_add_number(doc, "cpus", r->ring.setup.out_cpus);
	json_add_number(doc, "ring_records", r->ring.setup.records);
	json_add(doc, "mechanisms", mechs_json(r->lab));
	json_add(doc, "command", command_json(arg(r->call, "CMD")->rest));
	json_add_text(doc, "start_time", when);
	json_add_number(doc, "start_ns", monotonic_ns());
	return doc;
}

static json_object *item_json(const struct bhlab_item_state *state)
{
	json_object *doc = json_object_new_object();

	json_add_number(doc, "id", state->id);
	json_add_number(doc, "mech", state->out_mech);
	json_add_text(doc, "name", state->out_name);
	return doc;
}

/* While it lives, which may not be for long: an id is asked about once, when it is first seen. */
static void write_name(struct record *r, uint32_t id)
{
	struct bhlab_item_state state = { .size = sizeof(state), .id = id };
	uint32_t nr = (id | 63) + 1;

	if (id >= r->nr_named) {
		r->named = xrealloc(r->named, nr, sizeof(*r->named));
		memset(r->named + r->nr_named, 0, (nr - r->nr_named) * sizeof(*r->named));
		r->nr_named = nr;
	}
	if (!r->named[id] && !lab_ioctl(r->lab, BHLAB_IOC_ITEM_STATE, &state))
		write_json(r, CHUNK_ITEM, item_json(&state));
	r->named[id] = true;
}

/* What the driver has counted says how many runs of an item were lost, if we saw them all. */
static void write_items(struct record *r)
{
	struct bhlab_item_state state;

	for (uint32_t id = 0; lab_next_item(r->lab, &state, id); id = state.id) {
		json_object *doc = item_json(&state);

		if (r->from_start) {
			json_add_number(doc, "runs", state.out_runs);
			json_add_number(doc, "thread_runs", state.out_thread_runs);
		}
		write_json(r, CHUNK_ITEM, doc);
	}
}

static void write_lost(struct record *r)
{
	for (uint32_t cpu = 0; cpu < r->ring.setup.out_cpus; cpu++) {
		uint64_t lost = ring_lost(&r->ring, cpu);
		json_object *doc;

		if (!lost)
			continue;
		doc = json_object_new_object();
		json_add_number(doc, "cpu", cpu);
		json_add_number(doc, "count", lost);
		write_json(r, CHUNK_LOST, doc);
		r->lost += lost;
	}
}

/* What is there now. */
static void write_new(struct record *r)
{
	struct records records = { 0 };

	written(r, ring_drain(&r->ring, &records));
	for (size_t i = 0; i < records.nr; i++)
		write_name(r, records.list[i].item);
	write_lost(r);
	if (records.nr && r->fd >= 0)
		written(r, recording_records(r->fd, records.list, records.nr));
	if (r->fd >= 0)
		r->written += records.nr;
	records_free(&records);
}

static void write_end(struct record *r)
{
	json_object *doc = json_object_new_object();

	json_add_number(doc, "status", (uint64_t)r->status);
	json_add_bool(doc, "at_rest", r->at_rest);
	json_add_bool(doc, "interrupted", signals_caught());
	json_add_number(doc, "end_ns", monotonic_ns());
	write_json(r, CHUNK_END, doc);
}

/* --- while the program runs, and after */

/* The first signal is for the program, too, in case only we have got it; the second one ends us. */
static void look_after(struct record *r, pid_t child)
{
	bool told = false;
	int status = 0;

	while (!waitpid(child, &status, WNOHANG)) {
		write_new(r);
		if (signals_caught() && !told) {
			kill(child, signals_caught());
			told = true;
		}
		ring_wait(&r->ring, r->ring.setup.records / FULL_PART, LOOK_NS);
	}
	r->status = exec_status(status);
}

/* One look at all items; what will never be idle is not waited for. */
static bool all_idle(struct record *r, uint64_t *accepted)
{
	struct bhlab_item_state state;
	bool idle = true;

	*accepted = 0;
	for (uint32_t id = 0; lab_next_item(r->lab, &state, id); id = state.id) {
		*accepted += state.out_accepted + state.out_thread_wakes;
		idle = idle && !(state.out_state & ITEM_BUSY) && !item_is_stuck(&state);
	}
	return idle;
}

/*
 * An item that is idle may have been queued by another one when that is looked
 * at: so all are idle twice, and nothing was accepted in between.
 */
static void come_to_rest(struct record *r)
{
	uint64_t deadline = monotonic_ns() + arg_number(r->call, "--settle", SETTLE_NS);
	uint64_t accepted, before = UINT64_MAX;

	for (;;) {
		bool idle = all_idle(r, &accepted);

		write_new(r);
		r->at_rest = idle && accepted == before;
		if (r->at_rest || signals_caught() || monotonic_ns() >= deadline)
			return;
		before = idle ? accepted : UINT64_MAX;
		if (!idle)
			ring_wait(&r->ring, r->ring.setup.records / FULL_PART, LOOK_NS);
	}
}

/* --- before it */

static int set_up_ring(struct record *r, struct error *e)
{
	struct bhlab_ring_setup setup = {
		.size = sizeof(setup), .flags = BHLAB_RING_RECORDS,
		.records = (uint32_t)arg_number(r->call, "--records", 0),
	};
	struct records old = { 0 };
	int err = 0;

	if (arg_given(r->call, "--records"))
		err = lab_ioctl(r->lab, BHLAB_IOC_RING, &setup);
	if (!err)
		err = ring_open(&r->ring, r->lab, false);
	if (err)
		return refused(e, r->call, err);
	/* In a lab that is not new: what was before is none of ours. */
	r->from_start = !r->ring.setup.out_recorded;
	ring_drain(&r->ring, &old);
	records_free(&old);
	for (uint32_t cpu = 0; cpu < r->ring.setup.out_cpus; cpu++)
		ring_lost(&r->ring, cpu);
	return 0;
}

static int open_lab(struct record *r, struct error *e)
{
	int err = r->lab->kept ? r->lab->fd < 0 && lab_open(r->lab, e) : lab_open_new(r->lab, e);

	return err || lab_mechs(r->lab, e) ? -1 : 0;
}

/* After all that can be refused: what was in the file is gone. */
static int open_file(struct record *r, struct error *e)
{
	r->fd = open(r->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (r->fd < 0)
		return fail(e, STATUS_USAGE, errno, "cannot write '%s': %s", r->path,
			    strerror(errno));
	written(r, recording_start(r->fd));
	write_json(r, CHUNK_HEAD, head_json(r));
	return r->err ? fail(e, STATUS_REFUSED, r->err, "cannot write '%s'", r->path) : 0;
}

static int prepare(struct record *r, struct error *e)
{
	const char *name = arg(r->call, "CMD")->rest[0];
	int err = exec_find(name);

	if (err)
		return exec_not_found(name, err, e);
	return open_lab(r, e) || set_up_ring(r, e) || open_file(r, e) ? -1 : 0;
}

/* --- and in the end */

static int finish(struct record *r, struct error *e)
{
	write_items(r);
	write_end(r);
	if (r->fd >= 0 && close(r->fd))
		r->err = errno;
	if (r->err)
		return fail(e, STATUS_REFUSED, r->err,
			    "cannot write '%s'; it ends after %" PRIu64 " records", r->path,
			    r->written);
	if (r->lost)
		fprintf(stderr,
			"bhctl: record: %" PRIu64
			" records were overwritten before they were read; %s\n",
			r->lost, "see --records");
	if (!r->at_rest)
		note("some activations have not run yet; "
		     "their events are not recorded");
	note("%" PRIu64 " records are in '%s'", r->written, r->path);
	e->status = r->status;
	return r->status ? -1 : 0;
}

static int run_record(const struct call *call, struct lab *lab, struct result *result)
{
	struct record r = {
		.call = call, .lab = lab, .path = arg_typed(call, "--output"), .fd = -1
	};
	char **argv = arg(call, "CMD")->rest;
	pid_t child;
	int err;

	signals_catch(SIGTERM);
	err = prepare(&r, &result->error);
	if (!err) {
		child = exec_start(call->subject, (lab)->fd, argv, &result->error);
		err = child < 0 ? -1 : 0;
	}
	if (!err) {
		look_after(&r, child);
		come_to_rest(&r);
		err = finish(&r, &result->error);
	}
	ring_close(&r.ring);
	free(r.named);
	return err;
}

const struct command command_record = {
	.name = "record",
	.summary = "run a program in a lab, and record the events",
	.args = ARGS(
		{ "--output", &arg_file, "write this file; required", .letter = 'o' },
		{ "--records", &arg_u32,
		  "records of each CPU's sub-ring; a power of two" },
		{ "--settle", &arg_period,
		  "wait this long for activations of CMD; default 1s" },
		{ "CMD", &arg_rest }),
	.notes =
	"Like 'bhctl exec', but writes all events of the lab into FILE, until CMD has ended and\n"
	"all its activations have run. 'bhctl report FILE' shows it. The lab is a new one; in a\n"
	"batch it is the batch's, with --fd that descriptor's. The exit status is that of CMD.\n"
	"The first SIGINT or SIGTERM ends CMD and the recording, and FILE is complete. The\n"
	"second one ends bhctl at once; FILE can be read up to that point.\n",
	.meanings = MEANINGS(
		{ EBUSY, "the ring is in use; --records is for a new lab" },
		{ EINVAL, "--records must be a power of two and at least a page" },
		{ ENOSPC, "--records is more than the module parameter ring_bytes allows" }),
	.lab = LAB_NONE,
	.check = check_record,
	.run = run_record,
};
