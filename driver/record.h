/* SPDX-License-Identifier: GPL-2.0-only */
/* Records: what the ring tells. */
#ifndef BHLAB_RECORD_H
#define BHLAB_RECORD_H

#include <linux/types.h>

#include <linux/bhlab.h>

struct bhlab_item;
struct bhlab_run;
struct bhlab_stamp;

void bhlab_record(struct bhlab_item *item, enum bhlab_event_kind kind,
		  const struct bhlab_stamp *stamp, u64 value);
void bhlab_record_here(const struct bhlab_run *run, enum bhlab_event_kind kind,
		       u64 value);

#endif /* BHLAB_RECORD_H */
