// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all ioctls have in common: how structures are sized, copied and checked,
 * and in which order. Built for 64 and for 32 bit from this one source.
 */
#include "bhlab_test.h"

#define PAGE	4096UL

union request {
	__u32 word[2];
	struct bhlab_info info;
	struct bhlab_mech_info mech;
	struct bhlab_ring_setup ring;
	struct bhlab_item_create create;
	struct bhlab_item_state state;
	struct bhlab_item_program program;
	struct bhlab_lookup lookup;
	struct bhlab_destroy destroy;
	struct bhlab_act act;
	struct bhlab_wait wait;
	struct bhlab_batch batch;
	struct bhlab_queue_create queue_create;
	struct bhlab_queue_state queue_state;
	struct bhlab_lock_create lock_create;
	struct bhlab_lock_state lock_state;
	struct bhlab_fifo_create fifo_create;
	struct bhlab_fifo_state fifo_state;
};

/* A lab with one item of each kind that requests need, and some memory. */
struct bench {
	int fd;
	__u32 item;
	__u32 line;
	__u32 queue;
	__u32 lock;
	__u32 fifo;
	unsigned int names;
	/* two pages, and behind them one that nobody may touch */
	char *mem;
};

static const struct bhlab_step one_step[] = { { .op = BHLAB_OP_MARK } };

static void fill_nothing(struct bench *b, union request *r)
{
}

static void fill_mech(struct bench *b, union request *r)
{
	r->mech.mech = BHLAB_MECH_WORK;
}

static void fill_create(struct bench *b, union request *r)
{
	r->create.mech = BHLAB_MECH_WORK;
	r->create.steps = (uintptr_t)one_step;
	r->create.nr_steps = 1;
	snprintf(r->create.name, sizeof(r->create.name), "new%u", b->names++);
}

static void fill_state(struct bench *b, union request *r)
{
	r->state.id = b->item;
}

static void fill_program(struct bench *b, union request *r)
{
	r->program.id = b->item;
}

static void fill_lookup(struct bench *b, union request *r)
{
	strcpy(r->lookup.name, "item");
}

static void fill_destroy(struct bench *b, union request *r)
{
	char name[BHLAB_NAME_LEN];

	snprintf(name, sizeof(name), "victim%u", b->names++);
	r->destroy.id = bh_add(b->fd, BHLAB_MECH_WORK, name);
}

static void fill_act(struct bench *b, union request *r)
{
	r->act.id = b->item;
}

static void fill_enable(struct bench *b, union request *r)
{
	bh_act(b->fd, DISABLE, b->item);
	r->act.id = b->item;
}

/* Lines take their time to go, so that there is only one where it is needed. */
static void fill_trigger(struct bench *b, union request *r)
{
	if (!b->line)
		b->line = bh_add(b->fd, BHLAB_MECH_IRQ, "line");
	r->act.id = b->line;
	r->act.count = 1;
}

static void fill_wait(struct bench *b, union request *r)
{
	r->wait.id = b->item;
	r->wait.condition = BHLAB_COND_IDLE;
	r->wait.timeout_ns = BH_PATIENCE;
}

static void fill_drain(struct bench *b, union request *r)
{
	if (!b->queue)
		b->queue = bh_queue(b->fd, "queue", BHLAB_WQ_UNBOUND);
	r->act.id = b->queue;
}

/* Of the entry nothing is left from one time to the next. */
static void fill_batch(struct bench *b, union request *r)
{
	static struct bhlab_batch_entry entry;

	entry = (struct bhlab_batch_entry){
		.nr = BHLAB_NR_CANCEL,
		.act = { .size = sizeof(entry.act), .id = b->item },
	};
	r->batch.count = 1;
	r->batch.entries = (uintptr_t)&entry;
}

static void fill_queue_create(struct bench *b, union request *r)
{
	r->queue_create.flags = BHLAB_WQ_UNBOUND;
	snprintf(r->queue_create.name, BHLAB_NAME_LEN, "new%u", b->names++);
}

static void fill_queue_state(struct bench *b, union request *r)
{
	fill_drain(b, r);
}

/* Of locks a lab has only a few in all its life. */
static void fill_lock_create(struct bench *b, union request *r)
{
	r->lock_create.kind = BHLAB_LOCK_SPIN;
	r->lock_create.context = BHLAB_CTX_TASK;
	snprintf(r->lock_create.name, BHLAB_NAME_LEN, "new%u", b->names++);
}

static void fill_lock_state(struct bench *b, union request *r)
{
	if (!b->lock)
		b->lock = bh_lock(b->fd, "lock", BHLAB_LOCK_SPIN, BHLAB_CTX_TASK);
	r->lock_state.id = b->lock;
}

static void fill_fifo_create(struct bench *b, union request *r)
{
	r->fifo_create.depth = 8;
	snprintf(r->fifo_create.name, BHLAB_NAME_LEN, "new%u", b->names++);
}

static void fill_fifo_state(struct bench *b, union request *r)
{
	if (!b->fifo)
		b->fifo = bh_fifo(b->fd, "fifo", 8);
	r->fifo_state.id = b->fifo;
}

/*
 * The table of ioctls: name in tests, name, structure, the last field of its
 * first version, flags, and what the kernel fills in from where to where.
 */
