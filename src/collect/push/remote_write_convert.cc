#include "collect/push/remote_write_convert.h"

#include <algorithm>
#include <array>

#include "wire/utf8.h"

namespace stoker::collect {
namespace {

template <typename To, typename From>
std::vector<To> spans(const std::vector<From>& from) {
    std::vector<To> to;
    to.reserve(from.size());
    for (const From& span : from) {
        to.push_back({span.offset, span.length});
    }
    return to;
}

Error invalid(std::string what) {
    return {Errc::InvalidArgument, std::move(what)};
}

// Sorted by name; each name once, all of it UTF-8.
Result<wire::LabelViews> checked_pairs(std::string_view bytes, std::size_t max_labels) {
    wire::LabelViews pairs;
    TRY_UNIT(wire::parse_label_bytes(bytes, pairs));
    if (pairs.size() > max_labels) {
        return invalid(std::to_string(pairs.size()) + " labels, more than " + std::to_string(max_labels));
    }
    std::sort(pairs.begin(), pairs.end());
    const auto same_name = [](const auto& a, const auto& b) { return a.first == b.first; };
    if (const auto twice = std::adjacent_find(pairs.begin(), pairs.end(), same_name); twice != pairs.end()) {
        return invalid("the label " + std::string(twice->first.substr(0, 100)) + " twice");
    }
    for (const auto& [name, value] : pairs) {
        if (name.empty()) {
            return invalid("a label without a name");
        }
        if (!wire::valid_utf8(name) || !wire::valid_utf8(value)) {
            return invalid("a label that is not UTF-8");
        }
    }
    return pairs;
}

tsdb::Labels owned(const wire::LabelViews& views) {
    std::vector<tsdb::Labels::Pair> pairs;
    pairs.reserve(views.size());
    for (const auto& [name, value] : views) {
        if (!value.empty()) {
            pairs.emplace_back(name, value);
        }
    }
    return tsdb::Labels(std::move(pairs));
}

}  // namespace

tsdb::HistogramPtr to_store(wire::NativeHistogram&& from) {
    auto to = std::make_shared<tsdb::Histogram>();
    to->reset_hint = static_cast<tsdb::Histogram::ResetHint>(from.reset_hint);
    to->schema = from.schema;
    to->zero_threshold = from.zero_threshold;
    to->zero_count = from.zero_count;
    to->count = from.count;
    to->sum = from.sum;
    to->positive_spans = spans<tsdb::BucketSpan>(from.positive_spans);
    to->negative_spans = spans<tsdb::BucketSpan>(from.negative_spans);
    to->positive = std::move(from.positive);
    to->negative = std::move(from.negative);
    to->custom_bounds = std::move(from.custom_bounds);
    return to;
}

wire::NativeHistogram to_wire(const tsdb::Histogram& from, std::int64_t time, std::int64_t start_time) {
    wire::NativeHistogram to;
    to.time = time;
    to.start_time = start_time;
    to.reset_hint = static_cast<wire::NativeHistogram::ResetHint>(from.reset_hint);
    to.schema = from.schema;
    to.zero_threshold = from.zero_threshold;
    to.zero_count = from.zero_count;
    to.count = from.count;
    to.sum = from.sum;
    to.positive_spans = spans<wire::NativeHistogram::Span>(from.positive_spans);
    to.negative_spans = spans<wire::NativeHistogram::Span>(from.negative_spans);
    to.positive = from.positive;
    to.negative = from.negative;
    to.custom_bounds = from.custom_bounds;
    return to;
}

Result<tsdb::Labels> to_labels(std::string_view bytes, std::size_t max_labels) {
    TRY(const auto pairs, checked_pairs(bytes, max_labels));
    const auto is_metric = [](const auto& pair) { return pair.first == tsdb::kMetricName && !pair.second.empty(); };
    if (std::none_of(pairs.begin(), pairs.end(), is_metric)) {
        return invalid("no metric name");
    }
    return owned(pairs);
}

Result<tsdb::Labels> to_exemplar_labels(std::string_view bytes, std::size_t max_labels) {
    TRY(const auto pairs, checked_pairs(bytes, max_labels));
    return owned(pairs);
}

std::string_view family_of(std::string_view metric, std::string_view type) {
    const auto without = [metric](std::initializer_list<std::string_view> suffixes) {
        for (const std::string_view suffix : suffixes) {
            if (metric.size() > suffix.size() && metric.ends_with(suffix)) {
                return metric.substr(0, metric.size() - suffix.size());
            }
        }
        return metric;
    };
    if (type == "histogram") return without({"_bucket", "_count", "_sum"});
    if (type == "gaugehistogram") return without({"_bucket", "_gcount", "_gsum"});
    if (type == "summary") return without({"_count", "_sum"});
    return metric;
}

}  // namespace stoker::collect
