/* SPDX-License-Identifier: GPL-2.0-only */
/* Stamps: the activations that were accepted, and the call to the kernel. */
#ifndef BHLAB_STAMP_H
#define BHLAB_STAMP_H

#include <linux/interrupt.h>
#include <linux/lockdep.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>
#include <linux/types.h>

#include "item.h"

/**
 * struct bhlab_activation - a wish to activate an item
 * @queue: work, rcu_work: the workqueue, else NULL
 * @from: of a step, the workqueue on which its program runs
 * @cpu: work, timer: the CPU to queue on, or WORK_CPU_UNBOUND
 * @ns: after which time, when @delay
 * @mod: replace the delay of what is pending
 * @privileged: CAP_SYS_ADMIN, of the caller or of the program's maker
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
 * To see what these cost, tests/bench builds the driver without records and
 * their times, too, and with bare items, which have no gate and no program.
 */
#ifndef BHLAB_RECORDS
#define BHLAB_RECORDS	1
#endif
#ifndef BHLAB_BARE
#define BHLAB_BARE	0
#endif

/* The clock of the records. It may step back by a little when it is adjusted. */
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
	stamp->ns = bhlab_record_clock();
}

u64 bhlab_item_outstanding(const struct bhlab_item *item);
bool bhlab_item_idle(const struct bhlab_item *item);
bool bhlab_item_armed(struct bhlab_item *item, const struct bhlab_queue *queue);
int bhlab_item_call(struct bhlab_item *item,
		    const struct bhlab_activation *act,
		    const struct bhlab_stamp *stamp);

#endif /* BHLAB_STAMP_H */
