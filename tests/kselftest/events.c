// SPDX-License-Identifier: GPL-2.0-only
/* The event ring: how it is set up, read, polled and mapped, and what it loses. */
#include <pthread.h>
#include <sys/time.h>

#include "bhlab_test.h"

#define RECORD	sizeof(struct bhlab_event)
/* The smallest ring: a page. */
#define SMALL	(4096 / sizeof(struct bhlab_event))
#define MANY	1024

static int set_ring(int fd, __u32 flags, __u32 records, __u32 watermark)
{
	struct bhlab_ring_setup r = {
		.size = sizeof(r),
		.flags = flags,
		.records = records,
		.watermark = watermark,
	};

	return bh_call(fd, BHLAB_IOC_RING, &r);
}

#define RECORDS(_n)	set_ring(self->fd, BHLAB_RING_RECORDS, _n, 0)
#define WATERMARK(_n)	set_ring(self->fd, BHLAB_RING_WATERMARK, 0, _n)
#define RING(_r)	ASSERT_EQ(0, bh_ring(self->fd, _r))

FIXTURE(ring) {
	int fd;
	struct bhlab_info info;
};

FIXTURE_SETUP(ring)
{
	self->fd = bh_open(O_NONBLOCK);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, bh_info(self->fd, &self->info));
}

FIXTURE_TEARDOWN(ring)
{
	bh_end(_metadata, self->fd);
}

/* --- the setup */

TEST_F(ring, geometry)
{
	struct bhlab_ring_setup r;

	for (__u32 records = SMALL; records <= MANY; records *= 2) {
		EXPECT_EQ(0, RECORDS(records));
		RING(&r);
		EXPECT_EQ(records, r.records);
		EXPECT_EQ(1, r.watermark);
		EXPECT_EQ(self->info.out_cpus, r.out_cpus);
		EXPECT_EQ(RECORD, r.out_record_size);
		EXPECT_LE(sizeof(struct bhlab_ring_head), r.out_data_offset);
		EXPECT_EQ(r.out_data_offset + records * RECORD, r.out_stride);
		EXPECT_EQ((__u64)r.out_cpus * r.out_stride, r.out_map_size);
		EXPECT_EQ(0, r.out_recorded);
		EXPECT_EQ(0, r.out_read);
		EXPECT_EQ(0, r.out_lost);
	}
}

TEST_F(ring, records_refused)
{
	const __u32 bad[] = { 0, 1, SMALL / 2, SMALL - 1, SMALL + 1, 3 * SMALL, 0xffffffff };
	struct bhlab_ring_setup before, after;

	RING(&before);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL, RECORDS(bad[i]));
	EXPECT_EQ(-ENOSPC, RECORDS(1U << 31));
	EXPECT_EQ(-ENOSPC, RECORDS(1U << 24));
	RING(&after);
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
}

TEST_F(ring, watermark)
{
	struct bhlab_ring_setup r;

	EXPECT_EQ(0, RECORDS(SMALL));
	EXPECT_EQ(-EINVAL, WATERMARK(0));
	EXPECT_EQ(-EINVAL, WATERMARK(SMALL + 1));
	EXPECT_EQ(-EINVAL, WATERMARK(0xffffffff));
	EXPECT_EQ(0, WATERMARK(SMALL));
	RING(&r);
	EXPECT_EQ(SMALL, r.watermark);
	/* both at once; neither when one of them is wrong */
	EXPECT_EQ(-EINVAL, set_ring(self->fd, BHLAB_RING_RECORDS | BHLAB_RING_WATERMARK,
				    2 * SMALL, 2 * SMALL + 1));
	EXPECT_EQ(-EINVAL, set_ring(self->fd, BHLAB_RING_RECORDS | BHLAB_RING_WATERMARK,
				    2 * SMALL + 1, 1));
	RING(&r);
	EXPECT_EQ(SMALL, r.records);
	EXPECT_EQ(SMALL, r.watermark);
	EXPECT_EQ(0, set_ring(self->fd, BHLAB_RING_RECORDS | BHLAB_RING_WATERMARK,
			      2 * SMALL, 2 * SMALL));
	/* it can be changed while the ring is in use */
	EXPECT_EQ(1, bh_add(self->fd, BHLAB_MECH_WORK, "item"));
	EXPECT_EQ(0, WATERMARK(3));
	RING(&r);
	EXPECT_EQ(3, r.watermark);
}

/* Its size is fixed by the first use, whatever that is. */
TEST_F(ring, in_use_by_item)
{
	EXPECT_EQ(1, bh_add(self->fd, BHLAB_MECH_WORK, "item"));
	EXPECT_EQ(-EBUSY, RECORDS(SMALL));
	EXPECT_EQ(-EINVAL, RECORDS(SMALL + 1));
	EXPECT_EQ(-ENOSPC, RECORDS(1U << 31));
	EXPECT_EQ(0, bh_destroy(self->fd, 1));
	EXPECT_EQ(-EBUSY, RECORDS(SMALL));
}

