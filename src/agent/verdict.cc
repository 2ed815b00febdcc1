#include "agent/verdict.h"

#include <algorithm>
#include <array>

#include "collect/send/remote_write_sender_http.h"

namespace stoker::agent {
namespace {

constexpr std::array<int, 4> kCorrectable = {401, 403, 404, 407};

}  // namespace

Judgement judge(const Result<net::Response>& response, SentAs sent, std::size_t samples) {
    const auto verdict = collect::judge(response, sent.version, samples);
    Judgement out{verdict.answer, verdict.fall_back, false, verdict.error};
    if (!response) return out;
    const int status = response->status;
    if (std::find(kCorrectable.begin(), kCorrectable.end(), status) != kCorrectable.end()) {
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
