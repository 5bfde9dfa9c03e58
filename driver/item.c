// SPDX-License-Identifier: GPL-2.0-only
/*
 * Items: the verbs, and the gate that every activation passes, which is inlined
 * into both of its callers, as in run.c.
 */
#include <linux/ktime.h>
#include <linux/rcupdate.h>

#include "delay.h"
#include "item.h"
#include "lab.h"
#include "object.h"
#include "queue.h"
#include "record.h"
#include "stamp.h"
#include "trace.h"
#include "mech/mech.h"

/* A raise that finds the line raised is accepted, too, and counted as merged. */
static __always_inline int bhlab_item_raise(struct bhlab_item *item,
					    const struct bhlab_activation *act,
					    const struct bhlab_stamp *stamp)
{
	int ret = bhlab_item_call(item, act, stamp);

	if (item->ops->merges && ret == BHLAB_RESULT_ALREADY_PENDING)
		item->accepted++;
	return ret;
}

static __always_inline void bhlab_item_account(struct bhlab_item *item, int result,
					       const struct bhlab_stamp *stamp)
{
	switch (result) {
	case BHLAB_RESULT_QUEUED:
		item->accepted++;
		if (item->flags & BHLAB_ITEM_QUEUED)
			bhlab_record(item, BHLAB_EVENT_QUEUED, stamp, 0);
		break;
	case BHLAB_RESULT_ALREADY_PENDING:
		item->coalesced++;
		bhlab_record(item, BHLAB_EVENT_COALESCED, stamp, 0);
		break;
	case BHLAB_RESULT_DISABLED:
		item->refused++;
		break;
	}
}

/*
 * A draining queue takes only what its own workers queue there directly. An item
 * that was on several queues may be running on another one than it seems, and
 * for the kernel a handler in a softirq is not a worker.
 */
static bool bhlab_queue_is_draining_for(const struct bhlab_queue *queue,
					const struct bhlab_item *item,
					const struct bhlab_activation *act)
{
	lockdep_assert_held(&item->lock);
	return act->from != queue || queue->bh || act->delay ||
	       item->ops->id != BHLAB_MECH_WORK ||
	       ktime_get_mono_fast_ns() > queue->drain_until;
}

static inline bool bhlab_queue_refuses(const struct bhlab_queue *queue,
				       const struct bhlab_item *item,
				       const struct bhlab_activation *act)
{
	/* Pairs with bhlab_queue_begin_drain(): @drain_until is set. */
	return queue && smp_load_acquire(&queue->draining) &&
	       bhlab_queue_is_draining_for(queue, item, act);
}

static __always_inline int bhlab_item_admit(struct bhlab_item *item,
					    const struct bhlab_activation *act)
{
	if (item->dead)
		return -ENOENT;
	if (bhlab_queue_refuses(act->queue, item, act))
		return -EAGAIN;
	return item->ops->admit ? item->ops->admit(item, act) : 0;
}

/* Out of line: only when the tracepoint is enabled. */
static noinline void bhlab_item_trace(const struct bhlab_item *item,
				      const struct bhlab_activation *act,
				      const struct bhlab_stamp *stamp, int ret)
{
	if (item->ops->merges)
		trace_bhlab_trigger(item, act, stamp, ret);
	else
		trace_bhlab_queue(item, act, stamp, ret);
}

static __always_inline int bhlab_item_accept(struct bhlab_item *item,
					     const struct bhlab_activation *act,
					     struct bhlab_stamp *stamp)
{
	bhlab_stamp_now(stamp, act);
	stamp->serial = ++item->serial;
	if (act->queue != item->queue)
		item->roamed = true;
	if (act->delay && !item->ops->delay)
		return bhlab_delay_arm(item, act, stamp);
	if (item->delayed && !item->ops->merges)
		return BHLAB_RESULT_ALREADY_PENDING;
	return bhlab_item_raise(item, act, stamp);
}

/*
 * The gate. Teardown sets @dead under the same lock: later activations get
 * ENOENT, so that nothing is armed again behind it. An activation enters its
 * queue before the call to the kernel, so that the queue is not destroyed under
 * it.
 */
