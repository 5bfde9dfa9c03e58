// SPDX-License-Identifier: GPL-2.0-only
/* add of an item. */
#include <errno.h>
#include <inttypes.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "lab/lab.h"
#include "base/near.h"
#include "base/out.h"
#include "base/parse.h"
#include "lab/steps.h"
#include "base/text.h"
#include "base/words.h"

/* What goes to the driver, and what a refusal is explained with. */
struct add {
	const struct call *call;
	struct lab *lab;
	const struct bhlab_mech_info *mech;
	struct program *program;	/* NULL: no steps; the call's */
	struct program *thread;
	struct bhlab_item_create create;
};

/* It may be meant for "add queue" and the like, too. */
static int unknown_mech(const char *name, struct error *e)
{
	struct near near = near_to(name, strlen(name));
	char names[256];

	near_try_words(&near, &mech_words);
	for (const struct command *const *cmd = commands_all(); *cmd; cmd++)
		if (!strncmp((*cmd)->name, "add ", 4))
			near_try(&near, (*cmd)->name + 4);
	word_names(&mech_words, ", ", names, sizeof(names));
	if (near.best)
		return usage(e, "unknown mechanism '%s'%s", name, near_hint(&near));
	return usage(e, "unknown mechanism '%s'; there are %s", name, names);
}

static int check_add(const struct call *call, struct error *e)
{
	uint32_t mech;

	if (!word_value(&mech_words, arg_typed(call, "MECHANISM"), &mech))
		return unknown_mech(arg_typed(call, "MECHANISM"), e);
	if (arg_given(call, "--do") && arg_given(call, "--top"))
		return usage(e, "--do and --top are the same program; give one");
	return 0;
}

/* The options that only some mechanisms take, as the driver reports. */
static int check_attributes(const struct add *add, struct error *e)
{
	const struct bhlab_mech_info *mech = add->mech;
	uint32_t wrong = arg_bits(add->call, &attribute_words) & ~mech->out_attrs;

	if (wrong)	/* of several, the first in the order of the words */
		return usage(e, "%s cannot be %s", mech->out_name,
			     word_name(&attribute_words, wrong & -wrong));
	if (mech->out_thread_steps)
		return 0;
	if (arg_given(add->call, "--top"))
		return usage(e, "%s has no top half; use --do", mech->out_name);
	if (arg_given(add->call, "--thread"))
		return usage(e, "%s has no thread", mech->out_name);
	if (arg_given(add->call, "--flow"))
		return usage(e, "%s has no line, and so no flow", mech->out_name);
	return 0;
}

static int find_mech(struct add *add, struct error *e)
{
	const char *name = arg_typed(add->call, "MECHANISM");

	if (lab_mechs(add->lab, e))
		return -1;
	add->mech = lab_mech_by_name(add->lab, name);
	if (!add->mech)
		return fail(e, STATUS_ABSENT, 0, "this driver has no mechanism '%s'", name);
	return check_attributes(add, e);
}

static void fill_flags(struct bhlab_item_create *create, const struct call *call)
{
	static const struct word flags[] = {
		{ "--cpu", BHLAB_ITEM_CPU },
		{ "--thread", BHLAB_ITEM_THREAD },
		{ "--queued", BHLAB_ITEM_QUEUED },
	};

	create->flags |= arg_bits(call, &attribute_words);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (arg_given(call, flags[i].name))
			create->flags |= flags[i].value;
}

static void fill(struct add *add)
{
	struct bhlab_item_create *create = &add->create;
	const struct call *call = add->call;

	*create = (struct bhlab_item_create){
		.size = sizeof(*create),
		.mech = add->mech->mech,
		.cpu = (uint32_t)arg_number(call, "--cpu", 0),
		.nr_steps = add->program ? add->program->nr : 0,
		.nr_thread_steps = add->thread ? add->thread->nr : 0,
		.cookie = arg_number(call, "--cookie", 0),
		.nice = (int32_t)arg_number(call, "--nice", 0),
		.priority = (uint32_t)arg_number(call, "--priority", 0),
		.weight = (uint32_t)arg_number(call, "--weight", 0),
		.period_ns = arg_number(call, "--period", 0),
		.flow = (uint32_t)arg_number(call, "--flow", BHLAB_FLOW_SIM),
	};
	fill_flags(create, call);
	strcpy(create->name, arg_typed(call, "NAME"));
	if (arg_given(call, "--data"))
		strcpy(create->data, arg_typed(call, "--data"));
}

