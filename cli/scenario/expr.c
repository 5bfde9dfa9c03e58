// SPDX-License-Identifier: GPL-2.0-only
/* Parsing expressions: recursive descent, one function for all binary levels. */
#include <ctype.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "base/text.h"
#include "scenario/expr.h"

#define NAME_LETTERS \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789.-"
#define WORD_LETTERS "abcdefghijklmnopqrstuvwxyz_0123456789-"
#define FUNCTION_LETTERS "abcdefghijklmnopqrstuvwxyz_0123456789"

struct parser {
	struct reader *reader;
	const char *p;
	bool has_run;		/* N has a value here */
};

static struct expr *binary(struct parser *parser, int level);

static struct expr *expr_new(struct parser *parser, enum expr_kind kind, enum datum_type type)
{
	struct expr *expr = pool_alloc(&parser->reader->scenario->pool, sizeof(*expr));

	expr->kind = kind;
	expr->type = type;
	expr->at = parser->p;
	return expr;
}

/* For those that return an expression. */
#define bad(parser, at, ...) (wrong((parser)->reader, at, __VA_ARGS__), NULL)

static void skip(struct parser *parser)
{
	parser->p = skip_blanks(parser->p);
}

static char *take_text(struct parser *parser, size_t len)
{
	char *text = pool_text(&parser->reader->scenario->pool, parser->p, len);

	parser->p += len;
	return text;
}

static bool take_sign(struct parser *parser, char sign)
{
	skip(parser);
	if (*parser->p != sign)
		return false;
	parser->p++;
	return true;
}

/* --- primary expressions */

/* Letters that are not ASCII, too: what is wrong is told of as a whole. */
static size_t number_length(const char *p)
{
	size_t len = 0;

	while (isalnum((unsigned char)p[len]) || p[len] == '.' || (unsigned char)p[len] > 0x7f)
		len++;
	return len;
}

static struct expr *number(struct parser *parser)
{
	char *word = take_text(parser, number_length(parser->p)), next[8];
	bool plain = !word[strspn(word, "0123456789")] || !strncmp(word, "0x", 2);
	struct expr *expr = expr_new(parser, EXPR_CONSTANT, plain ? DATUM_NUMBER : DATUM_TIME);
	struct error e = { 0 };
	uint64_t value;

	expr->at -= strlen(word);
	snprintf(next, sizeof(next), "%s", skip_blanks(parser->p));
	next[number_length(next)] = '\0';
	if (parse_is_torn(word, next, &e) ||
	    (plain ? parse_number(word, INT64_MAX, &value, &e) : parse_period(word, &value, &e)))
		return bad(parser, expr->at, "%s", e.text);
	expr->value = (struct datum){ .type = expr->type, .number = (int64_t)value };
	return expr;
}

static struct expr *quoted(struct parser *parser)
{
	struct expr *expr = expr_new(parser, EXPR_CONSTANT, DATUM_TEXT);
	const char *end = strchr(parser->p + 1, *parser->p);

	if (!end)
		return bad(parser, parser->p, "no closing %c", *parser->p);
	expr->value.type = DATUM_TEXT;
	parser->p++;
	expr->value.text = take_text(parser, end - parser->p);
	parser->p++;
	return expr;
}

static struct expr *kept(struct parser *parser)
{
	struct expr *expr = expr_new(parser, EXPR_LET, DATUM_NUMBER);
	const struct list *lets = &parser->reader->scenario->lets;

	parser->p++;
	expr->text = take_text(parser, strspn(parser->p, NAME_LETTERS));
	for (size_t i = lets->nr; i--;) {
		const struct let *let = lets->at[i];

		if (strcmp(let->name, expr->text))
			continue;
		expr->type = let->value.type;
		expr->words = let->value.words;
		return expr;
	}
	return bad(parser, expr->at, "no let above gives '%s' a value", expr->text);
}

static const struct function *find_function(const char *p, size_t len)
{
	for (const struct function *f = item_functions; f->name; f++)
		if (word_is(p, len, f->name))
			return f;
	for (const struct function *f = event_functions; f->name; f++)
		if (word_is(p, len, f->name))
			return f;
	return NULL;
}

/* --- arguments */

static int object(struct parser *parser, struct expr_arg *arg)
{
	const char *at = parser->p;
	char *name = take_text(parser, strspn(at, NAME_LETTERS)), *dot = strrchr(name, '.');
	const char *what = arg->letter == 'f' ? "FIFO" : arg->letter == 'q' ? "queue" : "item";

	if (!*name)
		return wrong(parser->reader, at, "the name of %s %s is missing",
			     arg->letter == 'f' || arg->letter == 'q' ? "a" : "an", what);
	if (arg->letter == 'i' && dot && !strcmp(dot, ".thread") &&
	    !is_made(parser->reader->scenario, name)) {
		*dot = '\0';
		arg->thread = true;
	}
	arg->name = name;
	if (is_made(parser->reader->scenario, name))
		return 0;
	return wrong(parser->reader, at, "no add above makes the %s '%s'%s", what, name,
		     added_hint(parser->reader, name));
}

