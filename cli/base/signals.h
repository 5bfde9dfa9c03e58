/* SPDX-License-Identifier: GPL-2.0-only */
/* The first signal asks to finish and report; the second one kills. */
#ifndef BHCTL_SIGNALS_H
#define BHCTL_SIGNALS_H

#include <stdbool.h>

void signals_catch(int sig);
/* The number of the signal that came, or 0. */
int signals_caught(void);
/*
 * From now on one that came is followed by a SIGALRM, so that what begins to
 * wait just then is interrupted, too; the handler of SIGALRM is the caller's.
 */
void signals_remind(bool remind);

#endif
