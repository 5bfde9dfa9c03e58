// SPDX-License-Identifier: GPL-2.0-only
/* Stamps: what is known of the activations that were accepted. */
#include "item.h"
#include "stamp.h"
#include "mech/mech.h"

/*
 * Accepted, and neither run, cancelled nor known to be merged. A line's raises
 * are known to be merged only at rest, and a cancel may have come too late
 * there, so that for a moment the sum can exceed what was accepted.
 */
u64 bhlab_item_outstanding(const struct bhlab_item *item)
{
	u64 known = item->runs + item->cancelled + item->merged;

	return item->accepted > known ? item->accepted - known : 0;
}

bool bhlab_item_idle(const struct bhlab_item *item)
{
	return !bhlab_item_outstanding(item) && !bhlab_item_runs(item) &&
	       !item->unsettled && !item->periodic;
}

/* Is an activation on its way to @queue that the kernel would put there late? */
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
