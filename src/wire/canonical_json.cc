#include "wire/canonical_json.h"

#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "wire/openai_json.h"

namespace stoker::wire {

Result<CanonicalObject> CanonicalObject::read(std::string_view object) {
    CanonicalObject made;
    made.text_.resize(object.size() + simdjson::SIMDJSON_PADDING);
    std::size_t length = 0;
    const auto failed = simdjson::minify(object.data(), object.size(), made.text_.data(), length);
    if (failed != simdjson::SUCCESS) return Error{Errc::InvalidArgument, "not JSON"};
    const std::string_view text(made.text_.data(), length);
    JsonCursor json(text);
    if (json.peek() != JsonKind::Object) return Error{Errc::InvalidArgument, "not a JSON object"};
    json.begin_object();
    for (std::string_view key; json.next_key(key);) {
        const ByteRange value = json.range();
        if (!json.failed()) made.members_.push_back({key, value.of(text)});
    }
    if (!json.end()) return Error{Errc::InvalidArgument, "not JSON"};
    std::stable_sort(made.members_.begin(), made.members_.end(),
                     [](const Member& a, const Member& b) { return a.key < b.key; });
    return made;
}

std::optional<std::string_view> CanonicalObject::find(std::string_view name) const {
    std::optional<std::string_view> found;
    for (const Member& member : members_) {
        if (key_is(member.key, name)) found = member.value;
    }
    if (found == "null") return {};
    return found;
}

std::string CanonicalObject::text(const std::function<bool(std::string_view key)>& leave_out) const {
    std::string text = "{";
    text.reserve(text_.size());
    for (const Member& member : members_) {
        if (leave_out(member.key)) continue;
        if (text.size() > 1) text += ',';
        text.append("\"").append(member.key).append("\":").append(member.value);
    }
    text += '}';
    return text;
}

}  // namespace stoker::wire
