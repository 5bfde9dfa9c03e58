// SPDX-License-Identifier: GPL-2.0-only
/*
 * The event ring: one sub-ring for each possible CPU, of a head page and a power
 * of two of records, all mapped in one piece. "Events" in the uAPI header has the
 * readers' side.
 *
 * The producer is the CPU itself with interrupts off. It is the only writer, so
 * that handlers need no lock. The barriers are those of a
 * seqcount, one for each slot:
 *
 *	producer			reader
 *	slot.seq = ~s			s1 = load_acquire(slot.seq)
 *	smp_wmb()			copy the body
 *	write the body			smp_rmb()
 *	store_release(slot.seq, s)	s2 = slot.seq
 *
 * A reader that sees any store of a body also sees, in s2, the ~s before it or
 * something later: (wmb; rmb). One that sees s in s1 sees the whole body of s:
 * (release; acquire). So s1 == s2 == s means that the copy is the record s.
 * ~s is odd where s is even, while all sequence numbers of one slot are alike in
 * that (the number of records is even): no reader ever looks for ~s there.
 *
 * As a litmus test, where a slot that held s is given s' = s + records:
 *
 *	P0: W(seq, ~s'); wmb; W(body, s'); release(seq, s')
 *	P1: acquire(seq) = s; R(body) = s'; rmb; R(seq) = s
 *
 * "exists" never happens: R(body) = s' reads from P0's second store, which the wmb has
 * put behind its first, and the rmb makes P1's last load see that or a later one.
 * A reader that sleeps for 2^32 records of one CPU finds another s there, whole.
 *
 * Nothing is lost silently: the sequence numbers of a sub-ring have no gaps. So the
 * records that a reader did not get are either unread or lost, and both are exact
 * differences of two numbers. Hence recorded = read + lost + unread.
 */
#include <linux/compiler.h>
#include <linux/cpumask.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "limits.h"
#include "ring.h"
#include "user.h"

#define BHLAB_RECORDS_DEFAULT	4096
#define BHLAB_PAGE_RECORDS	(PAGE_SIZE / sizeof(struct bhlab_event))

static_assert(sizeof(struct bhlab_event) == 128);
/* See bhlab_user_ring_default(). */
static_assert(sizeof(struct bhlab_hidden) * 4 < sizeof(struct bhlab_event));

void bhlab_ring_init(struct bhlab_ring *ring)
{
	u32 fair = bhlab_limits.ring_bytes / nr_cpu_ids / sizeof(struct bhlab_event);

	fair = rounddown_pow_of_two(fair | 1);
	ring->records = clamp_t(u32, fair, BHLAB_PAGE_RECORDS,
				BHLAB_RECORDS_DEFAULT);
	ring->watermark = 1;
	init_waitqueue_head(&ring->wait);
	mutex_init(&ring->alloc_lock);
	mutex_init(&ring->read_lock);
	spin_lock_init(&ring->count_lock);
}

int bhlab_reader_init(struct bhlab_reader *reader)
{
	reader->cursors = kvcalloc(nr_cpu_ids, sizeof(*reader->cursors),
				   GFP_KERNEL_ACCOUNT);
	return reader->cursors ? 0 : -ENOMEM;
}

void bhlab_reader_free(struct bhlab_reader *reader)
{
	kvfree(reader->cursors);
}

/* A page for the head, then the records. */
static u32 bhlab_ring_stride(u32 records)
{
	return PAGE_SIZE + records * sizeof(struct bhlab_event);
}

static u32 bhlab_ring_pages(const struct bhlab_ring *ring)
{
	return nr_cpu_ids * (ring->stride >> PAGE_SHIFT);
}

static void bhlab_ring_free_pages(struct bhlab_ring *ring)
{
	u32 i;

	for (i = 0; i < bhlab_ring_pages(ring) && ring->pages[i]; i++)
		__free_page(ring->pages[i]);
	kvfree(ring->pages);
	kvfree(ring->recorded);
	kvfree(ring->hidden);
	bhlab_reader_free(&ring->reader);
}

/* Of what the records hide; as many as there are records. */
static u32 bhlab_ring_hidden_bytes(const struct bhlab_ring *ring)
{
	return ring->hides ?
	       nr_cpu_ids * ring->records * sizeof(*ring->hidden) : 0;
}

static struct bhlab_charge bhlab_ring_charge(const struct bhlab_ring *ring)
{
	return (struct bhlab_charge) {
		.nr[BHLAB_RES_RING] = (bhlab_ring_pages(ring) << PAGE_SHIFT) +
				      bhlab_ring_hidden_bytes(ring),
	};
}