static int set_argument(struct parser *parser, struct expr_arg *arg, const struct words *words)
{
	const char *at = parser->p;
	size_t len = strspn(at, WORD_LETTERS);
	char hint[300];

	parser->p += len;
	if (len && set_word(words, at, len, &arg->word) && arg->word)
		return 0;
	near_hint_words(at, len, words, hint, sizeof(hint));
	return wrong(parser->reader, at, "unknown %s '%.*s'%s", words->what, (int)len, at, hint);
}

static int number_argument(struct parser *parser, struct expr_arg *arg)
{
	arg->expr = binary(parser, LEVEL_OR);
	if (arg->expr && arg->expr->type != DATUM_NUMBER)
		return wrong(parser->reader, arg->expr->at, "this is not a number");
	return arg->expr ? 0 : -1;
}

static int run_argument(struct parser *parser, struct expr_arg *arg)
{
	bool outside = parser->has_run;

	parser->has_run = true;
	arg->expr = binary(parser, LEVEL_OR);
	parser->has_run = outside;
	if (arg->expr && arg->expr->type != DATUM_NUMBER)
		return wrong(parser->reader, arg->expr->at, "this is neither true nor false");
	return arg->expr ? 0 : -1;
}

/* "latency" of the item w is latency(w, N). */
static int become_call(struct parser *parser, struct expr *word, const struct expr_arg *item)
{
	const struct function *function = find_function(word->value.text,
							strlen(word->value.text));

	if (!function || strcmp(function->args, "in"))
		return wrong(parser->reader, word->at, "'%s' is no function of one run",
			     word->value.text);
	word->kind = EXPR_CALL;
	word->function = function;
	word->type = function->type;
	word->text = word->value.text;
	word->args[0] = *item;
	word->args[1] = (struct expr_arg){ .letter = 'n' };
	word->args[1].expr = expr_new(parser, EXPR_RUN, DATUM_NUMBER);
	word->nr_args = 2;
	return 0;
}

static int value_argument(struct parser *parser, const struct expr *call, struct expr_arg *arg)
{
	bool outside = parser->has_run;

	parser->has_run = true;
	arg->expr = binary(parser, LEVEL_OR);
	parser->has_run = outside;
	if (!arg->expr)
		return -1;
	if (arg->expr->kind == EXPR_WORD && become_call(parser, arg->expr, &call->args[0]))
		return -1;
	if (arg->expr->type != DATUM_NUMBER && arg->expr->type != DATUM_TIME)
		return wrong(parser->reader, arg->expr->at, "this is neither a number nor a time");
	return 0;
}

static int argument(struct parser *parser, const struct expr *call, struct expr_arg *arg)
{
	skip(parser);
	switch (arg->letter) {
	case 'k':
		return set_argument(parser, arg, &kind_words);
	case 's':
		return set_argument(parser, arg, &softirq_words);
	case 'n':
		return number_argument(parser, arg);
	case 'e':
		return run_argument(parser, arg);
	case 'v':
		return value_argument(parser, call, arg);
	default:
		return object(parser, arg);
	}
}

/* How a call is written: "cpu(ITEM, N)". */
static void signature(const struct function *function, char *buf, size_t size)
{
	struct text text = text_in(buf, size);
	const char *separator = "";

	text_add(&text, "%s(", function->name);
	for (const char *letter = function->args; *letter; letter++) {
		if (*letter == '?')
			continue;
		text_add(&text, "%s%s", separator,
			 *letter == '*' ? "..." : *letter == 'n' ? "N" : *letter == 'k' ? "KIND" :
			 *letter == 's' ? "SOFTIRQ" : *letter == 'f' ? "FIFO" :
			 *letter == 'q' ? "QUEUE" : strchr("ev", *letter) ? "EXPRESSION" : "ITEM");
		separator = ", ";
	}
	text_add(&text, ")");
}

/* The arguments, up to and including the parenthesis that closes. */
static int arguments(struct parser *parser, struct expr *call)
{
	const char *letter = call->function->args;

	for (;; letter += *letter && *letter != '*') {
		struct expr_arg *arg = &call->args[call->nr_args];
		bool optional = *letter == '?' || *letter == '*';

		if (take_sign(parser, ')'))
			return !*letter || optional ? 0 : 1;
		letter += *letter == '?';
		if (!*letter || call->nr_args == EXPR_ARGS_MAX ||
		    (call->nr_args && !take_sign(parser, ',')))
			return 1;
		arg->letter = *letter == '*' ? letter[-1] : *letter;
		if (argument(parser, call, arg))
			return -1;
		call->nr_args++;
	}
}

static struct expr *call(struct parser *parser, const struct function *function)
{
	struct expr *expr = expr_new(parser, EXPR_CALL, function->type);
	char form[128];
	int err;

	expr->function = function;
	expr->words = function->words;
	parser->p = strchr(parser->p, '(') + 1;
	if (!strcmp(function->name, "lost"))
		parser->reader->scenario->speaks_of_lost = true;
	err = arguments(parser, expr);
	if (err > 0) {
		signature(function, form, sizeof(form));
		return bad(parser, expr->at, "this is not %s", form);
	}
	expr->text = pool_text(&parser->reader->scenario->pool, expr->at, parser->p - expr->at);
	if (!err && strchr(function->args, 'v'))
		expr->type = expr->args[1].expr->type;
	return err ? NULL : expr;
}

