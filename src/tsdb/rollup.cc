#include "tsdb/rollup.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "tsdb/bytes.h"
#include "tsdb/chunk.h"

namespace stoker::tsdb {

namespace {

// A field of all rows as one column. The order is that of the columns' bits on disk.
using Field = double Rollup::*;
constexpr std::array<Field, 6> kFields{&Rollup::last, &Rollup::sum, &Rollup::first,
                                       &Rollup::min,  &Rollup::max, &Rollup::lost};
constexpr std::size_t kLostColumn = 5;
constexpr std::uint8_t kFlagsColumn = 1 << 6;
constexpr std::uint8_t kNoCounter = 1 << 7;  // The column `lost` was not kept.
constexpr std::uint8_t kHistogramsFlag = 1;
constexpr std::uint8_t kEndsStaleFlag = 2;
constexpr std::uint64_t kMostRows = 10'000;
constexpr std::uint64_t kSamplesPerFall = 10;  // What falls more often than at every so many samples is no counter.

bool same(double a, double b) {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

// What a column would hold if the series were a counter that only grows: then it is left out.
double guess(const Rollup& row, std::size_t column) {
    switch (column) {
        case 3:
            return row.first;
        case 4:
            return row.last;
        case kLostColumn:
            return 0;
        default:
            return std::numeric_limits<double>::signaling_NaN();  // None: last, sum and first are always written.
    }
}

bool guessed(const std::vector<RollupRow>& rows, std::size_t column) {
    return column >= 3 && std::all_of(rows.begin(), rows.end(), [&](const RollupRow& row) {
               return same(row.rollup.*kFields[column], guess(row.rollup, column));
           });
}

bool no_counter(const std::vector<RollupRow>& rows) {
    std::uint64_t falls = 0;
    std::uint64_t samples = 0;
    for (const RollupRow& row : rows) {
        // Rows that were read back have no falls, but NaN.
        if (std::isnan(row.rollup.lost)) {
            return true;
        }
        falls += row.falls;
        samples += row.rollup.count;
    }
    return falls * kSamplesPerFall > samples;
}

std::uint8_t columns_of(const std::vector<RollupRow>& rows) {
    std::uint8_t present = 0;
    for (std::size_t column = 0; column < kLostColumn; ++column) {
        present |= static_cast<std::uint8_t>((guessed(rows, column) ? 0 : 1) << column);
    }
    if (no_counter(rows)) {
        present |= kNoCounter;
    } else if (!guessed(rows, kLostColumn)) {
        present |= 1 << kLostColumn;
    }
    if (std::any_of(rows.begin(), rows.end(), [](const RollupRow& row) { return row.histograms || row.ends_stale; })) {
        present |= kFlagsColumn;
    }
    return present;
}

// A row's times as differences to the stretch's ends: those hardly change from row to row.
struct Times {
    std::int64_t number = 0;  // Of the stretch.
    std::int64_t count = 0;
    std::int64_t before_first = 0;
    std::int64_t after_last = 0;
};

Times times_of(const Rollup& rollup, std::int64_t resolution) {
    return {rollup.start / resolution, rollup.count, rollup.count == 0 ? 0 : rollup.first_time - rollup.start,
            rollup.count == 0 ? 0 : rollup.end - rollup.last_time};
}

void put_times(std::string& out, const std::vector<RollupRow>& rows, std::int64_t resolution,
               std::int64_t Times::*field) {
    std::int64_t before = 0;
    for (const RollupRow& row : rows) {
        const std::int64_t value = times_of(row.rollup, resolution).*field;
        put_varint(out, zigzag(value - before));
        before = value;
    }
}

std::vector<std::int64_t> read_times(ByteReader& reader, std::size_t count) {
    std::vector<std::int64_t> values(count);
    std::int64_t value = 0;
    for (std::int64_t& one : values) {
        value = wrapping_add(value, unzigzag(reader.varint()));
        one = value;
    }
    return values;
}

Result<Unit> read_stretches(ByteReader& reader, std::int64_t resolution, std::vector<RollupRow>& rows) {
    const auto number = read_times(reader, rows.size());
    const auto count = read_times(reader, rows.size());
    const auto before_first = read_times(reader, rows.size());
    const auto after_last = read_times(reader, rows.size());
    const std::int64_t most = std::numeric_limits<std::int64_t>::max() / resolution - 1;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        Rollup& rollup = rows[i].rollup;
        const bool valid = number[i] >= -most && number[i] <= most && (i == 0 || number[i] > number[i - 1]) &&
                           count[i] >= 0 && count[i] <= std::numeric_limits<std::uint32_t>::max() &&
                           before_first[i] >= 0 && before_first[i] <= resolution && after_last[i] >= 0 &&
                           after_last[i] <= resolution;
        if (!reader.ok() || !valid) {
            return Error{Errc::Corruption, "malformed rollups"};
        }
        rollup.start = number[i] * resolution;
        rollup.end = rollup.start + resolution;
        rollup.count = static_cast<std::uint32_t>(count[i]);
        rollup.first_time = rollup.count == 0 ? 0 : rollup.start + before_first[i];
        rollup.last_time = rollup.count == 0 ? 0 : rollup.end - after_last[i];
    }
    return Unit{};
}

}  // namespace

void RollupMaker::close() {
    if (!rows_.empty() && rows_.back().rollup.count > 0 && std::isfinite(rows_.back().rollup.sum)) {
        rows_.back().rollup.sum += correction_;
    }
    correction_ = 0;
}

void RollupMaker::open(std::int64_t start) {
    close();
    rows_.emplace_back();
    rows_.back().rollup.start = start;
    rows_.back().rollup.end = end_ = start + resolution_;
}

void RollupMaker::add(const Sample& sample) {
    if (rows_.empty() || sample.time > end_) {
        open(stretch_of(sample.time, resolution_));
    }
    RollupRow& row = rows_.back();
    row.ends_stale = is_stale(sample.value);
    if (row.ends_stale) {
        return;
    }
    if (is_histogram(sample.value)) {
        row.histograms = true;
        return;
    }
    Rollup& rollup = row.rollup;
    const double value = sample.value;
    if (rollup.count == 0) {
        rollup.first_time = sample.time;
        rollup.first = rollup.min = rollup.max = rollup.sum = value;
    } else {
        if (value < rollup.last) {
            rollup.lost += rollup.last;
            ++row.falls;
        }
        rollup.min = value < rollup.min || std::isnan(rollup.min) ? value : rollup.min;
        rollup.max = value > rollup.max || std::isnan(rollup.max) ? value : rollup.max;
        // Kahan's sum, as sum_over_time() has it.
        const double total = rollup.sum + value;
        correction_ +=
            std::abs(rollup.sum) >= std::abs(value) ? (rollup.sum - total) + value : (value - total) + rollup.sum;
        rollup.sum = total;
    }
    rollup.last = value;
    rollup.last_time = sample.time;
    ++rollup.count;
}

std::vector<RollupRow> RollupMaker::take() {
    close();
    return std::exchange(rows_, {});
}

std::string encode_rollups(const std::vector<RollupRow>& rows, std::int64_t resolution) {
    const std::uint8_t present = columns_of(rows);
    std::string out;
    put_varint(out, rows.size());
    out += static_cast<char>(present);
    for (const auto field : {&Times::number, &Times::count, &Times::before_first, &Times::after_last}) {
        put_times(out, rows, resolution, field);
    }
    if ((present & kFlagsColumn) != 0) {
        for (const RollupRow& row : rows) {
            out += static_cast<char>((row.histograms ? kHistogramsFlag : 0) | (row.ends_stale ? kEndsStaleFlag : 0));
        }
    }
    std::vector<Sample> values;
    for (std::size_t column = 0; column < kFields.size(); ++column) {
        if ((present >> column & 1) != 0) {
            values.clear();
            for (const RollupRow& row : rows) {
                values.push_back({row.rollup.start / resolution, row.rollup.*kFields[column]});
            }
            put_text(out, seal_chunk(values));
        }
    }
    return out;
}

Result<std::vector<RollupRow>> decode_rollups(std::string_view bytes, std::int64_t resolution) {
    const Error malformed{Errc::Corruption, "malformed rollups"};
    ByteReader reader(bytes);
    const std::uint64_t count = reader.varint();
    const auto present = reader.fixed<std::uint8_t>();
    if (!reader.ok() || count > kMostRows) {
        return malformed;
    }
    std::vector<RollupRow> rows(count);
    TRY_UNIT(read_stretches(reader, resolution, rows));
    if ((present & kFlagsColumn) != 0) {
        for (RollupRow& row : rows) {
            const auto flags = reader.fixed<std::uint8_t>();
            row.histograms = (flags & kHistogramsFlag) != 0;
            row.ends_stale = (flags & kEndsStaleFlag) != 0;
        }
    }
    std::vector<Sample> values;
    for (std::size_t column = 0; column < kFields.size(); ++column) {
        if ((present >> column & 1) == 0) {
            for (RollupRow& row : rows) {
                row.rollup.*kFields[column] = column == kLostColumn && (present & kNoCounter) != 0
                                                  ? std::numeric_limits<double>::quiet_NaN()
                                                  : guess(row.rollup, column);
            }
            continue;
        }
        values.clear();
        if (!read_chunk(reader.text(), values) || values.size() != rows.size()) {
            return malformed;
        }
        for (std::size_t i = 0; i < rows.size(); ++i) {
            rows[i].rollup.*kFields[column] = values[i].value;
        }
    }
    if (!reader.ok() || !reader.at_end()) {
        return malformed;
    }
    return rows;
}

}  // namespace stoker::tsdb
