// SPDX-License-Identifier: GPL-2.0-only
/* latency: what was measured, as a document. */
#include <json.h>

#include "command/command.h"
#include "latency/latency.h"
#include "base/out.h"
#include "base/words.h"

const char *const metric_names[METRICS] = {
	[QUEUE_TO_START] = "queue-to-start",
	[RUN_TIME] = "run-time",
	[TRIGGER_TO_THREAD] = "trigger-to-thread",
};

/* --- do the counters add up? */

/* @thread: of the thread of an irq, else of the program that is activated. */
static uint64_t recorded(const struct latency *l, const struct target *target, bool thread,
			 uint64_t *lost)
{
	uint64_t nr = 0;

	*lost = 0;
	for (size_t i = 0; i < l->nr_cpus; i++) {
		const struct series *s = &target->series[i];

		nr += s->hists[thread ? TRIGGER_TO_THREAD : QUEUE_TO_START]->nr;
		*lost += thread ? s->thread_lost : s->lost;
	}
	return nr;
}

static bool adds_up(const struct latency *l, const struct target *target)
{
	const struct bhlab_item_state *state = &target->state;
	uint64_t lost, seen = recorded(l, target, false, &lost), open = target == l->stuck;

	if (state->out_accepted - seen - lost > open)
		return false;
	if (!target->mech->out_thread_steps)
		return true;
	seen = recorded(l, target, true, &lost);
	return state->out_thread_wakes - seen - lost <= open;
}

bool latency_adds_up(const struct latency *l)
{
	for (size_t i = 0; i < l->nr_targets; i++)
		if (!adds_up(l, &l->targets[i]))
			return false;
	return true;
}

/* --- the document */

static json_object *row_json(const struct target *target, unsigned int cpu,
			     const struct series *series, enum metric metric)
{
	const struct hist *hist = series->hists[metric];
	json_object *row = json_object_new_object();

	json_add_text(row, "mechanism", target->name);
	json_add_number(row, "cpu", cpu);
	json_add_text(row, "metric", metric_names[metric]);
	json_add_number(row, "count", hist->nr);
	json_add_number(row, "lost",
			metric == TRIGGER_TO_THREAD ? series->thread_lost : series->lost);
	hist_json(row, hist, HIST_TO_P999);
	return row;
}

static json_object *rows_json(const struct latency *l)
{
	json_object *rows = json_object_new_array();

	for (size_t i = 0; i < l->nr_targets; i++)
		for (size_t cpu = 0; cpu < l->nr_cpus; cpu++)
			for (int metric = 0; metric < METRICS; metric++)
				if (l->targets[i].series[cpu].hists[metric])
					json_object_array_add(
						rows, row_json(&l->targets[i], l->cpus[cpu],
							       &l->targets[i].series[cpu], metric));
	return rows;
}

static json_object *counters_json(const struct latency *l)
{
	json_object *all = json_object_new_array();

	for (size_t i = 0; i < l->nr_targets; i++) {
		const struct target *target = &l->targets[i];
		json_object *row = json_object_new_object();
		uint64_t lost, seen = recorded(l, target, false, &lost);

		json_add_text(row, "mechanism", target->name);
		json_add_number(row, "accepted", target->state.out_accepted);
		json_add_number(row, "recorded", seen);
		json_add_number(row, "lost", lost);
		json_add_number(row, "skipped_steps", target->skipped);
		json_add_bool(row, "adds_up", adds_up(l, target));
		json_object_array_add(all, row);
	}
	return all;
}

static json_object *excess_json(const struct latency *l)
{
	const struct excess *x = &l->excess;
	json_object *doc;

	if (!x->target)
		return NULL;
	doc = json_object_new_object();
	json_add_text(doc, "mechanism", x->target->name);
	json_add_number(doc, "cpu", x->cpu);
	json_add_text(doc, "metric", metric_names[x->metric]);
	json_add_number(doc, "value_ns", x->ns);
	json_add_number(doc, "threshold_ns", l->threshold_ns);
	json_add_number(doc, "time_ns", x->at_ns);
	return doc;
}

static json_object *load_json(const struct latency *l)
{
	json_object *doc;

	if (!l->load)
		return NULL;
	doc = json_object_new_object();
	json_add_text(doc, "load", arg_typed(l->call, "--load"));
	json_add_number(doc, "runs", l->load_state.out_runs);
	json_add_number(doc, "skipped_steps", l->load_state.out_skipped);
	return doc;
}

/* --- the histogram, as columns of counts */

static json_object *column_json(const struct latency *l, const struct target *target, size_t cpu,
				enum metric metric)
{
	const struct hist *hist = target->series[cpu].hists[metric];
	json_object *column = json_object_new_object(), *counts = json_object_new_array();

	json_add_text(column, "mechanism", target->name);
	json_add_number(column, "cpu", l->cpus[cpu]);
	json_add_text(column, "metric", metric_names[metric]);
	for (size_t i = 0; i <= hist->entries; i++)
		json_object_array_add(counts, json_object_new_uint64(hist->equal[i]));
	json_add(column, "counts", counts);
	json_add_number(column, "count", hist->nr);
	json_add_number(column, "min_ns", hist->nr ? hist->min : 0);
	json_add_number(column, "avg_ns", hist_average(hist));
	json_add_number(column, "max_ns", hist->max);
	return column;
}

static json_object *histogram_json(const struct latency *l)
{
	const struct hist *any = l->targets[0].series[0].hists[QUEUE_TO_START];
	json_object *doc, *columns;

	if (!any->entries)
		return NULL;
	doc = json_object_new_object();
	columns = json_object_new_array();
	for (size_t i = 0; i < l->nr_targets; i++)
		for (size_t cpu = 0; cpu < l->nr_cpus; cpu++)
			for (int metric = 0; metric < METRICS; metric++)
				if (metric != RUN_TIME && l->targets[i].series[cpu].hists[metric])
					json_object_array_add(columns,
							      column_json(l, &l->targets[i], cpu,
									  metric));
	json_add_number(doc, "bucket_ns", any->width);
	json_add_number(doc, "entries", any->entries);
	json_add(doc, "columns", columns);
	return doc;
}

/* Where it ended, since what was queued there has not run. */
static json_object *stuck_json(const struct latency *l)
{
	json_object *doc;

	if (!l->stuck)
		return NULL;
	doc = json_object_new_object();
	json_add_text(doc, "mechanism", l->stuck->name);
	json_add_number(doc, "cpu", l->current.cpu);
	return doc;
}

json_object *latency_doc(const struct latency *l)
{
	json_object *doc = json_object_new_object();

	json_add_text(doc, "from", word_name(&from_words, l->from));
	json_add_number(doc, "interval_ns", l->interval_ns);
	json_add_number(doc, "rounds", l->rounds);
	json_add_number(doc, "took_ns", l->took_ns);
	json_add_bool(doc, "interrupted", l->interrupted);
	json_add(doc, "threshold", excess_json(l));
	json_add(doc, "not_run", stuck_json(l));
	json_add(doc, "load", load_json(l));
	json_add_number(doc, "records_lost", l->lost);
	json_add(doc, "latencies", rows_json(l));
	json_add(doc, "counters", counters_json(l));
	json_add(doc, "histogram", histogram_json(l));
	return doc;
}
