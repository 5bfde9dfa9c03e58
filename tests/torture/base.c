// SPDX-License-Identifier: GPL-2.0-only
/* Time, users, and whether the driver is at rest. */
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "torture.h"

uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

void nap(uint64_t ns)
{
	struct timespec ts = { .tv_sec = ns / SECOND, .tv_nsec = ns % SECOND };

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, &ts) == EINTR)
		;
}

/* How many times as long all takes on this kernel. */
unsigned int slowness(void)
{
	const char *text = getenv("BHLAB_SLOWNESS");
	int n = text ? atoi(text) : 1;

	return n > 0 ? n : 1;
}

/* Those that are possible: one that is offline is a good number to name. */
unsigned int cpus(void)
{
	return get_nprocs_conf();
}

const char *error_name(int error)
{
	static __thread char number[16];
	const char *name = error ? strerrorname_np(error) : "0";

	if (name)
		return name;
	snprintf(number, sizeof(number), "%d", error);
	return number;
}

void become_member(void)
{
	const struct passwd *pw = getpwnam(MEMBER);

	if (!pw || initgroups(pw->pw_name, pw->pw_gid) || setgid(pw->pw_gid) ||
	    setuid(pw->pw_uid)) {
		perror(MEMBER);
		_exit(70);
	}
}

/* --- at rest */

static unsigned int references(void)
{
	unsigned int nr = 0;
	FILE *f = fopen("/sys/module/bhlab/refcnt", "re");

	if (f && fscanf(f, "%u", &nr) != 1)
		nr = 0;
	if (f)
		fclose(f);
	return nr;
}

static bool is_ours(const char *line)
{
	/* a worker keeps the name of the queue that it was last on; a rescuer is a queue's */
	return strstr(line, "bhlab") &&
	       (strncmp(line, "kworker/", 8) || !strncmp(line, "kworker/R-", 10));
}

static unsigned int lines_of_ours(const char *path)
{
	FILE *f = fopen(path, "re");
	unsigned int nr = 0;
	char line[1024];

	while (f && fgets(line, sizeof(line), f))
		nr += is_ours(line);
	if (f)
		fclose(f);
	return nr;
}

/* Kernel threads, as "not processes": these have no command line. */
static bool has_command_line(const char *pid)
{
	char path[300];
	bool has = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	f = fopen(path, "re");
	if (f) {
		has = fgetc(f) != EOF;
		fclose(f);
	}
	return has;
}

static unsigned int kernel_threads(void)
{
	DIR *proc = opendir("/proc");
	unsigned int nr = 0;
	struct dirent *d;
	char path[300];

	while (proc && (d = readdir(proc))) {
		if (*d->d_name < '1' || *d->d_name > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", d->d_name);
		if (lines_of_ours(path) && !has_command_line(d->d_name))
			nr++;
	}
	if (proc)
		closedir(proc);
	return nr;
}

/* The driver's own, without any lab. */
static unsigned int own_threads, own_interrupts;

void remember_rest(void)
{
	own_threads = kernel_threads();
	own_interrupts = lines_of_ours("/proc/interrupts");
}

const char *not_at_rest(void)
{
	static char why[80];
	int sock, labs = 0;

	if (references()) {
		snprintf(why, sizeof(why), "the module has %u references", references());
		return why;
	}
	sock = netlink_open();
	if (sock >= 0) {
		labs = netlink_labs(sock);
		close(sock);
	}
	if (sock < 0 || labs < 0)
		snprintf(why, sizeof(why), "netlink: %s", error_name(sock < 0 ? -sock : -labs));
	else if (labs)
		snprintf(why, sizeof(why), "%d labs are open", labs);
	else if (kernel_threads() > own_threads)
		snprintf(why, sizeof(why), "%u threads are left", kernel_threads() - own_threads);
	else if (lines_of_ours("/proc/interrupts") > own_interrupts)
		snprintf(why, sizeof(why), "interrupt lines are left");
	else
		return NULL;
	return why;
}
