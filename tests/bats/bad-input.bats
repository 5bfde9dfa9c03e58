#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What bhctl and the driver refuse: for each the exit status, the errno and the exact sentence.
# shellcheck disable=SC2016,SC2154 # programs of jq and sh; stderr and output come from run

load common

@test "numbers and periods that are none" {
	lab_open
	lab <<<'add work w'
	refusals <<-'END'
		64 - | delay w            | delay w: PERIOD is missing
		64 - | delay w 5          | delay w: PERIOD: '5' has no known unit; use ns, us, ms or s
		64 - | delay w 5h         | delay w: PERIOD: '5h' has no known unit; use ns, us, ms or s
		64 - | delay w 5MS        | delay w: PERIOD: '5MS' has no known unit; use ns, us, ms or s
		64 - | delay w ms         | delay w: PERIOD: 'ms' is not a period; write 10us, 1.5ms or 1s
		64 - | delay w ''         | delay w: PERIOD: '' is not a period; write 10us, 1.5ms or 1s
		64 - | delay w .5ms       | delay w: PERIOD: '.5ms' is not a period; write 10us, 1.5ms or 1s
		64 - | delay w 5.ms       | delay w: PERIOD: '5.ms' is not a period; write 10us, 1.5ms or 1s
		64 - | delay w 1.2.3ms    | delay w: PERIOD: '1.2.3ms' is not a period; write 10us, 1.5ms or 1s
		64 - | delay w 0.5ns      | delay w: PERIOD: '0.5ns' is not a whole number of nanoseconds
		64 - | delay w -- -5ms    | delay w: PERIOD: '-5ms' is negative
		64 - | delay w -5ms       | delay: '-5': numbers and periods are not negative
		64 - | delay w 3601s      | delay w: PERIOD: '3601s' is too long: the limit is 3600s
		64 - | delay w 3600.000000001s      | delay w: PERIOD: '3600.000000001s' is too long: the limit is 3600s
		64 - | delay w 18446744073709551615ns | delay w: PERIOD: '18446744073709551615ns' is too long: the limit is 3600s
		64 - | delay w 99999999999999999999s | delay w: PERIOD: '99999999999999999999s' is too long: the limit is 3600s
		64 - | delay w 18446744074s | delay w: PERIOD: '18446744074s' is too long: the limit is 3600s
		64 - | queue w --cpu      | queue: option '--cpu' needs a value
		64 - | queue w --cpu x    | queue: --cpu: 'x' is not a number
		64 - | queue w --cpu ''   | queue: --cpu: '' is not a number
		64 - | queue w --cpu 1x   | queue: --cpu: '1x' is not a number
		64 - | queue w --cpu -1   | queue: --cpu: '-1' is negative
		64 - | queue w --cpu 0x   | queue: --cpu: '0x' is not a number
		64 - | queue w --cpu 4294967296 | queue: --cpu: '4294967296' is more than 4294967295
		64 - | wait w runs        | wait w runs: how many runs? N is missing
		64 - | wait w started     | wait w started: how many runs? N is missing
		64 - | delay w 5 ms       | delay w: PERIOD: '5 ms': write 5ms, without a blank
		64 - | delay w 5µs        | delay w: PERIOD: '5µs' has a letter that is not ASCII; write 5us
		64 - | wait w idle --timeout 5 s | wait: --timeout: '5 s': write 5s, without a blank
		64 - | wait w runs 18446744073709551616 | wait w runs: N: '18446744073709551616' is more than 18446744073709551615
		64 - | wait w idle 3      | wait w idle: '3' is one word too many
		64 - | wait w             | wait w: CONDITION is missing
		64 - | add work x --cookie 1.5 | add: --cookie: '1.5' is not a number
	END
	item w '.counters.accepted == 0'
	lab <<<$'delay w 3600s\ncancel w\ndelay w 0\nwait w runs 1\ndelay w 0.001us\nwait w runs 2'
}

