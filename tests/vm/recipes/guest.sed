# What bats reads anew for each test, letter by letter. Nothing of this changes what it does with files that
# end in a newline, as all of ours do; of another it would leave out the last line.

# it starts its parts through env
1s|/usr/bin/env bash|/bin/bash|

# half of it is comments
2,$ { /^[[:space:]]*#/d }

# bats-preprocess: a regular expression is compiled whenever it is used, and what comes from a pipe is read byte by byte
s/\[\[ "\$char" =~ \[\[:alnum:\]\] \]\]/[[ $char == [[:alnum:]] ]]/
/line="${line\/\/.*\/}"/a [[ $line == *@test* || $line == *bats* ]] || { printf '%s\\n' "$line"; continue; }
s/<<<"$(<"$test_file")".*/<"$test_file"/
