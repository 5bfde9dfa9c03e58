// SPDX-License-Identifier: GPL-2.0-only
/* add and del. */
#include <errno.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "lab.h"
#include "out.h"
#include "parse.h"
#include "steps.h"
#include "words.h"

/* What goes to the driver, and what a refusal is explained with. */
struct add {
	const struct call *call;
	struct lab *lab;
	const struct bhlab_mech_info *mech;
	struct program *program;	/* NULL: no steps; the call's */
	struct program *thread;
	struct bhlab_item_create create;
};

int check_add(const struct call *call, struct error *e)
{
	if (arg_given(call, "--do") && arg_given(call, "--top"))
		return usage(e, "--do and --top are the same program; give one");
	return 0;
}

static int unknown_mech(const struct lab *lab, const char *name, struct error *e)
{
	char names[256] = "";
	size_t len = 0;

	for (uint32_t i = 0; i < lab->info.out_mechs && len < sizeof(names); i++)
		len += snprintf(names + len, sizeof(names) - len, "%s%s", i ? ", " : "",
				lab->mechs[i].out_name);
	return usage(e, "unknown mechanism '%s'; there are %s", name, names);
}

/* The words that only some mechanisms take, as the driver tells. */
static int find_mech(struct add *add, struct error *e)
{
	const char *name = arg_typed(add->call, "MECHANISM");

	if (lab_mechs(add->lab, e))
		return -1;
	add->mech = lab_mech_by_name(add->lab, name);
	if (!add->mech)
		return unknown_mech(add->lab, name, e);
	if (add->mech->out_thread_steps)
		return 0;
	if (arg_given(add->call, "--top"))
		return usage(e, "%s has no top half; use --do", name);
	if (arg_given(add->call, "--thread"))
		return usage(e, "%s has no thread", name);
	return 0;
}

static void fill(struct add *add)
{
	struct bhlab_item_create *create = &add->create;
	const struct call *call = add->call;

	*create = (struct bhlab_item_create){
		.size = sizeof(*create),
		.mech = add->mech->mech,
		.queue = (uint32_t)arg_number(call, "--queue", 0),
		.cpu = (uint32_t)arg_number(call, "--cpu", 0),
		.nr_steps = add->program ? add->program->nr : 0,
		.nr_thread_steps = add->thread ? add->thread->nr : 0,
		.cookie = arg_number(call, "--cookie", 0),
	};
	if (arg_given(call, "--cpu"))
		create->flags |= BHLAB_ITEM_CPU;
	if (arg_given(call, "--thread"))
		create->flags |= BHLAB_ITEM_THREAD;
	if (arg_given(call, "--queued"))
		create->flags |= BHLAB_ITEM_QUEUED;
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

/* Why the driver did not like one step, into @why. */
static void explain_step(const struct add *add, const struct step *step, bool thread, int err,
			 char *why, size_t size)
{
	const struct bhlab_mech_info *mech = add->mech;
	uint32_t allowed = thread ? mech->out_thread_steps : mech->out_steps;
	uint32_t context = thread ? BHLAB_CTX_TASK : mech->out_context &
			   (BHLAB_CTX_TASK | BHLAB_CTX_SOFTIRQ | BHLAB_CTX_HARDIRQ);
	char limit[32];

	period_exact(context == BHLAB_CTX_TASK ? add->lab->info.out_process_ns :
		     err == EPERM ? add->lab->info.out_atomic_ns : add->lab->info.out_atomic_cap_ns,
		     limit, sizeof(limit));
	if (err == EPERM && step->raw.op == BHLAB_OP_NONE)
		snprintf(why, size, "to answer IRQ_NONE needs CAP_SYS_ADMIN");
	else if (err == EPERM)
		snprintf(why, size, "to spin longer than %s in atomic context needs CAP_SYS_ADMIN", limit);
	else if (!(allowed & 1U << step->raw.op) && step->raw.op == BHLAB_OP_SLEEP)
		snprintf(why, size, "cannot sleep: %s runs in %s context", mech->out_name,
			 word_name(&context_words, context));
	else if (!(allowed & 1U << step->raw.op))
		snprintf(why, size, "%s cannot do that", thread ? "a thread" : mech->out_name);
	else if (step->raw.op == BHLAB_OP_SPIN || step->raw.op == BHLAB_OP_SLEEP)
		snprintf(why, size, "no run may take longer than %s", limit);
	else
		snprintf(why, size, "%s", strerror(err));
}

/* @nr counts from 1, the program's steps and then the thread's. */
static int refused_step(const struct add *add, size_t nr, int err, struct error *e)
{
	size_t first = add->program ? add->program->nr : 0;
	bool thread = nr > first;
	const struct step *step = thread ? &add->thread->steps[nr - first - 1] : &add->program->steps[nr - 1];
	char text[96], why[128];

	step_text(step, text, sizeof(text));
	explain_step(add, step, thread, err, why, sizeof(why));
	return fail(e, STATUS_REFUSED, err, "%sstep %zu, '%s': %s", thread ? "thread, " : "",
		    thread ? nr - first : nr, text, why);
}

static int refused_create(const struct add *add, int err, struct error *e)
{
	const struct bhlab_item_create *create = &add->create;
	const struct bhlab_info *info = &add->lab->info;

	if (create->out_id && create->out_id <= create->nr_steps + create->nr_thread_steps)
		return refused_step(add, create->out_id, err, e);
	if (err == E2BIG)
		return fail(e, STATUS_REFUSED, err, "a program may have %u steps (module parameter steps)",
			    info->out_max_steps);
	if (err == ENOSPC)
		return fail(e, STATUS_REFUSED, err,
			    "a lab may have %u items and %u interrupt lines (module parameters items, irqs)",
			    info->out_max_items, info->out_max_irqs);
	if (err == ENODEV && !arg_given(add->call, "--cpu"))
		return fail(e, STATUS_REFUSED, err, "a CPU that a step names is offline or does not exist");
	if (err == EOPNOTSUPP && arg_given(add->call, "--queue"))
		return fail(e, STATUS_REFUSED, err, "%s is not queued on a workqueue", add->mech->out_name);
	return refused(e, add->call, err);
}

int run_add(const struct call *call, struct lab *lab, struct result *result)
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
	err = resolve(&add);
	if (!err)
		err = create(&add);
	if (err) {
		program_forget(add.program, lab);
		program_forget(add.thread, lab);
		return refused_create(&add, err, &result->error);
	}
	program_note(add.program, add.create.name);
	program_note(add.thread, add.create.name);
	result->word = "added";
	result->doc = json_object_new_object();
	json_add_text(result->doc, "result", result->word);
	json_add_number(result->doc, "id", add.create.out_id);
	json_add_text(result->doc, "name", add.create.name);
	json_add_text(result->doc, "mechanism", add.mech->out_name);
	return 0;
}

int run_del(const struct call *call, struct lab *lab, struct result *result)
{
	struct bhlab_destroy destroy = { .size = sizeof(destroy) };
	int err;

	if (call_item(call, lab, &destroy.id, &result->error))
		return -1;
	lab_name(lab, destroy.id);
	err = lab_ioctl(lab, BHLAB_IOC_DESTROY, &destroy);
	if (err)
		return refused(&result->error, call, err);
	result->word = "deleted";
	result->doc = json_object_new_object();
	json_add_text(result->doc, "result", result->word);
	json_add_number(result->doc, "id", destroy.id);
	json_add_text(result->doc, "name", lab_name(lab, destroy.id));
	return 0;
}
