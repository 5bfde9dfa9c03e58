// SPDX-License-Identifier: GPL-2.0-only
/* The verbs, wait and sleep. */
#include <errno.h>
#include <json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "command/command.h"
#include "lab/lab.h"
#include "base/out.h"
#include "base/parse.h"
#include "base/signals.h"
#include "base/words.h"

#define WAIT_NS 10000000000ULL

/* By enum bhlab_verb. */
static const unsigned long requests[] = {
	[BHLAB_VERB_QUEUE] = BHLAB_IOC_QUEUE,
	[BHLAB_VERB_DELAY] = BHLAB_IOC_DELAY,
	[BHLAB_VERB_CANCEL] = BHLAB_IOC_CANCEL,
	[BHLAB_VERB_FLUSH] = BHLAB_IOC_FLUSH,
	[BHLAB_VERB_DISABLE] = BHLAB_IOC_DISABLE,
	[BHLAB_VERB_ENABLE] = BHLAB_IOC_ENABLE,
	[BHLAB_VERB_TRIGGER] = BHLAB_IOC_TRIGGER,
	[BHLAB_VERB_DRAIN] = BHLAB_IOC_DRAIN,
};

static int fill(struct bhlab_act *act, const struct call *call, const struct lab *lab,
		uint32_t verb, struct error *e)
{
	static const struct {
		const char *name;
		uint32_t flag;
	} flags[] = {
		{ "--cpu", BHLAB_ACT_CPU },
		{ "--on", BHLAB_ACT_QUEUE },
		{ "--mod", BHLAB_ACT_MOD },
		{ "--sync", BHLAB_ACT_SYNC },
		{ "--period", BHLAB_ACT_PERIOD },
	};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (arg_given(call, flags[i].name))
			act->flags |= flags[i].flag;
	act->cpu = (uint32_t)arg_number(call, "--cpu", 0);
	act->ns = arg_number(call, verb == BHLAB_VERB_TRIGGER ? "--period" : "PERIOD", 0);
	if (verb == BHLAB_VERB_TRIGGER)
		act->count = (uint32_t)arg_number(call, "--count", 1);
	if (arg_given(call, "--on") && lab_object(lab, arg(call, "--on"), &act->queue))
		return fail(e, STATUS_REFUSED, ENOENT, "there is no queue %s in this lab",
			    arg_typed(call, "--on"));
	return 0;
}

/* EOPNOTSUPP has two causes: the verb, or something that was said with it or not. */
static int unsupported(const struct call *call, struct lab *lab, uint32_t id, uint32_t verb,
		       struct error *e)
{
	struct bhlab_item_state state = { .size = sizeof(state), .id = id };
	const struct bhlab_mech_info *mech = NULL;

	if (!lab_ioctl(lab, BHLAB_IOC_ITEM_STATE, &state) && !lab_mechs(lab, e))
		mech = lab_mech(lab, state.out_mech);
	if (!mech)
		return refused(e, call, EOPNOTSUPP);
	if (!((mech->out_native | mech->out_emulated) & 1U << verb))
		return fail(e, STATUS_REFUSED, EOPNOTSUPP, "%s has no %s on this kernel",
			    mech->out_name, call->cmd->name);
	if (verb == BHLAB_VERB_CANCEL)
		return fail(e, STATUS_REFUSED, EOPNOTSUPP,
			    "the kernel cancels a %s only with --sync", mech->out_name);
	if (mech->mech != BHLAB_MECH_WORK && mech->mech != BHLAB_MECH_RCU_WORK)
		return fail(e, STATUS_REFUSED, EOPNOTSUPP, "%s does not take %s", mech->out_name,
			    arg_given(call, "--on") ? "--on" : "this option");
	if (!(lab->info.out_features & BHLAB_FEATURE_BH_QUEUE))
		return fail(e, STATUS_REFUSED, EOPNOTSUPP, "this kernel has no BH workqueues");
	return fail(e, STATUS_REFUSED, EOPNOTSUPP,
		    "on a BH queue a delay takes no CPU: that might be offline when the delay is "
		    "over");
}

