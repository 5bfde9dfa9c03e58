// SPDX-License-Identifier: GPL-2.0-only
/* The driver's netlink family, through libnl. */
#include <errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "command/command.h"
#include "cmd/netlink.h"

/* More than the longest message. */
#define MESSAGE_SIZE	65536
#define BUFFER_SIZE	(8 << 20)

/* --- opening */

static void add_mech(struct netlink *nl, const char *name)
{
	nl->mechs = xrealloc(nl->mechs, nl->nr_mechs + 1, sizeof(*nl->mechs));
	snprintf(nl->mechs[nl->nr_mechs++], sizeof(*nl->mechs), "%s", name);
}

static int on_stats(struct nl_msg *msg, void *arg)
{
	struct genlmsghdr *hdr = nlmsg_data(nlmsg_hdr(msg));
	struct nlattr *attr;
	int left;

	nla_for_each_attr(attr, genlmsg_attrdata(hdr, 0), genlmsg_attrlen(hdr, 0), left)
		if (nla_type(attr) == BHLAB_A_STATS_MECHANISM)
			add_mech(arg, nla_get_string(attr));
	return NL_OK;
}

static int ask_mechs(struct netlink *nl)
{
	int err;

	nl_socket_modify_cb(nl->sock, NL_CB_VALID, NL_CB_CUSTOM, on_stats, nl);
	err = genl_send_simple(nl->sock, nl->family, BHLAB_CMD_STATS_GET, BHLAB_FAMILY_VERSION, 0);
	if (err >= 0)
		err = nl_recvmsgs_default(nl->sock);	/* the answer */
	if (err >= 0)
		err = nl_wait_for_ack(nl->sock);
	return err;
}

/* libnl has numbers of its own for what the kernel said. */
static int failed(struct error *e, int err)
{
	return fail(e, STATUS_REFUSED, 0, "netlink: %s", nl_geterror(err));
}

int netlink_open(struct netlink *nl, const struct call *call, struct error *e)
{
	int err;

	*nl = (struct netlink){ .sock = nl_socket_alloc() };
	if (!nl->sock)
		return fail(e, STATUS_REFUSED, ENOMEM, "no memory");
	err = genl_connect(nl->sock);
	if (err)
		return failed(e, err);
	nl->family = genl_ctrl_resolve(nl->sock, BHLAB_FAMILY_NAME);
	if (nl->family < 0)
		return fail(e, STATUS_ABSENT, 0,
			    "there is no driver; load it with 'modprobe bhlab', or 'make load' in "
			    "its source");
	err = ask_mechs(nl);
	return err < 0 ? failed(e, err) : 0;
}

/*
 * The buffer has to hold all events that arrive between two reads. With CAP_NET_ADMIN it
 * may be larger than net.core.rmem_max.
 */
