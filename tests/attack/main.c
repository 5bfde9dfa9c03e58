// SPDX-License-Identifier: GPL-2.0-only
/*
 * attack [--seconds N] [--tries N] [--labs N] [--documented FILE] [NAME...]: what a
 * hostile member, with at most so many labs, leaves to root, as TAP. --list: the
 * attacks; --factors: what is asked for, which FILE must tell just so.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"

/*
 * What may become of a time: so many times the one of the quiet machine, and so
 * much more. On a slow kernel that is more, too.
 */
struct bound {
	const char *what;
	const char *unit;
	double factor;
	uint64_t slack;
};

enum {
	SLEEP_P50, SLEEP_P99, SLEEP_MAX, FORK_P50, FORK_MAX, LAB_P50, LAB_MAX, TTY_P50, TTY_MAX,
	NR_BOUNDS
};

static const struct bound bounds[NR_BOUNDS] = {
	[SLEEP_P50] = { "a sleep of 10 ms ends late: median", "ms", 4, 30 * MS },
	[SLEEP_P99] = { "a sleep of 10 ms ends late: 99 of 100", "ms", 4, 60 * MS },
	[SLEEP_MAX] = { "a sleep of 10 ms ends late: the worst", "ms", 4, 500 * MS },
	[FORK_P50] = { "`fork()` and `waitpid()`: median", "ms", 4, 50 * MS },
	[FORK_MAX] = { "`fork()` and `waitpid()`: the worst", "ms", 4, 1000 * MS },
	[LAB_P50] = { "a lab of root's with two work items, from open to close: median",
		      "ms", 4, 200 * MS },
	[LAB_MAX] = { "a lab of root's: the worst", "ms", 4, 2000 * MS },
	[TTY_P50] = { "a byte through a terminal: median", "ms", 4, 50 * MS },
	[TTY_MAX] = { "a byte through a terminal: the worst", "ms", 4, 1000 * MS },
};

/*
 * Percent of the pace of the quiet machine, on the CPU where it is least. The rest
 * is taken by so much in each second, whatever the host leaves of it: where that
 * is half of a CPU, the rest is twice as much of it. That there is something left
 * to root is always asked for. Nobody has ever measured all of a CPU: what is
 * above HOST_WHOLE percent counts as that.
 */
#define LEFT_LEAST	60
#define LEFT_ALWAYS	8
#define HOST_WHOLE	90
/* Percent of what processes get that a loop of nice 0 gets beside the member's. */
#define PART_LEAST	8
/* Percent of all memory that the member may have taken. */
#define MEMORY_MOST	12
/* His processes' among them. */
#define TASKS_MOST	400
/* For the end: until nothing is left, but for so many kB. */
#define FREE_NS		(5 * SECOND)
#define FREE_KB		(64 * 1024)

#define QUIET_NS	(700 * MS)
/* The limits end it long before, if they hold and the host is not very busy. */
#define PREPARE_NS	(8 * SECOND)
#define START_NS	(3 * SECOND)

static uint64_t seconds = 2, slowness = 1;
static unsigned int tries = 3, max_labs = 1024;
static unsigned int tests, failures;
/* An attack that does not end leaves nothing to measure for the next. */
static bool lost;
/* The driver's own thread is there without any lab. */
static unsigned int own_threads;

static uint64_t measured(const struct measure *m, int bound)
{
	const uint64_t all[NR_BOUNDS] = {
		[SLEEP_P50] = m->sleep_p50, [SLEEP_P99] = m->sleep_p99,
		[SLEEP_MAX] = m->sleep_max, [FORK_P50] = m->fork_p50,
		[FORK_MAX] = m->fork_max, [LAB_P50] = m->lab_p50,
		[LAB_MAX] = m->lab_max, [TTY_P50] = m->tty_p50, [TTY_MAX] = m->tty_max,
	};

	return all[bound];
}

/* The reasons why a try was none, one a line. */
struct verdict {
	unsigned int bad;
	char why[2048];
};

static void __attribute__((format(printf, 2, 3))) bad(struct verdict *v, const char *format, ...)
{
	size_t len = strlen(v->why);
	va_list args;

	va_start(args, format);
	len += snprintf(v->why + len, sizeof(v->why) - len, "#   ");
	len += vsnprintf(v->why + len, sizeof(v->why) - len, format, args);
	snprintf(v->why + len, sizeof(v->why) - len, "\n");
	va_end(args);
	v->bad++;
}

