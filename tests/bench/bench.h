/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The benchmark, in the guest. One instruction takes one tick of the TSC there,
 * and the only CPU idles for none, so that a difference of two readings is a
 * number of instructions, of the kernel and of user space.
 */
#ifndef BHLAB_BENCH_H
#define BHLAB_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/bhlab.h>

#include "bare.h"

#define BATCH		256
/* Of BATCH items each; more than 1000 items in all. */
#define ROUNDS		8

static inline uint64_t now(void)
{
	return __builtin_ia32_rdtsc();
}

_Noreturn void die(const char *what);

/* One result: what is printed when all is over. */
void result(const char *name, double value);

/* All others run first, or no longer. */
void yield_to_all(bool yield);

/* Sleep, which takes no time, then wait for a tick, so that none disturbs. */
void settle(void);
void rest(unsigned int ms);

/**
 * struct load - something that is measured
 * @run: does it once
 * @data: its argument
 * @items: how many it deals with
 * @after: looks at what came of it, which is not measured; may be NULL
 */
struct load {
	void (*run)(void *data);
	void *data;
	uint32_t items;
	void (*after)(uint32_t items);
};

/* Instructions for each item: of the round that is the median of ROUNDS or more. */
double measure(const struct load *load);
uint64_t median(uint64_t *values, size_t nr);

/* bare.c */
struct bare {
	int fd;
	struct bare_batch batch;
};

void bare_open(struct bare *b, uint32_t mech, uint32_t count);
void bare_copies(struct bare *b);
void bare_close(struct bare *b);
void bare_run(void *data);

/* lab.c */

/**
 * struct lab - an open of the device with items that do nothing
 * @flush: the queue's id, or the last item's
 * @entries: a QUEUE (or TRIGGER) of each, and one FLUSH
 */
struct lab {
	int fd;
	uint32_t count;
	uint32_t queue;
	uint32_t ids[BATCH];
	struct bhlab_batch batch;
	struct bhlab_batch_entry entries[BATCH + 1];
	const uint8_t *ring;
	struct bhlab_ring_setup setup;
};

void lab_open(struct lab *l, uint32_t mech, uint32_t queue_flags, uint32_t count);
void lab_close(struct lab *l);
void lab_batch(void *data);
void lab_refused(void *data);
void lab_singles(void *data);
void lab_activate(const struct lab *l);
uint32_t lab_recorded(const struct lab *l);

/* reading.c */
void measure_reading(void);
void measure_netlink(void);

/* tracers.c */
void measure_tracers(void);

/* accuracy.c */
void measure_accuracy(void);

#endif /* BHLAB_BENCH_H */
