/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bhlab's own structures: lab, object, item, queue, program, mechanism.
 *
 * Locks, in the order in which they are taken:
 *
 *   lab->lock		mutex. The object table: create, destroy, names, and who
 *			uses what. Nothing is copied from or to user space under
 *			it, since mmap() comes with the mm's lock held.
 *   ring->read_lock	mutex. The cursor of read().
 *   ring->alloc_lock	mutex. The first use of the ring; taken by mmap().
 *   cpus_read_lock()	in verbs that name a CPU.
 *   a lab's own locks	in programs, see lock.c.
 *   item->lock		raw spinlock, interrupts off. Everything about one
 *			item's activations, around the kernel's own call; a
 *			handler takes it as it starts. No two items' locks are
 *			ever held together.
 *   bhlab_users_lock	spinlock, a leaf. What users have taken, see user.c.
 *   fifo->lock		raw spinlock, a leaf.
 *   ring->count_lock	spinlock, a leaf; in process context.
 *
 * Steps find items under rcu_read_lock(); verbs hold a reference, which
 * destroying an item waits for.
 */
#ifndef BHLAB_BHLAB_H
#define BHLAB_BHLAB_H

#include <linux/atomic.h>
#include <linux/interrupt.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include <linux/bhlab.h>

#include "ring.h"
#include "share.h"
#include "user.h"
#include "wake.h"
#include "who.h"

struct bhlab_kind_ops;
struct bhlab_mech_ops;
struct bhlab_program;

/**
 * struct bhlab_monitor - how far a lab's events have been sent by netlink
 * @reader: its cursors are there once somebody has listened
 * @since: the events before this time are nobody's affair
 * @told: of those that @reader has lost, how many listeners know of
 *
 * All of it is under the lock of monitor.c.
 */
struct bhlab_monitor {
	struct bhlab_reader reader;
	u64 since;
	u64 told;
};

/**
 * struct bhlab_lab - one open of the device
 * @id: unique among the labs that live
 * @users: who looks at it from outside, see lab.c, and one for the open file
 * @user: whose limits all that it has counts against
 * @uid, @pid, @comm: who opened it
 * @who: whom its records may name
 * @opened: when
 * @lock: protects @objects against change, @next_id, @locks, @process_ns
 * @objects: id to struct bhlab_object; read under RCU
 * @next_id: ids are never used twice
 * @locks: how many it has ever had: they are not given back, see lock.c
 * @process_ns: time that all programs in process context take together
 * @haste: verbs that bound how long those are held
 * @dying: set once, by release(); programs end early, and nobody new looks
 * @chain: activations that steps may make until user space makes one again
 * @wait: verbs that wait for the state of an item, or for records
 * @sleepers: sleep steps, and programs that are held, which end when the lab does
 * @wake: wakes @wait and the ring's readers, see wake.c
 */
struct bhlab_lab {
	u32 id;
	refcount_t users;
	struct bhlab_user *user;
	kuid_t uid;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	struct bhlab_who who;
	u64 opened;
	struct mutex lock;
	struct xarray objects;
	u32 next_id;
	u32 locks;
	u64 process_ns;
	struct bhlab_haste haste;
	bool dying;
	atomic_t chain;
	wait_queue_head_t wait;
	wait_queue_head_t sleepers;
	struct bhlab_wake wake;
	struct bhlab_ring ring;
	struct bhlab_monitor monitor;
};

/**
 * struct bhlab_object - what has an id and a name; embedded at offset 0
 * @ops: its kind
 * @charge: what it counts of the limits of the lab's user
 * @users: verbs at work on it, and one for the table; destroying waits until
 *	the table's is the last
 * @live: others can find it. It is in the table, with its id and its name,
 *	before it is and while it ends. Written under lab->lock, read under RCU
 * @reserved: until it is live, the reservation whose id and name it has
 * @pins: items that name it, under lab->lock; not destroyed while there are any
 */
