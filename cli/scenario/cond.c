// SPDX-License-Identifier: GPL-2.0-only
/* Conditions: what the kernel and the machine must be. */
#include <ctype.h>
#include <errno.h>
#include <json.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/near.h"
#include "lab/lab.h"
#include "scenario/expr.h"
#include "base/words.h"

#define ARGS_MAX 2

enum comparison { EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, MORE, MORE_EQUAL };

struct condition {
	const struct predicate *predicate;
	bool not;
	enum comparison comparison;
	const char *args[ARGS_MAX];
	const char *text;
};

struct predicate {
	const char *name;
	unsigned int args;
	bool compares;		/* takes a comparison and args[0] */
	/* Of each argument: what it must be, or, with NULL, that it may be anything. */
	const struct words *words[ARGS_MAX];
	const char *digits;	/* of args[0]: what it is made of, after a digit; or NULL */
	bool (*holds)(const struct condition *c, struct lab *lab, const struct stand_in *as);
};

/* Longest first. */
static const struct {
	const char *sign;
	enum comparison comparison;
} comparisons[] = {
	{ ">=", MORE_EQUAL },
	{ "<=", LESS_EQUAL },
	{ "==", EQUAL },
	{ "!=", NOT_EQUAL },
	{ ">", MORE },
	{ "<", LESS },
};

static bool compare(enum comparison comparison, int difference)
{
	switch (comparison) {
	case EQUAL:
		return difference == 0;
	case NOT_EQUAL:
		return difference != 0;
	case LESS:
		return difference < 0;
	case LESS_EQUAL:
		return difference <= 0;
	case MORE:
		return difference > 0;
	default:
		return difference >= 0;
	}
}

/* As many numbers as @wanted has. */
static int version_difference(const char *version, const char *wanted)
{
	char *end = (char *)version, *wanted_end = (char *)wanted;

	for (;;) {
		long difference = strtol(end, &end, 10) - strtol(wanted_end, &wanted_end, 10);

		if (difference || *wanted_end != '.')
			return (int)difference;
		wanted_end++;
		end += *end == '.';
	}
}

static bool kernel_holds(const struct condition *c, struct lab *lab, const struct stand_in *as)
{
	struct utsname name;

	uname(&name);
	return compare(c->comparison,
		       version_difference(as ? as->version : name.release, c->args[0]));
}

static bool cpus_holds(const struct condition *c, struct lab *lab, const struct stand_in *as)
{
	return compare(c->comparison, (int)(sysconf(_SC_NPROCESSORS_ONLN) - atoi(c->args[0])));
}

static bool nodes_holds(const struct condition *c, struct lab *lab, const struct stand_in *as)
{
	return compare(c->comparison, (int)nodes_online() - atoi(c->args[0]));
}

static bool feature_holds(const struct condition *c, struct lab *lab, const struct stand_in *as)
{
	uint32_t bit = 0, features = lab->info.out_features;

	if (as)
		features = (features & ~STAND_IN_FEATURES) | as->features;
	word_value(&feature_words, c->args[0] ? c->args[0] : c->predicate->name, &bit);
	return features & bit;
}

static const struct bhlab_mech_info *mech_of(const struct condition *c, struct lab *lab)
{
	struct error e;

	return lab_mechs(lab, &e) ? NULL : lab_mech_by_name(lab, c->args[0]);
}

static bool mechanism_holds(const struct condition *c, struct lab *lab, const struct stand_in *as)
{
	const struct bhlab_mech_info *mech = mech_of(c, lab);

	return mech && mech->out_native;
}

static bool verb_in(const struct condition *c, struct lab *lab, bool emulated)
{
	const struct bhlab_mech_info *mech = mech_of(c, lab);
	uint32_t verb = 0;

	word_value(&verb_words, c->args[1], &verb);
	return mech && (mech->out_native | (emulated ? mech->out_emulated : 0)) & 1U << verb;
}

