#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Tasklets: where they run, and what disabling one does.
# shellcheck disable=SC2016,SC2154 # programs of jq and sh; stderr and output come from run

load common

setup() {
	lab_open
}

@test "runs in softirq context, on the CPU that scheduled it" {
	lab <<-'END'
		add tasklet t
		add tasklet_hi h
		queue t --cpu 0
		wait t runs 1
		queue t --cpu 1
		wait t runs 2
		queue h --cpu 1
		wait h runs 1
		queue h --cpu 0
		wait h runs 2
	END
	holds '[ran("t")[] | [.queue_cpu, .cpu]] == [[0, 0], [1, 1]]'
	holds '[ran("h")[] | [.queue_cpu, .cpu]] == [[1, 1], [0, 0]]'
	holds 'ran("t") + ran("h") | all(in("softirq") and in("bh-off") and (in("task") or in("hardirq") | not))'
	holds 'ran("t") | all(.softirq_queued | index("tasklet") != null)'
	holds 'ran("h") | all(.softirq_queued | index("hi") != null)'
}

@test "scheduled again before it runs: one run" {
	lab <<-'END'
		add tasklet t
		add irq i --top 'queue t; queue t; queue t'
		trigger i --cpu 1
		wait t runs 1
		wait t idle
	END
	item t '.counters | .accepted == 1 and .coalesced == 2 and .runs == 1'
	holds '(ran("t") | length) == 1 and ([.[] | kind("coalesced") | of("t")] | length) == 2'
}

@test "scheduled from a top half it runs after it, tasklet_hi before tasklet" {
	lab <<-'END'
		add tasklet t
		add tasklet_hi h
		add irq i --top 'queue t; queue h; spin 100us'
		trigger i --cpu 0
		wait t runs 1
		wait h runs 1
	END
	holds 'ran("h")[0].started_ns >= ran("i")[0].finished_ns'
	holds 'ran("t")[0].started_ns >= ran("h")[0].finished_ns'
}

@test "disabled and scheduled it waits for enable, and then runs once" {
	lab_says added idle idle queued already-pending idle <<-'END'
		add tasklet t
		disable t
		disable t
		queue t --cpu 1
		queue t --cpu 1
		enable t
	END
	is 124 "bhctl: wait t runs: the condition was not met within 300ms (ETIMEDOUT)" wait t runs 1 --timeout 300ms
	all_right
	item t '.state == ["pending", "disabled"] and .depth == 1 and .counters.outstanding == 1'
	lab_says idle runs idle <<<$'enable t\nwait t runs 1\nwait t idle'
	item t '.counters | .accepted == 1 and .coalesced == 1 and .runs == 1'
	holds 'ran("t")[0].started_ns >= ([.[] | kind("enabled") | select(.value == 0)][0].started_ns - (100 | ms))'
}

@test "cancel takes a scheduled one back: emulated, and it never runs its program" {
	lab <<<$'add tasklet t --do "mark 1"\ndisable t\nqueue t'
	run -0 bhctl cancel t
	assert_output "was-pending (emulated)"
	run -0 bhctl -j cancel t --sync
	assert_equal "$(jq -c '[.result, .emulated]' <<<"$output")" '["idle",true]'
	lab <<<$'enable t\nwait t idle'
	item t '.counters | .accepted == 1 and .cancelled == 1 and .runs == 0'
	lab_says queued runs <<<$'queue t\nwait t runs 1'
	assert_equal "$(ask '[.[] | .kind]')" '["disabled","cancelled","enabled","run","mark"]'
}

@test "a delay is the driver's own: emulated, never early, and says when it was over" {
	lab <<<'add tasklet t'
	run -0 bhctl delay t 30ms --cpu 1
	assert_output "queued (emulated)"
	lab <<<$'wait t runs 1'
	holds 'ran("t")[0] | latency >= (30 | ms) and in("softirq") and .cpu == 1'
	holds '[.[] | kind("expired") | of("t")] | length == 1'
	lab_says queued already-pending already-pending modified waited <<-'END'
		delay t 1000s
		delay t 1ms
		queue t
		delay t 2000s --mod
		flush t
	END
	item t '.counters | .accepted == 2 and .coalesced == 2 and .runs == 2'
	lab_says queued was-pending idle <<<$'delay t 1000s\ncancel t\ncancel t'
	holds '(ran("t") | length) == 2 and ([.[] | kind("cancelled")] | length) == 1'
}

@test "del and flush of a disabled, scheduled one are refused, and enable makes them possible" {
	lab <<<$'add tasklet t\ndisable t\nqueue t'
	is 71 "bhctl: del t: it is disabled and scheduled, and killing it would wait forever; enable it first (EBUSY)" del t
	is 71 "bhctl: flush t: it is disabled and pending, and the call would wait forever (EBUSY)" flush t
	all_right
	lab <<<$'enable t\nflush t\ndel t'
	assert_equal "$(bhctl -p list)" ""
}

@test "one that keeps rescheduling itself ends up in ksoftirqd" {
	# More than the ten passes that the kernel makes inline. When the guest stalls the budget
	# can end a chain early: so several chains.
	{
		echo 'add tasklet t --do "requeue 60"'
		yes $'queue t --cpu 1\nwait t idle' | head -n 10
	} | lab
	holds 'ran("t") | length > 60 and all(.cpu == 1 and in("softirq"))'
	holds 'ran("t") | any(in("ksoftirqd") and .comm == "ksoftirqd/1")'
}

@test "runs of one never overlap, whoever schedules it" {
	lab <<-'END'
		add tasklet t --do 'spin 300us'
		add work a --do 'queue t; sleep 1ms; requeue 10'
		add work b --do 'queue t; sleep 1ms; requeue 10'
		queue a --cpu 0
		queue b --cpu 1
		wait a runs 11
		wait b runs 11
		wait t idle
	END
	holds 'ran("t") | sort_by(.started_ns) | . as $r |
		[range(1; length) | $r[.].started_ns >= $r[. - 1].finished_ns] | all'
	item t '.balanced and .counters.accepted + .counters.coalesced == 22'
}
