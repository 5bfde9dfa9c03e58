// SPDX-License-Identifier: GPL-2.0-only
/*
 * Batches: each entry as its ioctl would do it, where a batch stops, and what
 * is left alone.
 */
#include "bhlab_test.h"

#define POISON	0xa5a5a5a5U

FIXTURE(batch) {
	int fd;
	int id;
	int line;
	int queue;
};

FIXTURE_SETUP(batch)
{
	self->fd = bh_open(O_NONBLOCK);
	ASSERT_LE(0, self->fd);
	self->id = bh_add(self->fd, BHLAB_MECH_WORK, "item");
	ASSERT_EQ(1, self->id);
	self->line = bh_add(self->fd, BHLAB_MECH_IRQ, "line");
	self->queue = bh_queue(self->fd, "queue", BHLAB_WQ_UNBOUND);
	ASSERT_EQ(3, self->queue);
}

FIXTURE_TEARDOWN(batch)
{
	bh_privileged();
	bh_end(_metadata, self->fd);
}

/* Outputs are poisoned, so that what is not written is seen. */
#define ENTRY(_verb, _id, ...) {					\
	.nr = BHLAB_NR_##_verb,						\
	.out_errno = POISON,						\
	.act = { .size = sizeof(struct bhlab_act), .id = (_id),		\
		 .out_result = POISON, .out_flags = POISON,		\
		 .out_depth = POISON, .out_count = POISON,		\
		 ##__VA_ARGS__ },					\
}

static int batch(int fd, struct bhlab_batch_entry *e, __u32 count, __u32 flags,
		 struct bhlab_batch *b)
{
	*b = (struct bhlab_batch){
		.size = sizeof(*b),
		.flags = flags,
		.count = count,
		.out_done = POISON,
		.out_failed = POISON,
		.entries = (uintptr_t)e,
	};
	return bh_call(fd, BHLAB_IOC_BATCH, b);
}

#define BATCH(_e, _count, _flags, _b)	batch(self->fd, _e, _count, _flags, _b)
#define NEVER_DELAY			.ns = BH_NEVER

/* The errno of an entry, and when there is none its result. */
#define EXPECT_ENTRY(_errno, _result, _e) do {				\
	EXPECT_EQ(_errno, (_e)->out_errno);				\
	if (!(_errno))							\
		EXPECT_EQ(_result, (_e)->act.out_result);		\
} while (0)

/* All verbs, one after the other. */
TEST_F(batch, verbs)
{
	struct bhlab_batch_entry e[] = {
		ENTRY(DELAY, self->id, NEVER_DELAY),
		ENTRY(QUEUE, self->id),
		ENTRY(DELAY, self->id, .flags = BHLAB_ACT_MOD, NEVER_DELAY),
		ENTRY(CANCEL, self->id, .flags = BHLAB_ACT_SYNC),
		ENTRY(FLUSH, self->id),
		ENTRY(DISABLE, self->line),
		ENTRY(DISABLE, self->line),
		ENTRY(TRIGGER, self->line, .count = 1),
		ENTRY(ENABLE, self->line),
		ENTRY(ENABLE, self->line),
		ENTRY(FLUSH, self->queue),
		ENTRY(DRAIN, self->queue),
	};
	const __u32 results[] = {
		BHLAB_RESULT_QUEUED, BHLAB_RESULT_ALREADY_PENDING, BHLAB_RESULT_MODIFIED,
		BHLAB_RESULT_WAS_PENDING, BHLAB_RESULT_IDLE, BHLAB_RESULT_IDLE, BHLAB_RESULT_IDLE,
		BHLAB_RESULT_QUEUED, BHLAB_RESULT_IDLE, BHLAB_RESULT_IDLE, BHLAB_RESULT_WAITED,
		BHLAB_RESULT_WAITED,
	};
	struct bhlab_item_state st;
	struct bhlab_batch b;

	EXPECT_EQ(0, BATCH(e, ARRAY_SIZE(e), 0, &b));
	EXPECT_EQ(ARRAY_SIZE(e), b.out_done);
	EXPECT_EQ(0, b.out_failed);
	for (size_t i = 0; i < ARRAY_SIZE(e); i++) {
		EXPECT_ENTRY(0, results[i], &e[i]);
		EXPECT_EQ(0, e[i].act.out_flags & ~(BHLAB_OUT_EMULATED | BHLAB_OUT_WAITED));
	}
	EXPECT_EQ(2, e[6].act.out_depth);
	EXPECT_EQ(1, e[7].act.out_count);
	EXPECT_EQ(0, e[9].act.out_depth);
	EXPECT_EQ(0, bh_wait_runs(self->fd, self->line, 1));
	EXPECT_EQ(0, bh_state(self->fd, self->id, &st));
	EXPECT_EQ(1, st.out_accepted);
	EXPECT_EQ(1, st.out_coalesced);
	EXPECT_EQ(1, st.out_cancelled);
	EXPECT_EQ(0, st.out_runs);
}

