// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steps that change what others may do meanwhile: brackets and locks, cancel,
 * disable and enable, FIFOs. What is refused, and that they do what they say.
 */
#include "bhlab_test.h"

#define WORK		BHLAB_MECH_WORK
#define TASKLET		BHLAB_MECH_TASKLET
#define POISON		0xa5a5a5a5

#define ACT(_verb, ...)	bh_act(self->fd, _verb, ##__VA_ARGS__)
#define LOCK(_id)	BH_STEP(LOCK, .target = (_id))
#define UNLOCK(_id)	BH_STEP(UNLOCK, .target = (_id))
#define BH_OFF		BH_STEP(BH_OFF)
#define RCU		BH_STEP(RCU)
#define RCU_END		BH_STEP(RCU_END)
#define BH_ON		BH_STEP(BH_ON)
#define IRQ_OFF		BH_STEP(IRQ_OFF)
#define IRQ_ON		BH_STEP(IRQ_ON)
#define PUSH(_id, _n)	BH_STEP(PUSH, .target = (_id), .arg = (_n))
#define POP(_id, _n)	BH_STEP(POP, .target = (_id), .arg = (_n))

/* Locks in the order of their creation. */
enum {
	MUTEX_A = 1,
	MUTEX_B,
	TASK_A,
	TASK_B,
	SOFTIRQ_A,
	SOFTIRQ_B,
	HARDIRQ_A,
	HARDIRQ_B,
	FIFO,
};

FIXTURE(steps) {
	int fd;
	struct bhlab_info info;
};

FIXTURE_SETUP(steps)
{
	self->fd = bh_open(O_NONBLOCK);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, bh_info(self->fd, &self->info));
	ASSERT_EQ(MUTEX_A, bh_lock(self->fd, "mutex.a", BHLAB_LOCK_MUTEX, BHLAB_CTX_TASK));
	ASSERT_EQ(MUTEX_B, bh_lock(self->fd, "mutex.b", BHLAB_LOCK_MUTEX, BHLAB_CTX_TASK));
	ASSERT_EQ(TASK_A, bh_lock(self->fd, "task.a", BHLAB_LOCK_SPIN, BHLAB_CTX_TASK));
	ASSERT_EQ(TASK_B, bh_lock(self->fd, "task.b", BHLAB_LOCK_SPIN, BHLAB_CTX_TASK));
	ASSERT_EQ(SOFTIRQ_A, bh_lock(self->fd, "soft.a", BHLAB_LOCK_SPIN, BHLAB_CTX_SOFTIRQ));
	ASSERT_EQ(SOFTIRQ_B, bh_lock(self->fd, "soft.b", BHLAB_LOCK_SPIN, BHLAB_CTX_SOFTIRQ));
	ASSERT_EQ(HARDIRQ_A, bh_lock(self->fd, "hard.a", BHLAB_LOCK_SPIN, BHLAB_CTX_HARDIRQ));
	ASSERT_EQ(HARDIRQ_B, bh_lock(self->fd, "hard.b", BHLAB_LOCK_SPIN, BHLAB_CTX_HARDIRQ));
	ASSERT_EQ(FIFO, bh_fifo(self->fd, "fifo", 10));
}

FIXTURE_TEARDOWN(steps)
{
	bh_privileged();
	bh_end(_metadata, self->fd);
}

/* --- what is refused */

/* The programs of a table end with a step without a number. */
#define LONGEST	12

static __u32 length(const struct bhlab_step *s)
{
	__u32 nr = 0;

	while (nr < LONGEST && s[nr].op)
		nr++;
	return nr;
}

static int try(int fd, __u32 mech, __u32 queue, __u32 flags, const struct bhlab_step *s,
	       __u32 *step)
{
	struct bhlab_item_create c;
	int ret;

	bh_fill(&c, mech, "item");
	bh_steps(&c, s, length(s));
	c.queue = queue;
	c.flags = flags;
	c.out_step = POISON;
	ret = bh_call(fd, BHLAB_IOC_ITEM_CREATE, &c);
	*step = c.out_step;
	if (!ret)
		bh_destroy(fd, c.out_id);
	return ret;
}

struct program {
	__u32 bad;	/* index of the step that is refused */
	struct bhlab_step s[LONGEST];
};

