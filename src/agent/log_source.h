// Log files as a source of the agent: what is appended to them goes to a LogSink, and the numbers that this gives are
// samples like all others.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "collect/logs/file_follower.h"
#include "collect/source.h"

namespace stoker::agent {

struct LogSourceOptions {
    std::string name;
    collect::FollowerOptions follower;
    std::string instance;
    // Set: its samples go there, and not to the sink of all sources.
    std::function<void(const std::vector<tsdb::SeriesSample>&)> local;
};

class LogSource final : public collect::Source {
public:
    // Makes what takes the lines; its metrics belong into the registry given.
    using MakeSink = std::function<std::unique_ptr<collect::LogSink>(metrics::Registry&)>;

    LogSource(LogSourceOptions options, const MakeSink& make);

    std::string_view name() const override { return options_.name; }

    // That the lines were not taken is no error of the round: they are read again in the next.
    Result<Unit> collect(Timestamp now, collect::SampleSink& sink) override;

private:
    const LogSourceOptions options_;
    metrics::Registry registry_;  // The thread may outlive the agent's.
    const std::unique_ptr<collect::LogSink> lines_;
    collect::FileFollower follower_;
};

}  // namespace stoker::agent
