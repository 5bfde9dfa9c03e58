// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs: handlers that are data. They are checked here, when the item is
 * created, against the context that they are written for; step.c runs them.
 */
#include <linux/capability.h>
#include <linux/cpu.h>
#include <linux/slab.h>
#include <linux/time64.h>
#include <linux/uaccess.h>

#include "item.h"
#include "limits.h"
#include "lock.h"
#include "object.h"
#include "program.h"
#include "queue.h"
#include "step.h"
#include "mech/mech.h"

/* The most that a step takes that neither spins nor sleeps, on a slow machine. */
#define BHLAB_STEP_COST_NS	(20 * NSEC_PER_USEC)

/* Each lock once, BH_OFF, IRQ_OFF and RCU. */
#define BHLAB_BRACKETS		(BHLAB_LOCKS + 3)

/* An open bracket: the step, and the lock if it is one. */
struct bhlab_bracket {
	const struct bhlab_step *step;
	const struct bhlab_lock *lock;
};

/**
 * struct bhlab_check - a program while it is checked
 * @lab: has its locks and FIFOs
 * @item: the item that it belongs to
 * @place: where it runs, see step.h
 * @context: the context that it is written for
 * @atomic: all of its time counts as atomic
 * @busy: time that it spins up to here
 * @total: time that it takes up to here
 * @busy_atomic: time that it spins in atomic context up to here
 * @prefixed: the step before is a prefix
 * @sleeps: it sleeps, or may sleep in a lock
 * @waits: it waits for others
 * @mutexes: those that it has taken up to here, by their slots
 * @open: the open brackets
 * @depth: number of open brackets
 */
struct bhlab_check {
	struct bhlab_lab *lab;
	const struct bhlab_item *item;
	u32 place;
	u32 context;
	bool atomic;
	u64 busy;
	u64 total;
	u64 busy_atomic;
	bool prefixed;
	bool sleeps;
	bool waits;
	u8 mutexes;
	struct bhlab_bracket open[BHLAB_BRACKETS];
	u32 depth;
};

static const int bhlab_why_errno[] = {
	[BHLAB_WHY_SHAPE] = -EOPNOTSUPP,
	[BHLAB_WHY_OBJECT] = -ENOENT,
	[BHLAB_WHY_MECHANISM] = -EINVAL,
	[BHLAB_WHY_CONTEXT] = -EINVAL,
	[BHLAB_WHY_TARGET] = -EINVAL,
	[BHLAB_WHY_ARG] = -EINVAL,
	[BHLAB_WHY_CPU] = -ENODEV,
	[BHLAB_WHY_THREAD] = -EINVAL,
	[BHLAB_WHY_CAPABILITY] = -EPERM,
	[BHLAB_WHY_SLEEP] = -EINVAL,
	[BHLAB_WHY_PROCESS_TIME] = -EINVAL,
	[BHLAB_WHY_ATOMIC_TIME] = -EINVAL,
	[BHLAB_WHY_ATOMIC_CAPABILITY] = -EPERM,
	[BHLAB_WHY_NO_LOCKS] = -EINVAL,
	[BHLAB_WHY_LOCK_CONTEXT] = -EINVAL,
	[BHLAB_WHY_NESTING] = -EINVAL,
	[BHLAB_WHY_NOT_LAST] = -EINVAL,
	[BHLAB_WHY_NOT_CLOSED] = -EINVAL,
	[BHLAB_WHY_LENGTH] = -E2BIG,
	[BHLAB_WHY_LAB_TIME] = -ENOSPC,
	[BHLAB_WHY_DEADLOCK] = -EDEADLK,
	[BHLAB_WHY_PREFIX] = -EINVAL,
};

/* Report @why and the index of the step; returns the errno for it. */
int bhlab_program_refuse(struct bhlab_item_create *cmd,
			 enum bhlab_program_why why, u32 step)
{
	cmd->out_why = why;
	cmd->out_step = step;
	return bhlab_why_errno[why];
}

/* The following checks return why a step is refused, or 0. */

/* Checks that do not depend on the program. */
static u32 bhlab_step_shape(const struct bhlab_step *s,
			    const struct bhlab_step_op *op)
{
	bool cpu = s->flags & BHLAB_STEP_CPU;

	if (!op || s->flags & ~op->takes ||
	    (s->target && op->target == BHLAB_KIND_RESERVED &&
	     !(s->flags & BHLAB_STEP_RANGE)) ||
	    (s->arg && !op->arg_max) || (s->cpu && !cpu))
		return BHLAB_WHY_SHAPE;
	return 0;
}

