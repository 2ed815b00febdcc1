// Field numbers: opentelemetry-proto, metrics/v1/metrics.proto and common/v1/common.proto.
#include <protozero/pbf_reader.hpp>

#include "wire/otlp.h"
#include "wire/otlp_value_protobuf.h"

namespace stoker::wire::otlp {
namespace {

using protozero::pbf_reader;

class Decoder : private internal::ProtobufValues {
public:
    using ProtobufValues::ProtobufValues;

    void request(pbf_reader message, MetricsRequest& out) {
        while (message.next()) {
            if (message.tag_and_type() == bytes_field(1)) {
                resource_metrics(message.get_message(), budget_.add(out.resources));
            } else {
                message.skip();
            }
        }
    }

private:
    void resource_metrics(pbf_reader message, Resource& out) {
        while (message.next()) {
            switch (message.tag_and_type()) {
                case bytes_field(1):
                    resource(message.get_message(), out);
                    break;
                case bytes_field(2):
                    scope_metrics(message.get_message(), budget_.add(out.scopes));
                    break;
                default:
                    message.skip();
            }
        }
    }

    void resource(pbf_reader message, Resource& out) {
        while (message.next()) {
            if (message.tag_and_type() == bytes_field(1)) {
                attribute(message.get_message(), out.attributes);
            } else {
                message.skip();
            }
        }
    }

    void scope_metrics(pbf_reader message, Scope& out) {
        while (message.next()) {
            switch (message.tag_and_type()) {
                case bytes_field(1):
                    scope(message.get_message(), out);
                    break;
                case bytes_field(2):
                    metric(message.get_message(), budget_.add(out.metrics));
                    break;
                case bytes_field(3):
                    text(message, out.schema_url);
                    break;
                default:
                    message.skip();
            }
        }
    }

    void scope(pbf_reader message, Scope& out) {
        while (message.next()) {
            switch (message.tag_and_type()) {
                case bytes_field(1):
                    text(message, out.name);
                    break;
                case bytes_field(2):
                    text(message, out.version);
                    break;
                case bytes_field(3):
                    attribute(message.get_message(), out.attributes);
                    break;
                default:
                    message.skip();
            }
        }
    }

    void metric(pbf_reader message, Metric& out) {
        while (message.next()) {
            switch (message.tag_and_type()) {
                case bytes_field(1):
                    text(message, out.name);
                    break;
                case bytes_field(2):
                    text(message, out.description);
                    break;
                case bytes_field(3):
                    text(message, out.unit);
                    break;
                case bytes_field(5):
                    data(message.get_message(), Kind::Gauge, out);
                    break;
                case bytes_field(7):
                    data(message.get_message(), Kind::Sum, out);
                    break;
                case bytes_field(9):
                    data(message.get_message(), Kind::Histogram, out);
                    break;
                case bytes_field(10):
                    data(message.get_message(), Kind::ExponentialHistogram, out);
                    break;
                case bytes_field(11):
                    data(message.get_message(), Kind::Summary, out);
                    break;
                default:
                    message.skip();
            }
        }
    }

    // Gauge, Sum, Histogram...: all have their points in field 1, the temporality in 2, is_monotonic in 3.
    void data(pbf_reader message, Kind kind, Metric& out) {
        out.kind = kind;
        while (message.next()) {
            switch (message.tag_and_type()) {
                case bytes_field(1):
                    point(message.get_message(), kind, budget_.add(out.points));
                    break;
                case varint_field(2): {
                    const std::int32_t number = message.get_enum();
                    out.temporality = number == 1   ? Temporality::Delta
                                      : number == 2 ? Temporality::Cumulative
                                                    : Temporality::Unspecified;
                    break;
                }
                case varint_field(3):
                    out.monotonic = message.get_bool();
                    break;
                default:
                    message.skip();
            }
        }
    }

    void point(pbf_reader message, Kind kind, Point& out) {
        switch (kind) {
            case Kind::Histogram:
                return each(message, [&](pbf_reader& field) { return histogram_field(field, out); });
            case Kind::ExponentialHistogram:
                return each(message, [&](pbf_reader& field) { return exponential_field(field, out); });
            case Kind::Summary:
                return each(message, [&](pbf_reader& field) { return summary_field(field, out); });
            default:
                return each(message, [&](pbf_reader& field) { return number_field(field, out); });
        }
    }

    template <typename Take>
    static void each(pbf_reader message, const Take& take) {
        while (message.next()) {
            if (!take(message)) message.skip();
        }
    }

    // Start and end stand in fields 2 and 3 of every kind of point.
    static bool time_field(pbf_reader& field, Point& out) {
        switch (field.tag_and_type()) {
            case fixed64_field(2):
                out.start = field.get_fixed64();
                return true;
            case fixed64_field(3):
                out.time = field.get_fixed64();
                return true;
            default:
                return false;
        }
    }

