// Every error that the gateway itself can give to a client: one table of stable codes (docs/errors.md shows it).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "wire/dialect.h"

namespace stoker::gateway {

enum class GatewayError : unsigned char {
    InvalidJson,
    InvalidRequest,
    MissingModel,
    MissingApiKey,
    InvalidApiKey,
    KeyExpired,
    KeyRevoked,
    InvalidToken,
    TokenExpired,
    TokenKeysUnavailable,
    TenantUnknown,
    ModelNotAllowed,
    TooManyAuthFailures,
    ModelNotFound,
    UnknownPath,
    ResponseNotFound,
    MethodNotAllowed,
    RequestTimeout,
    BodyTooLarge,
    ContentBlocked,
    UpstreamRejected,
    UpstreamRateLimited,
    RateLimited,
    ConcurrencyLimited,
    ShareExceeded,
    DayLimited,
    ClientClosed,
    Internal,
    UpstreamError,
    UpstreamUnreachable,
    ProviderRefusesKey,
    NoReplica,
    QueueFull,
    QueueTimeout,
    QueueTooLong,
    RequestShed,
    Degraded,
    UpstreamOverloaded,
    UpstreamTimeout,
    StreamCut,
    StreamStalled,
    StreamMalformed,
    StreamError
};

struct ErrorInfo {
    GatewayError error;
    int status;             // HTTP; of an error that ends a stream under way, what stands in the record.
    std::string_view code;  // Stable: programs branch on it.
    std::string_view type;  // OpenAI's broad class.
    std::string_view meaning;
};

std::span<const ErrorInfo> error_table();
const ErrorInfo& info(GatewayError error);

// The JSON body, in the shape of the API that was called.
std::string error_json(GatewayError error, std::string_view message, std::string_view param = {},
                       wire::Dialect dialect = wire::Dialect::Chat);
// The same as the event that ends a stream, with its blank line; see wire::error_event.
std::string error_event(GatewayError error, std::string_view message, wire::Dialect dialect = wire::Dialect::Chat,
                        std::optional<std::int64_t> sequence = {});

// What a client gets that the engine refused with `status`: the engine's own bytes if they are an error of the API that
// was called, else an error of ours with its words.
std::string refusal_json(wire::Dialect dialect, int status, std::string body);

// The table as the Markdown that docs/errors.md holds.
std::string error_table_markdown();

}  // namespace stoker::gateway
