// SPDX-License-Identifier: GPL-2.0-only
/* Why a program is refused: each reason, its errno, and the step that is named. */
#include "bhlab_test.h"

FIXTURE(lab) {
	int fd;
	struct bhlab_info info;
	__u32 first;	/* two spin locks and a mutex, by creation */
	__u32 second;
	__u32 mutex;
};

FIXTURE_SETUP(lab)
{
	self->fd = bh_open(O_NONBLOCK);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, bh_info(self->fd, &self->info));
	self->mutex = bh_lock(self->fd, "mutex", BHLAB_LOCK_MUTEX, BHLAB_CTX_TASK);
	self->first = bh_lock(self->fd, "first", BHLAB_LOCK_SPIN, BHLAB_CTX_TASK);
	self->second = bh_lock(self->fd, "second", BHLAB_LOCK_SPIN, BHLAB_CTX_HARDIRQ);
}

FIXTURE_TEARDOWN(lab)
{
	bh_end(_metadata, self->fd);
}

#define STALE		77
#define LOCK(_id)	BH_STEP(LOCK, .target = (_id))
#define UNLOCK(_id)	BH_STEP(UNLOCK, .target = (_id))

/* A request with whatever was in it before. */
static int refusal(int fd, struct bhlab_item_create *c)
{
	c->out_id = STALE;
	c->out_why = STALE;
	c->out_step = STALE;
	return bh_call(fd, BHLAB_IOC_ITEM_CREATE, c);
}

#define REFUSED(_error, _why, _step, _c) do {				\
	EXPECT_EQ(-(_error), refusal(self->fd, _c));			\
	EXPECT_EQ(_why, (_c)->out_why);					\
	EXPECT_EQ(_step, (_c)->out_step);				\
	EXPECT_EQ(STALE, (_c)->out_id);					\
} while (0)

#define REFUSED_STEP(_error, _why, _step, _mech, _flags, ...) do {	\
	const struct bhlab_step _steps[] = { __VA_ARGS__ };		\
	struct bhlab_item_create _c;					\
									\
	bh_fill(&_c, _mech, "item");					\
	bh_steps(&_c, _steps, sizeof(_steps) / sizeof(*_steps));	\
	_c.flags |= (_flags);						\
	REFUSED(_error, BHLAB_WHY_##_why, _step, &_c);			\
} while (0)

#define WORK(_error, _why, _step, ...) \
	REFUSED_STEP(_error, _why, _step, BHLAB_MECH_WORK, 0, __VA_ARGS__)

TEST_F(lab, shape)
{
	WORK(EOPNOTSUPP, SHAPE, 1, BH_MARK(1), { .op = 99 });
	WORK(EOPNOTSUPP, SHAPE, 0, { .op = 0 });
	WORK(EOPNOTSUPP, SHAPE, 0, BH_STEP(MARK, .target = 1));
	WORK(EOPNOTSUPP, SHAPE, 0, BH_STEP(QUEUE, .target = 1, .arg = 1));
	WORK(EOPNOTSUPP, SHAPE, 0, BH_STEP(QUEUE, .target = 1, .cpu = 1));
	WORK(EOPNOTSUPP, SHAPE, 0, BH_STEP(MARK, .flags = BHLAB_STEP_CPU));
	WORK(EOPNOTSUPP, SHAPE, 0, BH_STEP(MARK, .flags = 1U << 31));
}

TEST_F(lab, values)
{
	WORK(ENOENT, OBJECT, 1, BH_MARK(1), LOCK(77));
	WORK(ENOENT, OBJECT, 0, BH_STEP(PUSH, .target = 77, .arg = 1));
	WORK(EINVAL, TARGET, 0, BH_STEP(QUEUE));
	WORK(EINVAL, ARG, 0, BH_SPIN(BHLAB_NS_MAX + 1));
	WORK(EINVAL, ARG, 0, BH_STEP(REQUEUE, .arg = 1ULL << 32));
	WORK(EINVAL, ARG, 0, BH_STEP(PUSH, .target = bh_fifo(self->fd, "fifo", 1)));
	WORK(ENODEV, CPU, 0, BH_STEP(QUEUE, .target = 1, .flags = BHLAB_STEP_CPU,
				     .cpu = 0xffffffff));
}

