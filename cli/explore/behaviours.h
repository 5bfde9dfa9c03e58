/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was seen: which answers a verb gave in a state that nothing else could have
 * changed meanwhile, and which verbs met in which state. In shared memory.
 */
#ifndef BHCTL_BEHAVIOURS_H
#define BHCTL_BEHAVIOURS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define BEHAVIOURS_MAX	65536
#define BEHAVIOUR_TEXT	120

struct behaviour {
	char text[BEHAVIOUR_TEXT];	/* "work: running: cancel = idle"; "": free */
	uint64_t count;
};

struct behaviours {
	uint64_t nr;
	struct behaviour list[BEHAVIOURS_MAX];
};

/* Counts @text; false if it is new. Full tables count no new ones. */
bool behaviours_add(struct behaviours *seen, const char *text, uint64_t count);
/* Writes those of @seen to a file, one a line, sorted; 0 or the errno. */
int behaviours_write(const struct behaviours *seen, const char *path);
/*
 * Prints where they differ from those of the file, and sets how many do; -1 and @e if it
 * cannot be read.
 */
int behaviours_compare(const struct behaviours *seen, const char *path, unsigned int *differences,
		       struct error *e);

#endif
