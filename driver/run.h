/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs: what every handler does before and after its program. */
#ifndef BHLAB_RUN_H
#define BHLAB_RUN_H

#include <linux/compiler.h>
#include <linux/minmax.h>
#include <linux/smp.h>
#include <linux/types.h>

#include "budget.h"
#include "item.h"
#include "lab.h"
#include "program.h"

struct bhlab_share;

/**
 * struct bhlab_run - one run of a program, from its start to its end
 * @slept: the part of its time in which it did not use the CPU
 * @waited: the part of its time in which it spun for locks
 * @share: charged for it in process context, outside of brackets; NULL: not
 *	limited
 * @shared: the part of its time that is charged to @share already
 * @awaited: the part of its time in which it waited for others
 * @brackets: open brackets (bh_off, irq_off, locks)
 * @mutexes: those among them, by the slots of their locks
 * @bracketed: when the outermost was opened, less @slept at that time
 * @unopened: skipped brackets that it is in
 * @omit: the next step is not for this run
 * @omitting: the brackets that it is in were not
 * @charged: all of it is charged to the CPU's budget
 * @spent: that budget is spent: only open brackets are still closed
 * @irq_flags: saved by irq_off, which does not nest, for irq_on
 * @skipped: steps, of which a program has 1024 at most
 * @quota: of a poll: the part of its weight that is left
 * @completed: a poll: the kernel knows that it is complete
 * @over: a poll whose weight was used up where it would have completed: the rest of
 *	the program is for the last poll
 * @wake_thread, @none: what the steps of a top half decided
 */
struct bhlab_run {
	struct bhlab_item *item;
	const struct bhlab_program *program;
	struct bhlab_stamp stamp;
	u64 started;
	u64 slept;
	u64 waited;
	struct bhlab_share *share;
	u64 shared;
	u64 awaited;
	u64 bracketed;
	unsigned long irq_flags;
	u32 nth;
	u16 cpu;
	u16 context;
	u16 softirq;
	u16 flags;
	u16 skipped;
	u16 unopened;
	u16 quota;
	u8 brackets;
	u8 mutexes;
	u8 stage;
	bool omit;
	bool omitting;
	bool charged;
	bool spent;
	bool wake_thread;
	bool none;
	bool completed;
	bool over;
};

static inline bool bhlab_run_ended(const struct bhlab_run *run)
{
	return READ_ONCE(run->item->dead) ||
	       READ_ONCE(run->item->obj.lab->dying);
}

/*
 * Charge no more than the program can have used: an interrupt or the host may
 * have taken the rest of the time.
 */
static inline void bhlab_run_charge(const struct bhlab_run *run, u64 end, u64 ns)
{
	WRITE_ONCE(run->item->ran_on, raw_smp_processor_id());
	bhlab_budget_charge(end, min(ns, run->program->charge_max + run->waited));
}

typedef bool bhlab_due_t(struct bhlab_item *item);

bool bhlab_run_begin(struct bhlab_run *run, struct bhlab_item *item,
		     u64 entered, u64 since);
void bhlab_run_start(struct bhlab_run *run, u64 entered);
void bhlab_run_end(struct bhlab_run *run);
void bhlab_item_run(struct bhlab_item *item);
void bhlab_item_run_due(struct bhlab_item *item, bhlab_due_t *due);
bool bhlab_run_wants_more(const struct bhlab_run *run);

#endif /* BHLAB_RUN_H */
