// One webhook as values: what is sent for an event, how it is signed, and what the answer means.
//
// Requests are those of Standard Webhooks (standardwebhooks.com): webhook-id, webhook-timestamp, and with a secret
// webhook-signature, "v1," and the base64 of HMAC-SHA256 over ID.TIMESTAMP.BODY. Pure, thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "net/http.h"
#include "outward/event.h"

namespace stoker::outward {

enum class WebhookFormat : std::uint8_t { Json, CloudEvents, Template };

struct WebhookOptions {
    std::string name;  // Of its metrics and of its place in the log.
    std::string url;
    EventFilter filter;
    WebhookFormat format = WebhookFormat::Json;
    std::string body;                               // The template.
    std::string content_type = "application/json";  // Of what the template makes.
    std::string secret;                             // Empty: not signed. "whsec_" and base64, or any text.
    std::map<std::string, std::string> headers;
    Duration timeout{10'000};
    Duration give_up_after{3'600'000};  // An event that is not taken for so long is a dead letter.
    std::string source;                 // Who speaks, in CloudEvents and templates: where people reach this Stoker.
};

struct WebhookRequest {
    net::Headers headers;
    std::string content_type;
    std::string body;
};

// What is sent for `event` at `now`.
WebhookRequest webhook_request(const WebhookOptions& options, const Event& event, Timestamp now);

// `{{NAME}}` is replaced by the event's field of that name: id, type, severity, subject, summary, time and source as
// the inside of a JSON string, data as JSON. Errors: InvalidArgument, naming what stands there instead.
Result<std::string> fill_template(std::string_view text, const Event& event, const std::string& source);

// Errors: InvalidArgument: a secret that begins as Standard Webhooks' do and is no base64.
Result<std::string> webhook_key(std::string_view secret);
std::string webhook_signature(std::string_view key, std::string_view id, std::int64_t seconds, std::string_view body);

enum class Delivery : std::uint8_t { Taken, TryAgain, Refused };

struct DeliveryVerdict {
    Delivery delivery = Delivery::TryAgain;
    Duration retry_after{0};  // What the receiver asked for.
    std::string error{};      // Empty if it was taken.
};
DeliveryVerdict judge_delivery(const Result<net::Response>& answer);

}  // namespace stoker::outward
