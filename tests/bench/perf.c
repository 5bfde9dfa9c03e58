// SPDX-License-Identifier: GPL-2.0-only
/*
 * perf's events, as perf record and perf kwork record have them: all of the
 * CPU's, into one ring, without a wake-up before half of it is full.
 */
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"
#include "tracers.h"

#define PAGE	4096

static int perf_fds[EVENTS];
static struct perf_event_mmap_page *perf_page;

static int perf_open(const char *event)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID |
			       PERF_SAMPLE_TIME | PERF_SAMPLE_CPU |
			       PERF_SAMPLE_PERIOD | PERF_SAMPLE_RAW,
		.disabled = 1,
		.watermark = 1,
		.wakeup_watermark = TRACE_BYTES / 2,
	};
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "events/workqueue/%s/id", event);
	attr.config = tracefs_number(path, "");
	fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		die("perf_event_open");
	return fd;
}

static void perf_start(void)
{
	int i;

	for (i = 0; i < EVENTS; i++)
		perf_fds[i] = perf_open(work_events[i]);
	perf_page = mmap(NULL, PAGE + TRACE_BYTES, PROT_READ | PROT_WRITE,
			 MAP_SHARED, perf_fds[0], 0);
	if (perf_page == MAP_FAILED)
		die("mmap of perf's ring");
	for (i = 1; i < EVENTS; i++)
		if (ioctl(perf_fds[i], PERF_EVENT_IOC_SET_OUTPUT, perf_fds[0]))
			die("PERF_EVENT_IOC_SET_OUTPUT");
	for (i = 0; i < EVENTS; i++)
		if (ioctl(perf_fds[i], PERF_EVENT_IOC_ENABLE, 0))
			die("PERF_EVENT_IOC_ENABLE");
}

static const struct perf_event_header *perf_at(uint64_t pos)
{
	return (const void *)((const char *)perf_page + PAGE + pos % TRACE_BYTES);
}

static uint64_t perf_taken(void)
{
	uint64_t head = __atomic_load_n(&perf_page->data_head, __ATOMIC_ACQUIRE);
	uint64_t pos = perf_page->data_tail, taken = 0;

	for (; pos < head; pos += perf_at(pos)->size) {
		if (perf_at(pos)->type == PERF_RECORD_LOST)
			die("perf has dropped events");
		taken += perf_at(pos)->type == PERF_RECORD_SAMPLE;
	}
	__atomic_store_n(&perf_page->data_tail, head, __ATOMIC_RELEASE);
	return taken;
}

static void perf_stop(void)
{
	int i;

	munmap(perf_page, PAGE + TRACE_BYTES);
	for (i = 0; i < EVENTS; i++)
		close(perf_fds[i]);
}

const struct tracer perf_tracer = {
	.name = "perf",
	.start = perf_start,
	.taken = perf_taken,
	.stop = perf_stop,
};
