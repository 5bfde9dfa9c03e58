// SPDX-License-Identifier: GPL-2.0-only
/* Readers of the ring; linux/bhlab.h has the protocol. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lab/lab.h"
#include "lab/ring.h"

#define READ_RECORDS 64

static int query(struct ring *ring)
{
	ring->setup = (struct bhlab_ring_setup){ .size = sizeof(ring->setup) };
	return lab_ioctl(ring->lab, BHLAB_IOC_RING, &ring->setup);
}

static int map(struct ring *ring)
{
	void *map = mmap(NULL, ring->setup.out_map_size, PROT_READ, MAP_SHARED, ring->lab->fd, 0);

	if (map == MAP_FAILED)
		return errno;
	ring->map = map;
	return 0;
}

int ring_open(struct ring *ring, const struct lab *lab, bool by_read)
{
	int err;

	*ring = (struct ring){ .lab = lab };
	err = query(ring);
	if (!err && !by_read)
		err = map(ring);
	if (err)
		return err;
	ring->next = xrealloc(NULL, ring->setup.out_cpus, sizeof(*ring->next));
	ring->lost = xrealloc(NULL, ring->setup.out_cpus, sizeof(*ring->lost));
	for (uint32_t cpu = 0; cpu < ring->setup.out_cpus; cpu++) {
		ring->next[cpu] = 1;
		ring->lost[cpu] = 0;
	}
	return 0;
}

void ring_close(struct ring *ring)
{
	if (ring->map)
		munmap((void *)ring->map, ring->setup.out_map_size);
	free(ring->next);
	free(ring->lost);
}

struct bhlab_event *records_room(struct records *records, size_t nr)
{
	if (records->nr + nr > records->room) {
		records->room = 2 * records->room + nr;
		records->list = xrealloc(records->list, records->room, sizeof(*records->list));
	}
	return records->list + records->nr;
}

/*
 * The writer first makes the seq word invalid, then changes the record. A copy
 * is good if seq was @seq before it (acquire: the copy is not read earlier) and
 * still is after it (the fence: the copy is not read later).
 */
static bool copy_record(const struct bhlab_event *slot, uint32_t seq, struct bhlab_event *copy)
{
	if (__atomic_load_n(&slot->seq, __ATOMIC_ACQUIRE) != seq)
		return false;
	memcpy(copy, slot, sizeof(*copy));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&slot->seq, __ATOMIC_RELAXED) == seq;
}

/*
 * Every number up to the head was a complete record once. What is behind the
 * head by more than the sub-ring holds is lost at a glance; what is overwritten
 * under our hands is lost one by one. So read + lost is what was recorded.
 */
static void drain_cpu(struct ring *ring, uint32_t cpu, struct records *records)
{
	const unsigned char *sub = ring->map + (size_t)cpu * ring->setup.out_stride;
	const struct bhlab_ring_head *head = (const void *)sub;
	uint32_t end = __atomic_load_n(&head->seq, __ATOMIC_ACQUIRE) + 1;
	uint32_t behind = end - ring->next[cpu];

	if (behind > ring->setup.records) {
		ring->lost[cpu] += behind - ring->setup.records;
		ring->next[cpu] = end - ring->setup.records;
	}
	for (; ring->next[cpu] != end; ring->next[cpu]++) {
		uint32_t index = (ring->next[cpu] - 1) & (ring->setup.records - 1);
		const void *slot = sub + ring->setup.out_data_offset +
				   (size_t)index * ring->setup.out_record_size;

		if (copy_record(slot, ring->next[cpu], records_room(records, 1)))
			records->nr++;
		else
			ring->lost[cpu]++;
	}
}

/*
 * The descriptor may be blocking, and is not ours alone to change; so only as
 * much is read as is known to be there. Whoever else read()s at the same time
 * may take it away, and then this waits for the next record.
 */
static int drain_read(struct ring *ring, struct records *records)
{
	uint64_t lost = ring->setup.out_lost;

	for (;;) {
		struct bhlab_event *to = records_room(records, READ_RECORDS);
		ssize_t len;
		int err = query(ring);

		if (err)
			return err;
		ring->lost[0] += ring->setup.out_lost - lost;
		lost = ring->setup.out_lost;
		if (ring->setup.out_recorded == ring->setup.out_read + lost)
			return 0;
		len = read(ring->lab->fd, to, READ_RECORDS * sizeof(*to));
		if (len < 0)
			return errno == EAGAIN ? 0 : errno;
		records->nr += len / sizeof(*to);
	}
}

static int by_start(const void *a, const void *b)
{
	const struct bhlab_event *x = a, *y = b;

	if (x->started_ns != y->started_ns)
		return x->started_ns < y->started_ns ? -1 : 1;
	if (x->ring_cpu != y->ring_cpu)
		return x->ring_cpu < y->ring_cpu ? -1 : 1;
	return (int32_t)(x->seq - y->seq);
}

void records_sort(struct records *records, size_t from)
{
	if (records->nr > from)
		qsort(records->list + from, records->nr - from, sizeof(*records->list), by_start);
}

int ring_drain(struct ring *ring, struct records *records)
{
	size_t old = records->nr;
	int err = 0;

	if (!ring->map) {
		err = drain_read(ring, records);
	} else {
		err = query(ring);
		for (uint32_t cpu = 0; !err && cpu < ring->setup.out_cpus; cpu++)
			drain_cpu(ring, cpu, records);
	}
	records_sort(records, old);
	return err;
}

int ring_wait(struct ring *ring, uint64_t more, uint64_t timeout_ns)
{
	struct bhlab_wait wait = {
		.size = sizeof(wait),
		.condition = BHLAB_COND_RECORDED,
		.value = ring->setup.out_recorded + more,
		.timeout_ns = timeout_ns,
	};

	return lab_ioctl(ring->lab, BHLAB_IOC_WAIT, &wait);
}

uint64_t ring_lost(struct ring *ring, unsigned int cpu)
{
	uint64_t lost = ring->lost[cpu];

	ring->lost[cpu] = 0;
	return lost;
}

void records_free(struct records *records)
{
	free(records->list);
	*records = (struct records){ 0 };
}
