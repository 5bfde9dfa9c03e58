/* SPDX-License-Identifier: GPL-2.0-only */
/* Objects: what a lab has, by id and by name. */
#ifndef BHLAB_OBJECT_H
#define BHLAB_OBJECT_H

#include <linux/bits.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/types.h>

#include <linux/bhlab.h>

#include "user.h"

struct bhlab_kind_ops;
struct bhlab_lab;

/**
 * struct bhlab_object - anything with an id and a name; embedded at offset 0
 * @ops: its kind
 * @charge: its share of the limits of the lab's user
 * @users: verbs at work on it, and one for the table; destroying waits until
 *	the table's is the last
 * @live: lookups find it. It is in the table, with its id and its name, before
 *	that and while it is being destroyed. Written under lab->lock, read under RCU
 * @reserved: until it is live, the reservation that it took id and name from
 * @pins: items that name it, under lab->lock; not destroyed while there are any
 */
struct bhlab_object {
	struct rcu_head rcu;
	struct bhlab_lab *lab;
	const struct bhlab_kind_ops *ops;
	struct bhlab_charge charge;
	refcount_t users;
	bool live;
	struct bhlab_object *reserved;
	u32 pins;
	u32 id;
	char name[BHLAB_NAME_LEN];
};

/* What @release of an object has to wait for after @stop, once for many of them. */
#define BHLAB_AFTER_GRACE	BIT(0)	/* synchronize_rcu() */
#define BHLAB_AFTER_CALLBACKS	BIT(1)	/* rcu_barrier() */

/**
 * struct bhlab_kind_ops - one kind of object
 * @kind: enum bhlab_kind
 * @init: last step of creation, under lab->lock; may be NULL
 * @kill: first step of destruction, under lab->lock: no new use of it from here
 *	on; without @force, return -EBUSY if that is impossible; may be NULL
 * @stop: when there are no other users: wait until no handler of it runs, and
 *	return the BHLAB_AFTER_* that @release needs; may be NULL
 * @release: free it, by RCU
 */
struct bhlab_kind_ops {
	enum bhlab_kind kind;
	int (*init)(struct bhlab_object *obj);
	int (*kill)(struct bhlab_object *obj, bool force);
	u32 (*stop)(struct bhlab_object *obj);
	void (*release)(struct bhlab_object *obj);
};

/* The largest id; the system's queues are numbered above it. */
#define BHLAB_ID_MAX		(BHLAB_QUEUE_PERCPU - 1)

int bhlab_name_check(const char *name);
void bhlab_object_init(struct bhlab_object *obj, struct bhlab_lab *lab,
		       const struct bhlab_kind_ops *ops,
		       enum bhlab_resource resource, const char *name);
int bhlab_lab_add(struct bhlab_lab *lab, struct bhlab_object *obj);
void bhlab_object_publish(struct bhlab_object *obj);
void bhlab_object_abort(struct bhlab_object *obj);
struct bhlab_object *bhlab_lab_lookup(struct bhlab_lab *lab,
				      struct bhlab_lookup *cmd);
int bhlab_lab_next(struct bhlab_lab *lab, struct bhlab_lookup *cmd);
bool bhlab_object_reserves(struct bhlab_lab *lab, u32 id, const char *name);
int bhlab_lab_destroy(struct bhlab_lab *lab, u32 id);
void bhlab_lab_count(struct bhlab_lab *lab, u32 *nr);
u32 bhlab_objects_changes(void);
struct bhlab_object *bhlab_object_peek(struct bhlab_lab *lab, u32 id,
				       enum bhlab_kind kind);
struct bhlab_object *bhlab_object_get(struct bhlab_lab *lab, u32 id,
				      enum bhlab_kind kind);
void bhlab_object_put(struct bhlab_object *obj);
struct bhlab_object *bhlab_object_pin(struct bhlab_lab *lab, u32 id,
				      enum bhlab_kind kind);
void bhlab_object_unpin(struct bhlab_object *obj);
void bhlab_lab_stop(struct bhlab_lab *lab);
void bhlab_lab_free(struct bhlab_lab *lab, bool items);

#endif /* BHLAB_OBJECT_H */
