// SPDX-License-Identifier: GPL-2.0-only
/*
 * What root does meanwhile, and how long it takes. All of it at nice 0; only who
 * looks at it, and ends the attack, has a real-time priority.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pty.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "attack.h"

#define SLEEP_NS	(10 * MS)
#define SAMPLES		(1U << 15)
#define PATIENCE	(20 * SECOND)
/* How often the supervisor looks at memory and tasks. */
#define LOOK_NS		(100 * MS)

/*
 * What is done again and again by a thread of its own. What has begun and is
 * not done counts with the time that it has taken so far.
 */
struct probe {
	const char *name;
	int (*once)(struct probe *p);
	uint64_t pause;
	uint64_t expected;
	uint64_t begun;
	unsigned int nr;
	unsigned int failed;
	char why[80];
	unsigned int cpu;
	bool absent;
	pthread_t thread;
	int terminal[2];
	uint64_t samples[SAMPLES];
};

/* A loop that takes whatever it gets of a CPU. */
struct spinner {
	pthread_t thread;
	unsigned int cpu;
	uint64_t turns __attribute__((aligned(64)));
	uint64_t quickest;
};

/* So many turns in a row, to know how fast they are when nobody interrupts them. */
#define TURNS	(1U << 16)

static struct spinner spinners[MAX_CPUS];

uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

void nap(uint64_t ns)
{
	struct timespec ts = { .tv_sec = ns / SECOND, .tv_nsec = ns % SECOND };

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, &ts) == EINTR)
		;
}

void pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

unsigned int cpus(void)
{
	unsigned int nr = get_nprocs();

	return nr < MAX_CPUS ? nr : MAX_CPUS;
}

/* A line of /proc/meminfo, in kB. */
uint64_t meminfo(const char *field)
{
	unsigned long long value = 0;
	char text[4096], *line;
	ssize_t len;
	int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);

	len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	line = strstr(text, field);
	if (line)
		sscanf(line + strlen(field), ": %llu", &value);
	return value;
}

/* Of the whole machine, kernel threads among them. */
unsigned int tasks(void)
{
	unsigned int nr = 0;
	char text[128] = "";
	int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0)
		sscanf(text, "%*s %*s %*s %*u/%u", &nr);
	close(fd);
	return nr;
}

static int sleep_once(struct probe *p)
{
	nap(SLEEP_NS);
	return 0;
}

static int fork_once(struct probe *p)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(0);
	return waitpid(pid, &status, 0) == pid && !status ? 0 : -ECHILD;
}

/* A work item on the system's queue and one on a queue of its own. */
int small_lab(const char **what)
{
	struct bhlab_step mark = STEP(MARK, .arg = 1);
	struct bhlab_item_create c = {
		.size = sizeof(c), .mech = BHLAB_MECH_WORK, .name = "work",
		.steps = (uintptr_t)&mark, .nr_steps = 1,
	};
	struct bhlab_queue_create q = {
		.size = sizeof(q), .flags = BHLAB_WQ_UNBOUND, .name = "queue",
	};
	struct bhlab_wait w = {
		.size = sizeof(w), .condition = BHLAB_COND_RUNS, .value = 1,
		.timeout_ns = PATIENCE,
	};
	int fd, ret;

	*what = "open";
	fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*what = "create";
	ret = call(fd, BHLAB_IOC_QUEUE_CREATE, &q);
	for (int i = 0; i < 2 && !ret; i++) {
		*what = "create";
		ret = call(fd, BHLAB_IOC_ITEM_CREATE, &c);
		w.id = c.out_id;
		*what = "queue";
		if (!ret)
			ret = ACT(fd, QUEUE, c.out_id);
		*what = "wait";
		if (ret >= 0)
			ret = call(fd, BHLAB_IOC_WAIT, &w);
		strcpy(c.name, "other");
		c.queue = q.out_id;
	}
	close(fd);
	return ret;
}

static int lab_once(struct probe *p)
{
	const char *what;
	int ret = small_lab(&what);

	if (ret < 0)
		snprintf(p->why, sizeof(p->why), "%s: %s", what, strerror(-ret));
	return ret;
}

static int terminal_open(struct probe *p)
{
	struct termios raw;

	if (openpty(&p->terminal[0], &p->terminal[1], NULL, NULL, NULL))
		return -errno;
	tcgetattr(p->terminal[1], &raw);
	cfmakeraw(&raw);
	return tcsetattr(p->terminal[1], TCSANOW, &raw);
}

/* The kernel hands the byte on by a work item on its unbound queue. */
static int terminal_once(struct probe *p)
{
	char byte = 'x';

	return write(p->terminal[0], &byte, 1) == 1 &&
	       read(p->terminal[1], &byte, 1) == 1 ? 0 : -EIO;
}

