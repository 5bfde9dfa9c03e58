// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each verb on each mechanism, in each state that an item can be in: what it
 * answers, and what it counts.
 */
#include "bhlab_test.h"

/* What has to happen meanwhile has plenty of time. */
#define LONG_SLEEP	(BH_S / 2)

/* Ends what is pending: where the kernel has no cancel it runs. */
static void end_pending(int fd, __u32 id)
{
	if (bh_act(fd, CANCEL, id, .flags = BHLAB_ACT_SYNC) < 0)
		bh_act(fd, FLUSH, id);
}

/* Whatever a test has done: at rest, all is accounted for. */
static void check_accounts(struct __test_metadata *_metadata, int fd)
{
	struct bhlab_lookup l = { .size = sizeof(l) };
	struct bhlab_item_state st;

	while (!bh_call(fd, BHLAB_IOC_NEXT, &l)) {
		if (bh_state(fd, l.id, &st))
			continue;
		EXPECT_TRUE(bh_accounted(&st)) {
			TH_LOG("item %s", l.name);
		}
		EXPECT_EQ(!!(st.out_state & BHLAB_STATE_DISABLED), !!st.out_depth);
		EXPECT_EQ(!!(st.out_state & BHLAB_STATE_PENDING), !!st.out_outstanding);
		while (st.out_depth && !bh_act(fd, ENABLE, l.id))
			st.out_depth--;
		end_pending(fd, l.id);
		EXPECT_EQ(0, bh_wait_for(fd, l.id, IDLE));
		EXPECT_EQ(0, bh_state(fd, l.id, &st));
		EXPECT_TRUE(bh_accounted(&st)) {
			TH_LOG("item %s", l.name);
		}
		EXPECT_EQ(0, st.out_outstanding);
		EXPECT_EQ(0, st.out_state);
		EXPECT_EQ(st.out_thread_wakes, st.out_thread_runs + st.out_thread_merged);
	}
}

/* A lab with one item, whose program does nothing but a mark. */
#define BENCH(_name)								\
FIXTURE(_name) {								\
	int fd;									\
	struct bhlab_mech_info mech;						\
	int id;									\
};										\
FIXTURE_VARIANT(_name) {							\
	__u32 mech;								\
};										\
FIXTURE_SETUP(_name)								\
{										\
	self->fd = bh_open(O_NONBLOCK);						\
	ASSERT_LE(0, self->fd);							\
	ASSERT_EQ(0, bh_mech(self->fd, variant->mech, &self->mech));		\
	if (!self->mech.out_native)						\
		SKIP(return, "%s: not on this kernel", self->mech.out_name);	\
	self->id = bh_add(self->fd, variant->mech, "item", BH_MARK(1));		\
	ASSERT_EQ(1, self->id);							\
}										\
FIXTURE_TEARDOWN(_name)								\
{										\
	bh_privileged();							\
	check_accounts(_metadata, self->fd);					\
	bh_end(_metadata, self->fd);						\
}

#define VARIANT(_name, _mech, _fixture)						\
	FIXTURE_VARIANT_ADD(_fixture, _name) { .mech = _mech };

/* Every mechanism. */
BENCH(verbs)
BH_ALL(VARIANT, verbs)

/* Those that can be disabled. */
BENCH(disables)
BH_THAT_DISABLE(VARIANT, disables)

/* Those whose activations wait while they are disabled. */
BENCH(keeps)
BH_THAT_KEEP(VARIANT, keeps)

/* Those that can sleep: in process context, and the thread of an irq. */
BENCH(sleeps)
BH_THAT_SLEEP(VARIANT, sleeps)

/* Those that can be queued again while they sleep. */
BENCH(reruns)
BH_IN_TASK(VARIANT, reruns)

/* Those that can queue themselves. */
BENCH(requeues)
BH_BY_QUEUE(VARIANT, requeues)

/* Those that can be met running in atomic context, for as long as they spin. */
BENCH(spins)
BH_HOGS(VARIANT, spins)

BENCH(irq)
VARIANT(irq, BHLAB_MECH_IRQ, irq)

#define HAS(_verb)	((self->mech.out_native | self->mech.out_emulated) &	\
			 (1U << BHLAB_VERB_##_verb))
#define NEED(_verb) do {							\
	if (!HAS(_verb))							\
		SKIP(return, "%s has no %s on this kernel", self->mech.out_name, #_verb); \
} while (0)

#define IS_IRQ		(variant->mech == BHLAB_MECH_IRQ)
#define IS_KTHREAD	(variant->mech == BHLAB_MECH_KTHREAD_WORK)
/* Without waiting; the kernel cancels a kthread_work only from where it may. */
#define CANCELS_NOW	(HAS(CANCEL) && !IS_KTHREAD)
#define CANCEL_FLAGS	(IS_KTHREAD ? BHLAB_ACT_SYNC : 0)
#define IS_WORK		(variant->mech == BHLAB_MECH_WORK)
#define IS_POLL		(variant->mech == BHLAB_MECH_IRQ_POLL)
#define IS_CSD		(variant->mech == BHLAB_MECH_CSD)
/* Its delay is a timer of the kernel's wheel, which knows of ticks alone. */
#define IN_TICKS	(IS_WORK || variant->mech == BHLAB_MECH_TIMER ||		\
			 IS_KTHREAD)
#define IS_TASKLET	(variant->mech == BHLAB_MECH_TASKLET ||				\
			 variant->mech == BHLAB_MECH_TASKLET_HI)
/* On a workqueue, of which each activation can name another. */
#define IS_QUEUED	(IS_WORK || variant->mech == BHLAB_MECH_RCU_WORK)

/* By the verb that the mechanism has for it. */
static int activate(int fd, __u32 mech, __u32 id)
{
	return mech == BHLAB_MECH_IRQ ? bh_act(fd, TRIGGER, id, .count = 1) :
					bh_act(fd, QUEUE, id);
}

#define ACTIVATE(_id)	activate(self->fd, variant->mech, _id)
#define ACT(_verb, ...)	bh_act(self->fd, _verb, ##__VA_ARGS__)
#define WAIT_IDLE(_id)	EXPECT_EQ(0, bh_wait_for(self->fd, _id, IDLE))
#define STILL_BUSY(_id)								\
	EXPECT_EQ(-ETIMEDOUT, bh_wait(self->fd, _id, BHLAB_COND_IDLE, 0, 20 * BH_MS))

#define PENDING		BHLAB_STATE_PENDING
#define DELAYED		BHLAB_STATE_DELAYED
#define RUNNING		BHLAB_STATE_RUNNING
#define DISABLED	BHLAB_STATE_DISABLED

/* The state's bits and all counters; what is not named is 0. */
#define STATE(_id, _bits, ...) do {						\
	const struct bhlab_item_state _e = { __VA_ARGS__ };			\
	struct bhlab_item_state _s;						\
										\
	EXPECT_EQ(0, bh_state(self->fd, _id, &_s));				\
	EXPECT_EQ(_bits, _s.out_state);						\
	EXPECT_EQ(_e.out_accepted, _s.out_accepted);				\
	EXPECT_EQ(_e.out_coalesced, _s.out_coalesced);				\
	EXPECT_EQ(_e.out_refused, _s.out_refused);				\
	EXPECT_EQ(_e.out_runs, _s.out_runs);					\
	EXPECT_EQ(_e.out_cancelled, _s.out_cancelled);				\
	EXPECT_EQ(_e.out_merged, _s.out_merged);				\
	EXPECT_EQ(_e.out_outstanding, _s.out_outstanding);			\
	EXPECT_EQ(_e.out_skipped, _s.out_skipped);				\
} while (0)

/* --- what there is */

static bool can_cancel(__u32 mech)
{
	switch (mech) {
	case BHLAB_MECH_IRQ_WORK: case BHLAB_MECH_RCU: case BHLAB_MECH_RCU_WORK:
	case BHLAB_MECH_IRQ_POLL: case BHLAB_MECH_CSD: case BHLAB_MECH_SRCU:
		return false;
	default:
		return true;
	}
}

TEST_F(verbs, offered)
{
	int expected;

#define OFFERED(_verb, ...) do {						\
	expected = HAS(_verb) ? 0 : -EOPNOTSUPP;				\
	EXPECT_EQ(expected, bh_act(self->fd, _verb, self->id, __VA_ARGS__) < 0 ? \
			    bh_act(self->fd, _verb, self->id, __VA_ARGS__) : 0) { \
		TH_LOG("%s %s", #_verb, self->mech.out_name);			\
	}									\
} while (0)
	OFFERED(QUEUE, .flags = 0);
	OFFERED(TRIGGER, .count = 1);
	OFFERED(DELAY, .ns = 0);
	OFFERED(CANCEL, .flags = BHLAB_ACT_SYNC);
	OFFERED(FLUSH, .flags = 0);
	OFFERED(DISABLE, .flags = 0);
	OFFERED(ENABLE, .flags = 0);
	EXPECT_EQ(!HAS(DISABLE), !HAS(ENABLE));
	EXPECT_FALSE(HAS(DRAIN));
	EXPECT_EQ(0, self->mech.out_native & self->mech.out_emulated);
	EXPECT_TRUE(HAS(DELAY));
	EXPECT_EQ(can_cancel(variant->mech), !!HAS(CANCEL));
	EXPECT_TRUE(HAS(FLUSH));
	EXPECT_EQ(IS_IRQ, !!HAS(TRIGGER));
	EXPECT_EQ(!IS_IRQ, !!HAS(QUEUE));
}

