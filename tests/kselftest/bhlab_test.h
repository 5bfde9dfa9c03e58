/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs share: the ioctls as functions, which return -errno. */
#ifndef BHLAB_TEST_H
#define BHLAB_TEST_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <linux/bhlab.h>

#include "kselftest_harness.h"
#include "bhlab_mechs.h"

#define BH_DEVICE	"/dev/bhlab"
#define BH_US		1000ULL
#define BH_MS		(1000 * BH_US)
#define BH_S		(1000 * BH_MS)
/* A delay that no test lives to see, and a wait that only a broken driver ends. */
#define BH_NEVER	BHLAB_NS_MAX
#define BH_PATIENCE	(10 * BH_S)

#define BH_CLEAR_EUID	65534

static inline int bh_open(int flags)
{
	int fd = open(BH_DEVICE, O_RDWR | O_CLOEXEC | flags);

	return fd < 0 ? -errno : fd;
}

static inline int bh_call(int fd, unsigned long cmd, void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

static inline __u64 bh_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * BH_S + ts.tv_nsec;
}

static inline void bh_sleep(__u64 ns)
{
	struct timespec ts = { .tv_sec = ns / BH_S, .tv_nsec = ns % BH_S };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

/* Without any capability, until bh_privileged(). */
static inline int bh_unprivileged(void)
{
	return seteuid(BH_CLEAR_EUID);
}

static inline int bh_privileged(void)
{
	return seteuid(0);
}

/* Into a field that is all zeros; what does not fit is cut off. */
static inline void bh_name(char name[BHLAB_NAME_LEN], const char *from)
{
	snprintf(name, BHLAB_NAME_LEN, "%s", from);
}

/* Steps of programs. */
/* The newest step. */
#define BH_LAST_OP		BHLAB_OP_DEASSERT

#define BH_STEP(_op, ...)	((struct bhlab_step){ .op = BHLAB_OP_##_op, ##__VA_ARGS__ })
#define BH_SPIN(_ns)		BH_STEP(SPIN, .arg = (_ns))
#define BH_SLEEP(_ns)		BH_STEP(SLEEP, .arg = (_ns))
#define BH_MARK(_value)		BH_STEP(MARK, .arg = (_value))
#define BH_THREAD		BH_STEP(THREAD)

static inline void bh_fill(struct bhlab_item_create *c, __u32 mech,
			   const char *name)
{
	memset(c, 0, sizeof(*c));
	c->size = sizeof(*c);
	c->mech = mech;
	bh_name(c->name, name);
}

static inline void bh_steps(struct bhlab_item_create *c,
			    const struct bhlab_step *steps, __u32 nr)
{
	c->steps = (uintptr_t)steps;
	c->nr_steps = nr;
}

static inline void bh_thread_steps(struct bhlab_item_create *c,
				   const struct bhlab_step *steps, __u32 nr)
{
	c->flags |= BHLAB_ITEM_THREAD;
	c->thread_steps = (uintptr_t)steps;
	c->nr_thread_steps = nr;
}

/* The new item's id. */
static inline int bh_create(int fd, struct bhlab_item_create *c)
{
	int ret = bh_call(fd, BHLAB_IOC_ITEM_CREATE, c);

	return ret ?: (int)c->out_id;
}

static inline int bh_item(int fd, __u32 mech, const char *name,
			  const struct bhlab_step *steps, __u32 nr)
{
	struct bhlab_item_create c;

	bh_fill(&c, mech, name);
	bh_steps(&c, steps, nr);
	return bh_create(fd, &c);
}

/* bh_add(fd, mech, name, step...): the new item's id. */
#define bh_add(_fd, _mech, _name, ...) ({				\
	const struct bhlab_step _steps[] = { __VA_ARGS__ };		\
	bh_item(_fd, _mech, _name, _steps,				\
		sizeof(_steps) / sizeof(struct bhlab_step));		\
})

/* The same, of an item that names a queue. */
#define bh_add_to(_fd, _mech, _queue, _name, ...) ({			\
	const struct bhlab_step _steps[] = { __VA_ARGS__ };		\
	struct bhlab_item_create _c;					\
	bh_fill(&_c, _mech, _name);					\
	bh_steps(&_c, _steps,						\
		 sizeof(_steps) / sizeof(struct bhlab_step));		\
	_c.queue = (_queue);						\
	bh_create(_fd, &_c);						\
})

