#include "replay.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <unordered_map>
#include <utility>

#include "gateway/balance/balancer.h"
#include "twin/scheduler.h"

namespace stoker::bench_balance {
namespace {

constexpr Nanos kReportEvery = std::chrono::seconds{5};
constexpr Nanos kWindow = std::chrono::minutes{1};

struct Engine {
    explicit Engine(const twin::Profile& profile) : scheduler(profile) {}

    twin::Scheduler scheduler;
    gateway::ReplicaLoad load;
    std::uint64_t tokens_out = 0;
    std::uint64_t counted = 0;  // Of work(), at the last window's end.

    std::uint64_t work() const { return scheduler.stats().prompt_tokens_computed + tokens_out; }
};

// A turn that begins: when, and of which session.
struct Arrival {
    SteadyTime at;
    std::size_t session;
    std::size_t turn;
    std::uint32_t history;  // Tokens said before it.

    friend bool operator>(const Arrival& a, const Arrival& b) {
        return std::pair(a.at, a.session) > std::pair(b.at, b.session);
    }
};

struct UnderWay {
    Arrival arrival;
    gateway::LoadTicket ticket;
};

class Replay {
public:
    Replay(const Load& load, const PoolOptions& pool, const gateway::BalanceOptions& balance)
        : load_(load), pool_(pool), end_(begin_ + load.length), measured_from_(begin_ + pool.warm_up) {
        std::vector<std::string> ids;
        for (std::size_t i = 0; i < pool.engines; ++i) {
            ids.push_back("engine-" + std::to_string(i));
            engines_.push_back(std::make_unique<Engine>(pool.profile));
            targets_.push_back({&engines_.back()->load, true});
        }
        engines_.back()->scheduler.set_slowdown(pool.slowdown);
        balancer_ = gateway::Balancer::create(balance, ids, nullptr);
        for (std::size_t i = 0; i < load.sessions.size(); ++i) {
            arrivals_.push({begin_ + load.sessions[i].start, i, 0, load.sessions[i].system_tokens});
        }
    }

    Outcome run() {
        for (auto next = earliest(); next; next = earliest()) {
            const SteadyTime now = *next;
            while (next_window_ <= now) close_window();
            if (next_report_ <= now) report(now);
            for (auto& engine : engines_) {
                if (engine->scheduler.wake_at() && *engine->scheduler.wake_at() <= now) advance(*engine, now);
            }
            while (!arrivals_.empty() && arrivals_.top().at <= now) {
                const Arrival arrival = arrivals_.top();
                arrivals_.pop();
                send(arrival, now);
            }
        }
        for (const auto& engine : engines_) {
            outcome_.prefix_queries += engine->scheduler.stats().prefix_queries;
            outcome_.prefix_hits += engine->scheduler.stats().prefix_hits;
            outcome_.preemptions += engine->scheduler.stats().preemptions;
        }
        outcome_.length = std::chrono::duration<double>(end_ - measured_from_).count();
        std::sort(outcome_.first_tokens.begin(), outcome_.first_tokens.end());
        return std::move(outcome_);
    }

private:
    // When something happens next; empty once all is done.
    std::optional<SteadyTime> earliest() const {
        std::optional<SteadyTime> at;
        if (!arrivals_.empty()) at = arrivals_.top().at;
        for (const auto& engine : engines_) {
            const auto wake = engine->scheduler.wake_at();
            if (wake && (!at || *wake < *at)) at = wake;
        }
        return at ? std::min(*at, next_report_) : at;
    }

    void send(const Arrival& arrival, SteadyTime now) {
        const Session& session = load_.sessions[arrival.session];
        const Turn& turn = session.turns[arrival.turn];
        const std::uint32_t prompt = arrival.history + turn.new_tokens;
        const auto hashes = gateway_blocks(session, prompt);
        const std::string name = "session-" + std::to_string(session.id);
        gateway::BalanceRequest request;
        request.now = now;
        request.blocks = hashes;
        request.prompt_tokens = estimated_tokens(session, prompt);
        request.session = name;
        request.stream = true;
        const gateway::Pick pick = balancer_->pick(targets_, request).value();
        Engine& engine = *engines_[pick.target];
        const twin::SequenceId id = ++last_id_;
        under_way_.emplace(id, UnderWay{arrival, engine.load.begin(pick.estimate, now)});
        engine.scheduler.submit(
            {id, prompt, turn.output_tokens, engine_blocks(session, prompt, pool_.profile.block_tokens)});
        advance(engine, now);
    }