struct bhlab_object {
	struct rcu_head rcu;
	struct bhlab_lab *lab;
	const struct bhlab_kind_ops *ops;
	struct bhlab_charge charge;
	refcount_t users;
	bool live;
	struct bhlab_object *reserved;
	u32 pins;
	u32 id;
	char name[BHLAB_NAME_LEN];
};

/* What @release of an object has to wait for after @stop, once for many of them. */
#define BHLAB_AFTER_GRACE	BIT(0)	/* synchronize_rcu() */
#define BHLAB_AFTER_CALLBACKS	BIT(1)	/* rcu_barrier() */

/**
 * struct bhlab_kind_ops - one kind of object
 * @kind: enum bhlab_kind
 * @init: the last step of its creation, under lab->lock; may be NULL
 * @kill: the first of its end, under lab->lock: nothing new can be made of it
 *	from here on; without @force -EBUSY if that is impossible; may be NULL
 * @stop: when nobody else uses it: wait until nothing of it is at work, and
 *	return the BHLAB_AFTER_* that @release needs; may be NULL
 * @release: free it, by RCU
 */
struct bhlab_kind_ops {
	enum bhlab_kind kind;
	int (*init)(struct bhlab_object *obj);
	int (*kill)(struct bhlab_object *obj, bool force);
	u32 (*stop)(struct bhlab_object *obj);
	void (*release)(struct bhlab_object *obj);
};

struct bhlab_lab *bhlab_lab_open(void);
void bhlab_lab_release(struct bhlab_lab *lab);

/*
 * Something happened that somebody may wait for. The barrier orders what the
 * caller has stored before the look for waiters; a waiter puts itself into the
 * queue before it looks at what was stored.
 */
static inline void bhlab_lab_wake(struct bhlab_lab *lab)
{
	smp_mb(); /* the stores before, the look for waiters after */
	/* See above. */
	if (waitqueue_active(&lab->wait) || waitqueue_active(&lab->ring.wait))
		bhlab_wake(&lab->wake);
}

/* From outside, where no file holds the lab. */
struct bhlab_lab *bhlab_lab_get(u32 id);
struct bhlab_lab *bhlab_lab_get_next(u32 id);
void bhlab_lab_put(struct bhlab_lab *lab);
void bhlab_lab_count(struct bhlab_lab *lab, u32 *nr);
u32 bhlab_labs_open(void);
u32 bhlab_labs_changes(void);
u32 bhlab_objects_changes(void);

/* The largest id: above are the numbers of the system's queues. */
#define BHLAB_ID_MAX		(BHLAB_QUEUE_PERCPU - 1)

int bhlab_name_check(const char *name);
void bhlab_object_init(struct bhlab_object *obj, struct bhlab_lab *lab,
		       const struct bhlab_kind_ops *ops,
		       enum bhlab_resource resource, const char *name);
int bhlab_lab_add(struct bhlab_lab *lab, struct bhlab_object *obj);
void bhlab_object_publish(struct bhlab_object *obj);
void bhlab_object_abort(struct bhlab_object *obj);
struct bhlab_object *bhlab_lab_lookup(struct bhlab_lab *lab,
				      struct bhlab_lookup *cmd);
int bhlab_lab_next(struct bhlab_lab *lab, struct bhlab_lookup *cmd);
int bhlab_lab_destroy(struct bhlab_lab *lab, u32 id);
struct bhlab_object *bhlab_object_peek(struct bhlab_lab *lab, u32 id,
				       enum bhlab_kind kind);
struct bhlab_object *bhlab_object_get(struct bhlab_lab *lab, u32 id,
				      enum bhlab_kind kind);
void bhlab_object_put(struct bhlab_object *obj);
struct bhlab_object *bhlab_object_pin(struct bhlab_lab *lab, u32 id,
				      enum bhlab_kind kind);
void bhlab_object_unpin(struct bhlab_object *obj);
struct bhlab_item *bhlab_item_get(struct bhlab_lab *lab, u32 id);
void bhlab_item_put(struct bhlab_item *item);
struct bhlab_item *bhlab_item_peek(struct bhlab_lab *lab, u32 id);