static __always_inline int __bhlab_item_activate(struct bhlab_item *item,
						 const struct bhlab_activation *act)
{
	int ret = bhlab_item_admit(item, act);
	struct bhlab_stamp stamp;

	lockdep_assert_held(&item->lock);
	if (ret)
		return ret;
	if (!bhlab_queue_enter(act->queue))
		return -ENOENT;
	ret = bhlab_item_accept(item, act, &stamp);
	if (ret != BHLAB_RESULT_QUEUED && ret != BHLAB_RESULT_MODIFIED)
		bhlab_queue_leave(act->queue);
	bhlab_item_account(item, ret, &stamp);
	if (trace_bhlab_queue_enabled() || trace_bhlab_trigger_enabled())
		bhlab_item_trace(item, act, &stamp, ret);
	return ret;
}

int bhlab_item_activate_locked(struct bhlab_item *item,
			       const struct bhlab_activation *act)
{
	return __bhlab_item_activate(item, act);
}

int bhlab_item_activate(struct bhlab_item *item,
			const struct bhlab_activation *act)
{
	unsigned long flags;
	int ret;

	if (BHLAB_BARE)
		return item->ops->queue(item, act);
	flags = bhlab_item_lock(item);
	ret = __bhlab_item_activate(item, act);
	bhlab_item_unlock(item, flags);
	if (ret >= 0)
		bhlab_lab_wake(item->obj.lab);
	return ret;
}

static void bhlab_item_account_cancel(struct bhlab_item *item,
				      const struct bhlab_stamp *stamp)
{
	lockdep_assert_held(&item->lock);
	bhlab_queue_leave(stamp->queue);
	item->cancelled++;
	bhlab_record(item, BHLAB_EVENT_CANCELLED, stamp, 0);
	trace_bhlab_cancel(item, stamp);
}

/* The kernel has cancelled the pending activation. */
static void bhlab_item_taken_back(struct bhlab_item *item)
{
	struct bhlab_stamp stamp;

	bhlab_stamp_take_back(item, &stamp);
	bhlab_item_account_cancel(item, &stamp);
}

/* Cancel what is pending: 1, 0 if nothing is, or -EBUSY if the kernel cannot. */
static int bhlab_item_take_back(struct bhlab_item *item)
{
	int ret;

	if (bhlab_delay_cancel(item)) {
		bhlab_item_account_cancel(item, &item->delay_stamp);
		return 1;
	}
	ret = item->ops->cancel ? item->ops->cancel(item) : 0;
	if (ret > 0)
		bhlab_item_taken_back(item);
	return ret;
}

/*
 * Nothing can be activated from here on, and an activation that is on a delay to
 * a workqueue is cancelled. What the kernel keeps all the same, an rcu_work in
 * its grace period, is found by a drain in the table. A kthread_work's delay
 * ends when the item stops.
 */
void bhlab_item_die(struct bhlab_item *item)
{
	lockdep_assert_held(&item->lock);
	item->dead = true;
	if (item->ops->end_period)
		item->ops->end_period(item);
	bhlab_item_take_back(item);
}

/*
 * The kernel's calls wait for a handler where the item was put last. If it was on
 * other workqueues, wait for the handlers on all of the lab's. If it is a timer
 * that was on other CPUs, a grace period waits for the softirqs there.
 */
void bhlab_item_wait_elsewhere(struct bhlab_item *item)
{
	if (!READ_ONCE(item->roamed))
		return;
	if (item->ops->takes_queue)
		bhlab_queues_flush(item->obj.lab);
	else
		synchronize_rcu();
}

/*
 * Wait for a running handler; the kernel's call may cancel one more activation.
 * The caller is counted in @item->syncing.
 */
static void bhlab_item_sync(struct bhlab_item *item, int *hit)
{
	bool taken = item->ops->sync(item);
	unsigned long flags;

	flags = bhlab_item_lock(item);
	item->syncing--;
	if (taken && bhlab_item_outstanding(item)) {
		bhlab_item_taken_back(item);
		*hit = 1;
	}
	bhlab_item_unlock(item, flags);
	bhlab_item_wait_elsewhere(item);
}

