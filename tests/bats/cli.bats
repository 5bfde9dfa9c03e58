#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The command line as such: help, options, formats, exit statuses, batch and exec.
# shellcheck disable=SC2016,SC2154 # programs of jq and sh; stderr and output come from run

load common

# bats test_tags=host
@test "help names every command, and tells about each" {
	local command
	run -0 bhctl help
	assert_line --index 0 "usage: bhctl [OPTION...] COMMAND [ARG...]"
	for command in info mechanisms list show add del queue delay cancel flush disable enable \
		trigger deassert wait events monitor ring \
		batch latency exec record report compare sleep completion help; do
		assert_line --regexp "^  $command +[a-z]"
	done
	bhctl --help | diff - <(bhctl help)
	bhctl help | sed -n 's/^  \([a-z][a-z]*\)  *[a-z].*/\1/p' >"$BATS_TEST_TMPDIR/commands"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/commands")" -ge 21 ]
	sed 's/^/help /' "$BATS_TEST_TMPDIR/commands" | bhctl batch - >"$BATS_TEST_TMPDIR/help"
	sed 's/$/ --help/' "$BATS_TEST_TMPDIR/commands" | bhctl batch - |
		diff - "$BATS_TEST_TMPDIR/help"
	sed -n 's/^usage: bhctl \([a-z]*\).*/\1/p' "$BATS_TEST_TMPDIR/help" |
		diff - "$BATS_TEST_TMPDIR/commands"
	run -0 bhctl help queue
	assert_output "$(bhctl queue --help)"
}

# bats test_tags=host
@test "wrong use of bhctl itself is 64, and says what is wrong" {
	is 64 "bhctl: which command? 'bhctl help' lists all"
	is 64 "bhctl: unknown command 'frob'; 'bhctl help' lists all" frob
	is 64 "bhctl: unknown option '--frob'; 'bhctl help' lists all" --frob info
	is 64 "bhctl: unknown option '-x'; 'bhctl help' lists all" -x info
	is 64 "bhctl: unknown option '--jsn'; did you mean '--json'?" --jsn info
	is 64 "bhctl: unknown option '--clor=never'; did you mean '--color'?" --clor=never info
	is 64 "bhctl: option '-d' needs a value" -d
	is 64 "bhctl: -j and -p exclude each other" -p -j info
	is 64 "bhctl: -d and --fd exclude each other" -d /dev/bhlab --fd 5 info
	is 64 "bhctl: --fd: 'x' is not a number" --fd x info
	is 64 "bhctl: --color: 'red' is not auto, always or never" --color=red info
	is 64 "bhctl: help: COMMAND: unknown command 'frob'" help frob
	is 64 "bhctl: completion: SHELL: unknown shell 'csh'; there is bash" completion csh
	is 64 '{"error":"unknown command '\''frob'\''; '\''bhctl help'\'' lists all","errno":null,"exit":64}' -j frob
	all_right
	run -64 bhctl queue
	assert_output $'bhctl: queue: ITEM is missing\nsee \'bhctl help queue\''
	run -64 bhctl add lock
	assert_output $'bhctl: add lock: NAME is missing\nsee \'bhctl help add lock\''
	run -64 bhctl -j queue
	assert_output '{"error":"queue: ITEM is missing","errno":null,"exit":64}'
}

# bats test_tags=host
@test "help wraps at the width of the terminal, tables in their column" {
	local columns
	for columns in 60 80; do
		COLUMNS=$columns bhctl help add >"$BATS_TEST_TMPDIR/help"
		(($(wc -L <"$BATS_TEST_TMPDIR/help") < columns))
	done
	run -0 env COLUMNS=60 bhctl help add
	assert_line '  push FIFO N                     push entries; those that'
	assert_line '                                  do not fit are dropped'
	assert_line --regexp '^             \[--'
	run -0 env COLUMNS=300 bhctl help add
	(($(wc -L <<<"$output") <= 100))
}

