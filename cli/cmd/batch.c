// SPDX-License-Identifier: GPL-2.0-only
/* batch: commands from a file, in one lab. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "lab/lab.h"
#include "base/out.h"
#include "base/parse.h"
#include "base/signals.h"

struct batch {
	struct lab *lab;
	FILE *input;
	const char *file;	/* its name in messages */
	unsigned int line;
	bool keep_going;
	int status;		/* of the first failure */
};

static int run_words(struct batch *batch, int argc, char **argv, struct call *call,
		     struct result *result)
{
	if (call_parse(call, argc, argv, &result->error))
		return -1;
	if (!strcmp(call->cmd->name, "batch") && !call->help)
		return usage(&result->error, "a batch cannot run another one");
	call->file = batch->file;
	call->line = batch->line;
	return call_run(call, batch->lab, result);
}

/* The exit status of one line; what it prints is out before the next. */
static int run_line(struct batch *batch, const char *text)
{
	struct result result = { 0 };
	struct call call = { 0 };
	struct line line;
	int status;

	if (line_split(&line, text, &result.error)) {
		line = (struct line){ 0 };
	} else if (line.argc) {
		run_words(batch, line.argc, line.argv, &call, &result);
	}
	call.file = batch->file;
	call.line = batch->line;
	status = result_print(&call, &result);
	fflush(stdout);
	result_free(&result);
	call_free(&call);
	line_free(&line);
	return status;
}

static void run_lines(struct batch *batch)
{
	char *text = NULL;
	size_t size = 0;

	while (!signals_caught() && getline(&text, &size, batch->input) >= 0) {
		int status;

		batch->line++;
		text[strcspn(text, "\n")] = '\0';
		status = run_line(batch, text);
		if (!batch->status)
			batch->status = status;
		if (status && !batch->keep_going)
			break;
	}
	free(text);
}

static int run_batch(const struct call *call, struct lab *lab, struct result *result)
{
	const char *path = arg_given(call, "FILE") ? arg_typed(call, "FILE") : "-";
	bool is_stdin = !strcmp(path, "-");
	struct batch batch = {
		.lab = lab,
		.input = is_stdin ? stdin : fopen(path, "re"),
		.file = is_stdin ? "stdin" : path,
		.keep_going = arg_given(call, "--keep-going"),
	};

	if (!batch.input)
		return fail(&result->error, STATUS_USAGE, errno, "cannot read '%s': %s", path,
			    strerror(errno));
	lab->kept = true;
	run_lines(&batch);
	if (ferror(batch.input))
		fail(&result->error, STATUS_USAGE, errno, "cannot read '%s': %s", path,
		     strerror(errno));
	else
		result->error.status = batch.status;
	if (!is_stdin)
		fclose(batch.input);
	return result->error.status ? -1 : 0;
}

const struct command command_batch = {
	.name = "batch",
	.summary = "run commands from a file, all in one lab",
	.args = ARGS(
		{ "FILE", &arg_file, .optional = true },
		{ "--keep-going", &arg_flag, "continue after a failure", .letter = 'k' }),
	.notes =
		"One command a line, as in the shell but without 'bhctl'; '#' begins a comment.\n"
		"Without FILE, or if FILE is '-', bhctl reads standard input. It stops at the first\n"
		"failure.\n",
	.lab = LAB_NONE,
	.run = run_batch,
};
