#include "outward/webhook.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "crypto/hmac.h"

namespace stoker::outward {
namespace {

using nlohmann::json;

constexpr std::string_view kSecretPrefix = "whsec_";
constexpr std::int64_t kLongestRetryAfter = 3'600;  // Seconds.

// The inside of a JSON string.
std::string escaped(std::string_view text) {
    const std::string quoted = quote_json(text);
    return quoted.substr(1, quoted.size() - 2);
}

// https://github.com/cloudevents/spec, version 1.0, in structured mode.
std::string cloud_event(const WebhookOptions& options, const Event& event) {
    json data = json::parse(event.data, nullptr, false);
    if (!data.is_object()) data = json::object();
    data["summary"] = event.summary;
    data["severity"] = to_string(event.severity);
    json whole{{"specversion", "1.0"},
               {"id", event.id},
               {"source", options.source},
               {"type", "stoker." + event.type},
               {"time", format_timestamp(event.at)},
               {"datacontenttype", "application/json"},
               {"data", std::move(data)}};
    if (!event.subject.empty()) whole["subject"] = event.subject;
    return whole.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

Result<std::string> fill_template(std::string_view text, const Event& event, const std::string& source) {
    std::string out;
    while (true) {
        const std::size_t open = text.find("{{");
        out.append(text.substr(0, open));
        if (open == std::string_view::npos) return out;
        const std::size_t close = text.find("}}", open);
        if (close == std::string_view::npos) return Error{Errc::InvalidArgument, "a {{ without its }}"};
        const std::string_view name = trim(text.substr(open + 2, close - open - 2));
        if (name == "id") {
            out += escaped(event.id);
        } else if (name == "type") {
            out += escaped(event.type);
        } else if (name == "severity") {
            out += to_string(event.severity);
        } else if (name == "subject") {
            out += escaped(event.subject);
        } else if (name == "summary") {
            out += escaped(event.summary);
        } else if (name == "time") {
            out += format_timestamp(event.at);
        } else if (name == "source") {
            out += escaped(source);
        } else if (name == "data") {
            out += event.data;
        } else {
            return Error{Errc::InvalidArgument, "there is no {{" + std::string(name.substr(0, 64)) +
                                                    "}}; there are id, type, severity, subject, summary, time, source "
                                                    "and data"};
        }
        text.remove_prefix(close + 2);
    }
}

Result<std::string> webhook_key(std::string_view secret) {
    if (!secret.starts_with(kSecretPrefix)) return std::string(secret);
    auto key = crypto::base64_decode(secret.substr(kSecretPrefix.size()));
    if (!key || key->empty()) return Error{Errc::InvalidArgument, "what follows whsec_ is no base64"};
    return *std::move(key);
}

std::string webhook_signature(std::string_view key, std::string_view id, std::int64_t seconds, std::string_view body) {
    std::string text(id);
    text.append(".").append(std::to_string(seconds)).append(".").append(body);
    const auto digest = crypto::hmac_sha256(key, text);
    return "v1," + crypto::base64_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

WebhookRequest webhook_request(const WebhookOptions& options, const Event& event, Timestamp now) {
    WebhookRequest request;
    switch (options.format) {
        case WebhookFormat::Json:
            request.body = to_json(event);
            request.content_type = "application/json";
            break;
        case WebhookFormat::CloudEvents:
            request.body = cloud_event(options, event);
            request.content_type = "application/cloudevents+json";
            break;
        case WebhookFormat::Template:
            request.body = fill_template(options.body, event, options.source).value_or("");
            request.content_type = options.content_type;
            break;
    }
    for (const auto& [name, value] : options.headers) request.headers.set(name, value);
    const std::int64_t seconds = to_millis(now) / 1000;
    request.headers.set("webhook-id", event.id);
    request.headers.set("webhook-timestamp", std::to_string(seconds));
    request.headers.set("User-Agent", "stoker");
    if (const auto key = webhook_key(options.secret); key && !key->empty()) {
        request.headers.set("webhook-signature", webhook_signature(*key, event.id, seconds, request.body));
    }
    return request;
}

DeliveryVerdict judge_delivery(const Result<net::Response>& answer) {
    if (!answer) return {Delivery::TryAgain, Duration{0}, answer.error().message};
    const int status = answer->status;
    if (status / 100 == 2) return {Delivery::Taken, Duration{0}, {}};
    DeliveryVerdict verdict{Delivery::Refused, Duration{0}, "answered " + std::to_string(status)};
    // 408 and 425 ask for the same again; a redirect may lead anywhere, and is a mistake in the configuration.
    if (status == 408 || status == 425 || status == 429 || status >= 500) verdict.delivery = Delivery::TryAgain;
    if (const auto after = answer->headers.get("Retry-After")) {
        const auto seconds = parse_integer(*after);
        if (seconds && *seconds > 0) verdict.retry_after = Duration{1000 * std::min(*seconds, kLongestRetryAfter)};
    }
    return verdict;
}

}  // namespace stoker::outward
