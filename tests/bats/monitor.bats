#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bhctl monitor: the events of all labs, as they happen.
# shellcheck disable=SC2016,SC2154 # programs of jq; stderr and output come from run

load common

setup() {
	out=$BATS_TEST_TMPDIR/out
	monitor=''
}

teardown() {
	[[ ! $monitor ]] || kill -KILL "$monitor" 2>/dev/null || true
	accounted
}

# In the background; returns once it is subscribed.
monitor() { # OPTION… of bhctl, --, OPTION… of monitor
	local -a global=()
	while [[ $1 != -- ]]; do
		global+=("$1")
		shift
	done
	shift
	: >"$out" # what another one said before is no sign of this one
	bhctl "${global[@]}" monitor --banner "$@" >"$out" 2>"$out.err" 3>&- &
	monitor=$!
	local i
	for ((i = 0; i < 200; i++)); do
		[[ ! -s $out ]] || return 0
		[[ -d /proc/$monitor ]] || fail "$(cat "$out.err")"
		sleep 0.1
	done
	fail "it has not subscribed"
}

# Waits for its end; what it said is in $output without the banner.
ended() { # STATUS; with nothing on stderr
	local status=0
	wait "$monitor" || status=$?
	monitor=''
	output=$(grep -vE '^(subscribed|\{"kind":"subscribed"\})$' "$out" || true)
	mapfile -t lines <<<"$output"
	assert_equal "$status $(cat "$out.err")" "$1 "
}

events_of() {
	jq -cs "$JQ $1" <<<"$output"
}

@test "labs come and go, and each of their events is there" {
	monitor -j -- -n 6
	bhctl -q batch - <<<$'add work w --cookie 3 --do "mark 42"\nqueue w\nwait w runs 1'
	bhctl -q batch - <<<$'add tasklet t --data hi\nqueue t\nwait t runs 1\nadd timer u\ndelay u 100s\ncancel u'
	bhctl -q batch - <<<$'add work w\nqueue w\nwait w runs 1\nadd fifo f --depth 1\nadd work x --do "push f 3"\nqueue x\nwait x runs 1'
	ended 0
	assert_equal "$(events_of 'map([.kind, .item, .mechanism])')" \
		'[["mark","w","work"],["run","w","work"],["run","t","tasklet"],["cancelled","u","timer"],["run","w","work"],["dropped","x","work"]]'
	assert_equal "$(events_of '.[1] | [.cookie, .nth]')" '[3,1]'
	assert_equal "$(events_of '.[2] | .data')" '"hi"'
	# the same record as in the ring, at the same times
	assert_equal "$(events_of 'map(select(.queued_ns > .started_ns or .started_ns > .finished_ns)) | length')" 0
}

@test "a record is the one that the ring has" {
	lab_open
	lab <<<$'add irq line --top thread --thread "spin 10us"\nadd work w --do "spin 1ms"\nqueue w\nwait w idle'
	monitor -j -- -n 3
	lab <<<$'trigger line\nwait line idle\nqueue w\nwait w runs 2'
	ended 0
	diff <(jq -cS . <<<"$output" | sort) <(bhctl -j events | jq -cS . | tail -n 3 | sort)
}

