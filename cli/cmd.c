// SPDX-License-Identifier: GPL-2.0-only
/* The table of all commands, and how one is run and its result printed. */
#include <json.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "lab.h"
#include "out.h"

#define STEPS_HELP								\
	"STEPS are separated by ';' or ','. There are\n"			\
	"  spin PERIOD                     be busy\n"				\
	"  sleep PERIOD                    sleep; process context only\n"	\
	"  queue ITEM [--cpu CPU]          queue an item\n"			\
	"  delay ITEM PERIOD [--cpu CPU]   activate an item after a time\n"	\
	"  trigger ITEM                    raise the line of an irq\n"		\
	"  requeue [N]                     queue itself again, up to N times\n"	\
	"  mark N                          record an event with this number\n"	\
	"  thread                          irq: wake the thread; top half only\n" \
	"  none                            irq: answer IRQ_NONE; top half only\n" \
	"An ITEM need not exist yet: the step is skipped until it does.\n"

const struct argdef no_args[] = { { 0 } };

static const struct argdef args_item[] = {
	{ "ITEM", ARG_ITEM, 0, false, NULL },
	{ 0 },
};

static const struct argdef args_add[] = {
	{ "MECHANISM", ARG_MECH, 0, false, NULL },
	{ "NAME", ARG_NAME, 0, false, NULL },
	{ "--do", ARG_STEPS, 0, false, "its program; of an irq, the same as --top" },
	{ "--top", ARG_STEPS, 0, false, "irq: the program of its top half" },
	{ "--thread", ARG_STEPS, 0, false, "irq: give it a thread, with this program" },
	{ "--queue", ARG_QUEUE, 0, false, "work: the workqueue; percpu if none is named" },
	{ "--cpu", ARG_CPU, 0, false, "queue or trigger on this CPU, unless the verb names one" },
	{ "--data", ARG_TEXT, 0, false, "a payload that comes back with each run" },
	{ "--cookie", ARG_NUMBER, 0, false, "a number that comes back with each event" },
	{ "--queued", ARG_FLAG, 0, false, "record QUEUED events too" },
	{ 0 },
};

static const struct argdef args_queue[] = {
	{ "ITEM", ARG_ITEM, 0, false, NULL },
	{ "--cpu", ARG_CPU, 0, false, "on this CPU" },
	{ "--on", ARG_QUEUE, 0, false, "work: on this workqueue, this time" },
	{ 0 },
};

static const struct argdef args_delay[] = {
	{ "ITEM", ARG_ITEM, 0, false, NULL },
	{ "PERIOD", ARG_PERIOD, 0, false, NULL },
	{ "--mod", ARG_FLAG, 0, false, "replace the delay of a pending activation" },
	{ "--cpu", ARG_CPU, 0, false, "on this CPU" },
	{ "--on", ARG_QUEUE, 0, false, "work: on this workqueue, this time" },
	{ 0 },
};

static const struct argdef args_sync[] = {
	{ "ITEM", ARG_ITEM, 0, false, NULL },
	{ "--sync", ARG_FLAG, 0, false, "wait for a running handler" },
	{ 0 },
};

static const struct argdef args_trigger[] = {
	{ "ITEM", ARG_ITEM, 0, false, NULL },
	{ "--cpu", ARG_CPU, 0, false, "on this CPU" },
	{ "--count", ARG_SMALL, 0, false, "this many times; once if not given" },
	{ 0 },
};

static const struct argdef args_wait[] = {
	{ "ITEM", ARG_ITEM, 0, false, NULL },
	{ "CONDITION", ARG_CONDITION, 0, false, NULL },
	{ "N", ARG_NUMBER, 0, true, NULL },
	{ "--timeout", ARG_PERIOD, 0, false, "give up after this time; 10s if not given" },
	{ 0 },
};

