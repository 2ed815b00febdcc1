#include "tsdb/entries.h"

#include <algorithm>

#include "tsdb/bytes.h"
#include "tsdb/disk.h"
#include "tsdb/histogram_chunk.h"

namespace stoker::tsdb {

namespace {

constexpr std::uint8_t kSeriesEntry = 1;

// The codes of the samples' entries, in the order of EntryWriter's sections.
constexpr std::array<std::uint8_t, 4> kSampleEntries{2, 3, 4, 5};

constexpr std::size_t section_of(bool histogram, Arrival arrival) {
    return (histogram ? 1U : 0U) + (arrival == Arrival::Late ? 2U : 0U);
}

bool read_samples(ByteReader& reader, std::size_t section, const EntryVisitor& visitor) {
    const bool histograms = section % 2 != 0;
    const Arrival arrival = section >= 2 ? Arrival::Late : Arrival::InOrder;
    const std::uint64_t count = reader.varint();
    SeriesId id = 0;
    std::int64_t time = 0;
    HistogramPtr histogram;
    for (std::uint64_t i = 0; i < count; ++i) {
        id += static_cast<SeriesId>(unzigzag(reader.varint()));
        time = wrapping_add(time, unzigzag(reader.varint()));
        double value = histogram_marker();
        if (histograms) {
            histogram = read_histogram(reader);
        } else {
            value = reader.fixed<double>();
        }
        if (!reader.ok() || histograms != (histogram != nullptr)) {
            return false;
        }
        visitor.on_sample(id, {time, value}, histogram, arrival);
    }
    return reader.ok();
}

bool read_series(ByteReader& reader, const EntryVisitor& visitor) {
    const SeriesId id = reader.varint();
    Result<Labels> labels = decode_labels(reader.text());
    if (!reader.ok() || !labels) {
        return false;
    }
    visitor.on_series(id, *std::move(labels));
    return true;
}

bool read_record(std::uint8_t kind, ByteReader& reader, const EntryVisitor& visitor) {
    const std::string_view body = reader.text();
    const auto known = static_cast<RecordKind>(kind);
    return reader.ok() && kind >= kFirstRecordKind && (!visitor.on_record || visitor.on_record(known, body));
}

}  // namespace

void EntryWriter::add_series(SeriesId id, std::span<const LabelRef> labels) {
    series_ += static_cast<char>(kSeriesEntry);
    put_varint(series_, id);
    put_text(series_, encode_labels(labels));
}

// Differences from the sample before: neighbours in a batch mostly share their time and have ids close by.
void EntryWriter::add_sample(SeriesId id, Sample sample, const HistogramPtr& histogram, Arrival arrival) {
    Section& section = sections_[section_of(histogram != nullptr, arrival)];
    put_varint(section.bytes, zigzag(static_cast<std::int64_t>(id - section.last_id)));
    put_varint(section.bytes, zigzag(wrapping_sub(sample.time, section.last_time)));
    if (histogram == nullptr) {
        put_fixed(section.bytes, sample.value);
    } else {
        put_histogram(section.bytes, *histogram);
    }
    section.last_id = id;
    section.last_time = sample.time;
    ++section.count;
}

bool EntryWriter::empty() const {
    return series_.empty() &&
           std::all_of(sections_.begin(), sections_.end(), [](const Section& section) { return section.count == 0; });
}

std::string_view EntryWriter::finish() {
    for (std::size_t i = 0; i < sections_.size(); ++i) {
        const Section& section = sections_[i];
        if (section.count > 0) {
            series_ += static_cast<char>(kSampleEntries[i]);
            put_varint(series_, section.count);
            series_ += section.bytes;
        }
    }
    return series_;
}

void EntryWriter::clear() {
    series_.clear();
    for (Section& section : sections_) {
        section.bytes.clear();
        section.count = 0;
        section.last_id = 0;
        section.last_time = 0;
    }
}

bool read_entries(std::string_view bytes, const EntryVisitor& visitor) {
    ByteReader reader(bytes);
    while (!reader.at_end()) {
        const auto kind = reader.fixed<std::uint8_t>();
        const auto samples = std::find(kSampleEntries.begin(), kSampleEntries.end(), kind) - kSampleEntries.begin();
        const auto section = static_cast<std::size_t>(samples);
        const bool good = kind == kSeriesEntry              ? read_series(reader, visitor)
                          : section < kSampleEntries.size() ? read_samples(reader, section, visitor)
                                                            : read_record(kind, reader, visitor);
        if (!good) {
            return false;
        }
    }
    return reader.ok();
}

}  // namespace stoker::tsdb
