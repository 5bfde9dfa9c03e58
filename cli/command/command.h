/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands. A line of words, from the shell, a batch or a scenario, becomes a
 * call; running the call gives a result; printing the result comes after.
 */
#ifndef BHCTL_CMD_H
#define BHCTL_CMD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct json_object;
struct lab;
struct program;
struct words;

enum lab_use {
	LAB_NONE,	/* works without a device, or sees to it itself */
	LAB_QUERY,	/* asks about the driver: any lab will do */
	LAB_STATE,	/* about objects: pointless in a lab that ends at once */
};

struct value {
	bool given;
	bool any;			/* it may be out of range: the driver is asked */
	const char *text;		/* as typed */
	uint64_t number;		/* or period, or the number of a word */
	struct program *program;	/* of arg_steps; the call's */
	char **rest;			/* of what takes more than one word */
};

enum arg_span {
	SPAN_WORD,	/* one word */
	SPAN_WORDS,	/* this word and all that follow */
	SPAN_COMMAND,	/* the same; bhctl does not look for its own options in them */
};

/* What an argument may be. */
struct arg_type {
	const char *meta;	/* stands for a value in help: "N"; NULL: a flag, which has none */
	int (*parse)(const char *text, struct value *value, struct error *e);
	const char *complete;	/* words for the shell, which expands them; or NULL */
	const struct words *words;	/* or NULL; it may be one of these, or something else */
	char compgen;		/* the option of bash's compgen that finds values, or 0 */
	enum arg_span span;
};

/* --- types.c: those that more than one command takes */
extern const struct arg_type arg_flag;
extern const struct arg_type arg_u64, arg_u32;
extern const struct arg_type arg_cpu;
extern const struct arg_type arg_period;
extern const struct arg_type arg_name;		/* of a new object */
extern const struct arg_type arg_item;		/* a name or #id */
extern const struct arg_type arg_queue;		/* one of the system's, a name or #id */
extern const struct arg_type arg_mech;
extern const struct arg_type arg_steps;
extern const struct arg_type arg_file;
extern const struct arg_type arg_rest;		/* a command of the system */

/* For types of a command's own: any text but an empty one. */
int arg_parse_any(const char *text, struct value *value, struct error *e);

/* One argument of a command; tables of them end with a NULL name. */
struct argdef {
	const char *name;		/* "--cpu" is an option, "ITEM" stands by itself */
	const struct arg_type *type;	/* NULL if @words is set */
	const char *help;		/* of an option */
	const struct words *words;	/* the value must be one of these */
	char letter;			/* of an option: the short form, or 0 */
	bool optional;			/* of others: may be missing */
};

struct call;
struct result;

/*
 * What an errno of the kernel means for a command; refusal.c has the meanings
 * that all commands share. {NAME} stands for the argument NAME, as the user
 * typed it. Tables of meanings end with a NULL text.
 */
struct meaning {
	int err;
	const char *text;
};

/* Everything about a command. Its own file defines it, commands.c lists it. */
struct command {
	const char *name;		/* one word, or two */
	const char *summary;
	const struct argdef *args;
	const char *notes;		/* more help, or NULL */
	const struct meaning *meanings;	/* or NULL */
	enum lab_use lab;
	bool in_scenario;		/* may be used in a scenario */
	/* Checks the arguments together, before a lab is opened; or NULL. */
	int (*check)(const struct call *call, struct error *e);
	/* 0, or -1 and @result->error. Prints nothing, unless it streams. */
	int (*run)(const struct call *call, struct lab *lab, struct result *result);
	/* Prints @result->doc as text. NULL: what result_text() makes of it is printed. */
	void (*print)(const struct result *result);
	/* The words that "expect COMMAND = WORD" accepts: @answers, or only @answer. */
	const struct words *answers;
	const char *answer;
};

