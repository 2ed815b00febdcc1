#include "collect/import/import_source.h"

#include <algorithm>

namespace stoker::collect {
namespace {

constexpr std::size_t kPiece = std::size_t{256} << 10;
constexpr int kZstdWindowLog = 27;  // What `zstd --ultra` writes; files are the operator's own.

}  // namespace

ImportSource::ImportSource(std::istream& in, std::size_t max_line_bytes)
    : in_(in), max_line_bytes_(max_line_bytes), input_(kPiece) {}

Result<Unit> ImportSource::read_input() {
    in_.read(input_.data(), static_cast<std::streamsize>(input_.size()));
    const auto got = static_cast<std::size_t>(in_.gcount());
    if (in_.bad()) return Error{Errc::Internal, "the file cannot be read"};
    bytes_read_ += got;
    rest_ = {input_.data(), got};
    input_ended_ = got == 0;
    if (started_) return Unit{};
    started_ = true;
    if (rest_.starts_with("\x1f\x8b")) {
        TRY(inflater_, wire::Inflater::create("gzip"));
    } else if (rest_.starts_with("\x28\xb5\x2f\xfd")) {
        TRY(inflater_, wire::Inflater::create("zstd", kZstdWindowLog));
    }
    return Unit{};
}

// Appends a piece of plain text, unless the stream has ended.
Result<Unit> ImportSource::fill() {
    text_.erase(0, at_);
    at_ = 0;
    while (!ended_) {
        if (rest_.empty() && !input_ended_) TRY_UNIT(read_input());
        if (!inflater_) {
            text_ += rest_;
            rest_ = {};
            ended_ = input_ended_;
            return Unit{};
        }
        const std::size_t before = text_.size();
        text_.resize(before + kPiece);
        auto got = inflater_->inflate(rest_, std::span(text_).subspan(before));
        text_.resize(before + (got ? *got : 0));
        if (!got) return std::move(got).error();
        if (*got > 0) return Unit{};
        // Nothing comes out any more, and nothing goes in.
        ended_ = input_ended_;
        if (ended_ && !inflater_->complete()) {
            return Error{Errc::InvalidArgument, "the compressed file is cut short"};
        }
    }
    return Unit{};
}

Result<ImportSource::Next> ImportSource::next(std::string_view& line) {
    std::size_t searched = at_;
    while (true) {
        const std::size_t end = text_.find('\n', searched);
        if (end != std::string::npos || (ended_ && at_ < text_.size())) {
            const std::size_t stop = std::min(end, text_.size());
            line = std::string_view(text_).substr(at_, stop - at_);
            at_ = std::min(stop + 1, text_.size());
            if (line.size() <= max_line_bytes_) return Next::Line;
            line = line.substr(0, max_line_bytes_);
            return Next::TooLong;
        }
        if (ended_) return Next::End;
        // Of a line without end only its beginning is kept.
        if (text_.size() - at_ > 2 * max_line_bytes_ + 1) text_.resize(at_ + max_line_bytes_ + 1);
        const std::size_t pending = text_.size() - at_;
        TRY_UNIT(fill());
        searched = at_ + pending;
    }
}

}  // namespace stoker::collect