void bhlab_ring_free(struct bhlab_ring *ring)
{
	const struct bhlab_charge charge = bhlab_ring_charge(ring);

	if (!ring->base)
		return;
	vunmap(ring->base);
	bhlab_ring_free_pages(ring);
	bhlab_user_uncharge(ring->user, &charge);
}

static int bhlab_ring_alloc_pages(struct bhlab_ring *ring)
{
	u32 i, per_cpu = ring->stride >> PAGE_SHIFT;
	struct page *page;
	int node;

	for (i = 0; i < bhlab_ring_pages(ring); i++) {
		node = cpu_to_node(i / per_cpu);
		page = alloc_pages_node(node, GFP_KERNEL_ACCOUNT | __GFP_ZERO, 0);
		if (!page)
			return -ENOMEM;
		ring->pages[i] = page;
	}
	return 0;
}

/* Beside the pages, and not mapped by user space. */
static int bhlab_ring_alloc_hidden(struct bhlab_ring *ring)
{
	if (!ring->hides)
		return 0;
	ring->hidden = kvzalloc(bhlab_ring_hidden_bytes(ring), GFP_KERNEL_ACCOUNT);
	return ring->hidden ? 0 : -ENOMEM;
}

static int bhlab_ring_alloc(struct bhlab_ring *ring)
{
	void *base = NULL;
	int cpu;

	ring->pages = kvcalloc(bhlab_ring_pages(ring), sizeof(*ring->pages),
			       GFP_KERNEL_ACCOUNT);
	ring->recorded = kvcalloc(nr_cpu_ids, sizeof(*ring->recorded),
				  GFP_KERNEL_ACCOUNT);
	if (!ring->pages || !ring->recorded ||
	    bhlab_reader_init(&ring->reader)) {
		kvfree(ring->pages);
		kvfree(ring->recorded);
		return -ENOMEM;
	}
	if (!bhlab_ring_alloc_hidden(ring) && !bhlab_ring_alloc_pages(ring))
		base = vmap(ring->pages, bhlab_ring_pages(ring),
			    VM_MAP | VM_USERMAP, PAGE_KERNEL);
	if (!base) {
		bhlab_ring_free_pages(ring);
		return -ENOMEM;
	}
	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		((struct bhlab_ring_head *)(base + (size_t)cpu * ring->stride))->cpu = cpu;
	/* A reader that sees the base sees the rest. */
	smp_store_release(&ring->base, base);
	return 0;
}

/*
 * No RSS includes these pages, so the OOM killer would choose everybody else
 * first. So a user's rings are limited, in addition to the limit of the cgroup.
 */
static int bhlab_ring_make(struct bhlab_ring *ring)
{
	struct bhlab_charge charge;
	int ret;

	ring->stride = bhlab_ring_stride(ring->records);
	charge = bhlab_ring_charge(ring);
	ret = bhlab_user_charge(ring->user, &charge);
	if (ret)
		return ret;
	ret = bhlab_ring_alloc(ring);
	if (ret)
		bhlab_user_uncharge(ring->user, &charge);
	return ret;
}

/* Allocate the ring on its first use. */
int bhlab_ring_use(struct bhlab_ring *ring)
{
	int ret = 0;

	/* The base, then the rest; see bhlab_ring_alloc(). */
	if (smp_load_acquire(&ring->base))
		return 0;
	mutex_lock(&ring->alloc_lock);
	if (!ring->base)
		ret = bhlab_ring_make(ring);
	mutex_unlock(&ring->alloc_lock);
	return ret;
}

/*
 * The number of records ever made. Each sub-ring's 32 bits are extended lazily,
 * when somebody reads them, which must be once in 4 billion records. For process
 * context, since it looks at each CPU; interrupts stay on.
 */
u64 bhlab_ring_recorded(struct bhlab_ring *ring)
{
	u64 *recorded;
	u64 sum = 0;
	u32 seq;
	int cpu;

	/* The base, then the rest; see bhlab_ring_alloc(). */
	if (!smp_load_acquire(&ring->base))
		return 0;
	spin_lock(&ring->count_lock);
	for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
		recorded = &ring->recorded[cpu];
		/* The head, then the records; see bhlab_ring_commit(). */
		seq = smp_load_acquire(&bhlab_head(ring, cpu)->seq);
		*recorded += (u32)(seq - (u32)*recorded);
		sum += *recorded;
	}
	spin_unlock(&ring->count_lock);
	return sum;
}