    bool number_field(pbf_reader& field, Point& out) {
        switch (field.tag_and_type()) {
            case bytes_field(7):
                attribute(field.get_message(), out.attributes);
                return true;
            case fixed64_field(4):
                out.value = field.get_double();
                return true;
            case fixed64_field(6):
                out.value = static_cast<double>(field.get_sfixed64());
                return true;
            case bytes_field(5):
                exemplar(field.get_message(), budget_.add(out.exemplars));
                return true;
            case varint_field(8):
                out.flags = field.get_uint32();
                return true;
            default:
                return time_field(field, out);
        }
    }

    bool histogram_field(pbf_reader& field, Point& out) {
        switch (field.tag_and_type()) {
            case bytes_field(9):
                attribute(field.get_message(), out.attributes);
                return true;
            case fixed64_field(4):
                out.count = field.get_fixed64();
                return true;
            case fixed64_field(5):
                out.sum = field.get_double();
                return true;
            case bytes_field(6):
                append(field.get_packed_fixed64(), out.bucket_counts);
                return true;
            case fixed64_field(6):
                budget_.add(out.bucket_counts) = field.get_fixed64();
                return true;
            case bytes_field(7):
                append(field.get_packed_double(), out.bounds);
                return true;
            case fixed64_field(7):
                budget_.add(out.bounds) = field.get_double();
                return true;
            case bytes_field(8):
                exemplar(field.get_message(), budget_.add(out.exemplars));
                return true;
            case varint_field(10):
                out.flags = field.get_uint32();
                return true;
            default:
                return time_field(field, out);
        }
    }

    bool exponential_field(pbf_reader& field, Point& out) {
        switch (field.tag_and_type()) {
            case bytes_field(1):
                attribute(field.get_message(), out.attributes);
                return true;
            case fixed64_field(4):
                out.count = field.get_fixed64();
                return true;
            case fixed64_field(5):
                out.sum = field.get_double();
                return true;
            case varint_field(6):
                out.scale = field.get_sint32();
                return true;
            case fixed64_field(7):
                out.zero_count = field.get_fixed64();
                return true;
            case bytes_field(8):
                buckets(field.get_message(), out.positive);
                return true;
            case bytes_field(9):
                buckets(field.get_message(), out.negative);
                return true;
            case varint_field(10):
                out.flags = field.get_uint32();
                return true;
            case bytes_field(11):
                exemplar(field.get_message(), budget_.add(out.exemplars));
                return true;
            case fixed64_field(14):
                out.zero_threshold = field.get_double();
                return true;
            default:
                return time_field(field, out);
        }
    }

    bool summary_field(pbf_reader& field, Point& out) {
        switch (field.tag_and_type()) {
            case bytes_field(7):
                attribute(field.get_message(), out.attributes);
                return true;
            case fixed64_field(4):
                out.count = field.get_fixed64();
                return true;
            case fixed64_field(5):
                out.sum = field.get_double();
                return true;
            case bytes_field(6):
                quantile(field.get_message(), budget_.add(out.quantiles));
                return true;
            case varint_field(8):
                out.flags = field.get_uint32();
                return true;
            default:
                return time_field(field, out);
        }
    }

    void buckets(pbf_reader message, Buckets& out) {
        while (message.next()) {
            switch (message.tag_and_type()) {
                case varint_field(1):
                    out.offset = message.get_sint32();
                    break;
                case bytes_field(2):
                    append(message.get_packed_uint64(), out.counts);
                    break;
                case varint_field(2):
                    budget_.add(out.counts) = message.get_uint64();
                    break;
                default:
                    message.skip();
            }
        }
    }

    static void quantile(pbf_reader message, std::pair<double, double>& out) {
        while (message.next()) {
            switch (message.tag_and_type()) {
                case fixed64_field(1):
                    out.first = message.get_double();
                    break;
                case fixed64_field(2):
                    out.second = message.get_double();
                    break;
                default:
                    message.skip();
            }
        }
    }

    void exemplar(pbf_reader message, Exemplar& out) {
        while (message.next()) {
            switch (message.tag_and_type()) {
                case bytes_field(7):
                    attribute(message.get_message(), out.attributes);
                    break;
                case fixed64_field(2):
                    out.time = message.get_fixed64();
                    break;
                case fixed64_field(3):
                    out.value = message.get_double();
                    break;
                case fixed64_field(6):
                    out.value = static_cast<double>(message.get_sfixed64());
                    break;
                case bytes_field(4):
                    budget_.set(out.span_id, internal::id_text(text_of(message).substr(0, 8)));
                    break;
                case bytes_field(5):
                    budget_.set(out.trace_id, internal::id_text(text_of(message).substr(0, 16)));
                    break;
                default:
                    message.skip();
            }
        }
    }

    template <typename Range, typename T>
    void append(Range range, std::vector<T>& out) {
        for (const auto value : range) budget_.add(out) = value;
    }
};

}  // namespace

Result<MetricsRequest> parse_protobuf(std::string_view body, const Limits& limits) {
    MetricsRequest out;
    TRY_UNIT(guarded("OTLP metrics", [&] { Decoder(limits).request(reader_of(body), out); }));
    return out;
}

}  // namespace stoker::wire::otlp
