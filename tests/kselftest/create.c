// SPDX-License-Identifier: GPL-2.0-only
/* Items: names, payloads, programs, limits; and how to find them again. */
#include "bhlab_test.h"

FIXTURE(lab) {
	int fd;
	struct bhlab_info info;
};

FIXTURE_SETUP(lab)
{
	self->fd = bh_open(O_NONBLOCK);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, bh_info(self->fd, &self->info));
}

FIXTURE_TEARDOWN(lab)
{
	bh_end(_metadata, self->fd);
}

#define POISON	0xa5a5a5a5

static int refusal(int fd, struct bhlab_item_create *c)
{
	c->out_id = POISON;
	c->out_why = 0;
	return bh_call(fd, BHLAB_IOC_ITEM_CREATE, c);
}

#define REFUSED(_error, _c) do {				\
	EXPECT_EQ(-(_error), refusal(self->fd, _c));		\
	EXPECT_EQ(POISON, (_c)->out_id);			\
	EXPECT_EQ(0, bh_objects(self->fd));			\
} while (0)

#define REFUSED_STEP(_error, _step, _c) do {			\
	EXPECT_EQ(-(_error), refusal(self->fd, _c));		\
	EXPECT_EQ(POISON, (_c)->out_id);			\
	EXPECT_NE(0, (_c)->out_why);				\
	EXPECT_EQ(_step, (_c)->out_step);			\
	EXPECT_EQ(0, bh_objects(self->fd));			\
} while (0)

TEST_F(lab, names_accepted)
{
	const char *const names[] = {
		"a", "Z", "_", "a0", "a-b.c_d", "A...", "_-", "net-rx.0",
		"abcdefghijklmnopqrstuvwxyz01234",
	};
	struct bhlab_item_state st;
	struct bhlab_lookup l;
	int id;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		id = bh_add(self->fd, BHLAB_MECH_WORK, names[i]);
		EXPECT_EQ(i + 1, id);
		EXPECT_EQ(0, bh_state(self->fd, id, &st));
		EXPECT_STREQ(names[i], st.out_name);
		EXPECT_EQ(0, bh_lookup(self->fd, names[i], 0, &l));
		EXPECT_EQ(id, l.id);
		EXPECT_EQ(BHLAB_KIND_ITEM, l.out_kind);
	}
}

static const char *const bad_names[] = {
	"", "0", "9a", "-a", ".a", " ", "a b", "a\n", "a/b", "a%s", "a\"", "a'", "a\\",
	"a:b", "a@", "a,", "\x7f", "a\x80", "\xc3\xa4", "a\xff", "a\x01", "\xff",
	"\xe4zz",
};

TEST_F(lab, names_refused)
{
	struct bhlab_item_create c;
	struct bhlab_lookup l;

	for (size_t i = 0; i < ARRAY_SIZE(bad_names); i++) {
		bh_fill(&c, BHLAB_MECH_WORK, bad_names[i]);
		REFUSED(EINVAL, &c);
		EXPECT_EQ(-EINVAL, bh_lookup(self->fd, bad_names[i], 0, &l));
		EXPECT_EQ(-EINVAL, bh_lookup(self->fd, bad_names[i], BHLAB_LOOKUP_RESERVE, &l));
	}
	EXPECT_EQ(0, bh_objects(self->fd));
}

TEST_F(lab, name_not_terminated)
{
	struct bhlab_lookup l = { .size = sizeof(l) };
	struct bhlab_item_create c;

	bh_fill(&c, BHLAB_MECH_WORK, "");
	memset(c.name, 'a', sizeof(c.name));
	REFUSED(E2BIG, &c);
	/* also when its characters are odd: the length is checked first */
	memset(c.name, '%', sizeof(c.name));
	REFUSED(E2BIG, &c);

	memset(l.name, 'a', sizeof(l.name));
	EXPECT_EQ(-E2BIG, bh_call(self->fd, BHLAB_IOC_LOOKUP, &l));
	l.flags = BHLAB_LOOKUP_RESERVE;
	EXPECT_EQ(-E2BIG, bh_call(self->fd, BHLAB_IOC_LOOKUP, &l));
}

TEST_F(lab, name_taken)
{
	int other = bh_open(0);

	ASSERT_LE(0, other);
	EXPECT_EQ(1, bh_add(self->fd, BHLAB_MECH_WORK, "twin"));
	EXPECT_EQ(-EEXIST, bh_add(self->fd, BHLAB_MECH_WORK, "twin"));
	EXPECT_EQ(-EEXIST, bh_add(self->fd, BHLAB_MECH_IRQ, "twin"));
	EXPECT_EQ(2, bh_add(self->fd, BHLAB_MECH_WORK, "Twin"));
	EXPECT_EQ(1, bh_add(other, BHLAB_MECH_WORK, "twin"));
	/* free again, but the id is used up */
	EXPECT_EQ(0, bh_destroy(self->fd, 1));
	EXPECT_EQ(3, bh_add(self->fd, BHLAB_MECH_TASKLET, "twin"));
	EXPECT_EQ(-ENOENT, bh_destroy(self->fd, 1));
	close(other);
}

TEST_F(lab, payload)
{
	struct bhlab_item_create c;
	struct bhlab_item_state st;
	int id;

	bh_fill(&c, BHLAB_MECH_WORK, "item");
	memset(c.data, 'd', sizeof(c.data));
	REFUSED(E2BIG, &c);
	c.data[3] = '\0';
	REFUSED(EINVAL, &c);
	memset(c.data + 4, 0, sizeof(c.data) - 4);
	c.data[sizeof(c.data) - 1] = 1;
	REFUSED(EINVAL, &c);

	/* any bytes, the field but for one */
	memset(c.data, 0xff, sizeof(c.data) - 1);
	c.data[sizeof(c.data) - 1] = '\0';
	c.cookie = 0xfedcba9876543210;
	id = bh_create(self->fd, &c);
	EXPECT_EQ(1, id);
	EXPECT_EQ(0, bh_state(self->fd, id, &st));
	EXPECT_EQ(0, memcmp(c.data, st.out_data, sizeof(c.data)));
	EXPECT_EQ(c.cookie, st.out_cookie);
}

