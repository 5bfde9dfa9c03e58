// SPDX-License-Identifier: GPL-2.0-only
/* Calls as planned, and what is asked of the answers. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

/* The labs' descriptors have numbers of their own, so that nothing else ever gets these. */
#define FIRST_FD	500

struct lab all_labs[LABS];
int pass[2];
pthread_mutex_t mappings = PTHREAD_MUTEX_INITIALIZER;

int lab_fd(unsigned int lab)
{
	return FIRST_FD + lab;
}

void bad(struct worker *w, const char *format, ...)
{
	char why[sizeof(w->shared->why)];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	if (__atomic_fetch_add(&w->shared->bad, 1, __ATOMIC_SEQ_CST) == 0)
		snprintf(w->shared->why, sizeof(w->shared->why),
			 "process %u thread %u call %llu: %.300s", w->process, w->thread,
			 (unsigned long long)w->state->made, why);
}

void count(struct worker *w, enum row row, int error)
{
	uint64_t *of_row = w->shared->counts[row];

	__atomic_fetch_add(&of_row[error >= 0 && error < MAX_ERRNO ? error : MAX_ERRNO], 1,
			   __ATOMIC_RELAXED);
}

/* --- ioctls */

static void set_pointer(struct plan *p, size_t at, char *address)
{
	uint64_t value = (uintptr_t)address;

	memcpy(p->bytes + at, &value, sizeof(value));
}

/* What the structure points to; where it was spoiled it stays so. */
static void point(struct worker *w)
{
	struct plan *p = &w->plan;
	char *at = NULL;

	if (p->row == ROW_ITEM_CREATE) {
		struct bhlab_item_create *c = (void *)p->bytes;

		at = place(w, 1, p->array_place, &p->rng, p->steps[0], sizeof(p->steps[0]));
		if (!c->steps)
			set_pointer(p, offsetof(struct bhlab_item_create, steps), at);
		if (!c->thread_steps && c->nr_thread_steps)
			c->thread_steps = (uintptr_t)p->steps[1];
	} else if (p->row == ROW_ITEM_PROGRAM) {
		at = place(w, 1, p->array_place, &p->rng, p->steps, sizeof(p->steps[0]));
		if (!((struct bhlab_item_program *)p->bytes)->steps)
			set_pointer(p, offsetof(struct bhlab_item_program, steps), at);
	} else if (p->row == ROW_BATCH) {
		at = place(w, 1, p->array_place, &p->rng, p->entries, sizeof(p->entries));
		if (!((struct bhlab_batch *)p->bytes)->entries)
			set_pointer(p, offsetof(struct bhlab_batch, entries), at);
	}
}

static void resolve(struct plan *p)
{
	for (unsigned int i = 0; i < p->nr_patches; i++) {
		const struct patch *patch = &p->patches[i];

		*patch->field = __atomic_load_n(&all_labs[p->lab].ids[patch->kind][patch->slot],
						__ATOMIC_RELAXED);
	}
}

static void learn_id(struct plan *p, const char *answer)
{
	size_t at = p->row == ROW_ITEM_CREATE ? offsetof(struct bhlab_item_create, out_id) :
		    p->row == ROW_QUEUE_CREATE ? offsetof(struct bhlab_queue_create, out_id) :
		    p->row == ROW_LOCK_CREATE ? offsetof(struct bhlab_lock_create, out_id) :
						offsetof(struct bhlab_fifo_create, out_id);
	uint32_t id;

	memcpy(&id, answer + at, sizeof(id));
	__atomic_store_n(&all_labs[p->lab].ids[p->creates][p->slot], id, __ATOMIC_RELAXED);
}

static void look_at_state(struct worker *w, const char *answer)
{
	struct bhlab_item_state st;

	memcpy(&st, answer, sizeof(st));
	if (st.out_accepted != st.out_runs + st.out_cancelled + st.out_merged +
			       st.out_outstanding)
		bad(w, "accepted %llu runs %llu cancelled %llu merged %llu outstanding %llu",
		    (unsigned long long)st.out_accepted, (unsigned long long)st.out_runs,
		    (unsigned long long)st.out_cancelled, (unsigned long long)st.out_merged,
		    (unsigned long long)st.out_outstanding);
}

