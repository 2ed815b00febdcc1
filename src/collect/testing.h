// What collect's tests share: a sink that remembers, and samples as text.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "base/text.h"
#include "collect/sample_sink.h"
#include "tsdb/querier.h"

namespace stoker::collect::testing {

// `name{a="b"}` without the labels that every sample of a target has.
inline std::string series(const tsdb::Labels& labels, const std::vector<std::string>& hide = {"job", "instance"}) {
    return labels.without(hide).text();
}

inline std::string show(double value) {
    return tsdb::is_stale(value) ? "stale" : format_number(value);
}

// Series and value, sorted by series.
inline std::map<std::string, std::string> values(const std::vector<tsdb::SeriesSample>& samples,
                                                 const std::vector<std::string>& hide = {"job", "instance"}) {
    std::map<std::string, std::string> out;
    for (const auto& sample : samples) out[series(sample.labels, hide)] = show(sample.sample.value);
    return out;
}

// Keeps the newest value of each series. Thread-safe.
class RememberingSink : public SampleSink {
public:
    void append(const std::vector<tsdb::SeriesSample>& samples) override {
        std::lock_guard lock(mutex_);
        ++batches_;
        for (const auto& sample : samples) newest_[series(sample.labels, {"job"})] = show(sample.sample.value);
    }
    std::string newest(const std::string& series_text) const {
        std::lock_guard lock(mutex_);
        auto found = newest_.find(series_text);
        return found == newest_.end() ? "absent" : found->second;
    }
    std::size_t batches() const {
        std::lock_guard lock(mutex_);
        return batches_;
    }
    std::string dump() const {
        std::lock_guard lock(mutex_);
        std::string out;
        for (const auto& [name, value] : newest_) out += name + " " + value + "\n";
        return out;
    }

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::string> newest_;
    std::size_t batches_ = 0;
};

// A file of src/collect/testdata, found from this header's own place.
inline std::string testdata(const std::string& name) {
    std::string here = __FILE__;
    std::ifstream file(here.substr(0, here.rfind('/')) + "/testdata/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace stoker::collect::testing
