// SPDX-License-Identifier: GPL-2.0-only
/* latency: what is asked for, and in which order it is done. */
#include <errno.h>
#include <inttypes.h>
#include <json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "lab/lab.h"
#include "latency/latency.h"
#include "base/out.h"
#include "base/parse.h"
#include "base/signals.h"
#include "base/words.h"

#define INTERVAL_NS	1000000ULL
#define DURATION_NS	5000000000ULL
#define BUCKET_NS	1000
#define ENTRIES		256
#define ENTRIES_MAX	100000

static int check_latency(const struct call *call, struct error *e)
{
	uint64_t entries = arg_number(call, "--entries", ENTRIES);

	if (arg_given(call, "--loops") && arg_given(call, "--duration"))
		return usage(e, "--loops and --duration exclude each other");
	if (!arg_number(call, "--loops", 1))
		return usage(e, "--loops: 0 rounds measure nothing");
	if (!arg_number(call, "--bucket-size", BUCKET_NS))
		return usage(e, "--bucket-size: a bucket of 0 holds nothing");
	if (!entries || entries > ENTRIES_MAX)
		return usage(e, "--entries: there can be 1 to %d", ENTRIES_MAX);
	if (arg_given(call, "--on-threshold") && !arg_given(call, "--threshold"))
		return usage(e, "--on-threshold is for --threshold");
	return 0;
}

/* --- what is measured where */

static int check_cpu(const struct latency *l, unsigned int cpu, struct error *e)
{
	if (!CPU_ISSET(cpu, &l->allowed))
		return fail(e, STATUS_REFUSED, ENODEV,
			    "CPU %u is offline, does not exist, or "
			    "bhctl must not run on it", cpu);
	if (l->from == FROM_OTHER_CPU && CPU_COUNT(&l->allowed) < 2)
		return fail(e, STATUS_REFUSED, ENODEV, "bhctl has no other CPU to run on");
	return 0;
}

/* Without -c: the first on which bhctl may run. */
static int find_cpus(struct latency *l, struct error *e)
{
	cpu_set_t wanted;

	if (sched_getaffinity(0, sizeof(l->allowed), &l->allowed))
		return fail(e, STATUS_REFUSED, errno, "cannot read the CPU affinity");
	wanted = l->allowed;
	if (arg_given(l->call, "--cpus") && parse_cpus(arg_typed(l->call, "--cpus"), &wanted, e))
		return -1;
	l->cpus = xrealloc(NULL, CPU_COUNT(&wanted), sizeof(*l->cpus));
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &wanted))
			continue;
		if (check_cpu(l, cpu, e))
			return -1;
		l->cpus[l->nr_cpus++] = cpu;
		if (!arg_given(l->call, "--cpus"))
			break;
	}
	return 0;
}

static void make_series(struct latency *l, struct target *target)
{
	const struct call *call = l->call;
	bool shown = arg_given(call, "--bucket-size") || arg_given(call, "--entries");
	uint64_t width = arg_number(call, "--bucket-size", BUCKET_NS);
	size_t entries = shown ? arg_number(call, "--entries", ENTRIES) : 0;

	target->series = xrealloc(NULL, l->nr_cpus, sizeof(*target->series));
	for (size_t i = 0; i < l->nr_cpus; i++) {
		target->series[i] = (struct series){ 0 };
		for (int metric = 0; metric < METRICS; metric++)
			if (metric != TRIGGER_TO_THREAD || target->mech->out_thread_steps)
				target->series[i].hists[metric] = hist_new(width, entries);
	}
}

/* Before anything is measured, and after all that can be refused: what was in the file is gone. */
static int open_file(struct latency *l, struct error *e)
{
	const char *path = arg_typed(l->call, "--json");

	if (!arg_given(l->call, "--json"))
		return 0;
	l->file = fopen(path, "we");
	if (l->file)
		return 0;
	return fail(e, STATUS_USAGE, errno, "cannot write '%s': %s", path, strerror(errno));
}

static int prepare(struct latency *l, struct error *e)
{
	int err;

	if (find_cpus(l, e) || latency_targets(l, e))
		return -1;
	for (size_t i = 0; i < l->nr_targets; i++)
		make_series(l, &l->targets[i]);
	if (latency_items(l, e))
		return -1;
	err = ring_open(&l->ring, l->lab, false);
	if (err)
		return refused(e, l->call, err);
	return latency_load(l, e) || open_file(l, e) ? -1 : 0;
}

