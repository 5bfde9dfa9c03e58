// SPDX-License-Identifier: GPL-2.0-only
/* Makes a plan that fails smaller, while it still fails. */
#include <string.h>

#include "explore/explore.h"

struct shrinker {
	struct plan *plan;
	bool (*fails)(const struct plan *plan, void *arg);
	void *arg;
};

/* Keeps @smaller if it fails, too. */
static bool keep(struct shrinker *s, const struct plan *smaller)
{
	if (!s->fails(smaller, s->arg))
		return false;
	*s->plan = *smaller;
	return true;
}

static bool drop_phase(struct shrinker *s, unsigned int n)
{
	struct plan smaller = *s->plan;

	memmove(&smaller.phases[n], &smaller.phases[n + 1],
		(smaller.nr_phases - n - 1) * sizeof(smaller.phases[0]));
	smaller.nr_phases--;
	return keep(s, &smaller);
}

static bool drop_call(struct shrinker *s, unsigned int n, unsigned int thread, unsigned int c)
{
	struct plan smaller = *s->plan;
	struct phase *phase = &smaller.phases[n];

	memmove(&phase->calls[thread][c], &phase->calls[thread][c + 1],
		(phase->nr_calls[thread] - c - 1) * sizeof(phase->calls[0][0]));
	phase->nr_calls[thread]--;
	return keep(s, &smaller);
}

static bool drop_thread(struct shrinker *s, unsigned int n, unsigned int thread)
{
	struct plan smaller = *s->plan;
	struct phase *phase = &smaller.phases[n];

	for (unsigned int t = thread; t + 1 < phase->nr_threads; t++) {
		phase->cpu[t] = phase->cpu[t + 1];
		phase->nr_calls[t] = phase->nr_calls[t + 1];
		memcpy(phase->calls[t], phase->calls[t + 1], sizeof(phase->calls[t]));
	}
	phase->nr_threads--;
	phase->nr_calls[phase->nr_threads] = 0;
	return keep(s, &smaller);
}

/* One thread calls after the other. */
static bool join_threads(struct shrinker *s, unsigned int n)
{
	struct plan smaller = *s->plan;
	struct phase *phase = &smaller.phases[n];

	for (unsigned int t = 1; t < phase->nr_threads; t++)
		for (unsigned int c = 0; c < phase->nr_calls[t]; c++) {
			if (phase->nr_calls[0] == PLAN_CALLS)
				return false;
			phase->calls[0][phase->nr_calls[0]++] = phase->calls[t][c];
		}
	phase->nr_threads = 1;
	return keep(s, &smaller);
}

static bool drop_step(struct shrinker *s, unsigned int item, unsigned int step)
{
	struct plan smaller = *s->plan;
	struct plan_item *it = &smaller.items[item];

	memmove(&it->steps[step], &it->steps[step + 1],
		(it->nr_steps - step - 1) * sizeof(it->steps[0]));
	it->nr_steps--;
	return keep(s, &smaller);
}

static bool plain_call(struct shrinker *s, unsigned int n, unsigned int thread, unsigned int c)
{
	struct plan smaller = *s->plan;
	struct verb_call *call = &smaller.phases[n].calls[thread][c];

	if (!call->after_ns && call->cpu < 0)
		return false;
	call->after_ns = 0;
	call->cpu = -1;
	return keep(s, &smaller);
}

/* Its objects keep their names, so only those at the end can go. */
static bool drop_last_item(struct shrinker *s)
{
	struct plan smaller = *s->plan;

	if (smaller.nr_items < 2)
		return false;
	smaller.nr_items--;
	for (unsigned int n = 0; n < smaller.nr_phases; n++)
		for (unsigned int t = 0; t < smaller.phases[n].nr_threads; t++)
			for (unsigned int c = 0; c < smaller.phases[n].nr_calls[t]; c++)
				if (smaller.phases[n].calls[t][c].item >= smaller.nr_items)
					return false;
	for (unsigned int i = 0; i < smaller.nr_items; i++)
		for (unsigned int k = 0; k < smaller.items[i].nr_steps; k++)
			if (smaller.items[i].steps[k].target == smaller.nr_items + 1U)
				return false;
	return keep(s, &smaller);
}

static bool plain_item(struct shrinker *s, unsigned int item)
{
	struct plan smaller = *s->plan;

	if (!smaller.items[item].flags)
		return false;
	smaller.items[item].flags = 0;
	return keep(s, &smaller);
}

static bool shrink_phase(struct shrinker *s, unsigned int n)
{
	const struct phase *phase = &s->plan->phases[n];
	bool shrunk = phase->nr_threads > 1 && join_threads(s, n);

	for (unsigned int t = phase->nr_threads; t-- > 0;) {
		if (phase->nr_threads > 1 && drop_thread(s, n, t)) {
			shrunk = true;
			continue;
		}
		for (unsigned int c = phase->nr_calls[t]; c-- > 0;)
			shrunk |= drop_call(s, n, t, c) || plain_call(s, n, t, c);
	}
	return shrunk;
}

static bool shrink_once(struct shrinker *s)
{
	bool shrunk = false;

	for (unsigned int n = s->plan->nr_phases; n-- > 0;)
		shrunk |= drop_phase(s, n) || shrink_phase(s, n);
	for (unsigned int i = s->plan->nr_items; i-- > 0;) {
		shrunk |= plain_item(s, i);
		for (unsigned int k = s->plan->items[i].nr_steps; k-- > 0;)
			shrunk |= drop_step(s, i, k);
	}
	return drop_last_item(s) || shrunk;
}

void shrink(struct plan *plan, bool (*fails)(const struct plan *plan, void *arg), void *arg)
{
	struct shrinker s = { plan, fails, arg };

	while (shrink_once(&s))
		;
}
