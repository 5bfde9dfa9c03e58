// SPDX-License-Identifier: GPL-2.0-only
/* Programs: found, started, and how they ended. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
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
	return fail(e, STATUS_NOT_EXECUTABLE, err, "'%s' cannot be run", name);
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

/* By its stat: not every kernel has /proc/PID/task/TID/children. 0 if it is gone. */
static pid_t parent_of(pid_t pid)
{
	char path[32], text[256], *end;
	int fd, parent = 0;
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len < 0 ? 0 : len] = '\0';
	end = strrchr(text, ')');	/* of the name, which may have anything in it */
	return end && sscanf(end, ") %*c %d", &parent) == 1 ? parent : 0;
}

static bool descends(pid_t pid, pid_t from)
{
	while (pid > 1) {
		pid = parent_of(pid);
		if (pid == from)
			return true;
	}
	return false;
}

void descendants_kill(void)
{
	int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_Alignas(struct dirent64) char buf[4096];
	pid_t self = getpid();
	ssize_t len;

	while (fd >= 0 && (len = getdents64(fd, buf, sizeof(buf))) > 0) {
		const struct dirent64 *entry;

		for (ssize_t at = 0; at < len; at += entry->d_reclen) {
			entry = (const struct dirent64 *)(buf + at);
			if (isdigit((unsigned char)*entry->d_name) &&
			    descends(atoi(entry->d_name), self))
				kill(atoi(entry->d_name), SIGKILL);
		}
	}
	if (fd >= 0)
		close(fd);
}

int exec_status(int status)
{
	return WIFSIGNALED(status) ? STATUS_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}
