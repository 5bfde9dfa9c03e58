// SPDX-License-Identifier: GPL-2.0-only
/* The commands of bhctl: their words, their help, and who does it. */
#include <json.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "lab/lab.h"
#include "base/words.h"

#define STEPS_HELP								\
	"STEPS are separated by ';' or ','. There are\n"			\
	"  spin PERIOD                     be busy\n"				\
	"  sleep PERIOD                    sleep; process context only\n"	\
	"  queue ITEM [--cpu CPU]          queue an item\n"			\
	"  delay ITEM PERIOD [--cpu CPU]   activate an item after a time\n"	\
	"  trigger ITEM                    raise the line of an irq\n"		\
	"  requeue [N]                     queue itself again, up to N times\n"	\
	"  cancel ITEM                     take its pending activation back\n"	\
	"  disable ITEM, enable ITEM       without waiting for its handler\n"	\
	"  mark N                          record an event with this number\n"	\
	"  lock LOCK ... unlock LOCK       hold a lock; see 'add lock'\n"	\
	"  bh_off ... bh_on                no bottom halves; process context only\n" \
	"  irq_off ... irq_on              no interrupts; not in hardirq context\n" \
	"  push FIFO N                     what has no room is dropped, and counted\n" \
	"  pop FIFO [N]                    all of it if no N is given\n"		\
	"  thread                          irq: wake the thread; top half only\n" \
	"  none                            irq: answer IRQ_NONE; top half only\n" \
	"An ITEM need not exist yet: the step is skipped until it does. Brackets are\n" \
	"nested, without sleep inside unless they are mutexes; locks are taken in the\n" \
	"order in which they were made.\n"

static const struct argdef args_item[] = {
	{ "ITEM", ARG_ITEM, 0, false, NULL },
	{ 0 },
};

static const struct argdef args_object[] = {
	{ "OBJECT", ARG_ITEM, 0, false, NULL },
	{ 0 },
};

static const struct argdef args_flush[] = {
	{ "OBJECT", ARG_QUEUE, 0, false, NULL },
	{ 0 },
};

static const struct argdef args_drain[] = {
	{ "QUEUE", ARG_QUEUE, 0, false, NULL },
	{ 0 },
};

static const struct argdef args_add_queue[] = {
	{ "NAME", ARG_NAME, 0, false, NULL },
	{ "--percpu", ARG_FLAG, 0, false, "alloc_workqueue() with WQ_PERCPU" },
	{ "--unbound", ARG_FLAG, 0, false, "alloc_workqueue() with WQ_UNBOUND" },
	{ "--bh", ARG_FLAG, 0, false, "alloc_workqueue() with WQ_BH: its items run in a softirq" },
	{ "--ordered", ARG_FLAG, 0, false, "alloc_ordered_workqueue()" },
	{ "--legacy", ARG_FLAG, 0, false, "create_workqueue()" },
	{ "--singlethread", ARG_FLAG, 0, false, "create_singlethread_workqueue()" },
	{ "--highpri", ARG_FLAG, 0, false, "WQ_HIGHPRI" },
	{ "--freezable", ARG_FLAG, 0, false, "WQ_FREEZABLE" },
	{ "--mem-reclaim", ARG_FLAG, 0, false, "WQ_MEM_RECLAIM: it has a rescuer" },
	{ "--cpu-intensive", ARG_FLAG, 0, false, "WQ_CPU_INTENSIVE" },
	{ "--max-active", ARG_SMALL, 0, false, "how many items may run at a time; 0: the kernel's default" },
	{ 0 },
};

static const struct argdef args_add_lock[] = {
	{ "NAME", ARG_NAME, 0, false, NULL },
	{ "--mutex", ARG_FLAG, 0, false, "a mutex, not a spin lock" },
	{ "--context", ARG_LOCK_CONTEXT, 0, false, "the strictest that takes it; task if not given" },
	{ 0 },
};

static const struct argdef args_add_fifo[] = {
	{ "NAME", ARG_NAME, 0, false, NULL },
	{ "--depth", ARG_SMALL, 0, false, "how many entries it holds; 16 if not given" },
	{ 0 },
};

