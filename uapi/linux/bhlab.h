/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * bhlab: a laboratory for bottom halves. The contract between /dev/bhlab and
 * its users. Constants and layouts are the same for 32-bit and 64-bit programs.
 */
#ifndef _UAPI_LINUX_BHLAB_H
#define _UAPI_LINUX_BHLAB_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: The shape of the interface
 *
 * One open of /dev/bhlab is a *lab*. The lab owns every object created through
 * it. When the last reference to the open file (a descriptor, a mapping, a
 * descriptor in an unread message) is dropped, the driver cancels, stops and
 * frees every object of the lab, and waits until that is done. A lab cannot name
 * an object of another lab.
 *
 * An *item* is one deferrable function: a mechanism of the kernel (a work
 * item, a tasklet, an interrupt line, ...), the *program* that it runs, and its
 * counters. The other objects are *queues* (workqueues), *locks* and *FIFOs*.
 * Ids are positive. A lab never uses an id twice.
 *
 * Every ioctl is _IO(BHLAB_IOC_MAGIC, nr) on a structure whose first field is
 * its size in bytes, as the caller knows it. The kernel accepts a structure that
 * is longer than its own if the rest is zero. It accepts a shorter one if that
 * has at least the size of its first version, and takes the missing fields as
 * zero. On success the kernel writes back the fields that both sides know, and
 * zeroes the rest of the caller's structure. DESTROY writes nothing back.
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
 * EOPNOTSUPP: an unknown flag, a non-zero reserved field, a field that this
 * verb does not use and that is not zero, an unknown mechanism, flow, step or
 * condition; a verb that the item's mechanism does not have; or an attribute of
 * a queue that this kernel does not have.
 *
 * ENOENT: no object of the wanted kind has this id or name in this lab.
 *
 * E2BIG: a name or payload that is not terminated within its field, or more
 * steps than the limit.
 *
 * EINVAL: a value outside its range, a step that the program's context does
 * not allow (a sleep in atomic context, a step that only top halves have),
 * brackets that do not match, attributes that exclude each other, enable without
 * disable, a count of zero, a period that is too short or too long.
 *
 * ENODEV: the CPU does not exist, or is offline.
 *
 * EDEADLK: a program that would wait for itself, see "Waits" below.
 *
 * EPERM: a value or a combination that needs a capability, see the verb; flush
 * or drain of one of the kernel's own queues; or BHLAB_ACT_QUEUE between such a
 * queue and another.
 *
 * EFAULT: an array that the structure points to is not readable or writable.
 * The driver reads the steps now, and checks them one after the other. It checks
 * each in the order above, its time included.
 *
 * EEXIST: the name is taken, perhaps by an object that is still being destroyed.
 *
 * ENOSPC: a limit (a module parameter) is reached: of the user or of all users,
 * see "Users" below; or on the total time of the lab's programs in process
 * context.
 *
 * EOVERFLOW: disabled BHLAB_DISABLE_DEPTH_MAX times already.
 *
 * EBUSY: the object is in use, or in a state in which the call would wait
 * forever.
 *
 * EINTR, ETIMEDOUT: a signal interrupted a wait, or its time is over. The
 * interruptible waits are read(), WAIT, and FLUSH where the kernel has no flush.
 * Only a signal that has a handler without SA_RESTART ends them. After any other
 * signal, and after a stop, the freezer or a debugger, the call continues. The
 * same holds for a verb that waits for the budget; it has not done anything yet.
 *
 * EAGAIN: the workqueue is draining; or read() found no record, and the file
 * is non-blocking.
 *
 * ENOMEM: no memory.
 *
 * EFAULT at the end: the structure was writable when the call began, and no
 * longer is. A call that creates something (LOOKUP with BHLAB_LOOKUP_RESERVE,
 * too) has then created nothing. The effect of a verb remains.
 */

/**
 * DOC: Users
 *
 * The user of a lab is the opener of the device, even if another process has
 * the descriptor later. All labs of a user, and all objects in them, count
 * against the limits of one user that &struct bhlab_info reports. An object stops
 * counting when it is freed, a lab when it has ended.
 *
 * Everything that may hold a kernel thread counts as a thread:
 *
 * - a kthread_work item;
 * - an irq with a thread; any irq where interrupts are handled in threads
 *   (BHLAB_FEATURE_THREADIRQS);
 * - a queue with MEM_RECLAIM, LEGACY or SINGLETHREAD, which has a rescuer;
 * - a work or rcu_work item that is not on a BH queue and whose program sleeps,
 *   takes a mutex (on RT, any lock), or spins for more than
 *   &bhlab_info.out_atomic_ns in total.
 *
 * Such a work or rcu_work item on one of the system's queues also counts as a
 * system sleeper, since all other users of that queue have to wait for it. A user
 * may have only &bhlab_info.out_max_sleepers of them. Queues of the lab have no
 * such limit.
 *
 * A user is a real uid. An opener in a user namespace counts as the user who
 * created that namespace. All users together may have &bhlab_info.out_users
 * times as much as one user. ENOSPC: one of the two limits is reached; open()
 * also fails with it.
 *
 * An opener with CAP_SYS_ADMIN is another user than an opener with the same uid
 * and without CAP_SYS_ADMIN. It has limits of the same size, but does not count
 * towards the limits of all users, and these do not apply to it.
 */

#define BHLAB_IOC_MAGIC		0xBF

