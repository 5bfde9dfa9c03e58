// SPDX-License-Identifier: GPL-2.0-only
/* Evaluating expressions, and the scene that they look at. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "scenario/expr.h"

/* --- the scene */

/* A long run is recorded at its end, after what has started later. */
int scene_drain(struct scene *scene)
{
	size_t old = scene->records.nr;
	int err = 0;

	if (!scene->ring_open)
		err = ring_open(&scene->ring, &scene->lab, false);
	if (err)
		return err;
	scene->ring_open = true;
	err = ring_drain(&scene->ring, &scene->records);
	for (uint32_t cpu = 0; cpu < scene->ring.setup.out_cpus; cpu++)
		scene->lost += ring_lost(&scene->ring, cpu);
	if (old && scene->records.nr > old)
		records_sort(&scene->records, 0);
	return err;
}

uint32_t scene_object(const struct scene *scene, const char *name)
{
	struct bhlab_lookup lookup = { .size = sizeof(lookup) };

	for (size_t i = scene->nr_objects; i--;)
		if (!strcmp(scene->objects[i].name, name))
			return scene->objects[i].id;
	snprintf(lookup.name, sizeof(lookup.name), "%s", name);
	return lab_ioctl(&scene->lab, BHLAB_IOC_LOOKUP, &lookup) || !lookup.out_kind ? 0 :
										       lookup.id;
}

const char *scene_name(const struct scene *scene, uint32_t id)
{
	for (size_t i = 0; i < scene->nr_objects; i++)
		if (scene->objects[i].id == id)
			return scene->objects[i].name;
	return "";
}

void scene_add_object(struct scene *scene, const char *name, uint32_t id)
{
	scene->objects = xrealloc(scene->objects, scene->nr_objects + 1, sizeof(*scene->objects));
	scene->objects[scene->nr_objects++] = (struct object){
		.name = pool_text(&scene->pool, name, strlen(name)), .id = id,
	};
}

/* --- what is told of it */

int no_value(struct eval *eval, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(eval->why, sizeof(eval->why), fmt, ap);
	va_end(ap);
	return -1;
}

void observe(struct eval *eval, const char *fmt, ...)
{
	struct text observed = text_after(eval->observed, sizeof(eval->observed));
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!eval->quiet && !strstr(eval->observed, text))
		text_join(&observed, ", ", text);
}

static void set_text(const struct datum *value, char *buf, size_t size)
{
	const struct words *words = value->words;
	struct text text = text_in(buf, size);

	for (size_t i = 0; i < words->nr; i++)
		if (value->number & words->list[i].value)
			text_join(&text, ",", words->list[i].name);
	if (!*buf)
		text_add(&text, "%s", words == &state_words ? "idle" : "none");
}

static void time_text(int64_t ns, const char *positive, char *buf, size_t size)
{
	char period[40];

	period_round(ns < 0 ? -(uint64_t)ns : (uint64_t)ns, period, sizeof(period));
	snprintf(buf, size, "%s%s", ns < 0 ? "-" : positive, period);
}

void datum_text(const struct scene *scene, const struct datum *value, char *buf, size_t size)
{
	switch (value->type) {
	case DATUM_NUMBER:
		snprintf(buf, size, "%" PRId64, value->number);
		break;
	case DATUM_TIME:
		time_text(value->number, "", buf, size);
		break;
	case DATUM_MOMENT:
		time_text(value->number - (int64_t)scene->base_ns, "+", buf, size);
		break;
	case DATUM_TEXT:
		snprintf(buf, size, "'%s'", value->text);
		break;
	case DATUM_SET:
		set_text(value, buf, size);
		break;
	}
}

/* --- values */

static int eval_binary(struct eval *eval, const struct expr *expr, struct datum *value)
{
	struct datum left, right;
	int level = expr->operator->level;

	if (expr_eval(eval, expr->left, &left))
		return -1;
	if ((level == LEVEL_OR && left.number) || (level == LEVEL_AND && !left.number)) {
		value->number = level == LEVEL_OR;
		return 0;
	}
	if (expr_eval(eval, expr->right, &right))
		return -1;
	if (expr->operator->apply(&left, &right, value))
		return no_value(eval, "'%s' has no result", expr->operator->sign);
	return 0;
}

static int eval_call(struct eval *eval, const struct expr *expr, struct datum *value)
{
	char text[200];

	if (expr->function->eval(eval, expr, value))
		return -1;
	datum_text(eval->scene, value, text, sizeof(text));
	observe(eval, "%s = %s", expr->text, text);
	return 0;
}

static int eval_let(struct eval *eval, const struct expr *expr, struct datum *value)
{
	const struct list *lets = &eval->scene->lets;
	char text[200];

	for (size_t i = lets->nr; i--;) {
		const struct let *let = lets->at[i];

		if (strcmp(let->name, expr->text))
			continue;
		*value = let->value;
		datum_text(eval->scene, value, text, sizeof(text));
		observe(eval, "$%s = %s", let->name, text);
		return 0;
	}
	return no_value(eval, "$%s has no value", expr->text);
}

int expr_eval(struct eval *eval, const struct expr *expr, struct datum *value)
{
	*value = (struct datum){ .type = expr->type, .words = expr->words };
	switch (expr->kind) {
	case EXPR_CALL:
		return eval_call(eval, expr, value);
	case EXPR_LET:
		return eval_let(eval, expr, value);
	case EXPR_RUN:
		value->number = eval->run;
		return 0;
	case EXPR_NOT:
		if (expr_eval(eval, expr->left, value))
			return -1;
		value->number = !value->number;
		return 0;
	case EXPR_MINUS:
		if (expr_eval(eval, expr->left, value))
			return -1;
		value->number = -value->number;
		return 0;
	case EXPR_BINARY:
		return eval_binary(eval, expr, value);
	default:
		*value = expr->value;
		value->type = expr->type;
		return 0;
	}
}

int arg_value(struct eval *eval, const struct expr *call, size_t i, int64_t *number)
{
	bool quiet = eval->quiet;
	struct datum value;
	int err;

	eval->quiet = true;
	err = expr_eval(eval, call->args[i].expr, &value);
	eval->quiet = quiet;
	*number = value.number;
	return err;
}