@test "words that are none" {
	lab_open
	lab <<<'add work w'
	refusals <<-'END'
		64 - | frob               | unknown command 'frob'; 'bhctl help' lists all
		64 - | queeu w            | unknown command 'queeu'; did you mean 'queue'?
		64 - | queue              | queue: ITEM is missing
		64 - | queue w v          | queue w: 'v' is one word too many
		64 - | queue w --frob     | queue: unknown option '--frob'
		64 - | queue w --cup 1    | queue: unknown option '--cup'; did you mean '--cpu'?
		64 - | queue w -z         | queue: unknown option '-z'
		71 ENOENT | queue w --on frob | queue w: there is no queue frob in this lab
		64 - | queue w --on 1x    | queue: --on: the name '1x' begins with a digit, '.' or '-'
		64 - | flush w --sync     | flush: unknown option '--sync'
		64 - | delay w 1ms --mod=1 | delay: option '--mod=1' takes no value
		64 - | wait w gone        | wait w: CONDITION: unknown condition 'gone'; there are idle, pending, running, runs, started, ended
		64 - | events --kind frob | events: --kind: unknown kind of event 'frob'; there are run, queued, coalesced, expired, mark, cancelled, disabled, enabled, dropped
		64 - | events --idle-timeout 1s | events: --idle-timeout is for --follow
		64 - | add                | add: MECHANISM is missing
		64 - | add work           | add work: NAME is missing
		64 - | add frob x         | add frob x: unknown mechanism 'frob'; there are ALL_MECHANISMS
		71 ENOENT | add work x --queue frob | add work x: there is no queue frob in this lab
		64 - | add work x --lazy  | add work x: work cannot be lazy
		64 - | add timer x --hard | add timer x: timer cannot be hard
		64 - | add irq x --static | add irq x: irq cannot be static
		64 - | add kthread_work x --nice 1.5 | add: --nice: '1.5' is not a number
		64 - | add queue          | add queue: NAME is missing
		64 - | add queue percpu   | add queue percpu: 'percpu' is one of the kernel's own queues
		64 - | add lock l --context frob | add lock: --context: unknown context 'frob'; there are task, softirq, hardirq
		64 - | drain              | drain: QUEUE is missing
		64 - | help add frob      | help: unknown command 'add frob'
		64 - | add work x --do 'none' --top 'none' | add work x: --do and --top are the same program; give one
		64 - | add work x --thread '' | add work x: work has no thread
		64 - | add work x --flow edge | add work x: work has no line, and so no flow
		64 - | add irq x --flow pulse | add: --flow: unknown flow 'pulse'; there are sim, simple, edge, level, fasteoi
		64 - | add tasklet x --top 'spin 1us' | add tasklet x: tasklet has no top half; use --do
		64 - | queue '#x'         | queue: ITEM: 'x' is not a number
		64 - | queue '#0'         | queue: ITEM: there is no id 0
		64 - | exec               | exec: CMD is missing
	END
}

@test "names and payloads that are none" {
	lab_open
	refusals <<-'END'
		64 - | add work ''        | add work: NAME: '' is not a name; use letters, digits, '_', '.' and '-'
		64 - | add work 'a b'     | add work: NAME: 'a b' is not a name; use letters, digits, '_', '.' and '-'
		64 - | add work a/b       | add work: NAME: 'a/b' is not a name; use letters, digits, '_', '.' and '-'
		64 - | add work '#1'      | add work: NAME: '#1' is not a name; use letters, digits, '_', '.' and '-'
		64 - | add work grün      | add work: NAME: 'grün' is not a name; use letters, digits, '_', '.' and '-'
		64 - | add work 1a        | add work: NAME: the name '1a' begins with a digit, '.' or '-'
		64 - | add work .a        | add work: NAME: the name '.a' begins with a digit, '.' or '-'
		64 - | add work -- -a     | add work: NAME: the name '-a' begins with a digit, '.' or '-'
		64 - | add work a123456789b123456789c123456789dd | add work: NAME: the name 'a123456789b123456789c123456789dd' is longer than 31
		64 - | add work w --data a123456789b123456789c123456789dd | add: --data: it is longer than 31 bytes
	END
	lab <<<$'add work a123456789b123456789c123456789d --data a123456789b123456789c123456789d\nadd work _a.b-C9'
	item a123456789b123456789c123456789d '.data == .name'
}