static const struct program refused_for_work[] = {
	/* not closed, not opened, not nested */
	{ 0, { BH_OFF } },
	{ 1, { BH_MARK(1), IRQ_OFF, BH_MARK(1) } },
	{ 0, { LOCK(TASK_A) } },
	{ 1, { BH_OFF, IRQ_OFF } },
	{ 0, { BH_OFF, IRQ_OFF, IRQ_ON } },
	{ 0, { BH_ON } },
	{ 0, { IRQ_ON } },
	{ 1, { BH_OFF, IRQ_ON } },
	{ 2, { BH_OFF, BH_ON, BH_ON } },
	{ 2, { BH_OFF, IRQ_OFF, BH_ON, IRQ_ON } },
	{ 0, { UNLOCK(TASK_A) } },
	{ 1, { LOCK(TASK_A), UNLOCK(TASK_B) } },
	{ 2, { LOCK(TASK_A), LOCK(TASK_B), UNLOCK(TASK_A), UNLOCK(TASK_B) } },
	{ 2, { LOCK(MUTEX_A), UNLOCK(MUTEX_A), UNLOCK(MUTEX_A) } },
	{ 1, { LOCK(SOFTIRQ_A), BH_ON } },
	{ 2, { BH_OFF, LOCK(TASK_A), BH_ON, UNLOCK(TASK_A) } },
	{ 0, { RCU } },
	{ 0, { RCU_END } },
	{ 2, { RCU, BH_OFF, RCU_END, BH_ON } },
	/* in itself */
	{ 1, { RCU, RCU, RCU_END, RCU_END } },
	{ 2, { RCU, LOCK(TASK_A), RCU, RCU_END, UNLOCK(TASK_A), RCU_END } },
	{ 1, { BH_OFF, BH_OFF, BH_ON, BH_ON } },
	{ 1, { IRQ_OFF, IRQ_OFF, IRQ_ON, IRQ_ON } },
	{ 1, { LOCK(TASK_A), LOCK(TASK_A), UNLOCK(TASK_A), UNLOCK(TASK_A) } },
	{ 1, { LOCK(MUTEX_A), LOCK(MUTEX_A), UNLOCK(MUTEX_A), UNLOCK(MUTEX_A) } },
	/* a sleep, but for mutexes alone */
	{ 1, { BH_OFF, BH_SLEEP(1), BH_ON } },
	{ 1, { IRQ_OFF, BH_SLEEP(1), IRQ_ON } },
	{ 1, { LOCK(TASK_A), BH_SLEEP(1), UNLOCK(TASK_A) } },
	{ 1, { LOCK(HARDIRQ_A), BH_SLEEP(0), UNLOCK(HARDIRQ_A) } },
	{ 2, { LOCK(MUTEX_A), BH_OFF, BH_SLEEP(1), BH_ON, UNLOCK(MUTEX_A) } },
	{ 2, { LOCK(MUTEX_A), LOCK(SOFTIRQ_A), BH_SLEEP(1), UNLOCK(SOFTIRQ_A), UNLOCK(MUTEX_A) } },
	{ 1, { RCU, BH_SLEEP(1), RCU_END } },
	/* the order of locks */
	{ 1, { LOCK(MUTEX_B), LOCK(MUTEX_A), UNLOCK(MUTEX_A), UNLOCK(MUTEX_B) } },
	{ 1, { LOCK(TASK_B), LOCK(TASK_A), UNLOCK(TASK_A), UNLOCK(TASK_B) } },
	{ 1, { LOCK(HARDIRQ_B), LOCK(HARDIRQ_A), UNLOCK(HARDIRQ_A), UNLOCK(HARDIRQ_B) } },
	/* a mutex inside of a spin lock, or where nothing may sleep */
	{ 1, { LOCK(TASK_A), LOCK(MUTEX_B), UNLOCK(MUTEX_B), UNLOCK(TASK_A) } },
	{ 1, { BH_OFF, LOCK(MUTEX_A), UNLOCK(MUTEX_A), BH_ON } },
	{ 1, { IRQ_OFF, LOCK(MUTEX_A), UNLOCK(MUTEX_A), IRQ_ON } },
	{ 1, { RCU, LOCK(MUTEX_A), UNLOCK(MUTEX_A), RCU_END } },
	/* a spin lock inside of one for a stricter context */
	{ 1, { LOCK(SOFTIRQ_A), LOCK(TASK_B), UNLOCK(TASK_B), UNLOCK(SOFTIRQ_A) } },
	{ 1, { LOCK(HARDIRQ_A), LOCK(SOFTIRQ_B), UNLOCK(SOFTIRQ_B), UNLOCK(HARDIRQ_A) } },
	{ 2, { LOCK(TASK_A), LOCK(HARDIRQ_A), LOCK(SOFTIRQ_B), UNLOCK(SOFTIRQ_B),
	       UNLOCK(HARDIRQ_A), UNLOCK(TASK_A) } },
	/* no lock and no BH_OFF inside of IRQ_OFF */
	{ 1, { IRQ_OFF, LOCK(TASK_A), UNLOCK(TASK_A), IRQ_ON } },
	{ 1, { IRQ_OFF, LOCK(HARDIRQ_A), UNLOCK(HARDIRQ_A), IRQ_ON } },
	{ 1, { IRQ_OFF, BH_OFF, BH_ON, IRQ_ON } },
	{ 2, { BH_OFF, IRQ_OFF, LOCK(HARDIRQ_A), UNLOCK(HARDIRQ_A), IRQ_ON, BH_ON } },
	/* no BH_OFF inside of a spin lock for hardirq context */
	{ 1, { LOCK(HARDIRQ_A), BH_OFF, BH_ON, UNLOCK(HARDIRQ_A) } },
	{ 2, { LOCK(TASK_A), LOCK(HARDIRQ_A), BH_OFF, BH_ON, UNLOCK(HARDIRQ_A), UNLOCK(TASK_A) } },
};

static const struct program accepted_for_work[] = {
	{ 0, { BH_OFF, BH_ON, BH_OFF, BH_ON } },
	{ 0, { BH_OFF, IRQ_OFF, BH_SPIN(1), IRQ_ON, BH_ON } },
	{ 0, { LOCK(MUTEX_A), BH_SLEEP(1), LOCK(MUTEX_B), BH_SLEEP(1), UNLOCK(MUTEX_B),
	       UNLOCK(MUTEX_A), BH_SLEEP(1) } },
	{ 0, { LOCK(MUTEX_B), UNLOCK(MUTEX_B), LOCK(MUTEX_A), UNLOCK(MUTEX_A) } },
	{ 0, { LOCK(MUTEX_A), LOCK(TASK_A), LOCK(SOFTIRQ_A), LOCK(HARDIRQ_A), BH_SPIN(1),
	       UNLOCK(HARDIRQ_A), UNLOCK(SOFTIRQ_A), UNLOCK(TASK_A), UNLOCK(MUTEX_A) } },
	{ 0, { LOCK(TASK_A), LOCK(TASK_B), UNLOCK(TASK_B), UNLOCK(TASK_A) } },
	{ 0, { LOCK(MUTEX_A), BH_OFF, LOCK(TASK_A), UNLOCK(TASK_A), BH_ON, UNLOCK(MUTEX_A) } },
	{ 0, { LOCK(TASK_A), BH_OFF, BH_ON, IRQ_OFF, IRQ_ON, UNLOCK(TASK_A) } },
	{ 0, { LOCK(SOFTIRQ_A), BH_OFF, BH_ON, UNLOCK(SOFTIRQ_A) } },
	{ 0, { LOCK(HARDIRQ_A), LOCK(HARDIRQ_B), UNLOCK(HARDIRQ_B), UNLOCK(HARDIRQ_A) } },
	{ 0, { LOCK(HARDIRQ_A), IRQ_OFF, IRQ_ON, UNLOCK(HARDIRQ_A) } },
	{ 0, { LOCK(MUTEX_A), RCU, BH_OFF, IRQ_OFF, IRQ_ON, BH_ON, RCU_END, UNLOCK(MUTEX_A) } },
	{ 0, { IRQ_OFF, RCU, BH_SPIN(1), RCU_END, IRQ_ON } },
	{ 0, { LOCK(HARDIRQ_A), RCU, RCU_END, UNLOCK(HARDIRQ_A), RCU, LOCK(TASK_A),
	       UNLOCK(TASK_A), RCU_END } },
	{ 0, { BH_OFF, PUSH(FIFO, 1), POP(FIFO, 0), BH_STEP(QUEUE, .target = 77), BH_ON } },
};

TEST_F(steps, brackets)
{
	const __u32 mechs[] = { BH_IN_TASK(BH_ID) };
	const struct program *p;
	__u32 step;

	for (size_t m = 0; m < ARRAY_SIZE(mechs); m++) {
		for (p = refused_for_work; p < refused_for_work + ARRAY_SIZE(refused_for_work);
		     p++) {
			EXPECT_EQ(-EINVAL, try(self->fd, mechs[m], 0, 0, p->s, &step)) {
				TH_LOG("program %zu", p - refused_for_work);
			}
			EXPECT_EQ(p->bad, step) {
				TH_LOG("program %zu", p - refused_for_work);
			}
		}
		for (p = accepted_for_work; p < accepted_for_work + ARRAY_SIZE(accepted_for_work);
		     p++) {
			EXPECT_EQ(0, try(self->fd, mechs[m], 0, 0, p->s, &step)) {
				TH_LOG("program %zu: step %u", p - accepted_for_work, step);
			}
		}
	}
}

