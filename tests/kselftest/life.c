// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of labs: who keeps one alive, and that its end, at any moment and in
 * any state, leaves nothing behind.
 */
#include <dirent.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "bhlab_test.h"

/* How many references to the module there are: opens and mappings. */
static int module_users(void)
{
	FILE *f = fopen("/sys/module/bhlab/refcnt", "r");
	int n = -1;

	if (!f)
		return -1;
	if (fscanf(f, "%d", &n) != 1)
		n = -1;
	fclose(f);
	return n;
}

/* Lines of interrupts that labs have. */
static int lines(void)
{
	FILE *f = fopen("/proc/interrupts", "r");
	char buf[1024];
	int n = 0;

	if (!f)
		return -1;
	while (fgets(buf, sizeof(buf), f))
		n += !!strstr(buf, "bhlab");
	fclose(f);
	return n;
}

/* Threads of the kernel that labs have: of kthread_work, interrupts, rescuers. */
static int threads(void)
{
	DIR *proc = opendir("/proc");
	char path[300], comm[64];
	struct dirent *d;
	int n = 0;
	FILE *f;

	while (proc && (d = readdir(proc))) {
		snprintf(path, sizeof(path), "/proc/%s/comm", d->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		/* a worker's own name ends with the last queue that it worked for */
		n += fgets(comm, sizeof(comm), f) && strstr(comm, "bhlab") &&
		     (strncmp(comm, "kworker/", 8) || comm[8] == 'R');
		fclose(f);
	}
	if (proc)
		closedir(proc);
	return n;
}

/* One that has stopped is seen for a moment longer. */
static bool threads_gone(void)
{
	__u64 end = bh_now() + BH_PATIENCE;

	while (threads() && bh_now() < end)
		bh_sleep(BH_MS);
	return !threads();
}

/* The last reference may be given back by somebody else a little later. */
static bool module_idle(void)
{
	__u64 end = bh_now() + BH_PATIENCE;

	while (module_users() && bh_now() < end)
		bh_sleep(BH_MS);
	return !module_users();
}

#define MECHS	BH_NR_MECHS

/* By the verb that the mechanism has for it, on the other CPU if there is one. */
static int activate_there(int fd, __u32 mech, int id)
{
	return mech == BHLAB_MECH_IRQ ?
	       bh_act(fd, TRIGGER, id, .count = 1, .flags = BHLAB_ACT_CPU, .cpu = bh_has_cpu1()) :
	       bh_act(fd, QUEUE, id, .flags = BHLAB_ACT_CPU, .cpu = bh_has_cpu1());
}

/* --- close in each state */

static void pending_work(int fd)
{
	int id = bh_add(fd, BHLAB_MECH_WORK, "work", BH_SLEEP(BH_S));

	bh_act(fd, QUEUE, id);
	bh_wait_for(fd, id, RUNNING);
	bh_act(fd, QUEUE, id);
}

static void delayed(int fd)
{
	for (__u32 mech = BHLAB_MECH_WORK; mech <= MECHS; mech++) {
		char name[] = { 'a' + mech, 0 };

		bh_act(fd, DELAY, bh_add(fd, mech, name), .ns = BH_NEVER);
	}
}

/* An activation that could not be cancelled is still with the kernel. */
static void delayed_cancelled(int fd)
{
	delayed(fd);
	for (int id = 1; id <= MECHS; id++)
		bh_act(fd, CANCEL, id);
}

static void delayed_modified(int fd)
{
	delayed(fd);
	for (int id = 1; id <= MECHS; id++)
		bh_act(fd, DELAY, id, .flags = BHLAB_ACT_MOD, .ns = id * BH_MS);
}

static void pending(int fd)
{
	for (__u32 mech = BHLAB_MECH_WORK; mech <= MECHS; mech++) {
		char name[] = { 'a' + mech, 0 };

		activate_there(fd, mech, bh_add(fd, mech, name, BH_MARK(1)));
	}
}

static void pending_cancelled(int fd)
{
	pending(fd);
	for (int id = 1; id <= MECHS; id++)
		bh_act(fd, CANCEL, id);
}

/* The delays end while the lab does. */
static void delayed_shortly(int fd)
{
	for (int i = 0; i < 40; i++) {
		__u32 mech = BHLAB_MECH_WORK + i % MECHS;
		char name[] = { 'a', 'a' + i / 10, 'a' + i % 10, 0 };

		bh_act(fd, DELAY, bh_add(fd, mech, name, BH_MARK(1)), .ns = i * 50 * BH_US);
	}
}

static void spinning(int fd)
{
	for (__u32 mech = BHLAB_MECH_WORK; mech <= MECHS; mech++) {
		char name[] = { 'a' + mech, 0 };

		activate_there(fd, mech, bh_add(fd, mech, name, BH_SPIN(5 * BH_MS)));
	}
}

static void sleeping_work(int fd)
{
	for (int i = 0; i < 8; i++) {
		char name[] = { 'a' + i, 0 };
		int id = bh_add(fd, BHLAB_MECH_WORK, name, BH_SLEEP(BH_S));

		bh_act(fd, QUEUE, id);
		bh_wait_for(fd, id, RUNNING);
	}
}

/* In process context, and pending once more. */
static void sleeping(int fd)
{
	const __u32 mechs[] = { BH_IN_TASK(BH_ID) };

	for (size_t i = 0; i < ARRAY_SIZE(mechs); i++) {
		char name[] = { 'a' + i, 0 };
		int id = bh_add(fd, mechs[i], name, BH_SLEEP(BH_S));

		bh_act(fd, QUEUE, id);
		bh_wait_for(fd, id, RUNNING);
		bh_act(fd, QUEUE, id);
	}
}

static void sleeping_thread(int fd)
{
	int id = bh_add_threaded(fd, "line", BH_SLEEP(BH_S));

	bh_act(fd, TRIGGER, id, .count = 1);
	bh_wait_for(fd, id, RUNNING);
	bh_act(fd, TRIGGER, id, .count = 1);
}

static void disabled_tasklet(int fd)
{
	for (__u32 mech = BHLAB_MECH_TASKLET; mech <= BHLAB_MECH_TASKLET_HI; mech++) {
		char name[] = { 'a' + mech, 0 };
		int id = bh_add(fd, mech, name);

		for (int i = 0; i < 3; i++)
			bh_act(fd, DISABLE, id);
		bh_act(fd, QUEUE, id);
	}
}

static void disabled_irq(int fd)
{
	int id = bh_add_threaded(fd, "line", BH_MARK(1));

	bh_act(fd, DISABLE, id);
	bh_act(fd, DISABLE, id);
	bh_act(fd, TRIGGER, id, .count = 3);
}

/* The replay of what came while it was disabled is on its way. */
static void enabled_irq(int fd)
{
	int id = bh_add_threaded(fd, "line", BH_MARK(1));

	bh_act(fd, DISABLE, id);
	bh_act(fd, TRIGGER, id, .count = 3);
	bh_act(fd, ENABLE, id);
}

static void disabled_work(int fd)
{
	int id = bh_add(fd, BHLAB_MECH_WORK, "work");

	bh_act(fd, DISABLE, id);
	bh_act(fd, QUEUE, id);
}

static void requeueing(int fd)
{
	for (__u32 mech = BHLAB_MECH_WORK; mech <= MECHS; mech++) {
		char name[] = { 'a' + mech, 0 };
		int id = bh_add(fd, mech, name, BH_STEP(REQUEUE));

		bh_act(fd, QUEUE, id);
	}
	/* more than one are not certain: the budget or the chain may be at its end */
	for (int id = 1; id <= MECHS; id++)
		if (id != BHLAB_MECH_IRQ)
			bh_wait_runs(fd, id, 1);
}

static void periodic(int fd)
{
	int id = bh_add_threaded(fd, "line", BH_MARK(1));

	bh_act(fd, TRIGGER, id, .flags = BHLAB_ACT_PERIOD, .ns = BH_MS,
	       .count = BHLAB_TRIGGER_MAX);
	bh_wait_runs(fd, id, 3);
}

/* The next time is when there is no lab any more. */
static void periodic_later(int fd)
{
	for (int i = 0; i < 8; i++) {
		char name[] = { 'a' + i, 0 };

		bh_act(fd, TRIGGER, bh_add(fd, BHLAB_MECH_IRQ, name), .count = 2,
		       .flags = BHLAB_ACT_PERIOD, .ns = i ? 10 * i * BH_MS : BH_NEVER);
	}
}

static void periodic_disabled(int fd)
{
	periodic(fd);
	bh_act(fd, DISABLE, 1);
}

/* Work of each kind on queues of its own, and more to come. */
static void queues(int fd)
{
	const __u32 flags[] = { BHLAB_WQ_PERCPU, BHLAB_WQ_UNBOUND, BHLAB_WQ_ORDERED,
				BHLAB_WQ_LEGACY, BHLAB_WQ_SINGLETHREAD, BHLAB_WQ_BH };
	struct bhlab_item_create c;
	char name[] = "a";

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++, name[0]++) {
		int queue = bh_queue(fd, name, flags[i]);

		for (int k = 0; queue > 0 && k < 4; k++) {
			const struct bhlab_step again[] = { BH_STEP(REQUEUE) };

			bh_fill(&c, k == 3 ? BHLAB_MECH_RCU_WORK : BHLAB_MECH_WORK, "");
			snprintf(c.name, sizeof(c.name), "%s%d", name, k);
			bh_steps(&c, again, 1);
			c.queue = queue;
			bh_act(fd, DELAY, bh_create(fd, &c), .ns = k == 2 ? BH_NEVER : 0);
		}
	}
}

