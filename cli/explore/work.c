// SPDX-License-Identifier: GPL-2.0-only
/*
 * The workers. Each is a process that plays one plan after the other, so that what hangs
 * in the kernel hangs there, and can be reported. They tell their results through memory
 * that they share with the process that started them.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "explore/work.h"
#include "lab/lab.h"
#include "base/signals.h"
#include "base/spawn.h"
#include "base/text.h"

#define LOOK_US		10000
/* Making a plan smaller may take so long, and so many tries each time. */
#define SHRINK_NS	60000000000ULL
#define TRIES_ALONE	2
#define TRIES_TOGETHER	12

/* Bits of /proc/sys/kernel/tainted: died, warned, soft lockup. */
#define TAINTED		(1UL << 7 | 1UL << 9 | 1UL << 14)

struct worker {
	pid_t pid;
	_Atomic uint64_t began;		/* 0: between two runs */
	uint64_t run;
	uint64_t runs, storms, calls, refused, gave_up;
	int err;
	struct play play;
	struct verdict verdict;
	struct behaviours seen;
};

struct shared {
	_Atomic uint64_t next_run;
	atomic_bool enough;
	struct worker workers[];
};

static void *share(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		no_memory();
	return memory;
}

static unsigned long tainted(void)
{
	FILE *file = fopen("/proc/sys/kernel/tainted", "re");
	unsigned long taint = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%lu", &taint) != 1)
		taint = 0;
	fclose(file);
	return taint & TAINTED;
}

/* --- one run */

static int play_and_judge(const struct plan *plan, const struct campaign *c, struct play *play,
			  struct behaviours *seen, struct verdict *verdict)
{
	unsigned long taint = tainted();
	int err = play_plan(plan, play);

	if (err)
		return err;
	judge(plan, &c->machine, play, seen, verdict);
	if (!verdict->failed && tainted() & ~taint) {
		verdict->failed = true;
		snprintf(verdict->kind, sizeof(verdict->kind), "kernel report");
		snprintf(verdict->text, sizeof(verdict->text),
			 "the kernel has warned (see dmesg), maybe about a run beside this one");
	}
	free(play->records);
	play->records = NULL;
	return 0;
}

static bool play_one(const struct campaign *c, struct worker *w)
{
	struct plan plan;

	plan_make(&plan, &c->wanted, &c->machine, w->run);
	atomic_store(&w->began, monotonic_ns());
	w->err = play_and_judge(&plan, c, &w->play, &w->seen, &w->verdict);
	atomic_store(&w->began, 0);
	w->runs++;
	w->storms += plan.target == PLAN_STORM;
	w->calls += w->play.nr_log;
	w->refused += w->play.refused;
	w->gave_up += w->verdict.gave_up;
	return !w->err && !w->verdict.failed;
}

static void work(const struct campaign *c, struct shared *shared, struct worker *w)
{
	do {
		if (atomic_load(&shared->enough))
			break;
		w->run = atomic_fetch_add(&shared->next_run, 1);
		if (c->runs && w->run >= c->first_run + c->runs)
			break;
	} while (play_one(c, w));
	_exit(0);
}

static void start(const struct campaign *c, struct shared *shared, struct worker *w,
		  struct tally *tally)
{
	struct error e = { 0 };
	pid_t pid;

	w->verdict = (struct verdict){ 0 };
	pid = exec_fork(&e);
	if (!pid)
		work(c, shared, w);
	/* The child shares *w: only we write its number. */
	w->pid = pid;
	if (pid < 0) {
		tally->err = e.err;
		atomic_store(&shared->enough, true);
	}
}

/* --- making it smaller */

struct attempt {
	const struct campaign *campaign;
	struct worker *worker;		/* a place for the result */
	char kind[64];
	uint64_t until;
	struct verdict last;		/* of the last plan that failed so */
	struct play play;		/* and how it was played */
};

/* False if it did not come back in time. */
static bool wait_for_child(pid_t pid, uint64_t ns)
{
	uint64_t until = monotonic_ns() + ns;

	while (waitpid(pid, NULL, WNOHANG) != pid) {
		if (monotonic_ns() > until) {
			kill(pid, SIGKILL);
			return false;
		}
		usleep(LOOK_US);
	}
	return true;
}

static bool fails(const struct plan *plan, void *arg)
{
	struct attempt *a = arg;
	struct worker *w = a->worker;
	unsigned int tries = TRIES_ALONE;
	struct error e = { 0 };
	pid_t pid;

	for (unsigned int n = 0; n < plan->nr_phases; n++)
		if (plan->phases[n].nr_threads > 1)
			tries = TRIES_TOGETHER;
	if (plan->target == PLAN_STORM)
		tries = TRIES_TOGETHER;
	for (; tries && monotonic_ns() < a->until && !signals_caught(); tries--) {
		w->verdict = (struct verdict){ 0 };
		pid = exec_fork(&e);
		if (pid < 0)
			return false;
		if (!pid) {
			play_and_judge(plan, a->campaign, &w->play, &w->seen, &w->verdict);
			_exit(0);
		}
		if (!wait_for_child(pid, a->campaign->hang_ns)) {
			a->until = 0;
			return false;
		}
		if (w->verdict.failed && !strcmp(w->verdict.kind, a->kind)) {
			a->last = w->verdict;
			a->play = w->play;
			return true;
		}
	}
	return false;
}