/**
 * struct bhlab_queue - a workqueue
 * @flags, @max_active: see struct bhlab_queue_create
 * @wq: the kernel's
 * @bh: what runs on it is in a softirq
 * @draining: what is queued on it from elsewhere is refused; read with
 *	interrupts off
 * @drain_until: from then on, all is
 * @active: activations that hold it, BHLAB_QUEUE_DEAD once it is being
 *	destroyed; only of the lab's own
 */
struct bhlab_queue {
	struct bhlab_object obj;
	u32 flags;
	u32 max_active;
	struct workqueue_struct *wq;
	bool bh;
	bool draining;
	u64 drain_until;
	atomic_t active;
};

static inline bool bhlab_queue_is_system(const struct bhlab_queue *queue)
{
	return queue->obj.id > BHLAB_ID_MAX;
}

#define BHLAB_QUEUE_DEAD	INT_MIN

/*
 * An activation holds its queue from before the kernel is asked for it until
 * its handler is about to return, or until it is cancelled. False if the queue
 * is being destroyed: one atomic operation decides who comes first.
 */
static inline bool bhlab_queue_enter(struct bhlab_queue *queue)
{
	return !queue || bhlab_queue_is_system(queue) ||
	       atomic_inc_unless_negative(&queue->active);
}

static inline void bhlab_queue_leave(struct bhlab_queue *queue)
{
	if (queue && !bhlab_queue_is_system(queue))
		atomic_dec(&queue->active);
}

/**
 * struct bhlab_stamp - what an activation carries from its queueing to its run
 * @ns: when it was accepted
 * @queue: the workqueue that it holds, or NULL
 * @serial: the item's count of accepted activations with this one
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
};

/*
 * Accepted activations whose run has not started: the pending one and, for a
 * moment each, those that a CPU is about to run. There are more than two only of
 * work that moves between queues, and no more than this many are accepted. A line
 * that is raised again and again overwrites the newest.
 */
#define BHLAB_STAMPS	4

/**
 * struct bhlab_item - one deferrable function
 * @ops: its mechanism
 * @flags, @cpu, @nice, @priority, @cookie, @data: see struct bhlab_item_create
 * @queue: the workqueue that it names, pinned, or NULL
 * @process_ns: what its programs count in lab->process_ns
 * @privileged: made with CAP_SYS_ADMIN; its steps may do what that allows
 * @atomic: the CPU's budget pays for its handler, wherever that runs
 * @ran_on: the CPU whose budget has paid last
 * @share: what pays for its programs in process context; NULL: nothing has to
 * @finished: runs that ended
 * @running: handlers at work (work that is on two queues can have two); more only
 *	under the lock, and less without
 * @lock: protects all that follows
 * @dead: nothing can be activated any more
 * @roamed: it was queued on another workqueue than @queue; both are the lab's
 * @periodic: a trigger with a period is at work
 * @depth: how often it is disabled
 * @irqs_off, @preempt_count: outside of the lock, of who took it last by
 *	bhlab_item_lock(); for the context that records tell
 * @unsettled: only the mechanism's @settle can tell whether it is at rest
 * @syncing: how many wait for its handler, by the kernel's cancel
 * @stamps: @nr_stamps from @first_stamp on, oldest first, round and round
 * @accepted, @coalesced, @refused, @runs, @cancelled, @merged, @skipped,
 *	@throttled, @expired: see struct bhlab_item_state
 * @delay: the driver's own delay, see delay.c; while @delayed it ends at
 *	@delay_until, and @delay_stamp is the activation's
 */
struct bhlab_item {
	struct bhlab_object obj;
	const struct bhlab_mech_ops *ops;
	u32 flags;
	u32 cpu;
	struct bhlab_queue *queue;
	u64 process_ns;
	s32 nice;
	u32 priority;
	bool privileged;
	bool atomic;
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
	unsigned int preempt_count;
	struct bhlab_stamp stamps[BHLAB_STAMPS];
	u64 accepted;
	u64 coalesced;
	u64 refused;
	u64 runs;
	u64 cancelled;
	u64 merged;
	u64 skipped;
	u64 throttled;
	u64 expired;
	u64 delay_until;
	struct bhlab_stamp delay_stamp;
	struct hrtimer delay;
};

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