static double ms(uint64_t ns)
{
	return (double)ns / MS;
}

/* What the host leaves to this machine, 0 to 1, as far as can be known. */
static double host(const struct measure *before, const struct measure *after)
{
	double least = before->host < after->host ? before->host : after->host;

	least = least * 100 / HOST_WHOLE;
	return least > 1 ? 1 : least < 0.1 ? 0.1 : least;
}

/* Against the quiet machine before and after: what is worse of these counts. */
static uint64_t limit(int i, const struct measure *before, const struct measure *after)
{
	uint64_t a = measured(before, i), b = measured(after, i);

	return bounds[i].factor * (a > b ? a : b) +
	       bounds[i].slack * slowness / host(before, after);
}

static double left_least(const struct measure *before, const struct measure *after)
{
	double least = 100 - (100 - LEFT_LEAST) / host(before, after);

	return least < LEFT_ALWAYS ? LEFT_ALWAYS : least;
}

static double percent(double left, const struct measure *before, const struct measure *after)
{
	double quiet = before->pace < after->pace ? before->pace : after->pace;

	return quiet > 0 ? left * 100 / quiet : 0;
}

static void judge(struct verdict *v, const struct measure *before, const struct measure *during,
		  const struct measure *after, const struct shared *member)
{
	double left = percent(during->left, before, after);
	uint64_t total = meminfo("MemTotal");

	for (int i = 0; i < NR_BOUNDS; i++)
		if (measured(during, i) > limit(i, before, after))
			bad(v, "%s: %.1f ms, allowed are %.1f", bounds[i].what,
			    ms(measured(during, i)), ms(limit(i, before, after)));
	if (left < left_least(before, after))
		bad(v, "processes get %.0f %% of a CPU, not %.0f", left,
		    left_least(before, after));
	if (during->part * 100 < PART_LEAST)
		bad(v, "a loop of nice 0 gets %.0f %% of what processes get, not %d",
		    100 * during->part, PART_LEAST);
	if (during->refused)
		bad(v, "refused %u times: %s", during->refused, during->why);
	if (during->available + total * MEMORY_MOST / 100 < before->available)
		bad(v, "%llu MiB of memory are taken, of %llu",
		    (unsigned long long)(before->available - during->available) / 1024,
		    (unsigned long long)total / 1024);
	if (!member->objects)
		bad(v, "it made no object: that is no attack");
	if (member->scarce)
		bad(v, "it ended before all memory was taken");
	if (during->tasks > before->tasks + TASKS_MOST)
		bad(v, "%u threads", during->tasks - before->tasks);
}

static void tell(const struct attack *a, const struct measure *before,
		 const struct measure *m, const struct measure *after, const struct shared *member)
{
	printf("# %s: late %.1f %.1f %.1f (quiet %.1f %.1f %.1f), "
	       "processes %.0f %% (the loop %.0f %% of it, quiet %.0f %%, host %.0f %%), "
	       "fork %.1f %.1f, lab %.1f %.1f, tty %.1f %.1f ms, %lld MiB, %+d tasks, "
	       "%u labs, %llu objects (then %s), %llu calls\n",
	       a->name, ms(m->sleep_p50), ms(m->sleep_p99), ms(m->sleep_max),
	       ms(before->sleep_p50), ms(before->sleep_p99), ms(before->sleep_max),
	       percent(m->left, before, after), 100 * m->part, percent(before->left, before, after),
	       100 * host(before, after),
	       ms(m->fork_p50),
	       ms(m->fork_max), ms(m->lab_p50), ms(m->lab_max), ms(m->tty_p50), ms(m->tty_max),
	       ((long long)before->available - (long long)m->available) / 1024,
	       (int)(m->tasks - before->tasks), member->labs,
	       (unsigned long long)member->objects,
	       member->refused ? strerrorname_np(member->refused) : "no more",
	       (unsigned long long)member->calls);
}

/* --- the end --- */

static unsigned int references(void)
{
	unsigned int nr = 0;
	FILE *f = fopen("/sys/module/bhlab/refcnt", "r");

	if (!f || fscanf(f, "%u", &nr) != 1)
		nr = 0;
	if (f)
		fclose(f);
	return nr;
}

