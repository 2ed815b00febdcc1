#include "promql/series_text.h"

#include <charconv>
#include <memory>
#include <utility>

#include "promql/format.h"
#include "promql/histogram_math.h"
#include "promql/lexer.h"

namespace stoker::promql {

namespace {

constexpr std::size_t kMostSteps = 1'000'000;
// All histograms of a series together; each may have thousands of buckets.
constexpr std::size_t kMostHistograms = 100'000;

bool is_space(char c) {
    return c == ' ' || c == '\t';
}

Error bad_value(std::string_view text) {
    return Error{Errc::InvalidArgument, "bad value in series: " + quote(text)};
}

// How much of the line is the metric: up to the closing brace, or the first space where there are no braces.
std::size_t metric_length(std::string_view line) {
    char quote_char = '\0';
    bool braces = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (quote_char != '\0') {
            if (c == '\\' && quote_char != '`') {
                ++i;
            } else if (c == quote_char) {
                quote_char = '\0';
            }
        } else if (c == '"' || c == '\'' || c == '`') {
            quote_char = c;
        } else if (c == '{') {
            if (line.substr(i).starts_with("{{")) return i;
            braces = true;
        } else if (c == '}') {
            return i + 1;
        } else if (is_space(c) && !braces) {
            const std::size_t next = line.find_first_not_of(" \t", i);
            const bool labels_follow =
                next != std::string_view::npos && line[next] == '{' && !line.substr(next).starts_with("{{");
            if (!labels_follow) return i;
        }
    }
    return line.size();
}

// name{label="value", "quoted name"="value"} and {"quoted metric", ...}; unlike a selector's, labels may be empty.
Result<tsdb::Labels> parse_metric(std::string_view text) {
    const std::vector<Token> tokens = tokenize(text);
    const auto refuse = [&]() { return Error{Errc::InvalidArgument, "bad series: " + quote(text)}; };
    std::vector<tsdb::Labels::Pair> pairs;
    std::size_t at = 0;
    const auto is_name = [](const Token& token) {
        return token.kind == TokenKind::Word || token.kind == TokenKind::Number;
    };
    if (is_name(tokens[at])) pairs.emplace_back(std::string(tsdb::kMetricName), tokens[at++].text);
    if (tokens[at].kind == TokenKind::LeftBrace) {
        ++at;
        while (tokens[at].kind != TokenKind::RightBrace) {
            const Token& name = tokens[at];
            if (!is_name(name) && name.kind != TokenKind::String) return refuse();
            ++at;
            if (tokens[at].kind == TokenKind::Assign && tokens[at + 1].kind == TokenKind::String) {
                pairs.emplace_back(name.text, tokens[at + 1].text);
                at += 2;
            } else if (name.kind == TokenKind::String) {
                pairs.emplace_back(std::string(tsdb::kMetricName), name.text);
            } else {
                return refuse();
            }
            if (tokens[at].kind == TokenKind::Comma) {
                ++at;
            } else if (tokens[at].kind != TokenKind::RightBrace) {
                return refuse();
            }
        }
        ++at;
    }
    if (tokens[at].kind != TokenKind::End) return refuse();
    return tsdb::Labels(std::move(pairs));
}

// `xN` at the front; no times are 0 with `repeated` false.
Result<std::size_t> take_times(std::string_view& text, bool& repeated) {
    std::size_t times = 0;
    repeated = text.starts_with('x');
    if (!repeated) return times;
    text.remove_prefix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), times);
    if (error != std::errc() || times > kMostSteps) return bad_value(text);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return times;
}

Result<SeriesValue> take_histogram(std::string_view& text) {
    const std::size_t end = text.find("}}");
    if (!text.starts_with("{{") || end == std::string_view::npos) return bad_value(text);
    SeriesValue value;
    TRY(tsdb::Histogram histogram, parse_histogram_literal(text.substr(0, end + 2), value.hint_given));
    value.point = {tsdb::histogram_marker(), std::make_shared<const tsdb::Histogram>(std::move(histogram))};
    text.remove_prefix(end + 2);
    return value;
}

// {{...}}, {{...}}xN, {{...}}+{{...}}xN.
Result<Unit> append_histograms(std::string_view& text, std::vector<SeriesValue>& values) {
    TRY(SeriesValue value, take_histogram(text));
    const bool adds = text.starts_with('+');
    const bool steps = adds || text.starts_with('-');
    SeriesValue step;
    if (steps) {
        text.remove_prefix(1);
        TRY(step, take_histogram(text));
        value.hint_given = step.hint_given;
    }
    bool repeated = false;
    TRY(const std::size_t times, take_times(text, repeated));
    if ((steps && !repeated) || times > kMostHistograms) return bad_value(text);
    for (std::size_t i = 0;; ++i) {
        values.push_back(value);
        if (i == times) return Unit{};
        if (!steps) continue;
        auto next = std::make_shared<tsdb::Histogram>(*value.point.histogram);
        const Combination combined =
            adds ? add_to(*next, *step.point.histogram) : subtract_from(*next, *step.point.histogram);
        if (combined.incompatible) {
            return Error{Errc::InvalidArgument, "histograms in a series can't be added up"};
        }
        value.point.histogram = std::move(next);
    }
}

// `1`, `_`, `stale`, and each with `xN`; `1+2xN`, `1-2xN`.
Result<Unit> append_numbers(std::string_view word, std::vector<SeriesValue>& values) {
    const std::string_view whole = word;
    const std::size_t x = word.rfind('x');
    std::string_view suffix = x == std::string_view::npos ? std::string_view{} : word.substr(x);
    bool repeated = false;
    TRY(const std::size_t times, take_times(suffix, repeated));
    if (!suffix.empty()) return bad_value(whole);
    word = word.substr(0, x);
    if (word == "_" || word == "stale") {
        // Unlike numbers, `_x4` is four steps and not five.
        SeriesValue value;
        value.stale = word == "stale";
        values.insert(values.end(), repeated ? times : 1, value);
        return Unit{};
    }
    double number = 0;
    double step = 0;
    if (!read_number(word, number)) {
        // The sign that parts value and step: not the first character, and none of an exponent.
        std::size_t sign = word.find_first_of("+-", 1);
        while (sign != std::string_view::npos && (word[sign - 1] == 'e' || word[sign - 1] == 'E')) {
            sign = word.find_first_of("+-", sign + 1);
        }
        if (sign == std::string_view::npos || !repeated) return bad_value(whole);
        if (!read_number(word.substr(0, sign), number) || !read_number(word.substr(sign), step)) {
            return bad_value(whole);
        }
    }
    for (std::size_t i = 0; i <= times; ++i) {
        values.push_back({{number, nullptr}, false, false});
        number += step;
    }
    return Unit{};
}

}  // namespace

Result<SeriesText> parse_series_text(std::string_view line) {
    while (!line.empty() && is_space(line.front())) line.remove_prefix(1);
    const std::size_t length = metric_length(line);
    SeriesText series;
    TRY(series.labels, parse_metric(line.substr(0, length)));
    line.remove_prefix(length);
    while (true) {
        while (!line.empty() && is_space(line.front())) line.remove_prefix(1);
        if (line.empty()) return series;
        if (line.starts_with("{{")) {
            TRY_UNIT(append_histograms(line, series.values));
            if (!line.empty() && !is_space(line.front())) return bad_value(line);
        } else {
            const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
            TRY_UNIT(append_numbers(line.substr(0, end), series.values));
            line.remove_prefix(end);
        }
        if (series.values.size() > kMostSteps) return bad_value("too many steps");
    }
}

}  // namespace stoker::promql
