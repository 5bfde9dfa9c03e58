/* SPDX-License-Identifier: GPL-2.0-only */
/* Steps that wait. */
#ifndef BHLAB_AWAIT_H
#define BHLAB_AWAIT_H

#include <linux/types.h>

struct bhlab_lock;
struct bhlab_run;
struct bhlab_step;

int bhlab_await_flush(struct bhlab_run *run, const struct bhlab_step *s);
int bhlab_await_drain(struct bhlab_run *run, const struct bhlab_step *s);
int bhlab_await_idle(struct bhlab_run *run, const struct bhlab_step *s);
int bhlab_await_cancel(struct bhlab_run *run, const struct bhlab_step *s);
int bhlab_await_disable(struct bhlab_run *run, const struct bhlab_step *s);
int bhlab_await_irq(struct bhlab_run *run, const struct bhlab_step *s);
int bhlab_await_rcu(struct bhlab_run *run, const struct bhlab_step *s);
bool bhlab_await_lock(struct bhlab_run *run, struct bhlab_lock *lock);

#endif /* BHLAB_AWAIT_H */
