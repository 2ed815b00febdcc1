#include "collect/engine/version_range.h"

#include <algorithm>
#include <string>

#include "base/text.h"

namespace stoker::collect {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Missing numbers are zero: 1.0 is 1.
int compare(const VersionNumbers& a, const VersionNumbers& b) {
    for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
        const std::int64_t left = i < a.size() ? a[i] : 0;
        const std::int64_t right = i < b.size() ? b[i] : 0;
        if (left != right) return left < right ? -1 : 1;
    }
    return 0;
}

}  // namespace

VersionNumbers version_numbers(std::string_view version) {
    constexpr std::int64_t kMost = 1'000'000'000;
    VersionNumbers numbers;
    std::size_t at = 0;
    while (at < version.size() && !is_digit(version[at])) ++at;  // "v", "b".
    while (at < version.size() && is_digit(version[at])) {
        std::int64_t number = 0;
        for (; at < version.size() && is_digit(version[at]); ++at) {
            number = std::min(kMost, number * 10 + (version[at] - '0'));
        }
        numbers.push_back(number);
        if (at >= version.size() || version[at] != '.') break;
        ++at;
    }
    return numbers;
}

Result<VersionRange> VersionRange::parse(std::string_view text) {
    constexpr std::pair<std::string_view, Relation> kRelations[] = {{"<=", Relation::LessOrEqual},
                                                                    {">=", Relation::GreaterOrEqual},
                                                                    {"<", Relation::Less},
                                                                    {">", Relation::Greater},
                                                                    {"=", Relation::Equal}};
    VersionRange range;
    for (const std::string_view part : split(text, ' ')) {
        if (part.empty()) continue;
        const auto* found = std::find_if(std::begin(kRelations), std::end(kRelations),
                                         [&](const auto& relation) { return part.starts_with(relation.first); });
        Condition condition;
        if (found != std::end(kRelations)) {
            condition.relation = found->second;
            condition.numbers = version_numbers(part.substr(found->first.size()));
        }
        if (condition.numbers.empty()) {
            return Error{Errc::InvalidArgument, "'" + std::string(part) +
                                                    "' must be a relation and a version without a space between, such "
                                                    "as >=0.8 or <0.11.2"};
        }
        range.conditions_.push_back(std::move(condition));
    }
    return range;
}

bool VersionRange::contains(std::string_view version) const {
    if (conditions_.empty()) return true;
    const VersionNumbers numbers = version_numbers(version);
    if (numbers.empty()) return false;
    return std::all_of(conditions_.begin(), conditions_.end(), [&](const Condition& condition) {
        const int order = compare(numbers, condition.numbers);
        switch (condition.relation) {
            case Relation::Less:
                return order < 0;
            case Relation::LessOrEqual:
                return order <= 0;
            case Relation::Greater:
                return order > 0;
            case Relation::GreaterOrEqual:
                return order >= 0;
            case Relation::Equal:
                break;
        }
        return order == 0;
    });
}

}  // namespace stoker::collect