/* As the ioctl would: which errno, and nothing that has changed. */
TEST_F(batch, errors)
{
	struct bhlab_batch_entry e[] = {
		{ .nr = BHLAB_NR_WAIT, .act.size = sizeof(e->act) },
		{ .nr = BHLAB_NR_DRAIN + 1, .act.size = sizeof(e->act) },
		{ .nr = BHLAB_NR_QUEUE - 1, .act.size = sizeof(e->act) },
		{ .nr = BHLAB_NR_BATCH, .act.size = sizeof(e->act) },
		{ .nr = BHLAB_NR_INFO, .act.size = sizeof(e->act) },
		{ .nr = 0xffffffff, .act.size = sizeof(e->act) },
		{ .nr = 0x80000020, .act.size = sizeof(e->act), .act.id = self->id },
		{ .nr = BHLAB_NR_WAIT },
		{ .nr = BHLAB_NR_QUEUE },
		{ .nr = BHLAB_NR_QUEUE, .act = { .size = sizeof(e->act) - 1, .id = self->id } },
		{ .nr = BHLAB_NR_QUEUE, .act = { .size = sizeof(e->act) + 8, .id = self->id } },
		{ .nr = BHLAB_NR_QUEUE, .act = { .size = 0xffffffff, .flags = 1U << 31 } },
		ENTRY(QUEUE, self->id, .flags = 1U << 31),
		ENTRY(QUEUE, self->id, .ns = 1),
		ENTRY(CANCEL, 77, .cpu = 1),
		ENTRY(TRIGGER, self->id, .count = 1),
		ENTRY(QUEUE, self->line),
		ENTRY(QUEUE, 77),
		ENTRY(QUEUE, self->queue),
		ENTRY(DRAIN, self->id),
		ENTRY(DELAY, self->id, .ns = -1ULL),
		ENTRY(TRIGGER, self->line),
		ENTRY(ENABLE, self->line),
		ENTRY(QUEUE, self->id, .flags = BHLAB_ACT_CPU, .cpu = 0xffffffff),
		ENTRY(DRAIN, BHLAB_QUEUE_PERCPU),
	};
	const __u32 errors[] = {
		ENOTTY, ENOTTY, ENOTTY, ENOTTY, ENOTTY, ENOTTY, ENOTTY, ENOTTY,
		EINVAL, EINVAL, EINVAL, EINVAL,
		EOPNOTSUPP, EOPNOTSUPP, EOPNOTSUPP, EOPNOTSUPP, EOPNOTSUPP,
		ENOENT, ENOENT, ENOENT, EINVAL, EINVAL, EINVAL, ENODEV, EPERM,
	};
	struct bhlab_item_state st;
	struct bhlab_batch b;

	EXPECT_EQ(0, BATCH(e, ARRAY_SIZE(e), BHLAB_BATCH_ON, &b));
	EXPECT_EQ(ARRAY_SIZE(e), b.out_done);
	EXPECT_EQ(ARRAY_SIZE(e), b.out_failed);
	for (size_t i = 0; i < ARRAY_SIZE(e); i++) {
		EXPECT_EQ(errors[i], e[i].out_errno) {
			TH_LOG("entry %zu", i);
		}
	}
	EXPECT_EQ(0, bh_state(self->fd, self->id, &st));
	EXPECT_EQ(0, st.out_accepted);
	EXPECT_EQ(0, bh_state(self->fd, self->line, &st));
	EXPECT_EQ(0, st.out_accepted);
}

