/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the lab's ring: by its mapping, as an independent reader that starts
 * with the oldest record there is, or by read(), which moves the lab's cursor.
 */
#ifndef BHCTL_RING_H
#define BHCTL_RING_H

#include <linux/bhlab.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct lab;

/* Records in the order in which they started, and losses on the way to them. */
struct records {
	struct bhlab_event *list;
	size_t nr, room;
};

struct ring {
	const struct lab *lab;
	const unsigned char *map;	/* NULL: by read() */
	struct bhlab_ring_setup setup;	/* as of the last drain */
	uint32_t *next;			/* mapping: by CPU, the sequence number to read next */
	uint64_t *lost;			/* by CPU, since ring_lost(); read(): all in [0] */
};

/* 0 or the errno. */
int ring_open(struct ring *ring, const struct lab *lab, bool by_read);
void ring_close(struct ring *ring);

/* Appends all that is there; never waits. 0 or the errno. */
int ring_drain(struct ring *ring, struct records *records);
/*
 * Waits until so many @more were recorded than the last drain saw; 0, ETIMEDOUT,
 * EINTR or another errno. It may find that the last drain has got them already.
 */
int ring_wait(struct ring *ring, uint64_t more, uint64_t timeout_ns);
/* How many records of @cpu were lost since the last such question. */
uint64_t ring_lost(struct ring *ring, unsigned int cpu);

/* Room for @nr more: where the first of them goes. */
struct bhlab_event *records_room(struct records *records, size_t nr);
/* By their start, from number @from on. */
void records_sort(struct records *records, size_t from);
void records_free(struct records *records);

#endif
