#!/usr/bin/env python3
"""Stoker's metrics store beside Debian's Prometheus and VictoriaMetrics: one after the other, alone on the same core, fed the same
stream by remote write and asked the same queries, in one run. Checks that the answers agree; updates the table in docs/benchmarks.md.

  bench/metrics/run.py [--quick] [--only NAME,...] [--no-page] [--million N]
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

from report import write_page
from stores import STORES

here = pathlib.Path(__file__).resolve().parent
root = here.parent.parent
TOOL = root / "build/release/bench_metrics"
STORE_CORE = "1"
LOAD_CORES = ",".join(str(c) for c in range(os.cpu_count()) if c != 1)
TICK = os.sysconf("SC_CLK_TCK")


def say(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


class Running:
    """A store's process, pinned to its core."""

    def __init__(self, store, directory, port):
        self.store, self.address = store, f"127.0.0.1:{port}"
        self.began = time.monotonic()
        self.process = subprocess.Popen(["taskset", "-c", STORE_CORE, *store.command(directory, port)],
                                        env={**os.environ, "GOMAXPROCS": "1"}, stdout=open(directory / "log", "a"), stderr=subprocess.STDOUT)

    def get(self, path, timeout=600):
        with urllib.request.urlopen(f"http://{self.address}{path}", timeout=timeout) as answer:
            return answer.read()

    def wait(self, path, wanted, limit=600):
        """Seconds from the start until `path` answers with `wanted` in it."""
        while time.monotonic() - self.began < limit:
            if self.process.poll() is not None:
                sys.exit(f"bench: {self.store.name} ended; see its log")
            try:
                if wanted in self.get(path):
                    return time.monotonic() - self.began
            except OSError:
                pass
            time.sleep(0.02)
        sys.exit(f"bench: {self.store.name} does not answer {path}")

    def cpu(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self, key):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith(key):
                return int(line.split()[1]) * 1024

    def settle(self, limit=90):
        """Waits until background work has died down: a second and a half with less than a tenth of the core."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            before = self.cpu()
            time.sleep(1.5)
            if self.cpu() - before < 0.15:
                return

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(120)


def tool(*words):
    run = subprocess.run(["taskset", "-c", LOAD_CORES, str(TOOL), *map(str, words)], capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"bench: {run.stderr.strip()}")
    return [json.loads(line) for line in run.stdout.splitlines()]


def feed(running, start, **keys):
    before = running.cpu()
    result = tool("feed", running.address, start, f"path={running.store.write_path}", *(f"{k}={v}" for k, v in keys.items()))[0]
    result["cpu"] = running.cpu() - before
    result["rss"] = running.memory("VmRSS")
    return result


def size_of(directory):
    seen, total = set(), 0
    for path in pathlib.Path(directory).rglob("*"):
        if path.is_file():
            info = path.stat()
            if info.st_ino not in seen:
                seen.add(info.st_ino)
                total += info.st_size
    return total



def measure(store, work, options, end):
    directory = work / store.name
    directory.mkdir()
    steady_end = end - 3600
    result = {"name": store.name}
    running = Running(store, directory, store.port)
    running.wait(store.ready_path, b"")
    result["idle"] = running.memory("VmRSS")
    say(f"{store.name}: thirty days of one machine")
    history_steps = 4320 // options.shrink
    history = feed(running, steady_end - history_steps * 600, series=1000, first_machine=2000, interval=600, steps=history_steps, senders=1)
    running.settle()
    say(f"{store.name}: {options.series:,} series, {options.steps} steps")
    steady = feed(running, steady_end - (options.steps - 1) * 15, series=options.series, interval=15, steps=options.steps)
    result["ingest"] = {"per_second": steady["samples"] / steady["seconds"], "cpu_per_million": steady["cpu"] / steady["samples"] * 1e6,
                        "bytes_per_series": (steady["rss"] - result["idle"]) / (options.series + 1000), "rss": steady["rss"]}
    running.settle()
    say(f"{store.name}: queries")
    answers = work / f"answers-{store.name}"
    answers.mkdir()
    running.get(f"/api/v1/query?query=up&time={steady_end}")
    result["queries"] = {q["name"]: q for q in tool("query", running.address, steady_end, options.rounds, here / "queries.tsv", answers)}
    say(f"{store.name}: an hour of churn")
    churn = feed(running, steady_end + 60, series=options.series, interval=60, steps=60 // options.shrink, churn=1)
    running.settle()
    result["churn"] = {"rss": running.memory("VmRSS"), "cpu_per_million": churn["cpu"] / churn["samples"] * 1e6}
    samples = history["samples"] + steady["samples"] + churn["samples"]
    result["disk"] = store.disk_bytes(running, directory, size_of) / samples
    running.stop(signal.SIGKILL)
    say(f"{store.name}: restart after SIGKILL")
    result["restart"] = restart(store, directory, steady_end + 3600 // options.shrink)
    shutil.rmtree(directory)
    if options.million:
        directory.mkdir()
        say(f"{store.name}: {options.million:,} series")
        running = Running(store, directory, store.port)
        running.wait(store.ready_path, b"")
        feed(running, end - 30, series=options.million, interval=15, steps=3)
        result["million_rss"] = running.memory("VmRSS") / options.million
        time.sleep(10)  # VictoriaMetrics has no log: what it took last would be gone.
        running.stop(signal.SIGKILL)
        result["restart_million"] = restart(store, directory, end)
        shutil.rmtree(directory)
    say(json.dumps({k: v for k, v in result.items() if k != "queries"}))
    return result


def restart(store, directory, newest):
    """Until a query finds what was written last."""
    probe = f"/api/v1/query?time={newest}&query=" + urllib.request.quote("count(node_load1)")
    running = Running(store, directory, store.port)
    seconds = running.wait(probe, b'"value":')
    peak = running.memory("VmHWM")
    running.stop()
    return {"seconds": seconds, "peak": peak}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a tenth of the data, for trying the program out")
    parser.add_argument("--only", default="", help="stores to measure, by name")
    parser.add_argument("--million", type=int, default=1_000_000, help="series of the large restart; 0 leaves it out")
    parser.add_argument("--no-page", action="store_true", help="leave docs/benchmarks.md alone")
    parser.add_argument("--keep", help="folder for results and answers")
    options = parser.parse_args()
    options.shrink = 10 if options.quick else 1
    options.series, options.steps, options.rounds = (20_000, 60, 3) if options.quick else (100_000, 240, 7)
    work = pathlib.Path(options.keep or tempfile.mkdtemp(prefix="stoker-bench-"))
    work.mkdir(exist_ok=True)
    end = int(time.time()) // 60 * 60 - 60
    wanted = [s for s in STORES if not options.only or s.name in options.only.split(",")]
    try:
        results = [measure(store, work, options, end) for store in wanted]
        (work / "results.json").write_text(json.dumps(results))
        write_page(results, work, options, None if options.no_page else root / "docs/benchmarks.md")
    finally:
        if not options.keep:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
