// SPDX-License-Identifier: GPL-2.0-only
/* monitor: the events of all labs, as the driver sends them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "lab/event_row.h"
#include "lab/lab.h"
#include "cmd/netlink.h"
#include "base/signals.h"
#include "base/words.h"

#define UNKNOWN UINT64_MAX

/* One "bhctl monitor" while it runs. */
struct monitor {
	const struct call *call;
	struct netlink nl;
	uint64_t max;		/* stop after so many */
	uint64_t shown;
	uint64_t base;		/* TIME counts from here */
	uint64_t *next;		/* by lab, the number of its next event */
	uint32_t nr_labs;
};

/* --- losses */

/* The number of the lab's next event; UNKNOWN when none has come yet. */
static uint64_t *next_of(struct monitor *m, uint32_t lab)
{
	if (lab >= m->nr_labs) {
		m->next = xrealloc(m->next, lab + 1, sizeof(*m->next));
		while (m->nr_labs <= lab)
			m->next[m->nr_labs++] = UNKNOWN;
	}
	return &m->next[lab];
}

static void show_lost(json_object *lab, json_object *count)
{
	json_object *row = json_object_new_object();

	json_add_text(row, "kind", "lost");
	json_add(row, "lab", lab);
	json_add(row, "count", count);
	if (options.format == FORMAT_JSON) {
		out_json(row);
	} else {
		fflush(stdout);
		fprintf(stderr, "bhctl: monitor: %s%s%s\n", count ? json_string(row, "/count") : "",
			count ? " events were lost, of lab " :
				"events were lost; the next events of each lab report how many",
			json_string(row, "/lab"));
	}
	json_object_put(row);
}

/* What is missing before this message; the lab's next one is after it. */
static void count_lost(struct monitor *m, const struct message *message)
{
	uint64_t *next = next_of(m, message->lab);
	uint64_t lost = message->lost;

	/* Another lab that has the number of one whose end has not come here. */
	if (*next != UNKNOWN && message->first >= *next)
		lost = message->first - *next;
	*next = message->closed ? UNKNOWN : message->first + message->nr_events;
	if (lost)
		show_lost(json_object_new_uint64(message->lab), json_object_new_uint64(lost));
}

/* --- events */

static bool item_wanted(const struct value *item, uint32_t id, const char *name)
{
	if (!item->given)
		return true;
	return item->number ? item->number == id : !strcmp(item->text, name);
}

static bool wanted(const struct monitor *m, const struct bhlab_event *event, const char *item,
		   const char *mechanism)
{
	const struct call *call = m->call;

	return arg_number(call, "--lab", event->lab) == event->lab &&
	       arg_number(call, "--kind", event->kind) == event->kind &&
	       item_wanted(arg(call, "--item"), event->item, item) &&
	       (!arg_given(call, "--mechanism") ||
		!strcmp(arg_typed(call, "--mechanism"), mechanism));
}

static void show_event(struct monitor *m, const struct bhlab_event *event, const char *item,
		       const char *mechanism)
{
	json_object *row = event_json(event, item, mechanism);

	if (!m->shown++ && !arg_given(m->call, "--absolute"))
		m->base = event->started_ns;
	if (arg_given(m->call, "--format"))
		out_format(arg_typed(m->call, "--format"), row);
	else if (options.format == FORMAT_JSON)
		out_json(row);
	else
		out_stream_row(event_fields, event_fields_nr, row, &m->base);
	json_object_put(row);
}

static void show_message(const struct message *message, void *arg)
{
	char buf[BHLAB_NAME_LEN];
	struct monitor *m = arg;

	if (arg_number(m->call, "--lab", message->lab) != message->lab)
		return;
	count_lost(m, message);
	for (uint32_t i = 0; i < message->nr_events && m->shown < m->max; i++) {
		const struct bhlab_event *event = &message->events[i];
		const char *item = message_item_name(message, event->item, buf);
		const char *mechanism = netlink_mech(&m->nl, event->mech);

		if (wanted(m, event, item, mechanism))
			show_event(m, event, item, mechanism);
	}
}

/* --- the command */

static int check_format(const struct call *call, struct error *e)
{
	const struct bhlab_event none = { 0 };
	json_object *row;
	int ret;

	if (!arg_given(call, "--format"))
		return 0;
	if (options.format != FORMAT_TEXT)
		return usage(e, "--format excludes -j and -p");
	row = event_json(&none, "", "");
	ret = format_check(arg_typed(call, "--format"), row, e);
	json_object_put(row);
	return ret;
}

static int check_monitor(const struct call *call, struct error *e)
{
	if (arg_number(call, "--buffer", 0) > INT32_MAX / 2)
		return usage(e, "--buffer: the kernel does not allow that much");
	if (check_format(call, e)) {
		error_prefix(e, "--format");
		return -1;
	}
	return 0;
}

