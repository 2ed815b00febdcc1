// How each dialect names what vLLM's page says; the tables behind dialect.h.
#pragma once

#include <span>
#include <string_view>

namespace stoker::twin {

// One family of a dialect's page.
struct DialectRow {
    std::string_view own;       // Its name there; of counters with the "_total" that it is exposed with.
    std::string_view type;      // "gauge", "counter", "histogram".
    std::string_view from;      // vLLM's family. Of a histogram's parts: NAME_sum, NAME_count.
    double scale = 1;           // To its unit.
    std::string_view minus{};   // Another family, subtracted.
    std::string_view labels{};  // Further labels: `a="b"`.
};

// In the order of the page. Empty for vllm, whose page is taken as it is, and for a name that is none.
std::span<const DialectRow> dialect_rows(std::string_view dialect);

}  // namespace stoker::twin
