// SPDX-License-Identifier: GPL-2.0-only
/*
 * irq: the only line of an irq_sim domain, or of a controller of the driver's own
 * (irq_chip.c) with one of the kernel's flow handlers. The top half runs in
 * hardirq context on the CPU that raised the line (on RT, and with threadirqs, in
 * the line's thread). The thread, if there is one, runs in irq/N.
 *
 * Each line has its own domain: irq_sim does not wrap its search for pending
 * bits, so a line that is raised while a higher one is handled would hang the
 * CPU.
 *
 * With irq_sim a raise can share a run with another (the pending bit was set), or
 * be lost (the handler was running: handle_simple_irq() drops it). Neither leaves
 * a trace. So raises that did not run are known only at rest, and are counted as
 * merged then. The driver's own controller sees both. There only wakes of a
 * forced thread that share a run are left to count at rest.
 */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/sched/signal.h>
#include <linux/rcupdate.h>

#include "compat.h"
#include "delay.h"
#include "irq_chip.h"
#include "item.h"
#include "lab.h"
#include "object.h"
#include "record.h"
#include "run.h"
#include "stamp.h"
#include "step.h"
#include "user.h"
#include "mech/mech.h"
#include "mech/period.h"

/* A domain, of irq_sim or of a controller of the driver's own, and its only line. */
struct bhlab_line {
	struct irq_domain *domain;
	unsigned int virq;
};

/**
 * struct bhlab_irq - an item of mechanism irq
 * @item: the item
 * @line: what it is requested for
 * @chip: the controller, unless it is irq_sim
 * @action: the line's name in /proc/interrupts
 * @period: the trigger with a period
 * @top_end: when the last top half ended; only the top half touches this
 * @replay: it was enabled with raises outstanding, so the kernel may replay one
 *	from its own tasklet; this and all that follows is under item.lock
 * @thread_stamp: when the last top half asked for the thread
 * @thread_wakes: see struct bhlab_item_state
 * @thread_runs: see struct bhlab_item_state
 * @thread_merged: see struct bhlab_item_state
 */
struct bhlab_irq {
	struct bhlab_item item;
	struct bhlab_line line;
	struct bhlab_chip chip;
	char action[BHLAB_NAME_LEN + 16];
	struct bhlab_period period;
	u64 top_end;
	bool replay;
	struct bhlab_stamp thread_stamp;
	u64 thread_wakes;
	u64 thread_runs;
	u64 thread_merged;
};

static struct bhlab_irq *to_irq(struct bhlab_item *item)
{
	return container_of(item, struct bhlab_irq, item);
}

static bool bhlab_irq_is_sim(const struct bhlab_irq *irq)
{
	return irq->item.flow == BHLAB_FLOW_SIM;
}

static bool bhlab_irq_asserted(const struct bhlab_irq *irq)
{
	return !bhlab_irq_is_sim(irq) && READ_ONCE(irq->chip.asserted);
}

/* Raised, and on its way to the flow handler. */
static bool bhlab_irq_pending(struct bhlab_irq *irq)
{
	bool pending = false;

	if (!bhlab_irq_is_sim(irq))
		return READ_ONCE(irq->chip.latched);
	/* irq_sim leaves @pending alone while the line is masked. */
	irq_get_irqchip_state(irq->line.virq, IRQCHIP_STATE_PENDING, &pending);
	return pending;
}

/* The thread's activation starts where the top half asks for it. */
static void bhlab_irq_wake(struct bhlab_irq *irq)
{
	const struct bhlab_activation act = {};
	unsigned long flags;

	flags = bhlab_item_lock(&irq->item);
	bhlab_stamp_now(&irq->thread_stamp, &act);
	irq->thread_wakes++;
	bhlab_item_unlock(&irq->item, flags);
}

/* May raises have left their stamps behind? */
static bool bhlab_irq_forgets(const struct bhlab_irq *irq)
{
	return bhlab_irq_is_sim(irq) || irq->chip.forced;
}

static irqreturn_t bhlab_irq_top(int virq, void *data)
{
	u64 entered = bhlab_record_clock();
	struct bhlab_irq *irq = data;
	struct bhlab_run run = {
		.stage = BHLAB_STAGE_TOP,
		.program = irq->item.program,
	};

	if (!bhlab_irq_is_sim(irq))
		bhlab_chip_started(&irq->chip);
	if (!bhlab_run_begin(&run, &irq->item, entered,
			     bhlab_irq_forgets(irq) ? irq->top_end : 0))
		return IRQ_HANDLED;
	bhlab_program_run(&run);
	if (run.wake_thread)
		bhlab_irq_wake(irq);
	bhlab_run_end(&run);
	irq->top_end = bhlab_record_clock();
	if (run.none)
		return IRQ_NONE;
	return run.wake_thread ? IRQ_WAKE_THREAD : IRQ_HANDLED;
}

