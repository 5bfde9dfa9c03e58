// SPDX-License-Identifier: GPL-2.0-only
/* The words of the command line. */
#include <json.h>
#include <linux/bhlab.h>
#include <stdio.h>
#include <string.h>

#include "base/bhctl.h"
#include "base/text.h"
#include "base/words.h"

#define WORDS(name, what, ...)							\
	static const struct word name##_list[] = { __VA_ARGS__ };		\
	const struct words name##_words = { what, name##_list, ARRAY_SIZE(name##_list) }

WORDS(mech, "mechanism",
	{ "work", BHLAB_MECH_WORK },
	{ "tasklet", BHLAB_MECH_TASKLET },
	{ "tasklet_hi", BHLAB_MECH_TASKLET_HI },
	{ "irq", BHLAB_MECH_IRQ },
	{ "irq_work", BHLAB_MECH_IRQ_WORK },
	{ "timer", BHLAB_MECH_TIMER },
	{ "hrtimer", BHLAB_MECH_HRTIMER },
	{ "hrtimer_soft", BHLAB_MECH_HRTIMER_SOFT },
	{ "kthread_work", BHLAB_MECH_KTHREAD_WORK },
	{ "rcu", BHLAB_MECH_RCU },
	{ "rcu_work", BHLAB_MECH_RCU_WORK },
	{ "irq_poll", BHLAB_MECH_IRQ_POLL },
	{ "csd", BHLAB_MECH_CSD },
	{ "srcu", BHLAB_MECH_SRCU });

WORDS(verb, "verb",
	{ "queue", BHLAB_VERB_QUEUE },
	{ "delay", BHLAB_VERB_DELAY },
	{ "cancel", BHLAB_VERB_CANCEL },
	{ "flush", BHLAB_VERB_FLUSH },
	{ "disable", BHLAB_VERB_DISABLE },
	{ "enable", BHLAB_VERB_ENABLE },
	{ "trigger", BHLAB_VERB_TRIGGER },
	{ "drain", BHLAB_VERB_DRAIN });

WORDS(queue, "queue",
	{ "percpu", BHLAB_QUEUE_PERCPU },
	{ "highpri", BHLAB_QUEUE_HIGHPRI },
	{ "long", BHLAB_QUEUE_LONG },
	{ "unbound", BHLAB_QUEUE_UNBOUND },
	{ "freezable", BHLAB_QUEUE_FREEZABLE },
	{ "power_efficient", BHLAB_QUEUE_POWER_EFFICIENT },
	{ "bh", BHLAB_QUEUE_BH },
	{ "bh_highpri", BHLAB_QUEUE_BH_HIGHPRI });

WORDS(attribute, "attribute",
	{ "hard", BHLAB_ITEM_HARD },
	{ "lazy", BHLAB_ITEM_LAZY },
	{ "irqsafe", BHLAB_ITEM_IRQSAFE },
	{ "pinned", BHLAB_ITEM_PINNED },
	{ "static", BHLAB_ITEM_STATIC },
	{ "oneshot", BHLAB_ITEM_ONESHOT });

WORDS(flow, "flow",
	{ "sim", BHLAB_FLOW_SIM },
	{ "simple", BHLAB_FLOW_SIMPLE },
	{ "edge", BHLAB_FLOW_EDGE },
	{ "level", BHLAB_FLOW_LEVEL },
	{ "fasteoi", BHLAB_FLOW_FASTEOI });

WORDS(shape, "attribute of a queue",
	{ "percpu", BHLAB_WQ_PERCPU },
	{ "unbound", BHLAB_WQ_UNBOUND },
	{ "bh", BHLAB_WQ_BH },
	{ "ordered", BHLAB_WQ_ORDERED },
	{ "legacy", BHLAB_WQ_LEGACY },
	{ "singlethread", BHLAB_WQ_SINGLETHREAD },
	{ "highpri", BHLAB_WQ_HIGHPRI },
	{ "freezable", BHLAB_WQ_FREEZABLE },
	{ "mem-reclaim", BHLAB_WQ_MEM_RECLAIM },
	{ "cpu-intensive", BHLAB_WQ_CPU_INTENSIVE });

