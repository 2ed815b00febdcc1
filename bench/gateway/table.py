#!/usr/bin/env python3
"""Prints the results of bench_gateway (a JSON object a line) as a table and puts it into docs/benchmarks.md."""
import datetime
import json
import os
import pathlib
import platform
import sys

results, page = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
rows = [json.loads(line) for line in results.read_text().splitlines()]
direct = rows[0]


def added(row, index, key):
    return row["plain"][index][key] - direct["plain"][index][key]


head = ["", *(f"added p50 / p99 at {p['clients']}" for p in direct["plain"]), *(f"req/s at {p['clients']}" for p in direct["plain"]),
        "added TTFT p50 / p99", "per token of 100", *(f"KiB a stream at {o['streams']}" for o in direct["open"]), "idle"]
lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
for row in rows:
    first = row is direct
    cells = [row["name"]]
    for index, plain in enumerate(row["plain"]):
        cells.append(f"({plain['p50_us']:.0f} / {plain['p99_us']:.0f} µs)" if first else
                     f"{added(row, index, 'p50_us'):.0f} / {added(row, index, 'p99_us'):.0f} µs")
    cells += [f"{plain['per_second']:,.0f}" for plain in row["plain"]]
    ttft = [row["stream"][key] - (0 if first else direct["stream"][key]) for key in ("ttft_p50_us", "ttft_p99_us")]
    cells.append(("({:.0f} / {:.0f} µs)" if first else "{:.0f} / {:.0f} µs").format(*ttft))
    token = (row["stream"]["total_p50_us"] - (0 if first else direct["stream"]["total_p50_us"])) / 100
    cells.append(f"({token:.1f} µs)" if first else f"{token:.1f} µs")
    cells += ["–" if first else f"{held['kib_per_stream']:.1f}" for held in row["open"]]
    cells.append(f"{row['idle_kib'] / 1024:.1f} MiB")
    lines.append("| " + " | ".join(cells) + " |")
by_name = {row["name"]: row for row in rows}
ratios = ", ".join(f"{by_name['Stoker']['plain'][i]['per_second'] / by_name['HAProxy']['plain'][i]['per_second']:.2f} at {p['clients']}"
                   for i, p in enumerate(direct["plain"]))
table = "\n".join(lines) + f"\n\nStoker's requests per second as a share of HAProxy's: {ratios} clients."
print(table)

cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
begin, end = "<!-- gateway:begin -->", "<!-- gateway:end -->"
stamp = f"{datetime.date.today()}, {os.cpu_count()} × {cpu}, Linux {platform.release().split("-")[0]}"
text = page.read_text()
page.write_text(text[: text.index(begin) + len(begin)] + f"\n{stamp}\n\n{table}\n" + text[text.index(end):])