TEST_F(ring, in_use_by_read)
{
	struct bhlab_event e;

	EXPECT_EQ(-EAGAIN, bh_read(self->fd, &e, 1));
	EXPECT_EQ(-EBUSY, RECORDS(SMALL));
}

TEST_F(ring, in_use_by_poll)
{
	struct pollfd p = { .fd = self->fd, .events = POLLIN };

	EXPECT_EQ(0, poll(&p, 1, 0));
	EXPECT_EQ(-EBUSY, RECORDS(SMALL));
}

TEST_F(ring, in_use_by_map)
{
	EXPECT_TRUE(mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->fd, 0) != MAP_FAILED);
	EXPECT_EQ(-EBUSY, RECORDS(SMALL));
}

/* --- the file */

TEST_F(ring, not_a_file_to_write)
{
	char byte = 0;

	EXPECT_EQ(-1, write(self->fd, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, lseek(self->fd, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, pread(self->fd, &byte, 1, 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, pwrite(self->fd, &byte, 1, 0));
	EXPECT_EQ(ESPIPE, errno);
}

TEST_F(ring, opened_for_writing_only)
{
	int fd = open(BH_DEVICE, O_WRONLY);
	struct bhlab_event e;

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBADF, bh_read(fd, &e, 1));
	EXPECT_TRUE(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED);
	EXPECT_EQ(EACCES, errno);
	close(fd);
}

/* --- read() */

/* So many records, one for each run, on one CPU. */
static void record(int fd, int id, int n)
{
	while (n--) {
		bh_act(fd, QUEUE, id, .flags = BHLAB_ACT_CPU);
		bh_wait_for(fd, id, IDLE);
	}
}

TEST_F(ring, read_length)
{
	char buf[5 * RECORD];
	int id = bh_add(self->fd, BHLAB_MECH_WORK, "item");

	EXPECT_EQ(-1, read(self->fd, buf, RECORD - 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, read(self->fd, buf, RECORD));
	EXPECT_EQ(EAGAIN, errno);
	record(self->fd, id, 5);
	EXPECT_EQ(-1, read(self->fd, buf, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, read(self->fd, buf, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, read(self->fd, buf, RECORD - 1));
	EXPECT_EQ(EINVAL, errno);
	/* whole records only, as many as there are */
	EXPECT_EQ(RECORD, read(self->fd, buf, RECORD));
	EXPECT_EQ(RECORD, read(self->fd, buf, 2 * RECORD - 1));
	EXPECT_EQ(2 * RECORD, read(self->fd, buf, 3 * RECORD - 1));
	EXPECT_EQ(RECORD, read(self->fd, buf, sizeof(buf)));
	EXPECT_EQ(-1, read(self->fd, buf, sizeof(buf)));
	EXPECT_EQ(EAGAIN, errno);
}

/* What could not be given is not lost. */
TEST_F(ring, read_bad_pointer)
{
	char *mem = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct bhlab_event *edge = (struct bhlab_event *)(mem + 4096) - 1;
	int id = bh_add(self->fd, BHLAB_MECH_WORK, "item");
	struct bhlab_ring_setup r;

	ASSERT_TRUE(mem != MAP_FAILED);
	mprotect(mem + 4096, 4096, PROT_NONE);
	record(self->fd, id, 3);
	EXPECT_EQ(-EFAULT, bh_read(self->fd, edge + 1, 3));
	EXPECT_EQ(1, bh_read(self->fd, edge, 3));
	EXPECT_EQ(1, edge->nth);
	EXPECT_EQ(1, bh_read(self->fd, edge, 1));
	EXPECT_EQ(2, edge->nth);
	EXPECT_EQ(1, bh_read(self->fd, edge, 1));
	EXPECT_EQ(3, edge->nth);
	RING(&r);
	EXPECT_EQ(3, r.out_recorded);
	EXPECT_EQ(3, r.out_read);
	EXPECT_EQ(0, r.out_lost);
}

TEST_F(ring, read_interrupted)
{
	int fd = bh_open(0), id;
	struct bhlab_event e;

	ASSERT_LE(0, fd);
	id = bh_add(fd, BHLAB_MECH_TIMER, "item");
	start_alarm(0);
	EXPECT_EQ(-EINTR, bh_read(fd, &e, 1));
	/* the handler wants the call to go on, and it does until there is a record */
	start_alarm(SA_RESTART);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(fd, DELAY, id, .ns = 200 * BH_MS));
	EXPECT_EQ(1, bh_read(fd, &e, 1));
	EXPECT_EQ(BHLAB_EVENT_RUN, e.kind);
	stop_alarm();
	close(fd);
}

TEST_F(ring, read_blocks)
{
	int fd = bh_open(0), id;
	struct bhlab_event e[2];

	ASSERT_LE(0, fd);
	id = bh_add(fd, BHLAB_MECH_WORK, "item");
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(fd, DELAY, id, .ns = 20 * BH_MS));
	EXPECT_EQ(1, bh_read(fd, e, 2));
	EXPECT_EQ(BHLAB_EVENT_RUN, e[0].kind);
	EXPECT_EQ(id, e[0].item);
	close(fd);
}

/* It sleeps until the watermark is there, when nothing is at first. */
TEST_F(ring, read_waits_for_watermark)
{
	int fd = bh_open(0), id;
	struct bhlab_event e[8];

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, set_ring(fd, BHLAB_RING_WATERMARK, 0, 5));
	id = bh_add(fd, BHLAB_MECH_WORK, "item", BH_SLEEP(BH_MS), BH_STEP(REQUEUE, .arg = 4));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(fd, DELAY, id, .ns = 20 * BH_MS));
	EXPECT_EQ(5, bh_read(fd, e, 8));
	close(fd);
}

TEST_F(ring, records_tell)
{
	struct bhlab_item_create c;
	struct bhlab_event e;
	__u64 before, after;

	bh_fill(&c, BHLAB_MECH_WORK, "item");
	c.cookie = 0xfedcba9876543210;
	strcpy(c.data, "payload");
	ASSERT_EQ(1, bh_create(self->fd, &c));
	before = bh_now();
	record(self->fd, 1, 1);
	after = bh_now();
	ASSERT_EQ(1, bh_read(self->fd, &e, 1));
	EXPECT_EQ(1, e.seq);
	EXPECT_EQ(BHLAB_EVENT_RUN, e.kind);
	EXPECT_EQ(BHLAB_MECH_WORK, e.mech);
	EXPECT_EQ(BHLAB_STAGE_MAIN, e.stage);
	EXPECT_EQ(0, e.zero);
	EXPECT_EQ(1, e.item);
	EXPECT_EQ(self->info.out_lab, e.lab);
	EXPECT_EQ(c.cookie, e.cookie);
	EXPECT_LE(before, e.queued_ns);
	EXPECT_LE(e.queued_ns, e.started_ns);
	EXPECT_LE(e.started_ns, e.finished_ns);
	EXPECT_LE(e.finished_ns, after);
	EXPECT_EQ(0, e.value);
	EXPECT_LT(0, e.pid);
	EXPECT_EQ(1, e.nth);
	EXPECT_EQ(0, e.cpu);
	EXPECT_EQ(0, e.ring_cpu);
	EXPECT_EQ(BHLAB_CTX_TASK, e.context & (BHLAB_CTX_TASK | BHLAB_CTX_SOFTIRQ |
					       BHLAB_CTX_HARDIRQ));
	EXPECT_EQ(0, e.context & BHLAB_CTX_IRQ_OFF);
	EXPECT_EQ(0, e.skipped);
	EXPECT_EQ(0, e.flags);
	EXPECT_EQ(0, strncmp(e.comm, "kworker/0:", 10));
	EXPECT_EQ(0, memcmp(c.data, e.data, sizeof(e.data)));
}

TEST_F(ring, kinds)
{
	const __u32 expected[] = {
		BHLAB_EVENT_QUEUED, BHLAB_EVENT_COALESCED, BHLAB_EVENT_CANCELLED,
		BHLAB_EVENT_DISABLED, BHLAB_EVENT_DISABLED, BHLAB_EVENT_ENABLED,
		BHLAB_EVENT_ENABLED, BHLAB_EVENT_QUEUED, BHLAB_EVENT_EXPIRED,
		BHLAB_EVENT_MARK, BHLAB_EVENT_RUN,
	};
	const __u64 values[] = { 0, 0, 0, 1, 2, 1, 0, 0, 0, 42, 0 };
	const struct bhlab_step steps[] = { BH_MARK(42) };
	struct bhlab_event e[16];
	struct bhlab_item_create c;

	bh_fill(&c, BHLAB_MECH_TASKLET, "item");
	bh_steps(&c, steps, 1);
	c.flags = BHLAB_ITEM_QUEUED;
	ASSERT_EQ(1, bh_create(self->fd, &c));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(self->fd, DELAY, 1, .ns = BH_NEVER));
	EXPECT_EQ(BHLAB_RESULT_ALREADY_PENDING, bh_act(self->fd, QUEUE, 1));
	EXPECT_EQ(BHLAB_RESULT_WAS_PENDING, bh_act(self->fd, CANCEL, 1));
	EXPECT_EQ(BHLAB_RESULT_IDLE, bh_act(self->fd, DISABLE, 1));
	EXPECT_EQ(BHLAB_RESULT_IDLE, bh_act(self->fd, DISABLE, 1));
	EXPECT_EQ(BHLAB_RESULT_IDLE, bh_act(self->fd, ENABLE, 1));
	EXPECT_EQ(BHLAB_RESULT_IDLE, bh_act(self->fd, ENABLE, 1));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(self->fd, DELAY, 1, .ns = 1));
	EXPECT_EQ(0, bh_wait_runs(self->fd, 1, 1));

	ASSERT_EQ(ARRAY_SIZE(expected), bh_read(self->fd, e, ARRAY_SIZE(e)));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		EXPECT_EQ(expected[i], e[i].kind) {
			TH_LOG("record %zu", i);
		}
		EXPECT_EQ(values[i], e[i].value);
		EXPECT_EQ(1, e[i].item);
		EXPECT_LE(e[i].queued_ns, e[i].started_ns);
		EXPECT_LE(e[i].started_ns, e[i].finished_ns);
	}
	/* the cancelled one's time is that of its queueing */
	EXPECT_EQ(e[0].queued_ns, e[2].queued_ns);
}

