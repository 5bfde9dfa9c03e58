// SPDX-License-Identifier: GPL-2.0-only
/* The model's rows, a chapter for each mechanism, and how they are read. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore/model.h"
#include "base/words.h"

#define ALL_RULES(...) (const struct rule[]){ __VA_ARGS__, { 0 } }

/*
 * Words of "when": delayed, pending, queued (either), running (the handler is at work, or
 * about to be), off (disabled), syncing (another call waits for the handler), gone, dying
 * (gone, and the call that destroys it has not returned); rt, threadirqs, member, old (the
 * world); "!" before any. All of them hold. Words of "then": see enum then.
 */
#define GONE_RULES									\
	{ "queue trigger delay mod cancel cancel-sync flush", "gone", "ENOENT", "" },	\
	{ "disable disable-sync enable destroy", "gone", "ENOENT", "" },		\
	{ "drain flush-queue destroy-queue", "gone", "ok", "" },			\
	/* Whoever had found it goes on with the kernel's call. */			\
	{ "flush", "gone dying", "idle", "" },						\
	{ "flush", "gone dying", "waited", "" }

/* The driver keeps the delay of what the kernel gives none. */
#define OWN_DELAY_RULES									\
	{ "delay", "!queued", "queued", "delayed" },					\
	{ "delay", "queued", "already-pending", "" },					\
	{ "mod", "!queued", "queued", "delayed" },					\
	{ "mod", "delayed", "modified", "restart" },					\
	{ "mod", "!delayed pending", "already-pending", "" }

#define KERNEL_DELAY_RULES								\
	{ "delay", "!queued", "queued", "delayed" },					\
	{ "delay", "queued", "already-pending", "" },					\
	{ "mod", "!queued", "queued", "delayed" },					\
	{ "mod", "queued", "modified", "restart" }

#define FLUSH_RULES									\
	{ "flush", "!queued !running", "idle", "" },					\
	{ "flush", "queued", "waited", "fire wait" },					\
	{ "flush", "!queued running", "waited", "wait" },				\
	/* It was fired, and had run before the kernel looked. */			\
	{ "flush", "delayed", "idle", "fire wait" }

#define DESTROY_RULES									\
	{ "destroy", "", "ok", "cancel wait-running gone" }

#define QUEUE_RULES									\
	{ "drain", "", "ok", "wait" },							\
	{ "flush-queue", "", "ok", "wait" },						\
	{ "destroy-queue", "", "ok", "" }

/* All that there is to what the kernel can neither cancel nor disable. */
#define UNCANCELLED_RULES								\
	GONE_RULES,									\
	{ "queue", "!queued", "queued", "pending" },					\
	{ "queue", "queued", "already-pending", "" },					\
	OWN_DELAY_RULES, FLUSH_RULES, DESTROY_RULES

