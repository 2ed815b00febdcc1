#include "tsdb/codec_packed.h"

#include <array>

#include "tsdb/bytes.h"
#include "tsdb/decimal.h"
#include "tsdb/pfor.h"

namespace stoker::tsdb {

namespace {

constexpr unsigned kMaxOrder = 2;
constexpr unsigned kMultiplied = 4;  // Beside the order: a multiplier stands behind the base.

// Turns values into differences; the first stays what it was.
void differentiate(std::span<std::int64_t> values) {
    for (std::size_t i = values.size(); i-- > 1;) {
        values[i] = wrapping_sub(values[i], values[i - 1]);
    }
}

// The order of differences, 0 to 2, that comes out shortest: its number, that many first elements as varints, and the
// rest packed. Uses up `values`.
void encode_best(std::vector<std::int64_t>& values, std::string& out) {
    constexpr std::size_t kFirstBits = 24;  // What an element outside the packed part takes, about.
    thread_local std::array<std::vector<std::int64_t>, kMaxOrder + 1> lists;
    std::array<PforFrame, kMaxOrder + 1> frames;
    const std::size_t count = values.size();
    unsigned best = 0;
    for (unsigned order = 0; order <= kMaxOrder && order < count; ++order) {
        if (order > 0) {
            lists[order] = lists[order - 1];
            differentiate(std::span(lists[order]).subspan(order - 1));
        } else {
            lists[0].swap(values);
        }
        frames[order] = guess_pfor(std::span(lists[order]).subspan(order));
        if (frames[order].bits + order * kFirstBits < frames[best].bits + best * kFirstBits) {
            best = order;
        }
        if (frames[order].bits == 0) {
            break;  // Nothing is shorter than this.
        }
    }
    const std::span<const std::int64_t> rest = std::span(lists[best]).subspan(best);
    const PforFrame frame = plan_pfor(rest, frames[best]);
    const bool multiplied = frame.multiplier != 1;
    out += static_cast<char>(best | (multiplied ? kMultiplied : 0U));
    for (unsigned i = 0; i < best; ++i) {
        put_varint(out, zigzag(lists[best][i]));
    }
    pfor_encode(rest, frame, out);
}

// Gives `count` integers to take(index, value); false if malformed.
template <typename Take>
bool decode_best(ByteReader& reader, std::size_t count, Take take) {
    const unsigned head = reader.fixed<std::uint8_t>();
    const unsigned order = head & ~kMultiplied;
    if (!reader.ok() || order > kMaxOrder || count <= order) {
        return false;
    }
    std::array<std::int64_t, kMaxOrder> first{};
    for (unsigned i = 0; i < order; ++i) {
        first[i] = unzigzag(reader.varint());
    }
    PforReader values;
    if (!values.open(reader, count - order, (head & kMultiplied) != 0)) {
        return false;
    }
    std::size_t i = 0;
    std::int64_t value = first[0];
    switch (order) {
        case 0:
            values.each([&](std::int64_t next) { take(i++, next); });
            break;
        case 1:
            take(i++, value);
            values.each([&](std::int64_t delta) { take(i++, value = wrapping_add(value, delta)); });
            break;
        default:
            std::int64_t delta = first[1];
            take(i++, value);
            take(i++, value = wrapping_add(value, delta));
            values.each([&](std::int64_t change) {
                delta = wrapping_add(delta, change);
                take(i++, value = wrapping_add(value, delta));
            });
    }
    return true;
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
    numbers.resize(samples.size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
        numbers[i] = samples[i].time;
    }
    encode_best(numbers, out);
    return true;
}

bool PackedCodec::decode(std::string_view payload, std::size_t count, std::vector<Sample>& out) const {
    ByteReader reader(payload);
    const unsigned exponent = reader.fixed<std::uint8_t>();
    if (exponent >= kPowersOfTen.size()) {
        return false;
    }
    const std::size_t start = out.size();
    out.resize(start + count);
    Sample* samples = out.data() + start;
    const bool whole = exponent == 0;
    const double power = kPowersOfTen[exponent];
    const bool values = whole ? decode_best(reader, count,
                                            [samples](std::size_t i, std::int64_t value) {
                                                samples[i].value = static_cast<double>(value);
                                            })
                              : decode_best(reader, count, [samples, power](std::size_t i, std::int64_t value) {
                                    samples[i].value = static_cast<double>(value) / power;
                                });
    const bool times =
        values && decode_best(reader, count, [samples](std::size_t i, std::int64_t time) { samples[i].time = time; });
    return times && reader.at_end();
}

}  // namespace stoker::tsdb
