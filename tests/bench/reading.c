// SPDX-License-Identifier: GPL-2.0-only
/*
 * What it takes to get the records: by read(), by the mapping, by netlink.
 */
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/socket.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/bhlab_netlink.h>

#include "bench.h"

#define UNREAD	(4 * BATCH)

static struct lab lab;
static struct bhlab_event records[BATCH];
static uint32_t at_once, mapped_to;

static void fill(uint32_t items)
{
	uint32_t i;

	for (i = 0; i < items; i += BATCH)
		lab_batch(&lab);
}

static void by_read(void *data)
{
	uint32_t i;

	for (i = 0; i < UNREAD; i += at_once)
		if (read(lab.fd, records, at_once * sizeof(*records)) !=
		    (ssize_t)(at_once * sizeof(*records)))
			die("read of the lab");
}

static void take_mapped(const struct bhlab_event *e, uint32_t seq,
			struct bhlab_event *to)
{
	if (__atomic_load_n(&e->seq, __ATOMIC_ACQUIRE) != seq)
		die("a record is lost");
	memcpy(to, e, sizeof(*to));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__atomic_load_n(&e->seq, __ATOMIC_RELAXED) != seq)
		die("a record was lost");
}

static void by_mapping(void *data)
{
	const struct bhlab_event *ring =
		(const void *)(lab.ring + lab.setup.out_data_offset);
	uint32_t mask = lab.setup.records - 1, head = lab_recorded(&lab), seq;

	for (seq = mapped_to; seq != head; seq++)
		take_mapped(&ring[seq & mask], seq + 1, &records[seq % BATCH]);
	mapped_to = head;
}

void measure_reading(void)
{
	const struct load mapping = { by_mapping, NULL, UNREAD, fill };
	const struct load reading = { by_read, NULL, UNREAD, fill };
	char name[64];

	lab_open(&lab, BHLAB_MECH_WORK, BHLAB_WQ_PERCPU, BATCH);
	fill(UNREAD);
	result("read.mmap", measure(&mapping));
	lab_close(&lab);
	for (at_once = 1; at_once <= 256; at_once = at_once == 1 ? 64 : 4 * at_once) {
		lab_open(&lab, BHLAB_MECH_WORK, BHLAB_WQ_PERCPU, BATCH);
		fill(UNREAD);
		snprintf(name, sizeof(name), "read.%u", at_once);
		result(name, measure(&reading));
		lab_close(&lab);
	}
}

/*
 * Netlink. A message is sent 10 ms after its first record, by a kworker that the
 * tick wakes. Meanwhile we spin, at a priority at which all others run first: when
 * the time was away that we spun, somebody else had the CPU, from the tick to
 * the end of the receiver's recv(). What a tick takes otherwise is known.
 */
#define MESSAGES	16

static struct nl_sock *sock;
static atomic_uint received;

static void *receiver(void *data)
{
	static char message[64 * 1024];

	while (recv(nl_socket_get_fd(sock), message, sizeof(message), 0) > 0)
		received++;
	return NULL;
}

/* How long somebody else has the CPU the next time. */
static uint64_t away(void)
{
	uint64_t before = now(), after;

	while ((after = now()) - before < 300)
		before = after;
	return after - before;
}

static uint64_t usual_tick(void)
{
	uint64_t ticks[MESSAGES];
	int i;

	for (i = 0; i < MESSAGES; i++)
		ticks[i] = away();
	return median(ticks, MESSAGES);
}

static uint64_t one_message(void)
{
	uint32_t before = received;
	uint64_t took;

	lab_batch(&lab);
	do {
		took = away();
	} while (received == before);
	if (received != before + 1)
		die("more than one message");
	return took;
}

static double netlink_record(uint32_t count)
{
	uint64_t took[MESSAGES];
	int i;

	lab_open(&lab, BHLAB_MECH_WORK, BHLAB_WQ_PERCPU, count);
	for (i = 0; i < MESSAGES; i++) {
		rest(100);
		took[i] = one_message() - usual_tick();
	}
	lab_close(&lab);
	rest(100);
	return (double)median(took, MESSAGES) / count;
}

static void subscribe(void)
{
	int group;

	sock = nl_socket_alloc();
	if (!sock || genl_connect(sock))
		die("genl_connect");
	group = genl_ctrl_resolve_grp(sock, BHLAB_FAMILY_NAME, BHLAB_MCGRP_EVENTS);
	nl_socket_disable_seq_check(sock);
	if (group < 0 || nl_socket_add_membership(sock, group))
		die("the group of events");
}

void measure_netlink(void)
{
	pthread_t thread;

	subscribe();
	if (pthread_create(&thread, NULL, receiver, NULL))
		die("pthread_create");
	yield_to_all(true);
	result("netlink.1", netlink_record(1));
	result("netlink.64", netlink_record(64));
}