# bats test_tags=host
@test "help tells of steps, scenarios, their functions and limits; of what is misspelled, too" {
	local name
	run -0 bhctl help
	for name in steps scenario functions limits; do
		assert_line --regexp "^    $name +[a-z]"
		(($(bhctl help "$name" | wc -l) > 15))
	done
	bhctl help functions >"$BATS_TEST_TMPDIR/functions"
	# Each that the page has is in the help.
	sed -n '/^### Of an item/,/^## Variants/ s/^| \(`[^|]*\) |.*/\1/p' \
		"$BATS_TEST_DIRNAME/../scenarios/README.md" | grep -o '[a-z_0-9]*(' | sort -u \
		>"$BATS_TEST_TMPDIR/names"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/names")" -gt 80 ]
	while read -r name; do
		grep -q "\b$name" "$BATS_TEST_TMPDIR/functions" || fail "$name"
	done <"$BATS_TEST_TMPDIR/names"
	is 64 "bhctl: help: COMMAND: unknown command 'stps'; did you mean 'steps'?" help stps
	is 64 "bhctl: help: unknown command 'add irk'; did you mean 'irq'?" help add irk
	is 64 "bhctl: help: unknown command 'add fifi'; did you mean 'fifo'?" help add fifi
	all_right
}

# bats test_tags=host
@test "a mechanism that is none is wrong use, without a driver, too" {
	is 64 "bhctl: add taslket t: unknown mechanism 'taslket'; did you mean 'tasklet'?" \
		-d /dev/nothing add taslket t
	is 64 "bhctl: add quue q: unknown mechanism 'quue'; did you mean 'queue'?" \
		-d /dev/nothing add quue q
	all_right
}

# bats test_tags=host
@test "help -j is one document, of all, of a command, of a topic" {
	run -0 bhctl -j help
	jq -e '([.commands[].name] | index("add queue") and index("help")) and
		[.topics[].name] == ["steps", "scenario", "functions", "limits"] and
		(.options | length) == 8' <<<"$output"
	run -0 bhctl -j help events
	jq -e '.command == "events" and (.arguments[] | select(.name == "--kind") |
		.value == "KIND" and .required == false and (.words | index("run")) != null)' \
		<<<"$output"
	assert_equal "$(bhctl -j events --help)" "$output"
	run -0 bhctl -j help queue
	jq -e '.arguments[0] | .name == "ITEM" and .required and (.repeats | not)' <<<"$output"
	run -0 bhctl -j help steps
	jq -e '.topic == "steps" and (.text | test("spin PERIOD"))' <<<"$output"
}

@test "help add MECHANISM has what the driver lets it be" {
	local mech want
	for mech in $(bhctl -p mechanisms | cut -f1); do
		want=$(bhctl -j mechanisms | jq -c --arg m "$mech" '.mechanisms[] |
			select(.name == $m) | .attributes + if .thread then ["thread", "top"] else [] end |
			sort')
		run -0 bhctl -j help add "$mech"
		assert_equal "$(jq -c '[.arguments[].name | select(startswith("--")) | .[2:] |
			select(IN("hard", "lazy", "irqsafe", "pinned", "static", "oneshot", "thread",
			"top"))] |
			sort' <<<"$output")" "$want"
		jq -e --arg m "$mech" '.command == "add " + $m and .arguments[0].name == "NAME" and
			([.arguments[].name] | index("--do") and index("--cpu"))' <<<"$output"
	done
	run -0 bhctl help add irq
	assert_line --regexp '^  --top STEPS +the program of its top half$'
	refute_output --partial "--queue QUEUE"
}

# bats test_tags=host
@test "-V tells the version and the ABI" {
	run -0 bhctl -V
	assert_output --regexp '^bhctl [0-9.]+, ABI [0-9]+$'
}

