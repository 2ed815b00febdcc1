#include "alert/rule_test_file.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "alert/rule_file.h"
#include "base/text.h"

namespace stoker::alert {
namespace {

// Reads maps key by key: every key has a reader, and others are refused.
class TestFileReader {
public:
    using Read = std::function<void(const YAML::Node&)>;
    using Keys = std::vector<std::pair<std::string, Read>>;

    explicit TestFileReader(RuleTestFile& into) : into_(into) {}

    void read(const YAML::Node& root) {
        map(root, {{"rule_files", texts(into_.rule_files)},
                   {"evaluation_interval", duration(into_.evaluation_interval)},
                   {"group_eval_order", texts(into_.group_eval_order)},
                   {"fuzzy_compare", boolean(into_.fuzzy_compare)},
                   {"tests", list([this](const YAML::Node& node) { group(node); })}});
        if (into_.evaluation_interval == Duration{0}) into_.evaluation_interval = Duration{60'000};
        std::set<std::string> seen;
        for (const std::string& name : into_.group_eval_order) {
            if (!seen.insert(name).second) problem(root, "group name repeated in evaluation order: " + name);
        }
    }

private:
    void problem(const YAML::Node& at, std::string message) {
        into_.problems.push_back({into_.file, at.Mark().line + 1, at.Mark().column + 1, "", std::move(message)});
    }

    void map(const YAML::Node& node, const Keys& keys) {
        if (node.IsNull()) return;
        if (!node.IsMap()) return problem(node, "must be a map with keys such as `" + keys.front().first + "`");
        std::set<std::string> seen;
        for (const auto& entry : node) {
            const std::string name = entry.first.IsScalar() ? entry.first.Scalar() : "";
            const auto known =
                std::find_if(keys.begin(), keys.end(), [&](const auto& key) { return key.first == name; });
            if (known == keys.end()) {
                std::vector<std::string> names;
                for (const auto& key : keys) names.push_back(key.first);
                const auto near = nearest_name(name, names);
                problem(entry.first,
                        "unknown field `" + name + "`" + (near ? "; did you mean `" + *near + "`?" : std::string()));
            } else if (!seen.insert(name).second) {
                problem(entry.first, "`" + name + "` is given twice");
            } else if (!entry.second.IsNull()) {
                known->second(entry.second);
            }
        }
    }

    Read text(std::string& into) {
        return [this, &into](const YAML::Node& node) {
            if (!node.IsScalar()) return problem(node, "must be a text");
            into = node.Scalar();
        };
    }
    Read duration(Duration& into) {
        return [this, &into](const YAML::Node& node) {
            const auto parsed = parse_duration(node.IsScalar() ? node.Scalar() : "");
            if (!parsed) return problem(node, parsed.error().message);
            if (*parsed > kLongestDuration) return problem(node, "is too long");
            into = *parsed;
        };
    }
    Read boolean(bool& into) {
        return [this, &into](const YAML::Node& node) {
            if (!YAML::convert<bool>::decode(node, into)) problem(node, "must be true or false");
        };
    }
    // Numbers as YAML writes them: 1e3, .inf, .nan.
    Read number(double& into) {
        return [this, &into](const YAML::Node& node) {
            if (!YAML::convert<double>::decode(node, into)) problem(node, "must be a number");
        };
    }
    Read list(Read element) {
        return [this, element = std::move(element)](const YAML::Node& node) {
            if (!node.IsSequence()) return problem(node, "must be a list");
            for (const auto& one : node) element(one);
        };
    }
    Read texts(std::vector<std::string>& into) {
        return list([this, &into](const YAML::Node& node) { text(into.emplace_back())(node); });
    }
    Read pairs(Texts& into) {
        return [this, &into](const YAML::Node& node) {
            if (!node.IsMap()) return problem(node, "must be a map of texts");
            for (const auto& entry : node) {
                if (!entry.first.IsScalar()) return problem(entry.first, "must be a text");
                std::string& value = into[entry.first.Scalar()];
                if (!entry.second.IsNull()) text(value)(entry.second);
            }
        };
    }

    void group(const YAML::Node& node) {
        RuleTestGroup& made = into_.tests.emplace_back();
        made.line = node.Mark().line + 1;
        map(node,
            {{"interval", duration(made.interval)},
             {"input_series", list([&](const YAML::Node& one) {
                  InputSeries& series = made.input_series.emplace_back();
                  series.line = one.Mark().line + 1;
                  map(one, {{"series", text(series.series)}, {"values", text(series.values)}});
              })},
             {"name", text(made.name)},
             {"alert_rule_test",
              list([&](const YAML::Node& one) { alert_test(one, made.alert_tests.emplace_back()); })},
             {"promql_expr_test", list([&](const YAML::Node& one) { expr_test(one, made.expr_tests.emplace_back()); })},
             {"external_labels", pairs(made.external_labels)},
             {"external_url", text(made.external_url)}});
    }

    void alert_test(const YAML::Node& node, AlertTest& made) {
        made.line = node.Mark().line + 1;
        map(node, {{"eval_time", duration(made.eval_time)},
                   {"alertname", text(made.alertname)},
                   {"exp_alerts", list([&](const YAML::Node& one) {
                        ExpectedAlert& alert = made.alerts.emplace_back();
                        map(one, {{"exp_labels", pairs(alert.labels)}, {"exp_annotations", pairs(alert.annotations)}});
                    })}});
        if (made.alertname.empty()) problem(node, "an alert_rule_test needs an `alertname`");
    }

    void expr_test(const YAML::Node& node, ExprTest& made) {
        made.line = node.Mark().line + 1;
        map(node, {{"expr", text(made.expr)},
                   {"eval_time", duration(made.eval_time)},
                   {"exp_samples", list([&](const YAML::Node& one) {
                        ExpectedSample& sample = made.samples.emplace_back();
                        map(one, {{"labels", text(sample.labels)},
                                  {"value", number(sample.value)},
                                  {"histogram", text(sample.histogram)}});
                    })}});
    }

    RuleTestFile& into_;
};

}  // namespace

RuleTestFile parse_rule_test_file(std::string_view text, const std::string& file) {
    RuleTestFile made;
    made.file = file;
    try {
        TestFileReader(made).read(YAML::Load(std::string(text)));
    } catch (const YAML::Exception& error) {
        made.problems.push_back({file, error.mark.line + 1, error.mark.column + 1, "", error.msg});
    }
    return made;
}

}  // namespace stoker::alert