#define BHLAB_LOCKS		8

/**
 * struct bhlab_run - one run of a program, from its start to its end
 * @slept: of its time, what it did not use the CPU for
 * @waited: of its time, what it spun for locks
 * @share: what pays for it in process context, outside of brackets; NULL:
 *	nothing has to
 * @shared: of its time, what has been charged to @share already
 * @brackets: how many of bh_off, irq_off and locks it is in
 * @bracketed: since when
 * @bracket_slept: @slept at that time
 * @unopened: how many brackets that were skipped it is in
 * @charged: the CPU's budget pays for all of it
 * @spent: and that is spent: nothing of it but open brackets goes on
 * @irq_flags: what the end of irq_off, which is not nested in itself, restores
 * @wake_thread, @none: what the steps of a top half decided
 */
struct bhlab_run {
	struct bhlab_item *item;
	const struct bhlab_program *program;
	struct bhlab_stamp stamp;
	u64 started;
	u64 slept;
	u64 waited;
	struct bhlab_share *share;
	u64 shared;
	u64 bracketed;
	u64 bracket_slept;
	unsigned long irq_flags;
	u32 brackets;
	u32 unopened;
	u32 nth;
	u16 cpu;
	u16 context;
	u16 softirq;
	u16 flags;
	u32 skipped;
	u8 stage;
	bool charged;
	bool spent;
	bool wake_thread;
	bool none;
};

static inline bool bhlab_run_ended(const struct bhlab_run *run)
{
	return READ_ONCE(run->item->dead) ||
	       READ_ONCE(run->item->obj.lab->dying);
}

/**
 * struct bhlab_mech_ops - one mechanism
 * @id: enum bhlab_mech
 * @name, @native, @emulated, @steps, @thread_steps, @attrs: see struct
 *	bhlab_mech_info
 * @context: where the program runs: what it is written for
 * @size: of the structure that embeds struct bhlab_item, at offset 0
 * @resource: what an item counts as, beside BHLAB_RES_OBJECT
 * @takes_cpu: the kernel's call takes a CPU
 * @takes_queue: items may name a workqueue
 * @takes_priority: items may ask for a priority of their thread
 * @merges: an activation that coalesces is accepted all the same, as merged
 *
 * @context_here: where it runs on this kernel, if that can be elsewhere
 * @sync_cancels: @sync cancels an activation, too
 * @after: the BHLAB_AFTER_* that the item needs between @stop and @free
 * @init: make it ready; may sleep
 * @stop: after @dead is set: take back what is pending, wait for what runs; may
 *	be NULL
 * @free: after @stop and @after; may be NULL
 *
 * Under item->lock, interrupts off:
 * @busy: may not be destroyed now
 * @admit: 0, or the errno with which an activation is refused
 * @queue: activate now
 * @delay: activate later; without it bhlab_delay_arm() does
 * @cancel: take the pending activation back: 1, 0 if there is none, or -EBUSY
 *	if the kernel cannot now. NULL: the kernel only cancels and waits
 * @disable: 1 if that cancelled an activation, 0, or an errno
 * @enable: undo one @disable
 * @fire: do not wait for the rest of the mechanism's own delay
 * @delayed: the pending activation is on a delay of the kernel's; without it
 *	only the kernel knows whether it has come to its queue
 * @period: raise the line @count times, @ns apart; or an errno
 * @end_period: no more; true if there would have been
 *
 * May sleep:
 * @sync: wait for a running handler; true if an activation that is outstanding
 *	after it was cancelled by it
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
	u32 attrs;
	size_t size;
	enum bhlab_resource resource;
	bool takes_cpu;
	bool takes_queue;
	bool takes_priority;
	bool merges;
	bool sync_cancels;
	u32 after;

	u32 (*context_here)(void);
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
	int (*cancel)(struct bhlab_item *item);
	int (*disable)(struct bhlab_item *item, bool privileged);
	void (*enable)(struct bhlab_item *item);
	void (*fire)(struct bhlab_item *item);
	bool (*delayed)(struct bhlab_item *item);
	int (*period)(struct bhlab_item *item, u64 ns, u32 count);
	bool (*end_period)(struct bhlab_item *item);

	bool (*sync)(struct bhlab_item *item);
	int (*flush)(struct bhlab_item *item);
	void (*returned)(struct bhlab_item *item);
	void (*settle)(struct bhlab_item *item);
	void (*state)(struct bhlab_item *item, struct bhlab_item_state *st);
};

/* mech.c: the list */
const struct bhlab_mech_ops *bhlab_mech(u32 id);
u32 bhlab_mech_count(void);
u32 bhlab_mech_context(const struct bhlab_mech_ops *ops);

