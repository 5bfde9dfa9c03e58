/* SPDX-License-Identifier: GPL-2.0-only */
/* Mechanisms: how items are activated, and so where they run. */
#ifndef BHLAB_MECH_H
#define BHLAB_MECH_H

#include <linux/bits.h>
#include <linux/types.h>

#include <linux/bhlab.h>

#include "user.h"
#include "mech/list.h"

struct bhlab_activation;
struct bhlab_item;

/**
 * struct bhlab_mech_ops - one mechanism
 * @id: enum bhlab_mech
 * @native, @emulated, @attrs: see struct bhlab_mech_info
 * @context: the context that the program is written for
 * @size: of the structure that embeds struct bhlab_item, at offset 0
 * @resource: what an item is charged as, beside BHLAB_RES_OBJECT
 * @takes_cpu: the kernel's call takes a CPU
 * @takes_queue: items may name a workqueue
 * @takes_thread: items may have a thread with its own program; the other program
 *	is the top half's
 * @takes_priority: items may set the priority of their thread
 * @last_flow: the highest enum bhlab_flow of its items
 * @merges: an activation that coalesces is accepted and counted as merged
 * @polls: items have a weight, and their programs may COMPLETE
 * @takes_period: items may have a period
 * @hard: it runs in a hard interrupt on PREEMPT_RT, too
 *
 * @absent: it is not to be had on this machine; NULL: it is
 * @context_here: the context on this kernel, if that can differ
 * @sync_cancels: @sync also cancels an activation
 * @after: the BHLAB_AFTER_* that the item needs between @stop and @free
 * @init: initialise it; may sleep
 * @stop: after @dead is set: cancel the pending activation, wait for the handler;
 *	may be NULL
 * @free: after @stop and @after; may be NULL
 *
 * Under item->lock, interrupts off:
 * @busy: it cannot be destroyed now
 * @admit: 0, or the errno with which an activation is refused
 * @queue: activate now
 * @delay: activate later; NULL: bhlab_delay_arm() does
 * @cancel: cancel the pending activation: 1, 0 if there is none, or -EBUSY if the
 *	kernel cannot now. NULL: the kernel can only cancel and wait
 * @disable: 1 if that cancelled an activation, 0, or an errno; with @sync, @sync
 *	follows
 * @enable: undo one @disable
 * @fire: end the mechanism's own delay now
 * @delayed: the pending activation is on a delay of the kernel's; NULL: only the
 *	kernel knows whether it has reached its queue
 * @complete: the poll that runs is complete
 * @period: raise the line @count times, @ns apart; or an errno
 * @deassert: deassert the line; 1 if that took back an activation, 0, or an errno;
 *	@asserted: it was
 * @end_period: stop that; true if there would have been more raises
 *
 * May sleep:
 * @sync: wait for a running handler; true if it has cancelled any activation that
 *	is still outstanding
 * @flush: wait for the last activation: WAITED or IDLE, or an errno
 * @returned: the last run has ended; wait until its handler has returned
 * @settle: find out what happened to activations that left no trace
 * @state: fill in the fields that only the mechanism knows
 */
struct bhlab_mech_ops {
	u32 id;
	u32 native;
	u32 emulated;
	u32 context;
	u32 attrs;
	size_t size;
	enum bhlab_resource resource;
	bool takes_cpu;
	bool takes_queue;
	bool takes_thread;
	bool takes_priority;
	u32 last_flow;
	bool merges;
	bool polls;
	bool takes_period;
	bool hard;
	bool sync_cancels;
	u32 after;

	bool (*absent)(void);
	u32 (*context_here)(void);
	int (*init)(struct bhlab_item *item);
	void (*stop)(struct bhlab_item *item);
	void (*free)(struct bhlab_item *item);

	bool (*busy)(struct bhlab_item *item);
	int (*admit)(struct bhlab_item *item,
		     const struct bhlab_activation *act);
	int (*queue)(struct bhlab_item *item,
		     const struct bhlab_activation *act);
	int (*delay)(struct bhlab_item *item,
		     const struct bhlab_activation *act);
	int (*cancel)(struct bhlab_item *item);
	int (*disable)(struct bhlab_item *item, bool sync, bool privileged);
	void (*enable)(struct bhlab_item *item);
	void (*fire)(struct bhlab_item *item);
	bool (*delayed)(struct bhlab_item *item);
	void (*complete)(struct bhlab_item *item);
	int (*period)(struct bhlab_item *item, u64 ns, u32 count);
	bool (*end_period)(struct bhlab_item *item);
	int (*deassert)(struct bhlab_item *item, bool *asserted);

	bool (*sync)(struct bhlab_item *item);
	int (*flush)(struct bhlab_item *item);
	void (*returned)(struct bhlab_item *item);
	void (*settle)(struct bhlab_item *item);
	void (*state)(struct bhlab_item *item, struct bhlab_item_state *st);
};

static inline bool bhlab_mech_has(const struct bhlab_mech_ops *ops,
				  enum bhlab_verb verb)
{
	return (ops->native | ops->emulated) & BIT(verb);
}

/* mech.c: the list */
BHLAB_MECHS(BHLAB_MECH_DECLARE)

const struct bhlab_mech_ops *bhlab_mech(u32 id);
const char *bhlab_mech_name(u32 id);
u32 bhlab_mech_context(const struct bhlab_mech_ops *ops);
bool bhlab_mech_absent(const struct bhlab_mech_ops *ops);

/* irq.c */
int bhlab_irq_probe(void);

#endif /* BHLAB_MECH_H */
