// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attributes of items: who may have which and what they change; and what all
 * items of a lab may take together.
 */
#include <sys/resource.h>

#include "bhlab_test.h"

#define ACT(_verb, ...)	bh_act(self->fd, _verb, ##__VA_ARGS__)
#define CONTEXTS	(BHLAB_CTX_TASK | BHLAB_CTX_SOFTIRQ | BHLAB_CTX_HARDIRQ)
#define KTHREAD		BHLAB_MECH_KTHREAD_WORK

FIXTURE(attributes) {
	int fd;
	struct bhlab_info info;
};

FIXTURE_SETUP(attributes)
{
	self->fd = bh_open(O_NONBLOCK);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, bh_info(self->fd, &self->info));
}

FIXTURE_TEARDOWN(attributes)
{
	bh_privileged();
	bh_end(_metadata, self->fd);
}

static int add(int fd, __u32 mech, const char *name, __u32 flags)
{
	struct bhlab_item_create c;

	bh_fill(&c, mech, name);
	c.flags = flags;
	return bh_create(fd, &c);
}

/* --- flags */

static __u32 attributes_of(__u32 mech)
{
#define ATTRIBUTES(_name, _mech, _context, _by, _disabled, _attrs, ...) [_mech] = _attrs,
	static const __u32 attributes[] = { BH_ROWS(ATTRIBUTES) };

	return attributes[mech];
}

TEST_F(attributes, flags)
{
	const __u32 said = BHLAB_ITEM_HARD | BHLAB_ITEM_LAZY | BHLAB_ITEM_IRQSAFE |
			   BHLAB_ITEM_PINNED | BHLAB_ITEM_ONESHOT;
	struct bhlab_item_state st;
	struct bhlab_mech_info m;

	for (__u32 mech = 1; mech <= self->info.out_mechs; mech++) {
		ASSERT_EQ(0, bh_mech(self->fd, mech, &m));
		EXPECT_EQ(attributes_of(mech) & said, m.out_attrs & said);
		for (__u32 flag = BHLAB_ITEM_HARD; flag <= BHLAB_ITEM_STATIC; flag *= 2) {
			int id = add(self->fd, mech, "item", flag);

			if (!(attributes_of(mech) & flag)) {
				EXPECT_EQ(-EOPNOTSUPP, id);
				continue;
			}
			ASSERT_LT(0, id) {
				TH_LOG("mechanism %s, flag %#x", m.out_name, flag);
			}
			EXPECT_EQ(0, bh_state(self->fd, id, &st));
			EXPECT_EQ(flag, st.out_item_flags);
			EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id));
			EXPECT_EQ(0, bh_wait_runs(self->fd, id, 1));
			EXPECT_EQ(0, bh_destroy(self->fd, id));
		}
	}
	EXPECT_EQ(-EINVAL, add(self->fd, BHLAB_MECH_IRQ_WORK, "item",
			       BHLAB_ITEM_HARD | BHLAB_ITEM_LAZY));
	EXPECT_LT(0, add(self->fd, BHLAB_MECH_HRTIMER, "item",
			 BHLAB_ITEM_HARD | BHLAB_ITEM_PINNED));
}

/* The context of its run, queued on the last CPU; that of the record is in *cpu. */
static __u16 context_of(struct __test_metadata *_metadata, int fd, __u32 mech, __u32 flags,
			__u32 *cpu)
{
	int id = add(fd, mech, "item", flags);
	struct bhlab_event e = {};

	EXPECT_LT(0, id);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(fd, QUEUE, id, .flags = BHLAB_ACT_CPU,
					      .cpu = bh_has_cpu1()));
	EXPECT_EQ(0, bh_wait_runs(fd, id, 1));
	EXPECT_EQ(1, bh_event(fd, BHLAB_EVENT_RUN, id, &e));
	EXPECT_EQ(0, bh_destroy(fd, id));
	*cpu = e.cpu;
	return e.context;
}

