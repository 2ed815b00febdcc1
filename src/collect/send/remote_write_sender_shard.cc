#include "collect/send/remote_write_sender_shard.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "base/check.h"

namespace stoker::collect {
namespace {

constexpr std::size_t kParts = 4;                // A refused batch is cut into so many.
constexpr Duration kMostRetryAfter{5 * 60'000};  // No receiver silences us for longer.

}  // namespace

void RemoteWriteShard::add(QueuedSeries series, SteadyTime now) {
    waiting_ += series.items();
    queue_.push_back({std::move(series), now});
}

std::vector<QueuedSeries> RemoteWriteShard::attach(std::vector<QueuedSeries> exemplars) {
    if (exemplars.empty()) {
        return exemplars;
    }
    std::unordered_map<std::string_view, QueuedSeries*> waiting;
    for (std::size_t i = out_; i < queue_.size(); ++i) {
        QueuedSeries& one = queue_[i].series;
        if (one.items() > 0) {
            waiting.insert_or_assign(one.label_bytes(), &one);
        }
    }
    std::vector<QueuedSeries> left;
    for (QueuedSeries& one : exemplars) {
        if (const auto found = waiting.find(one.label_bytes()); found != waiting.end()) {
            found->second->exemplars.emplace_back(std::move(one.record), one.series);
        } else {
            left.push_back(std::move(one));
        }
    }
    return left;
}

std::optional<SteadyTime> RemoteWriteShard::next_send() const {
    if (out_ > 0 || queue_.empty()) {
        return std::nullopt;
    }
    const bool full = waiting_ >= options_.samples_per_send || parting_ > 0 || hurried_;
    const SteadyTime since = queue_.front().since;
    return std::max(full ? since : since + options_.batch_deadline, not_before_);
}

std::vector<QueuedSeries> RemoteWriteShard::begin_send() {
    STOKER_CHECK(out_ == 0 && !queue_.empty());
    const std::size_t most = parting_ > 0 ? parting_ : queue_.size();
    std::vector<QueuedSeries> batch;
    std::size_t items = 0;
    // At least one series, however many samples it brings.
    while (batch.size() < most && (batch.empty() || items + queue_[batch.size()].series.items() <= limit())) {
        items += queue_[batch.size()].series.items();
        batch.push_back(queue_[batch.size()].series);
    }
    out_ = batch.size();
    return batch;
}

std::vector<QueuedSeries> RemoteWriteShard::take(std::size_t count) {
    std::vector<QueuedSeries> taken;
    taken.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        waiting_ -= queue_.front().series.items();
        taken.push_back(std::move(queue_.front().series));
        queue_.pop_front();
    }
    return taken;
}

Settled RemoteWriteShard::end_send(const SendAnswer& answer, SteadyTime now, double random) {
    STOKER_CHECK(out_ > 0);
    const std::size_t count = out_;
    out_ = 0;
    if (answer.outcome == SendOutcome::TryAgain) {
        backoff_ = std::clamp(backoff_ * 2, options_.min_backoff, options_.max_backoff);
        const auto spread = std::chrono::duration_cast<Duration>(backoff_ * (0.5 + random / 2));
        not_before_ = now + std::max(spread, std::min(answer.retry_after, kMostRetryAfter));
        return {};
    }
    backoff_ = Duration{0};
    not_before_ = now;

    Settled settled;
    const bool refused = answer.outcome == SendOutcome::Refused;
    if (refused && answer.worth_parting && count > 1) {
        if (parting_ == 0) {
            parting_ = count;
            parts_left_ = options_.parts_tried;
        }
        if (parts_left_ > 0) {
            std::size_t items = 0;
            for (std::size_t i = 0; i < count; ++i) {
                items += queue_[i].series.items();
            }
            --parts_left_;
            part_limit_ = std::max<std::size_t>(items / kParts, 1);
            return settled;
        }
    }
    // Refused alone, or enough was spent on it: then the rest of its batch goes the same way.
    const bool given_up = refused && parting_ > 0 && parts_left_ == 0;
    settled.series = take(given_up ? parting_ : count);
    std::size_t items = 0;
    for (const QueuedSeries& one : settled.series) {
        items += one.items();
    }
    settled.refused = refused ? items : std::min(answer.refused, items);
    settled.sent = items - settled.refused;
    if (parting_ > 0) {
        parting_ -= settled.series.size();
        parts_left_ -= std::min<std::size_t>(parts_left_, refused ? 1 : 0);
        part_limit_ = refused ? part_limit_ : std::min(part_limit_ * kParts, options_.samples_per_send);
    }
    return settled;
}

}  // namespace stoker::collect
