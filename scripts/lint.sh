#!/usr/bin/env bash
# Format, module order, file sizes, and clang-tidy on what changed against the last commit on origin/main (or LINT_BASE).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
git ls-files '*.cc' '*.h' | xargs clang-format-14 --dry-run -Werror
python3 scripts/check_layers.py .
python3 scripts/check_coroutines.py .
python3 scripts/check_sizes.py

base="${LINT_BASE:-$(git rev-parse -q --verify HEAD~1 || git rev-parse HEAD)}"
mapfile -t changed < <(git diff --name-only --diff-filter=d "$base" -- 'src/*.cc' | head -n "${LINT_MOST:-40}")
if ((${#changed[@]})); then
    cmake --preset clang >build-clang.log 2>&1 || { cat build-clang.log; exit 1; }
    echo "clang-tidy on ${#changed[@]} changed files"
    printf '%s\n' "${changed[@]}" | xargs -P "${JOBS:-$(nproc)}" -n 1 clang-tidy-14 -p build/clang --quiet 2>/dev/null
fi