/* What is accepted runs, and leaves all as it was. */
TEST_F(steps, brackets_run)
{
	struct bhlab_item_create c;
	struct bhlab_event e;
	int id;

	for (size_t i = 0; i < ARRAY_SIZE(accepted_for_work); i++) {
		struct bhlab_step s[LONGEST + 1];
		__u32 nr = length(accepted_for_work[i].s);

		memcpy(s, accepted_for_work[i].s, sizeof(accepted_for_work[i].s));
		s[nr] = BH_MARK(1);
		bh_fill(&c, WORK, "item");
		bh_steps(&c, s, nr + 1);
		id = bh_create(self->fd, &c);
		ASSERT_LT(0, id);
		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id));
		EXPECT_EQ(0, bh_wait_runs(self->fd, id, 1));
		EXPECT_EQ(1, bh_event(self->fd, BHLAB_EVENT_MARK, id, &e));
		EXPECT_EQ(0, e.context & (BHLAB_CTX_BH_OFF | BHLAB_CTX_IRQ_OFF));
		EXPECT_EQ(0, bh_destroy(self->fd, id));
	}
}

/* A lock has to be as strict as the context that the item is written for. */
TEST_F(steps, locks_and_contexts)
{
	const struct {
		__u32 mech;
		__u32 context;
	} mechs[] = {
#define CONTEXT(_name, _mech, _context, ...)	{ _mech, BHLAB_CTX_##_context },
		BH_ROWS(CONTEXT)
	};
	const struct {
		__u32 lock;
		__u32 context;
	} locks[] = {
		{ MUTEX_A, BHLAB_CTX_TASK }, { TASK_A, BHLAB_CTX_TASK },
		{ SOFTIRQ_A, BHLAB_CTX_SOFTIRQ }, { HARDIRQ_A, BHLAB_CTX_HARDIRQ },
	};
	__u32 step;

	for (size_t m = 0; m < ARRAY_SIZE(mechs); m++)
		for (size_t l = 0; l < ARRAY_SIZE(locks); l++) {
			const struct bhlab_step s[LONGEST] = {
				LOCK(locks[l].lock), UNLOCK(locks[l].lock),
			};
			if (bh_absent(self->fd, mechs[m].mech))
				continue;
			/* on RT a csd must not take what sleeps there */
			bool fits = locks[l].context >= mechs[m].context &&
				    mechs[m].mech != BHLAB_MECH_CSD;

			EXPECT_EQ(fits ? 0 : -EINVAL,
				  try(self->fd, mechs[m].mech, 0, 0, s, &step)) {
				TH_LOG("mechanism %u, lock %u", mechs[m].mech, locks[l].lock);
			}
			EXPECT_TRUE(fits || step == 0);
		}
}

/* The thread of an irq is in process context, what is on a BH queue in a softirq. */
TEST_F(steps, locks_elsewhere)
{
	const struct bhlab_step plain[LONGEST] = { LOCK(TASK_A), UNLOCK(TASK_A) };
	const struct bhlab_step soft[LONGEST] = { LOCK(SOFTIRQ_A), UNLOCK(SOFTIRQ_A) };
	const struct bhlab_step hard[LONGEST] = { LOCK(HARDIRQ_A), UNLOCK(HARDIRQ_A) };
	__u32 step;
	int id;

	id = bh_add_threaded(self->fd, "line", LOCK(MUTEX_A), BH_SLEEP(1), LOCK(TASK_A), BH_OFF,
			     BH_ON, UNLOCK(TASK_A), UNLOCK(MUTEX_A));
	ASSERT_LT(0, id);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(TRIGGER, id, .count = 1));
	EXPECT_LE(0, ACT(FLUSH, id));
	/* on RT these would sleep */
	EXPECT_EQ(-EINVAL, try(self->fd, BHLAB_MECH_IRQ_WORK, 0, BHLAB_ITEM_HARD, hard, &step));
	EXPECT_EQ(0, step);
	EXPECT_EQ(-EINVAL, try(self->fd, BHLAB_MECH_HRTIMER, 0, BHLAB_ITEM_HARD, hard, &step));
	EXPECT_EQ(-EINVAL, try(self->fd, BHLAB_MECH_TIMER, 0, BHLAB_ITEM_IRQSAFE, hard, &step));
	EXPECT_EQ(-EINVAL, try(self->fd, BHLAB_MECH_TIMER, 0, BHLAB_ITEM_IRQSAFE, soft, &step));
	EXPECT_EQ(0, try(self->fd, BHLAB_MECH_TIMER, 0, 0, soft, &step));
	if (!(self->info.out_features & BHLAB_FEATURE_BH_QUEUE))
		return;
	EXPECT_EQ(-EINVAL, try(self->fd, WORK, BHLAB_QUEUE_BH, 0, plain, &step));
	EXPECT_EQ(0, step);
	EXPECT_EQ(0, try(self->fd, WORK, BHLAB_QUEUE_BH, 0, soft, &step));
	EXPECT_EQ(0, try(self->fd, WORK, BHLAB_QUEUE_BH, 0, hard, &step));
}

TEST_F(steps, targets)
{
	int item = bh_add(self->fd, WORK, "other"), queue = bh_queue(self->fd, "queue",
								      BHLAB_WQ_UNBOUND);
	const __u32 no_lock[] = { 0, 77, 0xffffffff, FIFO, item, queue };
	const __u32 no_fifo[] = { 0, 77, 0xffffffff, TASK_A, item, queue };
	struct bhlab_lookup l;
	__u32 step;

	for (size_t i = 0; i < ARRAY_SIZE(no_lock); i++) {
		const struct bhlab_step s[LONGEST] = { BH_MARK(1), LOCK(no_lock[i]),
						       UNLOCK(no_lock[i]) };

		EXPECT_EQ(-ENOENT, try(self->fd, WORK, 0, 0, s, &step));
	}
	for (size_t i = 0; i < ARRAY_SIZE(no_fifo); i++) {
		const struct bhlab_step push[LONGEST] = { PUSH(no_fifo[i], 1) };
		const struct bhlab_step pop[LONGEST] = { POP(no_fifo[i], 0) };

		EXPECT_EQ(-ENOENT, try(self->fd, WORK, 0, 0, push, &step));
		EXPECT_EQ(-ENOENT, try(self->fd, WORK, 0, 0, pop, &step));
	}
	/* one that is only a name is none yet */
	ASSERT_EQ(0, bh_lookup(self->fd, "later", BHLAB_LOOKUP_RESERVE, &l));
	const struct bhlab_step later[LONGEST] = { PUSH(l.id, 1) };

	EXPECT_EQ(-ENOENT, try(self->fd, WORK, 0, 0, later, &step));
	EXPECT_EQ(l.id, bh_fifo(self->fd, "later", 1));
	EXPECT_EQ(0, try(self->fd, WORK, 0, 0, later, &step));
}

