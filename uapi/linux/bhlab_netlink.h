/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * bhlab: the generic netlink family, by which labs are looked at from outside.
 * What the values mean says <linux/bhlab.h>; docs/netlink/bhlab.yaml is the same
 * for YNL.
 */
#ifndef _UAPI_LINUX_BHLAB_NETLINK_H
#define _UAPI_LINUX_BHLAB_NETLINK_H

#include <linux/bhlab.h>

/**
 * DOC: The netlink family
 *
 * Netlink only looks: it asks for what there is, and hears of what happens. It
 * never changes a lab, nor waits for one. The family is in the initial network
 * namespace.
 *
 * Requests are strict: an unknown attribute, one of the wrong length, or a flag
 * or reserved field that is set, is refused, and the extended ACK says which
 * and why (of a dump only if the kernel passes that on, which 6.1 does not). A
 * lab can be seen by the user who opened it, by the real user id, and with
 * CAP_SYS_ADMIN by anybody else; a dump leaves out the others. A dump during
 * which labs or objects came or went has NLM_F_DUMP_INTR.
 *
 * EINVAL: an attribute is missing, unknown, or of the wrong length; or one that
 * a dump does not take.
 *
 * ERANGE: an attribute's value is outside its range.
 *
 * ENOENT: there is no such lab, or no such item or queue in it.
 *
 * EPERM: the lab is another user's; or, of the group of events, CAP_NET_ADMIN
 * is missing.
 *
 * The multicast group has the events of all labs from the first one after a
 * subscription on. Each message is about one lab, and has up to
 * BHLAB_EVENTS_MAX records, sorted by time. Records are numbered, from 0 on in
 * a lab that is new, and those that are lost on the way have numbers too: where
 * the first number of a message is not the one after the last message of the
 * same lab, as many events are lost between. BHLAB_A_EVENTS_LOST says how many
 * of these the driver lost, for all listeners; the others did not fit into this
 * socket's buffer, for which its recvmsg() has said ENOBUFS.
 */

#define BHLAB_FAMILY_NAME	"bhlab"
#define BHLAB_FAMILY_VERSION	1
#define BHLAB_MCGRP_EVENTS	"events"

/* The most records of one message. */
#define BHLAB_EVENTS_MAX	64

/**
 * enum bhlab_cmd - the messages
 * @BHLAB_CMD_LAB_GET: a lab (do: with BHLAB_A_LAB_ID), or all (dump)
 * @BHLAB_CMD_ITEM_GET: an item (do: with BHLAB_A_ITEM_LAB and BHLAB_A_ITEM_ID),
 *	or all, of one lab if BHLAB_A_ITEM_LAB is given (dump)
 * @BHLAB_CMD_QUEUE_GET: the same of the queues that labs have created
 * @BHLAB_CMD_STATS_GET: of the driver as a whole (do, without attributes)
 * @BHLAB_CMD_EVENTS_NTF: what happened, to the group BHLAB_MCGRP_EVENTS
 */
enum bhlab_cmd {
	BHLAB_CMD_LAB_GET = 1,
	BHLAB_CMD_ITEM_GET,
	BHLAB_CMD_QUEUE_GET,
	BHLAB_CMD_STATS_GET,
	BHLAB_CMD_EVENTS_NTF,

	/* private: */
	__BHLAB_CMD_MAX,
	BHLAB_CMD_MAX = __BHLAB_CMD_MAX - 1,
};

/**
 * enum bhlab_a_lab - attributes of a lab
 * @BHLAB_A_LAB_PAD: alignment of what follows
 * @BHLAB_A_LAB_ID: u32, &bhlab_info.out_lab
 * @BHLAB_A_LAB_UID: u32, the user who opened it, 65534 if there is no such user
 *	in the initial user namespace
 * @BHLAB_A_LAB_PID: u32, the process that opened it, which may be gone
 * @BHLAB_A_LAB_COMM: string, the name of that process then
 * @BHLAB_A_LAB_OPENED: u64, when that was
 * @BHLAB_A_LAB_ITEMS: u32, its items
 * @BHLAB_A_LAB_QUEUES: u32, its queues
 * @BHLAB_A_LAB_LOCKS: u32, its locks
 * @BHLAB_A_LAB_FIFOS: u32, its FIFOs
 * @BHLAB_A_LAB_RECORDED: u64, &bhlab_ring_setup.out_recorded
 * @BHLAB_A_LAB_READ: u64, &bhlab_ring_setup.out_read
 * @BHLAB_A_LAB_LOST: u64, &bhlab_ring_setup.out_lost
 */
enum bhlab_a_lab {
	BHLAB_A_LAB_PAD = 1,
	BHLAB_A_LAB_ID,
	BHLAB_A_LAB_UID,
	BHLAB_A_LAB_PID,
	BHLAB_A_LAB_COMM,
	BHLAB_A_LAB_OPENED,
	BHLAB_A_LAB_ITEMS,
	BHLAB_A_LAB_QUEUES,
	BHLAB_A_LAB_LOCKS,
	BHLAB_A_LAB_FIFOS,
	BHLAB_A_LAB_RECORDED,
	BHLAB_A_LAB_READ,
	BHLAB_A_LAB_LOST,

