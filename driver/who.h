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
 * struct bhlab_who - which tasks a lab's records may name; decided by open()
 * @uid: the opener's
 * @ns: his PID namespace, with a reference
 * @initial: that is the initial one
 * @sees_all: he had CAP_PERFMON in the initial user namespace
 */
struct bhlab_who {
	kuid_t uid;
	struct pid_namespace *ns;
	bool initial;
	bool sees_all;
};

/**
 * struct bhlab_hidden - what a record does not tell its lab
 * @seq: of the record that this is about; another one's says all that there is
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

/* Nothing has to be hidden from who may know all that there is to know. */
static inline bool bhlab_who_may_hide(const struct bhlab_who *who)
{
	return !who->sees_all || !who->initial;
}

/*
 * Without a lock, since an interrupt may be in the way of any. The task's own
 * credentials cannot go while it is the current one.
 */
static __always_inline bool bhlab_who_is_own(const struct bhlab_who *who)
{
	return uid_eq(current_real_cred()->uid, who->uid);
}

/* The record is as it is for who sees all; make it what this one may see. */
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