static int bad_period(const struct lab *lab, struct error *e)
{
	char shortest[32];

	period_exact(lab->info.out_period_ns, shortest, sizeof(shortest));
	return fail(e, STATUS_REFUSED, EINVAL,
		    "the period must be %s or more, and twice what the top half spins; the count 1 to "
		    "%u", shortest,
		    BHLAB_TRIGGER_MAX);
}

static void describe(struct result *result, const struct bhlab_act *act, uint32_t verb,
		     const char *name)
{
	char period[32];

	result->word = word_name(&result_words, act->out_result);
	result->doc = json_object_new_object();
	json_add_text(result->doc, "result", result->word);
	json_add_text(result->doc, "item", name);
	json_add_number(result->doc, "id", act->id);
	json_add_bool(result->doc, "emulated", act->out_flags & BHLAB_OUT_EMULATED);
	json_add_bool(result->doc, "waited", act->out_flags & BHLAB_OUT_WAITED);
	if (verb == BHLAB_VERB_DISABLE || verb == BHLAB_VERB_ENABLE)
		json_add_number(result->doc, "depth", act->out_depth);
	if (verb != BHLAB_VERB_TRIGGER)
		return;
	json_add_number(result->doc, "count", act->count);
	json_add_number(result->doc, "set", act->out_count);
	if (!(act->flags & BHLAB_ACT_PERIOD))
		return;
	period_exact(act->ns, period, sizeof(period));
	json_add_number(result->doc, "period_ns", act->ns);
	json_add_text(result->doc, "period", period);
}

static int run_verb(const struct call *call, struct lab *lab, struct result *result)
{
	struct bhlab_act act = { .size = sizeof(act) };
	uint32_t verb;
	int err;

	word_value(&verb_words, call->cmd->name, &verb);
	if (call_object(call, lab, call->cmd->args[0].name, &act.id, &result->error) ||
	    fill(&act, call, lab, verb, &result->error))
		return -1;
	err = lab_ioctl(lab, requests[verb], &act);
	if (err == EINVAL && arg_given(call, "--period"))
		return bad_period(lab, &result->error);
	if (err == EOPNOTSUPP)
		return unsupported(call, lab, act.id, verb, &result->error);
	if (err == EPERM && act.flags & BHLAB_ACT_QUEUE)
		return fail(&result->error, STATUS_REFUSED, err,
			    "an item cannot move from or to one of the kernel's own queues");
	if (err)
		return refused(&result->error, call, err);
	describe(result, &act, verb, lab_name(lab, act.id));
	return 0;
}

static int run_deassert(const struct call *call, struct lab *lab, struct result *result)
{
	struct bhlab_act act = { .size = sizeof(act), .flags = BHLAB_ACT_DEASSERT };
	int err;

	if (call_object(call, lab, "ITEM", &act.id, &result->error))
		return -1;
	err = lab_ioctl(lab, BHLAB_IOC_TRIGGER, &act);
	if (err)
		return refused(&result->error, call, err);
	result->word = word_name(&result_words, act.out_result);
	result->doc = json_object_new_object();
	json_add_text(result->doc, "result", result->word);
	json_add_text(result->doc, "item", lab_name(lab, act.id));
	json_add_number(result->doc, "id", act.id);
	json_add_bool(result->doc, "asserted", act.out_count);
	return 0;
}

static int check_wait(const struct call *call, struct error *e)
{
	uint32_t condition = (uint32_t)arg_number(call, "CONDITION", 0);
	bool counts = condition == BHLAB_COND_RUNS || condition == BHLAB_COND_STARTED;

	if (counts && !arg_given(call, "N"))
		return usage(e, "how many runs? N is missing");
	if (!counts && arg_given(call, "N"))
		return usage(e, "'%s' is one word too many", arg_typed(call, "N"));
	return 0;
}

static int interrupted(struct error *e)
{
	return fail(e, STATUS_SIGNAL + signals_caught(), EINTR, "interrupted");
}

