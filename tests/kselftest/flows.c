// SPDX-License-Identifier: GPL-2.0-only
/* The flows of interrupt lines: what becomes of each raise, and what is asserted. */
#include <pthread.h>

#include "bhlab_test.h"

FIXTURE(flows) {
	int fd;
	struct bhlab_info info;
};

FIXTURE_SETUP(flows)
{
	self->fd = bh_open(O_NONBLOCK);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, bh_info(self->fd, &self->info));
}

FIXTURE_TEARDOWN(flows)
{
	bh_privileged();
	bh_end(_metadata, self->fd);
}

static int add_flow(int fd, __u32 flow, const char *name, const struct bhlab_step *steps, __u32 nr)
{
	struct bhlab_item_create c;

	bh_fill(&c, BHLAB_MECH_IRQ, name);
	bh_steps(&c, steps, nr);
	c.flow = flow;
	return bh_create(fd, &c);
}

/* ADD(FLOW, name, step...): the new line's id. */
#define ADD(_flow, _name, ...) ({						\
	const struct bhlab_step _steps[] = { __VA_ARGS__ };			\
	add_flow(self->fd, BHLAB_FLOW_##_flow, _name, _steps,			\
		 sizeof(_steps) / sizeof(struct bhlab_step));			\
})
#define ACT(_verb, _id, ...)	bh_act(self->fd, _verb, _id, ##__VA_ARGS__)
#define RAISE(_id, _count)	ACT(TRIGGER, _id, .count = (_count))
#define DEASSERT(_id, ...)	ACT(TRIGGER, _id, .flags = BHLAB_ACT_DEASSERT, ##__VA_ARGS__)

static const char *const names[] = { "sim", "simple", "edge", "level", "fasteoi" };

/* A line of each flow of the driver's own controller; a level's handler serves its device. */
static int add_served(int fd, __u32 flow)
{
	struct bhlab_lookup l;
	struct bhlab_step serve;

	bh_lookup(fd, names[flow], BHLAB_LOOKUP_RESERVE, &l);
	serve = BH_STEP(DEASSERT, .target = l.id);
	return add_flow(fd, flow, names[flow], &serve, flow == BHLAB_FLOW_LEVEL);
}

static void check_rest(struct __test_metadata *_metadata, int fd, __u32 id,
		       struct bhlab_item_state *st)
{
	EXPECT_EQ(0, bh_wait_for(fd, id, IDLE));
	EXPECT_EQ(0, bh_state(fd, id, st));
	EXPECT_TRUE(bh_accounted(st));
	EXPECT_EQ(0, st->out_outstanding);
	EXPECT_EQ(0, st->out_state);
}

/* Each raise that finds the line at rest is a run. */
TEST_F(flows, one_by_one)
{
	const __u32 context = self->info.out_features & BHLAB_FEATURE_THREADIRQS ?
			      BHLAB_CTX_TASK : BHLAB_CTX_HARDIRQ;
	struct bhlab_item_state st;
	struct bhlab_event e;

	ASSERT_EQ(0, bh_unprivileged());
	for (__u32 flow = BHLAB_FLOW_SIMPLE; flow <= BHLAB_FLOW_FASTEOI; flow++) {
		int id = add_served(self->fd, flow);

		ASSERT_LT(0, id);
		for (int i = 0; i < 20; i++) {
			EXPECT_EQ(BHLAB_RESULT_QUEUED, RAISE(id, 1));
			EXPECT_EQ(0, bh_wait_for(self->fd, id, IDLE));
		}
		check_rest(_metadata, self->fd, id, &st);
		EXPECT_EQ(flow, st.out_flow);
		EXPECT_EQ(20, st.out_accepted);
		EXPECT_EQ(20, st.out_runs);
		EXPECT_EQ(0, st.out_latched + st.out_replayed + st.out_repeated);
		EXPECT_EQ(1, bh_event(self->fd, BHLAB_EVENT_RUN, id, &e));
		EXPECT_TRUE(e.context & context);
		EXPECT_LE(e.queued_ns, e.started_ns);
	}
}

