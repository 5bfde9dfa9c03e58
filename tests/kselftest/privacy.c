// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who gets to know what of whom, and who is woken: records name only whom their
 * reader may know, subscribers who hear nothing cost nothing, and a wait ends when
 * it should, whatever signal, stop or CPU comes and goes.
 */
#define _GNU_SOURCE
#include <grp.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "bhlab_test.h"

#include <linux/bhlab_netlink.h>

#define MEMBER		12345
#define SECRET		"root-secret"
#define MANY		200

#ifndef SOL_NETLINK
#define SOL_NETLINK	270
#endif

/* --- other tasks */

/* A member of the device's group, and nothing more. */
static int be_member(void)
{
	struct stat st;

	if (stat(BH_DEVICE, &st))
		return -errno;
	if (setgroups(1, &st.st_gid) || setresgid(MEMBER, MEMBER, MEMBER) ||
	    setresuid(MEMBER, MEMBER, MEMBER))
		return -errno;
	return 0;
}

/* A task of that user's, busy on CPU 1 until its parent has ended. */
static pid_t spinner(const char *name, uid_t uid)
{
	pid_t parent = getpid(), pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_NAME, name);
	if (bh_pin(1) || setresuid(uid, uid, uid))
		_exit(1);
	while (getppid() == parent)
		for (volatile int i = 0; i < 100000; i++)
			;
	_exit(0);
}

/* What the records of a timer on CPU 1 say of the tasks that it interrupted. */
struct seen {
	int records;
	int hidden;	/* without pid and name */
	int secret;	/* named so */
	int wanted;	/* named and numbered as wanted */
	int kthreads;	/* of a work item: named */
	int numbered;	/* likewise, with a pid */
};

static int interrupt_cpu1(int fd)
{
	struct bhlab_item_create c;
	int id;

	bh_fill(&c, BHLAB_MECH_HRTIMER, "tick");
	c.flags = BHLAB_ITEM_HARD | BHLAB_ITEM_PINNED;
	id = bh_create(fd, &c);
	for (int i = 1; id > 0 && i <= MANY; i++) {
		bh_act(fd, DELAY, id, .flags = BHLAB_ACT_CPU, .cpu = 1, .ns = BH_MS);
		if (bh_wait_runs(fd, id, i))
			return -1;
	}
	return id;
}

static void count(struct seen *s, const struct bhlab_event *e, const char *wanted, pid_t pid)
{
	s->records++;
	s->hidden += !e->pid && !strcmp(e->comm, "-");
	s->secret += !strcmp(e->comm, SECRET);
	s->wanted += !strcmp(e->comm, wanted) && e->pid == pid;
}

static int look(int fd, struct seen *s, const char *wanted, pid_t pid)
{
	struct bhlab_event e[64];
	int tick = interrupt_cpu1(fd), work, n;

	memset(s, 0, sizeof(*s));
	work = bh_add(fd, BHLAB_MECH_WORK, "w");
	if (tick < 0 || work < 0 || bh_act(fd, QUEUE, work) != BHLAB_RESULT_QUEUED ||
	    bh_wait_runs(fd, work, 1))
		return -1;
	while ((n = bh_read(fd, e, 64)) > 0)
		for (int i = 0; i < n; i++) {
			if (e[i].item == tick) {
				count(s, &e[i], wanted, pid);
				continue;
			}
			s->kthreads += !strncmp(e[i].comm, "kworker/", 8);
			s->numbered += !!e[i].pid;
		}
	return 0;
}

#define LOG_SEEN(_s) TH_LOG("%d records, %d hidden, %d secret, %d wanted, %d kthreads", \
	(_s)->records, (_s)->hidden, (_s)->secret, (_s)->wanted, (_s)->kthreads)

/* --- what records tell */

TEST(member_does_not_see_roots)
{
	struct seen s;
	int fd;

	if (!bh_has_cpu1())
		SKIP(return, "needs two CPUs");
	ASSERT_LT(0, spinner(SECRET, 0));
	ASSERT_EQ(0, be_member());
	fd = bh_open(O_NONBLOCK);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, look(fd, &s, SECRET, 0));
	LOG_SEEN(&s);
	EXPECT_LT(0, s.hidden);
	EXPECT_EQ(0, s.secret);
	EXPECT_EQ(1, s.kthreads);
	EXPECT_EQ(1, s.numbered);
	close(fd);
}