#define CONTEXT_OF(_mech, _flags) \
	context_of(_metadata, self->fd, BHLAB_MECH_##_mech, _flags, &cpu)

TEST_F(attributes, contexts)
{
	const bool rt = self->info.out_features & BHLAB_FEATURE_RT;
	__u32 cpu;

	EXPECT_EQ(BHLAB_CTX_HARDIRQ, CONTEXT_OF(IRQ_WORK, BHLAB_ITEM_HARD) & CONTEXTS);
	EXPECT_EQ(rt ? BHLAB_CTX_TASK : BHLAB_CTX_HARDIRQ,
		  CONTEXT_OF(IRQ_WORK, BHLAB_ITEM_LAZY) & CONTEXTS);
	EXPECT_EQ(BHLAB_CTX_HARDIRQ, CONTEXT_OF(HRTIMER, BHLAB_ITEM_HARD) & CONTEXTS);
	EXPECT_EQ(BHLAB_CTX_SOFTIRQ, CONTEXT_OF(TIMER, BHLAB_ITEM_IRQSAFE) & CONTEXTS);
	EXPECT_TRUE(CONTEXT_OF(TIMER, BHLAB_ITEM_IRQSAFE) & BHLAB_CTX_IRQ_OFF);
	EXPECT_FALSE(CONTEXT_OF(TIMER, 0) & BHLAB_CTX_IRQ_OFF);
}

TEST_F(attributes, pinned)
{
	__u32 cpu;

	for (int i = 0; i < 5; i++) {
		CONTEXT_OF(HRTIMER, BHLAB_ITEM_PINNED);
		EXPECT_EQ(bh_has_cpu1(), cpu);
		CONTEXT_OF(HRTIMER_SOFT, BHLAB_ITEM_PINNED);
		EXPECT_EQ(bh_has_cpu1(), cpu);
		CONTEXT_OF(TIMER, BHLAB_ITEM_PINNED);
		EXPECT_EQ(bh_has_cpu1(), cpu);
	}
}

/* --- nice and priority */

static int add_thread(int fd, const char *name, __s32 nice, __u32 priority, __u64 spin)
{
	const struct bhlab_step steps[] = { BH_SPIN(spin) };
	struct bhlab_item_create c;

	bh_fill(&c, KTHREAD, name);
	bh_steps(&c, steps, 1);
	c.nice = nice;
	c.priority = priority;
	return bh_create(fd, &c);
}

/* What the kernel says of the thread that ran it. */
static void check_thread(struct __test_metadata *_metadata, int fd, __s32 nice, __u32 priority)
{
	int id = add_thread(fd, "item", nice, priority, 0);
	struct bhlab_item_state st;
	struct sched_param param;
	struct bhlab_event e;

	ASSERT_LT(0, id);
	EXPECT_EQ(0, bh_state(fd, id, &st));
	EXPECT_EQ(nice, st.out_nice);
	EXPECT_EQ(priority, st.out_priority);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(fd, QUEUE, id));
	EXPECT_EQ(0, bh_wait_runs(fd, id, 1));
	ASSERT_EQ(1, bh_event(fd, BHLAB_EVENT_RUN, id, &e));
	EXPECT_EQ(priority ? SCHED_FIFO : SCHED_OTHER, sched_getscheduler(e.pid));
	EXPECT_EQ(0, sched_getparam(e.pid, &param));
	EXPECT_EQ(priority, param.sched_priority);
	if (!priority) {
		EXPECT_EQ(nice, getpriority(PRIO_PROCESS, e.pid));
	}
	EXPECT_EQ(0, strncmp(e.comm, "bhlab", 5));
	EXPECT_EQ(0, bh_destroy(fd, id));
}

TEST_F(attributes, threads)
{
	check_thread(_metadata, self->fd, 0, 0);
	check_thread(_metadata, self->fd, 19, 0);
	check_thread(_metadata, self->fd, -20, 0);
	check_thread(_metadata, self->fd, 0, 1);
	check_thread(_metadata, self->fd, 0, 99);
	ASSERT_EQ(0, bh_unprivileged());
	check_thread(_metadata, self->fd, 7, 0);
}

