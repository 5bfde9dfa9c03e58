// SPDX-License-Identifier: GPL-2.0-only
/*
 * bhlab: a laboratory for bottom halves. The module and its device node.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "ioctl.h"
#include "lab.h"
#include "limits.h"
#include "netlink.h"
#include "queue.h"
#include "ring.h"
#include "wake.h"
#include "mech/mech.h"

static int bhlab_fops_open(struct inode *inode, struct file *file)
{
	struct bhlab_lab *lab = bhlab_lab_open();

	if (IS_ERR(lab))
		return PTR_ERR(lab);
	file->private_data = lab;
	return stream_open(inode, file);
}

/*
 * Called where the last reference is dropped, possibly by a kernel worker that
 * drops those of others, too (delayed_fput() after unix_gc()). Its time is
 * bounded, since sleeps and programs end with the lab. A worker of our own would
 * outlive the file's reference to the module, and the caller of close() could
 * not rely on it.
 */
static int bhlab_fops_release(struct inode *inode, struct file *file)
{
	bhlab_lab_release(file->private_data);
	return 0;
}

static long bhlab_fops_ioctl(struct file *file, unsigned int cmd,
			     unsigned long arg)
{
	return bhlab_ioctl(file->private_data, cmd, arg);
}

static ssize_t bhlab_fops_read(struct file *file, char __user *buf, size_t len,
			       loff_t *pos)
{
	struct bhlab_lab *lab = file->private_data;

	return bhlab_ring_read(&lab->ring, file, buf, len);
}

static __poll_t bhlab_fops_poll(struct file *file, struct poll_table_struct *pt)
{
	struct bhlab_lab *lab = file->private_data;

	return bhlab_ring_poll(&lab->ring, file, pt);
}

static int bhlab_fops_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct bhlab_lab *lab = file->private_data;

	return bhlab_ring_mmap(&lab->ring, vma);
}

static const struct file_operations bhlab_fops = {
	.owner = THIS_MODULE,
	.open = bhlab_fops_open,
	.release = bhlab_fops_release,
	.unlocked_ioctl = bhlab_fops_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.read = bhlab_fops_read,
	.poll = bhlab_fops_poll,
	.mmap = bhlab_fops_mmap,
};

static struct miscdevice bhlab_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "bhlab",
	.fops = &bhlab_fops,
};

static int __init bhlab_init(void)
{
	int ret = bhlab_limits_check();

	if (!ret)
		ret = bhlab_irq_probe();
	if (ret)
		return ret;
	bhlab_budget_init();
	bhlab_queues_init();
	ret = bhlab_wake_init();
	if (ret)
		return ret;
	ret = bhlab_netlink_init();
	if (ret)
		goto err_wake;
	ret = misc_register(&bhlab_misc);
	if (ret)
		goto err_netlink;
	return 0;

err_netlink:
	bhlab_netlink_exit();
err_wake:
	bhlab_wake_exit();
	return ret;
}

static void __exit bhlab_exit(void)
{
	misc_deregister(&bhlab_misc);
	bhlab_netlink_exit();
	bhlab_wake_exit();
}

module_init(bhlab_init);
module_exit(bhlab_exit);

MODULE_DESCRIPTION("A laboratory for bottom halves");
MODULE_AUTHOR("The bhlab developers");
MODULE_LICENSE("GPL");
#ifdef BHLAB_VERSION
MODULE_VERSION(BHLAB_VERSION);
#endif