static const struct chapter chapters[] = {
	{
		.mech = "work",
		.source = "queue_work_on(), __queue_work(), __cancel_work_sync(), "
			  "enable_work() in kernel/workqueue.c;\nnon-reentrance in "
			  "Documentation/core-api/workqueue.rst",
		.overlap = OVERLAP_OTHER_QUEUE,
		.rules = ALL_RULES(
			GONE_RULES,
			/* clear_pending_if_disabled() */
			{ "queue delay mod", "off", "disabled", "" },
			{ "queue", "!off !queued", "queued", "pending" },
			{ "queue", "!off queued", "already-pending", "" },
			{ "delay", "!off !queued", "queued", "delayed" },
			{ "delay", "!off queued", "already-pending", "" },
			{ "mod", "!off !queued", "queued", "delayed" },
			{ "mod", "!off queued", "modified", "restart" },
			/* The pending bit is taken, or the item disabled, while a call waits. */
			{ "queue delay mod", "syncing", "already-pending", "" },
			{ "cancel", "queued", "was-pending", "cancel" },
			{ "cancel", "!queued", "idle", "" },
			{ "cancel-sync", "queued", "was-pending", "cancel wait-running" },
			{ "cancel-sync", "!queued", "idle", "wait-running" },
			FLUSH_RULES,
			{ "disable", "!old queued", "was-pending", "cancel off" },
			{ "disable", "!old !queued", "idle", "off" },
			{ "disable-sync", "!old queued", "was-pending",
			  "cancel wait-running off" },
			{ "disable-sync", "!old !queued", "idle", "wait-running off" },
			{ "enable", "!old off", "idle", "on" },
			{ "enable", "!old !off", "EINVAL", "" },
			DESTROY_RULES, QUEUE_RULES),
	},
	{
		.mech = "tasklet",
		.source = "tasklet_schedule(), tasklet_action_common(), tasklet_disable(), "
			  "tasklet_kill() in kernel/softirq.c,\n"
			  "include/linux/interrupt.h; the kernel has no cancel",
		.overlap = OVERLAP_NEVER,
		.held_when_off = true,
		.rules = ALL_RULES(
			GONE_RULES,
			{ "queue", "off member", "EPERM", "" },
			{ "delay mod", "off member", "EPERM", "" },
			{ "queue", "!queued", "queued", "pending" },
			{ "queue", "queued", "already-pending", "" },
			OWN_DELAY_RULES,
			{ "cancel", "queued", "was-pending", "cancel" },
			{ "cancel", "!queued", "idle", "" },
			{ "cancel-sync", "queued", "was-pending", "cancel wait-running" },
			{ "cancel-sync", "!queued", "idle", "wait-running" },
			FLUSH_RULES,
			/* The kernel waits for ever for a disabled one. */
			{ "flush", "off queued", "EBUSY", "" },
			/* It was disabled while the flush waited. */
			{ "flush", "off delayed", "EBUSY", "fire" },
			{ "disable", "", "idle", "off" },
			{ "disable disable-sync", "queued member", "EPERM", "" },
			{ "disable-sync", "", "idle", "wait-running off" },
			{ "enable", "off", "idle", "on" },
			{ "enable", "!off", "EINVAL", "" },
			{ "destroy", "off", "EBUSY", "" },
			DESTROY_RULES),
	},
	{
		.mech = "irq",
		.source = "irq_sim_set_irqchip_state() in kernel/irq/irq_sim.c; "
			  "handle_simple_irq(),\n__enable_irq(), check_irq_resend() in kernel/irq/",
		.overlap = OVERLAP_NEVER,
		.held_when_off = true,
		.merges = true,
		.rules = ALL_RULES(
			GONE_RULES,
			{ "trigger", "!pending", "queued", "pending" },
			/* handle_simple_irq() drops what comes while the handler runs. */
			{ "trigger", "running", "queued", "lost" },
			/* The chip's bit is clear again: the core has it, or has latched it. */
			{ "trigger", "pending", "queued", "lost" },
			{ "trigger", "pending", "already-pending", "lost" },
			{ "delay", "!delayed", "queued", "delayed" },
			{ "delay", "delayed", "already-pending", "" },
			{ "mod", "!delayed", "queued", "delayed" },
			{ "mod", "delayed", "modified", "restart" },
			{ "cancel", "queued", "was-pending", "cancel" },
			{ "cancel", "!queued", "idle", "" },
			/* The chip's bit is clear: nothing to cancel there. */
			{ "cancel cancel-sync", "!delayed pending", "idle", "" },
			{ "cancel-sync", "queued", "was-pending", "cancel wait-running" },
			{ "cancel-sync", "!queued", "idle", "wait-running" },
			/* The core has latched what is pending, and gives it back to nobody. */
			{ "cancel", "delayed pending", "was-pending", "cancel-delay" },
			{ "cancel-sync", "delayed pending", "was-pending",
			  "cancel-delay wait-running" },
			{ "cancel cancel-sync", "off pending", "EBUSY", "" },
			FLUSH_RULES,
			{ "flush", "off queued", "EBUSY", "" },
			/* It was disabled while the flush waited. */
			{ "flush", "off delayed", "EBUSY", "fire" },
			{ "disable", "", "idle", "off" },
			{ "disable-sync", "", "idle", "wait-running off" },
			{ "enable", "off", "idle", "on" },
			{ "enable", "!off", "EINVAL", "" },
			DESTROY_RULES),
	},
	{
		.mech = "irq_work",
		.source = "irq_work_claim(), irq_work_single() in kernel/irq_work.c",
		.overlap = OVERLAP_ALWAYS,
		.rules = ALL_RULES(UNCANCELLED_RULES),
	},
	{
		.mech = "timer",
		.source = "__mod_timer(), add_timer_on(), __timer_delete_sync() in "
			  "kernel/time/timer.c",
		.overlap = OVERLAP_OTHER_CPU,
		.cancels_late = true,
		.rules = ALL_RULES(
			GONE_RULES,
			{ "queue", "!queued", "queued", "delayed" },
			{ "queue", "queued", "already-pending", "" },
			KERNEL_DELAY_RULES,
			{ "cancel", "queued", "was-pending", "cancel" },
			{ "cancel", "!queued", "idle", "" },
			{ "cancel-sync", "queued", "was-pending", "cancel wait-running" },
			{ "cancel-sync", "!queued", "idle", "wait-running" },
			{ "cancel-sync", "!queued", "was-pending", "wait-running" },
			FLUSH_RULES, DESTROY_RULES),
	},
	{
		.mech = "hrtimer",
		.source = "hrtimer_start_range_ns(), hrtimer_try_to_cancel() in "
			  "kernel/time/hrtimer.c",
		.overlap = OVERLAP_NEVER,
		.cancels_late = true,
		.rules = ALL_RULES(
			GONE_RULES,
			{ "queue", "!queued", "queued", "delayed" },
			{ "queue", "queued", "already-pending", "" },
			KERNEL_DELAY_RULES,
			/* hrtimer_try_to_cancel() answers -1 while the function runs. */
			{ "cancel", "queued !running", "was-pending", "cancel" },
			{ "cancel", "queued running", "EBUSY", "" },
			{ "cancel", "!queued", "idle", "" },
			{ "cancel-sync", "queued", "was-pending", "cancel wait-running" },
			{ "cancel-sync", "!queued", "idle", "wait-running" },
			{ "cancel-sync", "!queued", "was-pending", "wait-running" },
			FLUSH_RULES, DESTROY_RULES),
	},
	{
		.mech = "kthread_work",
		.source = "kthread_queue_work(), kthread_mod_delayed_work(), "
			  "__kthread_cancel_work_sync() in kernel/kthread.c;\ncancel waits always",
		.overlap = OVERLAP_NEVER,
		.rules = ALL_RULES(
			GONE_RULES,
			{ "queue", "!queued", "queued", "pending" },
			{ "queue", "queued", "already-pending", "" },
			KERNEL_DELAY_RULES,
			/* queuing_blocked() */
			{ "queue delay mod", "syncing", "already-pending", "" },
			{ "cancel-sync", "queued", "was-pending", "cancel wait-running" },
			{ "cancel-sync", "!queued", "idle", "wait-running" },
			FLUSH_RULES, DESTROY_RULES),
	},
	{
		.mech = "rcu",
		.source = "call_rcu(), rcu_barrier() in kernel/rcu/tree.c",
		.overlap = OVERLAP_ALWAYS,
		.rules = ALL_RULES(UNCANCELLED_RULES),
	},
	{
		.mech = "rcu_work",
		.source = "queue_rcu_work(), flush_rcu_work() in kernel/workqueue.c",
		.overlap = OVERLAP_OTHER_QUEUE,
		.grace_period = true,
		.rules = ALL_RULES(UNCANCELLED_RULES, QUEUE_RULES),
	},
	{
		.mech = "srcu",
		.source = "call_srcu(), srcu_barrier() in kernel/rcu/srcutree.c",
		.overlap = OVERLAP_ALWAYS,
		.rules = ALL_RULES(UNCANCELLED_RULES),
	},
};