static void report(const struct campaign *c, const struct worker *w)
{
	struct worker *place = share(sizeof(*place));
	struct attempt attempt = {
		.campaign = c, .worker = place, .last = w->verdict, .play = w->play,
		.until = monotonic_ns() + SHRINK_NS,
	};
	struct plan plan;

	plan_make(&plan, &c->wanted, &c->machine, w->run);
	snprintf(attempt.kind, sizeof(attempt.kind), "%s", w->verdict.kind);
	if (strcmp(attempt.kind, "kernel report") && strcmp(attempt.kind, "hang"))
		shrink(&plan, fails, &attempt);
	c->found(&plan, &attempt.last, &attempt.play, c->arg);
	munmap(place, sizeof(*place));
}

/* --- all of them */

/* What the threads of a run that hangs are in. */
static void describe_hang(struct worker *w)
{
	struct text text = text_in(w->verdict.text, sizeof(w->verdict.text));
	char call[80];

	w->verdict.failed = true;
	snprintf(w->verdict.kind, sizeof(w->verdict.kind), "hang");
	text_add(&text, "does not come back:");
	for (unsigned int t = 0; t < PLAN_THREADS; t++) {
		const struct log_entry *at = &w->play.at[t];

		if (!at->begin)
			continue;
		if (at->call.verb == V_CLOSE)
			snprintf(call, sizeof(call), "the end of the lab");
		else
			call_text(&at->call, call, sizeof(call));
		text_add(&text, " %s;", call);
	}
}

static bool hangs(const struct campaign *c, struct worker *w)
{
	uint64_t began = atomic_load(&w->began);

	return began && monotonic_ns() > began + c->hang_ns;
}

/* A worker has ended, or hangs; true if another one is to take its place. */
static bool look_after(const struct campaign *c, struct shared *shared, struct worker *w,
		       struct tally *tally)
{
	int status = 0;

	if (waitpid(w->pid, &status, WNOHANG) != w->pid) {
		if (!hangs(c, w))
			return false;
		describe_hang(w);
		kill(w->pid, SIGKILL);
		atomic_store(&shared->enough, true);
	}
	w->pid = 0;
	if (status && !w->verdict.failed) {
		w->verdict.failed = true;
		snprintf(w->verdict.kind, sizeof(w->verdict.kind), "hang");
		snprintf(w->verdict.text, sizeof(w->verdict.text),
			 "the process that played it has ended with status %d",
			 exec_status(status));
	}
	if (w->err) {
		tally->err = w->err;
		atomic_store(&shared->enough, true);
	}
	if (!w->verdict.failed)
		return false;
	if (!strcmp(w->verdict.kind, "kernel report"))
		atomic_store(&shared->enough, true);
	report(c, w);
	if (++tally->failures >= c->stop_at)
		atomic_store(&shared->enough, true);
	return !atomic_load(&shared->enough);
}

static void add_up(const struct worker *w, struct behaviours *seen, struct tally *tally)
{
	tally->runs += w->runs;
	tally->storms += w->storms;
	tally->calls += w->calls;
	tally->refused += w->refused;
	tally->gave_up += w->gave_up;
	for (size_t i = 0; i < BEHAVIOURS_MAX; i++)
		if (*w->seen.list[i].text)
			behaviours_add(seen, w->seen.list[i].text, w->seen.list[i].count);
}

void campaign_run(const struct campaign *c, struct behaviours *seen, struct tally *tally)
{
	size_t size = sizeof(struct shared) + c->jobs * sizeof(struct worker);
	struct shared *shared = share(size);
	uint64_t until = monotonic_ns() + c->duration_ns;
	unsigned int alive = c->jobs;

	atomic_store(&shared->next_run, c->first_run);
	for (unsigned int i = 0; i < c->jobs; i++)
		start(c, shared, &shared->workers[i], tally);
	while (alive) {
		alive = 0;
		if ((!c->runs && monotonic_ns() > until) || signals_caught())
			atomic_store(&shared->enough, true);
		for (unsigned int i = 0; i < c->jobs; i++) {
			struct worker *w = &shared->workers[i];

			if (w->pid > 0 && look_after(c, shared, w, tally))
				start(c, shared, w, tally);
			alive += w->pid > 0;
		}
		usleep(LOOK_US);
	}
	for (unsigned int i = 0; i < c->jobs; i++)
		add_up(&shared->workers[i], seen, tally);
	munmap(shared, size);
}
