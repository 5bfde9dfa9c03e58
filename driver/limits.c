// SPDX-License-Identifier: GPL-2.0-only
/* Limits: what a lab and a user may use. */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/time64.h>

#include <linux/bhlab.h>

#include "limits.h"

struct bhlab_limits bhlab_limits = {
	.labs = 16,
	.items = 1024,
	.irqs = 64,
	.queues = 64,
	.threads = 128,
	.system_sleepers = 16,
	.fifos = 64,
	.users = 8,
	.steps = 64,
	.ring_bytes = SZ_16M,
	.atomic_ns = NSEC_PER_MSEC,
	.atomic_cap_ns = 10 * NSEC_PER_MSEC,
	.process_ns = NSEC_PER_SEC,
	.lab_ns = 60 * (u64)NSEC_PER_SEC,
	.period_ns = 100 * NSEC_PER_USEC,
	.chain = 100000,
	.budget_percent = 25,
	.process_percent = 10,
};

#define BHLAB_LIMIT(name, type, text)					\
	module_param_named(name, bhlab_limits.name, type, 0444);	\
	MODULE_PARM_DESC(name, text)

BHLAB_LIMIT(labs, uint, "Labs, that is opens of the device, of one user at a time (16)");
BHLAB_LIMIT(items, uint, "Items and other objects of one user (1024)");
BHLAB_LIMIT(irqs, uint, "Interrupt lines of one user (64)");
BHLAB_LIMIT(queues, uint, "Workqueues that one user creates (64)");
BHLAB_LIMIT(threads, uint, "Kernel threads that objects of one user may hold (128)");
BHLAB_LIMIT(system_sleepers, uint, "Of these, kworkers of the system's queues (16)");
BHLAB_LIMIT(fifos, uint, "FIFOs of one user (64)");
BHLAB_LIMIT(users, uint, "Times what one user may have, all users together may (8)");
BHLAB_LIMIT(steps, uint, "Steps of one program (64)");
BHLAB_LIMIT(ring_bytes, uint, "Bytes of one lab's ring, all CPUs together (16777216)");
BHLAB_LIMIT(user_ring_bytes, ullong, "Bytes of all rings of one user (0: by the memory)");
BHLAB_LIMIT(atomic_ns, ullong, "Nanoseconds that one run may spin in atomic context (1000000)");
BHLAB_LIMIT(atomic_cap_ns, ullong, "The same, with CAP_SYS_ADMIN (10000000)");
BHLAB_LIMIT(process_ns, ullong, "Nanoseconds of one run in process context (1000000000)");
BHLAB_LIMIT(lab_ns, ullong, "Nanoseconds of all process context programs of a lab (60000000000)");
BHLAB_LIMIT(period_ns, ullong, "Nanoseconds of the shortest period of a trigger (100000)");
BHLAB_LIMIT(chain, uint, "Activations that steps may make after each by a user (100000)");
BHLAB_LIMIT(budget_percent, uint, "Percent of a CPU for atomic handlers and irq threads (25)");
BHLAB_LIMIT(process_percent, uint, "Percent of a CPU for the other programs of a user (10)");
BHLAB_LIMIT(run_cost_ns, ullong, "Nanoseconds to a handler and back (0: measured)");

/* The hard caps: beyond these the kernel's own watchdogs would complain. */
#define BHLAB_ATOMIC_MAX	(100 * NSEC_PER_MSEC)
#define BHLAB_PROCESS_MAX	(10 * (u64)NSEC_PER_SEC)
#define BHLAB_LAB_MAX		(100 * (u64)NSEC_PER_SEC)
#define BHLAB_PERIOD_MIN	(10 * NSEC_PER_USEC)
#define BHLAB_RUN_COST_MAX	NSEC_PER_MSEC
#define BHLAB_ITEMS_MAX		65536
#define BHLAB_USERS_MAX		1024
#define BHLAB_STEPS_MAX		1024
#define BHLAB_RING_MAX		SZ_256M

/* With those of all users, it leaves three quarters of the memory. */
#define BHLAB_RING_SHARE	32

/*
 * A ring of the largest size in each lab, and a quarter more for what is beside its
 * records; or a share of the memory.
 */
static u64 bhlab_user_ring_default(const struct bhlab_limits *l)
{
	u64 share = (u64)totalram_pages() * (PAGE_SIZE / BHLAB_RING_SHARE);
	u64 ring = l->ring_bytes + l->ring_bytes / 4;

	return min(l->labs * ring, share);
}

int bhlab_limits_check(void)
{
	struct bhlab_limits *l = &bhlab_limits;

	if (!l->labs || !l->items || l->items > BHLAB_ITEMS_MAX ||
	    !l->users || l->users > BHLAB_USERS_MAX ||
	    !l->steps || l->steps > BHLAB_STEPS_MAX || !l->chain ||
	    l->ring_bytes > BHLAB_RING_MAX ||
	    l->atomic_ns > l->atomic_cap_ns ||
	    l->atomic_cap_ns > BHLAB_ATOMIC_MAX ||
	    l->process_ns > BHLAB_PROCESS_MAX ||
	    l->lab_ns > BHLAB_LAB_MAX || l->period_ns < BHLAB_PERIOD_MIN ||
	    !l->budget_percent || l->budget_percent > 100 ||
	    !l->process_percent || l->process_percent > 100 ||
	    l->run_cost_ns > BHLAB_RUN_COST_MAX) {
		pr_err("bhlab: a module parameter is out of its range\n");
		return -EINVAL;
	}
	if (!l->user_ring_bytes)
		l->user_ring_bytes = bhlab_user_ring_default(l);
	return 0;
}
