// `stoker requests`.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/ask.h"
#include "app/table.h"
#include "base/time.h"

namespace stoker::app {
namespace {

// "rule nights, split half=green", as `stoker route explain` would say it; "-" if the model's own name led there.
std::string led_by(const nlohmann::json& record) {
    std::string text;
    const auto add = [&text](const std::string& what) { text += (text.empty() ? "" : ", ") + what; };
    if (const auto shadow = record.value("shadow", ""); !shadow.empty()) add("shadow " + shadow);
    if (const auto rule = record.value("rule", ""); !rule.empty()) add("rule " + rule);
    if (const auto split = record.value("split", ""); !split.empty())
        add("split " + split + "=" + record.value("arm", ""));
    return text.empty() ? "-" : text;
}

}  // namespace

int requests(const RequestsOptions& options) {
    auto answer = ask(options.client, "GET", "/api/v1/requests",
                      {{"last", options.last},
                       {"limit", std::to_string(options.limit)},
                       {"model", options.model},
                       {"outcome", options.outcome},
                       {"rule", options.rule},
                       {"split", options.split},
                       {"shadow", options.shadow},
                       {"sort", options.sort}});
    if (!answer) return fail(answer.error());
    if (options.client.output == Output::Json) {
        std::printf("%s\n", answer->dump().c_str());
        return 0;
    }
    Table table(
        {"TIME", "ID", "MODEL", "LED BY", "REPLICA", "STATUS", "OUTCOME", "PROMPT", "COMPLETION", "TTFT", "TOTAL"});
    for (const auto& record : answer->at("requests")) {
        auto seconds = [&record](const char* key) {
            auto nanos = record.value(key, std::int64_t{0});
            return nanos == 0 ? std::string("-") : short_seconds(static_cast<double>(nanos) / 1e9);
        };
        table.add({format_timestamp(from_millis(record.value("time_ms", std::int64_t{0}))), record.value("id", ""),
                   record.value("model", ""), led_by(record), record.value("replica", ""),
                   std::to_string(record.value("status", 0)), record.value("outcome", ""),
                   std::to_string(record.value("prompt_tokens", std::int64_t{0})),
                   std::to_string(record.value("completion_tokens", std::int64_t{0})), seconds("ttft_ns"),
                   seconds("duration_ns")});
    }
    auto total = answer->value("total", std::uint64_t{0});
    if (table.empty()) {
        std::printf("no requests in the last %s\n", options.last.c_str());
    } else {
        std::fputs(table.text().c_str(), stdout);
        if (total > answer->at("requests").size())
            std::printf("%zu of %zu; --limit shows more\n", answer->at("requests").size(),
                        static_cast<std::size_t>(total));
    }
    return 0;
}

}  // namespace stoker::app
