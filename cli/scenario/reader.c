// SPDX-License-Identifier: GPL-2.0-only
/* Where a reader stands: places, words, and what is wrong there. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_doc.h"
#include "base/near.h"
#include "scenario/scenario.h"

static bool continues_character(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* How many characters. */
static unsigned int width_of(const char *from, const char *to)
{
	unsigned int width = 0;

	for (; from < to && *from; from++)
		width += !continues_character(*from);
	return width;
}

struct spot *spot_new(struct reader *reader, const char *at, const char *name, size_t len)
{
	struct spot *spot = pool_alloc(&reader->scenario->pool, sizeof(*spot));
	const struct part *part = reader->parts;
	size_t offset = at - reader->line;

	while (part + 1 < reader->parts + reader->nr_parts && part[1].offset <= offset)
		part++;
	spot->name = pool_text(&reader->scenario->pool, name, len);
	spot->line = part->number;
	spot->column = part->column + width_of(reader->line + part->offset, at);
	spot->source = part->source;
	return spot;
}

/* --- complaints */

/* From there to the end of the word, or of the call. */
static unsigned int word_width(const char *source, unsigned int column)
{
	const char *p = source;
	size_t len;

	for (; *p && column > 1; column--)
		do
			p++;
		while (continues_character(*p));
	len = strcspn(p, " \t\r(),;'\"");
	return len ? width_of(p, p + len) : 1;
}

/* What a repeat has made wrong several times is told of once. */
static bool is_told(const struct complaints *complaints, const struct spot *spot)
{
	for (size_t i = 0; i < complaints->list.nr; i++) {
		const struct complaint *complaint = complaints->list.at[i];

		if (complaint->line == spot->line && complaint->column == spot->column)
			return true;
	}
	return false;
}

/* Behind all that are not further down. */
static void insert(struct list *list, struct complaint *complaint)
{
	size_t i;

	list_add(list, complaint);
	for (i = list->nr - 1; i; i--) {
		const struct complaint *before = list->at[i - 1];

		if (before->line <= complaint->line)
			break;
		list->at[i] = list->at[i - 1];
	}
	list->at[i] = complaint;
}

static int complain(struct reader *reader, const struct spot *spot, const char *fmt, va_list ap)
{
	struct complaints *complaints = reader->complaints;
	struct complaint *complaint;
	char text[400];

	if (is_told(complaints, spot))
		return -1;
	complaint = pool_alloc(&complaints->pool, sizeof(*complaint));
	complaint->line = spot->line;
	complaint->column = spot->column;
	vsnprintf(text, sizeof(text), fmt, ap);
	usage(&complaint->error, "%s", text);
	if (spot->source) {
		char *source = pool_text(&complaints->pool, spot->source, strlen(spot->source));

		for (char *p = source; *p; p++)
			if (isspace((unsigned char)*p))
				*p = ' ';
		text_clean(source);
		complaint->source = source;
		complaint->width = word_width(source, spot->column);
	}
	insert(&complaints->list, complaint);
	return -1;
}

int wrong_spot(struct reader *reader, const struct spot *spot, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(reader, spot, fmt, ap);
	va_end(ap);
	return -1;
}

int wrong(struct reader *reader, const char *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(reader, spot_new(reader, at, "", 0), fmt, ap);
	va_end(ap);
	return -1;
}

void complaints_free(struct complaints *complaints)
{
	list_free(&complaints->list);
	pool_free(&complaints->pool);
}

/* --- names */

bool is_made(const struct scenario *scenario, const char *name)
{
	for (size_t i = 0; i < scenario->added.nr; i++)
		if (!strcmp(scenario->added.at[i], name))
			return true;
	for (size_t i = 0; i < scenario->programs.nr; i++)
		if (strstr(scenario->programs.at[i], name))
			return true;
	return false;
}

const char *added_hint(struct reader *reader, const char *name)
{
	struct near near = near_to(name, strlen(name));

	for (size_t i = 0; i < reader->scenario->added.nr; i++)
		near_try(&near, reader->scenario->added.at[i]);
	return pool_printf(&reader->scenario->pool, "%s", near_hint(&near));
}

/* --- words */

const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t\r");
}

size_t word_length(const char *p)
{
	return strcspn(p, " \t\r");
}

bool word_is(const char *p, size_t len, const char *word)
{
	return strlen(word) == len && !strncmp(p, word, len);
}

bool at_end(const char *p)
{
	p = skip_blanks(p);
	return !*p || *p == '#';
}
