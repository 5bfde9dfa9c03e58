// SPDX-License-Identifier: GPL-2.0-only
/* Failures, and what each errno means for each command. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

int fail(struct error *e, int status, int err, const char *fmt, ...)
{
	va_list ap;

	e->status = status;
	e->err = err;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return -1;
}

int usage(struct error *e, const char *fmt, ...)
{
	va_list ap;

	e->status = STATUS_USAGE;
	e->err = 0;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return -1;
}

void error_prefix(struct error *e, const char *prefix)
{
	char text[sizeof(e->text)];

	strcpy(text, e->text);
	if (snprintf(e->text, sizeof(e->text), "%s: %s", prefix, text) >= (int)sizeof(e->text))
		strcpy(e->text + sizeof(e->text) - 4, "...");
}

void note(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (options.quiet)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fflush(stdout);
	fprintf(stderr, "bhctl: note: %s\n", text);
}

void *xrealloc(void *old, size_t nr, size_t size)
{
	void *new = reallocarray(old, nr, size);

	if (!new)
		no_memory();
	return new;
}

char *xstrdup(const char *text)
{
	return strcpy(xrealloc(NULL, strlen(text) + 1, 1), text);
}

void no_memory(void)
{
	fputs("bhctl: out of memory (ENOMEM)\n", stderr);
	exit(STATUS_REFUSED);
}
