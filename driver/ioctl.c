// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls: one table, one dispatcher that copies, checks and executes.
 */
#include <linux/capability.h>
#include <linux/cpu.h>
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>
#include <generated/utsrelease.h>

#include "bhlab.h"
#include "compat.h"
#include "limits.h"

/* The layouts are the same for everybody, and without holes. */
static_assert(sizeof(struct bhlab_info) == 136);
static_assert(sizeof(struct bhlab_mech_info) == 48);
static_assert(sizeof(struct bhlab_ring_setup) == 64);
static_assert(sizeof(struct bhlab_step) == 24);
static_assert(sizeof(struct bhlab_item_create) == 120);
static_assert(sizeof(struct bhlab_item_state) == 208);
static_assert(sizeof(struct bhlab_item_program) == 32);
static_assert(sizeof(struct bhlab_lookup) == 48);
static_assert(sizeof(struct bhlab_destroy) == 16);
static_assert(sizeof(struct bhlab_act) == 48);
static_assert(sizeof(struct bhlab_wait) == 32);

union bhlab_cmd {
	u32 flags[2];	/* every structure: its size, its flags */
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
};

static int bhlab_cmd_info(struct bhlab_lab *lab, union bhlab_cmd *cmd)
{
	struct bhlab_info *info = &cmd->info;

	info->out_abi = BHLAB_ABI_VERSION;
	info->out_mechs = bhlab_mech_count();
	info->out_features =
		(BHLAB_KERNEL_IRQ_SIM ? BHLAB_FEATURE_IRQ_SIM : 0) |
		(IS_ENABLED(CONFIG_PREEMPT_RT) ? BHLAB_FEATURE_RT : 0);
	info->out_lab = lab->id;
	info->out_cpus = nr_cpu_ids;
	info->out_max_items = bhlab_limits.items;
	info->out_max_irqs = bhlab_limits.irqs;
	info->out_max_steps = bhlab_limits.steps;
	info->out_atomic_ns = bhlab_limits.atomic_ns;
	info->out_atomic_cap_ns = bhlab_limits.atomic_cap_ns;
	info->out_process_ns = bhlab_limits.process_ns;
	info->out_max_chain = bhlab_limits.chain;
	strscpy_pad(info->out_kernel, UTS_RELEASE, sizeof(info->out_kernel));
	return 0;
}

static int bhlab_cmd_mech(struct bhlab_lab *lab, union bhlab_cmd *cmd)
{
	const struct bhlab_mech_ops *ops = bhlab_mech(cmd->mech.mech);

	if (!ops)
		return -ENOENT;
	cmd->mech.out_native = ops->native;
	cmd->mech.out_emulated = ops->emulated;
	cmd->mech.out_steps = ops->steps;
	cmd->mech.out_thread_steps = ops->thread_steps;
	cmd->mech.out_context = ops->context;
	strscpy_pad(cmd->mech.out_name, ops->name, sizeof(cmd->mech.out_name));
	return 0;
}

static int bhlab_cmd_ring(struct bhlab_lab *lab, union bhlab_cmd *cmd)
{
	return bhlab_ring_setup(&lab->ring, &cmd->ring);
}

static int bhlab_cmd_create(struct bhlab_lab *lab, union bhlab_cmd *cmd)
{
	return bhlab_item_create(lab, &cmd->create);
}

static int bhlab_cmd_state(struct bhlab_lab *lab, union bhlab_cmd *cmd)
{
	struct bhlab_item *item = bhlab_item_get(lab, cmd->state.id);

	if (!item)
		return -ENOENT;
	cmd->state = (struct bhlab_item_state) { .id = cmd->state.id };
	bhlab_item_state(item, &cmd->state);
	bhlab_item_put(item);
	return 0;
}

static int bhlab_cmd_program(struct bhlab_lab *lab, union bhlab_cmd *cmd)
{
	struct bhlab_item_program *prog = &cmd->program;
	struct bhlab_item *item;
	int ret;

	if (prog->reserved || prog->thread > 1)
		return -EOPNOTSUPP;
	item = bhlab_item_get(lab, prog->id);
	if (!item)
		return -ENOENT;
	ret = bhlab_program_copy(prog->thread ? item->thread_program :
						item->program, prog);
	bhlab_item_put(item);
	return ret;
}

