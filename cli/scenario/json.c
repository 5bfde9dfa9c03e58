// SPDX-License-Identifier: GPL-2.0-only
/* Reports of scenarios as one JSON document. */
#include <json.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/out.h"
#include "base/words.h"
#include "lab/event_row.h"
#include "scenario/report.h"

static json_object *texts_json(const struct list *list)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; i < list->nr; i++)
		json_object_array_add(array, json_text(list->at[i]));
	return array;
}

static json_object *requirements_json(const struct list *list)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; i < list->nr; i++)
		json_object_array_add(array, json_text(condition_text(list->at[i])));
	return array;
}

static json_object *numbers_json(const struct list *list)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; i < list->nr; i++) {
		const struct number *number = list->at[i];

		json_object_array_add(array, json_object_new_uint64(number->value));
	}
	return array;
}

/* The lines of a paragraph joined, the paragraphs parted by an empty line. */
static json_object *explanation_json(const struct list *list)
{
	struct pool pool = { 0 };
	const char *text = "";
	json_object *value;

	for (size_t i = 0; i < list->nr; i++) {
		const char *line = list->at[i], *separator = "";

		if (!*line)
			separator = "\n\n";
		else if (*text && text[strlen(text) - 1] != '\n')
			separator = " ";
		text = pool_printf(&pool, "%s%s%s", text, separator, line);
	}
	value = json_text(text);
	pool_free(&pool);
	return value;
}

static json_object *check_json(const struct check *check)
{
	json_object *row = json_object_new_object();

	json_add(row, "line",
		 check->statement ? json_object_new_int(check->statement->line) : NULL);
	json_add(row, "expected", json_text(check->what));
	json_add(row, "observed", check->observed ? json_text(check->observed) : NULL);
	json_add(row, "variant", check->statement && check->statement->variant ?
		 json_text(check->statement->variant) : NULL);
	json_add_bool(row, "ok", check->ok);
	return row;
}

static json_object *checks_json(const struct run *run)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; i < run->checks.nr; i++)
		json_object_array_add(array, check_json(run->checks.at[i]));
	return array;
}

static json_object *executed_json(const struct run *run)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; i < run->executed.nr; i++) {
		const struct executed *executed = run->executed.at[i];
		json_object *row = json_object_new_object();

		json_add_number(row, "line", executed->line);
		json_add(row, "command", json_text(executed->text));
		json_add(row, "answer", json_text(executed->answer));
		json_add_number(row, "at_ns", executed->at_ns);
		json_object_array_add(array, row);
	}
	return array;
}

/* The lab is closed: the driver cannot be asked what its mechanisms are called. */
static json_object *events_json(const struct run *run)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; i < run->scene.records.nr; i++) {
		const struct bhlab_event *event = &run->scene.records.list[i];

		json_object_array_add(array, event_json(event, scene_name(&run->scene, event->item),
							word_name(&mech_words, event->mech)));
	}
	return array;
}

static void json_begin(struct report *report, const struct totals *totals)
{
	struct utsname name;

	uname(&name);
	report->doc = json_object_new_object();
	json_add(report->doc, "kernel", json_text(name.release));
	json_add(report->doc, "scenarios", json_object_new_array());
}

static void json_scenario(struct report *report, const struct run *run, const struct totals *totals)
{
	const struct scenario *s = run->scenario;
	json_object *row = json_object_new_object();

	json_add(row, "name", json_text(s->name));
	json_add(row, "file", json_text(s->path));
	json_add(row, "title", json_text(s->title));
	json_add(row, "text", explanation_json(&s->texts));
	json_add(row, "source", texts_json(&s->sources));
	json_add(row, "statements", numbers_json(&s->shows));
	json_add(row, "requires", requirements_json(&s->requirements));
	json_add_text(row, "verdict", verdict_word(run->verdict));
	json_add(row, "reason", run->reason ? json_text(run->reason) : NULL);
	json_add(row, "variants", texts_json(&run->variants));
	json_add_number(row, "expectations", run->expectations);
	json_add_number(row, "took_ns", run->took_ns);
	json_add(row, "checks", checks_json(run));
	json_add(row, "commands", executed_json(run));
	json_add(row, "events", events_json(run));
	json_object_array_add(json_object_object_get(report->doc, "scenarios"), row);
}

static void json_end(struct report *report, const struct totals *totals)
{
	char name[16];

	snprintf(name, sizeof(name), "SIG%s", totals->signal ? sigabbrev_np(totals->signal) : "");
	json_add(report->doc, "interrupted", totals->signal ? json_object_new_string(name) : NULL);
	json_add_number(report->doc, "expectations", totals->expectations);
	json_add_number(report->doc, "passed", totals->by_verdict[PASSED]);
	json_add_number(report->doc, "failed",
			totals->by_verdict[FAILED] + totals->by_verdict[WRONG]);
	json_add_number(report->doc, "skipped", totals->by_verdict[SKIPPED]);
	out_json(report->doc);
	json_object_put(report->doc);
}

const struct report json_report = {
	.begin = json_begin,
	.scenario = json_scenario,
	.end = json_end,
};
