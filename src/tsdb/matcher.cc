#include "tsdb/matcher.h"

#include <re2/re2.h>

#include <algorithm>
#include <cctype>
#include <optional>

namespace stoker::tsdb {

namespace {

constexpr std::string_view kSpecial = "\\.+*?()[]{}^$|";
constexpr std::int64_t kRegexMemory = 8 << 20;  // RE2 refuses what would need more.

// Reads literal text up to the first operator: "a\.b|c" gives "a.b" and leaves "|c".
std::string take_literal(std::string_view& pattern) {
    std::string text;
    while (!pattern.empty()) {
        char c = pattern.front();
        if (c == '\\' && pattern.size() > 1 && std::ispunct(static_cast<unsigned char>(pattern[1])) != 0) {
            c = pattern[1];
            pattern.remove_prefix(1);
        } else if (kSpecial.find(c) != std::string_view::npos) {
            break;
        }
        text += c;
        pattern.remove_prefix(1);
    }
    // An operator binds to the last character alone ("ab*"), which the callers below all refuse.
    return text;
}

// The branches of "a|b|c", also in one pair of parentheses; nothing if there is any other operator.
std::optional<std::vector<std::string>> alternation(std::string_view pattern) {
    if (pattern.size() >= 2 && pattern.front() == '(' && pattern.back() == ')') {
        pattern = pattern.substr(1, pattern.size() - 2);
    }
    std::vector<std::string> branches;
    while (true) {
        branches.push_back(take_literal(pattern));
        if (pattern.empty()) {
            return branches;
        }
        if (pattern.front() != '|') {
            return std::nullopt;
        }
        pattern.remove_prefix(1);
    }
}

}  // namespace

Result<CompiledMatcher> CompiledMatcher::compile(const Matcher& matcher) {
    CompiledMatcher compiled;
    compiled.name_ = matcher.name;
    compiled.negated_ = matcher.op == Matcher::Op::NotEqual || matcher.op == Matcher::Op::NotRegex;
    if (matcher.op == Matcher::Op::Equal || matcher.op == Matcher::Op::NotEqual) {
        compiled.literals_ = {matcher.value};
        return compiled;
    }
    if (auto branches = alternation(matcher.value)) {
        std::sort(branches->begin(), branches->end());
        branches->erase(std::unique(branches->begin(), branches->end()), branches->end());
        compiled.literals_ = *std::move(branches);
        return compiled;
    }
    std::string_view rest = matcher.value;
    std::string prefix = take_literal(rest);
    if (rest == ".*" || (rest == ".+" && prefix.empty())) {
        compiled.kind_ = !prefix.empty() ? Kind::Prefix : rest == ".*" ? Kind::Anything : Kind::NonEmpty;
        compiled.literals_ = {std::move(prefix)};
        return compiled;
    }
    re2::RE2::Options options(re2::RE2::Quiet);
    options.set_dot_nl(true);
    options.set_max_mem(kRegexMemory);
    auto regex = std::make_shared<const re2::RE2>(matcher.value, options);
    if (!regex->ok()) {
        return Error{Errc::InvalidArgument, "bad regular expression \"" + matcher.value + "\" for label " +
                                                matcher.name + ": " + regex->error()};
    }
    compiled.kind_ = Kind::Regex;
    compiled.regex_ = std::move(regex);
    return compiled;
}

bool CompiledMatcher::accepts(std::string_view value) const {
    switch (kind_) {
        case Kind::Literals:
            return std::binary_search(literals_.begin(), literals_.end(), value);
        case Kind::Prefix:
            return value.substr(0, literals_.front().size()) == literals_.front();
        case Kind::Anything:
            return true;
        case Kind::NonEmpty:
            return !value.empty();
        case Kind::Regex:
            return re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *regex_);
    }
    return false;
}

Result<std::vector<CompiledMatcher>> compile_all(const std::vector<Matcher>& matchers) {
    std::vector<CompiledMatcher> compiled;
    compiled.reserve(matchers.size());
    for (const Matcher& matcher : matchers) {
        TRY(auto one, CompiledMatcher::compile(matcher));
        compiled.push_back(std::move(one));
    }
    return compiled;
}

}  // namespace stoker::tsdb
