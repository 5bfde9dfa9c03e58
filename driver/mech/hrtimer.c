// SPDX-License-Identifier: GPL-2.0-only
/*
 * hrtimer, hrtimer_soft: run in hardirq context, and in HRTIMER_SOFTIRQ if they
 * ask for it; on RT the former does too, unless it is hard.
 *
 * With a period the function forwards the timer and returns HRTIMER_RESTART, so that
 * it expires at multiples of the period after the first time, however late the
 * function was: it does not drift. As with a periodic trigger, periods that are
 * missed are counted, and skipped while the CPU's budget is spent.
 *
 * The kernel has no flush for them, so that is the driver's. hrtimer_is_queued()
 * is read under item->lock, which all callers hold that start the timer.
 */
#include <linux/hrtimer.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include "budget.h"
#include "compat.h"
#include "item.h"
#include "lab.h"
#include "object.h"
#include "run.h"
#include "stamp.h"
#include "mech/mech.h"

/**
 * struct bhlab_hrtimer - an item of mechanism hrtimer or hrtimer_soft
 * @item: the item; while its period is active it is periodic
 * @timer: the kernel's
 * @mode: with which it is started
 * @restart: its function is about to return HRTIMER_RESTART; this and what follows is
 *	under item.lock
 * @restarted: its function has decided so, and was not called since
 * @missed: see struct bhlab_item_state
 */
struct bhlab_hrtimer {
	struct bhlab_item item;
	struct hrtimer timer;
	enum hrtimer_mode mode;
	bool restart;
	bool restarted;
	u64 missed;
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
	to_hrtimer(item)->restarted = false;
	return bhlab_item_outstanding(item) >
	       hrtimer_is_queued(&to_hrtimer(item)->timer);
}

/* The next period that has not begun yet, once there is a budget again. */
static void bhlab_hrtimer_forward(struct bhlab_hrtimer *ht)
{
	ktime_t now = ktime_add_ns(ktime_get(), bhlab_budget_wait_here());
	u64 periods = hrtimer_forward(&ht->timer, now,
				      ns_to_ktime(ht->item.period_ns));

	ht->missed += periods ? periods - 1 : 0;
}

static bool bhlab_hrtimer_chain_ended(struct bhlab_item *item)
{
	return atomic_dec_if_positive(&item->obj.lab->chain) < 0;
}

/*
 * The next period is an activation, which the gate may refuse. If the timer was
 * started again meanwhile, that goes on instead.
 */
static bool bhlab_hrtimer_restarts(struct bhlab_hrtimer *ht)
{
	const struct bhlab_activation act = { .cpu = WORK_CPU_UNBOUND };
	struct bhlab_item *item = &ht->item;
	unsigned long flags;
	bool restarts;

	flags = bhlab_item_lock(item);
	if (item->periodic && !hrtimer_is_queued(&ht->timer)) {
		ht->restart = true;
		item->periodic = !bhlab_hrtimer_chain_ended(item) &&
				 bhlab_item_activate_locked(item, &act) ==
				 BHLAB_RESULT_QUEUED;
		ht->restart = false;
		ht->restarted = item->periodic;
	}
	restarts = ht->restarted;
	bhlab_item_unlock(item, flags);
	bhlab_lab_wake(item->obj.lab);
	return restarts;
}

static enum hrtimer_restart bhlab_hrtimer_fn(struct hrtimer *timer)
{
	struct bhlab_hrtimer *ht = container_of(timer, struct bhlab_hrtimer, timer);