/* Without gaps on each CPU, sorted by time, and each in order. */
TEST_F(ring, sequence)
{
	struct bhlab_event e[512];
	__u32 next[1024] = {};
	int id[3], n;

	id[0] = bh_add(self->fd, BHLAB_MECH_WORK, "w", BH_STEP(REQUEUE, .arg = 60));
	id[1] = bh_add(self->fd, BHLAB_MECH_TASKLET, "t", BH_STEP(REQUEUE, .arg = 60));
	id[2] = bh_add(self->fd, BHLAB_MECH_WORK, "u", BH_STEP(REQUEUE, .arg = 60));
	ASSERT_EQ(3, id[2]);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(self->fd, QUEUE, id[i],
						      .flags = BHLAB_ACT_CPU,
						      .cpu = bh_has_cpu1() ? i / 2 : 0));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0, bh_wait_runs(self->fd, id[i], 61));

	n = bh_read(self->fd, e, ARRAY_SIZE(e));
	ASSERT_EQ(3 * 61, n);
	for (int i = 0; i < n; i++) {
		ASSERT_GT(self->info.out_cpus, e[i].ring_cpu);
		EXPECT_EQ(++next[e[i].ring_cpu], e[i].seq);
		EXPECT_LE(e[i].queued_ns, e[i].started_ns);
		EXPECT_LE(e[i].started_ns, e[i].finished_ns);
		if (i) {
			EXPECT_LE(e[i - 1].finished_ns, e[i].finished_ns);
		}
	}
}

