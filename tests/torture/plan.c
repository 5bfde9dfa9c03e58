// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plans of calls: each ioctl's structure as it should be, and then, in one
 * of two or three, something about it as it should not.
 */
#include <stdio.h>
#include <string.h>

#include "fuzz.h"

/* --- ids, names */

void plan_id(struct plan *p, uint32_t *field, enum kind kind)
{
	static const uint32_t odd[] = {
		0, 1, 2, 1000, 0x7fffffff, 0x80000000, 0x80000003, 0x80000007, 0x80000008, ~0U,
	};
	struct rng *r = &p->rng;

	if (one_in(r, 16)) {
		*field = PICK(r, odd);
		return;
	}
	if (one_in(r, 12))
		kind = below(r, NR_KINDS);
	if (p->nr_patches < MAX_PATCHES)
		p->patches[p->nr_patches++] = (struct patch){
			.field = field, .kind = kind, .slot = below(r, SLOTS),
		};
}

static void any_name(struct rng *r, char *name)
{
	snprintf(name, BHLAB_NAME_LEN, "n%u", below(r, 64));
}

static enum kind any_item(struct rng *r)
{
	static const enum kind kinds[] = {
		KIND_ITEM, KIND_ITEM, KIND_ITEM, KIND_ITEM, KIND_TASKLET, KIND_IRQ,
	};

	return PICK(r, kinds);
}

/* --- what each ioctl has in its structure */

struct ioctl_row {
	unsigned long number;
	uint32_t size;
	unsigned int weight;
	void (*fill)(struct plan *p, bool root);
};

static void fill_info(struct plan *p, bool root)
{
}

static void fill_mech(struct plan *p, bool root)
{
	((struct bhlab_mech_info *)p->bytes)->mech = 1 + below(&p->rng, 13);
}

static void fill_ring(struct plan *p, bool root)
{
	struct bhlab_ring_setup *c = (void *)p->bytes;
	struct rng *r = &p->rng;

	c->flags = below(r, 4);
	if (c->flags & BHLAB_RING_RECORDS)
		c->records = 32U << below(r, 12);
	if (c->flags & BHLAB_RING_WATERMARK)
		c->watermark = 1 + below(r, 40);
}

static const uint32_t attributes[] = {
	[BHLAB_MECH_WORK] = BHLAB_ITEM_STATIC,
	[BHLAB_MECH_TASKLET] = BHLAB_ITEM_STATIC,
	[BHLAB_MECH_TASKLET_HI] = BHLAB_ITEM_STATIC,
	[BHLAB_MECH_IRQ] = BHLAB_ITEM_THREAD,
	[BHLAB_MECH_IRQ_WORK] = BHLAB_ITEM_HARD | BHLAB_ITEM_LAZY,
	[BHLAB_MECH_TIMER] = BHLAB_ITEM_IRQSAFE | BHLAB_ITEM_PINNED,
	[BHLAB_MECH_HRTIMER] = BHLAB_ITEM_HARD | BHLAB_ITEM_PINNED,
	[BHLAB_MECH_HRTIMER_SOFT] = BHLAB_ITEM_PINNED,
	[BHLAB_MECH_RCU_WORK] = 0,
};

static bool takes_queue(uint32_t mech)
{
	return mech == BHLAB_MECH_WORK || mech == BHLAB_MECH_RCU_WORK;
}

static bool is_tasklet(uint32_t mech)
{
	return mech == BHLAB_MECH_TASKLET || mech == BHLAB_MECH_TASKLET_HI;
}

/* True if it is a BH queue. */
static bool fill_queue(struct plan *p, struct bhlab_item_create *c)
{
	struct rng *r = &p->rng;

	if (!takes_queue(c->mech) || one_in(r, 3))
		return false;
	if (one_in(r, 2)) {
		plan_id(p, &c->queue, KIND_QUEUE);
		return false;
	}
	c->queue = BHLAB_QUEUE_PERCPU + below(r, 8);
	return c->queue >= BHLAB_QUEUE_BH;
}

static void fill_priority(struct plan *p, struct bhlab_item_create *c)
{
	struct rng *r = &p->rng;

	if (c->mech != BHLAB_MECH_KTHREAD_WORK || one_in(r, 2))
		return;
	if (one_in(r, 4))
		c->priority = 1 + below(r, 99);
	else
		c->nice = (int)below(r, 40) - 20;
}

