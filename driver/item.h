/* SPDX-License-Identifier: GPL-2.0-only */
/* Items: one deferrable function each. */
#ifndef BHLAB_ITEM_H
#define BHLAB_ITEM_H

#include <linux/atomic.h>
#include <linux/hrtimer.h>
#include <linux/preempt.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <linux/bhlab.h>

#include "object.h"

struct bhlab_activation;
struct bhlab_mech_ops;
struct bhlab_program;
struct bhlab_queue;
struct bhlab_share;

/**
 * struct bhlab_stamp - what an activation carries from its queueing to its run
 * @ns: when it was accepted
 * @queue: the workqueue that it holds, or NULL
 * @on: the CPU that it was queued on, or BHLAB_CPU_NONE if only the kernel knows
 * @serial: numbers the calls that asked for it; DELAY with MOD renews it
 * @requeues: how many times the program requeued itself to get here
 * @cpu: where it was queued
 * @softirq: the softirqs that were pending there after it was queued
 */
struct bhlab_stamp {
	u64 ns;
	struct bhlab_queue *queue;
	u32 serial;
	u32 requeues;
	u16 cpu;
	u16 softirq;
	u16 on;
};

/*
 * Accepted activations whose run has not started: the pending one and, for a
 * moment each, those that a CPU is about to run. Only work that moves between
 * queues has more than two, and no more than this many are accepted. A line that
 * is raised repeatedly overwrites the newest.
 */
#define BHLAB_STAMPS	4

/**
 * struct bhlab_item - one deferrable function
 * @ops: its mechanism
 * @flags, @cpu, @nice, @priority, @cookie, @data, @flow: see struct
 *	bhlab_item_create
 * @queue: the workqueue that it names, pinned, or NULL
 * @weight: see struct bhlab_item_create; set for all that have one
 * @period_ns: see struct bhlab_item_create
 * @process_ns: the part of lab->process_ns that its programs take
 * @mutexes: those that its programs take, by the slots of their locks
 * @privileged: created with CAP_SYS_ADMIN; its steps may do what that allows
 * @atomic: its handler is charged to the CPU's budget, whatever the context
 * @over_lab_time: not added, since the lab's programs would take too long
 * @ran_on: the CPU whose budget was charged last
 * @share: charged for its programs in process context; NULL: not limited
 * @finished: runs that ended
 * @running: running handlers (two if work is on two queues); incremented under
 *	the lock, decremented without
 * @lock: protects all that follows
 * @dead: nothing can be activated any more
 * @roamed: its handler may run where the kernel does not look for it: it was queued
 *	on another workqueue than @queue, both are the lab's; or, a timer, on several CPUs
 * @periodic: a periodic trigger, or its own period, is active
 * @depth: how often it is disabled
 * @irqs_off, @preempt_count: context of the last bhlab_item_lock() caller, before
 *	it took the lock; records report it
 * @unsettled: only the mechanism's @settle can tell whether it is at rest
 * @syncing: callers that wait for its handler in the kernel's cancel
 * @serial: counts the activations that were asked for
 * @stamps: a ring of @nr_stamps from @first_stamp on, oldest first
 * @accepted, @coalesced, @refused, @runs, @cancelled, @merged, @lost, @skipped,
 *	@throttled, @expired: see struct bhlab_item_state
 * @delay: the driver's own delay, see delay.c; while @delayed it ends at
 *	@delay_until, and @delay_stamp is the activation's, for @delay_cpu
 */
struct bhlab_item {
	struct bhlab_object obj;
	const struct bhlab_mech_ops *ops;
	u32 flags;
	u32 cpu;
	struct bhlab_queue *queue;
	u64 process_ns;
	u8 mutexes;
	s32 nice;
	u32 priority;
	u32 weight;
	u64 period_ns;
	u32 flow;
	bool privileged;
	bool atomic;
	bool over_lab_time;
	u16 ran_on;
	struct bhlab_share *share;
	u64 cookie;
	char data[BHLAB_DATA_LEN];
	struct bhlab_program *program;
	struct bhlab_program *thread_program;
	atomic64_t finished;
	atomic_t running;

