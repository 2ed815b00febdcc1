// `stoker ledgers`.
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/ask.h"
#include "app/table.h"

namespace stoker::app {
namespace {

std::string tokens(const nlohmann::json& value) {
    return value.is_number() ? std::to_string(std::llround(value.get<double>())) : "-";
}

std::string drifts(const nlohmann::json& list) {
    std::string text;
    for (const auto& drift : list) text += (text.empty() ? "" : " ") + drift.get<std::string>();
    return text;
}

void print_waste(const nlohmann::json& waste) {
    Table table({"POOL", "TYPE", "REASON", "TOKENS"});
    for (const auto& entry : waste) {
        table.add(
            {entry.value("pool", ""), entry.value("type", ""), entry.value("reason", ""), tokens(entry.at("tokens"))});
    }
    std::fputs(table.empty() ? "nothing was computed in vain\n" : table.text().c_str(), stdout);
}

}  // namespace

int ledgers(const LedgersOptions& options) {
    auto answer = ask(options.client, "GET", "/api/v1/ledgers", {{"last", options.last}});
    if (!answer) return fail(answer.error());
    if (options.client.output == Output::Json) {
        std::printf("%s\n", answer->dump().c_str());
        return 0;
    }
    if (options.waste) {
        print_waste(answer->at("waste"));
        return 0;
    }
    Table table({"REPLICA", "TYPE", "COUNTED", "USAGE", "UNREPORTED", "ENGINE", "DRIFT"});
    for (const auto& replica : answer->at("replicas")) {
        for (const char* type : {"completion", "prompt"}) {
            const auto& row = replica.at(type);
            const bool first = std::string_view(type) == "completion";
            const double usage = row.at("usage").at("stream").get<double>() + row.at("usage").at("whole").get<double>();
            table.add({first ? replica.value("replica", "") : "", type, first ? tokens(row.at("counted")) : "-",
                       tokens(usage), tokens(row.at("unreported")), tokens(row.at("engine")),
                       first ? drifts(replica.at("drifts")) : ""});
        }
    }
    std::fputs(table.empty() ? "no replica was asked for anything\n" : table.text().c_str(), stdout);
    return 0;
}

}  // namespace stoker::app
