// SPDX-License-Identifier: GPL-2.0-only
/* The life of items: the checks before one is created, and its end. */
#include <linux/capability.h>
#include <linux/cpu.h>
#include <linux/sched/prio.h>
#include <linux/slab.h>

#include "delay.h"
#include "item.h"
#include "lab.h"
#include "limits.h"
#include "object.h"
#include "program.h"
#include "queue.h"
#include "ring.h"
#include "user.h"
#include "mech/mech.h"

#define BHLAB_ITEM_ATTRS						\
	(BHLAB_ITEM_HARD | BHLAB_ITEM_LAZY | BHLAB_ITEM_IRQSAFE |	\
	 BHLAB_ITEM_PINNED | BHLAB_ITEM_STATIC | BHLAB_ITEM_ONESHOT)

/* False if a field is set that this mechanism does not use, or not without its flag. */
static bool bhlab_create_fits(const struct bhlab_mech_ops *ops,
			      const struct bhlab_item_create *cmd)
{
	bool thread = cmd->flags & BHLAB_ITEM_THREAD;

	return ops && !bhlab_mech_absent(ops) && !(cmd->flags & BHLAB_ITEM_ATTRS & ~ops->attrs) &&
	       (!cmd->weight || ops->polls) &&
	       (!cmd->period_ns || ops->takes_period) &&
	       (!thread || ops->takes_thread) &&
	       cmd->flow <= ops->last_flow &&
	       (!cmd->queue || ops->takes_queue) &&
	       ((!cmd->nice && !cmd->priority) || ops->takes_priority) &&
	       (thread || (!cmd->nr_thread_steps && !cmd->thread_steps)) &&
	       (!cmd->cpu || cmd->flags & BHLAB_ITEM_CPU);
}

static int bhlab_create_check_values(const struct bhlab_item_create *cmd)
{
	int ret = bhlab_name_check(cmd->name);

	if (ret)
		return ret;
	if (cmd->nice < MIN_NICE || cmd->nice > MAX_NICE ||
	    cmd->priority > MAX_RT_PRIO - 1 || (cmd->nice && cmd->priority) ||
	    cmd->weight > BHLAB_WEIGHT_MAX || cmd->period_ns > BHLAB_NS_MAX ||
	    (cmd->period_ns && cmd->period_ns < bhlab_limits.period_ns) ||
	    (cmd->flags & BHLAB_ITEM_HARD && cmd->flags & BHLAB_ITEM_LAZY) ||
	    (cmd->flags & BHLAB_ITEM_ONESHOT && !(cmd->flags & BHLAB_ITEM_THREAD)))
		return -EINVAL;
	/* The padding is copied into every record: it must not carry anything. */
	if (memchr_inv(cmd->data + strlen(cmd->data), 0,
		       BHLAB_DATA_LEN - strlen(cmd->data)))
		return -EINVAL;
	return 0;
}

/* Checks of the request, before anything is created for it. */
static int bhlab_create_check(const struct bhlab_item *item,
			      struct bhlab_item_create *cmd)
{
	int ret;

	if (strnlen(cmd->name, BHLAB_NAME_LEN) == BHLAB_NAME_LEN ||
	    strnlen(cmd->data, BHLAB_DATA_LEN) == BHLAB_DATA_LEN)
		return -E2BIG;
	if (cmd->nr_steps > bhlab_limits.steps)
		return bhlab_program_refuse(cmd, BHLAB_WHY_LENGTH, bhlab_limits.steps);
	if (cmd->nr_thread_steps > bhlab_limits.steps)
		return bhlab_program_refuse(cmd, BHLAB_WHY_LENGTH,
					    cmd->nr_steps + bhlab_limits.steps);
	ret = bhlab_create_check_values(cmd);
	if (ret)
		return ret;
	/*
	 * The static work item must not alternate between process and softirq
	 * context (lockdep).
	 */
	if (cmd->flags & BHLAB_ITEM_STATIC && item->queue && item->queue->bh)
		return -EINVAL;
	if (cmd->flags & BHLAB_ITEM_CPU &&
	    (cmd->cpu >= nr_cpu_ids || !cpu_online(cmd->cpu)))
		return -ENODEV;
	if ((cmd->priority || cmd->nice < 0 ||
	     cmd->queue == BHLAB_QUEUE_HIGHPRI) && !capable(CAP_SYS_NICE))
		return -EPERM;
	return 0;
}

