// SPDX-License-Identifier: GPL-2.0-only
/* Whether a play was as it should be. */
#include "explore/judge.h"

void judge(const struct plan *plan, const struct machine *machine, const struct play *play,
	   struct behaviours *seen, struct verdict *verdict)
{
	struct judged j = { .plan = plan, .machine = machine, .play = play, .seen = seen,
			    .verdict = verdict };

	*verdict = (struct verdict){ .entry = -1, .item = -1 };
	if (play->refused)
		return;
	always_check(&j);
	/* The model knows the programs of aimed plans alone, and of them the first item's. */
	j.item = 0;
	if (plan->target != PLAN_STORM && !verdict->failed)
		explain_item(&j);
}
