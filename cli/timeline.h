/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BHCTL_TIMELINE_H
#define BHCTL_TIMELINE_H

#include <stdio.h>

#include "scenario_run.h"

struct timeline {
	FILE *file;
	const char *prefix;	/* of each line */
	int width;		/* of a line, with it */
	bool color;
	bool utf8;
};

/* What happened in the run, downwards in time, one lane for each CPU. */
void timeline_print(const struct timeline *timeline, const struct run *run);

/* --- timeline_text.c */

enum row_kind { ROW_DEED, ROW_QUEUED, ROW_START, ROW_OTHER, ROW_END };

struct row {
	uint64_t ns;
	enum row_kind kind;
	uint32_t cpu;
	const struct bhlab_event *event;
	const struct deed *deed;
	bool whole;		/* START: nothing happens before the end */
};

/* What happened, in ASCII. */
void row_text(const struct run *run, const struct row *row, char *buf, size_t size);

#endif
