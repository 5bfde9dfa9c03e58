// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues: what attributes they may have, what waits for what on them, and when
 * they cannot go.
 */
#include <pthread.h>

#include "bhlab_test.h"

#define WORK		BHLAB_MECH_WORK
#define RCU_WORK	BHLAB_MECH_RCU_WORK
#define ACT(_verb, ...)	bh_act(self->fd, _verb, ##__VA_ARGS__)
#define ON(_queue)	.flags = BHLAB_ACT_QUEUE, .queue = (_queue)

#define HAS_BH		(self->info.out_features & BHLAB_FEATURE_BH_QUEUE)

static int create_queue(int fd, const char *name, __u32 flags, __u32 max_active)
{
	struct bhlab_queue_create c = {
		.size = sizeof(c),
		.flags = flags,
		.max_active = max_active,
	};
	int ret;

	bh_name(c.name, name);
	ret = bh_call(fd, BHLAB_IOC_QUEUE_CREATE, &c);
	return ret ?: (int)c.out_id;
}

FIXTURE(queue) {
	int fd;
	struct bhlab_info info;
};

FIXTURE_SETUP(queue)
{
	self->fd = bh_open(O_NONBLOCK);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, bh_info(self->fd, &self->info));
}

FIXTURE_TEARDOWN(queue)
{
	bh_privileged();
	bh_end(_metadata, self->fd);
}

/* --- attributes */

#define PERCPU		BHLAB_WQ_PERCPU
#define UNBOUND		BHLAB_WQ_UNBOUND
#define BH		BHLAB_WQ_BH
#define ORDERED		BHLAB_WQ_ORDERED
#define LEGACY		BHLAB_WQ_LEGACY
#define SINGLETHREAD	BHLAB_WQ_SINGLETHREAD
#define HIGHPRI		BHLAB_WQ_HIGHPRI
#define FREEZABLE	BHLAB_WQ_FREEZABLE
#define MEM_RECLAIM	BHLAB_WQ_MEM_RECLAIM
#define CPU_INTENSIVE	BHLAB_WQ_CPU_INTENSIVE
#define MOST		0xfffffffeU	/* stands for the kernel's maximum */
#define OVER		0xfffffffdU	/* and for one more */

struct attributes {
	__u32 flags;
	__u32 max_active;
};

static __u32 number(const struct attributes *a, const struct bhlab_info *info)
{
	return a->max_active == MOST ? info->out_max_active :
	       a->max_active == OVER ? info->out_max_active + 1 : a->max_active;
}

static const struct attributes accepted[] = {
	{ PERCPU }, { PERCPU, 1 }, { PERCPU, 2 }, { PERCPU, MOST },
	{ PERCPU | HIGHPRI }, { PERCPU | FREEZABLE }, { PERCPU | MEM_RECLAIM },
	{ PERCPU | CPU_INTENSIVE }, { PERCPU | HIGHPRI | CPU_INTENSIVE, 1 },
	{ PERCPU | HIGHPRI | FREEZABLE | MEM_RECLAIM | CPU_INTENSIVE, 3 },
	{ UNBOUND }, { UNBOUND, 1 }, { UNBOUND, 2 }, { UNBOUND, MOST },
	{ UNBOUND | HIGHPRI }, { UNBOUND | FREEZABLE }, { UNBOUND | MEM_RECLAIM },
	{ UNBOUND | HIGHPRI | FREEZABLE | MEM_RECLAIM, 3 },
	{ BH }, { BH | HIGHPRI },
	{ ORDERED }, { ORDERED | HIGHPRI }, { ORDERED | FREEZABLE }, { ORDERED | MEM_RECLAIM },
	{ ORDERED | HIGHPRI | FREEZABLE | MEM_RECLAIM },
	{ LEGACY }, { SINGLETHREAD },
};

static const struct attributes refused[] = {
	{ 0 }, { 0, 1 }, { HIGHPRI }, { HIGHPRI | FREEZABLE | MEM_RECLAIM | CPU_INTENSIVE },
	{ PERCPU | UNBOUND }, { PERCPU | ORDERED }, { PERCPU | LEGACY },
	{ PERCPU | SINGLETHREAD }, { UNBOUND | ORDERED }, { UNBOUND | LEGACY },
	{ UNBOUND | SINGLETHREAD }, { ORDERED | LEGACY }, { ORDERED | SINGLETHREAD },
	{ LEGACY | SINGLETHREAD }, { PERCPU | UNBOUND | ORDERED | LEGACY | SINGLETHREAD },
	{ PERCPU | BH }, { UNBOUND | BH }, { ORDERED | BH }, { LEGACY | BH },
	{ SINGLETHREAD | BH },
	{ BH | FREEZABLE }, { BH | MEM_RECLAIM }, { BH | CPU_INTENSIVE }, { BH, 1 },
	{ BH | HIGHPRI, 1 }, { BH, MOST },
	{ ORDERED | CPU_INTENSIVE }, { ORDERED, 1 }, { ORDERED, 2 },
	{ UNBOUND | CPU_INTENSIVE },
	{ LEGACY | HIGHPRI }, { LEGACY | FREEZABLE }, { LEGACY | MEM_RECLAIM },
	{ LEGACY | CPU_INTENSIVE }, { LEGACY, 1 },
	{ SINGLETHREAD | HIGHPRI }, { SINGLETHREAD | FREEZABLE },
	{ SINGLETHREAD | MEM_RECLAIM }, { SINGLETHREAD | CPU_INTENSIVE }, { SINGLETHREAD, 1 },
	{ PERCPU, OVER }, { UNBOUND, OVER }, { PERCPU, 0x80000000 }, { UNBOUND, 0xffffffff },
};

