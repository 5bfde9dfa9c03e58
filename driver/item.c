// SPDX-License-Identifier: GPL-2.0-only
/*
 * Items: their life, the verbs, and the gate that every activation passes.
 */
#include <linux/capability.h>
#include <linux/cpu.h>
#include <linux/interrupt.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "bhlab.h"
#include "compat.h"
#include "limits.h"

/*
 * Accepted, and neither run, cancelled nor known to be merged. A line's raises
 * are known to be merged only at rest, and a cancel may have come too late
 * there, so that for a moment the sum can exceed what was accepted.
 */
u64 bhlab_item_outstanding(const struct bhlab_item *item)
{
	u64 known = item->runs + item->cancelled + item->merged;

	return item->accepted > known ? item->accepted - known : 0;
}

bool bhlab_item_idle(const struct bhlab_item *item)
{
	return !bhlab_item_outstanding(item) && !item->running &&
	       !item->unsettled;
}

/* The records of what happens under the lock tell the context outside of it. */
unsigned long bhlab_item_lock(struct bhlab_item *item)
	__acquires(&item->lock)
{
	u16 context = bhlab_context();
	unsigned long flags;

	raw_spin_lock_irqsave(&item->lock, flags);
	item->context = context;
	return flags;
}

void bhlab_item_unlock(struct bhlab_item *item, unsigned long flags)
	__releases(&item->lock)
{
	raw_spin_unlock_irqrestore(&item->lock, flags);
}

static void bhlab_stamp_push(struct bhlab_item *item,
			     const struct bhlab_stamp *stamp)
{
	if (item->nr_stamps < BHLAB_STAMPS)
		item->nr_stamps++;
	item->stamps[(item->first_stamp + item->nr_stamps - 1) % BHLAB_STAMPS] =
		*stamp;
}

/* Call the kernel, and keep the stamp for the run that will come of it. */
int bhlab_item_call(struct bhlab_item *item,
		    const struct bhlab_activation *act,
		    const struct bhlab_stamp *stamp)
{
	struct bhlab_stamp queued = *stamp;
	int ret;

	lockdep_assert_held(&item->lock);
	if (act->delay && item->ops->delay)
		ret = item->ops->delay(item, act);
	else
		ret = item->ops->queue(item, act);
	if (ret == BHLAB_RESULT_QUEUED) {
		queued.softirq = local_softirq_pending();
		bhlab_stamp_push(item, &queued);
	}
	return ret;
}

/* A raise that finds the line raised is accepted all the same, as merged. */
static int bhlab_item_raise(struct bhlab_item *item,
			    const struct bhlab_activation *act,
			    const struct bhlab_stamp *stamp)
{
	int ret = bhlab_item_call(item, act, stamp);

	if (item->ops->merges && ret == BHLAB_RESULT_ALREADY_PENDING)
		item->accepted++;
	return ret;
}

static void bhlab_item_account(struct bhlab_item *item, int result,
			       const struct bhlab_stamp *stamp)
{
	switch (result) {
	case BHLAB_RESULT_QUEUED:
		item->accepted++;
		if (item->flags & BHLAB_ITEM_QUEUED)
			bhlab_record(item, BHLAB_EVENT_QUEUED, stamp, 0);
		break;
	case BHLAB_RESULT_ALREADY_PENDING:
		item->coalesced++;
		bhlab_record(item, BHLAB_EVENT_COALESCED, stamp, 0);
		break;
	case BHLAB_RESULT_DISABLED:
		item->refused++;
		break;
	}
}

/*
 * The gate. Teardown sets @dead under the same lock: whoever comes later gets
 * ENOENT, so that nothing is armed again behind its back.
 */
int bhlab_item_activate(struct bhlab_item *item,
			const struct bhlab_activation *act)
{
	struct bhlab_stamp stamp;
	unsigned long flags;
	int ret = 0;

	flags = bhlab_item_lock(item);
	if (item->dead)
		ret = -ENOENT;
	else if (item->ops->admit)
		ret = item->ops->admit(item, act);
	if (!ret) {
		bhlab_stamp_now(&stamp, act);
		if (act->delay && !item->ops->delay)
			ret = bhlab_delay_arm(item, act, &stamp);
		else
			ret = bhlab_item_raise(item, act, &stamp);
		bhlab_item_account(item, ret, &stamp);
	}
	bhlab_item_unlock(item, flags);
	if (ret >= 0)
		bhlab_lab_wake(item->obj.lab);
	return ret;
}

