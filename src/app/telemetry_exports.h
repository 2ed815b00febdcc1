// Spans and lines of log on their way to OTLP/HTTP receivers, from the telemetry store's journals.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/config.h"
#include "base/metrics.h"
#include "outward/otlp_sender.h"
#include "records/telemetry_store.h"

namespace stoker::app {

struct TelemetryExport {
    std::string job;  // What its thread is called.
    std::unique_ptr<outward::OtlpSender> sender;
};

// How requests of an export go out.
using PostOf = std::function<outward::OtlpSender::Post(const OtlpExportConfig& config)>;

// A new export begins with what comes from now on; one that is in the configuration no more holds nothing back. Errors:
// the journal's. REQUIRES: store and registry outlive it.
Result<std::vector<TelemetryExport>> open_telemetry_exports(const Config& config, records::TelemetryStore& store,
                                                            const PostOf& post, metrics::Registry& registry);

// Headers and resource attributes of an export, whatever it sends.
std::map<std::string, std::string> export_headers(const OtlpExportConfig& config);
std::map<std::string, std::string> export_resource(const OtlpExportConfig& one, const Config& config);

}  // namespace stoker::app