TEST_F(verbs, emulated_is_said)
{
	struct bhlab_act a;

#define EMULATED(_verb, ...) do {						\
	a = (struct bhlab_act){ .size = sizeof(a), .id = self->id, __VA_ARGS__ }; \
	if (HAS(_verb)) {							\
		EXPECT_EQ(0, bh_call(self->fd, BHLAB_IOC_##_verb, &a));		\
		EXPECT_EQ(!!(self->mech.out_emulated & (1U << BHLAB_VERB_##_verb)), \
			  !!(a.out_flags & BHLAB_OUT_EMULATED)) {		\
			TH_LOG("%s %s", #_verb, self->mech.out_name);		\
		}								\
	}									\
} while (0)
	EMULATED(QUEUE, .flags = 0);
	EMULATED(TRIGGER, .count = 1);
	EMULATED(DELAY, .ns = BH_NEVER);
	EMULATED(CANCEL, .flags = BHLAB_ACT_SYNC);
	EMULATED(FLUSH, .flags = 0);
	EMULATED(DISABLE, .flags = 0);
	EMULATED(ENABLE, .flags = 0);
}

#define CONTEXTS	(BHLAB_CTX_TASK | BHLAB_CTX_SOFTIRQ | BHLAB_CTX_HARDIRQ)

/* What the driver says, and what the kernel is known to do. */
static __u32 known_context(__u32 mech, __u32 features)
{
	const bool rt = features & BHLAB_FEATURE_RT;

	switch (mech) {
	case BHLAB_MECH_WORK: case BHLAB_MECH_KTHREAD_WORK: case BHLAB_MECH_RCU_WORK:
	case BHLAB_MECH_SRCU:
		return BHLAB_CTX_TASK;
	case BHLAB_MECH_IRQ:
		return features & BHLAB_FEATURE_THREADIRQS ? BHLAB_CTX_TASK : BHLAB_CTX_HARDIRQ;
	case BHLAB_MECH_IRQ_WORK:
		return rt ? BHLAB_CTX_TASK : BHLAB_CTX_HARDIRQ;
	case BHLAB_MECH_CSD:
		return BHLAB_CTX_HARDIRQ;
	case BHLAB_MECH_HRTIMER:
		return rt ? BHLAB_CTX_SOFTIRQ : BHLAB_CTX_HARDIRQ;
	case BHLAB_MECH_RCU:
		return rt ? BHLAB_CTX_TASK : BHLAB_CTX_SOFTIRQ;
	default:
		return BHLAB_CTX_SOFTIRQ;
	}
}

static __u32 strictest_context(__u32 mech)
{
	return mech == BHLAB_MECH_SRCU ? BHLAB_CTX_SOFTIRQ : known_context(mech, 0);
}

/* It runs in the context that the driver says it does on this kernel. */
TEST_F(verbs, context)
{
	struct bhlab_info info;
	struct bhlab_event e;

	ASSERT_EQ(0, bh_info(self->fd, &info));
	EXPECT_EQ(known_context(variant->mech, info.out_features), self->mech.out_context);
	EXPECT_EQ(strictest_context(variant->mech), self->mech.out_written_for);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACTIVATE(self->id));
	EXPECT_EQ(0, bh_wait_runs(self->fd, self->id, 1));
	EXPECT_EQ(1, bh_event(self->fd, BHLAB_EVENT_RUN, self->id, &e));
	/* or the idle task of a CPU that needs no interrupt */
	EXPECT_TRUE(self->mech.out_context == (e.context & CONTEXTS) ||
		    (IS_CSD && e.context & BHLAB_CTX_IRQ_OFF)) {
		TH_LOG("context %#x", e.context);
	}
	EXPECT_EQ(IS_IRQ ? BHLAB_STAGE_TOP : BHLAB_STAGE_MAIN, e.stage);
	EXPECT_EQ(variant->mech, e.mech);
}

/* --- idle */

TEST_F(verbs, idle)
{
	EXPECT_EQ(CANCELS_NOW ? BHLAB_RESULT_IDLE : -EOPNOTSUPP, ACT(CANCEL, self->id));
	EXPECT_EQ(HAS(CANCEL) ? BHLAB_RESULT_IDLE : -EOPNOTSUPP,
		  ACT(CANCEL, self->id, .flags = BHLAB_ACT_SYNC));
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(FLUSH, self->id));
	if (HAS(ENABLE)) {
		EXPECT_EQ(-EINVAL, ACT(ENABLE, self->id));
	}
	WAIT_IDLE(self->id);
	STATE(self->id, 0);
	EXPECT_EQ(0, bh_destroy(self->fd, self->id));
}

TEST_F(verbs, run)
{
	for (int i = 1; i <= 3; i++) {
		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACTIVATE(self->id));
		EXPECT_EQ(0, bh_wait_runs(self->fd, self->id, i));
		WAIT_IDLE(self->id);
		STATE(self->id, 0, .out_accepted = i, .out_runs = i);
	}
	EXPECT_EQ(CANCELS_NOW ? BHLAB_RESULT_IDLE : -EOPNOTSUPP, ACT(CANCEL, self->id));
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(FLUSH, self->id));
	STATE(self->id, 0, .out_accepted = 3, .out_runs = 3);
}

/* Whether the run is over already or not: after a flush it is. */
TEST_F(verbs, flush)
{
	int ret;

	for (int i = 1; i <= 20; i++) {
		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACTIVATE(self->id));
		ret = ACT(FLUSH, self->id);
		EXPECT_TRUE(ret == BHLAB_RESULT_WAITED || ret == BHLAB_RESULT_IDLE);
		STATE(self->id, 0, .out_accepted = i, .out_runs = i);
	}
}

/* Whether it comes in time or not: nothing is counted twice or lost. */
TEST_F(verbs, cancel)
{
	struct bhlab_item_state st;
	int hits = 0;

	for (int i = 1; i <= 20; i++) {
		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACTIVATE(self->id));
		hits += ACT(CANCEL, self->id, .flags = BHLAB_ACT_SYNC) == BHLAB_RESULT_WAS_PENDING;
		WAIT_IDLE(self->id);
		EXPECT_EQ(0, bh_state(self->fd, self->id, &st));
		EXPECT_EQ(i, st.out_runs + st.out_cancelled);
		EXPECT_GE(hits, st.out_cancelled);
	}
}

/* --- delayed */

TEST_F(verbs, delayed)
{
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, self->id, .ns = BH_NEVER));
	STATE(self->id, PENDING | DELAYED, .out_accepted = 1, .out_outstanding = 1);
	STILL_BUSY(self->id);
	EXPECT_EQ(0, bh_wait_for(self->fd, self->id, PENDING));
	if (!HAS(CANCEL)) {
		EXPECT_EQ(0, bh_destroy(self->fd, self->id));
		return;
	}
	EXPECT_EQ(BHLAB_RESULT_WAS_PENDING, ACT(CANCEL, self->id, .flags = CANCEL_FLAGS));
	STATE(self->id, 0, .out_accepted = 1, .out_cancelled = 1);
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(CANCEL, self->id, .flags = CANCEL_FLAGS));
	STATE(self->id, 0, .out_accepted = 1, .out_cancelled = 1);

	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, self->id, .ns = BH_NEVER));
	EXPECT_EQ(BHLAB_RESULT_WAS_PENDING, ACT(CANCEL, self->id, .flags = BHLAB_ACT_SYNC));
	STATE(self->id, 0, .out_accepted = 2, .out_cancelled = 2);

	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, self->id, .ns = BH_NEVER));
	EXPECT_EQ(0, bh_destroy(self->fd, self->id));
}

/*
 * Those in ticks begin at the last tick that the kernel has seen. On a machine
 * that stalls this can be long ago, and the run is early by as much: some may
 * be. With a delay that is a little less than whole ticks each run is, if that
 * is not rounded up.
 */
TEST_F(verbs, delay_is_not_early)
{
	const __u64 delays[] = { 0, 1, BH_US, BH_MS, 5 * BH_MS, 7900 * BH_US, 31900 * BH_US,
				 33 * BH_MS };
	const int excused = IN_TICKS ? 4 : 0;
	struct bhlab_event e;
	int early = 0;

	for (size_t i = 0; i < 4 * ARRAY_SIZE(delays); i++) {
		const __u64 delay = delays[i % ARRAY_SIZE(delays)];

		ASSERT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, self->id, .ns = delay));
		ASSERT_EQ(0, bh_wait_runs(self->fd, self->id, i + 1));
		ASSERT_EQ(1, bh_event(self->fd, BHLAB_EVENT_RUN, self->id, &e));
		early += e.started_ns - e.queued_ns < delay;
	}
	EXPECT_LE(early, excused);
}

/* Whatever comes while it is on a delay coalesces, and changes nothing. */
TEST_F(verbs, first_delay_wins)
{
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, self->id, .ns = BH_NEVER));
	EXPECT_EQ(BHLAB_RESULT_ALREADY_PENDING, ACT(DELAY, self->id, .ns = 0));
	EXPECT_EQ(BHLAB_RESULT_ALREADY_PENDING, ACT(DELAY, self->id, .ns = BH_MS));
	/* a line has no QUEUE, and a third DELAY does as well */
	EXPECT_EQ(BHLAB_RESULT_ALREADY_PENDING,
		  IS_IRQ ? ACT(DELAY, self->id, .ns = 0) : ACT(QUEUE, self->id));
	STILL_BUSY(self->id);
	STATE(self->id, PENDING | DELAYED,
	      .out_accepted = 1, .out_coalesced = 3, .out_outstanding = 1);
}

