// SPDX-License-Identifier: GPL-2.0-only
/*
 * The events of all labs, for the multicast group: a work item reads each lab's
 * ring, as another reader, and sends what it finds.
 *
 * Until a process that may listen subscribes for the first time, a record costs
 * only a branch that is patched out. From then on each record checks for
 * listeners. The first that finds one sets @bhlab_monitor_since to its time;
 * older events happened before the subscription and are not sent.
 *
 * The kernel counts listeners in other net namespaces, too, and the root of a
 * user namespace may subscribe in its own. Such a listener receives nothing,
 * since all is sent to the initial namespace. It can neither start the monitor,
 * see bhlab_monitor_bind(), nor keep it busy: messages that nobody receives do
 * not make it poll at full speed.
 */
#include <linux/mutex.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>

#include <linux/bhlab_netlink.h>

#include "item.h"
#include "lab.h"
#include "limits.h"
#include "monitor.h"
#include "object.h"
#include "ring.h"
#include "wake.h"

/* How long events are collected; the first after a subscription do not wait. */
#define BHLAB_MONITOR_DELAY	msecs_to_jiffies(10)

/* The same, if the last message has reached nobody. */
#define BHLAB_MONITOR_UNHEARD	msecs_to_jiffies(250)

/* Messages of one lab before the next lab is served. */
#define BHLAB_MONITOR_BURST	16

DEFINE_STATIC_KEY_FALSE(bhlab_monitor_key);

/* Whose group it is; set once. */
static struct genl_family *bhlab_monitor_family __ro_after_init;

/* Time of the first record that is reported; 0 while nobody listens. */
static atomic64_t bhlab_monitor_since;
static struct workqueue_struct *bhlab_monitor_wq;

/* Protects the batch, the statistics and each lab's monitor. */
static DEFINE_MUTEX(bhlab_monitor_lock);
static struct bhlab_event bhlab_monitor_batch[BHLAB_EVENTS_MAX];
static struct bhlab_monitor_stats bhlab_monitor_sent;
/* Nobody received the last message; written under the lock, read without. */
static bool bhlab_monitor_unheard;

/* --- hot path: called for every record */

static bool bhlab_monitor_listened(void)
{
	return genl_has_listeners(bhlab_monitor_family, &init_net, 0);
}

static void bhlab_monitor_begin(s64 ns)
{
	s64 since = atomic64_read(&bhlab_monitor_since);

	while (!since || since > ns)
		if (atomic64_try_cmpxchg(&bhlab_monitor_since, &since, ns))
			break;
}

/*
 * Nobody listens any more, unless a process has subscribed just now: then other
 * CPUs may have relied on the old time. Checking again after the exchange
 * detects that, since a subscription precedes the events that it must get.
 */
static bool bhlab_monitor_end(void)
{
	s64 since = atomic64_read(&bhlab_monitor_since);

	if (!since ||
	    !atomic64_try_cmpxchg(&bhlab_monitor_since, &since, 0) ||
	    !bhlab_monitor_listened())
		return false;
	bhlab_monitor_begin(since);
	return true;
}

/* Before the record is published, so that a reader that finds it finds the time. */
bool bhlab_monitor_looks(u64 ns)
{
	if (!bhlab_monitor_listened())
		return bhlab_monitor_end();
	bhlab_monitor_begin(ns);
	return true;
}

/* The work item is pending, and will see what is recorded now. */
static atomic_t bhlab_monitor_kicked;

/*
 * The handler may hold a lock of a workqueue, so the module's thread queues the
 * work.
 */
static struct bhlab_wake bhlab_monitor_kicker;

void bhlab_monitor_kick(void)
{
	smp_mb(); /* the record, then the look; see bhlab_monitor_fn() */
	if (!atomic_read(&bhlab_monitor_kicked) &&
	    !atomic_xchg(&bhlab_monitor_kicked, 1))
		bhlab_wake(&bhlab_monitor_kicker);
}

/* --- sending */

static size_t bhlab_monitor_size(u32 nr)
{
	size_t item = nla_total_size(nla_total_size(sizeof(u32)) +
				     nla_total_size(BHLAB_NAME_LEN));

	return nla_total_size(sizeof(u32)) +
	       2 * nla_total_size_64bit(sizeof(u64)) + nla_total_size(0) +
	       nr * (item + nla_total_size(sizeof(struct bhlab_event)));
}

static int bhlab_monitor_put_item(struct sk_buff *skb, struct bhlab_lab *lab,
				  u32 id)
{
	struct nlattr *nest = nla_nest_start(skb, BHLAB_A_EVENTS_ITEM);
	struct bhlab_item *item;
	int ret;

	if (!nest)
		return -EMSGSIZE;
	ret = nla_put_u32(skb, BHLAB_A_EVENT_ITEM_ID, id);
	item = bhlab_item_get(lab, id);
	if (item) {
		ret = ret ?: nla_put_string(skb, BHLAB_A_EVENT_ITEM_NAME,
					    item->obj.name);
		bhlab_item_put(item);
	}
	nla_nest_end(skb, nest);
	return ret;
}

