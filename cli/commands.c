// SPDX-License-Identifier: GPL-2.0-only
/* The commands of bhctl, in the order of the help. Each is in a file of its own or of its kind. */
#include <stddef.h>

#include "commands.h"

#define COMMANDS(C)						\
	C(info)							\
	C(mechanisms)						\
	C(list)							\
	C(show)							\
	C(add)							\
	C(add_queue)						\
	C(add_lock)						\
	C(add_fifo)						\
	C(del)							\
	C(queue)						\
	C(delay)						\
	C(cancel)						\
	C(flush)						\
	C(drain)						\
	C(disable)						\
	C(enable)						\
	C(trigger)						\
	C(deassert)						\
	C(wait)							\
	C(events)						\
	C(monitor)						\
	C(ring)							\
	C(batch)						\
	C(run)							\
	C(latency)						\
	C(explore)						\
	C(exec)							\
	C(record)						\
	C(report)						\
	C(compare)						\
	C(sleep)						\
	C(completion)						\
	C(help)

#define DECLARE(name)	extern const struct command command_##name;
#define LIST(name)	&command_##name,

COMMANDS(DECLARE)

const struct command *const commands[] = { COMMANDS(LIST) NULL };

/* What else there is help about. */
#define TOPICS(T)						\
	T(steps)						\
	T(scenario)						\
	T(functions)						\
	T(limits)

#define DECLARE_TOPIC(name)	extern const struct topic topic_##name;
#define LIST_TOPIC(name)	&topic_##name,

TOPICS(DECLARE_TOPIC)

const struct topic *const topics[] = { TOPICS(LIST_TOPIC) NULL };