TEST_F(lab, as_created)
{
	const struct bhlab_step steps[] = { BH_MARK(1), BH_THREAD };
	const struct bhlab_step thread[] = { BH_SLEEP(1), BH_MARK(2), BH_MARK(3) };
	struct bhlab_item_create c;
	struct bhlab_item_state st;

	bh_fill(&c, BHLAB_MECH_IRQ, "line");
	bh_steps(&c, steps, 2);
	bh_thread_steps(&c, thread, 3);
	c.flags |= BHLAB_ITEM_QUEUED | BHLAB_ITEM_CPU;
	ASSERT_EQ(1, bh_create(self->fd, &c));
	ASSERT_EQ(0, bh_state(self->fd, 1, &st));
	EXPECT_EQ(BHLAB_MECH_IRQ, st.out_mech);
	EXPECT_EQ(BHLAB_ITEM_THREAD | BHLAB_ITEM_QUEUED | BHLAB_ITEM_CPU, st.out_item_flags);
	EXPECT_EQ(0, st.out_cpu);
	EXPECT_EQ(0, st.out_queue);
	EXPECT_EQ(0, st.out_state);
	EXPECT_EQ(0, st.out_depth);
	EXPECT_LT(0, st.out_irq);
	EXPECT_EQ(2, st.out_nr_steps);
	EXPECT_EQ(3, st.out_nr_thread_steps);
	EXPECT_EQ(0, st.out_accepted);
	EXPECT_EQ(0, st.out_runs);
}

TEST_F(lab, work_has_a_queue)
{
	const __u32 queues[] = {
		BHLAB_QUEUE_PERCPU, BHLAB_QUEUE_HIGHPRI, BHLAB_QUEUE_LONG, BHLAB_QUEUE_UNBOUND,
		BHLAB_QUEUE_FREEZABLE, BHLAB_QUEUE_POWER_EFFICIENT,
	};
	const __u32 none[] = { 1, 77, 0x7fffffff, BHLAB_QUEUE_POWER_EFFICIENT + 100, 0xffffffff };
	const __u32 off_queues[] = { BH_OFF_QUEUES(BH_ID) };
	struct bhlab_item_create c;
	struct bhlab_item_state st;
	int id;

	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		bh_fill(&c, BHLAB_MECH_WORK, "item");
		c.queue = none[i];
		REFUSED(ENOENT, &c);
	}
	for (size_t i = 0; i < ARRAY_SIZE(off_queues); i++) {
		bh_fill(&c, off_queues[i], "item");
		c.queue = BHLAB_QUEUE_PERCPU;
		REFUSED(EOPNOTSUPP, &c);
	}
	for (size_t i = 0; i < ARRAY_SIZE(queues); i++) {
		char name[] = { 'q', 'a' + i, 0 };

		bh_fill(&c, BHLAB_MECH_WORK, name);
		c.queue = queues[i];
		id = bh_create(self->fd, &c);
		EXPECT_EQ(i + 1, id);
		EXPECT_EQ(0, bh_state(self->fd, id, &st));
		EXPECT_EQ(queues[i], st.out_queue);
		EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(self->fd, QUEUE, id));
		EXPECT_EQ(0, bh_wait_runs(self->fd, id, 1));
	}
}

/* "a work item has one of BHLAB_QUEUE_*" */
TEST_F(lab, default_queue)
{
	struct bhlab_item_state st;

	ASSERT_EQ(1, bh_add(self->fd, BHLAB_MECH_WORK, "work"));
	ASSERT_EQ(0, bh_state(self->fd, 1, &st));
	EXPECT_EQ(BHLAB_QUEUE_PERCPU, st.out_queue);
}

TEST_F(lab, cpu)
{
	const __u32 none[] = { self->info.out_cpus, 4096, 0x7fffffff, 0xffffffff };
	struct bhlab_item_create c;
	struct bhlab_item_state st;
	int id;

	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		bh_fill(&c, BHLAB_MECH_WORK, "item");
		c.flags = BHLAB_ITEM_CPU;
		c.cpu = none[i];
		REFUSED(ENODEV, &c);
	}
	c.cpu = 0;
	id = bh_create(self->fd, &c);
	EXPECT_EQ(1, id);
	EXPECT_EQ(0, bh_state(self->fd, id, &st));
	EXPECT_EQ(BHLAB_ITEM_CPU, st.out_item_flags);
}

TEST_F(lab, thread_is_for_irq)
{
	const struct bhlab_step steps[] = { BH_MARK(1) };
	struct bhlab_item_create c;

	for (__u32 mech = BHLAB_MECH_WORK; mech <= BH_NR_MECHS; mech++) {
		if (mech == BHLAB_MECH_IRQ)
			continue;
		bh_fill(&c, mech, "item");
		c.flags = BHLAB_ITEM_THREAD;
		REFUSED(EOPNOTSUPP, &c);
	}
	bh_fill(&c, BHLAB_MECH_IRQ, "item");
	c.nr_thread_steps = 1;
	REFUSED(EOPNOTSUPP, &c);
	bh_fill(&c, BHLAB_MECH_IRQ, "item");
	c.thread_steps = (uintptr_t)steps;
	REFUSED(EOPNOTSUPP, &c);
	/* a thread may have nothing to do */
	bh_fill(&c, BHLAB_MECH_IRQ, "item");
	c.flags = BHLAB_ITEM_THREAD;
	EXPECT_EQ(1, bh_create(self->fd, &c));
}

