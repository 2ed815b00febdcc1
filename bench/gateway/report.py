"""The results of bench/gateway as tables, printed and put into docs/benchmarks.md, and held against the gateway's targets."""
import datetime
import os
import platform
import statistics


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head)] + ["| " + " | ".join(row) + " |" for row in rows])


def pair(one, other, brackets):
    text = f"{one:,.0f} / {other:,.0f}"
    return f"({text})" if brackets else text


def best_under(kinds, p99_us):
    """The most requests a second at which p99 stays below."""
    rates = [result["per_second"] for kind, result in kinds.items() if kind.startswith("latency/") and result["p99_us"] < p99_us]
    return max(rates, default=0)


def request_tables(results):
    direct = results["direct"]
    clients = [kind for kind in direct if kind.startswith("requests/")]
    prompts = [kind for kind in direct if kind.startswith("prompt/")]
    rates, latencies = [], []
    for name, kinds in results.items():
        first = name == "direct"
        row = [name]
        row += [f"{kinds[kind]['per_second']:,.0f}" if kind in kinds else "–" for kind in clients]
        row.append(f"{best_under(kinds, 1000):,.0f}" if any(kind.startswith("latency/") for kind in kinds) else "–")
        row += [f"{kinds[kind]['per_second']:,.0f}" for kind in prompts]
        row += [f"{kinds[kind]['cpu_us']:.1f}" for kind in ("requests/1", "requests/16", "requests/256", *prompts)]
        rates.append(row)
        latencies.append([name] + [
            pair(kinds[kind]["p50_us"] - (0 if first else direct[kind]["p50_us"]),
                 kinds[kind]["p99_us"] - (0 if first else direct[kind]["p99_us"]), first) if kind in kinds else "–" for kind in clients])
    sizes = [f"{int(kind.split('/')[1]) // 1024} KiB prompts" for kind in prompts]
    head = ["requests a second", *(f"{kind.split('/')[1]} clients" for kind in clients), "with p99 < 1 ms", *sizes,
            "CPU µs at 1", "at 16", "at 256", *(f"at {size.split(' ')[0]} KiB" for size in sizes)]
    return [table(head, rates),
            table(["added latency, p50 / p99, µs", *(f"{kind.split('/')[1]} clients" for kind in clients)], latencies)]


def stream_tables(results, memory):
    direct = results["direct"]
    tables = []
    for kind in [kind for kind in direct if kind.startswith("streams/")]:
        rows = []
        for name, kinds in results.items():
            if kind not in kinds:
                continue
            result, first = kinds[kind], name == "direct"
            less = {field: 0 if first else direct[kind][field] for field in ("ttft_p50_us", "ttft_p99_us", "event_p50_us", "event_p99_us")}
            streams = int(kind.split("/")[1])
            rows.append([name, pair(result["ttft_p50_us"] - less["ttft_p50_us"], result["ttft_p99_us"] - less["ttft_p99_us"], first),
                         pair(result["event_p50_us"] - less["event_p50_us"], result["event_p99_us"] - less["event_p99_us"], first),
                         f"{result['cpu_us']:.1f}", f"{result['stalls']:,.0f}", f"{result['broken']:.0f}",
                         f"{max(0, result['rss_kib'] - result['rss_before_kib']) / streams:.1f}", f"{result['per_second']:,.0f}",
                         f"{memory[name]['idle'] / 1024:.0f} / {result['rss_kib'] / 1024:.0f}"])
        tables.append(table([f"{kind.split('/')[1]} streams", "added TTFT p50 / p99, µs", "added per event p50 / p99, µs", "CPU µs an event",
                             "events late by 100 ms", "broken", "KiB a stream", "events/s", "RSS idle / then, MiB"], rows))
    return tables


