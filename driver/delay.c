// SPDX-License-Identifier: GPL-2.0-only
/*
 * Delays, and the delay of mechanisms that have none of their own: an hrtimer of
 * the driver does for them what delayed_work does for a work item.
 *
 * Everything here happens under item->lock. The timer's function takes it too,
 * so it can be pending while the delay is cancelled or armed again: it checks
 * whether there still is a delay, and whether it is over.
 */
#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include "budget.h"
#include "compat.h"
#include "delay.h"
#include "item.h"
#include "lab.h"
#include "object.h"
#include "queue.h"
#include "record.h"
#include "stamp.h"
#include "mech/mech.h"

/*
 * Rounded up, as msecs_to_jiffies() does. The kernel's timer wheel itself adds
 * one for the tick that is partly over.
 */
unsigned long bhlab_delay_jiffies(u64 ns)
{
	return nsecs_to_jiffies(ns + TICK_NSEC - 1);
}

static void bhlab_delay_start(struct bhlab_item *item, u64 ns)
{
	item->delay_until = ktime_get_ns() + ns;
	/* Pinned: it runs on the CPU that asked for it, as a tasklet does. */
	hrtimer_start(&item->delay, ns_to_ktime(item->delay_until),
		      HRTIMER_MODE_ABS_PINNED_HARD);
}

/* The kernel does not take the activation now. */
static bool bhlab_delay_goes_on(const struct bhlab_item *item, int ret)
{
	return ret < 0 || ret == BHLAB_RESULT_DISABLED ||
	       (ret == BHLAB_RESULT_ALREADY_PENDING && !item->ops->merges);
}

/*
 * The activation, which holds its queue already, goes to the kernel. A CPU that
 * is going offline still takes timers when the threads for its softirqs, and on
 * RT for its irq_work, are parked: there the delay continues until all timers
 * are moved to another CPU. It also continues while the item has no room for a
 * stamp, or the kernel does not take it: a poll that runs, or is disabled, a csd to
 * this CPU, or to one that is offline.
 */
static void bhlab_delay_over(struct bhlab_item *item)
{
	struct bhlab_stamp stamp = item->delay_stamp;
	const struct bhlab_activation now = {
		.queue = stamp.queue,
		.cpu = item->delay_cpu,
	};
	int ret = -EBUSY;

	if (cpu_active(smp_processor_id()))
		ret = bhlab_item_call(item, &now, &stamp);
	if (bhlab_delay_goes_on(item, ret)) {
		if (ret == -ENODEV || ret == -EXDEV)
			item->delay_cpu = WORK_CPU_UNBOUND;
		bhlab_delay_start(item, NSEC_PER_MSEC);
		return;
	}
	item->delayed = false;
	item->expired++;
	bhlab_record(item, BHLAB_EVENT_EXPIRED, &stamp, 0);
	if (ret == BHLAB_RESULT_ALREADY_PENDING) {
		item->coalesced++;
		bhlab_queue_leave(stamp.queue);
	}
}

static enum hrtimer_restart bhlab_delay_fn(struct hrtimer *timer)
{
	struct bhlab_item *item = container_of(timer, struct bhlab_item, delay);
	u64 entered = ktime_get_mono_fast_ns(), wait;
	unsigned long flags;

	flags = bhlab_item_lock(item);
	if (item->delayed && ktime_get_ns() >= item->delay_until) {
		/* Wait until the CPU's budget allows what it starts. */
		wait = bhlab_budget_wait_here();
		if (wait)
			bhlab_delay_start(item, wait);
		else
			bhlab_delay_over(item);
	}
	bhlab_item_unlock(item, flags);
	bhlab_lab_wake(item->obj.lab);
	bhlab_budget_charge_since(entered);
	return HRTIMER_NORESTART;
}

void bhlab_delay_init(struct bhlab_item *item)
{
	/* Hard on RT, too: the lock is raw, and the delay should be exact. */
	hrtimer_setup(&item->delay, bhlab_delay_fn, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS_PINNED_HARD);
}

/*
 * Arm the delay, or with @act->mod replace it. An activation whose delay is over
 * belongs to the kernel and stays pending: the kernel cannot cancel it for any
 * of the mechanisms that use this delay. The caller has entered @act->queue.
 */
int bhlab_delay_arm(struct bhlab_item *item, const struct bhlab_activation *act,
		    const struct bhlab_stamp *stamp)
{
	int ret = BHLAB_RESULT_QUEUED;

	lockdep_assert_held(&item->lock);
	if (item->delayed ? !act->mod :
			    !item->ops->merges && bhlab_item_outstanding(item))
		return BHLAB_RESULT_ALREADY_PENDING;

	if (item->delayed) {
		ret = BHLAB_RESULT_MODIFIED;
		bhlab_queue_leave(item->delay_stamp.queue);
	} else {
		item->delay_stamp = *stamp;
	}
	item->delay_stamp.queue = act->queue;
	item->delay_stamp.serial = stamp->serial;
	item->delay_cpu = act->cpu;
	item->delayed = true;
	bhlab_delay_start(item, act->ns);
	return ret;
}

bool bhlab_delay_cancel(struct bhlab_item *item)
{
	lockdep_assert_held(&item->lock);
	if (!item->delayed)
		return false;
	item->delayed = false;
	hrtimer_try_to_cancel(&item->delay);
	return true;
}

/* End the delay now. */
void bhlab_delay_fire(struct bhlab_item *item)
{
	if (!item->delayed)
		return;
	hrtimer_try_to_cancel(&item->delay);
	bhlab_delay_over(item);
}

/* The item is dead, and not delayed: nothing arms the timer again. */
void bhlab_delay_stop(struct bhlab_item *item)
{
	hrtimer_cancel(&item->delay);
}
