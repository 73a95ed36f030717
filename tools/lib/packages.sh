# shellcheck shell=bash
# Sourced by the scripts in tools/: installing Debian packages that are missing.

# need PACKAGE...: installs those that are missing. Quick when none is.
need() {
    command -v dpkg-query >/dev/null || return 0  # not Debian: whoever runs this brought the tools

    local missing
    mapfile -t missing < <(printf '%s\n' "$@" | sort -u | grep -vxFf <(
        dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null | sed -n 's/ installed$//p'
    ))
    ((${#missing[@]})) || return 0

    local as_root=()
    if ((EUID != 0)); then
        if ! command -v sudo >/dev/null || ! { sudo -n true 2>/dev/null || [[ -t 0 ]]; }; then
            echo "${0##*/}: missing packages, and neither root nor sudo to install them: ${missing[*]}" >&2
            exit 1
        fi
        as_root=(sudo)
    fi

    echo "installing ${missing[*]}"
    local log=build/logs/packages.log
    mkdir -p "${log%/*}"
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=500)
    if ! { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } \
        >"$log" 2>&1 </dev/null; then
        tail -n 5 "$log" >&2
        echo "${0##*/}: could not install ${missing[*]} (all of it in $log)" >&2
        exit 1
    fi
}
