#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Work items: the verbs' answers, and what the events say happened.
# shellcheck disable=SC2016,SC2154 # programs of jq and sh; stderr and output come from run

load common

setup() {
	lab_open
}

@test "queued twice while it is pending: one run" {
	# With interrupts off on the work's CPU nothing can start between the steps.
	lab <<-'END'
		add work w --do 'sleep 50ms'
		add work all --do 'irq_off; queue w --cpu 1; queue w --cpu 1; queue w --cpu 1; irq_on'
		queue all --cpu 1
		wait w runs 1
		wait w idle
	END
	item w '.counters | .accepted == 1 and .coalesced == 2 and .runs == 1'
	holds '(ran("w") | length) == 1 and ([.[] | kind("coalesced") | of("w")] | length) == 2'
	lab_says queued already-pending already-pending \
		already-pending <<<$'delay w 1000s\nqueue w\nqueue w --cpu 0\ndelay w 1ms'
	lab_says waited idle <<<$'flush w\nflush w'
	item w '.counters | .accepted == 2 and .coalesced == 5 and .runs == 2'
}

@test "queued while it runs: accepted, and runs once more, never beside itself" {
	lab_says added queued running queued already-pending idle <<-'END'
		add work w --do 'sleep 500ms'
		queue w --cpu 0
		wait w running
		queue w --cpu 1
		queue w --cpu 0
		wait w idle
	END
	holds 'ran("w") | length == 2 and .[1].started_ns >= .[0].finished_ns'
}

@test "cancel of a pending item: was-pending, and it never runs" {
	lab_says added queued was-pending idle queued was-pending <<-'END'
		add work w
		delay w 1000s
		cancel w
		cancel w
		delay w 1000s
		cancel w --sync
	END
	item w '.counters | .accepted == 2 and .cancelled == 2 and .runs == 0 and .outstanding == 0'
	holds '[.[] | kind("cancelled") | of("w")] | length == 2'
}

@test "cancel of a running item: idle; only with --sync does it wait" {
	lab_says added queued running idle running <<-'END'
		add work w --do 'sleep 300ms'
		queue w
		wait w running
		cancel w
		wait w running --timeout 0
	END
	lab <<<'wait w idle'
	lab_ends 'idle (waited for the running handler)' <<<$'queue w\nwait w running\ncancel w --sync'
	item w '.state == [] and .counters.runs == 2 and .counters.cancelled == 0'
	holds 'ran("w")[1] | .finished_ns - .started_ns >= (300 | ms)'
}

@test "cancel of an idle item: idle" {
	lab <<<$'add work w\nqueue w\nwait w idle'
	run -0 bhctl -j cancel w --sync
	assert_equal "$(jq -c '[.result, .waited]' <<<"$output")" '["idle",false]'
	run -0 bhctl cancel w
	assert_output idle
}

@test "flush of a running item waits for it, of an idle one does not" {
	lab_says added idle queued running waited runs idle <<-'END'
		add work w --do 'sleep 500ms'
		flush w
		queue w
		wait w running
		flush w
		wait w runs 1 --timeout 0
		flush w
	END
}

@test "flush fires a delay at once" {
	lab_says added queued waited <<<$'add work w --do "sleep 50ms"\ndelay w 1000s\nflush w'
	holds 'ran("w") | length == 1 and (.[0] | latency) < (500000 | ms)'
}

@test "a delay is not early" {
	# Delayed work counts in jiffies, and those are behind for a moment when the host has
	# stopped a CPU of the guest: so most of them, not each.
	local i
	echo 'add work w --queue unbound' | lab
	for i in 1 2 3 4 5; do printf '%s\n' 'delay w 30ms' "wait w runs $i"; done | lab
	holds 'ran("w") | length == 5 and (map(select(latency >= (30 | ms))) | length) >= 3'
	lab <<<$'delay w 0\nwait w runs 6'
}

