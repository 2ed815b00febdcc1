// status/...: configuration, flags, build, runtime and what the store holds.
#include <unistd.h>

#include <array>
#include <climits>
#include <filesystem>
#include <thread>

#include "api/prometheus.h"
#include "api/prometheus_params.h"
#include "promql/format.h"

namespace stoker::api {
namespace {

// Clients choose by it what they may ask for (Grafana does): the Prometheus whose API this is.
constexpr std::string_view kApiOf = "3.7.0";

constexpr std::int64_t kUsualEntries = 10;  // Of each list of status/tsdb.
constexpr std::int64_t kMostEntries = 10'000;

// A JSON object of texts and of values that are JSON already.
class Object {
public:
    explicit Object(std::string& out) : out_(out) { out_ += '{'; }
    Object& text(std::string_view name, std::string_view value) {
        begin(name);
        promql::append_json_string(out_, value);
        return *this;
    }
    Object& json(std::string_view name, std::string_view value) {
        begin(name);
        out_ += value;
        return *this;
    }
    Object& number(std::string_view name, std::int64_t value) { return json(name, std::to_string(value)); }
    void end() { out_ += '}'; }

private:
    void begin(std::string_view name) {
        if (out_.back() != '{') out_ += ',';
        promql::append_json_string(out_, name);
        out_ += ':';
    }
    std::string& out_;
};

Result<PrometheusAnswer> config(const PrometheusServices& services, const ApiRequest&) {
    PrometheusAnswer answer;
    Object(answer.out()).text("yaml", services.facts().config_yaml).end();
    return answer;
}

Result<PrometheusAnswer> flags(const PrometheusServices& services, const ApiRequest&) {
    PrometheusAnswer answer;
    Object object(answer.out());
    for (const auto& [name, value] : services.facts().flags) object.text(name, value);
    object.end();
    return answer;
}

Result<PrometheusAnswer> build_info(const PrometheusServices&, const ApiRequest&) {
    PrometheusAnswer answer;
    Object(answer.out())
        .text("version", kApiOf)
        .text("revision", "")
        .text("branch", "")
        .text("buildUser", "")
        .text("buildDate", "")
        .text("goVersion", "")
        .text("application", "Stoker")
        .text("applicationVersion", STOKER_VERSION)
        .end();
    return answer;
}

std::size_t thread_count() {
    std::size_t count = 0;
    std::error_code ignored;
    for ([[maybe_unused]] const auto& thread : std::filesystem::directory_iterator("/proc/self/task", ignored)) ++count;
    return count;
}

std::string host_name() {
    std::array<char, HOST_NAME_MAX + 1> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

// What only Go has is there, and empty: clients read these fields without asking whether they are.
Result<PrometheusAnswer> runtime_info(const PrometheusServices& services, const ApiRequest&) {
    const ServerFacts facts = services.facts();
    std::error_code ignored;
    PrometheusAnswer answer;
    Object(answer.out())
        .text("startTime", format_timestamp(facts.started_at))
        .text("CWD", std::filesystem::current_path(ignored).string())
        .text("hostname", host_name())
        .text("serverTime", format_timestamp(services.now()))
        .json("reloadConfigSuccess", facts.config_good ? "true" : "false")
        .text("lastConfigTime", format_timestamp(facts.config_at))
        .number("corruptionCount", static_cast<std::int64_t>(services.store.damage().size()))
        .number("goroutineCount", static_cast<std::int64_t>(thread_count()))
        .number("GOMAXPROCS", std::max(1u, std::thread::hardware_concurrency()))
        .number("GOMEMLIMIT", LLONG_MAX)
        .text("GOGC", "")
        .text("GODEBUG", "")
        .text("storageRetention", format_duration(facts.retention))
        .end();
    return answer;
}

std::string counted_json(const std::vector<tsdb::Counted>& list) {
    std::string out = "[";
    for (const tsdb::Counted& one : list) {
        if (out.size() > 1) out += ',';
        Object(out).text("name", one.name).number("value", static_cast<std::int64_t>(one.count)).end();
    }
    return out + "]";
}

std::string head_json(const tsdb::StoreStats& stats) {
    std::string out;
    Object(out)
        .number("numSeries", static_cast<std::int64_t>(stats.series))
        .number("numLabelPairs", static_cast<std::int64_t>(stats.label_pairs))
        .number("chunkCount", static_cast<std::int64_t>(stats.head_chunks))
        .number("minTime", stats.oldest_time)
        .number("maxTime", stats.newest_time)
        .end();
    return out;
}

// Prometheus' statistics of its head, and with match[] those of some series alone.
Result<PrometheusAnswer> tsdb_status(const PrometheusServices& services, const ApiRequest& request) {
    const auto limit = prometheus_number(request, "limit");
    const std::int64_t most = limit ? limit->value_or(kUsualEntries) : 0;
    if (most < 1) return Error{Errc::InvalidArgument, "limit must be a positive number"};
    if (most > kMostEntries) return Error{Errc::InvalidArgument, "limit must not be more than 10000"};
    TRY(const auto selectors, prometheus_matchers(request));
    if (selectors.size() > 1) return bad_param("match[]", "only one is taken here");
    const auto found = services.store.cardinality(selectors.empty() ? std::vector<tsdb::Matcher>() : selectors.front(),
                                                  static_cast<std::size_t>(most));
    PrometheusAnswer answer;
    Object(answer.out())
        .json("headStats", head_json(services.store.stats()))
        .json("seriesCountByMetricName", counted_json(found.series_by_metric))
        .json("labelValueCountByLabelName", counted_json(found.values_by_label))
        .json("memoryInBytesByLabelName", counted_json(found.bytes_by_label))
        .json("seriesCountByLabelValuePair", counted_json(found.series_by_pair))
        .end();
    return answer;
}

// Stoker answers only once its log is replayed.
Result<PrometheusAnswer> wal_replay(const PrometheusServices&, const ApiRequest&) {
    return PrometheusAnswer(R"({"min":0,"max":0,"current":0,"state":"done"})");
}

Result<PrometheusAnswer> notifications(const PrometheusServices&, const ApiRequest&) {
    return PrometheusAnswer("[]");
}

}  // namespace

std::vector<Route> prometheus_status_routes(PrometheusServices& services) {
    return {{"GET", "/api/v1/status/config", Cost::Work, prometheus_handler(services, config)},
            {"GET", "/api/v1/status/flags", Cost::Work, prometheus_handler(services, flags)},
            {"GET", "/api/v1/status/buildinfo", Cost::Quick, prometheus_handler(services, build_info)},
            {"GET", "/api/v1/status/runtimeinfo", Cost::Work, prometheus_handler(services, runtime_info)},
            {"GET", "/api/v1/status/tsdb", Cost::Work, prometheus_handler(services, tsdb_status)},
            {"GET", "/api/v1/status/walreplay", Cost::Quick, prometheus_handler(services, wal_replay)},
            {"GET", "/api/v1/notifications", Cost::Quick, prometheus_handler(services, notifications)}};
}

}  // namespace stoker::api
