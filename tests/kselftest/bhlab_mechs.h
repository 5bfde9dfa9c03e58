/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests know of each mechanism: one row for each, in the order of enum
 * bhlab_mech. A test takes its mechanisms from here, by what they can do: a new
 * one is a row, and then all tests try it that fit.
 *
 * X(name, mechanism, context, activation, disabled, attributes, ...)
 *
 * context	the strictest that its programs are written for
 * activation	TRIGGER for a line; QUEUE; ON_QUEUE for a workqueue that each
 *		activation can name
 * disabled	NEVER; or what an activation does meanwhile: it is REFUSED, or WAITS;
 *		ONCE: refused, and the kernel's call does not nest
 * attributes	the flags of struct bhlab_item_create that it takes
 */
#ifndef BHLAB_MECHS_H
#define BHLAB_MECHS_H

#define BH_ROWS(X, ...)									\
	X(work, BHLAB_MECH_WORK, TASK, ON_QUEUE, REFUSED,				\
	  BHLAB_ITEM_STATIC, __VA_ARGS__)						\
	X(tasklet, BHLAB_MECH_TASKLET, SOFTIRQ, QUEUE, WAITS,				\
	  BHLAB_ITEM_STATIC, __VA_ARGS__)						\
	X(tasklet_hi, BHLAB_MECH_TASKLET_HI, SOFTIRQ, QUEUE, WAITS,			\
	  BHLAB_ITEM_STATIC, __VA_ARGS__)						\
	X(irq, BHLAB_MECH_IRQ, HARDIRQ, TRIGGER, WAITS,					\
	  BHLAB_ITEM_ONESHOT, __VA_ARGS__)						\
	X(irq_work, BHLAB_MECH_IRQ_WORK, HARDIRQ, QUEUE, NEVER,				\
	  BHLAB_ITEM_HARD | BHLAB_ITEM_LAZY, __VA_ARGS__)				\
	X(timer, BHLAB_MECH_TIMER, SOFTIRQ, QUEUE, NEVER,				\
	  BHLAB_ITEM_IRQSAFE | BHLAB_ITEM_PINNED, __VA_ARGS__)				\
	X(hrtimer, BHLAB_MECH_HRTIMER, HARDIRQ, QUEUE, NEVER,				\
	  BHLAB_ITEM_HARD | BHLAB_ITEM_PINNED, __VA_ARGS__)				\
	X(hrtimer_soft, BHLAB_MECH_HRTIMER_SOFT, SOFTIRQ, QUEUE, NEVER,			\
	  BHLAB_ITEM_PINNED, __VA_ARGS__)						\
	X(kthread_work, BHLAB_MECH_KTHREAD_WORK, TASK, QUEUE, NEVER,			\
	  0, __VA_ARGS__)								\
	X(rcu, BHLAB_MECH_RCU, SOFTIRQ, QUEUE, NEVER,					\
	  0, __VA_ARGS__)								\
	X(rcu_work, BHLAB_MECH_RCU_WORK, TASK, ON_QUEUE, NEVER,				\
	  0, __VA_ARGS__)								\
	X(irq_poll, BHLAB_MECH_IRQ_POLL, SOFTIRQ, QUEUE, ONCE,				\
	  0, __VA_ARGS__)								\
	X(csd, BHLAB_MECH_CSD, HARDIRQ, QUEUE, NEVER,					\
	  0, __VA_ARGS__)								\
	X(srcu, BHLAB_MECH_SRCU, SOFTIRQ, QUEUE, NEVER,					\
	  0, __VA_ARGS__)

#define _BH_YES(...)		__VA_ARGS__
#define _BH_NO(...)

/* V(name, mechanism, what comes after V) for each mechanism, or for some. */
#define BH_ALL(V, ...)		BH_ROWS(_BH_ALL, V, __VA_ARGS__)
#define _BH_ALL(_name, _mech, _context, _by, _disabled, _attrs, V, ...)			\
	V(_name, _mech, __VA_ARGS__)

/* Written for process context. */
#define BH_IN_TASK(V, ...)	BH_ROWS(_BH_IN_TASK, V, __VA_ARGS__)
#define _BH_IN_TASK(_name, _mech, _context, _by, _disabled, _attrs, V, ...)		\
	_BH_TASK_##_context(V(_name, _mech, __VA_ARGS__))
#define _BH_TASK_TASK		_BH_YES
#define _BH_TASK_SOFTIRQ	_BH_NO
#define _BH_TASK_HARDIRQ	_BH_NO

