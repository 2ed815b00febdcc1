// Writes the protobuf exposition: what prometheus_protobuf.h reads, as far as current samples need it.
//
// A family is begun, then gets its metrics; values are untyped, native histograms float ones, those with custom bounds
// classic buckets, since this format has no others for them. Not thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "wire/prometheus_protobuf.h"

namespace stoker::wire {

enum class EncodedFamily : std::uint8_t { Untyped, Histogram, GaugeHistogram };

class ProtobufExpositionEncoder {
public:
    using LabelSpan = std::span<const std::pair<std::string_view, std::string_view>>;

    void begin_family(std::string_view name, EncodedFamily type);
    // Times are milliseconds since 1970. REQUIRES: a family of that type was begun.
    void add(LabelSpan labels, double value, std::int64_t time);
    void add(LabelSpan labels, const NativeHistogram& histogram, std::int64_t time);

    // The body. Call once, at the end.
    std::string finish();

private:
    void end_family();

    std::string body_;
    std::string family_;
};

// The Content-Type of such a body.
inline constexpr std::string_view kProtobufContentType =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

// Whether an Accept header asks for this format, and rather than for the text.
bool prefers_protobuf(std::string_view accept);

}  // namespace stoker::wire