/* Mechanisms that differ in where they run, and not in what they answer. */
static const struct {
	uint32_t mech;
	const char *chapter;
} same[] = {
	{ BHLAB_MECH_TASKLET_HI, "tasklet" },
	{ BHLAB_MECH_HRTIMER_SOFT, "hrtimer" },
};

static const char *const verbs[VERBS] = {
	[V_QUEUE] = "queue", [V_TRIGGER] = "trigger", [V_DELAY] = "delay", [V_MOD] = "mod",
	[V_CANCEL] = "cancel", [V_CANCEL_SYNC] = "cancel-sync", [V_FLUSH] = "flush",
	[V_DISABLE] = "disable", [V_DISABLE_SYNC] = "disable-sync", [V_ENABLE] = "enable",
	[V_DESTROY] = "destroy", [V_DRAIN] = "drain", [V_FLUSH_QUEUE] = "flush-queue",
	[V_DESTROY_QUEUE] = "destroy-queue", [V_WAIT_RUNNING] = "wait-running",
	[V_WAIT_IDLE] = "wait-idle", [V_LOOK] = "look", [V_CLOSE] = "close",
};

const char *verb_name(unsigned int verb)
{
	return verbs[verb];
}

static const struct word when_list[] = {
	{ "delayed", WHEN_DELAYED },
	{ "pending", WHEN_PENDING },
	{ "queued", WHEN_QUEUED },
	{ "running", WHEN_RUNNING },
	{ "off", WHEN_OFF },
	{ "syncing", WHEN_SYNCING },
	{ "gone", WHEN_GONE },
	{ "dying", WHEN_DYING },
	{ "rt", WORLD_RT << WHEN_WORLD },
	{ "threadirqs", WORLD_THREADIRQS << WHEN_WORLD },
	{ "member", WORLD_MEMBER << WHEN_WORLD },
	{ "old", WORLD_OLD << WHEN_WORLD },
};

