// SPDX-License-Identifier: GPL-2.0-only
/* What each errno means for each command. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"

/* {NAME} stands for the argument NAME of the command, as it was typed. */
struct meaning {
	const char *command;	/* NULL: any */
	int err;
	const char *text;
};

#define SPINS "the kernel would spin in the softirq until it is enabled, which needs CAP_SYS_ADMIN"

/* The first row that fits is it. */
static const struct meaning meanings[] = {
	{ "add", EEXIST, "the name is taken" },
	{ "add queue", EEXIST, "the name is taken" },
	{ "add queue", EINVAL, "these attributes exclude each other; see 'bhctl help add queue'" },
	{ "add queue", ENOSPC, "the module parameters queues and items allow no more of them to one user, over all labs" },
	{ "add queue", EPERM, "the workers of a --highpri queue run at nice -20, which needs CAP_SYS_NICE (with --bh it does not)" },
	{ "add queue", EOPNOTSUPP, "this kernel has no BH workqueues" },
	{ "add lock", EEXIST, "the name is taken" },
	{ "add lock", EINVAL, "a mutex is for task context: it sleeps" },
	{ "add lock", ENOSPC, "a lab may make 8 locks in all its life, which are taken in that order; or the module parameter items allows no more objects" },
	{ "add fifo", EEXIST, "the name is taken" },
	{ "add fifo", EINVAL, "its depth must be 1 to 1000000" },
	{ "add fifo", ENOSPC, "the module parameters fifos and items allow no more of them to one user, over all labs" },
	{ "del", ENOENT, "there is no object {OBJECT} in this lab" },
	{ "show", ENOENT, "there is no object {OBJECT} in this lab" },
	{ "queue", EINVAL, "an item is for BH queues or for others, by the queue that it names" },
	{ "delay", EINVAL, "an item is for BH queues or for others, by the queue that it names" },
	{ "queue", EAGAIN, "the queue is draining" },
	{ "delay", EAGAIN, "the queue is draining" },
	{ "queue", EPERM, "it is a disabled tasklet: " SPINS },
	{ "delay", EPERM, "it is a disabled tasklet: " SPINS },
	{ "queue", EBUSY, "so many runs of it are about to start that one more could not be accounted for" },
	{ "delay", EBUSY, "so many runs of it are about to start that one more could not be accounted for" },
	{ "cancel", EBUSY, "the kernel cannot take it back now: a disabled line keeps a raise to replay it, and an "
	  "hrtimer that is queued while its function runs needs --sync" },
	{ "disable", EPERM, "it is a scheduled tasklet: " SPINS },
	{ "disable", EOVERFLOW, "it is disabled 255 times already" },
	{ "enable", EINVAL, "not disabled" },
	{ "flush", EBUSY, "it is disabled and pending, and would wait for ever" },
	{ "flush", EPERM, "it is the kernel's own queue: only queues of the lab can be flushed" },
	{ "flush", ENOENT, "there is no item or queue {OBJECT} in this lab" },
	{ "drain", EPERM, "it is the kernel's own queue: only queues of the lab can be drained" },
	{ "drain", EBUSY, "something is on a delay or waits for a grace period, and would come too late" },
	{ "drain", EAGAIN, "it is draining already" },
	{ "drain", ENOENT, "there is no queue {QUEUE} in this lab" },
	{ "trigger", EBUSY, "one with a period is at work; cancel it first" },
	{ "trigger", EINVAL, "the count must be 1 to 1000000" },
	{ "monitor", EPERM, "to see the events of all labs needs CAP_NET_ADMIN" },
	{ "wait", ENOENT, "there is no item {ITEM} in this lab, or it went away meanwhile" },
	{ "ring", EBUSY, "the ring is in use; set it up before the lab's first item and reader" },
	{ "ring", EINVAL,
	  "the records of a sub-ring must be a power of two and at least a page, the watermark 1 to that many" },
	{ "record", EBUSY, "the ring is in use; --records is for a new lab" },
	{ "record", EINVAL, "--records must be a power of two and at least a page" },
	{ "record", ENOSPC, "--records is more than the module parameter ring_bytes allows" },
	{ "ring", ENOSPC, "more than the module parameter ring_bytes allows" },
	{ NULL, ENODEV, "CPU {--cpu} is offline or does not exist" },
	{ NULL, ENOENT, "there is no item {ITEM} in this lab" },
	{ NULL, EOPNOTSUPP, "this driver does not have that" },
	{ NULL, ENOMEM, "the kernel has no memory for it" },
};

static const char *meaning(const char *command, int err)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		const struct meaning *m = &meanings[i];

		if (m->err == err && (!m->command || !strcmp(m->command, command)))
			return m->text;
	}
	return strerror(err);
}

int refused(struct error *e, const struct call *call, int err)
{
	const char *text = meaning(call->cmd->name, err);
	char name[32], *open = strchr(text, '{'), *close;

	if (!open)
		return fail(e, STATUS_REFUSED, err, "%s", text);
	close = strchr(open, '}');
	snprintf(name, sizeof(name), "%.*s", (int)(close - open - 1), open + 1);
	return fail(e, STATUS_REFUSED, err, "%.*s%s%s", (int)(open - text), text,
		    arg_typed(call, name), close + 1);
}
