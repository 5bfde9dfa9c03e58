// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stand-in for the driver that does what a driver must not, so that the VM loop
 * can prove that it notices.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

static bool plant_warning;
module_param(plant_warning, bool, 0444);

static bool plant_fault;
module_param(plant_fault, bool, 0444);

static bool plant_leak;
module_param(plant_leak, bool, 0444);

static bool plant_use_after_free;
module_param(plant_use_after_free, bool, 0444);

static bool plant_lock_order;
module_param(plant_lock_order, bool, 0444);

static bool plant_sleep;
module_param(plant_sleep, bool, 0444);

static DEFINE_MUTEX(planted_first);
static DEFINE_MUTEX(planted_second);

/* Lost with the stack, as soon as something else has been there. */
static noinline void planted_leak(void)
{
	*(volatile char *)kzalloc(64, GFP_KERNEL) = 1;
}

static noinline void planted_use_after_free(void)
{
	volatile char *buffer = kzalloc(64, GFP_KERNEL);

	kfree((void *)buffer);
	buffer[8] = 1;
}

static void planted_lock(struct mutex *outer, struct mutex *inner)
{
	mutex_lock(outer);
	mutex_lock(inner);
	mutex_unlock(inner);
	mutex_unlock(outer);
}

static void planted_sleep(void)
{
	preempt_disable();
	planted_lock(&planted_first, &planted_second);
	preempt_enable();
}

static void planted_bugs(void)
{
	if (plant_leak)
		planted_leak();
	if (plant_use_after_free)
		planted_use_after_free();
	if (plant_lock_order) {
		planted_lock(&planted_first, &planted_second);
		planted_lock(&planted_second, &planted_first);
	}
	if (plant_sleep)
		planted_sleep();
}

static const struct file_operations planted_fops = {
	.owner = THIS_MODULE,
};

static struct miscdevice planted_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "bhlab",
	.fops = &planted_fops,
};

static int __init planted_init(void)
{
	WARN_ON(plant_warning);
	planted_bugs();
	return misc_register(&planted_device);
}

static void __exit planted_exit(void)
{
	misc_deregister(&planted_device);
	if (plant_fault)
		*(volatile int *)8 = 0;
}

module_init(planted_init);
module_exit(planted_exit);
MODULE_DESCRIPTION("stand-in for bhlab with planted bugs");
MODULE_LICENSE("GPL");