/* An irq with a top half that wakes a thread, which does the steps. */
#define bh_add_threaded(_fd, _name, ...) ({				\
	const struct bhlab_step _top[] = { BH_THREAD };			\
	const struct bhlab_step _steps[] = { __VA_ARGS__ };		\
	struct bhlab_item_create _c;					\
	bh_fill(&_c, BHLAB_MECH_IRQ, _name);				\
	bh_steps(&_c, _top, 1);						\
	bh_thread_steps(&_c, _steps,					\
			sizeof(_steps) / sizeof(struct bhlab_step));	\
	bh_create(_fd, &_c);						\
})

/* The new queue's, lock's, FIFO's id. */
static inline int bh_queue(int fd, const char *name, __u32 flags)
{
	struct bhlab_queue_create c = { .size = sizeof(c), .flags = flags };
	int ret;

	bh_name(c.name, name);
	ret = bh_call(fd, BHLAB_IOC_QUEUE_CREATE, &c);
	return ret ?: (int)c.out_id;
}

static inline int bh_lock(int fd, const char *name, __u32 kind, __u32 context)
{
	struct bhlab_lock_create c = { .size = sizeof(c), .kind = kind, .context = context };
	int ret;

	bh_name(c.name, name);
	ret = bh_call(fd, BHLAB_IOC_LOCK_CREATE, &c);
	return ret ?: (int)c.out_id;
}

static inline int bh_fifo(int fd, const char *name, __u32 depth)
{
	struct bhlab_fifo_create c = { .size = sizeof(c), .depth = depth };
	int ret;

	bh_name(c.name, name);
	ret = bh_call(fd, BHLAB_IOC_FIFO_CREATE, &c);
	return ret ?: (int)c.out_id;
}

static inline int bh_destroy(int fd, __u32 id)
{
	struct bhlab_destroy d = { .size = sizeof(d), .id = id };

	return bh_call(fd, BHLAB_IOC_DESTROY, &d);
}

static inline int bh_state(int fd, __u32 id, struct bhlab_item_state *st)
{
	memset(st, 0, sizeof(*st));
	st->size = sizeof(*st);
	st->id = id;
	return bh_call(fd, BHLAB_IOC_ITEM_STATE, st);
}

static inline int bh_queue_state(int fd, __u32 id, struct bhlab_queue_state *st)
{
	memset(st, 0, sizeof(*st));
	st->size = sizeof(*st);
	st->id = id;
	return bh_call(fd, BHLAB_IOC_QUEUE_STATE, st);
}

static inline int bh_lock_state(int fd, __u32 id, struct bhlab_lock_state *st)
{
	memset(st, 0, sizeof(*st));
	st->size = sizeof(*st);
	st->id = id;
	return bh_call(fd, BHLAB_IOC_LOCK_STATE, st);
}

static inline int bh_fifo_state(int fd, __u32 id, struct bhlab_fifo_state *st)
{
	memset(st, 0, sizeof(*st));
	st->size = sizeof(*st);
	st->id = id;
	return bh_call(fd, BHLAB_IOC_FIFO_STATE, st);
}

/* A verb with all that it can have; its enum bhlab_result. */
#define bh_act(_fd, _verb, _id, ...) ({					\
	struct bhlab_act _a = {						\
		.size = sizeof(_a), .id = (_id), ##__VA_ARGS__ };	\
	bh_call(_fd, BHLAB_IOC_##_verb, &_a) ?: (int)_a.out_result;	\
})

static inline int bh_wait(int fd, __u32 id, __u32 condition, __u64 value,
			  __u64 timeout_ns)
{
	struct bhlab_wait w = {
		.size = sizeof(w),
		.id = id,
		.condition = condition,
		.value = value,
		.timeout_ns = timeout_ns,
	};

	return bh_call(fd, BHLAB_IOC_WAIT, &w);
}

