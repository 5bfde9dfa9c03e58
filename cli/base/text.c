// SPDX-License-Identifier: GPL-2.0-only
/* Text that is put together in a buffer of fixed size. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

struct text text_in(char *buf, size_t size)
{
	buf[0] = '\0';
	return (struct text){ .start = buf, .at = buf, .left = size };
}

struct text text_after(char *buf, size_t size)
{
	size_t len = strlen(buf);

	return (struct text){ .start = buf, .at = buf + len, .left = size - len };
}

void text_add(struct text *text, const char *fmt, ...)
{
	va_list ap;
	size_t len;
	int all;

	va_start(ap, fmt);
	all = vsnprintf(text->at, text->left, fmt, ap);
	va_end(ap);
	len = all < 0 ? 0 : (size_t)all;
	if (len >= text->left)
		len = text->left - 1;
	text->at += len;
	text->left -= len;
}

void text_join(struct text *text, const char *separator, const char *word)
{
	text_add(text, "%s%s", text->at == text->start ? "" : separator, word);
}
