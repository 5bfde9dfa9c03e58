// SPDX-License-Identifier: GPL-2.0-only
/* Objects: the table of everything that a lab has, by id and by name. */
#include <linux/ctype.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "lab.h"
#include "object.h"
#include "user.h"

/* As bhlab_labs_changed, for the objects of all labs. */
static atomic_t bhlab_objects_changed;

u32 bhlab_objects_changes(void)
{
	return atomic_read(&bhlab_objects_changed);
}

/* Count its objects by enum bhlab_kind. */
void bhlab_lab_count(struct bhlab_lab *lab, u32 *nr)
{
	struct bhlab_object *obj;
	unsigned long id;

	mutex_lock(&lab->lock);
	xa_for_each(&lab->objects, id, obj)
		if (obj->ops && obj->live)
			nr[obj->ops->kind]++;
	mutex_unlock(&lab->lock);
}

int bhlab_name_check(const char *name)
{
	size_t i, len = strnlen(name, BHLAB_NAME_LEN);

	if (len == BHLAB_NAME_LEN)
		return -E2BIG;
	if (!isascii(name[0]) ||
	    (!isalpha(name[0]) && name[0] != '_'))
		return -EINVAL;
	for (i = 1; i < len; i++)
		if (!isascii(name[i]) ||
		    (!isalnum(name[i]) && !strchr("_.-", name[i])))
			return -EINVAL;
	return 0;
}

static struct bhlab_object *bhlab_lab_named(struct bhlab_lab *lab,
					    const char *name)
{
	struct bhlab_object *obj;
	unsigned long id;

	lockdep_assert_held(&lab->lock);
	xa_for_each(&lab->objects, id, obj)
		if (!strcmp(obj->name, name))
			return obj;
	return NULL;
}

void bhlab_object_init(struct bhlab_object *obj, struct bhlab_lab *lab,
		       const struct bhlab_kind_ops *ops,
		       enum bhlab_resource resource, const char *name)
{
	obj->lab = lab;
	obj->ops = ops;
	obj->charge.nr[BHLAB_RES_OBJECT] = 1;
	obj->charge.nr[resource] = 1;
	refcount_set(&obj->users, 1);
	strscpy(obj->name, name, sizeof(obj->name));
}

/* Reserve an id that this lab has never used. */
static int bhlab_lab_new_id(struct bhlab_lab *lab)
{
	int ret;

	lockdep_assert_held(&lab->lock);
	if (lab->next_id > BHLAB_ID_MAX)
		return -ENOSPC;
	ret = xa_reserve(&lab->objects, lab->next_id, GFP_KERNEL_ACCOUNT);
	return ret ?: (int)lab->next_id++;
}

/*
 * Charge the user; return the new object's id, its reservation's if there is
 * one, or an errno.
 */
static int bhlab_lab_charge(struct bhlab_lab *lab, struct bhlab_object *obj,
			    const struct bhlab_object *reserved)
{
	int ret;

	/* The reserved name is charged as an object already. */
	obj->charge.nr[BHLAB_RES_OBJECT] = !reserved;
	ret = bhlab_user_charge(lab->user, &obj->charge);
	if (ret)
		return ret;
	ret = reserved ? (int)reserved->id : bhlab_lab_new_id(lab);
	if (ret < 0)
		bhlab_user_uncharge(lab->user, &obj->charge);
	return ret;
}

/* @reserved: the name's reservation, or NULL. */
static int bhlab_lab_add_locked(struct bhlab_lab *lab,
				struct bhlab_object *obj,
				struct bhlab_object *reserved)
{
	int id, ret = 0;

	id = bhlab_lab_charge(lab, obj, reserved);
	if (id < 0)
		return id;
	obj->id = id;
	if (obj->ops->init)
		ret = obj->ops->init(obj);
	if (ret) {
		if (!reserved)
			xa_release(&lab->objects, id);
		bhlab_user_uncharge(lab->user, &obj->charge);
		return ret;
	}
	obj->charge.nr[BHLAB_RES_OBJECT] = 1;
	/* The entry is reserved, so this does not allocate. */
	xa_store(&lab->objects, id, obj, GFP_KERNEL_ACCOUNT);
	obj->reserved = reserved;
	return 0;
}

/*
 * Give an object its id and its name, and initialise it. Lookups find it once it
 * is published: until then it can be removed without a trace.
 */
int bhlab_lab_add(struct bhlab_lab *lab, struct bhlab_object *obj)
{
	struct bhlab_object *other;
	int ret;

	mutex_lock(&lab->lock);
	other = bhlab_lab_named(lab, obj->name);
	if (other && (other->ops || !other->live))
		ret = -EEXIST;
	else
		ret = bhlab_lab_add_locked(lab, obj, other);
	mutex_unlock(&lab->lock);
	return ret;
}

