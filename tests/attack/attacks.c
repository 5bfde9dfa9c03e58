// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a hostile member does. Each takes all that he gets: where something is
 * refused he tries with less, and goes on with the next lab.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "attack.h"

#define MAX_STEPS	64

/* A program in the making. */
struct program {
	struct bhlab_step steps[MAX_STEPS];
	uint32_t nr;
};

static void step(struct program *p, struct bhlab_step s)
{
	if (p->nr < MAX_STEPS)
		p->steps[p->nr++] = s;
}

/* As many as there is room for, with @rest to come. */
static void marks(const struct member *m, struct program *p, uint32_t rest)
{
	uint32_t max = m->info.out_max_steps < MAX_STEPS ? m->info.out_max_steps : MAX_STEPS;

	while (p->nr + rest < max)
		step(p, STEP(MARK, .arg = p->nr));
}

static int add_program(struct member *m, int lab, uint32_t mech, uint32_t queue, uint32_t flags,
		       const struct program *p)
{
	struct bhlab_item_create c;

	fill(m, &c, mech);
	c.flags = flags;
	c.queue = queue;
	c.steps = (uintptr_t)p->steps;
	c.nr_steps = p->nr;
	return add(m, lab, &c);
}

static int add_irq(struct member *m, int lab, const struct program *top,
		   const struct program *thread)
{
	struct bhlab_item_create c;

	fill(m, &c, BHLAB_MECH_IRQ);
	c.steps = (uintptr_t)top->steps;
	c.nr_steps = top->nr;
	if (thread) {
		c.flags = BHLAB_ITEM_THREAD;
		c.thread_steps = (uintptr_t)thread->steps;
		c.nr_thread_steps = thread->nr;
	}
	return add(m, lab, &c);
}

/* Busy for @ns, or sleeps for it, again and again; shorter if that is refused. */
static int add_endless(struct member *m, int lab, uint32_t mech, uint32_t queue, uint32_t flags,
		       uint32_t op, uint64_t ns)
{
	struct program p = { .steps = { STEP(REQUEUE), { .op = op } }, .nr = 2 };
	int ret = -EINVAL;

	for (; ns >= 10000 && ret < 0 && ret != -ENOMEM; ns /= 10) {
		p.steps[1].arg = ns;
		ret = add_program(m, lab, mech, queue, flags, &p);
	}
	return ret;
}

static int add_hog(struct member *m, int lab, uint32_t mech, uint32_t queue)
{
	return add_endless(m, lab, mech, queue, 0, BHLAB_OP_SPIN, m->info.out_process_ns);
}

static int add_sleeper(struct member *m, int lab, uint32_t mech, uint32_t queue)
{
	return add_endless(m, lab, mech, queue, 0, BHLAB_OP_SLEEP, m->info.out_process_ns);
}

static int unbound_queue(struct member *m, int lab, uint32_t flags)
{
	int ret = add_queue(m, lab, BHLAB_WQ_UNBOUND | flags, m->info.out_max_active);

	/* What needs a capability is left out. */
	return ret == -EPERM || ret == -ENOSPC ?
	       add_queue(m, lab, BHLAB_WQ_UNBOUND, m->info.out_max_active) : ret;
}

#define EACH_LAB(m, lab)						\
	for (int _i = 0, lab; _i < (m)->nr_labs && (lab = (m)->labs[_i], go_on(m)); _i++)

/* --- M1: process context --- */

static void highpri_prepare(struct member *m)
{
	EACH_LAB(m, lab) {
		int queue = unbound_queue(m, lab, BHLAB_WQ_HIGHPRI);

		if (queue < 0)
			continue;
		while (go_on(m) && add_hog(m, lab, BHLAB_MECH_WORK, queue) > 0)
			;
	}
}

static void kthreads_prepare(struct member *m)
{
	EACH_LAB(m, lab)
		while (go_on(m) && add_hog(m, lab, BHLAB_MECH_KTHREAD_WORK, 0) > 0)
			;
}

static const uint32_t process_queues[] = {
	BHLAB_QUEUE_PERCPU, BHLAB_QUEUE_HIGHPRI, BHLAB_QUEUE_LONG, BHLAB_QUEUE_UNBOUND,
	BHLAB_QUEUE_FREEZABLE, BHLAB_QUEUE_POWER_EFFICIENT,
};