TEST(member_sees_his_own)
{
	struct seen s;
	pid_t pid;
	int fd;

	if (!bh_has_cpu1())
		SKIP(return, "needs two CPUs");
	ASSERT_EQ(0, be_member());
	pid = spinner("my-own", MEMBER);
	fd = bh_open(O_NONBLOCK);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, look(fd, &s, "my-own", pid));
	LOG_SEEN(&s);
	EXPECT_LT(0, s.wanted);
	close(fd);
}

/* It is open() that decides, whoever reads. */
TEST(root_sees_all)
{
	struct seen s;
	pid_t pid;
	int fd;

	if (!bh_has_cpu1())
		SKIP(return, "needs two CPUs");
	fd = bh_open(O_NONBLOCK);
	ASSERT_LE(0, fd);
	pid = spinner("stranger", MEMBER + 1);
	ASSERT_EQ(0, be_member());
	ASSERT_EQ(0, look(fd, &s, "stranger", pid));
	LOG_SEEN(&s);
	EXPECT_LT(0, s.wanted);
	EXPECT_EQ(0, s.hidden);
	close(fd);
}

static int run_inside(uid_t uid)
{
	struct seen s;
	pid_t pid;
	int fd;

	if (uid && be_member())
		return 11;
	pid = spinner("inside", uid);
	fd = bh_open(O_NONBLOCK);
	if (fd < 0 || look(fd, &s, "inside", pid))
		return 12;
	if (getpid() != 1 || pid != 2)
		return 13;
	/* their names are no secret, but they have no number in here */
	if (!s.wanted || s.secret || s.kthreads != 1 || s.numbered)
		return 14;
	return s.hidden ? 0 : 15;
}

/* What is outside of his PID namespace he does not see, though it is the same user's. */
TEST(pids_are_those_of_the_namespace)
{
	int status;
	pid_t pid;

	if (!bh_has_cpu1())
		SKIP(return, "needs two CPUs");
	if (access("/proc/self/ns/pid", F_OK))
		SKIP(return, "needs PID namespaces");
	ASSERT_LT(0, spinner(SECRET, MEMBER));
	ASSERT_EQ(0, unshare(CLONE_NEWPID));
	pid = fork();
	if (!pid)
		_exit(run_inside(MEMBER));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

/* --- netlink */

struct nl {
	int fd;
	int family;
	int group;
	char buf[32768];
};

static int nl_open(struct nl *nl)
{
	nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	return nl->fd < 0 ? -errno : 0;
}

/* The next message's attributes, within two seconds; their length, or 0. */
static int nl_receive(struct nl *nl, struct nlattr **attrs)
{
	struct pollfd p = { .fd = nl->fd, .events = POLLIN };
	struct nlmsghdr *h = (struct nlmsghdr *)nl->buf;
	ssize_t len;

	if (poll(&p, 1, 2000) != 1)
		return 0;
	len = recv(nl->fd, nl->buf, sizeof(nl->buf), 0);
	if (len < (ssize_t)(NLMSG_HDRLEN + GENL_HDRLEN) || h->nlmsg_type == NLMSG_ERROR)
		return 0;
	*attrs = (struct nlattr *)(nl->buf + NLMSG_HDRLEN + GENL_HDRLEN);
	return h->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN;
}

/* A request with one string, or without any attribute. */
static int nl_ask(struct nl *nl, int type, int cmd, int attr, const char *string,
		  struct nlattr **attrs)
{
	struct {
		struct nlmsghdr h;
		struct genlmsghdr g;
		struct nlattr a;
		char string[32];
	} m = {};

	m.h.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN;
	m.h.nlmsg_type = type;
	m.h.nlmsg_flags = NLM_F_REQUEST;
	m.g.cmd = cmd;
	m.g.version = 1;
	if (string) {
		snprintf(m.string, sizeof(m.string), "%s", string);
		m.a.nla_type = attr;
		m.a.nla_len = NLA_HDRLEN + strlen(string) + 1;
		m.h.nlmsg_len += NLA_ALIGN(m.a.nla_len);
	}
	if (send(nl->fd, &m, m.h.nlmsg_len, 0) < 0)
		return 0;
	return nl_receive(nl, attrs);
}

static struct nlattr *nl_find(struct nlattr *a, int len, int type)
{
	while (len >= NLA_HDRLEN) {
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a;
		len -= NLA_ALIGN(a->nla_len);
		a = (void *)a + NLA_ALIGN(a->nla_len);
	}
	return NULL;
}

#define NL_DATA(_a)	((void *)(_a) + NLA_HDRLEN)
#define NL_IN(_a)	NL_DATA(_a), (_a)->nla_len - NLA_HDRLEN

static int nl_resolve(struct nl *nl)
{
	struct nlattr *a, *attrs;
	int len;

	len = nl_ask(nl, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME,
		     BHLAB_FAMILY_NAME, &attrs);
	a = nl_find(attrs, len, CTRL_ATTR_FAMILY_ID);
	if (!len || !a)
		return -1;
	nl->family = *(__u16 *)NL_DATA(a);
	a = nl_find(attrs, len, CTRL_ATTR_MCAST_GROUPS);
	a = a ? nl_find(NL_IN(a), 1) : NULL; /* the first, and only */
	a = a ? nl_find(NL_IN(a), CTRL_ATTR_MCAST_GRP_ID) : NULL;
	if (!a)
		return -1;
	nl->group = *(__u32 *)NL_DATA(a);
	return 0;
}

static int nl_subscribe(struct nl *nl)
{
	return setsockopt(nl->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &nl->group,
			  sizeof(nl->group)) ? -errno : 0;
}

/* Messages that were sent to the group. */
static __s64 nl_sent(struct nl *nl)
{
	struct nlattr *attrs, *a;
	__u64 sent;
	int len;

	len = nl_ask(nl, nl->family, BHLAB_CMD_STATS_GET, 0, NULL, &attrs);
	a = nl_find(attrs, len, BHLAB_A_STATS_MESSAGES);
	if (!len || !a)
		return -1;
	memcpy(&sent, NL_DATA(a), sizeof(sent));
	return sent;
}

/* --- is the monitor on? Once somebody may listen each record asks whether somebody does */

#define TRACING		"/sys/kernel/tracing/"

static int trace_put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_APPEND | O_CLOEXEC);
	int ret = fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;

	close(fd);
	return ret;
}

