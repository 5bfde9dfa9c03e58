/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BHLAB_WAKE_H
#define BHLAB_WAKE_H

#include <linux/atomic.h>
#include <linux/kthread.h>

/**
 * struct bhlab_wake - a call by the module's thread, for callers that cannot sleep
 * @work: the call of @fn
 * @queued: the call is pending, and will see what is stored now
 * @fn: called in process context, once for any number of earlier bhlab_wake()
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
 * From any context, under any raw lock except a runqueue's. The caller has a
 * full barrier between its stores and this call.
 */
static inline void bhlab_wake(struct bhlab_wake *wake)
{
	if (!atomic_read(&wake->queued))
		__bhlab_wake(wake);
}

#endif /* BHLAB_WAKE_H */
