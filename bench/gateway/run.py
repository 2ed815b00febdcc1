#!/usr/bin/env python3
"""Stoker's gateway beside HAProxy, nginx, Portkey's gateway and no proxy at all, on this machine, in one run: load and upstream on one
core, the proxy under test alone on another with one thread. Rounds are interleaved and medians taken, so that what else the machine
does meets all alike. Updates the table in docs/benchmarks.md.

  bench/gateway/run.py [--rounds N] [--seconds S] [--only NAME,...] [--quick] [--flat MINUTES] [--no-page]
"""
import argparse
import http.server
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

from proxies import TRACES, UPSTREAM, everyone
from report import write_page

here = pathlib.Path(__file__).resolve().parent
root = here.parent.parent
TOOL = str(root / "build/release/bench_gateway")
LOAD_CORE, PROXY_CORE = "0", "1"

CLIENTS = (1, 16, 256, 1024)
PROMPTS = (16 * 1024, 220 * 1024)  # At 16 clients; all other requests have 1 KiB.
STREAMS = ((100, 40), (1000, 40), (4096, 10))  # Clients and tokens a second, 250 tokens each.
LATENCY_CLIENTS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)  # For the most requests a second with p99 under 1 ms.
SMALLEST = {"Portkey": (1, 16, 256)}  # A thousand clients at a few hundred requests a second measure nothing.


