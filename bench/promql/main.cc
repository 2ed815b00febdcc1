// Times queries over a store of its own making: the engine and the store together, without HTTP.
//
//   bench_promql [--instances N] [--minutes N] [--threads N] [--only TEXT] [--directory DIR]
//
// Each instance has some 250 series (100,000 for the 400 by default): CPUs, disks, interfaces, an engine's counters and
// latency buckets. One sample every 15 s. A store that is already in the directory is used as it is.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "promql/engine.h"
#include "tsdb/store.h"

namespace {

using namespace stoker;  // NOLINT: a program of one file.
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kEvery = 15'000;
constexpr std::int64_t kStart = 1'700'000'000'000 / kEvery * kEvery;

struct Options {
    int instances = 400;
    int minutes = 90;
    std::size_t threads = 1;
    std::string only;
    std::string directory;
};

struct Made {
    tsdb::Labels labels;
    double value;
    double step;  // By how much it rises, or moves at most.
    bool counter;
};

std::vector<Made> make_series(int instances) {
    std::vector<Made> all;
    std::mt19937_64 random(1);
    for (int i = 0; i < instances; ++i) {
        const std::string instance = "10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ":9100";
        const std::string cluster = "eu-" + std::to_string(i % 4);
        const auto add = [&](const char* name, std::vector<tsdb::Labels::Pair> labels, bool counter) {
            labels.emplace_back("__name__", name);
            labels.emplace_back("instance", instance);
            labels.emplace_back("cluster", cluster);
            labels.emplace_back("job", "node");
            all.push_back(
                {tsdb::Labels(std::move(labels)), double(random() % 1000), 1 + double(random() % 50), counter});
        };
        for (int cpu = 0; cpu < 16; ++cpu) {
            for (const char* mode : {"idle", "user", "system", "iowait", "irq", "softirq", "steal", "nice"}) {
                add("node_cpu_seconds_total", {{"cpu", std::to_string(cpu)}, {"mode", mode}}, true);
            }
        }
        for (int device = 0; device < 8; ++device) {
            for (const char* name : {"node_network_receive_bytes_total", "node_network_transmit_bytes_total",
                                     "node_disk_read_bytes_total", "node_disk_io_time_seconds_total"}) {
                add(name, {{"device", "dev" + std::to_string(device)}}, true);
            }
            for (const char* name : {"node_filesystem_avail_bytes", "node_filesystem_size_bytes"}) {
                add(name, {{"mountpoint", "/data/" + std::to_string(device)}}, false);
            }
        }
        for (const char* name :
             {"node_load1", "node_load5", "node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes"}) {
            add(name, {}, false);
        }
        for (int model = 0; model < 4; ++model) {
            const std::string label = "model-" + std::to_string(model);
            for (const char* le : {"0.01", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"}) {
                add("request_seconds_bucket", {{"model", label}, {"le", le}}, true);
            }
            add("tokens_total", {{"model", label}}, true);
            add("queue_length", {{"model", label}}, false);
        }
    }
    return all;
}

int fill(tsdb::Store& store, const Options& options) {
    std::vector<Made> series = make_series(options.instances);
    std::mt19937_64 random(2);
    std::vector<tsdb::CachedSample> batch(series.size());
    for (std::size_t i = 0; i < series.size(); ++i) batch[i].labels = &series[i].labels;
    for (int scrape = 0; scrape < options.minutes * 4; ++scrape) {
        for (std::size_t i = 0; i < series.size(); ++i) {
            Made& made = series[i];
            const double part = double(random() % 1024) / 1024;
            made.value = made.counter ? made.value + std::floor(made.step * part) : made.step * 100 * part;
            batch[i].sample = {kStart + scrape * kEvery + std::int64_t(i % 1000), made.value};
        }
        if (!store.append_cached(batch)) return 1;
        if (scrape % 40 == 39 && !store.maintain(from_millis(kStart + scrape * kEvery))) return 1;
    }
    return 0;
}

struct Timed {
    const char* name;
    int minutes;  // 0: an instant query.
    int step;     // Seconds.
    const char* query;
};

constexpr Timed kQueries[] = {
    {"cpu of one", 60, 15, R"(sum by (mode) (rate(node_cpu_seconds_total{instance="10.0.0.7:9100"}[2m])))"},
    {"memory of one", 60, 15,
     R"(node_memory_MemAvailable_bytes{instance="10.0.0.7:9100"} / node_memory_MemTotal_bytes)"},
    {"tokens by model", 60, 15, "sum by (model) (rate(tokens_total[1m]))"},
    {"p99 by model", 60, 15, "histogram_quantile(0.99, sum by (le, model) (rate(request_seconds_bucket[5m])))"},
    {"load by cluster", 60, 15, "avg by (cluster) (node_load1)"},
    {"top queues", 60, 15, "topk(5, max by (instance) (queue_length))"},
    {"queue mean", 60, 15, R"(avg_over_time(queue_length{cluster="eu-2"}[10m]))"},
    {"all cpus", 60, 60, "sum by (cluster) (rate(node_cpu_seconds_total{mode!=\"idle\"}[5m]))"},
    {"all buckets", 60, 60, "sum by (le) (rate(request_seconds_bucket[5m]))"},
    {"regex of instances", 60, 60,
     R"(sum by (instance) (rate(node_network_transmit_bytes_total{instance=~"10\\.0\\.0\\.(1|2)[0-9]:9100"}[5m])))"},
    {"peaks", 60, 60, "max_over_time(node_load1[30m])"},
    {"long sums", 60, 60, "sum_over_time(queue_length[1h])"},
    {"subquery", 60, 60, "max_over_time(sum by (model) (rate(tokens_total[1m]))[10m:1m])"},
    {"alert: disk full", 0, 0, "node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.001"},
    {"alert: disk soon", 0, 0, "predict_linear(node_filesystem_avail_bytes[30m], 4 * 3600) < 0"},
    {"alert: hot", 0, 0, "max_over_time(queue_length[10m]) > 1e9"},
    {"alert: queue", 0, 0, "avg_over_time(queue_length[5m]) > 1e9 and on (instance, model) tokens_total > 1"},
    {"alert: p99", 0, 0, "histogram_quantile(0.99, sum by (le, instance) (rate(request_seconds_bucket[5m]))) > 30"},
    {"count of all", 0, 0, R"(count({__name__=~".+"}))"},
    {"count by name", 0, 0, R"(sort_desc(count by (__name__) ({__name__=~"node_.+"})))"},
    {"sum of all counters", 0, 0, R"(sum by (job) ({__name__=~".+_total"}))"},
    {"sum of all rates", 0, 0, "sum(rate(node_cpu_seconds_total[5m]))"},
    {"all series of a name", 0, 0, "node_network_receive_bytes_total"},
    {"quantile", 0, 0, "quantile by (cluster) (0.9, rate(node_network_receive_bytes_total[5m]))"},
};

void time_query(const tsdb::Store& store, const promql::Engine& engine, const Timed& timed, const Options& options) {
    const auto end = from_millis(kStart + options.minutes * 60'000LL - 30'000);
    std::vector<double> took;
    std::size_t bytes = 0;
    double busy = 1e9;
    for (const auto began = Clock::now();
         took.size() < 3 || (took.size() < 30 && Clock::now() - began < std::chrono::seconds(1));) {
        const auto before = Clock::now();
        const std::clock_t cpu_before = std::clock();
        const auto value = timed.minutes == 0
                               ? engine.instant(store, timed.query, end)
                               : engine.range(store, timed.query, end - Duration{timed.minutes * 60'000LL}, end,
                                              Duration{timed.step * 1000LL});
        if (!value) {
            std::printf("%-22s %s\n", timed.name, value.error().message.c_str());
            return;
        }
        bytes = promql::to_prometheus_json(*value).size();
        took.push_back(std::chrono::duration<double, std::milli>(Clock::now() - before).count());
        busy = std::min(busy, double(std::clock() - cpu_before) * 1000 / CLOCKS_PER_SEC);
    }
    std::sort(took.begin(), took.end());
    std::printf("%-22s %10.2f %10.2f %10.2f %10zu\n", timed.name, took.front(), took[took.size() / 2], busy, bytes);
    std::fflush(stdout);
}

int run(const Options& options) {
    const bool own = options.directory.empty();
    const std::string directory =
        own ? (std::filesystem::temp_directory_path() / "stoker-bench-promql").string() : options.directory;
    if (own) std::filesystem::remove_all(directory);
    const bool filled = std::filesystem::exists(directory);
    metrics::Registry registry;
    tsdb::StoreOptions store_options;
    store_options.retention = Duration{20LL * 365 * 24 * 3600 * 1000};
    auto store = tsdb::Store::open(directory, store_options, registry);
    if (!store) {
        std::fprintf(stderr, "%s\n", store.error().message.c_str());
        return 1;
    }
    const auto began = Clock::now();
    if (!filled && fill(**store, options) != 0) return 1;
    std::printf("%zu series, %.1f s to fill\n", (*store)->stats().series,
                std::chrono::duration<double>(Clock::now() - began).count());
    promql::EngineOptions engine_options;
    engine_options.threads = options.threads;
    const promql::Engine engine(engine_options);
    std::printf("%-22s %10s %10s %10s %10s\n", "", "best ms", "median ms", "CPU ms", "bytes");
    for (const Timed& timed : kQueries) {
        if (std::strstr(timed.name, options.only.c_str()) != nullptr) time_query(**store, engine, timed, options);
    }
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::printf("peak memory %ld MiB\n", usage.ru_maxrss / 1024);
    store->reset();
    if (own) std::filesystem::remove_all(directory);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i];
        if (name == "--instances") options.instances = std::atoi(argv[i + 1]);
        if (name == "--minutes") options.minutes = std::atoi(argv[i + 1]);
        if (name == "--threads") options.threads = std::size_t(std::atoi(argv[i + 1]));
        if (name == "--only") options.only = argv[i + 1];
        if (name == "--directory") options.directory = argv[i + 1];
    }
    return run(options);
}