/* Does it name an object that is looked up when it runs? */
static bool bhlab_step_finds(const struct bhlab_step_op *op)
{
	return op->target == BHLAB_KIND_ITEM || op->target == BHLAB_KIND_QUEUE;
}

static u32 bhlab_step_values(const struct bhlab_check *c,
			     const struct bhlab_step *s,
			     const struct bhlab_step_op *op)
{
	/*
	 * A step that threads may have is forbidden by a context, not by a
	 * mechanism.
	 */
	if (!(op->places & c->place))
		return op->places & BHLAB_IN_THREAD ? BHLAB_WHY_CONTEXT :
						      BHLAB_WHY_MECHANISM;
	if (bhlab_step_waits(s, op) && c->context != BHLAB_CTX_TASK)
		return BHLAB_WHY_CONTEXT;
	if (!s->target && bhlab_step_finds(op))
		return BHLAB_WHY_TARGET;
	if (s->arg < op->arg_min || s->arg > op->arg_max)
		return BHLAB_WHY_ARG;
	if (s->flags & BHLAB_STEP_CPU &&
	    (s->cpu >= nr_cpu_ids || !cpu_possible(s->cpu)))
		return BHLAB_WHY_CPU;
	if (op->flag & ~c->item->flags)
		return BHLAB_WHY_THREAD;
	return op->cap && !capable(op->cap) ? BHLAB_WHY_CAPABILITY : 0;
}

static bool bhlab_bracket_is(const struct bhlab_bracket *b, u32 op)
{
	return b->step->op == op;
}

static bool bhlab_bracket_atomic(const struct bhlab_bracket *b)
{
	return !b->lock || b->lock->kind == BHLAB_LOCK_SPIN;
}

static bool bhlab_in_atomic(const struct bhlab_check *c)
{
	u32 i;

	for (i = 0; i < c->depth; i++)
		if (bhlab_bracket_atomic(&c->open[i]))
			return true;
	return false;
}

/*
 * May @lock be taken inside of @b? Locks are taken in order of creation. A lock
 * that may sleep, on RT a spin lock, must not be taken in atomic context.
 * Releasing a lock must not turn bottom halves on while interrupts are off.
 */
static bool bhlab_lock_nests(const struct bhlab_bracket *b,
			     const struct bhlab_lock *lock)
{
	if (bhlab_bracket_is(b, BHLAB_OP_IRQ_OFF))
		return false;
	if (lock->kind == BHLAB_LOCK_MUTEX && bhlab_bracket_atomic(b))
		return false;
	return !b->lock || (b->lock->slot < lock->slot &&
			    (b->lock->kind == BHLAB_LOCK_MUTEX ||
			     b->lock->context <= lock->context));
}

/* A mutex is for process context. */
static u32 bhlab_lock_fits(const struct bhlab_check *c,
			   const struct bhlab_lock *lock)
{
	u32 i;

	if (c->item->flags & (BHLAB_ITEM_HARD | BHLAB_ITEM_IRQSAFE) ||
	    (c->item->flags & BHLAB_ITEM_ONESHOT && c->place == BHLAB_IN_TOP))
		return BHLAB_WHY_NO_LOCKS;
	if (lock->context < c->context)
		return BHLAB_WHY_LOCK_CONTEXT;
	for (i = 0; i < c->depth; i++)
		if (!bhlab_lock_nests(&c->open[i], lock))
			return BHLAB_WHY_NESTING;
	return 0;
}

/* May BH_OFF, IRQ_OFF or RCU be opened here? Of RCU only once; it disturbs nobody. */
static u32 bhlab_off_fits(const struct bhlab_check *c, u32 op)
{
	const struct bhlab_bracket *b;

	for (b = c->open; b < c->open + c->depth; b++)
		if (bhlab_bracket_is(b, op) ||
		    (op != BHLAB_OP_RCU && bhlab_bracket_is(b, BHLAB_OP_IRQ_OFF)) ||
		    (op == BHLAB_OP_BH_OFF && b->lock &&
		     b->lock->context == BHLAB_CTX_HARDIRQ))
			return BHLAB_WHY_NESTING;
	return 0;
}

static u32 bhlab_bracket_open(struct bhlab_check *c, const struct bhlab_step *s,
			      const struct bhlab_lock *lock)
{
	u32 why = lock ? bhlab_lock_fits(c, lock) : bhlab_off_fits(c, s->op);

	if (why)
		return why;
	if (lock)
		c->sleeps |= lock->kind == BHLAB_LOCK_MUTEX ||
			     IS_ENABLED(CONFIG_PREEMPT_RT);
	if (lock && lock->kind == BHLAB_LOCK_MUTEX)
		c->mutexes |= BIT(lock->slot);
	c->open[c->depth++] = (struct bhlab_bracket) { s, lock };
	return 0;
}

