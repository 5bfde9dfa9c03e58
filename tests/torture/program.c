// SPDX-License-Identifier: GPL-2.0-only
/* Programs that are right, most of them. One field is spoiled later, in plan.c. */
#include "fuzz.h"

struct writer {
	struct plan *plan;
	struct bhlab_step *steps;
	uint32_t nr;
	uint32_t context;
	bool top, thread, root, irq;
};

static struct bhlab_step *add(struct writer *w, uint32_t op)
{
	struct bhlab_step *s;

	if (w->nr == MAX_STEPS)
		w->nr--;
	s = &w->steps[w->nr++];
	/* a patch of what was there before must not come here */
	for (unsigned int i = 0; i < w->plan->nr_patches; i++)
		if (w->plan->patches[i].field == &s->target)
			w->plan->patches[i--] = w->plan->patches[--w->plan->nr_patches];
	*s = (struct bhlab_step){ .op = op };
	return s;
}

static enum kind any_item(struct rng *r)
{
	return one_in(r, 4) ? KIND_TASKLET : KIND_ITEM;
}

static void add_on_item(struct writer *w)
{
	static const uint32_t ops[] = {
		BHLAB_OP_QUEUE, BHLAB_OP_QUEUE, BHLAB_OP_DELAY, BHLAB_OP_TRIGGER,
		BHLAB_OP_CANCEL, BHLAB_OP_DISABLE, BHLAB_OP_ENABLE,
	};
	struct rng *r = &w->plan->rng;
	uint32_t op = PICK(r, ops);
	struct bhlab_step *s = add(w, op);

	/* root's spins in the softirq while it is disabled, see docs/security.md */
	plan_id(w->plan, &s->target, op == BHLAB_OP_TRIGGER ? KIND_IRQ :
		op == BHLAB_OP_DISABLE && w->root ? KIND_ITEM : any_item(r));
	if (op == BHLAB_OP_DELAY)
		s->arg = below(r, 5 * MS);
	if ((op == BHLAB_OP_QUEUE || op == BHLAB_OP_DELAY) && one_in(r, 4)) {
		s->flags = BHLAB_STEP_CPU;
		s->cpu = below(r, cpus());
	}
}

static void add_inside(struct writer *w)
{
	struct rng *r = &w->plan->rng;

	if (one_in(r, 2))
		add(w, BHLAB_OP_MARK)->arg = rng_next(r);
	else
		add(w, BHLAB_OP_SPIN)->arg = below(r, 20 * US);
}

static void add_bracket(struct writer *w)
{
	struct rng *r = &w->plan->rng;
	bool task = w->context == BHLAB_CTX_TASK;
	uint32_t lock = 0, way = below(r, 3), nr;

	if (way == 0) {
		struct bhlab_step *open = add(w, BHLAB_OP_LOCK);

		plan_id(w->plan, &open->target, KIND_LOCK);
		lock = w->plan->nr_patches;
	} else {
		if ((way == 1 && !task) || w->context == BHLAB_CTX_HARDIRQ)
			return;
		add(w, way == 1 ? BHLAB_OP_BH_OFF : BHLAB_OP_IRQ_OFF);
	}
	nr = w->nr;
	if (one_in(r, 4))
		add_on_item(w);
	else
		add_inside(w);
	if (w->nr != nr + 1)
		return;
	if (way) {
		add(w, way == 1 ? BHLAB_OP_BH_ON : BHLAB_OP_IRQ_ON);
		return;
	}
	/* the same lock, whichever that will be */
	if (lock && w->plan->nr_patches < MAX_PATCHES) {
		struct bhlab_step *close = add(w, BHLAB_OP_UNLOCK);
		struct patch patch = w->plan->patches[lock - 1];

		close->target = *patch.field;
		if (patch.kind == KIND_LOCK) {
			patch.field = &close->target;
			w->plan->patches[w->plan->nr_patches++] = patch;
		}
	}
}

static void add_on_fifo(struct writer *w)
{
	struct rng *r = &w->plan->rng;
	struct bhlab_step *s = add(w, one_in(r, 2) ? BHLAB_OP_PUSH : BHLAB_OP_POP);

	s->arg = 1 + below(r, 200);
	plan_id(w->plan, &s->target, KIND_FIFO);
}

static void add_step(struct writer *w)
{
	struct rng *r = &w->plan->rng;

	switch (below(r, 10)) {
	case 0:
		add(w, BHLAB_OP_SPIN)->arg = below(r, w->root && one_in(r, 8) ? 3 * MS : 50 * US);
		break;
	case 1:
		if (w->context == BHLAB_CTX_TASK)
			add(w, BHLAB_OP_SLEEP)->arg = below(r, 4 * MS);
		break;
	case 2:
		if (!w->irq)
			add(w, BHLAB_OP_REQUEUE)->arg = one_in(r, 16) ? 0 : 1 + below(r, 4);
		break;
	case 3:
		if (w->top && w->thread)
			add(w, BHLAB_OP_THREAD);
		break;
	case 4:
		add_bracket(w);
		break;
	case 5:
		add_on_fifo(w);
		break;
	case 6:
		add(w, BHLAB_OP_MARK)->arg = rng_next(r);
		break;
	default:
		add_on_item(w);
	}
}

static uint32_t context_of(uint32_t mech, bool bh)
{
	switch (mech) {
	case BHLAB_MECH_WORK:
	case BHLAB_MECH_RCU_WORK:
		return bh ? BHLAB_CTX_SOFTIRQ : BHLAB_CTX_TASK;
	case BHLAB_MECH_KTHREAD_WORK:
		return BHLAB_CTX_TASK;
	case BHLAB_MECH_IRQ:
	case BHLAB_MECH_IRQ_WORK:
	case BHLAB_MECH_HRTIMER:
		return BHLAB_CTX_HARDIRQ;
	default:
		return BHLAB_CTX_SOFTIRQ;
	}
}

uint32_t plan_steps(struct plan *p, unsigned int which, uint32_t mech, bool bh, bool root)
{
	struct writer w = {
		.plan = p,
		.steps = p->steps[which],
		.context = which ? BHLAB_CTX_TASK : context_of(mech, bh),
		.irq = mech == BHLAB_MECH_IRQ,
		.top = mech == BHLAB_MECH_IRQ && !which,
		.thread = true,
		.root = root,
	};

	for (uint32_t i = below(&p->rng, 6); i; i--)
		add_step(&w);
	return w.nr;
}