WORDS(lock_kind, "kind of lock",
	{ "spin", BHLAB_LOCK_SPIN },
	{ "mutex", BHLAB_LOCK_MUTEX });

WORDS(lock_context, "context",
	{ "task", BHLAB_CTX_TASK },
	{ "softirq", BHLAB_CTX_SOFTIRQ },
	{ "hardirq", BHLAB_CTX_HARDIRQ });

WORDS(from, "origin",
	{ "task", FROM_TASK },
	{ "irq", FROM_IRQ },
	{ "other-cpu", FROM_OTHER_CPU });

WORDS(result, "result",
	{ "idle", BHLAB_RESULT_IDLE },
	{ "queued", BHLAB_RESULT_QUEUED },
	{ "already-pending", BHLAB_RESULT_ALREADY_PENDING },
	{ "disabled", BHLAB_RESULT_DISABLED },
	{ "modified", BHLAB_RESULT_MODIFIED },
	{ "was-pending", BHLAB_RESULT_WAS_PENDING },
	{ "waited", BHLAB_RESULT_WAITED });

WORDS(condition, "condition",
	{ "idle", BHLAB_COND_IDLE },
	{ "pending", BHLAB_COND_PENDING },
	{ "running", BHLAB_COND_RUNNING },
	{ "runs", BHLAB_COND_RUNS },
	{ "started", BHLAB_COND_STARTED },
	{ "ended", BHLAB_COND_RUNS });

WORDS(kind, "kind of event",
	{ "run", BHLAB_EVENT_RUN },
	{ "queued", BHLAB_EVENT_QUEUED },
	{ "coalesced", BHLAB_EVENT_COALESCED },
	{ "expired", BHLAB_EVENT_EXPIRED },
	{ "mark", BHLAB_EVENT_MARK },
	{ "cancelled", BHLAB_EVENT_CANCELLED },
	{ "disabled", BHLAB_EVENT_DISABLED },
	{ "enabled", BHLAB_EVENT_ENABLED },
	{ "dropped", BHLAB_EVENT_DROPPED });

WORDS(stage, "stage",
	{ "main", BHLAB_STAGE_MAIN },
	{ "top", BHLAB_STAGE_TOP },
	{ "thread", BHLAB_STAGE_THREAD });

WORDS(state, "state",
	{ "pending", BHLAB_STATE_PENDING },
	{ "delayed", BHLAB_STATE_DELAYED },
	{ "running", BHLAB_STATE_RUNNING },
	{ "disabled", BHLAB_STATE_DISABLED },
	{ "periodic", BHLAB_STATE_PERIODIC },
	{ "asserted", BHLAB_STATE_ASSERTED },
	{ "masked", BHLAB_STATE_MASKED });

WORDS(context, "context",
	{ "task", BHLAB_CTX_TASK },
	{ "softirq", BHLAB_CTX_SOFTIRQ },
	{ "hardirq", BHLAB_CTX_HARDIRQ },
	{ "bh-off", BHLAB_CTX_BH_OFF },
	{ "irqs-off", BHLAB_CTX_IRQ_OFF },
	{ "preemptible", BHLAB_CTX_PREEMPTIBLE },
	{ "ksoftirqd", BHLAB_CTX_KSOFTIRQD });

/* The kernel's vectors, as in /proc/softirqs. */
WORDS(softirq, "softirq",
	{ "hi", 1 << 0 },
	{ "timer", 1 << 1 },
	{ "net_tx", 1 << 2 },
	{ "net_rx", 1 << 3 },
	{ "block", 1 << 4 },
	{ "irq_poll", 1 << 5 },
	{ "tasklet", 1 << 6 },
	{ "sched", 1 << 7 },
	{ "hrtimer", 1 << 8 },
	{ "rcu", 1 << 9 });

WORDS(skip, "reason",
	{ "target-gone", BHLAB_EVENT_F_GONE },
	{ "target-refused", BHLAB_EVENT_F_REFUSED },
	{ "chain-limit", BHLAB_EVENT_F_CHAIN },
	{ "throttled", BHLAB_EVENT_F_THROTTLED },
	{ "dying", BHLAB_EVENT_F_DYING },
	{ "held", BHLAB_EVENT_F_HELD },
	{ "deadlock", BHLAB_EVENT_F_DEADLOCK },
	{ "late", BHLAB_EVENT_F_LATE });