static u32 bhlab_bracket_close(struct bhlab_check *c, const struct bhlab_step *s,
			       const struct bhlab_step_op *op)
{
	const struct bhlab_bracket *b;

	if (!c->depth)
		return BHLAB_WHY_NOT_LAST;
	b = &c->open[c->depth - 1];
	if (!bhlab_bracket_is(b, op->closes) || b->step->target != s->target)
		return BHLAB_WHY_NOT_LAST;
	c->depth--;
	return 0;
}

/*
 * The time of one run: busy in atomic context or at real-time priority, and in
 * total. A more urgent task may wait for a mutex and lend its priority to the
 * holder: spinning with a mutex held counts as well.
 */
static u32 bhlab_step_time(struct bhlab_check *c, const struct bhlab_step *s,
			   const struct bhlab_step_op *op)
{
	if (op->sleeps && bhlab_in_atomic(c))
		return BHLAB_WHY_SLEEP;
	c->total += bhlab_step_ns(s);
	c->sleeps |= op->sleeps;
	if (op->is_busy) {
		c->busy += bhlab_step_ns(s);
		if (c->atomic || c->depth)
			c->busy_atomic += bhlab_step_ns(s);
	}
	if (c->total > bhlab_limits.process_ns)
		return BHLAB_WHY_PROCESS_TIME;
	if (c->busy_atomic <= bhlab_limits.atomic_ns)
		return 0;
	if (c->busy_atomic > bhlab_limits.atomic_cap_ns)
		return BHLAB_WHY_ATOMIC_TIME;
	return capable(CAP_SYS_ADMIN) ? 0 : BHLAB_WHY_ATOMIC_CAPABILITY;
}

/* The open brackets that are mutexes, by the slots of their locks. */
static u8 bhlab_open_mutexes(const struct bhlab_check *c)
{
	u8 mutexes = 0;
	u32 i;

	for (i = 0; i < c->depth; i++)
		if (!bhlab_bracket_atomic(&c->open[i]))
			mutexes |= BIT(c->open[i].lock->slot);
	return mutexes;
}

/* Does the item @id, if there is one already, take one of these mutexes? */
static bool bhlab_target_takes(const struct bhlab_check *c, u32 id, u8 mutexes)
{
	struct bhlab_item *target = mutexes ? bhlab_item_get(c->lab, id) : NULL;
	bool takes;

	if (!target)
		return false;
	takes = target->mutexes & mutexes;
	bhlab_item_put(target);
	return takes;
}

/*
 * A wait that could never end, as far as the program tells: the rest is known
 * when the step runs, see await.c.
 */
static u32 bhlab_wait_check(struct bhlab_check *c, const struct bhlab_step *s)
{
	const struct bhlab_queue *queue = c->item->queue;

	if (bhlab_in_atomic(c))
		return BHLAB_WHY_SLEEP;
	c->sleeps = true;
	c->waits = true;
	if (!s->target)
		return 0;
	if ((queue && queue->obj.id == s->target) ||
	    bhlab_object_reserves(c->lab, s->target, c->item->obj.name) ||
	    bhlab_target_takes(c, s->target, bhlab_open_mutexes(c)))
		return BHLAB_WHY_DEADLOCK;
	return 0;
}

static u32 bhlab_step_check(struct bhlab_check *c, const struct bhlab_step *s,
			    const struct bhlab_step_op *op,
			    struct bhlab_object *obj)
{
	u32 why = bhlab_step_values(c, s, op);

	if (!why && c->prefixed && op->closes)
		why = BHLAB_WHY_PREFIX;
	if (why)
		return why;
	c->prefixed = op->chooses;
	if (bhlab_step_waits(s, op))
		return bhlab_wait_check(c, s);
	if (op->is_busy || op->sleeps)
		return bhlab_step_time(c, s, op);
	if (op->opens)
		return bhlab_bracket_open(c, s, obj ? to_lock(obj) : NULL);
	if (op->closes)
		return bhlab_bracket_close(c, s, op);
	/* A program may end there. */
	return op->ends && c->depth ? BHLAB_WHY_NESTING : 0;
}

/*
 * Does a program pin the object that it names? A step that closes a bracket
 * names what the opening step has pinned.
 */
static bool bhlab_step_pins(const struct bhlab_step_op *op)
{
	return !op->closes && (op->target == BHLAB_KIND_LOCK ||
			       op->target == BHLAB_KIND_FIFO);
}

