// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steps that wait: for an item, for a queue, for the handlers of a line; and what
 * ends a wait that would not end by itself.
 */
#include <pthread.h>

#include "bhlab_test.h"

#define WORK		BHLAB_MECH_WORK
#define TASKLET		BHLAB_MECH_TASKLET
#define IRQ		BHLAB_MECH_IRQ
#define KTHREAD		BHLAB_MECH_KTHREAD_WORK

#define ACT(_verb, ...)	bh_act(self->fd, _verb, ##__VA_ARGS__)
#define ON(_op, _id)	BH_STEP(_op, .target = (_id))
#define SYNC(_op, _id)	BH_STEP(_op, .target = (_id), .flags = BHLAB_STEP_SYNC)
#define MOD(_id, _ns)	BH_STEP(DELAY, .target = (_id), .arg = (_ns), .flags = BHLAB_STEP_MOD)

FIXTURE(waits) {
	int fd;
	struct bhlab_info info;
};

FIXTURE_SETUP(waits)
{
	self->fd = bh_open(O_NONBLOCK);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, bh_info(self->fd, &self->info));
}

FIXTURE_TEARDOWN(waits)
{
	bh_privileged();
	bh_end(_metadata, self->fd);
}

/* An id for an item that is made later. */
static __u32 reserve(int fd, const char *name)
{
	struct bhlab_lookup l;

	return bh_lookup(fd, name, BHLAB_LOOKUP_RESERVE, &l) ? 0 : l.id;
}

/* Activate it, as far as it goes. */
static int start(int fd, __u32 mech, __u32 id)
{
	return mech == IRQ ? bh_act(fd, TRIGGER, id, .count = 1) : bh_act(fd, QUEUE, id);
}

/* The item runs once more; the record of that run. */
static int run(int fd, __u32 id, struct bhlab_event *e)
{
	struct bhlab_item_state st;
	int ret = bh_state(fd, id, &st);

	if (ret || bh_act(fd, QUEUE, id) != BHLAB_RESULT_QUEUED)
		return -EINVAL;
	ret = bh_wait(fd, id, BHLAB_COND_RUNS, st.out_runs + 1, 3 * BH_PATIENCE);
	if (ret)
		return ret;
	do {
		ret = bh_event(fd, BHLAB_EVENT_RUN, id, e);
	} while (ret == 1 && e->nth <= st.out_runs);
	return ret == 1 ? 0 : ret;
}

#define RUN(_id) ({								\
	struct bhlab_event _e = {};						\
	EXPECT_EQ(0, run(self->fd, _id, &_e));					\
	_e;									\
})

/* It has no reason to skip a step. */
#define RUN_WHOLE(_id) do {							\
	struct bhlab_event _w = RUN(_id);					\
	EXPECT_EQ(0, _w.skipped);						\
	EXPECT_EQ(0, _w.flags & ~BHLAB_EVENT_F_HELD);				\
} while (0)

#define RUN_SKIPS(_id, _skipped, _why) do {					\
	struct bhlab_event _w = RUN(_id);					\
	EXPECT_EQ(_skipped, _w.skipped);					\
	EXPECT_EQ(BHLAB_EVENT_F_##_why, _w.flags & ~BHLAB_EVENT_F_HELD);	\
} while (0)

/* Started while it waits, with what it waits for. */
#define STARTED(_id) do {							\
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, _id));			\
	EXPECT_EQ(0, bh_wait(self->fd, _id, BHLAB_COND_STARTED, 1, BH_PATIENCE)); \
} while (0)

/* Of an item that has run: the steps that it skipped, and why. */
#define SKIPPED(_id, _skipped, _why) do {					\
	struct bhlab_event _w = {};						\
	EXPECT_EQ(0, bh_wait_runs(self->fd, _id, 1));				\
	EXPECT_EQ(1, bh_event(self->fd, BHLAB_EVENT_RUN, _id, &_w));		\
	EXPECT_EQ(_skipped, _w.skipped);					\
	EXPECT_EQ(_why, _w.flags & ~BHLAB_EVENT_F_HELD);			\
} while (0)

/* --- each wait */