/* Tables in place, for the definition of a command. */
#define ARGS(...) (const struct argdef[]){ __VA_ARGS__, { 0 } }
#define MEANINGS(...) (const struct meaning[]){ __VA_ARGS__, { 0 } }

#define ARGS_MAX 24

/* A command with its arguments, all of correct form. Borrows its argv. */
struct call {
	const struct command *cmd;
	struct value values[ARGS_MAX];	/* as cmd->args */
	bool help;			/* only its help is wanted */
	char subject[128];		/* "queue w": what a message is about */
	const char *file;		/* where it stands, or NULL */
	unsigned int line;
	unsigned int column;		/* or 0 */
};

/* What a command found and did. */
struct result {
	struct error error;
	const char *word;		/* a verb's answer in one word, or NULL */
	struct json_object *doc;	/* all of it; the result's */
};

struct topic;

extern const struct argdef no_args[];

/* The program's commands and topics, which end with NULL; main() hands them over first. */
void commands_use(const struct command *const *list, const struct topic *const *about);
const struct command *const *commands_all(void);
const struct command *command_find(const char *name);
/* "add", "queue": the command "add queue". */
const struct command *command_find_two(const char *first, const char *second);

/* --- args.c: from words to a call; usage errors only */
int call_parse(struct call *call, int argc, char **argv, struct error *e);
/* The same, and numbers may be whatever their field can carry. */
int call_parse_any(struct call *call, int argc, char **argv, struct error *e);
void call_free(struct call *call);
bool arg_is_option(const struct argdef *def);
bool arg_is_flag(const struct argdef *def);

/* Options that the command does not have count as not given. */
bool arg_given(const struct call *call, const char *name);
const struct value *arg(const struct call *call, const char *name);
uint64_t arg_number(const struct call *call, const char *name, uint64_t otherwise);
const char *arg_typed(const struct call *call, const char *name);

/* The values of the words whose option, "--word", is given; words of bits. */
uint32_t arg_bits(const struct call *call, const struct words *words);

/* The kernel answered @err to @call: status 71, and what it means there. */
int refused(struct error *e, const struct call *call, int err);

/* --- print.c */
/* On stderr, or on stdout with -j. */
void out_error(const struct call *call, const struct error *e);
/* "queued (emulated)", "idle (waited for the running handler, depth 1)" */
void result_text(const char *word, struct json_object *doc, char *buf, size_t size);

/* --- call.c: opens the lab if the command needs one, runs it, prints it */
int call_run(const struct call *call, struct lab *lab, struct result *result);
/* The exit status. */
int result_print(const struct call *call, const struct result *result);
void result_free(struct result *result);

/* Something besides commands that there is help about. */
struct topic {
	const char *name;
	const char *summary;
	const char *text;
	const struct command *of;	/* or the notes of this command */
};

const struct topic *const *topics_all(void);

/* --- help.c; with -j all of it prints JSON */
/* Help about a command, or about one use of it. */
struct help {
	const struct command *cmd;
	const char *name;		/* "add irq" */
	const char *summary;
	const char *notes;		/* or NULL */
	size_t said;			/* so many of its arguments are in the name */
	/* Whether the option belongs to this use; NULL: all do. */
	bool (*takes)(const struct help *help, const char *option);
	const void *who;		/* for @takes */
};

void help_print(const struct help *help);
void help_command(const struct command *cmd);
void help_all(void);
const struct topic *topic_find(const char *name);
void help_topic(const struct topic *topic);
/*
 * Paragraphs, wrapped. A line that begins with a blank stays a line, and if it has two blanks
 * in it, it is the row of a table.
 */
void help_text(const char *text);

/* The id of an object given as a name, #id or word; 0 or the errno. */
int lab_object(const struct lab *lab, const struct value *object, uint32_t *id);
/* The id of the item, queue or object that is given as @name; or the refusal. */
int call_object(const struct call *call, const struct lab *lab, const char *name, uint32_t *id,
		struct error *e);

#endif
