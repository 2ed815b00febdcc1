// Measures the metrics store alone, on one thread, with the series of bench/metrics. Times are of the processor.
//
//   bench_tsdb codec                      bytes, encoding and decoding time per sample, by kind of series
//   bench_tsdb feed DIR [SERIES] [STEPS]  appends as a receiver would and maintains; time, memory, bytes; then is
//   killed bench_tsdb open DIR                   opens what is there: time and memory bench_tsdb query DIR opens, then
//   selects and walks in a few ways bench_tsdb churn DIR [SERIES] [HOURS] replaces all series each hour: memory by the
//   hour
#include <malloc.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <string>

#include "measure.h"
#include "metrics/fleet.h"
#include "tsdb/chunk.h"
#include "tsdb/store.h"

namespace stoker {
namespace {

using bench::FleetSeries;
using bench::Kind;
using bench::Walk;

constexpr std::int64_t kStart = 20'000LL * 24 * 3600 * 1000;
constexpr std::int64_t kInterval = 15'000;
constexpr std::size_t kBatch = 5'000;

// Of this thread's processor, so that neighbours on the machine matter less.
double seconds_of(const std::function<void()>& work) {
    const double began = processor_seconds(CLOCK_THREAD_CPUTIME_ID);
    work();
    return processor_seconds(CLOCK_THREAD_CPUTIME_ID) - began;
}

std::size_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::size_t total = 0;
    std::size_t resident = 0;
    file >> total >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

tsdb::Labels to_labels(const FleetSeries& series, std::uint32_t generation) {
    return tsdb::Labels(bench::labels_of(series, generation));
}

std::unique_ptr<tsdb::Store> open_store(const std::string& directory, metrics::Registry& registry) {
    return must(tsdb::Store::open(directory, {.retention = Duration(400LL * 24 * 3600 * 1000)}, registry));
}

int codec() {
    const std::map<Kind, const char*> names{
        {Kind::Constant, "constant"}, {Kind::Counter, "counter"}, {Kind::Seconds, "seconds"}, {Kind::Slow, "slow"},
        {Kind::Noisy, "noisy"},       {Kind::Bytes, "bytes"},     {Kind::Bucket, "bucket"}};
    const auto fleet = bench::make_fleet(1000, 0);
    std::map<Kind, std::size_t> share;
    std::printf("%-10s %8s %14s %14s %14s %14s\n", "kind", "series", "bytes/sample", "encode ns", "decode ns",
                "open decode ns");
    for (const auto& [kind, name] : names) {
        std::vector<std::vector<tsdb::Sample>> all;
        for (std::size_t i = 0; i < fleet.size(); ++i) {
            if (fleet[i].kind != kind) {
                continue;
            }
            Walk walk(fleet[i], i + 1);
            std::vector<tsdb::Sample> samples;
            for (std::size_t n = 0; n < tsdb::kChunkSamples; ++n) {
                samples.push_back({kStart + static_cast<std::int64_t>(n) * kInterval, walk.next()});
            }
            all.push_back(std::move(samples));
        }
        share[kind] = all.size();
        std::vector<std::string> sealed;
        std::vector<std::string> open;
        constexpr int kRounds = 20;
        const double encoding = seconds_of([&] {
            for (const auto& samples : all) {
                sealed.push_back(tsdb::seal_chunk(samples));
            }
        });
        std::size_t bytes = 0;
        for (const std::string& chunk : sealed) {
            bytes += chunk.size();
        }
        for (const auto& samples : all) {
            open.push_back(tsdb::seal_chunk_as(tsdb::Encoding::Xor, samples));
        }
        std::vector<tsdb::Sample> out;
        const auto decode = [&](const std::vector<std::string>& chunks) {
            return seconds_of([&] {
                for (int round = 0; round < kRounds; ++round) {
                    for (const std::string& chunk : chunks) {
                        out.clear();
                        must(tsdb::read_chunk(chunk, out));
                    }
                }
            });
        };
        const double decoding = decode(sealed);
        const double open_decoding = decode(open);
        const double count = static_cast<double>(all.size() * tsdb::kChunkSamples);
        std::printf("%-10s %8zu %14.3f %14.1f %14.2f %14.2f\n", name, all.size(), static_cast<double>(bytes) / count,
                    encoding / count * 1e9, decoding / count / kRounds * 1e9, open_decoding / count / kRounds * 1e9);
    }
    return 0;
}

struct Fed {
    tsdb::Labels labels;
    Walk walk;
    tsdb::SeriesRef ref = 0;
};

int feed(const std::string& directory, std::size_t count, std::size_t steps, bool settle) {
    metrics::Registry registry;
    auto store = open_store(directory, registry);
    std::vector<Fed> series;
    {
        const auto fleet = bench::make_fleet(count, 0);
        for (std::size_t i = 0; i < fleet.size(); ++i) {
            series.push_back({to_labels(fleet[i], 0), Walk(fleet[i], i + 1)});
        }
    }
    ::malloc_trim(0);
    const std::size_t before = resident_bytes();
    double appending = 0;
    double maintaining = 0;
    double first = 0;
    std::vector<tsdb::CachedSample> batch;
    for (std::size_t step = 0; step < steps; ++step) {
        const std::int64_t time = kStart + static_cast<std::int64_t>(step) * kInterval;
        for (std::size_t from = 0; from < series.size(); from += kBatch) {
            batch.clear();
            const std::size_t to = std::min(from + kBatch, series.size());
            for (std::size_t i = from; i < to; ++i) {
                batch.push_back({&series[i].labels, {time, series[i].walk.next()}, series[i].ref});
            }
            appending += seconds_of([&] { must(store->append_cached(batch)); });
            for (std::size_t i = from; i < to; ++i) {
                series[i].ref = batch[i - from].ref;
            }
        }
        if (step == 0) {
            first = appending;
        }
        maintaining += seconds_of([&] { must(store->maintain(from_millis(time))); });
    }
    const auto samples = static_cast<double>(count * steps);
    std::printf("series %zu, samples %.0f\n", count, samples);
    std::printf("new series: %.2f us each\n", first / static_cast<double>(count) * 1e6);
    std::printf("append: %.1f ns/sample, maintain: %.1f ns/sample\n",
                (appending - first) / static_cast<double>(count * (steps - 1)) * 1e9, maintaining / samples * 1e9);
    std::printf("memory: %.0f bytes/series (%.1f MiB resident in all)\n",
                (static_cast<double>(resident_bytes()) - static_cast<double>(before)) / static_cast<double>(count),
                static_cast<double>(resident_bytes()) / (1 << 20));
    const auto stats = store->stats();
    std::printf("disk: %.3f bytes/sample\n", static_cast<double>(stats.bytes_on_disk) / samples);
    const auto written = registry.text();
    for (const char* name : {"stoker_tsdb_chunk_bytes_total ", "stoker_tsdb_log_bytes ", "stoker_tsdb_disk_bytes "}) {
        const auto at = written.find("\n" + std::string(name));
        std::printf("%s",
                    at == std::string::npos ? "" : written.substr(at + 1, written.find('\n', at + 1) - at).c_str());
    }
    std::fflush(stdout);
    if (settle) {
        const double took = seconds_of([&] { must(store->settle(from_millis(kStart), Duration(60'000))); });
        std::printf("settled in %.2f s: %.3f bytes/sample\n", took,
                    static_cast<double>(store->stats().bytes_on_disk) / samples);
        return 0;
    }
    ::raise(SIGKILL);
    return 0;
}

int open_only(const std::string& directory) {
    metrics::Registry registry;
    std::unique_ptr<tsdb::Store> store;
    const double took = seconds_of([&] { store = open_store(directory, registry); });
    std::printf("open: %.2f s, %zu series, %.1f MiB resident\n", took, store->stats().series,
                static_cast<double>(resident_bytes()) / (1 << 20));
    return 0;
}

void measure(tsdb::Store& store, const char* name, const std::vector<tsdb::Matcher>& matchers, std::int64_t start,
             std::int64_t end) {
    std::vector<std::shared_ptr<tsdb::Series>> found;
    double selecting = 1e9;
    double walking = 1e9;
    std::size_t samples = 0;
    for (int round = 0; round < 3; ++round) {
        found.clear();
        selecting = std::min(selecting, seconds_of([&] { found = must(store.select(matchers, start, end, 0)); }));
        samples = 0;
        walking =
            std::min(walking, seconds_of([&] {
                         for (const auto& series : found) {
                             auto it = series->samples();
                             for (auto block = it->next_block(); !block.samples.empty(); block = it->next_block()) {
                                 samples += block.samples.size();
                             }
                         }
                     }));
    }
    const auto series = static_cast<double>(std::max<std::size_t>(found.size(), 1));
    std::printf("%-28s %8zu series: select %8.2f ms (%6.0f ns each), walk %8.2f ms (%6.0f ns each, %6.2f ns/sample)\n",
                name, found.size(), selecting * 1e3, selecting / series * 1e9, walking * 1e3, walking / series * 1e9,
                walking / static_cast<double>(std::max<std::size_t>(samples, 1)) * 1e9);
}

int query(const std::string& directory) {
    using Op = tsdb::Matcher::Op;
    metrics::Registry registry;
    auto store = open_store(directory, registry);
    const std::int64_t newest = store->stats().newest_time;
    const std::int64_t hour = 3'600'000;
    measure(*store, "all, 5 min", {{"__name__", Op::Regex, ".+"}}, newest - hour / 12, newest);
    measure(*store, "all, 1 h", {{"__name__", Op::Regex, ".+"}}, newest - hour, newest);
    measure(*store, "all, everything", {{"__name__", Op::Regex, ".+"}}, kStart, newest);
    measure(*store, "_total, 5 min", {{"__name__", Op::Regex, ".+_total"}}, newest - hour / 12, newest);
    measure(*store, "cpu, 5 min", {{"__name__", Op::Equal, "node_cpu_seconds_total"}}, newest - hour / 12, newest);
    measure(*store, "cpu of one, 1 h",
            {{"__name__", Op::Equal, "node_cpu_seconds_total"}, {"instance", Op::Equal, "10.1.0.7:9100"}},
            newest - hour, newest);
    measure(*store, "cpu of some, 1 h",
            {{"__name__", Op::Equal, "node_cpu_seconds_total"}, {"instance", Op::Regex, "10.1.0.[123]:.*"}},
            newest - hour, newest);
    std::printf("label values of instance: %.2f ms\n",
                1e3 * seconds_of([&] { must(store->label_values("instance", {}, newest - hour, newest)); }));
    std::printf("resident %.1f MiB\n", static_cast<double>(resident_bytes()) / (1 << 20));
    return 0;
}

int churn(const std::string& directory, std::size_t count, std::size_t hours) {
    metrics::Registry registry;
    auto store = open_store(directory, registry);
    const auto fleet = bench::make_fleet(count, 0);
    std::vector<Walk> walks;
    for (std::size_t i = 0; i < fleet.size(); ++i) {
        walks.emplace_back(fleet[i], i + 1);
    }
    for (std::size_t hour = 0; hour < hours; ++hour) {
        std::vector<tsdb::SeriesSample> batch;
        for (std::size_t step = 0; step < 60; ++step) {
            const std::int64_t time = kStart + static_cast<std::int64_t>(hour * 60 + step) * 60'000;
            for (std::size_t i = 0; i < fleet.size(); ++i) {
                batch.push_back({to_labels(fleet[i], static_cast<std::uint32_t>(hour)), {time, walks[i].next()}});
                if (batch.size() == kBatch || i + 1 == fleet.size()) {
                    must(store->append(batch));
                    batch.clear();
                }
            }
            must(store->maintain(from_millis(time)));
        }
        std::printf("hour %zu: %zu series, %.1f MiB resident\n", hour, store->stats().series,
                    static_cast<double>(resident_bytes()) / (1 << 20));
        std::fflush(stdout);
    }
    return 0;
}

int run(int argc, char** argv) {
    const auto argument = [&](int index, std::size_t otherwise) {
        return argc > index ? std::strtoull(argv[index], nullptr, 10) : otherwise;
    };
    const std::string command = argc > 1 ? argv[1] : "";
    if (command == "codec") {
        return codec();
    }
    if (argc > 2 && command == "feed") {
        return feed(argv[2], argument(3, 100'000), argument(4, 480), argc > 5);
    }
    if (argc > 2 && command == "open") {
        return open_only(argv[2]);
    }
    if (argc > 2 && command == "query") {
        return query(argv[2]);
    }
    if (argc > 2 && command == "churn") {
        return churn(argv[2], argument(3, 100'000), argument(4, 6));
    }
    std::fprintf(stderr, "usage: bench_tsdb codec | (feed|open|query|churn) DIR [SERIES] [STEPS]\n");
    return 2;
}

}  // namespace
}  // namespace stoker

int main(int argc, char** argv) {
    return stoker::run(argc, argv);
}