static void look_at_entries(struct worker *w, const char *answer)
{
	struct bhlab_batch batch;
	const struct bhlab_batch_entry *e;

	memcpy(&batch, answer, sizeof(batch));
	e = (void *)(uintptr_t)batch.entries;
	if (!placed(w, 1, w->plan.array_place, (char *)e) || batch.count > MAX_ENTRIES)
		return;
	if (batch.out_done > batch.count || batch.out_failed > batch.out_done)
		bad(w, "a batch of %u has done %u, failed %u", batch.count, batch.out_done,
		    batch.out_failed);
	for (uint32_t i = 0; i < batch.out_done && i < batch.count; i++) {
		struct bhlab_batch_entry entry;

		memcpy(&entry, &e[i], sizeof(entry));
		count(w, ROW_ENTRY, entry.out_errno);
	}
}

/* The structure is written back as far as the caller knows it, and the rest is zero. */
static void look_at_success(struct worker *w, const char *answer)
{
	struct plan *p = &w->plan;
	uint32_t size, known = ioctl_size(p->row);

	memcpy(&size, answer, sizeof(size));
	if (memcmp(&size, p->bytes, sizeof(size)))
		bad(w, "%s writes the size %u", row_names[p->row], size);
	for (uint32_t i = known; i < size && i < p->len; i++)
		if (answer[i])
			bad(w, "%s: byte %u is not zero", row_names[p->row], i);
	if (p->creates < NR_KINDS)
		learn_id(p, answer);
	if (p->row == ROW_ITEM_STATE)
		look_at_state(w, answer);
	if (p->row == ROW_BATCH)
		look_at_entries(w, answer);
}

/* What is refused writes nothing but, of these two, why or what is left. */
static void look_at_refusal(struct worker *w, const char *answer, int error)
{
	struct plan *p = &w->plan;

	if (p->row == ROW_ITEM_CREATE || p->row == ROW_WAIT)
		return;
	if (memcmp(answer, p->bytes, p->len))
		bad(w, "%s is refused (%s), and has written", row_names[p->row],
		    error_name(error));
}

static int do_ioctl(struct worker *w, int fd)
{
	struct plan *p = &w->plan;
	const char *answer;
	char *address;
	int error;

	resolve(p);
	point(w);
	address = place(w, 0, p->place, &p->rng, p->bytes, p->len);
	error = ioctl(fd, ioctl_number(p->row), address) < 0 ? errno : 0;
	answer = placed(w, 0, p->place, address);
	if (answer && !error)
		look_at_success(w, answer);
	else if (answer)
		look_at_refusal(w, answer, error);
	places_reset(w);
	return error;
}

static int do_bogus(struct worker *w, int fd)
{
	struct rng *r = &w->plan.rng;
	unsigned long number = _IOC(below(r, 4), BHLAB_IOC_MAGIC, below(r, 256), below(r, 256));

	for (unsigned int i = 0; i < NR_IOCTLS; i++)
		if (ioctl_number(i) == number)
			return 0;
	return ioctl(fd, number, w->areas[0].rw) < 0 ? errno : 0;
}

/* --- files */

static void look_at_events(struct worker *w, const char *from, ssize_t len)
{
	struct bhlab_event e;

	if (len % sizeof(e))
		bad(w, "read() returns %zd", len);
	for (; len >= (ssize_t)sizeof(e); from += sizeof(e), len -= sizeof(e)) {
		memcpy(&e, from, sizeof(e));
		if (e.kind < BHLAB_EVENT_RUN || e.kind > BHLAB_EVENT_DROPPED || e.zero ||
		    e.mech < BHLAB_MECH_WORK || e.mech > BHLAB_MECH_RCU_WORK ||
		    e.stage > BHLAB_STAGE_THREAD || !e.item ||
		    e.queued_ns > e.started_ns || e.started_ns > e.finished_ns)
			bad(w, "a record of kind %u: queued %llu started %llu finished %llu",
			    e.kind, (unsigned long long)e.queued_ns,
			    (unsigned long long)e.started_ns, (unsigned long long)e.finished_ns);
	}
}

