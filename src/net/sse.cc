#include "net/sse.h"

namespace stoker::net {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool ends_line(char c) {
    return c == '\n' || c == '\r';
}

// The line at the start of `text` without its end, which is dropped from `text` with it.
std::string_view take_line(std::string_view& text) {
    std::size_t length = 0;
    while (length < text.size() && !ends_line(text[length])) ++length;
    const std::string_view line = text.substr(0, length);
    text.remove_prefix(length);
    text.remove_prefix(text.starts_with("\r\n") ? 2 : text.empty() ? 0 : 1);
    return line;
}

}  // namespace

// Looks only for the blank line that ends an event; deliver() reads the fields then. So each byte is looked at twice,
// however the stream is cut up.
Result<Unit> SseParser::feed(std::string_view bytes, const OnEvent& on_event) {
    const bool buffered = !buffer_.empty();
    if (buffered) buffer_.append(bytes);
    std::string_view text = buffered ? std::string_view(buffer_) : bytes;  // From the start of the event under way.
    bool too_long = false;
    while (!too_long) {
        if (at_stream_start_ && line_start_ == 0 && text.starts_with(kByteOrderMark))
            line_start_ = kByteOrderMark.size();
        if (scanned_ < line_start_) scanned_ = line_start_;
        while (scanned_ < text.size() && !ends_line(text[scanned_])) ++scanned_;
        if (scanned_ >= text.size()) break;
        if (text[scanned_] == '\r' && scanned_ + 1 == text.size()) break;
        const std::size_t line_end = scanned_;
        scanned_ += text.substr(scanned_).starts_with("\r\n") ? 2 : 1;
        const bool blank = line_end == line_start_;
        line_start_ = scanned_;
        if (!blank) continue;
        too_long = scanned_ > max_event_bytes_;
        if (!too_long) deliver(text.substr(0, scanned_), on_event);
        text.remove_prefix(scanned_);
        scanned_ = line_start_ = 0;
    }
    if (buffered) {
        buffer_.erase(0, buffer_.size() - text.size());
    } else {
        buffer_.assign(text);
    }
    if (too_long || buffer_.size() > max_event_bytes_) {
        return Error{Errc::ResourceExhausted,
                     "a server-sent event is longer than " + std::to_string(max_event_bytes_) + " bytes"};
    }
    return Unit{};
}

void SseParser::finish(const OnEvent& on_event) {
    const bool held = !buffer_.empty() && buffer_.back() == '\r' && line_start_ + 1 == buffer_.size();
    if (!held) return;
    deliver(buffer_, on_event);
    buffer_.clear();
    scanned_ = line_start_ = 0;
}

void SseParser::deliver(std::string_view raw, const OnEvent& on_event) {
    SseEvent event{.raw = raw, .data = {}, .event = {}, .id = {}};
    std::string_view rest = raw;
    if (std::exchange(at_stream_start_, false) && rest.starts_with(kByteOrderMark)) {
        rest.remove_prefix(kByteOrderMark.size());
    }
    std::size_t data_lines = 0;
    while (!rest.empty()) {
        const std::string_view line = take_line(rest);
        const auto colon = line.find(':');
        const std::string_view field = line.substr(0, colon);
        std::string_view value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
        if (value.starts_with(' ')) value.remove_prefix(1);
        if (field == "data") {
            // One line, the common case, needs no copy.
            if (++data_lines == 2) data_.assign(event.data);
            if (data_lines >= 2) data_.append("\n").append(value);
            event.data = data_lines == 1 ? value : std::string_view(data_);
        } else if (field == "event") {
            event.event = value;
        } else if (field == "id" && value.find('\0') == std::string_view::npos) {
            event.id = value;
        }
    }
    on_event(event);
}

}  // namespace stoker::net
