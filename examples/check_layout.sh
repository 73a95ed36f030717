#!/usr/bin/env bash
# What 15_print_layout prints is read by those it is for: check_layout.sh PROGRAM
#
# Exists to catch: a device tree that does not compile, or whose nodes are not where the linker's symbols say.
set -euo pipefail
program=$1
command -v dtc >/dev/null || { echo "check_layout: needs dtc (device-tree-compiler)" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail()
{
    echo "check_layout: $*" >&2
    exit 1
}

{ echo '/dts-v1/; / {'; "$program" --device-tree; echo '};'; } >"$work/tree.dts"
dtc -q -I dts -O dts -o "$work/again.dts" "$work/tree.dts" || fail "dtc refuses the device tree"

"$program" --linker-symbols >"$work/symbols.ld"
cat >"$work/script.ld" <<END
INCLUDE $work/symbols.ld
SECTIONS { .vrings rpmsg_vring0 (NOLOAD) : { . = . + rpmsg_vring0_size; } }
END
ld -r -b binary -o "$work/empty.o" "$work/symbols.ld"  # it wants something to link
ld -T "$work/script.ld" "$work/empty.o" -o "$work/image.elf" || fail "ld refuses the symbols"
readelf -sW "$work/image.elf" >"$work/symbols.txt"

# The first address of each node is that of its symbol.
address_of() { awk -v name="$1" '$NF == name { sub(/^0+/, "", $2); print $2 }' "$work/symbols.txt"; }
for pair in vdev0vring0:rpmsg_vring0 vdev0vring1:rpmsg_vring1 vdev0buffer:rpmsg_buffers_to_driver; do
    symbol=$(address_of "${pair#*:}")
    [[ -n $symbol ]] || fail "there is no symbol ${pair#*:}"
    grep "${pair%:*}@$symbol {" "$work/again.dts" >"$work/found" || fail "no node ${pair%:*} at $symbol"
done

status=0
"$program" --nonsense >"$work/out" 2>"$work/err" || status=$?
[[ $status == 2 && ! -s $work/out && $(wc -l <"$work/err") == 1 ]] || fail "a wrong option is not refused in one line"