static bool verb_holds(const struct condition *c, struct lab *lab, const struct stand_in *as)
{
	return verb_in(c, lab, true);
}

static bool native_holds(const struct condition *c, struct lab *lab, const struct stand_in *as)
{
	return verb_in(c, lab, false);
}

static bool root_holds(const struct condition *c, struct lab *lab, const struct stand_in *as)
{
	return geteuid() == 0;
}

static bool user_holds(const struct condition *c, struct lab *lab, const struct stand_in *as)
{
	return getpwnam(c->args[0]);
}

static bool cmdline_holds(const struct condition *c, struct lab *lab, const struct stand_in *as)
{
	FILE *file = fopen("/proc/cmdline", "re");
	char text[4096], *rest = text, *word;
	bool found = false;

	if (as && !strncmp(c->args[0], "preempt=", 8))
		return as->full && !strcmp(c->args[0], "preempt=full");
	if (file && fgets(text, sizeof(text), file))
		while (!found && (word = strsep(&rest, " \n")))
			found = !strcmp(word, c->args[0]);
	if (file)
		fclose(file);
	return found;
}

static bool file_holds(const struct condition *c, struct lab *lab, const struct stand_in *as)
{
	return !access(c->args[0], W_OK);
}

#define DIGITS "0123456789"

/* A mechanism that this driver does not have is no mistake. */
static const struct predicate predicates[] = {
	{ "kernel", 1, true, { NULL }, DIGITS ".", kernel_holds },
	{ "cpus", 1, true, { NULL }, DIGITS, cpus_holds },
	{ "nodes", 1, true, { NULL }, DIGITS, nodes_holds },
	{ "rt", 0, false, { NULL }, NULL, feature_holds },
	{ "threadirqs", 0, false, { NULL }, NULL, feature_holds },
	{ "feature", 1, false, { &feature_words }, NULL, feature_holds },
	{ "mechanism", 1, false, { &mech_words }, NULL, mechanism_holds },
	{ "verb", 2, false, { &mech_words, &verb_words }, NULL, verb_holds },
	{ "native", 2, false, { &mech_words, &verb_words }, NULL, native_holds },
	{ "root", 0, false, { NULL }, NULL, root_holds },
	{ "user", 1, false, { NULL }, NULL, user_holds },
	{ "cmdline", 1, false, { NULL }, NULL, cmdline_holds },
	{ "file", 1, false, { NULL }, NULL, file_holds },
};

static const struct predicate *find_predicate(const char *p, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(predicates); i++)
		if (word_is(p, len, predicates[i].name))
			return &predicates[i];
	return NULL;
}

/* Takes the sign at *@p, and moves it on; false if there is none. */
static bool take_comparison(const char **p, enum comparison *comparison)
{
	for (size_t i = 0; i < ARRAY_SIZE(comparisons); i++) {
		size_t len = strlen(comparisons[i].sign);

		if (strncmp(*p, comparisons[i].sign, len))
			continue;
		*comparison = comparisons[i].comparison;
		*p += len;
		return true;
	}
	return false;
}

static int check_arg(struct reader *reader, const struct condition *c, unsigned int i,
		     const char *p)
{
	const struct words *words = c->predicate->words[i];
	const char *digits = c->predicate->digits, *arg = c->args[i];
	struct near near = near_to(arg, strlen(arg));
	uint32_t value;

	if (digits && (arg[strspn(arg, digits)] || !isdigit((unsigned char)*arg)))
		return wrong(reader, p, "'%s' is not a %s", arg,
			     strchr(digits, '.') ? "version" : "number");
	if (!words || word_value(words, arg, &value))
		return 0;
	near_try_words(&near, words);
	return wrong(reader, p, "'%s' is no %s%s", arg, words->what, near_hint(&near));
}

static int take_arg(struct reader *reader, struct condition *c, unsigned int i, const char *p,
		    size_t len)
{
	if (!len)
		return wrong(reader, p, "'%s' says too little", c->predicate->name);
	c->args[i] = pool_text(&reader->scenario->pool, p, len);
	return check_arg(reader, c, i, p);
}