static void clean_up(struct latency *l)
{
	latency_forget(l);
	ring_close(&l->ring);
	sched_setaffinity(0, sizeof(l->allowed), &l->allowed);
	for (size_t i = 0; i < l->nr_targets; i++) {
		for (size_t cpu = 0; l->targets[i].series && cpu < l->nr_cpus; cpu++)
			for (int metric = 0; metric < METRICS; metric++)
				hist_free(l->targets[i].series[cpu].hists[metric]);
		free(l->targets[i].series);
	}
	free(l->targets);
	free(l->cpus);
	if (l->file)
		fclose(l->file);
}

/* --- the end of it */

static int read_state(const struct latency *l, uint32_t id, struct bhlab_item_state *state)
{
	*state = (struct bhlab_item_state){ .size = sizeof(*state), .id = id };
	return lab_ioctl(l->lab, BHLAB_IOC_ITEM_STATE, state);
}

static int read_states(struct latency *l, struct error *e)
{
	int err = l->load ? read_state(l, l->load, &l->load_state) : 0;

	for (size_t i = 0; i < l->nr_targets && !err; i++)
		err = read_state(l, l->targets[i].id, &l->targets[i].state);
	return err ? refused(e, l->call, err) : 0;
}

static void tell(const struct latency *l)
{
	const struct excess *x = &l->excess;
	char ns[32], limit[32];

	if (l->interrupted)
		note("interrupted; this is what was measured in %" PRIu64 " rounds", l->rounds);
	if (l->lost)
		note("%" PRIu64 " records were overwritten before they were read", l->lost);
	if (l->load_state.out_skipped)
		note("the load has skipped %" PRIu64
		     " of its steps; see the limits in 'bhctl info'",
		     (uint64_t)l->load_state.out_skipped);
	if (l->stuck)
		note("%s, CPU %u: has not run within %ds", l->stuck->name, l->current.cpu,
		     LATENCY_PATIENCE_S);
	if (!latency_adds_up(l))
		note("the counters do not add up: see accepted, recorded and lost in -j");
	if (!x->target)
		return;
	period_exact(x->ns, ns, sizeof(ns));
	period_exact(l->threshold_ns, limit, sizeof(limit));
	note("%s, CPU %u: %s took %s, which is more than %s", x->target->name, x->cpu,
	     metric_names[x->metric], ns, limit);
}

static int finish(struct latency *l, struct result *result)
{
	int status, told, err;

	if (read_states(l, &result->error))
		return -1;
	status = l->stuck ? STATUS_TIMEOUT :
		 l->excess.target || !latency_adds_up(l) ? STATUS_FALSE : STATUS_OK;
	told = !status && l->interrupted ? STATUS_SIGNAL + signals_caught() : status;
	err = l->file ? latency_write(l, told) : 0;
	if (err)
		return fail(&result->error, STATUS_REFUSED, err, "cannot write '%s'",
			    arg_typed(l->call, "--json"));
	tell(l);
	result->doc = latency_doc(l);
	result->error.status = status;
	return status ? -1 : 0;
}

static int run_latency(const struct call *call, struct lab *lab, struct result *result)
{
	struct latency l = {
		.call = call,
		.lab = lab,
		.from = (enum latency_from)arg_number(call, "--from", FROM_TASK),
		.interval_ns = arg_number(call, "--interval", INTERVAL_NS),
		.rounds_max = arg_number(call, "--loops", UINT64_MAX),
		.duration_ns = arg_number(call, "--duration",
					  arg_given(call, "--loops") ? UINT64_MAX : DURATION_NS),
		.threshold_ns = arg_number(call, "--threshold", UINT64_MAX),
	};
	bool silent = lab->silent;
	int err;

	lab->silent = true;
	err = prepare(&l, &result->error) || latency_run(&l, &result->error) || finish(&l, result);
	clean_up(&l);
	lab->silent = silent;
	return err ? -1 : 0;
}

static const struct arg_type arg_mechs = {
	.meta = "MECHANISM",
	.parse = arg_parse_any,
	.complete = "$(bhctl -p mechanisms 2>/dev/null | cut -f1) bh_work all",
	.span = SPAN_WORDS,
};

