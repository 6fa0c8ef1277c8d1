#!/usr/bin/env bash
# Makes sure that what a step needs is on this machine. Names what is missing before installing it,
# and does nothing, quickly, when nothing is.
#
#   scripts/ensure.sh build    a C compiler beside the Rust toolchain
#   scripts/ensure.sh test     that, and what the tests drive: a keychain, the official SDKs
#   scripts/ensure.sh audit    the licence and dependency checker
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/shell.sh

CARGO_DENY=0.20.2

ensure_toolchain() {
    has cargo || die "cargo is missing: install Rust $(wanted_rust) or newer with rustup, then run this again"
    local found
    found=$(rustc --version | cut -d' ' -f2 | cut -d- -f1)
    not_older "$found" "$(wanted_rust)" || die "rustc $found is too old: run 'rustup update' for $(wanted_rust) or newer"
}

wanted_rust() {
    sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml
}

ensure_node() {
    has node && has npm || die "node and npm are missing: install Node.js 20 or newer, then run this again"
    local found
    found=$(node --version | tr -d v)
    not_older "$found" 20 || die "node $found is too old: the official SDK needs 20 or newer"
}

# One Debian package per missing thing, collected first so that one apt-get call installs them all.
wanted_packages=()

want() { # want PACKAGE COMMAND...: the package, unless the command succeeds
    "${@:2}" >/dev/null 2>&1 || wanted_packages+=("$1")
}

install_packages() {
    [ ${#wanted_packages[@]} -gt 0 ] || return 0
    say "missing: ${wanted_packages[*]}"
    has apt-get || die "install these with this system's package manager, then run this again"
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        has sudo || die "run as root: apt-get install ${wanted_packages[*]}"
        as_root=(sudo)
    fi
    say "installing with apt-get"
    twice 300 ${as_root[@]+"${as_root[@]}"} apt-get update -qq
    twice 900 ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${wanted_packages[@]}"
}

compiles_c() {
    echo '#include <stdlib.h>' | cc -E -
}

ensure_build() {
    ensure_toolchain
    want gcc has cc
    want libc6-dev compiles_c
}

ensure_test() {
    ensure_build
    ensure_node
    if [ "$(uname)" = Linux ]; then
        want dbus has dbus-run-session
        want gnome-keyring has gnome-keyring-daemon
        want sqlite3 has sqlite3
        want procps has kill
    fi
    want python3 has python3
    want python3-venv python3 -c 'import venv, ensurepip'
}

# A folder of installed packages carries the checksum of what it was installed from.
is_fresh() { # is_fresh STAMP FILE...
    [ -f "$1" ] && [ "$(cat "$1")" = "$(checksum "${@:2}")" ]
}

ensure_python_sdk() {
    local home=tests/sdk/python
    local stamp=$home/.venv/installed
    if ! is_fresh "$stamp" "$home/requirements.txt"; then
        say "installing the official Python SDK into $home/.venv"
        rm -rf "$home/.venv"
        python3 -m venv "$home/.venv"
        twice 600 "$home/.venv/bin/python" -m pip install --quiet --disable-pip-version-check \
            --require-hashes --no-deps --requirement "$home/requirements.txt"
        checksum "$home/requirements.txt" >"$stamp"
    fi
}

ensure_node_sdk() {
    local home=tests/sdk/node
    local stamp=$home/node_modules/installed
    if ! is_fresh "$stamp" "$home/package-lock.json"; then
        say "installing the official Node SDK into $home/node_modules"
        (cd "$home" && twice 600 npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
        checksum "$home/package-lock.json" >"$stamp"
    fi
}

ensure_cargo_deny() {
    if ! cargo deny --version 2>/dev/null | grep -qF " $CARGO_DENY"; then
        say "installing cargo-deny $CARGO_DENY (about two minutes on two cores, once per machine)"
        twice 1200 cargo install --quiet --locked --version "$CARGO_DENY" cargo-deny
    fi
}

case "${1:-}" in
build)
    ensure_build
    install_packages
    ;;
test)
    ensure_test
    install_packages
    ensure_python_sdk
    ensure_node_sdk
    ensure_cargo_deny
    ;;
audit)
    ensure_build
    install_packages
    ensure_cargo_deny
    ;;
*) die "usage: scripts/ensure.sh build|test|audit" ;;
esac