static int bhlab_cmd_lookup(struct bhlab_lab *lab, union bhlab_cmd *cmd)
{
	return bhlab_lab_lookup(lab, &cmd->lookup);
}

static int bhlab_cmd_next(struct bhlab_lab *lab, union bhlab_cmd *cmd)
{
	return bhlab_lab_next(lab, &cmd->lookup);
}

static int bhlab_cmd_destroy(struct bhlab_lab *lab, union bhlab_cmd *cmd)
{
	if (cmd->destroy.reserved)
		return -EOPNOTSUPP;
	return bhlab_lab_destroy(lab, cmd->destroy.id);
}

static bool bhlab_privileged(const struct bhlab_item *item)
{
	/* Only asked where the answer matters: asking is audited. */
	return item->ops->admit && capable(CAP_SYS_ADMIN);
}

/* A call that has to be made on a certain CPU, by a kworker there. */
struct bhlab_call {
	struct bhlab_item *item;
	struct bhlab_activation act;
	u32 times;
	u32 accepted;
};

static long bhlab_call_fn(void *data)
{
	struct bhlab_call *call = data;
	int ret = -EINVAL;

	for (; call->times; call->times--) {
		ret = bhlab_item_activate(call->item, &call->act);
		if (ret < 0)
			break;
		call->accepted += ret == BHLAB_RESULT_QUEUED;
	}
	return ret;
}

/* On @cpu if it is one; the lock keeps it online until the call is made. */
static int bhlab_call_on(struct bhlab_call *call, bool has_cpu, u32 cpu)
{
	int ret;

	if (!has_cpu)
		return bhlab_call_fn(call);
	cpus_read_lock();
	if (cpu >= nr_cpu_ids || !cpu_online(cpu)) {
		ret = -ENODEV;
	} else if (call->item->ops->takes_cpu) {
		call->act.cpu = cpu;
		ret = bhlab_call_fn(call);
	} else {
		ret = work_on_cpu(cpu, bhlab_call_fn, call);
	}
	cpus_read_unlock();
	return ret;
}

/* A raise of many is made in parts, so that a signal can end it. */
#define BHLAB_TRIGGER_PART	64

static int bhlab_act_activate(struct bhlab_item *item, struct bhlab_act *cmd,
			      struct bhlab_call *call)
{
	bool has_cpu = cmd->flags & BHLAB_ACT_CPU || item->flags & BHLAB_ITEM_CPU;
	u32 cpu = cmd->flags & BHLAB_ACT_CPU ? cmd->cpu : item->cpu;
	u32 left = cmd->count ?: 1, part;
	int ret;

	call->item = item;
	call->act.cpu = WORK_CPU_UNBOUND;
	atomic_set(&item->obj.lab->chain, bhlab_limits.chain);
	call->act.privileged = bhlab_privileged(item);
	do {
		part = min(left, BHLAB_TRIGGER_PART);
		call->times = part;
		ret = bhlab_call_on(call, has_cpu, cpu);
		if (ret < 0)
			return ret;
		left -= part;
		cond_resched();
	} while (left && !signal_pending(current));
	if (cmd->count)
		cmd->count -= left;
	cmd->out_count = call->accepted;
	cmd->out_result = ret;
	return 0;
}

static int bhlab_act_on_queue(struct bhlab_item *item, struct bhlab_act *cmd,
			      struct bhlab_call *call)
{
	call->act.wq = bhlab_queue_find(cmd->flags & BHLAB_ACT_QUEUE ?
					cmd->queue : item->queue);
	if (!call->act.wq)
		return -ENOENT;
	if (cmd->ns > BHLAB_NS_MAX)
		return -EINVAL;
	return bhlab_act_activate(item, cmd, call);
}

static int bhlab_act_queue(struct bhlab_item *item, struct bhlab_act *cmd)
{
	struct bhlab_call call = {};

	return bhlab_act_on_queue(item, cmd, &call);
}

