// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether the model explains a log. For each item the calls are put in an order that
 * their times allow, with what happens by itself in between: a delay ends, a handler is
 * called, a program ends. If one order gives all the answers, they are explained. Times
 * are bounds from below only (a program of 40ms has not ended after 39), so a machine that
 * is busy makes the model allow more, and never less.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore/behaviours.h"
#include "explore/explore.h"
#include "explore/model.h"
#include "base/text.h"
#include "base/words.h"

#define ACTIVATIONS	6
#define OPS		16
#define NODES		20000
#define STATES		256

/* Where an activation is. Between STARTING and ENDING the kernel has called the handler. */
enum step_of_life {
	DELAYED, PENDING, STARTING, RUNNING, ENDING,
};

struct activation {
	uint8_t where;
	int8_t queue;
	bool left_behind;	/* it was queued elsewhere since: the kernel looks there only */
	uint8_t zero;
	uint32_t waiters;	/* ops that end after it */
	uint64_t at;		/* no earlier does it go on: is due, starts, ends */
	uint64_t hold;		/* delayed: nor does it start earlier than this */
};

struct state {
	uint8_t nr, depth;
	bool gone;
	uint8_t zero[5];
	struct activation list[ACTIVATIONS];
};

/* A call as one item sees it; or a step, whose answer nobody knows. */
struct op {
	const struct log_entry *entry;	/* NULL: a step */
	unsigned int verb;
	int8_t queue;
	uint64_t begin, end, ns;
	uint64_t hold;		/* what it activates cannot start earlier */
};

struct node {
	uint32_t effects, completions;
	struct state state;
};

/* The search among the ops that overlap in time. */
struct search {
	const struct plan_item *item;
	const struct chapter *chapter;
	const struct row *rows;
	size_t nr_rows;
	uint64_t program_ns;
	const struct op *ops;
	unsigned int nr_ops;
	struct node *nodes;
	size_t nr_nodes;
	uint32_t *table;	/* of node numbers + 1 */
	bool full;
};

#define TABLE_SIZE 65536

/* --- nodes */

static uint32_t hash(const void *data, size_t size)
{
	const unsigned char *byte = data;
	uint32_t h = 2166136261U;

	while (size--)
		h = (h ^ *byte++) * 16777619U;
	return h;
}

static void add_node(struct search *s, const struct node *node)
{
	uint32_t at = hash(node, sizeof(*node)) % TABLE_SIZE;

	for (; s->table[at]; at = (at + 1) % TABLE_SIZE)
		if (!memcmp(&s->nodes[s->table[at] - 1], node, sizeof(*node)))
			return;
	if (s->nr_nodes == NODES) {
		s->full = true;
		return;
	}
	s->nodes[s->nr_nodes++] = *node;
	s->table[at] = s->nr_nodes;
}

static uint64_t node_limit(const struct search *s, const struct node *node)
{
	uint64_t limit = UINT64_MAX;

	for (unsigned int i = 0; i < s->nr_ops; i++)
		if (!(node->completions & 1U << i) && s->ops[i].end < limit)
			limit = s->ops[i].end;
	return limit;
}

/* --- states */

static bool at_work(const struct activation *a)
{
	return a->where >= STARTING;
}

static void drop(struct state *state, unsigned int i)
{
	memmove(&state->list[i], &state->list[i + 1],
		(state->nr - i - 1) * sizeof(state->list[0]));
	state->nr--;
	memset(&state->list[state->nr], 0, sizeof(state->list[0]));
}

static struct activation *append(struct search *s, struct state *state)
{
	if (state->nr == ACTIVATIONS) {
		s->full = true;
		return NULL;
	}
	return &state->list[state->nr++];
}

static uint32_t state_bits(const struct state *state)
{
	uint32_t bits = state->depth ? WHEN_OFF : 0;

	if (state->gone)
		bits |= WHEN_GONE;
	for (unsigned int i = 0; i < state->nr; i++)
		bits |= state->list[i].where == DELAYED ? WHEN_DELAYED | WHEN_QUEUED :
			state->list[i].where == PENDING ? WHEN_PENDING | WHEN_QUEUED : WHEN_RUNNING;
	return bits;
}

static bool any_in(const struct state *state, unsigned int where)
{
	for (unsigned int i = 0; i < state->nr; i++)
		if (state->list[i].where == where)
			return true;
	return false;
}

