// SPDX-License-Identifier: GPL-2.0-only
/* What all parts of the judge need. */
#include <stdio.h>

#include "explore/judge.h"

uint64_t program_ns(const struct bhlab_step *steps, unsigned int nr)
{
	uint64_t ns = 0;

	for (unsigned int i = 0; i < nr; i++)
		if (steps[i].op == BHLAB_OP_SPIN || steps[i].op == BHLAB_OP_SLEEP)
			ns += steps[i].arg;
	return ns;
}

void judged_fault(struct judged *j, const struct log_entry *entry, const char *what)
{
	struct verdict *v = j->verdict;
	char call[80], answer[48];

	call_text(&entry->call, call, sizeof(call));
	answer_text(entry, answer, sizeof(answer));
	v->failed = true;
	v->item = j->item;
	v->entry = (int)(entry - j->play->log);
	snprintf(v->kind, sizeof(v->kind), "%s %s", what, verb_name(entry->call.verb));
	snprintf(v->text, sizeof(v->text), "%s = %s: %s", call, answer, what);
}
