#include "diagnose/metric_findings.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/text.h"

namespace stoker::diagnose {
namespace {

struct Question {
    Finding finding;
    std::string_view query;  // $replica stands for the replica's id.
    bool above;              // Seen if the value is above `limit`; else if below or equal.
    double limit;
    std::string_view text;
    bool no_is_answer = true;  // False: not seeing it may only mean that the window reaches back before the trouble.
};

constexpr std::array<Question, 5> kQuestions{{
    {Finding::OomKill, "sum(increase(node_vmstat_oom_kill[5m]))", true, 0,
     "Kernel kills for memory in the last 5 minutes"},
    {Finding::MemoryNearlyFull, "min(node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)", false, 0.05,
     "Share of the host's memory that is available"},
    {Finding::GpuFault, "sum(increase(gpu_xid_errors_total[5m]))", true, 0, "GPU faults in the last 5 minutes"},
    {Finding::KvCacheFull, "max(llm_engine_kv_usage_ratio{replica=\"$replica\"})", true, 0.98, "KV cache in use"},
    {Finding::CountersStill, "sum(increase(llm_engine_generation_tokens_total{replica=\"$replica\"}[1m]))", false, 0,
     "Tokens that the engine itself counted in the last minute", false},
}};

std::optional<double> first_number(const promql::Value& value) {
    if (const auto* scalar = std::get_if<promql::Scalar>(&value.data)) return scalar->sample.value;
    if (const auto* vector = std::get_if<promql::Vector>(&value.data); vector != nullptr && !vector->empty()) {
        return vector->front().sample.value;
    }
    return std::nullopt;
}

std::string for_replica(std::string_view query, std::string_view replica) {
    constexpr std::string_view kName = "$replica";
    const std::size_t at = query.find(kName);
    if (at == std::string_view::npos) return std::string(query);
    std::string escaped;
    for (const char c : replica) {
        if (c == '\\' || c == '"') escaped += '\\';
        escaped += c;
    }
    return std::string(query.substr(0, at)) + escaped + std::string(query.substr(at + kName.size()));
}

}  // namespace

std::vector<Observation> ask_metrics(const alert::QueryFn& query, const std::string& replica, Timestamp at) {
    std::vector<Observation> found;
    if (!query) return found;
    for (const Question& question : kQuestions) {
        const std::string text = for_replica(question.query, replica);
        const auto answer = query(text, at);
        if (!answer) continue;
        const auto number = first_number(*answer);
        if (!number || std::isnan(*number)) continue;
        const bool seen = question.above ? *number > question.limit : *number <= question.limit;
        if (!seen && !question.no_is_answer) continue;
        const std::string value = format_number(*number);
        found.push_back({question.finding, seen, {std::string(question.text) + ": " + value, text, value}});
    }
    return found;
}

std::string show(const promql::Value& value) {
    if (const auto number = first_number(value)) {
        const auto* vector = std::get_if<promql::Vector>(&value.data);
        if (vector == nullptr || vector->size() == 1) return format_number(*number);
        return std::to_string(vector->size()) + " series, the first " + format_number(*number);
    }
    return "nothing";
}

}  // namespace stoker::diagnose
