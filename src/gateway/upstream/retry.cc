#include "gateway/upstream/retry.h"

#include <algorithm>

namespace stoker::gateway {

Verdict judge_fault(net::Fault fault) {
    switch (fault) {
        case net::Fault::HeadTimeout:
        case net::Fault::BodyTimeout:
        case net::Fault::ConnectTimeout:
            return {true, true, false, GatewayError::UpstreamTimeout};
        case net::Fault::MalformedHead:
        case net::Fault::MalformedBody:
        case net::Fault::BodyCut:
            return {true, true, false, GatewayError::UpstreamError};
        default:
            return {true, true, false, GatewayError::UpstreamUnreachable};
    }
}

std::optional<Verdict> judge_status(int status, int earlier_500s) {
    switch (status) {
        case 429:
            return Verdict{true, false, true, GatewayError::UpstreamRateLimited};
        case 500:
            return Verdict{earlier_500s == 0, true, false, GatewayError::UpstreamError};
        case 502:
            return Verdict{true, true, false, GatewayError::UpstreamError};
        case 503:
            return Verdict{true, true, true, GatewayError::UpstreamOverloaded};
        case 504:
            return Verdict{true, true, false, GatewayError::UpstreamTimeout};
        default:
            break;
    }
    if (status >= 500) return Verdict{false, true, false, GatewayError::UpstreamError};
    return {};
}

Verdict judge_stream(GatewayError error, int upstream_status) {
    if (error == GatewayError::ContentBlocked) return {false, false, false, error};
    if (upstream_status >= 400 && upstream_status < 500) return {false, false, false, GatewayError::UpstreamRejected};
    const bool slow = error == GatewayError::StreamStalled || error == GatewayError::UpstreamTimeout;
    return {true, true, false, slow ? GatewayError::UpstreamTimeout : GatewayError::UpstreamError};
}

std::string_view describe(net::Fault fault) {
    switch (fault) {
        case net::Fault::ConnectRefused:
        case net::Fault::Resolve:
            return "the replica can't be reached";
        case net::Fault::ConnectTimeout:
            return "the replica took no connection in time";
        case net::Fault::Proxy:
            return "the proxy before the replica made no connection to it";
        case net::Fault::Tls:
            return "no secure connection to the replica could be made";
        case net::Fault::WriteFailed:
        case net::Fault::ResetBeforeHead:
            return "the replica closed the connection without an answer";
        case net::Fault::HeadTimeout:
        case net::Fault::BodyTimeout:
            return "the replica did not answer in time";
        case net::Fault::BodyCut:
            return "the replica closed the connection in the middle of its answer";
        case net::Fault::MalformedHead:
        case net::Fault::MalformedBody:
            return "the replica's answer is not HTTP";
        default:
            return "the replica failed";
    }
}

Duration backoff(const RetryOptions& options, int earlier_waits, double random) {
    const auto doubled = options.backoff_base * (std::int64_t{1} << std::clamp(earlier_waits, 0, 20));
    const auto capped = static_cast<double>(std::min(doubled, options.backoff_max).count());
    return Duration{static_cast<std::int64_t>(capped * (1 - random / 2))};
}

}  // namespace stoker::gateway