/* The stamp of the activation that was taken back: the newest. */
void bhlab_stamp_take_back(struct bhlab_item *item, struct bhlab_stamp *stamp)
{
	if (item->nr_stamps)
		item->nr_stamps--;
	*stamp = item->stamps[(item->first_stamp + item->nr_stamps) %
			      BHLAB_STAMPS];
}

static void bhlab_item_account_cancel(struct bhlab_item *item,
				      const struct bhlab_stamp *stamp)
{
	lockdep_assert_held(&item->lock);
	item->cancelled++;
	bhlab_record(item, BHLAB_EVENT_CANCELLED, stamp, 0);
}

static void bhlab_item_taken_back(struct bhlab_item *item)
{
	struct bhlab_stamp stamp;

	bhlab_stamp_take_back(item, &stamp);
	bhlab_item_account_cancel(item, &stamp);
}

static void bhlab_item_sync(struct bhlab_item *item, bool *hit)
{
	unsigned long flags;

	if (!item->ops->sync(item))
		return;
	flags = bhlab_item_lock(item);
	bhlab_item_taken_back(item);
	bhlab_item_unlock(item, flags);
	*hit = true;
}

bool bhlab_item_cancel(struct bhlab_item *item, bool sync, bool *waited)
{
	unsigned long flags;
	bool hit = false;

	flags = bhlab_item_lock(item);
	if (bhlab_delay_cancel(item)) {
		bhlab_item_account_cancel(item, &item->delay_stamp);
		hit = true;
	} else if (item->ops->cancel(item)) {
		bhlab_item_taken_back(item);
		hit = true;
	}
	*waited = sync && item->running;
	bhlab_item_unlock(item, flags);

	if (sync)
		bhlab_item_sync(item, &hit);
	bhlab_lab_wake(item->obj.lab);
	return hit;
}

int bhlab_item_disable(struct bhlab_item *item, bool sync, bool privileged,
		       u32 *depth, bool *waited)
{
	unsigned long flags;
	bool hit = false;
	int ret;

	flags = bhlab_item_lock(item);
	if (item->dead)
		ret = -ENOENT;
	else if (item->depth == BHLAB_DISABLE_DEPTH_MAX)
		ret = -EOVERFLOW;
	else
		ret = item->ops->disable(item, privileged);
	if (ret >= 0) {
		*depth = ++item->depth;
		*waited = sync && item->running;
		bhlab_record(item, BHLAB_EVENT_DISABLED, NULL, item->depth);
	}
	hit = ret > 0;
	if (hit)
		bhlab_item_taken_back(item);
	bhlab_item_unlock(item, flags);
	if (ret < 0)
		return ret;

	if (sync)
		bhlab_item_sync(item, &hit);
	bhlab_lab_wake(item->obj.lab);
	return hit ? BHLAB_RESULT_WAS_PENDING : BHLAB_RESULT_IDLE;
}

int bhlab_item_enable(struct bhlab_item *item, u32 *depth)
{
	unsigned long flags;
	int ret = 0;

	flags = bhlab_item_lock(item);
	if (item->dead) {
		ret = -ENOENT;
	} else if (!item->depth) {
		ret = -EINVAL;
	} else {
		*depth = --item->depth;
		bhlab_record(item, BHLAB_EVENT_ENABLED, NULL, item->depth);
		item->ops->enable(item);
	}
	bhlab_item_unlock(item, flags);
	if (!ret)
		bhlab_lab_wake(item->obj.lab);
	return ret;
}

/*
 * Flush, for mechanisms whose kernel API has none: fire what is on a delay, and
 * wait until what was accepted before has finished or is cancelled.
 */
static bool bhlab_drained(struct bhlab_item *item, u64 target, int *ret)
{
	unsigned long flags;

	flags = bhlab_item_lock(item);
	*ret = 0;
	if (item->finished + item->cancelled >= target)
		*ret = BHLAB_RESULT_WAITED;
	else if (item->dead)
		*ret = -ENOENT;
	else if (item->depth && bhlab_item_outstanding(item))
		*ret = -EBUSY;
	bhlab_item_unlock(item, flags);
	return *ret;
}

int bhlab_item_drain(struct bhlab_item *item)
{
	unsigned long flags;
	u64 target;
	bool idle;
	int ret;

	flags = bhlab_item_lock(item);
	target = item->accepted;
	idle = bhlab_item_idle(item);
	if (item->depth && bhlab_item_outstanding(item)) {
		bhlab_item_unlock(item, flags);
		return -EBUSY;
	}
	bhlab_delay_fire(item);
	bhlab_item_unlock(item, flags);
	if (idle)
		return BHLAB_RESULT_IDLE;

	if (wait_event_interruptible(item->obj.lab->wait,
				     bhlab_drained(item, target, &ret)))
		return -EINTR;
	return ret;
}