/* Whatever it is, it has run when its waiter goes on. */
TEST_F(waits, flush_and_wait)
{
	const __u32 ops[] = { BHLAB_OP_FLUSH, BHLAB_OP_WAIT };
	struct bhlab_item_state st;
	char name[] = "a";

	for (__u32 mech = 1; mech <= self->info.out_mechs; mech++, name[0]++) {
		int id = bh_add(self->fd, mech, name);

		if (bh_absent(self->fd, mech))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
			int work = bh_add(self->fd, WORK, "work",
					  BH_STEP(QUEUE, .target = id),
					  { .op = ops[i], .target = id }, BH_MARK(1));
			ASSERT_LT(0, work);
			if (mech == IRQ) {
				EXPECT_EQ(0, bh_destroy(self->fd, work));
				work = bh_add(self->fd, WORK, "work",
					      { .op = ops[i], .target = id });
				RUN_SKIPS(work, 1, REFUSED);
			} else {
				RUN_WHOLE(work);
				EXPECT_EQ(0, bh_state(self->fd, id, &st));
				EXPECT_EQ(i + 1, st.out_runs);
			}
			EXPECT_EQ(0, bh_destroy(self->fd, work));
		}
	}
}

/* A delay ends at once: an hour would be too late. */
TEST_F(waits, flush_ends_a_delay)
{
	struct bhlab_item_state st;
	char name[] = "a";

	for (__u32 mech = 1; mech <= self->info.out_mechs; mech++, name[0]++) {
		int id = bh_add(self->fd, mech, name), work;

		if (mech == IRQ || bh_absent(self->fd, mech))
			continue;
		work = bh_add(self->fd, WORK, "work", BH_STEP(DELAY, .target = id, .arg = BH_NEVER),
			      ON(FLUSH, id));
		RUN_WHOLE(work);
		EXPECT_EQ(0, bh_state(self->fd, id, &st));
		EXPECT_EQ(1, st.out_runs);
		EXPECT_EQ(0, bh_destroy(self->fd, work));
	}
}

/* The new delay counts. */
TEST_F(waits, mod)
{
	struct bhlab_item_state st;
	char name[] = "a";

	for (__u32 mech = 1; mech <= self->info.out_mechs; mech++, name[0]++) {
		int id = bh_add(self->fd, mech, name), never, soon;

		if (bh_absent(self->fd, mech))
			continue;
		never = bh_add(self->fd, TASKLET, "never", MOD(id, BH_NEVER));
		soon = bh_add(self->fd, TASKLET, "soon", MOD(id, BH_MS));
		ASSERT_LT(0, soon);
		RUN_WHOLE(never);
		RUN_WHOLE(soon);
		EXPECT_EQ(0, bh_wait_runs(self->fd, id, 1));
		EXPECT_EQ(0, bh_wait_for(self->fd, id, IDLE));
		EXPECT_EQ(0, bh_state(self->fd, id, &st));
		EXPECT_EQ(1, st.out_accepted);
		EXPECT_EQ(1, st.out_runs);
		EXPECT_EQ(0, bh_destroy(self->fd, never));
		EXPECT_EQ(0, bh_destroy(self->fd, soon));
	}
}

/* It queues itself again and again; when it is cancelled it rests. */
TEST_F(waits, cancel_sync)
{
	struct bhlab_item_state st;
	char name[] = "a";

	for (__u32 mech = 1; mech <= self->info.out_mechs; mech++, name[0]++) {
		const bool has = bh_has_verb(self->fd, mech, BHLAB_VERB_CANCEL) == 1 &&
				 mech != KTHREAD;
		int id, work;

		if (bh_absent(self->fd, mech))
			continue;
		id = mech == IRQ ? bh_add(self->fd, mech, name) :
				   bh_add(self->fd, mech, name, BH_SPIN(100 * BH_US),
					  BH_STEP(REQUEUE));
		work = bh_add(self->fd, WORK, "work", SYNC(CANCEL, id), BH_MARK(1));
		ASSERT_LT(0, work);
		EXPECT_EQ(BHLAB_RESULT_QUEUED, start(self->fd, mech, id));
		EXPECT_EQ(0, bh_wait_runs(self->fd, id, 1));
		if (!has) {
			RUN_SKIPS(work, 1, REFUSED);
		} else {
			RUN_WHOLE(work);
			EXPECT_EQ(0, bh_state(self->fd, id, &st));
			/* what a tasklet queues at its end comes after the kernel's wait */
			if (mech != TASKLET && mech != BHLAB_MECH_TASKLET_HI) {
				EXPECT_EQ(0, st.out_state & (BHLAB_STATE_PENDING |
							     BHLAB_STATE_RUNNING));
			}
		}
		EXPECT_EQ(0, bh_destroy(self->fd, id));
		EXPECT_EQ(0, bh_destroy(self->fd, work));
	}
}

