#include "gateway/upstream/stream_relay.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "wire/tool_call.h"

namespace stoker::gateway {
namespace {

// Role-only chunks and the like before the first content; a stream that sends more than this is simply passed on.
constexpr std::size_t kMostHeld = 256 * 1024;

// An answer longer than this is not sent again to be continued.
constexpr std::size_t kMostText = 256 * 1024;

}  // namespace

StreamRelay::StreamRelay(Options options)
    : options_(options),
      handler_([this](const net::SseEvent& event) { on_event(event); }),
      parser_(options.max_event_bytes) {}

StreamRelay::State StreamRelay::feed(std::string_view bytes, SteadyTime now) {
    if (state_ == State::Done || state_ == State::Failed) return state_;
    now_ = now;
    const auto fed = parser_.feed(bytes, handler_);
    if (!fed && state_ != State::Failed)
        fail(GatewayError::StreamMalformed, "the replica sent an event that is too long");
    if (state_ == State::Holding && out_.size() > kMostHeld) state_ = State::Flowing;
    return state_;
}

StreamRelay::State StreamRelay::end_of_body() {
    if (state_ == State::Done || state_ == State::Failed) return state_;
    parser_.finish(handler_);
    if (state_ == State::Done || state_ == State::Failed) return state_;
    if (whole() && trim(parser_.pending()).empty()) {
        complete();
        return state_;
    }
    fail(GatewayError::StreamCut, "the replica ended the stream before the answer was complete");
    return state_;
}

void StreamRelay::complete() {
    out_ += wire::last_event(options_.dialect);
    state_ = State::Done;
}

void StreamRelay::fail(GatewayError error, std::string message) {
    failure_.error = error;
    failure_.message = std::move(message);
    state_ = State::Failed;
}

void StreamRelay::on_event(const net::SseEvent& event) {
    if (state_ == State::Done || state_ == State::Failed) return;
    last_event_ = now_;
    if (event.data.empty()) {  // A comment, or a field that no client of this API reads.
        out_ += event.raw;
        return;
    }
    on_data(event);
}

void StreamRelay::on_data(const net::SseEvent& event) {
    if (wire::is_done(event.data)) {
        if (state_ == State::Holding && facts_.finish_reason.empty() && seen_ == 0) {
            return fail(GatewayError::StreamCut, "the replica ended the stream without an answer");
        }
        out_ += event.raw;
        state_ = State::Done;
        return;
    }
    if (options_.splice != nullptr) return on_spliced(event);
    on_json(event);
}

// The event as it would have been in the stream that this one goes on with.
void StreamRelay::on_spliced(const net::SseEvent& event) {
    const std::optional<std::string> data = options_.splice->rewrite(event.data);
    if (!data) return;
    const std::string raw = with_data(event.raw, *data);
    on_json({raw, *data, event.event, event.id});
}

void StreamRelay::on_json(const net::SseEvent& event) {
    const auto scan = wire::scan_event(options_.dialect, event.data);
    if (!scan) return fail(GatewayError::StreamMalformed, "the replica sent an event that is not JSON");
    if (scan->has_error) return on_error_event(event, *scan);
    if (options_.scanner != nullptr) {
        ScanVerdict verdict = options_.scanner->on_event(event.data);
        if (!verdict.allow) return fail(GatewayError::ContentBlocked, std::move(verdict.reason));
    }
    if (first_event_.empty()) first_event_ = event.data;
    if (options_.keep_text) note_text(*scan, event.data);
    seen_ |= scan->choices_seen;
    finished_ |= scan->choices_finished;
    if (!scan->finish_reason.empty()) facts_.finish_reason = wire::unescape(scan->finish_reason);
    if (scan->sequence) sequence_ = scan->sequence;
    if (scan->usage) note_usage(*scan);
    if (scan->has_content) note_content(wire::opens_tool_call(options_.dialect, event.data));
    pass_on(event, *scan);
    if (scan->ends) {
        state_ = State::Done;
        return;
    }
    if (state_ == State::Holding && (scan->has_content || scan->choices_finished != 0)) state_ = State::Flowing;
}

void StreamRelay::on_error_event(const net::SseEvent& event, const wire::AnswerScan& scan) {
    const bool held = state_ == State::Holding;
    fail(GatewayError::StreamError, "the replica reported an error: " + wire::unescape(scan.error_message));
    failure_.upstream_status = scan.error_status;
    failure_.upstream_body = event.data;
    if (!held) failure_.upstream_event = event.raw;
}

void StreamRelay::note_text(const wire::AnswerScan& scan, std::string_view) {
    plain_ = plain_ && !scan.beyond_text && text_.size() + scan.content.size() <= kMostText;
    if (plain_) text_ += scan.content;
}

bool StreamRelay::whole() const {
    // Nothing is known of what ends the streams of other APIs but that they have come to an end.
    if (options_.dialect == wire::Dialect::Other) return facts_.content_events > 0 && seen_ == finished_;
    return seen_ != 0 && seen_ == finished_;
}

void StreamRelay::note_usage(const wire::AnswerScan& scan) {
    if (scan.usage_so_far) {
        facts_.usage_so_far = *scan.usage;
    } else {
        facts_.usage = wire::merge(facts_.usage_so_far, *scan.usage);
    }
}

void StreamRelay::note_content(bool opens_call) {
    if (std::exchange(call_opened_, opens_call) && !opens_call) {
        facts_.last_content = now_;
        return;
    }
    ++facts_.content_events;
    if (facts_.content_events == 1) {
        facts_.first_content = now_;
    } else {
        const auto gap = now_ - facts_.last_content;
        const auto gap_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(gap).count();
        facts_.longest_gap_ns = std::max<std::int64_t>(facts_.longest_gap_ns, gap_ns);
        if (options_.inter_token_latency != nullptr) {
            options_.inter_token_latency->observe(std::chrono::duration<double>(gap).count());
        }
    }
    facts_.last_content = now_;
}

void StreamRelay::pass_on(const net::SseEvent& event, const wire::AnswerScan& scan) {
    if (!options_.hide_usage || !scan.usage_member.present()) {
        out_ += event.raw;
        return;
    }
    if (scan.choices_empty && scan.usage) return;  // The chunk that is there only because the gateway asked.
    out_ += with_data(event.raw, wire::without_usage(event.data, scan));
}

std::string with_data(std::string_view raw, std::string_view data) {
    std::string text;
    bool written = false;
    for (std::size_t at = 0; at < raw.size();) {
        std::size_t end = raw.find_first_of("\r\n", at);
        if (end == std::string_view::npos) end = raw.size();
        const std::size_t next = std::min(raw.size(), end + (raw.substr(end, 2) == "\r\n" ? 2 : 1));
        const std::string_view line = raw.substr(at, end - at);
        const std::string_view ending = raw.substr(end, next - end);
        if (line == "data" || line.starts_with("data:")) {
            if (!std::exchange(written, true)) {
                // JSON has no raw line ends inside strings, so a line end in it can only be white space.
                text += "data: ";
                std::replace_copy(data.begin(), data.end(), std::back_inserter(text), '\n', ' ');
                text += ending;
            }
        } else {
            text.append(line).append(ending);
        }
        at = next;
    }
    return text;
}

}  // namespace stoker::gateway
