// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver's own interrupt controller: what irq_sim lacks for the kernel's flow
 * handlers for edges, levels and controllers that want an EOI. Each has one line.
 *
 * It latches one raise, and presents it, unless the line is masked, from a hard
 * irq_work: in hardirq context with interrupts off, on the CPU that raised or
 * unmasked the line. The flow handler answers by the callbacks of the chip, under
 * the lock of the line. They show what becomes of the interrupt, which is how it
 * can be counted. Only handle_simple_irq() calls none: there the top half reports
 * that it was called.
 *
 * A level line that is still asserted when its handler has returned is presented
 * again, which can go on for ever. So that is subject to the CPU's budget: while
 * it is spent, the line is held back until the next window.
 */
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/percpu.h>
#include <linux/timekeeping.h>

#include "budget.h"
#include "compat.h"
#include "irq_chip.h"

/**
 * struct bhlab_delivery - one interrupt that is being presented
 * @chip: whose it is
 * @was_disabled: the line was disabled before
 * @started: handle_simple_irq() has called the handler
 * @refused: handle_level_irq() has not called it
 * @merged: noted raises that found another one noted
 */
struct bhlab_delivery {
	struct bhlab_chip *chip;
	bool was_disabled;
	bool started;
	bool refused;
	u32 merged;
};

/* Interrupts are off from the beginning to the end of a delivery. */
static DEFINE_PER_CPU(struct bhlab_delivery *, bhlab_delivery);

/* The delivery of @chip in which this CPU is, or NULL. */
static struct bhlab_delivery *bhlab_delivery_of(const struct bhlab_chip *chip)
{
	struct bhlab_delivery *d = this_cpu_read(bhlab_delivery);

	return d && d->chip == chip ? d : NULL;
}

/* Present what there is to present, soon, on this CPU. */
static void bhlab_chip_kick(struct bhlab_chip *chip)
{
	lockdep_assert_held(&chip->lock);
	if ((chip->latched || chip->asserted) && !chip->masked && !chip->active)
		irq_work_queue(&chip->work);
}

/* The flow handler will handle it later; of several it keeps one. */
static void bhlab_chip_note(struct bhlab_chip *chip, struct bhlab_delivery *d)
{
	lockdep_assert_held(&chip->lock);
	d->merged += chip->noted;
	chip->noted = true;
}

static void bhlab_chip_mask(struct irq_data *data)
{
	struct bhlab_chip *chip = irq_data_get_irq_chip_data(data);
	struct bhlab_delivery *d = bhlab_delivery_of(chip);

	raw_spin_lock(&chip->lock);
	chip->masked = true;
	/* handle_fasteoi_irq() also masks a line that is IRQF_ONESHOT. */
	if (d && irqd_irq_disabled(data))
		bhlab_chip_note(chip, d);
	raw_spin_unlock(&chip->lock);
}

/* handle_edge_irq() unmasks the line before it handles what it has noted. */
static void bhlab_chip_unmask(struct irq_data *data)
{
	struct bhlab_chip *chip = irq_data_get_irq_chip_data(data);

	raw_spin_lock(&chip->lock);
	chip->masked = false;
	if (chip->noted && bhlab_delivery_of(chip)) {
		chip->noted = false;
		chip->nr_replayed++;
	}
	bhlab_chip_kick(chip);
	raw_spin_unlock(&chip->lock);
}

/* The latch was cleared when the interrupt was presented. */
static void bhlab_chip_ack(struct irq_data *data)
{
}

/* handle_edge_irq() has noted it, since it cannot call the handler now. */
static void bhlab_chip_mask_ack_edge(struct irq_data *data)
{
	struct bhlab_chip *chip = irq_data_get_irq_chip_data(data);
	struct bhlab_delivery *d = bhlab_delivery_of(chip);

	raw_spin_lock(&chip->lock);
	chip->masked = true;
	if (d)
		bhlab_chip_note(chip, d);
	raw_spin_unlock(&chip->lock);
}