/* docs/uapi.md says which parts may change, and which never do. */
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
 * @BHLAB_NR_INFO: describe this driver and kernel
 * @BHLAB_NR_MECH: describe one mechanism on this kernel
 * @BHLAB_NR_RING: set up and query the event ring
 * @BHLAB_NR_ITEM_CREATE: create an item
 * @BHLAB_NR_ITEM_STATE: read an item's counters and flags
 * @BHLAB_NR_ITEM_PROGRAM: read an item's program back
 * @BHLAB_NR_LOOKUP: find the id of a name
 * @BHLAB_NR_NEXT: find the next object after an id
 * @BHLAB_NR_DESTROY: stop and free an object
 * @BHLAB_NR_QUEUE: activate an item now
 * @BHLAB_NR_DELAY: activate an item after a time
 * @BHLAB_NR_CANCEL: cancel a pending activation
 * @BHLAB_NR_FLUSH: wait for the last activation
 * @BHLAB_NR_DISABLE: prevent an item from running
 * @BHLAB_NR_ENABLE: undo one DISABLE
 * @BHLAB_NR_TRIGGER: raise an interrupt line
 * @BHLAB_NR_DRAIN: wait until a queue stays empty
 * @BHLAB_NR_WAIT: wait for a condition of an item
 * @BHLAB_NR_BATCH: carry out many verbs in one call
 * @BHLAB_NR_QUEUE_CREATE: create a workqueue
 * @BHLAB_NR_QUEUE_STATE: read a workqueue's attributes and counters
 * @BHLAB_NR_LOCK_CREATE: create a lock
 * @BHLAB_NR_LOCK_STATE: read a lock's attributes and counters
 * @BHLAB_NR_FIFO_CREATE: create a bounded FIFO
 * @BHLAB_NR_FIFO_STATE: read a FIFO's level and counters
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
 * enum bhlab_mech - how an item is activated, and thus where it runs
 * @BHLAB_MECH_WORK: a delayed_work on a workqueue; runs in a kworker, on a BH
 *	queue in a softirq
 * @BHLAB_MECH_TASKLET: a tasklet; runs in TASKLET_SOFTIRQ
 * @BHLAB_MECH_TASKLET_HI: the same, scheduled high; runs in HI_SOFTIRQ
 * @BHLAB_MECH_IRQ: an interrupt line, see enum bhlab_flow; its top half runs in
 *	hardirq context, its thread, if it has one, in irq/N
 * @BHLAB_MECH_IRQ_WORK: an irq_work; runs in hardirq context, on RT without
 *	BHLAB_ITEM_HARD in irq_work/N
 * @BHLAB_MECH_TIMER: a timer_list; runs in TIMER_SOFTIRQ, not before the next tick
 * @BHLAB_MECH_HRTIMER: an hrtimer; runs in hardirq context, on RT without
 *	BHLAB_ITEM_HARD in HRTIMER_SOFTIRQ
 * @BHLAB_MECH_HRTIMER_SOFT: an hrtimer that asks for HRTIMER_SOFTIRQ
 * @BHLAB_MECH_KTHREAD_WORK: a kthread_delayed_work on a kthread_worker of its
 *	own; runs in that worker's thread
 * @BHLAB_MECH_RCU: an rcu_head; runs after a grace period, in RCU_SOFTIRQ or in
 *	one of RCU's threads
 * @BHLAB_MECH_RCU_WORK: an rcu_work; runs in a kworker after a grace period
 * @BHLAB_MECH_IRQ_POLL: an irq_poll; runs in IRQ_POLL_SOFTIRQ, with a weight
 * @BHLAB_MECH_CSD: a call_single_data_t; runs in hardirq context on another CPU, or
 *	in the idle task there, with interrupts off
 * @BHLAB_MECH_SRCU: an rcu_head for call_srcu() on an srcu_struct of its own; runs
 *	in a kworker, with bottom halves off
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
	BHLAB_MECH_IRQ_POLL = 12,
	BHLAB_MECH_CSD = 13,
	BHLAB_MECH_SRCU = 14,
};

/**
 * enum bhlab_flow - the controller and the flow handler of an irq's line
 * @BHLAB_FLOW_SIM: irq_sim and handle_simple_irq(). The controller knows neither
 *	masking nor acknowledging in its flow, and cannot tell what became of a
 *	raise
 * @BHLAB_FLOW_SIMPLE: the driver's controller and handle_simple_irq(): as SIM,
 *	but it counts what is lost
 * @BHLAB_FLOW_EDGE: the driver's controller and handle_edge_irq(). An edge that
 *	comes while the handler runs is noted and replayed; the line is masked
 *	until then
 * @BHLAB_FLOW_LEVEL: the driver's controller and handle_level_irq(). TRIGGER
 *	raises the line, and it stays asserted until it is deasserted. It is
 *	masked while its handler runs; if it is still asserted when it is
 *	unmasked, the controller raises the interrupt again
 * @BHLAB_FLOW_FASTEOI: the driver's controller and handle_fasteoi_irq(). The
 *	controller keeps what comes between an interrupt and its end (EOI)
 *
 * The driver's controller keeps one raise of a line that is masked or waits for
 * its EOI. If an interrupt was noted on a disabled line, it raises it again when
 * that line is enabled. A level line that nobody deasserts is raised again and
 * again; while the budget of the CPU is spent, the controller holds it back until
 * the next window.
 */
enum bhlab_flow {
	BHLAB_FLOW_SIM = 0,
	BHLAB_FLOW_SIMPLE = 1,
	BHLAB_FLOW_EDGE = 2,
	BHLAB_FLOW_LEVEL = 3,
	BHLAB_FLOW_FASTEOI = 4,
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
 * @BHLAB_VERB_DRAIN: BHLAB_IOC_DRAIN; for queues only
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
 * @BHLAB_OP_SPIN: be busy for @arg ns; with BHLAB_STEP_RANGE for up to @target ns
 *	more
 * @BHLAB_OP_SLEEP: sleep for @arg ns, or until the lab ends; process context
 *	only
 * @BHLAB_OP_QUEUE: queue the item @target
 * @BHLAB_OP_DELAY: activate the item @target in @arg ns; with BHLAB_STEP_MOD a
 *	pending activation gets the new delay
 * @BHLAB_OP_TRIGGER: raise the line of the item @target
 * @BHLAB_OP_REQUEUE: queue the item itself again, up to @arg times for each
 *	activation that came from elsewhere; 0: without a limit. Not for an irq
 * @BHLAB_OP_MARK: record an event of kind MARK with @arg as its value
 * @BHLAB_OP_THREAD: wake the irq's thread on return; only in the top half of an
 *	item with BHLAB_ITEM_THREAD
 * @BHLAB_OP_NONE: return IRQ_NONE: the interrupt was not ours. Top half only;
 *	needs CAP_SYS_ADMIN, since the kernel disables a line after too many of
 *	them
 * @BHLAB_OP_CANCEL: cancel the item @target, without waiting for its handler;
 *	skipped where the kernel has no such call. With BHLAB_STEP_SYNC wait for
 *	its handler, too
 * @BHLAB_OP_DISABLE: disable the item @target, without waiting for its handler;
 *	with BHLAB_STEP_SYNC wait for it
 * @BHLAB_OP_ENABLE: enable the item @target
 * @BHLAB_OP_LOCK: take the lock @target, until the UNLOCK of the same lock
 * @BHLAB_OP_UNLOCK: release the lock @target
 * @BHLAB_OP_BH_OFF: disable bottom halves, until BH_ON; process context only
 * @BHLAB_OP_BH_ON: enable them again; pending softirqs run here
 * @BHLAB_OP_IRQ_OFF: disable interrupts, until IRQ_ON; not in hardirq context
 * @BHLAB_OP_IRQ_ON: enable them again
 * @BHLAB_OP_PUSH: push @arg entries into the FIFO @target; entries that do not
 *	fit are dropped, and recorded as DROPPED
 * @BHLAB_OP_POP: pop up to @arg entries from the FIFO @target, 0: all. The POPs of
 *	a poll program together take no more than its weight
 * @BHLAB_OP_FLUSH: end the delay of the item @target, and wait for its last
 *	activation; or wait for everything that is on the queue @target. Not for
 *	an irq
 * @BHLAB_OP_DRAIN: wait until the queue @target is empty, as DRAIN does
 * @BHLAB_OP_WAIT: wait until the item @target is idle. Not for an irq
 * @BHLAB_OP_SYNCHRONIZE_RCU: synchronize_rcu()
 * @BHLAB_OP_SYNCHRONIZE_IRQ: wait until no handler of the irq @target runs
 * @BHLAB_OP_EVERY: the next step is for each @arg-th run only, 1 to 4294967295
 * @BHLAB_OP_CHANCE: the next step is for @arg of 100 runs only, 1 to 100
 * @BHLAB_OP_COMPLETE: tell the kernel that the poll is complete, so that it can be
 *	activated again. If the run has popped as many entries as its weight, the
 *	program ends here instead, and the kernel polls again. Poll programs only,
 *	and not in a bracket
 * @BHLAB_OP_RCU: rcu_read_lock(): grace periods wait until RCU_END
 * @BHLAB_OP_RCU_END: rcu_read_unlock()
 * @BHLAB_OP_DEASSERT: deassert the line of the item @target, which has
 *	BHLAB_FLOW_LEVEL: what a driver does when it serves its device
 *
 * A step that cannot be carried out when its turn comes is skipped: its target
 * is gone or must not be queued now, or no time is left for it. The run's record
 * counts the skipped steps, and says why. A bracket is skipped with all steps in
 * it; it is never left open.
 *
 * EVERY and CHANCE are prefixes of a step, and each other's; both have to agree.
 * The step must not close a bracket. A step that they leave out does not count as
 * skipped; of a bracket, all steps in it are left out. Which runs CHANCE selects,
 * and how long a SPIN with BHLAB_STEP_RANGE takes, is random, but the same in each
 * lab for the same id, cookie, number of the run, and place of the step.
 *
 * SPIN is measured in wall-clock time, even if other tasks get the CPU meanwhile.
 * Time for which a program is held (see "Time" below) does not count.
 *
 * Brackets (LOCK to UNLOCK, BH_OFF to BH_ON, IRQ_OFF to IRQ_ON, RCU to RCU_END) are
 * nested, and are closed within the program. The rules inside of brackets are:
 *
 * - no SLEEP, unless all open brackets are mutexes;
 * - locks are taken in the order in which they were created, and mutexes before
 *   spin locks;
 * - no spin lock inside of a spin lock for a stricter context;
 * - no lock and no BH_OFF inside of IRQ_OFF;
 * - no BH_OFF inside of a spin lock for hardirq context;
 * - no RCU inside of RCU;
 * - no lock in a csd, in items with BHLAB_ITEM_HARD or BHLAB_ITEM_IRQSAFE, and in the
 *   top half of those with BHLAB_ITEM_ONESHOT, since a spin lock sleeps on RT.
 *
 * A program that breaks one of these rules is EINVAL.
 *
 * DOC: Waits
 *
 * FLUSH, DRAIN, WAIT, SYNCHRONIZE_*, and CANCEL and DISABLE with BHLAB_STEP_SYNC
 * wait. They are for process context, and count as sleeping: where a program
 * must not SLEEP, it must not wait.
 *
 * SYNCHRONIZE_RCU is the kernel's call. For each other step the driver waits
 * itself, for its own counters, since nothing can end the kernel's wait. So a run
 * has ended for the waiter shortly before its handler has returned. Each such
 * wait ends when the item that waits, its target, or the lab ends. All waits of
 * one run together take at most &bhlab_info.out_process_ns, which the lab's time
 * contains; then the step, and all later ones that wait, are skipped, as LATE.
 * What such a step did before it waited remains.
 *
 * A step that could never end, since what it waits for waits for it, is skipped,
 * as DEADLOCK. That is a wait of an item for itself; a wait that closes a cycle of
 * such waits; a wait for a pending item whose queue is full of items that wait
 * for this one; a wait for a pending item that takes a mutex that is held here;
 * FLUSH and DRAIN of the queue that the item runs on; and LOCK of a mutex whose
 * holder waits for this item. What the program alone tells is refused when it is
 * created (EDEADLK): an item that waits for itself or for its own queue, or for an
 * existing item that takes a mutex that is held here.
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
	BHLAB_OP_FLUSH = 21,
	BHLAB_OP_DRAIN = 22,
	BHLAB_OP_WAIT = 23,
	BHLAB_OP_SYNCHRONIZE_RCU = 24,
	BHLAB_OP_SYNCHRONIZE_IRQ = 25,
	BHLAB_OP_EVERY = 26,
	BHLAB_OP_CHANCE = 27,
	BHLAB_OP_COMPLETE = 28,
	BHLAB_OP_RCU = 29,
	BHLAB_OP_RCU_END = 30,
	BHLAB_OP_DEASSERT = 31,
};

