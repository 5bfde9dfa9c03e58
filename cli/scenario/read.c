// SPDX-License-Identifier: GPL-2.0-only
/* Reading a scenario: lines, where they are, and the head. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/scenario.h"

#define LIMIT_NS 30000000000ULL

/* --- places */

/* --- words */

/* --- the head */

static char *rest_of_line(struct reader *reader, const char *p)
{
	size_t len = strlen(p);

	while (len && isspace((unsigned char)p[len - 1]))
		len--;
	return pool_text(&reader->scenario->pool, p, len);
}

static int head_title(struct reader *reader, const char *p)
{
	if (reader->scenario->title)
		return wrong(reader, p, "there is a title already");
	reader->scenario->title = rest_of_line(reader, p);
	return *p ? 0 : wrong(reader, p, "the title is missing");
}

static int head_text(struct reader *reader, const char *p)
{
	list_add(&reader->scenario->texts, rest_of_line(reader, p));
	return 0;
}

static int head_source(struct reader *reader, const char *p)
{
	list_add(&reader->scenario->sources, rest_of_line(reader, p));
	return *p ? 0 : wrong(reader, p, "the source is missing");
}

static int head_requires(struct reader *reader, const char *p)
{
	const char *end = p;
	struct condition *condition;

	while (!at_end(end))
		end = skip_blanks(end) + word_length(skip_blanks(end));
	condition = condition_parse(reader, p, end - p, false);
	if (!condition)
		return -1;
	list_add(&reader->scenario->requirements, condition);
	return 0;
}

static int head_limit(struct reader *reader, const char *p)
{
	char *word = pool_text(&reader->scenario->pool, p, word_length(p));
	struct error e = { 0 };

	if (parse_period(word, &reader->scenario->limit_ns, &e))
		return wrong(reader, p, "%s", e.text);
	if (at_end(p + strlen(word)))
		return 0;
	return wrong(reader, skip_blanks(p + strlen(word)), "one word too many");
}

static int head_leaves(struct reader *reader, const char *p)
{
	if (at_end(p))
		return wrong(reader, p, "the names are missing");
	for (; !at_end(p); p = skip_blanks(p + word_length(p)))
		list_add(&reader->scenario->leaves, spot_new(reader, p, p, word_length(p)));
	return 0;
}

static bool is_shown(const struct scenario *scenario, uint64_t value)
{
	for (size_t i = 0; i < scenario->shows.nr; i++) {
		const struct number *number = scenario->shows.at[i];

		if (number->value == value)
			return true;
	}
	return false;
}

static int add_shown(struct reader *reader, const char *p)
{
	struct pool *pool = &reader->scenario->pool;
	struct number *number = pool_alloc(pool, sizeof(*number));
	struct error e = { 0 };

	if (parse_number(pool_text(pool, p, word_length(p)), UINT32_MAX, &number->value, &e))
		return wrong(reader, p, "%s", e.text);
	if (!number->value)
		return wrong(reader, p, "statements are numbered from 1");
	if (is_shown(reader->scenario, number->value))
		return wrong(reader, p, "statement %" PRIu64 " is named already", number->value);
	list_add(&reader->scenario->shows, number);
	return 0;
}

static int head_statement(struct reader *reader, const char *p)
{
	if (at_end(p))
		return wrong(reader, p, "the number is missing");
	for (; !at_end(p); p = skip_blanks(p + word_length(p)))
		if (add_shown(reader, p))
			return -1;
	return 0;
}

static const struct {
	const char *word;
	int (*parse)(struct reader *reader, const char *p);
} head[] = {
	{ "title", head_title },
	{ "text", head_text },
	{ "source", head_source },
	{ "statement", head_statement },
	{ "requires", head_requires },
	{ "limit", head_limit },
	{ "leaves", head_leaves },
};

/* The body begins with the first line that is not of the head. */
static int parse_line(struct reader *reader)
{
	const char *p = skip_blanks(reader->line);
	size_t len = word_length(p);

	for (size_t i = 0; i < ARRAY_SIZE(head); i++) {
		if (!word_is(p, len, head[i].word))
			continue;
		if (reader->scenario->nr)
			return wrong(reader, p, "'%s' must stand before all commands",
				     head[i].word);
		return head[i].parse(reader, skip_blanks(p + len));
	}
	return statement_parse(reader, p);
}

/* --- the whole */

/* Appends one line of the file; true if another one belongs to it. */
static bool append_line(struct reader *reader, const char *text, unsigned int number)
{
	size_t old = reader->line ? strlen(reader->line) : 0, len = strcspn(text, "\n");
	bool more = len && text[len - 1] == '\\' && reader->nr_parts < ARRAY_SIZE(reader->parts);

	len -= more;
	reader->line = xrealloc(reader->line, old + len + 2, 1);
	memcpy(reader->line + old, text, len);
	strcpy(reader->line + old + len, more ? " " : "");
	reader->parts[reader->nr_parts].offset = old;
	reader->parts[reader->nr_parts++].number = number;
	return more;
}

