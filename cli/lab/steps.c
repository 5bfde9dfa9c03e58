// SPDX-License-Identifier: GPL-2.0-only
/* The text of programs. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/lab.h"
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

/* "--cpu N", the rest of a step; @word is "--cpu". */
static int step_cpu(struct step *step, const char *word, char **rest, struct error *e)
{
	const char *number = strtok_r(NULL, BLANKS, rest);
	uint64_t cpu;

	if (strcmp(word, "--cpu"))
		return usage(e, "'%s' means nothing here", word);
	if (!number)
		return usage(e, "--cpu needs a number");
	if (parse_number(number, UINT32_MAX, &cpu, e))
		return -1;
	step->raw.cpu = (uint32_t)cpu;
	step->raw.flags |= BHLAB_STEP_CPU;
	return 0;
}

static const char *operand_name(char form)
{
	return form == 'T' ? "an item" : form == 'O' ? "a lock or FIFO" :
	       form == 'P' ? "a period" : "a number";
}

static int step_operand(struct step *step, char form, const char *word, struct error *e)
{
	uint64_t value;

	if (!word)
		return form == 'n' ? 0 : usage(e, "it needs %s", operand_name(form));
	if (form == 'T' || form == 'O')
		return step_target(step, word, e);
	if (form == 'P' ? parse_period(word, &value, e) : parse_number(word, UINT64_MAX, &value, e))
		return -1;
	step->raw.arg = value;
	return 0;
}

static int step_operands(struct step *step, const char *form, char **rest, struct error *e)
{
	const char *word;

	for (; *form && *form != 'c'; form++)
		if (step_operand(step, *form, strtok_r(NULL, BLANKS, rest), e))
			return -1;
	word = strtok_r(NULL, BLANKS, rest);
	if (word && *form == 'c') {
		if (step_cpu(step, word, rest, e))
			return -1;
		word = strtok_r(NULL, BLANKS, rest);
	}
	return word ? usage(e, "'%s' is one word too many", word) : 0;
}

static int step_parse(struct step *step, char *text, struct error *e)
{
	char *rest, names[256], *name = strtok_r(text, BLANKS, &rest);
	const struct step_word *word = step_by_name(name);

	*step = (struct step){ 0 };
	if (!word) {
		step_names(names, sizeof(names));
		return usage(e, "unknown step '%s'; there are %s", name, names);
	}
	step->raw.op = word->op;
	if (!step_operands(step, word->form, &rest, e))
		return 0;
	error_prefix(e, name);
	return -1;
}

static int program_append(struct program *program, char *text, struct error *e)
{
	char prefix[32];
	size_t nr = program->nr + 1;

	if (!text[strspn(text, BLANKS)])
		return 0;
	program->steps = xrealloc(program->steps, nr, sizeof(*program->steps));
	if (!step_parse(&program->steps[program->nr], text, e)) {
		program->nr = nr;
		return 0;
	}
	snprintf(prefix, sizeof(prefix), "step %zu", nr);
	error_prefix(e, prefix);
	return -1;
}

int program_parse(const char *text, struct program **result, struct error *e)
{
	struct program *program = xrealloc(NULL, 1, sizeof(*program));
	char *copy = xstrdup(text), *rest = copy, *part;
	int err = 0;

	*program = (struct program){ 0 };
	while (!err && (part = strsep(&rest, ";,")))
		err = program_append(program, part, e);
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
		if (*form == 'c' && step->raw.flags & BHLAB_STEP_CPU)
			text_add(&text, " --cpu %u", step->raw.cpu);
		if (*form != 'P')
			continue;
		period_exact(step->raw.arg, period, sizeof(period));
		text_add(&text, " %s", period);
	}
}
