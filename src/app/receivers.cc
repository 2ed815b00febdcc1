#include "app/receivers.h"

#include "app/config_convert.h"

namespace stoker::app {

Receivers::Receivers(const Config& config, tsdb::Store& store, Forwarding& forwarding, metrics::Registry& registry)
    : forwarding_(forwarding),
      remote_write_(store, remote_write_options(config), registry),
      otlp_(forwarding, otlp_options(config), registry, &store),
      influx_(forwarding, influx_options(config), registry),
      json_(forwarding, json_options(config), registry),
      remote_read_(store, remote_read_options(config), registry) {}

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
    return {{"/api/v1/write", kUnavailable, write},
            {"/v1/metrics", kTooMany, to(otlp_)},
            {"/api/v1/otlp/v1/metrics", kTooMany, to(otlp_)},
            {"/write", kUnavailable, to(influx_)},
            {"/api/v2/write", kUnavailable, to(influx_)},
            {"/api/v1/metrics/batch", kUnavailable, to(json_)},
            {.path = "/api/v1/read", .receive = read, .query = true}};
}

}  // namespace stoker::app
