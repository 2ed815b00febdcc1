// Labels as the disk holds them: a count, and each name and value behind its length.
#include "tsdb/bytes.h"
#include "tsdb/disk.h"

namespace stoker::tsdb {

std::string encode_labels(std::span<const LabelRef> refs) {
    std::string out;
    put_varint(out, refs.size());
    for (const LabelRef& ref : refs) {
        put_text(out, *ref.name);
        put_text(out, *ref.value);
    }
    return out;
}

std::string encode_labels(const Labels& labels) {
    std::string out;
    put_varint(out, labels.size());
    for (const auto& [name, value] : labels) {
        put_text(out, name);
        put_text(out, value);
    }
    return out;
}

Result<Labels> decode_labels(std::string_view bytes) {
    ByteReader reader(bytes);
    const std::uint64_t count = reader.varint();
    if (count > bytes.size()) {
        return Error{Errc::Corruption, "malformed series definition"};
    }
    std::vector<Labels::Pair> pairs;
    pairs.reserve(count);
    for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
        const std::string_view name = reader.text();
        const std::string_view value = reader.text();
        pairs.emplace_back(name, value);
    }
    if (!reader.ok() || !reader.at_end()) {
        return Error{Errc::Corruption, "malformed series definition"};
    }
    return Labels(std::move(pairs));
}

}  // namespace stoker::tsdb
