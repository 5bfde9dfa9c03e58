#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bats file_tags=long
# bhctl run: what it says of wrong files, of failures, of variants; and its formats.
# shellcheck disable=SC2154 # output comes from run

load common

setup() {
	cd "$BATS_TEST_TMPDIR" || exit
}

# scenario NAME: the body comes from stdin, after a head
scenario() {
	{ printf 'title %s\ntext It is a test.\nsource tests/bats/run.bats\n' "$1" && cat; } >"$1.bh"
}

# Lines "LINE:COLUMN: MESSAGE | BODY" from stdin, '~' for the end of a line of the body, which
# begins in line 4: a scenario with this body is refused so. One bhctl reads them all. What is wrong
# is shown below each, which is another test.
wrong_files() {
	local want body n=100
	while IFS='|' read -r want body; do
		((++n))
		tr '~' '\n' <<<"${body# }" | scenario $n
		echo "bhctl: $n.bh:${want% }" >>want
	done
	run -64 bhctl run --check -- *.bh
	grep -v '^    ' <<<"$output" | diff -u want -
}

# bats test_tags=host
@test "run: an unknown word is an error with its line and column" {
	wrong_files <<-'END'
		4:1: unknown command 'frob'; 'bhctl help' lists all | frob w
		5:8: unknown function 'frob' | add work w~expect frob(w) == 1
		5:18: 'queue' never answers 'queueed'; did you mean 'queued'? | add work w~expect queue w = queueed
		5:25: unknown word 'soon' | add work w~expect queue w = queued soon
		5:19: unknown errno 'EFROB' | add work w~expect! queue w = EFROB
		5:8: unknown condition 'frob' | add work w~expect@frob runs(w) == 1
		5:11: unknown condition 'kernl'; did you mean 'kernel'? | add work w~expect@rt,kernl>=6.1 runs(w) == 1
		4:20: 'frob' is no mechanism | requires mechanism frob # a comment~add work w~expect runs(w) == 0
		4:24: 'frob' is no verb | requires not verb work frob~add work w~expect runs(w) == 0
		4:5: unknown mechanism 'wrok'; did you mean 'work'? | add wrok w~expect runs(w) == 0
		4:15: 'wrok' is no mechanism; did you mean 'work'? | requires verb wrok queue~add work w~expect runs(w) == 0
		4:17: 'wrok' is no mechanism; did you mean 'work'? | requires native wrok frob~add work w~expect runs(w) == 0
		4:12: 'frob' is no mechanism | @mechanism:frob add work w~expect cpus() > 0
		5:21: 'frob' is no verb | add work w~expect@!native:work:frob,rt runs(w) == 0
		5:16: 'frob' is no feature | add work w~expect@feature:frob runs(w) == 0
		4:18: 'frob' is no feature | requires feature frob~add work w~expect runs(w) == 0
		5:22: --cpu: 'x' is not a number | add work w~expect queue w --cpu x = queued
		5:3: unknown option '--frobnicate' | add work w \~  --frobnicate~expect runs(w) == 0
		5:21: unknown word 'kworker'; text stands in quotes | add work w~expect comm(w,1) == kworker
		5:23: 'frob' cannot follow here | add work w~expect (runs(w) == 1) frob
		5:13: no add above makes the item 'v' | add work w~expect runs(v) == 1
		4:24: a step names 'v', which no add makes | add work w --do 'queue v'~expect runs(w) == 1
		4:13: statement 3 is named already | statement 3 3~expect cpus() > 0
		5:11: statement 3 is named already | statement 3~statement 3~expect cpus() > 0
		4:11: statements are numbered from 1 | statement 0~expect cpus() > 0
		4:13: '-1' is negative | statement 7 -1~expect cpus() > 0
		4:11: 'x' is not a number | statement x~expect cpus() > 0
		4:10: the number is missing | statement~expect cpus() > 0
		4:8: it leaves 'v', which no add makes | leaves v~add work w~expect runs(w) == 1
	END
}