TEST_F(attributes, thread_values)
{
	const struct {
		__s32 nice;
		__u32 priority;
	} bad[] = {
		{ 20, 0 }, { -21, 0 }, { 0x7fffffff, 0 }, { -0x7fffffff, 0 }, { 0, 100 },
		{ 0, 0xffffffff }, { 1, 1 }, { -1, 1 }, { 20, 100 },
	};
	struct bhlab_item_create c;

	/* a value out of its range comes before what is not allowed */
	ASSERT_EQ(0, bh_unprivileged());
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL, add_thread(self->fd, "item", bad[i].nice, bad[i].priority, 0));
	EXPECT_EQ(-EPERM, add_thread(self->fd, "item", -1, 0, 0));
	EXPECT_EQ(-EPERM, add_thread(self->fd, "item", -20, 0, 0));
	EXPECT_EQ(-EPERM, add_thread(self->fd, "item", 0, 1, 0));
	EXPECT_EQ(-EPERM, add_thread(self->fd, "item", 0, 99, 0));
	/* and so does a CPU; a program comes after it */
	bh_fill(&c, KTHREAD, "item");
	c.priority = 1;
	c.flags = BHLAB_ITEM_CPU;
	c.cpu = 0xffffffff;
	EXPECT_EQ(-ENODEV, bh_create(self->fd, &c));
	c.flags = 0;
	c.cpu = 0;
	c.nr_steps = 1;
	EXPECT_EQ(-EPERM, bh_create(self->fd, &c));
	ASSERT_EQ(0, bh_privileged());
	EXPECT_EQ(-EFAULT, bh_create(self->fd, &c));
	for (__u32 mech = 1; mech <= self->info.out_mechs; mech++) {
		if (mech == KTHREAD)
			continue;
		bh_fill(&c, mech, "item");
		c.nice = 1;
		EXPECT_EQ(-EOPNOTSUPP, bh_create(self->fd, &c));
		c.nice = 0;
		c.priority = 1;
		EXPECT_EQ(-EOPNOTSUPP, bh_create(self->fd, &c));
	}
}

/* At real-time priority time is as dear as in atomic context. */
TEST_F(attributes, thread_time)
{
	const __u64 limit = self->info.out_atomic_cap_ns;

	EXPECT_EQ(-EINVAL, add_thread(self->fd, "item", 0, 1, limit + 1));
	EXPECT_LT(0, add_thread(self->fd, "fifo", 0, 1, limit));
	EXPECT_LT(0, add_thread(self->fd, "nice", -20, 0, limit + 1));
}

TEST_F(attributes, limit_of_threads)
{
	const __u32 max = self->info.out_max_threads;
	char name[BHLAB_NAME_LEN];

	for (__u32 i = 1; i <= max; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		ASSERT_EQ(i, bh_add(self->fd, KTHREAD, name));
	}
	EXPECT_EQ(-ENOSPC, bh_add(self->fd, KTHREAD, "over"));
	EXPECT_EQ(-EEXIST, bh_add(self->fd, KTHREAD, "n1"));
	EXPECT_EQ(max + 1, bh_add(self->fd, BHLAB_MECH_WORK, "work"));
	EXPECT_EQ(0, bh_destroy(self->fd, 1));
	EXPECT_EQ(max + 2, bh_add(self->fd, KTHREAD, "over"));
	EXPECT_EQ(-ENOSPC, bh_add(self->fd, KTHREAD, "over2"));
}

/* --- the time of all programs together */

TEST_F(attributes, limit_of_time)
{
	const __u64 each = self->info.out_process_ns;
	const __u32 n = self->info.out_lab_ns / each;
	char name[BHLAB_NAME_LEN];
	int q;

	if (self->info.out_lab_ns % each)
		SKIP(return, "a lab's time is not a multiple of a program's");
	ASSERT_EQ(0, bh_unprivileged());
	q = bh_queue(self->fd, "q", BHLAB_WQ_UNBOUND);
	ASSERT_EQ(1, q);
	/* all but one; an irq's thread counts, too */
	for (__u32 i = 1; i < n; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		ASSERT_EQ(1 + i, i == 1 ? bh_add_threaded(self->fd, name, BH_SLEEP(each)) :
			  bh_add_to(self->fd, i % 2 ? BHLAB_MECH_WORK : BHLAB_MECH_RCU_WORK, q,
				    name, BH_SPIN(each / 2), BH_SLEEP(each / 2)));
	}
	EXPECT_EQ(1 + n, bh_add(self->fd, KTHREAD, "half", BH_SLEEP(each - 1)));
	EXPECT_EQ(-ENOSPC, bh_add(self->fd, BHLAB_MECH_WORK, "over", BH_SLEEP(2)));
	EXPECT_LT(0, bh_add(self->fd, BHLAB_MECH_WORK, "last", BH_SLEEP(1)));
	EXPECT_EQ(-ENOSPC, bh_add(self->fd, BHLAB_MECH_WORK, "over", BH_SPIN(1)));
	EXPECT_EQ(-ENOSPC, bh_add_threaded(self->fd, "over", BH_SPIN(1)));
	EXPECT_EQ(-EEXIST, bh_add(self->fd, BHLAB_MECH_WORK, "n2", BH_SPIN(1)));
	/* what takes none, and what is short anyway */
	EXPECT_LT(0, bh_add(self->fd, BHLAB_MECH_WORK, "nothing", BH_MARK(1)));
	EXPECT_LT(0, bh_add(self->fd, BHLAB_MECH_TASKLET, "tasklet",
			    BH_SPIN(self->info.out_atomic_ns)));
	EXPECT_EQ(0, bh_destroy(self->fd, 2));
	EXPECT_LT(0, bh_add(self->fd, BHLAB_MECH_WORK, "over", BH_SLEEP(each)));
	EXPECT_EQ(-ENOSPC, bh_add(self->fd, BHLAB_MECH_WORK, "over2", BH_SLEEP(1)));
}