/* A line on a delay can be raised all the same; the delay goes on. */
TEST_F(irq, trigger_while_delayed)
{
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, self->id, .ns = BH_NEVER));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(TRIGGER, self->id, .count = 1));
	EXPECT_EQ(0, bh_wait_runs(self->fd, self->id, 1));
	STATE(self->id, PENDING | DELAYED,
	      .out_accepted = 2, .out_runs = 1, .out_outstanding = 1);
	EXPECT_EQ(BHLAB_RESULT_WAS_PENDING, ACT(CANCEL, self->id));
	STATE(self->id, 0, .out_accepted = 2, .out_runs = 1, .out_cancelled = 1);
}

TEST_F(verbs, modify)
{
	/* without anything to modify it is a delay */
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, self->id, .flags = BHLAB_ACT_MOD,
					   .ns = BH_NEVER));
	EXPECT_EQ(BHLAB_RESULT_MODIFIED, ACT(DELAY, self->id, .flags = BHLAB_ACT_MOD,
					     .ns = BH_NEVER - 1));
	STATE(self->id, PENDING | DELAYED, .out_accepted = 1, .out_outstanding = 1);
	EXPECT_EQ(BHLAB_RESULT_MODIFIED, ACT(DELAY, self->id, .flags = BHLAB_ACT_MOD,
					     .ns = BH_MS));
	EXPECT_EQ(0, bh_wait_runs(self->fd, self->id, 1));
	WAIT_IDLE(self->id);
	STATE(self->id, 0, .out_accepted = 1, .out_runs = 1);

	/* and it can be made longer */
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, self->id, .ns = 200 * BH_MS));
	EXPECT_EQ(BHLAB_RESULT_MODIFIED, ACT(DELAY, self->id, .flags = BHLAB_ACT_MOD,
					     .ns = BH_NEVER));
	EXPECT_EQ(-ETIMEDOUT, bh_wait(self->fd, self->id, BHLAB_COND_RUNS, 2, 300 * BH_MS));
	STATE(self->id, PENDING | DELAYED,
	      .out_accepted = 2, .out_runs = 1, .out_outstanding = 1);
}

/* A flush does not wait for a delay; what it fires may have run before it looks. */
TEST_F(verbs, flush_fires)
{
	int ret;

	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, self->id, .ns = BH_NEVER));
	ret = ACT(FLUSH, self->id);
	EXPECT_TRUE(ret == BHLAB_RESULT_WAITED || ret == BHLAB_RESULT_IDLE);
	STATE(self->id, 0, .out_accepted = 1, .out_runs = 1);
}

TEST_F(verbs, delay_values)
{
	EXPECT_EQ(-EINVAL, ACT(DELAY, self->id, .ns = BHLAB_NS_MAX + 1));
	EXPECT_EQ(-EINVAL, ACT(DELAY, self->id, .ns = -1ULL));
	EXPECT_EQ(-EINVAL, ACT(DELAY, self->id, .ns = 1ULL << 63));
	EXPECT_EQ(-EINVAL, ACT(DELAY, self->id, .flags = BHLAB_ACT_MOD, .ns = -1ULL));
	STATE(self->id, 0);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, self->id, .ns = BHLAB_NS_MAX));
}

/* --- disabled */

static int depth_after(int fd, unsigned long cmd, __u32 id, __u32 *depth)
{
	struct bhlab_act a = { .size = sizeof(a), .id = id, .out_depth = 4711 };
	int ret = bh_call(fd, cmd, &a);

	*depth = a.out_depth;
	return ret;
}

TEST_F(disables, disable_nests)
{
	__u32 depth;

	NEED(DISABLE);
	for (int i = 1; i <= BHLAB_DISABLE_DEPTH_MAX; i++) {
		ASSERT_EQ(0, depth_after(self->fd, BHLAB_IOC_DISABLE, self->id, &depth));
		ASSERT_EQ(i, depth);
	}
	EXPECT_EQ(-EOVERFLOW, ACT(DISABLE, self->id));
	EXPECT_EQ(-EOVERFLOW, ACT(DISABLE, self->id, .flags = BHLAB_ACT_SYNC));
	STATE(self->id, DISABLED);
	for (int i = BHLAB_DISABLE_DEPTH_MAX - 1; i >= 0; i--) {
		STATE(self->id, DISABLED);
		ASSERT_EQ(0, depth_after(self->fd, BHLAB_IOC_ENABLE, self->id, &depth));
		ASSERT_EQ(i, depth);
	}
	EXPECT_EQ(-EINVAL, ACT(ENABLE, self->id));
	STATE(self->id, 0);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACTIVATE(self->id));
	EXPECT_EQ(0, bh_wait_runs(self->fd, self->id, 1));
}

/* Work is refused while it is disabled; the others wait for the last enable. */
TEST_F(disables, disabled)
{
	NEED(DISABLE);
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(DISABLE, self->id));
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(DISABLE, self->id, .flags = BHLAB_ACT_SYNC));
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(FLUSH, self->id));
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(CANCEL, self->id));
	STATE(self->id, DISABLED);

	if (IS_WORK) {
		EXPECT_EQ(BHLAB_RESULT_DISABLED, ACT(QUEUE, self->id));
		EXPECT_EQ(BHLAB_RESULT_DISABLED, ACT(DELAY, self->id, .ns = BH_MS));
		EXPECT_EQ(BHLAB_RESULT_DISABLED, ACT(DELAY, self->id, .ns = BH_MS,
						     .flags = BHLAB_ACT_MOD));
		STATE(self->id, DISABLED, .out_refused = 3);
		EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(ENABLE, self->id));
		EXPECT_EQ(BHLAB_RESULT_DISABLED, ACT(QUEUE, self->id));
		EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(ENABLE, self->id));
		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, self->id));
		EXPECT_EQ(0, bh_wait_runs(self->fd, self->id, 1));
		STATE(self->id, 0, .out_accepted = 1, .out_runs = 1, .out_refused = 4);
		return;
	}
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACTIVATE(self->id));
	STILL_BUSY(self->id);
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(ENABLE, self->id));
	STILL_BUSY(self->id);
	STATE(self->id, PENDING | DISABLED, .out_accepted = 1, .out_outstanding = 1);
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(ENABLE, self->id));
	EXPECT_EQ(0, bh_wait_runs(self->fd, self->id, 1));
	WAIT_IDLE(self->id);
	STATE(self->id, 0, .out_accepted = 1, .out_runs = 1);
}

/* Pending and disabled: what would wait forever is refused. */
TEST_F(keeps, disabled_and_pending)
{
	int ret;

	ASSERT_EQ(BHLAB_RESULT_IDLE, ACT(DISABLE, self->id));
	ASSERT_EQ(BHLAB_RESULT_QUEUED, ACTIVATE(self->id));
	/* a tasklet's second coalesces; irq_sim has passed the first on to the kernel */
	ret = ACTIVATE(self->id);
	if (IS_TASKLET) {
		EXPECT_EQ(BHLAB_RESULT_ALREADY_PENDING, ret);
		STATE(self->id, PENDING | DISABLED,
		      .out_accepted = 1, .out_coalesced = 1, .out_outstanding = 1);
	} else {
		EXPECT_TRUE(ret == BHLAB_RESULT_QUEUED || ret == BHLAB_RESULT_ALREADY_PENDING);
	}
	EXPECT_EQ(-EBUSY, ACT(FLUSH, self->id));
	if (IS_TASKLET) {
		EXPECT_EQ(-EBUSY, bh_destroy(self->fd, self->id));
	}
	/* what the kernel keeps of a line, to replay it, it does not give back */
	if (IS_IRQ) {
		EXPECT_EQ(-EBUSY, ACT(CANCEL, self->id));
		EXPECT_EQ(-EBUSY, ACT(CANCEL, self->id, .flags = BHLAB_ACT_SYNC));
		EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(ENABLE, self->id));
		EXPECT_EQ(0, bh_wait_runs(self->fd, self->id, 1));
		return;
	}
	EXPECT_EQ(BHLAB_RESULT_WAS_PENDING, ACT(CANCEL, self->id));
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(CANCEL, self->id));
	STATE(self->id, DISABLED, .out_accepted = 1, .out_coalesced = 1, .out_cancelled = 1);
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(ENABLE, self->id));
	WAIT_IDLE(self->id);
	/* it has not run, and does when it is activated again */
	EXPECT_EQ(-ETIMEDOUT, bh_wait(self->fd, self->id, BHLAB_COND_RUNS, 1, 20 * BH_MS));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACTIVATE(self->id));
	EXPECT_EQ(0, bh_wait_runs(self->fd, self->id, 1));
}

/* Cancelled and activated again while it is disabled: that is one run. */
TEST_F(keeps, disabled_cancelled_activated)
{
	if (IS_IRQ)
		SKIP(return, "a raise that the kernel keeps cannot be cancelled");
	ASSERT_EQ(BHLAB_RESULT_IDLE, ACT(DISABLE, self->id));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACTIVATE(self->id));
	EXPECT_EQ(BHLAB_RESULT_WAS_PENDING, ACT(CANCEL, self->id));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACTIVATE(self->id));
	STATE(self->id, PENDING | DISABLED,
	      .out_accepted = 2, .out_cancelled = 1, .out_outstanding = 1);
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(ENABLE, self->id));
	EXPECT_EQ(0, bh_wait_runs(self->fd, self->id, 1));
	WAIT_IDLE(self->id);
	STATE(self->id, 0, .out_accepted = 2, .out_cancelled = 1, .out_runs = 1);
}