@test "steps that are none" {
	lab_open
	refusals <<-'END'
		64 - | add work w --do frob           | add: --do: step 1: unknown step 'frob'; there are ALL_STEPS
		64 - | add work w --do 'spin 1us; frob 1' | add: --do: step 2: unknown step 'frob'; there are ALL_STEPS
		64 - | add work w --do 'slep 1us'     | add: --do: step 1: unknown step 'slep'; did you mean 'sleep'?
		64 - | add work w --do 'settle'       | add: --do: step 1: there is no step 'settle': a step waits for one item or queue; settle stands outside of programs
		64 - | add work w --do 'wait v'       | add: --do: step 1: wait: it needs the word idle
		64 - | add work w --do 'wait v runs'  | add: --do: step 1: wait: a step waits for idle only; the command has more conditions
		64 - | add work w --do 'delay v 1us --mod --mod' | add: --do: step 1: delay: --mod is given twice
		64 - | add work w --do 'cancel v --mod' | add: --do: step 1: cancel: '--mod' is one word too many
		64 - | add work w --do 'sleep 5 ms'   | add: --do: step 1: sleep: '5 ms': write 5ms, without a blank
		64 - | add work w --do 'every 2'      | add: --do: step 1: every: it needs a step
		64 - | add work w --do 'every 2 frob' | add: --do: step 1: unknown step 'frob'; there are ALL_STEPS
		64 - | add work w --do 'mark 1; chance 200% mark 2' | add: --do: step 2: chance: '200' is more than 100
		64 - | add work w --do 'spin 5us..1us' | add: --do: step 1: spin: the range ends before it begins
		64 - | add work w --do 'spin 0..5s'   | add: --do: step 1: spin: the range is longer than 4s
		64 - | add work w --do spin           | add: --do: step 1: spin: it needs a period
		64 - | add work w --do 'spin x'       | add: --do: step 1: spin: 'x' is not a period; write 10us, 1.5ms or 1s
		64 - | add work w --do 'spin 5'       | add: --do: step 1: spin: '5' has no known unit; use ns, us, ms or s
		64 - | add work w --do 'sleep -5ms'   | add: --do: step 1: sleep: '-5ms' is negative
		64 - | add work w --do 'spin 1us 2us' | add: --do: step 1: spin: '2us' is one word too many
		64 - | add work w --do queue          | add: --do: step 1: queue: it needs an item
		64 - | add work w --do 'queue a b'    | add: --do: step 1: queue: 'b' means nothing here
		64 - | add work w --do 'queue 1a'     | add: --do: step 1: queue: the name '1a' begins with a digit, '.' or '-'
		64 - | add work w --do 'queue a --cpu' | add: --do: step 1: queue: --cpu needs a number
		64 - | add work w --do 'queue a --cpu x' | add: --do: step 1: queue: 'x' is not a number
		64 - | add work w --do 'queue a --cpu 1 2' | add: --do: step 1: queue: '2' is one word too many
		64 - | add work w --do 'queue #0'     | add: --do: step 1: queue: there is no id 0
		64 - | add work w --do 'delay a'      | add: --do: step 1: delay: it needs a period
		64 - | add work w --do 'trigger a --cpu 1' | add: --do: step 1: trigger: '--cpu' is one word too many
		64 - | add work w --do 'requeue x'    | add: --do: step 1: requeue: 'x' is not a number
		64 - | add work w --do mark           | add: --do: step 1: mark: it needs a number
		64 - | add work w --do 'thread 1'     | add: --do: step 1: thread: '1' is one word too many
		64 - | add irq i --thread 'spin 1us; frob' | add: --thread: step 2: unknown step 'frob'; there are ALL_STEPS
	END
	assert_equal "$(bhctl -p list)" ""
}

@test "steps that the context does not allow" {
	local top="irq runs in hardirq context"
	context_of irq hardirq ||
		top="irq is written for hardirq context, though this kernel runs it in task context"
	lab_open
	refusals <<-END
		71 EINVAL | add tasklet x --do 'sleep 5ms'    | add tasklet x: step 1, 'sleep 5ms': cannot sleep: tasklet runs in softirq context
		71 EINVAL | add tasklet_hi x --do 'mark 1; sleep 1us' | add tasklet_hi x: step 2, 'sleep 1us': cannot sleep: tasklet_hi runs in softirq context
		71 EINVAL | add irq x --top 'sleep 5ms'       | add irq x: step 1, 'sleep 5ms': cannot sleep: $top
		71 EINVAL | add irq x --top 'requeue'         | add irq x: step 1, 'requeue': irq cannot do that
		71 EINVAL | add irq x --thread 'mark 1; thread' | add irq x: thread, step 2, 'thread': a thread cannot do that
		71 EINVAL | add irq x --thread 'none'         | add irq x: thread, step 1, 'none': a thread cannot do that
		71 EINVAL | add work x --do 'thread'          | add work x: step 1, 'thread': work cannot do that
		71 EINVAL | add work x --do 'none'            | add work x: step 1, 'none': work cannot do that
		71 EINVAL | add work x --do 'sleep 1s; spin 1ns' | add work x: step 2, 'spin 1ns': no run may take longer than 1s
		71 EINVAL | add work x --do 'sleep 3600s'     | add work x: step 1, 'sleep 3600s': no run may take longer than 1s
		71 EINVAL | add tasklet x --do 'spin 10.000001ms' | add tasklet x: step 1, 'spin 10.000001ms': no run may spin longer than 10ms in atomic context
		71 EOPNOTSUPP | add tasklet x --queue long    | add tasklet x: tasklet is not queued on a workqueue
		71 EOPNOTSUPP | add irq x --queue long        | add irq x: irq is not queued on a workqueue
	END
	assert_equal "$(bhctl -p list)" ""
}

