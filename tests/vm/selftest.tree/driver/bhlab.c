// SPDX-License-Identifier: GPL-2.0-only
/* A stand-in for the driver that does what a driver must not, so that the VM loop can prove that it notices. */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

static bool plant_warning;
module_param(plant_warning, bool, 0444);

static bool plant_fault;
module_param(plant_fault, bool, 0444);

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
