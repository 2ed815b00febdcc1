// Labels while targets are made of them: many, looked up and changed by name.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace stoker::collect {

using LabelMap = std::map<std::string, std::string, std::less<>>;

// Empty for a label that is not there, which in Prometheus is the same.
inline std::string_view label(const LabelMap& labels, std::string_view name) {
    const auto found = labels.find(name);
    return found == labels.end() ? std::string_view{} : std::string_view(found->second);
}

// An empty value takes the label away.
inline void set_label(LabelMap& labels, std::string_view name, std::string value) {
    if (!value.empty()) {
        labels.insert_or_assign(std::string(name), std::move(value));
    } else if (const auto found = labels.find(name); found != labels.end()) {
        labels.erase(found);
    }
}

}  // namespace stoker::collect
