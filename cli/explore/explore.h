/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random labs against a model. A *plan* is made of a seed and a number; playing
 * it gives a *log* of what was called, when, and what the driver answered; the
 * judge compares that with the *model*; a plan that fails is made smaller while
 * it still fails, and is written as a scenario.
 */
#ifndef BHCTL_EXPLORE_H
#define BHCTL_EXPLORE_H

#include <linux/bhlab.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct lab;

#define PLAN_ITEMS	4
#define PLAN_QUEUES	3
#define PLAN_STEPS	4
#define PLAN_PHASES	12
#define PLAN_THREADS	4
#define PLAN_CALLS	8
#define LOG_MAX		192

/* Everything at random: only what holds always is checked. */
#define PLAN_STORM	0xffffffffU
/* Targets of steps beside items. */
#define TARGET_LOCK	100
#define TARGET_FIFO	101

/* What a plan calls. The first of them are verbs of the model. */
enum verb {
	V_QUEUE, V_TRIGGER, V_DELAY, V_MOD, V_CANCEL, V_CANCEL_SYNC, V_FLUSH, V_DISABLE,
	V_DISABLE_SYNC, V_ENABLE, V_DESTROY, V_DRAIN, V_FLUSH_QUEUE, V_DESTROY_QUEUE,
	V_MODEL,			/* so many are verbs */
	V_WAIT_RUNNING = V_MODEL,	/* the item is running, or was when this was asked */
	V_WAIT_IDLE,
	V_LOOK,				/* its state */
	V_CLOSE,			/* the end of the lab */
	VERBS,
};

/* One call. It names an item by its index in the plan, or a queue. */
struct verb_call {
	uint8_t verb;
	int8_t item;		/* -1: the call is about @queue */
	int8_t queue;		/* of QUEUE and DELAY the one to use, or -1 */
	int8_t cpu;		/* to queue on, or -1 */
	uint64_t ns;		/* DELAY, MOD */
	uint64_t after_ns;	/* begin it so long after the threads are released */
};

struct plan_item {
	uint32_t mech;
	uint32_t flags;
	int8_t queue;		/* one of the plan's, or -1: the default */
	uint8_t nr_steps;
	/* A target is the index of an item of the plan, plus one. */
	struct bhlab_step steps[PLAN_STEPS];
};

struct phase {
	uint8_t nr_threads;
	uint8_t cpu[PLAN_THREADS];
	uint8_t nr_calls[PLAN_THREADS];
	struct verb_call calls[PLAN_THREADS][PLAN_CALLS];
};

/* All of a run, in one piece: a copy of it is another plan. */
struct plan {
	uint64_t seed, run;
	uint32_t target;	/* the state and the verb that it aims at, or PLAN_STORM */
	uint8_t partner;	/* the verb that meets it */
	uint8_t nr_items, nr_queues, nr_phases;
	struct plan_item items[PLAN_ITEMS];
	uint32_t queues[PLAN_QUEUES];	/* BHLAB_WQ_* */
	struct phase phases[PLAN_PHASES];
};

/* A call that was made. */
struct log_entry {
	struct verb_call call;
	uint8_t phase, thread;
	uint64_t begin, end;		/* CLOCK_MONOTONIC, around the ioctl */
	int err;
	uint32_t result, flags, depth;
	uint32_t state;			/* LOOK: BHLAB_STATE_* */
};

/* What became of a plan; in memory that survives the process that plays it. */
struct play {
	unsigned int nr_log;
	struct log_entry log[LOG_MAX];
	struct log_entry at[PLAN_THREADS];	/* what each thread calls now; begin 0: nothing */
	struct bhlab_item_state items[PLAN_ITEMS];	/* at the end; size 0: gone */
	struct bhlab_event *records;
	size_t nr_records;
	uint64_t lost;
	bool refused;			/* the driver did not make one of its objects */
	bool stuck;			/* an item did not come to rest */
};

/* What is known about the machine that the model depends on; bits. */
enum world {
	WORLD_RT = 1,
	WORLD_THREADIRQS = 2,
	WORLD_MEMBER = 4,		/* without CAP_SYS_ADMIN */
	WORLD_OLD = 8,			/* before 6.10: work cannot be disabled */
};

struct machine {
	unsigned int world;
	uint64_t atomic_ns;		/* so long a program may spin where nothing else runs */
	unsigned int nr_cpus;
	unsigned int cpus[64];
	uint32_t features;
};

/* Why a plan failed. */
struct verdict {
	bool failed;
	bool gave_up;			/* too many interleavings for the model */
	int entry;			/* of the log, or -1 */
	int item;			/* of the plan, or -1 */
	char kind[64];			/* equal for the same fault */
	char text[400];			/* one sentence or two */
};

/* --- plan.c */
struct wanted {
	uint64_t seed;
	uint32_t mechanisms;		/* 1 << enum bhlab_mech */
	uint32_t verbs;			/* 1 << enum verb */
	unsigned int threads;
	unsigned int size;		/* calls of a thread */
};

/* How many states with two verbs there are to aim at. */
unsigned int plan_targets(const struct wanted *wanted, const struct machine *machine);
void plan_make(struct plan *plan, const struct wanted *wanted, const struct machine *machine,
	       uint64_t run);
/* "a running work: cancel, queue" */
void plan_target_text(const struct plan *plan, char *buf, size_t size);

/* --- play.c: 0, or the errno for which no lab could be had */
int play_plan(const struct plan *plan, struct play *play);

/* --- judge.c */
struct behaviours;
void judge(const struct plan *plan, const struct machine *machine, const struct play *play,
	   struct behaviours *seen, struct verdict *verdict);

/* --- shrink.c: @fails says whether a plan fails like the first one. */
void shrink(struct plan *plan, bool (*fails)(const struct plan *plan, void *arg), void *arg);

/* --- write.c */
/* "queue w0 --cpu 1", as bhctl reads it. */
void call_text(const struct verb_call *call, char *buf, size_t size);
const char *verb_name(unsigned int verb);
/* "queued", "idle waited" or "EBUSY" */
void answer_text(const struct log_entry *entry, char *buf, size_t size);
/* The plan as a scenario; 0 or the errno. */
int write_scenario(const struct plan *plan, const struct verdict *verdict, const char *path);

#endif