TEST_F(flows, refused)
{
	const __u32 bad[] = { BHLAB_FLOW_FASTEOI + 1, 1U << 31, 0xffffffff };
	int sim = bh_add(self->fd, BHLAB_MECH_IRQ, "sim"), work, level;
	int edge = ADD(EDGE, "edge");
	struct bhlab_item_state st;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EOPNOTSUPP, add_flow(self->fd, bad[i], "bad", NULL, 0));
	work = bh_add(self->fd, BHLAB_MECH_WORK, "work");
	EXPECT_EQ(-EOPNOTSUPP, DEASSERT(work));
	EXPECT_EQ(-EOPNOTSUPP, DEASSERT(sim));
	EXPECT_EQ(-EOPNOTSUPP, DEASSERT(edge));
	EXPECT_EQ(-ENOENT, DEASSERT(77));

	level = ADD(LEVEL, "level");
	EXPECT_EQ(0, bh_act(self->fd, DISABLE, level));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, RAISE(level, 1));
	EXPECT_EQ(-EOPNOTSUPP, DEASSERT(level, .count = 1));
	EXPECT_EQ(-EOPNOTSUPP, DEASSERT(level, .ns = 1));
	EXPECT_EQ(-EOPNOTSUPP, DEASSERT(level, .cpu = 1));
	EXPECT_EQ(-EOPNOTSUPP, ACT(TRIGGER, level, .cpu = 0,
				   .flags = BHLAB_ACT_DEASSERT | BHLAB_ACT_CPU));
	EXPECT_EQ(-EOPNOTSUPP, ACT(TRIGGER, level, .ns = BH_MS,
				   .flags = BHLAB_ACT_DEASSERT | BHLAB_ACT_PERIOD));
	EXPECT_EQ(-EBUSY, ACT(CANCEL, level));
	EXPECT_EQ(-EBUSY, ACT(CANCEL, level, .flags = BHLAB_ACT_SYNC));
	EXPECT_EQ(-EBUSY, ACT(FLUSH, level));
	EXPECT_EQ(0, bh_state(self->fd, level, &st));
	EXPECT_TRUE(st.out_state & BHLAB_STATE_ASSERTED);
	EXPECT_EQ(BHLAB_RESULT_WAS_PENDING, DEASSERT(level));
	EXPECT_EQ(BHLAB_RESULT_IDLE, DEASSERT(level));
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(CANCEL, level));
	EXPECT_EQ(0, ACT(ENABLE, level));
	check_rest(_metadata, self->fd, level, &st);
	EXPECT_EQ(0, st.out_runs);
	EXPECT_EQ(1, st.out_cancelled);
}

/* What comes while a line is disabled is one run when it is enabled. */
TEST_F(flows, disabled)
{
	const bool threads = self->info.out_features & BHLAB_FEATURE_THREADIRQS;
	struct bhlab_item_state st;
	struct bhlab_event e;

	for (__u32 flow = BHLAB_FLOW_SIMPLE; flow <= BHLAB_FLOW_FASTEOI; flow++) {
		const bool level = flow == BHLAB_FLOW_LEVEL;
		int id = add_served(self->fd, flow);

		EXPECT_EQ(0, ACT(DISABLE, id));
		for (int i = 0; i < 5; i++)
			EXPECT_LE(0, RAISE(id, 1));
		bh_sleep(20 * BH_MS);
		EXPECT_EQ(0, bh_state(self->fd, id, &st));
		EXPECT_TRUE(bh_accounted(&st));
		EXPECT_EQ(0, st.out_runs);
		EXPECT_EQ(0, st.out_lost);
		EXPECT_TRUE(st.out_state & BHLAB_STATE_PENDING);
		/* disable_irq() is lazy: the line is masked when something comes */
		EXPECT_EQ(flow != BHLAB_FLOW_SIMPLE, !!(st.out_state & BHLAB_STATE_MASKED));
		EXPECT_EQ(level, !!(st.out_state & BHLAB_STATE_ASSERTED));

		EXPECT_EQ(0, ACT(ENABLE, id));
		check_rest(_metadata, self->fd, id, &st);
		EXPECT_EQ(5, st.out_accepted);
		EXPECT_EQ(1, st.out_runs);
		EXPECT_EQ(4, st.out_merged);
		EXPECT_EQ(0, st.out_lost);
		EXPECT_EQ(!level, st.out_replayed);
		EXPECT_EQ(1, bh_event(self->fd, BHLAB_EVENT_RUN, id, &e));
		/* not in a softirq, as the kernel's own replay */
		EXPECT_TRUE(e.context & (threads ? BHLAB_CTX_TASK : BHLAB_CTX_HARDIRQ));
		/* and the next one is an ordinary one */
		EXPECT_EQ(BHLAB_RESULT_QUEUED, RAISE(id, 1));
		check_rest(_metadata, self->fd, id, &st);
		EXPECT_EQ(2, st.out_runs);
	}
}

