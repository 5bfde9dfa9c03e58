#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The device node, who may use it, and descriptors that are none of ours.
# shellcheck disable=SC2016,SC2154 # programs of jq and sh; stderr and output come from run

load common

teardown() {
	[[ -d /sys/module/bhlab ]] || modprobe bhlab
	udevadm settle
}

# Errno of a Python expression, "none" if it has none; fd is the lab's.
errno_of() {
	python3 - "$1" <<-'END'
		import errno, mmap, os, sys
		fd = int(os.environ["BHLAB_FD"])
		try:
		    eval(sys.argv[1])
		    print("none")
		except OSError as e:
		    print(errno.errorcode[e.errno])
	END
}

refcnt() {
	cat /sys/module/bhlab/refcnt
}

@test "udev gives the node to group bhlab" {
	assert_equal "$(stat -c '%F %a %U %G' /dev/bhlab)" "character special file 660 root bhlab"
}

@test "a member of the group needs no root, anybody else is told what to do" {
	id -nG alice | grep -qw bhlab
	run -0 runuser -u alice -- bhctl -q batch - <<<$'add work w\nqueue w\nwait w runs 1'
	run -71 runuser -u bob -- bhctl info
	assert_output "bhctl: info: /dev/bhlab: permission denied; add yourself to its group (usermod -aG bhlab USER) and log in again (EACCES)"
	run -71 runuser -u bob -- bhctl -j list
	assert_equal "$(jq -c '[.errno, .exit]' <<<"$output")" '["EACCES",71]'
	run -71 runuser -u bob -- bhctl exec -- touch "$BATS_TEST_TMPDIR/ran"
	assert [ ! -e "$BATS_TEST_TMPDIR/ran" ]
}

@test "a user may have only so many labs" {
	local said
	coproc exec setpriv --reuid alice --regid bhlab --clear-groups bash -c \
		'for ((i = 0; i < $1; i++)); do exec {fd}<>/dev/bhlab; done; echo ready; exec sleep 60' \
		_ "$(cat /sys/module/bhlab/parameters/labs)" 3>&-
	read -r said <&"${COPROC[0]}"
	assert_equal "$said" ready
	run -71 runuser -u alice -- bhctl info
	assert_output "bhctl: info: /dev/bhlab: the module parameters labs and users allow no more labs to you, or to all users (ENOSPC)"
	run -0 bhctl info
	kill "$COPROC_PID"
	wait "$COPROC_PID" || true
	run -0 runuser -u alice -- bhctl info
}

# Times the eight users it was 2^64, which is 0: nobody but root could record anything.
@test "a limit that is no limit is none for all users together, either" {
	rmmod bhlab
	modprobe bhlab user_ring_bytes=2305843009213693952
	udevadm settle
	run -0 runuser -u alice -- bhctl -q batch - <<<$'add work w\nqueue w\nwait w runs 1'
	rmmod bhlab
}

@test "without the driver: status 4, and how to load it" {
	local message="/dev/bhlab is not there; load the driver with 'modprobe bhlab', or 'make load' in its source"
	rmmod bhlab
	is 4 "bhctl: info: $message (ENOENT)" info
	is 4 "bhctl: queue w: $message (ENOENT)" queue w
	is 4 "bhctl: exec: $message (ENOENT)" exec -- true
	is 4 "{\"error\":\"mechanisms: $message\",\"errno\":\"ENOENT\",\"exit\":4}" -j mechanisms
	is 64 "bhctl: queue: ITEM is missing" queue
	all_right
	assert [ ! -e /dev/bhlab ]
	touch /dev/bhlab
	is 4 "bhctl: info: /dev/bhlab is not a device; remove it, and load the driver with 'modprobe bhlab'" info
	rm /dev/bhlab
	mknod /dev/bhlab c 10 250
	is 4 "bhctl: info: $message (ENODEV)" info
	rm /dev/bhlab
	all_right
	modprobe bhlab
	udevadm settle
	run -0 bhctl info
}

@test "what steps activate in turn ends: the limit chain" {
	rmmod bhlab
	modprobe bhlab chain=50
	udevadm settle
	lab_open
	bhctl add work w --do requeue
	bhctl queue w
	bhctl wait w idle
	run -0 bhctl -j show w
	assert_equal "$(jq '.counters.runs' <<<"$output")" 51
	assert_equal "$(jq '.counters.skipped' <<<"$output")" 1
	lab_close
	rmmod bhlab
}

@test "the module stays while a lab is open" {
	lab_open
	assert_equal "$(refcnt)" 1
	run rmmod bhlab
	assert_failure
	assert_output --partial "in use"
	run -0 bhctl -p list
	lab_close
	assert_equal "$(refcnt)" 0
}

@test "another device is not taken for the lab" {
	is 4 "bhctl: info: /dev/null is not a bhlab device (ENOTTY)" -d /dev/null info
	is 4 "bhctl: info: /etc/passwd is not a device; remove it, and load the driver with 'modprobe bhlab'" -d /etc/passwd info
	is 4 "bhctl: info: /nonexistent is not there; load the driver with 'modprobe bhlab', or 'make load' in its source (ENOENT)" \
		-d /nonexistent info
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	is 4 "bhctl: info: $BATS_TEST_TMPDIR/fifo is not a device; remove it, and load the driver with 'modprobe bhlab'" \
		-d "$BATS_TEST_TMPDIR/fifo" info
	all_right
	run -0 bhctl -d /dev/bhlab info
}

