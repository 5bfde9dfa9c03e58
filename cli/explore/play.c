// SPDX-License-Identifier: GPL-2.0-only
/* Plays a plan in a lab of its own: makes the objects, calls the verbs, comes to rest. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore/explore.h"
#include "lab/lab.h"
#include "lab/ring.h"

/* The threads begin so long after the last of them is there. */
#define RELEASE_NS	200000ULL
#define REST_NS		20000000000ULL
/* A storm may go on for as long as chains do: then it is ended. */
#define STORM_NS	100000000ULL
/* Rounds: in each one item is destroyed of a storm that does not end. */
#define RESTS		(PLAN_ITEMS + 2)

struct player {
	const struct plan *plan;
	struct play *play;
	struct lab lab;
	uint32_t items[PLAN_ITEMS];	/* ids; 0: gone */
	uint32_t queues[PLAN_QUEUES];
	uint32_t lock, fifo;
	const struct phase *phase;
	unsigned int nr_phase;
	atomic_uint arrived;
	_Atomic uint64_t release;
	atomic_uint nr_log;
};

/* --- the objects */

static int make_queue(struct player *p, unsigned int i)
{
	struct bhlab_queue_create create = {
		.size = sizeof(create), .flags = p->plan->queues[i],
	};
	int err;

	snprintf(create.name, sizeof(create.name), "q%u", i);
	err = lab_ioctl(&p->lab, BHLAB_IOC_QUEUE_CREATE, &create);
	p->queues[i] = create.out_id;
	return err;
}

static int reserve_item(struct player *p, unsigned int i)
{
	struct bhlab_lookup lookup = { .size = sizeof(lookup), .flags = BHLAB_LOOKUP_RESERVE };
	int err;

	snprintf(lookup.name, sizeof(lookup.name), "x%u", i);
	err = lab_ioctl(&p->lab, BHLAB_IOC_LOOKUP, &lookup);
	p->items[i] = lookup.id;
	return err;
}

static uint32_t step_target(const struct player *p, uint32_t target)
{
	switch (target) {
	case 0:
		return 0;
	case TARGET_LOCK:
		return p->lock;
	case TARGET_FIFO:
		return p->fifo;
	default:
		return p->items[target - 1];
	}
}

static int make_item(struct player *p, unsigned int i)
{
	const struct plan_item *item = &p->plan->items[i];
	struct bhlab_step steps[PLAN_STEPS];
	struct bhlab_item_create create = {
		.size = sizeof(create),
		.flags = item->flags,
		.mech = item->mech,
		.queue = item->queue < 0 ? 0 : p->queues[item->queue],
		.nr_steps = item->nr_steps,
		.cookie = i,
		.steps = (uintptr_t)steps,
	};

	for (unsigned int s = 0; s < item->nr_steps; s++) {
		steps[s] = item->steps[s];
		steps[s].target = step_target(p, steps[s].target);
	}
	snprintf(create.name, sizeof(create.name), "x%u", i);
	return lab_ioctl(&p->lab, BHLAB_IOC_ITEM_CREATE, &create);
}

static int make_shared(struct player *p)
{
	struct bhlab_lock_create lock = {
		.size = sizeof(lock), .kind = BHLAB_LOCK_SPIN, .context = BHLAB_CTX_HARDIRQ,
		.name = "lock",
	};
	struct bhlab_fifo_create fifo = { .size = sizeof(fifo), .depth = 8, .name = "fifo" };
	int err = lab_ioctl(&p->lab, BHLAB_IOC_LOCK_CREATE, &lock);

	if (!err)
		err = lab_ioctl(&p->lab, BHLAB_IOC_FIFO_CREATE, &fifo);
	p->lock = lock.out_id;
	p->fifo = fifo.out_id;
	return err;
}

static int make_objects(struct player *p)
{
	int err = p->plan->target == PLAN_STORM ? make_shared(p) : 0;

	for (unsigned int i = 0; i < p->plan->nr_queues && !err; i++)
		err = make_queue(p, i);
	for (unsigned int i = 0; i < p->plan->nr_items && !err; i++)
		err = reserve_item(p, i);
	for (unsigned int i = 0; i < p->plan->nr_items && !err; i++)
		err = make_item(p, i);
	return err;
}

/* --- one call */