/* handle_level_irq() always masks first. */
static void bhlab_chip_mask_ack_level(struct irq_data *data)
{
	struct bhlab_chip *chip = irq_data_get_irq_chip_data(data);
	struct bhlab_delivery *d = bhlab_delivery_of(chip);

	raw_spin_lock(&chip->lock);
	chip->masked = true;
	chip->active = false;
	if (d)
		d->refused = irqd_irq_disabled(data) || irqd_irq_inprogress(data);
	raw_spin_unlock(&chip->lock);
}

static void bhlab_chip_eoi(struct irq_data *data)
{
	struct bhlab_chip *chip = irq_data_get_irq_chip_data(data);

	raw_spin_lock(&chip->lock);
	chip->active = false;
	bhlab_chip_kick(chip);
	raw_spin_unlock(&chip->lock);
}

/* The line is enabled, and the flow handler has noted an interrupt. */
static int bhlab_chip_retrigger(struct irq_data *data)
{
	struct bhlab_chip *chip = irq_data_get_irq_chip_data(data);

	raw_spin_lock(&chip->lock);
	if (chip->noted && chip->latched)
		chip->folded++;
	chip->nr_replayed += chip->noted;
	chip->noted = false;
	chip->latched = true;
	bhlab_chip_kick(chip);
	raw_spin_unlock(&chip->lock);
	return 1;
}

static int bhlab_chip_set_type(struct irq_data *data, unsigned int type)
{
	const struct bhlab_chip *chip = irq_data_get_irq_chip_data(data);
	unsigned int known = chip->flow == BHLAB_FLOW_LEVEL ? IRQ_TYPE_LEVEL_HIGH :
							       IRQ_TYPE_EDGE_RISING;

	return type == known ? IRQ_SET_MASK_OK : -EINVAL;
}

/* What a flow handler calls differs, and so does what they do to a line. */
static const struct {
	irq_flow_handler_t handler;
	struct irq_chip chip;
} bhlab_flows[] = {
	[BHLAB_FLOW_SIMPLE] = { handle_simple_irq, {
		.name = "bhlab_simple",
		.irq_mask = bhlab_chip_mask,
		.irq_unmask = bhlab_chip_unmask,
		.irq_retrigger = bhlab_chip_retrigger,
		.irq_set_type = bhlab_chip_set_type,
	} },
	[BHLAB_FLOW_EDGE] = { handle_edge_irq, {
		.name = "bhlab_edge",
		.irq_ack = bhlab_chip_ack,
		.irq_mask = bhlab_chip_mask,
		.irq_mask_ack = bhlab_chip_mask_ack_edge,
		.irq_unmask = bhlab_chip_unmask,
		.irq_retrigger = bhlab_chip_retrigger,
		.irq_set_type = bhlab_chip_set_type,
	} },
	[BHLAB_FLOW_LEVEL] = { handle_level_irq, {
		.name = "bhlab_level",
		.irq_mask = bhlab_chip_mask,
		.irq_mask_ack = bhlab_chip_mask_ack_level,
		.irq_unmask = bhlab_chip_unmask,
		.irq_set_type = bhlab_chip_set_type,
	} },
	[BHLAB_FLOW_FASTEOI] = { handle_fasteoi_irq, {
		.name = "bhlab_fasteoi",
		.irq_mask = bhlab_chip_mask,
		.irq_unmask = bhlab_chip_unmask,
		.irq_eoi = bhlab_chip_eoi,
		.irq_retrigger = bhlab_chip_retrigger,
		.irq_set_type = bhlab_chip_set_type,
	} },
};

/*
 * Take what there is to present. A level line that is presented although nobody
 * has raised it again is held back while the CPU's budget is spent.
 */
