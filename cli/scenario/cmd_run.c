// SPDX-License-Identifier: GPL-2.0-only
/* run: scenarios, from files and directories. */
#include <errno.h>
#include <fts.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command/command.h"
#include "lab/lab.h"
#include "base/out.h"
#include "base/parse.h"
#include "scenario/report.h"
#include "base/signals.h"

#define SLOWNESS_MAX	100

static int check_run(const struct call *call, struct error *e)
{
	if (arg_given(call, "--tap") && options.format != FORMAT_TEXT)
		return usage(e, "--tap is a format of its own: neither -j nor -p goes with it");
	if (arg_given(call, "--html") && arg_given(call, "--check"))
		return usage(e, "--check runs nothing that --html could show");
	if (arg_given(call, "--tap") && arg_given(call, "--verbose"))
		return usage(e, "--tap and --verbose exclude each other");
	if (options.fd < 0)
		return 0;
	return usage(e, "each scenario has a lab of its own, and not that of --fd");
}

/* --- files */

static bool is_scenario(const char *name)
{
	size_t len = strlen(name);

	return len > 3 && !strcmp(name + len - 3, ".bh");
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* A file that is named need not end in .bh; what cannot be read is found out later. */
static int find_files(const char *path, struct list *paths, struct error *e)
{
	char *const roots[] = { (char *)path, NULL };
	FTS *fts = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
	size_t old = paths->nr;
	FTSENT *entry;

	while (fts && (entry = fts_read(fts)))
		if (entry->fts_info == FTS_F &&
		    (entry->fts_level == 0 || is_scenario(entry->fts_name)))
			list_add(paths, xstrdup(entry->fts_path));
	if (fts)
		fts_close(fts);
	if (paths->nr > old)
		return 0;
	return usage(e, "%s: there is no scenario", path);
}

/* A tour is a list of scenarios, one a line, in a file of that name. */
static void tour_line(const char *dir, char *line, struct list *paths)
{
	char *name = strtok(line, " \t\n"), path[4096];

	if (!name || *name == '#')
		return;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	list_add(paths, xstrdup(path));
}

static int find_tour(const char *dir, struct list *paths, struct error *e)
{
	char path[4096], *line = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/tour", dir);
	file = fopen(path, "re");
	if (!file)
		return usage(e, "%s: there is no tour: %s", path, strerror(errno));
	while (getline(&line, &size, file) >= 0)
		tour_line(dir, line, paths);
	free(line);
	fclose(file);
	return 0;
}

/* Between two scenarios of a tour; false if that is enough. */
static bool go_on(void)
{
	int c, first;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return true;
	fputs("\nEnter for the next one, q to end: ", stdout);
	fflush(stdout);
	first = c = getchar();
	while (c != '\n' && c != EOF)
		c = getchar();
	return first != 'q' && c != EOF;
}

/* Of a kernel that is built for debugging, say. */
static int read_slowness(unsigned int *slowness, struct error *e)
{
	const char *text = getenv("BHLAB_SLOWNESS");
	uint64_t number = 1;

	if (text && parse_number(text, SLOWNESS_MAX, &number, e)) {
		error_prefix(e, "BHLAB_SLOWNESS");
		return -1;
	}
	*slowness = (unsigned int)number;
	return number ? 0 : usage(e, "BHLAB_SLOWNESS: it must be 1 or more");
}

/* The line, and a mark below what is wrong in it. */
static void point_at(const struct complaint *complaint)
{
	fprintf(stderr, "    %s\n    %*s^", complaint->source, (int)complaint->column - 1, "");
	for (unsigned int i = 1; i < complaint->width; i++)
		fputc('~', stderr);
	fputc('\n', stderr);
}

static void tell(const char *path, const struct complaints *complaints, const struct error *e)
{
	struct call nobody = { 0 };

	for (size_t i = 0; i < complaints->list.nr; i++) {
		const struct complaint *complaint = complaints->list.at[i];
		struct call place = {
			.file = path, .line = complaint->line, .column = complaint->column,
		};

		out_error(&place, &complaint->error);
		if (complaint->source && options.format != FORMAT_JSON)
			point_at(complaint);
	}
	if (e->status)
		out_error(&nobody, e);
}

/* All that is wrong with all files is told of at once. */
static int read_all(const struct list *paths, unsigned int slowness, struct list *scenarios)
{
	int status = 0;

	for (size_t i = 0; i < paths->nr; i++) {
		struct complaints complaints;
		struct error e = { 0 };
		struct scenario *scenario = scenario_read(paths->at[i], slowness, &complaints, &e);

		if (scenario)
			list_add(scenarios, scenario);
		else
			status = STATUS_USAGE;
		tell(paths->at[i], &complaints, &e);
		complaints_free(&complaints);
	}
	return status;
}

/* --- running */

static const struct report *report_of(const struct call *call)
{
	if (arg_given(call, "--tap"))
		return &tap_report;
	return options.format == FORMAT_JSON ? &json_report :
	       options.format == FORMAT_PARSABLE ? &parsable_report : &text_report;
}

/* How they are run, and what counts. */
struct manner {
	struct report report;
	struct stand_in stand_in;
	bool as;		/* @stand_in is used */
	const char *html;	/* where pages go, or NULL */
	bool skipped_fails;
};

static int run_one(const struct scenario *scenario, struct manner *how, struct totals *totals,
		   struct error *e)
{
	struct run run;
	int err = scenario_run(scenario, how->as ? &how->stand_in : NULL, &run, e);

	if (!err) {
		totals->done++;
		totals->by_verdict[run.verdict]++;
		totals->expectations += run.expectations;
		how->report.scenario(&how->report, &run, totals);
		if (how->report.pages)
			pages_scenario(how->report.pages, &run);
	}
	run_free(&run);
	return err;
}

/* What was done has been reported. */
static int interrupted(const struct totals *totals, struct error *e)
{
	note("interrupted; %zu of %zu scenarios were run", totals->done, totals->nr);
	e->status = STATUS_SIGNAL + totals->signal;
	return -1;
}

/* What one has spent of the CPUs' budget must not be missing to the next one. */
static void wait_for_budget(void)
{
	struct timespec window = { .tv_nsec = BHLAB_BUDGET_NS };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &window, NULL);
}

