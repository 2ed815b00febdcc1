#include "agent/agent.h"

#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <future>
#include <thread>

#include "agent/actions.h"
#include "agent/clock_watch.h"
#include "agent/families.h"
#include "agent/gpus.h"
#include "agent/local_rules.h"
#include "agent/own_use.h"
#include "agent/sources.h"
#include "agent/status.h"
#include "agent/watched_source.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "collect/host/collector_source.h"
#include "collect/source_runner.h"
#include "net/async.h"

namespace stoker::agent {
namespace {

namespace asio = boost::asio;
using Steady = std::chrono::steady_clock;

constexpr Duration kKeepEvery{5'000};   // Between two rounds of housekeeping.
constexpr Duration kRulesEvery{5'000};  // Between two evaluations of local rules.
constexpr int kPatience = 6;            // Rounds above the memory limit until the agent ends.

Moment moment() {
    return {now(), Steady::now()};
}

// The configured ones, then the signs of adaptive resolution.
std::vector<LocalRule> rules_of(const Config& config) {
    std::vector<LocalRule> rules;
    for (const RuleConfig& one : config.rules) rules.push_back({one.name, one.expr, one.hold_for, one.repeat});
    if (config.adaptive.enabled) {
        for (const std::string& sign : config.adaptive.when) rules.push_back({"sign", sign});
    }
    return rules;
}

// From all sources' threads into the buffer.
class BufferSink final : public collect::SampleSink {
public:
    BufferSink(Buffer& buffer, Families& families, metrics::Registry& registry)
        : buffer_(buffer),
          families_(families),
          samples_(registry.counter("stoker_agent_collected_samples_total", "Samples that sources gave.").with()) {}

    void append(const std::vector<tsdb::SeriesSample>& samples) override {
        samples_.add(static_cast<double>(samples.size()));
        buffer_.append(samples, moment());
    }
    void set_metadata(const std::vector<tsdb::FamilyMetadata>& metadata) override { families_.add(metadata); }

private:
    Buffer& buffer_;
    Families& families_;
    metrics::Counter& samples_;
};

class AgentImpl final : public Agent {
public:
    AgentImpl(Config config, std::unique_ptr<metrics::Registry> registry, std::unique_ptr<Buffer> buffer)
        : config_(std::move(config)),
          registry_(std::move(registry)),
          buffer_(std::move(buffer)),
          rules_(std::make_shared<LocalRules>(rules_of(config_))),
          sink_(*buffer_, families_, *registry_),
          rule_errors_(
              registry_->counter("stoker_agent_rule_failures_total", "Evaluations of local rules that failed.").with()),
          firing_(registry_->gauge("stoker_agent_rules_firing", "Local rules that hold now.").with()),
          fine_(registry_
                    ->gauge("stoker_agent_full_resolution",
                            "1 while every round is kept; 0 while all is quiet and rounds are left out.")
                    .with()),
          left_out_(registry_
                        ->counter("stoker_agent_left_out_samples_total",
                                  "Samples that adaptive resolution left out because all was quiet.")
                        .with()),
          memory_(registry_->gauge("stoker_agent_resident_bytes", "Memory of the agent.").with()),
          cpu_(registry_->gauge("stoker_agent_cpu_seconds", "Processor time of the agent since it started.").with()),
          clock_steps_(registry_->counter("stoker_agent_clock_steps_total",
                                          "Times that the wall clock was set, by more than a second.", {"direction"})),
          pool_(1),
          timer_(loop_),
          signals_(loop_, SIGTERM, SIGINT) {
        status_.started = now();
        status_.instance = config_.instance;
        registry_->gauge("stoker_agent_info", "1; the labels say which agent this is.", {"version"})
            .with({STOKER_VERSION})
            .set(1);
    }

    Result<Unit> prepare() {
        if (config_.adaptive.enabled) {
            resolution_ = std::make_shared<Resolution>(config_.adaptive.linger, Steady::now());
        }
        TRY(sources_, sources_of(config_, [rules = rules_](const auto& samples) { rules->append(samples); }));
        TRY(gpus_, Gpus::create(config_.gpu));
        auto all = sender_options(config_);
        std::vector<std::string> readers;
        for (const SenderOptions& one : all) readers.push_back(one.reader);
        TRY_UNIT(buffer_->keep_only(readers));
        for (SenderOptions& options : all) {
            options.families = [this] { return families_.book(); };
            TRY(auto sender, Sender::create(loop_, pool_, *buffer_, std::move(options), *registry_));
            senders_.push_back(std::move(sender));
        }
        return Unit{};
    }

    Ended run() override {
        runner_ = std::make_unique<collect::SourceRunner>(sink_, *registry_);
        if (!config_.rules.empty()) actions_ = std::make_unique<Actions>(*registry_);
        add_sources();
        for (auto& sender : senders_) sender->start();
        asio::co_spawn(loop_, keep_house(), [this](std::exception_ptr failure) {
            if (failure) log::error("housekeeping ended by an exception");
            house_is_kept_.set_value();
        });
        signals_.async_wait([this](const boost::system::error_code& error, int) {
            if (!error) leave(Ended::Asked);
        });
        std::thread loop([this] { loop_.run(); });
        const Ended why = ended_.get_future().get();
        asio::post(loop_, [this] {
            leaving_ = true;
            timer_.cancel();
            signals_.cancel();
        });
        house_is_kept_.get_future().wait();
        if (actions_) actions_->stop();
        gpus_->stop();
        runner_->stop();
        for (auto& sender : senders_) sender->stop();
        pool_.join();
        loop.join();
        write_status();
        log::info("the agent ended", {{"waiting_bytes", buffer_->bytes()}});
        return why;
    }

private:
    void add_sources() {
        const collect::SourceSchedule schedule{config_.interval, config_.deadline};
        for (auto& source : sources_) {
            const auto added = runner_->add(watched(std::move(source)), schedule);
            if (!added) log::error("a source is not read", {{"error", added.error().message}});
        }
        sources_.clear();
    }

    // Between the source and the buffer stands what looks at the samples, if somebody does.
    std::shared_ptr<collect::Source> watched(std::shared_ptr<collect::Source> source) {
        if (rules_->rules().empty() && !resolution_) return source;
        return std::make_shared<WatchedSource>(std::move(source), rules_, resolution_, config_.adaptive.quiet_interval);
    }

    void leave(Ended why) {
        if (!std::exchange(left_, true)) ended_.set_value(why);
    }

    asio::awaitable<void> keep_house() {
        while (!leaving_) {
            std::function<bool()> work = [this] { return keep_house_once(); };
            const bool fits = co_await net::run_on<bool>(pool_, std::move(work));
            if (!fits) leave(Ended::TooMuchMemory);
            if (leaving_) break;
            timer_.expires_after(kKeepEvery);
            co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        }
    }

    // On the pool. False: the agent takes too much memory, and could not give it back.
    bool keep_house_once() {
        const Moment at = moment();
        const Duration step = clock_.look(at);
        if (step != Duration{0}) {
            clock_steps_.with({step > Duration{0} ? "forward" : "back"}).add();
            log::warn("the clock was set", {{"by", std::to_string(step.count()) + " ms"}});
        }
        buffer_->tidy(at);
        gpus_->look(*runner_, config_.instance, [this](auto source) { return watched(std::move(source)); });
        if (at.steady >= rules_at_) {
            evaluate_rules(at);
            rules_at_ = at.steady + kRulesEvery;
        }
        const bool fits = watch_memory();
        if (at.steady >= self_at_) {
            record_self(at);
            self_at_ = at.steady + config_.self_interval;
        }
        write_status();
        return fits;
    }

    void evaluate_rules(Moment at) {
        if (rules_->rules().empty()) return;
        std::vector<std::string> errors;
        for (const DueAction& due : rules_->evaluate(at.wall, at.steady, errors)) {
            if (due.rule >= config_.rules.size()) continue;  // A sign.
            const RuleConfig& rule = config_.rules[due.rule];
            actions_->submit({rule.name,
                              rule.run,
                              rule.webhook,
                              rule.timeout,
                              {{"STOKER_RULE", rule.name},
                               {"STOKER_STATUS", due.resolved ? "resolved" : "firing"},
                               {"STOKER_VALUE", format_number(due.value)},
                               {"STOKER_LABELS", due.labels},
                               {"STOKER_INSTANCE", config_.instance}}});
        }
        rule_errors_.add(static_cast<double>(errors.size()));
        for (const std::string& error : errors) log::debug("a local rule was not evaluated", {{"error", error}});
        double firing = 0;
        bool something = false;
        for (std::size_t i = 0; i < rules_->rules().size(); ++i) {
            something = something || rules_->status(i) != RuleStatus::Inactive;
            if (i < config_.rules.size() && rules_->status(i) == RuleStatus::Firing) ++firing;
        }
        firing_.set(firing);
        if (resolution_ && something) resolution_->happens(at.steady);
    }

    bool watch_memory() {
        auto use = read_own_use();
        if (use && use->resident_bytes > config_.limits.memory.count) {
            release_memory();
            use = read_own_use();
        }
        if (!use) return true;
        status_.use = *use;
        memory_.set(static_cast<double>(use->resident_bytes));
        cpu_.set(use->cpu_seconds);
        over_ = use->resident_bytes > config_.limits.memory.count ? over_ + 1 : 0;
        if (over_ < kPatience) return true;
        log::error("the agent takes more memory than limits.memory allows, and ends",
                   {{"bytes", use->resident_bytes}, {"limit", config_.limits.memory.count}});
        return false;
    }

    void record_self(Moment at) {
        fine_.set(!resolution_ || resolution_->fine(at.steady) ? 1 : 0);
        if (resolution_) left_out_.add(static_cast<double>(resolution_->left_out()) - left_out_.value());
        collect::SampleBatch batch(at.wall, {{"instance", config_.instance}, {"job", "stoker-agent"}});
        registry_->each_sample([&](const metrics::Exposed& one) {
            batch.add(one.name, {one.labels.begin(), one.labels.end()}, one.value);
        });
        buffer_->append(batch.samples(), at);
    }

    void write_status() {
        status_.at = now();
        status_.buffer_bytes = buffer_->bytes();
        status_.buffer_error = buffer_->health() ? "" : buffer_->health().error().message;
        status_.senders.clear();
        for (const auto& sender : senders_) status_.senders.push_back(sender->status());
        const auto written = write_file_atomic(status_file(config_), to_json(status_));
        if (!written && !status_failed_) log::warn("the status was not written", {{"error", written.error().message}});
        status_failed_ = !written;
    }

    const Config config_;
    const std::unique_ptr<metrics::Registry> registry_;
    const std::unique_ptr<Buffer> buffer_;
    Families families_;
    // Rules and resolution are shared with sources, whose threads may outlive us.
    const std::shared_ptr<LocalRules> rules_;
    std::shared_ptr<Resolution> resolution_;                 // Null: every round is kept.
    std::vector<std::shared_ptr<collect::Source>> sources_;  // Until run() reads them.
    std::unique_ptr<Gpus> gpus_;
    BufferSink sink_;
    metrics::Counter& rule_errors_;
    metrics::Gauge& firing_;
    metrics::Gauge& fine_;
    metrics::Counter& left_out_;
    metrics::Gauge& memory_;
    metrics::Gauge& cpu_;
    metrics::Family<metrics::Counter>& clock_steps_;

    asio::io_context loop_{1};
    asio::thread_pool pool_;
    std::unique_ptr<collect::SourceRunner> runner_;
    std::vector<std::unique_ptr<Sender>> senders_;

    // Touched only on loop_.
    asio::steady_timer timer_;
    asio::signal_set signals_;
    bool leaving_ = false;
    bool left_ = false;

    std::promise<Ended> ended_;
    std::promise<void> house_is_kept_;

    // Touched by housekeeping, of which one runs at a time, and after it by run().
    ClockWatch clock_;
    SteadyTime self_at_{};
    SteadyTime rules_at_{};
    std::unique_ptr<Actions> actions_;
    int over_ = 0;
    AgentStatus status_;
    bool status_failed_ = false;
};

}  // namespace

Result<std::unique_ptr<Agent>> Agent::create(Config config) {
    if (config.instance.empty()) config.instance = collect::host_name();
    auto registry = std::make_unique<metrics::Registry>();
    const std::string folder = config.data_dir + "/buffer";
    auto made = ensure_directory(folder);
    if (!made) return std::move(made).error().context("data_dir");
    auto buffer = Buffer::open(folder, {config.buffer.max_size.count, config.buffer.max_age}, moment(), *registry);
    if (!buffer) return std::move(buffer).error().context("data_dir");
    auto agent = std::make_unique<AgentImpl>(std::move(config), std::move(registry), *std::move(buffer));
    TRY_UNIT(agent->prepare());
    return std::unique_ptr<Agent>(std::move(agent));
}

}  // namespace stoker::agent
