// SPDX-License-Identifier: GPL-2.0-only
/* Finding and checking the lab, and asking it for names. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "lab/lab.h"
#include "base/parse.h"
#include "base/words.h"

#define DEVICE		"/dev/bhlab"
#define SYSFS_DEV	"/sys/class/misc/bhlab/dev"
/* Scripts, bats among them, take low descriptors without asking. */
#define FD_MIN		100

int lab_ioctl(const struct lab *lab, unsigned long request, void *arg)
{
	return ioctl(lab->fd, request, arg) < 0 ? errno : 0;
}

uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* The driver's device number, if it is loaded and sysfs is there. */
static bool driver_rdev(dev_t *rdev)
{
	unsigned int major, minor;
	FILE *file = fopen(SYSFS_DEV, "re");
	bool found;

	if (!file)
		return false;
	found = fscanf(file, "%u:%u", &major, &minor) == 2;
	fclose(file);
	*rdev = found ? makedev(major, minor) : 0;
	return found;
}

static int check_abi(struct lab *lab, const char *what, int status, struct error *e)
{
	int err;

	lab->info = (struct bhlab_info){ .size = sizeof(lab->info) };
	err = lab_ioctl(lab, BHLAB_IOC_INFO, &lab->info);
	if (err)
		return fail(e, status, err, "%s is not a bhlab device", what);
	if (lab->info.out_abi != BHLAB_ABI_VERSION)
		return fail(e, STATUS_ABSENT, 0,
			    "the driver speaks version %u of the ABI, this bhctl version %u",
			    lab->info.out_abi, BHLAB_ABI_VERSION);
	return 0;
}

static int no_permission(const char *path, gid_t gid, int err, struct error *e)
{
	const struct group *group = getgrgid(gid);

	if (!group || !gid)
		return fail(e, STATUS_REFUSED, err, "%s: permission denied; its group is %s, %s",
			    path, group ? group->gr_name : "unknown",
			    "so be root, or install bhlab's udev rule");
	return fail(e, STATUS_REFUSED, err,
		    "%s: permission denied; add yourself to its group (usermod -aG %s USER) and "
		    "log in again",
		    path, group->gr_name);
}

static int absent(const char *path, int err, struct error *e)
{
	return fail(e, STATUS_ABSENT, err,
		    "%s is not there; load the driver with 'modprobe bhlab', or 'make load' in its "
		    "source",
		    path);
}

/* Nothing but a character device is opened: a FIFO would wait for a writer. */
static int open_device(struct lab *lab, const char *path, struct error *e)
{
	struct stat st;
	int high;

	if (stat(path, &st))
		return errno == EACCES ?
			       fail(e, STATUS_REFUSED, EACCES, "%s: permission denied", path) :
			       absent(path, errno, e);
	if (!S_ISCHR(st.st_mode))
		return fail(e, STATUS_ABSENT, 0,
			    "%s is not a device; remove it, and load the driver with 'modprobe "
			    "bhlab'", path);
	lab->fd = open(path, O_RDWR | O_CLOEXEC);
	if (lab->fd < 0 && (errno == EACCES || errno == EPERM))
		return no_permission(path, st.st_gid, errno, e);
	if (lab->fd < 0 && (errno == ENXIO || errno == ENODEV || errno == ENOENT))
		return absent(path, errno, e);
	if (lab->fd < 0 && errno == ENOSPC)
		return fail(e, STATUS_REFUSED, errno,
			    "%s: the module parameters labs and users allow no more labs to you, "
			    "or to all users", path);
	if (lab->fd < 0)
		return fail(e, STATUS_REFUSED, errno, "%s: %s", path, strerror(errno));
	high = fcntl(lab->fd, F_DUPFD_CLOEXEC, FD_MIN);
	if (high >= 0) {
		close(lab->fd);
		lab->fd = high;
	}
	lab->owned = true;
	return check_abi(lab, path, STATUS_ABSENT, e);
}

/* A descriptor that the caller passed: never trusted, never replaced. */
static int check_fd(struct lab *lab, const char *what, struct error *e)
{
	struct stat st;
	dev_t rdev;

	if (fstat(lab->fd, &st))
		return fail(e, STATUS_USAGE, errno,
			    "%s is not open here (sudo, for one, closes descriptors)", what);
	if (!S_ISCHR(st.st_mode))
		return fail(e, STATUS_USAGE, 0, "%s is not a device", what);
	if (driver_rdev(&rdev) && rdev != st.st_rdev)
		return fail(e, STATUS_USAGE, 0, "%s is another device (%u:%u) than bhlab (%u:%u)",
			    what, major(st.st_rdev), minor(st.st_rdev), major(rdev), minor(rdev));
	return check_abi(lab, what, STATUS_USAGE, e);
}