static void system_prepare(struct member *m)
{
	EACH_LAB(m, lab) {
		bool any = true;

		while (any && go_on(m)) {
			any = false;
			for (unsigned int i = 0; i < ARRAY_SIZE(process_queues); i++)
				any |= add_hog(m, lab, BHLAB_MECH_WORK, process_queues[i]) > 0;
			any |= add_hog(m, lab, BHLAB_MECH_RCU_WORK, 0) > 0;
		}
	}
}

/* Queues of his own whose workers are those of the system's per-CPU queues. */
static void percpu_prepare(struct member *m)
{
	EACH_LAB(m, lab) {
		int queue = add_queue(m, lab, BHLAB_WQ_PERCPU, m->info.out_max_active);
		int busy = add_queue(m, lab, BHLAB_WQ_PERCPU | BHLAB_WQ_CPU_INTENSIVE,
				     m->info.out_max_active);

		while (queue > 0 && go_on(m) && add_hog(m, lab, BHLAB_MECH_WORK, queue) > 0)
			if (busy > 0)
				add_hog(m, lab, BHLAB_MECH_WORK, busy);
	}
}

/* --- M3: atomic context --- */

static void hrtimers_prepare(struct member *m)
{
	struct program p = {};

	marks(m, &p, 0);
	EACH_LAB(m, lab)
		while (go_on(m) && m->nr_targets < 8192 &&
		       add_program(m, lab, BHLAB_MECH_HRTIMER, 0, BHLAB_ITEM_PINNED, &p) > 0)
			;
}

/* All at once, as soon as all are set. */
static void hrtimers_loop(struct member *m, unsigned int thread)
{
	static __thread uint64_t needs = 100 * MS;
	uint64_t begun = now(), took;

	batch_all(m, BHLAB_NR_DELAY, begun + needs);
	took = now() - begun;
	needs = took + took / 4 + 10 * MS;
	nap(10 * MS);
}

static void irq_works_prepare(struct member *m)
{
	struct program p = {};

	marks(m, &p, 0);
	EACH_LAB(m, lab)
		while (go_on(m) && m->nr_targets < 1024 &&
		       add_program(m, lab, BHLAB_MECH_IRQ_WORK, 0,
				   m->nr_targets % 4 ? BHLAB_ITEM_LAZY : BHLAB_ITEM_HARD,
				   &p) > 0)
			;
}

static void queue_loop(struct member *m, unsigned int thread)
{
	if (!m->nr_targets)
		nap(MS);
	batch_all(m, BHLAB_NR_QUEUE, 0);
}

/* One that spins, and one that is busy otherwise. */
static void add_softirq(struct member *m, int lab, uint32_t mech, uint32_t queue, uint32_t flags)
{
	struct program p = {};

	add_endless(m, lab, mech, queue, flags, BHLAB_OP_SPIN, m->info.out_atomic_ns);
	step(&p, STEP(REQUEUE));
	marks(m, &p, 0);
	add_program(m, lab, mech, queue, flags, &p);
}

static void softirqs_prepare(struct member *m)
{
	EACH_LAB(m, lab)
		for (int i = 0; i < 8 && go_on(m); i++) {
			add_softirq(m, lab, BHLAB_MECH_TASKLET, 0, 0);
			add_softirq(m, lab, BHLAB_MECH_TASKLET_HI, 0, 0);
			add_softirq(m, lab, BHLAB_MECH_WORK, BHLAB_QUEUE_BH, 0);
			add_softirq(m, lab, BHLAB_MECH_WORK, BHLAB_QUEUE_BH_HIGHPRI, 0);
			add_softirq(m, lab, BHLAB_MECH_HRTIMER_SOFT, 0, BHLAB_ITEM_PINNED);
			add_softirq(m, lab, BHLAB_MECH_HRTIMER, 0, BHLAB_ITEM_HARD);
			add_softirq(m, lab, BHLAB_MECH_TIMER, 0, BHLAB_ITEM_IRQSAFE);
			add_softirq(m, lab, BHLAB_MECH_TIMER, 0, BHLAB_ITEM_PINNED);
			add_softirq(m, lab, BHLAB_MECH_IRQ_WORK, 0, 0);
			add_softirq(m, lab, BHLAB_MECH_RCU, 0, 0);
			add_softirq(m, lab, BHLAB_MECH_SRCU, 0, 0);
			add_softirq(m, lab, BHLAB_MECH_CSD, 0, 0);
			add_softirq(m, lab, BHLAB_MECH_IRQ_POLL, 0, 0);
		}
}

