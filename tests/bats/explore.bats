#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# bhctl explore: what it is told, what it writes, and that it plays the same run again. That it
# finds faults is for tests/mutants to show.
# shellcheck disable=SC2016,SC2154 # programs of jq; stderr and output come from run

load common

setup() {
	cd "$BATS_TEST_TMPDIR" || exit
}

# bats test_tags=host
@test "explore: what does not fit is refused, and says why" {
	local want words
	while IFS='|' read -r words want; do
		# shellcheck disable=SC2086 # words
		run -64 --separate-stderr bhctl explore $words
		[[ $stderr == *"$want"* ]] || fail "$words: $stderr"
	done <<-'END'
		--runs 1 --duration 1s|--runs and --duration exclude each other
		--replay 1:2 --seed 3|--replay plays one run
		--replay 12|SEED:RUN
		--threads 0|--threads: 1 to 4
		--threads 5|--threads: 1 to 4
		--size 9|--size: 1 to 8
		--jobs 33|--jobs: 1 to 32
		--stop-at 0|--stop-at
		--mechanisms work,taslket|there is no mechanism 'taslket'
		--verbs cancel,frob|there is no verb 'frob'
	END
}

# bats test_tags=host
@test "explore: the model is printed without a driver, with each mechanism once" {
	run -0 bhctl explore --model
	[[ $output == *"| queue delay mod | off | disabled |"* ]]
	[[ $(grep -c '^## ' <<<"$output") == 10 ]]
}

@test "explore: runs are counted, and the model allows what they show" {
	bhctl -j explore --runs 24 --seed 1 --record seen >doc || fail "$(cat doc)"
	jq -e '.seed == 1 and .runs == 24 and .storms == 6 and .failures == [] and
		.calls > 100 and .answers > 5 and .aims > 1000' doc
	grep -qP '^answer\twork\t.*\t[a-z-]+\t[a-z-]+.*\t\d+$' seen
}

@test "explore: only these mechanisms and verbs" {
	bhctl explore --runs 30 --seed 2 --mechanisms timer --verbs queue,cancel --record seen
	run -0 cut -f2 seen
	[[ $(sort -u <<<"$output") == timer ]]
	# delays and flushes are for what comes before and after
	run -0 cut -f4 seen
	! grep -vxE 'queue|cancel|delay|flush' <<<"$output" || fail "$output"
	run -64 bhctl explore --runs 1 --mechanisms rcu --verbs cancel
}

@test "explore: a run is played again by its seed and number" {
	run -0 --separate-stderr bhctl -j explore --replay 5:7
	jq -e '.seed == 5 and .runs == 50 and .storms == 50' <<<"$output"
}

@test "explore: what another kernel has shown is compared" {
	bhctl explore --runs 60 --seed 3 --record seen
	run -0 --separate-stderr bhctl explore --runs 60 --seed 3 --compare seen
	# an answer that was never given here, to what is asked here, too
	sed -n 's/^\(answer\t[^\t]*\t[^\t]*\t[^\t]*\t\)[^\t]*\t[0-9]*$/\1EFROB\t9/p' seen |
		sort -u >other
	cat seen >>other
	run -1 --separate-stderr bhctl explore --runs 60 --seed 3 --compare other
	[[ $output == *"EFROB"*"only there"* ]]
	echo "not a line" >wrong
	run -64 bhctl explore --runs 1 --compare wrong
}
