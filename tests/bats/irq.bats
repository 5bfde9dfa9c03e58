#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Interrupt lines: top half, thread, and all that a top half can defer to.
# shellcheck disable=SC2016,SC2154 # programs of jq and sh; stderr and output come from run

load common

setup() {
	lab_open
}

# How often /proc/interrupts says that the line of an item was raised, on all CPUs.
interrupts() {
	local line
	line=$(bhctl -j show "$1" | jq .irq)
	awk -v line="$line:" \
		'NR == 1 { cpus = NF } $1 == line { for (i = 2; i < cpus + 2; i++) n += $i } END { print n + 0 }' \
		/proc/interrupts
}

@test "the top half runs in hardirq context, with interrupts off, on the CPU that raised the line; or in a thread" {
	lab <<-'END'
		add irq i --top 'spin 1us'
		add irq fixed --cpu 1
		trigger i --cpu 0
		wait i runs 1
		trigger i --cpu 1
		wait i runs 2
		trigger fixed
		wait fixed runs 1
	END
	holds '[ran("i"; "top")[].queue_cpu] == [0, 1] and ran("fixed")[0].queue_cpu == 1'
	if threadirqs; then
		holds 'ran("i") | all(in("task") and (.comm | startswith("irq/")))'
		return
	fi
	holds '[ran("i"; "top")[].cpu] == [0, 1] and ran("fixed")[0].cpu == 1'
	holds 'ran("i") | all(in("hardirq") and in("irqs-off") and (in("task") or in("softirq") or in("preemptible") | not))'
}

@test "/proc/interrupts counts the line" {
	lab <<<$'add irq i\nadd irq other'
	assert_equal "$(interrupts i)" 0
	lab <<<$'trigger i --cpu 0\nwait i idle\ntrigger i --cpu 1\nwait i idle\ntrigger i --cpu 1\nwait i idle'
	assert_equal "$(interrupts i)" 3
	assert_equal "$(interrupts other)" 0
	grep -E "^ *$(bhctl -j show i | jq .irq): .*bhlab" /proc/interrupts
}

@test "top half, then tasklet, work and thread: each in its context, none before the top half is done" {
	lab <<-'END'
		add tasklet t --do 'spin 10us'
		add work w --do 'spin 10us'
		add irq i --top 'spin 100us; queue t; queue w; thread' --thread 'sleep 1ms'
		trigger i --cpu 1
		wait t runs 1
		wait w runs 1
		wait i idle
	END
	threadirqs || holds 'ran("i"; "top")[0] | in("hardirq") and .cpu == 1'
	holds 'ran("i"; "top")[0].cpu as $cpu | ran("t")[0] | in("softirq") and .cpu == $cpu'
	holds 'ran("i"; "top")[0].cpu as $cpu | ran("w")[0] | in("task") and
		(.comm | startswith("kworker/\($cpu):"))'
	holds 'ran("i"; "thread")[0] | in("task") and (.comm | startswith("irq/"))'
	holds 'ran("i"; "top")[0].finished_ns as $done |
		[ran("t")[0], ran("w")[0], ran("i"; "thread")[0]] | all(.started_ns >= $done)'
	item i '.counters | .accepted == 1 and .runs == 1 and .thread_wakes == 1 and
		.thread_runs == 1'
	run -0 env LC_ALL=C.UTF-8 bhctl events
	assert_line --regexp ' run/top +i +irq +(hardirq|task, .*[^ ]) +1→'
	assert_line --regexp ' run/thread +i +irq +task '
}

@test "without the step thread the thread stays asleep, with it it may sleep" {
	lab <<-'END'
		add irq quiet --top 'mark 1' --thread 'mark 2'
		add irq loud --top 'thread' --thread 'sleep 20ms; mark 3'
		trigger quiet
		trigger loud
		wait quiet idle
		wait loud idle
	END
	item quiet '.counters | .runs == 1 and .thread_wakes == 0 and .thread_runs == 0'
	item loud '.counters | .thread_wakes == 1 and .thread_runs == 1'
	assert_equal "$(ask '[.[] | kind("mark") | .value]')" "[1,3]"
	holds 'ran("loud"; "thread")[0] | .finished_ns - .started_ns >= (20 | ms)'
}

@test "wakes of a thread that is awake already are merged, and counted" {
	# Raises at once can be merged themselves, before they wake anybody.
	lab <<-'END'
		add irq i --top 'thread' --thread 'sleep 1s'
		trigger i --cpu 0
		wait i running
		trigger i --cpu 0
		sleep 100ms
		trigger i --cpu 0
		sleep 100ms
		trigger i --cpu 0
		sleep 100ms
		trigger i --cpu 0
		wait i idle
	END
	item i '.balanced and
		(.counters | .thread_wakes == .thread_runs + .thread_merged and .thread_runs < .thread_wakes)'
}

@test "every raise is accounted for" {
	lab <<<$'add irq i --top "spin 20us"\ntrigger i --count 200 --cpu 1\nwait i idle\ntrigger i --count 100 --cpu 0\nwait i idle'
	item i '.balanced and .counters.outstanding == 0 and .counters.accepted == 300 and
		.counters.runs + .counters.merged == 300'
	holds 'ran("i") | length > 0 and (map(.nth) == [range(1; length + 1)])'
	# The thread of a line runs once for several interrupts.
	threadirqs || assert_equal "$(ask 'ran("i") | length')" "$(interrupts i)"
}