static void fill_item(struct plan *p, bool root)
{
	struct bhlab_item_create *c = (void *)p->bytes;
	struct rng *r = &p->rng;
	bool bh;

	c->mech = 1 + below(r, 11);
	if (c->mech < ARRAY_SIZE(attributes))
		c->flags = attributes[c->mech] & rng_next(r) & rng_next(r);
	if (one_in(r, 4))
		c->flags |= BHLAB_ITEM_QUEUED;
	if (one_in(r, 4)) {
		c->flags |= BHLAB_ITEM_CPU;
		c->cpu = below(r, cpus());
	}
	bh = fill_queue(p, c);
	fill_priority(p, c);
	any_name(r, c->name);
	c->cookie = rng_next(r);
	memset(c->data, 'd', below(r, BHLAB_DATA_LEN));
	c->nr_steps = plan_steps(p, 0, c->mech, bh, root);
	if (c->flags & BHLAB_ITEM_THREAD)
		c->nr_thread_steps = plan_steps(p, 1, c->mech, false, root);
	p->creates = is_tasklet(c->mech) ? KIND_TASKLET :
		     c->mech == BHLAB_MECH_IRQ ? KIND_IRQ : KIND_ITEM;
}

static void fill_item_state(struct plan *p, bool root)
{
	plan_id(p, &((struct bhlab_item_state *)p->bytes)->id, any_item(&p->rng));
}

static void fill_item_program(struct plan *p, bool root)
{
	struct bhlab_item_program *c = (void *)p->bytes;

	plan_id(p, &c->id, any_item(&p->rng));
	c->thread = one_in(&p->rng, 4);
	c->nr_steps = below(&p->rng, MAX_STEPS);
}

static void fill_lookup(struct plan *p, bool root)
{
	struct bhlab_lookup *c = (void *)p->bytes;

	c->flags = one_in(&p->rng, 3) ? BHLAB_LOOKUP_RESERVE : 0;
	any_name(&p->rng, c->name);
}

static void fill_next(struct plan *p, bool root)
{
	struct bhlab_lookup *c = (void *)p->bytes;

	if (one_in(&p->rng, 2))
		plan_id(p, &c->id, below(&p->rng, NR_KINDS));
}

static void fill_destroy(struct plan *p, bool root)
{
	plan_id(p, &((struct bhlab_destroy *)p->bytes)->id, below(&p->rng, NR_KINDS));
}

static void fill_act(struct plan *p, struct bhlab_act *a, enum row row, bool root)
{
	struct rng *r = &p->rng;
	enum kind kind = any_item(r);

	a->size = sizeof(*a);
	if (row == ROW_DRAIN || (row == ROW_FLUSH && one_in(r, 2)))
		kind = KIND_QUEUE;
	else if (row == ROW_TRIGGER)
		kind = KIND_IRQ;
	else if (row == ROW_DISABLE && root)
		kind = one_in(r, 4) ? KIND_IRQ : KIND_ITEM;
	plan_id(p, &a->id, kind);
	if (row == ROW_DELAY)
		a->ns = one_in(r, 16) ? BHLAB_NS_MAX : below(r, 10 * MS);
	if (row == ROW_TRIGGER)
		a->count = one_in(r, 64) ? BHLAB_TRIGGER_MAX : 1 + below(r, 8);
	if (row == ROW_TRIGGER && one_in(r, 4)) {
		a->flags |= BHLAB_ACT_PERIOD;
		a->ns = 100 * US + below(r, 4 * MS);
	}
	if ((row == ROW_CANCEL || row == ROW_DISABLE) && one_in(r, 2))
		a->flags |= BHLAB_ACT_SYNC;
	if (row == ROW_DELAY && one_in(r, 3))
		a->flags |= BHLAB_ACT_MOD;
	if ((row == ROW_QUEUE || row == ROW_DELAY || row == ROW_TRIGGER) && one_in(r, 4)) {
		a->flags |= BHLAB_ACT_CPU;
		a->cpu = below(r, cpus());
	}
	if ((row == ROW_QUEUE || row == ROW_DELAY) && one_in(r, 6)) {
		a->flags |= BHLAB_ACT_QUEUE;
		plan_id(p, &a->queue, KIND_QUEUE);
	}
}

