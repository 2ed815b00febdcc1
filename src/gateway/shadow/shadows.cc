#include "gateway/shadow/shadows.h"

#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>
#include <utility>

#include "gateway/core.h"
#include "gateway/metrics_names.h"

namespace stoker::gateway {
namespace {

using nlohmann::json;

ShadowSkip skip_of(LimitKind kind) {
    switch (kind) {
        case LimitKind::Requests:
            return ShadowSkip::Requests;
        case LimitKind::Tokens:
            return ShadowSkip::Tokens;
        case LimitKind::DayTokens:
            return ShadowSkip::DayTokens;
        default:
            return ShadowSkip::Concurrent;
    }
}

}  // namespace

// Counts the copies that are alive; the last ones may outlive the Shadows.
struct Shadows::Living {
    std::mutex mutex;
    std::condition_variable none;
    int count = 0;  // Guarded by mutex.
};

class Shadows::Alive {
public:
    explicit Alive(std::shared_ptr<Living> living) : living_(std::move(living)) {
        std::lock_guard lock(living_->mutex);
        ++living_->count;
    }
    ~Alive() {
        std::lock_guard lock(living_->mutex);
        if (--living_->count == 0) living_->none.notify_all();
    }
    Alive(const Alive&) = delete;
    Alive& operator=(const Alive&) = delete;

private:
    const std::shared_ptr<Living> living_;
};

Shadows::Shadows(metrics::Registry& registry)
    : requests_(registry.counter(names::kShadowRequests, "Copies of requests for a shadow, by how they ended.",
                                 {"shadow", "result"})),
      skips_(registry.counter(names::kShadowSkipped, "Copies for a shadow that were due and not made.",
                              {"shadow", "reason"})),
      differences_(registry.counter(names::kShadowDifferences,
                                    "Answers of a shadow that differ from what the client got.", {"shadow", "what"})),
      tokens_(registry.counter(names::kShadowTokens, "Tokens of a shadow's copies, which nobody pays for.",
                               {"shadow", "type"})),
      living_(std::make_shared<Living>()) {}

void Shadows::configure(const std::vector<ShadowOptions>& shadows) {
    const auto before = book_.get();
    auto book = std::make_shared<Book>();
    LimitsOptions limits;
    for (const ShadowOptions& options : shadows) {
        const std::string& name = options.match.name;
        const auto known = before->find(name);
        auto log = known == before->end() ? std::make_shared<ShadowLog>() : known->second.log;
        limits.models.insert_or_assign(name, options.limits);
        book->insert_or_assign(name, Entry{options, std::move(log)});
    }
    budget_.set(std::move(limits));
    book_.set(std::move(book));
}

std::shared_ptr<ShadowLog> Shadows::find(const std::string& shadow) const {
    const auto book = book_.get();
    const auto found = book->find(shadow);
    return found == book->end() ? nullptr : found->second.log;
}

std::optional<LimitReservation> Shadows::reserve(const std::string& shadow, ShadowLog& log, std::int64_t tokens) {
    LimitVerdict verdict = budget_.reserve({.model = shadow, .tokens = tokens}, Moment::now());
    if (!verdict.refusal) return verdict.reservation;
    skipped(shadow, log, skip_of(verdict.refusal->kind));
    return {};
}

void Shadows::settle(const LimitReservation& reservation, std::int64_t used, bool reached_engine) {
    if (reservation.any()) budget_.settle(reservation, used, reached_engine, Moment::now());
}

std::shared_ptr<Shadows::Alive> Shadows::begin() {
    return std::make_shared<Alive>(living_);
}

void Shadows::skipped(const std::string& shadow, ShadowLog& log, ShadowSkip reason) {
    log.skipped(reason);
    skips_.with({shadow, std::string(to_string(reason))}).add();
}

void Shadows::ended(const ShadowLink& link, ShadowEnd end, std::int64_t prompt_tokens, std::int64_t completion_tokens) {
    link.log->ended(end, prompt_tokens, completion_tokens);
    requests_.with({link.shadow, std::string(to_string(end))}).add();
    if (prompt_tokens > 0) tokens_.with({link.shadow, "prompt"}).add(static_cast<double>(prompt_tokens));
    if (completion_tokens > 0) tokens_.with({link.shadow, "completion"}).add(static_cast<double>(completion_tokens));
}

void Shadows::look(const ShadowLink& link) {
    const auto difference = link.log->look(link.pair, now());
    if (!difference) return;
    if (difference->status) differences_.with({link.shadow, "status"}).add();
    if (difference->finish_reason) differences_.with({link.shadow, "finish_reason"}).add();
    if (difference->length) differences_.with({link.shadow, "length"}).add();
}

std::string Shadows::to_json() {
    json shadows = json::array();
    const LimitsReport report = budget_.report(Moment::now());
    const auto book = book_.get();
    for (const auto& [name, entry] : *book) {
        json one = entry.log->to_json();
        one["name"] = name;
        one["to"] = entry.options.match.to;
        one["percent"] = entry.options.percent;
        one["limits"] = json::array();
        for (const LimitLine& line : report.lines) {
            if (line.scope != LimitScope::Model || line.name != name) continue;
            one["limits"].push_back({{"limit", to_string(line.kind)},
                                     {"of", line.limit},
                                     {"used", line.used + line.reserved},
                                     {"remaining", line.remaining}});
        }
        shadows.push_back(std::move(one));
    }
    return json{{"shadows", std::move(shadows)}}.dump();
}

void Shadows::stop(Core& core, Duration limit) {
    stopping_ = true;
    for (const auto& state : core.loop_states) {
        boost::asio::post(state->loop, [&shadows = state->shadows, keep = core.shared_from_this()]() {
            // Ending one may run its coroutine, which takes it out of the set.
            const std::vector<ActiveAttempt*> now(shadows.begin(), shadows.end());
            for (ActiveAttempt* attempt : now) {
                if (shadows.contains(attempt)) attempt->end(GatewayError::ClientClosed, "the gateway stops");
            }
        });
    }
    std::unique_lock lock(living_->mutex);
    living_->none.wait_for(lock, limit, [this]() { return living_->count == 0; });
}

}  // namespace stoker::gateway