/* Each item once, in order of appearance. */
static int bhlab_monitor_put_items(struct sk_buff *skb, struct bhlab_lab *lab,
				   u32 nr)
{
	const struct bhlab_event *batch = bhlab_monitor_batch;
	u32 i, j;
	int ret;

	for (i = 0; i < nr; i++) {
		for (j = 0; batch[j].item != batch[i].item; j++)
			;
		ret = j < i ? 0 : bhlab_monitor_put_item(skb, lab, batch[i].item);
		if (ret)
			return ret;
	}
	return 0;
}

static int bhlab_monitor_put(struct sk_buff *skb, struct bhlab_lab *lab, u32 nr,
			     u64 lost)
{
	struct bhlab_monitor *m = &lab->monitor;
	u32 i;

	if (nla_put_u32(skb, BHLAB_A_EVENTS_LAB, lab->id) ||
	    nla_put_u64_64bit(skb, BHLAB_A_EVENTS_FIRST,
			      m->reader.read + m->reader.lost,
			      BHLAB_A_EVENTS_PAD) ||
	    (lost && nla_put_u64_64bit(skb, BHLAB_A_EVENTS_LOST, lost,
				       BHLAB_A_EVENTS_PAD)) ||
	    bhlab_monitor_put_items(skb, lab, nr))
		return -EMSGSIZE;
	for (i = 0; i < nr; i++)
		if (nla_put(skb, BHLAB_A_EVENTS_EVENT,
			    sizeof(struct bhlab_event), &bhlab_monitor_batch[i]))
			return -EMSGSIZE;
	return nr ? 0 : nla_put_flag(skb, BHLAB_A_EVENTS_CLOSED);
}

static struct sk_buff *bhlab_monitor_message(struct bhlab_lab *lab, u32 nr,
					     u64 lost)
{
	struct sk_buff *skb = genlmsg_new(bhlab_monitor_size(nr), GFP_KERNEL);
	void *hdr;

	if (!skb)
		return NULL;
	hdr = genlmsg_put(skb, 0, 0, bhlab_monitor_family, 0,
			  BHLAB_CMD_EVENTS_NTF);
	if (!hdr || bhlab_monitor_put(skb, lab, nr, lost)) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, hdr);
	return skb;
}

/* The batch; an empty one reports that the lab is closed. */
static void bhlab_monitor_send(struct bhlab_lab *lab, u32 nr)
{
	struct bhlab_monitor *m = &lab->monitor;
	u64 lost = m->reader.lost - m->told;
	struct sk_buff *skb;

	lockdep_assert_held(&bhlab_monitor_lock);
	skb = bhlab_monitor_message(lab, nr, lost);
	if (!skb) {
		m->reader.lost += nr;
		return;
	}
	/* A full receive buffer is the listener's error (ENOBUFS), not ours. */
	WRITE_ONCE(bhlab_monitor_unheard,
		   genlmsg_multicast(bhlab_monitor_family, skb, 0, 0,
				     GFP_KERNEL) == -ESRCH);
	m->reader.read += nr;
	m->told += lost;
	if (bhlab_monitor_unheard)
		return;
	bhlab_monitor_sent.messages++;
	bhlab_monitor_sent.events += nr;
	bhlab_monitor_sent.lost += lost;
}

/* --- reading */

/* Records that were overwritten before the first listener came are not losses. */
static bool bhlab_monitor_attach(struct bhlab_lab *lab, u64 since)
{
	struct bhlab_monitor *m = &lab->monitor;

	/* The base, then the rest; see bhlab_ring_alloc(). */
	if (!smp_load_acquire(&lab->ring.base))
		return false;
	if (!m->reader.cursors && bhlab_reader_init(&m->reader))
		return false;
	m->reader.reveals = true;
	if (m->since < since && lab->opened < since)
		bhlab_reader_skip_lost(&lab->ring, &m->reader);
	m->since = since;
	return true;
}

/*
 * Is it newer than the first listener? That time may have become an earlier one
 * meanwhile, by a record that was published only after that.
 */
static bool bhlab_monitor_wants(const struct bhlab_monitor *m, u64 ns)
{
	u64 since = m->since;

	if (ns < since)
		since = atomic64_read(&bhlab_monitor_since) ?: since;
	return ns >= since;
}