/* In brackets, time is as dear as in atomic context. */
TEST_F(steps, time)
{
	const __u64 limit = self->info.out_atomic_ns;
	const struct bhlab_step brackets[][2] = {
		{ BH_OFF, BH_ON }, { IRQ_OFF, IRQ_ON }, { LOCK(TASK_A), UNLOCK(TASK_A) },
		{ LOCK(SOFTIRQ_A), UNLOCK(SOFTIRQ_A) }, { LOCK(HARDIRQ_A), UNLOCK(HARDIRQ_A) },
		{ LOCK(MUTEX_A), UNLOCK(MUTEX_A) }, { RCU, RCU_END },
	};
	__u32 step;

	ASSERT_EQ(0, bh_unprivileged());
	for (size_t i = 0; i < ARRAY_SIZE(brackets); i++) {
		struct bhlab_step s[LONGEST] = {
			brackets[i][0], BH_SPIN(limit), brackets[i][1], BH_SPIN(limit),
		};

		EXPECT_EQ(0, try(self->fd, WORK, 0, 0, s, &step));
		s[1].arg++;
		EXPECT_EQ(-EPERM, try(self->fd, WORK, 0, 0, s, &step));
		EXPECT_EQ(1, step);
		s[1].arg = self->info.out_atomic_cap_ns + 1;
		EXPECT_EQ(-EINVAL, try(self->fd, WORK, 0, 0, s, &step));
		EXPECT_EQ(1, step);
	}
	/* with a mutex one may sleep */
	const struct bhlab_step mutex[LONGEST] = { LOCK(MUTEX_A), BH_SLEEP(10 * limit),
						   UNLOCK(MUTEX_A), BH_SPIN(10 * limit) };

	EXPECT_EQ(0, try(self->fd, WORK, 0, 0, mutex, &step));
}

/* --- locks */

TEST_F(steps, lock_values)
{
	struct bhlab_lock_state st;

	EXPECT_EQ(-EINVAL, bh_lock(self->fd, "new", BHLAB_LOCK_MUTEX, BHLAB_CTX_SOFTIRQ));
	EXPECT_EQ(-EINVAL, bh_lock(self->fd, "new", BHLAB_LOCK_MUTEX, BHLAB_CTX_HARDIRQ));
	EXPECT_EQ(-EINVAL, bh_lock(self->fd, "new", BHLAB_LOCK_MUTEX, 0));
	EXPECT_EQ(-EINVAL, bh_lock(self->fd, "new", BHLAB_LOCK_SPIN, 0));
	EXPECT_EQ(-EINVAL, bh_lock(self->fd, "new", BHLAB_LOCK_SPIN, BHLAB_CTX_BH_OFF));
	EXPECT_EQ(-EINVAL, bh_lock(self->fd, "new", BHLAB_LOCK_SPIN,
				   BHLAB_CTX_TASK | BHLAB_CTX_SOFTIRQ));
	EXPECT_EQ(-EINVAL, bh_lock(self->fd, "new", BHLAB_LOCK_SPIN, 0xffffffff));
	EXPECT_EQ(0, bh_lock_state(self->fd, SOFTIRQ_B, &st));
	EXPECT_EQ(BHLAB_LOCK_SPIN, st.out_kind);
	EXPECT_EQ(BHLAB_CTX_SOFTIRQ, st.out_context);
	EXPECT_EQ(0, st.out_programs);
	EXPECT_STREQ("soft.b", st.out_name);
	EXPECT_EQ(0, bh_lock_state(self->fd, MUTEX_A, &st));
	EXPECT_EQ(BHLAB_LOCK_MUTEX, st.out_kind);
}

/* The fixture has made all that there may be; a place is not given back. */
TEST_F(steps, limit_of_locks)
{
	EXPECT_EQ(8, self->info.out_max_locks);
	EXPECT_EQ(-ENOSPC, bh_lock(self->fd, "over", BHLAB_LOCK_SPIN, BHLAB_CTX_TASK));
	EXPECT_EQ(-EEXIST, bh_lock(self->fd, "task.a", BHLAB_LOCK_SPIN, BHLAB_CTX_TASK));
	EXPECT_EQ(0, bh_destroy(self->fd, TASK_A));
	EXPECT_EQ(-ENOSPC, bh_lock(self->fd, "over", BHLAB_LOCK_SPIN, BHLAB_CTX_TASK));
}

static __u32 lock_programs(int fd, __u32 id)
{
	struct bhlab_lock_state st;

	return bh_lock_state(fd, id, &st) ? -1U : st.out_programs;
}

static __u32 fifo_programs(int fd, __u32 id)
{
	struct bhlab_fifo_state st;

	return bh_fifo_state(fd, id, &st) ? -1U : st.out_programs;
}

TEST_F(steps, kept_by_programs)
{
	int a, b;

	a = bh_add(self->fd, WORK, "a", LOCK(TASK_A), UNLOCK(TASK_A));
	b = bh_add_threaded(self->fd, "b", LOCK(TASK_A), PUSH(FIFO, 1), UNLOCK(TASK_A));
	ASSERT_LT(0, b);
	/* refused behind the step that names it: it does not keep it */
	EXPECT_EQ(-EINVAL, bh_add(self->fd, WORK, "c", LOCK(TASK_B), PUSH(FIFO, 1), BH_SLEEP(1),
				  UNLOCK(TASK_B)));
	EXPECT_EQ(-EEXIST, bh_add(self->fd, WORK, "a", LOCK(TASK_B), POP(FIFO, 1),
				  UNLOCK(TASK_B)));
	EXPECT_EQ(2, lock_programs(self->fd, TASK_A));
	EXPECT_EQ(0, lock_programs(self->fd, TASK_B));
	EXPECT_EQ(1, fifo_programs(self->fd, FIFO));
	EXPECT_EQ(-EBUSY, bh_destroy(self->fd, TASK_A));
	EXPECT_EQ(-EBUSY, bh_destroy(self->fd, FIFO));
	EXPECT_EQ(0, bh_destroy(self->fd, TASK_B));
	EXPECT_EQ(0, bh_destroy(self->fd, a));
	EXPECT_EQ(-EBUSY, bh_destroy(self->fd, TASK_A));
	EXPECT_EQ(0, bh_destroy(self->fd, b));
	EXPECT_EQ(0, bh_destroy(self->fd, TASK_A));
	EXPECT_EQ(0, bh_destroy(self->fd, FIFO));
	EXPECT_EQ(-ENOENT, bh_destroy(self->fd, TASK_A));
}

/* Two on two CPUs: between the marks of one there are none of the other. */
static void exclude(struct __test_metadata *_metadata, int fd, __u32 lock)
{
	struct bhlab_event e;
	__u32 inside = 0, seen = 0;
	int id[2];

	for (int i = 0; i < 2; i++) {
		id[i] = bh_add(fd, WORK, i ? "one" : "zero", LOCK(lock), BH_MARK(1),
			       BH_SPIN(300 * BH_US), BH_MARK(2), UNLOCK(lock),
			       BH_STEP(REQUEUE, .arg = 19));
		ASSERT_LT(0, id[i]);
	}
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(fd, QUEUE, id[i], .flags = BHLAB_ACT_CPU,
						      .cpu = bh_has_cpu1() ? i : 0));
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(0, bh_wait_runs(fd, id[i], 20));
	while (bh_read(fd, &e, 1) == 1) {
		if (e.kind != BHLAB_EVENT_MARK)
			continue;
		EXPECT_EQ(e.value == 1 ? 0 : e.item, inside);
		inside = e.value == 1 ? e.item : 0;
		seen++;
	}
	EXPECT_EQ(2 * 2 * 20, seen);
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(0, bh_destroy(fd, id[i]));
}