@test "info tells what the kernel and the module's parameters are" {
	local parameters=/sys/module/bhlab/parameters name
	run -0 --separate-stderr bhctl -j info
	assert_equal "$stderr" ""
	jq -e --arg kernel "$(uname -r)" --argjson cpus "$(getconf _NPROCESSORS_CONF)" \
		'.kernel == $kernel and .cpus == $cpus and .mechanisms >= 4' <<<"$output"
	for name in labs users items irqs threads system_sleepers queues fifos steps chain \
		ring_bytes user_ring_bytes; do
		assert_equal "$(jq ".limits.$name" <<<"$output")" "$(cat "$parameters/$name")"
	done
	run -0 bhctl info
	assert_line "driver built for       $(uname -r)"
	run -0 bhctl -p info
	assert_line "kernel	$(uname -r)"
}

@test "mechanisms lists contexts and verbs, and which verbs are native" {
	run -0 --separate-stderr bhctl -j mechanisms
	assert_equal "$stderr" ""
	assert_equal "$(jq -r '.mechanisms[].name' <<<"$output" | head -4 | xargs)" \
		"work tasklet tasklet_hi irq"
	jq -e '.mechanisms | map({key: .name, value: .}) | from_entries |
		.work.verbs.queue == "native" and .work.verbs.trigger == null and
		.tasklet.verbs.queue == "native" and .tasklet.verbs.cancel == "emulated" and
		.irq.verbs.queue == null and .irq.verbs.trigger == "native" and
		.irq.verbs.delay == "emulated" and
		(.work.context | index("task")) != null and
		(.tasklet.context | index("softirq")) != null and
		(.irq.written_for | index("hardirq")) != null and .irq.thread and
		(.work.thread | not) and
		(.work.steps | index("sleep")) != null and
		(.tasklet.steps | index("sleep")) == null and
		(.irq.steps | index("thread")) != null and
		(.irq.thread_steps | index("sleep")) != null' <<<"$output"
	if kernel_has disable_delayed_work; then
		jq -e '.mechanisms[0].verbs.disable == "native"' <<<"$output"
	else
		jq -e '.mechanisms[0].verbs.disable == null' <<<"$output"
	fi
	run -0 bhctl mechanisms
	assert_line --index 0 \
		--regexp '^MECHANISM +CONTEXT +QUEUE +DELAY +CANCEL +FLUSH +DISABLE +ENABLE +TRIGGER +MAY BE$'
	assert_line --regexp '^irq +(hardirq|task) \+ thread +- +emulated '
	run -0 bhctl -p mechanisms
	assert_line --regexp $'^tasklet\t[a-z,-]*softirq[a-z,-]*\tnative\temulated\t'
}

@test "list and show print items, as text, raw and as JSON" {
	lab_open
	lab <<-'EOF'
		add work w --do 'queue later' --queue highpri --cpu 1 --data 'some text' --cookie 0xffffffffffffffff --queued
		add tasklet t
		delay w 1000s --mod
	EOF
	run -0 bhctl list
	assert_line --index 0 \
		--regexp '^ID +NAME +MECHANISM +STATE +QUEUE +CPU +ACCEPTED +COALESCED +RUNS +CANCELLED +MERGED$'
	assert_line --regexp '^ *[0-9]+ w +work +pending, delayed +highpri +1 +1 +0 +0 +0 +0$'
	assert_line --regexp '^ *[0-9]+ t +tasklet +idle +- +- +0 +0 +0 +0 +0$'
	assert_line --regexp '^ *[0-9]+ later +- +reserved '
	run -0 bhctl -p list
	assert_line --regexp $'^[0-9]+\tw\twork\tpending,delayed\thighpri\t1\t1\t0\t0\t0\t0$'
	run -0 bhctl -j list
	jq -e '[.items[] | select(.state != ["reserved"]) | .name] |
		sort == ["t", "w"]' <<<"$output"

	run -0 bhctl show w
	assert_line --regexp '^program +queue later$'
	assert_line --regexp '^data +some text$'
	assert_line --regexp '^state +pending, delayed$'
	assert_line --regexp '^activations +1 accepted = 0 run \+ 0 cancelled \+ 0 merged \+ 1 outstanding$'
	item w '.cpu == 1 and .queue == "highpri" and .record_queued and .data == "some text" and
		.balanced
		and .counters.accepted == 1 and .counters.outstanding == 1 and .irq == null'
	run -0 bhctl -j show w
	assert_output --partial '"cookie":18446744073709551615,'
	run -0 bhctl show "#$(bhctl -j show w | jq .id)"
	assert_line --regexp '^name +w$'
}

