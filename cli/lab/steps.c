// SPDX-License-Identifier: GPL-2.0-only
/* The text of programs. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/lab.h"
#include "base/near.h"
#include "base/parse.h"
#include "lab/steps.h"
#include "base/text.h"
#include "base/words.h"

#define BLANKS " \t\r\n"

static int step_target(struct step *step, const char *text, struct error *e)
{
	uint64_t id;

	if (*text == '#') {
		if (parse_number(text + 1, UINT32_MAX, &id, e))
			return -1;
		step->raw.target = (uint32_t)id;
	} else if (parse_name(text, e)) {
		return -1;
	}
	if (!step->raw.target && *text == '#')
		return usage(e, "there is no id 0");
	snprintf(step->target, sizeof(step->target), "%s", text);
	return 0;
}

/* The text of a step while it is read. */
struct words_left {
	char *rest;
	bool any;		/* numbers and periods may be out of range */
};

static char *next_word(struct words_left *left)
{
	return strtok_r(NULL, BLANKS, &left->rest);
}

/* What programs do not have, and what does it. */
static const struct {
	const char *word;
	const char *why;
} left_out[] = {
	{ "settle", "a step waits for one item or queue; settle stands outside of programs" },
	{ "--on", "a step queues on the queue of the item; add that with --queue" },
	{ "--count", "a step raises the line once; write it as often as you want" },
	{ "--period", "a step raises the line once; 'trigger --period' is a command" },
};

static const char *why_left_out(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(left_out); i++)
		if (!strcmp(left_out[i].word, word))
			return left_out[i].why;
	return NULL;
}

static int superfluous(const char *word, const char *text, struct error *e)
{
	const char *why = why_left_out(word);

	return usage(e, "'%s' %s%s%s", word, why ? "is not for steps" : text, why ? ": " : "",
		     why ? why : "");
}

/* The number of "--cpu N". */
static int step_cpu(struct step *step, struct words_left *left, struct error *e)
{
	const char *number = next_word(left);
	uint64_t cpu;

	if (!number)
		return usage(e, "--cpu needs a number");
	if (parse_number(number, UINT32_MAX, &cpu, e))
		return -1;
	step->raw.cpu = (uint32_t)cpu;
	return 0;
}

/* What may follow the operands, by its letter in the form. */
static const struct {
	char letter;
	const char *word;
	uint32_t flag;
} step_options[] = {
	{ 'c', "--cpu", BHLAB_STEP_CPU },
	{ 's', "--sync", BHLAB_STEP_SYNC },
	{ 'm', "--mod", BHLAB_STEP_MOD },
};

static int step_option(struct step *step, const char *form, const char *word,
		       struct words_left *left, struct error *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(step_options); i++) {
		if (strcmp(word, step_options[i].word) || !strchr(form, step_options[i].letter))
			continue;
		if (step->raw.flags & step_options[i].flag)
			return usage(e, "%s is given twice", word);
		step->raw.flags |= step_options[i].flag;
		return step_options[i].letter == 'c' ? step_cpu(step, left, e) : 0;
	}
	return superfluous(word, *form == 'c' && !step->raw.flags ? "means nothing here" :
			   "is one word too many", e);
}

static const char *operand_name(char form)
{
	return form == 'T' ? "an item" : form == 'O' ? "a lock or FIFO" :
	       form == 'P' || form == 'R' ? "a period" : form == 'i' ? "the word idle" :
	       "a number";
}

static int step_period(const char *word, struct words_left *left, uint64_t *ns, struct error *e)
{
	if (!(left->any ? parse_any_period(word, ns, e) : parse_period(word, ns, e)))
		return 0;
	parse_is_torn(word, next_word(left), e);
	return -1;
}

/* The end of "10us..50us", after the start is read; the kernel takes the difference. */
static int step_range(struct step *step, const char *end, struct words_left *left, struct error *e)
{
	uint64_t ns;

	if (step_period(end, left, &ns, e))
		return -1;
	if (ns < step->raw.arg)
		return usage(e, "the range ends before it begins");
	if (ns - step->raw.arg > UINT32_MAX)
		return usage(e, "the range is longer than 4s");
	step->raw.target = (uint32_t)(ns - step->raw.arg);
	step->raw.flags |= BHLAB_STEP_RANGE;
	return 0;
}

