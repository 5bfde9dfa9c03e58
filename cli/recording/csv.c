// SPDX-License-Identifier: GPL-2.0-only
/* report: all fields of the records, separated by commas as RFC 4180 has it. */
#include <json.h>
#include <string.h>

#include "lab/event_row.h"
#include "recording/report.h"

static void put_quoted(FILE *file, const char *text)
{
	bool plain = !strpbrk(text, ",\"\r\n");

	if (plain) {
		fputs(text, file);
		return;
	}
	putc('"', file);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', file);
		putc(*text, file);
	}
	putc('"', file);
}

/* Words with blanks between; what is not known is empty. */
static void put_value(FILE *file, json_object *value)
{
	char cell[CELL_SIZE];

	if (!json_object_is_type(value, json_type_array)) {
		put_quoted(file, value ? json_object_get_string(value) : "");
		return;
	}
	json_join(value, " ", cell, sizeof(cell));
	put_quoted(file, cell);
}

static void put_row(FILE *file, json_object *row, bool head)
{
	const char *separator = "";

	json_object_object_foreach(row, key, value) {
		fputs(separator, file);
		if (head)
			put_quoted(file, key);
		else
			put_value(file, value);
		separator = ",";
	}
	fputs("\r\n", file);
}

int report_csv(const struct recording *recording, FILE *file, struct error *e)
{
	const struct bhlab_event none = { .kind = BHLAB_EVENT_RUN };
	json_object *row = event_json(&none, "", "");
	char name[BHLAB_NAME_LEN];

	put_row(file, row, true);
	json_object_put(row);
	for (size_t i = 0; i < recording->records.nr; i++) {
		const struct bhlab_event *event = &recording->records.list[i];

		row = event_json(event, recording_name(recording, event->item, name),
				 recording_mech(recording, event));
		put_row(file, row, false);
		json_object_put(row);
	}
	return 0;
}
