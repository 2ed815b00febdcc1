// Reads the buckets of native histograms: what prometheus.Histogram and io.prometheus.client.Histogram have in common
// under different field numbers. Repeated numbers come packed or, from proto2 encoders, one by one.
//
// Throws protozero's exceptions and PastLimit: runs under guarded(). `left` goes down with all that is stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "wire/prometheus_protobuf_fields.h"
#include "wire/prometheus_protobuf_histogram.h"

namespace stoker::wire::buckets {

inline constexpr std::uint32_t kSpanOffset = 1;
inline constexpr std::uint32_t kSpanLength = 2;

inline void take_room(std::size_t& left, std::size_t wanted) {
    if (wanted > left) {
        throw PastLimit{"buckets"};
    }
    left -= wanted;
}

inline void read_span(protozero::pbf_reader reader, std::size_t& left, std::vector<NativeHistogram::Span>& out) {
    take_room(left, 1);
    NativeHistogram::Span span;
    while (reader.next()) {
        switch (reader.tag_and_type()) {
            case varint_field(kSpanOffset):
                span.offset = reader.get_sint32();
                break;
            case varint_field(kSpanLength):
                span.length = reader.get_uint32();
                break;
            default:
                reader.skip();
        }
    }
    out.push_back(span);
}

inline void read_doubles(protozero::pbf_reader& reader, std::size_t& left, std::vector<double>& out) {
    const auto packed = reader.get_packed_double();
    take_room(left, packed.size());
    out.insert(out.end(), packed.begin(), packed.end());
}

inline void read_double(protozero::pbf_reader& reader, std::size_t& left, std::vector<double>& out) {
    take_room(left, 1);
    out.push_back(reader.get_double());
}

// Adds up differences between neighbours. Unsigned, so that nonsense wraps instead of overflowing.
class Deltas {
public:
    Deltas(std::size_t& left, std::vector<double>& out) : left_(left), out_(out) {}

    void add(std::int64_t delta) {
        take_room(left_, 1);
        running_ += static_cast<std::uint64_t>(delta);
        out_.push_back(static_cast<double>(static_cast<std::int64_t>(running_)));
    }
    void add_packed(protozero::pbf_reader& reader) {
        for (const std::int64_t delta : reader.get_packed_sint64()) {
            add(delta);
        }
    }

private:
    std::size_t& left_;
    std::vector<double>& out_;
    std::uint64_t running_ = 0;
};

}  // namespace stoker::wire::buckets