#define NO_OUT		0, 0
#define OUT(_s, _first, _last) \
	offsetof(struct _s, _first),						\
	__builtin_offsetof(struct _s, _last) + sizeof(((struct _s *)0)->_last)
#define ACT_OUT		OUT(bhlab_act, out_result, out_count)

#define ITEM_FLAGS								\
	(BHLAB_ITEM_CPU | BHLAB_ITEM_THREAD | BHLAB_ITEM_QUEUED | BHLAB_ITEM_HARD | \
	 BHLAB_ITEM_LAZY | BHLAB_ITEM_IRQSAFE | BHLAB_ITEM_PINNED | BHLAB_ITEM_STATIC |	\
	 BHLAB_ITEM_ONESHOT)
#define WQ_FLAGS								\
	(BHLAB_WQ_PERCPU | BHLAB_WQ_UNBOUND | BHLAB_WQ_BH | BHLAB_WQ_ORDERED |	\
	 BHLAB_WQ_LEGACY | BHLAB_WQ_SINGLETHREAD | BHLAB_WQ_HIGHPRI |		\
	 BHLAB_WQ_FREEZABLE | BHLAB_WQ_MEM_RECLAIM | BHLAB_WQ_CPU_INTENSIVE)

#define IOCTLS(X)								\
	X(info, INFO, bhlab_info, out_kernel, 0, fill_nothing,			\
	  OUT(bhlab_info, out_abi, out_kernel))					\
	X(mech, MECH, bhlab_mech_info, out_name, 0, fill_mech,			\
	  OUT(bhlab_mech_info, out_native, out_name))				\
	X(ring, RING, bhlab_ring_setup, out_lost,				\
	  BHLAB_RING_RECORDS | BHLAB_RING_WATERMARK, fill_nothing,		\
	  OUT(bhlab_ring_setup, out_cpus, out_lost))				\
	X(create, ITEM_CREATE, bhlab_item_create, priority, ITEM_FLAGS, fill_create, \
	  OUT(bhlab_item_create, out_id, out_id))				\
	X(state, ITEM_STATE, bhlab_item_state, out_priority, 0, fill_state,		\
	  OUT(bhlab_item_state, out_mech, out_repeated))			\
	X(program, ITEM_PROGRAM, bhlab_item_program, steps, 0, fill_program, NO_OUT) \
	X(lookup, LOOKUP, bhlab_lookup, name, BHLAB_LOOKUP_RESERVE, fill_lookup, \
	  OUT(bhlab_lookup, id, out_kind))					\
	X(next, NEXT, bhlab_lookup, name, 0, fill_nothing,			\
	  OUT(bhlab_lookup, out_kind, name))					\
	X(destroy, DESTROY, bhlab_destroy, reserved, 0, fill_destroy, NO_OUT)	\
	X(queue, QUEUE, bhlab_act, out_count,					\
	  BHLAB_ACT_CPU | BHLAB_ACT_QUEUE, fill_act, ACT_OUT)			\
	X(delay, DELAY, bhlab_act, out_count,					\
	  BHLAB_ACT_CPU | BHLAB_ACT_QUEUE | BHLAB_ACT_MOD, fill_act, ACT_OUT)	\
	X(cancel, CANCEL, bhlab_act, out_count, BHLAB_ACT_SYNC, fill_act, ACT_OUT) \
	X(flush, FLUSH, bhlab_act, out_count, 0, fill_act, ACT_OUT)		\
	X(disable, DISABLE, bhlab_act, out_count, BHLAB_ACT_SYNC, fill_act, ACT_OUT) \
	X(enable, ENABLE, bhlab_act, out_count, 0, fill_enable, ACT_OUT)	\
	X(trigger, TRIGGER, bhlab_act, out_count,				\
	  BHLAB_ACT_CPU | BHLAB_ACT_PERIOD, fill_trigger, ACT_OUT)		\
	X(drain, DRAIN, bhlab_act, out_count, 0, fill_drain, ACT_OUT)		\
	X(wait, WAIT, bhlab_wait, timeout_ns, 0, fill_wait, NO_OUT)		\
	X(batch, BATCH, bhlab_batch, entries, BHLAB_BATCH_ON, fill_batch,	\
	  OUT(bhlab_batch, out_done, out_failed))				\
	X(queue_create, QUEUE_CREATE, bhlab_queue_create, name, WQ_FLAGS,	\
	  fill_queue_create, OUT(bhlab_queue_create, out_id, out_id))		\
	X(queue_state, QUEUE_STATE, bhlab_queue_state, out_name, 0, fill_queue_state, \
	  OUT(bhlab_queue_state, out_queue_flags, out_name))			\
	X(lock_create, LOCK_CREATE, bhlab_lock_create, name, 0, fill_lock_create, \
	  OUT(bhlab_lock_create, out_id, out_id))				\
	X(lock_state, LOCK_STATE, bhlab_lock_state, out_name, 0, fill_lock_state, \
	  OUT(bhlab_lock_state, out_kind, out_name))				\
	X(fifo_create, FIFO_CREATE, bhlab_fifo_create, name, 0, fill_fifo_create, \
	  OUT(bhlab_fifo_create, out_id, out_id))				\
	X(fifo_state, FIFO_STATE, bhlab_fifo_state, out_name, 0, fill_fifo_state, \
	  OUT(bhlab_fifo_state, out_depth, out_programs))

