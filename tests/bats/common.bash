# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What all test files share. Everything here runs in the guest.
#
# A bhctl costs 40 ms there, a bats test 500: so commands go through one batch where their order is
# all that matters, and tables of refusals are one test. What runs in the background must close
# descriptor 3 (of bats) and the lab's.

# bats notes where it is before each command, with some twenty of its own, for which an emulated
# machine takes 4 ms. What a report names is the line of the test; so it need not while it looks for
# tests, nor inside of functions from elsewhere.
trap - DEBUG
debug_trap=$(declare -f bats_debug_trap)
eval "${debug_trap/\{/\{ [[ \$1 == \"\$BATS_TEST_SOURCE\" ]] || return 0;}"

bats_require_minimum_version 1.5.0
# Not by bats_load_library, whose loaders start a process for each of these files, in each test. An
# assertion is read when it is first used.
for file in "$BATS_LIB_PATH"/bats-support/src/*.bash; do
	# shellcheck source=/dev/null
	source "$file"
done
for file in "$BATS_LIB_PATH"/bats-assert/src/*.bash; do
	name=${file##*/} name=${name%.bash}
	eval "$name() { source '$file'; $name \"\$@\"; }"
done

unset file name debug_trap BHLAB_FD NO_COLOR

# Functions for the programs that `holds` and `ask` give to jq.
JQ='
def of(i): select(.item == i);
def kind(k): select(.kind == k);
def ran(i): [.[] | kind("run") | of(i)];
def ran(i; s): [.[] | kind("run") | of(i) | select(.stage == s)];
def in(c): .context | index(c) != null;
def latency: .started_ns - .queued_ns;
def ms: . * 1000000;
'

# The shell of the test itself has the lab, until the test ends.
lab_open() {
	[[ -c /dev/bhlab ]] || fail "/dev/bhlab is no device"
	exec {BHLAB_FD}<>/dev/bhlab
	export BHLAB_FD
}

lab_close() {
	exec {BHLAB_FD}>&-
	unset BHLAB_FD
}

# Whatever a test has done in its lab: all of it is accounted for. Each teardown calls it. Whether
# what is idle has something outstanding, the kselftests ask, and the scenarios at their end.
accounted() {
	[[ ${BHLAB_FD-} ]] || return 0
	bhctl -j list | jq -e '[.. | objects | select(.balanced == false)] == []' >/dev/null ||
		fail "$(bhctl -j list)"
}

teardown() {
	accounted
}

# Commands from stdin in the lab, all of which must succeed.
lab() {
	local output
	output=$(bhctl batch - 2>&1) || fail "$output"
}

# The same, and what each answered must be the words given.
lab_says() {
	local said
	said=$(bhctl -p batch - 2>&1) || fail "$said"
	assert_equal "$(xargs <<<"$said")" "$*"
}

# The same, but only the last answer counts, as people read it: what must happen at once happens in
# one process.
lab_ends() {
	local said
	said=$(bhctl batch - 2>&1) || fail "$said"
	assert_equal "${said##*$'\n'}" "$1"
}

# Value of a jq expression over the array of all events.
ask() {
	bhctl -j events | jq -cs "$JQ $1"
}

# A jq expression over the array of all events is true.
holds() {
	local events=$BATS_TEST_TMPDIR/events
	bhctl -j events >"$events" || fail "no events"
	jq -ecs "$JQ $1" "$events" >"$events.said" 2>&1 && return
	bhctl events
	cat "$events.said"
	fail "the events do not satisfy: $1"
}

# item NAME EXPRESSION: a jq expression over what `show` says of an item is true.
item() {
	local shown
	shown=$(bhctl -j show "$1") || fail "$shown"
	jq -e "$2" <<<"$shown" >/dev/null || fail "not so: $2: $shown"
}

ALL_MECHANISMS='work, tasklet, tasklet_hi, irq, irq_work, timer, hrtimer, hrtimer_soft, kthread_work'
ALL_MECHANISMS+=', rcu, rcu_work, irq_poll, csd, srcu'
ALL_STEPS='spin, sleep, queue, delay, trigger, requeue, mark, thread, none, cancel, disable, enable'
ALL_STEPS+=', lock, unlock, bh_off, bh_on, irq_off, irq_on, push, pop'
ALL_STEPS+=', flush, drain, wait, synchronize_rcu, synchronize_irq'
ALL_STEPS+=', every, chance'
ALL_STEPS+=', complete, rcu, rcu_end'
ALL_STEPS+=', deassert'

# Lines "EXIT ERRNO | COMMAND | ERROR" from stdin, ERRNO "-" where the kernel was not asked: each
# command must be refused just so. They run in one batch, in the lab if there is one. ALL_MECHANISMS
# and ALL_STEPS in ERROR are the lists above.
refusals() {
	local rows
	rows=$(grep -v '^$')
	rows=${rows//ALL_MECHANISMS/$ALL_MECHANISMS} rows=${rows//ALL_STEPS/$ALL_STEPS}
	sed 's/^[^|]*| *//; s/ *| [^|]*$//' <<<"$rows" |
		bhctl -j batch --keep-going - |
		jq -r '"\(.exit) \(.errno // "-") | \(.error // .)"' >"$BATS_TEST_TMPDIR/got"
	# shellcheck disable=SC2001 # a pattern for each line
	sed 's/^\([0-9]* [A-Z0-9-]*\) *|.*| \([^|]*\)$/\1 | \2/' <<<"$rows" \
		>"$BATS_TEST_TMPDIR/want"
	diff -u "$BATS_TEST_TMPDIR/want" "$BATS_TEST_TMPDIR/got"
}

# Collects what `is` finds, so that one test shows all failures of a table.
wrong=0

# is EXIT OUTPUT ARGUMENT…: bhctl with these arguments exits so; the first line that it prints
# anywhere is OUTPUT.
is() {
	local status=0 output want=$1 text=$2
	shift 2
	output=$(bhctl "$@" 2>&1) || status=$?
	[[ $status == "$want" && ${output%%$'\n'*} == "$text" ]] && return
	printf 'bhctl %s\n  wanted %s: %s\n  got    %s: %s\n' "$*" "$want" "$text" "$status" \
		"$output"
	wrong=$((wrong + 1))
}

all_right() {
	assert_equal "$wrong" 0
}

# context_of MECHANISM CONTEXT: on this kernel it runs there.
context_of() {
	bhctl -j mechanisms | jq -e --arg m "$1" --arg c "$2" \
		'.mechanisms[] | select(.name == $m) | .context | index($c) != null' >/dev/null
}

# interrupted CONDITION COMMAND…: the command, with SIGINT once the condition holds; $self is its
# process. For `run`, which is in the foreground: what bash starts in the background ignores SIGINT.
interrupted() {
	local self=$BASHPID
	(
		until eval "$1"; do
			[[ -d /proc/$self ]] || exit
			sleep 0.1
		done
		kill -INT "$self"
	) >/dev/null 2>&1 3>&- &
	exec "${@:2}"
}

# RT and threadirqs: the top half of an irq runs in a thread of the line.
threadirqs() {
	! context_of irq hardirq
}

kernel_has() {
	grep -qw "$1" /proc/kallsyms
}

# What bash completes the last of these words to, once the script of `bhctl completion bash` has
# been read.
complete_words() {
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	_bhctl
	xargs <<<"${COMPREPLY[*]}"
}
