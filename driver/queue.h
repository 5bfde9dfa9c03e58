/* SPDX-License-Identifier: GPL-2.0-only */
/* Queues: the workqueues that items can be put on. */
#ifndef BHLAB_QUEUE_H
#define BHLAB_QUEUE_H

#include <linux/atomic.h>
#include <linux/limits.h>
#include <linux/types.h>

#include <linux/bhlab.h>

#include "object.h"

struct bhlab_activation;
struct bhlab_item;
struct workqueue_struct;

/**
 * struct bhlab_queue - a workqueue
 * @flags, @max_active: see struct bhlab_queue_create
 * @wq: the kernel's
 * @bh: its items run in a softirq
 * @draining: activations from elsewhere are refused; read with interrupts off
 * @drain_until: from then on, all activations are
 * @active: activations that hold it; BHLAB_QUEUE_DEAD while it is being
 *	destroyed; only used for a lab's own queues
 */
struct bhlab_queue {
	struct bhlab_object obj;
	u32 flags;
	u32 max_active;
	struct workqueue_struct *wq;
	bool bh;
	bool draining;
	u64 drain_until;
	atomic_t active;
};

static inline bool bhlab_queue_is_percpu(const struct bhlab_queue *queue)
{
	return queue->flags & (BHLAB_WQ_PERCPU | BHLAB_WQ_LEGACY);
}

static inline bool bhlab_queue_is_system(const struct bhlab_queue *queue)
{
	return queue->obj.id > BHLAB_ID_MAX;
}

#define BHLAB_QUEUE_DEAD	INT_MIN

/*
 * An activation holds its queue from before the call to the kernel until its
 * handler is about to return, or until it is cancelled. False if the queue is
 * being destroyed: one atomic operation decides which comes first.
 */
static inline bool bhlab_queue_enter(struct bhlab_queue *queue)
{
	return !queue || bhlab_queue_is_system(queue) ||
	       atomic_inc_unless_negative(&queue->active);
}

static inline void bhlab_queue_leave(struct bhlab_queue *queue)
{
	if (queue && !bhlab_queue_is_system(queue))
		atomic_dec(&queue->active);
}

void bhlab_queues_init(void);
struct bhlab_queue *bhlab_queue_get(struct bhlab_lab *lab, u32 id);
void bhlab_queue_put(struct bhlab_queue *queue);
struct bhlab_queue *bhlab_queue_pin(struct bhlab_lab *lab, u32 id);
void bhlab_queue_unpin(struct bhlab_queue *queue);
struct bhlab_object *bhlab_queue_create(struct bhlab_lab *lab,
					struct bhlab_queue_create *cmd);
void bhlab_queues_flush(struct bhlab_lab *lab);
void bhlab_queue_state(struct bhlab_queue *queue, struct bhlab_queue_state *st);
int bhlab_queue_flush(struct bhlab_queue *queue);
int bhlab_queue_drain(struct bhlab_queue *queue);
u32 bhlab_queue_places(const struct bhlab_queue *queue);
int bhlab_queue_close(struct bhlab_queue *queue);
void bhlab_queue_open(struct bhlab_queue *queue);
struct bhlab_item *bhlab_queue_item(struct bhlab_queue *queue, u32 *id);

#endif /* BHLAB_QUEUE_H */
