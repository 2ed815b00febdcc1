// What a script expects of one evaluation, and the comparison with what came.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "promql/engine.h"
#include "promql/series_text.h"

namespace stoker::promql {

class Expectation {
public:
    // Errors: InvalidArgument.
    static Result<Expectation> parse(const std::vector<std::string>& lines);

    // Empty if `outcome` is what is expected, else what is wrong. `steps`: 1 for an instant query at `start`.
    std::string mismatch(const Result<Value>& outcome, std::int64_t start, std::int64_t step) const;

    bool ordered() const { return ordered_; }
    bool fails() const { return fails_; }

private:
    std::string compare_failure(const Error& error) const;
    std::string compare_notes(const Value& value) const;
    std::string compare_value(const Value& value, std::int64_t start, std::int64_t step) const;
    std::string compare_series(const Matrix& got, std::int64_t start, std::int64_t step) const;

    struct Note {
        bool wanted = false;
        bool unwanted = false;
        std::string message;
    };
    static std::string compare_note(const char* kind, const Note& note, const std::vector<std::string>& given);

    bool ordered_ = false;
    bool fails_ = false;
    std::string fail_message_;
    std::string fail_regex_;
    Note warning_;
    Note info_;
    std::optional<std::string> text_;
    std::optional<double> scalar_;
    std::vector<SeriesText> series_;
};

// Equal, both NaN, or as near as the sixth digit.
bool nearly_equal(double a, double b);

// For messages.
std::string show(const Value& value);

}  // namespace stoker::promql
