/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scenarios: files that say what bottom halves do, and check it. A file is read
 * as a whole, and all that can be wrong with it is found, before any of it runs.
 * tests/scenarios/README.md has the language.
 */
#ifndef BHCTL_SCENARIO_H
#define BHCTL_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/parse.h"
#include "base/pool.h"

struct condition;
struct expr;
struct lab;

/* --- what a file says */

/* A command, and who issues it. */
struct action {
	const char *async;	/* name of the child that issues it, or NULL */
	const char *user;	/* as whom, or NULL */
	int cpu;		/* bound to it, or -1 */
	const char *join;	/* not a command: the child to wait for, or NULL */
	const char *text;	/* all of that, as written */
	struct line words;
};

#define QUALIFIERS_MAX 4

struct qualifier {
	const char *name;	/* "waited", "depth", "of" */
	bool not;
	uint64_t numbers[2];
};

enum statement_kind {
	STATEMENT_ACTION,	/* it must succeed */
	STATEMENT_ANSWER,	/* expect ACTION = WORD */
	STATEMENT_REFUSAL,	/* expect! ACTION = ERRNO */
	STATEMENT_EXPRESSION,	/* expect EXPRESSION */
	STATEMENT_LET,
	STATEMENT_SETTLE,
	STATEMENT_REPEAT,
	STATEMENT_END,
};

struct statement {
	enum statement_kind kind;
	unsigned int line;
	const char *text;		/* as written, blanks trimmed */
	struct list conditions;
	const char *variant;		/* what follows @, or NULL */
	struct action action;
	const char *word;		/* ANSWER */
	struct qualifier qualifiers[QUALIFIERS_MAX];
	size_t nr_qualifiers;
	int err;			/* REFUSAL */
	struct expr *expr;		/* EXPRESSION, LET */
	const char *name;		/* LET */
	uint64_t number;		/* REPEAT: how often; SETTLE: ns */
	size_t other;			/* REPEAT: index of its END; END: of its REPEAT */
};

/* A name, and where it was written. */
struct spot {
	const char *name;
	unsigned int line, column;
};

/* The number of a statement in tests/scenarios/statements. */
struct number {
	uint64_t value;
};

struct scenario {
	struct pool pool;
	const char *path;
	const char *name;		/* "work/requeue-while-running" */
	const char *title;
	struct list texts;		/* paragraphs, "" between them */
	struct list sources;
	struct list requirements;	/* struct condition */
	struct list leaves;		/* struct spot */
	struct list shows;		/* struct number: of what it demonstrates */
	uint64_t limit_ns;
	struct statement *statements;
	size_t nr, room;
	struct list added;		/* names that an add makes */
	struct list targets;		/* in steps; struct spot */
	struct list lets;		/* struct let, without values */
	struct list children;		/* names that an async makes */
	bool speaks_of_lost;
	unsigned int expectations;
};

/* --- scenario_read.c */

/* One file while it is read: the line, of one or more lines of the file. */
struct reader {
	struct scenario *scenario;
	char *line;
	struct {
		size_t offset;		/* in @line, where it begins */
		unsigned int number;
	} parts[32];
	size_t nr_parts;
	unsigned int slowness;
	struct error *error;
};

/* What is to take a second on a usual kernel may take @slowness seconds. */
struct scenario *scenario_read(const char *path, unsigned int slowness, struct error *e);
void scenario_free(struct scenario *scenario);

/* "FILE:LINE:COLUMN: ..." for what is at @at in the reader's line; returns -1. */
int wrong(struct reader *reader, const char *at, const char *fmt, ...) PRINTF(3, 4);
int wrong_spot(struct error *e, const struct scenario *scenario, const struct spot *spot,
	       const char *what);
/* Of a name at @at, or of what has it there. */
struct spot *spot_new(struct reader *reader, const char *at, const char *name, size_t len);
/* Moves over blanks. */
const char *skip_blanks(const char *p);
/* The length of the word at @p, which ends at a blank. */
size_t word_length(const char *p);
bool word_is(const char *p, size_t len, const char *word);
/* Nothing but blanks and a comment. */
bool at_end(const char *p);

/* --- scenario_parse.c: one line of the body */
int statement_parse(struct reader *reader, const char *p);

/* --- scenario_action.c */

struct command;

/* The words of a line, or of its end, and where they stand. */
struct phrase {
	struct reader *reader;
	const char *start;	/* in the reader's line */
	struct line *line;
};

int phrase_split(struct phrase *phrase);
/* Where word @i begins; behind all of them for one that is not there. */
const char *phrase_at(const struct phrase *phrase, int i);
int phrase_number(const struct phrase *phrase, int i, uint64_t *number);
/* The index of the last "=", or -1. */
int phrase_equals(const struct line *line);
/*
 * The first @argc words as a command and who issues it, which is taken away from
 * the words. *@cmd is NULL if it is a join.
 */
int phrase_action(const struct phrase *phrase, struct action *action, int argc,
		  const struct command **cmd);
/* "ACTION = WORD" or, of a refusal, "ACTION = ERRNO" */
int parse_answer(struct reader *reader, struct statement *s, const char *p);

/* --- scenario_cond.c */
/* "rt", "not kernel >= 6.10", or with @tight "!kernel>=6.10"; NULL if it is wrong. */
struct condition *condition_parse(struct reader *reader, const char *p, size_t len, bool tight);
/* What the condition says, for messages. */
const char *condition_text(const struct condition *condition);
bool condition_holds(const struct condition *condition, struct lab *lab);

#endif
