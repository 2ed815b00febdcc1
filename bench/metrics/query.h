// Asks one store a list of queries and times them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace stoker::bench {

struct QuerySpec {
    std::string name;
    std::string text;
    std::int64_t range = 0;  // Seconds up to the end of the data; 0: instant.
    std::int64_t step = 0;   // Seconds.
};

// One a line: NAME TAB "instant" or RANGE/STEP TAB QUERY; '#' begins a comment. Throws std::runtime_error.
std::vector<QuerySpec> read_queries(const std::string& file);

struct QueryTiming {
    std::string name;
    std::vector<double> seconds;  // Ascending.
    std::string answer;           // Body of the first.
};

// Each `rounds` times, every round at a moment of its own so that no answer can come from a cache.
std::vector<QueryTiming> run_queries(const std::string& address, const std::vector<QuerySpec>& queries,
                                     std::int64_t end_seconds, int rounds);

}  // namespace stoker::bench
