/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Labs: one open of the device each.
 *
 * Locks, in the order in which they are taken:
 *
 *   lab->lock		mutex. The object table: create, destroy, names, and
 *			who uses what. Nothing is copied from or to user space under
 *			it, since mmap() comes with the mm's lock held.
 *   ring->read_lock	mutex. The cursor of read().
 *   ring->alloc_lock	mutex. The first use of the ring; taken by mmap().
 *   cpus_read_lock()	in verbs that name a CPU.
 *   a lab's own locks	in programs, see lock.c. A step that drains a queue takes
 *			lab->lock inside of them.
 *   waits->lock		mutex. Which handlers wait for what, see waits.c.
 *   item->lock		raw spinlock, interrupts off. Everything about one
 *			item's activations, around the kernel's own call; a
 *			handler takes it as it starts. No two items' locks are
 *			ever held together.
 *   bhlab_users_lock	spinlock, a leaf. What users have taken, see user.c.
 *   fifo->lock		raw spinlock, a leaf.
 *   ring->count_lock	spinlock, a leaf; in process context.
 *
 * Steps find items under rcu_read_lock(); verbs hold a reference, which
 * destroying an item waits for.
 */
#ifndef BHLAB_LAB_H
#define BHLAB_LAB_H

#include <linux/atomic.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "limits.h"
#include "monitor.h"
#include "ring.h"
#include "share.h"
#include "waits.h"
#include "wake.h"
#include "who.h"

struct bhlab_user;

/**
 * struct bhlab_lab - one open of the device
 * @id: unique among the labs that live
 * @users: lookups from outside, see labs.c, and one for the open file
 * @user: everything that it has counts against this user's limits
 * @uid, @pid, @comm: who opened it
 * @who: the tasks that its records may name
 * @opened: when
 * @lock: protects @objects against change, @next_id, @locks, @process_ns
 * @objects: id to struct bhlab_object; read under RCU
 * @next_id: an id is never used twice
 * @locks: locks created so far; destroying one does not lower it, see lock.c
 * @process_ns: sum of the times of all programs in process context
 * @haste: waiting verbs; they bound how long programs are held
 * @dying: set once, by release(); programs end early, and lookups fail
 * @chain: activations that steps may still make until user space makes one
 * @wait: verbs and steps that wait for the state of an item, or for records
 * @waits: the steps among them
 * @sleepers: sleep steps, and programs that are held, which end when the lab does
 * @wake: wakes @wait and the ring's readers, see wake.c
 */
struct bhlab_lab {
	u32 id;
	refcount_t users;
	struct bhlab_user *user;
	kuid_t uid;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	struct bhlab_who who;
	u64 opened;
	struct mutex lock;
	struct xarray objects;
	u32 next_id;
	u32 locks;
	u64 process_ns;
	struct bhlab_haste haste;
	bool dying;
	atomic_t chain;
	wait_queue_head_t wait;
	struct bhlab_waits waits;
	wait_queue_head_t sleepers;
	struct bhlab_wake wake;
	struct bhlab_ring ring;
	struct bhlab_monitor monitor;
};

struct bhlab_lab *bhlab_lab_open(void);
void bhlab_lab_release(struct bhlab_lab *lab);

/*
 * Something happened that a waiter may wait for. The barrier orders the caller's
 * stores before the check for waiters; a waiter queues itself before it checks
 * the condition.
 */
static inline void bhlab_lab_wake(struct bhlab_lab *lab)
{
	smp_mb(); /* the stores, then the check for waiters */
	/* Without its lock: that barrier pairs with the waiter's own. */
	if (waitqueue_active(&lab->wait) || waitqueue_active(&lab->ring.wait))
		bhlab_wake(&lab->wake);
}

/* For callers without an open file of the lab. */
struct bhlab_lab *bhlab_lab_get(u32 id);
struct bhlab_lab *bhlab_lab_get_next(u32 id);
void bhlab_lab_put(struct bhlab_lab *lab);
int bhlab_labs_add(struct bhlab_lab *lab);
void bhlab_lab_hide(struct bhlab_lab *lab);
void bhlab_labs_remove(struct bhlab_lab *lab);
u32 bhlab_labs_open(void);
u32 bhlab_labs_changes(void);

/*
 * Refill the chain. Each activation by user space, direct or periodic, lets
 * steps make this many more. So a lab goes quiet after its users do.
 */
static inline void bhlab_lab_new_chain(struct bhlab_lab *lab)
{
	atomic_set(&lab->chain, bhlab_limits.chain);
}

#endif /* BHLAB_LAB_H */