TEST_F(steps, mutual_exclusion)
{
	exclude(_metadata, self->fd, TASK_A);
	exclude(_metadata, self->fd, SOFTIRQ_A);
	exclude(_metadata, self->fd, HARDIRQ_A);
	exclude(_metadata, self->fd, MUTEX_A);
}

/* --- contexts in brackets */

/* The context of the MARK step of a program, as the record of it tells. */
static __u16 context_in(struct __test_metadata *_metadata, int fd,
			struct bhlab_step off, struct bhlab_step on)
{
	const struct bhlab_step steps[] = { off, BH_MARK(1), on };
	struct bhlab_event e = {};
	int id = bh_item(fd, WORK, "item", steps, 3);

	EXPECT_LT(0, id);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(fd, QUEUE, id));
	EXPECT_EQ(0, bh_wait_runs(fd, id, 1));
	EXPECT_EQ(1, bh_event(fd, BHLAB_EVENT_MARK, id, &e));
	EXPECT_EQ(0, bh_destroy(fd, id));
	return e.context;
}

#define CONTEXT_IN(_off, _on)	context_in(_metadata, self->fd, _off, _on)

TEST_F(steps, contexts)
{
	const bool rt = self->info.out_features & BHLAB_FEATURE_RT;

	EXPECT_TRUE(CONTEXT_IN(BH_OFF, BH_ON) & BHLAB_CTX_BH_OFF);
	EXPECT_FALSE(CONTEXT_IN(BH_OFF, BH_ON) & BHLAB_CTX_IRQ_OFF);
	EXPECT_TRUE(CONTEXT_IN(IRQ_OFF, IRQ_ON) & BHLAB_CTX_IRQ_OFF);
	EXPECT_TRUE(CONTEXT_IN(LOCK(SOFTIRQ_A), UNLOCK(SOFTIRQ_A)) & BHLAB_CTX_BH_OFF);
	EXPECT_FALSE(CONTEXT_IN(LOCK(TASK_A), UNLOCK(TASK_A)) & BHLAB_CTX_BH_OFF);
	EXPECT_FALSE(CONTEXT_IN(LOCK(MUTEX_A), UNLOCK(MUTEX_A)) & BHLAB_CTX_IRQ_OFF);
	EXPECT_TRUE(CONTEXT_IN(LOCK(MUTEX_A), UNLOCK(MUTEX_A)) & BHLAB_CTX_TASK);
	/* there, none of its locks turns interrupts off */
	EXPECT_EQ(!rt, !!(CONTEXT_IN(LOCK(HARDIRQ_A), UNLOCK(HARDIRQ_A)) & BHLAB_CTX_IRQ_OFF));
}

/* The records of one kind and item, in their order. */
static __u64 started(struct bhlab_event *e, int n, __u32 kind, __u32 item, __u64 value)
{
	for (int i = 0; i < n; i++)
		if (e[i].kind == kind && e[i].item == item &&
		    (kind != BHLAB_EVENT_MARK || e[i].value == value))
			return e[i].started_ns;
	return 0;
}

/* Held back until bottom halves are on again, and then run right there. */
TEST_F(steps, tasklet_waits_for_bh_on)
{
	int tasklet = bh_add(self->fd, TASKLET, "tasklet"), n, work;
	struct bhlab_event e[32];
	__u64 ran;

	work = bh_add(self->fd, WORK, "work", BH_OFF, BH_STEP(QUEUE, .target = tasklet),
		      BH_SPIN(BH_MS), BH_MARK(1), BH_ON, BH_MARK(2));
	ASSERT_LT(0, work);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, work));
	EXPECT_EQ(0, bh_wait_runs(self->fd, work, 1));
	EXPECT_EQ(0, bh_wait_runs(self->fd, tasklet, 1));
	n = bh_read(self->fd, e, ARRAY_SIZE(e));
	ran = started(e, n, BHLAB_EVENT_RUN, tasklet, 0);
	EXPECT_LT(0, ran);
	/* there, sections of different tasks on a CPU may interleave */
	if (self->info.out_features & BHLAB_FEATURE_RT)
		return;
	EXPECT_LE(started(e, n, BHLAB_EVENT_MARK, work, 1), ran);
	/* what ksoftirqd has begun already comes later */
	for (int i = 0; i < n; i++)
		if (e[i].kind == BHLAB_EVENT_RUN && e[i].item == tasklet &&
		    !(e[i].context & BHLAB_CTX_KSOFTIRQD))
			EXPECT_LE(ran, started(e, n, BHLAB_EVENT_MARK, work, 2));
}

/* A lock for softirqs holds them back as well. */
TEST_F(steps, tasklet_waits_for_unlock)
{
	int tasklet, n, work;
	struct bhlab_event e[32];

	tasklet = bh_add(self->fd, TASKLET, "tasklet", LOCK(SOFTIRQ_A), BH_MARK(3),
			 UNLOCK(SOFTIRQ_A));
	work = bh_add(self->fd, WORK, "work", LOCK(SOFTIRQ_A), BH_STEP(QUEUE, .target = tasklet),
		      BH_SPIN(BH_MS), BH_MARK(1), UNLOCK(SOFTIRQ_A), BH_MARK(2));
	ASSERT_LT(0, work);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, work));
	EXPECT_EQ(0, bh_wait_runs(self->fd, work, 1));
	EXPECT_EQ(0, bh_wait_runs(self->fd, tasklet, 1));
	n = bh_read(self->fd, e, ARRAY_SIZE(e));
	EXPECT_LE(started(e, n, BHLAB_EVENT_MARK, work, 1),
		  started(e, n, BHLAB_EVENT_MARK, tasklet, 3));
}

/* One pending bit: with interrupts off, many raises are one run. */
TEST_F(steps, raises_with_interrupts_off)
{
	int line = bh_add(self->fd, BHLAB_MECH_IRQ, "line"), work;
	const struct bhlab_step raise = BH_STEP(TRIGGER, .target = line);
	struct bhlab_item_state st;

	work = bh_add(self->fd, WORK, "work", IRQ_OFF, raise, raise, raise, raise, raise, IRQ_ON);
	ASSERT_LT(0, work);
	for (int i = 1; i <= 5; i++) {
		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, work));
		EXPECT_EQ(0, bh_wait_runs(self->fd, work, i));
		EXPECT_EQ(0, bh_wait_for(self->fd, line, IDLE));
		EXPECT_EQ(0, bh_state(self->fd, line, &st));
		EXPECT_EQ(5 * i, st.out_accepted);
		EXPECT_EQ(i, st.out_runs);
		EXPECT_EQ(4 * i, st.out_coalesced);
		EXPECT_EQ(4 * i, st.out_merged);
	}
}

/* --- CANCEL, DISABLE, ENABLE */

