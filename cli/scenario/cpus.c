// SPDX-License-Identifier: GPL-2.0-only
/* CPUs that a scenario takes offline must be back for the next one. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "scenario/run.h"

#define CPUS	"/sys/devices/system/cpu/"

/* "0-3,6" */
static void read_online(cpu_set_t *online)
{
	FILE *file = fopen(CPUS "online", "re");
	unsigned int first, last;

	CPU_ZERO(online);
	while (file && fscanf(file, "%u", &first) == 1) {
		if (fscanf(file, "-%u", &last) != 1)
			last = first;
		for (; first <= last && first < CPU_SETSIZE; first++)
			CPU_SET(first, online);
		if (getc(file) != ',')
			break;
	}
	if (file)
		fclose(file);
}

/* 0 or the errno. */
static int bring_back(unsigned int cpu)
{
	char path[64];
	FILE *file;
	int err;

	snprintf(path, sizeof(path), CPUS "cpu%u/online", cpu);
	file = fopen(path, "we");
	if (!file)
		return errno;
	err = fputs("1", file) < 0 ? errno : 0;
	return fclose(file) ? errno : err;
}

void cpus_note(struct run *run)
{
	read_online(&run->online);
}

void cpus_check(struct run *run)
{
	cpu_set_t online;
	int err;

	read_online(&online);
	for (unsigned int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &run->online) || CPU_ISSET(cpu, &online))
			continue;
		err = bring_back(cpu);
		run_fault(run, NULL, "it left CPU %u offline%s%s", cpu,
			  err ? ", which does not come back: " : "", err ? strerror(err) : "");
	}
}
