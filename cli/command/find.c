// SPDX-License-Identifier: GPL-2.0-only
/* The commands, by name. */
#include <string.h>

#include "command/command.h"

static const struct command *all;

void commands_use(const struct command *list)
{
	all = list;
}

const struct command *commands_all(void)
{
	return all;
}

const struct command *command_find(const char *name)
{
	for (const struct command *cmd = all; cmd->name; cmd++)
		if (!strcmp(cmd->name, name))
			return cmd;
	return NULL;
}

const struct command *command_find_two(const char *first, const char *second)
{
	size_t len = strlen(first);

	for (const struct command *cmd = all; cmd->name; cmd++)
		if (!strncmp(cmd->name, first, len) && cmd->name[len] == ' ' &&
		    !strcmp(cmd->name + len + 1, second))
			return cmd;
	return NULL;
}
