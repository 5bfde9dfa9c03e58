// SPDX-License-Identifier: GPL-2.0-only
/* help: of one command, of a topic, or all of them. */
#include <string.h>

#include "base/near.h"
#include "base/words.h"
#include "cmd/add_help.h"
#include "command/command.h"

static int run_help(const struct call *call, struct lab *lab, struct result *result)
{
	const char *first = arg_typed(call, "COMMAND"), *second = arg_typed(call, "OBJECT");

	if (!arg_given(call, "COMMAND"))
		help_all();
	else if (!arg_given(call, "OBJECT") && topic_find(first))
		help_topic(topic_find(first));
	else if (!arg_given(call, "OBJECT"))
		help_command(command_find(first));
	else if (command_find_two(first, second))
		help_command(command_find_two(first, second));
	else
		help_add(second);
	return 0;
}

/* The second words of commands that begin with @first; of add, the mechanisms. */
static int unknown_object(const char *first, const char *second, struct error *e)
{
	struct near near = near_to(second, strlen(second));
	size_t len = strlen(first);

	for (const struct command *const *cmd = commands_all(); *cmd; cmd++)
		if (!strncmp((*cmd)->name, first, len) && (*cmd)->name[len] == ' ')
			near_try(&near, (*cmd)->name + len + 1);
	if (!strcmp(first, "add"))
		near_try_words(&near, &mech_words);
	return usage(e, "unknown command '%s %s'%s", first, second, near_hint(&near));
}

static int check_help(const struct call *call, struct error *e)
{
	const char *first = arg_typed(call, "COMMAND"), *second = arg_typed(call, "OBJECT");
	uint32_t mech;

	if (!arg_given(call, "OBJECT") || command_find_two(first, second) ||
	    (!strcmp(first, "add") && word_value(&mech_words, second, &mech)))
		return 0;
	return unknown_object(first, second, e);
}

static int parse_command(const char *text, struct value *value, struct error *e)
{
	struct near near = near_to(text, strlen(text));

	if (command_find(text) || topic_find(text))
		return 0;
	for (const struct command *const *cmd = commands_all(); *cmd; cmd++)
		near_try(&near, (*cmd)->name);
	for (const struct topic *const *topic = topics_all(); *topic; topic++)
		near_try(&near, (*topic)->name);
	return usage(e, "unknown command '%s'%s", text, near_hint(&near));
}

static const struct arg_type arg_command = {
	.meta = "COMMAND",
	.parse = parse_command,
	.complete = "$commands $topics",
};

/* The second word of a command. */
static const struct arg_type arg_object = {
	.meta = "OBJECT",
	.parse = arg_parse_any,
	.complete = "$mechanisms queue lock fifo",
};

const struct command command_help = {
	.name = "help",
	.summary = "show the help of a command, or list all commands",
	.args = ARGS(
		{ "COMMAND", &arg_command, .optional = true },
		{ "OBJECT", &arg_object, .optional = true }),
	.notes =
	"COMMAND may be a topic, too, and OBJECT what 'add' creates: 'bhctl help add irq' has what "
	"an irq takes.\n",
	.lab = LAB_NONE,
	.check = check_help,
	.run = run_help,
};
