// SPDX-License-Identifier: GPL-2.0-only
/* Programs: found, started, and how they ended. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/spawn.h"

static int find_in(const char *dir, size_t len, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	if (snprintf(path, sizeof(path), "%.*s%s%s", (int)len, dir, len ? "/" : "", name) >=
	    (int)sizeof(path))
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
int exec_become(int lab, char **argv, struct error *e)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", lab);
	if (fcntl(lab, F_SETFD, 0) || setenv("BHLAB_FD", number, 1))
		return fail(e, STATUS_REFUSED, errno, "cannot pass the lab on");
	execvp(argv[0], argv);
	return exec_not_found(argv[0], errno, e);
}

pid_t exec_fork(struct error *e)
{
	pid_t child;

	fflush(stdout);
	child = fork();
	return child < 0 ? fail(e, STATUS_REFUSED, errno, "cannot fork") : child;
}

pid_t exec_start(const char *subject, int lab, char **argv, struct error *e)
{
	pid_t child = exec_fork(e);

	if (child)
		return child;
	exec_become(lab, argv, e);
	fprintf(stderr, "bhctl: %s: %s (%s)\n", subject, e->text, strerrorname_np(e->err));
	_exit(e->status);
}

int exec_status(int status)
{
	return WIFSIGNALED(status) ? STATUS_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}