static void bench_open(struct bench *b)
{
	struct bhlab_ring_setup small = {
		.size = sizeof(small),
		.flags = BHLAB_RING_RECORDS,
		.records = 64,
	};

	b->fd = bh_open(O_NONBLOCK);
	bh_call(b->fd, BHLAB_IOC_RING, &small);
	b->item = bh_add(b->fd, BHLAB_MECH_TASKLET, "item");
	b->mem = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(b->mem + 2 * PAGE, PAGE, PROT_NONE);
}

/* Everything that a refused call must leave as it was. */
struct snapshot {
	unsigned int objects;
	struct bhlab_ring_setup ring;
	struct bhlab_item_state item;
	struct bhlab_item_state line;
};

static void take_snapshot(const struct bench *b, struct snapshot *s)
{
	struct bhlab_lookup next = { .size = sizeof(next) };

	memset(s, 0, sizeof(*s));
	bh_wait_for(b->fd, b->item, IDLE);
	if (b->line) {
		bh_wait_for(b->fd, b->line, IDLE);
		bh_state(b->fd, b->line, &s->line);
	}
	while (!bh_call(b->fd, BHLAB_IOC_NEXT, &next))
		s->objects++;
	bh_ring(b->fd, &s->ring);
	bh_state(b->fd, b->item, &s->item);
}

FIXTURE(ioctl) {
	struct bench bench;
};

FIXTURE_VARIANT(ioctl) {
	unsigned int nr;
	__u32 size;
	__u32 min_size;
	__u32 flags;
	void (*fill)(struct bench *b, union request *r);
	__u32 out_from;
	__u32 out_to;
};

#define VARIANT(_name, _NR, _struct, _last, _flags, _fill, ...)		\
	_VARIANT(_name, _NR, _struct, _last, _flags, _fill, __VA_ARGS__)
#define _VARIANT(_name, _NR, _struct, _last, _flags, _fill, _from, _to)	\
	FIXTURE_VARIANT_ADD(ioctl, _name) {				\
		.nr = BHLAB_NR_##_NR,					\
		.size = sizeof(struct _struct),				\
		.min_size = offsetof(struct _struct, _last) +		\
			    sizeof(((struct _struct *)0)->_last),	\
		.flags = _flags,					\
		.fill = _fill,						\
		.out_from = _from,					\
		.out_to = _to,						\
	};

IOCTLS(VARIANT)

FIXTURE_SETUP(ioctl)
{
	bench_open(&self->bench);
	ASSERT_LE(0, self->bench.fd);
	ASSERT_EQ(1, self->bench.item);
	ASSERT_TRUE(self->bench.mem != MAP_FAILED);
}

FIXTURE_TEARDOWN(ioctl)
{
	bh_end(_metadata, self->bench.fd);
}

typedef FIXTURE_VARIANT(ioctl) variant_t;

static unsigned long cmd_of(const variant_t *v)
{
	return _IO(BHLAB_IOC_MAGIC, v->nr);
}

/* A request that is accepted. */
static union request good(struct bench *b, const variant_t *v)
{
	union request r = { .word = { v->size } };

	v->fill(b, &r);
	return r;
}

/*
 * A request of that size that is accepted but for its size, so that it ends
 * where the memory does. What does not fit is cut off at its start.
 */
static void *place(struct bench *b, const variant_t *v, __u32 size)
{
	union request r = good(b, v);
	char *p = b->mem + 2 * PAGE - (size > 2 * PAGE ? 2 * PAGE : size < 8 ? 8 : size);

	memset(b->mem, 0, 2 * PAGE);
	r.word[0] = size;
	memcpy(p, &r, v->size < b->mem + 2 * PAGE - p ? v->size : b->mem + 2 * PAGE - p);
	return p;
}

/* The call gives this error, and nothing has changed by it. */
static void refused(struct __test_metadata *_metadata, struct bench *b,
		    const variant_t *v, int error, void *p, const char *what)
{
	struct snapshot before, after;
	char copy[2 * PAGE];

	take_snapshot(b, &before);
	memcpy(copy, b->mem, sizeof(copy));
	EXPECT_EQ(-error, bh_call(b->fd, cmd_of(v), p)) {
		TH_LOG("%s", what);
	}
	EXPECT_EQ(0, memcmp(copy, b->mem, sizeof(copy))) {
		TH_LOG("%s: the structure has changed", what);
	}
	take_snapshot(b, &after);
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before))) {
		TH_LOG("%s: there was a side effect", what);
	}
}

#define REFUSED(_error, _p, _what) \
	refused(_metadata, b, variant, _error, _p, _what)

TEST_F(ioctl, size_accepted)
{
	const __u32 sizes[] = {
		variant->min_size, variant->size, variant->size + 1,
		variant->size + 8, BHLAB_SIZE_MAX,
	};
	struct bench *b = &self->bench;
	char *p;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		p = place(b, variant, sizes[i]);
		EXPECT_EQ(0, bh_call(b->fd, cmd_of(variant), p)) {
			TH_LOG("size %u", sizes[i]);
		}
		EXPECT_EQ(sizes[i], *(__u32 *)p);
		for (__u32 k = variant->size; k < sizes[i]; k++) {
			EXPECT_EQ(0, p[k]) {
				TH_LOG("tail of size %u", sizes[i]);
			}
		}
	}
}

