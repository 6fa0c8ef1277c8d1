#!/usr/bin/env bash
# `make run`: installs what is missing, builds with visible progress, starts the gateway.
# What stands after the script's name goes to `omniroute serve`.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/shell.sh

has_keychain() {
    [ "$(uname)" != Linux ] && return
    [ -n "${DBUS_SESSION_BUS_ADDRESS:-}" ] || [ -S "${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/bus" ]
}

scripts/ensure.sh build
twice 900 cargo fetch --locked
say "building the release binary (a few minutes the first time)"
cargo build --release --locked --package omniroute-cli --bin omniroute

vault=()
if ! has_keychain && [ -z "${OMNIROUTE_VAULT_KEY:-}" ] && [[ " $* " != *" --vault "* ]]; then
    say "no keychain here (no D-Bus session): the sealing key goes into a file that only you can read (--vault file)"
    vault=(--vault file)
fi
say "starting the gateway; Ctrl+C drains and stops it"
exec "${CARGO_TARGET_DIR:-target}/release/omniroute" serve ${vault[@]+"${vault[@]}"} "$@"
