// A source whose samples local rules look at, and of which adaptive resolution may leave rounds out.
#pragma once

#include <memory>
#include <string_view>

#include "agent/local_rules.h"
#include "agent/resolution.h"
#include "collect/source.h"

namespace stoker::agent {

class WatchedSource final : public collect::Source {
public:
    // `resolution` null: every round is kept.
    WatchedSource(std::shared_ptr<collect::Source> source, std::shared_ptr<LocalRules> rules,
                  std::shared_ptr<Resolution> resolution, Duration quiet_interval)
        : source_(std::move(source)),
          rules_(std::move(rules)),
          resolution_(std::move(resolution)),
          thinning_(quiet_interval) {}

    std::string_view name() const override { return source_->name(); }
    Result<Unit> collect(Timestamp now, collect::SampleSink& sink) override;
    std::size_t memory_bytes() const override { return source_->memory_bytes() + thinning_.held_bytes(); }

private:
    void keep(const std::vector<tsdb::SeriesSample>& samples, collect::SampleSink& sink);

    const std::shared_ptr<collect::Source> source_;
    const std::shared_ptr<LocalRules> rules_;
    const std::shared_ptr<Resolution> resolution_;
    Thinning thinning_;
};

}  // namespace stoker::agent