/* --- static items */

#define STATIC(_fd, _mech, _name)	add(_fd, BHLAB_MECH_##_mech, _name, BHLAB_ITEM_STATIC)

TEST_F(attributes, static_one_at_a_time)
{
	int other = bh_open(O_NONBLOCK), work, tasklet;

	ASSERT_LE(0, other);
	work = STATIC(self->fd, WORK, "work");
	tasklet = STATIC(self->fd, TASKLET, "tasklet");
	ASSERT_LT(0, work);
	ASSERT_LT(0, tasklet);
	EXPECT_EQ(-EBUSY, STATIC(self->fd, WORK, "second"));
	EXPECT_EQ(-EBUSY, STATIC(self->fd, TASKLET, "second"));
	/* there is one struct tasklet_struct for both */
	EXPECT_EQ(-EBUSY, STATIC(self->fd, TASKLET_HI, "second"));
	EXPECT_EQ(-EBUSY, STATIC(other, WORK, "work"));
	EXPECT_EQ(-EBUSY, STATIC(other, TASKLET, "tasklet"));
	EXPECT_EQ(-EBUSY, STATIC(other, TASKLET_HI, "tasklet"));
	EXPECT_EQ(-EEXIST, STATIC(self->fd, WORK, "work"));

	EXPECT_EQ(0, bh_destroy(self->fd, tasklet));
	EXPECT_LT(0, STATIC(other, TASKLET_HI, "tasklet"));
	EXPECT_EQ(-EBUSY, STATIC(self->fd, TASKLET, "tasklet"));
	close(other);
	tasklet = STATIC(self->fd, TASKLET, "tasklet");
	EXPECT_LT(0, tasklet);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, tasklet));
	EXPECT_EQ(0, bh_wait_runs(self->fd, tasklet, 1));
}

/* A creation that fails for another reason leaves it free. */
TEST_F(attributes, static_after_failure)
{
	ASSERT_LT(0, bh_add(self->fd, BHLAB_MECH_IRQ, "taken"));
	EXPECT_EQ(-EEXIST, STATIC(self->fd, WORK, "taken"));
	EXPECT_EQ(-EEXIST, STATIC(self->fd, TASKLET, "taken"));
	EXPECT_LT(0, STATIC(self->fd, WORK, "work"));
	EXPECT_LT(0, STATIC(self->fd, TASKLET, "tasklet"));
}

/* Whatever has been done to it: the next one finds it as new. */
static void use_and_leave(struct __test_metadata *_metadata, __u32 mech, bool destroy)
{
	int fd = bh_open(O_NONBLOCK), id = add(fd, mech, "item", BHLAB_ITEM_STATIC);
	struct bhlab_item_state st;

	ASSERT_LT(0, id);
	EXPECT_EQ(0, bh_state(fd, id, &st));
	EXPECT_EQ(0, st.out_state);
	EXPECT_EQ(0, st.out_depth);
	EXPECT_EQ(0, st.out_accepted);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(fd, QUEUE, id));
	EXPECT_EQ(0, bh_wait_runs(fd, id, 1));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(fd, DELAY, id, .ns = BH_NEVER));
	if (bh_has_verb(fd, mech, BHLAB_VERB_DISABLE) == 1)
		for (int i = 0; i < 3; i++)
			EXPECT_LE(0, bh_act(fd, DISABLE, id));
	if (destroy) {
		EXPECT_EQ(0, bh_destroy(fd, id));
	}
	close(fd);
}

TEST_F(attributes, static_as_new)
{
	for (int i = 0; i < 4; i++) {
		use_and_leave(_metadata, BHLAB_MECH_WORK, i % 2);
		use_and_leave(_metadata, i < 2 ? BHLAB_MECH_TASKLET : BHLAB_MECH_TASKLET_HI,
			      i % 2);
	}
}

TEST_HARNESS_MAIN
