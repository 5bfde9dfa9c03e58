/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BHCTL_ADD_HELP_H
#define BHCTL_ADD_HELP_H

#include <stdbool.h>

/* Prints what an item of the mechanism takes; false if there is no such mechanism. */
bool help_add(const char *mech);

#endif