TEST_F(waits, disable_sync)
{
	int slow = bh_add(self->fd, WORK, "slow", BH_SLEEP(50 * BH_MS));
	int work = bh_add(self->fd, WORK, "work", SYNC(DISABLE, slow));
	bool has = bh_has_verb(self->fd, WORK, BHLAB_VERB_DISABLE) == 1;
	struct bhlab_item_state st;

	ASSERT_LT(0, work);
	STARTED(slow);
	if (!has) {
		RUN_SKIPS(work, 1, REFUSED);
		return;
	}
	RUN_WHOLE(work);
	EXPECT_EQ(0, bh_state(self->fd, slow, &st));
	EXPECT_EQ(BHLAB_STATE_DISABLED, st.out_state);
	EXPECT_EQ(1, st.out_depth);
}

/* The thread of a line, too. */
TEST_F(waits, synchronize_irq)
{
	int line = bh_add_threaded(self->fd, "line", BH_SLEEP(50 * BH_MS));
	int work = bh_add(self->fd, WORK, "work", ON(SYNCHRONIZE_IRQ, line),
			  BH_STEP(SYNCHRONIZE_RCU));
	int wrong = bh_add(self->fd, WORK, "wrong", ON(SYNCHRONIZE_IRQ, work));
	struct bhlab_item_state st;

	ASSERT_LT(0, wrong);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(TRIGGER, line, .count = 1));
	EXPECT_EQ(0, bh_wait_for(self->fd, line, RUNNING));
	RUN_WHOLE(work);
	EXPECT_EQ(0, bh_state(self->fd, line, &st));
	EXPECT_EQ(0, st.out_state & BHLAB_STATE_RUNNING);
	RUN_SKIPS(wrong, 1, REFUSED);
}

/* What is on it; but not what is on a delay. */
TEST_F(waits, flush_queue)
{
	int queue = bh_queue(self->fd, "queue", BHLAB_WQ_ORDERED);
	int a = bh_add_to(self->fd, WORK, queue, "a", BH_SLEEP(20 * BH_MS));
	int b = bh_add_to(self->fd, WORK, queue, "b", BH_SLEEP(20 * BH_MS));
	int late = bh_add_to(self->fd, WORK, queue, "late");
	int work = bh_add(self->fd, WORK, "work", ON(QUEUE, a), ON(QUEUE, b),
			  BH_STEP(DELAY, .target = late, .arg = BH_NEVER), ON(FLUSH, queue));
	struct bhlab_item_state st;

	ASSERT_LT(0, work);
	RUN_WHOLE(work);
	EXPECT_EQ(0, bh_state(self->fd, a, &st));
	EXPECT_EQ(1, st.out_runs);
	EXPECT_EQ(0, bh_state(self->fd, b, &st));
	EXPECT_EQ(1, st.out_runs);
	EXPECT_EQ(0, st.out_state);
	EXPECT_EQ(0, bh_state(self->fd, late, &st));
	EXPECT_EQ(0, st.out_runs);
}

/* What its items queue, too; everything else is refused, and so is a delay on it. */
TEST_F(waits, drain)
{
	int queue = bh_queue(self->fd, "queue", BHLAB_WQ_ORDERED);
	int a = bh_add_to(self->fd, WORK, queue, "a", BH_SLEEP(5 * BH_MS),
			  BH_STEP(REQUEUE, .arg = 9));
	int work = bh_add(self->fd, WORK, "work", ON(DRAIN, queue));
	struct bhlab_queue_state qs;
	struct bhlab_item_state st;

	ASSERT_LT(0, work);
	STARTED(a);
	STARTED(work);
	for (int i = 0; i < 1000 && !bh_queue_state(self->fd, queue, &qs) && !qs.out_draining; i++)
		bh_sleep(BH_MS / 10);
	if (qs.out_draining) {
		int ret = ACT(QUEUE, a);

		/* the drain may just have ended */
		EXPECT_TRUE(ret == -EAGAIN || !bh_queue_state(self->fd, queue, &qs));
	}
	EXPECT_EQ(0, bh_wait_runs(self->fd, work, 1));
	EXPECT_EQ(0, bh_state(self->fd, a, &st));
	EXPECT_LE(10, st.out_runs);
	EXPECT_EQ(0, bh_wait_for(self->fd, a, IDLE));
	EXPECT_EQ(0, bh_queue_state(self->fd, queue, &qs));
	EXPECT_EQ(0, qs.out_draining);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, a, .ns = BH_NEVER));
	RUN_SKIPS(work, 1, REFUSED);
}

