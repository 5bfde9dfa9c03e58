// SPDX-License-Identifier: GPL-2.0-only
/* Prints results and errors. */
#include <inttypes.h>
#include <json.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "base/out.h"
#include "base/text.h"

static void error_json(const struct call *call, const struct error *e, const char *text)
{
	json_object *doc = json_object_new_object();

	json_add_text(doc, "error", text);
	json_add(doc, "errno", e->err ? json_object_new_string(strerrorname_np(e->err)) : NULL);
	json_add_number(doc, "exit", e->status);
	if (call->file) {
		json_add_text(doc, "file", call->file);
		json_add_number(doc, "line", call->line);
		if (call->column)
			json_add_number(doc, "column", call->column);
	}
	out_json(doc);
	json_object_put(doc);
}

void out_error(const struct call *call, const struct error *e)
{
	char text[sizeof(e->text) + sizeof(call->subject) + 4];

	snprintf(text, sizeof(text), "%s%s%s", call->subject, *call->subject ? ": " : "", e->text);
	if (options.format == FORMAT_JSON) {
		error_json(call, e, text);
		return;
	}
	fflush(stdout);
	fputs("bhctl: ", stderr);
	if (call->file)
		fprintf(stderr, "%s:%u:", call->file, call->line);
	if (call->file && call->column)
		fprintf(stderr, "%u:", call->column);
	if (call->file)
		fputc(' ', stderr);
	fputs(text, stderr);
	if (e->err)
		fprintf(stderr, " (%s)", strerrorname_np(e->err));
	fputc('\n', stderr);
}

void result_text(const char *word, json_object *doc, char *buf, size_t size)
{
	struct text text = text_in(buf, size);
	const char *separator = " (";

	text_add(&text, "%s", word);
	if (json_flag(doc, "/emulated")) {
		text_add(&text, "%semulated", separator);
		separator = ", ";
	}
	if (json_flag(doc, "/waited")) {
		text_add(&text, "%swaited for the running handler", separator);
		separator = ", ";
	}
	if (json_object_object_get_ex(doc, "depth", NULL)) {
		text_add(&text, "%sdepth %" PRIu64, separator, json_number(doc, "/depth"));
		separator = ", ";
	}
	if (json_number(doc, "/period_ns")) {
		text_add(&text, "%severy %s", separator, json_string(doc, "/period"));
		separator = ", ";
	} else if (json_number(doc, "/count") > 1) {
		text_add(&text, "%s%" PRIu64 " of %" PRIu64, separator, json_number(doc, "/set"),
			 json_number(doc, "/count"));
		separator = ", ";
	}
	if (*separator == ',')
		text_add(&text, ")");
}

static void print_word(const struct result *result)
{
	char text[128];

	result_text(result->word, result->doc, text, sizeof(text));
	puts(text);
}

static void print_text(const struct call *call, const struct result *result)
{
	if (call->cmd->print)
		call->cmd->print(result);
	else if (options.format == FORMAT_PARSABLE)
		puts(result->word);
	else if (!options.quiet)
		print_word(result);
}

int result_print(const struct call *call, const struct result *result)
{
	if (result->error.text[0])
		out_error(call, &result->error);
	else if (result->doc && options.format == FORMAT_JSON)
		out_json(result->doc);
	else if (result->doc)
		print_text(call, result);
	return result->error.status;
}
