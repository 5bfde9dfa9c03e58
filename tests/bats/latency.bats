#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bhctl latency: that each mechanism is measured as often as was asked for, from where and where it
# should be, and that what is said of it is what the records say. No latency has an upper bound
# here: the host may do what it likes.
# shellcheck disable=SC2016,SC2154 # programs of jq and sh; stderr and output come from run

load common

setup() {
	cd "$BATS_TEST_TMPDIR" || exit
}

# The document is in ./doc, the records in ./records: both for `so`.
measure() {
	bhctl -j latency "$@" >doc || fail "status $?: $(cat doc)"
	[[ ! ${BHLAB_FD-} ]] || bhctl -j events >records
}

# A jq expression over the document is true; $events is the array of all records.
so() {
	touch records
	jq -e --slurpfile events records "$JQ"'
		def latencies($m): .latencies[] | select(.mechanism == $m);
		def latencies($m; $w): latencies($m) | select(.metric == $w);
		def runs($m; $s): [$events[] | kind("run") | select(.mechanism == $m and .stage == $s)];
		def rank(p): sort | .[((length * p / 1000) | ceil) - 1];
		'"$1" doc >said 2>&1 && return
	cat doc said
	fail "not so: $1"
}

all_names() {
	bhctl -p mechanisms | cut -f1
	! bhctl -j info | jq -e '.features | index("bh_queue")' >/dev/null || echo bh_work
}

@test "latency: all is every mechanism that there is, each measured as often as asked for" {
	measure all -l 12
	diff <(all_names | sort) <(jq -r '.latencies[].mechanism' doc | sort -u)
	so '.latencies | all(.count == 12 and .lost == 0)'
	so '.latencies | group_by(.mechanism) | all(map(.metric) ==
		["queue-to-start", "run-time"] + if .[0].mechanism == "irq" then ["trigger-to-thread"] else [] end)'
	so '.counters | all(.accepted == 12 and .recorded == 12 and .lost == 0 and .adds_up)'
	so '.rounds == 12 and .from == "task" and .threshold == null and (.interrupted | not)'
	so '.latencies | all([.min_ns, .p50_ns, .p90_ns, .p99_ns, .p999_ns, .max_ns] | . == sort)'
	so '.latencies | all(.min_ns <= .avg_ns and .avg_ns <= .max_ns)'
}

@test "latency: what is said is what the records say, percentiles to 1/128" {
	lab_open
	measure tasklet irq hrtimer -l 250 -i 200us --do 'spin 3us'
	so 'def agrees(said; ns): (ns | sort) as $ns | said | .count == ($ns | length) and
		.min_ns == $ns[0] and
			.max_ns == $ns[-1] and .avg_ns == (($ns | add) / ($ns | length) | round) and
			([[.p50_ns, 500], [.p90_ns, 900], [.p99_ns, 990], [.p999_ns, 999]] | all(. as [$p, $permille] |
				($ns | rank($permille)) as $true | $p >= $true and $p <= $true * (1 + 1 / 128)));
		agrees(latencies("tasklet"; "queue-to-start"); runs("tasklet"; "main") | map(latency)) and
		agrees(latencies("hrtimer"; "run-time"); runs("hrtimer"; "main") | map(.finished_ns - .started_ns)) and
		agrees(latencies("irq"; "queue-to-start"); runs("irq"; "top") | map(latency)) and
		agrees(latencies("irq"; "trigger-to-thread");
			[runs("irq"; "top"), runs("irq"; "thread")] | transpose | map(.[1].started_ns - .[0].queued_ns))'
	so '.latencies | all(.count == 250)'
	so 'latencies("tasklet"; "run-time") | .min_ns >= 3000'
}