static void near_functions(struct near *near)
{
	for (const struct function *f = item_functions; f->name; f++)
		near_try(near, f->name);
	for (const struct function *f = event_functions; f->name; f++)
		near_try(near, f->name);
}

static struct expr *unknown_function(struct parser *parser, size_t len)
{
	struct near near = near_to(parser->p, len);

	near_functions(&near);
	return bad(parser, parser->p, "unknown function '%.*s'%s", (int)len, parser->p,
		   near_hint(&near));
}

/* A function, N, or a word that a set will explain. */
static struct expr *named(struct parser *parser)
{
	size_t len = strspn(parser->p, FUNCTION_LETTERS);
	const struct function *function = find_function(parser->p, len);
	bool is_call = *skip_blanks(parser->p + len) == '(';
	struct expr *expr;

	if (is_call && function)
		return call(parser, function);
	if (is_call)
		return unknown_function(parser, len);
	if (*parser->p == 'N' && !strspn(parser->p + 1, NAME_LETTERS)) {
		if (!parser->has_run)
			return bad(parser, parser->p,
				   "N is a run in all() and the like, and nothing here");
		expr = expr_new(parser, EXPR_RUN, DATUM_NUMBER);
		parser->p++;
		return expr;
	}
	expr = expr_new(parser, EXPR_WORD, DATUM_TEXT);
	expr->value.text = take_text(parser, strspn(parser->p, WORD_LETTERS));
	return *expr->value.text ? expr : bad(parser, expr->at, "an expression is missing here");
}

static struct expr *primary(struct parser *parser)
{
	struct expr *expr;

	skip(parser);
	if (isdigit((unsigned char)*parser->p))
		return number(parser);
	if (*parser->p == '\'' || *parser->p == '"')
		return quoted(parser);
	if (*parser->p == '$')
		return kept(parser);
	if (!take_sign(parser, '('))
		return named(parser);
	expr = binary(parser, LEVEL_OR);
	if (expr && !take_sign(parser, ')'))
		return bad(parser, parser->p, "a ')' is missing here");
	return expr;
}

static struct expr *negative(struct parser *parser)
{
	struct expr *expr;

	skip(parser);
	if (*parser->p != '-')
		return primary(parser);
	expr = expr_new(parser, EXPR_MINUS, DATUM_NUMBER);
	parser->p++;
	expr->left = primary(parser);
	if (!expr->left)
		return NULL;
	expr->type = expr->left->type;
	if (expr->type == DATUM_NUMBER || expr->type == DATUM_TIME)
		return expr;
	return bad(parser, expr->at, "this cannot be negative");
}

static struct expr *comparison(struct parser *parser)
{
	const struct operator *operator;
	struct expr *left = binary(parser, LEVEL_ADD);

	skip(parser);
	operator = left ? operator_take(parser->p, LEVEL_COMPARE) : NULL;
	if (!operator)
		return left;
	parser->p += strlen(operator->sign);
	left = expr_binary(parser->reader, operator, left, binary(parser, LEVEL_ADD));
	skip(parser);
	if (left && operator_take(parser->p, LEVEL_COMPARE))
		return bad(parser, parser->p, "comparisons do not chain; join two with &&");
	return left;
}

static struct expr *not(struct parser *parser)
{
	struct expr *expr;

	skip(parser);
	if (*parser->p != '!')
		return comparison(parser);
	expr = expr_new(parser, EXPR_NOT, DATUM_NUMBER);
	parser->p++;
	expr->left = not(parser);
	if (!expr->left)
		return NULL;
	return expr->left->type == DATUM_NUMBER ? expr :
	       bad(parser, expr->left->at, "this is neither true nor false");
}

static struct expr *binary(struct parser *parser, int level)
{
	const struct operator *operator;
	struct expr *left;

	if (level == LEVEL_NOT)
		return not(parser);
	if (level > LEVEL_MULTIPLY)
		return negative(parser);
	left = binary(parser, level + 1);
	while (left) {
		skip(parser);
		operator = operator_take(parser->p, level);
		if (!operator)
			break;
		parser->p += strlen(operator->sign);
		left = expr_binary(parser->reader, operator, left, binary(parser, level + 1));
	}
	return left;
}

struct expr *expr_parse(struct reader *reader, const char *p)
{
	struct parser parser = { .reader = reader, .p = p };
	struct expr *expr = binary(&parser, LEVEL_OR);

	if (!expr)
		return NULL;
	if (expr->kind == EXPR_WORD)
		return bad(&parser, expr->at, "unknown word '%s'", expr->value.text);
	if (at_end(parser.p))
		return expr;
	skip(&parser);
	if (*parser.p == '=' && parser.p[1] != '=')
		return bad(&parser, parser.p, "'=' compares nothing; write '=='");
	return bad(&parser, parser.p, "'%.*s' cannot follow here", (int)word_length(parser.p),
		   parser.p);
}
