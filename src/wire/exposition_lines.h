// An exposition line by line, for files too long to hold: the grammar of each line is checked, not the rules between
// lines. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "wire/prometheus_text.h"

namespace stoker::wire {

class ExpositionLines {
public:
    enum class Kind : std::uint8_t { Nothing, Sample, Metadata, Eof, Bad };

    explicit ExpositionLines(ExpositionFormat format, const ExpositionLimits& limits = {});
    ~ExpositionLines();

    // What `line` (without its line feed) is. Blank lines and comments are Nothing.
    Kind read(std::string_view line);

    // Of the last read(), as long as its line lives and until the next.
    const ExpositionSample& sample() const;
    const ExpositionMetadata& metadata() const;
    std::string error() const;  // "column 3: ..."

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace stoker::wire