/* How many times, since it is watched; less than 0: that cannot be watched. */
static int times_asked(void)
{
	FILE *f = fopen(TRACING "kprobe_profile", "re");
	int times, asked = -1;
	char name[64];

	while (f && fscanf(f, "%63s %d %*d", name, &times) == 2)
		if (!strcmp(name, "bhlab_asks"))
			asked = times;
	if (f)
		fclose(f);
	return asked;
}

static void watch(bool on)
{
	if (!on)
		trace_put(TRACING "events/kprobes/bhlab_asks/enable", "0");
	trace_put(TRACING "kprobe_events",
		  on ? "p:bhlab_asks bhlab:bhlab_monitor_looks" : "-:bhlab_asks");
	if (on)
		trace_put(TRACING "events/kprobes/bhlab_asks/enable", "1");
}

/* Something happens in a lab. */
static void work_in_lab(struct __test_metadata *_metadata)
{
	int fd = bh_open(0), id = bh_add(fd, BHLAB_MECH_WORK, "w");

	EXPECT_LT(0, id);
	for (int i = 1; i <= 10; i++) {
		EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(fd, QUEUE, id));
		EXPECT_EQ(0, bh_wait_runs(fd, id, i));
		bh_sleep(20 * BH_MS);
	}
	close(fd);
}

/*
 * Root of a user namespace hears nothing, and so nothing is done for him. Whether he
 * has turned the monitor on shows only if nobody else has before, in all the time
 * that the module is loaded: so this comes first.
 */
