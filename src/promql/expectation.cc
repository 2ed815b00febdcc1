#include "promql/expectation.h"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "promql/format.h"
#include "promql/histogram_math.h"
#include "promql/histogram_text.h"
#include "promql/lexer.h"

namespace stoker::promql {

namespace {

std::string_view trim(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// Takes `prefix`, a word of its own, and the space behind it off the front.
bool take(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    const std::string_view rest = text.substr(prefix.size());
    if (!rest.empty() && rest.front() != ' ' && rest.front() != '\t' && !prefix.ends_with(':')) return false;
    text = trim(rest);
    return true;
}

// Without the place in the query, and without the numbers behind a mended histogram's message: scripts name neither.
std::string bare_message(std::string_view message) {
    static const re2::RE2 kPlace(" \\(\\d+:\\d+\\)$");
    std::string bare(message);
    re2::RE2::Replace(&bare, kPlace, "");
    const std::size_t details = bare.find(", from buckets ");
    if (bare.find("fixed for monotonicity") != std::string::npos && details != std::string::npos) bare.resize(details);
    return bare;
}

// A series' points as text, at their steps; what came at other times shows with its time.
struct Line {
    tsdb::Labels labels;
    std::string text;
};

std::string point_text(double value, const tsdb::HistogramPtr& histogram) {
    return histogram ? histogram_literal(*histogram) : format_general(value);
}

std::string series_text(const MatrixSeries& series) {
    std::string out = series.labels.text();
    for (std::size_t i = 0; i < series.samples.size(); ++i) {
        const tsdb::HistogramPtr histogram = series.histograms.empty() ? nullptr : series.histograms[i];
        out += " " + point_text(series.samples[i].value, histogram) + "@" + format_seconds(series.samples[i].time);
    }
    return out;
}

bool same_point(const tsdb::Sample& sample, const tsdb::HistogramPtr& histogram, const SeriesValue& want) {
    if ((histogram != nullptr) != (want.point.histogram != nullptr)) return false;
    if (!histogram) return nearly_equal(sample.value, want.point.value);
    if (want.hint_given && histogram->reset_hint != want.point.histogram->reset_hint) return false;
    return nearly_equal(*histogram, *want.point.histogram);
}

Matrix as_matrix(const Value& value) {
    if (const auto* matrix = std::get_if<Matrix>(&value.data)) return *matrix;
    Matrix matrix;
    if (const auto* vector = std::get_if<Vector>(&value.data)) {
        for (const VectorSample& element : *vector) {
            MatrixSeries series{element.labels, {element.sample}};
            if (element.histogram) series.histograms.push_back(element.histogram);
            matrix.push_back(std::move(series));
        }
    }
    return matrix;
}

struct Expected {
    std::vector<const SeriesValue*> values;
    MatrixSeries shown;  // The same as a result would have it.
};

Expected at_times(const SeriesText& want, ExpectedTimes times) {
    Expected expected;
    expected.shown.labels = want.labels;
    for (std::size_t i = 0; i < want.values.size(); ++i) {
        const SeriesValue& value = want.values[i];
        if (!present(value.point.value)) continue;
        expected.values.push_back(&value);
        expected.shown.samples.push_back({times.start + static_cast<std::int64_t>(i) * times.step, value.point.value});
        expected.shown.histograms.push_back(value.point.histogram);
    }
    return expected;
}

bool matches(const Expected& expected, const MatrixSeries& got) {
    if (expected.values.size() != got.samples.size()) return false;
    for (std::size_t i = 0; i < got.samples.size(); ++i) {
        const tsdb::HistogramPtr histogram = got.histograms.empty() ? nullptr : got.histograms[i];
        if (got.samples[i].time != expected.shown.samples[i].time) return false;
        if (!same_point(got.samples[i], histogram, *expected.values[i])) return false;
    }
    return true;
}

}  // namespace

bool nearly_equal(double a, double b) {
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
    if (a == b) return true;
    const double sum = std::abs(a) + std::abs(b);
    const double difference = std::abs(a - b);
    const double smallest = std::numeric_limits<double>::min();
    if (a == 0 || b == 0 || sum < smallest) return difference < 1e-6 * smallest;
    return difference / std::min(sum, std::numeric_limits<double>::max()) < 1e-6;
}

bool nearly_equal(const tsdb::Histogram& a, const tsdb::Histogram& b) {
    tsdb::Histogram x = a;
    tsdb::Histogram y = b;
    compact(x);
    compact(y);
    const auto same = [](const std::vector<double>& left, const std::vector<double>& right) {
        return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                          [](double l, double r) { return nearly_equal(l, r); });
    };
    return x.schema == y.schema && nearly_equal(x.count, y.count) && nearly_equal(x.sum, y.sum) &&
           x.custom_bounds == y.custom_bounds && x.zero_threshold == y.zero_threshold &&
           nearly_equal(x.zero_count, y.zero_count) && x.positive_spans == y.positive_spans &&
           x.negative_spans == y.negative_spans && same(x.positive, y.positive) && same(x.negative, y.negative);
}

Result<std::int64_t> read_script_time(std::string_view word) {
    std::int64_t millis = 0;
    const bool negative = word.starts_with('-');
    const std::string_view size = negative ? word.substr(1) : word;
    double seconds = 0;
    if (read_number(size, seconds) && std::abs(seconds) < 1e12) {
        millis = static_cast<std::int64_t>(std::round(seconds * 1000));
    } else if (!read_duration(size, millis)) {
        return Error{Errc::InvalidArgument, "bad time " + quote(word)};
    }
    return negative ? -millis : millis;
}

bool Expectation::Pattern::matches(std::string_view message) const {
    const std::string bare = bare_message(message);
    if (text) return *text == message || *text == bare;
    if (!regex) return true;
    const re2::RE2 compiled(*regex, re2::RE2::Quiet);
    return re2::RE2::PartialMatch(bare, compiled) || re2::RE2::PartialMatch(std::string(message), compiled);
}

std::string Expectation::Pattern::show() const {
    if (text) return "\"" + *text + "\"";
    return regex ? "what matches \"" + *regex + "\"" : "any";
}

Result<Expectation> Expectation::parse(std::string_view mode, const std::vector<std::string>& lines) {
    Expectation expected;
    if (mode == "fail") {
        expected.fails_ = true;
    } else if (mode == "warn") {
        expected.warnings_.wanted.emplace_back();
    } else if (mode == "info") {
        expected.infos_.wanted.emplace_back();
    } else if (mode == "ordered") {
        expected.ordered_ = true;
    } else if (!mode.empty()) {
        return Error{Errc::InvalidArgument, "unknown kind of evaluation: eval_" + std::string(mode)};
    }
    for (const std::string& line : lines) TRY_UNIT(expected.parse_line(trim(line)));
    return expected;
}

Result<Unit> Expectation::parse_line(std::string_view line) {
    std::string_view rest = line;
    double number = 0;
    if (fails_ && take(rest, "expected_fail_message")) {
        failure_ = Pattern{std::string(rest), std::nullopt};
    } else if (fails_ && take(rest, "expected_fail_regexp")) {
        failure_ = Pattern{std::nullopt, std::string(rest)};
    } else if (take(rest, "expect")) {
        return parse_expect(rest);
    } else if (read_number(line, number)) {
        scalar_ = number;
    } else {
        TRY(SeriesText series, parse_series_text(line));
        series_.push_back(std::move(series));
    }
    return Unit{};
}

Result<Unit> Expectation::parse_expect(std::string_view rest) {
    const auto bad = [&](std::string_view why) {
        return Error{Errc::InvalidArgument, std::string(why) + ": expect " + std::string(rest)};
    };
    const auto pattern = [](std::string_view text) -> Result<Pattern> {
        if (text.empty()) return Pattern{};
        if (take(text, "msg:")) return Pattern{std::string(text), std::nullopt};
        if (!take(text, "regex:")) return Error{Errc::InvalidArgument, "expected msg: or regex:"};
        if (!re2::RE2(std::string(text), re2::RE2::Quiet).ok()) return Error{Errc::InvalidArgument, "bad regex"};
        return Pattern{std::nullopt, std::string(text)};
    };
    std::string_view text = rest;
    if (take(text, "ordered")) {
        ordered_ = true;
    } else if (take(text, "fail")) {
        if (failure_) return bad("a query fails once only");
        fails_ = true;
        TRY(failure_, pattern(text));
    } else if (take(text, "warn")) {
        TRY(Pattern wanted, pattern(text));
        warnings_.wanted.push_back(std::move(wanted));
    } else if (take(text, "info")) {
        TRY(Pattern wanted, pattern(text));
        infos_.wanted.push_back(std::move(wanted));
    } else if (take(text, "no_warn")) {
        warnings_.none = true;
    } else if (take(text, "no_info")) {
        infos_.none = true;
    } else if (take(text, "string")) {
        const std::vector<Token> tokens = tokenize(text);
        if (tokens.front().kind != TokenKind::String) return bad("a quoted string is needed");
        text_ = tokens.front().text;
    } else if (take(text, "range vector from")) {
        static const re2::RE2 kTimes("(\\S+)\\s+to\\s+(\\S+)\\s+step\\s+(\\S+)");
        std::string from;
        std::string to;
        std::string step;
        if (!re2::RE2::FullMatch(std::string(text), kTimes, &from, &to, &step)) return bad("bad range");
        ExpectedTimes times;
        TRY(times.start, read_script_time(from));
        TRY(times.end, read_script_time(to));
        TRY(times.step, read_script_time(step));
        if (times.end < times.start || times.step <= 0) return bad("bad range");
        range_vector_ = times;
    } else {
        return bad("unknown expectation");
    }
    if ((warnings_.none && !warnings_.wanted.empty()) || (infos_.none && !infos_.wanted.empty())) {
        return bad("contradicts an earlier line");
    }
    return Unit{};
}

std::string Expectation::mismatch(const Result<Value>& outcome, ExpectedTimes times) const {
    if (!outcome) return compare_failure(outcome.error());
    if (fails_) return "- an error" + (failure_ ? ": " + failure_->show() : "") + "\n+ an answer\n";
    std::string problem = compare_notes("warning", warnings_, outcome->warnings);
    problem += compare_notes("info", infos_, outcome->infos);
    return problem + value_mismatch(*outcome, times);
}

std::string Expectation::compare_failure(const Error& error) const {
    if (fails_ && (!failure_ || failure_->matches(error.message))) return "";
    const std::string wanted = !fails_ ? "an answer" : "error: " + failure_->show();
    return "- " + wanted + "\n+ error: " + error.message + "\n";
}

std::string Expectation::compare_notes(std::string_view kind, const Notes& expected,
                                       const std::vector<std::string>& given) {
    std::string out;
    const auto line = [&](char sign, const std::string& text) {
        out += std::string(1, sign) + " " + std::string(kind) + ": " + text + "\n";
    };
    for (const Pattern& pattern : expected.wanted) {
        const auto fits = [&](const std::string& note) { return pattern.matches(note); };
        if (std::none_of(given.begin(), given.end(), fits)) line('-', pattern.show());
    }
    if (expected.wanted.empty() && !expected.none) return out;
    for (const std::string& note : given) {
        const auto wants = [&](const Pattern& pattern) { return pattern.matches(note); };
        if (std::none_of(expected.wanted.begin(), expected.wanted.end(), wants)) line('+', note);
    }
    return out;
}

std::string Expectation::value_mismatch(const Value& value, ExpectedTimes times) const {
    if (const auto* text = std::get_if<Text>(&value.data)) {
        if (text_.value_or("") == text->value) return "";
        return "- " + (text_ ? quote(*text_) : "no string") + "\n+ " + quote(text->value) + "\n";
    }
    if (const auto* scalar = std::get_if<Scalar>(&value.data)) {
        if (scalar_ && nearly_equal(scalar->sample.value, *scalar_)) return "";
        return "- " + (scalar_ ? "scalar " + format_general(*scalar_) : "series") + "\n+ scalar " +
               format_general(scalar->sample.value) + "\n";
    }
    if (text_) return "- " + quote(*text_) + "\n+ series\n";
    return compare_series(value, times);
}

std::string Expectation::compare_series(const Value& value, ExpectedTimes times) const {
    const bool instant = std::holds_alternative<Vector>(value.data);
    Matrix got = as_matrix(value);
    if (scalar_) {
        std::string out = "- scalar " + format_general(*scalar_) + "\n";
        for (const MatrixSeries& series : got) out += "+ " + series_text(series) + "\n";
        return out;
    }
    // An instant vector's points all stand at the time of the query, whichever that is.
    if (instant) {
        for (MatrixSeries& series : got) series.samples[0].time = times.start;
    }
    std::string out;
    bool differs = false;
    std::vector<bool> used(got.size(), false);
    for (std::size_t i = 0; i < series_.size(); ++i) {
        const Expected expected = at_times(series_[i], times);
        std::size_t found = got.size();
        for (std::size_t k = 0; k < got.size(); ++k) {
            if (!used[k] && got[k].labels == series_[i].labels) found = k;
        }
        const std::string wanted = series_text(expected.shown);
        if (found == got.size()) {
            // A series that is expected to have no points need not be there.
            if (expected.values.empty() && !instant) continue;
            out += "- " + wanted + "\n";
            differs = true;
            continue;
        }
        used[found] = true;
        const bool out_of_place = ordered_ && instant && found != i;
        if (matches(expected, got[found]) && !out_of_place) {
            out += "  " + wanted + "\n";
            continue;
        }
        differs = true;
        const auto place = [&](std::size_t at) { return ordered_ ? "  # at " + std::to_string(at + 1) : ""; };
        out += "- " + wanted + place(i) + "\n+ " + series_text(got[found]) + place(found) + "\n";
    }
    for (std::size_t k = 0; k < got.size(); ++k) {
        if (used[k]) continue;
        differs = true;
        out += "+ " + series_text(got[k]) + "\n";
    }
    return differs ? out : "";
}

}  // namespace stoker::promql
