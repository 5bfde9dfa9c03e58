// SPDX-License-Identifier: GPL-2.0-only
/*
 * The floor of the benchmark: items as a driver has them that nobody looks at.
 * Their handlers do nothing but to tell that the last one has run. Without an
 * exit the module stays until the guest ends.
 */
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/irq_sim.h>
#include <linux/irq_work.h>
#include <linux/irqdomain.h>
#include <linux/kthread.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include <linux/bhlab.h>

#include "../bare.h"

static struct delayed_work bare_works[BARE_ITEMS];
static struct delayed_work bare_bh_works[BARE_ITEMS];
static struct tasklet_struct bare_tasklets[BARE_ITEMS];
static struct irq_work bare_irq_works[BARE_ITEMS];
static struct hrtimer bare_hrtimers[BARE_ITEMS];
static struct kthread_work bare_kthread_works[BARE_THREADS];

static struct workqueue_struct *bare_wq;
static struct workqueue_struct *bare_bh_wq;
static struct kthread_worker *bare_workers[BARE_THREADS];
static struct irq_domain *bare_domains[BARE_IRQS];
static unsigned int bare_irqs[BARE_IRQS];

static DEFINE_MUTEX(bare_lock);
static DECLARE_COMPLETION(bare_done);
static u32 bare_left;

static void bare_ran(void)
{
	if (!--bare_left)
		complete(&bare_done);
}

static void bare_work_fn(struct work_struct *work)
{
}

static void bare_tasklet_fn(struct tasklet_struct *tasklet)
{
	bare_ran();
}

static irqreturn_t bare_irq_fn(int irq, void *data)
{
	bare_ran();
	return IRQ_HANDLED;
}

static void bare_irq_work_fn(struct irq_work *work)
{
	bare_ran();
}

static enum hrtimer_restart bare_hrtimer_fn(struct hrtimer *timer)
{
	bare_ran();
	return HRTIMER_NORESTART;
}

static void bare_kthread_fn(struct kthread_work *work)
{
}

static void bare_work(u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		queue_delayed_work(bare_wq, &bare_works[i], 0);
	flush_workqueue(bare_wq);
}

static void bare_work_bh(u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		queue_delayed_work(bare_bh_wq, &bare_bh_works[i], 0);
	flush_workqueue(bare_bh_wq);
}

static void bare_tasklet(u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		tasklet_schedule(&bare_tasklets[i]);
	wait_for_completion(&bare_done);
}

static void bare_tasklet_hi(u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		tasklet_hi_schedule(&bare_tasklets[i]);
	wait_for_completion(&bare_done);
}

static void bare_irq(u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		irq_set_irqchip_state(bare_irqs[i], IRQCHIP_STATE_PENDING, true);
	wait_for_completion(&bare_done);
}

static void bare_irq_work(u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		irq_work_queue(&bare_irq_works[i]);
	wait_for_completion(&bare_done);
}

static void bare_hrtimer(u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		hrtimer_start(&bare_hrtimers[i], 0, HRTIMER_MODE_REL);
	wait_for_completion(&bare_done);
}

static void bare_kthread_work(u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		kthread_queue_work(bare_workers[i], &bare_kthread_works[i]);
	kthread_flush_work(&bare_kthread_works[count - 1]);
}

static void (* const bare_mechs[BARE_MECHS])(u32 count) = {
	[BARE_WORK] = bare_work,
	[BARE_WORK_BH] = bare_work_bh,
	[BARE_TASKLET] = bare_tasklet,
	[BARE_TASKLET_HI] = bare_tasklet_hi,
	[BARE_IRQ] = bare_irq,
	[BARE_IRQ_WORK] = bare_irq_work,
	[BARE_HRTIMER] = bare_hrtimer,
	[BARE_KTHREAD_WORK] = bare_kthread_work,
};