# bats test_tags=host
@test "run: what makes no sense is an error" {
	wrong_files <<-'END'
		1:1: it expects nothing | add work w
		5:7: what is expected? | add work w~expect
		5:8: what must 'queue' answer? '= WORD' is missing | add work w~expect queue w
		5:16: '=' compares nothing; write '==' | add work w~expect runs(w) = 1
		5:14: comparisons do not chain; join two with && | add work w~expect 1 < 2 < 3
		5:23: a time can be compared with a time only; write 5ms | add work w~expect latency(w,1) < 5
		5:8: this is not cpu(ITEM, N) | add work w~expect cpu(w) == 1
		5:21: a ')' is missing here | add work w~expect (runs(w) == 1
		5:18: an expression is missing here | add work w~expect runs(w) ==
		5:1: 'requires' must stand before all commands | add work w~requires rt
		5:1: this repeat has no end | add work w~repeat 3~queue w
		5:1: there is no repeat that this could end | add work w~end
		5:6: no async above is called 'c' | add work w~join c
		5:8: an async answers only when it is joined | add work w~expect async c queue w = queued
		4:1: 'events' is not for scenarios: nobody reads here what it prints; expressions have what was recorded | events~expect now() > now()
		4:1: 'monitor' is not for scenarios: nobody reads here what it prints; expressions have what was recorded | monitor -n 1~expect now() > now()
		5:1: 'latency' is not for scenarios: nobody reads here what it prints; expressions have what was recorded | add work w~latency work~expect runs(w) == 0
		5:9: no let above gives 'y' a value | add work w~let x = $y
	END
	scenario no-title <<<'expect cpus() > 0'
	sed -i 1d no-title.bh
	is 64 "bhctl: no-title.bh:1:1: it has no title" run no-title.bh
	is 64 "bhctl: run: nowhere: there is no scenario" run nowhere
	is 64 "bhctl: run: FILE|DIR is missing" run
	is 64 "bhctl: run: --tap is a format of its own: neither -j nor -p goes with it" \
		-p run --tap no-title.bh
	all_right
}

# bats test_tags=host
@test "run: if one file is wrong nothing is run, and each is told of" {
	scenario good <<<'expect cpus() > 0'
	scenario bad1 <<<'frob'
	scenario bad2 <<<'expect frob'
	run -64 --separate-stderr bhctl run .
	assert_equal "$output" ""
	diff -u - <(echo "$stderr") <<-'END'
		bhctl: ./bad1.bh:4:1: unknown command 'frob'; 'bhctl help' lists all
		    frob
		    ^~~~
		bhctl: ./bad2.bh:4:8: unknown word 'frob'
		    expect frob
		           ^~~~
	END
	run -64 --separate-stderr bhctl -j run --check .
	assert_equal "$(jq -s 'map([.file, .line, .column, .error])' -c <<<"$output")" \
		'[["./bad1.bh",4,1,"unknown command '\''frob'\''; '\''bhctl help'\'' lists all"],["./bad2.bh",4,8,"unknown word '\''frob'\''"]]'
	rm bad*
	run -0 bhctl run --check .
	assert_output ""
}

# bats test_tags=host
@test "run: what is meant, and what is left out on purpose" {
	wrong_files <<-'END'
		4:1: unknown command 'exepct'; did you mean 'expect'? | exepct runs(t) == 1~expect cpus() > 0
		4:1: unknown command 'qeueu'; did you mean 'queue'? | qeueu w~expect cpus() > 0
		5:8: unknown function 'laterncy'; did you mean 'latency'? | add work w~expect laterncy(w, 1) > 0
		5:7: no add above makes 'widgt'; did you mean 'widget'? | add work widget~queue widgt~expect cpus() > 0
		4:15: no add above makes 'nosuch' | expect! queue nosuch = EPERM
		5:19: unknown errno 'ENOENTT'; did you mean 'ENOENT'? | add work w~expect! queue w = ENOENTT
		4:18: --do: step 1: unknown step 'slep'; did you mean 'sleep'? | add work w --do 'slep 1ms'~expect runs(w) == 0
		4:18: --do: step 1: there is no step 'settle': a step waits for one item or queue; settle stands outside of programs | add work w --do 'settle'~expect runs(w) == 0
		4:26: --do: step 1: queue: '--on' is not for steps: a step queues on the queue of the item; add that with --queue | add work w --do 'queue w --on q'~expect runs(w) == 0
		4:7: PERIOD: '5 ms': write 5ms, without a blank | sleep 5 ms~expect cpus() > 0
		4:7: PERIOD: '5µs' has a letter that is not ASCII; write 5us | sleep 5µs~expect cpus() > 0
		5:24: '5 µs': write 5us, without a blank | add work w~expect latency(w, 1) < 5 µs
		5:18: this is neither a number nor a time | add work w~expect median(w, context) == 1
		6:13: after 'as' comes a name of letters, digits and '_' | repeat 2~end~repeat 3 as !~end~expect cpus() > 0
		4:8: 'x' is not a number | repeat x as I~end~expect cpus() > 0
		5:8: an unquoted '$' means nothing here; in a command $N is the number of a 'repeat ... as N' around it | add work w~queue w$I~expect cpus() > 0
	END
	printf '\xef\xbb\xbf' | cat - <(printf 'title A\ntext x\nsource y\nexpect cpus() > 0\n') >bom
	is 64 "bhctl: bom:1:1: the file begins with a byte order mark (BOM); save it as UTF-8 without one" \
		run --check bom
	printf '\xff\xfet\0' >bom
	is 64 "bhctl: bom:1:1: the file begins with a byte order mark (BOM) of UTF-16; save it as UTF-8" \
		run --check bom
	all_right
}

# bats test_tags=host
@test "run: all that is wrong with a file is told of, and nothing that only comes of it" {
	cat >all.bh <<-'END'
		tilte All
		text  It is a test.
		source tests/bats/run.bats
		addd work w
		add work v --do 'spinn 1ms'
		let x = frob(w)
		repeat 3 as I
		  add work w$I --queue nowhere
		  queue w$I
		  expect runs(w$I) == 1 && cpu(w$I) == 1
		end
		expect runs(w3) + $x == 3 && runs(v) == 0
		async c queue v --cup 1
		join c
	END
	run -64 bhctl run --check all.bh
	assert_equal "$(grep -o '^bhctl: [^ ]*' <<<"$output" | cut -d: -f 3,4 | xargs)" \
		"1:1 4:1 5:18 6:9 8:24 10:28 13:17"
}

# examples: what stands in blocks of the language's description, each as a scenario
# shellcheck disable=SC2016 # the backticks are Markdown
examples() {
	local n=0 line
	while IFS= read -r line; do
		case $line in
		'```bh') ((++n)) && scenario "$n" </dev/null ;;
		'```') ;;
		*) printf '%s\n' "$line" >>"$n.bh" ;;
		esac
	done < <(sed -n '/^```bh$/,/^```$/p' "$BATS_TEST_DIRNAME/../scenarios/README.md")
	((n))
}

