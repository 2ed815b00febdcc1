#include "base/log_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/text.h"

namespace stoker::log {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"debug", "info", "warn", "error", "off"};
constexpr std::array<std::string_view, 5> kTitles = {"DEBUG", "INFO ", "WARN ", "ERROR", "OFF  "};

bool is_bare(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > ' ' && byte < 0x7F && c != '"' && c != '=' && c != '\\';
}

// As it is, if it can't be misread; otherwise quoted like JSON.
std::string text_value(std::string_view value) {
    const bool bare = !value.empty() && std::all_of(value.begin(), value.end(), is_bare);
    return bare ? std::string(value) : quote_json(value);
}

// A message keeps its blanks and quotes, but not its line ends.
std::string text_message(std::string_view message) {
    const bool harmless =
        std::none_of(message.begin(), message.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; });
    return harmless ? std::string(message) : quote_json(message);
}

}  // namespace

std::string text_line(Timestamp time, Level level, std::string_view message, Fields fields) {
    std::string line = fmt::format("{} {} {}", format_timestamp(time), kTitles[static_cast<std::size_t>(level)],
                                   text_message(message));
    for (const Field& field : fields)
        fmt::format_to(std::back_inserter(line), " {}={}", field.key, text_value(field.value));
    return line;
}

std::string json_line(Timestamp time, Level level, std::string_view message, Fields fields) {
    std::string line = fmt::format(R"({{"time":"{}","level":"{}","message":{})", format_timestamp(time),
                                   to_string(level), quote_json(message));
    for (const Field& field : fields) {
        fmt::format_to(std::back_inserter(line), ",{}:{}", quote_json(field.key),
                       field.quoted ? quote_json(field.value) : field.value);
    }
    line += '}';
    return line;
}

std::string_view to_string(Level level) {
    return kNames[static_cast<std::size_t>(level)];
}

std::optional<Level> parse_level(std::string_view text) {
    const auto found = std::find(kNames.begin(), kNames.end(), text);
    if (found == kNames.end()) return std::nullopt;
    return static_cast<Level>(found - kNames.begin());
}

}  // namespace stoker::log
