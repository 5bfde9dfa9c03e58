// SPDX-License-Identifier: GPL-2.0-only
/* report: what a recording says. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "base/out.h"
#include "recording/report.h"

/* A file for another program, instead of the tables. */
static const struct export {
	const char *option;
	/* What can be refused before the file is touched; or NULL. */
	int (*check)(const struct recording *recording, struct error *e);
	int (*write)(const struct recording *recording, FILE *file, struct error *e);
} exports[] = {
	{ "--perfetto", NULL, report_perfetto },
	{ "--svg", check_svg, report_svg },
	{ "--csv", NULL, report_csv },
	{ "--html", check_svg, report_html },
};

#define EXPORTS ARRAY_SIZE(exports)

static bool is_stdout(const struct call *call, const struct export *export)
{
	return arg_given(call, export->option) && !strcmp(arg_typed(call, export->option), "-");
}

static int check_report(const struct call *call, struct error *e)
{
	const char *other = NULL;

	if (arg_given(call, "--to") && arg_number(call, "--to", 0) < arg_number(call, "--from", 0))
		return usage(e, "--to is before --from");
	for (size_t i = 0; i < EXPORTS; i++) {
		if (!is_stdout(call, &exports[i]))
			continue;
		if (other)
			return usage(e, "%s and %s cannot both go to standard output", other,
				     exports[i].option);
		other = exports[i].option;
	}
	return 0;
}

static bool any_export(const struct call *call)
{
	for (size_t i = 0; i < EXPORTS; i++)
		if (arg_given(call, exports[i].option))
			return true;
	return false;
}

/* Where an export goes. */
struct target {
	FILE *file;
	bool made;		/* it was not there before */
};

/* What is there stays as it is until all can be written. */
static int open_target(const char *path, struct target *target)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	target->made = fd >= 0;
	if (fd < 0 && errno == EEXIST)
		fd = open(path, O_WRONLY | O_CLOEXEC);
	target->file = fd < 0 ? NULL : fdopen(fd, "w");
	return target->file ? 0 : -1;
}

static int check_exports(const struct call *call, const struct recording *recording,
			 struct error *e)
{
	for (size_t i = 0; i < EXPORTS; i++)
		if (arg_given(call, exports[i].option) && exports[i].check &&
		    exports[i].check(recording, e))
			return -1;
	return 0;
}

static int open_targets(const struct call *call, struct target targets[EXPORTS], struct error *e)
{
	for (size_t i = 0; i < EXPORTS; i++) {
		const char *path = arg_typed(call, exports[i].option);

		if (!arg_given(call, exports[i].option))
			continue;
		if (is_stdout(call, &exports[i]))
			targets[i].file = stdout;
		else if (open_target(path, &targets[i]))
			return fail(e, STATUS_USAGE, errno, "cannot write '%s': %s", path,
				    strerror(errno));
	}
	return 0;
}

static void close_targets(const struct call *call, struct target targets[EXPORTS], bool forget)
{
	for (size_t i = 0; i < EXPORTS; i++) {
		if (targets[i].file && targets[i].file != stdout)
			fclose(targets[i].file);
		if (targets[i].made && forget)
			unlink(arg_typed(call, exports[i].option));
	}
}

static int write_file(const struct call *call, const struct export *export,
		      const struct recording *recording, FILE *file, struct error *e)
{
	const char *path = arg_typed(call, export->option);

	if (file != stdout && ftruncate(fileno(file), 0) && errno != EINVAL)
		return fail(e, STATUS_REFUSED, errno, "cannot write '%s'", path);
	if (export->write(recording, file, e))
		return -1;
	if (fflush(file) || ferror(file))
		return fail(e, STATUS_REFUSED, errno, "cannot write '%s'", path);
	return 0;
}

static int write_files(const struct call *call, const struct recording *recording, struct error *e)
{
	struct target targets[EXPORTS] = { 0 };
	int err = check_exports(call, recording, e) || open_targets(call, targets, e);

	for (size_t i = 0; i < EXPORTS && !err; i++)
		if (targets[i].file)
			err = write_file(call, &exports[i], recording, targets[i].file, e);
	close_targets(call, targets, err);
	return err ? -1 : 0;
}

/* What the files cannot say themselves; the tables do. */
static void tell(const struct recording *recording)
{
	if (!recording->end)
		note("'%s' was cut short; this is what it has", recording->path);
	if (recording->all_lost)
		note("%" PRIu64 " records were overwritten before they were recorded",
		     recording->all_lost);
}

static int report(const struct call *call, const struct recording *recording, struct result *result)
{
	if (any_export(call)) {
		tell(recording);
		return write_files(call, recording, &result->error);
	}
	result->doc = report_doc(recording);
	if (options.format == FORMAT_JSON)
		return 0;
	report_text(recording, result->doc);
	json_object_put(result->doc);
	result->doc = NULL;
	return 0;
}

static int run_report(const struct call *call, struct lab *lab, struct result *result)
{
	struct recording recording;
	int err;

	err = recording_read(arg_typed(call, "FILE"), &recording, &result->error);
	if (!err)
		err = recording_part(&recording, call, &result->error);
	if (!err)
		err = report(call, &recording, result);
	recording_free(&recording);
	return err;
}

static const struct arg_type arg_items = { .meta = "ITEM[,ITEM...]", .parse = arg_parse_any };

const struct command command_report = {
	.name = "report",
	.summary = "show a recording",
	.args = ARGS(
		{ "FILE", &arg_file },
		{ "--perfetto", &arg_file, "write a trace for ui.perfetto.dev into this file" },
		{ "--svg", &arg_file,
		  "draw distributions and a timeline into this file" },
		{ "--html", &arg_file,
		  "write a page into this file, with a timeline that can be zoomed" },
		{ "--csv", &arg_file, "write all fields of all records into this file" },
		{ "--from", &arg_period, "only what happened after so long a time" },
		{ "--to", &arg_period, "only what happened before" },
		{ "--item", &arg_items, "only these items" }),
	.notes =
	"FILE was written by 'bhctl record'. Without options, prints tables and a timeline. A\n"
	"file to write may be '-', standard output. Exits 64 if FILE is not a recording, or is\n"
	"damaged. Times count from the first thing that was recorded. Of a recording with many\n"
	"runs the picture shows the busiest part; --from and --to choose another one.\n",
	.lab = LAB_NONE,
	.check = check_report,
	.run = run_report,
};
