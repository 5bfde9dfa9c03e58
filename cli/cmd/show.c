// SPDX-License-Identifier: GPL-2.0-only
/* list and show: the lab's objects. */
#include <errno.h>
#include <inttypes.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "lab/lab.h"
#include "base/out.h"
#include "lab/steps.h"
#include "base/text.h"
#include "base/words.h"

/* --- items */

/* accepted = runs + cancelled + merged + lost + outstanding, and the thread's likewise */
static bool balanced(const struct bhlab_item_state *s)
{
	return s->out_accepted ==
	       s->out_runs + s->out_cancelled + s->out_merged + s->out_lost + s->out_outstanding;
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
	json_add_number(counters, "lost", state->out_lost);
	json_add_number(counters, "outstanding", state->out_outstanding);
	json_add_number(counters, "thread_wakes", state->out_thread_wakes);
	json_add_number(counters, "thread_runs", state->out_thread_runs);
	json_add_number(counters, "thread_merged", state->out_thread_merged);
	json_add_number(counters, "skipped", state->out_skipped);
	json_add_number(counters, "throttled", state->out_throttled);
	json_add_number(counters, "expired", state->out_expired);
	return counters;
}

/* What the driver's own controller did; NULL if there is none. */
static json_object *controller_json(const struct bhlab_item_state *state)
{
	json_object *controller;

	if (state->out_flow == BHLAB_FLOW_SIM)
		return NULL;
	controller = json_object_new_object();
	json_add_number(controller, "latched", state->out_latched);
	json_add_number(controller, "replayed", state->out_replayed);
	json_add_number(controller, "repeated", state->out_repeated);
	return controller;
}

static json_object *optional_number(uint64_t number, bool there)
{
	return there ? json_object_new_uint64(number) : NULL;
}

static json_object *signed_number(int32_t number, bool there)
{
	return there ? json_object_new_int(number) : NULL;
}

