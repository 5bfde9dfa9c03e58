/* SPDX-License-Identifier: GPL-2.0-only */
/* Who waits for what: the handlers of a lab that wait for each other. */
#ifndef BHLAB_WAITS_H
#define BHLAB_WAITS_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

struct bhlab_item;
struct bhlab_queue;

/**
 * struct bhlab_waits - the waits of a lab
 * @lock: protects the list and @stuck of each waiter
 * @list: of struct bhlab_waiter
 */
struct bhlab_waits {
	struct mutex lock;
	struct list_head list;
};

/**
 * struct bhlab_waiter - one handler that waits; while it does, nothing here changes
 * @item: whose handler it is
 * @on: the workqueue on which it occupies a place, or NULL
 * @cpu: where, if that queue is per CPU
 * @accepted: when its activation was accepted
 * @held: the mutexes that it holds, by the slots of their locks
 * @target: the item that it waits for, with a reference
 * @pending: it also waits for the pending activation of @target
 * @queue: or the queue, for all that was accepted before @before
 * @mutex: or the mutex that it waits for, by its slot
 * @stuck: while a cycle is searched: not known to go on yet
 */
struct bhlab_waiter {
	struct list_head node;
	const struct bhlab_item *item;
	const struct bhlab_queue *on;
	u16 cpu;
	u64 accepted;
	u8 held;
	struct bhlab_item *target;
	bool pending;
	const struct bhlab_queue *queue;
	u64 before;
	u8 mutex;
	bool stuck;
};

void bhlab_waits_init(struct bhlab_waits *waits);
int bhlab_waits_enter(struct bhlab_waits *waits, struct bhlab_waiter *waiter);
void bhlab_waits_leave(struct bhlab_waits *waits, struct bhlab_waiter *waiter);

#endif /* BHLAB_WAITS_H */