@test "show prints every step so that add reads it again" {
	local program='spin 1.5us; sleep 0; queue a; queue b --cpu 1; delay a 5ms; delay b 1.000001ms --cpu 0; trigger i'
	program+='; requeue; requeue 10; mark 18446744073709551615; mark 0; cancel a; disable a; enable a; lock l; push f 2'
	program+='; unlock l; bh_off; pop f; irq_off; pop f 3; irq_on; bh_on; deassert i'
	lab_open
	lab <<<$'add lock l\nadd fifo f'
	bhctl -q add work one --do "$program"
	assert_equal "$(bhctl -j show one | jq -r .program)" "$program"
	bhctl -q add work two --do " ${program//; /,}; "
	assert_equal "$(bhctl -j show two | jq -r .program)" "$program"
	bhctl -q add irq i --top 'thread' --thread "$program" && fail "a thread may not requeue"
	bhctl -q add irq i --top 'none; thread' --thread 'sleep 1ms; queue one'
	item i '.program == "none; thread" and .thread_program == "sleep 1ms; queue one"'
	bhctl -q add irq j --do 'queue one' --thread ''
	item j '.program == "queue one" and .thread_program == "" and .thread'
	bhctl -q add irq k
	item k '.program == "" and .thread_program == null and (.thread | not)'
}

@test "a name that nothing has is noted, and kept only if the item is made" {
	lab_open
	run -0 --separate-stderr bhctl add work w --do 'queue b; queue w; queue b2'
	assert_equal "$stderr" \
		"bhctl: note: item 'b' does not exist yet; the step is skipped until it does
bhctl: note: item 'b2' does not exist yet; the step is skipped until it does"
	run -0 --separate-stderr bhctl -q add work w2 --do 'queue b'
	assert_equal "$stderr" ""
	run -71 bhctl -q add tasklet t --do 'queue c; sleep 5ms'
	run bhctl -p list
	refute_line --regexp $'\tc\t'
	assert_line --regexp $'\tb\t'
	local id
	id=$(bhctl -j list | jq '.items[] | select(.name == "b").id')
	run -0 bhctl -j add work b
	assert_equal "$(jq .id <<<"$output")" "$id"
}

@test "with -j every line is one JSON object, whatever was asked" {
	lab_open
	bhctl -j batch --keep-going - >"$BATS_TEST_TMPDIR/out" <<-'END' || [ $? = 71 ]
		info
		mechanisms
		add work w --do 'spin 1us'
		add irq i
		queue w
		wait w runs 1
		delay w 1000s --on percpu
		queue w
		cancel w --sync
		flush w
		trigger i --count 2
		wait i idle
		disable i
		enable i
		enable i
		frob
		list
		show i
		ring
		events
		del i
		del i
	END
	jq -c . "$BATS_TEST_TMPDIR/out" >"$BATS_TEST_TMPDIR/again"
	run -0 jq -r 'if .kind then empty else .result // .errno // (.exit? // keys[0]) end' \
		"$BATS_TEST_TMPDIR/out"
	assert_equal "$(xargs <<<"$output")" \
		"abi mechanisms added added queued runs queued already-pending was-pending idle \
queued idle idle idle EINVAL 64 fifos attributes cpus deleted ENOENT"
	run -0 jq -cs 'map(select(.error))' "$BATS_TEST_TMPDIR/out"
	assert_output "$(jq -c . <<-'END'
		[{"error":"enable i: not disabled","errno":"EINVAL","exit":71,"file":"stdin","line":15},
		 {"error":"unknown command 'frob'; 'bhctl help' lists all","errno":null,"exit":64,"file":"stdin","line":16},
		 {"error":"del i: there is no object i in this lab","errno":"ENOENT","exit":71,"file":"stdin","line":22}]
	END
	)"
}

