/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of a picture share: picture.c lays out, the others draw. */
#ifndef BHCTL_PICTURE_PARTS_H
#define BHCTL_PICTURE_PARTS_H

#include "lab/picture.h"

/* Pixels. */
#define HEAD		22	/* above rows: their title */
#define ROW		42	/* of an item */
#define LANE		22	/* of a context of a CPU */
#define AXIS		24	/* below rows */
#define GAP		18	/* between two groups of rows */
#define OVERVIEW	44

struct picture_row {
	uint64_t key;		/* item and stage */
	const struct bhlab_event *first;
	size_t runs, coalesced, cancelled, marks, dropped;
	size_t drawn;		/* runs in what is drawn */
	bool shown;
	double y;
	char label[64];		/* "irq/thread" */
	char class[72];
};

enum { HARDIRQ, SOFTIRQ, TASK };

struct picture_lane {
	uint32_t cpu;
	int context;
	double y;
};

/* --- picture.c */
int picture_context(const struct bhlab_event *e);
bool picture_shows(const struct picture *p, const struct bhlab_event *e);
bool picture_is_part(const struct picture *p);
bool picture_has_overview(const struct picture *p);
/* Whether it is a run that starts in what the overview shows. */
bool picture_counts(const struct picture *p, const struct bhlab_event *e);
struct picture_row *picture_row_of(const struct picture *p, const struct bhlab_event *e);
struct picture_lane *picture_lane_of(const struct picture *p, const struct bhlab_event *e);

/* --- picture_legend.c */
/* What happens in a moment. */
struct picture_sign {
	uint8_t kind;
	const char *name, *id, *shape;
};

/* NULL if none is drawn. */
const struct picture_sign *picture_sign_of(const struct bhlab_event *e);
/* The definitions of those that are drawn. */
void picture_put_signs(const struct picture *p, FILE *file);
/* Returns where it ends; without a file nothing is written. */
double picture_put_legend(const struct picture *p, FILE *file, double y);

#endif