/* As asked for; it takes work, and then it goes. */
static void check_queue(struct __test_metadata *_metadata, int fd, __u32 id,
			const struct attributes *a, __u32 max_active)
{
	const __u32 where = a->flags & BH ? BHLAB_CTX_SOFTIRQ : BHLAB_CTX_TASK;
	struct bhlab_queue_state st;
	struct bhlab_event e;
	int item;

	EXPECT_EQ(0, bh_queue_state(fd, id, &st));
	EXPECT_EQ(a->flags, st.out_queue_flags);
	EXPECT_EQ(max_active, st.out_max_active);
	EXPECT_EQ(0, st.out_items);
	EXPECT_EQ(0, st.out_active);
	EXPECT_EQ(0, st.out_draining);
	EXPECT_STREQ("queue", st.out_name);
	item = bh_add_to(fd, WORK, id, "item", BH_MARK(1));
	ASSERT_LT(0, item);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(fd, QUEUE, item));
	EXPECT_EQ(0, bh_wait_runs(fd, item, 1));
	EXPECT_EQ(1, bh_event(fd, BHLAB_EVENT_RUN, item, &e));
	EXPECT_TRUE(e.context & where) {
		TH_LOG("flags %#x", a->flags);
	}
	EXPECT_EQ(0, bh_destroy(fd, item));
	EXPECT_EQ(0, bh_destroy(fd, id));
	EXPECT_EQ(-ENOENT, bh_destroy(fd, id));
}

TEST_F(queue, attributes_accepted)
{
	for (size_t i = 0; i < ARRAY_SIZE(accepted); i++) {
		__u32 max_active = number(&accepted[i], &self->info);
		int id = create_queue(self->fd, "queue", accepted[i].flags, max_active);

		if (accepted[i].flags & BH && !HAS_BH) {
			EXPECT_EQ(-EOPNOTSUPP, id);
			continue;
		}
		ASSERT_LT(0, id) {
			TH_LOG("flags %#x, max_active %u", accepted[i].flags, max_active);
		}
		check_queue(_metadata, self->fd, id, &accepted[i], max_active);
	}
}

TEST_F(queue, attributes_refused)
{
	struct bhlab_lookup l;

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		const struct attributes *a = &refused[i];
		int error = a->flags & BH && !HAS_BH ? EOPNOTSUPP : EINVAL;

		EXPECT_EQ(-error, create_queue(self->fd, "queue", a->flags,
					       number(a, &self->info))) {
			TH_LOG("flags %#x, max_active %u", a->flags, a->max_active);
		}
		EXPECT_EQ(-ENOENT, bh_lookup(self->fd, "queue", 0, &l));
	}
}

static const char *const bad_names[] = {
	"", "0", "9a", "-a", ".a", " ", "a b", "a/b", "a%s", "\xff",
};

TEST_F(queue, names)
{
	struct bhlab_queue_create c = { .size = sizeof(c), .flags = BHLAB_WQ_UNBOUND };
	struct bhlab_lookup l;

	for (size_t i = 0; i < ARRAY_SIZE(bad_names); i++) {
		EXPECT_EQ(-EINVAL, bh_queue(self->fd, bad_names[i], UNBOUND));
		EXPECT_EQ(-EINVAL, bh_lock(self->fd, bad_names[i], BHLAB_LOCK_SPIN,
					   BHLAB_CTX_TASK));
		EXPECT_EQ(-EINVAL, bh_fifo(self->fd, bad_names[i], 1));
	}
	/* a name that is too long comes before attributes that do not fit */
	memset(c.name, 'a', sizeof(c.name));
	EXPECT_EQ(-E2BIG, bh_call(self->fd, BHLAB_IOC_QUEUE_CREATE, &c));
	c.flags = 0;
	EXPECT_EQ(-E2BIG, bh_call(self->fd, BHLAB_IOC_QUEUE_CREATE, &c));

	/* the longest; the kernel's name of it is shorter */
	c.name[sizeof(c.name) - 1] = '\0';
	EXPECT_EQ(1, bh_queue(self->fd, c.name, UNBOUND));
	EXPECT_EQ(0, bh_lookup(self->fd, c.name, 0, &l));
	EXPECT_EQ(BHLAB_KIND_QUEUE, l.out_kind);
	EXPECT_EQ(1, l.id);
	/* one name, whatever the kind */
	EXPECT_EQ(-EEXIST, bh_queue(self->fd, c.name, UNBOUND));
	EXPECT_EQ(-EEXIST, bh_add(self->fd, WORK, c.name));
	EXPECT_EQ(-EINVAL, bh_queue(self->fd, c.name, 0));
	/* a reserved id is for any kind */
	EXPECT_EQ(0, bh_lookup(self->fd, "later", BHLAB_LOOKUP_RESERVE, &l));
	EXPECT_EQ(l.id, bh_queue(self->fd, "later", UNBOUND));
}

