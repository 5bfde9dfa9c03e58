/* SPDX-License-Identifier: GPL-2.0-only */
/* Steps: what programs are made of. */
#ifndef BHLAB_STEP_H
#define BHLAB_STEP_H

#include <linux/bits.h>
#include <linux/types.h>

#include <linux/bhlab.h>

struct bhlab_item;
struct bhlab_run;

/*
 * A program's place is the context that it is written for, BHLAB_CTX_TASK,
 * _SOFTIRQ or _HARDIRQ; the two programs of an irq have places of their own.
 */
#define BHLAB_IN_TOP		BIT(16)
#define BHLAB_IN_THREAD		BIT(17)
/* In addition to its context: a poll. */
#define BHLAB_IN_POLL		BIT(18)
/* In the place of its context: a hard interrupt, on PREEMPT_RT too. */
#define BHLAB_IN_HARD		BIT(19)

/**
 * struct bhlab_step_op - one kind of step
 * @places: the places of programs that may contain it
 * @target: the kind of object that it names, or BHLAB_KIND_RESERVED
 * @arg_min, @arg_max: of its argument; @arg_max 0: it has none
 * @takes: BHLAB_STEP_* that it may have
 * @is_busy: it is busy for its argument
 * @sleeps: it sleeps for its argument
 * @activates: it activates something, which the lab's chain bounds
 * @opens: it opens a bracket; a lock that it names is the program's until its end
 * @closes: enum bhlab_op: the step whose bracket it closes
 * @ends: it may end the program
 * @flag: BHLAB_ITEM_* that its item needs
 * @cap: capability that the item's creator needs; 0 (CAP_CHOWN) means none
 * @verb: enum bhlab_verb that the mechanism of its target needs, for @on_item
 * @chooses: it is a prefix: is the next step for this run?
 * @run: carries it out
 * @on_item: carries it out on the item that it names, or on its own; returns a
 *	result, or the errno with which it is skipped
 * @wait: the same for a step that waits; beside @on_item with BHLAB_STEP_SYNC
 */
struct bhlab_step_op {
	u32 places;
	enum bhlab_kind target;
	u64 arg_min;
	u64 arg_max;
	u32 takes;
	bool is_busy;
	bool sleeps;
	bool activates;
	bool opens;
	enum bhlab_op closes;
	bool ends;
	u32 flag;
	int cap;
	enum bhlab_verb verb;
	bool (*chooses)(const struct bhlab_run *run, const struct bhlab_step *s);
	void (*run)(struct bhlab_run *run, const struct bhlab_step *s);
	int (*on_item)(struct bhlab_run *run, const struct bhlab_step *s,
		       struct bhlab_item *target);
	int (*wait)(struct bhlab_run *run, const struct bhlab_step *s);
};

/* The longest that a step is busy, or sleeps. */
static inline u64 bhlab_step_ns(const struct bhlab_step *s)
{
	return s->arg + (s->flags & BHLAB_STEP_RANGE ? s->target : 0);
}

/* Does it wait for something that others do? */
static inline bool bhlab_step_waits(const struct bhlab_step *s,
				    const struct bhlab_step_op *op)
{
	return op->wait && (!op->on_item || s->flags & BHLAB_STEP_SYNC);
}

const struct bhlab_step_op *bhlab_step_op(u32 op);
u32 bhlab_steps_in(u32 place);
void bhlab_program_run(struct bhlab_run *run);

#endif /* BHLAB_STEP_H */