/*
 * Threads of the kernel that carry the name; workers keep the one of the queue on
 * which they were last, but rescuers are somebody's.
 */
static unsigned int threads_left(void)
{
	char path[300], comm[64];
	struct dirent *d;
	unsigned int nr = 0;
	DIR *dir = opendir("/proc");
	FILE *f;

	while (dir && (d = readdir(dir))) {
		if (*d->d_name < '1' || *d->d_name > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", d->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		if (fgets(comm, sizeof(comm), f) && strstr(comm, "bhlab") &&
		    (strncmp(comm, "kworker/", 8) || !strncmp(comm, "kworker/R-", 10)))
			nr++;
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return nr;
}

static bool reaped(pid_t group)
{
	pid_t pid;

	do {
		pid = waitpid(-group, NULL, WNOHANG);
	} while (pid > 0);
	return pid < 0 && errno == ECHILD;
}

/* Root's own lab comes and goes: there are moments without it. */
static uint64_t wait_free(struct verdict *v, pid_t group, const struct measure *before)
{
	uint64_t begun = now(), memory = 0, available = before->available;
	uint64_t end = begun + FREE_NS * slowness / host(before, before);
	bool dead = false, closed = false, quiet = false;

	while (now() < end) {
		dead = dead || reaped(group);
		closed = closed || (dead && !references());
		if (closed)
			quiet = quiet || threads_left() <= own_threads;
		if (quiet) {
			memory = meminfo("MemAvailable");
			if (memory + FREE_KB > available)
				return now() - begun;
		}
		nap(5 * MS);
	}
	if (!dead)
		bad(v, "its processes have not ended");
	else if (!closed)
		bad(v, "%u labs are not closed", references());
	else if (!quiet)
		bad(v, "%u threads are left", threads_left() - own_threads);
	else
		bad(v, "%llu MiB of memory are not back",
		    (unsigned long long)(available - memory) / 1024);
	/* The next attack is to have a machine of its own. */
	for (end = now() + 60 * SECOND; now() < end; nap(20 * MS))
		if (reaped(group) && !references())
			return now() - begun;
	lost = true;
	return now() - begun;
}

/* --- one attack --- */

static void result(const struct attack *a, const char *what, const struct verdict *v)
{
	if (v->bad)
		fputs(v->why, stdout);
	printf("%sok %u - %s: %s\n", v->bad ? "not " : "", ++tests, a->name, what);
	failures += v->bad > 0;
	fflush(stdout);
}

static void wait_started(const struct shared *shared)
{
	uint64_t end = now() + (PREPARE_NS + START_NS) * slowness;

	while (__atomic_load_n(&shared->started, __ATOMIC_SEQ_CST) < cpus() && now() < end)
		nap(10 * MS);
}

/* One try; what was measured last is the quiet machine before the next. */
static void try_attack(const struct attack *a, struct measure *quiet, struct verdict *stays,
		       struct verdict *frees)
{
	struct measure before = *quiet, during, after;
	struct shared *shared;
	uint64_t took;
	pid_t pid;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED) {
		perror("attack: mmap");
		exit(70);
	}
	pid = member_start(a, shared, max_labs, PREPARE_NS * slowness);
	wait_started(shared);
	probes_measure(seconds * SECOND, shared, &during);
	if (waitpid(pid, NULL, WNOHANG))
		bad(stays, "the member has ended by itself");
	member_kill(pid);
	took = wait_free(frees, pid, &before);
	probes_measure(QUIET_NS, NULL, quiet);
	/* What is still at work makes nothing quiet. */
	after = frees->bad ? before : *quiet;
	judge(stays, &before, &during, &after, shared);
	tell(a, &before, &during, &after, shared);
	printf("# %s: all is free after %.2f s\n", a->name, (double)took / SECOND);
	fflush(stdout);
	munmap(shared, sizeof(*shared));
}

/*
 * The host may have been busy with something else just then: only what comes
 * again and again counts. But no host is ever as busy as that.
 */
static void run_attack(const struct attack *a, struct measure *quiet)
{
	uint64_t end = now() + (20 + seconds) * SECOND * slowness;
	struct verdict stays, frees;

	for (unsigned int i = 0; i < tries && now() < end && !lost; i++) {
		stays.bad = frees.bad = 0;
		*stays.why = *frees.why = '\0';
		try_attack(a, quiet, &stays, &frees);
		if (!stays.bad && !frees.bad)
			break;
	}
	result(a, "root gets on", &stays);
	result(a, "nothing is left of it", &frees);
}

