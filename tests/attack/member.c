// SPDX-License-Identifier: GPL-2.0-only
/*
 * The member: a user without capabilities, in a session of his own, with one
 * process on each CPU, which share the labs among them.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"

#define MEMBER		"alice"
/* kB; below, the machine is lost, and that is known. */
#define SCARCE		(100 * 1024)
#define BARRIER_NS	(5 * SECOND)

int call(int fd, unsigned long cmd, void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

/* Whether there is time, and memory, to prepare more. */
bool go_on(struct member *m)
{
	if (now() > m->until)
		return false;
	/* Reading that takes longer than making an object. */
	if (m->turn % 16 && !m->shared->scarce)
		return true;
	if (meminfo("MemAvailable") > SCARCE)
		return true;
	m->shared->scarce = true;
	return false;
}

static void name(struct member *m, char *to)
{
	snprintf(to, BHLAB_NAME_LEN, "m%u_%u", m->cpu, m->turn++);
}

int add_queue(struct member *m, int lab, uint32_t flags, uint32_t max_active)
{
	struct bhlab_queue_create c = {
		.size = sizeof(c), .flags = flags, .max_active = max_active,
	};
	int ret;

	name(m, c.name);
	ret = call(lab, BHLAB_IOC_QUEUE_CREATE, &c);
	if (ret)
		m->shared->refused = -ret;
	return ret ?: (int)c.out_id;
}

int add_lock(struct member *m, int lab, uint32_t kind, uint32_t context)
{
	struct bhlab_lock_create c = { .size = sizeof(c), .kind = kind, .context = context };
	int ret;

	name(m, c.name);
	ret = call(lab, BHLAB_IOC_LOCK_CREATE, &c);
	return ret ?: (int)c.out_id;
}

void fill(struct member *m, struct bhlab_item_create *c, uint32_t mech)
{
	*c = (struct bhlab_item_create){ .size = sizeof(*c), .mech = mech };
}

static void remember(struct member *m, int lab, const struct bhlab_item_create *c)
{
	if (m->nr_targets == m->max_targets) {
		m->max_targets = 2 * m->max_targets + 1024;
		m->targets = realloc(m->targets, m->max_targets * sizeof(*m->targets));
		if (!m->targets)
			_exit(71);
	}
	m->targets[m->nr_targets++] = (struct target){
		.lab = lab, .id = c->out_id, .mech = c->mech,
		.cpu = (m->cpu + m->nr_targets) % cpus(),
	};
}

/* The new item's id; it is one of the targets. */
int add(struct member *m, int lab, struct bhlab_item_create *c)
{
	int ret;

	name(m, c->name);
	ret = call(lab, BHLAB_IOC_ITEM_CREATE, c);
	if (ret) {
		m->shared->refused = -ret;
		return ret;
	}
	remember(m, lab, c);
	__atomic_fetch_add(&m->shared->objects, 1, __ATOMIC_RELAXED);
	return c->out_id;
}

int act(int lab, uint32_t nr, struct bhlab_act *a)
{
	int ret = call(lab, _IO(BHLAB_IOC_MAGIC, nr), a);

	return ret ?: (int)a->out_result;
}

int destroy(int lab, uint32_t id)
{
	struct bhlab_destroy d = { .size = sizeof(d), .id = id };

	return call(lab, BHLAB_IOC_DESTROY, &d);
}

/* Work in turn on each CPU, all else on the one of this process. */
int start_one(const struct target *t)
{
	if (t->mech == BHLAB_MECH_IRQ)
		return ACT(t->lab, TRIGGER, t->id, .count = 1);
	if (t->mech == BHLAB_MECH_WORK)
		return ACT(t->lab, QUEUE, t->id, .flags = BHLAB_ACT_CPU, .cpu = t->cpu);
	return ACT(t->lab, QUEUE, t->id);
}

void start_all(struct member *m)
{
	for (int i = 0; i < m->nr_targets; i++)
		start_one(&m->targets[i]);
}

static uint32_t verb_of(uint32_t nr, const struct target *t)
{
	return nr == BHLAB_NR_QUEUE && t->mech == BHLAB_MECH_IRQ ? BHLAB_NR_TRIGGER : nr;
}

/*
 * One verb of all targets, in as few calls as can be. DELAY is to end at the
 * time @at, of all at once.
 */
void batch_all(struct member *m, uint32_t nr, uint64_t at)
{
	static __thread struct bhlab_batch_entry entries[BHLAB_BATCH_MAX];
	int i = 0;

	while (i < m->nr_targets) {
		int lab = m->targets[i].lab;
		uint64_t since = now();
		struct bhlab_batch b = {
			.size = sizeof(b), .flags = BHLAB_BATCH_ON,
			.entries = (uintptr_t)entries,
		};

		for (; i < m->nr_targets && m->targets[i].lab == lab &&
		       b.count < BHLAB_BATCH_MAX; i++) {
			const struct target *t = &m->targets[i];
			uint32_t verb = verb_of(nr, t);

			entries[b.count++] = (struct bhlab_batch_entry){
				.nr = verb,
				.act = {
					.size = sizeof(struct bhlab_act), .id = t->id,
					.count = verb == BHLAB_NR_TRIGGER,
					.ns = at > since ? at - since : 0,
				},
			};
		}
		call(lab, BHLAB_IOC_BATCH, &b);
		__atomic_fetch_add(&m->shared->calls, b.out_done, __ATOMIC_RELAXED);
	}
}

/* --- its processes --- */

static void become_member(void)
{
	struct rlimit files = { 65536, 65536 };
	const struct passwd *pw = getpwnam(MEMBER);
	FILE *oom = fopen("/proc/self/oom_score_adj", "w");

	if (oom) {
		fputs("500", oom);
		fclose(oom);
	}
	setrlimit(RLIMIT_NOFILE, &files);
	if (!pw || initgroups(pw->pw_name, pw->pw_gid) || setgid(pw->pw_gid) ||
	    setuid(pw->pw_uid)) {
		perror("attack: " MEMBER);
		_exit(70);
	}
}

static int open_labs(int *labs, unsigned int max)
{
	int nr = 0;

	while (nr < (int)max) {
		labs[nr] = open(DEVICE, O_RDWR | O_CLOEXEC);
		if (labs[nr] < 0)
			break;
		nr++;
	}
	return nr;
}

static void *looping(void *arg)
{
	void **args = arg;
	struct member *m = args[0];
	const struct attack *a = args[1];

	for (;;)
		a->loop(m, (uintptr_t)args[2]);
	return NULL;
}

static void start_loops(struct member *m, const struct attack *a)
{
	pthread_attr_t attr;
	pthread_t thread;
	void **args;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 512 * 1024);
	for (uintptr_t i = 0; a->loop && i < a->threads; i++) {
		args = calloc(3, sizeof(*args));
		args[0] = m;
		args[1] = (void *)a;
		args[2] = (void *)i;
		if (pthread_create(&thread, &attr, looping, args))
			break;
	}
}

