// SPDX-License-Identifier: GPL-2.0-only
/* Runs one command: opens the lab that it needs, and finds the objects that it names. */
#include <errno.h>
#include <json.h>
#include <stdio.h>
#include <string.h>

#include "base/near.h"
#include "base/text.h"
#include "command/command.h"
#include "lab/lab.h"

const struct argdef no_args[] = { { 0 } };

int lab_object(const struct lab *lab, const struct value *object, uint32_t *id)
{
	struct bhlab_lookup lookup = { .size = sizeof(lookup) };
	int err;

	if (object->number) {
		*id = (uint32_t)object->number;
		return 0;
	}
	snprintf(lookup.name, sizeof(lookup.name), "%s", object->text);
	err = lab_ioctl(lab, BHLAB_IOC_LOOKUP, &lookup);
	*id = lookup.id;
	return err;
}

/* What the lab has, that may have been meant. */
static void add_hint(const struct lab *lab, const char *name, struct error *e)
{
	struct bhlab_lookup object = { .size = sizeof(object) };
	struct near near = near_to(name, strlen(name));
	struct text text = text_after(e->text, sizeof(e->text));
	char best[BHLAB_NAME_LEN];

	while (!lab_ioctl(lab, BHLAB_IOC_NEXT, &object)) {
		if (object.out_kind == BHLAB_KIND_RESERVED)
			continue;
		near_try(&near, object.name);
		if (near.best == object.name)
			near.best = strcpy(best, object.name);
	}
	text_add(&text, "%s", near_hint(&near));
}

int call_object(const struct call *call, const struct lab *lab, const char *name, uint32_t *id,
		struct error *e)
{
	int err = lab_object(lab, arg(call, name), id);

	if (!err)
		return 0;
	refused(e, call, err);
	if (err == ENOENT)
		add_hint(lab, arg_typed(call, name), e);
	return -1;
}

static int prepare_lab(const struct call *call, struct lab *lab, struct error *e)
{
	if (call->cmd->lab == LAB_NONE || lab->fd >= 0)
		return 0;
	if (lab_open(lab, e))
		return -1;
	if (call->cmd->lab == LAB_STATE && lab->owned && !lab->kept)
		note("there is no lab to share: this lab and its objects end with this command; "
		     "use 'bhctl exec' or 'bhctl batch' to keep one");
	return 0;
}

int call_run(const struct call *call, struct lab *lab, struct result *result)
{
	*result = (struct result){ 0 };
	if (call->help) {
		help_command(call->cmd);
		return 0;
	}
	if (prepare_lab(call, lab, &result->error))
		return -1;
	return call->cmd->run(call, lab, result);
}

void result_free(struct result *result)
{
	json_object_put(result->doc);
	result->doc = NULL;
}
