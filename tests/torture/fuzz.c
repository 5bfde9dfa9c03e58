// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz [--seed N] [--time SECONDS] [--processes N] [--threads N] [--uid root|member|both]
 * [--cgroup DIR] [--no-uring] [--plan N]: makes calls that are nearly right, and many that are
 * not, as TAP. Afterwards a table says what was answered, and how often. --plan: of
 * each thread the first N calls are planned, not made, and their sum is printed.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

/* A call may wait for all programs of a lab, twice if others wait for these. */
#define PATIENCE	(180 * SECOND)
/* From close() to the end of all that it begins. */
#define REST_NS		(30 * SECOND)
/* So many calls hit each ioctl, and refuse and grant each of them. */
#define MANY_CALLS	40000
/* Where there is no limit to speak of. */
#define MOST_LABS	40

static uint64_t seed = 1, ns = 10 * SECOND;
static unsigned int nr_processes = 4, nr_threads = 4;
static const char *user = "both", *cgroup;
static uint64_t planned;
static bool no_uring;

static struct shared *shared;
static pid_t pids[MAX_PROCESSES];
static unsigned int tests, failures;

static bool is_root(unsigned int process)
{
	return !strcmp(user, "root") || (!strcmp(user, "both") && process % 2 == 0);
}

static struct planner planner_of(unsigned int process, unsigned int thread)
{
	struct rng mix = { .state = seed + ((uint64_t)process << 32) + thread };

	return (struct planner){ .seed = rng_next(&mix), .root = is_root(process) };
}

/* --- a process of threads */

static struct worker workers[MAX_THREADS];

static void on_signal(int sig)
{
}

static void *thread_main(void *arg)
{
	struct worker *w = arg;

	__atomic_store_n(&w->state->tid, gettid(), __ATOMIC_RELEASE);
	places_of(w);
	while (!__atomic_load_n(&shared->stop, __ATOMIC_ACQUIRE))
		call(w);
	return NULL;
}

/* Calls that wait end by one of these, or begin again after the other. */
static void handle_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGUSR2, &sa, NULL);
	sa.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGIO, &sa, NULL);
	sa.sa_handler = on_fault;
	sa.sa_flags = SA_NODEFER;
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
}

static void join_cgroup(void)
{
	char path[300];
	int fd;

	if (!cgroup)
		return;
	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1) {
		perror(path);
		_exit(70);
	}
	close(fd);
}

static void process_main(unsigned int process)
{
	struct rng r = { .state = seed ^ ~(uint64_t)process };
	unsigned int running = nr_threads;
	struct worker *w;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	join_cgroup();
	handle_signals();
	if (!is_root(process))
		become_member();
	places_init();
	labs_open();
	/* stacks are mapped, too */
	pthread_mutex_lock(&mappings);
	for (unsigned int i = 0; i < nr_threads; i++) {
		w = &workers[i];
		*w = (struct worker){
			.shared = shared, .state = &shared->threads[process][i],
			.planner = planner_of(process, i), .process = process, .thread = i,
		};
		if (pthread_create(&w->pthread, NULL, thread_main, w))
			_exit(70);
	}
	pthread_mutex_unlock(&mappings);
	while (running) {
		nap(10 * MS);
		w = &workers[below(&r, nr_threads)];
		if (!w->pthread)
			continue;
		if (__atomic_load_n(&shared->stop, __ATOMIC_ACQUIRE) &&
		    !pthread_tryjoin_np(w->pthread, NULL)) {
			w->pthread = 0;
			running--;
			continue;
		}
		pthread_kill(w->pthread, one_in(&r, 2) ? SIGUSR1 : SIGUSR2);
	}
	_exit(0);
}

static void start(unsigned int process)
{
	fflush(NULL);
	for (unsigned int i = 0; i < nr_threads; i++)
		shared->threads[process][i].begun = 0;
	pids[process] = fork();
	if (!pids[process])
		process_main(process);
}

/* --- who watches them */

static void __attribute__((format(printf, 2, 3))) verdict(bool ok, const char *format, ...)
{
	va_list args;

	printf("%sok %u ", ok ? "" : "not ", ++tests);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	failures += !ok;
	fflush(stdout);
}

