#include "agent/sources.h"

#include "agent/log_counter.h"
#include "agent/log_source.h"
#include "collect/host/collector_source.h"

namespace stoker::agent {
namespace {

LogShipperOptions shipper_options(const Config& config) {
    const LogSendConfig& send = config.logs.send;
    return {.url = send.url,
            .token_file = send.token_file,
            .headers = send.headers,
            .tls = {send.tls.ca_file, send.tls.verify, send.tls.certificate, send.tls.key},
            .timeout = send.timeout,
            .instance = config.instance};
}

}  // namespace

Result<std::vector<std::shared_ptr<collect::Source>>> sources_of(
    const Config& config, std::function<void(const std::vector<tsdb::SeriesSample>&)> local) {
    collect::HostOptions host;
    host.instance = config.instance;
    auto sources = collect::host_sources(host);
    if (config.logs.files.empty()) return sources;

    // Two followers, each with places of its own: failures are counted though nobody takes the lines. Whoever takes
    // them counts failures too, so the agent's own counts then stay here.
    auto signatures = load_signatures(config.logs.signature_files);
    if (!signatures) return std::move(signatures).error().context("logs.signature_files");
    const bool sends = !config.logs.send.url.empty();
    LogSourceOptions counting{
        "logs", follower_options(config.logs, config.data_dir + "/log_places.json"), config.instance, {}};
    if (sends) counting.local = std::move(local);
    sources.push_back(std::make_shared<LogSource>(std::move(counting), [&](metrics::Registry& registry) {
        return std::make_unique<LogCounter>(*signatures, registry);
    }));
    if (!sends) return sources;
    LogSourceOptions sending{
        "log_lines", follower_options(config.logs, config.data_dir + "/log_sent.json"), config.instance, {}};
    sources.push_back(std::make_shared<LogSource>(std::move(sending), [&](metrics::Registry& registry) {
        return std::make_unique<LogShipper>(shipper_options(config), registry);
    }));
    return sources;
}

}  // namespace stoker::agent
