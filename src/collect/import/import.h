// Imports history from files: Prometheus text and OpenMetrics with timestamps, plain, gzip or zstd.
//
// Streams: memory does not grow with the file. The lines of one series must ascend in time; series may alternate, as
// `promtool tsdb dump-openmetrics` and exporters write them. History may be older than the out-of-order window as long
// as its series holds nothing newer, so import before the live data of the same series arrives.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "tsdb/store.h"

namespace stoker::collect {

enum class ImportFormat : std::uint8_t { Auto, Prometheus, OpenMetrics };  // Auto: by the first timestamp.

struct ImportOptions {
    ImportFormat format = ImportFormat::Auto;
    std::size_t batch_samples = 10'000;  // Handed to the store at once.
    std::size_t max_line_bytes = std::size_t{64} << 10;
    std::size_t first_problems = 20;              // How many refusals the summary quotes.
    std::vector<tsdb::Labels::Pair> labels = {};  // Added to every series; what a line says wins.
    // Older samples would not be kept: they are counted as "past_retention" and not stored.
    std::int64_t oldest_time = std::numeric_limits<std::int64_t>::min();
};

struct ImportProgress {
    std::uint64_t bytes = 0;  // Read from the file, compressed.
    std::uint64_t samples = 0;
};

struct ImportSummary {
    std::uint64_t lines = 0;
    std::uint64_t samples = 0;  // Stored.
    std::uint64_t duplicates = 0;
    std::map<std::string, std::uint64_t> refused;  // By reason: "no_timestamp", "bad_line", ... or the store's.
    std::vector<std::string> first_problems;       // "line 17: ...".
    std::int64_t oldest_time = 0;                  // Of the samples handed to the store; 0 if there were none.
    std::int64_t newest_time = 0;
};

// Called after each batch; false stops the import with Cancelled.
using ImportWatch = std::function<bool(const ImportProgress&)>;

// Bad lines are counted and quoted, the others stored. Errors: NotFound (no such file), InvalidArgument (corrupt
// compression, OpenMetrics that ends without "# EOF"), Unavailable (the store takes nothing), Cancelled. What was
// stored before an error stays.
Result<ImportSummary> import_file(const std::string& path, tsdb::Store& store, const ImportOptions& options = {},
                                  const ImportWatch& watch = {});
Result<ImportSummary> import_stream(std::istream& in, tsdb::Store& store, const ImportOptions& options = {},
                                    const ImportWatch& watch = {});

}  // namespace stoker::collect
