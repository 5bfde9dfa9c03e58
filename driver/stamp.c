// SPDX-License-Identifier: GPL-2.0-only
/* Stamps: the state of the activations that were accepted. */
#include "item.h"
#include "stamp.h"
#include "mech/mech.h"

/*
 * Accepted, and not yet known to have run, or to be cancelled or merged. Merged
 * raises of a line are known only at rest, and a cancel may have come too late
 * there, so the sum can exceed what was accepted for a moment.
 */
u64 bhlab_item_outstanding(const struct bhlab_item *item)
{
	u64 known = item->runs + item->cancelled + item->merged + item->lost;

	return item->accepted > known ? item->accepted - known : 0;
}

/* Disabled, so that what is outstanding waits until it is enabled. */
bool bhlab_item_blocked(const struct bhlab_item *item)
{
	return item->depth && bhlab_item_outstanding(item);
}

bool bhlab_item_idle(const struct bhlab_item *item)
{
	return !bhlab_item_outstanding(item) && !bhlab_item_runs(item) &&
	       !item->unsettled && !item->periodic;
}

/* Is there an activation that the kernel would put on @queue later? */
bool bhlab_item_armed(struct bhlab_item *item, const struct bhlab_queue *queue)
{
	unsigned long flags = bhlab_item_lock(item);
	bool armed = false;

	if (item->delayed)
		armed = item->delay_stamp.queue == queue;
	else if (item->nr_stamps)
		armed = bhlab_stamp_newest(item)->queue == queue &&
			(!item->ops->delayed || item->ops->delayed(item));
	bhlab_item_unlock(item, flags);
	return armed;
}
