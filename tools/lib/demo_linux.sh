#!/usr/bin/env bash
# demo_linux.sh BUILD [--quick]: a Linux kernel and its remote processor, which is a process, in one terminal. Run by
# tools/demo linux, which has built BUILD/tools/rpmsg/rpmsg and BUILD/examples/16_char_device.
set -euo pipefail

build=$1 count=5000 seconds=4
[[ ${2:-} != --quick ]] || count=200 seconds=2
rpmsg=$build/tools/rpmsg/rpmsg
dir=$(mktemp -d)
service=
cleanup()
{
    [[ -z $service ]] || kill "$service" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$dir"
}
trap cleanup EXIT

bold='' dim='' left='' right='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
    bold=$'\e[1m' dim=$'\e[2m' left=$'\e[36m' right=$'\e[33m' plain=$'\e[0m'
fi

cat <<EOF
${bold}Linux talks to a remote processor that is a process.${plain} On the left edge is who says it:

  ${left}remote${plain}  rpmsg serve, a program on this machine: it does what firmware would, over a vhost-user socket
  ${right}linux ${plain}  Debian's kernel $(cat "$("${0%/*}/../linux/kernel")/version"), as a user-mode program, and programs in it

EOF

# Both are read line by line, so that they come in the order in which they were said.
said() { sed -u "s/\r$//; s/^/  $1$2$plain  /"; }

"$rpmsg" serve "$dir/remote" --echo rpmsg-echo --echo rpmsg-raw --echo rpmsg-tty > >(said "$left" "remote") 2>&1 &
service=$!
for _ in $(seq 100); do [[ ! -S $dir/remote ]] || break; sleep 0.05; done

cat >"$dir/script" <<EOF
rpmsg=$(printf %q "$rpmsg") example=$(printf %q "$build/examples/16_char_device")
say() { printf '\n$bold%s$plain\n' "\$1"; }
shows() { printf '$dim\$ %s$plain\n' "\$*"; "\$@"; }
for i in \$(seq 100); do [[ ! -e /dev/ttyRPMSG0 ]] || break; sleep 0.05; done

say "What the kernel says of the channels that the remote processor announced"
dmesg | grep -E "rpmsg" | sed 's/^/  /'
say "What is there for programs"
ln -s "\$rpmsg" /mnt/rpmsg && PATH=/mnt:\$PATH
shows rpmsg list
say "$count round trips: a program in the guest, its kernel, the process outside, and back"
shows rpmsg ping rpmsg-raw --count $count --interval 0
say "The same over a console"
shows bash -c 'exec 3<>/dev/ttyRPMSG0; printf "hello, remote processor\n" >&3; head -n 1 <&3'
say "A program of ours (examples/16_char_device.cpp), while the link is taken away and given back"
"\$example" --for $seconds &
sleep 1
shows sh -c 'echo virtio0 >/sys/bus/virtio/drivers/virtio_rpmsg_bus/unbind'
sleep 0.3
shows sh -c 'echo virtio0 >/sys/bus/virtio/drivers/virtio_rpmsg_bus/bind'
wait %1
EOF

status=0
"${0%/*}/../linux/boot" --device "$dir/remote" --memory 128M "$(realpath "${0%/*}/../linux/init")" quiet \
    "RUN=$dir/script" 2>&1 | grep --line-buffered -v "epollctl add err" | said "$right" "linux " || status=$?

sleep 0.3  # until it has heard that the guest has gone
kill "$service"
wait "$service" 2>/dev/null || true
service=
sleep 0.1
if ((status != 0)); then
    echo "demo: the guest ended with status $status" >&2
    exit 1
fi
cat <<EOF

Write your own remote processor: examples/17_linux_guest.cpp. More, by hand: docs/linux.md.
EOF
