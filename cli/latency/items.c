// SPDX-License-Identifier: GPL-2.0-only
/* latency: mechanisms become items, made as 'bhctl add' makes them. */
#include <errno.h>
#include <json.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "lab/lab.h"
#include "latency/latency.h"
#include "base/near.h"
#include "base/out.h"
#include "base/signals.h"
#include "base/text.h"

#define BH_WORK	"bh_work"
#define LOAD_NS	10000000000ULL

/* --- which */

/* Of these the kernel's call takes a CPU; whatever else is queued stays where that happens. */
static bool takes_cpu(const struct bhlab_mech_info *mech)
{
	return mech->mech == BHLAB_MECH_WORK || mech->mech == BHLAB_MECH_TIMER;
}

static bool can_be_queued(const struct latency *l, const struct bhlab_mech_info *mech)
{
	return l->from != FROM_OTHER_CPU || takes_cpu(mech);
}

static void add_target(struct latency *l, const struct bhlab_mech_info *mech, bool bh)
{
	l->targets = xrealloc(l->targets, l->nr_targets + 1, sizeof(*l->targets));
	l->targets[l->nr_targets++] = (struct target){
		.name = bh ? BH_WORK : mech->out_name,
		.mech = mech,
		.bh = bh,
	};
}

/* All that this kernel has, and that can be queued from there. */
static void add_all(struct latency *l)
{
	for (uint32_t i = 0; i < l->lab->info.out_mechs; i++) {
		const struct bhlab_mech_info *mech = &l->lab->mechs[i];

		if (!can_be_queued(l, mech))
			continue;
		add_target(l, mech, false);
		if (mech->mech == BHLAB_MECH_WORK &&
		    l->lab->info.out_features & BHLAB_FEATURE_BH_QUEUE)
			add_target(l, mech, true);
	}
	if (l->from == FROM_OTHER_CPU)
		note("only for work and timers does the kernel's call take a CPU; "
		     "the others are left out");
}

static int unknown(const struct lab *lab, const char *name, struct error *e)
{
	char names[256];
	struct text text = text_in(names, sizeof(names));
	struct near near = near_to(name, strlen(name));

	near_try(&near, BH_WORK);
	for (uint32_t i = 0; i < lab->info.out_mechs; i++) {
		text_add(&text, "%s, ", lab->mechs[i].out_name);
		near_try(&near, lab->mechs[i].out_name);
	}
	if (near.best)
		return usage(e, "unknown mechanism '%s'%s", name, near_hint(&near));
	return usage(e, "unknown mechanism '%s'; there are %s" BH_WORK " and all", name, names);
}

static int add_named(struct latency *l, const char *name, struct error *e)
{
	bool bh = !strcmp(name, BH_WORK);
	const struct bhlab_mech_info *mech = lab_mech_by_name(l->lab, bh ? "work" : name);

	if (!mech)
		return unknown(l->lab, name, e);
	for (size_t i = 0; i < l->nr_targets; i++)
		if (!strcmp(l->targets[i].name, name))
			return usage(e, "%s is given twice", name);
	if (bh && !(l->lab->info.out_features & BHLAB_FEATURE_BH_QUEUE))
		return fail(e, STATUS_REFUSED, EOPNOTSUPP, "this kernel has no BH workqueues");
	if (!can_be_queued(l, mech))
		return fail(e, STATUS_REFUSED, EOPNOTSUPP,
			    "%s cannot be queued from another CPU: the kernel's call takes "
			    "none", name);
	add_target(l, mech, bh);
	return 0;
}

static bool measures(const struct latency *l, uint32_t mech)
{
	for (size_t i = 0; i < l->nr_targets; i++)
		if (l->targets[i].mech->mech == mech)
			return true;
	return false;
}

int latency_targets(struct latency *l, struct error *e)
{
	static char *all[] = { "all", NULL };
	char **names = arg(l->call, "MECHANISM")->rest;

	if (lab_mechs(l->lab, e))
		return -1;
	if (!names)
		names = all;
	if (!strcmp(names[0], "all") && !names[1])
		add_all(l);
	else
		for (; *names; names++)
			if (add_named(l, *names, e))
				return -1;
	if (arg_given(l->call, "--priority") && !measures(l, BHLAB_MECH_KTHREAD_WORK))
		return usage(e,
			     "--priority is for the thread of kthread_work, which is not measured");
	return 0;
}

/* --- as items */

static int add(struct latency *l, uint32_t *id, const char *const *words, const char *what,
	       struct error *e)
{
	struct result result = { 0 };
	struct call call = { 0 };
	int argc = 0, err;