static const u32 bare_limits[BARE_MECHS] = {
	[BARE_WORK] = BARE_ITEMS,
	[BARE_WORK_BH] = BARE_ITEMS,
	[BARE_TASKLET] = BARE_ITEMS,
	[BARE_TASKLET_HI] = BARE_ITEMS,
	[BARE_IRQ] = BARE_IRQS,
	[BARE_IRQ_WORK] = BARE_ITEMS,
	[BARE_HRTIMER] = BARE_ITEMS,
	[BARE_KTHREAD_WORK] = BARE_THREADS,
};

static long bare_run(const struct bare_batch *batch)
{
	mutex_lock(&bare_lock);
	reinit_completion(&bare_done);
	bare_left = batch->count;
	bare_mechs[batch->mech](batch->count);
	mutex_unlock(&bare_lock);
	return 0;
}

static long bare_run_copied(const struct bare_batch *batch)
{
	struct bhlab_batch_entry __user *user = u64_to_user_ptr(batch->entries);
	size_t size = array_size(batch->count, sizeof(*user));
	struct bhlab_batch_entry *entries = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	long ret = -EFAULT;

	if (!entries)
		return -ENOMEM;
	if (!copy_from_user(entries, user, size) &&
	    !copy_to_user(user, entries, size)) {
		bare_run(batch);
		ret = copy_to_user(user, entries, size) ? -EFAULT : 0;
	}
	kvfree(entries);
	return ret;
}

static long bare_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct bare_batch batch;

	if (cmd == BARE_IOC_NONE)
		return 0;
	if (cmd != BARE_IOC_BATCH)
		return -ENOTTY;
	if (copy_from_user(&batch, (void __user *)arg, sizeof(batch)))
		return -EFAULT;
	if (batch.mech >= BARE_MECHS || !batch.count ||
	    batch.count > bare_limits[batch.mech])
		return -EINVAL;
	return batch.entries ? bare_run_copied(&batch) : bare_run(&batch);
}

static const struct file_operations bare_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = bare_ioctl,
};

static struct miscdevice bare_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "bhlab-bench",
	.fops = &bare_fops,
};

static void bare_items_init(void)
{
	u32 i;

	for (i = 0; i < BARE_ITEMS; i++) {
		INIT_DELAYED_WORK(&bare_works[i], bare_work_fn);
		INIT_DELAYED_WORK(&bare_bh_works[i], bare_work_fn);
		tasklet_setup(&bare_tasklets[i], bare_tasklet_fn);
		init_irq_work(&bare_irq_works[i], bare_irq_work_fn);
		hrtimer_setup(&bare_hrtimers[i], bare_hrtimer_fn,
			      CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	}
}

/* A domain for each line, as the lab's irq items have it. */
static int bare_line_init(u32 i)
{
	bare_domains[i] = irq_domain_create_sim(NULL, 1);
	if (IS_ERR(bare_domains[i]))
		return PTR_ERR(bare_domains[i]);
	bare_irqs[i] = irq_create_mapping(bare_domains[i], 0);
	return request_irq(bare_irqs[i], bare_irq_fn, 0, "bhlab-bench",
			   &bare_domains[i]);
}

static int bare_thread_init(u32 i)
{
	kthread_init_work(&bare_kthread_works[i], bare_kthread_fn);
	bare_workers[i] = kthread_run_worker(0, "bhlab-bench/%u", i);
	return PTR_ERR_OR_ZERO(bare_workers[i]);
}

/* A guest ends with its benchmark: what a failure leaves behind does not matter. */
static int __init bare_module_init(void)
{
	int ret = 0;
	u32 i;

	bare_items_init();
	bare_wq = alloc_workqueue("bhlab-bench", WQ_PERCPU, 0);
	bare_bh_wq = alloc_workqueue("bhlab-bench-bh", WQ_BH | WQ_PERCPU, 0);
	if (!bare_wq || !bare_bh_wq)
		return -ENOMEM;
	for (i = 0; !ret && i < BARE_IRQS; i++)
		ret = bare_line_init(i);
	for (i = 0; !ret && i < BARE_THREADS; i++)
		ret = bare_thread_init(i);
	return ret ?: misc_register(&bare_device);
}

module_init(bare_module_init);
MODULE_DESCRIPTION("The bare floor of bhlab's benchmark");
MODULE_LICENSE("GPL");
