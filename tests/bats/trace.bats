#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The tracepoints: what they say is what the records of the ring say.
# shellcheck disable=SC2016,SC2154 # programs of jq; output comes from run

load common

TRACING=/sys/kernel/tracing

setup() {
	mountpoint -q "$TRACING" || mount -t tracefs tracefs "$TRACING"
	echo >"$TRACING/trace"
}

teardown() {
	echo 0 >"$TRACING/events/bhlab/enable"
	accounted
}

trace_on() {
	echo 1 >"$TRACING/events/bhlab/enable"
}

# What was traced of an item, in order: "EVENT FIELD=VALUE…" with only the fields named.
traced() { # ITEM FIELD…
	local item=$1
	shift
	grep " name=$item " "$TRACING/trace" | awk -v wanted="$*" '{
		line = ""
		for (i = 1; i <= NF; i++) {
			if ($i ~ /^bhlab_[a-z_]*:$/)
				line = substr($i, 1, length($i) - 1)
			split($i, pair, "=")
			if (line && index(" " wanted " ", " " pair[1] " "))
				line = line " " $i
		}
		print line
	}'
}

# The same fields, one line for each record, as the ring has them.
recorded() { # ITEM KIND FIELD…
	local item=$1 kind=$2
	shift 2
	bhctl -j events --item "$item" --kind "$kind" |
		jq -r '. as $event | [$ARGS.positional[] | "\(.)=\($event[.])"] |
		join(" ")' --args "$@"
}

@test "queue, start and end of a run are traced, with what its record has" {
	lab_open
	trace_on
	lab <<'END'
add work w --cookie 7 --do 'spin 1ms'
queue w
queue w
wait w idle
queue w --cpu 1
wait w idle
END
	echo 0 >"$TRACING/events/bhlab/enable"
	run -0 traced w mech stage nth result
	assert_line --index 0 "bhlab_queue mech=work result=queued"
	assert_equal "$(grep -c '^bhlab_run_start mech=work stage=main nth=[12]$' <<<"$output")" 2
	assert_equal "$(grep -c '^bhlab_run_end mech=work stage=main nth=[12]$' <<<"$output")" 2
	assert_equal "$(traced w queue_cpu cpu queued_ns started_ns | sed -n 's/^bhlab_run_start //p')" \
		"$(recorded w run queue_cpu cpu queued_ns started_ns)"
	assert_equal "$(traced w nth started_ns finished_ns | sed -n 's/^bhlab_run_end //p')" \
		"$(recorded w run nth started_ns finished_ns)"
	assert_equal "$(traced w lab item | sed 's/^[a-z_]* //' | sort -u)" \
		"lab=$(bhctl -j info | jq .lab) item=1"
}

@test "a delay, its cancel, and what is coalesced are traced" {
	lab_open
	trace_on
	lab <<'END'
add work w
delay w 3600s
delay w 3600s
cancel w
add timer t
delay t 1800s
cancel t
END
	run -0 traced w result delay_ns
	assert_output - <<'END'
bhlab_queue result=queued delay_ns=3600000000000
bhlab_queue result=already-pending delay_ns=3600000000000
bhlab_cancel
END
	run -0 traced t mech result
	assert_output - <<'END'
bhlab_queue mech=timer result=queued
bhlab_cancel mech=timer
END
	assert_equal "$(traced w queued_ns | sed -n 's/^bhlab_cancel //p')" \
		"$(recorded w cancelled queued_ns)"
}

@test "a line is triggered, and both of its stages run" {
	lab_open
	trace_on
	lab <<'END'
add irq line --top 'thread' --thread 'spin 10us'
trigger line --cpu 0
wait line idle
END
	run -0 traced line mech stage nth result
	assert_output - <<'END'
bhlab_trigger mech=irq result=queued
bhlab_run_start mech=irq stage=top nth=1
bhlab_run_end mech=irq stage=top nth=1
bhlab_run_start mech=irq stage=thread nth=1
bhlab_run_end mech=irq stage=thread nth=1
END
}

@test "trace-cmd records them, and knows the names of their numbers" {
	cd "$BATS_TEST_TMPDIR"
	trace-cmd record -q -e bhlab -o trace.dat \
		bhctl -q batch - <<<$'add tasklet t --do "spin 10us"\nqueue t\nwait t runs 1' >record.log 2>&1
	run -0 trace-cmd report -i trace.dat
	assert_output --regexp 'bhlab_queue: .*name=t mech=tasklet result=queued'
	assert_output --regexp 'bhlab_run_start: .*name=t mech=tasklet stage=main nth=1'
	assert_output --regexp 'bhlab_run_end: .*name=t mech=tasklet stage=main nth=1'
}

@test "while they are off nothing is traced" {
	lab_open
	lab <<<$'add work w\nqueue w\nwait w runs 1'
	run -1 grep bhlab_ "$TRACING/trace"
}
