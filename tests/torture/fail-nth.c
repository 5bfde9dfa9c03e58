// SPDX-License-Identifier: GPL-2.0-only
/*
 * fail-nth [--module FILE | TEXT]: see fail-nth.h; as TAP. --module: what fails is the
 * start of the driver, which is loaded from FILE, and must not be there yet. TEXT: only
 * calls in whose name that is.
 */
#include <alloca.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fail-nth.h"

/* Nothing has so many places; beyond, it does not end. */
#define MOST		20000
/* More than any of the calls takes. */
#define STACK		(256 * 1024)

static struct bench bench;
static unsigned int tests, failures, points, refusals;

/* --- fault injection */

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Where a function of the kernel begins, and the next one. */
static unsigned long address_of(const char *symbol, unsigned long *next)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	unsigned long address = 0, at;
	char line[256], name[128];

	*next = 0;
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx %*c %127s", &at, name) != 2)
			continue;
		if (address && at > address) {
			*next = at;
			break;
		}
		if (!strcmp(name, symbol))
			address = at;
	}
	if (f)
		fclose(f);
	return address;
}

static const char *const faults[] = { "failslab", "fail_page_alloc", "fail_usercopy" };

static void set(const char *fault, const char *setting, unsigned long value)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", fault, setting);
	snprintf(text, sizeof(text), "%#lx", value);
	put(path, text);
}

/*
 * Quiet, since a stack is a report. Without memory for all files of a line in /proc
 * the kernel warns of its own, so there it has memory.
 */