static int step_spin(struct step *step, char *word, struct words_left *left, struct error *e)
{
	char *dots = strstr(word, "..");
	uint64_t ns;

	if (dots)
		*dots = '\0';
	if (step_period(word, left, &ns, e))
		return -1;
	step->raw.arg = ns;
	return dots ? step_range(step, dots + 2, left, e) : 0;
}

static int step_percent(struct step *step, char *word, const struct words_left *left,
			struct error *e)
{
	size_t last = strlen(word) - 1;
	uint64_t percent;

	if (word[last] == '%')
		word[last] = '\0';
	if (parse_number(word, left->any ? UINT64_MAX : 100, &percent, e))
		return -1;
	step->raw.arg = percent;
	return 0;
}

static int step_operand(struct step *step, char form, struct words_left *left, struct error *e)
{
	char *word = next_word(left);
	uint64_t value;

	if (!word)
		return form == 'n' ? 0 : usage(e, "it needs %s", operand_name(form));
	if (form == 'T' || form == 'O')
		return step_target(step, word, e);
	if (form == 'R')
		return step_spin(step, word, left, e);
	if (form == '%')
		return step_percent(step, word, left, e);
	if (form == 'i')
		return !strcmp(word, "idle") ? 0 :
		       usage(e, "a step waits for idle only; the command has more conditions");
	if (form == 'P' ? step_period(word, left, &value, e) :
			  parse_number(word, UINT64_MAX, &value, e))
		return -1;
	step->raw.arg = value;
	return 0;
}

/* Of a prefix, what is left is the step. */
static int step_operands(struct step *step, const char *form, struct words_left *left,
			 struct error *e)
{
	const char *word;

	for (; *form && !strchr("csmx", *form); form++)
		if (step_operand(step, *form, left, e))
			return -1;
	if (*form == 'x')
		return left->rest && left->rest[strspn(left->rest, BLANKS)] ? 0 :
		       usage(e, "it needs a step");
	while ((word = next_word(left)))
		if (step_option(step, form, word, left, e))
			return -1;
	return 0;
}

static int unknown_step(const char *name, struct error *e)
{
	struct near near = near_to(name, strlen(name));
	const char *why = why_left_out(name);
	char names[256];

	if (why)
		return usage(e, "there is no step '%s': %s", name, why);
	for (size_t i = 0; step_at(i); i++)
		near_try(&near, step_at(i)->name);
	if (near.best)
		return usage(e, "unknown step '%s'%s", name, near_hint(&near));
	step_names(names, sizeof(names));
	return usage(e, "unknown step '%s'; there are %s", name, names);
}

bool step_is_prefix(const struct step *step)
{
	return step->raw.op == BHLAB_OP_EVERY || step->raw.op == BHLAB_OP_CHANCE;
}

/* @text: left behind a prefix, else at NULL. */
static int step_parse(struct step *step, char **text, bool any, struct error *e)
{
	struct words_left left = { .any = any };
	char *name = strtok_r(*text, BLANKS, &left.rest);
	const struct step_word *word = step_by_name(name);

	*step = (struct step){ 0 };
	if (!word)
		return unknown_step(name, e);
	step->raw.op = word->op;
	if (step_operands(step, word->form, &left, e)) {
		error_prefix(e, name);
		return -1;
	}
	*text = step_is_prefix(step) ? left.rest : NULL;
	return 0;
}

size_t step_number(const struct program *program, size_t i)
{
	size_t nr = 1;

	while (i--)
		nr += !step_is_prefix(&program->steps[i]);
	return nr;
}

/* One step, and what is before it. */
static int program_append(struct program *program, char *text, bool any, struct error *e)
{
	char prefix[32];

	if (!text[strspn(text, BLANKS)])
		return 0;
	while (text) {
		size_t nr = program->nr + 1;

		program->steps = xrealloc(program->steps, nr, sizeof(*program->steps));
		if (step_parse(&program->steps[program->nr], &text, any, e)) {
			snprintf(prefix, sizeof(prefix), "step %zu",
				 step_number(program, program->nr));
			error_prefix(e, prefix);
			return -1;
		}
		program->nr = nr;
	}
	return 0;
}

