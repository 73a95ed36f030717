#!/usr/bin/env bash
# Runs clang-tidy over one file: tidy.sh SOURCE STAMP DEPFILE OPTION... -- FLAG...
set -euo pipefail
source=$1 stamp=$2 depfile=$3
shift 3
options=()
while [[ $1 != -- ]]; do options+=("$1") && shift; done
shift
clang++ "$@" -MM -MT "$stamp" -MF "$depfile" "$source"
clang-tidy --quiet "${options[@]}" "$source" -- "$@"
touch "$stamp"
