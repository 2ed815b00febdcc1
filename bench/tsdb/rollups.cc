// Measures what rollups cost and what they spare: days of a fleet's series at 15 s, their rollups, and long range
// queries with and without. Times are of the processor, except for queries.
//
//   bench_rollups DIR [SERIES] [DAYS]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>

#include "measure.h"
#include "metrics/fleet.h"
#include "promql/engine.h"
#include "tsdb/store.h"

namespace stoker {
namespace {

constexpr std::int64_t kDay = 24LL * 3600 * 1000;
constexpr std::int64_t kStart = 20'000LL * kDay;

// The store's samples alone.
class Plain : public tsdb::Querier {
public:
    explicit Plain(const tsdb::Store& store) : store_(store) {}
    Result<std::vector<std::shared_ptr<tsdb::Series>>> select(const std::vector<tsdb::Matcher>& matchers,
                                                              std::int64_t start, std::int64_t end,
                                                              std::size_t limit) const override {
        return store_.select(matchers, start, end, limit);
    }
    Result<std::vector<std::string>> label_names(const std::vector<tsdb::Matcher>& matchers, std::int64_t start,
                                                 std::int64_t end) const override {
        return store_.label_names(matchers, start, end);
    }
    Result<std::vector<std::string>> label_values(const std::string& name, const std::vector<tsdb::Matcher>& matchers,
                                                  std::int64_t start, std::int64_t end) const override {
        return store_.label_values(name, matchers, start, end);
    }

private:
    const tsdb::Store& store_;
};

void feed(tsdb::Store& store, std::size_t count, std::int64_t days) {
    const auto fleet = bench::make_fleet(count, 0);
    std::vector<bench::Walk> walks;
    std::vector<tsdb::Labels> labels;
    std::vector<tsdb::CachedSample> batch(fleet.size());
    for (std::size_t i = 0; i < fleet.size(); ++i) {
        walks.emplace_back(fleet[i], i + 1);
        labels.emplace_back(bench::labels_of(fleet[i], 0));
    }
    for (std::int64_t time = kStart; time < kStart + days * kDay; time += 15'000) {
        for (std::size_t i = 0; i < batch.size(); ++i) {
            batch[i].labels = &labels[i];
            batch[i].sample = {time, walks[i].next()};
        }
        must(store.append_cached(batch));
        if (time % 300'000 == 0) {
            must(store.maintain(from_millis(time)));
        }
    }
    must(store.maintain(from_millis(kStart + days * kDay)));
}

void ask(const tsdb::Store& store, const std::string& query, std::int64_t days) {
    const promql::Engine engine({.max_samples = std::uint64_t{1} << 40});
    const Plain plain(store);
    for (const tsdb::Querier* querier :
         {static_cast<const tsdb::Querier*>(&store), static_cast<const tsdb::Querier*>(&plain)}) {
        const auto began = std::chrono::steady_clock::now();
        must(engine.range(*querier, query, from_millis(kStart + kDay), from_millis(kStart + days * kDay - 3'600'000),
                          Duration{3'600'000}));
        const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
        std::printf("%-44s %s %8.3f s\n", query.c_str(), querier == &store ? "rollups" : "samples", took);
    }
}

int run(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: bench_rollups DIR [SERIES] [DAYS]\n");
        return 2;
    }
    const std::size_t count = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1000;
    const auto days = static_cast<std::int64_t>(argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 10);
    const Duration forever{4000 * kDay};
    tsdb::StoreOptions options{.retention = forever, .rollup_retention = Duration{0}};
    options.future_window = Duration{0};
    const double samples = static_cast<double>(count) * static_cast<double>(days) * 5760;
    {
        metrics::Registry registry;
        const auto store = must(tsdb::Store::open(argv[1], options, registry));
        const double began = processor_seconds(CLOCK_PROCESS_CPUTIME_ID);
        feed(*store, count, days);
        must(store->settle(from_millis(kStart + days * kDay), Duration{600'000}));
        const auto bytes = static_cast<double>(store->stats().bytes_on_disk);
        std::printf("fed     %6.1f ns and %6.3f bytes a sample\n",
                    (processor_seconds(CLOCK_PROCESS_CPUTIME_ID) - began) / samples * 1e9, bytes / samples);
    }
    const auto roll = [&](const char* what, Duration retention) {
        metrics::Registry registry;
        options.retention = retention;
        options.rollup_retention = forever;
        const auto store = must(tsdb::Store::open(argv[1], options, registry));
        const auto before = static_cast<double>(store->stats().bytes_on_disk);
        const double began = processor_seconds(CLOCK_PROCESS_CPUTIME_ID);
        const std::int64_t rounds = 20 + static_cast<std::int64_t>(samples * 1e-6);
        for (std::int64_t i = 0; i < rounds; ++i) {
            must(store->maintain(from_millis(kStart + (days + 1) * kDay + i)));
        }
        must(store->settle(from_millis(kStart + (days + 1) * kDay), Duration{600'000}));
        std::printf("%s %6.1f ns and %6.3f bytes a sample\n", what,
                    (processor_seconds(CLOCK_PROCESS_CPUTIME_ID) - began) / samples * 1e9,
                    (static_cast<double>(store->stats().bytes_on_disk) - before) / samples);
        return 0;
    };
    roll("hours  ", forever);
    {
        metrics::Registry registry;
        const auto store = must(tsdb::Store::open(argv[1], options, registry));
        const auto largest = store->cardinality({}, 1).series_by_metric.front();
        std::printf("%s: %llu series\n", largest.name.c_str(), static_cast<unsigned long long>(largest.count));
        for (const char* query : {"sum_over_time(M[1d])", "rate(M[1d])", "max_over_time(M[7d])"}) {
            std::string text(query);
            text.replace(text.find('M'), 1, largest.name);
            ask(*store, text, days);
        }
    }
    roll("minutes", Duration{(days + 1) * kDay + kDay / 2});
    return 0;
}

}  // namespace
}  // namespace stoker

int main(int argc, char** argv) {
    return stoker::run(argc, argv);
}
