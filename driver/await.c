// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steps that wait. The kernel's calls wait for as long as a handler wants, and
 * nothing ends that, while any member writes handlers. So a step waits for the
 * driver's counters instead: until its own item, its target, or the lab ends, and
 * for process_ns at most in all steps of a run. Whatever waits for a handler, like
 * a flush by user space or the end of the lab, is bounded by that, even where
 * waits.c does not see a deadlock.
 *
 * A handler counts as gone when its run has finished: the kernel's calls would
 * also wait for its return.
 */
#include <linux/hrtimer.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>

#include "await.h"
#include "item.h"
#include "lab.h"
#include "limits.h"
#include "lock.h"
#include "object.h"
#include "queue.h"
#include "run.h"
#include "share.h"
#include "stamp.h"
#include "waits.h"
#include "mech/mech.h"

/**
 * struct bhlab_await - a wait
 * @run: the run that waits
 * @waiter: what it waits for
 * @queue: the queue that it waits for, or NULL
 * @target: the item that it looks at now
 * @done: is it over?
 * @result: of the step, when it is over
 * @flush: for a flush
 * @runs: or how many runs must have finished
 * @begun: the clock when it began
 * @used: CPU time of the thread when it began
 */
struct bhlab_await {
	struct bhlab_run *run;
	struct bhlab_waiter waiter;
	struct bhlab_queue *queue;
	struct bhlab_item *target;
	bool (*done)(struct bhlab_await *a);
	int result;
	struct bhlab_flush flush;
	u64 runs;
	u64 begun;
	u64 used;
};

static void bhlab_await_init(struct bhlab_await *a, struct bhlab_run *run)
{
	*a = (struct bhlab_await) {
		.run = run,
		.begun = ktime_get_mono_fast_ns(),
		.used = READ_ONCE(current->se.sum_exec_runtime),
		.waiter = {
			.item = run->item,
			.on = run->stamp.queue,
			.cpu = run->cpu,
			.accepted = run->stamp.ns,
			.held = run->mutexes,
		},
	};
}

/*
 * Every event of the lab wakes all waiters, which then look whether it was for
 * them. That is charged, as spinning would be.
 */
static void bhlab_await_charge(const struct bhlab_await *a)
{
	u64 used = READ_ONCE(current->se.sum_exec_runtime) - a->used;
	u64 now = ktime_get_mono_fast_ns();
	struct bhlab_run *run = a->run;
	u64 wait = now - a->begun;

	used = min(used, wait);
	run->awaited += wait;
	run->slept += wait - used;
	if (run->share && !run->brackets) {
		bhlab_share_charge(run->share, now, used);
		run->shared += used;
	} else {
		run->waited += used;
	}
}

/* A timer's function has run, and is about to return: nothing wakes who waits. */
#define BHLAB_AWAIT_LOOK_NS	(10 * NSEC_PER_MSEC)

static int bhlab_await(struct bhlab_await *a)
{
	struct bhlab_lab *lab = a->run->item->obj.lab;
	u64 awaited, end = bhlab_limits.process_ns;

	for (;;) {
		if (a->done(a))
			return a->result;
		if (bhlab_run_ended(a->run))
			return -ECANCELED;
		awaited = a->run->awaited + ktime_get_mono_fast_ns() - a->begun;
		if (awaited >= end)
			return -ETIMEDOUT;
		wait_event_hrtimeout(lab->wait, a->done(a) || bhlab_run_ended(a->run),
				     ns_to_ktime(min(end - awaited, BHLAB_AWAIT_LOOK_NS)));
	}
}

static int bhlab_await_unless_stuck(struct bhlab_await *a,
				    int (*fn)(struct bhlab_await *a))
{
	struct bhlab_waits *waits = &a->run->item->obj.lab->waits;
	int ret = bhlab_waits_enter(waits, &a->waiter);

	if (!ret) {
		ret = fn(a);
		bhlab_waits_leave(waits, &a->waiter);
	}
	bhlab_await_charge(a);
	return ret;
}

static bool bhlab_await_flushed(struct bhlab_await *a)
{
	return bhlab_flush_done(a->target, &a->flush, &a->result);
}

static bool bhlab_await_is_idle(struct bhlab_await *a)
{
	struct bhlab_item *item = a->target;
	unsigned long flags = bhlab_item_lock(item);
	bool idle = bhlab_item_idle(item), dead = item->dead;

	bhlab_item_unlock(item, flags);
	/* What is destroyed has been cancelled. */
	a->result = dead ? -ENOENT : BHLAB_RESULT_WAITED;
	return idle || dead;
}