static json_object *item_json(struct lab *lab, const struct bhlab_item_state *state)
{
	const struct bhlab_mech_info *mech = lab_mech(lab, state->out_mech);
	json_object *row = json_object_new_object();

	json_add_number(row, "id", state->id);
	json_add_text(row, "name", state->out_name);
	json_add_text(row, "mechanism", mech ? mech->out_name : "?");
	json_add(row, "queue", state->out_queue ?
		 json_object_new_string(lab_name(lab, state->out_queue)) : NULL);
	json_add(row, "cpu",
		 optional_number(state->out_cpu, state->out_item_flags & BHLAB_ITEM_CPU));
	json_add(row, "irq", optional_number(state->out_irq, state->out_mech == BHLAB_MECH_IRQ));
	json_add(row, "flow", state->out_mech == BHLAB_MECH_IRQ ?
		 json_object_new_string(word_name(&flow_words, state->out_flow)) : NULL);
	json_add_bool(row, "thread", state->out_item_flags & BHLAB_ITEM_THREAD);
	json_add(row, "attributes", word_bits(&attribute_words, state->out_item_flags));
	json_add(row, "nice",
		 signed_number(state->out_nice, state->out_mech == BHLAB_MECH_KTHREAD_WORK));
	json_add(row, "priority", optional_number(state->out_priority, state->out_priority));
	json_add(row, "weight", optional_number(state->out_weight, state->out_weight));
	json_add(row, "period_ns", optional_number(state->out_period_ns, state->out_period_ns));
	json_add(row, "period_left", optional_number(state->out_period_left, state->out_period_ns));
	json_add(row, "period_missed",
		 optional_number(state->out_period_missed, state->out_mech == BHLAB_MECH_IRQ ||
				 state->out_period_missed));
	json_add_bool(row, "record_queued", state->out_item_flags & BHLAB_ITEM_QUEUED);
	json_add_number(row, "cookie", state->out_cookie);
	json_add(row, "data", json_text(state->out_data));
	json_add(row, "state", word_bits(&state_words, state->out_state));
	json_add_number(row, "depth", state->out_depth);
	json_add(row, "counters", counters_json(state));
	json_add(row, "controller", controller_json(state));
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

/* --- queues, locks, FIFOs */

static json_object *object_head(uint32_t id, const char *name, const char *kind)
{
	json_object *row = json_object_new_object();

	json_add_number(row, "id", id);
	json_add_text(row, "name", name);
	json_add_text(row, "kind", kind);
	return row;
}

static json_object *queue_json(const struct lab *lab, uint32_t id, int *err)
{
	struct bhlab_queue_state state = { .size = sizeof(state), .id = id };
	json_object *row;

	*err = lab_ioctl(lab, BHLAB_IOC_QUEUE_STATE, &state);
	if (*err)
		return NULL;
	row = object_head(id, state.out_name, "queue");
	json_add(row, "attributes", word_bits(&shape_words, state.out_queue_flags));
	json_add_number(row, "max_active", state.out_max_active);
	json_add_number(row, "items", state.out_items);
	json_add_number(row, "active", state.out_active);
	json_add_bool(row, "draining", state.out_draining);
	return row;
}

static json_object *lock_json(const struct lab *lab, uint32_t id, int *err)
{
	struct bhlab_lock_state state = { .size = sizeof(state), .id = id };
	json_object *row;

	*err = lab_ioctl(lab, BHLAB_IOC_LOCK_STATE, &state);
	if (*err)
		return NULL;
	row = object_head(id, state.out_name, "lock");
	json_add_text(row, "type", word_name(&lock_kind_words, state.out_kind));
	json_add_text(row, "context", word_name(&lock_context_words, state.out_context));
	json_add_number(row, "programs", state.out_programs);
	return row;
}

static json_object *fifo_json(const struct lab *lab, uint32_t id, int *err)
{
	struct bhlab_fifo_state state = { .size = sizeof(state), .id = id };
	json_object *row;

	*err = lab_ioctl(lab, BHLAB_IOC_FIFO_STATE, &state);
	if (*err)
		return NULL;
	row = object_head(id, state.out_name, "fifo");
	json_add_number(row, "depth", state.out_depth);
	json_add_number(row, "level", state.out_level);
	json_add_number(row, "highest", state.out_highest);
	json_add_number(row, "pushed", state.out_pushed);
	json_add_number(row, "popped", state.out_popped);
	json_add_number(row, "dropped", state.out_dropped);
	json_add_number(row, "missed", state.out_missed);
	json_add_number(row, "programs", state.out_programs);
	return row;
}

/* --- list */

static json_object *object_json(struct lab *lab, const struct bhlab_lookup *object, int *err)
{
	struct bhlab_item_state state = { .size = sizeof(state), .id = object->id };

	*err = 0;
	switch (object->out_kind) {
	case BHLAB_KIND_RESERVED:
		return reserved_json(object);
	case BHLAB_KIND_QUEUE:
		return queue_json(lab, object->id, err);
	case BHLAB_KIND_LOCK:
		return lock_json(lab, object->id, err);
	case BHLAB_KIND_FIFO:
		return fifo_json(lab, object->id, err);
	default:
		*err = lab_ioctl(lab, BHLAB_IOC_ITEM_STATE, &state);
		return *err ? NULL : item_json(lab, &state);
	}
}

/* The list that it stands in. */
static const char *object_list(uint32_t kind)
{
	return kind == BHLAB_KIND_QUEUE ? "queues" : kind == BHLAB_KIND_LOCK ? "locks" :
	       kind == BHLAB_KIND_FIFO ? "fifos" : "items";
}

/* What goes away while we look is left out. */
static int list_objects(struct lab *lab, json_object *doc)
{
	struct bhlab_lookup object = { .size = sizeof(object) };
	json_object *row;
	int err;

	while (!(err = lab_ioctl(lab, BHLAB_IOC_NEXT, &object))) {
		row = object_json(lab, &object, &err);
		if (row)
			json_object_array_add(
				json_object_object_get(doc, object_list(object.out_kind)), row);
		else if (err != ENOENT)
			return err;
		object = (struct bhlab_lookup){ .size = sizeof(object), .id = object.id };
	}
	return err == ENOENT ? 0 : err;
}

static int run_list(const struct call *call, struct lab *lab, struct result *result)
{
	static const char *const lists[] = { "items", "queues", "locks", "fifos" };
	int err;

	if (lab_mechs(lab, &result->error))
		return -1;
	result->doc = json_object_new_object();
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		json_add(result->doc, lists[i], json_object_new_array());
	err = list_objects(lab, result->doc);
	return err ? refused(&result->error, call, err) : 0;
}

static void text_state(json_object *row, json_object *value, const void *arg, char *cell)
{
	text_words(row, value, arg, cell);
	if (!cell[0])
		strcpy(cell, "idle");
}

static void print_rows(const struct field *fields, size_t nr, const struct result *result,
		       const char *list)
{
	json_object *rows = json_object_object_get(result->doc, list);

	if (!json_object_array_length(rows))
		return;
	if (options.format != FORMAT_PARSABLE)
		puts("");
	out_table(fields, nr, rows, NULL);
}

static void print_queues(const struct result *result)
{
	static const struct field fields[] = {
		{ .head = "ID", .path = "/id", .right = true },
		{ .head = "QUEUE", .path = "/name" },
		{ .head = "IS", .path = "/attributes", .text = text_words },
		{ .head = "MAX_ACTIVE", .path = "/max_active", .right = true },
		{ .head = "ITEMS", .path = "/items", .right = true },
		{ .head = "ACTIVE", .path = "/active", .right = true },
	};

	print_rows(fields, ARRAY_SIZE(fields), result, "queues");
}

static void print_locks(const struct result *result)
{
	static const struct field fields[] = {
		{ .head = "ID", .path = "/id", .right = true },
		{ .head = "LOCK", .path = "/name" },
		{ .head = "TYPE", .path = "/type" },
		{ .head = "CONTEXT", .path = "/context" },
		{ .head = "STEPS", .path = "/programs", .right = true },
	};

	print_rows(fields, ARRAY_SIZE(fields), result, "locks");
}

static void print_fifos(const struct result *result)
{
	static const struct field fields[] = {
		{ .head = "ID", .path = "/id", .right = true },
		{ .head = "FIFO", .path = "/name" },
		{ .head = "DEPTH", .path = "/depth", .right = true },
		{ .head = "LEVEL", .path = "/level", .right = true },
		{ .head = "HIGHEST", .path = "/highest", .right = true },
		{ .head = "PUSHED", .path = "/pushed", .right = true },
		{ .head = "POPPED", .path = "/popped", .right = true },
		{ .head = "DROPPED", .path = "/dropped", .right = true },
	};

	print_rows(fields, ARRAY_SIZE(fields), result, "fifos");
}

static void print_list(const struct result *result)
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
	print_queues(result);
	print_locks(result);
	print_fifos(result);
}

