#include "wire/prometheus_text.h"

#include <algorithm>
#include <string>

#include "wire/prometheus_text_line.h"

namespace stoker::wire {

namespace {

using internal::LineParser;

Error error_at(std::size_t line, std::size_t column, const std::string& message, Errc code = Errc::InvalidArgument) {
    return {code, "line " + std::to_string(line) + " column " + std::to_string(column) + ": " + message};
}

std::size_t skip_space(std::string_view text, std::size_t at) {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r')) {
        ++at;
    }
    return at;
}

// '{' opens JSON, unless a quoted metric name follows: {"name",a="b"} 1.
bool looks_like_json(std::string_view text) {
    std::size_t at = skip_space(text, 0);
    if (at < text.size() && text[at] == '[') {
        return true;
    }
    if (at == text.size() || text[at] != '{') {
        return false;
    }
    at = skip_space(text, at + 1);
    if (at == text.size() || text[at] != '"') {
        return at == text.size() || text[at] == '}';
    }
    const std::size_t close = text.find('"', at + 1);
    const std::size_t after = close == std::string_view::npos ? text.size() : skip_space(text, close + 1);
    return after < text.size() && text[after] == ':';
}

// What people get when they scrape the wrong path: say so, not "line 1 column 1".
Result<Unit> check_kind(std::string_view text) {
    const std::size_t at = skip_space(text, 0);
    if (at < text.size() && text[at] == '<') {
        return Error{Errc::InvalidArgument,
                     "this is HTML or XML, not a metrics exposition: is the path right (often /metrics)?"};
    }
    if (looks_like_json(text)) {
        return Error{Errc::InvalidArgument,
                     "this is JSON, not a metrics exposition: is the path right (often /metrics)?"};
    }
    return Unit{};
}

// A line is blank, a comment, or a sample.
char first_character(std::string_view line) {
    const std::size_t at = line.find_first_not_of(" \t\r");
    return at == std::string_view::npos ? '\0' : line[at];
}

class Walk {
public:
    Walk(ExpositionFormat format, const ExpositionVisitor& visitor, const ExpositionLimits& limits)
        : format_(format), visitor_(visitor), limits_(limits), parser_(limits) {}

    Result<std::size_t> run(std::string_view text) {
        std::size_t at = 0;
        while (at < text.size()) {
            const std::size_t end = std::min(text.find('\n', at), text.size());
            ++line_;
            TRY_UNIT(line(text.substr(at, end - at)));
            at = end + 1;
        }
        if (format_ == ExpositionFormat::OpenMetrics && !ended_) {
            return error_at(line_ + 1, 1, "the closing # EOF is missing: the exposition was cut short");
        }
        return samples_;
    }

private:
    Result<Unit> line(std::string_view text) {
        const char first = first_character(text);
        if (first == '\0') {
            return Unit{};
        }
        if (ended_) {
            return error_at(line_, 1, "there is text after # EOF");
        }
        if (text.size() > limits_.max_line_bytes) {
            return error_at(line_, limits_.max_line_bytes + 1,
                            "the line is longer than " + std::to_string(limits_.max_line_bytes) + " bytes",
                            Errc::ResourceExhausted);
        }
        parser_.begin(text);
        return first == '#' ? comment() : sample();
    }

    Result<Unit> comment() {
        ExpositionMetadata metadata;
        switch (parser_.comment(format_, metadata)) {
            case LineParser::Comment::Bad:
                return error_at(line_, parser_.column(), parser_.error());
            case LineParser::Comment::Eof:
                ended_ = true;
                break;
            case LineParser::Comment::Metadata:
                if (visitor_.on_metadata) {
                    visitor_.on_metadata(metadata);
                }
                break;
            case LineParser::Comment::Plain:
                break;
        }
        return Unit{};
    }

    Result<Unit> sample() {
        if (!parser_.sample(format_, sample_)) {
            return error_at(line_, parser_.column(), parser_.error());
        }
        if (++samples_ > limits_.max_samples) {
            return error_at(line_, 1, "more than " + std::to_string(limits_.max_samples) + " samples",
                            Errc::ResourceExhausted);
        }
        visitor_.on_sample(sample_);
        return Unit{};
    }

    const ExpositionFormat format_;
    const ExpositionVisitor& visitor_;
    const ExpositionLimits& limits_;
    LineParser parser_;
    ExpositionSample sample_;
    std::size_t line_ = 0;
    std::size_t samples_ = 0;
    bool ended_ = false;
};

}  // namespace

ExpositionFormat exposition_format(std::string_view content_type) {
    std::string type(content_type.substr(0, content_type.find(';')));
    std::transform(type.begin(), type.end(), type.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
    return type.find("application/openmetrics-text") != std::string::npos ? ExpositionFormat::OpenMetrics
                                                                          : ExpositionFormat::Prometheus;
}

Result<std::size_t> parse_exposition(std::string_view text, ExpositionFormat format, const ExpositionVisitor& visitor,
                                     const ExpositionLimits& limits) {
    if (text.substr(0, 3) == "\xef\xbb\xbf") {
        text.remove_prefix(3);
    }
    TRY_UNIT(check_kind(text));
    return Walk(format, visitor, limits).run(text);
}

Result<std::vector<OwnedSample>> parse_exposition(std::string_view text, ExpositionFormat format,
                                                  const ExpositionLimits& limits) {
    std::vector<OwnedSample> samples;
    ExpositionVisitor visitor;
    visitor.on_sample = [&](const ExpositionSample& sample) {
        samples.push_back({std::string(sample.name), {}, sample.value, sample.time_ms});
        for (const auto& [name, value] : sample.labels) {
            samples.back().labels.emplace_back(name, value);
        }
    };
    TRY_UNIT(parse_exposition(text, format, visitor, limits));
    return samples;
}

}  // namespace stoker::wire
