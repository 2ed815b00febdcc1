#include "base/config_expand.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace stoker::config {
namespace {

bool is_name(std::string_view text) {
    if (text.empty() || std::isdigit(static_cast<unsigned char>(text.front())) != 0) return false;
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0; });
}

Error bad_variable(std::string_view why) {
    return {Errc::InvalidArgument, fmt::format("{}; write ${{NAME}}, or $${{ for a literal ${{", why)};
}

}  // namespace

Result<std::string> expand(std::string_view text, const Environment& environment) {
    if (!environment) return std::string(text);
    std::string out;
    while (true) {
        const std::size_t dollar = text.find("${");
        if (dollar == std::string_view::npos) return out += text;
        const bool literal = dollar > 0 && text[dollar - 1] == '$';
        out += text.substr(0, dollar);
        text.remove_prefix(dollar + 2);
        if (literal) {
            out += '{';
            continue;
        }
        const std::size_t end = text.find('}');
        if (end == std::string_view::npos) return bad_variable("a '}' is missing after '${'");
        const std::string name(text.substr(0, end));
        // What a regular expression caught, in relabelling rules: no variable's name begins with a digit.
        if (!name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c); })) {
            out += "${" + name + "}";
            text.remove_prefix(end + 1);
            continue;
        }
        if (!is_name(name)) return bad_variable(fmt::format("'{}' is not a variable's name", name));
        const auto value = environment(name);
        if (!value) {
            return Error{Errc::NotFound, fmt::format("the environment variable {} is not set", name)};
        }
        out += *value;
        text.remove_prefix(end + 1);
    }
}

}  // namespace stoker::config