static u64 bhlab_ring_unread(struct bhlab_ring *ring)
{
	u64 gone = READ_ONCE(ring->reader.read) + READ_ONCE(ring->reader.lost);
	u64 recorded = bhlab_ring_recorded(ring);

	return recorded > gone ? recorded - gone : 0;
}

bool bhlab_ring_ready(struct bhlab_ring *ring)
{
	return bhlab_ring_unread(ring) >= READ_ONCE(ring->watermark);
}

static int bhlab_ring_set_records(struct bhlab_ring *ring, u32 records)
{
	u64 bytes = (u64)nr_cpu_ids * records * sizeof(struct bhlab_event);

	if (!is_power_of_2(records) || records < BHLAB_PAGE_RECORDS)
		return -EINVAL;
	if (bytes > bhlab_limits.ring_bytes)
		return -ENOSPC;
	if (ring->base)
		return -EBUSY;
	ring->records = records;
	return 0;
}

/* Both values are checked before either is set. */
static int bhlab_ring_set(struct bhlab_ring *ring,
			  const struct bhlab_ring_setup *cmd)
{
	u32 records = cmd->flags & BHLAB_RING_RECORDS ? cmd->records :
							ring->records;
	int ret = 0;

	if (cmd->flags & BHLAB_RING_WATERMARK &&
	    (!cmd->watermark || cmd->watermark > records))
		return -EINVAL;
	if (cmd->flags & BHLAB_RING_RECORDS)
		ret = bhlab_ring_set_records(ring, records);
	if (ret)
		return ret;
	if (cmd->flags & BHLAB_RING_WATERMARK)
		WRITE_ONCE(ring->watermark, cmd->watermark);
	else
		WRITE_ONCE(ring->watermark, min(ring->watermark, records));
	return 0;
}

int bhlab_ring_setup(struct bhlab_ring *ring, struct bhlab_ring_setup *cmd)
{
	int ret;

	if ((cmd->records && !(cmd->flags & BHLAB_RING_RECORDS)) ||
	    (cmd->watermark && !(cmd->flags & BHLAB_RING_WATERMARK)))
		return -EOPNOTSUPP;
	mutex_lock(&ring->alloc_lock);
	ret = bhlab_ring_set(ring, cmd);
	cmd->records = ring->records;
	cmd->watermark = ring->watermark;
	mutex_unlock(&ring->alloc_lock);
	if (ret)
		return ret;

	cmd->out_cpus = nr_cpu_ids;
	cmd->out_stride = bhlab_ring_stride(cmd->records);
	cmd->out_data_offset = PAGE_SIZE;
	cmd->out_record_size = sizeof(struct bhlab_event);
	cmd->out_map_size = (u64)cmd->out_cpus * cmd->out_stride;
	/*
	 * Without the lock, since a reader can be in a page fault with it for
	 * any time. A record that is read or lost was recorded before.
	 */
	cmd->out_read = READ_ONCE(ring->reader.read);
	cmd->out_lost = READ_ONCE(ring->reader.lost);
	smp_rmb(); /* these, then the head; see bhlab_reader_fetch() */
	cmd->out_recorded = bhlab_ring_recorded(ring);
	return 0;
}

/* Between the two looks at the record's sequence number. */
static void bhlab_ring_reveal(const struct bhlab_ring *ring, int cpu, u32 seq,
			      struct bhlab_event *to)
{
	const struct bhlab_hidden *hidden;

	if (!ring->hidden)
		return;
	hidden = bhlab_hidden_slot(ring, cpu, seq);
	if (data_race(hidden->seq) != seq) /* as the body, see bhlab_ring_copy() */
		return;
	data_race(to->pid = hidden->pid); /* as the body */
	data_race(memcpy(to->comm, hidden->comm, sizeof(to->comm))); /* as the body */
}

/* Copy the record @seq, or find that it is overwritten. */
static bool bhlab_ring_copy(const struct bhlab_ring *ring,
			    struct bhlab_reader *reader, int cpu, u32 seq)
{
	struct bhlab_event *to = &reader->cursors[cpu].event;
	const struct bhlab_event *e = bhlab_slot(ring, bhlab_head(ring, cpu), seq);

	/* slot.seq, then the body, then slot.seq again. */
	if (smp_load_acquire(&e->seq) != seq)
		return false;
	data_race(memcpy(to, e, sizeof(*to))); /* torn: not returned */
	if (reader->reveals)
		bhlab_ring_reveal(ring, cpu, seq, to);
	smp_rmb(); /* the body, then slot.seq */
	return READ_ONCE(e->seq) == seq;
}

