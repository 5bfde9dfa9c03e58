/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file of bhctl record: a head and chunks, each with a checksum, so that it
 * can be read as far as it got. Numbers are in the byte order of the machine.
 * docs/record.md has the format.
 */
#ifndef BHCTL_RECORDING_H
#define BHCTL_RECORDING_H

#include <linux/bhlab.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "lab/ring.h"

struct json_object;

#define RECORDING_MAGIC		"bhlab recording\n"
#define RECORDING_VERSION	1
#define RECORDING_ORDER		0x01020304
/* No chunk is longer, whatever its head says. */
#define RECORDING_CHUNK_MAX	(1U << 20)
/* No kernel has more. */
#define RECORDING_CPUS_MAX	8192

struct recording_start {
	char magic[16];
	uint32_t version;
	uint32_t order;
};

enum chunk_type {
	CHUNK_HEAD = 1,		/* JSON: the machine and the command; the first, and only once */
	CHUNK_ITEM = 2,		/* JSON: what an id is called, and in the end how often it ran */
	CHUNK_RECORDS = 3,	/* struct bhlab_event, one after the other */
	CHUNK_LOST = 4,		/* JSON: how many records of which CPU were overwritten */
	CHUNK_END = 5,		/* JSON: how it ended; the last */
};

/* The sums are FNV-1a: of what is before @head_sum, and of the bytes that follow. */
struct chunk {
	uint32_t type;
	uint32_t length;
	uint32_t head_sum;
	uint32_t sum;
};

/* --- recording_write.c; all return 0 or the errno */
int recording_start(int fd);
int recording_json(int fd, enum chunk_type type, struct json_object *doc);
int recording_records(int fd, const struct bhlab_event *events, size_t nr);

uint32_t recording_sum(const void *bytes, size_t nr);

/* --- recording_read.c */

struct recorded_item {
	uint32_t id;
	uint32_t mech;
	char name[BHLAB_NAME_LEN];
	bool bh;		/* work that ran on a BH queue */
	bool counted;		/* the driver has: @runs and @thread_runs are known */
	uint64_t runs, thread_runs;
};

struct recording {
	const char *path;
	struct json_object *head;	/* as it was written */
	struct json_object *end;	/* NULL: it was cut short */
	uint32_t cpus;
	char (*mechs)[BHLAB_NAME_LEN];
	size_t nr_mechs;
	struct recorded_item *items;	/* by id, each once */
	size_t nr_items, room_items;
	struct records records;		/* by start */
	uint64_t base_ns;		/* when the first thing happened */
	uint64_t from_ns, to_ns;	/* the part that was asked for; all of it, if @to_ns is 0 */
	uint64_t *lost;			/* by CPU */
	uint64_t all_lost;
};

/*
 * Whatever is in the file: 0, or -1 and what is wrong with it. Memory is taken
 * in proportion to the length of the file.
 */
int recording_read(const char *path, struct recording *recording, struct error *e);
/* When it begins: with its queueing, if that is known. */
uint64_t recording_begin(const struct bhlab_event *event);
void recording_free(struct recording *recording);
/* NULL if nothing is known of it. */
const struct recorded_item *recording_item(const struct recording *recording, uint32_t id);
/* The name, or "#id"; @buf has room for it. */
const char *recording_name(const struct recording *recording, uint32_t id,
			   char buf[BHLAB_NAME_LEN]);
/* It is about work on a BH queue. */
bool recording_on_bh(const struct recording *recording, const struct bhlab_event *event);
/* What 'bhctl latency' calls it, too: work on a BH queue is bh_work. */
const char *recording_mech(const struct recording *recording, const struct bhlab_event *event);

#endif
