#!/usr/bin/env bash
# check.sh WHAT DEMO [IMAGE]: one test of the demo's command line. Silent and 0 when all is well.
# Those of firmware take its image, too.
set -euo pipefail

demo=$2
image=${3:-}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

wrong() { echo "$*" >&2; cat "$dir"/* >&2 || true; exit 1; }

# ended STATUS COMMAND...: runs it, with its output in $dir, and looks at how it ends.
ended()
{
    local status=0
    timeout 60 "${@:2}" >"$dir/out" 2>"$dir/err" || status=$?
    ((status == $1)) || wrong "status $status instead of $1: ${*:2}"
}
one_line() { [[ $(wc -l <"$1") == 1 && -s $1 ]] || wrong "not one line: $1"; }

help()
{
    ended 0 "$demo" --help
    for option in doorbell seconds messages quick no-kill role socket image; do
        grep -q -- "--$option" "$dir/out" || wrong "--help does not tell of --$option"
    done
    grep -q "tools/demo firmware" "$dir/out" || wrong "--help does not tell of firmware"
    [[ ! -s $dir/err ]] || wrong "--help is no error"
}

bad_options()
{
    while read -ra options; do
        ended 2 "$demo" "${options[@]}"
        one_line "$dir/err"
        [[ ! -s $dir/out ]] || wrong "a bad option is told of on stderr: ${options[*]}"
    done <<-END
		--no-such-option
		nothing
		--doorbell
		--doorbell smoke
		--messages 0
		--messages many
		--seconds nan
		--messages 5 --seconds 5
		--role device
		--role queen --socket x
		--kill
		--role device --socket x --quick
		--socket x
		firmware
		firmwear --image /dev/null
		firmware --image /no/such/file
		firmware --image /dev/null --no-kill
		firmware --image /dev/null --doorbell futex
		--image /dev/null
	END
}

# What the last command said: plain lines, and each channel's without a message dropped or wrong.
good_table()
{
    if grep -q $'[\033\r]' "$dir/out"; then wrong "colours or moving lines in a file"; fi
    for channel in echo telemetry matrix burst; do
        grep -Eq "^  demo\.$channel +[1-9].* 0 +0$" "$dir/out" || wrong "no good line for demo.$channel"
    done
}

plain_output()
{
    ended 0 "$demo" --messages 10
    good_table
    grep -q "^  killed  .*the driver noticed" "$dir/out" || wrong "the device process was not killed"
    grep -q "recovery.*on the same endpoints" "$dir/out" || wrong "the link did not come back"
    [[ ! -s $dir/err ]] || wrong "something went wrong"
    ended 0 "$demo" --messages 10 --no-kill
    if grep -q "^  killed" "$dir/out"; then wrong "--no-kill, and it was killed"; fi
    ended 1 bash -c '"$1" --messages 10 >/dev/full' - "$demo"
    one_line "$dir/err"
}

# Started in two terminals, whichever is first; a socket that somebody left there is no obstacle.
by_hand()
{
    local at=$dir/socket
    for first in driver device; do
        local driver=(--messages 10) device=()
        local second=$([[ $first == driver ]] && echo device || echo driver)
        local -n its=$first others=$second
        timeout 60 "$demo" --role "$first" --socket "$at" "${its[@]}" >"$dir/first" 2>&1 &
        sleep 0.3
        ended 0 "$demo" --role "$second" --socket "$at" "${others[@]}"
        wait $! || wrong "the $first that came first did not end well"
        [[ ! -e $at ]] || wrong "the socket is still there"
    done
}

firmware()
{
    ended 0 "$demo" firmware --image "$image" --messages 100
    good_table
    grep -q "^  left out .*not killed" "$dir/out" || wrong "does not say what is left out"
    [[ ! -s $dir/err ]] || wrong "something went wrong"
    machine=$(sed -n 's/^  device .*process //p' "$dir/out")
    [[ ! -e /proc/$machine ]] || wrong "the machine outlives the driver"
}

# Starts both, and waits until they talk. The arguments are the demo's.
start()
{
    "$demo" "$@" --seconds 60 >"$dir/out" 2>"$dir/err" &
    driver=$!
    until grep -q "^  link" "$dir/out"; do
        kill -0 "$driver" || wrong "does not start"
        sleep 0.05
    done
    device=$(sed -n 's/^  device .*process //p' "$dir/out")
}

# A device that is killed, and a driver that is: of processes, or of firmware.
dead_device()
{
    start "$@"
    kill -KILL "$device"
    local status=0
    wait "$driver" || status=$?
    ((status == 1)) || wrong "status $status after the device was killed"
    one_line "$dir/err"
    grep -q "killed by signal 9" "$dir/err" || wrong "does not say why"
}

dead_driver()
{
    start "$@"
    kill -KILL "$driver"
    wait "$driver" 2>/dev/null || true
    # Gone, or dead and waiting for init to look at it.
    for ((i = 0; i != 200; ++i)); do
        [[ $(sed -n 's/^State:[[:space:]]*//p' "/proc/$device/status" 2>/dev/null || true) =~ ^(Z|X|$) ]] && return
        sleep 0.05
    done
    wrong "the device outlives its driver"
}

dead_firmware() { dead_device firmware --image "$image"; }
dead_driver_of_firmware() { dead_driver firmware --image "$image"; }

"$1"