@test "a command that is alone says once that its lab ends with it" {
	run -0 --separate-stderr bhctl add work w
	assert_output added
	assert_equal "$stderr" \
		"bhctl: note: there is no lab to share: this lab and its objects end with this command; use 'bhctl exec' or 'bhctl batch' to keep one"
	run -0 --separate-stderr bhctl -q add work w
	assert_equal "$output$stderr" ""
	run -0 --separate-stderr bhctl batch - <<<$'add work w\nqueue w'
	assert_equal "$stderr" ""
	run -0 --separate-stderr bhctl exec -- bhctl add work w
	assert_equal "$stderr" ""
}

@test "batch reads words as the shell does" {
	run -0 bhctl batch - <<-'EOF'
		# a comment, and an empty line

		  add work "w" --data 'a # b'	# another comment
		add 'work' x\y
		add work y --do "spin 1us; mark 3" --data "it's \"q\" \\"
	EOF
	assert_output $'added\nadded\nadded'
}

@test "batch stops at the first failure, and says where it was" {
	local file=$BATS_TEST_TMPDIR/commands
	printf 'add work w\n\nqueue nosuch\nadd work never\n' >"$file"
	run -71 bhctl batch "$file"
	assert_output "added
bhctl: $file:3: queue nosuch: there is no item nosuch in this lab (ENOENT)"
	run -71 bhctl batch --keep-going "$file"
	assert_output "added
bhctl: $file:3: queue nosuch: there is no item nosuch in this lab (ENOENT)
added"
	run -64 bhctl batch <<<$'add work w\nsleep 1\nadd work never'
	assert_output "added
bhctl: stdin:2: sleep: PERIOD: '1' has no known unit; use ns, us, ms or s"
	run -71 bhctl batch -k <<<$'queue x\nsleep 1\nadd work w'
	assert_line --index 2 added
	is 64 "bhctl: batch: cannot read '/nonexistent': No such file or directory (ENOENT)" \
		batch /nonexistent
	all_right
}

# bats test_tags=host
@test "batch refuses what it would have to guess" {
	refusals <<-'END'
		64 - | queue 'w             | no closing '
		64 - | queue "w             | no closing "
		64 - | queue w; queue v     | an unquoted ';' means nothing here
		64 - | queue $w             | an unquoted '$' means nothing here
		64 - | events >file         | an unquoted '>' means nothing here
		64 - | batch file           | batch: a batch cannot run another one
		64 - | queue w\             | a '\' with nothing after it
	END
	run -64 bhctl batch - <<<'events | less'
	assert_output "bhctl: stdin:1: an unquoted '|' means nothing here"
}

@test "batch answers each line before it reads the next" {
	coproc bhctl -p batch - 3>&-
	local answer
	for command in 'add work w' 'delay w 1000s' 'queue w' 'cancel w'; do
		echo "$command" >&"${COPROC[1]}"
		read -rt 10 answer <&"${COPROC[0]}"
		echo "$answer" >>"$BATS_TEST_TMPDIR/answers"
	done
	assert_equal "$(xargs <"$BATS_TEST_TMPDIR/answers")" \
		"added queued already-pending was-pending"
	local pid=$COPROC_PID in=${COPROC[1]}
	exec {in}>&-
	wait "$pid"
}

@test "batch runs programs in its lab" {
	run -3 bhctl batch - <<-'END'
		add work w
		exec -- bhctl queue w
		exec -- sh -c 'exit 3'
	END
	assert_output $'added\nqueued'
	run -127 bhctl batch - <<<'exec -- /nonexistent'
	assert_output "bhctl: exec: '/nonexistent' is not found (ENOENT)"
	run -143 bhctl batch - <<<"exec -- sh -c 'kill \$\$'"
}

