// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits: what one user may take, what is left to others and to root, and that
 * all of it is given back.
 */
#include <grp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "bhlab_test.h"

/* Users that nobody else is; each test has its own by this and a number. */
#define USER	20000

/*
 * Be that user, a member of the device's group, and so without capabilities.
 * become(0) makes the caller root again.
 */
static int become(uid_t uid)
{
	struct stat st;
	gid_t group;

	if (setresuid(0, 0, 0) || stat(BH_DEVICE, &st))
		return -errno;
	group = uid ? st.st_gid : 0;
	if (setgroups(1, &group) || setresuid(uid, uid, 0))
		return -errno;
	return 0;
}

FIXTURE(limits) {
	int fd;
	struct bhlab_info info;
};

FIXTURE_SETUP(limits)
{
	ASSERT_EQ(0, become(USER));
	self->fd = bh_open(O_NONBLOCK);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, bh_info(self->fd, &self->info));
}

FIXTURE_TEARDOWN(limits)
{
	EXPECT_EQ(0, become(0));
	close(self->fd);
}

/* --- nice -20 */

static const __u32 nice_queues[] = {
	BHLAB_WQ_PERCPU, BHLAB_WQ_UNBOUND, BHLAB_WQ_ORDERED,
	BHLAB_WQ_PERCPU | BHLAB_WQ_CPU_INTENSIVE, BHLAB_WQ_UNBOUND | BHLAB_WQ_MEM_RECLAIM,
};

TEST_F(limits, highpri_needs_cap_sys_nice)
{
	for (__u32 i = 0; i < ARRAY_SIZE(nice_queues); i++)
		EXPECT_EQ(-EPERM, bh_queue(self->fd, "q", nice_queues[i] | BHLAB_WQ_HIGHPRI));
	EXPECT_EQ(-EPERM, bh_add_to(self->fd, BHLAB_MECH_WORK, BHLAB_QUEUE_HIGHPRI, "w"));
	EXPECT_EQ(-EPERM, bh_add_to(self->fd, BHLAB_MECH_RCU_WORK, BHLAB_QUEUE_HIGHPRI, "w"));
	/* what is wrong anyway comes first, a taken name later */
	EXPECT_EQ(-EINVAL, bh_queue(self->fd, "q", BHLAB_WQ_LEGACY | BHLAB_WQ_HIGHPRI));
	EXPECT_EQ(1, bh_queue(self->fd, "q", BHLAB_WQ_UNBOUND));
	EXPECT_EQ(-EPERM, bh_queue(self->fd, "q", BHLAB_WQ_UNBOUND | BHLAB_WQ_HIGHPRI));
	/* a softirq has no nice value */
	if (self->info.out_features & BHLAB_FEATURE_BH_QUEUE) {
		EXPECT_EQ(2, bh_queue(self->fd, "bh", BHLAB_WQ_BH | BHLAB_WQ_HIGHPRI));
		EXPECT_EQ(3, bh_add_to(self->fd, BHLAB_MECH_WORK, BHLAB_QUEUE_BH_HIGHPRI, "w"));
	}
	ASSERT_EQ(0, become(0));
	EXPECT_LT(0, bh_queue(self->fd, "high", BHLAB_WQ_UNBOUND | BHLAB_WQ_HIGHPRI));
	EXPECT_LT(0, bh_add_to(self->fd, BHLAB_MECH_WORK, BHLAB_QUEUE_HIGHPRI, "system"));
}

/* --- over all labs of a user */

static int make_item(int fd, const char *name)
{
	return bh_add(fd, BHLAB_MECH_TASKLET, name);
}

static int make_name(int fd, const char *name)
{
	struct bhlab_lookup l;

	return bh_lookup(fd, name, BHLAB_LOOKUP_RESERVE, &l) ?: (int)l.id;
}

static int make_irq(int fd, const char *name)
{
	return bh_add(fd, BHLAB_MECH_IRQ, name);
}

static int make_thread(int fd, const char *name)
{
	return bh_add(fd, BHLAB_MECH_KTHREAD_WORK, name);
}

static int make_queue(int fd, const char *name)
{
	return bh_queue(fd, name, BHLAB_WQ_UNBOUND);
}

static int make_fifo(int fd, const char *name)
{
	return bh_fifo(fd, name, 1);
}

#define MAX(_field)	offsetof(struct bhlab_info, out_max_##_field)

static const struct {
	const char *name;
	int (*make)(int fd, const char *name);
	size_t max;
} kinds[] = {
	{ "items", make_item, MAX(items) }, { "names", make_name, MAX(items) },
	{ "irqs", make_irq, MAX(irqs) }, { "threads", make_thread, MAX(threads) },
	{ "queues", make_queue, MAX(queues) }, { "fifos", make_fifo, MAX(fifos) },
};

static __u32 max_of(const struct bhlab_info *info, int kind)
{
	return *(const __u32 *)((const char *)info + kinds[kind].max);
}

/* How many more fit, made in two labs in turns; less than none: an errno. */
static int fill(const int fd[2], int (*make)(int fd, const char *name))
{
	char name[BHLAB_NAME_LEN];
	int ret, n = 0;

	for (;; n++) {
		snprintf(name, sizeof(name), "n%d", n);
		ret = make(fd[n % 2], name);
		if (ret < 0)
			return ret == -ENOSPC ? n : ret;
	}
}

