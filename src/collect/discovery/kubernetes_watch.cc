#include "collect/discovery/kubernetes_watch.h"

#include <algorithm>

#include "collect/discovery/kubernetes_labels.h"
#include "net/http.h"

namespace stoker::collect {
namespace {

using kubernetes::at;
using kubernetes::Json;
using kubernetes::text;

constexpr int kGone = 410;
constexpr Duration kFirstWait{500};
constexpr Duration kLongestWait{30'000};
constexpr Duration kShort{1'000};  // A watch that is over sooner is not asked for again at once.
// The server ends a watch after this time; a connection that died unnoticed is found out soon after.
constexpr const char* kWatchSeconds = "300";
constexpr const char* kPage = "500";

Json parse(std::string_view body) {
    return Json::parse(body, nullptr, false);
}

}  // namespace

KubernetesWatch::Next KubernetesWatch::next() const {
    Next next;
    next.query = "?";
    if (!selector_.label.empty()) next.query += "labelSelector=" + net::url_encode(selector_.label) + "&";
    if (!selector_.field.empty()) next.query += "fieldSelector=" + net::url_encode(selector_.field) + "&";
    if (version_.empty()) {
        next.query += std::string("limit=") + kPage;
        if (!continue_.empty()) next.query += "&continue=" + net::url_encode(continue_);
    } else {
        next.ask = Ask::Watch;
        next.query += "watch=true&allowWatchBookmarks=true&timeoutSeconds=" + std::string(kWatchSeconds) +
                      "&resourceVersion=" + net::url_encode(version_);
    }
    if (failures_ > 0) {
        next.wait = std::min(kLongestWait, kFirstWait * (std::int64_t{1} << std::min(failures_ - 1, 10)));
    } else if (pause_) {
        next.wait = kShort;
    }
    return next;
}

void KubernetesWatch::start_over() {
    version_.clear();
    continue_.clear();
    listing_.clear();
}

Result<bool> KubernetesWatch::listed(std::string_view body) {
    Json page = parse(body);
    const auto items = page.is_object() ? page.find("items") : page.end();
    const std::string version = text(page, {"metadata", "resourceVersion"});
    const bool is_list = page.is_object() && items != page.end() && (items->is_array() || items->is_null());
    if (!is_list || version.empty()) {
        failed(0);
        return Error{Errc::InvalidArgument, "the API server's answer is not a list of objects"};
    }
    for (Json& object : *items) {
        strip_kubernetes_object(object);
        std::string key = kubernetes_key(object);
        listing_.insert_or_assign(std::move(key), std::move(object));
    }
    if (listing_.size() > kMostObjects) {
        failed(0);
        start_over();
        return Error{Errc::ResourceExhausted, "more than " + std::to_string(kMostObjects) +
                                                  " objects; narrow them down with namespaces or selectors"};
    }
    failures_ = 0;
    continue_ = text(page, {"metadata", "continue"});
    if (!continue_.empty()) return false;
    objects_ = std::exchange(listing_, {});
    version_ = version;
    complete_ = true;
    pause_ = false;
    return true;
}

Result<bool> KubernetesWatch::event(std::string_view line) {
    Json event = parse(line);
    const std::string type = text(event, {"type"});
    if (type == "ERROR") {
        const Json& code = at(event, {"object", "code"});
        const int status = code.is_number_integer() ? code.get<int>() : 0;
        failed(status);
        return Error{Errc::Unavailable, "the API server ended the watch: " + text(event, {"object", "message"})};
    }
    const auto object = event.is_object() ? event.find("object") : event.end();
    const bool known = type == "ADDED" || type == "MODIFIED" || type == "DELETED" || type == "BOOKMARK";
    if (!known || object == event.end() || !object->is_object()) {
        failed(0);
        return Error{Errc::InvalidArgument, "the API server sent something else than an event"};
    }
    const std::string version = text(*object, {"metadata", "resourceVersion"});
    if (!version.empty()) version_ = version;
    failures_ = 0;
    pause_ = false;
    if (type == "BOOKMARK") return false;
    std::string key = kubernetes_key(*object);
    if (type == "DELETED") return objects_.erase(key) > 0;
    if (objects_.size() >= kMostObjects && !objects_.contains(key)) return false;
    strip_kubernetes_object(*object);
    objects_.insert_or_assign(std::move(key), std::move(*object));
    return true;
}

void KubernetesWatch::ended(Duration lasted) {
    pause_ = lasted < kShort;
}

void KubernetesWatch::failed(int status) {
    // Versions are kept for some minutes only. What is known stays until there is a new list.
    if (status == kGone) {
        // A second 410 in a row waits like any failure.
        const bool listing = version_.empty();
        start_over();
        if (!listing) return;
    }
    ++failures_;
}

}  // namespace stoker::collect
