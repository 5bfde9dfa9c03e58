/* SPDX-License-Identifier: GPL-2.0-only */
/* The list of mechanisms, and the macros that use it. */
#ifndef BHLAB_MECH_LIST_H
#define BHLAB_MECH_LIST_H

/* Each has its enum bhlab_mech without the prefix, and its name. */
#define BHLAB_MECHS(M)							\
	M(WORK, work)							\
	M(TASKLET, tasklet)						\
	M(TASKLET_HI, tasklet_hi)					\
	M(IRQ, irq)							\
	M(IRQ_WORK, irq_work)						\
	M(TIMER, timer)							\
	M(HRTIMER, hrtimer)						\
	M(HRTIMER_SOFT, hrtimer_soft)					\
	M(KTHREAD_WORK, kthread_work)					\
	M(RCU, rcu)							\
	M(RCU_WORK, rcu_work)						\
	M(IRQ_POLL, irq_poll)						\
	M(CSD, csd)							\
	M(SRCU, srcu)

/* They are numbered from 1. */
#define BHLAB_MECH_ONE(_id, _name)	+ 1
#define BHLAB_NR_MECHS	(0 BHLAB_MECHS(BHLAB_MECH_ONE))

/* The bhlab_mech_ops of each, in a file of mech/. */
#define BHLAB_MECH_DECLARE(_id, _name)					\
	extern const struct bhlab_mech_ops bhlab_##_name##_ops;
#define BHLAB_MECH_ENTRY(_id, _name)					\
	[BHLAB_MECH_##_id] = { &bhlab_##_name##_ops, #_name },

/* For tracepoints: readers of the format need the numbers behind the names. */
#define BHLAB_MECH_DEFINE_ENUM(_id, _name)				\
	TRACE_DEFINE_ENUM(BHLAB_MECH_##_id);
#define BHLAB_MECH_SYMBOL(_id, _name)					\
	{ BHLAB_MECH_##_id, #_name },

#endif /* BHLAB_MECH_LIST_H */
