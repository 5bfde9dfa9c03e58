// SPDX-License-Identifier: GPL-2.0-only
/* bhctl: the global options, and one command. */
#include <getopt.h>
#include <limits.h>
#include <linux/bhlab.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "commands.h"
#include "lab/lab.h"
#include "base/near.h"
#include "base/out.h"
#include "base/parse.h"
#include "base/signals.h"

enum { OPTION_FD = 256, OPTION_COLOR };

static const struct option longs[] = {
	{ "device", required_argument, NULL, 'd' },
	{ "fd", required_argument, NULL, OPTION_FD },
	{ "json", no_argument, NULL, 'j' },
	{ "parsable", no_argument, NULL, 'p' },
	{ "quiet", no_argument, NULL, 'q' },
	{ "color", required_argument, NULL, OPTION_COLOR },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static int set_fd(const char *text, struct error *e)
{
	uint64_t fd;

	if (parse_number(text, INT_MAX, &fd, e)) {
		error_prefix(e, "--fd");
		return -1;
	}
	options.fd = (int)fd;
	return 0;
}

static int set_color(const char *when, struct error *e)
{
	const char *no_color = getenv("NO_COLOR");

	if (!strcmp(when, "always"))
		options.color = true;
	else if (!strcmp(when, "never"))
		options.color = false;
	else if (!strcmp(when, "auto"))
		options.color = isatty(STDOUT_FILENO) && !(no_color && *no_color);
	else
		return usage(e, "--color: '%s' is not auto, always or never", when);
	return 0;
}

static int set_format(enum format format, struct error *e)
{
	if (options.format != FORMAT_TEXT && options.format != format)
		return usage(e, "-j and -p exclude each other");
	options.format = format;
	return 0;
}

static int unknown_option(const char *word, struct error *e)
{
	const char *name = word + strspn(word, "-");
	struct near near = near_to(name, strcspn(name, "="));

	for (const struct option *option = longs; option->name; option++)
		near_try(&near, option->name);
	if (near.best)
		return usage(e, "unknown option '%s'; did you mean '--%s'?", word, near.best);
	return usage(e, "unknown option '%s'; 'bhctl help' lists all", word);
}

/* Sets @done if nothing is left to do. */
static int set_option(int c, const char *word, bool *done, struct error *e)
{
	switch (c) {
	case 'd':
		options.device = optarg;
		return 0;
	case OPTION_FD:
		return set_fd(optarg, e);
	case 'j':
		return set_format(FORMAT_JSON, e);
	case 'p':
		return set_format(FORMAT_PARSABLE, e);
	case 'q':
		options.quiet = true;
		return 0;
	case OPTION_COLOR:
		return set_color(optarg, e);
	case 'V':
		printf("bhctl %s, ABI %u\n", BHCTL_VERSION, BHLAB_ABI_VERSION);
		*done = true;
		return 0;
	case 'h':
		help_all();
		*done = true;
		return 0;
	case ':':
		return usage(e, "option '%s' needs a value", word);
	default:
		return unknown_option(word, e);
	}
}

static int parse_globals(int argc, char **argv, bool *done, struct error *e)
{
	int c;

	opterr = 0;
	if (set_color("auto", e))
		return -1;
	while (!*done && (c = getopt_long(argc, argv, "+:d:jpqVh", longs, NULL)) != -1)
		if (set_option(c, argv[optind - 1], done, e))
			return -1;
	if (options.device && options.fd >= 0)
		return usage(e, "-d and --fd exclude each other");
	if (!*done && optind == argc)
		return usage(e, "which command? 'bhctl help' lists all");
	return 0;
}

/* Of a command that was not understood. */
static void print_where_help_is(const struct call *call)
{
	if (call->cmd && options.format != FORMAT_JSON)
		fprintf(stderr, "see 'bhctl help %s'\n", call->cmd->name);
}

static int run_command(int argc, char **argv, struct call *call)
{
	struct result result = { 0 };
	struct lab lab = { .fd = -1 };
	bool understood = !call_parse(call, argc, argv, &result.error);
	int status;

	if (understood)
		call_run(call, &lab, &result);
	status = result_print(call, &result);
	if (!understood)
		print_where_help_is(call);
	result_free(&result);
	call_free(call);
	lab_close(&lab);
	return status;
}

int main(int argc, char **argv)
{
	struct call call = { 0 };
	struct error error = { 0 };
	bool done = false;
	int status = STATUS_OK;

	setlocale(LC_ALL, "");
	commands_use(commands, topics);
	signals_catch(SIGINT);
	if (parse_globals(argc, argv, &done, &error))
		status = error.status;
	else if (!done)
		status = run_command(argc - optind, argv + optind, &call);
	if (error.status)
		out_error(&call, &error);
	if (out_finish(&error)) {
		out_error(&call, &error);
		status = status ? status : error.status;
	}
	if (!status && signals_caught())
		status = STATUS_SIGNAL + signals_caught();
	return status;
}
