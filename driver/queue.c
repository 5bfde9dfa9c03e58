// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues: the workqueues that items can be put on, the system's and a lab's own.
 *
 * Anything that the kernel would WARN about is refused: attributes that exclude
 * each other, queueing on a queue that drains, and destroying a queue that may
 * still receive an activation.
 */
#include <linux/capability.h>
#include <linux/nodemask.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "item.h"
#include "lab.h"
#include "limits.h"
#include "object.h"
#include "queue.h"
#include "stamp.h"
#include "user.h"

#define BHLAB_SYSTEM_QUEUES	(BHLAB_QUEUE_BH_HIGHPRI - BHLAB_QUEUE_PERCPU + 1)

/* Filled in when the module is loaded: the kernel's pointers are not constants. */
static struct bhlab_queue bhlab_system_queues[BHLAB_SYSTEM_QUEUES];

static struct workqueue_struct *bhlab_system_wq(u32 id)
{
	switch (id) {
	case BHLAB_QUEUE_PERCPU:
		return system_percpu_wq;
	case BHLAB_QUEUE_HIGHPRI:
		return system_highpri_wq;
	case BHLAB_QUEUE_LONG:
		return system_long_wq;
	case BHLAB_QUEUE_UNBOUND:
		return system_dfl_wq;
	case BHLAB_QUEUE_FREEZABLE:
		return system_freezable_wq;
	case BHLAB_QUEUE_POWER_EFFICIENT:
		return system_power_efficient_wq;
	case BHLAB_QUEUE_BH:
		return system_bh_wq;
	default:
		return system_bh_highpri_wq;
	}
}

void bhlab_queues_init(void)
{
	struct bhlab_queue *queue;
	u32 i;

	for (i = 0; i < BHLAB_SYSTEM_QUEUES; i++) {
		queue = &bhlab_system_queues[i];
		queue->obj.id = BHLAB_QUEUE_PERCPU + i;
		queue->wq = bhlab_system_wq(queue->obj.id);
		queue->bh = queue->obj.id >= BHLAB_QUEUE_BH;
	}
}

static struct bhlab_queue *to_queue(struct bhlab_object *obj)
{
	return container_of(obj, struct bhlab_queue, obj);
}

static struct bhlab_queue *bhlab_queue_system(u32 id)
{
	u32 nr = id - BHLAB_QUEUE_PERCPU;

	if (nr >= BHLAB_SYSTEM_QUEUES)
		return ERR_PTR(-ENOENT);
	nr = array_index_nospec(nr, BHLAB_SYSTEM_QUEUES);
	if (!bhlab_system_queues[nr].wq)
		return ERR_PTR(-EOPNOTSUPP);
	return &bhlab_system_queues[nr];
}

/* For verbs: valid until bhlab_queue_put(). */
struct bhlab_queue *bhlab_queue_get(struct bhlab_lab *lab, u32 id)
{
	struct bhlab_object *obj;

	if (id > BHLAB_ID_MAX)
		return bhlab_queue_system(id);
	obj = bhlab_object_get(lab, id, BHLAB_KIND_QUEUE);
	return obj ? to_queue(obj) : ERR_PTR(-ENOENT);
}

void bhlab_queue_put(struct bhlab_queue *queue)
{
	if (queue && !bhlab_queue_is_system(queue))
		bhlab_object_put(&queue->obj);
}

/* For items that name it: valid until bhlab_queue_unpin(). */
struct bhlab_queue *bhlab_queue_pin(struct bhlab_lab *lab, u32 id)
{
	struct bhlab_object *obj;

	if (id > BHLAB_ID_MAX)
		return bhlab_queue_system(id);
	obj = bhlab_object_pin(lab, id, BHLAB_KIND_QUEUE);
	return obj ? to_queue(obj) : ERR_PTR(-ENOENT);
}

void bhlab_queue_unpin(struct bhlab_queue *queue)
{
	if (queue && !bhlab_queue_is_system(queue))
		bhlab_object_unpin(&queue->obj);
}

