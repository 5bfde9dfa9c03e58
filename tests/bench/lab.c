// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same, as items of a lab.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

static void lab_call(const struct lab *l, unsigned long cmd, void *arg,
		     const char *what)
{
	if (ioctl(l->fd, cmd, arg))
		die(what);
}

static void lab_map(struct lab *l)
{
	l->setup.size = sizeof(l->setup);
	lab_call(l, BHLAB_IOC_RING, &l->setup, "BHLAB_IOC_RING");
	l->ring = mmap(NULL, l->setup.out_map_size, PROT_READ,
		       MAP_SHARED | MAP_POPULATE, l->fd, 0);
	if (l->ring == MAP_FAILED)
		die("mmap of the ring");
}

static void lab_queue(struct lab *l, uint32_t flags)
{
	struct bhlab_queue_create c = {
		.size = sizeof(c), .flags = flags, .name = "q",
	};

	lab_call(l, BHLAB_IOC_QUEUE_CREATE, &c, "BHLAB_IOC_QUEUE_CREATE");
	l->queue = c.out_id;
}

static void lab_item(struct lab *l, uint32_t mech, uint32_t i)
{
	struct bhlab_item_create c = {
		.size = sizeof(c), .mech = mech, .queue = l->queue,
		.data = "what an item carries, 31 bytes",
	};

	snprintf(c.name, sizeof(c.name), "item%u", i);
	lab_call(l, BHLAB_IOC_ITEM_CREATE, &c, "BHLAB_IOC_ITEM_CREATE");
	l->ids[i] = c.out_id;
}

static void lab_entry(struct lab *l, uint32_t nr, uint32_t id)
{
	struct bhlab_batch_entry *e = &l->entries[l->batch.count++];

	*e = (struct bhlab_batch_entry){
		.nr = nr, .act.size = sizeof(e->act), .act.id = id,
		.act.count = nr == BHLAB_NR_TRIGGER,
	};
}

/* With @queue_flags it is of work items, on a queue of their own. */
void lab_open(struct lab *l, uint32_t mech, uint32_t queue_flags, uint32_t count)
{
	uint32_t nr = mech == BHLAB_MECH_IRQ ? BHLAB_NR_TRIGGER : BHLAB_NR_QUEUE;
	uint32_t i;

	memset(l, 0, sizeof(*l));
	l->count = count;
	l->fd = open("/dev/bhlab", O_RDWR | O_CLOEXEC);
	if (l->fd < 0)
		die("/dev/bhlab");
	lab_map(l);
	if (queue_flags)
		lab_queue(l, queue_flags);
	for (i = 0; i < count; i++)
		lab_item(l, mech, i);
	for (i = 0; i < count; i++)
		lab_entry(l, nr, l->ids[i]);
	lab_entry(l, BHLAB_NR_FLUSH, l->queue ?: l->ids[count - 1]);
	l->batch.size = sizeof(l->batch);
	l->batch.entries = (uintptr_t)l->entries;
}

void lab_close(struct lab *l)
{
	munmap((void *)l->ring, l->setup.out_map_size);
	close(l->fd);
}

void lab_batch(void *data)
{
	struct lab *l = data;

	lab_call(l, BHLAB_IOC_BATCH, &l->batch, "BHLAB_IOC_BATCH");
	if (l->batch.out_failed || l->batch.out_done != l->batch.count)
		die("an entry of a batch");
}

/* The items are not disabled: to enable them is refused, when all was looked up. */
void lab_refused(void *data)
{
	struct lab *l = data;
	uint32_t i;

	for (i = 0; i < l->count; i++)
		l->entries[i].nr = BHLAB_NR_ENABLE;
	l->batch.flags = BHLAB_BATCH_ON;
	l->batch.count = l->count;
	lab_call(l, BHLAB_IOC_BATCH, &l->batch, "BHLAB_IOC_BATCH");
	if (l->batch.out_failed != l->count)
		die("an entry of a batch is not refused");
}

void lab_singles(void *data)
{
	struct lab *l = data;
	struct bhlab_batch_entry *e;

	for (e = l->entries; e < l->entries + l->batch.count; e++)
		lab_call(l, _IO(BHLAB_IOC_MAGIC, e->nr), &e->act, "a verb");
}

/* The first item, and nothing waits for it. */
void lab_activate(const struct lab *l)
{
	struct bhlab_batch_entry e = l->entries[0];

	lab_call(l, _IO(BHLAB_IOC_MAGIC, e.nr), &e.act, "a verb");
}

/* By the one CPU that there is. */
uint32_t lab_recorded(const struct lab *l)
{
	const struct bhlab_ring_head *head = (const void *)l->ring;

	return __atomic_load_n(&head->seq, __ATOMIC_ACQUIRE);
}
