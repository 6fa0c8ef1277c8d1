#!/usr/bin/env bash
# `make test` and `make check`: every gate and every test, then one line with the sum.
# A failing step does not hide the ones after it. A gate counts as one; a test runner's own
# counts are taken from its closing lines.
#
#   scripts/test.sh all      everything
#   scripts/test.sh gates    what needs no test run: format, lints, repository rules
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/shell.sh

target=${CARGO_TARGET_DIR:-$PWD/target}
logs=$target/test-logs
passed=0
failed=0
failures=()
xtask=(cargo xtask)
mkdir -p "$logs"
[ -t 1 ] && export CARGO_TERM_COLOR=always
export OMNIROUTE_BIN=$target/debug/omniroute
export OMNIROUTE_KILL_CYCLES=200
# The tests decide about keychain, proxies and data folders themselves.
unset DATA_DIR OMNIROUTE_VAULT_KEY HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy

# Runs a command with its output on the screen and in $log.
run() { # run NAME COMMAND...
    log=$logs/${1// /-}.log
    printf '\n'
    say "$1: ${*:2}"
    local start=$SECONDS status=0
    "${@:2}" </dev/null 2>&1 | tee "$log" || status=$?
    say "$1: $([ $status -eq 0 ] && echo ok || echo FAILED) in $((SECONDS - start)) s"
    [ $status -eq 0 ] || failures+=("$1")
    return $status
}

gate() {
    if run "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

tests() {
    local status=0 good bad
    run "$@" || status=$?
    read -r good bad < <(count "$log")
    # A run that failed without a failing test did not build or did not finish.
    [ $status -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
    passed=$((passed + good))
    failed=$((failed + bad))
}

# Sums nextest's "Summary" line and cargo's "test result" lines.
count() {
    sed 's/\x1b\[[0-9;]*m//g' "$1" | tr ',;' '\n\n' | awk '
        / Summary \[|^test result: / { closing = 1 }
        closing && match($0, /[0-9]+ passed/) { good += substr($0, RSTART, RLENGTH) }
        closing && match($0, /[0-9]+ (failed|timed out|exec failed)/) { bad += substr($0, RSTART, RLENGTH) }
        { if ($0 ~ /filtered out|skipped/) closing = 0 }
        END { print good + 0, bad + 0 }'
}

# One build for every test, the binary that they start and the rules: a package built by itself takes
# other features and builds the same crates again.
build() {
    gate "build" cargo build --locked --workspace --lib --bins --tests
    xtask=("$target/debug/omniroute-xtask")
}

unit_tests() {
    if has cargo-nextest; then
        tests "tests" cargo nextest run --locked --workspace
    else
        tests "tests" cargo test --locked --workspace --lib --bins --tests --no-fail-fast
    fi
    tests "doc tests" cargo test --locked --workspace --doc --no-fail-fast
}

gates() {
    gate "format" cargo fmt --all --check
    gate "lints" cargo clippy --locked --workspace --all-targets -- -D warnings
    gate "repository rules" "${xtask[@]}" tidy
}

case "${1:-}" in
all)
    gate "tools" scripts/ensure.sh test
    gate "sources" twice 900 cargo fetch --locked
    build
    gates
    gate "licences and sources" cargo deny --locked check licenses bans sources
    gate "documentation" env RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items
    unit_tests
    ;;
gates)
    gate "tools" scripts/ensure.sh build
    gates
    ;;
*) die "usage: scripts/test.sh all|gates" ;;
esac

printf '\n'
for name in "${failures[@]+"${failures[@]}"}"; do
    say "failed: $name"
done
say "took $((SECONDS / 60)) min $((SECONDS % 60)) s"
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
