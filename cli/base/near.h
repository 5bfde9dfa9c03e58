/* SPDX-License-Identifier: GPL-2.0-only */
/* Of the words that there are, the one that was meant. */
#ifndef BHCTL_NEAR_H
#define BHCTL_NEAR_H

#include <stdbool.h>
#include <stddef.h>

struct words;

struct near {
	char word[40];		/* as written */
	const char *best;	/* what may be meant, or NULL */
	unsigned int distance;	/* how many changes make it that; no more are allowed */
	char text[80];
};

struct near near_to(const char *word, size_t len);
void near_try(struct near *near, const char *candidate);
void near_try_words(struct near *near, const struct words *words);
/* "; did you mean 'queue'?", or "" */
const char *near_hint(struct near *near);
/* The same, or else "; there are ..." with all words. */
void near_hint_words(const char *word, size_t len, const struct words *words, char *buf,
		     size_t size);

#endif
