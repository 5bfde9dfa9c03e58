// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steps: what programs do when they run; every mechanism runs them in the same
 * way.
 */
#include <linux/bottom_half.h>
#include <linux/cpu.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "budget.h"
#include "fifo.h"
#include "item.h"
#include "lab.h"
#include "lock.h"
#include "object.h"
#include "program.h"
#include "queue.h"
#include "record.h"
#include "run.h"
#include "share.h"
#include "stamp.h"
#include "step.h"
#include "mech/mech.h"

#define BHLAB_OPS_ACTIVATING						\
	(BIT(BHLAB_OP_QUEUE) | BIT(BHLAB_OP_DELAY) |			\
	 BIT(BHLAB_OP_TRIGGER) | BIT(BHLAB_OP_REQUEUE) |		\
	 BIT(BHLAB_OP_THREAD))
#define BHLAB_OPS_OPEN							\
	(BIT(BHLAB_OP_LOCK) | BIT(BHLAB_OP_BH_OFF) | BIT(BHLAB_OP_IRQ_OFF))
#define BHLAB_OPS_CLOSE							\
	(BIT(BHLAB_OP_UNLOCK) | BIT(BHLAB_OP_BH_ON) | BIT(BHLAB_OP_IRQ_ON))

static bool bhlab_chain_ended(const struct bhlab_run *run)
{
	return atomic_dec_if_positive(&run->item->obj.lab->chain) < 0;
}

static void bhlab_skip(struct bhlab_run *run, u16 why)
{
	run->skipped++;
	run->flags |= why;
}

/*
 * What is spun for a user is charged to his share in slices. When others had the
 * CPU between one look at the clock and the next, that is not his.
 */
#define BHLAB_SLICE_NS		NSEC_PER_MSEC

static void bhlab_spin_slice(struct bhlab_run *run, u64 ns)
{
	unsigned long before = READ_ONCE(current->nivcsw), next;
	u64 start = ktime_get_mono_fast_ns(), last = start, now, used = 0;

	do {
		cpu_relax();
		next = READ_ONCE(current->nivcsw);
		now = ktime_get_mono_fast_ns();
		if (READ_ONCE(current->nivcsw) == before)
			used += now - last;
		before = next;
		last = now;
	} while (now - start < ns && !bhlab_run_ended(run));
	bhlab_share_charge(run->share, now, used);
	run->shared += now - start;
}

/* Does the CPU's budget pay for a step in process context, or what comes of it? */
static bool bhlab_step_charged(const struct bhlab_run *run,
			       const struct bhlab_step *s)
{
	struct bhlab_item *target;
	bool atomic;

	if (!s || !(BIT(s->op) & BHLAB_OPS_ACTIVATING))
		return s && BIT(s->op) & BHLAB_OPS_OPEN;
	rcu_read_lock();
	target = bhlab_item_peek(run->item->obj.lab, s->target);
	atomic = target && target->atomic;
	rcu_read_unlock();
	return atomic;
}

/* The longest that a program waits for the budget: others may always be faster. */
#define BHLAB_HOLD_NS		NSEC_PER_SEC

/* How long a program that sleeps since @start has to wait, before @s or in a spin. */
static u64 bhlab_hold_wait(const struct bhlab_run *run,
			   const struct bhlab_step *s, u64 start)
{
	u64 budget = bhlab_budget_wait_here();
	u64 share = run->share ? bhlab_share_wait(run->share) : 0;

	if (budget && (!bhlab_step_charged(run, s) ||
		       ktime_get_mono_fast_ns() - start > BHLAB_HOLD_NS))
		budget = 0;
	return min_t(u64, max(budget, share), BHLAB_BUDGET_NS);
}

/*
 * Sleep until there is a share, and a budget, again, on the CPU that the program
 * is on then, or the program ends. False if it must not sleep any more.
 */
static bool bhlab_hold(struct bhlab_run *run, const struct bhlab_step *s)
{
	struct bhlab_lab *lab = run->item->obj.lab;
	u64 start = ktime_get_mono_fast_ns();
	u64 wait = bhlab_hold_wait(run, s, start);
	bool held;

	if (!wait)
		return true;
	held = bhlab_share_enter(run->share);
	while (wait && held && !bhlab_run_ended(run)) {
		held = !bhlab_haste(&lab->haste);
		if (held)
			wait_event_idle_timeout(lab->sleepers, READ_ONCE(lab->dying),
						nsecs_to_jiffies(wait) + 1);
		wait = bhlab_hold_wait(run, s, start);
	}
	bhlab_share_leave(run->share);
	run->flags |= BHLAB_EVENT_F_HELD;
	run->slept += ktime_get_mono_fast_ns() - start;
	return held;
}

/* In process context: false if it must not go on, neither now nor later. */
static bool bhlab_may_go_on(struct bhlab_run *run, const struct bhlab_step *s)
{
	/* Who waits for a bracket would wait for this, too. */
	if (run->brackets ||
	    (!bhlab_budget_wait_here() &&
	     (!run->share || !bhlab_share_wait(run->share))))
		return true;
	return bhlab_hold(run, s);
}

