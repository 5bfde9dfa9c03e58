#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=long
# bhctl record, report and compare: that everything which happens gets into the file, that what is
# said of it is what the records say, and that a file which is not what it should be is refused,
# whatever is in it.
# shellcheck disable=SC2016,SC2154 # programs of jq and sh; stderr and output come from run

load common

setup() {
	cd "$BATS_TEST_TMPDIR" || exit
	PATH+=:$BATS_TEST_DIRNAME
	recorder=''
}

teardown() {
	[[ ! $recorder ]] || kill -KILL "$recorder" 2>/dev/null || true
	accounted
}

# A jq expression over what report -j says of ./file is true.
told() {
	bhctl -j report file >doc || fail "status $?: $(cat doc)"
	jq -e "$JQ"'def item(i): .items[] | select(.item == i);'"$1" doc >said 2>&1 && return
	cat doc said
	fail "not so: $1"
}

# Two runs of a work item and one of a tasklet, on three of four CPUs; the first arrow crosses.
SMALL='{"head": {"cpus": 4, "command": ["some", "command"]},
	"items": [{"id": 1, "mech": 1, "name": "w"}, {"id": 2, "mech": 2, "name": "t", "runs": 3, "thread_runs": 0}],
	"records": [
		{"seq": 1, "kind": 1, "mech": 1, "item": 1, "queued_ns": 1000, "started_ns": 3000, "finished_ns": 9000,
		 "queue_cpu": 0, "cpu": 1, "ring_cpu": 1, "context": 1, "nth": 1, "comm": "kworker/1:0"},
		{"seq": 1, "kind": 1, "mech": 2, "item": 2, "queued_ns": 2000, "started_ns": 2500, "finished_ns": 2600,
		 "queue_cpu": 2, "cpu": 2, "ring_cpu": 2, "context": 2, "nth": 1},
		{"seq": 2, "kind": 1, "mech": 1, "item": 1, "queued_ns": 4000, "started_ns": 5000, "finished_ns": 10000,
		 "queue_cpu": 1, "cpu": 1, "ring_cpu": 1, "context": 1, "nth": 2, "comm": "kworker/1:1"}]}'

# small [PROGRAM of jq]: ./file is that, or what the program makes of it
small() {
	jq "${1-.}" <<<"$SMALL" | recording file
}

@test "record: a program runs as in exec, and all that happens is in the file" {
	run -7 --separate-stderr bhctl record -o file -- bash -c '
		bhctl batch - <<-END
			add work w --cpu 0 --do "spin 10us; mark 7"
			add tasklet t --queued
			add irq line --top "queue t; thread" --thread "queue w"
			trigger line --count 5
			wait line idle
			wait w idle
			queue w
			wait w idle
			delay w 1000s
			cancel w
			wait t idle
		END
		bhctl -j events >events
		exit 7'
	assert_line was-pending
	[[ $stderr == "bhctl: note: $(wc -l <events) records are in 'file'" ]]
	bhctl report file --csv csv
	python3 -c '
import csv, json
keys = ["seq", "ring_cpu", "kind", "item", "id", "mechanism", "stage", "queued_ns", "started_ns", "finished_ns", "value", "nth", "comm"]
told = [[row[key] for key in keys] for row in csv.DictReader(open("csv", newline=""))]
seen = [[str(row[key]) for key in keys] for row in map(json.loads, open("events"))]
assert len(told) > 5 and sorted(told) == sorted(seen), (told, seen)'
	told '.complete and .at_rest and .status == 7 and .lost == 0 and (.interrupted | not)'
	told '.release == "'"$(uname -r)"'" and .command[0] == "bash" and .cpus == '"$(getconf _NPROCESSORS_CONF)"
	told 'item("w").cancelled == 1 and item("w").marks == item("w").runs and
		item("w").lost == 0'
}

