// From the lines of one file to entries: container records opened, cut ones put together, lines of one entry joined,
// and what they say of themselves read. A pure state machine; not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collect/logs/container_line.h"
#include "collect/logs/line_joiner.h"
#include "collect/logs/log_entry.h"

namespace stoker::collect {

struct EntryOptions {
    std::optional<LogFormat> format{};  // Nothing: what the first line looks like.
    JoinOptions join{};
    std::string service{};
    std::string stream{};  // The file's path.
    LogEntry::Attributes resource{};
};

class EntryBuilder {
public:
    explicit EntryBuilder(EntryOptions options);

    // Takes a line that began at byte `begin` of the file; entries that it shows to be over are added to `out`.
    void push(std::string_view line, std::uint64_t begin, SteadyTime now, std::vector<LogEntry>& out);

    // Entries to which nothing was added for a while; all of them.
    void flush_idle(SteadyTime now, std::vector<LogEntry>& out);
    void flush(std::vector<LogEntry>& out);

    // Where the oldest line begins that is in no entry yet.
    std::optional<std::uint64_t> pending() const;

    // Forgets what is under way: it will be read again.
    void reset();

private:
    // Of standard output and standard error each: a container's lines of the two come mixed.
    struct Half {
        LineJoiner joiner;
        std::string partial;
        std::uint64_t partial_begin = 0;
        std::int64_t time_ns = 0;  // Of the first record of the entry under way.
    };

    void add(Half& half, std::string_view line, std::uint64_t begin, std::int64_t time_ns, SteadyTime now,
             std::vector<LogEntry>& out);
    void emit(Half& half, JoinedLines lines, std::vector<LogEntry>& out);

    const EntryOptions options_;
    std::optional<LogFormat> format_;
    std::array<Half, 2> halves_;
};

}  // namespace stoker::collect