/* Takes back what is latched, but not what the flow handler has noted. */
TEST_F(flows, cancelled)
{
	struct bhlab_item_state st;
	int edge = ADD(EDGE, "edge");

	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(CANCEL, edge));
	EXPECT_EQ(0, ACT(DISABLE, edge));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, RAISE(edge, 1));
	bh_sleep(20 * BH_MS);
	EXPECT_EQ(-EBUSY, ACT(CANCEL, edge));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, RAISE(edge, 1));
	EXPECT_EQ(BHLAB_RESULT_ALREADY_PENDING, RAISE(edge, 1));
	EXPECT_EQ(0, bh_state(self->fd, edge, &st));
	EXPECT_EQ(1, st.out_latched);
	EXPECT_EQ(1, st.out_merged);
	EXPECT_EQ(BHLAB_RESULT_WAS_PENDING, ACT(CANCEL, edge));
	EXPECT_EQ(-EBUSY, ACT(CANCEL, edge));
	EXPECT_EQ(0, ACT(ENABLE, edge));
	check_rest(_metadata, self->fd, edge, &st);
	EXPECT_EQ(3, st.out_accepted);
	EXPECT_EQ(1, st.out_runs);
	EXPECT_EQ(1, st.out_cancelled);
	EXPECT_EQ(1, st.out_merged);
}

/*
 * One raise on each CPU, the second while the handler of the first runs, unless the
 * host is late: whenever it comes, only handle_simple_irq() loses it.
 */
TEST_F(flows, while_running)
{
	if (!bh_has_cpu1() || self->info.out_features & BHLAB_FEATURE_THREADIRQS)
		SKIP(return, "needs two CPUs, and handlers in hardirq context");
	for (__u32 flow = BHLAB_FLOW_SIMPLE; flow <= BHLAB_FLOW_FASTEOI; flow++) {
		const struct bhlab_step busy = BH_SPIN(4 * BH_MS);
		struct bhlab_item_state st;
		int id, one, two;

		if (flow == BHLAB_FLOW_LEVEL)
			continue;
		id = add_flow(self->fd, flow, names[flow], &busy, 1);
		ASSERT_LT(0, id);
		two = bh_add(self->fd, BHLAB_MECH_WORK, "two", BH_SPIN(BH_MS),
			     BH_STEP(TRIGGER, .target = id));
		one = bh_add(self->fd, BHLAB_MECH_WORK, "one",
			     BH_STEP(QUEUE, .target = two, .cpu = 1, .flags = BHLAB_STEP_CPU),
			     BH_STEP(TRIGGER, .target = id));
		for (int i = 0; i < 200; i++) {
			EXPECT_LE(0, ACT(QUEUE, one, .flags = BHLAB_ACT_CPU));
			EXPECT_EQ(0, bh_wait_for(self->fd, one, IDLE));
			EXPECT_EQ(0, bh_wait_for(self->fd, two, IDLE));
			check_rest(_metadata, self->fd, id, &st);
			if (flow == BHLAB_FLOW_SIMPLE ? st.out_lost : i == 10)
				break;
		}
		EXPECT_EQ(flow == BHLAB_FLOW_SIMPLE, !!st.out_lost);
		EXPECT_EQ(0, bh_destroy(self->fd, id));
		EXPECT_EQ(0, bh_destroy(self->fd, one));
		EXPECT_EQ(0, bh_destroy(self->fd, two));
	}
}

