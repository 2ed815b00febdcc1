// Failure signatures as data: what config/logs/signatures.yaml and operators' files may say.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/time.h"

namespace stoker::collect {

struct BurstSpec {
    std::int64_t count = 1;   // So many matching lines of one service
    Duration within{60'000};  // within this time make one occurrence.
};

struct SignatureSpec {
    std::string name;                // snake_case; a label's value.
    std::string severity = "error";  // info, warning, error, critical
    std::string summary;
    std::string action;
    std::vector<std::string> match;   // RE2; one is enough.
    std::vector<std::string> unless;  // RE2; one is enough to say no.
    BurstSpec burst;
};

struct SignatureFile {
    std::vector<SignatureSpec> signatures;
    std::vector<config::Problem> problems;  // Not empty: the file is not to be used.
};

void describe(config::Fields& f, BurstSpec& c);
void describe(config::Fields& f, SignatureSpec& c);

// Reads one file; `name` is for its problems, which say line, column, key and what to do.
SignatureFile parse_signatures(std::string_view text, const std::string& name);

// `more` put before `base`; what has a name of `more` in `base` is left out.
std::vector<SignatureSpec> with_signatures(std::vector<SignatureSpec> base, std::vector<SignatureSpec> more);

}  // namespace stoker::collect
