// A Matcher made ready to run: regular expressions compiled, and the common simple ones turned into something cheaper.
//
// Most expressions that dashboards send are literals or alternations of literals (a|b|c), prefixes (llm_.*), `.*` and
// `.+`; these never reach RE2. Immutable and thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tsdb/querier.h"

namespace re2 {
class RE2;
}

namespace stoker::tsdb {

class CompiledMatcher {
public:
    // Errors: InvalidArgument (a bad regular expression).
    static Result<CompiledMatcher> compile(const Matcher& matcher);

    const std::string& name() const { return name_; }

    // Whether a series whose label has this value ("": has no such label) is wanted.
    bool matches(std::string_view value) const { return accepts(value) != negated_; }

    // NotEqual and NotRegex: matches() is the opposite of accepts().
    bool negated() const { return negated_; }
    bool accepts(std::string_view value) const;

    // True if accepts() is true for exactly the texts in literals(): the index looks them up instead of trying every
    // value.
    bool is_literal() const { return kind_ == Kind::Literals; }
    const std::vector<std::string>& literals() const { return literals_; }
    // True if accepts() is true for every text (`.*`), or for every text but the empty (`.+`).
    bool is_anything() const { return kind_ == Kind::Anything; }
    bool is_nonempty() const { return kind_ == Kind::NonEmpty; }

private:
    enum class Kind : std::uint8_t { Literals, Prefix, Anything, NonEmpty, Regex };

    std::string name_;
    Kind kind_ = Kind::Literals;
    bool negated_ = false;
    std::vector<std::string> literals_;  // Sorted. Prefix: the one prefix.
    std::shared_ptr<const re2::RE2> regex_;
};

Result<std::vector<CompiledMatcher>> compile_all(const std::vector<Matcher>& matchers);

}  // namespace stoker::tsdb
