// SPDX-License-Identifier: GPL-2.0-only
/* The calls in which everything fails once: each with whatever it can have. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bhlab_netlink.h>
#include <linux/netlink.h>

#include "fail-nth.h"

static trial_fn try_it;

int lab_call(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

static void __attribute__((format(printf, 2, 3))) name_it(struct trial *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(t->name, sizeof(t->name), format, args);
	va_end(args);
}

static int destroy(int fd, uint32_t id)
{
	struct bhlab_destroy d = { .size = sizeof(d), .id = id };

	return lab_call(fd, BHLAB_IOC_DESTROY, &d);
}

/* --- the lab */

static uint32_t make_item(int fd, uint32_t mech, const char *name)
{
	struct bhlab_item_create c = { .size = sizeof(c), .mech = mech };

	strcpy(c.name, name);
	return lab_call(fd, BHLAB_IOC_ITEM_CREATE, &c) ? 0 : c.out_id;
}

int bench_open(struct bench *b)
{
	struct bhlab_queue_create q = { .size = sizeof(q), .flags = BHLAB_WQ_UNBOUND,
					.name = "queue" };
	struct bhlab_lock_create spin = { .size = sizeof(spin), .kind = BHLAB_LOCK_SPIN,
					  .context = BHLAB_CTX_HARDIRQ, .name = "spin" };
	struct bhlab_lock_create mutex = { .size = sizeof(mutex), .kind = BHLAB_LOCK_MUTEX,
					   .context = BHLAB_CTX_TASK, .name = "mutex" };
	struct bhlab_fifo_create fifo = { .size = sizeof(fifo), .depth = 8, .name = "fifo" };

	int ret;

	b->fd = open(DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (b->fd < 0)
		return -errno;
	b->sock = netlink_open();
	if (b->sock < 0)
		return b->sock;
	ret = lab_call(b->fd, BHLAB_IOC_QUEUE_CREATE, &q) ?:
	      lab_call(b->fd, BHLAB_IOC_LOCK_CREATE, &mutex) ?:
	      lab_call(b->fd, BHLAB_IOC_LOCK_CREATE, &spin) ?:
	      lab_call(b->fd, BHLAB_IOC_FIFO_CREATE, &fifo);
	if (ret)
		return ret;
	b->queue = q.out_id;
	b->mutex = mutex.out_id;
	b->spin = spin.out_id;
	b->fifo = fifo.out_id;
	b->work = make_item(b->fd, BHLAB_MECH_WORK, "work");
	return 0;
}

void bench_close(struct bench *b)
{
	close(b->fd);
	close(b->sock);
	b->fd = -1;
}

/* --- what is created, and destroyed again */

static int create(struct bench *b, const struct trial *t)
{
	union {
		struct bhlab_item_create item;
		struct bhlab_queue_create queue;
		struct bhlab_lock_create lock;
		struct bhlab_fifo_create fifo;
		struct bhlab_lookup lookup;
	} copy;

	memcpy(&copy, &t->item, sizeof(copy));
	return lab_call(b->fd, t->request, &copy);
}

/* A lab has locks for one life only: another one for each. */
static int another_lab(struct bench *b, const struct trial *t)
{
	bench_close(b);
	return bench_open(b);
}

static void uncreate(struct bench *b, const struct trial *t, int result)
{
	struct bhlab_lookup l = { .size = sizeof(l), .name = "new" };

	/* a reservation goes when its item does */
	if (result >= 0 && !lab_call(b->fd, BHLAB_IOC_LOOKUP, &l))
		destroy(b->fd, l.id);
}

static struct bhlab_step steps[64];

#define STEP(_op, ...)	((struct bhlab_step){ .op = BHLAB_OP_##_op, ##__VA_ARGS__ })

/* As many as are wanted; with the lock and the FIFO if they may be there. */
static uint32_t fill_steps(const struct bench *b, uint32_t want, uint32_t lock)
{
	uint32_t nr = 0;

	memset(steps, 0, sizeof(steps));
	while (nr < want) {
		if (nr == 0 && want >= 4 && lock) {
			steps[nr++] = STEP(LOCK, .target = lock);
			steps[nr++] = STEP(MARK, .arg = 1);
			steps[nr++] = STEP(UNLOCK, .target = lock);
		} else if (nr == 3 && want >= 4) {
			steps[nr++] = STEP(PUSH, .target = b->fifo, .arg = 1);
		} else {
			steps[nr++] = STEP(MARK, .arg = nr);
		}
	}
	return nr;
}

static struct trial item(uint32_t mech)
{
	return (struct trial){
		.call = create,
		.after = uncreate,
		.request = BHLAB_IOC_ITEM_CREATE,
		.item = { .size = sizeof(struct bhlab_item_create), .mech = mech, .name = "new",
			  .steps = (uintptr_t)steps },
	};
}

static const char *const mechs[] = {
	[BHLAB_MECH_WORK] = "work", [BHLAB_MECH_TASKLET] = "tasklet",
	[BHLAB_MECH_TASKLET_HI] = "tasklet_hi", [BHLAB_MECH_IRQ] = "irq",
	[BHLAB_MECH_IRQ_WORK] = "irq_work", [BHLAB_MECH_TIMER] = "timer",
	[BHLAB_MECH_HRTIMER] = "hrtimer", [BHLAB_MECH_HRTIMER_SOFT] = "hrtimer_soft",
	[BHLAB_MECH_KTHREAD_WORK] = "kthread_work", [BHLAB_MECH_RCU] = "rcu",
	[BHLAB_MECH_RCU_WORK] = "rcu_work",
};

static bool takes_queue(uint32_t mech)
{
	return mech == BHLAB_MECH_WORK || mech == BHLAB_MECH_RCU_WORK;
}

static bool takes_locks(uint32_t mech, uint32_t flags)
{
	return !(flags & (BHLAB_ITEM_HARD | BHLAB_ITEM_IRQSAFE));
}

/* Programs of no, of one, of as many steps as there may be; the queues that it may be on. */
static void item_variants(struct bench *b, uint32_t mech, uint32_t flags)
{
	static const uint32_t sizes[] = { 0, 1, 4, 64 };
	static const uint32_t queues[] = { 0, 1, BHLAB_QUEUE_UNBOUND, BHLAB_QUEUE_BH };
	struct trial t;

	for (unsigned int s = 0; s < ARRAY_SIZE(sizes); s++)
		for (unsigned int q = 0; q < ARRAY_SIZE(queues); q++) {
			if (q && !takes_queue(mech))
				break;
			if (queues[q] == BHLAB_QUEUE_BH && flags & BHLAB_ITEM_STATIC)
				continue;
			t = item(mech);
			t.item.flags = flags;
			t.item.queue = queues[q] == 1 ? b->queue : queues[q];
			t.item.nr_steps = fill_steps(b, sizes[s],
						     takes_locks(mech, flags) ? b->spin : 0);
			if (flags & BHLAB_ITEM_THREAD) {
				t.item.thread_steps = (uintptr_t)steps;
				t.item.nr_thread_steps = t.item.nr_steps;
			}
			name_it(&t, "create %s, flags %#x, queue %#x, %u steps", mechs[mech],
				flags, t.item.queue, sizes[s]);
			try_it(&t);
		}
}

static void create_items(struct bench *b)
{
	static const struct {
		uint32_t mech, flags;
	} variants[] = {
		{ BHLAB_MECH_WORK, BHLAB_ITEM_STATIC }, { BHLAB_MECH_TASKLET, BHLAB_ITEM_STATIC },
		{ BHLAB_MECH_TASKLET_HI, BHLAB_ITEM_STATIC },
		{ BHLAB_MECH_IRQ, BHLAB_ITEM_THREAD },
		{ BHLAB_MECH_IRQ_WORK, BHLAB_ITEM_HARD }, { BHLAB_MECH_IRQ_WORK, BHLAB_ITEM_LAZY },
		{ BHLAB_MECH_TIMER, BHLAB_ITEM_IRQSAFE }, { BHLAB_MECH_TIMER, BHLAB_ITEM_PINNED },
		{ BHLAB_MECH_HRTIMER, BHLAB_ITEM_HARD }, { BHLAB_MECH_HRTIMER, BHLAB_ITEM_PINNED },
		{ BHLAB_MECH_HRTIMER_SOFT, BHLAB_ITEM_PINNED },
		{ BHLAB_MECH_WORK, BHLAB_ITEM_CPU | BHLAB_ITEM_QUEUED },
	};

	for (uint32_t mech = BHLAB_MECH_WORK; mech <= BHLAB_MECH_RCU_WORK; mech++)
		item_variants(b, mech, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(variants); i++)
		item_variants(b, variants[i].mech, variants[i].flags);
}

static void create_threads(struct bench *b)
{
	struct trial t = item(BHLAB_MECH_KTHREAD_WORK);

	t.item.nr_steps = fill_steps(b, 4, b->mutex);
	name_it(&t, "create kthread_work with a mutex");
	try_it(&t);
	t.item.nice = -5;
	name_it(&t, "create kthread_work, nice -5");
	try_it(&t);
	t.item.nice = 0;
	t.item.priority = 10;
	name_it(&t, "create kthread_work, priority 10");
	try_it(&t);
}

static void create_queues(void)
{
	static const uint32_t shapes[] = {
		BHLAB_WQ_PERCPU, BHLAB_WQ_UNBOUND, BHLAB_WQ_BH, BHLAB_WQ_ORDERED, BHLAB_WQ_LEGACY,
		BHLAB_WQ_SINGLETHREAD, BHLAB_WQ_BH | BHLAB_WQ_HIGHPRI,
		BHLAB_WQ_PERCPU | BHLAB_WQ_HIGHPRI, BHLAB_WQ_UNBOUND | BHLAB_WQ_HIGHPRI,
		BHLAB_WQ_PERCPU | BHLAB_WQ_MEM_RECLAIM, BHLAB_WQ_UNBOUND | BHLAB_WQ_MEM_RECLAIM,
		BHLAB_WQ_ORDERED | BHLAB_WQ_MEM_RECLAIM, BHLAB_WQ_PERCPU | BHLAB_WQ_FREEZABLE,
		BHLAB_WQ_PERCPU | BHLAB_WQ_CPU_INTENSIVE,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(shapes); i++) {
		struct trial t = {
			.call = create, .after = uncreate, .request = BHLAB_IOC_QUEUE_CREATE,
			.queue = { .size = sizeof(t.queue), .flags = shapes[i], .name = "new" },
		};

		name_it(&t, "create queue, flags %#x", shapes[i]);
		try_it(&t);
	}
}

static void create_others(void)
{
	struct trial t = { .call = create, .after = uncreate };

	for (uint32_t kind = 0; kind < 4; kind++) {
		t.request = BHLAB_IOC_LOCK_CREATE;
		t.before = another_lab;
		t.lock = (struct bhlab_lock_create){
			.size = sizeof(t.lock), .name = "new",
			.kind = kind ? BHLAB_LOCK_SPIN : BHLAB_LOCK_MUTEX,
			.context = kind ? BHLAB_CTX_TASK << (kind - 1) : BHLAB_CTX_TASK,
		};
		name_it(&t, "create %s for context %#x", kind ? "spin lock" : "mutex",
			t.lock.context);
		try_it(&t);
	}
	t.before = NULL;
	t.request = BHLAB_IOC_FIFO_CREATE;
	t.fifo = (struct bhlab_fifo_create){ .size = sizeof(t.fifo), .depth = 8, .name = "new" };
	name_it(&t, "create FIFO");
	try_it(&t);
	t.request = BHLAB_IOC_LOOKUP;
	t.before = another_lab;
	t.after = NULL;
	t.lookup = (struct bhlab_lookup){
		.size = sizeof(t.lookup), .flags = BHLAB_LOOKUP_RESERVE, .name = "new",
	};
	name_it(&t, "reserve a name");
	try_it(&t);
}

/* A name that is reserved is given back when what takes it cannot be made. */
static int reserve(struct bench *b, const struct trial *t)
{
	struct bhlab_lookup l = {
		.size = sizeof(l), .flags = BHLAB_LOOKUP_RESERVE, .name = "new",
	};

	return lab_call(b->fd, BHLAB_IOC_LOOKUP, &l);
}

static void create_reserved(struct bench *b)
{
	struct trial t = item(BHLAB_MECH_WORK);

	t.before = reserve;
	t.item.nr_steps = fill_steps(b, 4, b->spin);
	name_it(&t, "create work, with a name that is reserved");
	try_it(&t);
}

/* --- what there is: each ioctl that only reads, or acts */

static int with_copy(struct bench *b, const struct trial *t, void *structure, size_t size)
{
	uint32_t first = size;

	memcpy(structure, &first, sizeof(first));
	return lab_call(b->fd, t->request, structure);
}

static int read_only(struct bench *b, const struct trial *t)
{
	char structure[512] = {};
	static const struct {
		unsigned long request;
		uint32_t size;
	} sizes[] = {
		{ BHLAB_IOC_INFO, sizeof(struct bhlab_info) },
		{ BHLAB_IOC_MECH, sizeof(struct bhlab_mech_info) },
		{ BHLAB_IOC_RING, sizeof(struct bhlab_ring_setup) },
		{ BHLAB_IOC_ITEM_STATE, sizeof(struct bhlab_item_state) },
		{ BHLAB_IOC_NEXT, sizeof(struct bhlab_lookup) },
		{ BHLAB_IOC_QUEUE_STATE, sizeof(struct bhlab_queue_state) },
		{ BHLAB_IOC_LOCK_STATE, sizeof(struct bhlab_lock_state) },
		{ BHLAB_IOC_FIFO_STATE, sizeof(struct bhlab_fifo_state) },
	};

	memcpy(structure + 8, &t->number[0], sizeof(uint32_t));
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
		if (sizes[i].request == t->request)
			return with_copy(b, t, structure, sizes[i].size);
	return -EINVAL;
}

static void look_at_it(const char *name, unsigned long request, uint32_t id)
{
	struct trial t = { .call = read_only, .request = request, .number = { id } };

	name_it(&t, "%s", name);
	try_it(&t);
}

static int get_program(struct bench *b, const struct trial *t)
{
	struct bhlab_step room[64];
	struct bhlab_item_program p = {
		.size = sizeof(p), .id = b->work, .nr_steps = 64, .steps = (uintptr_t)room,
	};

	return lab_call(b->fd, BHLAB_IOC_ITEM_PROGRAM, &p);
}

static uint32_t target;

/* Another one each time: what a verb has done stays done. */
static int make_target(struct bench *b, const struct trial *t)
{
	struct bhlab_lookup l = { .size = sizeof(l), .name = "target" };
	struct bhlab_item_create c = {
		.size = sizeof(c), .mech = t->number[3], .name = "target",
	};
	int ret;

	if (!lab_call(b->fd, BHLAB_IOC_LOOKUP, &l))
		destroy(b->fd, l.id);
	ret = lab_call(b->fd, BHLAB_IOC_ITEM_CREATE, &c);
	target = c.out_id;
	return ret;
}


static int verb(struct bench *b, const struct trial *t)
{
	struct bhlab_act a = {
		.size = sizeof(a), .flags = t->number[0], .id = target,
		.count = t->request == BHLAB_IOC_TRIGGER, .ns = t->number[1],
	};

	return lab_call(b->fd, t->request, &a);
}

static int verb_in_batch(struct bench *b, const struct trial *t)
{
	struct bhlab_batch_entry e[8] = {};
	struct bhlab_batch batch = {
		.size = sizeof(batch), .count = 8, .entries = (uintptr_t)e,
	};

	for (unsigned int i = 0; i < 8; i++)
		e[i] = (struct bhlab_batch_entry){
			.nr = BHLAB_NR_QUEUE,
			.act = { .size = sizeof(struct bhlab_act), .id = target },
		};
	return lab_call(b->fd, BHLAB_IOC_BATCH, &batch);
}

static const struct {
	const char *name;
	unsigned long request;
	enum bhlab_verb verb;
	uint32_t flags, ns;
} verbs[] = {
	{ "queue", BHLAB_IOC_QUEUE, BHLAB_VERB_QUEUE, 0, 0 },
	{ "queue on a CPU", BHLAB_IOC_QUEUE, BHLAB_VERB_QUEUE, BHLAB_ACT_CPU, 0 },
	{ "delay", BHLAB_IOC_DELAY, BHLAB_VERB_DELAY, 0, 1000000 },
	{ "delay, and another", BHLAB_IOC_DELAY, BHLAB_VERB_DELAY, BHLAB_ACT_MOD, 1000000 },
	{ "cancel", BHLAB_IOC_CANCEL, BHLAB_VERB_CANCEL, BHLAB_ACT_SYNC, 0 },
	{ "flush", BHLAB_IOC_FLUSH, BHLAB_VERB_FLUSH, 0, 0 },
	{ "disable", BHLAB_IOC_DISABLE, BHLAB_VERB_DISABLE, BHLAB_ACT_SYNC, 0 },
	{ "trigger", BHLAB_IOC_TRIGGER, BHLAB_VERB_TRIGGER, 0, 0 },
	{ "trigger again and again", BHLAB_IOC_TRIGGER, BHLAB_VERB_TRIGGER, BHLAB_ACT_PERIOD,
	  1000000 },
};

static void verbs_of(struct bench *b, uint32_t mech)
{
	struct bhlab_mech_info info = { .size = sizeof(info), .mech = mech };
	struct trial t = { .before = make_target, .number = { [3] = mech } };

	lab_call(b->fd, BHLAB_IOC_MECH, &info);
	for (unsigned int i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (!((info.out_native | info.out_emulated) & (1U << verbs[i].verb)))
			continue;
		t.call = verb;
		t.request = verbs[i].request;
		t.number[0] = verbs[i].flags;
		t.number[1] = verbs[i].ns;
		name_it(&t, "%s %s", verbs[i].name, mechs[mech]);
		try_it(&t);
	}
	t.call = verb_in_batch;
	t.request = BHLAB_IOC_BATCH;
	name_it(&t, "batch of %s", mechs[mech]);
	try_it(&t);
}

/* Nothing of it is there afterwards, or all if its end was refused. */
static int end_it(struct bench *b, const struct trial *t)
{
	return destroy(b->fd, target);
}

static void ends_of(uint32_t mech)
{
	struct trial t = {
		.before = make_target, .call = end_it, .number = { [3] = mech },
	};

	name_it(&t, "destroy %s", mechs[mech]);
	try_it(&t);
}

static int wait_for(struct bench *b, const struct trial *t)
{
	struct bhlab_wait w = {
		.size = sizeof(w), .condition = t->number[0],
		.id = t->number[0] == BHLAB_COND_RECORDED ? 0 : b->work,
	};

	return lab_call(b->fd, BHLAB_IOC_WAIT, &w);
}

static int drain(struct bench *b, const struct trial *t)
{
	struct bhlab_act a = { .size = sizeof(a), .id = b->queue };

	return lab_call(b->fd, t->request, &a);
}

static void try_call(const char *name, unsigned long request, uint32_t number,
		     int (*call)(struct bench *b, const struct trial *t))
{
	struct trial t = { .call = call, .request = request, .number = { number } };

	name_it(&t, "%s", name);
	try_it(&t);
}

static void all_else(struct bench *b)
{
	look_at_it("info", BHLAB_IOC_INFO, 0);
	look_at_it("mechanism", BHLAB_IOC_MECH, 1);
	look_at_it("ring", BHLAB_IOC_RING, 0);
	look_at_it("state of an item", BHLAB_IOC_ITEM_STATE, b->work);
	look_at_it("next", BHLAB_IOC_NEXT, 0);
	look_at_it("state of a queue", BHLAB_IOC_QUEUE_STATE, b->queue);
	look_at_it("state of a lock", BHLAB_IOC_LOCK_STATE, b->spin);
	look_at_it("state of a FIFO", BHLAB_IOC_FIFO_STATE, b->fifo);
	try_call("program", 0, 0, get_program);
	try_call("wait for idle", 0, BHLAB_COND_IDLE, wait_for);
	try_call("wait for records", 0, BHLAB_COND_RECORDED, wait_for);
	try_call("drain", BHLAB_IOC_DRAIN, 0, drain);
	try_call("flush a queue", BHLAB_IOC_FLUSH, 0, drain);
}

/* --- the file: a lab of its own, which is open from @before to @after */

static int extra = -1;

static int extra_open(struct bench *b, const struct trial *t)
{
	extra = open(DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	return extra < 0 ? -errno : 0;
}

static void extra_close(struct bench *b, const struct trial *t, int result)
{
	if (extra >= 0)
		close(extra);
	extra = -1;
}

static int first_read(struct bench *b, const struct trial *t)
{
	static struct bhlab_event e;

	return read(extra, &e, sizeof(e)) < 0 && errno != EAGAIN ? -errno : 0;
}

/* POLLERR says that there is no ring. */
static int first_poll(struct bench *b, const struct trial *t)
{
	struct pollfd fds = { .fd = extra, .events = POLLIN };

	if (poll(&fds, 1, 0) < 0)
		return -errno;
	return fds.revents & POLLERR ? -ENOMEM : 0;
}

static int first_map(struct bench *b, const struct trial *t)
{
	size_t size = 8 * PAGE;
	void *at = mmap(NULL, size, PROT_READ, MAP_SHARED, extra, 0);

	if (at == MAP_FAILED)
		return -errno;
	munmap(at, size);
	return 0;
}

static int first_wait(struct bench *b, const struct trial *t)
{
	struct bhlab_wait w = { .size = sizeof(w), .condition = BHLAB_COND_RECORDED };

	return lab_call(extra, BHLAB_IOC_WAIT, &w);
}

static int first_item(struct bench *b, const struct trial *t)
{
	struct bhlab_item_create c = {
		.size = sizeof(c), .mech = BHLAB_MECH_TASKLET, .name = "first",
	};
	struct bhlab_lookup l = { .size = sizeof(l) };
	int ret = lab_call(extra, BHLAB_IOC_ITEM_CREATE, &c);

	if (ret && !lab_call(extra, BHLAB_IOC_NEXT, &l))
		return -EEXIST;
	return ret;
}

static int last_close(struct bench *b, const struct trial *t)
{
	int fd = extra;

	extra = -1;
	return close(fd) ? -errno : 0;
}

static void files(void)
{
	static const struct {
		const char *name;
		int (*before)(struct bench *b, const struct trial *t);
		int (*call)(struct bench *b, const struct trial *t);
	} calls[] = {
		{ "open", NULL, extra_open }, { "the first read", extra_open, first_read },
		{ "the first poll", extra_open, first_poll },
		{ "the first mmap", extra_open, first_map },
		{ "the first wait for records", extra_open, first_wait },
		{ "the first item", extra_open, first_item },
		{ "close", extra_open, last_close },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++) {
		struct trial t = {
			.before = calls[i].before, .call = calls[i].call, .after = extra_close,
		};

		name_it(&t, "%s", calls[i].name);
		try_it(&t);
	}
}

/* --- netlink */

struct attr {
	struct nlattr head;
	uint32_t value;
};

static uint32_t lab_number(struct bench *b)
{
	struct bhlab_info info = { .size = sizeof(info) };

	lab_call(b->fd, BHLAB_IOC_INFO, &info);
	return info.out_lab;
}

static struct attr attr(uint16_t type, uint32_t value)
{
	return (struct attr){
		.head = { .nla_len = sizeof(struct attr), .nla_type = type }, .value = value,
	};
}

/* A dump that fails on its way ends, and may leave something in the socket. */
static int new_socket(struct bench *b, const struct trial *t)
{
	close(b->sock);
	b->sock = netlink_open();
	return b->sock < 0 ? b->sock : 0;
}

/* The numbers of two attributes follow each other. */
static int ask(struct bench *b, const struct trial *t)
{
	struct attr attrs[2] = {
		attr(t->request, t->number[2]), attr(t->request + 1, t->number[3]),
	};

	return netlink_ask(b->sock, t->number[0], t->number[1], attrs,
			   sizeof(attrs[0]) * (!!t->number[2] + !!t->number[3]));
}

static void ask_it(const char *name, uint8_t cmd, uint16_t flags, uint16_t first, uint32_t lab,
		   uint32_t id)
{
	struct trial t = {
		.before = new_socket, .call = ask, .netlink = true, .request = first,
		.number = { cmd, flags, lab, id },
	};

	name_it(&t, "netlink: %s", name);
	try_it(&t);
}

static int join(struct bench *b, const struct trial *t)
{
	return netlink_join(b->sock);
}

static void netlink(struct bench *b)
{
	struct trial joins = { .name = "netlink: join the group", .before = new_socket,
			       .call = join, .netlink = true };
	uint32_t lab = lab_number(b);

	ask_it("the driver", BHLAB_CMD_STATS_GET, NLM_F_ACK, 0, 0, 0);
	ask_it("a lab", BHLAB_CMD_LAB_GET, NLM_F_ACK, BHLAB_A_LAB_ID, lab, 0);
	ask_it("an item", BHLAB_CMD_ITEM_GET, NLM_F_ACK, BHLAB_A_ITEM_LAB, lab, b->work);
	ask_it("a queue", BHLAB_CMD_QUEUE_GET, NLM_F_ACK, BHLAB_A_QUEUE_LAB, lab, b->queue);
	ask_it("all labs", BHLAB_CMD_LAB_GET, NLM_F_DUMP, 0, 0, 0);
	ask_it("all items", BHLAB_CMD_ITEM_GET, NLM_F_DUMP, 0, 0, 0);
	ask_it("all queues", BHLAB_CMD_QUEUE_GET, NLM_F_DUMP, 0, 0, 0);
	ask_it("all items of a lab", BHLAB_CMD_ITEM_GET, NLM_F_DUMP, BHLAB_A_ITEM_LAB, lab, 0);
	try_it(&joins);
}

void all_trials(trial_fn fn, struct bench *b)
{
	try_it = fn;
	create_items(b);
	create_threads(b);
	create_queues();
	create_others();
	create_reserved(b);
	all_else(b);
	for (uint32_t mech = BHLAB_MECH_WORK; mech <= BHLAB_MECH_RCU_WORK; mech++)
		verbs_of(b, mech);
	for (uint32_t mech = BHLAB_MECH_WORK; mech <= BHLAB_MECH_RCU_WORK; mech++)
		ends_of(mech);
	files();
	netlink(b);
}

/* --- the module */

static int module_file = -1;

static int load(struct bench *b, const struct trial *t)
{
	return syscall(SYS_finit_module, module_file, "", 0) ? -errno : 0;
}

static void unload(struct bench *b, const struct trial *t, int result)
{
	/* somebody may look at the device just then */
	while (!result && syscall(SYS_delete_module, "bhlab", O_NONBLOCK) && errno == EAGAIN)
		nap(5 * MS);
}

int module_trials(trial_fn fn, const char *path)
{
	const struct trial t = { .name = "load the driver", .call = load, .after = unload };

	module_file = open(path, O_RDONLY | O_CLOEXEC);
	if (module_file < 0)
		return -errno;
	fn(&t);
	close(module_file);
	return 0;
}
