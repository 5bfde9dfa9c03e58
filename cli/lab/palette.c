// SPDX-License-Identifier: GPL-2.0-only
/*
 * One colour for each mechanism, in every picture there is. They are of the palettes of Okabe
 * and Ito, and of Paul Tol, whose colours people with red-green blindness can tell apart; what
 * runs alike has colours alike. docs/record.md shows them.
 */
#include <string.h>

#include "base/bhctl.h"
#include "lab/palette.h"

static const struct color {
	const char *label, *light, *dark;
} colors[] = {
	{ "work", "#0072b2", "#3d9bd6" },
	{ "bh_work", "#56b4e9", "#8fd0f5" },
	{ "rcu_work", "#332288", "#8f82e0" },
	{ "kthread_work", "#44aa99", "#5cc4b3" },
	{ "tasklet", "#e69f00", "#f0b429" },
	{ "tasklet_hi", "#d55e00", "#f07f28" },
	{ "irq", "#882255", "#d0609a" },
	{ "irq/thread", "#cc79a7", "#e3a5c6" },
	{ "irq_work", "#b7a100", "#d9c530" },
	{ "timer", "#117733", "#3fae66" },
	{ "hrtimer", "#009e73", "#2cc79b" },
	{ "hrtimer_soft", "#88ccaa", "#a6dfc3" },
	{ "rcu", "#6b6b6b", "#a3a3a3" },
	{ "srcu", "#999933", "#c6c65e" },
	{ "irq_poll", "#661100", "#b5705c" },
	{ "csd", "#aa4499", "#d98acb" },
	/* What this bhctl does not know. */
	{ NULL, "#a0623a", "#cf9468" },
};

static const struct color *color_of(const char *label)
{
	const struct color *color = colors;

	while (color->label && strcmp(color->label, label))
		color++;
	return color;
}

const char *mech_color(const char *label)
{
	return color_of(label)->light;
}

const char *mech_dark_color(const char *label)
{
	return color_of(label)->dark;
}