/* The kernel's own queues are not a lab's to wait for. */
TEST_F(waits, system_queue)
{
	int work = bh_add_to(self->fd, WORK, BHLAB_QUEUE_LONG, "work",
			     ON(FLUSH, BHLAB_QUEUE_PERCPU), ON(DRAIN, BHLAB_QUEUE_PERCPU));

	ASSERT_LT(0, work);
	RUN_SKIPS(work, 2, REFUSED);
}

/* --- what would never end */

static int why(int fd, __u32 queue, const char *name, const struct bhlab_step *s, __u32 nr,
	       struct bhlab_item_create *c)
{
	bh_fill(c, WORK, name);
	bh_steps(c, s, nr);
	c->queue = queue;
	return bh_call(fd, BHLAB_IOC_ITEM_CREATE, c);
}

#define REFUSED(_queue, _name, _step, ...) do {					\
	const struct bhlab_step _s[] = { __VA_ARGS__ };				\
	struct bhlab_item_create _c;						\
	EXPECT_EQ(-EDEADLK, why(self->fd, _queue, _name, _s, ARRAY_SIZE(_s), &_c)); \
	EXPECT_EQ(BHLAB_WHY_DEADLOCK, _c.out_why);				\
	EXPECT_EQ(_step, _c.out_step);						\
} while (0)

TEST_F(waits, refused_at_creation)
{
	int queue = bh_queue(self->fd, "queue", BHLAB_WQ_ORDERED);
	int m = bh_lock(self->fd, "m", BHLAB_LOCK_MUTEX, BHLAB_CTX_TASK);
	int other = bh_lock(self->fd, "other", BHLAB_LOCK_MUTEX, BHLAB_CTX_TASK);
	int taker = bh_add(self->fd, WORK, "taker", ON(LOCK, m), ON(UNLOCK, m));
	int thread = bh_add_threaded(self->fd, "thread", ON(LOCK, m), ON(UNLOCK, m));
	__u32 me = reserve(self->fd, "me");

	ASSERT_LT(0, thread);
	REFUSED(0, "me", 0, ON(FLUSH, me));
	REFUSED(0, "me", 1, BH_MARK(1), ON(WAIT, me));
	REFUSED(0, "me", 0, SYNC(CANCEL, me));
	REFUSED(0, "me", 0, SYNC(DISABLE, me));
	REFUSED(0, "me", 0, ON(SYNCHRONIZE_IRQ, me));
	REFUSED(queue, "me", 0, ON(FLUSH, queue));
	REFUSED(queue, "me", 0, ON(DRAIN, queue));
	REFUSED(0, "me", 1, ON(LOCK, m), ON(FLUSH, taker), ON(UNLOCK, m));
	REFUSED(0, "me", 1, ON(LOCK, m), SYNC(CANCEL, taker), ON(UNLOCK, m));
	REFUSED(0, "me", 1, ON(LOCK, m), ON(SYNCHRONIZE_IRQ, thread), ON(UNLOCK, m));
	REFUSED(0, "me", 2, ON(LOCK, m), ON(LOCK, other), ON(FLUSH, taker), ON(UNLOCK, other),
		ON(UNLOCK, m));
	/* neither that nor that */
	EXPECT_LT(0, bh_add(self->fd, WORK, "me", ON(CANCEL, me), ON(DISABLE, me), ON(LOCK, other),
			    ON(FLUSH, taker), ON(UNLOCK, other), ON(LOCK, m), ON(UNLOCK, m),
			    ON(FLUSH, taker), ON(FLUSH, queue)));
}

/* Without its id in the program, that is known when it runs only. */
TEST_F(waits, for_itself)
{
	int queue = bh_queue(self->fd, "queue", BHLAB_WQ_PERCPU);
	int me = bh_lock(self->fd, "lock", BHLAB_LOCK_MUTEX, BHLAB_CTX_TASK) + 1;

	ASSERT_EQ(me, bh_add(self->fd, WORK, "me", ON(FLUSH, me), ON(WAIT, me), SYNC(CANCEL, me),
			     SYNC(DISABLE, me), ON(FLUSH, queue)));
	RUN_SKIPS(me, 4, DEADLOCK);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, me, .flags = BHLAB_ACT_CPU));
}

