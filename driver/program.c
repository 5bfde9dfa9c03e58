// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs: handlers that are data. Checked when the item is made against the
 * context that they will run in; run by every mechanism in the same way.
 */
#include <linux/capability.h>
#include <linux/cpu.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "bhlab.h"
#include "limits.h"

/**
 * struct bhlab_program - a checked program
 * @nr: its length
 * @steps: as the user gave them
 */
struct bhlab_program {
	u32 nr;
	struct bhlab_step steps[];
};

#define BHLAB_OPS_ACTIVATING						\
	(BIT(BHLAB_OP_QUEUE) | BIT(BHLAB_OP_DELAY) |			\
	 BIT(BHLAB_OP_TRIGGER) | BIT(BHLAB_OP_REQUEUE) |		\
	 BIT(BHLAB_OP_THREAD))
#define BHLAB_OPS_TARGET						\
	(BIT(BHLAB_OP_QUEUE) | BIT(BHLAB_OP_DELAY) | BIT(BHLAB_OP_TRIGGER))
#define BHLAB_OPS_TIME							\
	(BIT(BHLAB_OP_SPIN) | BIT(BHLAB_OP_SLEEP) | BIT(BHLAB_OP_DELAY))
#define BHLAB_OPS_ARG							\
	(BHLAB_OPS_TIME | BIT(BHLAB_OP_REQUEUE) | BIT(BHLAB_OP_MARK))
#define BHLAB_OPS_CPU							\
	(BIT(BHLAB_OP_QUEUE) | BIT(BHLAB_OP_DELAY))

/* What a step is made of, whatever program it is in. */
static int bhlab_step_shape(const struct bhlab_step *s)
{
	u32 op;

	if (!s->op || s->op > BHLAB_OP_NONE || s->flags & ~BHLAB_STEP_CPU)
		return -EOPNOTSUPP;
	op = BIT(s->op);
	if ((s->target && !(op & BHLAB_OPS_TARGET)) ||
	    (s->arg && !(op & BHLAB_OPS_ARG)) ||
	    (s->flags & BHLAB_STEP_CPU && !(op & BHLAB_OPS_CPU)) ||
	    (s->cpu && !(s->flags & BHLAB_STEP_CPU)))
		return -EOPNOTSUPP;
	return 0;
}