static irqreturn_t bhlab_irq_thread(int virq, void *data)
{
	u64 entered = bhlab_record_clock();
	struct bhlab_irq *irq = data;
	struct bhlab_run run = {
		.item = &irq->item,
		.stage = BHLAB_STAGE_THREAD,
		.program = irq->item.thread_program,
	};
	unsigned long flags;

	flags = bhlab_item_lock(&irq->item);
	run.stamp = irq->thread_stamp;
	run.nth = ++irq->thread_runs;
	atomic_inc(&irq->item.running);
	bhlab_item_unlock(&irq->item, flags);

	bhlab_run_start(&run, entered);
	bhlab_program_run(&run);
	bhlab_run_end(&run);
	return IRQ_HANDLED;
}

static unsigned long bhlab_irq_flags(const struct bhlab_irq *irq)
{
	unsigned long oneshot = irq->item.flags & BHLAB_ITEM_ONESHOT ?
				IRQF_ONESHOT : 0;

	switch (irq->item.flow) {
	case BHLAB_FLOW_SIM:
		return oneshot;
	case BHLAB_FLOW_LEVEL:
		return oneshot | IRQF_TRIGGER_HIGH;
	default:
		return oneshot | IRQF_TRIGGER_RISING;
	}
}

static int bhlab_irq_request(struct bhlab_irq *irq)
{
	struct bhlab_item *item = &irq->item;

	snprintf(irq->action, sizeof(irq->action), "bhlab%u-%s",
		 item->obj.lab->id, item->obj.name);
	return request_threaded_irq(irq->line.virq, bhlab_irq_top,
				    item->flags & BHLAB_ITEM_THREAD ?
				    bhlab_irq_thread : NULL,
				    bhlab_irq_flags(irq), irq->action, irq);
}

static int bhlab_line_create(struct bhlab_line *line)
{
	line->domain = irq_domain_create_sim(NULL, 1);
	if (IS_ERR(line->domain))
		return PTR_ERR(line->domain);
	line->virq = irq_create_mapping(line->domain, 0);
	if (line->virq)
		return 0;
	irq_domain_remove_sim(line->domain);
	return -ENOMEM;
}

static void bhlab_line_remove(struct bhlab_line *line)
{
	irq_dispose_mapping(line->virq);
	irq_domain_remove_sim(line->domain);
}

/* The context of a top half; no exported symbol reports threadirqs. */
static u32 bhlab_irq_context;
static DECLARE_COMPLETION(bhlab_irq_probed);

static irqreturn_t bhlab_irq_probe_top(int virq, void *data)
{
	bhlab_irq_context = in_hardirq() ? BHLAB_CTX_HARDIRQ : BHLAB_CTX_TASK;
	complete(&bhlab_irq_probed);
	return IRQ_HANDLED;
}

/* Called when the module is loaded: raise a line, and see where it is handled. */
int bhlab_irq_probe(void)
{
	struct bhlab_line line;
	int ret = bhlab_line_create(&line);

	if (ret)
		return ret;
	ret = request_irq(line.virq, bhlab_irq_probe_top, 0, "bhlab", &line);
	if (!ret) {
		irq_set_irqchip_state(line.virq, IRQCHIP_STATE_PENDING, true);
		if (!wait_for_completion_timeout(&bhlab_irq_probed, HZ))
			ret = -EIO;
		free_irq(line.virq, &line);
	}
	bhlab_line_remove(&line);
	return ret;
}

static u32 bhlab_irq_here(void)
{
	return bhlab_irq_context;
}

/* The controller raises it again: one more activation, which nobody asked for. */
static void bhlab_irq_repeat(struct bhlab_chip *chip)
{
	struct bhlab_irq *irq = container_of(chip, struct bhlab_irq, chip);
	const struct bhlab_activation act = {};
	struct bhlab_item *item = &irq->item;
	struct bhlab_stamp stamp;
	unsigned long flags;

	flags = bhlab_item_lock(item);
	bhlab_stamp_now(&stamp, &act);
	stamp.serial = ++item->serial;
	bhlab_stamp_push(item, &stamp);
	item->accepted++;
	item->unsettled = true;
	if (item->flags & BHLAB_ITEM_QUEUED)
		bhlab_record(item, BHLAB_EVENT_QUEUED, &stamp, 0);
	bhlab_item_unlock(item, flags);
}