TEST_F(disables, disable_while_delayed)
{
	NEED(DISABLE);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, self->id, .ns = BH_NEVER));
	if (IS_WORK) {
		EXPECT_EQ(BHLAB_RESULT_WAS_PENDING, ACT(DISABLE, self->id));
		STATE(self->id, DISABLED, .out_accepted = 1, .out_cancelled = 1);
		EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(FLUSH, self->id));
		return;
	}
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(DISABLE, self->id));
	STATE(self->id, PENDING | DELAYED | DISABLED, .out_accepted = 1, .out_outstanding = 1);
	EXPECT_EQ(-EBUSY, ACT(FLUSH, self->id));
	EXPECT_EQ(BHLAB_RESULT_MODIFIED, ACT(DELAY, self->id, .flags = BHLAB_ACT_MOD,
					     .ns = BH_MS));
	/* the delay goes on, and then it is pending */
	STILL_BUSY(self->id);
	STATE(self->id, PENDING | DISABLED, .out_accepted = 1, .out_outstanding = 1);
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(ENABLE, self->id));
	EXPECT_EQ(0, bh_wait_runs(self->fd, self->id, 1));
	WAIT_IDLE(self->id);
	STATE(self->id, 0, .out_accepted = 1, .out_runs = 1);
}

TEST_F(disables, destroy_disabled)
{
	NEED(DISABLE);
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(DISABLE, self->id));
	EXPECT_EQ(0, bh_destroy(self->fd, self->id));
	self->id = bh_add(self->fd, variant->mech, "again");
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(DISABLE, self->id));
	if (IS_IRQ) {
		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACTIVATE(self->id));
	} else {
		ACT(DELAY, self->id, .ns = BH_NEVER);
	}
	EXPECT_EQ(0, bh_destroy(self->fd, self->id));
}

/* --- running */

/* An item that sleeps for long: work, or the thread of an irq. */
static int add_sleeper(int fd, __u32 mech)
{
	if (mech == BHLAB_MECH_IRQ)
		return bh_add_threaded(fd, "sleeper", BH_SLEEP(LONG_SLEEP));
	return bh_add(fd, mech, "sleeper", BH_SLEEP(LONG_SLEEP));
}

#define SLEEPER(_id)								\
	int _id = add_sleeper(self->fd, variant->mech);				\
										\
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACTIVATE(_id));				\
	/* not the top half, which is in a thread, too, on some kernels */	\
	if (IS_IRQ)								\
		EXPECT_EQ(0, bh_wait_runs(self->fd, _id, 1));			\
	EXPECT_EQ(0, bh_wait_for(self->fd, _id, RUNNING))

static int act_flags(int fd, unsigned long cmd, __u32 id, __u32 flags, __u32 *out_flags)
{
	struct bhlab_act a = { .size = sizeof(a), .id = id, .flags = flags };
	int ret = bh_call(fd, cmd, &a);

	*out_flags = a.out_flags;
	return ret ?: (int)a.out_result;
}

TEST_F(sleeps, cancel_running)
{
	__u32 out_flags;
	SLEEPER(id);

	STATE(id, RUNNING, .out_accepted = 1, .out_runs = 1);
	STILL_BUSY(id);
	/* without waiting: it goes on */
	EXPECT_EQ(CANCELS_NOW ? BHLAB_RESULT_IDLE : -EOPNOTSUPP,
		  act_flags(self->fd, BHLAB_IOC_CANCEL, id, 0, &out_flags));
	EXPECT_EQ(0, out_flags & BHLAB_OUT_WAITED);
	STATE(id, RUNNING, .out_accepted = 1, .out_runs = 1);
	if (!HAS(CANCEL))
		return;
	/* waiting */
	EXPECT_EQ(BHLAB_RESULT_IDLE, act_flags(self->fd, BHLAB_IOC_CANCEL, id, BHLAB_ACT_SYNC,
					       &out_flags));
	EXPECT_EQ(BHLAB_OUT_WAITED, out_flags & BHLAB_OUT_WAITED);
	STATE(id, 0, .out_accepted = 1, .out_runs = 1);
	EXPECT_EQ(BHLAB_RESULT_IDLE, act_flags(self->fd, BHLAB_IOC_CANCEL, id, BHLAB_ACT_SYNC,
					       &out_flags));
	EXPECT_EQ(0, out_flags & BHLAB_OUT_WAITED);
}

TEST_F(sleeps, flush_running)
{
	SLEEPER(id);

	EXPECT_EQ(BHLAB_RESULT_WAITED, ACT(FLUSH, id));
	STATE(id, 0, .out_accepted = 1, .out_runs = 1);
}

TEST_F(sleeps, disable_running)
{
	__u32 out_flags;
	SLEEPER(id);

	if (!HAS(DISABLE)) {
		EXPECT_EQ(-EOPNOTSUPP, ACT(DISABLE, id, .flags = BHLAB_ACT_SYNC));
		STATE(id, RUNNING, .out_accepted = 1, .out_runs = 1);
		return;
	}
	EXPECT_EQ(BHLAB_RESULT_IDLE, act_flags(self->fd, BHLAB_IOC_DISABLE, id, 0, &out_flags));
	EXPECT_EQ(0, out_flags & BHLAB_OUT_WAITED);
	STATE(id, RUNNING | DISABLED, .out_accepted = 1, .out_runs = 1);
	EXPECT_EQ(BHLAB_RESULT_IDLE, act_flags(self->fd, BHLAB_IOC_DISABLE, id, BHLAB_ACT_SYNC,
					       &out_flags));
	EXPECT_EQ(BHLAB_OUT_WAITED, out_flags & BHLAB_OUT_WAITED);
	STATE(id, DISABLED, .out_accepted = 1, .out_runs = 1);
}

TEST_F(sleeps, destroy_running)
{
	SLEEPER(id);

	EXPECT_EQ(0, bh_destroy(self->fd, id));
	EXPECT_EQ(-ENOENT, bh_destroy(self->fd, id));
}

/* Queued while it runs: accepted, and run again afterwards, never beside itself. */
TEST_F(reruns, queued_while_running)
{
	SLEEPER(id);

	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id));
	EXPECT_EQ(BHLAB_RESULT_ALREADY_PENDING, ACT(QUEUE, id));
	STATE(id, RUNNING | PENDING, .out_accepted = 2, .out_runs = 1, .out_coalesced = 1,
	      .out_outstanding = 1);
	if (!CANCELS_NOW) {
		EXPECT_LE(0, ACT(FLUSH, id));
		STATE(id, 0, .out_accepted = 2, .out_runs = 2, .out_coalesced = 1);
		return;
	}
	EXPECT_EQ(BHLAB_RESULT_WAS_PENDING, ACT(CANCEL, id));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, id, .ns = BH_NEVER));
	STATE(id, RUNNING | PENDING | DELAYED, .out_accepted = 3, .out_runs = 1,
	      .out_coalesced = 1, .out_cancelled = 1, .out_outstanding = 1);
	EXPECT_LE(0, ACT(FLUSH, id));
	STATE(id, 0, .out_accepted = 3, .out_runs = 2, .out_coalesced = 1, .out_cancelled = 1);
}

/* Woken while it runs, the thread runs again, once for however many wakes. */
TEST_F(irq, raised_while_thread_runs)
{
	struct bhlab_item_state st;

	SLEEPER(id);

	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(TRIGGER, id, .count = 1));
	EXPECT_EQ(0, bh_wait_runs(self->fd, id, 2));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(TRIGGER, id, .count = 1));
	EXPECT_EQ(0, bh_wait_runs(self->fd, id, 3));
	EXPECT_EQ(0, bh_state(self->fd, id, &st));
	EXPECT_EQ(3, st.out_runs);
	EXPECT_EQ(3, st.out_thread_wakes);
	EXPECT_EQ(1, st.out_thread_runs);
	WAIT_IDLE(id);
	EXPECT_EQ(0, bh_state(self->fd, id, &st));
	EXPECT_EQ(3, st.out_runs);
	EXPECT_EQ(3, st.out_thread_wakes);
	EXPECT_EQ(2, st.out_thread_runs);
	EXPECT_EQ(1, st.out_thread_merged);
}

/*
 * These can be met running only for as long as they spin, and when the other
 * CPU really runs at the same time: it is tried again and again.
 */
#define ON_CPU1		.flags = BHLAB_ACT_CPU, .cpu = 1
/* How often something that needs both CPUs at once is tried. */
#define TRIES		40

/* Started by a timer on CPU 1, so that this CPU goes on meanwhile. */
static int add_spinner(int fd, __u32 mech)
{
	return bh_add(fd, mech, "spinner", BH_SPIN(10 * BH_MS));
}

static void start_spinner(struct __test_metadata *_metadata, int fd, __u32 id)
{
	const __u64 end = bh_now() + 200 * BH_MS;

	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(fd, DELAY, id, ON_CPU1, .ns = BH_MS));
	/* on RT it can keep from the CPU who would wake a waiter */
	while (bh_wait(fd, id, BHLAB_COND_RUNNING, 0, 0) && bh_now() < end)
		;
}

