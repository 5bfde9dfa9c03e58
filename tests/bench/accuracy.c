// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is the time from queueing to start, as the records tell it, true? The function
 * tracer stamps, by the TSC, the entry of the kernel's call that activates an item
 * and the entry of the handler that the kernel calls, in the same run. It takes
 * part of the time itself: as much as one call that is traced takes longer.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"
#include "tracers.h"

#define TIMES	101
#define CALLS	1000

static const struct {
	const char *name;
	uint32_t mech;
	const char *call;
	const char *handler;
} subjects[] = {
	{ "work", BHLAB_MECH_WORK, "queue_delayed_work_on", "bhlab_work_fn" },
	{ "tasklet", BHLAB_MECH_TASKLET, "__tasklet_schedule", "bhlab_tasklet_fn" },
	{ "tasklet_hi", BHLAB_MECH_TASKLET_HI, "__tasklet_hi_schedule", "bhlab_tasklet_fn" },
	{ "irq", BHLAB_MECH_IRQ, "irq_set_irqchip_state", "bhlab_irq_top" },
	{ "irq_work", BHLAB_MECH_IRQ_WORK, "bhlab_irq_work_queue", "bhlab_irq_work_fn" },
	{ "timer", BHLAB_MECH_TIMER, "add_timer", "bhlab_timer_fn" },
	{ "hrtimer", BHLAB_MECH_HRTIMER, "hrtimer_start_range_ns", "bhlab_hrtimer_fn" },
	{ "hrtimer_soft", BHLAB_MECH_HRTIMER_SOFT, "hrtimer_start_range_ns", "bhlab_hrtimer_fn" },
	{ "kthread_work", BHLAB_MECH_KTHREAD_WORK, "kthread_queue_delayed_work",
	  "bhlab_kthread_fn" },
	{ "rcu", BHLAB_MECH_RCU, "call_rcu", "bhlab_rcu_fn" },
	{ "rcu_work", BHLAB_MECH_RCU_WORK, "queue_rcu_work", "bhlab_rcu_work_fn" },
};

static uint64_t told[TIMES], seen[TIMES];

static void trace_functions(const char *one, const char *other)
{
	tracefs_write("current_tracer", "nop");
	tracefs_write("set_ftrace_filter", one);
	tracefs_append("set_ftrace_filter", other);
	tracefs_write("current_tracer", "function");
}

static void run_calls(void *data)
{
	struct bare *b = data;
	int i;

	for (i = 0; i < CALLS; i++)
		ioctl(b->fd, BARE_IOC_NONE);
}

/* What one traced call costs. */
static double tracing_cost(void)
{
	struct bare b;
	const struct load calls = { run_calls, &b, CALLS };
	double without, with;

	bare_open(&b, 0, 0);
	without = measure(&calls);
	trace_functions("bare_ioctl", "");
	with = measure(&calls);
	bare_close(&b);
	return with - without;
}

/* "comm-pid [cpu] flags time: function <-caller" */
static bool read_line(char *line, const char *function, uint64_t *time)
{
	char *at = strstr(line, ": "), *end;

	if (!at || line[0] == '#')
		return false;
	end = at + 2 + strcspn(at + 2, " ");
	*end = '\0';
	if (strcmp(at + 2, function))
		return false;
	*at = '\0';
	at = strrchr(line, ' ');
	*time = strtoull(at ? at : line, NULL, 10);
	return true;
}

/* From the last call before each handler; how many there were. */
static unsigned int read_seen(const char *call, const char *handler)
{
	FILE *file = fopen("/sys/kernel/tracing/trace", "re");
	char line[512], again[512];
	uint64_t queued = 0, started;
	unsigned int nr = 0;

	if (!file)
		die("the trace");
	while (fgets(line, sizeof(line), file)) {
		memcpy(again, line, sizeof(line));
		if (read_line(line, call, &queued))
			continue;
		if (queued && nr < TIMES && read_line(again, handler, &started))
			seen[nr++] = started - queued;
	}
	fclose(file);
	return nr;
}

static void activate_each(struct lab *l)
{
	struct bhlab_event e;
	int i;

	for (i = 0; i < TIMES; i++) {
		lab_activate(l);
		if (read(l->fd, &e, sizeof(e)) != sizeof(e))
			die("read of a record");
		told[i] = e.started_ns - e.queued_ns;
		rest(1);
	}
}

static void compare(unsigned int i, double cost)
{
	static struct lab l;
	char name[64];

	lab_open(&l, subjects[i].mech, 0, 1);
	trace_functions(subjects[i].call, subjects[i].handler);
	tracefs_write("trace", "");
	activate_each(&l);
	if (read_seen(subjects[i].call, subjects[i].handler) != TIMES)
		die(subjects[i].name);
	tracefs_write("current_tracer", "nop");
	lab_close(&l);
	snprintf(name, sizeof(name), "p50.%s.bhlab", subjects[i].name);
	result(name, median(told, TIMES) - cost);
	snprintf(name, sizeof(name), "p50.%s.tracer", subjects[i].name);
	result(name, median(seen, TIMES));
}

void measure_accuracy(void)
{
	double cost;
	unsigned int i;

	tracefs_write("trace_clock", "x86-tsc");
	cost = tracing_cost();
	result("p50.tracing", cost);
	for (i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
		compare(i, cost);
	tracefs_write("set_ftrace_filter", "");
	tracefs_write("trace_clock", "local");
}
