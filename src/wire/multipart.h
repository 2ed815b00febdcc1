// A multipart/form-data upload as it comes, read for the two fields that decide its route: model and stream.
//
// The bytes themselves go on untouched; what is kept here is at most a part's header or one short value. Strict where a
// lenient reader could see another form than the engine does: no preamble, no field of ours given twice or as a file.
// Grammar: RFC 7578, RFC 2046 5.1. Not thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "wire/openai_json.h"

namespace stoker::wire {

// The boundary of a Content-Type; empty if it is not multipart/form-data or names none.
std::string form_boundary(std::string_view content_type);

class FormScanner {
public:
    explicit FormScanner(std::string_view boundary) : delimiter_("\r\n--" + std::string(boundary)) {}

    // Takes the next bytes. False once the form is malformed; problem() says how.
    bool feed(std::string_view bytes);

    // The closing delimiter has come.
    bool done() const { return state_ == State::Done; }
    const char* problem() const { return problem_; }

    const std::optional<std::string>& model() const { return model_; }
    ByteRange model_value() const { return model_value_; }  // In all bytes fed.
    bool stream() const { return stream_; }

private:
    enum class State : unsigned char { Start, AfterDelimiter, Headers, Value, Done, Failed };

    bool fail(const char* problem);
    // One step; false when more bytes are needed.
    bool step();
    bool read_headers();
    bool read_value();
    void take(std::string_view value);
    void consume(std::size_t bytes);

    const std::string delimiter_;
    std::string pending_;
    std::size_t offset_ = 0;  // Of pending_ in all bytes fed.
    State state_ = State::Start;
    std::string field_;  // Of the part being read, if it is one of ours.
    std::optional<std::string> model_;
    ByteRange model_value_;
    bool stream_ = false;
    bool stream_seen_ = false;
    const char* problem_ = "";
};

}  // namespace stoker::wire