/* Lines that nobody deasserts: with an empty handler, and with a long one. */
static void levels_prepare(struct member *m)
{
	struct program p = {};

	marks(m, &p, 0);
	EACH_LAB(m, lab)
		for (int i = 0; i < 32 && go_on(m); i++) {
			struct bhlab_item_create c;

			fill(m, &c, BHLAB_MECH_IRQ);
			c.flow = BHLAB_FLOW_LEVEL;
			c.steps = (uintptr_t)p.steps;
			c.nr_steps = i % 2 ? p.nr : 0;
			if (add(m, lab, &c) < 0)
				break;
		}
}

/* They expire again by themselves, as often as is allowed. */
static void periods_prepare(struct member *m)
{
	EACH_LAB(m, lab)
		for (int i = 0; i < 256 && go_on(m); i++) {
			struct bhlab_item_create c;

			fill(m, &c, i % 4 ? BHLAB_MECH_HRTIMER : BHLAB_MECH_HRTIMER_SOFT);
			c.flags = i % 4 ? BHLAB_ITEM_HARD : 0;
			c.period_ns = m->info.out_period_ns;
			if (add(m, lab, &c) < 0)
				break;
		}
}

/* Process context with interrupts, bottom halves and preemption off. */
static void brackets_prepare(struct member *m)
{
	static const struct bhlab_step off[] = { STEP(IRQ_OFF), STEP(BH_OFF) };
	static const struct bhlab_step on[] = { STEP(IRQ_ON), STEP(BH_ON) };

	EACH_LAB(m, lab) {
		int queue = unbound_queue(m, lab, 0);

		for (int i = 0; i < 16 && queue > 0 && go_on(m); i++) {
			struct program p = {};

			step(&p, STEP(REQUEUE));
			for (int j = 0; j < 10; j++) {
				step(&p, off[i % 2]);
				step(&p, STEP(SPIN, .arg = m->info.out_atomic_ns / 10));
				step(&p, on[i % 2]);
			}
			if (add_program(m, lab, BHLAB_MECH_WORK, queue, 0, &p) < 0)
				break;
		}
	}
}

static void trigger_periods(struct member *m, uint64_t ns)
{
	for (int i = 0; i < m->nr_targets; i++) {
		const struct target *t = &m->targets[i];

		if (t->mech == BHLAB_MECH_IRQ)
			ACT(t->lab, TRIGGER, t->id, .flags = BHLAB_ACT_PERIOD, .ns = ns,
			    .count = BHLAB_TRIGGER_MAX);
		else
			start_one(t);
	}
}

static void irqs_prepare(struct member *m)
{
	struct program top = {}, thread = {};

	step(&top, STEP(THREAD));
	marks(m, &top, 0);
	step(&thread, STEP(SPIN, .arg = m->info.out_atomic_ns));
	EACH_LAB(m, lab)
		while (go_on(m) && m->nr_targets < 256 && add_irq(m, lab, &top, &thread) > 0)
			;
}

static void irqs_start(struct member *m)
{
	trigger_periods(m, m->info.out_period_ns);
}

/* --- M4: threads --- */

static void threads_prepare(struct member *m)
{
	struct program top = {}, thread = {};

	step(&top, STEP(THREAD));
	step(&thread, STEP(MARK));
	EACH_LAB(m, lab) {
		while (go_on(m) && add_irq(m, lab, &top, &thread) > 0)
			;
		while (go_on(m) && add_sleeper(m, lab, BHLAB_MECH_KTHREAD_WORK, 0) > 0)
			;
		while (go_on(m) &&
		       add_queue(m, lab, BHLAB_WQ_ORDERED | BHLAB_WQ_MEM_RECLAIM, 0) > 0)
			;
	}
}

static void sleepers_prepare(struct member *m)
{
	EACH_LAB(m, lab) {
		bool any = true;

		while (any && go_on(m)) {
			any = add_sleeper(m, lab, BHLAB_MECH_WORK, BHLAB_QUEUE_UNBOUND) > 0;
			any |= add_sleeper(m, lab, BHLAB_MECH_WORK, BHLAB_QUEUE_PERCPU) > 0;
			any |= add_sleeper(m, lab, BHLAB_MECH_WORK, BHLAB_QUEUE_LONG) > 0;
		}
	}
}

