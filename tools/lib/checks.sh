# shellcheck shell=bash
# Sourced by every script in tools/suites/: building, running and counting checks.
#
# A suite runs in the top directory. Each check it makes adds one line to the file $RPMSG_TALLY: "pass",
# "fail" or "skip", a tab, and its name. tools/test counts the lines. Details of what failed go to stdout,
# everything else to files in $RPMSG_LOGS.

: "${RPMSG_TALLY:?suites are run by tools/test}" "${RPMSG_LOGS:?}"
jobs=$(nproc)
export jobs

pass() { printf 'pass\t%s\n' "$1" >>"$RPMSG_TALLY"; }

# skip NAME WHY: only for what cannot exist on this machine, or what no suite installs; a tool that is merely
# missing is a failure.
skip()
{
    printf 'skip\t%s\n' "$1" >>"$RPMSG_TALLY"
    echo "  skipped: $1: $2"
}

# fail NAME [LOG]: a failure, with the end of its log.
fail()
{
    printf 'fail\t%s\n' "$1" >>"$RPMSG_TALLY"
    echo "  FAILED: $1"
    if [[ -n ${2:-} ]]; then
        tail -n 60 "$2" | sed 's/^/    /'
        echo "    (all of it in $2)"
    fi
}

log_of() { echo "$RPMSG_LOGS/${1//[^A-Za-z0-9_.+-]/_}.log"; }

# check NAME COMMAND...: one check, passed when the command succeeds.
check()
{
    local name=$1 log
    log=$(log_of "$1")
    if "${@:2}" >"$log" 2>&1; then pass "$name"; else fail "$name" "$log"; fi
}

# require NAME COMMAND...: no check by itself, but when it fails it is one that failed, and the suite ends.
require()
{
    local name=$1 log
    log=$(log_of "$1")
    "${@:2}" >"$log" 2>&1 || { fail "$name" "$log"; exit 1; }
}

# configure NAME COMPILER OPTION...: sets up build/NAME, again when the options have changed, or the files
# that tests/headers, tests/tidy and tests/fail find by themselves.
configure()
{
    local dir=build/$1 compiler=$2 options=("${@:3}")
    local files
    files=$(find include tests examples benchmarks -name '*.[ch]pp' | sort)
    if [[ $(cat "$dir/.options" 2>/dev/null) != "$compiler ${options[*]}" || ! -f $dir/build.ninja ]]; then
        rm -rf "$dir"
        CXX=$compiler require "configure $dir" meson setup "$dir" -Db_colorout=never "${options[@]}"
    elif [[ $(cat "$dir/.files" 2>/dev/null) != "$files" ]]; then
        require "configure $dir" meson setup --reconfigure "$dir"
    fi
    echo "$compiler ${options[*]}" >"$dir/.options"
    echo "$files" >"$dir/.files"
}

# build NAME TARGET...: builds in build/NAME.
build() { require "build $1" ninja -C "build/$1" -j "$jobs" "${@:2}"; }

# each_target NAME ALIAS: builds all that ALIAS stands for in build/NAME; every target is one check.
each_target()
{
    local dir=build/$1 alias=$2 log status=0
    log=$(log_of "$alias")
    ninja -C "$dir" -j "$jobs" -k 0 "$alias" >"$log" 2>&1 || status=$?
    python3 tools/lib/ninja_tally.py "$status" "$log" <(ninja -C "$dir" -t query "$alias")
}

# Sanitizers want their shadow memory where address space randomisation may have put something else.
fixed_addresses=()
if setarch "$(uname -m)" -R true 2>/dev/null; then
    fixed_addresses=(setarch "$(uname -m)" -R)
fi

# catch2 NAME COMMAND...: runs a Catch2 program; every test case is one check.
catch2()
{
    local name=$1 log xml status=0
    log=$(log_of "$name")
    xml=${log%.log}.xml
    rm -f "$xml"
    {
        timeout 600 "${fixed_addresses[@]}" "${@:2}" --reporter xml --out "$xml" >"$log" 2>&1
    } 2>/dev/null || status=$?  # what the shell says of a signal, catch2_tally.py says better
    python3 tools/lib/catch2_tally.py "$name" "$status" "$xml" "$log"
}