# One monitor for each filter, all at the same time.
@test "filters by lab, item, mechanism and kind" {
	local number filter words
	local -a filters pids=()
	lab_open
	number=$(bhctl -j info | jq .lab)
	lab <<<$'add work w --do "mark 1"\nadd tasklet t'
	filters=("--lab $number" "--lab 99" "--item w" "--item #2" "--mechanism tasklet"
		"--kind mark" "--item w --kind run")
	for filter in "${filters[@]}"; do
		read -ra words <<<"$filter"
		bhctl monitor --banner "${words[@]}" \
			--format '{item} {kind}' >"$out.${filter// /_}" 3>&- {BHLAB_FD}>&- &
		pids+=($!)
	done
	for filter in "${filters[@]}"; do
		until [[ -s $out.${filter// /_} ]]; do sleep 0.1; done
	done
	lab <<<$'queue w\nwait w idle\nqueue t\nwait t idle'
	saw() { # FILTER EVENT…
		local i seen
		for ((i = 0; i < 100; i++)); do
			seen=$(tail -n +2 "$out.${1// /_}" | paste -sd,)
			[[ $seen != "$2" ]] || return 0
			sleep 0.1
		done
		kill "${pids[@]}"
		fail "$1: $seen, and not $2"
	}
	saw "--lab $number" "w mark,w run,t run"
	saw "--item w" "w mark,w run"
	saw "--item #2" "t run"
	saw "--mechanism tasklet" "t run"
	saw "--kind mark" "w mark"
	saw "--item w --kind run" "w run"
	sleep 1 # for what should not come
	saw "--kind mark" "w mark"
	saw "--lab 99" ""
	kill "${pids[@]}"
}

@test "formats: a table, values, JSON, and one's own" {
	lab_open
	lab <<<'add work w'
	monitor -- -n 1 --format '{lab}/{item}#{nth}: {{{kind}} on {context}'
	lab <<<$'queue w\nwait w runs 1'
	ended 0
	assert_output --regexp "^[0-9]+/w#1: \{run\} on task,preemptible$"
	monitor -- -n 1
	lab <<<$'queue w\nwait w runs 2'
	ended 0
	assert_line --index 0 --regexp '^LAB +TIME EVENT +ITEM'
	assert_line --index 1 --regexp '^ +[0-9]+ +0.000000 run +w +work +task'
	monitor -p -- -n 1
	lab <<<$'queue w\nwait w runs 3'
	ended 0
	assert_equal "$(cut -f 3-5 <<<"$output")" $'run\tw\twork'
}

@test "SIGINT ends it with 130, and says how many were shown" {
	run -130 --separate-stderr interrupted '[[ -s $out ]]' \
		bash -c 'exec bhctl -j monitor --banner >"$1"' _ "$out"
	assert_equal "$(<"$out")" '{"kind":"subscribed"}'
	assert_equal "$stderr" "bhctl: note: interrupted; 0 events were shown"
}

@test "--idle-timeout ends it; with -n that is a failure" {
	run -0 --separate-stderr bhctl -p monitor --idle-timeout 50ms
	assert_equal "$output$stderr" ""
	is 124 "bhctl: monitor: only 0 came in time (ETIMEDOUT)" -p monitor -n 1 --idle-timeout 50ms
	all_right
}

@test "who may not, what is wrong, and no driver" {
	run -71 runuser -u alice -- bhctl monitor
	assert_output "bhctl: monitor: seeing the events of all labs needs CAP_NET_ADMIN (EPERM)"
	# a kernel may be built without user namespaces
	if [[ -e /proc/self/ns/user ]]; then
		run -71 unshare --user --map-root-user bhctl monitor
		assert_output "bhctl: monitor: seeing the events of all labs needs CAP_NET_ADMIN (EPERM)"
	fi
	is 64 "bhctl: monitor: --format: an event has no 'frob'; see the keys that -j prints" \
		monitor --format '{frob}'
	is 64 "bhctl: monitor: --format: '{kind' has a '{' without its '}'" monitor --format '{kind'
	is 64 "bhctl: monitor: --format: --format excludes -j and -p" -p monitor --format '{kind}'
	is 64 "bhctl: monitor: --mechanism: unknown mechanism 'frob'; 'bhctl mechanisms' lists them" monitor --mechanism frob
	is 64 "bhctl: monitor: --kind: unknown kind of event 'frob'; there are run, queued, coalesced, expired, mark, cancelled, disabled, enabled, dropped" \
		monitor --kind frob
	rmmod bhlab
	is 4 "bhctl: monitor: there is no driver; load it with 'modprobe bhlab', or 'make load' in its source" monitor
	modprobe bhlab
	udevadm settle
	all_right
}

# Shown, and lost as the stream says, is all there was.
@test "what the buffer does not hold is told, to the last event" {
	local shown lost
	monitor -j -- --buffer 32768 --idle-timeout 10s
	kill -STOP "$monitor"
	lab_open
	lab <<<$'add work w --do "requeue 2000"\nadd work last\nqueue w\nwait w idle --timeout 60s'
	sleep 0.5
	kill -CONT "$monitor"
	sleep 1
	lab <<<$'queue last\nwait last runs 1'
	ended 0
	shown=$(grep -c '"kind":"run"' <<<"$output")
	lost=$(jq -s 'map(select(.kind == "lost") | .count // 0) | add // 0' <<<"$output")
	[ "$lost" -gt 0 ]
	assert_equal "$((shown + lost))" 2002
	jq -se 'any(.kind == "lost" and .lab == null)' <<<"$output"
}

@test "labs that open and close all the time, while monitors come and go, leave nothing" {
	local i pid
	for ((i = 0; i < 5; i++)); do
		bhctl -j monitor -n 20 --idle-timeout 2s >/dev/null 3>&- &
		pid=$!
		for _ in 1 2 3 4; do
			bhctl -q batch - <<<$'add work w --do "requeue 50"\nqueue w\nadd timer t --do "requeue 5"\nqueue t\nwait w runs 10' 3>&- &
		done
		bhctl -q batch - <<<$'add work w --do "requeue 50"\nqueue w' 3>&-
		((i % 2)) || kill -KILL "$pid" 2>/dev/null || true
		wait
	done
	assert_equal "$(cat /sys/module/bhlab/refcnt)" 0
}