TEST_F(ioctl, size_refused)
{
	struct bench *b = &self->bench;

	REFUSED(EINVAL, place(b, variant, 0), "size 0");
	REFUSED(EINVAL, place(b, variant, 4), "size 4");
	REFUSED(EINVAL, place(b, variant, 8), "size 8");
	REFUSED(EINVAL, place(b, variant, variant->min_size - 1), "short by one");
	REFUSED(EINVAL, place(b, variant, BHLAB_SIZE_MAX + 1), "4097");
	REFUSED(EINVAL, place(b, variant, 0xffffffff), "size of all ones");
}

TEST_F(ioctl, tail_not_zero)
{
	const __u32 sizes[] = { variant->size + 1, variant->size + 8, BHLAB_SIZE_MAX };
	struct bench *b = &self->bench;
	char *p;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		p = place(b, variant, sizes[i]);
		p[sizes[i] - 1] = 1;
		REFUSED(E2BIG, p, "the last byte of the tail");
		p = place(b, variant, sizes[i]);
		p[variant->size] = 0x80;
		REFUSED(E2BIG, p, "the first byte of the tail");
	}
}

TEST_F(ioctl, bad_pointer)
{
	struct bench *b = &self->bench;
	char *p;

	REFUSED(EFAULT, NULL, "NULL");
	REFUSED(EFAULT, b->mem + 2 * PAGE, "not mapped");
	REFUSED(EFAULT, (void *)-PAGE, "an address of the kernel");

	p = place(b, variant, variant->size);
	memmove(p + 1, p, variant->size - 1);
	REFUSED(EFAULT, p + 1, "the last byte not mapped");
	p = place(b, variant, variant->size);
	memmove(p + 4, p, variant->size - 4);
	REFUSED(EFAULT, p + 4, "the last word not mapped");
	memcpy(b->mem + 2 * PAGE - 4, &variant->size, 4);
	REFUSED(EFAULT, b->mem + 2 * PAGE - 4, "all but the size not mapped");
	REFUSED(EFAULT, b->mem + 2 * PAGE - 2, "half of the size not mapped");
}

TEST_F(ioctl, read_only)
{
	struct bench *b = &self->bench;
	union request r = good(b, variant);
	char *p = b->mem + PAGE - variant->size;

	memcpy(p, &r, variant->size);
	mprotect(b->mem, PAGE, PROT_READ);
	REFUSED(EFAULT, p, "read only");

	p += 4;
	mprotect(b->mem, PAGE, PROT_READ | PROT_WRITE);
	memcpy(p, &r, variant->size);
	mprotect(b->mem, PAGE, PROT_READ);
	REFUSED(EFAULT, p, "all but the last word read only");

	mprotect(b->mem, 2 * PAGE, PROT_READ | PROT_WRITE);
	mprotect(b->mem + PAGE, PAGE, PROT_READ);
	REFUSED(EFAULT, p, "the last word read only");

	/* a size is looked at before it is believed */
	*(__u32 *)p = variant->min_size - 1;
	mprotect(b->mem, PAGE, PROT_READ);
	REFUSED(EINVAL, p, "read only, and short");
}

TEST_F(ioctl, unknown_flag)
{
	struct bench *b = &self->bench;
	union request *r;

	for (int bit = 0; bit < 32; bit++) {
		if (variant->flags & (1U << bit))
			continue;
		r = place(b, variant, variant->size);
		r->word[1] = 1U << bit;
		REFUSED(EOPNOTSUPP, r, "an unknown flag");
	}
}

TEST_F(ioctl, no_such_ioctl)
{
	struct bench *b = &self->bench;
	union request r = good(b, variant);
	__u32 nr = variant->nr;

	EXPECT_EQ(-ENOTTY, bh_call(b->fd, _IO(BHLAB_IOC_MAGIC + 1, nr), &r));
	EXPECT_EQ(-ENOTTY, bh_call(b->fd, _IO(BHLAB_IOC_MAGIC - 1, nr), &r));
	EXPECT_EQ(-ENOTTY, bh_call(b->fd, _IOC(_IOC_READ, BHLAB_IOC_MAGIC, nr, 0), &r));
	EXPECT_EQ(-ENOTTY, bh_call(b->fd, _IOC(_IOC_WRITE, BHLAB_IOC_MAGIC, nr, 0), &r));
	EXPECT_EQ(-ENOTTY, bh_call(b->fd, _IOC(_IOC_NONE, BHLAB_IOC_MAGIC, nr, variant->size),
				   &r));
	EXPECT_EQ(-ENOTTY, bh_call(b->fd, _IOC(_IOC_READ | _IOC_WRITE, BHLAB_IOC_MAGIC, nr,
					       variant->size), &r));
}

