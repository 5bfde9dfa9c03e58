// SPDX-License-Identifier: GPL-2.0-only
/* Interrupting bhctl. */
#include <signal.h>

#include "signals.h"

/* A handler has nowhere else to leave it. */
static volatile sig_atomic_t caught;

static void on_signal(int sig)
{
	caught = sig;
}

/* No SA_RESTART: whatever waits comes back with EINTR. */
void signals_catch(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };
	struct sigaction old;

	if (!sigaction(SIGINT, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaction(SIGINT, &action, NULL);
}

int signals_caught(void)
{
	return caught;
}
