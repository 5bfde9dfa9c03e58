// SPDX-License-Identifier: GPL-2.0-only
/* Reading a scenario: lines, where they are, and the head. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "scenario/scenario.h"

#define LIMIT_NS 30000000000ULL
/* More of them come of these. */
#define COMPLAINTS_MAX 20
/* What a repeat with a name may be written out to. */
#define TIMES_MAX 1000
#define STATEMENTS_MAX 20000

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

/* What is made there is not to be missing to the lines below. */
static void note_misspelled_add(struct reader *reader, const char *p)
{
	for (int i = 0; i < 2; i++)
		p = skip_blanks(p + word_length(p));
	list_add(&reader->scenario->added,
		 pool_text(&reader->scenario->pool, p, word_length(p)));
}

/* A word that is none is not the body's either, or the rest of the head would come too late. */
static int unknown_line(struct reader *reader, const char *p)
{
	size_t len = strcspn(p, " \t\r!@(") ? strcspn(p, " \t\r!@(") : word_length(p);
	struct near near = near_to(p, len);

	for (size_t i = 0; i < ARRAY_SIZE(head); i++)
		near_try(&near, head[i].word);
	statement_words(&near);
	if (near.best && !strcmp(near.best, "add"))
		note_misspelled_add(reader, p);
	if (near.best)
		return wrong(reader, p, "unknown command '%.*s'%s", (int)len, p, near_hint(&near));
	return wrong(reader, p, "unknown command '%.*s'; 'bhctl help' lists all", (int)len, p);
}

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
	return statement_begins(p) ? statement_parse(reader, p) : unknown_line(reader, p);
}

/* --- lines */

/* One of the reader's, before anything is put in for names. */
struct text_line {
	char *text;
	struct part *parts;
	size_t nr_parts;
};

struct text_file {
	struct text_line *lines;
	size_t nr;
};

static void add_part(struct part **parts, size_t *nr, struct part part)
{
	*parts = xrealloc(*parts, *nr + 1, sizeof(**parts));
	(*parts)[(*nr)++] = part;
}

/* Appends one line of the file; true if another one belongs to it. */
static bool append_line(struct reader *reader, struct text_line *line, const char *text,
			unsigned int number)
{
	struct pool *pool = &reader->scenario->pool;
	size_t len = strcspn(text, "\n");
	const char *source = pool_text(pool, text, len);
	bool more = len && text[len - 1] == '\\';

	add_part(&line->parts, &line->nr_parts, (struct part){
		line->text ? strlen(line->text) : 0, number, 1, source,
	});
	line->text = pool_printf(pool, "%s%.*s%s", line->text ? line->text : "",
				 (int)(len - more), source, more ? " " : "");
	return more;
}

static void set_line(struct reader *reader, const struct text_line *line)
{
	reader->line = line->text;
	reader->parts = line->parts;
	reader->nr_parts = line->nr_parts;
}

/* What editors put in front of a text, and which nobody sees. */
static const char *skip_mark(struct reader *reader, const char *text)
{
	struct spot top = { .line = 1, .column = 1 };

	if (!strncmp(text, "\xef\xbb\xbf", 3)) {
		wrong_spot(reader, &top, "the file begins with a byte order mark (BOM); save it "
			   "as UTF-8 without one");
		return text + 3;
	}
	if (strncmp(text, "\xff\xfe", 2) && strncmp(text, "\xfe\xff", 2))
		return text;
	wrong_spot(reader, &top, "the file begins with a byte order mark (BOM) of UTF-16; save it "
		   "as UTF-8");
	return NULL;
}

static void read_lines(struct reader *reader, struct text_file *text, FILE *file)
{
	unsigned int number = 0;
	bool more = false;
	char *buf = NULL;
	size_t size = 0;

	while (getline(&buf, &size, file) >= 0) {
		const char *line = number++ ? buf : skip_mark(reader, buf);

		if (!line)
			break;
		if (!more) {
			text->lines = xrealloc(text->lines, text->nr + 1, sizeof(*text->lines));
			text->lines[text->nr++] = (struct text_line){ 0 };
		}
		more = append_line(reader, &text->lines[text->nr - 1], line, number);
	}
	free(buf);
	if (!more)
		return;
	set_line(reader, &text->lines[text->nr - 1]);
	wrong(reader, reader->line + strlen(reader->line), "a '\\' with no line after it");
}

