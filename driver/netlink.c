// SPDX-License-Identifier: GPL-2.0-only
/*
 * The netlink family: labs and their objects, as seen from outside. It is
 * read-only: requests take lab->lock for a moment, and never wait for a handler.
 * monitor.c sends events.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/user_namespace.h>
#include <net/genetlink.h>

#include <linux/bhlab_netlink.h>

#include "compat.h"
#include "item.h"
#include "lab.h"
#include "limits.h"
#include "monitor.h"
#include "netlink.h"
#include "object.h"
#include "queue.h"
#include "ring.h"
#include "mech/list.h"
#include "mech/mech.h"

static struct genl_family bhlab_netlink_family;

/**
 * struct bhlab_dump - the position of a dump; in cb->ctx
 * @only: the only lab whose objects to dump, or 0
 * @lab: the lab that it reached last
 * @object: the object of that lab that it reached last
 * @all: the caller may see the labs of others
 */
struct bhlab_dump {
	u32 only;
	u32 lab;
	u32 object;
	bool all;
};

static_assert(sizeof(struct bhlab_dump) <=
	      sizeof_field(struct netlink_callback, ctx));

static struct bhlab_dump *bhlab_dump(struct netlink_callback *cb)
{
	return (struct bhlab_dump *)cb->ctx;
}

/* --- permissions */

static bool bhlab_netlink_owns(const struct sk_buff *skb,
			       const struct bhlab_lab *lab)
{
	return uid_eq(NETLINK_CREDS(skb)->uid, lab->uid);
}

/* The lab that @attr names, with a reference; or an errno. */
static struct bhlab_lab *bhlab_netlink_lab(const struct sk_buff *skb,
					   const struct nlattr *attr,
					   struct netlink_ext_ack *extack)
{
	struct bhlab_lab *lab = bhlab_lab_get(nla_get_u32(attr));

	if (!lab) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "there is no such lab");
		return ERR_PTR(-ENOENT);
	}
	if (bhlab_netlink_owns(skb, lab) || netlink_capable(skb, CAP_SYS_ADMIN))
		return lab;
	bhlab_lab_put(lab);
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "the lab is another user's, to see it needs CAP_SYS_ADMIN");
	return ERR_PTR(-EPERM);
}

/* --- contents of messages: 0, or -EMSGSIZE if the message is full */

static int bhlab_put_lab_counts(struct sk_buff *skb, struct bhlab_lab *lab)
{
	u32 nr[BHLAB_LAST_KIND + 1] = {};

	bhlab_lab_count(lab, nr);
	if (nla_put_u32(skb, BHLAB_A_LAB_ITEMS, nr[BHLAB_KIND_ITEM]) ||
	    nla_put_u32(skb, BHLAB_A_LAB_QUEUES, nr[BHLAB_KIND_QUEUE]) ||
	    nla_put_u32(skb, BHLAB_A_LAB_LOCKS, nr[BHLAB_KIND_LOCK]) ||
	    nla_put_u32(skb, BHLAB_A_LAB_FIFOS, nr[BHLAB_KIND_FIFO]))
		return -EMSGSIZE;
	return 0;
}

static int bhlab_put_lab_ring(struct sk_buff *skb, struct bhlab_ring *ring)
{
	u64 recorded = bhlab_ring_recorded(ring);

	if (nla_put_u64_64bit(skb, BHLAB_A_LAB_RECORDED, recorded, BHLAB_A_LAB_PAD) ||
	    nla_put_u64_64bit(skb, BHLAB_A_LAB_READ, READ_ONCE(ring->reader.read),
			      BHLAB_A_LAB_PAD) ||
	    nla_put_u64_64bit(skb, BHLAB_A_LAB_LOST, READ_ONCE(ring->reader.lost),
			      BHLAB_A_LAB_PAD))
		return -EMSGSIZE;
	return 0;
}