static struct probe fork_probe = { .name = "fork", .once = fork_once, .pause = 25 * MS };
static struct probe lab_probe = { .name = "lab", .once = lab_once, .pause = 100 * MS };
static struct probe tty_probe = { .name = "tty", .once = terminal_once, .pause = 25 * MS };
static struct probe sleepers[MAX_CPUS];
static struct probe *const others[] = { &fork_probe, &lab_probe, &tty_probe };

static void *probe_thread(void *arg)
{
	struct probe *p = arg;
	uint64_t begun;
	int ret;

	pin(p->cpu);
	for (;;) {
		begun = now();
		__atomic_store_n(&p->begun, begun, __ATOMIC_RELEASE);
		ret = p->once(p);
		p->samples[p->nr % SAMPLES] = now() - begun;
		__atomic_store_n(&p->begun, 0, __ATOMIC_RELEASE);
		__atomic_store_n(&p->nr, p->nr + 1, __ATOMIC_RELEASE);
		if (ret < 0) {
			if (!*p->why)
				snprintf(p->why, sizeof(p->why), "%s", strerror(-ret));
			p->failed++;
		}
		if (p->pause)
			nap(p->pause);
	}
	return NULL;
}

static void *spinner_thread(void *arg)
{
	struct spinner *s = arg;
	uint64_t begun, took;

	pin(s->cpu);
	for (uint64_t turns = 0;;) {
		begun = now();
		for (unsigned int i = 0; i < TURNS; i++)
			__atomic_store_n(&s->turns, ++turns, __ATOMIC_RELAXED);
		took = now() - begun;
		if (!s->quickest || took < s->quickest)
			__atomic_store_n(&s->quickest, took, __ATOMIC_RELAXED);
	}
	return NULL;
}

static pthread_t start_thread(void *(*fn)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 128 * 1024);
	if (pthread_create(&thread, &attr, fn, arg)) {
		perror("attack: pthread_create");
		exit(70);
	}
	pthread_attr_destroy(&attr);
	return thread;
}

/* From now on there is a loop on each CPU, on the quiet machine, too. */
void probes_start(void)
{
	for (unsigned int i = 0; i < cpus(); i++) {
		sleepers[i] = (struct probe){
			.name = "sleep", .once = sleep_once, .expected = SLEEP_NS,
			.cpu = i,
		};
		sleepers[i].thread = start_thread(probe_thread, &sleepers[i]);
		spinners[i].cpu = i;
		spinners[i].thread = start_thread(spinner_thread, &spinners[i]);
	}
	lab_probe.cpu = cpus() - 1;
	fork_probe.thread = start_thread(probe_thread, &fork_probe);
	lab_probe.thread = start_thread(probe_thread, &lab_probe);
	tty_probe.absent = terminal_open(&tty_probe);
	if (!tty_probe.absent)
		tty_probe.thread = start_thread(probe_thread, &tty_probe);
}

/* --- what came of it --- */

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t quantile(const uint64_t *sorted, unsigned int nr, unsigned int percent)
{
	unsigned int at = (uint64_t)nr * percent / 100;

	return nr ? sorted[at < nr ? at : nr - 1] : 0;
}

static uint64_t late(const struct probe *p, uint64_t took)
{
	return took > p->expected ? took - p->expected : 0;
}

/* Those since the sample @first, and what is under way; into @all. */
static unsigned int collect(const struct probe *p, unsigned int first, uint64_t *all)
{
	unsigned int end = __atomic_load_n(&p->nr, __ATOMIC_ACQUIRE), nr = 0;
	uint64_t begun = __atomic_load_n(&p->begun, __ATOMIC_ACQUIRE), at = now();

	for (; first != end && nr < SAMPLES - 1; first++)
		all[nr++] = late(p, p->samples[first % SAMPLES]);
	/* Not if it would make what is under way seem quick. */
	if (begun && (!nr || late(p, at - begun) > all[nr - 1]))
		all[nr++] = late(p, at - begun);
	return nr;
}

static uint64_t samples[MAX_CPUS * SAMPLES];

struct mark {
	uint64_t at;
	unsigned int sleeps[MAX_CPUS], forks, labs, ttys;
	unsigned int failed;
	uint64_t turns[MAX_CPUS], ran[MAX_CPUS], spent[MAX_CPUS];
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	return clock_gettime(clock, &ts) ? 0 : ts.tv_sec * SECOND + ts.tv_nsec;
}

/* 0 when it is gone. */
static uint64_t process_ns(pid_t pid)
{
	clockid_t clock;

	return pid && !clock_getcpuclockid(pid, &clock) ? clock_ns(clock) : 0;
}

static uint64_t thread_ns(pthread_t thread)
{
	clockid_t clock;

	return thread && !pthread_getcpuclockid(thread, &clock) ? clock_ns(clock) : 0;
}