#define BHLAB_WQ_SHAPES							\
	(BHLAB_WQ_PERCPU | BHLAB_WQ_UNBOUND | BHLAB_WQ_BH |		\
	 BHLAB_WQ_ORDERED | BHLAB_WQ_LEGACY | BHLAB_WQ_SINGLETHREAD)

/* The flags that each shape may have. */
static u32 bhlab_wq_allowed(u32 shape)
{
	const u32 any = BHLAB_WQ_HIGHPRI | BHLAB_WQ_FREEZABLE |
			BHLAB_WQ_MEM_RECLAIM;

	switch (shape) {
	case BHLAB_WQ_PERCPU:
		return any | BHLAB_WQ_CPU_INTENSIVE;
	case BHLAB_WQ_UNBOUND:
	case BHLAB_WQ_ORDERED:
		return any;
	case BHLAB_WQ_BH:
		return BHLAB_WQ_HIGHPRI;
	default:
		return 0;
	}
}

static int bhlab_queue_check(const struct bhlab_queue_create *cmd)
{
	u32 shape = cmd->flags & BHLAB_WQ_SHAPES;
	int ret;

	if (shape & BHLAB_WQ_BH && !BHLAB_CAN_BH_QUEUE)
		return -EOPNOTSUPP;
	ret = bhlab_name_check(cmd->name);
	if (ret)
		return ret;
	if (hweight32(shape) != 1 ||
	    cmd->flags & ~(shape | bhlab_wq_allowed(shape)) ||
	    cmd->max_active > WQ_MAX_ACTIVE ||
	    (cmd->max_active && !(shape & (BHLAB_WQ_PERCPU | BHLAB_WQ_UNBOUND))))
		return -EINVAL;
	/* Its workers run at nice -20; a softirq has no nice value. */
	if (cmd->flags & BHLAB_WQ_HIGHPRI && shape != BHLAB_WQ_BH &&
	    !capable(CAP_SYS_NICE))
		return -EPERM;
	return 0;
}

static u32 bhlab_wq_flags(u32 flags)
{
	return (flags & BHLAB_WQ_HIGHPRI ? WQ_HIGHPRI : 0) |
	       (flags & BHLAB_WQ_FREEZABLE ? WQ_FREEZABLE : 0) |
	       (flags & BHLAB_WQ_MEM_RECLAIM ? WQ_MEM_RECLAIM : 0) |
	       (flags & BHLAB_WQ_CPU_INTENSIVE ? WQ_CPU_INTENSIVE : 0);
}

static struct workqueue_struct *bhlab_wq_alloc(const struct bhlab_queue *queue,
					       const char *name)
{
	u32 flags = bhlab_wq_flags(queue->flags);

	switch (queue->flags & BHLAB_WQ_SHAPES) {
	case BHLAB_WQ_PERCPU:
		return alloc_workqueue("%s", WQ_PERCPU | flags,
				       queue->max_active, name);
	case BHLAB_WQ_UNBOUND:
		return alloc_workqueue("%s", WQ_UNBOUND | flags,
				       queue->max_active, name);
	case BHLAB_WQ_BH:
		return alloc_workqueue("%s", WQ_BH | BHLAB_WQ_BH_PERCPU | flags,
				       0, name);
	case BHLAB_WQ_ORDERED:
		return alloc_ordered_workqueue("%s", flags, name);
	case BHLAB_WQ_LEGACY:
		return create_workqueue(name);
	default:
		return create_singlethread_workqueue(name);
	}
}

/* The kernel logs a message if it has to truncate a name; this is its limit. */
#define BHLAB_WQ_NAME_LEN	24

static int bhlab_queue_init(struct bhlab_object *obj)
{
	struct bhlab_queue *queue = to_queue(obj);
	char name[BHLAB_WQ_NAME_LEN];

	scnprintf(name, sizeof(name), "bhlab%u-%s", obj->lab->id, obj->name);
	queue->wq = bhlab_wq_alloc(queue, name);
	return queue->wq ? 0 : -ENOMEM;
}

