/* SPDX-License-Identifier: GPL-2.0-only */
/* The driver's netlink family, through libnl. */
#ifndef BHCTL_NETLINK_H
#define BHCTL_NETLINK_H

#include <linux/bhlab_netlink.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct nl_sock;

struct netlink {
	struct nl_sock *sock;
	int family;
	char (*mechs)[BHLAB_NAME_LEN];	/* the names of the mechanisms, from 1 on */
	uint32_t nr_mechs;
};

struct message_item {
	uint32_t id;
	char name[BHLAB_NAME_LEN];
};

/* One message of the group of events. */
struct message {
	uint32_t lab;
	uint64_t first;			/* number of the first event */
	uint64_t lost;			/* by the driver, since its last message */
	bool closed;			/* the last one of this lab */
	uint32_t nr_items, nr_events;
	struct message_item items[BHLAB_EVENTS_MAX];
	struct bhlab_event events[BHLAB_EVENTS_MAX];
};

typedef void (*message_fn)(const struct message *message, void *arg);

int netlink_open(struct netlink *nl, const struct call *call, struct error *e);
int netlink_subscribe(struct netlink *nl, const struct call *call, struct error *e);
void netlink_close(struct netlink *nl);

/* Both are 0 or an errno. ETIMEDOUT: there came none; EINTR: a signal did. */
int netlink_wait(const struct netlink *nl, uint64_t timeout_ns);
/* Calls @fn for each message that is there. ENOBUFS: others found no room. */
int netlink_receive(struct netlink *nl, message_fn fn, void *arg);

/* "?" if the driver has none with this number. */
const char *netlink_mech(const struct netlink *nl, uint32_t mech);
/* "#id" if the item was gone before its name could be asked for. */
const char *message_item_name(const struct message *message, uint32_t id, char *buf);

#endif
