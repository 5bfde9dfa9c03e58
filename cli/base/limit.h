/* SPDX-License-Identifier: GPL-2.0-only */
/* A time limit that interrupts whatever waits. */
#ifndef BHCTL_LIMIT_H
#define BHCTL_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

void limit_start(uint64_t ns);
bool limit_over(void);
/* Its time is over, or a signal came: nobody waits any more. */
bool end_wanted(void);
void limit_stop(void);

#endif
