#include "wire/remote_write_body.h"

#include <snappy.h>

#include "base/text.h"
#include "wire/compression.h"

namespace stoker::wire {
namespace {

constexpr std::size_t kKept = std::size_t{4} << 20;  // One huge request must not be remembered in memory for ever.
constexpr std::size_t kDensest = 32;                 // No snappy body decompresses to more than so many times its size.

}  // namespace

Result<std::string_view> BodyBuffer::decompress(std::string_view encoding, std::string_view body, std::size_t most) {
    std::size_t length = 0;
    const bool plain_snappy = equals_ignore_case(encoding, "snappy") &&
                              snappy::GetUncompressedLength(body.data(), body.size(), &length) && length <= most &&
                              length <= kKept && length / kDensest <= body.size();
    if (!plain_snappy) {  // Other encodings, large bodies, and the errors of all.
        TRY(memory_, wire::decompress(encoding, body, most));
        return std::string_view(memory_);
    }
    if (memory_.size() > kKept) {
        memory_ = {};
    }
    if (memory_.size() < length) {
        memory_.resize(length);
    }
    if (!snappy::RawUncompress(body.data(), body.size(), memory_.data())) {
        return Error{Errc::InvalidArgument, "the snappy body is corrupt"};
    }
    return std::string_view(memory_).substr(0, length);
}

}  // namespace stoker::wire
