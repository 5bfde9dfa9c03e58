// SPDX-License-Identifier: GPL-2.0-only
/* info, mechanisms and ring: what the driver is. The objects are in show.c. */
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
#include "base/words.h"

/* --- info */

static json_object *limits_json(const struct bhlab_info *info)
{
	json_object *limits = json_object_new_object();

	json_add_number(limits, "labs", info->out_max_labs);
	json_add_number(limits, "users", info->out_users);
	json_add_number(limits, "items", info->out_max_items);
	json_add_number(limits, "irqs", info->out_max_irqs);
	json_add_number(limits, "threads", info->out_max_threads);
	json_add_number(limits, "system_sleepers", info->out_max_sleepers);
	json_add_number(limits, "queues", info->out_max_queues);
	json_add_number(limits, "locks", info->out_max_locks);
	json_add_number(limits, "fifos", info->out_max_fifos);
	json_add_number(limits, "ring_bytes", info->out_ring_bytes);
	json_add_number(limits, "user_ring_bytes", info->out_user_ring_bytes);
	json_add_number(limits, "max_active", info->out_max_active);
	json_add_number(limits, "steps", info->out_max_steps);
	json_add_number(limits, "chain", info->out_max_chain);
	json_add_number(limits, "atomic_ns", info->out_atomic_ns);
	json_add_number(limits, "atomic_cap_ns", info->out_atomic_cap_ns);
	json_add_number(limits, "process_ns", info->out_process_ns);
	json_add_number(limits, "lab_ns", info->out_lab_ns);
	json_add_number(limits, "period_ns", info->out_period_ns);
	json_add_number(limits, "budget_percent", info->out_budget);
	return limits;
}

static int run_info(const struct call *call, struct lab *lab, struct result *result)
{
	const struct bhlab_info *info = &lab->info;
	json_object *doc = json_object_new_object();

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

static void text_times(json_object *row, json_object *value, const void *arg, char *cell)
{
	snprintf(cell, CELL_SIZE, "%s times as much", json_object_get_string(value));
}

static void print_info(const struct result *result)
{
	static const struct field fields[] = {
		{ .head = "bhctl", .path = "/version" },
		{ .head = "ABI", .path = "/abi" },
		{ .head = "driver built for", .path = "/kernel" },
		{ .head = "lab", .path = "/lab" },
		{ .head = "possible CPUs", .path = "/cpus" },
		{ .head = "mechanisms", .path = "/mechanisms" },
		{ .head = "features", .path = "/features" },
		{ .head = "labs of a user", .path = "/limits/labs" },
		{ .head = "items of a user", .path = "/limits/items" },
		{ .head = "of these irqs", .path = "/limits/irqs" },
		{ .head = "threads", .path = "/limits/threads" },
		{ .head = "of system's queues", .path = "/limits/system_sleepers" },
		{ .head = "queues", .path = "/limits/queues" },
		{ .head = "FIFOs", .path = "/limits/fifos" },
		{ .head = "bytes of all rings", .path = "/limits/user_ring_bytes" },
		{ .head = "all users together", .path = "/limits/users", .text = text_times },
		{ .head = "locks of a lab", .path = "/limits/locks" },
		{ .head = "bytes of its ring", .path = "/limits/ring_bytes" },
		{ .head = "max_active of a queue", .path = "/limits/max_active" },
		{ .head = "steps of a program", .path = "/limits/steps" },
		{ .head = "chain of steps", .path = "/limits/chain" },
		{ .head = "atomic time of a run", .path = "/limits/atomic_ns",
		  .text = text_period },
		{ .head = "with CAP_SYS_ADMIN", .path = "/limits/atomic_cap_ns",
		  .text = text_period },
		{ .head = "process time of a run", .path = "/limits/process_ns",
		  .text = text_period },
		{ .head = "of all programs", .path = "/limits/lab_ns", .text = text_period },
		{ .head = "shortest period", .path = "/limits/period_ns", .text = text_period },
		{ .head = "% of a CPU, atomic", .path = "/limits/budget_percent" },
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

	for (size_t i = 0; i < verb_words.nr && verb_words.list[i].value != BHLAB_VERB_DRAIN; i++) {
		const char *support = verb_support(mech, verb_words.list[i].value);

		json_add(verbs, verb_words.list[i].name,
			 support ? json_object_new_string(support) : NULL);
	}
	json_add_text(row, "name", mech->out_name);
	json_add(row, "context", word_bits(&context_words, mech->out_context));
	json_add(row, "written_for", word_bits(&context_words, mech->out_written_for));
	json_add_bool(row, "thread", mech->out_thread_steps);
	json_add(row, "attributes", word_bits(&attribute_words, mech->out_attrs));
	json_add(row, "verbs", verbs);
	json_add(row, "steps", steps_json(mech->out_steps));
	json_add(row, "thread_steps", steps_json(mech->out_thread_steps));
	return row;
}

static int run_mechanisms(const struct call *call, struct lab *lab, struct result *result)
{
	json_object *rows;

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
	snprintf(cell, CELL_SIZE, "%s%s",
		 json_object_get_string(json_object_array_get_idx(value, 0)),
		 json_flag(row, "/thread") ? " + thread" : "");
}

static void print_mechanisms(const struct result *result)
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
		{ .head = "MAY BE", .path = "/attributes", .text = text_words },
	};

	out_table(fields, ARRAY_SIZE(fields),
		  json_object_object_get(result->doc, "mechanisms"), NULL);
}

/* --- ring */

static int run_ring(const struct call *call, struct lab *lab, struct result *result)
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

static void print_ring(const struct result *result)
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

const struct command command_info = {
	.name = "info",
	.summary = "show the driver, the kernel and their limits",
	.args = no_args,
	.lab = LAB_QUERY,
	.in_scenario = true,
	.run = run_info,
	.print = print_info,
};

const struct command command_mechanisms = {
	.name = "mechanisms",
	.summary = "list the mechanisms, their contexts and their verbs",
	.args = no_args,
	.notes =
	"A verb is native (a call of the kernel), emulated (by the driver) or missing.\n"
	"CONTEXT is where programs run on this kernel, as it was booted. Programs of work on\n"
	"a BH queue run in a softirq.\n",
	.lab = LAB_QUERY,
	.in_scenario = true,
	.run = run_mechanisms,
	.print = print_mechanisms,
};

const struct command command_ring = {
	.name = "ring",
	.summary = "set up the event ring, or show its state",
	.args = ARGS(
		{ "--records", &arg_u32,
		  "records of each CPU's sub-ring; a power of two" },
		{ "--watermark", &arg_u32, "number of unread records that wakes a poller" }),
	.meanings = MEANINGS(
		{ EBUSY, "the ring is in use; set it up before the lab's first item and reader" },
		{ EINVAL, "the records of a sub-ring must be a power of two and at least a page, "
		  "the watermark 1 to that many" },
		{ ENOSPC, "more than the module parameter ring_bytes allows" }),
	.lab = LAB_STATE,
	.in_scenario = true,
	.run = run_ring,
	.print = print_ring,
};