/* Each on each: what it does not have is skipped. */
TEST_F(steps, cancel)
{
	struct bhlab_item_state st;
	struct bhlab_event e;
	char name[] = "a";

	for (__u32 mech = 1; mech <= self->info.out_mechs; mech++, name[0]++) {
		if (bh_absent(self->fd, mech))
			continue;
		const bool has = bh_has_verb(self->fd, mech, BHLAB_VERB_CANCEL) == 1 &&
				 mech != BHLAB_MECH_KTHREAD_WORK;
		int id = bh_add(self->fd, mech, name), work;

		work = bh_add(self->fd, WORK, "work", BH_STEP(CANCEL, .target = id));
		ASSERT_LT(0, work);
		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, id, .ns = BH_NEVER));
		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, work));
		EXPECT_EQ(0, bh_wait_runs(self->fd, work, 1));
		if (!has) {
			EXPECT_EQ(1, bh_event(self->fd, BHLAB_EVENT_RUN, work, &e));
			EXPECT_EQ(1, e.skipped);
			EXPECT_EQ(BHLAB_EVENT_F_REFUSED, e.flags);
			EXPECT_EQ(0, bh_destroy(self->fd, id));
			EXPECT_EQ(0, bh_destroy(self->fd, work));
			continue;
		}
		EXPECT_EQ(0, bh_wait_for(self->fd, id, IDLE));
		EXPECT_EQ(0, bh_state(self->fd, id, &st));
		EXPECT_EQ(1, st.out_cancelled);
		EXPECT_EQ(0, st.out_runs);
		EXPECT_EQ(1, bh_event(self->fd, BHLAB_EVENT_CANCELLED, id, &e));
		/* with nothing to cancel it is no skip */
		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, work));
		EXPECT_EQ(0, bh_wait_runs(self->fd, work, 2));
		EXPECT_EQ(0, bh_state(self->fd, work, &st));
		EXPECT_EQ(0, st.out_skipped);
		EXPECT_EQ(0, bh_destroy(self->fd, work));
	}
}

/* It cancels what is pending of itself: it cannot be met by its own step. */
TEST_F(steps, cancel_and_queue_itself)
{
	const int self_id = FIFO + 1;
	struct bhlab_item_state st;

	ASSERT_EQ(self_id, bh_add(self->fd, WORK, "item", BH_STEP(CANCEL, .target = self_id),
				  BH_STEP(REQUEUE), BH_STEP(CANCEL, .target = self_id)));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, self_id));
	EXPECT_EQ(0, bh_wait_for(self->fd, self_id, IDLE));
	EXPECT_EQ(0, bh_state(self->fd, self_id, &st));
	EXPECT_EQ(1, st.out_runs);
	EXPECT_EQ(2, st.out_accepted);
	EXPECT_EQ(1, st.out_cancelled);
}

TEST_F(steps, disable_and_enable)
{
	struct bhlab_item_state st;
	struct bhlab_event e;
	char name[] = "a";

	for (__u32 mech = 1; mech <= self->info.out_mechs; mech++, name[0]++) {
		if (bh_absent(self->fd, mech))
			continue;
		bool has = bh_has_verb(self->fd, mech, BHLAB_VERB_DISABLE) == 1;
		/* the kernel's call for an irq_poll does not nest */
		int depth = has ? mech == BHLAB_MECH_IRQ_POLL ? 1 : 2 : 0;
		int id = bh_add(self->fd, mech, name), off, on;

		off = bh_add(self->fd, WORK, "off", BH_STEP(DISABLE, .target = id),
			     BH_STEP(DISABLE, .target = id));
		on = bh_add(self->fd, TASKLET, "on", BH_STEP(ENABLE, .target = id),
			    BH_STEP(ENABLE, .target = id), BH_STEP(ENABLE, .target = id));
		ASSERT_LT(0, on);
		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, off));
		EXPECT_EQ(0, bh_wait_runs(self->fd, off, 1));
		EXPECT_EQ(0, bh_state(self->fd, id, &st));
		EXPECT_EQ(depth, st.out_depth);
		EXPECT_EQ(1, bh_event(self->fd, BHLAB_EVENT_RUN, off, &e));
		EXPECT_EQ(2 - depth, e.skipped);
		/* one of the three, or more, is too many */
		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, on));
		EXPECT_EQ(0, bh_wait_runs(self->fd, on, 1));
		EXPECT_EQ(0, bh_state(self->fd, id, &st));
		EXPECT_EQ(0, st.out_depth);
		EXPECT_EQ(1, bh_event(self->fd, BHLAB_EVENT_RUN, on, &e));
		EXPECT_EQ(3 - depth, e.skipped);
		EXPECT_EQ(BHLAB_EVENT_F_REFUSED, e.flags);
		EXPECT_EQ(0, bh_destroy(self->fd, off));
		EXPECT_EQ(0, bh_destroy(self->fd, on));
	}
}

/* The commonest driver: the top half masks its line, the thread unmasks it. */
TEST_F(steps, mask_and_unmask)
{
	const int line = FIFO + 1;
	const struct bhlab_step top[] = { BH_STEP(DISABLE, .target = line), BH_THREAD };
	const struct bhlab_step thread[] = { BH_SLEEP(20 * BH_MS),
					     BH_STEP(ENABLE, .target = line) };
	struct bhlab_item_create c;
	struct bhlab_item_state st;

	bh_fill(&c, BHLAB_MECH_IRQ, "line");
	bh_steps(&c, top, 2);
	bh_thread_steps(&c, thread, 2);
	ASSERT_EQ(line, bh_create(self->fd, &c));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(TRIGGER, line, .count = 1));
	EXPECT_EQ(0, bh_wait_runs(self->fd, line, 1));
	EXPECT_EQ(0, bh_wait_for(self->fd, line, IDLE));
	EXPECT_EQ(0, bh_state(self->fd, line, &st));
	EXPECT_EQ(0, st.out_depth);
	EXPECT_EQ(1, st.out_runs);
	EXPECT_EQ(1, st.out_thread_runs);
	EXPECT_EQ(0, st.out_skipped);
}

/* What only CAP_SYS_ADMIN may do, a step does if who made the program may. */
TEST_F(steps, disable_scheduled_tasklet)
{
	int tasklet = bh_add(self->fd, TASKLET, "tasklet"), id;
	struct bhlab_item_state st;

	ASSERT_EQ(0, bh_unprivileged());
	id = bh_add(self->fd, WORK, "plain", BH_STEP(DISABLE, .target = tasklet));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(DELAY, tasklet, .ns = BH_NEVER));
	ASSERT_EQ(0, bh_privileged());
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id));
	EXPECT_EQ(0, bh_wait_runs(self->fd, id, 1));
	EXPECT_EQ(0, bh_state(self->fd, tasklet, &st));
	EXPECT_EQ(0, st.out_depth);
	EXPECT_EQ(0, bh_state(self->fd, id, &st));
	EXPECT_EQ(1, st.out_skipped);
}

/* --- FIFOs */

#define FIFO_STATE(_id, ...) do {						\
	const struct bhlab_fifo_state _e = { __VA_ARGS__ };			\
	struct bhlab_fifo_state _s;						\
										\
	EXPECT_EQ(0, bh_fifo_state(self->fd, _id, &_s));			\
	EXPECT_EQ(_e.out_level, _s.out_level);					\
	EXPECT_EQ(_e.out_highest, _s.out_highest);				\
	EXPECT_EQ(_e.out_pushed, _s.out_pushed);				\
	EXPECT_EQ(_e.out_popped, _s.out_popped);				\
	EXPECT_EQ(_e.out_dropped, _s.out_dropped);				\
	EXPECT_EQ(_e.out_missed, _s.out_missed);				\
	EXPECT_EQ(_s.out_pushed, _s.out_popped + _s.out_level);			\
} while (0)

