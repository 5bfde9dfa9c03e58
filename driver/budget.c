// SPDX-License-Identifier: GPL-2.0-only
/*
 * Budgets. Limiting the time of one run bounds nothing, since there can be any
 * number of runs. So every run in atomic context or in a real-time thread is
 * charged to the CPU on which it ended. Once the share of the current window is
 * spent, the steps of such runs are skipped on that CPU until the next window.
 * Activations by the driver's own timers and by user space wait for that window.
 *
 * A handler that cannot wait, such as one of the kernel's timers, still runs,
 * without its steps. That time is charged, too. What exceeds the share is owed
 * by the following windows, so the share is kept on average.
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

/* Written by its own CPU only, with interrupts off; read by any. */
DEFINE_PER_CPU(struct bhlab_budget, bhlab_budget);

/* Between two handlers that follow each other so closely nothing else has run. */
#define BHLAB_GAP_NS		(20 * NSEC_PER_USEC)

/* Windows after which debt is forgotten, so that a wait is bounded. */
#define BHLAB_BUDGET_DEBT	9

/* Advance to the window of @now; each window pays off some of the debt. */
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

/* Charge @busy of the time before @end. The clock may have stepped back slightly. */
void bhlab_budget_add(struct bhlab_budget *b, unsigned int percent, u64 end,
		      u64 busy)
{
	const u64 share = bhlab_budget_share(percent);
	s64 gap = end - busy - b->last;
	u64 over;

	/* The whole CPU is no limit. */
	if (percent >= 100)
		return;
	bhlab_budget_roll(b, share, end);
	b->spent += busy + (gap < BHLAB_GAP_NS ? max(gap, 0LL) :
						 bhlab_limits.run_cost_ns);
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

/* The bounds of what is measured. */
#define BHLAB_RUN_COST_MIN_NS	(2 * NSEC_PER_USEC)
#define BHLAB_RUN_COST_MAX_NS	(100 * NSEC_PER_USEC)

/*
 * What the kernel needs to get to a handler and back, which the handler cannot
 * see: an interrupt, and on PREEMPT_RT a thread that it wakes. Unless a parameter
 * tells it, it is measured here.
 *
 * An hrtimer in softirq context takes the longest way: its interrupt, and then
 * the softirq or the thread. The shortest of a few tries is the one in which
 * nobody else had the CPU.
 */
void __init bhlab_budget_init(void)
{
	u64 least = BHLAB_RUN_COST_MAX_NS;

	if (bhlab_limits.run_cost_ns)
		return;
	hrtimer_setup(&bhlab_probe, bhlab_probe_fn, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_SOFT);
	for (int i = 0; i < 16; i++)
		least = min(least, bhlab_probe_once());
	hrtimer_cancel(&bhlab_probe);
	bhlab_limits.run_cost_ns = max_t(u64, least, BHLAB_RUN_COST_MIN_NS);
}

/* The driver's own timers take this at most; the host has taken the rest. */
#define BHLAB_FIRE_NS		(100 * NSEC_PER_USEC)

/* Charge such a timer for the time since @entered. */
void bhlab_budget_charge_since(u64 entered)
{
	u64 now = ktime_get_mono_fast_ns();

	bhlab_budget_charge(now, min_t(u64, now - entered, BHLAB_FIRE_NS));
}

/*
 * For verbs: sleep for @wait, only once, since others may spend the next share
 * first. A signal ends the sleep.
 */
int bhlab_budget_sleep(u64 wait)
{
	schedule_timeout_interruptible(nsecs_to_jiffies(wait) + 1);
	return signal_pending(current) ? -ERESTARTSYS : 0;
}
