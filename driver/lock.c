// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks, for programs that share data. How a lock is taken follows from the
 * strictest context that takes it.
 *
 * A lab's locks are taken in order of creation. Each place in that order has its
 * own lockdep classes, one for each way of taking the lock, and no place is used
 * twice in a lab. So lockdep does not mistake two labs that use their locks
 * differently for one that uses them inconsistently.
 */
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "lab.h"
#include "lock.h"
#include "object.h"
#include "user.h"

enum bhlab_lock_way {
	BHLAB_WAY_MUTEX,
	BHLAB_WAY_SPIN,
	BHLAB_WAY_SPIN_BH,
	BHLAB_WAY_SPIN_IRQ,
	BHLAB_NR_WAYS,
};

static struct lock_class_key bhlab_lock_keys[BHLAB_LOCKS][BHLAB_NR_WAYS];

static enum bhlab_lock_way bhlab_lock_way(const struct bhlab_lock *lock)
{
	if (lock->kind == BHLAB_LOCK_MUTEX)
		return BHLAB_WAY_MUTEX;
	if (lock->context == BHLAB_CTX_TASK)
		return BHLAB_WAY_SPIN;
	return lock->context == BHLAB_CTX_SOFTIRQ ? BHLAB_WAY_SPIN_BH :
						    BHLAB_WAY_SPIN_IRQ;
}

/* Sparse cannot follow a lock from one step to another, so it must not see any. */
void bhlab_lock_take(struct bhlab_lock *lock)
{
	unsigned long flags;

	switch (bhlab_lock_way(lock)) {
	case BHLAB_WAY_MUTEX:
		mutex_lock(&lock->mutex);
		return;
	case BHLAB_WAY_SPIN:
		spin_lock(&lock->spin);
		break;
	case BHLAB_WAY_SPIN_BH:
		spin_lock_bh(&lock->spin);
		break;
	default:
		spin_lock_irqsave(&lock->spin, flags);
		lock->irq_flags = flags;
	}
	__release(&lock->spin);
}

void bhlab_lock_release(struct bhlab_lock *lock)
{
	if (lock->kind == BHLAB_LOCK_MUTEX) {
		mutex_unlock(&lock->mutex);
		return;
	}
	__acquire(&lock->spin);
	switch (bhlab_lock_way(lock)) {
	case BHLAB_WAY_SPIN:
		spin_unlock(&lock->spin);
		break;
	case BHLAB_WAY_SPIN_BH:
		spin_unlock_bh(&lock->spin);
		break;
	default:
		spin_unlock_irqrestore(&lock->spin, lock->irq_flags);
	}
}

static int bhlab_lock_init(struct bhlab_object *obj)
{
	struct bhlab_lock *lock = to_lock(obj);
	struct lock_class_key *key;

	if (obj->lab->locks == BHLAB_LOCKS)
		return -ENOSPC;
	lock->slot = obj->lab->locks++;
	key = &bhlab_lock_keys[lock->slot][bhlab_lock_way(lock)];
	if (lock->kind == BHLAB_LOCK_MUTEX) {
		mutex_init(&lock->mutex);
		lockdep_set_class_and_name(&lock->mutex, key, "bhlab_mutex");
	} else {
		spin_lock_init(&lock->spin);
		lockdep_set_class_and_name(&lock->spin, key, "bhlab_spin");
	}
	return 0;
}

static void bhlab_lock_free(struct bhlab_object *obj)
{
	kfree_rcu(to_lock(obj), obj.rcu);
}

static const struct bhlab_kind_ops bhlab_lock_ops = {
	.kind = BHLAB_KIND_LOCK,
	.init = bhlab_lock_init,
	.release = bhlab_lock_free,
};

static int bhlab_lock_check(const struct bhlab_lock_create *cmd)
{
	int ret;

	if (cmd->reserved ||
	    (cmd->kind != BHLAB_LOCK_SPIN && cmd->kind != BHLAB_LOCK_MUTEX))
		return -EOPNOTSUPP;
	ret = bhlab_name_check(cmd->name);
	if (ret)
		return ret;
	if (cmd->context != BHLAB_CTX_TASK &&
	    (cmd->kind == BHLAB_LOCK_MUTEX ||
	     (cmd->context != BHLAB_CTX_SOFTIRQ &&
	      cmd->context != BHLAB_CTX_HARDIRQ)))
		return -EINVAL;
	return 0;
}

struct bhlab_object *bhlab_lock_create(struct bhlab_lab *lab,
				       struct bhlab_lock_create *cmd)
{
	struct bhlab_lock *lock;
	int ret = bhlab_lock_check(cmd);

	if (ret)
		return ERR_PTR(ret);
	lock = kzalloc(sizeof(*lock), GFP_KERNEL_ACCOUNT);
	if (!lock)
		return ERR_PTR(-ENOMEM);
	bhlab_object_init(&lock->obj, lab, &bhlab_lock_ops, BHLAB_RES_OBJECT,
			  cmd->name);
	lock->kind = cmd->kind;
	lock->context = cmd->context;
	ret = bhlab_lab_add(lab, &lock->obj);
	if (ret) {
		kfree(lock);
		return ERR_PTR(ret);
	}
	cmd->out_id = lock->obj.id;
	return &lock->obj;
}

void bhlab_lock_state(struct bhlab_lock *lock, struct bhlab_lock_state *st)
{
	st->out_kind = lock->kind;
	st->out_context = lock->context;
	st->out_programs = READ_ONCE(lock->obj.pins);
	memcpy(st->out_name, lock->obj.name, sizeof(st->out_name));
}
