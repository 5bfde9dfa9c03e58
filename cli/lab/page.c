// SPDX-License-Identifier: GPL-2.0-only
/* Pages: what is around, and in them a timeline that a script zooms. */
#include <stdlib.h>

#include "lab/page.h"
#include "lab/picture.h"
#include "lab/svg.h"

/* Of more runs, the part in which so many are closest; beyond that a browser becomes slow. */
#define PAGE_RUNS	5000
/* What is seen first. */
#define VIEW_RUNS	160

/* page.css and page.js, as they are. */
#define FILE_TEXT(name, file)							\
	extern const char name[];						\
	__asm__(".pushsection .rodata\n" #name ": .incbin \"lab/" file "\"\n.byte 0\n.popsection")

FILE_TEXT(page_css, "page.css");
FILE_TEXT(page_js, "page.js");

void page_begin(FILE *file, const char *title)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n<title>", file);
	svg_escape(file, title);
	fputs("</title>\n<style>\n", file);
	svg_style(file);
	fputs(page_css, file);
	fputs("</style>\n</head>\n<body>\n", file);
}

void page_end(FILE *file)
{
	fputs("<div id=\"tip\" role=\"status\"></div>\n<script>\n", file);
	fputs(page_js, file);
	fputs("</script>\n</body>\n</html>\n", file);
}

void page_table(FILE *file, const struct field *fields, size_t nr, json_object *rows)
{
	char cell[CELL_SIZE];

	fputs("<div class=\"scroll\"><table>\n<tr>", file);
	for (size_t i = 0; i < nr; i++)
		fprintf(file, "<th%s>%s</th>", fields[i].right ? " class=\"number\"" : "",
			fields[i].head);
	fputs("</tr>\n", file);
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		fputs("<tr>", file);
		for (size_t j = 0; j < nr; j++) {
			out_cell(&fields[j], json_object_array_get_idx(rows, i), NULL, cell);
			fprintf(file, "<td%s>", fields[j].right ? " class=\"number\"" : "");
			svg_escape(file, cell);
			fputs("</td>", file);
		}
		fputs("</tr>\n", file);
	}
	fputs("</table></div>\n", file);
}

struct picture page_picture_of(const struct history *history)
{
	return (struct picture){
		.history = history, .runs_max = PAGE_RUNS, .view_runs = VIEW_RUNS, .page = true,
	};
}

void page_picture(FILE *file, const struct picture *picture)
{
	static const struct {
		const char *key, *text, *what;
	} buttons[] = {
		{ "+", "+", "closer" }, { "-", "\u2212", "farther" },
		{ "ArrowLeft", "\u2190", "earlier" }, { "ArrowRight", "\u2192", "later" },
		{ "0", "all", "all of it" }, { "1", "busiest", "the busiest part" },
		{ "p", "previous", "the run before" }, { "n", "next", "the next run" },
	};

	fputs("<figure class=\"timeline\" tabindex=\"0\" aria-label=\"timeline\">\n"
	      "<div class=\"tools\">\n", file);
	for (size_t i = 0; i < ARRAY_SIZE(buttons); i++)
		fprintf(file, "<button type=\"button\" data-key=\"%s\" title=\"%s\">%s</button>\n",
			buttons[i].key, buttons[i].what, buttons[i].text);
	fputs("<span class=\"dim\">drag to move, Ctrl and the wheel to zoom; keys + \u2212 \u2190 "
	      "\u2192 0 1 n p</span></div>\n<style>\n", file);
	picture_colors(picture, file, false);
	fputs("@media (prefers-color-scheme: dark) {\n", file);
	picture_colors(picture, file, true);
	fprintf(file, "}\n</style>\n<svg viewBox=\"0 0 %d %.0f\" width=\"%d\" height=\"%.0f\">\n",
		SVG_WIDTH, picture->height, SVG_WIDTH, picture->height);
	picture_put(picture, file);
	fputs("</svg>\n</figure>\n", file);
}
