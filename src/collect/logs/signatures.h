// Recognises failures in lines of log.
//
// All patterns are tried in one pass over a line (RE2::Set), so a line without any, which nearly all are, costs about
// as much as reading it. Immutable and thread-safe.
#pragma once

#include <re2/re2.h>
#include <re2/set.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collect/logs/signature_file.h"

namespace stoker::collect {

class Signatures {
public:
    // REQUIRES: parse_signatures() took the patterns. Errors: ResourceExhausted (too many for RE2's memory).
    static Result<std::shared_ptr<const Signatures>> compile(std::vector<SignatureSpec> specs);

    struct Found {
        std::size_t index = 0;                                    // Into specs().
        std::vector<std::pair<std::string, std::string>> groups;  // Named groups of the pattern, and what they matched.
    };
    // The first signature that the text has, if any.
    bool find(std::string_view text, Found& found) const;

    const std::vector<SignatureSpec>& specs() const { return specs_; }

private:
    struct Pattern {
        std::size_t signature;
        std::unique_ptr<RE2> regex;
    };

    Signatures() = default;
    bool excluded(std::size_t signature, std::string_view text) const;

    std::vector<SignatureSpec> specs_;
    std::vector<Pattern> patterns_;                          // In order of signature.
    std::vector<std::vector<std::unique_ptr<RE2>>> unless_;  // Of each signature.
    std::unique_ptr<RE2::Set> set_;
};

}  // namespace stoker::collect
