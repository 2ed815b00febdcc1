#include "wire/flat_json.h"

#include <simdjson.h>

#include <string>

namespace stoker::wire {
namespace {

using simdjson::dom::element;

void visit_members(simdjson::dom::object object, const std::string& prefix, int depth, const FlatVisitor& visit) {
    for (const auto member : object) {
        const std::string key = prefix + std::string(member.key);
        simdjson::dom::object inner;
        if (depth > 1 && member.value.get(inner) == simdjson::SUCCESS) {
            visit_members(inner, key + ".", depth - 1, visit);
        } else if (std::string_view text; member.value.get(text) == simdjson::SUCCESS) {
            visit(key, text, FlatKind::Text);
        } else {
            const bool integer = member.value.is_int64() || member.value.is_uint64();
            const std::string json = simdjson::minify(member.value);
            visit(key, json, integer ? FlatKind::Integer : FlatKind::Other);
        }
    }
}

}  // namespace

bool flatten_json(std::string_view text, int depth, const FlatVisitor& visit) {
    thread_local simdjson::dom::parser parser;
    simdjson::dom::object object;
    if (parser.parse(text.data(), text.size()).get(object) != simdjson::SUCCESS) return false;
    visit_members(object, "", depth, visit);
    return true;
}

}  // namespace stoker::wire