static int bhlab_act_delay(struct bhlab_item *item, struct bhlab_act *cmd)
{
	struct bhlab_call call = {
		.act.delay = true,
		.act.mod = cmd->flags & BHLAB_ACT_MOD,
		.act.ns = cmd->ns,
	};

	return bhlab_act_on_queue(item, cmd, &call);
}

static int bhlab_act_trigger(struct bhlab_item *item, struct bhlab_act *cmd)
{
	struct bhlab_call call = {};
	int ret;

	if (!cmd->count || cmd->count > BHLAB_TRIGGER_MAX)
		return -EINVAL;
	ret = bhlab_act_activate(item, cmd, &call);
	if (!ret)
		cmd->out_result = call.accepted ? BHLAB_RESULT_QUEUED :
						  BHLAB_RESULT_ALREADY_PENDING;
	return ret;
}

static int bhlab_act_cancel(struct bhlab_item *item, struct bhlab_act *cmd)
{
	bool waited;
	bool hit = bhlab_item_cancel(item, cmd->flags & BHLAB_ACT_SYNC, &waited);

	cmd->out_result = hit ? BHLAB_RESULT_WAS_PENDING : BHLAB_RESULT_IDLE;
	cmd->out_flags = waited ? BHLAB_OUT_WAITED : 0;
	return 0;
}

static int bhlab_act_flush(struct bhlab_item *item, struct bhlab_act *cmd)
{
	int ret = item->ops->flush(item);

	if (ret < 0)
		return ret;
	cmd->out_result = ret;
	return 0;
}

static int bhlab_act_disable(struct bhlab_item *item, struct bhlab_act *cmd)
{
	bool waited = false;
	int ret;

	ret = bhlab_item_disable(item, cmd->flags & BHLAB_ACT_SYNC,
				 bhlab_privileged(item), &cmd->out_depth,
				 &waited);
	if (ret < 0)
		return ret;
	cmd->out_result = ret;
	cmd->out_flags = waited ? BHLAB_OUT_WAITED : 0;
	return 0;
}

static int bhlab_act_enable(struct bhlab_item *item, struct bhlab_act *cmd)
{
	cmd->out_result = BHLAB_RESULT_IDLE;
	return bhlab_item_enable(item, &cmd->out_depth);
}

/**
 * struct bhlab_verb_op - one verb
 * @execute: does it, with a reference to the item
 * @verb: its bit in the mechanisms' masks
 */
struct bhlab_verb_op {
	int (*execute)(struct bhlab_item *item, struct bhlab_act *cmd);
	enum bhlab_verb verb;
};

/* A field that this verb does not use, or not without its flag, must be 0. */
static int bhlab_act_check(const struct bhlab_act *cmd, enum bhlab_verb verb)
{
	if ((cmd->cpu && !(cmd->flags & BHLAB_ACT_CPU)) ||
	    (cmd->queue && !(cmd->flags & BHLAB_ACT_QUEUE)) ||
	    (cmd->ns && verb != BHLAB_VERB_DELAY) ||
	    (cmd->count && verb != BHLAB_VERB_TRIGGER))
		return -EOPNOTSUPP;
	return 0;
}

static int bhlab_act(struct bhlab_lab *lab, struct bhlab_act *cmd,
		     const struct bhlab_verb_op *op)
{
	struct bhlab_item *item;
	int ret = bhlab_act_check(cmd, op->verb);

	if (ret)
		return ret;
	item = bhlab_item_get(lab, cmd->id);
	if (!item)
		return -ENOENT;
	cmd->out_result = 0;
	cmd->out_flags = 0;
	cmd->out_depth = 0;
	cmd->out_count = 0;
	if (!((item->ops->native | item->ops->emulated) & BIT(op->verb)) ||
	    (cmd->flags & BHLAB_ACT_QUEUE && !item->ops->takes_queue))
		ret = -EOPNOTSUPP;
	else
		ret = op->execute(item, cmd);
	if (!ret && item->ops->emulated & BIT(op->verb))
		cmd->out_flags |= BHLAB_OUT_EMULATED;
	bhlab_item_put(item);
	return ret;
}