@test "record: what the program has queued is waited for, but not forever" {
	bhctl record -o file -- \
		sh -c 'bhctl -q add work w --do "sleep 300ms; queue w2"; bhctl -q add work w2 --do "mark 5"
		bhctl queue w'
	told '.at_rest and item("w").runs == 1 and item("w2").runs == 1 and item("w2").marks == 1'
	run -0 --separate-stderr bhctl record -o file --settle 100ms -- \
		sh -c 'bhctl -q add work w; bhctl delay w 1000s'
	assert_equal "${stderr_lines[0]}" \
		"bhctl: note: some activations have not run yet; their events are not recorded"
	told '.complete and (.at_rest | not)'
}

@test "record: an item that goes is remembered by its name" {
	bhctl record -o file -- bhctl -q batch - <<-'EOF'
		add work gone
		queue gone
		sleep 2s
		del gone
		add work here
		queue here
		wait here idle
	EOF
	told '[.items[] | [.item, .runs, .lost]] == [["gone", 1, null], ["here", 1, 0]]'
}

@test "record: what was overwritten is counted, by CPU and by item" {
	run -0 --separate-stderr bhctl record -o file --records 32 -- bash -c '
		bhctl -q add work w --cpu 0 --do "requeue 499"
		kill -STOP $PPID
		bhctl -q queue w
		bhctl -q wait w runs 500
		bhctl -q wait w idle
		kill -CONT $PPID'
	[[ $stderr == *" records were overwritten before they were read; see --records"* ]]
	told '.lost > 400 and .lost_by_cpu[0] == .lost and .records + .lost == 500'
	told 'item("w").runs == .records and item("w").lost == .lost'
	run -0 bhctl report file
	assert_line --regexp '^records  [0-9]+, [0-9]+ more were overwritten'
}

# Without a process to make the file: a shell that gets the signal while it waits for one that ends
# well goes on.
@test "record: SIGINT ends the program, and the file is complete" {
	run -130 --separate-stderr interrupted '[[ -e queued ]]' bhctl record -o file -- \
		bash -c 'bhctl -q add work w; bhctl -q queue w; exec sleep 100 >queued'
	told '.complete and .interrupted and .status == 130 and item("w").runs == 1'
}

@test "record: if it is killed, the file can be read as far as it got" {
	local i
	bhctl record -o file -- \
		bash -c 'echo $$ >program; bhctl -q add work w; bhctl -q queue w; exec sleep 100' \
		3>&- &
	recorder=$!
	for ((i = 0; i < 100; i++)); do
		! bhctl -j report file 2>/dev/null | jq -e '.records == 1' || break
		sleep 0.1
	done
	kill -KILL "$recorder" "$(cat program)"
	wait "$recorder" || true
	recorder=''
	told '(.complete | not) and .status == null and item("w").runs == 1'
	run -0 bhctl report file
	assert_line 'end      the recording was cut short'
	run -0 --separate-stderr bhctl report file --csv csv
	assert_equal "$stderr" "bhctl: note: 'file' was cut short; this is what it has"
}

@test "record: what was recorded makes a trace for Perfetto, in which each run has its slice" {
	bhctl record -o file -- bhctl -q batch - <<-'EOF'
		add work a --do 'sleep 5ms; mark 1' --queue unbound
		add work b --do 'sleep 7ms; queue c' --queue unbound
		add work c --do 'queue t; spin 50us; requeue 5' --cpu 1
		add tasklet t --do 'spin 20us; mark 2'
		add irq line --top 'spin 5us; queue t; thread' --thread 'queue a; queue b'
		trigger line --count 20 --period 3ms
		sleep 1s
		trigger line --cpu 1
	EOF
	bhctl -q report file --perfetto - >trace
	trace-check <trace >counts
	told '.records > 30 and .at_rest'
	jq -e --slurpfile doc doc '$doc[0] as $d | .arrows <= ([$d.items[].runs] | add) and
		.arrows > 20 and
		.slices == .arrows + ([$d.items[].runs] | add) and
		.instants == $d.records - ([$d.items[].runs] | add)' counts
}

@test "record: the lab is a new one, with --fd that one from now on" {
	lab_open
	lab <<<$'add work old\nqueue old\nwait old idle'
	bhctl record -o file -- bhctl -q batch - <<<$'add work new\nqueue new\nwait new idle'
	told '[.items[].item] == ["new"]'
	bhctl --fd "$BHLAB_FD" record -o file -- bhctl -q batch - <<<$'queue old\nwait old idle'
	told '[.items[] | [.item, .runs, .lost]] == [["old", 1, null]]'
}

