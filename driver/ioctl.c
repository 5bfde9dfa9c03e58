// SPDX-License-Identifier: GPL-2.0-only
/* The ioctls: one table, and one dispatcher that copies, checks and executes. */
#include <linux/nospec.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>
#include <generated/utsrelease.h>

#include "compat.h"
#include "fifo.h"
#include "ioctl.h"
#include "item.h"
#include "lab.h"
#include "limits.h"
#include "lock.h"
#include "object.h"
#include "program.h"
#include "queue.h"
#include "ring.h"
#include "step.h"
#include "mech/list.h"
#include "mech/mech.h"

/* The layouts are the same on all architectures, and have no holes. */
static_assert(sizeof(struct bhlab_info) == 200);
static_assert(sizeof(struct bhlab_mech_info) == 56);
static_assert(sizeof(struct bhlab_ring_setup) == 64);
static_assert(sizeof(struct bhlab_step) == 24);
static_assert(sizeof(struct bhlab_item_create) == 152);
static_assert(sizeof(struct bhlab_item_state) == 296);
static_assert(sizeof(struct bhlab_item_program) == 32);
static_assert(sizeof(struct bhlab_lookup) == 48);
static_assert(sizeof(struct bhlab_destroy) == 16);
static_assert(sizeof(struct bhlab_act) == 48);
static_assert(sizeof(struct bhlab_batch) == 32);
static_assert(sizeof(struct bhlab_batch_entry) == 56);
static_assert(sizeof(struct bhlab_queue_create) == 48);
static_assert(sizeof(struct bhlab_queue_state) == 64);
static_assert(sizeof(struct bhlab_lock_create) == 56);
static_assert(sizeof(struct bhlab_lock_state) == 56);
static_assert(sizeof(struct bhlab_fifo_create) == 48);
static_assert(sizeof(struct bhlab_fifo_state) == 96);
static_assert(sizeof(struct bhlab_wait) == 32);

union bhlab_cmd {
	u32 flags[2];	/* of every structure: its size, its flags */
	struct bhlab_info info;
	struct bhlab_mech_info mech;
	struct bhlab_ring_setup ring;
	struct bhlab_item_create create;
	struct bhlab_item_state state;
	struct bhlab_item_program program;
	struct bhlab_lookup lookup;
	struct bhlab_destroy destroy;
	struct bhlab_act act;
	struct bhlab_batch batch;
	struct bhlab_wait wait;
	struct bhlab_queue_create queue_create;
	struct bhlab_queue_state queue_state;
	struct bhlab_lock_create lock_create;
	struct bhlab_lock_state lock_state;
	struct bhlab_fifo_create fifo_create;
	struct bhlab_fifo_state fifo_state;
};

static u32 bhlab_features(void)
{
	const struct bhlab_mech_ops *irq = bhlab_mech(BHLAB_MECH_IRQ);
	bool threads = bhlab_mech_context(irq) == BHLAB_CTX_TASK;

	return (BHLAB_KERNEL_IRQ_SIM ? BHLAB_FEATURE_IRQ_SIM : 0) |
	       (IS_ENABLED(CONFIG_PREEMPT_RT) ? BHLAB_FEATURE_RT : 0) |
	       (BHLAB_CAN_BH_QUEUE ? BHLAB_FEATURE_BH_QUEUE : 0) |
	       (threads ? BHLAB_FEATURE_THREADIRQS : 0);
}

