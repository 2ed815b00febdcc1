#include "collect/discovery/relabel_template.h"

#include <cctype>
#include <optional>

namespace stoker::collect {
namespace {

struct Reference {
    std::string name;
    std::size_t length = 0;  // Of what it was written with, without the $.
};

// Letters beyond ASCII count as such in Go; RE2's group names can't have any, so all that matters is where a name ends.
bool is_word(unsigned char c) {
    return c >= 0x80 || std::isalnum(c) != 0 || c == '_';
}

std::optional<Reference> read_reference(std::string_view text) {
    const bool brace = text.starts_with('{');
    std::size_t end = brace ? 1 : 0;
    const std::size_t begin = end;
    while (end < text.size() && is_word(static_cast<unsigned char>(text[end]))) ++end;
    if (end == begin) return std::nullopt;
    Reference found{std::string(text.substr(begin, end - begin)), end};
    if (!brace) return found;
    if (end >= text.size() || text[end] != '}') return std::nullopt;
    ++found.length;
    return found;
}

// The group's number; -1 for a name.
int number_of(std::string_view name) {
    constexpr int kMost = 100'000'000;
    if (name.size() > 1 && name.front() == '0') return -1;
    int number = 0;
    for (const char c : name) {
        if (c < '0' || c > '9' || number >= kMost) return -1;
        number = number * 10 + (c - '0');
    }
    return number;
}

}  // namespace

std::string expand_template(std::string_view text, const re2::RE2& regex, const Captures& captures) {
    std::string out;
    while (true) {
        const std::size_t dollar = text.find('$');
        out += text.substr(0, dollar);
        if (dollar == std::string_view::npos) return out;
        text.remove_prefix(dollar + 1);
        if (text.starts_with('$')) {
            out += '$';
            text.remove_prefix(1);
            continue;
        }
        const auto reference = read_reference(text);
        if (!reference) {
            out += '$';
            continue;
        }
        text.remove_prefix(reference->length);
        int group = number_of(reference->name);
        if (group < 0) {
            const auto& names = regex.NamedCapturingGroups();
            const auto named = names.find(reference->name);
            if (named == names.end()) continue;
            group = named->second;
        }
        if (static_cast<std::size_t>(group) < captures.size()) {
            const re2::StringPiece& caught = captures[static_cast<std::size_t>(group)];
            out.append(caught.data(), caught.size());
        }
    }
}

}  // namespace stoker::collect
