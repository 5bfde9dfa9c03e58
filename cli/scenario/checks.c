// SPDX-License-Identifier: GPL-2.0-only
/* What was expected, what was observed, and the verdict. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json_doc.h"
#include "scenario/run.h"

const char *verdict_word(enum verdict verdict)
{
	static const char *const words[] = { "passed", "failed", "skipped", "wrong" };

	return words[verdict];
}

/* A program's words, or the name of a task, may hold anything; a report has its own lines. */
const char *clean_text(struct run *run, const char *text)
{
	char *clean = pool_text(&run->scene.pool, text, strlen(text));

	text_clean(clean);
	return clean;
}

void run_check(struct run *run, const struct statement *statement, bool ok, const char *what,
	       const char *observed)
{
	struct check *check = pool_alloc(&run->scene.pool, sizeof(*check));

	*check = (struct check){ .statement = statement, .ok = ok };
	check->what = pool_text(&run->scene.pool, what, strlen(what));
	if (observed && *observed)
		check->observed = clean_text(run, observed);
	list_add(&run->checks, check);
	if (ok || run->verdict != PASSED)
		return;
	run->verdict = FAILED;
	run->reason = check->observed ? pool_printf(&run->scene.pool, "%s: %s", check->what,
						    check->observed) :
					check->what;
}

void run_fault(struct run *run, const struct statement *statement, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (statement)
		run_check(run, statement, false, statement->text, text);
	else
		run_check(run, NULL, false, text, NULL);
}
