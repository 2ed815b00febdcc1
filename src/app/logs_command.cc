// `stoker logs`.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/ask.h"
#include "base/time.h"

namespace stoker::app {
namespace {

constexpr std::chrono::milliseconds kLookAgain{500};
constexpr Duration kOverlap{60'000};  // How much later than its time a line may come and still be shown, at least.

void print(const nlohmann::json& log, Output output) {
    if (output == Output::Json) {
        std::printf("%s\n", log.dump().c_str());
        return;
    }
    const std::string severity = log.value("severity", "");
    const std::string signature = log.value("signature", "");
    std::printf("%s %-5s %s%s%s %s\n", log.value("time", "").c_str(), severity.empty() ? "-" : severity.c_str(),
                log.value("service", "").c_str(), signature.empty() ? "" : " !", signature.c_str(),
                log.value("body", "").c_str());
}

Params parameters(const LogsOptions& options) {
    Params params = {{"limit", std::to_string(options.limit)}, {"service", options.service},
                     {"severity", options.severity},           {"q", options.text},
                     {"trace_id", options.trace_id},           {"signature", options.signature}};
    if (options.trace_id.empty() || options.last != LogsOptions{}.last) params.emplace_back("last", options.last);
    return params;
}

// Looks again and again for what came: by time, as lines come in nearly in order, leaving out what was shown.
int follow(const LogsOptions& options, std::vector<std::string> shown) {
    LogsOptions newest = options;
    newest.last = format_duration(kOverlap);
    newest.limit = 5000;
    for (;;) {
        std::this_thread::sleep_for(kLookAgain);
        auto answer = ask(options.client, "GET", "/api/v1/logs", parameters(newest));
        if (!answer) return fail(answer.error());
        std::vector<std::string> seen;
        const auto& logs = answer->at("logs");
        for (auto log = logs.rbegin(); log != logs.rend(); ++log) {
            seen.push_back(log->value("place", ""));
            if (!std::binary_search(shown.begin(), shown.end(), seen.back())) print(*log, options.client.output);
        }
        std::fflush(stdout);
        std::sort(seen.begin(), seen.end());
        shown = std::move(seen);
    }
}

}  // namespace

int logs(const LogsOptions& options) {
    // A search that takes long comes in pieces.
    nlohmann::json found = nlohmann::json::array();
    std::string next;
    do {
        auto params = parameters(options);
        params.front().second = std::to_string(options.limit - static_cast<std::int64_t>(found.size()));
        params.emplace_back("place", next);
        auto answer = ask(options.client, "GET", "/api/v1/logs", params);
        if (!answer) return fail(answer.error());
        for (auto& log : answer->at("logs")) found.push_back(std::move(log));
        next = answer->value("next", "");
    } while (!next.empty() && static_cast<std::int64_t>(found.size()) < options.limit);
    std::vector<std::string> shown;
    for (auto log = found.rbegin(); log != found.rend(); ++log) {
        print(*log, options.client.output);
        shown.push_back(log->value("place", ""));
    }
    if (options.follow) {
        std::fflush(stdout);
        std::sort(shown.begin(), shown.end());
        return follow(options, std::move(shown));
    }
    if (options.client.output == Output::Text && found.empty()) {
        std::printf("no lines in the last %s\n", options.last.c_str());
    }
    if (options.client.output == Output::Text && !next.empty()) {
        std::printf("the newest %zu; --limit shows more\n", found.size());
    }
    return 0;
}

}  // namespace stoker::app