# bats test_tags=host
@test "run: the examples of tests/scenarios/README.md can be read" {
	examples
	run -0 bhctl run --check .
	assert_output ""
}

@test "run: the examples of tests/scenarios/README.md pass" {
	examples
	run -0 bhctl run .
	assert_line --partial " 0 failed, 0 skipped"
}

@test "run: a scenario that passes is told of in full, and in one line among others" {
	mkdir area
	(cd area && scenario one && scenario two) <<-'END'
		add work w --do 'mark 7'
		expect queue w --cpu 0 = queued
		settle
		expect runs(w) == 1 && mark(w, -1) == 7
		expect context(w, 1) == task && cpu(w, 1) == 0
	END
	cp area/one.bh area/two.bh
	run -0 bhctl run area/one.bh
	assert_line --index 0 one
	assert_line "  It is a test."
	assert_line --regexp '^ +ms CPU 0'
	assert_line --regexp '\$ queue w --cpu 0 -> queued$'
	assert_line --regexp ' T w #1 .*kworker'
	assert_line --regexp '^  ok        7 expect runs\(w\) == 1 && mark\(w, -1\) == 7'
	assert_line --regexp '^  passed: 3 of 3 checks, '
	run -0 bhctl run area
	assert_line --index 0 --regexp '^ok +area/one +one$'
	assert_line --index 2 "2 scenarios, 6 expectations: 2 passed, 0 failed, 0 skipped"
	run -0 env LC_ALL=C COLUMNS=80 bhctl run -v area
	[ "$(wc -L <<<"$output")" -le 80 ]
	run -1 env LC_ALL=C grep '[^ -~]' <<<"$output"
}

