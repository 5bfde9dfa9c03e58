// SPDX-License-Identifier: GPL-2.0-only
/* All labs of the machine, and how others find them. */
#include <linux/xarray.h>

#include "lab.h"

/*
 * All labs, by id. The array's lock protects @dying of each against lookups from
 * outside: a lookup takes a reference on @users, and release() waits until there
 * is none.
 */
static DEFINE_XARRAY_ALLOC1(bhlab_labs);
static DECLARE_WAIT_QUEUE_HEAD(bhlab_labs_wait);

/* Lets a dump that takes several calls detect changes in between. */
static atomic_t bhlab_labs_changed = ATOMIC_INIT(1);

u32 bhlab_labs_changes(void)
{
	return atomic_read(&bhlab_labs_changed);
}

u32 bhlab_labs_open(void)
{
	struct bhlab_lab *lab;
	unsigned long id;
	u32 nr = 0;

	xa_lock(&bhlab_labs);
	xa_for_each(&bhlab_labs, id, lab)
		nr += !lab->dying;
	xa_unlock(&bhlab_labs);
	return nr;
}

/* The lab with this id, or NULL; valid until bhlab_lab_put(). */
struct bhlab_lab *bhlab_lab_get(u32 id)
{
	struct bhlab_lab *lab;

	xa_lock(&bhlab_labs);
	lab = xa_load(&bhlab_labs, id);
	if (lab && lab->dying)
		lab = NULL;
	if (lab)
		refcount_inc(&lab->users);
	xa_unlock(&bhlab_labs);
	return lab;
}

/* The lab with the smallest id above @id, as above. */
struct bhlab_lab *bhlab_lab_get_next(u32 id)
{
	unsigned long index = id;
	struct bhlab_lab *lab;

	xa_lock(&bhlab_labs);
	do {
		lab = xa_find_after(&bhlab_labs, &index, U32_MAX, XA_PRESENT);
	} while (lab && lab->dying);
	if (lab)
		refcount_inc(&lab->users);
	xa_unlock(&bhlab_labs);
	return lab;
}

/* The lab may be freed from here on. */
void bhlab_lab_put(struct bhlab_lab *lab)
{
	refcount_dec(&lab->users);
	wake_up_all(&bhlab_labs_wait);
}

/* Lookups find it from here on. */
int bhlab_labs_add(struct bhlab_lab *lab)
{
	int ret = xa_alloc(&bhlab_labs, &lab->id, lab, xa_limit_31b,
			   GFP_KERNEL_ACCOUNT);

	if (!ret)
		atomic_inc(&bhlab_labs_changed);
	return ret;
}

/* Lookups fail from here on; but the id stays taken until all has ended. */
void bhlab_lab_hide(struct bhlab_lab *lab)
{
	xa_lock(&bhlab_labs);
	WRITE_ONCE(lab->dying, true);
	xa_unlock(&bhlab_labs);
	atomic_inc(&bhlab_labs_changed);
	wake_up_all(&lab->sleepers);
	wake_up_all(&lab->wait);
	wait_event(bhlab_labs_wait, refcount_dec_if_one(&lab->users));
}

void bhlab_labs_remove(struct bhlab_lab *lab)
{
	xa_erase(&bhlab_labs, lab->id);
}
