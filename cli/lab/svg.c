// SPDX-License-Identifier: GPL-2.0-only
/* Writing SVG. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_doc.h"
#include "lab/svg.h"

static void escape_character(FILE *file, char c)
{
	switch (c) {
	case '&':
		fputs("&amp;", file);
		break;
	case '<':
		fputs("&lt;", file);
		break;
	case '>':
		fputs("&gt;", file);
		break;
	case '"':
		fputs("&quot;", file);
		break;
	default:
		putc(c, file);
	}
}

void svg_escape(FILE *file, const char *text)
{
	char *clean = xstrdup(text);

	text_clean(clean);
	for (const char *p = clean; *p; p++)
		escape_character(file, *p);
	free(clean);
}

void svg_text(FILE *file, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	svg_escape(file, text);
}

/* How many bytes of @text make a line; it ends between words, if it has some. */
static size_t line_length(const char *text, int columns)
{
	size_t len = 0, fit = 0;

	for (int column = 0; text[len] && column <= columns; column++) {
		if (text[len] == ' ')
			fit = len;
		do
			len++;
		while (((unsigned char)text[len] & 0xc0) == 0x80);
		if (column < columns && !text[len])
			return len;
	}
	if (fit)
		return fit;
	do
		len--;
	while (((unsigned char)text[len] & 0xc0) == 0x80);
	return len;
}

double svg_wrapped(FILE *file, const char *class, double x, double y, int size, const char *text,
		   int columns, int lines)
{
	char line[1024];

	for (int i = 0; i < lines && *text; i++) {
		size_t len = line_length(text, columns);

		snprintf(line, sizeof(line), "%.*s%s", (int)len, text,
			 i + 1 == lines && text[len] ? " ..." : "");
		if (file) {
			fprintf(file, "<text class=\"%s\" x=\"%g\" y=\"%g\">", class, x, y);
			svg_escape(file, line);
			fputs("</text>\n", file);
		}
		y += 1.3 * size;
		text += len;
		text += strspn(text, " ");
	}
	return y;
}

void svg_style(FILE *file)
{
	fputs("text { font: 12px 'DejaVu Sans', system-ui, sans-serif; fill: #222222 }\n"
	      "text.title { font-size: 16px; font-weight: bold }\n"
	      "text.head { font-size: 14px; font-weight: bold }\n"
	      "text.name { font-size: 13px; font-weight: bold }\n"
	      "text.dim { fill: #5a5a5a; font-size: 11px }\n"
	      "text.end { text-anchor: end }\n"
	      "text.mid { text-anchor: middle }\n"
	      "text.in { fill: #ffffff; stroke: #00000066; stroke-width: 2px; paint-order: "
	      "stroke; font-size: 10px; text-anchor: middle; pointer-events: none }\n"
	      ".grid { stroke: #dddddd; stroke-width: 1 }\n"
	      ".row { stroke: #eeeeee; stroke-width: 1 }\n"
	      ".wait { opacity: 0.45 }\n"
	      ".sign { fill: #ffffff; stroke: #222222; stroke-width: 1.2 }\n"
	      ".sign.full { fill: #222222 }\n"
	      ".bar { fill: #8a8a8a }\n"
	      ".view { fill: #0072b2; fill-opacity: 0.15; stroke: #0072b2 }\n"
	      ".line { stroke: #222222; stroke-width: 1; fill: none }\n"
	      ".point { fill: #222222 }\n", file);
}

void svg_mech_class(char *buf, size_t size, const char *label)
{
	snprintf(buf, size, "m-%s", label);
	for (char *p = buf; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_-", *p))
			*p = '-';
}

static const struct {
	const char *name;
	uint64_t ns;
} units[] = {
	{ "s", 1000000000 }, { "ms", 1000000 }, { "µs", 1000 }, { "ns", 1 },
};

void svg_decade(char *buf, size_t size, uint64_t ns)
{
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(units) && ns < units[i].ns)
		i++;
	snprintf(buf, size, "%" PRIu64 " %s", ns / units[i].ns, units[i].name);
}

void svg_time(char *buf, size_t size, uint64_t ns, uint64_t step, uint64_t last)
{
	size_t i = 0;
	int digits = 0;

	while (i + 1 < ARRAY_SIZE(units) && last < units[i].ns)
		i++;
	for (uint64_t part = units[i].ns; part > step; part /= 10)
		digits++;
	snprintf(buf, size, "%.*f %s", digits, (double)ns / (double)units[i].ns, units[i].name);
}

uint64_t svg_step(uint64_t range, unsigned int nr)
{
	uint64_t least = range / nr, step = 1;

	while (step < least) {
		if (step * 2 >= least)
			return step * 2;
		if (step * 5 >= least)
			return step * 5;
		step *= 10;
	}
	return step;
}
