#include "app/issuer_keys.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "app/http_call.h"
#include "base/file.h"
#include "base/log.h"

namespace stoker::app {
namespace {

constexpr Duration kFirstPause{2'000};
constexpr Duration kLongestPause{300'000};
constexpr std::string_view kKept = "auth.issuer_keys:";

Result<std::string> get(const std::string& url, const IssuerSource& source) {
    CallOptions options;
    options.headers.set("Accept", "application/json");
    options.limit = source.timeout;
    options.ca_file = source.ca_file;
    options.max_answer = crypto::KeySet::kMostBytes;
    auto answer = call_url(url, options);
    if (!answer) return std::move(answer).error().context(url);
    if (answer->status != 200) {
        return Error{Errc::Unavailable, url + " answered " + std::to_string(answer->status)};
    }
    return std::move(answer->body);
}

// OpenID Connect Discovery 1.0, section 4.
Result<std::string> discover(const IssuerSource& source) {
    std::string url = source.issuer;
    while (url.ends_with('/')) url.pop_back();
    url += "/.well-known/openid-configuration";
    TRY(const std::string text, get(url, source));
    const auto document = nlohmann::json::parse(text, nullptr, false);
    const auto member = [&](const char* name) {
        const auto found = document.is_object() ? document.find(name) : document.end();
        return found != document.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    if (member("issuer") != source.issuer) {
        return Error{Errc::InvalidArgument, url + " is of another issuer, '" + member("issuer").substr(0, 200) + "'"};
    }
    const std::string keys = member("jwks_uri");
    if (keys.empty()) return Error{Errc::InvalidArgument, url + " names no jwks_uri"};
    if (source.issuer.starts_with("https:") && !keys.starts_with("https:")) {
        return Error{Errc::InvalidArgument, url + " leads to keys without TLS"};
    }
    return keys;
}

}  // namespace

Result<std::string> fetch_issuer_keys(const IssuerSource& source) {
    if (!source.file.empty()) return read_file(source.file);
    if (!source.url.empty()) return get(source.url, source);
    TRY(const std::string url, discover(source));
    return get(url, source);
}

IssuerKeyFetcher::IssuerKeyFetcher(state::StateStore& store, Take take, metrics::Registry& registry)
    : store_(store),
      take_(std::move(take)),
      fetches_(registry.counter("stoker_gateway_issuer_fetches_total",
                                "Fetches of the keys that an issuer of tokens signs with, by result.",
                                {"issuer", "result"})),
      fetched_at_(registry.gauge("stoker_gateway_issuer_keys_fetched_timestamp_seconds",
                                 "When the keys of an issuer of tokens were fetched last without an error.",
                                 {"issuer"})) {}

void IssuerKeyFetcher::configure(const std::vector<IssuerSource>& sources) {
    MutexLock lock(mutex_);
    std::map<std::string, Followed, std::less<>> next;
    for (const IssuerSource& source : sources) {
        const auto before = followed_.find(source.issuer);
        if (before != followed_.end() && before->second.source == source) {
            next[source.issuer] = std::move(before->second);
            continue;
        }
        Followed& followed = next[source.issuer];
        followed.source = source;
        restore(followed);
    }
    followed_ = std::move(next);
}

void IssuerKeyFetcher::restore(Followed& followed) {
    const std::string& issuer = followed.source.issuer;
    auto text = store_.value(std::string(kKept) + issuer);
    if (!text) return;
    auto keys = crypto::KeySet::parse(*text);
    if (!keys) return;
    followed.text = *std::move(text);
    take_(issuer, std::make_shared<const crypto::KeySet>(*std::move(keys)));
}

std::vector<IssuerSource> IssuerKeyFetcher::due(const std::vector<std::string>& wanted, SteadyTime now) const {
    std::vector<IssuerSource> sources;
    MutexLock lock(mutex_);
    for (const auto& [issuer, followed] : followed_) {
        const bool asked = std::find(wanted.begin(), wanted.end(), issuer) != wanted.end();
        if (asked || now >= followed.due) sources.push_back(followed.source);
    }
    return sources;
}

void IssuerKeyFetcher::look(const std::vector<std::string>& wanted, SteadyTime now) {
    for (const IssuerSource& source : due(wanted, now)) fetch(source);
}

Result<std::shared_ptr<const crypto::KeySet>> IssuerKeyFetcher::accept(Followed& followed, std::string text) {
    if (text == followed.text) return std::shared_ptr<const crypto::KeySet>();
    TRY(auto keys, crypto::KeySet::parse(text));
    followed.text = std::move(text);
    return std::make_shared<const crypto::KeySet>(std::move(keys));
}

void IssuerKeyFetcher::fetch(const IssuerSource& source) {
    auto text = fetch_issuer_keys(source);
    std::shared_ptr<const crypto::KeySet> fresh;
    std::string keep;
    {
        MutexLock lock(mutex_);
        const auto found = followed_.find(source.issuer);
        if (found == followed_.end() || !(found->second.source == source)) return;
        Followed& followed = found->second;
        auto keys =
            text ? accept(followed, *std::move(text)) : Result<std::shared_ptr<const crypto::KeySet>>(text.error());
        const SteadyTime now = std::chrono::steady_clock::now();
        if (keys) {
            followed.backoff = Duration{0};
            followed.due = now + source.refresh;
            fresh = *keys;
            if (fresh) keep = followed.text;
            fetched_at_.with({source.issuer}).set(static_cast<double>(to_millis(stoker::now())) / 1000);
        } else {
            if (followed.backoff == Duration{0}) {
                log::warn("the keys of an issuer of tokens could not be fetched; those known stay",
                          {{"issuer", source.issuer}, {"error", keys.error().message}});
            }
            followed.backoff = std::clamp(followed.backoff * 2, kFirstPause, std::min(kLongestPause, source.refresh));
            followed.due = now + followed.backoff;
        }
        fetches_.with({source.issuer, keys ? "ok" : "error"}).add();
    }
    if (!keep.empty()) {
        log::info("keys of an issuer of tokens taken", {{"issuer", source.issuer}, {"keys", fresh->size()}});
        const auto kept = store_.set_value(std::string(kKept) + source.issuer, keep);
        if (!kept) log::error("keys of an issuer are not kept", {{"error", kept.error().message}});
    }
    take_(source.issuer, fresh);
}

}  // namespace stoker::app
