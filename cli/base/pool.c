// SPDX-License-Identifier: GPL-2.0-only
/* What a scenario is made of lives and dies with it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/pool.h"

struct chunk {
	struct chunk *next;
	max_align_t data[];
};

void *pool_alloc(struct pool *pool, size_t size)
{
	struct chunk *chunk = xrealloc(NULL, 1, sizeof(*chunk) + size);

	memset(chunk, 0, sizeof(*chunk) + size);
	chunk->next = pool->chunks;
	pool->chunks = chunk;
	return chunk->data;
}

char *pool_text(struct pool *pool, const char *text, size_t len)
{
	return memcpy(pool_alloc(pool, len + 1), text, len);
}

char *pool_printf(struct pool *pool, const char *fmt, ...)
{
	va_list ap, again;
	char *text;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	text = pool_alloc(pool, len + 1);
	vsnprintf(text, len + 1, fmt, again);
	va_end(again);
	va_end(ap);
	return text;
}

void pool_free(struct pool *pool)
{
	while (pool->chunks) {
		struct chunk *next = pool->chunks->next;

		free(pool->chunks);
		pool->chunks = next;
	}
}

void list_add(struct list *list, void *element)
{
	if (list->nr == list->room) {
		list->room = 2 * list->room + 8;
		list->at = xrealloc(list->at, list->room, sizeof(*list->at));
	}
	list->at[list->nr++] = element;
}

void list_free(struct list *list)
{
	free(list->at);
	*list = (struct list){ 0 };
}
