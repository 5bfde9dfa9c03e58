/* SPDX-License-Identifier: GPL-2.0-only */
/* Playing plans in processes of their own, which may fail, hang or be ended. */
#ifndef BHCTL_EXPLORE_WORK_H
#define BHCTL_EXPLORE_WORK_H

#include "explore/behaviours.h"
#include "explore/explore.h"

#define JOBS_MAX	32

/* What is asked for. */
struct campaign {
	struct wanted wanted;
	struct machine machine;
	uint64_t first_run, runs;	/* how many; 0: until the time is over */
	uint64_t duration_ns;
	uint64_t hang_ns;		/* so long a run may take */
	unsigned int jobs, stop_at;
	const char *directory;		/* for scenarios, or NULL */
	/* Called for each plan that fails, already smaller, with its last play. */
	void (*found)(const struct plan *plan, const struct verdict *verdict,
		      const struct play *play, void *arg);
	void *arg;
};

/* What came of it. */
struct tally {
	uint64_t runs, storms, calls, refused, gave_up;
	unsigned int failures;
	int err;			/* no lab could be had */
};

/* Plays runs until it is enough; what was seen is added to @seen. */
void campaign_run(const struct campaign *campaign, struct behaviours *seen, struct tally *tally);

#endif
