# SPDX-License-Identifier: GPL-2.0-only
# Workqueues that a lab creates: what they are, flush, drain, and their end.

load common

bh_queues() {
	bhctl -j info | jq -e '.features | index("bh_queue") != null' >/dev/null
}

@test "attributes that go together, and those that do not" {
	local most='--percpu --highpri --freezable --mem-reclaim --cpu-intensive'
	lab_open
	lab <<-END
		add queue a
		add queue b $most --max-active 3
		add queue c --unbound --highpri --max-active 1
		add queue d --ordered --freezable --mem-reclaim
		add queue e --legacy
		add queue f --singlethread
	END
	refusals <<-'END'
		71 EINVAL | add queue x --percpu --unbound        | add queue x: these attributes exclude each other; see 'bhctl help add queue'
		71 EINVAL | add queue x --unbound --cpu-intensive | add queue x: these attributes exclude each other; see 'bhctl help add queue'
		71 EINVAL | add queue x --ordered --max-active 1  | add queue x: these attributes exclude each other; see 'bhctl help add queue'
		71 EINVAL | add queue x --legacy --highpri        | add queue x: these attributes exclude each other; see 'bhctl help add queue'
		71 EINVAL | add queue x --percpu --max-active 100000 | add queue x: these attributes exclude each other; see 'bhctl help add queue'
		71 EEXIST | add queue a                           | add queue a: the name is taken
		71 EPERM  | flush percpu                          | flush percpu: it is the kernel's own queue: only queues of the lab can be flushed
		71 EPERM  | drain unbound                         | drain unbound: it is the kernel's own queue: only queues of the lab can be drained
		71 ENOENT | drain x                               | drain x: there is no queue x in this lab
	END
	run -0 bhctl show b
	assert_line --regexp '^is +percpu, highpri, freezable, mem-reclaim, cpu-intensive$'
	run -0 bhctl list
	assert_line --regexp '^ *[0-9]+ f +singlethread +0 +0 +0$'
}

@test "BH queues run their items in a softirq, where the kernel has them" {
	lab_open
	if ! bh_queues; then
		is 71 "bhctl: add queue b: this kernel has no BH workqueues (EOPNOTSUPP)" \
			add queue b --bh
		is 71 "bhctl: add work w: this kernel has no BH workqueues (EOPNOTSUPP)" \
			add work w --queue bh
		all_right
		return
	fi
	lab <<-'END'
		add queue b --bh
		add work w --queue b --do 'mark 1'
		add work v --queue bh
		add work s --do 'sleep 1ms'
		queue w
		queue v
		wait w runs 1
		wait v runs 1
	END
	holds 'ran("w")[0] | in("softirq")'
	holds 'ran("v")[0] | in("softirq")'
	refusals <<-'END'
		71 EINVAL     | add work x --queue b --do 'sleep 1ms' | add work x: step 1, 'sleep 1ms': cannot sleep: work on a BH queue runs in softirq context
		71 EINVAL     | add work x --queue bh --do 'sleep 1ms' | add work x: step 1, 'sleep 1ms': cannot sleep: work on a BH queue runs in softirq context
		71 EINVAL     | queue s --on b                        | queue s: an item cannot move between BH queues and other queues
		71 EINVAL     | queue w --on percpu                   | queue w: an item cannot move between BH queues and other queues
		71 EPERM      | queue s --on highpri                  | queue s: an item cannot move from or to one of the kernel's own queues
		71 EINVAL     | add work x --queue b --static         | add work x: the static instance is not for BH queues
		71 EOPNOTSUPP | delay w 1ms --cpu 0                   | delay w 1ms: on a BH queue a delay takes no CPU: that might be offline when the delay is over
	END
}

@test "an ordered queue runs one after the other, whatever the CPU" {
	lab_open
	lab <<-'END'
		add queue q --ordered
		add work a --queue q --do 'sleep 5ms'
		add work b --queue q --do 'sleep 5ms'
		add work c --queue q --do 'sleep 5ms'
		queue a --cpu 0
		queue b --cpu 1
		queue c --cpu 0
		flush q
	END
	holds '[.[] | kind("run")] | sort_by(.started_ns) | (map(.item) == ["a", "b", "c"]) and
		(.[0].finished_ns <= .[1].started_ns) and (.[1].finished_ns <= .[2].started_ns)'
}

@test "flush waits for what was queued, and drain for what that queues in turn" {
	lab_open
	lab <<-'END'
		add queue q
		add work w --queue q --do 'sleep 1ms; requeue 20'
		queue w
		drain q
	END
	item w '.counters.runs == 21 and .state == []'
	lab <<-'END'
		queue w
		flush q
	END
	item w '.counters.runs >= 22'
	lab <<<'drain q'
	item w '.counters.runs == 42'
}

@test "what is on a delay, or a grace period, keeps a queue from being drained and deleted" {
	lab_open
	lab <<-'END'
		add queue q
		add queue p
		add work w --queue q
		add queue home
		add work v --queue home
		delay w 1000s
		delay v 1000s --on p
	END
	refusals <<-'END'
		71 EBUSY | drain q | drain q: an activation is delayed or waits for a grace period, and would come too late
		71 EBUSY | drain p | drain p: an activation is delayed or waits for a grace period, and would come too late
		71 EBUSY | del q   | del q: an item names it, or has an activation on it
		71 EBUSY | del p   | del p: an item names it, or has an activation on it
	END
	lab <<<$'cancel v\ndel p\ncancel w\ndrain q\ndel w\ndel q'
}

@test "a drain that goes on refuses what comes from elsewhere" {
	local drain
	lab_open
	lab <<-'END'
		add queue q
		add work w --queue q --do 'sleep 990ms; requeue 3'
		add work v --queue q
		queue w
		wait w running
	END
	bhctl -q drain q 3>&- &
	drain=$!
	until [[ $(bhctl -j show q | jq .draining) == true ]]; do
		kill -0 "$drain" || fail "it has drained already"
	done
	is 71 "bhctl: queue v: the queue is draining (EAGAIN)" queue v
	is 71 "bhctl: drain q: it is draining already (EAGAIN)" drain q
	wait "$drain"
	item w '.counters.runs == 4'
	is 0 queued queue v
	all_right
}

@test "a user may have only so many queues" {
	local queues
	queues=$(bhctl -j info | jq .limits.queues)
	lab_open
	seq -f 'add queue q%.0f' "$queues" | lab
	is 71 "bhctl: add queue x: the module parameters queues and items allow no more of them to one user, over all labs (ENOSPC)" add queue x
	is 0 deleted del q1
	is 0 added add queue x
	all_right
}
