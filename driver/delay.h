/* SPDX-License-Identifier: GPL-2.0-only */
/* The delay of mechanisms that have none of their own. */
#ifndef BHLAB_DELAY_H
#define BHLAB_DELAY_H

#include <linux/types.h>

struct bhlab_activation;
struct bhlab_item;
struct bhlab_stamp;

unsigned long bhlab_delay_jiffies(u64 ns);
void bhlab_delay_init(struct bhlab_item *item);
int bhlab_delay_arm(struct bhlab_item *item,
		    const struct bhlab_activation *act,
		    const struct bhlab_stamp *stamp);
bool bhlab_delay_cancel(struct bhlab_item *item);
void bhlab_delay_fire(struct bhlab_item *item);
void bhlab_delay_stop(struct bhlab_item *item);

#endif /* BHLAB_DELAY_H */
