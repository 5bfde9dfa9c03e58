// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a structure lies: at the end of a page, across it, where it cannot be
 * written, where other threads take it away, where each access takes long. Memory
 * that the kernel writes to and this program does not is also mapped elsewhere.
 * Nothing is ever mapped where a ring was, and so no answer hits what it is not
 * for.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

#include "fuzz.h"

#define AREA		(2 * PAGE)
#define RACING		(4 * PAGE)
#define PLAIN_AT	64

static char *racing, *racing_rw, *rings;

/* --- each access takes long, where the kernel lets us say so */

#define SLOW_NS		(5 * MS)

static int fault_fd = -1;
static char *slow;
/* What each page is to hold. */
static char (*staged)[PAGE];

static void *slow_thread(void *arg)
{
	struct pollfd fd = { .fd = fault_fd, .events = POLLIN };
	struct uffd_msg msg;

	for (;;) {
		if (poll(&fd, 1, -1) < 0 || read(fault_fd, &msg, sizeof(msg)) != sizeof(msg))
			continue;
		if (msg.event != UFFD_EVENT_PAGEFAULT)
			continue;
		size_t page = (msg.arg.pagefault.address - (uintptr_t)slow) / PAGE;
		struct uffdio_copy copy = {
			.dst = (uintptr_t)slow + page * PAGE,
			.src = (uintptr_t)staged[page],
			.len = PAGE,
		};

		nap(SLOW_NS);
		ioctl(fault_fd, UFFDIO_COPY, &copy);
	}
	return NULL;
}

static void *map(size_t size, int prot, int flags, int fd)
{
	void *p = mmap(NULL, size, prot, flags, fd, 0);

	if (p == MAP_FAILED) {
		perror("fuzz: mmap");
		_exit(70);
	}
	return p;
}

static void slow_init(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	pthread_t thread;

	fault_fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (fault_fd < 0)
		return;
	slow = map(MAX_THREADS * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	staged = map(MAX_THREADS * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	reg.range.start = (uintptr_t)slow;
	reg.range.len = MAX_THREADS * PAGE;
	if (ioctl(fault_fd, UFFDIO_API, &api) || ioctl(fault_fd, UFFDIO_REGISTER, &reg) ||
	    pthread_create(&thread, NULL, slow_thread, NULL)) {
		close(fault_fd);
		slow = NULL;
	}
}

/* --- twice mapped: so that this program can write what the call must not */

static void map_twice(size_t size, char **rw, char **other, int prot)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	char *at = map(size + PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	if (fd < 0 || ftruncate(fd, size)) {
		perror("fuzz: memfd");
		_exit(70);
	}
	*rw = mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
	*other = map(size, prot, MAP_SHARED, fd);
	close(fd);
}

void places_init(void)
{
	map_twice(RACING, &racing_rw, &racing, PROT_READ | PROT_WRITE);
	rings = map(LABS * MAP_MAX, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	slow_init();
}

void places_of(struct worker *w)
{
	pthread_mutex_lock(&mappings);
	for (unsigned int i = 0; i < ARRAY_SIZE(w->areas); i++)
		map_twice(AREA, &w->areas[i].rw, &w->areas[i].ro, PROT_READ);
	pthread_mutex_unlock(&mappings);
	w->slow = slow ? slow + w->thread * PAGE : NULL;
}

char *ring_at(unsigned int lab)
{
	return rings + lab * MAP_MAX;
}

static char *place_slow(struct worker *w, const void *contents, uint32_t len)
{
	if (!w->slow || len > PAGE)
		return NULL;
	memcpy(staged[w->thread], contents, len);
	return w->slow;
}

static char *place_racing(struct rng *r, const void *contents, uint32_t len)
{
	uint32_t at = below(r, RACING - len);

	memcpy(racing_rw + at, contents, len);
	return racing + at;
}

/* @contents has MAX_BYTES at most, which fit into an area. */
char *place(struct worker *w, unsigned int area, enum place where, struct rng *r,
	    const void *contents, uint32_t len)
{
	struct area *a = &w->areas[area];
	char *at = a->rw + PLAIN_AT;

	switch (where) {
	case PLACE_UNALIGNED:
		at += 1 + below(r, 7);
		break;
	case PLACE_END:
		at = a->rw + AREA - len;
		break;
	case PLACE_SPLIT:
		at = a->rw + AREA - (len ? below(r, len) : 0);
		memcpy(at, contents, a->rw + AREA - at);
		return at;
	case PLACE_READ_ONLY:
		memcpy(at, contents, len);
		return a->ro + PLAIN_AT;
	case PLACE_NULL:
		return (char *)(uintptr_t)below(r, 2);
	case PLACE_KERNEL:
		return (char *)(uintptr_t)0xffff888000000000ULL;
	case PLACE_HOLE:
		return (char *)(uintptr_t)0x8000000000000000ULL;
	case PLACE_RACING:
		return place_racing(r, contents, len);
	case PLACE_SLOW:
		return place_slow(w, contents, len);
	case PLACE_RING:
		return ring_at(below(r, LABS)) + below(r, 3 * PAGE);
	default:
		break;
	}
	memcpy(at, contents, len);
	return at;
}

const char *placed(struct worker *w, unsigned int area, enum place where, char *address)
{
	switch (where) {
	case PLACE_PLAIN:
	case PLACE_UNALIGNED:
	case PLACE_END:
		return address;
	default:
		return NULL;
	}
}

/* The next access to slow memory is slow again. */
void places_reset(struct worker *w)
{
	if (w->slow)
		madvise(w->slow, PAGE, MADV_DONTNEED);
}

/* The memory that all threads of a process use in common. */
int protect_any(struct rng *r)
{
	static const int prots[] = {
		PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE,
	};
	uint32_t page = below(r, RACING / PAGE), pages = 1 + below(r, RACING / PAGE - page);

	if (one_in(r, 4))
		return madvise(racing + page * PAGE, pages * PAGE, MADV_DONTNEED) ? -errno : 0;
	return mprotect(racing + page * PAGE, pages * PAGE, PICK(r, prots)) ? -errno : 0;
}
