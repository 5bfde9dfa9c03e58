// SPDX-License-Identifier: GPL-2.0-only
/*
 * csd: a function that another CPU is told to call, by
 * smp_call_function_single_async(). It runs there in hardirq context, from an
 * interrupt between CPUs; a CPU that is idle and looks for work needs none, and
 * calls it in its idle task, with interrupts off.
 *
 * It may be used again from the moment at which it is about to be called, so it can
 * run beside itself, on two CPUs. The kernel can neither cancel it nor wait for it.
 *
 * For one's own CPU the kernel calls the function at once. That is refused, since
 * the handler would wait for the item's lock, which the caller holds.
 */
#include <linux/cpumask.h>
#include <linux/smp.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "item.h"
#include "lab.h"
#include "object.h"
#include "run.h"
#include "stamp.h"
#include "mech/mech.h"

struct bhlab_csd {
	struct bhlab_item item;
	call_single_data_t csd;
};

static struct bhlab_csd *to_csd(struct bhlab_item *item)
{
	return container_of(item, struct bhlab_csd, item);
}

static void bhlab_csd_fn(void *item)
{
	bhlab_item_run(item);
}

static bool bhlab_csd_absent(void)
{
	return num_possible_cpus() == 1;
}

static int bhlab_csd_init(struct bhlab_item *item)
{
	INIT_CSD(&to_csd(item)->csd, bhlab_csd_fn, item);
	return 0;
}

static bool bhlab_csd_idle(struct bhlab_item *item)
{
	unsigned long flags = bhlab_item_lock(item);
	bool idle = bhlab_item_idle(item);

	bhlab_item_unlock(item, flags);
	return idle;
}

/*
 * A CPU that goes offline calls what it was told to before that. The function may
 * still be at its end, which a grace period waits for.
 */
static void bhlab_csd_stop(struct bhlab_item *item)
{
	wait_event(item->obj.lab->wait, bhlab_csd_idle(item));
}

/* Which CPU to call: the one that is named, or the next one. */
static int bhlab_csd_cpu(const struct bhlab_activation *act)
{
	unsigned int here = smp_processor_id(), cpu;

	lockdep_assert_irqs_disabled();
	if (act->cpu != WORK_CPU_UNBOUND)
		return act->cpu == here ? -EXDEV : act->cpu;
	cpu = cpumask_next(here, cpu_online_mask);
	if (cpu >= nr_cpu_ids)
		cpu = cpumask_first(cpu_online_mask);
	return cpu == here ? -EOPNOTSUPP : cpu;
}

static int bhlab_csd_admit(struct bhlab_item *item,
			   const struct bhlab_activation *act)
{
	return min(bhlab_csd_cpu(act), 0);
}

static int bhlab_csd_queue(struct bhlab_item *item,
			   const struct bhlab_activation *act)
{
	int cpu = bhlab_csd_cpu(act);

	if (cpu < 0)
		return cpu;
	switch (smp_call_function_single_async(cpu, &to_csd(item)->csd)) {
	case 0:
		return BHLAB_RESULT_QUEUED;
	case -EBUSY:
		return BHLAB_RESULT_ALREADY_PENDING;
	default:
		return -ENODEV;
	}
}

const struct bhlab_mech_ops bhlab_csd_ops = {
	.id = BHLAB_MECH_CSD,
	.native = BIT(BHLAB_VERB_QUEUE),
	.emulated = BIT(BHLAB_VERB_DELAY) | BIT(BHLAB_VERB_FLUSH),
	.absent = bhlab_csd_absent,
	.context = BHLAB_CTX_HARDIRQ,
	.size = sizeof(struct bhlab_csd),
	.takes_cpu = true,
	.hard = true,
	.after = BHLAB_AFTER_GRACE,
	.init = bhlab_csd_init,
	.stop = bhlab_csd_stop,
	.admit = bhlab_csd_admit,
	.queue = bhlab_csd_queue,
	.flush = bhlab_item_flush_own,
};
