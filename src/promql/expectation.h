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

// The steps that the expected values stand at.
struct ExpectedTimes {
    std::int64_t start = 0;
    std::int64_t end = 0;
    std::int64_t step = 1;
};

class Expectation {
public:
    // `mode` is what follows "eval_": "fail", "warn", "info", "ordered" or nothing. Errors: InvalidArgument.
    static Result<Expectation> parse(std::string_view mode, const std::vector<std::string>& lines);

    // Empty if `outcome` is what is expected; else what is wrong, with expected and actual series as a diff.
    std::string mismatch(const Result<Value>& outcome, ExpectedTimes times) const;
    // The same, warnings and infos not looked at.
    std::string value_mismatch(const Value& value, ExpectedTimes times) const;

    bool ordered() const { return ordered_; }
    bool fails() const { return fails_; }
    bool expects_text() const { return text_.has_value(); }
    // Of `expect range vector from ... to ... step ...`.
    const std::optional<ExpectedTimes>& range_vector() const { return range_vector_; }

private:
    // `msg: TEXT`, `regex: RE`, or anything.
    struct Pattern {
        std::optional<std::string> text;
        std::optional<std::string> regex;
        bool matches(std::string_view message) const;
        std::string show() const;
    };
    struct Notes {
        std::vector<Pattern> wanted;
        bool none = false;  // Not one may come.
    };

    Result<Unit> parse_line(std::string_view line);
    Result<Unit> parse_expect(std::string_view rest);
    std::string compare_failure(const Error& error) const;
    static std::string compare_notes(std::string_view kind, const Notes& expected,
                                     const std::vector<std::string>& given);
    std::string compare_series(const Value& value, ExpectedTimes times) const;

    bool ordered_ = false;
    bool fails_ = false;
    std::optional<Pattern> failure_;
    Notes warnings_;
    Notes infos_;
    std::optional<std::string> text_;
    std::optional<double> scalar_;
    std::optional<ExpectedTimes> range_vector_;
    std::vector<SeriesText> series_;
};

// Equal, both NaN, or as near as the sixth digit.
bool nearly_equal(double a, double b);
// The same of histograms, empty buckets left out and the hint aside.
bool nearly_equal(const tsdb::Histogram& a, const tsdb::Histogram& b);

// A time since zero as scripts write it: "5m", or seconds as a bare number. Errors: InvalidArgument.
Result<std::int64_t> read_script_time(std::string_view word);

}  // namespace stoker::promql
