// SPDX-License-Identifier: GPL-2.0-only
/* One line of the body of a scenario. */
#include <stdio.h>
#include <string.h>

#include "base/near.h"
#include "command/command.h"
#include "scenario/scenario.h"
#include "scenario/expr.h"

/* --- variants: "@rt,!kernel>=6.12" */

static int take_variant(struct reader *reader, struct statement *s, const char **p)
{
	const char *end = *p + word_length(*p);
	struct condition *condition;

	s->variant = pool_text(&reader->scenario->pool, *p + 1, end - *p - 1);
	while (*p < end) {
		const char *part = *p + 1;
		size_t len = strcspn(part, ",");

		len = part + len > end ? (size_t)(end - part) : len;
		condition = condition_parse(reader, part, len, true);
		if (!condition)
			return -1;
		list_add(&s->conditions, condition);
		*p = part + len;
	}
	*p = skip_blanks(end);
	return 0;
}

/* --- lines */

static int parse_action(struct reader *reader, struct statement *s, const char *p)
{
	struct phrase phrase = { reader, p, &s->action.words };
	const struct command *cmd;

	if (phrase_split(&phrase))
		return -1;
	/* join NAME = WORD */
	if (!strcmp(phrase.line->argc ? phrase.line->argv[0] : "", "join") &&
	    phrase_equals(phrase.line) > 0) {
		line_free(phrase.line);
		s->kind = STATEMENT_ANSWER;
		reader->scenario->expectations++;
		return parse_answer(reader, s, p);
	}
	return phrase_action(&phrase, &s->action, phrase.line->argc, &cmd);
}

/* A lone '=' outside of quotes, and no call before it. */
static bool has_answer(const char *p)
{
	char quote = 0;

	if (memchr(p, '(', word_length(p)))
		return false;
	for (; *p; p++) {
		if (quote ? *p == quote : *p == '\'' || *p == '"')
			quote = quote ? 0 : *p;
		else if (!quote && !strncmp(p, " =", 2) && strchr(" \t", p[2]))
			return true;
	}
	return false;
}

static int parse_expect(struct reader *reader, struct statement *s, const char *p, bool refusal)
{
	char first[64];

	reader->scenario->expectations++;
	snprintf(first, sizeof(first), "%.*s", (int)word_length(p), p);
	s->kind = refusal	? STATEMENT_REFUSAL :
		  has_answer(p) ? STATEMENT_ANSWER :
				  STATEMENT_EXPRESSION;
	if (s->kind != STATEMENT_EXPRESSION)
		return parse_answer(reader, s, p);
	if (command_find(first))
		return wrong(reader, p, "what must '%s' answer? '= WORD' is missing", first);
	s->expr = expr_parse(reader, p);
	if (!s->expr)
		return -1;
	return s->expr->type == DATUM_NUMBER ? 0 :
					       wrong(reader, p, "this is neither true nor false");
}

static int parse_settle(struct reader *reader, struct statement *s, const char *p)
{
	struct phrase phrase = { reader, p, &s->action.words };
	struct error e = { 0 };

	s->kind = STATEMENT_SETTLE;
	s->number = 10000000000ULL * reader->slowness;
	s->action.text = s->text;
	if (phrase_split(&phrase))
		return -1;
	if (phrase.line->argc > 1)
		return wrong(reader, phrase_at(&phrase, 1), "one word too many");
	if (phrase.line->argc && parse_period(phrase.line->argv[0], &s->number, &e))
		return wrong(reader, phrase_at(&phrase, 0), "%s", e.text);
	return 0;
}

static int parse_repeat(struct reader *reader, struct statement *s, const char *p)
{
	struct phrase phrase = { reader, p, &s->action.words };

	s->kind = STATEMENT_REPEAT;
	if (phrase_split(&phrase) || phrase_number(&phrase, 0, &s->number))
		return -1;
	if (!s->number)
		return wrong(reader, phrase_at(&phrase, 0), "0 times is never");
	return phrase.line->argc > 1 ? wrong(reader, phrase_at(&phrase, 1), "one word too many") :
				       0;
}

static int parse_end(struct reader *reader, struct statement *s, const char *p)
{
	struct scenario *scenario = reader->scenario;
	size_t i = scenario->nr - 1;

	s->kind = STATEMENT_END;
	if (!at_end(p))
		return wrong(reader, p, "one word too many");
	while (i--) {
		struct statement *repeat = &scenario->statements[i];

		if (repeat->kind != STATEMENT_REPEAT || repeat->other)
			continue;
		repeat->other = scenario->nr - 1;
		s->other = i;
		return 0;
	}
	return wrong(reader, reader->line, "there is no repeat that this could end");
}

