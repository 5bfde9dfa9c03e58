// SPDX-License-Identifier: GPL-2.0-only
/* Queues: the workqueues that work items can be put on. */
#include <linux/workqueue.h>

#include "bhlab.h"
#include "compat.h"

/* NULL if there is none of that number. 0 stands for none, and for the default. */
struct workqueue_struct *bhlab_queue_find(u32 queue)
{
	switch (queue) {
	case 0:
	case BHLAB_QUEUE_PERCPU:
		return system_percpu_wq;
	case BHLAB_QUEUE_HIGHPRI:
		return system_highpri_wq;
	case BHLAB_QUEUE_LONG:
		return system_long_wq;
	case BHLAB_QUEUE_UNBOUND:
		return system_dfl_wq;
	case BHLAB_QUEUE_FREEZABLE:
		return system_freezable_wq;
	case BHLAB_QUEUE_POWER_EFFICIENT:
		return system_power_efficient_wq;
	default:
		return NULL;
	}
}
