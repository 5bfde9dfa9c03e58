// SPDX-License-Identifier: GPL-2.0-only
/* report: a part of a recording, by time and by item. */
#include <string.h>

#include "base/near.h"
#include "command/command.h"
#include "recording/report.h"

struct part {
	uint64_t from_ns, to_ns;
	const char *items;	/* "w,line", or NULL */
};

/* The length of the name at @names; what follows it is ',' or the end. */
static size_t name_length(const char *names)
{
	return strcspn(names, ",");
}

static bool has_name(const char *names, const char *name)
{
	for (size_t len; *names; names += len + !!names[len]) {
		len = name_length(names);
		if (strlen(name) == len && !strncmp(names, name, len))
			return true;
	}
	return false;
}

static bool is_in(const struct part *part, const struct recording *recording,
		  const struct bhlab_event *event)
{
	char own[BHLAB_NAME_LEN];

	if (event->finished_ns < part->from_ns || event->started_ns > part->to_ns)
		return false;
	return !part->items || has_name(part->items, recording_name(recording, event->item, own));
}

static int unknown_item(const struct recording *recording, const char *name, size_t len,
			struct error *e)
{
	struct near near = near_to(name, len);

	for (size_t i = 0; i < recording->nr_items; i++)
		near_try(&near, recording->items[i].name);
	return usage(e, "--item: '%s' has no item '%.*s'%s", recording->path, (int)len, name,
		     near_hint(&near));
}

static bool knows(const struct recording *recording, const char *name, size_t len)
{
	char own[BHLAB_NAME_LEN];

	for (size_t i = 0; i < recording->records.nr; i++) {
		const char *other = recording_name(recording, recording->records.list[i].item, own);

		if (strlen(other) == len && !strncmp(other, name, len))
			return true;
	}
	return false;
}

static int check_items(const struct recording *recording, const char *names, struct error *e)
{
	for (size_t len; *names; names += len + !!names[len]) {
		len = name_length(names);
		if (!knows(recording, names, len))
			return unknown_item(recording, names, len, e);
	}
	return 0;
}

static void keep(struct recording *recording, const struct part *part)
{
	struct records *records = &recording->records;
	size_t kept = 0;

	for (size_t i = 0; i < records->nr; i++)
		if (is_in(part, recording, &records->list[i]))
			records->list[kept++] = records->list[i];
	records->nr = kept;
	/* What the driver has counted is of the whole. */
	for (size_t i = 0; i < recording->nr_items; i++)
		recording->items[i].counted = false;
}

int recording_part(struct recording *recording, const struct call *call, struct error *e)
{
	uint64_t base = recording->base_ns;
	struct part part = {
		.from_ns = base + arg_number(call, "--from", 0),
		.to_ns = arg_given(call, "--to") ? base + arg_number(call, "--to", 0) : UINT64_MAX,
		.items = arg_given(call, "--item") ? arg_typed(call, "--item") : NULL,
	};

	if (part.items && check_items(recording, part.items, e))
		return -1;
	if (part.from_ns > base || arg_given(call, "--to") || part.items)
		keep(recording, &part);
	if (part.from_ns > base || arg_given(call, "--to")) {
		recording->from_ns = part.from_ns;
		recording->to_ns = part.to_ns;
	}
	return 0;
}
