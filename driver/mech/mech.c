// SPDX-License-Identifier: GPL-2.0-only
/* The mechanisms, one line each. */
#include <linux/kernel.h>
#include <linux/nospec.h>

#include "mech/mech.h"

static const struct bhlab_mech_ops *const bhlab_mechs[] = {
	[BHLAB_MECH_WORK] = &bhlab_work_ops,
	[BHLAB_MECH_TASKLET] = &bhlab_tasklet_ops,
	[BHLAB_MECH_TASKLET_HI] = &bhlab_tasklet_hi_ops,
	[BHLAB_MECH_IRQ] = &bhlab_irq_ops,
	[BHLAB_MECH_IRQ_WORK] = &bhlab_irq_work_ops,
	[BHLAB_MECH_TIMER] = &bhlab_timer_ops,
	[BHLAB_MECH_HRTIMER] = &bhlab_hrtimer_ops,
	[BHLAB_MECH_HRTIMER_SOFT] = &bhlab_hrtimer_soft_ops,
	[BHLAB_MECH_KTHREAD_WORK] = &bhlab_kthread_work_ops,
	[BHLAB_MECH_RCU] = &bhlab_rcu_ops,
	[BHLAB_MECH_RCU_WORK] = &bhlab_rcu_work_ops,
};

/* NULL if there is none of that number. */
const struct bhlab_mech_ops *bhlab_mech(u32 id)
{
	if (id >= ARRAY_SIZE(bhlab_mechs))
		return NULL;
	return bhlab_mechs[array_index_nospec(id, ARRAY_SIZE(bhlab_mechs))];
}

/* Where its program runs on this kernel, as it was booted. */
u32 bhlab_mech_context(const struct bhlab_mech_ops *ops)
{
	return ops->context_here ? ops->context_here() : ops->context;
}

u32 bhlab_mech_count(void)
{
	return ARRAY_SIZE(bhlab_mechs) - 1;
}
