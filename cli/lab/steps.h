/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs: 'spin 5ms; queue t --cpu 1; requeue 10'. */
#ifndef BHCTL_STEPS_H
#define BHCTL_STEPS_H

#include <linux/bhlab.h>
#include <stdbool.h>

#include "base/error.h"

struct lab;

struct step {
	struct bhlab_step raw;		/* target is 0 while it is a name */
	char target[BHLAB_NAME_LEN];	/* as written: a name or #id */
	bool missing;			/* the name is only reserved so far */
	bool fresh;			/* and it was we who did that */
};

struct program {
	struct step *steps;
	size_t nr;
};

/*
 * Reads the text only; names stay names. The caller frees the program. With @any numbers
 * and periods may be out of range: the driver is asked.
 */
int program_parse(const char *text, bool any, struct program **program, struct error *e);
void program_free(struct program *program);

/* Gives ids to the names; 0 or the errno. Names of nothing are reserved. */
int program_resolve(struct program *program, const struct lab *lab);
/* Tells which names these are, but @self, the item that has the program. */
void program_note(const struct program *program, const char *self);
/* The item was not made: gives back what program_resolve() reserved. */
void program_forget(const struct program *program, const struct lab *lab);
/* The steps as the driver wants them; the caller frees them. NULL: none. */
struct bhlab_step *program_raw(const struct program *program);

/* Is it said before another step, to which it belongs? */
bool step_is_prefix(const struct step *step);
/* Which step @i of the program is, from 1, for people: with its prefixes it is one. */
size_t step_number(const struct program *program, size_t i);

/* The step as program_parse() reads it. */
void step_text(const struct step *step, char *buf, size_t size);

#endif
