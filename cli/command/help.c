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
	for (const struct command *const *cmd = commands_all(); *cmd; cmd++)
		printf("  %-12s %s\n", (*cmd)->name, (*cmd)->summary);
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
