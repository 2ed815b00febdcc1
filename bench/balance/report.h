// The results as tables in Markdown, and their place in a page.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gateway/balance/balance_options.h"
#include "replay.h"

namespace stoker::bench_balance {

struct Row {
    gateway::BalanceKind policy{};
    Outcome outcome;
};

// The best of each column in bold.
std::string table(const std::vector<Row>& rows);
// In how far the default is as good as any by p99 of first tokens: within two percent of the best.
std::string verdict(const std::vector<Row>& rows);

// One case at one load.
struct Point {
    std::string name;
    double load = 1;
    std::vector<Row> rows;
};
// The p99 of first tokens by policy, for each case at each load; the best of each column in bold.
std::string load_table(const std::vector<Point>& points);

// Replaces what stands between `<!-- balance:begin -->` and `<!-- balance:end -->` in the file. Errors: NotFound.
Result<Unit> update_page(const std::string& path, std::string_view text);

}  // namespace stoker::bench_balance
