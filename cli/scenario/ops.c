// SPDX-License-Identifier: GPL-2.0-only
/* The operators of expressions: their signs, their types, their values. */
#include <ctype.h>
#include <fnmatch.h>
#include <json.h>
#include <string.h>

#include "base/near.h"
#include "scenario/expr.h"

#define CONTEXTS (BHLAB_CTX_TASK | BHLAB_CTX_SOFTIRQ | BHLAB_CTX_HARDIRQ)

/* --- values; NULL in @value's place does not occur, types were checked */

static int apply_or(const struct datum *a, const struct datum *b, struct datum *value)
{
	value->number = a->number || b->number;
	return 0;
}

static int apply_and(const struct datum *a, const struct datum *b, struct datum *value)
{
	value->number = a->number && b->number;
	return 0;
}

static bool is_context(const struct datum *d)
{
	return d->words == &context_words &&
	       (d->number == BHLAB_CTX_TASK || d->number == BHLAB_CTX_SOFTIRQ ||
		d->number == BHLAB_CTX_HARDIRQ);
}

/* One of task, softirq and hardirq stands for all sets that have it. */
static bool equal(const struct datum *a, const struct datum *b)
{
	if (a->type == DATUM_TEXT)
		return !strcmp(a->text, b->text);
	if (a->type == DATUM_SET && (is_context(a) || is_context(b)))
		return (a->number & CONTEXTS) == (b->number & CONTEXTS);
	return a->number == b->number;
}

static int apply_equal(const struct datum *a, const struct datum *b, struct datum *value)
{
	value->number = equal(a, b);
	return 0;
}

static int apply_unequal(const struct datum *a, const struct datum *b, struct datum *value)
{
	value->number = !equal(a, b);
	return 0;
}

static int apply_less(const struct datum *a, const struct datum *b, struct datum *value)
{
	value->number = a->number < b->number;
	return 0;
}

static int apply_less_equal(const struct datum *a, const struct datum *b, struct datum *value)
{
	value->number = a->number <= b->number;
	return 0;
}

static int apply_more(const struct datum *a, const struct datum *b, struct datum *value)
{
	value->number = a->number > b->number;
	return 0;
}

static int apply_more_equal(const struct datum *a, const struct datum *b, struct datum *value)
{
	value->number = a->number >= b->number;
	return 0;
}

static int apply_like(const struct datum *a, const struct datum *b, struct datum *value)
{
	value->number = !fnmatch(b->text, a->text, 0);
	return 0;
}

static int apply_unlike(const struct datum *a, const struct datum *b, struct datum *value)
{
	value->number = fnmatch(b->text, a->text, 0);
	return 0;
}

static int apply_has(const struct datum *a, const struct datum *b, struct datum *value)
{
	value->number = (a->number & b->number) == b->number;
	return 0;
}

static int apply_add(const struct datum *a, const struct datum *b, struct datum *value)
{
	return __builtin_add_overflow(a->number, b->number, &value->number) ? -1 : 0;
}

static int apply_subtract(const struct datum *a, const struct datum *b, struct datum *value)
{
	return __builtin_sub_overflow(a->number, b->number, &value->number) ? -1 : 0;
}

static int apply_multiply(const struct datum *a, const struct datum *b, struct datum *value)
{
	return __builtin_mul_overflow(a->number, b->number, &value->number) ? -1 : 0;
}

static int apply_divide(const struct datum *a, const struct datum *b, struct datum *value)
{
	if (!b->number || (a->number == INT64_MIN && b->number == -1))
		return -1;
	value->number = a->number / b->number;
	return 0;
}

