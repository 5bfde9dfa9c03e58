/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BHLAB_IRQ_SIM_H
#define BHLAB_IRQ_SIM_H

#include <linux/irqdomain.h>

/* The calls of the kernel's irq_sim, by the driver's own domain. */
struct irq_domain *bhlab_irq_domain_create_sim(struct fwnode_handle *fwnode,
					       unsigned int num_irqs);
void bhlab_irq_domain_remove_sim(struct irq_domain *domain);

#define irq_domain_create_sim	bhlab_irq_domain_create_sim
#define irq_domain_remove_sim	bhlab_irq_domain_remove_sim

#endif /* BHLAB_IRQ_SIM_H */
