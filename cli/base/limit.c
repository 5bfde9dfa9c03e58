// SPDX-License-Identifier: GPL-2.0-only
/* The time limit of a scenario. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/limit.h"
#include "base/signals.h"
#include "base/spawn.h"

#define AGAIN_NS	100000000
#define SECOND_NS	1000000000

/* A handler and a thread have nowhere else to leave it. */
static atomic_bool over;

/* Who keeps the limit, and whom it interrupts. */
static struct {
	pthread_t thread, whom;
	struct timespec end;
	struct rlimit programs;		/* as it was */
} watch;

/* After a signal it is a reminder, and there will be another one. */
static void on_alarm(int sig)
{
	if (signals_caught())
		alarm(1);
}

/*
 * Of what a scenario starts nothing comes before SCHED_FIFO 99, on whatever CPUs; and the timer of
 * whom it has wakes him from the hard interrupt also on PREEMPT_RT, where another one waits for a
 * thread that such a program starves. Who may not have it, without CAP_SYS_NICE, cannot start such
 * a program either. A deadline would come before them, but kernels up to 6.12 have divided by zero
 * when a CPU went offline while a task had one.
 */
static void become_urgent(void)
{
	const struct sched_param fifo = { .sched_priority = 99 };

	pthread_setschedparam(pthread_self(), SCHED_FIFO, &fifo);
}

/*
 * A program with 99 of its own does not give way: the kernel ends it, when it has had a CPU for as
 * long as the limit without ever sleeping.
 */
static void limit_programs(uint64_t ns)
{
	struct rlimit limit;

	getrlimit(RLIMIT_RTTIME, &watch.programs);
	limit = watch.programs;
	if (ns / 1000 < limit.rlim_cur)
		limit.rlim_cur = ns / 1000;
	setrlimit(RLIMIT_RTTIME, &limit);
}

/* Once it is over it strikes again and again: what begins to wait just then is interrupted, too. */
static void *keep(void *arg)
{
	const struct timespec again = { .tv_nsec = AGAIN_NS };
	int state;

	become_urgent();
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &watch.end, NULL))
		;
	for (;;) {
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
		over = true;
		descendants_kill();
		pthread_kill(watch.whom, SIGALRM);
		pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
		clock_nanosleep(CLOCK_MONOTONIC, 0, &again, NULL);
	}
	return NULL;
}

int limit_start(uint64_t ns)
{
	struct sigaction action = { .sa_handler = on_alarm };
	sigset_t all, old;
	int err;

	over = false;
	limit_programs(ns);
	clock_gettime(CLOCK_MONOTONIC, &watch.end);
	ns += (uint64_t)watch.end.tv_nsec;
	watch.end.tv_sec += (time_t)(ns / SECOND_NS);
	watch.end.tv_nsec = (long)(ns % SECOND_NS);
	watch.whom = pthread_self();
	sigaction(SIGALRM, &action, NULL);
	/* Signals are for who waits. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&watch.thread, NULL, keep, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		setrlimit(RLIMIT_RTTIME, &watch.programs);
	else
		signals_remind(true);
	return err;
}

bool limit_over(void)
{
	return over;
}

bool end_wanted(void)
{
	return over || signals_caught();
}

void limit_stop(void)
{
	signals_remind(false);
	pthread_cancel(watch.thread);
	pthread_join(watch.thread, NULL);
	setrlimit(RLIMIT_RTTIME, &watch.programs);
}