static const struct argdef args_add[] = {
	{ "MECHANISM", ARG_MECH, 0, false, NULL },
	{ "NAME", ARG_NAME, 0, false, NULL },
	{ "--do", ARG_STEPS, 0, false, "its program; of an irq, the same as --top" },
	{ "--top", ARG_STEPS, 0, false, "irq: the program of its top half" },
	{ "--thread", ARG_STEPS, 0, false, "irq: give it a thread, with this program" },
	{ "--queue", ARG_QUEUE, 0, false, "work, rcu_work: the workqueue; percpu if none is named" },
	{ "--cpu", ARG_CPU, 0, false, "queue or trigger on this CPU, unless the verb names one" },
	{ "--data", ARG_TEXT, 0, false, "a payload that comes back with each run" },
	{ "--cookie", ARG_NUMBER, 0, false, "a number that comes back with each event" },
	{ "--queued", ARG_FLAG, 0, false, "record QUEUED events too" },
	{ "--hard", ARG_FLAG, 0, false, "irq_work, hrtimer: in hardirq context on RT, too" },
	{ "--lazy", ARG_FLAG, 0, false, "irq_work: at the next tick" },
	{ "--irqsafe", ARG_FLAG, 0, false, "timer: with interrupts off" },
	{ "--pinned", ARG_FLAG, 0, false, "timers: on the CPU that starts it" },
	{ "--static", ARG_FLAG, 0, false, "work, tasklets: the instance that the module declares" },
	{ "--nice", ARG_NICE, 0, false, "kthread_work: nice value of its thread" },
	{ "--priority", ARG_SMALL, 0, false, "kthread_work: SCHED_FIFO priority of its thread" },
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
	{ "--period", ARG_PERIOD, 0, false, "this long apart, while the command has returned long since" },
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

static const struct argdef args_monitor[] = {
	{ "--count", ARG_NUMBER, 'n', false, "stop after this many" },
	{ "--lab", ARG_SMALL, 0, false, "only of the lab with this number, which 'info' tells" },
	{ "--item", ARG_ITEM, 0, false, "only of items with this name or #id, in any lab" },
	{ "--mechanism", ARG_MECH, 0, false, "only of items of this mechanism" },
	{ "--kind", ARG_KIND, 0, false, "only of this kind" },
	{ "--idle-timeout", ARG_PERIOD, 0, false, "stop when none came for this long" },
	{ "--format", ARG_FORMAT, 0, false, "print this for each; {KEY} stands for what -j has under KEY" },
	{ "--buffer", ARG_SMALL, 0, false, "bytes for what has come and is not read yet; 8388608 if not given" },
	{ "--banner", ARG_FLAG, 0, false, "print a line when all that happens from now on will be seen" },
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

static const struct argdef args_run[] = {
	{ "FILE|DIR", ARG_PATHS, 0, false, NULL },
	{ "--verbose", ARG_FLAG, 'v', false, "all about each, and not only about those that fail" },
	{ "--tap", ARG_FLAG, 0, false, "KTAP, a subtest for each expectation" },
	{ "--tour", ARG_FLAG, 0, false, "the scenarios that DIR/tour lists, in its order, with a pause after each" },
	{ 0 },
};

#define LATENCY_HELP									\
	"MECHANISM is one of those of 'bhctl mechanisms', bh_work (work on a BH queue), or\n"	\
	"all, which is what is measured if none is named. They take turns, one activation at\n" \
	"a time on one CPU after the other, for 5s unless -l or -D is given.\n"			\
	"\n"											\
	"queue-to-start is from the moment at which the driver calls the kernel to the first\n" \
	"instruction of the program, both by ktime_get_mono_fast_ns() in the kernel; of an irq\n" \
	"from raising the line to its top half. A timer has to wait for a tick, RCU for a\n"	\
	"grace period. run-time is that of the program, trigger-to-thread from raising a line\n" \
	"to the start of its thread. Not in it: the way of bhctl into the driver, and from the\n" \
	"device to the CPU, since lines are simulated by an irq_work.\n"			\
	"\n"											\
	"--from task: bhctl queues on the CPU that is measured, and sleeps then: a kworker\n"	\
	"waits until it does. --from irq: the top half of a line that bhctl raises there has a\n" \
	"step that queues or triggers. --from other-cpu: bhctl queues from another CPU; that\n"	\
	"is for work, bh_work and timer, whose kernel call takes a CPU.\n"			\
	"\n"											\
	"With -b or -E prints what rtla timerlat hist does, else a table; percentiles are never\n" \
	"too low and at most 1/128 too high. --json FILE is what cyclictest writes, with ns.\n"	\
	"The command of --on-threshold finds BHLAB_MECHANISM, BHLAB_METRIC, BHLAB_CPU,\n"	\
	"BHLAB_VALUE_NS, BHLAB_THRESHOLD_NS and BHLAB_TIME_NS (CLOCK_MONOTONIC). Exits 1 if the\n" \
	"threshold is exceeded, or if the driver has accepted what was neither recorded nor lost.\n"

static const struct argdef args_latency[] = {
	{ "MECHANISM", ARG_MECHS, 0, true, NULL },
	{ "--cpus", ARG_CPUS, 'c', false, "on these CPUs, as in 0,2-3; the first if not given" },
	{ "--loops", ARG_NUMBER, 'l', false, "so many activations of each on each CPU" },
	{ "--duration", ARG_PERIOD, 'D', false, "for so long, all in all" },
	{ "--interval", ARG_PERIOD, 'i', false, "from one activation to the next; 1ms if not given" },
	{ "--priority", ARG_SMALL, 'p', false, "kthread_work: SCHED_FIFO priority of its thread" },
	{ "--do", ARG_STEPS, 0, false, "the program of each; none if not given" },
	{ "--load", ARG_LOAD, 0, false, "meanwhile a work item on this CPU does this without end" },
	{ "--from", ARG_FROM, 0, false, "what queues them; task if not given" },
	{ "--bucket-size", ARG_PERIOD, 'b', false, "a histogram, with buckets of this; 1us with -E" },
	{ "--entries", ARG_SMALL, 'E', false, "a histogram, with so many buckets; 256 with -b" },
	{ "--json", ARG_FILE, 0, false, "write this file, as cyclictest --json does" },
	{ "--threshold", ARG_PERIOD, 'T', false, "end, and exit 1, when a latency is above this" },
	{ "--on-threshold", ARG_LINE, 0, false, "and have the shell run this, once" },
	{ 0 },
};

static const struct argdef args_exec[] = {
	{ "CMD", ARG_REST, 0, false, NULL },
	{ 0 },
};

#define RECORD_HELP									\
	"Like 'bhctl exec', but all that happens in the lab goes into FILE, until CMD has ended\n" \
	"and what it has queued has run. 'bhctl report FILE' tells about it. The lab is a new\n" \
	"one, in a batch the batch's; with --fd it is that one, from now on. Exits as CMD does.\n" \
	"The first SIGINT or SIGTERM ends CMD and the recording, which is kept; the second one\n" \
	"bhctl itself: then FILE can be read as far as it got.\n"

static const struct argdef args_record[] = {
	{ "--output", ARG_FILE, 'o', false, "record into this file; must be given" },
	{ "--records", ARG_SMALL, 0, false, "each CPU's sub-ring is to hold this many; a power of two" },
	{ "--settle", ARG_PERIOD, 0, false, "how long to wait for what CMD has queued; 1s if not given" },
	{ "CMD", ARG_REST, 0, false, NULL },
	{ 0 },
};

static const struct argdef args_report[] = {
	{ "FILE", ARG_FILE, 0, false, NULL },
	{ "--perfetto", ARG_FILE, 0, false, "write a trace for ui.perfetto.dev into this file" },
	{ "--svg", ARG_FILE, 0, false, "have gnuplot draw distributions and a timeline into this file" },
	{ "--csv", ARG_FILE, 0, false, "write all fields of all records into this file" },
	{ 0 },
};

static const struct argdef args_compare[] = {
	{ "A", ARG_FILE, 0, false, NULL },
	{ "B", ARG_FILE, 0, false, NULL },
	{ 0 },
};

static const struct argdef args_sleep[] = {
	{ "PERIOD", ARG_PERIOD, 0, false, NULL },
	{ 0 },
};

static const struct argdef args_help[] = {
	{ "COMMAND", ARG_COMMAND, 0, true, NULL },
	{ "OBJECT", ARG_OBJECT, 0, true, NULL },
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
	  "A verb is native (a call of the kernel), emulated (by the driver) or missing.\n"
	  "CONTEXT is where the program runs on this kernel as it was booted; that of work on\n"
	  "a BH queue runs in a softirq.\n" },
	{ "list", "the items and other objects of the lab", no_args,
	  LAB_STATE, NULL, run_list, print_list, NULL },
	{ "show", "all about one item, queue, lock or FIFO", args_object,
	  LAB_STATE, NULL, run_show, print_show, NULL },
	{ "add", "make an item", args_add,
	  LAB_STATE, check_add, run_add, NULL, STEPS_HELP, .answer = "added" },
	{ "add queue", "make a workqueue", args_add_queue,
	  LAB_STATE, check_add_queue, run_add_queue, NULL,
	  "One of the first six, --percpu if none. With --bh only --highpri; with --ordered\n"
	  "not --cpu-intensive; with --legacy and --singlethread nothing else.\n", .answer = "added" },
	{ "add lock", "make a lock for programs", args_add_lock,
	  LAB_STATE, NULL, run_add_lock, NULL,
	  "A spin lock is taken with bottom halves off if a softirq takes it, too, and with\n"
	  "interrupts off if a hardirq does. Locks are taken in the order of their creation.\n", .answer = "added" },
	{ "add fifo", "make a bounded FIFO for programs", args_add_fifo,
	  LAB_STATE, NULL, run_add_fifo, NULL, NULL, .answer = "added" },
	{ "del", "stop and free an item, queue, lock or FIFO", args_object,
	  LAB_STATE, NULL, run_del, NULL, NULL, .answer = "deleted" },
	{ "queue", "activate an item now", args_queue,
	  LAB_STATE, NULL, run_verb, NULL, "Says queued, already-pending or disabled.\n", .answers = &result_words },
	{ "delay", "activate an item after a time", args_delay,
	  LAB_STATE, NULL, run_verb, NULL, "Says queued, already-pending, modified or disabled.\n", .answers = &result_words },
	{ "cancel", "take a pending activation back", args_sync,
	  LAB_STATE, NULL, run_verb, NULL, "Says was-pending or idle.\n", .answers = &result_words },
	{ "flush", "wait for the last activation of an item, or all on a queue", args_flush,
	  LAB_STATE, NULL, run_verb, NULL, "Says waited or idle. An item that is on a delay is fired at once.\n", .answers = &result_words },
	{ "drain", "wait until a queue stays empty", args_drain,
	  LAB_STATE, NULL, run_verb, NULL, "What its own items queue on it meanwhile is waited for, too; all else is refused.\n", .answers = &result_words },
	{ "disable", "forbid an item to run; nests", args_sync,
	  LAB_STATE, NULL, run_verb, NULL, "Says was-pending (of work, which is cancelled by it) or idle.\n", .answers = &result_words },
	{ "enable", "allow it again", args_item,
	  LAB_STATE, NULL, run_verb, NULL, NULL, .answers = &result_words },
	{ "trigger", "raise the line of an irq", args_trigger,
	  LAB_STATE, NULL, run_verb, NULL, "Says queued, or already-pending if the line was raised all the time.\n", .answers = &result_words },
	{ "wait", "wait until an item is idle, pending or running, or has run N times", args_wait,
	  LAB_STATE, check_wait, run_wait, NULL,
	  "CONDITION is idle, pending, running, or runs N. Exits 124 when the time is over.\n", .answers = &condition_words },
	{ "events", "what has happened", args_events,
	  LAB_STATE, check_events, run_events, NULL,
	  "Shows all that is in the ring, and leaves it there unless --read is given.\n" },
	{ "monitor", "what happens in all labs, as it happens", args_monitor,
	  LAB_NONE, check_monitor, run_monitor, NULL,
	  "Needs CAP_NET_ADMIN. Begins with what happens from now on; never disturbs a lab.\n"
	  "Says how many events were lost on their way, if any were, where they are missing.\n" },
	{ "ring", "set up the event ring, or ask how it is", args_ring,
	  LAB_STATE, NULL, run_ring, print_ring, NULL },
	{ "batch", "run commands from a file, all in one lab", args_batch,
	  LAB_NONE, NULL, run_batch, NULL,
	  "One command a line, as in the shell but without 'bhctl'; '#' begins a comment.\n"
	  "Without FILE, or with '-', reads standard input. Stops at the first failure.\n" },
	{ "run", "run scenarios, and tell what happened", args_run,
	  LAB_NONE, check_run, run_run, NULL,
	  "A directory stands for all *.bh in and below it. Each scenario has a lab of its own.\n"
	  "tests/scenarios/README.md has the language. Exits 1 if one fails, 64 if a file is\n"
	  "wrong. BHLAB_SLOWNESS=N in the environment gives each N times the time.\n" },
	{ "latency", "how long each mechanism takes to run what is queued", args_latency,
	  LAB_QUERY, check_latency, run_latency, print_latency, LATENCY_HELP },
	{ "exec", "open a lab and run a program in it", args_exec,
	  LAB_NONE, NULL, run_exec, NULL,
	  "All bhctl commands inside share the lab, by BHLAB_FD. Exits as the program does.\n" },
	{ "record", "run a program in a lab, and record what happens there", args_record,
	  LAB_NONE, check_record, run_record, NULL, RECORD_HELP },
	{ "report", "tell what a recording says", args_report,
	  LAB_NONE, check_report, run_report, NULL,
	  "FILE is what 'bhctl record' has written. Prints tables and a timeline, unless a file is\n"
	  "to be written; '-' is standard output. Exits 64 if FILE is no recording, or damaged.\n" },
	{ "compare", "put two recordings side by side", args_compare,
	  LAB_NONE, NULL, run_compare, print_compare,
	  "A and B are both files of 'bhctl record', or both of 'bhctl latency --json'. B/A is\n"
	  "above 1 where B took longer.\n" },
	{ "sleep", "do nothing for a time", args_sleep,
	  LAB_NONE, NULL, run_sleep, NULL, NULL },
	{ "completion", "print completions for a shell (bash)", args_completion,
	  LAB_NONE, NULL, run_completion, NULL, NULL },
	{ "help", "tell about a command, or all of them", args_help,
	  LAB_NONE, check_help, run_help, NULL, NULL },
	{ 0 },
};
