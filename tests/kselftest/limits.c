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

/* --- what may hold a kernel thread */

/* Where its items are, and what they take. */
struct place {
	int fd;
	int queue;
	int mutex;
	const struct bhlab_info *info;
};

static int hold_kthread(const struct place *p, const char *name)
{
	return bh_add(p->fd, BHLAB_MECH_KTHREAD_WORK, name);
}

static int hold_irq(const struct place *p, const char *name)
{
	/* in a thread already where there are only threads */
	return p->info->out_features & BHLAB_FEATURE_THREADIRQS ?
	       bh_add(p->fd, BHLAB_MECH_IRQ, name) : bh_add_threaded(p->fd, name);
}

static int hold_reclaim(const struct place *p, const char *name)
{
	return bh_queue(p->fd, name, BHLAB_WQ_UNBOUND | BHLAB_WQ_MEM_RECLAIM);
}

static int hold_legacy(const struct place *p, const char *name)
{
	return bh_queue(p->fd, name, BHLAB_WQ_LEGACY);
}

static int hold_singlethread(const struct place *p, const char *name)
{
	return bh_queue(p->fd, name, BHLAB_WQ_SINGLETHREAD);
}

static int hold_sleep(const struct place *p, const char *name)
{
	return bh_add_to(p->fd, BHLAB_MECH_WORK, p->queue, name, BH_MARK(1), BH_SLEEP(0));
}

static int hold_rcu_work(const struct place *p, const char *name)
{
	return bh_add_to(p->fd, BHLAB_MECH_RCU_WORK, p->queue, name, BH_SLEEP(1));
}

static int hold_mutex(const struct place *p, const char *name)
{
	return bh_add_to(p->fd, BHLAB_MECH_WORK, p->queue, name,
			 BH_STEP(LOCK, .target = p->mutex), BH_STEP(UNLOCK, .target = p->mutex));
}

static int hold_spin(const struct place *p, const char *name)
{
	return bh_add_to(p->fd, BHLAB_MECH_WORK, p->queue, name, BH_SPIN(1),
			 BH_SPIN(p->info->out_atomic_ns));
}

static int (*const holders[])(const struct place *p, const char *name) = {
	hold_kthread, hold_irq, hold_reclaim, hold_legacy, hold_singlethread,
	hold_sleep, hold_rcu_work, hold_mutex, hold_spin,
};

/* And these hold none, or not for long. */
static void none_held(struct __test_metadata *_metadata, const struct place *p)
{
	EXPECT_LT(0, bh_add_to(p->fd, BHLAB_MECH_WORK, p->queue, "short",
			       BH_SPIN(p->info->out_atomic_ns)));
	EXPECT_LT(0, bh_add(p->fd, BHLAB_MECH_WORK, "system", BH_SPIN(p->info->out_atomic_ns)));
	EXPECT_LT(0, bh_add(p->fd, BHLAB_MECH_TASKLET, "tasklet"));
	EXPECT_LT(0, bh_queue(p->fd, "unbound", BHLAB_WQ_UNBOUND));
	EXPECT_LT(0, bh_queue(p->fd, "ordered", BHLAB_WQ_ORDERED | BHLAB_WQ_FREEZABLE));
	if (p->info->out_features & BHLAB_FEATURE_BH_QUEUE) {
		EXPECT_LT(0, bh_add_to(p->fd, BHLAB_MECH_WORK, BHLAB_QUEUE_BH, "bh"));
	}
	if (!(p->info->out_features & BHLAB_FEATURE_THREADIRQS)) {
		EXPECT_LT(0, bh_add(p->fd, BHLAB_MECH_IRQ, "irq"));
	}
}

static struct place place_of(int fd, const struct bhlab_info *info)
{
	return (struct place) {
		.fd = fd,
		.queue = bh_queue(fd, "q", BHLAB_WQ_UNBOUND),
		.mutex = bh_lock(fd, "m", BHLAB_LOCK_MUTEX, BHLAB_CTX_TASK),
		.info = info,
	};
}