/* Each waits for the next, whose id it knows already; the last one may not. */
static void cycle(struct __test_metadata *_metadata, int fd, __u32 mech, int nr)
{
	int skipped = 0, deadlocks = 0;
	struct bhlab_event e;
	__u32 id[16];
	char name[8];

	for (int i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		id[i] = reserve(fd, name);
	}
	for (int i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		if (i < nr - 1)
			id[nr] = bh_add(fd, mech, name, ON(QUEUE, id[i + 1]), ON(WAIT, id[i + 1]));
		else
			id[nr] = bh_add(fd, mech, name, ON(WAIT, id[0]));
		ASSERT_EQ(id[i], id[nr]);
	}
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(fd, QUEUE, id[0]));
	for (int i = 0; i < nr; i++)
		EXPECT_EQ(0, bh_wait_runs(fd, id[i], 1));
	while (bh_read(fd, &e, 1) == 1) {
		if (e.kind != BHLAB_EVENT_RUN)
			continue;
		skipped += e.skipped;
		deadlocks += !!(e.flags & BHLAB_EVENT_F_DEADLOCK);
		EXPECT_EQ(0, e.flags & BHLAB_EVENT_F_LATE);
	}
	/* one would wait for long if all of them waited */
	EXPECT_EQ(1, skipped);
	EXPECT_EQ(1, deadlocks);
	for (int i = 0; i < nr; i++)
		EXPECT_EQ(0, bh_destroy(fd, id[i]));
}

TEST_F(waits, cycles)
{
	cycle(_metadata, self->fd, KTHREAD, 2);
	cycle(_metadata, self->fd, KTHREAD, 3);
	cycle(_metadata, self->fd, WORK, 2);
	cycle(_metadata, self->fd, KTHREAD, 10);
}

/* What it waits for cannot start before it has returned. */
TEST_F(waits, behind_itself)
{
	int ordered = bh_queue(self->fd, "ordered", BHLAB_WQ_ORDERED);
	int single = bh_queue(self->fd, "single", BHLAB_WQ_SINGLETHREAD);
	int legacy = bh_queue(self->fd, "legacy", BHLAB_WQ_LEGACY);
	int wide = bh_queue(self->fd, "wide", BHLAB_WQ_PERCPU);
	const struct { int queue; bool stuck; } queues[] = {
		{ ordered, true }, { single, true }, { legacy, true }, { wide, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(queues); i++) {
		const __u32 on = queues[i].queue;
		int b = bh_add_to(self->fd, WORK, on, "b");
		int a = bh_add_to(self->fd, WORK, on, "a", ON(QUEUE, b), ON(FLUSH, b), ON(WAIT, b));

		ASSERT_LT(0, a);
		if (queues[i].stuck)
			RUN_SKIPS(a, 2, DEADLOCK);
		else
			RUN_WHOLE(a);
		EXPECT_EQ(0, bh_wait_for(self->fd, b, IDLE));
		EXPECT_EQ(0, bh_destroy(self->fd, a));
		/* on the other CPU there is room */
		a = bh_add_to(self->fd, WORK, on, "a",
			      BH_STEP(QUEUE, .target = b, .cpu = 1, .flags = BHLAB_STEP_CPU),
			      ON(FLUSH, b));
		if (bh_has_cpu1() && (on == (__u32)legacy || on == (__u32)wide)) {
			EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, a, .flags = BHLAB_ACT_CPU));
			SKIPPED(a, 0, 0);
		}
		EXPECT_EQ(0, bh_destroy(self->fd, a));
		EXPECT_EQ(0, bh_destroy(self->fd, b));
	}
}

