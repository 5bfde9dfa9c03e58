/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BHLAB_BENCH_TRACERS_H
#define BHLAB_BENCH_TRACERS_H

#include <stdint.h>

/* What each may fill, as a lab's sub-ring by default. */
#define TRACE_BYTES	(512 * 1024)

/* An item's three: queued, started, ended. */
#define EVENTS		3
extern const char *const work_events[EVENTS];

/* Of tracefs: write to a file, and read a number from one. */
void tracefs_write(const char *path, const char *text);
void tracefs_append(const char *path, const char *text);
uint64_t tracefs_number(const char *path, const char *label);

/**
 * struct tracer - something that records all three events of each work item
 * @start: begin
 * @taken: how many events it has now, none of which was dropped; the room that
 *	they take is free again then
 * @stop: end
 */
struct tracer {
	const char *name;
	void (*start)(void);
	uint64_t (*taken)(void);
	void (*stop)(void);
};

extern const struct tracer ftrace_tracer;
extern const struct tracer perf_tracer;
extern const struct tracer bpf_tracer;

#endif /* BHLAB_BENCH_TRACERS_H */
