#include "wire/prometheus_text_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "wire/utf8.h"

namespace stoker::wire::internal {

namespace {

constexpr std::uint8_t kNameStart = 1;
constexpr std::uint8_t kNameInner = 2;
constexpr std::uint8_t kColon = 4;  // Metric names have it, label names don't.

constexpr std::array<std::uint8_t, 256> make_classes() {
    std::array<std::uint8_t, 256> classes{};
    for (unsigned c = 'a'; c <= 'z'; ++c) {
        classes[c] = classes[c - 'a' + 'A'] = kNameStart | kNameInner;
    }
    for (unsigned c = '0'; c <= '9'; ++c) {
        classes[c] = kNameInner;
    }
    classes['_'] = kNameStart | kNameInner;
    classes[':'] = kColon;
    return classes;
}
constexpr auto kClasses = make_classes();

bool is(char c, std::uint8_t what) {
    return (kClasses[static_cast<unsigned char>(c)] & what) != 0;
}

// The length of the name at the start of `text`; 0 if none starts there.
std::size_t name_length(std::string_view text, std::uint8_t extra) {
    if (text.empty() || !is(text.front(), static_cast<std::uint8_t>(kNameStart | extra))) {
        return 0;
    }
    std::size_t length = 1;
    while (length < text.size() && is(text[length], static_cast<std::uint8_t>(kNameInner | extra))) {
        ++length;
    }
    return length;
}

bool same_letters(std::string_view text, std::string_view lower) {
    return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                      [](char a, char b) { return (a | 0x20) == b; });
}

bool known_type(std::string_view type, ExpositionFormat format) {
    static constexpr std::array<std::string_view, 5> kBoth{"counter", "gauge", "histogram", "summary", "unknown"};
    static constexpr std::array<std::string_view, 3> kOpenMetrics{"info", "stateset", "gaugehistogram"};
    const auto in = [&](const auto& types) { return std::find(types.begin(), types.end(), type) != types.end(); };
    return in(kBoth) || in(kOpenMetrics) || (format == ExpositionFormat::Prometheus && type == "untyped");
}

std::string show(std::string_view token) {
    constexpr std::size_t kShown = 40;
    return "\"" + std::string(token.substr(0, kShown)) + (token.size() > kShown ? "...\"" : "\"");
}

}  // namespace

bool parse_value(std::string_view token, double& value) {
    std::string_view digits = token;
    const bool negative = !digits.empty() && digits.front() == '-';
    if (negative || (!digits.empty() && digits.front() == '+')) {
        digits.remove_prefix(1);
    }
    if (same_letters(digits, "inf") || same_letters(digits, "infinity")) {
        value = negative ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
        return true;
    }
    if (same_letters(token, "nan")) {
        value = std::numeric_limits<double>::quiet_NaN();
        return true;
    }
    // from_chars alone would also take "-" after our "+", and "nan(...)".
    if (digits.empty() || ((digits.front() < '0' || digits.front() > '9') && digits.front() != '.')) {
        return false;
    }
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (failed != std::errc() || end != digits.data() + digits.size()) {
        return false;
    }
    value = negative ? -value : value;
    return true;
}

void LineParser::begin(std::string_view line, ExpositionFormat format) {
    format_ = format;
    if (!line.empty() && line.back() == '\r' && !open_metrics()) {
        line.remove_suffix(1);
    }
    line_ = line;
    at_ = 0;
    error_.clear();
}

bool LineParser::fail(std::string message) {
    return fail_at(at_, std::move(message));
}

bool LineParser::fail_at(std::size_t at, std::string message) {
    error_at_ = at;
    error_ = std::move(message);
    return false;
}

void LineParser::skip_blanks() {
    while (!open_metrics() && !at_end() && (line_[at_] == ' ' || line_[at_] == '\t')) {
        ++at_;
    }
}

bool LineParser::gap() {
    if (!open_metrics()) {
        skip_blanks();
        return true;
    }
    if (peek() != ' ') {
        return fail(at_end() ? "the line ends too early" : "expected a blank, not " + show(line_.substr(at_, 1)));
    }
    ++at_;
    return (!at_end() && peek() != ' ' && peek() != '\t') || fail("more than one blank");
}

std::string_view LineParser::token() {
    const std::size_t start = at_;
    while (!at_end() && line_[at_] != ' ' && line_[at_] != '\t') {
        ++at_;
    }
    return line_.substr(start, at_ - start);
}

bool LineParser::metric_name(std::string_view& name) {
    const std::size_t length = name_length(line_.substr(at_), kColon);
    if (length == 0) {
        return fail(at_end() ? "a metric name is missing"
                             : "a metric name cannot start with " + show(line_.substr(at_, 1)));
    }
    name = line_.substr(at_, length);
    at_ += length;
    return true;
}