/*
 * Not while an activation holds it, possibly on a delay or in a grace period:
 * the kernel would queue that too late. From here on bhlab_queue_enter() fails.
 */
static int bhlab_queue_kill(struct bhlab_object *obj, bool force)
{
	struct bhlab_queue *queue = to_queue(obj);

	return force || atomic_cmpxchg(&queue->active, 0, BHLAB_QUEUE_DEAD) == 0 ?
	       0 : -EBUSY;
}

static void bhlab_queue_release(struct bhlab_object *obj)
{
	struct bhlab_queue *queue = to_queue(obj);

	destroy_workqueue(queue->wq);
	kfree_rcu(queue, obj.rcu);
}

static const struct bhlab_kind_ops bhlab_queue_ops = {
	.kind = BHLAB_KIND_QUEUE,
	.init = bhlab_queue_init,
	.kill = bhlab_queue_kill,
	.release = bhlab_queue_release,
};

/* A queue for memory reclaim has a rescuer, and so do those of the old calls. */
static void bhlab_charge_queue(struct bhlab_queue *queue)
{
	const u32 rescued = BHLAB_WQ_MEM_RECLAIM | BHLAB_WQ_LEGACY |
			    BHLAB_WQ_SINGLETHREAD;

	queue->obj.charge.nr[BHLAB_RES_THREAD] = !!(queue->flags & rescued);
}

struct bhlab_object *bhlab_queue_create(struct bhlab_lab *lab,
					struct bhlab_queue_create *cmd)
{
	struct bhlab_queue *queue;
	int ret = bhlab_queue_check(cmd);

	if (ret)
		return ERR_PTR(ret);
	queue = kzalloc(sizeof(*queue), GFP_KERNEL_ACCOUNT);
	if (!queue)
		return ERR_PTR(-ENOMEM);
	bhlab_object_init(&queue->obj, lab, &bhlab_queue_ops, BHLAB_RES_QUEUE,
			  cmd->name);
	queue->flags = cmd->flags;
	queue->max_active = cmd->max_active;
	queue->bh = cmd->flags & BHLAB_WQ_BH;
	bhlab_charge_queue(queue);
	ret = bhlab_lab_add(lab, &queue->obj);
	if (ret) {
		kfree(queue);
		return ERR_PTR(ret);
	}
	cmd->out_id = queue->obj.id;
	return &queue->obj;
}

void bhlab_queue_state(struct bhlab_queue *queue, struct bhlab_queue_state *st)
{
	st->out_queue_flags = queue->flags;
	st->out_max_active = queue->max_active;
	st->out_items = READ_ONCE(queue->obj.pins);
	st->out_active = max(atomic_read(&queue->active), 0);
	st->out_draining = READ_ONCE(queue->draining);
	memcpy(st->out_name, queue->obj.name, sizeof(st->out_name));
}

int bhlab_queue_flush(struct bhlab_queue *queue)
{
	if (bhlab_queue_is_system(queue))
		return -EPERM;
	flush_workqueue(queue->wq);
	return BHLAB_RESULT_WAITED;
}

/* The next queue of the lab after @id, with a reference, or NULL. */
static struct bhlab_queue *bhlab_queue_after(struct bhlab_lab *lab, u32 id)
{
	struct bhlab_object *obj = NULL;
	unsigned long next = id;

	while (!obj && xa_find_after(&lab->objects, &next, BHLAB_ID_MAX, XA_PRESENT))
		obj = bhlab_object_get(lab, next, BHLAB_KIND_QUEUE);
	return obj ? to_queue(obj) : NULL;
}

/*
 * Wait until every running handler on a queue of the lab has returned. A handler
 * that has not left its queue keeps that queue in the table; one that has left
 * it does not touch its item any more.
 */
