// SPDX-License-Identifier: GPL-2.0-only
/*
 * ftrace's events, as trace-cmd turns them on.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "tracers.h"

#define TRACEFS	"/sys/kernel/tracing/"

const char *const work_events[EVENTS] = {
	"workqueue_queue_work", "workqueue_execute_start", "workqueue_execute_end",
};

static void write_to(const char *path, const char *text, int flags)
{
	char full[256];
	int fd;

	snprintf(full, sizeof(full), TRACEFS "%s", path);
	fd = open(full, O_WRONLY | O_CLOEXEC | flags);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die(full);
	close(fd);
}

void tracefs_write(const char *path, const char *text)
{
	write_to(path, text, O_TRUNC);
}

void tracefs_append(const char *path, const char *text)
{
	write_to(path, text, O_APPEND);
}

/* The number after @label in the file. */
uint64_t tracefs_number(const char *path, const char *label)
{
	char full[256], text[4096];
	const char *at;
	ssize_t len;
	int fd;

	snprintf(full, sizeof(full), TRACEFS "%s", path);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (len < 0)
		die(full);
	close(fd);
	text[len] = '\0';
	at = strstr(text, label);
	if (!at)
		die(full);
	return strtoull(at + strlen(label), NULL, 10);
}

static void ftrace_enable(const char *on)
{
	char path[128];
	int i;

	for (i = 0; i < EVENTS; i++) {
		snprintf(path, sizeof(path), "events/workqueue/%s/enable",
			 work_events[i]);
		tracefs_write(path, on);
	}
}

static void ftrace_start(void)
{
	char kb[32];

	snprintf(kb, sizeof(kb), "%d", TRACE_BYTES / 1024);
	tracefs_write("buffer_size_kb", kb);
	tracefs_write("trace", "");
	ftrace_enable("1");
}

static uint64_t ftrace_taken(void)
{
	const char *stats = "per_cpu/cpu0/stats";
	uint64_t taken = tracefs_number(stats, "entries: ");

	if (tracefs_number(stats, "overrun: ") ||
	    tracefs_number(stats, "dropped events: "))
		die("ftrace has dropped events");
	tracefs_write("trace", "");
	return taken;
}

static void ftrace_stop(void)
{
	ftrace_enable("0");
}

const struct tracer ftrace_tracer = {
	.name = "ftrace",
	.start = ftrace_start,
	.taken = ftrace_taken,
	.stop = ftrace_stop,
};