/* Runs that started before have finished, or none is running. */
static bool bhlab_await_has_run(struct bhlab_await *a)
{
	struct bhlab_item *item = a->target;

	a->result = READ_ONCE(item->dead) ? -ENOENT : BHLAB_RESULT_WAITED;
	return a->result < 0 || !bhlab_item_runs(item) ||
	       (!item->ops->takes_thread && bhlab_item_finished(item) >= a->runs);
}

static void bhlab_await_runs(struct bhlab_await *a)
{
	unsigned long flags = bhlab_item_lock(a->target);

	a->runs = a->target->runs;
	bhlab_item_unlock(a->target, flags);
	a->done = bhlab_await_has_run;
}

/*
 * Nothing runs, and nothing is pending, at the same time. What has no other cancel
 * than one that waits for a run only is left with what its handler queues.
 */
static bool bhlab_await_cancelled(struct bhlab_await *a)
{
	bool runs;

	if (!a->target->ops->sync_cancels)
		return bhlab_await_has_run(a);
	a->result = bhlab_item_cancel(a->target, false, &runs);
	return a->result != -EBUSY && (a->result < 0 || !runs);
}

/* Find the item, and wait for it by @fn unless that is a deadlock. */
static int bhlab_await_item(struct bhlab_run *run, const struct bhlab_step *s,
			    bool pending, int (*fn)(struct bhlab_await *a))
{
	struct bhlab_item *target = bhlab_item_get(run->item->obj.lab, s->target);
	struct bhlab_await a;
	int ret;

	if (!target)
		return -ENOENT;
	bhlab_await_init(&a, run);
	a.target = target;
	a.waiter.target = target;
	a.waiter.pending = pending;
	ret = bhlab_await_unless_stuck(&a, fn);
	bhlab_item_put(target);
	return ret;
}

/* What became of the raises of a line, only calls that wait can tell. */
static bool bhlab_await_can_tell(const struct bhlab_await *a)
{
	return !a->target->ops->settle;
}

static int bhlab_await_flush_fn(struct bhlab_await *a)
{
	int ret;

	if (!bhlab_await_can_tell(a))
		return -EOPNOTSUPP;
	ret = bhlab_flush_begin(a->target, &a->flush);
	if (ret)
		return ret > 0 ? BHLAB_RESULT_IDLE : ret;
	a->done = bhlab_await_flushed;
	return bhlab_await(a);
}

static int bhlab_await_idle_fn(struct bhlab_await *a)
{
	if (!bhlab_await_can_tell(a))
		return -EOPNOTSUPP;
	a->done = bhlab_await_is_idle;
	return bhlab_await(a);
}

int bhlab_await_idle(struct bhlab_run *run, const struct bhlab_step *s)
{
	return bhlab_await_item(run, s, true, bhlab_await_idle_fn);
}

static int bhlab_await_irq_fn(struct bhlab_await *a)
{
	if (!a->target->ops->takes_thread)
		return -EOPNOTSUPP;
	bhlab_await_runs(a);
	return bhlab_await(a);
}

int bhlab_await_irq(struct bhlab_run *run, const struct bhlab_step *s)
{
	return bhlab_await_item(run, s, false, bhlab_await_irq_fn);
}

static void bhlab_await_syncing(struct bhlab_item *item, bool begin)
{
	unsigned long flags = bhlab_item_lock(item);

	if (begin)
		item->syncing++;
	else
		item->syncing--;
	bhlab_item_unlock(item, flags);
}

/* Meanwhile the kernel would take no activation, and so does the item. */
static int bhlab_await_cancel_fn(struct bhlab_await *a)
{
	struct bhlab_item *item = a->target;
	bool runs;
	int ret;

	if (!item->ops->cancel)
		return -EOPNOTSUPP;
	bhlab_await_syncing(item, true);
	ret = bhlab_item_cancel(item, false, &runs);
	if (ret >= 0 || (ret == -EBUSY && item->ops->sync_cancels)) {
		bhlab_await_runs(a);
		a->done = bhlab_await_cancelled;
		ret = bhlab_await(a);
	}
	bhlab_await_syncing(item, false);
	return ret;
}

int bhlab_await_cancel(struct bhlab_run *run, const struct bhlab_step *s)
{
	return bhlab_await_item(run, s, false, bhlab_await_cancel_fn);
}

static int bhlab_await_disable_fn(struct bhlab_await *a)
{
	struct bhlab_item *item = a->target;
	bool waited;
	u32 depth;
	int ret;

	if (!bhlab_mech_has(item->ops, BHLAB_VERB_DISABLE))
		return -EOPNOTSUPP;
	ret = bhlab_item_disable(item, false, a->run->item->privileged, &depth, &waited);
	if (ret < 0)
		return ret;
	bhlab_await_runs(a);
	return bhlab_await(a);
}

int bhlab_await_disable(struct bhlab_run *run, const struct bhlab_step *s)
{
	return bhlab_await_item(run, s, false, bhlab_await_disable_fn);
}