#define bh_wait_for(_fd, _id, _condition) \
	bh_wait(_fd, _id, BHLAB_COND_##_condition, 0, BH_PATIENCE)

static inline int bh_wait_runs(int fd, __u32 id, __u64 runs)
{
	return bh_wait(fd, id, BHLAB_COND_RUNS, runs, BH_PATIENCE);
}

static inline int bh_lookup(int fd, const char *name, __u32 flags,
			    struct bhlab_lookup *l)
{
	memset(l, 0, sizeof(*l));
	l->size = sizeof(*l);
	l->flags = flags;
	bh_name(l->name, name);
	return bh_call(fd, BHLAB_IOC_LOOKUP, l);
}

/* The number of objects in the lab. */
static inline unsigned int bh_objects(int fd)
{
	struct bhlab_lookup l = { .size = sizeof(l) };
	unsigned int n = 0;

	while (!bh_call(fd, BHLAB_IOC_NEXT, &l))
		n++;
	return n;
}

static inline int bh_info(int fd, struct bhlab_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return bh_call(fd, BHLAB_IOC_INFO, info);
}

static inline int bh_mech(int fd, __u32 mech, struct bhlab_mech_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	info->mech = mech;
	return bh_call(fd, BHLAB_IOC_MECH, info);
}

/* A mechanism that this kernel, or this machine, does not have. */
static inline bool bh_absent(int fd, __u32 mech)
{
	struct bhlab_mech_info info;

	return bh_mech(fd, mech, &info) || !info.out_native;
}

static inline int bh_ring(int fd, struct bhlab_ring_setup *ring)
{
	memset(ring, 0, sizeof(*ring));
	ring->size = sizeof(*ring);
	return bh_call(fd, BHLAB_IOC_RING, ring);
}

static inline int bh_has_verb(int fd, __u32 mech, enum bhlab_verb verb)
{
	struct bhlab_mech_info info;
	int ret = bh_mech(fd, mech, &info);

	return ret ?: !!((info.out_native | info.out_emulated) & (1U << verb));
}

/* What must hold in any state of any item. */
static inline int bh_accounted(const struct bhlab_item_state *st)
{
	return st->out_accepted == st->out_runs + st->out_cancelled + st->out_merged +
				   st->out_lost + st->out_outstanding;
}

/* Records that are there; how many, or -errno. */
static inline int bh_read(int fd, struct bhlab_event *e, size_t nr)
{
	ssize_t ret = read(fd, e, nr * sizeof(*e));

	return ret < 0 ? -errno : (int)(ret / sizeof(*e));
}

/* The next record of that kind and item; the others are dropped. */
static inline int bh_event(int fd, __u32 kind, __u32 item, struct bhlab_event *e)
{
	int ret;

	do {
		ret = bh_read(fd, e, 1);
	} while (ret == 1 && (e->kind != kind || e->item != item));
	return ret;
}

/* Taking CPU 1 away, and bringing it back. */
static inline int bh_cpu1(bool online)
{
	int fd = open("/sys/devices/system/cpu/cpu1/online", O_WRONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, online ? "1" : "0", 1) == 1 ? 0 : -errno;
	close(fd);
	return ret;
}

static inline bool bh_has_cpu1(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN) > 1;
}

/* The caller, and what it starts from now on, stays on that CPU. */
static inline int bh_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

static inline void bh_on_alarm(int sig)
{
}

/* Again and again, since the first may come before the call. */
static inline void start_alarm(int flags)
{
	const struct itimerval t = { { 0, 20000 }, { 0, 20000 } };
	struct sigaction sa = { .sa_handler = bh_on_alarm, .sa_flags = flags };

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &t, NULL);
}

static inline void stop_alarm(void)
{
	const struct itimerval t = {};

	setitimer(ITIMER_REAL, &t, NULL);
}

/* --- the end of a lab, after every test that has one */

static inline __u64 bh_settled(const struct bhlab_item_state *st)
{
	return st->out_runs + st->out_cancelled + st->out_merged + st->out_lost;
}

/*
 * An activation that is lost stays outstanding forever. What has reasons to
 * be: it is disabled, on a delay, a period or a program goes on.
 */
static inline bool bh_at_rest(int fd, __u32 id, struct bhlab_item_state *st)
{
	const __u32 reasons = BHLAB_STATE_DISABLED | BHLAB_STATE_DELAYED | BHLAB_STATE_PERIODIC |
			      BHLAB_STATE_ASSERTED;
	const __u64 end = bh_now() + BH_PATIENCE;
	__u64 before;

	while (!bh_state(fd, id, st) && !(st->out_state & reasons) && bh_now() < end) {
		before = bh_settled(st);
		if (!bh_wait(fd, id, BHLAB_COND_IDLE, 0, 20 * BH_MS))
			return !bh_state(fd, id, st);
		if (!bh_state(fd, id, st) && bh_settled(st) != before)
			break;
	}
	return false;
}

