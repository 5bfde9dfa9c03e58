// SPDX-License-Identifier: GPL-2.0-only
/*
 * A simulated interrupt controller for kernels without CONFIG_IRQ_SIM. Its
 * interface and, as far as a driver can see it, its behaviour are those of the
 * kernel's: raising a line sets its pending bit and dispatches it from a hard
 * irq_work on the CPU that raised it; raising a masked line does nothing; raises
 * while the bit is set are one.
 *
 * A domain of bhlab has only one line, so this has no more.
 */
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irq_work.h>
#include <linux/slab.h>

#include "irq_sim.h"

struct bhlab_sim {
	struct irq_work work;
	struct irq_domain *domain;
	unsigned long pending;
	bool enabled;
};

static void bhlab_sim_mask(struct irq_data *data)
{
	struct bhlab_sim *sim = irq_data_get_irq_chip_data(data);

	sim->enabled = false;
}

static void bhlab_sim_unmask(struct irq_data *data)
{
	struct bhlab_sim *sim = irq_data_get_irq_chip_data(data);

	sim->enabled = true;
}

static int bhlab_sim_set_type(struct irq_data *data, unsigned int type)
{
	if (type & ~IRQ_TYPE_EDGE_BOTH)
		return -EINVAL;
	irqd_set_trigger_type(data, type);
	return 0;
}

static int bhlab_sim_get_state(struct irq_data *data,
			       enum irqchip_irq_state which, bool *state)
{
	struct bhlab_sim *sim = irq_data_get_irq_chip_data(data);

	if (which != IRQCHIP_STATE_PENDING)
		return -EINVAL;
	if (sim->enabled)
		*state = test_bit(0, &sim->pending);
	return 0;
}

static int bhlab_sim_set_state(struct irq_data *data,
			       enum irqchip_irq_state which, bool state)
{
	struct bhlab_sim *sim = irq_data_get_irq_chip_data(data);

	if (which != IRQCHIP_STATE_PENDING)
		return -EINVAL;
	if (!sim->enabled)
		return 0;
	assign_bit(0, &sim->pending, state);
	if (state)
		irq_work_queue(&sim->work);
	return 0;
}

static struct irq_chip bhlab_sim_chip = {
	.name = "bhlab_irq_sim",
	.irq_mask = bhlab_sim_mask,
	.irq_unmask = bhlab_sim_unmask,
	.irq_set_type = bhlab_sim_set_type,
	.irq_get_irqchip_state = bhlab_sim_get_state,
	.irq_set_irqchip_state = bhlab_sim_set_state,
};

static void bhlab_sim_dispatch(struct irq_work *work)
{
	struct bhlab_sim *sim = container_of(work, struct bhlab_sim, work);

	while (test_and_clear_bit(0, &sim->pending))
		generic_handle_domain_irq(sim->domain, 0);
}

static int bhlab_sim_map(struct irq_domain *domain, unsigned int virq,
			 irq_hw_number_t hwirq)
{
	irq_set_chip_data(virq, domain->host_data);
	irq_set_chip_and_handler(virq, &bhlab_sim_chip, handle_simple_irq);
	irq_modify_status(virq, IRQ_NOREQUEST | IRQ_NOAUTOEN, IRQ_NOPROBE);
	return 0;
}

static void bhlab_sim_unmap(struct irq_domain *domain, unsigned int virq)
{
	irq_set_handler(virq, NULL);
	irq_domain_reset_irq_data(irq_domain_get_irq_data(domain, virq));
}

static const struct irq_domain_ops bhlab_sim_ops = {
	.map = bhlab_sim_map,
	.unmap = bhlab_sim_unmap,
};

struct irq_domain *bhlab_irq_domain_create_sim(struct fwnode_handle *fwnode,
					       unsigned int num_irqs)
{
	struct bhlab_sim *sim;

	if (num_irqs != 1)
		return ERR_PTR(-EINVAL);
	sim = kzalloc(sizeof(*sim), GFP_KERNEL);
	if (!sim)
		return ERR_PTR(-ENOMEM);
	sim->work = IRQ_WORK_INIT_HARD(bhlab_sim_dispatch);
	sim->domain = irq_domain_create_linear(fwnode, 1, &bhlab_sim_ops, sim);
	if (!sim->domain) {
		kfree(sim);
		return ERR_PTR(-ENOMEM);
	}
	return sim->domain;
}

void bhlab_irq_domain_remove_sim(struct irq_domain *domain)
{
	struct bhlab_sim *sim = domain->host_data;

	irq_work_sync(&sim->work);
	irq_domain_remove(domain);
	kfree(sim);
}
