#include "collect/logs/severity.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace stoker::collect {
namespace {

constexpr std::size_t kPrefix = 120;  // Levels stand before the message; far inside it the word is the message's own.

struct Word {
    std::string_view text;
    std::uint8_t severity;
};

constexpr std::array kWords = std::to_array<Word>({
    {"trace", kTrace}, {"trc", kTrace},       {"verbose", kTrace}, {"debug", kDebug},         {"dbg", kDebug},
    {"dbug", kDebug},  {"info", kInfo},       {"inf", kInfo},      {"information", kInfo},    {"informational", kInfo},
    {"log", kInfo},    {"notice", kInfo + 1}, {"warn", kWarn},     {"warning", kWarn},        {"wrn", kWarn},
    {"error", kError}, {"err", kError},       {"eror", kError},    {"critical", kFatal},      {"crit", kFatal},
    {"fatal", kFatal}, {"ftl", kFatal},       {"alert", kFatal},   {"emergency", kFatal + 1}, {"emerg", kFatal + 1},
    {"panic", kFatal}, {"dpanic", kFatal},
});

constexpr std::array kLetters =
    std::to_array<Word>({{"t", kTrace}, {"d", kDebug}, {"i", kInfo}, {"w", kWarn}, {"e", kError}, {"f", kFatal}});

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Whether the word is meant as a level: in capitals, in brackets, or before a colon.
bool stands_out(std::string_view line, std::size_t begin, std::size_t end) {
    const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
    if (std::none_of(line.begin() + static_cast<std::ptrdiff_t>(begin), line.begin() + static_cast<std::ptrdiff_t>(end),
                     lower)) {
        return true;
    }
    const char before = begin > 0 ? line[begin - 1] : '\0';
    const char after = end < line.size() ? line[end] : '\0';
    const bool bracketed = (before == '[' && after == ']') || (before == '<' && after == '>');
    return bracketed || (begin == 0 && after == ':');
}

// klog and glog: I1123 10:20:30.123456 ...
std::uint8_t severity_of_glog(std::string_view line) {
    if (line.size() < 6 || line[5] != ' ') return 0;
    if (!std::all_of(line.begin() + 1, line.begin() + 5, is_digit)) return 0;
    for (const Word& letter : kLetters) {
        if (line[0] == letter.text[0] - 'a' + 'A') return letter.severity;
    }
    return 0;
}

}  // namespace

std::uint8_t severity_of_word(std::string_view word) {
    for (const Word& known : kWords) {
        if (equals_ignore_case(word, known.text)) return known.severity;
    }
    for (const Word& known : kLetters) {
        if (equals_ignore_case(word, known.text)) return known.severity;
    }
    return 0;
}

std::uint8_t severity_of_priority(int priority) {
    constexpr std::array<std::uint8_t, 8> kOf = {kFatal + 1, kFatal, kFatal, kError, kWarn, kInfo + 1, kInfo, kDebug};
    return priority >= 0 && priority < 8 ? kOf[static_cast<std::size_t>(priority)] : std::uint8_t{0};
}

std::uint8_t severity_of_pino(std::int64_t level) {
    constexpr std::array<std::uint8_t, 6> kOf = {kTrace, kDebug, kInfo, kWarn, kError, kFatal};
    if (level < 10 || level > 69) return 0;
    return kOf[static_cast<std::size_t>(level / 10 - 1)];
}

std::uint8_t severity_of_line(std::string_view line) {
    if (const auto glog = severity_of_glog(line)) return glog;
    if (line.starts_with("Traceback (most recent call last)")) return kError;
    const std::string_view head = line.substr(0, kPrefix);
    for (std::size_t i = 0; i < head.size();) {
        if (!is_letter(head[i])) {
            ++i;
            continue;
        }
        const std::size_t begin = i;
        while (i < head.size() && is_letter(head[i])) ++i;
        const bool whole = (begin == 0 || (!is_digit(head[begin - 1]) && head[begin - 1] != '_')) &&
                           (i == head.size() || (!is_digit(head[i]) && head[i] != '_'));
        const std::size_t length = i - begin;
        // A letter alone counts only in brackets: "[TRT-LLM] [E] ...".
        const bool letter_in_brackets = length == 1 && begin > 0 && head[begin - 1] == '[' && i < head.size() &&
                                        head[i] == ']' && head[begin] <= 'Z';
        if (!whole || length > 13 || (length < 3 && !letter_in_brackets)) continue;
        const std::string_view word = head.substr(begin, length);
        if (equals_ignore_case(word, "log") || equals_ignore_case(word, "alert")) continue;  // Too often plain words.
        const auto severity = severity_of_word(word);
        if (severity != 0 && stands_out(head, begin, i)) return severity;
    }
    return 0;
}

std::string_view severity_name(std::uint8_t severity) {
    if (severity == 0) return "";
    constexpr std::array<std::string_view, 6> kNames = {"trace", "debug", "info", "warn", "error", "fatal"};
    return kNames[std::min<std::size_t>((severity - 1) / 4, kNames.size() - 1)];
}

}  // namespace stoker::collect
