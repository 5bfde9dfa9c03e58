// SPDX-License-Identifier: GPL-2.0-only
/* Reports of scenarios as pages: one for all of them, or a directory with one for each. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/words.h"
#include "lab/page.h"
#include "lab/picture.h"
#include "lab/svg.h"
#include "scenario/report.h"

struct pages {
	const char *target;
	bool directory;
	int fd;			/* of the file, or of the index of the directory */
	FILE *index;		/* what it has to link to, while it grows */
	char *index_text;
	size_t index_size;
	FILE *body;		/* all scenarios, for one file */
	char *body_text;
	size_t body_size;
	struct list names;	/* of files that were written */
	char kernel[256];
	struct error error;
};

/* --- where they go */

static void file_name(const struct pages *pages, const char *name, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s", pages->target,
		 pages->target[strlen(pages->target) - 1] == '/' ? "" : "/", name);
}

/* @status: 64 as long as nothing was run, then 71. */
static int cannot_write(const char *path, int status, struct error *e)
{
	return fail(e, status, errno, "--html: cannot write '%s': %s", path,
		    strerror(errno));
}

static bool is_directory(const char *path)
{
	struct stat stat_of;

	return path[strlen(path) - 1] == '/' ||
	       (!stat(path, &stat_of) && S_ISDIR(stat_of.st_mode));
}

struct pages *pages_open(const char *target, struct error *e)
{
	struct pages *pages = xrealloc(NULL, 1, sizeof(*pages));
	char path[4096];
	struct utsname name;

	uname(&name);
	*pages = (struct pages){ .target = target, .directory = is_directory(target), .fd = -1 };
	snprintf(pages->kernel, sizeof(pages->kernel), "%s", name.release);
	snprintf(path, sizeof(path), "%s", target);
	if (pages->directory)
		file_name(pages, "index.html", path, sizeof(path));
	if (pages->directory && mkdir(target, 0777) && errno != EEXIST)
		cannot_write(target, STATUS_USAGE, e);
	else
		pages->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (pages->fd < 0) {
		if (!e->status)
			cannot_write(path, STATUS_USAGE, e);
		free(pages);
		return NULL;
	}
	pages->index = open_memstream(&pages->index_text, &pages->index_size);
	pages->body = open_memstream(&pages->body_text, &pages->body_size);
	if (!pages->index || !pages->body)
		no_memory();
	return pages;
}

/* --- a scenario */

static void put_element(FILE *file, const char *element, const char *class, const char *text)
{
	fprintf(file, "<%s%s%s%s>", element, class ? " class=\"" : "", class ? class : "",
		class ? "\"" : "");
	svg_escape(file, text);
	fprintf(file, "</%s>\n", element);
}

static void put_texts(FILE *file, const struct scenario *s)
{
	fputs("<p>", file);
	for (size_t i = 0; i < s->texts.nr; i++) {
		const char *text = s->texts.at[i];

		if (!*text)
			fputs("</p>\n<p>", file);
		svg_escape(file, text);
		fputs("\n", file);
	}
	fputs("</p>\n<p class=\"dim\">source: ", file);
	for (size_t i = 0; i < s->sources.nr; i++) {
		fputs(i ? "<br>\n" : "", file);
		svg_escape(file, s->sources.at[i]);
	}
	fputs("</p>\n", file);
}

static void put_verdict(FILE *file, const struct run *run)
{
	const char *word = verdict_word(run->verdict);
	char took[32], variants[512];

	period_round(run->took_ns, took, sizeof(took));
	variants_text(run, variants, sizeof(variants));
	fprintf(file, "<p><span class=\"verdict %s\">%s</span> ", word, word);
	if (run->verdict == SKIPPED || run->verdict == WRONG)
		svg_text(file, "%s", run->reason);
	else
		fprintf(file, "in %s", took);
	if (*variants)
		svg_text(file, "; variants taken: %s", variants);
	fputs("</p>\n", file);
}

static void put_checks(FILE *file, const struct run *run)
{
	fputs("<div class=\"scroll\"><table class=\"checks\">\n<tr><th></th><th class=\"number\">"
	      "line</th><th>expected</th><th>observed</th></tr>\n", file);
	for (size_t i = 0; i < run->checks.nr; i++) {
		const struct check *check = run->checks.at[i];

		fprintf(file, "<tr><td class=\"%s\">%s</td><td class=\"number\">",
			check->ok ? "ok" : "failed", check->ok ? "ok" : "FAILED");
		if (check->statement)
			fprintf(file, "%u", check->statement->line);
		fputs("</td><td><code>", file);
		svg_escape(file, check->what);
		fputs("</code></td><td>", file);
		svg_escape(file, check->observed ? check->observed : "");
		fputs("</td></tr>\n", file);
	}
	fputs("</table></div>\n", file);
}

static void put_file(FILE *file, const struct scenario *s)
{
	FILE *from = fopen(s->path, "re");
	unsigned int number = 0;
	char *line = NULL;
	size_t size = 0;

	if (!from)
		return;
	fputs("<details><summary>", file);
	svg_escape(file, s->path);
	fputs("</summary>\n<pre>", file);
	while (getline(&line, &size, from) >= 0) {
		line[strcspn(line, "\r\n")] = '\0';
		for (char *p = line; *p; p++)
			*p = *p == '\t' ? ' ' : *p;
		fprintf(file, "<span class=\"dim\">%4u</span>  ", ++number);
		svg_escape(file, line);
		putc('\n', file);
	}
	fputs("</pre></details>\n", file);
	free(line);
	fclose(from);
}

