// SPDX-License-Identifier: GPL-2.0-only
/* From words to a call. All errors here are usage errors. */
#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "lab/steps.h"
#include "base/near.h"
#include "base/parse.h"
#include "base/text.h"
#include "base/words.h"

#define LONG_OPTION 256		/* plus the index of its argdef */
#define HELP_OPTION 'h'

bool arg_is_option(const struct argdef *def)
{
	return def->name[0] == '-';
}

bool arg_is_flag(const struct argdef *def)
{
	return def->type && !def->type->meta;
}

static enum arg_span span(const struct argdef *def)
{
	return def->type ? def->type->span : SPAN_WORD;
}

static int parse_word(const struct words *words, const char *text, struct value *value,
		      struct error *e)
{
	char hint[300];
	uint32_t number;

	if (!word_value(words, text, &number)) {
		near_hint_words(text, strlen(text), words, hint, sizeof(hint));
		return usage(e, "unknown %s '%s'%s", words->what, text, hint);
	}
	value->number = number;
	return 0;
}

static int parse_value(const struct argdef *def, const char *text, struct value *value,
		       struct error *e)
{
	if (def->words)
		return parse_word(def->words, text, value, e);
	return def->type->parse ? def->type->parse(text, value, e) : 0;
}

/* @next is the word after it, or NULL. */
static int set_value(struct call *call, size_t i, const char *text, const char *next,
		     struct error *e)
{
	const struct argdef *def = &call->cmd->args[i];
	struct value *value = &call->values[i];

	value->given = true;
	value->text = text;
	if (!parse_value(def, text, value, e))
		return 0;
	parse_is_torn(text, next, e);
	error_prefix(e, def->name);
	return -1;
}

/* The tables for getopt_long(). A leading "+" makes it stop at the first word. */
struct getopts {
	struct option longs[ARGS_MAX + 2];
	char shorts[3 * ARGS_MAX];
};

static void add_option(struct getopts *o, size_t *nr, const struct argdef *def, int value)
{
	bool has_value = !arg_is_flag(def);
	struct text shorts = text_after(o->shorts, sizeof(o->shorts));

	o->longs[(*nr)++] = (struct option){ def->name + 2, has_value, NULL, value };
	if (def->letter)
		text_add(&shorts, "%c%s", def->letter, has_value ? ":" : "");
}

static void make_getopts(struct getopts *o, const struct command *cmd)
{
	static const struct argdef help = { "--help", &arg_flag, .letter = HELP_OPTION };
	size_t nr = 0;

	*o = (struct getopts){ .shorts = ":" };
	for (size_t i = 0; cmd->args[i].name; i++)
		if (span(&cmd->args[i]) == SPAN_COMMAND)
			strcpy(o->shorts, "+:");
	for (size_t i = 0; cmd->args[i].name; i++)
		if (arg_is_option(&cmd->args[i]))
			add_option(o, &nr, &cmd->args[i], LONG_OPTION + (int)i);
	add_option(o, &nr, &help, HELP_OPTION);
}

static int unknown_option(const struct command *cmd, const char *word, struct error *e)
{
	struct near near = near_to(word, strcspn(word, "="));

	for (size_t i = 0; cmd->args[i].name; i++)
		if (arg_is_option(&cmd->args[i]))
			near_try(&near, cmd->args[i].name);
	return usage(e, "unknown option '%s'%s", word, near_hint(&near));
}

static int bad_option(const struct command *cmd, int c, char *word, struct error *e)
{
	if (c == ':')
		return usage(e, "option '%s' needs a value", word);
	if (isdigit(optopt))
		return usage(e, "'-%c': numbers and periods are not negative", optopt);
	if (optopt >= LONG_OPTION)
		return usage(e, "option '%s' takes no value", word);
	if (optopt && word[1] != '-')
		return usage(e, "unknown option '-%c'", optopt);
	return unknown_option(cmd, word, e);
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
			return bad_option(call->cmd, c, argv[optind - 1], e);
		if (c == HELP_OPTION)
			call->help = true;
		else if (set_value(call, index_of(call->cmd, c), optarg ? optarg : "",
				   argv[optind], e))
			return -1;
	}
	return 0;
}

static void add_subject(struct call *call, const char *text)
{
	struct text subject = text_after(call->subject, sizeof(call->subject));

	text_join(&subject, " ", text);
}

/* Parses the argument at argv[@at], and advances @at. */
static int parse_positional(struct call *call, size_t i, char **argv, int argc, int *at,
			    struct error *e)
{
	const struct argdef *def = &call->cmd->args[i];

	if (*at >= argc)
		return def->optional ? 0 : usage(e, "%s is missing", def->name);
	if (set_value(call, i, argv[*at], argv[*at + 1], e))
		return -1;
	if (span(def) != SPAN_WORD) {
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
		if (!arg_is_option(&call->cmd->args[i]) &&
		    parse_positional(call, i, argv, argc, &at, e))
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

static int unknown_command(const char *name, struct error *e)
{
	struct near near = near_to(name, strlen(name));

	for (const struct command *const *cmd = commands_all(); *cmd; cmd++)
		near_try(&near, (*cmd)->name);
	if (near.best)
		return usage(e, "unknown command '%s'%s", name, near_hint(&near));
	return usage(e, "unknown command '%s'; 'bhctl help' lists all", name);
}

static int parse_words(struct call *call, int argc, char **argv, bool any, struct error *e)
{
	const struct command *longer = argc > 1 ? command_find_two(argv[0], argv[1]) : NULL;

	*call = (struct call){ .cmd = longer ? longer : command_find(argv[0]) };
	if (!call->cmd)
		return unknown_command(argv[0], e);
	for (size_t i = 0; i < ARGS_MAX; i++)
		call->values[i].any = any;
	add_subject(call, call->cmd->name);
	argc -= !!longer;
	argv += !!longer;
	if (!parse(call, argc, argv, e))
		return 0;
	call_free(call);
	return -1;
}

int call_parse(struct call *call, int argc, char **argv, struct error *e)
{
	return parse_words(call, argc, argv, false, e);
}

int call_parse_any(struct call *call, int argc, char **argv, struct error *e)
{
	return parse_words(call, argc, argv, true, e);
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
