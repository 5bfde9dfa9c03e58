// SPDX-License-Identifier: GPL-2.0-only
/* Who issues a command: this process, bound to a CPU or not, or a child. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command/command.h"
#include "base/out.h"
#include "base/spawn.h"
#include "scenario/run.h"

void outcome_free(struct outcome *outcome)
{
	json_object_put(outcome->doc);
	*outcome = (struct outcome){ 0 };
}

/* --- in this process */

/* What it prints must not get among our own output: it goes to @fd. */
static void run_printing_to(int fd, const struct call *call, struct lab *lab, struct result *result)
{
	int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 100),
	    err = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100);

	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	call_run(call, lab, result);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(out);
	close(err);
}

/* A program that fails has told why on its standard error. */
static void explain(int fd, struct error *e)
{
	int status = e->status;
	char text[300];
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

	text[len < 0 ? 0 : len] = '\0';
	text[strcspn(text, "\n")] = '\0';
	fail(e, STATUS_REFUSED, 0, "it exits with %d%s%s", status, *text ? ": " : "", text);
}

static void run_call(const struct call *call, struct lab *lab, struct result *result,
		     int *exit_status)
{
	int fd = memfd_create("bhctl", MFD_CLOEXEC);

	if (fd < 0) {
		call_run(call, lab, result);
		return;
	}
	run_printing_to(fd, call, lab, result);
	*exit_status = result->error.status;
	if (result->error.status && !result->error.text[0])
		explain(fd, &result->error);
	close(fd);
}

static void issue_here(struct run *run, const struct action *action, struct outcome *outcome)
{
	struct result result = { 0 };
	uint64_t before = monotonic_ns();
	struct call call;

	if (!(action->any ? call_parse_any : call_parse)(&call, action->words.argc,
							 action->words.argv, &result.error))
		run_call(&call, &run->scene.lab, &result, &outcome->exit_status);
	outcome->took_ns = monotonic_ns() - before;
	outcome->error = result.error;
	outcome->doc = result.doc;
	snprintf(outcome->word, sizeof(outcome->word), "%s", result.word ? result.word : "");
	call_free(&call);
}

static void issue_on_cpu(struct run *run, const struct action *action, struct outcome *outcome)
{
	cpu_set_t old, one;

	if (action->cpu == CPU_SAME) {
		issue_here(run, action, outcome);
		return;
	}
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (action->cpu == CPU_ANY || cpu == action->cpu)
			CPU_SET(cpu, &one);
	sched_getaffinity(0, sizeof(old), &old);
	if (action->cpu >= CPU_SETSIZE || sched_setaffinity(0, sizeof(one), &one)) {
		fail(&outcome->error, STATUS_REFUSED, ENODEV, "no task can be bound to CPU %d",
		     action->cpu);
		return;
	}
	issue_here(run, action, outcome);
	sched_setaffinity(0, sizeof(old), &old);
}

/* --- in a child */

/* What comes through the pipe, and then the document. */
struct message {
	struct error error;
	char word[32];
	int exit_status;
	uint64_t took_ns;
};

static int become_user(const char *name, struct error *e)
{
	const struct passwd *user = getpwnam(name);

	if (!user)
		return fail(e, STATUS_REFUSED, 0, "there is no user %s", name);
	if (initgroups(name, user->pw_gid) || setgid(user->pw_gid) || setuid(user->pw_uid))
		return fail(e, STATUS_REFUSED, errno, "cannot become user %s", name);
	return 0;
}

static void send(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t done = write(fd, p, len);

		if (done < 0 && errno != EINTR)
			_exit(STATUS_REFUSED);
		if (done > 0) {
			p += done;
			len -= done;
		}
	}
}

/* One byte says that the command comes now, so that an async is not ahead of its child. */
static void child_main(struct run *run, const struct action *action, int fd)
{
	struct outcome outcome = { 0 };
	struct message message;
	const char *doc;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (action->user && become_user(action->user, &outcome.error)) {
		send(fd, "", 1);
	} else {
		prctl(PR_SET_PDEATHSIG, SIGKILL);	/* setuid() has cleared it */
		send(fd, "", 1);
		issue_on_cpu(run, action, &outcome);
	}
	message = (struct message){
		.error = outcome.error, .exit_status = outcome.exit_status,
		.took_ns = outcome.took_ns,
	};
	strcpy(message.word, outcome.word);
	send(fd, &message, sizeof(message));
	doc = outcome.doc ? json_object_to_json_string(outcome.doc) : "";
	send(fd, doc, strlen(doc));
	_exit(0);
}