/* These raises do not run: their stamps are the newest. */
static void bhlab_irq_account_raises(struct bhlab_chip *chip, u32 merged, u32 lost)
{
	struct bhlab_irq *irq = container_of(chip, struct bhlab_irq, chip);
	struct bhlab_item *item = &irq->item;
	unsigned long flags;

	flags = bhlab_item_lock(item);
	item->merged += merged;
	item->lost += lost;
	item->nr_stamps -= min_t(u32, item->nr_stamps, merged + lost);
	bhlab_item_unlock(item, flags);
	bhlab_lab_wake(item->obj.lab);
}

static const struct bhlab_chip_ops bhlab_irq_chip_ops = {
	.repeat = bhlab_irq_repeat,
	.account = bhlab_irq_account_raises,
};

static int bhlab_irq_create(struct bhlab_irq *irq)
{
	int ret;

	if (bhlab_irq_is_sim(irq))
		return bhlab_line_create(&irq->line);
	ret = bhlab_chip_create(&irq->chip, irq->item.flow,
				bhlab_irq_context == BHLAB_CTX_TASK &&
				!(irq->item.flags & BHLAB_ITEM_ONESHOT),
				&bhlab_irq_chip_ops);
	irq->line.domain = irq->chip.domain;
	irq->line.virq = irq->chip.virq;
	return ret;
}

static void bhlab_irq_remove(struct bhlab_irq *irq)
{
	if (bhlab_irq_is_sim(irq))
		bhlab_line_remove(&irq->line);
	else
		bhlab_chip_remove(&irq->chip);
}

static int bhlab_irq_init(struct bhlab_item *item)
{
	struct bhlab_irq *irq = to_irq(item);
	int ret;

	bhlab_period_init(&irq->period, item);
	ret = bhlab_irq_create(irq);
	if (ret)
		return ret;
	ret = bhlab_irq_request(irq);
	if (ret)
		bhlab_irq_remove(irq);
	return ret;
}

/*
 * Wait until no raise is on its way to the line's handler. Once the pending bit
 * is clear, its dispatcher is either running in hardirq context or done, and a
 * grace period waits for that without disturbing idle or isolated CPUs.
 */
static void bhlab_irq_quiesce(struct bhlab_irq *irq)
{
	if (!bhlab_irq_is_sim(irq)) {
		bhlab_chip_stop(&irq->chip);
		return;
	}
	while (bhlab_irq_pending(irq))
		usleep_range(50, 200);
	synchronize_rcu_expedited();
}

/*
 * A raise that the kernel noted while the line was disabled is replayed from a
 * tasklet, which may be about to run. bhlab_irq_free() comes after a grace
 * period, which the tasklet does not outlive.
 */
static void bhlab_irq_stop(struct bhlab_item *item)
{
	struct bhlab_irq *irq = to_irq(item);

	bhlab_period_stop(&irq->period);
	bhlab_irq_quiesce(irq);
	free_irq(irq->line.virq, irq);
}

static void bhlab_irq_free(struct bhlab_item *item)
{
	bhlab_irq_remove(to_irq(item));
}

static int bhlab_irq_raise(struct bhlab_item *item,
			   const struct bhlab_activation *act)
{
	struct bhlab_irq *irq = to_irq(item);
	bool pending;

	item->unsettled = true;
	if (!bhlab_irq_is_sim(irq)) {
		pending = !bhlab_chip_raise(&irq->chip);
		item->merged += pending;
		return pending ? BHLAB_RESULT_ALREADY_PENDING : BHLAB_RESULT_QUEUED;
	}
	pending = bhlab_irq_pending(irq);
	irq_set_irqchip_state(irq->line.virq, IRQCHIP_STATE_PENDING, true);
	return pending ? BHLAB_RESULT_ALREADY_PENDING : BHLAB_RESULT_QUEUED;
}

static int bhlab_irq_deassert(struct bhlab_item *item, bool *asserted)
{
	if (item->flow != BHLAB_FLOW_LEVEL)
		return -EOPNOTSUPP;
	return bhlab_chip_deassert(&to_irq(item)->chip, asserted);
}

