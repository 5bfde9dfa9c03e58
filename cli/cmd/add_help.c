// SPDX-License-Identifier: GPL-2.0-only
/* help add MECHANISM: what an item of it takes. */
#include <linux/bhlab.h>
#include <stdio.h>
#include <string.h>

#include "base/words.h"
#include "cmd/add_help.h"
#include "command/command.h"

extern const struct command command_add;

/* What its program may do, by the context for which it is written. */
#define TASK								\
	"Its program runs in process context, and may have all steps but 'thread', 'none' "	\
	"and 'complete'. "
#define SOFTIRQ								\
	"Its program runs in a softirq: it may neither sleep nor have 'bh_off'. "
#define HARDIRQ								\
	"Its program runs in hardirq context: it may neither sleep nor have 'bh_off' or "	\
	"'irq_off'. "

static const struct kind {
	uint32_t mech;
	const char *summary;
	const char *options;	/* those that not all mechanisms take */
	const char *notes;
} kinds[] = {
	{ BHLAB_MECH_WORK, "create a work item, which a kworker runs",
	  "--do --queue --static",
	  TASK "On a BH queue it runs in a softirq.\n" },
	{ BHLAB_MECH_TASKLET, "create a tasklet", "--do --static", SOFTIRQ "\n" },
	{ BHLAB_MECH_TASKLET_HI, "create a tasklet of high priority", "--do --static",
	  SOFTIRQ "\n" },
	{ BHLAB_MECH_IRQ, "create an interrupt line, which 'bhctl trigger' raises",
	  "--do --top --thread --flow --oneshot",
	  "The top half runs in hardirq context, or in a thread where interrupts are forced into "
	  "threads: it may neither sleep nor have 'requeue', 'bh_off' or 'irq_off'. Its step "
	  "'thread' wakes the thread, if the irq has one; 'none' says that the interrupt was not "
	  "for it. The thread is in process context, and may have all steps but 'requeue', "
	  "'thread', 'none' and 'complete'.\n" },
	{ BHLAB_MECH_IRQ_WORK, "create an irq_work", "--do --hard --lazy", HARDIRQ "\n" },
	{ BHLAB_MECH_TIMER, "create a timer of the timer wheel", "--do --irqsafe --pinned",
	  SOFTIRQ "\n" },
	{ BHLAB_MECH_HRTIMER, "create an hrtimer that expires in hardirq context",
	  "--do --hard --pinned --period", HARDIRQ "\n" },
	{ BHLAB_MECH_HRTIMER_SOFT, "create an hrtimer that expires in a softirq",
	  "--do --pinned --period", SOFTIRQ "\n" },
	{ BHLAB_MECH_KTHREAD_WORK, "create a kthread_work, with a thread of its own",
	  "--do --nice --priority", TASK "\n" },
	{ BHLAB_MECH_RCU, "create an RCU callback, which runs after a grace period", "--do",
	  SOFTIRQ "\n" },
	{ BHLAB_MECH_RCU_WORK, "create a work item that is queued after a grace period",
	  "--do --queue", TASK "\n" },
	{ BHLAB_MECH_IRQ_POLL, "create an irq_poll, which is polled until it has less to do than "
	  "its weight", "--do --weight",
	  SOFTIRQ "'pop' takes no more than the weight, and 'complete' ends the poll.\n" },
	{ BHLAB_MECH_CSD, "create a function that another CPU is told to call", "--do",
	  HARDIRQ "It must not take locks.\n" },
	{ BHLAB_MECH_SRCU, "create an SRCU callback, with an srcu_struct of its own", "--do",
	  SOFTIRQ "\n" },
};

/* What all mechanisms take. */
static const char common[] = "--cpu --data --cookie --queued";

static bool is_in(const char *list, const char *option)
{
	size_t len = strlen(option);

	for (const char *p = list; (p = strstr(p, option)); p += len)
		if (!p[len] || p[len] == ' ')
			return true;
	return false;
}

static bool takes(const struct help *help, const char *option)
{
	const struct kind *kind = help->who;

	return is_in(common, option) || is_in(kind->options, option);
}

bool help_add(const char *mech)
{
	uint32_t number;
	char name[64], notes[600];

	if (!word_value(&mech_words, mech, &number))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct kind *kind = &kinds[i];
		struct help help = {
			.cmd = &command_add, .name = name, .summary = kind->summary,
			.notes = notes, .said = 1, .takes = takes, .who = kind,
		};

		if (kind->mech != number)
			continue;
		snprintf(name, sizeof(name), "add %s", mech);
		snprintf(notes, sizeof(notes), "%s'bhctl help steps' has the steps, 'bhctl "
			 "mechanisms' the verbs that it has on this kernel.\n", kind->notes);
		help_print(&help);
		return true;
	}
	return false;
}
