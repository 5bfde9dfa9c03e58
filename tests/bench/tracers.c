// SPDX-License-Identifier: GPL-2.0-only
/*
 * What others take to record what a lab records, on the bare batch.
 */
#include <stdio.h>

#include "bench.h"
#include "tracers.h"

/* Work items that the kernel itself has queued meanwhile. */
#define STRANGERS	16

static const struct tracer *const tracers[] = {
	&ftrace_tracer, &perf_tracer, &bpf_tracer,
};

static const struct tracer *tracer;

static void check_taken(uint32_t items)
{
	uint64_t taken = tracer->taken();

	if (taken < EVENTS * items || taken > EVENTS * (items + STRANGERS))
		die(tracer->name);
}

static void measure_tracer(void)
{
	struct bare b;
	char name[64];

	bare_open(&b, BARE_WORK, BATCH);
	tracer->start();
	snprintf(name, sizeof(name), "traced.%s", tracer->name);
	result(name, measure(&(struct load){ bare_run, &b, BATCH, check_taken }));
	tracer->stop();
	bare_close(&b);
}

void measure_tracers(void)
{
	size_t i;

	for (i = 0; i < sizeof(tracers) / sizeof(tracers[0]); i++) {
		tracer = tracers[i];
		rest(1000);
		measure_tracer();
	}
}