@test "the first delay wins, and --mod replaces it" {
	lab_says added queued \
		already-pending <<<$'add work w --do "sleep 50ms"\ndelay w 1000s\ndelay w 1ms'
	is 124 "bhctl: wait w runs: the condition was not met within 300ms (ETIMEDOUT)" wait w runs 1 --timeout 300ms
	all_right
	item w '.state == ["pending", "delayed"]'
	lab_says modified runs <<<$'delay w 1ms --mod\nwait w runs 1'
	item w '.counters | .accepted == 1 and .coalesced == 1 and .runs == 1'
	lab_says queued modified waited <<<$'delay w 1000s --mod\ndelay w 2000s --mod\nflush w'
}

@test "runs on the CPU that it is queued on, in a kworker of it, in process context" {
	lab <<-'END'
		add work w
		add work fixed --cpu 1
		queue w --cpu 0
		wait w runs 1
		queue w --cpu 1
		wait w runs 2
		delay w 1ms --cpu 0
		wait w runs 3
		delay w 1ms --cpu 1
		wait w runs 4
		queue fixed
		wait fixed runs 1
		queue fixed --cpu 0
		wait fixed runs 2
	END
	holds '[ran("w")[].cpu] == [0, 1, 0, 1] and [ran("fixed")[].cpu] == [1, 0]'
	holds 'ran("w") + ran("fixed") | all(in("task") and (in("softirq") or in("hardirq") | not) and .pid > 0)'
	holds 'ran("w") + ran("fixed") | all(.comm | startswith("kworker/"))'
	holds 'ran("w") + ran("fixed") | all((.comm[8:9] | tonumber) == .cpu)'
}

@test "every system queue runs it, and highpri and unbound in their own kworkers" {
	local queue
	for queue in percpu highpri long unbound freezable power_efficient; do
		printf '%s\n' "add work $queue --queue $queue" "queue $queue" "wait $queue runs 1"
	done | lab
	lab <<-'END'
		add queue q
		add queue h --highpri
		add queue u --unbound
		add work w --queue q
		queue w --on h
		wait w runs 1
		delay w 1ms --on u
		wait w runs 2
		queue w
		wait w runs 3
	END
	for queue in percpu highpri long unbound freezable power_efficient; do
		item "$queue" ".queue == \"$queue\""
	done
	# The comm is the kworker's as it was at the start; the kernel decorates it only for readers
	# of /proc.
	holds '(ran("highpri")[0].comm | endswith("H")) and
		(ran("unbound")[0].comm | startswith("kworker/u"))'
	holds '(ran("percpu") + ran("long") + ran("freezable")) |
		all(.comm | test("^kworker/[0-9]+:[0-9]+$"))'
	holds '[ran("w")[].comm | sub("[0-9]+.*:[0-9]+"; "")] == ["kworker/H", "kworker/u", "kworker/"]'
}

@test "disable cancels, refuses and nests" {
	kernel_has disable_delayed_work || skip "this kernel cannot disable work"
	lab_says added queued was-pending idle disabled disabled idle disabled idle queued \
		runs <<-'END'
		add work w
		delay w 1000s
		disable w
		disable w
		queue w
		delay w 1ms
		enable w
		queue w
		enable w
		queue w
		wait w runs 1
	END
	item w '.depth == 0 and .state == [] and (.counters |
		.accepted == 2 and .cancelled == 1 and .refused == 3 and .runs == 1)'
	is 71 "bhctl: enable w: not disabled (EINVAL)" enable w
	is 0 "idle (depth 1)" disable w
	is 0 "idle (depth 2)" disable w --sync
	is 0 '{"result":"idle","item":"w","id":1,"emulated":false,"waited":false,"depth":1}' \
		-j enable w
	is 0 "idle (depth 0)" enable w
	all_right
	item w '.state == []'
	assert_equal "$(ask '[.[] | kind("disabled") | .value]')" "[1,2,1,2]"
	assert_equal "$(ask '[.[] | kind("enabled") | .value]')" "[1,0,1,0]"
}