def verdicts(results):
    """One row for each target: what it is about, Stoker's number, the one it is held against, what is wanted and whether it is met."""
    stoker, haproxy, portkey, direct = results.get("Stoker"), results.get("HAProxy"), results.get("Portkey", {}), results["direct"]
    if not stoker or not haproxy:
        return []
    rows = []

    def add(what, ours, theirs, wanted, good):
        rows.append([what, ours, theirs, wanted, "met" if good else "**missed**"])

    def rate(what, kind, share, others="HAProxy"):
        ours, theirs = stoker[kind], (haproxy if others == "HAProxy" else portkey)[kind]
        ratio = ours["per_second"] / theirs["per_second"]
        by_cpu = theirs["cpu_us"] / ours["cpu_us"]
        add(what, f"{ours['per_second']:,.0f}", f"{others} {theirs['per_second']:,.0f}: {ratio:.2f} of it (by CPU time {by_cpu:.2f})",
            f"{share}", ratio >= share)

    for kind in [kind for kind in stoker if kind.startswith("requests/")]:
        clients = kind.split("/")[1]
        rate(f"requests/s, {clients} clients", kind, 0.5)
        if kind in portkey:
            rate(f"requests/s, {clients} clients", kind, 30, "Portkey")
    large = max((kind for kind in stoker if kind.startswith("prompt/")), key=lambda kind: int(kind.split("/")[1]))
    rate("requests/s, 220 KiB prompts", large, 0.7)
    for quantile in ("p50", "p99"):
        ours, theirs = (kinds["requests/1"][quantile + "_us"] - direct["requests/1"][quantile + "_us"] for kinds in (stoker, haproxy))
        add(f"added latency at one client, {quantile}, µs", f"{ours:.0f}", f"HAProxy {theirs:.0f}: {ours / theirs:.2f} times it", "1.3 times",
            ours <= 1.3 * theirs)
    for kind in [kind for kind in stoker if kind.startswith("streams/")]:
        ours, theirs, none = stoker[kind], haproxy[kind], direct[kind]
        name = f"{kind.split('/')[1]} streams"
        first = [kinds["ttft_p99_us"] - none["ttft_p99_us"] for kinds in (ours, theirs)]
        add(f"{name}: added TTFT p99, µs", f"{first[0]:,.0f}", f"HAProxy {first[1]:,.0f}", "+250", first[0] <= first[1] + 250)
        event = [kinds["event_p50_us"] - none["event_p50_us"] for kinds in (ours, theirs)]
        add(f"{name}: added to an event, p50, µs", f"{event[0]:,.1f} (CPU {ours['cpu_us']:.1f})",
            f"HAProxy {event[1]:,.1f} (CPU {theirs['cpu_us']:.1f})", "+2", event[0] <= event[1] + 2)
        add(f"{name}: events late by 100 ms / broken streams", f"{ours['stalls']:,.0f} / {ours['broken']:.0f}",
            f"HAProxy {theirs['stalls']:,.0f} / {theirs['broken']:.0f}", "0 / 0", ours["stalls"] == 0 and ours["broken"] == 0)
    if "streams/4096" in stoker:
        each = [(kinds["streams/4096"]["rss_kib"] - kinds["streams/4096"]["rss_before_kib"]) / 4096 for kinds in (stoker, haproxy)]
        add("4096 streams: KiB each", f"{each[0]:.1f}", f"HAProxy {each[1]:.1f}", "16", each[0] <= 16)
    if "flat" in stoker:
        rows.append(flat_verdict(stoker["flat"]))
    return rows


def flat_verdict(minutes):
    """Flat: the second half is as fast as the first, by CPU time, which other work on the machine blurs less, and no larger."""
    half = max(1, len(minutes) // 2)
    cost = [statistics.median(minute["cpu_us"] for minute in part) for part in (minutes[:half], minutes[-half:])]
    memory = [max(minute["rss_kib"] for minute in part) / 1024 for part in (minutes[:half], minutes[-half:])]
    broken = sum(minute["broken"] for minute in minutes)
    good = len(minutes) >= 10 and cost[1] <= 1.1 * cost[0] and memory[1] <= 1.05 * memory[0] and broken == 0
    return [f"{len(minutes)} minutes: CPU µs a request, peak RSS in MiB, broken", f"{cost[1]:.1f}, {memory[1]:.0f}, {broken}",
            f"its first half {cost[0]:.1f}, {memory[0]:.0f}", "10 minutes flat", "met" if good else "**missed**"]


def memory_table(results, memory):
    """Resident memory, of each: before the first request, at 4,096 streams, and the most there ever was."""
    rows = []
    for name, kinds in results.items():
        if name == "direct":
            continue
        streams = max((result["rss_kib"] for kind, result in kinds.items() if kind.startswith("streams/")), default=0)
        rows.append([name, f"{memory[name]['idle'] / 1024:.0f}", f"{streams / 1024:.0f}" if streams else "–",
                     f"{memory[name]['peak'] / 1024:.0f}"])
    return table(["RSS, MiB", "idle", "with the most streams", "peak"], rows)


def flat_table(results):
    minutes = results.get("Stoker", {}).get("flat")
    if not minutes:
        return []
    shown = [minutes[0], *minutes[1:-1:max(1, len(minutes) // 4)], minutes[-1]] if len(minutes) > 1 else minutes
    return [table(["minute", "requests a second", "CPU µs a request", "RSS, MiB", "events late by 100 ms", "broken"],
                  [[str(minutes.index(m) + 1), f"{m['per_second']:,.0f}", f"{m['cpu_us']:.1f}", f"{m['rss_kib'] / 1024:.0f}", f"{m['stalls']:,.0f}",
                    str(m["broken"])] for m in shown])]


def write_page(results, memory, options, page):
    stamp = f"{datetime.date.today()}, {os.cpu_count()} × {cpu_name()}, Linux {platform.release().split('-')[0]}, medians of {options.rounds} rounds"
    parts = [stamp]
    targets = verdicts(results)
    if targets:
        parts.append(table(["target", "Stoker", "against", "wanted", "verdict"], targets))
    parts += [*request_tables(results), *stream_tables(results, memory), memory_table(results, memory), *flat_table(results)]
    text = "\n\n".join(parts)
    print(text)
    if page is None:
        return
    begin, end = "<!-- gateway:begin -->", "<!-- gateway:end -->"
    old = page.read_text()
    page.write_text(old[: old.index(begin) + len(begin)] + f"\n{text}\n" + old[old.index(end):])


def cpu_name():
    with open("/proc/cpuinfo") as lines:
        return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
