// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plans: a number and a seed make a plan, always the same one. Every run aims at one
 * state of one mechanism, and at two verbs that meet there. The runs go through all of
 * these in an order that the seed gives: in a round each verb comes once in each state, and
 * meets another one than in the round before. Every fourth run is a storm. So what has not
 * been seen comes first, and a run needs no other one before it to be played again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore/explore.h"
#include "explore/model.h"
#include "base/words.h"

#define MS		1000000ULL
#define US		1000ULL
#define HOUR		3600000000000ULL
/* So long a program keeps its item running while verbs come. */
#define HOLD_SLEEP	(40 * MS)
#define HOLD_SPIN	(3 * MS)

struct random {
	uint64_t state;
};

/* splitmix64, by Sebastiano Vigna */
static uint64_t next(struct random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static uint64_t below(struct random *r, uint64_t n)
{
	return next(r) % n;
}

static bool one_in(struct random *r, unsigned int n)
{
	return !below(r, n);
}

/* --- what a run aims at */

enum aim {
	AIM_IDLE, AIM_FRESH, AIM_DELAYED, AIM_DUE, AIM_PENDING, AIM_RUNNING, AIM_RUNNING_PENDING,
	AIM_RUNNING_DELAYED, AIM_MOVED, AIM_MOVED_DELAYED, AIM_OFF, AIM_OFF_PENDING,
	AIM_OFF_RUNNING, AIMS,
};

static const char *const aim_names[AIMS] = {
	[AIM_IDLE] = "idle",
	[AIM_FRESH] = "just activated",
	[AIM_DELAYED] = "delayed",
	[AIM_DUE] = "due",
	[AIM_PENDING] = "pending",
	[AIM_RUNNING] = "running",
	[AIM_RUNNING_PENDING] = "running and pending",
	[AIM_RUNNING_DELAYED] = "running and delayed",
	[AIM_MOVED] = "running, and pending on another queue",
	[AIM_MOVED_DELAYED] = "running, and delayed to another queue",
	[AIM_OFF] = "disabled",
	[AIM_OFF_PENDING] = "disabled and pending",
	[AIM_OFF_RUNNING] = "disabled and running",
};

/* A verb with what it is given. */
static const struct move {
	const char *name;
	enum verb verb;
	uint64_t ns;
	bool other_cpu, other_queue;
} moves[] = {
	{ "queue", V_QUEUE },
	{ "queue elsewhere", V_QUEUE, .other_cpu = true },
	{ "queue on another queue", V_QUEUE, .other_queue = true },
	{ "trigger", V_TRIGGER },
	{ "trigger elsewhere", V_TRIGGER, .other_cpu = true },
	{ "delay 0", V_DELAY },
	{ "delay 1ms", V_DELAY, .ns = MS },
	{ "delay 1ms to another queue", V_DELAY, .ns = MS, .other_queue = true },
	{ "delay 1h", V_DELAY, .ns = HOUR },
	{ "mod 0", V_MOD },
	{ "mod 2ms", V_MOD, .ns = 2 * MS },
	{ "mod 1h", V_MOD, .ns = HOUR },
	{ "cancel", V_CANCEL },
	{ "cancel --sync", V_CANCEL_SYNC },
	{ "flush", V_FLUSH },
	{ "disable", V_DISABLE },
	{ "disable --sync", V_DISABLE_SYNC },
	{ "enable", V_ENABLE },
	{ "del", V_DESTROY },
	{ "drain its queue", V_DRAIN },
	{ "flush its queue", V_FLUSH_QUEUE },
	{ "del its queue", V_DESTROY_QUEUE },
};

static bool on_workqueue(uint32_t mech)
{
	return mech == BHLAB_MECH_WORK || mech == BHLAB_MECH_RCU_WORK;
}

static bool in_task(uint32_t mech)
{
	return on_workqueue(mech) || mech == BHLAB_MECH_KTHREAD_WORK;
}

static bool aim_possible(uint32_t mech, unsigned int aim, unsigned int world)
{
	switch (aim) {
	case AIM_PENDING:
	case AIM_MOVED:
	case AIM_MOVED_DELAYED:
		return on_workqueue(mech);
	case AIM_OFF:
	case AIM_OFF_RUNNING:
		return model_has(mech, V_DISABLE, world);
	case AIM_OFF_PENDING:
		return model_chapter(mech)->held_when_off &&
		       (mech == BHLAB_MECH_IRQ || !(world & WORLD_MEMBER));
	default:
		return true;
	}
}

static bool move_possible(uint32_t mech, const struct move *move, unsigned int world)
{
	return model_has(mech, move->verb, world) && (!move->other_queue || on_workqueue(mech));
}

/* A state, and a verb that meets others there. */
struct target {
	uint8_t mech, aim, move;
};

static struct target *targets;
static unsigned int nr_targets, nr_pairs;

static bool move_wanted(uint32_t mech, unsigned int move, const struct wanted *wanted,
			unsigned int world)
{
	return wanted->verbs & 1U << moves[move].verb && move_possible(mech, &moves[move], world);
}

/* The verbs that this mechanism may meet, into @list. */
static unsigned int partners(uint32_t mech, const struct wanted *wanted, unsigned int world,
			     uint8_t list[ARRAY_SIZE(moves)])
{
	unsigned int nr = 0;

	for (unsigned int move = 0; move < ARRAY_SIZE(moves); move++)
		if (move_wanted(mech, move, wanted, world))
			list[nr++] = move;
	return nr;
}

static void add_targets(uint32_t mech, unsigned int aim, const struct wanted *wanted,
			unsigned int world)
{
	uint8_t list[ARRAY_SIZE(moves)];
	unsigned int nr = partners(mech, wanted, world, list);

	for (unsigned int i = 0; i < nr; i++) {
		targets = xrealloc(targets, nr_targets + 1, sizeof(*targets));
		targets[nr_targets++] = (struct target){ mech, aim, list[i] };
	}
	nr_pairs += nr * nr;
}

unsigned int plan_targets(const struct wanted *wanted, const struct machine *machine)
{
	if (nr_targets)
		return nr_pairs;
	for (uint32_t mech = 1; mech < 32; mech++)
		for (unsigned int aim = 0; aim < AIMS; aim++)
			if (wanted->mechanisms & 1U << mech &&
			    aim_possible(mech, aim, machine->world))
				add_targets(mech, aim, wanted, machine->world);
	return nr_pairs;
}

void plan_target_text(const struct plan *plan, char *buf, size_t size)
{
	const struct target *target = &targets[plan->target];

	if (plan->target == PLAN_STORM)
		snprintf(buf, size, "a storm");
	else
		snprintf(buf, size, "%s %s: %s, %s", word_name(&mech_words, target->mech),
			 aim_names[target->aim], moves[target->move].name,
			 moves[plan->partner].name);
}

/* --- making one */

struct maker {
	struct plan *plan;
	const struct wanted *wanted;
	const struct machine *machine;
	struct random random;
};

enum { SUBJECT, BLOCKER, STEPPER };
enum { Q_OWN, Q_ORDERED, Q_OTHER };

static struct phase *add_phase(struct maker *m)
{
	struct phase *phase = &m->plan->phases[m->plan->nr_phases++];

	phase->nr_threads = 1;
	phase->cpu[0] = m->machine->cpus[0];
	return phase;
}

static struct verb_call *add_call(struct phase *phase, unsigned int thread, unsigned int verb,
				  int item)
{
	struct verb_call *call = &phase->calls[thread][phase->nr_calls[thread]++];

	*call = (struct verb_call){ .verb = verb, .item = item, .queue = -1, .cpu = -1 };
	if (verb == V_WAIT_RUNNING)
		call->ns = 2000 * MS;
	return call;
}

static unsigned int any_cpu(struct maker *m)
{
	return m->machine->cpus[below(&m->random, m->machine->nr_cpus)];
}

/* Where a handler that spins leaves the first CPU to us. */
static unsigned int last_cpu(const struct maker *m)
{
	return m->machine->cpus[m->machine->nr_cpus - 1];
}

static struct verb_call *activate(struct maker *m, struct phase *phase, int item)
{
	uint32_t mech = m->plan->items[item].mech;
	struct verb_call *call = add_call(phase, 0, mech == BHLAB_MECH_IRQ ? V_TRIGGER : V_QUEUE,
					  item);

	if (!in_task(mech) || one_in(&m->random, 2))
		call->cpu = last_cpu(m);
	return call;
}

static void set_step(struct plan_item *item, uint32_t op, uint32_t target, uint64_t arg)
{
	item->steps[item->nr_steps++] = (struct bhlab_step){ op, target, arg };
}

static uint64_t hold_of(const struct maker *m, uint32_t mech, bool atomic)
{
	if (in_task(mech) && !atomic)
		return HOLD_SLEEP;
	return HOLD_SPIN < m->machine->atomic_ns ? HOLD_SPIN : m->machine->atomic_ns;
}

static uint32_t some_attributes(struct maker *m, uint32_t mech)
{
	switch (mech) {
	case BHLAB_MECH_IRQ_WORK:
		return one_in(&m->random, 3) ? BHLAB_ITEM_LAZY :
		       one_in(&m->random, 2) ? BHLAB_ITEM_HARD : 0;
	case BHLAB_MECH_TIMER:
		return one_in(&m->random, 3) ? BHLAB_ITEM_IRQSAFE :
		       one_in(&m->random, 2) ? BHLAB_ITEM_PINNED : 0;
	case BHLAB_MECH_HRTIMER:
		return one_in(&m->random, 3) ? BHLAB_ITEM_HARD :
		       one_in(&m->random, 2) ? BHLAB_ITEM_PINNED : 0;
	default:
		return 0;
	}
}

static bool needs_ordered(unsigned int aim)
{
	return aim == AIM_PENDING || aim == AIM_MOVED || aim == AIM_MOVED_DELAYED;
}

static bool wants_other_queue(const struct maker *m, const struct target *target)
{
	return needs_ordered(target->aim) || moves[target->move].other_queue ||
	       moves[m->plan->partner].other_queue;
}

static void make_queues(struct maker *m, const struct target *target)
{
	static const uint32_t own[] = { BHLAB_WQ_PERCPU, BHLAB_WQ_UNBOUND, BHLAB_WQ_PERCPU,
					BHLAB_WQ_BH };
	uint32_t kind = own[below(&m->random, ARRAY_SIZE(own))];

	if (kind == BHLAB_WQ_BH &&
	    (wants_other_queue(m, target) || target->mech != BHLAB_MECH_WORK ||
	     !(m->machine->features & BHLAB_FEATURE_BH_QUEUE)))
		kind = BHLAB_WQ_PERCPU;
	m->plan->nr_queues = 3;
	m->plan->queues[Q_OWN] = kind;
	m->plan->queues[Q_ORDERED] = BHLAB_WQ_ORDERED;
	m->plan->queues[Q_OTHER] = BHLAB_WQ_UNBOUND;
}

static void make_subject(struct maker *m, const struct target *target)
{
	struct plan_item *item = &m->plan->items[SUBJECT];
	bool bh = on_workqueue(target->mech) && m->plan->queues[Q_OWN] == BHLAB_WQ_BH;
	bool brief = target->aim == AIM_FRESH || target->aim == AIM_DUE;
	uint64_t hold = hold_of(m, target->mech, bh);

	m->plan->nr_items = 1;
	*item = (struct plan_item){ .mech = target->mech, .queue = -1 };
	item->flags = some_attributes(m, target->mech);
	if (on_workqueue(target->mech))
		item->queue = target->aim == AIM_PENDING ? Q_ORDERED : Q_OWN;
	if (brief)
		set_step(item, BHLAB_OP_SPIN, 0, 10 * US + below(&m->random, 200 * US));
	else
		set_step(item, in_task(target->mech) && !bh ? BHLAB_OP_SLEEP : BHLAB_OP_SPIN, 0,
			 hold);
	if (one_in(&m->random, 2))
		set_step(item, BHLAB_OP_MARK, 0, 1);
}

static void make_blocker(struct maker *m)
{
	struct plan_item *item = &m->plan->items[BLOCKER];

	m->plan->nr_items = 2;
	*item = (struct plan_item){ .mech = BHLAB_MECH_WORK, .queue = Q_ORDERED };
	set_step(item, BHLAB_OP_SLEEP, 0, HOLD_SLEEP);
}

/* An item whose steps are verbs on the subject. */
static void make_stepper(struct maker *m)
{
	struct plan_item *item = &m->plan->items[STEPPER];
	uint32_t subject = m->plan->items[SUBJECT].mech;
	bool irq = subject == BHLAB_MECH_IRQ;

	if (m->plan->nr_items < 2)
		make_blocker(m);
	m->plan->nr_items = 3;
	*item = (struct plan_item){ .mech = one_in(&m->random, 2) ? BHLAB_MECH_TIMER :
							    BHLAB_MECH_IRQ_WORK, .queue = -1 };
	if (model_has(subject, V_CANCEL, m->machine->world) && one_in(&m->random, 2))
		set_step(item, BHLAB_OP_CANCEL, SUBJECT + 1, 0);
	if (one_in(&m->random, 2))
		set_step(item, BHLAB_OP_DELAY, SUBJECT + 1, one_in(&m->random, 2) ? MS : HOUR);
	set_step(item, irq ? BHLAB_OP_TRIGGER : BHLAB_OP_QUEUE, SUBJECT + 1, 0);
}

/* Brings the subject into the state, as far as that lasts. */
static void prepare(struct maker *m, const struct target *target)
{
	struct phase *phase = add_phase(m);
	struct verb_call *call;

	if (needs_ordered(target->aim)) {
		make_blocker(m);
		add_call(phase, 0, V_QUEUE, BLOCKER);
		add_call(phase, 0, V_WAIT_RUNNING, BLOCKER);
	}
	switch (target->aim) {
	case AIM_DELAYED:
		add_call(phase, 0, V_DELAY, SUBJECT)->ns = HOUR;
		break;
	case AIM_PENDING:
		add_call(phase, 0, V_QUEUE, SUBJECT);
		break;
	case AIM_RUNNING:
	case AIM_RUNNING_PENDING:
	case AIM_RUNNING_DELAYED:
	case AIM_MOVED:
	case AIM_MOVED_DELAYED:
	case AIM_OFF_RUNNING:
		activate(m, phase, SUBJECT);
		add_call(phase, 0, V_WAIT_RUNNING, SUBJECT);
		break;
	case AIM_OFF_PENDING:
		add_call(phase, 0, V_DISABLE, SUBJECT);
		activate(m, phase, SUBJECT);
		break;
	default:
		break;
	}
	switch (target->aim) {
	case AIM_RUNNING_PENDING:
		activate(m, phase, SUBJECT);
		break;
	case AIM_RUNNING_DELAYED:
		add_call(phase, 0, V_DELAY, SUBJECT)->ns = HOUR;
		break;
	case AIM_MOVED:
		add_call(phase, 0, V_QUEUE, SUBJECT)->queue = Q_ORDERED;
		break;
	case AIM_MOVED_DELAYED:
		call = add_call(phase, 0, V_DELAY, SUBJECT);
		call->ns = HOUR;
		call->queue = Q_ORDERED;
		break;
	case AIM_OFF:
	case AIM_OFF_RUNNING:
		add_call(phase, 0, V_DISABLE, SUBJECT);
		break;
	default:
		break;
	}
	add_call(phase, 0, V_LOOK, SUBJECT);
}

static void add_move(struct maker *m, struct phase *phase, unsigned int thread,
		     const struct move *move, uint64_t after_ns)
{
	bool of_queue = move->verb == V_DRAIN || move->verb == V_FLUSH_QUEUE ||
			move->verb == V_DESTROY_QUEUE;
	struct verb_call *call = add_call(phase, thread, move->verb, of_queue ? -1 : SUBJECT);

	call->ns = move->ns;
	call->after_ns = after_ns;
	if (move->other_cpu)
		call->cpu = any_cpu(m);
	if (move->other_queue || of_queue)
		call->queue = below(&m->random, m->plan->nr_queues);
	/* A queue that an item names is busy: another one can be destroyed. */
	if (move->verb == V_DESTROY_QUEUE && !one_in(&m->random, 4))
		call->queue = Q_OTHER;
}

/* The verbs meet: each in a thread of its own, released together. */
static void clash(struct maker *m, const struct target *target)
{
	struct phase *phase = add_phase(m);
	unsigned int threads = m->wanted->threads;
	uint64_t due = 0;

	if (target->aim == AIM_FRESH) {
		activate(m, phase, SUBJECT);
	} else if (target->aim == AIM_DUE) {
		due = MS / 2 + below(&m->random, 2 * MS);
		add_call(phase, 0, V_DELAY, SUBJECT)->ns = due;
	}
	for (unsigned int i = 0; i < 2; i++) {
		unsigned int thread = i % threads;
		uint64_t after = one_in(&m->random, 2) ? 0 : below(&m->random, 300 * US);

		phase->nr_threads = thread + 1;
		phase->cpu[thread] = thread ? any_cpu(m) : m->machine->cpus[0];
		add_move(m, phase, thread, &moves[i ? m->plan->partner : target->move],
			 due + after);
		if (threads == 1)
			add_call(phase, 0, V_LOOK, SUBJECT);
	}
	if (threads > 2 && one_in(&m->random, 3)) {
		make_stepper(m);
		phase->nr_threads = 3;
		phase->cpu[2] = any_cpu(m);
		add_call(phase, 2, V_QUEUE, STEPPER)->after_ns = due + below(&m->random, 100 * US);
	}
}

static const struct move *any_move(struct maker *m, uint32_t mech)
{
	const struct move *move;

	do {
		move = &moves[below(&m->random, ARRAY_SIZE(moves))];
	} while (!move_possible(mech, move, m->machine->world) ||
		 !(m->wanted->verbs & 1U << move->verb) ||
		 (move->other_queue && m->plan->queues[Q_OWN] == BHLAB_WQ_BH));
	return move;
}

/* One verb after the other, and the state after each. */
static void follow(struct maker *m, const struct target *target)
{
	for (unsigned int i = below(&m->random, m->wanted->size); i; i--) {
		struct phase *phase = add_phase(m);

		add_call(phase, 0, V_LOOK, SUBJECT);
		add_move(m, phase, 0, any_move(m, target->mech), 0);
		add_call(phase, 0, V_LOOK, SUBJECT);
		if (m->plan->nr_phases == PLAN_PHASES)
			return;
	}
}

static void make_aimed(struct maker *m)
{
	const struct target *target = &targets[m->plan->target];

	make_queues(m, target);
	make_subject(m, target);
	prepare(m, target);
	clash(m, target);
	follow(m, target);
}

/* --- storms */

static uint32_t any_mech(struct maker *m)
{
	uint32_t mech;

	do {
		mech = 1 + below(&m->random, 31);
	} while (!(m->wanted->mechanisms & 1U << mech));
	return mech;
}

/* A step, or two with a bracket around; never more than there is room for. */
static void any_step(struct maker *m, struct plan_item *item)
{
	uint32_t target = 1 + below(&m->random, m->plan->nr_items);
	bool task = in_task(item->mech) && m->plan->queues[Q_OWN] != BHLAB_WQ_BH;
	bool locks = !(item->flags & (BHLAB_ITEM_HARD | BHLAB_ITEM_IRQSAFE));
	uint32_t irq = m->plan->items[target - 1].mech == BHLAB_MECH_IRQ;

	switch (below(&m->random, 10)) {
	case 0:
		if (task) {
			set_step(item, BHLAB_OP_SLEEP, 0, below(&m->random, 3 * MS));
			break;
		}
		/* fallthrough */
	case 1:
		set_step(item, BHLAB_OP_SPIN, 0, below(&m->random, 50 * US));
		break;
	case 2:
		set_step(item, BHLAB_OP_CANCEL, target, 0);
		break;
	case 3:
		if (item->mech != BHLAB_MECH_IRQ)
			set_step(item, BHLAB_OP_REQUEUE, 0, 1 + below(&m->random, 3));
		break;
	case 4:
		set_step(item, BHLAB_OP_DELAY, target, below(&m->random, 2 * MS));
		break;
	case 5:
		set_step(item, BHLAB_OP_PUSH, TARGET_FIFO, 1 + below(&m->random, 8));
		break;
	case 6:
		set_step(item, BHLAB_OP_POP, TARGET_FIFO, below(&m->random, 8));
		break;
	case 7:
		if (locks && item->nr_steps + 3 <= PLAN_STEPS) {
			set_step(item, BHLAB_OP_LOCK, TARGET_LOCK, 0);
			set_step(item, irq ? BHLAB_OP_TRIGGER : BHLAB_OP_QUEUE, target, 0);
			set_step(item, BHLAB_OP_UNLOCK, TARGET_LOCK, 0);
			break;
		}
		/* fallthrough */
	default:
		set_step(item, irq ? BHLAB_OP_TRIGGER : BHLAB_OP_QUEUE, target, 0);
	}
}

static void storm_item(struct maker *m, unsigned int i)
{
	struct plan_item *item = &m->plan->items[i];

	item->flags = some_attributes(m, item->mech);
	if (on_workqueue(item->mech))
		item->queue = below(&m->random, m->plan->nr_queues);
	/* One that may be a BH queue stays alone: its items never move. */
	if (item->queue == Q_OWN && m->plan->queues[Q_OWN] == BHLAB_WQ_BH &&
	    item->mech == BHLAB_MECH_RCU_WORK)
		item->queue = Q_OTHER;
	for (unsigned int n = 1 + below(&m->random, PLAN_STEPS); n; n--)
		if (item->nr_steps < PLAN_STEPS)
			any_step(m, item);
}

static void storm_call(struct maker *m, struct phase *phase, unsigned int thread)
{
	unsigned int item = below(&m->random, m->plan->nr_items);
	const struct move *move = any_move(m, m->plan->items[item].mech);
	struct verb_call *call;

	add_move(m, phase, thread, move, below(&m->random, 500 * US));
	call = &phase->calls[thread][phase->nr_calls[thread] - 1];
	if (call->item >= 0)
		call->item = item;
	/* What is on a BH queue stays there, and nothing else comes to it. */
	if (move->other_queue)
		call->queue = Q_ORDERED;
}

static void make_storm(struct maker *m)
{
	bool bh = m->machine->features & BHLAB_FEATURE_BH_QUEUE && one_in(&m->random, 4);
	unsigned int threads = m->wanted->threads;

	m->plan->target = PLAN_STORM;
	m->plan->nr_queues = 3;
	m->plan->queues[Q_OWN] = bh ? BHLAB_WQ_BH : BHLAB_WQ_PERCPU;
	m->plan->queues[Q_ORDERED] = BHLAB_WQ_ORDERED;
	m->plan->queues[Q_OTHER] = BHLAB_WQ_UNBOUND;
	m->plan->nr_items = 1 + below(&m->random, PLAN_ITEMS);
	for (unsigned int i = 0; i < m->plan->nr_items; i++)
		m->plan->items[i] = (struct plan_item){ .mech = any_mech(m), .queue = -1 };
	for (unsigned int i = 0; i < m->plan->nr_items; i++)
		storm_item(m, i);
	for (unsigned int n = 1 + below(&m->random, 3); n; n--) {
		struct phase *phase = add_phase(m);

		phase->nr_threads = 1 + below(&m->random, threads);
		for (unsigned int t = 0; t < phase->nr_threads; t++) {
			phase->cpu[t] = any_cpu(m);
			for (unsigned int c = 1 + below(&m->random, m->wanted->size); c; c--)
				storm_call(m, phase, t);
		}
	}
}

/*
 * Number @n of the runs that aim. A prime that divides no number of targets makes each of them
 * come once in a round, and in each round the verb meets another one.
 */
static void take_aim(struct maker *m, uint64_t n)
{
	struct random order = { m->wanted->seed };
	uint8_t list[ARRAY_SIZE(moves)];
	uint64_t first = next(&order), round = n / nr_targets;
	unsigned int nr;

	m->plan->target = (first + n * 15485863) % nr_targets;
	nr = partners(targets[m->plan->target].mech, m->wanted, m->machine->world, list);
	m->plan->partner = list[(first + m->plan->target + round) % nr];
}

void plan_make(struct plan *plan, const struct wanted *wanted, const struct machine *machine,
	       uint64_t run)
{
	struct maker m = { plan, wanted, machine, { wanted->seed ^ run * 0xd1342543de82ef95ULL } };

	*plan = (struct plan){ .seed = wanted->seed, .run = run };
	next(&m.random);
	if (run % 4 == 3) {
		make_storm(&m);
	} else {
		take_aim(&m, run - run / 4);
		make_aimed(&m);
	}
}