static bool bhlab_chip_take(struct bhlab_chip *chip, bool *repeat)
{
	unsigned long flags;
	bool taken = false;
	u64 wait;

	raw_spin_lock_irqsave(&chip->lock, flags);
	if (chip->masked || chip->active || !(chip->latched || chip->asserted))
		goto out;
	*repeat = !chip->latched;
	wait = *repeat ? bhlab_budget_wait_here() : 0;
	if (wait) {
		hrtimer_start(&chip->hold, ns_to_ktime(wait),
			      HRTIMER_MODE_REL_PINNED_HARD);
		goto out;
	}
	chip->nr_repeated += *repeat;
	chip->latched = false;
	chip->active = chip->flow == BHLAB_FLOW_LEVEL ||
		       chip->flow == BHLAB_FLOW_FASTEOI;
	taken = true;
out:
	raw_spin_unlock_irqrestore(&chip->lock, flags);
	return taken;
}

/* The flow handler has returned: what has become of the interrupt? */
static void bhlab_chip_delivered(struct bhlab_chip *chip, struct bhlab_delivery *d)
{
	unsigned long flags;
	u32 merged, lost = 0;

	raw_spin_lock_irqsave(&chip->lock, flags);
	if (chip->flow == BHLAB_FLOW_SIMPLE && !d->started) {
		if (d->was_disabled)
			bhlab_chip_note(chip, d);
		else
			lost = !chip->forced;
	} else if (d->refused && chip->asserted && !chip->latched) {
		chip->latched = true;
		chip->nr_latched++;
		bhlab_chip_kick(chip);
	} else if (d->refused) {
		lost = 1;
	}
	merged = d->merged + chip->folded;
	chip->folded = 0;
	raw_spin_unlock_irqrestore(&chip->lock, flags);
	if (merged || lost)
		chip->ops->account(chip, merged, lost);
}

static void bhlab_chip_present(struct irq_work *work)
{
	struct bhlab_chip *chip = container_of(work, struct bhlab_chip, work);
	struct bhlab_delivery d = { .chip = chip };
	bool repeat;

	if (!bhlab_chip_take(chip, &repeat))
		return;
	if (repeat)
		chip->ops->repeat(chip);
	d.was_disabled = irqd_irq_disabled(irq_get_irq_data(chip->virq));
	this_cpu_write(bhlab_delivery, &d);
	generic_handle_irq(chip->virq);
	this_cpu_write(bhlab_delivery, NULL);
	bhlab_chip_delivered(chip, &d);
}

static enum hrtimer_restart bhlab_chip_hold_fn(struct hrtimer *timer)
{
	struct bhlab_chip *chip = container_of(timer, struct bhlab_chip, hold);
	u64 entered = ktime_get_mono_fast_ns();

	irq_work_queue(&chip->work);
	bhlab_budget_charge_since(entered);
	return HRTIMER_NORESTART;
}

/* handle_simple_irq() has called the line's handler. */
void bhlab_chip_started(struct bhlab_chip *chip)
{
	struct bhlab_delivery *d = bhlab_delivery_of(chip);

	if (d)
		d->started = true;
}

/* False if the raise shares the run of an earlier one. */
bool bhlab_chip_raise(struct bhlab_chip *chip)
{
	unsigned long flags;
	bool news;

	raw_spin_lock_irqsave(&chip->lock, flags);
	news = !chip->latched && !chip->asserted;
	if (news) {
		chip->latched = true;
		chip->nr_latched += chip->masked || chip->active;
	}
	chip->asserted = chip->flow == BHLAB_FLOW_LEVEL;
	bhlab_chip_kick(chip);
	raw_spin_unlock_irqrestore(&chip->lock, flags);
	return news;
}

/* True if that took back a raise. */
bool bhlab_chip_cancel(struct bhlab_chip *chip)
{
	unsigned long flags;
	bool taken;

	raw_spin_lock_irqsave(&chip->lock, flags);
	taken = chip->latched;
	chip->latched = false;
	raw_spin_unlock_irqrestore(&chip->lock, flags);
	return taken;
}