/*
 * As much as there is, up to @size; short if the child has ended, which it must when the
 * end is wanted.
 */
static size_t receive(const struct child *child, void *data, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t got = read(child->fd, (char *)data + len, size - len);

		if (got < 0 && errno == EINTR && end_wanted())
			kill(child->pid, SIGKILL);
		if (!got || (got < 0 && errno != EINTR))
			break;
		len += got > 0 ? got : 0;
	}
	return len;
}

static struct child *child_start(struct run *run, const struct action *action, struct error *e)
{
	struct child *child = pool_alloc(&run->scene.pool, sizeof(*child));
	int fds[2];
	char byte;

	if (pipe2(fds, O_CLOEXEC)) {
		fail(e, STATUS_REFUSED, errno, "cannot make a pipe");
		return NULL;
	}
	child->name = action->async;
	child->fd = fds[0];
	child->pid = exec_fork(e);
	if (!child->pid)
		child_main(run, action, fds[1]);
	close(fds[1]);
	if (child->pid < 0) {
		close(fds[0]);
		return NULL;
	}
	receive(child, &byte, 1);
	return child;
}

static void child_reap(struct child *child)
{
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		if (end_wanted())
			kill(child->pid, SIGKILL);
	close(child->fd);
	child->pid = 0;
}

static void child_outcome(struct child *child, struct outcome *outcome)
{
	struct message message;
	char doc[8192];
	size_t len;

	if (receive(child, &message, sizeof(message)) < sizeof(message)) {
		fail(&outcome->error, STATUS_REFUSED, 0, "its process has ended without an answer");
	} else {
		len = receive(child, doc, sizeof(doc) - 1);
		doc[len] = '\0';
		outcome->error = message.error;
		outcome->exit_status = message.exit_status;
		outcome->took_ns = message.took_ns;
		memcpy(outcome->word, message.word, sizeof(outcome->word));
		outcome->doc = len ? json_tokener_parse(doc) : NULL;
	}
	child_reap(child);
}

static void join(struct run *run, const char *name, struct outcome *outcome)
{
	for (size_t i = run->children.nr; i--;) {
		struct child *child = run->children.at[i];

		if (!child->pid || strcmp(child->name, name))
			continue;
		child_outcome(child, outcome);
		return;
	}
	fail(&outcome->error, STATUS_REFUSED, 0, "no child called %s is there", name);
}

/* What was made has its name known, though another process may have made it. */
static void note_object(struct run *run, const struct outcome *outcome)
{
	if (!strcmp(outcome->word, "added"))
		scene_add_object(&run->scene, json_string(outcome->doc, "/name"),
				 (uint32_t)json_number(outcome->doc, "/id"));
}

void action_issue(struct run *run, const struct action *action, struct outcome *outcome)
{
	struct child *child;

	*outcome = (struct outcome){ 0 };
	if (action->join) {
		join(run, action->join, outcome);
	} else if (action->async || action->user) {
		child = child_start(run, action, &outcome->error);
		if (child && action->async)
			list_add(&run->children, child);
		else if (child)
			child_outcome(child, outcome);
	} else {
		issue_on_cpu(run, action, outcome);
	}
	note_object(run, outcome);
}

/*
 * What a program of exec has left behind is ours since it lost its parent. Those who end may leave
 * children of theirs to us: it is over when there are none.
 */
static bool orphans_end(void)
{
	bool found = false;
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) >= 0 || errno == EINTR) {
		if (pid)
			continue;
		found = true;
		descendants_kill();
		waitpid(-1, NULL, 0);
	}
	return found;
}

void children_adopt(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

const char *children_end(struct run *run)
{
	const char *name = NULL;

	for (size_t i = 0; i < run->children.nr; i++) {
		struct child *child = run->children.at[i];

		if (!child->pid)
			continue;
		name = child->name;
		kill(child->pid, SIGKILL);
		child_reap(child);
	}
	return orphans_end() && !name ? "of exec" : name;
}