static int parse_cpu_list(const char *text, struct value *value, struct error *e)
{
	cpu_set_t cpus;

	return parse_cpus(text, &cpus, e);
}

static const struct arg_type arg_cpus = { .meta = "CPUS", .parse = parse_cpu_list };

/* The steps are the value's program, the CPU its number. */
static int parse_load(const char *text, struct value *value, struct error *e)
{
	const char *at = strrchr(text, '@');
	char *steps;
	int err;

	if (!at)
		return usage(e, "on which CPU? write STEPS@CPU");
	if (parse_number(at + 1, UINT32_MAX, &value->number, e))
		return -1;
	steps = xstrdup(text);
	steps[at - text] = '\0';
	err = arg_steps.parse(steps, value, e);
	free(steps);
	return err;
}

static const struct arg_type arg_load = { .meta = "STEPS@CPU", .parse = parse_load };

/* A line of the shell. */
static const struct arg_type arg_line = { .meta = "COMMAND", .parse = arg_parse_any };

const struct command command_latency = {
	.name = "latency",
	.summary = "measure the latency of each mechanism",
	.args = ARGS(
		{ "MECHANISM", &arg_mechs, .optional = true },
		{ "--cpus", &arg_cpus,
		  "measure on these CPUs, as in 0,2-3; default the first", .letter = 'c' },
		{ "--loops", &arg_u64, "activations per mechanism and CPU", .letter = 'l' },
		{ "--duration", &arg_period, "total duration", .letter = 'D' },
		{ "--interval", &arg_period,
		  "time between activations; default 1ms", .letter = 'i' },
		{ "--priority", &arg_u32,
		  "kthread_work: SCHED_FIFO priority of its thread", .letter = 'p' },
		{ "--do", &arg_steps, "the program of each item; default none" },
		{ "--load", &arg_load, "meanwhile run these steps on this CPU, in a work item" },
		{ "--from", .words = &from_words, .help = "what queues the items; default task" },
		{ "--bucket-size", &arg_period,
		  "print a histogram, with buckets of this size; default 1us", .letter = 'b' },
		{ "--entries", &arg_u32,
		  "print a histogram, with this many buckets; default 256", .letter = 'E' },
		{ "--json", &arg_file, "write this file in the format of cyclictest --json" },
		{ "--threshold", &arg_period,
		  "stop, and exit 1, when a latency exceeds this", .letter = 'T' },
		{ "--on-threshold", &arg_line, "then run this command, once, in a shell" }),
	.notes =
	"MECHANISM is one that 'bhctl mechanisms' lists, bh_work (work on a BH queue), or all,\n"
	"the default. They take turns, one activation at a time on one CPU after the other.\n"
	"Without -l and -D the measurement takes 5s.\n"
	"\n"
	"queue-to-start is the time from the driver's call of the kernel to the start of the\n"
	"program; for an irq, from raising the line to the top half. It is measured in the\n"
	"kernel, by ktime_get_mono_fast_ns(). A timer waits for a tick, RCU for a grace period.\n"
	"run-time is the time of the program. trigger-to-thread is the time from raising a line\n"
	"to the start of its thread. It does not include the time that bhctl needs to enter the\n"
	"driver, nor that of a device's signal, since an irq_work simulates the line.\n"
	"\n"
	"--from task: bhctl queues on the CPU that is measured, and sleeps then; until then a\n"
	"kworker waits. --from irq: a step in the top half of a line, which bhctl raises on that\n"
	"CPU, queues or triggers. --from other-cpu: bhctl queues from another CPU; only for\n"
	"work, bh_work and timer, whose kernel call takes a CPU.\n"
	"\n"
	"Prints a table; with -b or -E a histogram in the format of rtla timerlat hist. A\n"
	"percentile is never too low, and at most 1/128 too high. --json FILE has the format\n"
	"of cyclictest, in ns. The command of --on-threshold finds BHLAB_MECHANISM,\n"
	"BHLAB_METRIC, BHLAB_CPU, BHLAB_VALUE_NS, BHLAB_THRESHOLD_NS and BHLAB_TIME_NS\n"
	"(CLOCK_MONOTONIC) in its environment. Exits 1 if the threshold is exceeded, or if the\n"
	"driver accepted an activation that was neither recorded nor lost.\n",
	.lab = LAB_QUERY,
	.check = check_latency,
	.run = run_latency,
	.print = print_latency,
};
