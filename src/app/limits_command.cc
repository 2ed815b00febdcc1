// `stoker limits`.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/ask.h"
#include "app/table.h"
#include "base/time.h"

namespace stoker::app {
namespace {

std::string count(const nlohmann::json& entry, const char* key) {
    return std::to_string(entry.value(key, std::int64_t{0}));
}

std::string wait(const nlohmann::json& entry, const char* key) {
    return format_duration(Duration{entry.value(key, std::int64_t{0})});
}

// Nothing where limits are this gateway's own.
void print_sharing(const nlohmann::json& sharing, double share) {
    const std::string state = sharing.value("state", "off");
    if (state == "shared") {
        std::printf("shared by %s gateways\n\n", count(sharing, "gateways").c_str());
    } else if (state == "alone") {
        std::printf("NOT SHARED since %s (%s): this gateway admits its part, %.3g, of every limit\n\n",
                    format_timestamp(from_millis(sharing.value("since_ms", std::int64_t{0}))).c_str(),
                    sharing.value("reason", "").c_str(), share);
    }
}

void print_refused(const nlohmann::json& refused) {
    Table table({"TIME", "REQUEST", "SCOPE", "NAME", "LIMIT", "VALUE", "USED", "RESERVED", "ASKED", "RETRY"});
    for (const auto& entry : refused) {
        table.add({format_timestamp(from_millis(entry.value("time_ms", std::int64_t{0}))),
                   entry.value("request_id", ""), entry.value("scope", ""), entry.value("name", ""),
                   entry.value("limit", ""), count(entry, "value"), count(entry, "used"), count(entry, "reserved"),
                   count(entry, "asked"), wait(entry, "retry_after_ms")});
    }
    std::fputs(table.empty() ? "no request was refused by a limit\n" : table.text().c_str(), stdout);
}

}  // namespace

int limits(const LimitsOptions& options) {
    auto answer = ask(options.client, "GET", "/api/v1/limits", {{"scope", options.scope}, {"name", options.name}});
    if (!answer) return fail(answer.error());
    if (options.client.output == Output::Json) {
        std::printf("%s\n", answer->dump().c_str());
        return 0;
    }
    print_sharing(answer->value("sharing", nlohmann::json::object()), answer->value("share", 1.0));
    if (options.refused) {
        print_refused(answer->at("refused"));
        return 0;
    }
    Table table({"SCOPE", "NAME", "LIMIT", "VALUE", "USED", "RESERVED", "REMAINING", "RESET"});
    for (const auto& line : answer->at("limits")) {
        table.add({line.value("scope", ""), line.value("name", ""), line.value("limit", ""), count(line, "value"),
                   count(line, "used"), count(line, "reserved"), count(line, "remaining"), wait(line, "reset_ms")});
    }
    std::fputs(table.empty() ? "nothing is counted against a limit\n" : table.text().c_str(), stdout);
    return 0;
}

}  // namespace stoker::app
