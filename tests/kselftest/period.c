// SPDX-License-Identifier: GPL-2.0-only
/* Triggers with a period: how often, how long, and what ends them. */
#include "bhlab_test.h"

#define MOST	BHLAB_TRIGGER_MAX

FIXTURE(period) {
	int fd;
	int line;
	struct bhlab_info info;
};

FIXTURE_SETUP(period)
{
	self->fd = bh_open(O_NONBLOCK);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, bh_info(self->fd, &self->info));
	self->line = bh_add(self->fd, BHLAB_MECH_IRQ, "line");
	ASSERT_EQ(1, self->line);
}

FIXTURE_TEARDOWN(period)
{
	bh_privileged();
	bh_end(_metadata, self->fd);
}

#define ACT(_verb, ...)	bh_act(self->fd, _verb, ##__VA_ARGS__)
#define PERIOD(_id, _ns, _count, ...)						\
	bh_act(self->fd, TRIGGER, _id, .flags = BHLAB_ACT_PERIOD, .ns = (_ns),	\
	       .count = (_count), ##__VA_ARGS__)

/* At rest after so many raises; every one of them is accounted for. */
static void check_over(struct __test_metadata *_metadata, int fd, __u32 id, __u64 raises)
{
	struct bhlab_item_state st;

	EXPECT_EQ(0, bh_wait_for(fd, id, IDLE));
	EXPECT_EQ(0, bh_state(fd, id, &st));
	EXPECT_EQ(raises, st.out_accepted);
	EXPECT_EQ(raises, st.out_runs + st.out_merged);
	EXPECT_LE(1, st.out_runs);
	EXPECT_EQ(0, st.out_state);
	EXPECT_EQ(0, st.out_period_ns);
	EXPECT_EQ(0, st.out_period_left);
}

/* So often and no more, and not before the first period is over. */
TEST_F(period, count)
{
	const __u64 before = bh_now();
	struct bhlab_event e;

	EXPECT_EQ(BHLAB_RESULT_QUEUED, PERIOD(self->line, 5 * BH_MS, 20));
	check_over(_metadata, self->fd, self->line, 20);
	EXPECT_LE(20 * 5 * BH_MS, bh_now() - before);
	EXPECT_EQ(1, bh_event(self->fd, BHLAB_EVENT_RUN, self->line, &e));
	EXPECT_LE(before + 5 * BH_MS, e.started_ns);
	/* and once more, as the shortest that there is */
	EXPECT_EQ(BHLAB_RESULT_QUEUED, PERIOD(self->line, self->info.out_period_ns, 1));
	check_over(_metadata, self->fd, self->line, 21);
}

TEST_F(period, unprivileged)
{
	ASSERT_EQ(0, bh_unprivileged());
	EXPECT_EQ(BHLAB_RESULT_QUEUED, PERIOD(self->line, self->info.out_period_ns, 50));
	check_over(_metadata, self->fd, self->line, 50);
}

TEST_F(period, state)
{
	struct bhlab_item_state st;

	EXPECT_EQ(BHLAB_RESULT_QUEUED, PERIOD(self->line, BH_NEVER, MOST));
	EXPECT_EQ(0, bh_state(self->fd, self->line, &st));
	EXPECT_EQ(BHLAB_STATE_PERIODIC, st.out_state);
	EXPECT_EQ(BH_NEVER, st.out_period_ns);
	EXPECT_EQ(MOST, st.out_period_left);
	EXPECT_EQ(0, st.out_period_missed);
	EXPECT_EQ(0, st.out_accepted);
	/* at work it is not idle */
	EXPECT_EQ(-ETIMEDOUT, bh_wait(self->fd, self->line, BHLAB_COND_IDLE, 0, 20 * BH_MS));
	/* a second one; a plain one is another thing */
	EXPECT_EQ(-EBUSY, PERIOD(self->line, BH_MS, 1));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(TRIGGER, self->line, .count = 1));
	EXPECT_EQ(0, bh_wait_runs(self->fd, self->line, 1));
	EXPECT_EQ(0, bh_state(self->fd, self->line, &st));
	EXPECT_EQ(BHLAB_STATE_PERIODIC, st.out_state);
	EXPECT_EQ(MOST, st.out_period_left);
	EXPECT_EQ(1, st.out_accepted);
}

