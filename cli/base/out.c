// SPDX-License-Identifier: GPL-2.0-only
/* Printing. */
#include <errno.h>
#include <langinfo.h>
#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/out.h"
#include "base/parse.h"

#define JSON_FLAGS (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

static void cell_raw(json_object *value, char *cell)
{
	if (json_object_is_type(value, json_type_array))
		json_join(value, ",", cell, CELL_SIZE);
	else
		snprintf(cell, CELL_SIZE, "%s", value ? json_object_get_string(value) : "");
}

void out_cell(const struct field *field, json_object *row, const void *arg, char *cell)
{
	json_object *value = json_at(row, field->path);

	cell[0] = '\0';
	if (field->text)
		field->text(row, value, arg, cell);
	else
		cell_raw(value, cell);
	if (!cell[0])
		strcpy(cell, "-");
}

static void cell_text(const struct field *field, json_object *row, const void *arg, char *cell)
{
	if (options.format == FORMAT_TEXT)
		out_cell(field, row, arg, cell);
	else
		cell_raw(json_at(row, field->path), cell);
}

static void print_parsable(const struct field *fields, size_t nr, json_object *row)
{
	char cell[CELL_SIZE];

	for (size_t i = 0; i < nr; i++) {
		cell_text(&fields[i], row, NULL, cell);
		printf("%s%s", i ? "\t" : "", cell);
	}
	putchar('\n');
}

static void table_row(struct libscols_table *table, const struct field *fields, size_t nr,
		      json_object *row, const void *arg)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char cell[CELL_SIZE];

	if (!line)
		no_memory();
	for (size_t i = 0; i < nr; i++) {
		cell_text(&fields[i], row, arg, cell);
		if (scols_line_set_data(line, i, cell))
			no_memory();
		if (options.color && fields[i].color)
			scols_cell_set_color(scols_line_get_cell(line, i), fields[i].color(row));
	}
}

static struct libscols_table *table_new(const struct field *fields, size_t nr)
{
	struct libscols_table *table = scols_new_table();

	if (!table)
		no_memory();
	scols_table_enable_colors(table, options.color);
	for (size_t i = 0; i < nr; i++)
		if (!scols_table_new_column(table, fields[i].head, 0,
					    SCOLS_FL_NOEXTREMES |
						    (fields[i].right ? SCOLS_FL_RIGHT : 0)))
			no_memory();
	return table;
}

void out_table(const struct field *fields, size_t nr, json_object *rows, const void *arg)
{
	size_t nr_rows = json_object_array_length(rows);
	struct libscols_table *table;

	if (options.format == FORMAT_PARSABLE) {
		for (size_t i = 0; i < nr_rows; i++)
			print_parsable(fields, nr, json_object_array_get_idx(rows, i));
		return;
	}
	table = table_new(fields, nr);
	for (size_t i = 0; i < nr_rows; i++)
		table_row(table, fields, nr, json_object_array_get_idx(rows, i), arg);
	scols_print_table(table);
	scols_unref_table(table);
}

void out_list(const struct field *fields, size_t nr, json_object *doc)
{
	char cell[CELL_SIZE];
	int width = 0;

	for (size_t i = 0; i < nr; i++)
		if ((int)strlen(fields[i].head) > width)
			width = (int)strlen(fields[i].head);
	for (size_t i = 0; i < nr; i++) {
		if (options.format == FORMAT_TEXT && !json_at(doc, fields[i].path))
			continue;
		cell_text(&fields[i], doc, doc, cell);
		if (options.format == FORMAT_PARSABLE)
			printf("%s\t%s\n", fields[i].path + 1, cell);
		else
			printf("%-*s  %s\n", width, fields[i].head, cell);
	}
}

/* How many columns of a terminal, which is not how many bytes. */
static int text_width(const char *text)
{
	wchar_t wide[CELL_SIZE];
	size_t len = mbstowcs(wide, text, CELL_SIZE);
	int width = len == (size_t)-1 ? -1 : wcswidth(wide, len);

	return width < 0 ? (int)strlen(text) : width;
}

