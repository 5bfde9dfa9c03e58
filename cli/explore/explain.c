// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether the model explains a log. For each item the calls are put in an order that
 * their times allow, with what happens by itself in between: a delay ends, a handler is
 * called, a program ends. If one order gives all the answers, they are explained. Times
 * are bounds from below only (a program of 40ms has not ended after 39), so a machine that
 * is busy makes the model allow more, and never less.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore/judge.h"
#include "explore/model.h"
#include "explore/search.h"
#include "base/text.h"
#include "base/words.h"

static void op_text(const struct judged *j, const struct op *op, char *buf, size_t size)
{
	char call[80], answer[48];

	if (!op->entry) {
		snprintf(buf, size, "step %s", verb_name(op->verb));
		return;
	}
	call_text(&op->entry->call, call, sizeof(call));
	answer_text(op->entry, answer, sizeof(answer));
	snprintf(buf, size, "%s = %s", call, answer);
}

static void unexplained(struct judged *j, const struct search *search,
			const struct states *before, const struct op *ops, unsigned int nr)
{
	struct verdict *v = j->verdict;
	struct text text = text_in(v->text, sizeof(v->text));
	char state[64], one[160], expected[80] = "";

	v->failed = true;
	v->item = j->item;
	v->entry = ops[nr - 1].entry ? (int)(ops[nr - 1].entry - j->play->log) : -1;
	state_text(&before->list[0], state, sizeof(state));
	if (nr == 1) {
		search_expected(search, before, ops, expected, sizeof(expected));
		op_text(j, ops, one, sizeof(one));
		text_add(&text, "x%d was %s: %s", j->item, state, one);
		if (*expected)
			text_add(&text, ", expected %s%s", expected,
				 strstr(one, expected) ? ", but not so early" : "");
	} else {
		text_add(&text, "x%d was %s: no order explains ", j->item, state);
		for (unsigned int i = 0; i < nr; i++) {
			op_text(j, &ops[i], one, sizeof(one));
			text_add(&text, "%s%s", i ? ", " : "", one);
		}
	}
	snprintf(v->kind, sizeof(v->kind), "unexplained %s %s",
		 word_name(&mech_words, judged_item(j)->mech),
		 nr == 1 ? verb_name(ops->verb) : "answers");
}

/* An answer in a state that could not change by itself before the call was over. */
static void see_one(struct judged *j, struct search *search, const struct states *states,
		    const struct op *op)
{
	char state[40], answer[24], text[BEHAVIOUR_TEXT];

	if (!op->entry || op->verb >= V_MODEL || states->nr != 1 ||
	    search_may_go_on(search, &states->list[0], op->end))
		return;
	state_text(&states->list[0], state, sizeof(state));
	answer_text(op->entry, answer, sizeof(answer));
	snprintf(text, sizeof(text), "answer\t%s\t%s\t%s\t%s",
		 word_name(&mech_words, judged_item(j)->mech), state, verb_name(op->verb), answer);
	behaviours_add(j->seen, text, 1);
}

/* Every two verbs of different threads that met. */
static void see_pairs(struct judged *j, const struct states *states, const struct op *ops,
		      unsigned int nr)
{
	char state[40], text[BEHAVIOUR_TEXT];

	state_text(&states->list[0], state, sizeof(state));
	for (unsigned int i = 0; i < nr; i++)
		for (unsigned int k = 0; k < i; k++) {
			unsigned int a = ops[i].verb, b = ops[k].verb;

			if (a >= V_MODEL || b >= V_MODEL || ops[i].end < ops[k].begin ||
			    ops[k].end < ops[i].begin)
				continue;
			snprintf(text, sizeof(text), "pair\t%s\t%s\t%s\t%s",
				 word_name(&mech_words, judged_item(j)->mech), state,
				 verb_name(a < b ? a : b), verb_name(a < b ? b : a));
			behaviours_add(j->seen, text, 1);
		}
}

/* Ops that overlap in time, from the first on. */
static unsigned int overlapping(const struct op *ops, unsigned int nr)
{
	uint64_t end = ops[0].end;
	unsigned int n = 1;

	for (; n < nr && ops[n].begin <= end; n++)
		end = later(end, ops[n].end);
	return n;
}

struct history {
	struct op ops[LOG_MAX];
	unsigned int nr;
};

/* One search after the other: the states that are possible after one begin the next. */
static void explain(struct judged *j, struct search *search, const struct history *history)
{
	struct states states = { .nr = 1 }, before;
	unsigned int nr;

	for (unsigned int at = 0; at < history->nr; at += nr) {
		const struct op *ops = &history->ops[at];

		nr = overlapping(ops, history->nr - at);
		before = states;
		if (nr > OPS || !search_run(search, ops, nr, &states)) {
			j->verdict->gave_up = true;
			return;
		}
		if (!states.nr) {
			unexplained(j, search, &before, ops, nr);
			return;
		}
		if (nr == 1)
			see_one(j, search, &before, ops);
		else
			see_pairs(j, &before, ops, nr);
	}
}

/* --- from the log to the history of an item */

static int8_t target_queue(const struct judged *j, const struct log_entry *entry)
{
	return entry->call.queue >= 0 ? entry->call.queue :
					j->plan->items[j->item].queue;
}

/* A call about this queue had begun before @entry ended; of DRAIN, and not ended before. */
static bool queue_had(const struct judged *j, const struct log_entry *entry, unsigned int verb,
		      int8_t queue)
{
	for (unsigned int i = 0; i < j->play->nr_log; i++) {
		const struct log_entry *other = &j->play->log[i];

		if (other->call.verb == verb && other->call.queue == queue &&
		    other->begin <= entry->end &&
		    (verb == V_DESTROY_QUEUE ? !other->err : other->end >= entry->begin))
			return true;
	}
	return false;
}