@test "record: what makes no sense is refused, and nothing is written" {
	lab_open
	lab <<<'add work w'
	echo precious >kept
	refusals <<-'END'
		64 - | record true | record: -o FILE is missing
		64 - | record -o kept | record: CMD is missing
		64 - | record -o - true | record: --output: a recording is not text, and standard output is the program's
		64 - | record -o kept --settle 5 true | record: --settle: '5' has no known unit; use ns, us, ms or s
		64 ENOENT | record -o /nowhere/file true | record: cannot write '/nowhere/file': No such file or directory
		64 EISDIR | record -o / true | record: cannot write '/': Is a directory
		71 EBUSY | record -o kept --records 64 true | record: the ring is in use; --records is for a new lab
		126 EACCES | record -o kept /etc/passwd | record: '/etc/passwd' cannot be run
		127 ENOENT | record -o kept nosuchprogram | record: 'nosuchprogram' is not found
	END
	run -71 bhctl record -o kept --records 33 -- true
	assert_output "bhctl: record: --records must be a power of two and at least a page (EINVAL)"
	run -4 bhctl -d /dev/nothing record -o kept -- true
	assert_equal "$(cat kept)" precious
	run -71 bhctl record -o /dev/full -- true
	assert_output --partial "cannot write '/dev/full'"
}

# bats test_tags=host
@test "report: counts and times are what the records say, percentiles to 1/128" {
	jq -n '{items: [{id: 1, mech: 2, name: "t", runs: 210, thread_runs: 0}], lost: [{cpu: 1, count: 9}],
		records: ([range(200) | {kind: 1, mech: 2, item: 1, context: 2, queued_ns: (1000000 * (. + 1)),
			started_ns: (1000000 * (. + 1) + 1000 + 100 * .),
			finished_ns: (1000000 * (. + 1) + 31000 + 100 * .),
			queue_cpu: (if . < 50 then 1 else 0 end), skipped: 2, nth: (. + 1)}] +
			[{kind: 3}, {kind: 3}, {kind: 5, value: 1}, {kind: 6}, {kind: 9, value: 4}, {kind: 9, value: 3} |
			. + {mech: 2, item: 1, context: 1, queue_cpu: 65535}])}' | recording file
	told 'item("t") | .runs == 200 and .coalesced == 2 and .marks == 1 and .cancelled == 1 and
		.dropped == 7 and
		.skipped_steps == 400 and .lost == 10 and .cross_cpu == 50 and
		.cross_cpu_share == 0.25'
	told '[item("t"), .mechanisms[0]] | all(.queue_to_start | .count == 200 and .min_ns == 1000 and .max_ns == 20900 and
		.avg_ns == 10950 and ([[.p50_ns, 10900], [.p90_ns, 18900], [.p99_ns, 20700]] |
		all(.[0] >= .[1] and .[0] <= .[1] * 129 / 128)))'
	told '[item("t"), .mechanisms[0]] | all(.run_time | .min_ns == 30000 and .max_ns == 30000 and .p50_ns == 30000)'
	told '.lost == 9 and .lost_by_cpu == [0, 9] and .records == 206'
}