/* struct bhlab_step.flags: @cpu is valid; for QUEUE, and DELAY of work, timers, csd. */
#define BHLAB_STEP_CPU		(1U << 0)
/* CANCEL, DISABLE: wait for a running handler. */
#define BHLAB_STEP_SYNC		(1U << 1)
/* DELAY: replace the delay of a pending activation. */
#define BHLAB_STEP_MOD		(1U << 2)
/* SPIN: @target is valid: nanoseconds. */
#define BHLAB_STEP_RANGE	(1U << 3)

/**
 * struct bhlab_step - one step of a program
 * @op: enum bhlab_op
 * @target: id of an item, queue, lock or FIFO, for the steps that have one; with
 *	BHLAB_STEP_RANGE nanoseconds; else 0. An item, or a queue, is looked up
 *	when the step runs, so it need not exist yet. A lock or FIFO must exist
 *	when the program is created (ENOENT), and cannot be destroyed while a
 *	program names it
 * @arg: the argument of @op, else 0
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
 * @BHLAB_WHY_SHAPE: the step or a flag of it is unknown, or a field that the
 *	step does not use is not zero (EOPNOTSUPP)
 * @BHLAB_WHY_OBJECT: the lab has no such lock or FIFO (ENOENT)
 * @BHLAB_WHY_MECHANISM: programs of this kind do not have this step: THREAD and
 *	NONE are for the top half of an irq, REQUEUE is not for an irq, COMPLETE is
 *	for poll programs (EINVAL)
 * @BHLAB_WHY_CONTEXT: the context that the program is written for forbids the
 *	step. That is BHLAB_CTX_TASK for a thread, BHLAB_CTX_SOFTIRQ on a BH
 *	queue, else &bhlab_mech_info.out_written_for (EINVAL)
 * @BHLAB_WHY_TARGET: the step names no item or queue (EINVAL)
 * @BHLAB_WHY_ARG: the argument of the step is outside its range (EINVAL)
 * @BHLAB_WHY_CPU: the CPU that the step names does not exist (ENODEV)
 * @BHLAB_WHY_THREAD: the irq has no thread, see BHLAB_ITEM_THREAD (EINVAL)
 * @BHLAB_WHY_CAPABILITY: the step needs CAP_SYS_ADMIN (EPERM)
 * @BHLAB_WHY_SLEEP: the step sleeps or waits, and an open bracket is not a mutex
 *	(EINVAL)
 * @BHLAB_WHY_PROCESS_TIME: the steps up to this one take longer than
 *	&bhlab_info.out_process_ns (EINVAL)
 * @BHLAB_WHY_ATOMIC_TIME: the steps up to this one spin longer in atomic context
 *	than &bhlab_info.out_atomic_cap_ns (EINVAL)
 * @BHLAB_WHY_ATOMIC_CAPABILITY: the steps up to this one spin longer in atomic
 *	context than &bhlab_info.out_atomic_ns, which needs CAP_SYS_ADMIN (EPERM)
 * @BHLAB_WHY_NO_LOCKS: items with BHLAB_ITEM_HARD or BHLAB_ITEM_IRQSAFE, and the
 *	top half of those with BHLAB_ITEM_ONESHOT, take no lock (EINVAL)
 * @BHLAB_WHY_LOCK_CONTEXT: the context of the lock is less strict than the
 *	program's (EINVAL)
 * @BHLAB_WHY_NESTING: the bracket must not be opened inside of a bracket that is
 *	open here, and COMPLETE inside of none (EINVAL)
 * @BHLAB_WHY_NOT_LAST: the step does not close the bracket that was opened last,
 *	or no bracket is open (EINVAL)
 * @BHLAB_WHY_NOT_CLOSED: the step opens a bracket that is never closed (EINVAL)
 * @BHLAB_WHY_LENGTH: the step is the first beyond &bhlab_info.out_max_steps
 *	(E2BIG)
 * @BHLAB_WHY_LAB_TIME: with this program, the lab's programs in process context
 *	take longer than &bhlab_info.out_lab_ns; no step is to blame (ENOSPC)
 * @BHLAB_WHY_DEADLOCK: the step waits for its own item, for the queue that its
 *	item names, or for an item that takes a mutex that is held here (EDEADLK)
 * @BHLAB_WHY_PREFIX: the step closes a bracket after EVERY or CHANCE, or is one of
 *	these at the end of the program (EINVAL)
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
	BHLAB_WHY_DEADLOCK = 21,
	BHLAB_WHY_PREFIX = 22,
};

/**
 * struct bhlab_info - BHLAB_IOC_INFO
 * @size: sizeof(struct bhlab_info)
 * @flags: must be 0
 * @out_abi: BHLAB_ABI_VERSION of the driver
 * @out_mechs: number of mechanisms; their ids are 1 to this number
 * @out_features: BHLAB_FEATURE_* bits
 * @out_lab: the number of this lab, unique while it lives
 * @out_cpus: number of possible CPUs
 * @out_max_items: items and other objects that one user may have, in all labs of
 *	that user (module parameter items)
 * @out_max_irqs: interrupt lines among these (irqs)
 * @out_max_steps: steps of one program (steps)
 * @out_atomic_ns: time that one run may spin in atomic context (atomic_ns)
 * @out_atomic_cap_ns: the same, with CAP_SYS_ADMIN (atomic_cap_ns)
 * @out_process_ns: time that one run may take in process context (process_ns)
 * @out_max_chain: activations that steps may make after the last one that user
 *	space made (chain)
 * @out_lab_ns: total time of the programs in process context of one lab, if each
 *	runs once (lab_ns)
 * @out_period_ns: the shortest period of a trigger (period_ns)
 * @out_max_queues: workqueues that one user may have (queues)
 * @out_max_threads: kernel threads that one user's objects may hold, see "Users"
 *	(threads)
 * @out_max_locks: locks that one lab may create during its lifetime
 * @out_max_fifos: FIFOs that one user may have (fifos)
 * @out_max_active: the largest max_active of a workqueue on this kernel
 * @out_budget: percentage of each BHLAB_BUDGET_NS of a CPU that handlers in atomic
 *	context and in real-time threads may use (budget_percent)
 * @out_max_labs: labs that one user may have open (labs)
 * @out_users: all users together, without those with CAP_SYS_ADMIN, may have this
 *	many times as much as one user (users)
 * @out_max_sleepers: system sleepers that one user may have, see "Users"
 *	(system_sleepers)
 * @out_ring_bytes: size of the records of one lab's ring, see struct
 *	bhlab_ring_setup (ring_bytes)
 * @out_user_ring_bytes: size of all rings of one user, including their heads and
 *	the names that their records hide (user_ring_bytes)
 * @out_kernel: the kernel that the driver was built for, NUL-terminated
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
 * However many runs there are, other tasks make progress: a budget and a share
 * limit the time of handlers. Both are per CPU, and per window of
 * BHLAB_BUDGET_NS. Time beyond the limit is charged to the following windows, up
 * to nine of them.
 *
 * The *budget* (module parameter budget_percent) is charged for
 *
 * - everything that runs in atomic context, in the thread of an irq or at
 *   real-time priority, from the handler's start to its end, plus the kernel's
 *   own overhead around it;
 * - brackets in process context. A mutex is one of them, since a more urgent task
 *   may wait for it.
 *
 * All labs of all users share one budget. While it is spent on a CPU,
 *
 * - all steps of such handlers are skipped there, except steps that close an open
 *   bracket; BHLAB_EVENT_F_THROTTLED and &bhlab_item_state.out_throttled report
 *   it;
 * - the driver's own delays, and triggers with a period, wait; so does a level line
 *   that is still asserted when its handler has returned;
 * - QUEUE, DELAY and TRIGGER of an item whose handler is charged to the budget
 *   wait for at most a second before they activate it. EINTR: a signal came
 *   meanwhile. A batch stops before that verb;
 * - programs in process context are *held*: they sleep for at most a second
 *   before they open a bracket or activate such an item. BHLAB_EVENT_F_HELD
 *   reports it. If the budget is still spent after that, the bracket is opened
 *   all the same, but the activation is skipped, as THROTTLED.
 *
 * The *share* (process_percent) is charged for all other programs in process
 * context that were created without CAP_SYS_ADMIN, since kworkers and kthreads
 * run outside of their user's cgroup and nice value. Each user has one. While it
 * is spent on a CPU, such a program is held, too, before its next step or during
 * a SPIN. At most 16 such programs of a user, and 64 of all users, are held at a
 * time; the steps of further ones are skipped, as THROTTLED.
 *
 * No program is held inside of brackets. A program is no longer held when its
 * item or lab ends. Verbs that no signal can end (FLUSH, DRAIN, and verbs with
 * BHLAB_ACT_SYNC) have to wait for programs that are held: once they have waited
 * for more than ten seconds in a lab, its programs skip steps instead.
 */

