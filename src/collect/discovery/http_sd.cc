#include "collect/discovery/http_sd.h"

#include "base/text.h"
#include "collect/discovery/polled.h"
#include "collect/discovery/target_list.h"

namespace stoker::collect {
namespace {

namespace asio = boost::asio;

constexpr Duration kMostTime{30'000};

class HttpDiscoverer : public PolledDiscoverer {
public:
    HttpDiscoverer(HttpSdConfig config, net::Url url, std::shared_ptr<HttpAccess> access, DiscoveryContext context)
        : PolledDiscoverer(context, "http", config.refresh_interval),
          config_(std::move(config)),
          url_(std::move(url)),
          access_(std::move(access)) {}

protected:
    asio::awaitable<Result<std::vector<TargetGroup>>> ask() override {
        FetchOptions options;
        options.limit = std::min(kMostTime, config_.refresh_interval);
        options.accept = "application/json";
        // So many seconds does the endpoint have to be current for.
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(config_.refresh_interval).count();
        options.headers.add("X-Prometheus-Refresh-Interval-Seconds", std::to_string(seconds));
        auto page = co_await access_->get(url_, std::move(options), stopper_);
        if (!page) co_return std::move(page).error().context(config_.url);
        if (page->status != 200) {
            co_return Error{Errc::Unavailable, config_.url + ": HTTP status " + std::to_string(page->status)};
        }
        if (!to_lower(trim(page->content_type)).starts_with("application/json")) {
            co_return Error{Errc::InvalidArgument, config_.url + ": the content type is '" + page->content_type +
                                                       "', it must be application/json"};
        }
        auto groups = parse_target_list_json(page->body, config_.url);
        if (!groups) co_return std::move(groups).error();
        for (TargetGroup& group : *groups) group.labels.insert_or_assign("__meta_url", config_.url);
        co_return groups;
    }

private:
    const HttpSdConfig config_;
    const net::Url url_;
    const std::shared_ptr<HttpAccess> access_;
};

}  // namespace

Result<std::shared_ptr<Discoverer>> http_discoverer(HttpSdConfig config, DiscoveryContext context) {
    TRY(auto url, net::parse_url(config.url));
    TRY(auto access, HttpAccess::create(context.loop, config.http));
    return std::shared_ptr<Discoverer>(
        std::make_shared<HttpDiscoverer>(std::move(config), std::move(url), std::move(access), context));
}

}  // namespace stoker::collect
