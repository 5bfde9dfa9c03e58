// SPDX-License-Identifier: GPL-2.0-only
/* A lab that io_uring reads, polls and closes, and a ring that nobody waits for. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/io_uring.h>

#include "fuzz.h"

struct uring {
	int fd;
	struct io_uring_params params;
	char *sq;
	size_t sq_size;
	struct io_uring_sqe *sqes;
	size_t sqes_size;
};

static int uring_open(struct uring *u)
{
	*u = (struct uring){};
	u->fd = syscall(SYS_io_uring_setup, 4, &u->params);
	if (u->fd < 0)
		return -errno;
	u->sq_size = u->params.sq_off.array + u->params.sq_entries * sizeof(uint32_t);
	u->sqes_size = u->params.sq_entries * sizeof(*u->sqes);
	pthread_mutex_lock(&mappings);
	u->sq = mmap(NULL, u->sq_size, PROT_READ | PROT_WRITE, MAP_SHARED, u->fd,
		     IORING_OFF_SQ_RING);
	u->sqes = mmap(NULL, u->sqes_size, PROT_READ | PROT_WRITE, MAP_SHARED, u->fd,
		       IORING_OFF_SQES);
	pthread_mutex_unlock(&mappings);
	if (u->sq != MAP_FAILED && u->sqes != MAP_FAILED)
		return 0;
	close(u->fd);
	return -ENOMEM;
}

static void uring_close(struct uring *u)
{
	munmap(u->sq, u->sq_size);
	munmap(u->sqes, u->sqes_size);
	close(u->fd);
}

static void uring_add(struct uring *u, const struct io_uring_sqe *sqe)
{
	uint32_t *tail = (uint32_t *)(u->sq + u->params.sq_off.tail);
	uint32_t *array = (uint32_t *)(u->sq + u->params.sq_off.array);
	uint32_t at = *tail & (u->params.sq_entries - 1);

	u->sqes[at] = *sqe;
	array[at] = at;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
}

/* Written to after the call, by whoever reads then. */
static char sink[64 * sizeof(struct bhlab_event)];

int uring_any(struct rng *r, int fd)
{
	struct io_uring_sqe poll = {
		.opcode = IORING_OP_POLL_ADD, .poll32_events = POLLIN,
	};
	struct io_uring_sqe read = {
		.opcode = IORING_OP_READ, .addr = (uintptr_t)sink, .len = sizeof(sink),
		.off = -1ULL,
	};
	struct io_uring_sqe shut = { .opcode = IORING_OP_CLOSE };
	bool waits = one_in(r, 2);
	struct uring u;
	int ret;

	fd = fcntl(fd, F_DUPFD_CLOEXEC, 600);
	if (fd < 0)
		return -errno;
	ret = uring_open(&u);
	if (ret) {
		close(fd);
		return ret;
	}
	poll.fd = fd;
	read.fd = fd;
	shut.fd = fd;
	uring_add(&u, &poll);
	uring_add(&u, &read);
	uring_add(&u, &shut);
	ret = syscall(SYS_io_uring_enter, u.fd, 3, waits, waits ? IORING_ENTER_GETEVENTS : 0, NULL,
		      0);
	ret = ret < 0 ? -errno : 0;
	if (ret)
		close(fd);
	uring_close(&u);
	return ret;
}
