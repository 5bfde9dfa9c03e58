/* SPDX-License-Identifier: GPL-2.0-only */
/* A failure is a status, an errno if the kernel gave one, and a sentence. */
#ifndef BHCTL_ERROR_H
#define BHCTL_ERROR_H

#include <stddef.h>

#include "base/bhctl.h"

struct error {
	int status;		/* enum status; 0: there is no error */
	int err;		/* errno, or 0 */
	char text[512];		/* empty: whoever failed has told it already */
};

/* Both fill in @e and return -1. */
int fail(struct error *e, int status, int err, const char *fmt, ...) PRINTF(4, 5);
int usage(struct error *e, const char *fmt, ...) PRINTF(2, 3);

/* Puts "@prefix: " in front of the sentence. */
void error_prefix(struct error *e, const char *prefix);

/* For the user's eyes only, on stderr; -q silences it. */
void note(const char *fmt, ...) PRINTF(1, 2);

/* No memory: nothing sensible is left to do. */
void no_memory(void) __attribute__((noreturn));
void *xrealloc(void *old, size_t nr, size_t size);
char *xstrdup(const char *text);

#endif