	/* private: */
	__BHLAB_A_LAB_MAX,
	BHLAB_A_LAB_MAX = __BHLAB_A_LAB_MAX - 1,
};

/**
 * enum bhlab_a_item - attributes of an item: struct bhlab_item_state
 * @BHLAB_A_ITEM_PAD: alignment of what follows
 * @BHLAB_A_ITEM_LAB: u32, the lab it belongs to
 * @BHLAB_A_ITEM_ID: u32
 * @BHLAB_A_ITEM_NAME: string
 * @BHLAB_A_ITEM_DATA: string, the payload
 * @BHLAB_A_ITEM_MECH: u32, enum bhlab_mech
 * @BHLAB_A_ITEM_FLAGS: u32, BHLAB_ITEM_*
 * @BHLAB_A_ITEM_QUEUE: u32, 0 if the mechanism has none
 * @BHLAB_A_ITEM_CPU: u32, only with BHLAB_ITEM_CPU
 * @BHLAB_A_ITEM_STATE: u32, BHLAB_STATE_*
 * @BHLAB_A_ITEM_DEPTH: u32
 * @BHLAB_A_ITEM_IRQ: u32, only of an irq
 * @BHLAB_A_ITEM_STEPS: u32
 * @BHLAB_A_ITEM_THREAD_STEPS: u32
 * @BHLAB_A_ITEM_NICE: s32
 * @BHLAB_A_ITEM_PRIORITY: u32
 * @BHLAB_A_ITEM_COOKIE: u64
 * @BHLAB_A_ITEM_ACCEPTED: u64
 * @BHLAB_A_ITEM_COALESCED: u64
 * @BHLAB_A_ITEM_REFUSED: u64
 * @BHLAB_A_ITEM_RUNS: u64
 * @BHLAB_A_ITEM_CANCELLED: u64
 * @BHLAB_A_ITEM_MERGED: u64; of a line that nobody waits for it comes late,
 *	and is outstanding until then
 * @BHLAB_A_ITEM_OUTSTANDING: u64
 * @BHLAB_A_ITEM_THREAD_WAKES: u64
 * @BHLAB_A_ITEM_THREAD_RUNS: u64
 * @BHLAB_A_ITEM_THREAD_MERGED: u64
 * @BHLAB_A_ITEM_SKIPPED: u64
 * @BHLAB_A_ITEM_THROTTLED: u64
 * @BHLAB_A_ITEM_EXPIRED: u64
 * @BHLAB_A_ITEM_PERIOD: u64
 * @BHLAB_A_ITEM_PERIOD_LEFT: u64
 * @BHLAB_A_ITEM_PERIOD_MISSED: u64
 * @BHLAB_A_ITEM_LOST: u64
 */
enum bhlab_a_item {
	BHLAB_A_ITEM_PAD = 1,
	BHLAB_A_ITEM_LAB,
	BHLAB_A_ITEM_ID,
	BHLAB_A_ITEM_NAME,
	BHLAB_A_ITEM_DATA,
	BHLAB_A_ITEM_MECH,
	BHLAB_A_ITEM_FLAGS,
	BHLAB_A_ITEM_QUEUE,
	BHLAB_A_ITEM_CPU,
	BHLAB_A_ITEM_STATE,
	BHLAB_A_ITEM_DEPTH,
	BHLAB_A_ITEM_IRQ,
	BHLAB_A_ITEM_STEPS,
	BHLAB_A_ITEM_THREAD_STEPS,
	BHLAB_A_ITEM_NICE,
	BHLAB_A_ITEM_PRIORITY,
	BHLAB_A_ITEM_COOKIE,
	BHLAB_A_ITEM_ACCEPTED,
	BHLAB_A_ITEM_COALESCED,
	BHLAB_A_ITEM_REFUSED,
	BHLAB_A_ITEM_RUNS,
	BHLAB_A_ITEM_CANCELLED,
	BHLAB_A_ITEM_MERGED,
	BHLAB_A_ITEM_OUTSTANDING,
	BHLAB_A_ITEM_THREAD_WAKES,
	BHLAB_A_ITEM_THREAD_RUNS,
	BHLAB_A_ITEM_THREAD_MERGED,
	BHLAB_A_ITEM_SKIPPED,
	BHLAB_A_ITEM_THROTTLED,
	BHLAB_A_ITEM_EXPIRED,
	BHLAB_A_ITEM_PERIOD,
	BHLAB_A_ITEM_PERIOD_LEFT,
	BHLAB_A_ITEM_PERIOD_MISSED,
	BHLAB_A_ITEM_LOST,

	/* private: */
	__BHLAB_A_ITEM_MAX,
	BHLAB_A_ITEM_MAX = __BHLAB_A_ITEM_MAX - 1,
};

