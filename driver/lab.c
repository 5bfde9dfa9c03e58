// SPDX-License-Identifier: GPL-2.0-only
/*
 * Labs: one open of the device, its objects and their names, and its end.
 */
#include <linux/ctype.h>
#include <linux/idr.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "bhlab.h"
#include "limits.h"

static DEFINE_IDA(bhlab_labs);

/* The largest id: above are the numbers of the system's queues. */
#define BHLAB_ID_MAX		(BHLAB_QUEUE_PERCPU - 1)

static void bhlab_wake_fn(struct irq_work *work)
{
	struct bhlab_lab *lab = container_of(work, struct bhlab_lab, wake);

	wake_up_all(&lab->wait);
	if (bhlab_ring_ready(&lab->ring))
		wake_up_all(&lab->ring.wait);
}

/*
 * Something happened that somebody may wait for. The barrier orders what the
 * caller has stored before the look for waiters; a waiter puts itself into the
 * queue before it looks at what was stored.
 */
void bhlab_lab_wake(struct bhlab_lab *lab)
{
	smp_mb(); /* the stores before, the look for waiters after */
	/* See above. */
	if (waitqueue_active(&lab->wait) || waitqueue_active(&lab->ring.wait))
		irq_work_queue(&lab->wake);
}

struct bhlab_lab *bhlab_lab_open(void)
{
	struct bhlab_lab *lab;
	int id;

	lab = kzalloc(sizeof(*lab), GFP_KERNEL_ACCOUNT);
	if (!lab)
		return ERR_PTR(-ENOMEM);
	id = ida_alloc_range(&bhlab_labs, 1, bhlab_limits.labs, GFP_KERNEL);
	if (id < 0) {
		kfree(lab);
		return ERR_PTR(id);
	}
	lab->id = id;
	lab->next_id = 1;
	mutex_init(&lab->lock);
	xa_init_flags(&lab->objects, XA_FLAGS_ACCOUNT);
	init_waitqueue_head(&lab->wait);
	init_waitqueue_head(&lab->sleepers);
	init_irq_work(&lab->wake, bhlab_wake_fn);
	bhlab_ring_init(&lab->ring);
	return lab;
}

static struct bhlab_item *to_item(struct bhlab_object *obj)
{
	return container_of(obj, struct bhlab_item, obj);
}

/*
 * The end of a lab. There are no verbs at work, since each holds the file; but
 * handlers, timers and steps are. First none of them can activate anything any
 * more, then each mechanism stops, and last the memory goes.
 */
static void bhlab_lab_end_items(struct bhlab_lab *lab)
{
	struct bhlab_object *obj;
	bool grace = false;
	unsigned long id;

	xa_for_each(&lab->objects, id, obj)
		if (obj->kind == BHLAB_KIND_ITEM)
			bhlab_item_kill(to_item(obj), true);
	xa_for_each(&lab->objects, id, obj) {
		if (obj->kind != BHLAB_KIND_ITEM)
			continue;
		bhlab_item_stop(to_item(obj));
		grace |= !!to_item(obj)->ops->free;
	}
	if (grace)
		synchronize_rcu();
}

void bhlab_lab_release(struct bhlab_lab *lab)
{
	struct bhlab_object *obj;
	unsigned long id;

	WRITE_ONCE(lab->dying, true);
	wake_up_all(&lab->sleepers);
	bhlab_lab_end_items(lab);
	xa_for_each(&lab->objects, id, obj) {
		xa_erase(&lab->objects, id);
		if (obj->kind == BHLAB_KIND_ITEM)
			bhlab_item_release(to_item(obj));
		else
			kfree_rcu(obj, rcu);
	}
	xa_destroy(&lab->objects);
	irq_work_sync(&lab->wake);
	bhlab_ring_free(&lab->ring);
	mutex_destroy(&lab->lock);
	ida_free(&bhlab_labs, lab->id);
	kfree(lab);
}

