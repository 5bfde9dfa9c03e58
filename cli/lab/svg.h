/* SPDX-License-Identifier: GPL-2.0-only */
/* Writing SVG and HTML: text that stays text, and what pictures have in common. */
#ifndef BHCTL_SVG_H
#define BHCTL_SVG_H

#include <stdint.h>
#include <stdio.h>

#include "base/bhctl.h"

#define SVG_WIDTH	1200
#define SVG_LEFT	270	/* where plots begin: names stand before them */
#define SVG_RIGHT	36	/* right of them */
#define SVG_PLOT	(SVG_WIDTH - SVG_LEFT - SVG_RIGHT)

/* Whatever is in @text, nothing of it is markup. */
void svg_escape(FILE *file, const char *text);
/* The same, of a text that is put together. */
void svg_text(FILE *file, const char *fmt, ...) PRINTF(2, 3);
/*
 * <text> elements of lines of up to @columns characters, 1.3 times @size below each other,
 * and no more than @lines of them. Returns the y below; with @file NULL nothing is written.
 */
double svg_wrapped(FILE *file, const char *class, double x, double y, int size, const char *text,
		   int columns, int lines);
/* The style of what is drawn. */
void svg_style(FILE *file);
/* The attribute class of a mechanism: "m-irq-thread". */
void svg_mech_class(char *buf, size_t size, const char *label);
/* A time of an axis whose ticks are @step apart, up to @last: "1.5 ms". */
void svg_time(char *buf, size_t size, uint64_t ns, uint64_t step, uint64_t last);
/* A power of ten: "100 µs". */
void svg_decade(char *buf, size_t size, uint64_t ns);
/* 1, 2 or 5 times a power of ten: about @nr, which is 8 or more, of them make @range. */
uint64_t svg_step(uint64_t range, unsigned int nr);

#endif