static const struct argdef args_events[] = {
	{ "--follow", ARG_FLAG, 'f', false, "wait for more, and print each as it comes" },
	{ "--count", ARG_NUMBER, 'n', false, "stop after this many" },
	{ "--item", ARG_ITEM, 0, false, "only of this item" },
	{ "--kind", ARG_KIND, 0, false, "only of this kind" },
	{ "--idle-timeout", ARG_PERIOD, 0, false, "with -f: stop when none came for this long" },
	{ "--read", ARG_FLAG, 0, false, "take them out of the ring by read()" },
	{ "--absolute", ARG_FLAG, 0, false, "times of CLOCK_MONOTONIC, not since the first" },
	{ 0 },
};

static const struct argdef args_ring[] = {
	{ "--records", ARG_SMALL, 0, false, "each CPU's sub-ring is to hold this many; a power of two" },
	{ "--watermark", ARG_SMALL, 0, false, "how many unread records wake a poller" },
	{ 0 },
};

static const struct argdef args_batch[] = {
	{ "FILE", ARG_FILE, 0, true, NULL },
	{ "--keep-going", ARG_FLAG, 'k', false, "go on after a failure" },
	{ 0 },
};

static const struct argdef args_exec[] = {
	{ "CMD", ARG_REST, 0, false, NULL },
	{ 0 },
};

static const struct argdef args_sleep[] = {
	{ "PERIOD", ARG_PERIOD, 0, false, NULL },
	{ 0 },
};

static const struct argdef args_help[] = {
	{ "COMMAND", ARG_COMMAND, 0, true, NULL },
	{ 0 },
};

static const struct argdef args_completion[] = {
	{ "SHELL", ARG_SHELL, 0, false, NULL },
	{ 0 },
};

const struct command commands[] = {
	{ "info", "what this driver and kernel are, and their limits", no_args,
	  LAB_QUERY, NULL, run_info, print_info, NULL },
	{ "mechanisms", "which mechanisms there are, where they run, and their verbs", no_args,
	  LAB_QUERY, NULL, run_mechanisms, print_mechanisms,
	  "A verb is native (a call of the kernel), emulated (by the driver) or missing.\n" },
	{ "list", "the items of the lab", no_args,
	  LAB_STATE, NULL, run_list, print_list, NULL },
	{ "show", "all about one item", args_item,
	  LAB_STATE, NULL, run_show, print_show, NULL },
	{ "add", "make an item", args_add,
	  LAB_STATE, check_add, run_add, NULL, STEPS_HELP },
	{ "del", "stop and free an item", args_item,
	  LAB_STATE, NULL, run_del, NULL, NULL },
	{ "queue", "activate an item now", args_queue,
	  LAB_STATE, NULL, run_verb, NULL, "Says queued, already-pending or disabled.\n" },
	{ "delay", "activate an item after a time", args_delay,
	  LAB_STATE, NULL, run_verb, NULL, "Says queued, already-pending, modified or disabled.\n" },
	{ "cancel", "take a pending activation back", args_sync,
	  LAB_STATE, NULL, run_verb, NULL, "Says was-pending or idle.\n" },
	{ "flush", "wait for the last activation", args_item,
	  LAB_STATE, NULL, run_verb, NULL, "Says waited or idle. What is on a delay is fired at once.\n" },
	{ "disable", "forbid an item to run; nests", args_sync,
	  LAB_STATE, NULL, run_verb, NULL, "Says was-pending (of work, which is cancelled by it) or idle.\n" },
	{ "enable", "allow it again", args_item,
	  LAB_STATE, NULL, run_verb, NULL, NULL },
	{ "trigger", "raise the line of an irq", args_trigger,
	  LAB_STATE, NULL, run_verb, NULL, "Says queued, or already-pending if the line was raised all the time.\n" },
	{ "wait", "wait until an item is idle, pending or running, or has run N times", args_wait,
	  LAB_STATE, check_wait, run_wait, NULL,
	  "CONDITION is idle, pending, running, or runs N. Exits 124 when the time is over.\n" },
	{ "events", "what has happened", args_events,
	  LAB_STATE, check_events, run_events, NULL,
	  "Shows all that is in the ring, and leaves it there unless --read is given.\n" },
	{ "ring", "set up the event ring, or ask how it is", args_ring,
	  LAB_STATE, NULL, run_ring, print_ring, NULL },
	{ "batch", "run commands from a file, all in one lab", args_batch,
	  LAB_NONE, NULL, run_batch, NULL,
	  "One command a line, as in the shell but without 'bhctl'; '#' begins a comment.\n"
	  "Without FILE, or with '-', reads standard input. Stops at the first failure.\n" },
	{ "exec", "open a lab and run a program in it", args_exec,
	  LAB_NONE, NULL, run_exec, NULL,
	  "All bhctl commands inside share the lab, by BHLAB_FD. Exits as the program does.\n" },
	{ "sleep", "do nothing for a time", args_sleep,
	  LAB_NONE, NULL, run_sleep, NULL, NULL },
	{ "completion", "print completions for a shell (bash)", args_completion,
	  LAB_NONE, NULL, run_completion, NULL, NULL },
	{ "help", "tell about a command, or all of them", args_help,
	  LAB_NONE, NULL, run_help, NULL, NULL },
	{ 0 },
};

