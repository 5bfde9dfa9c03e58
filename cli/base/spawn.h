/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs that bhctl runs. */
#ifndef BHCTL_SPAWN_H
#define BHCTL_SPAWN_H

#include <sys/types.h>

#include "base/error.h"

/* 0, or the errno for which the shell would not run it either. */
int exec_find(const char *name);
int exec_not_found(const char *name, int err, struct error *e);
/* fork() with nothing left in stdout's buffer; -1 if that cannot be. */
pid_t exec_fork(struct error *e);
/* Becomes the program, which inherits the descriptor @lab; comes back only if that fails. */
int exec_become(int lab, char **argv, struct error *e);
/* The same in a process of its own; -1 if that cannot be. @subject: what a message is about. */
pid_t exec_start(const char *subject, int lab, char **argv, struct error *e);
/* SIGKILL to all that descend from us. Allocates nothing: another thread may call it. */
void descendants_kill(void);
/* The exit status for what wait(2) says. */
int exec_status(int status);

#endif