/* On queues of his own, and one mutex for which all wait. */
/* Handlers that wait for the next one, in a circle, or for their queue. */
static void circles_prepare(struct member *m)
{
	EACH_LAB(m, lab) {
		int queue = unbound_queue(m, lab, 0);

		for (int i = 0; i < 64 && queue > 0 && go_on(m); i++) {
			struct program p = { .steps = { STEP(REQUEUE) }, .nr = 1 };

			/* The queue is the lab's first object. */
			step(&p, STEP(FLUSH, .target = queue + 1 + (i + 1) % 64));
			step(&p, STEP(WAIT, .target = queue + 1 + (i + 3) % 64));
			step(&p, STEP(SYNCHRONIZE_RCU));
			if (add_program(m, lab, BHLAB_MECH_WORK, queue, 0, &p) < 0)
				break;
		}
	}
}

static void waiting_prepare(struct member *m)
{
	EACH_LAB(m, lab) {
		int queue = unbound_queue(m, lab, 0);
		int lock = add_lock(m, lab, BHLAB_LOCK_MUTEX, BHLAB_CTX_TASK);
		struct program p = {};

		if (queue < 0 || lock < 0)
			continue;
		step(&p, STEP(REQUEUE));
		step(&p, STEP(LOCK, .target = lock));
		step(&p, STEP(SLEEP, .arg = MS));
		step(&p, STEP(UNLOCK, .target = lock));
		while (go_on(m) && add_program(m, lab, BHLAB_MECH_WORK, queue, 0, &p) > 0)
			;
	}
}

/* --- M2: memory, objects --- */

static void rings_prepare(struct member *m)
{
	struct program p = { .steps = { STEP(MARK) }, .nr = 1 };

	EACH_LAB(m, lab) {
		struct bhlab_ring_setup r = { .size = sizeof(r), .flags = BHLAB_RING_RECORDS };
		uint32_t records;

		for (records = 1U << 24; records >= 32; records /= 2) {
			r.records = records;
			if (!call(lab, BHLAB_IOC_RING, &r))
				break;
		}
		add_program(m, lab, BHLAB_MECH_WORK, 0, 0, &p);
	}
}

static void objects_prepare(struct member *m)
{
	struct program p = {};

	marks(m, &p, 0);
	EACH_LAB(m, lab)
		while (go_on(m) && add_program(m, lab, BHLAB_MECH_WORK, 0, 0, &p) > 0)
			;
}

/* --- M5: what a more urgent one waits for --- */

static void lender_prepare(struct member *m)
{
	EACH_LAB(m, lab) {
		int queue = unbound_queue(m, lab, 0);
		int lock = add_lock(m, lab, BHLAB_LOCK_MUTEX, BHLAB_CTX_TASK);
		struct program top = {}, thread = {}, owner = {};
		uint64_t ns;

		if (queue < 0 || lock < 0)
			continue;
		step(&top, STEP(THREAD));
		step(&thread, STEP(LOCK, .target = lock));
		step(&thread, STEP(UNLOCK, .target = lock));
		add_irq(m, lab, &top, &thread);
		step(&owner, STEP(REQUEUE));
		step(&owner, STEP(LOCK, .target = lock));
		step(&owner, STEP(SPIN));
		step(&owner, STEP(UNLOCK, .target = lock));
		for (ns = m->info.out_process_ns; ns >= 10000; ns /= 10) {
			owner.steps[2].arg = ns;
			if (add_program(m, lab, BHLAB_MECH_WORK, queue, 0, &owner) > 0)
				break;
		}
	}
}

static void lender_start(struct member *m)
{
	trigger_periods(m, MS);
}

/* --- M7 and what else there is --- */

/* Two that make all waiters wake up, again and again; see waiters_loop(). */
static void waiters_prepare(struct member *m)
{
	struct program p = { .steps = { STEP(REQUEUE) }, .nr = 1 };

	EACH_LAB(m, lab) {
		add_program(m, lab, BHLAB_MECH_HRTIMER, 0, 0, &p);
		add_program(m, lab, BHLAB_MECH_IRQ_WORK, 0, 0, &p);
	}
}

static void waiters_loop(struct member *m, unsigned int thread)
{
	const struct target *t;
	struct bhlab_wait w = {
		.size = sizeof(w), .condition = BHLAB_COND_RUNS,
		.value = UINT64_MAX, .timeout_ns = BHLAB_NS_MAX,
	};

	if (!m->nr_targets || thread < 2) {
		queue_loop(m, thread);
		return;
	}
	t = &m->targets[thread % m->nr_targets];
	w.id = t->id;
	call(t->lab, BHLAB_IOC_WAIT, &w);
}