/* Fill the batch, and return the number of records in it. */
static u32 bhlab_monitor_gather(struct bhlab_lab *lab)
{
	struct bhlab_monitor *m = &lab->monitor;
	struct bhlab_cursor *c;
	u32 nr = 0;

	while (nr < BHLAB_EVENTS_MAX) {
		c = bhlab_reader_oldest(&lab->ring, &m->reader);
		if (!c)
			break;
		c->ahead = false;
		if (bhlab_monitor_wants(m, c->event.finished_ns))
			bhlab_monitor_batch[nr++] = c->event;
	}
	return nr;
}

/* Send a bounded number of messages; true if there may be more. */
static bool bhlab_monitor_lab(struct bhlab_lab *lab, u64 since)
{
	u32 i, nr = BHLAB_EVENTS_MAX;

	lockdep_assert_held(&bhlab_monitor_lock);
	if (!bhlab_monitor_attach(lab, since))
		return false;
	for (i = 0; i < BHLAB_MONITOR_BURST && nr == BHLAB_EVENTS_MAX; i++) {
		nr = bhlab_monitor_gather(lab);
		if (nr)
			bhlab_monitor_send(lab, nr);
		cond_resched();
	}
	return nr == BHLAB_EVENTS_MAX;
}

static void bhlab_monitor_fn(struct work_struct *work);
static DECLARE_DELAYED_WORK(bhlab_monitor_work, bhlab_monitor_fn);

static void bhlab_monitor_read_after(unsigned long delay)
{
	if (READ_ONCE(bhlab_monitor_unheard))
		delay = BHLAB_MONITOR_UNHEARD;
	queue_delayed_work(bhlab_monitor_wq, &bhlab_monitor_work, delay);
}

static void bhlab_monitor_fn(struct work_struct *work)
{
	struct bhlab_lab *lab;
	bool more = false;
	u64 since;
	u32 id;

	atomic_set(&bhlab_monitor_kicked, 0);
	smp_mb(); /* pairs with bhlab_monitor_kick(): then the records */
	since = atomic64_read(&bhlab_monitor_since);
	if (!since)
		return;
	for (id = 0; (lab = bhlab_lab_get_next(id)); ) {
		id = lab->id;
		mutex_lock(&bhlab_monitor_lock);
		more |= bhlab_monitor_lab(lab, since);
		mutex_unlock(&bhlab_monitor_lock);
		bhlab_lab_put(lab);
	}
	if (more)
		bhlab_monitor_read_after(0);
}

static void bhlab_monitor_wake(struct bhlab_wake *wake)
{
	bhlab_monitor_read_after(BHLAB_MONITOR_DELAY);
}

/*
 * The lab's handlers have ended, and its objects still exist: send the rest, and
 * that it was the last. Only labs that a listener knows are reported closed.
 */
void bhlab_monitor_close(struct bhlab_lab *lab)
{
	u64 since = atomic64_read(&bhlab_monitor_since);

	if (since && bhlab_monitor_listened()) {
		mutex_lock(&bhlab_monitor_lock);
		while (bhlab_monitor_lab(lab, since))
			;
		if (lab->monitor.reader.cursors)
			bhlab_monitor_send(lab, 0);
		mutex_unlock(&bhlab_monitor_lock);
	}
	bhlab_reader_free(&lab->monitor.reader);
}

void bhlab_monitor_stats(struct bhlab_monitor_stats *stats)
{
	mutex_lock(&bhlab_monitor_lock);
	*stats = bhlab_monitor_sent;
	mutex_unlock(&bhlab_monitor_lock);
}

void bhlab_monitor_enable(void)
{
	static_branch_enable(&bhlab_monitor_key);
}

/*
 * Called for a subscription. Only the first of all makes a difference: nothing
 * reports when a subscriber becomes a listener, so that stopping after another
 * has left could leave it without events.
 *
 * The kernel may call this before it refuses the subscription, and does for each
 * net namespace, whose root need not be ours.
 */
int bhlab_monitor_bind(int group)
{
	if (!bhlab_has_cap(CAP_NET_ADMIN))
		return -EPERM;
	WRITE_ONCE(bhlab_monitor_unheard, false);
	bhlab_monitor_enable();
	return 0;
}

/* A queue of its own, since labs experiment with the system's. */
int bhlab_monitor_init(struct genl_family *family)
{
	bhlab_monitor_family = family;
	bhlab_wake_prepare(&bhlab_monitor_kicker, bhlab_monitor_wake);
	bhlab_monitor_wq = alloc_ordered_workqueue("bhlab-monitor", 0);
	return bhlab_monitor_wq ? 0 : -ENOMEM;
}

/* There are no more labs, so nothing kicks. */
void bhlab_monitor_exit(void)
{
	bhlab_wake_end(&bhlab_monitor_kicker);
	cancel_delayed_work_sync(&bhlab_monitor_work);
	destroy_workqueue(bhlab_monitor_wq);
}
