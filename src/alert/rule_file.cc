#include "alert/rule_file.h"

#include <glob.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdio>
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

// Any text in UTF-8 can be a name.
bool is_name(std::string_view name) {
    for (std::size_t i = 0; i < name.size();) {
        const auto lead = static_cast<unsigned char>(name[i]);
        const std::size_t length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
        if (length == 0 || lead > 0xf4 || i + length > name.size()) return false;
        for (std::size_t k = 1; k < length; ++k) {
            if ((static_cast<unsigned char>(name[i + k]) & 0xc0) != 0x80) return false;
        }
        const auto second = length > 1 ? static_cast<unsigned char>(name[i + 1]) : 0;
        if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second >= 0xa0)) return false;
        if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second >= 0x90)) return false;
        i += length;
    }
    return !name.empty();
}

// The offset of column `column` of line `line` of `text`, both from 1.
std::size_t offset_of(std::string_view text, int line, int column) {
    std::size_t at = 0;
    for (; line > 1 && at != std::string_view::npos; --line) {
        at = text.find('\n', at);
        if (at != std::string_view::npos) ++at;
    }
    return at == std::string_view::npos ? text.size()
                                        : std::min(text.size(), at + static_cast<std::size_t>(column - 1));
}

// Where the character at `offset` of a scalar's value stands in the file, if that can be told: plain and quoted scalars
// on one line and literal blocks are in the file as they are in the value.
std::optional<YAML::Mark> place_in_scalar(std::string_view file, const YAML::Node& node, std::size_t offset) {
    const std::string& value = node.Scalar();
    const YAML::Mark mark = node.Mark();
    if (mark.is_null() || offset > value.size()) return std::nullopt;
    const auto mark_at = static_cast<std::size_t>(mark.pos);
    if (mark_at >= file.size()) return std::nullopt;
    YAML::Mark found = mark;
    const std::size_t lines =
        static_cast<std::size_t>(std::count(value.begin(), value.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
    if (file[mark_at] != '|') {
        const std::size_t quote = file[mark_at] == '"' || file[mark_at] == '\'' ? 1 : 0;
        if (lines > 0 || file.substr(mark_at + quote, offset) != value.substr(0, offset)) return std::nullopt;
        found.column += static_cast<int>(quote + offset);
        return found;
    }
    const std::size_t head = value.rfind('\n', offset == 0 ? 0 : offset - 1);
    const std::size_t column = lines == 0 ? offset : offset - head - 1;
    const std::size_t begin = offset_of(file, mark.line + 2 + static_cast<int>(lines), 1);
    const std::size_t text = std::min(file.find_first_not_of(' ', begin), file.size());
    const std::size_t value_line = lines == 0 ? 0 : head + 1;
    const std::size_t value_text = std::min(value.find_first_not_of(' ', value_line), value.size());
    found.line = mark.line + 1 + static_cast<int>(lines);
    found.column = static_cast<int>(text - begin - (value_text - value_line) + column);
    return found;
}

// Walks one file's YAML and notes what is wrong where.
class Parser {
public:
    Parser(std::string file, const CheckFn& check, RuleFiles& into)
        : file_(std::move(file)), check_(check), into_(into) {}

    void parse(std::string_view text) {
        source_ = text;
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
        if (parsed && *parsed <= kLongestDuration) return *parsed;
        problem(map[name].Mark(), join_key(key, name), parsed ? "is too long" : parsed.error().message);
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
            if (!is_name(entry_name) || (labels && entry_name == "__name__")) {
                problem(entry.first.Mark(), entry_key, "is not a valid name");
            } else if (!entry.second.IsScalar() && !entry.second.IsNull()) {
                problem(entry.second.Mark(), entry_key, "must be a text");
            } else if (const std::string value = entry.second.IsNull() ? "" : entry.second.Scalar();
                       !is_name(value + "x")) {
                problem(entry.second.Mark(), entry_key, "is not UTF-8");
            } else {
                found[entry_name] = value;
            }
        }
        return found;
    }

    void check_templates(const YAML::Node& map, const std::string& key, const std::string& alert) {
        if (!map || !map.IsMap()) return;
        for (const auto& entry : map) {
            if (!entry.first.IsScalar() || !entry.second.IsScalar()) continue;
            std::size_t offset = 0;
            const auto good = check_template(entry.second.Scalar(), alert, &offset);
            if (good) continue;
            const auto place = place_in_scalar(source_, entry.second, offset);
            // "template: __alert_X:1: what" is what Prometheus says where it has no place.
            std::string message = good.error().message;
            const std::size_t what = message.find(": ", message.find("__alert_") + 8 + alert.size());
            if (what != std::string::npos) message = "template: " + message.substr(what + 2);
            problem(place.value_or(entry.second.Mark()), join_key(key, entry.first.Scalar()), message);
        }
    }

    RuleGroupSpec parse_group(const YAML::Node& node, const std::string& key) {
        RuleGroupSpec group;
        group.file = file_;
        if (!known_keys(node, key, {"name", "interval", "query_offset", "limit", "labels", "rules"})) return group;
        group.name = text(node, key, "name");
        if (group.name.empty()) problem(node.Mark(), key, "a group needs a `name`");
        group.interval = duration(node, key, "interval");
        if (node["query_offset"]) group.query_offset = duration(node, key, "query_offset");
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
        if (!alert && !rule.name.empty() && !is_name(rule.name)) {
            problem(node["record"].Mark(), join_key(key, "record"), "`" + rule.name + "` is not a metric name");
        } else if (!alert && rule.name.find_first_of("{}") != std::string::npos) {
            problem(node["record"].Mark(), join_key(key, "record"),
                    "`" + rule.name + "` is not a metric name: labels belong in `labels`, a selector in `expr`");
        }
        rule.hold_for = duration(node, key, "for");
        rule.keep_firing_for = duration(node, key, "keep_firing_for");
        rule.labels = texts(node, key, "labels", true);
        rule.annotations = texts(node, key, "annotations", false);
        if (alert) {
            check_templates(node["labels"], join_key(key, "labels"), rule.name);
            check_templates(node["annotations"], join_key(key, "annotations"), rule.name);
        }
        const auto alerts_only = [&](const char* name, bool given) {
            if (!alert && given) problem(node[name].Mark(), join_key(key, name), "is for alerts only");
        };
        alerts_only("for", rule.hold_for != Duration{0});
        alerts_only("keep_firing_for", rule.keep_firing_for != Duration{0});
        alerts_only("annotations", !rule.annotations.empty());
        parse_expr(node, key, rule);
        return rule;
    }

    void parse_expr(const YAML::Node& node, const std::string& key, RuleSpec& rule) {
        rule.expr = text(node, key, "expr");
        if (rule.expr.empty()) return problem(node.Mark(), key, "the rule has no `expr`");
        if (!check_) return;
        const auto good = check_(rule.expr);
        if (good) return;
        // "3:7: parse error: ..." counts lines and columns of the expression; say where that is in the file.
        int line = 0;
        int column = 0;
        int length = 0;
        std::optional<YAML::Mark> place;
        if (std::sscanf(good.error().message.c_str(), "%d:%d: %n", &line, &column, &length) == 2 && line > 0 &&
            column > 0) {
            place = place_in_scalar(source_, node["expr"], offset_of(rule.expr, line, column));
        }
        const YAML::Mark mark = place.value_or(node["expr"].Mark());
        problem(mark, join_key(key, "expr"),
                place ? good.error().message.substr(static_cast<std::size_t>(length)) : good.error().message);
    }

    const std::string file_;
    std::string_view source_;
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