static int run_wait(const struct call *call, struct lab *lab, struct result *result)
{
	struct bhlab_wait wait = {
		.size = sizeof(wait),
		.condition = (uint32_t)arg_number(call, "CONDITION", 0),
		.value = arg_number(call, "N", 0),
		.timeout_ns = arg_number(call, "--timeout", WAIT_NS),
	};
	const char *timeout = arg_given(call, "--timeout") ? arg_typed(call, "--timeout") : "10s";
	int err;

	if (call_object(call, lab, "ITEM", &wait.id, &result->error))
		return -1;
	err = lab_ioctl(lab, BHLAB_IOC_WAIT, &wait);
	if (err == EINTR)
		return interrupted(&result->error);
	if (err == ETIMEDOUT)
		return fail(&result->error, STATUS_TIMEOUT, err,
			    "the condition was not met within %s", timeout);
	if (err)
		return refused(&result->error, call, err);
	result->word = arg_typed(call, "CONDITION");
	result->doc = json_object_new_object();
	json_add_text(result->doc, "result", result->word);
	json_add_text(result->doc, "item", lab_name(lab, wait.id));
	json_add_number(result->doc, "id", wait.id);
	return 0;
}

static int run_sleep(const struct call *call, struct lab *lab, struct result *result)
{
	uint64_t ns = arg_number(call, "PERIOD", 0);
	struct timespec time = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	return clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL) ? interrupted(&result->error) : 0;
}

#define SPINS "the kernel would spin in the softirq until it is enabled, which needs CAP_SYS_ADMIN"

static const struct meaning activating[] = {
	{ EINVAL, "an item cannot move between BH queues and other queues" },
	{ EAGAIN, "the queue is draining" },
	{ EPERM, "it is a disabled tasklet: " SPINS },
	{ EBUSY, "so many runs of it are about to start that the driver cannot account "
	  "for another one" },
	{ 0 },
};

const struct command command_queue = {
	.name = "queue",
	.summary = "activate an item now",
	.args = ARGS(
		{ "ITEM", &arg_item },
		{ "--cpu", &arg_cpu, "use this CPU" },
		{ "--on", &arg_queue, "work: use this workqueue, this time only" }),
	.notes = "Prints queued, already-pending or disabled.\n",
	.meanings = activating,
	.lab = LAB_STATE,
	.in_scenario = true,
	.answers = &result_words,
	.run = run_verb,
};

const struct command command_delay = {
	.name = "delay",
	.summary = "activate an item after a time",
	.args = ARGS(
		{ "ITEM", &arg_item },
		{ "PERIOD", &arg_period },
		{ "--mod", &arg_flag, "replace the delay of a pending activation" },
		{ "--cpu", &arg_cpu, "use this CPU" },
		{ "--on", &arg_queue, "work: use this workqueue, this time only" }),
	.notes = "Prints queued, already-pending, modified or disabled.\n",
	.meanings = activating,
	.lab = LAB_STATE,
	.in_scenario = true,
	.answers = &result_words,
	.run = run_verb,
};

const struct command command_cancel = {
	.name = "cancel",
	.summary = "cancel a pending activation",
	.args = ARGS(
		{ "ITEM", &arg_item },
		{ "--sync", &arg_flag, "wait for a running handler" }),
	.notes = "Prints was-pending or idle.\n",
	.meanings = MEANINGS(
		{ EBUSY, "the kernel cannot cancel it now: a disabled line keeps a raise to "
		  "replay it, a level line stays asserted until it is deasserted, and an "
		  "hrtimer that is queued while its function runs needs --sync" }),
	.lab = LAB_STATE,
	.in_scenario = true,
	.answers = &result_words,
	.run = run_verb,
};

const struct command command_flush = {
	.name = "flush",
	.summary = "wait for the last activation of an item, or for a queue",
	.args = ARGS(
		{ "OBJECT", &arg_queue }),
	.notes = "Prints waited or idle. The delay of a delayed item ends at once.\n",
	.meanings = MEANINGS(
		{ EBUSY, "it is disabled and pending, and the call would wait forever" },
		{ EPERM, "it is the kernel's own queue: only queues of the lab can be flushed" },
		{ ENOENT, "there is no item or queue {OBJECT} in this lab" }),
	.lab = LAB_STATE,
	.in_scenario = true,
	.answers = &result_words,
	.run = run_verb,
};

