// SPDX-License-Identifier: GPL-2.0-only
/* Plans as words: calls, answers, and a whole plan as a scenario. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "explore/explore.h"
#include "base/parse.h"
#include "base/text.h"
#include "base/words.h"

/* The command and its options for each verb of a plan. */
static const struct {
	const char *command, *options;
} commands[VERBS] = {
	[V_QUEUE] = { "queue", "" },
	[V_TRIGGER] = { "trigger", "" },
	[V_DELAY] = { "delay", "" },
	[V_MOD] = { "delay", " --mod" },
	[V_CANCEL] = { "cancel", "" },
	[V_CANCEL_SYNC] = { "cancel", " --sync" },
	[V_FLUSH] = { "flush", "" },
	[V_DISABLE] = { "disable", "" },
	[V_DISABLE_SYNC] = { "disable", " --sync" },
	[V_ENABLE] = { "enable", "" },
	[V_DESTROY] = { "del", "" },
	[V_DRAIN] = { "drain", "" },
	[V_FLUSH_QUEUE] = { "flush", "" },
	[V_DESTROY_QUEUE] = { "del", "" },
	[V_WAIT_RUNNING] = { "wait", " running" },
	[V_WAIT_IDLE] = { "wait", " idle" },
	[V_LOOK] = { "show", "" },
};

void call_text(const struct verb_call *call, char *buf, size_t size)
{
	struct text text = text_in(buf, size);
	char period[32];

	text_add(&text, "%s %c%d", commands[call->verb].command, call->item < 0 ? 'q' : 'x',
		 call->item < 0 ? call->queue : call->item);
	if (call->verb == V_DELAY || call->verb == V_MOD) {
		period_exact(call->ns, period, sizeof(period));
		text_add(&text, " %s", period);
	}
	text_add(&text, "%s", commands[call->verb].options);
	if (call->cpu >= 0)
		text_add(&text, " --cpu %d", call->cpu);
	if (call->item >= 0 && call->queue >= 0)
		text_add(&text, " --on q%d", call->queue);
}

void answer_text(const struct log_entry *entry, char *buf, size_t size)
{
	struct text text = text_in(buf, size);
	bool plain = entry->call.verb == V_DESTROY || entry->call.verb == V_DESTROY_QUEUE ||
		     entry->call.verb == V_WAIT_RUNNING || entry->call.verb == V_WAIT_IDLE;

	if (entry->err) {
		text_add(&text, "%s", strerrorname_np(entry->err));
		return;
	}
	if (entry->call.verb == V_LOOK) {
		for (unsigned int bit = 1; bit <= BHLAB_STATE_PERIODIC; bit <<= 1)
			if (entry->state & bit)
				text_join(&text, ",", word_name(&state_words, bit));
		if (!*buf)
			text_add(&text, "idle");
		return;
	}
	text_add(&text, "%s", plain ? "success" : word_name(&result_words, entry->result));
	if (entry->flags & BHLAB_OUT_WAITED)
		text_add(&text, " waited");
}

static void step_line(const struct bhlab_step *step, struct text *text)
{
	const struct step_word *word = step_by_op(step->op);
	char period[32];

	text_add(text, "%s", word->name);
	for (const char *form = word->form; *form; form++) {
		switch (*form) {
		case 'T':
			text_add(text, " x%u", step->target - 1);
			break;
		case 'O':
			text_add(text, " %s", step->target == TARGET_LOCK ? "lock" : "fifo");
			break;
		case 'P':
		case 'R':
			period_exact(step->arg, period, sizeof(period));
			text_add(text, " %s", period);
			break;
		case 'N':
		case 'n':
			text_add(text, " %" PRIu64, (uint64_t)step->arg);
			break;
		default:
			break;
		}
	}
}

