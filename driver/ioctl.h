/* SPDX-License-Identifier: GPL-2.0-only */
/* The ioctls. */
#ifndef BHLAB_IOCTL_H
#define BHLAB_IOCTL_H

#include <linux/types.h>

#include <linux/bhlab.h>

struct bhlab_lab;

long bhlab_ioctl(struct bhlab_lab *lab, unsigned int cmd, unsigned long arg);

/* verb.c */
int bhlab_request(struct bhlab_lab *lab, struct bhlab_act *request, u32 nr);
int bhlab_batch(struct bhlab_lab *lab, struct bhlab_batch *cmd);

#endif /* BHLAB_IOCTL_H */