/* What the mechanism forbids, and what the context does. */
TEST_F(lab, places)
{
	const struct bhlab_step requeue[] = { BH_MARK(1), BH_STEP(REQUEUE) };
	const struct bhlab_step off[] = { BH_STEP(BH_OFF), BH_STEP(BH_ON) };
	struct bhlab_item_create c;

	WORK(EINVAL, MECHANISM, 0, BH_THREAD);
	WORK(EINVAL, MECHANISM, 0, BH_STEP(NONE));
	REFUSED_STEP(EINVAL, MECHANISM, 0, BHLAB_MECH_IRQ_WORK, 0, BH_THREAD);
	REFUSED_STEP(EINVAL, MECHANISM, 0, BHLAB_MECH_IRQ, 0, BH_STEP(REQUEUE));
	REFUSED_STEP(EINVAL, CONTEXT, 0, BHLAB_MECH_IRQ, 0, BH_SLEEP(1));
	REFUSED_STEP(EINVAL, CONTEXT, 0, BHLAB_MECH_TASKLET, 0, BH_SLEEP(1));
	REFUSED_STEP(EINVAL, CONTEXT, 0, BHLAB_MECH_TASKLET, 0, BH_STEP(BH_OFF));
	REFUSED_STEP(EINVAL, CONTEXT, 0, BHLAB_MECH_HRTIMER, 0, BH_STEP(IRQ_OFF));
	REFUSED_STEP(EINVAL, THREAD, 0, BHLAB_MECH_IRQ, 0, BH_THREAD);

	/* of the thread, the steps count on */
	bh_fill(&c, BHLAB_MECH_IRQ, "item");
	bh_steps(&c, (struct bhlab_step[]){ BH_MARK(1), BH_THREAD }, 2);
	bh_thread_steps(&c, requeue, 2);
	REFUSED(EINVAL, BHLAB_WHY_MECHANISM, 3, &c);

	if (!(self->info.out_features & BHLAB_FEATURE_BH_QUEUE))
		return;
	bh_fill(&c, BHLAB_MECH_WORK, "item");
	bh_steps(&c, off, 2);
	c.queue = BHLAB_QUEUE_BH;
	REFUSED(EINVAL, BHLAB_WHY_CONTEXT, 0, &c);
}

TEST_F(lab, time)
{
	const __u64 atomic = self->info.out_atomic_ns, cap = self->info.out_atomic_cap_ns;

	WORK(EINVAL, PROCESS_TIME, 1, BH_SPIN(1), BH_SLEEP(self->info.out_process_ns));
	WORK(EINVAL, SLEEP, 1, BH_STEP(BH_OFF), BH_SLEEP(1), BH_STEP(BH_ON));
	WORK(EINVAL, SLEEP, 1, LOCK(self->first), BH_SLEEP(1), UNLOCK(self->first));
	REFUSED_STEP(EINVAL, ATOMIC_TIME, 0, BHLAB_MECH_TASKLET, 0, BH_SPIN(cap + 1));
	ASSERT_EQ(0, bh_unprivileged());
	REFUSED_STEP(EPERM, ATOMIC_CAPABILITY, 1, BHLAB_MECH_TASKLET, 0, BH_SPIN(atomic),
		     BH_SPIN(1));
	REFUSED_STEP(EPERM, CAPABILITY, 0, BHLAB_MECH_IRQ, 0, BH_STEP(NONE));
}

