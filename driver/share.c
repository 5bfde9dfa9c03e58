// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shares: kworkers and kthreads run outside of their user's cgroup and nice
 * value, and any number of them may want a CPU at once. So what the programs in
 * process context of one user, without CAP_SYS_ADMIN, take of a CPU is charged
 * to him. Once that is spent they sleep before their next step, until the next
 * window: each holds up its own item only.
 *
 * Not for ever, and not all: a sleeping program keeps a kworker, and maybe a
 * place on a queue of the system's. Beyond a few, and when a verb that no signal
 * ends has waited for long, the rest of a program is skipped in place of that.
 */
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/time64.h>

#include "budget.h"
#include "limits.h"
#include "share.h"

#define BHLAB_SHARE_HELD	16
#define BHLAB_HASTE_NS		(10 * (u64)NSEC_PER_SEC)

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

/* Has one waited for so long that no program is to be held any more? */
bool bhlab_haste(const struct bhlab_haste *haste)
{
	return atomic_read(&haste->waiting) &&
	       ktime_get_mono_fast_ns() - READ_ONCE(haste->since) > BHLAB_HASTE_NS;
}

/* May one more program be held? Whatever the answer, bhlab_share_leave() follows. */
bool bhlab_share_enter(struct bhlab_share *share)
{
	return !share || atomic_inc_return(&share->held) <= BHLAB_SHARE_HELD;
}

void bhlab_share_leave(struct bhlab_share *share)
{
	if (share)
		atomic_dec(&share->held);
}
