/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BHLAB_NETLINK_H
#define BHLAB_NETLINK_H

int bhlab_netlink_init(void);
void bhlab_netlink_exit(void);

#endif /* BHLAB_NETLINK_H */
