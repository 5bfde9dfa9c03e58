/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BHLAB_LIMITS_H
#define BHLAB_LIMITS_H

/*
 * What one user may take of the machine. All are module parameters, read only
 * once the module is loaded, so that a check stays true after it was made.
 */
struct bhlab_limits {
	unsigned int labs;
	unsigned int items;
	unsigned int irqs;
	unsigned int queues;
	unsigned int threads;
	unsigned int fifos;
	unsigned int steps;
	unsigned int ring_bytes;
	unsigned long atomic_ns;
	unsigned long atomic_cap_ns;
	unsigned long process_ns;
	unsigned long lab_ns;
	unsigned long period_ns;
	unsigned int chain;
	unsigned int budget_percent;
	unsigned int process_percent;
};

extern struct bhlab_limits bhlab_limits;

int bhlab_limits_check(void);

#endif /* BHLAB_LIMITS_H */