static int resolve(struct add *add)
{
	int err = program_resolve(add->program, add->lab);

	return err ? err : program_resolve(add->thread, add->lab);
}

static int create(struct add *add)
{
	struct bhlab_step *steps = program_raw(add->program);
	struct bhlab_step *thread_steps = program_raw(add->thread);
	int err;

	add->create.steps = (uintptr_t)steps;
	add->create.thread_steps = (uintptr_t)thread_steps;
	err = lab_ioctl(add->lab, BHLAB_IOC_ITEM_CREATE, &add->create);
	free(steps);
	free(thread_steps);
	return err;
}

/* A step that the driver refused. */
struct refused_step {
	const struct add *add;
	const struct step *step;
	uint32_t nr;			/* from 1, in its program */
	bool thread;
};

static struct refused_step find_step(const struct add *add)
{
	uint32_t nr = add->create.out_step, first = add->create.nr_steps;
	bool thread = nr >= first;
	const struct program *program = thread ? add->thread : add->program;

	nr -= thread ? first : 0;
	return (struct refused_step){
		add, &program->steps[nr], (uint32_t)step_number(program, nr), thread
	};
}

static bool on_bh_queue(const struct add *add)
{
	struct bhlab_queue_state state = { .size = sizeof(state), .id = add->create.queue };

	if (state.id >= BHLAB_QUEUE_PERCPU)
		return state.id >= BHLAB_QUEUE_BH;
	return state.id && !lab_ioctl(add->lab, BHLAB_IOC_QUEUE_STATE, &state) &&
	       state.out_queue_flags & BHLAB_WQ_BH;
}

static const char *runner(const struct refused_step *r)
{
	return r->thread ? "a thread" : r->add->mech->out_name;
}

/* Who runs it, and where: "tasklet runs in softirq context". */
static void add_context(const struct refused_step *r, struct text *why)
{
	const struct bhlab_mech_info *mech = r->add->mech;
	bool bh = !r->thread && on_bh_queue(r->add);
	uint32_t context = r->thread ? BHLAB_CTX_TASK :
			   bh ? BHLAB_CTX_SOFTIRQ : mech->out_written_for;
	const char *name = word_name(&context_words, context);

	if (bh)
		text_add(why, "%s on a BH queue runs in %s context", mech->out_name, name);
	else if (r->thread || mech->out_context & context)
		text_add(why, "%s runs in %s context", runner(r), name);
	else
		text_add(why, "%s is written for %s context, though this kernel runs it in %s "
			 "context", mech->out_name, name,
			 word_name(&context_words, mech->out_context));
}

static void explain_context(const struct refused_step *r, struct text *why)
{
	static const struct {
		uint32_t op;
		const char *text;
	} limits[] = {
		{ BHLAB_OP_SLEEP, "cannot sleep: " },
		{ BHLAB_OP_FLUSH, "cannot wait: " },
		{ BHLAB_OP_DRAIN, "cannot wait: " },
		{ BHLAB_OP_WAIT, "cannot wait: " },
		{ BHLAB_OP_CANCEL, "cannot wait: " },
		{ BHLAB_OP_DISABLE, "cannot wait: " },
		{ BHLAB_OP_SYNCHRONIZE_RCU, "cannot wait: " },
		{ BHLAB_OP_SYNCHRONIZE_IRQ, "cannot wait: " },
		{ BHLAB_OP_LOCK, "on RT a spin lock sleeps: " },
		{ BHLAB_OP_BH_OFF, "it is for task context only: " },
		{ BHLAB_OP_IRQ_OFF, "it is for task or softirq context only: " },
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		if (limits[i].op != r->step->raw.op)
			continue;
		text_add(why, "%s", limits[i].text);
		add_context(r, why);
		return;
	}
	text_add(why, "%s cannot do that", runner(r));
}

static void explain_lock_context(const struct refused_step *r, struct text *why)
{
	struct bhlab_lock_state lock = { .size = sizeof(lock), .id = r->step->raw.target };

	lab_ioctl(r->add->lab, BHLAB_IOC_LOCK_STATE, &lock);
	text_add(why, "the lock is for %s context, and ",
		 word_name(&lock_context_words, lock.out_context));
	add_context(r, why);
}