#define RUN_ONCE(_id) do {							\
	struct bhlab_item_state _s;						\
										\
	EXPECT_EQ(0, bh_state(self->fd, _id, &_s));				\
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, _id));			\
	EXPECT_EQ(0, bh_wait_runs(self->fd, _id, _s.out_runs + 1));		\
} while (0)

TEST_F(steps, fifo)
{
	int push = bh_add(self->fd, TASKLET, "push", PUSH(FIFO, 4));
	int pop = bh_add(self->fd, WORK, "pop", POP(FIFO, 3));
	int all = bh_add(self->fd, BHLAB_MECH_IRQ_WORK, "all", POP(FIFO, 0));
	struct bhlab_fifo_state st;
	struct bhlab_event e;

	ASSERT_LT(0, all);
	EXPECT_EQ(0, bh_fifo_state(self->fd, FIFO, &st));
	EXPECT_EQ(10, st.out_depth);
	EXPECT_EQ(3, st.out_programs);
	EXPECT_STREQ("fifo", st.out_name);
	FIFO_STATE(FIFO);
	RUN_ONCE(push);
	RUN_ONCE(push);
	FIFO_STATE(FIFO, .out_level = 8, .out_highest = 8, .out_pushed = 8);
	RUN_ONCE(push);
	FIFO_STATE(FIFO, .out_level = 10, .out_highest = 10, .out_pushed = 10, .out_dropped = 2);
	EXPECT_EQ(1, bh_event(self->fd, BHLAB_EVENT_DROPPED, push, &e));
	EXPECT_EQ(2, e.value);
	EXPECT_EQ(3, e.nth);
	RUN_ONCE(push);
	EXPECT_EQ(1, bh_event(self->fd, BHLAB_EVENT_DROPPED, push, &e));
	EXPECT_EQ(4, e.value);
	for (int i = 0; i < 3; i++)
		RUN_ONCE(pop);
	FIFO_STATE(FIFO, .out_level = 1, .out_highest = 10, .out_pushed = 10, .out_popped = 9,
		   .out_dropped = 6);
	RUN_ONCE(pop);
	FIFO_STATE(FIFO, .out_highest = 10, .out_pushed = 10, .out_popped = 10, .out_dropped = 6,
		   .out_missed = 2);
	/* all of nothing misses nothing */
	RUN_ONCE(all);
	FIFO_STATE(FIFO, .out_highest = 10, .out_pushed = 10, .out_popped = 10, .out_dropped = 6,
		   .out_missed = 2);
	RUN_ONCE(push);
	RUN_ONCE(all);
	FIFO_STATE(FIFO, .out_highest = 10, .out_pushed = 14, .out_popped = 14, .out_dropped = 6,
		   .out_missed = 2);
	/* one that found no room is the only kind of record besides */
	EXPECT_EQ(-EAGAIN, bh_event(self->fd, BHLAB_EVENT_DROPPED, push, &e));
}

TEST_F(steps, fifo_values)
{
	const struct bhlab_step bad[][LONGEST] = {
		{ PUSH(FIFO, 0) }, { PUSH(FIFO, BHLAB_FIFO_MAX + 1) }, { PUSH(FIFO, -1ULL) },
		{ POP(FIFO, BHLAB_FIFO_MAX + 1) }, { POP(FIFO, 1ULL << 32) },
	};
	__u32 step;
	int fifo, id;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, try(self->fd, WORK, 0, 0, bad[i], &step));
		EXPECT_EQ(0, step);
	}
	EXPECT_EQ(-EINVAL, bh_fifo(self->fd, "new", 0));
	EXPECT_EQ(-EINVAL, bh_fifo(self->fd, "new", BHLAB_FIFO_MAX + 1));
	EXPECT_EQ(-EINVAL, bh_fifo(self->fd, "new", 0xffffffff));
	fifo = bh_fifo(self->fd, "new", BHLAB_FIFO_MAX);
	ASSERT_LT(0, fifo);
	id = bh_add(self->fd, WORK, "push", PUSH(fifo, BHLAB_FIFO_MAX), PUSH(fifo, BHLAB_FIFO_MAX),
		    POP(fifo, BHLAB_FIFO_MAX));
	RUN_ONCE(id);
	FIFO_STATE(fifo, .out_highest = BHLAB_FIFO_MAX, .out_pushed = BHLAB_FIFO_MAX,
		   .out_popped = BHLAB_FIFO_MAX, .out_dropped = BHLAB_FIFO_MAX);
}

TEST_F(steps, limit_of_fifos)
{
	char name[BHLAB_NAME_LEN];
	int last = 0;

	/* the fixture has made the first */
	for (__u32 i = 1; i < self->info.out_max_fifos; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		last = bh_fifo(self->fd, name, i);
		ASSERT_LT(0, last);
	}
	EXPECT_EQ(-ENOSPC, bh_fifo(self->fd, "over", 1));
	EXPECT_EQ(-EEXIST, bh_fifo(self->fd, "f1", 1));
	EXPECT_EQ(0, bh_destroy(self->fd, FIFO));
	EXPECT_EQ(last + 1, bh_fifo(self->fd, "over", 1));
}

/* Pushed and popped on two CPUs at once: the sums are exact. */
TEST_F(steps, fifo_race)
{
	struct bhlab_fifo_state st;
	struct bhlab_event e[64];
	__u64 dropped = 0;
	int id[2], n;

	id[0] = bh_add(self->fd, WORK, "push", PUSH(FIFO, 3), BH_STEP(REQUEUE, .arg = 199));
	id[1] = bh_add(self->fd, WORK, "pop", POP(FIFO, 2), BH_STEP(REQUEUE, .arg = 199));
	ASSERT_LT(0, id[1]);
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id[i], .flags = BHLAB_ACT_CPU,
						   .cpu = bh_has_cpu1() ? i : 0));
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(0, bh_wait_runs(self->fd, id[i], 200));
	while ((n = bh_read(self->fd, e, ARRAY_SIZE(e))) > 0)
		for (int i = 0; i < n; i++)
			dropped += e[i].kind == BHLAB_EVENT_DROPPED ? e[i].value : 0;
	EXPECT_EQ(0, bh_fifo_state(self->fd, FIFO, &st));
	EXPECT_EQ(3 * 200, st.out_pushed + st.out_dropped);
	EXPECT_EQ(2 * 200, st.out_popped + st.out_missed);
	EXPECT_EQ(st.out_pushed, st.out_popped + st.out_level);
	EXPECT_EQ(dropped, st.out_dropped);
	EXPECT_GE(10, st.out_highest);
}

/* --- steps for some runs */

#define EVERY(_n)	BH_STEP(EVERY, .arg = (_n))
#define CHANCE(_p)	BH_STEP(CHANCE, .arg = (_p))
#define SPIN_UP_TO(_ns, _range) \
	BH_STEP(SPIN, .arg = (_ns), .target = (_range), .flags = BHLAB_STEP_RANGE)