static int bhlab_wait_recorded(struct bhlab_lab *lab,
			       const struct bhlab_wait *cmd)
{
	int ret;

	if (cmd->timeout_ns > BHLAB_NS_MAX)
		return -EINVAL;
	ret = bhlab_ring_use(&lab->ring);
	if (ret)
		return ret;
	ret = wait_event_interruptible_hrtimeout(lab->wait,
						 bhlab_ring_recorded(&lab->ring) >= cmd->value,
						 ns_to_ktime(cmd->timeout_ns));
	if (ret == -ETIME)
		return -ETIMEDOUT;
	return ret ? -EINTR : 0;
}

static int bhlab_cmd_wait(struct bhlab_lab *lab, union bhlab_cmd *cmd)
{
	const struct bhlab_wait *wait = &cmd->wait;
	struct bhlab_item *item;
	int ret;

	if (!wait->condition || wait->condition > BHLAB_COND_RECORDED ||
	    (wait->value && wait->condition < BHLAB_COND_RUNS) ||
	    (wait->id && wait->condition == BHLAB_COND_RECORDED))
		return -EOPNOTSUPP;
	if (wait->condition == BHLAB_COND_RECORDED)
		return bhlab_wait_recorded(lab, wait);
	item = bhlab_item_get(lab, wait->id);
	if (!item)
		return -ENOENT;
	ret = wait->timeout_ns > BHLAB_NS_MAX ? -EINVAL :
						bhlab_item_wait(item, wait);
	bhlab_item_put(item);
	return ret;
}

/**
 * struct bhlab_ioctl_op - one ioctl
 * @cmd: its number
 * @size: of its structure
 * @min_size: of that structure's first version
 * @flags: that it knows
 * @out_on_error: the structure is written back when it is refused, too
 * @execute: does it
 * @verb: or is a verb on an item
 */
struct bhlab_ioctl_op {
	unsigned int cmd;
	u32 size;
	u32 min_size;
	u32 flags;
	bool out_on_error;
	int (*execute)(struct bhlab_lab *lab, union bhlab_cmd *cmd);
	struct bhlab_verb_op verb;
};

#define BHLAB_IOCTL(_name, _struct, _last, _flags, _fn)			\
	[BHLAB_NR_##_name] = {						\
		.cmd = BHLAB_IOC_##_name,				\
		.size = sizeof(struct _struct),				\
		.min_size = offsetofend(struct _struct, _last),		\
		.flags = (_flags),					\
		.execute = (_fn),					\
	}

#define BHLAB_VERB(_name, _flags, _fn)					\
	[BHLAB_NR_##_name] = {						\
		.cmd = BHLAB_IOC_##_name,				\
		.size = sizeof(struct bhlab_act),			\
		.min_size = offsetofend(struct bhlab_act, out_count),	\
		.flags = (_flags),					\
		.verb.execute = (_fn),					\
		.verb.verb = BHLAB_VERB_##_name,			\
	}