// At the opening quote. The view points into the line unless there were escapes.
bool LineParser::quoted(std::string_view& text) {
    const std::size_t start = ++at_;
    bool escapes = false;
    unsigned char seen = 0;
    while (!at_end() && line_[at_] != '"') {
        seen |= static_cast<unsigned char>(line_[at_]);
        if (line_[at_] == '\\') {
            escapes = true;
            ++at_;
        }
        if (!at_end()) {
            ++at_;
        }
    }
    if (at_end()) {
        return fail_at(start - 1, "this quote is never closed");
    }
    text = line_.substr(start, at_ - start);
    ++at_;
    if (escapes) {
        std::string& plain = unescaped_.emplace_back();
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] != '\\') {
                plain += text[i];
                continue;
            }
            const char escaped = text[++i];
            if (escaped != '\\' && escaped != '"' && escaped != 'n') {
                return fail_at(start + i - 1, "unknown escape " + show(text.substr(i - 1, 2)));
            }
            plain += escaped == 'n' ? '\n' : escaped;
        }
        text = plain;
    }
    if (seen >= 0x80 && !valid_utf8(text)) {
        return fail_at(start, "text that is not UTF-8");
    }
    return true;
}

// At the opening brace.
bool LineParser::labels(LabelViews& labels, std::string_view* name) {
    const std::size_t open = at_++;
    bool separated = true;
    while (true) {
        skip_blanks();
        if (at_end()) {
            return fail_at(open, "this brace is never closed");
        }
        if (peek() == '}') {
            const bool dangling = open_metrics() && at_ > open + 1 && line_[at_ - 1] == ',';
            ++at_;
            return !dangling || fail_at(at_ - 2, "a comma before the closing brace");
        }
        if (!separated) {
            return fail("expected , or } after a label, not " + show(line_.substr(at_, 1)));
        }
        if (!label(labels, name)) {
            return false;
        }
        name = nullptr;
        skip_blanks();
        separated = peek() == ',';
        at_ += separated ? 1 : 0;
    }
}

// name="value", "quoted name"="value", or, in first place, a quoted metric name alone.
bool LineParser::label(LabelViews& labels, std::string_view* metric) {
    const std::size_t start = at_;
    std::string_view name;
    const bool is_quoted = peek() == '"';
    if (is_quoted) {
        if (!quoted(name)) {
            return false;
        }
    } else {
        const std::size_t length = name_length(line_.substr(at_), 0);
        if (length == 0) {
            return fail("a label name cannot start with " + show(line_.substr(at_, 1)));
        }
        name = line_.substr(at_, length);
        at_ += length;
    }
    skip_blanks();
    if (is_quoted && peek() != '=' && metric != nullptr && metric->empty()) {
        *metric = name;
        return !name.empty() || fail_at(start, "the metric name is empty");
    }
    if (peek() != '=') {
        return fail("expected = after the label name " + show(name));
    }
    ++at_;
    skip_blanks();
    if (peek() != '"') {
        return fail("expected a quoted value for the label " + show(name));
    }
    std::string_view text;
    if (!quoted(text)) {
        return false;
    }
    for (const auto& [other, ignored] : labels) {
        if (other == name) {
            return fail_at(start, "the label " + show(name) + " is given twice");
        }
    }
    if (name.empty() || name == "__name__") {
        return fail_at(start, "a label cannot be called " + show(name));
    }
    if (labels.size() == limits_.max_labels) {
        return fail_at(start, "more than " + std::to_string(limits_.max_labels) + " labels");
    }
    labels.emplace_back(name, text);
    return true;
}

bool LineParser::value(double& value) {
    const std::size_t start = at_;
    const std::string_view text = token();
    if (text.empty()) {
        return fail("the value is missing");
    }
    return parse_value(text, value) || fail_at(start, show(text) + " is not a number");
}

bool LineParser::timestamp(std::optional<std::int64_t>& time_ms) {
    const std::size_t start = at_;
    const std::string_view text = token();
    if (!open_metrics()) {
        std::int64_t millis = 0;
        const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), millis);
        if (failed != std::errc() || end != text.data() + text.size()) {
            return fail_at(start, show(text) + " is not a timestamp in milliseconds");
        }
        time_ms = millis;
        return true;
    }
    constexpr double kMaxSeconds = 9e15;  // Milliseconds of more would leave 64 bits.
    double seconds = 0;
    if (!parse_value(text, seconds) || !(std::abs(seconds) < kMaxSeconds)) {
        return fail_at(start, show(text) + " is not a timestamp in seconds");
    }
    time_ms = std::llround(seconds * 1000);
    return true;
}

