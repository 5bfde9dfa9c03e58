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
struct near;

/* --- what a file says */

#define CPU_SAME	(-1)	/* where this process may run */
#define CPU_ANY		(-2)	/* anywhere */

/* A command, and who issues it. */
struct action {
	const char *async;	/* name of the child that issues it, or NULL */
	const char *user;	/* as whom, or NULL */
	int cpu;		/* bound to it, or one of the two below */
	const char *join;	/* not a command: the child to wait for, or NULL */
	bool any;		/* its numbers may be out of range */
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

struct spot;

struct statement {
	enum statement_kind kind;
	unsigned int line;
	const struct spot *spot;
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
	uint64_t number;		/* REPEAT: how often; SETTLE: ns; ANSWER: of exit */
	size_t other;			/* REPEAT: index of its END; END: of its REPEAT */
};

/* A name, and where it was written. */
struct spot {
	const char *name;
	unsigned int line, column;
	const char *source;		/* that line */
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
	struct list programs;		/* what exec runs, as written: it may make others */
	struct list targets;		/* in steps; struct spot */
	struct list lets;		/* struct let, without values */
	struct list children;		/* names that an async makes */
	bool speaks_of_lost;
	unsigned int expectations;
};

/* --- what is wrong with a file */

struct complaint {
	unsigned int line, column;
	struct error error;
	const char *source;		/* this line of the file, or NULL */
	unsigned int width;		/* of what is wrong in it */
};

struct complaints {
	struct pool pool;
	struct list list;		/* struct complaint, in the order of lines */
};

void complaints_free(struct complaints *complaints);

/* --- scenario_read.c */

/* A piece of a reader's line, and where in the file it stands. */
struct part {
	size_t offset;			/* in the reader's line, where it begins */
	unsigned int number, column;	/* in the file, where it stands */
	const char *source;		/* that line of the file */
};

/* One file while it is read: a line, of one or more that '\' joins, with numbers for @vars. */
struct reader {
	struct scenario *scenario;
	char *line;
	struct part *parts;
	size_t nr_parts;
	struct list vars;		/* struct var */
	unsigned int slowness;
	struct complaints *complaints;
};

/* The N of "repeat 20 as N". */
struct var {
	const char *name;
	uint64_t value;
};

/*
 * What is to take a second on a usual kernel may take @slowness seconds. NULL if the file
 * cannot be read, which @e tells, or if there are complaints.
 */
struct scenario *scenario_read(const char *path, unsigned int slowness,
			       struct complaints *complaints, struct error *e);
void scenario_free(struct scenario *scenario);

/* Complains of what is at @at in the reader's line; returns -1. */
int wrong(struct reader *reader, const char *at, const char *fmt, ...) PRINTF(3, 4);
/* The same, of what was somewhere before. */
int wrong_spot(struct reader *reader, const struct spot *spot, const char *fmt, ...) PRINTF(3, 4);
/* Of a name at @at, or of what has it there. */
struct spot *spot_new(struct reader *reader, const char *at, const char *name, size_t len);
/* What an add above makes; or a program above whose text has this name. */
bool is_made(const struct scenario *scenario, const char *name);
/* "; did you mean 'w'?", of these names, or "". */
const char *added_hint(struct reader *reader, const char *name);
/* Moves over blanks. */
const char *skip_blanks(const char *p);
/* The length of the word at @p, which ends at a blank. */
size_t word_length(const char *p);
bool word_is(const char *p, size_t len, const char *word);
/* Nothing but blanks and a comment. */
bool at_end(const char *p);

/* --- scenario_parse.c: one line of the body */
int statement_parse(struct reader *reader, const char *p);
/* Whether the word that a line of the body begins with is one. */
bool statement_begins(const char *p);
/* Those words. */
void statement_words(struct near *near);

/* --- scenario_action.c */

struct command;

/* The words of a line, or of its end, and where they stand. */
struct phrase {
	struct reader *reader;
	const char *start;	/* in the reader's line */
	struct line *line;
	bool refusal;		/* numbers may be out of range */
	bool unknown;		/* and names those of nothing */
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

/* A kernel whose variants are taken in the place of those of the running one. */
struct stand_in {
	const char *version;	/* what follows its numbers does not count */
	uint32_t features;	/* of those that a kernel's name tells of */
	bool full;		/* booted with preempt=full */
};

#define STAND_IN_FEATURES (BHLAB_FEATURE_RT | BHLAB_FEATURE_THREADIRQS)

/* "6.1", "v7.3-rc2", "7.2-rt", "6.12-full"; borrows @text. */
int stand_in_parse(const char *text, struct stand_in *as, struct error *e);
/* Of the running kernel, or of the one that stands for it, if @as is not NULL. */
bool condition_holds(const struct condition *condition, struct lab *lab, const struct stand_in *as);

#endif
