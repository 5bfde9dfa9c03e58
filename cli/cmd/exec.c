// SPDX-License-Identifier: GPL-2.0-only
/* exec: a program inside a lab. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command/command.h"
#include "base/spawn.h"
#include "lab/lab.h"
#include "scenario/run.h"
#include "base/signals.h"

static int find_in(const char *dir, size_t len, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	if (snprintf(path, sizeof(path), "%.*s%s%s", (int)len, dir, len ? "/" : "", name) >= (int)sizeof(path))
		return ENAMETOOLONG;
	if (stat(path, &st))
		return errno;
	return !S_ISREG(st.st_mode) || access(path, X_OK) ? EACCES : 0;
}

int exec_find(const char *name)
{
	const char *dirs = getenv("PATH");
	int found, err = ENOENT;
	size_t len;

	if (strchr(name, '/'))
		return find_in("", 0, name);
	for (dirs = dirs ? dirs : "/bin:/usr/bin"; dirs; dirs = dirs[len] ? dirs + len + 1 : NULL) {
		len = strcspn(dirs, ":");
		found = find_in(dirs, len, name);
		if (!found)
			return 0;
		if (found == EACCES)
			err = EACCES;
	}
	return err;
}

int exec_not_found(const char *name, int err, struct error *e)
{
	if (err == ENOENT)
		return fail(e, STATUS_NOT_FOUND, err, "'%s' is not found", name);
	return fail(e, STATUS_NOT_EXECUTABLE, err, "'%s' can not be run", name);
}

/* Becomes the program; comes back only if that fails. */
static int become(const struct lab *lab, char **argv, struct error *e)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", lab->fd);
	if (fcntl(lab->fd, F_SETFD, 0) || setenv("BHLAB_FD", number, 1))
		return fail(e, STATUS_REFUSED, errno, "cannot pass the lab on");
	execvp(argv[0], argv);
	return exec_not_found(argv[0], errno, e);
}

pid_t exec_start(const struct call *call, const struct lab *lab, char **argv, struct error *e)
{
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child < 0)
		return fail(e, STATUS_REFUSED, errno, "cannot fork");
	if (child)
		return child;
	become(lab, argv, e);
	fprintf(stderr, "bhctl: %s: %s (%s)\n", call->subject, e->text, strerrorname_np(e->err));
	_exit(e->status);
}

int exec_status(int status)
{
	return WIFSIGNALED(status) ? STATUS_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Who is interrupted takes the program along, and a scenario whose time is over does not wait for it, either. */
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
	pid_t child = exec_start(call, lab, argv, e);

	if (child < 0)
		return -1;
	e->status = child_status(child);
	return e->status ? -1 : 0;
}

/*
 * The shell's command becomes the program itself: signals, job control and the
 * exit status are then the program's own. It always opens a lab of its own.
 */
int run_exec(const struct call *call, struct lab *lab, struct result *result)
{
	char **argv = arg(call, "CMD")->rest;

	if (lab->kept) {
		if (lab->fd < 0 && lab_open(lab, &result->error))
			return -1;
		return run_child(call, lab, argv, &result->error);
	}
	return lab_open_new(lab, &result->error) ? -1 : become(lab, argv, &result->error);
}