static void bhlab_spin_shared(struct bhlab_run *run, u64 ns)
{
	u64 part;

	for (; ns && !bhlab_run_ended(run); ns -= part) {
		if (!bhlab_may_go_on(run, NULL)) {
			bhlab_skip(run, BHLAB_EVENT_F_THROTTLED);
			return;
		}
		part = min_t(u64, ns, BHLAB_SLICE_NS);
		bhlab_spin_slice(run, part);
	}
}

static void bhlab_spin(struct bhlab_run *run, u64 ns)
{
	u64 start = ktime_get_mono_fast_ns();

	if (run->share) {
		bhlab_spin_shared(run, ns);
		return;
	}
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
	case BHLAB_OP_CANCEL:
		return BHLAB_VERB_CANCEL;
	case BHLAB_OP_DISABLE:
		return BHLAB_VERB_DISABLE;
	case BHLAB_OP_ENABLE:
		return BHLAB_VERB_ENABLE;
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

/* On which queue does it run? Known only if it has never been on another. */
static struct bhlab_queue *bhlab_run_queue(const struct bhlab_run *run)
{
	return READ_ONCE(run->item->roamed) ? NULL : run->stamp.queue;
}

/* Is the budget spent of the CPU that the handler is for? */
static bool bhlab_step_wait(const struct bhlab_activation *act)
{
	return act->cpu == WORK_CPU_UNBOUND ? bhlab_budget_wait_here() :
					      bhlab_budget_wait(act->cpu);
}

static int bhlab_step_activate(struct bhlab_run *run,
			       const struct bhlab_step *s,
			       struct bhlab_item *target)
{
	bool requeue = s->op == BHLAB_OP_REQUEUE;
	struct bhlab_activation act = {
		.queue = target->queue,
		.from = bhlab_run_queue(run),
		.cpu = bhlab_step_cpu(s, target),
		.ns = requeue ? 0 : s->arg,
		.delay = s->op == BHLAB_OP_DELAY,
		.privileged = run->item->privileged,
		.requeues = requeue ? run->stamp.requeues + 1 : 0,
	};
	int ret = -ENODEV;

	if (target->atomic && bhlab_step_wait(&act))
		return -EDQUOT;
	if (act.cpu == WORK_CPU_UNBOUND)
		return bhlab_item_activate(target, &act);
	if (act.delay && act.queue && act.queue->bh)
		return -EOPNOTSUPP;

	/* An online CPU stays online while preemption is off. */
	preempt_disable();
	if (cpu_online(act.cpu))
		ret = bhlab_item_activate(target, &act);
	preempt_enable();
	return ret;
}

static int bhlab_step_on_item(struct bhlab_run *run, const struct bhlab_step *s,
			      struct bhlab_item *target)
{
	bool waited;
	u32 depth;

	if (!bhlab_step_fits(s, target))
		return -EOPNOTSUPP;
	switch (s->op) {
	case BHLAB_OP_CANCEL:
		return bhlab_item_cancel(target, false, &waited);
	case BHLAB_OP_DISABLE:
		return bhlab_item_disable(target, false, run->item->privileged,
					  &depth, &waited);
	case BHLAB_OP_ENABLE:
		return bhlab_item_enable(target, &depth);
	default:
		return bhlab_step_activate(run, s, target);
	}
}

static void bhlab_do_item(struct bhlab_run *run, const struct bhlab_step *s)
{
	struct bhlab_item *target;
	int ret = -ENOENT;

	rcu_read_lock();
	target = s->op == BHLAB_OP_REQUEUE ? run->item :
		 bhlab_item_peek(run->item->obj.lab, s->target);
	if (target)
		ret = bhlab_step_on_item(run, s, target);
	rcu_read_unlock();
	if (ret == -ENOENT)
		bhlab_skip(run, BHLAB_EVENT_F_GONE);
	else if (ret == -EDQUOT)
		bhlab_skip(run, BHLAB_EVENT_F_THROTTLED);
	else if (ret < 0)
		bhlab_skip(run, BHLAB_EVENT_F_REFUSED);
}

static void bhlab_do_fifo(struct bhlab_run *run, const struct bhlab_step *s)
{
	struct bhlab_fifo *fifo;
	u64 dropped;

	/* The program keeps it. */
	fifo = to_fifo(bhlab_object_peek(run->item->obj.lab, s->target,
					 BHLAB_KIND_FIFO));
	if (s->op == BHLAB_OP_POP) {
		bhlab_fifo_pop(fifo, s->arg);
		return;
	}
	dropped = bhlab_fifo_push(fifo, s->arg);
	if (dropped)
		bhlab_record_here(run, BHLAB_EVENT_DROPPED, dropped);
}

static struct bhlab_lock *bhlab_step_lock(const struct bhlab_run *run,
					  const struct bhlab_step *s)
{
	/* The program keeps it. */
	return to_lock(bhlab_object_peek(run->item->obj.lab, s->target,
					 BHLAB_KIND_LOCK));
}

/*
 * Brackets turn something off, or hold what others wait for who may be more
 * urgent: the CPU's budget pays for the outermost in process context, too.
 */
static void bhlab_bracket_begin(struct bhlab_run *run)
{
	if (run->brackets++)
		return;
	run->bracketed = ktime_get_mono_fast_ns();
	run->bracket_slept = run->slept;
}

static void bhlab_bracket_end(struct bhlab_run *run)
{
	u64 now;

	if (--run->brackets || run->charged)
		return;
	now = ktime_get_mono_fast_ns();
	bhlab_run_charge(run, now, now - run->bracketed -
				   (run->slept - run->bracket_slept));
}

/* The wait for a lock is the CPU's time if it spins. */
static void bhlab_do_lock(struct bhlab_run *run, struct bhlab_lock *lock)
{
	u64 start = ktime_get_mono_fast_ns(), wait;

	bhlab_bracket_begin(run);
	bhlab_lock_take(lock);
	wait = ktime_get_mono_fast_ns() - start;
	if (IS_ENABLED(CONFIG_PREEMPT_RT) || lock->kind == BHLAB_LOCK_MUTEX)
		run->slept += wait;
	else
		run->waited += wait;
}

static void bhlab_do_unlock(struct bhlab_run *run, struct bhlab_lock *lock)
{
	bhlab_bracket_end(run);
	bhlab_lock_release(lock);
}

static void bhlab_do_bracket(struct bhlab_run *run, const struct bhlab_step *s)
{
	switch (s->op) {
	case BHLAB_OP_LOCK:
		bhlab_do_lock(run, bhlab_step_lock(run, s));
		break;
	case BHLAB_OP_UNLOCK:
		bhlab_do_unlock(run, bhlab_step_lock(run, s));
		break;
	case BHLAB_OP_BH_OFF:
		local_bh_disable();
		bhlab_bracket_begin(run);
		break;
	case BHLAB_OP_BH_ON:
		bhlab_bracket_end(run);
		local_bh_enable();
		break;
	case BHLAB_OP_IRQ_OFF:
		local_irq_save(run->irq_flags);
		bhlab_bracket_begin(run);
		break;
	default:
		bhlab_bracket_end(run);
		local_irq_restore(run->irq_flags);
	}
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
		bhlab_record_here(run, BHLAB_EVENT_MARK, s->arg);
		break;
	case BHLAB_OP_THREAD:
		run->wake_thread = true;
		break;
	case BHLAB_OP_NONE:
		run->none = true;
		break;
	case BHLAB_OP_PUSH:
	case BHLAB_OP_POP:
		bhlab_do_fifo(run, s);
		break;
	case BHLAB_OP_REQUEUE:
		if (s->arg && run->stamp.requeues >= s->arg)
			break;
		fallthrough;
	default:
		bhlab_do_item(run, s);
	}
}

