/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs: handlers that are data. */
#ifndef BHLAB_PROGRAM_H
#define BHLAB_PROGRAM_H

#include <linux/bits.h>
#include <linux/types.h>

#include <linux/bhlab.h>

struct bhlab_item;
struct bhlab_lab;
struct bhlab_mech_ops;

/**
 * struct bhlab_program - a checked program
 * @nr: its length
 * @busy_ns: how long it spins in all
 * @charge_max: CPU time that one run needs at most, without waits for locks
 * @process_ns: how long it spins, sleeps and waits, if it runs in process context
 * @lingers: it sleeps or waits, or spins for longer than atomic_ns
 * @mutexes: those that it takes, by the slots of their locks
 * @steps: as user space passed them
 */
struct bhlab_program {
	u32 nr;
	u64 busy_ns;
	u64 charge_max;
	u64 process_ns;
	bool lingers;
	u8 mutexes;
	struct bhlab_step steps[];
};

u32 bhlab_program_place(const struct bhlab_mech_ops *ops, bool bh, bool thread);
struct bhlab_program *bhlab_program_read(struct bhlab_item *item,
					 struct bhlab_item_create *cmd,
					 bool thread);
int bhlab_program_refuse(struct bhlab_item_create *cmd,
			 enum bhlab_program_why why, u32 step);
void bhlab_program_free(struct bhlab_lab *lab, struct bhlab_program *program);
int bhlab_program_copy(const struct bhlab_program *program,
		       struct bhlab_item_program *cmd);

#endif /* BHLAB_PROGRAM_H */
