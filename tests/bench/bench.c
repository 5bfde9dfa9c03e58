// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench: all that is measured. bench NAME: only what the driver that is loaded
 * costs, under that name, to compare two builds of it.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define RESULTS_MAX	256
/* Rounds before what is measured, and the most that are. */
#define WARM		2
#define ROUNDS_MAX	128
/* The longest time that user space is away for other reasons than a tick. */
#define GAP		300

static struct {
	char name[64];
	double value;
} results[RESULTS_MAX];

static unsigned int nr_results;

void result(const char *name, double value)
{
	if (nr_results == RESULTS_MAX)
		die("too many results");
	snprintf(results[nr_results].name, sizeof(results->name), "%s", name);
	results[nr_results++].value = value;
}

static void print_results(void)
{
	unsigned int i;

	for (i = 0; i < nr_results; i++)
		printf("%s %.2f\n", results[i].name, results[i].value);
}

void die(const char *what)
{
	print_results();
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

void yield_to_all(bool yield)
{
	const struct sched_param param = {};

	if (sched_setscheduler(0, yield ? SCHED_IDLE : SCHED_OTHER, &param))
		die("sched_setscheduler");
}

void rest(unsigned int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

void settle(void)
{
	uint64_t before, after;

	rest(10);
	before = now();
	while ((after = now()) - before < GAP)
		before = after;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

uint64_t median(uint64_t *values, size_t nr)
{
	qsort(values, nr, sizeof(*values), by_value);
	return values[nr / 2];
}

double measure(const struct load *load)
{
	uint64_t start, took[ROUNDS_MAX];
	unsigned int i, rounds = ROUNDS;

	while (rounds * load->items < 1000)
		rounds *= 2;
	for (i = 0; i < WARM + rounds; i++) {
		settle();
		start = now();
		load->run(load->data);
		took[i < WARM ? 0 : i - WARM] = now() - start;
		if (load->after)
			load->after(load->items);
	}
	return (double)median(took, rounds) / load->items;
}

static double measure_bare(uint32_t mech, uint32_t count, bool copied)
{
	struct bare b;
	double each;

	bare_open(&b, mech, count);
	if (copied)
		bare_copies(&b);
	each = measure(&(struct load){ bare_run, &b, count });
	bare_close(&b);
	return each;
}

static double measure_lab(void (*run)(void *data), uint32_t mech,
			  uint32_t queue_flags, uint32_t count)
{
	static struct lab l;
	double each;

	lab_open(&l, mech, queue_flags, count);
	each = measure(&(struct load){ run, &l, count });
	lab_close(&l);
	return each;
}

static const struct {
	const char *name;
	uint32_t mech;
	uint32_t queue_flags;
	uint32_t count;
	uint32_t bare;
} mechs[] = {
	{ "work", BHLAB_MECH_WORK, BHLAB_WQ_PERCPU, BATCH, BARE_WORK },
	{ "work_bh", BHLAB_MECH_WORK, BHLAB_WQ_BH, BATCH, BARE_WORK_BH },
	{ "tasklet", BHLAB_MECH_TASKLET, 0, BATCH, BARE_TASKLET },
	{ "tasklet_hi", BHLAB_MECH_TASKLET_HI, 0, BATCH, BARE_TASKLET_HI },
	{ "irq", BHLAB_MECH_IRQ, 0, BARE_IRQS, BARE_IRQ },
	{ "irq_work", BHLAB_MECH_IRQ_WORK, 0, BATCH, BARE_IRQ_WORK },
	{ "hrtimer", BHLAB_MECH_HRTIMER, 0, BATCH, BARE_HRTIMER },
	{ "kthread_work", BHLAB_MECH_KTHREAD_WORK, 0, BARE_THREADS, BARE_KTHREAD_WORK },
};

#define NR_MECHS	(sizeof(mechs) / sizeof(mechs[0]))

static void measure_mechs(const char *what)
{
	char name[64];
	double each;
	size_t i;

	for (i = 0; i < NR_MECHS; i++) {
		each = measure_lab(lab_batch, mechs[i].mech,
				   mechs[i].queue_flags, mechs[i].count);
		snprintf(name, sizeof(name), "%s.%s", what, mechs[i].name);
		result(name, each);
	}
}

static void measure_floors(void)
{
	char name[64];
	size_t i;

	for (i = 0; i < NR_MECHS; i++) {
		snprintf(name, sizeof(name), "bare.%s", mechs[i].name);
		result(name, measure_bare(mechs[i].bare, mechs[i].count, false));
	}
	result("bare.work_64", measure_bare(BARE_WORK, 64, false));
	result("bare.work_copied", measure_bare(BARE_WORK, BATCH, true));
}

#define CALLS	1000

static void run_getppid(void *data)
{
	int i;

	for (i = 0; i < CALLS; i++)
		syscall(SYS_getppid);
}

static void run_ioctl(void *data)
{
	struct bare *b = data;
	int i;

	for (i = 0; i < CALLS; i++)
		ioctl(b->fd, BARE_IOC_NONE);
}

static void measure_calls(void)
{
	struct bare b;

	bare_open(&b, 0, 0);
	result("floor.getppid", measure(&(struct load){ run_getppid, NULL, CALLS }));
	result("floor.ioctl", measure(&(struct load){ run_ioctl, &b, CALLS }));
	bare_close(&b);
}

/*
 * Where the worker has nothing else to do an item runs at once: as soon as the
 * call that has queued it is over.
 */
static void measure_batch(void)
{
	yield_to_all(true);
	result("batch.64", measure_lab(lab_batch, BHLAB_MECH_WORK,
				       BHLAB_WQ_PERCPU, 64));
	result("single.64", measure_lab(lab_singles, BHLAB_MECH_WORK,
					BHLAB_WQ_PERCPU, 64));
	yield_to_all(false);
	result("refused.256", measure_lab(lab_refused, BHLAB_MECH_WORK,
					  BHLAB_WQ_PERCPU, BATCH));
}

int main(int argc, char **argv)
{
	const char *only = argc > 1 ? argv[1] : NULL;

	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		die("mlockall");
	if (only) {
		measure_mechs(only);
	} else {
		measure_calls();
		measure_floors();
		measure_mechs("recorded");
		measure_batch();
		measure_tracers();
		measure_accuracy();
		measure_reading();
		measure_netlink();
	}
	print_results();
	return 0;
}
