#include "wire/multipart.h"

#include <algorithm>

#include "base/text.h"

namespace stoker::wire {
namespace {

constexpr std::size_t kMaxHeaders = 16 * 1024;
constexpr std::size_t kMaxValue = 1024;
constexpr std::size_t kMaxBoundary = 200;  // RFC 2046 allows 70; some clients know no bound.

// Parameters of a header's value, quoted or not: calls `found` with each lower-cased name and its value.
template <typename Found>
void each_parameter(std::string_view text, const Found& found) {
    std::size_t at = text.find(';');
    while (at != std::string_view::npos && at < text.size()) {
        ++at;
        const std::size_t equals = text.find_first_of("=;", at);
        if (equals == std::string_view::npos) return;
        const std::string name = to_lower(trim(text.substr(at, equals - at)));
        if (text[equals] == ';') {
            at = equals;
            continue;
        }
        at = equals + 1;
        if (at < text.size() && text[at] == '"') {
            std::string value;
            for (++at; at < text.size() && text[at] != '"'; ++at) {
                if (text[at] == '\\' && at + 1 < text.size()) ++at;
                value += text[at];
            }
            found(name, value);
            at = text.find(';', at);
        } else {
            const std::size_t end = std::min(text.find(';', at), text.size());
            found(name, std::string(trim(text.substr(at, end - at))));
            at = end;
        }
    }
}

// What a part's header says of it.
struct Part {
    std::string name;
    bool file = false;
};

Part part_of(std::string_view headers) {
    Part part;
    while (!headers.empty()) {
        const std::size_t end = std::min(headers.find("\r\n"), headers.size());
        const std::string_view line = headers.substr(0, end);
        headers.remove_prefix(std::min(end + 2, headers.size()));
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || to_lower(trim(line.substr(0, colon))) != "content-disposition") continue;
        each_parameter(line.substr(colon + 1), [&part](std::string_view name, std::string value) {
            if (name == "name") part.name = std::move(value);
            part.file |= name == "filename" || name == "filename*";
        });
    }
    return part;
}

}  // namespace

std::string form_boundary(std::string_view content_type) {
    const std::size_t end = std::min(content_type.find(';'), content_type.size());
    if (to_lower(trim(content_type.substr(0, end))) != "multipart/form-data") return {};
    std::string boundary;
    each_parameter(content_type, [&boundary](std::string_view name, std::string value) {
        if (name == "boundary") boundary = std::move(value);
    });
    return boundary.size() <= kMaxBoundary ? boundary : std::string();
}

bool FormScanner::fail(const char* problem) {
    problem_ = problem;
    state_ = State::Failed;
    pending_.clear();
    return false;
}

void FormScanner::consume(std::size_t bytes) {
    pending_.erase(0, bytes);
    offset_ += bytes;
}

bool FormScanner::feed(std::string_view bytes) {
    if (state_ == State::Done) return true;  // An epilogue is nobody's business.
    if (state_ == State::Failed) return false;
    pending_ += bytes;
    while (step()) {
    }
    return state_ != State::Failed;
}

bool FormScanner::step() {
    switch (state_) {
        case State::Start: {
            const std::string_view first = std::string_view(delimiter_).substr(2);
            if (pending_.size() < first.size()) return false;
            if (!pending_.starts_with(first)) return fail("it does not begin with its boundary");
            consume(first.size());
            state_ = State::AfterDelimiter;
            return true;
        }
        case State::AfterDelimiter:
            if (pending_.size() < 2) return false;
            if (pending_.starts_with("--")) {
                pending_.clear();
                state_ = State::Done;
                return false;
            }
            if (!pending_.starts_with("\r\n")) return fail("a boundary is followed by something else than a line end");
            consume(2);
            state_ = State::Headers;
            return true;
        case State::Headers:
            return read_headers();
        case State::Value:
            return read_value();
        default:
            return false;
    }
}

bool FormScanner::read_headers() {
    const std::size_t end = pending_.find("\r\n\r\n");
    if (end == std::string::npos) {
        return pending_.size() > kMaxHeaders ? fail("the header of a part is too long") : false;
    }
    if (end > kMaxHeaders) return fail("the header of a part is too long");
    const Part part = part_of(std::string_view(pending_).substr(0, end));
    field_.clear();
    if (part.name == "model" || part.name == "stream") {
        if (part.file) return fail("'model' and 'stream' must be plain fields");
        if (part.name == "model" ? model_.has_value() : stream_seen_) return fail("a field is given twice");
        field_ = part.name;
    }
    consume(end + 4);
    state_ = State::Value;
    return true;
}

bool FormScanner::read_value() {
    const std::size_t end = pending_.find(delimiter_);
    if (end != std::string::npos) {
        if (!field_.empty()) {
            if (end > kMaxValue) return fail("the value of 'model' or 'stream' is too long");
            take(std::string_view(pending_).substr(0, end));
        }
        consume(end + delimiter_.size());
        state_ = State::AfterDelimiter;
        return true;
    }
    if (field_.empty()) {
        // All but what may be the beginning of a delimiter.
        if (pending_.size() >= delimiter_.size()) consume(pending_.size() - delimiter_.size() + 1);
    } else if (pending_.size() > kMaxValue + delimiter_.size()) {
        return fail("the value of 'model' or 'stream' is too long");
    }
    return false;
}

void FormScanner::take(std::string_view value) {
    if (field_ == "model") {
        model_ = std::string(value);
        model_value_ = {offset_, offset_ + value.size()};
    } else {
        stream_seen_ = true;
        stream_ = value == "true" || value == "True" || value == "1";
    }
}

}  // namespace stoker::wire
