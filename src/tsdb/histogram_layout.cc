#include "tsdb/histogram_layout.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "tsdb/histogram_chunk.h"

namespace stoker::tsdb {

namespace {

constexpr double kExactIntegers = 9007199254740992.0;  // 2^53: up to here a double holds every integer.

void put_spans(std::string& out, const std::vector<BucketSpan>& spans) {
    put_varint(out, spans.size());
    for (const BucketSpan& span : spans) {
        put_varint(out, zigzag(span.offset));
        put_varint(out, span.length);
    }
}

bool read_spans(ByteReader& reader, std::vector<BucketSpan>& spans, std::vector<double>& counts) {
    const std::uint64_t count = reader.varint();
    if (count > kMaxBuckets || count > reader.rest().size()) {
        return false;
    }
    std::uint64_t buckets = 0;
    spans.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::int64_t offset = unzigzag(reader.varint());
        const std::uint64_t length = reader.varint();
        buckets += length;
        if (!reader.ok() || length > kMaxBuckets || buckets > kMaxBuckets ||
            offset != static_cast<std::int32_t>(offset)) {
            return false;
        }
        spans.push_back({static_cast<std::int32_t>(offset), static_cast<std::uint32_t>(length)});
    }
    counts.resize(buckets);
    return reader.ok();
}

}  // namespace

void put_layout(std::string& out, const Histogram& histogram) {
    put_varint(out, zigzag(histogram.schema));
    put_fixed(out, histogram.zero_threshold);
    put_spans(out, histogram.positive_spans);
    put_spans(out, histogram.negative_spans);
    put_varint(out, histogram.custom_bounds.size());
    for (const double bound : histogram.custom_bounds) {
        put_fixed(out, bound);
    }
}

bool read_layout(ByteReader& reader, Histogram& histogram) {
    histogram.schema = static_cast<std::int32_t>(unzigzag(reader.varint()));
    histogram.zero_threshold = reader.fixed<double>();
    if (!read_spans(reader, histogram.positive_spans, histogram.positive) ||
        !read_spans(reader, histogram.negative_spans, histogram.negative)) {
        return false;
    }
    const std::uint64_t bounds = reader.varint();
    if (!reader.ok() || bounds > reader.rest().size() / sizeof(double)) {
        return false;
    }
    histogram.custom_bounds.resize(bounds);
    for (double& bound : histogram.custom_bounds) {
        bound = reader.fixed<double>();
    }
    return reader.ok();
}

bool same_layout(const Histogram& a, const Histogram& b) {
    const auto same_bits = [](double x, double y) {
        return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
    };
    return a.schema == b.schema && same_bits(a.zero_threshold, b.zero_threshold) &&
           a.positive_spans == b.positive_spans && a.negative_spans == b.negative_spans &&
           a.positive.size() == b.positive.size() && a.negative.size() == b.negative.size() &&
           std::equal(a.custom_bounds.begin(), a.custom_bounds.end(), b.custom_bounds.begin(), b.custom_bounds.end(),
                      same_bits);
}

bool is_whole(double value) {
    return std::abs(value) < kExactIntegers &&
           std::bit_cast<std::uint64_t>(static_cast<double>(static_cast<std::int64_t>(value))) ==
               std::bit_cast<std::uint64_t>(value);
}

bool whole_counts(const Histogram& histogram) {
    const auto all = [](const std::vector<double>& counts) {
        return std::all_of(counts.begin(), counts.end(), is_whole);
    };
    return is_whole(histogram.zero_count) && is_whole(histogram.count) && all(histogram.positive) &&
           all(histogram.negative);
}

void put_trimmed(std::string& out, std::uint64_t bits) {
    const auto below = bits == 0 ? 0U : static_cast<unsigned>(std::countr_zero(bits)) / 8;
    bits >>= 8 * below;
    const auto left = (static_cast<unsigned>(std::bit_width(bits)) + 7) / 8;
    out += static_cast<char>(below << 4 | left);
    out.append(reinterpret_cast<const char*>(&bits), left);
}

std::uint64_t read_trimmed(ByteReader& reader) {
    const unsigned control = reader.fixed<std::uint8_t>();
    const unsigned below = control >> 4;
    const unsigned left = control & 15;
    const std::string_view rest = reader.rest();
    std::uint64_t bits = 0;
    if (below + left > sizeof(bits) || left > rest.size()) {
        reader.skip(rest.size() + 1);
        return 0;
    }
    if (left > 0) {
        std::memcpy(&bits, rest.data(), left);
    }
    reader.skip(left);
    return below == sizeof(bits) ? 0 : bits << (8 * below);
}

}  // namespace stoker::tsdb
