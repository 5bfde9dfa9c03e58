/* SPDX-License-Identifier: GPL-2.0-only */
/* Locks: for programs that share data. */
#ifndef BHLAB_LOCK_H
#define BHLAB_LOCK_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <linux/bhlab.h>

#include "object.h"

#define BHLAB_LOCKS		8

/**
 * struct bhlab_lock - a lock for programs
 * @kind, @context: see struct bhlab_lock_create
 * @slot: index in order of creation, which is also the locking order
 * @irq_flags: saved by the holder, which restores them
 */
struct bhlab_lock {
	struct bhlab_object obj;
	u32 kind;
	u32 context;
	u32 slot;
	union {
		spinlock_t spin;
		struct mutex mutex;
	};
	unsigned long irq_flags;
};

static inline struct bhlab_lock *to_lock(struct bhlab_object *obj)
{
	return container_of(obj, struct bhlab_lock, obj);
}

struct bhlab_object *bhlab_lock_create(struct bhlab_lab *lab,
				       struct bhlab_lock_create *cmd);
void bhlab_lock_state(struct bhlab_lock *lock, struct bhlab_lock_state *st);
void bhlab_lock_take(struct bhlab_lock *lock);
void bhlab_lock_release(struct bhlab_lock *lock);

#endif /* BHLAB_LOCK_H */
