// SPDX-License-Identifier: GPL-2.0-only
/* The search for an order of calls that explains what they answered. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "explore/search.h"
#include "base/text.h"
#include "base/words.h"

#define NODES		20000

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
	unsigned int world;
	const struct op *ops;
	unsigned int nr_ops;
	struct node *nodes;
	size_t nr_nodes;
	uint32_t *table;	/* of node numbers + 1 */
	bool full;
};

#define TABLE_SIZE	65536

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

void state_text(const struct state *state, char *buf, size_t size)
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
static void leave_behind(const struct search *s, struct state *state, const struct op *op)
{
	bool moves = s->chapter->overlap == OVERLAP_OTHER_CPU && op->cpu >= 0;

	for (unsigned int i = 0; i < state->nr; i++)
		if (at_work(&state->list[i]) &&
		    (moves || state->list[i].queue != op_queue(s, op)))
			state->list[i].left_behind = true;
}

static void activate(struct search *s, struct state *state, const struct op *op,
		     const struct row *row)
{
	struct activation *a;

	leave_behind(s, state, op);
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
		if ((row->then & THEN_CANCEL && a->where <= PENDING) ||
		    (row->then & THEN_CANCEL_DELAY && a->where == DELAYED)) {
			drop(state, i--);
			continue;
		}
		if (row->then & THEN_RESTART && a->where <= PENDING) {
			a->where = DELAYED;
			a->queue = op_queue(s, op);
			a->at = op->begin + op->ns;
			a->hold = op->hold;
			leave_behind(s, state, op);
		}
		if (row->then & THEN_FIRE && a->where == DELAYED) {
			a->where = PENDING;
			a->at = later(op->begin, a->hold);
			a->hold = 0;
		}
		if (of_queue && a->queue != op->queue)
			continue;
		/* Not on the queue yet. */
		if (op->verb == V_FLUSH_QUEUE &&
		    (a->where == DELAYED || (a->where == PENDING && s->chapter->grace_period)))
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

static void try_op(struct search *s, const struct node *node, unsigned int nr)
{
	const struct op *op = &s->ops[nr];
	uint32_t bits = state_bits(&node->state) | s->world << WHEN_WORLD | waiting_bits(s, node);
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

static void expand(struct search *s, size_t at)
{
	struct node node = s->nodes[at];
	uint64_t limit = node_limit(s, &node);

	for (unsigned int i = 0; i < node.state.nr; i++)
		go_on(s, &node, i, limit, true);
	for (unsigned int i = 0; i < s->nr_ops; i++) {
		if (!(node.effects & 1U << i) && s->ops[i].begin <= limit)
			try_op(s, &node, i);
		else if (node.effects & ~node.completions & 1U << i)
			complete(s, &node, i);
	}
}

/* --- a search */

struct search *search_new(const struct plan_item *item, uint64_t program_ns, unsigned int world)
{
	struct search *s = calloc(1, sizeof(*s));

	if (!s)
		no_memory();
	s->item = item;
	s->chapter = model_chapter(item->mech);
	s->rows = model_rows(item->mech, &s->nr_rows);
	s->program_ns = program_ns;
	s->world = world;
	s->nodes = xrealloc(NULL, NODES, sizeof(*s->nodes));
	s->table = xrealloc(NULL, TABLE_SIZE, sizeof(*s->table));
	return s;
}

void search_free(struct search *s)
{
	free(s->nodes);
	free(s->table);
	free(s);
}

/* Ops are forgotten at the end of a search, and so is who waits for what. */
static void keep_state(struct search *s, const struct state *state, struct states *states)
{
	struct state kept = *state;

	for (unsigned int i = 0; i < kept.nr; i++)
		kept.list[i].waiters = 0;
	for (size_t i = 0; i < states->nr; i++)
		if (!memcmp(&states->list[i], &kept, sizeof(kept)))
			return;
	if (states->nr == STATES)
		s->full = true;
	else
		states->list[states->nr++] = kept;
}

bool search_run(struct search *s, const struct op *ops, unsigned int nr, struct states *states)
{
	uint32_t all = (1U << nr) - 1;

	s->ops = ops;
	s->nr_ops = nr;
	s->nr_nodes = 0;
	s->full = false;
	memset(s->table, 0, TABLE_SIZE * sizeof(*s->table));
	for (size_t i = 0; i < states->nr; i++) {
		struct node node;

		memset(&node, 0, sizeof(node));
		node.state = states->list[i];
		add_node(s, &node);
	}
	states->nr = 0;
	for (size_t at = 0; at < s->nr_nodes && !s->full; at++) {
		if (s->nodes[at].completions == all)
			keep_state(s, &s->nodes[at].state, states);
		else
			expand(s, at);
	}
	return !s->full;
}

bool search_may_go_on(struct search *s, const struct state *state, uint64_t limit)
{
	struct node node = { .state = *state };

	for (unsigned int i = 0; i < state->nr; i++)
		if (go_on(s, &node, i, limit, false))
			return true;
	return false;
}

void search_expected(const struct search *s, const struct states *states, const struct op *op,
		     char *buf, size_t size)
{
	struct text text = text_in(buf, size);

	for (size_t i = 0; i < s->nr_rows && op->verb < V_MODEL; i++) {
		const struct row *row = &s->rows[i];
		const char *word = row->success ? "success" :
				   row->err ? strerrorname_np(row->err) :
					      word_name(&result_words, row->result);
		bool fits = false;

		for (size_t k = 0; k < states->nr; k++) {
			uint32_t bits = state_bits(&states->list[k]) | s->world << WHEN_WORLD;

			fits = fits || ((row->when & bits) == row->when && !(row->when_not & bits));
		}
		if (row->verbs & 1U << op->verb && fits && !strstr(buf, word))
			text_join(&text, " or ", word);
	}
}
