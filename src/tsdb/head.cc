#include "tsdb/head.h"

#include "tsdb/bytes.h"

namespace stoker::tsdb {

namespace {

// After the open chunk: a tag, then a text. An older reader refuses what it can't know.
enum class Tag : std::uint8_t { Histograms = 1, Late = 2, LateOnDisk = 3 };

void put_tagged(std::string& out, Tag tag, std::string_view body) {
    out += static_cast<char>(tag);
    put_text(out, body);
}

Result<Unit> read_tagged(ByteReader& reader, SeriesExtra& extra) {
    const auto tag = static_cast<Tag>(reader.fixed<std::uint8_t>());
    const std::string_view body = reader.text();
    ByteReader inner(body);
    if (reader.ok()) {
        switch (tag) {
            case Tag::Histograms: {
                TRY(extra.histograms, OpenHistograms::load(body));
                return Unit{};
            }
            case Tag::Late:
                return read_chunk(body, extra.late);
            case Tag::LateOnDisk:
                extra.late_disk_time = unzigzag(inner.varint());
                if (inner.ok() && inner.at_end()) {
                    return Unit{};
                }
        }
    }
    return Error{Errc::Corruption, "malformed head"};
}

}  // namespace

std::string encode_head(std::int64_t first_time, std::int64_t disk_time, const OpenChunk& open,
                        const SeriesExtra* extra) {
    std::string out;
    put_varint(out, zigzag(first_time));
    put_varint(out, zigzag(disk_time));
    open.save(out);
    if (extra == nullptr) {
        return out;
    }
    if (!extra->histograms.empty()) {
        put_tagged(out, Tag::Histograms, extra->histograms.snapshot());
    }
    for (const SealedChunk& chunk : seal_list(extra->late.block())) {
        put_tagged(out, Tag::Late, *chunk.bytes);
    }
    if (extra->late_disk_time != kNever) {
        std::string time;
        put_varint(time, zigzag(extra->late_disk_time));
        put_tagged(out, Tag::LateOnDisk, time);
    }
    return out;
}

Result<HeadRecord> decode_head(std::string_view bytes) {
    ByteReader reader(bytes);
    HeadRecord head;
    head.first_time = unzigzag(reader.varint());
    head.disk_time = unzigzag(reader.varint());
    TRY(head.open, OpenChunk::load(reader));
    while (!reader.at_end()) {
        if (head.extra == nullptr) {
            head.extra = std::make_unique<SeriesExtra>();
        }
        TRY_UNIT(read_tagged(reader, *head.extra));
    }
    return head;
}

}  // namespace stoker::tsdb