/* With a bad one in the middle: what is behind it is left as it was. */
static void in_the_middle(struct __test_metadata *_metadata, FIXTURE_DATA(batch) *self,
			  __u32 flags)
{
	struct bhlab_batch_entry e[] = {
		ENTRY(DELAY, self->id, NEVER_DELAY),
		ENTRY(CANCEL, self->id),
		ENTRY(QUEUE, 77),
		ENTRY(DELAY, self->id, NEVER_DELAY),
		ENTRY(TRIGGER, self->id, .count = 1),
		ENTRY(CANCEL, self->id),
	}, before[ARRAY_SIZE(e)];
	const __u32 done = flags ? 6 : 3;
	struct bhlab_batch b;

	memcpy(before, e, sizeof(e));
	EXPECT_EQ(0, BATCH(e, ARRAY_SIZE(e), flags, &b));
	EXPECT_EQ(done, b.out_done);
	EXPECT_EQ(flags ? 2 : 1, b.out_failed);
	EXPECT_EQ(ARRAY_SIZE(e), b.count);
	EXPECT_ENTRY(0, BHLAB_RESULT_QUEUED, &e[0]);
	EXPECT_ENTRY(0, BHLAB_RESULT_WAS_PENDING, &e[1]);
	EXPECT_ENTRY(ENOENT, 0, &e[2]);
	EXPECT_EQ(0, memcmp(&before[done], &e[done], (ARRAY_SIZE(e) - done) * sizeof(e[0])));
	if (!flags)
		return;
	EXPECT_ENTRY(0, BHLAB_RESULT_QUEUED, &e[3]);
	EXPECT_ENTRY(EOPNOTSUPP, 0, &e[4]);
	EXPECT_ENTRY(0, BHLAB_RESULT_WAS_PENDING, &e[5]);
}

TEST_F(batch, stops)
{
	struct bhlab_item_state st;

	in_the_middle(_metadata, self, 0);
	EXPECT_EQ(0, bh_state(self->fd, self->id, &st));
	EXPECT_EQ(1, st.out_accepted);
}

TEST_F(batch, goes_on)
{
	struct bhlab_item_state st;

	in_the_middle(_metadata, self, BHLAB_BATCH_ON);
	EXPECT_EQ(0, bh_state(self->fd, self->id, &st));
	EXPECT_EQ(2, st.out_accepted);
}

/* Whether it goes on or not: that there is no such verb is the entry's errno. */
TEST_F(batch, first_is_refused)
{
	struct bhlab_batch_entry e[] = { ENTRY(QUEUE, 77), ENTRY(QUEUE, self->id) };
	struct bhlab_batch b;

	e[0].nr = 0;
	EXPECT_EQ(0, BATCH(e, 2, 0, &b));
	EXPECT_EQ(1, b.out_done);
	EXPECT_EQ(1, b.out_failed);
	EXPECT_EQ(ENOTTY, e[0].out_errno);
	EXPECT_EQ(POISON, e[1].out_errno);
}

#define MOST	BHLAB_BATCH_MAX

TEST_F(batch, counts)
{
	struct bhlab_batch_entry *e = calloc(MOST + 1, sizeof(*e));
	const struct bhlab_batch_entry trigger = ENTRY(TRIGGER, self->line, .count = 1);
	struct bhlab_item_state st;
	struct bhlab_batch b;

	ASSERT_NE(NULL, e);
	for (int i = 0; i <= MOST; i++)
		e[i] = trigger;
	EXPECT_EQ(-EINVAL, BATCH(e, 0, 0, &b));
	EXPECT_EQ(-EINVAL, BATCH(NULL, 0, 0, &b));
	EXPECT_EQ(-EINVAL, BATCH(e, MOST + 1, 0, &b));
	EXPECT_EQ(-EINVAL, BATCH(e, 0xffffffff, BHLAB_BATCH_ON, &b));
	/* before the array is looked at */
	EXPECT_EQ(-EINVAL, BATCH(NULL, MOST + 1, 0, &b));
	EXPECT_EQ(POISON, b.out_done);
	EXPECT_EQ(POISON, e[0].out_errno);
	EXPECT_EQ(0, BATCH(e, MOST, 0, &b));
	EXPECT_EQ(MOST, b.out_done);
	EXPECT_EQ(0, e[MOST - 1].out_errno);
	EXPECT_EQ(POISON, e[MOST].out_errno);
	EXPECT_EQ(0, bh_wait_for(self->fd, self->line, IDLE));
	EXPECT_EQ(0, bh_state(self->fd, self->line, &st));
	EXPECT_EQ(MOST, st.out_accepted);
	EXPECT_EQ(MOST, st.out_runs + st.out_merged);
	free(e);
}

