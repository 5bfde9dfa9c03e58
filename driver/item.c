// SPDX-License-Identifier: GPL-2.0-only
/*
 * Items: the verbs, and the gate that every activation passes.
 */
#include <linux/interrupt.h>
#include <linux/timekeeping.h>

#include "delay.h"
#include "ioctl.h"
#include "item.h"
#include "lab.h"
#include "object.h"
#include "program.h"
#include "queue.h"
#include "record.h"
#include "stamp.h"
#include "trace.h"
#include "mech/mech.h"

/*
 * Accepted, and neither run, cancelled nor known to be merged. A line's raises
 * are known to be merged only at rest, and a cancel may have come too late
 * there, so that for a moment the sum can exceed what was accepted.
 */
u64 bhlab_item_outstanding(const struct bhlab_item *item)
{
	u64 known = item->runs + item->cancelled + item->merged;

	return item->accepted > known ? item->accepted - known : 0;
}

bool bhlab_item_idle(const struct bhlab_item *item)
{
	return !bhlab_item_outstanding(item) && !bhlab_item_runs(item) &&
	       !item->unsettled && !item->periodic;
}

/* Only if there is one. */
static inline struct bhlab_stamp *bhlab_stamp_newest(struct bhlab_item *item)
{
	return &item->stamps[(item->first_stamp + item->nr_stamps - 1u) %
			     BHLAB_STAMPS];
}

/*
 * The softirqs are those that are pending now that it is queued. Only a line has
 * more than there is room for, see __bhlab_item_call(), and a line has no queue.
 */
static __always_inline void bhlab_stamp_push(struct bhlab_item *item,
					     const struct bhlab_stamp *stamp)
{
	struct bhlab_stamp *newest;

	if (item->nr_stamps < BHLAB_STAMPS)
		item->nr_stamps++;
	newest = bhlab_stamp_newest(item);
	*newest = *stamp;
	newest->softirq = local_softirq_pending();
}

/* What is pending goes to another queue with its new delay. */
static void bhlab_stamp_move(struct bhlab_item *item, struct bhlab_queue *queue)
{
	struct bhlab_stamp *stamp = bhlab_stamp_newest(item);

	bhlab_queue_leave(stamp->queue);
	stamp->queue = queue;
}

/* The stamp of the activation that was taken back: the newest, if there is one. */
static void bhlab_stamp_take_back(struct bhlab_item *item,
				  struct bhlab_stamp *stamp)
{
	*stamp = *bhlab_stamp_newest(item);
	if (item->nr_stamps)
		item->nr_stamps--;
	else
		stamp->queue = NULL;
}

/*
 * Call the kernel, and keep the stamp for the run that will come of it. The
 * caller has entered @act->queue, and leaves it unless the answer is QUEUED or
 * MODIFIED. Without room for the stamp the kernel is not called.
 */
static __always_inline int __bhlab_item_call(struct bhlab_item *item,
					     const struct bhlab_activation *act,
					     const struct bhlab_stamp *stamp)
{
	int ret;

	lockdep_assert_held(&item->lock);
	if (item->nr_stamps == BHLAB_STAMPS && !item->ops->merges)
		return -EBUSY;
	if (act->delay && item->ops->delay)
		ret = item->ops->delay(item, act);
	else
		ret = item->ops->queue(item, act);
	if (ret == BHLAB_RESULT_QUEUED)
		bhlab_stamp_push(item, stamp);
	else if (ret == BHLAB_RESULT_MODIFIED)
		bhlab_stamp_move(item, act->queue);
	return ret;
}

int bhlab_item_call(struct bhlab_item *item, const struct bhlab_activation *act,
		    const struct bhlab_stamp *stamp)
{
	return __bhlab_item_call(item, act, stamp);
}

