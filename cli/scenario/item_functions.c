// SPDX-License-Identifier: GPL-2.0-only
/* Functions of expressions that ask the driver and the kernel, as of now. */
#include <errno.h>
#include <inttypes.h>
#include <json.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "scenario/expr.h"

/* --- objects of the lab */

static int object_id(struct eval *eval, const struct expr_arg *arg, uint32_t *id)
{
	*id = scene_object(eval->scene, arg->name);
	return *id ? 0 : no_value(eval, "there is no %s", arg->name);
}

static int refused_state(struct eval *eval, const struct expr_arg *arg, int err)
{
	return no_value(eval, "%s: %s", arg->name, err == ENOENT ? "it is deleted" : strerror(err));
}

static int item_state(struct eval *eval, const struct expr *call, struct bhlab_item_state *state)
{
	int err;

	*state = (struct bhlab_item_state){ .size = sizeof(*state) };
	if (object_id(eval, &call->args[0], &state->id))
		return -1;
	err = lab_ioctl(&eval->scene->lab, BHLAB_IOC_ITEM_STATE, state);
	return err ? refused_state(eval, &call->args[0], err) : 0;
}

/* @param: where in struct bhlab_item_state the counter is */
static int item_counter(struct eval *eval, const struct expr *call, struct datum *value)
{
	struct bhlab_item_state state;
	uint64_t counter;

	if (item_state(eval, call, &state))
		return -1;
	memcpy(&counter, (char *)&state + call->function->param, sizeof(counter));
	value->number = (int64_t)counter;
	return 0;
}

static int item_runs(struct eval *eval, const struct expr *call, struct datum *value)
{
	struct bhlab_item_state state;

	if (item_state(eval, call, &state))
		return -1;
	value->number = (int64_t)(call->args[0].thread ? state.out_thread_runs : state.out_runs);
	return 0;
}

/* @param: where the 32 bits are */
static int item_field(struct eval *eval, const struct expr *call, struct datum *value)
{
	struct bhlab_item_state state;
	uint32_t field;

	if (item_state(eval, call, &state))
		return -1;
	memcpy(&field, (char *)&state + call->function->param, sizeof(field));
	value->number = field;
	return 0;
}

/* @param: BHLAB_STATE_* */
static int item_is(struct eval *eval, const struct expr *call, struct datum *value)
{
	struct bhlab_item_state state;

	if (item_state(eval, call, &state))
		return -1;
	value->number = !!(state.out_state & call->function->param);
	return 0;
}

static int item_idle(struct eval *eval, const struct expr *call, struct datum *value)
{
	struct bhlab_item_state state;

	if (item_state(eval, call, &state))
		return -1;
	value->number = !(state.out_state & (BHLAB_STATE_PENDING | BHLAB_STATE_RUNNING));
	return 0;
}

static int fifo_state(struct eval *eval, const struct expr *call, struct bhlab_fifo_state *state)
{
	int err;

	*state = (struct bhlab_fifo_state){ .size = sizeof(*state) };
	if (object_id(eval, &call->args[0], &state->id))
		return -1;
	err = lab_ioctl(&eval->scene->lab, BHLAB_IOC_FIFO_STATE, state);
	return err == ENOENT ? no_value(eval, "%s is no FIFO", call->args[0].name) :
	       err ? refused_state(eval, &call->args[0], err) : 0;
}

/* @param: where the counter is */
static int fifo_counter(struct eval *eval, const struct expr *call, struct datum *value)
{
	struct bhlab_fifo_state state;
	uint64_t counter;

	if (fifo_state(eval, call, &state))
		return -1;
	memcpy(&counter, (char *)&state + call->function->param, sizeof(counter));
	value->number = (int64_t)counter;
	return 0;
}

static int fifo_field(struct eval *eval, const struct expr *call, struct datum *value)
{
	struct bhlab_fifo_state state;
	uint32_t field;

	if (fifo_state(eval, call, &state))
		return -1;
	memcpy(&field, (char *)&state + call->function->param, sizeof(field));
	value->number = field;
	return 0;
}

