/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A hostile member: a user in the group of /dev/bhlab, without capabilities, does
 * the worst that the device allows, while root measures what is left of the
 * machine.
 *
 * main.c	which attacks there are, what is asked for, TAP
 * member.c	the user: one process for each CPU, its labs and objects
 * attacks.c	what he does
 * probe.c	root, who measures meanwhile
 */
#ifndef ATTACK_H
#define ATTACK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/bhlab.h>

#define DEVICE		"/dev/bhlab"
#define MS		1000000ULL
#define SECOND		(1000 * MS)
#define MAX_CPUS	16
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

uint64_t now(void);
void nap(uint64_t ns);
void pin(unsigned int cpu);
unsigned int cpus(void);
uint64_t meminfo(const char *field);

/* --- the member --- */

/* An object that is to be started, or to be worked on. */
struct target {
	int lab;
	uint32_t id;
	uint32_t mech;
	uint32_t cpu;
};

/*
 * What all processes of a member, and root, know of each other. @refused is why the
 * last object was, which tells whether he came to a limit.
 */
struct shared {
	pid_t pids[MAX_CPUS];
	unsigned int labs;
	unsigned int prepared;
	unsigned int started;
	uint64_t objects;
	uint64_t calls;
	int refused;
	bool scarce;
};

/**
 * struct member - one process of the member
 * @cpu: on which it runs, with all its threads
 * @labs: what it got of the labs
 * @until: what is prepared after that takes too long
 * @targets: what it has made
 * @turn: for names, and for CPUs in turn
 */
struct member {
	unsigned int cpu;
	int labs[1024];
	int nr_labs;
	struct bhlab_info info;
	uint64_t until;
	struct target *targets;
	int nr_targets;
	int max_targets;
	uint32_t turn;
	struct shared *shared;
};

/**
 * struct attack - one way to be hostile
 * @name, @what: for people
 * @labs: how many labs it wants; 0: all that there are
 * @prepare: make the objects, in one process for each CPU
 * @start: set them going, in each process when all are prepared
 * @loop: called forever by each of @threads threads
 */
struct attack {
	const char *name;
	const char *what;
	unsigned int labs;
	void (*prepare)(struct member *m);
	void (*start)(struct member *m);
	void (*loop)(struct member *m, unsigned int thread);
	unsigned int threads;
};

extern const struct attack attacks[];
extern const unsigned int nr_attacks;

/* Root starts and kills them; they open at most so many labs. */
pid_t member_start(const struct attack *a, struct shared *shared, unsigned int max_labs,
		   uint64_t prepare_ns);
void member_kill(pid_t pid);

/* What the attacks are made of. All that returns int returns -errno. */
int call(int fd, unsigned long cmd, void *arg);
bool go_on(struct member *m);
int add_queue(struct member *m, int lab, uint32_t flags, uint32_t max_active);
int add_lock(struct member *m, int lab, uint32_t kind, uint32_t context);
void fill(struct member *m, struct bhlab_item_create *c, uint32_t mech);
int add(struct member *m, int lab, struct bhlab_item_create *c);
int act(int lab, uint32_t nr, struct bhlab_act *a);
int start_one(const struct target *t);
void start_all(struct member *m);
void batch_all(struct member *m, uint32_t nr, uint64_t at);
int destroy(int lab, uint32_t id);

#define STEP(_op, ...)	((struct bhlab_step){ .op = BHLAB_OP_##_op, ##__VA_ARGS__ })
#define ACT(_lab, _nr, _id, ...) ({						\
	struct bhlab_act _a = { .size = sizeof(_a), .id = (_id), ##__VA_ARGS__ };	\
	act(_lab, BHLAB_NR_##_nr, &_a);						\
})

/* --- root --- */

/**
 * struct measure - what root got of the machine in some time
 * @sleep_p50, @sleep_p99, @sleep_max: how much later than asked for sleeps of
 *	10 ms ended, in ns
 * @fork_p50, @fork_max: fork() and waitpid(), in ns
 * @lab_p50, @lab_max: a small lab of root's, from open() to close()
 * @tty_p50, @tty_max: a byte through a terminal; 0: there is none
 * @pace: turns of a loop of nice 0 for each ns that it was on its CPU
 * @left: what all processes together could have done so for each ns, in the units
 *	of pace; of the CPU where it is least
 * @part: of the time of all processes, the loop's; of the CPU where it is least
 * @host: of the quiet machine, @pace against that of the fastest moment ever: what
 *	the host leaves to it
 * @refused: fork() or the lab failed; @why
 * @available: kB of memory, the least
 * @tasks: the most tasks of the whole machine
 */
struct measure {
	uint64_t sleep_p50, sleep_p99, sleep_max;
	uint64_t fork_p50, fork_max;
	uint64_t lab_p50, lab_max;
	uint64_t tty_p50, tty_max;
	double pace, left, part, host;
	unsigned int refused;
	char why[80];
	uint64_t available;
	unsigned int tasks;
};

void probes_start(void);
void probes_measure(uint64_t ns, const struct shared *member, struct measure *m);
int small_lab(const char **what);
unsigned int tasks(void);

#endif /* ATTACK_H */