/* Is the mutex that @raw locks taken by the item @target, too? */
static bool takes_too(const struct lab *lab, uint32_t target, const struct bhlab_step *raw)
{
	for (uint32_t thread = 0; thread < 2; thread++) {
		struct bhlab_step steps[lab->info.out_max_steps];
		struct bhlab_item_program program = {
			.size = sizeof(program),
			.id = target,
			.thread = thread,
			.nr_steps = lab->info.out_max_steps,
			.steps = (uintptr_t)steps,
		};

		if (lab_ioctl(lab, BHLAB_IOC_ITEM_PROGRAM, &program))
			return false;
		for (uint32_t i = 0; i < program.nr_steps; i++)
			if (steps[i].op == BHLAB_OP_LOCK && steps[i].target == raw->target)
				return true;
	}
	return false;
}

/* The mutex that is held at the step, and that what it waits for takes. */
static const char *shared_mutex(const struct refused_step *r)
{
	const struct program *program = r->thread ? r->add->thread : r->add->program;

	for (const struct step *s = program->steps; s < r->step; s++)
		if (s->raw.op == BHLAB_OP_LOCK &&
		    takes_too(r->add->lab, r->step->raw.target, &s->raw))
			return s->target;
	return NULL;
}

/* The cycle, from the item to itself. */
static void explain_deadlock(const struct refused_step *r, struct text *why)
{
	const char *self = r->add->create.name, *target = r->step->target;
	const char *mutex = shared_mutex(r);

	text_add(why, "it would never end: ");
	if (r->step->raw.target == r->add->create.queue)
		text_add(why, "%s waits for queue %s, on which %s runs", self, target, self);
	else if (mutex)
		text_add(why, "%s holds %s and waits for %s, which waits for %s", self, mutex,
			 target, mutex);
	else
		text_add(why, "%s waits for %s", self, self);
}

static void add_limit(struct text *why, const char *format, uint64_t ns)
{
	char limit[32];

	period_exact(ns, limit, sizeof(limit));
	text_add(why, format, limit);
}

/* Reasons that are the same sentence for every step; of a lock, another one. */
static const struct {
	const char *text;
	const char *lock;
} sentences[] = {
	[BHLAB_WHY_THREAD] = { "the irq has no thread: give it one with --thread" },
	[BHLAB_WHY_CAPABILITY] = { "returning IRQ_NONE needs CAP_SYS_ADMIN" },
	[BHLAB_WHY_SLEEP] = { "inside brackets other than mutexes it must not sleep" },
	[BHLAB_WHY_NO_LOCKS] = {
		"items with --hard or --irqsafe, and top halves with --oneshot, take no lock: on RT a "
		"spin lock sleeps"
	},
	[BHLAB_WHY_NESTING] = {
		"it must not be opened inside of a bracket that is open here",
		"it must not be taken inside of what is open here: locks are taken in the order of "
		"their creation, "
		"mutexes first, strict contexts last, and none with interrupts off"
	},
	[BHLAB_WHY_PREFIX] = { "what closes a bracket cannot be left out: give the step that opens it "
			       "'every' or 'chance'" },
	[BHLAB_WHY_NOT_LAST] = { "it does not close the bracket that was opened last" },
	[BHLAB_WHY_NOT_CLOSED] = { "it is never closed", "it is never unlocked" },
};

static const char *sentence(uint32_t why, bool lock)
{
	if (why >= ARRAY_SIZE(sentences))
		return NULL;
	return lock && sentences[why].lock ? sentences[why].lock : sentences[why].text;
}

