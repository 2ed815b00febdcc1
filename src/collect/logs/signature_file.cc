#include "collect/logs/signature_file.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <set>

namespace stoker::collect {
namespace {

constexpr std::int64_t kVersion = 1;

struct Document {
    std::int64_t version = kVersion;
    std::vector<SignatureSpec> signatures;
};

bool snake_case(std::string_view name) {
    return !name.empty() && name.size() <= 64 && name[0] >= 'a' && name[0] <= 'z' &&
           std::all_of(name.begin(), name.end(),
                       [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

void check_patterns(config::Fields& f, std::string_view key, const std::vector<std::string>& patterns) {
    for (std::size_t i = 0; i < patterns.size(); ++i) {
        const RE2 pattern(patterns[i], RE2::Quiet);
        f.check(fmt::format("{}[{}]", key, i), pattern.ok(), "is no RE2 pattern: " + pattern.error());
        f.check(fmt::format("{}[{}]", key, i), !pattern.ok() || !RE2::FullMatch("", pattern),
                "matches the empty text, and so every line");
    }
}

}  // namespace

void describe(config::Fields& f, BurstSpec& c) {
    f.field("count", c.count, "Matching lines of one service that make one occurrence.");
    f.check("count", c.count >= 1, "must be at least 1");
    f.field("within", c.within, "The time in which they must come.");
    f.check("within", c.within.count() > 0, "must be more than 0");
}

void describe(config::Fields& f, SignatureSpec& c) {
    f.field("name", c.name, "Its name, in small letters, digits and underscores.");
    f.required("name");
    f.check("name", snake_case(c.name), "must be small letters, digits and underscores, at most 64, a letter first");
    f.choice("severity", c.severity, {"info", "warning", "error", "critical"}, "How bad it is.");
    f.field("summary", c.summary, "What it means, a sentence.");
    f.field("action", c.action, "What to do about it.");
    f.field("match", c.match, "RE2 patterns; a line that one of them is found in has the signature.");
    f.required("match");
    f.check("match", !c.match.empty(), "must hold at least one pattern");
    check_patterns(f, "match", c.match);
    f.field("unless", c.unless, "RE2 patterns; a line that one of them is found in does not have it.");
    check_patterns(f, "unless", c.unless);
    f.object("burst", c.burst, "Only many lines in a short time are an occurrence.");
}

SignatureFile parse_signatures(std::string_view text, const std::string& name) {
    Document document;
    const auto describe_all = [&document](config::Fields& f) {
        f.field("version", document.version, "Of this format.");
        f.check("version", document.version == kVersion, fmt::format("must be {}", kVersion));
        f.list("signatures", document.signatures, "Signatures, of which the first that a line matches counts.");
        std::set<std::string> seen;
        for (std::size_t i = 0; i < document.signatures.size(); ++i) {
            f.check(fmt::format("signatures[{}].name", i), seen.insert(document.signatures[i].name).second,
                    "stands in this file already");
        }
    };
    // Patterns are full of dollar signs: none of them is an environment variable.
    std::string escaped;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '{') escaped += '$';
        escaped += text[i];
    }
    SignatureFile out;
    out.problems = config::read_yaml(escaped, name, describe_all, [](const std::string&) { return std::nullopt; });
    if (out.problems.empty()) out.signatures = std::move(document.signatures);
    return out;
}

std::vector<SignatureSpec> with_signatures(std::vector<SignatureSpec> base, std::vector<SignatureSpec> more) {
    std::erase_if(base, [&more](const SignatureSpec& one) {
        return std::any_of(more.begin(), more.end(), [&one](const SignatureSpec& m) { return m.name == one.name; });
    });
    more.insert(more.end(), std::make_move_iterator(base.begin()), std::make_move_iterator(base.end()));
    return more;
}

}  // namespace stoker::collect
