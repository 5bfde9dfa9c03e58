// SPDX-License-Identifier: GPL-2.0-only
/* The verbs: requests by struct bhlab_act, alone or in a batch. */
#include <linux/capability.h>
#include <linux/cpu.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "budget.h"
#include "ioctl.h"
#include "item.h"
#include "lab.h"
#include "limits.h"
#include "object.h"
#include "program.h"
#include "queue.h"
#include "share.h"
#include "stamp.h"
#include "mech/mech.h"

/* A call that may have to be made on a certain CPU, then by a kworker there. */
struct bhlab_call {
	struct bhlab_item *item;
	struct bhlab_activation act;
	u64 period;
	u32 times;
	u32 accepted;
};

static long bhlab_call_fn(void *data)
{
	struct bhlab_call *call = data;
	int ret = -EINVAL;

	if (call->period)
		return bhlab_item_period(call->item, call->period, call->times);
	for (; call->times; call->times--) {
		ret = bhlab_item_activate(call->item, &call->act);
		if (ret < 0)
			break;
		call->accepted += ret == BHLAB_RESULT_QUEUED;
	}
	return ret;
}

/* For what cannot be called from that CPU itself; from a kworker on another one. */
static int bhlab_call_from_other(struct bhlab_call *call, u32 cpu)
{
	unsigned int other = cpumask_any_but(cpu_online_mask, cpu);

	if (other >= nr_cpu_ids)
		return -EOPNOTSUPP;
	return work_on_cpu(other, bhlab_call_fn, call);
}

/* The lock keeps the CPU online until the call is made. */
static int bhlab_call_on(struct bhlab_call *call, u32 cpu)
{
	int ret;

	cpus_read_lock();
	if (cpu >= nr_cpu_ids || !cpu_online(cpu)) {
		ret = -ENODEV;
	} else if (call->item->ops->takes_cpu) {
		call->act.cpu = cpu;
		ret = bhlab_call_fn(call);
		if (ret == -EXDEV)
			ret = bhlab_call_from_other(call, cpu);
	} else {
		ret = work_on_cpu(cpu, bhlab_call_fn, call);
	}
	cpus_read_unlock();
	return ret;
}

static bool bhlab_request_has_cpu(const struct bhlab_item *item,
				  const struct bhlab_act *request)
{
	return request->flags & BHLAB_ACT_CPU || item->flags & BHLAB_ITEM_CPU;
}

static u32 bhlab_request_cpu(const struct bhlab_item *item,
			     const struct bhlab_act *request)
{
	return request->flags & BHLAB_ACT_CPU ? request->cpu : item->cpu;
}

static int bhlab_request_call(struct bhlab_item *item, const struct bhlab_act *request,
			      struct bhlab_call *call)
{
	if (!bhlab_request_has_cpu(item, request))
		return bhlab_call_fn(call);
	return bhlab_call_on(call, bhlab_request_cpu(item, request));
}

/*
 * A request for an atomic handler waits for the CPU's budget, as the driver's
 * own timers do; the caller sleeps. It also waits for the CPU that the handler
 * ran on last: the kernel may run a timer on another CPU.
 */
static noinline int __bhlab_request_wait(const struct bhlab_item *item,
					 const struct bhlab_act *request)
{
	u64 wait;
	u32 cpu;

	if (bhlab_request_has_cpu(item, request))
		cpu = bhlab_request_cpu(item, request);
	else
		cpu = raw_smp_processor_id();
	if (cpu >= nr_cpu_ids || !cpu_possible(cpu))
		return 0;
	wait = max(bhlab_budget_wait(array_index_nospec(cpu, nr_cpu_ids)),
		   bhlab_budget_wait(READ_ONCE(item->ran_on)));
	return wait ? bhlab_budget_sleep(wait) : 0;
}

static __always_inline int bhlab_request_wait(const struct bhlab_item *item,
					      const struct bhlab_act *request)
{
	return item->atomic ? __bhlab_request_wait(item, request) : 0;
}

