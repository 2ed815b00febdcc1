// The canonical llm_engine_* metrics: what each means, whatever engine it comes from. The one table of them;
// docs/engines.md is made from it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace stoker::collect {

struct CanonicalName {
    enum class Kind : std::uint8_t {
        Gauge,      // Of several engines behind one address: the sum.
        Fullest,    // A gauge of which the largest counts: shares, limits.
        Counter,    // The sum.
        Histogram,  // The sum, bucket by bucket.
    };
    std::string_view name;
    Kind kind = Kind::Gauge;
    std::string_view unit;
    std::string_view meaning;
    std::string_view labels;  // Beside `model` and `source`.
};

// In the order of the documentation.
std::span<const CanonicalName> canonical_names();

// By its name; of a histogram also by NAME_sum and NAME_count, for engines that have only these. Null: there is none.
const CanonicalName* find_canonical(std::string_view name);

// "gauge", "counter", "histogram": its TYPE.
std::string_view type_of(CanonicalName::Kind kind);

}  // namespace stoker::collect
