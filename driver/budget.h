/* SPDX-License-Identifier: GPL-2.0-only */
/* The share of each CPU that all handlers in atomic context take together. */
#ifndef BHLAB_BUDGET_H
#define BHLAB_BUDGET_H

#include <linux/compiler.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/timekeeping.h>
#include <linux/types.h>

#include <linux/bhlab.h>

/**
 * struct bhlab_budget - what is spent of a share of one CPU
 * @window: when the window began that @spent is about
 * @last: the end of the last time that was charged
 * @spent: of the share, this window's and what is owed of those before
 * @until: when what is owed will be paid, 0 while nothing is
 */
struct bhlab_budget {
	u64 window;
	u64 last;
	u64 spent;
	u64 until;
};

/* What the share of so many percent is in each window. */
static inline u64 bhlab_budget_share(unsigned int percent)
{
	return (u64)(BHLAB_BUDGET_NS / 100) * percent;
}

void bhlab_budget_add(struct bhlab_budget *b, unsigned int percent, u64 end,
		      u64 busy);

/* 0, or how long it takes until there is a share again; of any CPU's. */
static inline u64 bhlab_budget_left(const struct bhlab_budget *b)
{
	u64 until = READ_ONCE(b->until), now;

	if (likely(!until))
		return 0;
	now = ktime_get_mono_fast_ns();
	/* Two words on 32 bits: it may be read while it is being written. */
	return until > now ? min_t(u64, until - now, NSEC_PER_SEC) : 0;
}

/* Of handlers in atomic context, irq threads and real-time threads: the CPU's. */
DECLARE_PER_CPU(struct bhlab_budget, bhlab_budget);

static inline u64 bhlab_budget_wait(unsigned int cpu)
{
	return bhlab_budget_left(per_cpu_ptr(&bhlab_budget, cpu));
}

static inline u64 bhlab_budget_wait_here(void)
{
	return bhlab_budget_left(raw_cpu_ptr(&bhlab_budget));
}

void bhlab_budget_init(void);
void bhlab_budget_charge(u64 end, u64 busy);
void bhlab_budget_charge_since(u64 entered);
int bhlab_budget_sleep(u64 wait);

#endif /* BHLAB_BUDGET_H */