/* Two places: one waits for the other, and that for what has no place; not both may. */
TEST_F(waits, all_places_taken)
{
	struct bhlab_queue_create c = {
		.size = sizeof(c), .flags = BHLAB_WQ_PERCPU, .max_active = 2, .name = "queue",
	};
	struct bhlab_item_state st[2];
	int a[2], b;

	ASSERT_EQ(0, bh_call(self->fd, BHLAB_IOC_QUEUE_CREATE, &c));
	b = bh_add_to(self->fd, WORK, c.out_id, "b");
	a[0] = bh_add_to(self->fd, WORK, c.out_id, "a0",
			 BH_STEP(QUEUE, .target = b, .flags = BHLAB_STEP_CPU), ON(WAIT, b));
	a[1] = bh_add_to(self->fd, WORK, c.out_id, "a1",
			 BH_STEP(QUEUE, .target = a[0], .flags = BHLAB_STEP_CPU), ON(WAIT, a[0]));
	ASSERT_LT(0, a[1]);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, a[1], .flags = BHLAB_ACT_CPU));
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(0, bh_wait_runs(self->fd, a[i], 1));
	EXPECT_EQ(0, bh_wait_runs(self->fd, b, 1));
	EXPECT_EQ(0, bh_state(self->fd, a[0], &st[0]));
	EXPECT_EQ(0, bh_state(self->fd, a[1], &st[1]));
	EXPECT_EQ(1, st[0].out_skipped + st[1].out_skipped);
}

/* A mutex that is held here, and that what is pending takes. */
TEST_F(waits, mutex_of_the_target)
{
	int m = bh_lock(self->fd, "m", BHLAB_LOCK_MUTEX, BHLAB_CTX_TASK);
	__u32 b = reserve(self->fd, "b");
	int a = bh_add(self->fd, WORK, "a", ON(LOCK, m),
		       BH_STEP(DELAY, .target = b, .arg = BH_NEVER),
		       ON(FLUSH, b), ON(UNLOCK, m), ON(FLUSH, b));

	ASSERT_LT(0, a);
	ASSERT_EQ(b, bh_add(self->fd, WORK, "b", ON(LOCK, m), BH_MARK(1), ON(UNLOCK, m)));
	RUN_SKIPS(a, 1, DEADLOCK);
}

/* It is running, and comes to the mutex; whoever is the second would close the cycle. */
TEST_F(waits, mutex_of_the_waiter)
{
	int m = bh_lock(self->fd, "m", BHLAB_LOCK_MUTEX, BHLAB_CTX_TASK);
	__u32 b = reserve(self->fd, "b");
	int a = bh_add(self->fd, KTHREAD, "a", ON(LOCK, m), ON(QUEUE, b), BH_SLEEP(20 * BH_MS),
		       SYNC(CANCEL, b), ON(UNLOCK, m));
	struct bhlab_item_state st[2];
	struct bhlab_event e;

	ASSERT_LT(0, a);
	ASSERT_EQ(b, bh_add(self->fd, WORK, "b", BH_SLEEP(100 * BH_MS), ON(LOCK, m), BH_MARK(1),
			    ON(UNLOCK, m), BH_MARK(2)));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, a));
	EXPECT_EQ(0, bh_wait_runs(self->fd, a, 1));
	EXPECT_EQ(0, bh_wait_runs(self->fd, b, 1));
	EXPECT_EQ(0, bh_state(self->fd, a, &st[0]));
	EXPECT_EQ(0, bh_state(self->fd, b, &st[1]));
	/* the wait; or the bracket, and all in it, but not what follows */
	EXPECT_EQ(st[0].out_skipped ? 0 : 3, st[1].out_skipped);
	EXPECT_EQ(1, bh_event(self->fd, BHLAB_EVENT_RUN, st[0].out_skipped ? a : b, &e));
	EXPECT_EQ(BHLAB_EVENT_F_DEADLOCK, e.flags & ~BHLAB_EVENT_F_HELD);
}

/* --- what ends a wait */

/* It never rests: the wait is given up, and so are those that follow. */
TEST_F(waits, late)
{
	int b = bh_add(self->fd, TASKLET, "b", BH_STEP(DELAY, .target = 1, .arg = BH_MS));
	int a = bh_add(self->fd, WORK, "a", ON(WAIT, b), ON(FLUSH, b), BH_STEP(SYNCHRONIZE_RCU),
		       BH_MARK(1));
	struct bhlab_event e = {};

	ASSERT_EQ(1, b);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, b));
	e = RUN(a);
	EXPECT_LE(self->info.out_process_ns, e.finished_ns - e.started_ns);
	EXPECT_LE(2, e.skipped);
	EXPECT_TRUE(e.flags & BHLAB_EVENT_F_LATE);
	EXPECT_EQ(0, bh_destroy(self->fd, b));
}

