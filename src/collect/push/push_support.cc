#include "collect/push/push_support.h"

#include <functional>

#include "wire/compression.h"

namespace stoker::collect {
namespace {

metrics::Counter& samples_counter(metrics::Registry& registry, const std::string& protocol, const char* result) {
    return registry
        .counter("stoker_push_samples_total", "Samples that came by push, by what became of them.",
                 {"protocol", "result"})
        .with({protocol, result});
}

metrics::Counter& requests_counter(metrics::Registry& registry, const std::string& protocol, const char* code) {
    return registry
        .counter("stoker_push_requests_total", "Requests that push samples, by class of the answer's status.",
                 {"protocol", "code"})
        .with({protocol, code});
}

}  // namespace

Result<std::string> decoded_body(const PushRequest& request, std::size_t most) {
    return wire::decompress(request.headers.get("content-encoding").value_or(""), request.body, most);
}

std::string_view param(const PushRequest& request, std::string_view name) {
    for (const auto& [key, value] : request.params) {
        if (key == name) return value;
    }
    return {};
}

int push_status(const Error& error) {
    return error.code == Errc::ResourceExhausted ? 413 : net::status_of(error.code);
}

net::Response json_response(int status, std::string body) {
    net::Response response{status, {{"Content-Type", "application/json"}}, std::move(body)};
    if (status == 503) response.headers.add("Retry-After", "5");
    return response;
}

std::string explain(const tsdb::Refused& refused, const tsdb::Labels& labels) {
    constexpr std::size_t kShown = 300;
    std::string out = std::string(tsdb::to_string(refused.why)) + ": " + labels.text().substr(0, kShown);
    return refused.detail.empty() ? out : out + ": " + refused.detail;
}

PushMetrics::PushMetrics(metrics::Registry& registry, const std::string& protocol)
    : stored_(samples_counter(registry, protocol, "stored")),
      refused_(samples_counter(registry, protocol, "refused")),
      ok_(requests_counter(registry, protocol, "2xx")),
      client_error_(requests_counter(registry, protocol, "4xx")),
      server_error_(requests_counter(registry, protocol, "5xx")) {}

void PushMetrics::samples(std::size_t stored, std::size_t refused) {
    stored_.add(static_cast<double>(stored));
    refused_.add(static_cast<double>(refused));
}

net::Response PushMetrics::answered(net::Response response) {
    (response.status < 400 ? ok_ : response.status < 500 ? client_error_ : server_error_).add();
    return response;
}

void MetadataFilter::set(std::vector<tsdb::FamilyMetadata> batch) {
    std::vector<tsdb::FamilyMetadata> fresh;
    {
        MutexLock lock(mutex_);
        if (known_.size() + batch.size() > kMost) known_.clear();
        for (auto& one : batch) {
            const auto& told = one.metadata;
            const std::size_t hash = std::hash<std::string>{}(told.type + '\0' + told.unit + '\0' + told.help);
            auto [known, added] = known_.try_emplace(one.family, hash);
            if (!added && known->second == hash) continue;
            known->second = hash;
            fresh.push_back(std::move(one));
        }
    }
    if (!fresh.empty()) store_.set_metadata(fresh);
}

}  // namespace stoker::collect
