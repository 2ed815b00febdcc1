// One stream on its way from a replica to the client: bytes in, bytes out, and what was learnt on the way. No I/O.
//
// Each event is checked, timed and passed on as the engine wrote it. Three things are held back:
//   - everything before the first event that means something to the user (content, an end, usage), so that a replica
//   which
//     fails until then can be replaced without the client noticing;
//   - what only the gateway asked for: the usage chunk and `usage` members, if the client did not want them;
//   - the end: [DONE] is passed on only after a stream that was whole. A stream that ends without it, but whose choices
//     all had their finish_reason, was whole and gets the [DONE] it lacks; any other that ends without it was cut.
//     Each API has its own last event; see wire/dialect.h.
//
// Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/metrics.h"
#include "base/time.h"
#include "gateway/errors.h"
#include "gateway/hooks/content_scanner.h"
#include "net/sse.h"
#include "wire/continuation.h"
#include "wire/dialect.h"

namespace stoker::gateway {

// What a stream (or a whole answer) turned out to be.
struct AnswerFacts {
    std::optional<wire::Usage> usage;
    wire::Usage usage_so_far;  // What was said of the tokens before the end; zeros if nothing.
    std::string finish_reason;
    // About as many as tokens: the event that opens a tool call and the first of its arguments count as one.
    std::int64_t content_events = 0;
    SteadyTime first_content{};  // Epoch: none came.
    SteadyTime last_content{};
    std::int64_t longest_gap_ns = 0;  // Between two events with content.
};

struct RelayFailure {
    GatewayError error{};
    std::string message;
    int upstream_status = 0;     // What the engine's own error event said; 0 if nothing.
    std::string upstream_body;   // The engine's error as JSON.
    std::string upstream_event;  // And as the event that it came in.
};

class StreamRelay {
public:
    enum class State : std::uint8_t { Holding, Flowing, Done, Failed };

    struct Options {
        wire::Dialect dialect = wire::Dialect::Chat;
        bool hide_usage = false;  // The gateway asked for usage, the client did not.
        std::size_t max_event_bytes = 4 * 1024 * 1024;
        metrics::Histogram* inter_token_latency = nullptr;
        bool keep_text = false;            // For another replica to go on with, should this one fail.
        wire::Splice* splice = nullptr;    // This stream goes on with another. Outlives the relay.
        AnswerScanner* scanner = nullptr;  // Sees each event before it is passed on. Outlives the relay.
    };

    explicit StreamRelay(Options options);
    StreamRelay(const StreamRelay&) = delete;
    StreamRelay& operator=(const StreamRelay&) = delete;

    // Takes a piece of the body. Past Done and Failed it does nothing.
    State feed(std::string_view bytes, SteadyTime now);
    // The body ended as it should by HTTP; Done or Failed after it.
    State end_of_body();

    State state() const { return state_; }
    // For the client. To be taken (and cleared) after each feed() unless the state is Holding; valid before a failure's
    // error event too.
    std::string& out() { return out_; }
    // REQUIRES: Failed.
    const RelayFailure& failure() const { return failure_; }
    const AnswerFacts& facts() const { return facts_; }
    // The number of the last event, in APIs that number them.
    std::optional<std::int64_t> sequence() const { return sequence_; }
    // With keep_text: what was let through so far, as JSON writes it, whether that is all there was (no tool call, no
    // second choice, not too long), and the data of the first event (of responses always).
    const std::string& text() const { return text_; }
    bool plain_text() const { return plain_ && seen_ <= 1; }
    const std::string& first_event() const { return first_event_; }

    // All that makes an answer has come, though the event that says so has not.
    bool whole() const;
    // Supplies that event. REQUIRES: whole().
    void complete();

    // When the last event of any kind came; epoch before the first.
    SteadyTime last_event() const { return last_event_; }

private:
    void on_event(const net::SseEvent& event);
    void on_data(const net::SseEvent& event);
    void on_spliced(const net::SseEvent& event);
    void on_json(const net::SseEvent& event);
    void on_error_event(const net::SseEvent& event, const wire::AnswerScan& scan);
    void note_content(bool opens_call);
    void pass_on(const net::SseEvent& event, const wire::AnswerScan& scan);
    void fail(GatewayError error, std::string message);
    void note_text(const wire::AnswerScan& scan, std::string_view data);
    void note_usage(const wire::AnswerScan& scan);

    const Options options_;
    const std::function<void(const net::SseEvent&)> handler_;
    net::SseParser parser_;
    State state_ = State::Holding;
    std::string out_;
    std::string text_;
    std::string first_event_;
    bool plain_ = true;
    RelayFailure failure_;
    AnswerFacts facts_;
    SteadyTime now_{};
    SteadyTime last_event_{};
    std::optional<std::int64_t> sequence_;
    bool call_opened_ = false;    // By the event with content before.
    std::uint64_t seen_ = 0;      // Choices, one bit each.
    std::uint64_t finished_ = 0;  // Those with a finish_reason.
};

// `raw` with its data replaced by `data`, other fields of the event kept.
std::string with_data(std::string_view raw, std::string_view data);

}  // namespace stoker::gateway
