// Small steps of a JsonCursor that the scanners of all APIs share.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/openai.h"

namespace stoker::wire {

// Enters an object; passes over a value of another kind and returns false.
inline bool enter_object(JsonCursor& json) {
    if (json.peek() == JsonKind::Object) return json.begin_object();
    json.skip();
    return false;
}

// Passes over a value; true if it is something for the user to see: a non-empty text, list or object.
inline bool holds_something(JsonCursor& json) {
    const JsonKind kind = json.peek();
    const std::size_t size = json.range().size();
    return kind != JsonKind::Null && kind != JsonKind::Invalid && size > 2;
}

// The scan, if the text was one whole JSON object. Errors: InvalidArgument.
inline Result<AnswerScan> finished(JsonCursor& json, const AnswerScan& scan) {
    if (json.end()) return scan;
    return Error{Errc::InvalidArgument,
                 "not a JSON object: " + std::string(json.problem()) + " at byte " + std::to_string(json.offset())};
}

}  // namespace stoker::wire
