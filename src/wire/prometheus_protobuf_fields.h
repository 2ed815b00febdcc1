// How decoders of Prometheus' protobuf messages name fields: by number and wire type in one case label, so that a field
// of the wrong type is skipped like an unknown one. protozero itself checks lengths, but types only by assert().
#pragma once

#include <cstdint>
#include <protozero/pbf_reader.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace stoker::wire {

constexpr std::uint32_t varint_field(std::uint32_t number) {
    return protozero::tag_and_type(number, protozero::pbf_wire_type::varint);
}
constexpr std::uint32_t fixed64_field(std::uint32_t number) {
    return protozero::tag_and_type(number, protozero::pbf_wire_type::fixed64);
}
// Strings, messages and packed numbers.
constexpr std::uint32_t bytes_field(std::uint32_t number) {
    return protozero::tag_and_type(number, protozero::pbf_wire_type::length_delimited);
}

inline protozero::pbf_reader reader_of(std::string_view message) {
    return protozero::pbf_reader(message.data(), message.size());
}
inline std::string_view text_of(protozero::pbf_reader& reader) {
    const protozero::data_view view = reader.get_view();
    return {view.data(), view.size()};
}

// Thrown inside a decoder for what is more than the limits allow; guarded() makes it ResourceExhausted.
struct PastLimit {
    const char* what;
};
// Thrown inside a decoder for what the message's specification forbids; guarded() makes it InvalidArgument.
struct Malformed {
    const char* what;
};

// Runs a decoder and turns what it throws into an Error: the border between protozero's exceptions and Result.
template <typename Decode>
Result<Unit> guarded(std::string_view message, const Decode& decode) {
    try {
        decode();
        return Unit{};
    } catch (const PastLimit& past) {
        return Error{Errc::ResourceExhausted, std::string(message) + ": too many " + past.what};
    } catch (const Malformed& malformed) {
        return Error{Errc::InvalidArgument, std::string(message) + ": " + malformed.what};
    } catch (const protozero::exception& broken) {
        return Error{Errc::InvalidArgument, std::string(message) + ": not protobuf: " + broken.what()};
    }
}

}  // namespace stoker::wire
