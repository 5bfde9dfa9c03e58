/* SPDX-License-Identifier: GPL-2.0-only */
/* The share of each CPU that one user's programs in process context may use. */
#ifndef BHLAB_SHARE_H
#define BHLAB_SHARE_H

#include <linux/atomic.h>
#include <linux/types.h>

#include "budget.h"

/**
 * struct bhlab_share - what one user's programs have spent
 * @cpus: by CPU; each written there only, with preemption off
 * @held: programs that sleep until there is a share, or a budget, again
 */
struct bhlab_share {
	struct bhlab_budget __percpu *cpus;
	atomic_t held;
};

int bhlab_share_init(struct bhlab_share *share);
void bhlab_share_exit(struct bhlab_share *share);
void bhlab_share_charge(struct bhlab_share *share, u64 end, u64 busy);
bool bhlab_share_enter(struct bhlab_share *share);
void bhlab_share_leave(struct bhlab_share *share);

static inline u64 bhlab_share_wait(const struct bhlab_share *share)
{
	return bhlab_budget_left(raw_cpu_ptr(share->cpus));
}

/**
 * struct bhlab_haste - verbs of a lab that no signal ends
 * @waiting: verbs that wait for a handler
 * @since: when the first of these began
 *
 * They bound how long programs are held: a verb should not wait much longer than
 * the programs themselves take.
 */
struct bhlab_haste {
	atomic_t waiting;
	u64 since;
};

void bhlab_haste_begin(struct bhlab_haste *haste);
void bhlab_haste_end(struct bhlab_haste *haste);
bool bhlab_haste(const struct bhlab_haste *haste);

#endif /* BHLAB_SHARE_H */
