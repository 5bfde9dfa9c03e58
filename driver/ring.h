/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BHLAB_RING_H
#define BHLAB_RING_H

#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

#include <linux/bhlab.h>

#include "who.h"

struct bhlab_item;
struct file;
struct vm_area_struct;
struct poll_table_struct;

/**
 * struct bhlab_cursor - a reader's position in one sub-ring
 * @next: sequence number of the record that it reached last
 * @ahead: that record is in @event, and the reader has not used it yet
 */
struct bhlab_cursor {
	u32 next;
	bool ahead;
	struct bhlab_event event;
};

/**
 * struct bhlab_reader - takes the records one after the other
 * @cursors: one for each possible CPU
 * @lost: records that were overwritten before it reached them
 * @read: records that it has used
 * @reveals: it gets what records hide
 */
struct bhlab_reader {
	struct bhlab_cursor *cursors;
	u64 lost;
	u64 read;
	bool reveals;
};

/**
 * struct bhlab_ring - the records of one lab
 * @user: the user that it is charged to
 * @base: all sub-rings, mapped in one piece; NULL until the first use
 * @stride: from one sub-ring to the next
 * @records: of each sub-ring, a power of two
 * @watermark: unread records that wake a poller
 * @hidden: what the records hide, a slot for each; only if @hides
 * @hides: records may hide something; set before the first use
 * @recorded: by CPU, the sub-ring's sequence number, extended to 64 bits
 * @reader: read()
 * @wait: readers and pollers
 * @alloc_lock: the first use
 * @read_lock: @reader
 * @count_lock: @recorded; in process context
 */
struct bhlab_ring {
	struct bhlab_user *user;
	void *base;
	struct page **pages;
	struct bhlab_hidden *hidden;
	u32 stride;
	u32 records;
	u32 watermark;
	bool hides;
	u64 *recorded;
	struct bhlab_reader reader;
	wait_queue_head_t wait;
	struct mutex alloc_lock;
	struct mutex read_lock;
	spinlock_t count_lock;
};

void bhlab_ring_init(struct bhlab_ring *ring);
void bhlab_ring_free(struct bhlab_ring *ring);
int bhlab_ring_use(struct bhlab_ring *ring);
int bhlab_ring_setup(struct bhlab_ring *ring, struct bhlab_ring_setup *cmd);
u64 bhlab_ring_recorded(struct bhlab_ring *ring);
bool bhlab_ring_ready(struct bhlab_ring *ring);

int bhlab_reader_init(struct bhlab_reader *reader);
void bhlab_reader_free(struct bhlab_reader *reader);
struct bhlab_cursor *bhlab_reader_oldest(const struct bhlab_ring *ring,
					 struct bhlab_reader *reader);
void bhlab_reader_skip_lost(const struct bhlab_ring *ring,
			    struct bhlab_reader *reader);

/* --- the producer; ring.c explains the order of the stores */

static inline struct bhlab_ring_head *
bhlab_head(const struct bhlab_ring *ring, int cpu)
{
	return ring->base + (size_t)cpu * ring->stride;
}

/* The slot of the record with sequence number @seq. */
static inline struct bhlab_event *
bhlab_slot(const struct bhlab_ring *ring, struct bhlab_ring_head *head, u32 seq)
{
	struct bhlab_event *records = (void *)head + PAGE_SIZE;

	return &records[(seq - 1) & (ring->records - 1)];
}

/* The hidden part of the record with sequence number @seq on @cpu. */
static inline struct bhlab_hidden *
bhlab_hidden_slot(const struct bhlab_ring *ring, int cpu, u32 seq)
{
	return &ring->hidden[(size_t)cpu * ring->records +
			     ((seq - 1) & (ring->records - 1))];
}

ssize_t bhlab_ring_read(struct bhlab_ring *ring, struct file *file,
			char __user *buf, size_t len);
__poll_t bhlab_ring_poll(struct bhlab_ring *ring, struct file *file,
			 struct poll_table_struct *wait);
int bhlab_ring_mmap(struct bhlab_ring *ring, struct vm_area_struct *vma);

#endif /* BHLAB_RING_H */
