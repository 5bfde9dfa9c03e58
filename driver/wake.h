/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BHLAB_WAKE_H
#define BHLAB_WAKE_H

#include <linux/atomic.h>
#include <linux/kthread.h>

/**
 * struct bhlab_wake - what the module's thread does for who must not sleep
 * @work: the call of @fn
 * @queued: it is on its way, and will find what is stored now
 * @fn: in process context, once for any number of bhlab_wake() before it
 */
struct bhlab_wake {
	struct kthread_work work;
	atomic_t queued;
	void (*fn)(struct bhlab_wake *wake);
};

int bhlab_wake_init(void);
void bhlab_wake_exit(void);
void bhlab_wake_prepare(struct bhlab_wake *wake,
			void (*fn)(struct bhlab_wake *wake));
void bhlab_wake_end(struct bhlab_wake *wake);
void __bhlab_wake(struct bhlab_wake *wake);

/*
 * From any context, in the middle of any raw lock but a runqueue's. A full
 * barrier is between what the caller has stored and this.
 */
static inline void bhlab_wake(struct bhlab_wake *wake)
{
	if (!atomic_read(&wake->queued))
		__bhlab_wake(wake);
}

#endif /* BHLAB_WAKE_H */