/* Of two things that are wrong, the one that is checked first gives the error. */
TEST_F(ioctl, order)
{
	struct bench *b = &self->bench;
	union request *r;

	EXPECT_EQ(-ENOTTY, bh_call(b->fd, _IO(BHLAB_IOC_MAGIC + 1, variant->nr), NULL));

	r = place(b, variant, variant->size + 8);
	r->word[1] = 1U << 31;
	((char *)r)[variant->size] = 1;
	REFUSED(E2BIG, r, "a tail before an unknown flag");

	r = place(b, variant, variant->min_size - 1);
	r->word[1] = 1U << 31;
	REFUSED(EINVAL, r, "a short size before an unknown flag");

	r = place(b, variant, BHLAB_SIZE_MAX + 1);
	((char *)r)[variant->size] = 1;
	r->word[1] = 1U << 31;
	REFUSED(EINVAL, r, "a long size before a tail");

	r = place(b, variant, variant->size + 8);
	((char *)r)[variant->size] = 1;
	memmove((char *)r + 4, r, variant->size + 4);
	REFUSED(EFAULT, (char *)r + 4, "a bad pointer before a tail");
}

/* What is not written has two values: that of the first poison and of the second. */
TEST_F(ioctl, outputs)
{
	struct bench *b = &self->bench;
	union request a = good(b, variant), z;

	memset((char *)&a + variant->out_from, 0xa5, variant->out_to - variant->out_from);
	EXPECT_EQ(0, bh_call(b->fd, cmd_of(variant), &a));
	bh_wait_for(b->fd, b->item, IDLE);
	z = good(b, variant);
	memset((char *)&z + variant->out_from, 0x5a, variant->out_to - variant->out_from);
	EXPECT_EQ(0, bh_call(b->fd, cmd_of(variant), &z));

	for (__u32 i = variant->out_from; i < variant->out_to; i++) {
		ASSERT_FALSE(((__u8 *)&a)[i] == 0xa5 && ((__u8 *)&z)[i] == 0x5a) {
			TH_LOG("byte %u is not written", i);
		}
	}
}

/* With their flags unset, fields that belong to flags are unused; so are others. */
#define UNUSED(_NR, _struct, _field, _value, _setup) {			\
		.nr = BHLAB_NR_##_NR, .fill = _setup,			\
		.size = sizeof(struct _struct),				\
		.offset = offsetof(struct _struct, _field),		\
		.width = sizeof(((struct _struct *)0)->_field),		\
		.value = _value, .what = #_NR " " #_field,		\
	}
#define UNUSED_ACT(_NR, _field, _setup)					\
	UNUSED(_NR, bhlab_act, _field, 1, _setup)

