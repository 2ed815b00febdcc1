#include "wire/json_members.h"

#include "wire/openai_json.h"

namespace stoker::wire {

Result<std::string> edit_members(std::string_view object,
                                 const std::function<MemberFate(std::string_view key, std::string_view value)>& decide,
                                 std::string_view append) {
    std::string edited = "{";
    edited.reserve(object.size() + append.size());
    const auto add = [&edited](std::string_view text) {
        if (edited.size() > 1) edited += ',';
        edited += text;
    };
    JsonCursor json(object);
    json.begin_object();
    for (std::string_view key; json.next_key(key);) {
        const ByteRange range = json.range();
        if (json.failed()) break;
        const std::string_view value = range.of(object);
        MemberFate fate = decide(unescape(key), value);
        if (fate.kind == MemberFate::Kind::Drop) continue;
        add("\"");
        edited.append(key).append("\":").append(fate.kind == MemberFate::Kind::Keep ? value : fate.value);
    }
    if (!json.end()) {
        return Error{Errc::InvalidArgument, std::string("not a JSON object: ") + json.problem()};
    }
    if (!append.empty()) add(append);
    return edited + "}";
}

}  // namespace stoker::wire
