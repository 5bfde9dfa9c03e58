# SPDX-License-Identifier: GPL-2.0-only
# What all mechanisms have in common, and the attributes that only some have.

load common

# All that are activated by queue.
mechs() {
	bhctl -j mechanisms | jq -r '.mechanisms[] | select(.verbs.queue) | .name'
}

# Those whose activation can be cancelled.
cancelling() {
	bhctl -j mechanisms | jq -r '.mechanisms[] | select(.verbs.queue and .verbs.cancel) | .name'
}

@test "each mechanism runs once for a queue, a delay and a flush, where it says" {
	local mech
	lab_open
	for mech in $(mechs); do
		printf '%s\n' "add $mech x_$mech" "queue x_$mech" "wait x_$mech runs 1" \
			"delay x_$mech 1ms" "wait x_$mech runs 2" \
			"delay x_$mech 1000s" "flush x_$mech"
	done | lab
	for mech in $(mechs); do
		item "x_$mech" '.counters.runs == 3 and .balanced and .counters.outstanding == 0'
		context_of "$mech" "$(ask "ran(\"x_$mech\")[0].context[0]" | tr -d '"')" ||
			fail "$mech ran elsewhere"
	done
}

@test "each mechanism takes a delay back, and says if that is emulated" {
	local mech said
	lab_open
	for mech in $(cancelling); do
		printf '%s\n' "add $mech x_$mech" "delay x_$mech 1000s" "queue x_$mech" \
			"delay x_$mech 2000s --mod" "cancel x_$mech --sync" "cancel x_$mech --sync"
	done | lab
	for mech in $(cancelling); do
		item "x_$mech" '.counters | .accepted == 1 and .runs == 0 and .cancelled == 1 and
			.coalesced == 1'
		lab <<<"delay x_$mech 1000s"
		said=$(bhctl -j cancel "x_$mech" --sync | jq -r .emulated)
		assert_equal "$mech $said" \
			"$mech $(bhctl -j mechanisms | jq --arg m "$mech" '.mechanisms[] |
			select(.name == $m).verbs.cancel == "emulated"')"
	done
}

@test "attributes show in where, and with what off, it runs" {
	lab_open
	lab <<-'END'
		add irq_work h --hard
		add irq_work l --lazy
		add timer s --irqsafe
		add timer p --pinned
		add hrtimer n --hard
		queue h
		queue l
		queue s
		queue p --cpu 1
		delay n 1ms
		wait h runs 1
		wait l runs 1
		wait s runs 1
		wait p runs 1
		wait n runs 1
	END
	holds 'ran("h")[0] | in("hardirq")'
	holds 'ran("n")[0] | in("hardirq")'
	holds 'ran("s")[0] | in("softirq") and in("irqs-off")'
	holds 'ran("p")[0] | in("softirq") and .cpu == 1'
	item l '.attributes == ["lazy"] and .counters.runs == 1'
	is 71 "bhctl: add irq_work x: --hard and --lazy exclude each other (EINVAL)" \
		add irq_work x --hard --lazy
	all_right
}

@test "a kthread_work runs in a thread of its own, with the priority that it asked for" {
	lab_open
	lab <<-'END'
		add kthread_work k --nice -5
		add kthread_work f --priority 3
		queue k
		queue f
		wait k runs 1
		wait f runs 1
	END
	holds 'ran("k")[0].comm | endswith("/k")'
	assert_equal "$(ps -o cls=,ni= -p "$(ask 'ran("k")[0].pid')" | xargs)" "TS -5"
	assert_equal "$(ps -o cls=,rtprio= -p "$(ask 'ran("f")[0].pid')" | xargs)" "FF 3"
	refusals <<-'END'
		71 EINVAL     | add kthread_work x --nice 20       | add kthread_work x: give a nice value of -20 to 19, or a priority of 1 to 99
		71 EINVAL     | add kthread_work x --priority 100  | add kthread_work x: give a nice value of -20 to 19, or a priority of 1 to 99
		71 EINVAL     | add kthread_work x --priority 1 --nice 1 | add kthread_work x: give a nice value of -20 to 19, or a priority of 1 to 99
		71 EOPNOTSUPP | add work x --nice 1                | add work x: work has no thread of its own to prioritise
	END
	run -71 runuser -u alice -- bhctl -q add kthread_work x --nice -1
	assert_output "bhctl: add kthread_work x: a priority, and a nice value below 0, need CAP_SYS_NICE (EPERM)"
}

@test "the static instances are for one item at a time" {
	lab_open
	lab <<<$'add work s --static\nadd tasklet t --static\nqueue s\nqueue t\nwait s runs 1\nwait t runs 1'
	is 71 "bhctl: add work x: another item uses the static instance (EBUSY)" add work x --static
	is 71 "bhctl: add tasklet_hi x: another item uses the static instance (EBUSY)" \
		add tasklet_hi x --static
	all_right
	run -71 env -u BHLAB_FD bhctl -q add work x --static
	lab <<<$'del s\nadd work x --static\nqueue x\nwait x runs 1'
	lab_close
	run -0 bhctl -q add work y --static
}

@test "an rcu callback comes after a grace period, and an rcu_work after that in process context" {
	lab_open
	lab <<<$'add rcu r\nadd rcu_work w\nqueue r\nqueue r\nqueue w\nflush r\nflush w'
	item r '.counters.runs == 1 and .counters.coalesced == 1'
	holds 'ran("w")[0] | in("task")'
}

@test "an irq_poll has a weight, an hrtimer may have a period" {
	lab_open
	lab <<-'END'
		add irq_poll p --weight 4
		add irq_poll d
		add hrtimer h --period 1ms
		queue h
		wait h runs 3
	END
	item p '.weight == 4 and .attributes == []'
	item d '.weight == 64 and .period_ns == null'
	item h '.weight == null and .period_ns == 1000000 and (.state | index("periodic"))'
	is 0 was-pending cancel h
	item h '.period_ns == null'
	is 0 'idle (depth 1)' disable d
	refusals <<-'END'
		71 EINVAL     | add irq_poll x --weight 65        | add irq_poll x: the weight must be 1 to 64
		71 EOPNOTSUPP | add tasklet x --weight 1          | add tasklet x: tasklet has no weight
		71 EINVAL     | add irq_poll x --do 'irq_off; complete; irq_on' | add irq_poll x: step 2, 'complete': a program may end there, and a bracket is open
		71 EINVAL     | add work x --do complete          | add work x: step 1, 'complete': work cannot do that
		71 EOPNOTSUPP | add timer x --period 1ms          | add timer x: timer has no period
		71 EBUSY      | disable d --sync                  | disable d: irq_poll_disable() would wait: for what is pending, which --sync allows, or until it is enabled
	END
	all_right
}
