/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * bhlab: a laboratory for bottom halves. The contract between /dev/bhlab and
 * everything that uses it; constants and layouts are the same for 32-bit and
 * 64-bit programs.
 */
#ifndef _UAPI_LINUX_BHLAB_H
#define _UAPI_LINUX_BHLAB_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: The shape of the interface
 *
 * One open of /dev/bhlab is a *lab*. The lab owns every object created through
 * it; the last reference to the open file (a descriptor, a mapping, a message
 * in flight) ends the lab, cancels, stops and frees all of it, and waits until
 * that is done. An object of one lab cannot be named from another.
 *
 * An *item* is one deferrable function: a mechanism of the kernel (a work
 * item, a tasklet, an interrupt line, ...), a *program* that it runs, and what
 * came of it. Beside items there are *queues* (workqueues), *locks* and *FIFOs*.
 * Ids are positive, and are never used twice in one lab.
 *
 * Every ioctl is _IO(BHLAB_IOC_MAGIC, nr) on a structure whose first field is
 * its size in bytes, as the caller knows it. A longer structure than the
 * kernel knows is accepted while all that the kernel does not know is zero; a
 * shorter one is accepted from the size of its first version on, and what is
 * missing counts as zero. On success the kernel writes the structure back, as
 * far as both sides know it, and zeroes what only the caller knows; DESTROY
 * writes nothing back.
 *
 * All times are nanoseconds; points in time are CLOCK_MONOTONIC.
 */

/**
 * DOC: Errors
 *
 * Everything that can be refused is refused before any side effect. The checks
 * come in this order, and the first that fails gives the errno:
 *
 * ENOTTY: no such ioctl.
 *
 * EFAULT: the size is not readable.
 *
 * EINVAL: the size is shorter than the structure's first version, or longer
 * than BHLAB_SIZE_MAX.
 *
 * EFAULT: the rest of the structure is not readable, or not writable.
 *
 * E2BIG: the structure is longer than the kernel knows, and the rest is not
 * zero.
 *
 * EOPNOTSUPP: an unknown flag, a non-zero reserved field, a field set that
 * this verb does not use, an unknown mechanism, step or condition; or a verb
 * that the item's mechanism, or an attribute of a queue that this kernel, does
 * not have.
 *
 * ENOENT: no object of the wanted kind has this id or name in this lab.
 *
 * E2BIG: a name or payload that is not terminated within its field, or more
 * steps than the limit.
 *
 * EINVAL: a value outside its range, a step that the program's context does
 * not allow (a sleep in atomic context; what only a top half can do), brackets
 * that do not match, attributes that exclude each other, enable without
 * disable, a count of zero, a period that is too short or too long.
 *
 * ENODEV: the CPU does not exist, or is offline.
 *
 * EPERM: a limit or a combination that needs a capability: see the verb; or
 * flush or drain of a queue that is the kernel's, or BHLAB_ACT_QUEUE between
 * one and another.
 *
 * EFAULT: an array that the structure points to is not readable or writable.
 * Steps are read now, and are checked one after the other, each in the order
 * above; the time that they take in all is part of that.
 *
 * EEXIST: the name is taken, maybe by an object that is still being destroyed.
 *
 * ENOSPC: a limit of the user or of all users, see "Users" below, or on the
 * time that all programs of the lab in process context take together, is reached
 * (module parameters).
 *
 * EOVERFLOW: disabled BHLAB_DISABLE_DEPTH_MAX times already.
 *
 * EBUSY: the object is in use, or in a state in which the call would wait for
 * ever.
 *
 * EINTR, ETIMEDOUT: of a wait, a signal came or the time was over. What waits
 * interruptibly (read(), WAIT, FLUSH of what the kernel has no flush for) ends by
 * a signal that has a handler, and only by one without SA_RESTART; after others,
 * and after a stop, the freezer or a debugger, the call goes on. So does a verb
 * that waits for the budget, before it did anything.
 *
 * EAGAIN: the workqueue is draining; or read() found no record, and the file
 * is non-blocking.
 *
 * ENOMEM: no memory.
 *
 * EFAULT at the end: the structure could be written when the call began, and
 * cannot any more. A call that creates something (LOOKUP with
 * BHLAB_LOOKUP_RESERVE, too) has then created nothing. What a verb did stays
 * done.
 */

/**
 * DOC: Users
 *
 * Whoever opens the device is the user of the lab, whoever has its descriptor
 * later. His labs, and the objects of all of them, count against the limits of
 * one user that &struct bhlab_info tells. They are given back when the object, or
 * the lab, is gone.
 *
 * What may hold a kernel thread counts as a thread: a kthread_work item; the
 * thread of an irq, and where interrupts are handled in threads
 * (BHLAB_FEATURE_THREADIRQS) any irq; a queue with MEM_RECLAIM, LEGACY or
 * SINGLETHREAD, which has a rescuer; and a work or rcu_work item, not on a BH
 * queue, whose program sleeps, takes a mutex (on RT, any lock), or spins for more
 * than &bhlab_info.out_atomic_ns in all. One of the latter that names one of the
 * system's queues is a system sleeper besides, of which a user may have
 * &bhlab_info.out_max_sleepers, only a few: what it waits for, all others wait for
 * there. Others run on queues of the lab.
 *
 * A user is a real uid; who is in a user namespace counts as the user who has
 * made it. All users together may have &bhlab_info.out_users times what one may
 * have. ENOSPC: either is reached; open() fails with it, too.
 *
 * Who opens the device with CAP_SYS_ADMIN is another user than who has the same
 * uid and opens it without, has limits of the same size, and is not counted
 * among all users: what they have taken is never missing there.
 */

#define BHLAB_IOC_MAGIC		0xBF

/* What of it may change, and what never does: docs/uapi.md. */
#define BHLAB_ABI_VERSION	1

/* The longest structure that any ioctl accepts. */
#define BHLAB_SIZE_MAX		4096

/* Names: 1 to 31 of [A-Za-z0-9_.-], not starting with a digit, '.' or '-'. */
#define BHLAB_NAME_LEN		32
/* Payload: up to 31 bytes and a terminating NUL. */
#define BHLAB_DATA_LEN		32
#define BHLAB_DISABLE_DEPTH_MAX	255
/* The longest delay, period or time-out: an hour. */
#define BHLAB_NS_MAX		3600000000000ULL

/**
 * enum bhlab_nr - the numbers of the ioctls
 * @BHLAB_NR_INFO: what this driver and kernel are
 * @BHLAB_NR_MECH: what one mechanism can do on this kernel
 * @BHLAB_NR_RING: set up and query the event ring
 * @BHLAB_NR_ITEM_CREATE: make an item
 * @BHLAB_NR_ITEM_STATE: an item's counters and flags
 * @BHLAB_NR_ITEM_PROGRAM: read an item's program back
 * @BHLAB_NR_LOOKUP: the id of a name
 * @BHLAB_NR_NEXT: the next object after an id
 * @BHLAB_NR_DESTROY: stop and free an object
 * @BHLAB_NR_QUEUE: activate an item now
 * @BHLAB_NR_DELAY: activate an item after a time
 * @BHLAB_NR_CANCEL: cancel a pending activation
 * @BHLAB_NR_FLUSH: wait for the last activation
 * @BHLAB_NR_DISABLE: forbid an item to run
 * @BHLAB_NR_ENABLE: allow it again
 * @BHLAB_NR_TRIGGER: raise an interrupt line
 * @BHLAB_NR_DRAIN: wait until a queue stays empty
 * @BHLAB_NR_WAIT: wait for a condition of an item
 * @BHLAB_NR_BATCH: many verbs in one call
 * @BHLAB_NR_QUEUE_CREATE: make a workqueue
 * @BHLAB_NR_QUEUE_STATE: what a workqueue is, and holds
 * @BHLAB_NR_LOCK_CREATE: make a lock
 * @BHLAB_NR_LOCK_STATE: what a lock is
 * @BHLAB_NR_FIFO_CREATE: make a bounded FIFO
 * @BHLAB_NR_FIFO_STATE: a FIFO's level and counters
 */
enum bhlab_nr {
	BHLAB_NR_INFO = 0x00,
	BHLAB_NR_MECH = 0x01,
	BHLAB_NR_RING = 0x02,
	BHLAB_NR_ITEM_CREATE = 0x10,
	BHLAB_NR_ITEM_STATE = 0x11,
	BHLAB_NR_ITEM_PROGRAM = 0x12,
	BHLAB_NR_LOOKUP = 0x18,
	BHLAB_NR_NEXT = 0x19,
	BHLAB_NR_DESTROY = 0x1a,
	BHLAB_NR_QUEUE = 0x20,
	BHLAB_NR_DELAY = 0x21,
	BHLAB_NR_CANCEL = 0x22,
	BHLAB_NR_FLUSH = 0x23,
	BHLAB_NR_DISABLE = 0x24,
	BHLAB_NR_ENABLE = 0x25,
	BHLAB_NR_TRIGGER = 0x26,
	BHLAB_NR_DRAIN = 0x27,
	BHLAB_NR_WAIT = 0x30,
	BHLAB_NR_BATCH = 0x31,
	BHLAB_NR_QUEUE_CREATE = 0x40,
	BHLAB_NR_QUEUE_STATE = 0x41,
	BHLAB_NR_LOCK_CREATE = 0x48,
	BHLAB_NR_LOCK_STATE = 0x49,
	BHLAB_NR_FIFO_CREATE = 0x50,
	BHLAB_NR_FIFO_STATE = 0x51,
};

