// What is read on a schedule beside the engines: this machine and its GPUs, programs, text files.
#include "app/config_convert.h"
#include "app/job.h"
#include "app/program_sources.h"
#include "app/stoker.h"
#include "base/log.h"
#include "base/text.h"
#include "collect/host/collector_source.h"
#include "collect/host/own_process.h"
#include "net/http.h"

namespace stoker::app {

void Stoker::build_sources() {
    const Config& config = setup_.config;
    collect::expose_own_process(registry_, STOKER_VERSION);
    sources_ = std::make_unique<collect::SourceRunner>(*samples_, registry_, &yield_to_traffic);
    const auto add = [this](std::shared_ptr<collect::Source> source, collect::SourceSchedule schedule) {
        const auto added = sources_->add(std::move(source), schedule);
        if (!added) log::error("a source is not read", {{"error", added.error().message}});
    };
    if (config.collect.host) {
        for (auto& source : collect::host_sources(host_options(config))) add(std::move(source), host_schedule(config));
    }
    for (auto& [source, schedule] : program_sources(config)) add(std::move(source), schedule);
    gpus_->start(*sources_, collect::host_name());
}

// Processes on GPUs are joined with the engines that answer on this machine.
void Stoker::follow_engines() {
    std::vector<collect::EngineEndpoint> engines;
    for (const auto& target : collector_->targets()) {
        const auto url = net::parse_url(target.url);
        if (!url) continue;
        const bool here = url->host == "localhost" || url->host.starts_with("127.") || url->host == "::1";
        const auto port = parse_integer(url->port);
        if (!here || !port) continue;
        engines.push_back({.port = static_cast<std::uint16_t>(*port),
                           .instance = url->host + ":" + url->port,
                           .replica = target.replica});
    }
    gpus_->set_engines(std::move(engines));
}

}  // namespace stoker::app
