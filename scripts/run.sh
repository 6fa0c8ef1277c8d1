#!/usr/bin/env bash
# `make run`: installs what is missing, builds with visible progress, starts the gateway.
# What stands after the script's name goes to `omniroute serve`.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/shell.sh

binary=${CARGO_TARGET_DIR:-target}/release/omniroute
# What the arguments say about the data folder.
folder=()
for word in "$@"; do
    [ "${previous:-}" != --data-dir ] || folder=(--data-dir "$word")
    [[ $word != --data-dir=* ]] || folder=("$word")
    previous=$word
done

# What the binary finds out when it opens the folder: JSON, whatever the exit status.
examine() {
    "$binary" doctor --json ${folder[@]+"${folder[@]}"} 2>/dev/null || true
}

says() { # says REPORT CODE...: whether one of the codes is in the report
    local code
    for code in "${@:2}"; do
        [[ $1 != *"\"code\":\"$code\""* ]] || return 0
    done
    return 1
}

# Makes a folder that was never used, so that it can be examined; an instance begins with the lock file, too.
begin() { # begin REPORT
    local path
    path=$(printf '%s' "$1" | sed -n 's/.*"dataDir":"\([^"\\]*\)".*/\1/p')
    [ -n "$path" ] && mkdir -p -m 700 "$path" && (umask 077 && : >"$path/omniroute.lock")
}

scripts/ensure.sh build
twice 900 cargo fetch --locked
say "building the release binary (a few minutes the first time)"
cargo build --release --locked --package omniroute-cli --bin omniroute

vault=()
if [[ " $* " != *" --vault"[\ =]* ]]; then
    report=$(examine)
    if says "$report" data_dir_unused && begin "$report"; then
        # Nothing is sealed in a new folder, so the key may go where there is a place for it.
        if says "$(examine)" keychain_missing keychain_locked; then
            say "no open keychain here: the sealing key goes into a file that only you can read (--vault file)"
            vault=(--vault file)
        fi
    elif says "$report" keychain_missing keychain_locked; then
        die "no open keychain here, and the folder was used before: unlock the keychain, or, while no account has a key, use make run ARGS=\"$* --vault file\""
    fi
fi
say "starting the gateway; Ctrl+C drains and stops it"
exec "$binary" serve ${vault[@]+"${vault[@]}"} "$@"