static void fill_verb(struct plan *p, bool root)
{
	fill_act(p, (void *)p->bytes, p->row, root);
}

static void fill_wait(struct plan *p, bool root)
{
	struct bhlab_wait *c = (void *)p->bytes;
	struct rng *r = &p->rng;

	c->condition = 1 + below(r, 5);
	if (c->condition == BHLAB_COND_RUNS || c->condition == BHLAB_COND_RECORDED)
		c->value = below(r, 50);
	if (c->condition != BHLAB_COND_RECORDED)
		plan_id(p, &c->id, any_item(r));
	c->timeout_ns = one_in(r, 32) ? BHLAB_NS_MAX : below(r, 5 * MS);
}

static void fill_batch(struct plan *p, bool root)
{
	struct bhlab_batch *c = (void *)p->bytes;
	struct rng *r = &p->rng;

	c->flags = one_in(r, 2) ? BHLAB_BATCH_ON : 0;
	c->count = 1 + below(r, MAX_ENTRIES);
	for (uint32_t i = 0; i < c->count; i++) {
		enum row row = ROW_QUEUE + below(r, 8);

		p->entries[i] = (struct bhlab_batch_entry){ .nr = row - ROW_QUEUE +
							    BHLAB_NR_QUEUE };
		fill_act(p, &p->entries[i].act, row, root);
	}
}

static void fill_queue_create(struct plan *p, bool root)
{
	static const uint32_t flags[] = {
		BHLAB_WQ_PERCPU, BHLAB_WQ_UNBOUND, BHLAB_WQ_BH, BHLAB_WQ_ORDERED,
		BHLAB_WQ_LEGACY, BHLAB_WQ_SINGLETHREAD, BHLAB_WQ_PERCPU | BHLAB_WQ_HIGHPRI,
		BHLAB_WQ_UNBOUND | BHLAB_WQ_HIGHPRI, BHLAB_WQ_BH | BHLAB_WQ_HIGHPRI,
		BHLAB_WQ_PERCPU | BHLAB_WQ_FREEZABLE, BHLAB_WQ_ORDERED | BHLAB_WQ_FREEZABLE,
		BHLAB_WQ_UNBOUND | BHLAB_WQ_MEM_RECLAIM, BHLAB_WQ_PERCPU | BHLAB_WQ_CPU_INTENSIVE,
	};
	struct bhlab_queue_create *c = (void *)p->bytes;
	struct rng *r = &p->rng;

	c->flags = PICK(r, flags);
	if (c->flags & (BHLAB_WQ_PERCPU | BHLAB_WQ_UNBOUND))
		c->max_active = below(r, 4);
	any_name(r, c->name);
	p->creates = KIND_QUEUE;
}

static void fill_queue_state(struct plan *p, bool root)
{
	plan_id(p, &((struct bhlab_queue_state *)p->bytes)->id, KIND_QUEUE);
}

static void fill_lock_create(struct plan *p, bool root)
{
	struct bhlab_lock_create *c = (void *)p->bytes;
	struct rng *r = &p->rng;

	c->kind = 1 + one_in(r, 3);
	c->context = c->kind == BHLAB_LOCK_MUTEX ? BHLAB_CTX_TASK : BHLAB_CTX_TASK << below(r, 3);
	any_name(r, c->name);
	p->creates = KIND_LOCK;
}

static void fill_lock_state(struct plan *p, bool root)
{
	plan_id(p, &((struct bhlab_lock_state *)p->bytes)->id, KIND_LOCK);
}

static void fill_fifo_create(struct plan *p, bool root)
{
	struct bhlab_fifo_create *c = (void *)p->bytes;

	c->depth = 1 + below(&p->rng, 100);
	any_name(&p->rng, c->name);
	p->creates = KIND_FIFO;
}

static void fill_fifo_state(struct plan *p, bool root)
{
	plan_id(p, &((struct bhlab_fifo_state *)p->bytes)->id, KIND_FIFO);
}

