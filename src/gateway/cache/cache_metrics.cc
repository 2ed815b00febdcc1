#include "gateway/cache/cache_metrics.h"

namespace stoker::gateway {

std::string_view to_string(CacheStatus status) {
    switch (status) {
        case CacheStatus::Hit:
            return "hit";
        case CacheStatus::Coalesced:
            return "coalesced";
        case CacheStatus::Semantic:
            return "semantic";
        case CacheStatus::Miss:
            return "miss";
        case CacheStatus::Bypass:
            return "bypass";
    }
    return "";
}

CacheMetrics::CacheMetrics(metrics::Registry& registry)
    : requests_(registry.counter("stoker_cache_requests_total",
                                 "Requests for which a cache rule holds, by result: hit, semantic, coalesced, miss "
                                 "(went to an engine, and its "
                                 "answer may be used again), bypass (went to an engine, and its answer may not).",
                                 {"model", "result"})),
      saved_(registry.counter("stoker_cache_saved_tokens_total",
                              "Tokens of answers that came from the cache or were shared with an identical request, "
                              "which no engine had to compute again.",
                              {"model", "type"})) {}

void CacheMetrics::count(CacheStatus status, const std::string& model) {
    requests_.with({model, std::string(to_string(status))}).add();
}

void CacheMetrics::count_saved(const std::string& model, std::int64_t prompt_tokens, std::int64_t completion_tokens) {
    if (prompt_tokens > 0) saved_.with({model, "prompt"}).add(static_cast<double>(prompt_tokens));
    if (completion_tokens > 0) saved_.with({model, "completion"}).add(static_cast<double>(completion_tokens));
}

}  // namespace stoker::gateway
