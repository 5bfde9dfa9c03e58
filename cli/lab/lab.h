/* SPDX-License-Identifier: GPL-2.0-only */
/* The lab: its descriptor, and what the driver says about names and itself. */
#ifndef BHCTL_LAB_H
#define BHCTL_LAB_H

#include <linux/bhlab.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct lab {
	int fd;				/* -1: not open yet */
	bool owned;			/* opened here: ends with this process */
	bool kept;			/* by what comes next in the batch */
	bool silent;			/* who made it knows what is in it: no notes */
	struct bhlab_info info;
	struct bhlab_mech_info *mechs;	/* info.out_mechs of them, or NULL */
	char (*names)[BHLAB_NAME_LEN];	/* by id; "" is not known */
	uint32_t nr_names;
};

/* The ioctl; 0 or the errno. @arg begins with its size. */
int lab_ioctl(const struct lab *lab, unsigned long request, void *arg);

/* The time, of the clock that the records have theirs from. */
uint64_t monotonic_ns(void);

/* --fd, else BHLAB_FD unless -d is given, else a new open of the device. */
int lab_open(struct lab *lab, struct error *e);
/* A new open of the device, unless --fd names a lab. */
int lab_open_new(struct lab *lab, struct error *e);
void lab_close(struct lab *lab);

/* Reads @lab->mechs; only the first call asks the driver. */
int lab_mechs(struct lab *lab, struct error *e);
const struct bhlab_mech_info *lab_mech(const struct lab *lab, uint32_t mech);
const struct bhlab_mech_info *lab_mech_by_name(const struct lab *lab, const char *name);

/*
 * The name of an id, or #id when it has none any more. Once seen it is known
 * even after the item is gone. The text lives until the next call.
 */
const char *lab_name(struct lab *lab, uint32_t id);

#define ITEM_BUSY (BHLAB_STATE_PENDING | BHLAB_STATE_RUNNING)

/* The next item of the lab after @id and how it is; false if there is none. */
bool lab_next_item(const struct lab *lab, struct bhlab_item_state *state, uint32_t id);
/* It will never be idle by itself. */
bool item_is_stuck(const struct bhlab_item_state *state);

#endif