/* A raise that finds the line raised is accepted all the same, as merged. */
static __always_inline int bhlab_item_raise(struct bhlab_item *item,
					    const struct bhlab_activation *act,
					    const struct bhlab_stamp *stamp)
{
	int ret = __bhlab_item_call(item, act, stamp);

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

static __always_inline int bhlab_item_admit(struct bhlab_item *item,
					    const struct bhlab_activation *act)
{
	if (item->dead)
		return -ENOENT;
	if (bhlab_queue_refuses(act->queue, item, act))
		return -EAGAIN;
	return item->ops->admit ? item->ops->admit(item, act) : 0;
}

/* Out of the way of those that nobody traces. */
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
	stamp->serial = (u32)item->accepted + 1;
	if (act->queue != item->queue)
		item->roamed = true;
	if (act->delay && !item->ops->delay)
		return bhlab_delay_arm(item, act, stamp);
	if (item->delayed && !item->ops->merges)
		return BHLAB_RESULT_ALREADY_PENDING;
	return bhlab_item_raise(item, act, stamp);
}

/*
 * The gate. Teardown sets @dead under the same lock: whoever comes later gets
 * ENOENT, so that nothing is armed again behind its back. And an activation has
 * its queue before the kernel is asked for it, so that no queue ends under it.
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

/* The kernel has taken the pending activation back. */
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
 * Nothing can be activated from here on, and what is on a delay to a workqueue is
 * cancelled. What the kernel keeps all the same, an rcu_work in its grace period,
 * a drain finds in the table; a kthread_work's delay ends when the item stops.
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
 * The kernel's calls wait for a handler on the queue that the item was put on
 * last. If it was on others, wait for what is at work on any of the lab's.
 */
void bhlab_item_leave_queues(struct bhlab_item *item)
{
	if (READ_ONCE(item->roamed))
		bhlab_queues_flush(item->obj.lab);
}