/*
 * An item must not be on a BH queue and on others in turn, since lockdep would
 * report that. A delay to a BH queue must not name a CPU, since that may be
 * offline when the delay is over, and the kernel would WARN. An item moves
 * between the lab's own queues only: those can be flushed, while the kernel's
 * own calls wait for a handler on the last queue alone.
 */
static int bhlab_request_check_queue(const struct bhlab_item *item,
				     const struct bhlab_act *request,
				     const struct bhlab_activation *act)
{
	const struct bhlab_queue *queue = act->queue;

	if (!queue)
		return 0;
	if (queue->bh && act->delay && bhlab_request_has_cpu(item, request))
		return -EOPNOTSUPP;
	if (queue->bh != item->queue->bh)
		return -EINVAL;
	if (queue != item->queue && (bhlab_queue_is_system(queue) ||
				     bhlab_queue_is_system(item->queue)))
		return -EPERM;
	return 0;
}

/*
 * A mechanism can refuse a CPU that is going offline. If the caller named none,
 * the scheduler is about to move the caller to another CPU.
 */
static int bhlab_activate_anywhere(struct bhlab_item *item,
				   const struct bhlab_activation *act)
{
	int ret;

	while ((ret = bhlab_item_activate(item, act)) == -ENODEV) {
		schedule_timeout_uninterruptible(1);
		if (fatal_signal_pending(current))
			break;
	}
	return ret;
}

static int bhlab_request_activate(struct bhlab_item *item,
				  const struct bhlab_act *request,
				  const struct bhlab_activation *act)
{
	struct bhlab_call call = { .item = item, .act = *act, .times = 1 };

	if (!bhlab_request_has_cpu(item, request))
		return bhlab_activate_anywhere(item, act);
	return bhlab_call_on(&call, bhlab_request_cpu(item, request));
}

static __always_inline int bhlab_request_once(struct bhlab_item *item,
					      struct bhlab_act *request,
					      struct bhlab_activation *act)
{
	int ret = bhlab_request_check_queue(item, request, act);

	if (!ret && act->ns > BHLAB_NS_MAX)
		ret = -EINVAL;
	if (!ret)
		ret = bhlab_request_wait(item, request);
	if (ret)
		return ret;
	bhlab_lab_new_chain(item->obj.lab);
	ret = bhlab_request_activate(item, request, act);
	/* Checked only where the answer matters, since it is audited. */
	if (ret == -EPERM && capable(CAP_SYS_ADMIN)) {
		act->privileged = true;
		ret = bhlab_request_activate(item, request, act);
	}
	if (ret < 0)
		return ret;
	request->out_count = ret == BHLAB_RESULT_QUEUED;
	request->out_result = ret;
	return 0;
}

static int bhlab_request_other_queue(struct bhlab_item *item, struct bhlab_act *request,
				     struct bhlab_activation *act)
{
	int ret;

	act->queue = bhlab_queue_get(item->obj.lab, request->queue);
	if (IS_ERR(act->queue))
		return PTR_ERR(act->queue);
	ret = bhlab_request_once(item, request, act);
	bhlab_queue_put(act->queue);
	return ret;
}

static int bhlab_verb_queue(struct bhlab_item *item, struct bhlab_act *request)
{
	struct bhlab_activation act = {
		.queue = item->queue,
		.cpu = WORK_CPU_UNBOUND,
	};

	if (request->flags & BHLAB_ACT_QUEUE)
		return bhlab_request_other_queue(item, request, &act);
	return bhlab_request_once(item, request, &act);
}

static int bhlab_verb_delay(struct bhlab_item *item, struct bhlab_act *request)
{
	struct bhlab_activation act = {
		.queue = item->queue,
		.cpu = WORK_CPU_UNBOUND,
		.delay = true,
		.mod = request->flags & BHLAB_ACT_MOD,
		.ns = request->ns,
	};

	if (request->flags & BHLAB_ACT_QUEUE)
		return bhlab_request_other_queue(item, request, &act);
	return bhlab_request_once(item, request, &act);
}