extern const struct bhlab_mech_ops bhlab_work_ops;
extern const struct bhlab_mech_ops bhlab_tasklet_ops;
extern const struct bhlab_mech_ops bhlab_tasklet_hi_ops;
extern const struct bhlab_mech_ops bhlab_irq_ops;
extern const struct bhlab_mech_ops bhlab_irq_work_ops;
extern const struct bhlab_mech_ops bhlab_timer_ops;
extern const struct bhlab_mech_ops bhlab_hrtimer_ops;
extern const struct bhlab_mech_ops bhlab_hrtimer_soft_ops;
extern const struct bhlab_mech_ops bhlab_kthread_work_ops;
extern const struct bhlab_mech_ops bhlab_rcu_ops;
extern const struct bhlab_mech_ops bhlab_rcu_work_ops;

/* mech/irq.c */
int bhlab_irq_probe(void);

/* create.c: the life of items */
struct bhlab_object *bhlab_item_create(struct bhlab_lab *lab,
				       struct bhlab_item_create *cmd);
static inline struct bhlab_item *to_item(struct bhlab_object *obj)
{
	return container_of(obj, struct bhlab_item, obj);
}

/* The records of what happens under the lock tell the context outside of it. */
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

/* Who finds a run ended finds what it did, too; see bhlab_run_end(). */
static inline bool bhlab_item_runs(const struct bhlab_item *item)
{
	return atomic_read_acquire(&item->running);
}

static inline u64 bhlab_item_finished(const struct bhlab_item *item)
{
	return atomic64_read_acquire(&item->finished);
}

/* item.c: verbs, and the gate that every activation passes */
int bhlab_item_activate(struct bhlab_item *item,
			const struct bhlab_activation *act);
int bhlab_item_activate_locked(struct bhlab_item *item,
			       const struct bhlab_activation *act);
int bhlab_item_cancel(struct bhlab_item *item, bool sync, bool *waited);
int bhlab_item_disable(struct bhlab_item *item, bool sync, bool privileged,
		       u32 *depth, bool *waited);
int bhlab_item_period(struct bhlab_item *item, u64 ns, u32 count);
bool bhlab_item_armed(struct bhlab_item *item, const struct bhlab_queue *queue);
int bhlab_item_enable(struct bhlab_item *item, u32 *depth);
int bhlab_item_flush(struct bhlab_item *item);
int bhlab_item_flush_own(struct bhlab_item *item);
int bhlab_item_wait(struct bhlab_item *item, struct bhlab_wait *cmd);
void bhlab_item_settle(struct bhlab_item *item);
void bhlab_item_state(struct bhlab_item *item, struct bhlab_item_state *st);

void bhlab_item_die(struct bhlab_item *item);
void bhlab_item_leave_queues(struct bhlab_item *item);
bool bhlab_item_fire(struct bhlab_item *item);
u64 bhlab_item_outstanding(const struct bhlab_item *item);
bool bhlab_item_idle(const struct bhlab_item *item);
int bhlab_item_call(struct bhlab_item *item,
		    const struct bhlab_activation *act,
		    const struct bhlab_stamp *stamp);

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

