#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The netlink family, by the kernel's own client and the specification in docs/netlink. Starting
# that client is slow, so one process makes all of the tests.

load common

setup_file() {
	"$BATS_TEST_DIRNAME/../abi/netlink.py" objects many changes stats refused malformed \
		strangers events \
		>"$BATS_FILE_TMPDIR/said" 2>&1 3>&- || true
}

said_ok() {
	grep -qx "ok $1" "$BATS_FILE_TMPDIR/said" ||
		fail "$(grep " $1 " "$BATS_FILE_TMPDIR/said" | tr '|' '\n')"
}

@test "labs, items and queues: one, all of a lab, and all" {
	said_ok objects
}

@test "a dump of more than one message has each once" {
	said_ok many
}

@test "a dump during which something came or went says so" {
	said_ok changes
}

@test "the driver as a whole" {
	said_ok stats
}

@test "what is not there, or does not go together, is refused with its reason" {
	said_ok refused
}

@test "malformed requests are refused" {
	said_ok malformed
}

@test "a user sees the own labs, and may not subscribe" {
	said_ok strangers
}

@test "the group of events has what happens from the subscription on" {
	said_ok events
}
