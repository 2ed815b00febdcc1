// The place for inspecting what goes through: one look at each request before it is routed, and one at each piece of
// its answer before the client gets it. Nothing here inspects anything; GatewayOptions::scanner brings somebody who
// does.
//
// Every answer to a client is shown, wherever it came from: an engine, the cache, or an identical request's. What the
// gateway asks for itself (a batch for several requests, an embedding for the semantic cache) is not; each request of a
// batch has its own part looked at. Errors are not answers.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "gateway/hooks/answer_source.h"

namespace stoker::gateway {

struct ScanVerdict {
    bool allow = true;
    std::string reason{};  // Told to the client, with the code content_blocked.
};

// What is known of the request. Views are valid during the call.
struct ScanSubject {
    std::string_view request_id;
    std::string_view path;
    std::string_view tenant;
    std::string_view key_id;
    std::string_view model;                    // As the client named it.
    AnswerSource source = AnswerSource::None;  // Of the answer.
};

// One answer's. Lives on the request's loop; what it takes, every client of that loop waits.
//
// Once it has refused, the client gets no more of the answer, and nobody else is asked for one: an error instead, or,
// after its first byte, an error event (a stream) or a connection that breaks off (a whole answer in several pieces).
class AnswerScanner {
public:
    virtual ~AnswerScanner() = default;
    // The data of a stream's event, as it came.
    virtual ScanVerdict on_event(std::string_view data) = 0;
    // A whole answer: in one piece up to GatewayOptions::hold_answer_bytes, else piece by piece, in order.
    virtual ScanVerdict on_body(std::string_view piece) = 0;
};

// Thread-safe. Called on the requests' loops: must not block.
class ContentScanner {
public:
    virtual ~ContentScanner() = default;
    // `body` as the client sent it; of a form that is passed on as it comes, its beginning.
    virtual ScanVerdict on_request(const ScanSubject& subject, std::string_view body) = 0;
    // For each attempt that brings an answer, and each answer of the cache's; null: this one need not be looked at.
    virtual std::unique_ptr<AnswerScanner> on_answer(const ScanSubject& subject) = 0;
};

}  // namespace stoker::gateway
