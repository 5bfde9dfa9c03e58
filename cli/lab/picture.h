/* SPDX-License-Identifier: GPL-2.0-only */
/* A picture of what happened, in SVG: time goes to the right, each item has a row. */
#ifndef BHCTL_PICTURE_H
#define BHCTL_PICTURE_H

#include <stdbool.h>
#include <stdio.h>

#include "lab/timeline.h"

struct picture_row;
struct picture_lane;

struct picture {
	const struct history *history;
	size_t runs_max;	/* of more runs, only the part in which so many are closest */
	bool page;		/* a script will zoom */
	size_t view_runs;	/* it begins with a part of so many */
	uint64_t clip_from_ns, clip_to_ns;	/* nothing is drawn beside; or 0 */
	/* picture_make() fills these in */
	uint64_t zero_ns;		/* times are told from here on */
	uint64_t base_ns, end_ns;	/* of all that was recorded */
	uint64_t from_ns, to_ns;	/* of what is drawn */
	uint64_t view_from_ns, view_to_ns;	/* of what a page shows first */
	struct picture_row *rows;
	size_t nr_rows, nr_shown;
	struct picture_lane *lanes;
	size_t nr_lanes, nr_lanes_shown;
	size_t runs, drawn;
	bool kinds[32];			/* these are drawn */
	double height;
};

void picture_make(struct picture *p);
/* Elements, of which the upper left corner is at 0,0. Nothing if nothing happened. */
void picture_put(const struct picture *p, FILE *file);
void picture_free(struct picture *p);
/* The style of the colours. */
void picture_colors(const struct picture *p, FILE *file, bool dark);

#endif
