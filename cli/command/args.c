// SPDX-License-Identifier: GPL-2.0-only
/* From words to a call: what is wrong here is a usage error, always. */
#include <ctype.h>
#include <getopt.h>
#include <linux/bhlab.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "base/parse.h"
#include "lab/steps.h"
#include "base/words.h"

#define LONG_OPTION 256		/* plus the index of its argdef */
#define HELP_OPTION 'h'

typedef int (*parse_fn)(const char *text, struct value *value, struct error *e);

static int parse_any(const char *text, struct value *value, struct error *e)
{
	return *text ? 0 : usage(e, "it is empty");
}

static int parse_64(const char *text, struct value *value, struct error *e)
{
	return parse_number(text, UINT64_MAX, &value->number, e);
}

static int parse_32(const char *text, struct value *value, struct error *e)
{
	return parse_number(text, UINT32_MAX, &value->number, e);
}

static int parse_time(const char *text, struct value *value, struct error *e)
{
	return parse_period(text, &value->number, e);
}

static int parse_payload(const char *text, struct value *value, struct error *e)
{
	if (strlen(text) < BHLAB_DATA_LEN)
		return 0;
	return usage(e, "it is longer than %d bytes", BHLAB_DATA_LEN - 1);
}

static int parse_new_name(const char *text, struct value *value, struct error *e)
{
	return parse_name(text, e);
}

static int parse_item(const char *text, struct value *value, struct error *e)
{
	if (*text != '#')
		return parse_name(text, e);
	if (parse_number(text + 1, UINT32_MAX, &value->number, e))
		return -1;
	return value->number ? 0 : usage(e, "there is no id 0");
}

static int parse_steps(const char *text, struct value *value, struct error *e)
{
	program_free(value->program);
	value->program = NULL;
	return program_parse(text, &value->program, e);
}

static int parse_word(const struct words *words, const char *text, struct value *value, struct error *e)
{
	char names[256];
	uint32_t number;

	if (!word_value(words, text, &number)) {
		word_names(words, ", ", names, sizeof(names));
		return usage(e, "unknown %s '%s'; there are %s", words->what, text, names);
	}
	value->number = number;
	return 0;
}

/* One of the system's, or else the name or #id of one of the lab's. */
static int parse_queue(const char *text, struct value *value, struct error *e)
{
	uint32_t number;

	if (!word_value(&queue_words, text, &number))
		return parse_item(text, value, e);
	value->number = number;
	return 0;
}

static int parse_nice(const char *text, struct value *value, struct error *e)
{
	uint64_t number;

	if (parse_number(text + (*text == '-'), INT32_MAX, &number, e))
		return -1;
	value->number = *text == '-' ? -number : number;
	return 0;
}

static int parse_lock_context(const char *text, struct value *value, struct error *e)
{
	return parse_word(&lock_context_words, text, value, e);
}

static int parse_condition(const char *text, struct value *value, struct error *e)
{
	return parse_word(&condition_words, text, value, e);
}

static int parse_kind(const char *text, struct value *value, struct error *e)
{
	return parse_word(&kind_words, text, value, e);
}

static int parse_shell(const char *text, struct value *value, struct error *e)
{
	return strcmp(text, "bash") ? usage(e, "unknown shell '%s'; there is bash", text) : 0;
}

static int parse_cpu_list(const char *text, struct value *value, struct error *e)
{
	cpu_set_t cpus;

	return parse_cpus(text, &cpus, e);
}

static int parse_from(const char *text, struct value *value, struct error *e)
{
	return parse_word(&from_words, text, value, e);
}

/* The steps are the value's program, the CPU its number. */
static int parse_load(const char *text, struct value *value, struct error *e)
{
	const char *at = strrchr(text, '@');
	char *steps;
	int err;

	if (!at)
		return usage(e, "on which CPU? write STEPS@CPU");
	if (parse_number(at + 1, UINT32_MAX, &value->number, e))
		return -1;
	steps = xstrdup(text);
	steps[at - text] = '\0';
	err = parse_steps(steps, value, e);
	free(steps);
	return err;
}

static int parse_command(const char *text, struct value *value, struct error *e)
{
	return command_find(text) ? 0 : usage(e, "unknown command '%s'", text);
}

