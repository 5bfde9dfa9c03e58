// SPDX-License-Identifier: GPL-2.0-only
/* Help, made from the list of commands, for people and as JSON. */
#include <ctype.h>
#include <json.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "base/out.h"
#include "base/text.h"
#include "base/words.h"

#define COLUMN 28		/* where the text about an option begins */
#define WIDTH_MAX 100		/* longer lines are hard to read */

static int width(void)
{
	int columns = out_width();

	return columns < WIDTH_MAX ? columns : WIDTH_MAX;
}

/* --- what there is to say of an argument */

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

static const char *words_name(const struct words *words)
{
	return words ? words->what : NULL;
}

/* The words that it may be, or some of what it may be. */
static const struct words *words_of(const struct argdef *def)
{
	return def->words ? def->words : def->type->words;
}

static bool is_shown(const struct help *help, const struct argdef *def)
{
	return arg_is_option(def) ? !help->takes || help->takes(help, def->name) :
				    def - help->cmd->args >= (ptrdiff_t)help->said;
}

/* "irq: the program of its top half": who takes it need not be said where that is clear. */
static const char *option_text(const struct help *help, const struct argdef *def)
{
	const char *colon = help->takes ? strstr(def->help, ": ") : NULL;

	return colon ? colon + 2 : def->help;
}

static void option_names(const struct argdef *def, char *buf, size_t size)
{
	struct text text = text_in(buf, size);
	char value[32] = "";

	if (!arg_is_flag(def))
		meta(def, value, sizeof(value));
	if (def->letter)
		text_add(&text, "-%c, ", def->letter);
	text_add(&text, "%s%s%s", def->name, *value ? " " : "", value);
}

/* --- for people */

/* @name, and in its column what there is to say of it. */
static void print_row(const char *name, const char *said, int column)
{
	int at = printf("  %-*s", column - 3, name);

	out_words(said, strlen(said), column, at < column - 1 ? column - 1 : at, width());
	putchar('\n');
}

static void print_usage(const struct help *help)
{
	int at = printf("usage: bhctl %s", help->name);
	char usage[64];

	for (const struct argdef *def = help->cmd->args; def->name; def++) {
		if (!is_shown(help, def))
			continue;
		arg_usage(def, usage, sizeof(usage));
		if (at + 1 + (int)strlen(usage) > width()) {
			putchar('\n');
			at = printf("%*s", 12, "");
		}
		at += printf(" %s", usage);
	}
	putchar('\n');
}

/* A row of a table: what is behind its last gap is wrapped in its column. */
static void print_table_row(const char *row, size_t len)
{
	size_t said = strspn(row, " ");

	for (size_t i = said; i + 2 < len; i++)
		if (!strncmp(row + i, "  ", 2) && row[i + 2] != ' ')
			said = i + 2;
	printf("%.*s", (int)said - 1, row);
	out_words(row + said, len - said, (int)said, (int)said - 1, width());
	putchar('\n');
}

void help_text(const char *text)
{
	int at = 0;

	for (size_t len; *text; text += len + !!text[len]) {
		len = strcspn(text, "\n");
		if (len && *text != ' ') {
			at = out_words(text, len, 0, at, width());
			continue;
		}
		if (at)
			putchar('\n');
		at = 0;
		if (len)
			print_table_row(text, len);
		else
			putchar('\n');
	}
	if (at)
		putchar('\n');
}

/* The words that an option accepts; for positional words the notes list them. */
static void print_words(const struct argdef *def)
{
	const struct words *words = words_of(def);
	char names[256], value[32], text[400];

	if (!words || (def->words && !arg_is_option(def)))
		return;
	meta(def, value, sizeof(value));
	word_names(words, ", ", names, sizeof(names));
	snprintf(text, sizeof(text), "%s is one of %s%s.\n", value, names,
		 def->words ? "" : ", or one that the lab has");
	help_text(text);
}

static void print_help(const struct help *help)
{
	char summary[128], names[64];

	print_usage(help);
	snprintf(summary, sizeof(summary), "\n%c%s.\n", toupper(help->summary[0]),
		 help->summary + 1);
	help_text(summary);
	for (const struct argdef *def = help->cmd->args; def->name; def++) {
		if (!arg_is_option(def) || !is_shown(help, def))
			continue;
		option_names(def, names, sizeof(names));
		print_row(names, option_text(help, def), COLUMN + 1);
	}
	if (help->notes) {
		putchar('\n');
		help_text(help->notes);
	}
	for (const struct argdef *def = help->cmd->args; def->name; def++)
		if (is_shown(help, def))
			print_words(def);
}

/* --- as JSON */

static json_object *text_or_null(const char *text)
{
	return text ? json_object_new_string(text) : NULL;
}

static json_object *words_json(const struct words *words)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < words->nr; i++)
		json_object_array_add(list, json_object_new_string(words->list[i].name));
	return list;
}