static bool prepare_faults(bool module)
{
	unsigned long first, end, start, start_end;

	first = address_of("register_handler_proc", &end);
	end = address_of("unregister_irq_proc", &end);
	start = address_of("do_one_initcall", &start_end);
	if (access("/proc/thread-self/fail-nth", W_OK) || !first || end < first || !start)
		return false;
	for (unsigned int i = 0; i < ARRAY_SIZE(faults); i++) {
		set(faults[i], "verbose", 0);
		set(faults[i], "stacktrace-depth", 32);
		set(faults[i], "reject-start", first);
		set(faults[i], "reject-end", end);
		if (!module)
			continue;
		/* how the kernel loads a module is its own affair */
		set(faults[i], "require-start", start);
		set(faults[i], "require-end", start_end);
	}
	put("/sys/kernel/debug/failslab/ignore-gfp-wait", "0");
	put("/sys/kernel/debug/failslab/cache-filter", "0");
	put("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "0");
	put("/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "0");
	put("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	/* a page fault of this process must not be one of those that fail */
	memset(alloca(STACK), 0, STACK);
	return !mlockall(MCL_CURRENT | MCL_FUTURE);
}

/* From now on the kernel fails in the @nth place at which this thread comes to one. */
static int arm(unsigned int nth)
{
	char text[16];
	int fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);

	snprintf(text, sizeof(text), "%u", nth);
	if (fd < 0 || write(fd, text, strlen(text)) < 0) {
		perror("fail-nth");
		exit(70);
	}
	return fd;
}

/*
 * Whether it has; and no more. To ask is a place, too: when that fails the call has
 * not.
 */
static bool disarm(int fd)
{
	char text[16] = "";
	bool failed = pread(fd, text, sizeof(text) - 1, 0) > 0 && !atoi(text);

	if (write(fd, "0", 1) != 1)
		failed = false;
	close(fd);
	return failed;
}

/* --- what there is */

/* The objects of the lab, and what is counted of them. */
struct snapshot {
	unsigned int objects;
	uint64_t sum;
	uint32_t items, spin, mutex, fifo;
};

static void look(struct bench *b, struct snapshot *s)
{
	struct bhlab_queue_state queue = { .size = sizeof(queue), .id = b->queue };
	struct bhlab_lock_state spin = { .size = sizeof(spin), .id = b->spin };
	struct bhlab_lock_state mutex = { .size = sizeof(mutex), .id = b->mutex };
	struct bhlab_fifo_state fifo = { .size = sizeof(fifo), .id = b->fifo };
	struct bhlab_lookup l = { .size = sizeof(l) };

	memset(s, 0, sizeof(*s));
	if (b->fd < 0)
		return;
	while (!lab_call(b->fd, BHLAB_IOC_NEXT, &l)) {
		s->objects++;
		s->sum = s->sum * 31 + l.id + l.out_kind;
		for (const char *c = l.name; *c; c++)
			s->sum = s->sum * 31 + *c;
	}
	lab_call(b->fd, BHLAB_IOC_QUEUE_STATE, &queue);
	lab_call(b->fd, BHLAB_IOC_LOCK_STATE, &spin);
	lab_call(b->fd, BHLAB_IOC_LOCK_STATE, &mutex);
	lab_call(b->fd, BHLAB_IOC_FIFO_STATE, &fifo);
	s->items = queue.out_items;
	s->spin = spin.out_programs;
	s->mutex = mutex.out_programs;
	s->fifo = fifo.out_programs;
}

/* --- the sweep */

static unsigned int bad;

static void complain(const struct trial *t, unsigned int nth, const char *what, int result)
{
	printf("# %s, place %u: %s (%s)\n", t->name, nth, what, error_name(-result));
	bad++;
}

/* A message that cannot be sent, or answered, for lack of memory is ENOBUFS. */
static bool expected(const struct trial *t, int result)
{
	return result >= 0 || result == -ENOMEM || result == -EFAULT ||
	       (t->netlink && result == -ENOBUFS);
}

/* Whether a place has failed. */
static bool once(const struct trial *t, unsigned int nth)
{
	struct snapshot before, after;
	int ret, fd;
	bool failed;

	ret = t->before ? t->before(&bench, t) : 0;
	if (ret < 0) {
		complain(t, nth, "cannot be prepared", ret);
		return false;
	}
	look(&bench, &before);
	fd = arm(nth);
	ret = t->call(&bench, t);
	failed = disarm(fd);
	look(&bench, &after);
	if (ret < 0 && !failed)
		complain(t, nth, "is refused without a failure", ret);
	else if (!expected(t, ret))
		complain(t, nth, "has another errno", ret);
	if (ret < 0 && memcmp(&before, &after, sizeof(before)))
		complain(t, nth, "has left something", ret);
	refusals += ret < 0;
	if (t->after)
		t->after(&bench, t, ret);
	return failed;
}

/* Only trials in whose name that is. */
static const char *wanted = "";

static void sweep(const struct trial *t)
{
	unsigned int nth = 1;

	if (!strstr(t->name, wanted))
		return;
	bad = 0;
	while (nth < MOST && !bad && once(t, nth))
		nth++;
	if (nth == MOST)
		complain(t, nth, "does not end", 0);
	points += nth - 1;
	printf("%sok %u %s: %u points\n", bad ? "not " : "", ++tests, t->name, nth - 1);
	failures += !!bad;
	fflush(stdout);
}

/* As many objects and as much time as there may be: nothing of it was lost. */
static void judge_limits(void)
{
	struct bhlab_info info = { .size = sizeof(info) };
	struct bhlab_step nap = { .op = BHLAB_OP_SLEEP };
	struct bhlab_item_create c = {
		.size = sizeof(c), .mech = BHLAB_MECH_WORK, .steps = (uintptr_t)&nap,
		.nr_steps = 1, .queue = bench.queue,
	};
	unsigned int nr = 0, room;
	int ret;

	lab_call(bench.fd, BHLAB_IOC_INFO, &info);
	nap.arg = info.out_process_ns;
	room = info.out_lab_ns / info.out_process_ns;
	do {
		snprintf(c.name, sizeof(c.name), "limit%u", nr);
		ret = lab_call(bench.fd, BHLAB_IOC_ITEM_CREATE, &c);
	} while (!ret && nr++ < room);
	if (ret != -ENOSPC || nr != room)
		printf("# %u programs instead of %u, then %s\n", nr, room, error_name(-ret));
	printf("%sok %u the lab has all its time again\n",
	       ret == -ENOSPC && nr == room ? "" : "not ", ++tests);
	failures += ret != -ENOSPC || nr != room;
}

static void judge_rest(void)
{
	const char *why;

	for (unsigned int i = 0; (why = not_at_rest()) && i < 1000 * slowness(); i++)
		nap(10 * MS);
	if (why)
		printf("# %s\n", why);
	printf("%sok %u nothing is left of it\n", why ? "not " : "", ++tests);
	failures += !!why;
}

int main(int argc, char **argv)
{
	bool module = argc == 3 && !strcmp(argv[1], "--module");
	int ret;

	if (!module && (argc > 2 || (argc > 1 && argv[1][0] == '-'))) {
		fprintf(stderr, "usage: fail-nth [--module FILE | TEXT]\n");
		return 64;
	}
	if (!module && argc > 1)
		wanted = argv[1];
	if (!prepare_faults(module)) {
		printf("TAP version 13\n1..0 # SKIP no fault injection in this kernel\n");
		return 0;
	}
	printf("TAP version 13\n");
	bench.fd = -1;
	if (module) {
		if (module_trials(sweep, argv[2])) {
			perror(argv[2]);
			return 70;
		}
	} else {
		remember_rest();
		ret = bench_open(&bench);
		if (ret) {
			printf("# the lab cannot be opened: %s\n", error_name(-ret));
			return 70;
		}
		all_trials(sweep, &bench);
		judge_limits();
		bench_close(&bench);
		judge_rest();
	}
	printf("1..%u\n# %u points, %u of them refused the call\n", tests, points, refusals);
	return failures ? 1 : 0;
}