static void write_objects(const struct plan *plan, FILE *file)
{
	for (unsigned int i = 0; i < plan->nr_queues; i++)
		fprintf(file, "add queue q%u --%s\n", i, word_name(&shape_words, plan->queues[i]));
	if (plan->target == PLAN_STORM)
		fprintf(file, "add lock lock --context hardirq\nadd fifo fifo --depth 8\n");
	for (unsigned int i = 0; i < plan->nr_items; i++) {
		const struct plan_item *item = &plan->items[i];
		char steps[256];
		struct text text = text_in(steps, sizeof(steps));

		for (unsigned int s = 0; s < item->nr_steps; s++) {
			text_add(&text, "%s", s ? "; " : "");
			step_line(&item->steps[s], &text);
		}
		fprintf(file, "add %s x%u", word_name(&mech_words, item->mech), i);
		if (item->queue >= 0)
			fprintf(file, " --queue q%d", item->queue);
		for (unsigned int bit = BHLAB_ITEM_HARD; bit <= BHLAB_ITEM_STATIC; bit <<= 1)
			if (item->flags & bit)
				fprintf(file, " --%s", word_name(&attribute_words, bit));
		if (*steps)
			fprintf(file, " --do '%s'", steps);
		fprintf(file, "\n");
	}
}

/* A verb may be refused, so what it answers is asked for nowhere but at the fault. */
static void write_call(const struct plan *plan, const struct verb_call *call, const char *before,
		       FILE *file)
{
	char text[80];

	if (call->verb == V_LOOK)
		return;
	call_text(call, text, sizeof(text));
	fprintf(file, "%s%s\n", before, text);
}

static void write_phase(const struct plan *plan, const struct phase *phase, FILE *file)
{
	char before[48];

	if (phase->nr_threads > 1)
		fprintf(file, "# At the same time, in %u threads:\n", phase->nr_threads);
	for (unsigned int t = 0; t < phase->nr_threads; t++) {
		for (unsigned int c = 0; c < phase->nr_calls[t]; c++) {
			*before = '\0';
			if (phase->nr_threads > 1)
				snprintf(before, sizeof(before), "async t%u%u on %u ", t, c,
					 phase->cpu[t]);
			write_call(plan, &phase->calls[t][c], before, file);
		}
	}
	for (unsigned int t = 0; t < phase->nr_threads && phase->nr_threads > 1; t++)
		for (unsigned int c = 0; c < phase->nr_calls[t]; c++)
			fprintf(file, "join t%u%u\n", t, c);
}

static bool destroyed(const struct plan *plan, unsigned int item)
{
	for (unsigned int n = 0; n < plan->nr_phases; n++)
		for (unsigned int t = 0; t < plan->phases[n].nr_threads; t++)
			for (unsigned int c = 0; c < plan->phases[n].nr_calls[t]; c++)
				if (plan->phases[n].calls[t][c].verb == V_DESTROY &&
				    plan->phases[n].calls[t][c].item == (int)item)
					return true;
	return false;
}

int write_scenario(const struct plan *plan, const struct verdict *verdict, const char *path)
{
	FILE *file = fopen(path, "we");
	int err;

	if (!file)
		return errno;
	fprintf(file, "title What explore found with seed %" PRIu64 ", run %" PRIu64 "\n",
		plan->seed, plan->run);
	fprintf(file, "text  %s\n", verdict->text);
	fprintf(file, "text\ntext  bhctl explore --replay %" PRIu64 ":%" PRIu64
		" plays all of it.\n", plan->seed, plan->run);
	fprintf(file, "source the model of bhctl explore (bhctl explore --model)\n\n");
	write_objects(plan, file);
	for (unsigned int n = 0; n < plan->nr_phases; n++)
		write_phase(plan, &plan->phases[n], file);
	fprintf(file, "settle\n");
	for (unsigned int i = 0; i < plan->nr_items; i++)
		if (!destroyed(plan, i))
			fprintf(file, "expect accepted(x%u) == "
				"runs(x%u) + cancelled(x%u) + merged(x%u)\n", i, i, i, i);
	err = ferror(file) ? EIO : 0;
	return fclose(file) ? errno : err;
}
