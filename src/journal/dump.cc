#include "journal/dump.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "journal/cursor_file.h"
#include "journal/segment_scanner.h"

namespace stoker::journal {
namespace {

using Line = std::function<void(std::string_view)>;

std::string_view to_string(Kind kind) {
    switch (kind) {
        case Kind::Request:
            return "request";
        case Kind::Incident:
            return "incident";
        case Kind::Action:
            return "action";
        case Kind::Audit:
            return "audit";
        case Kind::Samples:
            return "samples";
        case Kind::Spans:
            return "spans";
        case Kind::Logs:
            return "logs";
        case Kind::Event:
            return "event";
    }
    return "unknown";
}

Result<Unit> dump_segment(FileSystem& files, const std::string& directory, const std::string& name,
                          const DumpOptions& options, const Line& line) {
    TRY(const auto file, files.open_read(directory + "/" + name));
    TRY(const std::uint64_t size, file->size());
    std::string bytes(kSegmentHeaderBytes, '\0');
    TRY(const std::size_t got, file->read_at(0, bytes.data(), bytes.size()));
    const auto header = decode_segment_header(std::string_view(bytes).substr(0, got));
    if (!header) {
        line(fmt::format("segment {} {} bytes: {}", name, size, header.error().message));
        return Unit{};
    }
    line(fmt::format("segment {} {} bytes, journal {}, made {}", name, size, to_hex(header->id),
                     format_timestamp(header->created)));
    SegmentScanner scanner(*file, checksum_seed(header->id), {.end = size});
    std::uint64_t count = 0;
    for (;;) {
        TRY(const auto record, scanner.next());
        if (!record) break;
        ++count;
        if (!options.records) continue;
        line(fmt::format("{} @{} {} {} {} bytes {}", record->sequence, scanner.record_offset(),
                         format_timestamp(record->time), to_string(record->kind), record->payload.size(),
                         quote_json(record->payload.substr(0, options.payload_bytes))));
    }
    for (const DamagedRange& range : scanner.damage()) {
        line(fmt::format("damage in {}: bytes {} to {}", name, range.offset, range.end));
    }
    const DamagedRange tail = scanner.tail();
    if (tail.offset != tail.end) {
        line(fmt::format("{} in {}: bytes {} to {}", scanner.tail_is_torn() ? "torn tail" : "damage", name, tail.offset,
                         tail.end));
    }
    line(fmt::format("{} records in {}", count, name));
    return Unit{};
}

}  // namespace

Result<Unit> dump(const std::string& directory, const DumpOptions& options, const Line& line) {
    FileSystem& files = real_file_system();
    TRY(auto names, files.list(directory));
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
        if (sequence_of_segment(name) != 0) TRY_UNIT(dump_segment(files, directory, name, options, line));
    }
    const auto cursors = read_cursors(files, directory);
    if (!cursors) {
        line("cursors: " + cursors.error().message);
        return Unit{};
    }
    for (const auto& [consumer, next] : cursors->next) line(fmt::format("cursor {} {}", consumer, next));
    return Unit{};
}

}  // namespace stoker::journal