TEST_F(lab, number_of_steps)
{
	__u32 max = self->info.out_max_steps;
	struct bhlab_step *steps = calloc(max + 1, sizeof(*steps));
	struct bhlab_item_program p = { .size = sizeof(p) };
	struct bhlab_item_create c;

	ASSERT_NE(NULL, steps);
	for (__u32 i = 0; i <= max; i++)
		steps[i] = BH_MARK(i);
	bh_fill(&c, BHLAB_MECH_WORK, "item");
	bh_steps(&c, steps, max + 1);
	REFUSED(E2BIG, &c);
	bh_steps(&c, steps, 0xffffffff);
	REFUSED(E2BIG, &c);
	bh_steps(&c, steps, 0x80000000);
	REFUSED(E2BIG, &c);
	/* the length is found good before the array is read */
	bh_steps(&c, NULL, max + 1);
	REFUSED(E2BIG, &c);

	bh_fill(&c, BHLAB_MECH_IRQ, "item");
	bh_thread_steps(&c, steps, max + 1);
	REFUSED(E2BIG, &c);

	bh_fill(&c, BHLAB_MECH_WORK, "item");
	bh_steps(&c, steps, max);
	EXPECT_EQ(1, bh_create(self->fd, &c));
	p.id = 1;
	EXPECT_EQ(0, bh_call(self->fd, BHLAB_IOC_ITEM_PROGRAM, &p));
	EXPECT_EQ(max, p.nr_steps);
}

TEST_F(lab, bad_steps_pointer)
{
	const struct bhlab_step steps[] = { BH_THREAD };
	char *mem = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct bhlab_step *edge = (struct bhlab_step *)(mem + 4096) - 1;
	struct bhlab_item_create c;

	ASSERT_TRUE(mem != MAP_FAILED);
	mprotect(mem + 4096, 4096, PROT_NONE);
	*edge = BH_MARK(1);

	bh_fill(&c, BHLAB_MECH_WORK, "item");
	bh_steps(&c, NULL, 1);
	REFUSED(EFAULT, &c);
	bh_steps(&c, (void *)-4096L, 1);
	REFUSED(EFAULT, &c);
	bh_steps(&c, edge, 2);
	REFUSED(EFAULT, &c);
	c.nr_steps = 1;
	c.steps |= 1ULL << 63;
	REFUSED(EFAULT, &c);

	bh_fill(&c, BHLAB_MECH_IRQ, "item");
	bh_steps(&c, steps, 1);
	bh_thread_steps(&c, NULL, 1);
	REFUSED(EFAULT, &c);

	bh_fill(&c, BHLAB_MECH_WORK, "item");
	bh_steps(&c, edge, 1);
	EXPECT_EQ(1, bh_create(self->fd, &c));
}

/* A step alone, and the same as the third one. */
#define BAD_STEP(_mech, _error, ...) do {					\
	const struct bhlab_step _steps[] = { BH_MARK(1), BH_MARK(2), __VA_ARGS__ }; \
	struct bhlab_item_create _c;						\
										\
	bh_fill(&_c, _mech, "item");						\
	bh_steps(&_c, _steps + 2, 1);						\
	REFUSED_STEP(_error, 0, &_c);						\
	bh_steps(&_c, _steps, 3);						\
	REFUSED_STEP(_error, 2, &_c);						\
} while (0)

TEST_F(lab, unknown_step)
{
	for (__u32 mech = BHLAB_MECH_WORK; mech <= BH_NR_MECHS; mech++) {
		BAD_STEP(mech, EOPNOTSUPP, { .op = 0 });
		BAD_STEP(mech, EOPNOTSUPP, { .op = BH_LAST_OP + 1 });
		BAD_STEP(mech, EOPNOTSUPP, { .op = 32 + BHLAB_OP_MARK });
		BAD_STEP(mech, EOPNOTSUPP, { .op = 0xffffffff });
		for (int bit = 1; bit < 32; bit++)
			BAD_STEP(mech, EOPNOTSUPP, BH_STEP(MARK, .flags = 1U << bit));
	}
}

