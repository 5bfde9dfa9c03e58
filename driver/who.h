/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BHLAB_WHO_H
#define BHLAB_WHO_H

#include <linux/cred.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/uidgid.h>

#include <linux/bhlab.h>

struct bhlab_ring;
struct pid_namespace;

/**
 * struct bhlab_who - which tasks a lab's records may name; decided at open()
 * @uid: the opener's
 * @ns: the opener's PID namespace, with a reference
 * @initial: @ns is the initial one
 * @sees_all: the opener had CAP_PERFMON in the initial user namespace
 */
struct bhlab_who {
	kuid_t uid;
	struct pid_namespace *ns;
	bool initial;
	bool sees_all;
};

/**
 * struct bhlab_hidden - the part of a record that its lab may not see
 * @seq: of the record that this belongs to; others hide nothing
 * @pid, @comm: as struct bhlab_event would have them
 */
struct bhlab_hidden {
	u32 seq;
	u32 pid;
	char comm[sizeof_field(struct bhlab_event, comm)];
};

void bhlab_who_init(struct bhlab_who *who);
void bhlab_who_free(struct bhlab_who *who);
void bhlab_who_hide(const struct bhlab_who *who, struct bhlab_ring *ring,
		    struct bhlab_event *e);

/* Nothing is hidden from an opener that may see everything. */
static inline bool bhlab_who_may_hide(const struct bhlab_who *who)
{
	return !who->sees_all || !who->initial;
}

/*
 * Lockless, since an interrupt may come anywhere. The credentials of the current
 * task cannot go away.
 */
static __always_inline bool bhlab_who_is_own(const struct bhlab_who *who)
{
	return uid_eq(current_real_cred()->uid, who->uid);
}

/* The record is complete: reduce it to what this opener may see. */
static __always_inline void bhlab_who_filter(const struct bhlab_who *who,
					     struct bhlab_ring *ring,
					     struct bhlab_event *e)
{
	if (who->initial && (who->sees_all || current->flags & PF_KTHREAD ||
			     bhlab_who_is_own(who)))
		return;
	bhlab_who_hide(who, ring, e);
}

#endif /* BHLAB_WHO_H */