/*
 * Fetch the next record of @cpu into its cursor. Records that the producer has
 * overwritten, or is just overwriting, are lost.
 */
static bool bhlab_reader_fetch(const struct bhlab_ring *ring,
			       struct bhlab_reader *reader, int cpu)
{
	struct bhlab_cursor *c = &reader->cursors[cpu];
	u32 behind, lost;

	while (!c->ahead) {
		/* The head, then the records. */
		behind = smp_load_acquire(&bhlab_head(ring, cpu)->seq) - c->next;
		if (!behind)
			return false;
		lost = behind > ring->records ? behind - ring->records : 0;
		c->next += lost + 1;
		c->ahead = bhlab_ring_copy(ring, reader, cpu, c->next);
		lost += !c->ahead;
		WRITE_ONCE(reader->lost, reader->lost + lost);
	}
	return true;
}

/*
 * The oldest of the CPUs' next records, or NULL. The caller marks it as used,
 * and is the only one that reads with @reader.
 */
struct bhlab_cursor *bhlab_reader_oldest(const struct bhlab_ring *ring,
					 struct bhlab_reader *reader)
{
	struct bhlab_cursor *c, *oldest = NULL;
	int cpu;

	for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
		c = &reader->cursors[cpu];
		if (!bhlab_reader_fetch(ring, reader, cpu))
			continue;
		if (!oldest || c->event.finished_ns < oldest->event.finished_ns)
			oldest = c;
	}
	return oldest;
}

/* Records that are already overwritten do not concern this reader. */
void bhlab_reader_skip_lost(const struct bhlab_ring *ring,
			    struct bhlab_reader *reader)
{
	struct bhlab_cursor *c;
	u32 seq;
	int cpu;

	for (cpu = 0; cpu < nr_cpu_ids; cpu++) {
		c = &reader->cursors[cpu];
		/* The head, then the records. */
		seq = smp_load_acquire(&bhlab_head(ring, cpu)->seq);
		if (seq - c->next > ring->records)
			c->next = seq - ring->records;
	}
}

static ssize_t bhlab_ring_copy_out(struct bhlab_ring *ring, char __user *buf,
				   size_t len)
{
	struct bhlab_cursor *c;
	size_t done = 0;

	while (len - done >= sizeof(c->event)) {
		c = bhlab_reader_oldest(ring, &ring->reader);
		if (!c)
			break;
		if (copy_to_user(buf + done, &c->event, sizeof(c->event)))
			return done ?: -EFAULT;
		c->ahead = false;
		WRITE_ONCE(ring->reader.read, ring->reader.read + 1);
		done += sizeof(c->event);
		cond_resched();
	}
	return done;
}

ssize_t bhlab_ring_read(struct bhlab_ring *ring, struct file *file,
			char __user *buf, size_t len)
{
	ssize_t ret;

	if (len < sizeof(struct bhlab_event))
		return -EINVAL;
	ret = bhlab_ring_use(ring);
	if (ret)
		return ret;
	for (;;) {
		if (mutex_lock_interruptible(&ring->read_lock))
			return -ERESTARTSYS;
		ret = bhlab_ring_copy_out(ring, buf, len);
		mutex_unlock(&ring->read_lock);
		if (ret)
			return ret;
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(ring->wait, bhlab_ring_ready(ring)))
			return -ERESTARTSYS;
	}
}

__poll_t bhlab_ring_poll(struct bhlab_ring *ring, struct file *file,
			 struct poll_table_struct *wait)
{
	if (bhlab_ring_use(ring))
		return EPOLLERR;
	poll_wait(file, &ring->wait, wait);
	smp_mb(); /* pairs with the one of bhlab_lab_wake() */
	return bhlab_ring_ready(ring) ? EPOLLIN | EPOLLRDNORM : 0;
}

int bhlab_ring_mmap(struct bhlab_ring *ring, struct vm_area_struct *vma)
{
	int ret;

	if (vma->vm_flags & VM_WRITE)
		return -EPERM;
	if (!(vma->vm_flags & VM_SHARED) || vma->vm_pgoff)
		return -EINVAL;
	ret = bhlab_ring_use(ring);
	if (ret)
		return ret;
	/* Permanently: nothing in the kernel may ever depend on a user's stores. */
	vm_flags_clear(vma, VM_MAYWRITE);
	return remap_vmalloc_range(vma, ring->base, 0);
}
