// SPDX-License-Identifier: GPL-2.0-only
/* Text to values. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/bhlab.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

/* Longest first, and "s" after all that end in it. */
static const struct unit {
	const char *name;
	uint64_t ns;
	int digits;		/* that many make a fraction of it */
} units[] = {
	{ "ms", 1000000, 6 },
	{ "us", 1000, 3 },
	{ "ns", 1, 0 },
	{ "s", 1000000000, 9 },
};

int parse_number(const char *text, uint64_t max, uint64_t *value, struct error *e)
{
	int base = strncasecmp(text, "0x", 2) ? 10 : 16;
	const char *digits = base == 16 ? text + 2 : text;
	char *end;

	if (*text == '-')
		return usage(e, "'%s' is negative", text);
	if (!isxdigit((unsigned char)*digits))
		return usage(e, "'%s' is not a number", text);
	errno = 0;
	*value = strtoull(digits, &end, base);
	if (*end)
		return usage(e, "'%s' is not a number", text);
	if (errno || *value > max)
		return usage(e, "'%s' is more than %" PRIu64, text, max);
	return 0;
}

static const struct unit *find_unit(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(units[i].name, text))
			return &units[i];
	return NULL;
}

/* The digits after the point, in ns; @p is left behind them. */
static int parse_fraction(const char **p, const struct unit *unit, uint64_t *ns)
{
	uint64_t scale = unit->ns;

	for (*ns = 0; isdigit((unsigned char)**p); (*p)++) {
		if (scale == 1 && **p != '0')
			return -1;
		scale = scale > 1 ? scale / 10 : 1;
		*ns += (uint64_t)(**p - '0') * scale;
	}
	return 0;
}

/* The sign for micro, which Unicode has twice; or NULL. */
static const char *skip_micro(const char *text)
{
	return !strncmp(text, "\u00b5", 2) || !strncmp(text, "\u03bc", 2) ? text + 2 : NULL;
}

bool parse_is_torn(const char *text, const char *next, struct error *e)
{
	const char *micro = next ? skip_micro(next) : NULL;

	if (!next || !isdigit((unsigned char)*text) || text[strspn(text, "0123456789.")] ||
	    !(micro ? !strcmp(micro, "s") : !!find_unit(next)))
		return false;
	usage(e, "'%s %s': write %s%s%s, without a blank", text, next, text, micro ? "u" : "",
	      micro ? micro : next);
	return true;
}

static int too_long(const char *text, uint64_t max, struct error *e)
{
	return usage(e, "'%s' is too long: the limit is %" PRIu64 "s", text, max / 1000000000);
}

static int no_unit(const char *text, const char *digits, struct error *e)
{
	const char *micro = skip_micro(digits);

	if (micro && !strcmp(micro, "s"))
		return usage(e, "'%s' has a letter that is not ASCII; write %.*sus", text,
			     (int)(digits - text), text);
	return usage(e, "'%s' has no known unit; use ns, us, ms or s", text);
}

static int parse_up_to(const char *text, uint64_t max, uint64_t *ns, struct error *e)
{
	const char *p = text, *digits = text + strspn(text, "0123456789.");
	const struct unit *unit = find_unit(digits);
	uint64_t whole = 0, fraction = 0;

	if (*text == '-')
		return usage(e, "'%s' is negative", text);
	if (!isdigit((unsigned char)*text))
		return usage(e, "'%s' is not a period; write 10us, 1.5ms or 1s", text);
	for (; isdigit((unsigned char)*p); p++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(*p - '0'), &whole))
			return too_long(text, max, e);
	if (!*p && !whole) {
		*ns = 0;
		return 0;
	}
	if (!unit)
		return no_unit(text, digits, e);
	if (*p == '.' && isdigit((unsigned char)p[1])) {
		p++;
		if (parse_fraction(&p, unit, &fraction))
			return usage(e, "'%s' is not a whole number of nanoseconds", text);
	}
	if (p != digits)
		return usage(e, "'%s' is not a period; write 10us, 1.5ms or 1s", text);
	if (__builtin_mul_overflow(whole, unit->ns, ns) ||
	    __builtin_add_overflow(*ns, fraction, ns) || *ns > max)
		return too_long(text, max, e);
	return 0;
}

int parse_period(const char *text, uint64_t *ns, struct error *e)
{
	return parse_up_to(text, BHLAB_NS_MAX, ns, e);
}

int parse_any_period(const char *text, uint64_t *ns, struct error *e)
{
	return parse_up_to(text, UINT64_MAX, ns, e);
}