/* Is what the test has left of it accounted for? Returns whether it rests. */
static inline bool bh_check_item(struct __test_metadata *_metadata, int fd,
				 const struct bhlab_lookup *l)
{
	struct bhlab_item_state st;
	__u64 before;
	bool rests;

	if (bh_state(fd, l->id, &st))
		return true;
	before = bh_settled(&st);
	rests = bh_at_rest(fd, l->id, &st);
	EXPECT_TRUE(bh_accounted(&st)) {
		TH_LOG("item %s: accepted %llu runs %llu cancelled %llu merged %llu lost %llu outstanding %llu",
		       l->name, st.out_accepted, st.out_runs, st.out_cancelled, st.out_merged,
		       st.out_lost, st.out_outstanding);
	}
	if (!rests) {
		EXPECT_TRUE(st.out_state != BHLAB_STATE_PENDING || bh_settled(&st) != before) {
			TH_LOG("item %s waits forever", l->name);
		}
		return false;
	}
	EXPECT_EQ(0, st.out_outstanding);
	EXPECT_EQ(0, st.out_state & ~(BHLAB_STATE_DISABLED | BHLAB_STATE_MASKED));
	EXPECT_EQ(st.out_thread_wakes, st.out_thread_runs + st.out_thread_merged);
	return true;
}

/* With nothing at work any more: recorded = read + lost. */
static inline void bh_check_ring(struct __test_metadata *_metadata, int fd)
{
	struct bhlab_event e[64];
	struct bhlab_ring_setup r;

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	while (bh_read(fd, e, ARRAY_SIZE(e)) > 0)
		;
	EXPECT_EQ(0, bh_ring(fd, &r));
	EXPECT_EQ(r.out_recorded, r.out_read + r.out_lost);
}

/*
 * Lines in that file that are this lab's. A worker's own name ends with the last
 * queue that it worked for; what belongs to a queue is its rescuer.
 */
static inline int bh_lines_of(const char *path, __u32 lab)
{
	FILE *f = fopen(path, "re");
	char line[1024], name[32];
	const char *at;
	int n = 0;

	snprintf(name, sizeof(name), "bhlab%u", lab);
	while (f && fgets(line, sizeof(line), f)) {
		at = strstr(line, name);
		n += at && (at[strlen(name)] == '-' || at[strlen(name)] == '/') &&
		     (strncmp(line, "kworker/", 8) || line[8] == 'R');
	}
	if (f)
		fclose(f);
	return n;
}

/* Lines of interrupts and threads of the kernel that this lab has. */
static inline int bh_remains(__u32 lab)
{
	int n = bh_lines_of("/proc/interrupts", lab);
	DIR *proc = opendir("/proc");
	char path[300];
	struct dirent *d;

	while (proc && (d = readdir(proc))) {
		if (d->d_name[0] < '1' || d->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", d->d_name);
		n += bh_lines_of(path, lab);
	}
	if (proc)
		closedir(proc);
	return n;
}

/*
 * Checks that all is accounted for that a test has done in a lab, closes it, and
 * looks whether anything is left. The fixtures' last line; what the test has
 * closed itself is not looked at.
 */
static inline void bh_end(struct __test_metadata *_metadata, int fd)
{
	struct bhlab_lookup l = { .size = sizeof(l) };
	__u64 end = bh_now() + BH_PATIENCE;
	bool visible = false, rests = true;
	struct bhlab_info info;

	if (bh_info(fd, &info))
		return;
	while (!bh_call(fd, BHLAB_IOC_NEXT, &l)) {
		if (l.out_kind == BHLAB_KIND_ITEM)
			rests &= bh_check_item(_metadata, fd, &l);
		visible = true;
	}
	if (visible && rests)
		bh_check_ring(_metadata, fd);
	close(fd);
	if (!visible)
		return;
	/* a thread that has ended is seen for a moment longer */
	while (bh_remains(info.out_lab) && bh_now() < end)
		bh_sleep(BH_MS);
	EXPECT_EQ(0, bh_remains(info.out_lab));
}

#endif /* BHLAB_TEST_H */
