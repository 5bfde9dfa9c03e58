// SPDX-License-Identifier: GPL-2.0-only
/* What holds for every plan: counters, records, errnos. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "explore/judge.h"
#include "explore/model.h"

static void broken(struct judged *j, const char *kind, const char *fmt, ...) PRINTF(3, 4);

static void broken(struct judged *j, const char *kind, const char *fmt, ...)
{
	struct verdict *v = j->verdict;
	va_list args;

	if (v->failed)
		return;
	va_start(args, fmt);
	vsnprintf(v->text, sizeof(v->text), fmt, args);
	va_end(args);
	v->failed = true;
	v->entry = -1;
	v->item = j->item;
	snprintf(v->kind, sizeof(v->kind), "%s", kind);
}

static void check_counters(struct judged *j)
{
	const struct bhlab_item_state *st = &j->play->items[j->item];
	unsigned long long sum = st->out_runs + st->out_cancelled + st->out_merged +
				 st->out_outstanding;

	if (st->out_accepted != sum || st->out_outstanding)
		broken(j, "counters", "x%d: accepted %llu, but %llu runs, %llu cancelled, %llu "
		       "merged, %llu outstanding", j->item,
		       (unsigned long long)st->out_accepted, (unsigned long long)st->out_runs,
		       (unsigned long long)st->out_cancelled, (unsigned long long)st->out_merged,
		       (unsigned long long)st->out_outstanding);
}

/* Contexts that the kernel's documentation gives; RT and threadirqs move some to threads. */
static uint32_t contexts_of(const struct judged *j)
{
	const struct plan_item *item = &j->plan->items[j->item];
	bool rt = j->machine->world & WORLD_RT;
	bool hard = item->flags & BHLAB_ITEM_HARD;

	switch (item->mech) {
	case BHLAB_MECH_WORK:
		return item->queue >= 0 && j->plan->queues[item->queue] == BHLAB_WQ_BH ?
			       BHLAB_CTX_SOFTIRQ : BHLAB_CTX_TASK;
	case BHLAB_MECH_KTHREAD_WORK:
	case BHLAB_MECH_RCU_WORK:
	case BHLAB_MECH_SRCU:
		return BHLAB_CTX_TASK;
	case BHLAB_MECH_IRQ:
		/* A replay runs in a softirq. */
		return j->machine->world & WORLD_THREADIRQS ?
			       BHLAB_CTX_TASK | BHLAB_CTX_SOFTIRQ :
			       BHLAB_CTX_HARDIRQ | BHLAB_CTX_SOFTIRQ;
	case BHLAB_MECH_IRQ_WORK:
		return rt && !hard ? BHLAB_CTX_TASK : BHLAB_CTX_HARDIRQ;
	case BHLAB_MECH_CSD:
		/* A CPU that is idle needs no interrupt. */
		return BHLAB_CTX_HARDIRQ | BHLAB_CTX_TASK;
	case BHLAB_MECH_HRTIMER:
		return rt && !hard ? BHLAB_CTX_SOFTIRQ : BHLAB_CTX_HARDIRQ;
	case BHLAB_MECH_RCU:
		return BHLAB_CTX_SOFTIRQ | BHLAB_CTX_TASK;
	default:
		return BHLAB_CTX_SOFTIRQ;
	}
}

/* It may run beside itself, after what it was asked for. */
static bool may_overlap(const struct judged *j)
{
	enum overlap overlap = model_chapter(judged_item(j)->mech)->overlap;

	if (overlap == OVERLAP_NEVER || overlap == OVERLAP_ALWAYS)
		return overlap == OVERLAP_ALWAYS;
	for (unsigned int i = 0; i < j->play->nr_log; i++) {
		const struct verb_call *call = &j->play->log[i].call;

		if (call->item == j->item &&
		    (overlap == OVERLAP_OTHER_CPU ? call->cpu : call->queue) >= 0)
			return true;
	}
	return false;
}