static const unsigned long requests[V_MODEL] = {
	[V_QUEUE] = BHLAB_IOC_QUEUE,
	[V_TRIGGER] = BHLAB_IOC_TRIGGER,
	[V_DELAY] = BHLAB_IOC_DELAY,
	[V_MOD] = BHLAB_IOC_DELAY,
	[V_CANCEL] = BHLAB_IOC_CANCEL,
	[V_CANCEL_SYNC] = BHLAB_IOC_CANCEL,
	[V_FLUSH] = BHLAB_IOC_FLUSH,
	[V_DISABLE] = BHLAB_IOC_DISABLE,
	[V_DISABLE_SYNC] = BHLAB_IOC_DISABLE,
	[V_ENABLE] = BHLAB_IOC_ENABLE,
	[V_DRAIN] = BHLAB_IOC_DRAIN,
	[V_FLUSH_QUEUE] = BHLAB_IOC_FLUSH,
};

static const uint32_t request_flags[V_MODEL] = {
	[V_MOD] = BHLAB_ACT_MOD,
	[V_CANCEL_SYNC] = BHLAB_ACT_SYNC,
	[V_DISABLE_SYNC] = BHLAB_ACT_SYNC,
};

static void act(const struct player *p, struct log_entry *entry, uint32_t id)
{
	const struct verb_call *call = &entry->call;
	struct bhlab_act act = {
		.size = sizeof(act),
		.flags = request_flags[call->verb],
		.id = id,
		.ns = call->ns,
		.count = call->verb == V_TRIGGER,
	};

	if (call->item >= 0 && call->queue >= 0) {
		act.flags |= BHLAB_ACT_QUEUE;
		act.queue = p->queues[call->queue];
	}
	if (call->cpu >= 0) {
		act.flags |= BHLAB_ACT_CPU;
		act.cpu = call->cpu;
	}
	entry->err = lab_ioctl(&p->lab, requests[call->verb], &act);
	entry->result = act.out_result;
	entry->flags = act.out_flags;
	entry->depth = act.out_depth;
}

static void destroy(const struct player *p, struct log_entry *entry, uint32_t id)
{
	struct bhlab_destroy destroy = { .size = sizeof(destroy), .id = id };

	entry->err = lab_ioctl(&p->lab, BHLAB_IOC_DESTROY, &destroy);
}

static void wait_for(const struct player *p, struct log_entry *entry, uint32_t id)
{
	struct bhlab_wait wait = {
		.size = sizeof(wait),
		.id = id,
		.condition = entry->call.verb == V_WAIT_IDLE ? BHLAB_COND_IDLE :
							       BHLAB_COND_RUNNING,
		.timeout_ns = entry->call.ns,
	};

	entry->err = lab_ioctl(&p->lab, BHLAB_IOC_WAIT, &wait);
}

static void look(const struct player *p, struct log_entry *entry, uint32_t id)
{
	struct bhlab_item_state state = { .size = sizeof(state), .id = id };

	entry->err = lab_ioctl(&p->lab, BHLAB_IOC_ITEM_STATE, &state);
	entry->state = state.out_state;
	entry->depth = state.out_depth;
}

static void do_call(struct player *p, unsigned int thread, const struct verb_call *call)
{
	uint32_t id = call->item >= 0 ? p->items[call->item] : p->queues[call->queue];
	unsigned int nr = atomic_fetch_add(&p->nr_log, 1);
	struct log_entry *entry = &p->play->log[nr];

	if (nr >= LOG_MAX)
		return;
	*entry = (struct log_entry){
		.call = *call, .phase = p->nr_phase, .thread = thread, .begin = monotonic_ns(),
	};
	p->play->at[thread] = *entry;
	switch (call->verb) {
	case V_DESTROY:
	case V_DESTROY_QUEUE:
		destroy(p, entry, id);
		break;
	case V_WAIT_RUNNING:
	case V_WAIT_IDLE:
		wait_for(p, entry, id);
		break;
	case V_LOOK:
		look(p, entry, id);
		break;
	default:
		act(p, entry, id);
	}
	entry->end = monotonic_ns();
	p->play->at[thread].begin = 0;
}

/* --- a phase */

struct runner {
	struct player *player;
	unsigned int thread;
	pthread_t id;
};