TEST_F(spins, cancel_running)
{
	struct bhlab_item_state st;
	__u32 out_flags = 0;
	int id;

	if (!bh_has_cpu1())
		SKIP(return, "one CPU");
	NEED(CANCEL);
	ASSERT_EQ(0, bh_pin(0));
	id = add_spinner(self->fd, variant->mech);
	ASSERT_EQ(2, id);
	for (int i = 0; i < TRIES && !(out_flags & BHLAB_OUT_WAITED); i++) {
		start_spinner(_metadata, self->fd, id);
		EXPECT_LE(0, act_flags(self->fd, BHLAB_IOC_CANCEL, id, BHLAB_ACT_SYNC,
				       &out_flags));
		EXPECT_EQ(0, bh_state(self->fd, id, &st));
		EXPECT_EQ(0, st.out_state);
		EXPECT_EQ(0, st.out_outstanding);
		bh_sleep(10 * BH_MS);
	}
	EXPECT_EQ(BHLAB_OUT_WAITED, out_flags & BHLAB_OUT_WAITED);
}

/* Whether it still runs or not: what is cancelled does not run, what is queued does. */
TEST_F(spins, delayed_while_running)
{
	struct bhlab_item_state st;
	int id;

	if (!bh_has_cpu1())
		SKIP(return, "one CPU");
	NEED(CANCEL);
	ASSERT_EQ(0, bh_pin(0));
	id = add_spinner(self->fd, variant->mech);
	ASSERT_EQ(2, id);
	for (int i = 1; i <= 10; i++) {
		start_spinner(_metadata, self->fd, id);
		EXPECT_LE(BHLAB_RESULT_QUEUED, ACT(DELAY, id, .ns = BH_NEVER));
		EXPECT_EQ(BHLAB_RESULT_WAS_PENDING, ACT(CANCEL, id, .flags = BHLAB_ACT_SYNC));
		EXPECT_EQ(0, bh_state(self->fd, id, &st));
		EXPECT_EQ(0, st.out_state);
		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id));
		EXPECT_EQ(0, bh_wait_for(self->fd, id, IDLE));
		EXPECT_EQ(0, bh_state(self->fd, id, &st));
		EXPECT_EQ(st.out_accepted, st.out_runs + st.out_cancelled);
		EXPECT_LE(i, st.out_cancelled);
	}
}

/* --- where */

/* Those whose kernel call takes the CPU; it is made from anywhere. */
static bool takes_cpu(__u32 mech)
{
	return mech == BHLAB_MECH_WORK || mech == BHLAB_MECH_TIMER || mech == BHLAB_MECH_CSD;
}

/* What runs in a thread, or may be moved to another CPU, runs wherever that is. */
static bool stays_on_cpu(const struct bhlab_event *e)
{
	switch (e->mech) {
	case BHLAB_MECH_WORK: case BHLAB_MECH_TASKLET: case BHLAB_MECH_TASKLET_HI:
	case BHLAB_MECH_TIMER: case BHLAB_MECH_IRQ_WORK: case BHLAB_MECH_IRQ_POLL:
	case BHLAB_MECH_CSD:
		return true;
	case BHLAB_MECH_IRQ:
		return e->context & BHLAB_CTX_HARDIRQ;
	default:
		return false;
	}
}

static void check_cpu(struct __test_metadata *_metadata, const struct bhlab_event *e, __u32 cpu)
{
	if (!takes_cpu(e->mech)) {
		EXPECT_EQ(cpu, e->queue_cpu);
	}
	if (stays_on_cpu(e)) {
		EXPECT_EQ(cpu, e->cpu);
	}
}

TEST_F(verbs, on_cpu)
{
	struct bhlab_event e;

	if (!bh_has_cpu1())
		SKIP(return, "one CPU");
	for (int i = 0; i < 6; i++) {
		struct bhlab_act a = {
			.size = sizeof(a), .id = self->id, .flags = BHLAB_ACT_CPU,
			.cpu = i % 2, .count = IS_IRQ,
		};

		EXPECT_EQ(0, bh_call(self->fd, IS_IRQ ? BHLAB_IOC_TRIGGER : BHLAB_IOC_QUEUE, &a));
		EXPECT_EQ(BHLAB_RESULT_QUEUED, a.out_result);
		EXPECT_EQ(0, bh_wait_runs(self->fd, self->id, i + 1));
		EXPECT_EQ(1, bh_event(self->fd, BHLAB_EVENT_RUN, self->id, &e));
		check_cpu(_metadata, &e, i % 2);
	}
}

TEST_F(verbs, item_cpu)
{
	struct bhlab_item_create c;
	struct bhlab_event e;

	if (!bh_has_cpu1())
		SKIP(return, "one CPU");
	for (int cpu = 0; cpu < 2; cpu++) {
		bh_fill(&c, variant->mech, cpu ? "one" : "zero");
		c.flags = BHLAB_ITEM_CPU;
		c.cpu = cpu;
		ASSERT_EQ(2 + cpu, bh_create(self->fd, &c));
		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACTIVATE(c.out_id));
		EXPECT_EQ(0, bh_wait_runs(self->fd, c.out_id, 1));
		EXPECT_EQ(1, bh_event(self->fd, BHLAB_EVENT_RUN, c.out_id, &e));
		check_cpu(_metadata, &e, cpu);
	}
}

TEST_F(verbs, no_such_cpu)
{
	struct bhlab_info info;

	ASSERT_EQ(0, bh_info(self->fd, &info));
	const __u32 none[] = { info.out_cpus, info.out_cpus + 1, 0x7fffffff, 0xffffffff };

	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		if (!IS_IRQ) {
			EXPECT_EQ(-ENODEV, ACT(QUEUE, self->id, .flags = BHLAB_ACT_CPU,
					       .cpu = none[i]));
		} else {
			EXPECT_EQ(-ENODEV, ACT(TRIGGER, self->id, .flags = BHLAB_ACT_CPU,
					       .cpu = none[i], .count = 1));
		}
		EXPECT_EQ(-ENODEV, ACT(DELAY, self->id, .flags = BHLAB_ACT_CPU, .cpu = none[i]));
		/* a value out of its range comes first */
		EXPECT_EQ(-EINVAL, ACT(DELAY, self->id, .flags = BHLAB_ACT_CPU, .cpu = none[i],
				       .ns = -1ULL));
	}
	STATE(self->id, 0);
}

TEST_F(verbs, other_queue)
{
	const __u32 system[] = { BHLAB_QUEUE_HIGHPRI, BHLAB_QUEUE_UNBOUND };
	__u32 own[3];

	if (IS_IRQ) {
		EXPECT_EQ(-EOPNOTSUPP, ACT(DELAY, self->id, .flags = BHLAB_ACT_QUEUE,
					   .queue = BHLAB_QUEUE_PERCPU));
		return;
	}
	if (!IS_QUEUED) {
		EXPECT_EQ(-EOPNOTSUPP, ACT(QUEUE, self->id, .flags = BHLAB_ACT_QUEUE,
					   .queue = BHLAB_QUEUE_PERCPU));
		EXPECT_EQ(-EOPNOTSUPP, ACT(DELAY, self->id, .flags = BHLAB_ACT_QUEUE,
					   .queue = 77, .ns = -1ULL));
		return;
	}
	EXPECT_EQ(-ENOENT, ACT(QUEUE, self->id, .flags = BHLAB_ACT_QUEUE, .queue = 77));
	EXPECT_EQ(-ENOENT, ACT(QUEUE, self->id, .flags = BHLAB_ACT_QUEUE, .queue = -1U));
	EXPECT_EQ(-ENOENT, ACT(DELAY, self->id, .flags = BHLAB_ACT_QUEUE, .queue = 77));
	/* before a value out of its range, and a CPU that is not there */
	EXPECT_EQ(-ENOENT, ACT(DELAY, self->id, .flags = BHLAB_ACT_QUEUE, .queue = 77,
			       .ns = -1ULL));
	EXPECT_EQ(-ENOENT, ACT(QUEUE, self->id, .flags = BHLAB_ACT_QUEUE | BHLAB_ACT_CPU,
			       .queue = 77, .cpu = 0xffffffff));
	STATE(self->id, 0);
	own[0] = bh_queue(self->fd, "a", BHLAB_WQ_PERCPU);
	own[1] = bh_queue(self->fd, "b", BHLAB_WQ_UNBOUND);
	own[2] = bh_queue(self->fd, "c", BHLAB_WQ_ORDERED);
	/* between the lab's own queues; one that it names it may name again */
	EXPECT_EQ(-EPERM, ACT(QUEUE, self->id, .flags = BHLAB_ACT_QUEUE, .queue = own[0]));
	EXPECT_EQ(-EPERM, ACT(DELAY, self->id, .flags = BHLAB_ACT_QUEUE, .queue = own[0]));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, self->id, .flags = BHLAB_ACT_QUEUE,
					   .queue = BHLAB_QUEUE_PERCPU));
	self->id = bh_add_to(self->fd, variant->mech, own[0], "mover", BH_MARK(1));
	for (size_t i = 0; i < ARRAY_SIZE(system); i++) {
		EXPECT_EQ(-EPERM, ACT(QUEUE, self->id, .flags = BHLAB_ACT_QUEUE,
				      .queue = system[i]));
		EXPECT_EQ(-EPERM, ACT(DELAY, self->id, .flags = BHLAB_ACT_QUEUE | BHLAB_ACT_MOD,
				      .queue = system[i]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, self->id, .flags = BHLAB_ACT_QUEUE,
						   .queue = own[i]));
		EXPECT_EQ(0, bh_wait_runs(self->fd, self->id, i + 1));
		WAIT_IDLE(self->id);
	}
}