static const struct unused {
	unsigned int nr;
	void (*fill)(struct bench *b, union request *r);
	__u32 size;
	__u32 offset;
	__u32 width;
	__u64 value;
	const char *what;
} unused[] = {
	UNUSED(RING, bhlab_ring_setup, records, 64, fill_nothing),
	UNUSED(RING, bhlab_ring_setup, watermark, 1, fill_nothing),
	UNUSED(ITEM_CREATE, bhlab_item_create, mech, 0, fill_create),
	UNUSED(ITEM_CREATE, bhlab_item_create, mech, BH_NR_MECHS + 1, fill_create),
	UNUSED(ITEM_CREATE, bhlab_item_create, mech, 0xffffffff, fill_create),
	UNUSED(ITEM_CREATE, bhlab_item_create, cpu, 1, fill_create),
	UNUSED(ITEM_CREATE, bhlab_item_create, flags, BHLAB_ITEM_THREAD, fill_create),
	UNUSED(ITEM_CREATE, bhlab_item_create, flags, BHLAB_ITEM_HARD, fill_create),
	UNUSED(ITEM_CREATE, bhlab_item_create, flags, BHLAB_ITEM_LAZY, fill_create),
	UNUSED(ITEM_CREATE, bhlab_item_create, flags, BHLAB_ITEM_IRQSAFE, fill_create),
	UNUSED(ITEM_CREATE, bhlab_item_create, flags, BHLAB_ITEM_PINNED, fill_create),
	UNUSED(ITEM_CREATE, bhlab_item_create, flags, BHLAB_ITEM_ONESHOT, fill_create),
	UNUSED(ITEM_CREATE, bhlab_item_create, nice, 1, fill_create),
	UNUSED(ITEM_CREATE, bhlab_item_create, nice, 0xffffffff, fill_create),
	UNUSED(ITEM_CREATE, bhlab_item_create, nice, 20, fill_create),
	UNUSED(ITEM_CREATE, bhlab_item_create, priority, 1, fill_create),
	UNUSED(ITEM_CREATE, bhlab_item_create, priority, 100, fill_create),
	UNUSED(ITEM_CREATE, bhlab_item_create, weight, 1, fill_create),
	UNUSED(ITEM_CREATE, bhlab_item_create, period_ns, 1, fill_create),
	UNUSED(ITEM_CREATE, bhlab_item_create, nr_thread_steps, 1, fill_create),
	UNUSED(ITEM_CREATE, bhlab_item_create, thread_steps, 1, fill_create),
	UNUSED(ITEM_CREATE, bhlab_item_create, thread_steps, 1ULL << 63, fill_create),
	UNUSED(ITEM_CREATE, bhlab_item_create, flow, BHLAB_FLOW_EDGE, fill_create),
	UNUSED(ITEM_CREATE, bhlab_item_create, flow, 1U << 31, fill_create),
	UNUSED(ITEM_PROGRAM, bhlab_item_program, reserved, 1, fill_program),
	UNUSED(ITEM_PROGRAM, bhlab_item_program, reserved, 1U << 31, fill_program),
	UNUSED(ITEM_PROGRAM, bhlab_item_program, thread, 2, fill_program),
	UNUSED(DESTROY, bhlab_destroy, reserved, 1, fill_destroy),
	UNUSED(DESTROY, bhlab_destroy, reserved, 1U << 31, fill_destroy),
	UNUSED_ACT(QUEUE, cpu, fill_act),
	UNUSED_ACT(QUEUE, queue, fill_act),
	UNUSED_ACT(QUEUE, count, fill_act),
	UNUSED_ACT(QUEUE, ns, fill_act),
	UNUSED_ACT(DELAY, cpu, fill_act),
	UNUSED_ACT(DELAY, queue, fill_act),
	UNUSED_ACT(DELAY, count, fill_act),
	UNUSED_ACT(CANCEL, cpu, fill_act),
	UNUSED_ACT(CANCEL, queue, fill_act),
	UNUSED_ACT(CANCEL, count, fill_act),
	UNUSED_ACT(CANCEL, ns, fill_act),
	UNUSED_ACT(FLUSH, cpu, fill_act),
	UNUSED_ACT(FLUSH, queue, fill_act),
	UNUSED_ACT(FLUSH, count, fill_act),
	UNUSED_ACT(FLUSH, ns, fill_act),
	UNUSED_ACT(DISABLE, cpu, fill_act),
	UNUSED_ACT(DISABLE, queue, fill_act),
	UNUSED_ACT(DISABLE, count, fill_act),
	UNUSED_ACT(DISABLE, ns, fill_act),
	UNUSED_ACT(ENABLE, cpu, fill_enable),
	UNUSED_ACT(ENABLE, queue, fill_enable),
	UNUSED_ACT(ENABLE, count, fill_enable),
	UNUSED_ACT(ENABLE, ns, fill_enable),
	UNUSED_ACT(TRIGGER, cpu, fill_trigger),
	UNUSED_ACT(TRIGGER, queue, fill_trigger),
	UNUSED_ACT(TRIGGER, ns, fill_trigger),
	UNUSED_ACT(DRAIN, cpu, fill_drain),
	UNUSED_ACT(DRAIN, queue, fill_drain),
	UNUSED_ACT(DRAIN, count, fill_drain),
	UNUSED_ACT(DRAIN, ns, fill_drain),
	UNUSED(WAIT, bhlab_wait, condition, 0, fill_wait),
	UNUSED(WAIT, bhlab_wait, condition, BHLAB_COND_STARTED + 1, fill_wait),
	UNUSED(WAIT, bhlab_wait, value, 1, fill_wait),
	UNUSED(WAIT, bhlab_wait, value, 1ULL << 63, fill_wait),
	UNUSED(BATCH, bhlab_batch, reserved, 1, fill_batch),
	UNUSED(BATCH, bhlab_batch, reserved, 1U << 31, fill_batch),
	UNUSED(LOCK_CREATE, bhlab_lock_create, reserved, 1, fill_lock_create),
	UNUSED(LOCK_CREATE, bhlab_lock_create, reserved, 1U << 31, fill_lock_create),
	UNUSED(LOCK_CREATE, bhlab_lock_create, kind, 0, fill_lock_create),
	UNUSED(LOCK_CREATE, bhlab_lock_create, kind, BHLAB_LOCK_MUTEX + 1, fill_lock_create),
	UNUSED(LOCK_CREATE, bhlab_lock_create, kind, 0xffffffff, fill_lock_create),
	UNUSED(FIFO_STATE, bhlab_fifo_state, reserved, 1, fill_fifo_state),
	UNUSED(FIFO_STATE, bhlab_fifo_state, reserved, 1U << 31, fill_fifo_state),
};

FIXTURE(lab) {
	struct bench bench;
};

FIXTURE_SETUP(lab)
{
	bench_open(&self->bench);
	ASSERT_LE(0, self->bench.fd);
}

FIXTURE_TEARDOWN(lab)
{
	bh_end(_metadata, self->bench.fd);
}

TEST_F(lab, reserved_and_unused_fields)
{
	struct bench *b = &self->bench;
	const struct unused *u;

	for (u = unused; u < unused + ARRAY_SIZE(unused); u++) {
		variant_t v = { .nr = u->nr, .size = u->size, .fill = u->fill };
		char *p = place(b, &v, u->size);

		memcpy(p + u->offset, &u->value, u->width);
		refused(_metadata, b, &v, EOPNOTSUPP, p, u->what);
	}
}

TEST_F(lab, recorded_has_no_item)
{
	struct bench *b = &self->bench;

	EXPECT_EQ(-EOPNOTSUPP, bh_wait(b->fd, b->item, BHLAB_COND_RECORDED, 0, 0));
	EXPECT_EQ(-EOPNOTSUPP, bh_wait(b->fd, b->item, BHLAB_COND_RECORDED, 0,
				       BHLAB_NS_MAX + 1));
}