TEST_F(lab, unused_step_fields)
{
	const __u32 w = BHLAB_MECH_WORK, i = BHLAB_MECH_IRQ;

	BAD_STEP(w, EOPNOTSUPP, BH_STEP(SPIN, .target = 1));
	BAD_STEP(w, EOPNOTSUPP, BH_STEP(SPIN, .cpu = 1));
	BAD_STEP(w, EOPNOTSUPP, BH_STEP(SPIN, .flags = BHLAB_STEP_CPU));
	BAD_STEP(w, EOPNOTSUPP, BH_STEP(SLEEP, .target = 1));
	BAD_STEP(w, EOPNOTSUPP, BH_STEP(SLEEP, .flags = BHLAB_STEP_CPU));
	BAD_STEP(w, EOPNOTSUPP, BH_STEP(QUEUE, .target = 1, .arg = 1));
	BAD_STEP(w, EOPNOTSUPP, BH_STEP(QUEUE, .target = 1, .cpu = 1));
	BAD_STEP(w, EOPNOTSUPP, BH_STEP(DELAY, .target = 1, .cpu = 1));
	BAD_STEP(w, EOPNOTSUPP, BH_STEP(TRIGGER, .target = 1, .arg = 1));
	BAD_STEP(w, EOPNOTSUPP, BH_STEP(TRIGGER, .target = 1, .flags = BHLAB_STEP_CPU));
	BAD_STEP(w, EOPNOTSUPP, BH_STEP(REQUEUE, .target = 1));
	BAD_STEP(w, EOPNOTSUPP, BH_STEP(REQUEUE, .flags = BHLAB_STEP_CPU));
	BAD_STEP(w, EOPNOTSUPP, BH_STEP(MARK, .target = 1));
	BAD_STEP(w, EOPNOTSUPP, BH_STEP(MARK, .flags = BHLAB_STEP_CPU));
	BAD_STEP(i, EOPNOTSUPP, BH_STEP(THREAD, .target = 1));
	BAD_STEP(i, EOPNOTSUPP, BH_STEP(THREAD, .arg = 1));
	BAD_STEP(i, EOPNOTSUPP, BH_STEP(THREAD, .flags = BHLAB_STEP_CPU));
	BAD_STEP(i, EOPNOTSUPP, BH_STEP(NONE, .target = 1));
	BAD_STEP(i, EOPNOTSUPP, BH_STEP(NONE, .arg = 1));
	BAD_STEP(i, EOPNOTSUPP, BH_STEP(NONE, .flags = BHLAB_STEP_CPU));
	BAD_STEP(w, EOPNOTSUPP, BH_STEP(DEASSERT, .target = 1, .arg = 1));
	BAD_STEP(w, EOPNOTSUPP, BH_STEP(DEASSERT, .target = 1, .flags = BHLAB_STEP_CPU));
	for (__u32 op = BHLAB_OP_CANCEL; op <= BHLAB_OP_POP; op++) {
		bool fifo = op >= BHLAB_OP_PUSH, bracket = op >= BHLAB_OP_BH_OFF && !fifo;

		BAD_STEP(w, EOPNOTSUPP, { .op = op, .cpu = 1 });
		BAD_STEP(w, EOPNOTSUPP, { .op = op, .flags = BHLAB_STEP_CPU });
		if (!fifo)
			BAD_STEP(w, EOPNOTSUPP, { .op = op, .arg = 1 });
		if (bracket)
			BAD_STEP(w, EOPNOTSUPP, { .op = op, .target = 1 });
	}
}

TEST_F(lab, step_values)
{
	const __u32 w = BHLAB_MECH_WORK;

	BAD_STEP(w, EINVAL, BH_STEP(QUEUE));
	BAD_STEP(w, EINVAL, BH_STEP(DELAY, .arg = 1));
	BAD_STEP(w, EINVAL, BH_STEP(TRIGGER));
	BAD_STEP(w, EINVAL, BH_STEP(CANCEL));
	BAD_STEP(w, EINVAL, BH_STEP(DISABLE));
	BAD_STEP(w, EINVAL, BH_STEP(ENABLE));
	BAD_STEP(w, EINVAL, BH_STEP(DEASSERT));
	BAD_STEP(w, EINVAL, BH_STEP(DELAY, .target = 1, .arg = BHLAB_NS_MAX + 1));
	BAD_STEP(w, EINVAL, BH_STEP(DELAY, .target = 1, .arg = -1ULL));
	BAD_STEP(w, EINVAL, BH_SPIN(-1ULL));
	BAD_STEP(w, EINVAL, BH_SLEEP(-1ULL));
	BAD_STEP(w, EINVAL, BH_STEP(REQUEUE, .arg = 1ULL << 32));
	BAD_STEP(w, ENODEV, BH_STEP(QUEUE, .target = 1, .flags = BHLAB_STEP_CPU,
				    .cpu = self->info.out_cpus));
	BAD_STEP(w, ENODEV, BH_STEP(DELAY, .target = 1, .flags = BHLAB_STEP_CPU,
				    .cpu = 0xffffffff));
}

/* What the context of a program forbids. */
TEST_F(lab, steps_and_contexts)
{
	const __u32 atomic[] = { BH_IN_ATOMIC(BH_ID) };

	for (size_t i = 0; i < ARRAY_SIZE(atomic); i++) {
		if (bh_absent(self->fd, atomic[i]))
			continue;
		BAD_STEP(atomic[i], EINVAL, BH_SLEEP(1));
		BAD_STEP(atomic[i], EINVAL, BH_STEP(BH_OFF));
	}
	for (__u32 mech = BHLAB_MECH_WORK; mech <= BH_NR_MECHS; mech++) {
		if (mech == BHLAB_MECH_IRQ || bh_absent(self->fd, mech))
			continue;
		BAD_STEP(mech, EINVAL, BH_THREAD);
		BAD_STEP(mech, EINVAL, BH_STEP(NONE));
	}
	BAD_STEP(BHLAB_MECH_IRQ, EINVAL, BH_STEP(REQUEUE));
	BAD_STEP(BHLAB_MECH_IRQ, EINVAL, BH_STEP(IRQ_OFF));
	BAD_STEP(BHLAB_MECH_IRQ_WORK, EINVAL, BH_STEP(IRQ_OFF));
	BAD_STEP(BHLAB_MECH_HRTIMER, EINVAL, BH_STEP(IRQ_OFF));
}