TEST_F(waits, target_destroyed)
{
	int b = bh_add(self->fd, WORK, "b");
	int a = bh_add(self->fd, WORK, "a", ON(WAIT, b), BH_MARK(1));

	ASSERT_LT(0, a);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, b, .ns = BH_NEVER));
	STARTED(a);
	bh_sleep(20 * BH_MS);
	EXPECT_EQ(0, bh_destroy(self->fd, b));
	SKIPPED(a, 1, BHLAB_EVENT_F_GONE);
}

/* Who waits is destroyed, and a verb waits for that. */
TEST_F(waits, waiter_destroyed)
{
	int b = bh_add(self->fd, WORK, "b"), a[3];
	struct bhlab_event e;
	__u64 begun;

	a[0] = bh_add(self->fd, WORK, "a0", ON(WAIT, b), BH_MARK(1));
	a[1] = bh_add(self->fd, KTHREAD, "a1", ON(WAIT, b), BH_MARK(1));
	a[2] = bh_add_threaded(self->fd, "a2", ON(WAIT, b), BH_MARK(1));
	ASSERT_LT(0, a[2]);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, b, .ns = BH_NEVER));
	begun = bh_now();
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(BHLAB_RESULT_QUEUED, start(self->fd, i == 2 ? IRQ : WORK, a[i]));
		EXPECT_EQ(0, bh_wait_for(self->fd, a[i], RUNNING));
		EXPECT_EQ(0, bh_destroy(self->fd, a[i]));
		do {
			EXPECT_EQ(1, bh_event(self->fd, BHLAB_EVENT_RUN, a[i], &e));
		} while (e.stage == BHLAB_STAGE_TOP);
		/* that was its end, and not the end of its time */
		EXPECT_EQ(BHLAB_EVENT_F_DYING, e.flags & ~BHLAB_EVENT_F_HELD);
	}
	EXPECT_GT(BH_PATIENCE, bh_now() - begun);
	EXPECT_EQ(BHLAB_RESULT_WAS_PENDING, ACT(CANCEL, b));
}

/* As many as may be, each for the next, and the lab ends. */
TEST_F(waits, closed_meanwhile)
{
	const int nr = self->info.out_lab_ns / self->info.out_process_ns;
	int queue = bh_queue(self->fd, "queue", BHLAB_WQ_UNBOUND);
	__u32 last = reserve(self->fd, "last");
	char name[16];
	__u64 begun;
	int id;

	for (int i = 0; i <= nr; i++) {
		snprintf(name, sizeof(name), "w%d", i);
		id = bh_add_to(self->fd, WORK, queue, name, ON(WAIT, last));
		if (i == nr) {
			EXPECT_EQ(-ENOSPC, id);
		} else if (id < 0) {
			EXPECT_LT(0, id);
			break;
		} else {
			EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, id, .ns = 10 * BH_MS));
		}
	}
	ASSERT_EQ(last, bh_add(self->fd, WORK, "last"));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, last, .ns = BH_NEVER));
	bh_sleep(100 * BH_MS);
	begun = bh_now();
	close(self->fd);
	EXPECT_GT(BH_PATIENCE, bh_now() - begun);
	self->fd = -1;
}

/* Who waits holds a kworker, on a queue that all others need. */
TEST_F(waits, system_sleepers)
{
	char name[16];
	int id;

	for (__u32 i = 0; i < self->info.out_max_sleepers; i++) {
		snprintf(name, sizeof(name), "w%u", i);
		id = bh_add(self->fd, WORK, name, i % 2 ? ON(WAIT, 99) : BH_STEP(SYNCHRONIZE_RCU));
		ASSERT_LT(0, id);
	}
	EXPECT_EQ(-ENOSPC, bh_add(self->fd, WORK, "over", ON(FLUSH, 99)));
	EXPECT_EQ(-ENOSPC, bh_add(self->fd, WORK, "over", SYNC(CANCEL, 99)));
	EXPECT_LT(0, bh_add(self->fd, WORK, "over", ON(CANCEL, 99)));
}

