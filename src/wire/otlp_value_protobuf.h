// What the protobuf decoders of all OTLP signals share: attributes and values. Not thread-safe.
#pragma once

#include <protozero/pbf_reader.hpp>
#include <string>

#include "wire/otlp.h"
#include "wire/otlp_value.h"

namespace stoker::wire::otlp::internal {

// Throws as Budget does, and Malformed.
class ProtobufValues {
public:
    explicit ProtobufValues(const Limits& limits) : budget_(limits) {}

protected:
    // A KeyValue, put at the end.
    void attribute(protozero::pbf_reader message, Attributes& out);
    // An AnyValue as text. `depth` 0 is an attribute's own value; what lies deeper is JSON inside it.
    std::string any_value(protozero::pbf_reader message, int depth);
    void text(protozero::pbf_reader& field, std::string& out) { budget_.set(out, text_of(field)); }

    Budget budget_;

private:
    std::string elements(protozero::pbf_reader list, bool keyed, int depth);
    std::string member(protozero::pbf_reader message, int depth);
};

}  // namespace stoker::wire::otlp::internal