/**
 * enum bhlab_a_queue - attributes of a queue: struct bhlab_queue_state
 * @BHLAB_A_QUEUE_LAB: u32, the lab it belongs to
 * @BHLAB_A_QUEUE_ID: u32
 * @BHLAB_A_QUEUE_NAME: string
 * @BHLAB_A_QUEUE_FLAGS: u32, BHLAB_WQ_*
 * @BHLAB_A_QUEUE_MAX_ACTIVE: u32
 * @BHLAB_A_QUEUE_ITEMS: u32
 * @BHLAB_A_QUEUE_ACTIVE: u32
 * @BHLAB_A_QUEUE_DRAINING: flag
 */
enum bhlab_a_queue {
	BHLAB_A_QUEUE_LAB = 1,
	BHLAB_A_QUEUE_ID,
	BHLAB_A_QUEUE_NAME,
	BHLAB_A_QUEUE_FLAGS,
	BHLAB_A_QUEUE_MAX_ACTIVE,
	BHLAB_A_QUEUE_ITEMS,
	BHLAB_A_QUEUE_ACTIVE,
	BHLAB_A_QUEUE_DRAINING,

	/* private: */
	__BHLAB_A_QUEUE_MAX,
	BHLAB_A_QUEUE_MAX = __BHLAB_A_QUEUE_MAX - 1,
};

/**
 * enum bhlab_a_stats - attributes of the driver as a whole
 * @BHLAB_A_STATS_PAD: alignment of what follows
 * @BHLAB_A_STATS_ABI: u32, BHLAB_ABI_VERSION
 * @BHLAB_A_STATS_LABS: u32, the labs that are open, whoever may see them
 * @BHLAB_A_STATS_MAX_LABS: u32, those that one user may have (module
 *	parameter labs)
 * @BHLAB_A_STATS_MECHANISM: string, one for each mechanism, in the order of
 *	their numbers, which begin with 1
 * @BHLAB_A_STATS_MESSAGES: u64, messages to the group of events that
 *	somebody has received
 * @BHLAB_A_STATS_EVENTS: u64, events in these
 * @BHLAB_A_STATS_LOST: u64, events that the driver lost on their way there
 */
enum bhlab_a_stats {
	BHLAB_A_STATS_PAD = 1,
	BHLAB_A_STATS_ABI,
	BHLAB_A_STATS_LABS,
	BHLAB_A_STATS_MAX_LABS,
	BHLAB_A_STATS_MECHANISM,
	BHLAB_A_STATS_MESSAGES,
	BHLAB_A_STATS_EVENTS,
	BHLAB_A_STATS_LOST,

	/* private: */
	__BHLAB_A_STATS_MAX,
	BHLAB_A_STATS_MAX = __BHLAB_A_STATS_MAX - 1,
};

/**
 * enum bhlab_a_events - attributes of BHLAB_CMD_EVENTS_NTF
 * @BHLAB_A_EVENTS_PAD: alignment of what follows
 * @BHLAB_A_EVENTS_LAB: u32, the lab that it is about
 * @BHLAB_A_EVENTS_FIRST: u64, number of the first event of this message
 * @BHLAB_A_EVENTS_LOST: u64, how many of the numbers before that the driver lost
 *	since its last message; left out if none
 * @BHLAB_A_EVENTS_ITEM: nest of enum bhlab_a_event_item, one for each item that
 *	the events are about
 * @BHLAB_A_EVENTS_EVENT: struct bhlab_event, one for each
 * @BHLAB_A_EVENTS_CLOSED: flag: this was the lab's last message; another lab may
 *	get its id
 */
enum bhlab_a_events {
	BHLAB_A_EVENTS_PAD = 1,
	BHLAB_A_EVENTS_LAB,
	BHLAB_A_EVENTS_FIRST,
	BHLAB_A_EVENTS_LOST,
	BHLAB_A_EVENTS_ITEM,
	BHLAB_A_EVENTS_EVENT,
	BHLAB_A_EVENTS_CLOSED,

	/* private: */
	__BHLAB_A_EVENTS_MAX,
	BHLAB_A_EVENTS_MAX = __BHLAB_A_EVENTS_MAX - 1,
};

/**
 * enum bhlab_a_event_item - an item that events are about
 * @BHLAB_A_EVENT_ITEM_ID: u32
 * @BHLAB_A_EVENT_ITEM_NAME: string; left out if the item is gone already
 */
enum bhlab_a_event_item {
	BHLAB_A_EVENT_ITEM_ID = 1,
	BHLAB_A_EVENT_ITEM_NAME,

	/* private: */
	__BHLAB_A_EVENT_ITEM_MAX,
	BHLAB_A_EVENT_ITEM_MAX = __BHLAB_A_EVENT_ITEM_MAX - 1,
};

#endif /* _UAPI_LINUX_BHLAB_NETLINK_H */