/*
 * Clear the pending bit, which of a level line follows the line. The kernel
 * cannot cancel what it keeps of a disabled line to replay.
 */
static int bhlab_irq_cancel(struct bhlab_item *item)
{
	struct bhlab_irq *irq = to_irq(item);

	if (item->flow == BHLAB_FLOW_LEVEL)
		return bhlab_irq_asserted(irq) ? -EBUSY : 0;
	if (!bhlab_irq_is_sim(irq) && bhlab_chip_cancel(&irq->chip))
		return 1;
	if (bhlab_irq_is_sim(irq) && bhlab_irq_pending(irq)) {
		irq_set_irqchip_state(irq->line.virq, IRQCHIP_STATE_PENDING, false);
		return 1;
	}
	return bhlab_item_blocked(item) ? -EBUSY : 0;
}

static int bhlab_irq_disable(struct bhlab_item *item, bool sync, bool privileged)
{
	disable_irq_nosync(to_irq(item)->line.virq);
	return 0;
}

static void bhlab_irq_enable(struct bhlab_item *item)
{
	struct bhlab_irq *irq = to_irq(item);

	if (!item->depth && bhlab_irq_is_sim(irq) && bhlab_item_outstanding(item))
		irq->replay = true;
	enable_irq(irq->line.virq);
}

static bool bhlab_irq_sync(struct bhlab_item *item)
{
	synchronize_irq(to_irq(item)->line.virq);
	return false;
}

static void bhlab_nop_tasklet(struct tasklet_struct *t)
{
}

static long bhlab_replay_barrier(void *unused)
{
	struct tasklet_struct t;

	tasklet_setup(&t, bhlab_nop_tasklet);
	tasklet_schedule(&t);
	tasklet_kill(&t);
	return 0;
}

/*
 * Wait for a replay that may be pending. The kernel's tasklet for it is in some
 * CPU's list. When a second tasklet behind it has run, the first has run, or is
 * running elsewhere, which the grace period waits for.
 */
static void bhlab_irq_wait_replay(struct bhlab_irq *irq)
{
	int cpu;

	if (!READ_ONCE(irq->replay))
		return;
	cpus_read_lock();
	for_each_online_cpu(cpu)
		work_on_cpu(cpu, bhlab_replay_barrier, NULL);
	cpus_read_unlock();
	synchronize_rcu();
}

/* At rest: raises that did not run were merged. */
static void bhlab_irq_account_sim(struct bhlab_item *item)
{
	u64 known = item->runs + item->cancelled;

	/* The dispatcher had taken the bit already: it was not cancelled. */
	if (known > item->accepted) {
		item->cancelled -= known - item->accepted;
		known = item->accepted;
	}
	item->merged = item->accepted - known;
}

/*
 * At rest, of the driver's own controller: all is counted, but that a forced thread
 * was awake already, and that a line was disabled or enabled at the very moment
 * in which the flow handler looked: what seemed to be lost was noted, or what
 * seemed to be noted was lost. What has run, and was cancelled, is certain; then
 * what seemed to be merged was not.
 */
static void bhlab_irq_account_chip(struct bhlab_irq *irq)
{
	struct bhlab_item *item = &irq->item;
	u64 known = item->runs + item->cancelled + item->merged + item->lost;
	u64 found;

	if (known >= item->accepted) {
		found = min(item->lost, known - item->accepted);
		item->lost -= found;
		item->merged -= min(item->merged, known - item->accepted - found);
	} else if (irq->chip.forced) {
		item->merged += item->accepted - known;
	} else {
		item->lost += item->accepted - known;
	}
	bhlab_chip_rest(&irq->chip);
}

/* Nobody takes the stamps of raises that did not run. */
static void bhlab_irq_account(struct bhlab_irq *irq)
{
	struct bhlab_item *item = &irq->item;

	if (bhlab_irq_is_sim(irq))
		bhlab_irq_account_sim(item);
	else
		bhlab_irq_account_chip(irq);
	item->nr_stamps = 0;
	item->unsettled = false;
	irq->thread_merged = irq->thread_wakes - irq->thread_runs;
	irq->replay = false;
}

/*
 * May the line be at rest? Not with a raise on a delay, or one that the kernel
 * may keep for a disabled line, and not while it is asserted.
 */
static bool bhlab_irq_quiet(struct bhlab_item *item)
{
	return item->unsettled && !item->delayed && !bhlab_item_runs(item) &&
	       !bhlab_item_blocked(item) && !bhlab_irq_asserted(to_irq(item));
}

