// SPDX-License-Identifier: GPL-2.0-only
/* A result, or why there is none, as it is printed. */
#include <json.h>
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "base/out.h"

static void error_json(const struct call *call, const struct error *e, const char *text)
{
	json_object *doc = json_object_new_object();

	json_add_text(doc, "error", text);
	json_add(doc, "errno", e->err ? json_object_new_string(strerrorname_np(e->err)) : NULL);
	json_add_number(doc, "exit", e->status);
	if (call->file) {
		json_add_text(doc, "file", call->file);
		json_add_number(doc, "line", call->line);
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
		fprintf(stderr, "%s:%u: ", call->file, call->line);
	fputs(text, stderr);
	if (e->err)
		fprintf(stderr, " (%s)", strerrorname_np(e->err));
	fputc('\n', stderr);
}

/* "queued (emulated)", "was-pending (waited for the running handler)" */
static void print_word(const struct result *result)
{
	json_object *doc = result->doc;
	const char *separator = " (";

	fputs(result->word, stdout);
	if (json_flag(doc, "/emulated"))
		printf("%semulated", separator), separator = ", ";
	if (json_flag(doc, "/waited"))
		printf("%swaited for the running handler", separator), separator = ", ";
	if (json_object_object_get_ex(doc, "depth", NULL))
		printf("%sdepth %d", separator, (int)json_number(doc, "/depth")), separator = ", ";
	if (json_number(doc, "/period_ns"))
		printf("%severy %s", separator, json_string(doc, "/period")), separator = ", ";
	if (json_number(doc, "/count") > 1 && !json_number(doc, "/period_ns"))
		printf("%s%d of %d", separator, (int)json_number(doc, "/set"),
		       (int)json_number(doc, "/count")), separator = ", ";
	puts(*separator == ',' ? ")" : "");
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
