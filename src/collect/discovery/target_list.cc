#include "collect/discovery/target_list.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>
namespace stoker::collect {
namespace {

using nlohmann::json;

Error bad(std::string_view where, std::string_view why) {
    return {Errc::InvalidArgument, fmt::format("{}: {}", where, why)};
}

void add_target(TargetGroup& group, std::string address) {
    LabelMap labels;
    labels.emplace("__address__", std::move(address));
    group.targets.push_back(std::move(labels));
}

Result<TargetGroup> group_from(const json& one, std::string_view where) {
    if (!one.is_object()) return bad(where, "expected an object with 'targets' and 'labels'");
    TargetGroup group;
    for (const auto& [key, value] : one.items()) {
        if (key == "targets" && value.is_array()) {
            for (const json& target : value) {
                if (!target.is_string()) return bad(where, "'targets' must be texts");
                add_target(group, target.get<std::string>());
            }
        } else if (key == "labels" && (value.is_object() || value.is_null())) {
            for (const auto& [name, text] : value.items()) {
                if (!text.is_string()) return bad(where, fmt::format("the label '{}' must be a text", name));
                group.labels.insert_or_assign(name, text.get<std::string>());
            }
        } else if (key == "targets" || key == "labels") {
            return bad(where, key == "targets" ? "'targets' must be a list" : "'labels' must be an object");
        } else {
            return bad(where, fmt::format("unknown key '{}'; known here: targets, labels", key));
        }
    }
    return group;
}

Error bad(const std::string& file, const YAML::Node& node, std::string_view why) {
    const YAML::Mark mark = node.Mark();
    return bad(fmt::format("{}:{}:{}", file, mark.line + 1, mark.column + 1), why);
}

Result<TargetGroup> group_from(const YAML::Node& one, const std::string& file) {
    if (!one.IsMap()) return bad(file, one, "expected an object with 'targets' and 'labels'");
    TargetGroup group;
    for (const auto& entry : one) {
        const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
        const YAML::Node& value = entry.second;
        if (key == "targets" && (value.IsSequence() || value.IsNull())) {
            for (const YAML::Node& target : value) {
                if (!target.IsScalar()) return bad(file, target, "a target must be a text, HOST:PORT");
                add_target(group, target.Scalar());
            }
        } else if (key == "labels" && (value.IsMap() || value.IsNull())) {
            for (const auto& text : value) {
                const bool scalars = text.first.IsScalar() && text.second.IsScalar();
                if (!scalars) return bad(file, text.first, "a label must be a text");
                group.labels.insert_or_assign(text.first.Scalar(), text.second.Scalar());
            }
        } else if (key == "targets" || key == "labels") {
            return bad(file, entry.first, key == "targets" ? "must be a list" : "must be an object");
        } else {
            return bad(file, entry.first, fmt::format("unknown key '{}'; known here: targets, labels", key));
        }
    }
    return group;
}

}  // namespace

Result<std::vector<TargetGroup>> parse_target_list_json(std::string_view text, const std::string& source) {
    const json document = json::parse(text, nullptr, false);
    if (document.is_discarded()) return bad(source, "is not JSON");
    if (!document.is_array()) return bad(source, "expected a list of groups, [{\"targets\": [...]}]");
    std::vector<TargetGroup> groups;
    for (std::size_t i = 0; i < document.size(); ++i) {
        TRY(auto group, group_from(document[i], fmt::format("{}[{}]", source, i)));
        group.source = fmt::format("{}:{}", source, i);
        groups.push_back(std::move(group));
    }
    return groups;
}

Result<std::vector<TargetGroup>> parse_target_list_yaml(std::string_view text, const std::string& source) {
    try {
        const YAML::Node root = YAML::Load(std::string(text));
        std::vector<TargetGroup> groups;
        if (root.IsNull()) return groups;
        if (!root.IsSequence()) return bad(source, root, "expected a list of groups, - targets: [...]");
        for (const YAML::Node& one : root) {
            TRY(auto group, group_from(one, source));
            group.source = fmt::format("{}:{}", source, groups.size());
            groups.push_back(std::move(group));
        }
        return groups;
    } catch (const YAML::Exception& error) {
        return bad(fmt::format("{}:{}:{}", source, error.mark.line + 1, error.mark.column + 1), error.msg);
    }
}

}  // namespace stoker::collect
