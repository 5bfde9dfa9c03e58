/* SPDX-License-Identifier: GPL-2.0-only */
/* What the program of the benchmark asks of its module: bottom halves, bare. */
#ifndef BHLAB_BENCH_BARE_H
#define BHLAB_BENCH_BARE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define BARE_ITEMS	256
/* Of these, interrupt lines and threads. */
#define BARE_IRQS	64
#define BARE_THREADS	16

enum bare_mech {
	BARE_WORK,
	BARE_WORK_BH,
	BARE_TASKLET,
	BARE_TASKLET_HI,
	BARE_IRQ,
	BARE_IRQ_WORK,
	BARE_HRTIMER,
	BARE_KTHREAD_WORK,
	BARE_MECHS,
};

/**
 * struct bare_batch - BARE_IOC_BATCH: activate items, and wait for all
 * @mech: enum bare_mech
 * @count: how many items, at most BARE_ITEMS
 * @entries: address of as many struct bhlab_batch_entry, which are copied as
 *	BHLAB_IOC_BATCH copies them; 0: there is nothing to copy
 */
struct bare_batch {
	__u32 mech;
	__u32 count;
	__aligned_u64 entries;
};

#define BARE_IOC_NONE	_IO(0xBE, 0)
#define BARE_IOC_BATCH	_IO(0xBE, 1)

#endif /* BHLAB_BENCH_BARE_H */
