/* SPDX-License-Identifier: GPL-2.0-only */
/* Printing: JSON documents as they are, or as tables and lists. */
#ifndef BHCTL_OUT_H
#define BHCTL_OUT_H

#include <json.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json_doc.h"

#define CELL_SIZE 512

/* A column of a table, or a line of a list. */
struct field {
	const char *head;
	const char *path;	/* JSON pointer into the row: "/limits/items" */
	/* For people; NULL: the value itself. @arg is what the printer was given. */
	void (*text)(json_object *row, json_object *value, const void *arg, char *cell);
	int width;		/* on streams, where nothing is known in advance; 0: the last */
	bool right;
	/* On a terminal: an escape sequence, or NULL. */
	const char *(*color)(json_object *row);
};

/* -p leaves the heads away, and prints raw values, tabs between. */
void out_table(const struct field *fields, size_t nr, json_object *rows, const void *arg);
/* What a cell has for people. */
void out_cell(const struct field *field, json_object *row, const void *arg, char *cell);
/* One line each; without -p what is not there has none. */
void out_list(const struct field *fields, size_t nr, json_object *doc);
/* The same as a table, but each row as it comes. */
void out_stream_head(const struct field *fields, size_t nr);
void out_stream_row(const struct field *fields, size_t nr, json_object *row, const void *arg);

/* "{item} on {cpu}": what is in braces is a key of the row; "{{" is a brace. */
int format_check(const char *format, json_object *row, struct error *e);
void out_format(const char *format, json_object *row);

/* One line of JSON. */
void out_json(json_object *doc);
/* What was printed has not arrived, or it has (0). */
int out_finish(struct error *e);

/* Field texts. */
void text_words(json_object *row, json_object *value, const void *arg, char *cell);
void text_period(json_object *row, json_object *value, const void *arg, char *cell);
/* The same, with three digits. */
void text_ns(json_object *row, json_object *value, const void *arg, char *cell);
const char *out_arrow(void);
/* Whether the locale has all characters. */
bool out_utf8(void);
/* How many columns a line may have. */
int out_width(void);
/* How many columns @len bytes of text take. */
int out_columns(const char *text, size_t len);
/*
 * The words of @text, in lines of @width columns. The first one begins in column @at, where
 * something stands already unless it is 0; the others are indented. Returns the column reached.
 */
int out_words(const char *text, size_t len, int indent, int at, int width);

#endif
