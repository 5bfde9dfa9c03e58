/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A histogram of nanoseconds in fixed memory, over all 64 bits. Buckets are as
 * wide as the values are large: exact below 256 ns, from there on each power of
 * two is cut into 128, so that a bucket is never wider than 1/128 of what is in
 * it. Number, sum, smallest and largest value are exact.
 */
#ifndef BHCTL_HIST_H
#define BHCTL_HIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HIST_BITS	7
#define HIST_PARTS	(1U << HIST_BITS)
#define HIST_BUCKETS	((64 - HIST_BITS + 1) * HIST_PARTS)

struct hist {
	uint64_t nr;
	uint64_t sum;
	uint64_t min;
	uint64_t max;
	uint64_t buckets[HIST_BUCKETS];
	/* Of equal width, exactly as they were asked for; the last holds all beyond. */
	uint64_t width;
	size_t entries;		/* without that one; 0: none */
	uint64_t *equal;
};

/* @entries of @width ns beside the others, or 0. */
struct hist *hist_new(uint64_t width, size_t entries);
void hist_free(struct hist *hist);
void hist_add(struct hist *hist, uint64_t ns);
/* @nr of them. */
void hist_add_many(struct hist *hist, uint64_t ns, uint64_t nr);

/*
 * The value that @permille of all are not above: by nearest rank, the top of its
 * bucket, so at most 1/128 more than the true one and never less. 0 of none.
 */
uint64_t hist_quantile(const struct hist *hist, unsigned int permille);
uint64_t hist_average(const struct hist *hist);
/* The smallest value of a bucket. */
uint64_t hist_bottom(size_t bucket);

/* --- hist_json.c: into @doc; null if there is no value */

struct json_object;

/* How many of the quantiles P50, P90, P99 and P99.9. */
enum hist_detail { HIST_TO_P99 = 3, HIST_TO_P999 = 4 };

void hist_json_quantiles(struct json_object *doc, const struct hist *hist, enum hist_detail detail);
/* With the smallest, the largest and the average. */
void hist_json(struct json_object *doc, const struct hist *hist, enum hist_detail detail);

#endif