/**
 * enum bhlab_mech - how an item is activated, and so where it runs
 * @BHLAB_MECH_WORK: a delayed_work on a workqueue; runs in a kworker, on a BH
 *	queue in a softirq
 * @BHLAB_MECH_TASKLET: a tasklet; runs in TASKLET_SOFTIRQ
 * @BHLAB_MECH_TASKLET_HI: the same, scheduled high; runs in HI_SOFTIRQ
 * @BHLAB_MECH_IRQ: the line of an irq_sim domain; its top half runs in
 *	hardirq context, its thread, if it has one, in irq/N
 * @BHLAB_MECH_IRQ_WORK: an irq_work; runs in hardirq context, on RT without
 *	BHLAB_ITEM_HARD in irq_work/N
 * @BHLAB_MECH_TIMER: a timer_list; runs in TIMER_SOFTIRQ, from the next tick on
 * @BHLAB_MECH_HRTIMER: an hrtimer; runs in hardirq context, on RT without
 *	BHLAB_ITEM_HARD in HRTIMER_SOFTIRQ
 * @BHLAB_MECH_HRTIMER_SOFT: an hrtimer that asks for HRTIMER_SOFTIRQ
 * @BHLAB_MECH_KTHREAD_WORK: a kthread_delayed_work on a kthread_worker of its
 *	own; runs in that thread
 * @BHLAB_MECH_RCU: an rcu_head; runs after a grace period, in RCU_SOFTIRQ or in
 *	a thread of RCU's
 * @BHLAB_MECH_RCU_WORK: an rcu_work; runs in a kworker after a grace period
 */
enum bhlab_mech {
	BHLAB_MECH_WORK = 1,
	BHLAB_MECH_TASKLET = 2,
	BHLAB_MECH_TASKLET_HI = 3,
	BHLAB_MECH_IRQ = 4,
	BHLAB_MECH_IRQ_WORK = 5,
	BHLAB_MECH_TIMER = 6,
	BHLAB_MECH_HRTIMER = 7,
	BHLAB_MECH_HRTIMER_SOFT = 8,
	BHLAB_MECH_KTHREAD_WORK = 9,
	BHLAB_MECH_RCU = 10,
	BHLAB_MECH_RCU_WORK = 11,
};

/**
 * enum bhlab_verb - what can be done to an item; bit numbers in masks
 * @BHLAB_VERB_QUEUE: BHLAB_IOC_QUEUE
 * @BHLAB_VERB_DELAY: BHLAB_IOC_DELAY
 * @BHLAB_VERB_CANCEL: BHLAB_IOC_CANCEL
 * @BHLAB_VERB_FLUSH: BHLAB_IOC_FLUSH
 * @BHLAB_VERB_DISABLE: BHLAB_IOC_DISABLE
 * @BHLAB_VERB_ENABLE: BHLAB_IOC_ENABLE
 * @BHLAB_VERB_TRIGGER: BHLAB_IOC_TRIGGER
 * @BHLAB_VERB_DRAIN: BHLAB_IOC_DRAIN; of queues only
 */
enum bhlab_verb {
	BHLAB_VERB_QUEUE = 0,
	BHLAB_VERB_DELAY = 1,
	BHLAB_VERB_CANCEL = 2,
	BHLAB_VERB_FLUSH = 3,
	BHLAB_VERB_DISABLE = 4,
	BHLAB_VERB_ENABLE = 5,
	BHLAB_VERB_TRIGGER = 6,
	BHLAB_VERB_DRAIN = 7,
};

/**
 * enum bhlab_op - the steps that programs are made of
 * @BHLAB_OP_SPIN: be busy for @arg ns
 * @BHLAB_OP_SLEEP: sleep for @arg ns, less when the lab ends; process context
 *	only
 * @BHLAB_OP_QUEUE: queue the item @target
 * @BHLAB_OP_DELAY: activate the item @target in @arg ns
 * @BHLAB_OP_TRIGGER: raise the line of the item @target
 * @BHLAB_OP_REQUEUE: queue the item itself again, up to @arg times for each
 *	activation that came from elsewhere; 0: without end. Not for an irq
 * @BHLAB_OP_MARK: record an event of kind MARK with @arg as its value
 * @BHLAB_OP_THREAD: wake the irq's thread on return; top half only, of an item
 *	with BHLAB_ITEM_THREAD
 * @BHLAB_OP_NONE: answer IRQ_NONE, the interrupt was not ours; top half only,
 *	and CAP_SYS_ADMIN: the kernel shuts the line off after too many of them
 * @BHLAB_OP_CANCEL: cancel the item @target, without waiting for its handler;
 *	skipped where the kernel has no such call
 * @BHLAB_OP_DISABLE: disable the item @target, without waiting for its handler
 * @BHLAB_OP_ENABLE: enable the item @target
 * @BHLAB_OP_LOCK: take the lock @target, up to the UNLOCK of the same lock
 * @BHLAB_OP_UNLOCK: release the lock @target
 * @BHLAB_OP_BH_OFF: turn bottom halves off, up to BH_ON; process context only
 * @BHLAB_OP_BH_ON: turn them on again; what is pending runs here
 * @BHLAB_OP_IRQ_OFF: turn interrupts off, up to IRQ_ON; not in hardirq context
 * @BHLAB_OP_IRQ_ON: turn them on again
 * @BHLAB_OP_PUSH: push @arg entries into the FIFO @target; what has no room is
 *	dropped, and recorded as DROPPED
 * @BHLAB_OP_POP: pop up to @arg entries from the FIFO @target, 0: all
 *
 * A step that cannot be carried out when its turn comes (the target is gone,
 * or must not be queued now, there is no time left for it) is skipped; the run's
 * record counts it, and says why. A bracket is skipped with all that is in it,
 * and never left open.
 *
 * SPIN is as long as the clock says, whoever else has the CPU meanwhile; but
 * what a program is held (see below) is not part of it.
 *
 * Brackets (LOCK to UNLOCK, BH_OFF to BH_ON, IRQ_OFF to IRQ_ON) are nested and
 * closed within the program, else EINVAL. Inside there is no SLEEP, except with
 * nothing but mutexes. Locks are taken in the order in which they were created,
 * mutexes before spin locks, and a spin lock never inside of one for a stricter
 * context; no lock and no BH_OFF inside IRQ_OFF, no BH_OFF inside of a spin
 * lock for hardirq context. Items with BHLAB_ITEM_HARD or BHLAB_ITEM_IRQSAFE
 * take no lock, since on RT a spin lock sleeps. All of that is EINVAL.
 */
enum bhlab_op {
	BHLAB_OP_SPIN = 1,
	BHLAB_OP_SLEEP = 2,
	BHLAB_OP_QUEUE = 3,
	BHLAB_OP_DELAY = 4,
	BHLAB_OP_TRIGGER = 5,
	BHLAB_OP_REQUEUE = 6,
	BHLAB_OP_MARK = 7,
	BHLAB_OP_THREAD = 8,
	BHLAB_OP_NONE = 9,
	BHLAB_OP_CANCEL = 10,
	BHLAB_OP_DISABLE = 11,
	BHLAB_OP_ENABLE = 12,
	BHLAB_OP_LOCK = 13,
	BHLAB_OP_UNLOCK = 14,
	BHLAB_OP_BH_OFF = 15,
	BHLAB_OP_BH_ON = 16,
	BHLAB_OP_IRQ_OFF = 17,
	BHLAB_OP_IRQ_ON = 18,
	BHLAB_OP_PUSH = 19,
	BHLAB_OP_POP = 20,
};

/* struct bhlab_step.flags: @cpu is valid; QUEUE, DELAY of work and timers. */
#define BHLAB_STEP_CPU		(1U << 0)

/**
 * struct bhlab_step - one step of a program
 * @op: enum bhlab_op
 * @target: id of an item, for the steps that have one, else 0. It is looked up
 *	when the step runs: it may name an item that is not there yet. A lock or
 *	FIFO must exist when the program is made (ENOENT), and cannot be
 *	destroyed while a program names it
 * @arg: what @op says, else 0
 * @cpu: with BHLAB_STEP_CPU the CPU to queue on, else 0
 * @flags: BHLAB_STEP_*
 */
struct bhlab_step {
	__u32 op;
	__u32 target;
	__aligned_u64 arg;
	__u32 cpu;
	__u32 flags;
};

