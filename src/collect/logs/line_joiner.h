// Lines that belong together made one entry: a traceback, a dump, what a pattern says.
//
// Without a pattern a line goes on the one before if it is indented, or is part of a Python or Java stack trace. With
// one, every line that does not match it does. An entry ends when the next begins, when it is as large as may be, or
// when nothing came for a while. A pure state machine; not thread-safe.
#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace stoker::collect {

struct JoinOptions {
    std::shared_ptr<const RE2> start{};  // What the first line of an entry looks like; null: see above.
    std::size_t max_bytes = std::size_t{256} << 10;
    std::size_t max_lines = 1000;
    Duration wait{500};  // For the next line of the same entry.
};

struct JoinedLines {
    std::string text;
    std::uint64_t begin = 0;  // Where its first line begins, as push() was told.
};

class LineJoiner {
public:
    explicit LineJoiner(JoinOptions options) : options_(std::move(options)) {}

    // Takes a line without its end, which began at `begin` of its source; returns the entry that it shows to be over.
    std::optional<JoinedLines> push(std::string_view line, std::uint64_t begin, SteadyTime now);

    // The entry under way, if nothing was added to it for `wait`.
    std::optional<JoinedLines> take_idle(SteadyTime now);
    std::optional<JoinedLines> take();

    // Where the entry under way begins.
    std::optional<std::uint64_t> pending() const {
        return lines_ == 0 ? std::nullopt : std::optional<std::uint64_t>(entry_.begin);
    }

private:
    bool continues(std::string_view line);

    const JoinOptions options_;
    JoinedLines entry_;
    std::size_t lines_ = 0;
    bool trace_ = false;   // In a Python traceback whose last line, the exception, is still to come.
    bool traced_ = false;  // The entry holds a traceback.
    SteadyTime last_{};
};

}  // namespace stoker::collect
