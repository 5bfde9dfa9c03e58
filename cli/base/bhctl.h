/* SPDX-License-Identifier: GPL-2.0-only */
/* What every part of bhctl knows: the exit statuses and the global options. */
#ifndef BHCTL_H
#define BHCTL_H

#include <stdbool.h>
#include <stddef.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define PRINTF(f, a)	__attribute__((format(printf, f, a)))

/* Never 2 or 3: kselftest reads these as XFAIL and XPASS. */
enum status {
	STATUS_OK = 0,
	STATUS_FALSE = 1,		/* a checked condition is false */
	STATUS_ABSENT = 4,		/* no device, or not this feature */
	STATUS_USAGE = 64,
	STATUS_REFUSED = 71,		/* the kernel said no */
	STATUS_TIMEOUT = 124,
	STATUS_NOT_EXECUTABLE = 126,	/* exec: as env(1) has it */
	STATUS_NOT_FOUND = 127,
	STATUS_SIGNAL = 128,		/* plus the signal's number */
};

enum format {
	FORMAT_TEXT,
	FORMAT_PARSABLE,
	FORMAT_JSON,
};

/* The only variable that is global: main() fills it in, nobody else writes. */
struct options {
	const char *device;	/* -d, or NULL */
	int fd;			/* --fd, or -1 */
	enum format format;
	bool quiet;
	bool color;
};

extern struct options options;

#endif