static int bhlab_put_lab(struct sk_buff *skb, struct bhlab_lab *lab, u32 unused)
{
	if (nla_put_u32(skb, BHLAB_A_LAB_ID, lab->id) ||
	    nla_put_u32(skb, BHLAB_A_LAB_UID,
			from_kuid_munged(&init_user_ns, lab->uid)) ||
	    nla_put_u32(skb, BHLAB_A_LAB_PID, lab->pid) ||
	    nla_put_string(skb, BHLAB_A_LAB_COMM, lab->comm) ||
	    nla_put_u64_64bit(skb, BHLAB_A_LAB_OPENED, lab->opened, BHLAB_A_LAB_PAD) ||
	    bhlab_put_lab_counts(skb, lab) ||
	    bhlab_put_lab_ring(skb, &lab->ring))
		return -EMSGSIZE;
	return 0;
}

/* The fields of struct bhlab_item_state that every item has. */
struct bhlab_item_attr {
	u16 attr;
	u16 offset;
	u16 size;
};

#define BHLAB_ITEM_ATTR(_attr, _field)					\
	{								\
		.attr = BHLAB_A_ITEM_##_attr,				\
		.offset = offsetof(struct bhlab_item_state, _field),	\
		.size = sizeof_field(struct bhlab_item_state, _field),	\
	}

static const struct bhlab_item_attr bhlab_item_attrs[] = {
	BHLAB_ITEM_ATTR(ID, id),
	BHLAB_ITEM_ATTR(MECH, out_mech),
	BHLAB_ITEM_ATTR(FLAGS, out_item_flags),
	BHLAB_ITEM_ATTR(QUEUE, out_queue),
	BHLAB_ITEM_ATTR(STATE, out_state),
	BHLAB_ITEM_ATTR(DEPTH, out_depth),
	BHLAB_ITEM_ATTR(STEPS, out_nr_steps),
	BHLAB_ITEM_ATTR(THREAD_STEPS, out_nr_thread_steps),
	BHLAB_ITEM_ATTR(NICE, out_nice),
	BHLAB_ITEM_ATTR(PRIORITY, out_priority),
	BHLAB_ITEM_ATTR(COOKIE, out_cookie),
	BHLAB_ITEM_ATTR(ACCEPTED, out_accepted),
	BHLAB_ITEM_ATTR(COALESCED, out_coalesced),
	BHLAB_ITEM_ATTR(REFUSED, out_refused),
	BHLAB_ITEM_ATTR(RUNS, out_runs),
	BHLAB_ITEM_ATTR(CANCELLED, out_cancelled),
	BHLAB_ITEM_ATTR(MERGED, out_merged),
	BHLAB_ITEM_ATTR(OUTSTANDING, out_outstanding),
	BHLAB_ITEM_ATTR(THREAD_WAKES, out_thread_wakes),
	BHLAB_ITEM_ATTR(THREAD_RUNS, out_thread_runs),
	BHLAB_ITEM_ATTR(THREAD_MERGED, out_thread_merged),
	BHLAB_ITEM_ATTR(SKIPPED, out_skipped),
	BHLAB_ITEM_ATTR(THROTTLED, out_throttled),
	BHLAB_ITEM_ATTR(EXPIRED, out_expired),
	BHLAB_ITEM_ATTR(PERIOD, out_period_ns),
	BHLAB_ITEM_ATTR(PERIOD_LEFT, out_period_left),
	BHLAB_ITEM_ATTR(PERIOD_MISSED, out_period_missed),
	BHLAB_ITEM_ATTR(LOST, out_lost),
};

static int bhlab_put_item_attrs(struct sk_buff *skb,
				const struct bhlab_item_state *st)
{
	const struct bhlab_item_attr *a;
	const void *value;
	int i, ret = 0;

	for (i = 0; i < ARRAY_SIZE(bhlab_item_attrs) && !ret; i++) {
		a = &bhlab_item_attrs[i];
		value = (const void *)st + a->offset;
		if (a->size == sizeof(u64))
			ret = nla_put_u64_64bit(skb, a->attr, *(const u64 *)value,
						BHLAB_A_ITEM_PAD);
		else
			ret = nla_put_u32(skb, a->attr, *(const u32 *)value);
	}
	return ret;
}

