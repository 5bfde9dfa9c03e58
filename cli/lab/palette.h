/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BHCTL_PALETTE_H
#define BHCTL_PALETTE_H

#include <stddef.h>

/*
 * The colour of a mechanism in every picture, "#0072b2", and on a dark ground. @label is its
 * name, "bh_work" and "irq/thread" among them.
 */
const char *mech_color(const char *label);
const char *mech_dark_color(const char *label);

#endif