/* A load generator: it continues after the call has returned. */
static int bhlab_trigger_period(struct bhlab_item *item, struct bhlab_act *request)
{
	struct bhlab_call call = {
		.item = item,
		.period = request->ns,
		.times = request->count,
	};
	int ret;

	if (request->ns < bhlab_limits.period_ns || request->ns > BHLAB_NS_MAX ||
	    item->program->busy_ns > request->ns / 2)
		return -EINVAL;
	ret = bhlab_request_call(item, request, &call);
	if (ret < 0)
		return ret;
	request->out_result = ret;
	return 0;
}

/* Many raises are made in parts, so that a signal can end them. */
#define BHLAB_TRIGGER_PART	64

static int bhlab_trigger_now(struct bhlab_item *item, struct bhlab_act *request)
{
	struct bhlab_call call = { .item = item, .act.cpu = WORK_CPU_UNBOUND };
	u32 left = request->count, part;
	int ret;

	ret = bhlab_request_wait(item, request);
	if (ret)
		return ret;
	bhlab_lab_new_chain(item->obj.lab);
	do {
		part = min(left, BHLAB_TRIGGER_PART);
		call.times = part;
		ret = bhlab_request_call(item, request, &call);
		if (ret < 0)
			return ret;
		left -= part;
		cond_resched();
	} while (left && !signal_pending(current) && !bhlab_request_wait(item, request));
	request->count -= left;
	request->out_count = call.accepted;
	request->out_result = call.accepted ? BHLAB_RESULT_QUEUED :
					      BHLAB_RESULT_ALREADY_PENDING;
	return 0;
}

static int bhlab_verb_deassert(struct bhlab_item *item, struct bhlab_act *request)
{
	bool asserted = false;
	int ret;

	if (request->flags & ~BHLAB_ACT_DEASSERT || request->count)
		return -EOPNOTSUPP;
	ret = bhlab_item_deassert(item, &asserted);
	if (ret < 0)
		return ret;
	request->out_count = asserted;
	request->out_result = ret;
	return 0;
}

static int bhlab_verb_trigger(struct bhlab_item *item, struct bhlab_act *request)
{
	if (request->flags & BHLAB_ACT_DEASSERT)
		return bhlab_verb_deassert(item, request);
	if (!request->count || request->count > BHLAB_TRIGGER_MAX)
		return -EINVAL;
	return request->flags & BHLAB_ACT_PERIOD ?
	       bhlab_trigger_period(item, request) :
	       bhlab_trigger_now(item, request);
}

static int bhlab_verb_cancel(struct bhlab_item *item, struct bhlab_act *request)
{
	bool sync = request->flags & BHLAB_ACT_SYNC, runs;
	int hit = bhlab_item_cancel(item, sync, &runs);

	if (hit < 0)
		return hit;
	request->out_result = hit ? BHLAB_RESULT_WAS_PENDING : BHLAB_RESULT_IDLE;
	request->out_flags = sync && runs ? BHLAB_OUT_WAITED : 0;
	return 0;
}

static int bhlab_verb_flush(struct bhlab_item *item, struct bhlab_act *request)
{
	int ret = bhlab_item_flush(item);

	if (ret < 0)
		return ret;
	request->out_result = ret;
	return 0;
}

static int bhlab_verb_disable(struct bhlab_item *item, struct bhlab_act *request)
{
	bool waited = false;
	int ret;

	ret = bhlab_item_disable(item, request->flags & BHLAB_ACT_SYNC,
				 item->ops->admit && bhlab_has_cap(CAP_SYS_ADMIN),
				 &request->out_depth, &waited);
	if (ret < 0)
		return ret;
	request->out_result = ret;
	request->out_flags = waited ? BHLAB_OUT_WAITED : 0;
	return 0;
}

static int bhlab_verb_enable(struct bhlab_item *item, struct bhlab_act *request)
{
	request->out_result = BHLAB_RESULT_IDLE;
	return bhlab_item_enable(item, &request->out_depth);
}

