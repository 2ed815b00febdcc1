#include "wire/exposition_lines.h"

#include <optional>

#include "wire/prometheus_text_line.h"

namespace stoker::wire {

struct ExpositionLines::State {
    State(ExpositionFormat f, const ExpositionLimits& l) : format(f), limits(l), parser(limits) {}

    const ExpositionFormat format;
    const ExpositionLimits limits;
    internal::LineParser parser;
    ExpositionSample sample;
    std::optional<ExpositionExemplar> exemplar;
    ExpositionMetadata metadata;
};

ExpositionLines::ExpositionLines(ExpositionFormat format, const ExpositionLimits& limits)
    : state_(std::make_unique<State>(format, limits)) {}
ExpositionLines::~ExpositionLines() = default;

ExpositionLines::Kind ExpositionLines::read(std::string_view line) {
    using Comment = internal::LineParser::Comment;
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) {
        return Kind::Nothing;
    }
    state_->parser.forget();
    state_->parser.begin(line, state_->format);
    if (line[first] != '#') {
        if (!state_->parser.sample(state_->sample, state_->exemplar)) {
            return Kind::Bad;
        }
        state_->sample.exemplar = state_->exemplar ? &*state_->exemplar : nullptr;
        return Kind::Sample;
    }
    switch (state_->parser.comment(state_->metadata)) {
        case Comment::Metadata:
            return Kind::Metadata;
        case Comment::Eof:
            return Kind::Eof;
        case Comment::Bad:
            return Kind::Bad;
        case Comment::Plain:
            break;
    }
    return Kind::Nothing;
}

const ExpositionSample& ExpositionLines::sample() const {
    return state_->sample;
}
const ExpositionMetadata& ExpositionLines::metadata() const {
    return state_->metadata;
}
std::string ExpositionLines::error() const {
    return "column " + std::to_string(state_->parser.column()) + ": " + state_->parser.error();
}

}  // namespace stoker::wire
