// SPDX-License-Identifier: GPL-2.0-only
/* Where a reader stands: places, and words. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/scenario.h"

static bool continues_character(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* In characters, from 1. */
static unsigned int column_of(const char *from, const char *at)
{
	unsigned int column = 1;

	for (; from < at; from++)
		column += !continues_character(*from);
	return column;
}

struct spot *spot_new(struct reader *reader, const char *at, const char *name, size_t len)
{
	struct spot *spot = pool_alloc(&reader->scenario->pool, sizeof(*spot));
	size_t part = 0, offset = at - reader->line;

	while (part + 1 < reader->nr_parts && reader->parts[part + 1].offset <= offset)
		part++;
	spot->name = pool_text(&reader->scenario->pool, name, len);
	spot->line = reader->parts[part].number;
	spot->column = column_of(reader->line + reader->parts[part].offset, at);
	return spot;
}

int wrong_spot(struct error *e, const struct scenario *scenario, const struct spot *spot,
	       const char *what)
{
	char place[300];

	usage(e, "%s", what);
	snprintf(place, sizeof(place), "%s:%u:%u", scenario->path, spot->line, spot->column);
	error_prefix(e, place);
	return -1;
}

/* Every file has its first error reported, since the others may come of it. */
int wrong(struct reader *reader, const char *at, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return wrong_spot(reader->error, reader->scenario, spot_new(reader, at, "", 0), text);
}

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
