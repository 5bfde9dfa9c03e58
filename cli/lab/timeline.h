/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BHCTL_TIMELINE_H
#define BHCTL_TIMELINE_H

#include <stdint.h>
#include <stdio.h>

#include "lab/ring.h"
#include "base/pool.h"

/* A command that was carried out. */
struct executed {
	unsigned int line;	/* where it stands */
	uint64_t at_ns;
	const char *text;
	const char *answer;
};

/* What happened. */
struct history {
	const struct records *records;
	const struct list *executed;	/* struct executed, or NULL */
	/* What @who calls the item; @buf may be used for it. */
	const char *(*name)(const void *who, uint32_t id, char buf[BHLAB_NAME_LEN]);
	/* And its mechanism: work on a BH queue is bh_work. */
	const char *(*mech)(const void *who, const struct bhlab_event *event);
	const void *who;
	uint64_t base_ns;	/* times are told from here on; 0: from the first of them */
};

struct timeline {
	FILE *file;
	const char *prefix;	/* of each line */
	int width;		/* of a line, with it */
	bool color;
	bool utf8;
};

/* The history, downwards in time, one lane for each CPU. */
void timeline_print(const struct timeline *timeline, const struct history *history);

/* --- timeline_text.c */

enum row_kind { ROW_COMMAND, ROW_QUEUED, ROW_START, ROW_OTHER, ROW_END };

struct row {
	uint64_t ns;
	enum row_kind kind;
	uint32_t cpu;
	const struct bhlab_event *event;
	const struct executed *executed;
	bool whole;		/* START: nothing happens before the end */
};

/* What happened, in ASCII. */
void row_text(const struct history *history, const struct row *row, char *buf, size_t size);

#endif
