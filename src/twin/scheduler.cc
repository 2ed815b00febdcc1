#include "twin/scheduler.h"

#include <algorithm>

#include "base/check.h"

namespace stoker::twin {
namespace {

// A driver that was away longer than this does not catch up step by step: it goes on from now.
constexpr std::chrono::seconds kCatchUpLimit{1};

}  // namespace

Scheduler::Scheduler(const Profile& profile) : profile_(profile), pool_(profile.kv_blocks) {
    STOKER_CHECK(!profile.instant());
    // A single sequence must fit, or it would pre-empt itself for ever.
    STOKER_CHECK(std::uint64_t{profile.kv_blocks} * profile.block_tokens >= profile.max_context);
}

void Scheduler::submit(SequenceSpec spec) {
    STOKER_CHECK(spec.output_tokens > 0 && spec.prompt_tokens > 0);
    STOKER_CHECK(spec.prompt_tokens + spec.output_tokens <= profile_.max_context);
    if (!profile_.prefix_cache) spec.prefix.clear();
    waiting_.push_back({.spec = std::move(spec)});
}

void Scheduler::cancel(SequenceId id) {
    auto is_it = [id](const Sequence& sequence) { return sequence.spec.id == id; };
    if (auto it = std::find_if(running_.begin(), running_.end(), is_it); it != running_.end()) {
        release(*it);
        running_.erase(it);
    } else if (auto queued = std::find_if(waiting_.begin(), waiting_.end(), is_it); queued != waiting_.end()) {
        waiting_.erase(queued);
    }
}

void Scheduler::set_kv_withheld(double share) {
    pool_.set_withheld(static_cast<std::uint32_t>(std::clamp(share, 0.0, 1.0) * pool_.total()));
}

void Scheduler::advance(SteadyTime now, std::vector<SchedulerEvent>& events) {
    while (step_ends_ && *step_ends_ <= now) {
        SteadyTime ended = *step_ends_;
        end_step(ended, events);
        start_step(now - ended > kCatchUpLimit ? now : ended, events);
    }
    if (!step_ends_) start_step(now, events);
}

void Scheduler::start_step(SteadyTime now, std::vector<SchedulerEvent>& events) {
    step_ends_.reset();
    const auto preemptions = stats_.preemptions;
    std::uint32_t budget = schedule_running(now, profile_.max_step_tokens, events);
    if (stats_.preemptions == preemptions) admit(now, budget, events);
    bool work = std::any_of(running_.begin(), running_.end(), [](const Sequence& s) { return s.scheduled > 0; });
    if (!work) return;
    ++stats_.steps;
    step_ends_ = now + step_time();
}

std::uint32_t Scheduler::schedule_running(SteadyTime now, std::uint32_t budget, std::vector<SchedulerEvent>& events) {
    for (auto& sequence : running_) sequence.scheduled = 0;
    for (std::size_t i = 0; i < running_.size() && budget > 0; ++i) {
        std::uint32_t want = std::min(running_[i].target() - running_[i].computed, budget);
        bool fits = grow(running_[i], running_[i].computed + want);
        while (!fits) {
            preempt_last(now, events);
            if (i == running_.size()) return budget;  // It was the last itself.
            fits = grow(running_[i], running_[i].computed + want);
        }
        running_[i].scheduled = want;
        budget -= want;
    }
    return budget;
}

void Scheduler::admit(SteadyTime now, std::uint32_t budget, std::vector<SchedulerEvent>& events) {
    while (!waiting_.empty() && running_.size() < profile_.max_batch && budget > 0) {
        Sequence& next = waiting_.front();
        // At least one token is computed, else there would be nothing to predict the next one from.
        std::uint32_t reusable =
            std::min<std::uint32_t>(pool_.cached(next.spec.prefix), (next.target() - 1) / profile_.block_tokens);
        std::span<const BlockHash> prefix(next.spec.prefix.data(), reusable);
        pool_.share(prefix);
        next.shared = reusable;
        next.computed = reusable * profile_.block_tokens;
        std::uint32_t want = std::min(next.target() - next.computed, budget);
        if (!grow(next, next.computed + want)) {
            release(next);
            return;
        }
        if (!next.spec.prefix.empty()) stats_.prefix_queries += next.spec.prompt_tokens;
        stats_.prefix_hits += next.computed;
        next.scheduled = want;
        budget -= want;
        if (!next.started) events.push_back({next.spec.id, SchedulerEvent::Kind::Started, now});
        next.started = true;
        running_.push_back(std::move(next));
        waiting_.pop_front();
    }
}

bool Scheduler::grow(Sequence& sequence, std::uint32_t tokens) {
    std::uint32_t blocks = (tokens + profile_.block_tokens - 1) / profile_.block_tokens;
    std::uint32_t held = sequence.shared + sequence.own;
    if (blocks <= held) return true;
    if (!pool_.take(blocks - held)) return false;
    sequence.own += blocks - held;
    return true;
}

void Scheduler::preempt_last(SteadyTime now, std::vector<SchedulerEvent>& events) {
    release(running_.back());
    events.push_back({running_.back().spec.id, SchedulerEvent::Kind::Preempted, now});
    waiting_.push_front(std::move(running_.back()));
    running_.pop_back();
    ++stats_.preemptions;
}

void Scheduler::release(Sequence& sequence) {
    pool_.unshare({sequence.spec.prefix.data(), sequence.shared});
    pool_.give_back(sequence.own);
    sequence.shared = sequence.own = sequence.computed = sequence.scheduled = 0;
}

void Scheduler::publish_prompt(Sequence& sequence) {
    // References stand for a front part of the prefix, so stop at the first block that another sequence published.
    while (sequence.shared < sequence.spec.prefix.size() && sequence.own > 0) {
        if (!pool_.publish(sequence.spec.prefix[sequence.shared])) return;
        ++sequence.shared;
        --sequence.own;
    }
}

void Scheduler::end_step(SteadyTime at, std::vector<SchedulerEvent>& events) {
    for (auto& sequence : running_) {
        if (sequence.scheduled == 0) continue;
        bool prefill = sequence.computed < sequence.spec.prompt_tokens;
        if (prefill) {
            stats_.prompt_tokens_computed +=
                std::min(sequence.scheduled, sequence.spec.prompt_tokens - sequence.computed);
        }
        sequence.computed += sequence.scheduled;
        sequence.scheduled = 0;
        if (sequence.computed < sequence.target()) continue;
        if (prefill) publish_prompt(sequence);
        ++sequence.generated;
        events.push_back({sequence.spec.id, SchedulerEvent::Kind::Token, at});
        if (sequence.generated < sequence.spec.output_tokens) continue;
        events.push_back({sequence.spec.id, SchedulerEvent::Kind::Finished, at});
        release(sequence);
    }
    std::erase_if(running_, [](const Sequence& s) { return s.generated == s.spec.output_tokens; });
}

Nanos Scheduler::step_time() const {
    std::int64_t decodes = 0;
    std::int64_t prompt = 0;
    std::int64_t context = 0;
    for (const auto& sequence : running_) {
        if (sequence.scheduled == 0) continue;
        context += sequence.computed;
        (sequence.scheduled == 1 ? decodes : prompt) += sequence.scheduled;
    }
    Nanos time = profile_.step_base + decodes * profile_.per_sequence + context * profile_.per_context_token +
                 prompt * profile_.per_prompt_token;
    return Nanos{static_cast<std::int64_t>(static_cast<double>(time.count()) * std::max(slowdown_, 0.001))};
}

}  // namespace stoker::twin