# bats test_tags=host
@test "report: tables and a timeline for people, rows for programs" {
	small
	run -0 bhctl report file
	assert_line 'command  some command'
	assert_line 'end      exit status 0'
	assert_line --regexp '^w +work +2 +0 +0 +0 +0 +0 +50% +-$'
	assert_line --regexp '^t +tasklet +1 +0 +0 +0 +0 +0 +0% +2$'
	assert_line --regexp '^w +work +queue-to-start +2 +1.00us +1.00us +2.00us +2.00us +2.00us$'
	assert_line --regexp '^tasklet +run-time +1 +100ns'
	assert_line --regexp '^ *ms CPU 0 +CPU 1 +CPU 2$'
	assert_line --regexp '^ +0.001 +S t #1 100ns$'
	assert_line '          not to scale'
	small '.records[2] += {queued_ns: 5000000, started_ns: 5001000, finished_ns: 5002000}'
	run -0 bhctl report file
	assert_line '  +4.99ms'
	assert_line '          not to scale; at a + so much time passes'
	small
	run -0 bhctl -p report file
	assert_line --index 0 $'w\twork\tqueue-to-start\t2\t1000\t1003\t2000\t2000\t2000'
	small '.records = []'
	run -0 bhctl report file
	assert_line 'records  0, 0 more were overwritten before they were read'
	small '.records[2].item = 77'
	told '[.items[] | .item] == ["w", "t", "#77"]'
	small '.items[0].mech = 4 | .records[0, 2] += {mech: 4, context: 4, stage: 1} |
		.records[2].stage = 2'
	told '[.items[] | [.item, .mechanism, .stage, .runs]] ==
		[["w", "irq", "main", 1], ["w", "irq", "thread", 1], ["t", "tasklet", "main", 1]]'
	small '.records[0, 2].context = 2 | .records += [.records[0] + {kind: 3, context: 1}]'
	told '[.mechanisms[] | [.mechanism, .runs, .coalesced]] == [["bh_work", 2, 1], ["tasklet", 1, 0]]'
}

# bats test_tags=host
@test "report: a part, by time and by item, with the times of the whole" {
	small
	run -0 bhctl -j report file --from 5us
	jq -e '.records == 2 and [.items[] | [.item, .runs, .lost]] == [["w", 2, null]]' <<<"$output"
	run -0 bhctl -j report file --to 2us
	jq -e '.records == 2 and [.items[] | [.item, .runs]] == [["w", 1], ["t", 1]]' <<<"$output"
	run -0 bhctl report file --item t
	assert_line --regexp '^ +0.001 +S t #1 100ns$'
	refute_line --regexp '^w '
	run -0 bhctl -j report file --item w,t
	jq -e '.records == 3' <<<"$output"
	bhctl -q report file --item t --csv - >csv
	assert_equal "$(wc -l <csv)" 2
}

# bats test_tags=host
@test "report: a trace for Perfetto, in which slices nest and arrows lead from the queueing to the run" {
	small
	bhctl report file --perfetto trace
	assert_equal "$(trace-check <trace)" \
		'{"slices": 6, "arrows": 3, "instants": 0, "threads": 6}'
	# The second run of w ends after the first one, so it is elsewhere; each arrow goes from
	# queue_cpu to cpu.
	jq -e '[.traceEvents[] | select(.ph == "X" and .cat == "work")] | (map(.tid) | unique | length == 2) and
		map([.ts, .dur, .args.nth]) == [[3, 6, 1], [5, 5, 2]]' trace
	jq -e '[.traceEvents[] | select(.ph == "s" or .ph == "f") | [.id, .ph, .pid - 1]] | sort ==
		[[1, "f", 2], [1, "s", 2], [2, "f", 1], [2, "s", 0], [3, "f", 1], [3, "s", 1]]' \
			trace
	jq -e '[.traceEvents[] | select(.name == "thread_name") | .args.name] | sort ==
		["queueing", "queueing", "queueing", "softirq", "task", "task (2)"]' trace
	# Where one is queued 500 ns after another one, queueing lasts half as long; nor do two of
	# one moment differ.
	small '.records[1, 2].queue_cpu = 0 | .records[1].queued_ns = 1500 |
		.records[2].queued_ns = 1000'
	bhctl report file --perfetto - | tee trace | trace-check
	jq -e '[.traceEvents[] | select(.ph == "X" and .cat == "queue") | [.ts, .dur]] == [[1, 0.25], [1, 0.25], [1.5, 1]]' trace
}

# bats test_tags=host
@test "report: CSV is quoted as RFC 4180 has it" {
	small '.records[0] += {comm: "a,\"b\"", data: "two\nlines"}'
	bhctl report file --csv - | python3 -c '
import csv, sys
rows = list(csv.DictReader(open(0, newline="")))
assert [row["comm"] for row in rows] == ["", "a,\"b\"", "kworker/1:1"], rows
assert rows[1]["data"] == "two?lines" and rows[1]["queue_cpu"] == "0" and len(rows[1]) == 24, rows
assert [row["context"] for row in rows] == ["softirq", "task", "task"], rows'
}

