// Field numbers: opentelemetry-proto, metrics/v1/metrics.proto and common/v1/common.proto.
#include "wire/otlp_encode.h"

#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

namespace stoker::wire::otlp {
namespace {

using protozero::pbf_writer;

void write_attributes(pbf_writer& message, std::uint32_t field, const Attributes& attributes) {
    for (const auto& [key, value] : attributes) {
        pbf_writer pair(message, field);
        pair.add_string(1, key);
        pbf_writer any(pair, 2);
        any.add_string(1, value);
    }
}

void write_buckets(pbf_writer& point, std::uint32_t field, const Buckets& buckets) {
    if (buckets.counts.empty()) return;
    pbf_writer message(point, field);
    message.add_sint32(1, buckets.offset);
    message.add_packed_uint64(2, buckets.counts.begin(), buckets.counts.end());
}

// Gauge and sum.
void write_number(pbf_writer message, const Point& point) {
    write_attributes(message, 7, point.attributes);
    if (point.start != 0) message.add_fixed64(2, point.start);
    message.add_fixed64(3, point.time);
    if (point.value) message.add_double(4, *point.value);
    if (point.flags != 0) message.add_uint32(8, point.flags);
}

void write_histogram(pbf_writer message, const Point& point) {
    write_attributes(message, 9, point.attributes);
    if (point.start != 0) message.add_fixed64(2, point.start);
    message.add_fixed64(3, point.time);
    message.add_fixed64(4, point.count);
    if (point.sum) message.add_double(5, *point.sum);
    message.add_packed_fixed<std::uint64_t>(6, point.bucket_counts.begin(), point.bucket_counts.end());
    message.add_packed_double(7, point.bounds.begin(), point.bounds.end());
    if (point.flags != 0) message.add_uint32(10, point.flags);
}

void write_exponential(pbf_writer message, const Point& point) {
    write_attributes(message, 1, point.attributes);
    if (point.start != 0) message.add_fixed64(2, point.start);
    message.add_fixed64(3, point.time);
    message.add_fixed64(4, point.count);
    if (point.sum) message.add_double(5, *point.sum);
    message.add_sint32(6, point.scale);
    message.add_fixed64(7, point.zero_count);
    write_buckets(message, 8, point.positive);
    write_buckets(message, 9, point.negative);
    if (point.flags != 0) message.add_uint32(10, point.flags);
    if (point.zero_threshold != 0) message.add_double(14, point.zero_threshold);
}

void write_summary(pbf_writer message, const Point& point) {
    write_attributes(message, 7, point.attributes);
    if (point.start != 0) message.add_fixed64(2, point.start);
    message.add_fixed64(3, point.time);
    message.add_fixed64(4, point.count);
    message.add_double(5, point.sum.value_or(0));
    for (const auto& [quantile, value] : point.quantiles) {
        pbf_writer pair(message, 6);
        pair.add_double(1, quantile);
        pair.add_double(2, value);
    }
    if (point.flags != 0) message.add_uint32(8, point.flags);
}

void write_metric(pbf_writer message, const Metric& metric) {
    message.add_string(1, metric.name);
    if (!metric.description.empty()) message.add_string(2, metric.description);
    if (!metric.unit.empty()) message.add_string(3, metric.unit);
    // The field of the kind, and the way its points are written.
    std::uint32_t field = 5;
    auto* write = &write_number;
    switch (metric.kind) {
        case Kind::None:
            return;
        case Kind::Gauge:
            break;
        case Kind::Sum:
            field = 7;
            break;
        case Kind::Histogram:
            field = 9;
            write = &write_histogram;
            break;
        case Kind::ExponentialHistogram:
            field = 10;
            write = &write_exponential;
            break;
        case Kind::Summary:
            field = 11;
            write = &write_summary;
            break;
    }
    pbf_writer data(message, field);
    for (const Point& point : metric.points) write(pbf_writer(data, 1), point);
    const bool has_temporality =
        metric.kind == Kind::Sum || metric.kind == Kind::Histogram || metric.kind == Kind::ExponentialHistogram;
    if (has_temporality) data.add_enum(2, static_cast<int>(metric.temporality));
    if (metric.kind == Kind::Sum) data.add_bool(3, metric.monotonic);
}

}  // namespace

std::string encode_metrics(const MetricsRequest& request) {
    std::string out;
    pbf_writer message(out);
    for (const Resource& resource : request.resources) {
        pbf_writer resource_metrics(message, 1);
        {
            pbf_writer described(resource_metrics, 1);
            write_attributes(described, 1, resource.attributes);
        }
        for (const Scope& scope : resource.scopes) {
            pbf_writer scope_metrics(resource_metrics, 2);
            {
                pbf_writer described(scope_metrics, 1);
                described.add_string(1, scope.name);
                described.add_string(2, scope.version);
                write_attributes(described, 3, scope.attributes);
            }
            for (const Metric& metric : scope.metrics) write_metric(pbf_writer(scope_metrics, 2), metric);
            if (!scope.schema_url.empty()) scope_metrics.add_string(3, scope.schema_url);
        }
    }
    return out;
}

PartialSuccess parse_partial_success(std::string_view body) {
    PartialSuccess told;
    try {
        protozero::pbf_reader response(body.data(), body.size());
        while (response.next()) {
            if (response.tag() != 1 || response.wire_type() != protozero::pbf_wire_type::length_delimited) {
                response.skip();
                continue;
            }
            auto partial = response.get_message();
            while (partial.next()) {
                if (partial.tag() == 1 && partial.wire_type() == protozero::pbf_wire_type::varint) {
                    told.rejected = partial.get_int64();
                } else if (partial.tag() == 2 && partial.wire_type() == protozero::pbf_wire_type::length_delimited) {
                    told.message = partial.get_string();
                } else {
                    partial.skip();
                }
            }
        }
    } catch (const protozero::exception&) {
        return {};
    }
    if (told.rejected < 0) told.rejected = 0;
    return told;
}

}  // namespace stoker::wire::otlp