static void static_items(int fd)
{
	const __u32 mechs[] = { BHLAB_MECH_WORK, BHLAB_MECH_TASKLET };
	struct bhlab_item_create c;

	for (size_t i = 0; i < ARRAY_SIZE(mechs); i++) {
		bh_fill(&c, mechs[i], i ? "tasklet" : "work");
		c.flags = BHLAB_ITEM_STATIC;
		bh_create(fd, &c);
		bh_act(fd, DELAY, c.out_id, .ns = BH_NEVER);
		bh_act(fd, DISABLE, c.out_id);
	}
}

static void locked(int fd)
{
	int spin = bh_lock(fd, "spin", BHLAB_LOCK_SPIN, BHLAB_CTX_TASK);
	int mutex = bh_lock(fd, "mutex", BHLAB_LOCK_MUTEX, BHLAB_CTX_TASK);
	int fifo = bh_fifo(fd, "fifo", 3);

	bh_add(fd, BHLAB_MECH_WORK, "a", BH_STEP(LOCK, .target = mutex), BH_SLEEP(BH_S),
	       BH_STEP(UNLOCK, .target = mutex));
	bh_add(fd, BHLAB_MECH_WORK, "b", BH_STEP(LOCK, .target = mutex),
	       BH_STEP(UNLOCK, .target = mutex), BH_STEP(LOCK, .target = spin), BH_SPIN(BH_MS),
	       BH_STEP(UNLOCK, .target = spin), BH_STEP(PUSH, .target = fifo, .arg = 5));
	bh_act(fd, QUEUE, 4);
	bh_wait_for(fd, 4, RUNNING);
	bh_act(fd, QUEUE, 5);
}

