// SPDX-License-Identifier: GPL-2.0-only
/* What the rows of a timeline say. */
#include <inttypes.h>

#include "base/parse.h"
#include "lab/timeline.h"
#include "base/words.h"

static void other_text(const struct bhlab_event *e, const char *name, char *buf, size_t size)
{
	uint64_t value = e->value;

	switch (e->kind) {
	case BHLAB_EVENT_COALESCED:
		snprintf(buf, size, "%s already pending", name);
		break;
	case BHLAB_EVENT_EXPIRED:
		snprintf(buf, size, "%s delay is over", name);
		break;
	case BHLAB_EVENT_MARK:
		snprintf(buf, size, "%s mark %" PRIu64, name, value);
		break;
	case BHLAB_EVENT_CANCELLED:
		snprintf(buf, size, "%s cancelled", name);
		break;
	case BHLAB_EVENT_DROPPED:
		snprintf(buf, size, "%s drops %" PRIu64, name, value);
		break;
	default:
		snprintf(buf, size, "%s %s, depth %" PRIu64, name, word_name(&kind_words, e->kind),
			 value);
		break;
	}
}

static void start_text(const struct row *row, const char *name, char *buf, size_t size)
{
	const struct bhlab_event *e = row->event;
	char period[32] = "", skipped[32] = "";

	if (row->whole)
		period_round(e->finished_ns - e->started_ns, period, sizeof(period));
	if (e->skipped)
		snprintf(skipped, sizeof(skipped), " %u skipped", e->skipped);
	snprintf(buf, size, "%s #%u %s%s%s%s", name, e->nth, period, row->whole ? " " : "", e->comm,
		 skipped);
}

void row_text(const struct history *history, const struct row *row, char *buf, size_t size)
{
	const struct bhlab_event *e = row->event;
	char name[48], own[BHLAB_NAME_LEN], period[32], cpu[16] = "";

	snprintf(name, sizeof(name), "%s%s", history->name(history->who, e->item, own),
		 e->stage == BHLAB_STAGE_THREAD ? ".thread" : "");
	if (row->kind == ROW_START) {
		start_text(row, name, buf, size);
	} else if (row->kind == ROW_OTHER) {
		other_text(e, name, buf, size);
	} else if (row->kind == ROW_END) {
		period_round(e->finished_ns - e->started_ns, period, sizeof(period));
		snprintf(buf, size, "%s #%u ends, %s", name, e->nth, period);
	} else {
		if (e->kind == BHLAB_EVENT_RUN && e->cpu != row->cpu)
			snprintf(cpu, sizeof(cpu), " > CPU %u", e->cpu);
		snprintf(buf, size, "%s queued%s", name, cpu);
	}
}
