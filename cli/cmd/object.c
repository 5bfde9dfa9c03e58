// SPDX-License-Identifier: GPL-2.0-only
/* add of queues, locks and FIFOs; del. */
#include <errno.h>
#include <json.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "lab/lab.h"
#include "base/out.h"
#include "base/words.h"

static void describe(struct result *result, const char *word, uint32_t id, const char *name)
{
	result->word = word;
	result->doc = json_object_new_object();
	json_add_text(result->doc, "result", word);
	json_add_number(result->doc, "id", id);
	json_add_text(result->doc, "name", name);
}

static int added(const struct call *call, int err, uint32_t id, struct result *result)
{
	if (err)
		return refused(&result->error, call, err);
	describe(result, "added", id, arg_typed(call, "NAME"));
	return 0;
}

/* It could be made, but hardly be named. */
static int check_add_queue(const struct call *call, struct error *e)
{
	uint32_t number;

	if (!word_value(&queue_words, arg_typed(call, "NAME"), &number))
		return 0;
	return usage(e, "'%s' is one of the kernel's own queues", arg_typed(call, "NAME"));
}

static int run_add_queue(const struct call *call, struct lab *lab, struct result *result)
{
	const uint32_t kinds = BHLAB_WQ_PERCPU | BHLAB_WQ_UNBOUND | BHLAB_WQ_BH | BHLAB_WQ_ORDERED |
			       BHLAB_WQ_LEGACY | BHLAB_WQ_SINGLETHREAD;
	struct bhlab_queue_create create = {
		.size = sizeof(create),
		.max_active = (uint32_t)arg_number(call, "--max-active", 0),
	};
	int err;

	create.flags = arg_bits(call, &shape_words);
	if (!(create.flags & kinds))
		create.flags |= BHLAB_WQ_PERCPU;
	strcpy(create.name, arg_typed(call, "NAME"));
	err = lab_ioctl(lab, BHLAB_IOC_QUEUE_CREATE, &create);
	return added(call, err, create.out_id, result);
}

static int run_add_lock(const struct call *call, struct lab *lab, struct result *result)
{
	struct bhlab_lock_create create = {
		.size = sizeof(create),
		.kind = arg_given(call, "--mutex") ? BHLAB_LOCK_MUTEX : BHLAB_LOCK_SPIN,
		.context = (uint32_t)arg_number(call, "--context", BHLAB_CTX_TASK),
	};
	int err;

	strcpy(create.name, arg_typed(call, "NAME"));
	err = lab_ioctl(lab, BHLAB_IOC_LOCK_CREATE, &create);
	return added(call, err, create.out_id, result);
}

static int run_add_fifo(const struct call *call, struct lab *lab, struct result *result)
{
	struct bhlab_fifo_create create = {
		.size = sizeof(create),
		.depth = (uint32_t)arg_number(call, "--depth", 16),
	};
	int err;

	strcpy(create.name, arg_typed(call, "NAME"));
	err = lab_ioctl(lab, BHLAB_IOC_FIFO_CREATE, &create);
	return added(call, err, create.out_id, result);
}

/* Each kind of object is kept by something else. */
static int busy(struct lab *lab, uint32_t id, struct error *e)
{
	struct bhlab_lookup object = { .size = sizeof(object), .id = id - 1 };

	lab_ioctl(lab, BHLAB_IOC_NEXT, &object);
	if (object.out_kind == BHLAB_KIND_QUEUE)
		return fail(e, STATUS_REFUSED, EBUSY,
			    "an item names it, or has an activation on it");
	if (object.out_kind != BHLAB_KIND_ITEM)
		return fail(e, STATUS_REFUSED, EBUSY, "a program names it");
	return fail(e, STATUS_REFUSED, EBUSY, "%s",
		    "it is disabled and scheduled, and killing it would wait forever; enable it "
		    "first");
}

static int run_del(const struct call *call, struct lab *lab, struct result *result)
{
	struct bhlab_destroy destroy = { .size = sizeof(destroy) };
	int err;

	if (call_object(call, lab, "OBJECT", &destroy.id, &result->error))
		return -1;
	lab_name(lab, destroy.id);
	err = lab_ioctl(lab, BHLAB_IOC_DESTROY, &destroy);
	if (err == EBUSY)
		return busy(lab, destroy.id, &result->error);
	if (err)
		return refused(&result->error, call, err);
	describe(result, "deleted", destroy.id, lab_name(lab, destroy.id));
	return 0;
}

