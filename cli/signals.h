/* SPDX-License-Identifier: GPL-2.0-only */
/* The first SIGINT asks to finish and report; the second one kills. */
#ifndef BHCTL_SIGNALS_H
#define BHCTL_SIGNALS_H

void signals_catch(void);
/* The number of the signal that came, or 0. */
int signals_caught(void);

#endif