	raw_spinlock_t lock;
	bool dead;
	bool delayed;
	bool unsettled;
	bool roamed;
	bool periodic;
	bool irqs_off;
	u8 first_stamp;
	u8 nr_stamps;
	u16 depth;
	u32 syncing;
	u32 serial;
	unsigned int preempt_count;
	struct bhlab_stamp stamps[BHLAB_STAMPS];
	u64 accepted;
	u64 coalesced;
	u64 refused;
	u64 runs;
	u64 cancelled;
	u64 merged;
	u64 lost;
	u64 skipped;
	u64 throttled;
	u64 expired;
	u64 delay_until;
	struct bhlab_stamp delay_stamp;
	int delay_cpu;
	struct hrtimer delay;
};

static inline struct bhlab_item *to_item(struct bhlab_object *obj)
{
	return container_of(obj, struct bhlab_item, obj);
}

static inline struct bhlab_item *bhlab_item_peek(struct bhlab_lab *lab, u32 id)
{
	struct bhlab_object *obj = bhlab_object_peek(lab, id, BHLAB_KIND_ITEM);

	return obj ? to_item(obj) : NULL;
}

static inline struct bhlab_item *bhlab_item_get(struct bhlab_lab *lab, u32 id)
{
	struct bhlab_object *obj = bhlab_object_get(lab, id, BHLAB_KIND_ITEM);

	return obj ? to_item(obj) : NULL;
}

static inline void bhlab_item_put(struct bhlab_item *item)
{
	bhlab_object_put(&item->obj);
}

/* Records that are made under the lock report the context outside of it. */
static inline unsigned long bhlab_item_lock(struct bhlab_item *item)
	__acquires(&item->lock)
{
	unsigned int count = preempt_count();
	unsigned long flags;

	raw_spin_lock_irqsave(&item->lock, flags);
	item->preempt_count = count;
	item->irqs_off = irqs_disabled_flags(flags);
	return flags;
}

static inline void bhlab_item_unlock(struct bhlab_item *item, unsigned long flags)
	__releases(&item->lock)
{
	raw_spin_unlock_irqrestore(&item->lock, flags);
}

/* A caller that finds a run ended also finds what it did; see bhlab_run_end(). */
static inline bool bhlab_item_runs(const struct bhlab_item *item)
{
	return atomic_read_acquire(&item->running);
}

static inline u64 bhlab_item_finished(const struct bhlab_item *item)
{
	return atomic64_read_acquire(&item->finished);
}

/* create.c */
struct bhlab_object *bhlab_item_create(struct bhlab_lab *lab,
				       struct bhlab_item_create *cmd);

/* item.c */
int bhlab_item_activate(struct bhlab_item *item,
			const struct bhlab_activation *act);
int bhlab_item_activate_locked(struct bhlab_item *item,
			       const struct bhlab_activation *act);
int bhlab_item_cancel(struct bhlab_item *item, bool sync, bool *runs);
int bhlab_item_disable(struct bhlab_item *item, bool sync, bool privileged,
		       u32 *depth, bool *waited);
int bhlab_item_enable(struct bhlab_item *item, u32 *depth);
int bhlab_item_deassert(struct bhlab_item *item, bool *asserted);
int bhlab_item_period(struct bhlab_item *item, u64 ns, u32 count);
void bhlab_item_die(struct bhlab_item *item);
void bhlab_item_wait_elsewhere(struct bhlab_item *item);

/**
 * struct bhlab_flush - a flush of the driver's own
 * @serial: first it waits until nothing up to this number is outstanding
 * @gone: that has happened
 * @runs: then it waits until all runs that had started by then have finished
 */
struct bhlab_flush {
	u32 serial;
	bool gone;
	u64 runs;
};

/* wait.c */
bool bhlab_item_fire(struct bhlab_item *item);
int bhlab_flush_begin(struct bhlab_item *item, struct bhlab_flush *f);
bool bhlab_flush_done(struct bhlab_item *item, struct bhlab_flush *f, int *ret);
int bhlab_item_flush(struct bhlab_item *item);
int bhlab_item_flush_own(struct bhlab_item *item);
int bhlab_item_wait(struct bhlab_item *item, struct bhlab_wait *cmd);
int bhlab_lab_wait(struct bhlab_lab *lab, struct bhlab_wait *cmd);
void bhlab_item_settle(struct bhlab_item *item);
void bhlab_item_state(struct bhlab_item *item, struct bhlab_item_state *st);

#endif /* BHLAB_ITEM_H */