#define IOCTL(_name, _struct, _weight, _fill)				\
	[ROW_##_name] = {						\
		.number = BHLAB_IOC_##_name,				\
		.size = sizeof(struct _struct),				\
		.weight = 10 * (_weight),				\
		.fill = (_fill),					\
	}

static const struct ioctl_row ioctls[NR_IOCTLS] = {
	IOCTL(INFO, bhlab_info, 1, fill_info),
	IOCTL(MECH, bhlab_mech_info, 1, fill_mech),
	IOCTL(RING, bhlab_ring_setup, 2, fill_ring),
	IOCTL(ITEM_CREATE, bhlab_item_create, 20, fill_item),
	IOCTL(ITEM_STATE, bhlab_item_state, 6, fill_item_state),
	IOCTL(ITEM_PROGRAM, bhlab_item_program, 3, fill_item_program),
	IOCTL(LOOKUP, bhlab_lookup, 3, fill_lookup),
	IOCTL(NEXT, bhlab_lookup, 3, fill_next),
	IOCTL(DESTROY, bhlab_destroy, 8, fill_destroy),
	IOCTL(QUEUE, bhlab_act, 10, fill_verb),
	IOCTL(DELAY, bhlab_act, 8, fill_verb),
	IOCTL(CANCEL, bhlab_act, 6, fill_verb),
	IOCTL(FLUSH, bhlab_act, 4, fill_verb),
	IOCTL(DISABLE, bhlab_act, 3, fill_verb),
	IOCTL(ENABLE, bhlab_act, 3, fill_verb),
	IOCTL(TRIGGER, bhlab_act, 6, fill_verb),
	IOCTL(DRAIN, bhlab_act, 2, fill_verb),
	IOCTL(WAIT, bhlab_wait, 4, fill_wait),
	IOCTL(BATCH, bhlab_batch, 6, fill_batch),
	IOCTL(QUEUE_CREATE, bhlab_queue_create, 5, fill_queue_create),
	IOCTL(QUEUE_STATE, bhlab_queue_state, 2, fill_queue_state),
	IOCTL(LOCK_CREATE, bhlab_lock_create, 2, fill_lock_create),
	IOCTL(LOCK_STATE, bhlab_lock_state, 1, fill_lock_state),
	IOCTL(FIFO_CREATE, bhlab_fifo_create, 2, fill_fifo_create),
	IOCTL(FIFO_STATE, bhlab_fifo_state, 1, fill_fifo_state),
};

unsigned long ioctl_number(enum row row)
{
	return ioctls[row].number;
}

uint32_t ioctl_size(enum row row)
{
	return ioctls[row].size;
}

static const struct {
	enum row row;
	unsigned int weight;
} others[] = {
	{ ROW_BOGUS, 20 }, { ROW_OPEN, 5 }, { ROW_READ, 80 }, { ROW_POLL, 30 }, { ROW_MMAP, 30 },
	{ ROW_NETLINK, 30 }, { ROW_TOUCH, 40 }, { ROW_CLOSE, 1 }, { ROW_DUP, 1 }, { ROW_FORK, 10 },
	{ ROW_PASS, 4 }, { ROW_PROTECT, 60 }, { ROW_URING, 10 }, { ROW_OTHER, 30 },
};

static enum row any_row(struct rng *r)
{
	static unsigned int sum;
	unsigned int all = 0, at;

	if (!sum) {
		for (unsigned int i = 0; i < NR_IOCTLS; i++)
			all += ioctls[i].weight;
		for (unsigned int i = 0; i < ARRAY_SIZE(others); i++)
			all += others[i].weight;
		sum = all;
	}
	at = below(r, sum);
	for (unsigned int i = 0; i < NR_IOCTLS; i++) {
		if (at < ioctls[i].weight)
			return i;
		at -= ioctls[i].weight;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++) {
		if (at < others[i].weight)
			return others[i].row;
		at -= others[i].weight;
	}
	return ROW_INFO;
}

/* --- and what is wrong with it */

static const uint64_t values[] = {
	0, 1, 2, 3, 31, 32, 63, 64, 65, 255, 256, 1024, 1025, 4096, 65536, 1000001, 0x7fffffff,
	0x80000000, 0xffffffff, BHLAB_NS_MAX, BHLAB_NS_MAX + 1, ~0ULL, ~0ULL >> 1,
};