void bhlab_queues_flush(struct bhlab_lab *lab)
{
	struct bhlab_queue *queue;
	u32 id = 0;

	while ((queue = bhlab_queue_after(lab, id))) {
		id = queue->obj.id;
		flush_workqueue(queue->wq);
		bhlab_queue_put(queue);
	}
}

static bool bhlab_queue_armed(struct bhlab_queue *queue)
{
	struct bhlab_lab *lab = queue->obj.lab;
	struct bhlab_object *obj;
	bool armed = false;
	unsigned long id;

	mutex_lock(&lab->lock);
	xa_for_each(&lab->objects, id, obj)
		if (obj->ops && obj->ops->kind == BHLAB_KIND_ITEM)
			armed |= bhlab_item_armed(to_item(obj), queue);
	mutex_unlock(&lab->lock);
	return armed;
}

static bool bhlab_queue_begin_drain(struct bhlab_queue *queue)
{
	struct bhlab_lab *lab = queue->obj.lab;
	bool begun = false;

	mutex_lock(&lab->lock);
	if (!queue->draining) {
		queue->drain_until = ktime_get_mono_fast_ns() +
				     10 * bhlab_limits.process_ns;
		/* Pairs with bhlab_queue_refuses(). */
		smp_store_release(&queue->draining, true);
		begun = true;
	}
	mutex_unlock(&lab->lock);
	return begun;
}

/*
 * The gate reads @draining with interrupts off, and the kernel's timers queue
 * with interrupts off. So after a grace period every activation that did not see
 * it, or whose timer had just expired, is on the queue.
 */
int bhlab_queue_drain(struct bhlab_queue *queue)
{
	int ret = BHLAB_RESULT_WAITED;

	if (bhlab_queue_is_system(queue))
		return -EPERM;
	if (!bhlab_queue_begin_drain(queue))
		return -EAGAIN;

	synchronize_rcu();
	if (bhlab_queue_armed(queue)) {
		ret = -EBUSY;
	} else {
		synchronize_rcu();
		drain_workqueue(queue->wq);
	}
	bhlab_queue_open(queue);
	return ret;
}

/*
 * For a step that drains: close the queue, as for bhlab_queue_drain(). The step
 * waits for the activations that hold the queue, so it does not matter when one
 * that has passed the gate gets there.
 */
int bhlab_queue_close(struct bhlab_queue *queue)
{
	if (!bhlab_queue_begin_drain(queue))
		return -EAGAIN;
	if (!bhlab_queue_armed(queue))
		return 0;
	bhlab_queue_open(queue);
	return -EBUSY;
}

void bhlab_queue_open(struct bhlab_queue *queue)
{
	WRITE_ONCE(queue->draining, false);
}

/*
 * How many of its items run at a time, on each CPU or, if it is not per CPU, in
 * all; 0 if the driver cannot tell. max_active of an unbound queue is for each
 * node, up to Linux 6.8 for each pool of workers.
 */
u32 bhlab_queue_places(const struct bhlab_queue *queue)
{
	if (queue->flags & (BHLAB_WQ_ORDERED | BHLAB_WQ_SINGLETHREAD | BHLAB_WQ_LEGACY))
		return 1;
	if (queue->flags & BHLAB_WQ_PERCPU)
		return queue->max_active;
	return queue->max_active == 1 && num_possible_nodes() == 1;
}

/* The lab's next item after *@id, with a reference, or NULL. */
struct bhlab_item *bhlab_queue_item(struct bhlab_queue *queue, u32 *id)
{
	struct bhlab_lab *lab = queue->obj.lab;
	struct bhlab_object *obj = NULL;
	unsigned long next = *id;

	while (!obj && xa_find_after(&lab->objects, &next, BHLAB_ID_MAX, XA_PRESENT))
		obj = bhlab_object_get(lab, next, BHLAB_KIND_ITEM);
	*id = next;
	return obj ? to_item(obj) : NULL;
}