/* Work queues a tasklet, which raises a line, whose thread queues the work. */
static void circle(int fd)
{
	const struct bhlab_step thread[] = { BH_STEP(DELAY, .target = 1, .arg = BH_US) };
	const struct bhlab_step top[] = { BH_THREAD };
	struct bhlab_item_create c;

	bh_add(fd, BHLAB_MECH_WORK, "work", BH_STEP(QUEUE, .target = 2));
	bh_add(fd, BHLAB_MECH_TASKLET, "tasklet", BH_STEP(TRIGGER, .target = 3));
	bh_fill(&c, BHLAB_MECH_IRQ, "line");
	bh_steps(&c, top, 1);
	bh_thread_steps(&c, thread, 1);
	bh_create(fd, &c);
	bh_act(fd, QUEUE, 1);
	bh_wait_runs(fd, 3, 5);
}

static void names_only(int fd)
{
	struct bhlab_lookup l;

	bh_lookup(fd, "one", BHLAB_LOOKUP_RESERVE, &l);
	bh_lookup(fd, "two", BHLAB_LOOKUP_RESERVE, &l);
}

static void destroyed(int fd)
{
	for (__u32 mech = BHLAB_MECH_WORK; mech <= MECHS; mech++)
		bh_destroy(fd, bh_add(fd, mech, "item"));
	bh_destroy(fd, bh_queue(fd, "queue", BHLAB_WQ_UNBOUND));
	bh_destroy(fd, bh_lock(fd, "lock", BHLAB_LOCK_SPIN, BHLAB_CTX_TASK));
	bh_destroy(fd, bh_fifo(fd, "fifo", 1));
}