static int bhlab_cmd_info(struct bhlab_lab *lab, union bhlab_cmd *cmd)
{
	struct bhlab_info *info = &cmd->info;

	info->out_abi = BHLAB_ABI_VERSION;
	info->out_mechs = BHLAB_NR_MECHS;
	info->out_features = bhlab_features();
	info->out_lab = lab->id;
	info->out_cpus = nr_cpu_ids;
	info->out_max_items = bhlab_limits.items;
	info->out_max_irqs = bhlab_limits.irqs;
	info->out_max_steps = bhlab_limits.steps;
	info->out_atomic_ns = bhlab_limits.atomic_ns;
	info->out_atomic_cap_ns = bhlab_limits.atomic_cap_ns;
	info->out_process_ns = bhlab_limits.process_ns;
	info->out_max_chain = bhlab_limits.chain;
	info->out_lab_ns = bhlab_limits.lab_ns;
	info->out_period_ns = bhlab_limits.period_ns;
	info->out_max_queues = bhlab_limits.queues;
	info->out_max_threads = bhlab_limits.threads;
	info->out_max_locks = BHLAB_LOCKS;
	info->out_max_fifos = bhlab_limits.fifos;
	info->out_max_active = WQ_MAX_ACTIVE;
	info->out_budget = bhlab_limits.budget_percent;
	info->out_max_labs = bhlab_limits.labs;
	info->out_users = bhlab_limits.users;
	info->out_max_sleepers = bhlab_limits.system_sleepers;
	info->out_ring_bytes = bhlab_limits.ring_bytes;
	info->out_user_ring_bytes = bhlab_limits.user_ring_bytes;
	strscpy_pad(info->out_kernel, UTS_RELEASE, sizeof(info->out_kernel));
	return 0;
}

static int bhlab_cmd_mech(struct bhlab_lab *lab, union bhlab_cmd *cmd)
{
	const struct bhlab_mech_ops *ops = bhlab_mech(cmd->mech.mech);

	if (!ops)
		return -ENOENT;
	cmd->mech.out_attrs = ops->attrs;
	cmd->mech.out_native = bhlab_mech_absent(ops) ? 0 : ops->native;
	cmd->mech.out_emulated = bhlab_mech_absent(ops) ? 0 : ops->emulated;
	cmd->mech.out_steps = bhlab_steps_in(bhlab_program_place(ops, false, false));
	cmd->mech.out_thread_steps = bhlab_steps_in(bhlab_program_place(ops, false, true));
	cmd->mech.out_context = bhlab_mech_context(ops);
	cmd->mech.out_written_for = ops->context;
	strscpy_pad(cmd->mech.out_name, bhlab_mech_name(ops->id),
		    sizeof(cmd->mech.out_name));
	return 0;
}

static int bhlab_cmd_ring(struct bhlab_lab *lab, union bhlab_cmd *cmd)
{
	return bhlab_ring_setup(&lab->ring, &cmd->ring);
}

static struct bhlab_object *bhlab_cmd_create(struct bhlab_lab *lab,
					     union bhlab_cmd *cmd)
{
	return bhlab_item_create(lab, &cmd->create);
}

