/* SPDX-License-Identifier: GPL-2.0-only */
/* Telling what came of scenarios: for people, as KTAP, as JSON. */
#ifndef BHCTL_SCENARIO_REPORT_H
#define BHCTL_SCENARIO_REPORT_H

#include "scenario/run.h"

struct pages;

struct totals {
	size_t nr;		/* scenarios there are */
	size_t done;
	size_t by_verdict[4];
	uint64_t expectations;
	int signal;		/* that ended it before all were done, or 0 */
};

struct report {
	void (*begin)(struct report *report, const struct totals *totals);
	void (*scenario)(struct report *report, const struct run *run, const struct totals *totals);
	void (*end)(struct report *report, const struct totals *totals);
	bool verbose;		/* all about each */
	bool tour;		/* with a pause after each */
	struct pages *pages;	/* or NULL */
	json_object *doc;	/* of JSON, while it grows */
};

extern const struct report text_report;
extern const struct report parsable_report;
extern const struct report tap_report;
extern const struct report json_report;

/* --- html.c: pages, besides the report; @target is a file, or a directory */
/* NULL, and why it cannot be written. */
struct pages *pages_open(const char *target, struct error *e);
void pages_scenario(struct pages *pages, const struct run *run);
int pages_close(struct pages *pages, const struct totals *totals, struct error *e);

/* What is told of a check in front of its text: "line 12: ", or "". */
void check_place(const struct check *check, char *buf, size_t size);
/* "rt, kernel>=6.12", or "". */
void variants_text(const struct run *run, char *buf, size_t size);
struct timeline;
/* What happened in the run. */
void run_timeline(const struct timeline *timeline, const struct run *run);

#endif