static const struct bhlab_ioctl_op bhlab_ioctl_ops[] = {
	BHLAB_IOCTL(INFO, bhlab_info, out_kernel, 0, bhlab_cmd_info),
	BHLAB_IOCTL(MECH, bhlab_mech_info, out_name, 0, bhlab_cmd_mech),
	BHLAB_IOCTL(RING, bhlab_ring_setup, out_lost,
		    BHLAB_RING_RECORDS | BHLAB_RING_WATERMARK, bhlab_cmd_ring),
	[BHLAB_NR_ITEM_CREATE] = {
		.cmd = BHLAB_IOC_ITEM_CREATE,
		.size = sizeof(struct bhlab_item_create),
		.min_size = offsetofend(struct bhlab_item_create, data),
		.flags = BHLAB_ITEM_CPU | BHLAB_ITEM_THREAD | BHLAB_ITEM_QUEUED,
		.out_on_error = true,
		.execute = bhlab_cmd_create,
	},
	BHLAB_IOCTL(ITEM_STATE, bhlab_item_state, out_data, 0, bhlab_cmd_state),
	BHLAB_IOCTL(ITEM_PROGRAM, bhlab_item_program, steps, 0, bhlab_cmd_program),
	BHLAB_IOCTL(LOOKUP, bhlab_lookup, name, BHLAB_LOOKUP_RESERVE, bhlab_cmd_lookup),
	BHLAB_IOCTL(NEXT, bhlab_lookup, name, 0, bhlab_cmd_next),
	BHLAB_IOCTL(DESTROY, bhlab_destroy, reserved, 0, bhlab_cmd_destroy),
	BHLAB_VERB(QUEUE, BHLAB_ACT_CPU | BHLAB_ACT_QUEUE, bhlab_act_queue),
	BHLAB_VERB(DELAY, BHLAB_ACT_CPU | BHLAB_ACT_QUEUE | BHLAB_ACT_MOD, bhlab_act_delay),
	BHLAB_VERB(CANCEL, BHLAB_ACT_SYNC, bhlab_act_cancel),
	BHLAB_VERB(FLUSH, 0, bhlab_act_flush),
	BHLAB_VERB(DISABLE, BHLAB_ACT_SYNC, bhlab_act_disable),
	BHLAB_VERB(ENABLE, 0, bhlab_act_enable),
	BHLAB_VERB(TRIGGER, BHLAB_ACT_CPU, bhlab_act_trigger),
	BHLAB_IOCTL(WAIT, bhlab_wait, timeout_ns, 0, bhlab_cmd_wait),
};

/* NULL if there is no such ioctl. */
static const struct bhlab_ioctl_op *bhlab_ioctl_find(unsigned int cmd)
{
	unsigned int nr = _IOC_NR(cmd);

	if (nr >= ARRAY_SIZE(bhlab_ioctl_ops))
		return NULL;
	nr = array_index_nospec(nr, ARRAY_SIZE(bhlab_ioctl_ops));
	if (!bhlab_ioctl_ops[nr].size || bhlab_ioctl_ops[nr].cmd != cmd)
		return NULL;
	return &bhlab_ioctl_ops[nr];
}

/*
 * The structure is written back at the end, when it is too late to refuse:
 * find out now, by writing its first and its last byte, whether that can be.
 */
static int bhlab_probe_user(u8 __user *user, u32 size)
{
	u8 byte;

	if (get_user(byte, user) || put_user(byte, user) ||
	    get_user(byte, user + size - 1) || put_user(byte, user + size - 1))
		return -EFAULT;
	return 0;
}

static int bhlab_copy_in(const struct bhlab_ioctl_op *op, union bhlab_cmd *cmd,
			 u8 __user *user, u32 *size)
{
	int ret;

	if (get_user(*size, (u32 __user *)user))
		return -EFAULT;
	if (*size < op->min_size || *size > BHLAB_SIZE_MAX)
		return -EINVAL;
	ret = bhlab_probe_user(user, *size);
	if (ret)
		return ret;
	ret = copy_struct_from_user(cmd, op->size, user, *size);
	if (ret)
		return ret;
	return cmd->flags[1] & ~op->flags ? -EOPNOTSUPP : 0;
}

static int bhlab_copy_out(const struct bhlab_ioctl_op *op,
			  union bhlab_cmd *cmd, u8 __user *user, u32 size)
{
	u32 known = min(size, op->size);

	cmd->flags[0] = size;
	if (copy_to_user(user, cmd, known) ||
	    clear_user(user + known, size - known))
		return -EFAULT;
	return 0;
}

long bhlab_ioctl(struct bhlab_lab *lab, unsigned int num, unsigned long arg)
{
	const struct bhlab_ioctl_op *op = bhlab_ioctl_find(num);
	u8 __user *user = (u8 __user *)arg;
	union bhlab_cmd cmd = {};
	u32 size;
	int ret;

	if (!op)
		return -ENOTTY;
	ret = bhlab_copy_in(op, &cmd, user, &size);
	if (ret)
		return ret;
	ret = op->execute ? op->execute(lab, &cmd) :
			    bhlab_act(lab, &cmd.act, &op->verb);
	if (ret && !op->out_on_error)
		return ret;
	return bhlab_copy_out(op, &cmd, user, size) ?: ret;
}