static void set_buffer(int fd, int size)
{
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

int netlink_subscribe(struct netlink *nl, const struct call *call, struct error *e)
{
	int group = genl_ctrl_resolve_grp(nl->sock, BHLAB_FAMILY_NAME, BHLAB_MCGRP_EVENTS);

	if (group < 0)
		return failed(e, group);
	set_buffer(nl_socket_get_fd(nl->sock), (int)arg_number(call, "--buffer", BUFFER_SIZE));
	nl_socket_disable_seq_check(nl->sock);
	nl_socket_set_msg_buf_size(nl->sock, MESSAGE_SIZE);
	if (nl_socket_add_membership(nl->sock, group))
		return refused(e, call, errno);
	nl_socket_set_nonblocking(nl->sock);
	return 0;
}

void netlink_close(struct netlink *nl)
{
	nl_socket_free(nl->sock);
	free(nl->mechs);
	*nl = (struct netlink){ 0 };
}

const char *netlink_mech(const struct netlink *nl, uint32_t mech)
{
	return mech && mech <= nl->nr_mechs ? nl->mechs[mech - 1] : "?";
}

/* --- receiving */

static void parse_item(struct message *message, struct nlattr *nest)
{
	struct nlattr *attrs[BHLAB_A_EVENT_ITEM_MAX + 1];
	struct message_item *item;

	if (message->nr_items == BHLAB_EVENTS_MAX ||
	    nla_parse_nested(attrs, BHLAB_A_EVENT_ITEM_MAX, nest, NULL) ||
	    !attrs[BHLAB_A_EVENT_ITEM_ID] || !attrs[BHLAB_A_EVENT_ITEM_NAME])
		return;
	item = &message->items[message->nr_items++];
	item->id = nla_get_u32(attrs[BHLAB_A_EVENT_ITEM_ID]);
	nla_strlcpy(item->name, attrs[BHLAB_A_EVENT_ITEM_NAME], sizeof(item->name));
}

/* A later driver may have longer records, of which we know the beginning. */
static void parse_event(struct message *message, struct nlattr *attr)
{
	struct bhlab_event *event;

	if (message->nr_events == BHLAB_EVENTS_MAX || nla_len(attr) < (int)sizeof(*event))
		return;
	event = &message->events[message->nr_events++];
	memcpy(event, nla_data(attr), sizeof(*event));
	event->comm[sizeof(event->comm) - 1] = '\0';
	event->data[sizeof(event->data) - 1] = '\0';
}

static void parse_attr(struct message *message, struct nlattr *attr)
{
	switch (nla_type(attr)) {
	case BHLAB_A_EVENTS_LAB:
		message->lab = nla_get_u32(attr);
		break;
	case BHLAB_A_EVENTS_FIRST:
		message->first = nla_get_u64(attr);
		break;
	case BHLAB_A_EVENTS_LOST:
		message->lost = nla_get_u64(attr);
		break;
	case BHLAB_A_EVENTS_CLOSED:
		message->closed = true;
		break;
	case BHLAB_A_EVENTS_ITEM:
		parse_item(message, attr);
		break;
	case BHLAB_A_EVENTS_EVENT:
		parse_event(message, attr);
		break;
	}
}

struct receive {
	message_fn fn;
	void *arg;
};

static int on_message(struct nl_msg *msg, void *arg)
{
	struct genlmsghdr *hdr = nlmsg_data(nlmsg_hdr(msg));
	struct receive *receive = arg;
	struct message message = { 0 };
	struct nlattr *attr;
	int left;

	if (hdr->cmd != BHLAB_CMD_EVENTS_NTF)
		return NL_OK;
	nla_for_each_attr(attr, genlmsg_attrdata(hdr, 0), genlmsg_attrlen(hdr, 0), left)
		parse_attr(&message, attr);
	receive->fn(&message, receive->arg);
	return NL_OK;
}

int netlink_receive(struct netlink *nl, message_fn fn, void *arg)
{
	struct receive receive = { fn, arg };
	int err;

	nl_socket_modify_cb(nl->sock, NL_CB_VALID, NL_CB_CUSTOM, on_message, &receive);
	do
		err = nl_recvmsgs_default(nl->sock);
	while (err >= 0);
	/* libnl takes ENOBUFS for a lack of memory. */
	return err == -NLE_AGAIN ? 0 : err == -NLE_NOMEM ? ENOBUFS : err == -NLE_INTR ? EINTR : EIO;
}

int netlink_wait(const struct netlink *nl, uint64_t timeout_ns)
{
	struct pollfd fd = { .fd = nl_socket_get_fd(nl->sock), .events = POLLIN };
	struct timespec timeout = { timeout_ns / 1000000000, timeout_ns % 1000000000 };
	int ret = ppoll(&fd, 1, &timeout, NULL);

	return ret > 0 ? 0 : ret ? errno : ETIMEDOUT;
}

const char *message_item_name(const struct message *message, uint32_t id, char *buf)
{
	for (uint32_t i = 0; i < message->nr_items; i++)
		if (message->items[i].id == id)
			return message->items[i].name;
	snprintf(buf, BHLAB_NAME_LEN, "#%u", id);
	return buf;
}
