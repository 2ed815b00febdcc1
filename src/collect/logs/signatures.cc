#include "collect/logs/signatures.h"

#include <algorithm>

namespace stoker::collect {
namespace {

constexpr std::size_t kLookedAt = std::size_t{8} << 10;  // Of one line.
constexpr std::int64_t kSetMemory = std::int64_t{64} << 20;
constexpr std::size_t kMostGroup = 200;  // Of what a named group may put into an attribute.

re2::StringPiece piece(std::string_view text) {
    return {text.data(), text.size()};
}

}  // namespace

Result<std::shared_ptr<const Signatures>> Signatures::compile(std::vector<SignatureSpec> specs) {
    std::shared_ptr<Signatures> out(new Signatures());
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kSetMemory);
    out->set_ = std::make_unique<RE2::Set>(options, RE2::UNANCHORED);
    out->specs_ = std::move(specs);
    for (std::size_t i = 0; i < out->specs_.size(); ++i) {
        const SignatureSpec& spec = out->specs_[i];
        for (const std::string& pattern : spec.match) {
            out->patterns_.push_back({i, std::make_unique<RE2>(pattern, RE2::Quiet)});
            if (out->set_->Add(pattern, nullptr) < 0) {
                return Error{Errc::InvalidArgument,
                             "signature " + spec.name + ": \"" + pattern + "\" is no RE2 pattern"};
            }
        }
        auto& unless = out->unless_.emplace_back();
        for (const std::string& pattern : spec.unless) unless.push_back(std::make_unique<RE2>(pattern, RE2::Quiet));
    }
    if (!out->set_->Compile()) {
        return Error{Errc::ResourceExhausted, "the signatures' patterns are too many or too large for RE2"};
    }
    return std::shared_ptr<const Signatures>(std::move(out));
}

bool Signatures::find(std::string_view text, Found& found) const {
    if (patterns_.empty()) return false;
    text = text.substr(0, kLookedAt);
    thread_local std::vector<int> matched;
    if (!set_->Match(piece(text), &matched)) return false;
    std::sort(matched.begin(), matched.end());
    for (const int index : matched) {
        const Pattern& pattern = patterns_[static_cast<std::size_t>(index)];
        if (excluded(pattern.signature, text)) continue;
        found.index = pattern.signature;
        found.groups.clear();
        const auto& names = pattern.regex->CapturingGroupNames();
        if (names.empty()) return true;
        std::vector<re2::StringPiece> groups(static_cast<std::size_t>(pattern.regex->NumberOfCapturingGroups()) + 1);
        if (pattern.regex->Match(piece(text), 0, text.size(), RE2::UNANCHORED, groups.data(),
                                 static_cast<int>(groups.size()))) {
            for (const auto& [number, name] : names) {
                const re2::StringPiece& group = groups[static_cast<std::size_t>(number)];
                found.groups.emplace_back(name, std::string(group.data(), std::min(group.size(), kMostGroup)));
            }
        }
        return true;
    }
    return false;
}

bool Signatures::excluded(std::size_t signature, std::string_view text) const {
    return std::any_of(unless_[signature].begin(), unless_[signature].end(),
                       [text](const auto& regex) { return RE2::PartialMatch(piece(text), *regex); });
}

}  // namespace stoker::collect
