/* SPDX-License-Identifier: GPL-2.0-only */
/* The share of each CPU that atomic handlers may use in total. */
#ifndef BHLAB_BUDGET_H
#define BHLAB_BUDGET_H

#include <linux/compiler.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/timekeeping.h>
#include <linux/types.h>

#include <linux/bhlab.h>

/**
 * struct bhlab_budget - how much of a share of one CPU is spent
 * @window: start of the window that @spent belongs to
 * @last: end of the last time that was charged
 * @spent: time spent in this window, and debt from earlier ones
 * @until: when the debt will be paid; 0 while there is none
 */
struct bhlab_budget {
	u64 window;
	u64 last;
	u64 spent;
	u64 until;
};

/* The time that a share of @percent is in each window. */
static inline u64 bhlab_budget_share(unsigned int percent)
{
	return (u64)(BHLAB_BUDGET_NS / 100) * percent;
}

void bhlab_budget_add(struct bhlab_budget *b, unsigned int percent, u64 end,
		      u64 busy);

/* 0, or the time until there is a share again. From any CPU. */
static inline u64 bhlab_budget_left(const struct bhlab_budget *b)
{
	u64 until = READ_ONCE(b->until), now;

	if (likely(!until))
		return 0;
	now = ktime_get_mono_fast_ns();
	/* Two words on 32 bits: it may be read while it is being written. */
	return until > now ? min_t(u64, until - now, NSEC_PER_SEC) : 0;
}

/* The CPU's budget, for atomic handlers, irq threads and real-time threads. */
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
