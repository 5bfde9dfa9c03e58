/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BHLAB_USER_H
#define BHLAB_USER_H

#include <linux/types.h>

/**
 * enum bhlab_resource - resources that are limited by user
 * @BHLAB_RES_OBJECT: objects of any kind, and reserved names
 * @BHLAB_RES_LAB: labs
 * @BHLAB_RES_IRQ: interrupt lines
 * @BHLAB_RES_THREAD: kernel threads that are occupied, or may be
 * @BHLAB_RES_SLEEPER: those of them that are kworkers of the system's queues
 * @BHLAB_RES_QUEUE: workqueues
 * @BHLAB_RES_FIFO: FIFOs
 * @BHLAB_RES_RING: bytes of rings
 * @BHLAB_NR_RES: number of resources
 *
 * Locks have no limit of their own: they are objects, and a lab has BHLAB_LOCKS.
 */
enum bhlab_resource {
	BHLAB_RES_OBJECT,
	BHLAB_RES_LAB,
	BHLAB_RES_IRQ,
	BHLAB_RES_THREAD,
	BHLAB_RES_SLEEPER,
	BHLAB_RES_QUEUE,
	BHLAB_RES_FIFO,
	BHLAB_RES_RING,
	BHLAB_NR_RES,
};

/**
 * struct bhlab_charge - how much of its user's limits an object takes
 * @nr: by enum bhlab_resource
 */
struct bhlab_charge {
	u32 nr[BHLAB_NR_RES];
};

struct bhlab_share;
struct bhlab_user;

struct bhlab_user *bhlab_user_open(void);
void bhlab_user_close(struct bhlab_user *user);
int bhlab_user_charge(struct bhlab_user *user, const struct bhlab_charge *charge);
void bhlab_user_uncharge(struct bhlab_user *user,
			 const struct bhlab_charge *charge);

struct bhlab_share *bhlab_user_share(struct bhlab_user *user);

#endif /* BHLAB_USER_H */