TEST_F(queue, limit)
{
	char name[BHLAB_NAME_LEN];
	__u32 i;

	for (i = 1; i <= self->info.out_max_queues; i++) {
		snprintf(name, sizeof(name), "q%u", i);
		ASSERT_EQ(i, bh_queue(self->fd, name, UNBOUND));
	}
	EXPECT_EQ(-ENOSPC, bh_queue(self->fd, "over", UNBOUND));
	EXPECT_EQ(-EEXIST, bh_queue(self->fd, "q1", UNBOUND));
	EXPECT_EQ(i, bh_add(self->fd, WORK, "item"));
	EXPECT_EQ(0, bh_destroy(self->fd, 1));
	EXPECT_EQ(i + 1, bh_queue(self->fd, "over", UNBOUND));
	EXPECT_EQ(-ENOSPC, bh_queue(self->fd, "over2", UNBOUND));
}

/* --- who keeps a queue */

#define QUEUE_STATE(_id, _items, _active) do {				\
	struct bhlab_queue_state _st;					\
									\
	EXPECT_EQ(0, bh_queue_state(self->fd, _id, &_st));		\
	EXPECT_EQ(_items, _st.out_items);				\
	EXPECT_EQ(_active, _st.out_active);				\
} while (0)

TEST_F(queue, named_by_items)
{
	int queue = bh_queue(self->fd, "queue", UNBOUND), id[2];
	struct bhlab_item_state st;

	id[0] = bh_add_to(self->fd, WORK, queue, "work");
	id[1] = bh_add_to(self->fd, RCU_WORK, queue, "rcu_work");
	for (int i = 0; i < 2; i++) {
		ASSERT_LT(0, id[i]);
		EXPECT_EQ(0, bh_state(self->fd, id[i], &st));
		EXPECT_EQ(queue, st.out_queue);
		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id[i]));
		EXPECT_EQ(0, bh_wait_for(self->fd, id[i], IDLE));
	}
	/* a name that is refused does not count */
	EXPECT_EQ(-EEXIST, bh_add_to(self->fd, WORK, queue, "work"));
	QUEUE_STATE(queue, 2, 0);
	EXPECT_EQ(-EBUSY, bh_destroy(self->fd, queue));
	EXPECT_EQ(0, bh_destroy(self->fd, id[0]));
	QUEUE_STATE(queue, 1, 0);
	EXPECT_EQ(-EBUSY, bh_destroy(self->fd, queue));
	EXPECT_EQ(0, bh_destroy(self->fd, id[1]));
	EXPECT_EQ(0, bh_destroy(self->fd, queue));
	EXPECT_EQ(-ENOENT, bh_add_to(self->fd, WORK, queue, "again"));
}

TEST_F(queue, not_a_queue)
{
	const __u32 flags = BHLAB_ACT_QUEUE;
	int item = bh_add(self->fd, WORK, "item"), other = bh_open(0);
	const __u32 bad[] = { 77, item, bh_lock(self->fd, "lock", BHLAB_LOCK_SPIN, BHLAB_CTX_TASK),
			      bh_fifo(self->fd, "fifo", 1), BHLAB_QUEUE_BH_HIGHPRI + 1, -1U };

	ASSERT_EQ(1, bh_queue(other, "theirs", UNBOUND));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-ENOENT, bh_add_to(self->fd, WORK, bad[i], "new"));
		EXPECT_EQ(-ENOENT, bh_add_to(self->fd, RCU_WORK, bad[i], "new"));
		EXPECT_EQ(-ENOENT, ACT(QUEUE, item, .flags = flags, .queue = bad[i]));
		EXPECT_EQ(-ENOENT, ACT(DELAY, item, .flags = flags, .queue = bad[i]));
	}
	/* with the flag 0 is an id, too; without it, the one that it names */
	EXPECT_EQ(-ENOENT, ACT(QUEUE, item, .flags = flags));
	close(other);
}

