# SPDX-License-Identifier: GPL-2.0-only
# Steps that turn something off, take locks, or act on other items.

load common

@test "brackets that do not match, and where they may not be" {
	lab_open
	lab <<<$'add lock l\nadd lock k\nadd lock m --mutex\nadd lock h --context hardirq\nadd fifo f'
	refusals <<-'END'
		71 EINVAL | add work x --do 'bh_off'                  | add work x: step 1, 'bh_off': it is never closed
		71 EINVAL | add work x --do 'mark 1; lock l'          | add work x: step 2, 'lock l': it is never unlocked
		71 EINVAL | add work x --do 'irq_on'                  | add work x: step 1, 'irq_on': it does not close the bracket that was opened last
		71 EINVAL | add work x --do 'lock l; bh_off; unlock l; bh_on' | add work x: step 3, 'unlock l': it does not close the bracket that was opened last
		71 EINVAL | add work x --do 'bh_off; bh_off; bh_on; bh_on' | add work x: step 2, 'bh_off': it must not be opened inside of a bracket that is open here
		71 EINVAL | add work x --do 'irq_off; bh_off; bh_on; irq_on' | add work x: step 2, 'bh_off': it must not be opened inside of a bracket that is open here
		71 EINVAL | add work x --do 'bh_off; sleep 1ms; bh_on' | add work x: step 2, 'sleep 1ms': inside brackets other than mutexes it must not sleep
		71 EINVAL | add work x --do 'lock k; lock l; unlock l; unlock k' | add work x: step 2, 'lock l': it must not be taken inside of what is open here: locks are taken in the order of their creation, mutexes first, strict contexts last, and none with interrupts off
		71 EINVAL | add work x --do 'lock l; lock m; unlock m; unlock l' | add work x: step 2, 'lock m': it must not be taken inside of what is open here: locks are taken in the order of their creation, mutexes first, strict contexts last, and none with interrupts off
		71 EINVAL | add work x --do 'irq_off; lock h; unlock h; irq_on' | add work x: step 2, 'lock h': it must not be taken inside of what is open here: locks are taken in the order of their creation, mutexes first, strict contexts last, and none with interrupts off
		71 EINVAL | add tasklet x --do 'bh_off; bh_on'        | add tasklet x: step 1, 'bh_off': it is for task context only: tasklet runs in softirq context
		71 EINVAL | add tasklet x --do 'lock l; unlock l'     | add tasklet x: step 1, 'lock l': the lock is for task context, and tasklet runs in softirq context
		71 EINVAL | add hrtimer x --hard --do 'lock h; unlock h' | add hrtimer x: step 1, 'lock h': items with --hard or --irqsafe, and top halves with --oneshot, take no lock: on RT a spin lock sleeps
		71 ENOENT | add work x --do 'lock none; unlock none'  | add work x: step 1, 'lock none': there is no lock none in this lab
		71 ENOENT | add work x --do 'push l 1'                | add work x: step 1, 'push l 1': there is no FIFO l in this lab
		71 EINVAL | add lock x --mutex --context softirq      | add lock x: a mutex is for task context: it sleeps
		71 EINVAL | add fifo x --depth 0                      | add fifo x: its depth must be 1 to 1000000
	END
	lab <<-'END'
		add work w --do 'lock l; bh_off; lock k; irq_off; spin 1us; irq_on; unlock k; bh_on; lock h; unlock h; unlock l'
		add work v --do 'lock m; sleep 1ms; unlock m'
		queue w
		queue v
		wait w runs 1
		wait v runs 1
	END
	is 71 "bhctl: del l: a program names it (EBUSY)" del l
	all_right
}

@test "a wait that would never end, and the cycle in the sentence" {
	lab_open
	lab <<<$'add queue q --ordered\nadd lock m --mutex\nadd lock n --mutex\nadd work taker --do "lock n; unlock n"'
	refusals <<-'END'
		71 EDEADLK | add work x --do 'mark 1; flush x'       | add work x: step 2, 'flush x': it would never end: x waits for x
		71 EDEADLK | add work x --do 'cancel x --sync'       | add work x: step 1, 'cancel x --sync': it would never end: x waits for x
		71 EDEADLK | add irq x --thread 'disable x --sync'   | add irq x: thread, step 1, 'disable x --sync': it would never end: x waits for x
		71 EDEADLK | add work x --queue q --do 'drain q'     | add work x: step 1, 'drain q': it would never end: x waits for queue q, on which x runs
		71 EDEADLK | add work x --do 'lock m; lock n; wait taker idle; unlock n; unlock m' | add work x: step 3, 'wait taker idle': it would never end: x holds n and waits for taker, which waits for n
		71 EINVAL | add tasklet x --do 'flush taker'         | add tasklet x: step 1, 'flush taker': cannot wait: tasklet runs in softirq context
		71 EINVAL | add csd x --do 'cancel taker --sync'     | add csd x: step 1, 'cancel taker --sync': cannot wait: csd runs in hardirq context
		71 EINVAL | add work x --do 'bh_off; synchronize_rcu; bh_on' | add work x: step 2, 'synchronize_rcu': inside brackets other than mutexes it must not sleep
		71 EINVAL | add work x --do 'every 2 lock m; every 2 unlock m' | add work x: step 2, 'unlock m': what closes a bracket cannot be left out: give the step that opens it 'every' or 'chance'
	END
	all_right
}