/*
 * 1 if an activation was cancelled, 0 if none was pending, or an errno. @runs: a
 * handler was running when nothing was pending any more; @sync waits for it.
 */
int bhlab_item_cancel(struct bhlab_item *item, bool sync, bool *runs)
{
	unsigned long flags;
	bool periodic;
	int hit;

	if (!sync && !item->ops->cancel)
		return -EOPNOTSUPP;
	flags = bhlab_item_lock(item);
	if (item->dead) {
		bhlab_item_unlock(item, flags);
		return -ENOENT;
	}
	periodic = item->ops->end_period && item->ops->end_period(item);
	hit = bhlab_item_take_back(item);
	/* If the kernel cannot cancel it now, it can once the handler has returned. */
	if (hit < 0 && item->ops->sync_cancels && sync)
		hit = 0;
	sync &= hit >= 0;
	*runs = bhlab_item_runs(item);
	item->syncing += sync;
	bhlab_item_unlock(item, flags);

	if (sync)
		bhlab_item_sync(item, &hit);
	if (hit > 0 || periodic)
		bhlab_lab_wake(item->obj.lab);
	return periodic ? 1 : hit;
}

int bhlab_item_disable(struct bhlab_item *item, bool sync, bool privileged,
		       u32 *depth, bool *waited)
{
	unsigned long flags;
	int hit, ret;

	flags = bhlab_item_lock(item);
	if (item->dead)
		ret = -ENOENT;
	else if (item->depth == BHLAB_DISABLE_DEPTH_MAX)
		ret = -EOVERFLOW;
	else
		ret = item->ops->disable(item, sync, privileged);
	if (ret >= 0) {
		item->syncing += sync;
		*depth = ++item->depth;
		*waited = sync && bhlab_item_runs(item);
		bhlab_record(item, BHLAB_EVENT_DISABLED, NULL, item->depth);
	}
	hit = ret > 0;
	if (hit)
		bhlab_item_taken_back(item);
	bhlab_item_unlock(item, flags);
	if (ret < 0)
		return ret;

	if (sync)
		bhlab_item_sync(item, &hit);
	bhlab_lab_wake(item->obj.lab);
	return hit ? BHLAB_RESULT_WAS_PENDING : BHLAB_RESULT_IDLE;
}

int bhlab_item_enable(struct bhlab_item *item, u32 *depth)
{
	unsigned long flags;
	int ret = 0;

	flags = bhlab_item_lock(item);
	if (item->dead) {
		ret = -ENOENT;
	} else if (!item->depth) {
		ret = -EINVAL;
	} else {
		*depth = --item->depth;
		bhlab_record(item, BHLAB_EVENT_ENABLED, NULL, item->depth);
		item->ops->enable(item);
	}
	bhlab_item_unlock(item, flags);
	if (!ret)
		bhlab_lab_wake(item->obj.lab);
	return ret;
}

/* Of a line that its device asserts until it is served. */
int bhlab_item_deassert(struct bhlab_item *item, bool *asserted)
{
	unsigned long flags;
	int ret;

	if (!item->ops->deassert)
		return -EOPNOTSUPP;
	flags = bhlab_item_lock(item);
	ret = item->dead ? -ENOENT : item->ops->deassert(item, asserted);
	if (ret > 0)
		bhlab_item_taken_back(item);
	bhlab_item_unlock(item, flags);
	if (ret < 0)
		return ret;
	bhlab_lab_wake(item->obj.lab);
	return ret ? BHLAB_RESULT_WAS_PENDING : BHLAB_RESULT_IDLE;
}

int bhlab_item_period(struct bhlab_item *item, u64 ns, u32 count)
{
	unsigned long flags = bhlab_item_lock(item);
	int ret = item->dead ? -ENOENT : item->ops->period(item, ns, count);

	bhlab_item_unlock(item, flags);
	return ret;
}

