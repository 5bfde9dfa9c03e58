/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BHCTL_COMMANDS_H
#define BHCTL_COMMANDS_H

struct command;
struct topic;

/* They end with NULL. */
extern const struct command *const commands[];
extern const struct topic *const topics[];

#endif