/* The window of the budget and of the share of each CPU. */
#define BHLAB_BUDGET_NS		100000000

/* The lines are simulated by the kernel's irq_sim, not by the driver's own. */
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
 * @out_native: verbs that are a call of the kernel, 1 << enum bhlab_verb; 0: this
 *	kernel does not have the mechanism, and to create an item is EOPNOTSUPP
 * @out_emulated: verbs that the driver emulates, since the kernel has no such
 *	call; verbs in neither mask are EOPNOTSUPP
 * @out_steps: steps that the program of an item may have, 1 << enum bhlab_op
 * @out_thread_steps: steps that its thread's program may have; 0: no thread
 * @out_context: BHLAB_CTX_* of the context in which the program runs on this
 *	kernel, as it was booted: one of TASK, SOFTIRQ, HARDIRQ
 * @out_attrs: BHLAB_ITEM_HARD, _LAZY, _IRQSAFE, _PINNED, _STATIC, _ONESHOT: those
 *	that its items may have
 * @out_written_for: the context that programs are written for: the strictest in
 *	which they run on any kernel. PREEMPT_RT and threadirqs move handlers to
 *	threads, but do not allow them more steps
 * @out_name: its name, NUL-terminated
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
 * @queue: work, rcu_work: the workqueue, one of BHLAB_QUEUE_* or the id of a
 *	queue of the lab; 0 is the system's per-CPU queue. Other mechanisms: 0.
 *	BHLAB_QUEUE_HIGHPRI, whose workers run at nice -20, needs CAP_SYS_NICE
 *	(EPERM).
 *	The program of an item on a BH queue runs in atomic context. A queue
 *	cannot be destroyed while an item names it
 * @cpu: with BHLAB_ITEM_CPU the CPU on which the item is queued or triggered
 *	when the verb names none, else 0
 * @nr_steps: length of @steps
 * @nr_thread_steps: length of @thread_steps
 * @out_id: the item's id; left as it was after a refusal
 * @steps: address of an array of struct bhlab_step, the program; for an irq,
 *	of its top half
 * @thread_steps: the same for the thread of an irq, with BHLAB_ITEM_THREAD
 * @cookie: any value; every record of the item contains it
 * @name: unique in the lab
 * @data: the payload, terminated and padded with zeros; every RUN record of the
 *	item contains it
 * @nice: kthread_work: nice value of its thread, -20 to 19; else 0. Below 0
 *	needs CAP_SYS_NICE (EPERM)
 * @priority: kthread_work: SCHED_FIFO priority of its thread, 1 to 99, with
 *	CAP_SYS_NICE (EPERM), and @nice 0; else 0
 * @out_why: enum bhlab_program_why if a program was refused; 0 on success, and
 *	if the refusal has another cause. The first checks (of the structure's
 *	size, and of the flags) write nothing when they fail, so set it to 0
 * @out_step: with @out_why the index of the step, from 0: the program's steps
 *	first, then the thread's; 0 if no step is to blame
 * @weight: irq_poll: how many entries one run may pop, 1 to BHLAB_WEIGHT_MAX; 0:
 *	BHLAB_WEIGHT_MAX. Other mechanisms: 0
 * @flow: irq: enum bhlab_flow; other mechanisms: 0
 * @period_ns: hrtimer, hrtimer_soft: once it is queued it expires again and again,
 *	this time after it was to expire before, until it is cancelled or the lab's
 *	chain ends; at least &bhlab_info.out_period_ns, and twice as long as its
 *	program spins (EINVAL). 0: it expires once. Other mechanisms: 0
 *
 * A program that spins longer than &bhlab_info.out_atomic_ns in atomic context,
 * with bottom halves or interrupts off, with a lock held or at real-time priority
 * needs CAP_SYS_ADMIN (EPERM); above &bhlab_info.out_atomic_cap_ns it is EINVAL.
 * A program that spins and sleeps longer than &bhlab_info.out_process_ns in
 * process context is EINVAL. ENOSPC: the lab's programs in process context
 * together take longer than &bhlab_info.out_lab_ns, where one that waits takes
 * &bhlab_info.out_process_ns more. That limit bounds how long a flush or a close
 * waits.
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
	__u32 weight;
	__u32 flow;
	__aligned_u64 period_ns;
};

