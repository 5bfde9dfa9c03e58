// SPDX-License-Identifier: GPL-2.0-only
/* The time limit of a scenario. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/limit.h"
#include "base/signals.h"
#include "base/spawn.h"

#define AGAIN_NS	100000000
#define SECOND_NS	1000000000

#ifndef SCHED_DEADLINE
#define SCHED_DEADLINE 6
#endif

/* What sched_setattr(2) takes; not every C library has it. */
struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns, deadline_ns, period_ns;
};

/* A handler and a thread have nowhere else to leave it. */
static atomic_bool over;

/* Who keeps the limit, and whom it interrupts. */
static struct {
	pthread_t thread, whom;
	struct timespec end;
} watch;

/* After a signal it is a reminder, and there will be another one. */
static void on_alarm(int sig)
{
	if (signals_caught())
		alarm(1);
}

/*
 * A scenario may run programs with any SCHED_FIFO priority, 99 among them, on all CPUs. Only a
 * deadline comes before these; and the timer of whom it has wakes him from the hard interrupt also
 * on PREEMPT_RT, where another one waits for a thread that such a program starves. Who may not
 * have it, without CAP_SYS_NICE, cannot start such a program either.
 */
static void become_urgent(void)
{
	const struct attributes deadline = {
		.size = sizeof(deadline), .policy = SCHED_DEADLINE, .runtime_ns = AGAIN_NS,
		.deadline_ns = SECOND_NS, .period_ns = SECOND_NS,
	};
	const struct sched_param fifo = { .sched_priority = 99 };

	/* It is refused to who may not run on all CPUs. */
	if (syscall(SYS_sched_setattr, 0, &deadline, 0))
		pthread_setschedparam(pthread_self(), SCHED_FIFO, &fifo);
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
	if (!err)
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
}
