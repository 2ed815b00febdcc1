#include "collect/discovery/scrape_target.h"

#include <algorithm>
#include <functional>

#include "wire/prometheus_protobuf.h"

namespace stoker::collect {
namespace {

namespace asio = boost::asio;

// Where the job sets no limit of its own: what no honest page reaches, and memory bears.
constexpr std::size_t kMostBody = std::size_t{64} << 20;
constexpr std::size_t kMostSamples = 1'000'000;

std::size_t or_else(std::int64_t limit, std::size_t otherwise) {
    return limit > 0 ? static_cast<std::size_t>(limit) : otherwise;
}

ScrapeLimits limits_of(const ScrapeConfig& config) {
    ScrapeLimits limits;
    limits.max_samples = kMostSamples;
    limits.untyped = true;
    limits.labels.max_labels = or_else(config.label_limit, limits.labels.max_labels);
    limits.labels.max_name_bytes = or_else(config.label_name_length_limit, limits.labels.max_name_bytes);
    limits.labels.max_value_bytes = or_else(config.label_value_length_limit, limits.labels.max_value_bytes);
    return limits;
}

ScrapeRules rules_of(const ScrapeJobContext& context) {
    ScrapeRules rules;
    rules.honor_labels = context.config.honor_labels;
    rules.honor_timestamps = context.config.honor_timestamps;
    rules.relabel = context.metric_relabel;
    rules.own = OwnSeries::Prometheus;
    rules.sample_limit = static_cast<std::size_t>(context.config.sample_limit);
    return rules;
}

std::string accept(const ScrapeConfig& config) {
    const auto& asked = config.scrape_protocols;
    std::string formats(wire::kExpositionAccept);
    const bool protobuf = std::find(asked.begin(), asked.end(), "PrometheusProto") != asked.end();
    return protobuf ? std::string(wire::kProtobufAccept) + "," + formats : formats;
}

}  // namespace

ScrapeTarget::ScrapeTarget(std::shared_ptr<const ScrapeJobContext> context, MadeTarget made)
    : context_(std::move(context)),
      made_(std::move(made)),
      scrape_({made_.labels.begin(), made_.labels.end()}, limits_of(context_->config), rules_of(*context_)),
      stopper_(context_->loop) {}

ScrapeTargetStatus ScrapeTarget::status() const {
    ScrapeTargetStatus status;
    {
        MutexLock lock(mutex_);
        status = status_;
    }
    status.job = context_->config.job_name;
    status.url = made_.shown;
    status.discovered = made_.discovered;
    status.labels = made_.labels;
    status.interval = made_.interval;
    status.timeout = made_.timeout;
    return status;
}

asio::awaitable<void> ScrapeTarget::run(std::shared_ptr<ScrapeTarget> self) {
    // Each at its own place within the interval, so that they are not all asked at the same moment.
    const auto interval = std::chrono::duration_cast<SteadyTime::duration>(self->made_.interval);
    const auto place = static_cast<SteadyTime::duration::rep>(std::hash<std::string>{}(self->made_.key) >> 1);
    SteadyTime due = std::chrono::steady_clock::now() + SteadyTime::duration{place % interval.count()};
    while (!self->stopper_.stopped()) {
        co_await self->stopper_.sleep_until(due);
        if (self->stopper_.stopped()) break;
        co_await self->round();
        due += interval;
        // A round that took longer than the interval skips the ones it missed.
        const auto now = std::chrono::steady_clock::now();
        while (due < now) due += interval;
    }
    std::vector<tsdb::SeriesSample> out;
    self->scrape_.ended(now(), out);
    if (!out.empty()) self->context_->sink.append(out);
}

asio::awaitable<void> ScrapeTarget::round() {
    FetchOptions options;
    options.limit = made_.timeout;
    const auto most = parse_prometheus_bytes(context_->config.body_size_limit).value_or(0);
    options.max_body = most > 0 ? std::min<std::size_t>(most, kMostBody) : kMostBody;
    options.accept = accept(context_->config);
    options.gzip = context_->config.enable_compression;
    const auto seconds = std::chrono::duration<double>(made_.timeout).count();
    options.headers.add("X-Prometheus-Scrape-Timeout-Seconds", std::to_string(seconds));
    const Timestamp began = now();
    const SteadyTime clock = std::chrono::steady_clock::now();
    auto page = co_await context_->access->get(made_.url, std::move(options), stopper_);
    if (stopper_.stopped()) co_return;
    const ElapsedTime took = std::chrono::steady_clock::now() - clock;
    Scraped out;
    auto samples = take(std::move(page), began, took, out);
    if (!samples) {
        out = {};
        scrape_.failed(false, began, took, out.samples);
    }
    tell(samples, began, took);
    context_->sink.append(out.samples);
    if (!out.exemplars.empty()) context_->sink.append_exemplars(out.exemplars);
    if (!out.metadata.empty()) context_->sink.set_metadata(out.metadata);
}

Result<std::size_t> ScrapeTarget::take(Result<Page> page, Timestamp began, ElapsedTime took, Scraped& out) {
    if (!page) return std::move(page).error();
    if (page->status != 200) {
        return Error{Errc::Unavailable, "server returned HTTP status " + std::to_string(page->status)};
    }
    return scrape_.scraped(page->body, page_format(page->content_type), began, took, out);
}

void ScrapeTarget::tell(const Result<std::size_t>& samples, Timestamp began, ElapsedTime took) {
    (samples ? context_->scrapes_ok : context_->scrapes_failed).add();
    if (samples) context_->samples.add(static_cast<double>(*samples));
    MutexLock lock(mutex_);
    status_.scraped = true;
    status_.up = samples.has_value();
    status_.last_scrape = began;
    status_.duration = took;
    status_.samples = samples ? static_cast<std::int64_t>(*samples) : 0;
    status_.error = samples ? "" : samples.error().message;
}

}  // namespace stoker::collect
