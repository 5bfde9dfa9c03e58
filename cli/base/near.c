// SPDX-License-Identifier: GPL-2.0-only
/* Words that are misspelled. */
#include <stdio.h>
#include <string.h>

#include "base/near.h"
#include "base/text.h"
#include "base/words.h"

static unsigned int smallest(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int least = a < b ? a : b;

	return least < c ? least : c;
}

/* One letter more, less or another, or two that changed places, is one change. */
static unsigned int changes(const char *a, const char *b)
{
	enum { MAX = sizeof(((struct near *)0)->word) };
	unsigned int rows[3][MAX] = { 0 }, *before = rows[0], *last = rows[1], *row = rows[2];
	size_t len = strlen(b);

	for (size_t j = 0; j <= len; j++)
		last[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		unsigned int *free = before;

		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			row[j] = smallest(last[j] + 1, row[j - 1] + 1,
					  last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		before = last;
		last = row;
		row = free;
	}
	return last[len];
}

/* Of two letters or less anything could be meant. */
struct near near_to(const char *word, size_t len)
{
	struct near near = { 0 };

	if (len < sizeof(near.word)) {
		memcpy(near.word, word, len);
		near.distance = len < 3 ? 0 : len < 5 ? 1 : 2;
	}
	return near;
}

void near_try(struct near *near, const char *candidate)
{
	unsigned int distance;

	if (!near->distance || strlen(candidate) >= sizeof(near->word))
		return;
	distance = changes(near->word, candidate);
	if (!distance || distance > near->distance ||
	    (near->best && distance == near->distance))
		return;
	near->best = candidate;
	near->distance = distance;
}

void near_try_words(struct near *near, const struct words *words)
{
	for (size_t i = 0; i < words->nr; i++)
		near_try(near, words->list[i].name);
}

const char *near_hint(struct near *near)
{
	if (near->best)
		snprintf(near->text, sizeof(near->text), "; did you mean '%s'?", near->best);
	return near->text;
}

void near_hint_words(const char *word, size_t len, const struct words *words, char *buf,
		     size_t size)
{
	struct near near = near_to(word, len);
	struct text text = text_in(buf, size);
	char names[256];

	near_try_words(&near, words);
	if (near.best) {
		text_add(&text, "%s", near_hint(&near));
		return;
	}
	word_names(words, ", ", names, sizeof(names));
	text_add(&text, "; there are %s", names);
}
