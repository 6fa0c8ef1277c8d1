# Sourced by the scripts beside it: saying, stopping, trying twice.

# A toolchain installed a moment ago is not yet on this shell's path.
[ -f "${CARGO_HOME:-$HOME/.cargo}/env" ] && . "${CARGO_HOME:-$HOME/.cargo}/env"

say() {
    printf '==> %s\n' "$*"
}

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

has() {
    command -v "$1" >/dev/null 2>&1
}

not_older() { # not_older FOUND WANTED
    [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

checksum() {
    cat "$@" | if has sha256sum; then sha256sum; else shasum -a 256; fi | cut -d' ' -f1
}

# twice SECONDS COMMAND...: a download that hangs or breaks is tried once more.
twice() {
    local limit=()
    has timeout && limit=(timeout --foreground "$1")
    ${limit[@]+"${limit[@]}"} "${@:2}" && return
    say "once more: ${*:2}"
    ${limit[@]+"${limit[@]}"} "${@:2}"
}