#define BHLAB_WEIGHT_MAX	64

/* @cpu is valid. */
#define BHLAB_ITEM_CPU		(1U << 0)
/* The irq has a thread, which runs @thread_steps (possibly none). */
#define BHLAB_ITEM_THREAD	(1U << 1)
/* Record QUEUED events too; a RUN record carries the same times later. */
#define BHLAB_ITEM_QUEUED	(1U << 2)
/* irq_work, hrtimer: run in hardirq context on RT too. */
#define BHLAB_ITEM_HARD		(1U << 3)
/* irq_work: wait for the next tick. */
#define BHLAB_ITEM_LAZY		(1U << 4)
/* timer: run with interrupts off (TIMER_IRQSAFE). */
#define BHLAB_ITEM_IRQSAFE	(1U << 5)
/* timer, hrtimer, hrtimer_soft: expire on the CPU that started the timer. */
#define BHLAB_ITEM_PINNED	(1U << 6)
/*
 * work, tasklet, tasklet_hi: use the one instance of struct delayed_work, or of
 * struct tasklet_struct, that the module declares statically. EBUSY: another
 * item uses it. EINVAL: on a BH queue.
 */
#define BHLAB_ITEM_STATIC	(1U << 7)
/*
 * irq: IRQF_ONESHOT: a line whose flow masks stays masked until the thread has
 * returned. EINVAL: without BHLAB_ITEM_THREAD. The kernel then does not move the
 * top half to a thread, on RT either.
 */
#define BHLAB_ITEM_ONESHOT	(1U << 8)

/* The kernel's own workqueues; they cannot be flushed or drained. */
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
 * @out_queue: as created; never 0 for a work item
 * @out_cpu: as created
 * @out_state: BHLAB_STATE_* bits
 * @out_depth: how many times it is disabled
 * @out_irq: the number of an irq's line, as in /proc/interrupts
 * @out_nr_steps: length of its program
 * @out_nr_thread_steps: length of its thread's program
 * @out_accepted: activations that were accepted; for an irq, raises of its line
 * @out_coalesced: activations that returned ALREADY_PENDING
 * @out_refused: activations that returned DISABLED
 * @out_runs: runs that started; for an irq, runs of its top half
 * @out_cancelled: activations that were cancelled
 * @out_merged: irq: raises that share a run with another raise. With
 *	BHLAB_FLOW_SIM also those that got no run, since irq_sim cannot tell
 *	which they are
 * @out_outstanding: activations that have neither run nor been cancelled, merged
 *	or lost yet, so that always
 *	accepted = runs + cancelled + merged + lost + outstanding.
 *	It is 0 at rest
 * @out_thread_wakes: irq: top halves that woke the thread
 * @out_thread_runs: irq: runs of the thread that started
 * @out_thread_merged: irq: wakes that share a run of the thread with another
 *	wake; at rest thread_wakes = thread_runs + thread_merged
 * @out_skipped: steps that were skipped
 * @out_throttled: runs in which steps were skipped because the CPU's budget, or
 *	the user's share, was spent
 * @out_expired: delays of the driver's own that expired
 * @out_period_ns: irq: the period of the active trigger, else 0; hrtimer: the period
 *	while it is active, else 0
 * @out_period_left: irq: how often the active trigger will still raise the line
 * @out_period_missed: irq: periods in which a trigger was too late to raise the
 *	line; it does not raise the line later instead. hrtimer: periods in which it
 *	did not expire, since it was too late or the CPU's budget was spent
 * @out_cookie: as created
 * @out_name: as created
 * @out_data: as created
 * @out_nice: as created
 * @out_priority: as created
 * @out_weight: its weight; 0 if it has none
 * @out_flow: as created
 * @out_lost: irq: raises that got no run, not even another raise's: the handler
 *	was running, and the flow handler dropped the interrupt; or a level
 *	line was deasserted while its interrupt was on the way. With
 *	BHLAB_FLOW_SIM it is 0: such raises are in @out_merged
 * @out_latched: irq: raises that the driver's controller kept, since the line was
 *	masked, or waited for its EOI; 0 with BHLAB_FLOW_SIM
 * @out_replayed: irq: raises that the flow handler noted, since the handler was
 *	running or the line was disabled, and handled later; 0 with
 *	BHLAB_FLOW_SIM
 * @out_repeated: irq: the part of @out_accepted that the driver's controller
 *	raised itself, since the line was still asserted; 0 unless
 *	BHLAB_FLOW_LEVEL
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
	__u32 out_weight;
	__u32 out_flow;
	__aligned_u64 out_lost;
	__aligned_u64 out_latched;
	__aligned_u64 out_replayed;
	__aligned_u64 out_repeated;
};