static void text_free(struct text_file *text)
{
	for (size_t i = 0; i < text->nr; i++)
		free(text->lines[i].parts);
	free(text->lines);
}

/* --- "repeat 20 as N" writes its lines out, with a number for $N */

#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789"

static const struct var *find_var(const struct reader *reader, const char *name, size_t len)
{
	for (size_t i = reader->vars.nr; i--;) {
		const struct var *var = reader->vars.at[i];

		if (word_is(name, len, var->name))
			return var;
	}
	return NULL;
}

/* The place in the file of what follows @from characters of the line. */
static struct part part_behind(const struct text_line *line, size_t part, size_t from)
{
	const struct part *before = &line->parts[part];
	struct part behind = *before;

	for (size_t i = before->offset; i < from; i++)
		behind.column += ((unsigned char)line->text[i] & 0xc0) != 0x80;
	return behind;
}

/* The line with numbers for names; @out has parts of its own. */
static void put_in(struct reader *reader, const struct text_line *line, struct text_line *out)
{
	size_t len = strlen(line->text), part = 0, at = 0;
	char *text = pool_alloc(&reader->scenario->pool, 21 * len + 1);

	*out = (struct text_line){ .text = text };
	for (size_t i = 0; i < len;) {
		size_t name = strspn(line->text + i + 1, NAME_LETTERS);
		const struct var *var = line->text[i] == '$' ?
			find_var(reader, line->text + i + 1, name) : NULL;
		struct part behind;

		for (; part < line->nr_parts && line->parts[part].offset <= i; part++) {
			behind = line->parts[part];
			behind.offset = at;
			add_part(&out->parts, &out->nr_parts, behind);
		}
		if (!var) {
			text[at++] = line->text[i++];
			continue;
		}
		at += sprintf(text + at, "%" PRIu64, var->value);
		i += 1 + name;
		behind = part_behind(line, part - 1, i);
		behind.offset = at;
		add_part(&out->parts, &out->nr_parts, behind);
	}
}

/* The line of the end that belongs to the repeat in line @from, or @to. */
static size_t find_end(const struct text_file *text, size_t from, size_t to)
{
	unsigned int depth = 0;

	for (; from < to; from++) {
		const char *p = skip_blanks(text->lines[from].text);

		depth += word_is(p, word_length(p), "repeat");
		if (word_is(p, word_length(p), "end") && !--depth)
			break;
	}
	return from;
}

/* "repeat 20 as N"; the count is 1 if it is wrong, so that the rest is looked at. */
static bool take_named_repeat(struct reader *reader, uint64_t *count, const char **name)
{
	struct line words = { 0 };
	struct error e = { 0 };
	bool named;

	if (line_split(&words, reader->line, &e))
		return false;
	named = words.argc > 2 && !strcmp(words.argv[0], "repeat") && !strcmp(words.argv[2], "as");
	if (named) {
		const char *last = words.argc > 3 ? words.argv[3] : "";

		*count = 1;
		if (parse_number(words.argv[1], TIMES_MAX, count, &e))
			wrong(reader, reader->line + words.at[1], "%s", e.text);
		else if (!*count)
			wrong(reader, reader->line + words.at[1], "0 times is never");
		if (!*last || last[strspn(last, NAME_LETTERS)])
			wrong(reader, reader->line + words.at[words.argc > 3 ? 3 : 2],
			      "after 'as' comes a name of letters, digits and '_'");
		else if (words.argc > 4)
			wrong(reader, reader->line + words.at[4], "one word too many");
		*name = pool_text(&reader->scenario->pool, last, strlen(last));
	}
	line_free(&words);
	return named;
}

