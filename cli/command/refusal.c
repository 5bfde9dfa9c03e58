// SPDX-License-Identifier: GPL-2.0-only
/* Explains an errno: by the meanings of the command, else by those that all share. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"

static const struct meaning common[] = {
	{ ENODEV, "CPU {--cpu} is offline or does not exist" },
	{ ENOENT, "there is no item {ITEM} in this lab" },
	{ EOPNOTSUPP, "this driver does not support that" },
	{ ENOMEM, "the kernel is out of memory" },
	{ 0 },
};

static const char *find_meaning(const struct meaning *list, int err)
{
	for (; list && list->text; list++)
		if (list->err == err)
			return list->text;
	return NULL;
}

static const char *meaning(const struct command *cmd, int err)
{
	const char *text = find_meaning(cmd->meanings, err);

	if (!text)
		text = find_meaning(common, err);
	return text ? text : strerror(err);
}

int refused(struct error *e, const struct call *call, int err)
{
	const char *text = meaning(call->cmd, err);
	char name[32], *open = strchr(text, '{'), *close;

	if (!open)
		return fail(e, STATUS_REFUSED, err, "%s", text);
	close = strchr(open, '}');
	snprintf(name, sizeof(name), "%.*s", (int)(close - open - 1), open + 1);
	return fail(e, STATUS_REFUSED, err, "%.*s%s%s", (int)(open - text), text,
		    arg_typed(call, name), close + 1);
}