@test "latency: on each CPU that is given, queued there by bhctl itself" {
	lab_open
	measure work tasklet irq_work -c 0-1 -l 10
	so '[latencies("tasklet"; "queue-to-start") | [.cpu, .count]] == [[0, 10], [1, 10]]'
	so '["work", "tasklet", "irq_work"] |
		all(runs(.; "main") | map(.queue_cpu) | . == ([range(10)] | map(0, 1)))'
	so '["tasklet", "irq_work"] | all(runs(.; "main") | all(.cpu == .queue_cpu))'
	so '.counters | all(.accepted == 20 and .adds_up)'
}

@test "latency: --from irq queues in a top half, --from other-cpu on another CPU" {
	lab_open
	measure tasklet irq -l 10 --from irq
	so '[$events[] | kind("run") | select(.stage == "top")] as $tops |
		(runs("tasklet"; "main") | length == 10 and all(.queued_ns as $at |
			$tops | any(.started_ns <= $at and $at <= .finished_ns))) and
		($tops | length == 30)'
	so 'latencies("irq"; "trigger-to-thread").count == 10'
	lab_close
	lab_open
	measure work timer -l 10 --from other-cpu -c 0
	so '["work", "timer"] | all(runs(.; "main") | length == 10 and all(.queue_cpu == 1 and .cpu == 0))'
	bhctl -j latency -l 1 --from other-cpu 2>note |
		jq -e '[.counters[].mechanism] - ["work", "bh_work", "timer"] == []'
	grep 'the others are left out' note
}

@test "latency: behind a load everything takes longer than that" {
	measure work -l 10 --from other-cpu -c 0 --load 'spin 8ms@0'
	so '.load.load == "spin 8ms@0" and .load.runs >= 10'
	so 'latencies("work"; "queue-to-start").max_ns >= (8 | ms)'
}

@test "latency: what exceeds the threshold ends it with 1, and runs the command once" {
	run -1 --separate-stderr env -u BHLAB_VM_KERNEL -u BHLAB_SLOWNESS bhctl -j latency tasklet \
		-l 50 -T 1ns --json file \
		--on-threshold 'env | grep ^BHLAB_ | sort >>env; echo said'
	echo "$output" >doc
	[[ $stderr == \
		$'said\nbhctl: note: tasklet, CPU 0: queue-to-start took '*', which is more than 1ns' ]]
	so '.counters == [{mechanism: "tasklet", accepted: 1, recorded: 1, lost: 0, skipped_steps: 0, adds_up: true}]'
	so '.threshold | .mechanism == "tasklet" and .metric == "queue-to-start" and .cpu == 0 and
		.threshold_ns == 1'
	assert_equal "$(jq .return_code file)" 1
	diff env <(jq -r '"BHLAB_CPU=0\nBHLAB_MECHANISM=tasklet\nBHLAB_METRIC=queue-to-start\nBHLAB_THRESHOLD_NS=1
		BHLAB_TIME_NS=\(.threshold.time_ns)\nBHLAB_VALUE_NS=\(.threshold.value_ns)" |
		gsub("\t"; "")' doc)
	rm env
	measure tasklet -l 5 -T 3600s --on-threshold 'touch env'
	so '.threshold == null and .rounds == 5'
	[ ! -e env ]
}

@test "latency: --json is what cyclictest writes" {
	bhctl -q latency irq work -l 20 -c 0,1 --json file
	mv file doc
	so 'keys_unsorted == ["file_version", "cmdline", "rt_test_version", "start_time", "end_time", "return_code", "sysinfo",
		"num_threads", "resolution_in_ns", "thread"]'
	so '.file_version == 1 and .return_code == 0 and .resolution_in_ns == 1'
	so '.cmdline == "bhctl -q latency irq work -l 20 -c 0,1 --json file"'
	so '.sysinfo | keys == ["machine", "nodename", "realtime", "release", "sysname", "version"]'
	assert_equal "$(jq -r .sysinfo.release doc)" "$(uname -r)"
	so '.num_threads == 6 and (.thread | keys == ["0", "1", "2", "3", "4", "5"])'
	so '[.thread[] | [.mechanism, .metric, .cpu]] == [["irq", "queue-to-start", 0], ["irq", "trigger-to-thread", 0],
		["irq", "queue-to-start", 1], ["irq", "trigger-to-thread", 1], ["work", "queue-to-start", 0],
		["work", "queue-to-start", 1]]'
	so '.thread | all(.cycles == 20 and (.histogram | add) == 20 and .min <= .avg and .avg <= .max)'
	so '.thread | all([.histogram | keys[] | tonumber] as $keys | ($keys | min) <= .min and ($keys | max) <= .max)'
}

