/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that is freed all at once. */
#ifndef BHCTL_POOL_H
#define BHCTL_POOL_H

#include <stddef.h>

#include "base/bhctl.h"

struct pool {
	struct chunk *chunks;
};

/* Zeroed. */
void *pool_alloc(struct pool *pool, size_t size);
char *pool_text(struct pool *pool, const char *text, size_t len);
char *pool_printf(struct pool *pool, const char *fmt, ...) PRINTF(2, 3);
void pool_free(struct pool *pool);

/* A growing array of pointers; it does not own what they point to. */
struct list {
	void **at;
	size_t nr, room;
};

void list_add(struct list *list, void *element);
void list_free(struct list *list);

#endif