/* --- who */

TEST_F(verbs, unprivileged)
{
	ASSERT_EQ(0, bh_unprivileged());
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACTIVATE(self->id));
	EXPECT_EQ(0, bh_wait_runs(self->fd, self->id, 1));
	WAIT_IDLE(self->id);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, self->id, .ns = BH_NEVER));
	if (HAS(DISABLE) && IS_TASKLET) {
		EXPECT_EQ(-EPERM, ACT(DISABLE, self->id));
		EXPECT_EQ(-EPERM, ACT(DISABLE, self->id, .flags = BHLAB_ACT_SYNC));
		STATE(self->id, PENDING | DELAYED, .out_accepted = 2, .out_runs = 1,
		      .out_outstanding = 1);
	} else if (HAS(DISABLE)) {
		EXPECT_LE(0, ACT(DISABLE, self->id));
		EXPECT_LE(0, ACT(ENABLE, self->id));
	}
	end_pending(self->fd, self->id);
	if (!HAS(DISABLE))
		return;
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(DISABLE, self->id));
	if (IS_TASKLET) {
		EXPECT_EQ(-EPERM, ACT(QUEUE, self->id));
		EXPECT_EQ(-EPERM, ACT(DELAY, self->id, .ns = BH_NEVER));
		EXPECT_EQ(-EPERM, ACT(DELAY, self->id, .flags = BHLAB_ACT_MOD));
		STATE(self->id, DISABLED, .out_accepted = 2, .out_runs = 1, .out_cancelled = 1);
	} else {
		EXPECT_EQ(IS_WORK || IS_POLL ? BHLAB_RESULT_DISABLED : BHLAB_RESULT_QUEUED,
			  ACTIVATE(self->id));
	}
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(ENABLE, self->id));
	EXPECT_EQ(-EINVAL, ACT(ENABLE, self->id));
}

/* --- TRIGGER */

TEST_F(irq, trigger_count)
{
	struct bhlab_act a = { .size = sizeof(a), .id = self->id, .count = 1000 };
	struct bhlab_item_state st;

	EXPECT_EQ(-EINVAL, ACT(TRIGGER, self->id));
	EXPECT_EQ(-EINVAL, ACT(TRIGGER, self->id, .count = BHLAB_TRIGGER_MAX + 1));
	EXPECT_EQ(-EINVAL, ACT(TRIGGER, self->id, .count = 0xffffffff));
	/* before a CPU that is not there */
	EXPECT_EQ(-EINVAL, ACT(TRIGGER, self->id, .flags = BHLAB_ACT_CPU, .cpu = 0xffffffff));
	STATE(self->id, 0);

	EXPECT_EQ(0, bh_call(self->fd, BHLAB_IOC_TRIGGER, &a));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, a.out_result);
	EXPECT_EQ(1000, a.count);
	EXPECT_LE(1, a.out_count);
	EXPECT_GE(1000, a.out_count);
	WAIT_IDLE(self->id);
	EXPECT_EQ(0, bh_state(self->fd, self->id, &st));
	EXPECT_EQ(1000, st.out_accepted);
	EXPECT_EQ(1000 - a.out_count, st.out_coalesced);
	EXPECT_LE(1, st.out_runs);
	EXPECT_EQ(1000, st.out_runs + st.out_merged);
	EXPECT_LE(st.out_coalesced, st.out_merged);
}

/* --- WAIT */

TEST_F(verbs, wait)
{
	const int fd = self->fd;
	const __u32 id = self->id;
	__u64 start = bh_now();

	EXPECT_EQ(-ETIMEDOUT, bh_wait(fd, id, BHLAB_COND_RUNS, 1, 30 * BH_MS));
	EXPECT_LE(30 * BH_MS, bh_now() - start);
	EXPECT_EQ(-ETIMEDOUT, bh_wait(fd, id, BHLAB_COND_PENDING, 0, 0));
	EXPECT_EQ(-ETIMEDOUT, bh_wait(fd, id, BHLAB_COND_RUNNING, 0, 0));
	EXPECT_EQ(-ETIMEDOUT, bh_wait(fd, id, BHLAB_COND_RUNS, 1, 0));
	EXPECT_EQ(-ETIMEDOUT, bh_wait(fd, 0, BHLAB_COND_RECORDED, 1, 0));
	EXPECT_EQ(0, bh_wait(fd, id, BHLAB_COND_IDLE, 0, 0));
	EXPECT_EQ(0, bh_wait(fd, id, BHLAB_COND_RUNS, 0, 0));
	EXPECT_EQ(0, bh_wait(fd, 0, BHLAB_COND_RECORDED, 0, 0));
	EXPECT_EQ(-EINVAL, bh_wait(fd, id, BHLAB_COND_IDLE, 0, BHLAB_NS_MAX + 1));
	EXPECT_EQ(-EINVAL, bh_wait(fd, id, BHLAB_COND_IDLE, 0, -1ULL));
	EXPECT_EQ(-EINVAL, bh_wait(fd, 0, BHLAB_COND_RECORDED, 0, -1ULL));
	EXPECT_EQ(-ENOENT, bh_wait(fd, 77, BHLAB_COND_IDLE, 0, -1ULL));

	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, id, .ns = 5 * BH_MS));
	EXPECT_EQ(0, bh_wait(fd, 0, BHLAB_COND_RECORDED, 2, BH_PATIENCE));
	EXPECT_EQ(0, bh_wait_runs(fd, id, 1));
	EXPECT_EQ(-ETIMEDOUT, bh_wait(fd, id, BHLAB_COND_RUNS, 2, 0));
}

/* A run counts as started before it has ended, and when it has long ended. */
TEST_F(verbs, wait_started)
{
	const int fd = self->fd;
	const __u32 id = bh_add(fd, BHLAB_MECH_WORK, "slow", BH_SLEEP(300 * BH_MS));

	EXPECT_EQ(0, bh_wait(fd, id, BHLAB_COND_STARTED, 0, 0));
	EXPECT_EQ(-ETIMEDOUT, bh_wait(fd, id, BHLAB_COND_STARTED, 1, 0));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id));
	EXPECT_EQ(0, bh_wait(fd, id, BHLAB_COND_STARTED, 1, BH_PATIENCE));
	EXPECT_EQ(-ETIMEDOUT, bh_wait(fd, id, BHLAB_COND_RUNS, 1, 0));
	WAIT_IDLE(id);
	EXPECT_EQ(0, bh_wait(fd, id, BHLAB_COND_STARTED, 1, 0));
	EXPECT_EQ(-ETIMEDOUT, bh_wait(fd, id, BHLAB_COND_STARTED, 2, 0));
	EXPECT_EQ(-EINVAL, bh_wait(fd, id, BHLAB_COND_STARTED, 1, BHLAB_NS_MAX + 1));
}

/* --- steps */

TEST_F(verbs, steps_activate)
{
	const __u32 target = 2;
	struct bhlab_event e;
	int id;

	ASSERT_EQ(target, bh_add(self->fd, BHLAB_MECH_WORK, "target"));
	ASSERT_EQ(3, bh_add(self->fd, BHLAB_MECH_IRQ, "line"));
	id = bh_add(self->fd, variant->mech, "source",
		    BH_STEP(QUEUE, .target = target), BH_STEP(TRIGGER, .target = 3),
		    BH_STEP(DELAY, .target = 1, .arg = BH_MS), BH_MARK(0xfedcba9876543210));
	ASSERT_EQ(4, id);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACTIVATE(id));
	EXPECT_EQ(0, bh_wait_runs(self->fd, id, 1));
	EXPECT_EQ(0, bh_wait_runs(self->fd, target, 1));
	EXPECT_EQ(0, bh_wait_runs(self->fd, 3, 1));
	EXPECT_EQ(0, bh_wait_runs(self->fd, self->id, 1));
	STATE(id, 0, .out_accepted = 1, .out_runs = 1);
	EXPECT_EQ(1, bh_event(self->fd, BHLAB_EVENT_MARK, id, &e));
	EXPECT_EQ(0xfedcba9876543210, e.value);
	EXPECT_EQ(1, e.nth);
}

/* What cannot be done is skipped, counted, and the reason is in the record. */
TEST_F(verbs, steps_skipped)
{
	struct bhlab_event e;
	int id;

	/* gone; a line is not queued; work is not triggered; itself is there */
	ASSERT_EQ(2, bh_add(self->fd, BHLAB_MECH_IRQ, "line"));
	ASSERT_EQ(3, bh_add(self->fd, BHLAB_MECH_WORK, "work"));
	id = bh_add(self->fd, variant->mech, "source",
		    BH_STEP(QUEUE, .target = 77), BH_STEP(QUEUE, .target = 2),
		    BH_STEP(TRIGGER, .target = 3), BH_STEP(QUEUE, .target = 3));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACTIVATE(id));
	EXPECT_EQ(0, bh_wait_runs(self->fd, id, 1));
	EXPECT_EQ(0, bh_wait_runs(self->fd, 3, 1));
	STATE(id, 0, .out_accepted = 1, .out_runs = 1, .out_skipped = 3);
	EXPECT_EQ(1, bh_event(self->fd, BHLAB_EVENT_RUN, id, &e));
	EXPECT_EQ(3, e.skipped);
	EXPECT_EQ(BHLAB_EVENT_F_GONE | BHLAB_EVENT_F_REFUSED, e.flags);
	STATE(2, 0);
}