@test "run: a scenario that fails exits with 1, and says what was observed" {
	scenario x <<-'END'
		add work w
		expect queue w = already-pending
		settle
		expect runs(w) == 2
		expect cpu(w, 3) == 1
		expect all(w, cpu(w, N) == 77)
		add tasklet t
		expect! enable t = EPERM
		expect! queue w = EINVAL
		settle
		expect runs(w) == 2
	END
	run -1 bhctl run x.bh
	assert_line --regexp "^ +line expected +observed$"
	assert_line --regexp "^  FAILED    5 expect queue w = already-pending  +queued$"
	assert_line --regexp "^  FAILED +[0-9]+ expect runs\(w\) == [02]  +runs\(w\) = 1$"
	assert_line --partial "   there is no run 3 of w, of 1"
	assert_line --regexp "   for N = 1, cpu\(w, N\) = [0-9]+,?$"
	assert_line --partial "   not disabled (EINVAL)"
	assert_line --regexp "^  ok +[0-9]+ expect runs\(w\) == "
	assert_line --regexp "^  failed: 6 of 7 checks"
}

@test "run: what was observed is wrapped, leaves the last column free, and has no lines of its own" {
	local sum='runs(a-rather-long-name) + accepted(a-rather-long-name)'
	sum+=' + refused(a-rather-long-name) + depth(a-rather-long-name)'
	scenario x <<-END
		add work a-rather-long-name
		add work w
		expect $sum == 7
		exec -- sh -c 'printf "a\033b\rc"; exit 1'
	END
	local columns
	for columns in 76 77 78; do # with 77 they would fill it
		run -1 env COLUMNS="$columns" bhctl run x.bh
		assert_line --partial "  it exits with 1: a?b?c"
		sed -n '/^ *runs.* = 0,/,/FAILED/p' <<<"$output" | sed '$d' >lines
		assert_equal "$(xargs <lines)" \
			"runs(a-rather-long-name) = 0, accepted(a-rather-long-name) = 0, refused(a-rather-long-name) = 0, depth(a-rather-long-name) = 0"
		(($(wc -L <lines) < columns))
	done
}

# fails NAME TEXT: the body from stdin is a scenario that fails with one check alone, and this is it
fails() {
	scenario "$1"
	echo "$1: $2" >>want
}

