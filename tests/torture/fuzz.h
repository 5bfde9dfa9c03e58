/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads that make calls which are nearly right. A call is planned first, by
 * nothing but the seed and its number in its thread: the same seed plans the same
 * calls. What the kernel has answered before comes in only when the call is made,
 * where a plan names an object.
 *
 * fuzz.c	processes and threads, who watches them, what came of it
 * plan.c	plans of calls
 * program.c	of these, programs of items
 * place.c	where in memory a structure lies
 * calls.c	calls are made, and answers looked at
 * documented.c	the errnos of each call that the header tells
 * uring.c	the same file by io_uring
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <pthread.h>

#include "torture.h"

#define LABS		3	/* of one process */
#define SLOTS		8	/* objects of one kind that a lab remembers */
#define MAX_STEPS	24
#define MAX_ENTRIES	8
#define MAX_PATCHES	96
#define MAX_THREADS	16
#define MAX_PROCESSES	16
/* A structure, and what may follow it. */
#define MAX_BYTES	(BHLAB_SIZE_MAX + 64)

/* --- what is called: the rows of the table that is printed */

enum row {
	ROW_INFO, ROW_MECH, ROW_RING, ROW_ITEM_CREATE, ROW_ITEM_STATE, ROW_ITEM_PROGRAM,
	ROW_LOOKUP, ROW_NEXT, ROW_DESTROY, ROW_QUEUE, ROW_DELAY, ROW_CANCEL, ROW_FLUSH,
	ROW_DISABLE, ROW_ENABLE, ROW_TRIGGER, ROW_DRAIN, ROW_WAIT, ROW_BATCH, ROW_QUEUE_CREATE,
	ROW_QUEUE_STATE, ROW_LOCK_CREATE, ROW_LOCK_STATE, ROW_FIFO_CREATE, ROW_FIFO_STATE,
	NR_IOCTLS,

	ROW_BOGUS = NR_IOCTLS, ROW_ENTRY, ROW_OPEN, ROW_READ, ROW_POLL, ROW_MMAP, ROW_NETLINK,
	/* what the driver has no part in: any errno will do */
	ROW_TOUCH, ROW_CLOSE, ROW_DUP, ROW_FORK, ROW_PASS, ROW_PROTECT, ROW_URING, ROW_OTHER,
	NR_ROWS
};

#define MAX_ERRNO	134

extern const char *const row_names[NR_ROWS];
bool is_documented(enum row row, int error);

/* --- plans */

enum kind { KIND_ITEM, KIND_TASKLET, KIND_IRQ, KIND_QUEUE, KIND_LOCK, KIND_FIFO, NR_KINDS };

/* An id that is not known before the call is made. */
struct patch {
	uint32_t *field;
	enum kind kind;
	uint32_t slot;
};

enum place {
	PLACE_PLAIN, PLACE_UNALIGNED, PLACE_END, PLACE_SPLIT, PLACE_READ_ONLY, PLACE_NULL,
	PLACE_KERNEL, PLACE_HOLE, PLACE_RACING, PLACE_SLOW, PLACE_RING, NR_PLACES
};

/**
 * struct plan - one call
 * @row: which
 * @lab: of which of the labs
 * @bytes: of an ioctl its structure, @len of them in memory
 * @steps, @entries: the arrays that it points to
 * @place, @array_place: where these lie in memory
 * @creates: the kind of object that it makes, and @slot where its id is kept
 * @rng: all else that there is to decide
 */
struct plan {
	enum row row;
	unsigned int lab;
	uint32_t len;
	_Alignas(8) unsigned char bytes[MAX_BYTES];
	struct bhlab_step steps[2][MAX_STEPS];
	struct bhlab_batch_entry entries[MAX_ENTRIES];
	struct patch patches[MAX_PATCHES];
	unsigned int nr_patches;
	enum place place, array_place;
	enum kind creates;
	uint32_t slot;
	struct rng rng;
};

/* Who plans: root has capabilities, with which some things harm the machine. */
struct planner {
	uint64_t seed;
	bool root;
};

unsigned long ioctl_number(enum row row);
uint32_t ioctl_size(enum row row);
void plan_call(struct plan *p, const struct planner *by, uint64_t n);
void plan_id(struct plan *p, uint32_t *field, enum kind kind);
/* Steps of @p->steps[@which]; their number. */
uint32_t plan_steps(struct plan *p, unsigned int which, uint32_t mech, bool bh, bool root);

/* --- who calls */

struct lab {
	uint32_t ids[NR_KINDS][SLOTS];
};

/**
 * struct thread - one thread, as all processes see it
 * @made: calls that it has made
 * @begun: when the one that it is in began, 0 if it is in none
 * @tid: for /proc
 */
struct thread {
	uint64_t made;
	uint64_t begun;
	enum row row;
	pid_t tid;
};

/**
 * struct shared - what is known of all of them
 * @stop: make no more calls
 * @no_uring: none by io_uring
 * @counts: answers, by what was called and errno
 * @bad: answers that are not as the header says, the first of them in @why
 */
struct shared {
	bool stop, no_uring;
	uint64_t counts[NR_ROWS][MAX_ERRNO + 1];
	uint64_t bad;
	char why[400];
	struct thread threads[MAX_PROCESSES][MAX_THREADS];
};

/**
 * struct worker - a thread in its own process
 * @plain: memory of its own, see place.c
 */
struct worker {
	struct shared *shared;
	struct thread *state;
	struct planner planner;
	unsigned int process, thread;
	struct plan plan;
	struct area {
		char *rw, *ro;
	} areas[2];
	char *slow;
	pthread_t pthread;
};

extern struct lab all_labs[LABS];
extern int pass[2];	/* sockets on which descriptors are passed */

/*
 * Held by who maps something: a mapping that is refused takes away what was mapped
 * there before, and no other may come into the gap.
 */
extern pthread_mutex_t mappings;

int lab_fd(unsigned int lab);
void labs_open(void);
void call(struct worker *w);
void on_fault(int sig);
void bad(struct worker *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
void count(struct worker *w, enum row row, int error);
int uring_any(struct rng *r, int fd);

/* --- memory */

#define MAP_MAX		(24UL << 20)

void places_init(void);
void places_of(struct worker *w);
/* @contents at a place; the address for the call. */
char *place(struct worker *w, unsigned int area, enum place where, struct rng *r,
	    const void *contents, uint32_t len);
/* After the call: where the contents can be read back, or NULL. */
const char *placed(struct worker *w, unsigned int area, enum place where, char *address);
void places_reset(struct worker *w);
/* Where a lab's ring is mapped, at all times of nothing else. */
char *ring_at(unsigned int lab);
int protect_any(struct rng *r);

#endif /* FUZZ_H */
