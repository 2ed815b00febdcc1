#include "promql/notes.h"

#include <algorithm>

#include "base/time.h"
#include "promql/format.h"
#include "promql/token.h"

namespace stoker::promql {

namespace {

std::string at_place(std::string_view query, std::size_t place) {
    return " (" + place_of(query, place) + ")";
}

std::vector<std::string> placed(const std::map<std::string, std::size_t, std::less<>>& notes, std::string_view query) {
    std::vector<std::string> out;
    out.reserve(notes.size());
    for (const auto& [message, place] : notes) out.push_back(message + at_place(query, place));
    return out;
}

}  // namespace

void Notes::warn(std::string_view message, std::size_t place) {
    const std::lock_guard lock(mutex_);
    warnings_["PromQL warning: " + std::string(message)] = place;
}

void Notes::inform(std::string_view message, std::size_t place) {
    const std::lock_guard lock(mutex_);
    infos_["PromQL info: " + std::string(message)] = place;
}

void Notes::mended(std::string_view metric, const Mended& what, std::size_t place) {
    const std::lock_guard lock(mutex_);
    const auto [at, fresh] = mended_.try_emplace(std::string(metric), MendedAt{what, place});
    if (fresh) return;
    Mended& all = at->second.what;
    all.first_time = std::min(all.first_time, what.first_time);
    all.last_time = std::max(all.last_time, what.last_time);
    all.lowest = std::min(all.lowest, what.lowest);
    all.highest = std::max(all.highest, what.highest);
    all.most = std::max(all.most, what.most);
    all.times += what.times;
}

std::vector<std::string> Notes::warnings(std::string_view query) const {
    const std::lock_guard lock(mutex_);
    return placed(warnings_, query);
}

std::vector<std::string> Notes::infos(std::string_view query) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> out = placed(infos_, query);
    for (const auto& [metric, mend] : mended_) {
        const Mended& what = mend.what;
        out.push_back(
            "PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see "
            "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)" +
            notes::for_metric(metric) + ", from buckets " + format_general(what.lowest) + " to " +
            format_general(what.highest) + ", with a max diff of " + format_general(what.most, 2) + ", over " +
            std::to_string(what.times) + " samples from " + format_utc_seconds(what.first_time) + " to " +
            format_utc_seconds(what.last_time) + at_place(query, mend.place));
    }
    std::sort(out.begin(), out.end());
    return out;
}

namespace notes {

std::string mixed_samples(std::string_view metric) {
    return "encountered a mix of histograms and floats for metric name " + quote(metric);
}
std::string mixed_aggregation() {
    return "encountered a mix of histograms and floats for aggregation";
}
std::string mixed_schemas(std::string_view metric) {
    return "vector contains a mix of histograms with exponential and custom buckets schemas for metric name " +
           quote(metric);
}
std::string ignored_in_range(std::string_view metric) {
    return "ignored histograms in a range containing both floats and histograms for metric name " + quote(metric);
}
std::string ignored_in_aggregation(std::string_view name) {
    return "ignored histogram in " + std::string(name) + " aggregation";
}
std::string not_a_counter(std::string_view metric) {
    return "this native histogram metric is not a counter: " + quote(metric);
}
std::string not_a_gauge(std::string_view metric) {
    return "this native histogram metric is not a gauge: " + quote(metric);
}
std::string starts_overlap(std::string_view metric) {
    return "overlapping start timestamps" + for_metric(metric);
}
std::string hints_collide(std::string_view operation) {
    return "conflicting counter resets during histogram " + std::string(operation);
}
std::string bounds_reconciled(std::string_view operation) {
    return "mismatched custom buckets were reconciled during " + std::string(operation);
}
std::string bad_quantile(double quantile) {
    return "quantile value should be between 0 and 1, got " + format_general(quantile);
}
std::string for_metric(std::string_view metric) {
    return metric.empty() ? "" : " for metric name " + quote(metric);
}

}  // namespace notes

}  // namespace stoker::promql