/* --- */

static void list(void)
{
	for (unsigned int i = 0; i < nr_attacks; i++)
		printf("%-10s %s\n", attacks[i].name, attacks[i].what);
}

static void factors(FILE *f)
{
	fprintf(f, "| what root does, or sees | how it may become |\n|---|---|\n");
	for (int i = 0; i < NR_BOUNDS; i++)
		fprintf(f, "| %s | %.0f times as long as on the quiet machine, "
			   "and %llu ms (/ H) |\n",
			bounds[i].what, bounds[i].factor,
			(unsigned long long)(bounds[i].slack / MS));
	fprintf(f, "| processes of nice 0, the member's own among them | get %d %% of each CPU |\n",
		LEFT_LEAST);
	fprintf(f, "| the same, on a busy host | get 100 - %d / H %%, and at least %d %% |\n",
		100 - LEFT_LEAST, LEFT_ALWAYS);
	fprintf(f, "| a loop of nice 0 beside the member's busy processes | gets %d %% of that |\n",
		PART_LEAST);
	fprintf(f, "| memory that the member has taken | at most %d %% |\n", MEMORY_MOST);
	fprintf(f, "| threads that the member has made, those of his processes among them | "
		   "at most %d |\n", TASKS_MOST);
	fprintf(f, "| after the member was killed | "
		   "all is free within %llu s (/ H), but for %d MiB |\n",
		FREE_NS / SECOND, FREE_KB / 1024);
}

/* Is what FILE tells what is asked for? */
static void check_documented(const char *path)
{
	char *told = NULL, *asked = NULL;
	size_t len;
	FILE *to = open_memstream(&asked, &len), *from = fopen(path, "r");
	bool same;

	factors(to);
	fclose(to);
	same = from && getdelim(&told, &len, '\0', from) > 0 && strstr(told, asked);
	printf("%sok %u - %s tells the factors\n", same ? "" : "not ", ++tests, path);
	failures += !same;
	if (from)
		fclose(from);
	free(told);
	free(asked);
}

/* Root's probes are not to be chosen when memory is short. */
static void spare_us(void)
{
	FILE *f = fopen("/proc/self/oom_score_adj", "w");

	if (f) {
		fputs("-1000", f);
		fclose(f);
	}
}

static void set_up(void)
{
	const struct sched_param fifo = { .sched_priority = 10 };
	const char *slow = getenv("BHLAB_SLOWNESS");

	if (slow && atoi(slow) > 0)
		slowness = atoi(slow);
	spare_us();
	setsid();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	probes_start();
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &fifo))
		perror("attack: sched_setscheduler");
}

static bool wanted(const struct attack *a, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(*names, a->name))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seconds", required_argument, NULL, 's' },
		{ "tries", required_argument, NULL, 't' },
		{ "labs", required_argument, NULL, 'n' },
		{ "list", no_argument, NULL, 'l' }, { "factors", no_argument, NULL, 'f' },
		{ "documented", required_argument, NULL, 'd' }, {}
	};
	struct measure quiet;
	const char *documented = NULL;
	uint64_t begun = now();
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 's':
			seconds = strtoull(optarg, NULL, 10) ?: 1;
			break;
		case 't':
			tries = atoi(optarg) > 0 ? atoi(optarg) : 1;
			break;
		case 'n':
			max_labs = atoi(optarg) > 0 ? atoi(optarg) : 1;
			break;
		case 'l':
			list();
			return 0;
		case 'f':
			factors(stdout);
			return 0;
		case 'd':
			documented = optarg;
			break;
		default:
			return 64;
		}
	}
	own_threads = threads_left();
	set_up();
	printf("TAP version 13\n");
	probes_measure(QUIET_NS, NULL, &quiet);
	probes_measure(QUIET_NS, NULL, &quiet);
	for (unsigned int i = 0; i < nr_attacks && !lost; i++)
		if (wanted(&attacks[i], argv + optind))
			run_attack(&attacks[i], &quiet);
	if (documented)
		check_documented(documented);
	if (lost)
		printf("# the rest is left out: this machine is lost\n");
	printf("1..%u\n# %.0f s\n", tests, (double)(now() - begun) / SECOND);
	return failures || !tests;
}
