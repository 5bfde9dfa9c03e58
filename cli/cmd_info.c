// SPDX-License-Identifier: GPL-2.0-only
/* info, mechanisms, list, show and ring: the driver's and the items' state. */
#include <errno.h>
#include <inttypes.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "lab.h"
#include "out.h"
#include "steps.h"
#include "words.h"

/* --- info */

static json_object *limits_json(const struct bhlab_info *info)
{
	json_object *limits = json_object_new_object();

	json_add_number(limits, "items", info->out_max_items);
	json_add_number(limits, "irqs", info->out_max_irqs);
	json_add_number(limits, "steps", info->out_max_steps);
	json_add_number(limits, "chain", info->out_max_chain);
	json_add_number(limits, "atomic_ns", info->out_atomic_ns);
	json_add_number(limits, "atomic_cap_ns", info->out_atomic_cap_ns);
	json_add_number(limits, "process_ns", info->out_process_ns);
	return limits;
}

int run_info(const struct call *call, struct lab *lab, struct result *result)
{
	const struct bhlab_info *info = &lab->info;
	json_object *doc = json_object_new_object();

	(void)call;
	result->doc = doc;
	json_add_text(doc, "version", BHCTL_VERSION);
	json_add_number(doc, "abi", info->out_abi);
	json_add_text(doc, "kernel", info->out_kernel);
	json_add_number(doc, "lab", info->out_lab);
	json_add_number(doc, "cpus", info->out_cpus);
	json_add_number(doc, "mechanisms", info->out_mechs);
	json_add(doc, "features", word_bits(&feature_words, info->out_features));
	json_add(doc, "limits", limits_json(info));
	return 0;
}

void print_info(const struct result *result)
{
	static const struct field fields[] = {
		{ .head = "bhctl", .path = "/version" },
		{ .head = "ABI", .path = "/abi" },
		{ .head = "driver built for", .path = "/kernel" },
		{ .head = "lab", .path = "/lab" },
		{ .head = "possible CPUs", .path = "/cpus" },
		{ .head = "mechanisms", .path = "/mechanisms" },
		{ .head = "features", .path = "/features" },
		{ .head = "items of a lab", .path = "/limits/items" },
		{ .head = "of these irqs", .path = "/limits/irqs" },
		{ .head = "steps of a program", .path = "/limits/steps" },
		{ .head = "chain of steps", .path = "/limits/chain" },
		{ .head = "atomic time of a run", .path = "/limits/atomic_ns", .text = text_period },
		{ .head = "with CAP_SYS_ADMIN", .path = "/limits/atomic_cap_ns", .text = text_period },
		{ .head = "process time of a run", .path = "/limits/process_ns", .text = text_period },
	};

	out_list(fields, ARRAY_SIZE(fields), result->doc);
}

/* --- mechanisms */

static const char *verb_support(const struct bhlab_mech_info *mech, uint32_t verb)
{
	return mech->out_native & 1U << verb ? "native" :
	       mech->out_emulated & 1U << verb ? "emulated" : NULL;
}

static json_object *steps_json(uint32_t allowed)
{
	json_object *array = json_object_new_array();

	for (uint32_t op = 0; op < 32; op++)
		if (allowed & 1U << op && step_by_op(op))
			json_object_array_add(array, json_object_new_string(step_by_op(op)->name));
	return array;
}

static json_object *mech_json(const struct bhlab_mech_info *mech)
{
	json_object *row = json_object_new_object(), *verbs = json_object_new_object();

	for (size_t i = 0; i < verb_words.nr; i++) {
		const char *support = verb_support(mech, verb_words.list[i].value);

		json_add(verbs, verb_words.list[i].name, support ? json_object_new_string(support) : NULL);
	}
	json_add_text(row, "name", mech->out_name);
	json_add(row, "context", word_bits(&context_words, mech->out_context));
	json_add_bool(row, "thread", mech->out_thread_steps);
	json_add(row, "verbs", verbs);
	json_add(row, "steps", steps_json(mech->out_steps));
	json_add(row, "thread_steps", steps_json(mech->out_thread_steps));
	return row;
}

int run_mechanisms(const struct call *call, struct lab *lab, struct result *result)
{
	json_object *rows;

	(void)call;
	if (lab_mechs(lab, &result->error))
		return -1;
	rows = json_object_new_array();
	for (uint32_t i = 0; i < lab->info.out_mechs; i++)
		json_object_array_add(rows, mech_json(&lab->mechs[i]));
	result->doc = json_object_new_object();
	json_add(result->doc, "mechanisms", rows);
	return 0;
}