static json_object *argument_json(const struct help *help, const struct argdef *def)
{
	const struct words *words = words_of(def);
	char letter[2] = { def->letter }, value[32];
	json_object *row = json_object_new_object();

	json_add_text(row, "name", def->name);
	json_add(row, "letter", def->letter ? json_object_new_string(letter) : NULL);
	meta(def, value, sizeof(value));
	json_add(row, "value", arg_is_flag(def) ? NULL : json_object_new_string(value));
	json_add_bool(row, "required", !arg_is_option(def) && !def->optional);
	json_add_bool(row, "repeats", def->type && def->type->span != SPAN_WORD);
	json_add(row, "help",
		 text_or_null(def->help ? option_text(help, def) : words_name(words)));
	json_add(row, "words", words ? words_json(words) : NULL);
	json_add_bool(row, "other_words", words && !def->words);
	return row;
}

static void print_json(const struct help *help)
{
	json_object *doc = json_object_new_object(), *list = json_object_new_array();

	json_add_text(doc, "command", help->name);
	json_add_text(doc, "summary", help->summary);
	for (const struct argdef *def = help->cmd->args; def->name; def++)
		if (is_shown(help, def))
			json_object_array_add(list, argument_json(help, def));
	json_add(doc, "arguments", list);
	json_add(doc, "notes", text_or_null(help->notes));
	out_json(doc);
	json_object_put(doc);
}

void help_print(const struct help *help)
{
	if (options.format == FORMAT_JSON)
		print_json(help);
	else
		print_help(help);
}

void help_command(const struct command *cmd)
{
	struct help help = {
		.cmd = cmd, .name = cmd->name, .summary = cmd->summary, .notes = cmd->notes,
	};

	help_print(&help);
}

/* --- topics */

const struct topic *topic_find(const char *name)
{
	for (const struct topic *const *topic = topics_all(); *topic; topic++)
		if (!strcmp((*topic)->name, name))
			return *topic;
	return NULL;
}

void help_topic(const struct topic *topic)
{
	const char *text = topic->of ? topic->of->notes : topic->text;
	json_object *doc;

	if (options.format != FORMAT_JSON) {
		help_text(text);
		return;
	}
	doc = json_object_new_object();
	json_add_text(doc, "topic", topic->name);
	json_add_text(doc, "summary", topic->summary);
	json_add_text(doc, "text", text);
	out_json(doc);
	json_object_put(doc);
}

/* --- all of it */

static const struct {
	const char *names, *text;
} global_options[] = {
	{ "-d, --device DEV", "open a lab on this device; default /dev/bhlab" },
	{ "    --fd N", "use the lab of this open file descriptor" },
	{ "-j, --json", "print JSON: a document, or an object per line; errors, too" },
	{ "-p, --parsable", "print raw values, separated by tabs, without headings" },
	{ "-q, --quiet", "print results and errors only" },
	{ "    --color=WHEN", "auto, always or never; NO_COLOR is respected" },
	{ "-V, --version", "print the version" },
	{ "-h, --help", "print this; after a command, its help" },
};

static json_object *summary_json(const char *name, const char *summary)
{
	json_object *row = json_object_new_object();

	json_add_text(row, "name", name);
	json_add_text(row, "summary", summary);
	return row;
}

static void all_json(void)
{
	json_object *doc = json_object_new_object(), *list = json_object_new_array();

	for (const struct command *const *cmd = commands_all(); *cmd; cmd++)
		json_object_array_add(list, summary_json((*cmd)->name, (*cmd)->summary));
	json_add(doc, "commands", list);
	list = json_object_new_array();
	for (const struct topic *const *topic = topics_all(); *topic; topic++)
		json_object_array_add(list, summary_json((*topic)->name, (*topic)->summary));
	json_add(doc, "topics", list);
	list = json_object_new_array();
	for (size_t i = 0; i < ARRAY_SIZE(global_options); i++)
		json_object_array_add(list, summary_json(global_options[i].names +
							 strspn(global_options[i].names, " "),
							 global_options[i].text));
	json_add(doc, "options", list);
	out_json(doc);
	json_object_put(doc);
}

void help_all(void)
{
	if (options.format == FORMAT_JSON) {
		all_json();
		return;
	}
	help_text("usage: bhctl [OPTION...] COMMAND [ARG...]\n\n"
		  "Drive the bottom halves of this kernel, through the bhlab driver.\n\n");
	for (const struct command *const *cmd = commands_all(); *cmd; cmd++)
		print_row((*cmd)->name, (*cmd)->summary, 15);
	puts("\n'bhctl help COMMAND' has more, and so has 'bhctl help' with");
	for (const struct topic *const *topic = topics_all(); *topic; topic++)
		printf("    %-12s %s\n", (*topic)->name, (*topic)->summary);
	puts("\nOptions, before the command:");
	for (size_t i = 0; i < ARRAY_SIZE(global_options); i++)
		print_row(global_options[i].names, global_options[i].text, 22);
	help_text("\nThe lab is that of --fd, else a new one on -d, else that of BHLAB_FD, else a "
		  "new one on /dev/bhlab. Items are names or #ids. Periods are 100ns, 10us, 1.5ms "
		  "or 1s.\n\n"
		  "Exit status: 0 success, 1 a condition is false, 4 there is no driver, 64 usage "
		  "error, 71 the kernel refused, 124 timeout, 128+n signal n.\n");
}