	bhlab_item_run_due(&ht->item, bhlab_hrtimer_due);
	return ht->item.period_ns && bhlab_hrtimer_restarts(ht) ?
	       HRTIMER_RESTART : HRTIMER_NORESTART;
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

/* One that was cancelled as its function restarted it is queued for nothing. */
static bool bhlab_hrtimer_delayed(struct bhlab_item *item)
{
	return hrtimer_is_queued(&to_hrtimer(item)->timer) &&
	       bhlab_item_outstanding(item);
}

static int bhlab_hrtimer_queue(struct bhlab_item *item,
			       const struct bhlab_activation *act)
{
	struct bhlab_hrtimer *ht = to_hrtimer(item);

	if (ht->restart) {
		bhlab_hrtimer_forward(ht);
		return BHLAB_RESULT_QUEUED;
	}
	if (bhlab_hrtimer_delayed(item) || ht->restarted)
		return BHLAB_RESULT_ALREADY_PENDING;
	item->periodic = item->period_ns;
	hrtimer_start(&ht->timer, ns_to_ktime(act->ns), ht->mode);
	return BHLAB_RESULT_QUEUED;
}

static int bhlab_hrtimer_delay(struct bhlab_item *item,
			       const struct bhlab_activation *act)
{
	struct bhlab_hrtimer *ht = to_hrtimer(item);

	if (!act->mod || !bhlab_hrtimer_delayed(item))
		return bhlab_hrtimer_queue(item, act);
	hrtimer_start(&ht->timer, ns_to_ktime(act->ns), ht->mode);
	return BHLAB_RESULT_MODIFIED;
}

/*
 * The kernel cannot cancel a timer that is queued again while its function runs. One
 * whose function is about to restart it expires once more, and finds nothing to do.
 */
static int bhlab_hrtimer_cancel(struct bhlab_item *item)
{
	struct bhlab_hrtimer *ht = to_hrtimer(item);
	int ret = hrtimer_try_to_cancel(&ht->timer);
	bool restarted = ht->restarted;

	if (ret >= 0 || restarted)
		ht->restarted = false;
	if (ret < 0 && restarted)
		return 1;
	if (ret < 0)
		return hrtimer_is_queued(&ht->timer) ? -EBUSY : 0;
	return ret && bhlab_item_outstanding(item);
}

static bool bhlab_hrtimer_end_period(struct bhlab_item *item)
{
	bool periodic = item->periodic;

	item->periodic = false;
	return periodic;
}

static void bhlab_hrtimer_state(struct bhlab_item *item,
				struct bhlab_item_state *st)
{
	st->out_period_ns = item->periodic ? item->period_ns : 0;
	st->out_period_missed = to_hrtimer(item)->missed;
}

static bool bhlab_hrtimer_sync(struct bhlab_item *item)
{
	struct bhlab_hrtimer *ht = to_hrtimer(item);
	bool taken = hrtimer_cancel(&ht->timer);
	unsigned long flags;

	if (!taken || !item->period_ns)
		return taken;
	flags = bhlab_item_lock(item);
	ht->restarted = false;
	item->periodic = false;
	bhlab_item_unlock(item, flags);
	return true;
}

static void bhlab_hrtimer_fire(struct bhlab_item *item)
{
	struct bhlab_hrtimer *ht = to_hrtimer(item);

	if (hrtimer_is_queued(&ht->timer))
		hrtimer_start(&ht->timer, 0, ht->mode);
}

#define BHLAB_HRTIMER_OPS(_id)						\
	.id = (_id),							\
	.native = BIT(BHLAB_VERB_QUEUE) | BIT(BHLAB_VERB_DELAY) |	\
		  BIT(BHLAB_VERB_CANCEL),				\
	.emulated = BIT(BHLAB_VERB_FLUSH),				\
	.size = sizeof(struct bhlab_hrtimer),				\
	.takes_period = true,						\
	.sync_cancels = true,						\
	.init = bhlab_hrtimer_init,					\
	.stop = bhlab_hrtimer_stop,					\
	.queue = bhlab_hrtimer_queue,					\
	.delay = bhlab_hrtimer_delay,					\
	.cancel = bhlab_hrtimer_cancel,					\
	.end_period = bhlab_hrtimer_end_period,				\
	.state = bhlab_hrtimer_state,					\
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