static void stream_cell(const struct field *field, const char *text, const char *color)
{
	int pad = field->width - text_width(text);

	if (!options.color)
		color = NULL;
	if (field->right)
		printf("%*s", pad > 0 ? pad : 0, "");
	printf("%s%s%s", color ? color : "", text, color ? "\033[0m" : "");
	if (field->width)
		printf("%*s ", !field->right && pad > 0 ? pad : 0, "");
}

void out_stream_head(const struct field *fields, size_t nr)
{
	if (options.format != FORMAT_TEXT)
		return;
	for (size_t i = 0; i < nr; i++)
		stream_cell(&fields[i], fields[i].head, NULL);
	putchar('\n');
	fflush(stdout);
}

void out_stream_row(const struct field *fields, size_t nr, json_object *row, const void *arg)
{
	char cell[CELL_SIZE];

	if (options.format == FORMAT_PARSABLE) {
		print_parsable(fields, nr, row);
		return;
	}
	for (size_t i = 0; i < nr; i++) {
		cell_text(&fields[i], row, arg, cell);
		stream_cell(&fields[i], cell, fields[i].color ? fields[i].color(row) : NULL);
	}
	putchar('\n');
}

/* The key that begins at @text, into @key; what follows it, or NULL. */
static const char *format_key(const char *text, char *key, size_t size)
{
	size_t len = strcspn(text, "}");

	if (text[len] != '}' || len >= size)
		return NULL;
	memcpy(key, text, len);
	key[len] = '\0';
	return text + len + 1;
}

int format_check(const char *format, json_object *row, struct error *e)
{
	char key[32];

	for (const char *p = format; *p; ) {
		if (*p++ != '{')
			continue;
		if (*p == '{') {
			p++;
			continue;
		}
		p = format_key(p, key, sizeof(key));
		if (!p)
			return usage(e, "'%s' has a '{' without its '}'", format);
		if (!json_object_object_get_ex(row, key, NULL))
			return usage(e, "an event has no '%s'; see the keys that -j prints", key);
	}
	return 0;
}

void out_format(const char *format, json_object *row)
{
	char key[32], cell[CELL_SIZE];

	for (const char *p = format; *p; ) {
		if (*p != '{' || p[1] == '{') {
			putchar(*p);
			p += *p == '{' ? 2 : 1;
			continue;
		}
		p = format_key(p + 1, key, sizeof(key));
		cell_raw(json_object_object_get(row, key), cell);
		fputs(cell, stdout);
	}
	putchar('\n');
}

void out_json(json_object *doc)
{
	puts(json_object_to_json_string_ext(doc, JSON_FLAGS));
}

int out_finish(struct error *e)
{
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	return fail(e, STATUS_REFUSED, errno, "cannot write to standard output");
}

void text_words(json_object *row, json_object *value, const void *arg, char *cell)
{
	if (value)
		json_join(value, ", ", cell, CELL_SIZE);
}

void text_period(json_object *row, json_object *value, const void *arg, char *cell)
{
	if (value)
		period_exact(json_object_get_uint64(value), cell, CELL_SIZE);
}

void text_ns(json_object *row, json_object *value, const void *arg, char *cell)
{
	if (value)
		period_round(json_object_get_uint64(value), cell, CELL_SIZE);
}

/*
 * Leaves the last column free: after a character there some terminals have already moved
 * to the next line, and our line break would print an empty one.
 */
int out_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col < 40 ? 39 : size.ws_col - 1;
	return columns && atoi(columns) >= 40 ? atoi(columns) - 1 : 79;
}

int out_columns(const char *text, size_t len)
{
	int columns = 0;

	while (len--)
		columns += ((unsigned char)*text++ & 0xc0) != 0x80;
	return columns;
}

int out_words(const char *text, size_t len, int indent, int at, int width)
{
	const char *end = text + len, *blanks = " \t\n";

	while ((text += strspn(text, blanks)) < end) {
		size_t word = strcspn(text, blanks);
		int columns;

		word = text + word > end ? (size_t)(end - text) : word;
		columns = out_columns(text, word);
		if (at && at + 1 + columns > width) {
			putchar('\n');
			at = 0;
		}
		at += printf("%*s", at ? 1 : indent, "") + columns;
		fwrite(text, word, 1, stdout);
		text += word;
	}
	return at;
}

bool out_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

const char *out_arrow(void)
{
	return out_utf8() ? "\u2192" : "->";
}
