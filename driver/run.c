// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs: what every handler does before and after its program, and the records
 * that tell of it.
 */
#include <linux/hardirq.h>
#include <linux/interrupt.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include "budget.h"
#include "item.h"
#include "lab.h"
#include "object.h"
#include "program.h"
#include "queue.h"
#include "record.h"
#include "ring.h"
#include "run.h"
#include "share.h"
#include "stamp.h"
#include "step.h"
#include "trace.h"
#include "who.h"
#include "mech/mech.h"

static u64 bhlab_now(u64 not_before)
{
	return max(bhlab_record_clock(), not_before);
}

/* There is no exported way to ask whether current is this CPU's ksoftirqd. */
static bool bhlab_in_ksoftirqd(void)
{
	return (current->flags & PF_KTHREAD) &&
	       !strncmp(current->comm, "ksoftirqd/", 10);
}

/* With this preempt count, and interrupts off or on. */
static inline u16 bhlab_context_of(unsigned int count, bool irqs_off)
{
	u16 ctx;

	if (in_hardirq())
		ctx = BHLAB_CTX_HARDIRQ;
	else if (in_serving_softirq())
		ctx = BHLAB_CTX_SOFTIRQ;
	else
		ctx = BHLAB_CTX_TASK;
	if (in_softirq())
		ctx |= BHLAB_CTX_BH_OFF;
	if (irqs_off)
		ctx |= BHLAB_CTX_IRQ_OFF;
	else if (IS_ENABLED(CONFIG_PREEMPT_COUNT) && !count)
		ctx |= BHLAB_CTX_PREEMPTIBLE;
	if ((ctx & BHLAB_CTX_SOFTIRQ) && bhlab_in_ksoftirqd())
		ctx |= BHLAB_CTX_KSOFTIRQD;
	return ctx;
}

/*
 * The stamp of the activation that runs now: the oldest. Interrupts can be
 * lost, and leave theirs behind: what is older than @since is dropped while
 * something newer is there.
 */
static void bhlab_stamp_take(struct bhlab_item *item, struct bhlab_stamp *stamp,
			     u64 since)
{
	do {
		*stamp = item->stamps[item->first_stamp];
		if (!item->nr_stamps) {
			stamp->queue = NULL;
			return;
		}
		item->first_stamp = (item->first_stamp + 1) % BHLAB_STAMPS;
		item->nr_stamps--;
	} while (stamp->ns < since && item->nr_stamps);
}

static __always_inline void bhlab_item_header(struct bhlab_event *e,
					      const struct bhlab_item *item)
{
	e->mech = item->ops->id;
	e->zero = 0;
	e->item = item->obj.id;
	e->lab = item->obj.lab->id;
	e->cookie = item->cookie;
	e->ring_cpu = smp_processor_id();
	memcpy(e->data, item->data, sizeof(e->data));
}

static __always_inline void bhlab_task_header(struct bhlab_event *e,
					      struct bhlab_lab *lab)
{
	e->pid = task_pid_nr(current);
	memcpy(e->comm, current->comm, sizeof(e->comm));
	e->comm[sizeof(e->comm) - 1] = '\0';
	bhlab_who_filter(&lab->who, &lab->ring, e);
}

/*
 * Record something that happened to an item here and now, under its lock.
 * @stamp is of the activation that it is about, or NULL.
 */
void bhlab_record(struct bhlab_item *item, enum bhlab_event_kind kind,
		  const struct bhlab_stamp *stamp, u64 value)
{
	struct bhlab_ring *ring = &item->obj.lab->ring;
	struct bhlab_event *e;
	unsigned long flags;

	lockdep_assert_held(&item->lock);
	e = bhlab_ring_begin(ring, &flags);
	bhlab_item_header(e, item);
	bhlab_task_header(e, item->obj.lab);
	e->kind = kind;
	e->stage = BHLAB_STAGE_MAIN;
	e->started_ns = bhlab_now(stamp ? stamp->ns : 0);
	e->finished_ns = e->started_ns;
	e->queued_ns = stamp ? stamp->ns : e->started_ns;
	e->value = value;
	e->nth = 0;
	e->cpu = smp_processor_id();
	e->queue_cpu = stamp ? stamp->cpu : BHLAB_CPU_NONE;
	e->context = bhlab_context_of(item->preempt_count, item->irqs_off);
	e->softirq_queued = stamp ? stamp->softirq : 0;
	e->softirq_started = local_softirq_pending();
	e->skipped = 0;
	e->flags = 0;
	bhlab_ring_commit(ring, e, flags);
}