/* A program that has the step, and what else it needs; how many steps. */
static __u32 program_with(__u32 op, __u32 lock, __u32 fifo, struct bhlab_step *s)
{
	s[0] = (struct bhlab_step){ .op = op };
	s[1] = (struct bhlab_step){ .op = op + 1 };
	switch (op) {
	case BHLAB_OP_QUEUE: case BHLAB_OP_DELAY: case BHLAB_OP_TRIGGER:
	case BHLAB_OP_CANCEL: case BHLAB_OP_DISABLE: case BHLAB_OP_ENABLE:
	case BHLAB_OP_FLUSH: case BHLAB_OP_DRAIN: case BHLAB_OP_WAIT:
	case BHLAB_OP_SYNCHRONIZE_IRQ:
	case BHLAB_OP_DEASSERT:
		s[0].target = 1;
		return 1;
	case BHLAB_OP_PUSH: case BHLAB_OP_POP:
		s[0].target = fifo;
		s[0].arg = 1;
		return 1;
	case BHLAB_OP_EVERY: case BHLAB_OP_CHANCE:
		s[0].arg = 1;
		s[1] = BH_MARK(1);
		return 2;
	case BHLAB_OP_LOCK:
		s[0].target = lock;
		s[1].target = lock;
		return 2;
	case BHLAB_OP_BH_OFF: case BHLAB_OP_IRQ_OFF: case BHLAB_OP_RCU:
		return 2;
	default:
		return 1;
	}
}

static bool is_closing(__u32 op)
{
	return op == BHLAB_OP_UNLOCK || op == BHLAB_OP_BH_ON || op == BHLAB_OP_IRQ_ON ||
	       op == BHLAB_OP_RCU_END;
}

/* Steps that the driver offers for a mechanism are accepted, all others not. */
TEST_F(lab, steps_as_offered)
{
	int lock = bh_lock(self->fd, "lock", BHLAB_LOCK_SPIN, BHLAB_CTX_HARDIRQ);
	int fifo = bh_fifo(self->fd, "fifo", 1);
	struct bhlab_mech_info m;
	struct bhlab_step s[2];

	for (__u32 mech = 1; mech <= self->info.out_mechs; mech++) {
		ASSERT_EQ(0, bh_mech(self->fd, mech, &m));
		if (!m.out_native)
			continue;
		for (__u32 op = 1; op < 32; op++) {
			struct bhlab_item_create c;
			int ret;

			/* they are only offered together with what they close */
			if (is_closing(op)) {
				EXPECT_EQ(!(m.out_steps & (1U << op)),
					  !(m.out_steps & (1U << (op - 1))));
				continue;
			}
			bh_fill(&c, mech, "item");
			bh_steps(&c, s, program_with(op, lock, fifo, s));
			if (mech == BHLAB_MECH_IRQ)
				c.flags |= BHLAB_ITEM_THREAD;
			ret = refusal(self->fd, &c);
			EXPECT_EQ(m.out_steps & (1U << op) ? 0 :
				  op <= BH_LAST_OP ? -EINVAL : -EOPNOTSUPP, ret) {
				TH_LOG("mechanism %s, step %u", m.out_name, op);
			}
			if (!ret) {
				bh_destroy(self->fd, c.out_id);
			}
		}
	}
}

TEST_F(lab, thread_steps_are_counted_on)
{
	const struct bhlab_step top[] = { BH_MARK(1), BH_THREAD };
	const struct bhlab_step thread[] = { BH_SLEEP(1), BH_THREAD };
	const struct bhlab_step requeue[] = { BH_STEP(REQUEUE) };
	struct bhlab_item_create c;

	bh_fill(&c, BHLAB_MECH_IRQ, "item");
	bh_steps(&c, top, 2);
	bh_thread_steps(&c, thread, 2);
	REFUSED_STEP(EINVAL, 3, &c);
	bh_thread_steps(&c, requeue, 1);
	REFUSED_STEP(EINVAL, 2, &c);
	bh_steps(&c, NULL, 0);
	REFUSED_STEP(EINVAL, 0, &c);
	/* a mistake in the first program comes before one in the second */
	bh_steps(&c, thread, 1);
	REFUSED_STEP(EINVAL, 0, &c);
}

/* The first step that is refused gives the error. */
TEST_F(lab, first_bad_step)
{
	const struct bhlab_step steps[] = { BH_MARK(1), BH_THREAD, { .op = 99 } };
	struct bhlab_item_create c;

	bh_fill(&c, BHLAB_MECH_WORK, "item");
	bh_steps(&c, steps, 3);
	REFUSED_STEP(EINVAL, 1, &c);
}

/* Of a step that is wrong in several ways, each line takes away what is refused first. */
TEST_F(lab, order_of_a_step)
{
	ASSERT_EQ(0, bh_unprivileged());
	BAD_STEP(BHLAB_MECH_WORK, EOPNOTSUPP, BH_STEP(QUEUE, .arg = 1, .flags = BHLAB_STEP_CPU,
						      .cpu = 0xffffffff));
	BAD_STEP(BHLAB_MECH_WORK, EINVAL, BH_STEP(QUEUE, .flags = BHLAB_STEP_CPU,
						  .cpu = 0xffffffff));
	BAD_STEP(BHLAB_MECH_WORK, ENODEV, BH_STEP(QUEUE, .target = 1, .flags = BHLAB_STEP_CPU,
						  .cpu = 0xffffffff));
	BAD_STEP(BHLAB_MECH_WORK, EOPNOTSUPP, BH_STEP(NONE, .arg = 1));
	BAD_STEP(BHLAB_MECH_WORK, EINVAL, BH_STEP(NONE));
	BAD_STEP(BHLAB_MECH_IRQ, EPERM, BH_STEP(NONE));
}

/* Steps that do not fit into the time one by one, and only together. */
static void time_limit(struct __test_metadata *_metadata, FIXTURE_DATA(lab) *self,
		       struct bhlab_item_create *c, struct bhlab_step *s, __u64 limit, int error)
{
	s[0].arg = limit;
	s[1].arg = 0;
	EXPECT_EQ(1, bh_create(self->fd, c));
	EXPECT_EQ(0, bh_destroy(self->fd, 1));
	s[0].arg = limit + 1;
	REFUSED_STEP(error, 0, c);
	s[0].arg = limit;
	s[1].arg = 1;
	REFUSED_STEP(error, 1, c);
}