TEST_F(period, values)
{
	const __u64 shortest = self->info.out_period_ns;
	const __u64 bad[] = { 0, 1, shortest - 1, BHLAB_NS_MAX + 1, -1ULL, 1ULL << 63 };
	struct bhlab_item_state st;
	int work, busy;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL, PERIOD(self->line, bad[i], 1));
	EXPECT_EQ(-EINVAL, PERIOD(self->line, BH_MS, 0));
	EXPECT_EQ(-EINVAL, PERIOD(self->line, BH_MS, MOST + 1));
	EXPECT_EQ(-EINVAL, PERIOD(self->line, BH_MS, 0xffffffff));
	/* a value out of its range comes before a CPU that is not there */
	EXPECT_EQ(-EINVAL, bh_act(self->fd, TRIGGER, self->line, .count = 1, .ns = 1,
				  .flags = BHLAB_ACT_PERIOD | BHLAB_ACT_CPU, .cpu = 0xffffffff));
	EXPECT_EQ(-ENODEV, bh_act(self->fd, TRIGGER, self->line, .count = 1, .ns = BH_MS,
				  .flags = BHLAB_ACT_PERIOD | BHLAB_ACT_CPU, .cpu = 0xffffffff));
	EXPECT_EQ(0, bh_state(self->fd, self->line, &st));
	EXPECT_EQ(0, st.out_state);
	EXPECT_EQ(0, st.out_accepted);

	work = bh_add(self->fd, BHLAB_MECH_WORK, "work");
	EXPECT_EQ(-EOPNOTSUPP, PERIOD(work, BH_MS, 1));
	EXPECT_EQ(-ENOENT, PERIOD(77, 0, 0));
	/* busy for more than half of it */
	busy = bh_add(self->fd, BHLAB_MECH_IRQ, "busy", BH_SPIN(500 * BH_US), BH_SPIN(1));
	EXPECT_EQ(-EINVAL, PERIOD(busy, BH_MS, 1));
	EXPECT_EQ(-EINVAL, PERIOD(busy, BH_MS + 1, 1));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, PERIOD(busy, BH_MS + 2, 1));
	check_over(_metadata, self->fd, busy, 1);
}

/* The thread is not what the limit is about. */
TEST_F(period, thread)
{
	int id = bh_add_threaded(self->fd, "threaded", BH_SLEEP(20 * BH_MS));
	struct bhlab_item_state st;

	EXPECT_EQ(BHLAB_RESULT_QUEUED, PERIOD(id, BH_MS, 20));
	check_over(_metadata, self->fd, id, 20);
	EXPECT_EQ(0, bh_state(self->fd, id, &st));
	EXPECT_EQ(st.out_runs, st.out_thread_wakes);
	EXPECT_EQ(st.out_thread_wakes, st.out_thread_runs + st.out_thread_merged);
}

static void cancel(struct __test_metadata *_metadata, FIXTURE_DATA(period) *self, __u32 flags)
{
	struct bhlab_item_state st;

	EXPECT_EQ(0, bh_state(self->fd, self->line, &st));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, PERIOD(self->line, BH_MS, MOST));
	EXPECT_EQ(0, bh_wait_runs(self->fd, self->line, st.out_runs + 3));
	EXPECT_EQ(BHLAB_RESULT_WAS_PENDING, ACT(CANCEL, self->line, .flags = flags));
	EXPECT_EQ(0, bh_wait_for(self->fd, self->line, IDLE));
	EXPECT_EQ(0, bh_state(self->fd, self->line, &st));
	EXPECT_EQ(0, st.out_state);
	EXPECT_EQ(0, st.out_period_ns);
	EXPECT_EQ(0, st.out_period_left);
	EXPECT_TRUE(bh_accounted(&st));
	EXPECT_EQ(-ETIMEDOUT, bh_wait(self->fd, self->line, BHLAB_COND_RUNS, st.out_runs + 1,
				      30 * BH_MS));
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(CANCEL, self->line, .flags = flags));
}

TEST_F(period, cancel)
{
	for (int i = 0; i < 3; i++) {
		cancel(_metadata, self, 0);
		cancel(_metadata, self, BHLAB_ACT_SYNC);
	}
}

/* Cancelled before the first, and started again at once. */
TEST_F(period, cancelled_early)
{
	for (int i = 0; i < 20; i++) {
		EXPECT_EQ(BHLAB_RESULT_QUEUED, PERIOD(self->line, BH_NEVER, 1));
		EXPECT_EQ(BHLAB_RESULT_WAS_PENDING, ACT(CANCEL, self->line));
	}
	EXPECT_EQ(BHLAB_RESULT_QUEUED, PERIOD(self->line, BH_MS, 7));
	check_over(_metadata, self->fd, self->line, 7);
}