/* An activation was accepted, and its run has not started. */
#define BHLAB_STATE_PENDING	(1U << 0)
/* Pending, and still waiting for its delay. */
#define BHLAB_STATE_DELAYED	(1U << 1)
/* The program runs (of an irq, the top half's or the thread's). */
#define BHLAB_STATE_RUNNING	(1U << 2)
/* Disabled at least once more than enabled. */
#define BHLAB_STATE_DISABLED	(1U << 3)
/* A trigger with a period is active, or an hrtimer with one. */
#define BHLAB_STATE_PERIODIC	(1U << 4)
/* The level line is asserted. */
#define BHLAB_STATE_ASSERTED	(1U << 5)
/* The driver's controller has masked the line. */
#define BHLAB_STATE_MASKED	(1U << 6)

/**
 * struct bhlab_item_program - BHLAB_IOC_ITEM_PROGRAM
 * @size: sizeof(struct bhlab_item_program)
 * @flags: must be 0
 * @id: the item
 * @thread: 0: its program; 1: its thread's
 * @nr_steps: in: how many steps fit at @steps; out: length of the program. Steps
 *	that do not fit are not written
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
 * @BHLAB_KIND_RESERVED: a name to which BHLAB_LOOKUP_RESERVE gave an id, and for
 *	which no object exists yet
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
 * @flags: LOOKUP: BHLAB_LOOKUP_*; NEXT: must be 0
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
 * Give the name an id if it has none, so that a program can name an item before
 * it is created. The item then gets this id. Until then the name counts as an
 * item.
 */
#define BHLAB_LOOKUP_RESERVE	(1U << 0)

/**
 * struct bhlab_destroy - BHLAB_IOC_DESTROY
 * @size: sizeof(struct bhlab_destroy)
 * @flags: must be 0
 * @id: the object
 * @reserved: must be 0
 *
 * Cancels the pending activation, waits until no handler of the item runs on any
 * queue, and frees the object. Calls in other threads that name it, a second
 * DESTROY among them, end with ENOENT. When this returns, the name is free.
 * Nothing of the structure is written back. EBUSY: a disabled tasklet that is
 * scheduled, since tasklet_kill() would wait forever; a queue that an item names
 * or has an activation on; a lock or FIFO that a program names.
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
 * @max_active: how many of its items may run at a time on one CPU (for an
 *	unbound queue, in total); 0: the kernel's default
 * @out_id: the queue's id
 * @name: unique in the lab
 *
 * Exactly one of PERCPU, UNBOUND, BH, ORDERED, LEGACY and SINGLETHREAD is set:
 *
 * - with BH only HIGHPRI may be added, and no max_active;
 * - with ORDERED only HIGHPRI, FREEZABLE and MEM_RECLAIM, and no max_active;
 * - with LEGACY and SINGLETHREAD nothing;
 * - with UNBOUND not CPU_INTENSIVE, which the kernel would ignore.
 *
 * max_active is at most &bhlab_info.out_max_active. EINVAL otherwise. BH is
 * EOPNOTSUPP on a kernel without BH workqueues. HIGHPRI without BH needs
 * CAP_SYS_NICE (EPERM), since the workers of such a queue run at nice -20.
 */
struct bhlab_queue_create {
	__u32 size;
	__u32 flags;
	__u32 max_active;
	__u32 out_id;
	char name[BHLAB_NAME_LEN];
};

/* alloc_workqueue() with WQ_PERCPU; on kernels without it, without WQ_UNBOUND */
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
/* WQ_HIGHPRI, WQ_FREEZABLE, WQ_MEM_RECLAIM, WQ_CPU_INTENSIVE, in addition */
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
 * @out_active: activations that hold it: delayed, pending or running
 * @out_draining: 1 while it is being drained, else 0
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
 * @context: the strictest context in which it is taken. A spin lock is taken by
 *	spin_lock() for BHLAB_CTX_TASK; by spin_lock_bh(), in process context,
 *	for BHLAB_CTX_SOFTIRQ; by spin_lock_irqsave() for BHLAB_CTX_HARDIRQ. A
 *	mutex is for TASK
 * @out_id: the lock's id
 * @reserved: must be 0
 * @name: unique in the lab
 *
 * A program may take a lock whose context is at least as strict as its own
 * (EINVAL). The context of a program is TASK in the thread of an irq, SOFTIRQ on
 * a BH queue, else &bhlab_mech_info.out_written_for. A program that takes a mutex
 * must be allowed to sleep. Each lock of a lab has its own lockdep class.
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
 * @out_programs: number of LOCK steps, in all programs, that name it
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
 * @depth: how many entries it can hold, 1 to BHLAB_FIFO_MAX
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
 * @out_highest: the highest level so far
 * @out_programs: number of steps, in all programs, that name it
 * @reserved: must be 0
 * @out_pushed: entries that were pushed; always pushed = popped + level
 * @out_popped: entries that were popped
 * @out_dropped: entries that did not fit
 * @out_missed: entries that a POP asked for and did not get
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
 * @id: the item; FLUSH: an item or a queue; DRAIN: a queue
 * @cpu: with BHLAB_ACT_CPU the CPU to queue or trigger on, else 0
 * @queue: with BHLAB_ACT_QUEUE the workqueue to use this time, else 0
 * @count: TRIGGER: how often to raise the line, 1 to BHLAB_TRIGGER_MAX; with
 *	BHLAB_ACT_DEASSERT, and otherwise, 0
 * @ns: DELAY: 0 to BHLAB_NS_MAX; TRIGGER with BHLAB_ACT_PERIOD: the period; else
 *	0
 * @out_result: enum bhlab_result
 * @out_flags: BHLAB_OUT_*
 * @out_depth: DISABLE, ENABLE: how many times it is disabled now
 * @out_count: TRIGGER: for how many raises the pending bit was clear before; with
 *	BHLAB_ACT_DEASSERT 1 if the line was asserted, else 0
 *
 * QUEUE: activate the item: QUEUED, ALREADY_PENDING or DISABLED. If the kernel's
 * call returns a boolean, the result is that boolean. EPERM: a tasklet that is
 * disabled, without CAP_SYS_ADMIN, since the kernel spins in the softirq until
 * the tasklet is enabled.
 *
 * DELAY: activate the item after @ns, with the results of QUEUE. The first delay
 * wins. With BHLAB_ACT_MOD a pending activation is kept and gets the new delay:
 * MODIFIED, or QUEUED if none was pending. The result is ALREADY_PENDING if a
 * delay of the driver's own has expired already, since the kernel cannot return
 * the activation. While another call waits with BHLAB_ACT_SYNC, the kernel
 * accepts no work and no kthread_work: ALREADY_PENDING, although none is pending.
 *
 * QUEUE and DELAY are EAGAIN on a queue that is draining, and ENOENT on one that
 * is being destroyed. EBUSY: so many runs of a work item are about to start on
 * several queues that the driver cannot account for another one.
 *
 * With BHLAB_ACT_QUEUE an item moves between the queues of its lab. EINVAL: from
 * a BH queue to another kind of queue, or the other way round, since lockdep
 * reports a work item that runs in a softirq as well as in a thread. EPERM: one
 * of the two queues is the kernel's own, since the driver could not wait for a
 * handler that runs there while the item is on another queue.
 *
 * CANCEL: cancel the pending activation: WAS_PENDING or IDLE. With BHLAB_ACT_SYNC
 * the call also waits for running handlers; BHLAB_OUT_WAITED reports that there
 * was one. For an irq, CANCEL clears the pending bit; EBUSY: a level line that is
 * asserted, since its device raises it. EOPNOTSUPP: a kthread_work
 * without BHLAB_ACT_SYNC, and any irq_work, rcu or rcu_work, since the kernel has
 * no such call. EBUSY: an interrupt that the kernel keeps in order to replay it
 * on a disabled line; without BHLAB_ACT_SYNC, an hrtimer that was queued again
 * while its function runs.
 *
 * FLUSH: wait for the last activation: WAITED or IDLE. A delay ends at once. If
 * the delayed item has run before the kernel's flush looks at it, the result is
 * IDLE. An activation that is cancelled, or gets a new delay, meanwhile is not
 * waited for any longer. EBUSY: pending and disabled. FLUSH of a queue waits for
 * everything that is on it now; always WAITED.
 *
 * DRAIN: wait until a queue is empty. Items on the queue may still queue on it,
 * and are waited for. Everything else is refused meanwhile: EAGAIN for a verb; a
 * step is skipped. EBUSY: an activation on the queue is delayed or waits for a
 * grace period; the kernel would WARN, and drop it. After ten times
 * &bhlab_info.out_process_ns even its own items cannot queue on it any more.
 * Always WAITED.
 *
 * DISABLE: IDLE; or WAS_PENDING for a work item whose pending activation the call
 * has cancelled. With BHLAB_ACT_SYNC it waits for a running handler. EPERM: a
 * tasklet that is scheduled, without CAP_SYS_ADMIN. The kernel's call for an
 * irq_poll waits for what is pending, and not for an enable: EBUSY if it would have
 * to wait without BHLAB_ACT_SYNC, or if the irq_poll is disabled already. WAS_PENDING:
 * it would have been polled again, having used up its weight, and is not.
 *
 * ENABLE: always IDLE. EINVAL: not disabled.
 *
 * TRIGGER: raise the line: QUEUED if the pending bit was clear at least once, else
 * ALREADY_PENDING. TRIGGER (and DELAY) activates an irq, QUEUE everything else.
 * With BHLAB_ACT_PERIOD the call returns QUEUED at once, and the line is raised
 * @count times, the first time after one period; CANCEL stops it. EBUSY: the line
 * has an active trigger already. EINVAL: a period below
 * &bhlab_info.out_period_ns, or a top half that spins for more than half of the
 * period.
 *
 * A csd is called on the CPU that is named, else on the next online one after the
 * caller's. To call one's own CPU is a function call for the kernel, and no bottom
 * half: a verb then calls from a kworker on another CPU; a step is skipped; a delay
 * that ends on that CPU, or finds it offline, calls another one. EOPNOTSUPP: no other
 * CPU is online.
 *
 * TRIGGER of a line with BHLAB_FLOW_LEVEL asserts it: ALREADY_PENDING if it was
 * asserted before. With BHLAB_ACT_DEASSERT it deasserts it: WAS_PENDING if that
 * took back an interrupt that had not been handled, which then counts as
 * cancelled, else IDLE. EOPNOTSUPP: BHLAB_ACT_DEASSERT with another flow or
 * another flag. A line that is asserted is not idle.
 *
 * With BHLAB_ACT_CPU the driver calls a mechanism whose kernel call takes no CPU
 * from a kworker on that CPU. Any CPU is allowed, since kworkers, timers and
 * softirqs ignore the caller's affinity and cpuset. The budget of that CPU, and
 * the user's share, limit the time of the handlers. On a CPU that is going offline,
 * a step that activates a tasklet, or on RT an irq_work without BHLAB_ITEM_HARD,
 * is skipped.
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
/* QUEUE, DELAY of work, rcu_work: @queue is valid, a queue of the lab. */
#define BHLAB_ACT_QUEUE		(1U << 1)
/* DELAY: replace the delay of a pending activation. */
#define BHLAB_ACT_MOD		(1U << 2)
/* CANCEL, DISABLE: wait for a running handler. */
#define BHLAB_ACT_SYNC		(1U << 3)
/* TRIGGER: raise the line repeatedly, @ns apart. */
#define BHLAB_ACT_PERIOD	(1U << 4)
/* TRIGGER of a level line: deassert it. */
#define BHLAB_ACT_DEASSERT	(1U << 5)

