// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits: what one user may take, what is left to others and to root, and that
 * all of it is given back.
 */
#include <grp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "bhlab_test.h"

/* Users that nobody else is; each test has its own by this and a number. */
#define USER	20000

/*
 * Be that user, a member of the device's group, and so without capabilities.
 * become(0) makes the caller root again.
 */
static int become(uid_t uid)
{
	struct stat st;
	gid_t group;

	if (setresuid(0, 0, 0) || stat(BH_DEVICE, &st))
		return -errno;
	group = uid ? st.st_gid : 0;
	if (setgroups(1, &group) || setresuid(uid, uid, 0))
		return -errno;
	return 0;
}

FIXTURE(limits) {
	int fd;
	struct bhlab_info info;
};

FIXTURE_SETUP(limits)
{
	ASSERT_EQ(0, become(USER));
	self->fd = bh_open(O_NONBLOCK);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, bh_info(self->fd, &self->info));
}

FIXTURE_TEARDOWN(limits)
{
	EXPECT_EQ(0, become(0));
	close(self->fd);
}

/* --- nice -20 */

static const __u32 nice_queues[] = {
	BHLAB_WQ_PERCPU, BHLAB_WQ_UNBOUND, BHLAB_WQ_ORDERED,
	BHLAB_WQ_PERCPU | BHLAB_WQ_CPU_INTENSIVE, BHLAB_WQ_UNBOUND | BHLAB_WQ_MEM_RECLAIM,
};

TEST_F(limits, highpri_needs_cap_sys_nice)
{
	for (__u32 i = 0; i < ARRAY_SIZE(nice_queues); i++)
		EXPECT_EQ(-EPERM, bh_queue(self->fd, "q", nice_queues[i] | BHLAB_WQ_HIGHPRI));
	EXPECT_EQ(-EPERM, bh_add_to(self->fd, BHLAB_MECH_WORK, BHLAB_QUEUE_HIGHPRI, "w"));
	EXPECT_EQ(-EPERM, bh_add_to(self->fd, BHLAB_MECH_RCU_WORK, BHLAB_QUEUE_HIGHPRI, "w"));
	/* what is wrong anyway comes first, a taken name later */
	EXPECT_EQ(-EINVAL, bh_queue(self->fd, "q", BHLAB_WQ_LEGACY | BHLAB_WQ_HIGHPRI));
	EXPECT_EQ(1, bh_queue(self->fd, "q", BHLAB_WQ_UNBOUND));
	EXPECT_EQ(-EPERM, bh_queue(self->fd, "q", BHLAB_WQ_UNBOUND | BHLAB_WQ_HIGHPRI));
	/* a softirq has no nice value */
	if (self->info.out_features & BHLAB_FEATURE_BH_QUEUE) {
		EXPECT_EQ(2, bh_queue(self->fd, "bh", BHLAB_WQ_BH | BHLAB_WQ_HIGHPRI));
		EXPECT_EQ(3, bh_add_to(self->fd, BHLAB_MECH_WORK, BHLAB_QUEUE_BH_HIGHPRI, "w"));
	}
	ASSERT_EQ(0, become(0));
	EXPECT_LT(0, bh_queue(self->fd, "high", BHLAB_WQ_UNBOUND | BHLAB_WQ_HIGHPRI));
	EXPECT_LT(0, bh_add_to(self->fd, BHLAB_MECH_WORK, BHLAB_QUEUE_HIGHPRI, "system"));
}

TEST_HARNESS_MAIN
