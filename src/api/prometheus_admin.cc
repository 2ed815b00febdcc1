// admin/tsdb: deleting series, snapshots. Off unless the configuration says otherwise.
#include <filesystem>

#include "api/prometheus.h"
#include "api/prometheus_params.h"
#include "base/id.h"
#include "base/log.h"
#include "promql/format.h"

namespace stoker::api {
namespace {

const Error kDisabled{Errc::Unavailable, "admin APIs disabled"};

Result<PrometheusAnswer> delete_series(const PrometheusServices& services, const ApiRequest& request) {
    if (!services.admin) return kDisabled;
    if (prometheus_params(request, "match[]").empty()) {
        return Error{Errc::InvalidArgument, "no match[] parameter provided"};
    }
    TRY(const TimeSpan span, prometheus_span(request));
    TRY(const auto selectors, prometheus_matchers(request));
    std::size_t touched = 0;
    for (const auto& matchers : selectors) {
        TRY(const std::size_t series, services.store.delete_series(matchers, span.start, span.end));
        touched += series;
    }
    log::info("series deleted by request", {{"series", touched}});
    return PrometheusAnswer::nothing();
}

Result<PrometheusAnswer> clean_tombstones(const PrometheusServices& services, const ApiRequest&) {
    if (!services.admin) return kDisabled;
    TRY_UNIT(services.store.clean_tombstones());
    return PrometheusAnswer::nothing();
}

// "20171210T211224Z-2be650b6d019eb54"
std::string snapshot_name(Timestamp now) {
    std::string name;
    for (const char c : format_timestamp(now).substr(0, std::string_view("2017-12-10T21:12:24").size())) {
        if (c != '-' && c != ':') name += c;
    }
    return name + "Z-" + random_hex(8);
}

Result<PrometheusAnswer> snapshot(const PrometheusServices& services, const ApiRequest& request) {
    if (!services.admin) return kDisabled;
    // Nothing stays in memory alone here: a snapshot always has everything.
    TRY([[maybe_unused]] const bool skip_head, prometheus_bool(request, "skip_head"));
    std::error_code failed;
    std::filesystem::create_directories(services.snapshots, failed);
    if (failed) return Error{Errc::Internal, "create the folder for snapshots: " + failed.message()};
    const std::string name = snapshot_name(services.now());
    TRY_UNIT(services.store.snapshot((std::filesystem::path(services.snapshots) / name).string()));
    log::info("snapshot made by request", {{"name", name}});
    PrometheusAnswer answer("{\"name\":");
    promql::append_json_string(answer.out(), name);
    answer.out() += '}';
    return answer;
}

}  // namespace

std::vector<Route> prometheus_admin_routes(PrometheusServices& services) {
    return {
        {"POST,PUT", "/api/v1/admin/tsdb/delete_series", Cost::Work, prometheus_handler(services, delete_series)},
        {"POST,PUT", "/api/v1/admin/tsdb/clean_tombstones", Cost::Work, prometheus_handler(services, clean_tombstones)},
        {"POST,PUT", "/api/v1/admin/tsdb/snapshot", Cost::Work, prometheus_handler(services, snapshot)}};
}

}  // namespace stoker::api