FIXTURE(end) {
	int fd;
};

FIXTURE_VARIANT(end) {
	void (*state)(int fd);
};

#define STATE(_name)	FIXTURE_VARIANT_ADD(end, _name) { .state = _name }

STATE(pending_work);
STATE(pending);
STATE(pending_cancelled);
STATE(delayed);
STATE(delayed_cancelled);
STATE(delayed_modified);
STATE(delayed_shortly);
STATE(spinning);
STATE(sleeping_work);
STATE(sleeping);
STATE(sleeping_thread);
STATE(disabled_tasklet);
STATE(disabled_irq);
STATE(enabled_irq);
STATE(disabled_work);
STATE(requeueing);
STATE(circle);
STATE(periodic);
STATE(periodic_later);
STATE(periodic_disabled);
STATE(queues);
STATE(static_items);
STATE(locked);
STATE(names_only);
STATE(destroyed);

FIXTURE_SETUP(end)
{
	ASSERT_TRUE(module_idle());
	ASSERT_EQ(0, lines());
	self->fd = bh_open(O_NONBLOCK);
	ASSERT_LE(0, self->fd);
	variant->state(self->fd);
}

FIXTURE_TEARDOWN(end)
{
	EXPECT_EQ(0, module_users());
	EXPECT_EQ(0, lines());
	EXPECT_TRUE(threads_gone());
}

TEST_F(end, close)
{
	__u64 start = bh_now();

	EXPECT_EQ(0, close(self->fd));
	/* sleeps of a second end early; all the rest is short */
	EXPECT_GT(800 * BH_MS, bh_now() - start);
}