static int bhlab_put_item_state(struct sk_buff *skb, struct bhlab_item *item)
{
	struct bhlab_item_state st = { .id = item->obj.id };

	bhlab_item_state(item, &st);
	if (nla_put_u32(skb, BHLAB_A_ITEM_LAB, item->obj.lab->id) ||
	    nla_put_string(skb, BHLAB_A_ITEM_NAME, st.out_name) ||
	    nla_put_string(skb, BHLAB_A_ITEM_DATA, st.out_data) ||
	    (st.out_item_flags & BHLAB_ITEM_CPU &&
	     nla_put_u32(skb, BHLAB_A_ITEM_CPU, st.out_cpu)) ||
	    (st.out_mech == BHLAB_MECH_IRQ &&
	     nla_put_u32(skb, BHLAB_A_ITEM_IRQ, st.out_irq)))
		return -EMSGSIZE;
	return bhlab_put_item_attrs(skb, &st);
}

static int bhlab_put_item(struct sk_buff *skb, struct bhlab_lab *lab, u32 id)
{
	struct bhlab_item *item = bhlab_item_get(lab, id);
	int ret;

	if (!item)
		return -ENOENT;
	ret = bhlab_put_item_state(skb, item);
	bhlab_item_put(item);
	return ret;
}

static int bhlab_put_queue(struct sk_buff *skb, struct bhlab_lab *lab, u32 id)
{
	struct bhlab_queue_state st = {};
	struct bhlab_queue *queue;

	/* The system's queues belong to no lab. */
	if (id > BHLAB_ID_MAX)
		return -ENOENT;
	queue = bhlab_queue_get(lab, id);
	if (IS_ERR(queue))
		return PTR_ERR(queue);
	bhlab_queue_state(queue, &st);
	bhlab_queue_put(queue);
	if (nla_put_u32(skb, BHLAB_A_QUEUE_LAB, lab->id) ||
	    nla_put_u32(skb, BHLAB_A_QUEUE_ID, id) ||
	    nla_put_string(skb, BHLAB_A_QUEUE_NAME, st.out_name) ||
	    nla_put_u32(skb, BHLAB_A_QUEUE_FLAGS, st.out_queue_flags) ||
	    nla_put_u32(skb, BHLAB_A_QUEUE_MAX_ACTIVE, st.out_max_active) ||
	    nla_put_u32(skb, BHLAB_A_QUEUE_ITEMS, st.out_items) ||
	    nla_put_u32(skb, BHLAB_A_QUEUE_ACTIVE, st.out_active) ||
	    (st.out_draining && nla_put_flag(skb, BHLAB_A_QUEUE_DRAINING)))
		return -EMSGSIZE;
	return 0;
}

static int bhlab_put_stats(struct sk_buff *skb, struct bhlab_lab *lab, u32 unused)
{
	struct bhlab_monitor_stats sent;
	u32 mech;

	bhlab_monitor_stats(&sent);
	if (nla_put_u32(skb, BHLAB_A_STATS_ABI, BHLAB_ABI_VERSION) ||
	    nla_put_u32(skb, BHLAB_A_STATS_LABS, bhlab_labs_open()) ||
	    nla_put_u32(skb, BHLAB_A_STATS_MAX_LABS, bhlab_limits.labs) ||
	    nla_put_u64_64bit(skb, BHLAB_A_STATS_MESSAGES, sent.messages,
			      BHLAB_A_STATS_PAD) ||
	    nla_put_u64_64bit(skb, BHLAB_A_STATS_EVENTS, sent.events,
			      BHLAB_A_STATS_PAD) ||
	    nla_put_u64_64bit(skb, BHLAB_A_STATS_LOST, sent.lost, BHLAB_A_STATS_PAD))
		return -EMSGSIZE;
	for (mech = 1; mech <= BHLAB_NR_MECHS; mech++)
		if (nla_put_string(skb, BHLAB_A_STATS_MECHANISM,
				   bhlab_mech_name(mech)))
			return -EMSGSIZE;
	return 0;
}

