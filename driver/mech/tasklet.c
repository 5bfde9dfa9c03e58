// SPDX-License-Identifier: GPL-2.0-only
/*
 * tasklet, tasklet_hi: run in softirq context, on the CPU that scheduled them.
 *
 * The kernel can neither dequeue a tasklet nor wait for one, so cancel and flush
 * are the driver's. It does not put a disabled tasklet aside either, but retries
 * it in the softirq again and again, which only CAP_SYS_ADMIN may cause.
 */
#include <linux/cpumask.h>
#include <linux/interrupt.h>

#include "item.h"
#include "run.h"
#include "stamp.h"
#include "mech/mech.h"

/* The kernel's structure, and the item that it belongs to. */
struct bhlab_tstruct {
	struct tasklet_struct tasklet;
	struct bhlab_item *item;
};

/**
 * struct bhlab_tasklet - an item of mechanism tasklet or tasklet_hi
 * @item: the item
 * @t: @own, or the static one
 * @own: initialised at run time
 * @cancelled: it is scheduled, but cancelled; under item.lock
 */
struct bhlab_tasklet {
	struct bhlab_item item;
	struct bhlab_tstruct *t;
	struct bhlab_tstruct own;
	bool cancelled;
};

static void bhlab_tasklet_fn(struct tasklet_struct *t);

/* What DECLARE_TASKLET() makes; one item at a time may have it. */
static struct bhlab_tstruct bhlab_static_tasklet = {
	.tasklet = {
		.callback = bhlab_tasklet_fn,
		.use_callback = true,
	},
};

static unsigned long bhlab_static_tasklet_taken;

static struct bhlab_tasklet *to_bt(struct bhlab_item *item)
{
	return container_of(item, struct bhlab_tasklet, item);
}

static struct tasklet_struct *to_tasklet(struct bhlab_item *item)
{
	return &to_bt(item)->t->tasklet;
}

static bool bhlab_tasklet_scheduled(struct bhlab_item *item)
{
	return test_bit(TASKLET_STATE_SCHED, &to_tasklet(item)->state);
}

/* This run was cancelled, unless the tasklet is scheduled again behind it. */
static bool bhlab_tasklet_due(struct bhlab_item *item)
{
	struct bhlab_tasklet *bt = to_bt(item);

	if (!bt->cancelled || bhlab_tasklet_scheduled(item))
		return true;
	bt->cancelled = false;
	return false;
}

static void bhlab_tasklet_fn(struct tasklet_struct *t)
{
	bhlab_item_run_due(container_of(t, struct bhlab_tstruct, tasklet)->item,
			   bhlab_tasklet_due);
}

static int bhlab_tasklet_init(struct bhlab_item *item)
{
	struct bhlab_tasklet *bt = to_bt(item);

	if (!(item->flags & BHLAB_ITEM_STATIC)) {
		tasklet_setup(&bt->own.tasklet, bhlab_tasklet_fn);
		bt->t = &bt->own;
	} else if (!test_and_set_bit(0, &bhlab_static_tasklet_taken)) {
		bt->t = &bhlab_static_tasklet;
	} else {
		return -EBUSY;
	}
	bt->t->item = item;
	return 0;
}

/* tasklet_kill() waits forever while the tasklet is disabled and scheduled. */
static void bhlab_tasklet_stop(struct bhlab_item *item)
{
	for (; item->depth; item->depth--)
		tasklet_enable(to_tasklet(item));
	tasklet_kill(to_tasklet(item));
	if (item->flags & BHLAB_ITEM_STATIC)
		clear_bit_unlock(0, &bhlab_static_tasklet_taken);
}

static bool bhlab_tasklet_busy(struct bhlab_item *item)
{
	return item->depth && bhlab_tasklet_scheduled(item);
}

/*
 * On a CPU that is going offline ksoftirqd is parked: a tasklet that ksoftirqd
 * would have to continue, since it is disabled or requeues itself, would stay
 * raised there.
 */
static int bhlab_tasklet_admit(struct bhlab_item *item,
			       const struct bhlab_activation *act)
{
	if (!cpu_active(smp_processor_id()))
		return -ENODEV;
	return item->depth && !act->privileged ? -EPERM : 0;
}

/* The test of tasklet_schedule(), for its answer. */
static int bhlab_tasklet_queue(struct bhlab_item *item,
			       const struct bhlab_activation *act)
{
	struct bhlab_tasklet *bt = to_bt(item);
	struct tasklet_struct *t = to_tasklet(item);

	if (test_and_set_bit(TASKLET_STATE_SCHED, &t->state)) {
		/* A scheduled tasklet that was cancelled is accepted again. */
		if (!bt->cancelled)
			return BHLAB_RESULT_ALREADY_PENDING;
		bt->cancelled = false;
		return BHLAB_RESULT_QUEUED;
	}
	if (item->ops == &bhlab_tasklet_hi_ops)
		__tasklet_hi_schedule(t);
	else
		__tasklet_schedule(t);
	return BHLAB_RESULT_QUEUED;
}

/* The kernel keeps it, and the handler returns without running the program. */
static int bhlab_tasklet_cancel(struct bhlab_item *item)
{
	struct bhlab_tasklet *bt = to_bt(item);

	if (bt->cancelled || !bhlab_tasklet_scheduled(item))
		return 0;
	bt->cancelled = true;
	return 1;
}

static int bhlab_tasklet_disable(struct bhlab_item *item, bool sync,
				 bool privileged)
{
	if (!privileged && (bhlab_tasklet_scheduled(item) || item->delayed))
		return -EPERM;
	tasklet_disable_nosync(to_tasklet(item));
	return 0;
}

static void bhlab_tasklet_enable(struct bhlab_item *item)
{
	tasklet_enable(to_tasklet(item));
}

static bool bhlab_tasklet_sync(struct bhlab_item *item)
{
	tasklet_unlock_wait(to_tasklet(item));
	return false;
}

#define BHLAB_TASKLET_OPS(_id)						\
	.id = (_id),							\
	.native = BIT(BHLAB_VERB_QUEUE) | BIT(BHLAB_VERB_DISABLE) |	\
		  BIT(BHLAB_VERB_ENABLE),				\
	.emulated = BIT(BHLAB_VERB_DELAY) | BIT(BHLAB_VERB_CANCEL) |	\
		    BIT(BHLAB_VERB_FLUSH),				\
	.context = BHLAB_CTX_SOFTIRQ,					\
	.attrs = BHLAB_ITEM_STATIC,					\
	.size = sizeof(struct bhlab_tasklet),				\
	.init = bhlab_tasklet_init,					\
	.stop = bhlab_tasklet_stop,					\
	.busy = bhlab_tasklet_busy,					\
	.admit = bhlab_tasklet_admit,					\
	.queue = bhlab_tasklet_queue,					\
	.cancel = bhlab_tasklet_cancel,					\
	.disable = bhlab_tasklet_disable,				\
	.enable = bhlab_tasklet_enable,					\
	.sync = bhlab_tasklet_sync,					\
	.flush = bhlab_item_flush_own

const struct bhlab_mech_ops bhlab_tasklet_ops = {
	BHLAB_TASKLET_OPS(BHLAB_MECH_TASKLET),
};

const struct bhlab_mech_ops bhlab_tasklet_hi_ops = {
	BHLAB_TASKLET_OPS(BHLAB_MECH_TASKLET_HI),
};