TEST(stranger_does_not_turn_the_monitor_on)
{
	struct nl nl = { .fd = -1 };
	int ready[2], before, after;
	__s64 sent;
	pid_t pid;
	char byte;

	if (access("/proc/self/ns/user", F_OK))
		SKIP(return, "needs user namespaces");
	ASSERT_EQ(0, nl_open(&nl));
	ASSERT_EQ(0, nl_resolve(&nl));
	ASSERT_EQ(0, pipe(ready));
	watch(true);
	work_in_lab(_metadata);
	before = times_asked();
	pid = fork();
	if (!pid) {
		close(nl.fd);
		byte = '0' + (be_member() || unshare(CLONE_NEWUSER | CLONE_NEWNET) ||
			      nl_open(&nl) || nl_subscribe(&nl));
		if (write(ready[1], &byte, 1) == 1)
			pause();
		_exit(0);
	}
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	EXPECT_EQ('0', byte);
	sent = nl_sent(&nl);
	EXPECT_LE(0, sent);
	work_in_lab(_metadata);
	EXPECT_EQ(sent, nl_sent(&nl));
	after = times_asked();
	watch(false);
	TH_LOG("asked %d times before and %d after", before, after);
	if (!before) {
		EXPECT_EQ(0, after);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* The monitor of an administrator sees what the lab's own reader does not. */
TEST(monitor_sees_all)
{
	struct nl nl = { .fd = -1 };
	struct bhlab_event e;
	struct seen s = {};
	struct nlattr *a;
	pid_t secret, pid;
	int len, status;

	if (!bh_has_cpu1())
		SKIP(return, "needs two CPUs");
	ASSERT_EQ(0, nl_open(&nl));
	ASSERT_EQ(0, nl_resolve(&nl));
	ASSERT_EQ(0, nl_subscribe(&nl));
	secret = spinner(SECRET, 0);
	pid = fork();
	if (!pid) {
		int fd;

		if (be_member())
			_exit(1);
		fd = bh_open(O_NONBLOCK);
		_exit(fd < 0 || look(fd, &s, SECRET, secret) || s.secret || !s.hidden);
	}
	while ((len = nl_receive(&nl, &a)) > 0) {
		for (; (a = nl_find(a, len, BHLAB_A_EVENTS_EVENT));
		     a = (void *)a + NLA_ALIGN(a->nla_len)) {
			len = nl.buf + ((struct nlmsghdr *)nl.buf)->nlmsg_len - (char *)a;
			memcpy(&e, NL_DATA(a), sizeof(e));
			count(&s, &e, SECRET, secret);
			len -= NLA_ALIGN(a->nla_len);
		}
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	LOG_SEEN(&s);
	EXPECT_LT(0, s.wanted);
	EXPECT_EQ(0, s.hidden);
	close(nl.fd);
}

/* --- waits that go on */

static void stop_and_continue(pid_t pid, int times)
{
	siginfo_t info;

	while (times--) {
		bh_sleep(20 * BH_MS);
		kill(pid, SIGSTOP);
		/* On a busy host it may have ended by now; the test asks how. */
		waitid(P_PID, pid, &info, WSTOPPED | WEXITED | WNOWAIT);
		kill(pid, SIGCONT);
	}
}

TEST(stopped_wait_goes_on)
{
	int fd = bh_open(0), id, status;
	pid_t pid;

	ASSERT_LE(0, fd);
	id = bh_add(fd, BHLAB_MECH_WORK, "w");
	pid = fork();
	if (!pid) {
		__u64 begin = bh_now();

		if (bh_wait(fd, 0, BHLAB_COND_RECORDED, 77, BH_S) != -ETIMEDOUT ||
		    bh_wait(fd, id, BHLAB_COND_RUNNING, 0, BH_S) != -ETIMEDOUT)
			_exit(1);
		_exit(bh_now() - begin < 2 * BH_S ? 2 : 0);
	}
	stop_and_continue(pid, 80);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(fd);
}

TEST(stopped_read_goes_on)
{
	int fd = bh_open(0), id, status;
	struct bhlab_event e;
	pid_t pid;

	ASSERT_LE(0, fd);
	id = bh_add(fd, BHLAB_MECH_WORK, "w");
	pid = fork();
	if (!pid)
		_exit(bh_read(fd, &e, 1) != 1);
	stop_and_continue(pid, 10);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(fd, QUEUE, id));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(fd);
}

TEST(interrupted_wait_tells_the_rest)
{
	struct bhlab_wait w = {
		.size = sizeof(w),
		.condition = BHLAB_COND_RECORDED,
		.value = 77,
		.timeout_ns = BH_PATIENCE,
	};
	int fd = bh_open(0);

	ASSERT_LE(0, fd);
	start_alarm(0);
	EXPECT_EQ(-EINTR, bh_call(fd, BHLAB_IOC_WAIT, &w));
	stop_alarm();
	EXPECT_GT(BH_PATIENCE, w.timeout_ns);
	EXPECT_LT(0, w.timeout_ns);
	w.id = bh_add(fd, BHLAB_MECH_WORK, "w");
	w.condition = BHLAB_COND_RUNS;
	w.value = 1;
	w.timeout_ns = BH_PATIENCE;
	start_alarm(0);
	EXPECT_EQ(-EINTR, bh_call(fd, BHLAB_IOC_WAIT, &w));
	stop_alarm();
	EXPECT_GT(BH_PATIENCE, w.timeout_ns);
	EXPECT_LT(0, w.timeout_ns);
	/* other ends leave it as it was */
	w.timeout_ns = BH_MS;
	EXPECT_EQ(-ETIMEDOUT, bh_call(fd, BHLAB_IOC_WAIT, &w));
	EXPECT_EQ(BH_MS, w.timeout_ns);
	close(fd);
}

/* --- who is in nobody's way */

static void *read_into(void *arg)
{
	void **args = arg;

	bh_read(*(int *)args[0], args[1], 1);
	return NULL;
}

static void *ask_ring(void *arg)
{
	struct bhlab_ring_setup r;
	int *args = arg;

	args[1] = bh_ring(args[0], &r);
	return NULL;
}

/* A reader can be in a page fault for as long as it likes. */
TEST(ring_does_not_wait_for_a_reader)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	int fd = bh_open(0), asked[2];
	struct timespec until;
	pthread_t reader, asker;
	struct uffd_msg msg;
	void *args[2];

	ASSERT_LE(0, fd);
	if (uffd < 0)
		SKIP(return, "needs userfaultfd");
	ASSERT_EQ(0, ioctl(uffd, UFFDIO_API, &api));
	args[0] = &fd;
	args[1] = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (uintptr_t)args[1];
	reg.range.len = 4096;
	ASSERT_EQ(0, ioctl(uffd, UFFDIO_REGISTER, &reg));
	EXPECT_EQ(1, bh_add(fd, BHLAB_MECH_WORK, "w"));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(fd, QUEUE, 1));
	EXPECT_EQ(0, bh_wait_runs(fd, 1, 1));
	ASSERT_EQ(0, pthread_create(&reader, NULL, read_into, args));
	ASSERT_EQ(sizeof(msg), read(uffd, &msg, sizeof(msg)));
	asked[0] = fd;
	ASSERT_EQ(0, pthread_create(&asker, NULL, ask_ring, asked));
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 10;
	EXPECT_EQ(0, pthread_timedjoin_np(asker, NULL, &until));
	EXPECT_EQ(0, asked[1]);
	close(uffd);	/* the fault ends */
	pthread_join(reader, NULL);
	close(fd);
}

