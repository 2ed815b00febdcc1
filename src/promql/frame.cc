#include "promql/frame.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "promql/context.h"

namespace stoker::promql {

namespace {

Error same_labels() {
    return execution_error("vector cannot contain metrics with the same labelset");
}

}  // namespace

bool any_present(const std::vector<double>& values) {
    return std::any_of(values.begin(), values.end(), present);
}

tsdb::Labels without_name(const tsdb::Labels& labels) {
    return labels.with(tsdb::kMetricName, "");
}

Result<Frame> join_same_labels(Frame frame) {
    if (frame.size() < 2) return frame;
    std::unordered_map<tsdb::Labels, std::size_t> seen;
    seen.reserve(frame.size());
    std::size_t kept = 0;
    for (Column& column : frame) {
        const auto [at, fresh] = seen.emplace(column.labels, kept);
        if (fresh) {
            if (&frame[kept] != &column) frame[kept] = std::move(column);
            ++kept;
            continue;
        }
        std::vector<double>& into = frame[at->second].values;
        for (std::size_t i = 0; i < into.size(); ++i) {
            if (!present(column.values[i])) continue;
            if (present(into[i])) return same_labels();
            into[i] = column.values[i];
        }
    }
    frame.resize(kept);
    return frame;
}

Result<Unit> require_distinct_labels(const Frame& frame) {
    if (frame.size() < 2) return Unit{};
    std::unordered_map<tsdb::Labels, const Column*> seen;
    seen.reserve(frame.size());
    for (const Column& column : frame) {
        if (any_present(column.values) && !seen.emplace(column.labels, &column).second) return same_labels();
    }
    return Unit{};
}

}  // namespace stoker::promql