static void explain(const struct refused_step *r, int err, struct text *why)
{
	const struct bhlab_info *info = &r->add->lab->info;
	const struct bhlab_step *raw = &r->step->raw;
	bool lock = raw->op == BHLAB_OP_LOCK;
	const char *text;

	switch (r->add->create.out_why) {
	case BHLAB_WHY_NESTING:
		if (raw->op == BHLAB_OP_COMPLETE) {
			text_add(why, "a program may end there, and a bracket is open");
			break;
		}
		text_add(why, "%s", sentence(BHLAB_WHY_NESTING, lock));
		break;
	case BHLAB_WHY_OBJECT:
		text_add(why, "there is no %s %s in this lab", lock ? "lock" : "FIFO",
			 r->step->target);
		break;
	case BHLAB_WHY_MECHANISM:
		text_add(why, "%s cannot do that", runner(r));
		break;
	case BHLAB_WHY_CONTEXT:
		explain_context(r, why);
		break;
	case BHLAB_WHY_CPU:
		text_add(why, "CPU %u does not exist", raw->cpu);
		break;
	case BHLAB_WHY_PROCESS_TIME:
		add_limit(why, "no run may take longer than %s", info->out_process_ns);
		break;
	case BHLAB_WHY_ATOMIC_TIME:
		add_limit(why, "no run may spin longer than %s in atomic context",
			  info->out_atomic_cap_ns);
		break;
	case BHLAB_WHY_ATOMIC_CAPABILITY:
		add_limit(why, "spinning longer than %s in atomic context needs CAP_SYS_ADMIN",
			  info->out_atomic_ns);
		break;
	case BHLAB_WHY_LOCK_CONTEXT:
		explain_lock_context(r, why);
		break;
	case BHLAB_WHY_DEADLOCK:
		explain_deadlock(r, why);
		break;
	default:
		text = sentence(r->add->create.out_why, lock);
		text_add(why, "%s", text ? text : strerror(err));
	}
}

static int refused_step(const struct add *add, int err, struct error *e)
{
	struct refused_step r = find_step(add);
	char buf[96], reason[256];
	struct text why = text_in(reason, sizeof(reason));

	step_text(r.step, buf, sizeof(buf));
	explain(&r, err, &why);
	return fail(e, STATUS_REFUSED, err, "%sstep %u, '%s': %s", r.thread ? "thread, " : "",
		    r.nr, buf, reason);
}

/* The driver says why, if the program is the reason. */
static int refused_program(const struct add *add, int err, struct error *e)
{
	const struct bhlab_info *info = &add->lab->info;
	char limit[32];

	if (add->create.out_why == BHLAB_WHY_LENGTH)
		return fail(e, STATUS_REFUSED, err,
			    "a program may have %u steps (module parameter steps)",
			    info->out_max_steps);
	if (add->create.out_why != BHLAB_WHY_LAB_TIME)
		return refused_step(add, err, e);
	period_exact(info->out_lab_ns, limit, sizeof(limit));
	return fail(e, STATUS_REFUSED, err,
		    "the programs of a lab in process context may take %s in total (module "
		    "parameter lab_ns)", limit);
}

static int refused_period(const struct add *add, int err, struct error *e)
{
	char least[32];

	period_exact(add->lab->info.out_period_ns, least, sizeof(least));
	return fail(e, STATUS_REFUSED, err, "a period is at least %s, twice as long as the program "
		    "spins, and at most an hour", least);
}

