"""The results of bench/gateway as tables, printed and put into docs/benchmarks.md, and held against the gateway's targets."""
import datetime
import os
import platform


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


def stream_tables(results, idle):
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
                         f"{idle[name] / 1024:.0f} / {result['rss_kib'] / 1024:.0f}"])
        tables.append(table([f"{kind.split('/')[1]} streams", "added TTFT p50 / p99, µs", "added per event p50 / p99, µs", "CPU µs an event",
                             "events late by 100 ms", "broken", "KiB a stream", "events/s", "RSS idle / then, MiB"], rows))
    return tables


def verdicts(results):
    """Each target with its number; a miss is in bold."""
    stoker, haproxy, direct = results.get("Stoker"), results.get("HAProxy"), results["direct"]
    if not stoker or not haproxy:
        return []
    lines = []

    def add(text, good):
        lines.append(f"- {text}" if good else f"- **missed:** {text}")

    for kind in [kind for kind in stoker if kind.startswith("requests/")]:
        ratio = stoker[kind]["per_second"] / haproxy[kind]["per_second"]
        cpu = haproxy[kind]["cpu_us"] / stoker[kind]["cpu_us"]
        add(f"requests a second at {kind.split('/')[1]} clients: {ratio:.2f} of HAProxy's (0.50 wanted; by CPU time {cpu:.2f})", ratio >= 0.5)
        if kind in results.get("Portkey", {}):
            times = stoker[kind]["per_second"] / results["Portkey"][kind]["per_second"]
            add(f"and {times:.0f} times Portkey's (30 wanted)", times >= 30)
    for quantile in ("p50_us", "p99_us"):
        ours, theirs = (kinds["requests/1"][quantile] - direct["requests/1"][quantile] for kinds in (stoker, haproxy))
        add(f"added latency at one client, {quantile[:3]}: {ours:.0f} µs, HAProxy {theirs:.0f} (1.3 times wanted)", ours <= 1.3 * theirs)
    for kind in [kind for kind in stoker if kind.startswith("streams/")]:
        ours, theirs = stoker[kind], haproxy[kind]
        name = f"{kind.split('/')[1]} streams"
        first = ours["ttft_p99_us"] - theirs["ttft_p99_us"]
        add(f"{name}: TTFT p99 {first:+.0f} µs against HAProxy's (+250 wanted)", first <= 250)
        event = ours["event_p50_us"] - theirs["event_p50_us"]
        add(f"{name}: an event {event:+.1f} µs (+2 wanted; CPU {ours['cpu_us'] - theirs['cpu_us']:+.1f} µs)", event <= 2)
        add(f"{name}: {ours['stalls']:.0f} late by 100 ms, {ours['broken']:.0f} broken", ours["stalls"] == 0 and ours["broken"] == 0)
        if kind == "streams/4096":
            each = (ours["rss_kib"] - ours["rss_before_kib"]) / 4096
            add(f"{name}: {each:.1f} KiB each (16 wanted)", each <= 16)
    large = max((kind for kind in stoker if kind.startswith("prompt/")), key=lambda kind: int(kind.split("/")[1]))
    ratio = stoker[large]["per_second"] / haproxy[large]["per_second"]
    add(f"220 KiB prompts: {ratio:.2f} of HAProxy's rate (0.70 wanted)", ratio >= 0.7)
    return lines


def flat_table(results):
    minutes = results.get("Stoker", {}).get("flat")
    if not minutes:
        return []
    shown = [minutes[0], *minutes[1:-1:max(1, len(minutes) // 4)], minutes[-1]] if len(minutes) > 1 else minutes
    return [table(["minute", "requests a second", "CPU µs a request", "RSS, MiB", "broken"],
                  [[str(minutes.index(m) + 1), f"{m['per_second']:,.0f}", f"{m['cpu_us']:.1f}", f"{m['rss_kib'] / 1024:.0f}", str(m["broken"])]
                   for m in shown])]


def write_page(results, idle, options, page):
    stamp = f"{datetime.date.today()}, {os.cpu_count()} × {cpu_name()}, Linux {platform.release().split('-')[0]}, medians of {options.rounds} rounds"
    parts = [stamp, *request_tables(results), *stream_tables(results, idle), *flat_table(results)]
    targets = verdicts(results)
    if targets:
        parts += ["Against the targets:", "\n".join(targets)]
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
