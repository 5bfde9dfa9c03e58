// SPDX-License-Identifier: GPL-2.0-only
/* Help and completion, made from the table of commands. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "base/words.h"

#define COLUMN 26

static bool is_option(const struct argdef *def)
{
	return def->name[0] == '-';
}

static void arg_usage(const struct argdef *def, char *buf, size_t size)
{
	if (is_option(def) && def->type != ARG_FLAG)
		snprintf(buf, size, "[%s %s]", def->name, arg_meta(def->type));
	else if (def->type == ARG_REST)
		snprintf(buf, size, "-- %s [ARG...]", def->name);
	else if (def->type == ARG_PATHS)
		snprintf(buf, size, "%s...", def->name);
	else if (def->type == ARG_MECHS)
		snprintf(buf, size, "[%s...]", def->name);
	else if (is_option(def) || def->optional)
		snprintf(buf, size, "[%s]", def->name);
	else
		snprintf(buf, size, "%s", def->name);
}

void help_usage(const struct command *cmd, char *buf, size_t size)
{
	int len = snprintf(buf, size, "bhctl %s", cmd->name);
	char text[64];

	for (const struct argdef *def = cmd->args; def->name; def++) {
		arg_usage(def, text, sizeof(text));
		len += snprintf(buf + len, size - len, " %s", text);
	}
}

static void help_option(const struct argdef *def)
{
	char text[64];
	int len = 0;

	if (def->letter)
		len = snprintf(text, sizeof(text), "-%c, ", def->letter);
	snprintf(text + len, sizeof(text) - len, "%s%s%s", def->name,
		 def->type == ARG_FLAG ? "" : " ", def->type == ARG_FLAG ? "" : arg_meta(def->type));
	printf("  %-*s %s\n", COLUMN, text, def->help);
}

/* Where the values of an argument come from, if that is not obvious. */
static void help_words(const struct command *cmd, enum arg_type type, const struct words *words)
{
	char names[256];

	for (const struct argdef *def = cmd->args; def->name; def++) {
		if (def->type != type)
			continue;
		word_names(words, ", ", names, sizeof(names));
		printf("%s is one of %s%s.\n", arg_meta(type), names,
		       type == ARG_QUEUE ? ", or one that the lab has" : "");
		return;
	}
}

void help_command(const struct command *cmd)
{
	char text[512];

	help_usage(cmd, text, sizeof(text));
	printf("usage: %s\n\n%c%s.\n", text, toupper(cmd->summary[0]), cmd->summary + 1);
	for (const struct argdef *def = cmd->args; def->name; def++)
		if (is_option(def))
			help_option(def);
	if (cmd->notes)
		printf("\n%s", cmd->notes);
	help_words(cmd, ARG_QUEUE, &queue_words);
	help_words(cmd, ARG_LOCK_CONTEXT, &lock_context_words);
	help_words(cmd, ARG_KIND, &kind_words);
	help_words(cmd, ARG_FROM, &from_words);
}

void help_all(void)
{
	printf("usage: bhctl [OPTION...] COMMAND [ARG...]\n\n"
	       "Drives the bottom halves of this kernel, through the bhlab driver.\n\n");
	for (const struct command *cmd = commands_all(); cmd->name; cmd++)
		printf("  %-12s %s\n", cmd->name, cmd->summary);
	printf("\nOptions, before the command:\n"
	       "  -d, --device DEV    open a lab on this device; /dev/bhlab if not given\n"
	       "      --fd N          use the lab that is open as this descriptor\n"
	       "  -j, --json          one JSON document, or one object a line; errors too\n"
	       "  -p, --parsable      raw values, tabs between them, no heads\n"
	       "  -q, --quiet         say nothing but what was asked for\n"
	       "      --color=WHEN    auto, always or never; NO_COLOR is respected\n"
	       "  -V, --version       the version\n"
	       "  -h, --help          this; also after a command\n\n"
	       "The lab is --fd, else -d opened anew, else BHLAB_FD, else /dev/bhlab opened anew.\n"
	       "Items are names or #ids. Periods are 100ns, 10us, 1.5ms or 1s.\n"
	       "Exits 0 for success, 1 if a condition is false, 4 if there is no driver, 64 for\n"
	       "a usage error, 71 if the kernel refused, 124 for a timeout, 128+n for signal n.\n");
}

int run_help(const struct call *call, struct lab *lab, struct result *result)
{
	(void)lab;
	(void)result;
	const struct command *cmd = NULL;

	if (arg_given(call, "OBJECT"))
		cmd = command_find_two(arg_typed(call, "COMMAND"), arg_typed(call, "OBJECT"));
	else if (arg_given(call, "COMMAND"))
		cmd = command_find(arg_typed(call, "COMMAND"));
	if (cmd)
		help_command(cmd);
	else
		help_all();
	return 0;
}

int check_help(const struct call *call, struct error *e)
{
	const char *first = arg_typed(call, "COMMAND"), *second = arg_typed(call, "OBJECT");

	if (!arg_given(call, "OBJECT") || command_find_two(first, second))
		return 0;
	return usage(e, "unknown command '%s %s'", first, second);
}

