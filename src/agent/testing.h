// Verbs of the agent's tests: a folder that goes away, samples, two clocks that a test turns.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "agent/buffer.h"
#include "base/id.h"

namespace stoker::agent::testing {

class TemporaryFolder {
public:
    TemporaryFolder() : path_(std::filesystem::temp_directory_path() / ("stoker-agent-" + random_hex(8))) {
        std::filesystem::create_directories(path_);
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    std::string path() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

// Both clocks, which go on together unless the wall clock is set.
class Clocks {
public:
    Moment now() const { return now_; }
    SteadyTime steady() const { return now_.steady; }
    void pass(Duration time) {
        now_.wall += time;
        now_.steady += time;
    }
    void set_wall(Duration by) { now_.wall += by; }

private:
    Moment now_{from_millis(1'790'000'000'000), SteadyTime{} + std::chrono::hours(1)};
};

inline tsdb::SeriesSample sample(const std::string& metric, Timestamp time, double value) {
    return {tsdb::Labels{{"__name__", metric}, {"instance", "n1"}}, {to_millis(time), value}};
}

inline std::unique_ptr<Buffer> open(const TemporaryFolder& folder, const Clocks& clocks, metrics::Registry& registry,
                                    BufferOptions options = {}) {
    auto buffer = Buffer::open(folder.path(), options, clocks.now(), registry);
    EXPECT_TRUE(buffer) << (buffer ? "" : buffer.error().message);
    return buffer ? *std::move(buffer) : nullptr;
}

// The value of one of the agent's own metrics; 0 if it is not there.
inline double metric(const metrics::Registry& registry, std::string_view name, const std::string& label = "") {
    double found = 0;
    registry.each_sample([&](const metrics::Exposed& one) {
        bool wanted = one.name == name && label.empty();
        for (const auto& pair : one.labels) wanted = wanted || (one.name == name && pair.second == label);
        if (wanted) found += one.value;
    });
    return found;
}

}  // namespace stoker::agent::testing
