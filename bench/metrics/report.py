"""Compares answers, prints the table, and puts it into docs/benchmarks.md."""
import datetime
import json
import math
import os
import pathlib
import platform


def geometric_mean(values):
    return math.exp(sum(math.log(v) for v in values) / len(values))


def series_of(file):
    """{labels: [(time, value)...]} of a query's answer."""
    data = json.loads(file.read_text())["data"]
    if data["resultType"] == "scalar":
        return {"": [data["result"]]}
    return {json.dumps(s["metric"], sort_keys=True): s.get("values", [s.get("value")]) for s in data["result"]}


def agreement(mine, theirs):
    """'equal', or what differs first."""
    if mine.keys() != theirs.keys():
        return f"{len(mine)} series, not {len(theirs)}"
    for labels, points in mine.items():
        other = theirs[labels]
        if [float(p[0]) for p in points] != [float(p[0]) for p in other]:
            return f"{len(points)} points, not {len(other)}"
        for (_, a), (_, b) in zip(points, other):
            a, b = float(a), float(b)
            if a != b and not (math.isnan(a) and math.isnan(b)) and not abs(a - b) <= 1e-9 * max(abs(a), abs(b)):
                return f"{a} is not {b}"
    return "equal"


def mib(value):
    return f"{value / 2**20:,.0f} MiB"


def write_page(results, work, options, page):
    by_name = {r["name"]: r for r in results}
    names = [r["name"] for r in results]
    rows = [
        ("samples a second, one core", lambda r: f"{r['ingest']['per_second']:,.0f}"),
        ("CPU seconds a million samples", lambda r: f"{r['ingest']['cpu_per_million']:.2f}"),
        ("the same while series churn", lambda r: f"{r['churn']['cpu_per_million']:.2f}"),
        ("memory a series", lambda r: f"{r['ingest']['bytes_per_series'] / 1024:.2f} KiB"),
        ("resident after an hour in which all series were replaced", lambda r: mib(r["churn"]["rss"])),
        ("bytes a sample on disk", lambda r: f"{r['disk']:.2f}"),
        ("queries: geometric mean of p50", lambda r: f"{geometric_mean([q['p50'] for q in r['queries'].values()]) * 1e3:.2f} ms"),
        ("queries: geometric mean of p95", lambda r: f"{geometric_mean([q['p95'] for q in r['queries'].values()]) * 1e3:.2f} ms"),
        (f"ready after SIGKILL, {options.series:,} series and their churn", lambda r: f"{r['restart']['seconds']:.2f} s, peak {mib(r['restart']['peak'])}"),
    ]
    if all("restart_million" in r for r in results):
        rows.append((f"ready after SIGKILL, {options.million:,} series",
                     lambda r: f"{r['restart_million']['seconds']:.2f} s, peak {mib(r['restart_million']['peak'])}"))
    lines = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    lines += [f"| {title} | " + " | ".join(cell(r) for r in results) + " |" for title, cell in rows]

    if "Stoker" in by_name and len(results) > 1:
        mine = by_name["Stoker"]
        lines += ["", "Stoker against", ""]
        for other in (r for r in results if r is not mine):
            ratio = geometric_mean([other["queries"][q]["p50"] / mine["queries"][q]["p50"] for q in mine["queries"]])
            lines.append(f"- {other['name']}: {other['ingest']['cpu_per_million'] / mine['ingest']['cpu_per_million']:.2f} times the samples per CPU second, "
                         f"{other['disk'] / mine['disk']:.2f} times fewer bytes a sample, {ratio:.2f} times as fast over {len(mine['queries'])} queries (geometric mean).")
        lines += ["", "| query | " + " | ".join(f"{n} p50 / p95" for n in names) + " | answers |", "|---" * (len(names) + 2) + "|"]
        for query in mine["queries"]:
            times = " | ".join(f"{r['queries'][query]['p50'] * 1e3:.2f} / {r['queries'][query]['p95'] * 1e3:.2f} ms" for r in results)
            own = series_of(work / "answers-Stoker" / f"{query}.json")
            verdicts = [f"{n}: {agreement(own, series_of(work / f'answers-{n}' / f'{query}.json'))}" for n in names if n != "Stoker"]
            verdict = "equal" if all(v.endswith(": equal") for v in verdicts) else "; ".join(v for v in verdicts if not v.endswith(": equal"))
            lines.append(f"| {query} | {times} | {verdict} |")
    table = "\n".join(lines)
    print(table)
    if page is None:
        return
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    stamp = f"{datetime.date.today()}, {os.cpu_count()} × {cpu}, Linux {platform.release().split('-')[0]}"
    begin, end = "<!-- metrics:begin -->", "<!-- metrics:end -->"
    text = page.read_text()
    page.write_text(text[: text.index(begin) + len(begin)] + f"\n{stamp}\n\n{table}\n" + text[text.index(end):])
