# shellcheck shell=bash
# Sourced by tools/suites/tool: the checks with a Linux guest.
# shellcheck disable=SC2016  # what stands in single quotes is for the shell in the guest
# shellcheck disable=SC2154  # of tools/lib/tool.sh and the suite

# guest SCRIPT: Linux as a user-mode program, whose root is this machine's, and whose first process runs the script.
guest()
{
    {
        printf 'rpmsg=%q\n' "$rpmsg"
        echo 'ready() { for i in $(seq 100); do [[ ! -e $1 ]] || return 0; sleep 0.05; done; return 1; }'
        echo "$1"
    } >"$dir/script"
    timeout 60 tools/linux/boot --device "$dir/socket" --memory 128M "$PWD/tools/linux/init" quiet \
        RUN="$dir/script" >"$dir/guest" 2>&1 || { cat "$dir/guest"; return 1; }
}

# The same, and what the script wrote to standard output between two lines is then in $dir/out.
guest_says()
{
    guest "echo; echo BEGIN; $1; echo END" &&
        sed -n '/^BEGIN/,/^END/{//!p}' "$dir/guest" | tr -d '\r' >"$dir/out"
}

# A guest for each form of the link; the same program runs in it.
serves_guests()
{
    local form
    for form in "" --event-idx --legacy --inband; do
        # shellcheck disable=SC2086  # no word, or one
        serve --echo rpmsg-raw --echo other $form &&
            guest 'ready /dev/rpmsg0 && "$rpmsg" ping rpmsg-raw --count 300 --interval 0 --size 100 &&
                "$rpmsg" ping other --count 3 --interval 0' &&
            grep "300 of 300 messages of 100 bytes came back over dev" "$dir/guest" && sleep 0.2 && served &&
            says "rpmsg-raw: 0x[0-9a-f]+ has gone; 300 messages of 30000 bytes" server &&
            says "the guest has gone" server &&
            says "^1 guests came; .* 0 requests made no sense" server || return 1
    done
}

lists_in_a_guest()
{
    serve --echo rpmsg-raw --echo other && guest_says 'ready /dev/rpmsg0 && "$rpmsg" list --json' &&
        told '{c["name"] for c in o["channels"]} == {"rpmsg-raw", "other", "rpmsg_ns", "rpmsg_ctrl"}' &&
        told '[c["driver"] for c in o["channels"] if c["name"] in ("rpmsg-raw", "other")] == [None, "rpmsg_chrdev"]' &&
        told '[n["path"] for n in o["nodes"]] == ["/dev/rpmsg_ctrl0", "/dev/rpmsg0"]' &&
        told 'all(n["present"] for n in o["nodes"])' &&
        guest_says 'ready /dev/rpmsg0 && "$rpmsg" list' && says "^/dev/rpmsg0 .* rpmsg-raw" out && served &&
        says "^2 guests came" server
}

# In the guest: figures, lines and blocks; the node as it is named; a size that is too long; nobody's channel.
talks_in_a_guest()
{
    serve --echo rpmsg-raw --name upper --lines --exec "sed -u 's/.*/\U&/'" &&
        guest 'ready /dev/rpmsg0 && printf "one\nthree\n" | "$rpmsg" cat upper --lines &&
            head -c 100000 /dev/urandom >/mnt/in && "$rpmsg" cat /dev/rpmsg0 </mnt/in | cmp - /mnt/in &&
            "$rpmsg" bench rpmsg-raw --size 16,496 --window 1,64 --seconds 0.1 --json && "$rpmsg" list --json &&
            { "$rpmsg" ping rpmsg-raw --size 497; [[ $? == 2 ]]; } &&
            { "$rpmsg" ping nobody --wait 0.2; [[ $? == 1 ]]; } && { sleep 3 | "$rpmsg" cat rpmsg-raw & } && sleep 1 &&
            { "$rpmsg" ping rpmsg-raw --wait 0.2; [[ $? == 1 ]]; }' &&
        grep "rpmsg-raw: another .* program has" "$dir/guest" &&
        grep ONE "$dir/guest" && grep THREE "$dir/guest" && grep '"window": 64' "$dir/guest" &&
        grep "nobody .* within 0.2 s" "$dir/guest" && served
}

# We ping, and the guest echoes; then it goes in the middle.
pings_a_guest()
{
    local status=0 client
    forget_server
    "$rpmsg" ping rpmsg-raw --guest "$dir/socket" --count 200 --interval 0 --json >"$dir/out" 2>"$dir/err" &
    client=$!
    guest 'ready /dev/rpmsg0; "$rpmsg" serve --echo rpmsg-raw & sleep 1; kill $!; wait $!' || return 1
    wait "$client" || status=$?
    cat "$dir/guest" "$dir/err"
    ((status == 0)) && told 'o["received"] == 200 and o["way"] == "guest"' && [[ ! -e $dir/socket ]] || return 1

    "$rpmsg" ping rpmsg-raw --guest "$dir/socket" --count 100000 --event-idx --interval 0.01 >"$dir/out" 2>"$dir/err" &
    client=$!
    guest 'ready /dev/rpmsg0; "$rpmsg" serve --echo rpmsg-raw & sleep 1'
    wait "$client" || status=$?
    ((status == 1)) && one_line "$dir/err" && says "the guest has gone|link" err && says "came back over guest" out
}