/* Where a program must not sleep, it must not wait. */
TEST_F(waits, in_process_context_only)
{
	int m = bh_lock(self->fd, "m", BHLAB_LOCK_MUTEX, BHLAB_CTX_TASK);
	int spin = bh_lock(self->fd, "spin", BHLAB_LOCK_SPIN, BHLAB_CTX_TASK);
	const struct bhlab_step waits[] = {
		ON(FLUSH, 9), ON(DRAIN, 9), ON(WAIT, 9), SYNC(CANCEL, 9), SYNC(DISABLE, 9),
		ON(SYNCHRONIZE_IRQ, 9), BH_STEP(SYNCHRONIZE_RCU),
	};

	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		EXPECT_EQ(-EINVAL, bh_add(self->fd, TASKLET, "x", waits[i]));
		EXPECT_EQ(-EINVAL, bh_add(self->fd, IRQ, "x", waits[i]));
		EXPECT_EQ(-EINVAL, bh_add(self->fd, WORK, "x", BH_STEP(BH_OFF), waits[i],
					  BH_STEP(BH_ON)));
		EXPECT_EQ(-EINVAL, bh_add(self->fd, WORK, "x", ON(LOCK, spin), waits[i],
					  ON(UNLOCK, spin)));
		int id = bh_add(self->fd, WORK, "x", ON(LOCK, m), waits[i], ON(UNLOCK, m));

		EXPECT_LT(0, id);
		EXPECT_EQ(0, bh_destroy(self->fd, id));
	}
}

/* --- all at once, by a member: what no verb ends must end by itself */

static void *verbs(void *arg)
{
	int fd = *(int *)arg;
	unsigned int seed = 1;
	__u64 end = bh_now() + 2 * BH_S;

	while (bh_now() < end) {
		__u32 id = 1 + rand_r(&seed) % 24;

		switch (rand_r(&seed) % 8) {
		case 0:
			bh_act(fd, FLUSH, id);
			break;
		case 1:
			bh_act(fd, CANCEL, id, .flags = BHLAB_ACT_SYNC);
			break;
		case 2:
			bh_act(fd, DRAIN, id);
			break;
		case 3:
			bh_destroy(fd, id);
			break;
		default:
			bh_act(fd, QUEUE, id);
		}
	}
	return NULL;
}

TEST_F(waits, storm)
{
	const __u32 ops[] = {
		BHLAB_OP_FLUSH, BHLAB_OP_WAIT, BHLAB_OP_DRAIN, BHLAB_OP_CANCEL, BHLAB_OP_DISABLE,
		BHLAB_OP_QUEUE, BHLAB_OP_ENABLE, BHLAB_OP_FLUSH,
	};
	unsigned int seed = 7;
	pthread_t thread[4];
	char name[16];

	ASSERT_EQ(1, bh_lock(self->fd, "m", BHLAB_LOCK_MUTEX, BHLAB_CTX_TASK));
	ASSERT_EQ(2, bh_lock(self->fd, "n", BHLAB_LOCK_MUTEX, BHLAB_CTX_TASK));
	ASSERT_EQ(3, bh_queue(self->fd, "ordered", BHLAB_WQ_ORDERED));
	ASSERT_EQ(4, bh_queue(self->fd, "legacy", BHLAB_WQ_LEGACY));
	for (int i = 5; i < 25; i++) {
		struct bhlab_step s[8] = {};
		__u32 nr = 0, lock = 1 + rand_r(&seed) % 2;
		struct bhlab_item_create c;

		snprintf(name, sizeof(name), "i%d", i);
		s[nr++] = ON(QUEUE, 5 + rand_r(&seed) % 20);
		if (i % 3)
			s[nr++] = ON(LOCK, lock);
		for (int k = 0; k < 3; k++) {
			s[nr] = (struct bhlab_step){ .op = ops[rand_r(&seed) % ARRAY_SIZE(ops)] };
			s[nr].target = s[nr].op == BHLAB_OP_DRAIN ? 3 + rand_r(&seed) % 2 :
				       5 + rand_r(&seed) % 20;
			if (s[nr].op == BHLAB_OP_CANCEL || s[nr].op == BHLAB_OP_DISABLE)
				s[nr].flags = BHLAB_STEP_SYNC;
			nr++;
		}
		if (i % 3)
			s[nr++] = ON(UNLOCK, lock);
		bh_fill(&c, i % 5 ? WORK : KTHREAD, name);
		bh_steps(&c, s, nr);
		c.queue = i % 5 ? (const __u32[]){ 0, 3, 4 }[i % 3] : 0;
		/* one that waits for its own queue is refused */
		bh_create(self->fd, &c);
	}
	for (size_t i = 0; i < ARRAY_SIZE(thread); i++)
		pthread_create(&thread[i], NULL, verbs, &self->fd);
	for (size_t i = 0; i < ARRAY_SIZE(thread); i++)
		pthread_join(thread[i], NULL);
	close(self->fd);
	self->fd = -1;
}

TEST_HARNESS_MAIN