@test "steps are shown as they were written" {
	local steps='every 3 chance 50% lock m; spin 10us..50us; unlock m; delay w 1ms --mod; cancel v --sync; wait v idle; synchronize_rcu'
	lab_open
	lab <<<"add lock m --mutex"
	lab <<<"add work w --do '$steps'"
	run -0 bhctl -j show w
	assert_equal "$(jq -r '.. | .program? // empty' <<<"$output")" "$steps"
}

@test "two handlers are never inside the same lock" {
	lab_open
	lab <<-'END'
		add lock l --context softirq
		add work w --do 'lock l; mark 1; spin 200us; mark 2; unlock l; requeue 30'
		add tasklet t --do 'lock l; mark 1; spin 200us; mark 2; unlock l; requeue 30'
		queue w --cpu 0
		queue t --cpu 1
		wait w idle
		wait t idle
	END
	holds '[.[] | kind("mark")] | sort_by(.started_ns) | [recurse(.[2:]; length > 0) | .[0:2]] |
		all(.[0].value == 1 and .[1].value == 2 and .[0].item == .[1].item)'
}

@test "what is queued with bottom halves off runs as they are turned on" {
	lab_open
	lab <<-'END'
		add tasklet t
		add work w --do 'bh_off; queue t; spin 100us; mark 1; bh_on; mark 2' --cpu 0
		queue w
		wait t runs 1
		wait w runs 1
	END
	holds '.[] | select(.kind == "mark" and .value == 1) | in("bh-off")'
	# On RT the section does not keep threads of its CPU from running the softirq before its end
	# (from 6.18 on), or for it.
	[[ $(uname -v) == *PREEMPT_RT* ]] ||
		holds '(.[] | select(.kind == "mark" and .value == 1)).started_ns <= ran("t")[0].started_ns and
			ran("t")[0].finished_ns <= (.[] | select(.kind == "mark" and .value == 2)).started_ns'
}

@test "raises with interrupts off are one run, and the rest is counted as merged" {
	lab_open
	lab <<-'END'
		add irq i
		add work w --do 'irq_off; trigger i; trigger i; trigger i; irq_on' --cpu 0
		queue w
		wait w idle
		wait i idle
	END
	item i '.counters | .accepted == 3 and .runs == 1 and .merged == 2'
}

@test "handlers cancel, disable and enable other items" {
	lab_open
	lab <<-'END'
		add work late
		add irq i
		add work w --do 'cancel late; disable i; trigger i; mark 1; enable i' --cpu 0
		delay late 1000s
		queue w
		wait w runs 1
		wait i idle
	END
	item late '.counters.cancelled == 1 and .state == []'
	item i '.depth == 0 and .counters.accepted == 1 and .counters.runs + .counters.merged == 1'
	holds '[.[] | of("i") | select(.kind == "disabled" or .kind == "enabled") | .kind] == ["disabled", "enabled"]'
}

@test "a FIFO counts what found no room" {
	lab_open
	lab <<-'END'
		add fifo f --depth 8
		add work in --do 'push f 5'
		add work out --do 'pop f 3; pop f; pop f 2'
		queue in
		wait in runs 1
		queue in
		wait in runs 2
		queue out
		wait out runs 1
	END
	item f '.pushed == 8 and .dropped == 2 and .highest == 8 and .popped == 8 and
		.level == 0 and .missed == 2'
	holds '[.[] | kind("dropped")] | length == 1 and .[0].item == "in" and .[0].value == 2 and
		.[0].nth == 2'
}

@test "a period raises the line so many times, and cancel ends it" {
	lab_open
	lab <<-'END'
		add irq i
		trigger i --period 1ms --count 20 --cpu 0
		wait i idle
	END
	item i '.counters.accepted == 20 and .state == [] and .period_ns == null'
	lab <<<'trigger i --period 1ms --count 1000000'
	item i '.state | index("periodic") != null'
	refusals <<-'END'
		71 EBUSY  | trigger i --period 1ms   | trigger i: a trigger with a period is active; cancel it first
		71 EINVAL | trigger i --period 1us   | trigger i: the period must be 100us or more, and twice what the top half spins; the count 1 to 1000000
	END
	lab_ends was-pending <<<'cancel i'
	lab <<<'wait i idle'
	item i '.counters.accepted < 1000020'
	lab <<<$'trigger i --period 1ms --count 1000000\ndel i'
}
