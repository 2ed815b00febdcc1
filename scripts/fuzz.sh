#!/usr/bin/env bash
# Runs every fuzz target for a few seconds from its corpus (test/corpus/NAME, if there is one).
#
#   scripts/fuzz.sh [SECONDS]
#
# FUZZ_SKIP="api net" leaves modules out. FUZZ_SEED=N starts every target from the same seed: a gate should say the same of
# the same change, while new seeds, as they are otherwise, look where nobody looked.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds="${1:-5}"
cmake --preset fuzz >build-fuzz.log 2>&1 || { cat build-fuzz.log; exit 1; }
targets=()
mapfile -t files < <(find src -name '*_fuzz.cc' | sort)
for file in "${files[@]}"; do
    module=${file#src/}
    module=${module%%/*}
    [[ " ${FUZZ_SKIP:-} " == *" $module "* ]] && continue
    targets+=("${module}_$(basename "$file" .cc)")
done
cmake --build build/fuzz -j "${JOBS:-$(nproc)}" --target "${targets[@]}"
passed=0
for target in "${targets[@]}"; do
    corpus="build/fuzz/corpus/$target"
    mkdir -p "$corpus"
    seeds=()
    [[ -d "test/corpus/$target" ]] && seeds=("test/corpus/$target")
    printf 'fuzz %-40s ' "$target"
    # Leaks are for the unit tests under ASan to find; LeakSanitizer can hang where ptrace is not allowed.
    if ! timeout -k 10 $((seconds + 120)) "build/fuzz/$target" -detect_leaks=0 -seed="${FUZZ_SEED:-0}" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="build/fuzz/$target-" "$corpus" "${seeds[@]}" >"build/fuzz/$target.log" 2>&1; then
        echo "FAILED"
        tail -40 "build/fuzz/$target.log"
        exit 1
    fi
    echo "$(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$target.log") runs"
    passed=$((passed + 1))
done
echo "fuzz: $passed passed, 0 failed"