static int final_status(const struct totals *totals, bool skipped_fails)
{
	return totals->by_verdict[WRONG] ? STATUS_USAGE :
	       totals->by_verdict[FAILED] ? STATUS_FALSE :
	       skipped_fails && totals->by_verdict[SKIPPED] ? STATUS_ABSENT :
							      STATUS_OK;
}

static int run_all(const struct list *scenarios, struct manner *how, struct error *e)
{
	struct totals totals = { .nr = scenarios->nr };
	struct report *report = &how->report;
	struct error unwritten;		/* what came first is told */
	int err = 0;

	report->begin(report, &totals);
	for (size_t i = 0; i < scenarios->nr && !err && !signals_caught(); i++) {
		if (report->tour && i && !go_on())
			break;
		if (i)
			wait_for_budget();
		err = run_one(scenarios->at[i], how, &totals, e);
	}
	totals.signal = signals_caught();
	report->end(report, &totals);
	if (report->pages && pages_close(report->pages, &totals, err ? &unwritten : e))
		err = -1;
	if (err)
		return err;
	if (totals.signal)
		return interrupted(&totals, e);
	e->status = final_status(&totals, how->skipped_fails);
	return e->status ? -1 : 0;
}

/* Before a plan is printed it is known that there is a driver. */
static int probe(struct error *e)
{
	struct lab lab = { .fd = -1 };
	int err = lab_open_new(&lab, e);

	lab_close(&lab);
	return err;
}

/* Before anything is run it is known that all of it can be written. */
static int prepare(struct manner *how, struct error *e)
{
	if (probe(e))
		return -1;
	how->report.pages = how->html ? pages_open(how->html, e) : NULL;
	return how->html && !how->report.pages ? -1 : 0;
}

