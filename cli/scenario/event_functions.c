// SPDX-License-Identifier: GPL-2.0-only
/* Functions of expressions over what was recorded. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "scenario/expr.h"

/* --- finding records */

/* An item's top half, or its only program; or else its thread. */
struct wanted {
	uint32_t item;
	uint32_t kind;
	bool thread;
};

static bool matches(const struct wanted *wanted, const struct bhlab_event *event)
{
	return event->item == wanted->item && event->kind == wanted->kind &&
	       (event->stage == BHLAB_STAGE_THREAD) == wanted->thread;
}

/* The next one from @from on, or NULL. */
static const struct bhlab_event *next(const struct scene *scene, const struct wanted *wanted,
				      size_t *from)
{
	while (*from < scene->records.nr) {
		const struct bhlab_event *event = &scene->records.list[(*from)++];

		if (matches(wanted, event))
			return event;
	}
	return NULL;
}

static int64_t count(const struct scene *scene, const struct wanted *wanted)
{
	int64_t nr = 0;

	for (size_t i = 0; next(scene, wanted, &i);)
		nr++;
	return nr;
}

static int find_item(struct eval *eval, const struct expr_arg *arg, uint32_t kind,
		     struct wanted *wanted)
{
	*wanted = (struct wanted){
		.item = scene_object(eval->scene, arg->name), .kind = kind, .thread = arg->thread,
	};
	return wanted->item ? 0 : no_value(eval, "there is no %s", arg->name);
}

/* Number @n in the order of time; -1 is the last. */
static const struct bhlab_event *nth(struct eval *eval, const struct wanted *wanted, int64_t n)
{
	int64_t nr = count(eval->scene, wanted);
	const struct bhlab_event *event = NULL;
	size_t from = 0;

	if (n < 0)
		n += nr + 1;
	if (n < 1 || n > nr)
		return NULL;
	while (n--)
		event = next(eval->scene, wanted, &from);
	return event;
}

/* The record that arguments @i (the item) and @i + 1 (the number) name. */
static int find_event(struct eval *eval, const struct expr *call, size_t i, uint32_t kind,
		      const struct bhlab_event **event)
{
	const struct expr_arg *arg = &call->args[i];
	struct wanted wanted;
	int64_t n;

	if (find_item(eval, arg, kind, &wanted) || arg_value(eval, call, i + 1, &n))
		return -1;
	*event = nth(eval, &wanted, n);
	if (*event)
		return 0;
	return no_value(eval, "there is no %s %" PRId64 " of %s%s, of %" PRId64,
			word_name(&kind_words, kind), n, arg->name, arg->thread ? ".thread" : "",
			count(eval->scene, &wanted));
}

/* --- one run, mark or other event; @get of the row says what of it */

#define GETTER(name, what)							\
	static struct datum get_##name(const struct bhlab_event *event)		\
	{									\
		return (struct datum){ what };					\
	}

GETTER(cpu, .number = event->cpu)
GETTER(queue_cpu, .number = event->queue_cpu == BHLAB_CPU_NONE ? -1 : event->queue_cpu)
GETTER(context, .number = event->context)
GETTER(pid, .number = event->pid)
GETTER(comm, .text = event->comm)
GETTER(data, .text = event->data)
GETTER(cookie, .number = (int64_t)event->cookie)
GETTER(queued, .number = (int64_t)event->queued_ns)
GETTER(start, .number = (int64_t)event->started_ns)
GETTER(end, .number = (int64_t)event->finished_ns)
GETTER(latency, .number = (int64_t)(event->started_ns - event->queued_ns))
GETTER(runtime, .number = (int64_t)(event->finished_ns - event->started_ns))
GETTER(value, .number = (int64_t)event->value)
GETTER(softirq, .number = event->softirq_started)
GETTER(softirq_queued, .number = event->softirq_queued)
GETTER(skipped, .number = event->skipped)
GETTER(reasons, .number = event->flags)

static void take(const struct expr *call, const struct bhlab_event *event, struct datum *value)
{
	struct datum got = call->function->get(event);

	value->number = got.number;
	value->text = got.text;
}

/* @param: the kind */
static int event_get(struct eval *eval, const struct expr *call, struct datum *value)
{
	const struct bhlab_event *event;

	if (find_event(eval, call, 0, (uint32_t)call->function->param, &event))
		return -1;
	take(call, event, value);
	return 0;
}

static int any_event_get(struct eval *eval, const struct expr *call, struct datum *value)
{
	const struct bhlab_event *event;

	if (find_event(eval, call, 1, call->args[0].word, &event))
		return -1;
	take(call, event, value);
	return 0;
}