static bool is_enough(struct reader *reader)
{
	return reader->complaints->list.nr >= COMPLAINTS_MAX;
}

static void parse_lines(struct reader *reader, const struct text_file *text, size_t from,
			size_t to);

/* Of what is written there the first round tells of errors. */
static void parse_named_repeat(struct reader *reader, const struct text_file *text, size_t from,
			       size_t to, uint64_t count, const char *name)
{
	struct var *var = pool_alloc(&reader->scenario->pool, sizeof(*var));

	var->name = name;
	list_add(&reader->vars, var);
	for (var->value = 1; var->value <= count && !is_enough(reader); var->value++)
		parse_lines(reader, text, from, to);
	reader->vars.nr--;
}

static void parse_lines(struct reader *reader, const struct text_file *text, size_t from,
			size_t to)
{
	for (size_t i = from; i < to && !is_enough(reader); i++) {
		struct text_line line;
		const char *name;
		uint64_t count;
		size_t end;

		put_in(reader, &text->lines[i], &line);
		set_line(reader, &line);
		if (take_named_repeat(reader, &count, &name)) {
			end = find_end(text, i, to);
			if (end == to)
				wrong(reader, skip_blanks(reader->line), "this repeat has no end");
			free(line.parts);
			parse_named_repeat(reader, text, i + 1, end, count, name);
			i = end;
			continue;
		}
		if (!at_end(reader->line)) {
			if (reader->scenario->nr > STATEMENTS_MAX)
				wrong(reader, reader->line, "the repeats make too many lines");
			else
				parse_line(reader);
		}
		free(line.parts);
	}
}

/* --- the whole */

/* Names that nothing has, which only the last line tells. */
static void unknown_names(struct reader *reader, const struct list *spots, const char *who)
{
	for (size_t i = 0; i < spots->nr; i++) {
		const struct spot *spot = spots->at[i];

		if (!is_made(reader->scenario, spot->name))
			wrong_spot(reader, spot, "%s '%s', which no add makes%s", who, spot->name,
				   added_hint(reader, spot->name));
	}
}

static void missing(struct reader *reader)
{
	static const struct spot top = { "", 1, 1, NULL };
	const struct scenario *s = reader->scenario;

	for (size_t i = 0; i < s->nr; i++)
		if (s->statements[i].kind == STATEMENT_REPEAT && !s->statements[i].other)
			wrong_spot(reader, s->statements[i].spot, "this repeat has no end");
	unknown_names(reader, &s->leaves, "it leaves");
	unknown_names(reader, &s->targets, "a step names");
	if (!s->title || !s->texts.nr || !s->sources.nr)
		wrong_spot(reader, &top, "it has no %s", !s->title ? "title" :
			   !s->texts.nr ? "text" : "source");
	else if (!s->expectations && !reader->complaints->list.nr)
		wrong_spot(reader, &top, "it expects nothing");
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

struct scenario *scenario_read(const char *path, unsigned int slowness,
			       struct complaints *complaints, struct error *e)
{
	struct reader reader = { .slowness = slowness, .complaints = complaints };
	FILE *file = fopen(path, "re");
	struct text_file text = { 0 };

	*complaints = (struct complaints){ 0 };
	if (!file) {
		fail(e, STATUS_USAGE, errno, "cannot read '%s'", path);
		return NULL;
	}
	reader.scenario = scenario_new(path);
	read_lines(&reader, &text, file);
	if (ferror(file))
		fail(e, STATUS_USAGE, errno, "cannot read '%s'", path);
	fclose(file);
	parse_lines(&reader, &text, 0, text.nr);
	if (!is_enough(&reader))
		missing(&reader);
	reader.scenario->limit_ns *= slowness;
	list_free(&reader.vars);
	text_free(&text);
	if (!complaints->list.nr && !e->status)
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
	list_free(&s->programs);
	list_free(&s->targets);
	list_free(&s->lets);
	list_free(&s->children);
	pool_free(&s->pool);
	free(s);
}
