/* SPDX-License-Identifier: GPL-2.0-only */
/* Running scenarios, and what came of it. */
#ifndef BHCTL_SCENARIO_RUN_H
#define BHCTL_SCENARIO_RUN_H

#include <json.h>
#include <sched.h>
#include <sys/types.h>

#include "base/limit.h"
#include "scenario/expr.h"
#include "lab/timeline.h"

/* What a command answered, whoever has issued it. */
struct outcome {
	struct error error;
	char word[32];
	int exit_status;	/* of exec: what the program exits with */
	uint64_t took_ns;
	json_object *doc;	/* or NULL */
};

void outcome_free(struct outcome *outcome);

/* A process that issues a command. */
struct child {
	const char *name;	/* of async */
	pid_t pid;		/* 0: it was joined */
	int fd;			/* its outcome comes from here */
};

enum verdict { PASSED, FAILED, SKIPPED, WRONG };

/* An expectation, or what was not expected but went wrong. */
struct check {
	const struct statement *statement;	/* NULL: of the scenario as a whole */
	bool ok;
	const char *what;
	const char *observed;	/* or NULL */
};

struct run {
	const struct scenario *scenario;
	const struct stand_in *as;	/* or NULL */
	struct scene scene;
	struct list children;
	struct list checks;
	struct list executed;
	struct list variants;	/* texts, each once */
	uint64_t expectations;
	uint64_t took_ns;
	enum verdict verdict;
	const char *reason;	/* it was skipped, or failed first */
	bool over;		/* nothing more is carried out */
	cpu_set_t online;	/* when it began */
};

/* --- scenario_run.c; 0, or -1 when no lab could be opened */
int scenario_run(const struct scenario *scenario, const struct stand_in *as, struct run *run,
		 struct error *e);
void run_free(struct run *run);

/* --- checks.c */
const char *verdict_word(enum verdict verdict);
/* A copy of the run's, with nothing in it that could be taken for a line of a report. */
const char *clean_text(struct run *run, const char *text);
/* Adds a check; one that is not ok makes the scenario fail. */
void run_check(struct run *run, const struct statement *statement, bool ok, const char *what,
	       const char *observed);
/* Something that nobody asked for is not as it should be. */
void run_fault(struct run *run, const struct statement *statement, const char *fmt, ...)
	PRINTF(3, 4);

/* --- scenario_child.c */
/* Carries out the command; of an async, starts it. */
void action_issue(struct run *run, const struct action *action, struct outcome *outcome);
/* From now on what loses its parent among our descendants is a child of ours. */
void children_adopt(void);
/* Kills and waits for all that are left; returns the name of one, or NULL. */
const char *children_end(struct run *run);

/* --- scenario_rest.c */
/* Waits until all items are idle; -1 and a fault if they will not be. */
int settle(struct run *run, const struct statement *statement);
/* What is left when it ends, and what does not add up. */
void check_rest(struct run *run);

/* --- scenario_cpus.c */
void cpus_note(struct run *run);
/* A CPU that was online and is not is a fault, and brought back. */
void cpus_check(struct run *run);

#endif
