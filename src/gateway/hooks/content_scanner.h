// The place for inspecting what goes through: one look at each request before it is routed, and one at each event of a
// stream before the client gets it. Nothing here inspects anything; GatewayOptions::scanner brings somebody who does.
//
// Whole answers are not shown to it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

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
    std::string_view model;  // As the client named it.
};

// One stream's. Lives on the stream's loop; what it takes, every client of that loop waits.
class StreamScanner {
public:
    virtual ~StreamScanner() = default;
    // The data of an event, as it came. Once refused the stream ends with an error and is asked for nowhere else.
    virtual ScanVerdict on_event(std::string_view data) = 0;
};

// Thread-safe. Called on the requests' loops: must not block.
class ContentScanner {
public:
    virtual ~ContentScanner() = default;
    // `body` as the client sent it; of a form that is passed on as it comes, its beginning.
    virtual ScanVerdict on_request(const ScanSubject& subject, std::string_view body) = 0;
    // For each attempt that brings a stream; null: this one need not be looked at.
    virtual std::unique_ptr<StreamScanner> on_stream(const ScanSubject& subject) = 0;
};

}  // namespace stoker::gateway