/* Written for a context that must not sleep. */
#define BH_IN_ATOMIC(V, ...)	BH_ROWS(_BH_IN_ATOMIC, V, __VA_ARGS__)
#define _BH_IN_ATOMIC(_name, _mech, _context, _by, _disabled, _attrs, V, ...)		\
	_BH_ATOMIC_##_context(V(_name, _mech, __VA_ARGS__))
#define _BH_ATOMIC_TASK		_BH_NO
#define _BH_ATOMIC_SOFTIRQ	_BH_YES
#define _BH_ATOMIC_HARDIRQ	_BH_YES

/* Activated by QUEUE, and by themselves. */
#define BH_BY_QUEUE(V, ...)	BH_ROWS(_BH_BY_QUEUE, V, __VA_ARGS__)
#define _BH_BY_QUEUE(_name, _mech, _context, _by, _disabled, _attrs, V, ...)		\
	_BH_QUEUE_##_by(V(_name, _mech, __VA_ARGS__))
#define _BH_QUEUE_TRIGGER	_BH_NO
#define _BH_QUEUE_QUEUE		_BH_YES
#define _BH_QUEUE_ON_QUEUE	_BH_YES

/* Both: those that spin where nothing else runs, and queue themselves. */
#define BH_HOGS(V, ...)		BH_ROWS(_BH_HOGS, V, __VA_ARGS__)
#define _BH_HOGS(_name, _mech, _context, _by, _disabled, _attrs, V, ...)		\
	_BH_ATOMIC_##_context(_BH_QUEUE_##_by(V(_name, _mech, __VA_ARGS__)))

/* Not on a workqueue. */
#define BH_OFF_QUEUES(V, ...)	BH_ROWS(_BH_OFF_QUEUES, V, __VA_ARGS__)
#define _BH_OFF_QUEUES(_name, _mech, _context, _by, _disabled, _attrs, V, ...)		\
	_BH_OFF_##_by(V(_name, _mech, __VA_ARGS__))
#define _BH_OFF_TRIGGER		_BH_YES
#define _BH_OFF_QUEUE		_BH_YES
#define _BH_OFF_ON_QUEUE	_BH_NO

/* With a program that can sleep: the thread of a line is one. */
#define BH_THAT_SLEEP(V, ...)	BH_ROWS(_BH_THAT_SLEEP, V, __VA_ARGS__)
#define _BH_THAT_SLEEP(_name, _mech, _context, _by, _disabled, _attrs, V, ...)		\
	_BH_SLEEP_##_by(_context)(V(_name, _mech, __VA_ARGS__))
#define _BH_SLEEP_TRIGGER(_context)	_BH_YES
#define _BH_SLEEP_QUEUE(_context)	_BH_TASK_##_context
#define _BH_SLEEP_ON_QUEUE(_context)	_BH_TASK_##_context

/* With DISABLE and ENABLE. */
#define BH_THAT_DISABLE(V, ...)	BH_ROWS(_BH_THAT_DISABLE, V, __VA_ARGS__)
#define _BH_THAT_DISABLE(_name, _mech, _context, _by, _disabled, _attrs, V, ...)	\
	_BH_DISABLE_##_disabled(V(_name, _mech, __VA_ARGS__))
#define _BH_DISABLE_NEVER	_BH_NO
#define _BH_DISABLE_ONCE	_BH_NO
#define _BH_DISABLE_REFUSED	_BH_YES
#define _BH_DISABLE_WAITS	_BH_YES

/* Whose activations wait while they are disabled. */
#define BH_THAT_KEEP(V, ...)	BH_ROWS(_BH_THAT_KEEP, V, __VA_ARGS__)
#define _BH_THAT_KEEP(_name, _mech, _context, _by, _disabled, _attrs, V, ...)		\
	_BH_KEEP_##_disabled(V(_name, _mech, __VA_ARGS__))
#define _BH_KEEP_NEVER		_BH_NO
#define _BH_KEEP_ONCE		_BH_NO
#define _BH_KEEP_REFUSED	_BH_NO
#define _BH_KEEP_WAITS		_BH_YES

/* For lists of their numbers. */
#define BH_ID(_name, _mech, ...)	_mech,

#define _BH_ONE(...)			+ 1
enum { BH_NR_MECHS = 0 BH_ALL(_BH_ONE) };

#endif /* BHLAB_MECHS_H */