@test "latency: -b and -E make a histogram like that of rtla" {
	lab_open
	bhctl latency tasklet irq -l 40 -b 20us -E 5 >text
	bhctl -j events | jq -s "$JQ"'
		def cells: (reduce .[] as $ns ([range(6)] | map(0); .[[$ns / 20000 | floor, 5] | min] += 1)) +
			[length, (min / 1000 | floor), (add / length | round / 1000 | floor), (max / 1000 | floor)];
		def runs(m; s): map(kind("run") | select(.mechanism == m and .stage == s));
		[([range(5) * 20] + ["over:", "count:", "min:", "avg:", "max:"]),
		 (runs("tasklet"; "main") | map(latency) | cells), (runs("irq"; "top") | map(latency) | cells),
		 ([runs("irq"; "top"), runs("irq"; "thread")] | transpose | map(.[1].started_ns - .[0].queued_ns) | cells)] |
		transpose[] | select((.[0] | type) == "string" or .[1:] != [0, 0, 0]) | @tsv' \
		-r >want
	sed 1,4d text | sed '$d' | awk -v OFS='\t' '{ $1 = $1; print }' | diff want -
	run -0 cat text
	assert_line --index 0 "# bhlab latency histogram"
	assert_line --index 1 "# Time unit is microseconds (us)"
	assert_line --index 3 --regexp '^Index tasklet-000 +irq-000 +irq/thr-000 $'
	assert_line --index -1 --regexp '^40 rounds in .*: 80 accepted = 80 recorded \+ 0 lost$'
}

@test "latency: SIGINT ends it, and what was measured is told" {
	lab_open
	run -130 interrupted 'bhctl wait latency.irq runs 3' bhctl -j latency work irq -D 100s \
		--json file
	tail -n 1 <<<"$output" >doc
	assert_line --index 0 \
		--regexp '^bhctl: note: interrupted; this is what was measured in [0-9]+ rounds$'
	so '.interrupted and (.counters | all(.recorded > 0 and .adds_up)) and
		.took_ns < (100000 | ms)'
	assert_equal "$(jq .return_code file)" 130
	jq -e '.thread | all(.cycles > 0)' file
}

@test "latency: a run that does not come ends it with 124, and what was measured is told" {
	local status=0
	lab_open
	bhctl -j latency irq -l 1000000 >doc 2>notes 3>&- &
	until bhctl wait latency.irq runs 3 --timeout 10s 2>/dev/null; do sleep 0.1; done
	bhctl disable latency.irq
	wait "$!" || status=$?
	assert_equal "$status" 124
	so '.not_run == {mechanism: "irq", cpu: 0} and .rounds >= 2 and .threshold == null'
	so '.counters | all(.adds_up)'
	assert_equal "$(cat notes)" 'bhctl: note: irq, CPU 0: has not run within 10s'
	run -0 bhctl list
	refute_output --partial latency.
}

@test "latency: records that are overwritten are counted" {
	lab_open
	lab <<<$'ring --records 32\nadd work flood --cpu 0 --do requeue\nqueue flood'
	bhctl -j latency tasklet -c 0 -l 20 -i 20ms >doc 2>note
	lab <<<'del flood'
	so '.counters[0] | .accepted == 20 and .recorded + .lost == 20 and .lost > 0 and .adds_up'
	so 'latencies("tasklet"; "queue-to-start").lost == .counters[0].lost and
		.records_lost >= .counters[0].lost'
	grep 'records were overwritten before they were read' note
}

