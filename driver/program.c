// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs: handlers that are data. Checked here, when the item is made, against
 * the context that they are written for; step.c runs them.
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

/* What a step that neither spins nor sleeps takes at most, on a slow machine. */
#define BHLAB_STEP_COST_NS	(20 * NSEC_PER_USEC)

/* Each lock once, BH_OFF and IRQ_OFF. */
#define BHLAB_BRACKETS		(BHLAB_LOCKS + 2)

/* An open bracket: the step, and the lock if it is one. */
struct bhlab_bracket {
	const struct bhlab_step *step;
	const struct bhlab_lock *lock;
};

/**
 * struct bhlab_check - a program while it is checked
 * @lab: where it looks for locks and FIFOs
 * @item: whose it is
 * @place: what it is written for, see step.h
 * @context: the same, as a context
 * @atomic: all of its time counts as atomic
 * @busy: how long it spins up to here
 * @total: how long it takes up to here
 * @busy_atomic: how long it spins in atomic context up to here
 * @sleeps: it sleeps, or may in a lock
 * @open: the brackets that it is in
 * @depth: how many
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
	bool sleeps;
	struct bhlab_bracket open[BHLAB_BRACKETS];
	u32 depth;
};

/* What a step is made of, whatever program it is in. */
static bool bhlab_step_shape(const struct bhlab_step *s,
			     const struct bhlab_step_op *op)
{
	bool cpu = s->flags & BHLAB_STEP_CPU;

	return op && !(s->flags & ~BHLAB_STEP_CPU) &&
	       (!s->target || op->target != BHLAB_KIND_RESERVED) &&
	       (!s->arg || op->arg_max) && (!cpu || op->takes_cpu) &&
	       (!s->cpu || cpu);
}

