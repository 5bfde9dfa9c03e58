// SPDX-License-Identifier: GPL-2.0-only
/* Histograms: log-linear buckets, and equal ones. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hist.h"

struct hist *hist_new(uint64_t width, size_t entries)
{
	struct hist *hist = xrealloc(NULL, 1, sizeof(*hist));

	memset(hist, 0, sizeof(*hist));
	hist->min = UINT64_MAX;
	hist->width = width;
	hist->entries = entries;
	if (!entries)
		return hist;
	hist->equal = xrealloc(NULL, entries + 1, sizeof(*hist->equal));
	memset(hist->equal, 0, (entries + 1) * sizeof(*hist->equal));
	return hist;
}

void hist_free(struct hist *hist)
{
	if (hist)
		free(hist->equal);
	free(hist);
}

/*
 * The highest bits of the value, as many as tell HIST_PARTS apart, behind how
 * far they were shifted: both grow with the value, and no bucket is left out.
 */
static size_t bucket_of(uint64_t ns)
{
	unsigned int shift;

	if (ns < HIST_PARTS)
		return ns;
	shift = 63 - HIST_BITS - __builtin_clzll(ns);
	return (size_t)shift * HIST_PARTS + (ns >> shift);
}

uint64_t hist_bottom(size_t bucket)
{
	size_t shift = bucket / HIST_PARTS;

	if (shift)
		shift--;
	return (uint64_t)(bucket - shift * HIST_PARTS) << shift;
}

void hist_add_many(struct hist *hist, uint64_t ns, uint64_t nr)
{
	hist->nr += nr;
	hist->sum += ns * nr;
	if (nr && ns < hist->min)
		hist->min = ns;
	if (nr && ns > hist->max)
		hist->max = ns;
	hist->buckets[bucket_of(ns)] += nr;
	if (hist->entries)
		hist->equal[ns / hist->width < hist->entries ? ns / hist->width : hist->entries] +=
			nr;
}

void hist_add(struct hist *hist, uint64_t ns)
{
	hist_add_many(hist, ns, 1);
}

uint64_t hist_quantile(const struct hist *hist, unsigned int permille)
{
	uint64_t rank = (hist->nr * permille + 999) / 1000, seen = 0;
	uint64_t top;

	if (!rank)
		return 0;
	for (size_t i = 0; i < HIST_BUCKETS - 1; i++) {
		seen += hist->buckets[i];
		if (seen < rank)
			continue;
		top = hist_bottom(i + 1) - 1;
		return top < hist->max ? top : hist->max;
	}
	return hist->max;
}

uint64_t hist_average(const struct hist *hist)
{
	return hist->nr ? (hist->sum + hist->nr / 2) / hist->nr : 0;
}
