// SPDX-License-Identifier: GPL-2.0-only
/* Reports of scenarios as KTAP; see Documentation/dev-tools/ktap.rst. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scenario/report.h"
#include "lab/timeline.h"

#define INDENT "    "

static void tap_begin(struct report *report, const struct totals *totals)
{
	printf("KTAP version 1\n1..%zu\n", totals->nr);
	fflush(stdout);
}

/* A '#' in a description would begin a directive. */
static void print_description(const char *text)
{
	for (; *text; text++)
		putchar(*text == '#' ? '_' : *text);
}

static void tap_check(const struct check *check, size_t nr)
{
	char place[32];

	check_place(check, place, sizeof(place));
	if (!check->ok && check->observed)
		printf(INDENT "# %sexpected: %s\n" INDENT "# observed: %s\n", place, check->what,
		       check->observed);
	printf(INDENT "%s %zu ", check->ok ? "ok" : "not ok", nr);
	print_description(place);
	print_description(check->what);
	putchar('\n');
}

static void tap_subtests(const struct run *run)
{
	char variants[512];

	printf(INDENT "KTAP version 1\n" INDENT "# Subtest: %s\n" INDENT "1..%zu\n",
	       run->scenario->name, run->checks.nr);
	for (size_t i = 0; i < run->checks.nr; i++)
		tap_check(run->checks.at[i], i + 1);
	variants_text(run, variants, sizeof(variants));
	if (*variants)
		printf(INDENT "# variants taken: %s\n", variants);
}

static void tap_scenario(struct report *report, const struct run *run, const struct totals *totals)
{
	struct timeline timeline = { .file = stdout, .prefix = INDENT "# ", .width = 100 };
	bool failed = run->verdict == FAILED || run->verdict == WRONG;

	if (run->checks.nr)
		tap_subtests(run);
	if (failed && run->reason)
		printf(INDENT "# %s: %s\n", verdict_word(run->verdict), run->reason);
	if (failed)
		run_timeline(&timeline, run);
	printf("%s %zu %s", failed ? "not ok" : "ok", totals->done, run->scenario->name);
	if (run->verdict == SKIPPED)
		printf(" # SKIP %s", run->reason);
	putchar('\n');
	fflush(stdout);
}

static void tap_end(struct report *report, const struct totals *totals)
{
	if (totals->signal)
		printf("Bail out! interrupted by SIG%s\n", sigabbrev_np(totals->signal));
	printf("# Totals: pass:%zu fail:%zu xfail:0 xpass:0 skip:%zu error:0\n",
	       totals->by_verdict[PASSED], totals->by_verdict[FAILED] + totals->by_verdict[WRONG],
	       totals->by_verdict[SKIPPED]);
}

const struct report tap_report = { .begin = tap_begin, .scenario = tap_scenario, .end = tap_end };