struct waiter {
	int fd;
	int id;
	int runs;
	__u64 woken;
};

static void *wait_for_run(void *arg)
{
	struct waiter *w = arg;

	bh_wait(w->fd, w->id, BHLAB_COND_RUNS, w->runs, BH_PATIENCE);
	w->woken = bh_now();
	return NULL;
}

/* A timer that interrupts CPU 1, and starts itself again there. */
static int add_ticks(int fd)
{
	const struct bhlab_step step = BH_STEP(DELAY, .target = 1, .arg = 200 * BH_US);
	struct bhlab_item_create c;

	bh_fill(&c, BHLAB_MECH_HRTIMER, "ticks");
	bh_steps(&c, &step, 1);
	c.flags = BHLAB_ITEM_HARD | BHLAB_ITEM_PINNED;
	return bh_create(fd, &c);
}

/* What wakes must not depend on the CPU that it happens on. */
TEST(woken_while_a_cpu_goes)
{
	struct waiter w = { .fd = bh_open(0) };
	pthread_t thread;
	__u64 queued;

	if (!bh_has_cpu1() || access("/sys/devices/system/cpu/cpu1/online", W_OK))
		SKIP(return, "needs a CPU that can go");
	ASSERT_LE(0, w.fd);
	ASSERT_EQ(1, add_ticks(w.fd));
	w.id = bh_add(w.fd, BHLAB_MECH_WORK, "w");
	for (w.runs = 1; w.runs <= 3; w.runs++) {
		ASSERT_EQ(0, pthread_create(&thread, NULL, wait_for_run, &w));
		EXPECT_EQ(BHLAB_RESULT_QUEUED,
			  bh_act(w.fd, DELAY, 1, .flags = BHLAB_ACT_CPU, .cpu = 1,
				 .ns = BH_MS));
		bh_sleep(50 * BH_MS);
		EXPECT_EQ(0, bh_cpu1(false));
		queued = bh_now();
		EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(w.fd, QUEUE, w.id));
		pthread_join(thread, NULL);
		EXPECT_GT(BH_PATIENCE / 2, w.woken - queued);
		EXPECT_EQ(0, bh_cpu1(true));
		do
			bh_act(w.fd, CANCEL, 1, .flags = BHLAB_ACT_SYNC);
		while (bh_wait(w.fd, 1, BHLAB_COND_IDLE, 0, 10 * BH_MS));
	}
	close(w.fd);
}

TEST_HARNESS_MAIN
