// SPDX-License-Identifier: GPL-2.0-only
/* Help, made from the list of commands. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "base/text.h"
#include "base/words.h"

#define COLUMN 26

/* What stands for a value: "PERIOD"; of words, the name of the argument. */
static void meta(const struct argdef *def, char *buf, size_t size)
{
	const char *name = def->name + strspn(def->name, "-");

	snprintf(buf, size, "%s", def->words ? name : def->type->meta);
	for (; def->words && *buf; buf++)
		*buf = (char)toupper((unsigned char)*buf);
}

static void arg_usage(const struct argdef *def, char *buf, size_t size)
{
	enum arg_span span = def->type ? def->type->span : SPAN_WORD;
	bool optional = def->optional || arg_is_option(def);
	char value[32];

	if (arg_is_option(def) && !arg_is_flag(def)) {
		meta(def, value, sizeof(value));
		snprintf(buf, size, "[%s %s]", def->name, value);
	} else if (span == SPAN_COMMAND) {
		snprintf(buf, size, "-- %s [ARG...]", def->name);
	} else {
		snprintf(buf, size, "%s%s%s%s", optional ? "[" : "", def->name,
			 span == SPAN_WORDS ? "..." : "", optional ? "]" : "");
	}
}

void help_usage(const struct command *cmd, char *buf, size_t size)
{
	struct text text = text_in(buf, size);
	char usage[64];

	text_add(&text, "bhctl %s", cmd->name);
	for (const struct argdef *def = cmd->args; def->name; def++) {
		arg_usage(def, usage, sizeof(usage));
		text_add(&text, " %s", usage);
	}
}

static void help_option(const struct argdef *def)
{
	char buf[64], value[32] = "";
	struct text text = text_in(buf, sizeof(buf));

	if (!arg_is_flag(def))
		meta(def, value, sizeof(value));
	if (def->letter)
		text_add(&text, "-%c, ", def->letter);
	text_add(&text, "%s%s%s", def->name, *value ? " " : "", value);
	printf("  %-*s %s\n", COLUMN, buf, def->help);
}

/* The words that an option accepts; for positional words the notes list them. */
static void help_words(const struct argdef *def)
{
	const struct words *words = def->words ? def->words : def->type->words;
	char names[256], value[32];

	if (!words || (def->words && !arg_is_option(def)))
		return;
	meta(def, value, sizeof(value));
	word_names(words, ", ", names, sizeof(names));
	printf("%s is one of %s%s.\n", value, names, def->words ? "" : ", or one that the lab has");
}

void help_command(const struct command *cmd)
{
	char text[512];

	help_usage(cmd, text, sizeof(text));
	printf("usage: %s\n\n%c%s.\n", text, toupper(cmd->summary[0]), cmd->summary + 1);
	for (const struct argdef *def = cmd->args; def->name; def++)
		if (arg_is_option(def))
			help_option(def);
	if (cmd->notes)
		printf("\n%s", cmd->notes);
	for (const struct argdef *def = cmd->args; def->name; def++)
		help_words(def);
}

void help_all(void)
{
	printf("usage: bhctl [OPTION...] COMMAND [ARG...]\n\n"
	       "Drive the bottom halves of this kernel, through the bhlab driver.\n\n");
	for (const struct command *const *cmd = commands_all(); *cmd; cmd++)
		printf("  %-12s %s\n", (*cmd)->name, (*cmd)->summary);
	printf("\nOptions, before the command:\n"
	       "  -d, --device DEV    open a lab on this device; default /dev/bhlab\n"
	       "      --fd N          use the lab of this open file descriptor\n"
	       "  -j, --json          print JSON: a document, or an object per line; errors, too\n"
	       "  -p, --parsable      print raw values, separated by tabs, without headings\n"
	       "  -q, --quiet         print results and errors only\n"
	       "      --color=WHEN    auto, always or never; NO_COLOR is respected\n"
	       "  -V, --version       print the version\n"
	       "  -h, --help          print this; after a command, its help\n\n"
	       "The lab is that of --fd, else a new one on -d, else that of BHLAB_FD, else a new one\n"
	       "on /dev/bhlab.\n"
	       "Items are names or #ids. Periods are 100ns, 10us, 1.5ms or 1s.\n"
	       "Exit status: 0 success, 1 a condition is false, 4 there is no driver, 64 usage error,\n"
	       "71 the kernel refused, 124 timeout, 128+n signal n.\n");
}
