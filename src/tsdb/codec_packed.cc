#include "tsdb/codec_packed.h"

#include <array>
#include <bit>
#include <cmath>

#include "tsdb/bytes.h"
#include "tsdb/pfor.h"

namespace stoker::tsdb {

namespace {

constexpr std::array<double, 13> kPowersOfTen{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12};
constexpr double kExactIntegers = 9007199254740992.0;  // 2^53: up to here a double holds every integer.
constexpr unsigned kMaxOrder = 2;

double unscale(std::int64_t scaled, unsigned exponent) {
    return static_cast<double>(scaled) / kPowersOfTen[exponent];
}

// The integer that stands for `value` at this exponent, if it gives back the same bits.
bool scale(double value, unsigned exponent, std::int64_t& scaled) {
    const double product = value * kPowersOfTen[exponent];
    if (!(std::abs(product) < kExactIntegers)) {  // Also refuses NaN.
        return false;
    }
    scaled = std::llround(product);
    return std::bit_cast<std::uint64_t>(unscale(scaled, exponent)) == std::bit_cast<std::uint64_t>(value);
}

bool scale_all(std::span<const Sample> samples, unsigned exponent, std::vector<std::int64_t>& scaled) {
    scaled.resize(samples.size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
        if (!scale(samples[i].value, exponent, scaled[i])) {
            return false;
        }
    }
    return true;
}

// The least exponent at which every value is an integer; false if there is none.
bool find_exponent(std::span<const Sample> samples, unsigned& exponent, std::vector<std::int64_t>& scaled) {
    for (exponent = 0; exponent < kPowersOfTen.size(); ++exponent) {
        // Most chunks fail here at their first value, and cheaply.
        if (scale_all(samples, exponent, scaled)) {
            return true;
        }
    }
    return false;
}

// Turns values into differences; the first stays what it was.
void differentiate(std::vector<std::int64_t>& values, std::size_t from) {
    for (std::size_t i = values.size(); i-- > from;) {
        values[i] = wrapping_sub(values[i], values[i - 1]);
    }
}

void integrate(std::vector<std::int64_t>& values, std::size_t from) {
    for (std::size_t i = from; i < values.size(); ++i) {
        values[i] = wrapping_add(values[i], values[i - 1]);
    }
}

// `order` differences: that many first elements as varints, the rest packed.
void encode_series(std::vector<std::int64_t> values, unsigned order, std::string& out) {
    for (unsigned i = 0; i < order; ++i) {
        differentiate(values, i + 1);
    }
    for (unsigned i = 0; i < order; ++i) {
        put_varint(out, zigzag(values[i]));
    }
    pfor_encode(std::span(values).subspan(order), out);
}

bool decode_series(ByteReader& reader, unsigned order, std::size_t count, std::vector<std::int64_t>& values) {
    if (count <= order) {
        return false;
    }
    std::array<std::int64_t, kMaxOrder> first{};
    for (unsigned i = 0; i < order; ++i) {
        first[i] = unzigzag(reader.varint());
    }
    std::vector<std::int64_t> rest;
    if (!pfor_decode(reader, count - order, rest)) {
        return false;
    }
    values.assign(first.begin(), first.begin() + order);
    values.insert(values.end(), rest.begin(), rest.end());
    for (unsigned i = order; i-- > 0;) {
        integrate(values, i + 1);
    }
    return true;
}

// The order of differences, 0 to 2, that comes out shortest; its number stands before the series.
void encode_best(const std::vector<std::int64_t>& values, std::string& out) {
    std::string best;
    for (unsigned order = 0; order <= kMaxOrder && order < values.size(); ++order) {
        std::string candidate(1, static_cast<char>(order));
        encode_series(values, order, candidate);
        if (best.empty() || candidate.size() < best.size()) {
            best = std::move(candidate);
        }
    }
    out += best;
}

bool decode_best(ByteReader& reader, std::size_t count, std::vector<std::int64_t>& values) {
    const unsigned order = reader.fixed<std::uint8_t>();
    return reader.ok() && order <= kMaxOrder && decode_series(reader, order, count, values);
}

}  // namespace

bool PackedCodec::encode(std::span<const Sample> samples, std::string& out) const {
    unsigned exponent = 0;
    std::vector<std::int64_t> numbers;
    if (!find_exponent(samples, exponent, numbers)) {
        return false;
    }
    out += static_cast<char>(exponent);
    encode_best(numbers, out);
    for (std::size_t i = 0; i < samples.size(); ++i) {
        numbers[i] = samples[i].time;
    }
    encode_best(numbers, out);
    return true;
}

bool PackedCodec::decode(std::string_view payload, std::size_t count, std::vector<Sample>& out) const {
    ByteReader reader(payload);
    const unsigned exponent = reader.fixed<std::uint8_t>();
    std::vector<std::int64_t> values;
    std::vector<std::int64_t> times;
    if (exponent >= kPowersOfTen.size() || !decode_best(reader, count, values) || !decode_best(reader, count, times) ||
        !reader.at_end()) {
        return false;
    }
    for (std::size_t i = 0; i < count; ++i) {
        out.push_back({times[i], unscale(values[i], exponent)});
    }
    return true;
}

}  // namespace stoker::tsdb