/* A handler that forgets its device is called until somebody serves that. */
TEST_F(flows, storm)
{
	int level = ADD(LEVEL, "level", BH_SPIN(100 * BH_US));
	struct bhlab_item_state st;

	ASSERT_EQ(0, bh_unprivileged());
	EXPECT_EQ(BHLAB_RESULT_QUEUED, RAISE(level, 1));
	EXPECT_EQ(0, bh_wait_runs(self->fd, level, 100));
	EXPECT_EQ(BHLAB_RESULT_ALREADY_PENDING, RAISE(level, 1));
	EXPECT_EQ(-ETIMEDOUT, bh_wait(self->fd, level, BHLAB_COND_IDLE, 0, 20 * BH_MS));
	EXPECT_LE(0, ACT(FLUSH, level));
	/* disabled, it is quiet; enabled, it goes on */
	EXPECT_EQ(0, ACT(DISABLE, level, .flags = BHLAB_ACT_SYNC));
	EXPECT_EQ(0, bh_state(self->fd, level, &st));
	EXPECT_EQ(0, ACT(ENABLE, level));
	EXPECT_EQ(0, bh_wait_runs(self->fd, level, st.out_runs + 10));
	EXPECT_LE(0, DEASSERT(level));
	check_rest(_metadata, self->fd, level, &st);
	EXPECT_LT(100, st.out_runs);
	EXPECT_EQ(st.out_accepted, 2 + st.out_repeated);
	EXPECT_EQ(1, st.out_merged);
	/* serving it takes effect at once */
	bh_sleep(20 * BH_MS);
	check_rest(_metadata, self->fd, level, &st);
}

/* So many runs take the time in which the CPU's budget allows them, or more. */
TEST_F(flows, storm_is_bounded)
{
	const __u64 spin = 500 * BH_US, runs = 400;
	int level = ADD(LEVEL, "level", BH_SPIN(spin));
	__u64 start = bh_now();

	if (self->info.out_features & BHLAB_FEATURE_THREADIRQS)
		SKIP(return, "a thread may use the budgets of all CPUs");
	EXPECT_LE(0, RAISE(level, 1));
	EXPECT_EQ(0, bh_wait_runs(self->fd, level, runs));
	/* the first window may have a whole budget, and the last one has some left */
	EXPECT_LE(runs * spin * 100 / self->info.out_budget - 3 * BHLAB_BUDGET_NS,
		  bh_now() - start);
	EXPECT_LE(0, DEASSERT(level));
}

static int add_oneshot(int fd, __u32 flags, const struct bhlab_step *top, __u32 nr)
{
	struct bhlab_step serve[] = { BH_SLEEP(20 * BH_MS), BH_STEP(DEASSERT) };
	struct bhlab_item_create c;
	struct bhlab_lookup l;

	bh_lookup(fd, "oneshot", BHLAB_LOOKUP_RESERVE, &l);
	serve[1].target = l.id;
	bh_fill(&c, BHLAB_MECH_IRQ, "oneshot");
	bh_steps(&c, top, nr);
	if (flags & BHLAB_ITEM_THREAD)
		bh_thread_steps(&c, serve, 2);
	c.flags |= flags;
	c.flow = BHLAB_FLOW_LEVEL;
	return bh_create(fd, &c);
}

/* Masked until the thread has served the device: it is called once. */
TEST_F(flows, oneshot)
{
	int lock = bh_lock(self->fd, "lock", BHLAB_LOCK_SPIN, BHLAB_CTX_HARDIRQ);
	const struct bhlab_step wake = BH_THREAD;
	const struct bhlab_step locks[] = { BH_STEP(LOCK, .target = lock),
					    BH_STEP(UNLOCK, .target = lock) };
	struct bhlab_item_state st;
	struct bhlab_event e;
	int id;

	EXPECT_EQ(-EINVAL, add_oneshot(self->fd, BHLAB_ITEM_ONESHOT, &wake, 0));
	EXPECT_EQ(-EINVAL, add_oneshot(self->fd, BHLAB_ITEM_ONESHOT | BHLAB_ITEM_THREAD, locks, 2));
	id = add_oneshot(self->fd, BHLAB_ITEM_THREAD, &wake, 1);
	ASSERT_LT(0, id);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, RAISE(id, 1));
	EXPECT_EQ(0, bh_wait_runs(self->fd, id, 2));
	/* the storm spends the budget, and then the thread skips its steps */
	EXPECT_LE(0, DEASSERT(id));
	check_rest(_metadata, self->fd, id, &st);
	EXPECT_LT(1, st.out_runs);
	EXPECT_EQ(0, bh_destroy(self->fd, id));

	id = add_oneshot(self->fd, BHLAB_ITEM_ONESHOT | BHLAB_ITEM_THREAD, &wake, 1);
	ASSERT_LT(0, id);
	for (int i = 1; i <= 5; i++) {
		EXPECT_EQ(BHLAB_RESULT_QUEUED, RAISE(id, 1));
		check_rest(_metadata, self->fd, id, &st);
		EXPECT_EQ(i, st.out_runs);
		EXPECT_EQ(i, st.out_thread_runs);
		EXPECT_EQ(0, st.out_repeated);
	}
	EXPECT_EQ(1, bh_event(self->fd, BHLAB_EVENT_RUN, id, &e));
	EXPECT_TRUE(e.context & BHLAB_CTX_HARDIRQ);
}