/* The call that destroyed it, or NULL. */
static const struct log_entry *destruction(const struct judged *j)
{
	for (unsigned int i = 0; i < j->play->nr_log; i++) {
		const struct log_entry *entry = &j->play->log[i];

		if (entry->call.verb == V_DESTROY && entry->call.item == j->item && !entry->err)
			return entry;
	}
	return NULL;
}

static void check_record(struct judged *j, const struct bhlab_event *record)
{
	uint64_t ns = program_ns(judged_item(j)->steps, judged_item(j)->nr_steps);
	const struct log_entry *end = destruction(j);

	if (record->queued_ns > record->started_ns || record->started_ns > record->finished_ns)
		broken(j, "times", "x%d, run %u: queued, started, ended is not the order of its "
		       "times", j->item, record->nth);
	if (end && record->finished_ns > end->end)
		broken(j, "runs on", "x%d, run %u: ended after the item had been destroyed",
		       j->item, record->nth);
	/* Its spins and sleeps end early then. */
	if (!record->skipped && !(end && record->finished_ns >= end->begin) &&
	    record->finished_ns - record->started_ns < ns)
		broken(j, "too short", "x%d, run %u: took %lluns, and its program %lluns",
		       j->item, record->nth,
		       (unsigned long long)(record->finished_ns - record->started_ns),
		       (unsigned long long)ns);
	if (!(record->context & contexts_of(j)))
		broken(j, "context", "x%d, run %u: in context %#x, expected %#x", j->item,
		       record->nth, record->context & 7, contexts_of(j));
}

static void check_records(struct judged *j)
{
	const struct bhlab_event *last = NULL;
	bool overlaps = may_overlap(j);
	unsigned long long runs = 0;

	for (size_t i = 0; i < j->play->nr_records; i++) {
		const struct bhlab_event *record = &j->play->records[i];

		if (record->kind != BHLAB_EVENT_RUN || record->cookie != (uint64_t)j->item)
			continue;
		runs++;
		check_record(j, record);
		if (last && record->started_ns < last->finished_ns && !overlaps)
			broken(j, "overlap", "x%d: run %u began before run %u had ended", j->item,
			       record->nth, last->nth);
		if (!last || record->finished_ns > last->finished_ns)
			last = record;
	}
	if (!j->play->lost && j->play->items[j->item].size &&
	    runs != j->play->items[j->item].out_runs)
		broken(j, "records", "x%d: %llu runs, and %llu records of runs", j->item,
		       (unsigned long long)j->play->items[j->item].out_runs, runs);
}

/* What may be answered at all; the model knows more of those it is asked about. */
static void check_errno(struct judged *j, const struct log_entry *entry)
{
	switch (entry->err) {
	case 0:
	case ENOENT:
	case EBUSY:
	case EAGAIN:
	case EOPNOTSUPP:
	case EINVAL:
		return;
	case ETIMEDOUT:
		if (entry->call.verb == V_WAIT_IDLE || entry->call.verb == V_WAIT_RUNNING)
			return;
		break;
	case EPERM:
		if (j->machine->world & WORLD_MEMBER || entry->call.queue >= 0)
			return;
		break;
	default:
		break;
	}
	judged_fault(j, entry, "nothing documents this errno here");
}

static void check_item(struct judged *j)
{
	if (j->play->stuck)
		broken(j, "no rest", "the items do not come to rest");
	if (j->play->items[j->item].size && !j->verdict->failed)
		check_counters(j);
	check_records(j);
}

void always_check(struct judged *j)
{
	for (unsigned int i = 0; i < j->play->nr_log && !j->verdict->failed; i++) {
		j->item = j->play->log[i].call.item;
		check_errno(j, &j->play->log[i]);
	}
	for (j->item = 0; j->item < j->plan->nr_items && !j->verdict->failed; j->item++)
		check_item(j);
}
