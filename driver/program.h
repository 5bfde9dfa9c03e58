/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs: handlers that are data. */
#ifndef BHLAB_PROGRAM_H
#define BHLAB_PROGRAM_H

#include <linux/bits.h>
#include <linux/types.h>

#include <linux/bhlab.h>

struct bhlab_item;
struct bhlab_lab;

/**
 * struct bhlab_program - a checked program
 * @nr: its length
 * @open: while it is checked: the bracket that is never closed
 * @busy_ns: how long it spins in all
 * @charge_max: the most that one run needs a CPU for, but for locks
 * @process_ns: how long it spins and sleeps, if it is for process context
 * @lingers: it sleeps, or spins for longer than atomic_ns
 * @steps: as the user gave them
 */
struct bhlab_program {
	u32 nr;
	u32 open;
	u64 busy_ns;
	u64 charge_max;
	u64 process_ns;
	bool lingers;
	struct bhlab_step steps[];
};

/* Steps for any context, for a softirq as well, and for process context. */
#define BHLAB_STEPS_ANY							\
	(BIT(BHLAB_OP_SPIN) | BIT(BHLAB_OP_QUEUE) | BIT(BHLAB_OP_DELAY) |	\
	 BIT(BHLAB_OP_TRIGGER) | BIT(BHLAB_OP_MARK) |			\
	 BIT(BHLAB_OP_CANCEL) | BIT(BHLAB_OP_DISABLE) |			\
	 BIT(BHLAB_OP_ENABLE) | BIT(BHLAB_OP_LOCK) |			\
	 BIT(BHLAB_OP_UNLOCK) | BIT(BHLAB_OP_PUSH) | BIT(BHLAB_OP_POP))
#define BHLAB_STEPS_SOFTIRQ						\
	(BHLAB_STEPS_ANY | BIT(BHLAB_OP_IRQ_OFF) | BIT(BHLAB_OP_IRQ_ON))
#define BHLAB_STEPS_TASK						\
	(BHLAB_STEPS_SOFTIRQ | BIT(BHLAB_OP_SLEEP) |			\
	 BIT(BHLAB_OP_BH_OFF) | BIT(BHLAB_OP_BH_ON))

struct bhlab_program *bhlab_program_read(struct bhlab_item *item,
					 const struct bhlab_item_create *cmd,
					 bool thread, u32 *bad);
void bhlab_program_free(struct bhlab_lab *lab, struct bhlab_program *program);
int bhlab_program_copy(const struct bhlab_program *program,
		       struct bhlab_item_program *cmd);

#endif /* BHLAB_PROGRAM_H */