/* Every record is read, or lost, or not read yet. */
TEST_F(ring, overrun)
{
	struct bhlab_event e[SMALL];
	struct bhlab_ring_setup r;
	__u32 seq = 0, read = 0;
	int id, n;

	ASSERT_EQ(0, RECORDS(SMALL));
	id = bh_add(self->fd, BHLAB_MECH_WORK, "item");
	record(self->fd, id, 10);
	EXPECT_EQ(4, bh_read(self->fd, e, 4));
	EXPECT_EQ(4, e[3].seq);
	RING(&r);
	EXPECT_EQ(10, r.out_recorded);
	EXPECT_EQ(4, r.out_read);
	EXPECT_EQ(0, r.out_lost);

	record(self->fd, id, 90);
	for (seq = 4; (n = bh_read(self->fd, e, 5)) > 0; read += n)
		for (int i = 0; i < n; i++) {
			EXPECT_LT(seq, e[i].seq);
			seq = e[i].seq;
			EXPECT_EQ(seq, e[i].nth);
		}
	EXPECT_EQ(-EAGAIN, n);
	EXPECT_EQ(100, seq);
	/* the newest, and one that had been taken aside for sorting */
	EXPECT_LE(SMALL, read);
	EXPECT_GE(SMALL + 1, read);
	RING(&r);
	EXPECT_EQ(100, r.out_recorded);
	EXPECT_EQ(4 + read, r.out_read);
	EXPECT_EQ(100 - 4 - read, r.out_lost);
}

/* --- several readers */

struct reader {
	pthread_t thread;
	int fd;
	__u32 wanted;
	__u32 *total;
	__u32 *seen;
	__u32 twice;
};

#define SEEN(_seen, _e)	(&(_seen)[(_e)->ring_cpu * MANY + ((_e)->seq & (MANY - 1))])

