// One line of an exposition, token by token. The first thing that is wrong is remembered with its column.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

#include "wire/prometheus_text.h"

namespace stoker::wire::internal {

// "1.5", "1e9", "+Inf", "NaN" in any case; false for anything else.
bool parse_value(std::string_view token, double& value);

class LineParser {
public:
    explicit LineParser(const ExpositionLimits& limits) : limits_(limits) {}

    // Starts on a line without its line feed. OpenMetrics has one blank where blanks may be, and none elsewhere.
    void begin(std::string_view line, ExpositionFormat format);

    // name{a="b",...} value [timestamp] [# exemplar]. The views live until forget(). sample.exemplar is not touched.
    bool sample(ExpositionSample& sample, std::optional<ExpositionExemplar>& exemplar);

    enum class Comment { Plain, Metadata, Eof, Bad };
    // A line that starts with '#'.
    Comment comment(ExpositionMetadata& metadata);

    // Ends the views into text that held escapes.
    void forget() { unescaped_.clear(); }

    // Of the first error.
    std::size_t column() const { return error_at_ + 1; }
    const std::string& error() const { return error_; }

private:
    bool fail(std::string message);
    bool fail_at(std::size_t at, std::string message);
    bool at_end() const { return at_ == line_.size(); }
    char peek() const { return at_end() ? '\0' : line_[at_]; }
    bool open_metrics() const { return format_ == ExpositionFormat::OpenMetrics; }
    void skip_blanks();        // Where the older format allows them.
    bool gap();                // Between two tokens.
    std::string_view token();  // Up to a blank.

    bool metric_name(std::string_view& name);
    bool quoted(std::string_view& text);
    // `name` takes a quoted metric name in first place; null: none may stand there.
    bool labels(LabelViews& labels, std::string_view* name);
    bool label(LabelViews& labels, std::string_view* name);
    bool value(double& value);
    bool timestamp(std::optional<std::int64_t>& time_ms);
    bool exemplar(ExpositionExemplar& exemplar);
    Comment help(ExpositionMetadata& metadata);
    Comment type(ExpositionMetadata& metadata);

    const ExpositionLimits& limits_;
    std::string_view line_;
    std::size_t at_ = 0;
    ExpositionFormat format_ = ExpositionFormat::Prometheus;
    std::deque<std::string> unescaped_;  // A deque: views into its strings survive growth.
    std::size_t error_at_ = 0;
    std::string error_;
};

}  // namespace stoker::wire::internal