/* The same for a level line; @asserted: it was. */
bool bhlab_chip_deassert(struct bhlab_chip *chip, bool *asserted)
{
	unsigned long flags;
	bool taken;

	raw_spin_lock_irqsave(&chip->lock, flags);
	*asserted = chip->asserted;
	taken = chip->latched;
	chip->asserted = false;
	chip->latched = false;
	raw_spin_unlock_irqrestore(&chip->lock, flags);
	return taken;
}

/*
 * The line is enabled, and at rest: what seemed to be noted was lost, since the
 * line was enabled a moment before the flow handler looked.
 */
void bhlab_chip_rest(struct bhlab_chip *chip)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&chip->lock, flags);
	chip->noted = false;
	raw_spin_unlock_irqrestore(&chip->lock, flags);
}

/*
 * Nothing raises the line any more. Afterwards nothing new is presented. A handler
 * or a thread may still run; so may bhlab_chip_present(), since it can run on two
 * CPUs, and irq_work_sync() waits for one of them. So a grace period has to come
 * before bhlab_chip_remove().
 */
void bhlab_chip_stop(struct bhlab_chip *chip)
{
	bool asserted;

	bhlab_chip_deassert(chip, &asserted);
	hrtimer_cancel(&chip->hold);
	irq_work_sync(&chip->work);
}

void bhlab_chip_state(struct bhlab_chip *chip, struct bhlab_item_state *st)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&chip->lock, flags);
	st->out_state |= (chip->asserted ? BHLAB_STATE_ASSERTED : 0) |
			 (chip->masked ? BHLAB_STATE_MASKED : 0);
	st->out_latched = chip->nr_latched;
	st->out_replayed = chip->nr_replayed;
	st->out_repeated = chip->nr_repeated;
	raw_spin_unlock_irqrestore(&chip->lock, flags);
}

static int bhlab_chip_map(struct irq_domain *domain, unsigned int virq,
			  irq_hw_number_t hwirq)
{
	struct bhlab_chip *chip = domain->host_data;

	irq_set_chip_data(virq, chip);
	irq_set_chip_and_handler(virq, &bhlab_flows[chip->flow].chip,
				 bhlab_flows[chip->flow].handler);
	irq_modify_status(virq, IRQ_NOREQUEST | IRQ_NOAUTOEN, IRQ_NOPROBE);
	return 0;
}

static void bhlab_chip_unmap(struct irq_domain *domain, unsigned int virq)
{
	irq_set_handler(virq, NULL);
	irq_domain_reset_irq_data(irq_domain_get_irq_data(domain, virq));
}

static const struct irq_domain_ops bhlab_chip_domain_ops = {
	.map = bhlab_chip_map,
	.unmap = bhlab_chip_unmap,
};

int bhlab_chip_create(struct bhlab_chip *chip, u32 flow, bool forced,
		      const struct bhlab_chip_ops *ops)
{
	chip->ops = ops;
	chip->flow = flow;
	chip->forced = forced;
	chip->masked = true;
	raw_spin_lock_init(&chip->lock);
	chip->work = IRQ_WORK_INIT_HARD(bhlab_chip_present);
	hrtimer_setup(&chip->hold, bhlab_chip_hold_fn, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_PINNED_HARD);
	chip->domain = irq_domain_create_linear(NULL, 1, &bhlab_chip_domain_ops, chip);
	if (!chip->domain)
		return -ENOMEM;
	chip->virq = irq_create_mapping(chip->domain, 0);
	if (chip->virq)
		return 0;
	irq_domain_remove(chip->domain);
	return -ENOMEM;
}

void bhlab_chip_remove(struct bhlab_chip *chip)
{
	irq_dispose_mapping(chip->virq);
	irq_domain_remove(chip->domain);
}
