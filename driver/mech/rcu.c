// SPDX-License-Identifier: GPL-2.0-only
/*
 * rcu, rcu_work: run after a grace period, when all earlier readers have left:
 * as a callback of RCU, and as a work item.
 *
 * An rcu_head has no pending bit, and must not be passed to the kernel twice:
 * the pending bit is the driver's. Neither can be cancelled.
 */
#include <linux/rcupdate.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "item.h"
#include "object.h"
#include "queue.h"
#include "run.h"
#include "stamp.h"
#include "mech/mech.h"

/**
 * struct bhlab_rcu - an item of mechanism rcu
 * @item: the item
 * @head: the kernel's while @posted
 * @posted: under item.lock
 */
struct bhlab_rcu {
	struct bhlab_item item;
	struct rcu_head head;
	bool posted;
};

struct bhlab_rcu_work {
	struct bhlab_item item;
	struct rcu_work work;
};

static struct bhlab_rcu *to_rcu(struct bhlab_item *item)
{
	return container_of(item, struct bhlab_rcu, item);
}

static struct rcu_work *to_rwork(struct bhlab_item *item)
{
	return &container_of(item, struct bhlab_rcu_work, item)->work;
}

static void bhlab_rcu_fn(struct rcu_head *head)
{
	struct bhlab_rcu *rcu = container_of(head, struct bhlab_rcu, head);
	unsigned long flags;

	flags = bhlab_item_lock(&rcu->item);
	rcu->posted = false;
	bhlab_item_unlock(&rcu->item, flags);
	bhlab_item_run(&rcu->item);
}

static u32 bhlab_rcu_here(void)
{
	return IS_ENABLED(CONFIG_PREEMPT_RT) ? BHLAB_CTX_TASK :
					       BHLAB_CTX_SOFTIRQ;
}

static int bhlab_rcu_init(struct bhlab_item *item)
{
	return 0;
}

static int bhlab_rcu_queue(struct bhlab_item *item,
			   const struct bhlab_activation *act)
{
	struct bhlab_rcu *rcu = to_rcu(item);

	if (rcu->posted)
		return BHLAB_RESULT_ALREADY_PENDING;
	rcu->posted = true;
	call_rcu(&rcu->head, bhlab_rcu_fn);
	return BHLAB_RESULT_QUEUED;
}

static int bhlab_rcu_flush(struct bhlab_item *item)
{
	bool idle = bhlab_item_fire(item);

	rcu_barrier();
	return idle ? BHLAB_RESULT_IDLE : BHLAB_RESULT_WAITED;
}

static void bhlab_rcu_work_fn(struct work_struct *work)
{
	struct bhlab_rcu_work *w = container_of(to_rcu_work(work),
						struct bhlab_rcu_work, work);

	bhlab_item_run(&w->item);
}

static int bhlab_rcu_work_init(struct bhlab_item *item)
{
	/* As for work: in a softirq it needs its own lockdep class. */
	if (item->queue->bh)
		INIT_RCU_WORK(to_rwork(item), bhlab_rcu_work_fn);
	else
		INIT_RCU_WORK(to_rwork(item), bhlab_rcu_work_fn);
	return 0;
}

static void bhlab_rcu_work_stop(struct bhlab_item *item)
{
	flush_rcu_work(to_rwork(item));
}

static int bhlab_rcu_work_queue(struct bhlab_item *item,
				const struct bhlab_activation *act)
{
	return queue_rcu_work(act->queue->wq, to_rwork(item)) ?
	       BHLAB_RESULT_QUEUED : BHLAB_RESULT_ALREADY_PENDING;
}

static int bhlab_rcu_work_flush(struct bhlab_item *item)
{
	bhlab_item_fire(item);
	return flush_rcu_work(to_rwork(item)) ? BHLAB_RESULT_WAITED :
						BHLAB_RESULT_IDLE;
}

/* Until then the kernel's flush would wait for it. */
static void bhlab_rcu_work_returned(struct bhlab_item *item)
{
	flush_work(&to_rwork(item)->work);
}

const struct bhlab_mech_ops bhlab_rcu_ops = {
	.id = BHLAB_MECH_RCU,
	.native = BIT(BHLAB_VERB_QUEUE) | BIT(BHLAB_VERB_FLUSH),
	.emulated = BIT(BHLAB_VERB_DELAY),
	.context = BHLAB_CTX_SOFTIRQ,
	.context_here = bhlab_rcu_here,
	.size = sizeof(struct bhlab_rcu),
	/* The callback is in the module: it must have returned, not only started. */
	.after = BHLAB_AFTER_CALLBACKS,
	.init = bhlab_rcu_init,
	.queue = bhlab_rcu_queue,
	.flush = bhlab_rcu_flush,
};

const struct bhlab_mech_ops bhlab_rcu_work_ops = {
	.id = BHLAB_MECH_RCU_WORK,
	.native = BIT(BHLAB_VERB_QUEUE) | BIT(BHLAB_VERB_FLUSH),
	.emulated = BIT(BHLAB_VERB_DELAY),
	.context = BHLAB_CTX_TASK,
	.size = sizeof(struct bhlab_rcu_work),
	.takes_queue = true,
	.init = bhlab_rcu_work_init,
	.stop = bhlab_rcu_work_stop,
	.queue = bhlab_rcu_work_queue,
	.flush = bhlab_rcu_work_flush,
	.returned = bhlab_rcu_work_returned,
};
