// SPDX-License-Identifier: GPL-2.0-only
/*
 * latency: one activation at a time. bhctl sleeps until the interval is over,
 * and only then looks for the records: to wait for them in the driver would
 * cost the run that is measured a wake-up.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command/command.h"
#include "lab/lab.h"
#include "latency/latency.h"
#include "base/signals.h"
#include "base/spawn.h"

#define SECOND_NS	UINT64_C(1000000000)
#define PROGRESS_NS	(SECOND_NS / 5)
/* What has not run by then never will; an RCU grace period is far shorter. */
#define RUN_NS		(LATENCY_PATIENCE_S * SECOND_NS)

/* Less if a signal comes. */
static void sleep_until(uint64_t ns)
{
	struct timespec ts = { .tv_sec = (time_t)(ns / SECOND_NS),
			       .tv_nsec = (long)(ns % SECOND_NS) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/* --- activating */

static unsigned int other_cpu(const struct latency *l, unsigned int not)
{
	unsigned int cpu = 0;

	while (cpu == not || !CPU_ISSET(cpu, &l->allowed))
		cpu++;
	return cpu;
}

/* A CPU may have gone offline since. */
static int pin(const struct latency *l, unsigned int cpu, struct error *e)
{
	cpu_set_t set;

	if (l->from == FROM_OTHER_CPU)
		cpu = other_cpu(l, cpu);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return fail(e, STATUS_REFUSED, errno, "bhctl cannot run on CPU %u", cpu);
	return 0;
}

static int activate(const struct latency *l, struct error *e)
{
	const struct activation *a = &l->current;
	bool raise = a->target->line || a->target->mech->out_thread_steps;
	struct bhlab_act act = {
		.size = sizeof(act),
		.id = a->target->line ? a->target->line : a->target->id,
		.count = raise,
		.flags = l->from == FROM_OTHER_CPU ? BHLAB_ACT_CPU : 0,
		.cpu = l->from == FROM_OTHER_CPU ? a->cpu : 0,
	};
	int err = lab_ioctl(l->lab, raise ? BHLAB_IOC_TRIGGER : BHLAB_IOC_QUEUE, &act);

	if (err)
		return fail(e, STATUS_REFUSED, err, "%s cannot be activated", a->target->name);
	if (act.out_result == BHLAB_RESULT_QUEUED)
		return 0;
	return fail(e, STATUS_REFUSED, EBUSY, "%s is in use by another process in this lab",
		    a->target->name);
}

/* --- what came of it */

static void sample(struct latency *l, enum metric metric, uint64_t from,
		   const struct bhlab_event *event, uint64_t to)
{
	struct activation *a = &l->current;

	hist_add(a->series->hists[metric], to - from);
	if (metric == RUN_TIME || to - from <= l->threshold_ns || l->excess.target)
		return;
	l->excess = (struct excess){
		.target = a->target,
		.metric = metric,
		.cpu = a->cpu,
		.ns = to - from,
		.at_ns = event->started_ns,
	};
}

/* A thread comes after its top half; it belongs to it unless that one is lost. */
static void take_thread(struct latency *l, const struct bhlab_event *event)
{
	struct activation *a = &l->current;

	if (a->queued_ns) {
		sample(l, TRIGGER_TO_THREAD, a->queued_ns, event, event->started_ns);
	} else {
		a->series->lost++;
		a->series->thread_lost++;
	}
	a->over = true;
}

static void take_run(struct latency *l, const struct bhlab_event *event)
{
	struct activation *a = &l->current;

	a->queued_ns = event->queued_ns;
	sample(l, QUEUE_TO_START, event->queued_ns, event, event->started_ns);
	sample(l, RUN_TIME, event->started_ns, event, event->finished_ns);
	a->skipped += event->skipped;
	a->over = !a->target->mech->out_thread_steps;
}

/* A top half that has skipped its one step: nothing was queued. */
static void take_line(struct latency *l, const struct bhlab_event *event)
{
	l->current.skipped += event->skipped;
	l->current.over = event->skipped;
}

static void take(struct latency *l, const struct bhlab_event *event)
{
	const struct target *target = l->current.target;

	if (!target || event->kind != BHLAB_EVENT_RUN)
		return;
	if (event->item == target->line)
		take_line(l, event);
	else if (event->item == target->id && event->stage == BHLAB_STAGE_THREAD)
		take_thread(l, event);
	else if (event->item == target->id)
		take_run(l, event);
}

static int take_new(struct latency *l, struct error *e)
{
	struct records records = { 0 };
	int err = ring_drain(&l->ring, &records);

	for (size_t i = 0; i < records.nr; i++)
		take(l, &records.list[i]);
	records_free(&records);
	for (uint32_t cpu = 0; cpu < l->ring.setup.out_cpus; cpu++)
		l->lost += ring_lost(&l->ring, cpu);
	return err ? refused(e, l->call, err) : 0;
}

static bool at_rest(const struct latency *l, uint32_t id)
{
	struct bhlab_item_state state = { .size = sizeof(state), .id = id };

	if (!id || lab_ioctl(l->lab, BHLAB_IOC_ITEM_STATE, &state))
		return true;
	return !(state.out_state & (BHLAB_STATE_PENDING | BHLAB_STATE_RUNNING)) &&
	       !state.out_outstanding &&
	       state.out_thread_wakes == state.out_thread_runs + state.out_thread_merged;
}

/*
 * If all has run and the records of it, which come before the counters, are not
 * there, they are lost; or a top half has skipped the step that wakes its thread.
 * The line comes first, since it activates the item.
 */
static int give_up(struct latency *l, struct error *e)
{
	struct activation *a = &l->current;

	if (!at_rest(l, a->target->line) || !at_rest(l, a->target->id))
		return 0;
	if (take_new(l, e))
		return -1;
	if (a->over)
		return 0;
	a->series->lost += !a->queued_ns;
	a->series->thread_lost += a->target->mech->out_thread_steps && !a->skipped;
	a->over = true;
	return 0;
}

/* Until nothing more will come of it; an interrupted run is waited for, too. */
static int await_end(struct latency *l, struct error *e)
{
	uint64_t end = monotonic_ns() + RUN_NS, lost = l->lost;
	struct activation *a = &l->current;
	int err;

	for (;;) {
		if (take_new(l, e))
			return -1;
		if (!a->over && (a->skipped || l->lost != lost) && give_up(l, e))
			return -1;
		if (a->over)
			break;
		if (monotonic_ns() > end) {
			l->stuck = a->target;
			break;
		}
		err = ring_wait(&l->ring, 1, SECOND_NS);
		if (err && err != EINTR && err != ETIMEDOUT)
			return refused(e, l->call, err);
	}
	a->target->skipped += a->skipped;
	return 0;
}

/* --- the threshold, and progress */

static void set_number(const char *name, uint64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	setenv(name, text, 1);
}

/* What it prints is not what bhctl was asked for: it goes to stderr. */
static void become_command(const struct latency *l, const char *command)
{
	const struct excess *x = &l->excess;

	setenv("BHLAB_MECHANISM", x->target->name, 1);
	setenv("BHLAB_METRIC", metric_names[x->metric], 1);
	set_number("BHLAB_CPU", x->cpu);
	set_number("BHLAB_VALUE_NS", x->ns);
	set_number("BHLAB_THRESHOLD_NS", l->threshold_ns);
	set_number("BHLAB_TIME_NS", x->at_ns);
	sched_setaffinity(0, sizeof(l->allowed), &l->allowed);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	execl("/bin/sh", "sh", "-c", command, NULL);
	_exit(STATUS_NOT_EXECUTABLE);
}

/* At once, while what caused it may still be seen. */
static int on_threshold(const struct latency *l, struct error *e)
{
	const char *command = arg_typed(l->call, "--on-threshold");
	pid_t child;

	if (!arg_given(l->call, "--on-threshold"))
		return 0;
	child = exec_fork(e);
	if (child < 0)
		return -1;
	if (!child)
		become_command(l, command);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return 0;
}

static bool has_progress(void)
{
	return isatty(STDERR_FILENO) && !options.quiet;
}

static void show_progress(const struct latency *l, uint64_t *next)
{
	uint64_t now = monotonic_ns();

	if (now < *next || !has_progress())
		return;
	*next = now + PROGRESS_NS;
	fprintf(stderr, "\r%" PRIu64 " rounds, %" PRIu64 "s", l->rounds,
		(now - l->began_ns) / SECOND_NS);
}

/* --- rounds */

static bool enough(struct latency *l)
{
	l->interrupted = signals_caught();
	return l->interrupted || l->excess.target || l->stuck ||
	       monotonic_ns() - l->began_ns >= l->duration_ns;
}

static int measure(struct latency *l, struct target *target, size_t cpu, struct error *e)
{
	uint64_t end = monotonic_ns() + l->interval_ns;

	l->current = (struct activation){
		.target = target,
		.series = &target->series[cpu],
		.cpu = l->cpus[cpu],
	};
	if (activate(l, e))
		return -1;
	sleep_until(end);
	if (await_end(l, e))
		return -1;
	return l->excess.target ? on_threshold(l, e) : 0;
}

static int measure_all(struct latency *l, size_t cpu, struct error *e)
{
	if (pin(l, l->cpus[cpu], e))
		return -1;
	for (size_t i = 0; i < l->nr_targets && !enough(l); i++)
		if (measure(l, &l->targets[i], cpu, e))
			return -1;
	return 0;
}

int latency_run(struct latency *l, struct error *e)
{
	uint64_t progress;
	int err = take_new(l, e);	/* what is there before it begins */

	l->lost = 0;
	l->began_ns = progress = monotonic_ns();
	l->start = time(NULL);
	for (; !err && l->rounds < l->rounds_max && !enough(l); l->rounds++) {
		for (size_t cpu = 0; cpu < l->nr_cpus && !err; cpu++)
			err = measure_all(l, cpu, e);
		show_progress(l, &progress);
	}
	l->took_ns = monotonic_ns() - l->began_ns;
	l->end = time(NULL);
	if (has_progress())
		fputs("\r\033[K", stderr);
	return err;
}
