// SPDX-License-Identifier: GPL-2.0-only
/* Carrying out a scenario, statement by statement. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/out.h"
#include "command/command.h"
#include "scenario/run.h"
#include "base/signals.h"

/* --- what is noted */

static void note_executed(struct run *run, const struct statement *s, uint64_t at_ns,
		      const char *answer)
{
	struct executed *executed = pool_alloc(&run->scene.pool, sizeof(*executed));

	*executed = (struct executed){ s->line, at_ns, s->action.text, clean_text(run, answer) };
	list_add(&run->executed, executed);
}

static void note_variant(struct run *run, const char *variant)
{
	for (size_t i = 0; i < run->variants.nr; i++)
		if (!strcmp(run->variants.at[i], variant))
			return;
	list_add(&run->variants, (void *)variant);
}

/* --- what a command answered */

static void answer_text(const struct outcome *outcome, char *buf, size_t size)
{
	const struct error *e = &outcome->error;

	if (!e->status && !strcmp(outcome->word, "exit"))
		snprintf(buf, size, "exit 0");
	else if (e->status)
		snprintf(buf, size, "%s%s%s%s", e->text, e->err ? " (" : "",
			 e->err ? strerrorname_np(e->err) : "", e->err ? ")" : "");
	else
		result_text(outcome->word, outcome->doc, buf, size);
}

static bool qualifier_holds(const struct qualifier *q, json_object *doc)
{
	char path[32];

	if (!strcmp(q->name, "depth"))
		return json_object_object_get_ex(doc, "depth", NULL) &&
		       json_number(doc, "/depth") == q->numbers[0];
	if (!strcmp(q->name, "of"))
		return json_number(doc, "/set") == q->numbers[0] &&
		       json_number(doc, "/count") == q->numbers[1];
	snprintf(path, sizeof(path), "/%s", q->name);
	return json_flag(doc, path) != q->not;
}

static bool answers(const struct statement *s, const struct outcome *outcome)
{
	if (strcmp(outcome->word, s->word))
		return false;
	if (!strcmp(s->word, "exit"))
		return (uint64_t)outcome->exit_status == s->number;
	if (outcome->error.status)
		return false;
	for (size_t i = 0; i < s->nr_qualifiers; i++)
		if (!qualifier_holds(&s->qualifiers[i], outcome->doc))
			return false;
	return true;
}

/* What the driver does not know at all is a mistake of the scenario. */
static void note_wrong(struct run *run, const struct statement *s, const struct outcome *outcome)
{
	if (outcome->error.status != STATUS_USAGE || run->verdict == WRONG)
		return;
	run->verdict = WRONG;
	run->reason = pool_printf(&run->scene.pool, "%s:%u: %s", run->scenario->path, s->line,
				  outcome->error.text);
	run->over = true;
}

static void check_outcome(struct run *run, const struct statement *s, const struct outcome *outcome)
{
	char answer[600];
	bool ok;

	answer_text(outcome, answer, sizeof(answer));
	if (s->kind == STATEMENT_ACTION && !outcome->error.status)
		return;
	if (outcome->error.status && end_wanted())
		return;
	ok = s->kind == STATEMENT_REFUSAL ? outcome->error.err == s->err :
	     s->kind == STATEMENT_ANSWER  ? answers(s, outcome) : false;
	run_check(run, s, ok, s->text, answer);
	if (s->kind == STATEMENT_ACTION)
		run->over = true;
}

/* A program that was to exit with 0, and has: nothing to tell. */
static bool is_plain(const struct statement *s, const struct outcome *outcome)
{
	return s->kind == STATEMENT_ACTION && !outcome->error.status &&
	       !strcmp(outcome->word, "exit");
}

static void do_action(struct run *run, const struct statement *s)
{
	uint64_t at_ns = monotonic_ns();
	struct outcome outcome;
	char answer[600];

	action_issue(run, &s->action, &outcome);
	run->scene.took_ns = outcome.took_ns;
	answer_text(&outcome, answer, sizeof(answer));
	note_executed(run, s, at_ns, is_plain(s, &outcome) ? "" : answer);
	check_outcome(run, s, &outcome);
	note_wrong(run, s, &outcome);
	outcome_free(&outcome);
	/* Only now: the ring can be set up as long as nobody has looked at it. */
	if (!run->scene.ring_open && run->scene.nr_objects)
		scene_drain(&run->scene);
}

/* --- expressions */

static int evaluate(struct run *run, const struct statement *s, struct eval *eval,
		    struct datum *value)
{
	int err = scene_drain(&run->scene);

	*eval = (struct eval){ .scene = &run->scene };
	if (err)
		return no_value(eval, "the ring cannot be read: %s", strerror(err));
	return expr_eval(eval, s->expr, value);
}

static void do_expression(struct run *run, const struct statement *s)
{
	struct datum value = { 0 };
	struct eval eval;
	int err = evaluate(run, s, &eval, &value);

	if (err)
		run_check(run, s, false, s->text, eval.why);
	else
		run_check(run, s, value.number, s->text, eval.observed);
}

