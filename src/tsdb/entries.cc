#include "tsdb/entries.h"

#include "tsdb/bytes.h"
#include "tsdb/disk.h"

namespace stoker::tsdb {

namespace {

constexpr std::uint8_t kSeriesEntry = 1;
constexpr std::uint8_t kSamplesEntry = 2;

bool read_samples(ByteReader& reader, const EntryVisitor& visitor) {
    const std::uint64_t count = reader.varint();
    SeriesId id = 0;
    std::int64_t time = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        id += static_cast<SeriesId>(unzigzag(reader.varint()));
        time = wrapping_add(time, unzigzag(reader.varint()));
        const auto value = reader.fixed<double>();
        if (!reader.ok()) {
            return false;
        }
        visitor.on_sample(id, {time, value});
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
void EntryWriter::add_sample(SeriesId id, Sample sample) {
    put_varint(samples_, zigzag(static_cast<std::int64_t>(id - last_id_)));
    put_varint(samples_, zigzag(wrapping_sub(sample.time, last_time_)));
    put_fixed(samples_, sample.value);
    last_id_ = id;
    last_time_ = sample.time;
    ++count_;
}

std::string_view EntryWriter::finish() {
    if (count_ > 0) {
        series_ += static_cast<char>(kSamplesEntry);
        put_varint(series_, count_);
        series_ += samples_;
    }
    return series_;
}

void EntryWriter::clear() {
    series_.clear();
    samples_.clear();
    count_ = 0;
    last_id_ = 0;
    last_time_ = 0;
}

bool read_entries(std::string_view bytes, const EntryVisitor& visitor) {
    ByteReader reader(bytes);
    while (!reader.at_end()) {
        const auto kind = reader.fixed<std::uint8_t>();
        const bool good = kind == kSeriesEntry    ? read_series(reader, visitor)
                          : kind == kSamplesEntry ? read_samples(reader, visitor)
                                                  : read_record(kind, reader, visitor);
        if (!good) {
            return false;
        }
    }
    return reader.ok();
}

}  // namespace stoker::tsdb
