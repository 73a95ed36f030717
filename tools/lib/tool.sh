# shellcheck shell=bash
# Sourced by tools/suites/tool: starting the program $rpmsg, and looking at what it says and how it ends.
#
# Each command of these functions decides: `check` runs them where `set -e` does not work.

: "${rpmsg:?is set by tools/suites/tool}"

dir=$(mktemp -d)
server=
# Only what was started here.
cleanup()
{
    [[ -z $server ]] || kill -KILL "$server" 2>/dev/null || true
    rm -rf "$dir"
}
trap cleanup EXIT

# ended STATUS COMMAND...: runs it, with its output in $dir, and looks at how it ends.
ended()
{
    local status=0
    timeout 60 "${@:2}" >"$dir/out" 2>"$dir/err" </dev/null || status=$?
    ((status == $1)) && return
    echo "status $status instead of $1: ${*:2}"
    cat "$dir/out" "$dir/err"
    return 1
}
# ended_by SIGNAL SECONDS COMMAND...: sends it a signal after so long, and wants status 0.
ended_by() { ended 0 timeout --preserve-status -s "$1" "${@:2}"; }
one_line() { [[ $(wc -l <"$1") == 1 && -s $1 ]] || { echo "not one line:"; cat "$1"; return 1; }; }
empty() { [[ ! -s $1 ]] || { echo "not empty:"; cat "$1"; return 1; }; }
says() { grep -E "$1" "$dir/$2" || { echo "it does not say '$1':"; cat "$dir/$2"; return 1; }; }

# told EXPRESSION: about the object `o` that was printed.
told()
{
    python3 -c 'import json, sys; o = json.load(open(sys.argv[1])); sys.exit(not eval("(" + sys.argv[2] + ")"))' \
        "$dir/out" "$1" || { echo "not so: $1"; cat "$dir/out"; return 1; }
}

# Of a check that failed.
forget_server()
{
    [[ -n $server ]] || return 0
    kill -KILL "$server" && wait "$server" 2>/dev/null
    rm -f "$dir/socket"
    server=
}

# serve OPTION...: starts a server at $dir/socket, and waits until it listens.
serve()
{
    forget_server
    "$rpmsg" serve "$dir/socket" "$@" >"$dir/server" 2>&1 &
    server=$!
    for ((i = 0; i != 200; ++i)); do
        [[ ! -S $dir/socket ]] || return 0
        sleep 0.05
    done
    cat "$dir/server"
    return 1
}

# served: the server ends when it is asked to, and leaves nothing behind.
served()
{
    local status=0
    kill -INT "$server" && wait "$server" || status=$?
    server=
    cat "$dir/server"
    ((status == 0)) && [[ ! -e $dir/socket ]]
}
