#include "promql/series_text.h"

#include <charconv>
#include <utility>

#include "promql/format.h"
#include "promql/frame.h"
#include "promql/lexer.h"
#include "promql/parser.h"

namespace stoker::promql {

namespace {

constexpr std::size_t kMostSteps = 1'000'000;

bool is_space(char c) {
    return c == ' ' || c == '\t';
}

std::string_view next_word(std::string_view& text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    std::size_t length = 0;
    while (length < text.size() && !is_space(text[length])) ++length;
    const std::string_view word = text.substr(0, length);
    text.remove_prefix(length);
    return word;
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
            braces = true;
        } else if (c == '}') {
            return i + 1;
        } else if (is_space(c) && !braces && line.find_first_not_of(" \t", i) != line.find('{', i)) {
            return i;
        }
    }
    return line.size();
}

Result<tsdb::Labels> parse_metric(std::string_view text) {
    if (text == "{}") return tsdb::Labels{};
    TRY(const VectorSelector selector, parse_vector_selector(text));
    std::vector<tsdb::Labels::Pair> pairs;
    for (const tsdb::Matcher& matcher : selector.matchers) {
        if (matcher.op != tsdb::Matcher::Op::Equal) {
            return Error{Errc::InvalidArgument, "a series takes only = for its labels: " + std::string(text)};
        }
        pairs.emplace_back(matcher.name, matcher.value);
    }
    return tsdb::Labels(std::move(pairs));
}

// `1`, `_`, `stale`, and each with `xN`; `1+2xN`, `1-2xN`.
bool append_values(std::string_view word, std::vector<std::optional<double>>& values) {
    std::size_t times = 0;
    const std::size_t x = word.rfind('x');
    const bool hex = x == 1 && word[0] == '0';
    const bool repeated = x != std::string_view::npos && !hex;
    if (repeated) {
        const std::string_view count = word.substr(x + 1);
        const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), times);
        if (error != std::errc() || end != count.data() + count.size() || times > kMostSteps) return false;
        word = word.substr(0, x);
    }
    if (word == "_" || word == "stale") {
        // Unlike numbers, `_x4` is four steps and not five.
        const auto value = word == "_" ? std::nullopt : std::optional<double>(missing());
        values.insert(values.end(), repeated ? times : 1, value);
        return true;
    }
    double value = 0;
    double step = 0;
    if (!read_number(word, value)) {
        // The sign that parts value and step: not the first character, and none of an exponent.
        std::size_t sign = word.find_first_of("+-", 1);
        while (sign != std::string_view::npos && (word[sign - 1] == 'e' || word[sign - 1] == 'E')) {
            sign = word.find_first_of("+-", sign + 1);
        }
        if (sign == std::string_view::npos || !repeated) return false;
        if (!read_number(word.substr(0, sign), value) || !read_number(word.substr(sign), step)) return false;
    }
    for (std::size_t i = 0; i <= times; ++i) {
        values.emplace_back(value);
        value += step;
    }
    return true;
}

}  // namespace

Result<SeriesText> parse_series_text(std::string_view line) {
    while (!line.empty() && is_space(line.front())) line.remove_prefix(1);
    const std::size_t length = metric_length(line);
    SeriesText series;
    TRY(series.labels, parse_metric(line.substr(0, length)));
    line.remove_prefix(length);
    for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
        if (!append_values(word, series.values)) {
            return Error{Errc::InvalidArgument, "bad value in series: " + quote(word)};
        }
    }
    return series;
}

}  // namespace stoker::promql
