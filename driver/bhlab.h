/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bhlab's own structures: lab, item, program, mechanism.
 *
 * Locks, in the order in which they are taken:
 *
 *   lab->lock		mutex. The object table: create, destroy, names. Nothing
 *			is copied from or to user space under it, since mmap()
 *			comes with the mm's lock held.
 *   ring->read_lock	mutex. The cursor of read().
 *   ring->alloc_lock	mutex. The first use of the ring; taken by mmap().
 *   cpus_read_lock()	in verbs that name a CPU.
 *   item->lock		raw spinlock, interrupts off. Everything about one
 *			item's activations, around the kernel's own call; a
 *			handler takes it as it starts and as it ends. No two
 *			items' locks are ever held together.
 *   ring->count_lock	raw spinlock, a leaf.
 *
 * Steps find items under rcu_read_lock(); verbs hold a reference, which
 * destroying an item waits for.
 */
#ifndef BHLAB_BHLAB_H
#define BHLAB_BHLAB_H

#include <linux/atomic.h>
#include <linux/irq_work.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include <linux/bhlab.h>

#include "ring.h"

struct bhlab_mech_ops;
struct bhlab_program;

/**
 * struct bhlab_lab - one open of the device
 * @id: unique among the labs that live
 * @lock: protects @objects against change, @next_id, @nr_items, @nr_irqs
 * @objects: id to struct bhlab_object; read under RCU
 * @next_id: ids are never used twice
 * @dying: set once, by release(); programs end early
 * @chain: activations that steps may make until user space makes one again
 * @wait: verbs that wait for the state of an item, or for records
 * @sleepers: sleep steps, which end when the lab does
 * @wake: wakes @wait and the ring's readers, since handlers must not take a
 *	waitqueue's lock: on RT it sleeps
 */
struct bhlab_lab {
	u32 id;
	struct mutex lock;
	struct xarray objects;
	u32 next_id;
	u32 nr_items;
	u32 nr_irqs;
	bool dying;
	atomic_t chain;
	wait_queue_head_t wait;
	wait_queue_head_t sleepers;
	struct irq_work wake;
	struct bhlab_ring ring;
};

/**
 * struct bhlab_object - what has an id and a name; embedded at offset 0
 * @kind: enum bhlab_kind
 * @users: verbs at work on it, and one for the table; destroying waits until
 *	the table's is the last
 */
struct bhlab_object {
	struct rcu_head rcu;
	struct bhlab_lab *lab;
	refcount_t users;
	u32 id;
	u32 kind;
	char name[BHLAB_NAME_LEN];
};

struct bhlab_lab *bhlab_lab_open(void);
void bhlab_lab_release(struct bhlab_lab *lab);
void bhlab_lab_wake(struct bhlab_lab *lab);

int bhlab_name_check(const char *name);
int bhlab_lab_publish(struct bhlab_lab *lab, struct bhlab_item *item);
int bhlab_lab_lookup(struct bhlab_lab *lab, struct bhlab_lookup *cmd);
int bhlab_lab_next(struct bhlab_lab *lab, struct bhlab_lookup *cmd);
int bhlab_lab_destroy(struct bhlab_lab *lab, u32 id);
struct bhlab_item *bhlab_item_get(struct bhlab_lab *lab, u32 id);
void bhlab_item_put(struct bhlab_item *item);
struct bhlab_item *bhlab_item_peek(struct bhlab_lab *lab, u32 id);

/**
 * struct bhlab_stamp - what an activation carries from its queueing to its run
 * @ns: when it was accepted
 * @requeues: how many times the program requeued itself to get here
 * @cpu: where it was queued
 * @softirq: the softirqs that were pending there after it was queued
 */
struct bhlab_stamp {
	u64 ns;
	u32 requeues;
	u16 cpu;
	u16 softirq;
};

/*
 * Accepted activations whose run has not started: the pending one and, for a
 * moment each, those that a CPU is about to run. More than four would need as
 * many CPUs in that moment at once; then the newest is overwritten.
 */
#define BHLAB_STAMPS	4

/**
 * struct bhlab_item - one deferrable function
 * @ops: its mechanism
 * @flags, @cpu, @queue, @cookie, @data: see struct bhlab_item_create
 * @privileged: made with CAP_SYS_ADMIN; its steps may do what that allows
 * @lock: protects all that follows
 * @dead: nothing can be activated any more
 * @depth: how often it is disabled
 * @running: handlers at work (work that is on two queues can have two)
 * @context: of who took the lock last by bhlab_item_lock(), for the records
 * @unsettled: only the mechanism's @settle can tell whether it is at rest
 * @withdrawn: cancelled activations that the kernel can not take back: as many
 *	handlers return without running the program
 * @stamps: @nr_stamps from @first_stamp on, oldest first, round and round
 * @accepted, @coalesced, @refused, @runs, @cancelled, @merged, @skipped: see
 *	struct bhlab_item_state; @finished: runs that ended
 * @delay: the driver's own delay, see delay.c; while @delayed it ends at
 *	@delay_until, and @delay_stamp is the activation's
 */
