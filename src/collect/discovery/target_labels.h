// From what a source tells of a target to what is scraped: Prometheus' labels, defaults and relabelling.
//
// Pure; a TargetMaker is constant after construction and thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "collect/discovery/scrape_config.h"
#include "net/http.h"

namespace stoker::collect {

// Targets that a source tells of together, with labels that all of them have.
struct TargetGroup {
    std::string source;  // Tells a source's groups apart.
    std::vector<LabelMap> targets;
    LabelMap labels;
};

// A target as it is scraped.
struct MadeTarget {
    LabelMap discovered;  // Before relabelling, with __address__ and the source's __meta_*.
    LabelMap labels;      // What its series get.
    net::Url url;         // Parameters included.
    std::string shown;    // The same as text.
    Duration interval{0};
    Duration timeout{0};
    std::string key;  // The same for targets that are the same.
};

class TargetMaker {
public:
    // Errors: InvalidArgument (a relabelling rule).
    static Result<TargetMaker> create(ScrapeConfig config);

    // `labels`: the source's and the group's, the target's own winning. Nothing if relabelling dropped it. Errors:
    // InvalidArgument (no address, a bad interval, a value that is not UTF-8).
    Result<std::optional<MadeTarget>> make(const LabelMap& labels) const;

    // The labels before relabelling.
    LabelMap discovered(const LabelMap& labels) const;

private:
    TargetMaker(ScrapeConfig config, Relabeler relabeler)
        : config_(std::move(config)), relabeler_(std::move(relabeler)) {}
    std::string path_of(const LabelMap& labels) const;

    ScrapeConfig config_;
    Relabeler relabeler_;
};

}  // namespace stoker::collect