@test "what needs CAP_SYS_ADMIN" {
	export -f refusals
	run -0 runuser -u alice -- bhctl exec -- bash -c '
		bhctl -q add tasklet t; bhctl -q add tasklet u; bhctl -q disable t
		BATS_TEST_TMPDIR=$(mktemp -d) refusals' <<-'END'
		71 EPERM | add tasklet x --do 'spin 1.000001ms' | add tasklet x: step 1, 'spin 1.000001ms': spinning longer than 1ms in atomic context needs CAP_SYS_ADMIN
		71 EPERM | add irq x --top 'none'     | add irq x: step 1, 'none': returning IRQ_NONE needs CAP_SYS_ADMIN
		71 EPERM | queue t                    | queue t: it is a disabled tasklet: the kernel would spin in the softirq until it is enabled, which needs CAP_SYS_ADMIN
		71 EPERM | delay t 1ms                | delay t 1ms: it is a disabled tasklet: the kernel would spin in the softirq until it is enabled, which needs CAP_SYS_ADMIN
	END
	run -0 runuser -u alice -- bhctl -q batch - <<<"add tasklet x --do 'spin 1ms'"
}

@test "nice -20 needs CAP_SYS_NICE" {
	export -f refusals
	run -0 runuser -u alice -- bhctl exec -- \
		bash -c 'BATS_TEST_TMPDIR=$(mktemp -d) refusals' <<-'END'
		71 EPERM | add queue q --unbound --highpri | add queue q: the workers of a --highpri queue run at nice -20, which needs CAP_SYS_NICE (with --bh it does not)
		71 EPERM | add work x --queue highpri      | add work x: the workers of queue highpri run at nice -20, which needs CAP_SYS_NICE
		71 EPERM | add rcu_work x --queue highpri  | add rcu_work x: the workers of queue highpri run at nice -20, which needs CAP_SYS_NICE
	END
}

@test "objects that are not there, or are in the way" {
	lab_open
	lab <<<$'add work w --do "queue later"\nadd tasklet t\nadd irq i\ndisable t\nqueue t'
	refusals <<-'END'
		71 ENOENT | queue nosuch       | queue nosuch: there is no item nosuch in this lab
		71 ENOENT | queue '#99'        | queue #99: there is no item #99 in this lab
		71 ENOENT | delay nosuch 1s    | delay nosuch 1s: there is no item nosuch in this lab
		71 ENOENT | cancel nosuch      | cancel nosuch: there is no item nosuch in this lab
		71 ENOENT | flush nosuch       | flush nosuch: there is no item or queue nosuch in this lab
		71 ENOENT | disable nosuch     | disable nosuch: there is no item nosuch in this lab
		71 ENOENT | enable nosuch      | enable nosuch: there is no item nosuch in this lab
		71 ENOENT | trigger nosuch     | trigger nosuch: there is no item nosuch in this lab
		71 ENOENT | show nosuch        | show nosuch: there is no object nosuch in this lab
		71 ENOENT | del nosuch         | del nosuch: there is no object nosuch in this lab
		71 ENOENT | wait nosuch idle   | wait nosuch idle: there is no item nosuch in this lab, or it went away meanwhile
		71 ENOENT | events --item nosuch | events: there is no item nosuch in this lab
		71 ENOENT | queue later        | queue later: there is no item later in this lab
		71 ENOENT | show later         | show later: there is no object later in this lab
		71 EEXIST | add work w         | add work w: the name is taken
		71 EEXIST | add irq t          | add irq t: the name is taken
		71 EBUSY  | del t              | del t: it is disabled and scheduled, and killing it would wait forever; enable it first
		71 EBUSY  | flush t            | flush t: it is disabled and pending, and the call would wait forever
		71 EINVAL | enable i           | enable i: not disabled
		71 EINVAL | trigger i --count 0 | trigger i: the count must be 1 to 1000000
		71 EINVAL | trigger i --count 1000001 | trigger i: the count must be 1 to 1000000
		71 EOPNOTSUPP | trigger w      | trigger w: work has no trigger on this kernel
		71 EOPNOTSUPP | trigger t      | trigger t: tasklet has no trigger on this kernel
		71 EOPNOTSUPP | queue i        | queue i: irq has no queue on this kernel
		71 EOPNOTSUPP | queue t --on long | queue t: tasklet does not take --on
		71 EOPNOTSUPP | delay i 1ms --on long | delay i 1ms: irq does not take --on
	END
}

