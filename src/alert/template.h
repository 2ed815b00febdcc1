// Templates in the labels and annotations of alerting rules: Go's text/template with Prometheus' functions.
//
//   {{ $labels.instance }}  {{ $value | humanize }}  {{ $externalLabels.cluster }}  {{ $externalURL }}
//   {{ if gt $value 0.5 }}high{{ else }}low{{ end }}
//   {{ range query "up == 0" | sortByLabel "instance" }}{{ .Labels.instance }} {{ end }}
//
// docs/rules.md lists the functions. What a template may cost is bounded: output, steps, queries, depth, time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "alert/rule.h"
#include "base/result.h"
#include "base/sync.h"
#include "base/time.h"
#include "promql/engine.h"
#include "tsdb/labels.h"

namespace stoker::alert {

namespace internal {
struct TemplateTree;
}

// An instant query.
using QueryFn = std::function<Result<promql::Value>(std::string_view query, Timestamp at)>;

// What a template is told of the alert.
struct AlertData {
    const tsdb::Labels& labels;  // Of the sample, __name__ among them.
    double value = 0;
    tsdb::HistogramPtr histogram = {};  // Not null: the value is this.
    Timestamp at = {};                  // Of the evaluation.
    std::string_view alert = {};        // The rule's name, for messages.
};

struct TemplateLimits {
    std::size_t output = std::size_t{256} << 10;  // Bytes.
    std::uint64_t steps = 1'000'000;              // Nodes, commands and elements of ranges.
    int queries = 100;
    int depth = 100;  // Of templates that call templates.
    Duration time{10'000};
};

struct ExpanderOptions {
    Texts external_labels;
    std::string external_url;
    QueryFn query;  // May be null: `query` is then an error.
    TemplateLimits limits;
};

// Thread-safe. Parses each text once.
class Expander {
public:
    explicit Expander(ExpanderOptions options) : options_(std::move(options)) {}

    // Errors: InvalidArgument, ResourceExhausted and DeadlineExceeded, worded as Prometheus words them: "error
    // executing template __alert_NAME: template: __alert_NAME:1:115: executing ... at <.Foo>: can't evaluate ...". As
    // in Prometheus, the place counts from a preamble of 112 bytes that declares the variables.
    Result<std::string> expand(std::string_view text, const AlertData& data) const;

private:
    using TreePtr = std::shared_ptr<const internal::TemplateTree>;
    Result<TreePtr> parsed(std::string_view text, std::string_view alert) const;

    const ExpanderOptions options_;
    mutable Mutex mutex_;
    mutable std::map<std::string, TreePtr, std::less<>> trees_ GUARDED_BY(mutex_);  // By name and text.
};

// Whether the template parses; what it yields depends on the alert. Errors: InvalidArgument; `offset` (may be null) is
// then where in `text`.
Result<Unit> check_template(std::string_view text, std::string_view alert, std::size_t* offset = nullptr);

}  // namespace stoker::alert
