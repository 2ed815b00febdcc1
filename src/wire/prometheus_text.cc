#include "wire/prometheus_text.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "wire/openmetrics_rules.h"
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
    Walk(ExpositionFormat format, const ExpositionVisitor& visitor, const ExpositionLimits& limits,
         CreatedLines created)
        : format_(format), visitor_(visitor), limits_(limits), created_(created), parser_(limits) {}

    Result<std::size_t> run(std::string_view text) {
        std::size_t at = 0;
        while (at < text.size()) {
            const std::size_t end = std::min(text.find('\n', at), text.size());
            ++line_;
            TRY_UNIT(line(text.substr(at, end - at)));
            at = end + 1;
        }
        if (open_metrics() && !ended_) {
            return error_at(line_ + 1, 1, "the closing # EOF is missing: the exposition was cut short");
        }
        return samples_;
    }

private:
    using Role = internal::OpenMetricsRules::Role;
    struct Held {
        ExpositionSample sample;
        std::optional<ExpositionExemplar> exemplar;
        Role role = Role::Value;
    };

    bool open_metrics() const { return format_ == ExpositionFormat::OpenMetrics; }

    Result<Unit> line(std::string_view text) {
        const char first = first_character(text);
        if (first == '\0' && !open_metrics()) {
            return Unit{};
        }
        if (ended_) {
            return error_at(line_, 1, "there is text after # EOF");
        }
        if (first == '\0') {
            return error_at(line_, 1, "a blank line");
        }
        if (text.size() > limits_.max_line_bytes) {
            return error_at(line_, limits_.max_line_bytes + 1,
                            "the line is longer than " + std::to_string(limits_.max_line_bytes) + " bytes",
                            Errc::ResourceExhausted);
        }
        parser_.begin(text, format_);
        return first == '#' ? comment() : sample();
    }

    Result<Unit> comment() {
        ExpositionMetadata metadata;
        const LineParser::Comment kind = parser_.comment(metadata);
        if (kind == LineParser::Comment::Bad) {
            return error_at(line_, parser_.column(), parser_.error());
        }
        if (open_metrics() && kind != LineParser::Comment::Plain) {
            flush();
            ended_ = kind == LineParser::Comment::Eof;
            if (ended_ ? !rules_.end() : !rules_.metadata(metadata)) {
                return error_at(line_, 1, rules_.error());
            }
        }
        if (kind == LineParser::Comment::Metadata && visitor_.on_metadata) {
            visitor_.on_metadata(metadata);
        }
        parser_.forget();
        return Unit{};
    }

    Result<Unit> sample() {
        if (held_ == metric_.size()) {
            metric_.emplace_back();
        }
        Held& held = metric_[held_];
        if (!parser_.sample(held.sample, held.exemplar)) {
            return error_at(line_, parser_.column(), parser_.error());
        }
        if (++samples_ > limits_.max_samples) {
            return error_at(line_, 1, "more than " + std::to_string(limits_.max_samples) + " samples",
                            Errc::ResourceExhausted);
        }
        ++held_;
        if (open_metrics()) {
            return follow_rules(held);
        }
        flush();
        parser_.forget();
        return Unit{};
    }

    // OpenMetrics tells when a metric was created after its values: its lines are held until the next metric begins.
    Result<Unit> follow_rules(Held& held) {
        held.sample.exemplar = held.exemplar ? &*held.exemplar : nullptr;
        held.role = rules_.sample(held.sample);
        if (held.role == Role::Bad) {
            return error_at(line_, 1, rules_.error());
        }
        const bool is_created = held.role == Role::Created && created_ == CreatedLines::StartTimes;
        const double created = held.sample.value;
        if (rules_.new_metric()) {
            std::swap(held, newest_);
            --held_;
            flush();
            std::swap(metric_.front(), newest_);
            held_ = 1;
        }
        constexpr double kMaxSeconds = 9e15;
        if (is_created) {
            --held_;
            --samples_;
            if (created < kMaxSeconds) {
                created_ms_ = std::llround(created * 1000);
            }
        }
        return Unit{};
    }

    void flush() {
        for (std::size_t i = 0; i < held_; ++i) {
            Held& held = metric_[i];
            held.sample.exemplar = held.exemplar ? &*held.exemplar : nullptr;
            if (held.role != Role::Quantile) {
                held.sample.created_ms = created_ms_;
            }
            visitor_.on_sample(held.sample);
        }
        held_ = 0;
        created_ms_.reset();
    }

    const ExpositionFormat format_;
    const ExpositionVisitor& visitor_;
    const ExpositionLimits& limits_;
    const CreatedLines created_;
    LineParser parser_;
    internal::OpenMetricsRules rules_;
    std::vector<Held> metric_;  // Lines of one metric; the first held_ count, the others keep their memory.
    std::size_t held_ = 0;
    Held newest_;                             // Waits while the lines of the metric before are visited.
    std::optional<std::int64_t> created_ms_;  // Of the metric that is held.
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
                                     const ExpositionLimits& limits, CreatedLines created) {
    if (text.substr(0, 3) == "\xef\xbb\xbf") {
        text.remove_prefix(3);
    }
    TRY_UNIT(check_kind(text));
    return Walk(format, visitor, limits, created).run(text);
}

Result<std::vector<OwnedSample>> parse_exposition(std::string_view text, ExpositionFormat format,
                                                  const ExpositionLimits& limits) {
    std::vector<OwnedSample> samples;
    ExpositionVisitor visitor;
    visitor.on_sample = [&](const ExpositionSample& sample) {
        samples.push_back({std::string(sample.name), {}, sample.value, sample.time_ms, sample.created_ms});
        for (const auto& [name, value] : sample.labels) {
            samples.back().labels.emplace_back(name, value);
        }
    };
    TRY_UNIT(parse_exposition(text, format, visitor, limits));
    return samples;
}

}  // namespace stoker::wire