static const struct word then_list[] = {
	{ "pending", THEN_PENDING },
	{ "delayed", THEN_DELAYED },
	{ "restart", THEN_RESTART },
	{ "cancel", THEN_CANCEL },
	{ "fire", THEN_FIRE },
	{ "wait", THEN_WAIT },
	{ "wait-running", THEN_WAIT_RUNNING },
	{ "off", THEN_OFF },
	{ "on", THEN_ON },
	{ "gone", THEN_GONE },
	{ "lost", THEN_LOST },
	{ "cancel-delay", THEN_CANCEL_DELAY },
};

static const struct words when_words = { "state", when_list, ARRAY_SIZE(when_list) };
static const struct words then_words = { "effect", then_list, ARRAY_SIZE(then_list) };

static const struct word errno_list[] = {
	{ "ENOENT", ENOENT }, { "EBUSY", EBUSY }, { "EINVAL", EINVAL }, { "EPERM", EPERM },
};

static const struct words errno_words = { "errno", errno_list, ARRAY_SIZE(errno_list) };

static struct row *rows[ARRAY_SIZE(chapters)];
static size_t nr_rows[ARRAY_SIZE(chapters)];

static void model_wrong(const struct chapter *chapter, const char *word)
{
	fprintf(stderr, "the model of %s has no word '%s'\n", chapter->mech, word);
	abort();
}

/* Calls @use for each word of @text. */
static void each_word(const char *text, const struct chapter *chapter, struct row *row,
		      bool (*use)(struct row *row, const char *word))
{
	char copy[128];
	char *at = copy, *word;

	snprintf(copy, sizeof(copy), "%s", text);
	while ((word = strsep(&at, " ")))
		if (*word && !use(row, word))
			model_wrong(chapter, word);
}

static bool use_verb(struct row *row, const char *word)
{
	for (unsigned int verb = 0; verb < V_MODEL; verb++)
		if (!strcmp(verbs[verb], word)) {
			row->verbs |= 1U << verb;
			return true;
		}
	return false;
}

static bool use_when(struct row *row, const char *word)
{
	bool not = *word == '!';
	uint32_t bit;

	if (!word_value(&when_words, word + not, &bit))
		return false;
	*(not ? &row->when_not : &row->when) |= bit;
	return true;
}

static bool use_answer(struct row *row, const char *word)
{
	uint32_t err;

	row->success = !strcmp(word, "ok");
	if (word_value(&errno_words, word, &err))
		row->err = (int)err;
	return row->success || row->err || word_value(&result_words, word, &row->result);
}

static bool use_then(struct row *row, const char *word)
{
	uint32_t bit;

	if (!word_value(&then_words, word, &bit))
		return false;
	row->then |= bit;
	return true;
}

static void read_chapter(size_t n)
{
	const struct chapter *chapter = &chapters[n];

	for (const struct rule *rule = chapter->rules; rule->verbs; rule++) {
		struct row *row;

		rows[n] = xrealloc(rows[n], nr_rows[n] + 1, sizeof(*row));
		row = &rows[n][nr_rows[n]++];
		*row = (struct row){ 0 };
		each_word(rule->verbs, chapter, row, use_verb);
		each_word(rule->when, chapter, row, use_when);
		each_word(rule->answer, chapter, row, use_answer);
		each_word(rule->then, chapter, row, use_then);
		/* What is gone answers nothing else. */
		if (!(row->when & WHEN_GONE))
			row->when_not |= WHEN_GONE;
	}
}

