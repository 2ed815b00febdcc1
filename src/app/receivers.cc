#include "app/receivers.h"

#include "app/config_convert.h"
#include "app/http_call.h"

namespace stoker::app {
namespace {

constexpr std::size_t kMaxPeerAnswer = std::size_t{128} << 20;

Result<std::string> read_from(const FederationPeerConfig& peer, Duration limit, const std::string& request) {
    CallOptions call;
    call.method = "POST";
    call.limit = limit;
    call.max_answer = kMaxPeerAnswer;
    call.body = request;
    call.content_type = "application/x-protobuf";
    call.headers.set("Content-Encoding", "snappy");
    call.headers.set("X-Prometheus-Remote-Read-Version", "0.1.0");
    if (!peer.token.empty()) call.headers.set("Authorization", "Bearer " + peer.token);
    TRY(auto answer, call_url(peer.url + "/api/v1/read", call));
    if (answer.status / 100 == 2) return std::move(answer.body);
    return Error{Errc::Unavailable, "answered " + std::to_string(answer.status)};
}

api::FederationView federation_view(const FederationConfig& config) {
    api::FederationView view;
    view.name = config.name;
    view.max_samples = static_cast<std::size_t>(config.max_samples);
    for (const FederationPeerConfig& peer : config.peers) {
        const auto read = [peer, limit = config.timeout](const std::string& request) {
            return read_from(peer, limit, request);
        };
        view.peers.push_back({peer.name, read});
    }
    return view;
}

}  // namespace

Receivers::Receivers(const Config& config, tsdb::Store& store, records::TelemetryStore& telemetry,
                     Forwarding& forwarding, metrics::Registry& registry)
    : forwarding_(forwarding),
      remote_write_(store, remote_write_options(config), registry),
      otlp_(forwarding, otlp_options(config), registry, &store),
      influx_(forwarding, influx_options(config), registry),
      json_(forwarding, json_options(config), registry),
      traces_([&telemetry](std::span<const records::SpanRow> spans) { return telemetry.append(spans); },
              traces_options(config), registry),
      remote_read_(store, remote_read_options(config), registry),
      federation_(store, federation_view(config.federation), engine_options(config)) {}

std::vector<api::PushEndpoint> Receivers::endpoints() {
    // OTLP's senders come back after 429 as after 503; the others know only 503 for that.
    constexpr int kUnavailable = 503;
    constexpr int kTooMany = 429;
    const auto to = [](auto& receiver) {
        return [&receiver](const collect::PushRequest& request) { return receiver.receive(request); };
    };
    const auto write = [this](const collect::PushRequest& request) {
        net::Response response = remote_write_.receive(request);
        forwarding_.pass_on(request, response);
        return response;
    };
    const auto read = [this](const collect::PushRequest& request) { return remote_read_.read(request); };
    const auto view = [this](const collect::PushRequest& request) { return federation_.query(request); };
    const auto view_range = [this](const collect::PushRequest& request) { return federation_.query_range(request); };
    const auto traces = [this](const collect::PushRequest& request) { return traces_.receive_otlp(request); };
    const auto zipkin = [this](const collect::PushRequest& request) { return traces_.receive_zipkin(request); };
    return {{"/api/v1/write", kUnavailable, write},
            {"/v1/metrics", kTooMany, to(otlp_)},
            {"/api/v1/otlp/v1/metrics", kTooMany, to(otlp_)},
            {"/v1/traces", kTooMany, traces},
            {"/api/v2/spans", kUnavailable, zipkin},
            {"/write", kUnavailable, to(influx_)},
            {"/api/v2/write", kUnavailable, to(influx_)},
            {"/api/v1/metrics/batch", kUnavailable, to(json_)},
            {.path = "/api/v1/read", .receive = read, .query = true},
            {.path = "/federation/api/v1/query", .receive = view, .query = true},
            {.path = "/federation/api/v1/query_range", .receive = view_range, .query = true}};
}

}  // namespace stoker::app
