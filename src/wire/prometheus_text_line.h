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

    // Starts on a line without its line feed.
    void begin(std::string_view line);

    // name{a="b",...} value [timestamp] [# exemplar]; the sample's views live until the next begin().
    bool sample(ExpositionFormat format, ExpositionSample& sample);

    enum class Comment { Plain, Metadata, Eof, Bad };
    // A line that starts with '#'.
    Comment comment(ExpositionFormat format, ExpositionMetadata& metadata);

    // Of the first error.
    std::size_t column() const { return error_at_ + 1; }
    const std::string& error() const { return error_; }

private:
    bool fail(std::string message);
    bool fail_at(std::size_t at, std::string message);
    bool at_end() const { return at_ == line_.size(); }
    char peek() const { return at_end() ? '\0' : line_[at_]; }
    void skip_blanks();
    std::string_view token();  // Up to a blank.

    bool metric_name(std::string_view& name);
    bool quoted(std::string_view& text);
    bool labels(ExpositionSample& sample);
    bool label(ExpositionSample& sample);
    bool value(double& value);
    bool timestamp(ExpositionFormat format, ExpositionSample& sample);
    bool exemplar();
    Comment help(ExpositionMetadata& metadata);
    Comment type(ExpositionFormat format, ExpositionMetadata& metadata);

    const ExpositionLimits& limits_;
    std::string_view line_;
    std::size_t at_ = 0;
    std::deque<std::string> unescaped_;  // A deque: views into its strings survive growth.
    ExpositionSample exemplar_;
    std::size_t error_at_ = 0;
    std::string error_;
};

}  // namespace stoker::wire::internal