/* run.c: what every handler does before and after its program, and records */
bool bhlab_run_begin(struct bhlab_run *run, struct bhlab_item *item,
		     u64 entered, u64 since);
void bhlab_run_charge(const struct bhlab_run *run, u64 end, u64 ns);
void bhlab_run_start(struct bhlab_run *run, u64 entered);
void bhlab_run_end(struct bhlab_run *run);
typedef bool bhlab_due_t(struct bhlab_item *item);
void bhlab_item_run(struct bhlab_item *item);
void bhlab_item_run_due(struct bhlab_item *item, bhlab_due_t *due);
void bhlab_record(struct bhlab_item *item, enum bhlab_event_kind kind,
		  const struct bhlab_stamp *stamp, u64 value);
void bhlab_record_here(const struct bhlab_run *run, enum bhlab_event_kind kind,
		       u64 value);

/* delay.c: the delay of mechanisms that have none of their own */
unsigned long bhlab_delay_jiffies(u64 ns);
void bhlab_delay_init(struct bhlab_item *item);
int bhlab_delay_arm(struct bhlab_item *item,
		    const struct bhlab_activation *act,
		    const struct bhlab_stamp *stamp);
bool bhlab_delay_cancel(struct bhlab_item *item);
void bhlab_delay_fire(struct bhlab_item *item);
void bhlab_delay_stop(struct bhlab_item *item);

/* mech/period.c: triggers with a period */

/**
 * struct bhlab_period - raises an item's line again and again
 * @item: the item; all of this is under its lock
 * @timer: pinned to the CPU that the line is raised on
 * @ns, @left, @missed: see struct bhlab_item_state
 */
struct bhlab_period {
	struct bhlab_item *item;
	struct hrtimer timer;
	u64 ns;
	u64 left;
	u64 missed;
};

void bhlab_period_init(struct bhlab_period *p, struct bhlab_item *item);
int bhlab_period_start(struct bhlab_period *p, u64 ns, u32 count);
bool bhlab_period_end(struct bhlab_period *p);
void bhlab_period_stop(struct bhlab_period *p);

/* program.c: checks programs */

/**
 * struct bhlab_program - a checked program
 * @nr: its length
 * @open: while it is checked: the bracket that is never closed
 * @busy_ns: how long it spins in all
 * @charge_max: the most that one run needs a CPU for, but for locks
 * @process_ns: how long it spins and sleeps, if it is for process context
 * @lingers: it sleeps, or spins for longer than atomic_ns
 * @steps: as the user gave them
 */
struct bhlab_program {
	u32 nr;
	u32 open;
	u64 busy_ns;
	u64 charge_max;
	u64 process_ns;
	bool lingers;
	struct bhlab_step steps[];
};

/* Steps for any context, for a softirq as well, and for process context. */
#define BHLAB_STEPS_ANY							\
	(BIT(BHLAB_OP_SPIN) | BIT(BHLAB_OP_QUEUE) | BIT(BHLAB_OP_DELAY) |	\
	 BIT(BHLAB_OP_TRIGGER) | BIT(BHLAB_OP_MARK) |			\
	 BIT(BHLAB_OP_CANCEL) | BIT(BHLAB_OP_DISABLE) |			\
	 BIT(BHLAB_OP_ENABLE) | BIT(BHLAB_OP_LOCK) |			\
	 BIT(BHLAB_OP_UNLOCK) | BIT(BHLAB_OP_PUSH) | BIT(BHLAB_OP_POP))
#define BHLAB_STEPS_SOFTIRQ						\
	(BHLAB_STEPS_ANY | BIT(BHLAB_OP_IRQ_OFF) | BIT(BHLAB_OP_IRQ_ON))
#define BHLAB_STEPS_TASK						\
	(BHLAB_STEPS_SOFTIRQ | BIT(BHLAB_OP_SLEEP) |			\
	 BIT(BHLAB_OP_BH_OFF) | BIT(BHLAB_OP_BH_ON))