@test "run: what nobody asked for fails, too" {
	local -x BHLAB_SLOWNESS=1
	fails background "the child of exec is still there" \
		<<<$'exec -- sh -c \'sleep 60 &\'\nexpect cpus() > 0'
	fails child "the child c is still there" <<<$'async c sleep 10s\nexpect cpus() > 0'
	fails command "enable t: not disabled (EINVAL)" \
		<<<$'add tasklet t\nenable t\nexpect runs(t) == 7'
	fails cpu "it left CPU 1 offline" \
		<<<$'exec -- sh -c \'echo 0 >/sys/devices/system/cpu/cpu1/online\'\nexpect cpus() == 1'
	fails cpu2 "enable t: not disabled (EINVAL); it left CPU 1 offline" \
		<<<$'add tasklet t\nexec -- sh -c \'echo 0 >/sys/devices/system/cpu/cpu1/online\'\nenable t\nexpect cpus() == 7'
	fails exec "exec -- sh -c 'echo so it goes; exit 7': it exits with 7: so it goes" \
		<<<$'exec -- sh -c \'echo so it goes; exit 7\'\nexpect cpus() > 0'
	fails limit "wait w idle: it takes longer than its limit of 300ms" \
		<<<$'limit 300ms\nadd work w\nexpect delay w 1000s = queued\nwait w idle'
	fails limit2 "join c: it takes longer than its limit of 300ms" \
		<<<$'limit 300ms\nadd work w --do \'sleep 600ms\'\nexpect queue w = queued\nasync c flush w\njoin c'
	fails lost "372 records were lost" \
		<<<$'ring --records 32\nadd work w --do \'mark 1; mark 2; mark 3; requeue 100\'\nqueue w --cpu 0\nsettle\nexpect runs(w) == 101'
	fails pending "w is left behind: it is pending,delayed" \
		<<<$'add work w\nexpect delay w 1000s = queued'
	fails periodic "settle: i will never be idle: it is periodic" \
		<<<$'add irq i\nexpect trigger i --period 10ms --count 100 = queued\nsettle'
	fails settle "settle 50ms: w is not idle within 50ms: it is pending,delayed" \
		<<<$'add work w\nexpect delay w 1000s = queued\nsettle 50ms'
	fails variants "none of its expectations is for this kernel" \
		<<<$'add work w\nexpect@kernel<6.0 runs(w) == 0'
	run -1 bhctl -j run .
	jq -r '.scenarios[] |
		.name + ": " + ([.checks[] | select(.ok | not) | [.expected, .observed] |
		map(select(.)) | join(": ")] | join("; "))' <<<"$output" | diff -u want -
	assert_equal "$(</sys/devices/system/cpu/cpu1/online)" 1
	scenario leaves <<<$'leaves w\nadd work w\nexpect delay w 1000s = queued'
	run -0 bhctl run leaves.bh
	scenario attribute <<<$'add timer t --hard\nexpect runs(t) == 0'
	run -64 bhctl -p run attribute.bh
	assert_output --regexp "^wrong	attribute	attribute	attribute.bh:4: timer cannot be hard"
}

@test "run: BHLAB_SLOWNESS multiplies the limit, and the time to settle" {
	scenario limit <<<$'limit 300ms\nadd work w --do \'sleep 900ms\'\nqueue w\nwait w runs 1\nexpect runs(w) == 1'
	scenario settle <<<$'limit 100s\nleaves w\nadd work w\ndelay w 13s\nsettle\nexpect runs(w) == 1'
	BHLAB_SLOWNESS=20 bhctl -p run . 3>&- &
	run -1 env BHLAB_SLOWNESS=1 bhctl -p run .
	assert_line --partial "	wait w runs 1: it takes longer than its limit of 300ms"
	assert_line --partial "	settle: w is not idle within 10s: it is pending,delayed"
	wait "$!"
	is_not() { BHLAB_SLOWNESS=$1 is 64 "bhctl: run: BHLAB_SLOWNESS: $2" run limit.bh; }
	is_not 0 "it must be 1 or more"
	is_not -1 "'-1' is negative"
	is_not 4x "'4x' is not a number"
	is_not '' "'' is not a number"
	is_not 101 "'101' is more than 100"
	all_right
}

# On PREEMPT_RT they starve whoever serves timers, and every process that is not more urgent.
@test "run: the limit ends programs that have all CPUs for themselves" {
	local spin='while :; do :; done'
	scenario spin <<-END
		limit 2s
		exec -- sh -c 'for cpu in $(seq -s " " 0 $(($(nproc) - 1))); do taskset -c \$cpu chrt -f 99 sh -c "$spin" & done; wait'
		expect cpus() > 0
	END
	scenario left <<-END
		limit 2s
		exec -- sh -c 'chrt -f 99 sh -c "$spin" >/dev/null 2>&1 & chrt -f 99 sh -c "$spin" >/dev/null 2>&1 &'
		expect cpus() > 0
	END
	run -1 bhctl -p run spin.bh left.bh
	assert_line --index 0 --regexp "^failed	spin	spin	exec .*: it takes longer than its limit of [0-9]+s$"
	assert_line --index 1 --regexp "^failed	left	left	"
	run -1 pgrep -f "$spin"
}