TEST_F(lab, atomic_time)
{
	struct bhlab_step s[2] = { BH_SPIN(0), BH_SPIN(0) };
	struct bhlab_item_create c;

	bh_fill(&c, BHLAB_MECH_TASKLET, "item");
	bh_steps(&c, s, 2);
	s[0].arg = self->info.out_atomic_cap_ns;
	EXPECT_EQ(1, bh_create(self->fd, &c));
	EXPECT_EQ(0, bh_destroy(self->fd, 1));
	s[0].arg++;
	REFUSED_STEP(EINVAL, 0, &c);
	s[0].arg--;
	s[1].arg = 1;
	REFUSED_STEP(EINVAL, 1, &c);
}

TEST_F(lab, atomic_time_unprivileged)
{
	const __u32 mechs[] = { BH_IN_ATOMIC(BH_ID) };
	struct bhlab_step s[2] = { BH_SPIN(0), BH_SPIN(0) };
	struct bhlab_item_create c;
	char name[] = "a";

	ASSERT_EQ(0, bh_unprivileged());
	for (size_t i = 0; i < ARRAY_SIZE(mechs); i++, name[0]++) {
		if (bh_absent(self->fd, mechs[i]))
			continue;
		bh_fill(&c, mechs[i], name);
		bh_steps(&c, s, 2);
		s[1].arg = 0;
		s[0].arg = self->info.out_atomic_ns + 1;
		REFUSED_STEP(EPERM, 0, &c);
		s[0].arg--;
		s[1].arg = 1;
		REFUSED_STEP(EPERM, 1, &c);
		/* more than anybody may */
		s[0].arg = self->info.out_atomic_cap_ns + 1;
		REFUSED_STEP(EINVAL, 0, &c);
		s[0].arg = self->info.out_atomic_ns;
		s[1].arg = 0;
		EXPECT_LT(0, bh_create(self->fd, &c));
		EXPECT_EQ(0, bh_destroy(self->fd, c.out_id));
	}
}

TEST_F(lab, process_time)
{
	struct bhlab_step s[2] = { BH_SPIN(0), BH_SLEEP(0) };
	struct bhlab_item_create c;

	ASSERT_EQ(0, bh_unprivileged());
	bh_fill(&c, BHLAB_MECH_WORK, "item");
	bh_steps(&c, s, 2);
	time_limit(_metadata, self, &c, s, self->info.out_process_ns, EINVAL);
}

/* An irq's thread has real-time priority: busy time is as dear as in atomic context. */
TEST_F(lab, thread_time)
{
	struct bhlab_step s[2] = { BH_SPIN(0), BH_SLEEP(0) };
	struct bhlab_item_create c;

	ASSERT_EQ(0, bh_unprivileged());
	bh_fill(&c, BHLAB_MECH_IRQ, "item");
	bh_thread_steps(&c, s, 2);
	s[0].arg = self->info.out_atomic_ns + 1;
	REFUSED_STEP(EPERM, 0, &c);
	s[0].arg--;
	s[1].arg = self->info.out_process_ns;
	REFUSED_STEP(EINVAL, 1, &c);
	s[1].arg -= s[0].arg;
	EXPECT_EQ(1, bh_create(self->fd, &c));
}

TEST_F(lab, none_needs_a_capability)
{
	ASSERT_EQ(0, bh_unprivileged());
	BAD_STEP(BHLAB_MECH_IRQ, EPERM, BH_STEP(NONE));
	ASSERT_EQ(0, bh_privileged());
	EXPECT_EQ(1, bh_add(self->fd, BHLAB_MECH_IRQ, "item", BH_STEP(NONE)));
}

/* Of two things that are wrong, the one that is checked first gives the error. */
TEST_F(lab, order)
{
	const struct bhlab_step sleep[] = { BH_SLEEP(1) };
	struct bhlab_item_create c, bad;

	/* each line takes away what is refused first */
	bh_fill(&bad, BHLAB_MECH_WORK, "9odd");
	bad.flags = BHLAB_ITEM_CPU | 1U << 31;
	bad.queue = 77;
	bad.cpu = self->info.out_cpus;
	bad.nr_steps = 0xffffffff;
	c = bad;
	REFUSED(EOPNOTSUPP, &c);
	c.flags = BHLAB_ITEM_CPU;
	REFUSED(ENOENT, &c);
	c.queue = 0;
	REFUSED(E2BIG, &c);
	c.nr_steps = 1;
	REFUSED(EINVAL, &c);
	c.name[0] = 'o';
	REFUSED(ENODEV, &c);
	c.cpu = 0;
	REFUSED(EFAULT, &c);

	c = bad;
	c.mech = 77;
	c.flags = 0;
	c.cpu = 0;
	REFUSED(EOPNOTSUPP, &c);

	/* a bad step comes before a taken name */
	EXPECT_EQ(1, bh_add(self->fd, BHLAB_MECH_WORK, "taken"));
	bh_fill(&c, BHLAB_MECH_TASKLET, "taken");
	bh_steps(&c, sleep, 1);
	EXPECT_EQ(-EINVAL, bh_create(self->fd, &c));
	EXPECT_EQ(BHLAB_WHY_CONTEXT, c.out_why);
}