static int queue_active(struct eval *eval, const struct expr *call, struct datum *value)
{
	struct bhlab_queue_state state = { .size = sizeof(state) };
	int err;

	if (object_id(eval, &call->args[0], &state.id))
		return -1;
	err = lab_ioctl(&eval->scene->lab, BHLAB_IOC_QUEUE_STATE, &state);
	if (err)
		return no_value(eval, "%s is no queue", call->args[0].name);
	value->number = state.out_active;
	return 0;
}

/* --- what the kernel counts */

/* The sum of the numbers that follow a label and a colon in a file of /proc. */
static bool sum_of_row(const char *path, const char *label, int64_t *sum)
{
	FILE *file = fopen(path, "re");
	size_t size = 0, len = strlen(label);
	char *text = NULL;
	bool found = false;

	while (file && !found && getline(&text, &size, file) >= 0) {
		char *p = text + strspn(text, " "), *end;

		if (strncmp(p, label, len) || p[len] != ':')
			continue;
		found = true;
		for (*sum = 0, p += len + 1;; p = end) {
			long long number = strtoll(p, &end, 10);

			if (end == p)
				break;
			*sum += number;
		}
	}
	if (file)
		fclose(file);
	free(text);
	return found;
}

static int item_interrupts(struct eval *eval, const struct expr *call, struct datum *value)
{
	struct bhlab_item_state state;
	char label[16];

	if (item_state(eval, call, &state))
		return -1;
	snprintf(label, sizeof(label), "%u", state.out_irq);
	if (sum_of_row("/proc/interrupts", label, &value->number))
		return 0;
	return no_value(eval, "/proc/interrupts has no line %s", label);
}

static int kernel_softirqs(struct eval *eval, const struct expr *call, struct datum *value)
{
	static const char *const labels[] = {
		"HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED",
		"HRTIMER", "RCU",
	};
	const char *label = labels[__builtin_ctz(call->args[0].word)];

	if (sum_of_row("/proc/softirqs", label, &value->number))
		return 0;
	return no_value(eval, "/proc/softirqs has no line %s", label);
}

static int kernel_cpus(struct eval *eval, const struct expr *call, struct datum *value)
{
	value->number = sysconf(_SC_NPROCESSORS_ONLN);
	return 0;
}

/* "0-1,3"; a node without CPUs, as numa=fake makes them, runs nothing. */
unsigned int nodes_online(void)
{
	FILE *file = fopen("/sys/devices/system/node/has_cpu", "re");
	char text[256];
	cpu_set_t nodes;
	struct error e;

	CPU_ZERO(&nodes);
	if (file && fgets(text, sizeof(text), file)) {
		text[strcspn(text, "\n")] = '\0';
		parse_cpus(text, &nodes, &e);
	}
	if (file)
		fclose(file);
	return CPU_COUNT(&nodes) ? CPU_COUNT(&nodes) : 1;
}

static int kernel_nodes(struct eval *eval, const struct expr *call, struct datum *value)
{
	value->number = nodes_online();
	return 0;
}

static int kernel_now(struct eval *eval, const struct expr *call, struct datum *value)
{
	value->number = (int64_t)monotonic_ns();
	return 0;
}

static int scene_took(struct eval *eval, const struct expr *call, struct datum *value)
{
	value->number = (int64_t)eval->scene->took_ns;
	return 0;
}

static int scene_lost(struct eval *eval, const struct expr *call, struct datum *value)
{
	value->number = (int64_t)eval->scene->lost;
	return 0;
}

#define ITEM(field) offsetof(struct bhlab_item_state, out_##field)
#define FIFO(field) offsetof(struct bhlab_fifo_state, out_##field)

