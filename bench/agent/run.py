#!/usr/bin/env python3
"""The node agent beside Debian's prometheus-node-exporter with vmagent, on the same machine in the same run, each collecting once a second
and sending to the same server. Updates the table in docs/benchmarks.md.

  bench/agent/run.py [--seconds N] [--no-page]
"""
import argparse
import datetime
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

root = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = root / "build/release"
PAGE = root / "docs/benchmarks.md"
TICK = os.sysconf("SC_CLK_TCK")
WARM_UP = 20  # Seconds: libraries are read, buffers have grown.


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def until(what, probe, limit=30):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            found = probe()
            if found:
                return found
        except (OSError, ValueError, KeyError):
            pass
        time.sleep(0.1)
    raise SystemExit(f"bench: not within {limit} s: {what}")


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


class Process:
    """One program, and what it has used."""

    def __init__(self, name, arguments, folder):
        self.name = name
        log = open(folder / f"{name}.log", "ab")
        self.child = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def processor_seconds(self):
        fields = pathlib.Path(f"/proc/{self.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self):
        """(resident, of that not shared with files) in bytes."""
        text = pathlib.Path(f"/proc/{self.child.pid}/status").read_text()
        return tuple(int(re.search(rf"^{key}:\s+(\d+)", text, re.M)[1]) * 1024 for key in ("VmRSS", "RssAnon"))

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()


def start_server(folder):
    run = folder / "data/run.json"
    server = Process("server", [BUILD / "stoker", "serve", "--data-dir", folder / "data", "--gateway-listen", "127.0.0.1:0",
                                "--console-listen", "127.0.0.1:0", "--config", folder / "server.yaml"], folder)
    until("the server is ready", lambda: get(f"http://{json.loads(run.read_text())['console']}/-/ready"))
    return server, f"http://{json.loads(run.read_text())['console']}"


def start_all(folder, console):
    exporter_port, vmagent_port = free_port(), free_port()
    (folder / "agent.yaml").write_text(f"""
data_dir: {folder}/agent
instance: bench-agent
interval: 1s
destinations: [{{name: main, url: "{console}/api/v1/write"}}]
""")
    (folder / "scrape.yaml").write_text(f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs: [{{job_name: node, static_configs: [{{targets: ["127.0.0.1:{exporter_port}"], labels: {{bench: vmagent}}}}]}}]
""")
    return [Process("stoker-agent", [BUILD / "stoker-agent", "run", "--config", folder / "agent.yaml"], folder),
            Process("node_exporter", ["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{exporter_port}"], folder),
            Process("vmagent", ["vmagent", f"-promscrape.config={folder}/scrape.yaml", f"-remoteWrite.url={console}/api/v1/write",
                                f"-remoteWrite.tmpDataPath={folder}/vmagent", f"-httpListenAddr=127.0.0.1:{vmagent_port}"], folder)], vmagent_port


def count(console, query):
    answer = json.loads(get(f"{console}/api/v1/query?query={urllib.parse.quote(query)}"))
    result = answer["data"]["result"]
    return float(result[0]["value"][1]) if result else 0.0


def measure(processes, console, seconds, delivered):
    sent = delivered()
    before = {one.name: one.processor_seconds() for one in processes}
    peak = {one.name: (0, 0) for one in processes}
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        for one in processes:
            peak[one.name] = max(peak[one.name], one.memory())
        time.sleep(1)
    took = time.monotonic() - started
    rows = {one.name: {"cpu": 100 * (one.processor_seconds() - before[one.name]) / took, "memory": peak[one.name]} for one in processes}
    series = {"stoker-agent": '{instance="bench-agent"}', "vmagent": '{bench="vmagent"}'}
    for name, selector in series.items():
        rows[name]["series"] = count(console, f"count({selector})")
        rows[name]["samples"] = (delivered()[name] - sent[name]) / took
    return rows, took


def table(rows, took):
    def line(name, *parts):
        cpu = sum(rows[part]["cpu"] for part in parts)
        memory = sum(rows[part]["memory"][0] for part in parts) / 2**20
        own = sum(rows[part]["memory"][1] for part in parts) / 2**20
        last = rows[parts[-1]]
        rate = f"{last['samples']:,.0f} | {last['series']:,.0f}" if "samples" in last else "- | -"
        return f"| {name} | {memory:.1f} | {own:.1f} | {cpu:.2f} | {rate} |\n"

    load = os.getloadavg()[2]
    return (f"{datetime.date.today()}, {took:.0f} s at one sample a second, all of them at once, {os.cpu_count()} cores, "
            f"load average {load:.1f} over the last quarter of an hour.\n\n"
            "| | resident MiB, highest | of that its own | % of a core | samples/s | series |\n|---|---|---|---|---|---|\n"
            + line("**stoker-agent** (collects, buffers on disk, sends)", "stoker-agent")
            + line("prometheus-node-exporter and vmagent together", "node_exporter", "vmagent")
            + line("prometheus-node-exporter alone", "node_exporter") + line("vmagent alone", "vmagent"))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=int, default=600)
    options.add_argument("--no-page", action="store_true")
    chosen = options.parse_args()
    for program in ("prometheus-node-exporter", "vmagent"):
        if not shutil.which(program):
            raise SystemExit(f"bench: {program} is not installed (scripts/setup.sh bench)")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="stoker-bench-agent-"))
    (folder / "server.yaml").write_text("collect: {host: false, discovery: {enabled: false}}\n")
    processes = []
    try:
        server, console = start_server(folder)
        processes.append(server)
        measured, port = start_all(folder, console)
        processes += measured
        for selector in ('{instance="bench-agent"}', '{bench="vmagent"}'):
            until(f"samples of {selector} arrive", lambda one=selector: count(console, f"count({one})") > 100, 60)
        time.sleep(WARM_UP)
        rows, took = measure(measured, console, chosen.seconds, lambda: {
            "stoker-agent": json.loads((folder / "agent/status.json").read_text())["senders"][0]["sent_samples"],
            "vmagent": sum(float(rows) for rows in re.findall(r"^vm_promscrape_scraped_samples_sum (\S+)", get(f"http://127.0.0.1:{port}/metrics"), re.M))})
    finally:
        for one in reversed(processes):
            one.stop()
    text = table(rows, took)
    print(text)
    if not chosen.no_page:
        page = PAGE.read_text()
        begin, end = "<!-- agent:begin -->\n", "<!-- agent:end -->"
        head, rest = page.split(begin, 1)
        PAGE.write_text(head + begin + text + end + rest.split(end, 1)[1])
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