static int bhlab_cmd_state(struct bhlab_lab *lab, union bhlab_cmd *cmd)
{
	struct bhlab_item *item = bhlab_item_get(lab, cmd->state.id);

	if (!item)
		return -ENOENT;
	cmd->state = (struct bhlab_item_state) { .id = cmd->state.id };
	bhlab_item_settle(item);
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

static struct bhlab_object *bhlab_cmd_lookup(struct bhlab_lab *lab,
					     union bhlab_cmd *cmd)
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

static bool bhlab_cond_counts(u32 condition)
{
	return condition == BHLAB_COND_RUNS ||
	       condition == BHLAB_COND_STARTED ||
	       condition == BHLAB_COND_RECORDED;
}

static int bhlab_cmd_wait(struct bhlab_lab *lab, union bhlab_cmd *cmd)
{
	struct bhlab_wait *wait = &cmd->wait;
	bool recorded = wait->condition == BHLAB_COND_RECORDED;
	struct bhlab_item *item;
	int ret;

	if (!wait->condition || wait->condition > BHLAB_LAST_COND ||
	    (wait->value && !bhlab_cond_counts(wait->condition)) ||
	    (wait->id && recorded))
		return -EOPNOTSUPP;
	if (recorded)
		return bhlab_lab_wait(lab, wait);
	item = bhlab_item_get(lab, wait->id);
	if (!item)
		return -ENOENT;
	ret = wait->timeout_ns > BHLAB_NS_MAX ? -EINVAL :
						bhlab_item_wait(item, wait);
	bhlab_item_put(item);
	return ret;
}

static int bhlab_cmd_batch(struct bhlab_lab *lab, union bhlab_cmd *cmd)
{
	return bhlab_batch(lab, &cmd->batch);
}

static struct bhlab_object *bhlab_cmd_queue_create(struct bhlab_lab *lab,
						   union bhlab_cmd *cmd)
{
	return bhlab_queue_create(lab, &cmd->queue_create);
}

static struct bhlab_object *bhlab_cmd_lock_create(struct bhlab_lab *lab,
						  union bhlab_cmd *cmd)
{
	return bhlab_lock_create(lab, &cmd->lock_create);
}

static struct bhlab_object *bhlab_cmd_fifo_create(struct bhlab_lab *lab,
						  union bhlab_cmd *cmd)
{
	return bhlab_fifo_create(lab, &cmd->fifo_create);
}

static int bhlab_cmd_queue_state(struct bhlab_lab *lab, union bhlab_cmd *cmd)
{
	struct bhlab_queue_state *st = &cmd->queue_state;
	struct bhlab_queue *queue;

	if (st->id > BHLAB_ID_MAX)
		return -ENOENT;
	queue = bhlab_queue_get(lab, st->id);
	if (IS_ERR(queue))
		return PTR_ERR(queue);
	bhlab_queue_state(queue, st);
	bhlab_queue_put(queue);
	return 0;
}

static int bhlab_cmd_lock_state(struct bhlab_lab *lab, union bhlab_cmd *cmd)
{
	struct bhlab_lock_state *st = &cmd->lock_state;
	struct bhlab_object *obj;

	obj = bhlab_object_get(lab, st->id, BHLAB_KIND_LOCK);
	if (!obj)
		return -ENOENT;
	bhlab_lock_state(to_lock(obj), st);
	bhlab_object_put(obj);
	return 0;
}

static int bhlab_cmd_fifo_state(struct bhlab_lab *lab, union bhlab_cmd *cmd)
{
	struct bhlab_fifo_state *st = &cmd->fifo_state;
	struct bhlab_object *obj;

	if (st->reserved)
		return -EOPNOTSUPP;
	obj = bhlab_object_get(lab, st->id, BHLAB_KIND_FIFO);
	if (!obj)
		return -ENOENT;
	bhlab_fifo_state(to_fifo(obj), st);
	bhlab_object_put(obj);
	return 0;
}

/**
 * struct bhlab_ioctl_op - one ioctl
 * @cmd: its number
 * @size: of its structure
 * @min_size: of that structure's first version
 * @flags: flags that it knows
 * @out_on_error: the structure is also written back on failure
 * @out_never: the structure is not written back
 * @execute: carries it out
 * @create: or creates an object, which is published once the caller has the
 *	answer; NULL if there was none to create. Neither: it is a verb
 */
struct bhlab_ioctl_op {
	unsigned int cmd;
	u32 size;
	u32 min_size;
	u32 flags;
	bool out_on_error;
	bool out_never;
	int (*execute)(struct bhlab_lab *lab, union bhlab_cmd *cmd);
	struct bhlab_object *(*create)(struct bhlab_lab *lab,
				       union bhlab_cmd *cmd);
};

#define BHLAB_IOCTL_OP(_name, _struct, _last, _flags, ...)		\
	[BHLAB_NR_##_name] = {						\
		.cmd = BHLAB_IOC_##_name,				\
		.size = sizeof(struct _struct),				\
		.min_size = offsetofend(struct _struct, _last),		\
		.flags = (_flags),					\
		__VA_ARGS__						\
	}

#define BHLAB_IOCTL(_name, _struct, _last, _flags, _fn)			\
	BHLAB_IOCTL_OP(_name, _struct, _last, _flags, .execute = (_fn))
#define BHLAB_CREATE(_name, _struct, _last, _flags, _fn)		\
	BHLAB_IOCTL_OP(_name, _struct, _last, _flags, .create = (_fn))

/* Each verb checks its own flags. */
#define BHLAB_VERB(_name)						\
	BHLAB_IOCTL(_name, bhlab_act, out_count, U32_MAX, NULL)

static const struct bhlab_ioctl_op bhlab_ioctl_ops[] = {
	BHLAB_IOCTL(INFO, bhlab_info, out_kernel, 0, bhlab_cmd_info),
	BHLAB_IOCTL(MECH, bhlab_mech_info, out_name, 0, bhlab_cmd_mech),
	BHLAB_IOCTL(RING, bhlab_ring_setup, out_lost,
		    BHLAB_RING_RECORDS | BHLAB_RING_WATERMARK, bhlab_cmd_ring),
	BHLAB_IOCTL_OP(ITEM_CREATE, bhlab_item_create, priority,
		       BHLAB_ITEM_CPU | BHLAB_ITEM_THREAD | BHLAB_ITEM_QUEUED |
		       BHLAB_ITEM_HARD | BHLAB_ITEM_LAZY | BHLAB_ITEM_IRQSAFE |
		       BHLAB_ITEM_PINNED | BHLAB_ITEM_STATIC | BHLAB_ITEM_ONESHOT,
		       .create = bhlab_cmd_create, .out_on_error = true),
	BHLAB_IOCTL(ITEM_STATE, bhlab_item_state, out_priority, 0, bhlab_cmd_state),
	BHLAB_IOCTL(ITEM_PROGRAM, bhlab_item_program, steps, 0, bhlab_cmd_program),
	BHLAB_CREATE(LOOKUP, bhlab_lookup, name, BHLAB_LOOKUP_RESERVE, bhlab_cmd_lookup),
	BHLAB_IOCTL(NEXT, bhlab_lookup, name, 0, bhlab_cmd_next),
	BHLAB_IOCTL_OP(DESTROY, bhlab_destroy, reserved, 0,
		       .execute = bhlab_cmd_destroy, .out_never = true),
	BHLAB_VERB(QUEUE),
	BHLAB_VERB(DELAY),
	BHLAB_VERB(CANCEL),
	BHLAB_VERB(FLUSH),
	BHLAB_VERB(DISABLE),
	BHLAB_VERB(ENABLE),
	BHLAB_VERB(TRIGGER),
	BHLAB_VERB(DRAIN),
	BHLAB_IOCTL_OP(WAIT, bhlab_wait, timeout_ns, 0,
		       .execute = bhlab_cmd_wait, .out_on_error = true),
	BHLAB_IOCTL(BATCH, bhlab_batch, entries, BHLAB_BATCH_ON, bhlab_cmd_batch),
	BHLAB_CREATE(QUEUE_CREATE, bhlab_queue_create, name, BHLAB_MASK_WQ, bhlab_cmd_queue_create),
	BHLAB_IOCTL(QUEUE_STATE, bhlab_queue_state, out_name, 0, bhlab_cmd_queue_state),
	BHLAB_CREATE(LOCK_CREATE, bhlab_lock_create, name, 0, bhlab_cmd_lock_create),
	BHLAB_IOCTL(LOCK_STATE, bhlab_lock_state, out_name, 0, bhlab_cmd_lock_state),
	BHLAB_CREATE(FIFO_CREATE, bhlab_fifo_create, name, 0, bhlab_cmd_fifo_create),
	BHLAB_IOCTL(FIFO_STATE, bhlab_fifo_state, out_name, 0, bhlab_cmd_fifo_state),
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
 * The structure is written back at the end, when it is too late to refuse: check
 * now, by writing its first and its last byte, that this is possible.
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

/* Published last: if the caller cannot get the answer, nothing is left behind. */
static int bhlab_ioctl_create(const struct bhlab_ioctl_op *op,
			      struct bhlab_lab *lab, union bhlab_cmd *cmd,
			      u8 __user *user, u32 size)
{
	struct bhlab_object *obj = op->create(lab, cmd);
	int ret = PTR_ERR_OR_ZERO(obj);

	if (ret && !op->out_on_error)
		return ret;
	ret = bhlab_copy_out(op, cmd, user, size) ?: ret;
	if (IS_ERR_OR_NULL(obj))
		return ret;
	if (ret)
		bhlab_object_abort(obj);
	else
		bhlab_object_publish(obj);
	return ret;
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
	if (op->create)
		return bhlab_ioctl_create(op, lab, &cmd, user, size);
	ret = op->execute ? op->execute(lab, &cmd) :
			    bhlab_request(lab, &cmd.act, _IOC_NR(num));
	if (op->out_never || (ret && !op->out_on_error))
		return ret;
	return bhlab_copy_out(op, &cmd, user, size) ?: ret;
}
