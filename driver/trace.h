/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tracepoints bhlab:*, for perf, trace-cmd and bpftrace. They have the
 * fields of the ring's records, under the same names, as the event happens.
 * Disabled, each costs its static branch.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM bhlab

#if !defined(BHLAB_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define BHLAB_TRACE_H

#include <linux/tracepoint.h>

#include "run.h"
#include "stamp.h"
#include "mech/list.h"
#include "mech/mech.h"

#define bhlab_trace_stages						\
	EM(BHLAB_STAGE_MAIN, "main")					\
	EM(BHLAB_STAGE_TOP, "top")					\
	EM_LAST(BHLAB_STAGE_THREAD, "thread")

#define bhlab_trace_results						\
	EM(BHLAB_RESULT_QUEUED, "queued")				\
	EM(BHLAB_RESULT_ALREADY_PENDING, "already-pending")		\
	EM(BHLAB_RESULT_DISABLED, "disabled")				\
	EM_LAST(BHLAB_RESULT_MODIFIED, "modified")

/* Readers of the format need the numbers behind the names. */
#undef EM
#undef EM_LAST
#define EM(value, name)		TRACE_DEFINE_ENUM(value);
#define EM_LAST(value, name)	TRACE_DEFINE_ENUM(value);

BHLAB_MECHS(BHLAB_MECH_DEFINE_ENUM)
bhlab_trace_stages
bhlab_trace_results

#undef EM
#undef EM_LAST
#define EM(value, name)		{ value, name },
#define EM_LAST(value, name)	{ value, name }

#define BHLAB_ITEM_FIELDS						\
	__field(u64, cookie)						\
	__field(u32, lab)						\
	__field(u32, item)						\
	__array(char, name, BHLAB_NAME_LEN)				\
	__field(u8, mech)

#define BHLAB_ITEM_ASSIGN(_item)					\
	do {								\
		__entry->cookie = (_item)->cookie;			\
		__entry->lab = (_item)->obj.lab->id;			\
		__entry->item = (_item)->obj.id;			\
		memcpy(__entry->name, (_item)->obj.name, BHLAB_NAME_LEN);	\
		__entry->mech = (_item)->ops->id;			\
	} while (0)

#define BHLAB_ITEM_FORMAT	"lab=%u item=%u name=%s mech=%s"
#define BHLAB_ITEM_VALUES						\
	__entry->lab, __entry->item, __entry->name,			\
	__print_symbolic(__entry->mech,					\
			 BHLAB_MECHS(BHLAB_MECH_SYMBOL) { 0, "none" })

/* The answer to an activation by a verb or a step. */
DECLARE_EVENT_CLASS(bhlab_activation,
	TP_PROTO(const struct bhlab_item *item,
		 const struct bhlab_activation *act,
		 const struct bhlab_stamp *stamp, int result),
	TP_ARGS(item, act, stamp, result),
	TP_STRUCT__entry(
		BHLAB_ITEM_FIELDS
		__field(u64, queued_ns)
		__field(u64, delay_ns)
		__field(u32, requeues)
		__field(u16, queue_cpu)
		__field(int, result)
	),
	TP_fast_assign(
		BHLAB_ITEM_ASSIGN(item);
		__entry->queued_ns = stamp->ns;
		__entry->delay_ns = act->ns;
		__entry->requeues = act->requeues;
		__entry->queue_cpu = stamp->cpu;
		__entry->result = result;
	),
	TP_printk(BHLAB_ITEM_FORMAT
		  " result=%s queue_cpu=%u queued_ns=%llu delay_ns=%llu requeues=%u",
		  BHLAB_ITEM_VALUES,
		  __print_symbolic(__entry->result, bhlab_trace_results),
		  __entry->queue_cpu, __entry->queued_ns, __entry->delay_ns,
		  __entry->requeues)
);

DEFINE_EVENT(bhlab_activation, bhlab_queue,
	TP_PROTO(const struct bhlab_item *item,
		 const struct bhlab_activation *act,
		 const struct bhlab_stamp *stamp, int result),
	TP_ARGS(item, act, stamp, result)
);

