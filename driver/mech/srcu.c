// SPDX-License-Identifier: GPL-2.0-only
/*
 * srcu: a callback that runs when all readers of one srcu_struct have left. Each
 * item has an srcu_struct of its own, so readers of RCU do not hold it back, nor do
 * those of another item. It runs in a kworker, with bottom halves off.
 *
 * As for rcu the pending bit is the driver's, and nothing can be cancelled.
 *
 * On older kernels call_srcu() takes a spinlock_t, which must not be taken with
 * the item's raw lock held: there an irq_work makes the call, which on PREEMPT_RT
 * runs in a thread.
 */
#include <linux/irq_work.h>
#include <linux/srcu.h>

#include "compat.h"
#include "item.h"
#include "object.h"
#include "run.h"
#include "stamp.h"
#include "mech/mech.h"

/**
 * struct bhlab_srcu - an item of mechanism srcu
 * @item: the item
 * @domain: has no readers
 * @head: the kernel's while @posted
 * @post: calls call_srcu()
 * @posted: under item.lock
 */
struct bhlab_srcu {
	struct bhlab_item item;
	struct srcu_struct domain;
	struct rcu_head head;
	struct irq_work post;
	bool posted;
};

static struct bhlab_srcu *to_srcu(struct bhlab_item *item)
{
	return container_of(item, struct bhlab_srcu, item);
}

static void bhlab_srcu_fn(struct rcu_head *head)
{
	struct bhlab_srcu *srcu = container_of(head, struct bhlab_srcu, head);
	unsigned long flags;

	flags = bhlab_item_lock(&srcu->item);
	srcu->posted = false;
	bhlab_item_unlock(&srcu->item, flags);
	bhlab_item_run(&srcu->item);
}

static void bhlab_srcu_post(struct bhlab_srcu *srcu)
{
	call_srcu(&srcu->domain, &srcu->head, bhlab_srcu_fn);
}

static void bhlab_srcu_post_fn(struct irq_work *post)
{
	bhlab_srcu_post(container_of(post, struct bhlab_srcu, post));
}

static u32 bhlab_srcu_here(void)
{
	return BHLAB_CTX_TASK;
}

static int bhlab_srcu_init(struct bhlab_item *item)
{
	struct bhlab_srcu *srcu = to_srcu(item);

	srcu->post = IRQ_WORK_INIT(bhlab_srcu_post_fn);
	return init_srcu_struct(&srcu->domain);
}

/* What is about to be posted, then what is posted. */
static void bhlab_srcu_barrier(struct bhlab_srcu *srcu)
{
	if (!BHLAB_CAN_CALL_SRCU_RAW)
		irq_work_sync(&srcu->post);
	srcu_barrier(&srcu->domain);
}

/* Where an irq_work may be about to post it, the barrier might come too early. */
static int bhlab_srcu_flush(struct bhlab_item *item)
{
	bool idle;

	if (!BHLAB_CAN_CALL_SRCU_RAW)
		return bhlab_item_flush_own(item);
	idle = bhlab_item_fire(item);
	srcu_barrier(&to_srcu(item)->domain);
	return idle ? BHLAB_RESULT_IDLE : BHLAB_RESULT_WAITED;
}

static void bhlab_srcu_stop(struct bhlab_item *item)
{
	bhlab_srcu_barrier(to_srcu(item));
}

static void bhlab_srcu_free(struct bhlab_item *item)
{
	cleanup_srcu_struct(&to_srcu(item)->domain);
}

/*
 * On RT the irq_work thread of a CPU that is going offline is parked, see
 * irq_work.c.
 */
static int bhlab_srcu_admit(struct bhlab_item *item,
			    const struct bhlab_activation *act)
{
	if (BHLAB_CAN_CALL_SRCU_RAW || !IS_ENABLED(CONFIG_PREEMPT_RT))
		return 0;
	return cpu_active(smp_processor_id()) ? 0 : -ENODEV;
}

static int bhlab_srcu_queue(struct bhlab_item *item,
			    const struct bhlab_activation *act)
{
	struct bhlab_srcu *srcu = to_srcu(item);

	if (srcu->posted)
		return BHLAB_RESULT_ALREADY_PENDING;
	srcu->posted = true;
	if (BHLAB_CAN_CALL_SRCU_RAW)
		bhlab_srcu_post(srcu);
	else
		irq_work_queue(&srcu->post);
	return BHLAB_RESULT_QUEUED;
}

const struct bhlab_mech_ops bhlab_srcu_ops = {
	.id = BHLAB_MECH_SRCU,
	.native = BIT(BHLAB_VERB_QUEUE) |
		  (BHLAB_CAN_CALL_SRCU_RAW ? BIT(BHLAB_VERB_FLUSH) : 0),
	.emulated = BIT(BHLAB_VERB_DELAY) |
		    (BHLAB_CAN_CALL_SRCU_RAW ? 0 : BIT(BHLAB_VERB_FLUSH)),
	.context = BHLAB_CTX_SOFTIRQ,
	.context_here = bhlab_srcu_here,
	.size = sizeof(struct bhlab_srcu),
	/* For the end of the irq_work, see irq_work.c. */
	.after = BHLAB_CAN_CALL_SRCU_RAW ? 0 : BHLAB_AFTER_GRACE,
	.init = bhlab_srcu_init,
	.stop = bhlab_srcu_stop,
	.free = bhlab_srcu_free,
	.admit = bhlab_srcu_admit,
	.queue = bhlab_srcu_queue,
	.flush = bhlab_srcu_flush,
};