/**
 * enum bhlab_program_why - why a program was refused
 * @BHLAB_WHY_SHAPE: there is no such step or flag, or the step has a field that
 *	it does not use (EOPNOTSUPP)
 * @BHLAB_WHY_OBJECT: the lab has no such lock or FIFO (ENOENT)
 * @BHLAB_WHY_MECHANISM: not in a program of this kind: only the top half of an
 *	irq has THREAD and NONE, and neither program of an irq has REQUEUE (EINVAL)
 * @BHLAB_WHY_CONTEXT: not in the context that the program is written for: of a
 *	thread BHLAB_CTX_TASK, on a BH queue BHLAB_CTX_SOFTIRQ, else
 *	&bhlab_mech_info.out_written_for (EINVAL)
 * @BHLAB_WHY_TARGET: it names no item (EINVAL)
 * @BHLAB_WHY_ARG: its argument is outside its range (EINVAL)
 * @BHLAB_WHY_CPU: the CPU that it names does not exist (ENODEV)
 * @BHLAB_WHY_THREAD: the irq has no thread: see BHLAB_ITEM_THREAD (EINVAL)
 * @BHLAB_WHY_CAPABILITY: the step needs CAP_SYS_ADMIN (EPERM)
 * @BHLAB_WHY_SLEEP: it sleeps inside of brackets other than mutexes (EINVAL)
 * @BHLAB_WHY_PROCESS_TIME: up to here the program takes longer than
 *	&bhlab_info.out_process_ns (EINVAL)
 * @BHLAB_WHY_ATOMIC_TIME: up to here it spins longer in atomic context than
 *	&bhlab_info.out_atomic_cap_ns (EINVAL)
 * @BHLAB_WHY_ATOMIC_CAPABILITY: up to here it spins longer in atomic context than
 *	&bhlab_info.out_atomic_ns, which needs CAP_SYS_ADMIN (EPERM)
 * @BHLAB_WHY_NO_LOCKS: items with BHLAB_ITEM_HARD or BHLAB_ITEM_IRQSAFE take no
 *	lock (EINVAL)
 * @BHLAB_WHY_LOCK_CONTEXT: the lock is for a less strict context than the
 *	program's (EINVAL)
 * @BHLAB_WHY_NESTING: the bracket may not be opened inside of one that is open
 *	here (EINVAL)
 * @BHLAB_WHY_NOT_LAST: it closes another bracket than the last that was opened, or
 *	none is open (EINVAL)
 * @BHLAB_WHY_NOT_CLOSED: it opens a bracket that is never closed (EINVAL)
 * @BHLAB_WHY_LENGTH: it is the first step beyond &bhlab_info.out_max_steps (E2BIG)
 * @BHLAB_WHY_LAB_TIME: the programs of the lab in process context take longer
 *	than &bhlab_info.out_lab_ns with this one; no step is to blame (ENOSPC)
 */
enum bhlab_program_why {
	BHLAB_WHY_SHAPE = 1,
	BHLAB_WHY_OBJECT = 2,
	BHLAB_WHY_MECHANISM = 3,
	BHLAB_WHY_CONTEXT = 4,
	BHLAB_WHY_TARGET = 5,
	BHLAB_WHY_ARG = 6,
	BHLAB_WHY_CPU = 7,
	BHLAB_WHY_THREAD = 8,
	BHLAB_WHY_CAPABILITY = 9,
	BHLAB_WHY_SLEEP = 10,
	BHLAB_WHY_PROCESS_TIME = 11,
	BHLAB_WHY_ATOMIC_TIME = 12,
	BHLAB_WHY_ATOMIC_CAPABILITY = 13,
	BHLAB_WHY_NO_LOCKS = 14,
	BHLAB_WHY_LOCK_CONTEXT = 15,
	BHLAB_WHY_NESTING = 16,
	BHLAB_WHY_NOT_LAST = 17,
	BHLAB_WHY_NOT_CLOSED = 18,
	BHLAB_WHY_LENGTH = 19,
	BHLAB_WHY_LAB_TIME = 20,
};

/**
 * struct bhlab_info - BHLAB_IOC_INFO
 * @size: sizeof(struct bhlab_info)
 * @flags: must be 0
 * @out_abi: BHLAB_ABI_VERSION of the driver
 * @out_mechs: how many mechanisms the driver has, numbered from 1
 * @out_features: BHLAB_FEATURE_* bits
 * @out_lab: the number of this lab, unique while it lives
 * @out_cpus: how many CPUs are possible
 * @out_max_items: items and other objects that one user may have, over all
 *	labs that he has opened (module parameter items)
 * @out_max_irqs: of these, interrupt lines (irqs)
 * @out_max_steps: steps of one program (steps)
 * @out_atomic_ns: time that one run may spin in atomic context (atomic_ns)
 * @out_atomic_cap_ns: the same, with CAP_SYS_ADMIN (atomic_cap_ns)
 * @out_process_ns: time that one run may take in process context (process_ns)
 * @out_max_chain: activations that steps may make after the last one that user
 *	space made (chain)
 * @out_lab_ns: time that the programs in process context of one lab may take
 *	together, each run once (lab_ns)
 * @out_period_ns: the shortest period of a trigger (period_ns)
 * @out_max_queues: workqueues that one user may have (queues)
 * @out_max_threads: kernel threads that one user's objects may hold, see "Users"
 *	(threads)
 * @out_max_locks: locks that one lab may create in all its life
 * @out_max_fifos: FIFOs of one user (fifos)
 * @out_max_active: the largest max_active of a workqueue on this kernel
 * @out_budget: percent of each BHLAB_BUDGET_NS of a CPU that handlers in atomic
 *	context and in threads of real-time priority may take (budget_percent)
 * @out_max_labs: labs that one user may have at a time (labs)
 * @out_users: how many times what one user may have all users together may have,
 *	not counting those with CAP_SYS_ADMIN (users)
 * @out_max_sleepers: of the threads, kworkers of the system's queues, see
 *	"Users" (system_sleepers)
 * @out_ring_bytes: bytes of the records of one lab's ring, see struct
 *	bhlab_ring_setup (ring_bytes)
 * @out_user_ring_bytes: bytes of all rings of one user, with their heads and
 *	what their records hide (user_ring_bytes)
 * @out_kernel: the kernel that the driver was built for, terminated
 */
struct bhlab_info {
	__u32 size;
	__u32 flags;
	__u32 out_abi;
	__u32 out_mechs;
	__u32 out_features;
	__u32 out_lab;
	__u32 out_cpus;
	__u32 out_max_items;
	__u32 out_max_irqs;
	__u32 out_max_steps;
	__aligned_u64 out_atomic_ns;
	__aligned_u64 out_atomic_cap_ns;
	__aligned_u64 out_process_ns;
	__aligned_u64 out_max_chain;
	__aligned_u64 out_lab_ns;
	__aligned_u64 out_period_ns;
	__u32 out_max_queues;
	__u32 out_max_threads;
	__u32 out_max_locks;
	__u32 out_max_fifos;
	__u32 out_max_active;
	__u32 out_budget;
	__u32 out_max_labs;
	__u32 out_users;
	__u32 out_max_sleepers;
	__u32 out_ring_bytes;
	__aligned_u64 out_user_ring_bytes;
	char out_kernel[64];
};

/**
 * DOC: Time
 *
 * However many runs there are, others get on. Both of these are per CPU, and per
 * window of BHLAB_BUDGET_NS; what is spent beyond is owed to the windows after,
 * up to nine of them.
 *
 * The *budget* (module parameter budget_percent) is for all that runs in atomic
 * context, in the thread of an irq or at real-time priority, and in process
 * context for brackets, a mutex among them, since who waits for it may be more
 * urgent. All labs together have it, whoever opened them. It pays for the time
 * from the handler's start to its end, and for what the kernel needs around
 * that. Once it is spent on a CPU, and until it is not,
 *
 * - all steps of such handlers are skipped there, but for what closes an open
 *   bracket: BHLAB_EVENT_F_THROTTLED and &bhlab_item_state.out_throttled tell;
 * - the driver's own delays, and triggers with a period, wait;
 * - QUEUE, DELAY and TRIGGER of an item whose handler it pays for wait, at most
 *   for a second, before they activate it: EINTR if a signal comes then. A batch
 *   ends before that verb.
 * - programs in process context sleep, at most for a second, before they open a
 *   bracket or activate such an item: BHLAB_EVENT_F_HELD tells. What is in a
 *   bracket is carried out then; what would activate is skipped, as THROTTLED,
 *   if the budget is spent all the same.
 *
 * The *share* (process_percent) is for all other programs in process context
 * that were made without CAP_SYS_ADMIN, since kworkers and kthreads run outside
 * of their user's cgroup and nice value. Once it is spent on a CPU such a program
 * sleeps before its next step, and in the midst of a SPIN, until it is not, as
 * HELD, too. At most 16 such programs of a user, and 64 of all users, are held at
 * a time; the steps of others are skipped, as THROTTLED.
 *
 * No program is held inside of brackets. That ends early when the item or the lab
 * does; and in a lab in which verbs that no signal ends (FLUSH, DRAIN, and with
 * BHLAB_ACT_SYNC) have waited for more than ten seconds steps are skipped in its
 * place.
 */