@test "latency: progress is for a terminal" {
	run -0 --separate-stderr bhctl latency work -l 300
	assert_equal "$stderr" ""
	run -0 script -qec 'bhctl latency work -l 300' /dev/null
	assert_output --regexp '[0-9]+ rounds, [0-9]+s'
	run -0 script -qec 'bhctl -q latency work -l 300' /dev/null
	refute_output --partial rounds
}

@test "latency: what makes no sense is refused, and leaves nothing behind" {
	lab_open
	refusals <<-'END'
		64 - | latency taslket | latency: unknown mechanism 'taslket'; did you mean 'tasklet'?
		64 - | latency frob | latency: unknown mechanism 'frob'; there are ALL_MECHANISMS, bh_work and all
		64 - | latency work all | latency: unknown mechanism 'all'; there are ALL_MECHANISMS, bh_work and all
		64 - | latency work work | latency: work is given twice
		64 - | latency -l 1 -D 1s | latency: --loops and --duration exclude each other
		64 - | latency -l 0 | latency: --loops: 0 rounds measure nothing
		64 - | latency -b 0 | latency: --bucket-size: a bucket of 0 holds nothing
		64 - | latency -E 0 | latency: --entries: there can be 1 to 100000
		64 - | latency -c 1-0 | latency: --cpus: 1 is not before 0
		64 - | latency -c 0,x | latency: --cpus: 'x' is not a number
		64 - | latency --from nowhere | latency: --from: unknown origin 'nowhere'; there are task, irq, other-cpu
		64 - | latency --on-threshold true | latency: --on-threshold is for --threshold
		64 - | latency --load 'spin 1ms' | latency: --load: on which CPU? write STEPS@CPU
		64 - | latency --load 'frob@0' | latency: --load: step 1: unknown step 'frob'; there are ALL_STEPS
		64 - | latency work -p 5 | latency: --priority is for the thread of kthread_work, which is not measured
		64 ENOENT | latency work --json /nowhere/file | latency: cannot write '/nowhere/file': No such file or directory
		71 ENODEV | latency -c 0,99 | latency: CPU 99 is offline, does not exist, or bhctl must not run on it
		71 EOPNOTSUPP | latency tasklet --from other-cpu | latency: tasklet cannot be queued from another CPU: the kernel's call takes none
		71 EINVAL | latency work tasklet --do 'sleep 1ms' | latency: tasklet: step 1, 'sleep 1ms': cannot sleep: tasklet runs in softirq context
		71 EINVAL | latency kthread_work -p 100 | latency: kthread_work: give a nice value of -20 to 19, or a priority of 1 to 99
		71 ENODEV | latency work -l 1 --load 'spin 1ms@99' | latency: --load: CPU 99 is offline or does not exist
	END
	run -71 taskset -c 0 bhctl latency --from other-cpu
	assert_output "bhctl: latency: bhctl has no other CPU to run on (ENODEV)"
	run -64 bhctl latency tasklet --do 'frob' --json file
	[ ! -e file ]
	run -0 bhctl -p list
	assert_output ""
	[ "$(ask 'map(kind("run")) | length')" = 0 ]
}

@test "latency: its words are completed, and its -p is not that of bhctl" {
	bhctl completion bash >words
	# shellcheck disable=SC1091
	source words
	assert_equal "$(complete_words bhctl latency ir)" "irq irq_work irq_poll"
	assert_equal "$(complete_words bhctl latency irq bh)" bh_work
	assert_equal "$(complete_words bhctl latency --from ot)" other-cpu
	assert_equal "$(complete_words bhctl latency --json /etc/passw)" /etc/passwd
	assert_equal "$(complete_words bhctl latency --on)" --on-threshold
	lab_open
	run -0 bhctl -p latency kthread_work -l 5 -p 7
	assert_line --index 0 --regexp $'^kthread_work\t0\tqueue-to-start\t5\t0(\t[0-9]+){6}$'
	[ "${#lines[@]}" = 2 ]
}