static int run_nice(struct eval *eval, const struct expr *call, struct datum *value)
{
	const struct bhlab_event *event;

	if (find_event(eval, call, 0, BHLAB_EVENT_RUN, &event))
		return -1;
	errno = 0;
	value->number = getpriority(PRIO_PROCESS, event->pid);
	return errno ? no_value(eval, "task %u: %s", event->pid, strerror(errno)) : 0;
}

/* --- counts */

/* @param: the kind */
static int event_count(struct eval *eval, const struct expr *call, struct datum *value)
{
	struct wanted wanted;

	if (find_item(eval, &call->args[0], (uint32_t)call->function->param, &wanted))
		return -1;
	value->number = count(eval->scene, &wanted);
	return 0;
}

static int any_event_count(struct eval *eval, const struct expr *call, struct datum *value)
{
	struct wanted wanted;

	if (find_item(eval, &call->args[1], call->args[0].word, &wanted))
		return -1;
	value->number = count(eval->scene, &wanted);
	return 0;
}

/* --- all runs; @get of the row says what is compared */

enum { LARGEST, SMALLEST, TOTAL };

/* @param: which of these */
static int all_runs(struct eval *eval, const struct expr *call, struct datum *value)
{
	const struct bhlab_event *event;
	struct wanted wanted;
	bool first = true;

	if (find_item(eval, &call->args[0], BHLAB_EVENT_RUN, &wanted))
		return -1;
	for (size_t i = 0; (event = next(eval->scene, &wanted, &i)); first = false) {
		int64_t one = call->function->get(event).number;

		if (call->function->param == TOTAL)
			value->number += one;
		else if (first || (call->function->param == LARGEST) == (one > value->number))
			value->number = one;
	}
	return first ? no_value(eval, "%s has not run", call->args[0].name) : 0;
}

static bool overlap(const struct bhlab_event *a, const struct bhlab_event *b)
{
	return a->started_ns < b->finished_ns && b->started_ns < a->finished_ns;
}

static int run_overlaps(struct eval *eval, const struct expr *call, struct datum *value)
{
	bool two = call->nr_args > 1;
	const struct bhlab_event *a, *b;
	struct wanted first, second;

	if (find_item(eval, &call->args[0], BHLAB_EVENT_RUN, &first) ||
	    find_item(eval, &call->args[two], BHLAB_EVENT_RUN, &second))
		return -1;
	for (size_t i = 0; (a = next(eval->scene, &first, &i));)
		for (size_t j = two ? 0 : i; (b = next(eval->scene, &second, &j));)
			value->number += overlap(a, b);
	return 0;
}

static int runs_order(struct eval *eval, const struct expr *call, struct datum *value)
{
	const struct bhlab_event *before = NULL, *event;
	struct wanted wanted;

	value->number = 1;
	for (size_t i = 0; i < call->nr_args; i++, before = event) {
		if (find_item(eval, &call->args[i], BHLAB_EVENT_RUN, &wanted))
			return -1;
		event = nth(eval, &wanted, 1);
		if (!event)
			return no_value(eval, "%s has not run", call->args[i].name);
		if (before && before->started_ns > event->started_ns)
			value->number = 0;
	}
	return 0;
}

static int run_started_after(struct eval *eval, const struct expr *call, struct datum *value)
{
	const struct bhlab_event *later, *earlier;

	if (find_event(eval, call, 0, BHLAB_EVENT_RUN, &later) ||
	    find_event(eval, call, 2, BHLAB_EVENT_RUN, &earlier))
		return -1;
	value->number = later->started_ns >= earlier->finished_ns;
	return 0;
}

/* What it was that decided: evaluated again, with @quiet as it was. */
static int decided(struct eval *eval, const struct expr *call, bool quiet)
{
	struct datum value;

	eval->quiet = quiet;
	observe(eval, "for N = %" PRId64, eval->run);
	return expr_eval(eval, call->args[1].expr, &value);
}

/* @param: 1 for all, 0 for any: the value that does not decide */
static int each_run(struct eval *eval, const struct expr *call, struct datum *value)
{
	int64_t outside = eval->run, nr, sought = !call->function->param;
	bool quiet = eval->quiet;
	struct wanted wanted;
	struct datum one;
	int err = 0;

	if (find_item(eval, &call->args[0], BHLAB_EVENT_RUN, &wanted))
		return -1;
	nr = count(eval->scene, &wanted);
	if (!nr)
		return no_value(eval, "%s has not run", call->args[0].name);
	eval->quiet = true;
	value->number = !sought;
	for (eval->run = 1; eval->run <= nr && !err; eval->run++) {
		err = expr_eval(eval, call->args[1].expr, &one);
		if (err || !!one.number != sought)
			continue;
		value->number = sought;
		err = decided(eval, call, quiet);
		break;
	}
	eval->run = outside;
	eval->quiet = quiet;
	return err;
}