	while (words[argc])
		argc++;
	err = call_parse(&call, argc, (char **)words, &result.error);
	if (!err)
		err = call.cmd->run(&call, l->lab, &result);
	if (err) {
		*e = result.error;
		error_prefix(e, what);
	} else {
		*id = (uint32_t)json_number(result.doc, "/id");
	}
	result_free(&result);
	call_free(&call);
	return err;
}

/* A program of @before, the first @len of @steps, and @after; the caller frees it. */
static char *join(const char *before, const char *steps, size_t len, const char *after)
{
	size_t size = strlen(before) + len + strlen(after) + 1;
	char *program = xrealloc(NULL, size, 1);

	snprintf(program, size, "%s%.*s%s", before, (int)len, steps, after);
	return program;
}

static int add_item(struct latency *l, struct target *target, struct error *e)
{
	const char *steps = arg_given(l->call, "--do") ? arg_typed(l->call, "--do") : "";
	bool irq = target->mech->out_thread_steps;
	char name[BHLAB_NAME_LEN], *program = join("", steps, strlen(steps), irq ? "; thread" : "");
	const char *words[12] = { "add", target->mech->out_name, name, irq ? "--top" : "--do",
				  program };
	size_t nr = 5;
	int err;

	snprintf(name, sizeof(name), "latency.%s", target->name);
	if (irq)
		words[nr++] = "--thread", words[nr++] = "";
	if (target->bh)
		words[nr++] = "--queue", words[nr++] = "bh";
	if (target->mech->mech == BHLAB_MECH_KTHREAD_WORK && arg_given(l->call, "--priority"))
		words[nr++] = "--priority", words[nr++] = arg_typed(l->call, "--priority");
	err = add(l, &target->id, words, target->name, e);
	free(program);
	return err;
}

static int add_line(struct latency *l, struct target *target, struct error *e)
{
	bool irq = target->mech->out_thread_steps;
	char name[BHLAB_NAME_LEN], top[64];
	const char *words[] = { "add", "irq", name, "--top", top, NULL };

	snprintf(name, sizeof(name), "latency.line.%s", target->name);
	snprintf(top, sizeof(top), "%s #%u", irq ? "trigger" : "queue", target->id);
	return add(l, &target->line, words, name, e);
}

/* It runs before anything is measured. */
static int start_load(struct latency *l, struct error *e)
{
	struct bhlab_act act = { .size = sizeof(act), .id = l->load };
	struct bhlab_wait wait = {
		.size = sizeof(wait),
		.id = l->load,
		.condition = BHLAB_COND_RUNS,
		.value = 1,
		.timeout_ns = LOAD_NS,
	};
	int err = lab_ioctl(l->lab, BHLAB_IOC_QUEUE, &act);

	if (!err)
		err = lab_ioctl(l->lab, BHLAB_IOC_WAIT, &wait);
	if (err == EINTR)
		return fail(e, STATUS_SIGNAL + signals_caught(), err, "interrupted");
	return err ? fail(e, STATUS_REFUSED, err, "--load: it does not run") : 0;
}

/*
 * A work item that first of all queues itself again: so on its CPU's queue there is
 * always one more of it before what comes while it runs.
 */
int latency_load(struct latency *l, struct error *e)
{
	const struct value *value = arg(l->call, "--load");
	const char *at = value->given ? strrchr(value->text, '@') : NULL;
	char *program;
	int err;

	if (!at)
		return 0;
	program = join("requeue; ", value->text, at - value->text, "");
	err = add(l, &l->load,
		  (const char *[]){ "add", "work", "latency.load", "--cpu", at + 1, "--do", program,
				    NULL },
		  "--load", e);
	free(program);
	return err ? err : start_load(l, e);
}

int latency_items(struct latency *l, struct error *e)
{
	for (size_t i = 0; i < l->nr_targets; i++) {
		if (add_item(l, &l->targets[i], e))
			return -1;
		if (l->from == FROM_IRQ && add_line(l, &l->targets[i], e))
			return -1;
	}
	return 0;
}

static void del(const struct latency *l, uint32_t id)
{
	struct bhlab_destroy destroy = { .size = sizeof(destroy), .id = id };

	if (id)
		lab_ioctl(l->lab, BHLAB_IOC_DESTROY, &destroy);
}

void latency_forget(struct latency *l)
{
	del(l, l->load);
	for (size_t i = 0; i < l->nr_targets; i++) {
		del(l, l->targets[i].line);
		del(l, l->targets[i].id);
	}
}
