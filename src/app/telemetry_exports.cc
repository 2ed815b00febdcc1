#include "app/telemetry_exports.h"

#include <set>

#include "app/journal_readers.h"
#include "app/telemetry_forward.h"
#include "outward/reader_name.h"

namespace stoker::app {
namespace {

constexpr std::string_view kKind = "otlp";

struct Signal {
    const char* what;  // In metrics.
    std::string OtlpExportConfig::*endpoint;
    outward::OtlpBatch (*make)(std::span<const journal::Record>, const wire::otlp::Attributes&);
};

Result<Unit> open_all(const Signal& signal, const Config& config, journal::Journal& journal, const PostOf& post,
                      metrics::Registry& registry, std::vector<TelemetryExport>& out) {
    std::set<std::string> readers;
    for (const OtlpExportConfig& one : config.exported.otlp) {
        if ((one.*signal.endpoint).empty()) continue;
        outward::OtlpSenderOptions options;
        options.name = one.name;
        options.what = signal.what;
        options.endpoint = one.*signal.endpoint;
        options.headers = export_headers(one);
        options.reader = outward::reader_name(kKind, one.name);
        readers.insert(options.reader);
        if (!journal.has_cursor(options.reader)) TRY_UNIT(journal.commit(options.reader, journal.next_sequence()));
        const auto extra = export_resource(one, config);
        wire::otlp::Attributes resource(extra.begin(), extra.end());
        const auto make = [resource = std::move(resource), make = signal.make](
                              std::span<const journal::Record> records) { return make(records, resource); };
        out.push_back({"otlp_" + std::string(signal.what) + "_" + one.name,
                       std::make_unique<outward::OtlpSender>(std::move(options), journal, make, post(one), registry)});
    }
    forget_other_readers(journal, std::string(kKind) + ".", readers);
    return Unit{};
}

}  // namespace

Result<std::vector<TelemetryExport>> open_telemetry_exports(const Config& config, records::TelemetryStore& store,
                                                            const PostOf& post, metrics::Registry& registry) {
    const Signal spans{"spans", &OtlpExportConfig::traces_endpoint, &otlp_spans};
    const Signal logs{"logs", &OtlpExportConfig::logs_endpoint, &otlp_logs};
    std::vector<TelemetryExport> all;
    TRY_UNIT(open_all(spans, config, store.span_journal(), post, registry, all));
    TRY_UNIT(open_all(logs, config, store.log_journal(), post, registry, all));
    return all;
}

std::map<std::string, std::string> export_headers(const OtlpExportConfig& config) {
    auto headers = config.headers;
    if (!config.bearer_token.empty()) headers["Authorization"] = "Bearer " + config.bearer_token;
    return headers;
}

std::map<std::string, std::string> export_resource(const OtlpExportConfig& one, const Config& config) {
    auto resource = one.resource;
    resource.insert(config.external_labels.begin(), config.external_labels.end());
    return resource;
}

}  // namespace stoker::app