/**
 * struct bhlab_verb_op - one verb
 * @on_item: carries it out on an item, with a reference; NULL if not for items
 * @on_queue: carries it out on a queue: a result or an errno; NULL if not for
 *	queues
 * @verb: its bit in the mechanisms' masks
 * @flags: that it knows
 */
struct bhlab_verb_op {
	int (*on_item)(struct bhlab_item *item, struct bhlab_act *request);
	int (*on_queue)(struct bhlab_queue *queue);
	enum bhlab_verb verb;
	u32 flags;
};

#define BHLAB_VERB(_name, _flags, _fn)					\
	[BHLAB_NR_##_name - BHLAB_NR_QUEUE] = {				\
		.on_item = (_fn),					\
		.verb = BHLAB_VERB_##_name,				\
		.flags = (_flags),					\
	}

static const struct bhlab_verb_op bhlab_verb_ops[] = {
	BHLAB_VERB(QUEUE, BHLAB_ACT_CPU | BHLAB_ACT_QUEUE, bhlab_verb_queue),
	BHLAB_VERB(DELAY, BHLAB_ACT_CPU | BHLAB_ACT_QUEUE | BHLAB_ACT_MOD, bhlab_verb_delay),
	BHLAB_VERB(CANCEL, BHLAB_ACT_SYNC, bhlab_verb_cancel),
	[BHLAB_NR_FLUSH - BHLAB_NR_QUEUE] = {
		.on_item = bhlab_verb_flush,
		.on_queue = bhlab_queue_flush,
		.verb = BHLAB_VERB_FLUSH,
	},
	BHLAB_VERB(DISABLE, BHLAB_ACT_SYNC, bhlab_verb_disable),
	BHLAB_VERB(ENABLE, 0, bhlab_verb_enable),
	BHLAB_VERB(TRIGGER, BHLAB_ACT_CPU | BHLAB_ACT_PERIOD | BHLAB_ACT_DEASSERT,
		   bhlab_verb_trigger),
	[BHLAB_NR_DRAIN - BHLAB_NR_QUEUE] = {
		.on_queue = bhlab_queue_drain,
		.verb = BHLAB_VERB_DRAIN,
	},
};

/* NULL if there is no such verb. */
static const struct bhlab_verb_op *bhlab_verb(u32 nr)
{
	nr -= BHLAB_NR_QUEUE;
	if (nr >= ARRAY_SIZE(bhlab_verb_ops))
		return NULL;
	return &bhlab_verb_ops[array_index_nospec(nr, ARRAY_SIZE(bhlab_verb_ops))];
}

/*
 * False for an unknown flag, or a field that this verb does not use without its
 * flag.
 */
static bool bhlab_request_fits(const struct bhlab_act *request,
			       const struct bhlab_verb_op *op)
{
	return !(request->flags & ~op->flags) &&
	       (!request->cpu || request->flags & BHLAB_ACT_CPU) &&
	       (!request->queue || request->flags & BHLAB_ACT_QUEUE) &&
	       (!request->ns || op->verb == BHLAB_VERB_DELAY ||
		request->flags & BHLAB_ACT_PERIOD) &&
	       (!request->count || op->verb == BHLAB_VERB_TRIGGER);
}

static int bhlab_request_on_item(struct bhlab_item *item, struct bhlab_act *request,
				 const struct bhlab_verb_op *op)
{
	int ret;

	if (!bhlab_mech_has(item->ops, op->verb) ||
	    (request->flags & BHLAB_ACT_QUEUE && !item->ops->takes_queue))
		return -EOPNOTSUPP;
	ret = op->on_item(item, request);
	if (!ret && item->ops->emulated & BIT(op->verb))
		request->out_flags |= BHLAB_OUT_EMULATED;
	return ret;
}

