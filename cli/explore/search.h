/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The search for an order: calls on one item that overlap in time are put in any order
 * that their times allow, with what happens by itself in between, and the states that
 * are possible afterwards are kept.
 */
#ifndef BHCTL_SEARCH_H
#define BHCTL_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "explore/explore.h"
#include "explore/model.h"

#define ACTIVATIONS	6
#define OPS		16		/* at most so many are put in order */
#define STATES		256

/* Where an activation is. Between STARTING and ENDING the kernel has called the handler. */
enum step_of_life {
	DELAYED, PENDING, STARTING, RUNNING, ENDING,
};

struct activation {
	uint8_t where;
	int8_t queue;
	bool left_behind;	/* it was queued elsewhere since: the kernel looks there only */
	uint8_t zero;
	uint32_t waiters;	/* ops that end after it */
	uint64_t at;		/* no earlier does it go on: is due, starts, ends */
	uint64_t hold;		/* delayed: nor does it start earlier than this */
};

struct state {
	uint8_t nr, depth;
	bool gone;
	uint8_t zero[5];
	struct activation list[ACTIVATIONS];
};

/* A call as one item sees it; or a step, whose answer nobody knows. */
struct op {
	const struct log_entry *entry;	/* NULL: a step */
	unsigned int verb;
	int8_t queue, cpu;	/* -1: not named */
	uint64_t begin, end, ns;
	uint64_t hold;		/* what it activates cannot start earlier */
};

/* All states that an item may be in. */
struct states {
	size_t nr;
	struct state list[STATES];
};

struct search;

/* A search for the calls of this item. */
struct search *search_new(const struct plan_item *item, uint64_t program_ns, unsigned int world);
void search_free(struct search *search);
/*
 * The states after the @nr calls, from those before; none if no order explains them. False if
 * there are too many.
 */
bool search_run(struct search *search, const struct op *ops, unsigned int nr,
		struct states *states);
/* Something may happen by itself to an item in this state, before @limit. */
bool search_may_go_on(struct search *search, const struct state *state, uint64_t limit);
/* The answers that the model has for a verb in these states. */
void search_expected(const struct search *search, const struct states *states,
		     const struct op *op, char *buf, size_t size);

/* "running+pending" */
void state_text(const struct state *state, char *buf, size_t size);

static inline uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

#endif