const struct command command_add_queue = {
	.name = "add queue",
	.summary = "create a workqueue",
	.args = ARGS(
		{ "NAME", &arg_name },
		{ "--percpu", &arg_flag, "alloc_workqueue() with WQ_PERCPU" },
		{ "--unbound", &arg_flag, "alloc_workqueue() with WQ_UNBOUND" },
		{ "--bh", &arg_flag, "alloc_workqueue() with WQ_BH: its items run in a softirq" },
		{ "--ordered", &arg_flag, "alloc_ordered_workqueue()" },
		{ "--legacy", &arg_flag, "create_workqueue()" },
		{ "--singlethread", &arg_flag, "create_singlethread_workqueue()" },
		{ "--highpri", &arg_flag, "WQ_HIGHPRI" },
		{ "--freezable", &arg_flag, "WQ_FREEZABLE" },
		{ "--mem-reclaim", &arg_flag, "WQ_MEM_RECLAIM: it has a rescuer" },
		{ "--cpu-intensive", &arg_flag, "WQ_CPU_INTENSIVE" },
		{ "--max-active", &arg_u32,
		  "limit of items that run at a time; 0: the kernel's default" }),
	.notes =
		"Give one of the first six; default --percpu. --bh allows --highpri only, --ordered\n"
		"all but --cpu-intensive and --max-active, --legacy and --singlethread nothing else.\n",
	.meanings = MEANINGS(
		{ EEXIST, "the name is taken" },
		{ EINVAL, "these attributes exclude each other; see 'bhctl help add queue'" },
		{ ENOSPC, "the module parameters queues and items allow no more of them to one "
		  "user, over all labs" },
		{ EPERM, "the workers of a --highpri queue run at nice -20, which needs "
		  "CAP_SYS_NICE (with --bh it does not)" },
		{ EOPNOTSUPP, "this kernel has no BH workqueues" }),
	.lab = LAB_STATE,
	.in_scenario = true,
	.answer = "added",
	.check = check_add_queue,
	.run = run_add_queue,
};

const struct command command_add_lock = {
	.name = "add lock",
	.summary = "create a lock for programs",
	.args = ARGS(
		{ "NAME", &arg_name },
		{ "--mutex", &arg_flag, "create a mutex, not a spin lock" },
		{ "--context", .words = &lock_context_words,
		  .help = "the strictest context that takes it; default task" }),
	.notes =
	"A spin lock for softirq context is taken by spin_lock_bh(), one for hardirq context by\n"
	"spin_lock_irqsave(). Locks are taken in the order of their creation.\n",
	.meanings = MEANINGS(
		{ EEXIST, "the name is taken" },
		{ EINVAL, "a mutex is for task context: it sleeps" },
		{ ENOSPC, "a lab may create 8 locks in its lifetime, which are taken in that "
		  "order; or the module parameter items allows no more objects" }),
	.lab = LAB_STATE,
	.in_scenario = true,
	.answer = "added",
	.run = run_add_lock,
};

const struct command command_add_fifo = {
	.name = "add fifo",
	.summary = "create a bounded FIFO for programs",
	.args = ARGS(
		{ "NAME", &arg_name },
		{ "--depth", &arg_u32, "how many entries it can hold; default 16" }),
	.meanings = MEANINGS(
		{ EEXIST, "the name is taken" },
		{ EINVAL, "its depth must be 1 to 1000000" },
		{ ENOSPC, "the module parameters fifos and items allow no more of them to one "
		  "user, over all labs" }),
	.lab = LAB_STATE,
	.in_scenario = true,
	.answer = "added",
	.run = run_add_fifo,
};

const struct command command_del = {
	.name = "del",
	.summary = "stop and free an item, queue, lock or FIFO",
	.args = ARGS(
		{ "OBJECT", &arg_item }),
	.meanings = MEANINGS(
		{ ENOENT, "there is no object {OBJECT} in this lab" }),
	.lab = LAB_STATE,
	.in_scenario = true,
	.answer = "deleted",
	.run = run_del,
};
