// SPDX-License-Identifier: GPL-2.0-only
/*
 * BPF programs on raw tracepoints, into a ring buffer: the cheapest that can be
 * written, instruction by instruction. The records of one item's three events
 * take, with their headers, the 128 bytes that a record of the lab takes:
 *
 *	queued	8 + 32	time, work, CPU, task, pool and queue
 *	started	8 + 40	time, work, CPU, task, its name
 *	ended	8 + 32	time, work, CPU, task, function
 *
 * and nobody is woken.
 */
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"
#include "tracers.h"

#define PAGE	4096
#define RECORDS_BYTES	128

#define INSN(_code, _dst, _src, _off, _imm)				\
	((struct bpf_insn){ .code = (_code), .dst_reg = (_dst),		\
			    .src_reg = (_src), .off = (_off), .imm = (_imm) })
#define MOV(_dst, _src)		INSN(BPF_ALU64 | BPF_MOV | BPF_X, _dst, _src, 0, 0)
#define SET(_dst, _imm)		INSN(BPF_ALU64 | BPF_MOV | BPF_K, _dst, 0, 0, _imm)
#define ADD(_dst, _imm)		INSN(BPF_ALU64 | BPF_ADD | BPF_K, _dst, 0, 0, _imm)
#define LOAD(_dst, _src, _off)	INSN(BPF_LDX | BPF_MEM | BPF_DW, _dst, _src, _off, 0)
#define STORE(_dst, _off, _src)	INSN(BPF_STX | BPF_MEM | BPF_DW, _dst, _src, _off, 0)
#define STORE32(_dst, _off, _src)					\
				INSN(BPF_STX | BPF_MEM | BPF_W, _dst, _src, _off, 0)
#define CALL(_func)		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_##_func)
#define SKIP_IF_0(_reg, _off)	INSN(BPF_JMP | BPF_JEQ | BPF_K, _reg, 0, _off, 0)
#define EXIT			INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/**
 * struct bpf_event - what differs between the three
 * @size: of its record
 * @work: position of the work item among the tracepoint's arguments
 * @other: of another argument that is recorded; -1: the task's name is
 */
struct bpf_event {
	int size;
	int work;
	int other;
};

static const struct bpf_event bpf_events[EVENTS] = {
	{ .size = 32, .work = 2, .other = 1 },
	{ .size = 40, .work = 0, .other = -1 },
	{ .size = 32, .work = 0, .other = 1 },
};

static int bpf_map, bpf_programs[EVENTS], bpf_links[EVENTS];
static uint64_t *bpf_consumer;
static const uint64_t *bpf_producer;

static int bpf(int cmd, union bpf_attr *attr, const char *what)
{
	int fd = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	if (fd < 0)
		die(what);
	return fd;
}

/* What is recorded besides: 4 instructions, at most. */
static int bpf_other(struct bpf_insn *to, int other)
{
	const struct bpf_insn name[] = {
		MOV(BPF_REG_1, BPF_REG_7), ADD(BPF_REG_1, 24),
		SET(BPF_REG_2, 16), CALL(get_current_comm),
	};
	const struct bpf_insn argument[] = {
		LOAD(BPF_REG_1, BPF_REG_6, 8 * other), STORE(BPF_REG_7, 24, BPF_REG_1),
	};

	if (other < 0)
		memcpy(to, name, sizeof(name));
	else
		memcpy(to, argument, sizeof(argument));
	return other < 0 ? 4 : 2;
}

static int bpf_write(struct bpf_insn *to, const struct bpf_event *e)
{
	const struct bpf_insn begin[] = {
		MOV(BPF_REG_6, BPF_REG_1),
		INSN(BPF_LD | BPF_IMM | BPF_DW, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, bpf_map),
		INSN(0, 0, 0, 0, 0),
		SET(BPF_REG_2, e->size), SET(BPF_REG_3, 0), CALL(ringbuf_reserve),
		SKIP_IF_0(BPF_REG_0, e->other < 0 ? 16 : 14),
		MOV(BPF_REG_7, BPF_REG_0),
		CALL(ktime_get_ns), STORE(BPF_REG_7, 0, BPF_REG_0),
		LOAD(BPF_REG_1, BPF_REG_6, 8 * e->work), STORE(BPF_REG_7, 8, BPF_REG_1),
		CALL(get_smp_processor_id), STORE32(BPF_REG_7, 16, BPF_REG_0),
		CALL(get_current_pid_tgid), STORE32(BPF_REG_7, 20, BPF_REG_0),
	};
	const struct bpf_insn end[] = {
		MOV(BPF_REG_1, BPF_REG_7), SET(BPF_REG_2, BPF_RB_NO_WAKEUP),
		CALL(ringbuf_submit),
		SET(BPF_REG_0, 0), EXIT,
	};
	int nr = sizeof(begin) / sizeof(*begin);

	memcpy(to, begin, sizeof(begin));
	nr += bpf_other(to + nr, e->other);
	memcpy(to + nr, end, sizeof(end));
	return nr + sizeof(end) / sizeof(*end);
}

static int bpf_load(const struct bpf_event *e)
{
	struct bpf_insn insns[32];
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT,
		.insn_cnt = bpf_write(insns, e),
		.insns = (uintptr_t)insns,
		.license = (uintptr_t)"GPL",
	};

	return bpf(BPF_PROG_LOAD, &attr, "BPF_PROG_LOAD");
}

static int bpf_attach(int program, const char *event)
{
	union bpf_attr attr = {
		.raw_tracepoint.name = (uintptr_t)event,
		.raw_tracepoint.prog_fd = program,
	};

	return bpf(BPF_RAW_TRACEPOINT_OPEN, &attr, "BPF_RAW_TRACEPOINT_OPEN");
}

/* The consumer's position is the first page, the producer's the second. */
static void bpf_start(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_RINGBUF, .max_entries = TRACE_BYTES,
	};
	int i;

	bpf_map = bpf(BPF_MAP_CREATE, &attr, "BPF_MAP_CREATE");
	bpf_consumer = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map, 0);
	bpf_producer = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, bpf_map, PAGE);
	if (bpf_consumer == MAP_FAILED || bpf_producer == MAP_FAILED)
		die("mmap of the BPF ring");
	for (i = 0; i < EVENTS; i++) {
		bpf_programs[i] = bpf_load(&bpf_events[i]);
		bpf_links[i] = bpf_attach(bpf_programs[i], work_events[i]);
	}
}

/* By their bytes: there is no room for others in what one item's three take. */
static uint64_t bpf_taken(void)
{
	uint64_t produced = __atomic_load_n(bpf_producer, __ATOMIC_ACQUIRE);
	uint64_t taken = (produced - *bpf_consumer) * EVENTS / RECORDS_BYTES;

	__atomic_store_n(bpf_consumer, produced, __ATOMIC_RELEASE);
	return taken;
}

static void bpf_stop(void)
{
	int i;

	for (i = 0; i < EVENTS; i++) {
		close(bpf_links[i]);
		close(bpf_programs[i]);
	}
	munmap(bpf_consumer, PAGE);
	munmap((void *)bpf_producer, PAGE);
	close(bpf_map);
}

const struct tracer bpf_tracer = {
	.name = "bpf",
	.start = bpf_start,
	.taken = bpf_taken,
	.stop = bpf_stop,
};