typedef int (*bhlab_put_fn)(struct sk_buff *skb, struct bhlab_lab *lab, u32 id);

/* --- requests for one object */

static int bhlab_netlink_reply(struct genl_info *info, bhlab_put_fn put,
			       struct bhlab_lab *lab, u32 id)
{
	struct sk_buff *skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *hdr;
	int ret;

	if (!skb)
		return -ENOMEM;
	hdr = genlmsg_put_reply(skb, info, &bhlab_netlink_family, 0,
				info->genlhdr->cmd);
	ret = hdr ? put(skb, lab, id) : -EMSGSIZE;
	if (ret) {
		nlmsg_free(skb);
		return ret;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

static int bhlab_netlink_get_lab(struct sk_buff *skb, struct genl_info *info)
{
	struct bhlab_lab *lab;
	int ret;

	if (GENL_REQ_ATTR_CHECK(info, BHLAB_A_LAB_ID))
		return -EINVAL;
	lab = bhlab_netlink_lab(skb, info->attrs[BHLAB_A_LAB_ID], info->extack);
	if (IS_ERR(lab))
		return PTR_ERR(lab);
	ret = bhlab_netlink_reply(info, bhlab_put_lab, lab, 0);
	bhlab_lab_put(lab);
	return ret;
}

static int bhlab_netlink_get_object(struct sk_buff *skb, struct genl_info *info,
				    int lab_attr, int id_attr, bhlab_put_fn put)
{
	struct nlattr *attr = info->attrs[id_attr];
	struct bhlab_lab *lab;
	int ret;

	lab = bhlab_netlink_lab(skb, info->attrs[lab_attr], info->extack);
	if (IS_ERR(lab))
		return PTR_ERR(lab);
	ret = bhlab_netlink_reply(info, put, lab, nla_get_u32(attr));
	if (ret == -ENOENT)
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "there is no such object in this lab");
	bhlab_lab_put(lab);
	return ret;
}

static int bhlab_netlink_get_item(struct sk_buff *skb, struct genl_info *info)
{
	if (GENL_REQ_ATTR_CHECK(info, BHLAB_A_ITEM_LAB) ||
	    GENL_REQ_ATTR_CHECK(info, BHLAB_A_ITEM_ID))
		return -EINVAL;
	return bhlab_netlink_get_object(skb, info, BHLAB_A_ITEM_LAB,
					BHLAB_A_ITEM_ID, bhlab_put_item);
}

static int bhlab_netlink_get_queue(struct sk_buff *skb, struct genl_info *info)
{
	if (GENL_REQ_ATTR_CHECK(info, BHLAB_A_QUEUE_LAB) ||
	    GENL_REQ_ATTR_CHECK(info, BHLAB_A_QUEUE_ID))
		return -EINVAL;
	return bhlab_netlink_get_object(skb, info, BHLAB_A_QUEUE_LAB,
					BHLAB_A_QUEUE_ID, bhlab_put_queue);
}

static int bhlab_netlink_get_stats(struct sk_buff *skb, struct genl_info *info)
{
	return bhlab_netlink_reply(info, bhlab_put_stats, NULL, 0);
}

/* --- dumps */

/*
 * The permissions are the requester's, although another process may read the
 * dump. If @lab_attr is 0 the dump takes no attribute, otherwise only that one.
 */
static int bhlab_netlink_start(struct netlink_callback *cb, int lab_attr,
			       int id_attr)
{
	struct nlattr **attrs = bhlab_dump_attrs(cb);
	struct bhlab_dump *dump = bhlab_dump(cb);
	struct bhlab_lab *lab;

	if (attrs[id_attr]) {
		NL_SET_ERR_MSG_ATTR(cb->extack, attrs[id_attr],
				    "a dump is of all of them, and takes no id");
		return -EINVAL;
	}
	dump->all = netlink_capable(cb->skb, CAP_SYS_ADMIN);
	if (!lab_attr || !attrs[lab_attr])
		return 0;
	lab = bhlab_netlink_lab(cb->skb, attrs[lab_attr], cb->extack);
	if (IS_ERR(lab))
		return PTR_ERR(lab);
	dump->only = lab->id;
	bhlab_lab_put(lab);
	return 0;
}

static int bhlab_netlink_start_labs(struct netlink_callback *cb)
{
	return bhlab_netlink_start(cb, 0, BHLAB_A_LAB_ID);
}

static int bhlab_netlink_start_items(struct netlink_callback *cb)
{
	return bhlab_netlink_start(cb, BHLAB_A_ITEM_LAB, BHLAB_A_ITEM_ID);
}

static int bhlab_netlink_start_queues(struct netlink_callback *cb)
{
	return bhlab_netlink_start(cb, BHLAB_A_QUEUE_LAB, BHLAB_A_QUEUE_ID);
}

/* The first lab of the dump with an id of at least @from, with a reference. */
static struct bhlab_lab *bhlab_netlink_next(struct netlink_callback *cb, u32 from)
{
	const struct bhlab_dump *dump = bhlab_dump(cb);
	struct bhlab_lab *lab;

