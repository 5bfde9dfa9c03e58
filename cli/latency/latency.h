/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * latency: every mechanism is activated in turn, one activation at a time, and
 * the ring's records of its runs go into histograms.
 */
#ifndef BHCTL_LATENCY_H
#define BHCTL_LATENCY_H

#include <linux/bhlab.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "base/error.h"
#include "base/hist.h"
#include "lab/ring.h"
#include "base/words.h"

struct call;
struct result;
struct lab;
struct json_object;

/* A run that does not come by then ends it. */
#define LATENCY_PATIENCE_S	10

enum metric {
	QUEUE_TO_START,
	RUN_TIME,
	TRIGGER_TO_THREAD,	/* of an irq */
	METRICS,
};

/* What was measured of one mechanism on one CPU. */
struct series {
	struct hist *hists[METRICS];	/* NULL: the mechanism has no such thing */
	uint64_t lost;			/* runs whose record was overwritten */
	uint64_t thread_lost;
};

struct target {
	const char *name;
	const struct bhlab_mech_info *mech;
	bool bh;			/* work on a BH queue */
	uint32_t id;			/* its item's; 0: there is none yet */
	uint32_t line;			/* FROM_IRQ: whose top half activates it */
	uint64_t skipped;		/* steps of its programs and of its line's */
	struct series *series;		/* by index of the CPU */
	struct bhlab_item_state state;	/* in the end */
};

/* The one activation that is being measured. */
struct activation {
	struct target *target;
	struct series *series;
	unsigned int cpu;
	uint64_t queued_ns;		/* of the run that is recorded; 0: not yet */
	uint32_t skipped;		/* steps */
	bool over;			/* nothing more will come of it */
};

/* The first value above the threshold. */
struct excess {
	const struct target *target;	/* NULL: there was none */
	enum metric metric;
	unsigned int cpu;
	uint64_t ns, at_ns;
};

struct latency {
	const struct call *call;
	struct lab *lab;
	struct ring ring;
	struct target *targets;
	size_t nr_targets;
	unsigned int *cpus;
	size_t nr_cpus;
	cpu_set_t allowed;		/* where bhctl may run, and ran before */
	enum latency_from from;
	uint64_t interval_ns, duration_ns, rounds_max, threshold_ns;
	FILE *file;			/* of --json, or NULL */
	uint32_t load;			/* id of the item that is the load, or 0 */
	struct bhlab_item_state load_state;

	struct activation current;
	struct excess excess;
	const struct target *stuck;	/* has not run in time; NULL: all have */
	uint64_t rounds;
	uint64_t lost;			/* records of the ring, of whatever item */
	uint64_t began_ns, took_ns;
	time_t start, end;
	bool interrupted;
};

/* --- latency_items.c: what is to be measured becomes items, and these go again */
int latency_targets(struct latency *l, struct error *e);
int latency_items(struct latency *l, struct error *e);
int latency_load(struct latency *l, struct error *e);
void latency_forget(struct latency *l);

/* --- latency_run.c: until it is enough, interrupted, or above the threshold */
int latency_run(struct latency *l, struct error *e);

/* --- doc.c */
struct json_object *latency_doc(const struct latency *l);
/* accepted = recorded + lost, for every item. */
bool latency_adds_up(const struct latency *l);

/* --- file.c: 0 or the errno */
int latency_write(const struct latency *l, int status);

extern const char *const metric_names[METRICS];

/* --- text.c */
void print_latency(const struct result *result);

#endif
