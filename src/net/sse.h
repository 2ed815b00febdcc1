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
    std::string_view raw;  // With its terminating blank line.
    std::string_view
        data;  // Lines of `data:` joined by '\n'. Empty in comments and keep-alives, which come as events too.
    std::string_view event;
    std::string_view id;
};

class SseParser {
public:
    using OnEvent = std::function<void(const SseEvent&)>;

    // An event longer than `max_event_bytes` is refused.
    explicit SseParser(std::size_t max_event_bytes = 4 * 1024 * 1024) : max_event_bytes_(max_event_bytes) {}

    // Views in the event hold during the callback. Events that lie whole in `bytes` are not copied. An event that ends
    // in a lone CR is held until the next byte tells whether an LF belongs to it. Errors: ResourceExhausted.
    Result<Unit> feed(std::string_view bytes, const OnEvent& on_event);

    // The stream has ended: delivers an event that was held.
    void finish(const OnEvent& on_event);

    // Bytes of an event that has not ended yet; not empty at the end of a stream that was cut.
    std::string_view pending() const { return buffer_; }

private:
    void deliver(std::string_view raw, const OnEvent& on_event);

    std::size_t max_event_bytes_;
    std::string buffer_;           // The event under way, empty or from its first byte.
    std::string data_;             // Joined lines.
    std::size_t line_start_ = 0;   // In the event under way.
    std::size_t scanned_ = 0;      // No line ends before that.
    bool at_stream_start_ = true;  // A byte order mark may come.
};

}  // namespace stoker::net
