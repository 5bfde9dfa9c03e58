/* SPDX-License-Identifier: GPL-2.0-only */
/* What is made of a recording: tables, a picture, files for other programs. */
#ifndef BHCTL_REPORT_H
#define BHCTL_REPORT_H

#include <stdio.h>

#include "base/hist.h"
#include "lab/timeline.h"
#include "recording/recording.h"

struct json_object;
struct result;

/* --- report_doc.c */

/* What was measured of a group of runs. */
struct times {
	struct hist *queue_to_start, *run_time;
};

void times_free(struct times *times);

/* Each record's group: its item's or its mechanism's, and the thread of an irq apart. */
enum grouping { BY_ITEM, BY_MECH };

/* The records of one group, by start. */
struct group {
	const struct bhlab_event **list;
	size_t nr;
};

/* All records, those of a group next to each other; to be freed. */
const struct bhlab_event **groups_sort(const struct recording *recording, enum grouping grouping);
/* The group that begins at @from. */
struct group group_at(const struct recording *recording, enum grouping grouping,
		      const struct bhlab_event **sorted, size_t from);
/* To be freed by times_free(). */
struct times group_times(const struct group *group);

struct json_object *report_doc(const struct recording *recording);
/* For pictures and timelines. */
struct history recording_history(const struct recording *recording);
/* "irq/thread": the mechanism, and the stage if it is the second one. */
void mech_label(const struct recording *recording, const struct bhlab_event *event, char *buf,
		size_t size);

/* --- text.c */
void report_text(const struct recording *recording, struct json_object *doc);
/* The tables of the items. */
void report_page_tables(FILE *file, struct json_object *doc);

/* --- tracks.c: runs, as rows on which they do not cut each other */

enum track_context { TRACK_HARDIRQ, TRACK_SOFTIRQ, TRACK_TASK, TRACK_CONTEXTS };

/*
 * If two runs in one context of one CPU overlap without one containing the other, the
 * first having been preempted, they are in different layers.
 */
struct track {
	uint32_t cpu;
	enum track_context context;
	uint32_t layer;
};

struct tracks {
	struct track *list;	/* by CPU, context and layer */
	size_t nr;
	size_t *of;		/* by number of the record: the index of its track */
};

int tracks_make(const struct recording *recording, struct tracks *tracks, struct error *e);
void tracks_free(struct tracks *tracks);
void track_name(const struct track *track, char *buf, size_t size);

struct call;

/* --- part.c */
/* Leaves only what @call asks for: --from, --to, --item. */
int recording_part(struct recording *recording, const struct call *call, struct error *e);

/* --- for other programs; 0, or -1 and why */
int report_perfetto(const struct recording *recording, FILE *file, struct error *e);
int report_csv(const struct recording *recording, FILE *file, struct error *e);
int check_svg(const struct recording *recording, struct error *e);
int report_svg(const struct recording *recording, FILE *file, struct error *e);
int report_html(const struct recording *recording, FILE *file, struct error *e);

#endif