@test "what was lost is told from what was merged, where that is known" {
	lab <<-'END'
		add irq sim
		add irq edge --flow edge
		disable sim
		disable edge
		trigger sim
		trigger edge
		sleep 20ms
		trigger sim
		trigger edge
		trigger edge
		enable sim
		enable edge
		wait sim idle
		wait edge idle
	END
	item sim '.flow == "sim" and .balanced and .controller == null and
		(.counters | .runs == 1 and .merged == 1 and .lost == 0)'
	item edge '.flow == "edge" and .balanced and
		.controller == {latched: 1, replayed: 1, repeated: 0} and
		(.counters | .accepted == 3 and .runs == 1 and .merged == 2 and .lost == 0)'
	run -0 bhctl show sim
	assert_line --regexp '= 1 run \+ 0 cancelled \+ 1 merged or lost \+ 0 outstanding$'
	refute_line --regexp '^controller'
	run -0 bhctl show edge
	assert_line --regexp '= 1 run \+ 0 cancelled \+ 2 merged \+ 0 lost \+ 0 outstanding$'
	assert_line --regexp '^controller +1 latched, 1 replayed, 0 repeated$'
	is 71 "bhctl: deassert edge: it has no line that stays asserted: add it with --flow level (EOPNOTSUPP)" \
		deassert edge
	is 71 "bhctl: add irq x: --oneshot waits for a thread: add one with --thread (EINVAL)" \
		add irq x --oneshot
	all_right
}

@test "trigger tells how often the pending bit was clear" {
	lab <<<'add irq i'
	run -0 bhctl -j trigger i --cpu 0 --count 3
	jq -e '.result == "queued" and .count == 3 and .set >= 1 and .set <= 3' <<<"$output"
	run -0 bhctl trigger i --cpu 0 --count 3
	assert_output --regexp '^queued \([123] of 3\)$'
	run -0 bhctl trigger i
	assert_output queued
}

@test "raised while it is disabled: one run, after enable" {
	lab <<-'END'
		add irq i
		disable i
		disable i
		trigger i --cpu 1
		trigger i --cpu 1
		trigger i --cpu 1
		enable i
	END
	is 124 "bhctl: wait i runs: the condition was not met within 300ms (ETIMEDOUT)" wait i runs 1 --timeout 300ms
	all_right
	item i '.state | index("disabled") != null'
	lab <<<$'enable i\nwait i runs 1\nwait i idle'
	item i '.depth == 0 and .balanced and
		(.counters | .accepted == 3 and .runs == 1 and .merged == 2)'
	is 71 "bhctl: enable i: not disabled (EINVAL)" enable i
	all_right
}

@test "disable --sync waits for the thread that runs" {
	lab_ends 'idle (waited for the running handler, depth 1)' <<-'END'
		add irq i --top thread --thread 'sleep 300ms'
		trigger i
		wait i running
		disable i --sync
	END
	item i '.state == ["disabled"] and .counters.thread_runs == 1'
}

@test "a delay raises the line later: emulated" {
	lab <<<'add irq i'
	run -0 bhctl delay i 30ms --cpu 1
	assert_output "queued (emulated)"
	lab <<<'wait i runs 1'
	holds 'ran("i")[0] | latency >= (30 | ms) and .queue_cpu == 1'
	lab_says queued already-pending was-pending <<<$'delay i 1000s\ndelay i 1ms\ncancel i'
	item i '.balanced and (.counters | .accepted == 2 and .cancelled == 1 and .runs == 1)'
	lab_says queued waited idle <<<$'delay i 1000s\nflush i\nflush i'
	item i '.counters.runs == 2'
}

@test "flush and cancel --sync wait for the thread" {
	lab_says added queued running waited idle <<-'END'
		add irq i --top thread --thread 'sleep 300ms'
		trigger i
		wait i running
		flush i
		wait i idle --timeout 0
	END
	lab_ends 'idle (waited for the running handler)' <<<$'trigger i\nwait i running\ncancel i --sync'
	item i '.counters.thread_runs == 2'
}

@test "IRQ_NONE is answered, and root alone may ask for it" {
	lab <<<$'add irq i --top "none; mark 1"\ntrigger i\nwait i runs 1\nwait i idle'
	item i '.counters | .runs == 1 and .thread_wakes == 0'
	run -71 env -u BHLAB_FD runuser -u alice -- bhctl -q add irq i --top none
	assert_output "bhctl: add irq i: step 1, 'none': returning IRQ_NONE needs CAP_SYS_ADMIN (EPERM)"
}

@test "lines do not disturb each other" {
	lab <<-'END'
		add irq a --top 'trigger b; spin 10us'
		add irq b --top 'trigger c; spin 10us'
		add irq c --top 'mark 1'
		trigger a --count 20 --cpu 0
		wait a idle
		wait b idle
		wait c idle
	END
	item a '.balanced' && item b '.balanced' && item c '.balanced and .counters.runs >= 1'
}
