// SPDX-License-Identifier: GPL-2.0-only
/* Records of what happens outside of a run, and of what steps do. */
#include "lab.h"
#include "object.h"
#include "record.h"
#include "run.h"

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