TEST_F(lab, limit_of_items)
{
	__u32 max = self->info.out_max_items;
	struct bhlab_lookup l;
	char name[BHLAB_NAME_LEN];

	for (__u32 i = 1; i <= max; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		/* one of them is only a name */
		if (i == 7) {
			ASSERT_EQ(0, bh_lookup(self->fd, name, BHLAB_LOOKUP_RESERVE, &l));
		} else {
			ASSERT_EQ(i, bh_add(self->fd, BHLAB_MECH_TASKLET, name));
		}
	}
	EXPECT_EQ(-ENOSPC, bh_add(self->fd, BHLAB_MECH_WORK, "over"));
	EXPECT_EQ(-ENOSPC, bh_lookup(self->fd, "over", BHLAB_LOOKUP_RESERVE, &l));
	EXPECT_EQ(-ENOENT, bh_lookup(self->fd, "over", 0, &l));
	/* a taken name comes before the limit, and a reserved one counts already */
	EXPECT_EQ(-EEXIST, bh_add(self->fd, BHLAB_MECH_WORK, "n1"));
	EXPECT_EQ(7, bh_add(self->fd, BHLAB_MECH_WORK, "n7"));
	EXPECT_EQ(max, bh_objects(self->fd));
	EXPECT_EQ(0, bh_destroy(self->fd, max / 2));
	EXPECT_EQ(max + 1, bh_add(self->fd, BHLAB_MECH_WORK, "over"));
	EXPECT_EQ(-ENOSPC, bh_add(self->fd, BHLAB_MECH_WORK, "over2"));
}

TEST_F(lab, limit_of_irqs)
{
	__u32 max = self->info.out_max_irqs;
	struct bhlab_lookup l;
	char name[BHLAB_NAME_LEN];

	ASSERT_EQ(0, bh_lookup(self->fd, "later", BHLAB_LOOKUP_RESERVE, &l));
	for (__u32 i = 1; i <= max; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		ASSERT_EQ(1 + i, bh_add(self->fd, BHLAB_MECH_IRQ, name));
	}
	EXPECT_EQ(-ENOSPC, bh_add(self->fd, BHLAB_MECH_IRQ, "over"));
	EXPECT_EQ(-ENOSPC, bh_add(self->fd, BHLAB_MECH_IRQ, "later"));
	EXPECT_EQ(-EEXIST, bh_add(self->fd, BHLAB_MECH_IRQ, "n1"));
	EXPECT_EQ(max + 2, bh_add(self->fd, BHLAB_MECH_WORK, "over"));
	EXPECT_EQ(0, bh_destroy(self->fd, 2));
	EXPECT_EQ(1, bh_add(self->fd, BHLAB_MECH_IRQ, "later"));
}

TEST_F(lab, reserve)
{
	struct bhlab_lookup l;

	EXPECT_EQ(-ENOENT, bh_lookup(self->fd, "later", 0, &l));
	EXPECT_EQ(0, bh_objects(self->fd));
	EXPECT_EQ(0, bh_lookup(self->fd, "later", BHLAB_LOOKUP_RESERVE, &l));
	EXPECT_EQ(1, l.id);
	EXPECT_EQ(BHLAB_KIND_RESERVED, l.out_kind);
	EXPECT_EQ(0, bh_lookup(self->fd, "later", BHLAB_LOOKUP_RESERVE, &l));
	EXPECT_EQ(1, l.id);
	EXPECT_EQ(0, bh_lookup(self->fd, "later", 0, &l));
	EXPECT_EQ(BHLAB_KIND_RESERVED, l.out_kind);
	EXPECT_EQ(1, bh_objects(self->fd));

	/* the first item gets the next id, and the name's own its own */
	EXPECT_EQ(2, bh_add(self->fd, BHLAB_MECH_WORK, "first",
			    BH_STEP(QUEUE, .target = 1)));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(self->fd, QUEUE, 2));
	EXPECT_EQ(0, bh_wait_runs(self->fd, 2, 1));
	EXPECT_EQ(1, bh_add(self->fd, BHLAB_MECH_WORK, "later"));
	EXPECT_EQ(0, bh_lookup(self->fd, "later", BHLAB_LOOKUP_RESERVE, &l));
	EXPECT_EQ(BHLAB_KIND_ITEM, l.out_kind);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(self->fd, QUEUE, 2));
	EXPECT_EQ(0, bh_wait_runs(self->fd, 1, 1));
	EXPECT_EQ(2, bh_objects(self->fd));
}

/* A creation that fails does not take the name's id. */
TEST_F(lab, reserved_after_failure)
{
	struct bhlab_lookup l;

	ASSERT_EQ(0, bh_lookup(self->fd, "later", BHLAB_LOOKUP_RESERVE, &l));
	EXPECT_EQ(-EINVAL, bh_add(self->fd, BHLAB_MECH_TASKLET, "later", BH_SLEEP(1)));
	EXPECT_EQ(0, bh_lookup(self->fd, "later", 0, &l));
	EXPECT_EQ(1, l.id);
	EXPECT_EQ(BHLAB_KIND_RESERVED, l.out_kind);
	EXPECT_EQ(1, bh_add(self->fd, BHLAB_MECH_TASKLET, "later"));
}

TEST_F(lab, reserved_is_destroyed)
{
	struct bhlab_lookup l;

	ASSERT_EQ(0, bh_lookup(self->fd, "later", BHLAB_LOOKUP_RESERVE, &l));
	EXPECT_EQ(0, bh_destroy(self->fd, 1));
	EXPECT_EQ(-ENOENT, bh_destroy(self->fd, 1));
	EXPECT_EQ(-ENOENT, bh_lookup(self->fd, "later", 0, &l));
	EXPECT_EQ(2, bh_add(self->fd, BHLAB_MECH_TASKLET, "later"));
}

