// SPDX-License-Identifier: GPL-2.0-only
/* The netlink family, without a library, which would not send what is wrong. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/bhlab_netlink.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "torture.h"

#define PAYLOAD		256

struct request {
	struct nlmsghdr nl;
	struct genlmsghdr genl;
	char attrs[PAYLOAD];
};

static uint16_t family, group;

static int netlink_socket(void)
{
	struct timeval patience = { .tv_sec = 60 * slowness() };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static size_t put(char *to, uint16_t type, const void *data, uint16_t len)
{
	struct nlattr attr = { .nla_type = type, .nla_len = NLA_HDRLEN + len };

	memcpy(to, &attr, sizeof(attr));
	memcpy(to + NLA_HDRLEN, data, len);
	return NLA_ALIGN(attr.nla_len);
}

static int send_to(int sock, uint16_t type, uint16_t flags, uint8_t cmd, const void *attrs,
		   size_t len)
{
	struct request r = {
		.nl.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN + len,
		.nl.nlmsg_type = type,
		.nl.nlmsg_flags = NLM_F_REQUEST | flags,
		.genl = { .cmd = cmd, .version = 1 },
	};

	memcpy(r.attrs, attrs, len);
	while (send(sock, &r, r.nl.nlmsg_len, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

typedef void (*message_fn)(const struct nlmsghdr *nl, void *to);

/* Up to the end of the answer: how many messages, or -errno. */
static int receive(int sock, bool acknowledged, message_fn fn, void *to)
{
	_Alignas(struct nlmsghdr) char buf[16384];
	const struct nlmsghdr *nl;
	ssize_t len;
	int nr = 0;

	for (;;) {
		len = recv(sock, buf, sizeof(buf), 0);
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		for (nl = (void *)buf; NLMSG_OK(nl, len); nl = NLMSG_NEXT(nl, len)) {
			if (nl->nlmsg_type == NLMSG_ERROR) {
				int error = *(int *)NLMSG_DATA(nl);

				return error ?: nr;
			}
			if (nl->nlmsg_type == NLMSG_DONE)
				return nr;
			nr++;
			if (fn)
				fn(nl, to);
			if (!acknowledged && !(nl->nlmsg_flags & NLM_F_MULTI))
				return nr;
		}
	}
}

static const struct nlattr *find(const void *from, int len, uint16_t type)
{
	const struct nlattr *a = from;

	while (len >= NLA_HDRLEN && a->nla_len >= NLA_HDRLEN && a->nla_len <= len) {
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a;
		len -= NLA_ALIGN(a->nla_len);
		a = (void *)((char *)a + NLA_ALIGN(a->nla_len));
	}
	return NULL;
}

static const struct nlattr *find_in(const struct nlmsghdr *nl, uint16_t type)
{
	return find((char *)NLMSG_DATA(nl) + GENL_HDRLEN,
		    (int)nl->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN, type);
}

static const void *data_of(const struct nlattr *a)
{
	return (const char *)a + NLA_HDRLEN;
}

static void learn_family(const struct nlmsghdr *nl, void *to)
{
	const struct nlattr *a = find_in(nl, CTRL_ATTR_FAMILY_ID);
	const struct nlattr *groups = find_in(nl, CTRL_ATTR_MCAST_GROUPS);

	if (a)
		memcpy(&family, data_of(a), sizeof(family));
	/* the only group, in a nest of groups */
	if (groups) {
		const struct nlattr *one = data_of(groups);

		a = find(data_of(one), one->nla_len - NLA_HDRLEN, CTRL_ATTR_MCAST_GRP_ID);
		if (a)
			memcpy(&group, data_of(a), sizeof(group));
	}
}

/* A socket, with the family known: it has another number when the module is loaded again. */
int netlink_open(void)
{
	char attrs[PAYLOAD];
	size_t len = put(attrs, CTRL_ATTR_FAMILY_NAME, BHLAB_FAMILY_NAME,
			 sizeof(BHLAB_FAMILY_NAME));
	int sock = netlink_socket(), ret;

	if (sock < 0)
		return sock;
	family = 0;
	ret = send_to(sock, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY, attrs, len);
	if (!ret)
		ret = receive(sock, false, learn_family, NULL);
	if (ret >= 0 && family)
		return sock;
	close(sock);
	return ret < 0 ? ret : -ENOENT;
}

int netlink_ask(int sock, uint8_t cmd, uint16_t flags, const void *attrs, size_t len)
{
	int ret = send_to(sock, family, flags, cmd, attrs, len);

	return ret ?: receive(sock, flags & NLM_F_ACK, NULL, NULL);
}

static void learn_labs(const struct nlmsghdr *nl, void *to)
{
	const struct nlattr *a = find_in(nl, BHLAB_A_STATS_LABS);

	if (a)
		memcpy(to, data_of(a), sizeof(uint32_t));
}

int netlink_labs(int sock)
{
	uint32_t labs = 0;
	int ret = send_to(sock, family, 0, BHLAB_CMD_STATS_GET, "", 0);

	if (!ret)
		ret = receive(sock, false, learn_labs, &labs);
	return ret < 0 ? ret : (int)labs;
}

int netlink_join(int sock)
{
	int number = group;

	return setsockopt(sock, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &number,
			  sizeof(number)) ? -errno : 0;
}

/* --- what is wrong */

static size_t any_attr(struct rng *r, char *to)
{
	static const uint16_t lens[] = { 4, 4, 4, 4, 0, 1, 2, 3, 5, 8, 31, 32 };
	static const uint32_t values[] = { 1, 1, 2, 3, 4, 0, 7, 1000, 0x7fffffff, ~0U };
	uint16_t len = PICK(r, lens), type = 1 + below(r, 4);
	char data[32];
	uint32_t value = PICK(r, values);
	size_t done;

	for (unsigned int i = 0; i < sizeof(data); i += sizeof(value))
		memcpy(data + i, &value, sizeof(value));
	if (one_in(r, 8))
		type = rng_next(r);
	done = put(to, type, data, len);
	/* a length that lies */
	if (one_in(r, 16))
		((struct nlattr *)to)->nla_len = below(r, 64);
	return done;
}

/* The right family, and nothing else that has to be right. */
int netlink_any(struct rng *r)
{
	static const uint16_t flags[] = {
		0, 0, NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP, NLM_F_DUMP | NLM_F_ACK, NLM_F_ROOT,
		NLM_F_ECHO,
	};
	uint8_t cmd = one_in(r, 8) ? below(r, 256) : BHLAB_CMD_LAB_GET + below(r, 5);
	uint16_t flag = PICK(r, flags);
	_Alignas(struct nlattr) char attrs[PAYLOAD];
	int sock = netlink_socket(), ret;
	size_t len = 0;

	if (sock < 0)
		return sock;
	for (unsigned int i = below(r, 4); i; i--)
		len += any_attr(r, attrs + len);
	if (one_in(r, 16)) {
		ret = netlink_join(sock);
	} else if (one_in(r, 8)) {
		/* nobody waits for the answer */
		ret = send_to(sock, family, flag, cmd, attrs, len);
	} else {
		/* what has no answer would be waited for */
		ret = netlink_ask(sock, cmd, flag | (flag & NLM_F_DUMP ? 0 : NLM_F_ACK), attrs,
				  len);
	}
	close(sock);
	return ret;
}