static int run_files(const struct list *paths, bool only_read, struct manner *how,
		     struct error *e)
{
	struct list scenarios = { 0 };
	unsigned int slowness;
	int err = 0;

	if (read_slowness(&slowness, e))
		return -1;
	e->status = read_all(paths, slowness, &scenarios);
	if (e->status)
		err = -1;
	else if (!only_read)
		err = prepare(how, e) ? -1 : run_all(&scenarios, how, e);
	for (size_t i = 0; i < scenarios.nr; i++)
		scenario_free(scenarios.at[i]);
	list_free(&scenarios);
	return err;
}

static int manner_of(const struct call *call, struct manner *how, struct error *e)
{
	how->report = *report_of(call);
	how->report.tour = arg_given(call, "--tour");
	how->skipped_fails = arg_given(call, "--skipped-fails");
	how->as = arg_given(call, "--as");
	how->html = arg_given(call, "--html") ? arg_typed(call, "--html") : NULL;
	return how->as ? stand_in_parse(arg(call, "--as")->text, &how->stand_in, e) : 0;
}

static int run_run(const struct call *call, struct lab *lab, struct result *result)
{
	char **path = arg(call, "FILE|DIR")->rest, *first = *path;
	struct list paths = { 0 };
	struct manner how;
	int err = manner_of(call, &how, &result->error);

	signals_catch(SIGTERM);
	for (; *path && !err; path++)
		err = how.report.tour ? find_tour(*path, &paths, &result->error) :
					find_files(*path, &paths, &result->error);
	how.report.verbose = arg_given(call, "--verbose") || how.report.tour ||
			     (paths.nr == 1 && !strcmp(paths.at[0], first));
	if (!err)
		err = run_files(&paths, arg_given(call, "--check"), &how, &result->error);
	for (size_t i = 0; i < paths.nr; i++)
		free(paths.at[i]);
	list_free(&paths);
	return err;
}

static int parse_as(const char *text, struct value *value, struct error *e)
{
	struct stand_in unused;

	return stand_in_parse(text, &unused, e);
}

static const struct arg_type arg_as = { .meta = "KERNEL", .parse = parse_as };

static const struct arg_type arg_paths = {
	.meta = "FILE|DIR",
	.parse = arg_parse_any,
	.compgen = 'f',
	.span = SPAN_WORDS,
};

static const struct arg_type arg_target = {
	.meta = "FILE|DIR",
	.parse = arg_parse_any,
	.compgen = 'f',
};

const struct command command_run = {
	.name = "run",
	.summary = "run scenarios, and tell what happened",
	.args = ARGS(
		{ "FILE|DIR", &arg_paths },
		{ "--verbose", &arg_flag,
		  "all about each, and not only about those that fail", .letter = 'v' },
		{ "--check", &arg_flag, "only read them, for which no driver is needed" },
		{ "--tap", &arg_flag, "KTAP, a subtest for each expectation" },
		{ "--html", &arg_target,
		  "a page with all about all of them, into this file; into a directory, one for "
		  "each" },
		{ "--tour", &arg_flag,
		  "the scenarios that DIR/tour lists, in its order, with a pause after each" },
		{ "--as", &arg_as,
		  "take the variants of that kernel: 6.1, v7.3-rc2, 7.2-rt, 6.12-full" },
		{ "--skipped-fails", &arg_flag, "exit with 4 if one is skipped, and none fails" }),
	.notes =
	"A directory stands for all *.bh in and below it. Each scenario has a lab of its own.\n"
	"'bhctl help scenario' has the language. Exits 1 if one fails, 64 if a file is\n"
	"wrong. BHLAB_SLOWNESS=N in the environment gives each N times the time. A directory that\n"
	"is not there yet ends in '/'. With --as a scenario that has variants fails where this\n"
	"kernel does not do what that one does; what it requires, and native: and mechanism:, are\n"
	"still of this kernel.\n",
	.lab = LAB_NONE,
	.check = check_run,
	.run = run_run,
};
