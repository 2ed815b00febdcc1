#include "collect/discovery/relabel.h"

#include <clocale>
#include <cwctype>

#include "base/check.h"
#include "base/text.h"
#include "collect/discovery/relabel_template.h"
#include "crypto/md5.h"
#include "wire/utf8.h"

namespace stoker::collect {
namespace {

constexpr std::int64_t kMostRegexMemory = std::int64_t{8} << 20;

bool has_variable(std::string_view text) {
    return text.find('$') != std::string_view::npos;
}

bool valid_label_name(const std::string& name) {
    static const re2::RE2 pattern("[a-zA-Z_][a-zA-Z0-9_]*");
    return re2::RE2::FullMatch(name, pattern);
}

// A name, or a template that may make one.
bool valid_target(const std::string& name) {
    static const re2::RE2 pattern(R"((?:(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))+\w*)+)");
    return re2::RE2::FullMatch(name, pattern);
}

locale_t unicode() {
    static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return locale;
}

enum class Case : std::uint8_t { Lower, Upper };

// Letter by letter, as Go's strings.ToLower and ToUpper; where the machine has no C.UTF-8, ASCII only.
std::string change_case(std::string_view text, Case to) {
    std::string out;
    std::size_t at = 0;
    while (at < text.size()) {
        const auto lead = static_cast<unsigned char>(text[at]);
        const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        if (at + length > text.size() || !wire::valid_utf8(text.substr(at, length))) {
            out += text[at++];
            continue;
        }
        char32_t code = length == 1 ? lead : lead & (0xFFu >> (length + 1));
        for (std::size_t i = 1; i < length; ++i) code = code << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3Fu);
        at += length;
        if (unicode() != nullptr) {
            const auto wide = static_cast<wint_t>(code);
            code = static_cast<char32_t>(to == Case::Lower ? towlower_l(wide, unicode()) : towupper_l(wide, unicode()));
        } else if (code < 0x80) {
            code = static_cast<char32_t>(to == Case::Lower ? std::tolower(static_cast<int>(code))
                                                           : std::toupper(static_cast<int>(code)));
        }
        if (code < 0x80) {
            out += static_cast<char>(code);
        } else if (code < 0x800) {
            out += static_cast<char>(0xC0 | code >> 6);
            out += static_cast<char>(0x80 | (code & 0x3F));
        } else if (code < 0x10000) {
            out += static_cast<char>(0xE0 | code >> 12);
            out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
            out += static_cast<char>(0x80 | (code & 0x3F));
        } else {
            out += static_cast<char>(0xF0 | code >> 18);
            out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
            out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
            out += static_cast<char>(0x80 | (code & 0x3F));
        }
    }
    return out;
}

// Prometheus takes the digest's last 8 bytes, the first of them the highest.
std::uint64_t hash_of(std::string_view text) {
    const auto digest = crypto::md5(text);
    std::uint64_t hash = 0;
    for (std::size_t i = 8; i < digest.size(); ++i) hash = hash << 8 | digest[i];
    return hash;
}

std::string joined(const RelabelConfig& config, const LabelMap& labels) {
    std::string value;
    for (std::size_t i = 0; i < config.source_labels.size(); ++i) {
        if (i > 0) value += config.separator;
        value += label(labels, config.source_labels[i]);
    }
    return value;
}

bool match(const re2::RE2& regex, const std::string& text, Captures& captures) {
    captures.resize(static_cast<std::size_t>(regex.NumberOfCapturingGroups()) + 1);
    return regex.Match(text, 0, text.size(), re2::RE2::ANCHOR_BOTH, captures.data(), static_cast<int>(captures.size()));
}

bool matches(const re2::RE2& regex, const std::string& text) {
    return regex.Match(text, 0, text.size(), re2::RE2::ANCHOR_BOTH, nullptr, 0);
}

const std::vector<std::string>& action_names() {
    static const std::vector<std::string> names = {"replace",   "keep",      "drop",     "keepequal",
                                                   "dropequal", "hashmod",   "labelmap", "labeldrop",
                                                   "labelkeep", "lowercase", "uppercase"};
    return names;
}

}  // namespace

std::string problem_of(const RelabelConfig& rule) {
    const RelabelConfig initial;
    const std::string action = to_lower(rule.action);
    const auto is = [&action](auto... names) { return ((action == names) || ...); };
    if (std::find(action_names().begin(), action_names().end(), action) == action_names().end()) {
        const auto nearest = nearest_name(action, action_names());
        return "unknown action '" + rule.action + "'" +
               (nearest ? "; did you mean '" + *nearest + "'?" : "; known: " + join(action_names(), ", "));
    }
    if (is("hashmod") && rule.modulus <= 0) return "action hashmod needs a 'modulus' above 0";
    if (is("replace", "keepequal", "dropequal", "hashmod", "lowercase", "uppercase") && rule.target_label.empty()) {
        return "action " + action + " needs a 'target_label'";
    }
    if (is("replace") && !valid_target(rule.target_label)) {
        return "'" + rule.target_label + "' is no valid 'target_label'";
    }
    if (is("keepequal", "dropequal", "hashmod", "lowercase", "uppercase") && !valid_label_name(rule.target_label)) {
        return "'" + rule.target_label + "' is no valid 'target_label' for action " + action;
    }
    if (is("lowercase", "uppercase", "keepequal", "dropequal") && rule.replacement != initial.replacement) {
        return "'replacement' has no meaning with action " + action;
    }
    if (is("labelmap") && !valid_target(rule.replacement)) {
        return "'" + rule.replacement + "' is no valid 'replacement' for action labelmap";
    }
    if (is("keepequal", "dropequal") &&
        (rule.regex != initial.regex || rule.modulus != initial.modulus || rule.separator != initial.separator)) {
        return "action " + action + " takes only 'source_labels' and 'target_label'";
    }
    if (is("labeldrop", "labelkeep") &&
        (!rule.source_labels.empty() || !rule.target_label.empty() || rule.modulus != initial.modulus ||
         rule.separator != initial.separator || rule.replacement != initial.replacement)) {
        return "action " + action + " takes only 'regex'";
    }
    for (const std::string& name : rule.source_labels) {
        if (!valid_label_name(name)) return "'" + name + "' in 'source_labels' is no label's name";
    }
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_dot_nl(true);
    options.set_max_mem(kMostRegexMemory);
    const re2::RE2 regex(rule.regex, options);
    if (!regex.ok()) return "regex '" + rule.regex + "': " + regex.error();
    return {};
}