const struct function item_functions[] = {
	{ "runs", "i", DATUM_NUMBER, item_runs, 0, NULL, NULL },
	{ "accepted", "o", DATUM_NUMBER, item_counter, ITEM(accepted), NULL, NULL },
	{ "coalesced", "o", DATUM_NUMBER, item_counter, ITEM(coalesced), NULL, NULL },
	{ "refused", "o", DATUM_NUMBER, item_counter, ITEM(refused), NULL, NULL },
	{ "cancelled", "o", DATUM_NUMBER, item_counter, ITEM(cancelled), NULL, NULL },
	{ "merged", "o", DATUM_NUMBER, item_counter, ITEM(merged), NULL, NULL },
	{ "lost_raises", "o", DATUM_NUMBER, item_counter, ITEM(lost), NULL, NULL },
	{ "latched", "o", DATUM_NUMBER, item_counter, ITEM(latched), NULL, NULL },
	{ "replayed", "o", DATUM_NUMBER, item_counter, ITEM(replayed), NULL, NULL },
	{ "repeated", "o", DATUM_NUMBER, item_counter, ITEM(repeated), NULL, NULL },
	{ "outstanding", "o", DATUM_NUMBER, item_counter, ITEM(outstanding), NULL, NULL },
	{ "expired", "o", DATUM_NUMBER, item_counter, ITEM(expired), NULL, NULL },
	{ "skipped", "o", DATUM_NUMBER, item_counter, ITEM(skipped), NULL, NULL },
	{ "throttled", "o", DATUM_NUMBER, item_counter, ITEM(throttled), NULL, NULL },
	{ "thread_runs", "o", DATUM_NUMBER, item_counter, ITEM(thread_runs), NULL, NULL },
	{ "thread_wakes", "o", DATUM_NUMBER, item_counter, ITEM(thread_wakes), NULL, NULL },
	{ "thread_merged", "o", DATUM_NUMBER, item_counter, ITEM(thread_merged), NULL, NULL },
	{ "missed", "o", DATUM_NUMBER, item_counter, ITEM(period_missed), NULL, NULL },
	{ "depth", "o", DATUM_NUMBER, item_field, ITEM(depth), NULL, NULL },
	{ "irq", "o", DATUM_NUMBER, item_field, ITEM(irq), NULL, NULL },
	{ "state", "o", DATUM_SET, item_field, ITEM(state), &state_words, NULL },
	{ "pending", "o", DATUM_NUMBER, item_is, BHLAB_STATE_PENDING, NULL, NULL },
	{ "delayed", "o", DATUM_NUMBER, item_is, BHLAB_STATE_DELAYED, NULL, NULL },
	{ "running", "o", DATUM_NUMBER, item_is, BHLAB_STATE_RUNNING, NULL, NULL },
	{ "disabled", "o", DATUM_NUMBER, item_is, BHLAB_STATE_DISABLED, NULL, NULL },
	{ "periodic", "o", DATUM_NUMBER, item_is, BHLAB_STATE_PERIODIC, NULL, NULL },
	{ "asserted", "o", DATUM_NUMBER, item_is, BHLAB_STATE_ASSERTED, NULL, NULL },
	{ "masked", "o", DATUM_NUMBER, item_is, BHLAB_STATE_MASKED, NULL, NULL },
	{ "idle", "o", DATUM_NUMBER, item_idle, 0, NULL, NULL },
	{ "interrupts", "o", DATUM_NUMBER, item_interrupts, 0, NULL, NULL },
	{ "pushed", "f", DATUM_NUMBER, fifo_counter, FIFO(pushed), NULL, NULL },
	{ "popped", "f", DATUM_NUMBER, fifo_counter, FIFO(popped), NULL, NULL },
	{ "dropped", "f", DATUM_NUMBER, fifo_counter, FIFO(dropped), NULL, NULL },
	{ "level", "f", DATUM_NUMBER, fifo_field, FIFO(level), NULL, NULL },
	{ "highest", "f", DATUM_NUMBER, fifo_field, FIFO(highest), NULL, NULL },
	{ "active", "q", DATUM_NUMBER, queue_active, 0, NULL, NULL },
	{ "softirqs", "s", DATUM_NUMBER, kernel_softirqs, 0, NULL, NULL },
	{ "cpus", "", DATUM_NUMBER, kernel_cpus, 0, NULL, NULL },
	{ "nodes", "", DATUM_NUMBER, kernel_nodes, 0, NULL, NULL },
	{ "now", "", DATUM_MOMENT, kernel_now, 0, NULL, NULL },
	{ "took", "", DATUM_TIME, scene_took, 0, NULL, NULL },
	{ "lost", "", DATUM_NUMBER, scene_lost, 0, NULL, NULL },
	{ 0 },
};