static const struct {
	const char *meta;
	parse_fn parse;
} types[] = {
	[ARG_NUMBER] = { "N", parse_64 },
	[ARG_SMALL] = { "N", parse_32 },
	[ARG_CPU] = { "CPU", parse_32 },
	[ARG_PERIOD] = { "PERIOD", parse_time },
	[ARG_TEXT] = { "TEXT", parse_payload },
	[ARG_NAME] = { "NAME", parse_new_name },
	[ARG_ITEM] = { "ITEM", parse_item },
	[ARG_MECH] = { "MECHANISM", parse_any },
	[ARG_STEPS] = { "STEPS", parse_steps },
	[ARG_QUEUE] = { "QUEUE", parse_queue },
	[ARG_NICE] = { "NICE", parse_nice },
	[ARG_LOCK_CONTEXT] = { "CONTEXT", parse_lock_context },
	[ARG_CONDITION] = { "CONDITION", parse_condition },
	[ARG_KIND] = { "KIND", parse_kind },
	[ARG_COMMAND] = { "COMMAND", parse_command },
	[ARG_OBJECT] = { "OBJECT", parse_any },
	[ARG_SHELL] = { "SHELL", parse_shell },
	[ARG_FILE] = { "FILE", parse_any },
	[ARG_FORMAT] = { "FORMAT", parse_any },
	[ARG_REST] = { "CMD", parse_any },
	[ARG_PATHS] = { "FILE|DIR", parse_any },
	[ARG_MECHS] = { "MECHANISM", parse_any },
	[ARG_CPUS] = { "CPUS", parse_cpu_list },
	[ARG_FROM] = { "FROM", parse_from },
	[ARG_LOAD] = { "STEPS@CPU", parse_load },
	[ARG_LINE] = { "COMMAND", parse_any },
};

const char *arg_meta(enum arg_type type)
{
	return types[type].meta;
}

static bool is_option(const struct argdef *def)
{
	return def->name[0] == '-';
}

static int set_value(struct call *call, size_t i, const char *text, struct error *e)
{
	const struct argdef *def = &call->cmd->args[i];
	struct value *value = &call->values[i];

	value->given = true;
	value->text = text;
	if (def->type == ARG_FLAG || !types[def->type].parse(text, value, e))
		return 0;
	error_prefix(e, def->name);
	return -1;
}

/* The tables that getopt_long() wants. A lone "+" stops it at the first word. */
struct getopts {
	struct option longs[ARGS_MAX + 2];
	char shorts[3 * ARGS_MAX];
};

static void add_option(struct getopts *o, size_t *nr, const struct argdef *def, int value)
{
	bool has_value = def->type != ARG_FLAG;
	char *end = o->shorts + strlen(o->shorts);

	o->longs[(*nr)++] = (struct option){ def->name + 2, has_value, NULL, value };
	if (def->letter)
		sprintf(end, "%c%s", def->letter, has_value ? ":" : "");
}

static void make_getopts(struct getopts *o, const struct command *cmd)
{
	static const struct argdef help = { "--help", ARG_FLAG, HELP_OPTION, false, NULL };
	size_t nr = 0;

	*o = (struct getopts){ .shorts = ":" };
	for (size_t i = 0; cmd->args[i].name; i++)
		if (cmd->args[i].type == ARG_REST)
			strcpy(o->shorts, "+:");
	for (size_t i = 0; cmd->args[i].name; i++)
		if (is_option(&cmd->args[i]))
			add_option(o, &nr, &cmd->args[i], LONG_OPTION + (int)i);
	add_option(o, &nr, &help, HELP_OPTION);
}

static int bad_option(int c, char *word, struct error *e)
{
	if (c == ':')
		return usage(e, "option '%s' needs a value", word);
	if (isdigit(optopt))
		return usage(e, "'-%c': numbers and periods are not negative", optopt);
	if (optopt >= LONG_OPTION)
		return usage(e, "option '%s' takes no value", word);
	if (optopt && word[1] != '-')
		return usage(e, "unknown option '-%c'", optopt);
	return usage(e, "unknown option '%s'", word);
}