/* An activation on it keeps it, whatever its item names. */
static void keeps(struct __test_metadata *_metadata, FIXTURE_DATA(queue) *self, __u32 mech)
{
	int home = bh_queue(self->fd, "home", UNBOUND);
	int queue = bh_queue(self->fd, "queue", UNBOUND);
	int id = bh_add_to(self->fd, mech, home, "item", BH_SLEEP(BH_S / 2));

	ASSERT_LT(0, id);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, id, ON(queue), .ns = BH_NEVER));
	QUEUE_STATE(queue, 0, 1);
	EXPECT_EQ(-EBUSY, bh_destroy(self->fd, queue));
	/* an rcu_work has no cancel: its delay goes to the queue that it names */
	if (ACT(CANCEL, id, .flags = BHLAB_ACT_SYNC) == -EOPNOTSUPP) {
		EXPECT_EQ(BHLAB_RESULT_MODIFIED, ACT(DELAY, id, .flags = BHLAB_ACT_MOD));
		EXPECT_EQ(0, bh_wait_runs(self->fd, id, 1));
		EXPECT_EQ(0, bh_wait_for(self->fd, id, IDLE));
	}
	QUEUE_STATE(queue, 0, 0);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id, ON(queue)));
	EXPECT_EQ(0, bh_wait_for(self->fd, id, RUNNING));
	QUEUE_STATE(queue, 0, 1);
	EXPECT_EQ(-EBUSY, bh_destroy(self->fd, queue));
	/* and once more on another one, where it waits for the first */
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id));
	EXPECT_LE(0, ACT(FLUSH, id));
	EXPECT_EQ(0, bh_wait_for(self->fd, id, IDLE));
	QUEUE_STATE(queue, 0, 0);
	EXPECT_EQ(0, bh_destroy(self->fd, queue));
	EXPECT_EQ(0, bh_destroy(self->fd, id));
	EXPECT_EQ(0, bh_destroy(self->fd, home));
}

TEST_F(queue, kept_by_activations)
{
	keeps(_metadata, self, WORK);
	keeps(_metadata, self, RCU_WORK);
}

/* With a new delay it goes to the queue that this names. */
TEST_F(queue, moved)
{
	const __u32 mechs[] = { WORK, RCU_WORK };
	int a = bh_queue(self->fd, "a", UNBOUND), b = bh_queue(self->fd, "b", UNBOUND);
	int home = bh_queue(self->fd, "home", UNBOUND);

	for (size_t i = 0; i < ARRAY_SIZE(mechs); i++) {
		int id = bh_add_to(self->fd, mechs[i], home, "item");

		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, id, ON(a), .ns = BH_NEVER));
		EXPECT_EQ(BHLAB_RESULT_ALREADY_PENDING, ACT(DELAY, id, ON(b), .ns = BH_NEVER));
		QUEUE_STATE(a, 0, 1);
		QUEUE_STATE(b, 0, 0);
		EXPECT_EQ(BHLAB_RESULT_MODIFIED,
			  ACT(DELAY, id, .flags = BHLAB_ACT_QUEUE | BHLAB_ACT_MOD, .queue = b,
			      .ns = BH_NEVER));
		QUEUE_STATE(a, 0, 0);
		QUEUE_STATE(b, 0, 1);
		EXPECT_EQ(0, bh_destroy(self->fd, id));
		QUEUE_STATE(b, 0, 0);
	}
	EXPECT_EQ(0, bh_destroy(self->fd, a));
	EXPECT_EQ(0, bh_destroy(self->fd, b));
}

/* --- order, and how many at a time */

#define MANY	8

/* Their RUN records, oldest first; as many as there were items. */
static void run_many(struct __test_metadata *_metadata, int fd, __u32 queue,
		     struct bhlab_event *e)
{
	char name[] = "a";
	int id[MANY], n = 0;

	for (int i = 0; i < MANY; i++, name[0]++) {
		id[i] = bh_add_to(fd, WORK, queue, name, BH_SPIN(BH_MS), BH_SLEEP(5 * BH_MS));
		ASSERT_LT(0, id[i]);
	}
	for (int i = 0; i < MANY; i++)
		EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(fd, QUEUE, id[i], .flags = BHLAB_ACT_CPU,
						      .cpu = bh_has_cpu1() ? i % 2 : 0));
	EXPECT_EQ(BHLAB_RESULT_WAITED, bh_act(fd, FLUSH, queue));
	while (n < MANY && bh_read(fd, &e[n], 1) == 1)
		n++;
	EXPECT_EQ(MANY, n);
	for (int i = 0; i < MANY; i++)
		EXPECT_EQ(0, bh_destroy(fd, id[i]));
}

/* One at a time, in the order in which they were queued, from whichever CPU. */
TEST_F(queue, ordered)
{
	const __u32 flags[] = { ORDERED, SINGLETHREAD, ORDERED | HIGHPRI };
	struct bhlab_event e[MANY] = {};

	for (size_t k = 0; k < ARRAY_SIZE(flags); k++) {
		int queue = bh_queue(self->fd, "queue", flags[k]);

		ASSERT_LT(0, queue);
		run_many(_metadata, self->fd, queue, e);
		for (int i = 1; i < MANY; i++) {
			EXPECT_LE(e[i - 1].finished_ns, e[i].started_ns);
			EXPECT_LT(e[i - 1].item, e[i].item);
		}
		EXPECT_EQ(0, bh_destroy(self->fd, queue));
	}
}

TEST_F(queue, one_at_a_time_unbound)
{
	int queue = create_queue(self->fd, "queue", UNBOUND, 1);
	struct bhlab_event e[MANY] = {};

	run_many(_metadata, self->fd, queue, e);
	for (int i = 1; i < MANY; i++)
		EXPECT_LE(e[i - 1].finished_ns, e[i].started_ns);
}

