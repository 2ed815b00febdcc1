#include "twin/bad_metrics.h"

#include <array>
#include <cmath>

#include "base/text.h"

namespace stoker::twin {
namespace {

constexpr auto kWays =
    std::to_array<std::string_view>({"json", "missing", "frozen", "zero", "percent", "falling", "duplicate"});

// One sample: `name{labels} value`.
struct Line {
    std::string_view name;
    std::string_view labels;  // Without braces.
    double value = 0;

    std::string text() const {
        std::string out(name);
        if (!labels.empty()) out += "{" + std::string(labels) + "}";
        return out + " " + format_number(value) + "\n";
    }
};

Line parse(std::string_view text) {
    Line line;
    const std::size_t space = text.rfind(' ');
    const std::string_view series = text.substr(0, space);
    const std::size_t brace = series.find('{');
    line.name = series.substr(0, brace);
    if (brace != std::string_view::npos) line.labels = series.substr(brace + 1, series.size() - brace - 2);
    line.value = parse_number(text.substr(space + 1)).value_or(0);
    return line;
}

std::string bend(std::string_view how, Line line, std::uint64_t nth) {
    const bool usage = line.name == "vllm:kv_cache_usage_perc";
    if (how == "zero" && (usage || line.name == "vllm:prompt_tokens_total")) line.value = 0;
    if (how == "percent" && usage) line.value *= 100;
    // Another process answers every other time, which has seen half as much.
    if (how == "falling" && nth % 2 == 1 && line.name.ends_with("_total")) line.value = std::floor(line.value / 2);
    if (how != "duplicate") return line.text();
    const std::string labels(line.labels);
    std::string out;
    for (const char* pid : {R"(pid="1")", R"(pid="2")"}) {
        const std::string all = labels.empty() ? pid : labels + "," + pid;
        line.labels = all;
        out += line.text();
    }
    return out;
}

}  // namespace

std::span<const std::string_view> bad_metrics_ways() {
    return kWays;
}

std::string bend_page(std::string_view how, std::string_view vllm_page, std::uint64_t nth) {
    std::string out;
    for (const std::string_view text : split(vllm_page, '\n')) {
        if (text.empty()) continue;
        if (text.starts_with('#'))
            out.append(text).append("\n");
        else
            out += bend(how, parse(text), nth);
    }
    return out;
}

}  // namespace stoker::twin
