// SPDX-License-Identifier: GPL-2.0-only
/*
 * irq_work: runs in hardirq context on the CPU that queued it, from a self-IPI;
 * with lazy at its next tick; on RT without hard in its irq_work thread.
 *
 * The kernel cannot cancel an irq_work. irq_work_sync() waits until the item is
 * idle, which an item that requeues itself never is, and on RT allows only one
 * waiter at a time. So flush is the driver's, and that call is used at the end
 * only.
 */
#include <linux/cpumask.h>
#include <linux/irq_work.h>

#include "item.h"
#include "run.h"
#include "mech/mech.h"

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

/*
 * The kernel does not count the runs of an item: it seems idle as soon as one of
 * two, on two CPUs, has ended. A grace period waits for the other, also for an
 * irq_work thread, for whose sake irq_work_sync() ends with one on RT. A lab has
 * many items, and one grace period does for all of them: see @after.
 */
static void bhlab_irq_work_stop(struct bhlab_item *item)
{
	struct irq_work *work = to_work(item);

	if (!IS_ENABLED(CONFIG_PREEMPT_RT) || irq_work_is_busy(work))
		irq_work_sync(work);
}

/*
 * On RT the irq_work thread of a CPU that is going offline is parked, and runs
 * the item only when the CPU is back.
 */
static int bhlab_irq_work_admit(struct bhlab_item *item,
				const struct bhlab_activation *act)
{
	if (!IS_ENABLED(CONFIG_PREEMPT_RT) || item->flags & BHLAB_ITEM_HARD)
		return 0;
	return cpu_active(smp_processor_id()) ? 0 : -ENODEV;
}

static int bhlab_irq_work_queue(struct bhlab_item *item,
				const struct bhlab_activation *act)
{
	return irq_work_queue(to_work(item)) ? BHLAB_RESULT_QUEUED :
					       BHLAB_RESULT_ALREADY_PENDING;
}

const struct bhlab_mech_ops bhlab_irq_work_ops = {
	.id = BHLAB_MECH_IRQ_WORK,
	.native = BIT(BHLAB_VERB_QUEUE),
	.emulated = BIT(BHLAB_VERB_DELAY) | BIT(BHLAB_VERB_FLUSH),
	.context = BHLAB_CTX_HARDIRQ,
	.context_here = bhlab_irq_work_here,
	.attrs = BHLAB_ITEM_HARD | BHLAB_ITEM_LAZY,
	.size = sizeof(struct bhlab_irq_work),
	.init = bhlab_irq_work_init,
	.stop = bhlab_irq_work_stop,
	.after = BHLAB_AFTER_GRACE,
	.admit = bhlab_irq_work_admit,
	.queue = bhlab_irq_work_queue,
	.flush = bhlab_item_flush_own,
};
