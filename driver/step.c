// SPDX-License-Identifier: GPL-2.0-only
/* Steps: what programs do when they run. Every mechanism runs them in the same way. */
#include <linux/bottom_half.h>
#include <linux/capability.h>
#include <linux/cpu.h>
#include <linux/jhash.h>
#include <linux/math64.h>
#include <linux/nospec.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "await.h"
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

static bool bhlab_chain_ended(const struct bhlab_run *run)
{
	return atomic_dec_if_positive(&run->item->obj.lab->chain) < 0;
}

static void bhlab_skip(struct bhlab_run *run, u16 why)
{
	run->skipped++;
	run->flags |= why;
}

/* A bracket is skipped with everything in it. */
static void bhlab_skip_step(struct bhlab_run *run,
			    const struct bhlab_step_op *op, u16 why)
{
	bhlab_skip(run, why);
	if (op->opens)
		run->unopened++;
	else if (op->closes)
		run->unopened--;
}

/* A step in a bracket that is not open: skipped with it, or not for this run. */
static void bhlab_pass_step(struct bhlab_run *run, const struct bhlab_step_op *op)
{
	bhlab_skip_step(run, op, 0);
	if (!run->omitting)
		return;
	run->skipped--;
	run->omitting = run->unopened;
}

/* A step that is not for this run. */
static void bhlab_omit_step(struct bhlab_run *run, const struct bhlab_step_op *op)
{
	run->omitting = op->opens;
	run->unopened += op->opens;
}

/* The same number in each lab, for each run and step. */
static u32 bhlab_step_random(const struct bhlab_run *run, const struct bhlab_step *s)
{
	const struct bhlab_item *item = run->item;

	return jhash_3words(lower_32_bits(item->cookie), run->nth,
			    s - run->program->steps, item->obj.id);
}

static bool bhlab_choose_every(const struct bhlab_run *run, const struct bhlab_step *s)
{
	return run->nth % (u32)s->arg == 0;
}

static bool bhlab_choose_chance(const struct bhlab_run *run, const struct bhlab_step *s)
{
	return reciprocal_scale(bhlab_step_random(run, s), 100) < s->arg;
}

/* How long this run spins. */
static u64 bhlab_spin_ns(const struct bhlab_run *run, const struct bhlab_step *s)
{
	if (likely(!(s->flags & BHLAB_STEP_RANGE)))
		return s->arg;
	return s->arg + mul_u64_u32_shr((u64)s->target + 1, bhlab_step_random(run, s), 32);
}

/* @ret is what a step on an object returned. */
static void bhlab_skip_for(struct bhlab_run *run, int ret)
{
	static const struct {
		int error;
		u16 why;
	} reasons[] = {
		{ -ENOENT, BHLAB_EVENT_F_GONE },
		{ -EDQUOT, BHLAB_EVENT_F_THROTTLED },
		{ -EDEADLK, BHLAB_EVENT_F_DEADLOCK },
		{ -ETIMEDOUT, BHLAB_EVENT_F_LATE },
		{ -ECANCELED, BHLAB_EVENT_F_DYING },
	};
	u32 i;

	if (ret >= 0)
		return;
	for (i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].error == ret)
			break;
	bhlab_skip(run, i < ARRAY_SIZE(reasons) ? reasons[i].why : BHLAB_EVENT_F_REFUSED);
}

/*
 * Spinning is charged to a user's share in slices. Time in which others had the
 * CPU, between two looks at the clock, is not charged.
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

/* Is a step in process context, or what it activates, charged to the CPU's budget? */
static bool bhlab_step_charged(const struct bhlab_run *run,
			       const struct bhlab_step *s)
{
	struct bhlab_item *target;
	bool atomic;

	if (!s || !bhlab_step_op(s->op)->activates)
		return s && bhlab_step_op(s->op)->opens;
	rcu_read_lock();
	target = bhlab_item_peek(run->item->obj.lab, s->target);
	atomic = target && target->atomic;
	rcu_read_unlock();
	return atomic;
}

/* The longest that a program waits for the budget: others may always be faster. */
#define BHLAB_HOLD_NS		NSEC_PER_SEC