static void lines_prepare(struct member *m)
{
	struct program top = { .steps = { STEP(MARK) }, .nr = 1 };

	EACH_LAB(m, lab)
		while (go_on(m) && m->nr_targets < 64 && add_irq(m, lab, &top, NULL) > 0)
			;
}

/* IPIs to all CPUs, if a look at a line needs them. */
static void lines_loop(struct member *m, unsigned int thread)
{
	const struct target *t;
	struct bhlab_item_state st = { .size = sizeof(st) };

	if (!m->nr_targets) {
		nap(MS);
		return;
	}
	t = &m->targets[(thread + m->shared->calls) % m->nr_targets];
	if (thread % 2) {
		ACT(t->lab, FLUSH, t->id);
	} else {
		st.id = t->id;
		call(t->lab, BHLAB_IOC_ITEM_STATE, &st);
	}
	__atomic_fetch_add(&m->shared->calls, 1, __ATOMIC_RELAXED);
}

/*
 * No use of the device at all: what every user can do, to compare with. Not by
 * other processes, whose time would not be known for his.
 */
static void user_loop(struct member *m, unsigned int thread)
{
	void *map = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (map != MAP_FAILED)
		munmap(map, 1 << 20);
	nap(MS / 5);
	__atomic_fetch_add(&m->shared->objects, 1, __ATOMIC_RELAXED);
}

/* A lab with some of each, at work; and its end. */
static void storm_loop(struct member *m, unsigned int thread)
{
	struct program p = {}, top = { .steps = { STEP(THREAD) }, .nr = 1 };
	struct member one = { .cpu = m->cpu, .info = m->info, .shared = m->shared };
	int lab = open(DEVICE, O_RDWR | O_CLOEXEC), queue;

	if (lab < 0) {
		nap(MS);
		return;
	}
	step(&p, STEP(REQUEUE, .arg = 100));
	step(&p, STEP(MARK));
	queue = add_queue(&one, lab, BHLAB_WQ_UNBOUND | BHLAB_WQ_MEM_RECLAIM, 0);
	for (uint32_t mech = 1; mech <= m->info.out_mechs; mech++)
		if (mech == BHLAB_MECH_IRQ)
			add_irq(&one, lab, &top, &p);
		else
			add_program(&one, lab, mech,
				    mech == BHLAB_MECH_WORK && queue > 0 ? queue : 0, 0, &p);
	start_all(&one);
	for (int i = 0; i < one.nr_targets; i += 2)
		destroy(lab, one.targets[i].id);
	close(lab);
	free(one.targets);
	__atomic_fetch_add(&m->shared->calls, one.nr_targets, __ATOMIC_RELAXED);
}

/* Few objects, which all threads of all processes have in their hands. */
static void random_prepare(struct member *m)
{
	static const uint64_t times[] = { 0, 1000, 100000, 2 * MS };

	EACH_LAB(m, lab) {
		int queue = unbound_queue(m, lab, 0);

		for (uint32_t i = 0; i < 2 * m->info.out_mechs; i++) {
			struct program p = {}, thread = {};
			uint32_t mech = 1 + i / 2;

			step(&p, STEP(MARK, .arg = i));
			step(&p, STEP(SPIN, .arg = times[i % ARRAY_SIZE(times)] / 100));
			if (mech == BHLAB_MECH_IRQ) {
				step(&p, STEP(THREAD));
				step(&thread, STEP(SLEEP, .arg = times[i % ARRAY_SIZE(times)]));
				add_irq(m, lab, &p, &thread);
				continue;
			}
			step(&p, STEP(REQUEUE, .arg = i));
			step(&p, STEP(QUEUE, .target = 1 + (i * 7) % 24));
			add_program(m, lab, mech, mech == BHLAB_MECH_WORK && i % 2 && queue > 0 ?
						  queue : 0, 0, &p);
		}
	}
}