static void *reader(void *arg)
{
	struct pollfd p = { .events = POLLIN };
	struct bhlab_event e[7];
	struct reader *r = arg;
	int n;

	p.fd = r->fd;
	while (__atomic_load_n(r->total, __ATOMIC_RELAXED) < r->wanted) {
		poll(&p, 1, 10);
		n = bh_read(r->fd, e, ARRAY_SIZE(e));
		if (n < 0)
			continue;
		for (int i = 0; i < n; i++)
			if (__atomic_fetch_add(SEEN(r->seen, &e[i]), 1, __ATOMIC_RELAXED))
				r->twice++;
		__atomic_fetch_add(r->total, n, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* One cursor: every record goes to exactly one of them. */
TEST_F(ring, readers_get_disjoint_records)
{
	const __u32 wanted = 2 * 200;
	struct reader readers[3];
	struct bhlab_ring_setup r;
	__u32 total = 0;
	__u32 *seen;
	int id[2];

	ASSERT_EQ(0, RECORDS(MANY));
	seen = calloc(self->info.out_cpus * MANY, sizeof(*seen));
	ASSERT_NE(NULL, seen);
	id[0] = bh_add(self->fd, BHLAB_MECH_WORK, "w", BH_STEP(REQUEUE, .arg = 199));
	/* In process context, which no budget ends before all have run. */
	id[1] = bh_add(self->fd, BHLAB_MECH_KTHREAD_WORK, "k", BH_STEP(REQUEUE, .arg = 199));
	for (int i = 0; i < 3; i++) {
		readers[i] = (struct reader){
			.fd = self->fd, .wanted = wanted, .total = &total, .seen = seen,
		};
		ASSERT_EQ(0, pthread_create(&readers[i].thread, NULL, reader, &readers[i]));
	}
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(self->fd, QUEUE, id[i]));
	for (int i = 0; i < 3; i++) {
		pthread_join(readers[i].thread, NULL);
		EXPECT_EQ(0, readers[i].twice);
	}
	EXPECT_EQ(wanted, total);
	RING(&r);
	EXPECT_EQ(wanted, r.out_recorded);
	EXPECT_EQ(wanted, r.out_read);
	EXPECT_EQ(0, r.out_lost);
}

/* --- poll() */

#define POLL(_timeout) ({							\
	struct pollfd _p = { .fd = self->fd, .events = POLLIN | POLLOUT };	\
	int _ret = poll(&_p, 1, _timeout);					\
										\
	_ret == 1 ? _p.revents : _ret;						\
})

TEST_F(ring, poll)
{
	struct bhlab_event e[4];
	int id = bh_add(self->fd, BHLAB_MECH_WORK, "item");

	EXPECT_EQ(0, POLL(0));
	record(self->fd, id, 1);
	EXPECT_EQ(POLLIN, POLL(0));
	EXPECT_EQ(1, bh_read(self->fd, e, 4));
	EXPECT_EQ(0, POLL(0));
	/* it wakes up */
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(self->fd, DELAY, id, .ns = 20 * BH_MS));
	EXPECT_EQ(POLLIN, POLL(10000));
	EXPECT_EQ(1, bh_read(self->fd, e, 4));
}

TEST_F(ring, poll_watermark)
{
	struct bhlab_event e[4];
	int id = bh_add(self->fd, BHLAB_MECH_WORK, "item");

	ASSERT_EQ(0, WATERMARK(4));
	record(self->fd, id, 3);
	EXPECT_EQ(0, POLL(0));
	record(self->fd, id, 1);
	EXPECT_EQ(POLLIN, POLL(0));
	/* below it, what is there can be read all the same */
	EXPECT_EQ(1, bh_read(self->fd, e, 1));
	EXPECT_EQ(0, POLL(0));
	EXPECT_EQ(3, bh_read(self->fd, e, 4));

	record(self->fd, id, 3);
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(self->fd, DELAY, id, .ns = 20 * BH_MS));
	EXPECT_EQ(POLLIN, POLL(10000));
	EXPECT_EQ(4, bh_read(self->fd, e, 4));
}

/* --- mmap() */

#define MAP(_len, _prot, _flags, _offset) ({					\
	void *_p = mmap(NULL, _len, _prot, _flags, self->fd, _offset);		\
										\
	_p == MAP_FAILED ? -errno : (munmap(_p, _len), 0);			\
})