static int check_env(struct lab *lab, const char *env, struct error *e)
{
	char what[64];
	uint64_t fd;

	snprintf(what, sizeof(what), "BHLAB_FD=%s", env);
	if (parse_number(env, INT_MAX, &fd, e)) {
		error_prefix(e, "BHLAB_FD");
		return -1;
	}
	lab->fd = (int)fd;
	return check_fd(lab, what, e);
}

int lab_open_new(struct lab *lab, struct error *e)
{
	if (options.fd < 0)
		return open_device(lab, options.device ? options.device : DEVICE, e);
	lab->fd = options.fd;
	return check_fd(lab, "the descriptor of --fd", e);
}

int lab_open(struct lab *lab, struct error *e)
{
	const char *env = getenv("BHLAB_FD");

	if (env && options.fd < 0 && !options.device)
		return check_env(lab, env, e);
	return lab_open_new(lab, e);
}

void lab_close(struct lab *lab)
{
	if (lab->fd >= 0 && lab->owned)
		close(lab->fd);
	free(lab->mechs);
	free(lab->names);
	*lab = (struct lab){ .fd = -1 };
}

int lab_mechs(struct lab *lab, struct error *e)
{
	uint32_t nr = lab->info.out_mechs;

	if (lab->mechs)
		return 0;
	lab->mechs = xrealloc(NULL, nr + 1, sizeof(*lab->mechs));
	for (uint32_t i = 0; i < nr; i++) {
		struct bhlab_mech_info *mech = &lab->mechs[i];
		int err;

		*mech = (struct bhlab_mech_info){ .size = sizeof(*mech), .mech = i + 1 };
		err = lab_ioctl(lab, BHLAB_IOC_MECH, mech);
		if (!err)
			continue;
		free(lab->mechs);
		lab->mechs = NULL;
		return fail(e, STATUS_REFUSED, err, "the driver does not report mechanism %u",
			    i + 1);
	}
	return 0;
}

const struct bhlab_mech_info *lab_mech(const struct lab *lab, uint32_t mech)
{
	return mech && mech <= lab->info.out_mechs ? &lab->mechs[mech - 1] : NULL;
}

const struct bhlab_mech_info *lab_mech_by_name(const struct lab *lab, const char *name)
{
	for (uint32_t i = 0; i < lab->info.out_mechs; i++)
		if (!strcmp(lab->mechs[i].out_name, name))
			return &lab->mechs[i];
	return NULL;
}

static void names_grow(struct lab *lab, uint32_t id)
{
	uint32_t nr = (id | 63) + 1;

	if (id < lab->nr_names)
		return;
	lab->names = xrealloc(lab->names, nr, sizeof(*lab->names));
	memset(lab->names[lab->nr_names], 0, (nr - lab->nr_names) * sizeof(*lab->names));
	lab->nr_names = nr;
}

/* NEXT knows the names of reserved ids too. */
const char *lab_name(struct lab *lab, uint32_t id)
{
	struct bhlab_lookup next = { .size = sizeof(next), .id = id - 1 };

	if (id >= BHLAB_QUEUE_PERCPU)
		return word_name(&queue_words, id);
	names_grow(lab, id);
	if (lab->names[id][0] && lab->names[id][0] != '#')
		return lab->names[id];
	if (!lab_ioctl(lab, BHLAB_IOC_NEXT, &next) && next.id == id)
		memcpy(lab->names[id], next.name, BHLAB_NAME_LEN);
	else
		snprintf(lab->names[id], BHLAB_NAME_LEN, "#%u", id);
	return lab->names[id];
}

bool lab_next_item(const struct lab *lab, struct bhlab_item_state *state, uint32_t id)
{
	struct bhlab_lookup object = { .size = sizeof(object), .id = id };

	while (!lab_ioctl(lab, BHLAB_IOC_NEXT, &object)) {
		*state = (struct bhlab_item_state){ .size = sizeof(*state), .id = object.id };
		if (object.out_kind == BHLAB_KIND_ITEM &&
		    !lab_ioctl(lab, BHLAB_IOC_ITEM_STATE, state))
			return true;
	}
	return false;
}

bool item_is_stuck(const struct bhlab_item_state *state)
{
	return state->out_state & BHLAB_STATE_PERIODIC ||
	       (state->out_state & BHLAB_STATE_DISABLED && state->out_state & BHLAB_STATE_PENDING);
}