static int take_args(struct reader *reader, struct condition *c, const char *p, const char *end,
		     bool tight)
{
	const char *separators = tight ? ":" : " \t";

	if (c->predicate->compares) {
		p += strspn(p, " \t");
		if (!take_comparison(&p, &c->comparison))
			return wrong(reader, p, "after '%s' comes one of >= <= == != > <",
				     c->predicate->name);
	}
	for (unsigned int i = 0; i < c->predicate->args; i++) {
		size_t len;

		p += strspn(p, separators);
		/* The last one may have colons of its own. */
		len = tight && i + 1 == c->predicate->args ? (size_t)(end - p) :
							     strcspn(p, separators);
		len = p + len > end ? (size_t)(end - p) : len;
		if (take_arg(reader, c, i, p, len))
			return -1;
		p += len;
	}
	if (p < end)
		return wrong(reader, p, "'%s' says too much", c->predicate->name);
	return 0;
}

static int unknown_condition(struct reader *reader, const char *p, size_t len)
{
	struct near near = near_to(p, len);

	for (size_t i = 0; i < ARRAY_SIZE(predicates); i++)
		near_try(&near, predicates[i].name);
	return wrong(reader, p, "unknown condition '%.*s'%s", (int)len, p, near_hint(&near));
}

static int take_condition(struct reader *reader, struct condition *c, const char *p,
			  const char *end, bool tight)
{
	const char *start = p;
	size_t len;

	if (tight ? *p == '!' : !strncmp(p, "not ", 4)) {
		c->not = true;
		p = skip_blanks(p + (tight ? 1 : 4));
	}
	len = strcspn(p, "<>=!: \t,");
	c->predicate = find_predicate(p, p + len > end ? (size_t)(end - p) : len);
	if (!c->predicate)
		return unknown_condition(reader, p, p + len > end ? (size_t)(end - p) : len);
	c->text = pool_text(&reader->scenario->pool, start, end - start);
	return take_args(reader, c, p + len, end, tight);
}

struct condition *condition_parse(struct reader *reader, const char *p, size_t len, bool tight)
{
	struct condition *c = pool_alloc(&reader->scenario->pool, sizeof(*c));

	return take_condition(reader, c, p, p + len, tight) ? NULL : c;
}

const char *condition_text(const struct condition *condition)
{
	return condition->text;
}

bool condition_holds(const struct condition *condition, struct lab *lab, const struct stand_in *as)
{
	return condition->predicate->holds(condition, lab, as) != condition->not;
}

/* "rt", between two of the others; false if it is no word of a kernel's name. */
static bool stand_in_word(struct stand_in *as, const char *word, size_t len)
{
	if (word_is(word, len, "rt"))
		as->features |= BHLAB_FEATURE_RT | BHLAB_FEATURE_THREADIRQS;
	else if (word_is(word, len, "threadirqs"))
		as->features |= BHLAB_FEATURE_THREADIRQS;
	else if (word_is(word, len, "full"))
		as->full = true;
	else
		return len > 2 && !strncmp(word, "rc", 2) && strspn(word + 2, DIGITS) == len - 2;
	return true;
}

int stand_in_parse(const char *text, struct stand_in *as, struct error *e)
{
	const char *word = text + (*text == 'v');
	size_t len = strspn(word, DIGITS ".");

	*as = (struct stand_in){ .version = word };
	if (!isdigit((unsigned char)*word) || len > 16)
		return usage(e, "'%s' does not begin with a version", text);
	for (word += len; *word; word += len) {
		len = 1 + strcspn(word + 1, "-");
		if (*word != '-' || !stand_in_word(as, word + 1, len - 1))
			return usage(e, "'%.*s' in '%s' is none of -rt -threadirqs -full", (int)len,
				     word, text);
	}
	return 0;
}
