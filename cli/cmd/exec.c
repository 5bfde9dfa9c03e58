// SPDX-License-Identifier: GPL-2.0-only
/* exec: a program inside a lab. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "command/command.h"
#include "base/spawn.h"
#include "lab/lab.h"
#include "base/limit.h"
#include "base/signals.h"

/*
 * A bhctl that is interrupted passes the signal on to the program, and kills it at the
 * second signal. A scenario whose time is over kills it at once.
 */
static int child_status(pid_t child)
{
	bool told = false;
	int status;

	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return STATUS_REFUSED;
		if (!end_wanted())
			continue;
		kill(child, told || limit_over() ? SIGKILL : signals_caught());
		told = true;
	}
	return exec_status(status);
}

/* In a batch more commands follow, so the program is a child of ours. */
static int run_child(const struct call *call, const struct lab *lab, char **argv, struct error *e)
{
	pid_t child = exec_start(call->subject, lab->fd, argv, e);

	if (child < 0)
		return -1;
	e->status = child_status(child);
	return e->status ? -1 : 0;
}

/*
 * The shell's command becomes the program itself: signals, job control and the
 * exit status are then the program's own. It always opens a lab of its own.
 */
static int run_exec(const struct call *call, struct lab *lab, struct result *result)
{
	char **argv = arg(call, "CMD")->rest;

	if (lab->kept) {
		if (lab->fd < 0 && lab_open(lab, &result->error))
			return -1;
		result->word = "exit";
		return run_child(call, lab, argv, &result->error);
	}
	return lab_open_new(lab, &result->error) ? -1 : exec_become(lab->fd, argv, &result->error);
}

const struct command command_exec = {
	.name = "exec",
	.summary = "open a lab and run a program in it",
	.args = ARGS(
		{ "CMD", &arg_rest }),
	.notes =
	"All bhctl commands that CMD runs share the lab, by BHLAB_FD. The exit status is that\n"
	"of CMD.\n",
	.lab = LAB_NONE,
	.in_scenario = true,
	.answer = "exit",
	.run = run_exec,
};
