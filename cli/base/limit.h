/* SPDX-License-Identifier: GPL-2.0-only */
/* A time limit that interrupts whatever waits. */
#ifndef BHCTL_LIMIT_H
#define BHCTL_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * 0, or an errno. When it is over what we have started, and what that has started, is killed, also
 * if it has all CPUs for itself.
 */
int limit_start(uint64_t ns);
bool limit_over(void);
/* Its time is over, or a signal came: nobody waits any more. */
bool end_wanted(void);
void limit_stop(void);

#endif
