#!/usr/bin/env bash
# Runs the named parts of the tests, or all of them; prints how long each took.
#
#   scripts/test.sh [lint] [unit-asan] [unit-tsan] [fuzz] [e2e]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
jobs="${JOBS:-$(nproc)}"

# Some tests watch real clocks and processes, and a busy machine can starve them: a failure must happen twice. ctest names
# what passed only at the second try.
again=(--repeat until-pass:2)

# Modules that have threads of their own; not records, whose threads are those of DuckDB, a library without TSan.
threaded="base net journal tsdb promql state outward collect agent gateway alert diagnose heal twin"

build() { # build PRESET TARGET...
    local preset=$1
    shift
    cmake --preset "$preset" >"build-$preset.log" 2>&1 || { cat "build-$preset.log"; return 1; }
    cmake --build --preset "$preset" -j "$jobs" ${1:+--target "$@"}
}

unit_targets() { # unit_targets MODULE...: those of the modules that have tests
    for module in "$@"; do
        [[ -n $(find "src/$module" -name '*_test.cc' -print -quit) ]] && echo "${module}_test"
    done
    return 0
}

lint() { scripts/lint.sh; }

unit-asan() {
    # shellcheck disable=SC2046
    build asan $(unit_targets $(ls src)) stoker_crash
    UBSAN_OPTIONS=print_stacktrace=1 ctest --preset asan -j "$jobs" "${again[@]}" --progress
}

unit-tsan() {
    # shellcheck disable=SC2046,SC2086
    build tsan $(unit_targets $threaded)
    TSAN_OPTIONS="suppressions=$PWD/scripts/tsan.supp halt_on_error=1 ignore_noninstrumented_modules=1" ctest --preset tsan -j "$jobs" "${again[@]}" --progress -L "^(${threaded// /|})\$"
}

fuzz() { scripts/fuzz.sh "${FUZZ_SECONDS:-5}"; }

e2e() {
    make --no-print-directory build
    node test/run.mjs
}

parts=("$@")
((${#parts[@]})) || parts=(lint unit-asan unit-tsan fuzz e2e)
for part in "${parts[@]}"; do
    echo "== $part"
    start=$SECONDS
    "$part"
    echo "== $part passed in $((SECONDS - start)) s"
done
