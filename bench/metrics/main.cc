// The two ends of a metrics store under measurement: what feeds it and what asks it. bench/metrics/run.py starts the
// stores, calls this for each, and makes the table.
//
//   bench_metrics feed HOST:PORT START_SECONDS [KEY=VALUE...]      prints one JSON object
//   bench_metrics query HOST:PORT END_SECONDS ROUNDS QUERIES DIR   one JSON object a query; answers into DIR/NAME.json
//
// Keys: path, series, first_machine, interval (seconds), steps, churn, generation, batch, senders.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>

#include "feed.h"
#include "query.h"

namespace {

using namespace stoker::bench;

int feed_command(int argc, char** argv) {
    FeedOptions options;
    options.address = argv[2];
    // Not on a whole second: no sample lies on the edge of a window, where Prometheus 2 and 3 differ.
    options.start = std::atoll(argv[3]) * 1000 - 337;
    for (int i = 4; i < argc; ++i) {
        const std::string word = argv[i];
        const auto equals = word.find('=');
        const std::string key = word.substr(0, equals), value = word.substr(equals + 1);
        const auto number = static_cast<std::size_t>(std::atoll(value.c_str()));
        if (key == "path")
            options.path = value;
        else if (key == "series")
            options.series = number;
        else if (key == "first_machine")
            options.first_machine = static_cast<std::uint32_t>(number);
        else if (key == "interval")
            options.interval = static_cast<std::int64_t>(number) * 1000;
        else if (key == "steps")
            options.steps = number;
        else if (key == "churn")
            options.churn = number != 0;
        else if (key == "generation")
            options.generation = static_cast<std::uint32_t>(number);
        else if (key == "batch")
            options.batch = number;
        else if (key == "senders")
            options.senders = number;
        else
            throw std::runtime_error("unknown key " + key);
    }
    const FeedResult result = feed(options);
    std::printf("{\"samples\":%llu,\"requests\":%llu,\"bytes\":%llu,\"seconds\":%.3f,\"busy_seconds\":%.3f}\n",
                static_cast<unsigned long long>(result.samples), static_cast<unsigned long long>(result.requests),
                static_cast<unsigned long long>(result.bytes), result.seconds, result.busy_seconds);
    return 0;
}

int query_command(char** argv) {
    const int rounds = std::atoi(argv[4]);
    for (const QueryTiming& timing : run_queries(argv[2], read_queries(argv[5]), std::atoll(argv[3]), rounds)) {
        std::ofstream(std::string(argv[6]) + '/' + timing.name + ".json") << timing.answer;
        const auto at = [&](double q) {
            return timing.seconds[static_cast<std::size_t>(q * static_cast<double>(timing.seconds.size() - 1) + 0.5)];
        };
        std::printf("{\"name\":\"%s\",\"p50\":%.6f,\"p95\":%.6f}\n", timing.name.c_str(), at(0.5), at(0.95));
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const std::string verb = argc > 1 ? argv[1] : "";
        if (verb == "feed" && argc >= 4) return feed_command(argc, argv);
        if (verb == "query" && argc == 7) return query_command(argv);
        std::fprintf(
            stderr,
            "usage: bench_metrics feed HOST:PORT START [KEY=VALUE...] | query HOST:PORT END ROUNDS QUERIES DIR\n");
        return 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_metrics: %s\n", error.what());
        return 1;
    }
}