/* A disabled tasklet is queued by a step only if who made the program may. */
TEST_F(verbs, steps_and_disabled_tasklet)
{
	struct bhlab_event e;
	int id, other;

	ASSERT_EQ(2, bh_add(self->fd, BHLAB_MECH_TASKLET, "tasklet"));
	ASSERT_EQ(BHLAB_RESULT_IDLE, ACT(DISABLE, 2));
	ASSERT_EQ(0, bh_unprivileged());
	id = bh_add(self->fd, variant->mech, "source", BH_STEP(QUEUE, .target = 2));
	ASSERT_EQ(0, bh_privileged());
	other = bh_add(self->fd, variant->mech, "other", BH_STEP(QUEUE, .target = 2));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACTIVATE(id));
	EXPECT_EQ(0, bh_wait_runs(self->fd, id, 1));
	EXPECT_EQ(1, bh_event(self->fd, BHLAB_EVENT_RUN, id, &e));
	EXPECT_EQ(1, e.skipped);
	EXPECT_EQ(BHLAB_EVENT_F_REFUSED, e.flags);
	STATE(2, DISABLED);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACTIVATE(other));
	EXPECT_EQ(0, bh_wait_runs(self->fd, other, 1));
	STATE(2, DISABLED | PENDING, .out_accepted = 1, .out_outstanding = 1);
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(ENABLE, 2));
	EXPECT_EQ(0, bh_wait_runs(self->fd, 2, 1));
}

TEST_F(requeues, requeue)
{
	unsigned int seen;
	struct bhlab_event e;
	int id;

	id = bh_add(self->fd, variant->mech, "again", BH_STEP(REQUEUE, .arg = 5));
	for (int round = 1; round <= 2; round++) {
		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACTIVATE(id));
		EXPECT_EQ(0, bh_wait_runs(self->fd, id, 6 * round));
		WAIT_IDLE(id);
		STATE(id, 0, .out_accepted = 6 * round, .out_runs = 6 * round);
		seen = 0;
		for (int i = 0; i < 6; i++) {
			EXPECT_EQ(1, bh_event(self->fd, BHLAB_EVENT_RUN, id, &e));
			/* a csd goes from CPU to CPU, and runs beside itself */
			if (variant->mech != BHLAB_MECH_CSD) {
				EXPECT_EQ(i, e.value);
			}
			EXPECT_EQ((round - 1) * 6 + e.value + 1, e.nth);
			seen |= 1U << e.value;
		}
		EXPECT_EQ(0x3f, seen);
	}
}

/* --- polls */

#define POLL(_weight, ...)	add_poll(self->fd, variant->mech, _weight,		\
		(const struct bhlab_step[]){ __VA_ARGS__ },			\
		sizeof((const struct bhlab_step[]){ __VA_ARGS__ }) /		\
		sizeof(struct bhlab_step))

static int add_poll(int fd, __u32 mech, __u32 weight, const struct bhlab_step *steps, __u32 nr)
{
	struct bhlab_item_create c;

	bh_fill(&c, mech, "poll");
	bh_steps(&c, steps, nr);
	c.weight = weight;
	return bh_create(fd, &c);
}

/* With a FIFO of 100 entries, 10 of them in it. */
BENCH(polls)
VARIANT(irq_poll, BHLAB_MECH_IRQ_POLL, polls)

#define RING		2

static void fill_ring(struct __test_metadata *_metadata, int fd, __u64 nr)
{
	ASSERT_EQ(RING, bh_fifo(fd, "ring", 100));
	ASSERT_EQ(RING + 1, bh_add(fd, BHLAB_MECH_WORK, "card",
				   BH_STEP(PUSH, .target = RING, .arg = nr)));
	ASSERT_EQ(BHLAB_RESULT_QUEUED, bh_act(fd, QUEUE, RING + 1));
	ASSERT_EQ(0, bh_wait_runs(fd, RING + 1, 1));
}

/* A weight that is used up is another poll; what is behind COMPLETE comes once. */
TEST_F(polls, weight)
{
	struct bhlab_fifo_state fifo;
	struct bhlab_item_state st;
	struct bhlab_event e;
	int id;

	fill_ring(_metadata, self->fd, 10);
	id = POLL(4, BH_STEP(POP, .target = RING), BH_STEP(COMPLETE), BH_MARK(7));
	ASSERT_EQ(RING + 2, id);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id));
	EXPECT_EQ(0, bh_wait_runs(self->fd, id, 3));
	WAIT_IDLE(id);
	STATE(id, 0, .out_accepted = 3, .out_runs = 3);
	EXPECT_EQ(0, bh_state(self->fd, id, &st));
	EXPECT_EQ(4, st.out_weight);
	EXPECT_EQ(0, bh_fifo_state(self->fd, RING, &fifo));
	EXPECT_EQ(0, fifo.out_level);
	EXPECT_EQ(10, fifo.out_popped);
	EXPECT_EQ(0, fifo.out_missed);
	EXPECT_EQ(1, bh_event(self->fd, BHLAB_EVENT_MARK, id, &e));
	EXPECT_EQ(3, e.nth);
	EXPECT_EQ(-EAGAIN, bh_event(self->fd, BHLAB_EVENT_MARK, id, &e));
	/* it can be activated again */
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id));
	EXPECT_EQ(0, bh_wait_runs(self->fd, id, 4));
}

/* Several POPs share the weight; without COMPLETE it completes at its end. */
TEST_F(polls, weight_is_for_all_pops)
{
	int id;

	fill_ring(_metadata, self->fd, 8);
	id = POLL(4, BH_STEP(POP, .target = RING, .arg = 3),
		  BH_STEP(POP, .target = RING, .arg = 3));
	ASSERT_EQ(RING + 2, id);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id));
	EXPECT_EQ(0, bh_wait_runs(self->fd, id, 3));
	WAIT_IDLE(id);
	STATE(id, 0, .out_accepted = 3, .out_runs = 3);
}

TEST_F(polls, weight_values)
{
	EXPECT_EQ(-EINVAL, POLL(BHLAB_WEIGHT_MAX + 1, BH_MARK(1)));
	EXPECT_EQ(-EINVAL, POLL(-1U, BH_MARK(1)));
	EXPECT_EQ(-EINVAL, POLL(1, BH_STEP(IRQ_OFF), BH_STEP(COMPLETE), BH_STEP(IRQ_ON)));
	EXPECT_EQ(-EINVAL, bh_add(self->fd, BHLAB_MECH_TASKLET, "tasklet", BH_STEP(COMPLETE)));
	EXPECT_LT(0, POLL(BHLAB_WEIGHT_MAX, BH_STEP(COMPLETE), BH_STEP(COMPLETE)));
}

/* The weight is used up again and again, and the chain ends it, or the item's end. */
TEST_F(polls, weight_without_end)
{
	struct bhlab_item_state st;
	int id;

	fill_ring(_metadata, self->fd, 1);
	id = POLL(1, BH_STEP(PUSH, .target = RING, .arg = 1), BH_STEP(POP, .target = RING));
	ASSERT_EQ(RING + 2, id);
	ASSERT_EQ(0, bh_unprivileged());
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id));
	EXPECT_EQ(0, bh_wait_runs(self->fd, id, 100));
	EXPECT_LE(0, ACT(DISABLE, id, .flags = BHLAB_ACT_SYNC));
	EXPECT_EQ(0, bh_state(self->fd, id, &st));
	EXPECT_EQ(BHLAB_STATE_DISABLED, st.out_state);
	EXPECT_EQ(0, st.out_outstanding);
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(ENABLE, id));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id));
	EXPECT_EQ(0, bh_wait_runs(self->fd, id, st.out_runs + 100));
	EXPECT_EQ(0, bh_destroy(self->fd, id));
}

/* Disabled once: the kernel's call would wait for ever for the second time. */
TEST_F(polls, disable_once)
{
	__u32 depth;

	EXPECT_EQ(0, depth_after(self->fd, BHLAB_IOC_DISABLE, self->id, &depth));
	EXPECT_EQ(1, depth);
	EXPECT_EQ(-EBUSY, ACT(DISABLE, self->id));
	EXPECT_EQ(-EBUSY, ACT(DISABLE, self->id, .flags = BHLAB_ACT_SYNC));
	EXPECT_EQ(BHLAB_RESULT_DISABLED, ACT(QUEUE, self->id));
	STATE(self->id, DISABLED, .out_refused = 1);
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(ENABLE, self->id));
	EXPECT_EQ(-EINVAL, ACT(ENABLE, self->id));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, self->id));
	EXPECT_EQ(0, bh_wait_runs(self->fd, self->id, 1));
	WAIT_IDLE(self->id);
	/* a delay goes on until it is enabled */
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(DISABLE, self->id, .flags = BHLAB_ACT_SYNC));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, self->id, .ns = 0));
	STILL_BUSY(self->id);
	STATE(self->id, DISABLED | PENDING | DELAYED, .out_accepted = 2, .out_runs = 1,
	      .out_refused = 1, .out_outstanding = 1);
	EXPECT_EQ(-EBUSY, ACT(FLUSH, self->id));
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(ENABLE, self->id));
	EXPECT_EQ(0, bh_wait_runs(self->fd, self->id, 2));
	EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(DISABLE, self->id));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, self->id, .ns = 0));
	EXPECT_EQ(0, bh_destroy(self->fd, self->id));
}