#define BHLAB_TRIGGER_MAX	1000000U

/**
 * enum bhlab_result - what a verb found and did
 * @BHLAB_RESULT_IDLE: nothing was pending, or there was nothing to do
 * @BHLAB_RESULT_QUEUED: the activation was accepted
 * @BHLAB_RESULT_ALREADY_PENDING: coalesced with the pending activation
 * @BHLAB_RESULT_DISABLED: the kernel refused it, since the item is disabled
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

/* The driver emulated this verb; the kernel has no such call. */
#define BHLAB_OUT_EMULATED	(1U << 0)
/* A handler was running, and finished before the call returned. */
#define BHLAB_OUT_WAITED	(1U << 1)

/**
 * struct bhlab_batch - BHLAB_IOC_BATCH
 * @size: sizeof(struct bhlab_batch)
 * @flags: BHLAB_BATCH_*
 * @count: number of entries, 1 to BHLAB_BATCH_MAX
 * @out_done: number of entries, from the first on, that were carried out or
 *	refused
 * @out_failed: number of these that were refused
 * @reserved: must be 0
 * @entries: address of an array of struct bhlab_batch_entry
 *
 * Carries out one verb after the other, as the ioctls would. Without
 * BHLAB_BATCH_ON it stops after the first verb that is refused. A signal also
 * stops it; an entry that was waiting interruptibly then counts as not done. The
 * entries from @out_done on are not changed. The call returns 0, whatever the
 * result of its entries.
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

/* Continue after an entry that is refused. */
#define BHLAB_BATCH_ON		(1U << 0)

#define BHLAB_BATCH_MAX		1024