TEST_F(lab, unused_before_id)
{
	const struct unused *u;
	struct bench *b = &self->bench;

	for (u = unused; u < unused + ARRAY_SIZE(unused); u++) {
		variant_t v = { .nr = u->nr, .size = u->size, .fill = u->fill };
		union request *r = place(b, &v, u->size);

		if (u->nr < BHLAB_NR_ITEM_STATE)
			continue;
		memcpy((char *)r + u->offset, &u->value, u->width);
		r->act.id = 4711;
		refused(_metadata, b, &v, EOPNOTSUPP, r, u->what);
	}
}

#define UNKNOWN_NR(_name, _NR, ...)	case BHLAB_NR_##_NR: continue;

TEST_F(lab, unknown_numbers)
{
	union request r = { .word = { sizeof(r) } };

	for (int nr = 0; nr < 256; nr++) {
		switch (nr) {
		IOCTLS(UNKNOWN_NR)
		}
		EXPECT_EQ(-ENOTTY, bh_call(self->bench.fd, _IO(BHLAB_IOC_MAGIC, nr), &r)) {
			TH_LOG("number %#x", nr);
		}
	}
}

FIXTURE(id) {
	struct bench bench;
};

FIXTURE_VARIANT(id) {
	unsigned int nr;
	__u32 size;
	void (*fill)(struct bench *b, union request *r);
};

#define ID_VARIANT(_name, _NR, _struct, _fill)			\
	FIXTURE_VARIANT_ADD(id, _name) {			\
		.nr = BHLAB_NR_##_NR,				\
		.size = sizeof(struct _struct),			\
		.fill = _fill,					\
	};

ID_VARIANT(state, ITEM_STATE, bhlab_item_state, fill_state)
ID_VARIANT(program, ITEM_PROGRAM, bhlab_item_program, fill_program)
ID_VARIANT(destroy, DESTROY, bhlab_destroy, fill_destroy)
ID_VARIANT(queue, QUEUE, bhlab_act, fill_act)
ID_VARIANT(delay, DELAY, bhlab_act, fill_act)
ID_VARIANT(cancel, CANCEL, bhlab_act, fill_act)
ID_VARIANT(flush, FLUSH, bhlab_act, fill_act)
ID_VARIANT(disable, DISABLE, bhlab_act, fill_act)
ID_VARIANT(enable, ENABLE, bhlab_act, fill_enable)
ID_VARIANT(trigger, TRIGGER, bhlab_act, fill_trigger)
ID_VARIANT(drain, DRAIN, bhlab_act, fill_drain)
ID_VARIANT(wait, WAIT, bhlab_wait, fill_wait)
ID_VARIANT(queue_state, QUEUE_STATE, bhlab_queue_state, fill_queue_state)
ID_VARIANT(lock_state, LOCK_STATE, bhlab_lock_state, fill_lock_state)
ID_VARIANT(fifo_state, FIFO_STATE, bhlab_fifo_state, fill_fifo_state)

FIXTURE_SETUP(id)
{
	bench_open(&self->bench);
	ASSERT_LE(0, self->bench.fd);
}

FIXTURE_TEARDOWN(id)
{
	bh_end(_metadata, self->bench.fd);
}

/* The kind of object that the ioctl is about; RESERVED: any. */
static __u32 wanted_kind(unsigned int nr)
{
	switch (nr) {
	case BHLAB_NR_DESTROY:
		return BHLAB_KIND_RESERVED;
	case BHLAB_NR_DRAIN:
	case BHLAB_NR_QUEUE_STATE:
		return BHLAB_KIND_QUEUE;
	case BHLAB_NR_LOCK_STATE:
		return BHLAB_KIND_LOCK;
	case BHLAB_NR_FIFO_STATE:
		return BHLAB_KIND_FIFO;
	default:
		return BHLAB_KIND_ITEM;
	}
}

static void not_found(struct __test_metadata *_metadata, struct bench *b, const variant_t *v,
		      __u32 id, const char *what)
{
	union request *r = place(b, v, v->size);

	r->act.id = id;
	refused(_metadata, b, v, ENOENT, r, what);
	/* unknown flags come first */
	r->word[1] = 1U << 31;
	refused(_metadata, b, v, EOPNOTSUPP, r, what);
}

TEST_F(id, not_found)
{
	struct bench *b = &self->bench;
	variant_t v = { .nr = variant->nr, .size = variant->size, .fill = variant->fill };
	int other = bh_open(0);
	__u32 destroyed;
	int theirs = 0;

	ASSERT_LE(0, other);
	for (int i = 0; i < 40; i++) {
		char name[BHLAB_NAME_LEN];

		snprintf(name, sizeof(name), "theirs%d", i);
		theirs = bh_add(other, BHLAB_MECH_TASKLET, name);
	}
	ASSERT_EQ(40, theirs);
	destroyed = bh_add(b->fd, BHLAB_MECH_TASKLET, "destroyed");
	ASSERT_EQ(0, bh_destroy(b->fd, destroyed));

	not_found(_metadata, b, &v, 0, "id 0");
	not_found(_metadata, b, &v, 4711, "an id that was never used");
	not_found(_metadata, b, &v, 0xffffffff, "an id of all ones");
	not_found(_metadata, b, &v, 0x7fffffff, "the largest id");
	not_found(_metadata, b, &v, BHLAB_QUEUE_BH_HIGHPRI + 1, "behind the system's queues");
	not_found(_metadata, b, &v, destroyed, "an id that is no more");
	not_found(_metadata, b, &v, theirs, "an id of another lab");
	if (variant->nr != BHLAB_NR_FLUSH && variant->nr != BHLAB_NR_DRAIN)
		not_found(_metadata, b, &v, BHLAB_QUEUE_PERCPU, "the id of a system queue");
	close(other);
}

