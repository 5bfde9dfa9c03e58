/* SPDX-License-Identifier: GPL-2.0-only */
/* Periodic triggers. */
#ifndef BHLAB_PERIOD_H
#define BHLAB_PERIOD_H

#include <linux/hrtimer.h>
#include <linux/types.h>

struct bhlab_item;

/**
 * struct bhlab_period - raises an item's line again and again
 * @item: the item; all of this is under its lock
 * @timer: pinned to the CPU that the line is raised on
 * @ns, @left, @missed: see struct bhlab_item_state
 */
struct bhlab_period {
	struct bhlab_item *item;
	struct hrtimer timer;
	u64 ns;
	u64 left;
	u64 missed;
};

void bhlab_period_init(struct bhlab_period *p, struct bhlab_item *item);
int bhlab_period_start(struct bhlab_period *p, u64 ns, u32 count);
bool bhlab_period_end(struct bhlab_period *p);
void bhlab_period_stop(struct bhlab_period *p);

#endif /* BHLAB_PERIOD_H */
