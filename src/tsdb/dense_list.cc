#include "tsdb/dense_list.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "tsdb/bits.h"

namespace stoker::tsdb {

namespace {

constexpr unsigned kMaxOrder = 2;
constexpr unsigned kMultiplied = 4;  // Beside the order in the first byte.
constexpr unsigned kExceptions = 8;
constexpr std::uint64_t kMostRange = std::uint64_t{1} << 56;  // Its codes can be looked at in one word.
constexpr unsigned kMostRice = 16;                            // A list has at most 65,535 elements.

// How a differenced list is written down.
struct Plan {
    std::int64_t base = 0;
    std::uint64_t limit = 0;  // Offsets from the base up to here are no exceptions.
    double bits = std::numeric_limits<double>::infinity();
};

std::uint64_t distance(std::int64_t value, std::int64_t base) {
    return static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(base);
}

// About what so many exceptions take when the farthest is `widest` bits away.
double exception_bits(std::size_t exceptions, std::size_t count, unsigned widest) {
    if (exceptions == 0) {
        return 0;
    }
    constexpr double kHead = 32;  // Their number, Rice's parameter, least and range.
    const auto each = static_cast<double>(std::bit_width(count / exceptions)) + 1.0 + widest;
    return kHead + static_cast<double>(exceptions) * each;
}

// The best limit for one base, by how many offsets need how many bits.
Plan plan_with(std::span<const std::int64_t> values, std::int64_t base) {
    std::array<std::size_t, 65> by_bits{};
    std::size_t below = 0;
    unsigned widest_below = 0;
    std::uint64_t farthest = 0;
    for (const std::int64_t value : values) {
        if (value < base) {
            ++below;
            widest_below = std::max(widest_below, static_cast<unsigned>(std::bit_width(distance(base, value))));
        } else {
            farthest = std::max(farthest, distance(value, base));
            ++by_bits[static_cast<std::size_t>(std::bit_width(distance(value, base)))];
        }
    }
    Plan best{base, farthest, 0};
    const auto count = static_cast<double>(values.size());
    best.bits =
        count * std::log2(static_cast<double>(farthest) + 1) + exception_bits(below, values.size(), widest_below + 1);
    const auto widest_above = static_cast<unsigned>(std::bit_width(farthest));
    std::size_t exceptions = below;
    for (unsigned width = widest_above; width-- > 0;) {
        exceptions += by_bits[width + 1];
        const double bits =
            count * width + exception_bits(exceptions, values.size(), std::max(widest_above, widest_below + 1));
        if (bits < best.bits) {
            best.bits = bits;
            best.limit = (std::uint64_t{1} << width) - 1;
        }
    }
    return best;
}

// The one of three that most of them may be.
std::int64_t common_value(std::span<const std::int64_t> values) {
    const std::int64_t a = values[values.size() / 4];
    const std::int64_t b = values[values.size() / 2];
    const std::int64_t c = values[values.size() - 1];
    return a == c ? a : b;
}

// A quick look, good enough to choose between lists: from the least, or from what most are.
Plan guess(std::span<const std::int64_t> values) {
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    if (*least == *most) {
        return {*least, 0, 0};
    }
    const Plan plan = plan_with(values, *least);
    const std::int64_t common = common_value(values);
    if (common != *least &&
        2 * static_cast<std::size_t>(std::count(values.begin(), values.end(), common)) > values.size()) {
        const Plan other = plan_with(values, common);
        return other.bits < plan.bits ? other : plan;
    }
    return plan;
}

// The best there is, and no worse than the guess: a few values far below the others (a counter's reset) must not make
// all others wide.
Plan refine(std::span<const std::int64_t> values, const Plan& plan) {
    constexpr std::size_t kFew = 32;
    if (plan.bits == 0 || values.size() < kFew) {
        return plan;
    }
    thread_local std::vector<std::int64_t> copy;
    copy.assign(values.begin(), values.end());
    const auto low = copy.begin() + static_cast<std::ptrdiff_t>(values.size() / kFew);
    std::nth_element(copy.begin(), low, copy.end());
    const Plan other = *low == plan.base ? plan : plan_with(values, *low);
    return other.bits < plan.bits ? other : plan;
}

// Turns values into differences; the first stays what it was.
void differentiate(std::span<std::int64_t> values) {
    for (std::size_t i = values.size(); i-- > 1;) {
        values[i] = wrapping_sub(values[i], values[i - 1]);
    }
}

bool inside(std::int64_t value, const Plan& plan) {
    return value >= plan.base && distance(value, plan.base) <= plan.limit;
}

// What all offsets are multiples of.
std::uint64_t common_divisor(std::span<const std::int64_t> values, std::int64_t base) {
    std::uint64_t divisor = 0;
    for (const std::int64_t value : values) {
        divisor = std::gcd(divisor, value < base ? distance(base, value) : distance(value, base));
        if (divisor == 1) {
            return 1;
        }
    }
    return std::max<std::uint64_t>(divisor, 1);
}

// Offsets in units of the multiplier, those of the exceptions apart.
struct Offsets {
    std::vector<std::uint64_t> all;  // 0 where an exception stands.
    std::vector<std::size_t> places;
    std::vector<std::uint64_t> exceptions;  // Zigzag.
    std::uint64_t range = 1;
};

Offsets split_offsets(std::span<const std::int64_t> values, const Plan& plan, std::uint64_t multiplier) {
    Offsets offsets;
    offsets.all.resize(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (inside(values[i], plan)) {
            offsets.all[i] = distance(values[i], plan.base) / multiplier;
            offsets.range = std::max(offsets.range, offsets.all[i] + 1);
        } else {
            const bool below = values[i] < plan.base;
            const std::uint64_t away =
                (below ? distance(plan.base, values[i]) : distance(values[i], plan.base)) / multiplier;
            offsets.places.push_back(i);
            offsets.exceptions.push_back(zigzag(static_cast<std::int64_t>(below ? std::uint64_t{0} - away : away)));
        }
    }
    return offsets;
}

// Rice's parameter for so many places in so many elements: the gap's average, as a power of two.
unsigned rice_of(std::size_t exceptions, std::size_t count) {
    const std::size_t gap = std::max<std::size_t>(count * 2 / (exceptions * 3), 1);
    return std::min(static_cast<unsigned>(std::bit_width(gap)) - 1, kMostRice);
}

void write_planes(std::span<const std::uint64_t> offsets, const TruncatedBinary& code, std::string& out) {
    BitWriter prefixes;
    BitWriter extra;
    for (const std::uint64_t offset : offsets) {
        prefixes.write(code.prefix(offset), code.short_bits);
        if (code.has_extra(offset)) {
            extra.write(code.extra(offset), 1);
        }
    }
    out += prefixes.bytes();
    out += extra.bytes();
}

// The exceptions in bits of their own, behind their number, Rice's parameter, least and range.
void write_exceptions(const Offsets& offsets, std::uint64_t least, std::uint64_t range, std::string& out) {
    const unsigned rice = rice_of(offsets.places.size(), offsets.all.size());
    put_varint(out, offsets.places.size());
    out += static_cast<char>(rice);
    put_varint(out, least);
    put_varint(out, range - 1);
    const TruncatedBinary code(range);
    BitWriter bits;
    std::size_t next = 0;
    for (std::size_t i = 0; i < offsets.places.size(); ++i) {
        const std::size_t gap = offsets.places[i] - next;
        next = offsets.places[i] + 1;
        for (std::size_t ones = gap >> rice; ones > 0; --ones) {
            bits.write(1, 1);
        }
        bits.write(0, 1);
        bits.write(gap, rice);
        const std::uint64_t value = offsets.exceptions[i] - least;
        bits.write(code.prefix(value), code.short_bits);
        if (code.has_extra(value)) {
            bits.write(code.extra(value), 1);
        }
    }
    put_varint(out, bits.bytes().size());
    out += bits.bytes();
}

}  // namespace

bool encode_dense(std::vector<std::int64_t>& values, unsigned tag, std::string& out) {
    constexpr double kFirstBits = 24;  // What an element outside the planes takes, about.
    thread_local std::array<std::vector<std::int64_t>, kMaxOrder + 1> lists;
    std::array<Plan, kMaxOrder + 1> plans;
    const std::size_t count = values.size();
    unsigned order = 0;
    lists[0].swap(values);
    for (unsigned i = 0; i <= kMaxOrder && i < count; ++i) {
        if (i > 0) {
            lists[i] = lists[i - 1];
            differentiate(std::span(lists[i]).subspan(i - 1));
        }
        plans[i] = guess(std::span(lists[i]).subspan(i));
        if (plans[i].bits + i * kFirstBits < plans[order].bits + order * kFirstBits) {
            order = i;
        }
        if (plans[i].bits == 0) {
            break;  // Nothing is shorter than this.
        }
    }
    const std::span<const std::int64_t> rest = std::span(lists[order]).subspan(order);
    const Plan plan = refine(rest, plans[order]);
    const std::uint64_t multiplier = plan.bits == 0 ? 1 : common_divisor(rest, plan.base);
    const Offsets offsets = split_offsets(rest, plan, multiplier);
    std::uint64_t least = 0;
    std::uint64_t range = 1;
    if (!offsets.exceptions.empty()) {
        const auto [low, high] = std::minmax_element(offsets.exceptions.begin(), offsets.exceptions.end());
        least = *low;
        if (*high - *low >= kMostRange) {
            return false;
        }
        range = *high - *low + 1;
    }
    if (offsets.range > kMostRange) {
        return false;
    }
    out += static_cast<char>(order | (multiplier != 1 ? kMultiplied : 0U) |
                             (offsets.exceptions.empty() ? 0U : kExceptions) | tag << kDenseTagBits);
    for (unsigned i = 0; i < order; ++i) {
        put_varint(out, zigzag(lists[order][i]));
    }
    put_varint(out, zigzag(plan.base));
    put_varint(out, offsets.range - 1);
    if (multiplier != 1) {
        put_varint(out, multiplier);
    }
    if (!offsets.exceptions.empty()) {
        write_exceptions(offsets, least, range, out);
    }
    if (offsets.range > 1) {
        write_planes(offsets.all, TruncatedBinary(offsets.range), out);
    }
    return true;
}

bool DenseReader::open(ByteReader& reader, std::size_t count) {
    const unsigned head = reader.fixed<std::uint8_t>();
    order_ = head & 3U;
    tag_ = head >> kDenseTagBits;
    if (!reader.ok() || order_ > kMaxOrder || count <= order_) {
        return false;
    }
    count_ = count - order_;
    for (unsigned i = 0; i < order_; ++i) {
        first_[i] = unzigzag(reader.varint());
    }
    base_ = unzigzag(reader.varint());
    range_ = reader.varint() + 1;
    multiplier_ = (head & kMultiplied) != 0 ? reader.varint() : 1;
    next_ = count_;
    return reader.ok() && range_ - 1 < kMostRange && ((head & kExceptions) == 0 || open_exceptions(reader));
}

bool DenseReader::open_exceptions(ByteReader& reader) {
    exceptions_left_ = reader.varint();
    rice_ = reader.fixed<std::uint8_t>();
    least_ = reader.varint();
    const std::uint64_t widest = reader.varint();
    exception_bits_ = BitReader(reader.text());
    if (!reader.ok() || exceptions_left_ == 0 || exceptions_left_ > count_ || rice_ > kMostRice ||
        widest >= kMostRange) {
        return false;
    }
    exception_code_ = TruncatedBinary(widest + 1);
    next_exception();
    return sound_;
}

void DenseReader::next_exception() {
    next_ = count_;
    if (exceptions_left_ == 0) {
        return;
    }
    --exceptions_left_;
    std::size_t place = place_;
    while (place < count_ && exception_bits_.bit()) {
        place += std::size_t{1} << rice_;
    }
    place += exception_bits_.read(rice_);
    std::uint64_t value = exception_bits_.read(exception_code_.short_bits);
    if (exception_code_.has_extra(value)) {
        value = exception_code_.join(value, exception_bits_.read(1));
    }
    if (place >= count_ || !exception_bits_.ok()) {
        sound_ = false;
        return;
    }
    next_ = place;
    place_ = place + 1;
    exception_ = static_cast<std::int64_t>(static_cast<std::uint64_t>(base_) +
                                           static_cast<std::uint64_t>(unzigzag(least_ + value)) * multiplier_);
}

}  // namespace stoker::tsdb