/* The same for an interrupt line, which is raised. */
DEFINE_EVENT(bhlab_activation, bhlab_trigger,
	TP_PROTO(const struct bhlab_item *item,
		 const struct bhlab_activation *act,
		 const struct bhlab_stamp *stamp, int result),
	TP_ARGS(item, act, stamp, result)
);

/* Of the two events of a run. */
#define BHLAB_RUN_FORMAT	BHLAB_ITEM_FORMAT " stage=%s nth=%u"
#define BHLAB_RUN_VALUES						\
	BHLAB_ITEM_VALUES,						\
	__print_symbolic(__entry->stage, bhlab_trace_stages), __entry->nth

/* The program is about to start. */
TRACE_EVENT(bhlab_run_start,
	TP_PROTO(const struct bhlab_run *run),
	TP_ARGS(run),
	TP_STRUCT__entry(
		BHLAB_ITEM_FIELDS
		__field(u64, queued_ns)
		__field(u64, started_ns)
		__field(u32, nth)
		__field(u16, queue_cpu)
		__field(u16, cpu)
		__field(u16, context)
		__field(u8, stage)
	),
	TP_fast_assign(
		BHLAB_ITEM_ASSIGN(run->item);
		__entry->queued_ns = run->stamp.ns;
		__entry->started_ns = run->started;
		__entry->nth = run->nth;
		__entry->queue_cpu = run->stamp.cpu;
		__entry->cpu = run->cpu;
		__entry->context = run->context;
		__entry->stage = run->stage;
	),
	TP_printk(BHLAB_RUN_FORMAT
		  " queue_cpu=%u cpu=%u context=0x%x queued_ns=%llu started_ns=%llu",
		  BHLAB_RUN_VALUES, __entry->queue_cpu, __entry->cpu,
		  __entry->context, __entry->queued_ns, __entry->started_ns)
);

/* The program has ended, and is recorded. */
TRACE_EVENT(bhlab_run_end,
	TP_PROTO(const struct bhlab_run *run, u64 finished),
	TP_ARGS(run, finished),
	TP_STRUCT__entry(
		BHLAB_ITEM_FIELDS
		__field(u64, started_ns)
		__field(u64, finished_ns)
		__field(u32, nth)
		__field(u32, skipped)
		__field(u16, cpu)
		__field(u16, flags)
		__field(u8, stage)
	),
	TP_fast_assign(
		BHLAB_ITEM_ASSIGN(run->item);
		__entry->started_ns = run->started;
		__entry->finished_ns = finished;
		__entry->nth = run->nth;
		__entry->skipped = run->skipped;
		__entry->cpu = run->cpu;
		__entry->flags = run->flags;
		__entry->stage = run->stage;
	),
	TP_printk(BHLAB_RUN_FORMAT
		  " cpu=%u skipped=%u flags=0x%x started_ns=%llu finished_ns=%llu",
		  BHLAB_RUN_VALUES, __entry->cpu, __entry->skipped,
		  __entry->flags, __entry->started_ns, __entry->finished_ns)
);

/* An activation was cancelled. */
TRACE_EVENT(bhlab_cancel,
	TP_PROTO(const struct bhlab_item *item,
		 const struct bhlab_stamp *stamp),
	TP_ARGS(item, stamp),
	TP_STRUCT__entry(
		BHLAB_ITEM_FIELDS
		__field(u64, queued_ns)
		__field(u16, queue_cpu)
	),
	TP_fast_assign(
		BHLAB_ITEM_ASSIGN(item);
		__entry->queued_ns = stamp->ns;
		__entry->queue_cpu = stamp->cpu;
	),
	TP_printk(BHLAB_ITEM_FORMAT " queue_cpu=%u queued_ns=%llu",
		  BHLAB_ITEM_VALUES, __entry->queue_cpu, __entry->queued_ns)
);

#endif /* BHLAB_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
