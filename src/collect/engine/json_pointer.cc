#include "collect/engine/json_pointer.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace stoker::collect {
namespace {

std::string unescaped(std::string_view step) {
    std::string out;
    for (std::size_t i = 0; i < step.size(); ++i) {
        if (step[i] == '~' && i + 1 < step.size() && (step[i + 1] == '0' || step[i + 1] == '1'))
            out += step[++i] == '0' ? '~' : '/';
        else
            out += step[i];
    }
    return out;
}

}  // namespace

std::vector<const nlohmann::json*> json_at(const nlohmann::json& document, std::string_view pointer) {
    std::vector<const nlohmann::json*> at = {&document};
    if (pointer.empty()) return at;
    if (pointer.front() == '/') pointer.remove_prefix(1);
    for (const std::string_view step : split(pointer, '/')) {
        std::vector<const nlohmann::json*> next;
        const std::string name = unescaped(step);
        for (const nlohmann::json* value : at) {
            if (name == "*" && value->is_array()) {
                for (const auto& element : *value) next.push_back(&element);
            } else if (value->is_object()) {
                if (const auto found = value->find(name); found != value->end()) next.push_back(&*found);
            } else if (const auto index = parse_integer(name);
                       value->is_array() && index && *index >= 0 && static_cast<std::size_t>(*index) < value->size()) {
                next.push_back(&(*value)[static_cast<std::size_t>(*index)]);
            }
        }
        at = std::move(next);
    }
    return at;
}

std::string json_text(const nlohmann::json& value) {
    if (value.is_string()) return value.get<std::string>();
    return value.is_number() || value.is_boolean() ? value.dump() : "";
}

}  // namespace stoker::collect