TEST_F(lab, next)
{
	struct bhlab_lookup l = { .size = sizeof(l) };

	EXPECT_EQ(-ENOENT, bh_call(self->fd, BHLAB_IOC_NEXT, &l));
	ASSERT_EQ(1, bh_add(self->fd, BHLAB_MECH_WORK, "one"));
	ASSERT_EQ(0, bh_lookup(self->fd, "two", BHLAB_LOOKUP_RESERVE, &l));
	ASSERT_EQ(3, bh_add(self->fd, BHLAB_MECH_WORK, "three"));
	ASSERT_EQ(4, bh_add(self->fd, BHLAB_MECH_WORK, "four"));
	ASSERT_EQ(0, bh_destroy(self->fd, 3));

	l = (struct bhlab_lookup){ .size = sizeof(l) };
	memset(l.name, 'x', sizeof(l.name));
	EXPECT_EQ(0, bh_call(self->fd, BHLAB_IOC_NEXT, &l));
	EXPECT_EQ(1, l.id);
	EXPECT_EQ(BHLAB_KIND_ITEM, l.out_kind);
	EXPECT_STREQ("one", l.name);
	EXPECT_EQ('\0', l.name[sizeof(l.name) - 1]);
	EXPECT_EQ(0, bh_call(self->fd, BHLAB_IOC_NEXT, &l));
	EXPECT_EQ(2, l.id);
	EXPECT_EQ(BHLAB_KIND_RESERVED, l.out_kind);
	EXPECT_STREQ("two", l.name);
	EXPECT_EQ(0, bh_call(self->fd, BHLAB_IOC_NEXT, &l));
	EXPECT_EQ(4, l.id);
	EXPECT_STREQ("four", l.name);
	EXPECT_EQ(-ENOENT, bh_call(self->fd, BHLAB_IOC_NEXT, &l));
	EXPECT_EQ(4, l.id);
}

TEST_F(lab, program_read_back)
{
	const struct bhlab_step top[] = {
		BH_SPIN(5), BH_STEP(QUEUE, .target = 9, .flags = BHLAB_STEP_CPU),
		BH_STEP(DELAY, .target = 8, .arg = 7), BH_MARK(-1ULL), BH_THREAD,
	};
	const struct bhlab_step thread[] = { BH_SLEEP(3), BH_STEP(TRIGGER, .target = 1) };
	struct bhlab_step seen[6];
	struct bhlab_item_program p = { .size = sizeof(p), .id = 1, .steps = (uintptr_t)seen };
	struct bhlab_item_create c;

	bh_fill(&c, BHLAB_MECH_IRQ, "item");
	bh_steps(&c, top, 5);
	bh_thread_steps(&c, thread, 2);
	ASSERT_EQ(1, bh_create(self->fd, &c));

	/* more room than needed, and less */
	memset(seen, 0xa5, sizeof(seen));
	p.nr_steps = 6;
	EXPECT_EQ(0, bh_call(self->fd, BHLAB_IOC_ITEM_PROGRAM, &p));
	EXPECT_EQ(5, p.nr_steps);
	EXPECT_EQ(0, memcmp(top, seen, sizeof(top)));
	EXPECT_EQ(POISON, seen[5].op);
	memset(seen, 0xa5, sizeof(seen));
	p.nr_steps = 1;
	EXPECT_EQ(0, bh_call(self->fd, BHLAB_IOC_ITEM_PROGRAM, &p));
	EXPECT_EQ(5, p.nr_steps);
	EXPECT_EQ(0, memcmp(top, seen, sizeof(top[0])));
	EXPECT_EQ(POISON, seen[1].op);

	p.thread = 1;
	EXPECT_EQ(0, bh_call(self->fd, BHLAB_IOC_ITEM_PROGRAM, &p));
	EXPECT_EQ(2, p.nr_steps);
	p.nr_steps = 2;
	EXPECT_EQ(0, bh_call(self->fd, BHLAB_IOC_ITEM_PROGRAM, &p));
	EXPECT_EQ(0, memcmp(thread, seen, sizeof(thread)));

	/* without room there is nothing to write, so that any address does */
	p.nr_steps = 0;
	p.steps = 1;
	EXPECT_EQ(0, bh_call(self->fd, BHLAB_IOC_ITEM_PROGRAM, &p));
	EXPECT_EQ(2, p.nr_steps);
	p.steps = 0;
	EXPECT_EQ(-EFAULT, bh_call(self->fd, BHLAB_IOC_ITEM_PROGRAM, &p));
	p.id = 2;
	EXPECT_EQ(-ENOENT, bh_call(self->fd, BHLAB_IOC_ITEM_PROGRAM, &p));
}

TEST_F(lab, no_thread_no_program)
{
	struct bhlab_item_program p = { .size = sizeof(p), .id = 1, .thread = 1, .nr_steps = 9 };

	ASSERT_EQ(1, bh_add(self->fd, BHLAB_MECH_WORK, "item", BH_MARK(1)));
	EXPECT_EQ(0, bh_call(self->fd, BHLAB_IOC_ITEM_PROGRAM, &p));
	EXPECT_EQ(0, p.nr_steps);
}

TEST_F(lab, irq_has_a_line)
{
	char line[512], word[64];
	bool found = false;
	FILE *f;

	ASSERT_EQ(1, bh_add(self->fd, BHLAB_MECH_IRQ, "a.line"));
	snprintf(word, sizeof(word), "bhlab%u-a.line\n", self->info.out_lab);
	f = fopen("/proc/interrupts", "r");
	ASSERT_NE(NULL, f);
	while (fgets(line, sizeof(line), f)) {
		size_t len = strlen(line);

		if (len > strlen(word) && !strcmp(line + len - strlen(word), word))
			found = true;
	}
	fclose(f);
	EXPECT_TRUE(found);
}

TEST_HARNESS_MAIN
