/* SPDX-License-Identifier: GPL-2.0-only */
/* Stamps of accepted activations, and the call to the kernel. */
#ifndef BHLAB_STAMP_H
#define BHLAB_STAMP_H

#include <linux/interrupt.h>
#include <linux/lockdep.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "item.h"
#include "queue.h"
#include "mech/mech.h"

/**
 * struct bhlab_activation - how to activate an item
 * @queue: work, rcu_work: the workqueue, else NULL
 * @from: of a step, the workqueue on which its program runs
 * @cpu: work, timer, csd: the CPU to queue on, or WORK_CPU_UNBOUND
 * @ns: with @delay, the delay
 * @mod: replace the delay of what is pending
 * @privileged: the caller, or the creator of the program, has CAP_SYS_ADMIN
 * @requeues: see struct bhlab_stamp
 */
struct bhlab_activation {
	struct bhlab_queue *queue;
	struct bhlab_queue *from;
	int cpu;
	u64 ns;
	bool delay;
	bool mod;
	bool privileged;
	u32 requeues;
};

/*
 * tests/bench also builds the driver without records and their times, and with
 * bare items, which have neither gate nor program: the differences are the
 * costs.
 */
#ifndef BHLAB_RECORDS
#define BHLAB_RECORDS	1
#endif
#ifndef BHLAB_BARE
#define BHLAB_BARE	0
#endif

/* The clock of the records. It may step back slightly when it is adjusted. */
static inline u64 bhlab_record_clock(void)
{
	return BHLAB_RECORDS ? ktime_get_mono_fast_ns() : 0;
}

static inline void bhlab_stamp_now(struct bhlab_stamp *stamp,
				   const struct bhlab_activation *act)
{
	lockdep_assert_irqs_disabled();
	stamp->queue = act->queue;
	stamp->requeues = act->requeues;
	stamp->cpu = smp_processor_id();
	stamp->softirq = local_softirq_pending();
	stamp->on = act->delay ? BHLAB_CPU_NONE :
		    act->cpu == WORK_CPU_UNBOUND ? stamp->cpu : act->cpu;
	stamp->ns = bhlab_record_clock();
}

/* The caller has checked that there is one. */
static inline struct bhlab_stamp *bhlab_stamp_newest(struct bhlab_item *item)
{
	return &item->stamps[(item->first_stamp + item->nr_stamps - 1u) %
			     BHLAB_STAMPS];
}

/*
 * @softirq is read again after the kernel has queued the item. Only a line can
 * have more stamps than there is room for, see bhlab_item_call(), and a line has
 * no queue.
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

/* The pending activation gets a new delay, and maybe another queue. */
static inline void bhlab_stamp_move(struct bhlab_item *item,
				    const struct bhlab_stamp *renewed)
{
	struct bhlab_stamp *stamp = bhlab_stamp_newest(item);

	bhlab_queue_leave(stamp->queue);
	stamp->queue = renewed->queue;
	stamp->serial = renewed->serial;
	stamp->on = BHLAB_CPU_NONE;
}

/* The stamp of the activation that was cancelled: the newest, if there is one. */
static inline void bhlab_stamp_take_back(struct bhlab_item *item,
					 struct bhlab_stamp *stamp)
{
	*stamp = *bhlab_stamp_newest(item);
	if (item->nr_stamps)
		item->nr_stamps--;
	else
		stamp->queue = NULL;
}

/*
 * Take the stamp of the activation that runs now: the oldest. A lost interrupt
 * leaves its stamp behind, so stamps older than @since are dropped while there
 * is a newer one.
 */
static __always_inline void bhlab_stamp_take(struct bhlab_item *item,
					     struct bhlab_stamp *stamp,
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

/*
 * Call the kernel, and keep the stamp for the run that follows. The caller has
 * entered @act->queue, and leaves it unless the answer is QUEUED or MODIFIED.
 * Without room for the stamp the kernel is not called.
 */
static __always_inline int bhlab_item_call(struct bhlab_item *item,
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
		bhlab_stamp_move(item, stamp);
	return ret;
}

u64 bhlab_item_outstanding(const struct bhlab_item *item);
bool bhlab_item_blocked(const struct bhlab_item *item);
bool bhlab_item_idle(const struct bhlab_item *item);
bool bhlab_item_armed(struct bhlab_item *item, const struct bhlab_queue *queue);

#endif /* BHLAB_STAMP_H */
