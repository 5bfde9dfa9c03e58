// SPDX-License-Identifier: GPL-2.0-only
/*
 * irq_poll: a poll function that runs in IRQ_POLL_SOFTIRQ on the CPU that
 * scheduled it. It is told its weight, and returns how much it has done: with less
 * than that it has completed, with as much the kernel polls again.
 *
 * Until it completes it stays scheduled, and irq_poll_sched() does nothing: what
 * comes while it runs is for this run. So an activation that comes then coalesces,
 * and gets no run of its own. A run that queues itself again, or has used up its
 * weight, is an activation for the next poll.
 *
 * The kernel can neither cancel it nor wait for it, except by irq_poll_disable(),
 * which waits until it is not scheduled, and then keeps it from being. It would
 * wait forever for one that is disabled.
 */
#include <linux/list.h>
#include <linux/irq_poll.h>
#include <linux/wait.h>

#include "compat.h"
#include "item.h"
#include "lab.h"
#include "object.h"
#include "program.h"
#include "run.h"
#include "stamp.h"
#include "step.h"
#include "mech/mech.h"

/**
 * struct bhlab_poll - an item of mechanism irq_poll
 * @item: the item
 * @poll: the kernel's
 * @polling: its function runs, and is not complete; this and all that follows is
 *	under item.lock
 * @again: it is to be polled again
 * @disabling: a call waits in irq_poll_disable()
 * @off: irq_poll_disable() has returned
 */
struct bhlab_poll {
	struct bhlab_item item;
	struct irq_poll poll;
	bool polling;
	bool again;
	bool disabling;
	bool off;
};

static struct bhlab_poll *to_poll(struct bhlab_item *item)
{
	return container_of(item, struct bhlab_poll, item);
}

static bool bhlab_poll_scheduled(const struct bhlab_poll *bp)
{
	return test_bit(IRQ_POLL_F_SCHED, &bp->poll.state);
}

static void bhlab_poll_begin(struct bhlab_poll *bp)
{
	unsigned long flags = bhlab_item_lock(&bp->item);

	bp->polling = true;
	bhlab_item_unlock(&bp->item, flags);
}

static void bhlab_poll_complete_locked(struct bhlab_poll *bp)
{
	lockdep_assert_held(&bp->item.lock);
	bp->polling = false;
	irq_poll_complete(&bp->poll);
}

static void bhlab_poll_complete(struct bhlab_item *item)
{
	unsigned long flags = bhlab_item_lock(item);

	bhlab_poll_complete_locked(to_poll(item));
	bhlab_item_unlock(item, flags);
}

/*
 * The end of a poll that is not complete. Of one that has used up its weight more
 * is expected: the next poll is an activation, unless the item is dead, or is being
 * disabled. True if the kernel is to poll again.
 */
static bool bhlab_poll_end(struct bhlab_poll *bp, const struct bhlab_run *run)
{
	const struct bhlab_activation act = { .requeues = run->stamp.requeues + 1 };
	unsigned long flags;
	bool again;

	flags = bhlab_item_lock(&bp->item);
	if (bhlab_run_wants_more(run) && !bp->again)
		bhlab_item_activate_locked(&bp->item, &act);
	again = bp->again;
	bp->again = false;
	if (!again)
		bhlab_poll_complete_locked(bp);
	bhlab_item_unlock(&bp->item, flags);
	return again;
}

static int bhlab_poll_fn(struct irq_poll *poll, int weight)
{
	u64 entered = bhlab_record_clock();
	struct bhlab_poll *bp = container_of(poll, struct bhlab_poll, poll);
	struct bhlab_run run = {
		.program = bp->item.program,
		.quota = weight,
	};
	bool again = false;

	bhlab_poll_begin(bp);
	bhlab_run_begin(&run, &bp->item, entered, 0);
	bhlab_program_run(&run);
	if (!run.completed)
		again = bhlab_poll_end(bp, &run);
	bhlab_run_end(&run);
	/* The kernel takes what has used up its weight for not complete. */
	return again ? weight : min(weight - (int)run.quota, weight - 1);
}