# bats test_tags=host
@test "report: what cannot be written is refused, and what was there stays" {
	small
	echo precious >kept
	refusals <<-'END'
		64 ENOENT | report file --perfetto kept --csv /nowhere/file | report file: cannot write '/nowhere/file': No such file or directory
		64 ENOENT | report file --perfetto new --csv /nowhere/file | report file: cannot write '/nowhere/file': No such file or directory
		64 - | report file --perfetto - --csv - | report file: --perfetto and --csv cannot both go to standard output
		64 - | report | report: FILE is missing
		64 ENOENT | report nothing | report nothing: cannot read 'nothing': No such file or directory
		64 - | report file --from 2us --to 1us | report file: --to is before --from
		64 - | report file --item w,tt --csv kept | report file: --item: 'file' has no item 'tt'
		64 ENOENT | report file --svg /nowhere/file | report file: cannot write '/nowhere/file': No such file or directory
	END
	assert_equal "$(cat kept)" precious
	[ ! -e new ]
	run -71 bhctl report file --csv /dev/full
	assert_output "bhctl: report file: cannot write '/dev/full' (ENOSPC)"
}

# bats test_tags=host
@test "report: a file that ends early is read as far as it goes, and a changed byte is found" {
	small
	python3 -c '
import json
data = open("file", "rb").read()
for i in range(len(data)):
    open(f"end{i}", "wb").write(data[:i])
    changed = bytearray(data)
    changed[i] ^= 1 << i % 8
    open(f"bit{i}", "wb").write(changed)
open("lines", "w").write("".join(f"report {what}{i}\n" for what in ("end", "bit") for i in range(len(data))))'
	bhctl -j batch --keep-going lines >said || true
	assert_equal "$(wc -l <said)" "$(wc -l <lines)"
	jq -es '[.[] | select(.error) | .exit] | unique == [64]' said
	jq -es 'all(.[] | select(.error | not); (.complete | not) and (.file | startswith("end")) and .records == 0 or .records == 3)' said
	# All changes are found, and so is every end before that of the head.
	assert_equal "$(grep -c "^{\"error\":\"report bit" said)" "$(stat -c %s file)"
	run -64 bhctl report end0
	assert_output "bhctl: report end0: 'end0' is empty"
	run -64 bhctl report end20
	assert_output "bhctl: report end20: 'end20' is truncated: it ends before its head"
	run -64 bhctl report end100
	assert_output "bhctl: report end100: 'end100' is truncated: it ends before its head"
	run -0 bhctl report "end$(($(stat -c %s file) - 1))"
	assert_line 'end      the recording was cut short'
}

