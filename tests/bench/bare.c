// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bottom halves as they are without the lab, by the module of the benchmark.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"

static struct bhlab_batch_entry entries[BARE_ITEMS];

void bare_open(struct bare *b, uint32_t mech, uint32_t count)
{
	b->fd = open("/dev/bhlab-bench", O_RDWR | O_CLOEXEC);
	if (b->fd < 0)
		die("/dev/bhlab-bench");
	b->batch = (struct bare_batch){ .mech = mech, .count = count };
}

/* The batch has to be told from user space, as the lab's is. */
void bare_copies(struct bare *b)
{
	memset(entries, 0, sizeof(entries));
	b->batch.entries = (uintptr_t)entries;
}

void bare_close(struct bare *b)
{
	close(b->fd);
}

void bare_run(void *data)
{
	struct bare *b = data;

	if (ioctl(b->fd, BARE_IOC_BATCH, &b->batch))
		die("BARE_IOC_BATCH");
}
