// `stoker query`.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/ask.h"
#include "app/table.h"
#include "base/time.h"
#include "tsdb/labels.h"

namespace stoker::app {
namespace {

using nlohmann::json;

std::string series_name(const json& metric) {
    std::vector<tsdb::Labels::Pair> pairs;
    for (const auto& [name, value] : metric.items()) pairs.emplace_back(name, value.get<std::string>());
    auto text = tsdb::Labels(std::move(pairs)).text();
    return text.empty() ? "{}" : text;
}

std::string time_of(const json& point) {
    return format_timestamp(from_millis(static_cast<std::int64_t>(point.at(0).get<double>() * 1000 + 0.5)));
}

void print_text(const json& data) {
    const std::string type = data.at("resultType");
    const auto& result = data.at("result");
    if (type == "scalar" || type == "string") {
        std::printf("%s\n", result.at(1).get<std::string>().c_str());
        return;
    }
    if (type == "vector") {
        Table table({"SERIES", "VALUE"});
        for (const auto& series : result) table.add({series_name(series.at("metric")), series.at("value").at(1)});
        std::fputs(table.empty() ? "no series\n" : table.text().c_str(), stdout);
        return;
    }
    if (result.empty()) std::puts("no series");
    for (const auto& series : result) {
        std::printf("%s\n", series_name(series.at("metric")).c_str());
        for (const auto& point : series.at("values")) {
            std::printf("  %s  %s\n", time_of(point).c_str(), point.at(1).get<std::string>().c_str());
        }
    }
}

Result<Params> parameters(const QueryOptions& options) {
    Params params = {{"query", options.query}};
    if (options.range.empty()) {
        params.emplace_back("time", options.time);
        return params;
    }
    auto range = parse_duration(options.range);
    if (!range) return std::move(range).error().context("--range");
    Timestamp end = now();
    if (!options.time.empty()) {
        TRY(end, parse_timestamp(options.time));
    }
    params.emplace_back("start", format_timestamp(end - *range));
    params.emplace_back("end", format_timestamp(end));
    params.emplace_back("step", options.step);
    return params;
}

}  // namespace

int query(const QueryOptions& options) {
    auto params = parameters(options);
    if (!params) {
        fail(params.error());
        return 2;
    }
    auto answer = ask(options.client, "GET", options.range.empty() ? "/api/v1/query" : "/api/v1/query_range", *params);
    if (!answer) return fail(answer.error());
    if (options.client.output == Output::Json) {
        std::printf("%s\n", answer->dump().c_str());
    } else {
        print_text(answer->at("data"));
    }
    return 0;
}

}  // namespace stoker::app
