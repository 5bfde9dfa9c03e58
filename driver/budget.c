// SPDX-License-Identifier: GPL-2.0-only
/*
 * Budgets: limits for one run bound nothing, since there can be any number of
 * runs. So every run in atomic context or a real-time thread is charged to the
 * CPU that it ended on. Once the share of the current window is spent, the steps
 * of such runs are skipped there until the next window, and what the driver
 * fires itself or user space activates waits for that.
 *
 * What cannot wait, the kernel's own timers among it, still runs, without its
 * steps. That is charged, too, and what exceeds the share is owed to the windows
 * after: on the average it is kept.
 */
#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/time64.h>

#include "budget.h"
#include "compat.h"
#include "limits.h"

/* Touched by its own CPU only, with interrupts off; any may read it. */
DEFINE_PER_CPU(struct bhlab_budget, bhlab_budget);

/*
 * What the kernel needs to get to a handler and back, which the handler cannot
 * see: an interrupt, and on PREEMPT_RT a thread that it wakes. It is measured on
 * the machine, between these bounds.
 */
#define BHLAB_RUN_COST_NS	(2 * NSEC_PER_USEC)
#define BHLAB_RUN_COST_MAX_NS	(100 * NSEC_PER_USEC)
static u64 bhlab_run_cost __read_mostly = BHLAB_RUN_COST_NS;

/* Between two handlers that follow each other so closely nothing else has run. */
#define BHLAB_GAP_NS		(20 * NSEC_PER_USEC)

/* What is owed is forgotten after so many windows, so that a wait is bounded. */
#define BHLAB_BUDGET_DEBT	9

/* The window in which @now lies; what was owed is paid from each one. */
static void bhlab_budget_roll(struct bhlab_budget *b, u64 share, u64 now)
{
	s64 past = now - b->window;
	u64 windows;

	if (likely(past < (s64)BHLAB_BUDGET_NS))
		return;
	windows = div_u64(past, BHLAB_BUDGET_NS);
	b->window += windows * BHLAB_BUDGET_NS;
	b->spent -= min(b->spent, windows * share);
}

/* @busy of the time before @end. The clock may have stepped back a little. */
void bhlab_budget_add(struct bhlab_budget *b, unsigned int percent, u64 end,
		      u64 busy)
{
	const u64 share = bhlab_budget_share(percent);
	s64 gap = end - busy - b->last;
	u64 over;

	/* All of the CPU is no limit. */
	if (percent >= 100)
		return;
	bhlab_budget_roll(b, share, end);
	b->spent += busy + (gap < BHLAB_GAP_NS ? max(gap, 0LL) : bhlab_run_cost);
	b->last = end;
	if (likely(b->spent <= share)) {
		WRITE_ONCE(b->until, 0);
		return;
	}
	over = min(b->spent - share, BHLAB_BUDGET_DEBT * share);
	b->spent = share + over;
	WRITE_ONCE(b->until, b->window + DIV64_U64_ROUND_UP(over, share) *
					 BHLAB_BUDGET_NS);
}

void bhlab_budget_charge(u64 end, u64 busy)
{
	unsigned long flags;

	local_irq_save(flags);
	bhlab_budget_add(this_cpu_ptr(&bhlab_budget),
			 bhlab_limits.budget_percent, end, busy);
	local_irq_restore(flags);
}

static struct hrtimer bhlab_probe;
static DECLARE_COMPLETION(bhlab_probed);
static u64 bhlab_probe_reached;

static enum hrtimer_restart bhlab_probe_fn(struct hrtimer *timer)
{
	bhlab_probe_reached = ktime_get_mono_fast_ns();
	complete(&bhlab_probed);
	return HRTIMER_NORESTART;
}

static u64 __init bhlab_probe_once(void)
{
	u64 begun = ktime_get_mono_fast_ns();

	hrtimer_start(&bhlab_probe, 0, HRTIMER_MODE_REL_SOFT);
	wait_for_completion(&bhlab_probed);
	return bhlab_probe_reached - begun;
}

/*
 * An hrtimer in softirq context takes the longest way: its interrupt, and then
 * the softirq or the thread. The shortest of a few tries is the one in which
 * nobody else had the CPU.
 */
void __init bhlab_budget_init(void)
{
	u64 least = BHLAB_RUN_COST_MAX_NS;

	hrtimer_setup(&bhlab_probe, bhlab_probe_fn, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_SOFT);
	for (int i = 0; i < 16; i++)
		least = min(least, bhlab_probe_once());
	hrtimer_cancel(&bhlab_probe);
	bhlab_run_cost = max_t(u64, least, BHLAB_RUN_COST_NS);
}

/* What the driver's own timers take at most; what is more the host has taken. */
#define BHLAB_FIRE_NS		(100 * NSEC_PER_USEC)

/* For these: the time since @entered. */
void bhlab_budget_charge_since(u64 entered)
{
	u64 now = ktime_get_mono_fast_ns();

	bhlab_budget_charge(now, min_t(u64, now - entered, BHLAB_FIRE_NS));
}

/*
 * For verbs: sleep for @wait, once, since others may be faster to spend the next
 * share. A signal ends that.
 */
int bhlab_budget_sleep(u64 wait)
{
	schedule_timeout_interruptible(nsecs_to_jiffies(wait) + 1);
	return signal_pending(current) ? -ERESTARTSYS : 0;
}
