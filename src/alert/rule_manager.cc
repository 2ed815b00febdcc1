#include "alert/rule_manager.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace stoker::alert {
namespace {

// Wakes at least so often, so that a clock that was set back does not stop evaluation for long.
constexpr std::chrono::seconds kLongestSleep{5};

}  // namespace

RuleManager::RuleManager(RuleManagerOptions options, QueryFn query, ExpandFn expand, SampleSink& sink,
                         AlertObserver& observer, metrics::Registry& registry)
    : options_(std::move(options)),
      query_(std::move(query)),
      expand_(std::move(expand)),
      sink_(sink),
      observer_(observer),
      evaluations_(registry.counter("stoker_rule_evaluations_total", "Rules evaluated.").with()),
      failures_(registry.counter("stoker_rule_evaluation_failures_total", "Rules whose query failed.").with()),
      missed_(
          registry.counter("stoker_rule_group_iterations_missed_total", "Evaluations of a group skipped for lateness.")
              .with()),
      write_failures_(
          registry.counter("stoker_rule_write_failures_total", "Batches of recorded samples that were not stored.")
              .with()),
      firing_(registry.gauge("stoker_alerts_firing", "Alerts that fire now.").with()) {}

RuleManager::~RuleManager() {
    stop();
}

void RuleManager::start() {
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void RuleManager::stop() {
    cancelled_ = true;
    if (options_.cancel) *options_.cancel = true;
    {
        MutexLock lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void RuleManager::replace(std::vector<RuleGroupSpec> groups) {
    {
        MutexLock lock(mutex_);
        replacement_ = std::move(groups);
    }
    wake_.notify_all();
}

void RuleManager::run() {
    while (wait_until_due()) {
        const Timestamp current = options_.clock();
        for (Scheduled& scheduled : groups_) {
            if (cancelled_) return;
            if (scheduled.due <= current) evaluate(scheduled);
        }
    }
}

// False when it is time to stop. Takes in a replacement when there is one.
bool RuleManager::wait_until_due() {
    while (true) {
        std::optional<std::vector<RuleGroupSpec>> replacement;
        {
            MutexLock lock(mutex_);
            if (stopping_) return false;
            replacement = std::exchange(replacement_, std::nullopt);
            if (!replacement) {
                const Timestamp current = options_.clock();
                Duration sleep = kLongestSleep;
                for (const Scheduled& scheduled : groups_) {
                    if (scheduled.due <= current) return true;
                    sleep = std::min(sleep, scheduled.due - current);
                }
                wake_.wait_for(mutex_, sleep);
            }
        }
        if (replacement) swap_in(*std::move(replacement));
    }
}

void RuleManager::swap_in(std::vector<RuleGroupSpec> specs) {
    const Timestamp current = options_.clock();
    std::vector<Scheduled> fresh;
    for (RuleGroupSpec& spec : specs) {
        if (spec.interval == Duration{0}) spec.interval = options_.default_interval;
        Scheduled made{RuleGroup(std::move(spec)), current};
        for (Scheduled& old : groups_) {
            if (old.group.spec().file != made.group.spec().file || old.group.spec().name != made.group.spec().name)
                continue;
            made.group.take_over(old.group);
            if (old.group.spec().interval == made.group.spec().interval) made.due = old.due;
        }
        fresh.push_back(std::move(made));
    }
    for (Scheduled& old : groups_) {
        const Evaluation last = old.group.retire(current);
        deliver(last.samples);
        tell(last.transitions);
    }
    groups_ = std::move(fresh);
    publish();
}

void RuleManager::evaluate(Scheduled& scheduled) {
    const Timestamp current = options_.clock();
    const Duration interval = scheduled.group.spec().interval;
    const Evaluation done = scheduled.group.evaluate(
        current, query_, expand_, [this](const std::vector<tsdb::SeriesSample>& samples) { deliver(samples); },
        [this] { return !cancelled_.load(); });
    evaluations_.add(static_cast<double>(scheduled.group.spec().rules.size()));
    failures_.add(static_cast<double>(done.failures));
    scheduled.due += interval;
    const Timestamp after = options_.clock();
    if (scheduled.due <= after) {
        const std::int64_t late = (after - scheduled.due) / interval + 1;
        missed_.add(static_cast<double>(late - 1));
        scheduled.due += interval * late;
    } else if (scheduled.due - after > interval) {
        scheduled.due = after + interval;  // The clock was set back.
    }
    publish();
    tell(done.transitions);
}

void RuleManager::deliver(const std::vector<tsdb::SeriesSample>& samples) {
    if (samples.empty()) return;
    if (const auto written = sink_.write(samples); !written) {
        write_failures_.add();
        log::warn("recorded samples were not stored", {{"error", written.error().message}});
    }
}

void RuleManager::tell(const std::vector<AlertTransition>& transitions) {
    for (const AlertTransition& transition : transitions) {
        const bool fired = transition.kind == AlertTransition::Kind::Fired;
        log::info(fired ? "alert fires" : "alert resolved", {{"alert", transition.labels.text()}});
        observer_.on_alert(transition);
    }
}

void RuleManager::publish() {
    auto status = std::make_shared<std::vector<GroupStatus>>();
    double firing = 0;
    for (const Scheduled& scheduled : groups_) {
        status->push_back(scheduled.group.status());
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

QueryFn make_query(const promql::Engine& engine, const tsdb::Querier& querier,
                   std::shared_ptr<std::atomic<bool>> cancel) {
    return [&engine, &querier, cancel = std::move(cancel)](std::string_view query, Timestamp at) {
        return engine.instant(querier, query, at, cancel.get());
    };
}

}  // namespace stoker::alert