/* The window of the budget and of the share of each CPU. */
#define BHLAB_BUDGET_NS		100000000

/* The kernel's own irq_sim simulates the lines; else the driver's own does. */
#define BHLAB_FEATURE_IRQ_SIM	(1U << 0)
/* The kernel is PREEMPT_RT. */
#define BHLAB_FEATURE_RT	(1U << 1)
/* The kernel has BH workqueues. */
#define BHLAB_FEATURE_BH_QUEUE	(1U << 2)
/* Interrupts are handled in threads: RT, or booted with threadirqs. */
#define BHLAB_FEATURE_THREADIRQS	(1U << 3)

/**
 * struct bhlab_mech_info - BHLAB_IOC_MECH
 * @size: sizeof(struct bhlab_mech_info)
 * @flags: must be 0
 * @mech: enum bhlab_mech, 1 to &bhlab_info.out_mechs; ENOENT beyond
 * @out_native: verbs that are a call of the kernel, 1 << enum bhlab_verb
 * @out_emulated: verbs that the driver imitates, since the kernel has none;
 *	what is in neither mask is EOPNOTSUPP
 * @out_steps: steps that the program of the item may have, 1 << enum bhlab_op
 * @out_thread_steps: steps that its thread's program may have; 0: no thread
 * @out_context: BHLAB_CTX_* bits of the context that the program runs in on
 *	this kernel, as it was booted: one of TASK, SOFTIRQ, HARDIRQ
 * @out_attrs: BHLAB_ITEM_HARD, _LAZY, _IRQSAFE, _PINNED, _STATIC: those its items
 *	may have
 * @out_written_for: the context that the program is written for: the strictest
 *	that it runs in on any kernel. PREEMPT_RT and threadirqs move handlers
 *	to threads, but give them no more freedom
 * @out_name: its name, terminated
 */
struct bhlab_mech_info {
	__u32 size;
	__u32 flags;
	__u32 mech;
	__u32 out_native;
	__u32 out_emulated;
	__u32 out_steps;
	__u32 out_thread_steps;
	__u32 out_context;
	__u32 out_attrs;
	__u32 out_written_for;
	char out_name[16];
};

/**
 * struct bhlab_item_create - BHLAB_IOC_ITEM_CREATE
 * @size: sizeof(struct bhlab_item_create)
 * @flags: BHLAB_ITEM_*
 * @mech: enum bhlab_mech
 * @queue: work, rcu_work: the workqueue, one of BHLAB_QUEUE_* or the id of one
 *	that the lab has; 0 is the system's per-CPU queue. Other mechanisms: 0.
 *	BHLAB_QUEUE_HIGHPRI, whose workers run at nice -20, needs CAP_SYS_NICE
 *	(EPERM).
 *	The program of an item on a BH queue runs in atomic context. A queue can
 *	not be destroyed while an item names it
 * @cpu: with BHLAB_ITEM_CPU the CPU on which the item is queued or triggered
 *	when the verb names none, else 0
 * @nr_steps: length of @steps
 * @nr_thread_steps: length of @thread_steps
 * @out_id: the item's id; left as it was after a refusal
 * @steps: address of an array of struct bhlab_step, the program; for an irq,
 *	of its top half
 * @thread_steps: the same for the thread of an irq, with BHLAB_ITEM_THREAD
 * @cookie: any value; comes back in every record
 * @name: unique in the lab
 * @data: the payload, terminated and padded with zeros; comes back in every
 *	RUN record
 * @nice: kthread_work: nice value of its thread, -20 to 19; else 0. Below 0
 *	needs CAP_SYS_NICE (EPERM)
 * @priority: kthread_work: SCHED_FIFO priority of its thread, 1 to 99, with
 *	CAP_SYS_NICE (EPERM), and @nice 0; else 0
 * @out_why: enum bhlab_program_why, when a program is refused; 0 if the refusal
 *	has another cause, and if there is none. Refusals that come before all
 *	others (an unknown flag, a structure that is too short) write nothing:
 *	set it to 0
 * @out_step: with @out_why the index of the step, from 0, the program's steps
 *	and then the thread's; 0 if no step is to blame
 *
 * A program that spins longer than &bhlab_info.out_atomic_ns in atomic context,
 * with bottom halves or interrupts off, with a lock held or at real-time priority
 * needs CAP_SYS_ADMIN (EPERM), and is EINVAL above
 * &bhlab_info.out_atomic_cap_ns; one that spins and sleeps longer than
 * &bhlab_info.out_process_ns in process context is EINVAL. ENOSPC: all the
 * programs of the lab in process context take longer than
 * &bhlab_info.out_lab_ns, which bounds what a flush or a close waits for.
 */
struct bhlab_item_create {
	__u32 size;
	__u32 flags;
	__u32 mech;
	__u32 queue;
	__u32 cpu;
	__u32 nr_steps;
	__u32 nr_thread_steps;
	__u32 out_id;
	__aligned_u64 steps;
	__aligned_u64 thread_steps;
	__aligned_u64 cookie;
	char name[BHLAB_NAME_LEN];
	char data[BHLAB_DATA_LEN];
	__s32 nice;
	__u32 priority;
	__u32 out_why;
	__u32 out_step;
};

/* @cpu is valid. */
#define BHLAB_ITEM_CPU		(1U << 0)
/* The irq has a thread, which runs @thread_steps (there may be none). */
#define BHLAB_ITEM_THREAD	(1U << 1)
/* Record QUEUED events too; a RUN record carries the same times later. */
#define BHLAB_ITEM_QUEUED	(1U << 2)
/* irq_work, hrtimer: run in hardirq context on RT too. */
#define BHLAB_ITEM_HARD		(1U << 3)
/* irq_work: wait for the next tick. */
#define BHLAB_ITEM_LAZY		(1U << 4)
/* timer: run with interrupts off (TIMER_IRQSAFE). */
#define BHLAB_ITEM_IRQSAFE	(1U << 5)
/* timer, hrtimer, hrtimer_soft: expire on the CPU that started it. */
#define BHLAB_ITEM_PINNED	(1U << 6)
/*
 * work, tasklet, tasklet_hi: the one instance of struct delayed_work and of
 * struct tasklet_struct that the module declares statically. EBUSY: another
 * item has it. EINVAL: on a BH queue.
 */
#define BHLAB_ITEM_STATIC	(1U << 7)

/* The kernel's own workqueues; nobody may flush or drain these. */
#define BHLAB_QUEUE_PERCPU		0x80000000U
#define BHLAB_QUEUE_HIGHPRI		0x80000001U
#define BHLAB_QUEUE_LONG		0x80000002U
#define BHLAB_QUEUE_UNBOUND		0x80000003U
#define BHLAB_QUEUE_FREEZABLE		0x80000004U
#define BHLAB_QUEUE_POWER_EFFICIENT	0x80000005U
/* EOPNOTSUPP on a kernel without BH workqueues. */
#define BHLAB_QUEUE_BH			0x80000006U
#define BHLAB_QUEUE_BH_HIGHPRI		0x80000007U

/**
 * struct bhlab_item_state - BHLAB_IOC_ITEM_STATE
 * @size: sizeof(struct bhlab_item_state)
 * @flags: must be 0
 * @id: the item
 * @out_mech: as created
 * @out_item_flags: as created
 * @out_queue: as created; a work item always has one
 * @out_cpu: as created
 * @out_state: BHLAB_STATE_* bits
 * @out_depth: how many times it is disabled
 * @out_irq: the number of an irq's line, as in /proc/interrupts
 * @out_nr_steps: length of its program
 * @out_nr_thread_steps: length of its thread's program
 * @out_accepted: activations that were accepted; of a line, times it was
 *	raised
 * @out_coalesced: activations that were answered already-pending
 * @out_refused: activations that were answered disabled
 * @out_runs: runs that started; of an irq, of its top half
 * @out_cancelled: activations that were cancelled
 * @out_merged: irq: raises that share a run with another: the pending bit was
 *	set, or the handler was running, and irq_sim cannot tell which
 * @out_outstanding: activations that are neither run, cancelled nor merged
 *	yet. At rest this is 0, so that always
 *	accepted = runs + cancelled + merged + outstanding
 * @out_thread_wakes: irq: top halves that woke the thread
 * @out_thread_runs: irq: runs of the thread that started
 * @out_thread_merged: irq: wakes that share a run of the thread with another;
 *	at rest thread_wakes = thread_runs + thread_merged
 * @out_skipped: steps that were skipped
 * @out_throttled: runs in which steps were skipped since the CPU's budget, or
 *	the user's share of it, was spent
 * @out_expired: delays of the driver's own that were over
 * @out_period_ns: irq: the period of the trigger that is at work, else 0
 * @out_period_left: irq: how often it is still to raise the line
 * @out_period_missed: irq: periods in which a trigger came too late to raise
 *	the line, which are not made up for
 * @out_cookie: as created
 * @out_name: as created
 * @out_data: as created
 * @out_nice: as created
 * @out_priority: as created
 */