static int refused_create(const struct add *add, int err, struct error *e)
{
	const struct bhlab_item_create *create = &add->create;
	const struct bhlab_info *info = &add->lab->info;

	if (create->out_why)
		return refused_program(add, err, e);
	if (err == ENOSPC)
		return fail(e, STATUS_REFUSED, err,
			    "a user may have %u items, %u irqs and %u threads, %u of them of the "
			    "system's queues, and %" PRIu64 " MiB of rings, over all labs (module "
			    "parameters items, irqs, threads, system_sleepers, user_ring_bytes)",
			    info->out_max_items, info->out_max_irqs, info->out_max_threads,
			    info->out_max_sleepers,
			    (uint64_t)info->out_user_ring_bytes >> 20);
	if (err == EOPNOTSUPP && !add->mech->out_native)
		return fail(e, STATUS_REFUSED, err, "this kernel has no %s", add->mech->out_name);
	if (err == EOPNOTSUPP && create->weight)
		return fail(e, STATUS_REFUSED, err, "%s has no weight", add->mech->out_name);
	if (err == EINVAL && create->weight > BHLAB_WEIGHT_MAX)
		return fail(e, STATUS_REFUSED, err, "the weight must be 1 to %d", BHLAB_WEIGHT_MAX);
	if (err == EOPNOTSUPP && create->period_ns)
		return fail(e, STATUS_REFUSED, err, "%s has no period", add->mech->out_name);
	if (err == EINVAL && create->period_ns)
		return refused_period(add, err, e);
	if (err == EBUSY)
		return fail(e, STATUS_REFUSED, err, "another item uses the static instance");
	if (err == EPERM && create->queue == BHLAB_QUEUE_HIGHPRI)
		return fail(e, STATUS_REFUSED, err,
			    "the workers of queue highpri run at nice -20, which needs "
			    "CAP_SYS_NICE");
	if (err == EPERM)
		return fail(e, STATUS_REFUSED, err,
			    "a priority, and a nice value below 0, need CAP_SYS_NICE");
	if (err == EINVAL && create->flags & BHLAB_ITEM_ONESHOT &&
	    !(create->flags & BHLAB_ITEM_THREAD))
		return fail(e, STATUS_REFUSED, err,
			    "--oneshot waits for a thread: add one with --thread");
	if (err == EINVAL && create->flags & BHLAB_ITEM_STATIC)
		return fail(e, STATUS_REFUSED, err, "the static instance is not for BH queues");
	if (err == EINVAL && add->mech->out_attrs & BHLAB_ITEM_LAZY)
		return fail(e, STATUS_REFUSED, err, "--hard and --lazy exclude each other");
	if (err == EINVAL)
		return fail(e, STATUS_REFUSED, err,
			    "give a nice value of -20 to 19, or a priority of 1 to 99");
	if (err == EOPNOTSUPP && (create->nice || create->priority))
		return fail(e, STATUS_REFUSED, err, "%s has no thread of its own to prioritise",
			    add->mech->out_name);
	if (err == EOPNOTSUPP && create->queue >= BHLAB_QUEUE_BH &&
	    add->mech->mech == BHLAB_MECH_WORK)
		return fail(e, STATUS_REFUSED, err, "this kernel has no BH workqueues");
	if (err == ENOENT)
		return fail(e, STATUS_REFUSED, err, "there is no queue %s in this lab",
			    arg_typed(add->call, "--queue"));
	if (err == EOPNOTSUPP && arg_given(add->call, "--queue"))
		return fail(e, STATUS_REFUSED, err, "%s is not queued on a workqueue",
			    add->mech->out_name);
	return refused(e, add->call, err);
}

static int run_add(const struct call *call, struct lab *lab, struct result *result)
{
	const char *program = arg_given(call, "--top") ? "--top" : "--do";
	struct add add = {
		.call = call,
		.lab = lab,
		.program = arg(call, program)->program,
		.thread = arg(call, "--thread")->program,
	};
	int err;

	if (find_mech(&add, &result->error))
		return -1;
	fill(&add);
	if (arg_given(call, "--queue") && lab_object(lab, arg(call, "--queue"), &add.create.queue))
		return refused_create(&add, ENOENT, &result->error);
	err = resolve(&add);
	if (!err)
		err = create(&add);
	if (err) {
		program_forget(add.program, lab);
		program_forget(add.thread, lab);
		return refused_create(&add, err, &result->error);
	}
	if (!lab->silent) {
		program_note(add.program, add.create.name);
		program_note(add.thread, add.create.name);
	}
	result->word = "added";
	result->doc = json_object_new_object();
	json_add_text(result->doc, "result", result->word);
	json_add_number(result->doc, "id", add.create.out_id);
	json_add_text(result->doc, "name", add.create.name);
	json_add_text(result->doc, "mechanism", add.mech->out_name);
	return 0;
}

static int parse_payload(const char *text, struct value *value, struct error *e)
{
	if (strlen(text) < BHLAB_DATA_LEN)
		return 0;
	return usage(e, "it is longer than %d bytes", BHLAB_DATA_LEN - 1);
}

static const struct arg_type arg_text = { .meta = "TEXT", .parse = parse_payload };

static int parse_nice(const char *text, struct value *value, struct error *e)
{
	uint64_t number;

	if (parse_number(text + (*text == '-'), INT32_MAX, &number, e))
		return -1;
	value->number = *text == '-' ? -number : number;
	return 0;
}

static const struct arg_type arg_nice = { .meta = "NICE", .parse = parse_nice };

