// SPDX-License-Identifier: GPL-2.0-only
/*
 * timer: a timer_list; runs in TIMER_SOFTIRQ, at a tick. Queued without a delay
 * it expires at the next one.
 *
 * The kernel has no flush for timers, so that is the driver's. timer_pending()
 * is read under item->lock, which all callers hold that start the timer.
 */
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "delay.h"
#include "item.h"
#include "run.h"
#include "stamp.h"
#include "mech/mech.h"

struct bhlab_timer {
	struct bhlab_item item;
	struct timer_list timer;
};

static struct timer_list *to_timer(struct bhlab_item *item)
{
	return &container_of(item, struct bhlab_timer, item)->timer;
}

static void bhlab_timer_fn(struct timer_list *timer)
{
	bhlab_item_run(&container_of(timer, struct bhlab_timer, timer)->item);
}

static int bhlab_timer_init(struct bhlab_item *item)
{
	timer_setup(to_timer(item), bhlab_timer_fn,
		    (item->flags & BHLAB_ITEM_IRQSAFE ? TIMER_IRQSAFE : 0) |
		    (item->flags & BHLAB_ITEM_PINNED ? TIMER_PINNED : 0));
	return 0;
}

static void bhlab_timer_stop(struct bhlab_item *item)
{
	timer_delete_sync(to_timer(item));
}

static void bhlab_timer_start(struct bhlab_item *item,
			      const struct bhlab_activation *act)
{
	struct timer_list *timer = to_timer(item);

	timer->expires = jiffies + bhlab_delay_jiffies(act->ns);
	if (act->cpu == WORK_CPU_UNBOUND) {
		add_timer(timer);
	} else {
		add_timer_on(timer, act->cpu);
		/* The kernel did not look whether it runs elsewhere. */
		item->roamed |= item->accepted > 0;
	}
}

static int bhlab_timer_queue(struct bhlab_item *item,
			     const struct bhlab_activation *act)
{
	if (timer_pending(to_timer(item)))
		return BHLAB_RESULT_ALREADY_PENDING;
	bhlab_timer_start(item, act);
	return BHLAB_RESULT_QUEUED;
}

static int bhlab_timer_delay(struct bhlab_item *item,
			     const struct bhlab_activation *act)
{
	if (!act->mod || !timer_delete(to_timer(item)))
		return bhlab_timer_queue(item, act);
	bhlab_timer_start(item, act);
	return BHLAB_RESULT_MODIFIED;
}

static int bhlab_timer_cancel(struct bhlab_item *item)
{
	return timer_delete(to_timer(item));
}

static bool bhlab_timer_sync(struct bhlab_item *item)
{
	return timer_delete_sync(to_timer(item));
}

static void bhlab_timer_fire(struct bhlab_item *item)
{
	/* not a timer that has just expired: that would run twice */
	mod_timer_pending(to_timer(item), jiffies);
}

static bool bhlab_timer_delayed(struct bhlab_item *item)
{
	return timer_pending(to_timer(item));
}

const struct bhlab_mech_ops bhlab_timer_ops = {
	.id = BHLAB_MECH_TIMER,
	.native = BIT(BHLAB_VERB_QUEUE) | BIT(BHLAB_VERB_DELAY) |
		  BIT(BHLAB_VERB_CANCEL),
	.emulated = BIT(BHLAB_VERB_FLUSH),
	.context = BHLAB_CTX_SOFTIRQ,
	.attrs = BHLAB_ITEM_IRQSAFE | BHLAB_ITEM_PINNED,
	.size = sizeof(struct bhlab_timer),
	.takes_cpu = true,
	.sync_cancels = true,
	.init = bhlab_timer_init,
	.stop = bhlab_timer_stop,
	.queue = bhlab_timer_queue,
	.delay = bhlab_timer_delay,
	.cancel = bhlab_timer_cancel,
	.sync = bhlab_timer_sync,
	.fire = bhlab_timer_fire,
	.flush = bhlab_item_flush_own,
	.delayed = bhlab_timer_delayed,
};