const struct command command_drain = {
	.name = "drain",
	.summary = "wait until a queue stays empty",
	.args = ARGS(
		{ "QUEUE", &arg_queue }),
	.notes =
	"Its own items may still queue on it, and are waited for; all else is refused.\n",
	.meanings = MEANINGS(
		{ EPERM, "it is the kernel's own queue: only queues of the lab can be drained" },
		{ EBUSY, "an activation is delayed or waits for a grace period, and would come "
		  "too late" },
		{ EAGAIN, "it is draining already" },
		{ ENOENT, "there is no queue {QUEUE} in this lab" }),
	.lab = LAB_STATE,
	.in_scenario = true,
	.answers = &result_words,
	.run = run_verb,
};

const struct command command_disable = {
	.name = "disable",
	.summary = "prevent an item from running; nests",
	.args = ARGS(
		{ "ITEM", &arg_item },
		{ "--sync", &arg_flag, "wait for a running handler" }),
	.notes = "Prints idle, or was-pending if it has cancelled a pending work item.\n",
	.meanings = MEANINGS(
		{ EPERM, "it is a scheduled tasklet: " SPINS },
		{ EBUSY, "irq_poll_disable() would wait: for what is pending, which --sync allows, or "
		  "until it is enabled" },
		{ EOVERFLOW, "it is disabled 255 times already" }),
	.lab = LAB_STATE,
	.in_scenario = true,
	.answers = &result_words,
	.run = run_verb,
};

const struct command command_enable = {
	.name = "enable",
	.summary = "undo one disable",
	.args = ARGS(
		{ "ITEM", &arg_item }),
	.meanings = MEANINGS(
		{ EINVAL, "not disabled" }),
	.lab = LAB_STATE,
	.in_scenario = true,
	.answers = &result_words,
	.run = run_verb,
};

const struct command command_trigger = {
	.name = "trigger",
	.summary = "raise the line of an irq",
	.args = ARGS(
		{ "ITEM", &arg_item },
		{ "--cpu", &arg_cpu, "use this CPU" },
		{ "--count", &arg_u32, "raise it this many times; default 1" },
		{ "--period", &arg_period,
		  "interval between raises; the command returns at once" }),
	.notes = "Prints queued, or already-pending if the line was pending each time.\n",
	.meanings = MEANINGS(
		{ EBUSY, "a trigger with a period is active; cancel it first" },
		{ EINVAL, "the count must be 1 to 1000000" }),
	.lab = LAB_STATE,
	.in_scenario = true,
	.answers = &result_words,
	.run = run_verb,
};

const struct command command_deassert = {
	.name = "deassert",
	.summary = "deassert the line of an irq that was added with --flow level",
	.args = ARGS(
		{ "ITEM", &arg_item }),
	.notes =
	"A trigger asserts such a line, and its handler runs until the line is deasserted.\n"
	"Prints was-pending if that took back an interrupt that was not handled, or idle.\n",
	.meanings = MEANINGS(
		{ EOPNOTSUPP, "it has no line that stays asserted: add it with --flow level" }),
	.lab = LAB_STATE,
	.in_scenario = true,
	.answers = &result_words,
	.run = run_deassert,
};

const struct command command_wait = {
	.name = "wait",
	.summary = "wait until an item is idle, pending or running, or N runs have started or ended",
	.args = ARGS(
		{ "ITEM", &arg_item },
		{ "CONDITION", .words = &condition_words },
		{ "N", &arg_u64, .optional = true },
		{ "--timeout", &arg_period, "give up after this time; default 10s" }),
	.notes =
	"CONDITION is idle, pending or running; or started N or ended N, which stay true and so\n"
	"do not miss short runs. runs N is the same as ended N. Exits 124 on timeout.\n",
	.meanings = MEANINGS(
		{ ENOENT, "there is no item {ITEM} in this lab, or it went away meanwhile" }),
	.lab = LAB_STATE,
	.in_scenario = true,
	.answers = &condition_words,
	.check = check_wait,
	.run = run_wait,
};

const struct command command_sleep = {
	.name = "sleep",
	.summary = "do nothing for a time",
	.args = ARGS(
		{ "PERIOD", &arg_period }),
	.lab = LAB_NONE,
	.in_scenario = true,
	.run = run_sleep,
};