/* "2" or "2-3"; what is at @text is changed. */
static int parse_cpu_range(char *text, cpu_set_t *cpus, struct error *e)
{
	char *last = strchr(text, '-');
	uint64_t from, to;

	if (last == text)
		last = NULL;
	if (last)
		*last++ = '\0';
	if (parse_number(text, CPU_SETSIZE - 1, &from, e) ||
	    parse_number(last ? last : text, CPU_SETSIZE - 1, &to, e))
		return -1;
	if (to < from)
		return usage(e, "%s is not before %s", text, last);
	for (; from <= to; from++)
		CPU_SET(from, cpus);
	return 0;
}

int parse_cpus(const char *text, cpu_set_t *cpus, struct error *e)
{
	char *copy = xstrdup(text), *rest = copy, *part;
	int err = 0;

	CPU_ZERO(cpus);
	while (!err && (part = strsep(&rest, ",")))
		err = parse_cpu_range(part, cpus, e);
	free(copy);
	return err;
}

int parse_name(const char *text, struct error *e)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789.-";

	if (strlen(text) >= BHLAB_NAME_LEN)
		return usage(e, "the name '%s' is longer than %d", text, BHLAB_NAME_LEN - 1);
	if (!*text || text[strspn(text, letters)])
		return usage(e, "'%s' is not a name; use letters, digits, '_', '.' and '-'",
			     text);
	if (strchr("0123456789.-", *text))
		return usage(e, "the name '%s' begins with a digit, '.' or '-'", text);
	return 0;
}

static const struct unit *unit_for(uint64_t ns)
{
	const struct unit *best = &units[2];

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (ns >= units[i].ns && units[i].ns > best->ns)
			best = &units[i];
	return best;
}

void period_exact(uint64_t ns, char *buf, size_t size)
{
	const struct unit *unit = unit_for(ns);
	char fraction[16];
	int len;

	if (!ns || ns % unit->ns == 0) {
		snprintf(buf, size, "%" PRIu64 "%s", ns / unit->ns, ns ? unit->name : "");
		return;
	}
	len = snprintf(fraction, sizeof(fraction), "%0*" PRIu64, unit->digits, ns % unit->ns);
	while (len && fraction[len - 1] == '0')
		fraction[--len] = '\0';
	snprintf(buf, size, "%" PRIu64 ".%s%s", ns / unit->ns, fraction, unit->name);
}

void period_round(uint64_t ns, char *buf, size_t size)
{
	const struct unit *unit = unit_for(ns);
	double value = (double)ns / unit->ns;
	int digits = value >= 100 || unit->ns == 1 ? 0 : value >= 10 ? 1 : 2;

	snprintf(buf, size, "%.*f%s", digits, value, unit->name);
}

/* Copies one word from @in to @out without its quotes; both are moved on. */
static int split_word(const char **in, char **out, struct error *e)
{
	char quote = 0;

	for (; **in && (quote || !isspace((unsigned char)**in)); (*in)++) {
		char c = **in;

		if (c == quote)
			quote = 0;
		else if (!quote && (c == '\'' || c == '"'))
			quote = c;
		else if (c == '\\' && (!quote || (quote == '"' && strchr("\"\\$`", (*in)[1]))) &&
			 (*in)[1])
			*(*out)++ = *++*in;
		else if (c == '\\' && !quote)
			return usage(e, "a '\\' with nothing after it");
		else if (!quote && strchr(";|&<>()$`", c))
			return usage(e, "an unquoted '%c' means nothing here", c);
		else
			*(*out)++ = c;
	}
	*(*out)++ = '\0';
	return quote ? usage(e, "no closing %c", quote) : 0;
}

int line_split(struct line *line, const char *text, struct error *e)
{
	const char *in = text;
	size_t bad;
	char *out;

	/* No word is longer than its quotes and blank, nor are there more. */
	line->text = out = xrealloc(NULL, strlen(text) + 2, 1);
	line->argv = xrealloc(NULL, strlen(text) / 2 + 2, sizeof(char *));
	line->at = xrealloc(NULL, strlen(text) / 2 + 1, sizeof(*line->at));
	line->argc = 0;
	while (*(in += strspn(in, " \t\r\n\v\f")) && *in != '#') {
		line->at[line->argc] = in - text;
		line->argv[line->argc++] = out;
		if (split_word(&in, &out, e)) {
			bad = in - text;
			line_free(line);
			line->bad = bad;
			return -1;
		}
	}
	line->argv[line->argc] = NULL;
	return 0;
}

void line_free(struct line *line)
{
	free(line->text);
	free(line->argv);
	free(line->at);
	*line = (struct line){ 0 };
}