/* What a mechanism is called is known once the driver was asked. */
static int check_mechanism(const struct monitor *m, struct error *e)
{
	const char *name = arg_typed(m->call, "--mechanism");

	if (!arg_given(m->call, "--mechanism"))
		return 0;
	for (uint32_t i = 1; i <= m->nl.nr_mechs; i++)
		if (!strcmp(netlink_mech(&m->nl, i), name))
			return 0;
	return usage(e, "--mechanism: unknown mechanism '%s'; 'bhctl mechanisms' lists them", name);
}

static int monitor_open(struct monitor *m, struct error *e)
{
	if (netlink_open(&m->nl, m->call, e) || check_mechanism(m, e))
		return -1;
	return netlink_subscribe(&m->nl, m->call, e);
}

static void show_head(const struct monitor *m)
{
	json_object *row;

	if (arg_given(m->call, "--banner") && options.format == FORMAT_JSON) {
		row = json_object_new_object();
		json_add_text(row, "kind", "subscribed");
		out_json(row);
		json_object_put(row);
	} else if (arg_given(m->call, "--banner")) {
		puts("subscribed");
	}
	if (!arg_given(m->call, "--format"))
		out_stream_head(event_fields, event_fields_nr);
	fflush(stdout);
}

/* What is there now, or comes until the time @end. */
static int show_new(struct monitor *m, uint64_t end)
{
	uint64_t now = monotonic_ns();
	int err = netlink_wait(&m->nl, end > now ? end - now : 0);

	if (!err)
		err = netlink_receive(&m->nl, show_message, m);
	if (err == ENOBUFS)
		show_lost(NULL, NULL);
	fflush(stdout);
	return err == EINTR || err == ENOBUFS ? 0 : err;
}

/*
 * 0 when it was asked to end: enough shown, or SIGINT; ETIMEDOUT: idle for long
 * enough. What is not wanted does not count.
 */
static int follow(struct monitor *m)
{
	uint64_t idle_ns = arg_number(m->call, "--idle-timeout", UINT64_MAX / 2);
	uint64_t shown, end = monotonic_ns() + idle_ns;
	int err = 0;

	while (!err && m->shown < m->max && !signals_caught()) {
		shown = m->shown;
		err = show_new(m, end);
		if (m->shown != shown)
			end = monotonic_ns() + idle_ns;
	}
	if (signals_caught())
		note("interrupted; %" PRIu64 " events were shown", m->shown);
	return err;
}

static int run_monitor(const struct call *call, struct lab *lab, struct result *result)
{
	struct monitor m = { .call = call, .max = arg_number(call, "--count", UINT64_MAX) };
	int err, ret;

	ret = monitor_open(&m, &result->error);
	if (!ret) {
		show_head(&m);
		err = follow(&m);
		if (err == ETIMEDOUT && m.max != UINT64_MAX)
			ret = fail(&result->error, STATUS_TIMEOUT, err,
				   "only %" PRIu64 " came in time", m.shown);
		else if (err && err != ETIMEDOUT)
			ret = refused(&result->error, call, err);
	}
	netlink_close(&m.nl);
	free(m.next);
	return ret;
}

static const struct arg_type arg_format = { .meta = "FORMAT", .parse = arg_parse_any };

const struct command command_monitor = {
	.name = "monitor",
	.summary = "show the events of all labs as they happen",
	.args = ARGS(
		{ "--count", &arg_u64, "stop after this many events", .letter = 'n' },
		{ "--lab", &arg_u32, "show events of this lab only; 'info' prints its number" },
		{ "--item", &arg_item, "show events of items with this name or #id only" },
		{ "--mechanism", &arg_mech, "show events of this mechanism only" },
		{ "--kind", .words = &kind_words, .help = "show events of this kind only" },
		{ "--idle-timeout", &arg_period, "stop when no event came for this long" },
		{ "--format", &arg_format,
		  "print this for each event; {KEY} is what -j has under KEY" },
		{ "--buffer", &arg_u32,
		  "bytes of the receive buffer; default 8388608" },
		{ "--banner", &arg_flag,
		  "print a line once subscribed" },
		{ "--absolute", &arg_flag,
		  "print times of CLOCK_MONOTONIC, not since the first event" }),
	.notes =
	"Needs CAP_NET_ADMIN. Shows events from now on, and never disturbs a lab. Where events\n"
	"were lost, a line says how many.\n",
	.meanings = MEANINGS(
		{ EPERM, "seeing the events of all labs needs CAP_NET_ADMIN" }),
	.lab = LAB_NONE,
	.check = check_monitor,
	.run = run_monitor,
};
