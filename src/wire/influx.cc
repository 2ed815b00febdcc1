#include "wire/influx.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <deque>
#include <limits>

#include "wire/utf8.h"

namespace stoker::wire {
namespace {

std::optional<double> bool_value(std::string_view text) {
    for (const std::string_view yes : {"t", "T", "true", "True", "TRUE"}) {
        if (text == yes) return 1;
    }
    for (const std::string_view no : {"f", "F", "false", "False", "FALSE"}) {
        if (text == no) return 0;
    }
    return std::nullopt;
}

template <typename Number>
std::optional<double> number(std::string_view digits) {
    Number value{};
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (failed != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return static_cast<double>(value);
}

// 1.5, 3i, 4u, true. NaN and infinity are no values here.
std::optional<double> field_value(std::string_view text) {
    if (text.empty()) return std::nullopt;
    const std::string_view body = text.substr(0, text.size() - 1);
    if (text.back() == 'i') return number<std::int64_t>(body);
    if (text.back() == 'u') return number<std::uint64_t>(body);
    if (const auto flag = bool_value(text)) return flag;
    const std::size_t digit = text.find_first_not_of("+-");  // from_chars alone would take "inf" and "nan".
    if (digit > 1 || ((text[digit] < '0' || text[digit] > '9') && text[digit] != '.')) return std::nullopt;
    const auto value = number<double>(text);
    return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<std::int64_t> to_millis(std::int64_t time, InfluxPrecision precision) {
    const auto times = [time](std::int64_t factor) -> std::optional<std::int64_t> {
        if (std::abs(static_cast<double>(time)) * static_cast<double>(factor) > 9e18) return std::nullopt;
        return time * factor;
    };
    const auto floored = [time](std::int64_t divisor) { return time / divisor - (time % divisor < 0 ? 1 : 0); };
    switch (precision) {
        case InfluxPrecision::Nanoseconds:
            return floored(1'000'000);
        case InfluxPrecision::Microseconds:
            return floored(1'000);
        case InfluxPrecision::Milliseconds:
            return time;
        case InfluxPrecision::Seconds:
            return times(1'000);
        case InfluxPrecision::Minutes:
            return times(60'000);
        case InfluxPrecision::Hours:
            return times(3'600'000);
    }
    return time;
}

class Parser {
public:
    Parser(std::string_view text, InfluxPrecision precision, const InfluxLimits& limits)
        : text_(text), precision_(precision), limits_(limits) {}

    void run(const InfluxVisitor& visitor) {
        while (at_ < text_.size()) {
            if (skip_blank()) continue;
            start_ = at_;
            point_.line = line_;
            const bool fine = point();
            skip_to_line_end();
            if (fine) {
                visitor.on_point(point_);
            } else {
                visitor.on_error({point_.line, text_.substr(start_, std::min<std::size_t>(at_ - start_, 200)), error_});
            }
            if (at_ < text_.size()) ++at_;  // The line feed.
            ++line_;
        }
    }

private:
    bool fail(std::string message) {
        error_ = std::move(message);
        return false;
    }
    bool at_line_end() const { return at_ >= text_.size() || text_[at_] == '\n' || is_crlf(); }
    bool is_crlf() const { return text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n'; }
    void skip_to_line_end() { at_ = std::min(text_.find('\n', at_), text_.size()); }
    void skip_spaces() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
    }

    // Blank lines and comments. True: one was passed.
    bool skip_blank() {
        skip_spaces();
        if (at_ < text_.size() && text_[at_] == '#') skip_to_line_end();
        if (!at_line_end()) return false;
        skip_to_line_end();
        if (at_ < text_.size()) ++at_;
        ++line_;
        return true;
    }

    // Up to one of `ends` that no backslash stands before, or the line's end.
    std::string_view piece(std::string_view ends) {
        const std::size_t start = at_;
        bool escaped = false;
        while (!at_line_end() && ends.find(text_[at_]) == std::string_view::npos) {
            const bool pair = text_[at_] == '\\' && at_ + 1 < text_.size() && is_special(text_[at_ + 1]);
            escaped = escaped || pair;
            at_ += pair ? 2 : 1;
        }
        at_ = std::min(at_, text_.size());
        const std::string_view raw = text_.substr(start, at_ - start);
        return escaped ? unescaped(raw) : raw;
    }
    static bool is_special(char c) { return c == ',' || c == '=' || c == ' '; }

    std::string_view unescaped(std::string_view raw) {
        std::string& out = plain_.emplace_back();
        for (std::size_t i = 0; i < raw.size(); ++i) {
            if (raw[i] == '\\' && i + 1 < raw.size() && is_special(raw[i + 1])) ++i;
            out += raw[i];
        }
        return out;
    }

    bool point() {
        plain_.clear();
        point_.tags.clear();
        point_.fields.clear();
        point_.time_ms.reset();
        point_.measurement = piece(", ");
        if (point_.measurement.empty()) return fail("missing measurement");
        while (!at_line_end() && text_[at_] == ',') {
            if (!tag()) return false;
        }
        if (at_line_end()) return fail("missing fields");
        skip_spaces();
        do {
            if (!field()) return false;
        } while (!at_line_end() && text_[at_++] == ',');
        if (!time()) return false;
        if (at_ - start_ > limits_.max_line_bytes) {
            return fail("the line is longer than " + std::to_string(limits_.max_line_bytes) + " bytes");
        }
        return valid_utf8(text_.substr(start_, at_ - start_)) || fail("text that is not UTF-8");
    }

    bool tag() {
        ++at_;  // The comma.
        const std::string_view name = piece(",= ");
        if (name.empty()) return fail("missing tag key");
        if (at_line_end() || text_[at_] != '=') return fail("missing tag value");
        ++at_;
        const std::string_view value = piece(", ");
        if (value.empty()) return fail("missing tag value");
        if (point_.tags.size() == limits_.max_tags) {
            return fail("more than " + std::to_string(limits_.max_tags) + " tags");
        }
        point_.tags.emplace_back(name, value);
        return true;
    }

    bool field() {
        const std::string_view name = piece(",= ");
        if (name.empty()) return fail("missing field key");
        if (at_line_end() || text_[at_] != '=') return fail("missing field value");
        ++at_;
        if (point_.fields.size() == limits_.max_fields) {
            return fail("more than " + std::to_string(limits_.max_fields) + " fields");
        }
        if (at_ < text_.size() && text_[at_] == '"') {
            point_.fields.push_back({name, std::nullopt});
            return pass_string();
        }
        const std::string_view text = piece(", ");
        if (text.empty()) return fail("missing field value");
        const auto value = field_value(text);
        if (!value) return fail("invalid value \"" + std::string(text.substr(0, 40)) + "\"");
        point_.fields.push_back({name, value});
        return true;
    }

    // A quoted value may hold line feeds, and escapes only " and \.
    bool pass_string() {
        for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
            if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
            if (text_[at_] == '\n') ++line_;
        }
        if (at_ >= text_.size()) return fail("unbalanced quotes");
        ++at_;
        return at_line_end() || text_[at_] == ',' || text_[at_] == ' ' || fail("text after a quoted value");
    }

    bool time() {
        skip_spaces();
        if (at_line_end()) return true;
        const std::string_view text = piece(" ");
        std::int64_t time = 0;
        const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), time);
        if (failed != std::errc() || end != text.data() + text.size()) {
            return fail("bad timestamp \"" + std::string(text.substr(0, 40)) + "\"");
        }
        point_.time_ms = to_millis(time, precision_);
        if (!point_.time_ms) return fail("time outside range");
        skip_spaces();
        return at_line_end() || fail("text after the timestamp");
    }

    const std::string_view text_;
    const InfluxPrecision precision_;
    const InfluxLimits& limits_;
    std::size_t at_ = 0;
    std::size_t start_ = 0;
    std::size_t line_ = 1;
    InfluxPoint point_;
    std::deque<std::string> plain_;  // A deque: views into its strings survive growth.
    std::string error_;
};

}  // namespace

Result<InfluxPrecision> parse_influx_precision(std::string_view text) {
    if (text.empty() || text == "ns" || text == "n") return InfluxPrecision::Nanoseconds;
    if (text == "us" || text == "u" || text == "\xc2\xb5" || text == "\xc2\xb5s") return InfluxPrecision::Microseconds;
    if (text == "ms") return InfluxPrecision::Milliseconds;
    if (text == "s") return InfluxPrecision::Seconds;
    if (text == "m") return InfluxPrecision::Minutes;
    if (text == "h") return InfluxPrecision::Hours;
    return Error{Errc::InvalidArgument,
                 "invalid precision \"" + std::string(text.substr(0, 20)) + "\": ns, us, ms, s, m and h are known"};
}

void parse_influx(std::string_view text, InfluxPrecision precision, const InfluxVisitor& visitor,
                  const InfluxLimits& limits) {
    Parser(text, precision, limits).run(visitor);
}

}  // namespace stoker::wire