static int do_read(struct worker *w, int fd)
{
	static const uint32_t lens[] = { 0, 1, 127, 128, 129, 256, 1024, 4096 };
	static __thread char buf[PAGE];
	struct plan *p = &w->plan;
	enum place where = one_in(&p->rng, 2) ? PLACE_PLAIN : (enum place)below(&p->rng, NR_PLACES);
	uint32_t len = PICK(&p->rng, lens);
	char *address = place(w, 0, where, &p->rng, buf, len);
	ssize_t ret;

	/* behind an area there is a page that nobody may write */
	if (where == PLACE_PLAIN && one_in(&p->rng, 16))
		len = 1U << 31;
	ret = read(fd, address, len);
	if (ret > 0 && placed(w, 0, where, address))
		look_at_events(w, address, ret);
	places_reset(w);
	return ret < 0 ? errno : 0;
}

static int do_poll(struct worker *w, int fd)
{
	struct pollfd fds = { .fd = fd, .events = POLLIN | POLLPRI | POLLOUT };

	return poll(&fds, 1, below(&w->plan.rng, 5)) < 0 ? errno : 0;
}

static int open_lab(unsigned int lab, int flags)
{
	int fd = open(DEVICE, flags | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return errno;
	if (dup3(fd, lab_fd(lab), O_CLOEXEC) < 0)
		ret = errno;
	close(fd);
	return ret;
}

void labs_open(void)
{
	for (unsigned int i = 0; i < LABS; i++)
		open_lab(i, O_RDWR | (i % 2 ? O_NONBLOCK : 0));
}

/* The lab that was there ends here, if this is the last that has it. */
static int do_open(struct worker *w)
{
	struct rng *r = &w->plan.rng;

	return open_lab(w->plan.lab, (one_in(r, 8) ? below(r, 3) : O_RDWR) |
				     (one_in(r, 3) ? 0 : O_NONBLOCK));
}

/* What is mapped there again when a mapping of the ring has ended. */
static void reserve(unsigned int lab)
{
	mmap(ring_at(lab), MAP_MAX, PROT_NONE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

static int map_ring(struct worker *w, int fd)
{
	static const uint64_t offsets[] = { 0, 0, 0, 0, PAGE, 1ULL << 40, 8 * PAGE };
	static const int prots[] = {
		PROT_READ, PROT_READ, PROT_READ, PROT_READ | PROT_WRITE, PROT_WRITE, PROT_NONE,
		PROT_READ | PROT_EXEC,
	};
	struct rng *r = &w->plan.rng;
	uint32_t pages = one_in(r, 2) ? 1 + below(r, 40) : 1 + below(r, MAP_MAX / PAGE);
	int flags = one_in(r, 8) ? MAP_PRIVATE : MAP_SHARED;
	void *at;

	if (one_in(r, 4)) {
		reserve(w->plan.lab);
		return 0;
	}
	at = mmap(ring_at(w->plan.lab), pages * PAGE, PICK(r, prots),
		  flags | MAP_FIXED | (one_in(r, 4) ? MAP_POPULATE : 0), fd, PICK(r, offsets));
	if (at == MAP_FAILED) {
		int error = errno;

		/* what was there is gone all the same */
		reserve(w->plan.lab);
		return error;
	}
	/* what cannot be written now never can */
	if (!mprotect(at, PAGE, PROT_READ | PROT_WRITE))
		bad(w, "mprotect() makes the ring writable");
	return 0;
}

static int do_mmap(struct worker *w, int fd)
{
	int ret;

	pthread_mutex_lock(&mappings);
	ret = map_ring(w, fd);
	pthread_mutex_unlock(&mappings);
	return ret;
}

static __thread sigjmp_buf gone;
static __thread volatile sig_atomic_t looks;

/* Another thread has unmapped what this one looks at. */
void on_fault(int sig)
{
	if (!looks) {
		signal(sig, SIG_DFL);
		return;
	}
	siglongjmp(gone, 1);
}

static int do_touch(struct worker *w)
{
	const volatile uint32_t *at = (void *)ring_at(w->plan.lab);
	int ret = 0;

	looks = 1;
	if (!sigsetjmp(gone, 1)) {
		for (unsigned int i = 0; i < 32; i++)
			(void)at[below(&w->plan.rng, 40 * PAGE / sizeof(*at))];
	} else {
		ret = EFAULT;
	}
	looks = 0;
	return ret;
}

static int do_dup(struct worker *w, int fd)
{
	return dup3(fd, lab_fd(below(&w->plan.rng, LABS)), O_CLOEXEC) < 0 ? errno : 0;
}

/* --- other processes */

static void on_alarm(int sig)
{
}

/* A child with the same labs, which others may close, and whose calls a signal ends. */
static int do_fork(struct worker *w)
{
	const struct itimerval often = { { 0, 10000 }, { 0, 10000 } };
	struct sigaction sa = { .sa_handler = on_alarm };
	unsigned int calls = below(&w->plan.rng, 4);
	uint64_t n = rng_next(&w->plan.rng);
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return errno;
	if (pid) {
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
			bad(w, "a child ends by signal %d", WTERMSIG(status));
		return 0;
	}
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	w->slow = NULL; /* nobody would answer its faults */
	for (unsigned int i = 0; i < calls; i++) {
		plan_call(&w->plan, &w->planner, n + i);
		if (w->plan.row < NR_IOCTLS)
			do_ioctl(w, lab_fd(w->plan.lab));
	}
	_exit(0);
}

/* Labs go to other processes, of other users, and come from them. */
static int do_pass(struct worker *w, int fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {};
	char byte = 'x';
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int end = pass[below(&w->plan.rng, 2)];

	if (one_in(&w->plan.rng, 2)) {
		control.header = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		};
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
		return sendmsg(end, &msg, MSG_DONTWAIT) < 0 ? errno : 0;
	}
	if (recvmsg(end, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return errno;
	if (control.header.cmsg_type != SCM_RIGHTS ||
	    control.header.cmsg_len != CMSG_LEN(sizeof(int)))
		return 0;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	dup3(fd, lab_fd(w->plan.lab), O_CLOEXEC);
	close(fd);
	return 0;
}

static int do_other(struct worker *w, int fd)
{
	struct rng *r = &w->plan.rng;
	struct iovec iov[2] = {
		{ .iov_base = w->areas[0].rw, .iov_len = 128 },
		{ .iov_base = w->areas[1].rw, .iov_len = below(r, 256) },
	};
	ssize_t ret = 0;

	switch (below(r, 8)) {
	case 0:
		ret = write(fd, w->areas[0].rw, 16);
		break;
	case 1:
		ret = pread(fd, w->areas[0].rw, 256, 0);
		break;
	case 2:
		ret = fcntl(fd, F_SETFL, below(r, 2) * O_NONBLOCK | below(r, 2) * O_ASYNC);
		break;
	case 3:
		ret = readv(fd, iov, 2);
		break;
	case 4:
		ret = lseek(fd, below(r, 100), SEEK_SET);
		break;
	case 5:
		ret = fsync(fd);
		break;
	case 6:
		ret = fcntl(fd, F_SETOWN, getpid());
		break;
	default:
		ret = sched_yield();
	}
	return ret < 0 ? errno : 0;
}

static int call_row(struct worker *w)
{
	struct plan *p = &w->plan;
	int fd = lab_fd(p->lab);

	switch (p->row) {
	case ROW_BOGUS:
		return do_bogus(w, fd);
	case ROW_OPEN:
		return do_open(w);
	case ROW_READ:
		return do_read(w, fd);
	case ROW_POLL:
		return do_poll(w, fd);
	case ROW_MMAP:
		return do_mmap(w, fd);
	case ROW_NETLINK: {
		int ret = netlink_any(&p->rng);

		return ret < 0 ? -ret : 0;
	}
	case ROW_TOUCH:
		return do_touch(w);
	case ROW_CLOSE:
		return close(fd) ? errno : 0;
	case ROW_DUP:
		return do_dup(w, fd);
	case ROW_FORK:
		return do_fork(w);
	case ROW_PASS:
		return do_pass(w, fd);
	case ROW_PROTECT:
		return -protect_any(&p->rng);
	case ROW_URING:
		return w->shared->no_uring ? ENOSYS : -uring_any(&p->rng, fd);
	case ROW_OTHER:
		return do_other(w, fd);
	default:
		return do_ioctl(w, fd);
	}
}

void call(struct worker *w)
{
	struct thread *t = w->state;
	int error;

	plan_call(&w->plan, &w->planner, t->made);
	t->row = w->plan.row;
	__atomic_store_n(&t->begun, now(), __ATOMIC_RELEASE);
	error = call_row(w);
	__atomic_store_n(&t->begun, 0, __ATOMIC_RELEASE);
	count(w, w->plan.row, error);
	__atomic_store_n(&t->made, t->made + 1, __ATOMIC_RELEASE);
}
