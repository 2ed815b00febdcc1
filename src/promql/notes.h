// Warnings and infos that come with an answer, in Prometheus' wording.
//
// Each is said once, whatever the number of series and steps; its place in the query is the one where it came up last.
// Thread-safe, so that one query may evaluate series in parallel.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace stoker::promql {

class Notes {
public:
    // `place` is a byte offset into the query.
    void warn(std::string_view message, std::size_t place);
    void inform(std::string_view message, std::size_t place);

    // Buckets of a classic histogram whose counts fell with a growing bound, and what it took to mend them.
    struct Mended {
        std::int64_t first_time = 0;
        std::int64_t last_time = 0;
        double lowest = 0;  // Of the bounds of the buckets that were changed.
        double highest = 0;
        double most = 0;  // The largest change.
        std::uint64_t times = 1;
    };
    void mended(std::string_view metric, const Mended& what, std::size_t place);

    // With places as "(line:column)" in `query`, ascending.
    std::vector<std::string> warnings(std::string_view query) const;
    std::vector<std::string> infos(std::string_view query) const;

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::size_t, std::less<>> warnings_;
    std::map<std::string, std::size_t, std::less<>> infos_;
    struct MendedAt {
        Mended what;
        std::size_t place;
    };
    std::map<std::string, MendedAt, std::less<>> mended_;
};

// The messages that several functions and operators share.
namespace notes {
std::string mixed_samples(std::string_view metric);         // Numbers and histograms in one range: no result.
std::string mixed_aggregation();                            // The same in one group.
std::string mixed_schemas(std::string_view metric);         // Exponential and custom buckets.
std::string ignored_in_range(std::string_view metric);      // Histograms among the numbers of a range.
std::string ignored_in_aggregation(std::string_view name);  // Histograms that this aggregation can't take.
std::string not_a_counter(std::string_view metric);         // Of native histograms.
std::string not_a_gauge(std::string_view metric);
std::string starts_overlap(std::string_view metric);    // Samples disagree on when their counter began.
std::string hints_collide(std::string_view operation);  // "addition", "subtraction", "aggregation".
std::string bounds_reconciled(std::string_view operation);
std::string bad_quantile(double quantile);
// ` for metric name "x"`, or nothing.
std::string for_metric(std::string_view metric);
}  // namespace notes

}  // namespace stoker::promql
