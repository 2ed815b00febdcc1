#include "alert/rule_manager.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"

namespace stoker::alert {
namespace {

// Wakes at least so often, so that a clock that was set back does not stop evaluation for long.
constexpr std::chrono::seconds kLongestSleep{5};

// As Prometheus labels its metrics of groups.
std::string key_of(const RuleGroupSpec& spec) {
    return spec.file + ";" + spec.name;
}

}  // namespace

RuleManager::Families::Families(metrics::Registry& registry)
    : evaluations(registry.counter("stoker_rule_evaluations_total", "Rules evaluated.", {"rule_group"})),
      failures(registry.counter("stoker_rule_evaluation_failures_total",
                                "Rules whose query failed, whose result was refused or could not be stored.",
                                {"rule_group"})),
      iterations(registry.counter("stoker_rule_group_iterations_total",
                                  "Evaluations of a group that were due, done or missed.", {"rule_group"})),
      missed(registry.counter("stoker_rule_group_iterations_missed_total",
                              "Evaluations of a group left out for lateness.", {"rule_group"})),
      caught_up(registry.counter("stoker_rule_group_iterations_caught_up_total",
                                 "Evaluations of a group that came late by an interval or more.", {"rule_group"})),
      interval(registry.gauge("stoker_rule_group_interval_seconds", "Interval of a group.", {"rule_group"})),
      last_time(registry.gauge("stoker_rule_group_last_evaluation_timestamp_seconds",
                               "Instant of a group's last evaluation.", {"rule_group"})),
      last_duration(registry.gauge("stoker_rule_group_last_duration_seconds",
                                   "How long a group's last evaluation took.", {"rule_group"})),
      rules(registry.gauge("stoker_rule_group_rules", "Rules of a group.", {"rule_group"})),
      samples(registry.gauge("stoker_rule_group_last_evaluation_samples",
                             "Samples that a group's last evaluation wrote.", {"rule_group"})) {}

RuleManager::GroupMetrics RuleManager::Families::of(const std::string& key) {
    return {&evaluations.with({key}), &failures.with({key}), &iterations.with({key}), &missed.with({key}),
            &caught_up.with({key}),   &interval.with({key}), &last_time.with({key}),  &last_duration.with({key}),
            &rules.with({key}),       &samples.with({key})};
}

void RuleManager::Families::remove(const std::string& key) {
    for (auto* family : {&evaluations, &failures, &iterations, &missed, &caught_up}) family->remove({key});
    for (auto* family : {&interval, &last_time, &last_duration, &rules, &samples}) family->remove({key});
}

RuleManager::RuleManager(RuleManagerOptions options, QueryFn query, ExpandFn expand, SampleSink& sink,
                         AlertObserver& observer, metrics::Registry& registry)
    : options_(std::move(options)),
      query_(std::move(query)),
      expand_(std::move(expand)),
      sink_(sink),
      observer_(observer),
      families_(registry),
      write_failures_(
          registry.counter("stoker_rule_write_failures_total", "Batches of recorded samples that were not stored.")
              .with()),
      firing_(registry.gauge("stoker_alerts_firing", "Alerts that fire now.").with()) {}

RuleManager::~RuleManager() {
    stop();
}

void RuleManager::start() {
    if (!threads_.empty()) return;
    for (int i = 0; i < std::max(options_.concurrency, 1); ++i) threads_.emplace_back([this] { run(); });
}

void RuleManager::stop() {
    cancelled_ = true;
    if (options_.cancel) *options_.cancel = true;
    {
        MutexLock lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
}

void RuleManager::replace(std::vector<RuleGroupSpec> groups) {
    {
        MutexLock lock(mutex_);
        replacement_ = std::move(groups);
    }
    wake_.notify_all();
}

void RuleManager::run() {
    while (true) {
        Work work = next_work();
        switch (work.kind) {
            case Work::Kind::Stop:
                return;
            case Work::Kind::SwapIn:
                swap_in(std::move(work.replacement));
                break;
            case Work::Kind::Evaluate:
                evaluate(*work.group);
                release(*work.group);
                break;
        }
    }
}

// Waits until there is something to do. Rules are swapped in as soon as the evaluations under way have ended, and none
// begins before.
RuleManager::Work RuleManager::next_work() {
    MutexLock lock(mutex_);
    while (!stopping_) {
        const Timestamp current = options_.clock();
        Duration sleep = kLongestSleep;
        if (swapping_) {
            // Its end wakes this thread.
        } else if (replacement_) {
            if (busy_ == 0) {
                swapping_ = true;
                return {Work::Kind::SwapIn, nullptr, *std::exchange(replacement_, std::nullopt)};
            }
        } else if (Scheduled* group = longest_due(current)) {
            group->busy = true;
            ++busy_;
            return {Work::Kind::Evaluate, group, {}};
        } else {
            sleep = time_to_next(current);
        }
        wake_.wait_for(mutex_, sleep);
    }
    return {Work::Kind::Stop, nullptr, {}};
}

// Null if none is due.
RuleManager::Scheduled* RuleManager::longest_due(Timestamp current) {
    Scheduled* longest = nullptr;
    for (const auto& group : groups_) {
        if (group->busy || group->due > current) continue;
        if (longest == nullptr || group->due < longest->due) longest = group.get();
    }
    return longest;
}

Duration RuleManager::time_to_next(Timestamp current) const {
    Duration sleep = kLongestSleep;
    for (const auto& group : groups_) {
        if (!group->busy) sleep = std::min(sleep, group->due - current);
    }
    return sleep;
}

void RuleManager::release(Scheduled& scheduled) {
    {
        MutexLock lock(mutex_);
        scheduled.busy = false;
        --busy_;
    }
    wake_.notify_all();
}

// REQUIRES: swapping_, which it ends.
void RuleManager::swap_in(std::vector<RuleGroupSpec> specs) {
    const Timestamp current = options_.clock();
    std::vector<std::unique_ptr<Scheduled>> old;
    {
        MutexLock lock(mutex_);
        old = std::move(groups_);
        groups_.clear();
    }
    std::vector<std::unique_ptr<Scheduled>> fresh;
    std::set<std::string> keys;
    for (RuleGroupSpec& spec : specs) {
        if (spec.interval <= Duration{0}) spec.interval = options_.default_interval;
        if (!spec.query_offset) spec.query_offset = options_.default_query_offset;
        keys.insert(key_of(spec));
        GroupMetrics metrics = families_.of(key_of(spec));
        metrics.interval->set(static_cast<double>(spec.interval.count()) / 1000);
        metrics.rules->set(static_cast<double>(spec.rules.size()));
        // The next instant: the one just passed may have been evaluated by a process before this one.
        const Timestamp due = grid_instant(spec.file, spec.name, spec.interval, current) + spec.interval;
        auto made = std::make_unique<Scheduled>(Scheduled{RuleGroup(std::move(spec)), due, metrics});
        for (const auto& before : old) {
            if (key_of(before->group.spec()) != key_of(made->group.spec())) continue;
            made->group.take_over(before->group);
            if (before->group.spec().interval == made->group.spec().interval) made->due = before->due;
        }
        fresh.push_back(std::move(made));
    }
    for (const auto& before : old) {
        const Evaluation last = before->group.retire(current);
        static_cast<void>(deliver(last.samples));
        tell(last.transitions);
        if (!keys.contains(key_of(before->group.spec()))) families_.remove(key_of(before->group.spec()));
    }
    if (!std::exchange(restored_, true)) restore(fresh, current);
    for (const auto& group : fresh) group->shown = group->group.status();
    {
        MutexLock lock(mutex_);
        groups_ = std::move(fresh);
        swapping_ = false;
        publish();
    }
    wake_.notify_all();
}

void RuleManager::restore(std::vector<std::unique_ptr<Scheduled>>& groups, Timestamp current) {
    if (options_.restore_from == nullptr) return;
    std::set<std::string> names;
    for (const auto& scheduled : groups) {
        for (const RuleSpec& rule : scheduled->group.spec().rules) {
            if (rule.kind == RuleSpec::Kind::Alerting) names.insert(rule.name);
        }
    }
    std::size_t alerts = 0;
    for (const std::string& name : names) {
        const auto seen = read_alert_states(*options_.restore_from, name, current, options_.restore.outage_tolerance);
        if (!seen) {
            log::error("states of an alert could not be restored", {{"alert", name}, {"error", seen.error().message}});
            continue;
        }
        alerts += seen->size();
        for (const auto& scheduled : groups) scheduled->group.restore(name, *seen, options_.restore);
    }
    if (alerts > 0) log::info("states of alerts restored", {{"alerts", std::to_string(alerts)}});
}

void RuleManager::evaluate(Scheduled& scheduled) {
    skip_missed(scheduled);
    const Timestamp at = scheduled.due;
    const Evaluation done = scheduled.group.evaluate(
        at, query_, expand_, [this](const std::vector<tsdb::SeriesSample>& samples) { return deliver(samples); },
        [this] { return !cancelled_.load(); });
    scheduled.due += scheduled.group.spec().interval;
    GroupStatus status = scheduled.group.status();
    scheduled.seconds = status.evaluation_seconds;
    scheduled.metrics.evaluations->add(static_cast<double>(done.evaluated));
    scheduled.metrics.failures->add(static_cast<double>(done.failures));
    scheduled.metrics.iterations->add();
    scheduled.metrics.last_time->set(static_cast<double>(to_millis(at)) / 1000);
    scheduled.metrics.last_duration->set(scheduled.seconds);
    scheduled.metrics.samples->set(static_cast<double>(done.samples.size()));
    {
        MutexLock lock(mutex_);
        scheduled.shown = std::move(status);
        publish();
    }
    tell(done.transitions);
}

// Moves `due` on where the group is so late that it can't make up for all.
void RuleManager::skip_missed(Scheduled& scheduled) {
    const RuleGroupSpec& spec = scheduled.group.spec();
    const Timestamp current = options_.clock();
    if (scheduled.due - current > spec.interval) scheduled.due = current;  // The clock was set back.
    const std::int64_t late = (current - scheduled.due) / spec.interval;
    if (late <= 0) return;
    // A group that takes most of its interval would only fall behind further.
    const bool slow = scheduled.seconds * 2000 > static_cast<double>(spec.interval.count());
    const std::int64_t most = slow ? 0 : options_.most_catch_up;
    const std::int64_t missed = std::max<std::int64_t>(late - most, 0);
    scheduled.due += spec.interval * missed;
    scheduled.metrics.missed->add(static_cast<double>(missed));
    scheduled.metrics.iterations->add(static_cast<double>(missed));
    if (missed < late) scheduled.metrics.caught_up->add();
}

Result<Unit> RuleManager::deliver(const std::vector<tsdb::SeriesSample>& samples) {
    if (samples.empty()) return Unit{};
    auto written = sink_.write(samples);
    if (!written) {
        write_failures_.add();
        log::warn("recorded samples were not stored", {{"error", written.error().message}});
    }
    return written;
}

void RuleManager::tell(const std::vector<AlertTransition>& transitions) {
    if (transitions.empty()) return;
    MutexLock lock(telling_);
    for (const AlertTransition& transition : transitions) {
        const bool fired = transition.kind == AlertTransition::Kind::Fired;
        log::info(fired ? "alert fires" : "alert resolved", {{"alert", transition.labels.text()}});
        observer_.on_alert(transition);
    }
}

void RuleManager::publish() {
    auto status = std::make_shared<std::vector<GroupStatus>>();
    double firing = 0;
    for (const auto& scheduled : groups_) {
        status->push_back(scheduled->shown);
        for (const RuleStatus& rule : status->back().rules) {
            firing +=
                static_cast<double>(std::count_if(rule.alerts.begin(), rule.alerts.end(), [](const ActiveAlert& alert) {
                    return alert.phase == Phase::Firing;
                }));
        }
    }
    firing_.set(firing);
    status_.set(std::move(status));
}

Timestamp grid_instant(const std::string& file, const std::string& name, Duration interval, Timestamp now) {
    const std::uint64_t hash = tsdb::Labels{{"file", file}, {"name", name}}.hash();
    const auto every = static_cast<std::uint64_t>(interval.count());
    const auto offset = static_cast<std::int64_t>(hash % every);
    const std::int64_t moved = to_millis(now) - offset;
    const std::int64_t into = ((moved % interval.count()) + interval.count()) % interval.count();
    return now - Duration{into};
}

QueryFn make_query(const promql::Engine& engine, const tsdb::Querier& querier,
                   std::shared_ptr<std::atomic<bool>> cancel) {
    return [&engine, &querier, cancel = std::move(cancel)](std::string_view query, Timestamp at) {
        return engine.instant(querier, query, at, cancel.get());
    };
}

}  // namespace stoker::alert