/* How long a program that waits since @start has to wait, before @s or in a spin. */
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
 * Sleep until there is a share and a budget again, on the CPU that the program
 * is on then, or until the program ends. False if it must not sleep any longer.
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

/* In process context: false if it must not continue, now or later. */
static bool bhlab_may_go_on(struct bhlab_run *run, const struct bhlab_step *s)
{
	/* A task that waits for a bracket would wait for this, too. */
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

static void bhlab_do_spin(struct bhlab_run *run, const struct bhlab_step *s)
{
	u64 start = ktime_get_mono_fast_ns(), ns = bhlab_spin_ns(run, s);

	if (run->share) {
		bhlab_spin_shared(run, ns);
		return;
	}
	while (ktime_get_mono_fast_ns() - start < ns && !bhlab_run_ended(run))
		cpu_relax();
}

static void bhlab_do_sleep(struct bhlab_run *run, const struct bhlab_step *s)
{
	struct bhlab_lab *lab = run->item->obj.lab;
	u64 start = ktime_get_ns();

	wait_event_hrtimeout(lab->sleepers, READ_ONCE(lab->dying),
			     ns_to_ktime(s->arg));
	run->slept += ktime_get_ns() - start;
}

static void bhlab_do_mark(struct bhlab_run *run, const struct bhlab_step *s)
{
	bhlab_record_here(run, BHLAB_EVENT_MARK, s->arg);
}

static void bhlab_do_thread(struct bhlab_run *run, const struct bhlab_step *s)
{
	run->wake_thread = true;
}

static void bhlab_do_none(struct bhlab_run *run, const struct bhlab_step *s)
{
	run->none = true;
}

/* The CPU to queue the target on: the step's, or the item's, or any. */
static int bhlab_step_cpu(const struct bhlab_step *s,
			  const struct bhlab_item *target)
{
	if (target->ops->takes_cpu && s->flags & BHLAB_STEP_CPU)
		return s->cpu;
	if (target->ops->takes_cpu && target->flags & BHLAB_ITEM_CPU)
		return target->cpu;
	return WORK_CPU_UNBOUND;
}

/* Can the target do this? Known only when the step runs, since it may be new. */
static bool bhlab_step_fits(const struct bhlab_step *s,
			    const struct bhlab_step_op *op,
			    const struct bhlab_item *target)
{
	return bhlab_mech_has(target->ops, op->verb) &&
	       (target->ops->takes_cpu || !(s->flags & BHLAB_STEP_CPU));
}

/* The queue that it runs on; known only if it has never been on another. */
static struct bhlab_queue *bhlab_run_queue(const struct bhlab_run *run)
{
	return READ_ONCE(run->item->roamed) ? NULL : run->stamp.queue;
}

/* Is the budget spent of the CPU on which the handler will run? */
static bool bhlab_step_wait(const struct bhlab_activation *act)
{
	return act->cpu == WORK_CPU_UNBOUND ? bhlab_budget_wait_here() :
					      bhlab_budget_wait(act->cpu);
}

/* The caller sets what is special in @act. */
static int bhlab_step_activate(struct bhlab_run *run,
			       const struct bhlab_step *s,
			       struct bhlab_item *target,
			       struct bhlab_activation *act)
{
	int ret = -ENODEV;

	act->queue = target->queue;
	act->from = bhlab_run_queue(run);
	act->cpu = bhlab_step_cpu(s, target);
	act->privileged = run->item->privileged;
	if (target->atomic && bhlab_step_wait(act))
		return -EDQUOT;
	if (act->cpu == WORK_CPU_UNBOUND)
		return bhlab_item_activate(target, act);
	if (act->delay && act->queue && act->queue->bh)
		return -EOPNOTSUPP;

	/* An online CPU stays online while preemption is off. */
	preempt_disable();
	if (cpu_online(act->cpu))
		ret = bhlab_item_activate(target, act);
	preempt_enable();
	return ret;
}

static int bhlab_do_queue(struct bhlab_run *run, const struct bhlab_step *s,
			  struct bhlab_item *target)
{
	struct bhlab_activation act = {};

	return bhlab_step_activate(run, s, target, &act);
}

static int bhlab_do_delay(struct bhlab_run *run, const struct bhlab_step *s,
			  struct bhlab_item *target)
{
	struct bhlab_activation act = {
		.delay = true,
		.mod = s->flags & BHLAB_STEP_MOD,
		.ns = s->arg,
	};

	return bhlab_step_activate(run, s, target, &act);
}

static int bhlab_do_requeue(struct bhlab_run *run, const struct bhlab_step *s,
			    struct bhlab_item *target)
{
	struct bhlab_activation act = { .requeues = run->stamp.requeues + 1 };

	if (s->arg && run->stamp.requeues >= s->arg)
		return 0;
	return bhlab_step_activate(run, s, target, &act);
}

static int bhlab_do_cancel(struct bhlab_run *run, const struct bhlab_step *s,
			   struct bhlab_item *target)
{
	bool runs;

	return bhlab_item_cancel(target, false, &runs);
}

static int bhlab_do_disable(struct bhlab_run *run, const struct bhlab_step *s,
			    struct bhlab_item *target)
{
	bool waited;
	u32 depth;

	return bhlab_item_disable(target, false, run->item->privileged, &depth,
				  &waited);
}

static int bhlab_do_enable(struct bhlab_run *run, const struct bhlab_step *s,
			   struct bhlab_item *target)
{
	u32 depth;

	return bhlab_item_enable(target, &depth);
}

static int bhlab_do_deassert(struct bhlab_run *run, const struct bhlab_step *s,
			     struct bhlab_item *target)
{
	bool asserted;

	return bhlab_item_deassert(target, &asserted);
}

static void bhlab_do_item(struct bhlab_run *run, const struct bhlab_step *s,
			  const struct bhlab_step_op *op)
{
	struct bhlab_item *target;
	int ret = -ENOENT;

	rcu_read_lock();
	target = op->target == BHLAB_KIND_ITEM ?
		 bhlab_item_peek(run->item->obj.lab, s->target) : run->item;
	if (target)
		ret = bhlab_step_fits(s, op, target) ?
		      op->on_item(run, s, target) : -EOPNOTSUPP;
	rcu_read_unlock();
	bhlab_skip_for(run, ret);
}

/* The program has pinned it. */
static struct bhlab_fifo *bhlab_step_fifo(const struct bhlab_run *run,
					  const struct bhlab_step *s)
{
	return to_fifo(bhlab_object_peek(run->item->obj.lab, s->target,
					 BHLAB_KIND_FIFO));
}

static void bhlab_do_push(struct bhlab_run *run, const struct bhlab_step *s)
{
	u64 dropped = bhlab_fifo_push(bhlab_step_fifo(run, s), s->arg);

	if (dropped)
		bhlab_record_here(run, BHLAB_EVENT_DROPPED, dropped);
}

static void bhlab_do_pop(struct bhlab_run *run, const struct bhlab_step *s)
{
	u64 nr = s->arg;

	if (!run->item->ops->polls) {
		bhlab_fifo_pop(bhlab_step_fifo(run, s), nr);
		return;
	}
	nr = nr ? min_t(u64, nr, run->quota) : run->quota;
	if (nr)
		run->quota -= bhlab_fifo_pop_upto(bhlab_step_fifo(run, s), nr);
}

static void bhlab_do_complete(struct bhlab_run *run, const struct bhlab_step *s)
{
	run->over = !run->completed && !run->quota;
	if (run->over || run->completed)
		return;
	run->completed = true;
	run->item->ops->complete(run->item);
}

/*
 * A poll that has used up its weight is polled again, as long as the lab's chain
 * lasts.
 */
bool bhlab_run_wants_more(const struct bhlab_run *run)
{
	return !run->quota && !bhlab_chain_ended(run);
}

static struct bhlab_lock *bhlab_step_lock(const struct bhlab_run *run,
					  const struct bhlab_step *s)
{
	/* The program has pinned it. */
	return to_lock(bhlab_object_peek(run->item->obj.lab, s->target,
					 BHLAB_KIND_LOCK));
}

/*
 * Brackets turn something off, or hold a lock that a more urgent task may wait
 * for. So the outermost is charged to the CPU's budget in process context, too.
 */
static void bhlab_bracket_begin(struct bhlab_run *run)
{
	if (run->brackets++)
		return;
	run->bracketed = ktime_get_mono_fast_ns() - run->slept;
}

static void bhlab_bracket_end(struct bhlab_run *run)
{
	u64 now;

	if (--run->brackets || run->charged)
		return;
	now = ktime_get_mono_fast_ns();
	bhlab_run_charge(run, now, now - run->slept - run->bracketed);
}

/* The lock that a bracket was opened for is not taken. */
static void bhlab_bracket_refuse(struct bhlab_run *run)
{
	run->brackets--;
	run->unopened++;
	bhlab_skip(run, BHLAB_EVENT_F_DEADLOCK);
}

/* Waiting for a lock is CPU time if it spins. */
static void bhlab_do_lock(struct bhlab_run *run, const struct bhlab_step *s)
{
	struct bhlab_lock *lock = bhlab_step_lock(run, s);
	bool mutex = lock->kind == BHLAB_LOCK_MUTEX;
	u64 start, wait;

	bhlab_bracket_begin(run);
	start = ktime_get_mono_fast_ns();
	if (!mutex)
		bhlab_lock_take(lock);
	else if (!bhlab_await_lock(run, lock))
		return bhlab_bracket_refuse(run);
	run->mutexes |= mutex ? BIT(lock->slot) : 0;
	wait = ktime_get_mono_fast_ns() - start;
	if (IS_ENABLED(CONFIG_PREEMPT_RT) || mutex)
		run->slept += wait;
	else
		run->waited += wait;
}

static void bhlab_do_unlock(struct bhlab_run *run, const struct bhlab_step *s)
{
	struct bhlab_lock *lock = bhlab_step_lock(run, s);

	bhlab_bracket_end(run);
	run->mutexes &= ~BIT(lock->slot);
	bhlab_lock_release(lock);
}

static void bhlab_do_bh_off(struct bhlab_run *run, const struct bhlab_step *s)
{
	local_bh_disable();
	bhlab_bracket_begin(run);
}

static void bhlab_do_bh_on(struct bhlab_run *run, const struct bhlab_step *s)
{
	bhlab_bracket_end(run);
	local_bh_enable();
}

static void bhlab_do_irq_off(struct bhlab_run *run, const struct bhlab_step *s)
{
	local_irq_save(run->irq_flags);
	bhlab_bracket_begin(run);
}

static void bhlab_do_irq_on(struct bhlab_run *run, const struct bhlab_step *s)
{
	bhlab_bracket_end(run);
	local_irq_restore(run->irq_flags);
}

/* Sparse cannot follow it from one step to another, so it must not see any. */
static void bhlab_do_rcu(struct bhlab_run *run, const struct bhlab_step *s)
{
	rcu_read_lock();
	__release(RCU);
	bhlab_bracket_begin(run);
}

static void bhlab_do_rcu_end(struct bhlab_run *run, const struct bhlab_step *s)
{
	bhlab_bracket_end(run);
	__acquire(RCU);
	rcu_read_unlock();
}

#define BHLAB_IN_PROCESS	(BHLAB_CTX_TASK | BHLAB_IN_THREAD)
#define BHLAB_IN_ITEM		(BHLAB_CTX_TASK | BHLAB_CTX_SOFTIRQ | BHLAB_CTX_HARDIRQ)
#define BHLAB_ANY_LOCKS		(BHLAB_IN_ITEM | BHLAB_IN_TOP | BHLAB_IN_THREAD)
#define BHLAB_ANYWHERE		(BHLAB_ANY_LOCKS | BHLAB_IN_HARD)

#define BHLAB_STEP(_name, _places, ...)					\
	[BHLAB_OP_##_name] = { .places = (_places), __VA_ARGS__ }

/* A step on the item that it names. */
#define BHLAB_STEP_ON(_name, _fn, ...)					\
	BHLAB_STEP(_name, BHLAB_ANYWHERE, .target = BHLAB_KIND_ITEM,	\
		   .verb = BHLAB_VERB_##_name, .on_item = (_fn), ##__VA_ARGS__)

/* Each kind of step: what a program may have, and what it does. */
static const struct bhlab_step_op bhlab_step_ops[] = {
	BHLAB_STEP(SPIN, BHLAB_ANYWHERE, .arg_max = BHLAB_NS_MAX, .is_busy = true,
		   .takes = BHLAB_STEP_RANGE, .run = bhlab_do_spin),
	BHLAB_STEP(SLEEP, BHLAB_IN_PROCESS, .arg_max = BHLAB_NS_MAX, .sleeps = true,
		   .run = bhlab_do_sleep),
	BHLAB_STEP_ON(QUEUE, bhlab_do_queue, .takes = BHLAB_STEP_CPU, .activates = true),
	BHLAB_STEP_ON(DELAY, bhlab_do_delay, .takes = BHLAB_STEP_CPU | BHLAB_STEP_MOD,
		      .activates = true, .arg_max = BHLAB_NS_MAX),
	BHLAB_STEP_ON(TRIGGER, bhlab_do_queue, .activates = true),
	BHLAB_STEP(REQUEUE, BHLAB_IN_ITEM | BHLAB_IN_HARD, .arg_max = U32_MAX, .activates = true,
		   .verb = BHLAB_VERB_QUEUE, .on_item = bhlab_do_requeue),
	BHLAB_STEP(MARK, BHLAB_ANYWHERE, .arg_max = U64_MAX, .run = bhlab_do_mark),
	BHLAB_STEP(THREAD, BHLAB_IN_TOP, .flag = BHLAB_ITEM_THREAD, .activates = true,
		   .run = bhlab_do_thread),
	BHLAB_STEP(NONE, BHLAB_IN_TOP, .cap = CAP_SYS_ADMIN, .run = bhlab_do_none),
	BHLAB_STEP_ON(CANCEL, bhlab_do_cancel, .takes = BHLAB_STEP_SYNC,
		      .wait = bhlab_await_cancel),
	BHLAB_STEP_ON(DISABLE, bhlab_do_disable, .takes = BHLAB_STEP_SYNC,
		      .wait = bhlab_await_disable),
	BHLAB_STEP_ON(ENABLE, bhlab_do_enable),
	BHLAB_STEP(LOCK, BHLAB_ANY_LOCKS, .target = BHLAB_KIND_LOCK, .opens = true,
		   .run = bhlab_do_lock),
	BHLAB_STEP(UNLOCK, BHLAB_ANY_LOCKS, .target = BHLAB_KIND_LOCK,
		   .closes = BHLAB_OP_LOCK, .run = bhlab_do_unlock),
	BHLAB_STEP(BH_OFF, BHLAB_IN_PROCESS, .opens = true, .run = bhlab_do_bh_off),
	BHLAB_STEP(BH_ON, BHLAB_IN_PROCESS, .closes = BHLAB_OP_BH_OFF,
		   .run = bhlab_do_bh_on),
	BHLAB_STEP(IRQ_OFF, BHLAB_IN_PROCESS | BHLAB_CTX_SOFTIRQ, .opens = true,
		   .run = bhlab_do_irq_off),
	BHLAB_STEP(IRQ_ON, BHLAB_IN_PROCESS | BHLAB_CTX_SOFTIRQ,
		   .closes = BHLAB_OP_IRQ_OFF, .run = bhlab_do_irq_on),
	BHLAB_STEP(PUSH, BHLAB_ANYWHERE, .target = BHLAB_KIND_FIFO, .arg_min = 1,
		   .arg_max = BHLAB_FIFO_MAX, .run = bhlab_do_push),
	BHLAB_STEP(POP, BHLAB_ANYWHERE, .target = BHLAB_KIND_FIFO,
		   .arg_max = BHLAB_FIFO_MAX, .run = bhlab_do_pop),
	BHLAB_STEP(FLUSH, BHLAB_IN_PROCESS, .target = BHLAB_KIND_ITEM,
		   .wait = bhlab_await_flush),
	BHLAB_STEP(DRAIN, BHLAB_IN_PROCESS, .target = BHLAB_KIND_QUEUE,
		   .wait = bhlab_await_drain),
	BHLAB_STEP(WAIT, BHLAB_IN_PROCESS, .target = BHLAB_KIND_ITEM,
		   .wait = bhlab_await_idle),
	BHLAB_STEP(SYNCHRONIZE_RCU, BHLAB_IN_PROCESS, .wait = bhlab_await_rcu),
	BHLAB_STEP(SYNCHRONIZE_IRQ, BHLAB_IN_PROCESS, .target = BHLAB_KIND_ITEM,
		   .wait = bhlab_await_irq),
	BHLAB_STEP(EVERY, BHLAB_ANYWHERE, .arg_min = 1, .arg_max = U32_MAX,
		   .chooses = bhlab_choose_every),
	BHLAB_STEP(CHANCE, BHLAB_ANYWHERE, .arg_min = 1, .arg_max = 100,
		   .chooses = bhlab_choose_chance),
	BHLAB_STEP(RCU, BHLAB_ANYWHERE, .opens = true, .run = bhlab_do_rcu),
	BHLAB_STEP(RCU_END, BHLAB_ANYWHERE, .closes = BHLAB_OP_RCU, .run = bhlab_do_rcu_end),
	BHLAB_STEP(COMPLETE, BHLAB_IN_POLL, .ends = true, .run = bhlab_do_complete),
	BHLAB_STEP(DEASSERT, BHLAB_ANYWHERE, .target = BHLAB_KIND_ITEM,
		   .verb = BHLAB_VERB_TRIGGER, .on_item = bhlab_do_deassert),
};

/* NULL if there is no such step. */
const struct bhlab_step_op *bhlab_step_op(u32 op)
{
	if (!op || op >= ARRAY_SIZE(bhlab_step_ops))
		return NULL;
	return &bhlab_step_ops[array_index_nospec(op, ARRAY_SIZE(bhlab_step_ops))];
}

/* The steps of programs in that place, as a mask of 1 << enum bhlab_op. */
u32 bhlab_steps_in(u32 place)
{
	u32 op, steps = 0;

	for (op = 1; op < ARRAY_SIZE(bhlab_step_ops); op++)
		if (bhlab_step_ops[op].places & place)
			steps |= BIT(op);
	return steps;
}

/*
 * Must the step be skipped? A program that cannot wait ends at once when the
 * CPU's budget is spent: all its following steps are skipped.
 */
static bool bhlab_throttled(struct bhlab_run *run, const struct bhlab_step *s)
{
	if (!run->charged)
		return !bhlab_may_go_on(run, s);
	if (!run->spent)
		run->spent = bhlab_budget_wait_here();
	return run->spent;
}

/* Not inline, so that empty programs do not pay for its registers and stack. */
static noinline void bhlab_do_step(struct bhlab_run *run,
				   const struct bhlab_step *s)
{
	const struct bhlab_step_op *op = &bhlab_step_ops[s->op];
	bool omit = run->omit;

	run->omit = false;
	if (run->unopened)
		bhlab_pass_step(run, op);
	else if (op->chooses)
		run->omit = omit || !op->chooses(run, s);
	else if (omit)
		bhlab_omit_step(run, op);
	else if (op->closes)
		op->run(run, s);
	else if (bhlab_run_ended(run))
		bhlab_skip_step(run, op, BHLAB_EVENT_F_DYING);
	else if (bhlab_throttled(run, s))
		bhlab_skip_step(run, op, BHLAB_EVENT_F_THROTTLED);
	else if (op->activates && bhlab_chain_ended(run))
		bhlab_skip(run, BHLAB_EVENT_F_CHAIN);
	else if (bhlab_step_waits(s, op))
		bhlab_skip_for(run, op->wait(run, s));
	else if (op->on_item)
		bhlab_do_item(run, s, op);
	else
		op->run(run, s);
}

void bhlab_program_run(struct bhlab_run *run)
{
	const struct bhlab_program *p = run->program;
	u32 i;

	for (i = 0; i < p->nr && (!run->spent || run->brackets) && !run->over; i++)
		bhlab_do_step(run, &p->steps[i]);
	if (unlikely(i < p->nr && !run->over))
		run->skipped += p->nr - i;
}
