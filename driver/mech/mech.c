// SPDX-License-Identifier: GPL-2.0-only
/* The table of mechanisms. */
#include <linux/kernel.h>
#include <linux/nospec.h>

#include "mech/list.h"
#include "mech/mech.h"

static const struct {
	const struct bhlab_mech_ops *ops;
	const char *name;
} bhlab_mechs[] = {
	BHLAB_MECHS(BHLAB_MECH_ENTRY)
};

static_assert(ARRAY_SIZE(bhlab_mechs) == BHLAB_NR_MECHS + 1);

/* NULL if there is no such mechanism. */
const struct bhlab_mech_ops *bhlab_mech(u32 id)
{
	if (id > BHLAB_NR_MECHS)
		return NULL;
	return bhlab_mechs[array_index_nospec(id, BHLAB_NR_MECHS + 1)].ops;
}

/* The mechanism exists. */
const char *bhlab_mech_name(u32 id)
{
	return bhlab_mechs[id].name;
}

/* The context of its program on this kernel, as it was booted. */
u32 bhlab_mech_context(const struct bhlab_mech_ops *ops)
{
	return ops->context_here ? ops->context_here() : ops->context;
}

bool bhlab_mech_absent(const struct bhlab_mech_ops *ops)
{
	return ops->absent && ops->absent();
}
