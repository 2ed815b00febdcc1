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

void set_point(Column& column, std::size_t step, Point point) {
    if (point.histogram == nullptr) {
        column.values[step] = point.value;
        if (!column.histograms.empty()) column.histograms[step] = nullptr;
        return;
    }
    if (column.histograms.empty()) column.histograms.resize(column.values.size());
    column.values[step] = tsdb::histogram_marker();
    column.histograms[step] = std::move(point.histogram);
}

void clear_point(Column& column, std::size_t step) {
    set_point(column, step, {});
}

void keep_numbers(Column& column) {
    if (column.histograms.empty()) return;
    for (double& value : column.values) {
        if (is_histogram(value)) value = missing();
    }
    column.histograms.clear();
}

void drop_name(Column& column, NameRemoval when) {
    if (when == NameRemoval::Delayed) {
        column.drop_name = true;
    } else {
        column.labels = without_name(column.labels);
    }
}

tsdb::Labels without_name(const tsdb::Labels& labels) {
    static const std::vector<std::string> kDropped = {std::string(tsdb::kMetricName), "__type__", "__unit__"};
    return labels.without(kDropped);
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
        Column& into = frame[at->second];
        for (std::size_t i = 0; i < into.values.size(); ++i) {
            if (!present(column.values[i])) continue;
            if (present(into.values[i])) return same_labels();
            set_point(into, i, point_at(column, i));
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