/* Nothing has been done when the array is not there, or not in all. */
TEST_F(batch, bad_pointers)
{
	const struct bhlab_batch_entry queue = ENTRY(DELAY, self->id, NEVER_DELAY);
	char *mem = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct bhlab_batch_entry *edge = (struct bhlab_batch_entry *)(mem + 4096) - 1;
	struct bhlab_item_state st;
	struct bhlab_batch b;

	ASSERT_TRUE(mem != MAP_FAILED);
	*edge = queue;
	edge[1] = queue;
	edge[1].act.id = self->line;
	mprotect(mem + 4096, 4096, PROT_NONE);
	EXPECT_EQ(-EFAULT, BATCH(NULL, 1, 0, &b));
	EXPECT_EQ(-EFAULT, BATCH((void *)-4096L, 1, 0, &b));
	EXPECT_EQ(-EFAULT, BATCH(edge, 2, 0, &b));
	EXPECT_EQ(-EFAULT, BATCH(edge + 1, 1, BHLAB_BATCH_ON, &b));
	EXPECT_EQ(-EFAULT, BATCH((void *)((char *)edge + 1), 1, 0, &b));
	/* the second one cannot be written */
	mprotect(mem + 4096, 4096, PROT_READ);
	EXPECT_EQ(-EFAULT, BATCH(edge, 2, 0, &b));
	mprotect(mem, 4096, PROT_READ);
	EXPECT_EQ(-EFAULT, BATCH(edge, 1, 0, &b));
	EXPECT_EQ(0, memcmp(&queue, edge, sizeof(queue)));
	EXPECT_EQ(0, bh_state(self->fd, self->id, &st));
	EXPECT_EQ(0, st.out_accepted);
	mprotect(mem, 8192, PROT_READ | PROT_WRITE);
	EXPECT_EQ(0, BATCH(edge, 2, 0, &b));
	EXPECT_EQ(2, b.out_done);
	EXPECT_EQ(0, b.out_failed);
}

/* Each entry asks for itself whether the caller may. */
TEST_F(batch, capabilities)
{
	int tasklet = bh_add(self->fd, BHLAB_MECH_TASKLET, "tasklet");
	struct bhlab_batch_entry e[] = {
		ENTRY(DISABLE, tasklet), ENTRY(QUEUE, tasklet), ENTRY(ENABLE, tasklet),
	};
	struct bhlab_batch b;

	ASSERT_EQ(0, bh_unprivileged());
	EXPECT_EQ(0, BATCH(e, 3, BHLAB_BATCH_ON, &b));
	EXPECT_EQ(1, b.out_failed);
	EXPECT_EQ(EPERM, e[1].out_errno);
	EXPECT_EQ(0, e[2].out_errno);
	ASSERT_EQ(0, bh_privileged());
	EXPECT_EQ(0, BATCH(e, 3, BHLAB_BATCH_ON, &b));
	EXPECT_EQ(0, b.out_failed);
	EXPECT_EQ(0, bh_wait_runs(self->fd, tasklet, 1));
}

/* It ends between two entries, and says how many there were. */
TEST_F(batch, signal)
{
	struct bhlab_batch_entry *e = calloc(MOST, sizeof(*e));
	int id = bh_add(self->fd, BHLAB_MECH_WORK, "sleeper", BH_SLEEP(20 * BH_MS));
	struct bhlab_batch b;

	ASSERT_NE(NULL, e);
	for (int i = 0; i < MOST; i += 2) {
		e[i] = (struct bhlab_batch_entry)ENTRY(QUEUE, id);
		e[i + 1] = (struct bhlab_batch_entry)ENTRY(FLUSH, id);
	}
	start_alarm(0);
	EXPECT_EQ(0, BATCH(e, MOST, 0, &b));
	stop_alarm();
	EXPECT_GT(MOST, b.out_done);
	EXPECT_EQ(0, b.out_failed);
	for (int i = 0; i < MOST; i++)
		EXPECT_EQ(i < b.out_done ? 0 : POISON, e[i].out_errno);
	free(e);
}

TEST_HARNESS_MAIN
