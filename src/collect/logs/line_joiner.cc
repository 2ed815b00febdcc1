#include "collect/logs/line_joiner.h"

#include "base/text.h"

namespace stoker::collect {
namespace {

constexpr std::string_view kTraceback = "Traceback (most recent call last)";

bool begins_trace_part(std::string_view line) {
    return line.starts_with("During handling of the above exception") ||
           line.starts_with("The above exception was the direct cause") || line.starts_with("Caused by:");
}

}  // namespace

bool LineJoiner::continues(std::string_view line) {
    if (options_.start) return !RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), *options_.start);
    if (lines_ == 0) return false;
    if (trim(line).empty()) return traced_;  // Between chained exceptions.
    if (line[0] == ' ' || line[0] == '\t') return true;
    if (line.starts_with(kTraceback) || begins_trace_part(line)) {
        trace_ = line.starts_with(kTraceback) || trace_;
        traced_ = traced_ || trace_;
        // A logger writes its message first and the traceback after it.
        return true;
    }
    if (!trace_) return false;
    // The first line that is not indented ends the traceback: "RuntimeError: ...".
    trace_ = false;
    return true;
}

std::optional<JoinedLines> LineJoiner::push(std::string_view line, std::uint64_t begin, SteadyTime now) {
    std::optional<JoinedLines> done;
    const bool fits = lines_ < options_.max_lines && entry_.text.size() + line.size() < options_.max_bytes;
    if (lines_ > 0 && fits && continues(line)) {
        entry_.text += '\n';
    } else {
        done = take();
        entry_.begin = begin;
        traced_ = trace_ = !options_.start && line.find(kTraceback) != std::string_view::npos;
    }
    entry_.text += line;
    ++lines_;
    last_ = now;
    return done;
}

std::optional<JoinedLines> LineJoiner::take_idle(SteadyTime now) {
    return lines_ > 0 && now - last_ >= options_.wait ? take() : std::nullopt;
}

std::optional<JoinedLines> LineJoiner::take() {
    if (lines_ == 0) return std::nullopt;
    lines_ = 0;
    trace_ = traced_ = false;
    while (entry_.text.ends_with('\n')) entry_.text.pop_back();
    return std::exchange(entry_, {});
}

}  // namespace stoker::collect
