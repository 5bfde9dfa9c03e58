// SPDX-License-Identifier: GPL-2.0-only
/* The mechanisms, one line each. */
#include <linux/kernel.h>
#include <linux/nospec.h>

#include "bhlab.h"

static const struct bhlab_mech_ops *const bhlab_mechs[] = {
	[BHLAB_MECH_WORK] = &bhlab_work_ops,
	[BHLAB_MECH_TASKLET] = &bhlab_tasklet_ops,
	[BHLAB_MECH_TASKLET_HI] = &bhlab_tasklet_hi_ops,
	[BHLAB_MECH_IRQ] = &bhlab_irq_ops,
};

/* NULL if there is none of that number. */
const struct bhlab_mech_ops *bhlab_mech(u32 id)
{
	if (id >= ARRAY_SIZE(bhlab_mechs))
		return NULL;
	return bhlab_mechs[array_index_nospec(id, ARRAY_SIZE(bhlab_mechs))];
}

u32 bhlab_mech_count(void)
{
	return ARRAY_SIZE(bhlab_mechs) - 1;
}