static void bhlab_irq_settle(struct bhlab_item *item)
{
	struct bhlab_irq *irq = to_irq(item);
	unsigned long flags;
	u64 accepted;
	bool quiet;

	flags = bhlab_item_lock(item);
	accepted = item->accepted;
	quiet = bhlab_irq_quiet(item);
	bhlab_item_unlock(item, flags);
	if (!quiet || bhlab_irq_pending(irq))
		return;

	synchronize_rcu_expedited();
	bhlab_irq_wait_replay(irq);
	if (!synchronize_hardirq(irq->line.virq))
		return;

	flags = bhlab_item_lock(item);
	if (item->accepted == accepted && bhlab_irq_quiet(item))
		bhlab_irq_account(irq);
	bhlab_item_unlock(item, flags);
}

static bool bhlab_irq_blocked(struct bhlab_item *item)
{
	unsigned long flags;
	bool blocked;

	flags = bhlab_item_lock(item);
	blocked = bhlab_item_blocked(item);
	if (!blocked)
		bhlab_delay_fire(item);
	bhlab_item_unlock(item, flags);
	return blocked;
}

/*
 * Wait for earlier raises: the top half, then the thread. Other raises may go on
 * meanwhile.
 */
static int bhlab_irq_flush(struct bhlab_item *item)
{
	struct bhlab_irq *irq = to_irq(item);

	bhlab_irq_settle(item);
	if (bhlab_irq_blocked(item))
		return -EBUSY;
	if (bhlab_item_idle(item))
		return BHLAB_RESULT_IDLE;
	while (bhlab_irq_pending(irq)) {
		if (signal_pending(current))
			return -ERESTARTSYS;
		usleep_range(50, 200);
	}
	synchronize_rcu_expedited();
	bhlab_irq_wait_replay(irq);
	synchronize_irq(irq->line.virq);
	bhlab_irq_settle(item);
	return BHLAB_RESULT_WAITED;
}

static int bhlab_irq_start_period(struct bhlab_item *item, u64 ns, u32 count)
{
	return bhlab_period_start(&to_irq(item)->period, ns, count);
}

static bool bhlab_irq_end_period(struct bhlab_item *item)
{
	return bhlab_period_end(&to_irq(item)->period);
}

static void bhlab_irq_state(struct bhlab_item *item,
			    struct bhlab_item_state *st)
{
	struct bhlab_irq *irq = to_irq(item);

	st->out_irq = irq->line.virq;
	if (!bhlab_irq_is_sim(irq))
		bhlab_chip_state(&irq->chip, st);
	st->out_period_ns = item->periodic ? irq->period.ns : 0;
	st->out_period_left = irq->period.left;
	st->out_period_missed = irq->period.missed;
	st->out_thread_wakes = irq->thread_wakes;
	st->out_thread_runs = irq->thread_runs;
	st->out_thread_merged = irq->thread_merged;
}

const struct bhlab_mech_ops bhlab_irq_ops = {
	.id = BHLAB_MECH_IRQ,
	.native = BIT(BHLAB_VERB_TRIGGER) | BIT(BHLAB_VERB_CANCEL) |
		  BIT(BHLAB_VERB_DISABLE) | BIT(BHLAB_VERB_ENABLE) |
		  BIT(BHLAB_VERB_FLUSH),
	.emulated = BIT(BHLAB_VERB_DELAY),
	.context = BHLAB_CTX_HARDIRQ,
	.context_here = bhlab_irq_here,
	.size = sizeof(struct bhlab_irq),
	.resource = BHLAB_RES_IRQ,
	.attrs = BHLAB_ITEM_ONESHOT,
	.takes_thread = true,
	.last_flow = BHLAB_FLOW_FASTEOI,
	.merges = true,
	/* The kernel replays from its own tasklet. */
	.after = BHLAB_AFTER_GRACE,
	.init = bhlab_irq_init,
	.stop = bhlab_irq_stop,
	.free = bhlab_irq_free,
	.queue = bhlab_irq_raise,
	.cancel = bhlab_irq_cancel,
	.disable = bhlab_irq_disable,
	.enable = bhlab_irq_enable,
	.period = bhlab_irq_start_period,
	.end_period = bhlab_irq_end_period,
	.deassert = bhlab_irq_deassert,
	.sync = bhlab_irq_sync,
	.flush = bhlab_irq_flush,
	.settle = bhlab_irq_settle,
	.state = bhlab_irq_state,
};
