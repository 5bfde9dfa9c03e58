// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which tasks a lab's records may name. An interrupt's record has the task that
 * was interrupted, so a lab could watch what others run, and when.
 *
 * Kernel threads are always named. A user's task is named if the opener of the
 * lab had CAP_PERFMON in the initial user namespace, or if the task has the
 * opener's real uid and is in the opener's PID namespace. Otherwise its pid is 0
 * and its name "-". A pid is the one in the opener's PID namespace, and 0 if the
 * task has none there, as kernel threads in a child.
 *
 * The monitor reads the same rings, and may see everything. So what a record
 * hides is kept beside the ring, in a slot for each record, valid as long as
 * that.
 */
#include <linux/pid_namespace.h>
#include <linux/string.h>

#include "limits.h"
#include "ring.h"
#include "who.h"

void bhlab_who_init(struct bhlab_who *who)
{
	who->uid = current_uid();
	who->ns = get_pid_ns(task_active_pid_ns(current));
	who->initial = who->ns == &init_pid_ns;
	who->sees_all = bhlab_has_cap(CAP_PERFMON);
}

void bhlab_who_free(struct bhlab_who *who)
{
	put_pid_ns(who->ns);
}

/* Before the record is committed, and like its body; see ring.c. */
static void bhlab_hidden_keep(struct bhlab_ring *ring,
			      const struct bhlab_event *e)
{
	u32 seq = ~e->seq;
	struct bhlab_hidden *hidden;

	hidden = bhlab_hidden_slot(ring, smp_processor_id(), seq);
	hidden->seq = seq;
	hidden->pid = e->pid;
	memcpy(hidden->comm, e->comm, sizeof(hidden->comm));
}

/* Out of line: most records hide nothing. */
noinline void bhlab_who_hide(const struct bhlab_who *who,
			     struct bhlab_ring *ring, struct bhlab_event *e)
{
	u32 pid = who->initial ? e->pid : task_pid_nr_ns(current, who->ns);
	bool named = who->sees_all || current->flags & PF_KTHREAD ||
		     (pid && bhlab_who_is_own(who));

	if (named && pid == e->pid)
		return;
	bhlab_hidden_keep(ring, e);
	e->pid = named ? pid : 0;
	if (!named)
		strscpy_pad(e->comm, "-", sizeof(e->comm));
}
