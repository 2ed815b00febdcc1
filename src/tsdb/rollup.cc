#include "tsdb/rollup.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "tsdb/bytes.h"
#include "tsdb/chunk.h"

namespace stoker::tsdb {

namespace {

// A field of all rows as one column. The order is that of the columns' bits on disk.
using Field = double Rollup::*;
constexpr std::array<Field, 6> kFields{&Rollup::last, &Rollup::sum, &Rollup::first,
                                       &Rollup::min,  &Rollup::max, &Rollup::increase};
constexpr std::uint8_t kMixedColumn = 1 << 6;
constexpr std::uint64_t kMostRows = 10'000;

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
        case 5:
            return row.last - row.first;
        default:
            return std::numeric_limits<double>::signaling_NaN();  // None: last, sum and first are always written.
    }
}

bool guessed(const std::vector<RollupRow>& rows, std::size_t column) {
    return column >= 3 && std::all_of(rows.begin(), rows.end(), [&](const RollupRow& row) {
               return same(row.rollup.*kFields[column], guess(row.rollup, column));
           });
}

}  // namespace

void RollupMaker::add(const Sample& sample) {
    const std::int64_t start = stretch_of(sample.time, resolution_);
    if (rows_.empty() || rows_.back().rollup.start != start) {
        rows_.push_back({});
        rows_.back().rollup.start = start;
    }
    RollupRow& row = rows_.back();
    if (is_histogram(sample.value) || is_stale(sample.value)) {
        row.mixed = true;
        return;
    }
    Rollup& rollup = row.rollup;
    if (rollup.count == 0) {
        rollup = {start, sample.time, sample.time, sample.value, sample.value, 0, sample.value, sample.value, 0, 0};
    } else {
        rollup.increase += sample.value < rollup.last ? sample.value : sample.value - rollup.last;
        // A NaN counts only where there is nothing else, as in min_over_time().
        rollup.min = sample.value < rollup.min || std::isnan(rollup.min) ? sample.value : rollup.min;
        rollup.max = sample.value > rollup.max || std::isnan(rollup.max) ? sample.value : rollup.max;
    }
    rollup.sum += sample.value;
    rollup.last = sample.value;
    rollup.last_time = sample.time;
    ++rollup.count;
}

std::vector<RollupRow> RollupMaker::take() {
    return std::move(rows_);
}

std::string encode_rollups(const std::vector<RollupRow>& rows, std::int64_t resolution) {
    std::uint8_t present = 0;
    for (std::size_t column = 0; column < kFields.size(); ++column) {
        present |= static_cast<std::uint8_t>((guessed(rows, column) ? 0 : 1) << column);
    }
    if (std::any_of(rows.begin(), rows.end(), [](const RollupRow& row) { return row.mixed; })) {
        present |= kMixedColumn;
    }
    std::string out;
    put_varint(out, rows.size());
    out += static_cast<char>(present);
    std::int64_t before = 0;
    for (const RollupRow& row : rows) {
        const Rollup& rollup = row.rollup;
        put_varint(out, zigzag(rollup.start / resolution - before));
        before = rollup.start / resolution;
        put_varint(out, rollup.count);
        if (rollup.count > 0) {
            put_varint(out, static_cast<std::uint64_t>(rollup.first_time - rollup.start));
            put_varint(out, static_cast<std::uint64_t>(rollup.start + resolution - rollup.last_time));
        }
        if ((present & kMixedColumn) != 0) {
            out += static_cast<char>(row.mixed ? 1 : 0);
        }
    }
    for (std::size_t column = 0; column < kFields.size(); ++column) {
        if ((present >> column & 1) != 0) {
            std::vector<Sample> values;
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
    std::int64_t number = 0;
    for (RollupRow& row : rows) {
        number = wrapping_add(number, unzigzag(reader.varint()));
        row.rollup.start =
            static_cast<std::int64_t>(static_cast<std::uint64_t>(number) * static_cast<std::uint64_t>(resolution));
        row.rollup.count = static_cast<std::uint32_t>(reader.varint());
        if (row.rollup.count > 0) {
            row.rollup.first_time = wrapping_add(row.rollup.start, static_cast<std::int64_t>(reader.varint()));
            row.rollup.last_time =
                wrapping_sub(wrapping_add(row.rollup.start, resolution), static_cast<std::int64_t>(reader.varint()));
        }
        row.mixed = (present & kMixedColumn) != 0 && reader.fixed<std::uint8_t>() != 0;
        if (!reader.ok()) {
            return malformed;
        }
    }
    for (std::size_t column = 0; column < kFields.size(); ++column) {
        std::vector<Sample> values;
        if ((present >> column & 1) == 0) {
            for (RollupRow& row : rows) {
                row.rollup.*kFields[column] = guess(row.rollup, column);
            }
        } else if (!read_chunk(reader.text(), values) || values.size() != rows.size()) {
            return malformed;
        } else {
            for (std::size_t i = 0; i < rows.size(); ++i) {
                rows[i].rollup.*kFields[column] = values[i].value;
            }
        }
    }
    if (!reader.ok() || !reader.at_end()) {
        return malformed;
    }
    return rows;
}

}  // namespace stoker::tsdb
