// SPDX-License-Identifier: GPL-2.0-only
/*
 * Periodic triggers: a load generator, an hrtimer that raises a line repeatedly
 * on the CPU on which it was started.
 *
 * It is charged to the CPU's budget as a handler is: once that is spent, the
 * line is not raised until the next window. Missed periods are counted, and not
 * made up for. Everything here is under item->lock, which the timer's function
 * takes, too: it checks whether it is still wanted.
 */
#include <linux/hrtimer.h>
#include <linux/timekeeping.h>

#include "budget.h"
#include "compat.h"
#include "item.h"
#include "lab.h"
#include "object.h"
#include "stamp.h"
#include "mech/period.h"

/* Set the next time, and count the periods that it misses. */
static void bhlab_period_forward(struct bhlab_period *p, u64 wait)
{
	ktime_t now = ktime_add_ns(ktime_get(), wait);
	u64 periods = hrtimer_forward(&p->timer, now, ns_to_ktime(p->ns));

	p->missed += periods ? periods - 1 : 0;
}

/* True if there are more raises to come. */
static bool bhlab_period_raise(struct bhlab_period *p)
{
	const struct bhlab_activation act = {};
	u64 wait = bhlab_budget_wait_here();

	if (wait) {
		p->missed++;
	} else {
		bhlab_lab_new_chain(p->item->obj.lab);
		bhlab_item_activate_locked(p->item, &act);
		p->left--;
	}
	p->item->periodic = p->left;
	if (p->left)
		bhlab_period_forward(p, wait);
	return p->left;
}

static enum hrtimer_restart bhlab_period_fn(struct hrtimer *timer)
{
	struct bhlab_period *p = container_of(timer, struct bhlab_period, timer);
	struct bhlab_item *item = p->item;
	u64 entered = ktime_get_mono_fast_ns();
	unsigned long flags;
	bool more = false;

	flags = bhlab_item_lock(item);
	/*
	 * If it was started again while this waited for the lock, it will expire
	 * again.
	 */
	if (item->periodic && !item->dead && !hrtimer_is_queued(timer))
		more = bhlab_period_raise(p);
	bhlab_item_unlock(item, flags);
	bhlab_lab_wake(item->obj.lab);
	bhlab_budget_charge_since(entered);
	return more ? HRTIMER_RESTART : HRTIMER_NORESTART;
}

void bhlab_period_init(struct bhlab_period *p, struct bhlab_item *item)
{
	p->item = item;
	hrtimer_setup(&p->timer, bhlab_period_fn, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS_PINNED_HARD);
}

int bhlab_period_start(struct bhlab_period *p, u64 ns, u32 count)
{
	lockdep_assert_held(&p->item->lock);
	if (p->item->periodic)
		return -EBUSY;
	p->ns = ns;
	p->left = count;
	p->item->periodic = true;
	hrtimer_start(&p->timer, ktime_add_ns(ktime_get(), ns),
		      HRTIMER_MODE_ABS_PINNED_HARD);
	return BHLAB_RESULT_QUEUED;
}

/* True if there would have been more raises. */
bool bhlab_period_end(struct bhlab_period *p)
{
	bool more = p->item->periodic;

	lockdep_assert_held(&p->item->lock);
	p->item->periodic = false;
	p->left = 0;
	hrtimer_try_to_cancel(&p->timer);
	return more;
}

/* Permanently: the item is dead. */
void bhlab_period_stop(struct bhlab_period *p)
{
	hrtimer_cancel(&p->timer);
}
