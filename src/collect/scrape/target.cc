#include "collect/scrape/target.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <random>

#include "collect/engine/json_page.h"
#include "collect/engine/prober.h"
#include "wire/prometheus_protobuf.h"

namespace stoker::collect {
namespace {

namespace asio = boost::asio;

constexpr Duration kProbeLimit{2'000};

// Spreads targets over the interval, so that they are not all asked at the same moment.
Duration jitter(Duration up_to) {
    thread_local std::mt19937 random{std::random_device{}()};
    return Duration{std::uniform_int_distribution<std::int64_t>(0, std::max<std::int64_t>(0, up_to.count()))(random)};
}

EngineIdentity told(const TargetSpec& spec, EngineIdentity found) {
    if (found.kind.empty()) found.kind = spec.kind;
    return found;
}

std::string accept(const CollectOptions& options) {
    std::string formats(wire::kExpositionAccept);
    return options.native_histograms ? std::string(wire::kProtobufAccept) + "," + formats : formats;
}

}  // namespace

Target::Target(TargetContext context, TargetSpec spec, net::Url url, bool discovered, EngineIdentity identity)
    : context_(context),
      spec_(std::move(spec)),
      url_(std::move(url)),
      discovered_(discovered),
      identity_(told(spec_, std::move(identity))),
      scrape_(labels(), ScrapeLimits{context_.options.max_samples, context_.options.label_limits},
              ScrapeRules{spec_.honor_labels, spec_.honor_timestamps}),
      timer_(context_.loop) {
    take_identity();
    MutexLock lock(mutex_);
    status_.url = spec_.url;
    status_.pool = spec_.pool;
    status_.replica = spec_.replica;
    status_.discovered = discovered_;
}

void Target::take_identity() {
    scrape_.set_engine(CanonicalPlan::make(context_.options.adapters, identity_.kind, identity_.version),
                       context_.options.adapters->find(identity_.kind), identity_);
    MutexLock lock(mutex_);
    status_.kind = identity_.kind;
    status_.version = identity_.version;
    status_.models = identity_.models;
}

SampleBatch::Pairs Target::labels() const {
    // Empty values are left out by Labels.
    return {{"job", "engine"},
            {"instance", url_.host + ":" + url_.port},
            {"engine", identity_.kind},
            {"pool", spec_.pool},
            {"replica", spec_.replica}};
}

TargetStatus Target::status() const {
    MutexLock lock(mutex_);
    return status_;
}

void Target::leave(bool gone) {
    leaving_ = true;
    gone_ = gone;
    timer_.cancel();
    abandon_.set();
}

asio::awaitable<void> Target::run(std::shared_ptr<Target> self) {
    const Duration interval = self->context_.options.interval;
    SteadyTime due = std::chrono::steady_clock::now() + jitter(interval / 10);
    while (!self->leaving_) {
        self->timer_.expires_at(due);
        co_await self->timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        if (self->leaving_) break;
        co_await self->round();
        due += interval;
        // A round that took longer than the interval skips the ones it missed.
        auto now = std::chrono::steady_clock::now();
        while (due < now) due += interval;
    }
    if (!self->gone_) co_return;
    std::vector<tsdb::SeriesSample> out;
    self->scrape_.ended(now(), out);
    if (!out.empty()) self->context_.sink.append(out);
}

asio::awaitable<void> Target::find_out() {
    auto found = co_await probe(context_.client, url_, spec_.bearer, std::min(kProbeLimit, context_.options.timeout),
                                context_.options.adapters, abandon_);
    if (!found || leaving_) co_return;
    identified_ = true;
    identity_ = told(spec_, *std::move(found));
    scrape_.set_target(labels());
    take_identity();
}

asio::awaitable<void> Target::round() {
    if (!identified_) co_await find_out();
    if (leaving_) co_return;
    const std::string path =
        spec_.metrics_path.empty() ? context_.options.adapters->metrics_path(identity_.kind) : spec_.metrics_path;
    const bool without_metrics = path.empty();
    net::Url url = url_;
    url.path = without_metrics ? "/" : path;
    GetOptions options{.limit = std::min(context_.options.timeout, context_.options.interval),
                       .max_body = context_.options.max_body,
                       .bearer = spec_.bearer,
                       .accept = accept(context_.options)};
    const Timestamp began = now();
    const SteadyTime clock = std::chrono::steady_clock::now();
    auto page = co_await get(context_.client, std::move(url), std::move(options), abandon_);
    if (leaving_) co_return;
    const ElapsedTime took = std::chrono::steady_clock::now() - clock;
    take(std::move(page), !without_metrics, began, took);
}

void Target::take(Result<Page> page, bool has_metrics, Timestamp began, ElapsedTime took) {
    if (!page) {
        scrape_.inspector().look_at_silence();
        return failed(false, page.error().message, began, took);
    }
    if (page->status != 200) {
        // 501 and 404: an engine whose metrics are switched off. 5xx: one in trouble.
        bool answered = page->status < 500 || page->status == 501;
        std::string why = "HTTP status " + std::to_string(page->status);
        scrape_.inspector().look_at_failure(page->status, page->body, why);
        return failed(answered, std::move(why), began, took);
    }
    if (!page->whole) return failed(true, "the page is larger than the limit", began, took);
    const Adapter* adapter = context_.options.adapters->find(identity_.kind);
    if (adapter != nullptr && adapter->metrics_format == "json" && spec_.metrics_path.empty()) {
        auto text = json_page(*adapter, page->body);
        if (!text) {
            scrape_.inspector().look_at_failure(200, "", text.error().message);
            return failed(true, text.error().message, began, took);
        }
        page->body = *std::move(text);
        page->content_type.clear();
    }
    Scraped out;
    Result<std::size_t> count = std::size_t{0};
    if (has_metrics)
        count = scrape_.scraped(page->body, page_format(page->content_type), began, took, out, gateway_count());
    if (!count) {
        scrape_.inspector().look_at_failure(200, page->body, count.error().message);
        const bool limit = count.error().code == Errc::ResourceExhausted;
        return failed(true, (limit ? spec_.url + ": over a limit: " : "") + count.error().message, began, took);
    }
    if (!has_metrics) scrape_.answered(began, took, out.samples);
    silent_since_.reset();
    context_.scrapes_ok.add();
    context_.samples.add(static_cast<double>(*count));
    {
        MutexLock lock(mutex_);
        status_.scraped = status_.up = status_.answered = true;
        status_.last_scrape = began;
        status_.duration = took;
        status_.samples = static_cast<std::int64_t>(*count);
        status_.error.clear();
        status_.findings = scrape_.inspector().findings();
    }
    context_.sink.append(out.samples);
    if (!out.exemplars.empty()) context_.sink.append_exemplars(out.exemplars);
    if (!out.metadata.empty()) context_.sink.set_metadata(out.metadata);
}

std::optional<GatewayCount> Target::gateway_count() const {
    const auto& count = context_.options.gateway_count;
    return count && !spec_.replica.empty() ? count(spec_.replica) : std::nullopt;
}

void Target::failed(bool answered, std::string why, Timestamp began, ElapsedTime took) {
    // What comes back may be another version, with other models.
    if (!answered) identified_ = false;
    if (answered)
        silent_since_.reset();
    else if (!silent_since_)
        silent_since_ = std::chrono::steady_clock::now();
    context_.scrapes_failed.add();
    {
        MutexLock lock(mutex_);
        status_.scraped = true;
        status_.up = false;
        status_.answered = answered;
        status_.last_scrape = began;
        status_.duration = took;
        status_.samples = 0;
        status_.error = std::move(why);
        status_.findings = scrape_.inspector().findings();
    }
    std::vector<tsdb::SeriesSample> out;
    scrape_.failed(answered, began, took, out);
    context_.sink.append(out);
}

}  // namespace stoker::collect