# bats test_tags=host
@test "report: a file that lies with the right checksums is refused" {
	local i=0 changes change reason lies=()
	while IFS='|' read -r change reason; do
		changes+="${changes+, }($change)"
		lies+=("lie$i")
		echo "report lie$i" >>lines
		echo "report lie$i: 'lie$i' ${reason# }" >>want
		i=$((i + 1))
	done <<-'END'
		.format = 2 | has version 2 of the format; this bhctl reads version 1
		.head.cpus = 0 | is damaged: the chunk at byte 24 lacks a field of a head
		.head.cpus = 100000 | is damaged: the chunk at byte 24 lacks a field of a head
		.head.cpus = "4" | is damaged: the chunk at byte 24 lacks a field of a head
		.head.command = [null] | is damaged: the chunk at byte 24 lacks a field of a head
		.head.mechanisms = [] | is damaged: the chunk at byte 24 lacks a field of a head
		.head.mechanisms[0] = "`id`" | is damaged: the chunk at byte 24 lacks a field of a head
		.items[0].name = "a b" | is damaged: the chunk at byte 395 lacks a field of an item
		.items[0].id = 4294967296 | is damaged: the chunk at byte 395 lacks a field of an item
		.items[0].mech = 12 | is damaged: the chunk at byte 395 lacks a field of an item
		.records[0].cpu = 4 | is damaged: the chunk at byte 540 has a record of a CPU that does not exist
		.records[0].queue_cpu = 4 | is damaged: the chunk at byte 540 has a record of a CPU that does not exist
		.records[0].ring_cpu = 65535 | is damaged: the chunk at byte 540 has a record of a CPU that does not exist
		.records[0].kind = 10 | is damaged: the chunk at byte 540 has a record of an unknown kind, mechanism, stage or item
		.records[0].mech = 0 | is damaged: the chunk at byte 540 has a record of an unknown kind, mechanism, stage or item
		.records[0].stage = 3 | is damaged: the chunk at byte 540 has a record of an unknown kind, mechanism, stage or item
		.records[0].queued_ns = 3001 | is damaged: the chunk at byte 540 has a record that ends before it starts
		.records[0].finished_ns = 2999 | is damaged: the chunk at byte 540 has a record that ends before it starts
		.records[0].comm = "0123456789abcdef" | is damaged: the chunk at byte 540 has a record with a text that is not terminated
		.lost = [{cpu: 4, count: 1}] | is damaged: the chunk at byte 940 lacks a field of lost records
		.end.at_rest = 1 | is damaged: the chunk at byte 940 lacks a field of an end
	END
	jq "$changes" <<<"$SMALL" | recording "${lies[@]}"
	bhctl -j batch --keep-going lines | jq -r .error | sed 's/byte [0-9]*/byte N/' >got || true
	sed -i 's/byte [0-9]*/byte N/; s/ *$//' want
	diff -u want got
	echo text >file
	run -64 bhctl report file
	assert_output "bhctl: report file: 'file' is not a recording of 'bhctl record'"
	small '.records[0] += {item: 4294967295, cookie: 5}'
	told '[.items[].item] == ["w", "t", "#4294967295"]'
}

# bats test_tags=host
@test "compare: recordings side by side, with ratios, spread and a verdict" {
	small
	mv file a
	small '.records[0] += {started_ns: 5000, finished_ns: 6000} | .records[1] += {mech: 3}'
	mv file b
	run -0 bhctl -j compare a b
	jq -e '.kind == "recording" and [.files[] | .name + .file] == ["Aa", "Bb"] and .files[1].release == "7.2.0" and
		[.rows[] | [.mechanism, .metric, .values[].count]] == [["work", "queue-to-start", 2, 2], ["work", "run-time", 2, 2],
		["tasklet", "queue-to-start", 1, null], ["tasklet", "run-time", 1, null],
		["tasklet_hi", "queue-to-start", null, 1], ["tasklet_hi", "run-time", null, 1]]' <<<"$output"
	jq -e '.rows[0] | .values[0].max_ns == 2000 and .values[1].max_ns == 4000 and
		.ratios[1].max_ns == 2 and .ratios[0] == null and .spread.max_ns == 2' <<<"$output"
	jq -e '.rows[1].ratios[1].max_ns | . > 0.83 and . < 0.84' <<<"$output"
	jq -e '.rows[2].ratios[1] == null and .fail_above == null and (.failed | not)' <<<"$output"
	jq -e '.worst | .mechanism == "work" and .metric == "queue-to-start" and .value == "P50" and
		.name == "B" and .ratio == 1' <<<"$output"
	run -0 bhctl compare a b
	assert_line --index 0 'A  a (7.2.0)'
	assert_line --regexp '^work +queue-to-start +COUNT +2 +2 +-$'
	assert_line --regexp '^work +queue-to-start +P99 +2.00us +4.00us +2.00$'
	assert_line --regexp '^tasklet +run-time +P50 +100ns +- +-$'
	assert_line "The largest ratio is 1.00: work queue-to-start P50, B/A"
}