/* Of those that begin alike the longer one comes first. */
static const struct operator operators[] = {
	{ "||", LEVEL_OR, apply_or },
	{ "&&", LEVEL_AND, apply_and },
	{ "==", LEVEL_COMPARE, apply_equal },
	{ "!=", LEVEL_COMPARE, apply_unequal },
	{ "!~", LEVEL_COMPARE, apply_unlike },
	{ "~", LEVEL_COMPARE, apply_like },
	{ "<=", LEVEL_COMPARE, apply_less_equal },
	{ ">=", LEVEL_COMPARE, apply_more_equal },
	{ "<", LEVEL_COMPARE, apply_less },
	{ ">", LEVEL_COMPARE, apply_more },
	{ "has", LEVEL_COMPARE, apply_has },
	{ "+", LEVEL_ADD, apply_add },
	{ "-", LEVEL_ADD, apply_subtract },
	{ "*", LEVEL_MULTIPLY, apply_multiply },
	{ "/", LEVEL_MULTIPLY, apply_divide },
};

const struct operator *operator_take(const char *p, int level)
{
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		const struct operator *o = &operators[i];
		size_t len = strlen(o->sign);

		if (strncmp(p, o->sign, len))
			continue;
		if (isalpha((unsigned char)*o->sign) &&
		    (isalnum((unsigned char)p[len]) || p[len] == '_'))
			continue;
		return o->level == level ? o : NULL;
	}
	return NULL;
}

/* --- words of sets */

static bool same_word(const char *name, const char *p, size_t len)
{
	if (strlen(name) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] != p[i] && !(strchr("-_", name[i]) && strchr("-_", p[i])))
			return false;
	return true;
}

bool set_word(const struct words *words, const char *p, size_t len, uint32_t *bit)
{
	for (size_t i = 0; i < words->nr; i++) {
		if (!same_word(words->list[i].name, p, len))
			continue;
		*bit = words->list[i].value;
		return true;
	}
	*bit = 0;
	return word_is(p, len, "none") || (words == &state_words && word_is(p, len, "idle"));
}

/* "pending,delayed" */
static bool set_value(const struct words *words, const char *text, int64_t *bits)
{
	uint32_t bit;

	for (*bits = 0;; text++) {
		size_t len = strcspn(text, ",");

		if (!set_word(words, text, len, &bit))
			return false;
		*bits |= bit;
		text += len;
		if (!*text)
			return true;
	}
}

/* A word or text that is compared with a set becomes one. */
static int become_set(struct reader *reader, struct expr *expr, const struct words *words)
{
	char hint[300];

	if (set_value(words, expr->value.text, &expr->value.number)) {
		expr->kind = EXPR_CONSTANT;
		expr->type = expr->value.type = DATUM_SET;
		expr->words = expr->value.words = words;
		return 0;
	}
	near_hint_words(expr->value.text, strlen(expr->value.text), words, hint, sizeof(hint));
	return wrong(reader, expr->at, "unknown %s '%s'%s", words->what, expr->value.text, hint);
}

/* --- types */

static bool is_text(const struct expr *expr)
{
	return expr->kind == EXPR_WORD || (expr->kind == EXPR_CONSTANT && expr->type == DATUM_TEXT);
}

static bool is_zero(const struct expr *expr)
{
	return expr->kind == EXPR_CONSTANT && expr->type == DATUM_NUMBER && !expr->value.number;
}

/* Zero is as good a time as any. */
static void unify(struct expr *a, struct expr *b)
{
	if (is_zero(a) && b->type == DATUM_TIME)
		a->type = DATUM_TIME;
	if (is_zero(b) && a->type == DATUM_TIME)
		b->type = DATUM_TIME;
}

static int unify_sets(struct reader *reader, struct expr *a, struct expr *b)
{
	if (a->type == DATUM_SET && is_text(b) && become_set(reader, b, a->words))
		return -1;
	if (b->type == DATUM_SET && is_text(a) && become_set(reader, a, b->words))
		return -1;
	if (a->kind == EXPR_WORD || b->kind == EXPR_WORD) {
		const struct expr *word = a->kind == EXPR_WORD ? a : b;

		return wrong(reader, word->at, "unknown word '%s'; text stands in quotes",
			     word->value.text);
	}
	return 0;
}