def say(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


class TraceSink(http.server.BaseHTTPRequestHandler):
    """Takes traces and forgets them."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def take_traces():
    host, port = TRACES.split(":")
    server = http.server.ThreadingHTTPServer((host, int(port)), TraceSink)
    threading.Thread(target=server.serve_forever, daemon=True).start()


class Running:
    """The upstream and the proxies, as processes of their own; all of them idle but the one that is being asked."""

    def __init__(self, directory):
        self.directory, self.processes = directory, {}

    def start(self, name, core, command, ready):
        log = open(self.directory / f"{name}.log", "a")
        process = subprocess.Popen(["taskset", "-c", core, *command], stdout=log, stderr=subprocess.STDOUT)
        self.processes[name] = process
        for _ in range(600):
            if process.poll() is not None:
                break
            try:
                urllib.request.urlopen(ready, timeout=1).read()
                return process.pid
            except urllib.error.HTTPError:
                return process.pid
            except OSError:
                time.sleep(0.05)
        sys.exit(f"bench: {name} does not answer at {ready}; its log:\n{(self.directory / f'{name}.log').read_text()[-2000:]}")

    def stop(self):
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait()


def tool(*arguments):
    done = subprocess.run(["taskset", "-c", LOAD_CORE, TOOL, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"bench: {done.stderr.strip()}")
    return json.loads(done.stdout)


def resident_kib(pid, field="VmRSS"):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    return 0


class Bench:
    def __init__(self, proxies, pids, options):
        self.proxies, self.pids, self.options = proxies, pids, options
        self.samples = {proxy.name: {} for proxy in proxies}

    def note(self, proxy, kind, result):
        self.samples[proxy.name].setdefault(kind, []).append(result)

    def requests(self, proxy, kind, clients, prompt, seconds):
        result = tool("requests", proxy.address, self.pids[proxy.name], clients, seconds, prompt, *proxy.headers)
        if result["failures"]:
            say(f"{proxy.name}, {kind}: {result['failures']} failures, the first: {result['failure']}")
        self.note(proxy, kind, result)

    def round(self):
        seconds = self.options.seconds
        for clients in CLIENTS:
            for proxy in self.proxies:
                if clients in SMALLEST.get(proxy.name, CLIENTS):
                    self.requests(proxy, f"requests/{clients}", clients, 1024, seconds)
        for prompt in PROMPTS:
            for proxy in self.proxies:
                self.requests(proxy, f"prompt/{prompt}", 16, prompt, seconds)
        for clients in LATENCY_CLIENTS:
            for proxy in self.proxies:
                if proxy.name != "Portkey":
                    self.requests(proxy, f"latency/{clients}", clients, 1024, seconds / 2)

    def streams(self):
        for clients, rate in STREAMS:
            for proxy in self.proxies:
                if not proxy.streams:
                    continue
                say(f"{clients} streams at {rate} tokens/s: {proxy.name}")
                # Long enough for every stream to end once and for another to begin.
                seconds = 1.3 * 250 / rate
                result = tool("streams", proxy.address, self.pids[proxy.name], clients, seconds, 250, rate, *proxy.headers)
                if result["broken"]:
                    say(f"{proxy.name}: {result['broken']} broken streams, the first: {result['failure']}")
                self.note(proxy, f"streams/{clients}", result)

    def flat(self, minutes):
        """Rate and memory minute by minute, under a load that uses everything: plain requests and streams that come and go."""
        proxy = next(proxy for proxy in self.proxies if proxy.name == "Stoker")
        for minute in range(minutes):
            plain = tool("requests", proxy.address, self.pids[proxy.name], 64, 30, 1024, *proxy.headers)
            streams = tool("streams", proxy.address, self.pids[proxy.name], 1000, 28, 250, 40, *proxy.headers)
            self.note(proxy, "flat", {"per_second": plain["per_second"], "cpu_us": plain["cpu_us"], "rss_kib": resident_kib(self.pids[proxy.name]),
                                      "stalls": streams["stalls"], "broken": streams["broken"] + plain["failures"]})
            say(f"minute {minute + 1}: {self.samples[proxy.name]['flat'][-1]}")

    def medians(self):
        """{proxy: {kind: {field: median over the rounds}}}"""
        def middle(results):
            return {field: statistics.median(result[field] for result in results)
                    for field, value in results[0].items() if not isinstance(value, str)}
        found = {name: {kind: middle(results) for kind, results in kinds.items()} for name, kinds in self.samples.items()}
        if "flat" in self.samples.get("Stoker", {}):
            found["Stoker"]["flat"] = self.samples["Stoker"]["flat"]
        return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement")
    parser.add_argument("--only", default="", help="proxies by name, with commas; direct is always there")
    parser.add_argument("--quick", action="store_true", help="one round of half a second, no streams")
    parser.add_argument("--flat", type=int, default=0, metavar="MINUTES", help="also Stoker's rate and memory over time")
    parser.add_argument("--no-page", action="store_true", help="print the table, leave docs/benchmarks.md alone")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 1, 0.5
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # Four thousand streams need two descriptors each.
    if not (here / "node_modules").exists():
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=here, capture_output=True)

    wanted = options.only.lower().split(",") if options.only else []
    proxies = []
    for proxy in everyone():
        if wanted and proxy.name.lower() not in wanted and proxy.name != "direct":
            continue
        if proxy.missing():
            say(f"without {proxy.name}: {proxy.missing()}")
            continue
        proxies.append(proxy)

    take_traces()
    with tempfile.TemporaryDirectory(prefix="bench-gateway-") as name:
        running = Running(pathlib.Path(name))
        try:
            pids = {"direct": running.start("upstream", LOAD_CORE, [TOOL, "upstream", UPSTREAM], f"http://{UPSTREAM}/health")}
            for proxy in proxies:
                if proxy.name != "direct":
                    pids[proxy.name] = running.start(proxy.name, PROXY_CORE, proxy.command(running.directory), proxy.ready())
            time.sleep(1)
            bench = Bench(proxies, pids, options)
            memory = {name: {"idle": resident_kib(pid)} for name, pid in pids.items()}
            for number in range(options.rounds):
                say(f"round {number + 1} of {options.rounds}")
                bench.round()
            if not options.quick:
                bench.streams()
            if options.flat:
                bench.flat(options.flat)
            for name, pid in pids.items():
                memory[name]["peak"] = resident_kib(pid, "VmHWM")
            write_page(bench.medians(), memory, options, None if options.no_page else root / "docs/benchmarks.md")
        finally:
            running.stop()


if __name__ == "__main__":
    main()