/* How bash finds what can stand for an argument; "" if nothing helps. */
static void complete_type(enum arg_type type, char *buf, size_t size)
{
	buf[0] = '\0';
	if (type == ARG_ITEM)
		snprintf(buf, size, "$(_bhctl_items)");
	else if (type == ARG_MECH)
		snprintf(buf, size, "$(bhctl -p mechanisms 2>/dev/null | cut -f1) queue lock fifo");
	else if (type == ARG_MECHS)
		snprintf(buf, size, "$(bhctl -p mechanisms 2>/dev/null | cut -f1) bh_work all");
	else if (type == ARG_OBJECT)
		snprintf(buf, size, "queue lock fifo");
	else if (type == ARG_QUEUE)
		word_names(&queue_words, " ", buf, size);
	else if (type == ARG_LOCK_CONTEXT)
		word_names(&lock_context_words, " ", buf, size);
	else if (type == ARG_CONDITION)
		word_names(&condition_words, " ", buf, size);
	else if (type == ARG_KIND)
		word_names(&kind_words, " ", buf, size);
	else if (type == ARG_FROM)
		word_names(&from_words, " ", buf, size);
	else if (type == ARG_SHELL)
		snprintf(buf, size, "bash");
	else if (type == ARG_COMMAND)
		snprintf(buf, size, "$commands");
}

/* "add\ queue": the name as a pattern of the shell. */
static void complete_name(const struct command *cmd, char *buf, size_t size)
{
	const char *space = strchr(cmd->name, ' ');

	if (space)
		snprintf(buf, size, "%.*s\\ %s", (int)(space - cmd->name), cmd->name, space + 1);
	else
		snprintf(buf, size, "%s", cmd->name);
}

/* After an option with a value: the values. */
static void complete_values(const struct command *cmd)
{
	char words[256], name[32];

	complete_name(cmd, name, sizeof(name));

	for (const struct argdef *def = cmd->args; def->name; def++) {
		complete_type(def->type, words, sizeof(words));
		if (is_option(def) && def->type != ARG_FLAG)
			printf("\t%s\\ %s) words=\"%s\";;\n", name, def->name, words);
	}
}

/* Elsewhere: the options, and whatever can stand by itself. */
static void complete_command(const struct command *cmd)
{
	char words[256], name[32];

	complete_name(cmd, name, sizeof(name));
	printf("\t%s\\ *) words=\"", name);
	for (const struct argdef *def = cmd->args; def->name; def++) {
		complete_type(def->type, words, sizeof(words));
		printf("%s ", is_option(def) ? def->name : words);
	}
	printf("--help\";;\n");
}

/* A file that is the value of an option follows that; others stand anywhere. */
static void complete_file(const struct command *cmd)
{
	for (const struct argdef *def = cmd->args; def->name; def++)
		if (def->type == ARG_FILE || def->type == ARG_REST || def->type == ARG_PATHS)
			printf("\t%s\\ %s) mapfile -t COMPREPLY < <(compgen -%c -- \"$cur\");;\n", cmd->name,
			       is_option(def) ? def->name : "*", def->type == ARG_REST ? 'c' : 'f');
}

/* Two words make another command than the first alone. */
static void complete_longer(const struct command *cmd)
{
	char name[32];

	complete_name(cmd, name, sizeof(name));
	if (strchr(cmd->name, ' '))
		printf("\t%s) cmd='%s';;\n", name, cmd->name);
}

static void complete_all(void)
{
	printf("# bash completion for bhctl; made by 'bhctl completion bash'\n"
	       "_bhctl_items() { [ -z \"$BHLAB_FD\" ] || bhctl -p list 2>/dev/null | cut -f2; }\n\n"
	       "_bhctl() {\n"
	       "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd='' words i\n"
	       "\tlocal commands='");
	for (const struct command *cmd = commands_all(); cmd->name; cmd++)
		if (!strchr(cmd->name, ' '))
			printf("%s ", cmd->name);
	printf("'\n"
	       "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	       "\t\tcase ${COMP_WORDS[i]} in\n"
	       "\t\t-d|--device|--fd) ((i++));;\n"
	       "\t\t-*) ;;\n"
	       "\t\t*) cmd=${COMP_WORDS[i]}; break;;\n"
	       "\t\tesac\n"
	       "\tdone\n"
	       "\t((i + 1 < COMP_CWORD)) && case $cmd\\ ${COMP_WORDS[i + 1]} in\n");
	for (const struct command *cmd = commands_all(); cmd->name; cmd++)
		complete_longer(cmd);
	printf("\tesac\n"
	       "\tcase $cmd\\ $prev in\n");
	for (const struct command *cmd = commands_all(); cmd->name; cmd++) {
		complete_values(cmd);
		complete_command(cmd);
	}
	printf("\t*) words=\"$commands --device --fd --json --parsable --quiet --color= --version --help\";;\n"
	       "\tesac\n"
	       "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
	       "\t[[ $cur == -* ]] || case $cmd\\ $prev in\n");
	for (const struct command *cmd = commands_all(); cmd->name; cmd++)
		complete_file(cmd);
	printf("\tesac\n}\n\ncomplete -F _bhctl bhctl\n");
}

int run_completion(const struct call *call, struct lab *lab, struct result *result)
{
	(void)call;
	(void)lab;
	(void)result;
	complete_all();
	return 0;
}
