#include "report.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/file.h"

namespace stoker::bench_balance {
namespace {

struct Column {
    std::string_view name;
    std::string_view format;
    std::function<double(const Outcome&)> value;
    bool high_is_good;
};

const std::vector<Column>& columns() {
    static const std::vector<Column> all = {
        {"TTFT p50, ms", "{:.0f}", [](const Outcome& o) { return 1000 * o.first_token(0.5); }, false},
        {"TTFT p99, ms", "{:.0f}", [](const Outcome& o) { return 1000 * o.first_token(0.99); }, false},
        {"tokens/s", "{:.0f}", [](const Outcome& o) { return o.throughput(); }, true},
        {"prefix hits, %", "{:.1f}", [](const Outcome& o) { return 100 * o.hit_rate(); }, true},
        {"imbalance", "{:.2f}", [](const Outcome& o) { return o.imbalance; }, false},
        {"pre-empted", "{:.0f}", [](const Outcome& o) { return static_cast<double>(o.preemptions); }, false}};
    return all;
}

// Within this of the best counts as equal: less than runs with other seeds differ by.
constexpr double kEqual = 1.02;

}  // namespace

std::string table(const std::vector<Row>& rows) {
    std::string text = "| policy |";
    std::string line = "|---|";
    for (const Column& column : columns()) {
        text += fmt::format(" {} |", column.name);
        line += "---|";
    }
    text += "\n" + line + "\n";
    for (const Row& row : rows) {
        text += fmt::format("| {} |", to_string(row.policy));
        for (const Column& column : columns()) {
            const auto shown = [&](const Row& r) {
                return fmt::format(fmt::runtime(column.format), column.value(r.outcome));
            };
            const auto best = std::max_element(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
                const double one = column.value(a.outcome);
                const double other = column.value(b.outcome);
                return column.high_is_good ? one < other : one > other;
            });
            const bool bold = shown(row) == shown(*best);
            text += fmt::format(" {0}{1}{0} |", bold ? "**" : "", shown(row));
        }
        text += "\n";
    }
    return text;
}

std::string load_table(const std::vector<Point>& given) {
    if (given.empty()) return "";
    std::vector<const Point*> points;
    for (const Point& point : given) points.push_back(&point);
    // By case, and within one as the loads were given.
    std::stable_sort(points.begin(), points.end(), [&](const Point* a, const Point* b) {
        const auto first = [&](const Point* p) {
            return std::find_if(given.begin(), given.end(), [p](const Point& one) { return one.name == p->name; });
        };
        return first(a) < first(b);
    });
    std::string text = "| TTFT p99, ms |";
    std::string line = "|---|";
    for (const Point* point : points) {
        text += fmt::format(" {} ×{:g} |", point->name, point->load);
        line += "---|";
    }
    text += "\n" + line + "\n";
    for (std::size_t i = 0; i < points.front()->rows.size(); ++i) {
        text += fmt::format("| {} |", to_string(points.front()->rows[i].policy));
        for (const Point* point : points) {
            const auto p99 = [](const Row& row) { return fmt::format("{:.0f}", 1000 * row.outcome.first_token(0.99)); };
            const auto best = std::min_element(point->rows.begin(), point->rows.end(), [](const Row& a, const Row& b) {
                return a.outcome.first_token(0.99) < b.outcome.first_token(0.99);
            });
            const std::string shown = p99(point->rows[i]);
            text += fmt::format(" {0}{1}{0} |", shown == p99(*best) ? "**" : "", shown);
        }
        text += "\n";
    }
    return text;
}

std::string verdict(const std::vector<Row>& rows) {
    const auto p99 = [](const Row& row) { return row.outcome.first_token(0.99); };
    const auto best =
        std::min_element(rows.begin(), rows.end(), [&](const Row& a, const Row& b) { return p99(a) < p99(b); });
    const auto score = std::find_if(rows.begin(), rows.end(),
                                    [](const Row& row) { return row.policy == gateway::BalanceKind::Score; });
    if (score == rows.end() || rows.size() < 2) return "";
    const double ratio = p99(*score) / p99(*best);
    if (ratio > kEqual) {
        return fmt::format("**missed:** `{}` has the lower p99: `score` takes {:.2f} times as long.\n",
                           to_string(best->policy), ratio);
    }
    double next = 0;
    for (const Row& row : rows) {
        if (row.policy != gateway::BalanceKind::Score && (next == 0 || p99(row) < next)) next = p99(row);
    }
    return fmt::format("p99 of `score` over that of the best of the others: {:.2f}.\n", p99(*score) / next);
}

Result<Unit> update_page(const std::string& path, std::string_view text) {
    constexpr std::string_view kBegin = "<!-- balance:begin -->\n";
    constexpr std::string_view kEnd = "<!-- balance:end -->";
    TRY(std::string page, read_file(path));
    const auto begin = page.find(kBegin);
    const auto end = page.find(kEnd);
    if (begin == std::string::npos || end == std::string::npos || end < begin) {
        return Error{Errc::NotFound, path + " has no section of this benchmark"};
    }
    const auto from = begin + kBegin.size();
    page.replace(from, end - from, text);
    return write_file_atomic(path, page);
}

}  // namespace stoker::bench_balance
