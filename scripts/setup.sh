#!/usr/bin/env bash
# Installs what a fresh Debian 12 lacks, and nothing that is there already. Safe to repeat.
#
#   scripts/setup.sh build   what `make build` and `make run` need (compilers, libraries, Node for the page, DuckDB)
#   scripts/setup.sh test    also what `make test` needs (clang for fuzzing and lint, Chromium, promtool, the test clients)
#   scripts/setup.sh bench   also the peers that `make bench` compares with
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
level="${1:-build}"

packages=(ca-certificates ccache cmake ninja-build g++ python3 curl
    libboost1.81-dev libssl-dev libjemalloc-dev libsimdjson-dev libre2-dev libspdlog-dev libfmt-dev libyaml-cpp-dev nlohmann-json3-dev
    libcli11-dev librocksdb-dev libhiredis-dev libsnappy-dev libzstd-dev libprotozero-dev zlib1g-dev libsqlite3-dev libgtest-dev libgmock-dev)
case "$level" in
build) ;;
test) packages+=(clang-14 libclang-rt-14-dev clang-tidy-14 clang-format-14 chromium prometheus prometheus-node-exporter victoria-metrics redis-server openssl procps kcat systemd-journal-remote) ;;
bench) packages+=(haproxy nginx-light prometheus prometheus-node-exporter victoria-metrics) ;;
*) sed -n '2,7p' "${BASH_SOURCE[0]}" && exit 2 ;;
esac
# Node is taken as it comes where there is one of 18 or later: Debian's npm brings some 400 packages.
if ! node -e 'process.exit(+process.versions.node.split(".")[0] >= 18 ? 0 : 1)' 2>/dev/null || ! command -v npm >/dev/null; then
    packages+=(nodejs npm)
fi

missing=()
for package in "${packages[@]}"; do
    [[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" == installed ]] || missing+=("$package")
done
if ((${#missing[@]})); then
    sudo=()
    if [[ $EUID -ne 0 ]]; then
        command -v sudo >/dev/null || { echo "setup: needs root or sudo to install: ${missing[*]}" >&2; exit 1; }
        sudo=(sudo)
    fi
    echo "setup: installing ${#missing[@]} Debian packages: ${missing[*]}"
    "${sudo[@]}" apt-get update -q >/dev/null
    # Packages bring services of their own (prometheus, nginx, haproxy); none of them is to start here.
    policy=/usr/sbin/policy-rc.d
    [[ -e $policy ]] || { printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee $policy >/dev/null; "${sudo[@]}" chmod +x $policy; trap '"${sudo[@]}" rm -f $policy' EXIT; }
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >build-setup.log 2>&1 ||
        { tail -20 build-setup.log >&2; echo "setup: apt-get install failed (whole log: build-setup.log)" >&2; exit 1; }
fi

# npm_ci DIR [OPTION...]: installs exactly what DIR's lockfile says, once per lockfile; no install script runs.
npm_ci() {
    local dir=$1 stamp="$1/node_modules/.stoker-lock"
    shift
    cmp -s "$dir/package-lock.json" "$stamp" && return
    echo "setup: npm packages of $dir"
    (cd "$dir" && npm ci --ignore-scripts "$@" --no-audit --no-fund --loglevel=error)
    cp "$dir/package-lock.json" "$stamp"
}
npm_ci third_party/duckdb --omit=optional
npm_ci web
[[ "$level" == build ]] || npm_ci test