static void bhlab_item_free(struct bhlab_item *item)
{
	bhlab_program_free(item->obj.lab, item->program);
	bhlab_program_free(item->obj.lab, item->thread_program);
	bhlab_queue_unpin(item->queue);
	kfree_rcu(item, obj.rcu);
}

/*
 * The total time of the lab's programs in process context bounds how long a
 * waiter can be queued behind the lab's other programs.
 */
static int bhlab_item_init(struct bhlab_object *obj)
{
	struct bhlab_item *item = to_item(obj);
	struct bhlab_lab *lab = obj->lab;
	int ret;

	item->over_lab_time = lab->process_ns + item->process_ns >
			      bhlab_limits.lab_ns;
	if (item->over_lab_time)
		return -ENOSPC;
	/* It may record from its first activation on. */
	ret = bhlab_ring_use(&lab->ring);
	if (!ret)
		ret = item->ops->init(item);
	if (!ret)
		lab->process_ns += item->process_ns;
	return ret;
}

/*
 * The first step of its end: nothing can be activated any more. Without @force
 * it is refused while the mechanism would wait forever.
 */
static int bhlab_item_kill(struct bhlab_object *obj, bool force)
{
	struct bhlab_item *item = to_item(obj);
	unsigned long flags;
	int ret = 0;

	flags = bhlab_item_lock(item);
	if (!force && item->ops->busy && item->ops->busy(item))
		ret = -EBUSY;
	else
		bhlab_item_die(item);
	bhlab_item_unlock(item, flags);
	return ret;
}

/*
 * The second step: wait until no handler of it runs, on any queue. If it may run
 * on another CPU, the caller waits, once for many items.
 */
static u32 bhlab_item_stop(struct bhlab_object *obj)
{
	struct bhlab_item *item = to_item(obj);
	u32 after = item->accepted ? item->ops->after : 0;

	bhlab_delay_stop(item);
	if (item->ops->stop)
		item->ops->stop(item);
	if (item->roamed && !item->ops->takes_queue)
		return after | BHLAB_AFTER_GRACE;
	bhlab_item_wait_elsewhere(item);
	return after;
}

/* The last step, after the waits that the mechanism needs: free its resources. */
static void bhlab_item_release(struct bhlab_object *obj)
{
	struct bhlab_item *item = to_item(obj);

	if (item->ops->free)
		item->ops->free(item);
	mutex_lock(&obj->lab->lock);
	obj->lab->process_ns -= item->process_ns;
	mutex_unlock(&obj->lab->lock);
	bhlab_item_free(item);
}

static const struct bhlab_kind_ops bhlab_item_ops = {
	.kind = BHLAB_KIND_ITEM,
	.init = bhlab_item_init,
	.kill = bhlab_item_kill,
	.stop = bhlab_item_stop,
	.release = bhlab_item_release,
};

static struct bhlab_item *bhlab_item_alloc(struct bhlab_lab *lab,
					   const struct bhlab_mech_ops *ops,
					   const struct bhlab_item_create *cmd)
{
	struct bhlab_item *item = kzalloc(ops->size, GFP_KERNEL_ACCOUNT);

	if (!item)
		return NULL;
	bhlab_object_init(&item->obj, lab, &bhlab_item_ops, ops->resource,
			  cmd->name);
	item->ops = ops;
	item->flags = cmd->flags;
	item->cpu = cmd->cpu;
	item->nice = cmd->nice;
	item->priority = cmd->priority;
	item->period_ns = cmd->period_ns;
	if (ops->polls)
		item->weight = cmd->weight ?: BHLAB_WEIGHT_MAX;
	item->flow = cmd->flow;
	item->cookie = cmd->cookie;
	memcpy(item->data, cmd->data, sizeof(item->data));
	item->privileged = bhlab_has_cap(CAP_SYS_ADMIN);
	item->share = item->privileged ? NULL : bhlab_user_share(lab->user);
	item->ran_on = raw_smp_processor_id();
	raw_spin_lock_init(&item->lock);
	bhlab_delay_init(item);
	return item;
}

