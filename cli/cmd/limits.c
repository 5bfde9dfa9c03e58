// SPDX-License-Identifier: GPL-2.0-only
/* help limits: docs/security.md in short. */
#include "command/command.h"

const struct topic topic_limits = {
	.name = "limits",
	.summary = "what a lab and a user may have, and what stops them",
	.text =
	"Each limit is a module parameter, /sys/module/bhlab/parameters/NAME, which is set when "
	"the driver is loaded. 'bhctl info' shows the values here; these are the defaults.\n"
	"\n"
	"Of a user, over all labs; beyond it, ENOSPC:\n"
	"  labs             16       opens of the device at a time\n"
	"  items            1024     items and other objects\n"
	"  irqs             64       of these, irqs\n"
	"  queues           64       workqueues\n"
	"  fifos            64       FIFOs\n"
	"  threads          128      kernel threads and kworkers that objects may hold\n"
	"  system_sleepers  16       of these, kworkers of the system's queues\n"
	"  user_ring_bytes  0        bytes of all rings; 0: by the memory\n"
	"  users            8        all users together may have so many times as much\n"
	"\n"
	"Of a lab:\n"
	"  ring_bytes       16 MiB   bytes of its ring, of all CPUs; beyond it, ENOSPC\n"
	"  lab_ns           60s      all its programs in process context; beyond it, ENOSPC\n"
	"  chain            100000   activations by steps after the last one by a user; then steps "
	"are skipped\n"
	"\n"
	"Of a program:\n"
	"  steps            64       its length; beyond it, E2BIG\n"
	"  atomic_ns        1ms      spinning in atomic context; beyond it, EPERM\n"
	"  atomic_cap_ns    10ms     the same with CAP_SYS_ADMIN; beyond it, EINVAL\n"
	"  process_ns       1s       spinning and sleeping in process context; beyond it, EINVAL\n"
	"  period_ns        100us    the shortest period of a trigger; below it, EINVAL\n"
	"\n"
	"Of a CPU, in each 100ms; beyond it, verbs wait and steps are held or skipped:\n"
	"  budget_percent   25       percent for handlers in atomic context and irq threads\n"
	"  process_percent  10       percent for the other programs of a user\n",
};