static void random_loop(struct member *m, unsigned int thread)
{
	static const uint32_t verbs[] = {
		BHLAB_NR_QUEUE, BHLAB_NR_QUEUE, BHLAB_NR_DELAY, BHLAB_NR_DELAY, BHLAB_NR_CANCEL,
		BHLAB_NR_CANCEL, BHLAB_NR_FLUSH, BHLAB_NR_DISABLE, BHLAB_NR_ENABLE,
		BHLAB_NR_ENABLE, BHLAB_NR_TRIGGER, BHLAB_NR_DRAIN,
	};
	static __thread unsigned int seed;
	const struct target *t;
	struct bhlab_act a = { .size = sizeof(a) };
	uint32_t nr, dice;

	if (!seed)
		seed = 1 + thread + 1000 * m->cpu + (unsigned int)now();
	if (!m->nr_targets) {
		nap(MS);
		return;
	}
	t = &m->targets[rand_r(&seed) % m->nr_targets];
	nr = verbs[rand_r(&seed) % ARRAY_SIZE(verbs)];
	dice = rand_r(&seed);
	a.id = dice % 16 ? t->id : 1;
	if (nr == BHLAB_NR_DELAY)
		a.ns = dice / 256 % (4 * MS);
	if (nr == BHLAB_NR_DELAY && dice & 16)
		a.flags |= BHLAB_ACT_MOD;
	if ((nr == BHLAB_NR_CANCEL || nr == BHLAB_NR_DISABLE) && dice & 16)
		a.flags |= BHLAB_ACT_SYNC;
	if (nr == BHLAB_NR_QUEUE && dice & 32) {
		a.flags |= BHLAB_ACT_CPU;
		a.cpu = dice / 256 % cpus();
	}
	if (nr == BHLAB_NR_QUEUE && t->mech == BHLAB_MECH_WORK && dice & 64) {
		a.flags |= BHLAB_ACT_QUEUE;
		a.queue = dice & 128 ? 1 : BHLAB_QUEUE_UNBOUND;
	}
	if (nr == BHLAB_NR_TRIGGER)
		a.count = 1 + dice / 256 % 3;
	act(t->lab, nr, &a);
	__atomic_fetch_add(&m->shared->calls, 1, __ATOMIC_RELAXED);
}

const struct attack attacks[] = {
	{ "user", "busy threads, and no use of the device: to compare with", 1, NULL, NULL,
	  user_loop, 3 },
	{ "highpri", "work that spins on unbound highpri queues", 8, highpri_prepare, start_all },
	{ "kthreads", "kthread_work that spins", 0, kthreads_prepare, start_all },
	{ "system", "work that spins on the system's queues", 16, system_prepare, start_all },
	{ "percpu", "work that spins on per-CPU queues of his own", 16, percpu_prepare, start_all },
	{ "brackets", "work that spins with interrupts and bottom halves off", 8, brackets_prepare,
	  start_all },
	{ "hrtimers", "thousands of hrtimers that end together", 16, hrtimers_prepare, NULL,
	  hrtimers_loop, 1 },
	{ "irq_works", "lazy irq_work in batches", 4, irq_works_prepare, NULL, queue_loop, 3 },
	{ "softirqs", "tasklets, BH work, timers that requeue themselves", 4, softirqs_prepare,
	  start_all, queue_loop, 1 },
	{ "levels", "level lines that nobody deasserts", 8, levels_prepare, start_all },
	{ "periods", "hrtimers with the shortest period", 8, periods_prepare, start_all },
	{ "irqs", "lines with the shortest period, with threads", 8, irqs_prepare, irqs_start },
	{ "threads", "all the threads that there are", 0, threads_prepare, start_all },
	{ "sleepers", "work that sleeps on the system's queues", 0, sleepers_prepare, start_all },
	{ "waiting", "work that waits for mutexes", 0, waiting_prepare, start_all },
	{ "circles", "work that waits for work that waits for it", 8, circles_prepare, start_all },
	{ "rings", "the largest rings", 0, rings_prepare, NULL },
	{ "objects", "all the objects that there are", 0, objects_prepare, NULL },
	{ "lender", "irq threads that wait for a lock of work that spins", 8, lender_prepare,
	  lender_start },
	{ "waiters", "threads in WAIT, woken all the time", 2, waiters_prepare, start_all,
	  waiters_loop, 100 },
	{ "lines", "FLUSH and STATE of idle lines", 2, lines_prepare, NULL, lines_loop, 4 },
	{ "storm", "labs that are opened, filled, closed", 1, NULL, NULL, storm_loop, 3 },
	{ "random", "random verbs on the same objects from many threads", 2, random_prepare, NULL,
	  random_loop, 4 },
};

const unsigned int nr_attacks = ARRAY_SIZE(attacks);