static int bhlab_item_pin_queue(struct bhlab_item *item, u32 id)
{
	struct bhlab_queue *queue;

	if (!item->ops->takes_queue)
		return 0;
	queue = bhlab_queue_pin(item->obj.lab, id ?: BHLAB_QUEUE_PERCPU);
	if (IS_ERR(queue))
		return PTR_ERR(queue);
	item->queue = queue;
	return 0;
}

/*
 * Kernel threads are outside of the rlimits and the cgroup of their creator, so
 * an item that may occupy one is charged for it. A program that sleeps occupies
 * a kworker, and so does one that is busy for long: on an unbound queue another
 * kworker starts with the next items.
 */
static bool bhlab_item_holds_kworker(const struct bhlab_item *item)
{
	return item->queue && !item->queue->bh && item->program->lingers;
}

static u32 bhlab_item_threads(const struct bhlab_item *item)
{
	switch (item->ops->id) {
	case BHLAB_MECH_KTHREAD_WORK:
		return 1;
	case BHLAB_MECH_IRQ:
		/* On RT, and with threadirqs, most top halves have one as well. */
		return !!(item->flags & BHLAB_ITEM_THREAD) +
		       (bhlab_mech_context(item->ops) == BHLAB_CTX_TASK &&
			!(item->flags & BHLAB_ITEM_ONESHOT));
	default:
		return bhlab_item_holds_kworker(item);
	}
}

/*
 * Its programs are known by now. A system queue runs no more than max_active
 * items at a time (256 on the oldest kernels), of all users; all users together
 * stay far below that.
 */
static void bhlab_charge_item(struct bhlab_item *item)
{
	u32 *nr = item->obj.charge.nr;

	nr[BHLAB_RES_THREAD] = bhlab_item_threads(item);
	nr[BHLAB_RES_SLEEPER] = bhlab_item_holds_kworker(item) &&
				bhlab_queue_is_system(item->queue);
}

static int bhlab_item_read_programs(struct bhlab_item *item,
				    struct bhlab_item_create *cmd)
{
	struct bhlab_program *p;

	p = bhlab_program_read(item, cmd, false);
	if (IS_ERR(p))
		return PTR_ERR(p);
	item->program = p;
	p = bhlab_program_read(item, cmd, true);
	if (IS_ERR(p))
		return PTR_ERR(p);
	item->thread_program = p;
	if (item->period_ns && item->program->busy_ns > item->period_ns / 2)
		return -EINVAL;
	item->process_ns = item->program->process_ns + p->process_ns;
	item->mutexes = item->program->mutexes | p->mutexes;
	bhlab_charge_item(item);
	return 0;
}

struct bhlab_object *bhlab_item_create(struct bhlab_lab *lab,
				       struct bhlab_item_create *cmd)
{
	const struct bhlab_mech_ops *ops = bhlab_mech(cmd->mech);
	struct bhlab_item *item;
	int ret;

	cmd->out_why = 0;
	cmd->out_step = 0;
	if (!bhlab_create_fits(ops, cmd))
		return ERR_PTR(-EOPNOTSUPP);
	item = bhlab_item_alloc(lab, ops, cmd);
	if (!item)
		return ERR_PTR(-ENOMEM);
	ret = bhlab_item_pin_queue(item, cmd->queue);
	item->atomic = ops->context != BHLAB_CTX_TASK || item->priority ||
		       (item->queue && item->queue->bh);
	if (!ret)
		ret = bhlab_create_check(item, cmd);
	if (!ret)
		ret = bhlab_item_read_programs(item, cmd);
	if (!ret)
		ret = bhlab_lab_add(lab, &item->obj);
	if (item->over_lab_time)
		ret = bhlab_program_refuse(cmd, BHLAB_WHY_LAB_TIME, 0);
	if (ret) {
		bhlab_item_free(item);
		return ERR_PTR(ret);
	}
	cmd->out_id = item->obj.id;
	return &item->obj;
}
