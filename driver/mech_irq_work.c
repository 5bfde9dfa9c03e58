// SPDX-License-Identifier: GPL-2.0-only
/*
 * irq_work: runs in hardirq context on the CPU that queued it, from a self-IPI;
 * with lazy at its next tick; on RT without hard in its irq_work thread.
 *
 * The kernel can not take an irq_work back: cancel is the driver's.
 */
#include <linux/irq_work.h>

#include "bhlab.h"

struct bhlab_irq_work {
	struct bhlab_item item;
	struct irq_work work;
};

static struct irq_work *to_work(struct bhlab_item *item)
{
	return &container_of(item, struct bhlab_irq_work, item)->work;
}

static void bhlab_irq_work_fn(struct irq_work *work)
{
	bhlab_item_run(&container_of(work, struct bhlab_irq_work, work)->item);
}

static u32 bhlab_irq_work_here(void)
{
	return IS_ENABLED(CONFIG_PREEMPT_RT) ? BHLAB_CTX_TASK :
					       BHLAB_CTX_HARDIRQ;
}

static int bhlab_irq_work_init(struct bhlab_item *item)
{
	if (item->flags & BHLAB_ITEM_HARD)
		*to_work(item) = IRQ_WORK_INIT_HARD(bhlab_irq_work_fn);
	else if (item->flags & BHLAB_ITEM_LAZY)
		*to_work(item) = IRQ_WORK_INIT_LAZY(bhlab_irq_work_fn);
	else
		*to_work(item) = IRQ_WORK_INIT(bhlab_irq_work_fn);
	return 0;
}

static void bhlab_irq_work_stop(struct bhlab_item *item)
{
	irq_work_sync(to_work(item));
}

static int bhlab_irq_work_queue(struct bhlab_item *item,
				const struct bhlab_activation *act)
{
	return bhlab_item_revive(item, irq_work_queue(to_work(item)));
}

/* The kernel has one call to wait for both, the pending and the running one. */
static int bhlab_irq_work_flush(struct bhlab_item *item)
{
	bool idle = bhlab_item_fire(item);

	irq_work_sync(to_work(item));
	return idle ? BHLAB_RESULT_IDLE : BHLAB_RESULT_WAITED;
}

static bool bhlab_irq_work_sync(struct bhlab_item *item)
{
	irq_work_sync(to_work(item));
	return false;
}

const struct bhlab_mech_ops bhlab_irq_work_ops = {
	.id = BHLAB_MECH_IRQ_WORK,
	.name = "irq_work",
	.native = BIT(BHLAB_VERB_QUEUE) | BIT(BHLAB_VERB_FLUSH),
	.emulated = BIT(BHLAB_VERB_DELAY) | BIT(BHLAB_VERB_CANCEL),
	.steps = BHLAB_STEPS_ANY | BIT(BHLAB_OP_REQUEUE),
	.context = BHLAB_CTX_HARDIRQ,
	.context_here = bhlab_irq_work_here,
	.attrs = BHLAB_ITEM_HARD | BHLAB_ITEM_LAZY,
	.size = sizeof(struct bhlab_irq_work),
	.init = bhlab_irq_work_init,
	.stop = bhlab_irq_work_stop,
	.queue = bhlab_irq_work_queue,
	.cancel = bhlab_item_withdraw,
	.sync = bhlab_irq_work_sync,
	.flush = bhlab_irq_work_flush,
};
