// SPDX-License-Identifier: GPL-2.0-only
/* help: of one command, or all of them. */
#include "command/command.h"

static int run_help(const struct call *call, struct lab *lab, struct result *result)
{
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

static int check_help(const struct call *call, struct error *e)
{
	const char *first = arg_typed(call, "COMMAND"), *second = arg_typed(call, "OBJECT");

	if (!arg_given(call, "OBJECT") || command_find_two(first, second))
		return 0;
	return usage(e, "unknown command '%s %s'", first, second);
}

static int parse_command(const char *text, struct value *value, struct error *e)
{
	return command_find(text) ? 0 : usage(e, "unknown command '%s'", text);
}

static const struct arg_type arg_command = {
	.meta = "COMMAND",
	.parse = parse_command,
	.complete = "$commands",
};

/* The second word of a command. */
static const struct arg_type arg_object = {
	.meta = "OBJECT",
	.parse = arg_parse_any,
	.complete = "queue lock fifo",
};

const struct command command_help = {
	.name = "help",
	.summary = "show the help of a command, or list all commands",
	.args = ARGS(
		{ "COMMAND", &arg_command, .optional = true },
		{ "OBJECT", &arg_object, .optional = true }),
	.lab = LAB_NONE,
	.check = check_help,
	.run = run_help,
};