TEST_F(ring, map)
{
	struct bhlab_ring_setup r;
	char *p;

	ASSERT_EQ(0, RECORDS(SMALL));
	RING(&r);
	EXPECT_EQ(0, MAP(r.out_map_size, PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(0, MAP(4096, PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(-EPERM, MAP(r.out_map_size, PROT_READ | PROT_WRITE, MAP_SHARED, 0));
	EXPECT_EQ(-EPERM, MAP(r.out_map_size, PROT_WRITE, MAP_SHARED, 0));
	EXPECT_EQ(-EPERM, MAP(r.out_map_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0));
	EXPECT_EQ(-EINVAL, MAP(r.out_map_size, PROT_READ, MAP_PRIVATE, 0));
	EXPECT_EQ(-EINVAL, MAP(4096, PROT_READ, MAP_SHARED, 4096));
	EXPECT_EQ(-EINVAL, MAP(4096, PROT_READ, MAP_SHARED, r.out_stride));
	EXPECT_EQ(-EINVAL, MAP(r.out_map_size + 4096, PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(-EINVAL, MAP(64 << 20, PROT_READ, MAP_SHARED, 0));

	p = mmap(NULL, r.out_map_size, PROT_READ, MAP_SHARED, self->fd, 0);
	ASSERT_TRUE(p != MAP_FAILED);
	EXPECT_EQ(-1, mprotect(p, r.out_map_size, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, mprotect(p, 4096, PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	for (__u32 cpu = 0; cpu < r.out_cpus; cpu++) {
		struct bhlab_ring_head *head = (void *)(p + cpu * r.out_stride);

		EXPECT_EQ(cpu, head->cpu);
		EXPECT_EQ(0, head->seq);
	}
}

/* A mapping as its readers use it. */
struct map {
	const char *base;
	struct bhlab_ring_setup r;
};

static bool map_ring(int fd, struct map *m)
{
	if (bh_ring(fd, &m->r))
		return false;
	m->base = mmap(NULL, m->r.out_map_size, PROT_READ, MAP_SHARED, fd, 0);
	return m->base != MAP_FAILED;
}

static __u32 map_newest(const struct map *m, __u32 cpu)
{
	const struct bhlab_ring_head *head = (const void *)(m->base + cpu * m->r.out_stride);

	return __atomic_load_n(&head->seq, __ATOMIC_ACQUIRE);
}

/* The record, as the uAPI header says; false if it is overwritten. */
static bool map_read(const struct map *m, __u32 cpu, __u32 seq, struct bhlab_event *e)
{
	const struct bhlab_event *slot = (const void *)(m->base + cpu * m->r.out_stride +
							m->r.out_data_offset);

	slot += (seq - 1) & (m->r.records - 1);
	if (__atomic_load_n(&slot->seq, __ATOMIC_ACQUIRE) != seq)
		return false;
	memcpy(e, slot, sizeof(*e));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&slot->seq, __ATOMIC_RELAXED) == seq;
}

/* It holds the same records as read() gives, and reading it moves nothing. */
TEST_F(ring, map_is_what_read_gives)
{
	struct bhlab_event e[64], seen;
	struct map m;
	int id, n;

	ASSERT_EQ(0, RECORDS(64));
	ASSERT_TRUE(map_ring(self->fd, &m));
	id = bh_add(self->fd, BHLAB_MECH_TASKLET, "item", BH_MARK(7));
	for (int i = 0; i < 10; i++) {
		EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(self->fd, QUEUE, id,
						      .flags = BHLAB_ACT_CPU,
						      .cpu = bh_has_cpu1() ? i % 2 : 0));
		EXPECT_EQ(0, bh_wait_runs(self->fd, id, i + 1));
		EXPECT_EQ(0, bh_wait(self->fd, 0, BHLAB_COND_RECORDED, 2 * (i + 1),
				     BH_PATIENCE));
	}
	/* twice: the mapping has no cursor */
	for (int round = 0; round < 2; round++)
		for (__u32 cpu = 0; cpu < 2; cpu++)
			for (__u32 seq = 1; seq <= map_newest(&m, cpu); seq++) {
				EXPECT_TRUE(map_read(&m, cpu, seq, &seen));
				EXPECT_EQ(cpu, seen.ring_cpu);
			}
	n = bh_read(self->fd, e, ARRAY_SIZE(e));
	EXPECT_EQ(20, n);
	for (int i = 0; i < n; i++) {
		EXPECT_TRUE(map_read(&m, e[i].ring_cpu, e[i].seq, &seen));
		EXPECT_EQ(0, memcmp(&seen, &e[i], sizeof(seen)));
	}
	/* a newer one is not there */
	EXPECT_FALSE(map_read(&m, 0, map_newest(&m, 0) + 1, &seen));
	EXPECT_FALSE(map_read(&m, 0, map_newest(&m, 0) + 64, &seen));
}

/*
 * While a handler overwrites it: what is read is whole. Of a run without end,
 * the nth run has requeued itself n - 1 times.
 */
TEST_F(ring, map_while_written)
{
	struct bhlab_event e;
	struct map m;
	__u32 cpu = bh_has_cpu1() ? 1 : 0, seq, good = 0, torn = 0;
	__u64 end;
	int id;

	ASSERT_EQ(0, RECORDS(SMALL));
	ASSERT_TRUE(map_ring(self->fd, &m));
	id = bh_add(self->fd, BHLAB_MECH_WORK, "item", BH_STEP(REQUEUE));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(self->fd, QUEUE, id, .flags = BHLAB_ACT_CPU,
					      .cpu = cpu));
	EXPECT_EQ(0, bh_wait_runs(self->fd, id, 2 * SMALL));
	for (end = bh_now() + 300 * BH_MS; bh_now() < end;) {
		seq = map_newest(&m, cpu);
		/* the newest, and one that is about to be overwritten */
		for (int i = 0; i < 2; i++, seq -= SMALL - 1) {
			if (!map_read(&m, cpu, seq, &e))
				continue;
			good++;
			torn += e.seq != seq || e.nth != e.value + 1 || e.nth != seq ||
				e.item != (__u32)id || e.queued_ns > e.started_ns ||
				e.started_ns > e.finished_ns;
		}
	}
	EXPECT_LT(0, good);
	EXPECT_EQ(0, torn);
}

/* The same of read(), which is always at the oldest record: the next to go. */
TEST_F(ring, read_while_written)
{
	struct bhlab_event e[4];
	struct bhlab_ring_setup r;
	__u32 last = 0, torn = 0;
	__u64 end, total = 0;
	int id, n;

	ASSERT_EQ(0, RECORDS(SMALL));
	id = bh_add(self->fd, BHLAB_MECH_WORK, "item", BH_STEP(REQUEUE));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(self->fd, QUEUE, id, .flags = BHLAB_ACT_CPU,
					      .cpu = bh_has_cpu1()));
	for (end = bh_now() + 500 * BH_MS; bh_now() < end;) {
		n = bh_read(self->fd, e, 4);
		for (int i = 0; i < n; i++) {
			torn += e[i].seq <= last || e[i].nth != e[i].seq ||
				e[i].nth != e[i].value + 1 || e[i].item != (__u32)id ||
				e[i].queued_ns > e[i].started_ns ||
				e[i].started_ns > e[i].finished_ns;
			last = e[i].seq;
			total++;
		}
	}
	EXPECT_EQ(0, torn);
	EXPECT_EQ(0, bh_destroy(self->fd, id));
	while ((n = bh_read(self->fd, e, 4)) > 0)
		total += n;
	RING(&r);
	EXPECT_EQ(total, r.out_read);
	EXPECT_EQ(r.out_recorded, r.out_read + r.out_lost);
}

/* --- all CPUs write, and everybody reads */

#define COOKIE(_item)	(0x0101010101010101ULL * (_item))

static int add_writer(int fd, __u32 mech, const char *name, __u64 value)
{
	const struct bhlab_step steps[] = { BH_MARK(value), BH_STEP(REQUEUE) };
	struct bhlab_item_create c;

	bh_fill(&c, mech, name);
	bh_steps(&c, steps, 2);
	c.cookie = COOKIE(value);
	memset(c.data, name[0], sizeof(c.data) - 1);
	return bh_create(fd, &c);
}

/*
 * Every field is what only this record can have beside the others. CANCELLED is
 * of an item that was pending when it was destroyed.
 */
static bool is_whole(const struct bhlab_event *e, __u32 cpu, __u32 seq)
{
	bool mark = e->kind == BHLAB_EVENT_MARK, run = e->kind == BHLAB_EVENT_RUN;
	char data[BHLAB_DATA_LEN] = { 0 };

	memset(data, e->mech == BHLAB_MECH_WORK ? 'w' : 'k', sizeof(data) - 1);
	return e->seq == seq && e->ring_cpu == cpu && !e->zero &&
	       (mark || run || e->kind == BHLAB_EVENT_CANCELLED) &&
	       e->cookie == COOKIE(mark ? e->value : e->cookie & 0xff) &&
	       (!run || e->nth == e->value + 1) &&
	       e->queued_ns <= e->started_ns && e->started_ns <= e->finished_ns &&
	       (run || e->started_ns == e->finished_ns) &&
	       !memcmp(e->data, data, sizeof(data));
}

struct follower {
	pthread_t thread;
	struct map m;
	const bool *stop;
	__u32 whole, torn, lost;
	__u32 recorded;
};

static void torn(struct follower *f, const struct bhlab_event *e)
{
	f->torn++;
	printf("# torn: seq %u cpu %u item %u kind %u mech %u nth %u value %llu cookie %llx zero %u, "
	       "queued %llu, started +%lld, finished +%lld, flags %x, data %.31s\n", e->seq,
	       e->ring_cpu, e->item, e->kind, e->mech, e->nth, e->value, e->cookie, e->zero,
	       e->queued_ns, (long long)(e->started_ns - e->queued_ns),
	       (long long)(e->finished_ns - e->started_ns), e->flags, e->data);
}

/* From where it has come to up to the newest record. */
static void follow_cpu(struct follower *f, __u32 cpu, __u32 *last)
{
	__u32 newest = map_newest(&f->m, cpu);
	struct bhlab_event e;

	if (newest - *last > SMALL) {
		f->lost += newest - *last - SMALL;
		*last = newest - SMALL;
	}
	while (*last != newest) {
		if (!map_read(&f->m, cpu, ++*last, &e))
			f->lost++;
		else if (is_whole(&e, cpu, *last))
			f->whole++;
		else
			torn(f, &e);
	}
}

static void *follower(void *arg)
{
	__u32 last[64] = { 0 }, cpus;
	struct follower *f = arg;
	bool stop;

	cpus = f->m.r.out_cpus < 64 ? f->m.r.out_cpus : 64;
	do {
		stop = __atomic_load_n(f->stop, __ATOMIC_ACQUIRE);
		for (__u32 cpu = 0; cpu < cpus; cpu++)
			follow_cpu(f, cpu, &last[cpu]);
	} while (!stop);
	for (__u32 cpu = 0; cpu < cpus; cpu++)
		f->recorded += last[cpu];
	return NULL;
}

/* What read() gives, checked, until there is nothing more. */
static int read_whole(int fd, __u32 *last, __u32 *torn)
{
	struct bhlab_event e[5];
	int n, total = 0;

	while ((n = bh_read(fd, e, ARRAY_SIZE(e))) > 0) {
		for (int i = 0; i < n; i++) {
			*torn += e[i].ring_cpu >= 64 || e[i].seq <= last[e[i].ring_cpu] ||
				 !is_whole(&e[i], e[i].ring_cpu, e[i].seq);
			last[e[i].ring_cpu & 63] = e[i].seq;
		}
		total += n;
		if (total >= MANY)
			break;
	}
	return total;
}

/*
 * The smallest rings, written by two items on each CPU as fast as they can, with
 * two readers of the mapping and one of read(): no record is torn, and for each
 * of them what was read and what was lost is what was recorded.
 */
TEST_F(ring, torn_by_nobody)
{
	const __u32 mechs[] = { BHLAB_MECH_WORK, BHLAB_MECH_KTHREAD_WORK };
	struct follower followers[2] = { 0 };
	__u32 last[64] = { 0 }, torn = 0;
	struct bhlab_ring_setup r;
	__u64 end, read = 0;
	bool stop = false;
	int ids[4], n = 0;

	ASSERT_EQ(0, RECORDS(SMALL));
	for (int i = 0; i < 4; i++) {
		char name[] = { "wk"[i % 2], '0' + i, 0 };

		ids[i] = add_writer(self->fd, mechs[i % 2], name, i + 1);
		ASSERT_LT(0, ids[i]);
	}
	for (int i = 0; i < 2; i++) {
		followers[i].stop = &stop;
		ASSERT_TRUE(map_ring(self->fd, &followers[i].m));
		ASSERT_EQ(0, pthread_create(&followers[i].thread, NULL, follower, &followers[i]));
	}
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(self->fd, QUEUE, ids[i],
						      .flags = i % 2 ? 0 : BHLAB_ACT_CPU,
						      .cpu = i == 2 && bh_has_cpu1()));
	for (end = bh_now() + 1000 * BH_MS; bh_now() < end;)
		read += read_whole(self->fd, last, &torn);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(0, bh_destroy(self->fd, ids[i]));
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	while ((n = read_whole(self->fd, last, &torn)) > 0)
		read += n;
	EXPECT_EQ(0, torn);
	RING(&r);
	EXPECT_EQ(read, r.out_read);
	EXPECT_EQ(r.out_recorded, r.out_read + r.out_lost);
	EXPECT_LT(0, r.out_lost);
	for (int i = 0; i < 2; i++) {
		pthread_join(followers[i].thread, NULL);
		EXPECT_EQ(0, followers[i].torn);
		EXPECT_LT(0, followers[i].whole);
		EXPECT_EQ(r.out_recorded, followers[i].recorded);
		EXPECT_EQ(r.out_recorded, followers[i].whole + followers[i].lost);
	}
}

/* The lab lives as long as its mapping, and goes on. */
TEST_F(ring, map_keeps_the_lab)
{
	struct map m;
	__u64 end = bh_now() + BH_PATIENCE;
	int id;

	ASSERT_TRUE(map_ring(self->fd, &m));
	id = bh_add(self->fd, BHLAB_MECH_WORK, "item");
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(self->fd, DELAY, id, .ns = 100 * BH_MS,
					      .flags = BHLAB_ACT_CPU));
	EXPECT_EQ(0, map_newest(&m, 0));
	close(self->fd);
	while (!map_newest(&m, 0) && bh_now() < end)
		bh_sleep(BH_MS);
	EXPECT_EQ(1, map_newest(&m, 0));
	EXPECT_EQ(0, munmap((void *)m.base, m.r.out_map_size));
}

/* A reader of the mapping sleeps with RECORDED, which read() does not change. */
TEST_F(ring, wait_recorded)
{
	struct bhlab_event e[8];
	int id = bh_add(self->fd, BHLAB_MECH_WORK, "item");

	record(self->fd, id, 2);
	EXPECT_EQ(2, bh_read(self->fd, e, 8));
	EXPECT_EQ(0, bh_wait(self->fd, 0, BHLAB_COND_RECORDED, 2, 0));
	EXPECT_EQ(-ETIMEDOUT, bh_wait(self->fd, 0, BHLAB_COND_RECORDED, 3, 0));
	EXPECT_EQ(BHLAB_RESULT_QUEUED, bh_act(self->fd, DELAY, id, .ns = 20 * BH_MS));
	EXPECT_EQ(0, bh_wait(self->fd, 0, BHLAB_COND_RECORDED, 3, BH_PATIENCE));
	start_alarm(0);
	EXPECT_EQ(-EINTR, bh_wait(self->fd, 0, BHLAB_COND_RECORDED, 77, BH_PATIENCE));
	/* restarted more often than it could wait from its beginning */
	start_alarm(SA_RESTART);
	EXPECT_EQ(-ETIMEDOUT, bh_wait(self->fd, 0, BHLAB_COND_RECORDED, 77, 300 * BH_MS));
	stop_alarm();
}

TEST_HARNESS_MAIN