@test "a bad BHLAB_FD is an error, and never a new lab" {
	local ours misc
	misc=$(cat /sys/class/misc/bhlab/dev)
	export BHLAB_FD
	BHLAB_FD=77 is 64 \
		"bhctl: list: BHLAB_FD=77 is not open here (sudo, for one, closes descriptors) (EBADF)" list
	BHLAB_FD=77 is 64 \
		"bhctl: info: BHLAB_FD=77 is not open here (sudo, for one, closes descriptors) (EBADF)" info
	exec 20</etc/passwd 21<>/dev/null 22</tmp
	BHLAB_FD=20 is 64 "bhctl: list: BHLAB_FD=20 is not a device" list
	BHLAB_FD=21 is 64 "bhctl: list: BHLAB_FD=21 is another device (1:3) than bhlab ($misc)" list
	BHLAB_FD=22 is 64 "bhctl: list: BHLAB_FD=22 is not a device" list
	BHLAB_FD=x is 64 "bhctl: list: BHLAB_FD: 'x' is not a number" list
	BHLAB_FD='' is 64 "bhctl: list: BHLAB_FD: '' is not a number" list
	BHLAB_FD=-1 is 64 "bhctl: list: BHLAB_FD: '-1' is negative" list
	BHLAB_FD=4294967299 is 64 "bhctl: list: BHLAB_FD: '4294967299' is more than 2147483647" list
	BHLAB_FD='3 ' is 64 "bhctl: list: BHLAB_FD: '3 ' is not a number" list
	is 64 "bhctl: list: the descriptor of --fd is not a device" --fd 20 list
	all_right
	unset BHLAB_FD
	exec {ours}<>/dev/bhlab
	run -0 --separate-stderr bhctl --fd "$ours" add work w
	assert_equal "$stderr" ""
	assert_equal "$(BHLAB_FD=77 bhctl --fd "$ours" -p list | cut -f2)" w
	assert_equal "$(BHLAB_FD=$ours bhctl -p list | cut -f2)" w
	assert_equal "$(BHLAB_FD=$ours bhctl -q -d /dev/bhlab -p list)" ""
}

@test "two labs do not know each other" {
	local other
	lab_open
	exec {other}<>/dev/bhlab
	lab <<<'add work w'
	assert_equal "$(bhctl --fd "$other" -p list)" ""
	is 71 "bhctl: queue w: there is no item w in this lab (ENOENT)" --fd "$other" queue w
	is 71 "bhctl: queue #1: there is no item #1 in this lab (ENOENT)" --fd "$other" queue '#1'
	is 0 added --fd "$other" add work w
	all_right
	lab <<<$'queue w\nwait w runs 1'
	assert_equal "$(bhctl --fd "$other" -j show w | jq .counters.runs)" 0
	assert_equal "$(bhctl --fd "$other" -j events | wc -l)" 0
	[ "$(bhctl -j info | jq .lab)" != "$(bhctl --fd "$other" -j info | jq .lab)" ]
}

@test "a lab lives as long as its last descriptor, whoever has it" {
	mkfifo "$BATS_TEST_TMPDIR/go"
	bhctl exec -- sh -c "bhctl -q add work w; cat '$BATS_TEST_TMPDIR/go' 3>&- >/dev/null &" 3>&-
	assert_equal "$(refcnt)" 1
	echo >"$BATS_TEST_TMPDIR/go"
	local i
	for ((i = 0; i < 100; i++)); do
		[[ $(refcnt) == 0 ]] && return
		sleep 0.1
	done
	fail "the lab did not end with its last descriptor"
}

@test "write, and mappings that could write, are refused" {
	lab_open
	assert_equal "$(errno_of 'os.write(fd, b"x")')" EINVAL
	assert_equal "$(errno_of 'mmap.mmap(fd, 4096, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)')" EPERM
	assert_equal "$(errno_of 'mmap.mmap(fd, 4096, mmap.MAP_SHARED, mmap.PROT_WRITE)')" EPERM
	assert_equal "$(errno_of 'mmap.mmap(fd, 4096, mmap.MAP_SHARED, mmap.PROT_READ)')" none
	assert_equal "$(errno_of 'mmap.mmap(fd, 4096, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)')" EPERM
	assert_equal "$(errno_of 'mmap.mmap(fd, 4096, mmap.MAP_SHARED, mmap.PROT_READ, offset=4096)')" EINVAL
	assert_equal "$(errno_of 'mmap.mmap(fd, 1 << 32, mmap.MAP_SHARED, mmap.PROT_READ)')" EINVAL
	assert_equal "$(errno_of 'os.read(fd, 127)')" EINVAL
	assert_equal "$(errno_of 'os.set_blocking(fd, False) or os.read(fd, 128)')" EAGAIN
}