int program_parse(const char *text, bool any, struct program **result, struct error *e)
{
	struct program *program = xrealloc(NULL, 1, sizeof(*program));
	char *copy = xstrdup(text), *rest = copy, *part;
	int err = 0;

	*program = (struct program){ 0 };
	while (!err && (part = strsep(&rest, ";,")))
		err = program_append(program, part, any, e);
	free(copy);
	if (err)
		program_free(program);
	else
		*result = program;
	return err;
}

void program_free(struct program *program)
{
	if (program)
		free(program->steps);
	free(program);
}

static int resolve(struct step *step, const struct lab *lab)
{
	struct bhlab_lookup lookup = { .size = sizeof(lookup) };
	int err;

	if (!step->target[0] || step->raw.target)
		return 0;
	memcpy(lookup.name, step->target, sizeof(lookup.name));
	err = lab_ioctl(lab, BHLAB_IOC_LOOKUP, &lookup);
	/* Locks and FIFOs must be there; the driver says so of id 0. */
	if (err == ENOENT && step_by_op(step->raw.op)->form[0] == 'O')
		return 0;
	if (err == ENOENT) {
		step->fresh = true;
		lookup.flags = BHLAB_LOOKUP_RESERVE;
		err = lab_ioctl(lab, BHLAB_IOC_LOOKUP, &lookup);
	}
	if (err)
		return err;
	step->raw.target = lookup.id;
	step->missing = lookup.out_kind == BHLAB_KIND_RESERVED;
	return 0;
}

int program_resolve(struct program *program, const struct lab *lab)
{
	int err = 0;

	for (size_t i = 0; program && i < program->nr && !err; i++)
		err = resolve(&program->steps[i], lab);
	return err;
}

void program_note(const struct program *program, const char *self)
{
	for (size_t i = 0; program && i < program->nr; i++) {
		const struct step *step = &program->steps[i];

		if (step->missing && strcmp(step->target, self))
			note("item '%s' does not exist yet; the step is skipped until it does",
			     step->target);
	}
}

void program_forget(const struct program *program, const struct lab *lab)
{
	for (size_t i = 0; program && i < program->nr; i++) {
		const struct step *step = &program->steps[i];
		struct bhlab_destroy destroy = { .size = sizeof(destroy), .id = step->raw.target };

		if (step->fresh && step->missing)
			lab_ioctl(lab, BHLAB_IOC_DESTROY, &destroy);
	}
}

struct bhlab_step *program_raw(const struct program *program)
{
	struct bhlab_step *raw;

	if (!program || !program->nr)
		return NULL;
	raw = xrealloc(NULL, program->nr, sizeof(*raw));
	for (size_t i = 0; i < program->nr; i++)
		raw[i] = program->steps[i].raw;
	return raw;
}

void step_text(const struct step *step, char *buf, size_t size)
{
	const struct step_word *word = step_by_op(step->raw.op);
	struct text text = text_in(buf, size);
	char period[32];

	text_add(&text, "%s", word ? word->name : "?");
	for (const char *form = word ? word->form : ""; *form; form++) {
		if (*form == 'T' || *form == 'O')
			text_add(&text, " %s", step->target);
		if (*form == 'N' || (*form == 'n' && step->raw.arg))
			text_add(&text, " %" PRIu64, (uint64_t)step->raw.arg);
		if (*form == '%')
			text_add(&text, " %" PRIu64 "%%", (uint64_t)step->raw.arg);
		if (*form == 'i')
			text_add(&text, " idle");
		if (*form == 'c' && step->raw.flags & BHLAB_STEP_CPU)
			text_add(&text, " --cpu %u", step->raw.cpu);
		if (*form == 's' && step->raw.flags & BHLAB_STEP_SYNC)
			text_add(&text, " --sync");
		if (*form == 'm' && step->raw.flags & BHLAB_STEP_MOD)
			text_add(&text, " --mod");
		if (*form != 'P' && *form != 'R')
			continue;
		period_exact(step->raw.arg, period, sizeof(period));
		text_add(&text, " %s", period);
		if (!(step->raw.flags & BHLAB_STEP_RANGE))
			continue;
		period_exact(step->raw.arg + step->raw.target, period, sizeof(period));
		text_add(&text, "..%s", period);
	}
}