/* --- show */

/* The text of a program, into @buf. */
static void program_text(struct lab *lab, const struct bhlab_step *raw, uint32_t nr, char *buf,
			 size_t size)
{
	struct text text = text_in(buf, size);
	const char *separator = "";

	for (uint32_t i = 0; i < nr; i++) {
		struct step step = { .raw = raw[i] };
		char one[96];

		if (step.raw.target && !(step.raw.flags & BHLAB_STEP_RANGE))
			strcpy(step.target, lab_name(lab, step.raw.target));
		step_text(&step, one, sizeof(one));
		text_add(&text, "%s%s", separator, one);
		separator = step_is_prefix(&step) ? " " : "; ";
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

static int show_item(struct lab *lab, uint32_t id, json_object **doc)
{
	struct bhlab_item_state state = { .size = sizeof(state), .id = id };
	int err = lab_ioctl(lab, BHLAB_IOC_ITEM_STATE, &state);

	if (err)
		return err;
	*doc = item_json(lab, &state);
	return show_programs(lab, &state, *doc);
}

/* NEXT reports the kind of an object. */
static int show_object(struct lab *lab, uint32_t id, json_object **doc)
{
	struct bhlab_lookup object = { .size = sizeof(object), .id = id - 1 };
	int err = lab_ioctl(lab, BHLAB_IOC_NEXT, &object);

	if (err || object.id != id || object.out_kind == BHLAB_KIND_RESERVED)
		return err ? err : ENOENT;
	if (object.out_kind == BHLAB_KIND_ITEM)
		return show_item(lab, id, doc);
	*doc = object_json(lab, &object, &err);
	return err;
}

static int run_show(const struct call *call, struct lab *lab, struct result *result)
{
	uint32_t id;
	int err;

	if (call_object(call, lab, "OBJECT", &id, &result->error) || lab_mechs(lab, &result->error))
		return -1;
	err = show_object(lab, id, &result->doc);
	return err ? refused(&result->error, call, err) : 0;
}

static void text_balance(json_object *row, json_object *value, const void *arg, char *cell)
{
	const char *flow = json_string(row, "/flow");
	struct text text = text_in(cell, CELL_SIZE);

	text_add(&text, "%" PRIu64 " accepted %s %" PRIu64 " run + %" PRIu64 " cancelled + %" PRIu64
		 " merged", json_number(row, "/counters/accepted"),
		 json_object_get_boolean(value) ? "=" : "IS NOT",
		 json_number(row, "/counters/runs"), json_number(row, "/counters/cancelled"),
		 json_number(row, "/counters/merged"));
	/* The kernel's irq_sim cannot tell the two. */
	if (!strcmp(flow, word_name(&flow_words, BHLAB_FLOW_SIM)))
		text_add(&text, " or lost");
	else if (*flow)
		text_add(&text, " + %" PRIu64 " lost", json_number(row, "/counters/lost"));
	text_add(&text, " + %" PRIu64 " outstanding", json_number(row, "/counters/outstanding"));
}

static void text_controller(json_object *row, json_object *value, const void *arg, char *cell)
{
	snprintf(cell, CELL_SIZE,
		 "%" PRIu64 " latched, %" PRIu64 " replayed, %" PRIu64 " repeated",
		 json_number(value, "/latched"), json_number(value, "/replayed"),
		 json_number(value, "/repeated"));
}

/* Whatever it is: an object has the lines that its document has. */
static void print_show_object(const struct result *result)
{
	static const struct field fields[] = {
		{ .head = "id", .path = "/id" },
		{ .head = "name", .path = "/name" },
		{ .head = "kind", .path = "/kind" },
		{ .head = "is", .path = "/attributes", .text = text_words },
		{ .head = "max_active", .path = "/max_active" },
		{ .head = "items that name it", .path = "/items" },
		{ .head = "activations on it", .path = "/active" },
		{ .head = "draining", .path = "/draining" },
		{ .head = "type", .path = "/type" },
		{ .head = "strictest context", .path = "/context" },
		{ .head = "depth", .path = "/depth" },
		{ .head = "level", .path = "/level" },
		{ .head = "highest level", .path = "/highest" },
		{ .head = "pushed", .path = "/pushed" },
		{ .head = "popped", .path = "/popped" },
		{ .head = "dropped", .path = "/dropped" },
		{ .head = "pops of nothing", .path = "/missed" },
		{ .head = "steps that name it", .path = "/programs" },
	};

	out_list(fields, ARRAY_SIZE(fields), result->doc);
}

static void print_show(const struct result *result)
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
		{ .head = "flow", .path = "/flow" },
		{ .head = "is", .path = "/attributes", .text = text_words },
		{ .head = "nice", .path = "/nice" },
		{ .head = "priority", .path = "/priority" },
		{ .head = "weight", .path = "/weight" },
		{ .head = "data", .path = "/data" },
		{ .head = "cookie", .path = "/cookie" },
		{ .head = "state", .path = "/state", .text = text_state },
		{ .head = "disabled", .path = "/depth" },
		{ .head = "activations", .path = "/balanced", .text = text_balance },
		{ .head = "controller", .path = "/controller", .text = text_controller },
		{ .head = "coalesced", .path = "/counters/coalesced" },
		{ .head = "refused", .path = "/counters/refused" },
		{ .head = "thread woken", .path = "/counters/thread_wakes" },
		{ .head = "thread runs", .path = "/counters/thread_runs" },
		{ .head = "wakes merged", .path = "/counters/thread_merged" },
		{ .head = "steps skipped", .path = "/counters/skipped" },
		{ .head = "runs throttled", .path = "/counters/throttled" },
		{ .head = "delays expired", .path = "/counters/expired" },
		{ .head = "period", .path = "/period_ns", .text = text_period },
		{ .head = "triggers left", .path = "/period_left" },
		{ .head = "periods missed", .path = "/period_missed" },
	};

	if (json_object_object_get_ex(result->doc, "kind", NULL)) {
		print_show_object(result);
		return;
	}
	out_list(fields, ARRAY_SIZE(fields), result->doc);
}

const struct command command_list = {
	.name = "list",
	.summary = "list the items and other objects of the lab",
	.args = no_args,
	.lab = LAB_STATE,
	.in_scenario = true,
	.run = run_list,
	.print = print_list,
};

const struct command command_show = {
	.name = "show",
	.summary = "show one item, queue, lock or FIFO",
	.args = ARGS(
		{ "OBJECT", &arg_item }),
	.meanings = MEANINGS(
		{ ENOENT, "there is no object {OBJECT} in this lab" }),
	.lab = LAB_STATE,
	.in_scenario = true,
	.run = run_show,
	.print = print_show,
};