TEST_F(end, killed)
{
	int pipefd[2], status;
	char byte;
	pid_t pid;

	ASSERT_EQ(0, pipe(pipefd));
	pid = fork();
	if (!pid) {
		variant->state(bh_open(O_NONBLOCK));
		if (write(pipefd[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	ASSERT_EQ(1, read(pipefd[0], &byte, 1));
	EXPECT_EQ(2, module_users());
	kill(pid, SIGKILL);
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(1, module_users());
	close(self->fd);
}

/* What happened in it before does not hold a lab up. */
TEST_F(end, read_first)
{
	struct bhlab_event e[64];

	while (bh_read(self->fd, e, 64) == 64)
		;
	EXPECT_EQ(0, close(self->fd));
}

/* Object by object, in the order of creation and against it. */
TEST_F(end, destroy)
{
	struct bhlab_lookup l = { .size = sizeof(l) };
	__u32 last = 0;

	while (!bh_call(self->fd, BHLAB_IOC_NEXT, &l))
		last = l.id;
	for (__u32 id = 1; id <= last; id++)
		bh_destroy(self->fd, id);
	for (__u32 id = last; id; id--) {
		/* a disabled tasklet that is scheduled is kept */
		while (bh_act(self->fd, ENABLE, id) == BHLAB_RESULT_IDLE)
			;
		bh_destroy(self->fd, id);
	}
	l.id = 0;
	EXPECT_EQ(-ENOENT, bh_call(self->fd, BHLAB_IOC_NEXT, &l)) {
		TH_LOG("%s is still there", l.name);
	}
	EXPECT_EQ(0, lines());
	EXPECT_EQ(0, close(self->fd));
}

/* --- who keeps it alive */

FIXTURE(lab) {
	int fd;
};

FIXTURE_SETUP(lab)
{
	ASSERT_TRUE(module_idle());
	self->fd = bh_open(0);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(1, bh_add_threaded(self->fd, "line", BH_MARK(1)));
}

FIXTURE_TEARDOWN(lab)
{
	EXPECT_TRUE(module_idle());
	EXPECT_EQ(0, lines());
}

TEST_F(lab, dup)
{
	int other = dup(self->fd);

	close(self->fd);
	EXPECT_EQ(1, lines());
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(other, TRIGGER, 1, .count = 1));
	EXPECT_EQ(0, bh_wait_runs(other, 1, 1));
	close(other);
	EXPECT_EQ(0, lines());
}

TEST_F(lab, fork)
{
	struct bhlab_lookup l;
	int status;
	pid_t pid = fork();

	if (!pid) {
		/* the same lab: its items are there, and new ones are for both */
		_exit(bh_lookup(self->fd, "line", 0, &l) || l.id != 1 ||
		      bh_add(self->fd, BHLAB_MECH_WORK, "child") != 2);
	}
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(1, lines());
	EXPECT_EQ(0, bh_lookup(self->fd, "child", 0, &l));
	EXPECT_EQ(2, l.id);
	close(self->fd);
}

TEST_F(lab, outlived_by_child)
{
	int pipefd[2], status;
	char byte;
	pid_t pid;

	ASSERT_EQ(0, pipe(pipefd));
	pid = fork();
	if (!pid)
		_exit(read(pipefd[0], &byte, 1) != 1 ||
		      bh_act(self->fd, TRIGGER, 1, .count = 1) != BHLAB_RESULT_QUEUED ||
		      bh_wait_runs(self->fd, 1, 1));
	close(self->fd);
	EXPECT_EQ(1, lines());
	EXPECT_EQ(1, write(pipefd[1], "", 1));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

static bool send_fd(int socket, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(socket, &msg, 0) == 1;
}

static int receive_fd(int socket)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd = -1;

	if (recvmsg(socket, &msg, MSG_CMSG_CLOEXEC) == 1 && CMSG_FIRSTHDR(&msg))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

/* A descriptor in a message keeps the lab alive. */
TEST_F(lab, passed)
{
	int sockets[2], fd;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	ASSERT_TRUE(send_fd(sockets[0], self->fd));
	close(self->fd);
	EXPECT_EQ(1, lines());
	fd = receive_fd(sockets[1]);
	ASSERT_LE(0, fd);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(fd, TRIGGER, 1, .count = 1));
	EXPECT_EQ(0, bh_wait_runs(fd, 1, 1));
	close(fd);
	EXPECT_EQ(0, lines());
	close(sockets[0]);
	close(sockets[1]);
}

TEST_F(lab, lost_in_flight)
{
	int sockets[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	ASSERT_TRUE(send_fd(sockets[0], self->fd));
	close(self->fd);
	close(sockets[0]);
	close(sockets[1]);
	EXPECT_TRUE(module_idle());
}

TEST_F(lab, mapping)
{
	struct bhlab_ring_setup r;
	void *p;

	ASSERT_EQ(0, bh_ring(self->fd, &r));
	p = mmap(NULL, r.out_map_size, PROT_READ, MAP_SHARED, self->fd, 0);
	ASSERT_TRUE(p != MAP_FAILED);
	close(self->fd);
	EXPECT_EQ(1, lines());
	/* in part, and then all of it */
	EXPECT_EQ(0, munmap(p, 4096));
	EXPECT_EQ(1, lines());
	EXPECT_EQ(0, munmap(p + 4096, r.out_map_size - 4096));
	EXPECT_EQ(0, lines());
}

/* The module stays while there is a lab. */
TEST_F(lab, unload)
{
	EXPECT_EQ(-1, syscall(SYS_delete_module, "bhlab", O_NONBLOCK));
	EXPECT_EQ(EWOULDBLOCK, errno);
	EXPECT_EQ(1, lines());
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(self->fd, TRIGGER, 1, .count = 1));
	EXPECT_EQ(0, bh_wait_runs(self->fd, 1, 1));
	close(self->fd);
}

TEST_F(lab, numbers)
{
	struct bhlab_info a, b;
	int other = bh_open(0);

	ASSERT_LE(0, other);
	ASSERT_EQ(0, bh_info(self->fd, &a));
	ASSERT_EQ(0, bh_info(other, &b));
	EXPECT_NE(a.out_lab, b.out_lab);
	close(other);
	close(self->fd);
}

/* --- waits that end early */

TEST_F(lab, wait_interrupted)
{
	const __u32 conditions[] = {
		BHLAB_COND_PENDING, BHLAB_COND_RUNNING, BHLAB_COND_RUNS, BHLAB_COND_STARTED,
	};

	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++) {
		__u64 value = conditions[i] >= BHLAB_COND_RUNS;

		start_alarm(0);
		EXPECT_EQ(-EINTR, bh_wait(self->fd, 1, conditions[i], value, BH_PATIENCE));
		/* restarted more often than it could wait from its beginning */
		start_alarm(SA_RESTART);
		EXPECT_EQ(-ETIMEDOUT, bh_wait(self->fd, 1, conditions[i], value, 300 * BH_MS));
	}
	stop_alarm();
	close(self->fd);
}

struct waiter {
	pthread_t thread;
	int fd;
	__u32 id;
	__u32 condition;
	int ret;
};

static void *waiter(void *arg)
{
	struct waiter *w = arg;

	w->ret = bh_wait(w->fd, w->id, w->condition, w->condition == BHLAB_COND_RUNS,
			 BH_PATIENCE);
	return NULL;
}

/* Whether it was waiting already or only about to. */
TEST_F(lab, destroyed_while_waited_for)
{
	struct waiter waiters[MECHS * 3], *w;

	for (size_t i = 0; i < ARRAY_SIZE(waiters); i++) {
		char name[BHLAB_NAME_LEN];

		snprintf(name, sizeof(name), "item%zu", i);
		w = &waiters[i];
		w->fd = self->fd;
		w->id = bh_add(self->fd, BHLAB_MECH_WORK + i % MECHS, name);
		if (i / MECHS == 0) {
			/* what is pending is cancelled by the end: it never gets idle */
			w->condition = BHLAB_COND_RUNS;
			bh_act(self->fd, DELAY, w->id, .ns = BH_NEVER);
		} else {
			w->condition = i / MECHS == 1 ? BHLAB_COND_RUNNING : BHLAB_COND_RUNS;
		}
		ASSERT_EQ(0, pthread_create(&w->thread, NULL, waiter, w));
	}
	bh_sleep(50 * BH_MS);
	for (w = waiters; w < waiters + ARRAY_SIZE(waiters); w++)
		EXPECT_EQ(0, bh_destroy(self->fd, w->id));
	for (w = waiters; w < waiters + ARRAY_SIZE(waiters); w++) {
		pthread_join(w->thread, NULL);
		EXPECT_EQ(-ENOENT, w->ret);
	}
	close(self->fd);
}

/* While one waits, others get in. */
TEST_F(lab, verbs_while_waited_for)
{
	struct waiter w = { .fd = self->fd, .id = 1, .condition = BHLAB_COND_RUNS };

	ASSERT_EQ(0, pthread_create(&w.thread, NULL, waiter, &w));
	bh_sleep(20 * BH_MS);
	EXPECT_EQ(BHLAB_RESULT_IDLE, bh_act(self->fd, DISABLE, 1));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(self->fd, TRIGGER, 1, .count = 1));
	EXPECT_EQ(2, bh_add(self->fd, BHLAB_MECH_WORK, "other"));
	EXPECT_EQ(0, bh_destroy(self->fd, 2));
	EXPECT_EQ(BHLAB_RESULT_IDLE, bh_act(self->fd, ENABLE, 1));
	pthread_join(w.thread, NULL);
	EXPECT_EQ(0, w.ret);
	close(self->fd);
}

/* --- races */

#define RACERS	4
#define ROUNDS	250
#define NAMES	12

struct racer {
	pthread_t thread;
	int fd;
	unsigned int seed;
	int odd;
};

static __u32 find(int fd, unsigned int *seed)
{
	char name[] = { 'a' + rand_r(seed) % NAMES, 0 };
	struct bhlab_lookup l;

	return bh_lookup(fd, name, 0, &l) ? 0 : l.id;
}

static int create(int fd, unsigned int *seed)
{
	unsigned int n = rand_r(seed) % NAMES;
	char name[] = { 'a' + n, 0 };
	__u32 other = find(fd, seed) ?: 1;

	/* the name says what it is, so that there is always something of each */
	switch (n % 6) {
	case 4:
		return bh_add(fd, BHLAB_MECH_IRQ_WORK + n % 7, name,
			      BH_STEP(QUEUE, .target = other), BH_STEP(REQUEUE, .arg = 2));
	case 5:
		return bh_add(fd, BHLAB_MECH_IRQ_WORK + (n + 3) % 7, name,
			      BH_STEP(CANCEL, .target = other),
			      BH_STEP(DELAY, .target = other, .arg = BH_MS));
	case 0:
		return bh_add(fd, BHLAB_MECH_WORK, name, BH_SLEEP(100 * BH_US),
			      BH_STEP(QUEUE, .target = other));
	case 1:
		return bh_add(fd, BHLAB_MECH_TASKLET, name, BH_STEP(REQUEUE, .arg = 3));
	case 2:
		return bh_add_threaded(fd, name, BH_SLEEP(10 * BH_US),
				       BH_STEP(DELAY, .target = other, .arg = BH_US));
	default:
		return bh_add(fd, BHLAB_MECH_TASKLET_HI, name,
			      BH_STEP(TRIGGER, .target = other));
	}
}

static int one_verb(int fd, unsigned int *seed)
{
	struct bhlab_item_state st;
	__u32 id = find(fd, seed);
	char buf[4096];

	switch (rand_r(seed) % 17) {
	case 16:
		return bh_act(fd, TRIGGER, id, .flags = BHLAB_ACT_PERIOD, .count = 5,
			      .ns = BH_MS);
	case 0: case 1:
		return create(fd, seed);
	case 2:
		return bh_destroy(fd, id);
	case 3: case 4:
		return bh_act(fd, QUEUE, id);
	case 5: case 6:
		return bh_act(fd, TRIGGER, id, .count = 3);
	case 7:
		return bh_act(fd, DELAY, id, .ns = rand_r(seed) % BH_MS);
	case 8:
		return bh_act(fd, DELAY, id, .flags = BHLAB_ACT_MOD, .ns = rand_r(seed) % BH_MS);
	case 9:
		return bh_act(fd, CANCEL, id, .flags = rand_r(seed) % 2 ? BHLAB_ACT_SYNC : 0);
	case 10:
		return bh_act(fd, DISABLE, id, .flags = rand_r(seed) % 2 ? BHLAB_ACT_SYNC : 0);
	case 11: case 12:
		return bh_act(fd, ENABLE, id);
	case 13:
		return bh_act(fd, FLUSH, id);
	case 14:
		return bh_wait(fd, id, BHLAB_COND_IDLE, 0, BH_MS);
	default:
		return read(fd, buf, sizeof(buf)) < 0 ? -errno : bh_state(fd, id, &st);
	}
}

static bool is_expected(int ret)
{
	switch (ret) {
	case -ENOENT: case -EOPNOTSUPP: case -EEXIST: case -EINVAL: case -EBUSY:
	case -ETIMEDOUT: case -EAGAIN: case -EOVERFLOW:
		return true;
	default:
		return ret >= 0;
	}
}

static const struct {
	unsigned long cmd;
	__u32 flags;
	__u64 ns;
} VERBS[] = {
	{ BHLAB_IOC_QUEUE },
	{ BHLAB_IOC_DELAY, .ns = BH_US },
	{ BHLAB_IOC_DELAY, .flags = BHLAB_ACT_MOD, .ns = BH_US },
	{ BHLAB_IOC_CANCEL },
	{ BHLAB_IOC_CANCEL, .flags = BHLAB_ACT_SYNC },
	{ BHLAB_IOC_DISABLE },
	{ BHLAB_IOC_DISABLE, .flags = BHLAB_ACT_SYNC },
	{ BHLAB_IOC_ENABLE },
	{ BHLAB_IOC_FLUSH },
};

struct duellist {
	pthread_t thread;
	int fd;
	__u32 id;
	size_t verb;
	__u64 until;
	int odd;
};

static void *duellist(void *arg)
{
	struct duellist *d = arg;
	int ret;

	while (bh_now() < d->until) {
		struct bhlab_act act = {
			.size = sizeof(act),
			.id = d->id,
			.flags = VERBS[d->verb].flags,
			.ns = VERBS[d->verb].ns,
		};

		ret = bh_call(d->fd, VERBS[d->verb].cmd, &act);
		if (!is_expected(ret))
			d->odd = ret;
	}
	return NULL;
}

static void duel(struct __test_metadata *_metadata, int fd, __u32 id, size_t one, size_t two)
{
	struct duellist duellists[] = {
		{ .fd = fd, .id = id, .verb = one, .until = bh_now() + 20 * BH_MS },
		{ .fd = fd, .id = id, .verb = two, .until = bh_now() + 20 * BH_MS },
	};
	struct bhlab_item_state st;

	for (struct duellist *d = duellists; d < duellists + 2; d++)
		ASSERT_EQ(0, pthread_create(&d->thread, NULL, duellist, d));
	for (struct duellist *d = duellists; d < duellists + 2; d++) {
		pthread_join(d->thread, NULL);
		EXPECT_EQ(0, d->odd) {
			TH_LOG("item %u: verb %zu of %zu and %zu", id, d->verb, one, two);
		}
	}
	while (bh_act(fd, ENABLE, id) == BHLAB_RESULT_IDLE)
		;
	EXPECT_EQ(0, bh_wait_for(fd, id, IDLE)) {
		TH_LOG("item %u: verbs %zu and %zu", id, one, two);
	}
	EXPECT_EQ(0, bh_state(fd, id, &st));
	EXPECT_TRUE(bh_accounted(&st)) {
		TH_LOG("item %u: verbs %zu and %zu", id, one, two);
	}
}

/* Two verbs at the same time, of one item: it comes to rest, and all is accounted for. */
TEST_F_TIMEOUT(lab, duels, 120)
{
	for (__u32 mech = BHLAB_MECH_WORK; mech <= MECHS; mech++) {
		int id = bh_add(self->fd, mech, "x");

		for (size_t one = 0; one < ARRAY_SIZE(VERBS); one++)
			for (size_t two = one; two < ARRAY_SIZE(VERBS); two++)
				duel(_metadata, self->fd, id, one, two);
		EXPECT_EQ(0, bh_destroy(self->fd, id));
	}
	close(self->fd);
}

static void *racer(void *arg)
{
	struct racer *r = arg;
	int ret;

	for (int i = 0; i < ROUNDS; i++) {
		ret = one_verb(r->fd, &r->seed);
		if (!is_expected(ret))
			r->odd = ret;
	}
	close(r->fd);
	return NULL;
}

static void start_race(struct __test_metadata *_metadata, struct racer *racers, int fd,
		       unsigned int seed)
{
	fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
	for (int i = 0; i < RACERS; i++) {
		racers[i] = (struct racer){ .fd = dup(fd), .seed = seed + i };
		ASSERT_LE(0, racers[i].fd);
		ASSERT_EQ(0, pthread_create(&racers[i].thread, NULL, racer, &racers[i]));
	}
}

static void end_race(struct __test_metadata *_metadata, struct racer *racers)
{
	for (int i = 0; i < RACERS; i++) {
		pthread_join(racers[i].thread, NULL);
		EXPECT_EQ(0, racers[i].odd) {
			TH_LOG("seed %u", racers[i].seed);
		}
	}
}

static bool at_rest(const struct bhlab_item_state *st)
{
	return !st->out_outstanding &&
	       st->out_thread_wakes == st->out_thread_runs + st->out_thread_merged;
}

/* Whatever has come of it: everything is accounted for, and comes to rest. */
TEST_F_TIMEOUT(lab, race, 60)
{
	struct bhlab_lookup l = { .size = sizeof(l) };
	struct racer racers[RACERS];
	struct bhlab_item_state st;
	int looks;

	start_race(_metadata, racers, self->fd, 1000);
	end_race(_metadata, racers);

	while (!bh_call(self->fd, BHLAB_IOC_NEXT, &l))
		while (bh_act(self->fd, ENABLE, l.id) == BHLAB_RESULT_IDLE)
			;
	for (l.id = 0; !bh_call(self->fd, BHLAB_IOC_NEXT, &l);) {
		looks = 0;
		/* The program of another one may queue it before we look. */
		do {
			EXPECT_EQ(0, bh_wait_for(self->fd, l.id, IDLE));
			EXPECT_EQ(0, bh_state(self->fd, l.id, &st));
			EXPECT_TRUE(bh_accounted(&st)) {
				TH_LOG("item %s", l.name);
			}
		} while (!at_rest(&st) && ++looks < 1000);
		EXPECT_TRUE(at_rest(&st)) {
			TH_LOG("item %s", l.name);
		}
	}
	close(self->fd);
}

/* Whoever comes last ends the lab, in the state that it is in. */
TEST_F_TIMEOUT(lab, race_to_close, 60)
{
	struct racer racers[RACERS];

	for (unsigned int seed = 0; seed < 4; seed++) {
		start_race(_metadata, racers, self->fd, 100 * seed);
		close(self->fd);
		end_race(_metadata, racers);
		EXPECT_EQ(0, module_users());
		EXPECT_EQ(0, lines());
		self->fd = bh_open(0);
		ASSERT_LE(0, self->fd);
	}
	close(self->fd);
}

TEST_HARNESS_MAIN