@test "exec gives the program a lab, and returns its status" {
	run -0 bhctl exec -- \
		sh -c 'bhctl add work w && bhctl queue w && [ -c "/proc/self/fd/$BHLAB_FD" ] && echo "$BHLAB_FD"'
	assert_line --index 1 queued
	[ "${lines[2]}" -ge 10 ]
	run -7 bhctl exec -- sh -c 'exit 7'
	run -143 bhctl exec -- sh -c 'kill $$'
	run -127 bhctl exec -- /nonexistent/program
	assert_output "bhctl: exec: '/nonexistent/program' is not found (ENOENT)"
	run -126 bhctl exec -- /etc/passwd
	assert_output "bhctl: exec: '/etc/passwd' cannot be run (EACCES)"
	run -0 bhctl exec -- printf '%s.' --count -x 'a b'
	assert_output '--count.-x.a b.'
}

@test "exec inside exec is another lab" {
	run -0 bhctl exec -- \
		sh -c 'bhctl -q add work outer && bhctl exec -- bhctl -p list && bhctl -p list | cut -f2'
	assert_output outer
	run -0 bhctl exec -- \
		sh -c 'bhctl -q add work outer && bhctl --fd $BHLAB_FD exec -- bhctl -p list | cut -f2'
	assert_output outer
}

@test "what cannot be written is an error" {
	run -71 bash -c 'bhctl -j info >/dev/full'
	assert_output '{"error":"info: cannot write to standard output","errno":"ENOSPC","exit":71}' ||
		assert_output ''
	run -71 bash -c 'bhctl info 2>&1 >/dev/full'
	assert_output "bhctl: info: cannot write to standard output (ENOSPC)"
	run -71 \
		bash -c "trap '' PIPE; { sleep 0.5; bhctl info 2>&3; } 3>&2 | true; exit \${PIPESTATUS[0]}"
	assert_output "bhctl: info: cannot write to standard output (EPIPE)"
}

@test "colour is for terminals, unless asked for" {
	lab_open
	lab <<<$'add work w\nqueue w\nwait w runs 1'
	local escape=$'\033['
	run -0 bhctl events
	refute_output --partial "$escape"
	run -0 bhctl --color=always events
	assert_output --partial "${escape}32m"
	run -0 bhctl --color=always events -f -n 1
	assert_output --partial "${escape}32mtask${escape}0m"
	run -0 script -qec 'bhctl events' /dev/null
	assert_output --partial "$escape"
	run -0 env NO_COLOR=1 script -qec 'bhctl events' /dev/null
	refute_output --partial "$escape"
	run -0 script -qec 'bhctl --color=never events' /dev/null
	refute_output --partial "$escape"
}

@test "what is not ASCII is kept for terminals that can show it" {
	lab_open
	lab <<<$'add work w --data "gr\xc3\xbcn"\nqueue w --cpu 0\nwait w runs 1'
	run -0 env LC_ALL=C bhctl events
	assert_output --partial ' 0->0 ' || assert_output --partial ' 1->0 '
	run -0 env LC_ALL=C.UTF-8 bhctl events
	assert_output --regexp ' [01]→0 .*grün'
	holds 'ran("w")[0].data == "grün"'
	run -0 bhctl add work v --data $'\xff\x1b[31m'
	assert_equal "$(bhctl -j show v | jq -r .data)" '??[31m'
}

@test "SIGINT ends what follows or waits, and reports" {
	lab_open
	lab <<<$'add work w\nqueue w\nwait w runs 1'
	local asleep='[[ $(</proc/$self/stat) == *"(bhctl) S "* ]]'
	run -130 interrupted "$asleep" bhctl events -f
	assert_line --index 1 --partial ' w '
	assert_line --index 2 "bhctl: note: interrupted; 1 events were shown"
	run -130 interrupted "$asleep" bhctl wait w running --timeout 100s
	assert_output "bhctl: wait w running: interrupted (EINTR)"
	run -130 interrupted "$asleep" bhctl sleep 100s
	assert_output "bhctl: sleep 100s: interrupted (EINTR)"
	run -130 interrupted "$asleep" bhctl batch - <<<$'add work v\nsleep 100s\nadd work never'
	assert_equal "$output" $'added\nbhctl: stdin:2: sleep 100s: interrupted (EINTR)'
}

