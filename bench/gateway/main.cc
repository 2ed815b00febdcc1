// The two ends of the gateway's benchmark; bench/gateway/run.py starts them, pins everything and makes the table.
//
//   bench_gateway upstream HOST:PORT
//   bench_gateway requests HOST:PORT PID CLIENTS SECONDS PROMPT_BYTES [HEADER...]
//   bench_gateway streams HOST:PORT PID CLIENTS SECONDS TOKENS TOKENS_PER_SECOND [HEADER...]
//
// The last two print one JSON object. PID is the process whose use of the processor and memory is counted.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "bench/load.h"
#include "bench/process.h"
#include "bench/streams.h"
#include "bench/upstream.h"

namespace {

using namespace stoker;

[[noreturn]] void fail(const std::string& what) {
    std::fprintf(stderr, "bench_gateway: %s\n", what.c_str());
    std::exit(1);
}

// The options stand in front, where the upstream finds them; `filler` bytes of prompt behind.
std::string chat(const std::string& options, std::size_t prompt_bytes) {
    static constexpr std::string_view kText = "Which gauge should a stoker watch first, and why? ";
    std::string body = R"({"model":"bench",)" + options + R"(,"messages":[{"role":"user","content":")";
    while (body.size() + 4 < prompt_bytes) body += kText.substr(0, prompt_bytes - body.size() - 4);
    return body + "\"}]}";
}

struct Target {
    std::string address;
    int pid;
    int clients;
    Duration duration;
    std::vector<std::string> headers;

    std::string request(const std::string& body) const {
        std::string lines;
        for (const std::string& header : headers) lines += header + "\r\n";
        return bench::post_request(address, "/v1/chat/completions", body, lines);
    }
};

void requests(const Target& target, std::size_t prompt_bytes) {
    bench::LoadOptions options;
    options.address = target.address;
    options.request = target.request(chat(R"("max_tokens":1,"stream":false)", prompt_bytes));
    options.clients = target.clients;
    options.duration = target.duration;
    double cpu = 0;
    options.at_start = [&] { cpu = bench::process_use(target.pid).cpu_seconds; };
    auto result = bench::run_load(options);
    if (!result) fail(result.error().message);
    const auto use = bench::process_use(target.pid);
    if (result->requests == 0) fail("no request was answered: " + result->first_failure);
    std::printf(
        R"({"requests":%lu,"failures":%lu,"failure":"%s","per_second":%.1f,"p50_us":%.1f,"p99_us":%.1f,"cpu_us":%.2f,"rss_kib":%ld})"
        "\n",
        result->requests, result->failures, result->first_failure.c_str(), result->per_second(),
        bench::quantile_us(result->latency_us, 0.5), bench::quantile_us(result->latency_us, 0.99),
        (use.cpu_seconds - cpu) * 1e6 / static_cast<double>(result->requests), use.resident_kib);
}

void streams(const Target& target, int tokens, int rate) {
    bench::StreamOptions options;
    options.address = target.address;
    options.request = target.request(chat(R"("max_tokens":)" + std::to_string(tokens) + R"(,"stream":true,"user":")" +
                                              std::to_string(rate) + R"( tokens/s")",
                                          1024));
    options.clients = target.clients;
    options.tokens = tokens;
    options.duration = target.duration;
    const long before = bench::process_use(target.pid).resident_kib;
    bench::ProcessUse start, end;
    options.at_start = [&] { start = bench::process_use(target.pid); };
    options.at_end = [&] { end = bench::process_use(target.pid); };
    auto result = bench::run_streams(options);
    if (!result) fail(result.error().message);
    const auto events = static_cast<double>(result->events > 0 ? result->events : 1);
    std::printf(R"({"events":%lu,"per_second":%.0f,"streams":%lu,"broken":%lu,"failure":"%s","stalls":%lu,)"
                R"("ttft_p50_us":%.1f,"ttft_p99_us":%.1f,"event_p50_us":%.1f,"event_p99_us":%.1f,)"
                R"("cpu_us":%.2f,"rss_before_kib":%ld,"rss_kib":%ld})"
                "\n",
                result->events, events / result->seconds, result->streams, result->broken,
                result->first_failure.c_str(), result->stalls, bench::quantile_us(result->first_event_us, 0.5),
                bench::quantile_us(result->first_event_us, 0.99), bench::quantile_us(result->delay_us, 0.5),
                bench::quantile_us(result->delay_us, 0.99), (end.cpu_seconds - start.cpu_seconds) * 1e6 / events,
                before, end.resident_kib);
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> args(argv + 1, argv + argc);
    if (args.size() == 2 && args[0] == "upstream") {
        const auto ended = bench::run_upstream(args[1]);
        fail(ended.error().message);
    }
    const bool plain = !args.empty() && args[0] == "requests";
    const std::size_t numbers = plain ? 6 : 7;
    if (args.size() < numbers || (!plain && args[0] != "streams")) fail("see the head of bench/gateway/main.cc");
    const Target target{.address = args[1],
                        .pid = std::atoi(args[2].c_str()),
                        .clients = std::atoi(args[3].c_str()),
                        .duration = Duration(static_cast<long>(std::atof(args[4].c_str()) * 1000)),
                        .headers = {args.begin() + static_cast<long>(numbers), args.end()}};
    if (plain) {
        requests(target, std::strtoul(args[5].c_str(), nullptr, 10));
    } else {
        streams(target, std::atoi(args[5].c_str()), std::atoi(args[6].c_str()));
    }
    return 0;
}
