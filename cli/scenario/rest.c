// SPDX-License-Identifier: GPL-2.0-only
/* Waiting for rest, and what must hold then. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scenario/run.h"

static void state_words_of(const struct bhlab_item_state *state, char *buf, size_t size)
{
	datum_text(NULL, &(struct datum){
		.type = DATUM_SET, .number = state->out_state, .words = &state_words,
	}, buf, size);
}

static int wait_idle(const struct lab *lab, uint32_t id, uint64_t deadline)
{
	uint64_t now = monotonic_ns();
	struct bhlab_wait wait = {
		.size = sizeof(wait), .id = id, .condition = BHLAB_COND_IDLE,
		.timeout_ns = now < deadline ? deadline - now : 0,
	};
	int err = lab_ioctl(lab, BHLAB_IOC_WAIT, &wait);

	return err == ENOENT ? 0 : err;
}

static int unsettled(struct run *run, const struct statement *s, const struct bhlab_item_state *old)
{
	struct bhlab_item_state state = { .size = sizeof(state), .id = old->id };
	char words[64], limit[32];

	if (lab_ioctl(&run->scene.lab, BHLAB_IOC_ITEM_STATE, &state))
		state = *old;
	state_words_of(&state, words, sizeof(words));
	period_exact(s->number, limit, sizeof(limit));
	if (item_is_stuck(&state))
		run_fault(run, s, "%s will never be idle: it is %s", state.out_name, words);
	else
		run_fault(run, s, "%s is not idle within %s: it is %s", state.out_name, limit,
			  words);
	return -1;
}

/* One look at all items, one after the other. */
struct pass {
	bool busy;		/* one of them was not idle */
	uint64_t accepted;	/* by all of them, since they were made */
};

/* Waits until this one is idle; 1: the time is over, or somebody wants the end. */
static int settle_item(struct run *run, const struct statement *s,
		       const struct bhlab_item_state *state, uint64_t deadline)
{
	int err;

	if (item_is_stuck(state))
		return unsettled(run, s, state);
	err = wait_idle(&run->scene.lab, state->id, deadline);
	if (err == ETIMEDOUT)
		return unsettled(run, s, state);
	if (end_wanted())
		return 1;
	if (!err || err == EINTR)
		return 0;
	run_fault(run, s, "%s: %s", state->out_name, strerror(err));
	return -1;
}

static int settle_pass(struct run *run, const struct statement *s, uint64_t deadline,
		       struct pass *pass)
{
	struct bhlab_item_state state;
	int ret = 0;

	*pass = (struct pass){ 0 };
	for (uint32_t id = 0; !ret && lab_next_item(&run->scene.lab, &state, id); id = state.id) {
		pass->busy |= state.out_state & ITEM_BUSY;
		pass->accepted += state.out_accepted + state.out_thread_wakes;
		ret = settle_item(run, s, &state, deadline);
	}
	return ret;
}

/*
 * One that was not looked at yet may queue another that was idle, and be idle
 * itself when its turn comes. So all have to be idle twice, and must not have
 * accepted anything between: then they were idle all the time.
 */
int settle(struct run *run, const struct statement *s)
{
	uint64_t deadline = monotonic_ns() + s->number;
	struct pass pass = { .busy = true }, last;
	int ret;

	do {
		last = pass;
		ret = settle_pass(run, s, deadline, &pass);
	} while (!ret && (last.busy || pass.busy || last.accepted != pass.accepted));
	return ret < 0 ? -1 : 0;
}

/* --- at the end */

static bool may_be_left(const struct scenario *scenario, const char *name)
{
	for (size_t i = 0; i < scenario->leaves.nr; i++) {
		const struct spot *spot = scenario->leaves.at[i];

		if (!strcmp(spot->name, name))
			return true;
	}
	return false;
}

static void check_balance(struct run *run, const struct bhlab_item_state *s)
{
	if (s->out_accepted != s->out_runs + s->out_cancelled + s->out_merged + s->out_lost +
			       s->out_outstanding)
		run_fault(run, NULL,
			  "%s: %" PRIu64 " accepted are not %" PRIu64 " run + %" PRIu64
			  " cancelled + %" PRIu64 " merged + %" PRIu64 " lost + %" PRIu64
			  " outstanding",
			  s->out_name, (uint64_t)s->out_accepted, (uint64_t)s->out_runs,
			  (uint64_t)s->out_cancelled, (uint64_t)s->out_merged,
			  (uint64_t)s->out_lost, (uint64_t)s->out_outstanding);
}

static void check_records(struct run *run, const struct bhlab_item_state *s)
{
	uint64_t runs = 0, thread_runs = 0;

	for (size_t i = 0; i < run->scene.records.nr; i++) {
		const struct bhlab_event *event = &run->scene.records.list[i];

		if (event->item != s->id || event->kind != BHLAB_EVENT_RUN)
			continue;
		runs += event->stage != BHLAB_STAGE_THREAD;
		thread_runs += event->stage == BHLAB_STAGE_THREAD;
	}
	if (runs != s->out_runs || thread_runs != s->out_thread_runs)
		run_fault(run, NULL, "%s: %" PRIu64 " runs were counted, %" PRIu64 " recorded",
			  s->out_name, (uint64_t)(s->out_runs + s->out_thread_runs),
			  runs + thread_runs);
}

static void check_item(struct run *run, const struct bhlab_item_state *state)
{
	const uint32_t unrest = ITEM_BUSY | BHLAB_STATE_DISABLED | BHLAB_STATE_PERIODIC |
				BHLAB_STATE_ASSERTED;
	char words[64];

	if (state->out_state & unrest) {
		state_words_of(state, words, sizeof(words));
		if (!may_be_left(run->scenario, state->out_name))
			run_fault(run, NULL, "%s is left behind: it is %s", state->out_name, words);
		return;
	}
	if (!state->out_outstanding)
		check_balance(run, state);
	if (!scene_drain(&run->scene) && !run->scene.lost)
		check_records(run, state);
}

void check_rest(struct run *run)
{
	struct bhlab_item_state state;

	if (run->scene.lost && !run->scenario->speaks_of_lost)
		run_fault(run, NULL, "%" PRIu64 " records were lost", run->scene.lost);
	for (uint32_t id = 0; lab_next_item(&run->scene.lab, &state, id); id = state.id)
		check_item(run, &state);
}
