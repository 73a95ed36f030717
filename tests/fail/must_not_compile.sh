#!/usr/bin/env bash
# Proves that a file does not compile, and why: must_not_compile.sh COMPILER SOURCE STAMP DEPFILE FLAG...
#
# The file opens with `// EXPECT: text`, and the compiler must say that text. With RPMSG_FAIL_FIXED
# defined the same file must compile, so that it fails for the reason it names and for no other.
set -euo pipefail
export LC_ALL=C  # plain quotes
compiler=$1 source=$2 stamp=$3 depfile=$4
shift 4

expected=$(sed -n '1s|^// EXPECT: *||p' "$source")
[[ -n $expected ]] || { echo "$source: the first line is not '// EXPECT: text'"; exit 1; }
grep -q RPMSG_FAIL_FIXED "$source" || { echo "$source: nothing in it is fixed by RPMSG_FAIL_FIXED"; exit 1; }

compile=("$compiler" "$@" -fsyntax-only "$source")
"${compile[@]}" -DRPMSG_FAIL_FIXED -MD -MT "$stamp" -MF "$depfile" ||
    { echo "$source: does not compile with RPMSG_FAIL_FIXED either"; exit 1; }
if output=$("${compile[@]}" 2>&1); then
    echo "$source: compiles"
    exit 1
fi
# Only what the compiler says itself: it also quotes the source, which may hold the text by accident.
# Not through a pipe into `grep -q`: it leaves at the first match, the writer dies of SIGPIPE, and with
# pipefail a match then counts as none, now and then.
said=$(grep -E '(error|note): ' <<<"$output") || true
if [[ $said != *"$expected"* ]]; then
    printf '%s: fails without saying "%s":\n%s\n' "$source" "$expected" "$output"
    exit 1
fi
touch "$stamp"
