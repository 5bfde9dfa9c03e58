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

const struct command command_help = {
	.name = "help",
	.summary = "tell about a command, or all of them",
	.args = ARGS(
		{ "COMMAND", ARG_COMMAND, 0, true, NULL },
		{ "OBJECT", ARG_OBJECT, 0, true, NULL }),
	.lab = LAB_NONE,
	.check = check_help,
	.run = run_help,
};
