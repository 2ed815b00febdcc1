#include "collect/collector.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>
#include <map>
#include <set>

#include "base/log.h"
#include "collect/engine/adapters.h"
#include "collect/engine/prober.h"
#include "collect/scrape/target.h"

namespace stoker::collect {
namespace {

namespace asio = boost::asio;

constexpr Duration kDiscoverLimit{1'000};
constexpr std::chrono::minutes kForgetAfter{5};  // A found engine that is silent for so long is gone.
constexpr std::chrono::seconds kStopLimit{5};

bool is_loopback(const std::string& host) {
    return host == "localhost" || host.starts_with("127.") || host == "::1";
}

class CollectorImpl : public Collector {
public:
    CollectorImpl(asio::io_context& loop, CollectOptions options, SampleSink& sink, metrics::Registry& registry)
        : loop_(loop),
          options_(std::move(options)),
          sink_(sink),
          registry_(registry),
          client_(net::Client::create(loop)),
          self_timer_(loop),
          discover_timer_(loop) {
        auto& scrapes = registry.counter("stoker_collect_scrapes_total", "Scrapes of engines, by result.", {"result"});
        scrapes_ok_ = &scrapes.with({"ok"});
        scrapes_failed_ = &scrapes.with({"failed"});
        samples_ = &registry.counter("stoker_collect_samples_total", "Samples read from engines' pages.").with();
    }
    ~CollectorImpl() override { stop(); }

    void start() override {
        started_ = true;
        if (options_.self) spawn(watch_self());
        if (options_.discover) spawn(discover());
    }

    void stop() override {
        if (!started_ || stopped_.exchange(true)) return;
        asio::post(loop_, [this] {
            leaving_ = true;
            self_timer_.cancel();
            discover_timer_.cancel();
            abandon_.set();
            for (auto& [url, target] : running_) target->leave(false);
            running_.clear();
            if (alive_ == 0) end();
        });
        auto waited = ended_.get_future().wait_for(kStopLimit);
        if (waited != std::future_status::ready) log::warn("collector did not stop in time");
    }

    Result<Unit> apply(std::vector<TargetSpec> specs) override {
        std::map<std::string, std::pair<TargetSpec, net::Url>> wanted;
        for (auto& spec : specs) {
            auto url = net::parse_url(spec.url);
            if (!url) return std::move(url).error().context("target " + spec.url);
            std::string key = spec.url;
            wanted.insert_or_assign(std::move(key), std::pair{std::move(spec), *std::move(url)});
        }
        started_ = true;
        asio::post(loop_, [this, wanted = std::move(wanted)]() mutable { replace(std::move(wanted)); });
        return Unit{};
    }

    std::vector<TargetStatus> targets() const override {
        std::vector<std::shared_ptr<Target>> shown;
        {
            MutexLock lock(mutex_);
            shown = shown_;
        }
        std::vector<TargetStatus> out;
        for (const auto& target : shown) out.push_back(target->status());
        return out;
    }

private:
    // Everything below runs on loop_.

    void spawn(asio::awaitable<void> work) {
        // At once when called on the loop: a job must be counted before stop() may look.
        asio::dispatch(loop_, [this, moved = std::make_shared<asio::awaitable<void>>(std::move(work))] {
            ++alive_;
            asio::co_spawn(loop_, std::move(*moved), [this](std::exception_ptr failure) {
                if (failure) log::error("a collection job ended by an exception");
                if (--alive_ == 0 && leaving_) end();
            });
        });
    }

    void end() {
        client_.reset();  // On its own loop.
        ended_.set_value();
    }

    void replace(std::map<std::string, std::pair<TargetSpec, net::Url>> wanted) {
        if (leaving_) return;
        std::erase_if(running_, [&](auto& entry) {
            auto found = wanted.find(entry.first);
            bool same = found != wanted.end() && found->second.first == entry.second->spec();
            if (entry.second->discovered() && found == wanted.end()) return is_configured(*entry.second, wanted);
            if (same && !entry.second->discovered()) return false;
            entry.second->leave(true);
            return true;
        });
        for (auto& [url, target] : wanted) {
            if (!running_.contains(url)) add(std::move(target.first), std::move(target.second), false, {});
        }
        show();
    }

    // A found engine that is now configured under another spelling of its address.
    bool is_configured(Target& found, const std::map<std::string, std::pair<TargetSpec, net::Url>>& wanted) {
        for (const auto& [url, target] : wanted) {
            if (target.second.port != found.url().port || !is_loopback(target.second.host)) continue;
            found.leave(true);
            return true;
        }
        return false;
    }

    void add(TargetSpec spec, net::Url url, bool discovered, EngineIdentity identity) {
        TargetContext context{loop_, *client_, options_, sink_, *scrapes_ok_, *scrapes_failed_, *samples_};
        std::string key = spec.url;
        auto target =
            std::make_shared<Target>(context, std::move(spec), std::move(url), discovered, std::move(identity));
        running_.emplace(std::move(key), target);
        spawn(Target::run(std::move(target)));
    }

    void show() {
        std::vector<std::shared_ptr<Target>> all;
        for (const auto& [url, target] : running_) all.push_back(target);
        MutexLock lock(mutex_);
        shown_ = std::move(all);
    }

    asio::awaitable<void> watch_self() {
        SteadyTime due = std::chrono::steady_clock::now();
        while (!leaving_) {
            collect_self();
            due = std::max(due + options_.interval, std::chrono::steady_clock::now());
            self_timer_.expires_at(due);
            co_await self_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        }
    }

    void collect_self() {
        SampleBatch out(now(), {{"instance", "stoker"}, {"job", "stoker"}});
        registry_.each_sample(
            [&out](const metrics::Exposed& sample) { out.add(sample.name, sample.labels, sample.value); });
        sink_.append(out.samples());
    }

    asio::awaitable<void> discover() {
        const auto usual = options_.adapters->ports();
        std::set<std::uint16_t> ports(usual.begin(), usual.end());
        ports.insert(options_.discover_ports.begin(), options_.discover_ports.end());
        for (std::uint16_t own : options_.own_ports) ports.erase(own);
        while (!leaving_) {
            forget_silent();
            for (std::uint16_t port : ports) {
                const bool known = is_known(port);
                if (!known) co_await look_at(port);
                if (leaving_) co_return;
            }
            discover_timer_.expires_after(options_.discover_interval);
            co_await discover_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        }
    }

    bool is_known(std::uint16_t port) const {
        return std::any_of(running_.begin(), running_.end(), [text = std::to_string(port)](const auto& entry) {
            return entry.second->url().port == text && is_loopback(entry.second->url().host);
        });
    }

    asio::awaitable<void> look_at(std::uint16_t port) {
        TargetSpec spec;
        spec.url = "http://127.0.0.1:" + std::to_string(port);
        auto url = net::parse_url(spec.url);
        if (!url) co_return;
        auto found = co_await probe(*client_, *url, "", kDiscoverLimit, options_.adapters, abandon_);
        // Found by itself only what is surely an engine: something that merely speaks OpenAI's API may be a proxy.
        bool engine = found && !found->kind.empty() && found->kind != kGenericEngine;
        if (!engine || leaving_ || is_known(port)) co_return;
        log::info("engine found", {{"url", spec.url}, {"kind", found->kind}, {"version", found->version}});
        add(std::move(spec), *std::move(url), true, *std::move(found));
        show();
    }

    void forget_silent() {
        auto now = std::chrono::steady_clock::now();
        auto forgotten = std::erase_if(running_, [now](auto& entry) {
            auto since = entry.second->silent_since();
            if (!entry.second->discovered() || !since || now - *since < kForgetAfter) return false;
            entry.second->leave(true);
            return true;
        });
        if (forgotten > 0) show();
    }

    asio::io_context& loop_;
    const CollectOptions options_;
    SampleSink& sink_;
    metrics::Registry& registry_;
    std::unique_ptr<net::Client> client_;
    metrics::Counter* scrapes_ok_;
    metrics::Counter* scrapes_failed_;
    metrics::Counter* samples_;
    std::atomic<bool> stopped_{false};
    std::atomic<bool> started_{false};
    std::promise<void> ended_;

    // Touched only on loop_.
    asio::steady_timer self_timer_;
    asio::steady_timer discover_timer_;
    Abandon abandon_;
    std::map<std::string, std::shared_ptr<Target>> running_;  // By URL.
    std::size_t alive_ = 0;                                   // Coroutines.
    bool leaving_ = false;

    mutable Mutex mutex_;
    std::vector<std::shared_ptr<Target>> shown_ GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Collector> Collector::create(asio::io_context& loop, CollectOptions options, SampleSink& sink,
                                             metrics::Registry& registry) {
    return std::make_unique<CollectorImpl>(loop, std::move(options), sink, registry);
}

}  // namespace stoker::collect