static const char *history_name(const void *who, uint32_t id, char buf[BHLAB_NAME_LEN])
{
	const struct run *run = who;

	return scene_name(&run->scene, id);
}

static const char *history_mech(const void *who, const struct bhlab_event *event)
{
	if (event->mech == BHLAB_MECH_WORK && event->context & BHLAB_CTX_SOFTIRQ)
		return "bh_work";
	return word_name(&mech_words, event->mech);
}

static void put_timeline(FILE *file, const struct run *run)
{
	struct history history = {
		.records = &run->scene.records, .executed = &run->executed, .name = history_name,
		.mech = history_mech, .who = run,
	};
	struct picture picture = page_picture_of(&history);

	if (!run->scene.records.nr && !run->executed.nr)
		return;
	picture_make(&picture);
	page_picture(file, &picture);
	picture_free(&picture);
}

static void put_scenario(const struct pages *pages, FILE *file, const struct run *run,
			 const char *heading)
{
	const struct scenario *s = run->scenario;

	fprintf(file, "<%s id=\"", heading);
	svg_escape(file, s->name);
	fputs("\">", file);
	svg_escape(file, s->title);
	fprintf(file, "</%s>\n<p class=\"dim\">", heading);
	svg_text(file, "%s · %s", s->name, pages->kernel);
	fputs("</p>\n", file);
	put_verdict(file, run);
	put_texts(file, s);
	if (run->verdict != SKIPPED) {
		put_timeline(file, run);
		put_checks(file, run);
	}
	put_file(file, s);
}

/* --- all of them */

/* "work-requeue.html", or if there is one already, "work-requeue-2.html". */
static char *new_name(struct pages *pages, const char *name)
{
	char *file = xrealloc(NULL, strlen(name) + 32, 1);

	for (unsigned int nr = 1;; nr++) {
		bool taken = false;

		strcpy(file, name);
		for (char *p = file; *p; p++)
			if (*p == '/')
				*p = '-';
		if (nr > 1)
			sprintf(file + strlen(file), "-%u", nr);
		strcat(file, ".html");
		for (size_t i = 0; i < pages->names.nr; i++)
			taken = taken || !strcmp(file, pages->names.at[i]);
		if (taken)
			continue;
		list_add(&pages->names, file);
		return file;
	}
}

static void write_page(struct pages *pages, const char *name, const struct run *run)
{
	char path[4096];
	FILE *file;

	file_name(pages, name, path, sizeof(path));
	file = fopen(path, "we");
	if (!file) {
		cannot_write(path, STATUS_REFUSED, &pages->error);
		return;
	}
	page_begin(file, run->scenario->title);
	fputs("<p class=\"dim\"><a href=\"index.html\">all scenarios</a></p>\n", file);
	put_scenario(pages, file, run, "h1");
	page_end(file);
	if (fflush(file) || ferror(file))
		cannot_write(path, STATUS_REFUSED, &pages->error);
	fclose(file);
}

void pages_scenario(struct pages *pages, const struct run *run)
{
	const struct scenario *s = run->scenario;
	const char *word = verdict_word(run->verdict), *page = NULL;

	if (pages->directory) {
		page = new_name(pages, s->name);
		if (!pages->error.status)
			write_page(pages, page, run);
	} else {
		put_scenario(pages, pages->body, run, "h2");
	}
	fprintf(pages->index, "<tr><td class=\"verdict %s\">%s</td><td><a href=\"%s", word, word,
		page ? "" : "#");
	svg_escape(pages->index, page ? page : s->name);
	fputs("\">", pages->index);
	svg_escape(pages->index, s->title);
	fputs("</a></td><td class=\"dim\">", pages->index);
	svg_escape(pages->index, s->name);
	fputs("</td></tr>\n", pages->index);
}

static void put_index(struct pages *pages, FILE *file, const struct totals *totals)
{
	char text[512];

	snprintf(text, sizeof(text), "Scenarios on %s", pages->kernel);
	page_begin(file, text);
	put_element(file, "h1", NULL, text);
	snprintf(text, sizeof(text), "%zu scenarios, %" PRIu64 " expectations: %zu passed, %zu "
		 "failed, %zu skipped", totals->done, totals->expectations,
		 totals->by_verdict[PASSED],
		 totals->by_verdict[FAILED] + totals->by_verdict[WRONG],
		 totals->by_verdict[SKIPPED]);
	put_element(file, "p", NULL, text);
	fputs("<div class=\"scroll\"><table>\n", file);
	fwrite(pages->index_text, pages->index_size, 1, file);
	fputs("</table></div>\n", file);
	fwrite(pages->body_text, pages->body_size, 1, file);
	page_end(file);
}

static int write_index(struct pages *pages, const struct totals *totals, struct error *e)
{
	FILE *file;
	int err = 0;

	if (ftruncate(pages->fd, 0) && errno != EINVAL)
		return cannot_write(pages->target, STATUS_REFUSED, e);
	file = fdopen(pages->fd, "w");
	if (!file)
		no_memory();
	put_index(pages, file, totals);
	if (fflush(file) || ferror(file))
		err = cannot_write(pages->target, STATUS_REFUSED, e);
	fclose(file);
	return err;
}

int pages_close(struct pages *pages, const struct totals *totals, struct error *e)
{
	int err;

	fclose(pages->index);
	fclose(pages->body);
	err = write_index(pages, totals, e);
	if (!err && pages->error.status) {
		*e = pages->error;
		err = -1;
	}
	for (size_t i = 0; i < pages->names.nr; i++)
		free(pages->names.at[i]);
	list_free(&pages->names);
	free(pages->index_text);
	free(pages->body_text);
	free(pages);
	return err;
}
