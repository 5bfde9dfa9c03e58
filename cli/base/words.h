/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words of the command line for the numbers of the ABI, each in one place.
 * The driver reports the names of its mechanisms. Without a driver mech_words tells
 * a name that some driver has from a mistake.
 */
#ifndef BHCTL_WORDS_H
#define BHCTL_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

/* Who activates: the word after --from. */
enum latency_from {
	FROM_TASK,		/* bhctl itself, on the CPU that is measured */
	FROM_IRQ,		/* a top half, there */
	FROM_OTHER_CPU,		/* bhctl, from another CPU */
};

struct word {
	const char *name;
	uint32_t value;
};

struct words {
	const char *what;		/* one of them is called */
	const struct word *list;
	size_t nr;
};

extern const struct words mech_words;
extern const struct words verb_words;
extern const struct words queue_words;
extern const struct words result_words;
extern const struct words condition_words;
extern const struct words kind_words;
extern const struct words stage_words;
extern const struct words lock_kind_words;
extern const struct words lock_context_words;
extern const struct words from_words;

/* Of these the value is a bit. */
extern const struct words state_words;
extern const struct words context_words;
extern const struct words softirq_words;
extern const struct words skip_words;
extern const struct words feature_words;
extern const struct words attribute_words;
extern const struct words shape_words;
extern const struct words flow_words;

/*
 * A step, and what follows its name: T an item, O a lock or FIFO, P a period, N
 * a number, n a number that may be missing, R a period or two with '..' between, %
 * a percentage, i the word idle, x another step. Then what may follow, in any
 * order: c --cpu N, s --sync, m --mod.
 */
struct step_word {
	const char *name;
	uint32_t op;
	const char *form;
};

const struct step_word *step_by_name(const char *name);
const struct step_word *step_by_op(uint32_t op);
/* The names of all steps, with commas, into @buf. */
void step_names(char *buf, size_t size);
/* Step by step, up to NULL. */
const struct step_word *step_at(size_t i);

/* False if there is no such word. */
bool word_value(const struct words *words, const char *name, uint32_t *value);
/* "?" if nothing is called that. */
const char *word_name(const struct words *words, uint32_t value);
/* All of them with @separator between, into @buf. */
void word_names(const struct words *words, const char *separator, char *buf, size_t size);
/* A JSON array of the words whose bits are set. */
struct json_object *word_bits(const struct words *words, uint32_t bits);

#endif