void bhlab_object_publish(struct bhlab_object *obj)
{
	struct bhlab_object *reserved = obj->reserved;
	struct bhlab_lab *lab = obj->lab;

	mutex_lock(&lab->lock);
	obj->reserved = NULL;
	/* Pairs with bhlab_object_peek(): a lookup that succeeds finds it ready. */
	smp_store_release(&obj->live, true);
	mutex_unlock(&lab->lock);
	if (reserved)
		kfree_rcu(reserved, rcu);
	atomic_inc(&bhlab_objects_changed);
}

/* A reservation that the object took gets its id and its name back. */
static void bhlab_object_remove(struct bhlab_object *obj)
{
	struct bhlab_lab *lab = obj->lab;

	mutex_lock(&lab->lock);
	if (obj->reserved) {
		obj->charge.nr[BHLAB_RES_OBJECT] = 0;
		xa_store(&lab->objects, obj->id, obj->reserved, GFP_KERNEL_ACCOUNT);
	} else {
		xa_erase(&lab->objects, obj->id);
	}
	mutex_unlock(&lab->lock);
}

static struct bhlab_object *bhlab_lab_reserve(struct bhlab_lab *lab,
					      const char *name)
{
	struct bhlab_object *obj;
	int id;

	obj = kzalloc(sizeof(*obj), GFP_KERNEL_ACCOUNT);
	if (!obj)
		return ERR_PTR(-ENOMEM);
	bhlab_object_init(obj, lab, NULL, BHLAB_RES_OBJECT, name);
	id = bhlab_lab_charge(lab, obj, NULL);
	if (id < 0) {
		kfree(obj);
		return ERR_PTR(id);
	}
	obj->id = id;
	xa_store(&lab->objects, id, obj, GFP_KERNEL_ACCOUNT);
	return obj;
}

static u32 bhlab_object_kind(const struct bhlab_object *obj)
{
	return obj->ops ? obj->ops->kind : BHLAB_KIND_RESERVED;
}

static struct bhlab_object *bhlab_lab_lookup_locked(struct bhlab_lab *lab,
						    struct bhlab_lookup *cmd)
{
	struct bhlab_object *obj = bhlab_lab_named(lab, cmd->name);
	struct bhlab_object *made = NULL;

	if (obj && !obj->live)
		return ERR_PTR(cmd->flags & BHLAB_LOOKUP_RESERVE ? -EEXIST : -ENOENT);
	if (!obj && !(cmd->flags & BHLAB_LOOKUP_RESERVE))
		return ERR_PTR(-ENOENT);
	if (!obj) {
		made = bhlab_lab_reserve(lab, cmd->name);
		obj = made;
	}
	if (IS_ERR(obj))
		return obj;
	cmd->id = obj->id;
	cmd->out_kind = bhlab_object_kind(obj);
	return made;
}

/* A reservation that the caller publishes, or NULL if the name already has an id. */
struct bhlab_object *bhlab_lab_lookup(struct bhlab_lab *lab,
				      struct bhlab_lookup *cmd)
{
	struct bhlab_object *made;
	int ret = bhlab_name_check(cmd->name);

	if (ret)
		return ERR_PTR(ret);
	mutex_lock(&lab->lock);
	made = bhlab_lab_lookup_locked(lab, cmd);
	mutex_unlock(&lab->lock);
	return made;
}

/* Is @id reserved for an object of that name, which will get it? */
bool bhlab_object_reserves(struct bhlab_lab *lab, u32 id, const char *name)
{
	struct bhlab_object *obj;
	bool reserves;

	mutex_lock(&lab->lock);
	obj = xa_load(&lab->objects, id);
	reserves = obj && !obj->ops && !strcmp(obj->name, name);
	mutex_unlock(&lab->lock);
	return reserves;
}

int bhlab_lab_next(struct bhlab_lab *lab, struct bhlab_lookup *cmd)
{
	struct bhlab_object *obj;
	unsigned long id = cmd->id;

	mutex_lock(&lab->lock);
	do {
		obj = xa_find_after(&lab->objects, &id, BHLAB_ID_MAX, XA_PRESENT);
	} while (obj && !obj->live);
	if (obj) {
		cmd->id = obj->id;
		cmd->out_kind = bhlab_object_kind(obj);
		memcpy(cmd->name, obj->name, sizeof(cmd->name));
	}
	mutex_unlock(&lab->lock);
	return obj ? 0 : -ENOENT;
}

/* For steps: under rcu_read_lock(), valid until its end. */
struct bhlab_object *bhlab_object_peek(struct bhlab_lab *lab, u32 id,
				       enum bhlab_kind kind)
{
	struct bhlab_object *obj = xa_load(&lab->objects, id);

	/* Pairs with bhlab_object_publish(). */
	return obj && smp_load_acquire(&obj->live) &&
	       bhlab_object_kind(obj) == kind ? obj : NULL;
}

/* For verbs: valid until bhlab_object_put(). */
struct bhlab_object *bhlab_object_get(struct bhlab_lab *lab, u32 id,
				      enum bhlab_kind kind)
{
	struct bhlab_object *obj;

	rcu_read_lock();
	obj = bhlab_object_peek(lab, id, kind);
	if (obj && !refcount_inc_not_zero(&obj->users))
		obj = NULL;
	rcu_read_unlock();
	return obj;
}