/* Runs in a row, queued by itself; bit n is set if run n has recorded that mark. */
static __u64 marked(struct __test_metadata *_metadata, int fd, __u32 id, int runs, __u64 mark)
{
	struct bhlab_event e;
	__u64 bits = 0;

	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(fd, QUEUE, id));
	EXPECT_EQ(0, bh_wait_runs(fd, id, runs));
	while (bh_read(fd, &e, 1) == 1) {
		if (e.kind == BHLAB_EVENT_MARK && e.item == id && e.value == mark)
			bits |= 1ULL << e.nth;
		if (e.kind == BHLAB_EVENT_RUN && e.item == id)
			EXPECT_EQ(0, e.skipped);
	}
	return bits;
}

TEST_F(steps, every)
{
	int id = bh_add(self->fd, TASKLET, "item", EVERY(3), BH_MARK(1),
			BH_STEP(REQUEUE, .arg = 9));

	ASSERT_LT(0, id);
	EXPECT_EQ(1 << 3 | 1 << 6 | 1 << 9, marked(_metadata, self->fd, id, 10, 1));
	EXPECT_EQ(0, bh_destroy(self->fd, id));
	/* both have to agree, and what follows is for all runs */
	id = bh_add(self->fd, WORK, "item", EVERY(2), EVERY(3), BH_MARK(1), BH_MARK(2),
		    BH_STEP(REQUEUE, .arg = 12));
	ASSERT_LT(0, id);
	EXPECT_EQ(1 << 6 | 1 << 12, marked(_metadata, self->fd, id, 13, 1));
	EXPECT_EQ(0, bh_destroy(self->fd, id));
	id = bh_add(self->fd, WORK, "item", EVERY(2), BH_MARK(1), BH_MARK(2),
		    BH_STEP(REQUEUE, .arg = 5));
	EXPECT_EQ(0x7e, marked(_metadata, self->fd, id, 6, 2));
}

/* A bracket with all in it, whatever is nested; nothing of that is skipped. */
TEST_F(steps, every_bracket)
{
	int id = bh_add(self->fd, WORK, "item", EVERY(2), LOCK(MUTEX_A), BH_MARK(1), EVERY(4),
			LOCK(TASK_A), BH_MARK(2), UNLOCK(TASK_A), UNLOCK(MUTEX_A), BH_MARK(3),
			BH_STEP(REQUEUE, .arg = 7));

	ASSERT_LT(0, id);
	EXPECT_EQ(1 << 2 | 1 << 4 | 1 << 6 | 1 << 8, marked(_metadata, self->fd, id, 8, 1));
	EXPECT_EQ(0, bh_destroy(self->fd, id));
	id = bh_add(self->fd, WORK, "item", EVERY(2), LOCK(MUTEX_A), EVERY(4), BH_OFF, BH_MARK(2),
		    BH_ON, UNLOCK(MUTEX_A), BH_MARK(3), BH_STEP(REQUEUE, .arg = 7));
	EXPECT_EQ(1 << 4 | 1 << 8, marked(_metadata, self->fd, id, 8, 2));
	EXPECT_EQ(0, bh_destroy(self->fd, id));
	id = bh_add(self->fd, WORK, "item", EVERY(2), LOCK(MUTEX_A), EVERY(4), BH_OFF, BH_MARK(2),
		    BH_ON, UNLOCK(MUTEX_A), BH_MARK(3), BH_STEP(REQUEUE, .arg = 7));
	EXPECT_EQ(0x1fe, marked(_metadata, self->fd, id, 8, 3));
}

/* An item of a new lab; it has the id that it had in the one before. */
static __u64 by_chance(struct __test_metadata *_metadata, __u64 cookie, __u64 percent)
{
	const struct bhlab_step s[] = { CHANCE(percent), BH_MARK(1), BH_STEP(REQUEUE, .arg = 59) };
	int fd = bh_open(O_NONBLOCK), id;
	struct bhlab_item_create c;
	__u64 bits;

	bh_fill(&c, TASKLET, "item");
	bh_steps(&c, s, 3);
	c.cookie = cookie;
	id = bh_create(fd, &c);
	EXPECT_LT(0, id);
	bits = marked(_metadata, fd, id, 60, 1);
	close(fd);
	return bits;
}

/* Some runs, others with another cookie, and always the same. */
TEST_F(steps, chance)
{
	__u64 first = by_chance(_metadata, 1, 50), second = by_chance(_metadata, 2, 50);

	EXPECT_LT(10, __builtin_popcountll(first));
	EXPECT_GT(50, __builtin_popcountll(first));
	EXPECT_NE(first, second);
	EXPECT_EQ(first, by_chance(_metadata, 1, 50));
	EXPECT_EQ((1ULL << 61) - 2, by_chance(_metadata, 1, 100));
	EXPECT_GT(10, __builtin_popcountll(by_chance(_metadata, 1, 1)));
}

TEST_F(steps, spin_up_to)
{
	int id = bh_add(self->fd, WORK, "item", SPIN_UP_TO(50 * BH_US, 400 * BH_US),
			BH_STEP(REQUEUE, .arg = 19));
	__u64 least = -1ULL, ns;
	struct bhlab_event e;

	ASSERT_LT(0, id);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, ACT(QUEUE, id));
	EXPECT_EQ(0, bh_wait_runs(self->fd, id, 20));
	while (bh_read(self->fd, &e, 1) == 1) {
		if (e.kind != BHLAB_EVENT_RUN)
			continue;
		ns = e.finished_ns - e.started_ns;
		EXPECT_LE(50 * BH_US, ns);
		least = ns < least ? ns : least;
	}
	/* the longest may have been interrupted, whatever it was */
	EXPECT_GT(400 * BH_US, least);
}

TEST_F(steps, some_runs_refused)
{
	static const struct program refused[] = {
		{ 0, { EVERY(1) } },
		{ 1, { BH_MARK(1), CHANCE(1) } },
		{ 1, { EVERY(2), EVERY(2) } },
		{ 2, { BH_OFF, EVERY(2), BH_ON } },
		{ 2, { LOCK(MUTEX_A), CHANCE(50), UNLOCK(MUTEX_A) } },
		{ 0, { EVERY(0), BH_MARK(1) } },
		{ 0, { EVERY(1ULL << 32), BH_MARK(1) } },
		{ 0, { CHANCE(0), BH_MARK(1) } },
		{ 0, { CHANCE(101), BH_MARK(1) } },
		/* the longest counts */
		{ 0, { SPIN_UP_TO(BH_S, 1) } },
		{ 0, { SPIN_UP_TO(0, -1U) } },
		{ 1, { BH_OFF, SPIN_UP_TO(0, 100 * BH_MS), BH_ON } },
	};
	__u32 step;

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		EXPECT_EQ(-EINVAL, try(self->fd, WORK, 0, 0, refused[i].s, &step)) {
			TH_LOG("program %zu", i);
		}
		EXPECT_EQ(refused[i].bad, step);
	}
}

TEST_HARNESS_MAIN
