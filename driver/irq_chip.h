/* SPDX-License-Identifier: GPL-2.0-only */
/* The driver's own interrupt controller, with the kernel's flow handlers. */
#ifndef BHLAB_IRQ_CHIP_H
#define BHLAB_IRQ_CHIP_H

#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/irqdomain.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <linux/bhlab.h>

struct bhlab_chip;

/**
 * struct bhlab_chip_ops - who is told what the controller did
 * @repeat: it raises the interrupt of a level line once more
 * @account: so many of the raises that it accepted were merged, and so many lost
 *
 * Both are called with interrupts off, and without locks.
 */
struct bhlab_chip_ops {
	void (*repeat)(struct bhlab_chip *chip);
	void (*account)(struct bhlab_chip *chip, u32 merged, u32 lost);
};

/**
 * struct bhlab_chip - a controller with one line
 * @ops: who is told
 * @domain, @virq: its domain, and the number of its line
 * @flow: enum bhlab_flow, not BHLAB_FLOW_SIM
 * @forced: the kernel calls the top half in a thread, so that does not tell that
 *	the flow handler has accepted an interrupt
 * @work: presents the interrupt on the CPU that queues it
 * @hold: queues @work when the CPU has a budget again
 * @lock: protects all that follows; a leaf, inside of the line's own lock
 * @asserted: the level line is
 * @latched: there is a raise that has not been presented yet
 * @masked: nothing is presented
 * @active: a presented interrupt of a level or fasteoi line has not been masked,
 *	or not been ended, yet; nothing is presented
 * @noted: the flow handler has noted a raise, to handle it later
 * @folded: noted raises that found another one latched when they were replayed
 * @nr_latched, @nr_replayed, @nr_repeated: see struct bhlab_item_state
 */
struct bhlab_chip {
	const struct bhlab_chip_ops *ops;
	struct irq_domain *domain;
	unsigned int virq;
	u32 flow;
	bool forced;
	struct irq_work work;
	struct hrtimer hold;
	raw_spinlock_t lock;
	bool asserted;
	bool latched;
	bool masked;
	bool active;
	bool noted;
	u32 folded;
	u64 nr_latched;
	u64 nr_replayed;
	u64 nr_repeated;
};

int bhlab_chip_create(struct bhlab_chip *chip, u32 flow, bool forced,
		      const struct bhlab_chip_ops *ops);
bool bhlab_chip_raise(struct bhlab_chip *chip);
bool bhlab_chip_deassert(struct bhlab_chip *chip, bool *asserted);
bool bhlab_chip_cancel(struct bhlab_chip *chip);
void bhlab_chip_started(struct bhlab_chip *chip);
void bhlab_chip_rest(struct bhlab_chip *chip);
void bhlab_chip_state(struct bhlab_chip *chip, struct bhlab_item_state *st);
void bhlab_chip_stop(struct bhlab_chip *chip);
void bhlab_chip_remove(struct bhlab_chip *chip);

#endif /* BHLAB_IRQ_CHIP_H */
