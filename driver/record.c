// SPDX-License-Identifier: GPL-2.0-only
/* Records of events outside of runs, and of steps. */
#include "lab.h"
#include "object.h"
#include "record.h"
#include "run.h"

/*
 * Record an event of an item here and now, under its lock. @stamp is that of the
 * activation concerned, or NULL.
 */
void bhlab_record(struct bhlab_item *item, enum bhlab_event_kind kind,
		  const struct bhlab_stamp *stamp, u64 value)
{
	struct bhlab_lab *lab = item->obj.lab;
	struct bhlab_ring_head *head;
	struct bhlab_event *e;
	unsigned long flags;

	lockdep_assert_held(&item->lock);
	e = bhlab_ring_begin(&lab->ring, &head, &flags);
	bhlab_item_header(e, item);
	bhlab_task_header(e, lab);
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
	bhlab_ring_commit(head, e, flags);
}

/*
 * Record an event of a step. The program may have moved to another CPU since it
 * started.
 */
void bhlab_record_here(const struct bhlab_run *run, enum bhlab_event_kind kind,
		       u64 value)
{
	struct bhlab_run here = *run;

	bhlab_run_locate(&here, bhlab_now(run->started));
	bhlab_record_run(&here, kind, value, here.started, here.started);
}
