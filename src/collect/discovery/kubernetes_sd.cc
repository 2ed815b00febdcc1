#include "collect/discovery/kubernetes_sd.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "base/file.h"
#include "base/log.h"
#include "collect/discovery/kubeconfig.h"
#include "collect/discovery/kubernetes_watch.h"

namespace stoker::collect {
namespace {

namespace asio = boost::asio;

constexpr Duration kListLimit{60'000};
// The server ends a watch after 300 s; bookmarks come every minute. Nothing at all for longer is a dead connection.
constexpr Duration kSilence{330'000};
constexpr Duration kConnectLimit{30'000};
constexpr std::size_t kMostPage = std::size_t{256} << 20;
constexpr std::size_t kMostLine = std::size_t{8} << 20;  // etcd takes objects of 1.5 MiB.

// The group of a resource that once was in beta; empty for those of the core.
std::string_view group_of(const std::string& resource) {
    if (resource == "endpointslices") return "discovery.k8s.io";
    return resource == "ingresses" ? "networking.k8s.io" : "";
}

std::string path_of(const std::string& resource, const std::string& space, bool beta) {
    const std::string_view group = group_of(resource);
    std::string path = "/api/v1";
    if (!group.empty()) path = "/apis/" + std::string(group) + (beta ? "/v1beta1" : "/v1");
    if (!space.empty()) path += "/namespaces/" + net::url_encode(space);
    return path + "/" + resource;
}

// What a selector calls a resource.
std::string role_of(const std::string& resource) {
    if (resource == "endpoints") return resource;
    return resource.substr(0, resource.size() - (resource == "ingresses" ? 2 : 1));
}

Result<KubernetesAccess> find_access(const KubernetesSdConfig& config) {
    if (!config.api_server.empty()) return KubernetesAccess{config.api_server, config.http, "default", {}};
    if (config.kubeconfig_file.empty()) return in_cluster(config::process_environment());
    TRY(const auto text, read_file(config.kubeconfig_file));
    return parse_kubeconfig(text, std::filesystem::path(config.kubeconfig_file).parent_path());
}

class KubernetesDiscoverer : public Discoverer, public std::enable_shared_from_this<KubernetesDiscoverer> {
public:
    KubernetesDiscoverer(KubernetesSdConfig config, DiscoveryContext context)
        : context_(context), config_(std::move(config)) {}

    std::string_view kind() const override { return "kubernetes"; }

    void start(std::function<void()> changed) override {
        changed_ = std::move(changed);
        for (const std::string& space : namespaces()) {
            for (const std::string& resource : kubernetes_resources(config_.role)) {
                // Nodes are in no namespace.
                const bool everywhere = resource == "nodes";
                if (everywhere && !followed_.empty()) continue;
                followed_.push_back(std::make_shared<Followed>(context_.loop, resource, everywhere ? "" : space,
                                                               KubernetesWatch(selector(resource))));
            }
        }
        for (const auto& one : followed_) {
            asio::co_spawn(context_.loop, follow(shared_from_this(), one), asio::detached);
        }
    }

    void stop() override {
        changed_ = nullptr;
        for (const auto& one : followed_) one->stopper.stop();
    }

    const std::vector<TargetGroup>& groups() const override {
        // Half a cluster would end the series of the other half.
        const bool whole =
            std::all_of(followed_.begin(), followed_.end(), [](const auto& one) { return one->watch.complete(); });
        if (!whole || !dirty_) return groups_;
        KubernetesWorld world;
        for (const auto& one : followed_) {
            auto& objects = world[one->resource];
            if (objects.empty()) {
                objects = one->watch.objects();
            } else {
                objects.insert(one->watch.objects().begin(), one->watch.objects().end());
            }
        }
        groups_ = kubernetes_groups(config_.role, world);
        dirty_ = false;
        return groups_;
    }

    SourceHealth health() const override {
        SourceHealth health{{}, good_at_};
        for (const auto& one : followed_) {
            if (!one->error.empty() && health.error.empty()) health.error = one->error;
        }
        return health;
    }

    bool asked() const override {
        return std::all_of(followed_.begin(), followed_.end(), [](const auto& one) { return one->asked; });
    }

private:
    // A resource of a namespace that is followed.
    struct Followed {
        Followed(asio::io_context& loop, std::string what, std::string where, KubernetesWatch how)
            : stopper(loop), resource(std::move(what)), space(std::move(where)), watch(std::move(how)) {}
        Stopper stopper;
        const std::string resource;
        const std::string space;
        KubernetesWatch watch;
        std::string error;
        bool asked = false;
        bool beta = false;  // The cluster has v1beta1 of it only.
    };
    using FollowedPtr = std::shared_ptr<Followed>;

    std::vector<std::string> namespaces() const {
        std::set<std::string> names(config_.namespaces.names.begin(), config_.namespaces.names.end());
        if (config_.namespaces.own_namespace) {
            const auto access = find_access(config_);
            if (access) names.insert(access->own_namespace);
        }
        if (names.empty()) return {""};
        return {names.begin(), names.end()};
    }

    KubernetesWatch::Selector selector(const std::string& resource) const {
        for (const KubernetesSelector& one : config_.selectors) {
            if (one.role == role_of(resource)) return {one.label, one.field};
        }
        return {};
    }

    // The way to the server; made anew after it refused our credentials.
    Result<std::shared_ptr<HttpAccess>> access() {
        if (http_) return http_;
        TRY(auto found, find_access(config_));
        TRY(server_, net::parse_url(found.server));
        while (server_.path.ends_with('/')) server_.path.pop_back();
        // The files live as long as whoever may still read them.
        struct Both {
            std::shared_ptr<HttpAccess> http;
            std::vector<std::shared_ptr<MemoryFile>> files;
        };
        auto both = std::make_shared<Both>();
        TRY(both->http, HttpAccess::create(context_.loop, found.http));
        both->files = std::move(found.files);
        http_ = std::shared_ptr<HttpAccess>(both, both->http.get());
        return http_;
    }

    static asio::awaitable<void> follow(std::shared_ptr<KubernetesDiscoverer> self, FollowedPtr one) {
        while (!one->stopper.stopped()) {
            const KubernetesWatch::Next next = one->watch.next();
            co_await one->stopper.sleep_for(next.wait);
            if (one->stopper.stopped()) co_return;
            Result<Unit> done = Unit{};
            if (next.ask == KubernetesWatch::Ask::List) {
                done = co_await self->list(one, next.query);
            } else {
                done = co_await self->watch(one, next.query);
            }
            if (one->stopper.stopped()) co_return;
            self->tell(*one, done);
        }
    }

    void tell(Followed& one, const Result<Unit>& done) {
        const std::string error = done ? "" : one.resource + ": " + done.error().message;
        if (done) good_at_ = now();
        if (one.asked && one.error == error) return;
        if (!done) log::warn("Kubernetes can't be asked, the last targets stay", {{"error", error}});
        one.asked = true;
        one.error = error;
        if (changed_) changed_();
    }

    void news() {
        dirty_ = true;
        if (changed_) changed_();
    }

    net::Url url_of(const Followed& one, const std::string& query) const {
        net::Url url = server_;
        url.path += path_of(one.resource, one.space, one.beta) + query;
        return url;
    }

    // Takes a status that is not 200.
    Error refused(Followed& one, int status) {
        if (status == 401) http_ = nullptr;
        if (status == 404 && !group_of(one.resource).empty()) one.beta = !one.beta;
        one.watch.failed(status);
        const char* hint = status == 401   ? ": the credentials are not accepted"
                           : status == 403 ? ": the account may not list and watch them; give it a role that may"
                                           : "";
        return {Errc::Unavailable, "HTTP status " + std::to_string(status) + hint};
    }

    asio::awaitable<Result<Unit>> list(FollowedPtr one, std::string query) {
        auto http = access();
        if (!http) {
            one->watch.failed(0);
            co_return std::move(http).error();
        }
        FetchOptions options;
        options.limit = kListLimit;
        options.max_body = kMostPage;
        options.accept = "application/json";
        auto page = co_await (*http)->get(url_of(*one, query), std::move(options), one->stopper);
        if (!page) {
            one->watch.failed(0);
            co_return std::move(page).error();
        }
        if (page->status != 200) co_return refused(*one, page->status);
        const auto whole = one->watch.listed(page->body);
        if (!whole) co_return Error(whole.error());
        if (*whole) news();
        co_return Unit{};
    }

    asio::awaitable<Result<Unit>> watch(FollowedPtr one, std::string query) {
        auto http = access();
        if (!http) {
            one->watch.failed(0);
            co_return std::move(http).error();
        }
        FetchOptions options;
        options.limit = kConnectLimit;
        options.accept = "application/json";
        options.gzip = false;
        const SteadyTime began = std::chrono::steady_clock::now();
        auto opened = co_await (*http)->open(url_of(*one, query), std::move(options), one->stopper);
        if (!opened) {
            one->watch.failed(0);
            co_return std::move(opened).error();
        }
        const std::unique_ptr<net::Call> call = *std::move(opened);
        if (call->head().status != 200) {
            Error error = refused(*one, call->head().status);
            if (one->watch.version().empty()) co_return Unit{};
            co_return error;
        }
        tell(*one, Unit{});
        one->stopper.watch(call.get());
        call->set_between(kSilence);
        Result<Unit> done = Unit{};
        std::string rest;
        while (true) {
            const auto piece = co_await call->read_some();
            if (!piece || piece->empty()) break;  // However it ends, it goes on from the last version.
            rest += *piece;
            done = take_lines(*one, rest);
            if (!done) break;
        }
        one->stopper.watch(nullptr);
        if (done) one->watch.ended(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - began));
        // A version that is too old is nothing to complain of: the list comes next.
        if (one->watch.version().empty()) co_return Unit{};
        co_return done;
    }

    // Takes the whole lines at the front of `rest`.
    Result<Unit> take_lines(Followed& one, std::string& rest) {
        std::size_t begin = 0;
        bool changed = false;
        Result<Unit> done = Unit{};
        for (std::size_t end = rest.find('\n'); end != std::string::npos; end = rest.find('\n', begin)) {
            const auto taken = one.watch.event(std::string_view(rest).substr(begin, end - begin));
            begin = end + 1;
            if (!taken) {
                done = Error(taken.error());
                break;
            }
            changed = changed || *taken;
        }
        rest.erase(0, begin);
        if (changed) news();
        if (done && rest.size() > kMostLine) {
            one.watch.failed(0);
            return Error{Errc::ResourceExhausted, "an event is larger than 8 MiB"};
        }
        return done;
    }

    DiscoveryContext context_;
    const KubernetesSdConfig config_;
    std::function<void()> changed_;
    std::vector<FollowedPtr> followed_;
    std::shared_ptr<HttpAccess> http_;
    net::Url server_;
    Timestamp good_at_{};
    mutable bool dirty_ = false;
    mutable std::vector<TargetGroup> groups_;
};

}  // namespace

std::shared_ptr<Discoverer> kubernetes_discoverer(KubernetesSdConfig config, DiscoveryContext context) {
    return std::make_shared<KubernetesDiscoverer>(std::move(config), context);
}

}  // namespace stoker::collect
