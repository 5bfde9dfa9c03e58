/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Torture: calls that nobody would make on purpose, and a kernel that fails
 * wherever it can. What the programs share:
 *
 * base.c	time, users, what is left of the driver when all is closed
 * netlink.c	the family, asked as it should be and as it should not
 */
#ifndef TORTURE_H
#define TORTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <sys/types.h>

#include <linux/bhlab.h>

#define DEVICE		"/dev/bhlab"
#define MEMBER		"alice"
#define US		1000ULL
#define MS		(1000 * US)
#define SECOND		(1000 * MS)
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define PAGE		4096

uint64_t now(void);
void nap(uint64_t ns);
unsigned int slowness(void);
unsigned int cpus(void);
const char *error_name(int error);

/* As root; afterwards this process is a member of the device's group. */
void become_member(void);

/* Of the driver, with all labs closed: what of it is still there, or NULL. */
void remember_rest(void);
const char *not_at_rest(void);

/* --- random numbers: splitmix64, which any seed suits */

struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *r)
{
	uint64_t z = (r->state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* 0 to @n - 1 */
static inline uint32_t below(struct rng *r, uint32_t n)
{
	return (rng_next(r) >> 32) * n >> 32;
}

static inline bool one_in(struct rng *r, uint32_t n)
{
	return !below(r, n);
}

#define PICK(_r, _array)	((_array)[below(_r, ARRAY_SIZE(_array))])

/* --- netlink; what returns int returns a result or -errno */

int netlink_open(void);
/* The number of labs that are open, by the driver's own count. */
int netlink_labs(int sock);
/* One request; the number of messages of the answer. */
int netlink_ask(int sock, uint8_t cmd, uint16_t flags, const void *attrs, size_t len);
int netlink_join(int sock);
/* Anything at all. */
int netlink_any(struct rng *r);

#endif /* TORTURE_H */
