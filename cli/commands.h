/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BHCTL_COMMANDS_H
#define BHCTL_COMMANDS_H

struct command;

/* They end with NULL. */
extern const struct command *const commands[];

#endif