static bool bhlab_wait_done(struct bhlab_item *item,
			    const struct bhlab_wait *cmd, int *ret)
{
	unsigned long flags;
	bool done = true;

	flags = bhlab_item_lock(item);
	*ret = 0;
	if (cmd->condition == BHLAB_COND_IDLE)
		done = bhlab_item_idle(item);
	else if (cmd->condition == BHLAB_COND_PENDING)
		done = bhlab_item_outstanding(item);
	else if (cmd->condition == BHLAB_COND_RUNNING)
		done = item->running;
	else
		done = item->finished >= cmd->value;
	if (!done && item->dead) {
		*ret = -ENOENT;
		done = true;
	}
	bhlab_item_unlock(item, flags);
	return done;
}

/*
 * A run ends within its handler. Who has waited for that may expect the kernel
 * to be done with it, too, unless there is more to come.
 */
static void bhlab_wait_returned(struct bhlab_item *item, u32 condition)
{
	unsigned long flags = bhlab_item_lock(item);
	bool idle = bhlab_item_idle(item);

	bhlab_item_unlock(item, flags);
	if (idle && item->ops->returned &&
	    (condition == BHLAB_COND_IDLE || condition == BHLAB_COND_RUNS))
		item->ops->returned(item);
}

/*
 * A raise that is lost wakes nobody, so a mechanism that has to look for its
 * losses is looked at again and again.
 */
#define BHLAB_SETTLE_NS		(10 * NSEC_PER_MSEC)

int bhlab_item_wait(struct bhlab_item *item, const struct bhlab_wait *cmd)
{
	u64 end = ktime_get_ns() + cmd->timeout_ns;
	s64 left;
	int ret;

	for (;;) {
		if (item->ops->settle)
			item->ops->settle(item);
		if (bhlab_wait_done(item, cmd, &ret))
			break;
		left = end - ktime_get_ns();
		if (left <= 0)
			return -ETIMEDOUT;
		if (item->ops->settle)
			left = min_t(s64, left, BHLAB_SETTLE_NS);
		if (wait_event_interruptible_hrtimeout(item->obj.lab->wait,
						       bhlab_wait_done(item, cmd, &ret),
						       ns_to_ktime(left)) == -ERESTARTSYS)
			return -EINTR;
	}
	if (!ret)
		bhlab_wait_returned(item, cmd->condition);
	return ret;
}

void bhlab_item_state(struct bhlab_item *item, struct bhlab_item_state *st)
{
	unsigned long flags;

	if (item->ops->settle)
		item->ops->settle(item);

	st->out_mech = item->ops->id;
	st->out_item_flags = item->flags;
	st->out_queue = item->queue;
	st->out_cpu = item->cpu;
	st->out_nr_steps = bhlab_program_len(item->program);
	st->out_nr_thread_steps = bhlab_program_len(item->thread_program);
	st->out_cookie = item->cookie;
	memcpy(st->out_name, item->obj.name, sizeof(st->out_name));
	memcpy(st->out_data, item->data, sizeof(st->out_data));

	flags = bhlab_item_lock(item);
	st->out_depth = item->depth;
	st->out_accepted = item->accepted;
	st->out_coalesced = item->coalesced;
	st->out_refused = item->refused;
	st->out_runs = item->runs;
	st->out_cancelled = item->cancelled;
	st->out_merged = item->merged;
	st->out_outstanding = bhlab_item_outstanding(item);
	st->out_skipped = item->skipped;
	st->out_state = (st->out_outstanding ? BHLAB_STATE_PENDING : 0) |
			(item->delayed ? BHLAB_STATE_DELAYED : 0) |
			(item->running ? BHLAB_STATE_RUNNING : 0) |
			(item->depth ? BHLAB_STATE_DISABLED : 0);
	if (item->ops->state)
		item->ops->state(item, st);
	bhlab_item_unlock(item, flags);
}

