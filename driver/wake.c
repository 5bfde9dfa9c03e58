// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wake-ups, by a thread of the module.
 *
 * A handler must not take a waitqueue's lock: on RT that sleeps, and waking any
 * number of waiters takes any time. So it hands the lab to this thread, which
 * takes a raw lock and wakes one task, in any context. An irq_work would not do:
 * on RT one that is not hard runs in a thread of the CPU that queued it. If that
 * CPU goes offline, the irq_work waits until the CPU is back, and so do its
 * waiters. This thread is bound to no CPU.
 *
 * The thread has normal priority: whatever keeps it from running delays the
 * tasks that it would wake.
 */
#include <linux/err.h>
#include <linux/kthread.h>

#include "compat.h"
#include "wake.h"

static struct kthread_worker *bhlab_waker;

void __bhlab_wake(struct bhlab_wake *wake)
{
	if (!atomic_xchg(&wake->queued, 1))
		kthread_queue_work(bhlab_waker, &wake->work);
}

static void bhlab_wake_fn(struct kthread_work *work)
{
	struct bhlab_wake *wake = container_of(work, struct bhlab_wake, work);

	atomic_set(&wake->queued, 0);
	smp_mb(); /* pairs with bhlab_wake(): clear, then see its stores */
	wake->fn(wake);
}

void bhlab_wake_prepare(struct bhlab_wake *wake,
			void (*fn)(struct bhlab_wake *wake))
{
	kthread_init_work(&wake->work, bhlab_wake_fn);
	atomic_set(&wake->queued, 0);
	wake->fn = fn;
}

/* There are no more callers of bhlab_wake(): wait until the thread has finished. */
void bhlab_wake_end(struct bhlab_wake *wake)
{
	kthread_cancel_work_sync(&wake->work);
}

int __init bhlab_wake_init(void)
{
	bhlab_waker = kthread_run_worker(0, "bh-waker");
	return PTR_ERR_OR_ZERO(bhlab_waker);
}

void bhlab_wake_exit(void)
{
	kthread_destroy_worker(bhlab_waker);
}