void describe(config::Fields& f, RelabelConfig& c) {
    f.field("source_labels", c.source_labels, "Labels whose values are joined to what `regex` is matched with.");
    f.field("separator", c.separator, "What stands between them.");
    f.field("target_label", c.target_label, "Label that is written; `$1` and the like are replaced.");
    f.field("regex", c.regex, "RE2, matched with the whole text.");
    f.field("modulus", c.modulus, "Of `hashmod`.");
    f.field("replacement", c.replacement, "What is written; `$1`, `${1}`, `$name` are what the groups caught.");
    f.field("action", c.action,
            "replace, keep, drop, keepequal, dropequal, hashmod, labelmap, labeldrop, labelkeep, lowercase or "
            "uppercase.");
    const std::string problem = problem_of(c);
    f.check("action", problem.empty(), problem);
}

Result<Relabeler::Rule> Relabeler::compile(const RelabelConfig& config) {
    if (std::string problem = problem_of(config); !problem.empty()) {
        return Error{Errc::InvalidArgument, std::move(problem)};
    }
    Rule rule{.config = config, .action = Action::Replace, .regex = nullptr};
    const auto& names = action_names();  // In the order of Action.
    const auto named = std::find(names.begin(), names.end(), to_lower(config.action));
    rule.action = static_cast<Action>(named - names.begin());
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_dot_nl(true);
    options.set_max_mem(kMostRegexMemory);
    rule.regex = std::make_shared<const re2::RE2>(config.regex, options);
    return rule;
}

Result<Relabeler> Relabeler::create(const std::vector<RelabelConfig>& rules) {
    Relabeler made;
    for (const RelabelConfig& config : rules) {
        TRY(auto rule, compile(config));
        made.rules_.push_back(std::move(rule));
    }
    return made;
}

bool Relabeler::apply(LabelMap& labels) const {
    for (const Rule& rule : rules_) {
        if (!apply(rule, labels)) return false;
    }
    return true;
}

void Relabeler::map_labels(const Rule& rule, LabelMap& labels) {
    const LabelMap before = labels;
    Captures captures;
    for (const auto& [name, value] : before) {
        if (!match(*rule.regex, name, captures)) continue;
        const std::string to = expand_template(rule.config.replacement, *rule.regex, captures);
        set_label(labels, to, value);
    }
}

void Relabeler::replace(const Rule& rule, const std::string& value, LabelMap& labels) {
    Captures captures;
    if (!match(*rule.regex, value, captures)) return;
    const RelabelConfig& config = rule.config;
    if (!has_variable(config.target_label)) {
        return set_label(labels, config.target_label, expand_template(config.replacement, *rule.regex, captures));
    }
    const std::string target = expand_template(config.target_label, *rule.regex, captures);
    if (!valid_label_name(target)) return;
    set_label(labels, target, expand_template(config.replacement, *rule.regex, captures));
}

bool Relabeler::apply(const Rule& rule, LabelMap& labels) {
    const RelabelConfig& config = rule.config;
    const std::string value = joined(config, labels);
    switch (rule.action) {
        case Action::Keep:
            return matches(*rule.regex, value);
        case Action::Drop:
            return !matches(*rule.regex, value);
        case Action::KeepEqual:
            return label(labels, config.target_label) == value;
        case Action::DropEqual:
            return label(labels, config.target_label) != value;
        case Action::Replace:
            replace(rule, value, labels);
            break;
        case Action::HashMod:
            set_label(labels, config.target_label,
                      std::to_string(hash_of(value) % static_cast<std::uint64_t>(config.modulus)));
            break;
        case Action::MapLabels:
            map_labels(rule, labels);
            break;
        case Action::DropLabels:
            std::erase_if(labels, [&rule](const auto& one) { return matches(*rule.regex, one.first); });
            break;
        case Action::KeepLabels:
            std::erase_if(labels, [&rule](const auto& one) { return !matches(*rule.regex, one.first); });
            break;
        case Action::Lowercase:
            set_label(labels, config.target_label, change_case(value, Case::Lower));
            break;
        case Action::Uppercase:
            set_label(labels, config.target_label, change_case(value, Case::Upper));
            break;
    }
    return true;
}

}  // namespace stoker::collect