@test "run: variants and requirements" {
	scenario variants <<-'END'
		add tasklet w
		expect@kernel<6.0 runs(w) == 1
		expect@kernel>=6.0,cpus>=1 runs(w) == 0
		expect!@!rt enable w = EINVAL
		expect!@rt enable w = EINVAL
		@root,kernel<6.0 queue w
		expect runs(w) == 0
	END
	run -0 bhctl -j run variants.bh
	assert_equal "$(jq '.scenarios[0].expectations' <<<"$output")" 3
	jq -e '.scenarios[0].variants == ["kernel>=6.0,cpus>=1", "!rt"] or
		.scenarios[0].variants == ["kernel>=6.0,cpus>=1", "rt"]' <<<"$output"
	local requirement n=100
	mkdir requires
	for requirement in 'kernel < 6.0' 'kernel == 5' 'not kernel >= 6.0' 'cpus > 999' \
		'verb tasklet trigger' 'native tasklet cancel' 'user nobody-like-this' \
		'cmdline frob' 'not root' 'file /nowhere'; do
		(cd requires &&
			scenario $n <<<"requires $requirement"$'\nadd work w\nexpect runs(w) == 1')
		echo "skipped	requires requires $requirement" >>want
		((++n))
	done
	run -0 bhctl -p run requires
	cut -f 1,4 <<<"$output" | sed 's/	/	requires /' | diff -u want -
	# What the driver calls a mechanism is one.
	bhctl -p mechanisms | cut -f 1 | sed 's/^/requires mechanism /; $a expect cpus() > 0' |
		scenario mechanisms
	run -0 bhctl -p run mechanisms.bh
	assert_output --partial passed
}

@test "run: on a CPU, as a user, in a child; repeat and let" {
	scenario x <<-'END'
		add work w --do 'sleep 900ms'
		expect on 1 queue w = queued
		wait w running
		async c cancel w --sync
		expect! wait w idle --timeout 20ms = ETIMEDOUT
		join c = idle waited
		expect took() >= 10ms
		expect cpu(w, 1) == 1 && queue_cpu(w, 1) == 1
		add tasklet t
		disable t
		expect! as alice queue t = EPERM
		expect as alice enable t = idle depth 0
		let before = runs(t)
		repeat 2
		  repeat 3
		    expect queue t = queued
		    settle
		  end
		end
		expect runs(t) - $before == 6
		exec -- sh -c 'bhctl cancel t | grep idle'
		as bob exec -- sh -c '[ "$(id -un)" = bob ]'
	END
	run -0 bhctl run x.bh
	refute_line --partial FAILED
}

@test "run --html: a page for all, or for each, with what was expected and observed" {
	scenario a <<<$'add work w --do \'queue t\'\nadd tasklet t\nexpect queue w = queued\nsettle\nexpect runs(w) == 1'
	scenario b <<<$'add work w\nexpect runs(w) == 1'
	sed -i '1s/.*/title This is <b> \& that/' b.bh
	scenario c <<<$'requires cpus > 999\nexpect cpus() > 999'
	run -1 bhctl run --html all.html a.bh b.bh c.bh
	assert_line "3 scenarios, 3 expectations: 1 passed, 1 failed, 1 skipped"
	for text in '<h2 id="b">This is &lt;b&gt; &amp; that</h2>' '<code>expect runs(w) == 1</code>' \
		'<td>runs(w) = 0</td>' 'requires cpus &gt; 999' '<span class="verdict failed">failed' \
		'm-tasklet { fill: #e69f00 }' 'w #1: work on CPU' '">t</text>'; do
		grep -qF -- "$text" all.html || fail "$text"
	done
	assert_equal "$(grep -c '<figure class="timeline"' all.html)" 2
	run -1 bhctl -j run --html pages/ a.bh b.bh a.bh
	assert_equal "$(jq -r .passed <<<"$output")" 2
	assert_equal "$(ls pages)" $'a-2.html\na.html\nb.html\nindex.html'
	grep -qF '<a href="a-2.html">' pages/index.html
	grep -qF '<title>This is &lt;b&gt; &amp; that</title>' pages/b.html
	bhctl -q run --html pages c.bh
	run -1 grep -F a-2.html pages/index.html
	refusals <<-'END'
		64 ENOENT | run --html /nowhere/x a.bh | run: --html: cannot write '/nowhere/x': No such file or directory
		64 ENOENT | run --html /nowhere/x/ a.bh | run: --html: cannot write '/nowhere/x/': No such file or directory
		64 - | run --html x --check a.bh | run: --check runs nothing that --html could show
	END
	run -71 bhctl -q run --html /dev/full a.bh
	assert_line "bhctl: run: --html: cannot write '/dev/full': No space left on device (ENOSPC)"
}

