#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Closing the lab returns, in whatever state its items are, and leaves nothing behind.
# shellcheck disable=SC2016,SC2154 # programs of jq and sh; stderr and output come from run

load common

# Commands from stdin in a lab that ends while they are still at work. Nothing of it may be left: no
# reference to the module, no line, no thread.
close_amid() {
	local before after
	before=$(cut -d: -f1 /proc/interrupts)
	timeout 60 bhctl -q batch - || fail "status $?"
	assert_equal "$(cat /sys/module/bhlab/refcnt)" 0
	after=$(cut -d: -f1 /proc/interrupts)
	assert_equal "$after" "$before"
	# a kworker, but not a rescuer, is decorated with the queue that it served last, although
	# that is gone
	run grep -sP '^(?!kworker/[0-9u]).*bhlab' /proc/[0-9]*/comm
	refute_output
}

@test "close with work pending on a delay" {
	close_amid <<<$'add work w\ndelay w 3600s\nadd tasklet t\ndelay t 3600s\nadd irq i\ndelay i 3600s'
}

@test "close with work pending behind a hog" {
	close_amid <<-'END'
		add work hog --do 'spin 200ms'
		add work w --do 'mark 1'
		queue hog --cpu 1
		wait hog running
		queue w --cpu 1
	END
}

@test "close with delays about to end" {
	seq 40 | sed 's/.*/add work w&\ndelay w& 1ms\nadd tasklet t&\ndelay t& 1ms/' | close_amid
}

@test "close with work running, and sleeping: the sleep is cut short" {
	close_amid <<<$'add work w --do "spin 300ms"\nqueue w\nwait w running'
	close_amid <<<$'add work w --do "sleep 1s; mark 1"\nqueue w\nwait w running'
	close_amid <<<$'add irq i --top thread --thread "sleep 1s"\ntrigger i\nwait i running'
}

@test "close with work disabled and running" {
	kernel_has disable_delayed_work || skip "this kernel cannot disable work"
	close_amid <<<$'add work w --do "sleep 500ms"\nqueue w\nwait w running\ndisable w\ndisable w'
}

@test "close with a tasklet disabled and scheduled" {
	close_amid <<<$'add tasklet t\ndisable t\nqueue t --cpu 1\nadd tasklet_hi h\ndisable h\ndisable h\nqueue h --cpu 0'
}

@test "close with a line disabled and raised" {
	close_amid <<<$'add irq i --top thread --thread "sleep 1ms"\ndisable i\ntrigger i --count 3\ntrigger i --cpu 1'
}

@test "close with items that queue themselves, forever" {
	close_amid <<<$'add work w --do requeue\nadd tasklet t --do "spin 10us; requeue"\nqueue w\nqueue t\nwait t runs 10\nwait w runs 10'
}

@test "close with items that queue each other, and raise lines" {
	close_amid <<-'END'
		add work a --do 'queue b; delay c 1us; trigger i'
		add work b --do 'queue a; queue t'
		add work c --do 'queue t; queue a'
		add tasklet t --do 'queue a; spin 10us'
		add irq i --top 'queue t; thread; queue b' --thread 'queue c; sleep 1ms'
		queue a --cpu 0
		queue b --cpu 1
		wait c runs 5
		wait i runs 5
	END
}

@test "close while another process waits for an item" {
	local waiter pid=$BATS_TEST_TMPDIR/pid
	lab_open
	lab <<<$'add work w\ndelay w 3600s'
	bhctl wait w runs 1 --timeout 5s >"$BATS_TEST_TMPDIR/said" 2>&1 3>&- &
	waiter=$!
	lab <<<'del w'
	run wait "$waiter"
	grep -q "there is no item w in this lab, or it went away meanwhile (ENOENT)" \
		"$BATS_TEST_TMPDIR/said"
	lab_close
	assert_equal "$(cat /sys/module/bhlab/refcnt)" 0
}

@test "a bhctl that is killed leaves nothing behind" {
	coproc bhctl -p batch - 3>&-
	local answer i pid=$COPROC_PID
	printf '%s\n' 'add work w --do "requeue"' 'queue w' 'add tasklet t' 'disable t' \
		'queue t' >&"${COPROC[1]}"
	for ((i = 0; i < 5; i++)); do read -rt 10 answer <&"${COPROC[0]}"; done
	assert_equal "$answer" queued
	kill -KILL "$pid"
	wait "$pid" || true
	assert_equal "$(cat /sys/module/bhlab/refcnt)" 0
}

@test "the module unloads and loads after all that" {
	rmmod bhlab
	run grep -s bhlab /proc/interrupts /proc/misc
	refute_output
	modprobe bhlab
	udevadm settle
	run -0 bhctl -q batch - <<<$'add work w\nqueue w\nwait w runs 1'
}