TEST_F(limits, threads)
{
	struct place p = place_of(self->fd, &self->info), other;
	const __u32 max = self->info.out_max_threads;
	char name[BHLAB_NAME_LEN];
	int id;

	ASSERT_LT(0, p.queue);
	ASSERT_LT(0, p.mutex);
	/* each a few times, none more often than its own limit; one is left */
	for (__u32 i = 1; i < max; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		ASSERT_LT(0, holders[i % ARRAY_SIZE(holders)](&p, name));
	}
	for (__u32 i = 0; i < ARRAY_SIZE(holders); i++) {
		TH_LOG("%u", i);
		id = holders[i](&p, "last");
		EXPECT_LT(0, id);
		for (__u32 j = 0; j < ARRAY_SIZE(holders); j++)
			EXPECT_EQ(-ENOSPC, holders[j](&p, "over"));
		EXPECT_EQ(0, bh_destroy(self->fd, id));
	}
	EXPECT_LT(0, hold_sleep(&p, "last"));
	none_held(_metadata, &p);
	other = place_of(open_as(USER), &self->info);
	EXPECT_EQ(-ENOSPC, hold_sleep(&other, "over"));
	close(other.fd);
	other = place_of(open_as(USER + 1), &self->info);
	EXPECT_LT(0, hold_sleep(&other, "theirs"));
	close(other.fd);
	other = place_of(open_as(0), &self->info);
	EXPECT_LT(0, hold_sleep(&other, "theirs"));
	close(other.fd);
}

/* On the system's queues there are only a few that hold a kworker. */
TEST_F(limits, system_sleepers)
{
	static const __u32 queues[] = {
		BHLAB_QUEUE_PERCPU, BHLAB_QUEUE_LONG, BHLAB_QUEUE_UNBOUND,
		BHLAB_QUEUE_FREEZABLE, BHLAB_QUEUE_POWER_EFFICIENT,
	};
	static int (*const items[])(const struct place *p, const char *name) = {
		hold_sleep, hold_rcu_work, hold_mutex, hold_spin,
	};
	struct place p = place_of(self->fd, &self->info), other;
	const int own = p.queue;
	char name[BHLAB_NAME_LEN];
	__u32 n = 0;
	int ret;

	do {
		p.queue = queues[n % ARRAY_SIZE(queues)];
		snprintf(name, sizeof(name), "n%u", n);
		ret = items[n % ARRAY_SIZE(items)](&p, name);
		n += ret > 0;
	} while (ret > 0);
	EXPECT_EQ(-ENOSPC, ret);
	EXPECT_EQ(self->info.out_max_sleepers, n);
	for (__u32 i = 0; i < ARRAY_SIZE(queues) * ARRAY_SIZE(items); i++) {
		p.queue = queues[i % ARRAY_SIZE(queues)];
		EXPECT_EQ(-ENOSPC, items[i % ARRAY_SIZE(items)](&p, "over"));
	}
	/* nor by no queue, which is a system's, nor in another lab */
	EXPECT_EQ(-ENOSPC, bh_add(self->fd, BHLAB_MECH_WORK, "over", BH_SLEEP(1)));
	other = place_of(open_as(USER), &self->info);
	EXPECT_EQ(-ENOSPC, bh_add(other.fd, BHLAB_MECH_WORK, "over", BH_SLEEP(1)));
	EXPECT_LT(0, hold_sleep(&other, "own"));
	close(other.fd);
	/* all else is as it was */
	p.queue = own;
	for (__u32 i = 0; i < ARRAY_SIZE(items); i++) {
		snprintf(name, sizeof(name), "own%u", i);
		EXPECT_LT(0, items[i](&p, name));
	}
	none_held(_metadata, &p);
	other = place_of(open_as(0), &self->info);
	EXPECT_LT(0, bh_add(other.fd, BHLAB_MECH_WORK, "root", BH_SLEEP(1)));
	close(other.fd);
}

/* --- programs that are held, since their user's share of the CPU is spent */

#define HELD_EACH	16
#define HELD_ALL	64

/* A lab of that user's, in which so many programs are held most of the time. */
static int open_held(uid_t uid)
{
	const struct bhlab_step steps[] = { BH_STEP(REQUEUE), BH_SPIN(900 * BH_MS) };
	int fd = open_as(uid), queue = bh_queue(fd, "q", BHLAB_WQ_PERCPU), id;
	struct bhlab_item_create c;
	char name[BHLAB_NAME_LEN];

	for (int i = 0; i < HELD_EACH; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		bh_fill(&c, BHLAB_MECH_WORK, name);
		bh_steps(&c, steps, ARRAY_SIZE(steps));
		c.queue = queue;
		id = bh_create(fd, &c);
		if (id < 0 || bh_act(fd, QUEUE, id) < 0)
			return -1;
	}
	return fd;
}

static __u64 throttled(int fd)
{
	struct bhlab_item_state st;
	__u64 n = 0;

	for (int id = 2; id < 2 + HELD_EACH; id++)
		n += bh_state(fd, id, &st) ? 0 : st.out_throttled;
	return n;
}