struct bhlab_program *bhlab_program_read(struct bhlab_item *item,
					 const struct bhlab_item_create *cmd,
					 bool thread, u32 *bad);
void bhlab_program_free(struct bhlab_lab *lab, struct bhlab_program *program);
int bhlab_program_copy(const struct bhlab_program *program,
		       struct bhlab_item_program *cmd);

/* step.c: runs them */
void bhlab_lab_new_chain(struct bhlab_lab *lab);
void bhlab_program_run(struct bhlab_run *run);

/* queue.c */
void bhlab_queues_init(void);
struct bhlab_queue *bhlab_queue_get(struct bhlab_lab *lab, u32 id);
void bhlab_queue_put(struct bhlab_queue *queue);
struct bhlab_queue *bhlab_queue_pin(struct bhlab_lab *lab, u32 id);
void bhlab_queue_unpin(struct bhlab_queue *queue);
bool bhlab_queue_drains(const struct bhlab_queue *queue,
			const struct bhlab_item *item,
			const struct bhlab_activation *act);

static inline bool bhlab_queue_refuses(const struct bhlab_queue *queue,
				       const struct bhlab_item *item,
				       const struct bhlab_activation *act)
{
	/* Pairs with bhlab_queue_begin_drain(): @drain_until is there. */
	return queue && smp_load_acquire(&queue->draining) &&
	       bhlab_queue_drains(queue, item, act);
}

struct bhlab_object *bhlab_queue_create(struct bhlab_lab *lab,
					struct bhlab_queue_create *cmd);
void bhlab_queues_flush(struct bhlab_lab *lab);
void bhlab_queue_state(struct bhlab_queue *queue, struct bhlab_queue_state *st);
int bhlab_queue_flush(struct bhlab_queue *queue);
int bhlab_queue_drain(struct bhlab_queue *queue);

/* lock.c */

/**
 * struct bhlab_lock - a lock for programs
 * @kind, @context: see struct bhlab_lock_create
 * @slot: the how manieth of the lab's; they are taken in this order
 * @irq_flags: whoever holds it restores them
 */
struct bhlab_lock {
	struct bhlab_object obj;
	u32 kind;
	u32 context;
	u32 slot;
	union {
		spinlock_t spin;
		struct mutex mutex;
	};
	unsigned long irq_flags;
};

struct bhlab_object *bhlab_lock_create(struct bhlab_lab *lab,
				       struct bhlab_lock_create *cmd);
void bhlab_lock_state(struct bhlab_lock *lock, struct bhlab_lock_state *st);
void bhlab_lock_take(struct bhlab_lock *lock);
void bhlab_lock_release(struct bhlab_lock *lock);
static inline struct bhlab_lock *to_lock(struct bhlab_object *obj)
{
	return container_of(obj, struct bhlab_lock, obj);
}

/* fifo.c */
struct bhlab_fifo;

struct bhlab_object *bhlab_fifo_create(struct bhlab_lab *lab,
				       struct bhlab_fifo_create *cmd);
void bhlab_fifo_state(struct bhlab_fifo *fifo, struct bhlab_fifo_state *st);
u64 bhlab_fifo_push(struct bhlab_fifo *fifo, u64 nr);
void bhlab_fifo_pop(struct bhlab_fifo *fifo, u64 nr);
struct bhlab_fifo *to_fifo(struct bhlab_object *obj);

/* verb.c */
int bhlab_act(struct bhlab_lab *lab, struct bhlab_act *cmd, u32 nr);
int bhlab_batch(struct bhlab_lab *lab, struct bhlab_batch *cmd);

/* ioctl.c */

/* What a wait that a signal ends leaves to who restarts it. */
static inline u64 bhlab_time_left(u64 end)
{
	u64 now = ktime_get_ns();

	return end > now ? end - now : 0;
}

long bhlab_ioctl(struct bhlab_lab *lab, unsigned int cmd, unsigned long arg);

#endif /* BHLAB_BHLAB_H */