static int parse_let(struct reader *reader, struct statement *s, const char *p)
{
	size_t len = strcspn(p, " \t=");
	struct error e = { 0 };
	const char *equals = skip_blanks(p + len);
	struct let *let;

	s->kind = STATEMENT_LET;
	s->name = pool_text(&reader->scenario->pool, p, len);
	if (parse_name(s->name, &e))
		return wrong(reader, p, "%s", e.text);
	if (*equals != '=')
		return wrong(reader, equals, "this is not let NAME = EXPRESSION");
	s->expr = expr_parse(reader, equals + 1);
	/* One that is wrong is not to be missing to the lines below. */
	let = pool_alloc(&reader->scenario->pool, sizeof(*let));
	let->name = s->name;
	list_add(&reader->scenario->lets, let);
	if (!s->expr)
		return -1;
	let->value = (struct datum){ .type = s->expr->type, .words = s->expr->words };
	return s->expr->type != DATUM_TEXT ? 0 :
		       wrong(reader, skip_blanks(equals + 1), "text cannot be kept");
}

static const struct {
	const char *word;
	bool always;		/* takes no variant */
	int (*parse)(struct reader *reader, struct statement *s, const char *p);
} lines[] = {
	{ "settle", false, parse_settle },
	{ "let", false, parse_let },
	{ "repeat", true, parse_repeat },
	{ "end", true, parse_end },
};

/* Other words that a line begins with, but for commands. */
static const char *const first_words[] = { "expect", "join", "async", "as", "on" };

static bool is_first_word(const char *p, size_t len)
{
	char name[40];

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if (word_is(p, len, lines[i].word))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(first_words); i++)
		if (word_is(p, len, first_words[i]))
			return true;
	snprintf(name, sizeof(name), "%.*s", (int)len, p);
	return len < sizeof(name) && command_find(name);
}

bool statement_begins(const char *p)
{
	if (*p == '@')
		return true;
	return is_first_word(p, strncmp(p, "expect", 6) ? word_length(p) : strcspn(p, " \t\r!@"));
}

void statement_words(struct near *near)
{
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		near_try(near, lines[i].word);
	for (size_t i = 0; i < ARRAY_SIZE(first_words); i++)
		near_try(near, first_words[i]);
	for (const struct command *const *cmd = commands_all(); *cmd; cmd++)
		if ((*cmd)->in_scenario)
			near_try(near, (*cmd)->name);
}

static int parse_other(struct reader *reader, struct statement *s, const char *p)
{
	size_t len = word_length(p);

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (!word_is(p, len, lines[i].word))
			continue;
		if (lines[i].always && s->variant)
			return wrong(reader, p, "'%s' is for all kernels or none", lines[i].word);
		return lines[i].parse(reader, s, skip_blanks(p + len));
	}
	return parse_action(reader, s, p);
}

/* "expect", "expect!", "expect@rt", "expect!@rt"; else a line that may begin with "@rt ". */
static int parse_body(struct reader *reader, struct statement *s, const char *p)
{
	bool expect = !strncmp(p, "expect", 6) && strchr(" \t!@", p[6]),
	     refusal = expect && p[6] == '!';

	if (expect)
		p += 6 + refusal;
	if (*p == '@' && take_variant(reader, s, &p))
		return -1;
	if (expect && *p && !strchr(" \t", *p) && !s->variant)
		return wrong(reader, p, "a blank is missing here");
	p = skip_blanks(p);
	if (at_end(p))
		return wrong(reader, p, expect ? "what is expected?" : "a command is missing here");
	return expect ? parse_expect(reader, s, p, refusal) : parse_other(reader, s, p);
}

static struct statement *statement_new(struct reader *reader, const char *p)
{
	struct scenario *scenario = reader->scenario;
	struct statement *s;
	size_t len = strlen(p);

	if (scenario->nr == scenario->room) {
		scenario->room = 2 * scenario->room + 16;
		scenario->statements = xrealloc(scenario->statements, scenario->room, sizeof(*s));
	}
	while (len && strchr(" \t\r", p[len - 1]))
		len--;
	s = &scenario->statements[scenario->nr++];
	*s = (struct statement){
		.line = reader->parts[0].number, .spot = spot_new(reader, p, "", 0),
		.text = pool_text(&scenario->pool, p, len),
		.action.cpu = CPU_SAME,
	};
	return s;
}

int statement_parse(struct reader *reader, const char *p)
{
	return parse_body(reader, statement_new(reader, p), p);
}
