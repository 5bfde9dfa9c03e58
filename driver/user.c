// SPDX-License-Identifier: GPL-2.0-only
/*
 * Users: those who have opened labs, and the resources of all their labs. A
 * limit for each lab would bound nothing, since anybody can open another.
 *
 * One person can be several users, by subordinate uids or by friends. So all
 * users together have a limit, too: bhlab_limits.users times that of one. It
 * does not apply to those who open with CAP_SYS_ADMIN, so that other users
 * cannot make root's open fail. That also separates root from the root of a
 * container.
 */
#include <linux/cred.h>
#include <linux/list.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/user_namespace.h>

#include "limits.h"
#include "share.h"
#include "user.h"

/**
 * struct bhlab_user - one user, while it has labs open
 * @list: in bhlab_users
 * @uid: the opener's
 * @admin: opened with CAP_SYS_ADMIN; the same uid without it is another user
 * @used: by enum bhlab_resource; the user lives while it has labs
 * @share: what its programs in process context have spent
 */
struct bhlab_user {
	struct list_head list;
	kuid_t uid;
	bool admin;
	u64 used[BHLAB_NR_RES];
	struct bhlab_share share;
};

/* A leaf; protects the list, and the counters of each user and of all. */
static DEFINE_SPINLOCK(bhlab_users_lock);
static LIST_HEAD(bhlab_users);

/* The counters of all users without CAP_SYS_ADMIN. */
static u64 bhlab_users_used[BHLAB_NR_RES];

static u64 bhlab_user_limit(enum bhlab_resource resource)
{
	switch (resource) {
	case BHLAB_RES_LAB:
		return bhlab_limits.labs;
	case BHLAB_RES_IRQ:
		return bhlab_limits.irqs;
	case BHLAB_RES_THREAD:
		return bhlab_limits.threads;
	case BHLAB_RES_SLEEPER:
		return bhlab_limits.system_sleepers;
	case BHLAB_RES_QUEUE:
		return bhlab_limits.queues;
	case BHLAB_RES_FIFO:
		return bhlab_limits.fifos;
	case BHLAB_RES_RING:
		return bhlab_limits.user_ring_bytes;
	default:
		return bhlab_limits.items;
	}
}

/* A module parameter may be so large that there is no limit. */
static u64 bhlab_users_limit(u64 limit)
{
	u64 all;

	return check_mul_overflow(limit, (u64)bhlab_limits.users, &all) ? U64_MAX : all;
}

static bool bhlab_user_affords(const struct bhlab_user *user,
			       enum bhlab_resource resource, u32 nr)
{
	u64 limit = bhlab_user_limit(resource);

	if (!nr)
		return true;
	if (user->used[resource] + nr > limit)
		return false;
	return user->admin ||
	       bhlab_users_used[resource] + nr <= bhlab_users_limit(limit);
}

static int bhlab_user_charge_locked(struct bhlab_user *user,
				    const struct bhlab_charge *charge)
{
	int i;

	lockdep_assert_held(&bhlab_users_lock);
	for (i = 0; i < BHLAB_NR_RES; i++)
		if (!bhlab_user_affords(user, i, charge->nr[i]))
			return -ENOSPC;
	for (i = 0; i < BHLAB_NR_RES; i++) {
		user->used[i] += charge->nr[i];
		if (!user->admin)
			bhlab_users_used[i] += charge->nr[i];
	}
	return 0;
}

static void bhlab_user_uncharge_locked(struct bhlab_user *user,
				       const struct bhlab_charge *charge)
{
	int i;

	lockdep_assert_held(&bhlab_users_lock);
	for (i = 0; i < BHLAB_NR_RES; i++) {
		user->used[i] -= charge->nr[i];
		if (!user->admin)
			bhlab_users_used[i] -= charge->nr[i];
	}
}

/* Charges everything, or nothing and returns -ENOSPC. */
int bhlab_user_charge(struct bhlab_user *user, const struct bhlab_charge *charge)
{
	int ret;

	spin_lock(&bhlab_users_lock);
	ret = bhlab_user_charge_locked(user, charge);
	spin_unlock(&bhlab_users_lock);
	return ret;
}

void bhlab_user_uncharge(struct bhlab_user *user,
			 const struct bhlab_charge *charge)
{
	spin_lock(&bhlab_users_lock);
	bhlab_user_uncharge_locked(user, charge);
	spin_unlock(&bhlab_users_lock);
}

static const struct bhlab_charge bhlab_one_lab = { .nr[BHLAB_RES_LAB] = 1 };

/* A user namespace counts as the user that created it. */
static kuid_t bhlab_user_uid(void)
{
	const struct user_namespace *ns;
	kuid_t uid = current_uid();

	for (ns = current_user_ns(); ns != &init_user_ns; ns = ns->parent)
		uid = ns->owner;
	return uid;
}

static struct bhlab_user *bhlab_user_find(const struct bhlab_user *like)
{
	struct bhlab_user *user;

	lockdep_assert_held(&bhlab_users_lock);
	list_for_each_entry(user, &bhlab_users, list)
		if (uid_eq(user->uid, like->uid) && user->admin == like->admin)
			return user;
	return NULL;
}

static struct bhlab_user *bhlab_user_alloc(void)
{
	struct bhlab_user *user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);

	if (user && bhlab_share_init(&user->share)) {
		kfree(user);
		return NULL;
	}
	if (user) {
		user->uid = bhlab_user_uid();
		user->admin = bhlab_has_cap(CAP_SYS_ADMIN);
	}
	return user;
}

static void bhlab_user_free(struct bhlab_user *user)
{
	bhlab_share_exit(&user->share);
	kfree(user);
}

struct bhlab_share *bhlab_user_share(struct bhlab_user *user)
{
	return &user->share;
}

/* The calling user, charged for a lab until bhlab_user_close(); or an errno. */
struct bhlab_user *bhlab_user_open(void)
{
	struct bhlab_user *new = bhlab_user_alloc(), *user;
	int ret;

	if (!new)
		return ERR_PTR(-ENOMEM);

	spin_lock(&bhlab_users_lock);
	user = bhlab_user_find(new) ?: new;
	ret = bhlab_user_charge_locked(user, &bhlab_one_lab);
	if (!ret && user == new)
		list_add(&new->list, &bhlab_users);
	spin_unlock(&bhlab_users_lock);
	if (ret || user != new)
		bhlab_user_free(new);
	return ret ? ERR_PTR(ret) : user;
}

/* A lab has ended; all its other charges are given back already. */
void bhlab_user_close(struct bhlab_user *user)
{
	bool last;

	spin_lock(&bhlab_users_lock);
	bhlab_user_uncharge_locked(user, &bhlab_one_lab);
	last = !user->used[BHLAB_RES_LAB];
	if (last)
		list_del(&user->list);
	spin_unlock(&bhlab_users_lock);
	if (!last)
		return;
	WARN_ON_ONCE(memchr_inv(user->used, 0, sizeof(user->used)));
	bhlab_user_free(user);
}

