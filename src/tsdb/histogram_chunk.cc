#include "tsdb/histogram_chunk.h"

#include <bit>

#include "base/check.h"
#include "tsdb/chunk.h"
#include "tsdb/histogram_layout.h"

namespace stoker::tsdb {

namespace {

constexpr std::uint8_t kHintBits = 3;
constexpr std::uint8_t kWhole = 4;  // All counts are integers.

std::uint8_t flags_of(const Histogram& histogram) {
    return static_cast<std::uint8_t>(static_cast<unsigned>(histogram.reset_hint) |
                                     (whole_counts(histogram) ? kWhole : 0U));
}

std::int64_t whole(double value) {
    return static_cast<std::int64_t>(value);
}

std::uint64_t bits_of(double value) {
    return std::bit_cast<std::uint64_t>(value);
}

// Reads rows one after the other; also what brings an open chunk back.
struct RowReader {
    Histogram histogram;  // The row that was read last.
    std::int64_t time = 0;
    std::int64_t delta = 0;
    std::vector<std::int64_t> deltas;

    bool start(ByteReader& reader) {
        const bool good = read_layout(reader, histogram);
        deltas.assign(count_fields(histogram), 0);
        return good;
    }

    bool next(ByteReader& reader, bool first) {
        const std::int64_t step = unzigzag(reader.varint());
        delta = first ? 0 : wrapping_add(delta, step);
        time = wrapping_add(time, first ? step : delta);
        const auto flags = reader.fixed<std::uint8_t>();
        if (!reader.ok() || flags > (kHintBits | kWhole)) {
            return false;
        }
        histogram.reset_hint = static_cast<Histogram::ResetHint>(flags & kHintBits);
        histogram.sum = std::bit_cast<double>(bits_of(histogram.sum) ^ read_trimmed(reader));
        for (std::size_t i = 0; i < deltas.size(); ++i) {
            double& field = count_field(histogram, i);
            if ((flags & kWhole) != 0) {
                deltas[i] = wrapping_add(deltas[i], unzigzag(reader.varint()));
                const std::int64_t before = is_whole(field) ? whole(field) : 0;
                field = static_cast<double>(wrapping_add(before, deltas[i]));
            } else {
                deltas[i] = 0;
                field = std::bit_cast<double>(bits_of(field) ^ read_trimmed(reader));
            }
        }
        return reader.ok();
    }
};

}  // namespace

void put_histogram(std::string& out, const Histogram& histogram) {
    put_layout(out, histogram);
    const std::uint8_t flags = flags_of(histogram);
    out += static_cast<char>(flags);
    put_trimmed(out, bits_of(histogram.sum));
    std::int64_t before = 0;
    for (std::size_t i = 0; i < count_fields(histogram); ++i) {
        const double field = count_field(histogram, i);
        if ((flags & kWhole) != 0) {
            put_varint(out, zigzag(whole(field) - before));
            before = whole(field);
        } else {
            put_trimmed(out, bits_of(field));
        }
    }
}

HistogramPtr read_histogram(ByteReader& reader) {
    auto histogram = std::make_shared<Histogram>();
    if (!read_layout(reader, *histogram)) {
        return nullptr;
    }
    const auto flags = reader.fixed<std::uint8_t>();
    if (flags > (kHintBits | kWhole)) {
        return nullptr;
    }
    histogram->reset_hint = static_cast<Histogram::ResetHint>(flags & kHintBits);
    histogram->sum = std::bit_cast<double>(read_trimmed(reader));
    std::int64_t before = 0;
    for (std::size_t i = 0; i < count_fields(*histogram) && reader.ok(); ++i) {
        if ((flags & kWhole) != 0) {
            before = wrapping_add(before, unzigzag(reader.varint()));
            count_field(*histogram, i) = static_cast<double>(before);
        } else {
            count_field(*histogram, i) = std::bit_cast<double>(read_trimmed(reader));
        }
    }
    return reader.ok() ? histogram : nullptr;
}

std::size_t OpenHistograms::heap_bytes() const {
    return rows_.capacity() + deltas_.capacity() * sizeof(std::int64_t) +
           (last_ == nullptr ? 0 : tsdb::heap_bytes(*last_));
}

bool OpenHistograms::fits(const Histogram& histogram) const {
    return same_layout(*last_, histogram);
}

void OpenHistograms::append(std::int64_t time, HistogramPtr histogram) {
    if (count_ == 0) {
        put_layout(rows_, *histogram);
        put_varint(rows_, zigzag(time));
        deltas_.assign(count_fields(*histogram), 0);
        first_time_ = time;
    } else {
        const std::int64_t delta = wrapping_sub(time, time_);
        put_varint(rows_, zigzag(wrapping_sub(delta, delta_)));
        delta_ = delta;
    }
    put_counts(*histogram);
    time_ = time;
    last_ = std::move(histogram);
    ++count_;
}

void OpenHistograms::put_counts(const Histogram& histogram) {
    const bool first = count_ == 0;
    const std::uint8_t flags = flags_of(histogram);
    rows_ += static_cast<char>(flags);
    put_trimmed(rows_, bits_of(histogram.sum) ^ (first ? 0 : bits_of(last_->sum)));
    for (std::size_t i = 0; i < deltas_.size(); ++i) {
        const double field = count_field(histogram, i);
        const double before = first ? 0 : count_field(*last_, i);
        if ((flags & kWhole) != 0) {
            const std::int64_t delta = whole(field) - (is_whole(before) ? whole(before) : 0);
            put_varint(rows_, zigzag(wrapping_sub(delta, deltas_[i])));
            deltas_[i] = delta;
        } else {
            put_trimmed(rows_, bits_of(field) ^ bits_of(before));
            deltas_[i] = 0;
        }
    }
}

std::string OpenHistograms::snapshot() const {
    std::string out;
    out.reserve(rows_.size() + 4);
    out += static_cast<char>(Encoding::HistogramRows);
    put_varint(out, count_);
    out += rows_;
    return out;
}

Result<OpenHistograms> OpenHistograms::load(std::string_view snapshot) {
    const Error malformed{Errc::Corruption, "malformed open chunk of histograms"};
    ByteReader reader(snapshot);
    const auto code = reader.fixed<std::uint8_t>();
    const std::uint64_t count = reader.varint();
    if (!reader.ok() || code != static_cast<std::uint8_t>(Encoding::HistogramRows) || count == 0 ||
        count > kMaxChunkSamples) {
        return malformed;
    }
    OpenHistograms open;
    open.rows_ = reader.rest();
    RowReader rows;
    if (!rows.start(reader)) {
        return malformed;
    }
    for (std::uint64_t i = 0; i < count; ++i) {
        if (!rows.next(reader, i == 0)) {
            return malformed;
        }
        if (i == 0) {
            open.first_time_ = rows.time;
        }
    }
    if (!reader.at_end()) {
        return malformed;
    }
    open.count_ = static_cast<std::uint32_t>(count);
    open.time_ = rows.time;
    open.delta_ = rows.delta;
    open.deltas_ = std::move(rows.deltas);
    open.last_ = std::make_shared<const Histogram>(std::move(rows.histogram));
    return open;
}

bool decode_histogram_rows(std::string_view payload, std::size_t count, std::vector<Sample>& samples,
                           std::vector<HistogramPtr>& histograms) {
    ByteReader reader(payload);
    RowReader rows;
    if (!rows.start(reader)) {
        return false;
    }
    for (std::size_t i = 0; i < count; ++i) {
        if (!rows.next(reader, i == 0)) {
            return false;
        }
        samples.push_back({rows.time, histogram_marker()});
        histograms.push_back(std::make_shared<const Histogram>(rows.histogram));
    }
    return reader.at_end();
}

}  // namespace stoker::tsdb
