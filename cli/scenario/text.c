// SPDX-License-Identifier: GPL-2.0-only
/* Reports of scenarios for people. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/out.h"
#include "base/text.h"
#include "scenario/report.h"
#include "lab/timeline.h"

#define INDENT 2
#define CHECK 14		/* where what was expected begins */

static const char *color(const char *sequence)
{
	return options.color ? sequence : "";
}

#define BOLD	color("\033[1m")
#define RED	color("\033[1;31m")
#define GREEN	color("\033[32m")
#define YELLOW	color("\033[33m")
#define DIM	color("\033[2m")
#define PLAIN	color("\033[0m")

void check_place(const struct check *check, char *buf, size_t size)
{
	*buf = '\0';
	if (check->statement)
		snprintf(buf, size, "line %u: ", check->statement->line);
}

void variants_text(const struct run *run, char *buf, size_t size)
{
	struct text text = text_in(buf, size);

	for (size_t i = 0; i < run->variants.nr; i++)
		text_join(&text, "; ", run->variants.at[i]);
}

static void print_words(const char *text, int indent, int width)
{
	out_words(text, strlen(text), indent, 0, width);
	putchar('\n');
}

static void print_head(const struct scenario *s, int width)
{
	int at = 0;

	fputs(BOLD, stdout);
	print_words(s->title, 0, width);
	printf("%s%s%s: %s%s\n\n", PLAIN, DIM, s->name, s->path, PLAIN);
	for (size_t i = 0; i < s->texts.nr; i++) {
		const char *text = s->texts.at[i];

		if (!*text && at)
			printf("\n\n"), at = 0;
		at = out_words(text, strlen(text), INDENT, at, width);
	}
	printf("%s\n", at ? "\n" : "");
	for (size_t i = 0; i < s->sources.nr; i++)
		printf("%*s%-7s %s\n", INDENT, "", i ? "" : "source:",
		       (const char *)s->sources.at[i]);
	putchar('\n');
}

/* --- checks, in columns: what was expected, what was observed */

/* The columns of the expected, but for those that would leave no room for the observed. */
static int expected_width(const struct run *run, int width)
{
	int most = 0;

	for (size_t i = 0; i < run->checks.nr; i++) {
		const struct check *check = run->checks.at[i];
		int columns = out_columns(check->what, strlen(check->what));

		if (columns > most && columns <= (width - CHECK) / 2)
			most = columns;
	}
	return most;
}

/* Of what is well no more than its line has room for. */
static void print_observed(const struct check *check, int at, int column, int width)
{
	int columns;

	if (!check->observed)
		return;
	columns = out_columns(check->observed, strlen(check->observed));
	if (check->ok && (at > column || column + 1 + columns > width))
		return;
	if (at > column) {
		putchar('\n');
		at = 0;
	}
	printf("%*s%s", column - at, "", check->ok ? DIM : RED);
	out_words(check->observed, strlen(check->observed), column + 1, column, width);
	fputs(PLAIN, stdout);
}

static void print_check(const struct check *check, int expected, int width)
{
	char line[16] = "";
	int at;

	if (check->statement)
		snprintf(line, sizeof(line), "%u", check->statement->line);
	printf("%*s%s%-6s%s %s%4s%s", INDENT, "", check->ok ? GREEN : RED,
	       check->ok ? "ok" : "FAILED", PLAIN, DIM, line, PLAIN);
	at = out_words(check->what, strlen(check->what), CHECK, CHECK - 1, width);
	print_observed(check, at, CHECK + expected + 1, width);
	putchar('\n');
}

static void print_checks(const struct run *run, int width)
{
	int expected = expected_width(run, width);

	if (run->checks.nr)
		printf("%s%*s %-*s  observed%s\n", DIM, CHECK - 1, "line", expected, "expected",
		       PLAIN);
	for (size_t i = 0; i < run->checks.nr; i++)
		print_check(run->checks.at[i], expected, width);
}

static const char *verdict_color(enum verdict verdict)
{
	return verdict == PASSED ? GREEN : verdict == SKIPPED ? YELLOW : RED;
}

static size_t count_checks(const struct run *run, bool ok)
{
	size_t nr = 0;

	for (size_t i = 0; i < run->checks.nr; i++) {
		const struct check *check = run->checks.at[i];

		nr += check->ok == ok;
	}
	return nr;
}

