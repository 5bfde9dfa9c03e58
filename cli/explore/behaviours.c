// SPDX-License-Identifier: GPL-2.0-only
/* The table of what was seen, its file, and how two of them differ. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore/behaviours.h"

/* Less often seen than this, its absence elsewhere says nothing. */
#define COUNT_MIN 3

/* FNV-1a, and linear probing: nothing is ever taken out. */
static struct behaviour *find(const struct behaviours *seen, const char *text)
{
	uint32_t h = 2166136261U;

	for (const char *c = text; *c; c++)
		h = (h ^ (unsigned char)*c) * 16777619U;
	for (unsigned int i = 0; i < BEHAVIOURS_MAX; i++) {
		const struct behaviour *b = &seen->list[(h + i) % BEHAVIOURS_MAX];

		if (!*b->text || !strcmp(b->text, text))
			return (struct behaviour *)b;
	}
	return NULL;
}

bool behaviours_add(struct behaviours *seen, const char *text, uint64_t count)
{
	struct behaviour *b = find(seen, text);
	bool known = b && *b->text;

	if (b && !known && seen->nr < BEHAVIOURS_MAX / 2) {
		snprintf(b->text, sizeof(b->text), "%s", text);
		seen->nr++;
	}
	if (b && *b->text)
		b->count += count;
	return known;
}

static int by_text(const void *a, const void *b)
{
	const struct behaviour *const *x = a, *const *y = b;

	return strcmp((*x)->text, (*y)->text);
}

static const struct behaviour **sorted(const struct behaviours *seen, size_t *nr)
{
	const struct behaviour **list = xrealloc(NULL, seen->nr + 1, sizeof(const void *));

	*nr = 0;
	for (size_t i = 0; i < BEHAVIOURS_MAX; i++)
		if (*seen->list[i].text)
			list[(*nr)++] = &seen->list[i];
	qsort(list, *nr, sizeof(*list), by_text);
	return list;
}

int behaviours_write(const struct behaviours *seen, const char *path)
{
	FILE *file = fopen(path, "we");
	const struct behaviour **list;
	size_t nr;
	int err;

	if (!file)
		return errno;
	list = sorted(seen, &nr);
	for (size_t i = 0; i < nr; i++)
		fprintf(file, "%s\t%" PRIu64 "\n", list[i]->text, list[i]->count);
	free(list);
	err = ferror(file) ? EIO : 0;
	return fclose(file) ? errno : err;
}

/* "answer … was-pending" has "answer … " before its answer. */
static size_t question_length(const char *text)
{
	const char *last = strrchr(text, '\t');

	return last ? (size_t)(last - text) + 1 : strlen(text);
}

static bool is_answer(const char *text)
{
	return !strncmp(text, "answer\t", 7);
}

/* The other table was asked the same often enough to have seen this answer, too. */
static bool asked(const struct behaviours *seen, const char *text)
{
	size_t length = question_length(text);
	uint64_t count = 0;

	for (size_t i = 0; i < BEHAVIOURS_MAX; i++)
		if (!strncmp(seen->list[i].text, text, length))
			count += seen->list[i].count;
	return count >= COUNT_MIN;
}

static unsigned int print_missing(const struct behaviours *one, const struct behaviours *other,
				  const char *where)
{
	unsigned int differences = 0;
	size_t nr;
	const struct behaviour **list = sorted(one, &nr);

	for (size_t i = 0; i < nr; i++) {
		const char *text = list[i]->text;
		const struct behaviour *there = find(other, text);
		char mech[32], state[64], verb[32], answer[48];

		if (!is_answer(text) || list[i]->count < COUNT_MIN || (there && *there->text) ||
		    !asked(other, text))
			continue;
		if (sscanf(text, "answer\t%31[^\t]\t%63[^\t]\t%31[^\t]\t%47[^\t]", mech, state,
			   verb, answer) != 4)
			continue;
		printf("%-14s %-14s %-24s %-20s only %s (%" PRIu64 " times)\n", verb, mech, state,
		       answer, where, list[i]->count);
		differences++;
	}
	free(list);
	return differences;
}

static int read_file(struct behaviours *seen, const char *path, struct error *e)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	unsigned int nr = 0;

	if (!file)
		return fail(e, STATUS_USAGE, errno, "cannot read '%s': %s", path, strerror(errno));
	while (getline(&line, &size, file) >= 0) {
		char *tab = strrchr(line, '\t'), *end;
		uint64_t count = tab ? strtoull(tab + 1, &end, 10) : 0;

		nr++;
		if (!tab || *end != '\n' || !count || tab - line >= BEHAVIOUR_TEXT) {
			free(line);
			fclose(file);
			return fail(e, STATUS_USAGE, 0,
				    "%s:%u: not a line that explore --record has written", path,
				    nr);
		}
		*tab = '\0';
		behaviours_add(seen, line, count);
	}
	free(line);
	fclose(file);
	return 0;
}

int behaviours_compare(const struct behaviours *seen, const char *path, unsigned int *differences,
		       struct error *e)
{
	struct behaviours *there = calloc(1, sizeof(*there));
	int err;

	if (!there)
		no_memory();
	err = read_file(there, path, e);
	*differences = 0;
	if (!err)
		*differences = print_missing(there, seen, "there") +
			       print_missing(seen, there, "here");
	free(there);
	return err;
}