/* True: it is explained, or faulty, without the model. */
static bool settled_alone(struct judged *j, const struct log_entry *entry)
{
	const struct verb_call *call = &entry->call;
	bool activates = call->verb == V_QUEUE || call->verb == V_DELAY || call->verb == V_MOD;

	if (call->verb == V_WAIT_RUNNING || call->verb == V_WAIT_IDLE)
		return entry->err != 0;
	if (call->verb == V_LOOK)
		return false;
	if (call->item >= 0 && !model_has(judged_item(j)->mech, call->verb, j->machine->world)) {
		if (entry->err != EOPNOTSUPP && entry->err != ENOENT)
			judged_fault(j, entry, "this mechanism does not have this verb, expected EOPNOTSUPP");
		return true;
	}
	if (activates && entry->err == EAGAIN) {
		if (!queue_had(j, entry, V_DRAIN, target_queue(j, entry)))
			judged_fault(j, entry, "no drain was at work");
		return true;
	}
	if (activates && entry->err == ENOENT && call->queue >= 0 &&
	    queue_had(j, entry, V_DESTROY_QUEUE, call->queue))
		return true;
	if (call->item < 0 && entry->err == EAGAIN &&
	    queue_had(j, entry, V_DRAIN, call->queue))
		return true;
	/* Which item keeps a queue busy is a matter of all of them. */
	if (call->item < 0)
		return entry->err == EBUSY || entry->err == ENOENT;
	return false;
}

/* The blocker of an ordered queue: what was queued behind it starts after it. */
static uint64_t hold_of(const struct judged *j, const struct log_entry *entry)
{
	int8_t queue = target_queue(j, entry);
	uint64_t hold = 0;

	if (queue < 0 || j->plan->queues[queue] != BHLAB_WQ_ORDERED)
		return 0;
	for (unsigned int i = 0; i < j->play->nr_log; i++) {
		const struct log_entry *other = &j->play->log[i];
		const struct plan_item *item;

		if (other->call.item < 0 || other->call.item == j->item ||
		    other->call.verb != V_QUEUE || other->err ||
		    other->result != BHLAB_RESULT_QUEUED || other->end > entry->begin)
			continue;
		item = &j->plan->items[other->call.item];
		if (item->queue == queue)
			hold = later(hold, other->begin + program_ns(item->steps, item->nr_steps));
	}
	return hold;
}

static int by_begin(const void *a, const void *b)
{
	const struct op *x = a, *y = b;

	return (x->begin > y->begin) - (x->begin < y->begin);
}

static void add_calls(struct judged *j, struct history *history)
{
	for (unsigned int i = 0; i < j->play->nr_log && !j->verdict->failed; i++) {
		const struct log_entry *entry = &j->play->log[i];
		const struct verb_call *call = &entry->call;

		if (call->item != j->item && !(call->item < 0 && judged_item(j)->queue >= 0))
			continue;
		if (settled_alone(j, entry))
			continue;
		history->ops[history->nr++] = (struct op){
			.entry = entry, .verb = call->verb, .queue = call->queue, .cpu = call->cpu,
			.begin = entry->begin, .end = entry->end, .ns = call->ns,
			.hold = hold_of(j, entry),
		};
	}
}

static unsigned int verb_of_step(uint32_t op)
{
	return op == BHLAB_OP_CANCEL ? V_CANCEL : op == BHLAB_OP_DELAY ? V_DELAY :
	       op == BHLAB_OP_TRIGGER ? V_TRIGGER : V_QUEUE;
}

/* Each run of an item whose steps name this one. */
static void add_steps(struct judged *j, struct history *history)
{
	for (size_t i = 0; i < j->play->nr_records; i++) {
		const struct bhlab_event *record = &j->play->records[i];
		const struct plan_item *item;

		if (record->kind != BHLAB_EVENT_RUN || record->cookie >= j->plan->nr_items)
			continue;
		item = &j->plan->items[record->cookie];
		for (unsigned int s = 0; s < item->nr_steps; s++) {
			const struct bhlab_step *step = &item->steps[s];

			if (step->target != (uint32_t)j->item + 1 || history->nr == LOG_MAX)
				continue;
			history->ops[history->nr++] = (struct op){
				.verb = verb_of_step(step->op), .queue = -1, .cpu = -1,
				.begin = record->started_ns, .end = record->finished_ns,
				.ns = step->op == BHLAB_OP_DELAY ? step->arg : 0,
			};
		}
	}
}

/* Steps are skipped when the budget is spent: then its runs are shorter. */
static uint64_t shortest_run(const struct judged *j)
{
	uint64_t ns = program_ns(judged_item(j)->steps, judged_item(j)->nr_steps);

	if (j->play->lost)
		return 0;
	for (size_t i = 0; i < j->play->nr_records; i++) {
		const struct bhlab_event *record = &j->play->records[i];
		uint64_t took = record->finished_ns - record->started_ns;

		if (record->kind == BHLAB_EVENT_RUN && record->cookie == (uint64_t)j->item &&
		    record->skipped && took < ns)
			ns = took;
	}
	return ns;
}

void explain_item(struct judged *j)
{
	struct search *search = search_new(judged_item(j), shortest_run(j), j->machine->world);
	struct history *history = calloc(1, sizeof(*history));

	if (!history)
		no_memory();
	add_calls(j, history);
	add_steps(j, history);
	qsort(history->ops, history->nr, sizeof(history->ops[0]), by_begin);
	if (!j->verdict->failed)
		explain(j, search, history);
	free(history);
	search_free(search);
}