static void text_context(json_object *row, json_object *value, const void *arg, char *cell)
{
	(void)arg;
	snprintf(cell, CELL_SIZE, "%s%s", json_object_get_string(json_object_array_get_idx(value, 0)),
		 json_flag(row, "/thread") ? " + thread" : "");
}

void print_mechanisms(const struct result *result)
{
	static const struct field fields[] = {
		{ .head = "MECHANISM", .path = "/name" },
		{ .head = "CONTEXT", .path = "/context", .text = text_context },
		{ .head = "QUEUE", .path = "/verbs/queue" },
		{ .head = "DELAY", .path = "/verbs/delay" },
		{ .head = "CANCEL", .path = "/verbs/cancel" },
		{ .head = "FLUSH", .path = "/verbs/flush" },
		{ .head = "DISABLE", .path = "/verbs/disable" },
		{ .head = "ENABLE", .path = "/verbs/enable" },
		{ .head = "TRIGGER", .path = "/verbs/trigger" },
	};

	out_table(fields, ARRAY_SIZE(fields), json_object_object_get(result->doc, "mechanisms"), NULL);
}

/* --- list and show */

/* accepted = runs + cancelled + merged + outstanding, and the thread's likewise */
static bool balanced(const struct bhlab_item_state *s)
{
	return s->out_accepted == s->out_runs + s->out_cancelled + s->out_merged + s->out_outstanding;
}

static json_object *counters_json(const struct bhlab_item_state *state)
{
	json_object *counters = json_object_new_object();

	json_add_number(counters, "accepted", state->out_accepted);
	json_add_number(counters, "coalesced", state->out_coalesced);
	json_add_number(counters, "refused", state->out_refused);
	json_add_number(counters, "runs", state->out_runs);
	json_add_number(counters, "cancelled", state->out_cancelled);
	json_add_number(counters, "merged", state->out_merged);
	json_add_number(counters, "outstanding", state->out_outstanding);
	json_add_number(counters, "thread_wakes", state->out_thread_wakes);
	json_add_number(counters, "thread_runs", state->out_thread_runs);
	json_add_number(counters, "thread_merged", state->out_thread_merged);
	json_add_number(counters, "skipped", state->out_skipped);
	return counters;
}

static json_object *optional_number(uint64_t number, bool there)
{
	return there ? json_object_new_uint64(number) : NULL;
}

static json_object *item_json(struct lab *lab, const struct bhlab_item_state *state)
{
	const struct bhlab_mech_info *mech = lab_mech(lab, state->out_mech);
	json_object *row = json_object_new_object();

	json_add_number(row, "id", state->id);
	json_add_text(row, "name", state->out_name);
	json_add_text(row, "mechanism", mech ? mech->out_name : "?");
	json_add(row, "queue", state->out_queue ?
		 json_object_new_string(word_name(&queue_words, state->out_queue)) : NULL);
	json_add(row, "cpu", optional_number(state->out_cpu, state->out_item_flags & BHLAB_ITEM_CPU));
	json_add(row, "irq", optional_number(state->out_irq, state->out_mech == BHLAB_MECH_IRQ));
	json_add_bool(row, "thread", state->out_item_flags & BHLAB_ITEM_THREAD);
	json_add_bool(row, "record_queued", state->out_item_flags & BHLAB_ITEM_QUEUED);
	json_add_number(row, "cookie", state->out_cookie);
	json_add(row, "data", json_text(state->out_data));
	json_add(row, "state", word_bits(&state_words, state->out_state));
	json_add_number(row, "depth", state->out_depth);
	json_add(row, "counters", counters_json(state));
	json_add_bool(row, "balanced", balanced(state));
	return row;
}

static json_object *reserved_json(const struct bhlab_lookup *object)
{
	json_object *row = json_object_new_object(), *state = json_object_new_array();

	json_object_array_add(state, json_object_new_string("reserved"));
	json_add_number(row, "id", object->id);
	json_add_text(row, "name", object->name);
	json_add(row, "state", state);
	return row;
}