static size_t index_of(const struct command *cmd, int c)
{
	size_t i = 0;

	if (c >= LONG_OPTION)
		return c - LONG_OPTION;
	while (cmd->args[i].letter != c)
		i++;
	return i;
}

static int parse_options(struct call *call, int argc, char **argv, struct error *e)
{
	struct getopts o;
	int c;

	make_getopts(&o, call->cmd);
	opterr = 0;
	optind = 0;	/* glibc: from the beginning */
	while ((c = getopt_long(argc, argv, o.shorts, o.longs, NULL)) != -1) {
		if (c == '?' || c == ':')
			return bad_option(c, argv[optind - 1], e);
		if (c == HELP_OPTION)
			call->help = true;
		else if (set_value(call, index_of(call->cmd, c), optarg ? optarg : "", e))
			return -1;
	}
	return 0;
}

static void add_subject(struct call *call, const char *text)
{
	size_t len = strlen(call->subject);

	snprintf(call->subject + len, sizeof(call->subject) - len, "%s%s", len ? " " : "", text);
}

/* The one at argv[@at]; moves @at on. */
static int parse_positional(struct call *call, size_t i, char **argv, int argc, int *at, struct error *e)
{
	const struct argdef *def = &call->cmd->args[i];

	if (*at >= argc)
		return def->optional ? 0 : usage(e, "%s is missing", def->name);
	if (set_value(call, i, argv[*at], e))
		return -1;
	if (def->type == ARG_REST || def->type == ARG_PATHS || def->type == ARG_MECHS) {
		call->values[i].rest = argv + *at;
		*at = argc;
		return 0;
	}
	if (!def->optional)
		add_subject(call, argv[*at]);
	(*at)++;
	return 0;
}

static int parse_positionals(struct call *call, int argc, char **argv, struct error *e)
{
	int at = optind;

	for (size_t i = 0; call->cmd->args[i].name; i++)
		if (!is_option(&call->cmd->args[i]) && parse_positional(call, i, argv, argc, &at, e))
			return -1;
	return at < argc ? usage(e, "'%s' is one word too many", argv[at]) : 0;
}

static int parse(struct call *call, int argc, char **argv, struct error *e)
{
	if (parse_options(call, argc, argv, e))
		return -1;
	if (call->help)
		return 0;
	if (parse_positionals(call, argc, argv, e))
		return -1;
	return call->cmd->check ? call->cmd->check(call, e) : 0;
}

int call_parse(struct call *call, int argc, char **argv, struct error *e)
{
	const struct command *longer = argc > 1 ? command_find_two(argv[0], argv[1]) : NULL;

	*call = (struct call){ .cmd = longer ? longer : command_find(argv[0]) };
	if (!call->cmd)
		return usage(e, "unknown command '%s'; 'bhctl help' lists all", argv[0]);
	add_subject(call, call->cmd->name);
	argc -= !!longer;
	argv += !!longer;
	if (!parse(call, argc, argv, e))
		return 0;
	call_free(call);
	return -1;
}

void call_free(struct call *call)
{
	for (size_t i = 0; i < ARGS_MAX; i++) {
		program_free(call->values[i].program);
		call->values[i].program = NULL;
	}
}

const struct value *arg(const struct call *call, const char *name)
{
	static const struct value missing;

	for (size_t i = 0; call->cmd->args[i].name; i++)
		if (!strcmp(call->cmd->args[i].name, name))
			return &call->values[i];
	return &missing;
}

bool arg_given(const struct call *call, const char *name)
{
	return arg(call, name)->given;
}

uint64_t arg_number(const struct call *call, const char *name, uint64_t otherwise)
{
	const struct value *value = arg(call, name);

	return value->given ? value->number : otherwise;
}

const char *arg_typed(const struct call *call, const char *name)
{
	const struct value *value = arg(call, name);

	return value->given ? value->text : "?";
}

uint32_t arg_bits(const struct call *call, const struct words *words)
{
	uint32_t bits = 0;
	char option[32];

	for (size_t i = 0; i < words->nr; i++) {
		snprintf(option, sizeof(option), "--%s", words->list[i].name);
		if (arg_given(call, option))
			bits |= words->list[i].value;
	}
	return bits;
}
