#include "alert/rule_file.h"

#include <glob.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "alert/template.h"
#include "base/file.h"
#include "base/text.h"

namespace stoker::alert {
namespace {

bool is_label_name(std::string_view name, bool metric) {
    if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
    return std::all_of(name.begin(), name.end(), [metric](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               (metric && c == ':');
    });
}

// Walks one file's YAML and notes what is wrong where.
class Parser {
public:
    Parser(std::string file, const CheckFn& check, RuleFiles& into)
        : file_(std::move(file)), check_(check), into_(into) {}

    void parse(std::string_view text) {
        YAML::Node root;
        try {
            root = YAML::Load(std::string(text));
        } catch (const YAML::Exception& error) {
            return problem(error.mark, "", error.msg);
        }
        if (root.IsNull()) return;
        if (!known_keys(root, "", {"groups"})) return;
        const YAML::Node groups = root["groups"];
        if (!groups) return;
        if (!groups.IsSequence()) return problem(groups.Mark(), "groups", "must be a list");
        std::set<std::string> names;
        for (std::size_t i = 0; i < groups.size(); ++i) {
            const std::string key = "groups[" + std::to_string(i) + "]";
            RuleGroupSpec group = parse_group(groups[i], key);
            if (!group.name.empty() && !names.insert(group.name).second) {
                problem(groups[i].Mark(), key, "group \"" + group.name + "\" is in this file twice");
            }
            into_.groups.push_back(std::move(group));
        }
    }

private:
    void problem(const YAML::Mark& mark, const std::string& key, std::string message) {
        into_.problems.push_back({file_, mark.line + 1, mark.column + 1, key, std::move(message)});
    }

    // Whether the node is a map; notes every key that is not one of `known`.
    bool known_keys(const YAML::Node& node, const std::string& key, const std::vector<std::string>& known) {
        if (!node.IsMap()) {
            problem(node.Mark(), key, "must be a map with keys such as `" + known.front() + "`");
            return false;
        }
        std::set<std::string> seen;
        for (const auto& entry : node) {
            const std::string name = entry.first.IsScalar() ? entry.first.Scalar() : "";
            if (std::find(known.begin(), known.end(), name) == known.end()) {
                const auto near = nearest_name(name, known);
                problem(entry.first.Mark(), join_key(key, name),
                        "unknown field" + (near ? "; did you mean `" + *near + "`?" : std::string()));
            } else if (!seen.insert(name).second) {
                problem(entry.first.Mark(), join_key(key, name), "given twice");
            }
        }
        return true;
    }

    static std::string join_key(const std::string& key, const std::string& name) {
        return key.empty() ? name : key + "." + name;
    }

    std::string text(const YAML::Node& map, const std::string& key, const char* name) {
        const YAML::Node node = map[name];
        if (!node) return "";
        if (node.IsScalar()) return node.Scalar();
        problem(node.Mark(), join_key(key, name), "must be a text");
        return "";
    }

    Duration duration(const YAML::Node& map, const std::string& key, const char* name) {
        const std::string given = text(map, key, name);
        if (given.empty()) return Duration{0};
        auto parsed = parse_duration(given);
        if (parsed) return *parsed;
        problem(map[name].Mark(), join_key(key, name), parsed.error().message);
        return Duration{0};
    }

    Texts texts(const YAML::Node& map, const std::string& key, const char* name, bool labels) {
        Texts found;
        const YAML::Node node = map[name];
        if (!node || node.IsNull()) return found;
        if (!node.IsMap()) {
            problem(node.Mark(), join_key(key, name), "must be a map of texts");
            return found;
        }
        for (const auto& entry : node) {
            const std::string entry_name = entry.first.IsScalar() ? entry.first.Scalar() : "";
            const std::string entry_key = join_key(join_key(key, name), entry_name);
            if (!is_label_name(entry_name, false) || (labels && entry_name == "__name__")) {
                problem(entry.first.Mark(), entry_key, "is not a valid name");
            } else if (!entry.second.IsScalar()) {
                problem(entry.second.Mark(), entry_key, "must be a text");
            } else if (const auto good = check_template(entry.second.Scalar()); !good) {
                problem(entry.second.Mark(), entry_key, good.error().message);
            } else {
                found[entry_name] = entry.second.Scalar();
            }
        }
        return found;
    }

