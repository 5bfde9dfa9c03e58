// SPDX-License-Identifier: GPL-2.0-only
/*
 * FIFOs: bounded, as the descriptor ring of a device. They count entries but
 * have no contents: what matters is how many find no room.
 */
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "fifo.h"
#include "object.h"
#include "user.h"

/* struct bhlab_fifo_state explains the counters. */
struct bhlab_fifo {
	struct bhlab_object obj;
	u32 depth;
	raw_spinlock_t lock;	/* protects what follows; any context takes it */
	u32 level;
	u32 highest;
	u64 pushed;
	u64 popped;
	u64 dropped;
	u64 missed;
};

struct bhlab_fifo *to_fifo(struct bhlab_object *obj)
{
	return container_of(obj, struct bhlab_fifo, obj);
}

/* Returns the number of entries that found no room. */
u64 bhlab_fifo_push(struct bhlab_fifo *fifo, u64 nr)
{
	unsigned long flags;
	u64 pushed;

	raw_spin_lock_irqsave(&fifo->lock, flags);
	pushed = min_t(u64, nr, fifo->depth - fifo->level);
	fifo->level += pushed;
	fifo->highest = max(fifo->highest, fifo->level);
	fifo->pushed += pushed;
	fifo->dropped += nr - pushed;
	raw_spin_unlock_irqrestore(&fifo->lock, flags);
	return nr - pushed;
}

/* @nr 0: pop all entries. */
void bhlab_fifo_pop(struct bhlab_fifo *fifo, u64 nr)
{
	unsigned long flags;
	u64 popped;

	raw_spin_lock_irqsave(&fifo->lock, flags);
	popped = nr ? min_t(u64, nr, fifo->level) : fifo->level;
	fifo->level -= popped;
	fifo->popped += popped;
	if (nr)
		fifo->missed += nr - popped;
	raw_spin_unlock_irqrestore(&fifo->lock, flags);
}

/* Fewer are no miss. Returns how many there were. */
u64 bhlab_fifo_pop_upto(struct bhlab_fifo *fifo, u64 nr)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&fifo->lock, flags);
	nr = min_t(u64, nr, fifo->level);
	fifo->level -= nr;
	fifo->popped += nr;
	raw_spin_unlock_irqrestore(&fifo->lock, flags);
	return nr;
}

static void bhlab_fifo_free(struct bhlab_object *obj)
{
	kfree_rcu(to_fifo(obj), obj.rcu);
}

static const struct bhlab_kind_ops bhlab_fifo_ops = {
	.kind = BHLAB_KIND_FIFO,
	.release = bhlab_fifo_free,
};

struct bhlab_object *bhlab_fifo_create(struct bhlab_lab *lab,
				       struct bhlab_fifo_create *cmd)
{
	struct bhlab_fifo *fifo;
	int ret = bhlab_name_check(cmd->name);

	if (ret)
		return ERR_PTR(ret);
	if (!cmd->depth || cmd->depth > BHLAB_FIFO_MAX)
		return ERR_PTR(-EINVAL);
	fifo = kzalloc(sizeof(*fifo), GFP_KERNEL_ACCOUNT);
	if (!fifo)
		return ERR_PTR(-ENOMEM);
	bhlab_object_init(&fifo->obj, lab, &bhlab_fifo_ops, BHLAB_RES_FIFO,
			  cmd->name);
	fifo->depth = cmd->depth;
	raw_spin_lock_init(&fifo->lock);
	ret = bhlab_lab_add(lab, &fifo->obj);
	if (ret) {
		kfree(fifo);
		return ERR_PTR(ret);
	}
	cmd->out_id = fifo->obj.id;
	return &fifo->obj;
}

void bhlab_fifo_state(struct bhlab_fifo *fifo, struct bhlab_fifo_state *st)
{
	unsigned long flags;

	st->out_depth = fifo->depth;
	st->out_programs = READ_ONCE(fifo->obj.pins);
	memcpy(st->out_name, fifo->obj.name, sizeof(st->out_name));
	raw_spin_lock_irqsave(&fifo->lock, flags);
	st->out_level = fifo->level;
	st->out_highest = fifo->highest;
	st->out_pushed = fifo->pushed;
	st->out_popped = fifo->popped;
	st->out_dropped = fifo->dropped;
	st->out_missed = fifo->missed;
	raw_spin_unlock_irqrestore(&fifo->lock, flags);
}