static void print_verdict(const struct run *run)
{
	char variants[512], took[32];

	period_round(run->took_ns, took, sizeof(took));
	variants_text(run, variants, sizeof(variants));
	printf("\n%*s%s%s%s", INDENT, "", verdict_color(run->verdict), verdict_word(run->verdict),
	       PLAIN);
	if (run->verdict == SKIPPED || run->verdict == WRONG)
		printf(": %s\n", run->reason);
	else
		printf(": %zu of %zu checks, %s\n", count_checks(run, run->verdict == PASSED),
		       run->checks.nr, took);
	if (*variants)
		printf("%*svariants taken: %s\n", INDENT, "", variants);
}

static const char *history_name(const void *who, uint32_t id, char buf[BHLAB_NAME_LEN])
{
	const struct run *run = who;

	return scene_name(&run->scene, id);
}

void run_timeline(const struct timeline *timeline, const struct run *run)
{
	struct history history = {
		.records = &run->scene.records, .executed = &run->executed, .name = history_name,
		.who = run,
	};

	timeline_print(timeline, &history);
}

static void print_all(const struct run *run)
{
	int width = out_width();
	struct timeline timeline = {
		.file = stdout, .prefix = "  ", .width = width, .color = options.color,
		.utf8 = out_utf8(),
	};

	print_head(run->scenario, width > 100 ? 100 : width);
	if (run->verdict != SKIPPED)
		run_timeline(&timeline, run);
	putchar('\n');
	print_checks(run, width);
	print_verdict(run);
}

/* --- the report */

static bool shows_progress(const struct totals *totals)
{
	return totals->nr > 1 && isatty(STDERR_FILENO) && !options.quiet;
}

static void text_begin(struct report *report, const struct totals *totals)
{
	if (shows_progress(totals))
		fprintf(stderr, "%zu scenarios\r", totals->nr);
}

static void print_line(const struct run *run)
{
	printf("%s%-7s%s  %-32s  %s\n", verdict_color(run->verdict),
	       run->verdict == PASSED ? "ok" : verdict_word(run->verdict), PLAIN,
	       run->scenario->name, run->verdict == SKIPPED ? run->reason : run->scenario->title);
}

static void text_scenario(struct report *report, const struct run *run, const struct totals *totals)
{
	bool failed = run->verdict == FAILED || run->verdict == WRONG;

	if (shows_progress(totals))
		fprintf(stderr, "\033[K");
	if (!report->verbose && !failed) {
		if (!options.quiet)
			print_line(run);
	} else {
		if (totals->nr > 1)
			printf("%s\n", totals->done > 1 ? "\n" : "");
		print_all(run);
		if (totals->nr > 1)
			putchar('\n');
	}
	fflush(stdout);
	if (shows_progress(totals) && totals->done < totals->nr)
		fprintf(stderr, "%zu of %zu\r", totals->done, totals->nr);
}

static void text_end(struct report *report, const struct totals *totals)
{
	if (totals->nr < 2)
		return;
	if (shows_progress(totals))
		fprintf(stderr, "\033[K");
	printf("%s%zu scenarios, %" PRIu64 " expectations: %zu passed, %zu failed, %zu skipped%s\n",
	       totals->by_verdict[FAILED] + totals->by_verdict[WRONG] ? RED : BOLD, totals->done,
	       totals->expectations, totals->by_verdict[PASSED],
	       totals->by_verdict[FAILED] + totals->by_verdict[WRONG], totals->by_verdict[SKIPPED],
	       PLAIN);
}

const struct report text_report = {
	.begin = text_begin,
	.scenario = text_scenario,
	.end = text_end,
};

/* --- a line each, with tabs */

static void parsable_begin(struct report *report, const struct totals *totals)
{
}

static void parsable_scenario(struct report *report, const struct run *run,
			      const struct totals *totals)
{
	printf("%s\t%s\t%s\t%s\n", verdict_word(run->verdict), run->scenario->name,
	       run->scenario->title, run->reason ? run->reason : "");
}

const struct report parsable_report = {
	.begin = parsable_begin,
	.scenario = parsable_scenario,
	.end = parsable_begin,
};
