// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs: what every handler does before and after its program.
 *
 * A function with __ is inlined into the handlers of this file, whose cost is
 * the first row of tests/bench; the one without is an out-of-line copy for other
 * files.
 */
#include <linux/minmax.h>

#include "lab.h"
#include "object.h"
#include "program.h"
#include "queue.h"
#include "record.h"
#include "run.h"
#include "share.h"
#include "stamp.h"
#include "step.h"
#include "trace.h"

/*
 * Is it charged to the CPU's budget? Not if the scheduler can divide the time.
 * But irq threads, top halves on RT and some workers have real-time priority,
 * and code with bottom halves off keeps others from running.
 */
static __always_inline bool bhlab_run_is_charged(const struct bhlab_run *run)
{
	return run->item->atomic ||
	       run->context & (BHLAB_CTX_SOFTIRQ | BHLAB_CTX_HARDIRQ |
			       BHLAB_CTX_BH_OFF | BHLAB_CTX_IRQ_OFF);
}

/* Out of line: only when the tracepoint is enabled. */
static noinline void bhlab_run_trace_start(const struct bhlab_run *run)
{
	trace_bhlab_run_start(run);
}

/* @entered: when its handler was entered. Its item, stamp and number are set. */
static __always_inline void __bhlab_run_start(struct bhlab_run *run, u64 entered)
{
	bhlab_run_locate(run, max(entered, run->stamp.ns));
	run->charged = bhlab_run_is_charged(run);
	run->share = run->charged ? NULL : run->item->share;
	if (trace_bhlab_run_start_enabled())
		bhlab_run_trace_start(run);
	bhlab_lab_wake(run->item->obj.lab);
}

void bhlab_run_start(struct bhlab_run *run, u64 entered)
{
	__bhlab_run_start(run, entered);
}

/*
 * The start of a handler: take the activation's stamp. False if the activation
 * was cancelled or is not @due yet: the program must not run. The caller sets
 * stage and program.
 */
static __always_inline bool __bhlab_run_begin(struct bhlab_run *run,
					      struct bhlab_item *item,
					      u64 entered, u64 since,
					      bhlab_due_t *due)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&item->lock, flags);
	if (due && !due(item)) {
		raw_spin_unlock_irqrestore(&item->lock, flags);
		return false;
	}
	bhlab_stamp_take(item, &run->stamp, since);
	run->nth = ++item->runs;
	atomic_inc(&item->running);
	raw_spin_unlock_irqrestore(&item->lock, flags);

	run->item = item;
	__bhlab_run_start(run, entered);
	return true;
}

bool bhlab_run_begin(struct bhlab_run *run, struct bhlab_item *item,
		     u64 entered, u64 since)
{
	return __bhlab_run_begin(run, item, entered, since, NULL);
}

/* Out of line: only when the tracepoint is enabled. */
static noinline void bhlab_run_trace_end(const struct bhlab_run *run,
					 u64 finished)
{
	trace_bhlab_run_end(run, finished);
}

/* Charge the rest of a run, without its spin steps, which are charged already. */
static noinline void bhlab_run_share(const struct bhlab_run *run, u64 end)
{
	u64 ns = end - run->started - run->slept - run->shared;
	const struct bhlab_program *p = run->program;

	bhlab_share_charge(run->share, end,
			   min(ns, p->charge_max - p->busy_ns));
}

/* Some of its steps were skipped. */
static noinline void bhlab_run_count_skipped(const struct bhlab_run *run)
{
	struct bhlab_item *item = run->item;
	unsigned long flags;

	raw_spin_lock_irqsave(&item->lock, flags);
	item->skipped += run->skipped;
	item->throttled += !!(run->flags & BHLAB_EVENT_F_THROTTLED);
	raw_spin_unlock_irqrestore(&item->lock, flags);
}

/*
 * The end of a handler, without the item's lock. The order is: the record and
 * the counters; the handler is gone; the run has finished. A waiter that sees
 * one of these sees those before it, so a caller that has waited for a run finds
 * its record, and does not find it running. Last, the run leaves its queue, and
 * does not touch the item any more: an item that was on several queues is freed
 * when these have been flushed.
 */
static __always_inline void __bhlab_run_end(struct bhlab_run *run)
{
	struct bhlab_item *item = run->item;
	struct bhlab_lab *lab = item->obj.lab;
	u64 finished = bhlab_now(run->started);

	bhlab_record_run(run, BHLAB_EVENT_RUN, run->stamp.requeues,
			 run->started, finished);
	if (trace_bhlab_run_end_enabled())
		bhlab_run_trace_end(run, finished);

	if (run->charged)
		bhlab_run_charge(run, finished, finished - run->started - run->slept);
	else if (run->share)
		bhlab_run_share(run, finished);

	if (run->skipped)
		bhlab_run_count_skipped(run);
	atomic_fetch_dec_release(&item->running);
	if (run->stage != BHLAB_STAGE_THREAD) {
		atomic64_fetch_inc_release(&item->finished);
		bhlab_queue_leave(run->stamp.queue);
	}
	bhlab_lab_wake(lab);
}

void bhlab_run_end(struct bhlab_run *run)
{
	__bhlab_run_end(run);
}

static __always_inline void __bhlab_item_run(struct bhlab_item *item,
					     bhlab_due_t *due)
{
	u64 entered = bhlab_record_clock();
	struct bhlab_run run = { .program = item->program };

	if (BHLAB_BARE || !__bhlab_run_begin(&run, item, entered, 0, due))
		return;
	bhlab_program_run(&run);
	__bhlab_run_end(&run);
}

/* The whole handler of a mechanism that has one program and one stage. */
void bhlab_item_run(struct bhlab_item *item)
{
	__bhlab_item_run(item, NULL);
}

/*
 * The same for a handler that may be called too early: @due reports that, under
 * the lock.
 */
void bhlab_item_run_due(struct bhlab_item *item, bhlab_due_t *due)
{
	__bhlab_item_run(item, due);
}
