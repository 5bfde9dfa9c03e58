/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BHLAB_NETLINK_H
#define BHLAB_NETLINK_H

struct genl_family;

extern struct genl_family bhlab_netlink_family;

int bhlab_netlink_init(void);
void bhlab_netlink_exit(void);

#endif /* BHLAB_NETLINK_H */