struct bhlab_item_state {
	__u32 size;
	__u32 flags;
	__u32 id;
	__u32 out_mech;
	__u32 out_item_flags;
	__u32 out_queue;
	__u32 out_cpu;
	__u32 out_state;
	__u32 out_depth;
	__u32 out_irq;
	__u32 out_nr_steps;
	__u32 out_nr_thread_steps;
	__aligned_u64 out_accepted;
	__aligned_u64 out_coalesced;
	__aligned_u64 out_refused;
	__aligned_u64 out_runs;
	__aligned_u64 out_cancelled;
	__aligned_u64 out_merged;
	__aligned_u64 out_outstanding;
	__aligned_u64 out_thread_wakes;
	__aligned_u64 out_thread_runs;
	__aligned_u64 out_thread_merged;
	__aligned_u64 out_skipped;
	__aligned_u64 out_throttled;
	__aligned_u64 out_expired;
	__aligned_u64 out_period_ns;
	__aligned_u64 out_period_left;
	__aligned_u64 out_period_missed;
	__aligned_u64 out_cookie;
	char out_name[BHLAB_NAME_LEN];
	char out_data[BHLAB_DATA_LEN];
	__s32 out_nice;
	__u32 out_priority;
};

/* Accepted, and its run has not started. */
#define BHLAB_STATE_PENDING	(1U << 0)
/* Pending, and still waiting for its delay. */
#define BHLAB_STATE_DELAYED	(1U << 1)
/* The program runs (of an irq, the top half's or the thread's). */
#define BHLAB_STATE_RUNNING	(1U << 2)
/* Disabled at least once more than enabled. */
#define BHLAB_STATE_DISABLED	(1U << 3)
/* A trigger with a period is at work. */
#define BHLAB_STATE_PERIODIC	(1U << 4)

/**
 * struct bhlab_item_program - BHLAB_IOC_ITEM_PROGRAM
 * @size: sizeof(struct bhlab_item_program)
 * @flags: must be 0
 * @id: the item
 * @thread: 0: its program; 1: its thread's
 * @nr_steps: in: room at @steps; out: length of the program. Only as many
 *	steps are written as there is room for
 * @reserved: must be 0
 * @steps: address of an array of struct bhlab_step
 */
struct bhlab_item_program {
	__u32 size;
	__u32 flags;
	__u32 id;
	__u32 thread;
	__u32 nr_steps;
	__u32 reserved;
	__aligned_u64 steps;
};

/**
 * enum bhlab_kind - kinds of objects
 * @BHLAB_KIND_RESERVED: an id that BHLAB_LOOKUP_RESERVE gave to a name, before
 *	an object of this name is created
 * @BHLAB_KIND_ITEM: an item
 * @BHLAB_KIND_QUEUE: a workqueue
 * @BHLAB_KIND_LOCK: a lock
 * @BHLAB_KIND_FIFO: a FIFO
 */
enum bhlab_kind {
	BHLAB_KIND_RESERVED = 0,
	BHLAB_KIND_ITEM = 1,
	BHLAB_KIND_QUEUE = 2,
	BHLAB_KIND_LOCK = 3,
	BHLAB_KIND_FIFO = 4,
};

/**
 * struct bhlab_lookup - BHLAB_IOC_LOOKUP, BHLAB_IOC_NEXT
 * @size: sizeof(struct bhlab_lookup)
 * @flags: BHLAB_LOOKUP_*; of NEXT, must be 0
 * @id: LOOKUP: out: the id of @name. NEXT: in: any id, or 0; out: the id of
 *	the object with the smallest id above it; ENOENT when there is none
 * @out_kind: enum bhlab_kind
 * @name: LOOKUP: in; NEXT: out
 */
struct bhlab_lookup {
	__u32 size;
	__u32 flags;
	__u32 id;
	__u32 out_kind;
	char name[BHLAB_NAME_LEN];
};

/*
 * Give the name an id if it has none: a program can then name an item that is
 * created later, which gets this id. Counts as an item until then.
 */
#define BHLAB_LOOKUP_RESERVE	(1U << 0)

/**
 * struct bhlab_destroy - BHLAB_IOC_DESTROY
 * @size: sizeof(struct bhlab_destroy)
 * @flags: must be 0
 * @id: the object
 * @reserved: must be 0
 *
 * Cancels what is pending, waits until no handler of it is at work, on whatever
 * queue, and frees the object. Calls in other threads that name it end with
 * ENOENT, and so does a second DESTROY; its name is free when this returns. Nothing
 * of the structure is written back. EBUSY: a disabled tasklet that is scheduled,
 * since tasklet_kill() would wait for ever; a queue that an item names or has an
 * activation on; a lock or FIFO that a program names.
 */
struct bhlab_destroy {
	__u32 size;
	__u32 flags;
	__u32 id;
	__u32 reserved;
};

/**
 * struct bhlab_queue_create - BHLAB_IOC_QUEUE_CREATE
 * @size: sizeof(struct bhlab_queue_create)
 * @flags: BHLAB_WQ_*
 * @max_active: how many of its items may run at a time on one CPU (of an
 *	unbound queue, in all); 0: the kernel's default
 * @out_id: the queue's id
 * @name: unique in the lab
 *
 * Exactly one of PERCPU, UNBOUND, BH, ORDERED, LEGACY and SINGLETHREAD. With BH
 * only HIGHPRI, and no max_active; with ORDERED only HIGHPRI, FREEZABLE and
 * MEM_RECLAIM, and no max_active; with LEGACY and SINGLETHREAD nothing else; no
 * CPU_INTENSIVE with UNBOUND, which the kernel would ignore. max_active is at
 * most &bhlab_info.out_max_active. All of that is EINVAL; BH on a kernel
 * without is EOPNOTSUPP. HIGHPRI without BH needs CAP_SYS_NICE (EPERM), since the
 * workers of such a queue run at nice -20.
 */
struct bhlab_queue_create {
	__u32 size;
	__u32 flags;
	__u32 max_active;
	__u32 out_id;
	char name[BHLAB_NAME_LEN];
};

/* alloc_workqueue() with WQ_PERCPU, or without WQ_UNBOUND where that is it */
#define BHLAB_WQ_PERCPU		(1U << 0)
/* alloc_workqueue() with WQ_UNBOUND */
#define BHLAB_WQ_UNBOUND	(1U << 1)
/* alloc_workqueue() with WQ_BH */
#define BHLAB_WQ_BH		(1U << 2)
/* alloc_ordered_workqueue() */
#define BHLAB_WQ_ORDERED	(1U << 3)
/* create_workqueue() */
#define BHLAB_WQ_LEGACY		(1U << 4)
/* create_singlethread_workqueue() */
#define BHLAB_WQ_SINGLETHREAD	(1U << 5)
/* And with these: WQ_HIGHPRI, WQ_FREEZABLE, WQ_MEM_RECLAIM, WQ_CPU_INTENSIVE */
#define BHLAB_WQ_HIGHPRI	(1U << 6)
#define BHLAB_WQ_FREEZABLE	(1U << 7)
#define BHLAB_WQ_MEM_RECLAIM	(1U << 8)
#define BHLAB_WQ_CPU_INTENSIVE	(1U << 9)

/**
 * struct bhlab_queue_state - BHLAB_IOC_QUEUE_STATE
 * @size: sizeof(struct bhlab_queue_state)
 * @flags: must be 0
 * @id: a queue of the lab
 * @out_queue_flags: as created
 * @out_max_active: as created
 * @out_items: items that name it
 * @out_active: activations that hold it: on a delay, pending or running
 * @out_draining: 1 while it is being drained
 * @out_name: as created
 */
struct bhlab_queue_state {
	__u32 size;
	__u32 flags;
	__u32 id;
	__u32 out_queue_flags;
	__u32 out_max_active;
	__u32 out_items;
	__u32 out_active;
	__u32 out_draining;
	char out_name[BHLAB_NAME_LEN];
};

/**
 * struct bhlab_lock_create - BHLAB_IOC_LOCK_CREATE
 * @size: sizeof(struct bhlab_lock_create)
 * @flags: must be 0
 * @kind: enum bhlab_lock_kind
 * @context: the strictest context in which it is taken, which says how: a spin
 *	lock for BHLAB_CTX_TASK as it is; for BHLAB_CTX_SOFTIRQ in process
 *	context with bottom halves off (spin_lock_bh()); for BHLAB_CTX_HARDIRQ
 *	with interrupts off (spin_lock_irqsave()). A mutex is for TASK
 * @out_id: the lock's id
 * @reserved: must be 0
 * @name: unique in the lab
 *
 * An item may take a lock if the lock's context is as strict as its own, that
 * is &bhlab_mech_info.out_written_for, of the thread of an irq TASK and of an
 * item on a BH queue SOFTIRQ; else EINVAL. A mutex needs a program that may
 * sleep. Each of a lab's locks has a lockdep class of its own.
 */
