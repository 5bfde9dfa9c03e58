// SPDX-License-Identifier: GPL-2.0-only
/* The types of arguments that more than one command takes. */
#include <stdint.h>

#include "base/parse.h"
#include "base/words.h"
#include "command/command.h"
#include "lab/steps.h"

int arg_parse_any(const char *text, struct value *value, struct error *e)
{
	return *text ? 0 : usage(e, "it is empty");
}

static int parse_64(const char *text, struct value *value, struct error *e)
{
	return parse_number(text, UINT64_MAX, &value->number, e);
}

static int parse_32(const char *text, struct value *value, struct error *e)
{
	return parse_number(text, UINT32_MAX, &value->number, e);
}

static int parse_time(const char *text, struct value *value, struct error *e)
{
	return value->any ? parse_any_period(text, &value->number, e) :
			    parse_period(text, &value->number, e);
}

static int parse_new_name(const char *text, struct value *value, struct error *e)
{
	return parse_name(text, e);
}

static int parse_item(const char *text, struct value *value, struct error *e)
{
	if (*text != '#')
		return parse_name(text, e);
	if (parse_number(text + 1, UINT32_MAX, &value->number, e))
		return -1;
	return value->number ? 0 : usage(e, "there is no id 0");
}

/* One of the system's, or else the name or #id of one of the lab's. */
static int parse_queue(const char *text, struct value *value, struct error *e)
{
	uint32_t number;

	if (!word_value(&queue_words, text, &number))
		return parse_item(text, value, e);
	value->number = number;
	return 0;
}

static int parse_steps(const char *text, struct value *value, struct error *e)
{
	program_free(value->program);
	value->program = NULL;
	return program_parse(text, value->any, &value->program, e);
}

const struct arg_type arg_flag = { 0 };

const struct arg_type arg_u64 = { .meta = "N", .parse = parse_64 };

const struct arg_type arg_u32 = { .meta = "N", .parse = parse_32 };

const struct arg_type arg_cpu = { .meta = "CPU", .parse = parse_32 };

const struct arg_type arg_period = { .meta = "PERIOD", .parse = parse_time };

const struct arg_type arg_name = { .meta = "NAME", .parse = parse_new_name };

const struct arg_type arg_item = {
	.meta = "ITEM",
	.parse = parse_item,
	.complete = "$(_bhctl_items)",
};

const struct arg_type arg_queue = { .meta = "QUEUE", .parse = parse_queue, .words = &queue_words };

const struct arg_type arg_mech = {
	.meta = "MECHANISM",
	.parse = arg_parse_any,
	.complete = "$mechanisms queue lock fifo",
};

const struct arg_type arg_steps = { .meta = "STEPS", .parse = parse_steps };

const struct arg_type arg_file = { .meta = "FILE", .parse = arg_parse_any, .compgen = 'f' };

const struct arg_type arg_rest = {
	.meta = "CMD",
	.parse = arg_parse_any,
	.compgen = 'c',
	.span = SPAN_COMMAND,
};
