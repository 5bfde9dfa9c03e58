// SPDX-License-Identifier: GPL-2.0-only
/*
 * work: a delayed_work on a workqueue; runs in a kworker.
 *
 * Only the delayed_work calls are used: cancel_work() and disable_work() do not
 * know of the timer, and must not meet one that is armed.
 */
#include <linux/workqueue.h>

#include "bhlab.h"
#include "compat.h"

struct bhlab_work {
	struct bhlab_item item;
	struct delayed_work dwork;
};

static struct delayed_work *to_dwork(struct bhlab_item *item)
{
	return &container_of(item, struct bhlab_work, item)->dwork;
}

static void bhlab_work_fn(struct work_struct *work)
{
	struct bhlab_work *w = container_of(to_delayed_work(work),
					    struct bhlab_work, dwork);

	bhlab_item_run(&w->item);
}

static int bhlab_work_init(struct bhlab_item *item)
{
	INIT_DELAYED_WORK(to_dwork(item), bhlab_work_fn);
	return 0;
}

static bool bhlab_work_sync(struct bhlab_item *item)
{
	return cancel_delayed_work_sync(to_dwork(item));
}

static void bhlab_work_stop(struct bhlab_item *item)
{
	cancel_delayed_work_sync(to_dwork(item));
}

/* The kernel says false for pending and for disabled; the depth tells which. */
static int bhlab_work_result(struct bhlab_item *item, bool queued)
{
	if (queued)
		return BHLAB_RESULT_QUEUED;
	return item->depth ? BHLAB_RESULT_DISABLED :
			     BHLAB_RESULT_ALREADY_PENDING;
}

static int bhlab_work_queue(struct bhlab_item *item,
			    const struct bhlab_activation *act)
{
	return bhlab_work_result(item, queue_delayed_work_on(act->cpu, act->wq,
							     to_dwork(item), 0));
}

/*
 * A timer ends at a tick, and the current tick has partly gone: one more makes
 * sure that the delay is never shorter than asked for.
 */
static unsigned long bhlab_delay_jiffies(u64 ns)
{
	return ns ? nsecs_to_jiffies(ns + TICK_NSEC - 1) + 1 : 0;
}

static int bhlab_work_delay(struct bhlab_item *item,
			    const struct bhlab_activation *act)
{
	unsigned long delay = bhlab_delay_jiffies(act->ns);
	struct delayed_work *dwork = to_dwork(item);

	if (!act->mod)
		return bhlab_work_result(item, queue_delayed_work_on(act->cpu, act->wq,
								     dwork, delay));
	if (mod_delayed_work_on(act->cpu, act->wq, dwork, delay))
		return BHLAB_RESULT_MODIFIED;
	return bhlab_work_result(item, !item->depth);
}

static bool bhlab_work_cancel(struct bhlab_item *item)
{
	return cancel_delayed_work(to_dwork(item));
}

static int bhlab_work_disable(struct bhlab_item *item, bool privileged)
{
	return disable_delayed_work(to_dwork(item));
}

static void bhlab_work_enable(struct bhlab_item *item)
{
	enable_delayed_work(to_dwork(item));
}

static int bhlab_work_flush(struct bhlab_item *item)
{
	return flush_delayed_work(to_dwork(item)) ? BHLAB_RESULT_WAITED :
						    BHLAB_RESULT_IDLE;
}

/* Until then the kernel would queue it to the worker that runs it. */
static void bhlab_work_returned(struct bhlab_item *item)
{
	flush_work(&to_dwork(item)->work);
}

static void bhlab_work_state(struct bhlab_item *item,
			     struct bhlab_item_state *st)
{
	if (timer_pending(&to_dwork(item)->timer))
		st->out_state |= BHLAB_STATE_DELAYED;
}

const struct bhlab_mech_ops bhlab_work_ops = {
	.id = BHLAB_MECH_WORK,
	.name = "work",
	.native = BIT(BHLAB_VERB_QUEUE) | BIT(BHLAB_VERB_DELAY) |
		  BIT(BHLAB_VERB_CANCEL) | BIT(BHLAB_VERB_FLUSH) |
		  (BHLAB_CAN_DISABLE_WORK ? BIT(BHLAB_VERB_DISABLE) |
					    BIT(BHLAB_VERB_ENABLE) : 0),
	.steps = BHLAB_STEPS_ANY | BIT(BHLAB_OP_SLEEP) | BIT(BHLAB_OP_REQUEUE),
	.context = BHLAB_CTX_TASK,
	.size = sizeof(struct bhlab_work),
	.takes_cpu = true,
	.takes_queue = true,
	.init = bhlab_work_init,
	.stop = bhlab_work_stop,
	.queue = bhlab_work_queue,
	.delay = bhlab_work_delay,
	.cancel = bhlab_work_cancel,
	.disable = bhlab_work_disable,
	.enable = bhlab_work_enable,
	.sync = bhlab_work_sync,
	.flush = bhlab_work_flush,
	.returned = bhlab_work_returned,
	.state = bhlab_work_state,
};