struct bhlab_lock_create {
	__u32 size;
	__u32 flags;
	__u32 kind;
	__u32 context;
	__u32 out_id;
	__u32 reserved;
	char name[BHLAB_NAME_LEN];
};

/**
 * enum bhlab_lock_kind - kinds of locks
 * @BHLAB_LOCK_SPIN: a spinlock_t; on RT it sleeps
 * @BHLAB_LOCK_MUTEX: a struct mutex
 */
enum bhlab_lock_kind {
	BHLAB_LOCK_SPIN = 1,
	BHLAB_LOCK_MUTEX = 2,
};

/**
 * struct bhlab_lock_state - BHLAB_IOC_LOCK_STATE
 * @size: sizeof(struct bhlab_lock_state)
 * @flags: must be 0
 * @id: a lock of the lab
 * @out_kind: as created
 * @out_context: as created
 * @out_programs: how often programs name it
 * @out_name: as created
 */
struct bhlab_lock_state {
	__u32 size;
	__u32 flags;
	__u32 id;
	__u32 out_kind;
	__u32 out_context;
	__u32 out_programs;
	char out_name[BHLAB_NAME_LEN];
};

/**
 * struct bhlab_fifo_create - BHLAB_IOC_FIFO_CREATE
 * @size: sizeof(struct bhlab_fifo_create)
 * @flags: must be 0
 * @depth: how many entries it holds, 1 to BHLAB_FIFO_MAX
 * @out_id: the FIFO's id
 * @name: unique in the lab
 */
struct bhlab_fifo_create {
	__u32 size;
	__u32 flags;
	__u32 depth;
	__u32 out_id;
	char name[BHLAB_NAME_LEN];
};

#define BHLAB_FIFO_MAX		1000000U

/**
 * struct bhlab_fifo_state - BHLAB_IOC_FIFO_STATE
 * @size: sizeof(struct bhlab_fifo_state)
 * @flags: must be 0
 * @id: a FIFO of the lab
 * @out_depth: as created
 * @out_level: entries in it now
 * @out_highest: the most that were ever in it
 * @out_programs: how often programs name it
 * @reserved: must be 0
 * @out_pushed: entries that found room; always pushed = popped + level
 * @out_popped: entries that were taken out
 * @out_dropped: entries that found no room
 * @out_missed: entries that a POP asked for, and were not there
 * @out_name: as created
 */
struct bhlab_fifo_state {
	__u32 size;
	__u32 flags;
	__u32 id;
	__u32 out_depth;
	__u32 out_level;
	__u32 out_highest;
	__u32 out_programs;
	__u32 reserved;
	__aligned_u64 out_pushed;
	__aligned_u64 out_popped;
	__aligned_u64 out_dropped;
	__aligned_u64 out_missed;
	char out_name[BHLAB_NAME_LEN];
};

/**
 * struct bhlab_act - BHLAB_IOC_QUEUE, _DELAY, _CANCEL, _FLUSH, _DISABLE,
 *	_ENABLE, _TRIGGER, _DRAIN
 * @size: sizeof(struct bhlab_act)
 * @flags: BHLAB_ACT_*
 * @id: the item; of FLUSH and DRAIN also a queue
 * @cpu: with BHLAB_ACT_CPU the CPU to queue or trigger on, else 0
 * @queue: with BHLAB_ACT_QUEUE the workqueue to use this time, else 0
 * @count: TRIGGER: how often to raise the line, 1 to BHLAB_TRIGGER_MAX; else 0
 * @ns: DELAY: 0 to BHLAB_NS_MAX; TRIGGER with BHLAB_ACT_PERIOD: the period; else
 *	0
 * @out_result: enum bhlab_result
 * @out_flags: BHLAB_OUT_*
 * @out_depth: DISABLE, ENABLE: how many times it is disabled now
 * @out_count: TRIGGER: how often the pending bit was clear before
 *
 * QUEUE: QUEUED, ALREADY_PENDING or DISABLED; where the kernel has a boolean,
 * it is the kernel's own. EPERM: a tasklet that is disabled, without
 * CAP_SYS_ADMIN, since the kernel spins in the softirq until it is enabled.
 *
 * DELAY: the same; the first delay wins. With BHLAB_ACT_MOD a pending
 * activation is kept, and gets the new delay: MODIFIED, or QUEUED if there was
 * none; ALREADY_PENDING of one that is past a delay of the driver's own, since
 * the kernel gives that back to nobody. While another call waits with
 * BHLAB_ACT_SYNC the kernel takes no work and no kthread_work: ALREADY_PENDING,
 * though nothing is. A queue that is draining is EAGAIN, of both; one that is
 * being destroyed ENOENT. EBUSY: so many runs of a work item, on several queues,
 * are about to start that the driver could not account for one more.
 *
 * With BHLAB_ACT_QUEUE an item moves between the queues of its lab. EINVAL: an
 * item that names a BH queue on others, and the others on a BH queue: the
 * kernel's lockdep takes a work item that runs now in a softirq and now in a
 * thread for a bug. EPERM: one of the two is the kernel's own: nobody can wait
 * for a handler that is at work there while the item is on another queue.
 *
 * CANCEL: WAS_PENDING or IDLE. With BHLAB_ACT_SYNC it waits for handlers that
 * are at work, and BHLAB_OUT_WAITED says that there was one. The kernel cancels
 * a kthread_work only with BHLAB_ACT_SYNC, and an irq_work, rcu or rcu_work not
 * at all: EOPNOTSUPP. Of an irq it clears the pending bit. EBUSY: what the
 * kernel keeps to replay on a disabled line; without BHLAB_ACT_SYNC an hrtimer
 * that is queued again while its function runs.
 *
 * FLUSH: WAITED or IDLE; what is on a delay is fired at once, and when it has
 * run before the kernel looks for it, that is IDLE. EBUSY: pending and disabled.
 * Of a queue: wait for all that is queued on it now; always WAITED.
 *
 * DRAIN: wait until a queue is empty, and what its items queue on it meanwhile
 * is done, too. All else that would be queued on it meanwhile is EAGAIN, as a
 * step it is skipped. EBUSY: an activation on it is on a delay or waits for a
 * grace period; the kernel would WARN, and drop it. After ten times
 * &bhlab_info.out_process_ns nothing queues on it any more. Always WAITED.
 *
 * DISABLE: WAS_PENDING (of work, whose pending activation is cancelled by
 * that) or IDLE; with BHLAB_ACT_SYNC it waits for a running handler. EPERM: a
 * tasklet that is scheduled, without CAP_SYS_ADMIN.
 *
 * ENABLE: always IDLE. EINVAL: not disabled.
 *
 * TRIGGER: QUEUED if the pending bit was clear at least once, else
 * ALREADY_PENDING. An irq is activated by TRIGGER (and DELAY), everything else
 * by QUEUE. With BHLAB_ACT_PERIOD the call returns at once, with QUEUED, and the
 * line is raised @count times, for the first time after one period; CANCEL ends
 * that. EBUSY: one is at work. EINVAL: a period below
 * &bhlab_info.out_period_ns, or a top half that spins for more than half of it.
 *
 * With BHLAB_ACT_CPU, a mechanism whose kernel call takes no CPU is called from
 * a kworker on that CPU. It may be any CPU, whatever the caller's affinity and
 * cpuset: kworkers, timers and softirqs do not know these. What handlers take of
 * a CPU is bounded by its budget, and by the user's share of it.
 * ENODEV as a step, which is skipped: a tasklet, or on RT an irq_work without
 * BHLAB_ITEM_HARD, on a CPU that is going offline.
 */
struct bhlab_act {
	__u32 size;
	__u32 flags;
	__u32 id;
	__u32 cpu;
	__u32 queue;
	__u32 count;
	__aligned_u64 ns;
	__u32 out_result;
	__u32 out_flags;
	__u32 out_depth;
	__u32 out_count;
};

/* QUEUE, DELAY, TRIGGER: @cpu is valid. */
#define BHLAB_ACT_CPU		(1U << 0)
/* QUEUE, DELAY of work, rcu_work: @queue is valid, one of the lab's own. */
#define BHLAB_ACT_QUEUE		(1U << 1)
/* DELAY: replace the delay of a pending activation. */
#define BHLAB_ACT_MOD		(1U << 2)
/* CANCEL, DISABLE: wait for a running handler. */
#define BHLAB_ACT_SYNC		(1U << 3)
/* TRIGGER: again and again, @ns apart. */
#define BHLAB_ACT_PERIOD	(1U << 4)

#define BHLAB_TRIGGER_MAX	1000000U

