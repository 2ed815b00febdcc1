#include "collect/logs/parse_line.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "collect/logs/log_time.h"
#include "collect/logs/severity.h"
#include "wire/flat_json.h"

namespace stoker::collect {
namespace {

enum class Meaning : std::uint8_t { None, Time, Level, Message, Trace, Span, Service };

struct KnownKey {
    std::string_view name;
    Meaning meaning;
};

// Compared without case. Names: zap, zerolog, logrus, slog, pino, structlog, python-json-logger, ECS, OpenTelemetry.
constexpr std::array kKeys = std::to_array<KnownKey>({
    {"time", Meaning::Time},
    {"ts", Meaning::Time},
    {"timestamp", Meaning::Time},
    {"@timestamp", Meaning::Time},
    {"asctime", Meaning::Time},
    {"level", Meaning::Level},
    {"lvl", Meaning::Level},
    {"severity", Meaning::Level},
    {"levelname", Meaning::Level},
    {"log.level", Meaning::Level},
    {"severity_text", Meaning::Level},
    {"severitytext", Meaning::Level},
    {"msg", Meaning::Message},
    {"message", Meaning::Message},
    {"trace_id", Meaning::Trace},
    {"traceid", Meaning::Trace},
    {"trace.id", Meaning::Trace},
    {"oteltraceid", Meaning::Trace},
    {"trace-id", Meaning::Trace},
    {"span_id", Meaning::Span},
    {"spanid", Meaning::Span},
    {"span.id", Meaning::Span},
    {"otelspanid", Meaning::Span},
    {"service", Meaning::Service},
    {"service.name", Meaning::Service},
    {"otelservicename", Meaning::Service},
});

Meaning meaning_of(std::string_view key) {
    for (const KnownKey& known : kKeys) {
        if (equals_ignore_case(key, known.name)) return known.meaning;
    }
    return Meaning::None;
}

bool is_hex(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    });
}

// An id of that many hex digits, dashes (a UUID's) left out; empty if it is none, or all zeros.
std::string id_of(std::string_view text, std::size_t digits) {
    std::string id = to_lower(text.substr(0, digits + 4));
    std::erase(id, '-');
    const bool fits = id.size() == digits && is_hex(id) && id.find_first_not_of('0') != std::string::npos;
    return fits ? id : std::string();
}

// What members of a line have said so far.
class Members {
public:
    explicit Members(LogEntry& entry) : entry_(entry) {}

    // One member with its value as text; `number` if it was one in JSON.
    void add(std::string_view key, std::string_view value, bool number = false) {
        switch (meaning_of(key)) {
            case Meaning::Time:
                if (const auto time = parse_log_time(value); time && entry_.time_ns == 0) {
                    entry_.time_ns = *time;
                    return;
                }
                break;
            case Meaning::Level:
                if (level(value, number)) return;
                break;
            case Meaning::Message:
                if (!message_) {
                    message_ = std::string(value);
                    return;
                }
                break;
            case Meaning::Trace:
                if (take_id(value, 32, entry_.trace_id)) return;
                break;
            case Meaning::Span:
                if (take_id(value, 16, entry_.span_id)) return;
                break;
            case Meaning::Service:
                if (entry_.service.empty() && !value.empty()) {
                    entry_.service = value;
                    return;
                }
                break;
            case Meaning::None:
                break;
        }
        if (added_++ < kMostLineAttributes) entry_.attributes.emplace_back(key, value);
    }

    void finish() {
        if (message_) entry_.body = std::move(*message_);
    }

private:
    bool level(std::string_view value, bool number) {
        if (entry_.severity != 0) return false;
        const auto whole = number ? parse_integer(value) : std::nullopt;
        entry_.severity = whole ? severity_of_pino(*whole) : severity_of_word(trim(value));
        if (entry_.severity == 0) return false;
        entry_.severity_text = trim(value);
        return true;
    }
    static bool take_id(std::string_view value, std::size_t digits, std::string& into) {
        if (!into.empty()) return false;
        into = id_of(value, digits);
        return !into.empty();
    }

    LogEntry& entry_;
    std::optional<std::string> message_;
    std::size_t added_ = 0;
};

