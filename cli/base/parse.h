/* SPDX-License-Identifier: GPL-2.0-only */
/* Text to values: numbers, periods, names, and lines to words. */
#ifndef BHCTL_PARSE_H
#define BHCTL_PARSE_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Decimal, or hexadecimal after 0x; up to and including @max. */
int parse_number(const char *text, uint64_t max, uint64_t *value, struct error *e);
/* 100ns, 10us, 1.5ms, 1s, 0; at most BHLAB_NS_MAX. */
int parse_period(const char *text, uint64_t *ns, struct error *e);
/* The same, as far as 64 bits go. */
int parse_any_period(const char *text, uint64_t *ns, struct error *e);
/* "5 ms": @next, the word after the number @text, is its unit. Tells what to write. */
bool parse_is_torn(const char *text, const char *next, struct error *e);
/* "0,2-3", as taskset(1) has it. */
int parse_cpus(const char *text, cpu_set_t *cpus, struct error *e);
/* The rules of BHLAB_NAME_LEN. */
int parse_name(const char *text, struct error *e);

/* @ns as parse_period() reads it, exactly. */
void period_exact(uint64_t ns, char *buf, size_t size);
/* The same for people: three digits. */
void period_round(uint64_t ns, char *buf, size_t size);

/* A line taken apart; the words live until line_free(). */
struct line {
	char *text;
	char **argv;		/* ends with NULL */
	int argc;
	size_t *at;		/* where in the text each word began */
	size_t bad;		/* of line_split() that failed: where */
};

/*
 * Words as the shell makes them: blanks separate, '...', "..." and \ quote, #
 * begins a comment. What else is special to the shell is refused unquoted.
 */
int line_split(struct line *line, const char *text, struct error *e);
void line_free(struct line *line);

#endif