static void state_text(const struct state *state, char *buf, size_t size)
{
	struct text text = text_in(buf, size);
	uint32_t bits = state_bits(state);

	text_add(&text, "%s", bits & WHEN_GONE ? "gone" : "");
	if (bits & WHEN_OFF)
		text_add(&text, "%sdisabled", *buf ? "+" : "");
	if (bits & WHEN_RUNNING)
		text_add(&text, "%srunning", *buf ? "+" : "");
	if (bits & WHEN_DELAYED)
		text_add(&text, "%sdelayed", *buf ? "+" : "");
	if (bits & WHEN_PENDING)
		text_add(&text, "%spending", *buf ? "+" : "");
	if (!*buf)
		text_add(&text, "idle");
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* --- what happens by itself */

static bool may_start(const struct search *s, const struct state *state,
		      const struct activation *a)
{
	if (state->depth && s->chapter->held_when_off)
		return false;
	for (unsigned int i = 0; i < state->nr; i++) {
		const struct activation *other = &state->list[i];

		if (!at_work(other) || s->chapter->overlap == OVERLAP_ALWAYS)
			continue;
		if (s->chapter->overlap == OVERLAP_NEVER ||
		    (other->queue == a->queue && !other->left_behind))
			return false;
	}
	return true;
}

/* It has ended; what waits behind it did not start before. */
static void end_activation(struct state *state, unsigned int i, const struct search *s)
{
	struct activation ended = state->list[i];

	drop(state, i);
	if (s->chapter->overlap == OVERLAP_ALWAYS)
		return;
	for (unsigned int k = 0; k < state->nr; k++) {
		struct activation *other = &state->list[k];

		if (other->where == PENDING && other->at < ended.at &&
		    (s->chapter->overlap == OVERLAP_NEVER ||
		     (other->queue == ended.queue && !ended.left_behind)))
			other->at = ended.at;
	}
}

/* Another one that may swallow number @i. */
static bool may_be_lost(const struct search *s, const struct state *state, unsigned int i)
{
	if (!s->chapter->merges)
		return false;
	for (unsigned int k = 0; k < state->nr; k++)
		if (k != i && state->list[k].where != DELAYED)
			return true;
	return false;
}

/* The states after number @i has gone on; true if there is one. */
static bool go_on(struct search *s, const struct node *node, unsigned int i, uint64_t limit,
		  bool add)
{
	const struct activation *a = &node->state.list[i];
	struct node next = *node;
	struct activation *then = &next.state.list[i];

	if (a->where == PENDING && may_be_lost(s, &node->state, i) && add) {
		struct node lost = *node;

		drop(&lost.state, i);
		add_node(s, &lost);
	}
	switch (a->where) {
	case DELAYED:
		if (a->at > limit)
			return false;
		then->where = PENDING;
		then->at = later(a->at, a->hold);
		then->hold = 0;
		break;
	case PENDING:
		if (a->at > limit || !may_start(s, &node->state, a))
			return false;
		then->where = STARTING;
		break;
	case STARTING:
		then->where = RUNNING;
		then->at += node->state.gone ? 0 : s->program_ns;
		break;
	case RUNNING:
		if (a->at > limit)
			return false;
		then->where = ENDING;
		break;
	default:
		end_activation(&next.state, i, s);
	}
	if (add)
		add_node(s, &next);
	return true;
}

/* --- verbs */

static bool answers(const struct row *row, const struct op *op)
{
	const struct log_entry *entry = op->entry;

	if (!entry)
		return true;
	if (row->err)
		return entry->err == row->err;
	if (entry->err)
		return false;
	return row->success || entry->result == row->result;
}

/* "a handler was running" is right. */
static bool waited_is_right(const struct node *node, const struct op *op)
{
	bool waited;

	if (!op->entry || op->entry->err ||
	    (op->verb != V_CANCEL_SYNC && op->verb != V_DISABLE_SYNC))
		return true;
	waited = op->entry->flags & BHLAB_OUT_WAITED;
	if (any_in(&node->state, RUNNING))
		return waited;
	return !waited || state_bits(&node->state) & WHEN_RUNNING;
}

static bool depth_is_right(const struct node *node, const struct op *op)
{
	if (!op->entry || op->entry->err ||
	    (op->verb != V_DISABLE && op->verb != V_DISABLE_SYNC && op->verb != V_ENABLE))
		return true;
	return op->entry->depth == node->state.depth;
}

static int8_t op_queue(const struct search *s, const struct op *op)
{
	return op->queue >= 0 ? op->queue : s->item->queue;
}

/* The kernel looks for a running handler where the item was last: so __queue_work(). */
static void leave_behind(struct state *state, int8_t queue)
{
	for (unsigned int i = 0; i < state->nr; i++)
		if (at_work(&state->list[i]) && state->list[i].queue != queue)
			state->list[i].left_behind = true;
}

static void activate(struct search *s, struct state *state, const struct op *op,
		     const struct row *row)
{
	struct activation *a;

	leave_behind(state, op_queue(s, op));
	a = append(s, state);
	if (!a)
		return;
	a->queue = op_queue(s, op);
	if (row->then & THEN_DELAYED) {
		a->where = DELAYED;
		a->at = op->begin + op->ns;
		a->hold = op->hold;
	} else {
		a->where = PENDING;
		a->at = later(op->begin, op->hold);
	}
}

/*
 * What a flush waits for is taken away, and with it the barrier that the kernel has put
 * behind it; it waits for nothing else then. A queue is flushed otherwise.
 */
static void release_flush(const struct search *s, struct state *state, uint32_t waiters)
{
	for (unsigned int i = 0; i < s->nr_ops; i++)
		if (s->ops[i].verb != V_FLUSH)
			waiters &= ~(1U << i);
	for (unsigned int i = 0; i < state->nr; i++)
		state->list[i].waiters &= ~waiters;
}

static void each_activation(struct search *s, struct state *state, const struct op *op,
			    unsigned int nr, const struct row *row)
{
	bool of_queue = op->verb == V_DRAIN || op->verb == V_FLUSH_QUEUE;

	for (unsigned int i = 0; i < state->nr; i++) {
		struct activation *a = &state->list[i];

		if (row->then & (THEN_CANCEL | THEN_RESTART) && a->where <= PENDING)
			release_flush(s, state, a->waiters);
		if (row->then & THEN_CANCEL && a->where <= PENDING) {
			drop(state, i--);
			continue;
		}
		if (row->then & THEN_RESTART && a->where <= PENDING) {
			a->where = DELAYED;
			a->queue = op_queue(s, op);
			a->at = op->begin + op->ns;
			a->hold = op->hold;
			leave_behind(state, a->queue);
		}
		if (row->then & THEN_FIRE && a->where == DELAYED) {
			a->where = PENDING;
			a->at = later(op->begin, a->hold);
			a->hold = 0;
		}
		if (of_queue && (a->queue != op->queue ||
				 (op->verb == V_FLUSH_QUEUE && a->where == DELAYED)))
			continue;
		if (row->then & THEN_WAIT || (row->then & THEN_WAIT_RUNNING && at_work(a)))
			a->waiters |= 1U << nr;
	}
}

static bool queue_is_empty(const struct state *state, int8_t queue)
{
	for (unsigned int i = 0; i < state->nr; i++)
		if (state->list[i].queue == queue && state->list[i].where != ENDING)
			return false;
	return true;
}

/* Destroyed: spins and sleeps end early. */
static void end_early(struct state *state, uint64_t ns)
{
	state->gone = true;
	for (unsigned int i = 0; i < state->nr; i++)
		if (state->list[i].where == RUNNING && state->list[i].at > ns)
			state->list[i].at = ns;
}

static void take_effect(struct search *s, const struct node *node, unsigned int nr,
			const struct row *row)
{
	const struct op *op = &s->ops[nr];
	struct node next = *node;

	if (op->verb == V_DESTROY_QUEUE && !queue_is_empty(&node->state, op->queue))
		return;
	each_activation(s, &next.state, op, nr, row);
	if (row->then & (THEN_PENDING | THEN_DELAYED))
		activate(s, &next.state, op, row);
	if (row->then & THEN_OFF)
		next.state.depth++;
	if (row->then & THEN_ON)
		next.state.depth--;
	if (row->then & THEN_GONE)
		end_early(&next.state, op->begin);
	next.effects |= 1U << nr;
	if (!(row->then & (THEN_WAIT | THEN_WAIT_RUNNING)))
		next.completions |= 1U << nr;
	if (waited_is_right(node, op) && depth_is_right(&next, op))
		add_node(s, &next);
}

static bool look_is_right(const struct state *state, const struct log_entry *entry)
{
	uint32_t bits = entry->state & ~BHLAB_STATE_PERIODIC, is = 0;

	if (state->gone || entry->err)
		return state->gone && entry->err == ENOENT;
	for (unsigned int i = 0; i < state->nr; i++)
		is |= state->list[i].where == DELAYED ?
			      BHLAB_STATE_PENDING | BHLAB_STATE_DELAYED :
		      state->list[i].where <= STARTING ? BHLAB_STATE_PENDING :
		      state->list[i].where == RUNNING ? BHLAB_STATE_RUNNING : 0;
	if (state->depth)
		is |= BHLAB_STATE_DISABLED;
	return bits == is && entry->depth == state->depth;
}

/* What is asked and changes nothing. */
static bool question_is_right(const struct state *state, const struct op *op)
{
	switch (op->verb) {
	case V_LOOK:
		return look_is_right(state, op->entry);
	case V_WAIT_RUNNING:
		return any_in(state, RUNNING);
	default:
		return !any_in(state, DELAYED) && !any_in(state, PENDING) &&
		       !any_in(state, STARTING) && !any_in(state, RUNNING);
	}
}

/* WHEN_SYNCING, WHEN_DYING: calls that have taken effect, and wait. */
static uint32_t waiting_bits(const struct search *s, const struct node *node)
{
	uint32_t bits = 0;

	for (unsigned int i = 0; i < s->nr_ops; i++) {
		if (!(node->effects & ~node->completions & 1U << i))
			continue;
		if (s->ops[i].verb == V_CANCEL_SYNC || s->ops[i].verb == V_DISABLE_SYNC)
			bits |= WHEN_SYNCING;
		if (s->ops[i].verb == V_DESTROY)
			bits |= WHEN_DYING;
	}
	return bits;
}

static void try_op(struct search *s, const struct node *node, unsigned int nr, unsigned int world)
{
	const struct op *op = &s->ops[nr];
	uint32_t bits = state_bits(&node->state) | world << WHEN_WORLD | waiting_bits(s, node);
	struct node next = *node;

	next.effects |= 1U << nr;
	next.completions |= 1U << nr;
	if (op->verb >= V_MODEL) {
		if (question_is_right(&node->state, op))
			add_node(s, &next);
		return;
	}
	if (!op->entry)
		add_node(s, &next);
	for (size_t i = 0; i < s->nr_rows; i++) {
		const struct row *row = &s->rows[i];

		if (row->verbs & 1U << op->verb && (row->when & bits) == row->when &&
		    !(row->when_not & bits) && answers(row, op))
			take_effect(s, node, nr, row);
	}
}

/* A call that has waited returns. */
static void complete(struct search *s, const struct node *node, unsigned int nr)
{
	const struct op *op = &s->ops[nr];
	struct node next = *node;

	for (unsigned int i = 0; i < node->state.nr; i++)
		if (node->state.list[i].waiters & 1U << nr)
			return;
	next.completions |= 1U << nr;
	if (op->verb != V_CANCEL_SYNC || !s->chapter->cancels_late || !op->entry) {
		add_node(s, &next);
		return;
	}
	if (op->entry->result == BHLAB_RESULT_IDLE && state_bits(&node->state) & WHEN_QUEUED)
		return;
	for (unsigned int i = 0; i < next.state.nr; i++) {
		if (next.state.list[i].where > PENDING)
			continue;
		release_flush(s, &next.state, next.state.list[i].waiters);
		drop(&next.state, i--);
	}
	add_node(s, &next);
}

static void expand(struct search *s, size_t at, unsigned int world)
{
	struct node node = s->nodes[at];
	uint64_t limit = node_limit(s, &node);

	for (unsigned int i = 0; i < node.state.nr; i++)
		go_on(s, &node, i, limit, true);
	for (unsigned int i = 0; i < s->nr_ops; i++) {
		if (!(node.effects & 1U << i) && s->ops[i].begin <= limit)
			try_op(s, &node, i, world);
		else if (node.effects & ~node.completions & 1U << i)
			complete(s, &node, i);
	}
}

/* --- a chain of searches: the states that are possible after each */

struct history {
	struct op ops[LOG_MAX];
	unsigned int nr;
};

struct chain {
	const struct plan *plan;
	const struct machine *machine;
	const struct play *play;
	struct behaviours *seen;
	struct verdict *verdict;
	int item;
	struct search search;
	struct state *states;
	size_t nr_states;
};

/* Ops are forgotten at the end of a search, and so is who waits for what. */
static void keep_state(struct chain *c, const struct state *state)
{
	struct state kept = *state;

	for (unsigned int i = 0; i < kept.nr; i++)
		kept.list[i].waiters = 0;
	for (size_t i = 0; i < c->nr_states; i++)
		if (!memcmp(&c->states[i], &kept, sizeof(kept)))
			return;
	if (c->nr_states == STATES)
		c->search.full = true;
	else
		c->states[c->nr_states++] = kept;
}

static void run_search(struct chain *c, const struct op *ops, unsigned int nr)
{
	struct search *s = &c->search;
	uint32_t all = (1U << nr) - 1;

	s->ops = ops;
	s->nr_ops = nr;
	s->nr_nodes = 0;
	memset(s->table, 0, TABLE_SIZE * sizeof(*s->table));
	for (size_t i = 0; i < c->nr_states; i++) {
		struct node node;

		memset(&node, 0, sizeof(node));
		node.state = c->states[i];
		add_node(s, &node);
	}
	c->nr_states = 0;
	for (size_t at = 0; at < s->nr_nodes && !s->full; at++) {
		if (s->nodes[at].completions == all)
			keep_state(c, &s->nodes[at].state);
		else
			expand(s, at, c->machine->world);
	}
}

static void op_text(const struct chain *c, const struct op *op, char *buf, size_t size)
{
	char call[80], answer[48];

	if (!op->entry) {
		snprintf(buf, size, "step %s", verb_name(op->verb));
		return;
	}
	call_text(c->plan, &op->entry->call, call, sizeof(call));
	answer_text(op->entry, answer, sizeof(answer));
	snprintf(buf, size, "%s = %s", call, answer);
}

/* The answers that the model has for a verb in these states. */
static void expected_text(struct chain *c, const struct state *states, size_t nr,
			  const struct op *op, char *buf, size_t size)
{
	struct text text = text_in(buf, size);

	if (op->verb >= V_MODEL)
		return;
	for (size_t i = 0; i < c->search.nr_rows; i++) {
		const struct row *row = &c->search.rows[i];
		const char *word = row->success ? "success" :
				   row->err ? strerrorname_np(row->err) :
					      word_name(&result_words, row->result);
		bool fits = false;

		for (size_t k = 0; k < nr; k++) {
			uint32_t bits = state_bits(&states[k]) |
					c->machine->world << WHEN_WORLD;

			fits = fits || ((row->when & bits) == row->when && !(row->when_not & bits));
		}
		if (row->verbs & 1U << op->verb && fits && !strstr(buf, word))
			text_join(&text, " or ", word);
	}
}

static void unexplained(struct chain *c, const struct state *before, size_t nr_before,
			const struct op *ops, unsigned int nr)
{
	struct verdict *v = c->verdict;
	struct text text = text_in(v->text, sizeof(v->text));
	char state[64], one[160], expected[80] = "";

	v->failed = true;
	v->item = c->item;
	v->entry = ops[nr - 1].entry ? (int)(ops[nr - 1].entry - c->play->log) : -1;
	state_text(&before[0], state, sizeof(state));
	if (nr == 1) {
		expected_text(c, before, nr_before, ops, expected, sizeof(expected));
		op_text(c, ops, one, sizeof(one));
		text_add(&text, "x%d was %s: %s", c->item, state, one);
		if (*expected)
			text_add(&text, ", expected %s%s", expected,
				 strstr(one, expected) ? ", but not so early" : "");
	} else {
		text_add(&text, "x%d was %s: no order explains ", c->item, state);
		for (unsigned int i = 0; i < nr; i++) {
			op_text(c, &ops[i], one, sizeof(one));
			text_add(&text, "%s%s", i ? ", " : "", one);
		}
	}
	snprintf(v->kind, sizeof(v->kind), "unexplained %s %s",
		 word_name(&mech_words, c->search.item->mech),
		 nr == 1 ? verb_name(ops->verb) : "answers");
}

/* The one state there was could not change by itself before the call was over. */
static bool was_held(struct chain *c, const struct state *states, size_t nr, const struct op *op)
{
	struct node node = { .state = states[0] };

	for (unsigned int i = 0; i < node.state.nr; i++)
		if (node.state.list[i].where == ENDING || node.state.list[i].where == STARTING ||
		    go_on(&c->search, &node, i, op->end, false))
			return false;
	return nr == 1;
}

static void see_one(struct chain *c, const struct state *states, size_t nr, const struct op *op)
{
	char state[40], answer[24], text[BEHAVIOUR_TEXT];

	if (!op->entry || op->verb >= V_MODEL || !was_held(c, states, nr, op))
		return;
	state_text(states, state, sizeof(state));
	answer_text(op->entry, answer, sizeof(answer));
	snprintf(text, sizeof(text), "answer\t%s\t%s\t%s\t%s",
		 word_name(&mech_words, c->search.item->mech), state, verb_name(op->verb), answer);
	behaviours_add(c->seen, text, 1);
}

/* Every two verbs of different threads that met. */
static void see_pairs(struct chain *c, const struct state *states, const struct op *ops,
		      unsigned int nr)
{
	char state[40], text[BEHAVIOUR_TEXT];

	state_text(states, state, sizeof(state));
	for (unsigned int i = 0; i < nr; i++)
		for (unsigned int k = 0; k < i; k++) {
			unsigned int a = ops[i].verb, b = ops[k].verb;

			if (a >= V_MODEL || b >= V_MODEL || ops[i].end < ops[k].begin ||
			    ops[k].end < ops[i].begin)
				continue;
			snprintf(text, sizeof(text), "pair\t%s\t%s\t%s\t%s",
				 word_name(&mech_words, c->search.item->mech), state,
				 verb_name(a < b ? a : b), verb_name(a < b ? b : a));
			behaviours_add(c->seen, text, 1);
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

static void explain(struct chain *c, const struct history *history)
{
	struct state before[STATES];
	unsigned int nr;

	for (unsigned int at = 0; at < history->nr; at += nr) {
		const struct op *ops = &history->ops[at];
		size_t nr_before = c->nr_states;

		nr = overlapping(ops, history->nr - at);
		if (nr > OPS) {
			c->verdict->gave_up = true;
			return;
		}
		memcpy(before, c->states, nr_before * sizeof(before[0]));
		run_search(c, ops, nr);
		if (c->search.full) {
			c->verdict->gave_up = true;
			return;
		}
		if (!c->nr_states) {
			unexplained(c, before, nr_before, ops, nr);
			return;
		}
		if (nr == 1)
			see_one(c, before, nr_before, ops);
		else
			see_pairs(c, before, ops, nr);
	}
}

/* --- from the log to the history of an item */

static void fault(struct chain *c, const struct log_entry *entry, const char *what)
{
	struct verdict *v = c->verdict;
	char call[80], answer[48];

	call_text(c->plan, &entry->call, call, sizeof(call));
	answer_text(entry, answer, sizeof(answer));
	v->failed = true;
	v->item = c->item;
	v->entry = (int)(entry - c->play->log);
	snprintf(v->kind, sizeof(v->kind), "%s %s", what, verb_name(entry->call.verb));
	snprintf(v->text, sizeof(v->text), "%s = %s: %s", call, answer, what);
}

static int8_t target_queue(const struct chain *c, const struct log_entry *entry)
{
	return entry->call.queue >= 0 ? entry->call.queue :
					c->plan->items[c->item].queue;
}

/* A call about this queue had begun before @entry ended; of DRAIN, and not ended before. */
static bool queue_had(const struct chain *c, const struct log_entry *entry, unsigned int verb,
		      int8_t queue)
{
	for (unsigned int i = 0; i < c->play->nr_log; i++) {
		const struct log_entry *other = &c->play->log[i];

		if (other->call.verb == verb && other->call.queue == queue &&
		    other->begin <= entry->end &&
		    (verb == V_DESTROY_QUEUE ? !other->err : other->end >= entry->begin))
			return true;
	}
	return false;
}

/* True: it is explained, or faulty, without the model. */
static bool settled_alone(struct chain *c, const struct log_entry *entry)
{
	const struct verb_call *call = &entry->call;
	bool activates = call->verb == V_QUEUE || call->verb == V_DELAY || call->verb == V_MOD;

	if (call->verb == V_WAIT_RUNNING || call->verb == V_WAIT_IDLE)
		return entry->err != 0;
	if (call->verb == V_LOOK)
		return false;
	if (call->item >= 0 && !model_has(c->search.item->mech, call->verb, c->machine->world)) {
		if (entry->err != EOPNOTSUPP && entry->err != ENOENT)
			fault(c, entry, "this mechanism does not have this verb, expected EOPNOTSUPP");
		return true;
	}
	if (activates && entry->err == EAGAIN) {
		if (!queue_had(c, entry, V_DRAIN, target_queue(c, entry)))
			fault(c, entry, "no drain was at work");
		return true;
	}
	if (activates && entry->err == ENOENT && call->queue >= 0 &&
	    queue_had(c, entry, V_DESTROY_QUEUE, call->queue))
		return true;
	if (call->item < 0 && entry->err == EAGAIN &&
	    queue_had(c, entry, V_DRAIN, call->queue))
		return true;
	/* Which item keeps a queue busy is a matter of all of them. */
	if (call->item < 0)
		return entry->err == EBUSY || entry->err == ENOENT;
	return false;
}

/* The blocker of an ordered queue: what was queued behind it starts after it. */
static uint64_t hold_of(const struct chain *c, const struct log_entry *entry)
{
	int8_t queue = target_queue(c, entry);
	uint64_t hold = 0;

	if (queue < 0 || c->plan->queues[queue] != BHLAB_WQ_ORDERED)
		return 0;
	for (unsigned int i = 0; i < c->play->nr_log; i++) {
		const struct log_entry *other = &c->play->log[i];
		const struct plan_item *item;

		if (other->call.item < 0 || other->call.item == c->item ||
		    other->call.verb != V_QUEUE || other->err ||
		    other->result != BHLAB_RESULT_QUEUED || other->end > entry->begin)
			continue;
		item = &c->plan->items[other->call.item];
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

static void add_calls(struct chain *c, struct history *history)
{
	for (unsigned int i = 0; i < c->play->nr_log && !c->verdict->failed; i++) {
		const struct log_entry *entry = &c->play->log[i];
		const struct verb_call *call = &entry->call;

		if (call->item != c->item && !(call->item < 0 && c->search.item->queue >= 0))
			continue;
		if (settled_alone(c, entry))
			continue;
		history->ops[history->nr++] = (struct op){
			.entry = entry, .verb = call->verb, .queue = call->queue,
			.begin = entry->begin, .end = entry->end, .ns = call->ns,
			.hold = hold_of(c, entry),
		};
	}
}

static unsigned int verb_of_step(uint32_t op)
{
	return op == BHLAB_OP_CANCEL ? V_CANCEL : op == BHLAB_OP_DELAY ? V_DELAY :
	       op == BHLAB_OP_TRIGGER ? V_TRIGGER : V_QUEUE;
}

/* Each run of an item whose steps name this one. */
static void add_steps(struct chain *c, struct history *history)
{
	for (size_t i = 0; i < c->play->nr_records; i++) {
		const struct bhlab_event *record = &c->play->records[i];
		const struct plan_item *item;

		if (record->kind != BHLAB_EVENT_RUN || record->cookie >= c->plan->nr_items)
			continue;
		item = &c->plan->items[record->cookie];
		for (unsigned int s = 0; s < item->nr_steps; s++) {
			const struct bhlab_step *step = &item->steps[s];

			if (step->target != (uint32_t)c->item + 1 || history->nr == LOG_MAX)
				continue;
			history->ops[history->nr++] = (struct op){
				.verb = verb_of_step(step->op), .queue = -1,
				.begin = record->started_ns, .end = record->finished_ns,
				.ns = step->op == BHLAB_OP_DELAY ? step->arg : 0,
			};
		}
	}
}

uint64_t program_ns(const struct bhlab_step *steps, unsigned int nr)
{
	uint64_t ns = 0;

	for (unsigned int i = 0; i < nr; i++)
		if (steps[i].op == BHLAB_OP_SPIN || steps[i].op == BHLAB_OP_SLEEP)
			ns += steps[i].arg;
	return ns;
}

/* Steps are skipped when the budget is spent: then its runs are shorter. */
static uint64_t shortest_run(const struct chain *c)
{
	uint64_t ns = program_ns(c->search.item->steps, c->search.item->nr_steps);

	if (c->play->lost)
		return 0;
	for (size_t i = 0; i < c->play->nr_records; i++) {
		const struct bhlab_event *record = &c->play->records[i];
		uint64_t took = record->finished_ns - record->started_ns;

		if (record->kind == BHLAB_EVENT_RUN && record->cookie == (uint64_t)c->item &&
		    record->skipped && took < ns)
			ns = took;
	}
	return ns;
}

static void explain_item(struct chain *c)
{
	struct history *history = calloc(1, sizeof(*history));
	struct search *s = &c->search;
	struct state idle;

	if (!history)
		no_memory();
	memset(&idle, 0, sizeof(idle));
	s->item = &c->plan->items[c->item];
	s->chapter = model_chapter(s->item->mech);
	s->rows = model_rows(s->item->mech, &s->nr_rows);
	s->full = false;
	s->program_ns = shortest_run(c);
	c->states[0] = idle;
	c->nr_states = 1;
	add_calls(c, history);
	add_steps(c, history);
	qsort(history->ops, history->nr, sizeof(history->ops[0]), by_begin);
	if (!c->verdict->failed)
		explain(c, history);
	free(history);
}

/* --- what always holds: counters, records */

static void broken(struct chain *c, const char *kind, const char *fmt, ...) PRINTF(3, 4);

static void broken(struct chain *c, const char *kind, const char *fmt, ...)
{
	struct verdict *v = c->verdict;
	va_list args;

	if (v->failed)
		return;
	va_start(args, fmt);
	vsnprintf(v->text, sizeof(v->text), fmt, args);
	va_end(args);
	v->failed = true;
	v->entry = -1;
	v->item = c->item;
	snprintf(v->kind, sizeof(v->kind), "%s", kind);
}

static void check_counters(struct chain *c)
{
	const struct bhlab_item_state *st = &c->play->items[c->item];
	unsigned long long sum = st->out_runs + st->out_cancelled + st->out_merged +
				 st->out_outstanding;

	if (st->out_accepted != sum || st->out_outstanding)
		broken(c, "counters", "x%d: accepted %llu, but %llu runs, %llu cancelled, %llu "
		       "merged, %llu outstanding", c->item,
		       (unsigned long long)st->out_accepted, (unsigned long long)st->out_runs,
		       (unsigned long long)st->out_cancelled, (unsigned long long)st->out_merged,
		       (unsigned long long)st->out_outstanding);
}

/* Contexts that the kernel's documentation gives; RT and threadirqs move some to threads. */
static uint32_t contexts_of(const struct chain *c)
{
	const struct plan_item *item = &c->plan->items[c->item];
	bool rt = c->machine->world & WORLD_RT;
	bool hard = item->flags & BHLAB_ITEM_HARD;

	switch (item->mech) {
	case BHLAB_MECH_WORK:
		return item->queue >= 0 && c->plan->queues[item->queue] == BHLAB_WQ_BH ?
			       BHLAB_CTX_SOFTIRQ : BHLAB_CTX_TASK;
	case BHLAB_MECH_KTHREAD_WORK:
	case BHLAB_MECH_RCU_WORK:
		return BHLAB_CTX_TASK;
	case BHLAB_MECH_IRQ:
		/* A replay runs in a softirq. */
		return c->machine->world & WORLD_THREADIRQS ?
			       BHLAB_CTX_TASK | BHLAB_CTX_SOFTIRQ :
			       BHLAB_CTX_HARDIRQ | BHLAB_CTX_SOFTIRQ;
	case BHLAB_MECH_IRQ_WORK:
		return rt && !hard ? BHLAB_CTX_TASK : BHLAB_CTX_HARDIRQ;
	case BHLAB_MECH_HRTIMER:
		return rt && !hard ? BHLAB_CTX_SOFTIRQ : BHLAB_CTX_HARDIRQ;
	case BHLAB_MECH_RCU:
		return BHLAB_CTX_SOFTIRQ | BHLAB_CTX_TASK;
	default:
		return BHLAB_CTX_SOFTIRQ;
	}
}

static bool ever_moved(const struct chain *c)
{
	for (unsigned int i = 0; i < c->play->nr_log; i++)
		if (c->play->log[i].call.item == c->item && c->play->log[i].call.queue >= 0)
			return true;
	return false;
}

/* The call that destroyed it, or NULL. */
static const struct log_entry *destruction(const struct chain *c)
{
	for (unsigned int i = 0; i < c->play->nr_log; i++) {
		const struct log_entry *entry = &c->play->log[i];

		if (entry->call.verb == V_DESTROY && entry->call.item == c->item && !entry->err)
			return entry;
	}
	return NULL;
}

static void check_record(struct chain *c, const struct bhlab_event *record)
{
	uint64_t ns = program_ns(c->search.item->steps, c->search.item->nr_steps);
	const struct log_entry *end = destruction(c);

	if (record->queued_ns > record->started_ns || record->started_ns > record->finished_ns)
		broken(c, "times", "x%d, run %u: queued, started, ended is not the order of its "
		       "times", c->item, record->nth);
	if (end && record->finished_ns > end->end)
		broken(c, "runs on", "x%d, run %u: ended after the item had been destroyed",
		       c->item, record->nth);
	/* Its spins and sleeps end early then. */
	if (!record->skipped && !(end && record->finished_ns >= end->begin) &&
	    record->finished_ns - record->started_ns < ns)
		broken(c, "too short", "x%d, run %u: took %lluns, and its program %lluns",
		       c->item, record->nth,
		       (unsigned long long)(record->finished_ns - record->started_ns),
		       (unsigned long long)ns);
	if (!(record->context & contexts_of(c)))
		broken(c, "context", "x%d, run %u: in context %#x, expected %#x", c->item,
		       record->nth, record->context & 7, contexts_of(c));
}

static void check_records(struct chain *c)
{
	const struct bhlab_event *last = NULL;
	enum overlap overlap = model_chapter(c->search.item->mech)->overlap;
	unsigned long long runs = 0;

	for (size_t i = 0; i < c->play->nr_records; i++) {
		const struct bhlab_event *record = &c->play->records[i];

		if (record->kind != BHLAB_EVENT_RUN || record->cookie != (uint64_t)c->item)
			continue;
		runs++;
		check_record(c, record);
		if (last && record->started_ns < last->finished_ns && overlap != OVERLAP_ALWAYS &&
		    !(overlap == OVERLAP_OTHER_QUEUE && ever_moved(c)))
			broken(c, "overlap", "x%d: run %u began before run %u had ended", c->item,
			       record->nth, last->nth);
		if (!last || record->finished_ns > last->finished_ns)
			last = record;
	}
	if (!c->play->lost && c->play->items[c->item].size &&
	    runs != c->play->items[c->item].out_runs)
		broken(c, "records", "x%d: %llu runs, and %llu records of runs", c->item,
		       (unsigned long long)c->play->items[c->item].out_runs, runs);
}

/* What may be answered at all; the model knows more of those it is asked about. */
static void check_errno(struct chain *c, const struct log_entry *entry)
{
	switch (entry->err) {
	case 0:
	case ENOENT:
	case EBUSY:
	case EAGAIN:
	case EOPNOTSUPP:
	case EINVAL:
		return;
	case ETIMEDOUT:
		if (entry->call.verb == V_WAIT_IDLE || entry->call.verb == V_WAIT_RUNNING)
			return;
		break;
	case EPERM:
		if (c->machine->world & WORLD_MEMBER || entry->call.queue >= 0)
			return;
		break;
	default:
		break;
	}
	fault(c, entry, "nothing documents this errno here");
}

static void check_item(struct chain *c)
{
	if (c->play->stuck)
		broken(c, "no rest", "the items do not come to rest");
	c->search.item = &c->plan->items[c->item];
	if (c->play->items[c->item].size && !c->verdict->failed)
		check_counters(c);
	check_records(c);
}

void judge(const struct plan *plan, const struct machine *machine, const struct play *play,
	   struct behaviours *seen, struct verdict *verdict)
{
	struct chain c = { .plan = plan, .machine = machine, .play = play, .seen = seen,
			   .verdict = verdict };

	*verdict = (struct verdict){ .entry = -1, .item = -1 };
	if (play->refused)
		return;
	for (unsigned int i = 0; i < play->nr_log && !verdict->failed; i++) {
		c.item = play->log[i].call.item;
		check_errno(&c, &play->log[i]);
	}
	for (c.item = 0; c.item < plan->nr_items && !verdict->failed; c.item++)
		check_item(&c);
	if (plan->target == PLAN_STORM || verdict->failed)
		return;
	c.search.nodes = calloc(NODES, sizeof(*c.search.nodes));
	c.search.table = calloc(TABLE_SIZE, sizeof(*c.search.table));
	c.states = calloc(STATES, sizeof(*c.states));
	if (!c.search.nodes || !c.search.table || !c.states)
		no_memory();
	c.item = 0;
	explain_item(&c);
	free(c.search.nodes);
	free(c.search.table);
	free(c.states);
}
