/* SPDX-License-Identifier: GPL-2.0-only */
/* What files are compared by. */
#ifndef BHCTL_COMPARE_H
#define BHCTL_COMPARE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/hist.h"

enum side_kind { SIDE_RECORDING, SIDE_LATENCY };

/* All values of one metric of one mechanism. */
struct measure {
	char mechanism[64];	/* or "irq/thread" */
	const char *metric;
	struct hist *hist;
};

/* One of the files. */
struct side {
	const char *path;
	enum side_kind kind;
	char release[128];
	bool realtime;
	struct measure *list;
	size_t nr;
};

/* --- compare_read.c; 0, or -1 and why it cannot be read */
int side_read(const char *path, struct side *side, struct error *e);
void side_free(struct side *side);
/* NULL if it has none. */
const struct measure *side_measure(const struct side *side, const char *mechanism,
				   const char *metric);

#endif