@test "disable --sync waits for the running handler" {
	kernel_has disable_delayed_work || skip "this kernel cannot disable work"
	lab_ends 'idle (waited for the running handler, depth 2)' <<-'END'
		add work w --do 'sleep 300ms'
		queue w
		wait w running
		disable w
		wait w running --timeout 0
		disable w --sync
	END
	item w '.state == ["disabled"] and .counters.runs == 1'
}

@test "work that cannot be disabled says so" {
	kernel_has disable_delayed_work && skip "this kernel can disable work"
	lab <<<'add work w'
	refusals <<-'END'
		71 EOPNOTSUPP | disable w | disable w: work has no disable on this kernel
		71 EOPNOTSUPP | enable w  | enable w: work has no enable on this kernel
	END
}

@test "payload and cookie come back with each run" {
	lab <<<$'add work w --data "an embedded structure" --cookie 18446744073709551557\nqueue w\nwait w runs 1'
	holds 'ran("w")[0].data == "an embedded structure"'
	run -0 bhctl -j events
	assert_output --partial '"cookie":18446744073709551557,'
}

@test "requeue runs it so many times more, each counted" {
	lab <<<$'add work w --do "requeue 3"\nqueue w\nwait w runs 4\nwait w idle'
	holds 'ran("w") | map(.nth) == [1, 2, 3, 4] and map(.value) == [0, 1, 2, 3]'
	lab <<<$'queue w\nwait w runs 8\nwait w idle'
	item w '.counters | .accepted == 8 and .runs == 8'
}

@test "steps queue, delay and trigger other items, and mark" {
	lab <<-'END'
		add work a
		add work b
		add irq i
		add work w --do 'mark 1; queue a --cpu 0; delay b 20ms --cpu 1; trigger i; mark 18446744073709551615'
		queue w --cpu 1
		wait a runs 1
		wait b runs 1
		wait i runs 1
		wait w idle
	END
	holds 'ran("a")[0].cpu == 0 and ran("b")[0].cpu == 1 and
		(ran("b")[0] | latency) >= (10 | ms)'
	holds '(ran("i") | length) == 1 and ran("w")[0].skipped == 0'
	run -0 bhctl -j events --kind mark
	assert_line --index 0 --partial '"value":1,'
	assert_line --index 1 --partial '"value":18446744073709551615,'
}

@test "a step whose target is not there is skipped, and said so" {
	lab <<<$'add work w --do "queue later; queue gone; mark 1"\nadd work gone\ndel gone\nqueue w\nwait w idle'
	item w '.counters.skipped == 2'
	holds 'ran("w")[0] | .skipped == 2 and .reasons == ["target-gone"]'
	run -0 bhctl events --kind run
	assert_line --regexp ' 2 skipped: target-gone$'
	lab <<<$'add work later\nqueue w\nwait later runs 1'
	holds 'ran("w")[1].skipped == 1'
	lab <<<$'add work v --do "trigger w"\nqueue v\nwait v idle'
	holds 'ran("v")[0] | .skipped == 1 and .reasons == ["target-refused"]'
}

@test "QUEUED events only on request" {
	lab <<<$'add work loud --queued\nadd work w\nqueue w\nqueue loud\nwait w runs 1\nwait loud runs 1'
	assert_equal "$(ask '[.[] | kind("queued") | .item]')" '["loud"]'
	holds '[.[] | kind("queued")][0].started_ns <= ran("loud")[0].started_ns'
}

@test "times are in order, and records all accounted for" {
	lab <<-'END'
		add work w --do 'spin 10us; queue v; requeue 10'
		add work v --do 'spin 20us'
		queue w --cpu 0
		wait w runs 11
		wait w idle
		wait v idle
	END
	holds 'all(.[]; .queued_ns <= .started_ns and .started_ns <= .finished_ns)'
	holds 'ran("w") | all(.finished_ns - .started_ns >= 10000)'
	item w '.balanced' && item v '.balanced'
	assert_equal "$(ask length)" "$(bhctl -j ring | jq .recorded)"
}