    RuleGroupSpec parse_group(const YAML::Node& node, const std::string& key) {
        RuleGroupSpec group;
        group.file = file_;
        if (!known_keys(node, key, {"name", "interval", "query_offset", "limit", "labels", "rules"})) return group;
        group.name = text(node, key, "name");
        if (group.name.empty()) problem(node.Mark(), key, "a group needs a `name`");
        group.interval = duration(node, key, "interval");
        group.query_offset = duration(node, key, "query_offset");
        if (const std::string limit = text(node, key, "limit"); !limit.empty()) {
            const auto number = parse_integer(limit);
            if (number && *number >= 0) {
                group.limit = *number;
            } else {
                problem(node["limit"].Mark(), join_key(key, "limit"), "must be a number from 0");
            }
        }
        group.labels = texts(node, key, "labels", true);
        const YAML::Node rules = node["rules"];
        if (rules && !rules.IsNull() && !rules.IsSequence())
            problem(rules.Mark(), join_key(key, "rules"), "must be a list");
        for (std::size_t i = 0; rules && rules.IsSequence() && i < rules.size(); ++i) {
            RuleSpec rule = parse_rule(rules[i], key + ".rules[" + std::to_string(i) + "]");
            for (const auto& [name, value] : group.labels) rule.labels.try_emplace(name, value);
            group.rules.push_back(std::move(rule));
        }
        return group;
    }

    RuleSpec parse_rule(const YAML::Node& node, const std::string& key) {
        RuleSpec rule;
        rule.line = node.Mark().line + 1;
        if (!known_keys(node, key, {"alert", "record", "expr", "for", "keep_firing_for", "labels", "annotations"})) {
            return rule;
        }
        const bool alert = static_cast<bool>(node["alert"]);
        if (alert == static_cast<bool>(node["record"])) {
            problem(node.Mark(), key, "a rule needs either `alert` or `record`");
            return rule;
        }
        rule.kind = alert ? RuleSpec::Kind::Alerting : RuleSpec::Kind::Recording;
        rule.name = text(node, key, alert ? "alert" : "record");
        if (rule.name.empty()) problem(node.Mark(), key, "the rule's name is empty");
        if (!alert && !rule.name.empty() && !is_label_name(rule.name, true)) {
            problem(node["record"].Mark(), join_key(key, "record"), "`" + rule.name + "` is not a metric name");
        }
        rule.hold_for = duration(node, key, "for");
        rule.keep_firing_for = duration(node, key, "keep_firing_for");
        rule.labels = texts(node, key, "labels", true);
        rule.annotations = texts(node, key, "annotations", false);
        for (const char* name : {"for", "keep_firing_for", "annotations"}) {
            if (!alert && node[name]) problem(node[name].Mark(), join_key(key, name), "is for alerts only");
        }
        parse_expr(node, key, rule);
        return rule;
    }

    void parse_expr(const YAML::Node& node, const std::string& key, RuleSpec& rule) {
        rule.expr = text(node, key, "expr");
        if (rule.expr.empty()) return problem(node.Mark(), key, "the rule has no `expr`");
        if (!check_) return;
        if (const auto good = check_(rule.expr); !good) {
            problem(node["expr"].Mark(), join_key(key, "expr"), good.error().message);
        }
    }

    const std::string file_;
    const CheckFn& check_;
    RuleFiles& into_;
};

std::vector<std::string> paths_of(const std::string& pattern) {
    glob_t found{};
    std::vector<std::string> paths;
    // Unsafe only with `~`, which no flag here expands.
    if (glob(pattern.c_str(), 0, nullptr, &found) == 0)  // NOLINT(concurrency-mt-unsafe)
        paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    globfree(&found);
    return paths;  // Sorted by glob.
}

}  // namespace

RuleFiles parse_rule_file(std::string_view text, const std::string& file, const CheckFn& check) {
    RuleFiles result;
    result.files.push_back(file);
    try {
        Parser(file, check, result).parse(text);
    } catch (const YAML::Exception& error) {  // Whatever the walk above did not foresee.
        result.problems.push_back({file, error.mark.line + 1, error.mark.column + 1, "", error.msg});
    }
    return result;
}

RuleFiles read_rule_files(const std::vector<std::string>& patterns, const std::string& directory,
                          const CheckFn& check) {
    RuleFiles all;
    std::set<std::string> seen;
    for (const std::string& pattern : patterns) {
        const std::filesystem::path path(pattern);
        const std::string full = path.is_absolute() ? pattern : (std::filesystem::path(directory) / path).string();
        const std::vector<std::string> paths = paths_of(full);
        if (paths.empty() && pattern.find_first_of("*?[") == std::string::npos) {
            all.problems.push_back({full, 0, 0, "", "no such rule file"});
        }
        for (const std::string& found : paths) {
            if (!seen.insert(found).second) continue;
            auto text = read_file(found);
            if (!text) {
                all.problems.push_back({found, 0, 0, "", text.error().message});
                continue;
            }
            RuleFiles one = parse_rule_file(*text, found, check);
            std::move(one.groups.begin(), one.groups.end(), std::back_inserter(all.groups));
            std::move(one.problems.begin(), one.problems.end(), std::back_inserter(all.problems));
            all.files.push_back(found);
        }
    }
    return all;
}

}  // namespace stoker::alert