TEST_F(lab, brackets)
{
	REFUSED_STEP(EINVAL, NO_LOCKS, 0, BHLAB_MECH_HRTIMER, BHLAB_ITEM_HARD,
		     LOCK(self->second), UNLOCK(self->second));
	REFUSED_STEP(EINVAL, NO_LOCKS, 0, BHLAB_MECH_TIMER, BHLAB_ITEM_IRQSAFE,
		     LOCK(self->second), UNLOCK(self->second));
	REFUSED_STEP(EINVAL, LOCK_CONTEXT, 0, BHLAB_MECH_TASKLET, 0, LOCK(self->first),
		     UNLOCK(self->first));
	REFUSED_STEP(EINVAL, LOCK_CONTEXT, 0, BHLAB_MECH_TASKLET, 0, LOCK(self->mutex),
		     UNLOCK(self->mutex));
	WORK(EINVAL, NESTING, 1, LOCK(self->second), LOCK(self->first));
	WORK(EINVAL, NESTING, 1, LOCK(self->first), LOCK(self->first));
	WORK(EINVAL, NESTING, 1, BH_STEP(BH_OFF), LOCK(self->mutex));
	WORK(EINVAL, NESTING, 1, BH_STEP(IRQ_OFF), LOCK(self->second));
	WORK(EINVAL, NESTING, 1, BH_STEP(IRQ_OFF), BH_STEP(IRQ_OFF));
	WORK(EINVAL, NESTING, 1, LOCK(self->second), BH_STEP(BH_OFF));
	WORK(EINVAL, NOT_LAST, 0, BH_STEP(BH_ON));
	WORK(EINVAL, NOT_LAST, 1, BH_STEP(BH_OFF), BH_STEP(IRQ_ON));
	WORK(EINVAL, NOT_LAST, 2, LOCK(self->first), LOCK(self->second), UNLOCK(self->first));
	WORK(EINVAL, NOT_CLOSED, 1, BH_MARK(1), BH_STEP(BH_OFF), BH_MARK(2));
	WORK(EINVAL, NOT_CLOSED, 0, LOCK(self->first), BH_STEP(BH_OFF), BH_STEP(BH_ON));
}

TEST_F(lab, length)
{
	__u32 max = self->info.out_max_steps;
	struct bhlab_item_create c;

	bh_fill(&c, BHLAB_MECH_IRQ, "item");
	bh_steps(&c, NULL, max + 1);
	REFUSED(E2BIG, BHLAB_WHY_LENGTH, max, &c);
	bh_steps(&c, NULL, 1);
	bh_thread_steps(&c, NULL, max + 1);
	REFUSED(E2BIG, BHLAB_WHY_LENGTH, max + 1, &c);
}

TEST_F(lab, lab_time)
{
	const struct bhlab_step sleep[] = { BH_SLEEP(self->info.out_process_ns) };
	__u64 fit = self->info.out_lab_ns / self->info.out_process_ns;
	struct bhlab_item_create c;
	char name[BHLAB_NAME_LEN];

	/* each in a thread of its own, since those of the system's queues are few */
	for (__u64 i = 0; i < fit; i++) {
		snprintf(name, sizeof(name), "n%u", (unsigned int)i);
		ASSERT_LT(0, bh_item(self->fd, BHLAB_MECH_KTHREAD_WORK, name, sleep, 1));
	}
	bh_fill(&c, BHLAB_MECH_KTHREAD_WORK, "over");
	bh_steps(&c, sleep, 1);
	REFUSED(ENOSPC, BHLAB_WHY_LAB_TIME, 0, &c);
}

/* Nothing is said of refusals that have another cause, and of items that are made. */
TEST_F(lab, none)
{
	struct bhlab_item_create c;

	bh_fill(&c, BHLAB_MECH_WORK, "9odd");
	REFUSED(EINVAL, 0, 0, &c);
	bh_fill(&c, BHLAB_MECH_WORK, "item");
	bh_steps(&c, NULL, 1);
	REFUSED(EFAULT, 0, 0, &c);
	bh_steps(&c, NULL, 0);
	EXPECT_EQ(0, refusal(self->fd, &c));
	EXPECT_EQ(0, c.out_why);
	EXPECT_EQ(0, c.out_step);
	REFUSED(EEXIST, 0, 0, &c);
}

/* A caller of the first version gets the errno alone, and no byte more. */
TEST_F(lab, first_version)
{
	const struct bhlab_step bad[] = { BH_MARK(1), BH_THREAD };
	struct bhlab_item_create c;

	bh_fill(&c, BHLAB_MECH_WORK, "item");
	bh_steps(&c, bad, 2);
	c.size = offsetof(struct bhlab_item_create, out_why);
	REFUSED(EINVAL, STALE, STALE, &c);
}

TEST_HARNESS_MAIN