static void show(const char *format, pid_t pid, pid_t tid)
{
	char path[80], line[200];
	FILE *f;

	snprintf(path, sizeof(path), format, pid, tid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		printf("#   %s", line);
	if (f)
		fclose(f);
}

/* A call that has not come back; each is told of once. */
static unsigned int overdue(void)
{
	uint64_t at = now();
	unsigned int nr = 0;

	for (unsigned int p = 0; p < nr_processes; p++)
		for (unsigned int i = 0; i < nr_threads; i++) {
			struct thread *t = &shared->threads[p][i];
			uint64_t begun = __atomic_load_n(&t->begun, __ATOMIC_ACQUIRE);

			if (!pids[p] || !begun || at < begun ||
			    at - begun < PATIENCE * slowness())
				continue;
			printf("# process %u thread %u call %llu: %s does not come back\n", p, i,
			       (unsigned long long)t->made, row_names[t->row]);
			show("/proc/%d/task/%d/stack", pids[p], t->tid);
			nr++;
		}
	return nr;
}

static unsigned int killed, died;

/* Those that have ended; @by_us: because they were killed. */
static void reap(bool by_us)
{
	int status;

	for (unsigned int p = 0; p < nr_processes; p++) {
		if (!pids[p] || waitpid(pids[p], &status, WNOHANG) != pids[p])
			continue;
		pids[p] = 0;
		if (WIFEXITED(status) && !WEXITSTATUS(status))
			continue;
		/* in a cgroup without memory the kernel kills, and a thread may be refused */
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && (by_us || cgroup))
			continue;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 70 && cgroup)
			continue;
		printf("# process %u: %s %d\n", p, WIFSIGNALED(status) ? "signal" : "exit status",
		       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		died++;
	}
}

static bool any_left(void)
{
	for (unsigned int p = 0; p < nr_processes; p++)
		if (pids[p])
			return true;
	return false;
}

/* In the midst of whatever it does; another one goes on from there. */
static void kill_one(struct rng *r)
{
	unsigned int p = below(r, nr_processes);

	if (!pids[p])
		return;
	kill(pids[p], SIGKILL);
	while (pids[p] && !overdue()) {
		reap(true);
		nap(5 * MS);
	}
	killed++;
}

static void watch(void)
{
	uint64_t end = now() + ns, next = now() + SECOND;
	struct rng r = { .state = ~seed };

	while (now() < end && !overdue()) {
		nap(50 * MS);
		reap(false);
		if (now() > next) {
			kill_one(&r);
			next = now() + SECOND;
		}
		for (unsigned int p = 0; p < nr_processes; p++)
			if (!pids[p])
				start(p);
	}
}

/* False if one is left that not even a signal ends. */
static bool end_all(void)
{
	bool late;

	__atomic_store_n(&shared->stop, true, __ATOMIC_RELEASE);
	while (any_left()) {
		late = overdue();
		if (late)
			break;
		nap(20 * MS);
		reap(false);
	}
	late = any_left();
	for (unsigned int p = 0; p < nr_processes; p++)
		if (pids[p])
			kill(pids[p], SIGKILL);
	return !late;
}

static void print_table(void)
{
	for (enum row row = 0; row < NR_ROWS; row++) {
		printf("# %-20s", row_names[row]);
		for (int e = 0; e <= MAX_ERRNO; e++)
			if (shared->counts[row][e])
				printf(" %s %llu", error_name(e),
				       (unsigned long long)shared->counts[row][e]);
		printf("\n");
	}
}

static uint64_t sum_of(enum row row, bool refused)
{
	uint64_t sum = 0;

	for (int e = refused; e <= (refused ? MAX_ERRNO : 0); e++)
		sum += shared->counts[row][e];
	return sum;
}

static uint64_t all_calls(void)
{
	uint64_t sum = 0;

	for (enum row row = 0; row < NR_ROWS; row++)
		if (row != ROW_ENTRY)
			sum += sum_of(row, false) + sum_of(row, true);
	return sum;
}

static void judge_errnos(void)
{
	unsigned int wrong = 0;

	for (enum row row = 0; row < NR_ROWS; row++)
		for (int e = 1; e <= MAX_ERRNO; e++)
			if (shared->counts[row][e] && !is_documented(row, e)) {
				printf("# %s: %s, which the header does not tell\n",
				       row_names[row], error_name(e));
				wrong++;
			}
	verdict(!wrong, "each errno is one that the header tells of that call");
}

/* Otherwise the calls are too wrong, or too few of them. */
static void judge_calls(uint64_t calls)
{
	unsigned int never = 0;

	if (calls < MANY_CALLS) {
		verdict(true, "each ioctl was granted and refused # SKIP %llu calls",
			(unsigned long long)calls);
		return;
	}
	for (enum row row = 0; row < NR_IOCTLS; row++)
		for (unsigned int refused = 0; refused < 2; refused++)
			if (!sum_of(row, refused)) {
				printf("# %s was never %s\n", row_names[row],
				       refused ? "refused" : "granted");
				never++;
			}
	verdict(!never, "each ioctl was granted and refused");
}

static void judge_rest(void)
{
	uint64_t end = now() + REST_NS * slowness();
	const char *why;

	while ((why = not_at_rest()) && now() < end)
		nap(20 * MS);
	if (why)
		printf("# %s\n", why);
	verdict(!why, "nothing is left of it");
}