/* For how many runs the expression is true. */
static int true_runs(struct eval *eval, const struct expr *call, struct datum *value)
{
	int64_t outside = eval->run, nr;
	bool quiet = eval->quiet;
	struct wanted wanted;
	struct datum one;
	int err = 0;

	if (find_item(eval, &call->args[0], BHLAB_EVENT_RUN, &wanted))
		return -1;
	nr = count(eval->scene, &wanted);
	eval->quiet = true;
	for (eval->run = 1; eval->run <= nr && !err; eval->run++) {
		err = expr_eval(eval, call->args[1].expr, &one);
		value->number += !err && one.number;
	}
	eval->run = outside;
	eval->quiet = quiet;
	return err;
}

/* --- the values of all runs, by size; the row's param is which of them, in percent */

enum { MEAN = 1000 };

static int by_size(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int each_value(struct eval *eval, const struct expr *call, int64_t *values, int64_t nr)
{
	int64_t outside = eval->run;
	bool quiet = eval->quiet;
	struct datum one;
	int err = 0;

	eval->quiet = true;
	for (eval->run = 1; eval->run <= nr && !err; eval->run++) {
		err = expr_eval(eval, call->args[1].expr, &one);
		values[eval->run - 1] = one.number;
	}
	eval->run = outside;
	eval->quiet = quiet;
	return err;
}

static int64_t mean(const int64_t *values, int64_t nr)
{
	__int128 sum = 0;

	for (int64_t i = 0; i < nr; i++)
		sum += values[i];
	return (int64_t)(sum / nr);
}

/* By nearest rank: it is one of them. */
static int run_values(struct eval *eval, const struct expr *call, struct datum *value)
{
	int64_t *values, nr, percent = (int64_t)call->function->param;
	struct wanted wanted;
	int err;

	if (find_item(eval, &call->args[0], BHLAB_EVENT_RUN, &wanted))
		return -1;
	nr = count(eval->scene, &wanted);
	if (!nr)
		return no_value(eval, "%s has not run", call->args[0].name);
	values = xrealloc(NULL, nr, sizeof(*values));
	err = each_value(eval, call, values, nr);
	if (!err && percent == MEAN) {
		value->number = mean(values, nr);
	} else if (!err) {
		qsort(values, nr, sizeof(*values), by_size);
		value->number = values[percent ? (nr * percent + 99) / 100 - 1 : 0];
	}
	free(values);
	return err;
}

/* --- a queue */

/* The start of a run, or its end. */
struct edge {
	uint64_t ns;
	int step;
};

/* At the same time ends come first. */
static int by_time(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	return x->ns != y->ns ? (x->ns > y->ns) - (x->ns < y->ns) : x->step - y->step;
}

static bool is_of_queue(const struct scene *scene, uint32_t item, uint32_t queue)
{
	struct bhlab_item_state state = { .size = sizeof(state), .id = item };

	return !lab_ioctl(&scene->lab, BHLAB_IOC_ITEM_STATE, &state) && state.out_queue == queue;
}

static int queue_peak(struct eval *eval, const struct expr *call, struct datum *value)
{
	const struct records *records = &eval->scene->records;
	uint32_t queue = scene_object(eval->scene, call->args[0].name);
	int64_t running = 0;
	struct edge *edges;
	size_t nr = 0;

	if (!queue)
		return no_value(eval, "there is no %s", call->args[0].name);
	edges = xrealloc(NULL, 2 * records->nr + 1, sizeof(*edges));
	for (size_t i = 0; i < records->nr; i++) {
		const struct bhlab_event *event = &records->list[i];

		if (event->kind != BHLAB_EVENT_RUN ||
		    !is_of_queue(eval->scene, event->item, queue))
			continue;
		edges[nr++] = (struct edge){ event->started_ns, 1 };
		edges[nr++] = (struct edge){ event->finished_ns, -1 };
	}
	qsort(edges, nr, sizeof(*edges), by_time);
	for (size_t i = 0; i < nr; i++) {
		running += edges[i].step;
		if (running > value->number)
			value->number = running;
	}
	free(edges);
	return 0;
}

#define RUN BHLAB_EVENT_RUN
#define MARK BHLAB_EVENT_MARK

const struct function event_functions[] = {
	{ "cpu", "in", DATUM_NUMBER, event_get, RUN, NULL, get_cpu },
	{ "queue_cpu", "in", DATUM_NUMBER, event_get, RUN, NULL, get_queue_cpu },
	{ "context", "in", DATUM_SET, event_get, RUN, &context_words, get_context },
	{ "pid", "in", DATUM_NUMBER, event_get, RUN, NULL, get_pid },
	{ "comm", "in", DATUM_TEXT, event_get, RUN, NULL, get_comm },
	{ "nice", "in", DATUM_NUMBER, run_nice, 0, NULL, NULL },
	{ "queued", "in", DATUM_MOMENT, event_get, RUN, NULL, get_queued },
	{ "start", "in", DATUM_MOMENT, event_get, RUN, NULL, get_start },
	{ "end", "in", DATUM_MOMENT, event_get, RUN, NULL, get_end },
	{ "latency", "in", DATUM_TIME, event_get, RUN, NULL, get_latency },
	{ "runtime", "in", DATUM_TIME, event_get, RUN, NULL, get_runtime },
	{ "value", "in", DATUM_NUMBER, event_get, RUN, NULL, get_value },
	{ "softirq", "in", DATUM_SET, event_get, RUN, &softirq_words, get_softirq },
	{ "softirq_queued", "in", DATUM_SET, event_get, RUN, &softirq_words, get_softirq_queued },
	{ "data", "in", DATUM_TEXT, event_get, RUN, NULL, get_data },
	{ "cookie", "in", DATUM_NUMBER, event_get, RUN, NULL, get_cookie },
	{ "skips", "in", DATUM_NUMBER, event_get, RUN, NULL, get_skipped },
	{ "reasons", "in", DATUM_SET, event_get, RUN, &skip_words, get_reasons },
	{ "max_latency", "i", DATUM_TIME, all_runs, LARGEST, NULL, get_latency },
	{ "min_latency", "i", DATUM_TIME, all_runs, SMALLEST, NULL, get_latency },
	{ "max_runtime", "i", DATUM_TIME, all_runs, LARGEST, NULL, get_runtime },
	{ "min_runtime", "i", DATUM_TIME, all_runs, SMALLEST, NULL, get_runtime },
	{ "total_runtime", "i", DATUM_TIME, all_runs, TOTAL, NULL, get_runtime },
	{ "overlaps", "i?i", DATUM_NUMBER, run_overlaps, 0, NULL, NULL },
	{ "order", "ii*", DATUM_NUMBER, runs_order, 0, NULL, NULL },
	{ "started_after", "inin", DATUM_NUMBER, run_started_after, 0, NULL, NULL },
	{ "all", "ie", DATUM_NUMBER, each_run, 1, NULL, NULL },
	{ "any", "ie", DATUM_NUMBER, each_run, 0, NULL, NULL },
	{ "times", "ie", DATUM_NUMBER, true_runs, 0, NULL, NULL },
	{ "min", "iv", DATUM_NUMBER, run_values, 0, NULL, NULL },
	{ "median", "iv", DATUM_NUMBER, run_values, 50, NULL, NULL },
	{ "p99", "iv", DATUM_NUMBER, run_values, 99, NULL, NULL },
	{ "max", "iv", DATUM_NUMBER, run_values, 100, NULL, NULL },
	{ "mean", "iv", DATUM_NUMBER, run_values, MEAN, NULL, NULL },
	{ "peak", "q", DATUM_NUMBER, queue_peak, 0, NULL, NULL },
	{ "marks", "i", DATUM_NUMBER, event_count, MARK, NULL, NULL },
	{ "mark", "in", DATUM_NUMBER, event_get, MARK, NULL, get_value },
	{ "mark_time", "in", DATUM_MOMENT, event_get, MARK, NULL, get_start },
	{ "mark_cpu", "in", DATUM_NUMBER, event_get, MARK, NULL, get_cpu },
	{ "mark_context", "in", DATUM_SET, event_get, MARK, &context_words, get_context },
	{ "count", "ki", DATUM_NUMBER, any_event_count, 0, NULL, NULL },
	{ "event_value", "kin", DATUM_NUMBER, any_event_get, 0, NULL, get_value },
	{ "event_time", "kin", DATUM_MOMENT, any_event_get, 0, NULL, get_start },
	{ "event_cpu", "kin", DATUM_NUMBER, any_event_get, 0, NULL, get_cpu },
	{ "event_context", "kin", DATUM_SET, any_event_get, 0, &context_words, get_context },
	{ 0 },
};