/* Does a second one run while the first one sleeps on the same CPU? */
static bool beside(struct __test_metadata *_metadata, int fd, __u32 max_active)
{
	int queue = create_queue(fd, "queue", PERCPU, max_active);
	int sleeper = bh_add_to(fd, WORK, queue, "sleeper", BH_SLEEP(BH_S / 2));
	int other = bh_add_to(fd, WORK, queue, "other", BH_MARK(1));
	struct bhlab_event a = { .finished_ns = 1 }, b;

	ASSERT_LT(0, other);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(fd, QUEUE, sleeper, .flags = BHLAB_ACT_CPU));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(fd, QUEUE, other, .flags = BHLAB_ACT_CPU));
	EXPECT_EQ(0, bh_wait_runs(fd, other, 1));
	EXPECT_EQ(1, bh_event(fd, BHLAB_EVENT_RUN, other, &b));
	/* if the first one has ended already its record has gone with the others */
	if (bh_wait(fd, sleeper, BHLAB_COND_RUNS, 1, 0) == 0)
		a.finished_ns = 0;
	EXPECT_EQ(0, bh_wait_runs(fd, sleeper, 1));
	if (a.finished_ns)
		EXPECT_EQ(1, bh_event(fd, BHLAB_EVENT_RUN, sleeper, &a));
	EXPECT_EQ(0, bh_destroy(fd, sleeper));
	EXPECT_EQ(0, bh_destroy(fd, other));
	EXPECT_EQ(0, bh_destroy(fd, queue));
	return b.started_ns < a.finished_ns;
}

TEST_F(queue, max_active)
{
	bool ever = false;

	for (int i = 0; i < 3; i++)
		EXPECT_FALSE(beside(_metadata, self->fd, 1));
	/* a host that is busy can keep the second worker from starting in time */
	for (int i = 0; i < 10 && !ever; i++)
		ever = beside(_metadata, self->fd, 2);
	EXPECT_TRUE(ever);
}

/* --- FLUSH */

static const __u32 system_queues[] = {
	BHLAB_QUEUE_PERCPU, BHLAB_QUEUE_HIGHPRI, BHLAB_QUEUE_LONG, BHLAB_QUEUE_UNBOUND,
	BHLAB_QUEUE_FREEZABLE, BHLAB_QUEUE_POWER_EFFICIENT, BHLAB_QUEUE_BH,
	BHLAB_QUEUE_BH_HIGHPRI,
};

TEST_F(queue, system_queues)
{
	struct bhlab_queue_state st;

	for (size_t i = 0; i < ARRAY_SIZE(system_queues); i++) {
		__u32 id = system_queues[i];

		EXPECT_EQ(-ENOENT, bh_queue_state(self->fd, id, &st));
		EXPECT_EQ(-ENOENT, bh_destroy(self->fd, id));
		if (id >= BHLAB_QUEUE_BH && !HAS_BH)
			continue;
		EXPECT_EQ(-EPERM, ACT(FLUSH, id));
		EXPECT_EQ(-EPERM, ACT(DRAIN, id));
		/* what it does not use comes first */
		EXPECT_EQ(-EOPNOTSUPP, ACT(FLUSH, id, .ns = 1));
		EXPECT_EQ(-EOPNOTSUPP, ACT(DRAIN, id, .flags = BHLAB_ACT_SYNC));
	}
}

TEST_F(queue, flush)
{
	int queue = bh_queue(self->fd, "queue", UNBOUND), id[4];
	struct bhlab_item_state st;
	char name[] = "a";

	EXPECT_EQ(BHLAB_RESULT_WAITED, ACT(FLUSH, queue));
	for (int i = 0; i < 4; i++, name[0]++) {
		id[i] = bh_add_to(self->fd, WORK, queue, name, BH_SLEEP(50 * BH_MS));
		EXPECT_EQ(BHLAB_RESULT_QUEUED, i ? ACT(QUEUE, id[i]) :
						   ACT(DELAY, id[i], .ns = BH_NEVER));
	}
	EXPECT_EQ(BHLAB_RESULT_WAITED, ACT(FLUSH, queue));
	/* not for what is on a delay */
	for (int i = 0; i < 4; i++) {
		EXPECT_EQ(0, bh_state(self->fd, id[i], &st));
		EXPECT_EQ(!!i, st.out_runs);
		EXPECT_EQ(i ? 0 : BHLAB_STATE_PENDING | BHLAB_STATE_DELAYED, st.out_state);
	}
	QUEUE_STATE(queue, 4, 1);
}

/* Nor for what is queued after it. */
TEST_F(queue, flush_ends)
{
	int queue = bh_queue(self->fd, "queue", UNBOUND);
	int id = bh_add_to(self->fd, WORK, queue, "again", BH_SLEEP(10 * BH_MS),
			   BH_STEP(REQUEUE));
	struct bhlab_item_state st;

	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id));
	EXPECT_EQ(0, bh_wait_runs(self->fd, id, 1));
	EXPECT_EQ(BHLAB_RESULT_WAITED, ACT(FLUSH, queue));
	EXPECT_EQ(0, bh_state(self->fd, id, &st));
	EXPECT_NE(0, st.out_state);
	EXPECT_EQ(0, bh_destroy(self->fd, id));
}

