// SPDX-License-Identifier: GPL-2.0-only
/* The commands, by name. */
#include <string.h>

#include "command/command.h"

static const struct command *const *all;
static const struct topic *const *topics;

void commands_use(const struct command *const *list, const struct topic *const *about)
{
	all = list;
	topics = about;
}

const struct topic *const *topics_all(void)
{
	return topics;
}

const struct command *const *commands_all(void)
{
	return all;
}

const struct command *command_find(const char *name)
{
	for (size_t i = 0; all[i]; i++)
		if (!strcmp(all[i]->name, name))
			return all[i];
	return NULL;
}

const struct command *command_find_two(const char *first, const char *second)
{
	size_t len = strlen(first);

	for (size_t i = 0; all[i]; i++)
		if (!strncmp(all[i]->name, first, len) && all[i]->name[len] == ' ' &&
		    !strcmp(all[i]->name + len + 1, second))
			return all[i];
	return NULL;
}