@test "run --tap: KTAP with a subtest for each expectation" {
	scenario a <<<$'add work w\nexpect queue w --cpu 0 = queued\nsettle\nexpect runs(w) == 1'
	scenario b <<<$'add work w\nexpect runs(w) == 1'
	scenario c <<<$'requires cpus > 999\nexpect cpus() > 999'
	run -1 bhctl run --tap a.bh b.bh c.bh
	assert_line --index 0 "KTAP version 1"
	assert_line --index 1 "1..3"
	assert_line --index 2 "    KTAP version 1"
	assert_line --index 3 "    # Subtest: a"
	assert_line --index 4 "    1..2"
	assert_line --index 5 "    ok 1 line 5: expect queue w --cpu 0 = queued"
	assert_line "ok 1 a"
	assert_line "    # observed: runs(w) = 0"
	assert_line "    not ok 1 line 5: expect runs(w) == 1"
	assert_line "not ok 2 b"
	assert_line "ok 3 c # SKIP requires cpus > 999"
}

@test "run -j: one JSON document" {
	scenario a <<<$'statement 14 2 # and no other\nstatement 60\nadd work w\nexpect queue w --cpu 0 = queued\nsettle\nexpect runs(w) == 1'
	scenario b <<<$'add work w\nexpect runs(w) == 1'
	run -1 --separate-stderr bhctl -j run a.bh b.bh
	assert_equal "$stderr" ""
	assert_equal "$(wc -l <<<"$output")" 1
	jq -e --arg kernel "$(uname -r)" '.kernel == $kernel and .passed == 1 and .failed == 1 and
		.skipped == 0 and
		.expectations == 3 and (.scenarios[0] | .verdict == "passed" and .title == "a" and
		.statements == [14, 2, 60] and
		(.checks | length) == 2 and ([.events[] | select(.kind == "run" and .mechanism == "work" and .seq > 0)] | length) == 1 and
		.commands[1].command == "queue w --cpu 0") and
		(.scenarios[1] | .statements == []) and
		(.scenarios[1].checks[0] | .ok == false and .line == 5 and .observed == "runs(w) = 0")' <<<"$output"
}

@test "run: interrupted it reports what was done, ends its children, and exits with 128 + n" {
	scenario a <<<'expect cpus() > 0'
	scenario c <<<'expect cpus() > 0'
	local killer="exec -- sh -c '(sleep 1; kill -INT \$PPID) >/dev/null 2>&1 &'" what
	# It waits for a child, an item, somebody else's program, and a program that does not want
	# to end.
	for what in "$killer~async c wait w running --timeout 100s~join c" \
		"$killer~delay w 1000s~wait w running --timeout 100s" \
		"$killer~as alice exec -- sleep 300" \
		"exec -- sh -c 'trap \"\" INT; kill -INT \$PPID; sleep 300; sleep 300'"; do
		tr '~' '\n' <<<"limit 100s~add work w~expect cpus() > 0~$what" | scenario b
		run -130 --separate-stderr bhctl run a.bh b.bh c.bh
		assert_equal "$stderr" "bhctl: note: interrupted; 2 of 3 scenarios were run"
		assert_line --regexp "  interrupted$"
		assert_line "2 scenarios, 2 expectations: 1 passed, 1 failed, 0 skipped"
		assert_equal "$(cat /proc/[0-9]*/comm 2>/dev/null | grep -cx sleep)" 0
	done
	sed -i 's/-INT/-TERM/' b.bh
	run -143 --separate-stderr bhctl run --tap a.bh b.bh c.bh
	assert_line "ok 1 a"
	assert_line "not ok 2 b"
	refute_line --partial "3 c"
	assert_line "Bail out! interrupted by SIGTERM"
	run -143 --separate-stderr bhctl -j run a.bh b.bh c.bh
	jq -e '.interrupted == "SIGTERM" and .passed == 1 and .failed == 1 and
		(.scenarios | length) == 2' <<<"$output"
	run -0 bhctl -j run a.bh
	jq -e '.interrupted == null' <<<"$output"
}