int bhlab_name_check(const char *name)
{
	size_t i, len = strnlen(name, BHLAB_NAME_LEN);

	if (len == BHLAB_NAME_LEN)
		return -E2BIG;
	if (!isalpha(name[0]) && name[0] != '_')
		return -EINVAL;
	for (i = 1; i < len; i++)
		if (!isascii(name[i]) ||
		    (!isalnum(name[i]) && !strchr("_.-", name[i])))
			return -EINVAL;
	return 0;
}

static struct bhlab_object *bhlab_lab_named(struct bhlab_lab *lab,
					    const char *name)
{
	struct bhlab_object *obj;
	unsigned long id;

	lockdep_assert_held(&lab->lock);
	xa_for_each(&lab->objects, id, obj)
		if (!strcmp(obj->name, name))
			return obj;
	return NULL;
}

/* An id that this lab has never used, with nothing behind it yet. */
static int bhlab_lab_new_id(struct bhlab_lab *lab)
{
	int ret;

	lockdep_assert_held(&lab->lock);
	if (lab->nr_items >= bhlab_limits.items || lab->next_id > BHLAB_ID_MAX)
		return -ENOSPC;
	ret = xa_reserve(&lab->objects, lab->next_id, GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	lab->nr_items++;
	return lab->next_id++;
}

/* Called with the name's reservation, if there is one. */
static int bhlab_lab_publish_locked(struct bhlab_lab *lab,
				    struct bhlab_item *item,
				    struct bhlab_object *reserved)
{
	bool irq = item->ops->id == BHLAB_MECH_IRQ;
	int id, ret;

	if (irq && lab->nr_irqs >= bhlab_limits.irqs)
		return -ENOSPC;
	id = reserved ? (int)reserved->id : bhlab_lab_new_id(lab);
	if (id < 0)
		return id;
	item->obj.id = id;
	ret = item->ops->init(item);
	if (ret) {
		if (!reserved) {
			xa_release(&lab->objects, id);
			lab->nr_items--;
		}
		return ret;
	}
	lab->nr_irqs += irq;
	/* The entry is there, so that this does not allocate. */
	xa_store(&lab->objects, id, &item->obj, GFP_KERNEL_ACCOUNT);
	if (reserved)
		kfree_rcu(reserved, rcu);
	return 0;
}

/* Give an item its id and make it ready; from then on others can find it. */
int bhlab_lab_publish(struct bhlab_lab *lab, struct bhlab_item *item)
{
	struct bhlab_object *other;
	int ret;

	mutex_lock(&lab->lock);
	other = bhlab_lab_named(lab, item->obj.name);
	if (other && other->kind != BHLAB_KIND_RESERVED)
		ret = -EEXIST;
	else
		ret = bhlab_lab_publish_locked(lab, item, other);
	mutex_unlock(&lab->lock);
	return ret;
}

static int bhlab_lab_reserve(struct bhlab_lab *lab, const char *name)
{
	struct bhlab_object *obj;
	int id;

	obj = kzalloc(sizeof(*obj), GFP_KERNEL_ACCOUNT);
	if (!obj)
		return -ENOMEM;
	id = bhlab_lab_new_id(lab);
	if (id < 0) {
		kfree(obj);
		return id;
	}
	obj->lab = lab;
	obj->id = id;
	obj->kind = BHLAB_KIND_RESERVED;
	strscpy(obj->name, name, sizeof(obj->name));
	xa_store(&lab->objects, id, obj, GFP_KERNEL_ACCOUNT);
	return id;
}

static int bhlab_lab_lookup_locked(struct bhlab_lab *lab,
				   struct bhlab_lookup *cmd)
{
	struct bhlab_object *obj = bhlab_lab_named(lab, cmd->name);
	int id;

	if (obj) {
		cmd->id = obj->id;
		cmd->out_kind = obj->kind;
		return 0;
	}
	if (!(cmd->flags & BHLAB_LOOKUP_RESERVE))
		return -ENOENT;
	id = bhlab_lab_reserve(lab, cmd->name);
	if (id < 0)
		return id;
	cmd->id = id;
	cmd->out_kind = BHLAB_KIND_RESERVED;
	return 0;
}

int bhlab_lab_lookup(struct bhlab_lab *lab, struct bhlab_lookup *cmd)
{
	int ret = bhlab_name_check(cmd->name);

	if (ret)
		return ret;
	mutex_lock(&lab->lock);
	ret = bhlab_lab_lookup_locked(lab, cmd);
	mutex_unlock(&lab->lock);
	return ret;
}

int bhlab_lab_next(struct bhlab_lab *lab, struct bhlab_lookup *cmd)
{
	struct bhlab_object *obj;
	unsigned long id = cmd->id;

	mutex_lock(&lab->lock);
	obj = xa_find_after(&lab->objects, &id, BHLAB_ID_MAX, XA_PRESENT);
	if (obj) {
		cmd->id = obj->id;
		cmd->out_kind = obj->kind;
		memcpy(cmd->name, obj->name, sizeof(cmd->name));
	}
	mutex_unlock(&lab->lock);
	return obj ? 0 : -ENOENT;
}

/* For steps: under rcu_read_lock(), good until its end. */
struct bhlab_item *bhlab_item_peek(struct bhlab_lab *lab, u32 id)
{
	struct bhlab_object *obj = xa_load(&lab->objects, id);

	return obj && obj->kind == BHLAB_KIND_ITEM ? to_item(obj) : NULL;
}

/* For verbs: good until bhlab_item_put(). */
struct bhlab_item *bhlab_item_get(struct bhlab_lab *lab, u32 id)
{
	struct bhlab_item *item;

	rcu_read_lock();
	item = bhlab_item_peek(lab, id);
	if (item && !refcount_inc_not_zero(&item->obj.users))
		item = NULL;
	rcu_read_unlock();
	return item;
}

void bhlab_item_put(struct bhlab_item *item)
{
	struct bhlab_lab *lab = item->obj.lab;

	/* Whoever destroys the item may free it from here on. */
	refcount_dec(&item->obj.users);
	smp_mb__after_atomic(); /* the count, then the look for who waits */
	/* See above. */
	if (waitqueue_active(&lab->wait))
		wake_up_all(&lab->wait);
}

/* Unpublished and dead; wait for the verbs that are at work on it, and end it. */
static void bhlab_item_end(struct bhlab_lab *lab, struct bhlab_item *item)
{
	wake_up_all(&lab->wait);
	wait_event(lab->wait, refcount_dec_if_one(&item->obj.users));
	bhlab_item_stop(item);
	if (item->ops->free)
		synchronize_rcu();
	bhlab_item_release(item);
}

static int bhlab_lab_unpublish(struct bhlab_lab *lab, struct bhlab_object *obj)
{
	int ret = 0;

	lockdep_assert_held(&lab->lock);
	if (!obj)
		return -ENOENT;
	if (obj->kind == BHLAB_KIND_ITEM)
		ret = bhlab_item_kill(to_item(obj), false);
	if (ret)
		return ret;
	xa_erase(&lab->objects, obj->id);
	return 0;
}

/*
 * What an object counts against the limits is given back when it is gone, so
 * that destroying and creating in turns cannot exceed them.
 */
static void bhlab_lab_forget(struct bhlab_lab *lab, bool irq)
{
	mutex_lock(&lab->lock);
	lab->nr_items--;
	lab->nr_irqs -= irq;
	mutex_unlock(&lab->lock);
}

int bhlab_lab_destroy(struct bhlab_lab *lab, u32 id)
{
	struct bhlab_object *obj;
	bool irq = false;
	int ret;

	if (id > BHLAB_ID_MAX)
		return -ENOENT;
	mutex_lock(&lab->lock);
	obj = xa_load(&lab->objects, id);
	ret = bhlab_lab_unpublish(lab, obj);
	mutex_unlock(&lab->lock);
	if (ret)
		return ret;

	if (obj->kind == BHLAB_KIND_ITEM) {
		irq = to_item(obj)->ops->id == BHLAB_MECH_IRQ;
		bhlab_item_end(lab, to_item(obj));
	} else {
		kfree_rcu(obj, rcu);
	}
	bhlab_lab_forget(lab, irq);
	return 0;
}
