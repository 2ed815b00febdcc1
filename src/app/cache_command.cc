// `stoker cache show` and `stoker cache purge`.
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

std::string lasting(const nlohmann::json& entry, const char* key) {
    return format_duration(Duration{entry.value(key, std::int64_t{0})});
}

}  // namespace

int cache_show(const CacheCommandOptions& options) {
    auto answer = ask(options.client, "GET", "/api/v1/cache",
                      {{"tenant", options.tenant}, {"model", options.model}, {"key", options.key}});
    if (!answer) return fail(answer.error());
    if (options.client.output == Output::Json) {
        std::printf("%s\n", answer->dump().c_str());
        return 0;
    }
    std::printf("%s answers, %s of %s bytes\n", count(*answer, "entries").c_str(), count(*answer, "bytes").c_str(),
                count(*answer, "max_bytes").c_str());
    Table table({"KEY", "TENANT", "MODEL", "ENDPOINT", "STREAM", "BYTES", "TOKENS", "HITS", "AGE", "LEFT"});
    constexpr std::size_t kShown = 12;
    for (const auto& line : answer->at("answers")) {
        table.add({line.value("key", "").substr(0, kShown), line.value("tenant", ""), line.value("model", ""),
                   line.value("endpoint", ""), line.value("stream", false) ? "yes" : "no", count(line, "bytes"),
                   count(line, "completion_tokens"), count(line, "hits"), lasting(line, "age_ms"),
                   lasting(line, "left_ms")});
    }
    if (!table.empty()) std::fputs(table.text().c_str(), stdout);
    return 0;
}

int cache_purge(const CacheCommandOptions& options) {
    auto answer = ask(options.client, "DELETE", "/api/v1/cache",
                      {{"tenant", options.tenant}, {"model", options.model}, {"key", options.key}});
    if (!answer) return fail(answer.error());
    if (options.client.output == Output::Json) {
        std::printf("%s\n", answer->dump().c_str());
    } else {
        std::printf("%s answers purged\n", count(*answer, "purged").c_str());
    }
    return 0;
}

}  // namespace stoker::app