/* What has an id, but is something else. */
TEST_F(id, wrong_kind)
{
	struct bench *b = &self->bench;
	variant_t v = { .nr = variant->nr, .size = variant->size, .fill = variant->fill };
	__u32 wanted = wanted_kind(variant->nr), ids[5] = {};
	struct bhlab_lookup reserved;

	ASSERT_EQ(0, bh_lookup(b->fd, "reserved", BHLAB_LOOKUP_RESERVE, &reserved));
	ids[BHLAB_KIND_RESERVED] = reserved.id;
	ids[BHLAB_KIND_ITEM] = b->item;
	ids[BHLAB_KIND_QUEUE] = bh_queue(b->fd, "a-queue", BHLAB_WQ_UNBOUND);
	ids[BHLAB_KIND_LOCK] = bh_lock(b->fd, "a-lock", BHLAB_LOCK_SPIN, BHLAB_CTX_TASK);
	ids[BHLAB_KIND_FIFO] = bh_fifo(b->fd, "a-fifo", 1);
	for (__u32 kind = 0; kind < ARRAY_SIZE(ids) && wanted; kind++) {
		ASSERT_LT(0, (int)ids[kind]);
		if (kind == wanted ||
		    (variant->nr == BHLAB_NR_FLUSH && kind == BHLAB_KIND_QUEUE))
			continue;
		not_found(_metadata, b, &v, ids[kind], "an id of another kind");
	}
}

TEST_F(lab, next_has_an_end)
{
	const __u32 last[] = { 1, 2, 3, 0x7ffffffe, 0x7fffffff, 0x80000000, 0xffffffff };
	struct bhlab_lookup l;

	for (size_t i = 0; i < ARRAY_SIZE(last); i++) {
		l = (struct bhlab_lookup){ .size = sizeof(l), .id = last[i] };
		EXPECT_EQ(-ENOENT, bh_call(self->bench.fd, BHLAB_IOC_NEXT, &l));
	}
}

TEST_F(lab, mechs_have_an_end)
{
	struct bhlab_mech_info m;
	struct bhlab_info info;

	ASSERT_EQ(0, bh_info(self->bench.fd, &info));
	EXPECT_EQ(BH_NR_MECHS, info.out_mechs);
	for (__u32 mech = 1; mech <= info.out_mechs; mech++) {
		EXPECT_EQ(0, bh_mech(self->bench.fd, mech, &m));
		EXPECT_TRUE(m.out_native || mech == BHLAB_MECH_IRQ_POLL ||
			    mech == BHLAB_MECH_CSD);
		EXPECT_EQ(0, m.out_native & m.out_emulated);
		EXPECT_GT(sizeof(m.out_name), strnlen(m.out_name, sizeof(m.out_name)));
	}
	EXPECT_EQ(-ENOENT, bh_mech(self->bench.fd, 0, &m));
	EXPECT_EQ(-ENOENT, bh_mech(self->bench.fd, info.out_mechs + 1, &m));
	EXPECT_EQ(-ENOENT, bh_mech(self->bench.fd, 0xffffffff, &m));
}

TEST_F(lab, info)
{
	struct bhlab_info info;

	ASSERT_EQ(0, bh_info(self->bench.fd, &info));
	EXPECT_EQ(BHLAB_ABI_VERSION, info.out_abi);
	EXPECT_LT(0, info.out_lab);
	EXPECT_LE(sysconf(_SC_NPROCESSORS_CONF), info.out_cpus);
	EXPECT_LT(0, info.out_max_items);
	EXPECT_LT(0, info.out_max_irqs);
	EXPECT_LT(0, info.out_max_steps);
	EXPECT_LE(info.out_atomic_ns, info.out_atomic_cap_ns);
	EXPECT_LT(0, info.out_process_ns);
	EXPECT_LT(0, info.out_max_chain);
	EXPECT_LE(info.out_process_ns, info.out_lab_ns);
	EXPECT_LT(0, info.out_period_ns);
	EXPECT_LT(0, info.out_max_queues);
	EXPECT_LT(0, info.out_max_threads);
	EXPECT_LT(0, info.out_max_locks);
	EXPECT_LT(0, info.out_max_fifos);
	EXPECT_LT(0, info.out_max_active);
	EXPECT_LT(0, info.out_budget);
	EXPECT_GE(100, info.out_budget);
	EXPECT_EQ(0, info.out_features & ~(BHLAB_FEATURE_IRQ_SIM | BHLAB_FEATURE_RT |
					   BHLAB_FEATURE_BH_QUEUE | BHLAB_FEATURE_THREADIRQS));
	/* RT handles interrupts in threads */
	if (info.out_features & BHLAB_FEATURE_RT) {
		EXPECT_TRUE(info.out_features & BHLAB_FEATURE_THREADIRQS);
	}
	EXPECT_EQ('\0', info.out_kernel[sizeof(info.out_kernel) - 1]);
}

TEST_HARNESS_MAIN