@test "wait is 124 when the time is over" {
	lab_open
	lab <<<$'add work w --do "sleep 100ms"\nqueue w\nwait w running\nwait w runs 1\nwait w idle\nwait w idle --timeout 0'
	is 124 "bhctl: wait w running: the condition was not met within 10ms (ETIMEDOUT)" wait w running --timeout 10ms
	is 124 "bhctl: wait w runs: the condition was not met within 0 (ETIMEDOUT)" wait w runs 2 --timeout 0
	is 124 '{"error":"wait w pending: the condition was not met within 1ms","errno":"ETIMEDOUT","exit":124}' \
		-j wait w pending --timeout 1ms
	is 0 '{"result":"idle","item":"w","id":1}' -j wait w idle
	is 0 runs wait w runs 1
	all_right
	lab_says queued pending <<<$'delay w 1000s\nwait w pending'
}

@test "events shows, filters, counts, follows and reads" {
	lab_open
	lab <<-'END'
		add work w --do 'mark 42; spin 1us' --data payload --cookie 0xfedcba9876543210
		add work v
		queue w --cpu 1
		wait w idle
		queue v --cpu 0
		wait v idle
	END
	run -0 bhctl events
	assert_line --index 0 \
		--regexp '^ *TIME EVENT +ITEM +MECH +CONTEXT +CPU +PID +COMM +LATENCY +RUNTIME +NTH NOTES'
	assert_line --index 1 \
		--regexp '^ *0\.000000 run +w +work +task +[01].*1 +[0-9]+ kworker/1:[0-9]+H? +[0-9.]+[mun]?s +[0-9.]+[mun]?s +1 "payload"$'
	assert_line --index 2 --regexp '^ *0\.[0-9]{6} mark +w +work .* 1 value 42, "payload"$'
	assert_equal "${#lines[@]}" 4
	assert_equal "$(bhctl -j events | wc -l)" 3
	assert_equal "$(bhctl -j events --kind mark | jq -c '[.kind, .item, .value, .nth]')" \
		'["mark","w",42,1]'
	assert_equal "$(bhctl -j events --item v | jq -r .item)" v
	assert_equal "$(bhctl -p events -n 2 | cut -f2,3 | xargs)" "run w mark w"
	run -0 bhctl -j events -n 1
	assert_output --partial '"cookie":18364758544493064720,'
	run -0 bhctl -p events --absolute -n 1
	[[ ${output%%$'\t'*} -gt 0 ]]
	assert_equal "$(bhctl -p events -f -n 3 | wc -l)" 3
	run -0 --separate-stderr bhctl -p events -f --idle-timeout 50ms
	assert_equal "${#lines[@]}" 3
	run -124 --separate-stderr bhctl -p events -f -n 4 --idle-timeout 50ms
	assert_equal "$stderr" "bhctl: events: only 3 came in time (ETIMEDOUT)"
	item '#1' '.name == "w"'
	lab <<<'del w'
	assert_equal "$(bhctl -p events --item '#1' | cut -f3 | xargs)" "#1 #1"

	assert_equal "$(bhctl -j events --read | wc -l)" 3
	assert_equal "$(bhctl -j events --read | wc -l)" 0
	assert_equal "$(bhctl -j events | wc -l)" 3
	assert_equal "$(bhctl -j ring | jq -c '[.recorded, .read, .lost, .unread]')" "[3,3,0,0]"
}