static void spoil_size(struct plan *p, uint32_t size)
{
	struct rng *r = &p->rng;
	const uint32_t sizes[] = {
		0, 1, 4, 7, size - 1, size - 4, size - 8, size + 1, size + 4, size + 8, 2 * size,
		BHLAB_SIZE_MAX - 1, BHLAB_SIZE_MAX, BHLAB_SIZE_MAX + 1, 0x80000000, ~0U,
		below(r, 300),
	};
	uint32_t wrong = PICK(r, sizes);

	memcpy(p->bytes, &wrong, sizeof(wrong));
	if (wrong > size && wrong <= MAX_BYTES) {
		memset(p->bytes + size, 0, wrong - size);
		p->len = wrong;
		if (one_in(r, 4))
			p->bytes[size + below(r, wrong - size)] = 1 + below(r, 255);
	}
}

/* A patch that comes later would undo it. */
static void forget_patches(struct plan *p, const void *from, size_t len)
{
	for (unsigned int i = 0; i < p->nr_patches; i++)
		if ((char *)p->patches[i].field >= (char *)from &&
		    (char *)p->patches[i].field < (char *)from + len)
			p->patches[i--] = p->patches[--p->nr_patches];
}

static void spoil_field(struct plan *p, void *from, size_t len, size_t first)
{
	struct rng *r = &p->rng;
	uint64_t value = one_in(r, 4) ? rng_next(r) : PICK(r, values);
	size_t width = one_in(r, 3) ? 8 : one_in(r, 4) ? 1 : 4;
	size_t at = first + below(r, len - first);

	at -= at % width;
	if (at + width > len || at < first)
		return;
	forget_patches(p, (char *)from + at, width);
	memcpy((char *)from + at, &value, width);
}

static void spoil_flag(struct plan *p)
{
	uint32_t flags;

	memcpy(&flags, p->bytes + sizeof(flags), sizeof(flags));
	flags ^= 1U << below(&p->rng, one_in(&p->rng, 3) ? 32 : 10);
	memcpy(p->bytes + sizeof(flags), &flags, sizeof(flags));
}

static void spoil(struct plan *p)
{
	struct rng *r = &p->rng;
	uint32_t size = ioctls[p->row].size;

	switch (below(r, 8)) {
	case 0:
		spoil_size(p, size);
		break;
	case 1:
		spoil_flag(p);
		break;
	case 2:
		if (p->row == ROW_ITEM_CREATE)
			spoil_field(p, p->steps, sizeof(p->steps[0][0]) * (1 + below(r, 6)), 0);
		else if (p->row == ROW_BATCH)
			spoil_field(p, p->entries, sizeof(p->entries), 0);
		else
			spoil_field(p, p->bytes, size, sizeof(uint32_t));
		break;
	default:
		spoil_field(p, p->bytes, size, sizeof(uint32_t));
	}
}

static enum place any_place(struct rng *r)
{
	return one_in(r, 8) ? below(r, NR_PLACES) : PLACE_PLAIN;
}

static void plan_ioctl(struct plan *p, bool root)
{
	const struct ioctl_row *row = &ioctls[p->row];

	p->len = row->size;
	memset(p->bytes, 0, row->size);
	memset(p->steps, 0, sizeof(p->steps));
	memset(p->entries, 0, sizeof(p->entries));
	memcpy(p->bytes, &row->size, sizeof(row->size));
	row->fill(p, root);
	/* what never makes anything has nothing to be wrong with */
	if (one_in(&p->rng, p->creates < NR_KINDS ? 3 : 2))
		spoil(p);
	p->place = any_place(&p->rng);
	p->array_place = any_place(&p->rng);
}

/* The @n-th call of a thread with that seed. */
void plan_call(struct plan *p, const struct planner *by, uint64_t n)
{
	struct rng mix = { .state = by->seed ^ n * 0xd1342543de82ef95ULL };

	p->rng.state = rng_next(&mix);
	p->nr_patches = 0;
	p->creates = NR_KINDS;
	p->lab = below(&p->rng, LABS);
	p->slot = below(&p->rng, SLOTS);
	p->row = any_row(&p->rng);
	if (p->row < NR_IOCTLS)
		plan_ioctl(p, by->root);
}