/**
 * struct bhlab_batch_entry - one verb of a batch
 * @nr: the verb: BHLAB_NR_QUEUE to BHLAB_NR_DRAIN; ENOTTY beyond
 * @out_errno: 0, or the errno of the refusal
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
 * @id: the item; RECORDED: 0
 * @condition: enum bhlab_condition
 * @value: RUNS, STARTED, RECORDED: the number; else 0
 * @timeout_ns: in: 0 (do not wait) to BHLAB_NS_MAX; out: after EINTR, the time
 *	that was left, so that a restarted call waits for that time only
 *
 * EINTR: a signal. ETIMEDOUT: the time is over. ENOENT: the item was destroyed
 * meanwhile. The call may miss a condition that was true only for a moment. After
 * IDLE, and after RUNS of an item that is idle, the handler of a work or rcu_work
 * item that was on one queue only has also returned: if the item is queued again,
 * it is not bound to the worker that ran it.
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
 * enum bhlab_condition - the conditions of BHLAB_IOC_WAIT
 * @BHLAB_COND_IDLE: nothing is pending, and nothing is running
 * @BHLAB_COND_PENDING: an activation is pending
 * @BHLAB_COND_RUNNING: the program is running
 * @BHLAB_COND_RUNS: at least @value runs have finished since the item was created
 * @BHLAB_COND_RECORDED: &bhlab_ring_setup.out_recorded is at least @value
 * @BHLAB_COND_STARTED: at least @value runs have started since the item was
 *	created. Unlike RUNNING, the condition stays true, so a short run is not
 *	missed
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
 * The driver records what happens to items in the lab's ring. The ring has one
 * sub-ring for each possible CPU. Only that CPU writes to it, without a lock. A
 * full sub-ring overwrites its oldest records, so handlers never wait for
 * readers.
 *
 * read() returns whole records, sorted by time within one call. It moves the
 * lab's single cursor, so concurrent readers get different records. A buffer
 * that is shorter than one record is EINVAL. If there are no records, read()
 * sleeps until as many as the watermark are there. So does poll() for POLLIN.
 * Independent readers map the ring: mmap() of the file, read only (a writable
 * mapping is EPERM) and MAP_SHARED, at offset 0 (else EINVAL), of at most
 * &bhlab_ring_setup.out_map_size bytes.
 *
 * The sub-ring of CPU c is at c * &bhlab_ring_setup.out_stride. It begins with a
 * page that contains struct bhlab_ring_head. Its records, a power of two of them,
 * begin at &bhlab_ring_setup.out_data_offset. The record with sequence number s
 * is at index (s - 1) & (records - 1). To read it: load its seq word (acquire),
 * compare it with s, copy the record, load seq again after a read barrier,
 * compare again. If either differs, the record was overwritten, and is lost.
 * Sequence numbers start at 1 and wrap at 32 bits. While a record is being
 * written, its seq word has a value that belongs to no slot of that index. A
 * reader of the mapping that wants to sleep until there are more records waits
 * for BHLAB_COND_RECORDED. It cannot use poll(), which depends on the lab's
 * cursor; reading the mapping does not move that.
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
 * @records: in, with BHLAB_RING_RECORDS: how many records each sub-ring shall
 *	hold, a power of two (EINVAL), at least a page of them; out: how many
 *	it holds. EBUSY: the ring is in use already: an item was created, a
 *	record was read or polled for, or the ring was mapped. ENOSPC: more than
 *	&bhlab_info.out_ring_bytes for all CPUs together. From the first use of
 *	the ring to the end of the lab its memory counts against
 *	&bhlab_info.out_user_ring_bytes, with 24 bytes more for each record if
 *	records may hide a task. If that limit is reached, the first use
 *	fails with ENOSPC, and poll() returns POLLERR
 * @watermark: in, with BHLAB_RING_WATERMARK: how many unread records wake a
 *	poller, 1 (the default) to @records; out: the current value
 * @out_cpus: the number of sub-rings
 * @out_stride: distance in bytes from one sub-ring to the next
 * @out_data_offset: bytes from the start of a sub-ring to its first record
 * @out_record_size: sizeof(struct bhlab_event)
 * @out_map_size: size of the whole mapping
 * @out_recorded: number of records that were written so far
 * @out_read: number of these that read() has returned
 * @out_lost: number of these that were overwritten before read() reached them;
 *	recorded = read + lost + unread, while nothing runs
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
 * enum bhlab_event_kind - the kinds of records
 * @BHLAB_EVENT_RUN: a program ran, from its queueing to its end
 * @BHLAB_EVENT_QUEUED: an activation was accepted; only with BHLAB_ITEM_QUEUED
 * @BHLAB_EVENT_COALESCED: an activation returned ALREADY_PENDING
 * @BHLAB_EVENT_EXPIRED: a delay of the driver's own expired
 * @BHLAB_EVENT_MARK: a MARK step, @value is its value
 * @BHLAB_EVENT_CANCELLED: an activation was cancelled; queued_ns and queue_cpu
 *	are those of the activation
 * @BHLAB_EVENT_DISABLED: the item was disabled, @value is the new depth
 * @BHLAB_EVENT_ENABLED: the item was enabled, @value is the new depth
 * @BHLAB_EVENT_DROPPED: @value entries of a PUSH step did not fit
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
 * enum bhlab_stage - the program of an item that a record is about
 * @BHLAB_STAGE_MAIN: its only program
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
 * @cookie: the cookie of the item
 * @queued_ns: when the activation was accepted; for a thread, when the top half
 *	woke it
 * @started_ns: RUN: when the kernel called the handler, which then runs the
 *	program; other kinds: when the event happened
 * @finished_ns: RUN: when the program ended; other kinds: as @started_ns
 * @value: see the kind; RUN: how many times the item requeued itself before
 * @pid: the current task, as numbered in the opener's PID namespace; 0 if it is
 *	not visible there, as kernel threads are not in a child namespace
 * @nth: RUN, MARK, DROPPED: the nth run of this item and stage, from 1; else 0
 * @queue_cpu: the CPU that queued it; BHLAB_CPU_NONE if that is not known
 * @cpu: the CPU on which the run started, or the event happened
 * @ring_cpu: the CPU that recorded it
 * @context: BHLAB_CTX_*, when the run started, or the event happened
 * @softirq_queued: bit mask, 1 << the number of the vector: the softirqs that were
 *	pending on the queueing CPU after the activation was queued
 * @softirq_started: the same on @cpu, when the run started
 * @skipped: number of skipped steps, at most 65535
 * @flags: BHLAB_EVENT_F_*
 * @comm: the current task's name, NUL-terminated; "-" if it is hidden, see below
 * @data: the item's payload
 *
 * queued_ns <= started_ns <= finished_ns, always.
 *
 * Records always name kernel threads. They name a user's task if the opener of the
 * lab had CAP_PERFMON in the initial user namespace at open(), or if the task has
 * the opener's real uid and is in the opener's PID namespace. Otherwise @pid is 0
 * and @comm is "-". Netlink sends records to listeners with CAP_NET_ADMIN in the
 * initial user namespace; these name all tasks, as numbered in the initial PID
 * namespace.
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

/* Where a program runs. Exactly one of the first three is set in each record. */
#define BHLAB_CTX_TASK		(1U << 0)	/* process context */
#define BHLAB_CTX_SOFTIRQ	(1U << 1)	/* serving a softirq */
#define BHLAB_CTX_HARDIRQ	(1U << 2)	/* in a hard interrupt */
#define BHLAB_CTX_BH_OFF	(1U << 3)	/* bottom halves disabled */
#define BHLAB_CTX_IRQ_OFF	(1U << 4)	/* interrupts disabled */
#define BHLAB_CTX_PREEMPTIBLE	(1U << 5)	/* may be preempted */
#define BHLAB_CTX_KSOFTIRQD	(1U << 6)	/* current is ksoftirqd */

/* Why steps were skipped, and other properties of a run. */
#define BHLAB_EVENT_F_GONE	(1U << 0)	/* a target did not exist */
#define BHLAB_EVENT_F_REFUSED	(1U << 1)	/* a target must not be queued:
						 * wrong mechanism, disabled
						 * tasklet, CPU offline,
						 * queue draining
						 */
#define BHLAB_EVENT_F_CHAIN	(1U << 2)	/* the lab's chain is used up */
#define BHLAB_EVENT_F_THROTTLED	(1U << 3)	/* the CPU's budget, or the
						 * user's share, is spent
						 */
#define BHLAB_EVENT_F_DYING	(1U << 4)	/* the item or lab is going away */
#define BHLAB_EVENT_F_HELD	(1U << 5)	/* the program slept, since the CPU's
						 * budget, or the user's share, was
						 * spent
						 */
#define BHLAB_EVENT_F_DEADLOCK	(1U << 6)	/* it would wait for itself */
#define BHLAB_EVENT_F_LATE	(1U << 7)	/* a wait took too long */

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