const struct command *command_find(const char *name)
{
	for (const struct command *cmd = commands; cmd->name; cmd++)
		if (!strcmp(cmd->name, name))
			return cmd;
	return NULL;
}

int call_item(const struct call *call, const struct lab *lab, uint32_t *id, struct error *e)
{
	int err = lab_item(lab, arg(call, "ITEM"), id);

	return err ? refused(e, call, err) : 0;
}

static int prepare_lab(const struct call *call, struct lab *lab, struct error *e)
{
	if (call->cmd->lab == LAB_NONE || lab->fd >= 0)
		return 0;
	if (lab_open(lab, e))
		return -1;
	if (call->cmd->lab == LAB_STATE && lab->owned && !lab->kept)
		note("there is no lab to share, so this one ends with this command, and all in it; %s",
		     "use 'bhctl exec' or 'bhctl batch' to keep one");
	return 0;
}

int call_run(const struct call *call, struct lab *lab, struct result *result)
{
	*result = (struct result){ 0 };
	if (call->help) {
		help_command(call->cmd);
		return 0;
	}
	if (prepare_lab(call, lab, &result->error))
		return -1;
	return call->cmd->run(call, lab, result);
}

/* "queued (emulated)", "was-pending (waited for the running handler)" */
static void print_word(const struct result *result)
{
	json_object *doc = result->doc;
	const char *separator = " (";

	fputs(result->word, stdout);
	if (json_flag(doc, "/emulated"))
		printf("%semulated", separator), separator = ", ";
	if (json_flag(doc, "/waited"))
		printf("%swaited for the running handler", separator), separator = ", ";
	if (json_object_object_get_ex(doc, "depth", NULL))
		printf("%sdepth %d", separator, (int)json_number(doc, "/depth")), separator = ", ";
	if (json_number(doc, "/count") > 1)
		printf("%s%d of %d", separator, (int)json_number(doc, "/set"),
		       (int)json_number(doc, "/count")), separator = ", ";
	puts(*separator == ',' ? ")" : "");
}

static void print_text(const struct call *call, const struct result *result)
{
	if (call->cmd->print)
		call->cmd->print(result);
	else if (options.format == FORMAT_PARSABLE)
		puts(result->word);
	else if (!options.quiet)
		print_word(result);
}

int result_print(const struct call *call, const struct result *result)
{
	if (result->error.text[0])
		out_error(call, &result->error);
	else if (result->doc && options.format == FORMAT_JSON)
		out_json(result->doc);
	else if (result->doc)
		print_text(call, result);
	return result->error.status;
}

void result_free(struct result *result)
{
	json_object_put(result->doc);
	result->doc = NULL;
}