/*
 * Must the step be skipped? What cannot wait, once the CPU's budget is spent, is
 * to end at once, with all steps that follow.
 */
static bool bhlab_throttled(struct bhlab_run *run, const struct bhlab_step *s)
{
	if (!run->charged)
		return !bhlab_may_go_on(run, s);
	if (!run->spent)
		run->spent = bhlab_budget_wait_here();
	return run->spent;
}

/* A bracket is skipped with all that is in it. */
static void bhlab_skip_step(struct bhlab_run *run, u32 op, u16 why)
{
	bhlab_skip(run, why);
	if (op & BHLAB_OPS_OPEN)
		run->unopened++;
	else if (op & BHLAB_OPS_CLOSE)
		run->unopened--;
}

/* Not inline: what it needs of registers and stack, no empty program pays for. */
static noinline void bhlab_do_step(struct bhlab_run *run,
				   const struct bhlab_step *s)
{
	u32 op = BIT(s->op);

	if (run->unopened)
		bhlab_skip_step(run, op, 0);
	else if (op & BHLAB_OPS_CLOSE)
		bhlab_do_bracket(run, s);
	else if (bhlab_run_ended(run))
		bhlab_skip_step(run, op, BHLAB_EVENT_F_DYING);
	else if (bhlab_throttled(run, s))
		bhlab_skip_step(run, op, BHLAB_EVENT_F_THROTTLED);
	else if (op & BHLAB_OPS_OPEN)
		bhlab_do_bracket(run, s);
	else if (op & BHLAB_OPS_ACTIVATING && bhlab_chain_ended(run))
		bhlab_skip(run, BHLAB_EVENT_F_CHAIN);
	else
		bhlab_step_run(run, s);
}

void bhlab_program_run(struct bhlab_run *run)
{
	const struct bhlab_program *p = run->program;
	u32 i;

	for (i = 0; i < p->nr && (!run->spent || run->brackets); i++)
		bhlab_do_step(run, &p->steps[i]);
	if (unlikely(i < p->nr))
		run->skipped += p->nr - i;
}