struct bhlab_item {
	struct bhlab_object obj;
	const struct bhlab_mech_ops *ops;
	u32 flags;
	u32 cpu;
	u32 queue;
	bool privileged;
	u64 cookie;
	char data[BHLAB_DATA_LEN];
	struct bhlab_program *program;
	struct bhlab_program *thread_program;

	raw_spinlock_t lock;
	bool dead;
	bool delayed;
	bool unsettled;
	u8 first_stamp;
	u8 nr_stamps;
	u16 depth;
	u16 running;
	u16 context;
	u32 withdrawn;
	struct bhlab_stamp stamps[BHLAB_STAMPS];
	u64 accepted;
	u64 coalesced;
	u64 refused;
	u64 runs;
	u64 finished;
	u64 cancelled;
	u64 merged;
	u64 skipped;
	u64 delay_until;
	struct bhlab_stamp delay_stamp;
	struct hrtimer delay;
};

/**
 * struct bhlab_activation - a wish to activate an item
 * @wq: work: the workqueue
 * @cpu: work: the CPU to queue on, or WORK_CPU_UNBOUND
 * @ns: after which time, when @delay
 * @mod: replace the delay of what is pending
 * @privileged: CAP_SYS_ADMIN, of the caller or of the program's maker
 * @requeues: see struct bhlab_stamp
 */
struct bhlab_activation {
	struct workqueue_struct *wq;
	int cpu;
	u64 ns;
	bool delay;
	bool mod;
	bool privileged;
	u32 requeues;
};

/**
 * struct bhlab_run - one run of a program, from its start to its end
 * @slept: of its time, what it did not use the CPU for
 * @wake_thread, @none: what the steps of a top half decided
 */
struct bhlab_run {
	struct bhlab_item *item;
	const struct bhlab_program *program;
	struct bhlab_stamp stamp;
	u64 started;
	u64 slept;
	u32 nth;
	u16 cpu;
	u16 context;
	u16 softirq;
	u16 flags;
	u32 skipped;
	u8 stage;
	bool wake_thread;
	bool none;
};

/**
 * struct bhlab_mech_ops - one mechanism
 * @id: enum bhlab_mech
 * @name, @native, @emulated, @steps, @thread_steps, @context: see struct
 *	bhlab_mech_info
 * @size: of the structure that embeds struct bhlab_item, at offset 0
 * @takes_cpu: the kernel's call takes a CPU
 * @takes_queue: items may name a workqueue
 * @merges: an activation that coalesces is accepted all the same, as merged
 *
 * @init: make it ready; may sleep
 * @stop: after @dead is set: take back what is pending, wait for what runs
 * @free: after @stop and a grace period; may be NULL, then there is none
 *
 * Under item->lock, interrupts off:
 * @busy: may not be destroyed now
 * @admit: 0, or the errno with which an activation is refused
 * @queue: activate now
 * @delay: activate later; without it bhlab_delay_arm() does
 * @cancel: take the pending activation back; false if there is none
 * @disable: 1 if that cancelled an activation, 0, or an errno
 * @enable: undo one @disable
 *
 * May sleep:
 * @sync: wait for a running handler; true if it cancelled an activation
 * @flush: wait for the last activation: WAITED or IDLE, or an errno
 * @returned: the last run has ended; wait until its handler has returned
 * @settle: find out what became of activations that left no trace
 * @state: fill in what only the mechanism knows
 */
struct bhlab_mech_ops {
	u32 id;
	const char *name;
	u32 native;
	u32 emulated;
	u32 steps;
	u32 thread_steps;
	u32 context;
	size_t size;
	bool takes_cpu;
	bool takes_queue;
	bool merges;

	int (*init)(struct bhlab_item *item);
	void (*stop)(struct bhlab_item *item);
	void (*free)(struct bhlab_item *item);

	bool (*busy)(struct bhlab_item *item);
	int (*admit)(struct bhlab_item *item,
		     const struct bhlab_activation *act);
	int (*queue)(struct bhlab_item *item,
		     const struct bhlab_activation *act);
	int (*delay)(struct bhlab_item *item,
		     const struct bhlab_activation *act);
	bool (*cancel)(struct bhlab_item *item);
	int (*disable)(struct bhlab_item *item, bool privileged);
	void (*enable)(struct bhlab_item *item);

