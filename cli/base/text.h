/* SPDX-License-Identifier: GPL-2.0-only */
/* Text that is put together in a buffer of fixed size. */
#ifndef BHCTL_TEXT_H
#define BHCTL_TEXT_H

#include <stddef.h>

#include "base/bhctl.h"

/* Always ends with a NUL. What the buffer has no room for is cut off. */
struct text {
	char *start;
	char *at;		/* the NUL at its end */
	size_t left;		/* from there, with the NUL */
};

/* An empty text in @buf. */
struct text text_in(char *buf, size_t size);
/* Continues the text that @buf has. */
struct text text_after(char *buf, size_t size);
void text_add(struct text *text, const char *fmt, ...) PRINTF(2, 3);
/* Adds @word, after @separator unless it is the first. */
void text_join(struct text *text, const char *separator, const char *word);

#endif