static int bhlab_step_check(const struct bhlab_step *s, u32 allowed)
{
	int ret = bhlab_step_shape(s);

	if (ret)
		return ret;
	if (!(BIT(s->op) & allowed) ||
	    (!s->target && BIT(s->op) & BHLAB_OPS_TARGET) ||
	    (s->arg > BHLAB_NS_MAX && BIT(s->op) & BHLAB_OPS_TIME) ||
	    (s->arg > U32_MAX && s->op == BHLAB_OP_REQUEUE))
		return -EINVAL;
	if (s->flags & BHLAB_STEP_CPU &&
	    (s->cpu >= nr_cpu_ids || !cpu_possible(s->cpu)))
		return -ENODEV;
	if (s->op == BHLAB_OP_NONE && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	return 0;
}

/* Time of one run: busy in atomic context or at real-time priority, or all. */
static int bhlab_time_check(u64 busy, u64 total, bool atomic)
{
	if (total > bhlab_limits.process_ns)
		return -EINVAL;
	if (!atomic || busy <= bhlab_limits.atomic_ns)
		return 0;
	if (busy > bhlab_limits.atomic_cap_ns)
		return -EINVAL;
	return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

static int bhlab_program_check(const struct bhlab_program *p, u32 allowed,
			       bool atomic, u32 *bad)
{
	const struct bhlab_step *s;
	u64 busy = 0, total = 0;
	u32 i;
	int ret;

	for (i = 0; i < p->nr; i++) {
		s = &p->steps[i];
		*bad = i;
		ret = bhlab_step_check(s, allowed);
		if (ret)
			return ret;
		if (s->op == BHLAB_OP_SPIN)
			busy += s->arg;
		if (s->op == BHLAB_OP_SPIN || s->op == BHLAB_OP_SLEEP)
			total += s->arg;
		ret = bhlab_time_check(busy, total, atomic);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * Read and check one of the two programs of @cmd. When a step is refused, *bad
 * counts which, from 1, the thread's after the others.
 */
struct bhlab_program *bhlab_program_read(const struct bhlab_mech_ops *ops,
					 const struct bhlab_item_create *cmd,
					 bool thread, u32 *bad)
{
	u64 user = thread ? cmd->thread_steps : cmd->steps;
	u32 nr = thread ? cmd->nr_thread_steps : cmd->nr_steps;
	u32 allowed = thread ? ops->thread_steps : ops->steps;
	bool atomic = thread || !(allowed & BIT(BHLAB_OP_SLEEP));
	struct bhlab_program *p;
	u32 i;
	int ret;

	p = kzalloc(struct_size(p, steps, nr), GFP_KERNEL_ACCOUNT);
	if (!p)
		return ERR_PTR(-ENOMEM);
	p->nr = nr;
	if (copy_from_user(p->steps, u64_to_user_ptr(user),
			   array_size(nr, sizeof(*p->steps)))) {
		kfree(p);
		return ERR_PTR(-EFAULT);
	}
	ret = bhlab_program_check(p, allowed, atomic, &i);
	if (ret) {
		*bad = i + 1 + (thread ? cmd->nr_steps : 0);
		kfree(p);
		return ERR_PTR(ret);
	}
	return p;
}

u32 bhlab_program_len(const struct bhlab_program *program)
{
	return program->nr;
}

int bhlab_program_copy(const struct bhlab_program *program,
		       struct bhlab_item_program *cmd)
{
	u32 nr = min(cmd->nr_steps, program->nr);

	cmd->nr_steps = program->nr;
	if (copy_to_user(u64_to_user_ptr(cmd->steps), program->steps,
			 array_size(nr, sizeof(*program->steps))))
		return -EFAULT;
	return 0;
}

/*
 * May a step activate something? Each user activation lets steps make so many
 * more, whatever they activate in turn: so what a lab does ends when its users
 * do nothing any more.
 */
static bool bhlab_chain_ended(const struct bhlab_run *run)
{
	return atomic_dec_if_positive(&run->item->obj.lab->chain) < 0;
}

static bool bhlab_run_ended(const struct bhlab_run *run)
{
	return READ_ONCE(run->item->dead) ||
	       READ_ONCE(run->item->obj.lab->dying);
}

static void bhlab_skip(struct bhlab_run *run, u16 why)
{
	run->skipped++;
	run->flags |= why;
}

static void bhlab_spin(const struct bhlab_run *run, u64 ns)
{
	u64 start = ktime_get_mono_fast_ns();

	while (ktime_get_mono_fast_ns() - start < ns && !bhlab_run_ended(run))
		cpu_relax();
}

static void bhlab_sleep(struct bhlab_run *run, u64 ns)
{
	struct bhlab_lab *lab = run->item->obj.lab;
	u64 start = ktime_get_ns();

	wait_event_hrtimeout(lab->sleepers, READ_ONCE(lab->dying),
			     ns_to_ktime(ns));
	run->slept += ktime_get_ns() - start;
}

/* The verb that a step needs its target's mechanism to have. */
static u32 bhlab_step_verb(const struct bhlab_step *s)
{
	switch (s->op) {
	case BHLAB_OP_TRIGGER:
		return BHLAB_VERB_TRIGGER;
	case BHLAB_OP_DELAY:
		return BHLAB_VERB_DELAY;
	default:
		return BHLAB_VERB_QUEUE;
	}
}

/* Where to queue the target: the step's word, or the item's, or anywhere. */
static int bhlab_step_cpu(const struct bhlab_step *s,
			  const struct bhlab_item *target)
{
	if (target->ops->takes_cpu && s->flags & BHLAB_STEP_CPU)
		return s->cpu;
	if (target->ops->takes_cpu && target->flags & BHLAB_ITEM_CPU)
		return target->cpu;
	return WORK_CPU_UNBOUND;
}

/* What the target can not do; found when the step runs, as it may be new. */
static bool bhlab_step_fits(const struct bhlab_step *s,
			    const struct bhlab_item *target)
{
	u32 verbs = target->ops->native | target->ops->emulated;

	return verbs & BIT(bhlab_step_verb(s)) &&
	       (target->ops->takes_cpu || !(s->flags & BHLAB_STEP_CPU));
}

static int bhlab_step_activate(struct bhlab_run *run,
			       const struct bhlab_step *s,
			       struct bhlab_item *target)
{
	bool requeue = s->op == BHLAB_OP_REQUEUE;
	struct bhlab_activation act = {
		.wq = bhlab_queue_find(target->queue),
		.cpu = bhlab_step_cpu(s, target),
		.ns = requeue ? 0 : s->arg,
		.delay = s->op == BHLAB_OP_DELAY,
		.privileged = run->item->privileged,
		.requeues = requeue ? run->stamp.requeues + 1 : 0,
	};
	int ret = -ENODEV;

	if (!bhlab_step_fits(s, target))
		return -EOPNOTSUPP;
	if (act.cpu == WORK_CPU_UNBOUND)
		return bhlab_item_activate(target, &act);

	/* An online CPU stays online while preemption is off. */
	preempt_disable();
	if (cpu_online(act.cpu))
		ret = bhlab_item_activate(target, &act);
	preempt_enable();
	return ret;
}

static void bhlab_do_activate(struct bhlab_run *run, const struct bhlab_step *s)
{
	struct bhlab_item *target;
	int ret = -ENOENT;

	rcu_read_lock();
	target = s->op == BHLAB_OP_REQUEUE ? run->item :
		 bhlab_item_peek(run->item->obj.lab, s->target);
	if (target)
		ret = bhlab_step_activate(run, s, target);
	rcu_read_unlock();
	if (ret == -ENOENT)
		bhlab_skip(run, BHLAB_EVENT_F_GONE);
	else if (ret < 0)
		bhlab_skip(run, BHLAB_EVENT_F_REFUSED);
}

static void bhlab_step_run(struct bhlab_run *run, const struct bhlab_step *s)
{
	switch (s->op) {
	case BHLAB_OP_SPIN:
		bhlab_spin(run, s->arg);
		break;
	case BHLAB_OP_SLEEP:
		bhlab_sleep(run, s->arg);
		break;
	case BHLAB_OP_MARK:
		bhlab_record_mark(run, s->arg);
		break;
	case BHLAB_OP_THREAD:
		run->wake_thread = true;
		break;
	case BHLAB_OP_NONE:
		run->none = true;
		break;
	case BHLAB_OP_REQUEUE:
		if (s->arg && run->stamp.requeues >= s->arg)
			break;
		fallthrough;
	default:
		bhlab_do_activate(run, s);
	}
}

/* Runs that are charged to the CPU's budget; see bhlab_run_end(). */
static bool bhlab_run_throttled(const struct bhlab_run *run)
{
	return (run->stage != BHLAB_STAGE_MAIN ||
		!(run->context & BHLAB_CTX_TASK)) && bhlab_budget_spent();
}

void bhlab_program_run(struct bhlab_run *run)
{
	const struct bhlab_program *p = run->program;
	const struct bhlab_step *s;
	u32 activating;

	for (s = p->steps; s < p->steps + p->nr; s++) {
		activating = BIT(s->op) & BHLAB_OPS_ACTIVATING;
		if (bhlab_run_ended(run))
			bhlab_skip(run, BHLAB_EVENT_F_DYING);
		else if ((activating || s->op == BHLAB_OP_SPIN) &&
			 bhlab_run_throttled(run))
			bhlab_skip(run, BHLAB_EVENT_F_THROTTLED);
		else if (activating && bhlab_chain_ended(run))
			bhlab_skip(run, BHLAB_EVENT_F_CHAIN);
		else
			bhlab_step_run(run, s);
	}
}
