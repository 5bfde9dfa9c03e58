/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every allocation and every copy fails once. A call is made again and again, and
 * the kernel fails in its first place, its second, and so on, up to the call in
 * which it does not fail any more. Each time the answer has to be one of those
 * that are to be expected, and all has to be as it was before.
 *
 * fail-nth.c	the sweep, and what is compared
 * points.c	the calls
 */
#ifndef FAIL_NTH_H
#define FAIL_NTH_H

#include "torture.h"

/* The lab in which calls are made, and what it has. */
struct bench {
	int fd;
	int sock;
	uint32_t queue, spin, mutex, fifo, work;
};

/**
 * struct trial - one call
 * @name: for people
 * @before: what is to be there, made without a failure; 0 or -errno
 * @call: the call; a result, or -errno
 * @after: undo what the call did when it succeeded
 * @netlink: it is a message
 * @request: the ioctl, and of the union its structure; for others, numbers
 */
struct trial {
	char name[80];
	int (*before)(struct bench *b, const struct trial *t);
	int (*call)(struct bench *b, const struct trial *t);
	void (*after)(struct bench *b, const struct trial *t, int result);
	union {
		struct bhlab_item_create item;
		struct bhlab_queue_create queue;
		struct bhlab_lock_create lock;
		struct bhlab_fifo_create fifo;
		struct bhlab_act act;
		struct bhlab_wait wait;
		struct bhlab_lookup lookup;
		uint32_t number[4];
	};
	unsigned long request;
	bool netlink;
};

/* Called for each of them. */
typedef void (*trial_fn)(const struct trial *t);
void all_trials(trial_fn fn, struct bench *b);
int module_trials(trial_fn fn, const char *path);

int lab_call(int fd, unsigned long request, void *arg);
int bench_open(struct bench *b);
void bench_close(struct bench *b);

#endif /* FAIL_NTH_H */