static void run_on(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void wait_until(uint64_t ns)
{
	while (monotonic_ns() < ns)
		;
}

static void *run_thread(void *arg)
{
	const struct runner *runner = arg;
	struct player *p = runner->player;
	const struct phase *phase = p->phase;
	uint64_t release;

	run_on(phase->cpu[runner->thread]);
	if (atomic_fetch_add(&p->arrived, 1) + 1 == phase->nr_threads)
		atomic_store(&p->release, monotonic_ns() +
						  (phase->nr_threads > 1 ? RELEASE_NS : 0));
	while (!(release = atomic_load(&p->release)))
		sched_yield();
	wait_until(release);
	for (unsigned int c = 0; c < phase->nr_calls[runner->thread]; c++) {
		const struct verb_call *call = &phase->calls[runner->thread][c];

		if (call->after_ns)
			wait_until(release + call->after_ns);
		do_call(p, runner->thread, call);
	}
	return NULL;
}

static void run_phase(struct player *p, unsigned int nr)
{
	struct runner runners[PLAN_THREADS];
	unsigned int started = 1;

	p->phase = &p->plan->phases[nr];
	p->nr_phase = nr;
	atomic_store(&p->arrived, 0);
	atomic_store(&p->release, 0);
	for (unsigned int t = 0; t < PLAN_THREADS; t++)
		runners[t] = (struct runner){ p, t };
	for (; started < p->phase->nr_threads; started++)
		if (pthread_create(&runners[started].id, NULL, run_thread, &runners[started]))
			no_memory();
	run_thread(&runners[0]);
	for (unsigned int t = 1; t < started; t++)
		pthread_join(runners[t].id, NULL);
}

/* --- rest */

static bool item_state(struct player *p, unsigned int i, struct bhlab_item_state *state)
{
	*state = (struct bhlab_item_state){ .size = sizeof(*state), .id = p->items[i] };
	return !lab_ioctl(&p->lab, BHLAB_IOC_ITEM_STATE, state);
}

static void call_now(struct player *p, unsigned int verb, int item, uint64_t ns)
{
	struct verb_call call = { .verb = verb, .item = item, .queue = -1, .cpu = -1, .ns = ns };

	do_call(p, 0, &call);
}

static void rest_item(struct player *p, unsigned int i)
{
	struct bhlab_item_state state;
	bool storm = p->plan->target == PLAN_STORM;

	if (!item_state(p, i, &state))
		return;
	for (uint32_t depth = state.out_depth; depth; depth--)
		call_now(p, V_ENABLE, (int)i, 0);
	if (state.out_state & BHLAB_STATE_DELAYED)
		call_now(p, V_FLUSH, (int)i, 0);
	call_now(p, V_WAIT_IDLE, (int)i, storm ? STORM_NS : REST_NS);
}

/* True if all of them are at rest, and were so the last time. */
static bool read_states(struct player *p)
{
	bool rest = true;

	for (unsigned int i = 0; i < p->plan->nr_items; i++) {
		struct bhlab_item_state *state = &p->play->items[i];
		uint64_t accepted = state->out_accepted;

		if (!item_state(p, i, state))
			state->size = 0;
		else if (state->out_state & ITEM_BUSY || state->out_accepted != accepted)
			rest = false;
	}
	return rest;
}

/* All items again and again, since one may activate another. */
static void come_to_rest(struct player *p)
{
	for (unsigned int n = 0; n < RESTS; n++) {
		for (unsigned int i = 0; i < p->plan->nr_items; i++)
			rest_item(p, i);
		if (read_states(p) && read_states(p))
			return;
		if (p->plan->target == PLAN_STORM && n < p->plan->nr_items)
			call_now(p, V_DESTROY, (int)n, 0);
	}
	p->play->stuck = true;
}

static int read_records(struct player *p, struct records *records)
{
	struct ring ring;
	int err = ring_open(&ring, &p->lab, false);

	if (err)
		return err;
	err = ring_drain(&ring, records);
	for (unsigned int cpu = 0; cpu < ring.setup.out_cpus; cpu++)
		p->play->lost += ring_lost(&ring, cpu);
	ring_close(&ring);
	return err;
}

int play_plan(const struct plan *plan, struct play *play)
{
	struct player p = { .plan = plan, .play = play, .lab = { .fd = -1 } };
	struct records records = { 0 };
	struct error e = { 0 };
	int err;

	memset(play, 0, sizeof(*play));
	if (lab_open_new(&p.lab, &e))
		return e.err ? e.err : ENODEV;
	play->refused = make_objects(&p) != 0;
	for (unsigned int i = 0; i < plan->nr_phases && !play->refused; i++)
		run_phase(&p, i);
	p.nr_phase = plan->nr_phases;
	if (!play->refused)
		come_to_rest(&p);
	play->nr_log = atomic_load(&p.nr_log);
	if (play->nr_log > LOG_MAX)
		play->nr_log = LOG_MAX;
	err = read_records(&p, &records);
	play->records = records.list;
	play->nr_records = records.nr;
	p.play->at[0] = (struct log_entry){ .begin = monotonic_ns(), .call.verb = V_CLOSE };
	lab_close(&p.lab);
	p.play->at[0].begin = 0;
	return err;
}