static void next_line(struct reader *reader)
{
	free(reader->line);
	reader->line = NULL;
	reader->nr_parts = 0;
}

static int read_lines(struct reader *reader, FILE *file)
{
	char *text = NULL;
	size_t size = 0;
	unsigned int number = 0;
	int err = 0;

	while (!err && getline(&text, &size, file) >= 0) {
		if (append_line(reader, text, ++number))
			continue;
		if (!at_end(reader->line))
			err = parse_line(reader);
		if (!err)
			next_line(reader);
	}
	free(text);
	if (!err && reader->nr_parts)
		err = wrong(reader, reader->line + strlen(reader->line),
			    "a '\\' with no line after it");
	return err;
}

static bool name_known(const struct list *names, const char *name)
{
	for (size_t i = 0; i < names->nr; i++)
		if (!strcmp(names->at[i], name))
			return true;
	return false;
}

/* Names that nothing has, which only the last line tells. */
static int unknown_name(const struct scenario *s, const struct list *spots, const char *who,
			struct error *e)
{
	char text[128];

	for (size_t i = 0; i < spots->nr; i++) {
		const struct spot *spot = spots->at[i];

		if (name_known(&s->added, spot->name))
			continue;
		snprintf(text, sizeof(text), "%s '%s', which no add makes", who, spot->name);
		return wrong_spot(e, s, spot, text);
	}
	return 0;
}

static int missing(const struct scenario *s, struct error *e)
{
	static const struct spot top = { "", 1, 1 };

	for (size_t i = 0; i < s->nr; i++)
		if (s->statements[i].kind == STATEMENT_REPEAT && !s->statements[i].other)
			return wrong_spot(e, s, &(struct spot){ "", s->statements[i].line, 1 },
					  "this repeat has no end");
	if (unknown_name(s, &s->leaves, "it leaves", e) ||
	    unknown_name(s, &s->targets, "a step names", e))
		return -1;
	if (!s->title)
		return wrong_spot(e, s, &top, "it has no title");
	if (!s->texts.nr)
		return wrong_spot(e, s, &top, "it has no text");
	if (!s->sources.nr)
		return wrong_spot(e, s, &top, "it has no source");
	return s->expectations ? 0 : wrong_spot(e, s, &top, "it expects nothing");
}

/* "tests/scenarios/work/x.bh" is work/x. */
static const char *name_of(struct pool *pool, const char *path)
{
	const char *start = path, *slash = strrchr(path, '/');
	size_t len = strlen(path);

	for (const char *p = path; slash && p < slash; p++)
		if (*p == '/')
			start = p + 1;
	if (start[0] == '.')
		start = slash ? slash + 1 : start;
	len -= start - path;
	return pool_text(pool, start, len > 3 && !strcmp(start + len - 3, ".bh") ? len - 3 : len);
}

static struct scenario *scenario_new(const char *path)
{
	struct scenario *scenario = xrealloc(NULL, 1, sizeof(*scenario));

	*scenario = (struct scenario){ .limit_ns = LIMIT_NS };
	scenario->path = pool_text(&scenario->pool, path, strlen(path));
	scenario->name = name_of(&scenario->pool, path);
	return scenario;
}

struct scenario *scenario_read(const char *path, unsigned int slowness, struct error *e)
{
	FILE *file = fopen(path, "re");
	struct reader reader = { .slowness = slowness, .error = e };
	int err;

	if (!file) {
		fail(e, STATUS_USAGE, errno, "cannot read '%s'", path);
		return NULL;
	}
	reader.scenario = scenario_new(path);
	err = read_lines(&reader, file);
	if (!err && ferror(file))
		err = fail(e, STATUS_USAGE, errno, "cannot read '%s'", path);
	if (!err)
		err = missing(reader.scenario, e);
	reader.scenario->limit_ns *= slowness;
	fclose(file);
	free(reader.line);
	if (!err)
		return reader.scenario;
	scenario_free(reader.scenario);
	return NULL;
}

void scenario_free(struct scenario *s)
{
	for (size_t i = 0; i < s->nr; i++) {
		line_free(&s->statements[i].action.words);
		list_free(&s->statements[i].conditions);
	}
	free(s->statements);
	list_free(&s->texts);
	list_free(&s->sources);
	list_free(&s->requirements);
	list_free(&s->leaves);
	list_free(&s->shows);
	list_free(&s->added);
	list_free(&s->targets);
	list_free(&s->lets);
	list_free(&s->children);
	pool_free(&s->pool);
	free(s);
}
