// The PromQL engine: parses and evaluates queries over a tsdb::Querier.
//
// Thread-safe: an Engine holds only options, each query owns its evaluation.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "tsdb/labels.h"
#include "tsdb/querier.h"

namespace stoker::promql {

// Error::detail of what the engine returns: an InvalidArgument with Execution is not the text's fault but came up while
// evaluating ("many-to-many matching not allowed"), which Prometheus answers with 422 rather than 400.
enum class Fault : std::uint16_t { None, Execution };

struct EngineOptions {
    Duration lookback{5 * 60'000};  // How old a sample may be to count as current.
    Duration timeout{2 * 60'000};
    std::uint64_t max_samples = 50'000'000;  // Loaded by one query.
    std::uint64_t max_points = 11'000;       // Steps of a range query, as Prometheus limits them.
    Duration subquery_step{60'000};          // Of subqueries that name none.
    bool experimental = false;               // Experimental functions, aggregations, modifiers, duration expressions.
    bool delayed_name_removal = false;       // Names are dropped at the end of a query, not by each operator.
    std::size_t threads = 1;                 // That one query may use.
};

struct VectorSample {
    tsdb::Labels labels;
    tsdb::Sample sample;
    tsdb::HistogramPtr histogram = {};  // Not null: the value is this, and sample.value is tsdb::histogram_marker().
};

struct MatrixSeries {
    tsdb::Labels labels;
    std::vector<tsdb::Sample> samples;
    std::vector<tsdb::HistogramPtr> histograms = {};  // Empty: numbers only. Otherwise as long as `samples`.
};

struct Scalar {
    tsdb::Sample sample;
};
struct Text {
    std::int64_t time = 0;
    std::string value;
};
using Vector = std::vector<VectorSample>;
using Matrix = std::vector<MatrixSeries>;  // Sorted by labels.

struct Value {
    std::variant<Scalar, Text, Vector, Matrix> data;
    std::vector<std::string> warnings;
    std::vector<std::string> infos;
};

class Engine {
public:
    explicit Engine(EngineOptions options = {}) : options_(options) {}

    const EngineOptions& options() const { return options_; }

    // Errors: InvalidArgument ("1:7: parse error: ...", or with Fault::Execution), DeadlineExceeded, Cancelled,
    // ResourceExhausted (max_samples), and the querier's own.
    Result<Value> instant(const tsdb::Querier& querier, std::string_view query, Timestamp at,
                          const std::atomic<bool>* cancelled = nullptr) const;
    // REQUIRES: step > 0, start <= end; refused as InvalidArgument otherwise.
    Result<Value> range(const tsdb::Querier& querier, std::string_view query, Timestamp start, Timestamp end,
                        Duration step, const std::atomic<bool>* cancelled = nullptr) const;

    // Whether the text parses, without evaluating. Errors: InvalidArgument.
    Result<Unit> check(std::string_view query) const;

    // The query laid out as Prometheus' /api/v1/format_query does. Errors: InvalidArgument.
    Result<std::string> format(std::string_view query) const;
    // Its syntax tree as the JSON of Prometheus' /api/v1/parse_query. Errors: InvalidArgument.
    Result<std::string> syntax_tree_json(std::string_view query) const;

private:
    EngineOptions options_;
};

// The `data` member of Prometheus' /api/v1/query answer: {"resultType":...,"result":...}.
std::string to_prometheus_json(const Value& value);
// The same at the end of `out`, where it stays: answers may be hundreds of megabytes.
void append_prometheus_json(std::string& out, const Value& value);

// A series selector alone, as match[] takes it. Errors: InvalidArgument.
Result<std::vector<tsdb::Matcher>> parse_selector(std::string_view text);

}  // namespace stoker::promql
