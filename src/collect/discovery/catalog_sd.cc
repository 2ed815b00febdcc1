#include "collect/discovery/catalog_sd.h"

#include <nlohmann/json.hpp>

#include "collect/discovery/catalog_objects.h"
#include "collect/discovery/polled.h"
#include "collect/discovery/unix_http.h"

namespace stoker::collect {
namespace {

namespace asio = boost::asio;

constexpr Duration kLimit{10'000};  // For one request.
constexpr std::string_view kUnix = "unix://";

Result<std::string> body_of(Result<Page> page) {
    if (!page) return std::move(page).error();
    if (page->status != 200) return Error{Errc::Unavailable, "HTTP status " + std::to_string(page->status)};
    return std::move(page->body);
}

class DockerDiscoverer : public PolledDiscoverer {
public:
    DockerDiscoverer(DockerSdConfig config, net::Url url, std::shared_ptr<HttpAccess> access, DiscoveryContext context)
        : PolledDiscoverer(context, "docker", config.refresh_interval),
          config_(std::move(config)),
          url_(std::move(url)),
          access_(std::move(access)) {}

protected:
    asio::awaitable<Result<std::vector<TargetGroup>>> ask() override {
        std::string path = "/containers/json";
        nlohmann::json filters = nlohmann::json::object();
        for (const DockerFilter& filter : config_.filters) filters[filter.name] = filter.values;
        if (!filters.empty()) path += "?filters=" + net::url_encode(filters.dump());
        auto containers = co_await get(std::move(path));
        if (!containers) co_return std::move(containers).error().context(config_.host);
        auto networks = co_await get("/networks");
        if (!networks) co_return std::move(networks).error().context(config_.host);
        auto group = docker_group(*containers, *networks, config_);
        if (!group) co_return std::move(group).error().context(config_.host);
        std::vector<TargetGroup> groups;
        groups.push_back(*std::move(group));
        co_return groups;
    }

private:
    asio::awaitable<Result<std::string>> get(std::string path) {
        if (config_.host.starts_with(kUnix)) {
            std::string socket = config_.host.substr(kUnix.size());
            co_return co_await unix_get(context_.loop, std::move(socket), std::move(path), kLimit);
        }
        net::Url url = url_;
        url.path = path;
        FetchOptions options;
        options.limit = kLimit;
        auto page = co_await access_->get(std::move(url), std::move(options), stopper_);
        co_return body_of(std::move(page));
    }

    const DockerSdConfig config_;
    const net::Url url_;  // Unless it is a socket.
    const std::shared_ptr<HttpAccess> access_;
};

class ConsulDiscoverer : public PolledDiscoverer {
public:
    ConsulDiscoverer(ConsulSdConfig config, net::Url url, std::shared_ptr<HttpAccess> access, DiscoveryContext context)
        : PolledDiscoverer(context, "consul", config.refresh_interval),
          config_(std::move(config)),
          url_(std::move(url)),
          access_(std::move(access)) {}

protected:
    asio::awaitable<Result<std::vector<TargetGroup>>> ask() override {
        const std::vector<std::string> none;
        auto catalog = co_await get("/v1/catalog/services", config_.filter, none);
        if (!catalog) co_return std::move(catalog).error().context(config_.server);
        auto services = consul_services(*catalog, config_);
        if (!services) co_return std::move(services).error().context(config_.server);
        std::map<std::string, TargetGroup> known;
        for (const std::string& service : *services) {
            std::string path = "/v1/health/service/" + net::url_encode(service);
            auto entries = co_await get(std::move(path), config_.health_filter, config_.tags);
            if (stopper_.stopped()) break;
            Result<TargetGroup> group = Error{Errc::Internal, ""};
            if (entries) {
                group = consul_group(*entries, service, config_);
            } else {
                group = std::move(entries).error();
            }
            if (group) {
                known.insert_or_assign(service, *std::move(group));
                continue;
            }
            // This service keeps what it had.
            if (partial_.empty()) partial_ = config_.server + ": " + service + ": " + group.error().message;
            const auto before = known_.find(service);
            if (before != known_.end()) known.insert(*before);
        }
        known_ = std::move(known);
        std::vector<TargetGroup> groups;
        for (const auto& [name, group] : known_) groups.push_back(group);
        co_return groups;
    }

private:
    asio::awaitable<Result<std::string>> get(std::string path, std::string filter, std::vector<std::string> tags) {
        net::Url url = url_;
        std::string query;
        const auto add = [&query](std::string_view name, const std::string& value) {
            if (value.empty()) return;
            query += query.empty() ? '?' : '&';
            query += std::string(name) + "=" + net::url_encode(value);
        };
        add("dc", config_.datacenter);
        add("ns", config_.consul_namespace);
        add("partition", config_.partition);
        for (const auto& [name, value] : config_.node_meta) add("node-meta", name + ":" + value);
        add("filter", filter);
        for (const std::string& tag : tags) add("tag", tag);
        if (config_.allow_stale) query += query.empty() ? "?stale" : "&stale";
        url.path = config_.path_prefix + path + query;
        FetchOptions options;
        options.limit = kLimit;
        if (!config_.token.empty()) options.headers.add("X-Consul-Token", config_.token);
        auto page = co_await access_->get(std::move(url), std::move(options), stopper_);
        co_return body_of(std::move(page));
    }

    const ConsulSdConfig config_;
    const net::Url url_;
    const std::shared_ptr<HttpAccess> access_;
    std::map<std::string, TargetGroup> known_;
};

}  // namespace

Result<std::shared_ptr<Discoverer>> docker_discoverer(DockerSdConfig config, DiscoveryContext context) {
    net::Url url;
    if (!config.host.starts_with(kUnix)) {
        const bool tcp = config.host.starts_with("tcp://");
        const char* const scheme = config.http.tls_config ? "https" : "http";
        TRY(url, net::parse_url(tcp ? scheme + config.host.substr(3) : config.host));
    }
    TRY(auto access, HttpAccess::create(context.loop, config.http));
    return std::shared_ptr<Discoverer>(
        std::make_shared<DockerDiscoverer>(std::move(config), std::move(url), std::move(access), context));
}

Result<std::shared_ptr<Discoverer>> consul_discoverer(ConsulSdConfig config, DiscoveryContext context) {
    TRY(auto url, net::parse_url(config.scheme + "://" + config.server));
    TRY(auto access, HttpAccess::create(context.loop, config.http));
    return std::shared_ptr<Discoverer>(
        std::make_shared<ConsulDiscoverer>(std::move(config), std::move(url), std::move(access), context));
}

}  // namespace stoker::collect