/* It waits for what is pending or running, and not without being told to. */
TEST_F(polls, disable_waits)
{
	struct bhlab_item_state st;
	__u32 out_flags = 0;
	int id, busy = 0;

	if (!bh_has_cpu1())
		SKIP(return, "one CPU");
	ASSERT_EQ(0, bh_pin(0));
	id = add_spinner(self->fd, variant->mech);
	ASSERT_EQ(2, id);
	for (int i = 0; i < TRIES && !(busy && out_flags & BHLAB_OUT_WAITED); i++) {
		start_spinner(_metadata, self->fd, id);
		if (ACT(DISABLE, id) == -EBUSY) {
			busy++;
			EXPECT_LE(0, act_flags(self->fd, BHLAB_IOC_DISABLE, id, BHLAB_ACT_SYNC,
					       &out_flags));
		}
		EXPECT_EQ(0, bh_state(self->fd, id, &st));
		EXPECT_EQ(0, st.out_state & RUNNING);
		EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(ENABLE, id));
		EXPECT_EQ(0, bh_wait_for(self->fd, id, IDLE));
	}
	EXPECT_LT(0, busy);
	EXPECT_EQ(BHLAB_OUT_WAITED, out_flags & BHLAB_OUT_WAITED);
}

/* --- hrtimers with a period */

BENCH(periods)
VARIANT(hrtimer, BHLAB_MECH_HRTIMER, periods)
VARIANT(hrtimer_soft, BHLAB_MECH_HRTIMER_SOFT, periods)

static int add_period(int fd, __u32 mech, __u64 ns, __u64 spin)
{
	const struct bhlab_step steps[] = { BH_SPIN(spin) };
	struct bhlab_item_create c;

	bh_fill(&c, mech, "period");
	bh_steps(&c, steps, 1);
	c.period_ns = ns;
	return bh_create(fd, &c);
}

TEST_F(periods, until_cancelled)
{
	struct bhlab_item_state st;
	int id = add_period(self->fd, variant->mech, 2 * BH_MS, 0);

	ASSERT_EQ(2, id);
	for (int i = 0; i < 10; i++) {
		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, id, .ns = 0));
		EXPECT_EQ(0, bh_state(self->fd, id, &st));
		EXPECT_EQ(BHLAB_STATE_PERIODIC, st.out_state & BHLAB_STATE_PERIODIC);
		EXPECT_EQ(2 * BH_MS, st.out_period_ns);
		EXPECT_EQ(0, bh_wait_runs(self->fd, id, st.out_runs + 5));
		STILL_BUSY(id);
		EXPECT_EQ(BHLAB_RESULT_WAS_PENDING,
			  ACT(CANCEL, id, .flags = i % 2 ? BHLAB_ACT_SYNC : 0));
		WAIT_IDLE(id);
		EXPECT_EQ(0, bh_state(self->fd, id, &st));
		EXPECT_EQ(0, st.out_state);
		EXPECT_EQ(0, st.out_period_ns);
		EXPECT_EQ(st.out_accepted, st.out_runs + st.out_cancelled);
		EXPECT_EQ(-ETIMEDOUT, bh_wait(self->fd, id, BHLAB_COND_STARTED, st.out_runs + 1,
					      10 * BH_MS));
	}
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id));
	EXPECT_EQ(BHLAB_RESULT_WAITED, ACT(FLUSH, id));
	EXPECT_EQ(0, bh_destroy(self->fd, id));
}

/* Whatever it is that meets it: it ends, and all is accounted for. */
TEST_F(periods, cancelled_at_any_time)
{
	struct bhlab_info info;
	struct bhlab_item_state st;
	int id;

	ASSERT_EQ(0, bh_info(self->fd, &info));
	id = add_period(self->fd, variant->mech, info.out_period_ns, info.out_period_ns / 2);
	ASSERT_EQ(2, id);
	for (int i = 0; i < 300; i++) {
		EXPECT_LE(0, ACT(QUEUE, id));
		if (i % 3)
			bh_sleep(i * BH_US);
		ACT(CANCEL, id, .flags = i % 2 ? BHLAB_ACT_SYNC : 0);
	}
	EXPECT_LE(0, ACT(CANCEL, id, .flags = BHLAB_ACT_SYNC));
	EXPECT_EQ(0, bh_state(self->fd, id, &st));
	EXPECT_EQ(0, st.out_state);
	EXPECT_EQ(st.out_accepted, st.out_runs + st.out_cancelled);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id));
	EXPECT_EQ(0, bh_wait_runs(self->fd, id, st.out_runs + 3));
}

TEST_F(periods, values)
{
	struct bhlab_info info;

	ASSERT_EQ(0, bh_info(self->fd, &info));
	EXPECT_EQ(-EINVAL, add_period(self->fd, variant->mech, 1, 0));
	EXPECT_EQ(-EINVAL, add_period(self->fd, variant->mech, info.out_period_ns - 1, 0));
	EXPECT_EQ(-EINVAL, add_period(self->fd, variant->mech, BHLAB_NS_MAX + 1, 0));
	EXPECT_EQ(-EINVAL, add_period(self->fd, variant->mech, -1ULL, 0));
	EXPECT_EQ(-EINVAL, add_period(self->fd, variant->mech, BH_MS, BH_MS / 2 + 1));
	EXPECT_EQ(-EOPNOTSUPP, add_period(self->fd, BHLAB_MECH_TIMER, BH_MS, 0));
	EXPECT_LT(0, add_period(self->fd, variant->mech, BH_MS, BH_MS / 2));
}

/* --- CPUs that come and go */

FIXTURE(hotplug) {
	int fd;
	int id;
};

FIXTURE_VARIANT(hotplug) {
	__u32 mech;
};

FIXTURE_VARIANT_ADD(hotplug, work) {
	.mech = BHLAB_MECH_WORK,
};

FIXTURE_VARIANT_ADD(hotplug, tasklet) {
	.mech = BHLAB_MECH_TASKLET,
};

FIXTURE_VARIANT_ADD(hotplug, irq) {
	.mech = BHLAB_MECH_IRQ,
};

FIXTURE_VARIANT_ADD(hotplug, irq_work) {
	.mech = BHLAB_MECH_IRQ_WORK,
};

FIXTURE_VARIANT_ADD(hotplug, irq_poll) {
	.mech = BHLAB_MECH_IRQ_POLL,
};

FIXTURE_VARIANT_ADD(hotplug, timer) {
	.mech = BHLAB_MECH_TIMER,
};

FIXTURE_VARIANT_ADD(hotplug, hrtimer) {
	.mech = BHLAB_MECH_HRTIMER,
};

FIXTURE_VARIANT_ADD(hotplug, hrtimer_soft) {
	.mech = BHLAB_MECH_HRTIMER_SOFT,
};

FIXTURE_VARIANT_ADD(hotplug, kthread_work) {
	.mech = BHLAB_MECH_KTHREAD_WORK,
};

FIXTURE_VARIANT_ADD(hotplug, rcu) {
	.mech = BHLAB_MECH_RCU,
};

FIXTURE_VARIANT_ADD(hotplug, rcu_work) {
	.mech = BHLAB_MECH_RCU_WORK,
};

FIXTURE_SETUP(hotplug)
{
	if (!bh_has_cpu1())
		SKIP(return, "one CPU");
	self->fd = bh_open(O_NONBLOCK);
	ASSERT_LE(0, self->fd);
	self->id = bh_add(self->fd, variant->mech, "item");
	ASSERT_EQ(1, self->id);
}

FIXTURE_TEARDOWN(hotplug)
{
	bh_cpu1(true);
	check_accounts(_metadata, self->fd);
	bh_end(_metadata, self->fd);
}

TEST_F(hotplug, offline)
{
	const __u32 on_cpu = BHLAB_ACT_CPU;
	struct bhlab_item_create c;

	ASSERT_EQ(0, bh_cpu1(false));
	if (!IS_IRQ) {
		EXPECT_EQ(-ENODEV, ACT(QUEUE, self->id, .flags = on_cpu, .cpu = 1));
	} else {
		EXPECT_EQ(-ENODEV, ACT(TRIGGER, self->id, .flags = on_cpu, .cpu = 1,
				       .count = 1));
	}
	EXPECT_EQ(-ENODEV, ACT(DELAY, self->id, .flags = on_cpu, .cpu = 1));
	bh_fill(&c, variant->mech, "other");
	c.flags = BHLAB_ITEM_CPU;
	c.cpu = 1;
	EXPECT_EQ(-ENODEV, bh_create(self->fd, &c));
	STATE(self->id, 0);

	ASSERT_EQ(0, bh_cpu1(true));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, self->id, .flags = on_cpu, .cpu = 1));
	EXPECT_EQ(0, bh_wait_runs(self->fd, self->id, 1));
	EXPECT_EQ(2, bh_create(self->fd, &c));
	ASSERT_EQ(0, bh_cpu1(false));
	EXPECT_EQ(-ENODEV, ACTIVATE(2));
	STATE(2, 0);
}

/* What was accepted runs, though its CPU goes meanwhile. */
TEST_F(hotplug, goes_while_delayed)
{
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, self->id, .flags = BHLAB_ACT_CPU, .cpu = 1,
					   .ns = 50 * BH_MS));
	ASSERT_EQ(0, bh_cpu1(false));
	EXPECT_EQ(0, bh_wait_runs(self->fd, self->id, 1));
	WAIT_IDLE(self->id);
	STATE(self->id, 0, .out_accepted = 1, .out_runs = 1);
}

TEST_HARNESS_MAIN
