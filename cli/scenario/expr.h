/* SPDX-License-Identifier: GPL-2.0-only */
/* Expressions over what is known of a lab. */
#ifndef BHCTL_SCENARIO_EXPR_H
#define BHCTL_SCENARIO_EXPR_H

#include <linux/bhlab.h>

#include "lab/lab.h"
#include "lab/ring.h"
#include "scenario/scenario.h"
#include "base/words.h"

enum datum_type {
	DATUM_NUMBER,
	DATUM_TIME,	/* ns */
	DATUM_MOMENT,	/* ns of CLOCK_MONOTONIC */
	DATUM_TEXT,
	DATUM_SET,	/* bits of @words */
};

struct datum {
	enum datum_type type;
	int64_t number;			/* or time, or bits */
	const char *text;
	const struct words *words;
};

/* What is named in commands, by its last id. */
struct object {
	const char *name;
	uint32_t id;
};

/* What expressions look at: the lab, and all that was recorded in it. */
struct scene {
	struct pool pool;
	struct lab lab;
	struct ring ring;
	bool ring_open;
	struct records records;		/* all, by start */
	uint64_t lost;
	uint64_t took_ns;
	uint64_t base_ns;		/* when it began; moments are told from here */
	struct object *objects;
	size_t nr_objects;
	struct list lets;		/* struct let */
};

/* Reads what is new in the ring, and opens it if need be. 0 or the errno. */
int scene_drain(struct scene *scene);
/* 0 if there is no such object. */
uint32_t scene_object(const struct scene *scene, const char *name);
/* "" if it is not known. */
const char *scene_name(const struct scene *scene, uint32_t id);
void scene_add_object(struct scene *scene, const char *name, uint32_t id);

struct let {
	const char *name;
	struct datum value;
};

/* --- functions: a table, one row each */

/* What stands in the parentheses; a letter in the function's row for each:
 * i: an item or its thread    o: an item    f: a FIFO    q: a queue
 * n: a number    k: a kind of event    s: a softirq    e: an expression of N
 * v: the same, of a number or time, or the name of a function of one run
 * ?: what follows may be missing    *: the last may be repeated
 */
#define EXPR_ARGS_MAX 8

struct expr_arg {
	char letter;
	const char *name;		/* of the object, without ".thread" */
	bool thread;
	uint32_t word;
	struct expr *expr;
};

struct eval;

struct function {
	const char *name;
	const char *args;
	enum datum_type type;
	/* 0, or -1 and why it has no value, see no_value(). */
	int (*eval)(struct eval *eval, const struct expr *call, struct datum *value);
	size_t param;			/* what @eval makes of it */
	const struct words *words;	/* DATUM_SET */
	struct datum (*get)(const struct bhlab_event *event);
};

extern const struct function item_functions[];
extern const struct function event_functions[];

enum expr_kind {
	EXPR_CONSTANT,
	EXPR_WORD,	/* one that stands without quotes, until a set explains it */
	EXPR_CALL,
	EXPR_LET,
	EXPR_RUN,	/* N */
	EXPR_NOT,
	EXPR_MINUS,
	EXPR_BINARY,
};

struct expr {
	enum expr_kind kind;
	enum datum_type type;
	const struct words *words;
	struct datum value;		/* CONSTANT */
	const struct operator *operator;
	struct expr *left, *right;
	const struct function *function;
	struct expr_arg args[EXPR_ARGS_MAX];
	size_t nr_args;
	const char *text;		/* as written */
	const char *at;			/* while it is parsed: where */
};

struct operator {
	const char *sign;
	int level;			/* how tight */
	int (*apply)(const struct datum *a, const struct datum *b, struct datum *value);
};

enum { LEVEL_OR, LEVEL_AND, LEVEL_NOT, LEVEL_COMPARE, LEVEL_ADD, LEVEL_MULTIPLY };

/* --- item_functions.c */
/* NUMA nodes; 1 where the kernel knows none. */
unsigned int nodes_online(void);

/* --- scenario_expr.c; NULL if it is wrong */
struct expr *expr_parse(struct reader *reader, const char *p);

/* --- scenario_ops.c: what operators do, and to what */
/* The one at @p, or NULL. */
const struct operator *operator_take(const char *p, int level);
/* NULL if it does not make sense, or @right is NULL already. */
struct expr *expr_binary(struct reader *reader, const struct operator *operator, struct expr *left,
			 struct expr *right);
/* '-' and '_' are the same; "none" is a word of all sets, without a bit. */
bool set_word(const struct words *words, const char *p, size_t len, uint32_t *bit);

/* --- scenario_eval.c */

struct eval {
	struct scene *scene;
	int64_t run;			/* N, or 0 */
	bool quiet;			/* do not tell what was observed */
	char observed[1024];
	char why[256];			/* it has no value since */
};

int expr_eval(struct eval *eval, const struct expr *expr, struct datum *value);
/* For eval functions: tells why, and returns -1. */
int no_value(struct eval *eval, const char *fmt, ...) PRINTF(2, 3);
void datum_text(const struct scene *scene, const struct datum *value, char *buf, size_t size);
/* Argument @i of @call as a number. */
int arg_value(struct eval *eval, const struct expr *call, size_t i, int64_t *number);
void observe(struct eval *eval, const char *fmt, ...) PRINTF(2, 3);

#endif