static bool bhlab_poll_absent(void)
{
	return !BHLAB_CAN_IRQ_POLL;
}

static int bhlab_poll_init(struct bhlab_item *item)
{
	irq_poll_init(&to_poll(item)->poll, item->weight, bhlab_poll_fn);
	return 0;
}

/*
 * What is scheduled runs, and is not polled again, as the item is dead. The function
 * may still be at its end after that: it runs in a softirq, which a grace period
 * waits for.
 */
static void bhlab_poll_stop(struct bhlab_item *item)
{
	struct bhlab_poll *bp = to_poll(item);

	if (!bp->off)
		irq_poll_disable(&bp->poll);
}

static int bhlab_poll_queue(struct bhlab_item *item,
			    const struct bhlab_activation *act)
{
	struct bhlab_poll *bp = to_poll(item);

	if (item->depth || bp->disabling)
		return BHLAB_RESULT_DISABLED;
	if (act->requeues && bp->polling && !bp->again) {
		bp->again = true;
		return BHLAB_RESULT_QUEUED;
	}
	/* The test of irq_poll_sched(), for its answer. */
	if (bhlab_poll_scheduled(bp))
		return BHLAB_RESULT_ALREADY_PENDING;
	irq_poll_sched(&bp->poll);
	return BHLAB_RESULT_QUEUED;
}

/* Of one that is not scheduled irq_poll_disable() does not wait. */
static int bhlab_poll_disable(struct bhlab_item *item, bool sync, bool privileged)
{
	struct bhlab_poll *bp = to_poll(item);

	if (item->depth || bp->disabling)
		return -EBUSY;
	if (!bhlab_poll_scheduled(bp)) {
		irq_poll_disable(&bp->poll);
		bp->off = true;
		return 0;
	}
	if (!sync)
		return -EBUSY;
	bp->disabling = true;
	return 0;
}

static void bhlab_poll_on(struct bhlab_poll *bp)
{
	bp->off = false;
	irq_poll_enable(&bp->poll);
}

/* While a call waits until it is disabled, that call enables it. */
static void bhlab_poll_enable(struct bhlab_item *item)
{
	if (to_poll(item)->off)
		bhlab_poll_on(to_poll(item));
}

/*
 * The second half of a disable that has to wait. A poll that has used up its weight
 * meanwhile is dropped by the kernel: its stamp is left. True if that happened.
 */
static bool bhlab_poll_sync(struct bhlab_item *item)
{
	struct bhlab_poll *bp = to_poll(item);
	bool dropped = false;
	unsigned long flags;

	flags = bhlab_item_lock(item);
	if (bp->disabling) {
		bhlab_item_unlock(item, flags);
		irq_poll_disable(&bp->poll);
		flags = bhlab_item_lock(item);
		dropped = item->nr_stamps;
		bp->disabling = false;
		bp->off = true;
		if (!item->depth)
			bhlab_poll_on(bp);
	}
	bhlab_item_unlock(item, flags);
	wait_event(item->obj.lab->wait, !bhlab_item_runs(item));
	return dropped;
}

const struct bhlab_mech_ops bhlab_irq_poll_ops = {
	.id = BHLAB_MECH_IRQ_POLL,
	.native = BIT(BHLAB_VERB_QUEUE) | BIT(BHLAB_VERB_DISABLE) |
		  BIT(BHLAB_VERB_ENABLE),
	.emulated = BIT(BHLAB_VERB_DELAY) | BIT(BHLAB_VERB_FLUSH),
	.absent = bhlab_poll_absent,
	.context = BHLAB_CTX_SOFTIRQ,
	.size = sizeof(struct bhlab_poll),
	.polls = true,
	/* The function may be about to return. */
	.after = BHLAB_AFTER_GRACE,
	.init = bhlab_poll_init,
	.stop = bhlab_poll_stop,
	.queue = bhlab_poll_queue,
	.complete = bhlab_poll_complete,
	.disable = bhlab_poll_disable,
	.enable = bhlab_poll_enable,
	.sync = bhlab_poll_sync,
	.flush = bhlab_item_flush_own,
};