	bool (*sync)(struct bhlab_item *item);
	int (*flush)(struct bhlab_item *item);
	void (*returned)(struct bhlab_item *item);
	void (*settle)(struct bhlab_item *item);
	void (*state)(struct bhlab_item *item, struct bhlab_item_state *st);
};

/* mech.c: the list */
const struct bhlab_mech_ops *bhlab_mech(u32 id);
u32 bhlab_mech_count(void);

extern const struct bhlab_mech_ops bhlab_work_ops;
extern const struct bhlab_mech_ops bhlab_tasklet_ops;
extern const struct bhlab_mech_ops bhlab_tasklet_hi_ops;
extern const struct bhlab_mech_ops bhlab_irq_ops;

/* item.c: life, verbs, and the gate that every activation passes */
int bhlab_item_create(struct bhlab_lab *lab, struct bhlab_item_create *cmd);
int bhlab_item_kill(struct bhlab_item *item, bool force);
void bhlab_item_stop(struct bhlab_item *item);
void bhlab_item_release(struct bhlab_item *item);

unsigned long bhlab_item_lock(struct bhlab_item *item)
	__acquires(&item->lock);
void bhlab_item_unlock(struct bhlab_item *item, unsigned long flags)
	__releases(&item->lock);
int bhlab_item_activate(struct bhlab_item *item,
			const struct bhlab_activation *act);
bool bhlab_item_cancel(struct bhlab_item *item, bool sync, bool *waited);
int bhlab_item_disable(struct bhlab_item *item, bool sync, bool privileged,
		       u32 *depth, bool *waited);
int bhlab_item_enable(struct bhlab_item *item, u32 *depth);
int bhlab_item_drain(struct bhlab_item *item);
int bhlab_item_wait(struct bhlab_item *item, const struct bhlab_wait *cmd);
void bhlab_item_state(struct bhlab_item *item, struct bhlab_item_state *st);

u64 bhlab_item_outstanding(const struct bhlab_item *item);
bool bhlab_item_idle(const struct bhlab_item *item);
int bhlab_item_call(struct bhlab_item *item,
		    const struct bhlab_activation *act,
		    const struct bhlab_stamp *stamp);
void bhlab_stamp_take_back(struct bhlab_item *item, struct bhlab_stamp *stamp);

/* run.c: what every handler does before and after its program, and records */
bool bhlab_run_begin(struct bhlab_run *run, struct bhlab_item *item, u64 since);
void bhlab_run_start(struct bhlab_run *run);
void bhlab_run_end(struct bhlab_run *run);
void bhlab_item_run(struct bhlab_item *item);
void bhlab_stamp_now(struct bhlab_stamp *stamp,
		     const struct bhlab_activation *act);
u16 bhlab_context(void);
void bhlab_record(struct bhlab_item *item, enum bhlab_event_kind kind,
		  const struct bhlab_stamp *stamp, u64 value);
void bhlab_record_mark(const struct bhlab_run *run, u64 value);

/* delay.c: the delay of mechanisms that have none of their own */
void bhlab_delay_init(struct bhlab_item *item);
int bhlab_delay_arm(struct bhlab_item *item,
		    const struct bhlab_activation *act,
		    const struct bhlab_stamp *stamp);
bool bhlab_delay_cancel(struct bhlab_item *item);
void bhlab_delay_fire(struct bhlab_item *item);
void bhlab_delay_stop(struct bhlab_item *item);

/* program.c */
#define BHLAB_STEPS_ANY							\
	(BIT(BHLAB_OP_SPIN) | BIT(BHLAB_OP_QUEUE) | BIT(BHLAB_OP_DELAY) |	\
	 BIT(BHLAB_OP_TRIGGER) | BIT(BHLAB_OP_MARK))

struct bhlab_program *bhlab_program_read(const struct bhlab_mech_ops *ops,
					 const struct bhlab_item_create *cmd,
					 bool thread, u32 *bad);
void bhlab_program_run(struct bhlab_run *run);
int bhlab_program_copy(const struct bhlab_program *program,
		       struct bhlab_item_program *cmd);
u32 bhlab_program_len(const struct bhlab_program *program);

/* queue.c */
struct workqueue_struct *bhlab_queue_find(u32 queue);

/* ioctl.c */
long bhlab_ioctl(struct bhlab_lab *lab, unsigned int cmd, unsigned long arg);

#endif /* BHLAB_BHLAB_H */
