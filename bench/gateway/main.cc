// Measures one proxy (or none) in front of an instant upstream and prints one JSON object. bench/gateway/run.sh starts
// the upstream and the proxies, pins everything, calls this for each, and makes the table.
//
//   bench_gateway NAME HOST:PORT SLOW_HOST:PORT PID MODEL
//
// Behind SLOW_HOST:PORT stands an engine whose streams last, for counting memory.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "bench/load.h"

namespace {

using namespace stoker;

// Resident memory of a process in KiB; 0 if it is not there.
long resident_kib(const std::string& pid) {
    std::ifstream status("/proc/" + pid + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmRSS:")) return std::strtol(line.c_str() + 6, nullptr, 10);
    }
    return 0;
}

std::string chat(const std::string& model, int tokens, bool stream) {
    return "{\"model\":\"" + model + "\",\"stream\":" + (stream ? "true" : "false") +
           ",\"max_tokens\":" + std::to_string(tokens) +
           ",\"messages\":[{\"role\":\"user\",\"content\":\"Which gauge should a stoker watch first, and why?\"}]}";
}

void fail(const std::string& what) {
    std::fprintf(stderr, "bench_gateway: %s\n", what.c_str());
    std::exit(1);
}

bench::LoadResult measure(const std::string& address, const std::string& body, int clients) {
    bench::LoadOptions options;
    options.address = address;
    options.request = bench::post_request(address, "/v1/chat/completions", body);
    options.clients = clients;
    auto result = bench::run_load(options);
    if (!result) fail(result.error().message);
    if (result->failures > 0) fail(std::to_string(result->failures) + " failures, the first: " + result->first_failure);
    return *std::move(result);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 6) fail("usage: bench_gateway NAME HOST:PORT SLOW_HOST:PORT PID MODEL");
    const std::string name = argv[1], address = argv[2], slow = argv[3], pid = argv[4], model = argv[5];
    std::printf("{\"name\":\"%s\",\"idle_kib\":%ld,\"plain\":[", name.c_str(), resident_kib(pid));
    const char* separator = "";
    for (int clients : {1, 16, 256}) {
        auto result = measure(address, chat(model, 1, false), clients);
        std::printf("%s{\"clients\":%d,\"per_second\":%.0f,\"p50_us\":%.1f,\"p99_us\":%.1f}", separator, clients,
                    result.per_second(), bench::quantile_us(result.latency_us, 0.5),
                    bench::quantile_us(result.latency_us, 0.99));
        separator = ",";
    }
    auto stream = measure(address, chat(model, 100, true), 1);
    std::printf("],\"stream\":{\"ttft_p50_us\":%.1f,\"ttft_p99_us\":%.1f,\"total_p50_us\":%.1f}",
                bench::quantile_us(stream.first_byte_us, 0.5), bench::quantile_us(stream.first_byte_us, 0.99),
                bench::quantile_us(stream.latency_us, 0.5));
    std::printf(",\"open\":[");
    separator = "";
    for (int count : {1000, 4000}) {
        long before = resident_kib(pid);
        long during = 0;
        auto held = bench::hold_streams(
            slow, bench::post_request(slow, "/v1/chat/completions", chat(model + "-slow", 4000, true)), count,
            Duration{60'000}, [&] { during = resident_kib(pid); });
        if (!held) fail("open streams: " + held.error().message);
        std::printf("%s{\"streams\":%d,\"kib_per_stream\":%.1f}", separator, count,
                    static_cast<double>(during - before) / count);
        separator = ",";
    }
    std::printf("]}\n");
    return 0;
}
