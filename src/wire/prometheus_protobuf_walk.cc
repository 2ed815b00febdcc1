#include "wire/prometheus_protobuf_walk.h"

#include <array>
#include <cmath>

#include "base/text.h"
#include "wire/prometheus_protobuf_fields.h"

namespace stoker::wire {

namespace {

// io.prometheus.client: MetricFamily.
constexpr std::uint32_t kFamilyName = 1;
constexpr std::uint32_t kFamilyHelp = 2;
constexpr std::uint32_t kFamilyType = 3;
constexpr std::uint32_t kFamilyMetric = 4;
constexpr std::uint32_t kFamilyUnit = 5;
// Metric.
constexpr std::uint32_t kLabel = 1;
constexpr std::uint32_t kGauge = 2;
constexpr std::uint32_t kCounter = 3;
constexpr std::uint32_t kSummary = 4;
constexpr std::uint32_t kUntyped = 5;
constexpr std::uint32_t kTimestampMs = 6;
constexpr std::uint32_t kHistogram = 7;
// LabelPair and google.protobuf.Timestamp.
constexpr std::uint32_t kName = 1;
constexpr std::uint32_t kText = 2;
constexpr std::uint32_t kSeconds = 1;
constexpr std::uint32_t kNanos = 2;
// Gauge, Counter and Untyped.
constexpr std::uint32_t kValue = 1;
constexpr std::uint32_t kCounterExemplar = 2;
constexpr std::uint32_t kCounterCreated = 3;
// Summary and Quantile.
constexpr std::uint32_t kSummaryCount = 1;
constexpr std::uint32_t kSummarySum = 2;
constexpr std::uint32_t kSummaryQuantile = 3;
constexpr std::uint32_t kSummaryCreated = 4;
constexpr std::uint32_t kQuantile = 1;
constexpr std::uint32_t kQuantileValue = 2;
// Exemplar.
constexpr std::uint32_t kExemplarLabel = 1;
constexpr std::uint32_t kExemplarValue = 2;
constexpr std::uint32_t kExemplarTimestamp = 3;

constexpr std::array<std::string_view, 6> kTypes = {"counter", "gauge",     "summary",
                                                    "unknown", "histogram", "gaugehistogram"};

// As OpenMetrics writes bounds: with a point or an exponent, so that "1" and "1.0" are not two series.
std::string bound_text(double bound) {
    std::string text = format_number(bound);
    const bool whole = std::isfinite(bound) && text.find_first_of(".e") == std::string::npos;
    return whole ? text + ".0" : text;
}

}  // namespace

void ProtobufWalk::family(std::string_view message) {
    family_ = {};
    family_.type = kTypes[0];  // The number of counters is 0, which need not be sent.
    Reader fields = reader_of(message);
    while (fields.next()) {
        switch (fields.tag_and_type()) {
            case bytes_field(kFamilyName):
                family_.name = text_of(fields);
                break;
            case bytes_field(kFamilyHelp):
                family_.help = text_of(fields);
                break;
            case varint_field(kFamilyType): {
                const auto type = static_cast<std::uint32_t>(fields.get_enum());
                family_.type = type < kTypes.size() ? kTypes[type] : "unknown";
                break;
            }
            case bytes_field(kFamilyUnit):
                family_.unit = text_of(fields);
                break;
            default:
                fields.skip();
        }
    }
    if (family_.name.empty()) {
        throw Malformed{"a family without a name"};
    }
    if (visitor_.on_family) {
        visitor_.on_family(family_);
    }
    // The metrics only now: the unit, for one, is sent after them.
    for (Reader again = reader_of(message); again.next();) {
        if (again.tag_and_type() == bytes_field(kFamilyMetric)) {
            metric(again.get_message());
        } else {
            again.skip();
        }
    }
}

void ProtobufWalk::metric(Reader message) {
    sample_ = {};
    const Reader whole = message;
    while (message.next()) {
        switch (message.tag_and_type()) {
            case bytes_field(kLabel):
                if (sample_.labels.size() >= limits_.max_labels) {
                    throw PastLimit{"labels"};
                }
                sample_.labels.push_back(read_label(message.get_message()));
                break;
            case varint_field(kTimestampMs):
                sample_.time_ms = message.get_int64();
                break;
            default:
                message.skip();
        }
    }
    for (Reader again = whole; again.next();) {
        switch (again.tag_and_type()) {
            case bytes_field(kGauge):
            case bytes_field(kCounter):
            case bytes_field(kUntyped):
                value(again.get_message());
                break;
            case bytes_field(kSummary):
                summary(again.get_message());
                break;
            case bytes_field(kHistogram):
                histogram(again.get_message());
                break;
            default:
                again.skip();
        }
    }
}

void ProtobufWalk::value(Reader message) {
    double number = 0;
    std::vector<ProtobufExemplar> exemplar;
    while (message.next()) {
        switch (message.tag_and_type()) {
            case fixed64_field(kValue):
                number = message.get_double();
                break;
            case bytes_field(kCounterExemplar):
                exemplar.assign(1, read_exemplar(message.get_message()));
                break;
            case bytes_field(kCounterCreated):
                sample_.created_ms = read_time(message.get_message());
                break;
            default:
                message.skip();
        }
    }
    emit("", number, exemplar);
}

void ProtobufWalk::summary(Reader message) {
    double count = 0;
    double sum = 0;
    std::vector<std::pair<double, double>> quantiles;
    while (message.next()) {
        switch (message.tag_and_type()) {
            case varint_field(kSummaryCount):
                count = static_cast<double>(message.get_uint64());
                break;
            case fixed64_field(kSummarySum):
                sum = message.get_double();
                break;
            case bytes_field(kSummaryQuantile): {
                if (quantiles.size() >= limits_.max_samples) {
                    throw PastLimit{"quantiles"};
                }
                auto& [quantile, at] = quantiles.emplace_back(0.0, 0.0);
                for (Reader one = message.get_message(); one.next();) {
                    if (one.tag_and_type() == fixed64_field(kQuantile)) {
                        quantile = one.get_double();
                    } else if (one.tag_and_type() == fixed64_field(kQuantileValue)) {
                        at = one.get_double();
                    } else {
                        one.skip();
                    }
                }
                break;
            }
            case bytes_field(kSummaryCreated):
                sample_.created_ms = read_time(message.get_message());
                break;
            default:
                message.skip();
        }
    }
    for (const auto& [quantile, at] : quantiles) {
        emit_with("", "quantile", quantile, at);
    }
    emit("_sum", sum);
    emit("_count", count);
}

std::int64_t ProtobufWalk::read_time(Reader message) {
    std::int64_t seconds = 0;
    std::int64_t nanos = 0;
    while (message.next()) {
        switch (message.tag_and_type()) {
            case varint_field(kSeconds):
                seconds = message.get_int64();
                break;
            case varint_field(kNanos):
                nanos = message.get_int32();
                break;
            default:
                message.skip();
        }
    }
    constexpr std::int64_t kMostSeconds = 1LL << 40;
    if (seconds > kMostSeconds || seconds < -kMostSeconds) {
        throw Malformed{"a timestamp no clock shows"};
    }
    return seconds * 1000 + nanos / 1'000'000;
}

std::pair<std::string_view, std::string_view> ProtobufWalk::read_label(Reader message) {
    std::pair<std::string_view, std::string_view> label;
    while (message.next()) {
        switch (message.tag_and_type()) {
            case bytes_field(kName):
                label.first = text_of(message);
                break;
            case bytes_field(kText):
                label.second = text_of(message);
                break;
            default:
                message.skip();
        }
    }
    return label;
}

ProtobufExemplar ProtobufWalk::read_exemplar(Reader message) {
    ProtobufExemplar exemplar;
    while (message.next()) {
        switch (message.tag_and_type()) {
            case bytes_field(kExemplarLabel):
                if (exemplar.labels.size() >= limits_.max_labels) {
                    throw PastLimit{"labels of an exemplar"};
                }
                exemplar.labels.push_back(read_label(message.get_message()));
                break;
            case fixed64_field(kExemplarValue):
                exemplar.value = message.get_double();
                break;
            case bytes_field(kExemplarTimestamp):
                exemplar.time_ms = read_time(message.get_message());
                break;
            default:
                message.skip();
        }
    }
    return exemplar;
}

void ProtobufWalk::count_sample() {
    if (samples_ >= limits_.max_samples) {
        throw PastLimit{"samples"};
    }
    ++samples_;
}

void ProtobufWalk::emit(std::string_view suffix, double value, std::span<const ProtobufExemplar> exemplars) {
    count_sample();
    name_.assign(family_.name).append(suffix);
    sample_.name = name_;
    sample_.value = value;
    sample_.histogram = nullptr;
    sample_.exemplars = exemplars;
    visitor_.on_sample(sample_);
}

void ProtobufWalk::emit_with(std::string_view suffix, std::string_view label, double bound, double value,
                             std::span<const ProtobufExemplar> exemplars) {
    bound_ = bound_text(bound);
    sample_.labels.emplace_back(label, bound_);
    emit(suffix, value, exemplars);
    sample_.labels.pop_back();
}

}  // namespace stoker::wire