/**
 * enum bhlab_result - what a verb found and did
 * @BHLAB_RESULT_IDLE: nothing was pending; there was nothing to do
 * @BHLAB_RESULT_QUEUED: accepted: there will be a run
 * @BHLAB_RESULT_ALREADY_PENDING: coalesced with the one that is pending
 * @BHLAB_RESULT_DISABLED: the kernel refused it, since it is disabled
 * @BHLAB_RESULT_MODIFIED: the pending activation has the new delay
 * @BHLAB_RESULT_WAS_PENDING: the pending activation is cancelled
 * @BHLAB_RESULT_WAITED: a pending or running activation has finished
 */
enum bhlab_result {
	BHLAB_RESULT_IDLE = 0,
	BHLAB_RESULT_QUEUED = 1,
	BHLAB_RESULT_ALREADY_PENDING = 2,
	BHLAB_RESULT_DISABLED = 3,
	BHLAB_RESULT_MODIFIED = 4,
	BHLAB_RESULT_WAS_PENDING = 5,
	BHLAB_RESULT_WAITED = 6,
};

/* The driver imitated this verb; the kernel has no such call. */
#define BHLAB_OUT_EMULATED	(1U << 0)
/* A handler was running, and has finished before the call returned. */
#define BHLAB_OUT_WAITED	(1U << 1)

/**
 * struct bhlab_batch - BHLAB_IOC_BATCH
 * @size: sizeof(struct bhlab_batch)
 * @flags: BHLAB_BATCH_*
 * @count: how many entries, 1 to BHLAB_BATCH_MAX
 * @out_done: how many were carried out or refused, from the first on
 * @out_failed: how many of these were refused
 * @reserved: must be 0
 * @entries: address of an array of struct bhlab_batch_entry
 *
 * Carries out one verb after the other, as the ioctls would. Stops after the
 * first that is refused, unless BHLAB_BATCH_ON. A signal stops it, too, also in an
 * entry that waits interruptibly, which then is not done. The entries from
 * @out_done on are left as they were. 0 whatever became of them.
 */
struct bhlab_batch {
	__u32 size;
	__u32 flags;
	__u32 count;
	__u32 out_done;
	__u32 out_failed;
	__u32 reserved;
	__aligned_u64 entries;
};

/* Go on after an entry that is refused. */
#define BHLAB_BATCH_ON		(1U << 0)

#define BHLAB_BATCH_MAX		1024

/**
 * struct bhlab_batch_entry - one verb of a batch
 * @nr: the verb: BHLAB_NR_QUEUE to BHLAB_NR_DRAIN; ENOTTY beyond
 * @out_errno: 0, or why it was refused
 * @act: as for the ioctl; its size must be sizeof(struct bhlab_act)
 */
struct bhlab_batch_entry {
	__u32 nr;
	__u32 out_errno;
	struct bhlab_act act;
};

/**
 * struct bhlab_wait - BHLAB_IOC_WAIT
 * @size: sizeof(struct bhlab_wait)
 * @flags: must be 0
 * @id: the item; for RECORDED 0
 * @condition: enum bhlab_condition
 * @value: RUNS, STARTED, RECORDED: the number; else 0
 * @timeout_ns: in: 0 (do not wait) to BHLAB_NS_MAX; out: after EINTR, what was
 *	left of it. A call that is restarted waits for that only
 *
 * EINTR on a signal, ETIMEDOUT when the time is over, ENOENT when the item is
 * destroyed meanwhile. A condition that held for a moment only may be missed.
 * After IDLE and RUNS of a work or rcu_work item that is idle, and was on one queue
 * only, its handler has also returned: queued again, it is not bound to the worker
 * that has run it.
 */
struct bhlab_wait {
	__u32 size;
	__u32 flags;
	__u32 id;
	__u32 condition;
	__aligned_u64 value;
	__aligned_u64 timeout_ns;
};

/**
 * enum bhlab_condition - what can be waited for
 * @BHLAB_COND_IDLE: nothing pending, nothing running
 * @BHLAB_COND_PENDING: an activation is pending
 * @BHLAB_COND_RUNNING: the program runs
 * @BHLAB_COND_RUNS: at least @value runs have finished since the item was made
 * @BHLAB_COND_RECORDED: &bhlab_ring_setup.out_recorded is at least @value
 * @BHLAB_COND_STARTED: at least @value runs have started since the item was made:
 *	unlike RUNNING it stays so, however short they are
 */
enum bhlab_condition {
	BHLAB_COND_IDLE = 1,
	BHLAB_COND_PENDING = 2,
	BHLAB_COND_RUNNING = 3,
	BHLAB_COND_RUNS = 4,
	BHLAB_COND_RECORDED = 5,
	BHLAB_COND_STARTED = 6,
};

/**
 * DOC: Events
 *
 * What happens to items is recorded in the lab's ring: one sub-ring for each
 * possible CPU, written by that CPU alone, without a lock. A full sub-ring
 * overwrites its oldest records, so handlers never wait for readers.
 *
 * read() gives whole records, sorted by time within one call, and moves the
 * lab's one cursor: concurrent readers get different records. A buffer shorter
 * than one record is EINVAL. With nothing to give it sleeps until the watermark
 * of records is there, and so does poll() for POLLIN. Independent readers map
 * the ring: mmap() of the file, read only (a writable mapping is EPERM) and
 * MAP_SHARED, at offset 0 (else EINVAL), of &bhlab_ring_setup.out_map_size
 * bytes or less.
 *
 * The sub-ring of CPU c is at c * &bhlab_ring_setup.out_stride: a page with
 * struct bhlab_ring_head, and from &bhlab_ring_setup.out_data_offset on its
 * records, a power of two of them. The record with sequence number s is at index
 * (s - 1) & (records - 1). To read it: load its seq word (acquire), compare it
 * with s, copy the record, load seq again after a read barrier, compare again.
 * If either differs the record is overwritten, and lost. Sequence numbers
 * start at 1 and wrap at 32 bits; while a record is being written its seq word
 * is one that belongs to no slot of that index. To sleep until there is more,
 * a reader of the mapping waits for BHLAB_COND_RECORDED; poll() is about the
 * lab's cursor, which the mapping does not move.
 */

/**
 * struct bhlab_ring_head - the first page of a sub-ring
 * @seq: sequence number of the newest complete record; 0 if there is none
 * @cpu: the CPU that writes here
 */
struct bhlab_ring_head {
	__u32 seq;
	__u32 cpu;
};

/**
 * struct bhlab_ring_setup - BHLAB_IOC_RING
 * @size: sizeof(struct bhlab_ring_setup)
 * @flags: BHLAB_RING_*; 0: only query
 * @records: in, with BHLAB_RING_RECORDS: how many records each sub-ring is to
 *	hold, a power of two (EINVAL), at least a page of them; out: how many
 *	it holds. EBUSY once the ring is in use: an item was created, a record
 *	was read or polled for, or the ring was mapped. ENOSPC: more than
 *	&bhlab_info.out_ring_bytes for all CPUs together. The memory, with 24
 *	bytes a record where records may hide a task, counts against
 *	&bhlab_info.out_user_ring_bytes when the ring is used first, up to the
 *	end of the lab: that is what fails with ENOSPC then, and poll() answers
 *	POLLERR
 * @watermark: in, with BHLAB_RING_WATERMARK: how many unread records wake a
 *	poller, 1 (the default) to @records; out: as it is now
 * @out_cpus: the number of sub-rings
 * @out_stride: distance in bytes from one sub-ring to the next
 * @out_data_offset: bytes from the start of a sub-ring to its first record
 * @out_record_size: sizeof(struct bhlab_event)
 * @out_map_size: size of the whole mapping
 * @out_recorded: records that were ever written
 * @out_read: of these, how many read() has returned
 * @out_lost: of these, how many were overwritten before read() came to them;
 *	recorded = read + lost + unread, for each moment in which nothing runs
 */
struct bhlab_ring_setup {
	__u32 size;
	__u32 flags;
	__u32 records;
	__u32 watermark;
	__u32 out_cpus;
	__u32 out_stride;
	__u32 out_data_offset;
	__u32 out_record_size;
	__aligned_u64 out_map_size;
	__aligned_u64 out_recorded;
	__aligned_u64 out_read;
	__aligned_u64 out_lost;
};

#define BHLAB_RING_RECORDS	(1U << 0)
#define BHLAB_RING_WATERMARK	(1U << 1)

/**
 * enum bhlab_event_kind - what a record tells
 * @BHLAB_EVENT_RUN: a program ran, from its queueing to its end
 * @BHLAB_EVENT_QUEUED: an activation was accepted; only with BHLAB_ITEM_QUEUED
 * @BHLAB_EVENT_COALESCED: an activation was answered already-pending
 * @BHLAB_EVENT_EXPIRED: a delay that the driver itself keeps was over
 * @BHLAB_EVENT_MARK: a MARK step, @value is its value
 * @BHLAB_EVENT_CANCELLED: an activation was cancelled; queued_ns and queue_cpu
 *	are its
 * @BHLAB_EVENT_DISABLED: disabled, @value is the depth now
 * @BHLAB_EVENT_ENABLED: enabled, @value is the depth now
 * @BHLAB_EVENT_DROPPED: a PUSH step found no room for @value entries
 */