TEST_F(period, flush_and_destroy)
{
	struct bhlab_item_state st;

	EXPECT_EQ(BHLAB_RESULT_QUEUED, PERIOD(self->line, BH_MS, MOST));
	EXPECT_EQ(0, bh_wait_runs(self->fd, self->line, 2));
	EXPECT_LE(0, ACT(FLUSH, self->line));
	EXPECT_EQ(0, bh_state(self->fd, self->line, &st));
	EXPECT_TRUE(st.out_state & BHLAB_STATE_PERIODIC);
	EXPECT_LT(0, st.out_period_left);
	EXPECT_EQ(0, bh_destroy(self->fd, self->line));
	EXPECT_EQ(-ENOENT, bh_destroy(self->fd, self->line));
}

static __u64 left(int fd, __u32 id)
{
	struct bhlab_item_state st;

	return bh_state(fd, id, &st) ? -1ULL : st.out_period_left;
}

/* A disabled line is raised all the same. */
TEST_F(period, disabled)
{
	const __u64 end = bh_now() + BH_PATIENCE;
	struct bhlab_item_state st;

	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(DISABLE, self->line));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, PERIOD(self->line, BH_MS, 10));
	while (left(self->fd, self->line) && bh_now() < end)
		bh_sleep(BH_MS);
	EXPECT_EQ(0, bh_state(self->fd, self->line, &st));
	EXPECT_EQ(BHLAB_STATE_PENDING | BHLAB_STATE_DISABLED, st.out_state);
	EXPECT_EQ(0, st.out_runs);
	EXPECT_EQ(10, st.out_accepted);
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(ENABLE, self->line));
	check_over(_metadata, self->fd, self->line, 10);
}

TEST_F(period, on_cpu)
{
	struct bhlab_event e;

	if (!bh_has_cpu1())
		SKIP(return, "one CPU");
	for (__u32 cpu = 0; cpu < 2; cpu++) {
		EXPECT_EQ(BHLAB_RESULT_QUEUED,
			  bh_act(self->fd, TRIGGER, self->line, .cpu = cpu, .count = 3,
				 .flags = BHLAB_ACT_PERIOD | BHLAB_ACT_CPU, .ns = BH_MS));
		check_over(_metadata, self->fd, self->line, 3 * (cpu + 1));
		while (bh_event(self->fd, BHLAB_EVENT_RUN, self->line, &e) == 1)
			EXPECT_EQ(cpu, e.queue_cpu);
	}
}

TEST_F(period, several)
{
	int id[4];

	for (int i = 0; i < 4; i++) {
		char name[] = { 'a' + i, 0 };

		id[i] = bh_add(self->fd, BHLAB_MECH_IRQ, name, BH_MARK(i));
		EXPECT_EQ(BHLAB_RESULT_QUEUED, PERIOD(id[i], (i + 1) * BH_MS, 10 + i));
	}
	for (int i = 0; i < 4; i++)
		check_over(_metadata, self->fd, id[i], 10 + i);
}

/*
 * It takes what it may of the CPU, and what it misses is not made up for. Where
 * the handler is a thread it may run on the other CPU, and spend the budget
 * there: the load comes from both.
 */
TEST_F(period, throttled)
{
	const __u32 cpus = bh_has_cpu1() ? 2 : 1;
	struct bhlab_item_state st;
	__u64 missed = 0;
	int id[2];

	for (__u32 cpu = 0; cpu < cpus; cpu++) {
		char name[] = { 'a' + cpu, 0 };

		id[cpu] = bh_add(self->fd, BHLAB_MECH_IRQ, name, BH_SPIN(BH_MS));
		EXPECT_EQ(BHLAB_RESULT_QUEUED,
			  bh_act(self->fd, TRIGGER, id[cpu], .cpu = cpu, .count = 200,
				 .flags = BHLAB_ACT_PERIOD | BHLAB_ACT_CPU, .ns = 2 * BH_MS));
	}
	for (__u32 cpu = 0; cpu < cpus; cpu++) {
		check_over(_metadata, self->fd, id[cpu], 200);
		EXPECT_EQ(0, bh_state(self->fd, id[cpu], &st));
		missed += st.out_period_missed;
	}
	EXPECT_LT(0, missed);
}

TEST_HARNESS_MAIN
