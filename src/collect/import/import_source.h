// The lines of a stream that may be compressed, in constant memory.
#pragma once

#include <cstdint>
#include <istream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/compression.h"

namespace stoker::collect {

class ImportSource {
public:
    // gzip and zstd are told by their first bytes.
    ImportSource(std::istream& in, std::size_t max_line_bytes);

    enum class Next { Line, TooLong, End };
    // The next line without its line feed, valid until the following call. Lines past the limit are TooLong: `line` is
    // their beginning. Errors: InvalidArgument (corrupt or cut compression), Internal (the stream cannot be read).
    Result<Next> next(std::string_view& line);

    std::uint64_t bytes_read() const { return bytes_read_; }

private:
    Result<Unit> fill();
    Result<Unit> read_input();

    std::istream& in_;
    const std::size_t max_line_bytes_;
    std::vector<char> input_;
    std::string_view rest_;  // Of input_, not yet inflated.
    bool started_ = false;
    bool input_ended_ = false;
    bool ended_ = false;                        // The plain text too.
    std::unique_ptr<wire::Inflater> inflater_;  // Null: the stream is plain.
    std::string text_;                          // Plain text; lines before at_ are used up.
    std::size_t at_ = 0;
    std::uint64_t bytes_read_ = 0;
};

}  // namespace stoker::collect
