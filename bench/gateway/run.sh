#!/usr/bin/env bash
# Stoker's gateway beside HAProxy, nginx and no proxy at all, on this machine, in one run: load and upstream on core 0, the
# proxy under test alone on core 1 with one thread. Updates the table in docs/benchmarks.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cmake --build build/release -j "$(nproc)" --target stoker bench_gateway
dir=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; wait 2>/dev/null; rm -rf "$dir"' EXIT
ulimit -n "$(ulimit -Hn)"  # Four thousand streams need two descriptors each.

wait_for() { # wait_for URL
    for _ in $(seq 200); do
        curl -fsS -o /dev/null "$1" 2>/dev/null && return
        sleep 0.05
    done
    echo "bench: $1 does not answer" >&2
    exit 1
}
on_core() { # on_core CORE COMMAND...: in the background; its pid is in $!
    local core=$1
    shift
    taskset -c "$core" "$@" >>"$dir/log" 2>&1 &
    pids+=($!)
}

on_core 0 build/release/stoker sim-engine --listen 127.0.0.1:9101 --model bench --profile instant
upstream=$!
on_core 0 build/release/stoker sim-engine --listen 127.0.0.1:9102 --model bench-slow --profile instant
wait_for http://127.0.0.1:9101/health
wait_for http://127.0.0.1:9102/health
# Streams of this one begin and then stay open, for counting memory.
curl -fsS -o /dev/null -d '{"kind":"stall_stream","after_tokens":1}' http://127.0.0.1:9102/sim/faults

cat >"$dir/haproxy.cfg" <<CFG
global
    nbthread 1
    maxconn 9000
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    http-reuse always
frontend fast
    bind 127.0.0.1:9111
    default_backend fast
backend fast
    server one 127.0.0.1:9101
frontend slow
    bind 127.0.0.1:9112
    default_backend slow
backend slow
    server one 127.0.0.1:9102
CFG
on_core 1 haproxy -f "$dir/haproxy.cfg"
haproxy=$!

cat >"$dir/nginx.conf" <<CFG
daemon off;
master_process off;
worker_processes 1;
pid $dir/nginx.pid;
error_log $dir/nginx.log;
events { worker_connections 9500; }
http {
    access_log off;
    client_body_temp_path $dir/body;
    proxy_temp_path $dir/proxy;
    fastcgi_temp_path $dir/fastcgi;
    uwsgi_temp_path $dir/uwsgi;
    scgi_temp_path $dir/scgi;
    keepalive_requests 100000000;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_buffering off;
    upstream fast { server 127.0.0.1:9101; keepalive 512; keepalive_requests 100000000; }
    upstream slow { server 127.0.0.1:9102; }
    server { listen 127.0.0.1:9121; location / { proxy_pass http://fast; } }
    server { listen 127.0.0.1:9122; location / { proxy_pass http://slow; } }
}
CFG
on_core 1 nginx -c "$dir/nginx.conf"
nginx=$!

cat >"$dir/stoker.yaml" <<CFG
gateway: {listen: 127.0.0.1:9131}
console: {listen: 127.0.0.1:9132}
runtime: {loops: 1}
pools:
  - {name: bench, models: [bench], replicas: [{url: "http://127.0.0.1:9101"}]}
  - {name: slow, models: [bench-slow], replicas: [{url: "http://127.0.0.1:9102"}], health: {stall_after: 10m, timeout: 20s}}
CFG
on_core 1 build/release/stoker serve --config "$dir/stoker.yaml" --data-dir "$dir/data" --log-level warn
stoker=$!
wait_for http://127.0.0.1:9111/health
wait_for http://127.0.0.1:9121/health
wait_for http://127.0.0.1:9132/-/ready

measure() { # measure NAME ADDRESS SLOW PID
    echo "bench: $1" >&2
    taskset -c 0 build/release/bench_gateway "$1" "$2" "$3" "$4" bench
}
{
    measure direct 127.0.0.1:9101 127.0.0.1:9102 "$upstream"
    measure HAProxy 127.0.0.1:9111 127.0.0.1:9112 "$haproxy"
    measure nginx 127.0.0.1:9121 127.0.0.1:9122 "$nginx"
    measure Stoker 127.0.0.1:9131 127.0.0.1:9131 "$stoker"
} >"$dir/results" || { tail -20 "$dir/log" >&2; exit 1; }
python3 bench/gateway/table.py "$dir/results" docs/benchmarks.md
