# shellcheck shell=bash
# Completion of rpmsg(1) for bash. What there is to complete is asked of rpmsg --help, so it is never behind it.

# _rpmsg_type HELP OPTION: what follows it: SOCKET, N, BYTES; nothing after a flag.
_rpmsg_type() { sed -nE "s/^  $2 ([A-Z]+).*/\1/p" <<<"$1"; }

_rpmsg()
{
    local word=$2 previous=$3 command='' help type='' i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; ++i)); do
        if [[ ${COMP_WORDS[i]} != -* ]]; then
            command=${COMP_WORDS[i]}
            break
        fi
    done
    help=$("${COMP_WORDS[0]}" ${command:+"$command"} --help 2>/dev/null) || return 0

    [[ $previous != -* ]] || type=$(_rpmsg_type "$help" "$previous")
    if [[ -z $type && $word != -* ]]; then
        if [[ -z $command ]]; then
            type=SUBCOMMAND
        else
            type=$(sed -nE '/^Positionals:/,/^$/s/^  (.*\b(SOCKET|FILE|NAME)\b).*/\2/p' <<<"$help")
        fi
    fi
    case $type in
        '')
            help=$(sed -nE 's/^  (-[a-z],)?(--[a-z-]+).*/\2/p' <<<"$help")
            mapfile -t COMPREPLY < <(compgen -W "$help" -- "$word")
            ;;
        SUBCOMMAND)
            help=$(sed -nE '/^Subcommands:/,$s/^  ([a-z]+) .*/\1/p' <<<"$help")
            mapfile -t COMPREPLY < <(compgen -W "$help" -- "$word")
            ;;
        COMMAND) mapfile -t COMPREPLY < <(compgen -c -- "$word") ;;
        DIRECTORY) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
        SOCKET | FILE | NODE) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    esac
    case $type in
        DIRECTORY | SOCKET | FILE | NODE) compopt -o filenames 2>/dev/null ;;
    esac
    return 0
}
complete -F _rpmsg rpmsg