/* What goes away while we look is left out. */
static int list_object(struct lab *lab, const struct bhlab_lookup *object, json_object *rows)
{
	struct bhlab_item_state state = { .size = sizeof(state), .id = object->id };
	int err;

	if (object->out_kind == BHLAB_KIND_RESERVED) {
		json_object_array_add(rows, reserved_json(object));
		return 0;
	}
	err = lab_ioctl(lab, BHLAB_IOC_ITEM_STATE, &state);
	if (!err)
		json_object_array_add(rows, item_json(lab, &state));
	return err == ENOENT ? 0 : err;
}

static int list_objects(struct lab *lab, json_object *rows)
{
	struct bhlab_lookup object = { .size = sizeof(object) };
	int err;

	while (!(err = lab_ioctl(lab, BHLAB_IOC_NEXT, &object))) {
		err = list_object(lab, &object, rows);
		if (err)
			return err;
		object = (struct bhlab_lookup){ .size = sizeof(object), .id = object.id };
	}
	return err == ENOENT ? 0 : err;
}

int run_list(const struct call *call, struct lab *lab, struct result *result)
{
	json_object *rows;
	int err;

	if (lab_mechs(lab, &result->error))
		return -1;
	rows = json_object_new_array();
	result->doc = json_object_new_object();
	json_add(result->doc, "items", rows);
	err = list_objects(lab, rows);
	return err ? refused(&result->error, call, err) : 0;
}

static void text_state(json_object *row, json_object *value, const void *arg, char *cell)
{
	size_t len = 0;

	(void)row;
	(void)arg;
	for (size_t i = 0; i < json_object_array_length(value); i++)
		len += snprintf(cell + len, CELL_SIZE - len, "%s%s", i ? ", " : "",
				json_object_get_string(json_object_array_get_idx(value, i)));
	if (!len)
		strcpy(cell, "idle");
}

void print_list(const struct result *result)
{
	static const struct field fields[] = {
		{ .head = "ID", .path = "/id", .right = true },
		{ .head = "NAME", .path = "/name" },
		{ .head = "MECHANISM", .path = "/mechanism" },
		{ .head = "STATE", .path = "/state", .text = text_state },
		{ .head = "QUEUE", .path = "/queue" },
		{ .head = "CPU", .path = "/cpu", .right = true },
		{ .head = "ACCEPTED", .path = "/counters/accepted", .right = true },
		{ .head = "COALESCED", .path = "/counters/coalesced", .right = true },
		{ .head = "RUNS", .path = "/counters/runs", .right = true },
		{ .head = "CANCELLED", .path = "/counters/cancelled", .right = true },
		{ .head = "MERGED", .path = "/counters/merged", .right = true },
	};

	out_table(fields, ARRAY_SIZE(fields), json_object_object_get(result->doc, "items"), NULL);
}

/* The text of a program, into @text. */
static void program_text(struct lab *lab, const struct bhlab_step *raw, uint32_t nr, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < nr; i++) {
		struct step step = { .raw = raw[i] };
		char one[96];

		if (step.raw.target)
			strcpy(step.target, lab_name(lab, step.raw.target));
		step_text(&step, one, sizeof(one));
		len += snprintf(text + len, size - len, "%s%s", i ? "; " : "", one);
	}
}

static int read_program(struct lab *lab, uint32_t id, uint32_t nr, bool thread, json_object **value)
{
	struct bhlab_step *steps = xrealloc(NULL, nr + 1, sizeof(*steps));
	struct bhlab_item_program program = {
		.size = sizeof(program), .id = id, .thread = thread, .nr_steps = nr,
		.steps = (uintptr_t)steps,
	};
	char *text = xrealloc(NULL, nr + 1, 100);
	int err = lab_ioctl(lab, BHLAB_IOC_ITEM_PROGRAM, &program);

	if (!err) {
		program_text(lab, steps, nr, text, 100 * ((size_t)nr + 1));
		*value = json_object_new_string(text);
	}
	free(steps);
	free(text);
	return err;
}

static int show_programs(struct lab *lab, const struct bhlab_item_state *state, json_object *doc)
{
	json_object *main = NULL, *thread = NULL;
	int err = read_program(lab, state->id, state->out_nr_steps, false, &main);

	if (!err && state->out_item_flags & BHLAB_ITEM_THREAD)
		err = read_program(lab, state->id, state->out_nr_thread_steps, true, &thread);
	json_add(doc, "program", main);
	json_add(doc, "thread_program", thread);
	return err;
}

