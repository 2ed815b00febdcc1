#include "gateway/errors.h"

#include "base/check.h"

namespace stoker::gateway {
namespace {

constexpr std::string_view kBadRequest = "invalid_request_error";
constexpr std::string_view kRateLimit = "rate_limit_error";
constexpr std::string_view kServer = "server_error";

// In the order of the enum.
constexpr ErrorInfo kErrors[] = {
    {GatewayError::InvalidJson, 400, "invalid_json", kBadRequest,
     "The body is not valid JSON; the message says where."},
    {GatewayError::InvalidRequest, 400, "invalid_request", kBadRequest,
     "A field that decides the route has the wrong type or is given twice."},
    {GatewayError::MissingModel, 400, "missing_model", kBadRequest, "The request names no `model`."},
    {GatewayError::MissingApiKey, 401, "missing_api_key", kBadRequest,
     "The gateway asks for a key, and the request has none."},
    {GatewayError::InvalidApiKey, 401, "invalid_api_key", kBadRequest, "There is no such key."},
    {GatewayError::KeyExpired, 401, "key_expired", kBadRequest,
     "The key was good until a time that is over: its own, or that which its last rotation left it."},
    {GatewayError::KeyRevoked, 401, "key_revoked", kBadRequest, "The key was revoked."},
    {GatewayError::InvalidToken, 401, "invalid_token", kBadRequest,
     "The token (JWT) is not good here; the message says which check failed."},
    {GatewayError::TokenExpired, 401, "token_expired", kBadRequest, "The token's time is over; get a new one."},
    {GatewayError::TokenKeysUnavailable, 503, "token_keys_unavailable", kServer,
     "The signing keys of the token's issuer could not be fetched since Stoker knows it; `retry-after` says when to "
     "come "
     "back."},
    {GatewayError::TenantUnknown, 403, "tenant_unknown", kBadRequest,
     "The key or token is good, but says no tenant, or the configuration names tenants and this is not among them."},
    {GatewayError::ModelNotAllowed, 403, "model_not_allowed", kBadRequest,
     "The key, or its tenant, may not use that model; `GET /v1/models` lists those that it may."},
    {GatewayError::TooManyAuthFailures, 429, "too_many_failed_attempts", kRateLimit,
     "Too many requests with bad credentials from one address; `retry-after` says when to come back. Good keys pass."},
    {GatewayError::ModelNotFound, 404, "model_not_found", kBadRequest,
     "No pool serves that model; the message lists near names."},
    {GatewayError::UnknownPath, 404, "unknown_path", kBadRequest, "The gateway has no such endpoint."},
    {GatewayError::ResponseNotFound, 404, "response_not_found", kBadRequest,
     "No response of that id is known: it was made before the gateway started, too long ago, by somebody else, or by "
     "an "
     "engine that has gone."},
    {GatewayError::MethodNotAllowed, 405, "method_not_allowed", kBadRequest,
     "The endpoint exists, but not for this method; see the `allow` header."},
    {GatewayError::RequestTimeout, 408, "request_timeout", kBadRequest, "The request body did not come in time."},
    {GatewayError::BodyTooLarge, 413, "body_too_large", kBadRequest,
     "The request body is longer than the gateway takes."},
    {GatewayError::ContentBlocked, 400, "content_blocked", kBadRequest,
     "A content scanner refused the request, or what the model answered; the message has its reason."},
    {GatewayError::UpstreamRejected, 400, "upstream_rejected", kBadRequest,
     "The engine refused the request with a 4xx that was not JSON; the status is the engine's own."},
    {GatewayError::UpstreamRateLimited, 429, "upstream_rate_limited", kRateLimit,
     "Every replica asked said 429; `retry-after` says when to come back."},
    {GatewayError::RateLimited, 429, "rate_limit_exceeded", kRateLimit,
     "A limit of requests or tokens per minute is used up; `param` and the message say whose and which, `retry-after` "
     "when there is room again."},
    {GatewayError::ConcurrencyLimited, 429, "concurrency_limit_exceeded", kRateLimit,
     "As many requests as allowed are under way; `retry-after` is when one of them should be done."},
    {GatewayError::ShareExceeded, 429, "share_exceeded", kRateLimit,
     "The pool could not take the request, and its tenant has more of the requests that run and wait there than an "
     "even "
     "share among all tenants: it is this tenant that asks for too much. `retry-after` as for `queue_full`."},
    {GatewayError::DayLimited, 429, "tokens_per_day_exceeded", kRateLimit,
     "The tokens of this day (UTC) are used up; `retry-after` is the time to midnight."},
    {GatewayError::ClientClosed, 499, "client_closed", kBadRequest,
     "The client left before the answer's end. In records only; nobody is there to read it."},
    {GatewayError::Internal, 500, "internal_error", kServer, "A fault of the gateway; the log has it by request id."},
    {GatewayError::UpstreamError, 502, "upstream_error", kServer,
     "Every replica asked failed: an HTTP 5xx, or an answer that makes no sense."},
    {GatewayError::UpstreamUnreachable, 502, "upstream_unreachable", kServer,
     "No replica asked could be reached, or each closed the connection without an answer."},
    {GatewayError::ProviderRefusesKey, 502, "provider_refuses_key", kServer,
     "The provider behind the gateway refused the gateway's key or its account; whoever runs the gateway must look."},
    {GatewayError::NoReplica, 503, "no_replica_available", kServer,
     "Every replica of the pool is down, hung, ejected or draining; `retry-after` says when to come back."},
    {GatewayError::QueueFull, 503, "queue_full", kServer,
     "The pool has as many requests under way as it takes, and as many waiting; `retry-after` is when a place should "
     "be "
     "free, by how fast they became free lately."},
    {GatewayError::QueueTimeout, 503, "queue_timeout", kServer,
     "The request waited for a place in the pool as long as it may; `retry-after` as for `queue_full`."},
    {GatewayError::QueueTooLong, 503, "queue_too_long", kServer,
     "By the pace of late the request would not have had a place within the time that it may wait, and was refused at "
     "once; `retry-after` as for `queue_full`."},
    {GatewayError::RequestShed, 503, "request_shed", kServer,
     "The request waited in a queue that was full, and one of a higher priority, or of a tenant with fewer requests "
     "waiting, "
     "came; `retry-after` as for `queue_full`."},
    {GatewayError::Degraded, 503, "service_degraded", kServer,
     "The degradation level of the pool refuses this request, for its priority or its length; `retry-after` says when "
     "to "
     "come back."},
    {GatewayError::UpstreamOverloaded, 503, "upstream_overloaded", kServer,
     "Every replica asked said 503; `retry-after` says when to come back."},
    {GatewayError::UpstreamTimeout, 504, "upstream_timeout", kServer, "No replica answered within the deadline."},
    {GatewayError::StreamCut, 502, "upstream_stream_cut", kServer,
     "The replica's stream broke off after its first event. What came before is all there is."},
    {GatewayError::StreamStalled, 504, "upstream_stream_stalled", kServer,
     "The replica's stream fell silent past its deadline, or the replica was found hung."},
    {GatewayError::StreamMalformed, 502, "upstream_stream_malformed", kServer,
     "The replica sent an event that is not JSON, or one that is too long."},
    {GatewayError::StreamError, 502, "upstream_stream_error", kServer,
     "The replica ended its stream with an error event of its own, which was passed on. In records only."},
};

}  // namespace

std::span<const ErrorInfo> error_table() {
    return kErrors;
}

const ErrorInfo& info(GatewayError error) {
    const ErrorInfo& entry = kErrors[static_cast<std::size_t>(error)];
    STOKER_CHECK(entry.error == error, "the table is out of order");
    return entry;
}

std::string error_json(GatewayError error, std::string_view message, std::string_view param, wire::Dialect dialect) {
    const ErrorInfo& entry = info(error);
    return wire::error_body(dialect, {entry.status, message, entry.type, entry.code, param});
}

std::string error_event(GatewayError error, std::string_view message, wire::Dialect dialect,
                        std::optional<std::int64_t> sequence) {
    const ErrorInfo& entry = info(error);
    return wire::error_event(dialect, {entry.status, message, entry.type, entry.code, {}}, sequence);
}

std::string refusal_json(wire::Dialect dialect, int status, std::string body) {
    if (wire::is_error_body(dialect, body)) return body;
    constexpr std::size_t kMostSaid = 2000;
    std::string message = "the engine refused the request with status " + std::to_string(status);
    const auto scan = wire::scan_event(dialect, body);
    if (scan && !scan->error_message.empty()) message = wire::unescape(scan->error_message).substr(0, kMostSaid);
    const ErrorInfo& entry = info(GatewayError::UpstreamRejected);
    return wire::error_body(dialect, {status, message, entry.type, entry.code, {}});
}

std::string error_table_markdown() {
    std::string text = "| status | code | type | meaning |\n|---|---|---|---|\n";
    for (const ErrorInfo& entry : kErrors) {
        text += "| " + std::to_string(entry.status) + " | `" + std::string(entry.code) + "` | `" +
                std::string(entry.type) + "` | " + std::string(entry.meaning) + " |\n";
    }
    return text;
}

}  // namespace stoker::gateway