/* Until all processes have come here, or it takes too long. */
static void meet(unsigned int *counter)
{
	uint64_t end = now() + BARRIER_NS;

	__atomic_fetch_add(counter, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(counter, __ATOMIC_SEQ_CST) < cpus() && now() < end)
		nap(5 * MS);
}

static void member_run(struct member *m, const struct attack *a)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	m->shared->pids[m->cpu] = getpid();
	pin(m->cpu);
	if (a->prepare)
		a->prepare(m);
	meet(&m->shared->prepared);
	if (a->start)
		a->start(m);
	start_loops(m, a);
	__atomic_fetch_add(&m->shared->started, 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
}

/* Each process takes a part of the labs; the others' it has open, too. */
static void member_main(const struct attack *a, struct shared *shared, unsigned int max_labs,
			uint64_t prepare_ns)
{
	static struct member m;
	static int labs[1024];
	int nr;

	setsid();
	become_member();
	if (a->labs && a->labs < max_labs)
		max_labs = a->labs;
	nr = open_labs(labs, max_labs < ARRAY_SIZE(labs) ? max_labs : ARRAY_SIZE(labs));
	shared->labs = nr;
	m.shared = shared;
	m.info.size = sizeof(m.info);
	if (!nr || call(labs[0], BHLAB_IOC_INFO, &m.info))
		_exit(72);
	m.until = now() + prepare_ns;
	while (m.cpu + 1 < cpus() && fork())
		m.cpu++;
	for (int i = m.cpu; i < nr; i += cpus())
		m.labs[m.nr_labs++] = labs[i];
	member_run(&m, a);
}

pid_t member_start(const struct attack *a, struct shared *shared, unsigned int max_labs,
		   uint64_t prepare_ns)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;
	member_main(a, shared, max_labs, prepare_ns);
	_exit(0);
}

/* All of them; what they leave to the kernel may take longer. */
void member_kill(pid_t pid)
{
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
}