static __always_inline void bhlab_record_run(const struct bhlab_run *run,
					     enum bhlab_event_kind kind,
					     u64 value, u64 started,
					     u64 finished)
{
	struct bhlab_ring *ring = &run->item->obj.lab->ring;
	struct bhlab_event *e;
	unsigned long flags;

	if (!BHLAB_RECORDS)
		return;
	e = bhlab_ring_begin(ring, &flags);
	bhlab_item_header(e, run->item);
	bhlab_task_header(e, run->item->obj.lab);
	e->kind = kind;
	e->stage = run->stage;
	e->queued_ns = run->stamp.ns;
	e->started_ns = started;
	e->finished_ns = finished;
	e->value = value;
	e->nth = run->nth;
	e->queue_cpu = run->stamp.cpu;
	e->cpu = run->cpu;
	e->context = run->context;
	e->softirq_queued = run->stamp.softirq;
	e->softirq_started = run->softirq;
	e->skipped = min_t(u32, run->skipped, U16_MAX);
	e->flags = run->flags;
	bhlab_ring_commit(ring, e, flags);
}

/* Where a run is, and since when; its item, stage and stamp are set. */
static __always_inline void bhlab_run_locate(struct bhlab_run *run, u64 since)
{
	run->started = since;
	run->cpu = raw_smp_processor_id();
	run->softirq = local_softirq_pending();
	run->context = bhlab_context_of(preempt_count(), irqs_disabled());
}

/*
 * Does the CPU's budget pay for it? Not for what the scheduler can share out;
 * but irq threads, top halves on RT and some workers have real-time priority,
 * and what turns bottom halves off keeps others from running.
 */
static __always_inline bool bhlab_run_is_charged(const struct bhlab_run *run)
{
	return run->item->atomic ||
	       run->context & (BHLAB_CTX_SOFTIRQ | BHLAB_CTX_HARDIRQ |
			       BHLAB_CTX_BH_OFF | BHLAB_CTX_IRQ_OFF);
}

/* Out of the way of those that nobody traces. */
static noinline void bhlab_run_trace_start(const struct bhlab_run *run)
{
	trace_bhlab_run_start(run);
}

/* @entered: when its handler was. Its item, stamp and number are known. */
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
 * Record something that a step did. The program may have moved to another CPU
 * since it started.
 */
void bhlab_record_here(const struct bhlab_run *run, enum bhlab_event_kind kind,
		       u64 value)
{
	struct bhlab_run here = *run;

	bhlab_run_locate(&here, bhlab_now(run->started));
	bhlab_record_run(&here, kind, value, here.started, here.started);
}

/*
 * The start of a handler: take the activation's stamp. False if it was
 * cancelled, or is not @due yet, and the program must not run. The caller sets
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

/* Out of the way of those that nobody traces. */
static noinline void bhlab_run_trace_end(const struct bhlab_run *run,
					 u64 finished)
{
	trace_bhlab_run_end(run, finished);
}

/*
 * Time that an interrupt or the host has taken of a run is not the program's:
 * what it can have used is known.
 */
void bhlab_run_charge(const struct bhlab_run *run, u64 end, u64 ns)
{
	WRITE_ONCE(run->item->ran_on, raw_smp_processor_id());
	bhlab_budget_charge(end, min(ns, run->program->charge_max + run->waited));
}

/* What is left of it when its spin steps have been charged. */
static noinline void bhlab_run_share(const struct bhlab_run *run, u64 end)
{
	u64 ns = end - run->started - run->slept - run->shared;
	const struct bhlab_program *p = run->program;

	bhlab_share_charge(run->share, end,
			   min(ns, p->charge_max - p->busy_ns));
}

/* Steps of it were skipped. */
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
 * The end of a handler, without the item's lock. First the record and what is
 * counted, then that the handler is gone, then that the run has finished: whoever
 * sees one of these sees what was before it, so that a caller that has waited
 * for a run finds its record, and does not find it running. Last the run lets go
 * of its queue, and touches the item no more: an item that was on several queues
 * is freed when these have been flushed.
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

/* The same for one that can be called too early: @due says so, under the lock. */
void bhlab_item_run_due(struct bhlab_item *item, bhlab_due_t *due)
{
	__bhlab_item_run(item, due);
}
