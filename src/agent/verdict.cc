#include "agent/verdict.h"

#include <algorithm>
#include <array>

#include "collect/send/remote_write_sender_http.h"
#include "wire/otlp_encode.h"

namespace stoker::agent {
namespace {

constexpr std::array<int, 4> kCorrectable = {401, 403, 404, 407};
constexpr std::array<int, 4> kOtlpRetryable = {429, 502, 503, 504};

bool correctable(int status) {
    return std::find(kCorrectable.begin(), kCorrectable.end(), status) != kCorrectable.end();
}

Judgement judge_otlp(const Result<net::Response>& response, std::size_t samples) {
    // Remote write's rules give what both have in common: errors of the connection, pauses asked for, texts.
    Judgement out;
    const auto verdict = collect::judge(response, wire::RemoteWriteVersion::V1, samples);
    out.answer = verdict.answer;
    out.error = verdict.error;
    if (!response) return out;
    const int status = response->status;
    if (status / 100 == 2) {
        const auto partial = wire::otlp::parse_partial_success(response->body);
        out.answer.outcome = collect::SendOutcome::Sent;
        out.answer.refused = std::min(samples, static_cast<std::size_t>(std::max<std::int64_t>(partial.rejected, 0)));
        out.error = out.answer.refused > 0 ? "the receiver left some out: " + partial.message : "";
        return out;
    }
    const bool again =
        correctable(status) || std::find(kOtlpRetryable.begin(), kOtlpRetryable.end(), status) != kOtlpRetryable.end();
    out.answer.outcome = again ? collect::SendOutcome::TryAgain : collect::SendOutcome::Refused;
    out.answer.worth_parting = !again;
    return out;
}

}  // namespace

Judgement judge(const Result<net::Response>& response, SentAs sent, std::size_t samples) {
    if (sent.otlp) return judge_otlp(response, samples);
    const auto verdict = collect::judge(response, sent.version, samples);
    Judgement out{verdict.answer, verdict.fall_back, false, verdict.error};
    if (!response) return out;
    const int status = response->status;
    if (correctable(status)) {
        out.answer = {.outcome = collect::SendOutcome::TryAgain};
    }
    if (sent.zstd && !sent.knows_zstd && (status == 400 || status == 415)) {
        out.to_snappy = true;
        out.to_v1 = false;
        out.answer = {.outcome = collect::SendOutcome::TryAgain};
    }
    return out;
}

}  // namespace stoker::agent