static u32 bhlab_step_add(struct bhlab_check *c, struct bhlab_program *p)
{
	const struct bhlab_step *s = &p->steps[p->nr];
	const struct bhlab_step_op *op = bhlab_step_op(s->op);
	struct bhlab_object *obj = NULL;
	u32 why = bhlab_step_shape(s, op);

	if (why)
		return why;
	if (bhlab_step_pins(op)) {
		obj = bhlab_object_pin(c->lab, s->target, op->target);
		if (!obj)
			return BHLAB_WHY_OBJECT;
	}
	why = bhlab_step_check(c, s, op, obj);
	if (why && obj)
		bhlab_object_unpin(obj);
	p->nr += !why;
	return why;
}

/* @step: index of the step that is refused. */
static u32 bhlab_program_check(struct bhlab_check *c, struct bhlab_program *p,
			       u32 nr, u32 *step)
{
	u32 why;

	while (p->nr < nr) {
		*step = p->nr;
		why = bhlab_step_add(c, p);
		if (why)
			return why;
	}
	if (c->prefixed) {
		*step = nr - 1;
		return BHLAB_WHY_PREFIX;
	}
	if (c->depth) {
		*step = c->open[c->depth - 1].step - p->steps;
		return BHLAB_WHY_NOT_CLOSED;
	}
	p->busy_ns = c->busy;
	p->charge_max = c->busy + nr * BHLAB_STEP_COST_NS;
	p->process_ns = c->context == BHLAB_CTX_TASK ? c->total : 0;
	p->process_ns += c->waits ? bhlab_limits.process_ns : 0;
	p->lingers = c->sleeps || c->busy > bhlab_limits.atomic_ns;
	p->mutexes = c->mutexes;
	return 0;
}

/*
 * The place of an item's program; @bh: it is on a BH queue. 0: there is no such
 * program.
 */
u32 bhlab_program_place(const struct bhlab_mech_ops *ops, bool bh, bool thread)
{
	if (thread)
		return ops->takes_thread ? BHLAB_IN_THREAD : 0;
	if (ops->takes_thread)
		return BHLAB_IN_TOP;
	if (ops->hard)
		return BHLAB_IN_HARD;
	if (ops->polls)
		return ops->context | BHLAB_IN_POLL;
	return bh ? BHLAB_CTX_SOFTIRQ : ops->context;
}

static void bhlab_check_init(struct bhlab_check *c,
			     const struct bhlab_item *item, bool thread)
{
	bool bh = item->queue && item->queue->bh;

	*c = (struct bhlab_check) {
		.lab = item->obj.lab,
		.item = item,
		.place = bhlab_program_place(item->ops, bh, thread),
		.context = thread ? BHLAB_CTX_TASK : bh ? BHLAB_CTX_SOFTIRQ :
							  item->ops->context,
	};
	/* An irq's thread has real-time priority. */
	c->atomic = thread || item->priority || c->context != BHLAB_CTX_TASK;
}

/* Read and check one of the two programs of @cmd, and report a refused step there. */
struct bhlab_program *bhlab_program_read(struct bhlab_item *item,
					 struct bhlab_item_create *cmd,
					 bool thread)
{
	u64 user = thread ? cmd->thread_steps : cmd->steps;
	u32 nr = thread ? cmd->nr_thread_steps : cmd->nr_steps;
	u32 step, why, first = thread ? cmd->nr_steps : 0;
	struct bhlab_check check;
	struct bhlab_program *p;
	int ret = -EFAULT;

	p = kzalloc(struct_size(p, steps, nr), GFP_KERNEL_ACCOUNT);
	if (!p)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(p->steps, u64_to_user_ptr(user),
			   array_size(nr, sizeof(*p->steps))))
		goto err;
	bhlab_check_init(&check, item, thread);
	why = bhlab_program_check(&check, p, nr, &step);
	if (!why)
		return p;
	ret = bhlab_program_refuse(cmd, why, first + step);
err:
	bhlab_program_free(item->obj.lab, p);
	return ERR_PTR(ret);
}

/* Called when the item is freed, or before that has an id; NULL is allowed. */
void bhlab_program_free(struct bhlab_lab *lab, struct bhlab_program *p)
{
	const struct bhlab_step_op *op;
	const struct bhlab_step *s;
	u32 i;

	for (i = 0; p && i < p->nr; i++) {
		s = &p->steps[i];
		op = bhlab_step_op(s->op);
		if (bhlab_step_pins(op))
			bhlab_object_unpin(bhlab_object_peek(lab, s->target,
							     op->target));
	}
	kfree(p);
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
