/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The model: what the kernel may answer to a verb in a state, and what becomes of
 * the item. It is written from the kernel's documentation and source, not from
 * the driver's.
 *
 * An item has activations. Each one is *delayed*, then *pending*, then *running*;
 * the kernel calls the handler at some moment between, and returns from it at
 * some moment after the program has ended. Verbs happen at one moment between
 * their begin and their end; those that wait end later than what they wait for.
 */
#ifndef BHCTL_MODEL_H
#define BHCTL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "explore/explore.h"

/* One row of the model: @verbs in a state @when may answer @answer, with the effect @then. */
struct rule {
	const char *verbs;
	const char *when;
	const char *answer;
	const char *then;
};

/* Where an item that is activated again while it runs may run beside itself. */
enum overlap {
	OVERLAP_NEVER,
	OVERLAP_OTHER_QUEUE,	/* only on another workqueue */
	OVERLAP_OTHER_CPU,	/* only after a call that named a CPU while it ran */
	OVERLAP_ALWAYS,
};

struct chapter {
	const char *mech;
	const char *source;
	enum overlap overlap;
	bool held_when_off;	/* disabled: what is pending stays so */
	bool merges;		/* one activation may swallow another, or be lost */
	/* What is armed while cancel --sync waits is cancelled at its end, too. */
	bool cancels_late;
	bool grace_period;	/* what is pending may not be on its queue yet */
	const struct rule *rules;
};

enum when {
	WHEN_DELAYED = 1,
	WHEN_PENDING = 2,	/* and not delayed */
	WHEN_QUEUED = 4,	/* one of these */
	WHEN_RUNNING = 8,
	WHEN_OFF = 16,
	WHEN_SYNCING = 32,	/* another call waits for its handler */
	WHEN_GONE = 64,
	WHEN_DYING = 128,	/* gone, and the call that destroys it has not returned */
};

/* Above these are the bits of enum world. */
#define WHEN_WORLD	8

enum then {
	THEN_PENDING = 1,	/* a new activation */
	THEN_DELAYED = 2,	/* a new one, on a delay */
	THEN_RESTART = 4,	/* the pending one waits for this delay */
	THEN_CANCEL = 8,	/* what is delayed or pending goes away */
	THEN_FIRE = 16,		/* no delay any more */
	THEN_WAIT = 32,		/* returns when all that there is now has ended */
	THEN_WAIT_RUNNING = 64,	/* returns when no handler is at work */
	THEN_OFF = 128,
	THEN_ON = 256,
	THEN_GONE = 512,
	THEN_LOST = 1024,	/* accepted, and shares a run or gets none */
	THEN_CANCEL_DELAY = 2048,	/* what is delayed goes away */
};

/* A row, ready for use. */
struct row {
	uint32_t verbs;
	uint32_t when, when_not;
	uint32_t result;	/* enum bhlab_result */
	int err;		/* or this errno */
	bool success;		/* DESTROY and verbs of queues: no more than success */
	uint32_t then;
};

/* Reads all chapters; what is wrong in them ends the program. Once. */
void model_read(void);
/* NULL if the model has none for this mechanism. */
const struct chapter *model_chapter(uint32_t mech);
/* The rows of a mechanism; @nr of them. */
const struct row *model_rows(uint32_t mech, size_t *nr);
/* The mechanism has this verb in this world. */
bool model_has(uint32_t mech, unsigned int verb, unsigned int world);
/* The model as a page in Markdown. */
void model_print(void);

#endif
