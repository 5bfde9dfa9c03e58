/* SPDX-License-Identifier: GPL-2.0-only */
/* Records: the entries of a lab's ring, and how they are written. */
#ifndef BHLAB_RECORD_H
#define BHLAB_RECORD_H

#include <linux/hardirq.h>
#include <linux/interrupt.h>
#include <linux/irqflags.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/types.h>

#include <linux/bhlab.h>

#include "item.h"
#include "lab.h"
#include "monitor.h"
#include "ring.h"
#include "run.h"
#include "stamp.h"
#include "who.h"
#include "mech/mech.h"

static inline u64 bhlab_now(u64 not_before)
{
	return max(bhlab_record_clock(), not_before);
}

/* There is no exported way to ask whether current is this CPU's ksoftirqd. */
static inline bool bhlab_in_ksoftirqd(void)
{
	return (current->flags & PF_KTHREAD) &&
	       !strncmp(current->comm, "ksoftirqd/", 10);
}

/* The BHLAB_CTX_* bits, given the preempt count and whether interrupts are off. */
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
 * Begin a record on this CPU. The caller fills in everything but the sequence
 * number, and commits soon. Every lab with an item has a ring.
 */
static __always_inline struct bhlab_event *
bhlab_ring_begin(struct bhlab_ring *ring, struct bhlab_ring_head **head,
		 unsigned long *flags)
{
	struct bhlab_event *e;
	u32 seq;

	local_irq_save(*flags);
	*head = bhlab_head(ring, smp_processor_id());
	seq = (*head)->seq + 1;
	e = bhlab_slot(ring, *head, seq);
	WRITE_ONCE(e->seq, ~seq);
	smp_wmb(); /* slot.seq, then the body */
	return e;
}

static __always_inline void bhlab_ring_commit(struct bhlab_ring_head *head,
					      struct bhlab_event *e,
					      unsigned long flags)
{
	bool heard = bhlab_monitor_hears(e->finished_ns);
	u32 seq = head->seq + 1;

	/* The body, then slot.seq; see bhlab_ring_copy(). */
	smp_store_release(&e->seq, seq);
	/* The record, then the head; see bhlab_reader_fetch(). */
	smp_store_release(&head->seq, seq);
	if (heard)
		bhlab_monitor_kick();
	local_irq_restore(flags);
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

static __always_inline void bhlab_record_run(const struct bhlab_run *run,
					     enum bhlab_event_kind kind,
					     u64 value, u64 started,
					     u64 finished)
{
	const struct bhlab_item *item = run->item;
	struct bhlab_lab *lab = item->obj.lab;
	struct bhlab_ring_head *head;
	struct bhlab_event *e;
	unsigned long flags;

	if (!BHLAB_RECORDS)
		return;
	e = bhlab_ring_begin(&lab->ring, &head, &flags);
	bhlab_item_header(e, item);
	bhlab_task_header(e, lab);
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
	e->skipped = run->skipped;
	e->flags = run->flags;
	bhlab_ring_commit(head, e, flags);
}

/* Set where a run is, and since when; its item, stage and stamp are set. */
static __always_inline void bhlab_run_locate(struct bhlab_run *run, u64 since)
{
	run->started = since;
	run->cpu = raw_smp_processor_id();
	run->softirq = local_softirq_pending();
	run->context = bhlab_context_of(preempt_count(), irqs_disabled());
}

void bhlab_record(struct bhlab_item *item, enum bhlab_event_kind kind,
		  const struct bhlab_stamp *stamp, u64 value);
void bhlab_record_here(const struct bhlab_run *run, enum bhlab_event_kind kind,
		       u64 value);

#endif /* BHLAB_RECORD_H */
