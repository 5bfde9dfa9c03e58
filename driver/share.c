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
#include <linux/time64.h>
#include <linux/wait.h>

#include "bhlab.h"
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

static bool bhlab_haste(const struct bhlab_haste *haste)
{
	return atomic_read(&haste->waiting) &&
	       ktime_get_mono_fast_ns() - READ_ONCE(haste->since) > BHLAB_HASTE_NS;
}

/*
 * Sleep until there is a share again, on the CPU that the program is on then,
 * or the program ends. False if it must not sleep, or not any more.
 */
bool bhlab_share_hold(struct bhlab_run *run)
{
	struct bhlab_lab *lab = run->item->obj.lab;
	struct bhlab_share *share = run->share;
	u64 start = ktime_get_mono_fast_ns(), wait;
	bool held = atomic_inc_return(&share->held) <= BHLAB_SHARE_HELD;

	while (held && !bhlab_run_ended(run)) {
		wait = min_t(u64, bhlab_share_wait(share), BHLAB_BUDGET_NS);
		if (!wait)
			break;
		held = !bhlab_haste(&lab->haste);
		if (held)
			wait_event_idle_timeout(lab->sleepers, READ_ONCE(lab->dying),
						nsecs_to_jiffies(wait) + 1);
	}
	atomic_dec(&share->held);
	run->flags |= BHLAB_EVENT_F_HELD;
	run->slept += ktime_get_mono_fast_ns() - start;
	return held;
}
