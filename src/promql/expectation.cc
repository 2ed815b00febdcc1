#include "promql/expectation.h"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "promql/format.h"
#include "promql/frame.h"
#include "promql/lexer.h"
#include "promql/parser.h"

namespace stoker::promql {

namespace {

// Takes `prefix` and the space behind it off the front.
bool take(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    while (text.starts_with(' ')) text.remove_prefix(1);
    return true;
}

Matrix as_matrix(const Value& value) {
    if (const auto* matrix = std::get_if<Matrix>(&value.data)) return *matrix;
    Matrix matrix;
    if (const auto* vector = std::get_if<Vector>(&value.data)) {
        for (const VectorSample& element : *vector) matrix.push_back({element.labels, {element.sample}});
    }
    return matrix;
}

std::string show_samples(const std::vector<tsdb::Sample>& samples) {
    std::string out;
    for (const tsdb::Sample& sample : samples) {
        out += " " + format_float(sample.value) + "@" + format_seconds(sample.time);
    }
    return out;
}

}  // namespace

bool nearly_equal(double a, double b) {
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
    if (a == b) return true;
    const double sum = std::abs(a) + std::abs(b);
    return std::abs(a - b) / std::min(sum, std::numeric_limits<double>::max()) < 1e-6;
}

std::string show(const Value& value) {
    std::string out;
    if (const auto* scalar = std::get_if<Scalar>(&value.data)) return "  " + format_float(scalar->sample.value);
    if (const auto* text = std::get_if<Text>(&value.data)) return "  " + quote(text->value);
    for (const MatrixSeries& series : as_matrix(value)) {
        out += "\n  " + series.labels.text() + show_samples(series.samples);
    }
    return out.empty() ? "  nothing" : out;
}

Result<Expectation> Expectation::parse(const std::vector<std::string>& lines) {
    Expectation expected;
    for (const std::string& line : lines) {
        std::string_view rest = line;
        double number = 0;
        if (take(rest, "expect ")) {
            if (take(rest, "ordered")) {
                expected.ordered_ = true;
            } else if (take(rest, "fail")) {
                expected.fails_ = true;
                if (take(rest, "msg:")) expected.fail_message_ = rest;
                if (take(rest, "regex:")) expected.fail_regex_ = rest;
            } else if (take(rest, "warn")) {
                expected.warning_ = {true, false, take(rest, "msg:") ? std::string(rest) : ""};
            } else if (take(rest, "info")) {
                expected.info_ = {true, false, take(rest, "msg:") ? std::string(rest) : ""};
            } else if (take(rest, "no_warn")) {
                expected.warning_.unwanted = true;
            } else if (take(rest, "no_info")) {
                expected.info_.unwanted = true;
            } else if (take(rest, "string")) {
                expected.text_ = tokenize(rest).front().text;
            } else {
                return Error{Errc::InvalidArgument, "unknown expectation: " + line};
            }
        } else if (read_number(rest, number)) {
            expected.scalar_ = number;
        } else {
            TRY(SeriesText series, parse_series_text(rest));
            expected.series_.push_back(std::move(series));
        }
    }
    return expected;
}

std::string Expectation::mismatch(const Result<Value>& outcome, std::int64_t start, std::int64_t step) const {
    if (!outcome) return compare_failure(outcome.error());
    if (fails_) return "expected a failure, got" + show(*outcome);
    std::string problem = compare_notes(*outcome);
    if (problem.empty()) problem = compare_value(*outcome, start, step);
    if (!problem.empty()) problem += "; the whole result:" + show(*outcome);
    return problem;
}

std::string Expectation::compare_failure(const Error& error) const {
    if (!fails_) return "failed: " + error.message;
    if (!fail_message_.empty() && fail_message_ != error.message) {
        return "expected to fail with:\n  " + fail_message_ + "\nbut it says:\n  " + error.message;
    }
    if (!fail_regex_.empty() && !re2::RE2::FullMatch(error.message, fail_regex_)) {
        return "expected a failure that matches " + fail_regex_ + ", got: " + error.message;
    }
    return "";
}

std::string Expectation::compare_note(const char* kind, const Note& note, const std::vector<std::string>& given) {
    if (note.unwanted && !given.empty()) return std::string("unexpected ") + kind + ": " + given.front();
    if (note.wanted && given.empty()) return std::string("expected ") + kind + ", got none";
    if (note.wanted && !note.message.empty() && std::find(given.begin(), given.end(), note.message) == given.end()) {
        return std::string("expected ") + kind + " " + quote(note.message) + ", got " + quote(given.front());
    }
    return "";
}

std::string Expectation::compare_notes(const Value& value) const {
    const std::string problem = compare_note("a warning", warning_, value.warnings);
    return problem.empty() ? compare_note("an info", info_, value.infos) : problem;
}

std::string Expectation::compare_value(const Value& value, std::int64_t start, std::int64_t step) const {
    if (text_) {
        const auto* text = std::get_if<Text>(&value.data);
        return text != nullptr && text->value == *text_ ? "" : "expected the string " + quote(*text_);
    }
    if (scalar_) {
        const auto* scalar = std::get_if<Scalar>(&value.data);
        const bool same = scalar != nullptr && nearly_equal(scalar->sample.value, *scalar_);
        return same ? "" : "expected the scalar " + format_float(*scalar_);
    }
    if (!std::holds_alternative<Vector>(value.data) && !std::holds_alternative<Matrix>(value.data)) {
        return "expected series";
    }
    return compare_series(as_matrix(value), start, step);
}

std::string Expectation::compare_series(const Matrix& got, std::int64_t start, std::int64_t step) const {
    if (got.size() != series_.size()) {
        return "expected " + std::to_string(series_.size()) + " series, got " + std::to_string(got.size());
    }
    for (std::size_t i = 0; i < series_.size(); ++i) {
        const SeriesText& want = series_[i];
        const auto found = std::find_if(got.begin(), got.end(),
                                        [&](const MatrixSeries& series) { return series.labels == want.labels; });
        if (found == got.end()) return "missing series " + want.labels.text();
        if (ordered_ && static_cast<std::size_t>(found - got.begin()) != i) {
            return want.labels.text() + " is not at place " + std::to_string(i + 1);
        }
        std::vector<tsdb::Sample> samples;
        for (std::size_t k = 0; k < want.values.size(); ++k) {
            const std::int64_t time = start + static_cast<std::int64_t>(k) * step;
            if (want.values[k] && present(*want.values[k])) samples.push_back({time, *want.values[k]});
        }
        const auto same = [](const tsdb::Sample& a, const tsdb::Sample& b) {
            return a.time == b.time && nearly_equal(a.value, b.value);
        };
        if (!std::equal(samples.begin(), samples.end(), found->samples.begin(), found->samples.end(), same)) {
            return want.labels.text() + ": expected" + show_samples(samples) + ", got" + show_samples(found->samples);
        }
    }
    return "";
}

}  // namespace stoker::promql
