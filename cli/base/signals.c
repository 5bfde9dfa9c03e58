// SPDX-License-Identifier: GPL-2.0-only
/* Interrupting bhctl. */
#include <signal.h>
#include <unistd.h>

#include "base/signals.h"

/* A handler has nowhere else to leave it. */
static volatile sig_atomic_t caught, reminds;

static void on_signal(int sig)
{
	caught = sig;
	if (reminds)
		alarm(1);
}

/* No SA_RESTART: whatever waits comes back with EINTR. */
void signals_catch(int sig)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };
	struct sigaction old;

	if (!sigaction(sig, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaction(sig, &action, NULL);
}

int signals_caught(void)
{
	return caught;
}

void signals_remind(bool remind)
{
	reminds = remind;
	if (remind && caught)
		alarm(1);
}
