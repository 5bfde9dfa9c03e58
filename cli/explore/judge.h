/* SPDX-License-Identifier: GPL-2.0-only */
/* A play that is judged. */
#ifndef BHCTL_JUDGE_H
#define BHCTL_JUDGE_H

#include "explore/behaviours.h"
#include "explore/explore.h"

struct judged {
	const struct plan *plan;
	const struct machine *machine;
	const struct play *play;
	struct behaviours *seen;
	struct verdict *verdict;
	int item;			/* that is looked at now */
};

static inline const struct plan_item *judged_item(const struct judged *j)
{
	return &j->plan->items[j->item];
}

/* --- judged.c */
/* Its program's time, if nothing is skipped. */
uint64_t program_ns(const struct bhlab_step *steps, unsigned int nr);
/* The call is to blame: "cancel x0 = idle: @what" */
void judged_fault(struct judged *j, const struct log_entry *entry, const char *what);

/* --- always.c: what holds for every plan */
void always_check(struct judged *j);

/* --- explain.c: the answers of one item, by the model */
void explain_item(struct judged *j);

#endif
