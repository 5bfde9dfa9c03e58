// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who waits for what. A handler enters here before it waits, unless its wait
 * would never end: then that is a deadlock, and the step is skipped.
 *
 * A wait ends if what it waits for can go on. So at first each waiter counts as
 * stuck. One is freed if it waits for something that no stuck waiter keeps from
 * going on, which may free others; what remains when no more are freed is stuck
 * for ever. Only what is certain keeps something from going on. A wait that is
 * let in although it never ends is given up after a time, see await.c, so the
 * search need not find everything. It can take long, and whoever searches can be
 * preempted.
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/rcupdate.h>

#include "item.h"
#include "lab.h"
#include "queue.h"
#include "stamp.h"
#include "waits.h"

void bhlab_waits_init(struct bhlab_waits *waits)
{
	mutex_init(&waits->lock);
	INIT_LIST_HEAD(&waits->list);
}

static bool bhlab_stuck_holds(const struct bhlab_waits *waits, u8 mutexes)
{
	const struct bhlab_waiter *w;

	list_for_each_entry(w, &waits->list, node)
		if (w->stuck && w->held & mutexes)
			return true;
	return false;
}

static bool bhlab_stuck_runs(const struct bhlab_waits *waits,
			     const struct bhlab_item *item)
{
	const struct bhlab_waiter *w;

	list_for_each_entry(w, &waits->list, node)
		if (w->stuck && w->item == item)
			return true;
	return false;
}

static bool bhlab_stuck_is_on(const struct bhlab_waits *waits,
			      const struct bhlab_queue *queue, u64 before)
{
	const struct bhlab_waiter *w;

	list_for_each_entry(w, &waits->list, node)
		if (w->stuck && w->on == queue && w->accepted <= before)
			return true;
	return false;
}

/* Do stuck waiters take all places of the queue that it is on? */
static bool bhlab_stuck_fill(const struct bhlab_waits *waits,
			     const struct bhlab_stamp *stamp)
{
	u32 places = bhlab_queue_places(stamp->queue), taken = 0;
	const struct bhlab_waiter *w;

	list_for_each_entry(w, &waits->list, node)
		taken += w->stuck && w->on == stamp->queue &&
			 (!bhlab_queue_is_percpu(w->on) || w->cpu == stamp->on);
	return places && taken >= places;
}

/* The newest of its activations that have not started; false if there is none. */
static bool bhlab_item_pending(struct bhlab_item *item, struct bhlab_stamp *stamp)
{
	unsigned long flags = bhlab_item_lock(item);
	bool pending = item->delayed || item->nr_stamps;

	if (item->delayed)
		*stamp = item->delay_stamp;
	else if (pending)
		*stamp = *bhlab_stamp_newest(item);
	/* While it runs, only the kernel knows on which CPU it runs again. */
	if (bhlab_item_runs(item))
		stamp->on = BHLAB_CPU_NONE;
	bhlab_item_unlock(item, flags);
	return pending;
}

static bool bhlab_target_is_stuck(const struct bhlab_waits *waits,
				  const struct bhlab_waiter *w)
{
	struct bhlab_stamp stamp;
	bool stuck;

	if (bhlab_stuck_runs(waits, w->target))
		return true;
	if (!w->pending)
		return false;
	/* The activation may leave its queue meanwhile, and that be destroyed. */
	rcu_read_lock();
	stuck = bhlab_item_pending(w->target, &stamp) &&
		(bhlab_stuck_holds(waits, w->target->mutexes) ||
		 (stamp.queue && bhlab_stuck_fill(waits, &stamp)));
	rcu_read_unlock();
	return stuck;
}

static bool bhlab_waiter_is_stuck(const struct bhlab_waits *waits,
				  const struct bhlab_waiter *w)
{
	if (w->target)
		return bhlab_target_is_stuck(waits, w);
	if (w->queue)
		return bhlab_stuck_is_on(waits, w->queue, w->before);
	return bhlab_stuck_holds(waits, w->mutex);
}

static void bhlab_waits_search(struct bhlab_waits *waits)
{
	struct bhlab_waiter *w;
	bool freed;

	list_for_each_entry(w, &waits->list, node)
		w->stuck = true;
	do {
		freed = false;
		list_for_each_entry(w, &waits->list, node) {
			if (!w->stuck || bhlab_waiter_is_stuck(waits, w))
				continue;
			w->stuck = false;
			freed = true;
		}
	} while (freed);
}

/* -EDEADLK if @waiter would never go on; else bhlab_waits_leave() must follow. */
int bhlab_waits_enter(struct bhlab_waits *waits, struct bhlab_waiter *waiter)
{
	int ret = 0;

	mutex_lock(&waits->lock);
	list_add_tail(&waiter->node, &waits->list);
	bhlab_waits_search(waits);
	if (waiter->stuck) {
		list_del(&waiter->node);
		ret = -EDEADLK;
	}
	mutex_unlock(&waits->lock);
	return ret;
}

void bhlab_waits_leave(struct bhlab_waits *waits, struct bhlab_waiter *waiter)
{
	mutex_lock(&waits->lock);
	list_del(&waiter->node);
	mutex_unlock(&waits->lock);
}