/*
 * What is on the queue of this item's: its pending activation, unless that is on a
 * delay or came later, and what runs, or may. The item that waits runs elsewhere.
 */
static bool bhlab_await_is_on(struct bhlab_await *a)
{
	bool armed = bhlab_item_armed(a->target, a->waiter.queue);
	unsigned long flags = bhlab_item_lock(a->target);
	struct bhlab_item *item = a->target;
	const struct bhlab_stamp *next = &item->stamps[item->first_stamp];
	bool pending = item->nr_stamps && !armed && next->queue == a->waiter.queue &&
		       next->ns <= a->waiter.before;
	bool runs = bhlab_item_runs(item) && item != a->run->item &&
		    (item->roamed || item->queue == a->waiter.queue);

	a->flush = (struct bhlab_flush) {
		.serial = item->serial,
		.gone = !pending,
		.runs = item->runs,
	};
	bhlab_item_unlock(item, flags);
	return pending || runs;
}

/* One item after the other: what has come meanwhile is not waited for. */
static int bhlab_await_flush_queue_fn(struct bhlab_await *a)
{
	struct bhlab_queue *queue = a->queue;
	int ret = BHLAB_RESULT_WAITED;
	u32 id = 0;

	a->done = bhlab_await_flushed;
	while (ret >= 0 && (a->target = bhlab_queue_item(queue, &id))) {
		if (bhlab_await_is_on(a))
			ret = bhlab_await(a);
		/* What is destroyed or disabled does not stay on the queue. */
		if (ret == -ENOENT || ret == -EBUSY)
			ret = BHLAB_RESULT_WAITED;
		bhlab_item_put(a->target);
	}
	return ret;
}

static bool bhlab_await_is_empty(struct bhlab_await *a)
{
	a->result = BHLAB_RESULT_WAITED;
	return atomic_read(&a->queue->active) <= 0;
}

static int bhlab_await_drain_fn(struct bhlab_await *a)
{
	int ret = bhlab_queue_close(a->queue);

	if (ret)
		return ret;
	a->done = bhlab_await_is_empty;
	ret = bhlab_await(a);
	bhlab_queue_open(a->queue);
	return ret;
}

/* Find the queue, and wait for it by @fn unless that is a deadlock. */
static int bhlab_await_queue(struct bhlab_run *run, const struct bhlab_step *s,
			     u64 before, int (*fn)(struct bhlab_await *a))
{
	struct bhlab_queue *queue = bhlab_queue_get(run->item->obj.lab, s->target);
	struct bhlab_await a;
	int ret;

	if (IS_ERR(queue))
		return PTR_ERR(queue);
	if (bhlab_queue_is_system(queue))
		return -EPERM;
	bhlab_await_init(&a, run);
	a.queue = queue;
	a.waiter.queue = queue;
	a.waiter.before = before;
	ret = bhlab_await_unless_stuck(&a, fn);
	bhlab_queue_put(queue);
	return ret;
}

int bhlab_await_drain(struct bhlab_run *run, const struct bhlab_step *s)
{
	return bhlab_await_queue(run, s, U64_MAX, bhlab_await_drain_fn);
}

/* Of an item, or of a queue. */
int bhlab_await_flush(struct bhlab_run *run, const struct bhlab_step *s)
{
	int ret = bhlab_await_item(run, s, true, bhlab_await_flush_fn);

	if (ret != -ENOENT)
		return ret;
	return bhlab_await_queue(run, s, ktime_get_mono_fast_ns(),
				 bhlab_await_flush_queue_fn);
}

/*
 * The kernel's call: no handler that waits, or is waited for, is a reader. It
 * cannot be given up, so only the next wait is.
 */
int bhlab_await_rcu(struct bhlab_run *run, const struct bhlab_step *s)
{
	struct bhlab_await a;

	if (run->awaited >= bhlab_limits.process_ns)
		return -ETIMEDOUT;
	bhlab_await_init(&a, run);
	synchronize_rcu();
	bhlab_await_charge(&a);
	return BHLAB_RESULT_WAITED;
}

/*
 * Take a mutex for a bracket; false if its holder waits for this item. Nothing
 * else can make this a deadlock, since mutexes are taken in order.
 */
bool bhlab_await_lock(struct bhlab_run *run, struct bhlab_lock *lock)
{
	struct bhlab_waits *waits = &run->item->obj.lab->waits;
	struct bhlab_await a;

	bhlab_await_init(&a, run);
	a.waiter.mutex = BIT(lock->slot);
	if (bhlab_waits_enter(waits, &a.waiter))
		return false;
	bhlab_lock_take(lock);
	bhlab_waits_leave(waits, &a.waiter);
	return true;
}
