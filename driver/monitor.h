/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BHLAB_MONITOR_H
#define BHLAB_MONITOR_H

#include <linux/jump_label.h>
#include <linux/types.h>

#include "ring.h"

struct bhlab_lab;
struct genl_family;

/**
 * struct bhlab_monitor - how far a lab's events have been sent by netlink
 * @reader: its cursors are there once somebody has listened
 * @since: events older than this are not reported
 * @told: the part of the @reader's losses that is already reported
 *
 * Protected by the lock of monitor.c.
 */
struct bhlab_monitor {
	struct bhlab_reader reader;
	u64 since;
	u64 told;
};

/**
 * struct bhlab_monitor_stats - what was sent to the multicast group
 * @messages: messages that somebody has received
 * @events: records in these
 * @lost: records that were lost before they were sent
 */
struct bhlab_monitor_stats {
	u64 messages;
	u64 events;
	u64 lost;
};

int bhlab_monitor_init(struct genl_family *family);
void bhlab_monitor_exit(void);
int bhlab_monitor_bind(int group);
void bhlab_monitor_enable(void);
void bhlab_monitor_stats(struct bhlab_monitor_stats *stats);
void bhlab_monitor_close(struct bhlab_lab *lab);

/*
 * For the producer: does anybody listen? The record has the time @ns, and is not
 * published yet. Once it is, the monitor is kicked. Interrupts are off.
 */
DECLARE_STATIC_KEY_FALSE(bhlab_monitor_key);
bool bhlab_monitor_looks(u64 ns);
void bhlab_monitor_kick(void);

static inline bool bhlab_monitor_hears(u64 ns)
{
	return static_branch_unlikely(&bhlab_monitor_key) &&
	       bhlab_monitor_looks(ns);
}

#endif /* BHLAB_MONITOR_H */