// False: it is not one JSON object.
bool parse_json(LogEntry& entry) {
    constexpr int kDepth = 4;
    Members members(entry);
    const bool object =
        wire::flatten_json(entry.body, kDepth, [&](std::string_view key, std::string_view value, wire::FlatKind kind) {
            members.add(key, value, kind == wire::FlatKind::Integer);
        });
    if (object) members.finish();
    return object;
}

bool key_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-' || c == '@';
}

// A quoted value at text[at], which is '"'; `at` is past it then. Without an end it is the rest.
std::string quoted(std::string_view text, std::size_t& at) {
    std::string value;
    for (++at; at < text.size() && text[at] != '"'; ++at) {
        if (text[at] == '\\' && at + 1 < text.size()) {
            const char c = text[++at];
            value += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
        } else {
            value += text[at];
        }
    }
    if (at < text.size()) ++at;
    return value;
}

// key=value key="va lue" ...; nothing if the text is not made of such pairs alone.
std::optional<LogEntry::Attributes> logfmt_pairs(std::string_view text) {
    LogEntry::Attributes pairs;
    std::size_t at = 0;
    while (true) {
        while (at < text.size() && text[at] == ' ') ++at;
        if (at == text.size()) return pairs;
        const std::size_t begin = at;
        while (at < text.size() && key_character(text[at])) ++at;
        if (at == begin || at == text.size() || text[at] != '=') return std::nullopt;
        auto& [key, value] = pairs.emplace_back(std::string(text.substr(begin, at - begin)), std::string());
        ++at;
        if (at < text.size() && text[at] == '"') {
            value = quoted(text, at);
        } else {
            const std::size_t end = std::min(text.find(' ', at), text.size());
            value = text.substr(at, end - at);
            at = end;
        }
    }
}

// "a=b c=d" is logfmt only if one of the keys is one that loggers write: else it is a sentence with an equals sign.
bool parse_logfmt(LogEntry& entry) {
    if (entry.body.find('=') > 64) return false;
    auto pairs = logfmt_pairs(trim(entry.body));
    if (!pairs || pairs->size() < 2) return false;
    const auto known = [](const auto& pair) {
        const Meaning meaning = meaning_of(pair.first);
        return meaning == Meaning::Level || meaning == Meaning::Message || meaning == Meaning::Time;
    };
    if (std::none_of(pairs->begin(), pairs->end(), known)) return false;
    Members members(entry);
    for (const auto& [key, value] : *pairs) members.add(key, value);
    members.finish();
    return true;
}

// trace_id=..., "traceId": "...", trace_id: ... anywhere in a text: what follows the name within a few characters.
std::string id_after(std::string_view text, std::string_view name, std::size_t digits) {
    const std::size_t at = text.find(name);
    if (at == std::string_view::npos) return {};
    std::string_view rest = text.substr(at + name.size());
    const std::size_t start = rest.find_first_not_of("=: \"'");
    if (start == 0 || start == std::string_view::npos || start > 4) return {};
    rest = rest.substr(start, digits);
    return id_of(rest, digits);
}

void parse_plain(LogEntry& entry) {
    const std::string_view line = entry.body;
    if (entry.severity == 0) entry.severity = severity_of_line(line);
    if (entry.time_ns == 0) {
        const std::size_t start = std::min(line.find_first_not_of(" ["), line.size());
        if (const auto time = time_at_front(line.substr(start))) entry.time_ns = time->nanos;
    }
    for (const std::string_view name : {"trace_id", "traceId", "traceID", "TraceId"}) {
        if (entry.trace_id.empty()) entry.trace_id = id_after(line, name, 32);
    }
    for (const std::string_view name : {"span_id", "spanId", "spanID", "SpanId"}) {
        if (entry.span_id.empty()) entry.span_id = id_after(line, name, 16);
    }
}

}  // namespace

void parse_line(LogEntry& entry) {
    const std::string_view text = trim(entry.body);
    if (text.starts_with('{') && text.ends_with('}') && parse_json(entry)) return;
    if (parse_logfmt(entry)) return;
    parse_plain(entry);
}

}  // namespace stoker::collect