	if (dump->only)
		from = max(from, dump->only);
	while ((lab = bhlab_lab_get_next(from - 1))) {
		if (dump->only && lab->id != dump->only)
			break;
		if (dump->all || bhlab_netlink_owns(cb->skb, lab))
			return lab;
		from = lab->id + 1;
		bhlab_lab_put(lab);
	}
	if (lab)
		bhlab_lab_put(lab);
	return NULL;
}

/* One message of a dump. An object that is gone meanwhile has none. */
static int bhlab_netlink_dump_one(struct sk_buff *skb,
				  struct netlink_callback *cb, u8 cmd,
				  bhlab_put_fn put, struct bhlab_lab *lab, u32 id)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				cb->nlh->nlmsg_seq, &bhlab_netlink_family,
				NLM_F_MULTI, cmd);
	int ret;

	if (!hdr)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, hdr);
	ret = put(skb, lab, id);
	if (!ret) {
		genlmsg_end(skb, hdr);
		return 0;
	}
	genlmsg_cancel(skb, hdr);
	return ret == -EMSGSIZE ? ret : 0;
}

static int bhlab_netlink_dump_labs(struct sk_buff *skb,
				   struct netlink_callback *cb)
{
	struct bhlab_dump *dump = bhlab_dump(cb);
	struct bhlab_lab *lab;
	int ret = 0;

	cb->seq = bhlab_labs_changes();
	while (!ret && (lab = bhlab_netlink_next(cb, dump->lab + 1))) {
		ret = bhlab_netlink_dump_one(skb, cb, BHLAB_CMD_LAB_GET,
					     bhlab_put_lab, lab, 0);
		if (!ret)
			dump->lab = lab->id;
		bhlab_lab_put(lab);
	}
	return skb->len;
}

/* The objects of one kind in a lab that follow dump->object. */
static int bhlab_netlink_dump_lab(struct sk_buff *skb,
				  struct netlink_callback *cb, u8 cmd,
				  enum bhlab_kind kind, bhlab_put_fn put,
				  struct bhlab_lab *lab)
{
	struct bhlab_dump *dump = bhlab_dump(cb);
	struct bhlab_lookup next = { .id = dump->object };
	int ret = 0;

	while (!ret && !bhlab_lab_next(lab, &next)) {
		if (next.out_kind == kind)
			ret = bhlab_netlink_dump_one(skb, cb, cmd, put, lab,
						     next.id);
		if (!ret)
			dump->object = next.id;
	}
	return ret;
}

static int bhlab_netlink_dump_objects(struct sk_buff *skb,
				      struct netlink_callback *cb, u8 cmd,
				      enum bhlab_kind kind, bhlab_put_fn put)
{
	struct bhlab_dump *dump = bhlab_dump(cb);
	struct bhlab_lab *lab;
	int ret = 0;

