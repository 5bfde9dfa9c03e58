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

#define INDENT "  "

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

/* How many columns the word at @p takes. */
static int columns_of(const char *p, size_t len)
{
	int columns = 0;

	while (len--)
		columns += ((unsigned char)*p++ & 0xc0) != 0x80;
	return columns;
}

/* Words of @text in lines of @width columns, starting at column @at. */
static int wrap(const char *text, const char *indent, int at, int width)
{
	for (text += strspn(text, " \t"); *text; text += strspn(text, " \t")) {
		size_t len = strcspn(text, " \t");
		int columns = columns_of(text, len);

		if (at && at + 1 + columns > width) {
			putchar('\n');
			at = 0;
		}
		at += printf("%s", at ? " " : indent) + columns;
		fwrite(text, len, 1, stdout);
		text += len;
	}
	return at;
}

static void print_head(const struct scenario *s, int width)
{
	int at = 0;

	printf("%s%s%s\n%s%s: %s%s\n\n", BOLD, s->title, PLAIN, DIM, s->name, s->path, PLAIN);
	for (size_t i = 0; i < s->texts.nr; i++) {
		const char *text = s->texts.at[i];

		if (!*text && at)
			printf("\n\n"), at = 0;
		at = wrap(text, INDENT, at, width);
	}
	printf("%s\n", at ? "\n" : "");
	for (size_t i = 0; i < s->sources.nr; i++) {
		wrap(i ? "       " : "source:", INDENT, 0, width);
		printf(" %s\n", (const char *)s->sources.at[i]);
	}
	putchar('\n');
}

static void print_observed(const struct check *check, int at, int width)
{
	if (!check->observed)
		return;
	if (check->ok && at + 3 + (int)strlen(check->observed) <= width) {
		printf("   %s%s%s", DIM, check->observed, PLAIN);
	} else if (!check->ok) {
		printf("\n%s        %sobserved:%s", INDENT, RED, PLAIN);
		wrap(check->observed, INDENT "                 ", 20, width);
	}
}

static void print_check(const struct check *check, int width)
{
	int at = printf("%s%s%s%s  ", INDENT, check->ok ? GREEN : RED,
			check->ok ? "ok    " : "FAILED", PLAIN);

	if (check->statement && !check->ok)
		printf("line %u: ", check->statement->line);
	printf("%s", check->what);
	at = 10 + (int)strlen(check->what);
	print_observed(check, at, width);
	putchar('\n');
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
	printf("\n%s%s%s%s", INDENT, verdict_color(run->verdict), verdict_word(run->verdict),
	       PLAIN);
	if (run->verdict == SKIPPED || run->verdict == WRONG)
		printf(": %s\n", run->reason);
	else
		printf(": %zu of %zu checks, %s\n", count_checks(run, run->verdict == PASSED),
		       run->checks.nr, took);
	if (*variants)
		printf("%svariants taken: %s\n", INDENT, variants);
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
		.file = stdout, .prefix = INDENT, .width = width, .color = options.color,
		.utf8 = out_utf8(),
	};

	print_head(run->scenario, width > 100 ? 100 : width);
	if (run->verdict != SKIPPED)
		run_timeline(&timeline, run);
	putchar('\n');
	for (size_t i = 0; i < run->checks.nr; i++)
		print_check(run->checks.at[i], width);
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
