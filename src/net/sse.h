// Server-sent events (WHATWG HTML, "event stream interpretation"): an incremental parser without I/O.
//
// feed() takes bytes as they come and calls back once an event is complete; `raw` is the exact text of the event with
// its blank line, so that a proxy can pass it on untouched. CR, LF and CRLF endings. Not thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace stoker::net {

struct SseEvent {
    std::string_view raw;   // With its terminating blank line.
    std::string_view data;  // Lines of `data:` joined by '\n'.
    std::string_view event;
    std::string_view id;
};

class SseParser {
public:
    // An event longer than `max_event_bytes` is refused.
    explicit SseParser(std::size_t max_event_bytes = 4 * 1024 * 1024) : max_event_bytes_(max_event_bytes) {}

    // Views in the event hold during the callback. Errors: ResourceExhausted.
    Result<Unit> feed(std::string_view bytes, const std::function<void(const SseEvent&)>& on_event);

    // Bytes of an event that has not ended yet; not empty at the end of a stream that was cut.
    std::string_view pending() const { return buffer_; }

private:
    std::size_t max_event_bytes_;
    std::string buffer_;
    std::string data_;
};

}  // namespace stoker::net