/* --- DRAIN */

TEST_F(queue, drain)
{
	int queue = bh_queue(self->fd, "queue", UNBOUND), id[3];
	struct bhlab_item_state st;

	EXPECT_EQ(BHLAB_RESULT_WAITED, ACT(DRAIN, queue));
	/* the first queues the second; that itself, and the third */
	id[0] = bh_add_to(self->fd, WORK, queue, "a", BH_SLEEP(20 * BH_MS),
			  BH_STEP(QUEUE, .target = queue + 2));
	id[1] = bh_add_to(self->fd, WORK, queue, "b", BH_SLEEP(5 * BH_MS),
			  BH_STEP(REQUEUE, .arg = 5), BH_STEP(QUEUE, .target = queue + 3));
	id[2] = bh_add_to(self->fd, WORK, queue, "c", BH_SLEEP(5 * BH_MS));
	ASSERT_EQ(queue + 3, id[2]);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id[0]));
	EXPECT_EQ(BHLAB_RESULT_WAITED, ACT(DRAIN, queue));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(0, bh_state(self->fd, id[i], &st));
		EXPECT_EQ(0, st.out_state);
		EXPECT_EQ(0, st.out_skipped);
		EXPECT_LE(1, st.out_runs);
	}
	EXPECT_EQ(0, bh_state(self->fd, id[1], &st));
	EXPECT_EQ(6, st.out_runs);
	QUEUE_STATE(queue, 3, 0);
	/* and it is as before */
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id[2]));
	EXPECT_EQ(BHLAB_RESULT_WAITED, ACT(DRAIN, queue));
}

struct drainer {
	pthread_t thread;
	int fd;
	__u32 queue;
	int ret;
};

static void *drainer(void *arg)
{
	struct drainer *d = arg;

	d->ret = bh_act(d->fd, DRAIN, d->queue);
	return NULL;
}

static bool is_draining(int fd, __u32 queue)
{
	__u64 end = bh_now() + BH_PATIENCE;
	struct bhlab_queue_state st;

	do {
		if (!bh_queue_state(fd, queue, &st) && st.out_draining)
			return true;
		sched_yield();
	} while (bh_now() < end);
	return false;
}

/* What comes from elsewhere is refused, and nothing is left of it. */
TEST_F(queue, draining)
{
	struct drainer d = { .fd = self->fd };
	int sleeper, work, rcu, outside, tasklet;
	struct bhlab_item_state st;
	struct bhlab_event e;

	d.queue = bh_queue(self->fd, "queue", UNBOUND);
	sleeper = bh_add_to(self->fd, WORK, d.queue, "sleeper", BH_SLEEP(BH_S));
	work = bh_add_to(self->fd, WORK, d.queue, "work");
	rcu = bh_add_to(self->fd, RCU_WORK, d.queue, "rcu_work");
	outside = bh_add_to(self->fd, WORK, bh_queue(self->fd, "home", UNBOUND), "outside");
	tasklet = bh_add(self->fd, BHLAB_MECH_TASKLET, "tasklet", BH_STEP(QUEUE, .target = work),
			 BH_STEP(DELAY, .target = work), BH_STEP(QUEUE, .target = rcu));
	ASSERT_LT(0, tasklet);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, sleeper));
	EXPECT_EQ(0, bh_wait_for(self->fd, sleeper, RUNNING));
	ASSERT_EQ(0, pthread_create(&d.thread, NULL, drainer, &d));
	ASSERT_TRUE(is_draining(self->fd, d.queue));

	EXPECT_EQ(-EAGAIN, ACT(QUEUE, work));
	EXPECT_EQ(-EAGAIN, ACT(DELAY, work, .ns = BH_MS));
	EXPECT_EQ(-EAGAIN, ACT(DELAY, work, .ns = BH_MS, .flags = BHLAB_ACT_MOD));
	EXPECT_EQ(-EAGAIN, ACT(QUEUE, outside, ON(d.queue)));
	EXPECT_EQ(-EAGAIN, ACT(QUEUE, rcu));
	EXPECT_EQ(-EAGAIN, ACT(DELAY, rcu, .ns = BH_MS));
	EXPECT_EQ(-EAGAIN, ACT(DRAIN, d.queue));
	EXPECT_EQ(-EBUSY, bh_destroy(self->fd, d.queue));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, outside));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, tasklet));
	EXPECT_EQ(0, bh_wait_runs(self->fd, tasklet, 1));
	/* all of that is worth something only if it has not ended meanwhile */
	EXPECT_EQ(-ETIMEDOUT, bh_wait(self->fd, sleeper, BHLAB_COND_RUNS, 1, 0));
	EXPECT_EQ(1, bh_event(self->fd, BHLAB_EVENT_RUN, tasklet, &e));
	EXPECT_EQ(3, e.skipped);
	EXPECT_EQ(BHLAB_EVENT_F_REFUSED, e.flags);

	pthread_join(d.thread, NULL);
	EXPECT_EQ(BHLAB_RESULT_WAITED, d.ret);
	EXPECT_EQ(0, bh_state(self->fd, work, &st));
	EXPECT_EQ(0, st.out_accepted);
	EXPECT_EQ(0, st.out_state);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, work));
	EXPECT_EQ(0, bh_wait_runs(self->fd, work, 1));
}

