// SPDX-License-Identifier: GPL-2.0-only
/* The signs of a picture, and its legend. */
#include <string.h>

#include "lab/picture_parts.h"
#include "lab/svg.h"

#define LEGEND_LINE	20

/* --- signs: what happens in a moment */

static const struct picture_sign signs[] = {
	{ BHLAB_EVENT_MARK, "mark", "s-mark",
	  "<path class=\"sign full\" d=\"M0 -4.5 4.5 0 0 4.5 -4.5 0Z\"/>" },
	{ BHLAB_EVENT_COALESCED, "already pending", "s-coalesced",
	  "<circle class=\"sign\" r=\"3.5\"/>" },
	{ BHLAB_EVENT_CANCELLED, "cancelled", "s-cancelled",
	  "<path class=\"sign\" d=\"M-4 -4 4 4 M-4 4 4 -4\"/>" },
	{ BHLAB_EVENT_DROPPED, "dropped", "s-dropped",
	  "<path class=\"sign\" d=\"M-4.5 -3.5 4.5 -3.5 0 4.5Z\"/>" },
	{ BHLAB_EVENT_EXPIRED, "delay is over", "s-expired",
	  "<path class=\"sign\" d=\"M-3 -4.5 4.5 0 -3 4.5Z\"/>" },
};

const struct picture_sign *picture_sign_of(const struct bhlab_event *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		if (signs[i].kind == e->kind)
			return &signs[i];
	return NULL;
}

void picture_put_signs(const struct picture *p, FILE *file)
{
	fputs("<defs>\n", file);
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		if (p->kinds[signs[i].kind & 31])
			fprintf(file, "<g id=\"%s\">%s</g>\n", signs[i].id, signs[i].shape);
	/* The same for all pictures of a page; with room for a sign at either end. */
	fprintf(file, "<clipPath id=\"plot\"><rect x=\"%d\" y=\"0\" width=\"%d\" "
		"height=\"100000\"/></clipPath>\n</defs>\n", SVG_LEFT - 5, SVG_PLOT + 10);
}

/* --- the legend: the sign before the word */

struct legend {
	FILE *file;		/* or NULL */
	double x, y;
};

/* Where the next one stands; it takes about @length characters. */
static void legend_next(struct legend *l, size_t length)
{
	double width = 34 + 7.2 * (double)length;

	if (l->x + width > SVG_WIDTH - SVG_RIGHT) {
		l->x = SVG_LEFT;
		l->y += LEGEND_LINE;
	}
	if (l->file)
		fprintf(l->file, "<g transform=\"translate(%g,%g)\">", l->x, l->y);
	l->x += width;
}

static void legend_word(struct legend *l, const char *word)
{
	if (!l->file)
		return;
	fputs("<text x=\"22\" y=\"4\">", l->file);
	svg_escape(l->file, word);
	fputs("</text></g>\n", l->file);
}

static void legend_shape(struct legend *l, const char *shape, const char *word)
{
	legend_next(l, strlen(word));
	if (l->file)
		fputs(shape, l->file);
	legend_word(l, word);
}

static void legend_mechs(const struct picture *p, struct legend *l)
{
	for (size_t i = 0; i < p->nr_rows; i++) {
		const struct picture_row *row = &p->rows[i];
		bool told = !row->shown;

		for (size_t j = 0; j < i; j++)
			told = told || (p->rows[j].shown && !strcmp(p->rows[j].label, row->label));
		if (told)
			continue;
		legend_next(l, strlen(row->label));
		if (l->file)
			fprintf(l->file, "<rect class=\"%s\" x=\"0\" y=\"-7\" width=\"16\" "
				"height=\"14\"/>", row->class);
		legend_word(l, row->label);
	}
}

double picture_put_legend(const struct picture *p, FILE *file, double y)
{
	struct legend l = { .file = file, .x = SVG_LEFT, .y = y + GAP };
	char shape[64];

	legend_mechs(p, &l);
	legend_shape(&l, "<rect class=\"bar\" x=\"7\" y=\"-6\" width=\"1.5\" height=\"12\"/>",
		     "queued");
	legend_shape(&l, "<rect class=\"bar wait\" x=\"0\" y=\"-2\" width=\"16\" height=\"4\"/>",
		     "waits");
	legend_shape(&l, "<rect class=\"bar\" x=\"0\" y=\"-7\" width=\"16\" height=\"14\"/>",
		     "runs, never thinner than a line");
	if (p->history->executed)
		legend_shape(&l, "<rect class=\"bar\" x=\"6\" y=\"-5\" width=\"3\" height=\"9\"/>",
			     "command");
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
		if (!p->kinds[signs[i].kind & 31])
			continue;
		snprintf(shape, sizeof(shape), "<use href=\"#%s\" x=\"8\"/>", signs[i].id);
		legend_shape(&l, shape, signs[i].name);
	}
	return l.y + LEGEND_LINE / 2.0;
}