// At '#': "# {labels} value [timestamp]".
bool LineParser::exemplar(ExpositionExemplar& exemplar) {
    ++at_;
    if (!gap()) {
        return false;
    }
    if (peek() != '{') {
        return fail("an exemplar starts with its labels in braces");
    }
    if (!labels(exemplar.labels, nullptr)) {
        return false;
    }
    if (at_end()) {
        return fail("the value is missing");
    }
    if (!gap() || !value(exemplar.value)) {
        return false;
    }
    return at_end() || (gap() && timestamp(exemplar.time_ms));
}

bool LineParser::sample(ExpositionSample& sample, std::optional<ExpositionExemplar>& exemplar_out) {
    sample.name = {};
    sample.labels.clear();
    sample.time_ms.reset();
    sample.created_ms.reset();
    exemplar_out.reset();
    skip_blanks();
    if (peek() != '{' && !metric_name(sample.name)) {
        return false;
    }
    skip_blanks();
    if (peek() == '{' && !labels(sample.labels, &sample.name)) {
        return false;
    }
    if (sample.name.empty()) {
        return fail_at(0, "a metric name is missing");
    }
    if (at_end()) {
        return fail("the value is missing");
    }
    if (!gap() || !value(sample.value)) {
        return false;
    }
    if (!at_end() && !gap()) {
        return false;
    }
    if (!at_end() && peek() != '#') {
        if (!timestamp(sample.time_ms) || (!at_end() && !gap())) {
            return false;
        }
    }
    if (peek() == '#' && open_metrics() && !exemplar(exemplar_out.emplace())) {
        return false;
    }
    skip_blanks();
    return at_end() || fail("unexpected " + show(line_.substr(at_)) + " after the sample");
}

LineParser::Comment LineParser::comment(ExpositionMetadata& metadata) {
    skip_blanks();
    ++at_;  // The '#'.
    const bool spaced = gap();
    const std::string_view keyword = token();
    if (open_metrics() && spaced && keyword == "EOF" && at_end()) {
        return Comment::Eof;
    }
    const bool unit = open_metrics() && keyword == "UNIT";
    if (keyword != "TYPE" && keyword != "HELP" && !unit) {
        if (open_metrics()) {
            fail_at(0, "a comment that is neither TYPE, HELP, UNIT nor EOF");
            return Comment::Bad;
        }
        return Comment::Plain;
    }
    if (!spaced || !gap()) {
        return Comment::Bad;
    }
    const bool named = peek() == '"' ? quoted(metadata.family) : metric_name(metadata.family);
    if (!named) {
        return Comment::Bad;
    }
    if (!at_end() && peek() != ' ' && peek() != '\t') {
        fail("a metric name cannot hold " + show(line_.substr(at_, 1)));
        return Comment::Bad;
    }
    if (keyword == "HELP") {
        return help(metadata);
    }
    if (!gap()) {
        return Comment::Bad;
    }
    if (keyword == "TYPE") {
        return type(metadata);
    }
    metadata.kind = ExpositionMetadata::Kind::Unit;
    metadata.text = line_.substr(at_);
    return Comment::Metadata;
}

LineParser::Comment LineParser::help(ExpositionMetadata& metadata) {
    metadata.kind = ExpositionMetadata::Kind::Help;
    skip_blanks();
    if (open_metrics()) {
        // One blank, and then the text with all of its own.
        if (peek() != ' ') {
            fail("expected a blank and the help text");
            return Comment::Bad;
        }
        ++at_;
    }
    metadata.text = line_.substr(at_);
    if (metadata.text.find('\\') == std::string_view::npos) {
        return Comment::Metadata;
    }
    // Escapes in help are read leniently: it is prose, and no sample depends on it.
    std::string& plain = unescaped_.emplace_back();
    for (std::size_t i = 0; i < metadata.text.size(); ++i) {
        const char c = metadata.text[i];
        const char next = i + 1 < metadata.text.size() ? metadata.text[i + 1] : '\0';
        if (c == '\\' && (next == '\\' || next == 'n' || next == '"')) {
            plain += next == 'n' ? '\n' : next;
            ++i;
        } else {
            plain += c;
        }
    }
    metadata.text = plain;
    return Comment::Metadata;
}

LineParser::Comment LineParser::type(ExpositionMetadata& metadata) {
    const std::size_t start = at_;
    metadata.kind = ExpositionMetadata::Kind::Type;
    metadata.text = token();
    skip_blanks();
    if (!at_end() || !known_type(metadata.text, format_)) {
        fail_at(start, show(line_.substr(start)) + " is not a metric type");
        return Comment::Bad;
    }
    return Comment::Metadata;
}

}  // namespace stoker::wire::internal
