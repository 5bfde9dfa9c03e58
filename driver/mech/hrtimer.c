// SPDX-License-Identifier: GPL-2.0-only
/*
 * hrtimer, hrtimer_soft: run in hardirq context, and in HRTIMER_SOFTIRQ if they
 * ask for it; on RT the former does too, unless it is hard.
 *
 * The kernel has no flush for them, so that is the driver's. hrtimer_is_queued()
 * is read under item->lock, which all callers hold that start the timer.
 */
#include <linux/hrtimer.h>

#include "compat.h"
#include "item.h"
#include "run.h"
#include "stamp.h"
#include "mech/mech.h"

struct bhlab_hrtimer {
	struct bhlab_item item;
	struct hrtimer timer;
	enum hrtimer_mode mode;
};

static struct bhlab_hrtimer *to_hrtimer(struct bhlab_item *item)
{
	return container_of(item, struct bhlab_hrtimer, item);
}

/*
 * A timer can expire, and its function wait for the lock, while it is started
 * again for the same activation: that is for the later of the two.
 */
static bool bhlab_hrtimer_due(struct bhlab_item *item)
{
	return bhlab_item_outstanding(item) >
	       hrtimer_is_queued(&to_hrtimer(item)->timer);
}

static enum hrtimer_restart bhlab_hrtimer_fn(struct hrtimer *timer)
{
	bhlab_item_run_due(&container_of(timer, struct bhlab_hrtimer,
					 timer)->item, bhlab_hrtimer_due);
	return HRTIMER_NORESTART;
}

static u32 bhlab_hrtimer_here(void)
{
	return IS_ENABLED(CONFIG_PREEMPT_RT) ? BHLAB_CTX_SOFTIRQ :
					       BHLAB_CTX_HARDIRQ;
}

static int bhlab_hrtimer_init(struct bhlab_item *item)
{
	struct bhlab_hrtimer *ht = to_hrtimer(item);

	ht->mode = HRTIMER_MODE_REL;
	if (item->flags & BHLAB_ITEM_PINNED)
		ht->mode |= HRTIMER_MODE_PINNED;
	if (item->flags & BHLAB_ITEM_HARD)
		ht->mode |= HRTIMER_MODE_HARD;
	if (item->ops == &bhlab_hrtimer_soft_ops)
		ht->mode |= HRTIMER_MODE_SOFT;
	hrtimer_setup(&ht->timer, bhlab_hrtimer_fn, CLOCK_MONOTONIC, ht->mode);
	return 0;
}

static void bhlab_hrtimer_stop(struct bhlab_item *item)
{
	hrtimer_cancel(&to_hrtimer(item)->timer);
}

static int bhlab_hrtimer_queue(struct bhlab_item *item,
			       const struct bhlab_activation *act)
{
	struct bhlab_hrtimer *ht = to_hrtimer(item);

	if (hrtimer_is_queued(&ht->timer))
		return BHLAB_RESULT_ALREADY_PENDING;
	hrtimer_start(&ht->timer, ns_to_ktime(act->ns), ht->mode);
	return BHLAB_RESULT_QUEUED;
}

static int bhlab_hrtimer_delay(struct bhlab_item *item,
			       const struct bhlab_activation *act)
{
	struct bhlab_hrtimer *ht = to_hrtimer(item);

	if (!act->mod || !hrtimer_is_queued(&ht->timer))
		return bhlab_hrtimer_queue(item, act);
	hrtimer_start(&ht->timer, ns_to_ktime(act->ns), ht->mode);
	return BHLAB_RESULT_MODIFIED;
}

/* The kernel cannot cancel a timer that is queued again while its function runs. */
static int bhlab_hrtimer_cancel(struct bhlab_item *item)
{
	struct hrtimer *timer = &to_hrtimer(item)->timer;
	int ret = hrtimer_try_to_cancel(timer);

	if (ret < 0)
		return hrtimer_is_queued(timer) ? -EBUSY : 0;
	return ret;
}

static bool bhlab_hrtimer_sync(struct bhlab_item *item)
{
	return hrtimer_cancel(&to_hrtimer(item)->timer);
}

static void bhlab_hrtimer_fire(struct bhlab_item *item)
{
	struct bhlab_hrtimer *ht = to_hrtimer(item);

	if (hrtimer_is_queued(&ht->timer))
		hrtimer_start(&ht->timer, 0, ht->mode);
}

static bool bhlab_hrtimer_delayed(struct bhlab_item *item)
{
	return hrtimer_is_queued(&to_hrtimer(item)->timer);
}

#define BHLAB_HRTIMER_OPS(_id)						\
	.id = (_id),							\
	.native = BIT(BHLAB_VERB_QUEUE) | BIT(BHLAB_VERB_DELAY) |	\
		  BIT(BHLAB_VERB_CANCEL),				\
	.emulated = BIT(BHLAB_VERB_FLUSH),				\
	.size = sizeof(struct bhlab_hrtimer),				\
	.sync_cancels = true,						\
	.init = bhlab_hrtimer_init,					\
	.stop = bhlab_hrtimer_stop,					\
	.queue = bhlab_hrtimer_queue,					\
	.delay = bhlab_hrtimer_delay,					\
	.cancel = bhlab_hrtimer_cancel,					\
	.sync = bhlab_hrtimer_sync,					\
	.fire = bhlab_hrtimer_fire,					\
	.flush = bhlab_item_flush_own,					\
	.delayed = bhlab_hrtimer_delayed

const struct bhlab_mech_ops bhlab_hrtimer_ops = {
	BHLAB_HRTIMER_OPS(BHLAB_MECH_HRTIMER),
	.context = BHLAB_CTX_HARDIRQ,
	.context_here = bhlab_hrtimer_here,
	.attrs = BHLAB_ITEM_HARD | BHLAB_ITEM_PINNED,
};

const struct bhlab_mech_ops bhlab_hrtimer_soft_ops = {
	BHLAB_HRTIMER_OPS(BHLAB_MECH_HRTIMER_SOFT),
	.context = BHLAB_CTX_SOFTIRQ,
	.attrs = BHLAB_ITEM_PINNED,
};