# bats test_tags=host
@test "compare: of many files, the worst that is no chance decides" {
	local i
	for i in 1 2 3; do
		jq -n --argjson i "$i" '{items: [{id: 1, mech: 2, name: "t"}], records: [range(200) |
			{kind: 1, mech: 2, item: 1, context: 2, queued_ns: (1000000 * (. + 1)),
			started_ns: (1000000 * (. + 1) + 1000 * (if $i == 3 then 2 else 1 end)),
			finished_ns: (1000000 * (. + 1) + 2000 + (if . == 7 then 500000 * $i else 500 end))}]}' |
			recording "r$i"
	done
	run -1 bhctl compare --fail-above 1.9 r1 r2 r3
	assert_line --regexp '^MECHANISM +METRIC +VALUE +A +B +B/A +C +C/A +SPREAD$'
	assert_line --regexp '^tasklet +queue-to-start +P99 +1.00us +1.00us +1.00 +2.00us +2.00 +2.00$'
	assert_line --regexp '^tasklet +run-time +MAX +501us +1.00ms +2.00 +1.50ms +2.99 +2.99$'
	assert_line "The largest ratio is 2.00: tasklet queue-to-start P50, C/A; it is above 1.9"
	run -0 bhctl compare r1 r2 r3 --fail-above 2
	assert_line "The largest ratio is 2.00: tasklet queue-to-start P50, C/A; none is above 2"
	run -1 bhctl -j compare r1 r3 --fail-above 1.5
	jq -e '.failed and .fail_above == 1.5 and .worst.name == "B"' <<<"$output"
	small 'del(.records[1])'
	run -1 bhctl compare file r1 --fail-above 100000
	assert_line "There is nothing in both to compare"
	refusals <<-'END'
		64 - | compare r1 r2 --fail-above x | compare: --fail-above: 'x' is not a ratio; write 1.5, say
		64 - | compare r1 r2 --fail-above 0 | compare: --fail-above: '0' is not a ratio; write 1.5, say
		64 - | compare r1 | compare: there is nothing to compare it with; give two files or more
	END
}

@test "compare: two files of latency, and no others" {
	bhctl -j latency work irq -l 30 -c 0,1 --json a >doc
	bhctl -q latency work -l 10 --json b
	run -0 bhctl -j compare a b
	jq -e --slurpfile doc doc --slurpfile file a '.kind == "latency" and
		.files[0].release == "'"$(uname -r)"'" and
		[.rows[] | [.mechanism, .metric, .values[].count]] == [["work", "queue-to-start", 60, 10],
		["irq", "queue-to-start", 60, null], ["irq", "trigger-to-thread", 60, null]] and
		.rows[0].values[0].max_ns == ([$doc[0].latencies[] | select(.mechanism == "work" and .metric == "queue-to-start").max_ns] | max)' \
		<<<"$output"
	bhctl -j latency work -l 40 --json c >doc
	bhctl -j compare c c | jq -e --slurpfile doc doc '.rows[0].values[0] as $a | $doc[0].latencies[0] |
		$a.p50_ns == .p50_ns and $a.p99_ns == .p99_ns and $a.max_ns == .max_ns and
		$a.count == .count'
	small
	jq '.thread["0"].cycles += 1' b >wrong
	jq 'del(.thread["0"].mechanism)' b >cyclictest
	refusals <<-'END'
		64 - | compare a file | compare: 'file' is a recording and 'a' is not: they cannot be compared
		64 - | compare file a | compare: 'file' is a recording and 'a' is not: they cannot be compared
		64 - | compare a wrong | compare: 'wrong' is neither a recording nor a file of 'bhctl latency --json', or damaged
		64 - | compare cyclictest a | compare: 'cyclictest' is neither a recording nor a file of 'bhctl latency --json', or damaged
		64 ENOENT | compare a nothing | compare: cannot read 'nothing': No such file or directory
		64 - | compare | compare: FILE is missing
	END
}

# bats test_tags=host
@test "record, report, compare: options and files are completed" {
	bhctl completion bash >words
	# shellcheck disable=SC1091
	source words
	assert_equal "$(complete_words bhctl record --ou)" --output
	assert_equal "$(complete_words bhctl record --output wor)" words
	assert_equal "$(complete_words bhctl report wor)" words
	assert_equal "$(complete_words bhctl report --per)" --perfetto
	assert_equal "$(complete_words bhctl compare words wor)" words
}