static int check_has(struct reader *reader, const struct expr *a, struct expr *b)
{
	if (a->type != DATUM_SET)
		return wrong(reader, a->at, "only a set has words");
	if (b->type != DATUM_SET || b->words != a->words)
		return wrong(reader, b->at, "a word is missing here");
	return 0;
}

static int check_compare(struct reader *reader, const struct operator* operator, struct expr * a,
			 struct expr *b)
{
	bool order = *operator->sign == '<' || *operator->sign == '>';

	if (unify_sets(reader, a, b))
		return -1;
	unify(a, b);
	if (operator->apply == apply_has)
		return check_has(reader, a, b);
	if (a->type != b->type || a->words != b->words)
		return wrong(reader, b->at, "%s", a->type == DATUM_TIME || b->type == DATUM_TIME ?
			     "a time can be compared with a time only; write 5ms" :
			     "these two cannot be compared");
	if (strchr(operator->sign, '~') && a->type != DATUM_TEXT)
		return wrong(reader, a->at, "a pattern is for text");
	if (order && (a->type == DATUM_TEXT || a->type == DATUM_SET))
		return wrong(reader, a->at, "this is neither more nor less than anything");
	return 0;
}

/* Rows: what is written on the left and right, and what it makes. */
static int check_arithmetic(struct reader *reader, const struct operator *operator, struct expr *a,
			    struct expr *b, enum datum_type *type)
{
	static const struct {
		const char *sign;
		enum datum_type left, right, type;
	} rows[] = {
		{ "+", DATUM_NUMBER, DATUM_NUMBER, DATUM_NUMBER },
		{ "+", DATUM_TIME, DATUM_TIME, DATUM_TIME },
		{ "+", DATUM_MOMENT, DATUM_TIME, DATUM_MOMENT },
		{ "-", DATUM_NUMBER, DATUM_NUMBER, DATUM_NUMBER },
		{ "-", DATUM_TIME, DATUM_TIME, DATUM_TIME },
		{ "-", DATUM_MOMENT, DATUM_TIME, DATUM_MOMENT },
		{ "-", DATUM_MOMENT, DATUM_MOMENT, DATUM_TIME },
		{ "*", DATUM_NUMBER, DATUM_NUMBER, DATUM_NUMBER },
		{ "*", DATUM_TIME, DATUM_NUMBER, DATUM_TIME },
		{ "*", DATUM_NUMBER, DATUM_TIME, DATUM_TIME },
		{ "/", DATUM_NUMBER, DATUM_NUMBER, DATUM_NUMBER },
		{ "/", DATUM_TIME, DATUM_NUMBER, DATUM_TIME },
		{ "/", DATUM_TIME, DATUM_TIME, DATUM_NUMBER },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].sign, operator->sign) || rows[i].left != a->type ||
		    rows[i].right != b->type)
			continue;
		*type = rows[i].type;
		return 0;
	}
	return wrong(reader, b->at, "'%s' does not go with these two", operator->sign);
}

static int check(struct reader *reader, const struct operator* operator, struct expr * a,
		 struct expr *b, enum datum_type *type)
{
	*type = DATUM_NUMBER;
	if (operator->level == LEVEL_COMPARE)
		return check_compare(reader, operator, a, b);
	if (operator->level > LEVEL_COMPARE)
		return check_arithmetic(reader, operator, a, b, type);
	if (a->type != DATUM_NUMBER || b->type != DATUM_NUMBER)
		return wrong(reader, a->type != DATUM_NUMBER ? a->at : b->at,
			     "this is neither true nor false");
	return 0;
}

struct expr *expr_binary(struct reader *reader, const struct operator *operator, struct expr *left,
			 struct expr *right)
{
	struct expr *expr;
	enum datum_type type;

	if (!right || check(reader, operator, left, right, &type))
		return NULL;
	expr = pool_alloc(&reader->scenario->pool, sizeof(*expr));
	*expr = (struct expr){
		.kind = EXPR_BINARY, .type = type, .operator = operator, .left = left,
		.right = right,
		.at = left->at,
	};
	return expr;
}
