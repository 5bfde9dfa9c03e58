// SPDX-License-Identifier: GPL-2.0-only
/*
 * tasklet, tasklet_hi: run in softirq context, on the CPU that scheduled them.
 *
 * The kernel can neither dequeue a tasklet nor wait for one: cancel and flush
 * are the driver's. Nor does it put a disabled tasklet aside: it tries again
 * and again in the softirq, which only CAP_SYS_ADMIN may make it do.
 */
#include <linux/interrupt.h>

#include "bhlab.h"

struct bhlab_tasklet {
	struct bhlab_item item;
	struct tasklet_struct tasklet;
};

static struct tasklet_struct *to_tasklet(struct bhlab_item *item)
{
	return &container_of(item, struct bhlab_tasklet, item)->tasklet;
}

static void bhlab_tasklet_fn(struct tasklet_struct *t)
{
	struct bhlab_tasklet *bt = container_of(t, struct bhlab_tasklet,
						tasklet);

	bhlab_item_run(&bt->item);
}

static int bhlab_tasklet_init(struct bhlab_item *item)
{
	tasklet_setup(to_tasklet(item), bhlab_tasklet_fn);
	return 0;
}

/* tasklet_kill() waits for ever while the tasklet is disabled and scheduled. */
static void bhlab_tasklet_stop(struct bhlab_item *item)
{
	for (; item->depth; item->depth--)
		tasklet_enable(to_tasklet(item));
	tasklet_kill(to_tasklet(item));
}

static bool bhlab_tasklet_scheduled(struct bhlab_item *item)
{
	return test_bit(TASKLET_STATE_SCHED, &to_tasklet(item)->state);
}

static bool bhlab_tasklet_busy(struct bhlab_item *item)
{
	return item->depth && bhlab_tasklet_scheduled(item);
}

static int bhlab_tasklet_admit(struct bhlab_item *item,
			       const struct bhlab_activation *act)
{
	return item->depth && !act->privileged ? -EPERM : 0;
}

/*
 * The test that tasklet_schedule() makes, for its answer. A tasklet that is
 * still scheduled although its activation was cancelled comes back to life.
 */
static int bhlab_tasklet_queue(struct bhlab_item *item,
			       const struct bhlab_activation *act)
{
	struct tasklet_struct *t = to_tasklet(item);

	if (item->delayed)
		return BHLAB_RESULT_ALREADY_PENDING;
	if (test_and_set_bit(TASKLET_STATE_SCHED, &t->state)) {
		if (!item->withdrawn)
			return BHLAB_RESULT_ALREADY_PENDING;
		item->withdrawn--;
		return BHLAB_RESULT_QUEUED;
	}
	if (item->ops == &bhlab_tasklet_hi_ops)
		__tasklet_hi_schedule(t);
	else
		__tasklet_schedule(t);
	return BHLAB_RESULT_QUEUED;
}

static bool bhlab_tasklet_cancel(struct bhlab_item *item)
{
	if (!bhlab_item_outstanding(item))
		return false;
	item->withdrawn++;
	return true;
}

static int bhlab_tasklet_disable(struct bhlab_item *item, bool privileged)
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

#define BHLAB_TASKLET_OPS(_id, _name)					\
	.id = (_id),							\
	.name = (_name),						\
	.native = BIT(BHLAB_VERB_QUEUE) | BIT(BHLAB_VERB_DISABLE) |	\
		  BIT(BHLAB_VERB_ENABLE),				\
	.emulated = BIT(BHLAB_VERB_DELAY) | BIT(BHLAB_VERB_CANCEL) |	\
		    BIT(BHLAB_VERB_FLUSH),				\
	.steps = BHLAB_STEPS_ANY | BIT(BHLAB_OP_REQUEUE),		\
	.context = BHLAB_CTX_SOFTIRQ,					\
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
	.flush = bhlab_item_drain

const struct bhlab_mech_ops bhlab_tasklet_ops = {
	BHLAB_TASKLET_OPS(BHLAB_MECH_TASKLET, "tasklet"),
};

const struct bhlab_mech_ops bhlab_tasklet_hi_ops = {
	BHLAB_TASKLET_OPS(BHLAB_MECH_TASKLET_HI, "tasklet_hi"),
};
