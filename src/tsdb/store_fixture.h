// A vocabulary for tests of the store: a folder that goes away, series named by a letter, and what a store answers.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tsdb/store.h"

namespace stoker::tsdb::testing {

inline constexpr std::int64_t kMinTime = std::numeric_limits<std::int64_t>::min() / 2;
inline constexpr std::int64_t kMaxTime = std::numeric_limits<std::int64_t>::max() / 2;

class TempFolder {
public:
    TempFolder() {
        static std::atomic<int> next{0};
        path_ = std::filesystem::temp_directory_path() /
                ("stoker_tsdb_" + std::to_string(::getpid()) + "_" + std::to_string(next.fetch_add(1)));
        std::filesystem::remove_all(path_);
        std::filesystem::create_directories(path_);
    }
    ~TempFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;

    std::string path() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

// A store that can be closed and opened again over the same folder.
class TestStore {
public:
    explicit TestStore(StoreOptions options = {}) : options_(options) { reopen(); }

    void reopen() {
        store_.reset();
        auto opened = Store::open(folder_.path(), options_, registry_);
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        store_ = *std::move(opened);
    }
    Store& operator*() { return *store_; }
    Store* operator->() { return store_.get(); }
    std::string path() const { return folder_.path(); }
    void close() { store_.reset(); }

    // Appends and expects success.
    AppendOutcome append(const std::vector<SeriesSample>& batch) {
        auto outcome = store_->append(batch);
        EXPECT_TRUE(outcome.has_value()) << outcome.error().message;
        return outcome ? *outcome : AppendOutcome{};
    }
    void maintain(std::int64_t now_ms) { maintain(now_ms, now_ms); }
    void maintain(std::int64_t now_ms, std::int64_t age_now_ms) {
        auto done = store_->maintain(from_millis(now_ms), from_millis(age_now_ms));
        EXPECT_TRUE(done.has_value()) << done.error().message;
    }

private:
    TempFolder folder_;
    StoreOptions options_;
    metrics::Registry registry_;
    std::unique_ptr<Store> store_;
};

// Samples by value bits, so that NaNs compare.
using Samples = std::vector<std::pair<std::int64_t, std::uint64_t>>;
using Content = std::map<std::string, Samples>;

inline Samples samples_of(const Series& series) {
    Samples samples;
    Sample sample;
    for (auto it = series.samples(); it->next(sample);) {
        samples.emplace_back(sample.time, std::bit_cast<std::uint64_t>(sample.value));
    }
    return samples;
}

// Everything that matches, by the labels' text; series without samples in the range are left out.
inline Content content(const Querier& querier, const std::vector<Matcher>& matchers = {}, std::int64_t start = kMinTime,
                       std::int64_t end = kMaxTime) {
    Content result;
    auto found = querier.select(matchers, start, end, 0);
    EXPECT_TRUE(found.has_value()) << found.error().message;
    if (found) {
        for (const auto& series : *found) {
            if (Samples samples = samples_of(*series); !samples.empty()) {
                result[series->labels().text()] = std::move(samples);
            }
        }
    }
    return result;
}

inline SeriesSample at(const std::string& metric, std::int64_t time, double value) {
    return {Labels{{"__name__", metric}}, {time, value}};
}

}  // namespace stoker::tsdb::testing