enum bhlab_event_kind {
	BHLAB_EVENT_RUN = 1,
	BHLAB_EVENT_QUEUED = 2,
	BHLAB_EVENT_COALESCED = 3,
	BHLAB_EVENT_EXPIRED = 4,
	BHLAB_EVENT_MARK = 5,
	BHLAB_EVENT_CANCELLED = 6,
	BHLAB_EVENT_DISABLED = 7,
	BHLAB_EVENT_ENABLED = 8,
	BHLAB_EVENT_DROPPED = 9,
};

/**
 * enum bhlab_stage - which program of an item a record is about
 * @BHLAB_STAGE_MAIN: its only one
 * @BHLAB_STAGE_TOP: the top half of an irq
 * @BHLAB_STAGE_THREAD: the thread of an irq
 */
enum bhlab_stage {
	BHLAB_STAGE_MAIN = 0,
	BHLAB_STAGE_TOP = 1,
	BHLAB_STAGE_THREAD = 2,
};

/**
 * struct bhlab_event - one record
 * @seq: its sequence number in the sub-ring of @ring_cpu
 * @kind: enum bhlab_event_kind
 * @mech: enum bhlab_mech
 * @stage: enum bhlab_stage
 * @zero: 0
 * @item: id of the item
 * @lab: number of the lab
 * @cookie: the item's
 * @queued_ns: when the activation was accepted; for a thread, when the top
 *	half asked for it
 * @started_ns: when the kernel called the handler, which then runs the program;
 *	for other kinds than RUN, when it happened
 * @finished_ns: when the program ended; for other kinds as @started_ns
 * @value: what the kind says; of RUN, how many times it requeued itself before
 * @pid: the task that was current, as the opener's PID namespace numbers it; 0
 *	if it is not there, as kernel threads are not in a child namespace
 * @nth: RUN, MARK, DROPPED: the nth run of this item and stage, from 1; else 0
 * @queue_cpu: the CPU that queued it; BHLAB_CPU_NONE when that is not known
 * @cpu: the CPU that it started, or happened, on
 * @ring_cpu: the CPU that recorded it
 * @context: BHLAB_CTX_*, when it started or happened
 * @softirq_queued: bits of the pending softirqs after it was queued, on the
 *	queueing CPU, 1 << the number of the vector
 * @softirq_started: the same when it started, on @cpu
 * @skipped: steps that were skipped, at most 65535
 * @flags: BHLAB_EVENT_F_*
 * @comm: the current task's name, terminated; "-" if it is not the lab's affair
 * @data: the item's payload
 *
 * queued_ns <= started_ns <= finished_ns, always.
 *
 * Kernel threads are named always. A task of a user's is named if whoever opened
 * the lab had CAP_PERFMON in the initial user namespace then, or if it has his
 * real uid and is in his PID namespace; else @pid is 0 and @comm "-". What netlink
 * sends to who has CAP_NET_ADMIN in the initial user namespace names all, and
 * numbers them as the initial PID namespace does.
 */
struct bhlab_event {
	__u32 seq;
	__u8 kind;
	__u8 mech;
	__u8 stage;
	__u8 zero;
	__u32 item;
	__u32 lab;
	__aligned_u64 cookie;
	__aligned_u64 queued_ns;
	__aligned_u64 started_ns;
	__aligned_u64 finished_ns;
	__aligned_u64 value;
	__u32 pid;
	__u32 nth;
	__u16 queue_cpu;
	__u16 cpu;
	__u16 ring_cpu;
	__u16 context;
	__u16 softirq_queued;
	__u16 softirq_started;
	__u16 skipped;
	__u16 flags;
	char comm[16];
	char data[BHLAB_DATA_LEN];
};

#define BHLAB_CPU_NONE		0xffff

/* Where a program runs. One of the first three is set in every record. */
#define BHLAB_CTX_TASK		(1U << 0)	/* process context */
#define BHLAB_CTX_SOFTIRQ	(1U << 1)	/* serving a softirq */
#define BHLAB_CTX_HARDIRQ	(1U << 2)	/* in a hard interrupt */
#define BHLAB_CTX_BH_OFF	(1U << 3)	/* bottom halves disabled */
#define BHLAB_CTX_IRQ_OFF	(1U << 4)	/* interrupts disabled */
#define BHLAB_CTX_PREEMPTIBLE	(1U << 5)	/* may be preempted */
#define BHLAB_CTX_KSOFTIRQD	(1U << 6)	/* current is ksoftirqd */

/* Why steps were skipped, and what else there is to know of a run. */
#define BHLAB_EVENT_F_GONE	(1U << 0)	/* a target did not exist */
#define BHLAB_EVENT_F_REFUSED	(1U << 1)	/* a target must not be queued:
						 * wrong mechanism, disabled
						 * tasklet, CPU offline,
						 * queue draining
						 */
#define BHLAB_EVENT_F_CHAIN	(1U << 2)	/* the lab's chain has ended */
#define BHLAB_EVENT_F_THROTTLED	(1U << 3)	/* the CPU's budget, or the
						 * user's share of it, is spent
						 */
#define BHLAB_EVENT_F_DYING	(1U << 4)	/* the item or lab is going away */
#define BHLAB_EVENT_F_HELD	(1U << 5)	/* it slept until the CPU's budget, or
						 * the user's share of it, was there
						 */

#define BHLAB_IOC_INFO		_IO(BHLAB_IOC_MAGIC, BHLAB_NR_INFO)
#define BHLAB_IOC_MECH		_IO(BHLAB_IOC_MAGIC, BHLAB_NR_MECH)
#define BHLAB_IOC_RING		_IO(BHLAB_IOC_MAGIC, BHLAB_NR_RING)
#define BHLAB_IOC_ITEM_CREATE	_IO(BHLAB_IOC_MAGIC, BHLAB_NR_ITEM_CREATE)
#define BHLAB_IOC_ITEM_STATE	_IO(BHLAB_IOC_MAGIC, BHLAB_NR_ITEM_STATE)
#define BHLAB_IOC_ITEM_PROGRAM	_IO(BHLAB_IOC_MAGIC, BHLAB_NR_ITEM_PROGRAM)
#define BHLAB_IOC_LOOKUP	_IO(BHLAB_IOC_MAGIC, BHLAB_NR_LOOKUP)
#define BHLAB_IOC_NEXT		_IO(BHLAB_IOC_MAGIC, BHLAB_NR_NEXT)
#define BHLAB_IOC_DESTROY	_IO(BHLAB_IOC_MAGIC, BHLAB_NR_DESTROY)
#define BHLAB_IOC_QUEUE		_IO(BHLAB_IOC_MAGIC, BHLAB_NR_QUEUE)
#define BHLAB_IOC_DELAY		_IO(BHLAB_IOC_MAGIC, BHLAB_NR_DELAY)
#define BHLAB_IOC_CANCEL	_IO(BHLAB_IOC_MAGIC, BHLAB_NR_CANCEL)
#define BHLAB_IOC_FLUSH		_IO(BHLAB_IOC_MAGIC, BHLAB_NR_FLUSH)
#define BHLAB_IOC_DISABLE	_IO(BHLAB_IOC_MAGIC, BHLAB_NR_DISABLE)
#define BHLAB_IOC_ENABLE	_IO(BHLAB_IOC_MAGIC, BHLAB_NR_ENABLE)
#define BHLAB_IOC_TRIGGER	_IO(BHLAB_IOC_MAGIC, BHLAB_NR_TRIGGER)
#define BHLAB_IOC_DRAIN		_IO(BHLAB_IOC_MAGIC, BHLAB_NR_DRAIN)
#define BHLAB_IOC_WAIT		_IO(BHLAB_IOC_MAGIC, BHLAB_NR_WAIT)
#define BHLAB_IOC_BATCH		_IO(BHLAB_IOC_MAGIC, BHLAB_NR_BATCH)
#define BHLAB_IOC_QUEUE_CREATE	_IO(BHLAB_IOC_MAGIC, BHLAB_NR_QUEUE_CREATE)
#define BHLAB_IOC_QUEUE_STATE	_IO(BHLAB_IOC_MAGIC, BHLAB_NR_QUEUE_STATE)
#define BHLAB_IOC_LOCK_CREATE	_IO(BHLAB_IOC_MAGIC, BHLAB_NR_LOCK_CREATE)
#define BHLAB_IOC_LOCK_STATE	_IO(BHLAB_IOC_MAGIC, BHLAB_NR_LOCK_STATE)
#define BHLAB_IOC_FIFO_CREATE	_IO(BHLAB_IOC_MAGIC, BHLAB_NR_FIFO_CREATE)
#define BHLAB_IOC_FIFO_STATE	_IO(BHLAB_IOC_MAGIC, BHLAB_NR_FIFO_STATE)

#endif /* _UAPI_LINUX_BHLAB_H */