/* What would come too late for it. */
TEST_F(queue, drain_refused)
{
	const __u32 mechs[] = { WORK, RCU_WORK };
	int queue = bh_queue(self->fd, "queue", UNBOUND);
	struct bhlab_queue_state st;

	for (size_t i = 0; i < ARRAY_SIZE(mechs); i++) {
		int id = bh_add_to(self->fd, mechs[i], queue, "item");

		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, id, .ns = BH_NEVER));
		EXPECT_EQ(-EBUSY, ACT(DRAIN, queue));
		EXPECT_EQ(0, bh_queue_state(self->fd, queue, &st));
		EXPECT_EQ(0, st.out_draining);
		/* an rcu_work has no cancel */
		EXPECT_EQ(0, bh_destroy(self->fd, id));
		EXPECT_EQ(BHLAB_RESULT_WAITED, ACT(DRAIN, queue));
	}
	EXPECT_EQ(-EOPNOTSUPP, ACT(DRAIN, queue, .flags = BHLAB_ACT_SYNC));
}

/* Either it waits for a grace period, or it has run. */
TEST_F(queue, drain_and_grace_period)
{
	int queue = bh_queue(self->fd, "queue", UNBOUND);
	int id = bh_add_to(self->fd, RCU_WORK, queue, "item");

	for (int i = 1; i <= 10; i++) {
		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id));
		switch (ACT(DRAIN, queue)) {
		case -EBUSY:
			EXPECT_EQ(0, bh_wait_runs(self->fd, id, i));
			break;
		case BHLAB_RESULT_WAITED:
			EXPECT_EQ(0, bh_wait(self->fd, id, BHLAB_COND_RUNS, i, 0));
			break;
		default:
			ASSERT_TRUE(false);
		}
		EXPECT_EQ(0, bh_wait_for(self->fd, id, IDLE));
	}
}

/* --- BH */

#define BH_ITEMS	4

TEST_F(queue, bh_context)
{
	const __u32 cpu = bh_has_cpu1();
	__u32 queues[BH_ITEMS] = { BHLAB_QUEUE_BH, BHLAB_QUEUE_BH_HIGHPRI };
	struct bhlab_event e;
	char name[] = "a";

	if (!HAS_BH) {
		EXPECT_EQ(-EOPNOTSUPP, bh_queue(self->fd, "queue", BH));
		EXPECT_EQ(-EOPNOTSUPP, bh_add_to(self->fd, WORK, BHLAB_QUEUE_BH, "a"));
		EXPECT_EQ(-EOPNOTSUPP, bh_add_to(self->fd, RCU_WORK, BHLAB_QUEUE_BH_HIGHPRI, "a"));
		EXPECT_EQ(1, bh_add(self->fd, WORK, "a"));
		EXPECT_EQ(-EOPNOTSUPP, ACT(QUEUE, 1, ON(BHLAB_QUEUE_BH)));
		EXPECT_EQ(-EOPNOTSUPP, ACT(DELAY, 1, ON(BHLAB_QUEUE_BH_HIGHPRI)));
		return;
	}
	queues[2] = bh_queue(self->fd, "bh", BH);
	queues[3] = bh_queue(self->fd, "bh_highpri", BH | HIGHPRI);
	for (int i = 0; i < BH_ITEMS; i++, name[0]++) {
		int id = bh_add_to(self->fd, WORK, queues[i], name, BH_STEP(REQUEUE, .arg = 1));

		ASSERT_LT(0, id);
		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id, .flags = BHLAB_ACT_CPU, .cpu = cpu));
		EXPECT_EQ(0, bh_wait_runs(self->fd, id, 2));
		EXPECT_EQ(1, bh_event(self->fd, BHLAB_EVENT_RUN, id, &e));
		EXPECT_TRUE(e.context & BHLAB_CTX_SOFTIRQ);
		EXPECT_EQ(cpu, e.cpu);
		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, id, .ns = BH_MS));
		EXPECT_EQ(0, bh_wait_runs(self->fd, id, 4));
		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, id, .ns = BH_NEVER));
		EXPECT_EQ(BHLAB_RESULT_WAS_PENDING, ACT(CANCEL, id));
		EXPECT_EQ(BHLAB_RESULT_IDLE, ACT(FLUSH, id));
	}
	for (int i = 2; i < BH_ITEMS; i++) {
		EXPECT_EQ(BHLAB_RESULT_WAITED, ACT(FLUSH, queues[i]));
		EXPECT_EQ(BHLAB_RESULT_WAITED, ACT(DRAIN, queues[i]));
	}
}