void model_read(void)
{
	for (size_t n = 0; n < ARRAY_SIZE(chapters) && !rows[n]; n++)
		read_chapter(n);
}

static size_t find_chapter(uint32_t mech)
{
	const char *name = word_name(&mech_words, mech);

	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		if (same[i].mech == mech)
			name = same[i].chapter;
	for (size_t n = 0; n < ARRAY_SIZE(chapters); n++)
		if (!strcmp(chapters[n].mech, name))
			return n;
	return ARRAY_SIZE(chapters);
}

const struct chapter *model_chapter(uint32_t mech)
{
	size_t n = find_chapter(mech);

	return n < ARRAY_SIZE(chapters) ? &chapters[n] : NULL;
}

const struct row *model_rows(uint32_t mech, size_t *nr)
{
	size_t n = find_chapter(mech);

	*nr = nr_rows[n];
	return rows[n];
}

bool model_has(uint32_t mech, unsigned int verb, unsigned int world)
{
	size_t nr;
	const struct row *row = model_rows(mech, &nr);

	for (; nr--; row++)
		if (row->verbs & 1U << verb && !(row->when & WHEN_GONE) &&
		    !(row->when_not & world << WHEN_WORLD) && !(row->when >> WHEN_WORLD & ~world))
			return true;
	return false;
}

static const char *const overlap_text[] = {
	[OVERLAP_NEVER] = "It never runs beside itself.",
	[OVERLAP_OTHER_QUEUE] = "It may run beside itself on another workqueue; and where it was "
		"before, since the kernel looks\nfor a running handler only where it was last.",
	[OVERLAP_OTHER_CPU] = "It may run beside itself once a CPU was named while it ran: only "
		"mod_timer() looks for a running\nhandler.",
	[OVERLAP_ALWAYS] = "It may run beside itself on another CPU.",
};

static const char head[] =
	"# The model of `bhctl explore`\n\n"
	"What the kernel may answer to a verb in a state, and what becomes of the item. `bhctl explore\n"
	"--model` prints this page. It is written from the kernel's documentation and source, which each\n"
	"chapter names, and not from the driver's.\n\n"
	"An item has activations. Each one is *delayed*, then *pending*, then *running*. *queued* is delayed\n"
	"or pending, *off* is disabled, *syncing* that another call waits for the handler (`cancel --sync`,\n"
	"`disable --sync`), *gone* destroyed, *dying* that the call that destroys it has not returned. All\n"
	"words in a cell hold; `!` is not. *old* is a kernel before 6.10, *member* a user without\n"
	"CAP_SYS_ADMIN. If several rows fit, any of them may happen.\n\n"
	"Then: a new activation that is *pending* or *delayed*; *restart*: what is queued waits for the\n"
	"new delay; *cancel*: what is queued goes away; *cancel-delay*: what is delayed; *fire*: its delay\n"
	"is over; *wait*: the call returns when all activations that there are now have ended;\n"
	"*wait-running*: when no handler is at work; *off*, *on*: the depth changes by one; *lost*:\n"
	"accepted, and shares a run or gets none.\n\n"
	"Two verbs that meet are in some order, which the model does not know: any that explains all\n"
	"answers will do, but none in which a call takes effect before it began or after it returned, a\n"
	"delay ends early, or a program before its time.\n";

void model_print(void)
{
	fputs(head, stdout);
	for (size_t n = 0; n < ARRAY_SIZE(chapters); n++) {
		const struct chapter *chapter = &chapters[n];

		printf("\n## %s\n\n%s%s%s%s\n\nSource: %s.\n\n", chapter->mech,
		       overlap_text[chapter->overlap],
		       chapter->held_when_off ? " What is pending while it is disabled waits." : "",
		       chapter->cancels_late ?
			       " `cancel --sync` cancels what is armed while it waits, too." : "",
		       chapter->grace_period ?
			       " A flush of its\nqueue does not wait for a grace period." : "",
		       chapter->source);
		printf("| verb | in state | answer | then |\n|---|---|---|---|\n");
		for (const struct rule *rule = chapter->rules; rule->verbs; rule++)
			printf("| %s | %s | %s | %s |\n", rule->verbs,
			       *rule->when ? rule->when : "any", rule->answer,
			       *rule->then ? rule->then : "nothing");
	}
}