/*
 * Wait for a running handler; the kernel's call may cancel one more. The caller
 * has counted itself as one of @item->syncing.
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
	bhlab_item_leave_queues(item);
}

/* 1 if an activation was cancelled, 0 if none was pending, or an errno. */
int bhlab_item_cancel(struct bhlab_item *item, bool sync, bool *waited)
{
	unsigned long flags;
	bool periodic;
	int hit;

	if (!sync && !item->ops->cancel)
		return -EOPNOTSUPP;
	flags = bhlab_item_lock(item);
	periodic = item->ops->end_period && item->ops->end_period(item);
	hit = bhlab_item_take_back(item);
	/* What the kernel cannot take back now it can once the handler is gone. */
	if (hit < 0 && item->ops->sync_cancels && sync)
		hit = 0;
	sync &= hit >= 0;
	*waited = sync && bhlab_item_runs(item);
	item->syncing += sync;
	bhlab_item_unlock(item, flags);

	if (sync)
		bhlab_item_sync(item, &hit);
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
		ret = item->ops->disable(item, privileged);
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

int bhlab_item_period(struct bhlab_item *item, u64 ns, u32 count)
{
	unsigned long flags = bhlab_item_lock(item);
	int ret = item->dead ? -ENOENT : item->ops->period(item, ns, count);

	bhlab_item_unlock(item, flags);
	return ret;
}

/* Is an activation on its way to @queue that the kernel would put there late? */
bool bhlab_item_armed(struct bhlab_item *item, const struct bhlab_queue *queue)
{
	unsigned long flags = bhlab_item_lock(item);
	bool armed = false;

	if (item->delayed)
		armed = item->delay_stamp.queue == queue;
	else if (item->nr_stamps)
		armed = bhlab_stamp_newest(item)->queue == queue &&
			(!item->ops->delayed || item->ops->delayed(item));
	bhlab_item_unlock(item, flags);
	return armed;
}

static bool bhlab_item_fire_locked(struct bhlab_item *item)
{
	bool idle = bhlab_item_idle(item);

	bhlab_delay_fire(item);
	if (item->ops->fire)
		item->ops->fire(item);
	return idle;
}

/* Do not wait for a delay; true if there is nothing to wait for. */
bool bhlab_item_fire(struct bhlab_item *item)
{
	unsigned long flags = bhlab_item_lock(item);
	bool idle = bhlab_item_fire_locked(item);

	bhlab_item_unlock(item, flags);
	return idle;
}

/**
 * struct bhlab_flush - what a flush of the driver's own waits for
 * @serial: first: until nothing up to this activation is outstanding
 * @gone: that is so
 * @runs: then: until as many runs as had started by then have finished
 */
struct bhlab_flush {
	u32 serial;
	bool gone;
	u64 runs;
};

static bool bhlab_stamp_is_newer(const struct bhlab_stamp *stamp, u32 serial)
{
	return (s32)(stamp->serial - serial) > 0;
}

/* The oldest stamp is the first to run, and a delayed one is newer than all. */
static bool bhlab_flush_gone(const struct bhlab_item *item, u32 serial)
{
	if (item->nr_stamps &&
	    !bhlab_stamp_is_newer(&item->stamps[item->first_stamp], serial))
		return false;
	return !item->delayed ||
	       bhlab_stamp_is_newer(&item->delay_stamp, serial);
}

static bool bhlab_flush_done(struct bhlab_item *item, struct bhlab_flush *f,
			     int *ret)
{
	unsigned long flags;

	flags = bhlab_item_lock(item);
	*ret = 0;
	if (!f->gone && bhlab_flush_gone(item, f->serial)) {
		f->gone = true;
		f->runs = item->runs;
	}
	if (f->gone && bhlab_item_finished(item) >= f->runs)
		*ret = BHLAB_RESULT_WAITED;
	else if (item->dead)
		*ret = -ENOENT;
	else if (item->depth && bhlab_item_outstanding(item))
		*ret = -EBUSY;
	bhlab_item_unlock(item, flags);
	return *ret;
}

/*
 * Flush, for mechanisms whose kernel API has none: fire what is on a delay, and
 * wait until what was accepted before has run or is cancelled. What is accepted
 * or cancelled later does not count.
 */
int bhlab_item_flush_own(struct bhlab_item *item)
{
	struct bhlab_flush f = {};
	unsigned long flags;
	bool idle;
	int ret;

	flags = bhlab_item_lock(item);
	f.serial = item->accepted;
	if (item->depth && bhlab_item_outstanding(item)) {
		bhlab_item_unlock(item, flags);
		return -EBUSY;
	}
	idle = bhlab_item_fire_locked(item);
	bhlab_item_unlock(item, flags);
	if (idle)
		return BHLAB_RESULT_IDLE;

	if (wait_event_interruptible(item->obj.lab->wait,
				     bhlab_flush_done(item, &f, &ret)))
		return -ERESTARTSYS;
	return ret;
}

int bhlab_item_flush(struct bhlab_item *item)
{
	bool running = bhlab_item_runs(item);
	int ret = item->ops->flush(item);

	bhlab_item_leave_queues(item);
	if (ret == BHLAB_RESULT_IDLE && running && READ_ONCE(item->roamed))
		return BHLAB_RESULT_WAITED;
	return ret;
}

static bool bhlab_wait_done(struct bhlab_item *item,
			    const struct bhlab_wait *cmd, int *ret)
{
	unsigned long flags;
	bool done = true;

	flags = bhlab_item_lock(item);
	*ret = 0;
	if (cmd->condition == BHLAB_COND_IDLE)
		done = bhlab_item_idle(item);
	else if (cmd->condition == BHLAB_COND_PENDING)
		done = bhlab_item_outstanding(item);
	else if (cmd->condition == BHLAB_COND_RUNNING)
		done = bhlab_item_runs(item);
	else
		done = bhlab_item_finished(item) >= cmd->value;
	if (!done && item->dead) {
		*ret = -ENOENT;
		done = true;
	}
	bhlab_item_unlock(item, flags);
	return done;
}

/*
 * A run ends within its handler. Who has waited for that may expect the kernel
 * to be done with it, too, unless there is more to come.
 */
static void bhlab_wait_returned(struct bhlab_item *item, u32 condition)
{
	unsigned long flags = bhlab_item_lock(item);
	bool idle = bhlab_item_idle(item);

	bhlab_item_unlock(item, flags);
	if (idle && item->ops->returned &&
	    (condition == BHLAB_COND_IDLE || condition == BHLAB_COND_RUNS))
		item->ops->returned(item);
}

/*
 * A raise that is lost wakes nobody, so a mechanism that has to look for its
 * losses is looked at again and again.
 */
#define BHLAB_SETTLE_NS		(10 * NSEC_PER_MSEC)

int bhlab_item_wait(struct bhlab_item *item, struct bhlab_wait *cmd)
{
	u64 end = ktime_get_ns() + cmd->timeout_ns;
	s64 left;
	int ret;

	for (;;) {
		bhlab_item_settle(item);
		if (bhlab_wait_done(item, cmd, &ret))
			break;
		left = end - ktime_get_ns();
		if (left <= 0)
			return -ETIMEDOUT;
		if (item->ops->settle)
			left = min_t(s64, left, BHLAB_SETTLE_NS);
		if (wait_event_interruptible_hrtimeout(item->obj.lab->wait,
						       bhlab_wait_done(item, cmd, &ret),
						       ns_to_ktime(left)) == -ERESTARTSYS) {
			cmd->timeout_ns = bhlab_time_left(end);
			return -ERESTARTSYS;
		}
	}
	if (!ret)
		bhlab_wait_returned(item, cmd->condition);
	return ret;
}

static bool bhlab_item_delayed(struct bhlab_item *item)
{
	return item->delayed ||
	       (item->ops->delayed && item->ops->delayed(item));
}

/* Find out what became of activations that left no trace. */
void bhlab_item_settle(struct bhlab_item *item)
{
	if (item->ops->settle)
		item->ops->settle(item);
}

/* As it is: whoever only looks must not disturb what is looked at. */
void bhlab_item_state(struct bhlab_item *item, struct bhlab_item_state *st)
{
	unsigned long flags;

	st->out_mech = item->ops->id;
	st->out_item_flags = item->flags;
	st->out_queue = item->queue ? item->queue->obj.id : 0;
	st->out_cpu = item->cpu;
	st->out_nr_steps = item->program->nr;
	st->out_nr_thread_steps = item->thread_program->nr;
	st->out_nice = item->nice;
	st->out_priority = item->priority;
	st->out_cookie = item->cookie;
	memcpy(st->out_name, item->obj.name, sizeof(st->out_name));
	memcpy(st->out_data, item->data, sizeof(st->out_data));

	flags = bhlab_item_lock(item);
	st->out_depth = item->depth;
	st->out_accepted = item->accepted;
	st->out_coalesced = item->coalesced;
	st->out_refused = item->refused;
	st->out_runs = item->runs;
	st->out_cancelled = item->cancelled;
	st->out_merged = item->merged;
	st->out_outstanding = bhlab_item_outstanding(item);
	st->out_skipped = item->skipped;
	st->out_throttled = item->throttled;
	st->out_expired = item->expired;
	st->out_state = (st->out_outstanding ? BHLAB_STATE_PENDING : 0) |
			(bhlab_item_delayed(item) ? BHLAB_STATE_DELAYED : 0) |
			(bhlab_item_runs(item) ? BHLAB_STATE_RUNNING : 0) |
			(item->periodic ? BHLAB_STATE_PERIODIC : 0) |
			(item->depth ? BHLAB_STATE_DISABLED : 0);
	if (item->ops->state)
		item->ops->state(item, st);
	bhlab_item_unlock(item, flags);
}
