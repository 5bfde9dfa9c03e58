// SPDX-License-Identifier: GPL-2.0-only
/* The time limit of a scenario. */
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/limit.h"
#include "base/signals.h"

/* A handler has nowhere else to leave it. */
static volatile sig_atomic_t over;

/* After a signal it is a reminder, and there will be another one. */
static void on_alarm(int sig)
{
	if (signals_caught())
		alarm(1);
	else
		over = 1;
}

/* Once it is over it strikes again and again: what begins to wait just then is interrupted, too. */
void limit_start(uint64_t ns)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval timer = {
		.it_value = { .tv_sec = ns / 1000000000, .tv_usec = ns % 1000000000 / 1000 },
		.it_interval = { .tv_usec = 100000 },
	};

	over = 0;
	if (!timer.it_value.tv_sec && !timer.it_value.tv_usec)
		timer.it_value.tv_usec = 1;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	signals_remind(true);
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
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
}
