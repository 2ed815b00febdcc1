// `stoker degradation`.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/ask.h"
#include "app/table.h"
#include "base/time.h"

namespace stoker::app {
namespace {

using nlohmann::json;

std::string pool_of(const json& entry) {
    const std::string pool = entry.value("pool", "");
    return pool.empty() ? "(all)" : pool;
}

void print(const json& status) {
    Table scopes({"POOL", "LEVEL", "SINCE", "WHY"});
    for (const auto& scope : status.at("scopes")) {
        const auto since = scope.value("since_ms", std::int64_t{0});
        scopes.add({pool_of(scope), scope.value("name", ""), since == 0 ? "-" : format_timestamp(from_millis(since)),
                    scope.value("why", "")});
    }
    std::fputs(scopes.text().c_str(), stdout);
    if (!status.value("enabled", false)) std::puts("conditions are switched off (degradation.enabled)");
    Table conditions({"CONDITION", "POOL", "VALUE", "LEVEL"});
    for (const auto& condition : status.at("conditions")) {
        const auto& value = condition.at("value");
        conditions.add({condition.value("condition", ""), pool_of(condition), value.is_null() ? "-" : value.dump(),
                        condition.value("name", "")});
    }
    if (!conditions.empty()) std::printf("\n%s", conditions.text().c_str());
}

}  // namespace

int degradation(const DegradationCommandOptions& options) {
    Result<json> answer;
    if (!options.level.empty()) {
        const json body{{"level", options.level},
                        {"pool", options.pool},
                        {"for", options.lasting},
                        {"reason", options.reason},
                        {"by", "command line"}};
        answer = ask(options.client, "POST", "/api/v1/degradation", {}, body.dump());
    } else if (options.release) {
        answer = ask(options.client, "DELETE", "/api/v1/degradation", {{"pool", options.pool}});
    } else {
        answer = ask(options.client, "GET", "/api/v1/degradation");
    }
    if (!answer) return fail(answer.error());
    if (options.client.output == Output::Json) {
        std::printf("%s\n", answer->dump().c_str());
    } else {
        print(*answer);
    }
    return 0;
}

}  // namespace stoker::app