# bats test_tags=host
@test "run --as: what is no kernel is refused" {
	scenario as <<<'expect cpus() > 0'
	is_not() { is 64 "bhctl: run: --as: $2" run --check --as "$1" as.bh; }
	is_not frob "'frob' does not begin with a version"
	is_not '' "'' does not begin with a version"
	is_not 6.1-tr "'-tr' in '6.1-tr' is none of -rt -threadirqs -full"
	is_not 7.2- "'-' in '7.2-' is none of -rt -threadirqs -full"
	is_not 7.2-rt+ "'-rt+' in '7.2-rt+' is none of -rt -threadirqs -full"
	is_not 7.2-rcx "'-rcx' in '7.2-rcx' is none of -rt -threadirqs -full"
	all_right
	run -0 bhctl run --check --as v7.3-rc2-rt as.bh
}

@test "run --as: takes the variants of that kernel, and requires what this one has" {
	printf 'requires kernel >= 6.0\n' >body
	cat >>body <<-'END'
		expect@kernel<6.1,!rt,!threadirqs cpus() > 0
		expect@kernel>=6.1,kernel<6.2,rt,threadirqs cpus() > 0
		expect@kernel==99.5,threadirqs,!rt,cmdline:preempt=full cpus() > 0
		expect@kernel==99.6,!cmdline:preempt=full cpus() < 0
	END
	scenario as <body
	took() { # KERNEL VARIANT
		run -0 bhctl -j run --as "$1" as.bh
		assert_equal "$(jq -r '.scenarios[0].variants | join(" ")' <<<"$output")" "$2"
	}
	took 5.10 'kernel<6.1,!rt,!threadirqs'
	took v6.1-rc3-rt 'kernel>=6.1,kernel<6.2,rt,threadirqs'
	took 99.5-threadirqs-full 'kernel==99.5,threadirqs,!rt,cmdline:preempt=full'
	run -1 bhctl run --as 99.6 as.bh
	run -1 bhctl run --as 99.7 as.bh
	assert_output --partial "none of its expectations is for this kernel"
}

@test "run --skipped-fails: 4 if one is skipped, but 1 if another one fails" {
	scenario skipped <<<$'requires cpus >= 1000\nexpect cpus() > 0'
	run -0 bhctl run skipped.bh
	run -4 bhctl run --skipped-fails skipped.bh
	scenario passes <<<'expect cpus() > 0'
	run -0 bhctl run --skipped-fails passes.bh
	run -4 bhctl run --skipped-fails .
	scenario fails <<<'expect cpus() < 0'
	run -1 bhctl run --skipped-fails .
}

@test "run --tour: what DIR/tour lists, in its order, in full" {
	local dir=$BATS_TEST_TMPDIR/scenarios name
	mkdir -p "$dir"
	for name in a b; do
		printf '%s\n' "title The $name" 'text Why.' 'source here' 'add work w' \
			'expect queue w = queued' 'settle' >"$dir/$name.bh"
	done
	is 64 "bhctl: run: $dir/tour: there is no tour: No such file or directory" run --tour "$dir"
	all_right
	printf '# first\nb.bh\n\na.bh\n' >"$dir/tour"
	run -0 bhctl run --tour "$dir"
	assert_equal "$(grep '^The' <<<"$output" | xargs)" "The b The a"
	assert_line --partial 'expect queue w = queued'
}
