/* SPDX-License-Identifier: GPL-2.0-only */
/* A record as JSON, and as a row of a table. */
#ifndef BHCTL_EVENT_ROW_H
#define BHCTL_EVENT_ROW_H

#include <linux/bhlab.h>

#include "base/out.h"

/* @item and @mechanism are what the record's numbers are called. */
json_object *event_json(const struct bhlab_event *event, const char *item, const char *mechanism);

/*
 * The columns; the first is LAB. Their argument is the time from which TIME
 * counts, a uint64_t.
 */
extern const struct field event_fields[];
extern const size_t event_fields_nr;

#endif