void bhlab_object_put(struct bhlab_object *obj)
{
	struct bhlab_lab *lab = obj->lab;

	/* The object may be freed from here on, if it is being destroyed. */
	refcount_dec(&obj->users);
	smp_mb__after_atomic(); /* the decrement, then the check for waiters */
	/* As in bhlab_lab_wake(). */
	if (waitqueue_active(&lab->wait))
		wake_up_all(&lab->wait);
}

/* For items that name another object: valid until bhlab_object_unpin(). */
struct bhlab_object *bhlab_object_pin(struct bhlab_lab *lab, u32 id,
				      enum bhlab_kind kind)
{
	struct bhlab_object *obj;

	mutex_lock(&lab->lock);
	obj = bhlab_object_peek(lab, id, kind);
	if (obj)
		obj->pins++;
	mutex_unlock(&lab->lock);
	return obj;
}

void bhlab_object_unpin(struct bhlab_object *obj)
{
	struct bhlab_lab *lab = obj->lab;

	mutex_lock(&lab->lock);
	obj->pins--;
	mutex_unlock(&lab->lock);
}

/*
 * The charge is given back when the object is freed, so that destroying and
 * creating in turn cannot exceed the limits.
 */
static void bhlab_object_release(struct bhlab_object *obj)
{
	const struct bhlab_charge charge = obj->charge;
	struct bhlab_user *user = obj->lab->user;

	if (obj->ops)
		obj->ops->release(obj);
	else
		kfree_rcu(obj, rcu);
	bhlab_user_uncharge(user, &charge);
}

static void bhlab_object_after(u32 after)
{
	if (after & BHLAB_AFTER_CALLBACKS)
		rcu_barrier();
	if (after & BHLAB_AFTER_GRACE)
		synchronize_rcu();
}

/*
 * Lookups fail, and no new use of it is possible: wait for the verbs that use
 * it, and for its handlers. It stays in the table until then, so that walks of
 * the table miss nothing that still runs, and its name stays taken.
 */
static void bhlab_object_end(struct bhlab_object *obj)
{
	struct bhlab_lab *lab = obj->lab;

	wake_up_all(&lab->wait);
	wait_event(lab->wait, refcount_dec_if_one(&obj->users));
	if (obj->ops && obj->ops->stop)
		bhlab_object_after(obj->ops->stop(obj));
	bhlab_object_remove(obj);
	bhlab_object_release(obj);
}

static int bhlab_object_kill(struct bhlab_object *obj, bool force)
{
	int ret = 0;

	lockdep_assert_held(&obj->lab->lock);
	if (obj->ops && obj->ops->kill)
		ret = obj->ops->kill(obj, force);
	if (!ret)
		WRITE_ONCE(obj->live, false);
	return ret;
}

/* Destroy an object that was never published. */
void bhlab_object_abort(struct bhlab_object *obj)
{
	struct bhlab_lab *lab = obj->lab;

	mutex_lock(&lab->lock);
	bhlab_object_kill(obj, true);
	mutex_unlock(&lab->lock);
	bhlab_object_end(obj);
}

int bhlab_lab_destroy(struct bhlab_lab *lab, u32 id)
{
	struct bhlab_object *obj;
	int ret;

	if (id > BHLAB_ID_MAX)
		return -ENOENT;
	mutex_lock(&lab->lock);
	obj = xa_load(&lab->objects, id);
	if (!obj || !obj->live)
		ret = -ENOENT;
	else if (obj->pins)
		ret = -EBUSY;
	else
		ret = bhlab_object_kill(obj, false);
	mutex_unlock(&lab->lock);
	if (ret)
		return ret;
	atomic_inc(&bhlab_objects_changed);
	bhlab_object_end(obj);
	return 0;
}

/*
 * Stop everything in a lab. No verb is active, since each holds the file; but
 * handlers, timers and steps may be. First, no new activation is possible. Then
 * each mechanism stops. Then the memory is freed: first the items, then what
 * they use.
 */
void bhlab_lab_stop(struct bhlab_lab *lab)
{
	struct bhlab_object *obj;
	unsigned long id;
	u32 after = 0;

	mutex_lock(&lab->lock);
	xa_for_each(&lab->objects, id, obj)
		if (obj->ops && obj->ops->kill)
			obj->ops->kill(obj, true);
	mutex_unlock(&lab->lock);
	xa_for_each(&lab->objects, id, obj)
		if (obj->ops && obj->ops->stop)
			after |= obj->ops->stop(obj);
	bhlab_object_after(after);
}

void bhlab_lab_free(struct bhlab_lab *lab, bool items)
{
	struct bhlab_object *obj;
	unsigned long id;

	xa_for_each(&lab->objects, id, obj) {
		if (items != (obj->ops && obj->ops->kind == BHLAB_KIND_ITEM))
			continue;
		xa_erase(&lab->objects, id);
		bhlab_object_release(obj);
	}
}