int run_show(const struct call *call, struct lab *lab, struct result *result)
{
	struct bhlab_item_state state = { .size = sizeof(state) };
	int err;

	if (call_item(call, lab, &state.id, &result->error) || lab_mechs(lab, &result->error))
		return -1;
	err = lab_ioctl(lab, BHLAB_IOC_ITEM_STATE, &state);
	if (!err) {
		result->doc = item_json(lab, &state);
		err = show_programs(lab, &state, result->doc);
	}
	return err ? refused(&result->error, call, err) : 0;
}

static void text_balance(json_object *row, json_object *value, const void *arg, char *cell)
{
	(void)arg;
	snprintf(cell, CELL_SIZE,
		 "%" PRIu64 " accepted %s %" PRIu64 " run + %" PRIu64 " cancelled + %" PRIu64
		 " merged + %" PRIu64 " outstanding",
		 json_number(row, "/counters/accepted"), json_object_get_boolean(value) ? "=" : "IS NOT",
		 json_number(row, "/counters/runs"), json_number(row, "/counters/cancelled"),
		 json_number(row, "/counters/merged"), json_number(row, "/counters/outstanding"));
}

void print_show(const struct result *result)
{
	static const struct field fields[] = {
		{ .head = "id", .path = "/id" },
		{ .head = "name", .path = "/name" },
		{ .head = "mechanism", .path = "/mechanism" },
		{ .head = "program", .path = "/program" },
		{ .head = "thread's program", .path = "/thread_program" },
		{ .head = "queue", .path = "/queue" },
		{ .head = "cpu", .path = "/cpu" },
		{ .head = "irq", .path = "/irq" },
		{ .head = "data", .path = "/data" },
		{ .head = "cookie", .path = "/cookie" },
		{ .head = "state", .path = "/state", .text = text_state },
		{ .head = "disabled", .path = "/depth" },
		{ .head = "activations", .path = "/balanced", .text = text_balance },
		{ .head = "coalesced", .path = "/counters/coalesced" },
		{ .head = "refused", .path = "/counters/refused" },
		{ .head = "thread woken", .path = "/counters/thread_wakes" },
		{ .head = "thread runs", .path = "/counters/thread_runs" },
		{ .head = "wakes merged", .path = "/counters/thread_merged" },
		{ .head = "steps skipped", .path = "/counters/skipped" },
	};

	out_list(fields, ARRAY_SIZE(fields), result->doc);
}

/* --- ring */

int run_ring(const struct call *call, struct lab *lab, struct result *result)
{
	struct bhlab_ring_setup setup = {
		.size = sizeof(setup),
		.records = (uint32_t)arg_number(call, "--records", 0),
		.watermark = (uint32_t)arg_number(call, "--watermark", 0),
	};
	json_object *doc;
	int err;

	setup.flags |= arg_given(call, "--records") ? BHLAB_RING_RECORDS : 0;
	setup.flags |= arg_given(call, "--watermark") ? BHLAB_RING_WATERMARK : 0;
	err = lab_ioctl(lab, BHLAB_IOC_RING, &setup);
	if (err)
		return refused(&result->error, call, err);
	result->doc = doc = json_object_new_object();
	json_add_number(doc, "cpus", setup.out_cpus);
	json_add_number(doc, "records", setup.records);
	json_add_number(doc, "watermark", setup.watermark);
	json_add_number(doc, "record_size", setup.out_record_size);
	json_add_number(doc, "map_size", setup.out_map_size);
	json_add_number(doc, "recorded", setup.out_recorded);
	json_add_number(doc, "read", setup.out_read);
	json_add_number(doc, "lost", setup.out_lost);
	json_add_number(doc, "unread", setup.out_recorded - setup.out_read - setup.out_lost);
	return 0;
}

void print_ring(const struct result *result)
{
	static const struct field fields[] = {
		{ .head = "sub-rings", .path = "/cpus" },
		{ .head = "records of each", .path = "/records" },
		{ .head = "watermark", .path = "/watermark" },
		{ .head = "bytes of a record", .path = "/record_size" },
		{ .head = "bytes of the mapping", .path = "/map_size" },
		{ .head = "recorded", .path = "/recorded" },
		{ .head = "read by read()", .path = "/read" },
		{ .head = "lost to read()", .path = "/lost" },
		{ .head = "unread", .path = "/unread" },
	};

	out_list(fields, ARRAY_SIZE(fields), result->doc);
}