    void advance(Engine& engine, SteadyTime now) {
        events_.clear();
        engine.scheduler.advance(now, events_);
        for (const twin::SchedulerEvent& event : events_) {
            if (event.kind == twin::SchedulerEvent::Kind::Token) note_token(engine, event);
            if (event.kind == twin::SchedulerEvent::Kind::Finished) note_end(engine, event);
        }
    }

    void note_token(Engine& engine, const twin::SchedulerEvent& event) {
        ++engine.tokens_out;
        if (event.at >= measured_from_ && event.at < end_) ++outcome_.output_tokens;
        UnderWay& request = under_way_.at(event.id);
        if (request.ticket.had_first_token) return;
        engine.load.first_token(request.ticket, event.at);
        if (request.arrival.at < measured_from_) return;
        outcome_.first_tokens.push_back(std::chrono::duration<double>(event.at - request.arrival.at).count());
    }

    void note_end(Engine& engine, const twin::SchedulerEvent& event) {
        const auto ended = under_way_.extract(event.id);
        const Arrival& arrival = ended.mapped().arrival;
        engine.load.end(ended.mapped().ticket);
        const Session& session = load_.sessions[arrival.session];
        const Turn& turn = session.turns[arrival.turn];
        balancer_->note_answer(turn.output_tokens);
        const SteadyTime next = event.at + turn.think;
        if (arrival.turn + 1 == session.turns.size() || next >= end_) return;
        arrivals_.push(
            {next, arrival.session, arrival.turn + 1, arrival.history + turn.new_tokens + turn.output_tokens});
    }

    void report(SteadyTime now) {
        for (auto& engine : engines_) {
            gateway::EngineReport said;
            said.load.at = now;
            said.load.running = static_cast<double>(engine->scheduler.running());
            said.load.waiting = static_cast<double>(engine->scheduler.waiting());
            said.load.kv_usage = engine->scheduler.kv_usage();
            said.load.kv_tokens = std::int64_t{pool_.profile.kv_blocks} * pool_.profile.block_tokens;
            said.load.outstanding = engine->load.requests();
            engine->load.report(said);
        }
        next_report_ = now + kReportEvery;
    }

    void close_window() {
        double most = 0;
        double sum = 0;
        for (auto& engine : engines_) {
            const auto done = static_cast<double>(engine->work() - std::exchange(engine->counted, engine->work()));
            most = std::max(most, done);
            sum += done;
        }
        const bool counts = next_window_ - kWindow >= measured_from_ && next_window_ <= end_ && sum > 0;
        if (counts)
            outcome_.imbalance = std::max(outcome_.imbalance, most * static_cast<double>(engines_.size()) / sum);
        next_window_ += kWindow;
    }

    const Load& load_;
    const PoolOptions& pool_;
    const SteadyTime begin_{std::chrono::hours{1}};
    const SteadyTime end_;
    const SteadyTime measured_from_;
    SteadyTime next_report_ = begin_;
    SteadyTime next_window_ = begin_ + kWindow;
    std::vector<std::unique_ptr<Engine>> engines_;
    std::vector<gateway::BalanceTarget> targets_;
    std::shared_ptr<gateway::Balancer> balancer_;
    std::priority_queue<Arrival, std::vector<Arrival>, std::greater<>> arrivals_;
    std::unordered_map<twin::SequenceId, UnderWay> under_way_;
    twin::SequenceId last_id_ = 0;
    std::vector<twin::SchedulerEvent> events_;
    Outcome outcome_;
};

}  // namespace

void Outcome::add(const Outcome& other) {
    const auto middle = static_cast<std::ptrdiff_t>(first_tokens.size());
    first_tokens.insert(first_tokens.end(), other.first_tokens.begin(), other.first_tokens.end());
    std::inplace_merge(first_tokens.begin(), first_tokens.begin() + middle, first_tokens.end());
    output_tokens += other.output_tokens;
    length += other.length;
    prefix_queries += other.prefix_queries;
    prefix_hits += other.prefix_hits;
    preemptions += other.preemptions;
    imbalance = std::max(imbalance, other.imbalance);
}

double Outcome::first_token(double quantile) const {
    if (first_tokens.empty()) return 0;
    const auto index = static_cast<std::size_t>(quantile * static_cast<double>(first_tokens.size()));
    return first_tokens[std::min(index, first_tokens.size() - 1)];
}

double Outcome::hit_rate() const {
    return prefix_queries == 0 ? 0 : static_cast<double>(prefix_hits) / static_cast<double>(prefix_queries);
}

Outcome replay(const Load& load, const PoolOptions& pool, const gateway::BalanceOptions& balance) {
    return Replay(load, pool, balance).run();
}

}  // namespace stoker::bench_balance