/* What fork() has made. */
static uint64_t children_ns(void)
{
	struct rusage ru;

	getrusage(RUSAGE_CHILDREN, &ru);
	return (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * SECOND +
	       (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) * 1000;
}

/* Of a CPU: by the member's process there, and by root's probes. */
static uint64_t spent_ns(unsigned int cpu, const struct shared *member)
{
	uint64_t ns = thread_ns(sleepers[cpu].thread);

	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++)
		if (others[i]->cpu == cpu)
			ns += thread_ns(others[i]->thread);
	return ns + (member ? process_ns(member->pids[cpu]) : 0);
}

static void mark(struct mark *k, const struct shared *member)
{
	for (unsigned int i = 0; i < cpus(); i++) {
		k->sleeps[i] = __atomic_load_n(&sleepers[i].nr, __ATOMIC_ACQUIRE);
		k->turns[i] = __atomic_load_n(&spinners[i].turns, __ATOMIC_RELAXED);
		k->ran[i] = thread_ns(spinners[i].thread);
		k->spent[i] = spent_ns(i, member);
	}
	k->spent[fork_probe.cpu] += children_ns();
	k->forks = __atomic_load_n(&fork_probe.nr, __ATOMIC_ACQUIRE);
	k->labs = __atomic_load_n(&lab_probe.nr, __ATOMIC_ACQUIRE);
	k->ttys = __atomic_load_n(&tty_probe.nr, __ATOMIC_ACQUIRE);
	k->failed = fork_probe.failed + lab_probe.failed + tty_probe.failed;
	k->at = now();
}

static void sum_up(const struct probe *p, unsigned int first, uint64_t *p50, uint64_t *max)
{
	unsigned int nr = collect(p, first, samples);

	qsort(samples, nr, sizeof(*samples), compare);
	*p50 = quantile(samples, nr, 50);
	*max = quantile(samples, nr, 100);
}

static void sum_up_sleeps(const struct mark *from, struct measure *m)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < cpus(); i++)
		nr += collect(&sleepers[i], from->sleeps[i], samples + nr);
	qsort(samples, nr, sizeof(*samples), compare);
	m->sleep_p50 = quantile(samples, nr, 50);
	m->sleep_p99 = quantile(samples, nr, 99);
	m->sleep_max = quantile(samples, nr, 100);
}

/*
 * Processes share the CPU as the scheduler has it, the member's own and root's
 * other probes among them. What the driver takes from all of them is what the
 * loop misses in each ns on its CPU (interrupts), and what no process was given
 * (threads of the kernel: on RT these do the work of interrupts).
 */
static void sum_up_spinners(const struct mark *from, const struct mark *to, struct measure *m)
{
	double turns = 0, ran = 0, peak = 0;

	m->left = m->part = 1e30;
	for (unsigned int i = 0; i < cpus(); i++) {
		double all = to->at - from->at, did = to->turns[i] - from->turns[i];
		double has = to->ran[i] - from->ran[i];
		double others = to->spent[i] - from->spent[i];
		double left = has > 0 ? did / has * fmin(has + others, all) / all : 0;

		turns += did;
		ran += has;
		if (spinners[i].quickest)
			peak += (double)TURNS / spinners[i].quickest / cpus();
		m->left = fmin(m->left, left);
		m->part = fmin(m->part, has / fmax(has + others, 1));
	}
	m->pace = ran > 0 ? turns / ran : 0;
	m->host = peak > 0 ? m->pace / peak : 0;
}

void probes_measure(uint64_t ns, const struct shared *member, struct measure *m)
{
	uint64_t end = now() + ns, available;
	struct mark from, to;
	unsigned int nr;

	*m = (struct measure){ .available = UINT64_MAX };
	*fork_probe.why = *lab_probe.why = *tty_probe.why = '\0';
	mark(&from, member);
	do {
		nap(LOOK_NS);
		available = meminfo("MemAvailable");
		if (available < m->available)
			m->available = available;
		nr = tasks();
		if (nr > m->tasks)
			m->tasks = nr;
	} while (now() < end);
	mark(&to, member);
	sum_up_sleeps(&from, m);
	sum_up_spinners(&from, &to, m);
	sum_up(&fork_probe, from.forks, &m->fork_p50, &m->fork_max);
	sum_up(&lab_probe, from.labs, &m->lab_p50, &m->lab_max);
	if (!tty_probe.absent)
		sum_up(&tty_probe, from.ttys, &m->tty_p50, &m->tty_max);
	m->refused = to.failed - from.failed;
	snprintf(m->why, sizeof(m->why), "%s%.25s %s%.25s", *fork_probe.why ? "fork: " : "",
		 fork_probe.why, *lab_probe.why ? "lab: " : "", lab_probe.why);
}