const struct command command_add = {
	.name = "add",
	.summary = "create an item",
	.args = ARGS(
		{ "MECHANISM", &arg_mech },
		{ "NAME", &arg_name },
		{ "--do", &arg_steps, "its program; for an irq, the same as --top" },
		{ "--top", &arg_steps, "irq: the program of its top half" },
		{ "--thread", &arg_steps, "irq: give it a thread, with this program" },
		{ "--flow", .words = &flow_words,
		  .help = "irq: its controller and flow handler; default sim" },
		{ "--queue", &arg_queue, "work, rcu_work: the workqueue; default percpu" },
		{ "--cpu", &arg_cpu, "queue or trigger on this CPU, unless the verb names another" },
		{ "--data", &arg_text, "a payload that each run records" },
		{ "--cookie", &arg_u64, "a number that each event records" },
		{ "--queued", &arg_flag, "record QUEUED events too" },
		{ "--hard", &arg_flag, "irq_work, hrtimer: run in hardirq context on RT, too" },
		{ "--lazy", &arg_flag, "irq_work: run at the next tick" },
		{ "--irqsafe", &arg_flag, "timer: run with interrupts off" },
		{ "--pinned", &arg_flag, "timers: run on the CPU that starts the timer" },
		{ "--static", &arg_flag,
		  "work, tasklets: use the instance that the module declares" },
		{ "--oneshot", &arg_flag,
		  "irq: keep the line masked until its thread has returned" },
		{ "--nice", &arg_nice, "kthread_work: nice value of its thread" },
		{ "--priority", &arg_u32, "kthread_work: SCHED_FIFO priority of its thread" },
		{ "--weight", &arg_u32, "irq_poll: how many entries a run may pop; default 64" },
		{ "--period", &arg_period, "hrtimers: once queued, expire again and again" }),
	.notes =
		"STEPS are separated by ';' or ','. They are\n"
		"  spin PERIOD[..PERIOD]           keep the CPU busy; a random time up to the second\n"
		"  sleep PERIOD                    sleep; process context only\n"
		"  queue ITEM [--cpu CPU]          queue an item\n"
		"  delay ITEM PERIOD [--cpu CPU] [--mod]  activate an item after a time\n"
		"  trigger ITEM                    raise the line of an irq\n"
		"  deassert ITEM                   deassert a line that was added with --flow level\n"
		"  requeue [N]                     queue the item itself again, up to N times\n"
		"  cancel ITEM [--sync]            cancel its pending activation\n"
		"  disable ITEM [--sync], enable ITEM  prevent it from running\n"
		"  flush ITEM, flush QUEUE         wait for its activations so far\n"
		"  drain QUEUE                     wait until it stays empty\n"
		"  wait ITEM idle                  wait until nothing of it is pending or runs\n"
		"  synchronize_rcu                 wait for a grace period\n"
		"  synchronize_irq ITEM            wait for the handlers of an irq\n"
		"  mark N                          record an event with this number\n"
		"  lock LOCK ... unlock LOCK       hold a lock; see 'add lock'\n"
		"  bh_off ... bh_on                disable bottom halves; process context only\n"
		"  irq_off ... irq_on              disable interrupts; not in hardirq context\n"
		"  rcu ... rcu_end                 be a reader that RCU's grace periods wait for\n"
		"  push FIFO N                     push entries; those that do not fit are dropped\n"
		"  pop FIFO [N]                    pop entries; all without N\n"
		"  every N STEP                    a step for each Nth run only\n"
		"  chance P% STEP                  a step for P of 100 runs, chosen by the cookie\n"
		"  thread                          irq: wake the thread; top half only\n"
		"  none                            irq: return IRQ_NONE; top half only\n"
		"  complete                        irq_poll: end the poll, unless the weight is used up\n"
		"Steps that wait, --sync among them, are for process context. All waits of a run\n"
		"together end after the time that a program may take; a wait for itself is\n"
		"refused, or skipped.\n"
		"An ITEM need not exist yet: the step is skipped until it does. Brackets (lock,\n"
		"bh_off, irq_off, rcu) nest. Only mutexes may have sleep inside. Take locks in the\n"
		"order of their creation.\n",
	.meanings = MEANINGS(
		{ EEXIST, "the name is taken" }),
	.lab = LAB_STATE,
	.in_scenario = true,
	.answer = "added",
	.check = check_add,
	.run = run_add,
};

const struct topic topic_steps = {
	.name = "steps",
	.summary = "what programs are made of",
	.of = &command_add,
};
