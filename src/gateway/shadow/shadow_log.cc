#include "gateway/shadow/shadow_log.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <numeric>

#include "gateway/elapsed.h"

namespace stoker::gateway {
namespace {

using nlohmann::json;

constexpr std::int64_t kFewTokens = 5;

json side_json(const ShadowSide& side) {
    return {{"status", side.status},
            {"finish_reason", side.finish_reason},
            {"completion_tokens", side.completion_tokens},
            {"ttft_seconds", seconds(side.ttft_ns)},
            {"duration_seconds", seconds(side.duration_ns)}};
}

}  // namespace

std::string_view to_string(ShadowSkip skip) {
    switch (skip) {
        case ShadowSkip::Requests:
            return "requests_per_minute";
        case ShadowSkip::Tokens:
            return "tokens_per_minute";
        case ShadowSkip::DayTokens:
            return "tokens_per_day";
        case ShadowSkip::Concurrent:
            return "concurrent";
        case ShadowSkip::Degraded:
            return "degraded";
        case ShadowSkip::Busy:
            return "busy";
        case ShadowSkip::NoReplica:
            return "no_replica";
        case ShadowSkip::Body:
            return "body";
        case ShadowSkip::Stored:
            return "stored";
        case ShadowSkip::Stopping:
            return "stopping";
    }
    return "unknown";
}

std::string_view to_string(ShadowEnd end) {
    switch (end) {
        case ShadowEnd::Answered:
            return "answered";
        case ShadowEnd::Refused:
            return "refused";
        case ShadowEnd::Failed:
            return "failed";
        case ShadowEnd::TimedOut:
            return "timed_out";
        case ShadowEnd::Cancelled:
            return "cancelled";
    }
    return "unknown";
}

ShadowDifference compare(const ShadowSide& client, const ShadowSide& copy) {
    ShadowDifference difference;
    difference.status = client.status != copy.status;
    if (difference.status) return difference;  // An error and an answer have nothing else to compare.
    difference.finish_reason = client.finish_reason != copy.finish_reason;
    const std::int64_t gap = std::abs(client.completion_tokens - copy.completion_tokens);
    difference.length = gap >= kFewTokens && gap * 5 > std::max(client.completion_tokens, copy.completion_tokens);
    return difference;
}

void ShadowLog::Arm::add(const ShadowSide& side) {
    completion_tokens += side.completion_tokens;
    if (side.ttft_ns > 0) first_token.add(side.ttft_ns);
    duration.add(side.duration_ns);
}

json ShadowLog::Arm::to_json(std::int64_t compared) const {
    const double count = static_cast<double>(std::max<std::int64_t>(compared, 1));
    return {{"completion_tokens_mean", static_cast<double>(completion_tokens) / count},
            {"ttft_p50_seconds", first_token.quantile(0.5)},
            {"ttft_p95_seconds", first_token.quantile(0.95)},
            {"duration_p50_seconds", duration.quantile(0.5)},
            {"duration_p95_seconds", duration.quantile(0.95)}};
}

void ShadowLog::started() {
    MutexLock lock(mutex_);
    ++sent_;
}

void ShadowLog::skipped(ShadowSkip reason) {
    MutexLock lock(mutex_);
    ++skips_[static_cast<std::size_t>(reason)];
}

void ShadowLog::ended(ShadowEnd end, std::int64_t prompt_tokens, std::int64_t completion_tokens) {
    MutexLock lock(mutex_);
    ++ends_[static_cast<std::size_t>(end)];
    prompt_tokens_ += prompt_tokens;
    completion_tokens_ += completion_tokens;
}

std::optional<ShadowDifference> ShadowLog::look(const ShadowPair& pair, Timestamp now) {
    if (!pair.comparable || !pair.client || !pair.copy) return {};
    const ShadowDifference difference = compare(*pair.client, *pair.copy);
    MutexLock lock(mutex_);
    ++compared_;
    status_differs_ += difference.status ? 1 : 0;
    finish_differs_ += difference.finish_reason ? 1 : 0;
    length_differs_ += difference.length ? 1 : 0;
    client_.add(*pair.client);
    copy_.add(*pair.copy);
    if (difference.any()) {
        last_.push_front({now, pair, difference});
        if (last_.size() > kMostKept) last_.pop_back();
    }
    return difference;
}

json ShadowLog::to_json() const {
    MutexLock lock(mutex_);
    json results = json::object();
    for (std::size_t i = 0; i < kShadowEnds; ++i) results[to_string(static_cast<ShadowEnd>(i))] = ends_[i];
    json skipped = json::object();
    for (std::size_t i = 0; i < kShadowSkips; ++i) {
        if (skips_[i] > 0) skipped[to_string(static_cast<ShadowSkip>(i))] = skips_[i];
    }
    json last = json::array();
    for (const Kept& kept : last_) {
        json what = json::array();
        if (kept.difference.status) what.push_back("status");
        if (kept.difference.finish_reason) what.push_back("finish_reason");
        if (kept.difference.length) what.push_back("length");
        last.push_back({{"at_ms", to_millis(kept.at)},
                        {"request_id", kept.pair.request_id},
                        {"what", std::move(what)},
                        {"client", side_json(*kept.pair.client)},
                        {"copy", side_json(*kept.pair.copy)}});
    }
    const std::int64_t done = std::accumulate(ends_.begin(), ends_.end(), std::int64_t{0});
    return {
        {"sent", sent_},
        {"in_flight", sent_ - done},
        {"results", std::move(results)},
        {"skipped", std::move(skipped)},
        {"compared", compared_},
        {"differences", {{"status", status_differs_}, {"finish_reason", finish_differs_}, {"length", length_differs_}}},
        {"tokens", {{"prompt", prompt_tokens_}, {"completion", completion_tokens_}}},
        {"client", client_.to_json(compared_)},
        {"copy", copy_.to_json(compared_)},
        {"last", std::move(last)}};
}

}  // namespace stoker::gateway