static int bhlab_step_values(const struct bhlab_check *c,
			     const struct bhlab_step *s,
			     const struct bhlab_step_op *op)
{
	if (!(op->places & c->place) ||
	    (!s->target && op->target == BHLAB_KIND_ITEM) ||
	    s->arg < op->arg_min || s->arg > op->arg_max)
		return -EINVAL;
	if (s->flags & BHLAB_STEP_CPU &&
	    (s->cpu >= nr_cpu_ids || !cpu_possible(s->cpu)))
		return -ENODEV;
	if (op->flag & ~c->item->flags)
		return -EINVAL;
	if (op->cap && !capable(op->cap))
		return -EPERM;
	return 0;
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
 * May @lock be taken inside of @b? In the order of creation; without sleeping
 * in atomic context, and on RT a spin lock sleeps; and without turning bottom
 * halves on where interrupts are off.
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

static bool bhlab_lock_fits(const struct bhlab_check *c,
			    const struct bhlab_lock *lock)
{
	u32 i;

	if (c->item->flags & (BHLAB_ITEM_HARD | BHLAB_ITEM_IRQSAFE) ||
	    lock->context < c->context ||
	    (lock->kind == BHLAB_LOCK_MUTEX && c->context != BHLAB_CTX_TASK))
		return false;
	for (i = 0; i < c->depth; i++)
		if (!bhlab_lock_nests(&c->open[i], lock))
			return false;
	return true;
}

/* May BH_OFF or IRQ_OFF come here? */
static bool bhlab_off_fits(const struct bhlab_check *c, u32 op)
{
	const struct bhlab_bracket *b;

	for (b = c->open; b < c->open + c->depth; b++) {
		if (bhlab_bracket_is(b, op) ||
		    bhlab_bracket_is(b, BHLAB_OP_IRQ_OFF))
			return false;
		if (op == BHLAB_OP_BH_OFF && b->lock &&
		    b->lock->context == BHLAB_CTX_HARDIRQ)
			return false;
	}
	return true;
}

static int bhlab_bracket_open(struct bhlab_check *c, const struct bhlab_step *s,
			      const struct bhlab_lock *lock)
{
	if (lock ? !bhlab_lock_fits(c, lock) : !bhlab_off_fits(c, s->op))
		return -EINVAL;
	if (lock)
		c->sleeps |= lock->kind == BHLAB_LOCK_MUTEX ||
			     IS_ENABLED(CONFIG_PREEMPT_RT);
	c->open[c->depth++] = (struct bhlab_bracket) { s, lock };
	return 0;
}

static int bhlab_bracket_close(struct bhlab_check *c, const struct bhlab_step *s,
			       const struct bhlab_step_op *op)
{
	const struct bhlab_bracket *b;

	if (!c->depth)
		return -EINVAL;
	b = &c->open[c->depth - 1];
	if (!bhlab_bracket_is(b, op->closes) || b->step->target != s->target)
		return -EINVAL;
	c->depth--;
	return 0;
}

/*
 * The time of one run: busy in atomic context or at real-time priority, or all.
 * Who is more urgent may wait for a mutex, too, and lend its priority to whoever
 * holds it: what spins inside counts as well.
 */
static int bhlab_step_time(struct bhlab_check *c, const struct bhlab_step *s,
			   const struct bhlab_step_op *op)
{
	if (op->sleeps && bhlab_in_atomic(c))
		return -EINVAL;
	c->total += s->arg;
	c->sleeps |= op->sleeps;
	if (op->is_busy) {
		c->busy += s->arg;
		if (c->atomic || c->depth)
			c->busy_atomic += s->arg;
	}
	if (c->total > bhlab_limits.process_ns)
		return -EINVAL;
	if (c->busy_atomic <= bhlab_limits.atomic_ns)
		return 0;
	if (c->busy_atomic > bhlab_limits.atomic_cap_ns)
		return -EINVAL;
	return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

static int bhlab_step_check(struct bhlab_check *c, const struct bhlab_step *s,
			    const struct bhlab_step_op *op,
			    struct bhlab_object *obj)
{
	int ret = bhlab_step_values(c, s, op);

	if (ret)
		return ret;
	if (op->is_busy || op->sleeps)
		return bhlab_step_time(c, s, op);
	if (op->opens)
		return bhlab_bracket_open(c, s, obj ? to_lock(obj) : NULL);
	return op->closes ? bhlab_bracket_close(c, s, op) : 0;
}

/* Does a program keep what it names? What closes a bracket names no more. */
static bool bhlab_step_pins(const struct bhlab_step_op *op)
{
	return !op->closes && (op->target == BHLAB_KIND_LOCK ||
			       op->target == BHLAB_KIND_FIFO);
}

static int bhlab_step_add(struct bhlab_check *c, struct bhlab_program *p)
{
	const struct bhlab_step *s = &p->steps[p->nr];
	const struct bhlab_step_op *op = bhlab_step_op(s->op);
	struct bhlab_object *obj = NULL;
	int ret;

	if (!bhlab_step_shape(s, op))
		return -EOPNOTSUPP;
	if (bhlab_step_pins(op)) {
		obj = bhlab_object_pin(c->lab, s->target, op->target);
		if (!obj)
			return -ENOENT;
	}
	ret = bhlab_step_check(c, s, op, obj);
	if (ret && obj)
		bhlab_object_unpin(obj);
	p->nr += !ret;
	return ret;
}

static int bhlab_program_check(struct bhlab_check *c, struct bhlab_program *p,
			       u32 nr)
{
	int ret;

	while (p->nr < nr) {
		ret = bhlab_step_add(c, p);
		if (ret)
			return ret;
	}
	/* One that is never closed: that is the step to name. */
	if (c->depth) {
		p->open = c->open[c->depth - 1].step - p->steps;
		return -EINVAL;
	}
	p->busy_ns = c->busy;
	p->charge_max = c->busy + nr * BHLAB_STEP_COST_NS;
	p->process_ns = c->context == BHLAB_CTX_TASK ? c->total : 0;
	p->lingers = c->sleeps || c->busy > bhlab_limits.atomic_ns;
	return 0;
}

/* The place of a program of such an item, @bh: on a BH queue; 0: it has none. */
u32 bhlab_program_place(const struct bhlab_mech_ops *ops, bool bh, bool thread)
{
	if (thread)
		return ops->takes_thread ? BHLAB_IN_THREAD : 0;
	if (ops->takes_thread)
		return BHLAB_IN_TOP;
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

/*
 * Read and check one of the two programs of @cmd. When a step is refused, *bad
 * counts which, from 1, the thread's after the others.
 */
struct bhlab_program *bhlab_program_read(struct bhlab_item *item,
					 const struct bhlab_item_create *cmd,
					 bool thread, u32 *bad)
{
	u64 user = thread ? cmd->thread_steps : cmd->steps;
	u32 nr = thread ? cmd->nr_thread_steps : cmd->nr_steps;
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
	ret = bhlab_program_check(&check, p, nr);
	if (!ret)
		return p;
	*bad = (p->nr < nr ? p->nr : p->open) + 1 + (thread ? cmd->nr_steps : 0);
err:
	bhlab_program_free(item->obj.lab, p);
	return ERR_PTR(ret);
}

/* With its item, or before that has an id: NULL is fine. */
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
