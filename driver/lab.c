// SPDX-License-Identifier: GPL-2.0-only
/* Labs: one open of the device each, and its end. */
#include <linux/cred.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "lab.h"
#include "monitor.h"
#include "object.h"
#include "ring.h"
#include "user.h"
#include "wake.h"
#include "who.h"

static void bhlab_wake_lab(struct bhlab_wake *wake)
{
	struct bhlab_lab *lab = container_of(wake, struct bhlab_lab, wake);

	wake_up_all(&lab->wait);
	if (bhlab_ring_ready(&lab->ring))
		wake_up_all(&lab->ring.wait);
}

static void bhlab_lab_init(struct bhlab_lab *lab)
{
	refcount_set(&lab->users, 1);
	lab->uid = current_uid();
	lab->pid = task_tgid_nr(current);
	get_task_comm(lab->comm, current);
	lab->opened = ktime_get_mono_fast_ns();
	lab->next_id = 1;
	mutex_init(&lab->lock);
	xa_init_flags(&lab->objects, XA_FLAGS_ACCOUNT);
	init_waitqueue_head(&lab->wait);
	bhlab_waits_init(&lab->waits);
	init_waitqueue_head(&lab->sleepers);
	bhlab_wake_prepare(&lab->wake, bhlab_wake_lab);
	bhlab_who_init(&lab->who);
	bhlab_ring_init(&lab->ring);
	lab->ring.hides = bhlab_who_may_hide(&lab->who);
}

struct bhlab_lab *bhlab_lab_open(void)
{
	struct bhlab_lab *lab;
	int ret;

	lab = kzalloc(sizeof(*lab), GFP_KERNEL_ACCOUNT);
	if (!lab)
		return ERR_PTR(-ENOMEM);
	bhlab_lab_init(lab);
	lab->user = bhlab_user_open();
	if (IS_ERR(lab->user)) {
		ret = PTR_ERR(lab->user);
		goto free;
	}
	lab->ring.user = lab->user;
	ret = bhlab_labs_add(lab);
	if (!ret)
		return lab;

	bhlab_user_close(lab->user);
free:
	bhlab_who_free(&lab->who);
	mutex_destroy(&lab->lock);
	kfree(lab);
	return ERR_PTR(ret);
}

void bhlab_lab_release(struct bhlab_lab *lab)
{
	bhlab_lab_hide(lab);
	bhlab_lab_stop(lab);
	bhlab_monitor_close(lab);
	bhlab_lab_free(lab, true);
	bhlab_lab_free(lab, false);
	xa_destroy(&lab->objects);
	bhlab_wake_end(&lab->wake);
	bhlab_ring_free(&lab->ring);
	bhlab_who_free(&lab->who);
	mutex_destroy(&lab->lock);
	bhlab_labs_remove(lab);
	bhlab_user_close(lab->user);
	kfree(lab);
}

