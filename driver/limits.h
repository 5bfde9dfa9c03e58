/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BHLAB_LIMITS_H
#define BHLAB_LIMITS_H

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/types.h>

#include <linux/bhlab.h>

/* The last of what the ABI numbers. */
#define BHLAB_LAST_WQ		BHLAB_WQ_CPU_INTENSIVE
#define BHLAB_MASK_WQ		((BHLAB_LAST_WQ << 1) - 1)
#define BHLAB_LAST_COND		BHLAB_COND_STARTED
#define BHLAB_LAST_KIND		BHLAB_KIND_FIFO

/*
 * The resources of one user, over all its labs; steps, times and ring_bytes are
 * limits of one program, run or lab. All are module parameters, read-only once
 * the module is loaded, so that a check stays true.
 */
struct bhlab_limits {
	unsigned int labs;
	unsigned int items;
	unsigned int irqs;
	unsigned int queues;
	unsigned int threads;
	unsigned int system_sleepers;
	unsigned int fifos;
	unsigned int users;
	unsigned int steps;
	unsigned int ring_bytes;
	unsigned long long user_ring_bytes;
	unsigned long long atomic_ns;
	unsigned long long atomic_cap_ns;
	unsigned long long process_ns;
	unsigned long long lab_ns;
	unsigned long long period_ns;
	unsigned int chain;
	unsigned int budget_percent;
	unsigned int process_percent;
	unsigned long long run_cost_ns;
};

extern struct bhlab_limits bhlab_limits;

int bhlab_limits_check(void);

/*
 * For checks in advance, whose answer may not matter: unlike capable(), this
 * leaves no audit record.
 */
static inline bool bhlab_has_cap(int cap)
{
	return ns_capable_noaudit(&init_user_ns, cap);
}

#endif /* BHLAB_LIMITS_H */