/* There may be any number of users; their programs are not held beyond that. */
TEST_F_TIMEOUT(limits, held_of_all_users, 60)
{
	int fd[HELD_ALL / HELD_EACH + 1];
	__u64 end, n = 0;

	for (__u32 i = 0; i < ARRAY_SIZE(fd); i++) {
		fd[i] = open_held(USER + 1 + i);
		ASSERT_LE(0, fd[i]);
	}
	for (end = bh_now() + BH_PATIENCE; !n && bh_now() < end; bh_sleep(10 * BH_MS))
		for (__u32 i = 0; i < ARRAY_SIZE(fd); i++)
			n += throttled(fd[i]);
	EXPECT_LT(0, n);
	for (__u32 i = 0; i < ARRAY_SIZE(fd); i++)
		close(fd[i]);
}

/* --- memory of rings */

/* Of a record, for who may not see all tasks: the pid and the name that it hides. */
#define HIDDEN_BYTES	24

/* A lab with a quarter of the largest ring, made by @use; or its errno. */
static int open_ring(const struct bhlab_info *info, int (*use)(int fd, __u64 size))
{
	struct bhlab_ring_setup ring = { .size = sizeof(ring), .flags = BHLAB_RING_RECORDS };
	int fd = bh_open(O_NONBLOCK), ret;

	if (fd < 0)
		return fd;
	ring.records = 1;
	while (8ULL * ring.records * info->out_cpus * sizeof(struct bhlab_event) <=
	       info->out_ring_bytes)
		ring.records *= 2;
	ret = bh_call(fd, BHLAB_IOC_RING, &ring);
	if (!ret)
		ret = use(fd, ring.out_map_size);
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

static int use_item(int fd, __u64 size)
{
	int ret = bh_add(fd, BHLAB_MECH_TASKLET, "item");

	return ret < 0 ? ret : 0;
}

static int use_map(int fd, __u64 size)
{
	void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	munmap(map, size);
	return 0;
}

static int use_read(int fd, __u64 size)
{
	struct bhlab_event e;
	int ret = bh_read(fd, &e, 1);

	return ret == -EAGAIN ? 0 : ret;
}

/* A taken name comes before the limit. */
static int use_taken_name(int fd, __u64 size)
{
	int ret = bh_queue(fd, "item", BHLAB_WQ_UNBOUND);

	return ret < 0 ? ret : use_item(fd, size);
}

static int (*const uses[])(int fd, __u64 size) = { use_item, use_map, use_read };

/* So many bytes fit; the first that does not is in @fd. */
static int open_rings(const struct bhlab_info *info, int *fd, __u64 *bytes)
{
	struct bhlab_ring_setup ring;
	int n;

	*bytes = 0;
	for (n = 0; n < 64; n++) {
		fd[n] = open_ring(info, uses[n % ARRAY_SIZE(uses)]);
		if (fd[n] < 0)
			break;
		if (!bh_ring(fd[n], &ring))
			*bytes += ring.out_map_size +
				  (__u64)ring.out_cpus * ring.records * HIDDEN_BYTES;
	}
	return n;
}

TEST_F(limits, memory_of_rings)
{
	__u64 bytes, again;
	int fd[64], n, other;

	EXPECT_LT(0, self->info.out_user_ring_bytes);
	n = open_rings(&self->info, fd, &bytes);
	TH_LOG("%d rings of %llu bytes in all, of %llu", n, bytes, self->info.out_user_ring_bytes);
	ASSERT_LT(0, n);
	EXPECT_EQ(-ENOSPC, fd[n]);
	EXPECT_GE(self->info.out_user_ring_bytes, bytes);
	EXPECT_LT(self->info.out_user_ring_bytes, bytes + bytes / n);
	for (__u32 i = 0; i < ARRAY_SIZE(uses); i++)
		EXPECT_EQ(-ENOSPC, open_ring(&self->info, uses[i]));
	EXPECT_EQ(-EEXIST, open_ring(&self->info, use_taken_name));
	EXPECT_EQ(0, become(USER + 1));
	other = open_ring(&self->info, use_item);
	EXPECT_LT(0, other);
	close(other);
	EXPECT_EQ(0, become(0));
	other = open_ring(&self->info, use_item);
	EXPECT_LT(0, other);
	close(other);
	EXPECT_EQ(0, become(USER));
	while (n-- > 0)
		close(fd[n]);
	n = open_rings(&self->info, fd, &again);
	EXPECT_EQ(bytes, again);
	while (n-- > 0)
		close(fd[n]);
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