static void do_let(struct run *run, const struct statement *s)
{
	struct let *let = pool_alloc(&run->scene.pool, sizeof(*let));
	struct eval eval;

	let->name = s->name;
	if (evaluate(run, s, &eval, &let->value)) {
		run_fault(run, s, "%s", eval.why);
		run->over = true;
		return;
	}
	list_add(&run->scene.lets, let);
}

/* --- statements */

static bool is_for_us(struct run *run, const struct statement *s)
{
	for (size_t i = 0; i < s->conditions.nr; i++)
		if (!condition_holds(s->conditions.at[i], &run->scene.lab, run->as))
			return false;
	if (s->variant)
		note_variant(run, s->variant);
	return true;
}

static void do_statement(struct run *run, const struct statement *s)
{
	switch (s->kind) {
	case STATEMENT_EXPRESSION:
		do_expression(run, s);
		break;
	case STATEMENT_LET:
		do_let(run, s);
		break;
	case STATEMENT_SETTLE:
		note_executed(run, s, monotonic_ns(), "");
		run->over |= settle(run, s);
		break;
	default:
		do_action(run, s);
		break;
	}
	run->expectations += s->kind == STATEMENT_EXPRESSION || s->kind == STATEMENT_ANSWER ||
			     s->kind == STATEMENT_REFUSAL;
}

static bool may_go_on(struct run *run, const struct statement *s)
{
	char limit[32];

	if (limit_over()) {
		period_exact(run->scenario->limit_ns, limit, sizeof(limit));
		run_fault(run, s, "it takes longer than its limit of %s", limit);
		run->over = true;
	} else if (signals_caught()) {
		run_fault(run, s, "interrupted");
		run->over = true;
	}
	return !run->over;
}

/* The statements from @first up to but not including @end. */
static void do_block(struct run *run, size_t first, size_t end)
{
	for (size_t i = first; i < end && !run->over; i++) {
		const struct statement *s = &run->scenario->statements[i];

		if (s->kind == STATEMENT_REPEAT) {
			for (uint64_t n = 0; n < s->number && !run->over; n++) {
				do_block(run, i + 1, s->other);
				scene_drain(&run->scene);
			}
			i = s->other;
			continue;
		}
		if (is_for_us(run, s))
			do_statement(run, s);
		if (!may_go_on(run, s))
			break;
	}
}

/* --- the whole */

static bool is_required(struct run *run)
{
	const struct list *list = &run->scenario->requirements;

	for (size_t i = 0; i < list->nr; i++) {
		if (condition_holds(list->at[i], &run->scene.lab, NULL))
			continue;
		run->verdict = SKIPPED;
		run->reason =
			pool_printf(&run->scene.pool, "requires %s", condition_text(list->at[i]));
		return false;
	}
	return true;
}

/* What a program of exec has made has a name, too. */
static void note_objects(struct scene *scene)
{
	struct bhlab_lookup object = { .size = sizeof(object) };

	while (!lab_ioctl(&scene->lab, BHLAB_IOC_NEXT, &object))
		if (object.out_kind && !*scene_name(scene, object.id))
			scene_add_object(scene, object.name, object.id);
}

static void check_end(struct run *run)
{
	const char *child = children_end(run);
	bool over = run->over;

	cpus_check(run);
	scene_drain(&run->scene);
	note_objects(&run->scene);
	if (over)
		return;
	if (child)
		run_fault(run, NULL, "the child %s is still there", child);
	if (!run->expectations)
		run_fault(run, NULL, "none of its expectations is for this kernel");
	check_rest(run);
}

static int run_within_limit(struct run *run, struct error *e)
{
	int err = limit_start(run->scenario->limit_ns);

	if (err)
		return fail(e, STATUS_REFUSED, err, "no thread can be made that keeps the limit");
	do_block(run, 0, run->scenario->nr);
	check_end(run);
	limit_stop();
	return 0;
}

int scenario_run(const struct scenario *scenario, const struct stand_in *as, struct run *run,
		 struct error *e)
{
	struct scene *scene = &run->scene;
	int err = 0;

	*run = (struct run){ .scenario = scenario, .as = as, .scene.lab.fd = -1 };
	if (lab_open_new(&scene->lab, e))
		return -1;
	scene->lab.kept = true;
	scene->lab.silent = true;
	scene->base_ns = monotonic_ns();
	if (is_required(run)) {
		children_adopt();
		cpus_note(run);
		err = run_within_limit(run, e);
	}
	run->took_ns = monotonic_ns() - scene->base_ns;
	if (scene->ring_open)
		ring_close(&scene->ring);
	lab_close(&scene->lab);
	return err;
}

void run_free(struct run *run)
{
	records_free(&run->scene.records);
	free(run->scene.objects);
	list_free(&run->scene.lets);
	list_free(&run->children);
	list_free(&run->checks);
	list_free(&run->executed);
	list_free(&run->variants);
	pool_free(&run->scene.pool);
}
