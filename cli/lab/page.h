/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages in HTML that need nothing besides: no network, no other file. */
#ifndef BHCTL_PAGE_H
#define BHCTL_PAGE_H

#include <stdio.h>

#include "base/out.h"

struct history;
struct picture;

void page_begin(FILE *file, const char *title);
void page_table(FILE *file, const struct field *fields, size_t nr, json_object *rows);
/* A picture that was made for a page. */
void page_picture(FILE *file, const struct picture *picture);
void page_end(FILE *file);

/* What is drawn in pages. */
struct picture page_picture_of(const struct history *history);

#endif