@test "events -f prints each as it comes" {
	lab_open
	lab <<<'add work w'
	coproc bhctl -j events -f --item w 3>&-
	local i line
	for i in 1 2 3; do
		lab <<<'queue w'
		read -rt 10 line <&"${COPROC[0]}"
		assert_equal "$(jq .nth <<<"$line")" "$i"
	done
	kill "$COPROC_PID"
}

@test "what the ring has lost is reported, exactly" {
	lab_open
	local out=$BATS_TEST_TMPDIR/out
	lab <<-'END'
		ring --records 32
		add work w --do 'requeue 99'
		queue w --cpu 1
		wait w runs 100
		wait w idle
	END
	assert_equal "$(bhctl -j ring | jq .recorded)" 100
	bhctl -j events >"$out"
	assert_equal "$(head -1 "$out")" '{"kind":"lost","cpu":1,"count":68}'
	assert_equal "$(sed 1d "$out" | jq -s -c 'map(.nth) == [range(69; 101)]')" true
	run -0 --separate-stderr bhctl -p events
	assert_equal "$stderr" \
		"bhctl: events: 68 records of CPU 1 were overwritten before they were read"
	bhctl -j events --read >"$out"
	assert_equal "$(head -1 "$out")" '{"kind":"lost","cpu":null,"count":68}'
	assert_equal "$(sed 1d "$out" | wc -l)" 32
	assert_equal "$(bhctl -j ring | jq -c '[.recorded, .read, .lost, .unread]')" "[100,32,68,0]"
}

@test "ring is set up before it is used" {
	lab_open
	run -0 bhctl -j ring --records 64 --watermark 64
	assert_equal "$(jq -c '[.records, .watermark, .record_size, .recorded]' <<<"$output")" \
		"[64,64,128,0]"
	run -0 bhctl ring --watermark 2
	assert_line --regexp '^records of each +64$'
	assert_line --regexp '^watermark +2$'
	refusals <<-'END'
		71 EINVAL | ring --records 33     | ring: the records of a sub-ring must be a power of two and at least a page, the watermark 1 to that many
		71 EINVAL | ring --records 16     | ring: the records of a sub-ring must be a power of two and at least a page, the watermark 1 to that many
		71 EINVAL | ring --records 0      | ring: the records of a sub-ring must be a power of two and at least a page, the watermark 1 to that many
		71 EINVAL | ring --watermark 65   | ring: the records of a sub-ring must be a power of two and at least a page, the watermark 1 to that many
		71 EINVAL | ring --watermark 0    | ring: the records of a sub-ring must be a power of two and at least a page, the watermark 1 to that many
		71 ENOSPC | ring --records 0x80000000 | ring: more than the module parameter ring_bytes allows
		64 -      | ring --records 0x100000000 | ring: --records: '0x100000000' is more than 4294967295
	END
	lab <<<'add work w'
	is 71 "bhctl: ring: the ring is in use; set it up before the lab's first item and reader (EBUSY)" ring --records 128
	all_right
}

@test "bash completes commands, options, items and words" {
	lab_open
	lab <<<$'add work wonder\nadd work other'
	bhctl completion bash >"$BATS_TEST_TMPDIR/completion"
	# shellcheck disable=SC1091
	source "$BATS_TEST_TMPDIR/completion"
	assert_equal "$(complete_words bhctl dis)" disable
	assert_equal "$(complete_words bhctl -j fl)" flush
	assert_equal "$(complete_words bhctl --fd 5 can)" cancel
	assert_equal "$(complete_words bhctl queue won)" wonder
	assert_equal "$(complete_words bhctl queue wonder --)" "--cpu --on --help"
	assert_equal "$(complete_words bhctl queue wonder --on h)" highpri
	assert_equal "$(complete_words bhctl wait wonder run)" "running runs"
	assert_equal "$(complete_words bhctl events --kind coal)" coalesced
	assert_equal "$(complete_words bhctl add task)" "tasklet tasklet_hi"
	assert_equal "$(complete_words bhctl batch /etc/passw)" "/etc/passwd"
}