@test "objects whose name is misspelled" {
	lab_open
	lab <<<$'add work widget --do "queue gadget"\nadd queue conveyor'
	refusals <<-'END'
		71 ENOENT | queue widgt    | queue widgt: there is no item widgt in this lab; did you mean 'widget'?
		71 ENOENT | del widegt     | del widegt: there is no object widegt in this lab; did you mean 'widget'?
		71 ENOENT | flush conveyer | flush conveyer: there is no item or queue conveyer in this lab; did you mean 'conveyor'?
		71 ENOENT | queue gadgets  | queue gadgets: there is no item gadgets in this lab
	END
}

@test "CPUs that are not there" {
	lab_open
	lab <<<$'add work w\nadd tasklet t\nadd irq i'
	refusals <<-'END'
		71 ENODEV | queue w --cpu 99     | queue w: CPU 99 is offline or does not exist
		71 ENODEV | queue w --cpu 4294967295 | queue w: CPU 4294967295 is offline or does not exist
		71 ENODEV | delay w 1ms --cpu 99 | delay w 1ms: CPU 99 is offline or does not exist
		71 ENODEV | queue t --cpu 99     | queue t: CPU 99 is offline or does not exist
		71 ENODEV | trigger i --cpu 99   | trigger i: CPU 99 is offline or does not exist
		71 ENODEV | add work x --cpu 99  | add work x: CPU 99 is offline or does not exist
	END
	echo 0 >/sys/devices/system/cpu/cpu1/online
	is 71 "bhctl: queue w: CPU 1 is offline or does not exist (ENODEV)" queue w --cpu 1
	is 71 "bhctl: delay w 1ms: CPU 1 is offline or does not exist (ENODEV)" delay w 1ms --cpu 1
	is 71 "bhctl: queue t: CPU 1 is offline or does not exist (ENODEV)" queue t --cpu 1
	is 71 "bhctl: trigger i: CPU 1 is offline or does not exist (ENODEV)" trigger i --cpu 1
	is 0 queued queue w --cpu 0
	echo 1 >/sys/devices/system/cpu/cpu1/online
	is 0 queued queue t --cpu 1
	all_right
}

@test "more than the limits allow" {
	local items irqs steps sleepers rings program many i
	read -r items irqs steps sleepers rings < <(bhctl -j info |
		jq -r '.limits |
		"\(.items) \(.irqs) \(.steps) \(.system_sleepers) \(.user_ring_bytes / 1048576 | floor)"')
	many="a user may have $items items, $irqs irqs and 128 threads, $sleepers of them of the system's queues, and $rings MiB"
	many+=" of rings, over all labs (module parameters items, irqs, threads, system_sleepers, user_ring_bytes) (ENOSPC)"
	lab_open
	program=$(yes 'mark 1;' | head -n "$((steps + 1))" | xargs)
	is 71 "bhctl: add work w: a program may have $steps steps (module parameter steps) (E2BIG)" add work w --do "$program"
	is 71 "bhctl: add irq w: a program may have $steps steps (module parameter steps) (E2BIG)" \
		add irq w --thread "$program"
	is 0 added add work w --do "${program#mark 1;}"
	all_right

	seq -f 'add irq i%.0f' "$irqs" | lab
	is 71 "bhctl: add irq i: $many" add irq i
	seq -f 'add work w%.0f' $((items - irqs - 1)) | lab
	is 71 "bhctl: add work x: $many" add work x
	is 0 deleted del w
	is 0 added add work x
	for ((i = 0; i <= sleepers; i++)); do
		bhctl -q del "w$((i + 1))"
	done
	for ((i = 0; i < sleepers; i++)); do
		echo "add work s$i --do 'sleep 1ms'"
	done | lab
	is 71 "bhctl: add work s: $many" add work s --do 'sleep 1ms'
	all_right
}

@test "disabled too often" {
	lab_open
	lab <<<'add irq i'
	yes 'disable i' | head -n 255 | lab
	is 71 "bhctl: disable i: it is disabled 255 times already (EOVERFLOW)" disable i
	yes 'enable i' | head -n 255 | lab
	is 71 "bhctl: enable i: not disabled (EINVAL)" enable i
	all_right
}