/* As many labs as there may be: all were given back. */
static void count_labs(bool root)
{
	struct bhlab_info info = { .size = sizeof(info) };
	unsigned int nr = 0;
	bool ok;
	int fd;

	if (!root)
		become_member();
	while (nr < MOST_LABS && (fd = open(DEVICE, O_RDWR | O_CLOEXEC)) >= 0) {
		ioctl(fd, BHLAB_IOC_INFO, &info);
		nr++;
	}
	ok = nr == MOST_LABS || (errno == ENOSPC && nr == info.out_max_labs);
	if (!ok)
		printf("# %s: %u labs of %u, then %s\n", root ? "root" : MEMBER, nr,
		       info.out_max_labs, error_name(errno));
	fflush(stdout);
	_exit(!ok);
}

static void judge_limits(void)
{
	bool ok = true;
	int status;

	for (unsigned int root = 0; root < 2; root++) {
		fflush(NULL);
		if (!fork())
			count_labs(root);
		wait(&status);
		ok = ok && !status;
	}
	verdict(ok, "both users have all their labs again");
}

/* --- from the command line to the result */

static void print_plans(void)
{
	static struct plan plan;
	uint64_t sum = 0;

	for (unsigned int p = 0; p < nr_processes; p++)
		for (unsigned int t = 0; t < nr_threads; t++) {
			struct planner by = planner_of(p, t);

			for (uint64_t n = 0; n < planned; n++) {
				plan_call(&plan, &by, n);
				sum = sum * 31 + plan.row + plan.lab + rng_next(&plan.rng);
				for (uint32_t i = 0; plan.row < NR_IOCTLS && i < plan.len; i++)
					sum = sum * 31 + plan.bytes[i];
			}
		}
	printf("%016llx\n", (unsigned long long)sum);
}

static void usage(void)
{
	fprintf(stderr, "usage: fuzz [--seed N] [--time SECONDS] [--processes N] [--threads N]\n"
			"            [--uid root|member|both] [--cgroup DIR] [--no-uring] [--plan N]\n");
	exit(64);
}

static uint64_t number(const char *text, uint64_t max)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (!*text || *end || value > max)
		usage();
	return value;
}

/* Seconds, which may have decimals. */
static uint64_t time_of(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (!*text || *end || !(value >= 0 && value < 1e6))
		usage();
	return value * SECOND;
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "time", required_argument, NULL, 't' },
		{ "processes", required_argument, NULL, 'p' },
		{ "threads", required_argument, NULL, 'n' },
		{ "uid", required_argument, NULL, 'u' },
		{ "cgroup", required_argument, NULL, 'c' },
		{ "no-uring", no_argument, NULL, 'r' },
		{ "plan", required_argument, NULL, 'l' },
		{}
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's':
			seed = number(optarg, UINT64_MAX);
			break;
		case 't':
			ns = time_of(optarg);
			break;
		case 'p':
			nr_processes = number(optarg, MAX_PROCESSES);
			break;
		case 'n':
			nr_threads = number(optarg, MAX_THREADS);
			break;
		case 'u':
			user = optarg;
			break;
		case 'c':
			cgroup = optarg;
			break;
		case 'r':
			no_uring = true;
			break;
		case 'l':
			planned = number(optarg, 1000000);
			break;
		default:
			usage();
		}
	}
	if (optind != argc || !nr_processes || !nr_threads ||
	    (strcmp(user, "root") && strcmp(user, "member") && strcmp(user, "both")))
		usage();
}

static void prepare(void)
{
	int sock = netlink_open();

	if (sock < 0) {
		fprintf(stderr, "fuzz: the driver does not answer: %s\n", error_name(-sock));
		exit(70);
	}
	close(sock);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pass)) {
		perror("fuzz");
		exit(70);
	}
	shared->no_uring = no_uring;
	remember_rest();
}

int main(int argc, char **argv)
{
	uint64_t begun, took, calls;
	bool back;

	parse(argc, argv);
	if (planned) {
		print_plans();
		return 0;
	}
	prepare();
	printf("TAP version 13\n1..6\n# seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	begun = now();
	for (unsigned int p = 0; p < nr_processes; p++)
		start(p);
	watch();
	back = end_all();
	took = now() - begun;
	close(pass[0]);
	close(pass[1]);
	calls = all_calls();
	print_table();
	printf("# %llu calls in %.1f s, %.0f per second, %u processes killed in the midst\n",
	       (unsigned long long)calls, (double)took / SECOND, (double)calls * SECOND / took,
	       killed);
	verdict(back, "each call comes back");
	judge_errnos();
	if (shared->bad || died)
		printf("# %llu answers are wrong: %s\n", (unsigned long long)shared->bad,
		       shared->why);
	verdict(!shared->bad && !died, "answers are as the header says");
	judge_calls(calls);
	judge_rest();
	judge_limits();
	return failures ? 1 : 0;
}
