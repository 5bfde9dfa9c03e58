// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shares. Kworkers and kthreads run outside of their user's cgroup and nice
 * value, and any number of them may want a CPU at once. So the programs of one
 * user in process context, without CAP_SYS_ADMIN, are charged to that user, by
 * CPU. Once the share is spent they sleep before their next step until the next
 * window; each delays its own item only.
 *
 * The sleep is bounded, and so is the number of sleepers: a sleeping program
 * occupies a kworker, and possibly a slot of a system queue. Beyond a few
 * sleepers of a user, or of all users, or when an uninterruptible verb has waited
 * for long, the rest of a program is skipped instead.
 */
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/time64.h>

#include "budget.h"
#include "limits.h"
#include "share.h"

#define BHLAB_SHARE_HELD	16
/* A quarter of what a queue of the system runs. */
#define BHLAB_SHARE_HELD_ALL	64
#define BHLAB_HASTE_NS		(10 * (u64)NSEC_PER_SEC)

/* Programs of all users that are held; there is no limit to the number of users. */
static atomic_t bhlab_shares_held;

int bhlab_share_init(struct bhlab_share *share)
{
	share->cpus = alloc_percpu_gfp(struct bhlab_budget, GFP_KERNEL_ACCOUNT);
	return share->cpus ? 0 : -ENOMEM;
}

void bhlab_share_exit(struct bhlab_share *share)
{
	free_percpu(share->cpus);
}

void bhlab_share_charge(struct bhlab_share *share, u64 end, u64 busy)
{
	bhlab_budget_add(get_cpu_ptr(share->cpus), bhlab_limits.process_percent,
			 end, busy);
	put_cpu_ptr(share->cpus);
}

void bhlab_haste_begin(struct bhlab_haste *haste)
{
	if (!atomic_read(&haste->waiting))
		WRITE_ONCE(haste->since, ktime_get_mono_fast_ns());
	atomic_inc(&haste->waiting);
}

void bhlab_haste_end(struct bhlab_haste *haste)
{
	atomic_dec(&haste->waiting);
}

/* Has a verb waited so long that no program may be held any more? */
bool bhlab_haste(const struct bhlab_haste *haste)
{
	return atomic_read(&haste->waiting) &&
	       ktime_get_mono_fast_ns() - READ_ONCE(haste->since) > BHLAB_HASTE_NS;
}

/* May one more program be held? bhlab_share_leave() must follow either way. */
bool bhlab_share_enter(struct bhlab_share *share)
{
	int all, own;

	if (!share)
		return true;
	all = atomic_inc_return(&bhlab_shares_held);
	own = atomic_inc_return(&share->held);
	return own <= BHLAB_SHARE_HELD && all <= BHLAB_SHARE_HELD_ALL;
}

void bhlab_share_leave(struct bhlab_share *share)
{
	if (!share)
		return;
	atomic_dec(&share->held);
	atomic_dec(&bhlab_shares_held);
}