/* Somebody's lab, in which another may make objects, too. */
static int open_as(uid_t uid)
{
	int ret = become(uid);

	return ret ?: bh_open(O_NONBLOCK);
}

TEST_F(limits, of_all_labs_together)
{
	int fd[2], other, root;

	for (__u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		const __u32 max = max_of(&self->info, i);

		TH_LOG("%u %s", max, kinds[i].name);
		other = open_as(USER + 1);
		root = open_as(0);
		fd[0] = open_as(USER);
		fd[1] = bh_open(0);
		ASSERT_LE(0, fd[1]);
		ASSERT_EQ(max, fill(fd, kinds[i].make));
		/* not his, and no matter who has the descriptor */
		EXPECT_EQ(-ENOSPC, kinds[i].make(self->fd, "over"));
		EXPECT_LT(0, kinds[i].make(other, "theirs"));
		EXPECT_LT(0, kinds[i].make(root, "theirs"));
		EXPECT_EQ(0, become(0));
		EXPECT_EQ(-ENOSPC, kinds[i].make(fd[0], "over"));
		/* what is destroyed in one lab can be made in another */
		EXPECT_EQ(0, bh_destroy(fd[0], 1));
		EXPECT_LT(0, kinds[i].make(fd[1], "one"));
		EXPECT_EQ(-ENOSPC, kinds[i].make(fd[1], "two"));
		/* and what has ended with one as well */
		close(fd[0]);
		fd[0] = fd[1];
		EXPECT_LT(0, kinds[i].make(fd[1], "two"));
		close(fd[1]);
		close(other);
		close(root);
	}
	/* all has been given back: once more */
	for (__u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		fd[0] = open_as(USER);
		fd[1] = bh_open(0);
		EXPECT_EQ(max_of(&self->info, i), fill(fd, kinds[i].make));
		close(fd[0]);
		close(fd[1]);
	}
}

/* What could not be made has taken nothing. */
TEST_F(limits, refused_takes_nothing)
{
	const int fd[2] = { self->fd, self->fd };
	const __u64 total = self->info.out_lab_ns / self->info.out_process_ns;
	char name[BHLAB_NAME_LEN];

	for (__u64 i = 0; i < total; i++) {
		snprintf(name, sizeof(name), "t%llu", i);
		ASSERT_LT(0, bh_add(self->fd, BHLAB_MECH_KTHREAD_WORK, name,
				    BH_SLEEP(self->info.out_process_ns)));
	}
	for (__u32 i = 0; i < 2 * self->info.out_max_items; i++) {
		EXPECT_EQ(-EEXIST, bh_add(self->fd, BHLAB_MECH_KTHREAD_WORK, "t0"));
		EXPECT_EQ(-ENOSPC, bh_add(self->fd, BHLAB_MECH_KTHREAD_WORK, "over",
					  BH_SLEEP(self->info.out_process_ns)));
	}
	EXPECT_EQ(self->info.out_max_threads - total, fill(fd, make_thread));
}

/* --- labs */

#define LABS_MAX	4096

/* How many labs that user can open now, up to @max; they stay open. */
static int open_all(uid_t uid, int *fd, int max)
{
	int n, ret = become(uid);

	if (ret)
		return ret;
	for (n = 0; n < max; n++) {
		fd[n] = bh_open(0);
		if (fd[n] < 0)
			return fd[n] == -ENOSPC ? n : fd[n];
	}
	return n;
}

static void close_all(int *fd, int n)
{
	while (n-- > 0)
		close(fd[n]);
}

TEST_F(limits, one_user_does_not_take_all_labs)
{
	const int max = self->info.out_max_labs;
	int fd[LABS_MAX], more[2] = { -1, -1 }, n;

	n = open_all(USER + 1, fd, LABS_MAX);
	EXPECT_EQ(max, n);
	EXPECT_EQ(1, open_all(USER + 2, &more[0], 1));
	EXPECT_EQ(1, open_all(0, &more[1], 1));
	close_all(more, 2);
	EXPECT_EQ(-ENOSPC, open_as(USER + 1));
	close(fd[--n]);
	EXPECT_EQ(1, open_all(USER + 1, &fd[n], 1));
	close_all(fd, max);
	EXPECT_EQ(max, open_all(USER + 1, fd, LABS_MAX));
	close_all(fd, max);
}

TEST_F(limits, all_users_do_not_take_all_labs)
{
	const int max = self->info.out_max_labs, total = max * self->info.out_users;
	int fd[LABS_MAX], n = 1, ret;

	ASSERT_GT(LABS_MAX - 1024, total);
	/* one of them is this lab */
	for (uid_t uid = USER + 1; n < total; uid++, n += ret) {
		ret = open_all(uid, &fd[n], LABS_MAX - n);
		ASSERT_LT(0, ret);
		EXPECT_GE(max, ret);
	}
	EXPECT_EQ(total, n);
	EXPECT_EQ(-ENOSPC, open_as(USER + 10000));
	/* root has his own */
	ret = open_all(0, &fd[n], 1);
	EXPECT_EQ(1, ret);
	EXPECT_LT(0, bh_add(fd[n], BHLAB_MECH_WORK, "w"));
	close_all(&fd[1], n);
	EXPECT_EQ(max, open_all(USER + 10000, fd, LABS_MAX));
	close_all(fd, max);
}

TEST_HARNESS_MAIN
