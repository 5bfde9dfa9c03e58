// SPDX-License-Identifier: GPL-2.0-only
/*
 * kthread_work: a kthread_delayed_work on its own kthread_worker; runs in that
 * thread, at the priority that the item asks for.
 *
 * The kernel cancels it only from a context that may wait, and does not report
 * everything that it did. kthread_cancel_delayed_work_sync() returns false for
 * an item that its timer was about to put on the worker's list, and dropped
 * because of the cancel. kthread_mod_delayed_work() returns false for that, too.
 * The counters tell both cases: an activation was accepted and has not started.
 */
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <uapi/linux/sched/types.h>

#include "compat.h"
#include "delay.h"
#include "item.h"
#include "lab.h"
#include "object.h"
#include "run.h"
#include "stamp.h"
#include "user.h"
#include "mech/mech.h"

struct bhlab_kthread {
	struct bhlab_item item;
	struct kthread_worker *worker;
	struct kthread_delayed_work dwork;
};

static struct bhlab_kthread *to_kthread(struct bhlab_item *item)
{
	return container_of(item, struct bhlab_kthread, item);
}

/*
 * The worker may have taken the item, and its handler wait for the lock, when
 * the item gets another delay: then that activation is for the later of the two.
 * The worker's lock excludes that its timer is halfway between two lists.
 */
static bool bhlab_kthread_due(struct bhlab_item *item)
{
	struct bhlab_kthread *kt = to_kthread(item);
	bool listed;

	raw_spin_lock(&kt->worker->lock);
	listed = !list_empty(&kt->dwork.work.node);
	raw_spin_unlock(&kt->worker->lock);
	return bhlab_item_outstanding(item) > listed;
}

static void bhlab_kthread_fn(struct kthread_work *work)
{
	struct bhlab_kthread *kt = container_of(work, struct bhlab_kthread,
						dwork.work);

	bhlab_item_run_due(&kt->item, bhlab_kthread_due);
}

static void bhlab_kthread_prioritise(struct bhlab_item *item)
{
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = item->priority ? SCHED_FIFO : SCHED_NORMAL,
		.sched_priority = item->priority,
		.sched_nice = item->nice,
	};

	sched_setattr_nocheck(to_kthread(item)->worker->task, &attr);
}

static int bhlab_kthread_init(struct bhlab_item *item)
{
	struct bhlab_kthread *kt = to_kthread(item);

	kt->worker = kthread_run_worker(0, "bhlab%u/%s", item->obj.lab->id,
					item->obj.name);
	if (IS_ERR(kt->worker))
		return PTR_ERR(kt->worker);
	kthread_init_delayed_work(&kt->dwork, bhlab_kthread_fn);
	bhlab_kthread_prioritise(item);
	return 0;
}

static void bhlab_kthread_stop(struct bhlab_item *item)
{
	struct bhlab_kthread *kt = to_kthread(item);

	kthread_cancel_delayed_work_sync(&kt->dwork);
	kthread_destroy_worker(kt->worker);
}

static int bhlab_kthread_queue(struct bhlab_item *item,
			       const struct bhlab_activation *act)
{
	struct bhlab_kthread *kt = to_kthread(item);

	/* Nor does the kernel take it while it cancels; see bhlab_kthread_sync(). */
	if (item->syncing ||
	    !kthread_queue_delayed_work(kt->worker, &kt->dwork,
					bhlab_delay_jiffies(act->ns)))
		return BHLAB_RESULT_ALREADY_PENDING;
	return BHLAB_RESULT_QUEUED;
}

static int bhlab_kthread_delay(struct bhlab_item *item,
			       const struct bhlab_activation *act)
{
	struct bhlab_kthread *kt = to_kthread(item);

	if (!act->mod || item->syncing)
		return bhlab_kthread_queue(item, act);
	kthread_mod_delayed_work(kt->worker, &kt->dwork,
				 bhlab_delay_jiffies(act->ns));
	return bhlab_item_outstanding(item) ? BHLAB_RESULT_MODIFIED :
					      BHLAB_RESULT_QUEUED;
}

/*
 * Nothing was accepted meanwhile, and nothing is pending or running any more: so
 * an outstanding activation was cancelled, whatever the kernel returns.
 */
static bool bhlab_kthread_sync(struct bhlab_item *item)
{
	kthread_cancel_delayed_work_sync(&to_kthread(item)->dwork);
	return true;
}

static void bhlab_kthread_fire(struct bhlab_item *item)
{
	struct bhlab_kthread *kt = to_kthread(item);

	if (timer_pending(&kt->dwork.timer))
		kthread_mod_delayed_work(kt->worker, &kt->dwork, 0);
}

/*
 * Not by kthread_flush_work(): for a delayed item, which another thread may
 * delay again right now, that puts its barrier on the list of delayed items,
 * where it stays. The worker has no other item.
 */
static int bhlab_kthread_flush(struct bhlab_item *item)
{
	bool idle = bhlab_item_fire(item);

	kthread_flush_worker(to_kthread(item)->worker);
	return idle ? BHLAB_RESULT_IDLE : BHLAB_RESULT_WAITED;
}

static bool bhlab_kthread_delayed(struct bhlab_item *item)
{
	return timer_pending(&to_kthread(item)->dwork.timer);
}

const struct bhlab_mech_ops bhlab_kthread_work_ops = {
	.id = BHLAB_MECH_KTHREAD_WORK,
	.native = BIT(BHLAB_VERB_QUEUE) | BIT(BHLAB_VERB_DELAY) |
		  BIT(BHLAB_VERB_CANCEL) | BIT(BHLAB_VERB_FLUSH),
	.context = BHLAB_CTX_TASK,
	.size = sizeof(struct bhlab_kthread),
	.resource = BHLAB_RES_THREAD,
	.takes_priority = true,
	.sync_cancels = true,
	.init = bhlab_kthread_init,
	.stop = bhlab_kthread_stop,
	.queue = bhlab_kthread_queue,
	.delay = bhlab_kthread_delay,
	.sync = bhlab_kthread_sync,
	.fire = bhlab_kthread_fire,
	.flush = bhlab_kthread_flush,
	.delayed = bhlab_kthread_delayed,
};