	cb->seq = bhlab_labs_changes() + bhlab_objects_changes();
	while (!ret && (lab = bhlab_netlink_next(cb, dump->lab ?: 1))) {
		if (lab->id != dump->lab)
			dump->object = 0;
		dump->lab = lab->id;
		ret = bhlab_netlink_dump_lab(skb, cb, cmd, kind, put, lab);
		if (!ret) {
			dump->lab++;
			dump->object = 0;
		}
		bhlab_lab_put(lab);
	}
	return skb->len;
}

static int bhlab_netlink_dump_items(struct sk_buff *skb,
				    struct netlink_callback *cb)
{
	return bhlab_netlink_dump_objects(skb, cb, BHLAB_CMD_ITEM_GET,
					  BHLAB_KIND_ITEM, bhlab_put_item);
}

static int bhlab_netlink_dump_queues(struct sk_buff *skb,
				     struct netlink_callback *cb)
{
	return bhlab_netlink_dump_objects(skb, cb, BHLAB_CMD_QUEUE_GET,
					  BHLAB_KIND_QUEUE, bhlab_put_queue);
}

/* --- the family */

static const struct nla_policy bhlab_lab_policy[] = {
	[BHLAB_A_LAB_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

static const struct nla_policy bhlab_item_policy[] = {
	[BHLAB_A_ITEM_LAB] = NLA_POLICY_MIN(NLA_U32, 1),
	[BHLAB_A_ITEM_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

static const struct nla_policy bhlab_queue_policy[] = {
	[BHLAB_A_QUEUE_LAB] = NLA_POLICY_MIN(NLA_U32, 1),
	[BHLAB_A_QUEUE_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

static const struct genl_ops bhlab_netlink_ops[] = {
	{
		.cmd = BHLAB_CMD_LAB_GET,
		.policy = bhlab_lab_policy,
		.maxattr = ARRAY_SIZE(bhlab_lab_policy) - 1,
		.doit = bhlab_netlink_get_lab,
		.start = bhlab_netlink_start_labs,
		.dumpit = bhlab_netlink_dump_labs,
	},
	{
		.cmd = BHLAB_CMD_ITEM_GET,
		.policy = bhlab_item_policy,
		.maxattr = ARRAY_SIZE(bhlab_item_policy) - 1,
		.doit = bhlab_netlink_get_item,
		.start = bhlab_netlink_start_items,
		.dumpit = bhlab_netlink_dump_items,
	},
	{
		.cmd = BHLAB_CMD_QUEUE_GET,
		.policy = bhlab_queue_policy,
		.maxattr = ARRAY_SIZE(bhlab_queue_policy) - 1,
		.doit = bhlab_netlink_get_queue,
		.start = bhlab_netlink_start_queues,
		.dumpit = bhlab_netlink_dump_queues,
	},
	{
		.cmd = BHLAB_CMD_STATS_GET,
		.doit = bhlab_netlink_get_stats,
	},
};

static const struct genl_multicast_group bhlab_netlink_groups[] = {
	{
		.name = BHLAB_MCGRP_EVENTS,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

static struct genl_family bhlab_netlink_family __ro_after_init = {
	.name = BHLAB_FAMILY_NAME,
	.version = BHLAB_FAMILY_VERSION,
	.module = THIS_MODULE,
	.parallel_ops = true,
	.ops = bhlab_netlink_ops,
	.n_ops = ARRAY_SIZE(bhlab_netlink_ops),
	.mcgrps = bhlab_netlink_groups,
	.n_mcgrps = ARRAY_SIZE(bhlab_netlink_groups),
};

int __init bhlab_netlink_init(void)
{
	int ret = bhlab_monitor_init(&bhlab_netlink_family);

	if (ret)
		return ret;
	/* A kernel that does not report subscriptions has to be asked each time. */
	if (!bhlab_genl_bind(&bhlab_netlink_family, bhlab_monitor_bind))
		bhlab_monitor_enable();
	ret = genl_register_family(&bhlab_netlink_family);
	if (ret)
		bhlab_monitor_exit();
	return ret;
}

void bhlab_netlink_exit(void)
{
	genl_unregister_family(&bhlab_netlink_family);
	bhlab_monitor_exit();
}