WORDS(feature, "feature",
	{ "irq_sim", BHLAB_FEATURE_IRQ_SIM },
	{ "rt", BHLAB_FEATURE_RT },
	{ "bh_queue", BHLAB_FEATURE_BH_QUEUE },
	{ "threadirqs", BHLAB_FEATURE_THREADIRQS });

static const struct step_word steps[] = {
	{ "spin", BHLAB_OP_SPIN, "R" },
	{ "sleep", BHLAB_OP_SLEEP, "P" },
	{ "queue", BHLAB_OP_QUEUE, "Tc" },
	{ "delay", BHLAB_OP_DELAY, "TPcm" },
	{ "trigger", BHLAB_OP_TRIGGER, "T" },
	{ "requeue", BHLAB_OP_REQUEUE, "n" },
	{ "mark", BHLAB_OP_MARK, "N" },
	{ "thread", BHLAB_OP_THREAD, "" },
	{ "none", BHLAB_OP_NONE, "" },
	{ "cancel", BHLAB_OP_CANCEL, "Ts" },
	{ "disable", BHLAB_OP_DISABLE, "Ts" },
	{ "enable", BHLAB_OP_ENABLE, "T" },
	{ "lock", BHLAB_OP_LOCK, "O" },
	{ "unlock", BHLAB_OP_UNLOCK, "O" },
	{ "bh_off", BHLAB_OP_BH_OFF, "" },
	{ "bh_on", BHLAB_OP_BH_ON, "" },
	{ "irq_off", BHLAB_OP_IRQ_OFF, "" },
	{ "irq_on", BHLAB_OP_IRQ_ON, "" },
	{ "push", BHLAB_OP_PUSH, "ON" },
	{ "pop", BHLAB_OP_POP, "On" },
	{ "flush", BHLAB_OP_FLUSH, "T" },
	{ "drain", BHLAB_OP_DRAIN, "T" },
	{ "wait", BHLAB_OP_WAIT, "Ti" },
	{ "synchronize_rcu", BHLAB_OP_SYNCHRONIZE_RCU, "" },
	{ "synchronize_irq", BHLAB_OP_SYNCHRONIZE_IRQ, "T" },
	{ "every", BHLAB_OP_EVERY, "Nx" },
	{ "chance", BHLAB_OP_CHANCE, "%x" },
	{ "complete", BHLAB_OP_COMPLETE, "" },
	{ "rcu", BHLAB_OP_RCU, "" },
	{ "rcu_end", BHLAB_OP_RCU_END, "" },
	{ "deassert", BHLAB_OP_DEASSERT, "T" },
};

const struct step_word *step_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		if (!strcmp(steps[i].name, name))
			return &steps[i];
	return NULL;
}

const struct step_word *step_by_op(uint32_t op)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		if (steps[i].op == op)
			return &steps[i];
	return NULL;
}

void step_names(char *buf, size_t size)
{
	struct text text = text_in(buf, size);

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		text_join(&text, ", ", steps[i].name);
}

const struct step_word *step_at(size_t i)
{
	return i < ARRAY_SIZE(steps) ? &steps[i] : NULL;
}

bool word_value(const struct words *words, const char *name, uint32_t *value)
{
	for (size_t i = 0; i < words->nr; i++) {
		if (strcmp(words->list[i].name, name))
			continue;
		*value = words->list[i].value;
		return true;
	}
	return false;
}

const char *word_name(const struct words *words, uint32_t value)
{
	for (size_t i = 0; i < words->nr; i++)
		if (words->list[i].value == value)
			return words->list[i].name;
	return "?";
}

void word_names(const struct words *words, const char *separator, char *buf, size_t size)
{
	struct text text = text_in(buf, size);

	for (size_t i = 0; i < words->nr; i++)
		text_join(&text, separator, words->list[i].name);
}

struct json_object *word_bits(const struct words *words, uint32_t bits)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < words->nr; i++)
		if (bits & words->list[i].value)
			json_object_array_add(array, json_object_new_string(words->list[i].name));
	return array;
}