/* What is wrong with the request, before anything is allocated for it. */
static int bhlab_create_check(const struct bhlab_mech_ops *ops,
			      const struct bhlab_item_create *cmd)
{
	bool thread = cmd->flags & BHLAB_ITEM_THREAD;
	int ret;

	if (!ops || (thread && !ops->thread_steps) ||
	    (cmd->queue && !ops->takes_queue) ||
	    (!thread && (cmd->nr_thread_steps || cmd->thread_steps)) ||
	    (!(cmd->flags & BHLAB_ITEM_CPU) && cmd->cpu))
		return -EOPNOTSUPP;
	if (cmd->queue && !bhlab_queue_find(cmd->queue))
		return -ENOENT;
	if (strnlen(cmd->name, BHLAB_NAME_LEN) == BHLAB_NAME_LEN ||
	    strnlen(cmd->data, BHLAB_DATA_LEN) == BHLAB_DATA_LEN ||
	    cmd->nr_steps > bhlab_limits.steps ||
	    cmd->nr_thread_steps > bhlab_limits.steps)
		return -E2BIG;
	ret = bhlab_name_check(cmd->name);
	if (ret)
		return ret;
	/* The padding goes into every record: it must not carry anything. */
	if (memchr_inv(cmd->data + strlen(cmd->data), 0,
		       BHLAB_DATA_LEN - strlen(cmd->data)))
		return -EINVAL;
	if (cmd->flags & BHLAB_ITEM_CPU &&
	    (cmd->cpu >= nr_cpu_ids || !cpu_online(cmd->cpu)))
		return -ENODEV;
	return 0;
}

static struct bhlab_item *bhlab_item_alloc(struct bhlab_lab *lab,
					   const struct bhlab_mech_ops *ops,
					   const struct bhlab_item_create *cmd)
{
	struct bhlab_item *item = kzalloc(ops->size, GFP_KERNEL_ACCOUNT);

	if (!item)
		return NULL;
	item->ops = ops;
	item->obj.lab = lab;
	item->obj.kind = BHLAB_KIND_ITEM;
	refcount_set(&item->obj.users, 1);
	strscpy(item->obj.name, cmd->name, sizeof(item->obj.name));
	item->flags = cmd->flags;
	item->cpu = cmd->cpu;
	item->queue = cmd->queue;
	if (ops->takes_queue && !cmd->queue)
		item->queue = BHLAB_QUEUE_PERCPU;
	item->cookie = cmd->cookie;
	memcpy(item->data, cmd->data, sizeof(item->data));
	item->privileged = capable(CAP_SYS_ADMIN);
	raw_spin_lock_init(&item->lock);
	bhlab_delay_init(item);
	return item;
}

static void bhlab_item_free(struct bhlab_item *item)
{
	kfree(item->program);
	kfree(item->thread_program);
	kfree_rcu(item, obj.rcu);
}

int bhlab_item_create(struct bhlab_lab *lab, struct bhlab_item_create *cmd)
{
	const struct bhlab_mech_ops *ops = bhlab_mech(cmd->mech);
	struct bhlab_item *item;
	int ret;

	ret = bhlab_create_check(ops, cmd);
	if (ret)
		return ret;
	item = bhlab_item_alloc(lab, ops, cmd);
	if (!item)
		return -ENOMEM;
	item->program = bhlab_program_read(ops, cmd, false, &cmd->out_id);
	if (IS_ERR(item->program)) {
		ret = PTR_ERR(item->program);
		item->program = NULL;
		goto err;
	}
	item->thread_program = bhlab_program_read(ops, cmd, true, &cmd->out_id);
	if (IS_ERR(item->thread_program)) {
		ret = PTR_ERR(item->thread_program);
		item->thread_program = NULL;
		goto err;
	}
	ret = bhlab_ring_use(&lab->ring);
	if (!ret)
		ret = bhlab_lab_publish(lab, item);
	if (ret)
		goto err;
	cmd->out_id = item->obj.id;
	return 0;
err:
	bhlab_item_free(item);
	return ret;
}

/*
 * The first step of its end: nothing can be activated any more. Without @force
 * it is refused while the mechanism would then wait for ever.
 */
int bhlab_item_kill(struct bhlab_item *item, bool force)
{
	unsigned long flags;
	int ret = 0;

	flags = bhlab_item_lock(item);
	if (!force && item->ops->busy && item->ops->busy(item))
		ret = -EBUSY;
	else
		item->dead = true;
	bhlab_item_unlock(item, flags);
	return ret;
}

/* Then: take back what is pending, and wait for what runs. */
void bhlab_item_stop(struct bhlab_item *item)
{
	bhlab_delay_stop(item);
	item->ops->stop(item);
}

/* Last, after a grace period if the mechanism needs one: its resources. */
void bhlab_item_release(struct bhlab_item *item)
{
	if (item->ops->free)
		item->ops->free(item);
	bhlab_item_free(item);
}
