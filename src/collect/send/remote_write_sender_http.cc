#include "collect/send/remote_write_sender_http.h"

#include <algorithm>
#include <array>

#include "base/file.h"
#include "base/text.h"
#include "wire/remote_write_encoder.h"

namespace stoker::collect {
namespace {

constexpr std::array<std::string_view, 8> kReserved = {
    "content-encoding", "content-type", "content-length",    "x-prometheus-remote-write-version",
    "user-agent",       "host",         "transfer-encoding", "connection"};

constexpr std::size_t kErrorShown = 300;

std::string base64(std::string_view text) {
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < text.size(); i += 3) {
        std::uint32_t three = 0;
        for (std::size_t j = 0; j < 3; ++j) {
            three = three << 8 | (i + j < text.size() ? static_cast<std::uint8_t>(text[i + j]) : 0u);
        }
        for (std::size_t j = 0; j < 4; ++j) {
            out += i + j <= text.size() ? kDigits[three >> (18 - 6 * j) & 63u] : '=';
        }
    }
    return out;
}

std::optional<std::size_t> written(const net::Response& response) {
    std::optional<std::size_t> total;
    for (const char* name :
         {"X-Prometheus-Remote-Write-Samples-Written", "X-Prometheus-Remote-Write-Histograms-Written"}) {
        if (const auto header = response.headers.get(name)) {
            const auto number = parse_integer(*header);
            total = total.value_or(0) + static_cast<std::size_t>(std::max<std::int64_t>(number.value_or(0), 0));
        }
    }
    return total;
}

Duration retry_after(const net::Response& response) {
    const auto seconds = parse_integer(response.headers.get("Retry-After").value_or(""));
    constexpr std::int64_t kDay = 24 * 3600;
    return std::chrono::seconds(std::clamp<std::int64_t>(seconds.value_or(0), 0, kDay));
}

std::string error_text(const net::Response& response) {
    return "the receiver answered " + std::to_string(response.status) + ": " +
           std::string(trim(response.body).substr(0, kErrorShown));
}

}  // namespace

Result<Unit> check_options(const RemoteWriteOptions& options) {
    for (const auto& [name, value] : options.headers) {
        const bool reserved = std::any_of(kReserved.begin(), kReserved.end(), [&name = name](std::string_view taken) {
            return equals_ignore_case(name, taken);
        });
        if (reserved) {
            return Error{Errc::InvalidArgument, "the header " + name + " is remote write's own"};
        }
    }
    const int kinds = (options.bearer_token.empty() ? 0 : 1) + (options.bearer_token_file.empty() ? 0 : 1) +
                      (options.basic_user.empty() ? 0 : 1) + (options.headers.get("Authorization").has_value() ? 1 : 0);
    if (kinds > 1) {
        return Error{Errc::InvalidArgument, "more than one kind of authorization"};
    }
    if (options.shards == 0 || options.shards > 256 || options.shard.samples_per_send == 0) {
        return Error{Errc::InvalidArgument, "shards go from 1 to 256, samples per send from 1"};
    }
    return Unit{};
}

Result<net::Headers> request_headers(const RemoteWriteOptions& options, wire::RemoteWriteVersion version) {
    net::Headers headers = options.headers;
    headers.add("Content-Encoding", "snappy");
    headers.add("Content-Type", std::string(wire::WriteRequestEncoder::content_type(version)));
    headers.add("X-Prometheus-Remote-Write-Version", std::string(wire::WriteRequestEncoder::version_header(version)));
    headers.add("User-Agent", "stoker/" STOKER_VERSION);
    std::string token = options.bearer_token;
    if (!options.bearer_token_file.empty()) {
        TRY(const std::string text, read_file(options.bearer_token_file));
        token = trim(text);
    }
    if (!token.empty()) {
        headers.add("Authorization", "Bearer " + token);
    } else if (!options.basic_user.empty()) {
        headers.add("Authorization", "Basic " + base64(options.basic_user + ":" + options.basic_password));
    }
    return headers;
}

Verdict judge(const Result<net::Response>& response, wire::RemoteWriteVersion version, std::size_t items) {
    if (!response) {
        return {{.outcome = SendOutcome::TryAgain}, false, response.error().message};
    }
    const int status = response->status;
    const bool v2 = version == wire::RemoteWriteVersion::V2;
    const bool good = status >= 200 && status < 300;
    const auto stored = written(*response);
    // A 1.0 receiver that doesn't look at the type reads a 2.0 message as an empty one of its own and is content.
    if (v2 && (status == 415 || (good && !stored && items > 0))) {
        return {{.outcome = SendOutcome::TryAgain}, true, "the receiver does not know remote write 2.0"};
    }
    if (good) {
        return {{.outcome = SendOutcome::Sent}, false, ""};
    }
    if (status == 429 || status >= 500) {
        return {
            {.outcome = SendOutcome::TryAgain, .retry_after = retry_after(*response)}, false, error_text(*response)};
    }
    if (status == 400 && stored) {
        return {
            {.outcome = SendOutcome::Sent, .refused = items - std::min(items, *stored)}, false, error_text(*response)};
    }
    return {{.outcome = SendOutcome::Refused, .worth_parting = status == 400}, false, error_text(*response)};
}

}  // namespace stoker::collect
