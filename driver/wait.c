// SPDX-License-Identifier: GPL-2.0-only
/* Waiting for items: flush, conditions, and an item's state. */
#include <linux/sched.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>

#include "delay.h"
#include "item.h"
#include "lab.h"
#include "object.h"
#include "program.h"
#include "queue.h"
#include "ring.h"
#include "stamp.h"
#include "mech/mech.h"

static bool bhlab_item_fire_locked(struct bhlab_item *item)
{
	bool idle = bhlab_item_idle(item);

	bhlab_delay_fire(item);
	if (item->ops->fire)
		item->ops->fire(item);
	return idle;
}

/* End its delays now; true if there is nothing to wait for. */
bool bhlab_item_fire(struct bhlab_item *item)
{
	unsigned long flags = bhlab_item_lock(item);
	bool idle = bhlab_item_fire_locked(item);

	bhlab_item_unlock(item, flags);
	return idle;
}

static bool bhlab_stamp_is_newer(const struct bhlab_stamp *stamp, u32 serial)
{
	return (s32)(stamp->serial - serial) > 0;
}

/* The oldest stamp runs first, and a delayed one is newer than all others. */
static bool bhlab_flush_gone(const struct bhlab_item *item, u32 serial)
{
	if (item->nr_stamps &&
	    !bhlab_stamp_is_newer(&item->stamps[item->first_stamp], serial))
		return false;
	return !item->delayed ||
	       bhlab_stamp_is_newer(&item->delay_stamp, serial);
}

/* @ret: its result, once there is one. */
bool bhlab_flush_done(struct bhlab_item *item, struct bhlab_flush *f, int *ret)
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
	else if (bhlab_item_blocked(item))
		*ret = -EBUSY;
	bhlab_item_unlock(item, flags);
	return *ret;
}

/* End the delays. 0 if there is something to wait for, 1 if not, or an errno. */
int bhlab_flush_begin(struct bhlab_item *item, struct bhlab_flush *f)
{
	unsigned long flags;
	int ret = -EBUSY;

	*f = (struct bhlab_flush) {};
	flags = bhlab_item_lock(item);
	f->serial = item->serial;
	if (item->dead)
		ret = -ENOENT;
	else if (!bhlab_item_blocked(item))
		ret = bhlab_item_fire_locked(item);
	bhlab_item_unlock(item, flags);
	return ret;
}

/*
 * Flush, for mechanisms whose kernel API has none: end the delays, and wait
 * until all earlier activations have run or are cancelled. Activations, and
 * cancels, that come later do not count; one that gets a new delay meanwhile is
 * one that comes later.
 */
int bhlab_item_flush_own(struct bhlab_item *item)
{
	struct bhlab_flush f;
	int ret = bhlab_flush_begin(item, &f);

	if (ret)
		return ret > 0 ? BHLAB_RESULT_IDLE : ret;
	if (wait_event_interruptible(item->obj.lab->wait,
				     bhlab_flush_done(item, &f, &ret)))
		return -ERESTARTSYS;
	return ret;
}

int bhlab_item_flush(struct bhlab_item *item)
{
	bool running = bhlab_item_runs(item);
	int ret = item->ops->flush(item);

	bhlab_item_wait_elsewhere(item);
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
	else if (cmd->condition == BHLAB_COND_STARTED)
		done = item->runs >= cmd->value;
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
 * A run ends within its handler. A waiter may expect the handler to have
 * returned as well, unless more runs are pending.
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

/* Find out what happened to activations that left no trace. */
void bhlab_item_settle(struct bhlab_item *item)
{
	if (item->ops->settle)
		item->ops->settle(item);
}

/* A lost raise wakes nobody, so a mechanism with such losses is polled. */
#define BHLAB_SETTLE_NS		(10 * NSEC_PER_MSEC)

/* The rest of the time-out, for a wait that is restarted after a signal. */
static u64 bhlab_time_left(u64 end)
{
	u64 now = ktime_get_ns();

	return end > now ? end - now : 0;
}

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

int bhlab_lab_wait(struct bhlab_lab *lab, struct bhlab_wait *cmd)
{
	u64 end = ktime_get_ns() + cmd->timeout_ns;
	int ret;

	if (cmd->timeout_ns > BHLAB_NS_MAX)
		return -EINVAL;
	ret = bhlab_ring_use(&lab->ring);
	if (ret)
		return ret;
	ret = wait_event_interruptible_hrtimeout(lab->wait,
						 bhlab_ring_recorded(&lab->ring) >= cmd->value,
						 ns_to_ktime(cmd->timeout_ns));
	if (ret == -ETIME)
		return -ETIMEDOUT;
	if (ret == -ERESTARTSYS)
		cmd->timeout_ns = bhlab_time_left(end);
	return ret;
}

static bool bhlab_item_delayed(struct bhlab_item *item)
{
	return item->delayed ||
	       (item->ops->delayed && item->ops->delayed(item));
}

/* A snapshot: reading the state must not change it. */
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
	st->out_weight = item->weight;
	st->out_flow = item->flow;
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
	st->out_lost = item->lost;
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
