// SPDX-License-Identifier: GPL-2.0-only
/*
 * The budget: however much a user wants to be done in atomic context and at
 * real-time priority, who else is on the CPU gets on.
 */
#include <pthread.h>

#include "bhlab_test.h"

#define LABS	3
#define LINES	2

/* Spins as long as it may, again and again. */
static int add_hog(int fd, __u32 mech, const char *name, __u64 ns)
{
	return bh_add(fd, mech, name, BH_STEP(REQUEUE), BH_SPIN(ns));
}

static const struct {
	__u32 mech;
	const char *name;
} hogs[] = {
	{ BHLAB_MECH_TASKLET, "tasklet" }, { BHLAB_MECH_TASKLET_HI, "tasklet_hi" },
	{ BHLAB_MECH_IRQ_WORK, "irq_work" }, { BHLAB_MECH_TIMER, "timer" },
	{ BHLAB_MECH_HRTIMER, "hrtimer" }, { BHLAB_MECH_HRTIMER_SOFT, "hrtimer_soft" },
	{ BHLAB_MECH_RCU, "rcu" },
};

#define HOGS	ARRAY_SIZE(hogs)

/* A line that sets all of them going, and spins itself, as does its thread. */
static int add_line(int fd, const char *name, __u64 ns)
{
	struct bhlab_step top[HOGS + 2] = { BH_THREAD }, thread[] = { BH_SPIN(ns) };
	struct bhlab_item_create c;

	for (__u32 i = 0; i < HOGS; i++)
		top[1 + i] = BH_STEP(QUEUE, .target = 1 + i);
	top[HOGS + 1] = BH_SPIN(ns);
	bh_fill(&c, BHLAB_MECH_IRQ, name);
	bh_steps(&c, top, HOGS + 2);
	bh_thread_steps(&c, thread, 1);
	return bh_create(fd, &c);
}

/* All on CPU 0, for as long as the lab is open; by somebody without privileges. */
static int start_load(int fd, __u64 ns)
{
	int line, ret;

	for (__u32 i = 0; i < HOGS; i++)
		if (add_hog(fd, hogs[i].mech, hogs[i].name, ns) != 1 + i)
			return -1;
	for (int i = 0; i < LINES; i++) {
		line = add_line(fd, i ? "one" : "zero", ns);
		ret = bh_act(fd, TRIGGER, line, .flags = BHLAB_ACT_PERIOD | BHLAB_ACT_CPU,
			     .ns = 2 * ns, .count = BHLAB_TRIGGER_MAX);
		if (ret != BHLAB_RESULT_QUEUED)
			return ret;
	}
	return 0;
}

/* Keeps the other CPU busy: with the load or without it the host has two to run. */
struct companion {
	pthread_t thread;
	bool enough;
};

static void *companion(void *arg)
{
	struct companion *c = arg;

	bh_pin(1);
	while (!__atomic_load_n(&c->enough, __ATOMIC_RELAXED))
		;
	return NULL;
}

/* How far a plain loop comes in so much time. */
static __u64 progress(__u64 ns)
{
	__u64 end = bh_now() + ns, n = 0;

	while (bh_now() < end)
		n++;
	return n;
}

/* In percent of what there is for it without the load; the host may be busy. */
static int share(struct __test_metadata *_metadata, __u64 ns, __u64 *throttled)
{
	struct bhlab_item_state st;
	__u64 alone, beside;
	int fd[LABS];

	alone = progress(BH_S / 2);
	for (int i = 0; i < LABS; i++)
		fd[i] = bh_open(O_NONBLOCK);
	EXPECT_EQ(0, bh_unprivileged());
	for (int i = 0; i < LABS; i++)
		EXPECT_EQ(0, start_load(fd[i], ns));
	beside = progress(BH_S);
	EXPECT_EQ(0, bh_privileged());
	for (int i = 0; i < LABS; i++) {
		for (__u32 id = 1; !bh_state(fd[i], id, &st); id++) {
			*throttled += st.out_throttled;
			EXPECT_LE(st.out_throttled, st.out_skipped);
		}
		close(fd[i]);
	}
	alone += progress(BH_S / 2);
	return beside * 100 / alone;
}

/*
 * The budget is a quarter of the time that goes by, which leaves three quarters
 * to the loop. Where the host takes away half of the CPU it leaves half, and a
 * quarter where that takes two thirds; without a budget nothing is left.
 */
#define LEAST	25

TEST(others_get_on)
{
	struct companion c = { .enough = false };
	struct bhlab_info info;
	__u64 throttled = 0;
	int fd = bh_open(0), best = 0;

	ASSERT_EQ(0, bh_info(fd, &info));
	close(fd);
	ASSERT_EQ(0, bh_pin(0));
	ASSERT_EQ(0, pthread_create(&c.thread, NULL, companion, &c));
	for (int i = 0; i < 8 && best < LEAST; i++) {
		int now = share(_metadata, info.out_atomic_ns, &throttled);

		TH_LOG("beside them a loop comes to %d %%", now);
		best = now > best ? now : best;
	}
	__atomic_store_n(&c.enough, true, __ATOMIC_RELAXED);
	pthread_join(c.thread, NULL);
	EXPECT_LE(LEAST, best);
	EXPECT_LT(0, throttled);
}

/* What is too much is skipped, and that is said. */
TEST(records_tell)
{
	struct bhlab_info info;
	struct bhlab_event e;
	int fd = bh_open(O_NONBLOCK), id;
	__u64 end;

	ASSERT_EQ(0, bh_info(fd, &info));
	id = add_hog(fd, BHLAB_MECH_TASKLET, "tasklet", info.out_atomic_ns);
	ASSERT_LT(0, id);
	for (end = bh_now() + BH_PATIENCE; bh_now() < end;) {
		EXPECT_LE(0, bh_act(fd, QUEUE, id, .flags = BHLAB_ACT_CPU));
		EXPECT_EQ(0, bh_wait_for(fd, id, IDLE));
		while (bh_event(fd, BHLAB_EVENT_RUN, id, &e) == 1)
			if (e.flags & BHLAB_EVENT_F_THROTTLED) {
				EXPECT_LE(1, e.skipped);
				close(fd);
				return;
			}
	}
	EXPECT_TRUE(false) {
		TH_LOG("never throttled");
	}
}

TEST_HARNESS_MAIN
