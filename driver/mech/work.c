// SPDX-License-Identifier: GPL-2.0-only
/*
 * work: a delayed_work on a workqueue; runs in a kworker, on a BH queue in a
 * softirq.
 *
 * Only the delayed_work calls are used: cancel_work() and disable_work() ignore
 * the timer, and must not meet one that is armed.
 */
#include <linux/workqueue.h>

#include "compat.h"
#include "delay.h"
#include "item.h"
#include "queue.h"
#include "run.h"
#include "stamp.h"
#include "mech/mech.h"

/* The kernel's structure, and the item that it belongs to. */
struct bhlab_dwork {
	struct delayed_work dwork;
	struct bhlab_item *item;
};

/**
 * struct bhlab_work - an item of mechanism work
 * @item: the item
 * @work: @own, or the static one
 * @own: initialised at run time
 */
struct bhlab_work {
	struct bhlab_item item;
	struct bhlab_dwork *work;
	struct bhlab_dwork own;
};

static void bhlab_work_fn(struct work_struct *work);

/* What DECLARE_DELAYED_WORK() makes; one item at a time may have it. */
static struct bhlab_dwork bhlab_static_work = {
	.dwork = __DELAYED_WORK_INITIALIZER(bhlab_static_work.dwork,
					    bhlab_work_fn, 0),
};

static unsigned long bhlab_static_work_taken;

static struct bhlab_work *to_work(struct bhlab_item *item)
{
	return container_of(item, struct bhlab_work, item);
}

static struct delayed_work *to_dwork(struct bhlab_item *item)
{
	return &to_work(item)->work->dwork;
}

static void bhlab_work_fn(struct work_struct *work)
{
	struct bhlab_dwork *w = container_of(to_delayed_work(work),
					     struct bhlab_dwork, dwork);

	bhlab_item_run(w->item);
}

static int bhlab_work_init(struct bhlab_item *item)
{
	struct bhlab_work *w = to_work(item);

	w->work = &w->own;
	if (item->queue->bh) {
		/*
		 * Another lockdep class than for a handler that runs with
		 * softirqs on.
		 */
		INIT_DELAYED_WORK(&w->own.dwork, bhlab_work_fn);
	} else if (!(item->flags & BHLAB_ITEM_STATIC)) {
		INIT_DELAYED_WORK(&w->own.dwork, bhlab_work_fn);
	} else if (!test_and_set_bit(0, &bhlab_static_work_taken)) {
		w->work = &bhlab_static_work;
	} else {
		return -EBUSY;
	}
	w->work->item = item;
	return 0;
}

static bool bhlab_work_sync(struct bhlab_item *item)
{
	return cancel_delayed_work_sync(to_dwork(item));
}

/* The static one is used again, and must be as it was. */
static void bhlab_work_stop(struct bhlab_item *item)
{
	cancel_delayed_work_sync(to_dwork(item));
	for (; item->depth; item->depth--)
		enable_delayed_work(to_dwork(item));
	if (item->flags & BHLAB_ITEM_STATIC)
		clear_bit_unlock(0, &bhlab_static_work_taken);
}

static bool bhlab_work_delayed(struct bhlab_item *item)
{
	return timer_pending(&to_dwork(item)->timer);
}

/* The kernel returns false for pending and for disabled; the depth tells which. */
static int bhlab_work_result(struct bhlab_item *item, bool queued)
{
	if (queued)
		return BHLAB_RESULT_QUEUED;
	return item->depth ? BHLAB_RESULT_DISABLED :
			     BHLAB_RESULT_ALREADY_PENDING;
}

/*
 * While another thread is in cancel_delayed_work_sync() the kernel takes nothing.
 * The driver cancels in two calls, and takes nothing between them either: the
 * second would cancel it.
 */
static int bhlab_work_queue(struct bhlab_item *item,
			    const struct bhlab_activation *act)
{
	if (item->syncing)
		return bhlab_work_result(item, false);
	return bhlab_work_result(item, queue_delayed_work_on(act->cpu,
							     act->queue->wq,
							     to_dwork(item), 0));
}

static int bhlab_work_delay(struct bhlab_item *item,
			    const struct bhlab_activation *act)
{
	unsigned long delay = bhlab_delay_jiffies(act->ns);
	struct workqueue_struct *wq = act->queue->wq;
	struct delayed_work *dwork = to_dwork(item);

	/* As above; and mod_delayed_work_on() returns the same as if it had queued it. */
	if (item->syncing)
		return bhlab_work_result(item, false);
	if (!act->mod)
		return bhlab_work_result(item, queue_delayed_work_on(act->cpu, wq,
								     dwork, delay));
	if (mod_delayed_work_on(act->cpu, wq, dwork, delay))
		return BHLAB_RESULT_MODIFIED;
	return bhlab_work_result(item, !item->depth);
}

static int bhlab_work_cancel(struct bhlab_item *item)
{
	return cancel_delayed_work(to_dwork(item));
}

static int bhlab_work_disable(struct bhlab_item *item, bool sync, bool privileged)
{
	return disable_delayed_work(to_dwork(item));
}

static void bhlab_work_enable(struct bhlab_item *item)
{
	enable_delayed_work(to_dwork(item));
}

/*
 * As flush_delayed_work() ends a delay, without its wait. If the timer is over
 * already, or another thread cancels the item, there is nothing to end.
 */
static void bhlab_work_fire(struct bhlab_item *item)
{
	struct delayed_work *dwork = to_dwork(item);

	if (!item->syncing && timer_pending(&dwork->timer) &&
	    cancel_delayed_work(dwork))
		queue_delayed_work_on(dwork->cpu, dwork->wq, dwork, 0);
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

const struct bhlab_mech_ops bhlab_work_ops = {
	.id = BHLAB_MECH_WORK,
	.native = BIT(BHLAB_VERB_QUEUE) | BIT(BHLAB_VERB_DELAY) |
		  BIT(BHLAB_VERB_CANCEL) | BIT(BHLAB_VERB_FLUSH) |
		  (BHLAB_CAN_DISABLE_WORK ? BIT(BHLAB_VERB_DISABLE) |
					    BIT(BHLAB_VERB_ENABLE) : 0),
	.context = BHLAB_CTX_TASK,
	.attrs = BHLAB_ITEM_STATIC,
	.size = sizeof(struct bhlab_work),
	.takes_cpu = true,
	.takes_queue = true,
	.sync_cancels = true,
	.init = bhlab_work_init,
	.stop = bhlab_work_stop,
	.queue = bhlab_work_queue,
	.delay = bhlab_work_delay,
	.cancel = bhlab_work_cancel,
	.disable = bhlab_work_disable,
	.enable = bhlab_work_enable,
	.fire = bhlab_work_fire,
	.delayed = bhlab_work_delayed,
	.sync = bhlab_work_sync,
	.flush = bhlab_work_flush,
	.returned = bhlab_work_returned,
};
