#include "promql/histogram_text.h"

#include <algorithm>

#include "promql/format.h"
#include "tsdb/histogram_buckets.h"

namespace stoker::promql {

namespace {

// Wider gaps between buckets than this are not filled up with zeros: a literal of a hostile histogram stays short.
constexpr std::int64_t kWidestGap = 10'000;

std::string_view hint_name(tsdb::Histogram::ResetHint hint) {
    switch (hint) {
        case tsdb::Histogram::ResetHint::CounterReset:
            return "reset";
        case tsdb::Histogram::ResetHint::NotCounterReset:
            return "not_reset";
        case tsdb::Histogram::ResetHint::Gauge:
            return "gauge";
        case tsdb::Histogram::ResetHint::Unknown:
            break;
    }
    return "unknown";
}

std::string list(const std::vector<double>& values) {
    std::string out = "[";
    for (const double value : values) {
        if (out.size() > 1) out += ' ';
        out += format_general(value);
    }
    return out + "]";
}

void append_side(std::string& out, const tsdb::SparseBuckets& side, std::string_view offset, std::string_view counts) {
    std::vector<double> values;
    std::int64_t first = 0;
    std::int64_t next = 0;
    for (const tsdb::IndexedBucket& bucket : side) {
        if (values.empty()) first = next = bucket.index;
        if (bucket.index - next > kWidestGap) break;
        for (; next < bucket.index; ++next) values.push_back(0);
        values.push_back(bucket.count);
        ++next;
    }
    if (values.empty()) return;
    if (first != 0) out += " " + std::string(offset) + ":" + std::to_string(first);
    out += " " + std::string(counts) + ":" + list(values);
}

tsdb::SparseBuckets populated(const std::vector<tsdb::BucketSpan>& spans, const std::vector<double>& counts) {
    tsdb::SparseBuckets buckets = tsdb::to_sparse(spans, counts);
    std::erase_if(buckets, [](const tsdb::IndexedBucket& bucket) { return bucket.count == 0; });
    return buckets;
}

}  // namespace

std::string histogram_text(const tsdb::Histogram& histogram) {
    std::string out = "{count:" + format_general(histogram.count) + ", sum:" + format_general(histogram.sum);
    const auto append = [&](const tsdb::Bucket& bucket) {
        if (bucket.count == 0) return;
        out += bucket.lower_inclusive ? ", [" : ", (";
        out += format_general(bucket.lower) + "," + format_general(bucket.upper);
        out += bucket.upper_inclusive ? "]:" : "):";
        out += format_general(bucket.count);
    };
    const tsdb::SparseBuckets negative = tsdb::to_sparse(histogram.negative_spans, histogram.negative);
    for (auto it = negative.rbegin(); it != negative.rend(); ++it) append(tsdb::negative_bucket(histogram, *it));
    if (!histogram.custom()) {
        append({-histogram.zero_threshold, histogram.zero_threshold, true, true, histogram.zero_count});
    }
    for (const tsdb::IndexedBucket& bucket : tsdb::to_sparse(histogram.positive_spans, histogram.positive)) {
        append(tsdb::positive_bucket(histogram, bucket));
    }
    return out + "}";
}

std::string histogram_literal(const tsdb::Histogram& histogram) {
    std::string out;
    const auto field = [&](std::string_view name, double value) {
        if (value != 0) out += " " + std::string(name) + ":" + format_general(value);
    };
    if (histogram.schema != 0) out += " schema:" + std::to_string(histogram.schema);
    field("count", histogram.count);
    field("sum", histogram.sum);
    field("z_bucket", histogram.zero_count);
    field("z_bucket_w", histogram.zero_threshold);
    if (histogram.custom()) out += " custom_values:" + list(histogram.custom_bounds);
    if (histogram.reset_hint != tsdb::Histogram::ResetHint::Unknown) {
        out += " counter_reset_hint:" + std::string(hint_name(histogram.reset_hint));
    }
    append_side(out, populated(histogram.positive_spans, histogram.positive), "offset", "buckets");
    append_side(out, populated(histogram.negative_spans, histogram.negative), "n_offset", "n_buckets");
    if (!out.empty()) out.erase(0, 1);
    return "{{" + out + "}}";
}

void append_json_histogram(std::string& out, const tsdb::Histogram& histogram) {
    const auto append_number = [&](double value) {
        out += '"';
        out += format_sample_value(value);
        out += '"';
    };
    out += "{\"count\":";
    append_number(histogram.count);
    out += ",\"sum\":";
    append_number(histogram.sum);
    bool any = false;
    for (const tsdb::Bucket& bucket : tsdb::all_buckets(histogram)) {
        if (bucket.count == 0) continue;
        out += any ? "," : ",\"buckets\":[";
        any = true;
        // 0: open left, 1: open right, 2: open both, 3: closed both.
        const int rule = bucket.lower_inclusive ? (bucket.upper_inclusive ? 3 : 1) : (bucket.upper_inclusive ? 0 : 2);
        out += '[' + std::to_string(rule) + ',';
        append_number(bucket.lower);
        out += ',';
        append_number(bucket.upper);
        out += ',';
        append_number(bucket.count);
        out += ']';
    }
    if (any) out += ']';
    out += '}';
}

}  // namespace stoker::promql