/* Wherever it is in its storm: it ends. */
TEST_F(flows, end_of_storms)
{
	char name[BHLAB_NAME_LEN];
	int fd, id, held;

	/* a line takes its time to go */
	for (int i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "level%d", i);
		id = ADD(LEVEL, name, BH_SPIN(i % 4 * 200 * BH_US));
		ASSERT_LT(0, id);
		EXPECT_LE(0, RAISE(id, 1));
		if (i % 3 == 1) {
			EXPECT_EQ(0, ACT(DISABLE, id));
		}
		bh_sleep(i % 5 * BH_MS);
		EXPECT_EQ(0, bh_destroy(self->fd, id));
	}
	for (int i = 0; i < 3; i++) {
		fd = bh_open(O_NONBLOCK);
		ASSERT_LE(0, fd);
		for (__u32 flow = BHLAB_FLOW_SIMPLE; flow <= BHLAB_FLOW_FASTEOI; flow++) {
			held = add_flow(fd, flow, names[flow], NULL, 0);
			ASSERT_LT(0, held);
			if (i % 2) {
				EXPECT_EQ(0, bh_act(fd, DISABLE, held));
			}
			EXPECT_LE(0, bh_act(fd, TRIGGER, held, .count = 3));
		}
		close(fd);
	}
}

/* --- everything at once */

struct racer {
	pthread_t thread;
	int fd;
	__u32 id;
	int what;
	bool *enough;
};

static void *race(void *arg)
{
	struct racer *r = arg;

	while (!__atomic_load_n(r->enough, __ATOMIC_RELAXED)) {
		switch (r->what) {
		case 0:
			bh_act(r->fd, TRIGGER, r->id, .count = 3);
			break;
		case 1:
			bh_act(r->fd, TRIGGER, r->id, .flags = BHLAB_ACT_DEASSERT);
			bh_act(r->fd, CANCEL, r->id);
			break;
		case 2:
			bh_act(r->fd, DISABLE, r->id);
			bh_act(r->fd, ENABLE, r->id);
			break;
		}
	}
	return NULL;
}

TEST_F(flows, races)
{
	struct bhlab_item_state st;

	for (__u32 flow = BHLAB_FLOW_SIMPLE; flow <= BHLAB_FLOW_FASTEOI; flow++) {
		struct racer racers[6];
		bool enough = false;
		int id = add_flow(self->fd, flow, names[flow], NULL, 0);

		ASSERT_LT(0, id);
		for (int i = 0; i < ARRAY_SIZE(racers); i++) {
			racers[i] = (struct racer){ .fd = self->fd, .id = id, .what = i % 3,
						    .enough = &enough };
			ASSERT_EQ(0, pthread_create(&racers[i].thread, NULL, race, &racers[i]));
		}
		bh_sleep(BH_S);
		__atomic_store_n(&enough, true, __ATOMIC_RELAXED);
		for (int i = 0; i < ARRAY_SIZE(racers); i++)
			pthread_join(racers[i].thread, NULL);
		if (flow == BHLAB_FLOW_LEVEL) {
			EXPECT_LE(0, DEASSERT(id));
		}
		check_rest(_metadata, self->fd, id, &st);
		EXPECT_LT(0, st.out_runs);
		/* it works as before */
		EXPECT_LE(0, RAISE(id, 1));
		EXPECT_EQ(0, bh_wait_runs(self->fd, id, st.out_runs + 1));
		if (flow == BHLAB_FLOW_LEVEL) {
			EXPECT_LE(0, DEASSERT(id));
		}
		check_rest(_metadata, self->fd, id, &st);
	}
}

TEST_HARNESS_MAIN