static int bhlab_request_on_queue(struct bhlab_lab *lab, struct bhlab_act *request,
				  const struct bhlab_verb_op *op)
{
	struct bhlab_queue *queue = bhlab_queue_get(lab, request->id);
	int ret;

	if (IS_ERR(queue))
		return PTR_ERR(queue);
	ret = op->on_queue(queue);
	bhlab_queue_put(queue);
	if (ret < 0)
		return ret;
	request->out_result = ret;
	return 0;
}

/* Does it wait for handlers, uninterruptibly? */
static bool bhlab_request_waits(const struct bhlab_act *request,
				const struct bhlab_verb_op *op)
{
	return op->on_queue || request->flags & BHLAB_ACT_SYNC;
}

static int bhlab_request_op(struct bhlab_lab *lab, struct bhlab_act *request,
			    const struct bhlab_verb_op *op)
{
	struct bhlab_item *item = NULL;
	bool waits;
	int ret;

	if (!bhlab_request_fits(request, op))
		return -EOPNOTSUPP;
	if (op->on_item)
		item = bhlab_item_get(lab, request->id);
	if (!item && !op->on_queue)
		return -ENOENT;
	request->out_result = 0;
	request->out_flags = 0;
	request->out_depth = 0;
	request->out_count = 0;
	waits = bhlab_request_waits(request, op);
	if (waits)
		bhlab_haste_begin(&lab->haste);
	ret = item ? bhlab_request_on_item(item, request, op) :
		     bhlab_request_on_queue(lab, request, op);
	if (waits)
		bhlab_haste_end(&lab->haste);
	if (item)
		bhlab_item_put(item);
	return ret;
}

/* @nr is the number of a verb. */
int bhlab_request(struct bhlab_lab *lab, struct bhlab_act *request, u32 nr)
{
	return bhlab_request_op(lab, request, bhlab_verb(nr));
}

static int bhlab_batch_entry(struct bhlab_lab *lab,
			     struct bhlab_batch_entry *entry)
{
	const struct bhlab_verb_op *op = bhlab_verb(entry->nr);

	if (!op)
		return -ENOTTY;
	if (entry->act.size != sizeof(entry->act))
		return -EINVAL;
	return bhlab_request_op(lab, &entry->act, op);
}

static void bhlab_batch_run(struct bhlab_lab *lab, struct bhlab_batch *cmd,
			    struct bhlab_batch_entry *entries)
{
	bool on = cmd->flags & BHLAB_BATCH_ON;
	struct bhlab_batch_entry *entry;
	int ret;

	cmd->out_done = 0;
	cmd->out_failed = 0;
	while (cmd->out_done < cmd->count && !signal_pending(current)) {
		entry = &entries[cmd->out_done];
		ret = bhlab_batch_entry(lab, entry);
		if (ret == -ERESTARTSYS)
			break;
		cmd->out_done++;
		entry->out_errno = -ret;
		cmd->out_failed += !!entry->out_errno;
		if (entry->out_errno && !on)
			break;
		cond_resched();
	}
}

/*
 * All entries are read, and written back unchanged, before the first is carried
 * out: afterwards it is too late to refuse.
 */
int bhlab_batch(struct bhlab_lab *lab, struct bhlab_batch *cmd)
{
	struct bhlab_batch_entry __user *user = u64_to_user_ptr(cmd->entries);
	struct bhlab_batch_entry *entries;
	size_t size;
	int ret = -EFAULT;

	if (cmd->reserved)
		return -EOPNOTSUPP;
	if (!cmd->count || cmd->count > BHLAB_BATCH_MAX)
		return -EINVAL;
	size = array_size(cmd->count, sizeof(*entries));
	entries = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!entries)
		return -ENOMEM;
	if (!copy_from_user(entries, user, size) &&
	    !copy_to_user(user, entries, size)) {
		bhlab_batch_run(lab, cmd, entries);
		size = array_size(cmd->out_done, sizeof(*entries));
		ret = copy_to_user(user, entries, size) ? -EFAULT : 0;
	}
	kvfree(entries);
	return ret;
}