/* What is for process context otherwise must not come there. */
TEST_F(queue, bh_and_process_context)
{
	int mutex, plain, id;

	if (!HAS_BH)
		SKIP(return, "no BH workqueues on this kernel");
	mutex = bh_lock(self->fd, "mutex", BHLAB_LOCK_MUTEX, BHLAB_CTX_TASK);
	plain = bh_lock(self->fd, "plain", BHLAB_LOCK_SPIN, BHLAB_CTX_TASK);
	const struct bhlab_step programs[][2] = {
		{ BH_SLEEP(1), BH_MARK(1) },
		{ BH_STEP(BH_OFF), BH_STEP(BH_ON) },
		{ BH_STEP(LOCK, .target = mutex), BH_STEP(UNLOCK, .target = mutex) },
		{ BH_STEP(LOCK, .target = plain), BH_STEP(UNLOCK, .target = plain) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		struct bhlab_item_create c;

		bh_fill(&c, WORK, "item");
		bh_steps(&c, programs[i], 2);
		c.queue = BHLAB_QUEUE_BH;
		EXPECT_EQ(-EINVAL, bh_create(self->fd, &c));
		EXPECT_NE(0, c.out_why);
		EXPECT_EQ(0, c.out_step);
		c.queue = 0;
		id = bh_create(self->fd, &c);
		ASSERT_LT(0, id);
		EXPECT_EQ(-EINVAL, ACT(QUEUE, id, ON(BHLAB_QUEUE_BH)));
		EXPECT_EQ(-EINVAL, ACT(DELAY, id, ON(BHLAB_QUEUE_BH), .ns = BH_MS));
		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id));
		EXPECT_EQ(0, bh_wait_runs(self->fd, id, 1));
		EXPECT_EQ(0, bh_destroy(self->fd, id));
	}
}

/* To lockdep it would be one lock, taken in a softirq and with softirqs on. */
TEST_F(queue, bh_or_another)
{
	struct bhlab_item_create c;
	int id, bh;

	if (!HAS_BH)
		SKIP(return, "no BH workqueues on this kernel");
	id = bh_add(self->fd, WORK, "item", BH_MARK(1));
	bh = bh_add_to(self->fd, WORK, BHLAB_QUEUE_BH, "bh", BH_MARK(1));
	EXPECT_EQ(-EINVAL, ACT(QUEUE, id, ON(BHLAB_QUEUE_BH)));
	EXPECT_EQ(-EINVAL, ACT(QUEUE, bh, ON(BHLAB_QUEUE_PERCPU)));
	EXPECT_EQ(-EINVAL, ACT(DELAY, bh, ON(BHLAB_QUEUE_UNBOUND)));
	EXPECT_EQ(-EPERM, ACT(QUEUE, bh, ON(BHLAB_QUEUE_BH_HIGHPRI)));
	bh = bh_add_to(self->fd, WORK, bh_queue(self->fd, "own", BH), "own_bh", BH_MARK(1));
	EXPECT_EQ(BHLAB_RESULT_QUEUED,
		  ACT(QUEUE, bh, ON(bh_queue(self->fd, "other", BH | HIGHPRI))));
	EXPECT_EQ(0, bh_wait_runs(self->fd, bh, 1));

	/* with a delay no CPU, whoever names it */
	EXPECT_EQ(-EOPNOTSUPP, ACT(DELAY, id, .flags = BHLAB_ACT_QUEUE | BHLAB_ACT_CPU,
				   .queue = BHLAB_QUEUE_BH));
	bh_fill(&c, WORK, "fixed");
	c.flags = BHLAB_ITEM_CPU;
	c.queue = BHLAB_QUEUE_BH;
	id = bh_create(self->fd, &c);
	ASSERT_LT(0, id);
	EXPECT_EQ(-EOPNOTSUPP, ACT(DELAY, id, .ns = BH_MS));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id));
	EXPECT_EQ(0, bh_wait_runs(self->fd, id, 1));
}

/* There it has no more time than in any softirq. */
TEST_F(queue, bh_time)
{
	const __u64 limit = self->info.out_atomic_ns;
	int id;

	if (!HAS_BH)
		SKIP(return, "no BH workqueues on this kernel");
	ASSERT_EQ(0, bh_unprivileged());
	EXPECT_EQ(-EPERM, bh_add_to(self->fd, WORK, BHLAB_QUEUE_BH, "a", BH_SPIN(limit + 1)));
	EXPECT_EQ(-EINVAL, bh_add_to(self->fd, WORK, BHLAB_QUEUE_BH, "a",
				     BH_SPIN(self->info.out_atomic_cap_ns + 1)));
	EXPECT_LT(0, bh_add_to(self->fd, WORK, BHLAB_QUEUE_BH, "a", BH_SPIN(limit)));
	id = bh_add(self->fd, WORK, "long", BH_SPIN(limit + 1));
	EXPECT_EQ(-EINVAL, ACT(QUEUE, id, ON(BHLAB_QUEUE_BH)));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id));
}

TEST_HARNESS_MAIN
