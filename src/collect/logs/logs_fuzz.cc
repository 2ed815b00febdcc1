// Lines of log may hold anything: parsing them must not crash, and joined lines never outgrow their bound.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "collect/logs/entry_builder.h"
#include "collect/logs/journald_line.h"
#include "collect/logs/parse_line.h"
#include "collect/logs/positions.h"
#include "collect/logs/signature_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace stoker::collect;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    LogEntry entry;
    entry.body = text;
    parse_line(entry);
    if (entry.severity > 24 || entry.attributes.size() > kMostLineAttributes) std::abort();
    (void)parse_journald_line(text);
    (void)container_of_path(text);
    (void)positions_from_json(std::string(text));
    (void)parse_signatures(text, "fuzz");

    constexpr std::size_t kMost = 64;
    EntryOptions options;
    options.join.max_bytes = kMost;
    EntryBuilder builder(options);
    std::vector<LogEntry> entries;
    std::uint64_t at = 0;
    for (const auto line : stoker::split(text, '\n')) {
        builder.push(line, at, {}, entries);
        at += line.size() + 1;
        if (builder.pending().value_or(0) > at) std::abort();
    }
    builder.flush(entries);
    if (builder.pending()) std::abort();
    return 0;
}
