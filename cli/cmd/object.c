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
int check_add_queue(const struct call *call, struct error *e)
{
	uint32_t number;

	if (!word_value(&queue_words, arg_typed(call, "NAME"), &number))
		return 0;
	return usage(e, "'%s' is one of the kernel's own queues", arg_typed(call, "NAME"));
}

int run_add_queue(const struct call *call, struct lab *lab, struct result *result)
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

int run_add_lock(const struct call *call, struct lab *lab, struct result *result)
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

int run_add_fifo(const struct call *call, struct lab *lab, struct result *result)
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
		return fail(e, STATUS_REFUSED, EBUSY, "an item names it, or has an activation on it");
	if (object.out_kind != BHLAB_KIND_ITEM)
		return fail(e, STATUS_REFUSED, EBUSY, "a program names it");
	return fail(e, STATUS_REFUSED, EBUSY, "%s",
		    "it is disabled and scheduled, and killing it would wait for ever; enable it first");
}

int run_del(const struct call *call, struct lab *lab, struct result *result)
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
